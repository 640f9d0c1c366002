#include "model/file/pt2_archive.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "error.h"
#include "support/errors.h"
#include "support/zip_bytes.h"
#include "tensor_file/tensor_file.h"
#include "text.h"

namespace iris {
namespace {

using Entries = std::vector<test::ZipEntryBytes>;

const std::string kModel = "p/data/aotinductor/model/";
const std::string kMetadata = R"({"AOTI_DEVICE_KEY":"cpu","AOTI_MACHINE":"vax"})";

Entries entries() {
  return {{"p/archive_format", "pt2"},
          {"p/extra/iris.json", R"({"name":"net"})"},
          {kModel + "net.wrapper_metadata.json", kMetadata},
          {kModel + "net.wrapper.so",
           "\x7f"
           "ELF"},
          {kModel + "net.wrapper.cpp", "int main() {}"},
          {"p/data/constants/custom_obj_0", "1"}};
}

std::optional<Pt2Archive> read(const std::string& bytes) {
  return read_pt2_archive(OpenedFile(FileBytes::copy_of(bytes_of(bytes))));
}

std::string error_of(const std::string& bytes) {
  return test::error_of<FormatError>([&] { read(bytes); });
}

TEST(Pt2Archive, IsReadAsData) {
  const auto archive = read(test::zip_of(entries()));
  ASSERT_TRUE(archive);
  EXPECT_EQ(archive->model, "model");
  EXPECT_EQ(archive->device(), "cpu");
  EXPECT_EQ(archive->names, R"({"name":"net"})");
  std::vector<std::string> paths;
  for (const auto& [path, entry] : archive->parts) {
    paths.push_back(path);
  }
  EXPECT_EQ(paths, (std::vector<std::string>{"data/aotinductor/model/net.wrapper_metadata.json",
                                             "data/aotinductor/model/net.wrapper.so", "data/constants/custom_obj_0"}));
}

TEST(Pt2Archive, IsNoOtherZip) {
  EXPECT_FALSE(read(test::torch_zip("")));
  EXPECT_FALSE(read("no zip"));
  EXPECT_FALSE(read(test::zip_of({{"p/archive_format", "pt3"}})));
}

TEST(Pt2Archive, IsRefusedCutAtAnyLength) {
  const std::string bytes = test::zip_of(entries());
  for (std::size_t length = 4; length < bytes.size(); ++length) {
    EXPECT_NE(error_of(bytes.substr(0, length)), "") << length;
  }
}

TEST(Pt2Archive, UnpacksToNoOtherPlace) {
  for (const std::string place : {"../x.so", "x/y.so", "..", "", "/x.so", "x\\y.so"}) {
    Entries changed = entries();
    changed[3].name = kModel + place;
    EXPECT_EQ(error_of(test::zip_of(changed)), "zip entry \"" + text::printable(changed[3].name.substr(2)) +
                                                   "\": is not where AOTInductor puts its files");
  }
  Entries changed = entries();
  changed[5].name = "p/data/constants/../../../x";
  EXPECT_NE(error_of(test::zip_of(changed)), "");
}

TEST(Pt2Archive, IsForOneMachineAndVersion) {
  const auto archive = read(test::zip_of(entries()));
  const std::string message = test::error_of<FormatError>([&] { check_runs_here(*archive, "2.13.0"); });
  EXPECT_TRUE(message.starts_with("was compiled for vax, and this is ")) << message;
}

TEST(Pt2Archive, HasNoTensorsForOthersToRead) {
  const std::string bytes = test::zip_of(entries());
  EXPECT_EQ(test::error_of<FormatError>([&] { read_tensor_file(OpenedFile(FileBytes::copy_of(bytes_of(bytes)))); }),
            "is a .pt2 archive of a compiled or exported program, from which no tensors are read; use the state_dict "
            "that it was made from");
}

// The checks that PyTorch 2.13 writes into the sources of a package for float32 [8, 4].
TEST(Pt2Archive, KnowsTheSizesThatItsSourceWasCompiledFor) {
  Entries changed = entries();
  changed[4].data =
      "ss << \"input_handles[0]: unmatched dim value at 0, \"\n   << \"expected: 8, \" << \"but got: \" << a_size[0]\n"
      "ss << \"input_handles[0]: unmatched dim value at 1, \"\n   << \"expected: 4, \" << \"but got: \" << a_size[1]\n";
  const auto archive = read(test::zip_of(changed));
  ASSERT_TRUE(archive);
  EXPECT_EQ(archive->fixed.rows, 8U);
  EXPECT_EQ(archive->fixed.features, 4U);
}

TEST(Pt2Archive, KnowsNoSizesWithoutASource) {
  const auto archive = read(test::zip_of(entries()));
  ASSERT_TRUE(archive);
  EXPECT_EQ(archive->fixed.rows, std::nullopt);
  EXPECT_EQ(archive->fixed.features, std::nullopt);
}

}  // namespace
}  // namespace iris
