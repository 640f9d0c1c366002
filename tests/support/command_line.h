// A verb, asked as a user asks it.
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "cli/verbs.h"
#include "error.h"

namespace iris::test {

using AddVerb = void (*)(CLI::App& app, Run& run);

// Why the words after "iris" are wrong usage, by the parser or by the verb's own checks; "" where the work began and
// failed.
inline std::string usage_error(AddVerb add, std::vector<std::string> words) {
  CLI::App app("", "iris");
  Run run;
  add(app, run);
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
    run();
  } catch (const CLI::ParseError& error) {
    return error.what();
  } catch (const UsageError& error) {
    return error.what();
  } catch (const Error&) {
  }
  return "";
}

}  // namespace iris::test
