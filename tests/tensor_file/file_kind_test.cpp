// Files that are something else, each named for what it is.
#include "tensor_file/file_kind.h"

#include <gtest/gtest.h>

#include <span>

#include "support/read_file_bytes.h"
#include "support/temp_file.h"

namespace iris {
namespace {

using test::file_error;
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

TEST(FileKind, OfATarIsSo) {
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  EXPECT_EQ(kind_of_file(std::as_bytes(std::span(tar))), FileKind::kTar);
  EXPECT_EQ(file_error(tar), "offset 0: tar: a header is damaged");
}

TEST(ForeignFile, IsCompressed) {
  for (const std::string& head : {"\x1f\x8b\x08"s, "\x28\xb5\x2f\xfd"s, "BZh9"s,
                                  "\xFD"
                                  "7zXZ\0"s}) {
    EXPECT_EQ(file_error(head + std::string(20, 'x')), "is compressed; unpack it first");
  }
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

TEST(ForeignFile, IsOfAnotherLibrary) {
  EXPECT_EQ(file_error("\x89HDF\r\n\x1a\n"), "is an HDF5 file (Keras?), not a PyTorch model");
  EXPECT_EQ(file_error("\x93NUMPY\x01\0"s), "is a NumPy array, not a PyTorch model");
  EXPECT_EQ(file_error("GGUF\x03\0\0\0"s), "is a GGUF model, not a PyTorch one");
}

TEST(ForeignFile, IsAPlainPickle) {
  EXPECT_EQ(file_error("\x80\x04N."),
            "is a plain pickle, not written by torch.save; save the model's numbers, in Python: "
            "torch.save(model.state_dict(), \"model.pt\")");
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

TEST(ForeignFile, IsADirectory) {
  const test::TempFolder folder;
  EXPECT_EQ(test::error_of<FormatError>([&] { read_tensor_file(folder / "."); }),
            (folder / ".") + ": is a directory; name the model file in it");
}

TEST(ForeignFile, IsNotThere) {
  const test::TempFolder folder;
  EXPECT_EQ(test::error_of<FormatError>([&] { read_tensor_file(folder / "none.pt"); }),
            (folder / "none.pt") + ": No such file or directory");
}

}  // namespace
}  // namespace iris
