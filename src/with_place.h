// Parsers throw errors without a path; the layer that opened the file puts the path in front.
#pragma once

#include <string>

#include "error.h"

namespace iris {

// Returns function(). A FormatError, UsageError or InputError that it throws leaves as one of the same class and
// choice, its message beginning with "PLACE: ".
template <typename Function>
decltype(auto) with_place(const std::string& place, Function&& function) {
  try {
    return function();
  } catch (const FormatError& error) {
    throw FormatError(place + ": " + error.what(), error.choice);
  } catch (const UsageError& error) {
    throw UsageError(place + ": " + error.what(), error.choice);
  } catch (const InputError& error) {
    throw InputError(place + ": " + error.what(), error.choice);
  }
}

}  // namespace iris
