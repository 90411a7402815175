package logitpack;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.example.data.Group;
import org.apache.parquet.example.data.simple.SimpleGroup;
import org.apache.parquet.hadoop.ParquetWriter;
import org.apache.parquet.hadoop.example.ExampleParquetWriter;
import org.apache.parquet.io.LocalOutputFile;
import org.apache.parquet.io.api.Binary;
import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.MessageType;
import org.apache.parquet.schema.MessageTypeParser;
import org.apache.parquet.schema.Type;

/** The row of appendix A of SPEC.md as a Parquet file, with what a test changes in it. */
final class Sample {
    private static final String LIST = "optional group %%s (LIST) { repeated group list { optional %s; } }";
    private static final String BYTES = LIST.formatted("int32 element (UINT_8)");
    private static final String SHORTS = LIST.formatted("int32 element (UINT_16)");
    private static final String FLOATS = LIST.formatted("float element");
    private static final String DOUBLES = LIST.formatted("double element");

    private final Map<String, String> types = new HashMap<>();
    private final Map<String, Object> values = new HashMap<>();
    private final Map<String, String> metadata = new HashMap<>();
    private int rows = 1;

    Sample() {
        column("num_tokens", "required int32 num_tokens;", 2);
        column("top_counts", BYTES, List.of(3, 2));
        column("top_indices_low", SHORTS, List.of(5, 5, 5, 65535, 7));
        column("top_indices_high", "optional binary %s;", new byte[] {(byte) 0xE4, 0});
        column("top_logits_quantized", SHORTS, List.of(65535, 27306, 0, 65535, 0));
        column("top_min", FLOATS, List.of(7f, 3f));
        column("top_max", FLOATS, List.of(10f, 4f));
        column("sampled_indices_low", SHORTS, List.of(12, 65534, 65535, 0));
        column("sampled_indices_high", "optional binary %s;", new byte[] {0x4C});
        column("sampled_logits_quantized", SHORTS, List.of(0, 65535, 0, 0));
        column("sampled_min", FLOATS, List.of(-1.25f, -2f));
        column("sampled_max", FLOATS, List.of(2f, -2f));
        column("logsumexp", DOUBLES, List.of(10.25, 4.5));
    }

    /** @param type of the Parquet schema, %s for the name */
    Sample column(String name, String type, Object value) {
        types.put(name, type.formatted(name));
        values.put(name, value);
        return this;
    }

    Sample type(String name, String type) {
        return column(name, type, values.get(name));
    }

    Sample value(String name, Object value) {
        values.put(name, value);
        return this;
    }

    Sample without(String name) {
        types.remove(name);
        values.remove(name);
        return this;
    }

    Sample metadata(String text) {
        metadata.put("logitpack", text);
        return this;
    }

    Sample rows(int number) {
        rows = number;
        return this;
    }

    Path write(Path file) throws Exception {
        MessageType schema = MessageTypeParser.parseMessageType(
                "message table { " + String.join(" ", types.values()) + " }");
        try (ParquetWriter<Group> writer = ExampleParquetWriter.builder(new LocalOutputFile(file))
                .withConf(new PlainParquetConfiguration())
                .withType(schema)
                .withExtraMetaData(metadata)
                .withPageWriteChecksumEnabled(true)
                .withDictionaryEncoding(false)
                .build()) {
            for (int row = 0; row < rows; row++) {
                writer.write(group(schema));
            }
        }
        return file;
    }

    private Group group(MessageType schema) {
        Group group = new SimpleGroup(schema);
        for (Type field : schema.getFields()) {
            Object value = values.get(field.getName());
            if (value instanceof List<?> list && field.isPrimitive()) {
                list.forEach(element -> add(group, field.getName(), element));
            } else if (value instanceof List<?> list) {
                addList(group.addGroup(field.getName()), field.asGroupType(), list);
            } else if (value != null) {
                add(group, field.getName(), value);
            }
        }
        return group;
    }

    /** A list that has {@code null} for an element, as text, holds a null. */
    private static void addList(Group list, GroupType type, List<?> elements) {
        Type repeated = type.getType(0);
        for (Object element : elements) {
            if (repeated.isPrimitive()) {
                add(list, repeated.getName(), element);
                continue;
            }
            Group entry = list.addGroup(repeated.getName());
            if (!element.equals("null")) {
                add(entry, repeated.asGroupType().getType(0).getName(), element);
            }
        }
    }

    private static void add(Group group, String name, Object value) {
        if (value instanceof Integer number) {
            group.add(name, number);
        } else if (value instanceof Long number) {
            group.add(name, number);
        } else if (value instanceof Float number) {
            group.add(name, number);
        } else if (value instanceof Double number) {
            group.add(name, number);
        } else {
            group.add(name, Binary.fromConstantByteArray((byte[]) value));
        }
    }

    static List<Row> read(Path file) throws Exception {
        List<Row> rows = new ArrayList<>();
        Dataset.read(file, rows::add);
        return rows;
    }

}
