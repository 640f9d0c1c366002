// What the code in a TorchScript archive declares. It is read as text, for its declarations only; nothing in it is run.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tensor_file/zip_reader.h"

namespace iris {

// A class as torch/csrc/jit/serialization/python_print.cpp writes it.
struct ScriptClass {
  bool is_module = false;
  bool names_buffers = false;  // it has a line __buffers__, which PyTorch's older code lacks
  std::set<std::string, std::less<>> parameters;
  std::set<std::string, std::less<>> buffers;
  struct Attribute {
    std::string name;
    std::string type;
  };
  std::vector<Attribute> attributes;  // in the order in which it declares them
};

// Unpacks and reads a file of code when a class in it is asked for. Keeps views into the zip's bytes.
class ScriptCode {
 public:
  ScriptCode(const ZipReader& zip, std::string root) : zip_(zip), root_(std::move(root)) {}

  // "__torch__.torch.nn.modules.linear.Linear" is the class Linear in code/__torch__/torch/nn/modules/linear.py.
  // nullptr where there is none. Throws FormatError, without the path.
  const ScriptClass* find(std::string_view qualified_name);

 private:
  struct File {
    std::string text;
    std::map<std::string_view, std::size_t> classes;  // offsets of the lines that begin them
  };

  const File* file_of(const std::string& path);
  ScriptClass parse(std::string_view text);
  void count_name();

  const ZipReader& zip_;
  std::string root_;
  std::map<std::string, std::optional<File>, std::less<>> files_;
  std::map<std::string, std::optional<ScriptClass>, std::less<>> classes_;
  std::size_t text_size_ = 0;
  std::size_t names_ = 0;
};

}  // namespace iris
