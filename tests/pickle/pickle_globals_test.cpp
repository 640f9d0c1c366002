// What a pickle may name, call and build.
#include <gtest/gtest.h>

#include "pickle/pickle_reader.h"
#include "support/errors.h"
#include "support/pickle_bytes.h"
#include "support/read_pickle.h"

namespace iris {
namespace {

using test::pickle_error;
using test::push_global;
using test::push_text;
using test::refused_global;
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

class RefusedGlobal : public ::testing::TestWithParam<Global> {};

TEST_P(RefusedGlobal, IsRefusedOnItsName) {
  const auto [module, name] = GetParam();
  EXPECT_EQ(pickle_error(push_global(module, name) + "."), "offset 0: " + refused_global(module + "."s + name));
}

TEST_P(RefusedGlobal, IsRefusedFromTheStackToo) {
  const auto [module, name] = GetParam();
  const std::size_t offset = std::string(module).size() + std::string(name).size() + 10;
  EXPECT_EQ(pickle_error(stack_global(module, name) + "."),
            "offset " + std::to_string(offset) + ": " + refused_global(module + "."s + name));
}

TEST_P(RefusedGlobal, IsRefusedBeforeItsArgumentsAreRead) {
  const auto [module, name] = GetParam();
  EXPECT_EQ(pickle_error(push_global(module, name) + "(\xFF"), "offset 0: " + refused_global(module + "."s + name));
}

INSTANTIATE_TEST_SUITE_P(
    PickleReader, RefusedGlobal,
    ::testing::Values(Global{"os", "system"}, Global{"posix", "system"}, Global{"nt", "system"},
                      Global{"subprocess", "Popen"}, Global{"builtins", "eval"}, Global{"builtins", "exec"},
                      Global{"builtins", "getattr"}, Global{"builtins", "__import__"}, Global{"builtins", "open"},
                      Global{"runpy", "run_path"}, Global{"runpy", "_run_code"}, Global{"pickle", "loads"},
                      Global{"torch", "load"}, Global{"torch.hub", "load"}, Global{"torch", "hub.load"},
                      Global{"torch.storage", "_load_from_bytes"}, Global{"torch._utils", "_rebuild_tensor_v2"},
                      Global{"collections", "OrderedDict.fromkeys"}, Global{"collections", "defaultdict"},
                      Global{"numpy.core.multiarray", "_reconstruct"}, Global{"", ""}, Global{"good", "Function"}));

TEST(PickleGlobals, RefusesPythonTwosNameForEval) {
  EXPECT_EQ(pickle_error(push_global("__builtin__", "eval") + "."), "offset 0: " + refused_global("builtins.eval"));
}

TEST(PickleGlobals, EscapesTheNameThatItRefuses) {
  EXPECT_EQ(pickle_error("cos\x1b[2J\nsys\xFF\n."), "offset 0: " + refused_global("os\\x1b[2J.sys\\xff"));
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

TEST(PickleGlobals, RefusesToCallAName) {
  EXPECT_EQ(pickle_error(call("good.name", ")")), "offset 12: good.name is not a function that may be called");
}

TEST(PickleGlobals, RefusesToCallAClass) {
  EXPECT_EQ(pickle_error(call("good.Class", ")")), "offset 13: good.Class is not a function that may be called");
}

TEST(PickleGlobals, RefusesToCallWhatIsNoGlobal) {
  EXPECT_EQ(pickle_error("K\x01)R."), "offset 3: only a function can be called");
  EXPECT_EQ(pickle_error(push_text("os.system") + ")R."), "offset 15: only a function can be called");
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

TEST(PickleGlobals, MakesAnObjectOfAnAllowedClass) {
  EXPECT_EQ(value_of(push_global("good", "Class") + ")\x81}K\x01K\x02sb."), "object(good.Class | {1, 2})");
}

TEST(PickleGlobals, RefusesNewObjectsOfOtherClasses) {
  const std::string message = "only a class of a TorchScript archive can be made into an object";
  EXPECT_EQ(pickle_error(push_global("good", "function") + ")\x81."), "offset 16: " + message);
  EXPECT_EQ(pickle_error("K\x01)\x81."), "offset 3: " + message);
}

TEST(PickleGlobals, KeepsTheStateOfAnOrderedDict) {
  EXPECT_EQ(value_of(push_global("collections", "OrderedDict") + ")R}" + push_text("_metadata") + "}sb."),
            "OrderedDict{ | {\"_metadata\", {}}}");
}

TEST(PickleGlobals, RefusesStateForAnythingElse) {
  const std::string message = "state can be given to an OrderedDict only, as a dict";
  EXPECT_EQ(pickle_error("}}b."), "offset 2: " + message);
  EXPECT_EQ(pickle_error("]}b."), "offset 2: " + message);
  EXPECT_EQ(pickle_error(push_global("good", "name") + "}b."), "offset 12: " + message);
  EXPECT_EQ(pickle_error(push_global("good", "function") + ")R}b."), "offset 18: " + message);
}

TEST(PickleGlobals, RefusesStateThatIsNoDict) {
  EXPECT_EQ(pickle_error(push_global("collections", "OrderedDict") + ")R]b."),
            "offset 28: state can be given to an OrderedDict only, as a dict");
}

TEST(PickleGlobals, RefusesTheOpcodesThatConstructByNameOrRegistry) {
  EXPECT_EQ(pickle_error("(ios\nsystem\n."), "offset 1: opcode 0x69 is not allowed in a state_dict");
  EXPECT_EQ(pickle_error("(cgood\nClass\no."), "offset 13: opcode 0x6f is not allowed in a state_dict");
  EXPECT_EQ(pickle_error(push_global("good", "Class") + ")}\x92."),
            "offset 14: opcode 0x92 is not allowed in a state_dict");
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
