#include <optional>
#include <string>

#include "error.h"
#include "pickle/text.h"
#include "state_dict/containers.h"
#include "state_dict/torch_pickle.h"
#include "state_dict/zip_reader.h"

namespace iris {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";

// torch/csrc/jit/serialization: versions 1 to 10 exist. A file of a later one may mean other things.
constexpr int kMaxVersion = 10;

std::string_view text_of(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::string_view find_root(const ZipReader& zip) {
  std::optional<std::string_view> root;
  for (const ZipEntry& entry : zip.entries()) {
    if (!entry.name.ends_with(kPickleName) || entry.name.find('/') + kPickleName.size() != entry.name.size()) {
      continue;
    }
    if (root) {
      throw FormatError("zip: there are two data.pkl");
    }
    root = entry.name.substr(0, entry.name.size() - kPickleName.size());
  }
  if (!root) {
    throw FormatError("zip: there is no data.pkl: not a file of torch.save or torch.jit.save");
  }
  return *root;
}

void check_version(const ZipReader& zip, const std::string& root) {
  const ZipEntry* entry = zip.find(root + "/version");
  if (entry == nullptr) {
    throw FormatError("zip: the entry version is missing");
  }
  std::string_view text = text_of(ZipReader::checked(*entry));
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  const std::optional<std::string> number =
      text.size() <= 2 ? pickle::decimal_to_little_endian(text) : std::optional<std::string>();
  const std::int64_t version = number ? pickle::small_integer(*number).value_or(0) : 0;
  if (version < 1 || version > kMaxVersion) {
    throw FormatError("zip: version " + pickle::quoted(text) + " is unknown; 1 to " + std::to_string(kMaxVersion) +
                      " are read");
  }
}

bool is_big_endian(const ZipReader& zip, const std::string& root) {
  const ZipEntry* entry = zip.find(root + "/byteorder");
  if (entry == nullptr) {  // written since 2.1
    return false;
  }
  const std::string_view order = text_of(ZipReader::checked(*entry));
  if (order != "little" && order != "big") {
    throw FormatError("zip: byteorder " + pickle::quoted(order) + " is unknown");
  }
  return order == "big";
}

// A pickled nn.Module spells out the attributes that nn.Module.__setstate__ expects.
bool holds_whole_model(std::string_view pickle) {
  return pickle.find("_parameters") != std::string_view::npos && pickle.find("_modules") != std::string_view::npos;
}

}  // namespace

TensorFile read_zip_container(std::shared_ptr<const FileBytes> bytes) {
  const ZipReader zip(bytes->bytes());
  const std::string root(find_root(zip));
  check_version(zip, root);
  TensorFile file;
  file.container = Container::kZip;
  file.is_torchscript = zip.find(root + "/constants.pkl") != nullptr;
  file.file = std::move(bytes);

  const auto data_pkl = ZipReader::checked(*zip.find(root + std::string(kPickleName)));
  try {
    ByteCursor cursor(data_pkl);
    file.root =
        pickle::read_pickle(cursor, file.is_torchscript ? use_of_torchscript_global : use_of_torch_global, file.document);
    if (cursor.remaining() > 0) {
      cursor.fail("there are bytes behind the pickle");
    }
    resolve_tensors(file);
  } catch (const FormatError& error) {
    if (!file.is_torchscript && holds_whole_model(text_of(data_pkl))) {
      throw FormatError(std::string("holds a whole pickled model, which only its own Python code can load (data.pkl: ") +
                        error.what() +
                        "). Save its numbers instead, in Python: torch.save(model.state_dict(), \"model.pt\")");
    }
    throw FormatError(std::string("data.pkl: ") + error.what());
  }

  const bool big_endian = is_big_endian(zip, root);
  for (std::uint32_t i = 0; i < file.storages.size(); ++i) {
    const std::string name = root + "/data/" + file.storages[i].key;
    const ZipEntry* entry = zip.find(name);
    if (entry == nullptr) {
      throw FormatError("zip entry " + pickle::quoted(name) + ": is missing, though a tensor lies in it");
    }
    file.storages[i].crc = entry->crc;
    attach_data(file, i, ZipReader::stored(*entry), big_endian);
  }
  return file;
}

}  // namespace iris
