package logitpack;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.regex.Pattern;

/**
 * The metadata of section 13, as far as a reader needs them: which object is in force, and whether its version is known.
 *
 * @param vocabSize as it is declared, or more than any index where it is not
 */
record Metadata(long vocabSize) {
    private static final int MAX_BYTES = 1 << 20;
    private static final Pattern VERSION = Pattern.compile("(0|[1-9][0-9]{0,8})[.](0|[1-9][0-9]{0,8})");
    private static final Pattern SHA256 = Pattern.compile("[0-9a-f]{64}");
    private static final ObjectMapper LENIENT = mapper(false);
    private static final ObjectMapper STRICT = mapper(true);

    private static ObjectMapper mapper(boolean distinct) {
        StreamReadConstraints constraints = StreamReadConstraints.builder()
                .maxNestingDepth(MAX_BYTES)
                .maxNumberLength(MAX_BYTES)
                .maxNameLength(MAX_BYTES)
                .maxStringLength(MAX_BYTES)
                .build();
        JsonFactory factory = JsonFactory.builder()
                .streamReadConstraints(constraints)
                .configure(StreamReadFeature.STRICT_DUPLICATE_DETECTION, distinct)
                .configure(StreamReadFeature.USE_FAST_BIG_NUMBER_PARSER, true)
                .build();
        return JsonMapper.builder(factory).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
    }

    /**
     * The object in force: the first that is valid.
     *
     * @throws InvalidFileException if one before it is of an unknown major version (META-2)
     */
    static Metadata inForce(String embedded, Path... folders) throws IOException, InvalidFileException {
        Metadata metadata = parse(embedded);
        for (int place = 0; metadata == null && place < folders.length; place++) {
            Path file = folders[place].resolve("logitpack.json");
            if (Files.isRegularFile(file)) {
                metadata = parse(text(file));
            }
        }
        return metadata == null ? new Metadata(Long.MAX_VALUE) : metadata;
    }

    /** The text of a file, or null where it is too long (META-7) or not UTF-8 (META-1). */
    private static String text(Path file) throws IOException {
        try (InputStream stream = Files.newInputStream(file)) {
            byte[] bytes = stream.readNBytes(MAX_BYTES + 1);
            if (bytes.length > MAX_BYTES) {
                return null;
            }
            return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
        } catch (CharacterCodingException error) {
            return null;
        }
    }

    /** Null where an object breaks META-1 or META-7, and counts as absent. */
    static Metadata parse(String text) throws IOException, InvalidFileException {
        if (text == null || text.length() > MAX_BYTES || text.startsWith("\uFEFF")
                || text.getBytes(StandardCharsets.UTF_8).length > MAX_BYTES) {
            return null;
        }
        try {
            JsonNode object = LENIENT.readTree(text);
            if (!object.isObject() || hasTwoVersions(text)) {
                return null;
            }
            JsonNode version = object.path("spec_version");
            if (!version.isTextual() || !VERSION.matcher(version.textValue()).matches()) {
                return null;
            }
            if (!version.textValue().startsWith("1.")) {
                throw new InvalidFileException("META-2", "spec_version is " + version.textValue());
            }
            return isValid(STRICT.readTree(text)) ? new Metadata(object.path("vocab_size").asLong()) : null;
        } catch (JsonProcessingException error) {
            return null;
        }
    }

    private static boolean hasTwoVersions(String text) throws IOException {
        int versions = 0;
        try (JsonParser parser = LENIENT.createParser(text)) {
            parser.nextToken();
            while (parser.nextToken() == JsonToken.FIELD_NAME) {
                versions += parser.currentName().equals("spec_version") ? 1 : 0;
                parser.nextToken();
                parser.skipChildren();
            }
        }
        return versions > 1;
    }

    /** META-1: the rules of schema/metadata.schema.json, and that a tokenizer has no more tokens than there are logits. */
    private static boolean isValid(JsonNode m) {
        JsonNode nucleus = m.path("nucleus");
        JsonNode tail = m.path("tail");
        JsonNode rule = nucleus.path("rule");
        JsonNode size = m.path("tokenizer").path("size");
        JsonNode excluded = m.path("mask").path("excluded");
        boolean cut = rule.asText().equals("covering") || rule.asText().equals("below");
        boolean strings = true;
        for (JsonNode element : excluded) {
            strings &= element.isTextual();
        }
        return named(m.path("model")) && text(m.path("model"), "revision", "dtype")
                && named(m.path("tokenizer")) && text(m.path("tokenizer"), "revision")
                && absentOr(m.path("tokenizer"), "sha256", SHA256)
                && integer(m.path("vocab_size"), 1, Integer.MAX_VALUE)
                && (size.isMissingNode() || integer(size, 1, m.path("vocab_size").asDouble()))
                && nucleus.isObject() && oneOf(rule, "covering", "below", "unspecified")
                && (!nucleus.has("order") || oneOf(nucleus.path("order"), "descending", "unspecified"))
                && (nucleus.has("top_p") ? share(nucleus.path("top_p")) : !cut)
                && (nucleus.has("max_entries") ? integer(nucleus.path("max_entries"), 1, 255) : !cut)
                && tail.isObject() && integer(tail.path("num_sampled"), 1, Integer.MAX_VALUE)
                && oneOf(tail.path("method"), "uniform", "proportional", "unspecified")
                && (!tail.has("seed") || integer(tail.path("seed"), Double.NEGATIVE_INFINITY, Double.POSITIVE_INFINITY))
                && (!m.has("temperature") || m.path("temperature").isNumber() && m.path("temperature").asDouble() == 1)
                && oneOf(m.path("alignment"), "predicts", "follows", "unspecified")
                && objectOrAbsent(m, "mask") && text(m.path("mask"), "turns")
                && (!m.path("mask").has("end_of_turn") || m.path("mask").path("end_of_turn").isBoolean())
                && (excluded.isMissingNode() || excluded.isArray() && strings)
                && absentOr(m, "chat_template_sha256", SHA256)
                && objectOrAbsent(m, "source") && text(m.path("source"), "id", "revision", "split")
                && objectOrAbsent(m, "writer") && text(m.path("writer"), "name", "version");
    }

    private static boolean named(JsonNode object) {
        return object.isObject() && object.path("id").isTextual() && !object.path("id").textValue().isEmpty();
    }

    private static boolean objectOrAbsent(JsonNode object, String name) {
        return !object.has(name) || object.path(name).isObject();
    }

    private static boolean text(JsonNode object, String... names) {
        for (String name : names) {
            if (object.has(name) && !object.path(name).isTextual()) {
                return false;
            }
        }
        return true;
    }

    private static boolean absentOr(JsonNode object, String name, Pattern pattern) {
        JsonNode value = object.path(name);
        return value.isMissingNode() || value.isTextual() && pattern.matcher(value.textValue()).matches();
    }

    private static boolean oneOf(JsonNode value, String... choices) {
        return value.isTextual() && Set.of(choices).contains(value.textValue());
    }

    private static boolean share(JsonNode value) {
        return value.isNumber() && value.asDouble() > 0 && value.asDouble() <= 1;
    }

    /** 70000.0 is an integer to JSON Schema. */
    private static boolean integer(JsonNode value, double minimum, double maximum) {
        double number = value.asDouble();
        return value.isNumber() && (value.isIntegralNumber() || Double.isFinite(number) && number == Math.rint(number))
                && number >= minimum && number <= maximum;
    }
}
