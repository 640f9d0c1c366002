#include "tensor_file/selection.h"

#include <gtest/gtest.h>

#include "support/read_file_bytes.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using test::pickle_of;
using test::push_dict;
using test::push_int;
using test::push_tensor;
using test::push_text;

TensorFile file_of(const std::string& root) {
  return test::read_bytes(test::torch_zip(pickle_of(root), {{"0", std::string(24, 'd')}}));
}

std::string names_in(const std::string& root, const std::optional<std::string>& key = {}) {
  const TensorFile file = file_of(root);
  std::string names;
  for (const NamedTensor& named : named_tensors(file, select_state_dict(file, key).dict)) {
    names += (names.empty() ? "" : " ") + named.name;
  }
  return names;
}

std::string selection_error(const std::string& root, const std::optional<std::string>& key = {}) {
  return test::error_of<FormatError>([&] { names_in(root, key); });
}

std::string tensors(const std::string& name) { return push_dict({push_text(name), push_tensor()}); }

TEST(Selection, TakesTheRootThatHoldsTensors) { EXPECT_EQ(names_in(tensors("w")), "w"); }

TEST(Selection, TakesAnEmptyRoot) { EXPECT_EQ(names_in("}"), ""); }

TEST(Selection, TakesTheFirstOfTheUsualKeys) {
  EXPECT_EQ(names_in(push_dict({push_text("model"), tensors("a"), push_text("model_state_dict"), tensors("b"),
                                push_text("state_dict"), tensors("c")})),
            "b");
  EXPECT_EQ(names_in(push_dict({push_text("model"), tensors("a"), push_text("model_state"), tensors("b")})), "b");
}

TEST(Selection, TakesAUsualKeyBesideALooseTensor) {
  EXPECT_EQ(names_in(push_dict({push_text("loss"), push_tensor(), push_text("state_dict"), tensors("a")})), "a");
}

TEST(Selection, TakesTheOnlyDictionaryOfTensors) {
  EXPECT_EQ(names_in(push_dict({push_text("epoch"), push_int(3), push_text("netG"), tensors("a")})), "a");
}

TEST(Selection, TakesTheKeyAskedFor) {
  const std::string root = push_dict({push_text("netG"), tensors("a"), push_text("netD"), tensors("b")});
  EXPECT_EQ(names_in(root, "netD"), "b");
}

TEST(Selection, FollowsAKeyThroughDots) {
  const std::string root = push_dict({push_text("outer"), push_dict({push_text("inner.most"), tensors("a")})});
  EXPECT_EQ(names_in(root, "outer.inner.most"), "a");
}

TEST(Selection, AsksForAKeyWhereThereAreSeveral) {
  EXPECT_EQ(selection_error(push_dict({push_text("netG"), tensors("a"), push_text("netD"), tensors("b")})),
            "holds several state_dicts: netG, netD");
}

TEST(Selection, NamesTheInnerDictionariesWhereOnlyTheyHoldTensors) {
  const std::string inner = push_dict({push_text("encoder"), tensors("a"), push_text("head"), tensors("b")});
  EXPECT_EQ(selection_error(push_dict({push_text("model"), inner})),
            "holds tensors in inner dictionaries only: model.encoder, model.head");
}

TEST(Selection, LooksIntoNoDictionaryUnderALongKeyForItsMessage) {
  const std::string inner = push_dict({push_text("inner"), tensors("a")});
  EXPECT_EQ(selection_error(push_dict({push_text(std::string(201, 'k')), inner}), "netX"),
            "there is no dictionary \"netX\" in it; there is none to choose from");
}

TEST(Selection, NamesTheKeysThereAreForOneThatIsNot) {
  EXPECT_EQ(selection_error(push_dict({push_text("netG"), tensors("a"), push_text("epoch"), push_int(1)}), "netX"),
            "there is no dictionary \"netX\" in it; there are: netG");
}

TEST(Selection, RefusesAKeyOfAPlainValue) {
  EXPECT_EQ(selection_error(push_dict({push_text("netG"), tensors("a"), push_text("epoch"), push_int(1)}), "epoch"),
            "there is no dictionary \"epoch\" in it; there are: netG");
}

TEST(Selection, SaysThatAPlainStateDictHasNoKeysToChooseFrom) {
  EXPECT_EQ(selection_error(tensors("w"), "model"),
            "there is no dictionary \"model\" in it; there is none to choose from");
}

TEST(Selection, LetsTheCallerChooseAKey) {
  const std::string several = push_dict({push_text("netG"), tensors("a"), push_text("netD"), tensors("b")});
  EXPECT_EQ(test::choice_of<FormatError>([&] { names_in(several); }).of, Choice::Of::kKey);
  EXPECT_EQ(test::choice_of<FormatError>([&] { names_in(several, "netX"); }).of, Choice::Of::kKey);
}

TEST(Selection, RefusesAFileWithoutTensors) {
  EXPECT_EQ(selection_error(push_dict({push_text("epoch"), push_int(1), push_int(2), push_int(3)})),
            "holds no dictionary of tensors; its keys are: epoch, 2");
}

TEST(Selection, RefusesARootThatIsNoDictionary) {
  const std::string advice = ", not a state_dict; save one, in Python: torch.save(model.state_dict(), \"model.pt\")";
  EXPECT_EQ(selection_error(push_tensor()), "holds one tensor" + advice);
  EXPECT_EQ(selection_error("]"), "holds no dictionary" + advice);
}

TEST(NamedTensors, HaveDottedNamesInTheFilesOrder) {
  const std::string root = push_dict({push_text("z"), push_tensor(), push_text("a"),
                                      test::push_list({push_tensor(), tensors("b")}), push_int(7), push_tensor()});
  EXPECT_EQ(names_in(root), "z a.0 a.1.b 7");
}

TEST(ShapeText, IsAsPythonPrintsIt) {
  EXPECT_EQ(shape_text({}), "()");
  EXPECT_EQ(shape_text({16}), "(16,)");
  EXPECT_EQ(shape_text({16, 4}), "(16, 4)");
}

}  // namespace
}  // namespace iris
