// The entries of torch.save's archive.
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/golden.h"
#include "support/read_file_bytes.h"
#include "support/zip_bytes.h"
#include "tensor_file/containers.h"

namespace iris {
namespace {

using test::file_error;
using test::pickle_of;
using test::push_ordered_dict;
using test::push_tensor;
using test::push_text;
using test::torch_entries;
using test::torch_zip;
using test::zip_of;
using namespace std::string_literals;

const std::string kPickle = pickle_of(push_ordered_dict({push_text("w"), push_tensor()}));
const std::string kData(24, 'd');

std::vector<test::ZipEntryBytes> good_entries() { return torch_entries(kPickle, {{"0", kData}}); }

TEST(ZipContainer, IsReadUnderAnyRootName) {
  for (const char* root : {"archive", "model", "a b", "ü"}) {
    auto entries = good_entries();
    for (auto& entry : entries) {
      entry.name.replace(0, 5, root);
    }
    EXPECT_EQ(file_error(zip_of(entries)), "") << root;
  }
}

TEST(ZipContainer, IsReadWithoutByteorder) {
  auto entries = good_entries();
  entries.erase(entries.begin() + 1);
  EXPECT_EQ(file_error(zip_of(entries)), "");
}

TEST(ZipContainer, GivesEachStorageItsBytes) {
  const TensorFile file = test::read_bytes(torch_zip(kPickle, {{"0", "abcdefghijklmnopqrstuvwx"}}));
  ASSERT_EQ(file.storages.size(), 1U);
  EXPECT_EQ(file.storages[0].key, "0");
  EXPECT_EQ(file.storages[0].location, "cpu");
  EXPECT_EQ(file.storages[0].size, 24U);
  EXPECT_EQ(file.storages[0].data[5], std::byte{'f'});
}

TEST(ZipContainer, SwapsBigEndianNumbers) {
  auto entries = torch_entries(kPickle, {{"0", "abcdefghijklmnopqrstuvwx"}});
  entries[1].data = "big";
  const TensorFile file = test::read_bytes(zip_of(entries));
  const auto data = file.storages[0].data;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(data.data()), data.size()), "dcbahgfelkjiponmtsrqxwvu");
}

TEST(ZipContainer, RefusesAnUnknownByteorder) {
  auto entries = good_entries();
  entries[1].data = "middle";
  EXPECT_EQ(file_error(zip_of(entries)), "zip: byteorder \"middle\" is unknown");
}

TEST(ZipContainer, RefusesAMissingVersion) {
  auto entries = good_entries();
  entries.pop_back();
  EXPECT_EQ(file_error(zip_of(entries)), "zip: the entry version is missing");
}

TEST(ZipContainer, RefusesAnAbsurdVersion) {
  for (const std::string& version : {"11\n"s, "0"s, "-1"s, ""s, "x"s, "999"s, "3\n\n"s, std::string(1000, '3')}) {
    auto entries = good_entries();
    entries.back().data = version;
    EXPECT_TRUE(file_error(zip_of(entries)).ends_with(" is unknown; 1 to 10 are read")) << version;
  }
}

TEST(ZipContainer, RefusesAnArchiveWithoutDataPkl) {
  auto entries = good_entries();
  entries[0].name = "model/data.txt";
  EXPECT_EQ(file_error(zip_of(entries)), "zip: there is no data.pkl: not a file of torch.save or torch.jit.save");
}

TEST(ZipContainer, RefusesTwoDataPkl) {
  auto entries = good_entries();
  entries.push_back({"other/data.pkl", kPickle});
  EXPECT_EQ(file_error(zip_of(entries)), "zip: there are two data.pkl");
}

TEST(ZipContainer, RefusesACompressedPickle) {
  auto entries = good_entries();
  entries[0].local.method = entries[0].central.method = 8;
  EXPECT_EQ(
      file_error(zip_of(entries)),
      "zip entry \"model/data.pkl\": is compressed; PyTorch stores it (unzip the file, then zip -0Dr NEW.pt FOLDER)");
}

TEST(ZipContainer, RefusesACompressedStorage) {  // such as a deflate bomb
  auto entries = good_entries();
  entries[2].local.method = entries[2].central.method = 8;
  entries[2].local.size = entries[2].central.size = 0x7FFFFFFF;
  EXPECT_EQ(
      file_error(zip_of(entries)),
      "zip entry \"model/data/0\": is compressed; PyTorch stores it (unzip the file, then zip -0Dr NEW.pt FOLDER)");
}

TEST(ZipContainer, RefusesATorchScriptWhoseCodeUnpacksToGigabytes) {
  auto entries = good_entries();
  entries.push_back({"model/constants.pkl", pickle_of(")")});
  test::ZipEntryBytes bomb{"model/code/bomb.py", "x"};
  bomb.local.method = bomb.central.method = 8;
  bomb.local.size = bomb.central.size = 0x7FFFFFFF;
  entries.push_back(bomb);
  EXPECT_EQ(file_error(zip_of(entries)), "zip: its compressed entries unpack to more than 256 MiB");
}

TEST(ZipContainer, RefusesAWrongCrcOfThePickle) {
  auto entries = good_entries();
  entries[0].local.crc = entries[0].central.crc = 5;
  EXPECT_EQ(file_error(zip_of(entries)), "zip entry \"model/data.pkl\": its CRC is wrong; the file is damaged");
}

TEST(ZipContainer, RefusesAStorageThatIsMissing) {
  EXPECT_EQ(file_error(torch_zip(kPickle)), "zip entry \"model/data/0\": is missing, though a tensor lies in it");
}

TEST(ZipContainer, RefusesAStorageThatIsShorterThanItsPickleSays) {
  EXPECT_EQ(file_error(torch_zip(kPickle, {{"0", std::string(23, 'd')}})),
            "storage \"0\" has 23 bytes, its pickle says 24");
}

TEST(ZipContainer, RefusesAStorageThatIsLongerThanItsPickleSays) {
  EXPECT_EQ(file_error(torch_zip(kPickle, {{"0", std::string(25, 'd')}})),
            "storage \"0\" has 25 bytes, its pickle says 24");
}

TEST(ZipContainer, LooksForStorageKeysInTheArchiveOnly) {
  for (const std::string& key : {"../../../../../../etc/passwd"s, "/etc/passwd"s, "../0"s}) {
    const std::string pickle = pickle_of(
        push_ordered_dict({push_text("w"), push_tensor({.storage = test::push_storage("FloatStorage", key, 6)})}));
    EXPECT_EQ(file_error(torch_zip(pickle, {{"0", kData}})),
              "zip entry \"model/data/" + key + "\": is missing, though a tensor lies in it");
  }
}

TEST(ZipContainer, TakesOddStorageKeysAsNamesOnly) {
  for (const std::string& key : {""s, "a\0b"s, "../x"s}) {
    const std::string pickle = pickle_of(
        push_ordered_dict({push_text("w"), push_tensor({.storage = test::push_storage("FloatStorage", key, 6)})}));
    EXPECT_EQ(file_error(torch_zip(pickle, {{key, kData}})), "");
  }
}

TEST(ZipContainer, RefusesBytesAfterThePickle) {
  EXPECT_EQ(file_error(torch_zip(kPickle + "N.", {{"0", kData}})),
            "data.pkl: offset " + std::to_string(kPickle.size()) + ": there are bytes after the pickle");
}

TEST(ZipContainer, SaysWhereThePickleIsBad) {
  EXPECT_EQ(file_error(torch_zip("\x80\x02"
                                 "cos\nsystem\nX\x02\0\0\0id\x85R."s)),
            "data.pkl: offset 2: " + test::attack_name("os.system"));
}

}  // namespace
}  // namespace iris
