// An output file that is whole or not there.
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>

namespace iris {

// The reader of our output has closed it (EPIPE). Not an error: main ends quietly.
struct OutputClosed {};

// "-" is standard output. A path that names a descriptor of this process (descriptor_path.h) is that descriptor,
// written on from where it stands. A regular file is written under a hidden temporary name in the same folder. commit()
// gives it its own name, replacing any file of that name; without commit() the temporary file is removed, and what was
// there stays. Anything else that exists already (a device, a named pipe) is written in place; a named pipe's reader is
// waited for.
class OutputFile {
 public:
  enum class Durability {
    kOnDisk,     // what is committed survives a crash of the machine
    kOfProcess,  // it survives the end of the process only: for what can be made again
  };

  // Throws InputError("PATH: …"), as write and commit do, and Interrupted when a signal was noted while it waited.
  explicit OutputFile(const std::string& path, Durability durability = Durability::kOnDisk);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  // Throws OutputClosed when the reader is gone, Interrupted when a signal was noted.
  void write(std::string_view bytes);

  // Bytes written so far. Any thread may ask.
  std::uint64_t written() const { return written_.load(std::memory_order_relaxed); }

  // What was written is there, under its name, when this returns.
  void commit();

 private:
  [[noreturn]] void fail(const char* what) const;

  std::string path_;
  Durability durability_;
  std::string temporary_path_;  // empty: written in place
  int descriptor_ = -1;
  std::atomic<std::uint64_t> written_ = 0;
  off_t started_ = 0;  // bytes that are on their way to the disk
  off_t pending_ = 0;  // written since
};

// Whether both paths name one file, which need not exist. Writing to one would then replace the other. False for "-"
// and for what names a descriptor.
bool is_same_file(const std::string& output, const std::string& other);

}  // namespace iris
