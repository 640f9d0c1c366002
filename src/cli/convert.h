// iris convert: its options, and what it writes.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "pickle/document.h"
#include "tensor_file/tensor_file.h"

namespace iris {

struct ConvertOptions {
  std::string input;
  std::string output;
  std::optional<std::string> key;
  std::string strip_prefix;  // empty: none
  bool quiet = false;
};

enum class TensorFormat { kZip, kSafetensors };

// By the extension. Throws UsageError for an extension that names no format.
TensorFormat format_of(const std::string& output);

// The value to write: all of the file, or the dictionary that the options or the format ask for, renamed. Changes the
// file's document. tell: called with a line for each thing that is left out. Throws FormatError, without a path.
pickle::Value value_to_write(TensorFile& file, const ConvertOptions& options, TensorFormat format,
                             const std::function<void(const std::string&)>& tell);

}  // namespace iris
