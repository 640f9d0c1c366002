#include "tensor_file/file_kind.h"

#include <algorithm>
#include <filesystem>
#include <string_view>
#include <utility>

#include "error.h"
#include "io/bytes.h"
#include "tensor_file/foreign_file.h"
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

bool is_ascii_text(std::string_view text) {
  return std::ranges::all_of(text, [](char each) { return (each >= 0x20 && each < 0x7F) || each == '\n'; });
}

// Hugging Face's *.index.json: an object with a weight_map.
bool is_index(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first != std::string_view::npos && text[first] == '{' && text.find("\"weight_map\"") != std::string_view::npos;
}

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
  if (head.starts_with('\x80') && head.find("torch.distributed.checkpoint.metadata") != head.npos) {
    return FileKind::kDistributed;
  }
  if (is_index(text_of(bytes))) {
    return FileKind::kIndex;
  }
  return TarReader::is_tar(bytes) ? FileKind::kTar : FileKind::kOther;
}

std::shared_ptr<const FileBytes> open_file(const std::string& path, FileBytes::Reading reading) {
  std::error_code error;
  if (path != "-" && std::filesystem::is_directory(path, error)) {
    const std::filesystem::path metadata = std::filesystem::path(path) / ".metadata";
    if (!std::filesystem::exists(metadata, error)) {
      throw FormatError(describe_folder(path));
    }
    return FileBytes::open(metadata.string(), reading);
  }
  return FileBytes::open(path, reading);
}

OpenedFile::OpenedFile(std::shared_ptr<const FileBytes> the_bytes)
    : bytes(std::move(the_bytes)), kind(kind_of_file(bytes->bytes())) {
  if (kind == FileKind::kZip) {
    zip.emplace(bytes->bytes());
  }
}

}  // namespace iris
