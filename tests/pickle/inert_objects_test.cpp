// Objects of classes that nobody knows here: kept as what the file says of them, and nothing is run.
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
using test::repeated;
using test::value_of;
using namespace std::string_literals;

const std::string kClass = push_global("their", "Class");

TEST(InertObjects, AreMadeByEveryOpcodeThatConstructs) {
  EXPECT_EQ(value_of(kClass + "K\x01\x85R."), "their.Class<(1)>");
  EXPECT_EQ(value_of(kClass + "K\x01\x85\x81."), "their.Class<(1)>");
  EXPECT_EQ(value_of(kClass + "K\x01\x85}K\x02K\x03s\x92."), "their.Class<(1) **{2, 3}>");
  EXPECT_EQ(value_of("(K\x01itheir\nClass\n."), "their.Class<(1)>");
  EXPECT_EQ(value_of("(" + kClass + "K\x01o."), "their.Class<(1)>");
}

TEST(InertObjects, AreMadeOfACopyregReconstructorsClass) {
  const std::string arguments = "(" + kClass + push_global("builtins", "object") + "NtR.";
  EXPECT_EQ(value_of(push_global("copyreg", "_reconstructor") + arguments),
            "their.Class<(their.Class, builtins.object, None)>");
  EXPECT_EQ(value_of(push_global("copy_reg", "_reconstructor") + arguments),
            "their.Class<(their.Class, builtins.object, None)>");
}

TEST(InertObjects, AreMadeOfKnownNamesToo) {
  EXPECT_EQ(value_of(push_global("good", "name") + ")R."), "good.name<>");
  EXPECT_EQ(value_of(push_global("good", "function") + ")\x81."), "good.function<>");
}

TEST(InertObjects, OfInstAndObjAreWhatReduceWouldMake) {
  EXPECT_EQ(value_of("(K\x01igood\nfunction\n."), "call(good.function, 1)");
  EXPECT_EQ(value_of("(icollections\nOrderedDict\n."), "OrderedDict{}");
  EXPECT_EQ(value_of("(" + push_global("collections", "OrderedDict") + "o."), "OrderedDict{}");
}

TEST(InertObjects, KeepTheirState) {
  EXPECT_EQ(value_of(kClass + ")\x81}K\x01K\x02sb."), "their.Class<| {1, 2}>");
  EXPECT_EQ(value_of(kClass + ")\x81(NK\x01tb."), "their.Class<| (None, 1)>");
  EXPECT_EQ(value_of(kClass + ")\x81K\x07"
                              "b."),
            "their.Class<| 7>");
}

TEST(InertObjects, KeepPairsAndItems) {
  EXPECT_EQ(value_of(kClass + ")RK\x01K\x02sK\x03K\x04s."), "their.Class<{1, 2, 3, 4}>");
  EXPECT_EQ(value_of(kClass + ")R(K\x01K\x02u."), "their.Class<{1, 2}>");
  EXPECT_EQ(value_of(kClass + ")RK\x01"
                              "a."),
            "their.Class<[1]>");
  EXPECT_EQ(value_of(kClass + ")R(K\x01K\x02"
                              "e."),
            "their.Class<[1, 2]>");
  EXPECT_EQ(value_of(kClass + ")R(K\x01\x90."), "their.Class<[1]>");
  EXPECT_EQ(value_of(kClass + ")R(K\x01K\x02u(K\x03"
                              "e}b."),
            "their.Class<[3] {1, 2} | {}>");
}

TEST(InertObjects, HoldAKeyOnceAsADictDoes) {
  EXPECT_EQ(value_of(kClass + ")R(K\x01K\x02K\x01K\x03u."), "their.Class<{1, 3}>");
}

TEST(InertObjects, MayBeCalledThemselves) {
  const std::string getattr = push_global("builtins", "getattr") + kClass + push_text("of") + "\x86R";
  EXPECT_EQ(value_of(getattr + "K\x01\x85R."), "builtins.getattr<(their.Class, \"of\")><(1)>");
}

TEST(InertObjects, HaveTheNameOfWhatWasCalledInTheEnd) {
  const test::ReadPickle read(kClass + repeated(")R", 100'000) + ".");
  EXPECT_EQ(read.document.text(read.document.object(read.root).name), "their.Class");
}

TEST(InertObjects, AndNamesAreKeysOfADict) {
  EXPECT_EQ(value_of("}" + kClass + "K\x01s" + kClass + "K\x02\x85RK\x02s."), "{their.Class, 1, their.Class<(2)>, 2}");
}

TEST(InertObjects, OneObjectIsOneKey) {
  EXPECT_EQ(value_of("}" + kClass + ")Rq\0K\x01sh\0K\x02s."s), "{their.Class<>, 2}");
}

TEST(InertObjects, MayContainThemselvesInEveryPart) {
  EXPECT_EQ(value_of(kClass + ")Rq\0}K\x01h\0sb."s), "their.Class<| {1, their.Class(…)}>");
  EXPECT_EQ(value_of(kClass + ")Rq\0h\0b."s), "their.Class<| their.Class(…)>");
  EXPECT_EQ(value_of(kClass + ")Rq\0K\x01h\0s."s), "their.Class<{1, their.Class(…)}>");
  EXPECT_EQ(value_of(kClass + ")Rq\0h\0K\x01s."s), "their.Class<{their.Class(…), 1}>");
  EXPECT_EQ(value_of(kClass + ")Rq\0h\0a."s), "their.Class<[their.Class(…)]>");
}

TEST(InertObjects, DoNotMakeACycleOfPlainListsLawful) {
  EXPECT_EQ(pickle_error(kClass + "]q\0h\0a\x85R."s), "offset 13: a value contains itself");
  EXPECT_EQ(pickle_error(kClass + ")R]q\0h\0ab."s), "offset 15: a value contains itself");
}

TEST(InertObjects, AreReadInAChainOfAMillion) {
  EXPECT_EQ(
      pickle_error(kClass + "q\0"s + repeated("h\0)R"s, 1) + repeated("h\0)Rq\x01\x30h\0h\x01\x85R"s, 250'000) + "."),
      "");
  EXPECT_EQ(pickle_error("N" + repeated("q\x01\x30" + kClass + "h\x01\x85R", 300'000) + "."), "");
}

TEST(InertObjects, NestPlainValuesAThousandLevelsDeepBetweenThem) {
  const auto nested = [](std::size_t levels) { return repeated("]", levels) + repeated("a", levels - 1); };
  EXPECT_EQ(pickle_error(kClass + nested(900) + "\x85R" + repeated("\x85", 900) + "."), "");
  EXPECT_TRUE(pickle_error(kClass + nested(1001) + "\x85R.").ends_with(": nested more than 1000 levels deep"));
}

TEST(InertObjects, DoNotHideTuplesThatDouble) {
  const std::string message = pickle_error(kClass + ")RN" + repeated("2\x86", 900) + "b.");
  EXPECT_TRUE(message.ends_with(": shared values unfold to more than 16000000")) << message;
}

TEST(InertObjects, DoNotCopyTheirArguments) {
  const std::string tuple = "(" + repeated("N", 3000) + "t";
  const test::ReadPickle read(kClass + "q\0"s + tuple + "q\x01(" + repeated("h\0h\x01R"s, 3000) + "l.");
  std::size_t held = 0;
  for (std::size_t i = 0; i < read.document.container_count(); ++i) {
    held += read.document.items(read.document.container(i)).size();
  }
  EXPECT_LE(held, 20'000U);
}

TEST(InertObjects, AreRefusedWhereArgumentsAreNoTuple) {
  EXPECT_EQ(pickle_error(kClass + "]R."), "offset 14: a function's arguments are not a tuple");
  EXPECT_EQ(pickle_error(kClass + "]\x81."), "offset 14: a function's arguments are not a tuple");
  EXPECT_EQ(pickle_error(kClass + ")]\x92."), "offset 15: a function's keyword arguments are not a dict");
}

TEST(InertObjects, AreRefusedWhereNothingIsThereToMakeThemOf) {
  EXPECT_EQ(pickle_error("(o."), "offset 1: the stack is empty");
  EXPECT_EQ(pickle_error("K\x01)\x81."), "offset 3: only a name or an object can be called");
  EXPECT_EQ(pickle_error("(K\x01o."), "offset 3: only a name or an object can be called");
  EXPECT_EQ(pickle_error("itheir\nClass\n."), "offset 0: there is no MARK");
  EXPECT_EQ(pickle_error("o."), "offset 0: there is no MARK");
}

TEST(InertObjects, OfAttackNamesAreRefusedWhereverTheNameStands) {
  const std::string message = test::attack_name("os.system");
  EXPECT_EQ(pickle_error("(" + push_text("x") + "ios\nsystem\n."), "offset 7: " + message);
  EXPECT_EQ(pickle_error("(cos\nsystem\no."), "offset 1: " + message);
  EXPECT_EQ(pickle_error("}cos\nsystem\nK\x01s."), "offset 1: " + message);
  EXPECT_EQ(pickle_error(kClass + "cos\nsystem\n\x85R."), "offset 13: " + message);
}

TEST(InertObjects, OfAModulesPersistentIdAreOfItsClass) {
  const std::string id = test::push_tuple({push_text("module"), kClass, push_text("f.py"), push_text("source")}) + "Q";
  EXPECT_EQ(value_of(id + ")\x81."), "their.Class<>");
}

TEST(InertObjects, AreReadOrRefusedAtEveryTruncation) {
  const std::string good = kClass + "q\0K\x01\x85R}K\x01h\0sb(K\x01K\x02u(N\x90(h\0o(itheir\nOther\nh\0)}\x92t."s;
  for (std::size_t length = 0; length < good.size(); ++length) {
    EXPECT_NE(pickle_error(good.substr(0, length)), "") << length;
  }
}

}  // namespace
}  // namespace iris
