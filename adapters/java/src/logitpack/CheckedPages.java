package logitpack;

import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.io.ParquetDecodingException;

/**
 * The pages of a column chunk, with two weak spots of the library covered: it takes memory by the size that a dictionary
 * claims, and it cannot pass a data page without values, as Arrow C++ writes them after a dictionary was given up.
 */
record CheckedPages(PageReader pages, ColumnType type) implements PageReader {
    @Override
    public DictionaryPage readDictionaryPage() {
        DictionaryPage page = pages.readDictionaryPage();
        if (page != null) {
            long width = switch (type.physical()) {
                case INT64, DOUBLE -> 8;
                case FIXED_LEN_BYTE_ARRAY -> 2;
                default -> 4;
            };
            long size = page.getBytes().size();
            if (page.getDictionarySize() < 0 || page.getDictionarySize() * width > size) {
                throw new ParquetDecodingException(
                        "a dictionary of " + page.getDictionarySize() + " values in " + size + " bytes");
            }
        }
        return page;
    }

    @Override
    public long getTotalValueCount() {
        return pages.getTotalValueCount();
    }

    @Override
    public DataPage readPage() {
        DataPage page = pages.readPage();
        while (page != null && page.getValueCount() == 0) {
            page = pages.readPage();
        }
        return page;
    }
}
