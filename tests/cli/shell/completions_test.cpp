#include <gtest/gtest.h>

#include "cli/shell/shell.h"
#include "cli/verbs.h"
#include "support/command_line.h"
#include "support/small_app.h"

namespace iris {
namespace {

bool has(Shell shell, const std::string& part) {
  const test::SmallApp small;
  return completion_script(small.app, shell).find(part) != std::string::npos;
}

TEST(BashCompletion, OffersVerbsAndTheProgramsOptions) {
  EXPECT_TRUE(has(Shell::kBash, "      ' '*) words='grow cut -h --help --version' ;;\n"));
}

TEST(BashCompletion, OffersAVerbsOptions) {
  EXPECT_TRUE(
      has(Shell::kBash, "      'grow -'*) words='-h --help -i --input --dir --colour --count -q --quiet' ;;\n"));
}

TEST(BashCompletion, OffersChoices) { EXPECT_TRUE(has(Shell::kBash, "    'grow --colour') words='red green' ;;\n")); }

TEST(BashCompletion, LeavesFilesToTheShell) {
  EXPECT_TRUE(has(Shell::kBash, "    'grow -i' | 'grow --input') return ;;\n"));
}

TEST(BashCompletion, OffersNothingForANumber) {
  EXPECT_TRUE(has(Shell::kBash, "    'grow --count') compopt +o default; return ;;\n"));
}

TEST(ZshCompletion, EscapesDescriptions) {
  EXPECT_TRUE(has(Shell::kZsh, "'grow:Makes flowers \\[slowly\\]'"));
  EXPECT_TRUE(has(Shell::kZsh, "'(-i --input)'{-i+,--input=}'[It'\\''s a file]:FILE:_files'"));
}

TEST(ZshCompletion, OffersChoices) { EXPECT_TRUE(has(Shell::kZsh, "'--colour=[Its colour]:TEXT:(red green)'")); }

TEST(ZshCompletion, OffersFoldersAlone) { EXPECT_TRUE(has(Shell::kZsh, "'--dir=[Where to]:DIR:_files -/'")); }

TEST(ZshCompletion, RepeatsAnArgumentOfMany) { EXPECT_TRUE(has(Shell::kZsh, "'*:WORDS: '")); }

TEST(FishCompletion, OffersVerbs) {
  EXPECT_TRUE(has(Shell::kFish, "complete -c iris -n __fish_use_subcommand -a cut -d 'Cuts flowers'\n"));
}

TEST(FishCompletion, OffersChoices) {
  EXPECT_TRUE(
      has(Shell::kFish,
          "complete -c iris -n '__fish_seen_subcommand_from grow' -l colour -x -a 'red green' -d 'Its colour'\n"));
}

TEST(FishCompletion, OffersFiles) {
  EXPECT_TRUE(has(Shell::kFish,
                  "complete -c iris -n '__fish_seen_subcommand_from grow' -s i -l input -r -F -d 'It\\'s a file'\n"));
}

TEST(Completions, LeaveOutWhatIsHidden) {
  for (const Shell shell : {Shell::kBash, Shell::kZsh, Shell::kFish}) {
    EXPECT_FALSE(has(shell, "hidden") || has(shell, "secret"));
  }
}

TEST(CompletionsVerb, RefusesAnotherShell) {
  EXPECT_EQ(test::usage_error(add_completions, {"completions", "tcsh"}), "SHELL: tcsh not in {bash,zsh,fish}");
}

TEST(CompletionsVerb, RefusesNoShell) {
  EXPECT_EQ(test::usage_error(add_completions, {"completions"}), "SHELL is required");
}

}  // namespace
}  // namespace iris
