// A file as memory, and what becomes of that where another process cuts the file short.
#pragma once

#include <cstddef>
#include <span>

namespace iris {

// From now on, bytes that a mapped file no longer has read as 0, and Mapping::is_cut tells, where else the signal
// SIGBUS ends the process. Call once, from main: a library leaves signals to its program.
void survive_cut_files();

// Private: what is written to it never reaches the file. Without a reserve: a file may be larger than memory. It is
// read-only where the kernel grants that for no writable mapping (vm.overcommit_memory=2).
class Mapping {
 public:
  // The first `size` bytes of the file, at least one. The descriptor may be closed afterwards. Throws FormatError.
  Mapping(int descriptor, std::size_t size);
  ~Mapping();
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;

  std::span<std::byte> bytes() const { return bytes_; }

  // Whether bytes were read here that the file, or the disk, did not give.
  bool is_cut() const;

 private:
  struct Watched;
  friend void survive_cut_files();
  static Watched& watch(std::span<std::byte> bytes);

  std::span<std::byte> bytes_;
  Watched* watched_;
};

}  // namespace iris
