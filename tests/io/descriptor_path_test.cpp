#include "io/descriptor_path.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "support/temp_file.h"

namespace iris {
namespace {

TEST(DescriptorPath, IsToldByEveryName) {
  EXPECT_EQ(descriptor_of("/dev/stdin"), 0);
  EXPECT_EQ(descriptor_of("/dev/stdout"), 1);
  EXPECT_EQ(descriptor_of("/dev/../dev/stderr"), 2);
  EXPECT_EQ(descriptor_of("/dev/fd/12"), 12);
  EXPECT_EQ(descriptor_of("/proc/self/fd/3"), 3);
}

TEST(DescriptorPath, IsToldThroughLinks) {
  const test::TempFolder folder;
  std::filesystem::create_symlink("/dev/stdout", folder / "first");
  std::filesystem::create_symlink("first", folder / "second");
  EXPECT_EQ(descriptor_of(folder / "second"), 1);
}

TEST(DescriptorPath, IsNotAnotherOne) {
  const test::TempFolder folder;
  std::filesystem::create_symlink("itself", folder / "itself");
  for (const std::string& path :
       {std::string(), std::string("-"), std::string("1"), std::string("/dev/null"), std::string("/dev/fd"),
        std::string("/dev/fd/x"), std::string("/dev/fd/1x"), folder / "none/1", folder / "itself"}) {
    EXPECT_EQ(descriptor_of(path), std::nullopt) << path;
  }
}

TEST(StandardStreams, AreNamedByADashToo) {
  EXPECT_TRUE(is_standard_input("-") && is_standard_input("/dev/stdin") && !is_standard_input("/dev/stdout"));
  EXPECT_TRUE(is_standard_output("-") && is_standard_output("/dev/fd/1") && !is_standard_output("/dev/stdin"));
}

}  // namespace
}  // namespace iris
