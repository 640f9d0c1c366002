#include "cli/convert.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/command_line.h"
#include "support/errors.h"
#include "support/golden.h"
#include "support/read_pickle.h"
#include "support/temp_file.h"
#include "tensor_file/selection.h"

namespace iris {
namespace {

using Lines = std::vector<std::string>;

// What convert would write of a fixture, and what it tells.
struct Converted {
  explicit Converted(const std::string& name, TensorFormat format = TensorFormat::kZip,
                     const ConvertOptions& options = {})
      : file(read_tensor_file(test::fixture(name))),
        value(value_to_write(file, options, format, [this](const std::string& line) { told.push_back(line); })) {}

  bool is_root() const { return value.kind == file.root.kind && value.index == file.root.index; }
  std::string first_name() const { return named_tensors(file, value).at(0).name; }

  TensorFile file;
  Lines told;
  pickle::Value value;
};

ConvertOptions with_key(const std::string& key) {
  ConvertOptions options;
  options.key = key;
  return options;
}

ConvertOptions with_prefix(const std::string& prefix) {
  ConvertOptions options;
  options.strip_prefix = prefix;
  return options;
}

TEST(ConvertFormat, IsThatOfTheExtension) {
  EXPECT_EQ(format_of("out.safetensors"), TensorFormat::kSafetensors);
  EXPECT_EQ(format_of("out.pt"), TensorFormat::kZip);
  EXPECT_EQ(format_of("out.pth"), TensorFormat::kZip);
}

TEST(ConvertFormat, IsAZipOnStdout) { EXPECT_EQ(format_of("-"), TensorFormat::kZip); }

TEST(ConvertFormat, RefusesAnotherExtension) {
  EXPECT_EQ(test::error_of<UsageError>([] { format_of("out.bin"); }),
            "out.bin: its extension does not say what to write; use .pt, .pth or .safetensors");
}

TEST(ConvertedValue, IsAllOfAFile) {
  const Converted converted("checkpoint.pt");
  EXPECT_TRUE(converted.is_root());
  EXPECT_EQ(converted.told, Lines());
}

TEST(ConvertedValue, IsTheModelsDictionaryForSafetensors) {
  const Converted converted("checkpoint.pt", TensorFormat::kSafetensors);
  EXPECT_FALSE(converted.is_root());
  EXPECT_EQ(converted.first_name(), "fc1.weight");
  EXPECT_EQ(converted.told,
            Lines({"written: model_state_dict",
                   "left out, as safetensors holds one dictionary of tensors: epoch, optimizer_state_dict, loss"}));
}

TEST(ConvertedValue, IsAllOfAPlainStateDictForSafetensors) {
  const Converted converted("iris_net.pt", TensorFormat::kSafetensors);
  EXPECT_TRUE(converted.is_root());
  EXPECT_EQ(converted.told, Lines());
}

TEST(ConvertedValue, IsTheDictionaryOfTheKey) {
  const Converted converted("checkpoint.pt", TensorFormat::kSafetensors, with_key("model_state_dict"));
  EXPECT_EQ(converted.first_name(), "fc1.weight");
  EXPECT_EQ(converted.told, Lines());
}

TEST(ConvertedValue, HasItsNamesWithoutThePrefix) {
  EXPECT_EQ(Converted("data_parallel.pt", TensorFormat::kZip, with_prefix("module.")).first_name(), "fc1.weight");
}

TEST(ConvertedValue, RefusesAPrefixThatNoNameHas) {
  EXPECT_EQ(test::error_of<FormatError>([] { Converted("iris_net.pt", TensorFormat::kZip, with_prefix("module.")); }),
            "no name begins with \"module.\"; iris inspect shows them");
}

TEST(ConvertedValue, IsTheStateDictOfATorchScript) {
  const Converted converted("scripted.pt");
  EXPECT_EQ(converted.value.kind, pickle::Kind::kOrderedDict);
  EXPECT_EQ(converted.first_name(), "fc1.weight");
}

TEST(ConvertVerb, RefusesAKeyOfATorchScript) {
  const test::TempFolder folder;
  EXPECT_EQ(
      test::usage_error(add_convert, {"convert", test::fixture("scripted.pt"), folder / "out.pt", "--key", "model"}),
      "--key is for checkpoints; this is an archive of one module");
  EXPECT_EQ(folder.file_count(), 0);
}

TEST(ConvertVerb, RefusesAnotherExtensionBeforeItReads) {
  EXPECT_EQ(test::usage_error(add_convert, {"convert", "missing.pt", "out"}),
            "out: its extension does not say what to write; use .pt, .pth or .safetensors");
}

TEST(ConvertVerb, PutsTheInputsNameBeforeWhatIsWrongWithIt) {
  const test::TempFolder folder;
  CLI::App app("", "iris");
  iris::Run run;
  add_convert(app, run);
  const std::string input = test::fixture("frozen.pt");
  app.parse(std::vector<std::string>{folder / "out.pt", input, "convert"});
  EXPECT_EQ(test::error_of<FormatError>(run),
            input + ": is a frozen TorchScript: its tensors are constants of its code and have lost their names");
  EXPECT_EQ(folder.file_count(), 0);
}

}  // namespace
}  // namespace iris
