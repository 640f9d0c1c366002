#include "tensor_file/zip_writer.h"

#include <gtest/gtest.h>

#include "error.h"
#include "io/bytes.h"
#include "support/errors.h"
#include "support/temp_file.h"
#include "support/zip_bytes.h"
#include "tensor_file/zip_reader.h"

namespace iris {
namespace {

using test::little_endian;
using namespace std::string_literals;

class ZipWriterTest : public ::testing::Test {
 protected:
  using Entries = std::vector<std::pair<std::string, std::string>>;

  std::string written(const Entries& entries) {
    OutputFile output(path_);
    ZipWriter zip(output);
    for (const auto& [name, data] : entries) {
      zip.add(name, bytes_of(data));
    }
    zip.finish();
    output.commit();
    return test::read_file(path_);
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "file.zip";
};

// docs/byte-formats.md, "Zip".
TEST_F(ZipWriterTest, WritesTheBytesThatTheDocumentSays) {
  const std::string common = little_endian(45, 2) + little_endian(0x800, 2) + little_endian(0, 2) +
                             little_endian(0, 2) + little_endian(33, 2) + little_endian(test::crc_of("hi"), 4) +
                             little_endian(2, 4) + little_endian(2, 4) + little_endian(3, 2);
  const std::string padding = "FB\x1b\x00"s + std::string(27, 'Z');
  const std::string entry = "PK\x03\x04" + common + little_endian(padding.size(), 2) + "a/b" + padding + "hi";
  const std::string directory = "PK\x01\x02" + little_endian(45, 2) + common + std::string(16, '\0') + "a/b";
  const std::string end = "PK\x05\x06" + std::string(4, '\0') + little_endian(1, 2) + little_endian(1, 2) +
                          little_endian(directory.size(), 4) + little_endian(entry.size(), 4) + std::string(2, '\0');
  EXPECT_EQ(written({{"a/b", "hi"}}), entry + directory + end);
}

TEST_F(ZipWriterTest, AlignsAllData) {
  const std::string bytes = written({{"r/a", "x"}, {"r/bb", std::string(100, 'y')}, {"r/c", ""}});
  const ZipReader zip(bytes_of(bytes));
  for (const ZipEntry& entry : zip.entries()) {
    EXPECT_EQ((text_of(entry.data).data() - bytes.data()) % 64, 0) << entry.name;
  }
  EXPECT_EQ(text_of(ZipReader::checked(*zip.find("r/bb"))), std::string(100, 'y'));
}

TEST_F(ZipWriterTest, WritesZip64EndRecordsOf65535Entries) {
  Entries entries;
  for (int i = 0; i < 65'535; ++i) {
    entries.emplace_back("r/" + std::to_string(i), "");
  }
  const std::string bytes = written(entries);
  EXPECT_NE(bytes.find("PK\x06\x06"), std::string::npos);
  EXPECT_EQ(ZipReader(bytes_of(bytes)).entries().size(), 65'535U);
}

TEST_F(ZipWriterTest, RefusesDataOfAnotherCrcThanIsKnown) {
  OutputFile output(path_);
  ZipWriter zip(output);
  EXPECT_EQ(test::error_of<FormatError>([&] { zip.add("r/a", bytes_of("data"), 1); }),
            "zip entry \"r/a\": its CRC is wrong; the file is damaged");
}

}  // namespace
}  // namespace iris
