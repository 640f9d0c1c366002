// The device that a user names. Needs no LibTorch: the command line parses it.
#pragma once

#include <charconv>
#include <limits>
#include <string>
#include <system_error>
#include <utility>

#include "error.h"

namespace iris {

struct DeviceName {
  enum class Kind { kAuto, kCpu, kCuda };

  DeviceName() = default;
  DeviceName(const char* name) : DeviceName(std::string(name)) {}

  // "auto" (CUDA where there is a device), "cpu", "cuda" or "cuda:N". Throws UsageError for any other text.
  DeviceName(std::string name) : text(std::move(name)) {
    const auto fail = [this](const char* fact) {
      throw UsageError("device " + text + ": " + fact, {Choice::Of::kDevice});
    };
    const bool has_index = text.starts_with("cuda:");
    if (text != "auto" && text != "cpu" && text != "cuda" && !has_index) {
      fail("is not one of auto, cpu, cuda, cuda:N");
    }
    kind = text == "auto" ? Kind::kAuto : text == "cpu" ? Kind::kCpu : Kind::kCuda;
    if (!has_index) {
      return;
    }
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data() + std::string("cuda:").size(), end, index);
    if (parsed.ec == std::errc::result_out_of_range && parsed.ptr == end) {
      index = std::numeric_limits<int>::max();  // which no machine has
    } else if (parsed.ec != std::errc() || parsed.ptr != end || index < 0) {
      fail("after cuda: comes a number from 0");
    }
  }

  std::string text = "auto";
  Kind kind = Kind::kAuto;
  int index = 0;  // of kCuda
};

}  // namespace iris
