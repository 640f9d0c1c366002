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

// The good rows of each part, and how many good and bad ones there are in all.
std::vector<std::size_t> good_rows_of_parts(RowSource& source, std::string& features, std::size_t& count) {
  std::vector<std::size_t> good;
  for (RowSource::Part part; source.take(part);) {
    source.parse(part);
    good.push_back(part.rows.count - part.rows.bad.size());
    count += part.rows.count;
    for (const float feature : part.rows.features) {
      features += std::to_string(static_cast<int>(feature)) + " ";
    }
  }
  return good;
}

TEST_F(RowSourceTest, GivesPartsInWholeGroups) {
  std::string text = "a,b\n";
  std::string all;
  for (int i = 0; i < 60'000; ++i) {
    const std::string number = std::to_string(i % 1000);
    text += number + ",1\n" + (i % 7 == 0 ? "x,bad\n" : "") + (i % 11 == 0 ? "\n" : "");
    all += number + " 1 ";
  }
  for (const std::size_t group : {2U, 7U, 1000U, 17'000U, 100'000U}) {
    RowSource source = open(text);
    source.set_group(group);
    EXPECT_EQ(source.first_rows().features.size() / 2 % group, group > 60'000 ? 60'000 : 0) << group;
    std::string features;
    std::size_t count = 0;
    std::vector<std::size_t> good = good_rows_of_parts(source, features, count);
    EXPECT_EQ(good.back() % group, 60'000 % group);
    good.pop_back();
    for (const std::size_t rows : good) {
      EXPECT_EQ(rows % group, 0U) << group;
    }
    EXPECT_TRUE(features == all) << group;
    EXPECT_EQ(count, 60'000U + 8572U);
  }
}

}  // namespace
}  // namespace iris
