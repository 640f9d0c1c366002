#include "pickle/value_stack.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"

namespace iris::pickle {
namespace {

std::vector<std::int64_t> integers(const std::vector<Value>& values) {
  std::vector<std::int64_t> result;
  for (const Value value : values) {
    result.push_back(value.integer);
  }
  return result;
}

class ValueStackTest : public ::testing::Test {
 protected:
  void push(std::initializer_list<std::int64_t> values) {
    for (const std::int64_t value : values) {
      stack_.push(Value::of_int(value));
    }
  }

  template <typename Work>
  std::string error_of(Work&& work) {
    stack_.begin_opcode(7);
    return test::error_of<FormatError>(work);
  }

  ValueStack stack_{10};
};

using Integers = std::vector<std::int64_t>;

TEST_F(ValueStackTest, GivesTheDeepestOfSeveralValuesFirst) {
  push({1, 2, 3});
  EXPECT_EQ(integers(stack_.pop_count(2)), (Integers{2, 3}));
  EXPECT_EQ(stack_.pop().integer, 1);
}

TEST_F(ValueStackTest, GivesWhatLiesAboveTheLastMark) {
  push({1});
  stack_.mark();
  push({2});
  stack_.mark();
  push({3, 4});
  EXPECT_EQ(integers(stack_.pop_to_mark()), (Integers{3, 4}));
  EXPECT_EQ(integers(stack_.pop_to_mark()), (Integers{2}));
  EXPECT_EQ(stack_.top().integer, 1);
}

TEST_F(ValueStackTest, DoesNotReachBelowAMark) {
  push({1});
  stack_.mark();
  EXPECT_EQ(error_of([&] { stack_.top(); }), "offset 7: the stack is empty");
  EXPECT_EQ(error_of([&] { stack_.pop_count(1); }), "offset 7: the stack is empty");
}

TEST_F(ValueStackTest, DropsTheMarkWhereNoValueLiesAboveIt) {
  push({1});
  stack_.mark();
  push({2});
  stack_.pop_value_or_mark();
  stack_.pop_value_or_mark();
  EXPECT_EQ(stack_.pop().integer, 1);
}

TEST_F(ValueStackTest, RefusesToPopWhatIsNotThere) {
  EXPECT_EQ(error_of([&] { stack_.pop(); }), "offset 7: the stack is empty");
  EXPECT_EQ(error_of([&] { stack_.pop_value_or_mark(); }), "offset 7: the stack is empty");
  EXPECT_EQ(error_of([&] { stack_.pop_to_mark(); }), "offset 7: there is no MARK");
}

TEST_F(ValueStackTest, RemembersWhatWasPut) {
  push({1});
  stack_.put(3);
  push({2});
  stack_.put_next();
  stack_.get(3);
  EXPECT_EQ(stack_.pop().integer, 1);
  stack_.get(4);
  EXPECT_EQ(stack_.pop().integer, 2);
}

TEST_F(ValueStackTest, RefusesAnIndexThatWasNeverPut) {
  push({1});
  stack_.put(3);
  EXPECT_EQ(error_of([&] { stack_.get(2); }), "offset 7: memo index 2 was never put");
  EXPECT_EQ(error_of([&] { stack_.get(0xFFFFFFFF); }), "offset 7: memo index 4294967295 was never put");
}

TEST_F(ValueStackTest, RefusesAnIndexThatNoPickleOfThatSizeNeeds) {
  push({1});
  EXPECT_EQ(error_of([&] { stack_.put(65'536); }),
            "offset 7: memo index 65536 is beyond what the pickle's size warrants");
  ValueStack larger(65'537);
  larger.push(Value{});
  larger.put(65'536);
}

}  // namespace
}  // namespace iris::pickle
