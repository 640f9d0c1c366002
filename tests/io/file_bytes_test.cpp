#include "io/file_bytes.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>
#include <thread>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

std::string text_of(const FileBytes& file) {
  return {reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size()};
}

class FileBytesTest : public ::testing::Test {
 protected:
  test::TempFolder folder_;
  std::string path_ = folder_ / "file";
};

TEST_F(FileBytesTest, HoldsARegularFile) {
  test::write_file(path_, "hello");
  EXPECT_EQ(text_of(*FileBytes::open(path_)), "hello");
}

TEST_F(FileBytesTest, HoldsAnEmptyFile) {
  test::write_file(path_, "");
  EXPECT_EQ(text_of(*FileBytes::open(path_)), "");
}

TEST_F(FileBytesTest, HoldsAPipeOfSeveralMebibytes) {
  std::string sent(5'000'000, '\0');
  for (std::size_t i = 0; i < sent.size(); ++i) {
    sent[i] = static_cast<char>(i * 7 + i / 256);
  }
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  std::thread producer([&] {
    for (std::size_t done = 0; done < sent.size();) {
      done += static_cast<std::size_t>(::write(ends[1], sent.data() + done, sent.size() - done));
    }
    ::close(ends[1]);
  });
  const auto file = FileBytes::open("/dev/fd/" + std::to_string(ends[0]));
  producer.join();
  ::close(ends[0]);
  EXPECT_TRUE(text_of(*file) == sent);
}

TEST_F(FileBytesTest, ACopyIsNotTouchedByWhatBecomesOfTheFile) {
  for (const std::string& later : {std::string("HELLO"), std::string()}) {
    test::write_file(path_, "hello");
    const auto file = FileBytes::open(path_, FileBytes::Reading::kCopied);
    test::write_file(path_, later);
    EXPECT_EQ(text_of(*file), "hello");
  }
}

TEST_F(FileBytesTest, ACopyIsOfOneStateOfTheFile) {
  constexpr std::size_t kSize = 4 << 20;
  test::write_file(path_, std::string(kSize, 'a'));
  std::atomic<bool> is_over = false;
  std::thread writer([&] {
    const int descriptor = ::open(path_.c_str(), O_WRONLY);
    for (int i = 0; i < 3; ++i) {  // in place, with pauses, as a slow copy does
      const std::string bytes(kSize, static_cast<char>('b' + i));
      for (std::size_t at = 0; at < kSize; at += kSize / 16) {
        EXPECT_EQ(::pwrite(descriptor, bytes.data(), kSize / 16, static_cast<off_t>(at)), kSize / 16);
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
      }
    }
    ::close(descriptor);
    is_over = true;
  });
  while (!is_over) {
    const std::string text = text_of(*FileBytes::open(path_, FileBytes::Reading::kCopied));
    EXPECT_EQ(text, std::string(kSize, text[0]));
  }
  writer.join();
}

TEST_F(FileBytesTest, AFileThatIsWrittenToAllTheTimeIsNotCopied) {
  test::write_file(path_, "hello");
  // Within the hour it was written to.
  const Patience patience = {.settled = std::chrono::hours(1), .longest = std::chrono::milliseconds(20)};
  EXPECT_EQ(test::error_of<FormatError>([&] { FileBytes::open(path_, FileBytes::Reading::kCopied, patience); }),
            "is written to while it is read; try again once it is whole");
}

TEST_F(FileBytesTest, OutlivesItsName) {
  test::write_file(path_, "hello");
  const auto file = FileBytes::open(path_);
  std::filesystem::remove(path_);
  EXPECT_EQ(text_of(*file), "hello");
}

TEST_F(FileBytesTest, NeverWritesToTheFile) {
  test::write_file(path_, "hello");
  const auto file = FileBytes::open(path_);
  *const_cast<std::byte*>(file->bytes().data()) = std::byte{'J'};
  EXPECT_EQ(text_of(*file), "Jello");
  EXPECT_EQ(test::read_file(path_), "hello");
}

TEST_F(FileBytesTest, RefusesADirectory) {
  EXPECT_EQ(test::error_of<FormatError>([&] { FileBytes::open(folder_ / "."); }),
            "is a directory; name the model file in it");
}

TEST_F(FileBytesTest, SaysThatAFileIsMissing) {
  EXPECT_EQ(test::error_of<FormatError>([&] { FileBytes::open(path_); }), "No such file or directory");
}

}  // namespace
}  // namespace iris
