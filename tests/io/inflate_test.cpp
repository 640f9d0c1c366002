#include "io/inflate.h"

#include <gtest/gtest.h>

#include "io/bytes.h"
#include "support/errors.h"

namespace iris {
namespace {

using namespace std::string_literals;

// Python: zlib.compressobj(9, zlib.DEFLATED, -15, strategy=zlib.Z_FIXED), of b"abcabcabcabcabc".
const std::string kFixed = "\x4b\x4c\x4a\x4e\x44\x42\x00"s;
const std::string kText = "abcabcabcabcabc";
// Of b"", then flushed: one stored block of no bytes.
const std::string kStored = "\x01\x03\x00\xfc\xff"s + "abc";

std::string error_of(const std::string& packed, std::uint64_t size) {
  return test::error_of<FormatError>([&] { inflate(bytes_of(packed), size); });
}

TEST(Inflate, UnpacksStoredBlocks) { EXPECT_EQ(inflate(bytes_of(kStored), 3), "abc"); }

TEST(Inflate, UnpacksCopiesThatOverlapThemselves) { EXPECT_EQ(inflate(bytes_of(kFixed), kText.size()), kText); }

TEST(Inflate, RefusesBytesThatAreCutAnywhere) {
  for (const std::string& packed : {kStored, kFixed}) {
    for (std::size_t size = 0; size < packed.size(); ++size) {
      EXPECT_NE(error_of(packed.substr(0, size), packed == kStored ? 3 : kText.size()), "") << size;
    }
  }
}

TEST(Inflate, RefusesAnotherSizeThanTheHeaderSays) {
  EXPECT_EQ(error_of(kFixed, kText.size() - 1), "it unpacks to more than its header says");
  EXPECT_EQ(error_of(kFixed, kText.size() + 1), "it unpacks to less than its header says");
  EXPECT_EQ(error_of(kStored, 2), "it unpacks to more than its header says");
}

TEST(Inflate, RefusesBytesBehindThePackedOnes) {
  EXPECT_EQ(error_of(kFixed + "x", kText.size()), "there are bytes after its packed ones");
}

TEST(Inflate, RefusesWhatDeflateDoesNotWrite) {
  for (const std::string& packed : {"\x07"s, "\x01\x03\x00\xfc\xfe"s + "abc", "\xff\xff\xff\xff"s, "\x03\x02\x00"s}) {
    EXPECT_NE(error_of(packed, 3), "");
  }
}

}  // namespace
}  // namespace iris
