// Arbitrary bytes as rows: CSV or NDJSON, from a file and from a pipe in pieces, plain, with labels and with copies.
// Every way must give what the plainest one gives: one record after the other, each number by parse_float; and numbers
// what the C library gives.
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "error.h"
#include "fuzz/same_values.h"
#include "rows/csv_kernel.h"
#include "rows/csv_record.h"
#include "rows/float_text.h"
#include "rows/row_source.h"

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

// columns: for each column the index of its feature. Passes over the header.
Expected csv_rows(std::string_view text, std::vector<std::size_t> columns) {
  Expected rows;
  bool is_first = true;
  std::vector<std::string> cells;
  CsvRecords records(text);
  records.next_of_whole(&cells);
  for (records.pass_over_blank_lines(); records.next_of_whole(&cells); records.pass_over_blank_lines()) {
    std::for_each(cells.begin(), cells.end(), check_number);
    if (std::exchange(is_first, false) && records.fault().empty() && cells.size() == columns.size() + 1) {
      columns.insert(columns.begin(), 99);  // R's row names
    }
    std::vector<float> row;
    for (std::size_t i = 0; records.fault().empty() && cells.size() == columns.size() && i < kFeatures.size(); ++i) {
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
  return rows;
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
    if (line.find('\0') != std::string_view::npos) {
      rows.emplace_back();
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

// All that a source gives, or why it gives nothing.
struct Read {
  std::vector<float> features;
  std::vector<std::int64_t> labels;
  std::vector<std::string> bad;
  std::vector<std::string> places;
  std::string copied;
  std::string error;
  std::size_t count = 0;
  bool operator==(const Read& other) const {
    return features.size() == other.features.size() &&
           std::equal(features.begin(), features.end(), other.features.begin(), are_same) && labels == other.labels &&
           bad == other.bad && places == other.places && copied == other.copied && error == other.error &&
           count == other.count;
  }
};

Read read(int file, RowFormat format, const RowRequest& request) {
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  const auto without_path = [&](const std::string& message) {
    return message.starts_with(path) ? message.substr(path.size()) : message;
  };
  Read all;
  try {
    RowSource source(path, format, request);
    source.set_labels({"x", "y"});
    for (RowSource::Part part; source.take(part);) {
      source.parse(part);
      const Rows& rows = part.rows;
      all.features.insert(all.features.end(), rows.features.begin(), rows.features.end());
      all.labels.insert(all.labels.end(), rows.labels.begin(), rows.labels.end());
      for (const BadRow& bad : rows.bad) {
        all.bad.push_back(std::to_string(all.count + bad.number) + without_path(bad.error));
      }
      for (const std::string& place : source.places(part)) {
        all.places.push_back(without_path(place));
      }
      all.copied += rows.copied;
      all.count += rows.count;
      fuzz::require(all.places.size() == all.count);
      fuzz::require(!request.copy || rows.copied_ends.size() == rows.count);
    }
  } catch (const InputError& error) {
    all = {};
    all.error = without_path(error.what());
  }
  return all;
}

Read read_file(std::string_view bytes, RowFormat format, const RowRequest& request) {
  const int file = ::memfd_create("rows", 0);
  fuzz::require(::write(file, bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  const Read all = read(file, format, request);
  ::close(file);
  return all;
}

// The bytes in pieces of that size, each once the reader may have taken the one before.
Read read_pipe(std::string_view bytes, std::size_t piece, RowFormat format, const RowRequest& request) {
  int ends[2];
  fuzz::require(::pipe(ends) == 0);
  std::thread writer([&] {
    for (std::string_view rest = bytes; !rest.empty(); rest.remove_prefix(std::min(piece, rest.size()))) {
      if (::write(ends[1], rest.data(), std::min(piece, rest.size())) < 0) {
        break;
      }
      std::this_thread::yield();
    }
    ::close(ends[1]);
  });
  const Read all = read(ends[0], format, request);
  // A reader that gave up leaves the rest.
  for (char left[4096]; ::read(ends[0], left, sizeof left) > 0;) {
  }
  writer.join();
  ::close(ends[0]);
  return all;
}

// The kernels agree, each with the plain rows.
void check_kernels(std::string_view text) {
  std::vector<std::vector<std::uint32_t>> ends;
  std::vector<std::vector<float>> values;
  for (const CsvKernel* kernel : {&csv_kernel_of_all(), csv_kernel_of_avx2()}) {
    if (kernel == nullptr || (kernel != &csv_kernel_of_all() && kernel != &csv_kernel())) {
      continue;  // not for this processor
    }
    std::vector<std::uint32_t> its(text.size() + 9);
    its[0] = ~std::uint32_t{0};
    const CsvKernel::Ends found = kernel->find_ends(text.data(), text.size(), &its[1]);
    its.resize(found.is_regular ? found.count + 1 : 0);
    std::vector<float> its_values(3 * text.size() + 16);
    if (found.is_regular && found.count > 3) {
      const std::uint32_t places[] = {0, 1, 2};
      const auto rows = kernel->parse_rows(text.data(), &its[4], found.count - 3, {3, places, 3, true},
                                           found.has_quotes, text.size(), its_values.data());
      its_values.resize(3 * rows.count);
    } else {
      its_values.clear();
    }
    ends.push_back(its);
    values.push_back(its_values);
  }
  fuzz::require(ends.size() < 2 || (ends[0] == ends[1] && std::equal(values[0].begin(), values[0].end(),
                                                                     values[1].begin(), values[1].end(), are_same)));
}

void check_source(std::string_view bytes, std::size_t piece, RowFormat format, const RowRequest& request) {
  fuzz::require(read_file(bytes, format, request) == read_pipe(bytes, piece, format, request));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) {
    return 0;
  }
  const bool is_csv = data[0] % 2 == 0;
  const RowFormat format = is_csv ? RowFormat::kCsv : RowFormat::kNdjson;
  const bool is_reordered = data[0] % 4 == 0;
  const std::size_t piece = 1 + data[0] / 16 * 7;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  RowRequest request;
  request.features = kFeatures;

  const std::string text = (!is_csv ? "" : is_reordered ? "b,x,c,a\n" : "a,b,c\n") + std::string(bytes) + "\n";
  const Read plain = read_file(text, format, request);
  if (plain.error.empty()) {  // not compressed, UTF-16 and the like
    Rows rows;
    rows.features = plain.features;
    rows.count = plain.count;
    for (const std::string& bad : plain.bad) {
      rows.bad.push_back({std::stoul(bad), bad});
    }
    check_rows(rows,
               is_csv ? csv_rows(text, is_reordered ? std::vector<std::size_t>{1, 99, 2, 0}
                                                    : std::vector<std::size_t>{0, 1, 2})
                      : ndjson_rows(text),
               /*is_exact=*/is_csv);
  }
  if (is_csv) {
    check_kernels(text);
  }
  check_source(text, piece, format, request);
  check_source(bytes, piece, format, request);
  request.copy = {{"."}, data[0] % 8 < 4 ? RowFormat::kCsv : RowFormat::kNdjson};
  check_source(bytes, piece, format, request);
  request.copy.reset();
  if (is_csv) {
    request.label_column = "x";
    check_source(text, piece, format, request);
    request.label_column = kUsualLabelColumn;
    check_source(bytes, piece, format, request);
  }
  return 0;
}
