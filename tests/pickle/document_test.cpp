// Values that nest, share and refer to themselves.
#include "pickle/document.h"

#include <gtest/gtest.h>

#include "support/pickle_bytes.h"
#include "support/read_pickle.h"

namespace iris::pickle {
namespace {

using test::pickle_error;
using test::repeated;
using test::value_of;
using namespace std::string_literals;

TEST(Document, ReadsAThousandLevels) { EXPECT_EQ(pickle_error(repeated("]", 1000) + repeated("a", 999) + "."), ""); }

TEST(Document, RefusesMoreThanAThousandLevels) {
  EXPECT_EQ(pickle_error(repeated("]", 1001) + repeated("a", 1000) + "."),
            "offset 0: nested more than 1000 levels deep");
}

TEST(Document, RefusesAMillionLevelsOfTuples) {
  EXPECT_TRUE(pickle_error("N" + repeated("\x85", 1'000'000) + ".").ends_with(": nested more than 1000 levels deep"));
}

TEST(Document, RefusesAMillionLevelsOfLists) {
  EXPECT_TRUE(pickle_error(repeated("]", 1'000'000) + repeated("a", 999'999) + ".")
                  .ends_with(": nested more than 1000 levels deep"));
}

TEST(Document, RefusesAMillionLevelsOfDicts) {
  EXPECT_TRUE(pickle_error(repeated("}K\x01", 1'000'000) + "N" + repeated("s", 1'000'000) + ".")
                  .ends_with(": nested more than 1000 levels deep"));
}

TEST(Document, DropsAMillionLevelsThatNothingHolds) {
  EXPECT_EQ(pickle_error("N" + repeated("\x85", 1'000'000) + "0N."), "");
}

TEST(Document, RefusesAMillionOpenMarks) {
  EXPECT_EQ(pickle_error(repeated("(", 1'000'000) + "."), "offset 1000000: the stack is empty");
}

TEST(Document, CountsDepthThroughState) {
  const std::string begin = "ccollections\nOrderedDict\n)R";
  EXPECT_TRUE(pickle_error(repeated(begin + "}K\x01", 600) + "N" + repeated("sb", 600) + ".")
                  .ends_with(": nested more than 1000 levels deep"));
}

TEST(Document, HoldsASharedValueOnce) {
  const test::ReadPickle read("]2\x86.");
  const auto items = read.document.items(read.root);
  EXPECT_EQ(items[0].index, items[1].index);
}

TEST(Document, ReadsTuplesThatDoubleTwentyTimes) { EXPECT_EQ(pickle_error("N" + repeated("2\x86", 20) + "."), ""); }

TEST(Document, RefusesTuplesThatDoubleAThousandTimes) {
  const std::string message = pickle_error("N" + repeated("2\x86", 900) + ".");
  EXPECT_TRUE(message.ends_with(": shared values unfold to more than 16000000")) << message;
}

TEST(Document, RefusesAListThatHoldsItself) {
  EXPECT_EQ(pickle_error("]q\0h\0a."s), "offset 0: a value contains itself");
}

TEST(Document, RefusesADictThatHoldsItself) {
  EXPECT_EQ(pickle_error("}q\0K\x01h\0s."s), "offset 0: a value contains itself");
}

TEST(Document, RefusesACycleThroughATuple) {
  EXPECT_EQ(pickle_error("]q\0h\0\x85"
                         "a."s),
            "offset 0: a value contains itself");
}

TEST(Document, RefusesACycleThroughState) {
  EXPECT_EQ(pickle_error("ccollections\nOrderedDict\n)Rq\0}K\x01h\0sb."s), "offset 26: a value contains itself");
}

TEST(Document, ReadsPastACycleThatNothingHolds) { EXPECT_EQ(value_of("]q\0h\0a0N."s), "None"); }

TEST(Document, FindsTextKeysOnly) {
  const test::ReadPickle read(
      "}(U\x01"
      "aK\x01"
      "C\x01"
      "bK\x02u.");
  ASSERT_NE(read.document.find(read.root, "a"), nullptr);
  EXPECT_EQ(read.document.find(read.root, "a")->integer, 1);
  EXPECT_EQ(read.document.find(read.root, "b"), nullptr);
  EXPECT_EQ(read.document.find(Value::of_int(1), "a"), nullptr);
}

TEST(Document, TellsWhereAContainerBegan) {
  const test::ReadPickle read("K\x01]\x86.");
  EXPECT_EQ(read.document.offset(read.root), 3U);
  EXPECT_EQ(read.document.offset(read.document.items(read.root)[1]), 2U);
}

TEST(Document, ThrowsALogicErrorForAMisuse) {
  Document document;
  EXPECT_THROW(document.text(Value::of_int(1)), std::logic_error);
  EXPECT_THROW(document.items(Value{}), std::logic_error);
}

// One big value that many small opcodes copy must not take memory or time beyond what the pickle's size warrants.
bool stays_in_proportion(const std::string& bytes) {
  Document document;
  ByteCursor cursor(std::as_bytes(std::span(bytes)));
  try {
    read_pickle(cursor, test::use_of_test_global, document);
  } catch (const FormatError&) {
    return true;
  }
  std::size_t held = 0;
  for (std::size_t i = 0; i < document.container_count(); ++i) {
    held += document.items(document.container(i)).size();
  }
  return held <= 16 * bytes.size();
}

TEST(Document, DoesNotCopyOneLongListIntoManySets) {
  const std::string list = "](" + repeated("N", 3000) + "e";
  EXPECT_TRUE(stays_in_proportion("cbuiltins\nset\nq\0"s + list + "\x85q\x01(" + repeated("h\0h\x01R"s, 3000) + "l."));
}

TEST(Document, DoesNotCopyOneLongTupleIntoManyCalls) {
  const std::string tuple = "(" + repeated("N", 3000) + "t";
  EXPECT_TRUE(stays_in_proportion("cgood\nfunction\nq\0"s + tuple + "q\x01(" + repeated("h\0h\x01R"s, 3000) + "l."));
}

TEST(Document, SetsOneLongKeyManyTimesWithoutDelay) {
  // Compared each time, that is 10^12 bytes: the test's time would run out.
  const std::string key = std::string(10'000'000, 'k');
  EXPECT_EQ(pickle_error(test::push_text(key) + "q\0}("s + repeated("h\0N"s, 100'000) + "u."), "");
}

}  // namespace
}  // namespace iris::pickle
