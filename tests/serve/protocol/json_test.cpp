#include "serve/protocol/json.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/refusal.h"

namespace iris::serve {
namespace {

using nlohmann::json;

std::string refused(const std::string& text) {
  return refusal([&] { parse_json(text); });
}

float number(const std::string& text) { return parse_json(text).get<float>(); }

TEST(Json, IsReadAHundredListsDeep) { EXPECT_NO_THROW(parse_json(std::string(100, '[') + std::string(100, ']'))); }

TEST(Json, IsRefusedDeeperThanAHundred) {
  EXPECT_EQ(refused(std::string(101, '[') + std::string(101, ']')), "400 JSON: nested deeper than 100");
}

TEST(Json, IsRefusedAtTheHundredAndFirstLevelThoughItHasAMillion) {
  EXPECT_EQ(refused(std::string(1 << 20, '[')), "400 JSON: nested deeper than 100");
}

TEST(Json, IsRefusedWithTwoMembersOfOneName) {
  EXPECT_EQ(refused(R"({"a":1,"b":{"a":2},"a":3})"), "400 JSON: \"a\" is there twice in one object");
}

TEST(Json, TakesOneNameInTwoObjects) { EXPECT_EQ(parse_json(R"([{"a":1},{"a":2}])")[1]["a"], 2); }

TEST(Json, IsRefusedWhereTheTextIsNotJson) {
  for (const char* text : {"", " ", "{", "[1,]", "nul", "[1] 2", R"("\ud800")", R"("\ud800\u0041")", "\"\xff\"", "[01]",
                           "[NaN]", "[Infinity]", "{'a':1}", "[1e]", "\"\n\""}) {
    EXPECT_EQ(refused(text).substr(0, 18), "400 not JSON: line") << text;
  }
}

TEST(Json, IsRefusedWithAZeroByte) {
  EXPECT_EQ(refused(std::string("[1]\0", 4)), "400 not JSON: there is a zero byte in it");
}

TEST(Json, IsRefusedWithANumberPastEveryDouble) {
  EXPECT_EQ(refused("[1e999]"), "400 JSON: the number 1e999 is not finite");
}

// A number that is rounded to a double first, and then to a float, may be one float away.
TEST(Json, TakesTheFloatNearestToTheText) {
  EXPECT_EQ(number("1.00000017881393432617187499"), 1.00000011920928955078125F);
  EXPECT_EQ(number("0.1"), 0.1F);
}

TEST(Json, FiniteFloatTakesANumberUpToTheLargest) { EXPECT_EQ(finite_float(parse_json("1e30"), "x"), 1e30F); }

TEST(Json, FiniteFloatRefusesALargerNumber) {
  EXPECT_EQ(refusal([] { finite_float(parse_json("-1.1e30"), "x[0]"); }),
            "400 x[0]: is larger than 1e30, past which a model's sums overflow");
}

TEST(Json, FiniteFloatRefusesWhatIsNotANumber) {
  EXPECT_EQ(refusal([] { finite_float(parse_json(R"(["a"])"), "x[0]"); }), "400 x[0]: is not a number but [\"a\"]");
}

TEST(JsonMembers, TakeNullForWhatIsAbsent) {
  const json object = {{"a", nullptr}, {"b", 1}};
  EXPECT_EQ(find_member(object, "a"), nullptr);
  EXPECT_EQ(find_member(object, "c"), nullptr);
  EXPECT_EQ(*find_member(object, "b"), 1);
}

TEST(JsonMembers, RefuseWhatIsNotAnObject) {
  EXPECT_EQ(refusal([] { object_at(json(1), "the body"); }), "400 the body: is not an object");
}

TEST(JsonMembers, HaveNoParametersWhereThereAreNone) { EXPECT_EQ(parameters_of(json::object(), ""), json::object()); }

TEST(JsonMembers, RefuseParametersThatAreNotAnObject) {
  EXPECT_EQ(refusal([] { parameters_of({{"parameters", 1}}, "a."); }), "400 a.parameters: is not an object");
}

TEST(JsonMembers, RefuseATextThatIsMissing) {
  EXPECT_EQ(refusal([] { text_at(json::object(), "name", "a."); }), "400 a.name: is missing");
}

TEST(JsonMembers, RefuseATextThatIsANumber) {
  EXPECT_EQ(refusal([] { text_at({{"name", 1}}, "name", "a."); }), "400 a.name: is not a text");
}

TEST(JsonMembers, TakeTheDefaultOfAFlagThatIsAbsent) {
  EXPECT_TRUE(flag_at(json::object(), "flag", true, ""));
  EXPECT_FALSE(flag_at({{"flag", false}}, "flag", true, ""));
}

TEST(JsonMembers, RefuseAFlagThatIsANumber) {
  EXPECT_EQ(refusal([] { flag_at({{"flag", 1}}, "flag", true, "a."); }), "400 a.parameters.flag: is not true or false");
}

TEST(JsonMembers, TakeAWholeNumberWrittenAsAFloat) {
  EXPECT_EQ(count_of(3.0, ""), 3);
  EXPECT_EQ(count_of(0U, ""), 0);
}

TEST(JsonMembers, RefuseWhatIsNotAWholeNumberFromZero) {
  for (const json& value : {json(-1), json(0.5), json(-1.0), json(1e300), json("1"), json(nullptr)}) {
    EXPECT_EQ(refusal([&] { count_of(value, "a"); }), "400 a: is not a whole number from 0") << value;
  }
}

TEST(JsonMembers, RefuseSharedMemory) {
  EXPECT_EQ(refusal([] { refuse_shared_memory({{"shared_memory_region", "r"}}, "a."); }),
            "400 a.parameters.shared_memory_region: this server has no shared memory; send the data");
}

}  // namespace
}  // namespace iris::serve
