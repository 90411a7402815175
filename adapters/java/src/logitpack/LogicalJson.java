package logitpack;

import java.io.IOException;
import java.io.Writer;

/** Writes rows as logical JSON (section 4.4). Java's text of a double is JSON, and reads back as the same double. */
final class LogicalJson {
    private final Writer writer;

    LogicalJson(Writer writer) {
        this.writer = writer;
    }

    void write(Row row) throws IOException {
        StringBuilder line = new StringBuilder("{\"tokens\": [");
        for (int token = 0; token < row.numTokens(); token++) {
            line.append(token == 0 ? "" : ", ").append("{\"logsumexp\": ").append(row.logsumexp()[token]);
            entries(line, "top", row.top(), row.offsets()[token], row.offsets()[token + 1]);
            entries(line, "sampled", row.sampled(), token * row.stride(), (token + 1) * row.stride());
            if (row.tokenIds() != null) {
                line.append(", \"token_id\": ").append(row.tokenIds()[token]);
            }
            line.append('}');
            writer.append(line);
            line.setLength(0);
        }
        writer.write("]}\n");
    }

    private static void entries(StringBuilder line, String name, Row.Entries entries, int from, int to) {
        line.append(", \"").append(name).append("\": {\"indices\": [");
        for (int entry = from; entry < to; entry++) {
            line.append(entry == from ? "" : ", ").append(entries.indices()[entry]);
        }
        line.append("], \"logits\": [");
        for (int entry = from; entry < to; entry++) {
            line.append(entry == from ? "" : ", ").append(entries.logits()[entry]);
        }
        line.append("]}");
    }
}
