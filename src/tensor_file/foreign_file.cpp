#include "tensor_file/foreign_file.h"

#include <algorithm>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "io/bytes.h"
#include "text.h"

namespace iris {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSniffed = 512;

constexpr const char* kIsHtml =
    "is an HTML page, not a model; open its address in a browser and download the file itself";
constexpr const char* kIsXml =
    "is an XML text, not a model: the error page of a download, perhaps; the model of an OpenVINO .xml is the file "
    "that it was converted from";
constexpr const char* kIsCompressed = "is compressed; unpack it first";
constexpr const char* kIsGzip = "is compressed; unpack it first: gunzip, or tar -xf where it is a .tar.gz";
constexpr const char* kIsPicture = "is a picture, not a model";

// What a file is that has these bytes at that place.
struct Signature {
  std::size_t offset;
  std::string_view bytes;
  const char* fact;
};

constexpr Signature kSignatures[] = {
    {0, "version https://git-lfs", "is a Git LFS pointer, not the model; fetch it with: git lfs pull"},
    {0, "\x1f\x8b", kIsGzip},
    {0, "\x28\xb5\x2f\xfd", kIsCompressed},  // zstd
    {0, "\x04\x22\x4d\x18", kIsCompressed},  // lz4
    {0, "BZh", kIsCompressed},
    {0, "\xFD\x37zXZ", kIsCompressed},
    {0, "7z\xBC\xAF\x27\x1C", "is a 7-Zip archive; unpack it first: 7z x FILE"},
    {0, "Rar!\x1A\x07", "is a RAR archive; unpack it first: unrar x FILE"},
    {0, "\x93NUMPY",
     "is a NumPy array, not a PyTorch model; make a file of tensors of it, in Python: "
     "torch.save({\"x\": torch.from_numpy(numpy.load(\"x.npy\"))}, \"x.pt\")"},
    {0, "GGUF", "is a GGUF model, not a PyTorch one; it runs in llama.cpp; take the safetensors that it was made from"},
    {0, "tjgg", "is a GGML model, not a PyTorch one; take the file that it was made from"},
    {0, "fmgg", "is a GGML model, not a PyTorch one; take the file that it was made from"},
    {0, "lmgg", "is a GGML model, not a PyTorch one; take the file that it was made from"},
    {4, "TFL3",
     "is a TensorFlow Lite model, not a PyTorch one; it runs in LiteRT; take the model that it was made from"},
    {4, "ET12", "is an ExecuTorch program, which is for its own runtime; take the PyTorch file that it was made from"},
    {4, "ET13", "is an ExecuTorch program, which is for its own runtime; take the PyTorch file that it was made from"},
    {0, "PAR1", "is a Parquet file, a table and not a model; predict and train read CSV"},
    {0, "ARROW1", "is an Arrow file, a table and not a model; predict and train read CSV"},
    {0, "FEA1", "is a Feather file, a table and not a model; predict and train read CSV"},
    {0, "SQLite format 3\0"sv, "is an SQLite database, not a model"},
    {0,
     "\x7f"
     "ELF",
     "is a program or a shared library, not a model; an AOTInductor package is a .pt2"},
    {0, "%PDF-", "is a PDF, not a model"},
    {0, "\x89PNG", kIsPicture},
    {0, "\xFF\xD8\xFF", kIsPicture},
    {0, "CBM1", "is a CatBoost model, not a PyTorch one"},
    {0, "MATLAB 5.0", "is a MATLAB file, not a PyTorch model; scipy.io.loadmat reads it in Python"},
    // A Lua object: its number, 1, the version of its class and the class.
    {12, "V 1", "is a Torch7 file (Lua), not a PyTorch model; the package torchfile reads it in Python"},
};

// The same for text: compared in lower case, after a byte-order mark and blanks.
constexpr std::pair<std::string_view, const char*> kTexts[] = {
    {"<!doctype html", kIsHtml},
    {"<html", kIsHtml},
    {"<?xml", kIsXml},
};

std::string_view head_of(std::span<const std::byte> bytes) {
  return text_of(bytes.first(std::min(bytes.size(), kSniffed)));
}

std::string lower_trimmed(std::string_view text) {
  if (text.starts_with("\xEF\xBB\xBF")) {
    text.remove_prefix(3);
  }
  std::string lower;
  for (const char character : text) {
    if (!lower.empty() || std::isspace(static_cast<unsigned char>(character)) == 0) {
      lower += static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
    }
  }
  return lower;
}

bool is_text(std::string_view head) {
  return std::ranges::none_of(
      head, [](unsigned char byte) { return byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t'; });
}

std::string describe_hdf5(std::span<const std::byte> bytes) {
  constexpr std::size_t kSearched = 1 << 20;
  const std::string_view start = text_of(bytes.first(std::min(bytes.size(), kSearched)));
  const bool is_keras = start.find("keras") != std::string_view::npos;
  return std::string(is_keras ? "is a Keras model (HDF5)" : "is an HDF5 file (Keras?)") +
         ", not a PyTorch model; take its arrays out in Python, with h5py";
}

// A map whose first key is a text, as flax.serialization writes it (MessagePack's fixmap, map16, map32; fixstr, str8).
bool is_msgpack(std::string_view head) {
  const auto byte = [&](std::size_t i) { return i < head.size() ? static_cast<unsigned char>(head[i]) : 0U; };
  const std::size_t key = byte(0) > 0x80 && byte(0) <= 0x8F ? 1 : byte(0) == 0xDE ? 3 : byte(0) == 0xDF ? 5 : 0;
  if (key == 0) {
    return false;
  }
  const bool is_short = byte(key) > 0xA0 && byte(key) <= 0xBF;
  if (!is_short && byte(key) != 0xD9) {
    return false;
  }
  const std::size_t size = is_short ? byte(key) & 0x1FU : byte(key + 1);
  const std::string_view text = head.substr(std::min(head.size(), key + (is_short ? 1 : 2)), size);
  return text.size() == size && size > 0 &&
         std::ranges::all_of(text, [](unsigned char each) { return each >= 0x20 && each != 0x7F; });
}

// Whether the text is a line of a name's characters; drops it.
bool drop_name(std::string_view& text) {
  const std::size_t end = text.find('\n');
  const bool is_name = end != text.npos && end > 0 && std::ranges::all_of(text.substr(0, end), [](unsigned char each) {
                         return std::isalnum(each) != 0 || each == '.' || each == '_';
                       });
  text.remove_prefix(is_name ? end + 1 : 0);
  return is_name;
}

bool is_pickle(std::string_view head) {
  if (head.size() > 1 && head[0] == '\x80') {
    return head[1] <= 5;
  }
  // Protocol 0: MARK and a dict or list that is put into the memo, or a global and what is made of it.
  if (head.size() > 3 && (head.starts_with("(dp") || head.starts_with("(lp"))) {
    return std::isdigit(static_cast<unsigned char>(head[3])) != 0;
  }
  std::string_view rest = head.substr(head.starts_with("(c") ? 2 : 1);
  return (head.starts_with('c') || head.starts_with("(c")) && drop_name(rest) && drop_name(rest) && !rest.empty() &&
         "(pq)"sv.find(rest[0]) != rest.npos;
}

std::string describe_pickle(std::span<const std::byte> bytes) {
  constexpr std::size_t kSearched = 1 << 16;
  const std::string_view start = text_of(bytes.first(std::min(bytes.size(), kSearched)));
  for (const auto& [module, name] : {std::pair("sklearn."sv, "scikit-learn"sv), std::pair("xgboost."sv, "XGBoost"sv),
                                     std::pair("lightgbm."sv, "LightGBM"sv)}) {
    if (start.find(module) != start.npos) {
      return "is a pickle of a " + std::string(name) +
             " model (pickle or joblib), not a PyTorch one; it runs in Python";
    }
  }
  return "is a plain pickle, not written by torch.save; save the model's numbers, in Python: "
         "torch.save(model.state_dict(), \"model.pt\")";
}

// Names of models in an archive, as one takes them out of it.
constexpr std::string_view kModelEndings[] = {".pt", ".pth", ".ckpt", ".safetensors", ".bin", ".pt2"};

std::vector<std::string> models_among(std::span<const std::string> names) {
  std::vector<std::string> models;
  for (const std::string& name : names) {
    if (std::ranges::any_of(kModelEndings, [&](std::string_view ending) { return name.ends_with(ending); })) {
      models.push_back(name);
    }
  }
  return models;
}

// As one types it in a shell; nothing where no name of a file may be so.
std::string shell_word(const std::string& word) {
  const bool is_plain = std::ranges::all_of(word, [](unsigned char each) {
    return std::isalnum(each) != 0 || "._/-+="sv.find(static_cast<char>(each)) != std::string_view::npos;
  });
  return is_plain && !word.starts_with('-') ? word : word.find('\'') == word.npos ? "'" + word + "'" : "NAME";
}

std::string file_name(const std::string& path) { return path.substr(path.rfind('/') + 1); }

// "a zip with models in it: a.pt, b.pt; take one out: unzip -p FILE a.pt > a.pt".
std::string describe_archive(const std::string& kind, const std::vector<std::string>& models,
                             const std::string& command) {
  constexpr std::size_t kMostNames = 5;
  std::vector<std::string> shown;
  for (std::size_t i = 0; i < std::min(models.size(), kMostNames); ++i) {
    shown.push_back(text::printable(models[i]));
  }
  return "is " + kind + " with " + (models.size() == 1 ? "a model" : "models") + " in it: " + text::joined(shown) +
         (models.size() > kMostNames ? ", …" : "") + "; take " + (models.size() == 1 ? "it" : "one") +
         " out: " + command + " FILE " + shell_word(models[0]) + " > " + shell_word(file_name(models[0]));
}

bool any_ends_with(std::span<const std::string> names, std::string_view ending) {
  return std::ranges::any_of(names, [&](const std::string& name) { return name.ends_with(ending); });
}

bool is_there(const std::string& folder, const std::string& name) {
  std::error_code error;
  return std::filesystem::exists(std::filesystem::path(folder) / name, error);
}

}  // namespace

std::string describe_foreign_file(std::span<const std::byte> bytes) {
  if (bytes.empty()) {
    return "is empty; the download or the save did not finish";
  }
  const std::string_view head = head_of(bytes);
  const std::string lower = lower_trimmed(head);
  for (const auto& [start, fact] : kTexts) {
    if (lower.starts_with(start)) {
      return fact;
    }
  }
  for (const Signature& signature : kSignatures) {
    if (head.size() >= signature.offset && head.substr(signature.offset).starts_with(signature.bytes)) {
      return signature.fact;
    }
  }
  if (head.starts_with("\x89HDF")) {
    return describe_hdf5(bytes);
  }
  if (is_pickle(head)) {
    return describe_pickle(bytes);
  }
  if (is_msgpack(head)) {
    return "is a MessagePack file (Flax?), not a PyTorch model; read it in Python, with "
           "flax.serialization.msgpack_restore";
  }
  if (is_text(head)) {
    return "is a text file, not a model";
  }
  if (const auto protobuf = describe_protobuf(bytes)) {
    return *protobuf;
  }
  return "is not a model file: neither a zip container nor any other that PyTorch writes; was it cut or overwritten?";
}

std::string describe_foreign_zip(const ZipReader& zip) {
  std::vector<std::string> names;
  for (const ZipEntry& entry : zip.entries()) {
    names.emplace_back(entry.name);
  }
  const std::vector<std::string> models = models_among(names);
  if (any_ends_with(names, "/archive_format")) {
    return "is a .pt2 archive of a compiled or exported program, from which no tensors are read; use the state_dict "
           "that it was made from";
  }
  if (any_ends_with(names, "/model.json")) {
    return "is TorchScript as PyTorch 1.0 to 1.2 wrote it (model.json), which is not read, and not by today's LibTorch "
           "either; load it with a PyTorch of its time and save its numbers, in Python: "
           "torch.save(torch.jit.load(\"old.pt\").state_dict(), \"model.pt\")";
  }
  if (zip.find("policy.pth") != nullptr && zip.find("_stable_baselines3_version") != nullptr) {
    return "is a Stable-Baselines3 archive; the state_dict of its network is the file policy.pth in it; take it out: "
           "unzip -p FILE policy.pth > policy.pth";
  }
  if (any_ends_with(names, "model.weights.h5")) {
    return "is a Keras model (.keras), not a PyTorch one; take its arrays out in Python: "
           "keras.saving.load_model(FILE).get_weights()";
  }
  if (any_ends_with(names, "saved_model.pb")) {
    return "is a zip of a TensorFlow SavedModel, not a PyTorch model";
  }
  if (any_ends_with(names, ".mlmodel")) {
    return "is a zip of a Core ML model, which is for Apple's runtime; take the PyTorch file that it was converted "
           "from";
  }
  if (zip.find("MAR-INF/MANIFEST.json") != nullptr && !models.empty()) {
    return describe_archive("a TorchServe archive (.mar)", models, "unzip -p");
  }
  if (!names.empty() && std::ranges::all_of(names, [](const std::string& name) { return name.ends_with(".npy"); })) {
    return "is an .npz of NumPy arrays, not a PyTorch model; make a file of tensors of it, in Python: "
           "torch.save({name: torch.from_numpy(array) for name, array in numpy.load(\"x.npz\").items()}, \"x.pt\")";
  }
  if (any_ends_with(names, "/data.pkl")) {
    return "zip: there is no data.pkl: it lies too deep; was the file unpacked and packed again? Unpack it, then zip "
           "-0Dr NEW.pt "
           "FOLDER, from the folder that FOLDER is in";
  }
  if (zip.find("data.pkl") != nullptr) {
    return "zip: there is no data.pkl: it lies in no folder; was the file unpacked and packed again? Unpack it into a "
           "FOLDER, then zip "
           "-0Dr NEW.pt FOLDER";
  }
  if (!models.empty()) {
    return describe_archive("a zip", models, "unzip -p");
  }
  return "zip: there is no data.pkl: not a file of torch.save or torch.jit.save";
}

std::string describe_foreign_tar(std::span<const std::string> names) {
  const std::vector<std::string> models = models_among(names);
  if (any_ends_with(names, "model_config.yaml") && !models.empty()) {
    return describe_archive("a NeMo archive", models, "tar -xOf");
  }
  return models.empty() ? "is a tar archive, and not one of PyTorch; unpack it, and name the model file in it"
                        : describe_archive("a tar archive, and not one of PyTorch,", models, "tar -xOf");
}

std::string describe_folder(const std::string& path) {
  if (is_there(path, "saved_model.pb")) {
    return "is a TensorFlow SavedModel, not a PyTorch model; take its weights out in Python, with TensorFlow: "
           "tf.saved_model.load(FOLDER).variables";
  }
  if (is_there(path, "Data/com.apple.CoreML")) {
    return "is a Core ML package, which is for Apple's runtime; take the PyTorch file that it was converted from";
  }
  if (is_there(path, "_CHECKPOINT_METADATA") || is_there(path, "_METADATA")) {
    return "is an Orbax checkpoint (JAX), not a PyTorch model; read it in Python, with orbax.checkpoint";
  }
  for (const char* name : {"model.safetensors.index.json", "model.safetensors", "pytorch_model.bin.index.json",
                           "pytorch_model.bin", "diffusion_pytorch_model.safetensors", "adapter_model.safetensors"}) {
    if (is_there(path, name)) {
      return std::string("is a directory; name the model file in it: ") + name;
    }
  }
  if (is_there(path, "data.pkl") && is_there(path, "version")) {
    return "is an unpacked file of torch.save; pack it again, from the folder that it is in: zip -0Dr NEW.pt FOLDER";
  }
  return "is a directory; name the model file in it";
}

}  // namespace iris
