// What a file is, told by its content.
#include "tensor_file/file_kind.h"

#include <gtest/gtest.h>

#include <span>

#include "support/read_file_bytes.h"

namespace iris {
namespace {

using test::file_error;

TEST(FileKind, OfATarIsSo) {
  std::string tar(1024, '\0');
  tar.replace(257, 5, "ustar");
  EXPECT_EQ(kind_of_file(std::as_bytes(std::span(tar))), FileKind::kTar);
  EXPECT_EQ(file_error(tar), "offset 0: tar: a header is damaged");
}

// Else bytes could have files of the working folder read.
TEST(FileKind, OfBytesThatNameOtherFilesIsRefused) {
  const auto error = [](const std::string& bytes) {
    return test::error_of<FormatError>(
        [&] { read_tensor_file(OpenedFile(FileBytes::copy_of(std::as_bytes(std::span(bytes))))); });
  };
  EXPECT_EQ(error(R"({"weight_map": {"a": "model.pt"}})"), "is an index, whose shards lie beside it; name the file");
  EXPECT_EQ(error("\x80\x04\x8c\x25torch.distributed.checkpoint.metadata"),
            "is the .metadata of a folder, whose files lie beside it; name the folder");
}

}  // namespace
}  // namespace iris
