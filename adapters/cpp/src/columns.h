// The columns of SPEC.md, section 5: which of a schema they are, whether their types are accepted, and rows out of
// their arrays.
#pragma once

#include <arrow/api.h>

#include <array>
#include <limits>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "row.h"

namespace logitpack {

// In the order of schema/columns.json. The last one may be absent.
enum Column {
  kNumTokens,
  kTopCounts,
  kTopLow,
  kTopHigh,
  kTopCodes,
  kTopMin,
  kTopMax,
  kSampledLow,
  kSampledHigh,
  kSampledCodes,
  kSampledMin,
  kSampledMax,
  kLogsumexp,
  kTokenIds,
  kNumColumns
};

enum class Kind { kInteger, kIntegers, kFloats, kBytes };

struct ColumnInfo {
  std::string_view name;
  Kind kind;
  const char* range;  // broken where a value does not fit the canonical type
};

inline constexpr std::array<ColumnInfo, kNumColumns> kColumns{{
    {"num_tokens", Kind::kInteger, "ROW-1"},
    {"top_counts", Kind::kIntegers, "NUC-1"},
    {"top_indices_low", Kind::kIntegers, "IDX-1"},
    {"top_indices_high", Kind::kBytes, nullptr},
    {"top_logits_quantized", Kind::kIntegers, "QNT-8"},
    {"top_min", Kind::kFloats, nullptr},
    {"top_max", Kind::kFloats, nullptr},
    {"sampled_indices_low", Kind::kIntegers, "IDX-1"},
    {"sampled_indices_high", Kind::kBytes, nullptr},
    {"sampled_logits_quantized", Kind::kIntegers, "QNT-8"},
    {"sampled_min", Kind::kFloats, nullptr},
    {"sampled_max", Kind::kFloats, nullptr},
    {"logsumexp", Kind::kFloats, nullptr},
    {"token_ids", Kind::kIntegers, "ALN-4"},
}};

// Rows one after another. A row is valid until the next one is asked for; false after the last.
class RowSource {
 public:
  virtual ~RowSource() = default;
  virtual arrow::Result<bool> Next(StoredRow* row) = 0;
};

// The field of each column, -1 for token_ids where there are none; or COL-1, COL-2.
arrow::Result<std::array<int, kNumColumns>> FindColumns(const arrow::Schema& schema);

// Begin and length of each list of an array, in its values: any of the five types of lists.
struct Extents {
  std::shared_ptr<arrow::Array> values;
  std::vector<std::pair<int64_t, int64_t>> rows;
};
Extents ListExtents(const arrow::Array& lists);

// Rows of record batches that have all the columns, and perhaps others. Each array is validated in full before it is
// touched; COL-3.
std::unique_ptr<RowSource> ArrowRows(std::shared_ptr<arrow::RecordBatchReader> batches);

// `size` values, value(0) to value(size - 1), as T, where all are in its range; integers to integers, or floating-point
// numbers to such.
template <typename T, typename ValueOf>
bool Narrow(ValueOf value, int64_t size, std::vector<T>* out) {
  out->resize(static_cast<size_t>(size));
  for (int64_t j = 0; j < size; ++j) {
    if constexpr (std::is_integral_v<T>) {
      if (!std::in_range<T>(value(j))) return false;
    }
    (*out)[static_cast<size_t>(j)] = static_cast<T>(value(j));
  }
  return true;
}

}  // namespace logitpack
