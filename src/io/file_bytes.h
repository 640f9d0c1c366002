// A whole file as bytes.
#pragma once

#include <chrono>
#include <cstddef>
#include <exception>
#include <memory>
#include <span>
#include <string>
#include <type_traits>
#include <utility>

#include "with_place.h"

namespace iris {

// With a file that is to be copied and may still be written to.
struct Patience {
  std::chrono::milliseconds settled{50};     // without a write; longer than the kernel's clock for files ticks
  std::chrono::milliseconds longest{5'000};  // until it has settled
};

// Mapped where the file can be mapped, else (a pipe, standard input) read into memory. The mapping is private: writing
// through a tensor that lies in it never reaches the file. What another process does to the file shows in it, so who
// has read from it asks afterwards whether the file is still the same: see read_whole.
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

  // Valid for as long as this object. If a mapped file is cut short, reading behind its new end is the signal SIGBUS,
  // but for programs that called survive_cut_files.
  std::span<const std::byte> bytes() const { return bytes_; }

  // Whether it has a name, beside which other files may lie.
  bool has_place() const { return !path_.empty() && path_ != "-"; }

  Reading reading() const { return mapped_ != nullptr ? Reading::kMapped : Reading::kCopied; }

  // As it was opened; empty where no file was.
  const std::string& path() const { return path_; }

  // Throws FormatError, without the path, where a mapped file was written to or cut since it was opened: what was read
  // of it may be anything. A file that took its place by a rename is another file.
  void require_unchanged() const;

 private:
  FileBytes();

  std::string path_;
  std::span<std::byte> bytes_;
  std::unique_ptr<std::byte[], void (*)(void*)> owned_{nullptr, nullptr};
  struct Mapped;
  std::unique_ptr<const Mapped> mapped_;
};

// What `read` returns, of a source (FileBytes, or what is made of it) that did not change meanwhile. Where it did, its
// FormatError takes the place of what `read` returned or threw.
template <typename Source, typename Read>
auto read_whole(const Source& source, Read&& read) {
  try {
    if constexpr (std::is_void_v<decltype(read())>) {
      read();
      source.require_unchanged();
    } else {
      auto result = read();
      source.require_unchanged();
      return result;
    }
  } catch (const std::exception&) {
    source.require_unchanged();
    throw;
  }
}

// The same where `read` puts the place in front of its errors itself.
template <typename Source, typename Read>
auto read_whole(const std::string& place, const Source& source, Read&& read) {
  struct Placed {
    const std::string& place;
    const Source& source;
    void require_unchanged() const {
      with_place(place, [this] { source.require_unchanged(); });
    }
  };
  return read_whole(Placed{place, source}, std::forward<Read>(read));
}

}  // namespace iris
