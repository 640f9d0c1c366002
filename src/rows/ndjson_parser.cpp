#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "error.h"
#include "rows/float_text.h"
#include "rows/rows.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kIgnored = std::numeric_limits<std::size_t>::max();
constexpr float kNotSeen = std::numeric_limits<float>::quiet_NaN();

// text: after a string's opening quote. Returns the place after its closing quote; nullptr unless it is plain ASCII.
const char* pass_over_plain_string(const char* text) {
  while (*text != '"') {
    if (*text == '\\' || *text < 0x20) {  // or not ASCII, where char is signed
      return nullptr;
    }
    ++text;
  }
  return text + 1;
}

const char* pass_over_blanks(const char* text) {
  while (*text == ' ' || *text == '\t' || *text == '\r') {
    ++text;
  }
  return text;
}

// Reads any line, with nlohmann::json's parser, and reads each number from its text: through a double a float32 may be
// rounded twice.
class RowSax : public nlohmann::json_sax<nlohmann::json> {
 public:
  RowSax(const std::vector<std::string>& features, std::span<float> row)
      : features_(features), row_(row), is_seen_(features.size()) {}

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
      const auto found = std::find(features_.begin(), features_.end(), name);
      place_ = found == features_.end() ? kIgnored : static_cast<std::size_t>(found - features_.begin());
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
      return fail("has " + std::to_string(count_) + " values, not " + std::to_string(features_.size()));
    }
    const auto missing = std::find(is_seen_.begin(), is_seen_.end(), false);
    return missing == is_seen_.end() ||
           fail(text::printable(features_[static_cast<std::size_t>(missing - is_seen_.begin())]) + ": is missing");
  }

  const std::vector<std::string>& features_;
  std::span<float> row_;
  std::vector<bool> is_seen_;
  std::size_t depth_ = 0;
  bool is_array_ = false;
  std::size_t count_ = 0;         // of the array's values
  std::size_t place_ = kIgnored;  // of the object's member at hand
};

class NdjsonParser : public RowParser {
 public:
  NdjsonParser(const std::string& name, std::vector<std::string> features, const Chunk& first) : name_(name) {
    features_ = std::move(features);
    if (features_.empty() && !first.text.empty()) {
      number_features(first);
    }
    has_plain_names_ = std::all_of(features_.begin(), features_.end(), [](const std::string& feature) {
      return std::none_of(feature.begin(), feature.end(), [](char character) {
        return character == '"' || character == '\\' || static_cast<unsigned char>(character) < 0x20;
      });
    });
  }

  void parse(const Chunk& chunk, Rows& rows) const override {
    rows.bad.clear();
    rows.count = 0;
    rows.features.resize(most_rows(chunk, features_.size()) * features_.size());
    std::span<float> rest = rows.features;
    std::size_t line = chunk.first_line;
    const char* text = chunk.text.data();
    for (const char* const end = text + chunk.text.size(); text != end; ++line) {
      text = pass_over_blanks(text);
      if (*text == '\n') {
        ++text;
        continue;
      }
      const std::span<float> row = rest.first(features_.size());
      std::string error(chunk.fault);
      const char* next = nullptr;
      if (error.empty() && has_plain_names_) {
        next = *text == '[' ? parse_array(text, row) : parse_object(text, row);
      }
      if (next == nullptr) {
        next = static_cast<const char*>(std::memchr(text, '\n', static_cast<std::size_t>(end - text))) + 1;
        if (error.empty()) {
          RowSax sax(features_, row);
          nlohmann::json::sax_parse(text, next, &sax);
          error = std::move(sax.error);
        }
      }
      if (error.empty()) {
        rest = rest.subspan(features_.size());
      } else {
        rows.bad.push_back({rows.count, place(line) + error});
      }
      text = next;
      ++rows.count;
    }
    rows.features.resize(rows.features.size() - rest.size());
  }

  std::string place_of(const Chunk& chunk, std::size_t number) const override {
    std::size_t line = chunk.first_line;
    for (const char* text = chunk.text.data();; text = std::strchr(text, '\n') + 1, ++line) {
      text = pass_over_blanks(text);
      if (*text != '\n' && number-- == 0) {
        return place(line);
      }
    }
  }

 private:
  std::string place(std::size_t line) const { return name_ + ":" + std::to_string(line) + ": "; }

  // For a model that does not name its features: the first row gives their number.
  void number_features(const Chunk& first) {
    const std::size_t begin = std::min(first.text.find_first_not_of(" \t\r\n"), first.text.size());
    const std::string_view line = first.text.substr(begin, first.text.find('\n', begin) - begin);
    const auto row = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
    const auto has_next = [&] {
      return row.is_array() ? features_.size() < row.size() : row.contains("x" + std::to_string(features_.size()));
    };
    while (has_next()) {
      features_.push_back("x" + std::to_string(features_.size()));
    }
    if (features_.empty()) {
      const auto blank_lines =
          std::count(first.text.begin(), first.text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
      throw InputError(
          place(first.first_line + static_cast<std::size_t>(blank_lines)) +
              "the model does not name its features, and here is neither an array of numbers nor an object "
              "with x0, x1, …; name them",
          {Choice::Of::kFeatures});
    }
  }

  // Parses [5.1,3.5,1.4,0.2] of short decimals into `row`. Returns where the next line begins, or nullptr for a line
  // that needs the full parser, good or bad.
  const char* parse_array(const char* text, std::span<float> row) const {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (*text++ != (i == 0 ? '[' : ',')) {
        return nullptr;
      }
      text = parse_json_decimal(pass_over_blanks(text), row[i]);
      if (text == nullptr) {
        return nullptr;
      }
      text = pass_over_blanks(text);
    }
    return end_of_line(text, ']');
  }

  // The same for {"sepal_length":5.1,…}: the features in any order, other members plain text or numbers.
  const char* parse_object(const char* text, std::span<float> row) const {
    std::fill(row.begin(), row.end(), kNotSeen);
    std::size_t next = 0;  // most objects have them in the model's order
    char before = '{';
    do {
      if (*text++ != before) {
        return nullptr;
      }
      text = pass_over_blanks(text);
      if (*text++ != '"') {
        return nullptr;
      }
      const std::size_t place = feature_called(text, next);
      float ignored = kNotSeen;
      float& value = place == kIgnored ? ignored : row[place];
      text = place == kIgnored ? pass_over_plain_string(text) : text + features_[place].size() + 1;
      if (text == nullptr || !std::isnan(value)) {
        return nullptr;
      }
      text = pass_over_blanks(text);
      if (*text++ != ':') {
        return nullptr;
      }
      text = pass_over_blanks(text);
      text = place == kIgnored && *text == '"' ? pass_over_plain_string(text + 1) : parse_json_decimal(text, value);
      if (text == nullptr) {
        return nullptr;
      }
      text = pass_over_blanks(text);
      next = place == kIgnored ? next : place + 1;
      before = ',';
    } while (*text == ',');
    const bool is_whole = std::none_of(row.begin(), row.end(), [](float value) { return std::isnan(value); });
    return is_whole ? end_of_line(text, '}') : nullptr;
  }

  // The feature whose name and closing quote `text` begins with, `guess` tried first; kIgnored: none.
  std::size_t feature_called(const char* text, std::size_t guess) const {
    const auto is_here = [&](const std::string& name) {
      return std::strncmp(text, name.data(), name.size()) == 0 && text[name.size()] == '"';
    };
    if (guess < features_.size() && is_here(features_[guess])) {
      return guess;
    }
    const auto found = std::find_if(features_.begin(), features_.end(), is_here);
    return found == features_.end() ? kIgnored : static_cast<std::size_t>(found - features_.begin());
  }

  static const char* end_of_line(const char* text, char closing) {
    if (*text != closing) {
      return nullptr;
    }
    text = pass_over_blanks(text + 1);
    return *text == '\n' ? text + 1 : nullptr;
  }

  std::string name_;
  bool has_plain_names_;  // JSON writes the features' names without escapes
};

}  // namespace

std::unique_ptr<RowParser> make_ndjson_parser(const std::string& name, std::vector<std::string> features,
                                              const Chunk& first) {
  return std::make_unique<NdjsonParser>(name, std::move(features), first);
}

}  // namespace iris
