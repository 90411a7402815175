// What the tests share: expectations, one small dataset in Arrow's types, and ways to write it and to read it back.
#pragma once

#include <arrow/api.h>
#include <arrow/io/api.h>
#include <arrow/ipc/api.h>
#include <arrow/json/from_string.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>
#include <string>

#include "logical.h"
#include "reader.h"

namespace testing {

inline int failures = 0;

template <typename A, typename B>
void ExpectEqual(const A& expected, const B& actual, const std::string& what) {
  if (expected == actual) return;
  const auto text = [](const auto& value) {
    std::ostringstream out;
    out << value;
    return out.str().substr(0, 500);
  };
  std::cerr << what << "\n  expected " << text(expected) << "\n  got      " << text(actual) << "\n";
  ++failures;
}

inline int Finish() {
  std::cerr << (failures == 0 ? "all passed\n" : "some failed\n");
  return failures == 0 ? 0 : 1;
}

inline void MustSucceed(const arrow::Status& status) {
  if (!status.ok()) status.Abort();
}

// A folder that goes with its object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string name = (std::filesystem::temp_directory_path() / "logitpack-XXXXXX").string();
    path = mkdtemp(name.data());
  }
  ~TemporaryFolder() { std::filesystem::remove_all(path); }
  std::filesystem::path path;
};

inline void WriteBytes(const std::filesystem::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary).write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

inline std::string ReadBytes(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path, std::ios::binary).rdbuf();
  return out.str();
}

// The logical JSON of a file; or the id of what it breaks; or, for any other failure, its text.
inline std::string Read(const std::filesystem::path& path, const logitpack::ReaderOptions& options = {}) {
  const auto read = [&]() -> arrow::Result<std::string> {
    ARROW_ASSIGN_OR_RAISE(const auto reader, logitpack::Reader::Open(path, options));
    logitpack::Row<double> row;
    std::string text;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const bool more, reader->Next(&row));
      if (!more) return text;
      logitpack::AppendLogicalJson(row, &text);
    }
  };
  const auto text = read();
  if (text.ok()) return *text;
  const std::string requirement = logitpack::Requirement(text.status());
  return requirement.empty() ? text.status().ToString() : requirement;
}

struct Cells {
  std::shared_ptr<arrow::DataType> type;
  std::string json;  // of all rows
};
using Fields = std::map<std::string, Cells>;

// One row of two tokens, S = 2; the high parts of the nucleus are 0 1 2 1, 3, those of the tail 0 3 0 1.
inline Fields OneRow() {
  using namespace arrow;
  return {{"num_tokens", {int32(), "[2]"}},
          {"top_counts", {list(uint8()), "[[3, 2]]"}},
          {"top_indices_low", {list(uint16()), "[[5, 5, 5, 65535, 7]]"}},
          {"top_indices_high", {binary(), R"(["d\u0003"])"}},
          {"top_logits_quantized", {list(uint16()), "[[65535, 13107, 0, 65535, 0]]"}},
          {"top_min", {list(float32()), "[[7, 3]]"}},
          {"top_max", {list(float32()), "[[10, 4]]"}},
          {"sampled_indices_low", {list(uint16()), "[[12, 65534, 65535, 0]]"}},
          {"sampled_indices_high", {binary(), R"(["L"])"}},
          {"sampled_logits_quantized", {list(uint16()), "[[0, 65535, 0, 0]]"}},
          {"sampled_min", {list(float32()), "[[-1.25, -2]]"}},
          {"sampled_max", {list(float32()), "[[2, -2]]"}},
          {"logsumexp", {list(float64()), "[[10.25, 4.5]]"}}};
}

inline const std::string kOneRow =
    R"({"tokens": [{"logsumexp": 10.25, "top": {"indices": [5, 65541, 131077], "logits": [10, 7.6, 7]}, )"
    R"("sampled": {"indices": [12, 262142], "logits": [-1.25, 2]}}, )"
    R"({"logsumexp": 4.5, "top": {"indices": [131071, 196615], "logits": [4, 3]}, )"
    R"("sampled": {"indices": [65535, 65536], "logits": [-2, -2]}}]})"
    "\n";

inline std::shared_ptr<arrow::RecordBatch> MakeBatch(const Fields& fields, const std::string& metadata = "") {
  arrow::FieldVector schema;
  arrow::ArrayVector arrays;
  for (const auto& [name, field] : fields) {
    schema.push_back(arrow::field(name, field.type));
    arrays.push_back(arrow::json::ArrayFromJSONString(field.type, field.json).ValueOrDie());
  }
  const auto pairs = metadata.empty() ? nullptr : arrow::key_value_metadata({"logitpack"}, {metadata});
  return arrow::RecordBatch::Make(arrow::schema(schema, pairs), arrays[0]->length(), arrays);
}

// A writer in the container that the name of the path tells; `batches` times the same batch.
inline void Write(const std::filesystem::path& path, const std::shared_ptr<arrow::RecordBatch>& batch, int batches = 1,
                  const arrow::ipc::IpcWriteOptions& options = arrow::ipc::IpcWriteOptions::Defaults()) {
  const auto sink = arrow::io::FileOutputStream::Open(path.string()).ValueOrDie();
  if (path.extension() == ".parquet") {
    const auto properties = parquet::WriterProperties::Builder().enable_page_checksum()->build();
    const auto keep_types = parquet::ArrowWriterProperties::Builder().store_schema()->build();
    const auto writer =
        parquet::arrow::FileWriter::Open(*batch->schema(), arrow::default_memory_pool(), sink, properties, keep_types)
            .ValueOrDie();
    for (int i = 0; i < batches; ++i) {
      MustSucceed(writer->NewRowGroup());
      for (const auto& column : batch->columns()) MustSucceed(writer->WriteColumnChunk(*column));
    }
    MustSucceed(writer->Close());
  } else {
    const auto writer = (path.extension() == ".arrow" ? arrow::ipc::MakeFileWriter(sink, batch->schema(), options)
                                                      : arrow::ipc::MakeStreamWriter(sink, batch->schema(), options))
                            .ValueOrDie();
    for (int i = 0; i < batches; ++i) MustSucceed(writer->WriteRecordBatch(*batch));
    MustSucceed(writer->Close());
  }
  MustSucceed(sink->Close());
}

}  // namespace testing
