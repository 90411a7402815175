package logitpack;

import org.apache.parquet.column.page.DataPage;
import org.apache.parquet.column.page.DictionaryPage;
import org.apache.parquet.column.page.PageReader;
import org.apache.parquet.io.ParquetDecodingException;

/** The pages of a column chunk. The library takes memory by the size that a dictionary claims, so that is checked first. */
record BoundedPages(PageReader pages, ColumnType type) implements PageReader {
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
        return pages.readPage();
    }
}
