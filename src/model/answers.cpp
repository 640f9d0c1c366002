#include "model/answers.h"

#include <ATen/Functions.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <type_traits>

#include "error.h"
#include "rows/float_text.h"

namespace iris {
namespace {

// Of float32 sums and of probabilities that a module computed in bfloat16.
constexpr float kRounding = 1e-3F;

// Calls the function with the number of classes, a compile-time constant for the three of Iris.
template <typename Function>
void for_classes(std::size_t classes, const Function& function) {
  if (classes == 3) {
    function(std::integral_constant<std::size_t, 3>());
  } else {
    function(classes);
  }
}

// at::softmax over such short rows takes longer than the forward pass. at::exp over all rows at once does not.
void softmax(Predictions& predictions) {
  auto& values = predictions.probabilities;
  for_classes(predictions.class_count, [&](auto classes) {
    const float* logits = predictions.outputs.data();
    float* shifted = values.data();
    for (std::size_t& best : predictions.best) {
      std::size_t highest = 0;
      float largest = logits[0];
      for (std::size_t i = 1; i < classes; ++i) {
        const bool is_higher = logits[i] > largest;  // no branch: it could not be predicted
        highest += (i - highest) * static_cast<std::size_t>(is_higher);
        largest = std::max(largest, logits[i]);
      }
      best = highest;
      for (std::size_t i = 0; i < classes; ++i) {
        shifted[i] = logits[i] - largest;
      }
      logits += classes;
      shifted += classes;
    }
  });
  at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}).exp_();
  for_classes(predictions.class_count, [&](auto classes) {
    for (std::size_t row = 0; row < values.size(); row += classes) {
      float* const exponentials = values.data() + row;
      float sum = 0;
      for (std::size_t i = 0; i < classes; ++i) {
        sum += exponentials[i];
      }
      for (std::size_t i = 0; i < classes; ++i) {
        exponentials[i] /= sum;
      }
    }
  });
}

void sigmoid(Predictions& predictions) {
  for (std::size_t row = 0; row < predictions.outputs.size(); ++row) {
    const float logit = predictions.outputs[row];
    predictions.probabilities[2 * row] = 1 / (1 + std::exp(logit));
    predictions.probabilities[2 * row + 1] = 1 / (1 + std::exp(-logit));
  }
}

void take_probabilities(Predictions& predictions) {
  for (const float value : predictions.outputs) {
    if (value < -kRounding || value > 1 + kRounding) {
      throw InputError(
          "the model gives " + fixed_text(value, 4) + ", which is not a probability; say what its outputs are",
          {Choice::Of::kOutputs});
    }
  }
  const bool is_single = predictions.output_count == 1;
  for (std::size_t i = 0; i < predictions.outputs.size(); ++i) {
    const float probability = std::clamp(predictions.outputs[i], 0.0F, 1.0F);
    if (is_single) {
      predictions.probabilities[2 * i] = 1 - probability;
      predictions.probabilities[2 * i + 1] = probability;
    } else {
      predictions.probabilities[i] = probability;
    }
  }
}

void find_best(Predictions& predictions) {
  for (std::size_t row = 0; row < predictions.best.size(); ++row) {
    const auto probabilities = predictions.probabilities_of(row);
    predictions.best[row] =
        static_cast<std::size_t>(std::max_element(probabilities.begin(), probabilities.end()) - probabilities.begin());
  }
}

}  // namespace

void fill_in_answers(Predictions& predictions) {
  const bool is_single = predictions.output_count == 1;
  const bool has_classes = predictions.meaning != Outputs::kValues;
  const std::size_t rows = predictions.outputs.size() / predictions.output_count;
  predictions.class_count = !has_classes ? 0 : is_single ? 2 : predictions.output_count;
  predictions.probabilities.resize(rows * predictions.class_count);
  predictions.best.resize(has_classes ? rows : 0);
  if (predictions.meaning == Outputs::kProbabilities) {
    take_probabilities(predictions);
  } else if (has_classes && is_single) {
    sigmoid(predictions);
  } else if (has_classes) {
    softmax(predictions);
    return;
  }
  find_best(predictions);
}

std::string doubt_about_logits(const Predictions& predictions) {
  const std::size_t count = predictions.output_count;
  if (predictions.meaning != Outputs::kLogits || count < 2) {
    return "";
  }
  for (std::size_t row = 0; row * count < predictions.outputs.size(); ++row) {
    float sum = 0;
    for (const float output : predictions.outputs_of(row)) {
      if (output < 0 || output > 1) {
        return "";
      }
      sum += output;
    }
    if (std::abs(sum - 1) > kRounding) {
      return "";
    }
  }
  return "the model's outputs look like probabilities: each row's lie between 0 and 1 and add up to 1; softmax was "
         "applied to them";
}

}  // namespace iris
