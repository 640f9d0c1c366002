#include "rows/label_reader.h"

#include <algorithm>
#include <cmath>

#include "rows/float_text.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::size_t kNamedInNote = 10;

std::string folded(std::string_view label) {
  std::string result(label);
  std::transform(result.begin(), result.end(), result.begin(), [](char character) {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
  });
  for (const char* const prefix : {"iris-", "iris_", "iris "}) {
    if (result.starts_with(prefix)) {
      return std::string(text::trimmed(std::string_view(result).substr(5)));
    }
  }
  return result;
}

}  // namespace

LabelReader::LabelReader(const std::vector<std::string>& labels, const std::vector<std::string>& index_names)
    : labels_(labels) {
  for (std::size_t i = 0; i < labels.size(); ++i) {
    by_name_.emplace(labels[i], static_cast<std::int64_t>(i));
    const auto [place, is_new] = by_folded_name_.emplace(folded(labels[i]), static_cast<std::int64_t>(i));
    place->second = is_new ? place->second : -1;  // it means two of them
    class_of_index_.push_back(static_cast<std::int64_t>(i));
  }
  std::vector<std::int64_t> named;
  for (const std::string& name : index_names) {
    if (const std::optional<Found> found = find_name(name)) {
      named.push_back(found->index);
    }
  }
  if (!named.empty() && named.size() == index_names.size()) {
    class_of_index_ = named;
  }
}

std::optional<LabelReader::Found> LabelReader::find_name(const std::string& name) const {
  if (const auto found = by_name_.find(name); found != by_name_.end()) {
    return Found{found->second, By::kItself};
  }
  if (const auto found = by_folded_name_.find(folded(name)); found != by_folded_name_.end() && found->second >= 0) {
    return Found{found->second, By::kFoldedName};
  }
  return std::nullopt;
}

std::optional<LabelReader::Found> LabelReader::find(std::string_view cell) const {
  const std::string label(text::trimmed(cell));
  if (const std::optional<Found> found = find_name(label)) {
    return found;
  }
  const double number = parse_double(label).value_or(-1);
  if (number >= 0 && number < static_cast<double>(class_of_index_.size()) && number == std::floor(number)) {
    return Found{class_of_index_[static_cast<std::size_t>(number)], By::kIndex};
  }
  return std::nullopt;
}

std::string LabelReader::names() const { return text::printable(text::joined(labels_)); }

std::string LabelReader::note(By by) const {
  if (by == By::kFoldedName) {
    return "labels are taken for the model's without regard to case and a leading Iris-";
  }
  std::string note = "labels are taken as class indexes: ";
  const std::size_t count = std::min(class_of_index_.size(), kNamedInNote);
  for (std::size_t i = 0; i < count; ++i) {
    note += (i == 0 ? "" : ", ") + std::to_string(i) + " is " +
            text::printable(labels_[static_cast<std::size_t>(class_of_index_[i])]);
  }
  return count < class_of_index_.size() ? note + ", …" : note;
}

}  // namespace iris
