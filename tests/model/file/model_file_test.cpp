#include "model/file/model_file.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/memory_file.h"
#include "support/zip_bytes.h"
#include "tensor_file/file_kind.h"
#include "tensor_file/zip_format.h"

namespace iris {
namespace {

using Names = std::vector<std::string>;

// The directory is found by the end record: whoever read it again after this would find none.
void erase_end_record(const FileBytes& file) {
  for (const std::byte& byte : file.bytes().last(zip::kEndRecordSize)) {
    const_cast<std::byte&>(byte) = {};
  }
}

TEST(ReadModelFile, ReadsAZipsDirectoryOnce) {
  const std::string bytes = test::torch_zip(test::pickle_of("}"));
  const OpenedFile file(FileBytes::copy_of(bytes_of(bytes)));
  erase_end_record(*file.bytes);
  EXPECT_FALSE(read_pt2_archive(file));
  EXPECT_TRUE(read_tensor_file(file).tensors.empty());
  EXPECT_EQ(test::error_of<FormatError>([&] { OpenedFile again(file.bytes); }),
            "zip: the end record is missing; the file is truncated");
}

TEST(ReadModelFile, SaysWhichFileItCouldNotRead) {
  const test::MemoryFile file("no model");
  EXPECT_EQ(test::error_of<FormatError>([&] { read_model_file(file.path()); }),
            file.path() + ": is a text file, not a model");
}

TEST(NamesOf, AStateDictAreIrisNets) {
  const RunnableFile file = read_runnable_file(IRIS_SOURCE_DIR "/models/iris_net.pt");
  EXPECT_EQ(names_of(std::get<TensorFile>(file)).features, iris_features());
  EXPECT_EQ(names_of(std::get<TensorFile>(file)).labels, iris_labels());
}

TEST(NamesOf, ATorchScriptModuleAreThoseOfItsIrisJson) {
  const TorchScriptArchive archive{.file = {}, .names = R"({"features":["a","b"],"labels":["x","y"]})"};
  const ModelNames names = names_of(archive);
  EXPECT_EQ(names.features, (Names{"a", "b"}));
  EXPECT_EQ(names.labels, (Names{"x", "y"}));
}

TEST(NamesOf, APackageAreThoseOfItsIrisJson) {
  Pt2Archive archive;
  archive.names = R"({"features":["a","b"]})";
  EXPECT_EQ(names_of(archive).features, (Names{"a", "b"}));
  archive.names = "";
  EXPECT_EQ(names_of(archive).features, Names());
  archive.names = "[]";
  EXPECT_EQ(test::error_of<FormatError>([&] { names_of(archive); }), "iris.json: is not a JSON object");
}

TEST(ModelNames, SayWhatTheOutputsAre) {
  EXPECT_EQ(parse_model_names(R"({"outputs":"values"})").outputs, Outputs::kValues);
  EXPECT_EQ(parse_model_names("{}").outputs, std::nullopt);
  for (const char* wrong : {R"({"outputs":"odds"})", R"({"outputs":1})"}) {
    EXPECT_EQ(test::error_of<FormatError>([&] { parse_model_names(wrong); }),
              "iris.json: outputs: is none of logits, probabilities and values");
  }
}

TEST(ReadRunnableFile, LeavesATorchScriptsObjectsToLibTorch) {
  const std::string bytes =
      test::zip_of({{"m/data.pkl", "no pickle"}, {"m/constants.pkl", ""}, {"m/extra/iris.json", "{}"}});
  const test::MemoryFile file(bytes);
  const RunnableFile runnable = read_runnable_file(file.path());
  ASSERT_TRUE(std::holds_alternative<TorchScriptArchive>(runnable));
  EXPECT_EQ(std::get<TorchScriptArchive>(runnable).names, "{}");
}

}  // namespace
}  // namespace iris
