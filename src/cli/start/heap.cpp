#include "cli/start/heap.h"

#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iterator>

namespace iris {
namespace {

constexpr int kHeap = 48 << 20;
constexpr std::size_t kPiece = 64 << 10;
constexpr std::size_t kHugePage = 2 << 20;

}  // namespace

void prepare_heap() {
  const auto* const before = static_cast<char*>(::sbrk(0));
  ::mallopt(M_TOP_PAD, kHeap);
  void* pieces[] = {std::malloc(kPiece), std::malloc(kPiece), std::malloc(kPiece)};  // the heap has to grow
  std::for_each(std::begin(pieces), std::end(pieces), std::free);
  const auto* const after = static_cast<char*>(::sbrk(0));
  const std::size_t skipped = (kHugePage - reinterpret_cast<std::uintptr_t>(before) % kHugePage) % kHugePage;
  if (before + skipped < after) {
    ::madvise(const_cast<char*>(before) + skipped, static_cast<std::size_t>(after - before) - skipped, MADV_HUGEPAGE);
  }
}

}  // namespace iris
