#include "cli/start/plugin.h"

#include <sys/auxv.h>

#include <filesystem>
#include <system_error>

#include "cli/start/heap.h"
#include "cli/start/shared_library.h"

namespace iris {
namespace {

// As the kernel knows it; without /proc, as it was started.
std::filesystem::path path_of_program() {
  std::error_code error;
  const std::filesystem::path program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::canonical(reinterpret_cast<const char*>(::getauxval(AT_EXECFN))) : program;
}

void* load(const char* library) {
  const std::filesystem::path program = path_of_program();
  return open_library(path_of_library(library, program), program);
}

void* load_torch_verbs() {
  prepare_heap();
  return load("libiris_torch_verbs.so");
}

void* library_of(Plugin plugin) {
  if (plugin == Plugin::kServeVerb) {  // a server may take its time to start, but its heap may not grow
    static void* const serve_verb = load("libiris_serve_verb.so");
    return serve_verb;
  }
  static void* const torch_verbs = load_torch_verbs();
  return torch_verbs;
}

}  // namespace

void* plugin_function(Plugin plugin, const char* name) { return function_of(library_of(plugin), name); }

}  // namespace iris
