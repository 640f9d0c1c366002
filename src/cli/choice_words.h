// The names of the command line's options, for the errors of libraries that do not know them.
#pragma once

#include <string>

#include "error.h"

namespace iris {

// What to add to an error's message: " (--key)", " (--hidden 32)"; empty where the error names no choice.
std::string choice_words(const Choice& choice);

}  // namespace iris
