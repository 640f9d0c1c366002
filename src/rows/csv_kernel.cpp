#include "rows/csv_kernel.h"

#include <bit>

#include "rows/csv_kernel_loops.h"

namespace iris {
namespace {

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighBits = 0x8080808080808080;

// The highest bit of each byte that is 0.
constexpr std::uint64_t zero_bytes(std::uint64_t bytes) {
  return ~(((bytes & ~kHighBits) + ~kHighBits) | bytes) & kHighBits;
}

// The same for the bytes that are the character.
constexpr std::uint64_t bytes_like(std::uint64_t bytes, char character) {
  return zero_bytes(bytes ^ (kOnes * static_cast<unsigned char>(character)));
}

std::uint64_t word_at(const char* text) {
  std::uint64_t word = 0;
  std::memcpy(&word, text, sizeof word);
  return word;
}

struct MasksOf {
  Masks operator()(const char* block) const {
    // Gathers the highest bits of eight bytes.
    const auto bits = [](std::uint64_t high_bits) { return (high_bits >> 7) * 0x0102040810204080 >> 56; };
    Masks masks = {};
    for (std::size_t i = 0; i < kBlock; i += 8) {
      const std::uint64_t word = word_at(block + i);
      masks.commas_and_newlines |= bits(bytes_like(word, ',') | bytes_like(word, '\n')) << i;
      masks.returns |= bits(bytes_like(word, '\r')) << i;
      masks.quotes |= bits(bytes_like(word, '"')) << i;
    }
    return masks;
  }
};

// The algorithm of csv_kernel_avx2.cpp, where each step is explained, on one lane.
bool parse_short(const char* end, std::uint32_t length, float& value) {
  constexpr float kPowers[] = {1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F};
  if (length == 0 || length > kLongest) {
    return false;
  }
  const std::uint64_t number = ~std::uint64_t{0} << (8 * (kLongest - length));
  const std::uint64_t characters = word_at(end - kLongest) & number;
  const std::uint64_t point = (bytes_like(characters, '.') >> 7) * 0xFF;
  const std::uint64_t minus = (bytes_like(characters, '-') >> 7) * 0xFF;
  const std::uint64_t digit_places = number & ~point & ~minus;
  const std::uint64_t digits = (characters ^ (kOnes * '0')) & digit_places;
  const std::uint64_t point_bit = point & (0 - point);
  const bool is_wrong = (digits & 0xF0 * kOnes) != 0 || ((digits + 6 * kOnes) & 0xF0 * kOnes) != 0 ||
                        point != (point_bit << 8) - point_bit || (minus & number << 8) != 0 || digit_places == 0;
  if (is_wrong) {
    return false;
  }
  const std::uint64_t before_point = point_bit - 1;
  std::uint64_t sums = point == 0 ? digits : (digits & before_point) << 8 | (digits & ~before_point);
  sums = (sums * 10 + (sums >> 8)) & 0x00FF00FF00FF00FF;
  sums = (sums * 100 + (sums >> 16)) & 0x0000FFFF0000FFFF;
  sums = (sums * 10'000 + (sums >> 32)) & 0xFFFFFFFF;
  const auto decimals = static_cast<std::size_t>(point == 0 ? 0 : 7 - __builtin_ctzll(point_bit) / 8);
  const float quotient = static_cast<float>(static_cast<std::uint32_t>(sums)) / kPowers[decimals];
  value = minus == 0 ? quotient : -quotient;
  return true;
}

struct Four {
  bool operator()(const char* text, const std::uint32_t* begins, const std::uint32_t* ends, float* values) const {
    for (std::size_t i = 0; i < kLanes; ++i) {
      if (!parse_short(text + ends[i], ends[i] - begins[i] - 1, values[i])) {
        return false;
      }
    }
    return true;
  }
};

CsvKernel::Ends find_ends_of_all(const char* text, std::size_t size, std::uint32_t* ends) {
  return find_ends(text, size, ends, MasksOf());
}

CsvKernel::Rows parse_rows_of_all(const char* text, const std::uint32_t* ends, std::size_t end_count,
                                  const CsvKernel::Columns& columns, bool has_quotes, std::size_t most, float* values) {
  if constexpr (std::endian::native != std::endian::little) {
    return {0, 0};
  }
  return parse_rows(text, ends, end_count, columns, has_quotes, most, values, Four());
}

constexpr CsvKernel kOfAll = {find_ends_of_all, parse_rows_of_all};

}  // namespace

const CsvKernel& csv_kernel_of_all() { return kOfAll; }

const CsvKernel& csv_kernel() {
#if defined(__x86_64__)
  static const bool has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi");
  if (has_avx2 && csv_kernel_of_avx2() != nullptr) {
    return *csv_kernel_of_avx2();
  }
#endif
  return kOfAll;
}

}  // namespace iris
