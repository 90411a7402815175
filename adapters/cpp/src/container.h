// The containers of SPEC.md, section 4.1, each as a source of rows. A file is a buffer: bytes that are mapped, and not
// copied.
#pragma once

#include <arrow/api.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "columns.h"
#include "limited_pool.h"

namespace logitpack {

// Called with the metadata of a file before its columns are looked at (META-2); its failure is that of the file.
using OnMetadata = std::function<arrow::Status(const std::optional<std::string>&)>;

struct OpenOptions {
  OnMetadata on_metadata;
  LimitedPool* pool;  // for what Arrow decompresses
  bool use_threads;
};

// Each looks at schema and metadata; rows follow from Next. FILE-1 and FILE-3 may be found as late as at the last of
// them.
using OpenContainer = arrow::Result<std::unique_ptr<RowSource>>(std::shared_ptr<arrow::Buffer> file,
                                                                const OpenOptions& options);
OpenContainer OpenParquet, OpenArrowFile, OpenArrowStream, OpenJson;

// The container of a file, by its first bytes and, where these tell nothing, its name; or FILE-1.
arrow::Result<OpenContainer*> TellContainer(const arrow::Buffer& file, const std::filesystem::path& name);

}  // namespace logitpack
