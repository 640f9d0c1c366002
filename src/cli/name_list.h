// --features and --labels.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace iris {

// typed: what follows `option`, names with commas between them, quoted as in CSV: a,"b,c" are two. Without it: no
// names. Throws UsageError for an empty name, a name that is there twice, a line break outside quotes, and wrong
// quoting.
std::vector<std::string> split_names(const std::string& option, const std::optional<std::string>& typed);

}  // namespace iris
