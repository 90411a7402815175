package logitpack;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertNull;
import static org.junit.Assert.assertThrows;
import static org.junit.Assert.assertTrue;

import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.Rule;
import org.junit.Test;
import org.junit.rules.TemporaryFolder;

public class ReaderTest {
    private static final String METADATA = """
            {"spec_version": "%s", "model": {"id": "m"}, "tokenizer": {"id": "m"}, "vocab_size": %s,
             "nucleus": {"rule": "unspecified"}, "tail": {"num_sampled": 2, "method": "uniform"}, "alignment": "predicts"}""";

    @Rule
    public final TemporaryFolder folder = new TemporaryFolder();

    private Path write(Sample sample) throws Exception {
        return sample.write(folder.getRoot().toPath().resolve("in.parquet"));
    }

    private Row only(Sample sample) throws Exception {
        List<Row> rows = Sample.read(write(sample));
        assertEquals(1, rows.size());
        Files.delete(folder.getRoot().toPath().resolve("in.parquet"));
        return rows.get(0);
    }

    private static void assertRejected(String requirement, Path file) {
        InvalidFileException error = assertThrows(InvalidFileException.class, () -> Sample.read(file));
        assertEquals(error.getMessage(), requirement, error.requirement());
    }

    @Test
    public void theWorkedRowDecodes() throws Exception {
        Row row = only(new Sample());
        assertArrayEquals(new int[] {0, 3, 5}, row.offsets());
        assertArrayEquals(new int[] {5, 65541, 131077, 262143, 7}, row.top().indices());
        assertArrayEquals(new double[] {10, 7 + 27306 / 65535.0 * 3, 7, 4, 3}, row.top().logits(), 1e-14);
        assertEquals(2, row.stride());
        assertArrayEquals(new int[] {12, 262142, 65535, 65536}, row.sampled().indices());
        assertArrayEquals(new double[] {-1.25, 2, -2, -2}, row.sampled().logits(), 0);
        assertArrayEquals(new double[] {10.25, 4.5}, row.logsumexp(), 0);
        assertNull(row.tokenIds());
    }

    @Test
    public void logicalJsonHoldsTokensInOrder() throws Exception {
        StringWriter text = new StringWriter();
        new LogicalJson(text).write(only(new Sample().column("token_ids", "repeated int32 %s;", List.of(8, 9))));
        assertEquals(
                """
                {"tokens": [{"logsumexp": 10.25, "top": {"indices": [5, 65541, 131077], "logits": [10.0, 8.249988555733577, 7.0]}, \
                "sampled": {"indices": [12, 262142], "logits": [-1.25, 2.0]}, "token_id": 8}, \
                {"logsumexp": 4.5, "top": {"indices": [262143, 7], "logits": [4.0, 3.0]}, \
                "sampled": {"indices": [65535, 65536], "logits": [-2.0, -2.0]}, "token_id": 9}]}
                """,
                text.toString());
    }

    @Test
    public void legacyListsAreLists() throws Exception {
        for (String type : List.of(
                "repeated int32 %s;",
                "optional group %s (LIST) { repeated int32 element; }",
                "required group %s (LIST) { repeated group bag { optional int32 array_element; } }")) {
            assertEquals(type, 2, only(new Sample().type("top_counts", type)).numTokens());
        }
    }

    @Test
    public void listsOfStructsAreNotAccepted() throws Exception {
        for (String type : List.of(
                "optional group %s (LIST) { repeated group array { required int32 element; } }",
                "optional group %s (LIST) { repeated group %1$s_tuple { required int32 element; } }",
                "optional group %s { repeated group list { optional int32 element; } }")) {
            assertRejected("COL-2", write(new Sample().type("top_counts", type)));
            Files.delete(folder.getRoot().toPath().resolve("in.parquet"));
        }
    }

    @Test
    public void otherWidthsMeanTheSame() throws Exception {
        Row row = only(new Sample()
                .column("num_tokens", "optional int64 %s;", 2L)
                .column("top_min", "repeated double %s;", List.of(7.0, 3.0))
                .column("sampled_max", "repeated fixed_len_byte_array(2) %s (FLOAT16);",
                        List.of(new byte[] {0, 0x40}, new byte[] {0, (byte) 0xC0})));
        assertArrayEquals(new double[] {-1.25, 2, -2, -2}, row.sampled().logits(), 0);
    }

    @Test
    public void unsignedNumbersAreNotNegative() throws Exception {
        assertRejected("ROW-2", write(new Sample().column("num_tokens", "required int32 %s (UINT_32);", Integer.MAX_VALUE)));
        Files.delete(folder.getRoot().toPath().resolve("in.parquet"));
        InvalidFileException error = assertThrows(InvalidFileException.class,
                () -> only(new Sample().column("num_tokens", "required int32 %s (UINT_32);", -2)));
        assertEquals("num_tokens has the value 4294967294 (row 0)", error.getMessage());
    }

    @Test
    public void eachFaultIsNamed() throws Exception {
        Object[][] faults = {
            {"num_tokens", 0, "ROW-1"},
            {"top_counts", List.of(3, 2, 1), "ROW-2"},
            {"top_counts", List.of(3, 0), "NUC-1"},
            {"top_indices_low", List.of(5, 5, 5, 65535), "ROW-3"},
            {"top_indices_low", List.of(5, 5, 5, 65535, 65536), "FILE-1"}, // no UINT_16
            {"top_indices_high", new byte[] {0}, "IDX-3"},
            {"top_indices_high", null, "COL-3"},
            {"top_max", List.of(10f, 2.9f), "QNT-1"},
            {"top_min", List.of(7f, Float.NaN), "QNT-1"},
            {"sampled_max", List.of(2f, "null"), "COL-3"},
            {"sampled_indices_low", List.of(12, 65534, 65535), "ROW-4"},
            {"sampled_indices_low", List.of(), "ROW-4"},
            {"sampled_logits_quantized", List.of(1, 2, 3, 4, 5), "ROW-4"},
            {"logsumexp", List.of(10.25, Double.POSITIVE_INFINITY), "LSE-1"},
            {"logsumexp", null, "COL-3"},
        };
        for (Object[] fault : faults) {
            assertRejected((String) fault[2], write(new Sample().value((String) fault[0], fault[1])));
            Files.delete(folder.getRoot().toPath().resolve("in.parquet"));
        }
    }

    @Test
    public void aColumnThatIsMissingIsNamed() throws Exception {
        assertRejected("COL-1", write(new Sample().without("logsumexp")));
    }

    @Test
    public void aFileThatWasCutIsNeverRead() throws Exception {
        Path file = write(new Sample());
        byte[] whole = Files.readAllBytes(file);
        for (int length = 0; length < whole.length; length++) {
            Files.write(file, Arrays.copyOf(whole, length));
            assertRejected("FILE-1", file);
        }
        Files.write(file, Arrays.copyOf(whole, whole.length + 1));
        assertRejected("FILE-1", file);
    }

    @Test
    public void aChangedByteEndsInRowsOrInARejection() throws Exception {
        Path file = write(new Sample().rows(3));
        byte[] whole = Files.readAllBytes(file);
        int rejected = 0;
        for (int place = 0; place < whole.length; place++) {
            byte[] changed = whole.clone();
            changed[place] ^= (byte) 0xFF;
            Files.write(file, changed);
            try {
                assertEquals("byte " + place, 3, Sample.read(file).size());
            } catch (InvalidFileException | UnsupportedException expected) {
                rejected++;
            }
        }
        assertTrue(rejected + " of " + whole.length, rejected > whole.length / 2);
    }

    @Test
    public void checksumsAreVerified() throws Exception {
        Path file = write(new Sample());
        byte[] bytes = Files.readAllBytes(file);
        bytes[indexOf(bytes, new byte[] {0, 0, (byte) 0x80, 0x24, 0x40})] = 1; // 10.25, the first logsumexp
        Files.write(file, bytes);
        assertRejected("FILE-1", file);
    }

    private static int indexOf(byte[] bytes, byte[] part) {
        int place = 0;
        while (!Arrays.equals(bytes, place, place + part.length, part, 0, part.length)) {
            place++;
        }
        return place;
    }

    @Test
    public void anUnknownMajorVersionIsRefused() throws Exception {
        assertRejected("META-2", write(new Sample().metadata(METADATA.formatted("2.0", 300000)).without("logsumexp")));
    }

    @Test
    public void theNearestValidMetadataAreInForce() throws Exception {
        Path beside = folder.getRoot().toPath().resolve("logitpack.json");
        Files.writeString(beside, METADATA.formatted("2.0", 300000));
        assertEquals(2, only(new Sample().metadata(METADATA.formatted("1.9", 300000))).numTokens());
        assertRejected("META-2", write(new Sample().metadata(METADATA.formatted("1.9", 0))));
    }

    @Test
    public void tokenIdsBeyondTheVocabularyAreAbsent() throws Exception {
        Sample sample = new Sample().column("token_ids", "repeated int32 %s;", List.of(8, 9));
        assertArrayEquals(new int[] {8, 9}, only(sample.metadata(METADATA.formatted("1.0", "10.0"))).tokenIds());
        assertNull(only(sample.metadata(METADATA.formatted("1.0", 9))).tokenIds());
    }

    @Test
    public void aFolderIsReadByCodePoints() throws Exception {
        Path root = folder.newFolder("data").toPath();
        String[] names = {"a-1.parquet", "a/0.parquet", "a10.parquet", "a2.parquet", "\uFF21.parquet", "\uD83D\uDE00.parquet"};
        Files.createDirectory(root.resolve("a"));
        for (int number = names.length - 1; number >= 0; number--) {
            new Sample().value("logsumexp", List.of((double) number, 0.0)).write(root.resolve(names[number]));
        }
        Files.writeString(root.resolve("_hidden.parquet"), "");
        double[] order = Sample.read(root).stream().mapToDouble(row -> row.logsumexp()[0]).toArray();
        assertArrayEquals(new double[] {0, 1, 2, 3, 4, 5}, order, 0);
    }
}
