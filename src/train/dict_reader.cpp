#include "train/dict_reader.h"

#include <utility>

#include "error.h"
#include "text.h"

namespace iris {

using pickle::Kind;
using pickle::Value;

DictReader::DictReader(const TensorFile& file, Value dict, std::string name)
    : file_(file), dict_(dict), name_(std::move(name)) {
  if (!dict.is_dict()) {
    throw FormatError((name_.empty() ? "" : name_ + " ") + "is not a dictionary");
  }
}

Value DictReader::get(const char* key) const {
  const Value* value = file_.document.find(dict_, key);
  if (value == nullptr) {
    fail(key, "is missing");
  }
  return *value;
}

bool DictReader::has(const char* key) const {
  const Value* value = file_.document.find(dict_, key);
  return value != nullptr && value->kind != Kind::kNone;
}

void DictReader::read(const char* key, std::int64_t& to) const {
  const Value value = get(key);
  if (value.kind != Kind::kInt || value.integer < 0) {
    fail(key, "is not an integer from 0");
  }
  to = value.integer;
}

void DictReader::read(const char* key, double& to) const {
  const Value value = get(key);
  switch (value.kind) {
    case Kind::kFloat:
      to = value.real;
      return;
    case Kind::kInt:
      to = static_cast<double>(value.integer);
      return;
    case Kind::kBool:
      to = static_cast<double>(value.boolean);
      return;
    default:
      fail(key, "is not a number");
  }
}

void DictReader::read(const char* key, std::string& to) const {
  const Value value = get(key);
  if (value.kind != Kind::kString) {
    fail(key, "is not a text");
  }
  to = file_.document.text(value);
}

void DictReader::read(const char* key, Optimizer& to) const {
  std::string name;
  read(key, name);
  const std::optional<Optimizer> optimizer = optimizer_named(name);
  if (!optimizer) {
    fail(key, "is not one of " + text::joined({kOptimizerNames.begin(), kOptimizerNames.end()}));
  }
  to = *optimizer;
}

void DictReader::fail(const std::string& key, const std::string& fact) const {
  throw FormatError((name_.empty() ? "" : name_ + ".") + key + " " + fact);
}

}  // namespace iris
