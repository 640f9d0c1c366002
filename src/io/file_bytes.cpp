#include "io/file_bytes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <utility>

#include "error.h"
#include "io/interrupt.h"
#include "io/mapping.h"

namespace iris {
namespace {

constexpr std::size_t kFirstPipeBuffer = 1 << 20;
constexpr std::chrono::milliseconds kLook(10);
constexpr const char* kChanges = "is written to while it is read; try again once it is whole";

[[noreturn]] void fail_with_errno() { throw FormatError(std::strerror(errno)); }

class Descriptor {
 public:
  explicit Descriptor(int its_value) : value(its_value) {}
  ~Descriptor() {
    if (value > STDIN_FILENO) {
      ::close(value);
    }
  }
  Descriptor(Descriptor&& other) noexcept : value(std::exchange(other.value, -1)) {}
  Descriptor& operator=(Descriptor&&) = delete;

  int value;
};

struct stat status_of(int descriptor) {
  struct stat status = {};
  if (::fstat(descriptor, &status) != 0) {
    fail_with_errno();
  }
  return status;
}

// Whether the content is the same, by size and time. A file that was renamed or removed meanwhile still is.
bool is_same(const struct stat& left, const struct stat& right) {
  return left.st_size == right.st_size && left.st_mtim.tv_sec == right.st_mtim.tv_sec &&
         left.st_mtim.tv_nsec == right.st_mtim.tv_nsec;
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

struct FileBytes::Mapped {
  Descriptor descriptor;
  struct stat status;  // when it was opened
  Mapping mapping;
};

std::shared_ptr<const FileBytes> FileBytes::open(const std::string& path, Reading reading, const Patience& patience) {
  Descriptor descriptor{path == "-" ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
  if (descriptor.value < 0) {
    throw_if_interrupted();  // while it waited for a named pipe's writer
    fail_with_errno();
  }
  struct stat status = status_of(descriptor.value);
  if (S_ISDIR(status.st_mode)) {
    throw FormatError("is a directory; name the model file in it");
  }
  std::shared_ptr<FileBytes> file(new FileBytes());
  file->path_ = path;
  const bool is_copy = S_ISREG(status.st_mode) && reading == Reading::kCopied;
  if (is_copy) {
    status = settled(descriptor.value, patience);
  } else if (S_ISREG(status.st_mode) && status.st_size > 0) {
    const auto size = static_cast<std::size_t>(status.st_size);
    const int number = descriptor.value;
    file->mapped_.reset(new Mapped{std::move(descriptor), status, Mapping(number, size)});
    file->bytes_ = file->mapped_->mapping.bytes();
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

FileBytes::FileBytes() = default;
FileBytes::~FileBytes() = default;

void FileBytes::require_unchanged() const {
  if (mapped_ == nullptr) {
    return;
  }
  const struct stat now = status_of(mapped_->descriptor.value);
  if (now.st_size < mapped_->status.st_size) {
    throw FormatError("was cut short while it was read; try again once it is whole");
  }
  if (!is_same(mapped_->status, now)) {
    throw FormatError(kChanges);
  }
  if (mapped_->mapping.is_cut()) {
    throw FormatError("the disk does not give all of its bytes; copy the file from elsewhere");
  }
}

}  // namespace iris
