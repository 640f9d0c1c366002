#include "io/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "error.h"
#include "io/interrupt.h"

namespace iris {
namespace {

constexpr std::size_t kFirstPipeBuffer = 1 << 20;

[[noreturn]] void fail_with_errno() { throw FormatError(std::strerror(errno)); }

struct Descriptor {
  const int value;
  ~Descriptor() {
    if (value > STDIN_FILENO) {
      ::close(value);
    }
  }
};

}  // namespace

std::shared_ptr<const FileBytes> FileBytes::open(const std::string& path) {
  const Descriptor descriptor{path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (descriptor.value < 0) {
    throw_if_interrupted();  // while it waited for a named pipe's writer
    fail_with_errno();
  }
  struct stat status = {};
  if (::fstat(descriptor.value, &status) != 0) {
    fail_with_errno();
  }
  if (S_ISDIR(status.st_mode)) {
    throw FormatError("is a directory; name the model file in it");
  }
  std::shared_ptr<FileBytes> file(new FileBytes());
  if (S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto size = static_cast<std::size_t>(status.st_size);
    // Without a reserve: a file may be larger than memory, and what is written to stays small.
    void* mapping = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, descriptor.value, 0);
    if (mapping == MAP_FAILED) {
      fail_with_errno();
    }
    file->bytes_ = {static_cast<std::byte*>(mapping), size};
    return file;
  }
  file->owned_ = {nullptr, [](void* bytes) { std::free(bytes); }};
  std::size_t capacity = 0;
  std::size_t size = 0;
  while (true) {
    if (size == capacity) {
      capacity = capacity == 0 ? kFirstPipeBuffer : 2 * capacity;
      auto* grown = static_cast<std::byte*>(std::realloc(file->owned_.get(), capacity));
      if (grown == nullptr) {
        throw FormatError("does not fit into memory");
      }
      file->owned_.release();
      file->owned_.reset(grown);
    }
    throw_if_interrupted();
    const ssize_t count = ::read(descriptor.value, file->owned_.get() + size, capacity - size);
    if (count == 0) {
      break;
    }
    if (count > 0) {
      size += static_cast<std::size_t>(count);
    } else if (errno != EINTR) {
      fail_with_errno();
    }
  }
  file->bytes_ = {file->owned_.get(), size};
  return file;
}

std::shared_ptr<const FileBytes> FileBytes::copy_of(std::span<const std::byte> bytes) {
  std::shared_ptr<FileBytes> file(new FileBytes());
  file->owned_ = {new std::byte[bytes.size()], [](void* owned) { delete[] static_cast<std::byte*>(owned); }};
  std::copy(bytes.begin(), bytes.end(), file->owned_.get());
  file->bytes_ = {file->owned_.get(), bytes.size()};
  return file;
}

FileBytes::~FileBytes() {
  if (owned_ == nullptr && !bytes_.empty()) {
    ::munmap(bytes_.data(), bytes_.size());
  }
}

}  // namespace iris
