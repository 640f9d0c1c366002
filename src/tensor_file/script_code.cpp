#include "tensor_file/script_code.h"

#include <algorithm>
#include <utility>

#include "error.h"
#include "io/byte_cursor.h"
#include "text.h"

namespace iris {
namespace {

// Of the largest models' code some MiB are declarations and methods.
constexpr std::size_t kMaxText = 64 << 20;
// Classes, attributes, parameters and buffers.
constexpr std::size_t kMostNames = 1'000'000;

// The line's text, which is taken.
std::string_view take_line(std::string_view& text) {
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string_view line = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return line;
}

std::optional<std::string_view> after(std::string_view line, std::string_view start) {
  return line.starts_with(start) ? std::optional(line.substr(start.size())) : std::nullopt;
}

// "Linear" of "class Linear(Module):".
std::optional<std::string_view> class_name(std::string_view line) {
  const auto rest = after(line, "class ");
  return rest && rest->find('(') != std::string_view::npos ? std::optional(rest->substr(0, rest->find('(')))
                                                           : std::nullopt;
}

char unescaped(char letter) {
  constexpr std::string_view kLetters = "abfnrtv";
  constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v";
  const std::size_t place = kLetters.find(letter);
  return place == std::string_view::npos ? letter : kMeanings[place];
}

// The text in quotes that the line begins with, which is taken. As torch/csrc/jit/frontend/parse_string_literal.h reads
// it.
std::optional<std::string> take_quoted(std::string_view& line) {
  if (line.empty() || (line[0] != '"' && line[0] != '\'')) {
    return std::nullopt;
  }
  const char quote = line[0];
  std::string text;
  for (std::size_t i = 1; i < line.size(); ++i) {
    if (line[i] == quote) {
      line.remove_prefix(i + 1);
      return text;
    }
    if (line[i] != '\\' || i + 1 == line.size()) {
      text += line[i];
      continue;
    }
    ++i;
    const auto is_octal = [&](std::size_t at) { return at < line.size() && line[at] >= '0' && line[at] <= '7'; };
    if (is_octal(i) && is_octal(i + 1) && is_octal(i + 2)) {
      text += static_cast<char>((line[i] - '0') * 64 + (line[i + 1] - '0') * 8 + (line[i + 2] - '0'));
      i += 2;
    } else {
      text += unescaped(line[i]);
    }
  }
  return std::nullopt;
}

// "weight : Tensor", or, where the name is not a Python identifier, __annotations__["0"] = Tensor
std::optional<ScriptClass::Attribute> attribute_of(std::string_view line) {
  if (auto rest = after(line, "__annotations__[")) {
    auto name = take_quoted(*rest);
    const auto type = after(*rest, "] = ");
    return name && type ? std::optional(ScriptClass::Attribute{std::move(*name), std::string(*type)}) : std::nullopt;
  }
  const std::size_t colon = line.find(" : ");
  const std::string_view name = line.substr(0, colon);
  if (colon == std::string_view::npos || name.find_first_of(" (\"") != std::string_view::npos) {
    return std::nullopt;
  }
  return ScriptClass::Attribute{std::string(name), std::string(line.substr(colon + 3))};
}

}  // namespace

void ScriptCode::count_name() {
  ++names_;
  require(names_ <= kMostNames, "its code declares more than a million names");
}

const ScriptCode::File* ScriptCode::file_of(const std::string& path) {
  const auto [place, is_new] = files_.try_emplace(path);
  std::optional<File>& file = place->second;
  const ZipEntry* entry = is_new ? zip_.find(root_ + "/code/" + path) : nullptr;
  if (entry != nullptr) {
    require(entry->uncompressed_size <= kMaxText - text_size_, "zip: its code unpacks to more than 64 MiB");
    text_size_ += entry->uncompressed_size;
    file.emplace(File{ZipReader::unpacked(*entry), {}});
    for (std::string_view rest = file->text; !rest.empty();) {
      const std::size_t offset = file->text.size() - rest.size();
      if (const auto name = class_name(take_line(rest))) {
        count_name();
        file->classes.emplace(*name, offset);
      }
    }
  }
  return file ? &*file : nullptr;
}

ScriptClass ScriptCode::parse(std::string_view text) {
  const auto take_names = [&](std::string_view list, std::set<std::string, std::less<>>& names) {
    while (auto name = take_quoted(list)) {
      count_name();
      names.insert(std::move(*name));
      list.remove_prefix(std::min(list.find_first_not_of(", "), list.size()));
    }
  };
  ScriptClass found;
  found.is_module = take_line(text).ends_with("(Module):");
  while (!text.empty()) {
    std::string_view line = take_line(text);
    if (!line.starts_with("  ")) {
      break;  // the class has ended
    }
    line.remove_prefix(2);
    if (line.starts_with(' ') || line.starts_with("def ")) {
      continue;
    }
    if (const auto parameters = after(line, "__parameters__ = [")) {
      take_names(*parameters, found.parameters);
    } else if (const auto buffers = after(line, "__buffers__ = [")) {
      found.names_buffers = true;
      take_names(*buffers, found.buffers);
    } else if (auto attribute = attribute_of(line)) {
      count_name();
      found.attributes.push_back(std::move(*attribute));
    }
  }
  return found;
}

const ScriptClass* ScriptCode::find(std::string_view qualified_name) {
  const auto known = classes_.find(qualified_name);
  if (known != classes_.end()) {
    return known->second ? &*known->second : nullptr;
  }
  const std::size_t dot = qualified_name.rfind('.');
  std::optional<ScriptClass> found;
  if (dot != std::string_view::npos) {
    std::string path(qualified_name.substr(0, dot));
    std::ranges::replace(path, '.', '/');
    if (const File* file = file_of(path + ".py")) {
      const auto place = file->classes.find(qualified_name.substr(dot + 1));
      if (place != file->classes.end()) {
        found = parse(std::string_view(file->text).substr(place->second));
      }
    }
  }
  const auto& kept = classes_.emplace(qualified_name, std::move(found)).first->second;
  return kept ? &*kept : nullptr;
}

}  // namespace iris
