// Reads LogitPack files: Parquet, Arrow IPC files and streams, and stored JSON.
//
//   for (const auto& path : *logitpack::DataFiles("data")) {
//     ARROW_ASSIGN_OR_RAISE(auto reader, logitpack::Reader::Open(path));
//     logitpack::Row<float> row;
//     while (true) {
//       ARROW_ASSIGN_OR_RAISE(const bool more, reader->Next(&row));
//       if (!more) break;
//       ...
//     }
//   }
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/result.h>

#include <filesystem>
#include <memory>
#include <vector>

#include "columns.h"
#include "limited_pool.h"
#include "row.h"
#include "status.h"

namespace logitpack {

struct ReaderOptions {
  // Where a logitpack.json may stand besides the file's own folder.
  std::filesystem::path root = {};
  // Where Arrow allocates what it decompresses, and how much at most, in bytes. A file that needs more fails with
  // OutOfMemory.
  arrow::MemoryPool* pool = arrow::default_memory_pool();
  int64_t memory_limit = int64_t{1} << 30;
  // Whether Arrow may decompress and decode columns side by side.
  bool use_threads = false;
};

// Reads one file, row after row. A row that was returned holds in every structural requirement, but only the whole
// file, read until false, is known to be complete (FILE-1, FILE-3). Failures are told apart by Requirement.
class Reader {
 public:
  static arrow::Result<std::unique_ptr<Reader>> Open(const std::filesystem::path& path, ReaderOptions options = {});

  // The next row, or false. What the spans of the row before point to is gone.
  template <typename Logit>
  arrow::Result<bool> Next(Row<Logit>* row);

 private:
  explicit Reader(const ReaderOptions& options);

  std::unique_ptr<LimitedPool> pool_;
  std::unique_ptr<RowSource> source_;  // after its pool
  int64_t vocab_size_ = kNoVocabulary;
  int64_t row_ = 0;
};

// The files of a dataset, in their order (section 4.2); a path that is no folder is its only file.
arrow::Result<std::vector<std::filesystem::path>> DataFiles(const std::filesystem::path& path);

}  // namespace logitpack
