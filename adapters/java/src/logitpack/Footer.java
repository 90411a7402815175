package logitpack;

import java.io.ByteArrayInputStream;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import org.apache.parquet.format.ColumnChunk;
import org.apache.parquet.format.ColumnMetaData;
import org.apache.parquet.format.FileMetaData;
import org.apache.parquet.format.KeyValue;
import org.apache.parquet.format.RowGroup;
import org.apache.parquet.format.SchemaElement;
import org.apache.parquet.format.Util;
import org.apache.parquet.format.converter.ParquetMetadataConverter;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;

/**
 * The footer of a Parquet file, cut down to the columns of LogitPack before the library sees it: other columns are free to be
 * many, deep, of one name or of unknown types (COL-4). What the footer claims is held against the file here.
 */
final class Footer {
    private static final byte[] MAGIC = "PAR1".getBytes(StandardCharsets.US_ASCII);
    private static final int MAX_LENGTH = 128 << 20;

    private final FileMetaData thrift;
    private final long dataEnd;

    private Footer(FileMetaData thrift, long dataEnd) {
        this.thrift = thrift;
        this.dataEnd = dataEnd;
    }

    static Footer read(FileChannel file) throws IOException, InvalidFileException {
        long size = file.size();
        if (size < 12 || !isMagic(read(file, 0, 4)) || !isMagic(read(file, size - 4, 4))) {
            throw damaged("the file does not begin and end with PAR1");
        }
        int length = read(file, size - 8, 4).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (length < 0 || length > size - 12) {
            throw damaged("a footer of " + Integer.toUnsignedString(length) + " bytes in a file of " + size);
        }
        if (length > MAX_LENGTH) {
            throw new UnsupportedException(null, "a footer of " + length + " bytes; this reader takes " + MAX_LENGTH);
        }
        long start = size - 8 - length;
        ByteArrayInputStream bytes = new ByteArrayInputStream(read(file, start, length).array());
        FileMetaData thrift = Util.readFileMetaData(bytes, length);
        if (thrift.isSetEncryption_algorithm()) {
            throw new UnsupportedException("encryption", "an encrypted file");
        }
        if (bytes.available() > 0) {
            throw damaged(bytes.available() + " bytes after the metadata in the footer");
        }
        return new Footer(thrift, start);
    }

    /** The text of LogitPack's metadata, or null. */
    String metadata() {
        if (thrift.isSetKey_value_metadata()) {
            for (KeyValue pair : thrift.getKey_value_metadata()) {
                if (pair.getKey().equals("logitpack")) {
                    return pair.getValue();
                }
            }
        }
        return null;
    }

    /** What the library is to read: the columns of LogitPack, each there once (COL-1), and no statistics of theirs. */
    ParquetMetadata forLibrary() throws IOException, InvalidFileException {
        List<SchemaElement> all = thrift.getSchema();
        List<SchemaElement> kept = new ArrayList<>(List.of(all.get(0).deepCopy()));
        List<Integer> leaves = new ArrayList<>();
        Map<Column, Integer> seen = new EnumMap<>(Column.class);
        int leaf = 0;
        int element = 1;
        for (int field = 0; field < all.get(0).getNum_children(); field++) {
            int end = endOfField(all, element);
            Column column = Column.named(all.get(element).getName());
            if (column != null) {
                seen.merge(column, 1, Integer::sum);
                kept.addAll(all.subList(element, end));
            }
            for (; element < end; element++) {
                if (all.get(element).isSetType()) {
                    if (column != null) {
                        leaves.add(leaf);
                    }
                    leaf++;
                }
            }
        }
        if (element != all.size()) {
            throw damaged("the schema has elements that belong to no column");
        }
        for (Column column : Column.values()) {
            int times = seen.getOrDefault(column, 0);
            if (times > 1 || times == 0 && column.isRequired()) {
                throw new InvalidFileException("COL-1", "column " + column.title + " stands " + times + " times");
            }
        }
        kept.get(0).setNum_children(seen.size());
        FileMetaData cut = new FileMetaData(thrift.getVersion(), kept, thrift.getNum_rows(), rowGroups(leaves, leaf));
        cut.setCreated_by(thrift.getCreated_by());
        return new ParquetMetadataConverter().fromParquetMetadata(cut);
    }

    /** The element after the field that begins at {@code start}, its children included. */
    private static int endOfField(List<SchemaElement> schema, int start) throws InvalidFileException {
        long open = 1;
        int element = start;
        while (open > 0) {
            if (element >= schema.size()) {
                throw damaged("the schema ends inside a column");
            }
            SchemaElement here = schema.get(element++);
            if (here.getNum_children() < 0 || here.isSetType() && here.getNum_children() > 0) {
                throw damaged("an element of the schema has " + here.getNum_children() + " children");
            }
            open += here.getNum_children() - 1;
        }
        return element;
    }

    private List<RowGroup> rowGroups(List<Integer> leaves, int leafCount) throws InvalidFileException {
        List<RowGroup> groups = new ArrayList<>();
        long rows = 0;
        for (RowGroup group : thrift.getRow_groups()) {
            if (group.getColumnsSize() != leafCount || group.getNum_rows() < 0) {
                throw damaged("a row group of %d rows and %d column chunks".formatted(
                        group.getNum_rows(), group.getColumnsSize()));
            }
            rows = Math.addExact(rows, group.getNum_rows());
            if (group.getNum_rows() == 0) {
                continue; // its chunks may have neither a place nor pages
            }
            List<ColumnChunk> chunks = new ArrayList<>();
            for (int leaf : leaves) {
                chunks.add(checked(group.getColumns().get(leaf)));
            }
            groups.add(new RowGroup(chunks, group.getTotal_byte_size(), group.getNum_rows()));
        }
        if (rows != thrift.getNum_rows()) {
            throw damaged("the footer counts " + thrift.getNum_rows() + " rows, its row groups have " + rows);
        }
        return groups;
    }

    /** Statistics and indexes of pages are left out: nothing is filtered by them. */
    private ColumnChunk checked(ColumnChunk chunk) throws InvalidFileException {
        if (chunk.isSetFile_path() || !chunk.isSetMeta_data()) {
            throw damaged("a column chunk that is not in this file");
        }
        ColumnMetaData meta = chunk.getMeta_data().deepCopy();
        meta.unsetStatistics();
        meta.unsetSize_statistics();
        long start = meta.getData_page_offset();
        if (meta.isSetDictionary_page_offset() && meta.getDictionary_page_offset() > 0) {
            start = Math.min(start, meta.getDictionary_page_offset());
        }
        long length = meta.getTotal_compressed_size();
        if (start < MAGIC.length || length < 0 || length > dataEnd - start || meta.getNum_values() < 0) {
            throw damaged("a column chunk of " + length + " bytes at " + start + ", which is not inside the data");
        }
        return new ColumnChunk(chunk.getFile_offset()).setMeta_data(meta);
    }

    private static ByteBuffer read(FileChannel file, long position, int length) throws IOException {
        ByteBuffer buffer = ByteBuffer.allocate(length);
        while (buffer.hasRemaining()) {
            if (file.read(buffer, position + buffer.position()) < 0) {
                throw new EOFException("the file has become shorter while it was read");
            }
        }
        return buffer.flip();
    }

    private static boolean isMagic(ByteBuffer bytes) {
        return bytes.equals(ByteBuffer.wrap(MAGIC));
    }

    private static InvalidFileException damaged(String message) {
        return new InvalidFileException("FILE-1", message);
    }
}
