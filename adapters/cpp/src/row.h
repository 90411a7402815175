// One row: as it is stored (StoredRow), and as what it means (Row). SPEC.md, sections 6 to 8.
#pragma once

#include <arrow/status.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <vector>

namespace logitpack {

// The nucleus or the tail of a row. `low` and `codes` have an element for each entry, `min` and `max` one for each
// token.
struct StoredEntries {
  std::span<const uint16_t> low;
  std::span<const uint8_t> high;  // four entries a byte, least significant bits first
  std::span<const uint16_t> codes;
  std::span<const float> min;
  std::span<const float> max;
};

// A row in canonical types; its lengths and values are not yet looked at. The spans are those of whoever made it.
struct StoredRow {
  int64_t num_tokens = 0;
  std::span<const uint8_t> top_counts;
  StoredEntries top;
  StoredEntries sampled;
  std::span<const double> logsumexp;                  // nats
  std::optional<std::span<const int32_t>> token_ids;  // none where the column is absent or an id is no int32
};

// Entries of a row, those of a token together, the tokens in order. Logit is float or double; logits are in nats.
template <typename Logit>
struct Entries {
  std::vector<int32_t> indices;
  std::vector<Logit> logits;
};

// A decoded row. Token i has top_counts[i] entries in `top`, and `stride` (S) in `sampled`. The spans, and they alone,
// are views of the stored row.
template <typename Logit>
struct Row {
  int64_t num_tokens = 0;
  int64_t stride = 0;
  std::span<const uint8_t> top_counts;
  std::span<const double> logsumexp;
  std::optional<std::span<const int32_t>> token_ids;  // none where they are absent, or break ALN-4
  Entries<Logit> top;
  Entries<Logit> sampled;
};

// Decodes a row, or says what it breaks: ROW-1 to ROW-4, NUC-1, IDX-3, QNT-1, LSE-1. Token ids from `vocab_size` on
// break ALN-4. `row` is written to only where all of the row holds (RD-3), and its vectors are used again. Defined for
// float and double.
template <typename Logit>
arrow::Status Decode(const StoredRow& stored, int64_t vocab_size, Row<Logit>* row);

inline constexpr int64_t kNoVocabulary = std::numeric_limits<int64_t>::max();

}  // namespace logitpack
