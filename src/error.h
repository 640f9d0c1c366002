// The two errors that a user can cause. A message gives place, then fact, then the way out. Parsers throw without the
// path; the layer that opened the file adds it.
#pragma once

#include <stdexcept>
#include <string>

namespace iris {

// A file is damaged, or holds what we refuse.
class FormatError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The caller's data, options or device cannot be used. Exit status 1.
class InputError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

// The command itself is wrong, whatever the files hold. Exit status 2.
class UsageError : public InputError {
 public:
  using InputError::InputError;
};

}  // namespace iris
