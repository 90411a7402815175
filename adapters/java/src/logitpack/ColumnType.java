package logitpack;

import org.apache.parquet.schema.GroupType;
import org.apache.parquet.schema.LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.Float16LogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.IntLogicalTypeAnnotation;
import org.apache.parquet.schema.LogicalTypeAnnotation.ListLogicalTypeAnnotation;
import org.apache.parquet.schema.PrimitiveType;
import org.apache.parquet.schema.PrimitiveType.PrimitiveTypeName;
import org.apache.parquet.schema.Type;
import org.apache.parquet.schema.Type.Repetition;

/**
 * How a column is stored, once its type is known to be an accepted one (COL-2).
 *
 * @param physical INT32, INT64, FLOAT, DOUBLE, BINARY, or FIXED_LEN_BYTE_ARRAY for float16
 * @param minimum of what the type can hold, for an integer
 * @param maximum of what the type can hold, for an integer; unsigned 64-bit numbers beyond int64 are negative here,
 *     hence in no range
 * @param emptyLevel the definition level of a list without elements; a lower one is a null list
 * @param fullLevel the definition level of a value
 */
record ColumnType(PrimitiveTypeName physical, long minimum, long maximum, int emptyLevel, int fullLevel) {
    static ColumnType of(Column column, Type field) throws InvalidFileException {
        boolean scalar = column.kind == Column.Kind.INTEGER || column.kind == Column.Kind.BINARY;
        Type element = scalar ? field : elementOf(field);
        if (element == null || !element.isPrimitive() || scalar && element.isRepetition(Repetition.REPEATED)) {
            throw refused(field);
        }
        PrimitiveType type = element.asPrimitiveType();
        boolean accepted = switch (column.kind) {
            case INTEGER, INTEGERS -> isInteger(type);
            case FLOATS -> isFloat(type);
            case BINARY ->
                type.getPrimitiveTypeName() == PrimitiveTypeName.BINARY && type.getLogicalTypeAnnotation() == null;
        };
        if (!accepted) {
            throw refused(field);
        }
        int emptyLevel = field.isRepetition(Repetition.OPTIONAL) ? 1 : 0;
        int fullLevel = scalar ? emptyLevel : emptyLevel + 1 + (element.isRepetition(Repetition.OPTIONAL) ? 1 : 0);
        boolean wide = type.getPrimitiveTypeName() == PrimitiveTypeName.INT64;
        int bits = wide ? 64 : 32;
        boolean signed = true;
        if (type.getLogicalTypeAnnotation() instanceof IntLogicalTypeAnnotation integer) {
            bits = integer.getBitWidth();
            signed = integer.isSigned();
        }
        long maximum = bits == 64 ? Long.MAX_VALUE : (1L << (signed ? bits - 1 : bits)) - 1;
        long minimum = signed ? -(maximum + 1) : 0;
        return new ColumnType(type.getPrimitiveTypeName(), minimum, maximum, emptyLevel, fullLevel);
    }

    /** The element of a list of any form that the Parquet specification knows, or null where the field is none. */
    private static Type elementOf(Type field) {
        if (field.isPrimitive()) {
            return field.isRepetition(Repetition.REPEATED) ? field : null; // a repeated field by itself
        }
        GroupType list = field.asGroupType();
        if (!(list.getLogicalTypeAnnotation() instanceof ListLogicalTypeAnnotation)
                || list.isRepetition(Repetition.REPEATED)
                || list.getFieldCount() != 1
                || !list.getType(0).isRepetition(Repetition.REPEATED)) {
            return null;
        }
        Type repeated = list.getType(0);
        if (repeated.isPrimitive()) {
            return repeated; // two levels
        }
        GroupType group = repeated.asGroupType();
        boolean struct = group.getFieldCount() != 1
                || group.getType(0).isRepetition(Repetition.REPEATED)
                || group.getName().equals("array")
                || group.getName().equals(list.getName() + "_tuple");
        return struct ? group : group.getType(0);
    }

    private static boolean isInteger(PrimitiveType type) {
        LogicalTypeAnnotation annotation = type.getLogicalTypeAnnotation();
        return switch (type.getPrimitiveTypeName()) {
            case INT32, INT64 -> annotation == null || annotation instanceof IntLogicalTypeAnnotation;
            default -> false;
        };
    }

    private static boolean isFloat(PrimitiveType type) {
        LogicalTypeAnnotation annotation = type.getLogicalTypeAnnotation();
        return switch (type.getPrimitiveTypeName()) {
            case FLOAT, DOUBLE -> annotation == null;
            case FIXED_LEN_BYTE_ARRAY -> annotation instanceof Float16LogicalTypeAnnotation && type.getTypeLength() == 2;
            default -> false;
        };
    }

    private static InvalidFileException refused(Type field) {
        return new InvalidFileException("COL-2", "column " + field.getName() + " has a type that is not accepted");
    }
}
