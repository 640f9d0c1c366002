// What a pickle may name, call and build.
#include <gtest/gtest.h>

#include "pickle/pickle_reader.h"
#include "support/errors.h"
#include "support/pickle_bytes.h"
#include "support/read_pickle.h"

namespace iris {
namespace {

using test::attack_name;
using test::pickle_error;
using test::push_global;
using test::push_text;
using test::value_of;
using namespace std::string_literals;

std::string stack_global(const std::string& module, const std::string& name) {
  return push_text(module) + push_text(name) + "\x93";
}

std::string call(const std::string& name, const std::string& arguments) {
  return push_global(name.substr(0, name.rfind('.')), name.substr(name.rfind('.') + 1)) + arguments + "R.";
}

struct Global {
  const char* module;
  const char* name;
};

class AttackName : public ::testing::TestWithParam<Global> {};

TEST_P(AttackName, IsRefusedOnItsName) {
  const auto [module, name] = GetParam();
  EXPECT_EQ(pickle_error(push_global(module, name) + "."), "offset 0: " + attack_name(module + "."s + name));
}

TEST_P(AttackName, IsRefusedFromTheStackToo) {
  const auto [module, name] = GetParam();
  const std::size_t offset = std::string(module).size() + std::string(name).size() + 10;
  EXPECT_EQ(pickle_error(stack_global(module, name) + "."),
            "offset " + std::to_string(offset) + ": " + attack_name(module + "."s + name));
}

TEST_P(AttackName, IsRefusedBeforeItsArgumentsAreRead) {
  const auto [module, name] = GetParam();
  EXPECT_EQ(pickle_error(push_global(module, name) + "(\xFF"), "offset 0: " + attack_name(module + "."s + name));
}

INSTANTIATE_TEST_SUITE_P(PickleReader, AttackName,
                         ::testing::Values(Global{"os", "system"}, Global{"os", "popen"}, Global{"os", "execvp"},
                                           Global{"posix", "system"}, Global{"nt", "system"},
                                           Global{"subprocess", "Popen"}, Global{"builtins", "eval"},
                                           Global{"builtins", "exec"}, Global{"builtins", "compile"},
                                           Global{"builtins", "__import__"}, Global{"runpy", "run_path"},
                                           Global{"runpy", "_run_code"}, Global{"pty", "spawn"},
                                           Global{"socket", "create_connection"}, Global{"importlib", "import_module"},
                                           Global{"importlib.util", "find_spec"}, Global{"torch.hub", "load"},
                                           Global{"torch", "hub.load"}, Global{"torch", "serialization.os.system"}));

class ForeignName : public ::testing::TestWithParam<Global> {};

TEST_P(ForeignName, IsAValueThatIsCounted) {
  const auto [module, name] = GetParam();
  const std::string qualified = module + "."s + name;
  const test::ReadPickle read(push_global(module, name) + stack_global(module, name) + "\x86.");
  EXPECT_EQ(test::describe(read.document, read.root), "(" + qualified + ", " + qualified + ")");
  ASSERT_EQ(read.document.mentions().size(), 1U);
  EXPECT_EQ(read.document.mentions()[0].name, qualified);
  EXPECT_EQ(read.document.mentions()[0].count, 2U);
}

INSTANTIATE_TEST_SUITE_P(PickleReader, ForeignName,
                         ::testing::Values(Global{"argparse", "Namespace"}, Global{"builtins", "getattr"},
                                           Global{"pickle", "loads"}, Global{"torch", "load"},
                                           Global{"torch.storage", "_load_from_bytes"}, Global{"os", "PathLike"},
                                           Global{"zmq", "socket.Socket"}, Global{"collections", "defaultdict"},
                                           Global{"collections", "OrderedDict.fromkeys"}, Global{"", ""}));

TEST(PickleGlobals, CountsNoNameThatIsKnown) {
  const test::ReadPickle read(push_global("good", "name") + push_global("collections", "OrderedDict") + "\x86.");
  EXPECT_TRUE(read.document.mentions().empty());
}

TEST(PickleGlobals, CountsOpcodesNotMemoReads) {
  const test::ReadPickle read("(" + push_global("their", "A") + "q\0h\0h\0"s + push_global("their", "B") + "t.");
  ASSERT_EQ(read.document.mentions().size(), 2U);
  EXPECT_EQ(read.document.mentions()[0].count, 1U);
}

TEST(PickleGlobals, RefusesPythonTwosNameForEval) {
  EXPECT_EQ(pickle_error(push_global("__builtin__", "eval") + "."), "offset 0: " + attack_name("builtins.eval"));
}

TEST(PickleGlobals, EscapesTheNameThatItRefuses) {
  EXPECT_EQ(pickle_error("cposix\nsys\x1b[2J\n."), "offset 0: " + attack_name("posix.sys\\x1b[2J"));
}

TEST(PickleGlobals, RefusesANameThatIsNoLineOfText) {
  const std::string message = "a global has a name that is not one line of UTF-8";
  EXPECT_EQ(pickle_error("ca\nb\xFF\n."), "offset 0: " + message);
  EXPECT_EQ(pickle_error(stack_global("a", "b\nc") + "."), "offset 14: " + message);
}

TEST(PickleGlobals, RefusesANameOfMoreThan512Bytes) {
  const std::string longest(509, 'n');
  EXPECT_EQ(pickle_error(push_global("a", longest) + "."), "");
  EXPECT_EQ(pickle_error(push_global("ab", longest + "n") + "."),
            "offset 0: a global has a name of more than 512 bytes");
}

TEST(PickleGlobals, KeepsANameOfTheAllowListAsAName) {
  EXPECT_EQ(value_of(push_global("good", "name") + "."), "good.name");
  EXPECT_EQ(value_of(stack_global("good", "name") + "."), "good.name");
}

TEST(PickleGlobals, RefusesAStackGlobalWhoseNameIsNoText) {
  EXPECT_EQ(pickle_error(push_text("good") + "K\x01\x93."), "offset 11: a global's name is not a string");
  EXPECT_EQ(pickle_error("N" + push_text("name") + "\x93."), "offset 10: a global's name is not a string");
}

TEST(PickleGlobals, RefusesAGlobalThatIsCutOff) {
  EXPECT_EQ(pickle_error("cgood"), "offset 1: a line has no end");
  EXPECT_EQ(pickle_error("cgood\nname"), "offset 6: a line has no end");
}

TEST(PickleGlobals, KeepsACallOfAnAllowedFunction) {
  EXPECT_EQ(value_of(call("good.function", "K\x01K\x02\x86")), "call(good.function, 1, 2)");
}

TEST(PickleGlobals, RefusesToCallWhatIsNeitherANameNorAnObject) {
  EXPECT_EQ(pickle_error("K\x01)R."), "offset 3: only a name or an object can be called");
  EXPECT_EQ(pickle_error(push_text("os.system") + ")R."), "offset 15: only a name or an object can be called");
  EXPECT_EQ(pickle_error(push_global("good", "function") + ")R)R."),
            "offset 18: only a name or an object can be called");
}

TEST(PickleGlobals, RefusesArgumentsThatAreNoTuple) {
  EXPECT_EQ(pickle_error(call("good.function", "]")), "offset 16: a function's arguments are not a tuple");
}

TEST(PickleGlobals, BuildsPythonsContainers) {
  EXPECT_EQ(value_of(call("collections.OrderedDict", ")")), "OrderedDict{}");
  EXPECT_EQ(value_of(call("collections.OrderedDict",
                          "](K\x01K\x02\x86"
                          "e\x85")),
            "OrderedDict{1, 2}");
  EXPECT_EQ(value_of(call("collections.Counter", "}K\x01K\x02s\x85")), "Counter{1, 2}");
  EXPECT_EQ(value_of(call("builtins.set",
                          "](K\x01"
                          "e\x85")),
            "set(1)");
  EXPECT_EQ(value_of(call("__builtin__.frozenset",
                          "](K\x01"
                          "e\x85")),
            "frozenset(1)");
  EXPECT_EQ(value_of(call("builtins.bytearray", "C\x01z\x85")), "bytearray 'z'");
  EXPECT_EQ(value_of(call("builtins.bytearray", ")")), "bytearray ''");
}

TEST(PickleGlobals, KeepsAComplexNumberAsACall) {
  EXPECT_EQ(value_of(call("builtins.complex", "K\x01K\x02\x86")), "call(builtins.complex, 1, 2)");
}

TEST(PickleGlobals, ReadsProtocolTwosBytes) {
  EXPECT_EQ(value_of(call("_codecs.encode", push_text("aÿ") + push_text("latin1") + "\x86")), "b'a\xFF'");
}

TEST(PickleGlobals, ReadsABytearrayOfTextAndItsEncoding) {
  EXPECT_EQ(value_of(call("builtins.bytearray", push_text("aÿ") + push_text("latin-1") + "\x86")), "bytearray 'a\xFF'");
}

TEST(PickleGlobals, RefusesOtherEncodings) {
  EXPECT_EQ(pickle_error(call("_codecs.encode", push_text("a") + push_text("rot13") + "\x86")),
            "offset 33: _codecs.encode is allowed with (text, \"latin1\") only");
}

TEST(PickleGlobals, RefusesACharacterBeyondLatin1) {
  EXPECT_EQ(pickle_error(call("_codecs.encode", push_text("€") + push_text("latin1") + "\x86")),
            "offset 36: _codecs.encode was given a character beyond latin1");
}

TEST(PickleGlobals, RefusesAnOrderedDictOfThingsThatAreNoPairs) {
  EXPECT_EQ(pickle_error(call("collections.OrderedDict",
                              "](K\x01"
                              "e\x85")),
            "offset 31: collections.OrderedDict is made of something that is not a list");
  EXPECT_EQ(pickle_error(call("collections.OrderedDict",
                              "]K\x01\x85"
                              "a\x85")),
            "offset 31: collections.OrderedDict is made of something other than pairs");
}

TEST(PickleGlobals, RefusesASetOfANumber) {
  EXPECT_EQ(pickle_error(call("builtins.set", "K\x01\x85")),
            "offset 17: builtins.set is made of something that is not a list");
}

TEST(PickleGlobals, RefusesTooManyArguments) {
  EXPECT_EQ(pickle_error(call("collections.OrderedDict", "]]\x86")),
            "offset 28: collections.OrderedDict has 2 arguments");
}

TEST(PickleGlobals, RefusesAByteArrayOfANumber) {  // bytearray(2**40) would be as long
  EXPECT_EQ(pickle_error(call("builtins.bytearray", "K\x05\x85")),
            "offset 23: builtins.bytearray is allowed with bytes only");
}

TEST(PickleGlobals, KeepsTheStateOfAnOrderedDict) {
  EXPECT_EQ(value_of(push_global("collections", "OrderedDict") + ")R}" + push_text("_metadata") + "}sb."),
            "OrderedDict{ | {\"_metadata\", {}}}");
}

TEST(PickleGlobals, RefusesStateForAPlainValue) {
  const std::string message = "state can be given to an object, or as a dict to an OrderedDict, only";
  EXPECT_EQ(pickle_error("}}b."), "offset 2: " + message);
  EXPECT_EQ(pickle_error("]}b."), "offset 2: " + message);
  EXPECT_EQ(pickle_error(push_global("good", "name") + "}b."), "offset 12: " + message);
  EXPECT_EQ(pickle_error(push_global("good", "function") + ")R}b."), "offset 18: " + message);
  EXPECT_EQ(pickle_error(push_global("collections", "OrderedDict") + ")R]b."), "offset 28: " + message);
}

TEST(PickleGlobals, RefusesTheOpcodesOfARegistry) {
  EXPECT_EQ(pickle_error("\x82\x01."), "offset 0: opcode 0x82 is not allowed in a state_dict");
  EXPECT_EQ(pickle_error("\x83\x01\0."s), "offset 0: opcode 0x83 is not allowed in a state_dict");
  EXPECT_EQ(pickle_error("\x84\x01\0\0\0."s), "offset 0: opcode 0x84 is not allowed in a state_dict");
}

TEST(PickleGlobals, RefusesBuffersThatAreNotInTheFile) {
  EXPECT_EQ(pickle_error("\x97."), "offset 0: opcode 0x97 is not allowed in a state_dict");
  EXPECT_EQ(pickle_error("N\x98."), "offset 1: opcode 0x98 is not allowed in a state_dict");
}

TEST(PickleGlobals, RefusesUnknownOpcodes) {
  EXPECT_EQ(pickle_error("\xFF."), "offset 0: opcode 0xff is not allowed in a state_dict");
  EXPECT_EQ(pickle_error("\0."s), "offset 0: opcode 0x00 is not allowed in a state_dict");
}

}  // namespace
}  // namespace iris
