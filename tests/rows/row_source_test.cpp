#include "rows/row_source.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/temp_file.h"

namespace iris {
namespace {

constexpr std::size_t kAll = 1 << 30;

std::string repeated(std::string_view text, std::size_t count) {
  std::string all;
  for (std::size_t i = 0; i < count; ++i) {
    all += text;
  }
  return all;
}

class RowSourceTest : public ::testing::Test {
 protected:
  RowSource open(std::string_view text, RowFormat format = RowFormat::kCsv) const {
    test::write_file(path_, text);
    return RowSource(path_, format, {"a", "b"}, /*skips_unreadable=*/true);
  }

  // All features and errors, and every good row's place.
  struct Read {
    std::vector<float> features;
    std::vector<std::string> errors;
    std::vector<std::string> places;
    bool operator==(const Read&) const = default;
  };

  static Read read(RowSource& source, std::size_t places_of_part = 3) {
    Read read;
    for (RowSource::Part part; source.take(part, {});) {
      source.parse(part);
      read.features.insert(read.features.end(), part.rows.features.begin(), part.rows.features.end());
      for (const BadRow& bad : part.rows.bad) {
        read.errors.push_back(bad.error);
      }
      for (std::size_t i = 0; i < std::min(part.rows.count, places_of_part); ++i) {
        read.places.push_back(source.place_of(part, part.rows.count - 1 - i));
      }
    }
    return read;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "rows.csv";
};

// Chunks hold 256 KiB, so that these texts take several.
const std::string kTexts[] = {
    "a,b\n" + repeated("5.1,3.5\n0.2,1.4\n", 60'000),
    "a,b\n" + repeated("5.1,3.5\n", 120'000) + "10.5,3.5\n" + repeated("5.1,3.5\n", 1000),
    "a,b\n" + repeated("5.1,3.5\n", 60'000) + "bad,1\n" + repeated("0.1,9.9\n", 60'000),
    "b,a\n" + repeated("5.123456,-3e-3\n", 60'000),
    "a,b\n" + repeated("\"5.1\",3.5\n\n0.1,0.2\r\n", 60'000),
    "a,b,c\n" + repeated("5.1,3.5,\"two\nlines\"\n", 60'000),
    "a,b\n" + repeated("5.1,3.5\n", 60'000) + "1,\"never closed\n2,3\n",
    "a,b\n",
    "",
};

TEST_F(RowSourceTest, GivesTheSameRowsHoweverManyWereParsedAhead) {
  for (const std::string& text : kTexts) {
    RowSource plain = open(text);
    const Read expected = read(plain);
    for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{100'000}, kAll}) {
      RowSource source = open(text);
      source.start_ahead(size);
      EXPECT_EQ(read(source), expected) << text.substr(0, 30) << size;
    }
  }
}

TEST_F(RowSourceTest, GivesTheSameRowsWhenStoppedEarly) {
  for (const std::string& text : kTexts) {
    RowSource plain = open(text);
    const Read expected = read(plain);
    RowSource source = open(text);
    source.start_ahead(kAll);
    source.end_ahead();
    EXPECT_EQ(read(source), expected) << text.substr(0, 30);
  }
}

TEST_F(RowSourceTest, TellsThePlaceOfRowsWhoseTextWasNotKept) {
  RowSource source = open(kTexts[0]);
  source.start_ahead(kAll);
  std::size_t line = 2;
  for (RowSource::Part part; source.take(part, {}); line += part.rows.count) {
    source.parse(part);
    EXPECT_EQ(source.place_of(part, 7), path_ + ":" + std::to_string(line + 7) + ": ");
  }
  EXPECT_EQ(line, 120'002U);
}

TEST_F(RowSourceTest, ReadsNdjsonAhead) {
  const std::string text = repeated("{\"a\":5.1,\"b\":3.5}\n[1,2]\n\n{}\n", 20'000);
  RowSource plain = open(text, RowFormat::kNdjson);
  const Read expected = read(plain);
  EXPECT_EQ(expected.features.size(), 80'000U);
  EXPECT_EQ(expected.errors.size(), 20'000U);
  RowSource source = open(text, RowFormat::kNdjson);
  source.start_ahead(kAll);
  EXPECT_EQ(read(source), expected);
}

TEST_F(RowSourceTest, MayBeLeftWhileItParsesAhead) {
  RowSource source = open(kTexts[0]);
  source.start_ahead(kAll);
}

TEST_F(RowSourceTest, UsesAPartAgainWhateverItHeld) {
  RowSource source = open(kTexts[2]);
  RowSource other = open(kTexts[4]);
  source.start_ahead(kAll);
  RowSource::Part part;
  while (source.take(part, {})) {
    source.parse(part);
  }
  ASSERT_TRUE(other.take(part, {}));
  other.parse(part);
  EXPECT_EQ(part.rows.features[0], 5.1F);
  EXPECT_TRUE(part.rows.bad.empty());
}

}  // namespace
}  // namespace iris
