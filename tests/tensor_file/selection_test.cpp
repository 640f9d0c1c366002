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
            "holds several state_dicts: model.encoder, model.head");
}

TEST(Selection, CutsALongKeyInItsMessage) {
  const std::string inner = push_dict({push_text("inner"), tensors("a")});
  EXPECT_EQ(selection_error(push_dict({push_text(std::string(201, 'k')), inner}), "netX"),
            "there is no dictionary \"netX\" in it; there are: " + std::string(201, 'k'));
}

TEST(Selection, TakesTheInnerDictionaryBesideLooseTensors) {
  EXPECT_EQ(names_in(push_dict({push_text("net"), tensors("a"), push_text("rng_state"), push_tensor()})), "a");
  EXPECT_EQ(names_in(push_dict({push_text("weights"), tensors("a"), push_text("mean"), push_tensor()})), "a");
}

TEST(Selection, TakesTheOnlyDictionaryHoweverDeep) {
  const std::string inner = push_dict({push_text("state_dict"), tensors("a")});
  EXPECT_EQ(names_in(push_dict({push_text("model"), inner})), "a");
  EXPECT_EQ(names_in(test::push_tuple({tensors("a"), push_dict({push_text("hidden"), push_int(16)})})), "a");
  EXPECT_EQ(names_in(test::push_list({push_int(1), test::push_list({inner})})), "a");
}

TEST(Selection, PassesOverWhatTrainingKeeps) {
  const std::string optimizer =
      push_dict({push_text("state"), push_dict({push_int(0), tensors("exp_avg")}), push_text("param_groups"), "]"});
  EXPECT_EQ(names_in(push_dict({push_text("net"), tensors("a"), push_text("a_trainer"), optimizer})), "a");
  for (const char* name : {"optimizer", "optim", "lr_scheduler", "rng_state", "torch_rng", "random_states", "d_opt"}) {
    EXPECT_EQ(names_in(push_dict({push_text("net"), tensors("a"), push_text(name), tensors("b")})), "a") << name;
  }
}

TEST(Selection, ChoosesNothingInAFileOfAnOptimizerAlone) {
  const std::string optimizer =
      push_dict({push_text("state"), push_dict({push_int(0), tensors("exp_avg")}), push_text("param_groups"), "]"});
  EXPECT_EQ(selection_error(optimizer), "holds no state_dict of a model; other dictionaries of tensors are: state.0");
  EXPECT_EQ(names_in(optimizer, "state.0"), "exp_avg");
}

TEST(Selection, KeepsExtraStateInItsDictionary) {
  EXPECT_EQ(
      names_in(push_dict({push_text("fc.weight"), push_tensor(), push_text("fc._extra_state"), tensors("scale")})),
      "fc.weight fc._extra_state.scale");
}

TEST(Selection, AsksWhereADictionaryHoldsTensorsAndAnotherDictionary) {
  const std::string outer = push_dict({push_text("w"), push_tensor(), push_text("inner"), tensors("a")});
  EXPECT_EQ(selection_error(push_dict({push_text("net"), outer})), "holds several state_dicts: net, net.inner");
  EXPECT_EQ(names_in(push_dict({push_text("model"), outer})), "w inner.a");
}

TEST(Selection, TakesTheRootForADot) {
  EXPECT_EQ(names_in(push_dict({push_text("net"), tensors("a"), push_text("w"), push_tensor()}), "."), "net.a w");
}

TEST(Selection, FollowsNumbersOfListsAndKeysThatAreNoTexts) {
  EXPECT_EQ(names_in(test::push_list({tensors("a"), tensors("b")}), "1"), "b");
  EXPECT_EQ(names_in(push_dict({push_int(7), tensors("a"), "N", tensors("b")}), "7"), "a");
  EXPECT_EQ(names_in(push_dict({push_int(7), tensors("a"), "N", tensors("b")}), "None"), "b");
}

const std::string kClass = test::push_global("their", "Class");

TEST(Selection, TakesAnObjectThatIsADictOfTensors) {
  EXPECT_EQ(names_in(push_dict({push_text("net"), kClass + ")R" + push_text("w") + push_tensor() + "s"})), "w");
}

TEST(Selection, LooksAmongAttributesWhereThereIsNoOtherDictionary) {
  const std::string trainer = kClass + ")R" + push_dict({push_text("best"), tensors("a")}) + "b";
  EXPECT_EQ(names_in(push_dict({push_text("trainer"), trainer})), "a");
  EXPECT_EQ(names_in(push_dict({push_text("trainer"), trainer, push_text("net"), tensors("b")})), "b");
  EXPECT_EQ(names_in(push_dict({push_text("trainer"), trainer, push_text("net"), tensors("b")}), "trainer.best"), "a");
  EXPECT_EQ(names_in(trainer), "a");
}

TEST(Selection, GoesRoundNoCycleOfObjects) {
  const std::string object = kClass + ")Rq\x05}" + push_text("me") + "h\x05s" + push_text("sd") + tensors("a") + "sb";
  EXPECT_EQ(names_in(object), "a");
  EXPECT_EQ(names_in(object, "me.me.me.sd"), "a");
}

TEST(Selection, NamesTheClassOfAnObjectWithoutTensors) {
  EXPECT_EQ(selection_error(kClass + ")R"),
            "holds an object of their.Class without a dictionary of tensors; save the model's, in Python: "
            "torch.save(model.state_dict(), \"model.pt\")");
}

std::string tensor_fact(const std::string& root) {
  const TensorFile file = file_of(root);
  return test::error_of<FormatError>([&] { require_all_tensors(file, select_state_dict(file, {}).dict); });
}

TEST(RequireAllTensors, NamesTheFunctionThatWouldMakeOne) {
  const auto made_by = [](const std::string& module, const std::string& name) {
    return push_dict({push_text("w"),
                      test::push_call(test::push_global(module, name), {test::push_storage("FloatStorage", "0", 6)})});
  };
  EXPECT_EQ(tensor_fact(made_by("their", "rebuild")), "tensor \"w\" is made by their.rebuild, which is not computed");
  EXPECT_EQ(tensor_fact(made_by("torch.storage", "_load_from_bytes")),
            "tensor \"w\" is made by torch.storage._load_from_bytes, which is not computed");
  EXPECT_EQ(tensor_fact(made_by("torch._utils", "_rebuild_qtensor")),
            "tensor \"w\" is made by torch._utils._rebuild_qtensor, which is not computed: it is quantized; save it "
            "dequantized, in Python: torch.save({name: t.dequantize() if t.is_quantized else t for name, t in "
            "state_dict.items()}, \"model.pt\")");
}

TEST(RequireAllTensors, MindsNoOtherObject) {
  EXPECT_EQ(tensor_fact(push_dict({push_text("w"), push_tensor(), push_text("args"), kClass + ")R"})), "");
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
  EXPECT_EQ(names_in(root, "."), "z a.0 a.1.b 7");
}

TEST(ShapeText, IsAsPythonPrintsIt) {
  EXPECT_EQ(shape_text({}), "()");
  EXPECT_EQ(shape_text({16}), "(16,)");
  EXPECT_EQ(shape_text({16, 4}), "(16, 4)");
}

}  // namespace
}  // namespace iris
