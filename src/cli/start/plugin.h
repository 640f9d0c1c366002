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

// The steps of plugin_function. All throw InputError.

// The path of a library by its file name: in the program's folder, or where cmake --install puts it.
std::string path_of_library(const std::string& library, const std::filesystem::path& program);

// Loads the library at that path with the LibTorch of its rpath, else with the one that find_libtorch finds. Its
// symbols are visible to libraries that are loaded later.
void* open_library(const std::string& path, const std::filesystem::path& program);

// The function of that C name.
void* function_of(void* library, const char* name);

}  // namespace iris
