#include <gtest/gtest.h>

#include "cli/shell/shell.h"
#include "cli/verbs.h"
#include "support/command_line.h"
#include "support/small_app.h"

namespace iris {
namespace {

class ManPage : public ::testing::Test {
 protected:
  bool has(const std::string& part) const {
    return man_page(small.app, small.verb("grow")).find(part) != std::string::npos;
  }
  bool program_has(const std::string& part) const {
    return man_page(small.app, small.app).find(part) != std::string::npos;
  }

  test::SmallApp small;
};

TEST_F(ManPage, BeginsWithTheVerbsName) {
  EXPECT_TRUE(man_page(small.app, small.verb("grow")).starts_with(".TH IRIS\\-GROW 1 "));
  EXPECT_TRUE(has(".SH NAME\niris\\-grow \\- Makes flowers [slowly]\n"));
}

TEST_F(ManPage, HasASynopsis) {
  EXPECT_TRUE(has(".SH SYNOPSIS\n\\fBiris\\fR \\fBgrow\\fR [\\fIOPTION\\fR]... \\fISEED\\fR [\\fIWORDS\\fR...]\n"));
}

TEST_F(ManPage, HasAnOptionsNamesAndValue) {
  EXPECT_TRUE(has(".TP\n\\fB\\-i\\fR, \\fB\\-\\-input\\fR \\fIFILE\\fR\nIt's a file.\n"));
}

TEST_F(ManPage, HasChoicesAndWhatAnOptionNeeds) {
  EXPECT_TRUE(has("Its colour. One of red, green. Needs \\fB\\-\\-input\\fR.\n"));
}

TEST_F(ManPage, HasTheLimitsOfANumber) { EXPECT_TRUE(has("How many. \\fIINT\\fR is in 1 to 9.\n")); }

TEST_F(ManPage, HasOneFullStopAfterADescription) { EXPECT_TRUE(has("\nSay nothing.\n")); }

TEST_F(ManPage, HasTheFootersTextAndExamples) {
  EXPECT_TRUE(has(".SH NOTES\nFlowers need .water\n.SH EXAMPLES\n.nf\n  iris grow seed.txt\n.fi\n.PP\n"));
}

TEST_F(ManPage, HidesAQuoteAtTheBeginningOfALineFromRoff) { EXPECT_TRUE(has("\n\\&'See' the garden.\n")); }

TEST_F(ManPage, EndsWithTheProgramsPage) { EXPECT_TRUE(has(".SH SEE ALSO\n\\fBiris\\fR(1)\n")); }

TEST_F(ManPage, OfTheProgramListsTheVerbs) {
  EXPECT_TRUE(program_has(".TP\n\\fBcut\\fR\nCuts flowers. See \\fBiris\\-cut\\fR(1).\n"));
}

TEST_F(ManPage, LeavesOutWhatIsHidden) {
  EXPECT_FALSE(has("secret"));
  EXPECT_FALSE(program_has("hidden"));
}

TEST(ManVerb, RefusesAPageOfNoVerb) {
  EXPECT_EQ(test::usage_error(add_man, {"man", "nothing"}),
            "man: there is no verb \"nothing\"; iris --help lists them");
}

}  // namespace
}  // namespace iris
