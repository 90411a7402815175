package logitpack;

import static org.junit.Assert.assertArrayEquals;
import static org.junit.Assert.assertThrows;

import io.airlift.compress.Compressor;
import io.airlift.compress.lz4.Lz4Compressor;
import io.airlift.compress.snappy.SnappyCompressor;
import io.airlift.compress.zstd.ZstdCompressor;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.zip.GZIPOutputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;
import org.junit.Test;

public class CodecsTest {
    private static final byte[] PAGE = new byte[1 << 20];

    private static byte[] compressed(Compressor compressor) {
        byte[] bytes = new byte[compressor.maxCompressedLength(PAGE.length)];
        return Arrays.copyOf(bytes, compressor.compress(PAGE, 0, PAGE.length, bytes, 0, bytes.length));
    }

    private static byte[] gzipped() throws IOException {
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try (GZIPOutputStream stream = new GZIPOutputStream(bytes)) {
            stream.write(PAGE);
        }
        return bytes.toByteArray();
    }

    private static byte[] decompress(CompressionCodecName name, byte[] bytes, int length) throws IOException {
        return new Codecs().getDecompressor(name).decompress(BytesInput.from(bytes), length).toByteArray();
    }

    @Test
    public void zerosCompressBestAndComeBack() throws IOException {
        Map<CompressionCodecName, byte[]> pages = Map.of(
                CompressionCodecName.UNCOMPRESSED, PAGE,
                CompressionCodecName.SNAPPY, compressed(new SnappyCompressor()),
                CompressionCodecName.LZ4_RAW, compressed(new Lz4Compressor()),
                CompressionCodecName.ZSTD, compressed(new ZstdCompressor()),
                CompressionCodecName.GZIP, gzipped());
        for (var page : pages.entrySet()) {
            assertArrayEquals(PAGE, decompress(page.getKey(), page.getValue(), PAGE.length));
            for (int length : new int[] {0, PAGE.length - 1, PAGE.length + 1}) {
                assertThrows(
                        page.getKey() + " " + length,
                        Exception.class,
                        () -> decompress(page.getKey(), page.getValue(), length));
            }
        }
    }

    @Test
    public void moreThanACodecCanReachIsRefusedBeforeMemoryIsTaken() {
        for (var name : List.of(CompressionCodecName.SNAPPY, CompressionCodecName.GZIP, CompressionCodecName.LZ4_RAW)) {
            assertThrows(IOException.class, () -> decompress(name, new byte[1000], Integer.MAX_VALUE));
        }
    }

    @Test
    public void aPageOverTheLimitIsNotCalledInvalid() {
        assertThrows(
                UnsupportedException.class,
                () -> decompress(CompressionCodecName.ZSTD, new byte[100_000], Integer.MAX_VALUE));
    }

    @Test
    public void aCodecThatIsMissingIsNamed() {
        assertThrows(UnsupportedException.class, () -> decompress(CompressionCodecName.BROTLI, new byte[1], 1));
    }
}
