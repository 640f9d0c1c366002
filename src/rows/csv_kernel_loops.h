// The loops of csv_kernel.h, for the instructions that a source file chooses. Functions of the standard library would
// be shared between source files that are compiled for different processors, so that only builtins are used.
#pragma once

#include <cstdint>
#include <cstring>

#include "rows/csv_kernel.h"

namespace iris {
namespace {

constexpr std::size_t kBlock = 64;  // characters at a time, each a bit of the masks
constexpr std::size_t kLanes = 4;   // numbers at a time
constexpr std::uint32_t kLongest = 8;
constexpr std::uint64_t kHighest = std::uint64_t{1} << 63;

struct Masks {
  std::uint64_t commas_and_newlines;
  std::uint64_t returns;
  std::uint64_t quotes;
};

// Whether each quote stands where RFC 4180 has it, from block to block. The members are about the character before the
// block, as the lowest bit.
struct QuoteCheck {
  std::uint64_t inside;
  std::uint64_t may_open;  // a quote
  std::uint64_t after_closing = 0;
  std::uint64_t after_return = 0;  // after a closing quote

  // Sets the bits of the characters outside quotes. False where a quote stands elsewhere.
  bool pass(const Masks& masks, std::uint64_t& outside) {
    std::uint64_t within = masks.quotes;  // from each opening quote to before its closing one: by the quotes before it
    for (int distance = 1; distance < 64; distance *= 2) {
      within ^= within << distance;
    }
    within ^= 0 - inside;
    outside = ~within & ~masks.quotes;
    const std::uint64_t closing = masks.quotes & ~within;
    const std::uint64_t ends = (masks.commas_and_newlines | masks.returns) & outside;
    const std::uint64_t can_open = (ends | closing) << 1 | may_open;
    const std::uint64_t follows_closing = closing << 1 | after_closing;
    const std::uint64_t return_after_closing = follows_closing & masks.returns;
    const std::uint64_t follows_return = return_after_closing << 1 | after_return;
    const std::uint64_t wrong = (masks.quotes & within & ~can_open) | (follows_closing & ~(ends | masks.quotes)) |
                                (follows_return & ~masks.commas_and_newlines);
    inside = within >> 63;
    may_open = (ends | closing) >> 63;
    after_closing = closing >> 63;
    after_return = return_after_closing >> 63;
    return wrong == 0;
  }
};

// masks_of: Masks(const char*) of 64 characters.
template <typename MasksOf>
CsvKernel::Ends find_ends(const char* text, std::size_t size, std::uint32_t* ends, MasksOf masks_of) {
  QuoteCheck check = {0, 1};
  bool has_quotes = false;
  std::size_t count = 0;
  char last[kBlock] = {};
  for (std::size_t at = 0; at < size; at += kBlock) {
    const char* block = text + at;
    if (size - at < kBlock) {
      std::memcpy(last, block, size - at);
      block = last;
    }
    const Masks masks = masks_of(block);
    std::uint64_t bits = masks.commas_and_newlines | masks.returns;
    if (masks.quotes != 0 || has_quotes) {
      if (!has_quotes && at > 0) {
        const char before = text[at - 1];
        check.may_open = before == ',' || before == '\n' || before == '\r' ? 1 : 0;
      }
      has_quotes = true;
      std::uint64_t outside = 0;
      if (!check.pass(masks, outside)) {
        return {0, true, false};
      }
      bits &= outside;
    }
    // Eight at a time, some of them too many, is quicker than to ask after each.
    const auto its_count = static_cast<std::size_t>(__builtin_popcountll(bits));
    for (std::size_t done = 0; done < its_count; done += 8) {
      for (std::size_t i = 0; i < 8; ++i) {
        ends[count + done + i] =
            static_cast<std::uint32_t>(at + static_cast<std::size_t>(__builtin_ctzll(bits | kHighest)));
        bits &= bits - 1;
      }
    }
    count += its_count;
  }
  return {count, has_quotes, true};
}

// Where one number of each lane begins and ends.
struct Fields {
  std::uint32_t begins[kLanes];
  std::uint32_t ends[kLanes];
};

// Four: bool(const char* text, const std::uint32_t* begins, const std::uint32_t* ends, float* values): converts four
// numbers of at most kLongest characters, of which the first kLongest characters before each end can be read; false
// where one is none. begins are one less.
template <typename Four>
CsvKernel::Rows parse_rows(const char* text, const std::uint32_t* ends, std::size_t end_count,
                           const CsvKernel::Columns& columns, bool has_quotes, std::size_t most, float* values,
                           Four four) {
  CsvKernel::Rows rows = {0, 0};
  const bool is_direct = columns.are_in_order && !has_quotes && columns.wanted % kLanes == 0;
  while (rows.count < most) {
    const std::uint32_t* const row = ends + rows.ends;
    const std::size_t its_ends = ends_of_row(text, row, end_count - rows.ends, columns.count);
    // The first row of a text has no eight characters before its first end.
    if (its_ends == 0 || row[0] < kLongest) {
      return rows;
    }
    for (std::size_t first = 0; first < columns.wanted; first += kLanes) {
      if (is_direct) {
        if (!four(text, row + first - 1, row + first, values + first)) {
          return rows;
        }
        continue;
      }
      Fields fields;
      for (std::size_t lane = 0; lane < kLanes; ++lane) {
        const std::size_t wanted = first + lane < columns.wanted ? first + lane : columns.wanted - 1;
        const std::uint32_t* const end = row + columns.places[wanted];
        const std::uint32_t is_quoted = has_quotes && text[*end - 1] == '"' && text[end[-1] + 1] == '"' ? 1 : 0;
        fields.begins[lane] = end[-1] + is_quoted;
        fields.ends[lane] = *end - is_quoted;
      }
      if (!four(text, fields.begins, fields.ends, values + first)) {
        return rows;
      }
    }
    values += columns.wanted;
    rows.ends += its_ends;
    ++rows.count;
  }
  return rows;
}

}  // namespace
}  // namespace iris
