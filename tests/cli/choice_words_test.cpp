#include "cli/choice_words.h"

#include <gtest/gtest.h>

namespace iris {
namespace {

TEST(ChoiceWords, NameTheOption) { EXPECT_EQ(choice_words({Choice::Of::kKey}), " (--key)"); }

TEST(ChoiceWords, GiveTheValueThatFits) { EXPECT_EQ(choice_words({Choice::Of::kHidden, "32"}), " (--hidden 32)"); }

TEST(ChoiceWords, AreEmptyWithoutAChoice) { EXPECT_EQ(choice_words({}), ""); }

}  // namespace
}  // namespace iris
