#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <nlohmann/json.hpp>
#include <utility>

#include "error.h"
#include "rows/answer_writer.h"
#include "rows/column_names.h"
#include "rows/csv_record.h"
#include "rows/float_text.h"
#include "rows/json_members.h"
#include "rows/json_row.h"
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

class NdjsonParser : public RowParser {
 public:
  NdjsonParser(std::string name, RowRequest request, const Chunk& first)
      : name_(std::move(name)), request_(std::move(request)) {
    features_ = request_.features;
    members_ = features_;
    begin_with(first);
    has_plain_names_ = std::all_of(members_.begin(), members_.end(), [](const std::string& member) {
      return std::none_of(member.begin(), member.end(), [](char character) {
        return character == '"' || character == '\\' || static_cast<unsigned char>(character) < 0x20;
      });
    });
  }

  void parse(const Chunk& chunk, Rows& rows) const override {
    rows.count = 0;
    rows.bad.clear();
    rows.copied.clear();
    rows.copied_ends.clear();
    const std::size_t count = features_.size();
    // A feature takes two characters at least.
    const std::size_t most = std::min(chunk.line_count, chunk.text.size() / (2 * std::max<std::size_t>(count, 1)) + 1);
    rows.features.resize(most * count);
    std::span<float> rest = rows.features;
    std::size_t line_number = chunk.first_line;
    const char* text = chunk.text.data();
    for (const char* const end = text + chunk.text.size(); text != end; ++line_number) {
      text = pass_over_blanks(text);
      if (*text == '\n') {
        ++text;
        continue;
      }
      const std::span<float> row = rest.first(count);
      std::string error(chunk.fault);
      const char* next = nullptr;
      if (error.empty() && has_plain_names_) {
        next = *text == '[' ? parse_array(text, end, row) : parse_object(text, end, row);
      }
      if (next == nullptr) {
        next = static_cast<const char*>(std::memchr(text, '\n', static_cast<std::size_t>(end - text))) + 1;
        if (error.empty()) {
          error = read_json_row({text, next - 1}, features_, members_, row);
        }
      }
      if (request_.copy) {
        const std::string conflict = copy({text, next - 1}, rows);
        error = error.empty() ? conflict : error;
      }
      if (error.empty()) {
        rest = rest.subspan(count);
      } else {
        rows.bad.push_back({rows.count, place(line_number) + error});
      }
      text = next;
      ++rows.count;
    }
    rows.features.resize(rows.features.size() - rest.size());
  }

  std::vector<std::size_t> lines(const Chunk& chunk) const override {
    std::vector<std::size_t> lines;
    std::size_t line_number = chunk.first_line;
    for (std::string_view text = chunk.text; !text.empty(); ++line_number) {
      const std::size_t end = text.find('\n');
      if (text.substr(0, end).find_first_not_of(" \t\r") != std::string_view::npos) {
        lines.push_back(line_number);
      }
      text.remove_prefix(end + 1);
    }
    return lines;
  }

 private:
  std::string place(std::size_t line) const { return name_ + ":" + std::to_string(line) + ": "; }

  // Looks at the first row: a model that does not name its features has as many; members may be spelled otherwise; and
  // where the answers are CSV, its members are those that are copied.
  void begin_with(const Chunk& first) {
    const std::size_t begin = std::min(first.text.find_first_not_of(" \t\r\n"), first.text.size());
    const std::string_view line = first.text.substr(begin, first.text.find('\n', begin) - begin);
    const auto blank_lines =
        std::count(first.text.begin(), first.text.begin() + static_cast<std::ptrdiff_t>(begin), '\n');
    const std::string its_place = place(first.first_line + static_cast<std::size_t>(blank_lines));
    const bool is_json = line.find('\0') == std::string_view::npos && nlohmann::json::accept(line);
    const bool is_object = is_json && line.starts_with('{');
    std::vector<std::string> names;
    for (const JsonMember& member :
         is_object || (is_json && line.starts_with('[')) ? json_members(line) : std::vector<JsonMember>()) {
      names.push_back(member.name);
    }
    if (features_.empty() && !first.text.empty()) {
      number_features(names, is_object, its_place);
    } else if (is_object) {
      find_members({names, its_place});
    }
    if (request_.copy) {
      choose_copied(names, its_place);
    }
  }

  void number_features(const std::vector<std::string>& names, bool is_object, const std::string& its_place) {
    const auto has_next = [&] {
      return is_object ? std::count(names.begin(), names.end(), "x" + std::to_string(features_.size())) > 0
                       : features_.size() < names.size();
    };
    while (has_next()) {
      features_.push_back("x" + std::to_string(features_.size()));
    }
    if (features_.empty()) {
      throw InputError(
          its_place +
              "the model does not name its features, and here is neither an array of numbers nor an object "
              "with x0, x1, …; name them",
          {Choice::Of::kFeatures});
    }
    members_ = features_;
  }

  // The features' members by the rules for a header's names, where all of them are found so. A row with others is bad.
  void find_members(const Header& header) {
    std::vector<std::size_t> places;
    for (const std::string& feature : features_) {
      if (std::count(header.names.begin(), header.names.end(), feature) > 1) {
        return;
      }
      if (const auto place = find_column(header, feature, request_.unit)) {
        places.push_back(*place);
      }
    }
    if (places.size() != features_.size()) {
      return;
    }
    for (std::size_t i = 0; i < places.size(); ++i) {
      members_[i] = header.names[places[i]];
    }
    const std::string taken = taken_for(header, features_, places);
    if (!taken.empty()) {
      request_.tell(name_ + ": " + taken);
    }
  }

  void choose_copied(const std::vector<std::string>& names, const std::string& its_place) {
    copies_all_ = request_.copy->names == std::vector<std::string>{"."};
    if (!copies_all_) {
      copied_names_ = request_.copy->names;
      for (const std::string& name : copied_names_) {
        if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
          throw InputError(its_place + "the first row has no member " + text::printable(name) +
                               "; it has: " + text::printable(text::joined(names)),
                           {Choice::Of::kCopy});
        }
      }
    } else if (request_.copy->to == RowFormat::kCsv) {
      copied_names_ = names;
    }
  }

  // Appends the line's copied members. Returns what is wrong with them, or "".
  std::string copy(std::string_view line, Rows& rows) const {
    std::string error;
    const bool is_json = line.find('\0') == std::string_view::npos && nlohmann::json::accept(line);
    const std::vector<JsonMember> members = is_json ? json_members(line) : std::vector<JsonMember>();
    if (request_.copy->to == RowFormat::kCsv) {
      for (const std::string& name : copied_names_) {
        const JsonMember* const member = find_member(members, name);
        rows.copied += csv_cell(member == nullptr ? "" : json_text(member->value)) + ",";
      }
    } else if (copies_all_) {
      for (const JsonMember& member : members) {
        if (is_answer_member(member.name)) {
          error = text::printable(member.name) + ": is a member of the answer too, and cannot be copied";
          continue;
        }
        append(member, rows.copied);
      }
    } else {
      for (const std::string& name : copied_names_) {
        if (const JsonMember* const member = find_member(members, name)) {
          append(*member, rows.copied);
        }
      }
    }
    rows.copied_ends.push_back(rows.copied.size());
    return error;
  }

  static const JsonMember* find_member(const std::vector<JsonMember>& members, const std::string& name) {
    const auto found =
        std::find_if(members.begin(), members.end(), [&](const JsonMember& member) { return member.name == name; });
    return found == members.end() ? nullptr : &*found;
  }

  static void append(const JsonMember& member, std::string& text) {
    text += text::json_string(member.name) + ":";
    text += member.value;
    text += ",";
  }

  // Parses [5.1,3.5,1.4,0.2] of short decimals into `row`. Returns where the next line begins, or nullptr for a line
  // that needs the full parser, good or bad.
  const char* parse_array(const char* text, const char* end, std::span<float> row) const {
    for (std::size_t i = 0; i < row.size(); ++i) {
      if (*text++ != (i == 0 ? '[' : ',')) {
        return nullptr;
      }
      text = parse_json_decimal(pass_over_blanks(text), end, row[i]);
      if (text == nullptr) {
        return nullptr;
      }
      text = pass_over_blanks(text);
    }
    return end_of_line(text, ']');
  }

  // The same for {"sepal_length":5.1,…}: the features in any order, other members plain text or numbers.
  const char* parse_object(const char* text, const char* end, std::span<float> row) const {
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
      text = place == kIgnored ? pass_over_plain_string(text) : text + members_[place].size() + 1;
      if (text == nullptr || !std::isnan(value)) {
        return nullptr;
      }
      text = pass_over_blanks(text);
      if (*text++ != ':') {
        return nullptr;
      }
      text = pass_over_blanks(text);
      text =
          place == kIgnored && *text == '"' ? pass_over_plain_string(text + 1) : parse_json_decimal(text, end, value);
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
    if (guess < members_.size() && is_here(members_[guess])) {
      return guess;
    }
    const auto found = std::find_if(members_.begin(), members_.end(), is_here);
    return found == members_.end() ? kIgnored : static_cast<std::size_t>(found - members_.begin());
  }

  static const char* end_of_line(const char* text, char closing) {
    if (*text != closing) {
      return nullptr;
    }
    text = pass_over_blanks(text + 1);
    return *text == '\n' ? text + 1 : nullptr;
  }

  std::string name_;
  RowRequest request_;
  std::vector<std::string> members_;  // what the features are called in this input
  bool has_plain_names_;              // JSON writes those names without escapes
  bool copies_all_ = false;
};

}  // namespace

std::unique_ptr<RowParser> make_ndjson_parser(const std::string& name, const RowRequest& request, const Chunk& first) {
  return std::make_unique<NdjsonParser>(name, request, first);
}

}  // namespace iris
