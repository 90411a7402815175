// The protocol of docs/adapters.md: one request a line on standard input, one response a line on standard output.
#include <arrow/util/config.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>

#include "logical.h"
#include "reader.h"

namespace {

using arrow::Status;
using nlohmann::json;
namespace fs = std::filesystem;

// Appends the rows of one file; a row at a time is in memory.
Status ReadFile(const fs::path& path, const fs::path& root, std::ostream& out) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, logitpack::Reader::Open(path, {.root = root}));
  logitpack::Row<double> row;
  std::string line;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const bool more, reader->Next(&row));
    if (!more) return Status::OK();
    line.clear();
    logitpack::AppendLogicalJson(row, &line);
    if (!out.write(line.data(), static_cast<std::streamsize>(line.size())))
      return Status::IOError("cannot write the output");
  }
}

Status ReadAll(const fs::path& input, const fs::path& partial) {
  std::ofstream out(partial, std::ios::binary | std::ios::trunc);
  const fs::path root = fs::is_directory(input) ? input : input.parent_path();
  ARROW_ASSIGN_OR_RAISE(const auto files, logitpack::DataFiles(input));
  for (const auto& file : files) {
    const Status status = ReadFile(file, root, out);
    if (!status.ok()) return status.WithMessage(status.message(), " (", file.filename().string(), ")");
  }
  return out.flush() ? Status::OK() : Status::IOError("cannot write ", partial.string());
}

// The output appears under its name when all of it is there.
Status Read(const fs::path& input, const fs::path& output) {
  const fs::path partial = output.string() + ".partial";
  std::error_code code;
  Status status;
  try {
    status = ReadAll(input, partial);
  } catch (const std::bad_alloc&) {
    status = Status::OutOfMemory("a row is too large for this machine");
  } catch (const std::exception& error) {
    status = Status::UnknownError(error.what());
  }
  if (status.ok()) fs::rename(partial, output, code);
  if (code) status = Status::IOError("cannot rename the output: ", code.message());
  if (!status.ok()) fs::remove(partial, code);
  return status;
}

json Hello() {
  return {{"protocol", 1},
          {"spec", {"1.0"}},
          {"name", "logitpack-cpp"},
          {"version", LOGITPACK_CPP_VERSION " (Arrow " ARROW_VERSION_STRING ")"},
          {"language", "C++"},
          {"roles", {"reader"}},
          {"containers", {"parquet", "arrow-file", "arrow-stream", "json"}},
          {"features", {"zstd",           "snappy",          "gzip",         "lz4",
                        "brotli",         "arrow_zstd",      "arrow_lz4",    "byte_stream_split",
                        "dictionary",     "delta",           "data_page_v2", "wide_integers",
                        "float16",        "float64",         "large_list",   "fixed_size_list",
                        "list_view",      "large_binary",    "binary_view",  "legacy_stream",
                        "nested_columns", "run_end_encoded", "dataset",      "token_ids",
                        "sidecar"}}};
}

json Answer(const json& request) {
  const std::string command = request.at("cmd");
  if (command == "hello") return Hello();
  if (command != "read") return {{"outcome", "error"}, {"message", "this adapter only reads"}};
  const Status status = Read(request.at("input").get<std::string>(), request.at("output").get<std::string>());
  if (status.ok()) return {{"outcome", "accepted"}};
  const std::string requirement = logitpack::Requirement(status);
  if (requirement.empty()) return {{"outcome", "error"}, {"message", status.ToString()}};
  return {{"outcome", "rejected"}, {"requirement", requirement}, {"message", status.message()}};
}

json AnswerOrError(const std::string& line) {
  json response;
  try {
    const json request = json::parse(line);
    response["seq"] = request.at("seq");
    response.update(Answer(request));
  } catch (const std::exception& error) {
    response.update({{"outcome", "error"}, {"message", error.what()}});
  }
  return response;
}

}  // namespace

int main() {
  for (std::string line; std::getline(std::cin, line);) {
    // Text out of files need not be UTF-8.
    std::cout << AnswerOrError(line).dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace) << std::endl;
  }
}
