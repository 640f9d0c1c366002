// Every way in which an opcode can be wrong.
#include <gtest/gtest.h>

#include "pickle/pickle_reader.h"
#include "support/pickle_bytes.h"
#include "support/read_pickle.h"

namespace iris {
namespace {

using test::little_endian;
using test::pickle_error;
using namespace std::string_literals;

TEST(DamagedPickle, HasNoStop) {
  EXPECT_EQ(pickle_error("N"), "offset 1: the pickle ends without STOP");
  EXPECT_EQ(pickle_error(""), "offset 0: the pickle ends without STOP");
  EXPECT_EQ(pickle_error("\x80\x02}q\0"s), "offset 5: the pickle ends without STOP");
}

TEST(DamagedPickle, StopsWithoutAValue) {
  EXPECT_EQ(pickle_error("."), "offset 0: the stack is empty");
  EXPECT_EQ(pickle_error("N(."), "offset 2: the stack is empty");
}

class EmptyStack : public ::testing::TestWithParam<std::string> {};

TEST_P(EmptyStack, IsToldOfForEveryOpcodeThatTakesFromIt) {
  EXPECT_EQ(pickle_error(GetParam() + "."), "offset 0: the stack is empty");
}

TEST_P(EmptyStack, IsToldOfAboveAMarkToo) {
  EXPECT_EQ(pickle_error("NNN(" + GetParam() + "."), GetParam() == "0" ? "" : "offset 4: the stack is empty");
}

INSTANTIATE_TEST_SUITE_P(PickleReader, EmptyStack,
                         ::testing::Values("0", "2", "R", "a", "b", "s", "Q", "\x81", "\x85", "\x86", "\x87", "\x93",
                                           "\x94", "q\x01", "p1\n", "r\x01\0\0\0"s));

TEST(DamagedPickle, HasTooFewValuesForATuple) {
  EXPECT_EQ(pickle_error("N\x86."), "offset 1: the stack is empty");
  EXPECT_EQ(pickle_error("NN\x87."), "offset 2: the stack is empty");
  EXPECT_EQ(pickle_error("NN(N\x86."), "offset 4: the stack is empty");
}

TEST(DamagedPickle, SetsAnItemOfNothing) { EXPECT_EQ(pickle_error("NNs."), "offset 2: the stack is empty"); }

TEST(DamagedPickle, AppendsToNothing) { EXPECT_EQ(pickle_error("Na."), "offset 1: the stack is empty"); }

class NoMark : public ::testing::TestWithParam<char> {};

TEST_P(NoMark, IsToldOf) { EXPECT_EQ(pickle_error("]N"s + GetParam() + "."), "offset 2: there is no MARK"); }

INSTANTIATE_TEST_SUITE_P(PickleReader, NoMark, ::testing::Values('1', 't', 'l', 'd', 'e', 'u', '\x90', '\x91'));

TEST(DamagedPickle, AppendsToWhatIsNoList) {
  EXPECT_EQ(pickle_error(")Na."), "offset 2: only a list can be added to");
  EXPECT_EQ(pickle_error("}(Ne."), "offset 3: only a list can be added to");
  EXPECT_EQ(pickle_error("K\x01Na."), "offset 3: only a list can be added to");
}

TEST(DamagedPickle, AddsToWhatIsNoSet) {
  EXPECT_EQ(pickle_error("](N\x90."), "offset 3: only a set can be added to");
  EXPECT_EQ(pickle_error("(\x91(N\x90."), "offset 4: only a set can be added to");
}

TEST(DamagedPickle, SetsItemsOfWhatIsNoDict) {
  EXPECT_EQ(pickle_error("]K\x01Ns."), "offset 4: items can be set in a dict only");
  EXPECT_EQ(pickle_error("N(K\x01Nu."), "offset 5: items can be set in a dict only");
}

TEST(DamagedPickle, SetsItemsOfACall) {
  EXPECT_EQ(pickle_error("cgood\nfunction\n)RK\x01Ns."), "offset 20: items can be set in a dict only");
}

TEST(DamagedPickle, HasAKeyWithoutAValue) {
  EXPECT_EQ(pickle_error("(K\x01"
                         "d."),
            "offset 3: a dict has a key without a value");
  EXPECT_EQ(pickle_error("}(K\x01u."), "offset 4: a dict has a key without a value");
}

TEST(DamagedPickle, HasAKeyThatPythonCouldNotHash) {
  EXPECT_EQ(pickle_error("}]Ns."), "offset 0: a dict has a key that is not a string, number or tuple");
  EXPECT_EQ(pickle_error("}}Ns."), "offset 0: a dict has a key that is not a string, number or tuple");
}

// An opcode with a length field of `size` bytes, which says that there are more bytes than there are.
struct LengthField {
  std::string opcode;
  std::size_t size;
};

class LengthPastTheEnd : public ::testing::TestWithParam<LengthField> {};

TEST_P(LengthPastTheEnd, IsToldOf) {
  const auto& [opcode, size] = GetParam();
  EXPECT_EQ(pickle_error(opcode + little_endian(100, size) + "abc."),
            "offset " + std::to_string(1 + size) + ": 100 bytes are needed, 4 are left");
}

TEST_P(LengthPastTheEnd, IsToldOfWhenItIsTheLargest) {
  const auto& [opcode, size] = GetParam();
  const bool is_signed = opcode == "T" || opcode == "\x8b";
  const std::uint64_t most = (is_signed ? 0x7FFFFFFF : ~std::uint64_t{0}) >> (8 * (8 - (is_signed ? 8 : size)));
  EXPECT_EQ(pickle_error(opcode + little_endian(most, size) + "abc."),
            "offset " + std::to_string(1 + size) + ": " + std::to_string(most) + " bytes are needed, 4 are left");
}

TEST_P(LengthPastTheEnd, IsToldOfWhenItIsItselfCutOff) {
  const auto& [opcode, size] = GetParam();
  EXPECT_EQ(pickle_error(opcode + std::string(size - 1, '\0')),
            "offset 1: " + std::to_string(size) + " bytes are needed, " + std::to_string(size - 1) + " are left");
}

INSTANTIATE_TEST_SUITE_P(PickleReader, LengthPastTheEnd,
                         ::testing::Values(LengthField{"U", 1}, LengthField{"T", 4}, LengthField{"X", 4},
                                           LengthField{"\x8c", 1}, LengthField{"\x8d", 8}, LengthField{"C", 1},
                                           LengthField{"B", 4}, LengthField{"\x8e", 8}, LengthField{"\x96", 8},
                                           LengthField{"\x8a", 1}, LengthField{"\x8b", 4}));

TEST(DamagedPickle, HasANegativeLength) {
  EXPECT_EQ(pickle_error("T\xFF\xFF\xFF\xFFz."), "offset 0: a string has a negative length");
  EXPECT_EQ(pickle_error("\x8b\xFF\xFF\xFF\xFFz."), "offset 0: an integer has a negative length");
}

TEST(DamagedPickle, HasANumberThatIsCutOff) {
  EXPECT_EQ(pickle_error("K"), "offset 1: 1 bytes are needed, 0 are left");
  EXPECT_EQ(pickle_error("M\x01"), "offset 1: 2 bytes are needed, 1 are left");
  EXPECT_EQ(pickle_error("J\x01\x02\x03"), "offset 1: 4 bytes are needed, 3 are left");
  EXPECT_EQ(pickle_error("G1234567"), "offset 1: 8 bytes are needed, 7 are left");
  EXPECT_EQ(pickle_error("\x80"), "offset 1: 1 bytes are needed, 0 are left");
}

TEST(DamagedPickle, HasALineThatIsCutOff) {
  for (const char opcode : "IFLSVPgp"s) {
    EXPECT_EQ(pickle_error("N"s + opcode + "1"), "offset 2: a line has no end") << opcode;
  }
}

TEST(DamagedPickle, HasALineThatIsNoNumber) {
  EXPECT_EQ(pickle_error("Iabc\n."), "offset 0: not an integer: \"abc\"");
  EXPECT_EQ(pickle_error("I\n."), "offset 0: not an integer: \"\"");
  EXPECT_EQ(pickle_error("L1.5L\n."), "offset 0: not an integer: \"1.5\"");
  EXPECT_EQ(pickle_error("F1.5x\n."), "offset 0: not a number: \"1.5x\"");
  EXPECT_EQ(pickle_error("NpX\n."), "offset 1: not a number: \"X\"");
  EXPECT_EQ(pickle_error("g-1\n."), "offset 0: not a number: \"-1\"");
}

TEST(DamagedPickle, HasADecimalOfTooManyDigits) {
  EXPECT_TRUE(pickle_error("L" + std::string(5000, '9') + "L\n.").starts_with("offset 0: not an integer: \"999"));
}

TEST(DamagedPickle, HasTextThatIsNotUtf8) {
  EXPECT_EQ(pickle_error("X\x01\0\0\0\xFF."s), "offset 0: a string is not UTF-8");
  EXPECT_EQ(pickle_error("\x8c\x02\xC0\x80."), "offset 0: a string is not UTF-8");
  EXPECT_EQ(pickle_error("\x8d" + little_endian(3, 8) + "\xE0\x80\x80."), "offset 0: a string is not UTF-8");
}

TEST(DamagedPickle, HasTextThatIsBadlyEscaped) {
  EXPECT_EQ(pickle_error("V\\u12\n."), "offset 0: a string is badly escaped");
  EXPECT_EQ(pickle_error("Sabc\n."), "offset 0: a string is badly quoted");
}

TEST(DamagedPickle, GetsWhatWasNeverPut) {
  EXPECT_EQ(pickle_error("h\x05."), "offset 0: memo index 5 was never put");
  EXPECT_EQ(pickle_error("Nq\x01"
                         "0h\0."s),
            "offset 4: memo index 0 was never put");
  EXPECT_EQ(pickle_error("g99999999999999999\n."), "offset 0: memo index 99999999999999999 was never put");
  EXPECT_EQ(pickle_error("j\xFF\xFF\xFF\xFF."), "offset 0: memo index 4294967295 was never put");
}

TEST(DamagedPickle, PutsAtTheLargestIndex) {
  const std::string message = " is beyond what the pickle's size warrants";
  EXPECT_EQ(pickle_error("Nr\xFF\xFF\xFF\xFF."), "offset 1: memo index 4294967295" + message);
  EXPECT_EQ(pickle_error("Np18446744073709551615\n."), "offset 1: memo index 18446744073709551615" + message);
}

TEST(DamagedPickle, PutsAtAnIndexOfMoreThanSixtyFourBits) {
  EXPECT_EQ(pickle_error("Np99999999999999999999\n."), "offset 1: not a number: \"99999999999999999999\"");
}

TEST(DamagedPickle, HasAFrameThatReachesPastTheEnd) {
  EXPECT_EQ(pickle_error("\x95" + little_endian(3, 8) + "N."), "offset 0: a frame reaches past the end");
  EXPECT_EQ(pickle_error("\x95" + std::string(8, '\xFF') + "N."), "offset 0: a frame reaches past the end");
}

TEST(DamagedPickle, HasAnUnknownProtocol) {
  EXPECT_EQ(pickle_error("\x80\x06N."), "offset 0: pickle protocol 6 is unknown; 0 to 5 are read");
}

TEST(DamagedPickle, IsRefusedAtEveryTruncation) {
  const std::string whole = test::pickle_of(
      test::push_ordered_dict({test::push_text("a"), test::push_list({test::push_int(1), "G\0\0\0\0\0\0\0\0"s}),
                               test::push_text("b"), "I5\n"}));
  ASSERT_EQ(pickle_error(whole), "");
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(pickle_error(whole.substr(0, size)), "") << size;
  }
}

TEST(DamagedPickle, IsReadOrRefusedWithEveryByteChanged) {
  const std::string whole = test::pickle_of(
      test::push_ordered_dict({test::push_text("a"), test::push_list({test::push_int(1), "G\0\0\0\0\0\0\0\0"s}),
                               test::push_text("b"), "I5\n"}));
  std::size_t refused = 0;
  for (std::size_t place = 0; place < whole.size(); ++place) {
    for (int byte = 0; byte < 256; ++byte) {
      std::string changed = whole;
      changed[place] = static_cast<char>(byte);
      refused += pickle_error(changed).empty() ? 0U : 1U;
    }
  }
  EXPECT_GT(refused, whole.size() * 128);
}

}  // namespace
}  // namespace iris
