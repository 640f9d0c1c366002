// What a piece of work throws, as text to compare.
#pragma once

#include <string>

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

}  // namespace iris::test
