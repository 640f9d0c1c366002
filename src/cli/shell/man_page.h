// Manual pages in roff, made of the same definitions that parse the command line.
#pragma once

#include <string>

namespace CLI {
class App;
}

namespace iris {

// command: `app` itself, or one of its verbs.
std::string man_page(const CLI::App& app, const CLI::App& command);

}  // namespace iris
