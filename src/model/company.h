// Whether a model gives a row the same answer alone and in the company of other rows.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>

#include "error.h"
#include "rows/predictions.h"

namespace iris {

// The rows depend on each other, or the model takes a fixed number of them. Its way out is that of a caller who chooses
// which rows are passed together.
class RowsDepend : public InputError {
 public:
  RowsDepend(const std::string& its_fact, const std::string& its_way_out, const Choice& its_choice)
      : InputError(its_fact + "; " + its_way_out, its_choice), fact(its_fact), way_out(its_way_out) {}

  std::string fact;
  std::string way_out;
};

// One pass. rows: float32 [row_count, features]. The outputs and their meaning are used. Throws InputError where the
// model has no answer to these rows.
using Pass = std::function<Predictions(std::span<const float> rows, std::size_t row_count)>;

// How many rows are compared.
constexpr std::size_t kComparedRows = 8;

struct Company {
  bool is_known = false;  // whether the rows said anything: two that differ, each with an answer
  std::string note = {};  // what the user should know of small differences
};

// Compares each row by itself with all of them together; rows without an answer of their own are left out. row_count: 2
// to kComparedRows. Throws RowsDepend, without the path, for another class and for outputs that differ by more than 5 %
// of the largest; DeviceLost; OutOfMemory.
Company compare_company(const Pass& pass, std::span<const float> rows, std::size_t row_count);

}  // namespace iris
