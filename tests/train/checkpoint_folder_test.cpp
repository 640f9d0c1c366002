#include "train/checkpoint_folder.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

class CheckpointFolderTest : public ::testing::Test {
 protected:
  std::vector<std::string> names() const {
    std::vector<std::string> names;
    for (const CheckpointFile& file : checkpoints_in(path_)) {
      names.push_back(file.path.filename().string());
    }
    return names;
  }
  static void write(const std::string& path) { test::write_file(path, "checkpoint"); }

  test::TempFolder folder_;
  std::string path_ = folder_ / "run";
};

using Names = std::vector<std::string>;

TEST_F(CheckpointFolderTest, IsMadeWhereItIsNotThere) {
  const CheckpointFolder folder(path_, std::nullopt);
  folder.add({10, 0}, write);
  EXPECT_EQ(names(), Names{"epoch-000010.pt"});
}

TEST_F(CheckpointFolderTest, ListsTheNewestFirst) {
  const CheckpointFolder folder(path_, std::nullopt);
  for (const char* name : {"epoch-000009.pt", "epoch-1000000.pt", "epoch-000010-batch-000003.pt", "epoch-000010.pt"}) {
    write(path_ + "/" + name);
  }
  EXPECT_EQ(names(), (Names{"epoch-1000000.pt", "epoch-000010-batch-000003.pt", "epoch-000010.pt", "epoch-000009.pt"}));
}

TEST_F(CheckpointFolderTest, ListsOnlyNamesAsItWritesThem) {
  const CheckpointFolder folder(path_, std::nullopt);
  for (const char* name : {"epoch-10.pt", "epoch--00001.pt", "epoch-000010.pt2", "epoch- 00010.pt", "xepoch-000010.pt",
                           "epoch-000010-batch-000000.pt", "epoch-000010-batch--00001.pt", "epoch-0000000000010.pt",
                           "epoch-99999999999999999999.pt", "epoch-000010-batch-000003"}) {
    write(path_ + "/" + name);
  }
  EXPECT_EQ(names(), Names{});
}

TEST_F(CheckpointFolderTest, KeepsTheNewestAndNeverTouchesOtherFiles) {
  const CheckpointFolder folder(path_, 2);
  for (const char* name : {"best.pt", "epoch-12.pt", "epoch-000001.pt.bak", "notes.txt"}) {
    write(path_ + "/" + name);
  }
  for (std::int64_t epoch = 1; epoch <= 4; ++epoch) {
    folder.add({epoch, 0}, write);
  }
  EXPECT_EQ(names(), (Names{"epoch-000004.pt", "epoch-000003.pt"}));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_), {}), 6);
}

TEST_F(CheckpointFolderTest, DropsWhatIsInsideAnEpochOnceThatIsDone) {
  const CheckpointFolder folder(path_, std::nullopt);
  folder.add({10, 0}, write);
  folder.add({10, 3}, write);
  EXPECT_EQ(names(), (Names{"epoch-000010-batch-000003.pt", "epoch-000010.pt"}));
  folder.add({20, 0}, write);
  EXPECT_EQ(names(), (Names{"epoch-000020.pt", "epoch-000010.pt"}));
}

TEST_F(CheckpointFolderTest, LeavesNewerOnesAlone) {
  const CheckpointFolder folder(path_, 1);
  folder.add({50, 0}, write);
  folder.add({20, 0}, write);
  EXPECT_EQ(names(), (Names{"epoch-000050.pt", "epoch-000020.pt"}));
}

TEST_F(CheckpointFolderTest, KeepsTheOlderOnesWhereTheNewOneCannotBeWritten) {
  const CheckpointFolder folder(path_, 1);
  folder.add({1, 0}, write);
  EXPECT_THROW(folder.add({2, 0}, [](const std::string&) { throw InputError("full"); }), InputError);
  EXPECT_EQ(names(), Names{"epoch-000001.pt"});
}

TEST_F(CheckpointFolderTest, RemovesWhatKilledRunsLeftHalfWritten) {
  ASSERT_EQ(::mkdir(path_.c_str(), 0777), 0);
  for (const char* name :
       {".epoch-000010.pt.a1B2c3", ".epoch-000010-batch-000003.pt.a1B2c3", ".epoch-000010.pt.abc_123x",
        "epoch-000009.pt", "epoch-000010.pt.sha256", ".model.pt.a1B2c3"}) {
    write(path_ + "/" + name);
  }
  const CheckpointFolder folder(path_, std::nullopt);
  EXPECT_EQ(names(), Names{"epoch-000009.pt"});
  EXPECT_TRUE(std::filesystem::exists(path_ + "/epoch-000010.pt.sha256"));
  EXPECT_TRUE(std::filesystem::exists(path_ + "/.model.pt.a1B2c3"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_), {}), 3);
}

TEST_F(CheckpointFolderTest, IsOneRunsAtATime) {
  const CheckpointFolder folder(path_, std::nullopt);
  EXPECT_EQ(test::error_of<InputError>([&] { CheckpointFolder(path_, std::nullopt); }),
            path_ + ": another run writes its checkpoints there");
}

TEST_F(CheckpointFolderTest, IsRefusedWhereItCannotBe) {
  EXPECT_EQ(test::error_of<InputError>([&] { CheckpointFolder(path_ + "/deeper", std::nullopt); }),
            path_ + "/deeper: cannot be made: No such file or directory");
  test::write_file(path_, "");
  EXPECT_EQ(test::error_of<InputError>([&] { CheckpointFolder(path_, std::nullopt); }), path_ + ": is not a folder");
}

}  // namespace
}  // namespace iris
