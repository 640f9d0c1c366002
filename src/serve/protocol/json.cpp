#include "serve/protocol/json.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "rows/float_text.h"
#include "serve/protocol/response.h"
#include "text.h"

namespace iris::serve {
namespace {

using nlohmann::json;

// What a container takes in itself, and an object's member beside its name (a node of a std::map, as malloc rounds it).
constexpr std::size_t kContainer = 64;
constexpr std::size_t kMember = 112;

class TreeBuilder : public nlohmann::json_sax<json> {
 public:
  TreeBuilder(std::span<const std::string_view> wanted, ParseLimits* limits) : wanted_(wanted), limits_(limits) {}

  json root;

  bool null() override { return add(nullptr); }
  bool boolean(bool value) override { return add(value); }
  bool number_integer(number_integer_t value) override { return add(value); }
  bool number_unsigned(number_unsigned_t value) override { return add(value); }
  bool number_float(number_float_t value, const string_t& text) override {
    if (is_skipping()) {
      return add(nullptr);
    }
    if (std::abs(value) > kLargestNumber) {
      return add(std::numeric_limits<double>::infinity());
    }
    return add(static_cast<double>(parse_float(text).value_or(0)));  // through a double, it may be rounded twice
  }
  bool string(string_t& value) override {
    if (is_skipping()) {
      return add(nullptr);
    }
    take(kContainer + value.size());
    return add(std::move(value));
  }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(json::value_t::object); }
  bool start_array(std::size_t) override { return open(json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }

  bool key(string_t& name) override {
    if (skipped_depth_ > 0) {
      return true;
    }
    take(kMember + name.size());
    const auto [place, is_new] = open_.back()->get_ref<json::object_t&>().emplace(name, nullptr);
    if (!is_new) {
      refuse("JSON: " + text::quoted(name) + " is there twice in one object");
    }
    member_ = &place->second;
    is_member_skipped_ =
        open_.size() == 1 && !wanted_.empty() && std::find(wanted_.begin(), wanted_.end(), name) == wanted_.end();
    return true;
  }

  bool parse_error(std::size_t, const std::string& token, const json::exception& problem) override {
    if (problem.id == 406) {
      refuse("JSON: the number " + text::printable(token) + " is not finite");
    }
    const std::string message = problem.what();  // "[json.exception.parse_error.101] parse error at line 1, …"
    const std::size_t line = message.find("line ");
    refuse("not JSON: " + text::printable(message.substr(line == std::string::npos ? 0 : line)));
  }

 private:
  bool is_skipping() const { return is_member_skipped_ || skipped_depth_ > 0; }

  void take(std::size_t bytes) {
    if (limits_ != nullptr) {
      limits_->take(bytes);
    }
  }

  void look() {
    if (limits_ != nullptr) {
      limits_->look();
    }
  }

  json* put(json value) {
    if (open_.empty()) {
      root = std::move(value);
      return &root;
    }
    if (open_.back()->is_array()) {
      auto& list = open_.back()->get_ref<json::array_t&>();
      make_room(list, 1, limits_);
      return &list.emplace_back(std::move(value));
    }
    *member_ = std::move(value);
    return member_;
  }

  bool add(json value) {
    look();
    if (is_skipping()) {
      is_member_skipped_ = skipped_depth_ > 0 && is_member_skipped_;
      return true;
    }
    put(std::move(value));
    return true;
  }

  bool open(json::value_t type) {
    look();
    if (open_.size() + skipped_depth_ == kMaxJsonDepth) {
      refuse("JSON: nested deeper than " + std::to_string(kMaxJsonDepth));
    }
    if (is_skipping()) {
      ++skipped_depth_;
      return true;
    }
    take(kContainer);
    open_.push_back(put(json(type)));
    return true;
  }

  bool close() {
    if (skipped_depth_ > 0) {
      --skipped_depth_;
      is_member_skipped_ = skipped_depth_ > 0;
    } else {
      open_.pop_back();
    }
    return true;
  }

  const std::span<const std::string_view> wanted_;
  ParseLimits* const limits_;
  std::vector<json*> open_;         // the containers around the value at hand, outermost first; of those that are kept
  json* member_ = nullptr;          // the innermost object's
  bool is_member_skipped_ = false;  // the outermost object's
  std::size_t skipped_depth_ = 0;   // containers around the value at hand that are not kept
};

}  // namespace

json parse_json(std::string_view text, std::span<const std::string_view> wanted, ParseLimits* limits) {
  if (text.find('\0') != std::string_view::npos) {  // nlohmann::json would take it for the end
    refuse("not JSON: there is a zero byte in it");
  }
  TreeBuilder builder(wanted, limits);
  json::sax_parse(text, &builder);
  return std::move(builder.root);
}

float finite_float(const json& value, const std::string& place) {
  if (!value.is_number()) {
    refuse(place + ": is not a number but " + text::printable(text::json(value)));
  }
  const auto number = value.get<float>();
  if (!std::isfinite(number)) {
    refuse(place + ": is larger than 1e30, past which a model's sums overflow");
  }
  return number;
}

const json* find_member(const json& object, const char* member) {
  const auto found = object.find(member);
  return found == object.end() || found->is_null() ? nullptr : &*found;
}

const json& object_at(const json& value, const std::string& place) {
  if (!value.is_object()) {
    refuse(place + ": is not an object");
  }
  return value;
}

const json& parameters_of(const json& object, const std::string& place) {
  static const json kNone = json::object();
  const json* found = find_member(object, "parameters");
  return found == nullptr ? kNone : object_at(*found, place + "parameters");
}

std::string text_at(const json& object, const char* member, const std::string& place) {
  const json* found = find_member(object, member);
  if (found == nullptr || !found->is_string()) {
    refuse(place + member + (found == nullptr ? ": is missing" : ": is not a text"));
  }
  return found->get<std::string>();
}

bool flag_at(const json& parameters, const char* name, bool otherwise, const std::string& place) {
  const json* found = find_member(parameters, name);
  if (found != nullptr && !found->is_boolean()) {
    refuse(place + "parameters." + name + ": is not true or false");
  }
  return found == nullptr ? otherwise : found->get<bool>();
}

std::size_t count_of(const json& value, const std::string& place) {
  // 3.0 is an integer to JSON Schema, and so to some clients.
  const bool is_whole = value.is_number_unsigned() || (value.is_number_float() && value >= 0.0 && value <= 1e6 &&
                                                       std::trunc(value.get<double>()) == value.get<double>());
  if (!is_whole) {
    refuse(place + ": is not a whole number from 0");
  }
  return value.get<std::size_t>();
}

void refuse_shared_memory(const json& parameters, const std::string& place) {
  if (parameters.contains("shared_memory_region")) {
    refuse(place + "parameters.shared_memory_region: this server has no shared memory; send the data");
  }
}

}  // namespace iris::serve
