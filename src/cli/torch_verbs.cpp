#include "cli/torch_verbs.h"

#include <dlfcn.h>

#include "error.h"

namespace iris {
namespace {

const TorchVerbs& load() {
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
