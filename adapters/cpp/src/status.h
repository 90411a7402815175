// Two kinds of failure. A file that breaks the specification is Status::Invalid with the id of what it breaks, see
// Requirement. Everything else (a file that cannot be opened, memory that does not suffice, a codec that the library
// lacks) says nothing about the file.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <string>
#include <utility>

namespace logitpack {

class RequirementDetail : public arrow::StatusDetail {
 public:
  explicit RequirementDetail(std::string id) : id_(std::move(id)) {}
  const char* type_id() const override { return "logitpack::RequirementDetail"; }
  std::string ToString() const override { return id_; }

 private:
  std::string id_;
};

// The id of the requirement that a file breaks; empty for any other failure, and for success.
inline std::string Requirement(const arrow::Status& status) {
  const auto* detail = dynamic_cast<const RequirementDetail*>(status.detail().get());
  return detail ? detail->ToString() : "";
}

template <typename... Args>
arrow::Status Broken(const char* requirement, Args&&... args) {
  return arrow::Status::FromDetailAndArgs(arrow::StatusCode::Invalid, std::make_shared<RequirementDetail>(requirement),
                                          std::forward<Args>(args)...);
}

// What Arrow says of a file that it cannot read: FILE-1, but for what is no fault of the file.
inline arrow::Status Damaged(const arrow::Status& status) {
  if (status.ok() || status.IsOutOfMemory() || status.IsCapacityError() || status.IsNotImplemented()) return status;
  return Requirement(status).empty() ? Broken("FILE-1", status.message()) : status;
}

template <typename T>
arrow::Result<T> Damaged(arrow::Result<T> result) {
  if (result.ok()) return result;
  return Damaged(result.status());
}

}  // namespace logitpack
