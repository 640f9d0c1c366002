#include "tensor_file/file_kind.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/memory_file.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

TEST(OpenedFile, HasTheDirectoryOfAZip) {
  const OpenedFile file(test::MemoryFile(test::zip_of({{"r/a", "x"}})).path());
  EXPECT_EQ(file.kind, FileKind::kZip);
  ASSERT_TRUE(file.zip);
  EXPECT_NE(file.zip->find("r/a"), nullptr);
}

TEST(OpenedFile, HasNoDirectoryOfAnotherFile) {
  const OpenedFile file(test::MemoryFile("no zip").path());
  EXPECT_EQ(file.kind, FileKind::kOther);
  EXPECT_FALSE(file.zip);
}

TEST(OpenedFile, IsNotMadeOfADamagedZip) {
  const test::MemoryFile file(test::zip_of({{"r/a", "x"}}).substr(0, 40));
  EXPECT_EQ(test::error_of<FormatError>([&] { OpenedFile opened(file.path()); }),
            "zip: the end record is missing; the file is truncated");
}

TEST(OpenedFile, IsNotMadeOfAFileThatIsNotThere) {
  EXPECT_EQ(test::error_of<FormatError>([] { OpenedFile opened("/proc/self/none"); }), "No such file or directory");
}

}  // namespace
}  // namespace iris
