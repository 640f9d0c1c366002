// The two shared libraries with the verbs that need LibTorch. The program loads one of them when such a verb is typed:
// LibTorch takes a tenth of a second to load, and inspect, convert and --help do not need it.
#pragma once

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

}  // namespace iris
