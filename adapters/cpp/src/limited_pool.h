// A memory pool with a limit, in bytes, that remembers the largest allocation it was asked for.
#pragma once

#include <arrow/memory_pool.h>
#include <arrow/status.h>

#include <algorithm>
#include <atomic>

namespace logitpack {

class LimitedPool : public arrow::ProxyMemoryPool {
 public:
  LimitedPool(arrow::MemoryPool* pool, int64_t limit) : ProxyMemoryPool(pool), limit_(limit) {}

  using MemoryPool::Allocate;
  using MemoryPool::Reallocate;

  arrow::Status Allocate(int64_t size, int64_t alignment, uint8_t** out) override {
    ARROW_RETURN_NOT_OK(Ask(size));
    return ProxyMemoryPool::Allocate(size, alignment, out);
  }

  // Both may be there for a while.
  arrow::Status Reallocate(int64_t old_size, int64_t new_size, int64_t alignment, uint8_t** ptr) override {
    ARROW_RETURN_NOT_OK(Ask(new_size));
    return ProxyMemoryPool::Reallocate(old_size, new_size, alignment, ptr);
  }

  int64_t largest_request() const { return largest_; }

 private:
  arrow::Status Ask(int64_t size) {
    largest_ = std::max<int64_t>(largest_, size);
    if (size <= limit_ - bytes_allocated()) return arrow::Status::OK();
    return arrow::Status::OutOfMemory("more than ", limit_, " bytes are needed, ", size, " of them at once");
  }

  const int64_t limit_;
  std::atomic<int64_t> largest_ = 0;
};

}  // namespace logitpack
