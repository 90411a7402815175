// The metadata of SPEC.md, section 13, as far as a reader needs them: which object is in force, its version, its
// vocabulary.
#pragma once

#include <arrow/result.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace logitpack {

// Bounds of what is parsed: META-7.
inline constexpr size_t kMetadataLimit = 1'048'576;

// The vocab_size of the metadata in force, kNoVocabulary where there are none; META-2 where their major version is not
// known. In force is the first valid one (META-1, META-7) of `embedded`, logitpack.json in `folder`, and logitpack.json
// in `root`.
arrow::Result<int64_t> VocabularyInForce(const std::optional<std::string>& embedded,
                                         const std::filesystem::path& folder, const std::filesystem::path& root);

}  // namespace logitpack
