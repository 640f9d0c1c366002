// The errors that a user can cause. A message gives place, then fact, then the way out. Parsers throw without the path;
// the layer that opened the file puts it in front (with_place.h).
#pragma once

#include <stdexcept>
#include <string>
#include <utility>

namespace iris {

// What the caller may choose otherwise, where that is the way out. A library states the choice; the program, which
// knows the name of its option, adds that to the message (cli/choice_words.h).
struct Choice {
  enum class Of {
    kNothing,
    kKey,          // which dictionary of a checkpoint
    kPrefix,       // that is dropped from all names
    kHidden,       // IrisNet's width
    kFeatures,     // the names of the features
    kLabels,       // the names of the classes
    kLabelColumn,  // the column that holds the classes
    kCopy,         // the columns that are copied to the answers
    kInputFormat,  // whether rows are read as CSV or as NDJSON
    kDevice,
    kDtype,
    kOutputs,     // what a model's numbers are
    kRowsAtOnce,  // rows per pass through the model
  };
  Of of = Of::kNothing;
  std::string value = {};  // that would fit; empty: the message lists them, or the caller knows
};

class Error : public std::runtime_error {
 public:
  explicit Error(const std::string& message, Choice its_choice = {})
      : std::runtime_error(message), choice(std::move(its_choice)) {}

  Choice choice;
};

// A file is damaged, or holds what we refuse.
class FormatError : public Error {
 public:
  using Error::Error;
};

// The caller's data, options or device cannot be used. Exit status 1.
class InputError : public Error {
 public:
  using Error::Error;
};

// The command itself is wrong, whatever the files hold. Exit status 2.
class UsageError : public InputError {
 public:
  using InputError::InputError;
};

}  // namespace iris
