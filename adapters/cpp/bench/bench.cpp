// Decodes every token of a file, indices as int32 and logits as float, and prints tokens per second.
#include <chrono>
#include <cstdint>
#include <ctime>
#include <iostream>

#include "reader.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace {

struct Totals {
  int64_t tokens = 0;
  int64_t entries = 0;
  double sum = 0;  // of what was decoded, so that none of it is left out
};

arrow::Result<Totals> DecodeAll(const char* path) {
  Totals totals;
  ARROW_ASSIGN_OR_RAISE(const auto files, logitpack::DataFiles(path));
  logitpack::Row<float> row;
  for (const auto& file : files) {
    ARROW_ASSIGN_OR_RAISE(
        const auto reader,
        logitpack::Reader::Open(file, {.root = path, .pool = arrow::system_memory_pool(), .use_threads = true}));
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const bool more, reader->Next(&row));
      if (!more) break;
      totals.tokens += row.num_tokens;
      totals.entries += static_cast<int64_t>(row.top.indices.size() + row.sampled.indices.size());
      totals.sum += double{row.top.logits.back()} + row.sampled.logits.back() + row.top.indices.back() +
                    row.sampled.indices.back();
    }
  }
  return totals;
}

// The buffers of a batch are about as large as those of the one before: what is freed is kept, and not cleared by the
// kernel each time.
void KeepMemory() {
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 30);
  mallopt(M_TRIM_THRESHOLD, 1 << 30);
  mallopt(M_ARENA_MAX, 1);
#endif
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: bench FILE\n";
    return 2;
  }
  KeepMemory();
  for (int run = 0; run < 5; ++run) {
    const auto wall_begin = std::chrono::steady_clock::now();
    const std::clock_t cpu_begin = std::clock();
    const auto totals = DecodeAll(argv[1]);
    const double cpu = static_cast<double>(std::clock() - cpu_begin) / CLOCKS_PER_SEC;
    const double wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - wall_begin).count();
    if (!totals.ok()) {
      std::cerr << totals.status() << "\n";
      return 1;
    }
    std::cout << totals->tokens << " tokens, " << totals->entries << " entries (checksum " << totals->sum
              << "): " << wall << " s wall, " << cpu << " s CPU; " << static_cast<double>(totals->tokens) / wall / 1e6
              << " million tokens/s by wall time, " << static_cast<double>(totals->tokens) / cpu / 1e6
              << " by CPU time\n";
  }
}
