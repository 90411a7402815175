// Types, nulls, and every requirement on a row, through Arrow arrays.
#include "testing.h"

namespace {

using namespace arrow;
using namespace testing;

const TemporaryFolder folder;

std::string ReadBack(const Fields& fields, const std::string& container) {
  const auto path = folder.path / ("rows." + container);
  Write(path, MakeBatch(fields));
  return Read(path);
}

void AcceptedTypes() {
  const auto with_lists = [](auto list_of) {
    Fields fields = OneRow();
    for (auto& [name, field] : fields) {
      if (field.type->id() == Type::LIST) field.type = list_of(name, field.type->field(0)->type());
    }
    return fields;
  };
  const auto with_type = [](const std::string& suffix, const std::shared_ptr<DataType>& type) {
    Fields fields = OneRow();
    for (auto& [name, field] : fields) {
      if (name.ends_with(suffix)) field.type = type;
    }
    return fields;
  };
  for (const std::string container : {"parquet", "arrow", "arrows"}) {
    for (const auto& type : {int32(), int64(), uint32(), uint64()}) {
      ExpectEqual(kOneRow, ReadBack(with_type("_low", list(type)), container), container + " low " + type->ToString());
      ExpectEqual(kOneRow, ReadBack(with_type("quantized", list(type)), container),
                  container + " codes " + type->ToString());
    }
    for (const auto& type : {int8(), int16(), int32(), int64(), uint16(), uint32(), uint64()}) {
      ExpectEqual(kOneRow, ReadBack(with_type("num_tokens", type), container),
                  container + " num_tokens " + type->ToString());
      ExpectEqual(kOneRow, ReadBack(with_type("counts", list(type)), container),
                  container + " counts " + type->ToString());
    }
    for (const auto& type : {float16(), float32(), float64()}) {
      ExpectEqual(kOneRow, ReadBack(with_type("min", list(type)), container), container + " min " + type->ToString());
      ExpectEqual(kOneRow, ReadBack(with_type("logsumexp", list(type)), container),
                  container + " logsumexp " + type->ToString());
    }
    ExpectEqual(kOneRow, ReadBack(with_lists([](auto, auto type) { return large_list(type); }), container),
                container + " large_list");
    ExpectEqual(kOneRow, ReadBack(with_type("high", large_binary()), container), container + " large_binary");
    if (container == "parquet") continue;
    ExpectEqual(kOneRow, ReadBack(with_lists([](auto, auto type) { return list_view(type); }), container),
                container + " list_view");
    ExpectEqual(kOneRow, ReadBack(with_lists([](auto, auto type) { return large_list_view(type); }), container),
                container + " large_list_view");
    ExpectEqual(kOneRow, ReadBack(with_type("high", binary_view()), container), container + " binary_view");
    const auto fixed = [](const std::string& name, const auto& type) {
      const bool nucleus = name == "top_indices_low" || name == "top_logits_quantized";
      return fixed_size_list(type, nucleus                                                                     ? 5
                                   : name.starts_with("sampled_indices") || name == "sampled_logits_quantized" ? 4
                                                                                                               : 2);
    };
    ExpectEqual(kOneRow, ReadBack(with_lists(fixed), container), container + " fixed_size_list");
  }
}

struct Change {
  const char* expected;
  const char* column;
  Cells cells;
};

void Faults() {
  const auto wide = list(int64());
  const auto floats = list(float32());
  const std::vector<Change> changes = {
      {"COL-2", "num_tokens", {utf8(), R"(["2"])"}},
      {"COL-2", "num_tokens", {float64(), "[2]"}},
      {"COL-2", "num_tokens", {date32(), "[2]"}},
      {"COL-2", "num_tokens", {list(int32()), "[[2]]"}},
      {"COL-2", "top_counts", {binary(), R"(["\u0003\u0002"])"}},
      {"COL-2", "top_indices_high", {utf8(), R"(["d\u0003"])"}},
      {"COL-2", "top_indices_high", {fixed_size_binary(2), R"(["d\u0003"])"}},
      {"COL-2", "top_min", {list(int32()), "[[7, 3]]"}},
      {"COL-2", "top_min", {list(decimal128(5, 2)), R"([["7.00", "3.00"]])"}},
      {"COL-2", "logsumexp", {list(list(float64())), "[[[10.25], [4.5]]]"}},
      {"COL-2", "token_ids", {list(float32()), "[[1, 2]]"}},
      {"COL-3", "num_tokens", {int32(), "[null]"}},
      {"COL-3", "top_counts", {list(uint8()), "[null]"}},
      {"COL-3", "top_indices_low", {list(uint16()), "[[5, 5, null, 65535, 7]]"}},
      {"COL-3", "sampled_indices_high", {binary(), "[null]"}},
      {"COL-3", "logsumexp", {list(float64()), "[[null, 4.5]]"}},
      {"COL-3", "token_ids", {list(int32()), "[[1, null]]"}},
      {"ROW-1", "num_tokens", {int32(), "[0]"}},
      {"ROW-1", "num_tokens", {int64(), "[4294967298]"}},
      {"ROW-1", "num_tokens", {uint64(), "[18446744073709551615]"}},
      {"ROW-2", "num_tokens", {int32(), "[3]"}},
      {"ROW-2", "sampled_max", {floats, "[[2]]"}},
      {"ROW-2", "logsumexp", {list(float64()), "[[10.25, 4.5, 1]]"}},
      {"NUC-1", "top_counts", {list(uint8()), "[[5, 0]]"}},
      {"NUC-1", "top_counts", {wide, "[[259, 2]]"}},
      {"NUC-1", "top_counts", {wide, "[[6, -1]]"}},
      {"ROW-3", "top_counts", {list(uint8()), "[[3, 3]]"}},
      {"ROW-3", "top_logits_quantized", {list(uint16()), "[[65535, 13107, 0, 65535]]"}},
      {"ROW-4", "sampled_indices_low", {list(uint16()), "[[12, 65534, 65535]]"}},
      {"ROW-4", "sampled_indices_low", {list(uint16()), "[[]]"}},
      {"ROW-4", "sampled_logits_quantized", {list(uint16()), "[[0, 65535]]"}},
      {"IDX-3", "top_indices_high", {binary(), R"(["d"])"}},
      {"IDX-3", "sampled_indices_high", {binary(), R"(["L\u0000"])"}},
      {"IDX-1", "top_indices_low", {wide, "[[5, 65536, 5, 65535, 7]]"}},
      {"IDX-1", "sampled_indices_low", {wide, "[[12, -1, 65535, 0]]"}},
      {"QNT-8", "top_logits_quantized", {wide, "[[65536, 13107, 0, 65535, 0]]"}},
      {"QNT-1", "top_min", {floats, "[[11, 3]]"}},
      {"QNT-1", "top_max", {floats, "[[NaN, 4]]"}},
      {"QNT-1", "sampled_max", {floats, "[[2, Inf]]"}},
      {"QNT-1", "sampled_max", {list(float64()), "[[2, 1e300]]"}},
      {"QNT-1", "top_min", {floats, "[[-3e38, 3]]"}},  // the range is infinite once its upper end is 3e38, see below
      {"LSE-1", "logsumexp", {list(float64()), "[[10.25, NaN]]"}},
  };
  for (const std::string container : {"parquet", "arrow", "arrows"}) {
    for (const auto& change : changes) {
      Fields fields = OneRow();
      fields[change.column] = change.cells;
      if (change.cells.json == "[[-3e38, 3]]") fields["top_max"].json = "[[3e38, 4]]";
      ExpectEqual(std::string(change.expected), ReadBack(fields, container),
                  container + " " + change.column + " " + change.cells.json);
    }
  }
}

void Presence() {
  for (const auto& [name, field] : OneRow()) {
    Fields fields = OneRow();
    fields.erase(name);
    ExpectEqual(std::string("COL-1"), ReadBack(fields, "arrow"), "without " + name);
  }
  for (const std::string container : {"parquet", "arrow", "arrows"}) {
    auto batch = MakeBatch(OneRow());
    batch = batch->AddColumn(0, batch->schema()->field(3), batch->column(3)).ValueOrDie();
    const auto path = folder.path / ("twice." + container);
    Write(path, batch);
    ExpectEqual(std::string("COL-1"), Read(path), container + ", a column twice");
  }
}

void OtherColumns() {
  Fields fields = OneRow();
  fields["nested"] = {list(struct_({field("num_tokens", utf8()), field("b", map(utf8(), list(float32())))})), "[null]"};
  fields["views"] = {utf8_view(), R"(["a text that is longer than twelve bytes"])"};
  for (const std::string container : {"arrow", "arrows"})
    ExpectEqual(kOneRow, ReadBack(fields, container), container + ", other columns");
  fields.erase("views");
  ExpectEqual(kOneRow, ReadBack(fields, "parquet"), "parquet, other columns");
}

// token_ids that break ALN-4 are left out, and the row is read.
void TokenIds() {
  const std::string with_ids = [] {
    std::string text = kOneRow;
    text.replace(text.find("]}}, {"), 6, R"(]}, "token_id": 7}, {)");
    return text.replace(text.rfind("}]}"), 3, R"(, "token_id": 2147483647}]})");
  }();
  for (const auto& [ids, expected] : std::map<std::string, std::string>{{"[[7, 2147483647]]", with_ids},
                                                                        {"[[7, 2147483648]]", kOneRow},
                                                                        {"[[7, 4294967303]]", kOneRow},
                                                                        {"[[-1, 7]]", kOneRow},
                                                                        {"[[7]]", kOneRow},
                                                                        {"[[]]", kOneRow}}) {
    Fields fields = OneRow();
    fields["token_ids"] = {list(int64()), ids};
    for (const std::string container : {"parquet", "arrow"})
      ExpectEqual(expected, ReadBack(fields, container), container + " ids " + ids);
  }
}

// Nulls, and values out of range, that no list holds are none of the column's.
void Slices() {
  Fields fields = OneRow();
  fields["top_indices_low"] = {list(int64()), "[[-1, null, 99999], [5, 5, 5, 65535, 7]]"};
  for (auto& [name, field] : fields) {
    if (name != "top_indices_low")
      field.json = field.json.substr(0, field.json.size() - 1) + ", " + field.json.substr(1);
  }
  const auto slice = MakeBatch(fields)->Slice(1);
  for (const std::string container : {"parquet", "arrow", "arrows"}) {
    const auto path = folder.path / ("slice." + container);
    Write(path, slice);
    ExpectEqual(kOneRow, Read(path), container + ", a slice");
  }
  auto values = json::ArrayFromJSONString(int64(), "[null, 5, 5, 5, 65535, 7, -1]").ValueOrDie();
  auto offsets = json::ArrayFromJSONString(int32(), "[1, 6]").ValueOrDie();
  auto batch = MakeBatch(OneRow());
  const int column = batch->schema()->GetFieldIndex("top_indices_low");
  batch = batch
              ->SetColumn(column, field("top_indices_low", list(int64())),
                          ListArray::FromArrays(*offsets, *values).ValueOrDie())
              .ValueOrDie();
  Write(folder.path / "hidden.arrows", batch);
  ExpectEqual(kOneRow, Read(folder.path / "hidden.arrows"), "values that no list holds");
}

}  // namespace

int main() {
  AcceptedTypes();
  Faults();
  Presence();
  OtherColumns();
  TokenIds();
  Slices();
  return Finish();
}
