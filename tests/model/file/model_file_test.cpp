#include "model/file/model_file.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"

namespace iris {
namespace {

using Names = std::vector<std::string>;

TEST(NamesOf, AStateDictAreIrisNets) {
  EXPECT_EQ(names_of(read_model_file(IRIS_SOURCE_DIR "/models/iris_net.pt")).features, iris_features());
  EXPECT_EQ(names_of(read_model_file(IRIS_SOURCE_DIR "/models/iris_net.pt")).labels, iris_labels());
}

TEST(NamesOf, ATorchScriptModuleAreThoseOfItsIrisJson) {
  TensorFile file;
  file.is_torchscript = true;
  file.names = R"({"features":["a","b"],"labels":["x","y"]})";
  const ModelNames names = names_of(ModelFile(std::move(file)));
  EXPECT_EQ(names.features, (Names{"a", "b"}));
  EXPECT_EQ(names.labels, (Names{"x", "y"}));
}

TEST(NamesOf, APackageAreThoseOfItsIrisJson) {
  Pt2Archive archive;
  archive.names = R"({"features":["a","b"]})";
  EXPECT_EQ(names_of(ModelFile(archive)).features, (Names{"a", "b"}));
  archive.names = "";
  EXPECT_EQ(names_of(ModelFile(archive)).features, Names());
  archive.names = "[]";
  EXPECT_EQ(test::error_of<FormatError>([&] { names_of(ModelFile(archive)); }), "iris.json: is no JSON object");
}

}  // namespace
}  // namespace iris
