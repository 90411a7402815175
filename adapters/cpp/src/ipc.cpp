// Arrow IPC files and streams. What Arrow's readers take without a word is looked at here: a stream without its end
// marker or with bytes after it, and a file whose footer leaves out batches that are there.
#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>
#include <arrow/util/endian.h>

#include <cstring>
#include <limits>

#include "container.h"
#include "status.h"

namespace logitpack {
namespace {

namespace ipc = arrow::ipc;
using arrow::Result;
using arrow::Status;

constexpr std::string_view kContinuation("\xFF\xFF\xFF\xFF", 4);
constexpr std::string_view kEnd("\xFF\xFF\xFF\xFF\0\0\0\0", 8);
constexpr std::string_view kLegacyEnd("\0\0\0\0", 4);

// Messages up to the end marker, which has to be there, and be the last (FILE-3, FILE-1).
class WholeStream : public ipc::MessageReader {
 public:
  explicit WholeStream(std::shared_ptr<arrow::Buffer> bytes) : bytes_(std::move(bytes)), stream_(bytes_) {}

  Result<std::unique_ptr<ipc::Message>> ReadNextMessage() override {
    ARROW_ASSIGN_OR_RAISE(const int64_t begin, stream_.Tell());
    const auto rest = static_cast<std::string_view>(*bytes_).substr(static_cast<size_t>(begin));
    ARROW_ASSIGN_OR_RAISE(auto message, Damaged(ipc::ReadMessage(&stream_)));
    if (message) {
      legacy_ = legacy_ && !rest.starts_with(kContinuation);
      return message;
    }
    const std::string_view end = rest.starts_with(kEnd) ? kEnd : kLegacyEnd;
    if (!rest.starts_with(end) || (end == kLegacyEnd && !legacy_))
      return Broken("FILE-3", "the stream ends without its marker");
    if (rest.size() > end.size())
      return Broken("FILE-1", rest.size() - end.size(), " bytes after the end of the stream");
    return nullptr;
  }

 private:
  std::shared_ptr<arrow::Buffer> bytes_;
  arrow::io::BufferReader stream_;
  bool legacy_ = true;
};

// Batches i = 0, 1, ... as `read(i)` gives them; the last one is null.
class Batches : public arrow::RecordBatchReader {
 public:
  using Read = std::function<Result<std::shared_ptr<arrow::RecordBatch>>(int)>;
  Batches(std::shared_ptr<arrow::Schema> schema, Read read, const LimitedPool& pool, int64_t file_size)
      : schema_(std::move(schema)), read_(std::move(read)), pool_(pool), file_size_(file_size) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    auto next = read_(next_++);
    if (next.status().IsOutOfMemory() && pool_.largest_request() / kMostCompression > file_size_) {
      return Broken("FILE-1", "a buffer claims ", pool_.largest_request(), " bytes in a file of ", file_size_);
    }
    return Damaged(std::move(next)).Value(batch);
  }

 private:
  static constexpr int64_t kMostCompression = 1 << 15;  // zstd makes at most 128 KiB of four bytes

  std::shared_ptr<arrow::Schema> schema_;
  Read read_;
  const LimitedPool& pool_;
  int64_t file_size_;
  int next_ = 0;
};

ipc::IpcReadOptions ReadOptions(const OpenOptions& options) {
  ipc::IpcReadOptions ipc_options = ipc::IpcReadOptions::Defaults();
  ipc_options.memory_pool = options.pool;
  ipc_options.use_threads = options.use_threads;
  ipc_options.ensure_alignment = ipc::Alignment::kDataTypeSpecificAlignment;
  return ipc_options;
}

// A reader, or FILE-1: while it looks at the schema, Arrow says NotImplemented of types that are none, such as integers
// of 12 bits.
template <typename T>
Result<T> Opened(const Result<T>& reader) {
  if (reader.status().IsNotImplemented()) return Broken("FILE-1", reader.status().message());
  return Damaged(reader);
}

// What is to be known before a batch is read: the metadata, then the columns. Only these are read (COL-4).
Status LookAtSchema(const arrow::Schema& schema, const OpenOptions& options, ipc::IpcReadOptions* ipc_options) {
  std::optional<std::string> metadata;
  if (schema.metadata() && schema.metadata()->Contains("logitpack")) {
    ARROW_ASSIGN_OR_RAISE(metadata, schema.metadata()->Get("logitpack"));
  }
  ARROW_RETURN_NOT_OK(options.on_metadata(metadata));
  ARROW_ASSIGN_OR_RAISE(const auto fields, FindColumns(schema));
  for (const int field : fields) {
    if (field >= 0) ipc_options->included_fields.push_back(field);
  }
  // Of a choice of fields Arrow makes a copy, which the usual file can do without.
  if (static_cast<int>(ipc_options->included_fields.size()) == schema.num_fields())
    ipc_options->included_fields.clear();
  return Status::OK();
}

// Whether the body of a file holds as many batches as its footer lists. By the specification of Arrow the body is a
// stream. Polars writes it without the Schema message's prefix, and other readers never look: where it cannot be read
// as a stream, the footer is believed.
Status CheckBody(const std::shared_ptr<arrow::Buffer>& file, int listed) {
  constexpr int64_t kHead = 8, kTail = 10;  // the magic, padded; the length of the footer and the magic
  constexpr int64_t kPadding = 64;
  int32_t footer;
  std::memcpy(&footer, file->data() + file->size() - kTail, sizeof footer);
  footer = arrow::bit_util::FromLittleEndian(footer);
  const int64_t size = file->size() - kHead - kTail - footer;
  if (size < 0) return Broken("FILE-1", "the footer is longer than the file");
  arrow::io::BufferReader body(arrow::SliceBuffer(file, kHead, size));
  int stored = 0;
  while (true) {
    const auto message = ipc::ReadMessage(&body);
    if (!message.ok()) return Status::OK();
    if (!*message) break;
    stored += (*message)->type() == ipc::MessageType::RECORD_BATCH;
  }
  if (stored != listed) return Broken("FILE-1", "the footer lists ", listed, " record batches of ", stored);
  ARROW_ASSIGN_OR_RAISE(const int64_t end, body.Tell());
  if (size - end < kPadding) return Status::OK();
  return Broken("FILE-1", size - end, " bytes between the end of the batches and the footer");
}

}  // namespace

Result<std::unique_ptr<RowSource>> OpenArrowStream(std::shared_ptr<arrow::Buffer> file, const OpenOptions& options) {
  ipc::IpcReadOptions ipc_options = ReadOptions(options);
  const auto open = [&] {
    return Opened(ipc::RecordBatchStreamReader::Open(std::make_unique<WholeStream>(file), ipc_options));
  };
  ARROW_ASSIGN_OR_RAISE(auto reader, open());
  ARROW_RETURN_NOT_OK(LookAtSchema(*reader->schema(), options, &ipc_options));
  ARROW_ASSIGN_OR_RAISE(reader, open());
  return ArrowRows(std::make_shared<Batches>(
      reader->schema(), [reader](int) { return reader->Next(); }, *options.pool, file->size()));
}

Result<std::unique_ptr<RowSource>> OpenArrowFile(std::shared_ptr<arrow::Buffer> file, const OpenOptions& options) {
  ipc::IpcReadOptions ipc_options = ReadOptions(options);
  const auto open = [&] {
    return Opened(ipc::RecordBatchFileReader::Open(std::make_shared<arrow::io::BufferReader>(file), ipc_options));
  };
  ARROW_ASSIGN_OR_RAISE(auto reader, open());
  ARROW_RETURN_NOT_OK(LookAtSchema(*reader->schema(), options, &ipc_options));
  ARROW_ASSIGN_OR_RAISE(reader, open());
  const int count = reader->num_record_batches();
  ARROW_RETURN_NOT_OK(CheckBody(file, count));
  const auto read = [reader, count](int i) -> Result<std::shared_ptr<arrow::RecordBatch>> {
    if (i >= count) return nullptr;
    return reader->ReadRecordBatch(i);
  };
  return ArrowRows(std::make_shared<Batches>(reader->schema(), read, *options.pool, file->size()));
}

}  // namespace logitpack
