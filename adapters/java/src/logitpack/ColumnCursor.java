package logitpack;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.apache.parquet.column.ColumnReader;

/** Reads a column chunk row by row. A list that is longer than it may be is refused before memory is taken for it. */
final class ColumnCursor {
    /** Elements of a list in one row; 65,793 tokens of full nuclei. */
    static final int MAX_ELEMENTS = 1 << 24;

    private final Column column;
    private final ColumnType type;
    private final ColumnReader reader;
    private long unread;

    ColumnCursor(Column column, ColumnType type, ColumnReader reader) {
        this.column = column;
        this.type = type;
        this.reader = reader;
        this.unread = reader.getTotalValueCount();
    }

    void expectEnd() throws InvalidFileException {
        if (unread > 0) {
            throw damaged("more rows than its row group");
        }
    }

    /** The single integer of the next row, in the column's range. */
    int integer() throws InvalidFileException {
        beginRow();
        expectValue();
        long value = integerHere();
        advance();
        return (int) inRange(value);
    }

    byte[] binary() throws InvalidFileException {
        beginRow();
        expectValue();
        byte[] value = reader.getBinary().getBytesUnsafe();
        advance();
        return value;
    }

    /** The {@code length} integers of the next row, each in the column's range; any number of them where it is negative. */
    int[] integers(int length, String lengthRequirement) throws InvalidFileException {
        int[] values = new int[capacity(length)];
        int count = 0;
        for (boolean more = beginList(); more; more = nextElement()) {
            if (count == values.length) {
                values = Arrays.copyOf(values, grown(count, length, lengthRequirement));
            }
            values[count++] = (int) inRange(integerHere());
        }
        expectLength(count, length, lengthRequirement);
        return Arrays.copyOf(values, count);
    }

    /** The {@code length} token ids of the next row, or null where they break ALN-4. */
    int[] tokenIds(int length, long vocabSize) throws InvalidFileException {
        int[] values = new int[capacity(length)];
        int count = 0;
        boolean valid = true;
        for (boolean more = beginList(); more; more = nextElement()) {
            long value = integerHere();
            valid &= count < length && value >= column.minimum && value <= column.maximum && value < vocabSize;
            if (valid) {
                if (count == values.length) {
                    values = Arrays.copyOf(values, grown(count, length, column.rangeRequirement));
                }
                values[count++] = (int) value;
            }
        }
        return valid && count == length ? Arrays.copyOf(values, count) : null;
    }

    /** The {@code length} floating-point numbers of the next row, exactly as they are stored. */
    double[] floats(int length) throws InvalidFileException {
        double[] values = new double[capacity(length)];
        int count = 0;
        for (boolean more = beginList(); more; more = nextElement()) {
            if (count == values.length) {
                values = Arrays.copyOf(values, grown(count, length, "ROW-2"));
            }
            values[count++] = floatHere();
        }
        expectLength(count, length, "ROW-2");
        return Arrays.copyOf(values, count);
    }

    private static int capacity(int length) {
        return length < 0 ? 1024 : Math.min(length, 1 << 16);
    }

    private int grown(int count, int length, String lengthRequirement) throws InvalidFileException {
        if (count == length) {
            throw new InvalidFileException(lengthRequirement, column.title + " has more than " + length + " elements");
        }
        if (count >= MAX_ELEMENTS) {
            throw new UnsupportedException(null, column.title + " has a row of over " + MAX_ELEMENTS + " elements");
        }
        return length < 0 ? 2 * count : (int) Math.min(length, 2L * count);
    }

    private void expectLength(int count, int length, String requirement) throws InvalidFileException {
        if (length >= 0 && count != length) {
            throw new InvalidFileException(requirement, column.title + " has " + count + " elements, expected " + length);
        }
    }

    private void beginRow() throws InvalidFileException {
        if (unread <= 0) {
            throw damaged("fewer rows than its row group");
        }
        if (reader.getCurrentRepetitionLevel() != 0) {
            throw damaged("elements before its first row");
        }
    }

    /** Whether the next row has an element. */
    private boolean beginList() throws InvalidFileException {
        beginRow();
        if (reader.getCurrentDefinitionLevel() != type.emptyLevel()) {
            expectValue();
            return true;
        }
        if (advance()) {
            throw damaged("elements in a list that has none");
        }
        return false;
    }

    private boolean nextElement() throws InvalidFileException {
        if (!advance()) {
            return false;
        }
        expectValue();
        return true;
    }

    /** Moves on; false where a row ends. */
    private boolean advance() {
        reader.consume();
        unread--;
        return unread > 0 && reader.getCurrentRepetitionLevel() > 0;
    }

    private void expectValue() throws InvalidFileException {
        int level = reader.getCurrentDefinitionLevel();
        if (level > type.fullLevel()) {
            throw damaged("a definition level of " + level);
        }
        if (level < type.fullLevel()) {
            throw new InvalidFileException("COL-3", column.title + " has a null");
        }
    }

    /** Values that the annotated type cannot hold are damage: libraries differ in what they make of them. */
    private long integerHere() throws InvalidFileException {
        long value = switch (type.physical()) {
            case INT64 -> reader.getLong();
            default -> type.maximum() == 0xFFFF_FFFFL ? Integer.toUnsignedLong(reader.getInteger()) : reader.getInteger();
        };
        if (value < type.minimum() || value > type.maximum()) {
            throw damaged("a value that its type cannot hold");
        }
        return value;
    }

    private double floatHere() {
        return switch (type.physical()) {
            case DOUBLE -> reader.getDouble();
            case FLOAT -> reader.getFloat();
            default -> float16(reader.getBinary().toByteBuffer());
        };
    }

    private static double float16(ByteBuffer bytes) {
        int bits = bytes.order(ByteOrder.LITTLE_ENDIAN).getShort();
        int exponent = bits >> 10 & 31;
        int fraction = bits & 1023;
        double size = exponent == 0 ? fraction * 0x1p-24
                : exponent < 31 ? Math.scalb(1024.0 + fraction, exponent - 25)
                : fraction == 0 ? Double.POSITIVE_INFINITY
                : Double.NaN;
        return bits < 0 ? -size : size;
    }

    private long inRange(long value) throws InvalidFileException {
        if (value < column.minimum || value > column.maximum) {
            throw new InvalidFileException(column.rangeRequirement, column.title + " has the value " + value);
        }
        return value;
    }

    private InvalidFileException damaged(String what) {
        return new InvalidFileException("FILE-1", column.title + " has " + what);
    }
}
