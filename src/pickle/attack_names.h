// Names that stand in a pickle to run a program on the machine that unpickles it.
#pragma once

#include <string_view>

namespace iris::pickle {

// A courtesy to the user, who should know what the file is: nothing that a file names is ever run here. The list holds
// the well-known ways and cannot be complete.
bool is_attack_name(std::string_view qualified_name);

}  // namespace iris::pickle
