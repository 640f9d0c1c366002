#include "cli/option_types.h"

#include <gtest/gtest.h>

#include <optional>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

TEST(FileOption, IsShownAsAFile) {
  CLI::App app;
  std::optional<std::string> path;
  EXPECT_EQ(add_file(app, "--history", path, "")->get_type_name(), "FILE");
}

// What whole_number(1, 1024) makes of the text; its message where it refuses it.
std::string whole(std::string text) {
  const std::string message = whole_number(1, 1024)(text);
  return message.empty() ? text : message;
}

std::string number_error(const std::string& text) {
  CLI::App app;
  std::optional<double> number;
  add_number(app, "--lr", number, "", [](double value) { return value > 0; }, "a finite number above 0");
  return test::error_of<UsageError>([&] { app.parse(std::vector<std::string>{text, "--lr"}); });
}

TEST(WholeNumber, TakesTheLeast) { EXPECT_EQ(whole("1"), "1"); }

TEST(WholeNumber, TakesTheMost) { EXPECT_EQ(whole("1024"), "1024"); }

TEST(WholeNumber, ReadsZerosAtTheBeginningAsDecimal) { EXPECT_EQ(whole("010"), "10"); }

TEST(WholeNumber, RefusesLessThanTheLeast) {
  EXPECT_EQ(whole("0"), "must be a whole number from 1 to 1024, got \"0\"");
}

TEST(WholeNumber, RefusesMoreThanTheMost) {
  EXPECT_EQ(whole("1025"), "must be a whole number from 1 to 1024, got \"1025\"");
}

TEST(WholeNumber, RefusesMoreThan64Bits) {
  EXPECT_EQ(whole("18446744073709551617"), "must be a whole number from 1 to 1024, got \"18446744073709551617\"");
}

TEST(WholeNumber, RefusesAFraction) { EXPECT_EQ(whole("1.5"), "must be a whole number from 1 to 1024, got \"1.5\""); }

TEST(WholeNumber, RefusesHexadecimal) {
  EXPECT_EQ(whole("0x10"), "must be a whole number from 1 to 1024, got \"0x10\"");
}

TEST(WholeNumber, RefusesASign) { EXPECT_EQ(whole("+1"), "must be a whole number from 1 to 1024, got \"+1\""); }

TEST(WholeNumber, RefusesAnEmptyText) { EXPECT_EQ(whole(""), "must be a whole number from 1 to 1024, got \"\""); }

TEST(WholeNumber, ShowsANegativeNumberWithoutTheBlankThatMainAdds) {
  EXPECT_EQ(whole(" -1"), "must be a whole number from 1 to 1024, got \"-1\"");
}

TEST(WholeNumber, SaysItsLimitsInHelp) { EXPECT_EQ(whole_number(1, 1024).get_description(), "in 1 to 1024"); }

TEST(Number, IsReadToTheLastBit) {
  CLI::App app;
  std::optional<double> number;
  add_number(app, "--lr", number, "", [](double) { return true; }, "");
  app.parse(std::vector<std::string>{"0.1", "--lr"});
  EXPECT_EQ(number, 0.1);
}

TEST(Number, RefusesWhatIsNotANumber) {
  EXPECT_EQ(number_error("fast"), "--lr: must be a finite number above 0, got \"fast\"");
}

TEST(Number, RefusesWhatIsNotFinite) {
  EXPECT_EQ(number_error("inf"), "--lr: must be a finite number above 0, got \"inf\"");
}

TEST(Number, RefusesWhatIsNotWanted) {
  EXPECT_EQ(number_error(" -1"), "--lr: must be a finite number above 0, got \"-1\"");
}

enum class Colour { kRed, kGreen };

template <typename Target>
CLI::Option* add_colour(CLI::App& app, Target& colour) {
  return add_enum<Colour>(app, "--colour", colour, {{"red", Colour::kRed}, {"green", Colour::kGreen}}, "Its colour");
}

TEST(EnumOption, SetsTheValueOfTheWord) {
  CLI::App app;
  Colour colour = Colour::kRed;
  add_colour(app, colour);
  app.parse(std::vector<std::string>{"green", "--colour"});
  EXPECT_EQ(colour, Colour::kGreen);
}

TEST(EnumOption, LeavesTheDefaultWhereNothingIsTyped) {
  CLI::App app;
  std::optional<Colour> colour;
  add_colour(app, colour);
  app.parse(std::vector<std::string>{});
  EXPECT_EQ(colour, std::nullopt);
}

TEST(EnumOption, SetsAnOptional) {
  CLI::App app;
  std::optional<Colour> colour;
  add_colour(app, colour);
  app.parse(std::vector<std::string>{"red", "--colour"});
  EXPECT_EQ(colour, Colour::kRed);
}

TEST(EnumOption, RefusesAnotherWord) {
  CLI::App app;
  Colour colour = Colour::kRed;
  add_colour(app, colour);
  EXPECT_EQ(test::error_of<CLI::ParseError>([&] { app.parse(std::vector<std::string>{"blue", "--colour"}); }),
            "--colour: blue not in {red,green}");
}

TEST(EnumOption, RefusesTheNumberOfAValue) {
  CLI::App app;
  Colour colour = Colour::kRed;
  add_colour(app, colour);
  EXPECT_EQ(test::error_of<CLI::ParseError>([&] { app.parse(std::vector<std::string>{"1", "--colour"}); }),
            "--colour: 1 not in {red,green}");
}

TEST(EnumOption, ShowsItsWordsInHelp) {
  CLI::App app;
  Colour colour = Colour::kRed;
  EXPECT_EQ(add_colour(app, colour)->get_type_name(), "TEXT:{red,green}");
}

}  // namespace
}  // namespace iris
