#include "io/output_file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

using test::read_file;
using test::write_file;

class OutputFileTest : public ::testing::Test {
 protected:
  test::TempFolder folder_;
  std::string path_ = folder_ / "out";
};

TEST_F(OutputFileTest, IsThereOnceItIsCommitted) {
  OutputFile output(path_);
  output.write("hello ");
  output.write("world");
  EXPECT_FALSE(std::filesystem::exists(path_));
  output.commit();
  EXPECT_EQ(read_file(path_), "hello world");
}

TEST_F(OutputFileTest, LeavesNothingBehindWithoutCommit) {
  {
    OutputFile output(path_);
    output.write("half");
    EXPECT_EQ(folder_.file_count(), 1);
  }
  EXPECT_EQ(folder_.file_count(), 0);
}

TEST_F(OutputFileTest, LeavesNothingBehindButItselfWithCommit) {
  {
    OutputFile output(path_);
    output.commit();
  }
  EXPECT_EQ(folder_.file_count(), 1);
  EXPECT_EQ(read_file(path_), "");
}

TEST_F(OutputFileTest, KeepsTheOldFileWithoutCommit) {
  write_file(path_, "old");
  { OutputFile(path_).write("new"); }
  EXPECT_EQ(read_file(path_), "old");
  EXPECT_EQ(folder_.file_count(), 1);
}

TEST_F(OutputFileTest, MakesWhatALinkPointsToThoughItIsNotThere) {
  std::filesystem::create_directory(folder_ / "there");
  std::filesystem::create_symlink("there/second", folder_ / "first");
  std::filesystem::create_symlink("file", folder_ / "there/second");
  OutputFile output(folder_ / "first");
  output.write("new");
  output.commit();
  EXPECT_EQ(read_file(folder_ / "there/file"), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder_ / "first"));
}

TEST_F(OutputFileTest, RefusesALinkToItself) {
  std::filesystem::create_symlink("out", path_);
  EXPECT_EQ(test::error_of<InputError>([&] { OutputFile output(path_); }),
            path_ + ": cannot be created: Too many levels of symbolic links");
}

TEST_F(OutputFileTest, ReplacesTheOldFileAtOnce) {
  write_file(path_, "old");
  OutputFile output(path_);
  output.write("new");
  EXPECT_EQ(read_file(path_), "old");
  output.commit();
  EXPECT_EQ(read_file(path_), "new");
}

TEST_F(OutputFileTest, KeepsTheOldFilesMode) {
  write_file(path_, "old");
  ASSERT_EQ(::chmod(path_.c_str(), 0640), 0);
  OutputFile output(path_);
  output.commit();
  struct stat status = {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST_F(OutputFileTest, GivesANewFileTheUsualMode) {
  const mode_t before = ::umask(027);
  OutputFile output(path_);
  output.commit();
  ::umask(before);
  struct stat status = {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0640U);
}

TEST_F(OutputFileTest, ReplacesWhatALinkPointsTo) {
  const std::string link = folder_ / "link";
  write_file(path_, "old");
  std::filesystem::create_symlink(path_, link);
  OutputFile output(link);
  output.write("new");
  output.commit();
  EXPECT_TRUE(std::filesystem::is_symlink(link));
  EXPECT_EQ(read_file(path_), "new");
}

TEST_F(OutputFileTest, WritesInPlaceWhatIsNoRegularFile) {
  OutputFile output("/dev/null");
  output.write("gone");
  output.commit();
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST_F(OutputFileTest, GoesOnWithADescriptorThatIsNamed) {
  write_file(path_, "old ");
  const int log = ::open(path_.c_str(), O_WRONLY | O_APPEND);
  const std::string link = folder_ / "link";
  std::filesystem::create_symlink("/proc/self/fd/" + std::to_string(log), link);
  for (const std::string& name : {"/dev/fd/" + std::to_string(log), "/proc/self/fd/" + std::to_string(log), link}) {
    OutputFile output(name);
    output.write("new ");
    output.commit();
  }
  ::close(log);
  EXPECT_EQ(read_file(path_), "old new new new ");
  EXPECT_EQ(folder_.file_count(), 2);
}

TEST_F(OutputFileTest, SaysThatADescriptorIsNotOpen) {
  EXPECT_EQ(test::error_of<InputError>([&] { OutputFile output("/dev/fd/987"); }),
            "/dev/fd/987: cannot be written: Bad file descriptor");
}

TEST_F(OutputFileTest, NamesAPathWithALineBreakOnOneLine) {
  EXPECT_EQ(test::error_of<InputError>([&] { OutputFile output(folder_ / "no\nne/out"); }),
            (folder_ / "no\\x0ane/out") + ": cannot be created: No such file or directory");
}

TEST_F(OutputFileTest, LeavesTheProcessesUmaskAlone) {
  const mode_t before = ::umask(0123);
  { OutputFile output(path_); }
  EXPECT_EQ(::umask(before), 0123U);
}

TEST_F(OutputFileTest, WaitsForThePipesReader) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  std::string seen;
  std::thread reader([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
    seen = read_file(pipe);
  });
  {
    OutputFile output(pipe);
    output.write(std::string(1 << 20, 'x'));  // more than a pipe holds: writing waits too
  }
  reader.join();
  EXPECT_EQ(seen.size(), std::size_t{1} << 20);
}

TEST_F(OutputFileTest, SaysThatAFolderIsMissing) {
  const std::string path = folder_ / "none/out";
  EXPECT_EQ(test::error_of<InputError>([&] { OutputFile output(path); }),
            path + ": cannot be created: No such file or directory");
}

TEST_F(OutputFileTest, RefusesADirectory) {
  const std::string path = folder_ / ".";
  EXPECT_EQ(test::error_of<InputError>([&] { OutputFile output(path); }), path + ": cannot be written: Is a directory");
}

TEST_F(OutputFileTest, SaysThatADeviceIsFull) {
  OutputFile output("/dev/full");
  EXPECT_EQ(test::error_of<InputError>([&] { output.write("x"); }),
            "/dev/full: cannot be written: No space left on device");
}

TEST_F(OutputFileTest, SaysThatItsReaderIsGone) {
  const std::string pipe = folder_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto before = std::signal(SIGPIPE, SIG_IGN);
  const int reader = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK);
  OutputFile output(pipe);
  output.write("x");
  ::close(reader);
  EXPECT_THROW(output.write("y"), OutputClosed);
  std::signal(SIGPIPE, before);
}

TEST(SameFile, IsToldThoughItIsNotThere) { EXPECT_TRUE(is_same_file("not-there.pt", "./not-there.pt")); }

TEST(SameFile, IsNotAnotherOne) { EXPECT_FALSE(is_same_file("not-there.pt", "./not-there.csv")); }

TEST(SameFile, IsNeverStdout) {
  EXPECT_FALSE(is_same_file("-", "-"));
  EXPECT_FALSE(is_same_file("/dev/stdout", "/dev/stdout"));
}

}  // namespace
}  // namespace iris
