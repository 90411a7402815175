// Stored JSON, SPEC.md section 4.3. A line is parsed event by event: a tree would have lost what matters (5.0 is not 5,
// a member that stands twice, a decimal number that may be rounded only once).
#include <bitset>
#include <cstdlib>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>

#include "container.h"
#include "status.h"

namespace logitpack {
namespace {

using arrow::Result;
using arrow::Status;
// As in metadata.cpp: the library takes a number beyond its floating-point type for an error in the text.
using Json = nlohmann::basic_json<std::map, std::vector, std::string, bool, int64_t, uint64_t, long double>;

constexpr int64_t kTooLarge = std::numeric_limits<int64_t>::max();  // in range for no column

constexpr size_t kLineLimit = 1 << 27;  // bytes; parsed, a line takes up to eight times as many

// The values of a column in one line.
struct Cell {
  std::vector<int64_t> integers;
  std::vector<double> floats;  // rounded to the column's canonical type
  std::string bytes;
};

// RFC 4648, section 4, and nothing more lenient (JSON-2).
bool DecodeBase64(std::string_view text, std::string* bytes) {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  bytes->clear();
  if (text.size() % 4 != 0) return false;
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with("=") ? 1 : 0;
  uint32_t bits = 0;
  for (size_t i = 0; i < text.size() - padding; ++i) {
    const size_t digit = kAlphabet.find(text[i]);
    if (digit == std::string_view::npos) return false;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    const size_t filled = 6 * (i % 4 + 1) % 8;  // bits of the next byte that are there already
    if (i % 4 != 0) bytes->push_back(static_cast<char>(bits >> filled & 0xFF));
  }
  return (bits & ((1u << 2 * padding) - 1)) == 0;
}

// Takes one line apart. What is wrong with it is kept, and the line read to its end: JSON-1 comes first.
class Line : public nlohmann::json_sax<Json> {
 public:
  std::array<Cell, kNumColumns> cells;

  Status Parse(std::string_view text) {
    depth_ = 0;
    seen_.reset();
    fault_ = Status::OK();
    // The library would skip a byte order mark, and stop at a NUL.
    if (text.starts_with("\xEF\xBB\xBF") || text.find('\0') != std::string_view::npos ||
        !Json::sax_parse(text.begin(), text.end(), this) || !is_object_) {
      return Broken("JSON-1", "a line is not one JSON object");
    }
    for (size_t c = 0; c < kTokenIds; ++c) {
      if (!seen_[c]) Fault(Broken("COL-1", kColumns[c].name, " is missing"));
    }
    return fault_;
  }

  bool has_token_ids() const { return seen_[kTokenIds]; }

  bool start_object(size_t) override {
    if (depth_ == 0) is_object_ = true;
    if (depth_ > 0) WrongType("an object");
    ++depth_;
    return true;
  }

  bool key(std::string& name) override {
    if (depth_ != 1) return true;
    column_ = kNumColumns;
    for (size_t c = 0; c < kNumColumns; ++c) {
      if (name == kColumns[c].name) column_ = c;
    }
    if (column_ == kNumColumns) return true;
    if (seen_[column_]) Fault(Broken("COL-1", name, " stands twice"));
    seen_.set(column_);
    cells[column_].integers.clear();
    cells[column_].floats.clear();
    return true;
  }

  bool end_object() override {
    --depth_;
    return true;
  }

  bool start_array(size_t) override {
    if (depth_ == 0) is_object_ = false;
    if (depth_ > 0 && !(depth_ == 1 && IsKnown() && IsListKind())) WrongType("an array");
    ++depth_;
    return true;
  }

  bool end_array() override {
    --depth_;
    return true;
  }

  bool null() override {
    if (depth_ > 0 && IsKnown()) Fault(Broken("COL-3", Name(), " has a null"));
    return Value();
  }

  bool boolean(bool) override {
    WrongType("a boolean");
    return Value();
  }

  bool number_integer(int64_t value) override { return Integer(value, value); }
  bool number_unsigned(uint64_t value) override {
    return Integer(std::in_range<int64_t>(value) ? static_cast<int64_t>(value) : kTooLarge, value);
  }

  // Also integers that 64 bits do not hold.
  bool number_float(long double, const std::string& text) override {
    if (AtElement(Kind::kFloats)) {
      cells[column_].floats.push_back(column_ == kLogsumexp ? std::strtod(text.c_str(), nullptr)
                                                            : std::strtof(text.c_str(), nullptr));
    } else if (AtInteger() && text.find_first_of(".eE") == std::string::npos) {
      cells[column_].integers.push_back(kTooLarge);
    } else {
      WrongType("a number that is no integer");
    }
    return Value();
  }

  bool string(std::string& text) override {
    static constexpr double kInfinity = std::numeric_limits<double>::infinity();
    if (AtElement(Kind::kFloats) && (text == "NaN" || text == "Infinity" || text == "-Infinity")) {
      cells[column_].floats.push_back(text == "NaN"    ? std::numeric_limits<double>::quiet_NaN()
                                      : text[0] == '-' ? -kInfinity
                                                       : kInfinity);
    } else if (depth_ == 1 && IsKnown() && kColumns[column_].kind == Kind::kBytes) {
      if (!DecodeBase64(text, &cells[column_].bytes)) Fault(Broken("JSON-2", Name(), " is not base64"));
    } else {
      WrongType("a string");
    }
    return Value();
  }

  bool binary(Json::binary_t&) override { return false; }  // there is none in text
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override { return false; }

 private:
  bool IsKnown() const { return column_ < kNumColumns; }
  std::string_view Name() const { return kColumns[column_].name; }
  bool IsListKind() const {
    return kColumns[column_].kind == Kind::kIntegers || kColumns[column_].kind == Kind::kFloats;
  }
  bool AtElement(Kind kind) const { return depth_ == 2 && IsKnown() && kColumns[column_].kind == kind; }
  bool AtInteger() const { return AtElement(Kind::kIntegers) || (depth_ == 1 && column_ == kNumTokens); }

  template <typename T>
  bool Integer(int64_t saturated, T value) {
    if (AtElement(Kind::kFloats)) {
      cells[column_].floats.push_back(column_ == kLogsumexp ? static_cast<double>(value)
                                                            : static_cast<double>(static_cast<float>(value)));
    } else if (AtInteger()) {
      cells[column_].integers.push_back(saturated);
    } else {
      WrongType("a number");
    }
    return Value();
  }

  void WrongType(const char* what) {
    if (depth_ > 0 && IsKnown()) Fault(Broken("COL-2", Name(), " has ", what));
  }

  void Fault(Status status) {
    if (fault_.ok()) fault_ = std::move(status);
  }

  bool Value() {
    if (depth_ == 0) is_object_ = false;
    return true;
  }

  int64_t depth_ = 0;  // of arrays and objects that are open
  bool is_object_ = false;
  size_t column_ = kNumColumns;  // that the member at depth 1 is; kNumColumns for one that is none
  std::bitset<kNumColumns> seen_;
  Status fault_;
};

class JsonRows : public RowSource {
 public:
  explicit JsonRows(std::shared_ptr<arrow::Buffer> file) : file_(std::move(file)), rest_(*file_) {}

  Result<bool> Next(StoredRow* row) override {
    if (rest_.empty()) return false;
    const size_t end = std::min(rest_.find('\n'), rest_.size());
    if (end > kLineLimit) return Status::CapacityError("a line of ", end, " bytes");
    ARROW_RETURN_NOT_OK(line_.Parse(rest_.substr(0, end)));
    rest_.remove_prefix(std::min(end + 1, rest_.size()));
    if (!has_token_ids_) has_token_ids_ = line_.has_token_ids();
    if (*has_token_ids_ != line_.has_token_ids()) return Broken("COL-1", "token_ids is in some lines only");
    ARROW_RETURN_NOT_OK(Take(row));
    return true;
  }

 private:
  Status Take(StoredRow* row) {
    row->num_tokens = line_.cells[kNumTokens].integers.at(0);
    ARROW_RETURN_NOT_OK(Integers(kTopCounts, &top_counts_, &row->top_counts));
    ARROW_RETURN_NOT_OK(TakeEntries(kTopLow, &top_, &row->top));
    ARROW_RETURN_NOT_OK(TakeEntries(kSampledLow, &sampled_, &row->sampled));
    row->logsumexp = line_.cells[kLogsumexp].floats;
    row->token_ids.reset();
    std::span<const int32_t> ids;
    if (*has_token_ids_ && Integers(kTokenIds, &token_ids_, &ids).ok()) row->token_ids = ids;
    return Status::OK();
  }

  struct Buffers {
    std::vector<uint16_t> low, codes;
    std::vector<float> min, max;
  };

  // The five columns from `first` on.
  Status TakeEntries(size_t first, Buffers* buffers, StoredEntries* entries) {
    ARROW_RETURN_NOT_OK(Integers(first, &buffers->low, &entries->low));
    const std::string& high = line_.cells[first + 1].bytes;
    entries->high = {reinterpret_cast<const uint8_t*>(high.data()), high.size()};
    ARROW_RETURN_NOT_OK(Integers(first + 2, &buffers->codes, &entries->codes));
    entries->min = Floats(first + 3, &buffers->min);
    entries->max = Floats(first + 4, &buffers->max);
    return Status::OK();
  }

  template <typename T>
  Status Integers(size_t column, std::vector<T>* buffer, std::span<const T>* out) {
    const auto& values = line_.cells[column].integers;
    if (!Narrow([&](int64_t j) { return values[static_cast<size_t>(j)]; }, static_cast<int64_t>(values.size()),
                buffer)) {
      return Broken(kColumns[column].range, "a value of ", kColumns[column].name, " is out of range");
    }
    *out = *buffer;
    return Status::OK();
  }

  std::span<const float> Floats(size_t column, std::vector<float>* buffer) {
    buffer->assign(line_.cells[column].floats.begin(), line_.cells[column].floats.end());
    return *buffer;
  }

  std::shared_ptr<arrow::Buffer> file_;
  std::string_view rest_;
  Line line_;
  std::optional<bool> has_token_ids_;
  std::vector<uint8_t> top_counts_;
  Buffers top_, sampled_;
  std::vector<int32_t> token_ids_;
};

}  // namespace

// It carries no metadata, and those beside it do not count.
Result<std::unique_ptr<RowSource>> OpenJson(std::shared_ptr<arrow::Buffer> file, const OpenOptions&) {
  return std::make_unique<JsonRows>(std::move(file));
}

}  // namespace logitpack
