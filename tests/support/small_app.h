// A small command line with an option of every sort.
#pragma once

#include <CLI/CLI.hpp>
#include <optional>
#include <string>
#include <vector>

#include "cli/option_types.h"

namespace iris::test {

struct SmallApp {
  SmallApp() {
    app.add_flag("--version", is_wanted, "Its version");
    CLI::App* grow = app.add_subcommand("grow", "Makes flowers [slowly]");
    grow->add_option("SEED", text, "A file: the seed")->type_name("FILE")->required();
    grow->add_option("WORDS", words, "What to say");
    CLI::Option* input = grow->add_option("-i,--input", text, "It's a file")->type_name("FILE");
    grow->add_option("--dir", text, "Where to")->type_name("DIR");
    add_enum<Colour>(*grow, "--colour", colour, {{"red", Colour::kRed}, {"green", Colour::kGreen}}, "Its colour")
        ->needs(input);
    grow->add_option("--count", count, "How many")->transform(whole_number(1, 9));
    grow->add_flag("-q,--quiet", is_wanted, "Say nothing.");
    grow->add_option("--secret", text, "Hidden")->group("");
    grow->footer("Flowers need .water\nExamples:\n  iris grow seed.txt\n'See' the garden.");
    app.add_subcommand("hidden", "Not shown")->group("");
    app.add_subcommand("cut", "Cuts flowers");
  }

  const CLI::App& verb(const std::string& name) const { return *app.get_subcommand(name); }

  enum class Colour { kRed, kGreen };

  CLI::App app{"Flowers.", "iris"};
  std::string text;
  std::vector<std::string> words;
  std::optional<Colour> colour;
  int count = 1;
  bool is_wanted = false;
};

}  // namespace iris::test
