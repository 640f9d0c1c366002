#include "serve/protocol/json_members.h"

#include <gtest/gtest.h>

#include <string>

#include "serve/refusal.h"

namespace iris::serve {
namespace {

using nlohmann::json;

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
