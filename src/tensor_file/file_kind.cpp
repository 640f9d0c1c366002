#include "tensor_file/file_kind.h"

#include <algorithm>
#include <cctype>
#include <string_view>
#include <utility>

#include "io/bytes.h"
#include "tensor_file/tar_reader.h"

namespace iris {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSniffed = 512;
constexpr std::string_view kLegacyMagic = "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19"sv;
constexpr std::size_t kMaxMagicOffset = 11;  // after PROTO and FRAME
constexpr std::string_view kLegacyMagicInDecimal = "L119547037146038801333356L\n."sv;

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

// A protobuf whose first field is ModelProto.ir_version and whose next are strings or messages (onnx.proto3).
bool looks_like_onnx(std::string_view head) {
  return head.size() > 4 && head[0] == 0x08 && head[1] > 0 && head[1] < 32 &&
         ("\x12\x1a\x22\x2a\x32\x3a\x42"sv.find(head[2]) != std::string_view::npos);
}

bool is_ascii_text(std::string_view text) {
  return std::ranges::all_of(text, [](char each) { return (each >= 0x20 && each < 0x7F) || each == '\n'; });
}

bool is_text(std::string_view head) {
  return std::ranges::none_of(
      head, [](unsigned char byte) { return byte < 0x20 && byte != '\n' && byte != '\r' && byte != '\t'; });
}

constexpr const char* kIsHtml =
    "is an HTML page, not a model; open its address in a browser and download the file itself";
constexpr const char* kIsCompressed = "is compressed; unpack it first";

// What a file is that begins so; the HTML and the pointer in any case of letters.
constexpr std::pair<std::string_view, const char*> kForeign[] = {
    {"<!doctype html", kIsHtml},
    {"<html", kIsHtml},
    {"version https://git-lfs", "is a Git LFS pointer, not the model; fetch it with: git lfs pull"},
    {"\x1f\x8b", kIsCompressed},          // gzip
    {"\x28\xb5\x2f\xfd", kIsCompressed},  // zstd
    {"BZh", kIsCompressed},
    {"\xFD\x37zXZ", kIsCompressed},
    {"\x89HDF", "is an HDF5 file (Keras?), not a PyTorch model"},
    {"\x93NUMPY", "is a NumPy array, not a PyTorch model"},
    {"GGUF", "is a GGUF model, not a PyTorch one"},
};

}  // namespace

FileKind kind_of_file(std::span<const std::byte> bytes) {
  const std::string_view head = head_of(bytes);
  if (head.starts_with("PK\x03\x04") || head.starts_with("PK\x05\x06")) {
    return FileKind::kZip;
  }
  // The magic number alone in a pickle of protocol 2 to 5, or of 0 or 1.
  const std::size_t magic = head.find(kLegacyMagic);
  if ((head.starts_with('\x80') && magic != std::string_view::npos && magic <= kMaxMagicOffset) ||
      head.starts_with(kLegacyMagicInDecimal)) {
    return FileKind::kLegacy;
  }
  // The header's length, which no text begins with, then a JSON object.
  if (head.size() >= 9 && head[8] == '{' && !is_ascii_text(head.substr(0, 8))) {
    return FileKind::kSafetensors;
  }
  return TarReader::is_tar(bytes) ? FileKind::kTar : FileKind::kOther;
}

std::string describe_foreign_file(std::span<const std::byte> bytes) {
  const std::string_view head = head_of(bytes);
  const std::string lower = lower_trimmed(head);
  if (bytes.empty()) {
    return "is empty; the download or the save did not finish";
  }
  for (const auto& [start, fact] : kForeign) {
    if (head.starts_with(start) || lower.starts_with(start)) {
      return fact;
    }
  }
  if (looks_like_onnx(head)) {
    return "is an ONNX model, which is for other runtimes, such as ONNX Runtime; iris runs the state_dict of an "
           "IrisNet, TorchScript and .pt2 packages: export the PyTorch model with python_export/export.py "
           "(docs/formats.md)";
  }
  if (head.size() > 1 && head[0] == '\x80' && head[1] <= 5) {
    return "is a plain pickle, not written by torch.save; save the model's numbers, in Python: "
           "torch.save(model.state_dict(), \"model.pt\")";
  }
  if (is_text(head)) {
    return "is a text file, not a model";
  }
  return "is not a model file: neither a zip container nor any other that PyTorch writes; was it cut or overwritten?";
}

OpenedFile::OpenedFile(std::shared_ptr<const FileBytes> the_bytes)
    : bytes(std::move(the_bytes)), kind(kind_of_file(bytes->bytes())) {
  if (kind == FileKind::kZip) {
    zip.emplace(bytes->bytes());
  }
}

}  // namespace iris
