package logitpack;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/** Answers `logitpack conform` on standard output, a line for each line of standard input. */
public final class Adapter {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final List<String> FEATURES = List.of(
            "zstd", "snappy", "gzip", "lz4", "byte_stream_split", "dictionary", "delta", "data_page_v2", "legacy_lists",
            "wide_integers", "float16", "float64", "large_list", "fixed_size_list", "list_view", "large_binary", "binary_view",
            "nested_columns", "run_end_encoded", "dataset", "token_ids", "sidecar");

    private Adapter() {}

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = System.out;
        System.setOut(System.err); // a library that prints would break the protocol
        BufferedReader requests = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = requests.readLine(); line != null; line = requests.readLine()) {
            JsonNode request = JSON.readTree(line);
            ObjectNode answer = JSON.createObjectNode();
            answer.set("seq", request.get("seq"));
            switch (request.path("cmd").asText()) {
                case "hello" -> introduce(answer);
                case "read" -> read(request, answer);
                default -> answer.put("outcome", "error").put("message", "this is a reader");
            }
            answers.write((JSON.writeValueAsString(answer) + "\n").getBytes(StandardCharsets.UTF_8));
            answers.flush();
        }
    }

    private static void introduce(ObjectNode answer) {
        answer.put("protocol", 1).put("name", "parquet-java").put("version", "1").put("language", "java");
        answer.putArray("spec").add("1.0");
        answer.putArray("roles").add("reader");
        answer.putArray("containers").add("parquet");
        FEATURES.forEach(answer.putArray("features")::add);
        answer.put("homepage", "https://github.com/apache/parquet-java");
    }

    private static void read(JsonNode request, ObjectNode answer) {
        if (!request.path("container").asText().equals("parquet")) {
            answer.put("outcome", "error").put("message", "this reader reads Parquet");
            return;
        }
        try (Writer writer = Files.newBufferedWriter(Path.of(request.path("output").asText()))) {
            LogicalJson output = new LogicalJson(writer);
            Dataset.read(Path.of(request.path("input").asText()), output::write);
            answer.put("outcome", "accepted");
        } catch (InvalidFileException error) {
            answer.put("outcome", "rejected").put("requirement", error.requirement()).put("message", error.getMessage());
        } catch (UnsupportedException error) {
            answer.put("outcome", error.feature() == null ? "error" : "unsupported");
            answer.put("feature", error.feature()).put("message", error.getMessage());
        } catch (IOException | RuntimeException error) {
            answer.put("outcome", "error").put("message", error.toString());
        }
    }
}
