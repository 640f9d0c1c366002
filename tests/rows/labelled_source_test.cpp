#include "rows/labelled_source.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

class LabelledSourceTest : public ::testing::Test {
 protected:
  // Each row as "1 2.5 -> 0".
  std::vector<std::string> read(std::string_view text, const std::vector<std::string>& features = {"a", "b"}) const {
    test::write_file(path_, text);
    LabelledSource source(path_, features, "", "kind", [](const std::string&) {});
    const LabelledRows rows = read_labelled_rows(source, {"cat", "dog"});
    const std::size_t count = rows.features.size() / rows.labels.size();
    std::vector<std::string> lines;
    for (std::size_t row = 0; row < rows.labels.size(); ++row) {
      std::string line;
      for (std::size_t i = 0; i < count; ++i) {
        char number[32];
        std::snprintf(number, sizeof number, "%.9g ", static_cast<double>(rows.features[row * count + i]));
        line += number;
      }
      lines.push_back(line + "-> " + std::to_string(rows.labels[row]));
    }
    return lines;
  }

  std::string error_in(std::string_view text) const {
    const std::string error = test::error_of<InputError>([&] { read(text); });
    return error.starts_with(path_) ? "rows.csv" + error.substr(path_.size()) : error;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "rows.csv";
};

using Lines = std::vector<std::string>;

TEST_F(LabelledSourceTest, FindsColumnsByNameInAnyOrderAndPassesOverOthers) {
  EXPECT_EQ(read("kind,x,b,a\ndog,?,1,2\ncat,,3,4\n"), (Lines{"2 1 -> 1", "4 3 -> 0"}));
}

TEST_F(LabelledSourceTest, TakesAllOtherColumnsWhereTheModelNamesNone) {
  EXPECT_EQ(read("p,kind,q,r\n1,dog,2,3\n", {}), Lines{"1 2 3 -> 1"});
}

TEST_F(LabelledSourceTest, ReadsCrLfQuotesBlankLinesAndAByteOrderMark) {
  EXPECT_EQ(read("\xEF\xBB\xBF\r\n\"a\",b,kind\r\n\r\n\"1\",2,\"dog\"\r\n\r\n3,4,cat"),
            (Lines{"1 2 -> 1", "3 4 -> 0"}));
}

TEST_F(LabelledSourceTest, ReadsTheFloat32NearestToTheText) {
  // Halfway between two floats but for its last digit, which a double does not hold.
  EXPECT_EQ(read("a,b,kind\n1.00000005960464477539062500001,16777217.00000000000000000001,cat\n"),
            Lines{"1.00000012 16777218 -> 0"});
}

TEST_F(LabelledSourceTest, TakesWhatRoundsToTheLargestFloat32) {
  EXPECT_EQ(read("a,b,kind\n3.4028235677973362e38,0,cat\n"), Lines{"3.40282347e+38 0 -> 0"});
  EXPECT_EQ(error_in("a,b,kind\n3.4028235677973367e38,0,cat\n"),
            "rows.csv:2: a: not finite as float32: \"3.4028235677973367e38\"");
}

TEST_F(LabelledSourceTest, ReadsMoreThanAChunk) {
  std::string text = "a,b,kind\n";
  for (int i = 0; i < 100'000; ++i) {
    text += std::to_string(i) + ",0,dog\n";
  }
  const Lines lines = read(text);
  ASSERT_EQ(lines.size(), 100'000U);
  EXPECT_EQ(lines.back(), "99999 0 -> 1");
  EXPECT_EQ(error_in(text + "x,0,dog\n"), "rows.csv:100002: a: not a number: \"x\"");
}

TEST_F(LabelledSourceTest, TellsOfBadCells) {
  EXPECT_EQ(error_in("a,b,kind\n1,2,dog\n\n1,abc,dog\n"), "rows.csv:4: b: not a number: \"abc\"");
  EXPECT_EQ(error_in("a,b,kind\n1,nan,dog\n"), "rows.csv:2: b: not finite as float32: \"nan\"");
  EXPECT_EQ(error_in("a,b,kind\n1,1e39,dog\n"), "rows.csv:2: b: not finite as float32: \"1e39\"");
  EXPECT_EQ(error_in("a,b,kind\n1, ,dog\n"), "rows.csv:2: b: is empty");
  EXPECT_EQ(error_in("a,b,kind\n1,2\n"), "rows.csv:2: has 2 cells, not 3");
  EXPECT_EQ(error_in("a,b,kind\n1,2,\n"), "rows.csv:2: kind: is empty; the model knows cat, dog");
  EXPECT_EQ(error_in("a,b,kind\n1,2,cow\n"), "rows.csv:2: kind: unknown label: \"cow\"; the model knows cat, dog");
  EXPECT_EQ(error_in("a,b,kind\n\"1\n2\",2,cat\n"), "rows.csv:2: a: not a number: \"1\\x0a2\"");
}

TEST_F(LabelledSourceTest, TellsOfBadQuotes) {
  EXPECT_EQ(error_in("a,b,kind\n1,2,cat\n1,2,\"cat\n1,2,cat\n"),
            "rows.csv:3: a quote is not closed before the file ends");
  EXPECT_EQ(error_in("a,b,kind\n1,\"2\"x,cat\n"), "rows.csv:2: there is text after a closing quote");
}

TEST_F(LabelledSourceTest, TellsOfBadHeaders) {
  EXPECT_EQ(error_in("a,kind\n"), "rows.csv:1: the header has no column b; it has: a, kind");
  EXPECT_EQ(error_in("a;b;kind\n"),
            "rows.csv:1: the cells are separated by semicolons, not by commas; change them first: sed 's/,/./g; "
            "s/;/,/g' FILE");
  EXPECT_EQ(error_in("a,b,a,kind\n"), "rows.csv:1: the header has the column a twice");
  EXPECT_EQ(error_in("a,b,type\n"),
            "rows.csv:1: the header has no column kind; it has: a, b, type; choose the one that holds the classes");
}

TEST_F(LabelledSourceTest, TellsOfFilesWithoutRows) {
  EXPECT_EQ(error_in(""), "rows.csv: is empty; it has to hold rows of a, b and kind");
  EXPECT_EQ(error_in("\n\n"), "rows.csv: holds no rows, only a header");
  EXPECT_EQ(error_in("a,b,kind\n\n"), "rows.csv: holds no rows, only a header");
}

}  // namespace
}  // namespace iris
