#include "text.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

namespace iris::text {
namespace {

using namespace std::string_view_literals;

TEST(IsUtf8, AcceptsCharactersOfEveryLength) {
  for (const std::string_view text : {""sv, "a\0b"sv, "\x7F"sv, "\xC2\x80"sv, "\xDF\xBF"sv, "\xE0\xA0\x80"sv, "€"sv,
                                      "\xED\x9F\xBF"sv, "\xEE\x80\x80"sv, "\xF0\x90\x80\x80"sv, "\xF4\x8F\xBF\xBF"sv}) {
    EXPECT_TRUE(is_utf8(text)) << printable(text);
  }
}

TEST(IsUtf8, RefusesOverlongForms) {
  for (const std::string_view text : {"\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x9F\xBF"sv, "\xF0\x8F\xBF\xBF"sv}) {
    EXPECT_FALSE(is_utf8(text)) << printable(text);
  }
}

TEST(IsUtf8, RefusesSurrogates) {
  EXPECT_FALSE(is_utf8("\xED\xA0\x80"));
  EXPECT_FALSE(is_utf8("\xED\xBF\xBF"));
}

TEST(IsUtf8, RefusesWhatIsBeyondUnicode) {
  EXPECT_FALSE(is_utf8("\xF4\x90\x80\x80"));
  EXPECT_FALSE(is_utf8("\xF5\x80\x80\x80"));
}

TEST(IsUtf8, RefusesCharactersThatAreCutOff) {
  for (const std::string_view text : {"\xC2"sv, "a\xE2\x82"sv, "\xF0\x90\x80"sv, "\xE2\x82z"sv}) {
    EXPECT_FALSE(is_utf8(text)) << printable(text);
  }
}

TEST(IsUtf8, RefusesLoneContinuationBytes) {
  EXPECT_FALSE(is_utf8("\x80"));
  EXPECT_FALSE(is_utf8("a\xBFz"));
}

TEST(Printable, EscapesControlCharactersAndBadBytes) {
  EXPECT_EQ(printable("a\n\x1b[31m\x7F\xFF€"), "a\\x0a\\x1b[31m\\x7f\\xff€");
  EXPECT_EQ(printable("a\0b"sv), "a\\x00b");
}

TEST(Printable, EscapesCharactersThatShowNothing) {
  EXPECT_EQ(printable("\u0080\u009F\u00A0\u00AD\u061C\u180E"), "\\u0080\\u009F\\u00A0\\u00AD\\u061C\\u180E");
  EXPECT_EQ(printable("a\u200Bb\u200F\u2028\u202F\u205F\u206F"), "a\\u200Bb\\u200F\\u2028\\u202F\\u205F\\u206F");
  EXPECT_EQ(printable("\u3000\uFE0F\uFEFF\uFFF9\uFFFB"), "\\u3000\\uFE0F\\uFEFF\\uFFF9\\uFFFB");
  EXPECT_EQ(printable("\U000E0001\U000E0041\U000E007F"), "\\U000E0001\\U000E0041\\U000E007F");
}

TEST(Printable, KeepsTheirNeighbours) {
  const std::string text = "~¡¬®\u061B\u061D‐‧‰⁞\u2070\u2FFF\u3001\uFE10\uFEFE\uFFFC\uFFFD\U000DFFFF\U000E1000😀";
  EXPECT_EQ(printable(text), text);
}

TEST(Printable, KeepsWhatItMadeItself) {
  const std::string once = printable("a\n\u200B\U000E0041\xFF\\");
  EXPECT_EQ(printable(once), once);
}

TEST(Printable, CutsLongText) {
  const std::string text(1000, 'x');
  EXPECT_EQ(printable(text, 10), std::string(11, 'x') + "…");
  EXPECT_LT(printable(text).size(), 220U);
  EXPECT_EQ(printable(text, std::string::npos), text);
}

TEST(Quoted, PutsTextInDoubleQuotes) { EXPECT_EQ(quoted("a\tb"), "\"a\\x09b\""); }

TEST(Joined, PutsTheSeparatorBetweenTheWords) {
  EXPECT_EQ(joined({"a", "b", "c"}), "a, b, c");
  EXPECT_EQ(joined({"", "b"}, "|"), "|b");
  EXPECT_EQ(joined({}), "");
}

TEST(Trimmed, DropsBlanksAndTabsAtBothEnds) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed(" \t "), "");
}

TEST(PathName, IsPrintableAndWhole) {
  EXPECT_EQ(path_name("a\n\x1b[31m"), "a\\x0a\\x1b[31m");
  EXPECT_EQ(path_name(std::string(1000, 'x')), std::string(1000, 'x'));
}

TEST(InputName, CallsADashStdin) {
  EXPECT_EQ(input_name("-"), "stdin");
  EXPECT_EQ(input_name("a-b.csv"), "a-b.csv");
  EXPECT_EQ(input_name("a\n.csv"), "a\\x0a.csv");
}

TEST(IsPythonText, AcceptsSurrogatesAsPythonPicklesThem) {
  EXPECT_TRUE(is_python_text("a\xED\xA0\x80z\xED\xBF\xBF"));
  EXPECT_FALSE(is_python_text("\xED\xA0"));
  EXPECT_FALSE(is_python_text("\xFF"));
}

TEST(Printable, EscapesSurrogates) { EXPECT_EQ(printable("a\xED\xA0\x80z"), "a\\uD800z"); }

TEST(JsonString, EscapesSurrogates) {
  EXPECT_EQ(json_string("\"\xED\xA0\x80é퟿\xED\xB3\xBF"), "\"\\\"\\uD800é퟿\\uDCFF\"");
  EXPECT_EQ(json(nlohmann::ordered_json{{"b\xED\xA0\x80", {1, "\xED\xA0\x80", nullptr}}, {"a", true}}),
            R"({"b\uD800":[1,"\uD800",null],"a":true})");
}

TEST(JsonString, ReplacesBytesOutsideUtf8) { EXPECT_EQ(json_string("a\"\xFF"), "\"a\\\"\xEF\xBF\xBD\""); }

TEST(Nearest, IsTheOneWithTheFewestSlips) {
  const std::vector<std::string> names = {"--output", "--output-format", "--on-error", "-o"};
  EXPECT_EQ(nearest("--ouptut", names), "--output");
  EXPECT_EQ(nearest("--on-eror", names), "--on-error");
  EXPECT_EQ(nearest("--on", names), "--on-error");
  EXPECT_EQ(nearest("--outp", names), "");
  EXPECT_EQ(nearest("--colour", names), "");
  EXPECT_EQ(nearest("--", names), "");
  EXPECT_EQ(nearest("", names), "");
}

}  // namespace
}  // namespace iris::text
