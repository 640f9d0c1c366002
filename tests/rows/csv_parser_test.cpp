#include "rows/rows.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "error.h"
#include "support/errors.h"
#include "support/rows.h"

namespace iris {
namespace {

class CsvParserTest : public ::testing::Test {
 protected:
  // Each row as "1 2.5", or as its error.
  std::vector<std::string> read(std::string_view text, const std::vector<std::string>& features = {"a", "b"}) const {
    return test::rows_of(text, RowFormat::kCsv, features);
  }

  std::string error_in(std::string_view text, const std::vector<std::string>& features = {"a", "b"}) const {
    test::RowsOfText rows(text);
    RowRequest request;
    request.features = features;
    return rows.named(test::error_of<InputError>([&] { rows.read(RowFormat::kCsv, request); }));
  }
};

using Lines = std::vector<std::string>;

TEST_F(CsvParserTest, FindsColumnsByName) { EXPECT_EQ(read("a,b\n1,2\n"), Lines{"1 2"}); }

TEST_F(CsvParserTest, FindsColumnsInAnyOrder) { EXPECT_EQ(read("b,a\n1,2\n"), Lines{"2 1"}); }

TEST_F(CsvParserTest, PassesOverOtherColumns) { EXPECT_EQ(read("x,b,species,a\n?,1,setosa,2\n"), Lines{"2 1"}); }

TEST_F(CsvParserTest, PassesOverOtherColumnsOfOneName) { EXPECT_EQ(read("x,a,x,b\n?,1,?,2\n"), Lines{"1 2"}); }

TEST_F(CsvParserTest, TrimsBlanksInTheHeader) { EXPECT_EQ(read(" a ,\tb\n1,2\n"), Lines{"1 2"}); }

TEST_F(CsvParserTest, FindsTheFirstNameBehindAByteOrderMark) {
  EXPECT_EQ(read("\xEF\xBB\xBF"
                 "a,b\n1,2\n"),
            Lines{"1 2"});
}

TEST_F(CsvParserTest, ReadsQuotedNumbersAndNames) { EXPECT_EQ(read("\"a\",\"b\"\r\n\"1\",\" 2 \"\r\n"), Lines{"1 2"}); }

TEST_F(CsvParserTest, TakesAFirstRowOfNumbersForData) { EXPECT_EQ(read("1,2\n3,4\n"), (Lines{"1 2", "3 4"})); }

TEST_F(CsvParserTest, CountsTheFeaturesOfAModelWithoutNames) {
  EXPECT_EQ(read("1,2,3\n4,5,6\n", {}), (Lines{"1 2 3", "4 5 6"}));
}

TEST_F(CsvParserTest, FindsNumberedColumnsForAModelWithoutNames) {
  EXPECT_EQ(read("x1,y,x0\n1,?,3\n", {}), Lines{"3 1"});
}

TEST_F(CsvParserTest, ReadsNothingFromAHeaderAlone) { EXPECT_EQ(read("a,b\n"), Lines{}); }

TEST_F(CsvParserTest, ReadsNothingFromAnEmptyFile) { EXPECT_EQ(read(""), Lines{}); }

TEST_F(CsvParserTest, RefusesAHeaderThatLacksAFeature) {
  EXPECT_EQ(error_in("a,c\n1,2\n"), "rows:1: the header has no column b; it has: a, c");
}

TEST_F(CsvParserTest, RefusesAHeaderThatHasAFeatureTwice) {
  EXPECT_EQ(error_in("a,b,a\n1,2,3\n"), "rows:1: the header has the column a twice");
}

TEST_F(CsvParserTest, TellsOfWrongCellCounts) {
  EXPECT_EQ(read("a,b\n1\n1,2,3\n1,2\n"), (Lines{"rows:2: has 1 cell, not 2", "rows:3: has 3 cells, not 2", "1 2"}));
}

TEST_F(CsvParserTest, TellsOfWrongCellCountsWithoutAHeader) {
  EXPECT_EQ(read("1,2,3\n4,5\n"), (Lines{"rows:1: has 3 cells, not 2", "4 5"}));
}

TEST_F(CsvParserTest, TellsOfCellsThatAreNoNumbers) {
  EXPECT_EQ(read("a,b\n1,abc\n1.5x,2\n"),
            (Lines{"rows:2: b: not a number: \"abc\"", "rows:3: a: not a number: \"1.5x\""}));
}

TEST_F(CsvParserTest, TellsOfEmptyCells) {
  EXPECT_EQ(read("a,b\n,2\n1,  \n"), (Lines{"rows:2: a: is empty", "rows:3: b: is empty"}));
}

TEST_F(CsvParserTest, TellsOfNumbersThatAreNotFinite) {
  EXPECT_EQ(read("a,b\n1,nan\ninf,2\n1,-1e39\n"),
            (Lines{"rows:2: b: not finite as float32: \"nan\"", "rows:3: a: not finite as float32: \"inf\"",
                   "rows:4: b: not finite as float32: \"-1e39\""}));
}

TEST_F(CsvParserTest, EscapesTheCellThatItTellsOf) {
  EXPECT_EQ(read("a,b\n1,\"x\ny\x1b\"\n"), Lines{"rows:2: b: not a number: \"x\\x0ay\\x1b\""});
}

TEST_F(CsvParserTest, TellsTheLineOnWhichARowBegan) {
  EXPECT_EQ(read("a,b,c\n1,2,\"x\ny\"\n\n1,?,z\n"), (Lines{"1 2", "rows:5: b: not a number: \"?\""}));
}

TEST_F(CsvParserTest, DoesNotReadColumnsThatAreIgnored) { EXPECT_EQ(read("a,b,c\n1,2,nan\n"), Lines{"1 2"}); }

TEST_F(CsvParserTest, TakesARowOfNumbersForTheHeaderWhenTheFeaturesAreCalledSo) {
  EXPECT_EQ(read("2,1,0\n5,3,1\n", {"0", "1", "2"}), (Lines{"1 3 5"}));
}

TEST_F(CsvParserTest, PassesOverBlankLines) {
  EXPECT_EQ(read("\n\r\na,b\n\n1,2\r\n\r\n\n3,x\n\n"), (Lines{"1 2", "rows:8: b: not a number: \"x\""}));
}

TEST_F(CsvParserTest, TellsOfTextBehindAClosingQuote) {
  EXPECT_EQ(read("a,b\n\"1\"x,2\n3,4\n"), (Lines{"rows:2: there is text after a closing quote", "3 4"}));
}

TEST_F(CsvParserTest, LosesOnlyALineToAQuoteThatIsNotClosed) {
  EXPECT_EQ(read("a,b\n1,\"2\n3,4\n5,6\n"),
            (Lines{"rows:2: a quote is not closed before the file ends", "3 4", "5 6"}));
}

TEST_F(CsvParserTest, TellsOfAQuoteThatIsNotClosedInALastLineWithoutNewline) {
  EXPECT_EQ(read("a,b\n1,2\n\""), (Lines{"1 2", "rows:3: a quote is not closed before the file ends"}));
}

TEST_F(CsvParserTest, LosesOnlyALineThatIsTooLong) {
  EXPECT_EQ(read("a,b\n1,\"2\n3,4\n" + std::string(20 << 20, '5') + ",1\n5,6\n"),
            (Lines{"rows:2: the row is longer than 16 MiB; is a quote not closed?", "3 4",
                   "rows:4: the row is longer than 16 MiB; is a quote not closed?", "5 6"}));
}

TEST_F(CsvParserTest, RefusesDataAfterWhatMayHaveBeenTheHeader) {
  EXPECT_EQ(error_in("a,\"b\n1,2\n"),
            "rows:1: a quote is not closed before the file ends; it may have been the header");
  EXPECT_EQ(error_in("\"a\"a,b\n1,2\n"), "rows:1: there is text after a closing quote; it may have been the header");
}

TEST_F(CsvParserTest, TakesAFirstRowThatCannotBeReadForABadRow) {
  EXPECT_EQ(read("\"abc"), (Lines{"rows:1: a quote is not closed before the file ends"}));
  EXPECT_EQ(read("\n\n\"abc"), (Lines{"rows:3: a quote is not closed before the file ends"}));
  EXPECT_EQ(read("\""), (Lines{"rows:1: a quote is not closed before the file ends"}));
  EXPECT_EQ(read("1,\"2\n3,4\n"), (Lines{"rows:1: a quote is not closed before the file ends", "3 4"}));
  EXPECT_EQ(read("\"x\"y\na,b\n1,2\n"), (Lines{"rows:1: there is text after a closing quote", "1 2"}));
  EXPECT_EQ(read("\"x\na,b\n1,2\n"), (Lines{"rows:1: a quote is not closed before the file ends", "1 2"}));
}

TEST_F(CsvParserTest, TakesABadFirstRowWithANumberForARow) {
  EXPECT_EQ(read("1,\n3,4\n"), (Lines{"rows:1: b: is empty", "3 4"}));
  EXPECT_EQ(read("NA,2\n3,4\n"), (Lines{"rows:1: a: not a number: \"NA\"", "3 4"}));
}

TEST_F(CsvParserTest, LosesOnlyTheLineOfAQuoteThatALaterRowCloses) {
  EXPECT_EQ(
      read("a,b\n1,\"2\n3,4\n5,\"6\"\n7,8\n"),
      (Lines{"rows:2: a quote is not closed, or there is text after the quote that closes it", "3 4", "5 6", "7 8"}));
}

TEST_F(CsvParserTest, TakesTimeInProportionToQuotesThatReopenOnEachLine) {
  std::string text = "a,b\n";
  for (int i = 0; i < 200'000; ++i) {
    text += "a\",\"b\",\"\n";
  }
  const Lines rows = read(text + "a\"x\n");
  ASSERT_EQ(rows.size(), 200'001U);
  EXPECT_EQ(rows[100'000], "rows:100002: a quote is not closed, or there is text after the quote that closes it");
}

TEST_F(CsvParserTest, GivesUpWhereNothingCanBeRead) {
  std::string text;
  while (text.size() < (6 << 20)) {
    text += "\"x\"y\n";
  }
  EXPECT_EQ(error_in(text), "rows:1: there is text after a closing quote; nor can any other of the first rows be read");
}

TEST_F(CsvParserTest, TakesAnyNumberOfCarriageReturnsBeforeANewline) {
  EXPECT_EQ(read("a,b\r\r\n1,2\r\r\n\r\r\n\"3\",\"4\"\r\r\n"), (Lines{"1 2", "3 4"}));
}

TEST_F(CsvParserTest, TakesACarriageReturnInARowForPartOfItsCell) {
  EXPECT_EQ(read("a,b\n1\r,2\n3,4\n"), (Lines{"rows:2: a: not a number: \"1\\x0d\"", "3 4"}));
  EXPECT_EQ(read("a,b,c\n1,2,x\ry\n"), Lines{"1 2"});
}

TEST_F(CsvParserTest, ReadsTheSameNumbersOfLongAndShortRows) {
  EXPECT_EQ(read("a,b\n0.1,-0\n0.10000000149,-0e5\n+.1,1e-1\n"), (Lines{"0.1 -0", "0.1 -0", "0.1 0.1"}));
}

}  // namespace
}  // namespace iris
