// From a model's numbers to its answers.
#pragma once

#include <optional>
#include <string>

#include "rows/predictions.h"

namespace iris {

// Fills in class_count, probabilities and best, from meaning, output_count and outputs. Logits and values are finite.
// Throws InputError without the path where a probability lies outside [0, 1].
void fill_in_answers(Predictions& predictions);

// What the user should know of answers by logits, as nobody or only the file said that they are logits; "" mostly.
std::string doubt_about_logits(const Predictions& predictions);

}  // namespace iris
