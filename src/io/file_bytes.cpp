#include "io/file_bytes.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "error.h"
#include "io/interrupt.h"

namespace iris {
namespace {

constexpr std::size_t kFirstPipeBuffer = 1 << 20;
constexpr std::chrono::milliseconds kLook(10);
constexpr const char* kChanges = "is written to while it is read; try again once it is whole";

[[noreturn]] void fail_with_errno() { throw FormatError(std::strerror(errno)); }

struct Descriptor {
  const int value;
  ~Descriptor() {
    if (value > STDIN_FILENO) {
      ::close(value);
    }
  }
};

struct stat status_of(int descriptor) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    fail_with_errno();
  }
  return status;
}

bool is_same(const struct stat& left, const struct stat& right) {
  const auto is_same_time = [](const timespec& one, const timespec& other) {
    return one.tv_sec == other.tv_sec && one.tv_nsec == other.tv_nsec;
  };
  return left.st_size == right.st_size && is_same_time(left.st_mtim, right.st_mtim) &&
         is_same_time(left.st_ctim, right.st_ctim);
}

// Returns its status once nobody has written to it for a while.
struct stat settled(int descriptor, const Patience& patience) {
  using std::chrono::system_clock;
  const auto start = system_clock::now();
  while (true) {
    const struct stat status = status_of(descriptor);
    const auto written = system_clock::time_point(std::chrono::duration_cast<system_clock::duration>(
        std::chrono::seconds(status.st_ctim.tv_sec) + std::chrono::nanoseconds(status.st_ctim.tv_nsec)));
    const auto now = system_clock::now();
    if (written > now || now - written > patience.settled) {  // a time to come says nothing
      return status;
    }
    if (now - start > patience.longest) {
      throw FormatError(kChanges);
    }
    throw_if_interrupted();
    std::this_thread::sleep_for(kLook);
  }
}

}  // namespace

std::shared_ptr<const FileBytes> FileBytes::open(const std::string& path, Reading reading, const Patience& patience) {
  const Descriptor descriptor{path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (descriptor.value < 0) {
    throw_if_interrupted();  // while it waited for a named pipe's writer
    fail_with_errno();
  }
  struct stat status = status_of(descriptor.value);
  if (S_ISDIR(status.st_mode)) {
    throw FormatError("is a directory; name the model file in it");
  }
  std::shared_ptr<FileBytes> file(new FileBytes());
  const bool is_copy = S_ISREG(status.st_mode) && reading == Reading::kCopied;
  if (is_copy) {
    status = settled(descriptor.value, patience);
  } else if (S_ISREG(status.st_mode) && status.st_size > 0) {
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
      // With a byte more than the file is said to have, to see its end.
      capacity = capacity != 0 ? 2 * capacity
                 : is_copy     ? static_cast<std::size_t>(status.st_size) + 1
                               : kFirstPipeBuffer;
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
  if (is_copy && !is_same(status, status_of(descriptor.value))) {
    throw FormatError(kChanges);
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
