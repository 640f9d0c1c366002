#include "cli/choice_words.h"

#include "text.h"

namespace iris {
namespace {

const char* option_of(Choice::Of of) {
  switch (of) {
    case Choice::Of::kNothing:
      return "";
    case Choice::Of::kKey:
      return "--key";
    case Choice::Of::kPrefix:
      return "iris convert --strip-prefix";
    case Choice::Of::kHidden:
      return "--hidden";
    case Choice::Of::kFeatures:
      return "--features";
    case Choice::Of::kLabels:
      return "--labels";
    case Choice::Of::kLabelColumn:
      return "--label-column";
    case Choice::Of::kDevice:
      return "--device";
    case Choice::Of::kDtype:
      return "--dtype";
    case Choice::Of::kRowsAtOnce:
      return "--batch-size";
  }
  return "";
}

}  // namespace

std::string choice_words(const Choice& choice) {
  if (choice.of == Choice::Of::kNothing) {
    return "";
  }
  return std::string(" (") + option_of(choice.of) + (choice.value.empty() ? "" : " " + text::printable(choice.value)) +
         ")";
}

}  // namespace iris
