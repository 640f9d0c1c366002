// What a value holds under names: dicts, lists, and objects whose class is not known.
#pragma once

#include <string>
#include <vector>

#include "pickle/document.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// The entries of a dict; the items of a list or tuple, under their numbers; of an object what was set in it as in a
// dict, then its attributes. None of any other value.
std::vector<pickle::Entry> members(const pickle::Document& document, pickle::Value value);

// An object's attributes: its state or, where that is a tuple (of classes with __slots__), the first dict in it. kNone
// where there are none.
pickle::Value attributes(const pickle::Document& document, pickle::Value object);

// "argparse.Namespace": the class or function that an object is of.
std::string_view class_of(const pickle::Document& document, pickle::Value object);

// A key as a part of a path: texts as they are, numbers in decimal, all else as Python prints it ("None", "b'a'",
// "(1, 'a')"), cut to a few hundred bytes.
std::string key_text(const pickle::Document& document, pickle::Value key);

// Whether key_text gives a text that is the key's own name: of texts, bools and integers of 64 bits.
bool is_name(pickle::Value key);

// A class or function that the file names and that nothing was computed of.
struct ForeignName {
  std::string name;
  std::size_t count = 0;  // opcodes that spell it
};

// In the file's order.
std::vector<ForeignName> foreign_names(const TensorFile& file);

}  // namespace iris
