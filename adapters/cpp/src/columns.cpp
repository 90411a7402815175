#include "columns.h"

#include <arrow/util/float16.h>

#include "status.h"

namespace logitpack {
namespace {

using arrow::Array;
using arrow::Result;
using arrow::Status;
using arrow::Type;

bool IsList(Type::type id) {
  return id == Type::LIST || id == Type::LARGE_LIST || id == Type::FIXED_SIZE_LIST || id == Type::LIST_VIEW ||
         id == Type::LARGE_LIST_VIEW;
}

// COL-2: extension types, dictionaries, strings and all others are not accepted.
bool IsAccepted(Kind kind, const arrow::DataType& type) {
  switch (kind) {
    case Kind::kInteger:
      return arrow::is_integer(type.id());
    case Kind::kIntegers:
      return IsList(type.id()) && arrow::is_integer(type.field(0)->type()->id());
    case Kind::kFloats:
      return IsList(type.id()) && arrow::is_floating(type.field(0)->type()->id());
    case Kind::kBytes:
      return type.id() == Type::BINARY || type.id() == Type::LARGE_BINARY || type.id() == Type::BINARY_VIEW;
  }
  return false;
}

// Calls f with a function from positions to the values of an array of numbers, of the kind of T.
template <typename T, typename F>
bool WithValues(const Array& array, F f) {
  const auto plain = [&]<typename ArrayType>(const ArrayType& numbers) {
    return f([values = numbers.raw_values()](int64_t j) { return values[j]; });
  };
  if constexpr (std::is_integral_v<T>) {
    switch (array.type_id()) {
      case Type::INT8:
        return plain(static_cast<const arrow::Int8Array&>(array));
      case Type::INT16:
        return plain(static_cast<const arrow::Int16Array&>(array));
      case Type::INT32:
        return plain(static_cast<const arrow::Int32Array&>(array));
      case Type::INT64:
        return plain(static_cast<const arrow::Int64Array&>(array));
      case Type::UINT8:
        return plain(static_cast<const arrow::UInt8Array&>(array));
      case Type::UINT16:
        return plain(static_cast<const arrow::UInt16Array&>(array));
      case Type::UINT32:
        return plain(static_cast<const arrow::UInt32Array&>(array));
      case Type::UINT64:
        return plain(static_cast<const arrow::UInt64Array&>(array));
      default:
        return false;
    }
  } else {
    switch (array.type_id()) {
      case Type::HALF_FLOAT:
        return f([values = static_cast<const arrow::HalfFloatArray&>(array).raw_values()](int64_t j) {
          return arrow::util::Float16::FromBits(values[j]).ToDouble();
        });
      case Type::FLOAT:
        return plain(static_cast<const arrow::FloatArray&>(array));
      case Type::DOUBLE:
        return plain(static_cast<const arrow::DoubleArray&>(array));
      default:
        return false;
    }
  }
}

Status NoNulls(const Array& array, int column) {
  if (array.null_count() == 0) return Status::OK();
  return Broken("COL-3", kColumns[static_cast<size_t>(column)].name, " has a null");
}

// A column of lists as lists of T. In the canonical type nothing is copied; any other is converted list by list.
template <typename T>
class Lists {
 public:
  explicit Lists(Column column) : column_(column) {}

  Status Reset(const Array& lists) {
    ARROW_RETURN_NOT_OK(NoNulls(lists, column_));
    extents_ = ListExtents(lists);
    has_nulls_ = extents_.values->null_count() != 0;
    return CheckSharing();
  }

  // Nulls in values that no list holds do not matter.
  Result<std::span<const T>> At(size_t row) {
    const auto [begin, size] = extents_.rows[row];
    const Array& values = *extents_.values;
    if (has_nulls_) ARROW_RETURN_NOT_OK(NoNulls(*values.Slice(begin, size), column_));
    using ArrowType = typename arrow::CTypeTraits<T>::ArrowType;
    if (values.type_id() == ArrowType::type_id) {
      return std::span(static_cast<const arrow::NumericArray<ArrowType>&>(values).raw_values() + begin,
                       static_cast<size_t>(size));
    }
    const bool fits = WithValues<T>(values, [&, begin = begin, size = size](auto value) {
      return Narrow([&](int64_t j) { return value(begin + j); }, size, &converted_);
    });
    const ColumnInfo& info = kColumns[column_];
    if (!fits) return Broken(info.range, "a value of ", info.name, " is out of range");
    return std::span<const T>(converted_);
  }

 private:
  // Views may share their values: a small file could stand for more rows than anybody has time for.
  Status CheckSharing() const {
    int64_t left = (1 << 20) + 64 * extents_.values->length();
    for (const auto& [begin, size] : extents_.rows) {
      left -= size;
      if (left < 0) return Status::CapacityError("lists of ", kColumns[column_].name, " share their values");
    }
    return Status::OK();
  }

  Column column_;
  Extents extents_;
  bool has_nulls_ = false;
  std::vector<T> converted_;
};

class Binaries {
 public:
  explicit Binaries(Column column) : column_(column) {}

  Status Reset(std::shared_ptr<Array> array) {
    array_ = std::move(array);
    return NoNulls(*array_, column_);
  }

  std::span<const uint8_t> At(int64_t row) const {
    const std::string_view bytes = View(row);
    return {reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size()};
  }

 private:
  std::string_view View(int64_t row) const {
    switch (array_->type_id()) {
      case Type::LARGE_BINARY:
        return static_cast<const arrow::LargeBinaryArray&>(*array_).GetView(row);
      case Type::BINARY_VIEW:
        return static_cast<const arrow::BinaryViewArray&>(*array_).GetView(row);
      default:
        return static_cast<const arrow::BinaryArray&>(*array_).GetView(row);
    }
  }

  Column column_;
  std::shared_ptr<Array> array_;
};

// The five columns of the nucleus, or those of the tail.
struct EntryColumns {
  Lists<uint16_t> low;
  Binaries high;
  Lists<uint16_t> codes;
  Lists<float> min, max;

  Result<StoredEntries> At(int64_t row) {
    const auto i = static_cast<size_t>(row);
    StoredEntries entries;
    ARROW_ASSIGN_OR_RAISE(entries.low, low.At(i));
    entries.high = high.At(row);
    ARROW_ASSIGN_OR_RAISE(entries.codes, codes.At(i));
    ARROW_ASSIGN_OR_RAISE(entries.min, min.At(i));
    ARROW_ASSIGN_OR_RAISE(entries.max, max.At(i));
    return entries;
  }
};

class ArrowRowSource : public RowSource {
 public:
  explicit ArrowRowSource(std::shared_ptr<arrow::RecordBatchReader> batches) : batches_(std::move(batches)) {}

  Result<bool> Next(StoredRow* row) override {
    while (!batch_ || row_ == batch_->num_rows()) {
      batch_.reset();
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch_));
      if (!batch_) return false;
      ARROW_RETURN_NOT_OK(Reset());
    }
    const auto i = static_cast<size_t>(row_);
    row->num_tokens = num_tokens_[i];
    ARROW_ASSIGN_OR_RAISE(row->top_counts, top_counts_.At(i));
    ARROW_ASSIGN_OR_RAISE(row->top, top_.At(row_));
    ARROW_ASSIGN_OR_RAISE(row->sampled, sampled_.At(row_));
    ARROW_ASSIGN_OR_RAISE(row->logsumexp, logsumexp_.At(i));
    ARROW_RETURN_NOT_OK(ReadTokenIds(i, row));
    ++row_;
    return true;
  }

 private:
  Status Reset() {
    ARROW_RETURN_NOT_OK(Damaged(batch_->ValidateFull()));
    row_ = 0;
    ARROW_ASSIGN_OR_RAISE(const auto fields, FindColumns(*batch_->schema()));
    const auto column = [&](Column c) { return batch_->column(fields[c]); };
    ARROW_RETURN_NOT_OK(NoNulls(*column(kNumTokens), kNumTokens));
    if (!WithValues<int64_t>(*column(kNumTokens),
                             [&](auto value) { return Narrow(value, batch_->num_rows(), &num_tokens_); })) {
      return Broken("ROW-1", "num_tokens is out of range");
    }
    ARROW_RETURN_NOT_OK(top_counts_.Reset(*column(kTopCounts)));
    ARROW_RETURN_NOT_OK(top_.low.Reset(*column(kTopLow)));
    ARROW_RETURN_NOT_OK(top_.high.Reset(column(kTopHigh)));
    ARROW_RETURN_NOT_OK(top_.codes.Reset(*column(kTopCodes)));
    ARROW_RETURN_NOT_OK(top_.min.Reset(*column(kTopMin)));
    ARROW_RETURN_NOT_OK(top_.max.Reset(*column(kTopMax)));
    ARROW_RETURN_NOT_OK(sampled_.low.Reset(*column(kSampledLow)));
    ARROW_RETURN_NOT_OK(sampled_.high.Reset(column(kSampledHigh)));
    ARROW_RETURN_NOT_OK(sampled_.codes.Reset(*column(kSampledCodes)));
    ARROW_RETURN_NOT_OK(sampled_.min.Reset(*column(kSampledMin)));
    ARROW_RETURN_NOT_OK(sampled_.max.Reset(*column(kSampledMax)));
    ARROW_RETURN_NOT_OK(logsumexp_.Reset(*column(kLogsumexp)));
    has_token_ids_ = fields[kTokenIds] >= 0;
    return has_token_ids_ ? token_ids_.Reset(*column(kTokenIds)) : Status::OK();
  }

  // A null is a fault of the file (COL-3); an id that is no int32 is one of the ids only (ALN-4).
  Status ReadTokenIds(size_t i, StoredRow* row) {
    row->token_ids.reset();
    if (!has_token_ids_) return Status::OK();
    auto ids = token_ids_.At(i);
    if (ids.ok()) {
      row->token_ids = *ids;
    } else if (Requirement(ids.status()) != "ALN-4") {
      return ids.status();
    }
    return Status::OK();
  }

  std::shared_ptr<arrow::RecordBatchReader> batches_;
  std::shared_ptr<arrow::RecordBatch> batch_;
  int64_t row_ = 0;
  std::vector<int64_t> num_tokens_;
  Lists<uint8_t> top_counts_{kTopCounts};
  EntryColumns top_{Lists<uint16_t>(kTopLow), Binaries(kTopHigh), Lists<uint16_t>(kTopCodes), Lists<float>(kTopMin),
                    Lists<float>(kTopMax)};
  EntryColumns sampled_{Lists<uint16_t>(kSampledLow), Binaries(kSampledHigh), Lists<uint16_t>(kSampledCodes),
                        Lists<float>(kSampledMin), Lists<float>(kSampledMax)};
  Lists<double> logsumexp_{kLogsumexp};
  Lists<int32_t> token_ids_{kTokenIds};
  bool has_token_ids_ = false;
};

}  // namespace

Result<std::array<int, kNumColumns>> FindColumns(const arrow::Schema& schema) {
  std::array<int, kNumColumns> fields;
  for (size_t c = 0; c < kNumColumns; ++c) {
    const ColumnInfo& info = kColumns[c];
    const std::vector<int> found = schema.GetAllFieldIndices(std::string(info.name));
    if (found.size() > 1 || (found.empty() && c != kTokenIds)) {
      return Broken("COL-1", info.name, found.empty() ? " is missing" : " is there more than once");
    }
    fields[c] = found.empty() ? -1 : found[0];
    if (!found.empty() && !IsAccepted(info.kind, *schema.field(found[0])->type())) {
      return Broken("COL-2", info.name, " is ", schema.field(found[0])->type()->ToString());
    }
  }
  return fields;
}

Extents ListExtents(const Array& lists) {
  const auto extents = [](const auto& typed) {
    Extents result{typed.values(), {}};
    result.rows.reserve(static_cast<size_t>(typed.length()));
    for (int64_t i = 0; i < typed.length(); ++i) result.rows.emplace_back(typed.value_offset(i), typed.value_length(i));
    return result;
  };
  switch (lists.type_id()) {
    case Type::LARGE_LIST:
      return extents(static_cast<const arrow::LargeListArray&>(lists));
    case Type::FIXED_SIZE_LIST:
      return extents(static_cast<const arrow::FixedSizeListArray&>(lists));
    case Type::LIST_VIEW:
      return extents(static_cast<const arrow::ListViewArray&>(lists));
    case Type::LARGE_LIST_VIEW:
      return extents(static_cast<const arrow::LargeListViewArray&>(lists));
    default:
      return extents(static_cast<const arrow::ListArray&>(lists));
  }
}

std::unique_ptr<RowSource> ArrowRows(std::shared_ptr<arrow::RecordBatchReader> batches) {
  return std::make_unique<ArrowRowSource>(std::move(batches));
}

}  // namespace logitpack
