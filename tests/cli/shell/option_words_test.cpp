#include <gtest/gtest.h>

#include "cli/shell/shell.h"
#include "support/small_app.h"
#include "text.h"

namespace iris {
namespace {

using Names = std::vector<std::string>;

class OptionWordsTest : public ::testing::Test {
 protected:
  OptionWords option(const std::string& name) const {
    for (const OptionWords& words : options_of(small.verb("grow"))) {
      if (words.names.back() == name) {
        return words;
      }
    }
    throw std::runtime_error("there is no option " + name);
  }

  test::SmallApp small;
};

TEST_F(OptionWordsTest, HaveShortAndLongNames) { EXPECT_EQ(option("--input").names, Names({"-i", "--input"})); }

TEST_F(OptionWordsTest, HaveTheValuesName) { EXPECT_EQ(option("--input").value, "FILE"); }

TEST_F(OptionWordsTest, HaveNoValueOfAFlag) { EXPECT_EQ(option("--quiet").value, ""); }

TEST_F(OptionWordsTest, TellAFileFromAFolder) {
  EXPECT_TRUE(option("--input").is_path);
  EXPECT_FALSE(option("--input").is_directory);
  EXPECT_TRUE(option("--dir").is_path);
  EXPECT_TRUE(option("--dir").is_directory);
  EXPECT_FALSE(option("--count").is_path);
}

TEST_F(OptionWordsTest, HaveTheChoices) { EXPECT_EQ(option("--colour").choices, Names({"red", "green"})); }

TEST_F(OptionWordsTest, HaveTheLimitsOfANumber) { EXPECT_EQ(option("--count").limits, "in 1 to 9"); }

TEST_F(OptionWordsTest, HaveTheOptionThatIsNeeded) { EXPECT_EQ(option("--colour").needs, "--input"); }

TEST_F(OptionWordsTest, LeaveOutWhatIsHidden) {
  for (const OptionWords& words : options_of(small.verb("grow"))) {
    EXPECT_NE(words.names.back(), "--secret");
  }
}

TEST_F(OptionWordsTest, HaveArgumentsInOrder) {
  const auto arguments = arguments_of(small.verb("grow"));
  ASSERT_EQ(arguments.size(), 2U);
  EXPECT_EQ(arguments[0].value, "SEED");
  EXPECT_TRUE(arguments[0].is_required && arguments[0].is_path && !arguments[0].is_many);
  EXPECT_EQ(arguments[1].value, "WORDS");
  EXPECT_TRUE(!arguments[1].is_required && arguments[1].is_many);
}

TEST_F(OptionWordsTest, HaveTheVerbsThatAreShown) {
  Names names;
  for (const CLI::App* verb : verbs_of(small.app)) {
    names.push_back(verb->get_name());
  }
  EXPECT_EQ(names, Names({"grow", "cut"}));
}

TEST(Escaped, HasABackslashBeforeEachOfTheCharacters) { EXPECT_EQ(escaped("a[b]\\", "[]\\"), "a\\[b\\]\\\\"); }

}  // namespace
}  // namespace iris
