#include "rows/json_row.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kIgnored = std::numeric_limits<std::size_t>::max();

// Reads any line, with nlohmann::json's parser, and reads each number from its text: through a double a float32 may be
// rounded twice.
class RowSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  // members: what the features are called in the input.
  RowSax(const std::vector<std::string>& features, const std::vector<std::string>& members, std::span<float> row)
      : features_(features), members_(members), row_(row), is_seen_(features.size()) {}

  // What is wrong with the row; empty: nothing.
  std::string error;

  bool null() override { return take_other("null"); }
  bool boolean(bool value) override { return take_other(value ? "true" : "false"); }
  bool number_integer(number_integer_t value) override { return take(static_cast<float>(value)); }
  bool number_unsigned(number_unsigned_t value) override { return take(static_cast<float>(value)); }
  bool number_float(number_float_t, const string_t& text) override {
    const float value = parse_float(text).value_or(0);
    return std::isfinite(value) ? take(value) : take_infinite(text);
  }
  bool string(string_t& value) override { return take_other(text::quoted(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return begin("an object"); }
  bool start_array(std::size_t) override {
    is_array_ = is_array_ || depth_ == 0;
    return begin("an array");
  }
  bool end_object() override { return end(); }
  bool end_array() override { return end(); }

  bool key(string_t& name) override {
    if (depth_ == 1) {
      const auto found = std::find(members_.begin(), members_.end(), name);
      place_ = found == members_.end() ? kIgnored : static_cast<std::size_t>(found - members_.begin());
      if (place_ != kIgnored && is_seen_[place_]) {
        return fail(text::printable(name) + ": is there twice");
      }
    }
    return true;
  }

  bool parse_error(std::size_t, const std::string& token, const nlohmann::json::exception& problem) override {
    if (problem.id == 406) {  // a number beyond double
      return take_infinite(token) && fail("a number is beyond a double: " + text::printable(token));
    }
    const std::string message =
        problem.what();  // "[json.exception.parse_error.101] parse error at line 1, column 7: …"
    const std::size_t column = message.find("column ");
    return fail("is not JSON: " + text::printable(message.substr(column == std::string::npos ? 0 : column)));
  }

 private:
  bool fail(std::string fact) {
    error = std::move(fact);
    return false;
  }

  // The feature of the current value; kIgnored: none.
  std::size_t place() {
    if (depth_ == 1 && is_array_) {
      place_ = count_++;
      return place_ < features_.size() ? place_ : kIgnored;
    }
    return depth_ == 1 ? place_ : kIgnored;
  }

  bool take(float value) {
    if (depth_ == 0) {
      return take_other("a number");
    }
    if (const std::size_t to = place(); to != kIgnored) {
      row_[to] = value;
      is_seen_[to] = true;
    }
    return true;
  }

  bool take_infinite(const std::string& text) {
    if (depth_ == 0) {
      return take_other("a number");
    }
    const std::size_t to = place();
    return to == kIgnored || fail(text::printable(features_[to]) + ": not finite as float32: " + text::printable(text));
  }

  bool take_other(const std::string& what) {
    if (depth_ == 0) {
      return fail("is neither an object nor an array: " + what);
    }
    const std::size_t to = place();
    return to == kIgnored || fail(text::printable(features_[to]) + ": not a number: " + what);
  }

  bool begin(const std::string& what) {
    if (depth_ > 0 && !take_other(what)) {
      return false;
    }
    ++depth_;
    return true;
  }

  bool end() {
    if (--depth_ > 0) {
      return true;
    }
    if (is_array_ && count_ != features_.size()) {
      return fail("has " + std::to_string(count_) + (count_ == 1 ? " value, not " : " values, not ") +
                  std::to_string(features_.size()));
    }
    const auto missing = std::find(is_seen_.begin(), is_seen_.end(), false);
    return missing == is_seen_.end() ||
           fail(text::printable(features_[static_cast<std::size_t>(missing - is_seen_.begin())]) + ": is missing");
  }

  const std::vector<std::string>& features_;
  const std::vector<std::string>& members_;
  std::span<float> row_;
  std::vector<bool> is_seen_;
  std::size_t depth_ = 0;
  bool is_array_ = false;
  std::size_t count_ = 0;         // of the array's values
  std::size_t place_ = kIgnored;  // of the object's member at hand
};

}  // namespace

std::string read_json_row(std::string_view line, const std::vector<std::string>& features,
                          const std::vector<std::string>& members, std::span<float> row) {
  // nlohmann::json takes a NUL for the end.
  const std::size_t nul = line.find('\0');
  if (nul != std::string_view::npos) {
    return "is not JSON: column " + std::to_string(nul + 1) + ": a NUL byte";
  }
  RowSax sax(features, members, row);
  nlohmann::json::sax_parse(line.begin(), line.end(), &sax);
  return std::move(sax.error);
}

}  // namespace iris
