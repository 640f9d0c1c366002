// Files that are something else, each named for what it is.
#include "tensor_file/foreign_file.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <utility>
#include <vector>

#include "support/read_file_bytes.h"
#include "support/temp_file.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using test::file_error;
using test::zip_of;
using namespace std::string_literals;

TEST(ForeignFile, IsEmpty) { EXPECT_EQ(file_error(""), "is empty; the download or the save did not finish"); }

TEST(ForeignFile, IsAnHtmlPage) {
  const std::string message =
      "is an HTML page, not a model; open its address in a browser and download the file itself";
  EXPECT_EQ(file_error("<!DOCTYPE html>\n<html></html>"), message);
  EXPECT_EQ(file_error("\xEF\xBB\xBF \n<HTML lang=en>"), message);
}

TEST(ForeignFile, IsAGitLfsPointer) {
  EXPECT_EQ(file_error("version https://git-lfs.github.com/spec/v1\noid sha256:4d7a2146\nsize 12345\n"),
            "is a Git LFS pointer, not the model; fetch it with: git lfs pull");
}

TEST(ForeignFile, IsCompressed) {
  for (const std::string& head : {"\x28\xb5\x2f\xfd"s, "BZh9"s, "\x04\x22\x4d\x18"s,
                                  "\xFD"
                                  "7zXZ\0"s}) {
    EXPECT_EQ(file_error(head + std::string(20, 'x')), "is compressed; unpack it first");
  }
  EXPECT_EQ(file_error("\x1f\x8b\x08" + std::string(20, 'x')),
            "is compressed; unpack it first: gunzip, or tar -xf where it is a .tar.gz");
}

TEST(ForeignFile, IsAnOnnxModel) {
  EXPECT_EQ(file_error("\x08\x08\x12\x07pytorch\x1a\x05"
                       "2.5.0:\x10"),
            "is an ONNX model, which is for other runtimes, such as ONNX Runtime; iris runs the state_dict of an "
            "IrisNet, TorchScript and .pt2 packages: export the PyTorch model with python_export/export.py "
            "(docs/formats.md)");
}

TEST(ForeignFile, IsAnotherProtobuf) {
  EXPECT_EQ(
      file_error("\x0a\x05hello\x10\x01"),
      "is not a model file: neither a zip container nor any other that PyTorch writes; was it cut or overwritten?");
}

std::string field(int number, const std::string& content) {
  std::string tag;
  for (auto left = static_cast<unsigned>(number << 3 | 2); left != 0; left >>= 7) {
    tag += static_cast<char>((left & 0x7F) | (left > 0x7F ? 0x80 : 0));
  }
  return tag + static_cast<char>(content.size()) + content;
}

TEST(ForeignFile, IsACoreMlModelAndNotAnOnnxOne) {
  const std::string description = field(1, field(1, "input") + field(3, "\x0a\x04\x08\x01\x10\x02"));
  for (const int kind : {200, 303, 500, 502, 2000}) {
    EXPECT_EQ(file_error("\x08\x05" + field(2, description) + field(kind, "\x0a\x02hi")),
              "is a Core ML model, which is for Apple's runtime; take the PyTorch file that it was converted from");
  }
}

TEST(ForeignFile, IsATensorFlowModel) {
  EXPECT_EQ(file_error("\x08\x01" + field(2, field(1, "\x22\x05serve") + field(2, field(1, "x")))),
            "is a TensorFlow SavedModel, not a PyTorch model; take its weights out in Python, with TensorFlow: "
            "tf.saved_model.load(FOLDER).variables");
  EXPECT_EQ(file_error(field(1, field(1, "x") + field(2, "Placeholder")) + field(4, "\x08\x1b")),
            "is a TensorFlow graph (a frozen .pb), not a PyTorch model; it runs in TensorFlow");
  EXPECT_EQ(file_error("\x1c\0\0\0TFL3\x14\0\x20\0"s),
            "is a TensorFlow Lite model, not a PyTorch one; it runs in LiteRT; take the model that it was made from");
}

TEST(ForeignFile, IsOfAnotherLibrary) {
  const std::pair<std::string, std::string> files[] = {
      {"\x89HDF\r\n\x1a\n", "is an HDF5 file (Keras?), not a PyTorch model; take its arrays out in Python, with h5py"},
      {"\x89HDF\r\n\x1a\n\0\0keras_version"s,
       "is a Keras model (HDF5), not a PyTorch model; take its arrays out in Python, with h5py"},
      {"\x93NUMPY\x01\0"s,
       "is a NumPy array, not a PyTorch model; make a file of tensors of it, in Python: "
       "torch.save({\"x\": torch.from_numpy(numpy.load(\"x.npy\"))}, \"x.pt\")"},
      {"GGUF\x03\0\0\0"s,
       "is a GGUF model, not a PyTorch one; it runs in llama.cpp; take the safetensors that it was made from"},
      {"\x20\0\0\0ET12\x14\0\0\0"s,
       "is an ExecuTorch program, which is for its own runtime; take the PyTorch file that it was made from"},
      {"\x82\xa6params\x81\xa5"
       "Dense",
       "is a MessagePack file (Flax?), not a PyTorch model; read it in Python, with "
       "flax.serialization.msgpack_restore"},
      {"\xde\0\x10\xd9\x24the_first_key_is_longer_than_others_"s,
       "is a MessagePack file (Flax?), not a PyTorch model; read it in Python, with "
       "flax.serialization.msgpack_restore"},
      {"PAR1\x15\x04", "is a Parquet file, a table and not a model; predict and train read CSV"},
      {"\x7f"
       "ELF\x02\x01\x01"s +
           '\0',
       "is a program or a shared library, not a model; an AOTInductor package is a .pt2"},
      {"\x04\0\0\0\x01\0\0\0\x03\0\0\0V 1\x11\0\0\0nn.Sequential"s,
       "is a Torch7 file (Lua), not a PyTorch model; the package torchfile reads it in Python"},
      {"<?xml version=\"1.0\"?>\n<Error><Code>AccessDenied</Code></Error>",
       "is an XML text, not a model: the error page of a download, perhaps; the model of an OpenVINO .xml is the file "
       "that it was converted from"},
  };
  for (const auto& [bytes, fact] : files) {
    EXPECT_EQ(file_error(bytes), fact);
  }
}

TEST(ForeignFile, IsAPlainPickle) {
  EXPECT_EQ(file_error("\x80\x04N."),
            "is a plain pickle, not written by torch.save; save the model's numbers, in Python: "
            "torch.save(model.state_dict(), \"model.pt\")");
}

TEST(ForeignFile, IsAPlainPickleOfProtocol0) {
  for (const char* bytes : {"(dp0\nVweight\np1\nF1\ns.", "(lp0\nI1\na.", "ccollections\nOrderedDict\np0\n(tRp1\n.",
                            "cnumpy.core.multiarray\n_reconstruct\n(cnumpy\n"}) {
    EXPECT_EQ(file_error(bytes),
              "is a plain pickle, not written by torch.save; save the model's numbers, in Python: "
              "torch.save(model.state_dict(), \"model.pt\")");
  }
}

TEST(ForeignFile, IsAPickleOfAnotherLibrary) {
  EXPECT_EQ(file_error("\x80\x04\x95\x10\0\0\0\0\0\0\0\x8c\x1bsklearn.linear_model._base\x94."s),
            "is a pickle of a scikit-learn model (pickle or joblib), not a PyTorch one; it runs in Python");
}

TEST(ForeignFile, IsText) {
  EXPECT_EQ(file_error("sepal_length,sepal_width\n5.1,3.5\n"), "is a text file, not a model");
}

TEST(ForeignFile, IsUnknown) {
  EXPECT_EQ(
      file_error("\x01\x02\x03\x04"),
      "is not a model file: neither a zip container nor any other that PyTorch writes; was it cut or overwritten?");
}

TEST(ForeignFile, IsAZipOfSomethingElse) {
  EXPECT_EQ(file_error("PK\x05\x06"s + std::string(18, '\0')),
            "zip: there is no data.pkl: not a file of torch.save or torch.jit.save");
}

TEST(ForeignFile, IsAZipWithAModelInIt) {
  const std::pair<std::vector<test::ZipEntryBytes>, std::string> zips[] = {
      {{{"data", "{}"}, {"policy.pth", "x"}, {"_stable_baselines3_version", "2.3"}},
       "is a Stable-Baselines3 archive; the state_dict of its network is the file policy.pth in it; take it out: "
       "unzip -p FILE policy.pth > policy.pth"},
      {{{"config.json", "{}"}, {"metadata.json", "{}"}, {"model.weights.h5", "x"}},
       "is a Keras model (.keras), not a PyTorch one; take its arrays out in Python: "
       "keras.saving.load_model(FILE).get_weights()"},
      {{{"a.npy", "x"}, {"b.npy", "x"}},
       "is an .npz of NumPy arrays, not a PyTorch model; make a file of tensors of it, in Python: "
       "torch.save({name: torch.from_numpy(array) for name, array in numpy.load(\"x.npz\").items()}, \"x.pt\")"},
      {{{"MAR-INF/MANIFEST.json", "{}"}, {"net.pt", "x"}, {"handler.py", "x"}},
       "is a TorchServe archive (.mar) with a model in it: net.pt; take it out: unzip -p FILE net.pt > net.pt"},
      {{{"model/saved_model.pb", "x"}}, "is a zip of a TensorFlow SavedModel, not a PyTorch model"},
      {{{"net.mlpackage/Data/com.apple.CoreML/model.mlmodel", "x"}},
       "is a zip of a Core ML model, which is for Apple's runtime; take the PyTorch file that it was converted from"},
      {{{"out/best.pt", "x"}},
       "is a zip with a model in it: out/best.pt; take it out: unzip -p FILE out/best.pt > best.pt"},
      {{{"a b.pt", "x"}, {"c.pth", "x"}},
       "is a zip with models in it: a b.pt, c.pth; take one out: unzip -p FILE 'a b.pt' > 'a b.pt'"},
      {{{"x'$(id).pt", "x"}}, "is a zip with a model in it: x'$(id).pt; take it out: unzip -p FILE NAME > NAME"},
      {{{"a/b/data.pkl", "x"}},
       "zip: there is no data.pkl: it lies too deep; was the file unpacked and packed again? Unpack it, then zip -0Dr "
       "NEW.pt FOLDER, "
       "from the folder that FOLDER is in"},
      {{{"data.pkl", "x"}},
       "zip: there is no data.pkl: it lies in no folder; was the file unpacked and packed again? Unpack it into a "
       "FOLDER, then zip "
       "-0Dr NEW.pt FOLDER"},
      {{{"readme.txt", "x"}}, "zip: there is no data.pkl: not a file of torch.save or torch.jit.save"},
  };
  for (const auto& [entries, fact] : zips) {
    EXPECT_EQ(file_error(zip_of(entries)), fact);
  }
}

TEST(ForeignFile, IsADirectory) {
  const test::TempFolder folder;
  const auto error = [&] { return test::error_of<FormatError>([&] { read_tensor_file(folder / "."); }); };
  const std::string place = (folder / ".") + ": ";
  EXPECT_EQ(error(), place + "is a directory; name the model file in it");
  test::write_file(folder / "model.safetensors", "");
  EXPECT_EQ(error(), place + "is a directory; name the model file in it: model.safetensors");
  test::write_file(folder / "model.safetensors.index.json", "");
  EXPECT_EQ(error(), place + "is a directory; name the model file in it: model.safetensors.index.json");
  test::write_file(folder / "saved_model.pb", "");
  EXPECT_EQ(error(), place +
                         "is a TensorFlow SavedModel, not a PyTorch model; take its weights out in Python, with "
                         "TensorFlow: tf.saved_model.load(FOLDER).variables");
}

TEST(ForeignFile, IsACoreMlPackage) {
  const test::TempFolder folder;
  std::filesystem::create_directories(folder / "Data/com.apple.CoreML");
  EXPECT_EQ(
      test::error_of<FormatError>([&] { read_tensor_file(folder / "."); }),
      (folder / ".") +
          ": is a Core ML package, which is for Apple's runtime; take the PyTorch file that it was converted from");
}

TEST(ForeignFile, IsNotThere) {
  const test::TempFolder folder;
  EXPECT_EQ(test::error_of<FormatError>([&] { read_tensor_file(folder / "none.pt"); }),
            (folder / "none.pt") + ": No such file or directory");
}

}  // namespace
}  // namespace iris
