#include "rows/chunk_reader.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <thread>

#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

using Lines = std::vector<std::string>;

class ChunkReaderTest : public ::testing::Test {
 protected:
  std::string put(std::string_view text) const {
    test::write_file(path_, text);
    return path_;
  }

  std::string error_in(std::string_view text) const {
    const std::string message = test::error_of<InputError>([&] { ChunkReader(put(text), RowFormat::kCsv); });
    return message.starts_with(path_) ? message.substr(path_.size()) : message;
  }

  test::TempFolder folder_;
  std::string path_ = folder_ / "rows.csv";
};

TEST_F(ChunkReaderTest, GivesAllOfAFileInWholeLines) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) {
    text += std::to_string(i) + ",b\n";
  }
  ChunkReader reader(put(text), RowFormat::kCsv);
  std::string all;
  for (Chunk chunk; reader.next(chunk);) {
    EXPECT_EQ(chunk.first_line, 1 + static_cast<std::size_t>(std::count(all.begin(), all.end(), '\n')));
    EXPECT_TRUE(chunk.text.ends_with('\n'));
    EXPECT_TRUE(chunk.fault.empty());
    all += chunk.text;
  }
  EXPECT_EQ(all, text);
  EXPECT_EQ(reader.position(), text.size());
  EXPECT_EQ(reader.size(), text.size());
}

TEST_F(ChunkReaderTest, DoesNotCutInsideQuotes) {
  std::string text;
  for (int i = 0; i < 50'000; ++i) {
    text += "\"a\n\"\"" + std::to_string(i) + "\",b\r\n";
  }
  ChunkReader reader(put(text), RowFormat::kCsv);
  std::string all;
  for (Chunk chunk; reader.next(chunk);) {
    EXPECT_TRUE(chunk.text.starts_with("\"a"));
    EXPECT_TRUE(chunk.text.ends_with("b\r\n"));
    all += chunk.text;
  }
  EXPECT_EQ(all, text);
}

TEST_F(ChunkReaderTest, TakesQuotesInNdjsonAsTheyAre) {
  ChunkReader reader(put("\"a\nb\n"), RowFormat::kNdjson);
  Chunk chunk;
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_EQ(chunk.text, "\"a\nb\n");
}

TEST_F(ChunkReaderTest, EndsALastLineThatHasNoNewline) {
  ChunkReader reader(put("a\nb"), RowFormat::kCsv);
  Chunk chunk;
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_EQ(chunk.text, "a\nb\n");
  EXPECT_FALSE(reader.next(chunk));
}

TEST_F(ChunkReaderTest, FindsNothingInAnEmptyFile) {
  ChunkReader reader(put(""), RowFormat::kCsv);
  Chunk chunk;
  EXPECT_FALSE(reader.next(chunk));
}

TEST_F(ChunkReaderTest, PassesOverAByteOrderMarkAtTheStart) {
  ChunkReader reader(put("\xEF\xBB\xBFz\n\xEF\xBB\xBFz\n"), RowFormat::kCsv);
  Chunk chunk;
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_EQ(chunk.text, "z\n\xEF\xBB\xBFz\n");
}

class PipeReaderTest : public ChunkReaderTest {
 protected:
  void SetUp() override { ASSERT_EQ(::pipe(ends_), 0); }
  void TearDown() override {
    ::close(ends_[0]);
    ::close(ends_[1]);
  }
  void send(std::string_view text) const {
    ASSERT_EQ(::write(ends_[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  std::string path() const { return "/dev/fd/" + std::to_string(ends_[0]); }

  int ends_[2] = {-1, -1};
};

TEST_F(PipeReaderTest, GivesWhatHasArrivedBeforeThePipeEnds) {
  send("1,2\n3,4\n5");
  ChunkReader reader(path(), RowFormat::kCsv);
  EXPECT_EQ(reader.size(), std::nullopt);
  Chunk chunk;
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_EQ(chunk.text, "1,2\n3,4\n");
  send(",6\n");
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_EQ(chunk.text, "5,6\n");
  EXPECT_EQ(chunk.first_line, 3U);
}

TEST_F(PipeReaderTest, StopsWhenAsked) {
  send("1,2\n");
  ChunkReader reader(path(), RowFormat::kCsv);
  Chunk chunk;
  EXPECT_TRUE(reader.next(chunk));
  std::stop_source stop;
  stop.request_stop();
  EXPECT_FALSE(reader.next(chunk, stop.get_token()));
}

TEST_F(PipeReaderTest, DoesNotWaitForAProducerThatNeverRests) {
  send("1,2\n");
  ChunkReader reader(path(), RowFormat::kCsv);
  std::jthread producer([&](const std::stop_token& stop) {
    while (!stop.stop_requested()) {
      send("1,2\n");
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  const auto start = std::chrono::steady_clock::now();
  Chunk chunk;
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

TEST_F(ChunkReaderTest, GivesTheSameChunksOfAFileWhateverWasReadIntoTheirMemory) {
  std::string text;
  while (text.size() < 3'000'000) {
    text += "1,2,3,4\n";
  }
  const auto sizes = [&](Chunk& chunk) {
    std::vector<std::size_t> result;
    for (ChunkReader reader(put(text), RowFormat::kCsv); reader.next(chunk);) {
      result.push_back(chunk.text.size());
    }
    return result;
  };
  Chunk fresh;
  Chunk roomy;
  roomy.capacity = 8 << 20;
  roomy.buffer = std::make_unique<char[]>(roomy.capacity);
  EXPECT_EQ(sizes(roomy), sizes(fresh));
}

TEST_F(ChunkReaderTest, TellsOfTheLinesOfARecordThatDoesNotEndInOneChunk) {
  ChunkReader reader(put("a\n\"b,\n1\n\"\"c\n"), RowFormat::kCsv);
  Chunk chunk;
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_EQ(chunk.text, "a\n");
  EXPECT_TRUE(reader.next(chunk));
  EXPECT_EQ(chunk.text, "\"b,\n1\n\"\"c\n");
  EXPECT_EQ(chunk.fault, "a quote is not closed before the file ends");
  EXPECT_EQ(chunk.first_line, 2U);
  EXPECT_FALSE(reader.next(chunk));
}

TEST_F(ChunkReaderTest, RefusesUtf16) {
  EXPECT_EQ(error_in(std::string_view("\xFF\xFE"
                                      "a\0",
                                      4)),
            ": is UTF-16; save it as UTF-8");
  EXPECT_EQ(error_in(std::string_view("\xFE\xFF\0a", 4)), ": is UTF-16; save it as UTF-8");
}

TEST_F(ChunkReaderTest, SaysWhatAFileIsThatHoldsNoRows) {
  EXPECT_EQ(error_in("\x1F\x8B\x08"), ": is compressed with gzip; unpack it first: gunzip -c FILE");
  EXPECT_EQ(error_in("\x28\xB5\x2F\xFD\x24"), ": is compressed with zstd; unpack it first: zstd -dc FILE");
  EXPECT_EQ(error_in(std::string_view("\xFD"
                                      "7zXZ\0\0",
                                      7)),
            ": is compressed with xz; unpack it first: xz -dc FILE");
  EXPECT_TRUE(error_in("PAR1\x15").starts_with(": is a Parquet file; make CSV of it first: python3 -c "));
  EXPECT_TRUE(
      error_in("PK\x03\x04 ...................... [Content_Types].xml").starts_with(": is an Excel file (.xlsx)"));
  EXPECT_EQ(error_in("PK\x03\x04 rows.csv"), ": is a zip archive; unpack it first: unzip -p FILE");
  EXPECT_EQ(error_in(std::string_view("a\0,\0b\0\n\0", 8)), ": is UTF-16; save it as UTF-8");
  EXPECT_EQ(error_in("\n<!DOCTYPE html>\n"), ": is a web page (HTML), not the file that it shows; fetch the raw file");
  EXPECT_EQ(error_in("[[5.1,3.5],\n[1,2]]\n"),
            ": is one JSON array, not a row on each line; make CSV of it first: python3 -c \"import pandas; "
            "pandas.read_json('FILE').to_csv('rows.csv', index=False)\"");
}

TEST_F(ChunkReaderTest, SaysThatJsonOverSeveralLinesIsNotNdjson) {
  const auto error = [&](std::string_view text) {
    return test::error_of<InputError>([&] { ChunkReader(put(text), RowFormat::kNdjson); }).substr(path_.size());
  };
  EXPECT_EQ(error("[\n  {\"a\": 1}\n]\n"),
            ": is one JSON array, not a row on each line; make CSV of it first: python3 -c \"import pandas; "
            "pandas.read_json('FILE').to_csv('rows.csv', index=False)\"");
  EXPECT_EQ(error(" [{\"a\": 1}]"),
            ": is one JSON array, not a row on each line; make CSV of it first: python3 -c \"import pandas; "
            "pandas.read_json('FILE').to_csv('rows.csv', index=False)\"");
  EXPECT_EQ(error("{\n  \"a\": 1\n}\n"),
            ": is a JSON object over several lines, not a row on each line; make one line of it first: jq -c . FILE");
}

TEST_F(ChunkReaderTest, SaysThatAFileIsMissing) {
  EXPECT_EQ(test::error_of<InputError>([&] { ChunkReader(folder_ / "none.csv", RowFormat::kCsv); }),
            (folder_ / "none.csv") + ": No such file or directory");
}

TEST_F(ChunkReaderTest, RefusesADirectory) {
  EXPECT_EQ(test::error_of<InputError>([&] { ChunkReader(folder_ / ".", RowFormat::kCsv); }),
            (folder_ / ".") + ": is a directory");
}

}  // namespace
}  // namespace iris
