#include "data/row_reader.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

class RowReaderTest : public ::testing::Test {
 protected:
  // Each row as "1 2.5", or as its error.
  std::vector<std::string> read(std::string_view text, const std::vector<std::string>& features = {"a", "b"}) const {
    test::write_file(path_, text);
    RowReader reader(path_, features);
    std::vector<std::string> rows;
    for (Row row; reader.next(row);) {
      std::string cells;
      for (const float value : row.features) {
        cells += (cells.empty() ? "" : " ") + std::to_string(value).substr(0, 4);
      }
      rows.push_back(row.error.empty() ? cells : without_path(row.error));
    }
    return rows;
  }

  std::string error_in(std::string_view text, const std::vector<std::string>& features = {"a", "b"}) const {
    return without_path(test::error_of<InputError>([&] { read(text, features); }));
  }

  std::string without_path(const std::string& message) const {
    return message.starts_with(path_ + ":") ? message.substr(path_.size() + 1) : message;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "rows.csv";
};

using Rows = std::vector<std::string>;

TEST_F(RowReaderTest, FindsColumnsByName) { EXPECT_EQ(read("a,b\n1,2\n"), Rows{"1.00 2.00"}); }

TEST_F(RowReaderTest, FindsColumnsInAnyOrder) { EXPECT_EQ(read("b,a\n1,2\n"), Rows{"2.00 1.00"}); }

TEST_F(RowReaderTest, PassesOverOtherColumns) { EXPECT_EQ(read("x,b,species,a\n?,1,setosa,2\n"), Rows{"2.00 1.00"}); }

TEST_F(RowReaderTest, PassesOverOtherColumnsOfOneName) { EXPECT_EQ(read("x,a,x,b\n?,1,?,2\n"), Rows{"1.00 2.00"}); }

TEST_F(RowReaderTest, TrimsBlanksInTheHeader) { EXPECT_EQ(read(" a ,\tb\n1,2\n"), Rows{"1.00 2.00"}); }

TEST_F(RowReaderTest, FindsTheFirstNameBehindAByteOrderMark) {
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a,b\n1,2\n"),
            Rows{"1.00 2.00"});
}

TEST_F(RowReaderTest, ReadsQuotedNumbersAndNames) {
  EXPECT_EQ(read("\"a\",\"b\"\r\n\"1\",\" 2 \"\r\n"), Rows{"1.00 2.00"});
}

TEST_F(RowReaderTest, TakesAFirstRowOfNumbersForData) {
  EXPECT_EQ(read("1,2\n3,4\n"), (Rows{"1.00 2.00", "3.00 4.00"}));
}

TEST_F(RowReaderTest, CountsTheFeaturesOfAModelWithoutNames) {
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {}), (Rows{"1.00 2.00 3.00", "4.00 5.00 6.00"}));
}

TEST_F(RowReaderTest, FindsNumberedColumnsForAModelWithoutNames) {
  EXPECT_EQ(read("x1,y,x0\n1,?,3\n", {}), Rows{"3.00 1.00"});
}

TEST_F(RowReaderTest, ReadsNothingFromAHeaderAlone) { EXPECT_EQ(read("a,b\n"), Rows{}); }

TEST_F(RowReaderTest, ReadsNothingFromAnEmptyFile) { EXPECT_EQ(read(""), Rows{}); }

TEST_F(RowReaderTest, RefusesAHeaderThatLacksAFeature) {
  EXPECT_EQ(error_in("a,c\n1,2\n"), "1: the header has no column b; it has: a, c");
}

TEST_F(RowReaderTest, RefusesAHeaderThatHasAFeatureTwice) {
  EXPECT_EQ(error_in("a,b,a\n1,2,3\n"), "1: the header has the column a twice");
}

TEST_F(RowReaderTest, RefusesAHeaderThatDiffersInCase) {
  EXPECT_EQ(error_in("A,b\n1,2\n"), "1: the header has no column a; it has: A, b");
}

TEST_F(RowReaderTest, RefusesAHeaderWhereTheModelNamesNoFeatures) {
  EXPECT_EQ(error_in("p,q\n1,2\n", {}),
            "1: the model does not name its features; say which columns they are with --features, of: p, q");
}

TEST_F(RowReaderTest, TellsOfWrongCellCounts) {
  EXPECT_EQ(read("a,b\n1\n1,2,3\n1,2\n"), (Rows{"2: has 1 cells, not 2", "3: has 3 cells, not 2", "1.00 2.00"}));
}

TEST_F(RowReaderTest, TellsOfWrongCellCountsWithoutAHeader) {
  EXPECT_EQ(read("1,2,3\n4,5\n"), (Rows{"1: has 3 cells, not 2", "4.00 5.00"}));
}

TEST_F(RowReaderTest, TellsOfCellsThatAreNoNumbers) {
  EXPECT_EQ(read("a,b\n1,abc\n1.5x,2\n"), (Rows{"2: b: not a number: \"abc\"", "3: a: not a number: \"1.5x\""}));
}

TEST_F(RowReaderTest, TellsOfEmptyCells) {
  EXPECT_EQ(read("a,b\n,2\n1,  \n"), (Rows{"2: a: is empty", "3: b: is empty"}));
}

TEST_F(RowReaderTest, TellsOfNumbersThatAreNotFinite) {
  EXPECT_EQ(read("a,b\n1,nan\ninf,2\n1,-1e39\n"),
            (Rows{"2: b: not finite as float32: \"nan\"", "3: a: not finite as float32: \"inf\"",
                  "4: b: not finite as float32: \"-1e39\""}));
}

TEST_F(RowReaderTest, EscapesTheCellThatItTellsOf) {
  EXPECT_EQ(read("a,b\n1,\"x\ny\x1b\"\n"), Rows{"2: b: not a number: \"x\\x0ay\\x1b\""});
}

TEST_F(RowReaderTest, TellsTheLineOnWhichARowBegan) {
  EXPECT_EQ(read("a,b,c\n1,2,\"x\ny\"\n\n1,?,z\n"), (Rows{"1.00 2.00", "5: b: not a number: \"?\""}));
}

TEST_F(RowReaderTest, DoesNotReadColumnsThatAreIgnored) { EXPECT_EQ(read("a,b,c\n1,2,nan\n"), Rows{"1.00 2.00"}); }

TEST_F(RowReaderTest, TakesARowOfNumbersForTheHeaderWhenTheFeaturesAreCalledSo) {
  EXPECT_EQ(read("2,1,0\n5,3,1\n", {"0", "1", "2"}), (Rows{"1.00 3.00 5.00"}));
}

TEST_F(RowReaderTest, SaysThatCellsAreNotSeparatedByCommas) {
  EXPECT_EQ(error_in("a;b\n1;2\n", {"a", "b"}), "1: the cells are not separated by commas: \"a;b\"");
}

TEST_F(RowReaderTest, SaysWhatIsNoNumberInAFirstRowThatIsNoHeader) {
  EXPECT_EQ(error_in("5,3,setosa\n", {"a", "b"}),
            "1: the first row is no header, and no row of numbers: \"setosa\"; without a header there must be the "
            "features alone");
}

}  // namespace
}  // namespace iris
