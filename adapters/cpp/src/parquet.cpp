// Parquet. What Arrow's reader takes without a word is looked at here: checksums that do not hold (it does not verify
// them unless asked), and pages, column chunks and row groups that hold more or less than the footer says.
#include <arrow/io/memory.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/column_page.h>
#include <parquet/column_reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/metadata.h>

#include <algorithm>
#include <limits>

#include "container.h"
#include "status.h"

namespace logitpack {
namespace {

using arrow::Result;
using arrow::Status;

// The values of this column in this array as Parquet counts them: an empty list is one.
int64_t CountValues(const arrow::Array& array) {
  if (!arrow::is_list_like(array.type_id())) return array.length();
  int64_t values = 0;
  for (const auto& [begin, size] : ListExtents(array).rows) values += std::max<int64_t>(size, 1);
  return values;
}

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

class ParquetBatches : public arrow::RecordBatchReader {
 public:
  static Result<std::shared_ptr<ParquetBatches>> Open(std::shared_ptr<arrow::Buffer> file, const OpenOptions& options) {
    auto batches = std::make_shared<ParquetBatches>();
    ARROW_RETURN_NOT_OK(Catch([&] { return batches->Init(std::move(file), options); }));
    return batches;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    return Catch([&] { return ReadNextOrThrow(batch); });
  }

 private:
  template <typename F>
  static Status Catch(F f) {
    const auto caught = [&]() -> Status {
      BEGIN_PARQUET_CATCH_EXCEPTIONS
      return f();
      END_PARQUET_CATCH_EXCEPTIONS
    };
    return Damaged(caught());
  }

  Status Init(std::shared_ptr<arrow::Buffer> file, const OpenOptions& options) {
    file_ = std::make_shared<arrow::io::BufferReader>(std::move(file));
    properties_ = parquet::ReaderProperties(options.pool);
    properties_.set_page_checksum_verification(true);
    parquet::ArrowReaderProperties arrow_properties(options.use_threads);
    arrow_properties.set_pre_buffer(false);
    ARROW_ASSIGN_OR_RAISE(
        reader_, parquet::arrow::FileReader::Make(options.pool, parquet::ParquetFileReader::Open(file_, properties_),
                                                  arrow_properties));
    metadata_ = reader_->parquet_reader()->metadata();

    const auto& pairs = metadata_->key_value_metadata();
    std::optional<std::string> embedded;
    if (pairs && pairs->Contains("logitpack")) {
      ARROW_ASSIGN_OR_RAISE(embedded, pairs->Get("logitpack"));
    }
    ARROW_RETURN_NOT_OK(options.on_metadata(embedded));

    std::shared_ptr<arrow::Schema> schema;
    ARROW_RETURN_NOT_OK(reader_->GetSchema(&schema));
    ARROW_ASSIGN_OR_RAISE(const auto fields, FindColumns(*schema));
    arrow::FieldVector chosen;
    for (const int field : fields) {
      if (field < 0) continue;
      chosen.push_back(schema->field(field));
      AddLeaves(reader_->manifest().schema_fields[static_cast<size_t>(field)], &leaves_);
    }
    schema_ = arrow::schema(std::move(chosen));
    return CheckFooter();
  }

  // Rows are counted twice in a footer. Column chunks lie in the file, and are no longer than it together.
  Status CheckFooter() const {
    ARROW_ASSIGN_OR_RAISE(const int64_t size, file_->GetSize());
    int64_t rows = 0, bytes = 0;
    for (int g = 0; g < metadata_->num_row_groups(); ++g) {
      const auto group = metadata_->RowGroup(g);
      if (group->num_rows() < 0 || group->num_rows() > metadata_->num_rows() - rows) {
        return Broken("FILE-1", "row group ", g, " has ", group->num_rows(), " rows, the footer ",
                      metadata_->num_rows());
      }
      rows += group->num_rows();
      for (const int leaf : leaves_) {
        const auto chunk = group->ColumnChunk(leaf);
        const auto [begin, length] = ChunkExtent(*chunk);
        if (length == 0 && chunk->num_values() == 0) continue;  // there is no page, and the place of the first is 0
        if (begin < 4 || length < 0 || begin > size || length > size - begin) {
          return Broken("FILE-1", "a column chunk of row group ", g, " lies outside the file");
        }
        bytes += length;
        if (bytes > size) return Broken("FILE-1", "column chunks are longer than the file");
      }
    }
    if (rows != metadata_->num_rows()) {
      return Broken("FILE-1", "the footer has ", metadata_->num_rows(), " rows, its row groups ", rows);
    }
    return Status::OK();
  }

  static std::pair<int64_t, int64_t> ChunkExtent(const parquet::ColumnChunkMetaData& chunk) {
    int64_t begin = chunk.data_page_offset();
    if (chunk.has_dictionary_page() && chunk.dictionary_page_offset() > 0)
      begin = std::min(begin, chunk.dictionary_page_offset());
    return {begin, chunk.total_compressed_size()};
  }

  // Page headers up to the end of the chunk, and checksums, without decompressing.
  Status CheckPages(const parquet::ColumnChunkMetaData& chunk, const parquet::ColumnDescriptor& column) {
    const auto [begin, length] = ChunkExtent(chunk);
    const auto pages =
        parquet::PageReader::Open(properties_.GetStream(file_, begin, length), std::numeric_limits<int64_t>::max(),
                                  arrow::Compression::UNCOMPRESSED, properties_, column);
    int64_t values = 0;
    while (const auto page = pages->NextPage()) {
      if (page->type() == parquet::PageType::DICTIONARY_PAGE) continue;
      values += static_cast<const parquet::DataPage&>(*page).num_values();
    }
    if (values == chunk.num_values()) return Status::OK();
    return Broken("FILE-1", "pages of ", column.path()->ToDotString(), " hold ", values, " values, expected ",
                  chunk.num_values());
  }

  Status OpenGroup() {
    const auto group = metadata_->RowGroup(group_);
    int64_t most = 1;
    for (const int leaf : leaves_) {
      const auto chunk = group->ColumnChunk(leaf);
      ARROW_RETURN_NOT_OK(CheckPages(*chunk, *metadata_->schema()->Column(leaf)));
      most = std::max(most, chunk->num_values());
    }
    rows_ = 0;
    values_.assign(leaves_.size(), 0);
    // As many rows at a time as have about 2^20 entries.
    const int64_t entries = std::max<int64_t>(1, most / std::max<int64_t>(1, group->num_rows()));
    reader_->set_batch_size(std::max<int64_t>(1, (1 << 20) / entries));
    ARROW_ASSIGN_OR_RAISE(batches_, reader_->GetRecordBatchReader({group_}, leaves_));
    return Status::OK();
  }

  Status CloseGroup() {
    const auto group = metadata_->RowGroup(group_);
    if (rows_ != group->num_rows())
      return Broken("FILE-1", "row group ", group_, " has ", rows_, " rows, expected ", group->num_rows());
    for (size_t i = 0; i < leaves_.size(); ++i) {
      if (values_[i] != group->ColumnChunk(leaves_[i])->num_values()) {
        return Broken("FILE-1", schema_->field(static_cast<int>(i))->name(), " of row group ", group_,
                      " holds more values than its rows do");
      }
    }
    batches_.reset();
    ++group_;
    return Status::OK();
  }

  Status ReadNextOrThrow(std::shared_ptr<arrow::RecordBatch>* batch) {
    batch->reset();
    while (group_ < metadata_->num_row_groups()) {
      if (!batches_) ARROW_RETURN_NOT_OK(OpenGroup());
      ARROW_RETURN_NOT_OK(batches_->ReadNext(batch));
      if (*batch) return CountBatch(**batch);
      ARROW_RETURN_NOT_OK(CloseGroup());
    }
    return Status::OK();
  }

  Status CountBatch(const arrow::RecordBatch& batch) {
    ARROW_RETURN_NOT_OK(batch.ValidateFull());
    rows_ += batch.num_rows();
    for (int i = 0; i < batch.num_columns(); ++i) values_[static_cast<size_t>(i)] += CountValues(*batch.column(i));
    return Status::OK();
  }

  std::shared_ptr<arrow::io::BufferReader> file_;
  parquet::ReaderProperties properties_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<parquet::FileMetaData> metadata_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> leaves_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;  // of row group group_
  int group_ = 0;
  int64_t rows_ = 0;             // of it that were read
  std::vector<int64_t> values_;  // of them, by column
};

}  // namespace

Result<std::unique_ptr<RowSource>> OpenParquet(std::shared_ptr<arrow::Buffer> file, const OpenOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto batches, ParquetBatches::Open(std::move(file), options));
  return ArrowRows(std::move(batches));
}

}  // namespace logitpack
