// What every verb that runs a model does first.
#pragma once

#include <cstdio>
#include <optional>
#include <string>

#include "model/device.h"

namespace iris {

// Starts the device (model/device.h: resolve_device) and sets LibTorch's threads and TF32 for the process. Says on
// stderr why "auto" had to take the CPU. threads: else LibTorch's own count.
inline c10::Device start_device(const DeviceName& device, bool allows_tf32, std::optional<int> threads) {
  if (threads) {
    set_thread_count(*threads);
  }
  const DeviceChoice choice = resolve_device(device);
  if (!choice.note.empty()) {
    std::fprintf(stderr, "iris: %s\n", choice.note.c_str());
  }
  if (choice.device.is_cuda()) {
    allow_tf32(allows_tf32);
  }
  return choice.device;
}

}  // namespace iris
