#include "cli/enum_option.h"

#include <gtest/gtest.h>

#include <optional>

#include "support/errors.h"

namespace iris {
namespace {

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
