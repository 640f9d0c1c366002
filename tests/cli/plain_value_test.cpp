#include "cli/plain_value.h"

#include <gtest/gtest.h>

#include "support/read_file_bytes.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using test::push_dict;
using test::push_global;
using test::push_int;
using test::push_tensor;
using test::push_text;

TensorFile file_of(const std::string& root) {
  return test::read_bytes(test::torch_zip(test::pickle_of(root), {{"0", std::string(24, 'd')}}));
}

std::string text_of(const std::string& root) {
  const TensorFile file = file_of(root);
  return plain_text(file, file.root);
}

// The JSON of a value, under the name v.
std::string json_of(const std::string& root) {
  const TensorFile file = file_of(root);
  return plain_json(file, {{"v", file.root}}).dump();
}

std::string push_float(const std::string& big_endian) { return "G" + big_endian; }

const std::string kPushQuarter = push_float(std::string("\x3f\xd0\0\0\0\0\0\0", 8));
const std::string kPushNan = push_float(std::string("\x7f\xf8\0\0\0\0\0\0", 8));
const std::string kPushMinusInfinity = push_float(std::string("\xff\xf0\0\0\0\0\0\0", 8));

TEST(PlainText, OfANumberIsTheNumber) { EXPECT_EQ(text_of(push_int(10)), "10"); }

TEST(PlainText, OfAFloatIsItsShortestText) { EXPECT_EQ(text_of(kPushQuarter), "0.25"); }

TEST(PlainText, OfWhatIsNotFiniteIsAsPythonPrintsIt) {
  EXPECT_EQ(text_of(kPushNan), "nan");
  EXPECT_EQ(text_of(kPushMinusInfinity), "-inf");
}

TEST(PlainText, OfNoneAndBoolsIsAsPythonPrintsThem) {
  EXPECT_EQ(text_of(test::kPushNone), "None");
  EXPECT_EQ(text_of(test::kPushTrue), "True");
  EXPECT_EQ(text_of(test::kPushFalse), "False");
}

TEST(PlainText, OfATextIsFitForATerminal) { EXPECT_EQ(text_of(push_text("a\x1b[0m")), "a\\x1b[0m"); }

TEST(PlainText, OfATensorIsItsShapeAndDtype) { EXPECT_EQ(text_of(push_tensor()), "tensor (2, 3) float32"); }

TEST(PlainText, OfAContainerIsItsCount) {
  EXPECT_EQ(text_of(test::push_list({push_int(1), push_int(2)})), "list of 2 items");
  EXPECT_EQ(text_of(test::push_tuple({push_int(1)})), "tuple of 1 items");
  EXPECT_EQ(text_of(push_dict({push_text("a"), push_int(1)})), "dict of 1 entries");
}

TEST(PlainText, OfACallIsAsInPython) {
  EXPECT_EQ(text_of(test::push_call(push_global("torch", "device"), {push_text("cuda"), push_int(0)})),
            "torch.device(cuda, 0)");
}

TEST(PlainJson, OfADictHasItsKeysAsText) {
  EXPECT_EQ(json_of(push_dict({push_int(1), push_text("a"), push_text("b"), test::kPushNone})),
            R"({"v":{"1":"a","b":null}})");
}

TEST(PlainJson, OfAListIsAnArray) {
  EXPECT_EQ(json_of(test::push_list({test::kPushTrue, kPushQuarter})), R"({"v":[true,0.25]})");
}

TEST(PlainJson, OfATensorIsItsShapeAndDtype) {
  EXPECT_EQ(json_of(push_tensor()), R"({"v":{"shape":[2,3],"dtype":"float32"}})");
}

TEST(PlainJson, HasBothOfTwoValuesOfOneName) {
  const TensorFile file = file_of(test::push_list({push_int(1), push_int(2)}));
  const auto items = file.document.items(file.root);
  EXPECT_EQ(plain_json(file, {{"a", items[0]}, {"b", items[0]}, {"a", items[1]}}).dump(),
            R"_({"a":1,"b":1,"a (2)":2})_");
}

TEST(PlainJson, EndsWhereSharedValuesUnfoldToFarMoreThanTheFile) {
  std::string list = push_text(std::string(1000, 'x')) + "q\x01" + "0](";  // kept under number 1
  for (int i = 0; i < 200'000; ++i) {
    list += "h\x01";
  }
  const TensorFile file = file_of(list + "e");
  const auto json = plain_json(file, {{"v", file.root}});
  EXPECT_EQ(json["v"].size(), 200'000U);
  EXPECT_EQ(json["v"].front(), std::string(1000, 'x'));
  EXPECT_EQ(json["v"].back(), "…");
}

}  // namespace
}  // namespace iris
