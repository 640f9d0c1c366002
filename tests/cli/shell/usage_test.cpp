#include <gtest/gtest.h>

#include "cli/shell/shell.h"
#include "support/small_app.h"

namespace iris {
namespace {

using Words = std::vector<std::string>;

std::string told(const Words& words) {
  test::SmallApp small;
  small.app.require_subcommand(1);
  small.app.get_subcommand("cut")->add_option("FLOWER", small.text)->type_name("FILE");
  try {
    small.app.parse(Words(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    return usage_message(small.app, error);
  }
  return "";
}

TEST(UsageMessage, NamesAnUnknownVerbAndTheNearest) {
  EXPECT_EQ(told({"gorw", "a", "b"}), "there is no verb \"gorw\"; did you mean grow?\nSee: iris --help");
  EXPECT_EQ(told({"prune"}), "there is no verb \"prune\"\nSee: iris --help");
}

TEST(UsageMessage, NamesAnUnknownOptionBeforeWhatIsMissing) {
  EXPECT_EQ(told({"--foo"}), "not expected: --foo\nSee: iris --help");
  EXPECT_EQ(told({"--verson"}), "not expected: --verson; did you mean --version?\nSee: iris --help");
  EXPECT_EQ(told({"grow", "--color", "red"}), "not expected: --color; did you mean --colour?\nSee: iris grow --help");
}

TEST(UsageMessage, ListsAllThatIsNotExpectedAsItWasTyped) {
  EXPECT_EQ(told({"cut", "a", "b", "c", "--hepl", " -5"}),
            "not expected: b c --hepl -5; did you mean --help?\nSee: iris cut --help");
}

TEST(UsageMessage, SaysThatAnOptionGoesBehindTheVerb) {
  EXPECT_EQ(told({"--count=3", "grow", "seed"}),
            "not expected: --count=3; did you mean iris grow --count?\nSee: iris grow --help");
  EXPECT_EQ(told({"-i", "rose", "grow", "seed"}),
            "not expected: -i rose; did you mean iris grow -i?\nSee: iris grow --help");
}

TEST(UsageMessage, SaysThatFilesAreTakenByPlace) {
  EXPECT_EQ(told({"cut", "-i", "rose"}),
            "not expected: -i; cut takes its files by place: iris cut FLOWER\nSee: iris cut --help");
}

TEST(UsageMessage, SaysWhatIsMissing) { EXPECT_EQ(told({"grow"}), "SEED is required\nSee: iris grow --help"); }

TEST(UsageMessage, IsPrintable) {
  EXPECT_EQ(told({"cut", "a", "\x1b[31m\n"}), "not expected: \\x1b[31m\\x0a\nSee: iris cut --help");
}

}  // namespace
}  // namespace iris
