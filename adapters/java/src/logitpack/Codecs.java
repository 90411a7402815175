package logitpack;

import io.airlift.compress.lz4.Lz4Decompressor;
import io.airlift.compress.snappy.SnappyDecompressor;
import io.airlift.compress.zstd.ZstdDecompressor;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Locale;
import java.util.zip.GZIPInputStream;
import org.apache.parquet.bytes.BytesInput;
import org.apache.parquet.compression.CompressionCodecFactory;
import org.apache.parquet.hadoop.metadata.CompressionCodecName;

/**
 * Decompression without Hadoop and without native code. The size that a page header claims is held against what the codec
 * can reach before memory is taken for it, and against what came out afterwards.
 */
final class Codecs implements CompressionCodecFactory {
    private static final int MAX_PAGE = 256 << 20;

    @FunctionalInterface
    private interface Codec {
        /** Returns how many bytes came out, or throws or returns another number where they are more than {@code to} takes. */
        int decompress(byte[] from, byte[] to) throws IOException;
    }

    @Override
    public BytesInputDecompressor getDecompressor(CompressionCodecName name) {
        return switch (name) {
            case UNCOMPRESSED -> new Pages((from, to) -> {
                System.arraycopy(from, 0, to, 0, Math.min(from.length, to.length));
                return from.length;
            }, 1);
            case SNAPPY -> new Pages(with(new SnappyDecompressor()), 64);
            case GZIP -> new Pages(Codecs::gunzip, 1032);
            case LZ4_RAW -> new Pages(with(new Lz4Decompressor()), 255);
            case ZSTD -> new Pages(with(new ZstdDecompressor()), 1 << 17);
            default -> {
                String feature = name.name().toLowerCase(Locale.ROOT);
                throw new UnsupportedException(feature, "pages compressed with " + feature);
            }
        };
    }

    private static Codec with(io.airlift.compress.Decompressor decompressor) {
        return (from, to) -> decompressor.decompress(from, 0, from.length, to, 0, to.length);
    }

    private static int gunzip(byte[] from, byte[] to) throws IOException {
        try (GZIPInputStream stream = new GZIPInputStream(new ByteArrayInputStream(from))) {
            int length = stream.readNBytes(to, 0, to.length);
            return stream.read() < 0 ? length : length + 1;
        }
    }

    @Override
    public BytesInputCompressor getCompressor(CompressionCodecName name) {
        throw new UnsupportedOperationException("this is a reader");
    }

    @Override
    public void release() {}

    /** @param ratio how many times as long as its input the codec's output can be, rounded up */
    private record Pages(Codec codec, long ratio) implements BytesInputDecompressor {
        @Override
        public BytesInput decompress(BytesInput bytes, int length) throws IOException {
            if (length < 0 || length > bytes.size() * ratio) {
                throw new IOException("a page of " + bytes.size() + " bytes claims " + length + " decompressed");
            }
            if (length > MAX_PAGE) {
                throw new UnsupportedException(null, "a page of " + length + " bytes; this reader takes " + MAX_PAGE);
            }
            if (bytes.size() == 0) {
                return BytesInput.empty();
            }
            byte[] page = new byte[Math.max(length, 1)]; // without room, zstd would not look at its input
            int found = codec.decompress(bytes.toByteArray(), page);
            if (found != length) {
                throw new IOException("a page of " + length + " bytes decompresses to another length");
            }
            return BytesInput.from(page, 0, length);
        }

        @Override
        public void decompress(ByteBuffer input, int inputLength, ByteBuffer output, int length) throws IOException {
            output.put(decompress(BytesInput.from(input), length).toByteBuffer());
        }

        @Override
        public void release() {}
    }
}
