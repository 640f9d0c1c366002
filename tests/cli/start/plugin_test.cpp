#include "cli/start/plugin.h"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

// The tests' own program has no plug-ins beside it.
std::string error_of_plugin(Plugin plugin) {
  return test::error_of<InputError>([&] { plugin_function(plugin, "iris_train"); });
}

TEST(Plugin, OfTheVerbsIsMissedBesideTheProgram) {
  EXPECT_TRUE(error_of_plugin(Plugin::kTorchVerbs).starts_with("libiris_torch_verbs.so is not beside "));
}

TEST(Plugin, OfServeIsMissedBesideTheProgram) {
  EXPECT_TRUE(error_of_plugin(Plugin::kServeVerb).starts_with("libiris_serve_verb.so is not beside "));
}

TEST(Plugin, IsLookedForAgainAfterItWasMissed) {
  EXPECT_NE(error_of_plugin(Plugin::kTorchVerbs), "");
  EXPECT_NE(error_of_plugin(Plugin::kTorchVerbs), "");
}

TEST(SharedLibrary, IsFoundBesideTheProgram) {
  const test::TempFolder folder;
  test::write_file(folder / "libverbs.so", "");
  EXPECT_EQ(path_of_library("libverbs.so", folder / "iris"), folder / "./libverbs.so");
}

TEST(SharedLibrary, IsMissedBesideTheProgram) {
  const test::TempFolder folder;
  EXPECT_EQ(test::error_of<InputError>([&] { path_of_library("libverbs.so", folder / "iris"); }),
            "libverbs.so is not beside " + (folder / "iris") +
                ", which needs it; build again with script/build, or install both with cmake --install");
}

TEST(SharedLibrary, IsCalledDamagedWhereItIsNotALibrary) {
  const test::TempFolder folder;
  test::write_file(folder / "libverbs.so", "no library");
  const std::string error = test::error_of<InputError>([&] { open_library(folder / "libverbs.so", folder / "iris"); });
  EXPECT_TRUE(error.starts_with((folder / "libverbs.so") + ": ")) << error;
  EXPECT_TRUE(error.ends_with("; it is damaged: build again with script/build, or install it again")) << error;
}

TEST(SharedLibrary, GivesItsFunctionByName) {
  void* const library = ::dlopen(nullptr, RTLD_LAZY);  // the C library's among them
  EXPECT_EQ(function_of(library, "strlen"), ::dlsym(library, "strlen"));
}

TEST(SharedLibrary, RefusesAFunctionThatItDoesNotHave) {
  const std::string error =
      test::error_of<InputError>([] { function_of(::dlopen(nullptr, RTLD_LAZY), "iris_of_another_time"); });
  EXPECT_TRUE(error.starts_with("the libraries beside iris are not of this iris: ")) << error;
  EXPECT_TRUE(
      error.ends_with("undefined symbol: iris_of_another_time; build again with script/build, or install both "
                      "with cmake --install"))
      << error;
}

}  // namespace
}  // namespace iris
