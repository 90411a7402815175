package logitpack;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;

/** A file, or a folder of files that are read one after another (section 4.2). */
public final class Dataset {
    /** Takes a row; the row before it is no longer needed then. */
    @FunctionalInterface
    public interface Consumer {
        void accept(Row row) throws IOException;
    }

    private Dataset() {}

    /** Reads all rows, in their order, up to the first that has to be rejected. */
    public static void read(Path input, Consumer consumer) throws IOException, InvalidFileException {
        if (!Files.isDirectory(input)) {
            readFile(input, consumer, input.toAbsolutePath().getParent());
            return;
        }
        List<Path> members = members(input);
        for (Path member : members) {
            try {
                readFile(input.resolve(member), consumer, input.resolve(member).getParent(), input);
            } catch (InvalidFileException error) {
                throw error.at(member.toString());
            }
        }
    }

    private static void readFile(Path file, Consumer consumer, Path... sidecars) throws IOException, InvalidFileException {
        try (ParquetRows rows = ParquetRows.open(file, sidecars)) {
            for (Row row = rows.next(); row != null; row = rows.next()) {
                consumer.accept(row);
            }
        }
    }

    /** The data files below a folder, by code points of their relative paths: UTF-8 bytes have that order. */
    private static List<Path> members(Path folder) throws IOException {
        try (Stream<Path> below = Files.walk(folder)) {
            return below.map(folder::relativize)
                    .filter(Dataset::isMember)
                    .filter(path -> Files.isRegularFile(folder.resolve(path)))
                    .sorted((a, b) -> Arrays.compareUnsigned(key(a), key(b)))
                    .toList();
        } catch (UncheckedIOException error) {
            throw error.getCause();
        }
    }

    private static boolean isMember(Path relative) {
        for (Path part : relative) {
            if (part.toString().startsWith(".") || part.toString().startsWith("_")) {
                return false;
            }
        }
        String name = String.valueOf(relative.getFileName());
        return name.endsWith(".parquet") || name.endsWith(".arrow") || name.endsWith(".arrows");
    }

    private static byte[] key(Path relative) {
        return relative.toString().replace(relative.getFileSystem().getSeparator(), "/").getBytes(StandardCharsets.UTF_8);
    }
}
