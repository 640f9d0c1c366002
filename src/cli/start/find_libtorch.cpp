#include <dlfcn.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>

#include "cli/start/plugin.h"
#include "error.h"

namespace iris {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLibrary = "lib/libtorch.so";

// The current folder is removed from the path first: a file in it could have the name of a module that is imported.
constexpr const char* kAskPython =
    "python3 -c 'import sys\n"
    "sys.path = [folder for folder in sys.path if folder]\n"
    "import importlib.util\n"
    "torch = importlib.util.find_spec(\"torch\")\n"
    "print(torch.submodule_search_locations[0] if torch else \"\")' 2>/dev/null </dev/null";

std::optional<fs::path> libtorch_in(const fs::path& folder) {
  std::error_code error;  // a folder that cannot be read holds none
  for (const char* inner : {"", "libtorch", "torch"}) {
    if (fs::exists(folder / inner / kLibrary, error)) {
      return folder / inner / kLibrary;
    }
  }
  for (const char* inner : {"lib", "lib64"}) {
    for (const auto& entry : fs::directory_iterator(folder / inner, error)) {
      const fs::path library = entry.path() / "site-packages/torch" / kLibrary;
      if (entry.path().filename().string().starts_with("python3") && fs::exists(library, error)) {
        return library;
      }
    }
  }
  return std::nullopt;
}

std::string torch_of_python() {
  const std::unique_ptr<FILE, int (*)(FILE*)> python(::popen(kAskPython, "r"), ::pclose);
  char answer[4096] = "";
  if (python != nullptr && std::fgets(answer, sizeof answer, python.get()) != nullptr) {
    answer[std::strcspn(answer, "\n")] = '\0';
  }
  return answer;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

fs::path find_libtorch(const fs::path& program, const std::string& rpath_failure) {
  const std::string chosen = variable("IRIS_TORCH_DIR");
  if (!chosen.empty()) {
    if (const auto library = libtorch_in(chosen)) {
      return *library;
    }
    throw InputError("IRIS_TORCH_DIR: " + chosen + " holds no LibTorch: there is no " + kLibrary + " in it; " +
                     how_to_get_libtorch());
  }
  const fs::path environment = program.parent_path().parent_path();
  if (const auto library = libtorch_in(environment)) {
    return *library;
  }
  const std::string active = variable("VIRTUAL_ENV");
  if (const auto library = active.empty() ? std::nullopt : libtorch_in(active)) {
    return *library;
  }
  const std::string torch = torch_of_python();
  if (const auto library = torch.empty() ? std::nullopt : libtorch_in(torch)) {
    return *library;
  }
  throw InputError("LibTorch was not found. Looked for it:\n  where iris was built: " + rpath_failure +
                   "\n  in IRIS_TORCH_DIR: not set\n  in the Python environment " + environment.string() +
                   ": none\n  in VIRTUAL_ENV: " + (active.empty() ? "not set" : active + ": none") +
                   "\n  by python3 on PATH: " + (torch.empty() ? "no torch" : torch + ": none") + "\n" +
                   how_to_get_libtorch());
}

void check_libtorch_version(void* library) {
  constexpr std::string_view kBuiltWith = IRIS_TORCH_VERSION;
  if (!IRIS_TORCH_TELLS_VERSION) {
    return;
  }
  void* const symbol = ::dlsym(library, "aoti_torch_abi_version");
  if (symbol == nullptr) {
    throw InputError("the LibTorch found is older than the " + std::string(kBuiltWith) + " that iris was built with; " +
                     how_to_get_libtorch());
  }
  const std::uint64_t version = reinterpret_cast<std::uint64_t (*)()>(symbol)();
  const auto part = [version](int shift) { return std::to_string(version >> shift & 0xFF); };
  const std::string found = part(56) + "." + part(48) + "." + part(40);
  if (found != kBuiltWith) {
    Dl_info place = {};
    ::dladdr(symbol, &place);
    throw InputError(std::string(place.dli_fname) + " is LibTorch " + found + ", and iris was built with " +
                     std::string(kBuiltWith) + "; " + how_to_get_libtorch());
  }
}

std::string how_to_get_libtorch() {
  return "install the one that iris was built with into a Python environment "
         "(python3 -m venv DIR; DIR/bin/python -m pip install torch==" IRIS_TORCH_VERSION
         ") and activate it "
         "or name it in IRIS_TORCH_DIR; an unpacked libtorch or a site-packages/torch will do there too";
}

}  // namespace iris
