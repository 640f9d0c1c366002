#include "model/file/model_names.h"

#include <algorithm>
#include <array>
#include <iterator>
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
constexpr std::array<std::string_view, 3> kOutputs = {"logits", "probabilities", "values"};  // by Outputs
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

std::optional<Outputs> outputs_in(const nlohmann::json& object) {
  const auto found = object.find("outputs");
  if (found == object.end() || found->is_null()) {
    return std::nullopt;
  }
  return with_place("outputs", [&] {
    const auto outputs = found->is_string() ? outputs_of(found->get<std::string>()) : std::nullopt;
    require(outputs.has_value(), "is none of logits, probabilities and values");
    return outputs;
  });
}

}  // namespace

std::string name_of(Outputs outputs) { return std::string(kOutputs[static_cast<std::size_t>(outputs)]); }

std::optional<Outputs> outputs_of(std::string_view name) {
  const auto* found = std::find(kOutputs.begin(), kOutputs.end(), name);
  return found == kOutputs.end() ? std::nullopt
                                 : std::optional(static_cast<Outputs>(std::distance(kOutputs.begin(), found)));
}

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
    return {names_of(json, "features"), names_of(json, "labels"), outputs_in(json)};
  });
}

}  // namespace iris
