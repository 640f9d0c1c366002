#include "model/file/model_names.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "error.h"
#include "io/byte_cursor.h"
#include "tensor_file/tensor_file.h"
#include "text.h"
#include "with_place.h"

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
  with_place(member, [&] {
    const auto is_text = [](const auto& name) { return name.is_string(); };
    require(found->is_array() && std::ranges::all_of(*found, is_text), "is not a list of names");
    std::set<std::string> seen;
    for (const auto& name : *found) {
      if (!seen.insert(names.emplace_back(name.get<std::string>())).second) {
        throw FormatError("has " + text::json(name) + " twice");
      }
    }
  });
  return names;
}

}  // namespace

std::vector<std::string> iris_features() { return {"sepal_length", "sepal_width", "petal_length", "petal_width"}; }

std::string unit_of(const std::vector<std::string>& features) { return features == iris_features() ? "cm" : ""; }

std::vector<std::string> iris_labels() { return {"setosa", "versicolor", "virginica"}; }

ModelNames parse_model_names(std::string_view text) {
  bool is_too_deep = false;
  const auto keep = [&](int depth, nlohmann::json::parse_event_t /*event*/, const nlohmann::json& /*parsed*/) {
    is_too_deep = is_too_deep || depth > kMaxDepth;
    return !is_too_deep;
  };
  const auto json = nlohmann::json::parse(text, keep, /*allow_exceptions=*/false);
  return with_place(std::string(kFile), [&]() -> ModelNames {
    if (is_too_deep) {
      throw FormatError("is nested more than " + std::to_string(kMaxDepth) + " levels deep");
    }
    require(json.is_object(), "is not a JSON object");
    return {names_of(json, "features"), names_of(json, "labels")};
  });
}

}  // namespace iris
