#include "model/company.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "model/classifier.h"
#include "rows/float_text.h"

namespace iris {
namespace {

// As shares of the largest number.
constexpr float kRounding = 1e-4F;
constexpr float kNearTie = 1e-2F;
constexpr float kTooMuch = 5e-2F;

constexpr const char* kSaySo = "if N rows belong together, say so";

using Numbers = std::span<const float>;

// nullopt: there are none, and why.
std::optional<Predictions> answers(const Pass& pass, Numbers rows, std::size_t row_count, std::string& why_not) {
  try {
    return pass(rows, row_count);
  } catch (const RowsDepend&) {
    throw;
  } catch (const DeviceLost&) {
    throw;
  } catch (const OutOfMemory&) {
    throw;
  } catch (const InputError& error) {
    why_not = error.what();
    return std::nullopt;
  }
}

// Whether the two have different classes, and not by a near tie.
bool differ_in_class(Numbers alone, Numbers together, float largest) {
  if (alone.size() == 1) {  // the sign is the class
    return (alone[0] > 0) != (together[0] > 0) && std::abs(alone[0] - together[0]) > kNearTie * largest;
  }
  const auto best_of = [](Numbers numbers) {
    return std::max_element(numbers.begin(), numbers.end()) - numbers.begin();
  };
  const auto a = static_cast<std::size_t>(best_of(alone));
  const auto b = static_cast<std::size_t>(best_of(together));
  return std::min(alone[a] - alone[b], together[b] - together[a]) > kNearTie * largest;
}

}  // namespace

Company compare_company(const Pass& pass, Numbers rows, std::size_t row_count) {
  const std::size_t width = rows.size() / row_count;
  std::vector<float> kept;   // rows that have an answer of their own
  std::vector<float> alone;  // the answers
  std::size_t kept_count = 0;
  std::string why_not;
  for (std::size_t row = 0; row < row_count; ++row) {
    const Numbers features = rows.subspan(row * width, width);
    if (const auto answer = answers(pass, features, 1, why_not)) {
      kept.insert(kept.end(), features.begin(), features.end());
      alone.insert(alone.end(), answer->outputs.begin(), answer->outputs.end());
      ++kept_count;
    }
  }
  std::string why_not_together;
  if (kept_count < row_count && answers(pass, rows, row_count, why_not_together)) {
    throw RowsDepend("the rows depend on each other: " + std::to_string(row_count) +
                         " together have answers, and one of them alone has none (" + why_not + ")",
                     kSaySo, {Choice::Of::kRowsAtOnce, "N"});
  }
  if (kept_count < 2) {
    return {};
  }
  const auto together = answers(pass, kept, kept_count, why_not_together);
  if (!together) {
    throw RowsDepend("the model answers each row alone, but not " + std::to_string(kept_count) + " together (" +
                         why_not_together + ")",
                     "give it one at a time", {Choice::Of::kRowsAtOnce, "1"});
  }
  float largest = 0;
  float difference = 0;
  for (std::size_t i = 0; i < alone.size(); ++i) {
    largest = std::max({largest, std::abs(alone[i]), std::abs(together->outputs[i])});
    difference = std::max(difference, std::abs(alone[i] - together->outputs[i]));
  }
  bool is_another_class = false;
  bool has_two_rows = false;
  const bool has_classes = together->meaning != Outputs::kValues;
  const std::size_t count = alone.size() / kept_count;
  for (std::size_t row = 0; row < kept_count; ++row) {
    const auto its = [&](Numbers numbers, std::size_t size) { return numbers.subspan(row * size, size); };
    is_another_class =
        is_another_class || (has_classes && differ_in_class(its(alone, count), together->outputs_of(row), largest));
    has_two_rows = has_two_rows || !std::equal(kept.begin(), kept.begin() + static_cast<std::ptrdiff_t>(width),
                                               its(kept, width).begin());
  }
  const std::string by = fixed_text(100.0 * difference / largest, 2) + " % of the largest";
  if (is_another_class || difference > kTooMuch * largest) {
    throw RowsDepend("the rows depend on each other: alone and beside " + std::to_string(kept_count - 1) +
                         " others a row has different answers (by " + by + ")",
                     kSaySo, {Choice::Of::kRowsAtOnce, "N"});
  }
  if (difference > kRounding * largest) {
    return {.is_known = true,
            .note = "the rows depend on each other a little: alone and beside " + std::to_string(kept_count - 1) +
                    " others a row's outputs differ by " + by};
  }
  return {.is_known = has_two_rows};
}

}  // namespace iris
