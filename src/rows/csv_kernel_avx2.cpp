// Compiled for processors with AVX2 (CMakeLists.txt).
#include "rows/csv_kernel.h"

#if defined(__AVX2__)

#include <immintrin.h>

#include "rows/csv_kernel_loops.h"

namespace iris {
namespace {

std::uint64_t bits_of(__m256i low, __m256i high) {
  return static_cast<std::uint32_t>(_mm256_movemask_epi8(low)) |
         std::uint64_t{static_cast<std::uint32_t>(_mm256_movemask_epi8(high))} << 32;
}

struct MasksOf {
  Masks operator()(const char* block) const {
    const __m256i low = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block));
    const __m256i high = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block + 32));
    const __m256i comma = _mm256_set1_epi8(',');
    const __m256i newline = _mm256_set1_epi8('\n');
    const __m256i carriage_return = _mm256_set1_epi8('\r');
    const __m256i quote = _mm256_set1_epi8('"');
    return {bits_of(_mm256_or_si256(_mm256_cmpeq_epi8(low, comma), _mm256_cmpeq_epi8(low, newline)),
                    _mm256_or_si256(_mm256_cmpeq_epi8(high, comma), _mm256_cmpeq_epi8(high, newline))),
            bits_of(_mm256_cmpeq_epi8(low, carriage_return), _mm256_cmpeq_epi8(high, carriage_return)),
            bits_of(_mm256_cmpeq_epi8(low, quote), _mm256_cmpeq_epi8(high, quote))};
  }
};

__m256i four_texts(const char* text, const std::uint32_t* ends) {
  long long words[kLanes];
  for (std::size_t i = 0; i < kLanes; ++i) {
    std::memcpy(&words[i], text + ends[i] - kLongest, kLongest);
  }
  return _mm256_set_epi64x(words[3], words[2], words[1], words[0]);
}

// Each number is a lane of eight characters, right-aligned: the last one is the highest byte.
struct Four {
  bool operator()(const char* text, const std::uint32_t* begins, const std::uint32_t* ends, float* values) const {
    const __m256i zero = _mm256_setzero_si256();
    const __m256i length_and_one =
        _mm256_cvtepu32_epi64(_mm_sub_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(ends)),
                                            _mm_loadu_si128(reinterpret_cast<const __m128i*>(begins))));
    // A shift by 64 bits or more, or by less than none, gives 0: then there is no digit.
    const __m256i number = _mm256_sllv_epi64(
        _mm256_set1_epi8(-1), _mm256_slli_epi64(_mm256_sub_epi64(_mm256_set1_epi64x(9), length_and_one), 3));
    const __m256i characters = _mm256_and_si256(four_texts(text, ends), number);
    const __m256i point = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8('.'));
    const __m256i minus = _mm256_cmpeq_epi8(characters, _mm256_set1_epi8('-'));
    const __m256i digit_places = _mm256_andnot_si256(_mm256_or_si256(point, minus), number);
    const __m256i digits = _mm256_and_si256(_mm256_sub_epi8(characters, _mm256_set1_epi8('0')), digit_places);

    const __m256i point_bit = _mm256_and_si256(point, _mm256_sub_epi64(zero, point));  // the lowest of all points
    const __m256i is_not_one_point =
        _mm256_xor_si256(point, _mm256_sub_epi64(_mm256_slli_epi64(point_bit, 8), point_bit));
    const __m256i minus_within = _mm256_and_si256(minus, _mm256_slli_epi64(number, 8));
    const __m256i wrong = _mm256_or_si256(
        _mm256_or_si256(is_not_one_point, minus_within),
        _mm256_or_si256(_mm256_subs_epu8(digits, _mm256_set1_epi8(9)), _mm256_cmpeq_epi64(digit_places, zero)));
    if (_mm256_testz_si256(wrong, wrong) == 0) {
      return false;
    }

    // Without the point: what is before it moves up by one.
    const __m256i before_point = _mm256_sub_epi64(point_bit, _mm256_set1_epi64x(1));  // all where there is none
    const __m256i has_no_point = _mm256_cmpeq_epi64(point, zero);
    const __m256i eight_digits =
        _mm256_or_si256(_mm256_sllv_epi64(_mm256_and_si256(digits, before_point),
                                          _mm256_andnot_si256(has_no_point, _mm256_set1_epi64x(8))),
                        _mm256_andnot_si256(before_point, digits));
    const __m256i decimals =
        _mm256_sad_epu8(_mm256_andnot_si256(_mm256_or_si256(before_point, point), _mm256_set1_epi8(1)), zero);
    __m256i sums = _mm256_maddubs_epi16(eight_digits, _mm256_set1_epi16(0x010A));  // 10 and 1
    sums = _mm256_madd_epi16(sums, _mm256_set1_epi32(0x00010064));                 // 100 and 1
    sums = _mm256_packus_epi32(sums, sums);
    sums = _mm256_madd_epi16(sums, _mm256_set1_epi32(0x00012710));  // 10,000 and 1

    const __m256i lanes = _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6);
    const __m128i whole = _mm_unpacklo_epi64(_mm256_castsi256_si128(sums), _mm256_extracti128_si256(sums, 1));
    const __m256 powers = _mm256_setr_ps(1e0F, 1e1F, 1e2F, 1e3F, 1e4F, 1e5F, 1e6F, 1e7F);
    const __m128 power =
        _mm256_castps256_ps128(_mm256_permutevar8x32_ps(powers, _mm256_permutevar8x32_epi32(decimals, lanes)));
    const __m128i is_positive =
        _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(_mm256_cmpeq_epi64(minus, zero), lanes));
    const __m128i sign = _mm_andnot_si128(is_positive, _mm_set1_epi32(INT32_MIN));
    // With a point there are seven digits at most, fewer than 2^24: both operands are exact, so that the quotient is
    // rounded once. Without one, the conversion is what rounds.
    const __m128 quotient = _mm_div_ps(_mm_cvtepi32_ps(whole), power);
    _mm_storeu_ps(values, _mm_xor_ps(quotient, _mm_castsi128_ps(sign)));
    return true;
  }
};

CsvKernel::Ends find_ends_avx2(const char* text, std::size_t size, std::uint32_t* ends) {
  return find_ends(text, size, ends, MasksOf());
}

CsvKernel::Rows parse_rows_avx2(const char* text, const std::uint32_t* ends, std::size_t end_count,
                                const CsvKernel::Columns& columns, bool has_quotes, std::size_t most, float* values) {
  return parse_rows(text, ends, end_count, columns, has_quotes, most, values, Four());
}

constexpr CsvKernel kKernel = {find_ends_avx2, parse_rows_avx2};

}  // namespace

const CsvKernel* csv_kernel_of_avx2() { return &kKernel; }

}  // namespace iris

#else

namespace iris {

const CsvKernel* csv_kernel_of_avx2() { return nullptr; }

}  // namespace iris

#endif
