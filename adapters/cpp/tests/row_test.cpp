// The decoding of a row, without a container.
#include <cmath>

#include "testing.h"

namespace {

using namespace testing;

// n tokens of `count` nucleus entries and one tail entry each, all codes `code`, in one range.
struct Built {
  Built(size_t n, uint8_t count, uint16_t code, float min, float max)
      : counts(n, count),
        low(n * count, 9),
        codes(n * count, code),
        high((n * count + 3) / 4),
        mins(n, min),
        maxs(n, max),
        logsumexp(n, 1.0) {
    row.num_tokens = static_cast<int64_t>(n);
    row.top_counts = counts;
    row.top = {low, high, codes, mins, maxs};
    row.sampled = {std::span(low).first(n), std::span(high).first((n + 3) / 4), std::span(codes).first(n), mins, maxs};
    row.logsumexp = logsumexp;
  }
  std::vector<uint8_t> counts;
  std::vector<uint16_t> low, codes;
  std::vector<uint8_t> high;
  std::vector<float> mins, maxs;
  std::vector<double> logsumexp;
  logitpack::StoredRow row;
};

// The example of section 7.
void BitOrder() {
  Built built(1, 5, 0, 0, 1);
  built.low = {5, 5, 5, 65535, 7};
  built.high = {0xE4, 0x00};
  built.row.top.low = built.low;
  built.row.top.high = built.high;
  logitpack::Row<float> row;
  ExpectEqual(true, Decode(built.row, logitpack::kNoVocabulary, &row).ok(), "decodes");
  ExpectEqual(true, row.top.indices == std::vector<int32_t>{5, 65541, 131077, 262143, 7}, "indices");
  built.high = {0xE4, 0xFD};  // padding is ignored, the two low bits are the entry's
  ExpectEqual(true, Decode(built.row, logitpack::kNoVocabulary, &row).ok(), "decodes with padding");
  ExpectEqual(65543, row.top.indices[4], "an index beside padding");
}

// Counts are added up in more than eight bits.
void Counts() {
  Built built(300, 100, 1, 0, 1);
  logitpack::Row<float> row;
  ExpectEqual(true, Decode(built.row, logitpack::kNoVocabulary, &row).ok(), "300 tokens of 100 entries");
  ExpectEqual(size_t{30000}, row.top.logits.size(), "entries");
  ExpectEqual(int64_t{1}, row.stride, "S");
}

// |y - v| <= 2^-21 max(|min|, |max|) + 2^-149 (QNT-2), for y in binary32 and binary64.
void Bounds() {
  const float largest = std::numeric_limits<float>::max(), smallest = std::numeric_limits<float>::denorm_min();
  const std::vector<std::pair<float, float>> ranges = {
      {-1.5f, 30.25f}, {0, smallest},    {-smallest, smallest},           {0, largest},
      {-largest, 0},   {-1e30f, 1e-30f}, {1, std::nextafter(1.0f, 2.0f)}, {3, 3}};
  for (const auto& [min, max] : ranges) {
    for (const int code : {0, 1, 2, 32767, 32768, 65534, 65535}) {
      Built built(1, 1, static_cast<uint16_t>(code), min, max);
      logitpack::Row<float> narrow;
      logitpack::Row<double> wide;
      ExpectEqual(true,
                  Decode(built.row, logitpack::kNoVocabulary, &narrow).ok() &&
                      Decode(built.row, logitpack::kNoVocabulary, &wide).ok(),
                  "decodes");
      const long double v = min + static_cast<long double>(code) * (static_cast<long double>(max) - min) / 65535;
      const long double bound =
          std::ldexp(std::max(std::fabs(static_cast<long double>(min)), std::fabs(static_cast<long double>(max))),
                     -21) +
          smallest;
      const std::string what = std::to_string(code) + " in " + std::to_string(min) + " to " + std::to_string(max);
      ExpectEqual(true, std::fabs(narrow.top.logits[0] - v) <= bound, what + ", float");
      ExpectEqual(true, std::fabs(wide.top.logits[0] - v) <= bound, what + ", double");
    }
  }
}

// A row that is rejected leaves nothing of itself (RD-3).
void NoPartialRow() {
  Built good(2, 3, 1, 0, 1), bad(2, 3, 1, 0, 1);
  bad.logsumexp[1] = std::nan("");
  logitpack::Row<float> row;
  ExpectEqual(true, Decode(good.row, logitpack::kNoVocabulary, &row).ok(), "decodes");
  const std::span<const double> before = row.logsumexp;
  const auto status = Decode(bad.row, logitpack::kNoVocabulary, &row);
  ExpectEqual(std::string("LSE-1"), logitpack::Requirement(status), "a NaN");
  ExpectEqual(true, row.logsumexp.data() == before.data() && row.num_tokens == 2, "the row before");
}

}  // namespace

int main() {
  BitOrder();
  Counts();
  Bounds();
  NoPartialRow();
  return Finish();
}
