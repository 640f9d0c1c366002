// torch.save before 1.6: five pickles, then the storages.
#include <gtest/gtest.h>

#include "support/errors.h"
#include "support/pickle_bytes.h"
#include "support/read_file_bytes.h"
#include "tensor_file/containers.h"

namespace iris {
namespace {

using test::file_error;
using test::kPushFalse;
using test::kPushTrue;
using test::little_endian;
using test::pickle_of;
using test::push_dict;
using test::push_int;
using test::push_list;
using test::push_text;
using namespace std::string_literals;

// A legacy file of one tensor "w", float32 (2, 3), on the storage "7"; the parts are right by default.
struct LegacyParts {
  std::string magic = "\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19."s;
  std::string protocol = pickle_of(push_int(1001));
  std::string system = pickle_of(push_dict({push_text("protocol_version"), push_int(1001), push_text("little_endian"),
                                            kPushTrue, push_text("type_sizes"), "}"}));
  std::string object = pickle_of(
      push_dict({push_text("w"), test::push_tensor({.storage = test::push_storage("FloatStorage", "7", 6)})}));
  std::string keys = pickle_of(push_list({push_text("7")}));
  std::string storages = little_endian(6, 8) + "abcdefghijklmnopqrstuvwx";

  std::string file() const { return magic + protocol + system + object + keys + storages; }
};

TEST(LegacyContainer, IsRead) {
  const TensorFile file = test::read_bytes(LegacyParts().file());
  EXPECT_EQ(file.container, Container::kLegacy);
  ASSERT_EQ(file.storages.size(), 1U);
  EXPECT_EQ(file.storages[0].data[23], std::byte{'x'});
}

TEST(LegacyContainer, IsRefusedAtEveryTruncation) {
  const std::string whole = LegacyParts().file();
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_NE(file_error(whole.substr(0, size)), "") << size;
  }
}

TEST(LegacyContainer, IsNoneWithAnotherMagicNumber) {
  LegacyParts parts;
  parts.magic[4] = '\x6d';
  EXPECT_TRUE(file_error(parts.file()).starts_with("is a plain pickle, not written by torch.save; "));
}

TEST(LegacyContainer, RefusesAnotherProtocol) {
  LegacyParts parts;
  parts.protocol = pickle_of(push_int(1000));
  EXPECT_EQ(file_error(parts.file()), "the protocol is not 1001");
}

TEST(LegacyContainer, RefusesBigEndianFiles) {
  LegacyParts parts;
  parts.system = pickle_of(push_dict({push_text("little_endian"), kPushFalse}));
  EXPECT_TRUE(file_error(parts.file()).starts_with("was written on a big-endian machine by PyTorch before 1.6; "));
}

TEST(LegacyContainer, RefusesSystemInfoWithoutByteOrder) {
  LegacyParts parts;
  parts.system = pickle_of("}");
  EXPECT_EQ(file_error(parts.file()), "sys_info does not tell the byte order");
}

TEST(LegacyContainer, RefusesGlobalsInAnyOfItsPickles) {
  const std::string evil = "cos\nsystem\n)R.";
  LegacyParts in_system;
  in_system.system = evil;
  EXPECT_TRUE(file_error(in_system.file()).ends_with(": " + test::attack_name("os.system")));
  LegacyParts in_object;
  in_object.object = evil;
  EXPECT_TRUE(file_error(in_object.file()).starts_with("the object: offset "));
  LegacyParts in_keys;
  in_keys.keys = evil;
  EXPECT_TRUE(file_error(in_keys.file()).ends_with(": " + test::attack_name("os.system")));
}

TEST(LegacyContainer, RefusesKeysThatAreNoList) {
  LegacyParts parts;
  parts.keys = pickle_of("}");
  EXPECT_EQ(file_error(parts.file()), "the list of storages is not a list");
}

TEST(LegacyContainer, RefusesAStorageListedTwice) {
  LegacyParts parts;
  parts.keys = pickle_of(push_list({push_text("7"), push_text("7")}));
  parts.storages += parts.storages;
  EXPECT_EQ(file_error(parts.file()), "the list of storages has one that no tensor lies in, or one twice");
}

TEST(LegacyContainer, RefusesAStorageThatNothingUses) {
  LegacyParts parts;
  parts.keys = pickle_of(push_list({push_text("8")}));
  EXPECT_EQ(file_error(parts.file()), "the list of storages has one that no tensor lies in, or one twice");
}

TEST(LegacyContainer, RefusesAMissingStorage) {
  LegacyParts parts;
  parts.keys = pickle_of("]");
  parts.storages = "";
  EXPECT_EQ(file_error(parts.file()), "storage \"7\" is missing, though a tensor lies in it");
}

TEST(LegacyContainer, RefusesAStorageOfAnotherLength) {
  for (const std::uint64_t count : {std::uint64_t{5}, std::uint64_t{7}, ~std::uint64_t{0}, std::uint64_t{1} << 62}) {
    LegacyParts parts;
    parts.storages.replace(0, 8, little_endian(count, 8));
    EXPECT_NE(file_error(parts.file()).find("storage \"7\" has " + std::to_string(count) + " elements"),
              std::string::npos);
  }
}

TEST(LegacyContainer, RefusesBytesAfterTheLastStorage) {
  EXPECT_TRUE(file_error(LegacyParts().file() + "x").ends_with(": there are bytes after the last storage"));
}

}  // namespace
}  // namespace iris
