// The names of options, for errors of libraries, which do not know the command line.
#pragma once

#include <array>
#include <cstddef>
#include <string>

#include "error.h"
#include "text.h"

namespace iris {

// What to add to an error's message: " (--key)", " (--hidden 32)"; empty where the error names no choice.
inline std::string choice_words(const Choice& choice) {
  constexpr std::array kOptions = {"",
                                   "--key",
                                   "iris convert --strip-prefix",
                                   "--hidden",
                                   "--features",
                                   "--labels",
                                   "--label-column",
                                   "--copy",
                                   "--input-format",
                                   "--device",
                                   "--dtype",
                                   "--outputs",
                                   "--batch-size"};  // by Choice::Of
  static_assert(kOptions.size() == static_cast<std::size_t>(Choice::Of::kRowsAtOnce) + 1);
  return choice.of == Choice::Of::kNothing
             ? ""
             : std::string(" (") + kOptions[static_cast<std::size_t>(choice.of)] +
                   (choice.value.empty() ? "" : " " + text::printable(choice.value)) + ")";
}

}  // namespace iris
