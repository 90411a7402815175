#include "container.h"

#include <arrow/ipc/message.h>
#include <arrow/util/endian.h>

#include <cstring>
#include <string_view>

#include "status.h"

namespace logitpack {
namespace {

// A length and a Schema message after it: an IPC stream as they were before Arrow 0.15.
bool BeginsWithSchema(const arrow::Buffer& file) {
  int32_t length;
  if (file.size() < 4) return false;
  std::memcpy(&length, file.data(), sizeof length);
  length = arrow::bit_util::FromLittleEndian(length);
  if (length <= 0 || length > file.size() - 4) return false;
  const auto message = arrow::ipc::Message::Open(std::make_shared<arrow::Buffer>(file.data() + 4, length), nullptr);
  return message.ok() && (*message)->type() == arrow::ipc::MessageType::SCHEMA;
}

}  // namespace

arrow::Result<OpenContainer*> TellContainer(const arrow::Buffer& file, const std::filesystem::path& name) {
  const auto bytes = static_cast<std::string_view>(file);
  if (bytes.starts_with("PAR1")) return OpenParquet;
  if (bytes.starts_with("ARROW1")) return OpenArrowFile;
  if (bytes.starts_with("\xFF\xFF\xFF\xFF") || BeginsWithSchema(file)) return OpenArrowStream;
  const size_t first = bytes.find_first_not_of(" \t\r\n");
  if ((first != std::string_view::npos && bytes[first] == '{') || name.extension() == ".ndjson" ||
      name.extension() == ".jsonl")
    return OpenJson;
  return Broken("FILE-1", "the first bytes are those of no container");
}

}  // namespace logitpack
