#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "error.h"
#include "io/bytes.h"
#include "pickle/literals.h"
#include "tensor_file/containers.h"
#include "tensor_file/foreign_file.h"
#include "tensor_file/members.h"
#include "tensor_file/selection.h"
#include "tensor_file/torch_globals.h"
#include "tensor_file/zip_reader.h"
#include "text.h"

namespace iris {
namespace {

constexpr std::string_view kPickleName = "/data.pkl";

// caffe2/serialize/versions.h: 1 to 10 exist. A file of a later version may mean other things.
constexpr int kMaxVersion = 10;

constexpr std::uint64_t kMaxInflated = 256 << 20;

std::string_view find_root(const ZipReader& zip) {
  std::optional<std::string_view> root;
  for (const ZipEntry& entry : zip.entries()) {
    if (entry.name.ends_with(kPickleName) && entry.name.find('/') + kPickleName.size() == entry.name.size()) {
      require(!root, "zip: there are two data.pkl");
      root = entry.name.substr(0, entry.name.size() - kPickleName.size());
    }
  }
  if (root) {
    return *root;
  }
  throw FormatError(describe_foreign_zip(zip));
}

int read_version(const ZipReader& zip, const std::string& root) {
  const ZipEntry* entry = zip.find(root + "/version");
  if (entry == nullptr) {
    entry = zip.find(root + "/.data/version");  // where TorchScript has it since its version 6
  }
  require(entry != nullptr, "zip: the entry version is missing");
  std::string_view text = text_of(ZipReader::checked(*entry));
  if (text.ends_with('\n')) {
    text.remove_suffix(1);
  }
  const int version = pickle::number_of<int>(text).value_or(0);
  if (version < 1 || version > kMaxVersion || text.size() > 2) {
    throw FormatError("zip: version " + text::quoted(text) + " is unknown; 1 to " + std::to_string(kMaxVersion) +
                      " are read");
  }
  return version;
}

bool is_big_endian(const ZipReader& zip, const std::string& root) {
  const ZipEntry* entry = zip.find(root + "/byteorder");
  if (entry == nullptr) {  // written since 2.1
    return false;
  }
  const std::string_view order = text_of(ZipReader::checked(*entry));
  if (order != "little" && order != "big") {
    throw FormatError("zip: byteorder " + text::quoted(order) + " is unknown");
  }
  return order == "big";
}

// One pickle of the archive with its storages: ROOT/NAME.pkl and ROOT/NAME/KEY.
TensorFile read_pickle_entry(const ZipReader& zip, const std::string& root, const std::string& name,
                             pickle::GlobalFilter filter, std::shared_ptr<const FileBytes> bytes) {
  TensorFile file;
  file.container = Container::kZip;
  file.file = std::move(bytes);
  const auto pickle = ZipReader::checked(*zip.find(root + "/" + name + ".pkl"));
  try {
    ByteCursor cursor(pickle);
    file.root = pickle::read_pickle(cursor, filter, file.document);
    cursor.require(cursor.remaining() == 0, "there are bytes after the pickle");
    resolve_tensors(file);
  } catch (const FormatError& error) {
    throw FormatError(name + ".pkl: " + error.what());
  }
  const bool big_endian = is_big_endian(zip, root);
  for (std::uint32_t i = 0; i < file.storages.size(); ++i) {
    if (file.storages[i].owner != nullptr) {  // its data is in the pickle
      continue;
    }
    const std::string data_name = root + "/" + name + "/" + file.storages[i].key;
    const ZipEntry* entry = zip.find(data_name);
    if (entry == nullptr) {
      throw FormatError("zip entry " + text::quoted(data_name) + ": is missing, though a tensor lies in it");
    }
    file.storages[i].crc = entry->crc;
    // What is swapped is read now; the rest is checked by who reads it.
    attach_data(file, i, big_endian ? ZipReader::checked(*entry) : ZipReader::stored(*entry), big_endian);
  }
  return file;
}

bool is_written_by_cpp(const TensorFile& archive) {
  const pickle::Document& document = archive.document;
  if (archive.root.kind != pickle::Kind::kObject) {
    return false;
  }
  // Every module that Python scripted or traced has the attribute.
  const bool has_python_attribute = document.find(document.state(archive.root), "training") != nullptr;
  return class_of(document, archive.root) == "__torch__.Module" && !has_python_attribute;
}

// The tensors of constants.pkl, which has a document and keys of its own, and the names in it that are not known.
void add_constants(TensorFile& file, TensorFile constants) {
  const auto first_storage = static_cast<std::uint32_t>(file.storages.size());
  std::ranges::move(constants.storages, std::back_inserter(file.storages));
  for (const NamedTensor& named : named_tensors(constants, constants.root)) {
    TensorRecord tensor = *named.tensor;
    tensor.storage += first_storage;
    file.left_out.push_back({"CONSTANTS.c" + named.name, file.add(std::move(tensor))});
    file.has_constants = true;
  }
  for (const pickle::Mention& mention : constants.document.mentions()) {
    for (std::size_t i = 0; i < mention.count; ++i) {
      file.document.add_global(std::string(mention.name), /*is_mention=*/true);
    }
  }
}

}  // namespace

void check_inflated_size(const ZipReader& zip) {
  std::uint64_t total = 0;
  for (const ZipEntry& entry : zip.entries()) {
    total += entry.method == 0 ? 0 : std::min(entry.uncompressed_size, kMaxInflated + 1);
    if (total > kMaxInflated) {
      throw FormatError("zip: its compressed entries unpack to more than " + std::to_string(kMaxInflated >> 20) +
                        " MiB");
    }
  }
}

TensorFile read_zip_container(const ZipReader& zip, std::shared_ptr<const FileBytes> bytes) {
  const std::string root(find_root(zip));
  const int version = read_version(zip, root);
  const bool is_torchscript = zip.find(root + "/constants.pkl") != nullptr;
  if (is_torchscript) {
    check_inflated_size(zip);
  }
  TensorFile file =
      read_pickle_entry(zip, root, "data", is_torchscript ? use_of_torchscript_global : use_of_torch_global, bytes);
  file.version = version;
  if (!is_torchscript) {
    return file;
  }
  file.is_torchscript = true;
  file.is_cpp_archive = is_written_by_cpp(file);
  if (const ZipEntry* names = zip.find(root + "/" + std::string(kNamesEntry))) {
    file.names = text_of(ZipReader::checked(*names));
  }
  replace_script_modules(file, zip, root);
  add_constants(file, read_pickle_entry(zip, root, "constants", use_of_torchscript_global, std::move(bytes)));
  return file;
}

}  // namespace iris
