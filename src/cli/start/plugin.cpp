#include "cli/start/plugin.h"

#include <dlfcn.h>
#include <sys/auxv.h>

#include <system_error>

#include "cli/start/heap.h"
#include "error.h"

namespace iris {
namespace {

void* load(const char* library) {
  std::error_code error;
  std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {  // without /proc: as it was started
    program = std::filesystem::canonical(reinterpret_cast<const char*>(::getauxval(AT_EXECFN)));
  }
  return open_library(path_of_library(library, program), program);
}

}  // namespace

void* plugin_function(Plugin plugin, const char* name) {
  if (plugin == Plugin::kServeVerb) {  // a server may take its time to start, but its heap may not grow
    static void* const serve_verb = load("libiris_serve_verb.so");
    return function_of(serve_verb, name);
  }
  static void* const torch_verbs = (prepare_heap(), load("libiris_torch_verbs.so"));
  return function_of(torch_verbs, name);
}

std::string path_of_library(const std::string& library, const std::filesystem::path& program) {
  for (const char* folder : {".", IRIS_VERBS_FROM_PROGRAM}) {
    const std::filesystem::path path = program.parent_path() / folder / library;
    if (std::filesystem::exists(path)) {
      return path.string();
    }
  }
  throw InputError(library + " is not beside " + program.string() +
                   ", which needs it; build again with script/build, or install both with cmake --install");
}

// The loader does not look for a library again whose name is loaded already: so the LibTorch that was found is loaded
// first.
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

void* function_of(void* library, const char* name) {
  void* const function = ::dlsym(library, name);
  if (function == nullptr) {
    throw InputError(std::string("the libraries beside iris are not of this iris: ") + ::dlerror() +
                     "; build again with script/build, or install both with cmake --install");
  }
  return function;
}

}  // namespace iris
