#include "model/file/model_names.h"

#include <nlohmann/json.hpp>
#include <set>

#include "error.h"
#include "tensor_file/tensor_file.h"
#include "text.h"

namespace iris {
namespace {

constexpr int kMaxDepth = 100;  // whoever prints it calls itself for each level
constexpr std::string_view kFile = kNamesEntry.substr(kNamesEntry.rfind('/') + 1);

std::vector<std::string> names_of(const nlohmann::json& object, const char* member) {
  std::vector<std::string> names;
  const auto found = object.find(member);
  if (found == object.end() || found->is_null()) {
    return names;
  }
  const auto fail = [&](const std::string& fact) {
    throw FormatError(std::string(kFile) + ": " + member + ": " + fact);
  };
  if (!found->is_array()) {
    fail("is not a list of names");
  }
  std::set<std::string> seen;
  for (const auto& name : *found) {
    if (!name.is_string()) {
      fail("is not a list of names");
    }
    if (!seen.insert(name.get<std::string>()).second) {
      fail("has " + text::json(name) + " twice");
    }
    names.push_back(name.get<std::string>());
  }
  return names;
}

}  // namespace

std::vector<std::string> iris_features() { return {"sepal_length", "sepal_width", "petal_length", "petal_width"}; }

std::vector<std::string> iris_labels() { return {"setosa", "versicolor", "virginica"}; }

ModelNames parse_model_names(std::string_view text) {
  bool is_too_deep = false;
  const auto keep = [&](int depth, nlohmann::json::parse_event_t /*event*/, const nlohmann::json& /*parsed*/) {
    is_too_deep = is_too_deep || depth > kMaxDepth;
    return !is_too_deep;
  };
  const auto json = nlohmann::json::parse(text, keep, /*allow_exceptions=*/false);
  if (is_too_deep) {
    throw FormatError(std::string(kFile) + ": is nested more than " + std::to_string(kMaxDepth) + " levels deep");
  }
  if (!json.is_object()) {
    throw FormatError(std::string(kFile) + ": is not a JSON object");
  }
  return {names_of(json, "features"), names_of(json, "labels")};
}

}  // namespace iris
