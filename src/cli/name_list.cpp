#include "cli/name_list.h"

#include <algorithm>

#include "error.h"
#include "rows/csv_record.h"
#include "text.h"

namespace iris {

std::vector<std::string> split_names(const std::string& option, const std::optional<std::string>& typed) {
  std::vector<std::string> names;
  if (!typed) {
    return names;
  }
  const std::string record = *typed + "\n";
  std::string_view rest = record;
  const std::string_view fault = take_csv_record(rest, names);
  if (!fault.empty()) {
    throw UsageError(option + ": " + std::string(fault) + "; write a,\"b,c\",\"a \"\"d\"\"\"");
  }
  if (!rest.empty()) {
    throw UsageError(option + ": there is a line break in it; put the name with it in double quotes");
  }
  for (auto name = names.begin(); name != names.end(); ++name) {
    if (name->empty()) {
      throw UsageError(option + ": a name is empty; write a,b,c");
    }
    if (std::find(names.begin(), name, *name) != name) {
      throw UsageError(option + ": " + text::quoted(*name) + " is there twice");
    }
  }
  return names;
}

}  // namespace iris
