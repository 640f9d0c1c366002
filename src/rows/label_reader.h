// The class that a label's text means.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace iris {

class LabelReader {
 public:
  // By what a label was recognized: the first of these that holds.
  enum class By { kItself, kFoldedName, kIndex };
  struct Found {
    std::int64_t index;
    By by;
  };

  LabelReader() = default;
  // labels: the classes' names, in order. index_names: what the file says that its class indexes mean, in order
  // (scikit-learn's header); may be empty.
  explicit LabelReader(const std::vector<std::string>& labels, const std::vector<std::string>& index_names = {});

  // The label as it is; else without regard to case and a leading "Iris-"; else a whole number from 0: a class index.
  // Blanks around it do not count. nullopt: none of these.
  std::optional<Found> find(std::string_view cell) const;

  bool is_empty() const { return labels_.empty(); }
  // The classes, for messages: "setosa, versicolor, virginica".
  std::string names() const;

  // For the user: "labels are taken as class indexes: 0 is setosa, 1 is versicolor".
  std::string note(By by) const;

 private:
  std::optional<Found> find_name(const std::string& name) const;

  std::vector<std::string> labels_;
  std::vector<std::int64_t> class_of_index_;  // by the file's index
  std::unordered_map<std::string, std::int64_t> by_name_;
  std::unordered_map<std::string, std::int64_t> by_folded_name_;
};

}  // namespace iris
