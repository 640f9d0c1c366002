// Every opcode that is read, used as it should be.
#include <gtest/gtest.h>

#include "pickle/pickle_reader.h"
#include "support/pickle_bytes.h"
#include "support/read_pickle.h"

namespace iris {
namespace {

using test::little_endian;
using test::value_of;
using namespace std::string_literals;

TEST(PickleReader, ReadsNoneAndBools) {
  EXPECT_EQ(value_of("N."), "None");
  EXPECT_EQ(value_of("\x88."), "True");
  EXPECT_EQ(value_of("\x89."), "False");
  EXPECT_EQ(value_of("I01\n."), "True");
  EXPECT_EQ(value_of("I00\n."), "False");
}

TEST(PickleReader, ReadsBinaryIntegers) {
  EXPECT_EQ(value_of("K\xFF."), "255");
  EXPECT_EQ(value_of("M\x01\xFF."), "65281");
  EXPECT_EQ(value_of("J\xFE\xFF\xFF\xFF."), "-2");
}

TEST(PickleReader, ReadsDecimalIntegers) {
  EXPECT_EQ(value_of("I-17\n."), "-17");
  EXPECT_EQ(value_of("L-17L\n."), "-17");
  EXPECT_EQ(value_of("L17\n."), "17");
  EXPECT_EQ(value_of("I9223372036854775807\n."), "9223372036854775807");
}

TEST(PickleReader, ReadsLong1OfNoBytesAsZero) { EXPECT_EQ(value_of("\x8a\0."s), "0"); }

TEST(PickleReader, ReadsLong1OfEightBytes) { EXPECT_EQ(value_of("\x8a\x08" + little_endian(~0ULL, 8) + "."), "-1"); }

TEST(PickleReader, KeepsLong1OfNineBytesThatSixtyFourBitsDoNotHold) {
  EXPECT_EQ(value_of("\x8a\x09" + std::string(8, '\xFF') + "\x01."), "integer of 9 bytes");
}

TEST(PickleReader, KeepsLong1Of255Bytes) {
  EXPECT_EQ(value_of("\x8a\xFF" + std::string(255, '\x11') + "."), "integer of 255 bytes");
}

TEST(PickleReader, ReadsLong4) {
  EXPECT_EQ(value_of("\x8b" + little_endian(3, 4) + "\x01\x02\x03."), "197121");
  EXPECT_EQ(value_of("\x8b" + little_endian(0, 4) + "."), "0");
}

TEST(PickleReader, KeepsDecimalIntegersThatSixtyFourBitsDoNotHold) {
  EXPECT_EQ(value_of("L18446744073709551616L\n."), "integer of 10 bytes");
}

TEST(PickleReader, ReadsFloats) {
  EXPECT_EQ(value_of("G\xC0\x04\0\0\0\0\0\0."s), "float -2.500000");
  EXPECT_EQ(value_of("F-2.5\n."), "float -2.500000");
  EXPECT_EQ(value_of("F1e-2\n."), "float 0.010000");
  EXPECT_EQ(value_of("Finf\n."), "float inf");
}

TEST(PickleReader, ReadsTextOfEveryLengthField) {
  EXPECT_EQ(value_of("\x8c\x04z€."), "\"z€\"");
  EXPECT_EQ(value_of("X" + little_endian(4, 4) + "z€."), "\"z€\"");
  EXPECT_EQ(value_of("\x8d" + little_endian(4, 8) + "z€."), "\"z€\"");
}

TEST(PickleReader, ReadsProtocolZerosText) { EXPECT_EQ(value_of("Va\xE9\\u20ac\n."), "\"aé€\""); }

TEST(PickleReader, ReadsPythonTwosStringsAsTextWhereTheyAre) {
  EXPECT_EQ(value_of("S'a\\n'\n."), "\"a\n\"");
  EXPECT_EQ(value_of("U\x02"
                     "ab."),
            "\"ab\"");
  EXPECT_EQ(value_of("T\x02\0\0\0ab."s), "\"ab\"");
}

TEST(PickleReader, ReadsPythonTwosStringsAsBytesElse) {
  EXPECT_EQ(value_of("S'\\xff'\n."), "b'\xFF'");
  EXPECT_EQ(value_of("U\x01\xFF."), "b'\xFF'");
  EXPECT_EQ(value_of("T\x01\0\0\0\xFF."s), "b'\xFF'");
}

TEST(PickleReader, ReadsBytesOfEveryLengthField) {
  EXPECT_EQ(value_of("C\x02\xFFz."), "b'\xFFz'");
  EXPECT_EQ(value_of("B\x02\0\0\0\xFFz."s), "b'\xFFz'");
  EXPECT_EQ(value_of("\x8e" + little_endian(2, 8) + "\xFFz."), "b'\xFFz'");
  EXPECT_EQ(value_of("\x96" + little_endian(2, 8) + "\xFFz."), "bytearray '\xFFz'");
}

TEST(PickleReader, ReadsTuples) {
  EXPECT_EQ(value_of(")."), "()");
  EXPECT_EQ(value_of("K\x01\x85."), "(1)");
  EXPECT_EQ(value_of("K\x01K\x02\x86."), "(1, 2)");
  EXPECT_EQ(value_of("K\x01K\x02K\x03\x87."), "(1, 2, 3)");
  EXPECT_EQ(value_of("(K\x01K\x02K\x03K\x04t."), "(1, 2, 3, 4)");
  EXPECT_EQ(value_of("(t."), "()");
}

TEST(PickleReader, ReadsLists) {
  EXPECT_EQ(value_of("]."), "[]");
  EXPECT_EQ(value_of("(K\x01K\x02l."), "[1, 2]");
  EXPECT_EQ(value_of("]K\x01"
                     "a(K\x02K\x03"
                     "e."),
            "[1, 2, 3]");
}

TEST(PickleReader, ReadsDicts) {
  EXPECT_EQ(value_of("}."), "{}");
  EXPECT_EQ(value_of("(K\x01K\x02"
                     "d."),
            "{1, 2}");
  EXPECT_EQ(value_of("}K\x01K\x02s(K\x03K\x04K\x05K\x06u."), "{1, 2, 3, 4, 5, 6}");
}

TEST(PickleReader, ReadsSets) {
  EXPECT_EQ(value_of("\x8f(K\x01K\x02\x90."), "set(1, 2)");
  EXPECT_EQ(value_of("(K\x01K\x02\x91."), "frozenset(1, 2)");
}

TEST(PickleReader, KeepsADictsLastValueAtItsFirstPlace) {
  EXPECT_EQ(value_of("}(K\x01K\x0AK\x02K\x14K\x01K\x1Eu."), "{1, 30, 2, 20}");
}

TEST(PickleReader, TakesTrueAndOneForTheSameKeyAsPythonDoes) {
  EXPECT_EQ(value_of("}(K\x01K\x0A\x88K\x14G\x3F\xF0\0\0\0\0\0\0K\x1Eu."s), "{1, 30}");
}

TEST(PickleReader, KeepsTextAndBytesKeysApart) {
  EXPECT_EQ(value_of("}(U\x01"
                     "aK\x01"
                     "C\x01"
                     "aK\x02u."),
            "{\"a\", 1, b'a', 2}");
}

TEST(PickleReader, PopsValuesAndMarks) {
  EXPECT_EQ(value_of("K\x01K\x02"
                     "0."),
            "1");
  EXPECT_EQ(value_of("K\x01(0."), "1");
  EXPECT_EQ(value_of("K\x01(K\x02K\x03"
                     "1."),
            "1");
}

TEST(PickleReader, DuplicatesTheTop) {
  EXPECT_EQ(value_of("K\x07"
                     "2\x86."),
            "(7, 7)");
}

TEST(PickleReader, PutsAndGetsByEveryOpcode) {
  EXPECT_EQ(value_of("K\x07p3\n0g3\n."), "7");
  EXPECT_EQ(value_of("K\x07q\x03"
                     "0h\x03."),
            "7");
  EXPECT_EQ(value_of("K\x07r\x03\0\0\0000j\x03\0\0\0."s), "7");
}

TEST(PickleReader, MemoizesInOrder) {
  EXPECT_EQ(value_of("K\x07\x94K\x08\x94"
                     "00h\x01h\0\x86."s),
            "(8, 7)");
}

TEST(PickleReader, SharesAValueThatIsGotTwice) {
  EXPECT_EQ(value_of("]q\0h\0K\x01"
                     "a0h\0h\0\x86."s),
            "([1], [1])");
}

TEST(PickleReader, PassesOverFramesAndProtocols) {
  EXPECT_EQ(value_of("\x80\x04\x95" + little_endian(2, 8) + "N."), "None");
  for (char protocol = 0; protocol <= 5; ++protocol) {
    EXPECT_EQ(value_of(std::string("\x80") + protocol + "N."), "None");
  }
}

TEST(PickleReader, StopsAfterStop) { EXPECT_EQ(test::ReadPickle("N.N.").remaining, 2U); }

TEST(PickleReader, KeepsPersistentIds) {
  EXPECT_EQ(value_of("Pstorage 0\n."), "id<\"storage 0\">");
  EXPECT_EQ(value_of("K\x01\x85Q."), "id<(1)>");
}

TEST(PickleReader, ReadsAMillionItemsInAFlatList) {
  const test::ReadPickle read("](" + test::repeated("N", 1'000'000) + "e.");
  EXPECT_EQ(read.document.items(read.root).size(), 1'000'000U);
}

}  // namespace
}  // namespace iris
