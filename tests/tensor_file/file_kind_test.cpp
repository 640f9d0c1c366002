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

}  // namespace
}  // namespace iris
