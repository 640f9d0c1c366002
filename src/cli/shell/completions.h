// Scripts that complete iris's options, made of the same definitions that parse the command line.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace iris {

enum class Shell { kBash, kZsh, kFish };

// For the user's shell to source.
std::string completion_script(const CLI::App& app, Shell shell);

}  // namespace iris
