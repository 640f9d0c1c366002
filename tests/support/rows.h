// The rows of a text, as a file of it is read.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rows/float_text.h"
#include "rows/rows.h"
#include "support/temp_file.h"

namespace iris::test {

// Each row as "1 2.5", or as its error. The input's name is "rows".
inline std::vector<std::string> rows_of(std::string_view text, RowFormat record_end,
                                        const std::vector<std::string>& features) {
  const TempFolder folder;
  write_file(folder / "rows", text);
  ChunkReader reader(folder / "rows", record_end);
  Chunk chunk;
  bool is_there = reader.next(chunk);
  const auto parser = record_end == RowFormat::kCsv ? make_csv_parser("rows", features, chunk)
                                                    : make_ndjson_parser("rows", features, chunk);
  std::vector<std::string> lines;
  for (Rows rows; is_there; is_there = reader.next(chunk)) {
    parser->parse(chunk, rows);
    auto bad = rows.bad.begin();
    const float* value = rows.features.data();
    for (std::size_t row = 0; row < rows.count; ++row) {
      if (bad != rows.bad.end() && bad->number == row) {
        lines.push_back(bad++->error);
        continue;
      }
      std::string line;
      for (std::size_t i = 0; i < parser->features().size(); ++i) {
        char buffer[16];
        line += (i == 0 ? "" : " ") + std::string(buffer, write_shortest(*value++, buffer));
      }
      lines.push_back(line);
    }
  }
  return lines;
}

}  // namespace iris::test
