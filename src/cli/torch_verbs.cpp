#include "cli/torch_verbs.h"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <iterator>

#include "error.h"

namespace iris {
namespace {

constexpr int kHeap = 48 << 20;
constexpr std::size_t kPiece = 64 << 10;
constexpr std::size_t kHugePage = 2 << 20;

// LibTorch makes its hundred thousands of small things as it is loaded: the heap for them in one piece, of huge pages
// where the kernel has them, saves most of the page faults.
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

const TorchVerbs& load() {
  prepare_heap();
  // Found beside the program or where it is installed, by the program's own rpath.
  void* library = ::dlopen("libiris_torch_verbs.so", RTLD_LAZY | RTLD_GLOBAL);
  void* function = library != nullptr ? ::dlsym(library, "iris_torch_verbs") : nullptr;
  if (function == nullptr) {
    throw InputError(std::string("LibTorch cannot be loaded: ") + ::dlerror() +
                     "\nRun script/build again, or move the program together with its libraries.");
  }
  return *reinterpret_cast<const TorchVerbs* (*)()>(function)();
}

}  // namespace

const TorchVerbs& torch_verbs() {
  static const TorchVerbs& verbs = load();
  return verbs;
}

}  // namespace iris
