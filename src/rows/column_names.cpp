#include "rows/column_names.h"

#include <algorithm>

#include "text.h"

namespace iris {
namespace {

// ASCII letters in lower case, digits, and all bytes outside ASCII; everything else is dropped.
std::string folded(std::string_view name) {
  std::string result;
  for (const char character : name) {
    const auto byte = static_cast<unsigned char>(character);
    if (byte >= 'A' && byte <= 'Z') {
      result += static_cast<char>(byte - 'A' + 'a');
    } else if ((byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') || byte >= 0x80) {
      result += character;
    }
  }
  return result;
}

// What stands in brackets at the name's end: "cm" of "sepal length (cm)".
std::string_view unit_in_brackets(std::string_view name) {
  const std::size_t open = name.find_last_of("([");
  return open != std::string_view::npos && (name.ends_with(')') || name.ends_with(']'))
             ? name.substr(open + 1, name.size() - open - 2)
             : std::string_view();
}

InputError lacks(const Header& header, const std::string& name, const Choice& choice, const std::string& near,
                 const std::string& way_out) {
  return InputError(header.place + "the header has no column " + text::printable(name) +
                        (near.empty() ? "" : " (did you mean " + text::printable(near) + "?)") +
                        "; it has: " + text::printable(text::joined(header.names)) + way_out,
                    choice);
}

}  // namespace

std::optional<std::size_t> find_column(const Header& header, const std::string& name, const std::string& unit) {
  const auto& names = header.names;
  const auto found = std::find(names.begin(), names.end(), name);
  if (found != names.end()) {
    if (std::find(found + 1, names.end(), name) != names.end()) {
      throw InputError(header.place + "the header has the column " + text::printable(name) + " twice");
    }
    return static_cast<std::size_t>(found - names.begin());
  }
  const std::string_view in_brackets = unit_in_brackets(name);
  const std::string own_unit = folded(in_brackets.empty() ? unit : in_brackets);
  std::string key = folded(name);
  if (!own_unit.empty() && key.size() > own_unit.size() && key.ends_with(own_unit)) {
    key.resize(key.size() - own_unit.size());
  }
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string its_key = folded(names[i]);
    const bool has_unit = !own_unit.empty() && (its_key == key + own_unit || its_key == key + "in" + own_unit);
    if (!key.empty() && (its_key == key || has_unit)) {
      places.push_back(i);
    }
  }
  if (places.size() > 1) {
    throw InputError(header.place + text::printable(names[places[0]]) + " and " + text::printable(names[places[1]]) +
                     " could both be " + text::printable(name));
  }
  return places.empty() ? std::nullopt : std::optional(places[0]);
}

InputError no_such_column(const Header& header, const std::string& name, const Choice& choice,
                          const std::string& way_out) {
  return lacks(header, name, choice, text::nearest(name, header.names), way_out);
}

std::vector<std::size_t> find_columns(const Header& header, const std::vector<std::string>& names,
                                      const std::string& unit, const Choice& choice) {
  std::vector<std::size_t> places;
  for (const std::string& name : names) {
    const std::optional<std::size_t> place = find_column(header, name, unit);
    if (!place) {
      throw lacks(header, name, choice, "", "");  // a feature's nearest name may be another feature, or in another unit
    }
    const auto other = std::find(places.begin(), places.end(), *place);
    if (other != places.end()) {
      throw InputError(header.place + text::printable(header.names[*place]) + " could be " +
                           text::printable(names[static_cast<std::size_t>(other - places.begin())]) + " and " +
                           text::printable(name),
                       choice);
    }
    places.push_back(*place);
  }
  return places;
}

std::string taken_for(const Header& header, const std::vector<std::string>& names,
                      const std::vector<std::size_t>& places) {
  std::string taken;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string& column = header.names[places[i]];
    if (column != names[i]) {
      taken += taken.empty() ? text::printable(column) + " is taken for " + text::printable(names[i])
                             : ", " + text::printable(column) + " for " + text::printable(names[i]);
    }
  }
  return taken;
}

}  // namespace iris
