#include "serve/protocol/instances.h"

#include <algorithm>
#include <optional>

#include "rows/float_text.h"
#include "serve/protocol/json.h"
#include "serve/protocol/response.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

class RowsOfJson {
 public:
  RowsOfJson(const Model& model, ParseLimits* limits)
      : model_(model), limits_(limits), width_(model.features().size()) {}

  void add(const json& instance, const std::string& place) {
    if (instance.is_object()) {
      add_object(instance, place);
    } else if (instance.is_array()) {
      add_list(instance, place);
    } else {
      refuse(place + ": is neither a list of numbers nor an object of them");
    }
    ++rows.count;
  }

  void add_all(const json& instances, const std::string& place) {
    if (!instances.is_array() || instances.empty()) {
      refuse(place + ": has to be a list of one instance or more");
    }
    for (std::size_t i = 0; i < instances.size(); ++i) {
      add(instances[i], place + "[" + std::to_string(i) + "]");
    }
  }

  Rows rows;

 private:
  void add_object(const json& instance, const std::string& place) {
    if (model_.features().empty()) {
      refuse(place + ": the model's features have no names; give a list of numbers");
    }
    make_room(rows.values, width_, limits_);
    for (const std::string& feature : model_.features()) {
      const auto found = instance.find(feature);
      if (found == instance.end()) {
        refuse(place + "." + feature + ": is missing; the features are " + text::joined(model_.features()));
      }
      rows.values.push_back(finite_float(*found, place + "." + feature));
    }
  }

  void add_list(const json& instance, const std::string& place) {
    if (width_ == 0) {
      width_ = instance.size();
    }
    if (instance.size() != width_ || width_ == 0) {
      refuse(place + ": has " + std::to_string(instance.size()) + " numbers, not " +
             (width_ == 0 ? "one or more" : std::to_string(width_)) +
             (model_.features().empty() ? "" : ": " + text::joined(model_.features())));
    }
    make_room(rows.values, width_, limits_);
    for (std::size_t i = 0; i < width_; ++i) {
      rows.values.push_back(finite_float(instance[i], place + "[" + std::to_string(i) + "]"));
    }
  }

  const Model& model_;
  ParseLimits* const limits_;
  std::size_t width_;
};

// Reads {"instances":[[5.1,3.5,1.4,0.2]]} as programs write it: without blanks, exponents and other members. nullopt
// for anything else: the JSON parser reads that, and takes ten times as long.
std::optional<Rows> parse_plain(std::size_t width, std::string_view body, ParseLimits* limits) {
  constexpr std::string_view kBegin = "{\"instances\":[";
  constexpr std::string_view kEnd = "]}";
  if (width == 0 || !body.starts_with(kBegin) || !body.ends_with(kEnd)) {
    return std::nullopt;
  }
  Rows rows;
  const char* text = body.data() + kBegin.size();
  const char* const end = body.data() + body.size() - kEnd.size();  // a ], where a number ends
  while (text < end && *text == '[') {
    make_room(rows.values, width, limits);
    for (std::size_t i = 0; i < width; ++i) {
      float value = 0;
      text = parse_json_decimal(text + 1, end, value);  // after the [ or the comma
      if (text == nullptr || *text != (i + 1 < width ? ',' : ']')) {
        return std::nullopt;
      }
      rows.values.push_back(value);
    }
    ++rows.count;
    ++text;
    if (text == end) {
      return rows;
    }
    if (*text++ != ',') {
      return std::nullopt;
    }
  }
  return std::nullopt;
}

}  // namespace

Rows parse_instances(const Model& model, std::string_view body, Bare bare, ParseLimits* limits) {
  if (auto rows = parse_plain(model.features().size(), body, limits)) {
    return std::move(*rows);
  }
  std::vector<std::string_view> wanted(model.features().begin(), model.features().end());  // of one bare instance
  wanted.emplace_back("instances");
  const json root = parse_json(body, wanted, limits);
  RowsOfJson result(model, limits);
  const auto instances = root.is_object() ? root.find("instances") : root.end();
  if (instances != root.end()) {
    result.add_all(*instances, "instances");
  } else if (bare == Bare::kRefused) {
    refuse(R"(the body has to be {"instances":[…]})");
  } else if (root.is_array() && !root.empty() && !root[0].is_number()) {
    result.add_all(root, "instances");
  } else if (root.is_array() || root.is_object()) {
    result.add(root, "instance");
  } else {
    refuse(R"(the body has to be {"instances":[…]}, a list of instances, or one instance)");
  }
  return std::move(result.rows);
}

std::string predictions_json(const Model& model, const Predictions& predictions, std::size_t first, std::size_t count) {
  std::string text = "{\"predictions\":[";
  model.append_answers(predictions, first, first + count, text);
  std::replace(text.begin(), text.end(), '\n', ',');
  text.back() = ']';
  text += '}';
  return text;
}

}  // namespace iris::serve
