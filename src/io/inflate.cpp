#include "io/inflate.h"

#include <array>
#include <vector>

#include "io/byte_cursor.h"

namespace iris {
namespace {

constexpr std::size_t kMaxCodeLength = 15;
constexpr std::size_t kEndOfBlock = 256;
constexpr std::size_t kLiteralCodes = 288;
constexpr std::size_t kDistanceCodes = 32;

// RFC 1951, 3.2.5: of the codes 257 to 285, and of the distances 0 to 29.
constexpr std::array<std::uint16_t, 29> kLengths = {3,  4,  5,  6,  7,  8,  9,  10, 11,  13,  15,  17,  19,  23, 27,
                                                    31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258};
constexpr std::array<std::uint8_t, 29> kLengthBits = {0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2,
                                                      2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0};
constexpr std::array<std::uint16_t, 30> kDistances = {1,    2,    3,    4,    5,    7,    9,    13,    17,    25,
                                                      33,   49,   65,   97,   129,  193,  257,  385,   513,   769,
                                                      1025, 1537, 2049, 3073, 4097, 6145, 8193, 12289, 16385, 24577};
constexpr std::array<std::uint8_t, 30> kDistanceBits = {0, 0, 0, 0, 1, 1, 2, 2,  3,  3,  4,  4,  5,  5,  6,
                                                        6, 7, 7, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 13, 13};
// 3.2.7: the order in which the lengths of the code of code lengths come.
constexpr std::array<std::uint8_t, 19> kOrder = {16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15};

class Bits {
 public:
  explicit Bits(std::span<const std::byte> bytes) : cursor_(bytes) {}

  std::size_t take(std::size_t count) {
    std::size_t value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      value |= take_one() << i;
    }
    return value;
  }

  std::size_t take_one() {
    if (left_ == 0) {
      byte_ = cursor_.take<std::uint8_t>();
      left_ = 8;
    }
    const std::size_t bit = byte_ & 1U;
    byte_ = static_cast<std::uint8_t>(byte_ >> 1);
    --left_;
    return bit;
  }

  // From the next whole byte on.
  ByteCursor& bytes() {
    left_ = 0;
    return cursor_;
  }

 private:
  ByteCursor cursor_;
  std::uint8_t byte_ = 0;
  std::size_t left_ = 0;  // bits of byte_
};

// A canonical Huffman code (3.2.2): how many symbols have each length, and the symbols by length, then by number.
class Code {
 public:
  explicit Code(std::span<const std::uint8_t> lengths) : symbols_(lengths.size()) {
    for (const std::uint8_t length : lengths) {
      ++counts_.at(length);
    }
    counts_[0] = 0;
    std::size_t room = 1;
    std::array<std::size_t, kMaxCodeLength + 2> next = {};
    for (std::size_t length = 1; length <= kMaxCodeLength; ++length) {
      room = 2 * room;
      require(counts_[length] <= room, "its packed bytes are damaged");
      room -= counts_[length];
      next[length + 1] = next[length] + counts_[length];
    }
    for (std::size_t symbol = 0; symbol < lengths.size(); ++symbol) {
      if (lengths[symbol] != 0) {
        symbols_[next[lengths[symbol]]++] = static_cast<std::uint16_t>(symbol);
      }
    }
  }

  std::size_t take(Bits& bits) const {
    std::size_t code = 0;
    std::size_t first = 0;
    std::size_t index = 0;
    for (std::size_t length = 1; length <= kMaxCodeLength; ++length) {
      code = 2 * code + bits.take_one();
      first = 2 * first;
      if (code < first + counts_[length]) {
        return symbols_[index + code - first];
      }
      first += counts_[length];
      index += counts_[length];
    }
    throw FormatError("its packed bytes are damaged");
  }

 private:
  std::array<std::size_t, kMaxCodeLength + 1> counts_ = {};
  std::vector<std::uint16_t> symbols_;
};

class Inflater {
 public:
  Inflater(std::span<const std::byte> packed, std::uint64_t size) : bits_(packed), size_(size) {}

  std::string run() {
    bool is_last = false;
    while (!is_last) {
      is_last = bits_.take_one() == 1;
      switch (bits_.take(2)) {
        case 0:
          take_stored();
          break;
        case 1:
          take_fixed();
          break;
        case 2:
          take_dynamic();
          break;
        default:
          throw FormatError("its packed bytes are damaged");
      }
    }
    require(bits_.bytes().remaining() == 0, "there are bytes after its packed ones");
    require(text_.size() == size_, "it unpacks to less than its header says");
    return std::move(text_);
  }

 private:
  void make_room(std::size_t count) const {
    require(count <= size_ - text_.size(), "it unpacks to more than its header says");
  }

  void take_stored() {
    ByteCursor& cursor = bits_.bytes();
    const auto length = cursor.take<std::uint16_t>();
    const auto complement = cursor.take<std::uint16_t>();
    require((length ^ complement) == 0xFFFF, "its packed bytes are damaged");
    make_room(length);
    text_ += cursor.take_text(length);
  }

  void take_fixed() {
    std::array<std::uint8_t, kLiteralCodes> lengths = {};
    for (std::size_t symbol = 0; symbol < kLiteralCodes; ++symbol) {
      lengths[symbol] = symbol < 144 ? 8 : symbol < 256 ? 9 : symbol < 280 ? 7 : 8;
    }
    std::array<std::uint8_t, kDistanceCodes> distances = {};
    distances.fill(5);
    take_block(Code(lengths), Code(distances));
  }

  void take_dynamic() {
    const std::size_t literals = bits_.take(5) + 257;
    const std::size_t distances = bits_.take(5) + 1;
    const std::size_t own = bits_.take(4) + 4;
    std::array<std::uint8_t, kOrder.size()> own_lengths = {};
    for (std::size_t i = 0; i < own; ++i) {
      own_lengths[kOrder[i]] = static_cast<std::uint8_t>(bits_.take(3));
    }
    const Code code(own_lengths);
    std::vector<std::uint8_t> lengths;
    while (lengths.size() < literals + distances) {
      const std::size_t symbol = code.take(bits_);
      if (symbol < 16) {
        lengths.push_back(static_cast<std::uint8_t>(symbol));
        continue;
      }
      require(symbol != 16 || !lengths.empty(), "its packed bytes are damaged");
      const std::uint8_t length = symbol == 16 ? lengths.back() : std::uint8_t{0};
      lengths.insert(lengths.end(), symbol == 18 ? bits_.take(7) + 11 : bits_.take(symbol == 16 ? 2 : 3) + 3, length);
    }
    require(lengths.size() == literals + distances, "its packed bytes are damaged");
    const std::span<const std::uint8_t> all = lengths;
    take_block(Code(all.first(literals)), Code(all.subspan(literals)));
  }

  void take_block(const Code& literals, const Code& distances) {
    while (true) {
      const std::size_t symbol = literals.take(bits_);
      if (symbol < kEndOfBlock) {
        make_room(1);
        text_ += static_cast<char>(symbol);
      } else if (symbol == kEndOfBlock) {
        return;
      } else {
        take_copy(symbol - kEndOfBlock - 1, distances);
      }
    }
  }

  void take_copy(std::size_t length_code, const Code& distances) {
    require(length_code < kLengths.size(), "its packed bytes are damaged");
    const std::size_t length = kLengths[length_code] + bits_.take(kLengthBits[length_code]);
    const std::size_t code = distances.take(bits_);
    require(code < kDistances.size(), "its packed bytes are damaged");
    const std::size_t distance = kDistances[code] + bits_.take(kDistanceBits[code]);
    require(distance <= text_.size(), "its packed bytes are damaged");
    make_room(length);
    for (std::size_t i = 0; i < length; ++i) {  // the copy may overlap itself
      text_ += text_[text_.size() - distance];
    }
  }

  Bits bits_;
  std::uint64_t size_;
  std::string text_;
};

}  // namespace

std::string inflate(std::span<const std::byte> packed, std::uint64_t size) { return Inflater(packed, size).run(); }

}  // namespace iris
