#include "logical.h"

#include <charconv>
#include <string_view>

namespace logitpack {
namespace {

template <typename T>
void AppendNumber(T value, std::string* out) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, value).ptr;
  out->append(text, end);
}

template <typename T>
void AppendNumbers(std::string_view name, std::span<const T> values, std::string* out) {
  out->append("\"").append(name).append("\": [");
  for (size_t k = 0; k < values.size(); ++k) {
    if (k > 0) out->append(", ");
    AppendNumber(values[k], out);
  }
  out->append("]");
}

void AppendEntries(std::string_view name, const Entries<double>& entries, size_t begin, size_t count,
                   std::string* out) {
  out->append(", \"").append(name).append("\": {");
  AppendNumbers("indices", std::span<const int32_t>(entries.indices).subspan(begin, count), out);
  out->append(", ");
  AppendNumbers("logits", std::span<const double>(entries.logits).subspan(begin, count), out);
  out->append("}");
}

}  // namespace

void AppendLogicalJson(const Row<double>& row, std::string* out) {
  const auto stride = static_cast<size_t>(row.stride);
  size_t begin = 0;
  out->append("{\"tokens\": [");
  for (size_t i = 0; i < row.top_counts.size(); ++i) {
    out->append(i > 0 ? ", {\"logsumexp\": " : "{\"logsumexp\": ");
    AppendNumber(row.logsumexp[i], out);
    AppendEntries("top", row.top, begin, row.top_counts[i], out);
    AppendEntries("sampled", row.sampled, i * stride, stride, out);
    if (row.token_ids) {
      out->append(", \"token_id\": ");
      AppendNumber((*row.token_ids)[i], out);
    }
    out->append("}");
    begin += row.top_counts[i];
  }
  out->append("]}\n");
}

}  // namespace logitpack
