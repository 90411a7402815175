#include "reader.h"

#include <arrow/io/file.h>

#include <algorithm>
#include <string>

#include "container.h"
#include "metadata.h"

namespace logitpack {

namespace fs = std::filesystem;
using arrow::Result;

Reader::Reader(const ReaderOptions& options)
    : pool_(std::make_unique<LimitedPool>(options.pool, options.memory_limit)) {}

Result<std::unique_ptr<Reader>> Reader::Open(const fs::path& path, ReaderOptions options) {
  std::unique_ptr<Reader> reader(new Reader(options));
  ARROW_ASSIGN_OR_RAISE(const auto mapped, arrow::io::MemoryMappedFile::Open(path.string(), arrow::io::FileMode::READ));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, mapped->GetSize());
  ARROW_ASSIGN_OR_RAISE(const auto file, mapped->ReadAt(0, size));
  ARROW_ASSIGN_OR_RAISE(const auto open, TellContainer(*file, path));
  const auto on_metadata = [&](const std::optional<std::string>& embedded) {
    return VocabularyInForce(embedded, path.parent_path(), options.root).Value(&reader->vocab_size_);
  };
  ARROW_ASSIGN_OR_RAISE(reader->source_, open(file, {on_metadata, reader->pool_.get(), options.use_threads}));
  return reader;
}

template <typename Logit>
Result<bool> Reader::Next(Row<Logit>* row) {
  const auto next = [&]() -> Result<bool> {
    StoredRow stored;
    ARROW_ASSIGN_OR_RAISE(const bool more, source_->Next(&stored));
    if (more) ARROW_RETURN_NOT_OK(Decode(stored, vocab_size_, row));
    return more;
  };
  Result<bool> more = next();
  if (!more.ok()) return more.status().WithMessage(more.status().message(), " (row ", row_, ")");
  ++row_;
  return more;
}

template Result<bool> Reader::Next(Row<float>*);
template Result<bool> Reader::Next(Row<double>*);

Result<std::vector<fs::path>> DataFiles(const fs::path& path) {
  if (!fs::is_directory(path)) return std::vector{path};
  const auto is_hidden = [](const fs::path& name) {
    return name.string().starts_with('.') || name.string().starts_with('_');
  };
  std::vector<fs::path> files;
  for (auto entry = fs::recursive_directory_iterator(path); entry != fs::recursive_directory_iterator(); ++entry) {
    const fs::path name = entry->path().filename();
    if (is_hidden(name)) {
      entry.disable_recursion_pending();
    } else if (entry->is_regular_file() &&
               (name.extension() == ".parquet" || name.extension() == ".arrow" || name.extension() == ".arrows")) {
      files.push_back(entry->path());
    }
  }
  // The bytes of UTF-8 are in the order of code points.
  std::ranges::sort(files, {}, [&](const fs::path& file) { return file.lexically_relative(path).generic_string(); });
  if (files.empty()) return Broken("FILE-1", "a dataset without data files");
  return files;
}

}  // namespace logitpack
