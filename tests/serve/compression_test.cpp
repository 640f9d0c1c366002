#include "serve/compression.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/refusal.h"

namespace iris::serve {
namespace {

constexpr const char* kCodings[] = {"gzip", "deflate"};
const std::string kText(100'000, 'a');

std::string refused(const std::string& body, const std::string& coding, std::size_t most = 100'000) {
  return refusal([&] { decoded(body, coding, most); });
}

TEST(Compression, GivesBackWhatWasPacked) {
  for (const char* coding : kCodings) {
    EXPECT_EQ(decoded(encoded(kText, coding), coding, kText.size()), kText) << coding;
  }
}

TEST(Compression, RefusesABodyThatIsLargerOnceUnpacked) {
  for (const char* coding : kCodings) {
    EXPECT_EQ(refused(encoded(kText, coding), coding, kText.size() - 1),
              "413 the body is larger than 99999 bytes once it is unpacked")
        << coding;
  }
}

TEST(Compression, RefusesABodyCutAnywhere) {
  for (const char* coding : kCodings) {
    const std::string packed = encoded(kText, coding);
    for (std::size_t size = 0; size < packed.size(); ++size) {
      EXPECT_EQ(refused(packed.substr(0, size), coding), "400 the packed body is cut short") << coding << " " << size;
    }
  }
}

TEST(Compression, RefusesADamagedBody) {
  EXPECT_EQ(refused("\x1f\x8b\x08\xff damaged", "gzip"), "400 the packed body is damaged");
}

TEST(Compression, RefusesBytesAfterADeflatedBody) {
  EXPECT_EQ(refused(encoded("a", "deflate") + "x", "deflate"), "400 there are bytes after the packed body");
}

TEST(Compression, RefusesBytesAfterGzipsLastMember) {
  EXPECT_EQ(refused(encoded("a", "gzip") + "xyz", "gzip"), "400 the packed body is damaged");
}

TEST(Compression, TakesGzipOfSeveralMembers) {
  EXPECT_EQ(decoded(encoded("a", "gzip") + encoded("b", "gzip"), "gzip", 10), "ab");
}

TEST(Compression, TakesDeflateWithoutZlibsHeader) {
  const std::string packed = encoded("hello", "deflate");
  EXPECT_EQ(decoded(packed.substr(2, packed.size() - 6), "deflate", 10), "hello");
}

TEST(Compression, LeavesABodyWithoutACodingAsItIs) {
  EXPECT_EQ(decoded("a", "", 10), "a");
  EXPECT_EQ(decoded("a", "Identity", 10), "a");
}

TEST(Compression, RefusesAnUnknownCoding) {
  EXPECT_EQ(refused("", "br"), "415 Content-Encoding: \"br\" is not known here; send gzip, deflate or the plain body");
}

TEST(Compression, PrefersGzip) { EXPECT_EQ(accepted_coding("deflate, gzip"), "gzip"); }

TEST(Compression, TakesAWeightOverZero) { EXPECT_EQ(accepted_coding("deflate;q=0.5"), "deflate"); }

TEST(Compression, PassesOverACodingOfWeightZero) {
  EXPECT_EQ(accepted_coding("gzip;q=0, deflate"), "deflate");
  EXPECT_EQ(accepted_coding("gzip; q=0.000"), "");
}

TEST(Compression, IsLeftOutWhereNoKnownCodingIsNamed) {
  EXPECT_EQ(accepted_coding("br, *"), "");
  EXPECT_EQ(accepted_coding(""), "");
}

}  // namespace
}  // namespace iris::serve
