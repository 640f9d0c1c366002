// The two shared libraries that hold the work of the verbs that need LibTorch. The program loads one when such a verb
// is asked for: LibTorch takes a tenth of a second to load, and inspect, convert and --help do without it.
#pragma once

namespace iris {

enum class Plugin {
  kTorchVerbs,  // predict, evaluate, train
  kServeVerb,   // serve; a library of its own, so that the others do not load OpenSSL
};

// The function of that C name (cli/plugins/). Loads the library, and the LibTorch that it needs, at the first call.
// Throws InputError where one of them cannot be loaded.
void* plugin_function(Plugin plugin, const char* name);

// The same with its type: plugin_function<int(const TrainOptions&)>(Plugin::kTorchVerbs, "iris_train")(options).
template <typename Function>
Function* plugin_function(Plugin plugin, const char* name) {
  return reinterpret_cast<Function*>(plugin_function(plugin, name));
}

}  // namespace iris
