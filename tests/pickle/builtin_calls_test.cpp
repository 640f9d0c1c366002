#include "pickle/builtin_calls.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/read_pickle.h"

namespace iris::pickle {
namespace {

class BuiltinCallsTest : public ::testing::Test {
 protected:
  Value text(const std::string& text) { return document_.add_text(Kind::kString, text); }
  Value list(std::vector<Value> items) { return document_.add_items(Kind::kList, std::move(items), 0); }

  Value call(const std::string& function, std::vector<Value> arguments) {
    const Value tuple = document_.add_items(Kind::kTuple, std::move(arguments), 0);
    return calls_.call(document_.add_text(Kind::kGlobal, function), tuple, 7);
  }

  std::string result_of(const std::string& function, std::vector<Value> arguments) {
    return test::describe(document_, call(function, std::move(arguments)));
  }

  std::string error_of(const std::string& function, std::vector<Value> arguments) {
    return test::error_of<FormatError>([&] { call(function, std::move(arguments)); });
  }

  Document document_;
  BuiltinCalls calls_{document_, 100};
};

TEST(IsBuiltinCall, KnowsPythonsOwnContainersOnly) {
  EXPECT_TRUE(is_builtin_call("collections.OrderedDict"));
  EXPECT_TRUE(is_builtin_call("_codecs.encode"));
  EXPECT_FALSE(is_builtin_call("builtins.eval"));
  EXPECT_FALSE(is_builtin_call("collections.OrderedDict2"));
}

TEST_F(BuiltinCallsTest, FillADictFromPairs) {
  const Value pairs = list({list({text("a"), Value::of_int(1)}), list({text("b"), Value::of_int(2)})});
  const Value dict = call("collections.OrderedDict", {pairs});
  EXPECT_EQ(dict.kind, Kind::kOrderedDict);
  EXPECT_EQ(document_.find(dict, "b")->integer, 2);
}

TEST_F(BuiltinCallsTest, FillASetFromAList) {
  const Value set = call("builtins.set", {list({Value::of_int(1), Value::of_int(2)})});
  EXPECT_EQ(set.kind, Kind::kSet);
  EXPECT_EQ(document_.items(set).size(), 2U);
}

TEST_F(BuiltinCallsTest, HoldTheBytesOfOneTextOnce) {
  const Value latin = text("\xc3\xa9");
  const Value first = call("_codecs.encode", {latin, text("latin1")});
  EXPECT_EQ(document_.text(first), "\xe9");
  EXPECT_EQ(call("_codecs.encode", {latin, text("latin1")}).index, first.index);
}

TEST_F(BuiltinCallsTest, RefuseAnotherEncoding) {
  EXPECT_EQ(error_of("_codecs.encode", {text("a"), text("utf-8")}),
            "offset 7: _codecs.encode is allowed with (text, \"latin1\") only");
}

TEST_F(BuiltinCallsTest, RefuseTooManyArguments) {
  EXPECT_EQ(error_of("builtins.set", {list({}), list({})}), "offset 7: builtins.set has 2 arguments");
}

TEST_F(BuiltinCallsTest, RefuseToCopyWithoutEnd) {
  const Value large = list(std::vector<Value>(30'000));
  EXPECT_EQ(error_of("builtins.set", {large}), "");
  EXPECT_EQ(error_of("builtins.set", {large}), "");
  EXPECT_EQ(error_of("builtins.set", {large}), "offset 7: its calls copy more values than the pickle's size warrants");
}

TEST_F(BuiltinCallsTest, KeepAFunctionAndItsArguments) {
  const Value tuple = document_.add_items(Kind::kTuple, {Value::of_int(1)}, 0);
  const Value kept = calls_.keep_call(document_.add_text(Kind::kGlobal, "torch.Size"), tuple, 7);
  EXPECT_EQ(kept.kind, Kind::kCall);
  EXPECT_EQ(document_.text(document_.items(kept)[0]), "torch.Size");
  EXPECT_EQ(document_.items(kept)[1].integer, 1);
  EXPECT_EQ(document_.offset(kept), 7U);
}

}  // namespace
}  // namespace iris::pickle
