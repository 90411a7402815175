package logitpack;

import java.util.Arrays;
import java.util.Map;

/** Makes a {@link Row} of the next row of each column, or says which requirement of sections 6 to 11 it breaks. */
final class RowDecoder {
    private RowDecoder() {}

    /** @param vocabSize above every token id (ALN-4) */
    static Row next(Map<Column, ColumnCursor> columns, long vocabSize) throws InvalidFileException {
        int n = columns.get(Column.NUM_TOKENS).integer();
        int[] offsets = offsets(columns.get(Column.TOP_COUNTS).integers(n, "ROW-2"));
        int size = offsets[n];
        Row.Entries top = entries(
                columns.get(Column.TOP_INDICES_LOW).integers(size, "ROW-3"),
                columns.get(Column.TOP_INDICES_HIGH).binary(),
                columns.get(Column.TOP_LOGITS_QUANTIZED).integers(size, "ROW-3"),
                ranges(columns.get(Column.TOP_MIN).floats(n), columns.get(Column.TOP_MAX).floats(n)),
                offsets);
        int[] low = columns.get(Column.SAMPLED_INDICES_LOW).integers(-1, "ROW-4");
        if (low.length == 0 || low.length % n != 0) {
            throw new InvalidFileException("ROW-4", "sampled_indices_low has " + low.length + " elements for " + n + " tokens");
        }
        int stride = low.length / n;
        int[] tails = new int[n + 1];
        Arrays.setAll(tails, token -> token * stride);
        Row.Entries sampled = entries(
                low,
                columns.get(Column.SAMPLED_INDICES_HIGH).binary(),
                columns.get(Column.SAMPLED_LOGITS_QUANTIZED).integers(low.length, "ROW-4"),
                ranges(columns.get(Column.SAMPLED_MIN).floats(n), columns.get(Column.SAMPLED_MAX).floats(n)),
                tails);
        double[] logsumexp = columns.get(Column.LOGSUMEXP).floats(n);
        for (double value : logsumexp) {
            if (!Double.isFinite(value)) {
                throw new InvalidFileException("LSE-1", "logsumexp has the value " + value);
            }
        }
        ColumnCursor ids = columns.get(Column.TOKEN_IDS);
        return new Row(offsets, top, stride, sampled, logsumexp, ids == null ? null : ids.tokenIds(n, vocabSize));
    }

    private static int[] offsets(int[] counts) {
        int[] offsets = new int[counts.length + 1];
        for (int token = 0; token < counts.length; token++) {
            offsets[token + 1] = Math.addExact(offsets[token], counts[token]);
        }
        return offsets;
    }

    /** QNT-1, in binary32: float32[2][n]. */
    private static float[][] ranges(double[] storedMin, double[] storedMax) throws InvalidFileException {
        float[][] ranges = new float[2][storedMin.length];
        for (int token = 0; token < storedMin.length; token++) {
            float min = (float) storedMin[token];
            float max = (float) storedMax[token];
            if (!(min <= max) || !Float.isFinite(min) || !Float.isFinite(max) || !Float.isFinite(max - min)) {
                throw new InvalidFileException("QNT-1", "token " + token + " has the range " + min + " to " + max);
            }
            ranges[0][token] = min;
            ranges[1][token] = max;
        }
        return ranges;
    }

    /** IDX-2 and QNT-2. Indices replace the low parts in place. */
    private static Row.Entries entries(int[] low, byte[] high, int[] codes, float[][] ranges, int[] offsets)
            throws InvalidFileException {
        int bytes = (int) ((low.length + 3L) / 4);
        if (high.length != bytes) {
            throw new InvalidFileException("IDX-3", "high parts of " + high.length + " bytes, expected " + bytes);
        }
        double[] logits = new double[low.length];
        for (int token = 0; token + 1 < offsets.length; token++) {
            double min = ranges[0][token];
            double width = ranges[1][token] - min;
            for (int entry = offsets[token]; entry < offsets[token + 1]; entry++) {
                low[entry] |= (high[entry >> 2] >> 2 * (entry & 3) & 3) << 16;
                logits[entry] = codes[entry] / 65535.0 * width + min;
            }
        }
        return new Row.Entries(low, logits);
    }
}
