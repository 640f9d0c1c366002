#include "rows/row_source.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/temp_file.h"

namespace iris {
namespace {

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

class RowSourceTest : public ::testing::Test {
 protected:
  RowSource open(std::string_view text) const {
    test::write_file(path_, text);
    RowRequest request;
    request.features = {"a", "b"};
    return RowSource(path_, RowFormat::kCsv, request);
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "rows.csv";
};

TEST_F(RowSourceTest, TellsThePlaceOfEveryRow) {
  // Chunks hold 256 KiB, so that this text takes several.
  RowSource source = open("a,b,c\n\n" + repeated("5.1,3.5,\"two\nlines\"\n\nx,1,2\n", 60'000));
  std::size_t line = 3;
  std::size_t count = 0;
  for (RowSource::Part part; source.take(part); count += part.rows.count) {
    source.parse(part);
    const auto places = source.places(part);
    ASSERT_EQ(places.size(), part.rows.count);
    for (std::size_t i = 0; i < places.size(); ++i) {
      ASSERT_EQ(places[i], path_ + ":" + std::to_string(line) + ": ");
      line += (count + i) % 2 == 0 ? 3 : 1;
    }
  }
  EXPECT_EQ(count, 120'000U);
}

TEST_F(RowSourceTest, UsesAPartAgainWhateverItHeld) {
  RowSource source = open("a,b\n" + repeated("5.1,3.5\n", 60'000) + "bad,1\n" + repeated("0.1,9.9\n", 60'000));
  RowSource::Part part;
  while (source.take(part)) {
    source.parse(part);
  }
  RowSource other = open("a,b\n7,8\n");
  ASSERT_TRUE(other.take(part));
  other.parse(part);
  EXPECT_EQ(part.rows.features, (std::vector<float>{7, 8}));
  EXPECT_TRUE(part.rows.bad.empty());
}

TEST_F(RowSourceTest, GivesTheFirstRowsTwice) {
  RowSource source = open("a,b\n7,8\n");
  EXPECT_EQ(source.first_rows().features, (std::vector<float>{7, 8}));
  RowSource::Part part;
  ASSERT_TRUE(source.take(part));
  source.parse(part);
  EXPECT_EQ(part.rows.features, (std::vector<float>{7, 8}));
  EXPECT_FALSE(source.take(part));
}

}  // namespace
}  // namespace iris
