#include "cli/name_list.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

using Names = std::vector<std::string>;

std::string error_of_names(const std::string& typed) {
  return test::error_of<UsageError>([&] { split_names("--labels", typed); });
}

TEST(NameList, SplitsAtCommas) { EXPECT_EQ(split_names("--labels", "a,b,c"), Names({"a", "b", "c"})); }

TEST(NameList, TakesOneName) { EXPECT_EQ(split_names("--labels", "a"), Names({"a"})); }

TEST(NameList, TakesACommaInQuotes) { EXPECT_EQ(split_names("--labels", "a,\"b,c\""), Names({"a", "b,c"})); }

TEST(NameList, TakesADoubledQuoteForOne) { EXPECT_EQ(split_names("--labels", R"("a ""b""")"), Names({R"(a "b")"})); }

TEST(NameList, TakesALineBreakInQuotes) { EXPECT_EQ(split_names("--labels", "\"a\nb\",c"), Names({"a\nb", "c"})); }

TEST(NameList, IsEmptyWhereNothingWasTyped) { EXPECT_TRUE(split_names("--labels", std::nullopt).empty()); }

TEST(NameList, RefusesAnEmptyName) { EXPECT_EQ(error_of_names("a,,c"), "--labels: a name is empty; write a,b,c"); }

TEST(NameList, RefusesAnEmptyText) { EXPECT_EQ(error_of_names(""), "--labels: a name is empty; write a,b,c"); }

TEST(NameList, RefusesANameThatIsThereTwice) { EXPECT_EQ(error_of_names("a,b,a"), "--labels: \"a\" is there twice"); }

TEST(NameList, RefusesALineBreakOutsideQuotes) {
  EXPECT_EQ(error_of_names("a\nb"), "--labels: there is a line break in it; put the name with it in double quotes");
}

TEST(NameList, RefusesAQuoteThatStaysOpen) {
  EXPECT_TRUE(error_of_names("a,\"b").ends_with(R"(; write a,"b,c","a ""d""")"));
}

}  // namespace
}  // namespace iris
