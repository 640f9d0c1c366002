#include "tensor_file/renaming.h"

#include <set>
#include <string_view>
#include <vector>

#include "error.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Document;
using pickle::Kind;
using pickle::Value;

// Whether the key began with the prefix.
bool strip(Document& document, Value& key, std::string_view prefix) {
  if (key.kind != Kind::kString || !document.text(key).starts_with(prefix)) {
    return false;
  }
  key = document.add_text(Kind::kString, std::string(document.text(key).substr(prefix.size())));
  return true;
}

void check_names_differ(const Document& document, Value dict) {
  std::set<std::string_view> names;
  for (const auto& [key, value] : document.entries(dict)) {
    if (key.kind == Kind::kString && !names.insert(document.text(key)).second) {
      throw FormatError("without the prefix, two entries have the name " + text::quoted(document.text(key)));
    }
  }
}

bool is_inside(std::string_view module_path, std::string_view outer) {
  return outer.empty() || (module_path.starts_with(outer) && module_path.substr(outer.size()).starts_with('.'));
}

// _metadata has an entry for each module, under its path. The module that the prefix names becomes the root, "".
std::vector<Value> stripped_metadata(Document& document, Value metadata, const std::string& prefix) {
  const std::string module_path = prefix.substr(0, prefix.find_last_not_of('.') + 1);
  std::vector<Value> kept;
  for (auto [key, version] : document.entries(metadata)) {
    const bool is_text = key.kind == Kind::kString;
    const bool is_module = is_text && document.text(key) == module_path;
    const bool is_outside = is_text && !is_module && is_inside(module_path, document.text(key));
    if (!is_outside) {
      strip(document, key, is_module ? module_path : prefix);
      kept.insert(kept.end(), {key, version});
    }
  }
  return kept;
}

}  // namespace

std::size_t strip_prefix(TensorFile& file, Value dict, const std::string& prefix) {
  Document& document = file.document;
  std::size_t count = 0;
  const auto entries = document.items(dict);
  for (std::size_t i = 0; i < entries.size(); i += 2) {
    count += strip(document, entries[i], prefix) ? 1U : 0U;
  }
  if (count == 0) {
    return 0;
  }
  check_names_differ(document, dict);
  const Value* metadata = document.find(document.state(dict), "_metadata");
  if (metadata == nullptr || !metadata->is_dict()) {
    return count;
  }
  const Value old = *metadata;
  const Value stripped =
      document.add_items(Kind::kOrderedDict, stripped_metadata(document, old, prefix), document.offset(old));
  for (Value& item : document.items(document.state(dict))) {
    if (item.kind == old.kind && item.index == old.index) {
      item = stripped;
    }
  }
  return count;
}

}  // namespace iris
