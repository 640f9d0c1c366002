// What a log writes to: a pipe, or nothing that keeps it.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <string>

namespace iris::serve {

struct Pipe {
  Pipe() { EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0); }
  ~Pipe() {
    ::close(ends[0]);
    ::close(ends[1]);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  // What is in it; waits where it is empty.
  std::string read() {
    std::string text(1 << 20, '\0');
    const auto size = ::read(ends[0], text.data(), text.size());
    text.resize(static_cast<std::size_t>(size));
    return text;
  }

  int ends[2] = {};
};

// To be declared before the log, so that it closes after the log's thread has ended.
struct Nowhere {
  ~Nowhere() { ::close(descriptor); }

  const int descriptor = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
};

}  // namespace iris::serve
