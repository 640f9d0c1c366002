#include "cli/torch_verbs.h"

#include <dlfcn.h>
#include <malloc.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <string>
#include <system_error>

#include "cli/libtorch.h"
#include "error.h"

namespace iris {
namespace {

constexpr const char* kLibrary = "libiris_torch_verbs.so";
constexpr const char* kServeLibrary = "libiris_serve_verb.so";
constexpr int kHeap = 48 << 20;
constexpr std::size_t kPiece = 64 << 10;
constexpr std::size_t kHugePage = 2 << 20;

// LibTorch makes its many small things as it is loaded: the heap for them in one piece, of huge pages
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

// As the kernel has it; where /proc is not mounted, as it was started.
std::filesystem::path path_of_program() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::canonical(reinterpret_cast<const char*>(::getauxval(AT_EXECFN))) : program;
}

// Beside the program, or where both are installed.
std::string path_of(const char* library, const std::filesystem::path& program) {
  for (const char* folder : {".", IRIS_VERBS_FROM_PROGRAM}) {
    const std::filesystem::path path = program.parent_path() / folder / library;
    if (std::filesystem::exists(path)) {
      return path.string();
    }
  }
  throw InputError(std::string(library) + " is not beside " + program.string() +
                   ", which needs it; build again with script/build, or install both with cmake --install");
}

// With the LibTorch of its rpath, else with the one that is found: a library's name that is loaded is not looked for
// again.
void* open_library(const std::string& path, const std::filesystem::path& program) {
  if (void* library = ::dlopen(path.c_str(), RTLD_LAZY | RTLD_GLOBAL)) {
    check_libtorch_version(library);
    return library;
  }
  const std::string failure = ::dlerror();
  if (failure.starts_with(path) && failure.find("undefined symbol") == std::string::npos) {  // its own fault
    throw InputError(failure + "; it is damaged: build again with script/build, or install it again");
  }
  const std::string libtorch = find_libtorch(program, failure).string();
  void* library = ::dlopen(libtorch.c_str(), RTLD_LAZY | RTLD_GLOBAL);
  if (library != nullptr) {
    check_libtorch_version(library);
    library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_GLOBAL);
  }
  if (library == nullptr) {
    throw InputError(path + " and " + libtorch + " cannot be loaded: " + ::dlerror() + "; " + how_to_get_libtorch());
  }
  return library;
}

// What the library's function returns or does.
template <class Function>
Function* load(const char* library_name, const char* function_name) {
  const std::filesystem::path program = path_of_program();
  void* function = ::dlsym(open_library(path_of(library_name, program), program), function_name);
  if (function == nullptr) {
    throw InputError(std::string(library_name) + " is not of this iris: " + ::dlerror() +
                     "; build again with script/build, or install both with cmake --install");
  }
  return reinterpret_cast<Function*>(function);
}

}  // namespace

const TorchVerbs& torch_verbs() {
  static const TorchVerbs& verbs = []() -> const TorchVerbs& {
    prepare_heap();
    return *load<const TorchVerbs*()>(kLibrary, "iris_torch_verbs")();
  }();
  return verbs;
}

int serve_verb(const ServeOptions& options) {  // a server's start may take its time, its heap may not grow
  return load<int(const ServeOptions&)>(kServeLibrary, "iris_serve_verb")(options);
}

}  // namespace iris
