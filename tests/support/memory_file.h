// A file that lies in memory only: thousands of changes to it cost no disk.
#pragma once

#include <sys/mman.h>
#include <unistd.h>

#include <stdexcept>
#include <string>
#include <string_view>

namespace iris::test {

class MemoryFile {
 public:
  explicit MemoryFile(std::string_view bytes) : descriptor_(::memfd_create("iris-test", MFD_CLOEXEC)) {
    if (descriptor_ < 0) {
      throw std::runtime_error("no memory file");
    }
    write_at(0, bytes);
  }
  ~MemoryFile() { ::close(descriptor_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  // Under which this process can open it.
  std::string path() const { return "/proc/self/fd/" + std::to_string(descriptor_); }

  int descriptor() const { return descriptor_; }

  void write_at(std::size_t place, std::string_view bytes) {
    if (::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(place)) !=
        static_cast<ssize_t>(bytes.size())) {
      throw std::runtime_error("cannot write a memory file");
    }
  }

  void cut_to(std::size_t size) {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) {
      throw std::runtime_error("cannot cut a memory file");
    }
  }

 private:
  int descriptor_;
};

}  // namespace iris::test
