// Arbitrary bytes as rows. The first says whether as CSV or as NDJSON. The parsers' quick ways must agree with their
// thorough ones, numbers with the C library.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>
#include <string>

#include "error.h"
#include "fuzz/same_values.h"
#include "rows/csv_record.h"
#include "rows/float_text.h"
#include "rows/rows.h"

namespace {

using namespace iris;

const std::vector<std::string> kFeatures = {"a", "b", "c"};

bool are_same(float value, float other) {
  return std::bit_cast<std::uint32_t>(value) == std::bit_cast<std::uint32_t>(other) ||
         (std::isnan(value) && std::isnan(other));
}

void check_number(const std::string& text) {
  const std::optional<float> value = parse_float(text);
  if (!text.empty() && text.find_first_not_of("0123456789.eE+-") == std::string::npos) {
    char* end = nullptr;
    const float expected = std::strtof(text.c_str(), &end);
    fuzz::require(value.has_value() == (*end == '\0'));
    fuzz::require(!value || are_same(*value, expected));
  }
  if (value && std::isfinite(*value)) {
    char shortest[16];
    fuzz::require(are_same(*value, parse_float({shortest, write_shortest(*value, shortest)}).value()));
    const float share = std::fabs(*value) <= 1 ? std::fabs(*value) : 1 / std::fabs(*value);
    char decimals[16];
    char expected[16];
    *write_six_decimals(share, decimals) = '\0';
    std::snprintf(expected, sizeof expected, "%.6f", static_cast<double>(share));
    fuzz::require(std::string_view(decimals) == expected);
  }
}

// Each row's values; none of a bad row.
using Expected = std::vector<std::vector<float>>;

Expected csv_rows(std::string_view text, bool is_first, std::vector<std::size_t>& columns) {
  Expected rows;
  std::vector<std::string> cells;
  while (true) {
    while (text.starts_with('\n') || text.starts_with("\r\n")) {
      text.remove_prefix(text.front() == '\n' ? 1 : 2);
    }
    if (text.empty()) {
      return rows;
    }
    const bool is_whole = take_csv_record(text, cells).empty();
    std::for_each(cells.begin(), cells.end(), check_number);
    if (std::exchange(is_first, false)) {
      continue;  // the header
    }
    std::vector<float> row;
    for (std::size_t i = 0; is_whole && cells.size() == columns.size() && i < kFeatures.size(); ++i) {
      const auto column = static_cast<std::size_t>(std::find(columns.begin(), columns.end(), i) - columns.begin());
      const float value = parse_float(cells[column]).value_or(NAN);
      if (!std::isfinite(value)) {
        row.clear();
        break;
      }
      row.push_back(value);
    }
    rows.push_back(row);
  }
}

Expected ndjson_rows(std::string_view text) {
  Expected rows;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end + 1);
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    std::vector<std::string> names;
    const auto json = nlohmann::json::parse(
        line,
        [&](int depth, nlohmann::json::parse_event_t event, nlohmann::json& value) {
          if (depth == 1 && event == nlohmann::json::parse_event_t::key) {
            names.push_back(value);
          }
          return true;
        },
        /*allow_exceptions=*/false);
    std::vector<float> row;
    for (std::size_t i = 0; i < kFeatures.size(); ++i) {
      const bool is_there = json.is_array()
                                ? json.size() == kFeatures.size()
                                : std::count(names.begin(), names.end(), kFeatures[i]) == 1 && json.is_object();
      if (!is_there) {
        break;
      }
      const auto& value = json.is_array() ? json[i] : json[kFeatures[i]];
      if (value.is_number() && std::isfinite(static_cast<float>(value.get<double>()))) {
        row.push_back(static_cast<float>(value.get<double>()));
      }
    }
    rows.push_back(row.size() == kFeatures.size() ? row : std::vector<float>{});
  }
  return rows;
}

void check_rows(const Rows& rows, const Expected& expected, bool is_exact) {
  fuzz::require(rows.count == expected.size());
  fuzz::require(rows.features.size() == (rows.count - rows.bad.size()) * kFeatures.size());
  auto bad = rows.bad.begin();
  const float* value = rows.features.data();
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (bad != rows.bad.end() && bad->number == i) {
      fuzz::require(expected[i].empty());
      ++bad;
      continue;
    }
    fuzz::require(expected[i].size() == kFeatures.size());
    for (const float other : expected[i]) {
      // A double rounds twice.
      fuzz::require(are_same(*value, other) || (!is_exact && std::fabs(*value - other) <= std::fabs(other) * 2e-7F) ||
                    (!is_exact && std::fabs(other) < 1e-37F));
      ++value;
    }
  }
}

// What a reader cuts the file into is all of it.
std::string read_in_chunks(std::string_view bytes, RowFormat record_end) {
  const int file = ::memfd_create("rows", 0);
  fuzz::require(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  ::lseek(file, 0, SEEK_SET);
  std::string all;
  try {
    ChunkReader reader("/proc/self/fd/" + std::to_string(file), record_end);
    std::size_t line = 1;
    for (Chunk chunk; reader.next(chunk);) {
      fuzz::require(chunk.first_line == line);
      fuzz::require(chunk.text.ends_with('\n'));
      fuzz::require(chunk.line_count ==
                    static_cast<std::size_t>(std::count(chunk.text.begin(), chunk.text.end(), '\n')));
      line += chunk.line_count;
      all += chunk.text;
    }
    bytes.remove_prefix(bytes.starts_with("\xEF\xBB\xBF") ? 3 : 0);
    fuzz::require(all == bytes || all == std::string(bytes) + "\n");
  } catch (const InputError&) {  // compressed, UTF-16
  }
  ::close(file);
  return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const bool is_csv = data[0] % 2 == 0;
  const std::string header = data[0] % 4 == 0 ? "b,x,c,a\n" : "a,b,c\n";
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  read_in_chunks(bytes, is_csv ? RowFormat::kCsv : RowFormat::kNdjson);

  std::string text = (is_csv ? header : "") + std::string(bytes) + "\n";
  Chunk chunk;
  chunk.text = text;
  chunk.line_count = static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
  Rows rows;
  if (is_csv) {
    std::vector<std::size_t> columns = {0, 1, 2};
    if (header.size() > 6) {
      columns = {1, 99, 2, 0};
    }
    const Expected expected = csv_rows(text, true, columns);
    const auto parser = make_csv_parser("rows", kFeatures, chunk);
    parser->parse(chunk, rows);
    check_rows(rows, expected, /*is_exact=*/true);
    if (std::vector<std::uint8_t> tenths; parser->parse_tenths(chunk, tenths)) {
      std::vector<float> values(tenths.size());
      floats_of_tenths(tenths, values.data());
      fuzz::require(rows.bad.empty() && rows.count == chunk.line_count && rows.features == values);
    }
  } else {
    make_ndjson_parser("rows", kFeatures, chunk)->parse(chunk, rows);
    check_rows(rows, ndjson_rows(text), /*is_exact=*/false);
  }
  return 0;
}
