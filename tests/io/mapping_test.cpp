#include "io/mapping.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include <string>

#include "support/memory_file.h"

namespace iris {
namespace {

constexpr std::size_t kSize = 1 << 20;

class MappingTest : public ::testing::Test {
 protected:
  void SetUp() override { survive_cut_files(); }

  test::MemoryFile file_{std::string(kSize, 'x')};
};

TEST_F(MappingTest, ItsBytesAreTheFiles) {
  const Mapping mapping(file_.descriptor(), kSize);
  EXPECT_EQ(mapping.bytes()[kSize - 1], std::byte{'x'});
  EXPECT_FALSE(mapping.is_cut());
}

TEST_F(MappingTest, BytesThatTheFileNoLongerHasReadAsZero) {
  const Mapping mapping(file_.descriptor(), kSize);
  ASSERT_EQ(::ftruncate(file_.descriptor(), kSize / 2), 0);
  EXPECT_EQ(mapping.bytes()[kSize / 2 - 1], std::byte{'x'});
  EXPECT_FALSE(mapping.is_cut());
  EXPECT_EQ(mapping.bytes()[kSize - 1], std::byte{0});
  EXPECT_TRUE(mapping.is_cut());
}

TEST_F(MappingTest, OnlyTheOneThatWasCutIsCut) {
  test::MemoryFile other{std::string(kSize, 'y')};
  const Mapping before(other.descriptor(), kSize);
  const Mapping mapping(file_.descriptor(), kSize);
  const Mapping after(other.descriptor(), kSize);
  ASSERT_EQ(::ftruncate(file_.descriptor(), 0), 0);
  EXPECT_EQ(mapping.bytes()[0], std::byte{0});
  EXPECT_TRUE(mapping.is_cut());
  EXPECT_FALSE(before.is_cut());
  EXPECT_FALSE(after.is_cut());
}

TEST_F(MappingTest, AfterACutOneTheNextIsWhole) {
  {
    test::MemoryFile cut{std::string(kSize, 'y')};
    const Mapping mapping(cut.descriptor(), kSize);
    ASSERT_EQ(::ftruncate(cut.descriptor(), 0), 0);
    EXPECT_EQ(mapping.bytes()[0], std::byte{0});
  }
  const Mapping mapping(file_.descriptor(), kSize);
  EXPECT_EQ(mapping.bytes()[0], std::byte{'x'});
  EXPECT_FALSE(mapping.is_cut());
}

TEST_F(MappingTest, AnotherMemorysFaultStillEndsTheProcess) {
  void* memory = ::mmap(nullptr, kSize, PROT_READ, MAP_PRIVATE, file_.descriptor(), 0);
  ASSERT_NE(memory, MAP_FAILED);
  ASSERT_EQ(::ftruncate(file_.descriptor(), 0), 0);
  const volatile char* byte = static_cast<const char*>(memory);
  EXPECT_EXIT(static_cast<void>(*byte), ::testing::KilledBySignal(SIGBUS), "");
  ::munmap(memory, kSize);
}

}  // namespace
}  // namespace iris
