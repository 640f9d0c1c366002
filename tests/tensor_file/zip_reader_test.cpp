#include "tensor_file/zip_reader.h"

#include <gtest/gtest.h>

#include "error.h"
#include "support/errors.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using test::little_endian;
using test::zip_of;
using test::ZipEnd;
using test::ZipEntryBytes;
using namespace std::string_literals;

std::string zip_error(const std::string& file) {
  return test::error_of<FormatError>([&] {
    const ZipReader zip(bytes_of(file));
    for (const ZipEntry& entry : zip.entries()) {
      ZipReader::checked(entry);
    }
  });
}

const std::vector<ZipEntryBytes> kTwo = {{"r/a", "hello"}, {"r/b", "world!"}};

TEST(ZipReader, FindsEntriesByName) {
  const std::string file = zip_of(kTwo);
  const ZipReader zip(bytes_of(file));
  ASSERT_NE(zip.find("r/b"), nullptr);
  EXPECT_EQ(text_of(ZipReader::checked(*zip.find("r/b"))), "world!");
  EXPECT_EQ(zip.find("r/c"), nullptr);
  EXPECT_EQ(zip.entries().size(), 2U);
}

TEST(ZipReader, ReadsAnEmptyArchive) { EXPECT_EQ(zip_error(zip_of({})), ""); }

TEST(ZipReader, ReadsAnArchiveWithAComment) { EXPECT_EQ(zip_error(zip_of(kTwo, {.comment = "a comment"})), ""); }

TEST(ZipReader, TakesACrcOfZeroForNotComputed) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.crc = 0}, {.crc = 0}}})), "");
}

TEST(ZipReader, ReadsEntriesWithDataDescriptors) {
  const test::ZipWords local{.flags = 0x808, .crc = 0, .compressed_size = 0, .size = 0};
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", local, {.flags = 0x808}}})), "");
}

TEST(ZipReader, ReadsSizesFromTheZip64Field) {
  const std::string extra = little_endian(1, 2) + little_endian(16, 2) + little_endian(5, 8) + little_endian(5, 8);
  const test::ZipWords words{.compressed_size = 0xFFFFFFFF, .size = 0xFFFFFFFF, .extra = extra};
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", words, words}})), "");
}

std::string zip64_of(std::uint64_t entries, std::uint64_t size_error = 0, std::uint64_t record_size = 44) {
  const std::string plain = zip_of(kTwo);
  const std::string body = plain.substr(0, plain.size() - 22);
  const std::uint64_t offset = plain.find("PK\x01\x02");
  const std::string record = "PK\x06\x06"s + little_endian(record_size, 8) + std::string(12, '\0') +
                             little_endian(entries, 8) + little_endian(entries, 8) +
                             little_endian(body.size() - offset + size_error, 8) + little_endian(offset, 8);
  const std::string locator = "PK\x06\x07"s + little_endian(0, 4) + little_endian(body.size(), 8) + little_endian(1, 4);
  const std::string end = "PK\x05\x06"s + std::string(4, '\0') + std::string(12, '\xFF') + std::string(2, '\0');
  return body + record + locator + end;
}

TEST(ZipReader, ReadsTheZip64EndRecord) { EXPECT_EQ(zip_error(zip64_of(2)), ""); }

TEST(ZipReader, RefusesAZip64EndRecordOfAnotherSize) {
  EXPECT_EQ(zip_error(zip64_of(2, 0, 45)), "zip: the zip64 end record is damaged");
}

TEST(ZipReader, RefusesAZip64EndRecordThatCountsWrong) {
  EXPECT_EQ(zip_error(zip64_of(1'000'000'000'000)),
            "zip: the directory has 2 entries, the end record says 1000000000000");
}

TEST(ZipReader, RefusesAZip64DirectoryOfAnotherSize) {
  EXPECT_EQ(zip_error(zip64_of(2, ~std::uint64_t{0})),
            "zip: the directory is not where the end record says; bytes were added or lost");
}

TEST(ZipReader, RefusesTwoEndRecordsThatDisagree) {
  std::string file = zip64_of(2);
  file[file.size() - 22 + 10] = 3;  // the entries in the narrow record
  file[file.size() - 22 + 11] = 0;
  EXPECT_EQ(zip_error(file), "zip: the two end records disagree");
}

TEST(ZipReader, RefusesAZip64LocatorThatPointsOutside) {
  std::string file = zip64_of(2);
  file.replace(file.size() - 22 - 12, 8, little_endian(1ULL << 62, 8));
  EXPECT_EQ(zip_error(file), "zip: the zip64 end record lies outside the file; it is truncated or damaged");
}

TEST(ZipReader, RefusesAFileThatIsNoArchive) {
  EXPECT_EQ(zip_error("not a zip"), "zip: the end record is missing; the file is truncated");
  EXPECT_EQ(zip_error(""), "zip: the end record is missing; the file is truncated");
}

TEST(ZipReader, RefusesEveryTruncation) {
  const std::string file = zip_of(kTwo);
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_NE(zip_error(file.substr(0, size)), "") << size;
  }
}

TEST(ZipReader, RefusesEveryChangedByteOfADirectoryOrReadsWithinBounds) {
  const std::string file = zip_of(kTwo);
  for (std::size_t place = 0; place < file.size(); ++place) {
    for (const int bits : {0x01, 0x80, 0xFF}) {
      std::string changed = file;
      changed[place] = static_cast<char>(changed[place] ^ bits);
      zip_error(changed);  // throws nothing else, and reads nothing outside
    }
  }
}

TEST(ZipReader, RefusesBytesAfterTheEnd) {
  EXPECT_EQ(zip_error(zip_of(kTwo) + "x"), "zip: there are bytes after its end record");
}

TEST(ZipReader, RefusesBytesBeforeTheStart) {
  EXPECT_EQ(zip_error("x" + zip_of(kTwo)),
            "zip: the directory is not where the end record says; bytes were added or lost");
}

TEST(ZipReader, RefusesBytesBeforeTheFirstEntry) {
  const std::string file = zip_of({{"a", "hello", {}, {.offset = 1}}}, {.offset = 37});
  EXPECT_EQ(zip_error("x" + file), "zip entry \"a\": there are bytes before it");
}

TEST(ZipReader, RefusesBytesBetweenDirectoryAndEnd) {
  const std::string file = zip_of(kTwo);
  EXPECT_EQ(zip_error(file.substr(0, file.size() - 22) + "x" + file.substr(file.size() - 22)),
            "zip: the directory is not where the end record says; bytes were added or lost");
}

TEST(ZipReader, RefusesAWrongCrc) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.crc = 1}, {.crc = 1}}})),
            "zip entry \"a\": its CRC is wrong; the file is damaged");
}

TEST(ZipReader, RefusesEncryptedEntries) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.flags = 1}, {.flags = 1}}})), "zip entry \"a\": is encrypted");
}

TEST(ZipReader, RefusesUnknownFlags) {
  for (const std::uint16_t flags : std::initializer_list<std::uint16_t>{0x10, 0x20, 0x40, 0x2000}) {
    EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.flags = flags}, {.flags = flags}}})),
              "zip entry \"a\": has unknown flags");
  }
}

TEST(ZipReader, RefusesLocalNamesThatDiffer) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.name = "b"}}})),
            "zip entry \"a\": its header disagrees with the directory");
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.name = "ab"}}})),
            "zip entry \"a\": its header disagrees with the directory");
}

TEST(ZipReader, RefusesLocalSizesThatDiffer) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.size = 4}}})),
            "zip entry \"a\": its header disagrees with the directory");
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.crc = 4}}})),
            "zip entry \"a\": its header disagrees with the directory");
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.method = 8}}})),
            "zip entry \"a\": its header disagrees with the directory");
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.flags = 8}}})),
            "zip entry \"a\": its header disagrees with the directory");
}

TEST(ZipReader, RefusesASizeBeyondTheFile) {
  const test::ZipWords words{.compressed_size = 1000, .size = 1000};
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", words, words}})),
            "zip entry \"a\": offset 31: 1000 bytes are needed, 5 are left");
}

TEST(ZipReader, RefusesAZip64SizeBeyondTheFile) {
  const std::string extra =
      little_endian(1, 2) + little_endian(16, 2) + little_endian(~0ULL, 8) + little_endian(~0ULL, 8);
  const test::ZipWords words{.compressed_size = 0xFFFFFFFF, .size = 0xFFFFFFFF, .extra = extra};
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", words, words}})),
            "zip entry \"a\": offset 51: 18446744073709551615 bytes are needed, 5 are left");
}

TEST(ZipReader, RefusesAZip64FieldThatIsTooShort) {
  const std::string extra = little_endian(1, 2) + little_endian(4, 2) + little_endian(5, 4);
  const test::ZipWords words{.compressed_size = 0xFFFFFFFF, .size = 0xFFFFFFFF, .extra = extra};
  EXPECT_TRUE(zip_error(zip_of({{"a", "hello", words, words}})).ends_with(": 8 bytes are needed, 4 are left"));
}

TEST(ZipReader, RefusesTwoSizesOfAStoredEntry) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.size = 6}, {.size = 6}}})),
            "zip entry \"a\": is stored, yet has two sizes");
}

TEST(ZipReader, RefusesAnEntryThatLiesInTheDirectory) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {}, {.offset = 36}}})), "zip entry \"a\": lies outside the file");
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {}, {.offset = 0xFFFFFFFE}}})), "zip entry \"a\": lies outside the file");
}

TEST(ZipReader, RefusesAnEntryWithoutHeader) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {}, {.offset = 1}}})), "zip entry \"a\": offset 5: there is no entry");
}

TEST(ZipReader, RefusesTwoEntriesOfOneName) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello"}, {"a", "world"}})), "zip entry \"a\": is there twice");
}

TEST(ZipReader, RefusesEntriesThatOverlap) {
  const std::string inner = zip_of({{"b", "hello"}}).substr(0, 36);
  std::string file = zip_of({{"a", inner}, {"b", "hello", {}, {.offset = 31}}});
  EXPECT_EQ(zip_error(file), "zip entry \"b\": overlaps another");
}

TEST(ZipReader, RefusesArchivesInSeveralParts) {
  EXPECT_EQ(zip_error(zip_of(kTwo, {.disk = 1})), "zip: archives in several parts are not read");
  EXPECT_EQ(zip_error(zip_of(kTwo, {.entries_here = 1})), "zip: archives in several parts are not read");
}

TEST(ZipReader, RefusesAnEndRecordThatCountsWrong) {
  EXPECT_EQ(zip_error(zip_of(kTwo, {.entries_here = 3, .entries = 3})),
            "zip: the directory has 2 entries, the end record says 3");
}

TEST(ZipReader, RefusesADirectoryOfAnotherSizeOrPlace) {
  const std::string message = "zip: the directory is not where the end record says; bytes were added or lost";
  EXPECT_EQ(zip_error(zip_of(kTwo, {.size = 10})), message);
  EXPECT_EQ(zip_error(zip_of(kTwo, {.size = 0xFFFFFFFF})), message);
  EXPECT_EQ(zip_error(zip_of(kTwo, {.offset = 0})), message);
  EXPECT_EQ(zip_error(zip_of(kTwo, {.offset = 0xFFFFFFF0})), message);
}

TEST(ZipReader, RefusesADirectoryThatIsDamaged) {
  std::string file = zip_of(kTwo);
  const std::size_t directory = file.find("PK\x01\x02");
  file[directory] = 'X';
  EXPECT_EQ(zip_error(file), "offset " + std::to_string(directory + 4) + ": zip: the directory is damaged");
}

TEST(ZipReader, RefusesToReadACompressedEntry) {
  EXPECT_EQ(zip_error(zip_of({{"a", "hello", {.method = 8}, {.method = 8}}})),
            "zip entry \"a\": is compressed; PyTorch stores it (unzip the file, then zip -0Dr NEW.pt FOLDER)");
}

TEST(ZipReader, EscapesNamesInItsMessages) {
  EXPECT_EQ(zip_error(zip_of({{"a\x1b\0"s, "hello", {.flags = 1}, {.flags = 1}}})),
            "zip entry \"a\\x1b\\x00\": is encrypted");
}

}  // namespace
}  // namespace iris
