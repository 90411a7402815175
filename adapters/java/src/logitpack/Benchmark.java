package logitpack;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/** Decodes a file over and over, and prints tokens a second of CPU time, the first rounds left out. */
public final class Benchmark {
    private Benchmark() {}

    public static void main(String[] arguments) throws Exception {
        Path file = Path.of(arguments[0]);
        long[] tokens = new long[1];
        for (int round = -3; round < 5; round++) {
            tokens[0] = 0;
            long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
            Dataset.read(file, row -> tokens[0] += row.numTokens());
            double seconds = (ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start) / 1e9;
            if (round >= 0) {
                System.out.printf("%,d tokens in %.3f s: %,.0f tokens/s%n", tokens[0], seconds, tokens[0] / seconds);
            }
        }
    }
}
