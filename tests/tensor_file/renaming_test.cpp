#include "tensor_file/renaming.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/read_file_bytes.h"
#include "support/read_pickle.h"
#include "support/zip_bytes.h"
#include "text.h"

namespace iris {
namespace {

using test::push_dict;
using test::push_int;
using test::push_tensor;
using test::push_text;

// An OrderedDict of a tensor for each name; metadata: keys and values of its _metadata.
std::string state_dict(const std::vector<std::string>& names, const std::vector<std::string>& metadata = {}) {
  std::vector<std::string> entries;
  for (const std::string& name : names) {
    entries.insert(entries.end(), {push_text(name), push_tensor()});
  }
  const std::string dict = test::push_ordered_dict(entries);
  return metadata.empty() ? dict : dict + push_dict({push_text("_metadata"), push_dict(metadata)}) + "b";
}

TensorFile file_of(const std::string& root) {
  return test::read_bytes(test::torch_zip(test::pickle_of(root), {{"0", std::string(24, 'd')}}));
}

// The keys of a dict, quoted.
std::string keys_of(const TensorFile& file, pickle::Value dict) {
  std::vector<std::string> keys;
  const auto entries = file.document.items(dict);
  for (std::size_t i = 0; i < entries.size(); i += 2) {
    keys.push_back(test::describe(file.document, entries[i]));
  }
  return text::joined(keys);
}

std::string stripped_names(const std::string& root, const std::string& prefix) {
  TensorFile file = file_of(root);
  strip_prefix(file, file.root, prefix);
  return keys_of(file, file.root);
}

std::string stripped_modules(const std::vector<std::string>& modules, const std::string& prefix) {
  std::vector<std::string> metadata;
  for (const std::string& module : modules) {
    metadata.insert(metadata.end(), {push_text(module), push_int(1)});
  }
  TensorFile file = file_of(state_dict({prefix + "weight"}, metadata));
  strip_prefix(file, file.root, prefix);
  return keys_of(file, *file.document.find(file.document.state(file.root), "_metadata"));
}

TEST(StripPrefix, DropsItFromTheNamesThatBeginWithIt) {
  EXPECT_EQ(stripped_names(state_dict({"module.a", "b", "module.module.c"}), "module."), R"("a", "b", "module.c")");
}

TEST(StripPrefix, ReturnsHowManyNamesBeganWithIt) {
  TensorFile file = file_of(state_dict({"module.a", "b", "module.c"}));
  EXPECT_EQ(strip_prefix(file, file.root, "module."), 2U);
}

TEST(StripPrefix, ChangesNothingWhereNoNameBeginsWithIt) {
  TensorFile file = file_of(state_dict({"a", "b"}, {push_text(""), push_int(1), push_text("module"), push_int(1)}));
  const std::string before = test::describe(file.document, file.root);
  EXPECT_EQ(strip_prefix(file, file.root, "module."), 0U);
  EXPECT_EQ(test::describe(file.document, file.root), before);
}

TEST(StripPrefix, LeavesKeysThatAreNoTexts) {
  EXPECT_EQ(stripped_names(push_dict({push_text("m.a"), push_tensor(), push_int(7), push_tensor()}), "m."),
            R"("a", 7)");
}

TEST(StripPrefix, RefusesTwoEntriesOfOneName) {
  EXPECT_EQ(test::error_of<FormatError>([] { stripped_names(state_dict({"module.weight", "weight"}), "module."); }),
            R"(without the prefix, two entries have the name "weight")");
}

TEST(StripPrefix, MakesTheInnerModuleTheRootOfTheMetadata) {
  EXPECT_EQ(stripped_modules({"", "module", "module.fc1"}, "module."), R"("", "fc1")");
}

TEST(StripPrefix, DropsEveryModuleAroundTheInnerOneFromTheMetadata) {
  EXPECT_EQ(stripped_modules({"", "outer", "outer.inner", "outer.inner.fc1"}, "outer.inner."), R"("", "fc1")");
}

TEST(StripPrefix, KeepsAModuleBesideTheInnerOneInTheMetadata) {
  EXPECT_EQ(stripped_modules({"", "head", "module", "module.fc1"}, "module."), R"("head", "", "fc1")");
}

TEST(StripPrefix, KeepsAModuleInTheMetadataWhoseNameIsTheBeginningOfThePrefix) {
  EXPECT_EQ(stripped_modules({"", "mod", "module"}, "module."), R"("mod", "")");
}

TEST(StripPrefix, TakesADictWithoutMetadata) { EXPECT_EQ(stripped_names(state_dict({"m.a"}), "m."), R"("a")"); }

}  // namespace
}  // namespace iris
