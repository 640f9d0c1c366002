#include "tensor_file/contents.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "error.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

bool holds_tensors(const TensorFile& file, Value value) { return !named_tensors(file, value).empty(); }

}  // namespace

std::vector<Entry> entries_left_out(const TensorFile& file, const Selection& selection) {
  std::vector<Entry> left_out;
  if (!file.root.is_dict()) {
    return left_out;
  }
  const auto entries = file.document.items(file.root);
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
    const bool is_selected = selection.is_root()
                                 ? holds_tensors(file, entries[i + 1])
                                 : entries[i].kind == Kind::kString && file.document.text(entries[i]) == selection.key;
    if (!is_selected) {
      left_out.push_back({entries[i], entries[i + 1]});
    }
  }
  return left_out;
}

Contents contents_of(const TensorFile& file, const std::optional<std::string>& key) {
  Contents contents;
  Selection selection{"", file.root};
  try {
    selection = select_state_dict(file, key);
  } catch (const FormatError&) {
    if (key) {
      throw;
    }
    contents.kind = Contents::Kind::kCheckpoint;
  }
  contents.key = selection.key;
  contents.tensors = named_tensors(file, selection.dict);
  if (file.constants != nullptr) {
    for (const NamedTensor& constant : named_tensors(*file.constants, file.constants->root)) {
      contents.tensors.push_back({"CONSTANTS.c" + constant.name, constant.tensor});
    }
  }
  if (file.is_torchscript && !file.is_cpp_archive()) {
    contents.kind = Contents::Kind::kTorchScript;
  } else if (!selection.is_root()) {
    contents.kind = Contents::Kind::kCheckpoint;
  }
  contents.left_out = entries_left_out(file, selection);
  return contents;
}

Totals totals_of(const TensorFile& file, const std::vector<NamedTensor>& tensors) {
  Totals totals;
  std::set<const StorageRecord*> storages;
  for (const NamedTensor& named : tensors) {
    const auto& own = file.tensors;
    const bool is_own = named.tensor >= own.data() && named.tensor < own.data() + own.size();
    const StorageRecord& storage = (is_own ? file : *file.constants).storages[named.tensor->storage];
    totals.bytes += storages.insert(&storage).second ? storage.size : 0;
    const auto numel = static_cast<std::uint64_t>(named.tensor->numel());
    totals.elements += std::min(numel, std::numeric_limits<std::uint64_t>::max() - totals.elements);
  }
  return totals;
}

Value state_dict_of_archive(TensorFile& file) {
  std::vector<Value> items;
  for (const NamedTensor& named : named_tensors(file, file.root)) {
    items.push_back(file.document.add_text(Kind::kString, named.name));
    items.push_back(Value::of_external(static_cast<std::uint32_t>(named.tensor - file.tensors.data())));
  }
  if (items.empty() && !file.constants->tensors.empty()) {
    throw FormatError("is a frozen TorchScript: its tensors are constants of its code and have lost their names");
  }
  return file.document.add_items(Kind::kOrderedDict, std::move(items), 0);
}

}  // namespace iris
