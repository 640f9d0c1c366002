#include <map>
#include <string>

#include "error.h"
#include "tensor_file/containers.h"
#include "tensor_file/torch_globals.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// The five pickles in a row (torch/serialization.py, _legacy_save).
class LegacyReader {
 public:
  LegacyReader(ByteCursor cursor, TensorFile& file) : cursor_(cursor), file_(file) {}

  void read() {
    take_pickle("the magic number");  // kind_of_file saw that it is right
    const Value protocol = take_pickle("the protocol");
    require(protocol.kind == Kind::kInt && protocol.integer == 1001, "the protocol is not 1001");
    check_system(take_pickle("sys_info"));
    file_.root = take_pickle("the object");
    const Value keys = take_pickle("the list of storages");
    resolve_tensors(file_);
    read_storages(keys);
  }

 private:
  Value take_pickle(const char* what) {
    return with_place(what, [&] { return pickle::read_pickle(cursor_, use_of_torch_global, file_.document); });
  }

  void check_system(Value info) const {
    const Value* little = file_.document.find(info, "little_endian");
    require(little != nullptr && little->kind == Kind::kBool, "sys_info does not tell the byte order");
    require(little->boolean,
            "was written on a big-endian machine by PyTorch before 1.6; load it there and save it again with a newer "
            "one");
  }

  void read_storages(Value keys) {
    require(keys.kind == Kind::kList, "the list of storages is not a list");
    std::map<std::string, std::uint32_t, std::less<>> pending;
    for (std::uint32_t i = 0; i < file_.storages.size(); ++i) {
      if (file_.storages[i].owner == nullptr) {  // else its data is in the pickle
        pending.emplace(file_.storages[i].key, i);
      }
    }
    for (const Value key : file_.document.items(keys)) {
      const auto found = key.kind == Kind::kString ? pending.find(file_.document.text(key)) : pending.end();
      require(found != pending.end(), "the list of storages has one that no tensor lies in, or one twice");
      StorageRecord& storage = file_.storages[found->second];
      const std::uint64_t expected = storage.size / storage.element_size();
      if (const auto count = cursor_.take<std::uint64_t>(); count != expected) {
        cursor_.fail("storage " + text::quoted(storage.key) + " has " + std::to_string(count) +
                     " elements, its pickle says " + std::to_string(expected));
      }
      attach_data(file_, found->second, cursor_.take_bytes(storage.size), /*is_big_endian=*/false);
      pending.erase(found);
    }
    if (!pending.empty()) {
      throw FormatError("storage " + text::quoted(pending.begin()->first) + " is missing, though a tensor lies in it");
    }
    cursor_.require(cursor_.remaining() == 0, "there are bytes after the last storage");
  }

  ByteCursor cursor_;
  TensorFile& file_;
};

}  // namespace

TensorFile read_legacy_container(std::shared_ptr<const FileBytes> bytes) {
  TensorFile file;
  file.container = Container::kLegacy;
  file.file = std::move(bytes);
  const auto all = file.file->bytes();
  LegacyReader(ByteCursor(all), file).read();
  return file;
}

}  // namespace iris
