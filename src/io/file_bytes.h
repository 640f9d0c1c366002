// A whole file as bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <span>
#include <string>

namespace iris {

// With a file that is to be copied and may still be written to.
struct Patience {
  std::chrono::milliseconds settled{50};     // without a write; longer than the kernel's clock for files ticks
  std::chrono::milliseconds longest{5'000};  // until it has settled
};

// Mapped where the file can be mapped, else (a pipe, standard input) read into memory. The mapping is private: writing
// through a tensor that lies in it never reaches the file. But who cuts a file that is mapped ends this process.
class FileBytes {
 public:
  enum class Reading {
    kMapped,
    kCopied,  // into memory: whatever becomes of the file, these bytes stay
  };

  // `path` "-" is standard input. Throws FormatError, without the path, when it cannot be read or is a directory. A
  // copy is of one state of the file: one that was written to just now is waited for, for some seconds, and FormatError
  // is thrown where it still changes.
  static std::shared_ptr<const FileBytes> open(const std::string& path, Reading reading = Reading::kMapped,
                                               const Patience& patience = {});

  // As if a file held these bytes.
  static std::shared_ptr<const FileBytes> copy_of(std::span<const std::byte> bytes);

  ~FileBytes();
  FileBytes(const FileBytes&) = delete;
  FileBytes& operator=(const FileBytes&) = delete;

  // Valid for as long as this object.
  std::span<const std::byte> bytes() const { return bytes_; }

 private:
  FileBytes() = default;

  std::span<std::byte> bytes_;
  std::unique_ptr<std::byte[], void (*)(void*)> owned_{nullptr, nullptr};
};

}  // namespace iris
