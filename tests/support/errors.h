// What a piece of work throws, as text to compare.
#pragma once

#include <string>

#include "error.h"

namespace iris::test {

// The message of the Error that `work` throws; "" when it throws none. Other exceptions pass through and fail the test.
template <typename Error, typename Work>
std::string error_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

// What that Error lets the caller choose; kNothing when `work` throws none.
template <typename Error, typename Work>
Choice choice_of(Work&& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.choice;
  }
  return {};
}

// What is said of a global outside the allow-list.
inline std::string refused_global(const std::string& name) {
  return "global " + name +
         " is not allowed in a state_dict, and nothing was run; where the file was made, save the numbers alone: "
         "torch.save(model.state_dict(), \"model.pt\")";
}

}  // namespace iris::test
