#include "rows/other_kinds.h"

#include <algorithm>
#include <array>

namespace iris {
namespace {

using namespace std::string_view_literals;

struct Kind {
  std::string_view magic;
  const char* text;
};

constexpr const char* kArff =
    "looks like an ARFF file (Weka), whose rows are CSV; take them out first: sed '1,/^@data/Id' FILE";

constexpr std::array kKinds = {
    Kind{"\x1F\x8B"sv, "is compressed with gzip; unpack it first: gunzip -c FILE"},
    Kind{"\x28\xB5\x2F\xFD"sv, "is compressed with zstd; unpack it first: zstd -dc FILE"},
    Kind{"\xFD"
         "7zXZ\0"sv,
         "is compressed with xz; unpack it first: xz -dc FILE"},
    Kind{"BZh"sv, "is compressed with bzip2; unpack it first: bzip2 -dc FILE"},
    Kind{"\x04\x22\x4D\x18"sv, "is compressed with lz4; unpack it first: lz4 -dc FILE"},
    Kind{"PAR1"sv,
         "is a Parquet file; make CSV of it first: python3 -c \"import pandas; "
         "pandas.read_parquet('FILE').to_csv('rows.csv', index=False)\""},
    Kind{"ARROW1"sv,
         "is an Arrow file; make CSV of it first: python3 -c \"import pandas; "
         "pandas.read_feather('FILE').to_csv('rows.csv', index=False)\""},
    Kind{"\xD0\xCF\x11\xE0"sv,
         "is an old Excel file (.xls); make CSV of it first: python3 -c \"import pandas; "
         "pandas.read_excel('FILE').to_csv('rows.csv', index=False)\""},
    Kind{"\x89HDF"sv, "is an HDF5 file; make CSV of its table first, with pandas.read_hdf and to_csv"},
    Kind{"\x93NUMPY"sv,
         "is a NumPy array; make CSV of it first: python3 -c \"import numpy; "
         "numpy.savetxt('rows.csv', numpy.load('FILE'), fmt='%.9g', delimiter=',')\""},
    Kind{"SQLite format 3"sv, "is an SQLite database; make CSV of a table first: sqlite3 -header -csv FILE 'select …'"},
    Kind{"\x80\x02"sv, "is a pickle, which may run code when it is opened; make CSV of it where it came from"},
    Kind{"\x80\x03"sv, "is a pickle, which may run code when it is opened; make CSV of it where it came from"},
    Kind{"\x80\x04"sv, "is a pickle, which may run code when it is opened; make CSV of it where it came from"},
    Kind{"\x80\x05"sv, "is a pickle, which may run code when it is opened; make CSV of it where it came from"},
    Kind{"%PDF"sv, "is a PDF file, not rows"},
    Kind{"%"sv, kArff},
    Kind{"@relation"sv, kArff},
    Kind{"@RELATION"sv, kArff},
    Kind{"@Relation"sv, kArff},
};

bool is_html(std::string_view begin) {
  std::string lower(begin.substr(0, 32));
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char character) {
    return character >= 'A' && character <= 'Z' ? static_cast<char>(character - 'A' + 'a') : character;
  });
  const std::size_t first = std::min(lower.find_first_not_of(" \t\r\n"), lower.size());
  const std::string_view text = std::string_view(lower).substr(first);
  return text.starts_with("<!doctype html") || text.starts_with("<html");
}

// Text as UTF-16 without a byte-order mark: every other byte of its begin is 0.
bool is_utf16_without_mark(std::string_view begin) {
  constexpr std::size_t kLookedAt = 8;
  if (begin.size() < kLookedAt) {
    return false;
  }
  for (std::size_t i = 0; i < kLookedAt; i += 2) {
    if ((begin[0] == 0 ? begin[i] : begin[i + 1]) != 0 || (begin[0] == 0 ? begin[i + 1] : begin[i]) == 0) {
      return false;
    }
  }
  return true;
}

// One array of rows, or an object over several lines: JSON, but not a row on each line.
std::string other_json(std::string_view begin) {
  const std::size_t first = begin.find_first_not_of(" \t\r\n\xEF\xBB\xBF");
  if (first == std::string_view::npos) {
    return "";
  }
  const char opening = begin[first];
  const std::size_t second = begin.find_first_not_of(" \t\r", first + 1);
  if (second == std::string_view::npos) {
    return "";
  }
  if (opening == '[' && (begin[second] == '[' || begin[second] == '{' || begin[second] == '\n')) {
    return "is one JSON array, not a row on each line; make CSV of it first: python3 -c \"import pandas; "
           "pandas.read_json('FILE').to_csv('rows.csv', index=False)\"";
  }
  if (opening == '{' && begin[second] == '\n') {
    return "is a JSON object over several lines, not a row on each line; make one line of it first: jq -c . FILE";
  }
  return "";
}

}  // namespace

std::string other_kind(std::string_view begin, RowFormat format) {
  if (begin.starts_with("\xFF\xFE") || begin.starts_with("\xFE\xFF") || is_utf16_without_mark(begin)) {
    return "is UTF-16; save it as UTF-8";
  }
  if (begin.starts_with("PK\x03\x04")) {
    const auto holds = [&](std::string_view name) { return begin.find(name) != std::string_view::npos; };
    if (holds("/data.pkl") || holds("/constants.pkl") || holds(".aotinductor")) {
      return "is a file of PyTorch's, a model or its numbers; rows of CSV are needed";
    }
    if (holds(".npy")) {
      return "is an archive of NumPy arrays (.npz); make CSV of one first: python3 -c \"import numpy; "
             "numpy.savetxt('rows.csv', numpy.load('FILE')['NAME'], fmt='%.9g', delimiter=',')\"";
    }
    return begin.find("[Content_Types].xml") != std::string_view::npos || begin.find("xl/") != std::string_view::npos
               ? "is an Excel file (.xlsx); make CSV of it first: python3 -c \"import pandas; "
                 "pandas.read_excel('FILE').to_csv('rows.csv', index=False)\""
               : "is a zip archive; unpack it first: unzip -p FILE";
  }
  const auto kind =
      std::find_if(kKinds.begin(), kKinds.end(), [&](const Kind& its) { return begin.starts_with(its.magic); });
  if (kind != kKinds.end()) {
    return kind->text;
  }
  if (is_html(begin)) {
    return "is a web page (HTML), not the file that it shows; fetch the raw file";
  }
  return format == RowFormat::kNdjson || begin.starts_with('[') ? other_json(begin) : "";
}

}  // namespace iris
