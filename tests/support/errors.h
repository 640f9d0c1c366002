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
inline std::string attack_name(const std::string& name) {
  return "names " + name +
         ", which runs programs: the file is made to attack whoever unpickles it. Nothing in it was run; delete it";
}

}  // namespace iris::test
