// The two shared libraries with the verbs that need LibTorch. The program loads one of them when such a verb is typed:
// LibTorch takes a tenth of a second to load, and inspect, convert and --help do not need it.
#pragma once

#include <filesystem>
#include <string>

namespace iris {

enum class Plugin {
  kTorchVerbs,  // predict, evaluate, train
  kServeVerb,   // serve; its own library, so that the others do not load OpenSSL
};

// The function of that C name (cli/plugins/). The first call loads the library and LibTorch. Throws InputError where
// one of them cannot be loaded.
void* plugin_function(Plugin plugin, const char* name);

// The same with its type: plugin_function<int(const TrainOptions&)>(Plugin::kTorchVerbs, "iris_train")(options).
template <typename Function>
Function* plugin_function(Plugin plugin, const char* name) {
  return reinterpret_cast<Function*>(plugin_function(plugin, name));
}

// The steps of plugin_function.

// The path of a library by its file name: in the program's folder, or where cmake --install puts it. Throws InputError
// where it is in neither.
std::string path_of_library(const std::string& library, const std::filesystem::path& program);

// Loads the library at that path with the LibTorch of its rpath, else with the one that find_libtorch finds. Its
// symbols are visible to libraries that are loaded later. Throws InputError where it is damaged or is not for this
// LibTorch.
void* open_library(const std::string& path, const std::filesystem::path& program);

// The function of that C name. Throws InputError where the library does not have it.
void* function_of(void* library, const char* name);

// For an iris that was moved or packaged, whose rpath names a folder of another machine: the first libtorch.so in:
// IRIS_TORCH_DIR (an unpacked libtorch, a site-packages/torch or a Python environment; where it is set, nothing else is
// looked at), the Python environment that `program` lies in, VIRTUAL_ENV, the torch that python3 on PATH would import
// (python3 is run; torch is not imported). rpath_failure: why the rpath does not work, for the message. Throws
// InputError where none of them has it.
std::filesystem::path find_libtorch(const std::filesystem::path& program, const std::string& rpath_failure);

// library: a handle from dlopen, of LibTorch or of a library linked to it. Throws InputError when that LibTorch does
// not have the version that iris was built with: LibTorch's C++ interface may change from one version to the next.
void check_libtorch_version(void* library);

// What to do where there is no LibTorch, for the end of a message.
std::string how_to_get_libtorch();

}  // namespace iris
