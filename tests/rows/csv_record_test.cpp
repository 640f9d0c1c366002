#include "rows/csv_record.h"

#include <gtest/gtest.h>

#include "rows/chunk_reader.h"
#include "support/temp_file.h"

namespace iris {
namespace {

using Records = std::vector<std::vector<std::string>>;

// Every record of the file, as it is cut into chunks.
class CsvRecordTest : public ::testing::Test {
 protected:
  Records read(std::string_view text) const {
    test::write_file(path_, text);
    ChunkReader reader(path_, RowFormat::kCsv);
    Records records;
    for (Chunk chunk; reader.next(chunk);) {
      std::vector<std::string> cells;
      for (CsvRecords its_records(chunk.text, chunk.fault); its_records.next_of_whole(&cells);) {
        const std::string fault(its_records.fault());
        records.push_back(fault.empty() ? cells : std::vector<std::string>{fault});
      }
    }
    return records;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "rows.csv";
};

TEST_F(CsvRecordTest, SplitsCellsAtCommasAndRecordsAtNewlines) {
  EXPECT_EQ(read("a,b\n1,2\n"), (Records{{"a", "b"}, {"1", "2"}}));
}

TEST_F(CsvRecordTest, ReadsALastRecordWithoutNewline) {
  EXPECT_EQ(read("a,b\n1,2"), (Records{{"a", "b"}, {"1", "2"}}));
}

TEST_F(CsvRecordTest, TakesCarriageReturnsBeforeNewlinesAway) {
  EXPECT_EQ(read("a,b\r\n1,\"2\"\r\n"), (Records{{"a", "b"}, {"1", "2"}}));
}

TEST_F(CsvRecordTest, KeepsACarriageReturnInsideACell) { EXPECT_EQ(read("a\rb,c\n"), (Records{{"a\rb", "c"}})); }

TEST_F(CsvRecordTest, PassesOverAByteOrderMark) { EXPECT_EQ(read("\xEF\xBB\xBF\"a\",b\n"), (Records{{"a", "b"}})); }

TEST_F(CsvRecordTest, KeepsAByteOrderMarkThatIsNotAtTheStart) {
  EXPECT_EQ(read("a\n\xEF\xBB\xBFz\n"), (Records{{"a"}, {"\xEF\xBB\xBFz"}}));
}

TEST_F(CsvRecordTest, KeepsEmptyCells) { EXPECT_EQ(read(",\n,a,\n\"\"\n"), (Records{{"", ""}, {"", "a", ""}, {""}})); }

TEST_F(CsvRecordTest, KeepsBlanksAroundCells) { EXPECT_EQ(read(" a , b\n"), (Records{{" a ", " b"}})); }

TEST_F(CsvRecordTest, ReadsCommasInsideQuotes) { EXPECT_EQ(read("\"a,b\",c\n"), (Records{{"a,b", "c"}})); }

TEST_F(CsvRecordTest, ReadsNewlinesInsideQuotes) {
  EXPECT_EQ(read("\"a\nb\",c\r\n\"d\r\ne\"\n"), (Records{{"a\nb", "c"}, {"d\r\ne"}}));
}

TEST_F(CsvRecordTest, ReadsDoubledQuotesAsOne) {
  EXPECT_EQ(read("\"say \"\"hi\"\"\",\"\"\"\"\n"), (Records{{"say \"hi\"", "\""}}));
}

TEST_F(CsvRecordTest, TakesAQuoteInsideAPlainCellAsItIs) {
  EXPECT_EQ(read("5\" disk,a\n"), (Records{{"5\" disk", "a"}}));
}

TEST_F(CsvRecordTest, FindsNothingInAnEmptyFile) { EXPECT_EQ(read(""), Records{}); }

TEST_F(CsvRecordTest, FindsNothingInAFileOfAByteOrderMarkOnly) { EXPECT_EQ(read("\xEF\xBB\xBF"), Records{}); }

TEST_F(CsvRecordTest, ReadsCellsThatSpanItsBuffer) {
  const std::string wide(300'000, 'x');
  EXPECT_EQ(read(wide + ",\"" + wide + "\"\n1,2\n"), (Records{{wide, wide}, {"1", "2"}}));
}

TEST_F(CsvRecordTest, ReadsManyRecordsAcrossItsBuffer) {
  std::string text;
  Records expected;
  for (int i = 0; i < 100'000; ++i) {
    text += std::to_string(i) + ",b\r\n";
    expected.push_back({std::to_string(i), "b"});
  }
  EXPECT_EQ(read(text), expected);
}

TEST_F(CsvRecordTest, RefusesTextBehindAClosingQuoteAndGoesOnBehindTheLine) {
  EXPECT_EQ(read("a\n\"b\"c,\"d\"\nz\n"), (Records{{"a"}, {"there is text after a closing quote"}, {"z"}}));
}

TEST_F(CsvRecordTest, QuotesACellThatHasToBe) {
  EXPECT_EQ(csv_cell("plain text"), "plain text");
  EXPECT_EQ(csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(csv_cell("say \"hi\"\n"), "\"say \"\"hi\"\"\n\"");
}

}  // namespace
}  // namespace iris
