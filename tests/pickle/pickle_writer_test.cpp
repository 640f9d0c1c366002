// What is written comes back; Python's side of it is in tests/python.
#include "pickle/pickle_writer.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/pickle_bytes.h"
#include "support/read_pickle.h"

namespace iris::pickle {
namespace {

using namespace std::string_literals;

class PickleWriter : public ::testing::Test {
 protected:
  Value text(const std::string& text) { return document_.add_text(Kind::kString, text); }
  Value add(Kind kind, std::vector<Value> items) { return document_.add_items(kind, std::move(items), 0); }

  std::string written(Value root) {
    return write_pickle(document_, root, [&](std::uint32_t index) { return Value::of_int(index + 100); });
  }

  std::string error_of(Value root) {
    return test::error_of<FormatError>([&] { written(root); });
  }

  // What is read from what was written.
  std::string described(Value root) {
    const test::ReadPickle again(written(root));
    return test::describe(again.document, again.root);
  }

  void expect_same(Value root) { EXPECT_EQ(described(root), test::describe(document_, root)); }

  Document document_;
};

TEST_F(PickleWriter, WritesProtocol2) { EXPECT_EQ(written(Value::of_int(5)), "\x80\x02K\x05."); }

TEST_F(PickleWriter, TakesTheShortestOpcodeOfAnInteger) {
  EXPECT_EQ(written(Value::of_int(256)), "\x80\x02M\x00\x01."s);
  EXPECT_EQ(written(Value::of_int(-1)), "\x80\x02J\xff\xff\xff\xff."s);
  EXPECT_EQ(written(Value::of_int(std::int64_t{1} << 40)), "\x80\x02\x8a\x08\0\0\0\0\0\1\0\0."s);
}

TEST_F(PickleWriter, GivesBackPlainValues) {
  for (const Value value : {Value{}, Value::of_bool(true), Value::of_int(-70'000), Value::of_float(0.1), text("é"),
                            document_.add_text(Kind::kBytes, "\x00\xff"s), document_.add_text(Kind::kByteArray, "ab"),
                            document_.add_text(Kind::kBigInt, "123456789")}) {
    expect_same(value);
  }
}

TEST_F(PickleWriter, GivesBackContainers) {
  const Value one = Value::of_int(1);
  for (const std::size_t count : {0U, 1U, 3U, 4U, 300U}) {
    expect_same(add(Kind::kTuple, std::vector<Value>(count, one)));
    expect_same(add(Kind::kList, std::vector<Value>(count, one)));
  }
  expect_same(add(Kind::kDict, {text("a"), one, text("b"), add(Kind::kList, {})}));
  expect_same(add(Kind::kSet, {one, text("a")}));
  expect_same(add(Kind::kCounter, {text("a"), one}));
}

TEST_F(PickleWriter, GivesBackTheStateOfAnOrderedDict) {
  const Value dict = add(Kind::kOrderedDict, {text("w"), Value::of_int(1)});
  document_.set_state(dict, add(Kind::kDict, {text("_metadata"), add(Kind::kOrderedDict, {})}));
  expect_same(dict);
}

TEST_F(PickleWriter, WritesASharedValueOnce) {
  const Value shared = add(Kind::kList, {Value::of_int(1)});
  const std::string bytes = written(add(Kind::kTuple, {shared, shared}));
  EXPECT_EQ(bytes, "\x80\x02]q\x00(K\x01\x65h\x00\x86q\x01."s);
}

TEST_F(PickleWriter, AsksForAnExternalValueOnce) {
  int count = 0;
  const Value root = add(Kind::kTuple, {Value::of_external(3), Value::of_external(3)});
  write_pickle(document_, root, [&](std::uint32_t index) {
    ++count;
    return Value::of_int(index);
  });
  EXPECT_EQ(count, 1);
  EXPECT_EQ(described(Value::of_external(3)), "103");
}

TEST_F(PickleWriter, RefusesWhatTheRestrictedLoaderWouldNotRead) {
  EXPECT_EQ(error_of(add(Kind::kFrozenSet, {})), "a frozenset cannot be written: torch.load would refuse it");
  EXPECT_EQ(error_of(document_.add_text(Kind::kBigInt, std::string(256, 'x'))),
            "an integer of 256 bytes cannot be written: torch.load would refuse it");
  EXPECT_EQ(error_of(add(Kind::kObject, {document_.add_text(Kind::kGlobal, "a.B")})), "an object cannot be written");
}

TEST_F(PickleWriter, RefusesATextThatIsNotUtf8) {
  EXPECT_EQ(error_of(text("w\xff")), "the text \"w\\xff\" is not UTF-8");
}

TEST_F(PickleWriter, RefusesAStorageThatBelongsToNoTensor) {
  EXPECT_EQ(error_of(add(Kind::kPersistentId, {text("0")})), "a storage without a tensor cannot be written");
}

}  // namespace
}  // namespace iris::pickle
