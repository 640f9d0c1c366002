// --features and --labels.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace iris {

// "a,b,c" as typed behind `option`; nothing typed: no names. Throws UsageError for an empty name or one that is there
// twice.
std::vector<std::string> split_names(const std::string& option, const std::optional<std::string>& typed);

}  // namespace iris
