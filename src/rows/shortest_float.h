// float32 to the shortest text.
#pragma once

namespace iris {

// The fewest digits that are read back as the same float, and of those the nearest to it: "5.1", "1e-07". The
// characters are those of std::to_chars(float), in less than half of its time below 2^24. Returns the end, at most
// 15 characters on; up to 15 characters at `to` are overwritten.
char* write_shortest(float value, char* to);

}  // namespace iris
