// The names of options, for errors of libraries, which do not know the command line.
#pragma once

#include <string>

#include "error.h"

namespace iris {

// What to add to an error's message: " (--key)", " (--hidden 32)"; empty where the error names no choice.
std::string choice_words(const Choice& choice);

}  // namespace iris
