#include "cli/choice_words.h"

#include <cstddef>
#include <iterator>

#include "text.h"

namespace iris {
namespace {

// By Choice::Of.
constexpr const char* kOptions[] = {"",
                                    "--key",
                                    "iris convert --strip-prefix",
                                    "--hidden",
                                    "--features",
                                    "--labels",
                                    "--label-column",
                                    "--device",
                                    "--dtype",
                                    "--batch-size"};
static_assert(std::size(kOptions) == static_cast<std::size_t>(Choice::Of::kRowsAtOnce) + 1);

}  // namespace

std::string choice_words(const Choice& choice) {
  if (choice.of == Choice::Of::kNothing) {
    return "";
  }
  return std::string(" (") + kOptions[static_cast<std::size_t>(choice.of)] +
         (choice.value.empty() ? "" : " " + text::printable(choice.value)) + ")";
}

}  // namespace iris
