// The inner loops of CSV: cells found and short decimals converted many at a time. Only CsvParser uses it.
#pragma once

#include <cstddef>
#include <cstdint>

namespace iris {

struct CsvKernel {
  struct Ends {
    std::size_t count;
    bool has_quotes;
    bool is_regular;  // else the ends say nothing
  };

  // Where the columns of a row lie among its cells.
  struct Columns {
    std::size_t count;            // of all
    const std::uint32_t* places;  // of the wanted ones
    std::size_t wanted;
    bool are_in_order;  // the wanted ones are the first ones, in order
  };

  struct Rows {
    std::size_t count;
    std::size_t ends;  // passed over
  };

  // Writes the offset of every comma, newline and carriage return outside quotes to `ends`, which has room for
  // size + 8. Is not regular where a quote is at another place than at a cell's begin or end, or in a quoted cell.
  Ends (*find_ends)(const char* text, std::size_t size, std::uint32_t* ends);

  // Converts rows until `most` are done or one has another form: as many cells as there are columns, commas between
  // them, LF or CRLF at the end, and the wanted ones decimals of at most eight characters ("5.1", "-0.25", "12345678"),
  // quoted or not. A value is the float32 nearest to its text. ends: at least end_count of them, and one at -1, the end
  // of the cell before the first row. values: room for 3 more than most * wanted.
  Rows (*parse_rows)(const char* text, const std::uint32_t* ends, std::size_t end_count, const Columns& columns,
                     bool has_quotes, std::size_t most, float* values);
};

// How many ends belong to the row whose first cell ends at ends[0]; 0: it has not that many cells, or another end.
// static: a source file that is compiled for another processor has its own.
static inline std::size_t ends_of_row(const char* text, const std::uint32_t* ends, std::size_t end_count,
                                      std::size_t columns) {
  if (end_count < columns) {
    return 0;
  }
  for (std::size_t i = 0; i + 1 < columns; ++i) {
    if (text[ends[i]] != ',') {
      return 0;
    }
  }
  const std::uint32_t last = ends[columns - 1];
  if (text[last] == '\n') {
    return columns;
  }
  const bool is_crlf = text[last] == '\r' && end_count > columns && ends[columns] == last + 1 && text[last + 1] == '\n';
  return is_crlf ? columns + 1 : 0;
}

// The quickest one that this processor runs.
const CsvKernel& csv_kernel();
// For processors with AVX2; nullptr where the compiler makes none. And for all others.
const CsvKernel* csv_kernel_of_avx2();
const CsvKernel& csv_kernel_of_all();

}  // namespace iris
