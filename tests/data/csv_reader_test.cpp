#include "data/csv_reader.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

using Records = std::vector<std::vector<std::string>>;

class CsvReaderTest : public ::testing::Test {
 protected:
  std::string put(std::string_view text) const {
    const std::string path = folder_ / "rows.csv";
    test::write_file(path, text);
    return path;
  }

  Records read(std::string_view text) const {
    CsvReader reader(put(text));
    Records records;
    for (std::vector<std::string> cells; reader.next(cells);) {
      records.push_back(cells);
    }
    return records;
  }

  std::string error_in(std::string_view text) const {
    const std::string message = test::error_of<InputError>([&] { read(text); });
    const std::string path = folder_ / "rows.csv";
    return message.starts_with(path) ? message.substr(path.size()) : message;
  }

  test::TempFolder folder_;
};

TEST_F(CsvReaderTest, SplitsCellsAtCommasAndRecordsAtNewlines) {
  EXPECT_EQ(read("a,b\n1,2\n"), (Records{{"a", "b"}, {"1", "2"}}));
}

TEST_F(CsvReaderTest, ReadsALastRecordWithoutNewline) {
  EXPECT_EQ(read("a,b\n1,2"), (Records{{"a", "b"}, {"1", "2"}}));
}

TEST_F(CsvReaderTest, TakesCarriageReturnsBeforeNewlinesAway) {
  EXPECT_EQ(read("a,b\r\n1,\"2\"\r\n"), (Records{{"a", "b"}, {"1", "2"}}));
}

TEST_F(CsvReaderTest, KeepsACarriageReturnInsideACell) { EXPECT_EQ(read("a\rb,c\n"), (Records{{"a\rb", "c"}})); }

TEST_F(CsvReaderTest, PassesOverAByteOrderMark) { EXPECT_EQ(read("\xEF\xBB\xBF\"a\",b\n"), (Records{{"a", "b"}})); }

TEST_F(CsvReaderTest, KeepsAByteOrderMarkThatIsNotAtTheStart) {
  EXPECT_EQ(read("a\n\xEF\xBB\xBFz\n"), (Records{{"a"}, {"\xEF\xBB\xBFz"}}));
}

TEST_F(CsvReaderTest, PassesOverBlankLines) { EXPECT_EQ(read("\n\r\na\n\n\nb\n\n"), (Records{{"a"}, {"b"}})); }

TEST_F(CsvReaderTest, KeepsEmptyCells) { EXPECT_EQ(read(",\n,a,\n\"\"\n"), (Records{{"", ""}, {"", "a", ""}, {""}})); }

TEST_F(CsvReaderTest, KeepsBlanksAroundCells) { EXPECT_EQ(read(" a , b\n"), (Records{{" a ", " b"}})); }

TEST_F(CsvReaderTest, ReadsCommasInsideQuotes) { EXPECT_EQ(read("\"a,b\",c\n"), (Records{{"a,b", "c"}})); }

TEST_F(CsvReaderTest, ReadsNewlinesInsideQuotes) {
  EXPECT_EQ(read("\"a\nb\",c\r\n\"d\r\ne\"\n"), (Records{{"a\nb", "c"}, {"d\r\ne"}}));
}

TEST_F(CsvReaderTest, ReadsDoubledQuotesAsOne) {
  EXPECT_EQ(read("\"say \"\"hi\"\"\",\"\"\"\"\n"), (Records{{"say \"hi\"", "\""}}));
}

TEST_F(CsvReaderTest, TakesAQuoteInsideAPlainCellAsItIs) {
  EXPECT_EQ(read("5\" disk,a\n"), (Records{{"5\" disk", "a"}}));
}

TEST_F(CsvReaderTest, FindsNothingInAnEmptyFile) { EXPECT_EQ(read(""), Records{}); }

TEST_F(CsvReaderTest, FindsNothingInAFileOfAByteOrderMarkOnly) { EXPECT_EQ(read("\xEF\xBB\xBF"), Records{}); }

TEST_F(CsvReaderTest, ReadsCellsThatSpanItsBuffer) {
  const std::string wide(300'000, 'x');
  EXPECT_EQ(read(wide + ",\"" + wide + "\"\n1,2\n"), (Records{{wide, wide}, {"1", "2"}}));
}

TEST_F(CsvReaderTest, ReadsManyRecordsAcrossItsBuffer) {
  std::string text;
  Records expected;
  for (int i = 0; i < 100'000; ++i) {
    text += std::to_string(i) + ",b\r\n";
    expected.push_back({std::to_string(i), "b"});
  }
  EXPECT_EQ(read(text), expected);
}

TEST_F(CsvReaderTest, CountsLinesInsideQuotesToo) {
  CsvReader reader(put("a\n\n\"b\nc\"\nd\n"));
  std::vector<std::string> cells;
  std::vector<std::size_t> lines;
  while (reader.next(cells)) {
    lines.push_back(reader.line());
  }
  EXPECT_EQ(lines, (std::vector<std::size_t>{1, 3, 5}));
  EXPECT_TRUE(reader.place().ends_with("rows.csv:6: ")) << reader.place();
}

TEST_F(CsvReaderTest, RefusesAQuoteThatIsNotClosed) {
  EXPECT_EQ(error_in("a\n\"b\nc\n"), ":2: a quote is not closed before the file ends");
}

TEST_F(CsvReaderTest, RefusesTextBehindAClosingQuote) {
  EXPECT_EQ(error_in("a\n\"b\"c\n"), ":2: there is text behind a closing quote");
}

TEST_F(CsvReaderTest, RefusesARowOfMoreThanSixteenMebibytes) {
  EXPECT_EQ(error_in("\"" + std::string(CsvReader::kMaxRecord, 'x')),
            ":1: the row is longer than 16 MiB; is a quote not closed?");
}

TEST_F(CsvReaderTest, RefusesUtf16) {
  EXPECT_EQ(error_in(std::string_view("\xFF\xFE"
                                      "a\0",
                                      4)),
            ": is UTF-16; save it as UTF-8");
  EXPECT_EQ(error_in(std::string_view("\xFE\xFF\0a", 4)), ": is UTF-16; save it as UTF-8");
}

TEST_F(CsvReaderTest, SaysThatAFileIsMissing) {
  EXPECT_EQ(test::error_of<InputError>([&] { CsvReader(folder_ / "none.csv"); }),
            (folder_ / "none.csv") + ": No such file or directory");
}

TEST_F(CsvReaderTest, RefusesADirectory) {
  EXPECT_EQ(test::error_of<InputError>([&] { CsvReader(folder_ / "."); }), (folder_ / ".") + ": is a directory");
}

TEST_F(CsvReaderTest, IsReadyAsLongAsAFileLasts) {
  CsvReader reader(put("a\nb\n"));
  std::vector<std::string> cells;
  EXPECT_TRUE(reader.is_ready());
  while (reader.next(cells)) {
    EXPECT_TRUE(reader.is_ready());
  }
  EXPECT_TRUE(reader.is_ready());
}

}  // namespace
}  // namespace iris
