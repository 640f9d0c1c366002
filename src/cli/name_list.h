// --features and --labels.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace iris {

// "a,b,c" as typed behind `option`, with CSV's quotes: a,"b,c" are two. Nothing typed: no names. Throws UsageError for
// an empty name, one that is there twice, a line break outside quotes, and wrong quoting.
std::vector<std::string> split_names(const std::string& option, const std::optional<std::string>& typed);

}  // namespace iris
