#include "cli/start/plugin.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"

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

}  // namespace
}  // namespace iris
