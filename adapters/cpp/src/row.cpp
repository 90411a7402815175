#include "row.h"

#include <algorithm>
#include <cmath>

#include "status.h"

namespace logitpack {
namespace {

using arrow::Status;

Status CheckLength(const char* requirement, const char* column, size_t length, int64_t expected) {
  if (static_cast<int64_t>(length) == expected) return Status::OK();
  return Broken(requirement, column, " has ", length, " elements, expected ", expected);
}

// IDX-3 and QNT-1; that `low` and `codes` have `entries` elements is known.
Status CheckEntries(const char* kind, const StoredEntries& stored, int64_t entries) {
  const int64_t bytes = entries / 4 + (entries % 4 != 0);
  if (static_cast<int64_t>(stored.high.size()) != bytes) {
    return Broken("IDX-3", kind, "_indices_high has ", stored.high.size(), " bytes, expected ", bytes, " for ", entries,
                  " indices");
  }
  for (size_t i = 0; i < stored.min.size(); ++i) {
    const float min = stored.min[i], max = stored.max[i];
    if (!(min <= max) || !std::isfinite(min) || !std::isfinite(max - min)) {
      return Broken("QNT-1", kind, " range of token ", i, " is ", min, " to ", max);
    }
  }
  return Status::OK();
}

// Every structural requirement on the lengths and values of a row. The tail entries of a token are num_tokens'th parts
// of its lists.
Status Check(const StoredRow& row) {
  const int64_t n = row.num_tokens;
  if (n < 1 || n > std::numeric_limits<int32_t>::max()) return Broken("ROW-1", "num_tokens is ", n);
  ARROW_RETURN_NOT_OK(CheckLength("ROW-2", "top_counts", row.top_counts.size(), n));
  ARROW_RETURN_NOT_OK(CheckLength("ROW-2", "top_min", row.top.min.size(), n));
  ARROW_RETURN_NOT_OK(CheckLength("ROW-2", "top_max", row.top.max.size(), n));
  ARROW_RETURN_NOT_OK(CheckLength("ROW-2", "sampled_min", row.sampled.min.size(), n));
  ARROW_RETURN_NOT_OK(CheckLength("ROW-2", "sampled_max", row.sampled.max.size(), n));
  ARROW_RETURN_NOT_OK(CheckLength("ROW-2", "logsumexp", row.logsumexp.size(), n));

  int64_t nucleus = 0;
  for (const uint8_t count : row.top_counts) {
    if (count == 0) return Broken("NUC-1", "a token has no nucleus entries");
    nucleus += count;
  }
  ARROW_RETURN_NOT_OK(CheckLength("ROW-3", "top_indices_low", row.top.low.size(), nucleus));
  ARROW_RETURN_NOT_OK(CheckLength("ROW-3", "top_logits_quantized", row.top.codes.size(), nucleus));

  const auto tail = static_cast<int64_t>(row.sampled.low.size());
  if (tail == 0 || tail % n != 0)
    return Broken("ROW-4", "sampled_indices_low has ", tail, " elements for ", n, " tokens");
  ARROW_RETURN_NOT_OK(CheckLength("ROW-4", "sampled_logits_quantized", row.sampled.codes.size(), tail));

  ARROW_RETURN_NOT_OK(CheckEntries("top", row.top, nucleus));
  ARROW_RETURN_NOT_OK(CheckEntries("sampled", row.sampled, tail));
  for (const double value : row.logsumexp) {
    if (!std::isfinite(value)) return Broken("LSE-1", "a logsumexp is ", value);
  }
  return Status::OK();
}

// IDX-2: one run for a row, least significant bits first.
void UnpackIndices(const StoredEntries& stored, std::vector<int32_t>* indices) {
  const size_t n = stored.low.size();
  indices->resize(n);
  int32_t* out = indices->data();
  size_t j = 0;
  for (; j + 4 <= n; j += 4) {
    const uint32_t high = stored.high[j / 4];
    for (size_t k = 0; k < 4; ++k) out[j + k] = static_cast<int32_t>(stored.low[j + k] | (high >> 2 * k & 3) << 16);
  }
  for (; j < n; ++j)
    out[j] = static_cast<int32_t>(stored.low[j] | (uint32_t{stored.high[j / 4]} >> 2 * (j % 4) & 3) << 16);
}

// QNT-2: evaluated in binary64 and rounded once.
template <typename Logit>
void Dequantise(std::span<const uint16_t> codes, double min, double max, Logit* out) {
  const double step = (max - min) / 65535;
  for (size_t k = 0; k < codes.size(); ++k) out[k] = static_cast<Logit>(min + codes[k] * step);
}

template <typename Logit, typename CountOf>
void DecodeEntries(const StoredEntries& stored, CountOf count_of, Entries<Logit>* entries) {
  UnpackIndices(stored, &entries->indices);
  entries->logits.resize(stored.codes.size());
  size_t begin = 0;
  for (size_t i = 0; i < stored.min.size(); ++i) {
    const size_t count = count_of(i);
    Dequantise(stored.codes.subspan(begin, count), stored.min[i], stored.max[i], entries->logits.data() + begin);
    begin += count;
  }
}

}  // namespace

template <typename Logit>
Status Decode(const StoredRow& stored, int64_t vocab_size, Row<Logit>* row) {
  ARROW_RETURN_NOT_OK(Check(stored));
  row->num_tokens = stored.num_tokens;
  row->stride = static_cast<int64_t>(stored.sampled.low.size()) / stored.num_tokens;
  row->top_counts = stored.top_counts;
  row->logsumexp = stored.logsumexp;
  row->token_ids = stored.token_ids;
  const auto is_token = [&](int32_t id) { return id >= 0 && id < vocab_size; };
  if (row->token_ids && (static_cast<int64_t>(row->token_ids->size()) != stored.num_tokens ||
                         !std::all_of(row->token_ids->begin(), row->token_ids->end(), is_token))) {
    row->token_ids.reset();  // ALN-4
  }
  DecodeEntries(stored.top, [&](size_t i) { return stored.top_counts[i]; }, &row->top);
  DecodeEntries(stored.sampled, [&](size_t) { return row->stride; }, &row->sampled);
  return Status::OK();
}

template Status Decode(const StoredRow&, int64_t, Row<float>*);
template Status Decode(const StoredRow&, int64_t, Row<double>*);

}  // namespace logitpack
