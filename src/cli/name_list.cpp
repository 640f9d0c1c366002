#include "cli/name_list.h"

#include <algorithm>

#include "error.h"
#include "pickle/text.h"

namespace iris {

std::vector<std::string> split_names(const std::string& option, const std::optional<std::string>& typed) {
  std::vector<std::string> names;
  for (std::size_t start = 0; typed && start <= typed->size();) {
    const std::size_t comma = std::min(typed->find(',', start), typed->size());
    const std::string name = typed->substr(start, comma - start);
    if (name.empty()) {
      throw UsageError(option + ": a name is empty; write a,b,c");
    }
    if (std::find(names.begin(), names.end(), name) != names.end()) {
      throw UsageError(option + ": " + pickle::quoted(name) + " is there twice");
    }
    names.push_back(name);
    start = comma + 1;
  }
  return names;
}

}  // namespace iris
