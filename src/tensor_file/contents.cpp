#include "tensor_file/contents.h"

#include <algorithm>
#include <iterator>
#include <limits>
#include <set>
#include <utility>

#include "error.h"
#include "io/byte_cursor.h"

namespace iris {

using pickle::Entry;
using pickle::Kind;
using pickle::Value;

std::vector<Entry> entries_left_out(const TensorFile& file, const Selection& selection) {
  std::vector<Entry> left_out;
  std::ranges::copy_if(file.document.entries(file.root), std::back_inserter(left_out), [&](const Entry& entry) {
    return selection.is_root() ? named_tensors(file, entry.value).empty()
                               : entry.key.kind != Kind::kString || file.document.text(entry.key) != selection.key;
  });
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
    const auto index = static_cast<std::uint32_t>(named.tensor - file.tensors.data());
    items.insert(items.end(), {file.document.add_text(Kind::kString, named.name), Value::of_external(index)});
  }
  require(!items.empty() || file.constants->tensors.empty(),
          "is a frozen TorchScript: its tensors are constants of its code and have lost their names");
  return file.document.add_items(Kind::kOrderedDict, std::move(items), 0);
}

}  // namespace iris
