#include <gtest/gtest.h>

#include "error.h"
#include "rows/rows.h"
#include "support/errors.h"
#include "support/rows.h"

namespace iris {
namespace {

using Lines = std::vector<std::string>;

Lines read(std::string_view text, const std::vector<std::string>& features = {"a", "b"}) {
  return test::rows_of(text, RowFormat::kNdjson, features);
}

TEST(NdjsonParser, ReadsObjectsByName) { EXPECT_EQ(read("{\"a\":1,\"b\":2.5}\n"), Lines{"1 2.5"}); }

TEST(NdjsonParser, ReadsArraysInOrder) { EXPECT_EQ(read("[1,2.5]\n[-3,4e2]"), (Lines{"1 2.5", "-3 400"})); }

TEST(NdjsonParser, TakesTheFeaturesInAnyOrder) { EXPECT_EQ(read("{\"b\":1,\"a\":2}\n"), Lines{"2 1"}); }

TEST(NdjsonParser, PassesOverOtherMembers) {
  EXPECT_EQ(read("{\"id\":7,\"a\":1,\"s\":\"x\",\"b\":2,\"t\":\"y\"}\n"
                 "{\"deep\":{\"a\":[9,{}]},\"a\":1,\"b\":2,\"n\":null,\"e\":\"\\u00e9\"}\n"),
            (Lines{"1 2", "1 2"}));
}

TEST(NdjsonParser, TakesBlanksWhereJsonHasThem) {
  EXPECT_EQ(read(" { \"a\" : 1 , \"b\" : 2 } \r\n\t[ 3 , 4 ]\t\n"), (Lines{"1 2", "3 4"}));
}

TEST(NdjsonParser, PassesOverBlankLines) {
  EXPECT_EQ(read("\n  \n[1,2]\r\n\r\n[3]\n"), (Lines{"1 2", "rows:5: has 1 value, not 2"}));
}

TEST(NdjsonParser, ReadsEscapedNames) { EXPECT_EQ(read("{\"\\u0061\":1,\"b\":2}\n"), Lines{"1 2"}); }

TEST(NdjsonParser, ReadsNamesThatJsonMustEscape) {
  EXPECT_EQ(read("{\"say \\\"a\\\"\":1,\"back\\\\\":2}\n", {"say \"a\"", "back\\"}), Lines{"1 2"});
}

TEST(NdjsonParser, RoundsALongNumberOnce) {
  // Between two float32; through a double it would go the other way.
  EXPECT_EQ(read("[1.00000017881393432617187499,1.00000017881393432617187501]\n"), Lines{"1.0000001 1.0000002"});
}

TEST(NdjsonParser, CountsTheFeaturesOfAModelWithoutNames) {
  EXPECT_EQ(read("[1,2,3]\n", {}), Lines{"1 2 3"});
  EXPECT_EQ(read("{\"x1\":1,\"x0\":2,\"y\":3}\n", {}), Lines{"2 1"});
}

TEST(NdjsonParser, SaysThatItCannotTellTheFeatures) {
  test::RowsOfText rows("\n{\"y\":3}\n");
  EXPECT_EQ(rows.named(test::error_of<InputError>([&] { rows.read(RowFormat::kNdjson, {}); })),
            "rows:2: the model does not name its features, and here is neither an array of numbers nor an object with "
            "x0, x1, …; name them");
}

TEST(NdjsonParser, TellsOfWhatIsMissing) {
  EXPECT_EQ(read("{\"a\":1}\n{}\n"), (Lines{"rows:1: b: is missing", "rows:2: a: is missing"}));
}

TEST(NdjsonParser, TellsOfWrongCounts) {
  EXPECT_EQ(read("[1]\n[1,2,3]\n[]\n"),
            (Lines{"rows:1: has 1 value, not 2", "rows:2: has 3 values, not 2", "rows:3: has 0 values, not 2"}));
}

TEST(NdjsonParser, TellsOfWhatIsThereTwice) {
  EXPECT_EQ(read("{\"a\":1,\"b\":2,\"a\":3}\n"), Lines{"rows:1: a: is there twice"});
}

TEST(NdjsonParser, TellsOfWhatIsNoNumber) {
  EXPECT_EQ(read("{\"a\":\"1\",\"b\":2}\n{\"a\":1,\"b\":null}\n[true,1]\n{\"a\":[1],\"b\":2}\n{\"a\":1,\"b\":{}}\n"),
            (Lines{"rows:1: a: not a number: \"1\"", "rows:2: b: not a number: null", "rows:3: a: not a number: true",
                   "rows:4: a: not a number: an array", "rows:5: b: not a number: an object"}));
}

TEST(NdjsonParser, TellsOfNumbersThatAreNotFinite) {
  EXPECT_EQ(read("[1,1e39]\n[-1e999,1]\n"),
            (Lines{"rows:1: b: not finite as float32: 1e39", "rows:2: a: not finite as float32: -1e999"}));
}

TEST(NdjsonParser, TellsOfOtherValues) {
  EXPECT_EQ(read("5\n\"x\"\n"), (Lines{"rows:1: is neither an object nor an array: a number",
                                       "rows:2: is neither an object nor an array: \"x\""}));
}

TEST(NdjsonParser, TellsOfANulByteWhereverItStands) {
  EXPECT_EQ(read(std::string_view("[1,2]\0\n[1,2]\0garbage\n\0[1,2]\n{\"a\":1\0,\"b\":2}\n[3,4]\n", 49)),
            (Lines{"rows:1: is not JSON: column 6: a NUL byte", "rows:2: is not JSON: column 6: a NUL byte",
                   "rows:3: is not JSON: column 1: a NUL byte", "rows:4: is not JSON: column 7: a NUL byte", "3 4"}));
}

TEST(NdjsonParser, FindsMembersThatAreSpelledOtherwise) {
  test::RowsOfText rows("{\"sepalLength\":5.1,\"Sepal.Width\":3.5}\n");
  RowRequest request;
  request.features = {"sepal_length", "sepal_width"};
  EXPECT_EQ(rows.read(RowFormat::kNdjson, request), Lines{"5.1 3.5"});
  EXPECT_EQ(rows.notes, Lines{"rows: sepalLength is taken for sepal_length, Sepal.Width for sepal_width"});
}

// text: two features a and b.
Lines copied(std::string_view text, const std::vector<std::string>& names, RowFormat to) {
  RowRequest request;
  request.features = {"a", "b"};
  request.copy = {names, to};
  return test::RowsOfText(text).read(RowFormat::kNdjson, request);
}

TEST(NdjsonParser, CopiesMembersAsTheyAreWritten) {
  const std::string text =
      "{\"id\": 1e2 ,\"a\":1,\"b\":2,\"t\":[1, {\"x\":\"]\"}]}\n{\"a\":1,\"b\":\"x\",\"id\":\"\\u00e9,\"}\n{\"a\":1\n";
  EXPECT_EQ(copied(text, {"id", "t"}, RowFormat::kNdjson),
            (Lines{"\"id\":1e2,\"t\":[1, {\"x\":\"]\"}],1 2", "\"id\":\"\\u00e9,\",rows:2: b: not a number: \"x\"",
                   "rows:3: is not JSON: column 7: syntax error while parsing object - unexpected end of input; "
                   "expected '}'"}));
  EXPECT_EQ(copied(text, {"id", "t"}, RowFormat::kCsv)[1], "\"é,\",,rows:2: b: not a number: \"x\"");
  EXPECT_EQ(copied("{\"a\":1,\"b\":2,\"n\":null}\n", {"."}, RowFormat::kNdjson),
            Lines{"\"a\":1,\"b\":2,\"n\":null,1 2"});
  EXPECT_EQ(copied("{\"a\":1,\"b\":2,\"n\":null}\n", {"."}, RowFormat::kCsv), Lines{"1,2,,1 2"});
  EXPECT_EQ(copied("[1,2]\n", {"2"}, RowFormat::kNdjson), Lines{"\"2\":2,1 2"});
}

TEST(NdjsonParser, DoesNotCopyWhatTheAnswersAreCalled) {
  EXPECT_EQ(copied("{\"a\":1,\"b\":2}\n{\"a\":1,\"b\":2,\"label\":\"x\"}\n", {"."}, RowFormat::kNdjson),
            (Lines{"\"a\":1,\"b\":2,1 2",
                   "\"a\":1,\"b\":2,rows:2: label: is a member of the answer too, and cannot be copied"}));
}

class NotJson : public ::testing::TestWithParam<const char*> {};

TEST_P(NotJson, IsToldAndTheNextLineRead) {
  const Lines lines = read(std::string(GetParam()) + "\n[1,2]\n");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_TRUE(lines[0].starts_with("rows:1: is not JSON: column ")) << lines[0];
  EXPECT_EQ(lines[1], "1 2");
}

INSTANTIATE_TEST_SUITE_P(NdjsonParser, NotJson,
                         ::testing::Values("[1,2", "[1,2]]", "{\"a\":1,\"b\":2", "{\"a\":1,\"b\":2}}", "[1,2,]",
                                           "[01,2]", "[1.,2]", "[.5,2]", "[+1,2]", "[NaN,1]", "{a:1,\"b\":2}", "[1 2]",
                                           "{\"a\":1 \"b\":2}", "[1,2] [3,4]", "{\"a\":1,\"b\":2,}", "[-,1]",
                                           "{\"s\":\"\x01\",\"a\":1,\"b\":2}", "{\"s\":\"\xFF\",\"a\":1,\"b\":2}"));

}  // namespace
}  // namespace iris
