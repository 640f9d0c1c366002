#include "serve/protocol/json.h"

#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "rows/float_text.h"
#include "serve/protocol/request_error.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

class TreeBuilder : public nlohmann::json_sax<json> {
 public:
  json root;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (std::abs(value) > kLargestNumber) {
      return add(std::numeric_limits<double>::infinity());
    }
    return add(static_cast<double>(parse_float(text).value_or(0)));  // through a double, it may be rounded twice
  }
  bool string(string_t& value) override { return add(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::object()); }
  bool start_array(std::size_t) override { return open(json::array()); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    const auto [place, is_new] = open_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
    if (!is_new) {
      throw RequestError(400, "JSON: " + text::quoted(name) + " is there twice in one object");
    }
    member_ = &place->second;
    return true;
  }

  bool parse_error(std::size_t, const std::string& token, const json::exception& problem) override {
    if (problem.id == 406) {
      throw RequestError(400, "JSON: the number " + text::printable(token) + " is not finite");
    }
    const std::string message = problem.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
    const std::size_t line = message.find("line ");
    throw RequestError(400, "not JSON: " + text::printable(message.substr(line == std::string::npos ? 0 : line)));
  }

 private:
  json* put(json value) {
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    if (open_.back()->is_array()) {
      return &open_.back()->get_ref<json::array_t&>().emplace_back(std::move(value));
    }
    *member_ = std::move(value);
    return member_;
  }

  bool add(json value) {
    put(std::move(value));
    return true;
  }

  bool open(json container) {
    if (open_.size() == kMaxJsonDepth) {
      throw RequestError(400, "JSON: nested deeper than " + std::to_string(kMaxJsonDepth));
    }
    open_.push_back(put(std::move(container)));
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<json*> open_;  // the containers around the value at hand, outermost first
  json* member_ = nullptr;   // the innermost object's
};

}  // namespace

json parse_json(std::string_view text) {
  if (text.find('\0') != std::string_view::npos) {  // nlohmann::json would take it for the end
    throw RequestError(400, "not JSON: there is a zero byte in it");
  }
  TreeBuilder builder;
  json::sax_parse(text, &builder);
  return std::move(builder.root);
}

float finite_float(const json& value, const std::string& place) {
  if (!value.is_number()) {
    throw RequestError(400, place + ": is not a number but " + text::printable(text::json(value)));
  }
  const auto number = value.get<float>();
  if (!std::isfinite(number)) {
    throw RequestError(400, place + ": is larger than 1e30, past which a model's sums overflow");
  }
  return number;
}

}  // namespace iris::serve
