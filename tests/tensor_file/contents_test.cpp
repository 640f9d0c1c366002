#include "tensor_file/contents.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/golden.h"
#include "support/read_file_bytes.h"
#include "support/read_pickle.h"
#include "support/zip_bytes.h"
#include "text.h"

namespace iris {
namespace {

using test::fixture;
using test::push_dict;
using test::push_int;
using test::push_tensor;
using test::push_text;

TensorFile file_of(const std::string& root) {
  return test::read_bytes(test::torch_zip(test::pickle_of(root), {{"0", std::string(24, 'd')}}));
}

std::string tensors(const std::string& name) { return push_dict({push_text(name), push_tensor()}); }

std::string keys_of(const std::vector<NamedValue>& values) {
  std::vector<std::string> keys;
  for (const NamedValue& value : values) {
    keys.push_back(value.name);
  }
  return text::joined(keys);
}

std::string names_of(const std::vector<NamedTensor>& named_tensors) {
  std::vector<std::string> names;
  for (const NamedTensor& named : named_tensors) {
    names.push_back(named.name);
  }
  return text::joined(names);
}

std::string left_out(const std::string& root, const std::optional<std::string>& key = {}) {
  const TensorFile file = file_of(root);
  return keys_of(values_left_out(file, select_state_dict(file, key)));
}

Contents contents(const std::string& fixture_name, const std::optional<std::string>& key = {}) {
  return contents_of(read_tensor_file(fixture(fixture_name)), key);
}

TEST(EntriesLeftOut, AreAllButTheSelectedOne) {
  EXPECT_EQ(left_out(push_dict({push_text("epoch"), push_int(3), push_text("model"), tensors("a"),
                                push_text("optimizer"), tensors("b")})),
            "epoch, optimizer");
}

TEST(EntriesLeftOut, AreThoseWithoutATensorWhereTheRootIsSelected) {
  EXPECT_EQ(left_out(push_dict({push_text("weight"), push_tensor(), push_text("epoch"), push_int(3), push_text("cfg"),
                                push_dict({})})),
            "epoch, cfg");
}

TEST(EntriesLeftOut, AreNoneOfAPlainStateDict) { EXPECT_EQ(left_out(tensors("weight")), ""); }

TEST(EntriesLeftOut, AreThoseOnEachLevelDownToTheSelectedOneAndInIt) {
  const std::string inner = push_dict({push_text("w"), push_tensor(), push_text("cfg"), push_int(1)});
  const std::string outer = push_dict({push_text("inner"), inner, push_text("lr"), push_int(2)});
  EXPECT_EQ(left_out(push_dict({push_text("outer"), outer, push_text("epoch"), push_int(3)}), "outer.inner"),
            "epoch, outer.lr, outer.inner.cfg");
}

TEST(EntriesLeftOut, AreFoundBesideTensorsOnAnyLevel) {
  const std::string block = push_dict({push_text("w"), push_tensor(), push_text("stride"), push_int(2)});
  EXPECT_EQ(left_out(push_dict({push_text("model"), push_dict({push_text("blocks"), test::push_list({block, block}),
                                                               push_text("w"), push_tensor()})})),
            "model.blocks.0.stride, model.blocks.1.stride");
}

TEST(EntriesLeftOut, AreToldFromTheSelectedOneByTheWholeKey) {
  const std::string key(300, 'k');
  EXPECT_EQ(left_out(push_dict({push_text(key), tensors("a"), push_text(key + "2"), tensors("b")}), key), key + "2");
}

TEST(EntriesLeftOut, HaveANumberThatReadsAsTheSelectedKey) {
  EXPECT_EQ(left_out(push_dict({push_int(1), push_int(2), push_text("1"), tensors("a")}), "1"), "1");
}

TEST(Contents, OfAStateDictAreItsTensors) {
  const TensorFile file = read_tensor_file(fixture("iris_net.pt"));
  const Contents contents = contents_of(file, {});
  EXPECT_EQ(contents.kind, Contents::Kind::kStateDict);
  EXPECT_EQ(contents.key, "");
  EXPECT_EQ(names_of(contents.tensors), "fc1.weight, fc1.bias, fc2.weight, fc2.bias");
  EXPECT_TRUE(contents.left_out.empty());
}

TEST(Contents, OfACheckpointAreTheModelsTensorsAndTheOtherEntries) {
  const TensorFile file = read_tensor_file(fixture("checkpoint.pt"));
  const Contents contents = contents_of(file, {});
  EXPECT_EQ(contents.kind, Contents::Kind::kCheckpoint);
  EXPECT_EQ(contents.key, "model_state_dict");
  EXPECT_EQ(names_of(contents.tensors), "fc1.weight, fc1.bias, fc2.weight, fc2.bias");
  EXPECT_EQ(keys_of(contents.left_out), "epoch, optimizer_state_dict, loss");
}

TEST(Contents, OfACheckpointOfSeveralModelsAreAllTensors) {
  const TensorFile file = file_of(push_dict({push_text("netG"), tensors("a"), push_text("netD"), tensors("b")}));
  const Contents contents = contents_of(file, {});
  EXPECT_EQ(contents.kind, Contents::Kind::kCheckpoint);
  EXPECT_EQ(contents.key, "");
  EXPECT_EQ(names_of(contents.tensors), "netG.a, netD.b");
}

TEST(Contents, RefuseAKeyThatIsNotThere) {
  EXPECT_NE(test::error_of<FormatError>([] { contents("checkpoint.pt", "nothing"); }), "");
}

TEST(Contents, OfATorchScriptAreOfThatKind) { EXPECT_EQ(contents("scripted.pt").kind, Contents::Kind::kTorchScript); }

TEST(Contents, OfAFrozenTorchScriptHaveTheConstantsOfItsCodeBesideThem) {
  const TensorFile file = read_tensor_file(fixture("frozen.pt"));
  const Contents contents = contents_of(file, {});
  EXPECT_EQ(names_of(contents.tensors), "");
  EXPECT_TRUE(keys_of(contents.left_out).starts_with("CONSTANTS.c0"));
}

TEST(Totals, CountEveryElement) {
  const TensorFile file = read_tensor_file(fixture("iris_net.pt"));
  EXPECT_EQ(totals_of(file, contents_of(file, {}).tensors).elements, 4U * 16 + 16 + 16 * 3 + 3);
}

TEST(Totals, CountASharedStorageOnce) {
  const TensorFile file = file_of(push_dict({push_text("a"), push_tensor(), push_text("b"), push_tensor()}));
  const Totals totals = totals_of(file, contents_of(file, {}).tensors);
  EXPECT_EQ(totals.elements, 12U);
  EXPECT_EQ(totals.bytes, 24U);
}

TEST(Totals, StayAtTheLargestNumber) {
  const std::string huge =
      push_tensor({.shape = test::push_ints({std::int64_t{1} << 60, 1}), .strides = test::push_ints({0, 1})});
  std::vector<std::string> entries;
  for (int i = 0; i < 17; ++i) {
    entries.insert(entries.end(), {push_text(std::to_string(i)), huge});
  }
  const TensorFile file = file_of(push_dict(entries));
  EXPECT_EQ(totals_of(file, contents_of(file, {}).tensors).elements, ~std::uint64_t{0});
}

TEST(Contents, OfATorchScriptAreItsStateDict) {
  const TensorFile file = read_tensor_file(fixture("scripted.pt"));
  EXPECT_EQ(file.root.kind, pickle::Kind::kOrderedDict);
  EXPECT_EQ(names_of(contents_of(file, {}).tensors), "fc1.weight, fc1.bias, fc2.weight, fc2.bias");
}

TEST(RequireNames, RefusesAFrozenModule) {
  const TensorFile file = read_tensor_file(fixture("frozen.pt"));
  EXPECT_EQ(test::error_of<FormatError>([&] { require_names(file); }),
            "is a frozen TorchScript: its tensors are constants of its code and have lost their names");
}

}  // namespace
}  // namespace iris
