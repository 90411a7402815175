package logitpack;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.util.EnumMap;
import java.util.Map;
import org.apache.parquet.ParquetReadOptions;
import org.apache.parquet.VersionParser;
import org.apache.parquet.VersionParser.ParsedVersion;
import org.apache.parquet.column.ColumnDescriptor;
import org.apache.parquet.column.impl.ColumnReaderImpl;
import org.apache.parquet.column.page.PageReadStore;
import org.apache.parquet.conf.PlainParquetConfiguration;
import org.apache.parquet.hadoop.ParquetFileReader;
import org.apache.parquet.hadoop.metadata.ParquetMetadata;
import org.apache.parquet.io.InputFile;
import org.apache.parquet.io.LocalInputFile;
import org.apache.parquet.io.api.PrimitiveConverter;
import org.apache.parquet.schema.MessageType;

/**
 * The rows of one Parquet file, in their order. Only the columns of LogitPack are read, a row group at a time, pages as they
 * come, and page checksums are verified where there are any.
 */
public final class ParquetRows implements AutoCloseable {
    private final ParquetFileReader reader;
    private final Metadata metadata;
    private final String createdBy;
    private final Map<Column, ColumnType> types = new EnumMap<>(Column.class);
    private final Map<Column, ColumnDescriptor> descriptors = new EnumMap<>(Column.class);
    private final Map<Column, ColumnCursor> cursors = new EnumMap<>(Column.class);
    private int group = -1;
    private long left;
    private long row;

    private ParquetRows(ParquetFileReader reader, ParquetMetadata footer, Metadata metadata) throws InvalidFileException {
        this.reader = reader;
        this.metadata = metadata;
        this.createdBy = footer.getFileMetaData().getCreatedBy();
        MessageType schema = footer.getFileMetaData().getSchema();
        for (Column column : Column.values()) {
            if (schema.containsField(column.title)) {
                types.put(column, ColumnType.of(column, schema.getType(column.title)));
            }
        }
        for (ColumnDescriptor descriptor : schema.getColumns()) {
            descriptors.put(Column.named(descriptor.getPath()[0]), descriptor);
        }
    }

    /**
     * Opens a file, and refuses it where its container, its metadata (META-2) or its columns are not what a reader may take.
     *
     * @param sidecars the folders whose logitpack.json may describe the file, nearest first
     * @throws IOException if the file cannot be read; never for what is in it
     */
    public static ParquetRows open(Path path, Path... sidecars) throws IOException, InvalidFileException {
        InputFile input = new LocalInputFile(path);
        try (FileChannel file = FileChannel.open(path)) {
            return Library.call(() -> {
                Footer footer = Footer.read(file);
                Metadata metadata = Metadata.inForce(footer.metadata(), sidecars);
                ParquetMetadata cut = footer.forLibrary();
                ParquetReadOptions options = ParquetReadOptions.builder(new PlainParquetConfiguration())
                        .withCodecFactory(new Codecs())
                        .usePageChecksumVerification()
                        .build();
                ParquetFileReader reader = new ParquetFileReader(input, cut, options, input.newStream());
                try {
                    return new ParquetRows(reader, cut, metadata);
                } catch (InvalidFileException | RuntimeException error) {
                    reader.close();
                    throw error;
                }
            });
        }
    }

    /** The next row, or null after the last one. */
    public Row next() throws InvalidFileException {
        try {
            return Library.call(this::decodeNext);
        } catch (InvalidFileException error) {
            throw error.at("row " + row);
        }
    }

    private Row decodeNext() throws IOException, InvalidFileException {
        while (left == 0) {
            for (ColumnCursor cursor : cursors.values()) {
                cursor.expectEnd();
            }
            if (++group == reader.getRowGroups().size()) {
                group--;
                return null;
            }
            openGroup();
        }
        Row decoded = RowDecoder.next(cursors, metadata.vocabSize());
        left--;
        row++;
        return decoded;
    }

    private void openGroup() throws IOException, InvalidFileException {
        cursors.clear();
        left = reader.getRowGroups().get(group).getRowCount();
        PageReadStore pages = reader.readRowGroup(group);
        for (Map.Entry<Column, ColumnType> entry : types.entrySet()) {
            ColumnDescriptor descriptor = descriptors.get(entry.getKey());
            CheckedPages checked = new CheckedPages(pages.getPageReader(descriptor), entry.getValue());
            cursors.put(
                    entry.getKey(),
                    new ColumnCursor(
                            entry.getKey(),
                            entry.getValue(),
                            new ColumnReaderImpl(descriptor, checked, new PrimitiveConverter() {}, version())));
        }
    }

    private ParsedVersion version() {
        try {
            return createdBy == null ? null : VersionParser.parse(createdBy);
        } catch (RuntimeException | VersionParser.VersionParseException unknown) {
            return null;
        }
    }

    @Override
    public void close() throws IOException {
        reader.close();
    }
}
