// The rows of a text, as a file of it is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rows/float_text.h"
#include "rows/row_source.h"
#include "support/temp_file.h"

namespace iris::test {

// What a RowSource makes of a file of the text, whose name is "rows".
class RowsOfText {
 public:
  explicit RowsOfText(std::string_view text) { write_file(path_, text); }

  // Each row as "1 2.5", with " -> CLASS" if labels are wanted, and after what is copied of it; or as its error.
  // Throws what RowSource throws.
  std::vector<std::string> read(RowFormat format, RowRequest request, const std::vector<std::string>& labels = {}) {
    request.tell = [this](const std::string& note) { notes.push_back(named(note)); };
    RowSource source(path_, format, request);
    source.set_labels(labels);
    names = source.features();
    copied_names = source.copied_names();
    std::vector<std::string> lines;
    for (RowSource::Part part; source.take(part);) {
      source.parse(part);
      const Rows& rows = part.rows;
      const std::vector<std::string> all_places = source.places(part);
      for (std::size_t row = 0, bad = 0; row < rows.count; ++row) {
        places.push_back(named(all_places.at(row)));
        std::string line = request.copy ? std::string(rows.copied_of(row)) : "";
        if (bad < rows.bad.size() && rows.bad[bad].number == row) {
          lines.push_back(line + named(rows.bad[bad++].error));
          continue;
        }
        const std::size_t good = row - bad;
        for (std::size_t i = 0; i < names.size(); ++i) {
          char buffer[16];
          const float value = rows.features.at(good * names.size() + i);
          line += (i == 0 ? "" : " ") + std::string(buffer, write_shortest(value, buffer));
        }
        lines.push_back(rows.labels.empty() ? line : line + " -> " + std::to_string(rows.labels.at(good)));
      }
    }
    return lines;
  }

  // The message without the folder.
  std::string named(const std::string& message) const {
    return message.starts_with(path_) ? "rows" + message.substr(path_.size()) : message;
  }

  // Of the last read():
  std::vector<std::string> notes;
  std::vector<std::string> names;
  std::vector<std::string> copied_names;
  std::vector<std::string> places;

 private:
  TempFolder folder_;
  std::string path_ = folder_ / "rows";
};

inline std::vector<std::string> rows_of(std::string_view text, RowFormat format,
                                        const std::vector<std::string>& features) {
  RowRequest request;
  request.features = features;
  return RowsOfText(text).read(format, request);
}

}  // namespace iris::test
