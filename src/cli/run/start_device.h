// What every verb that runs a model does first.
#pragma once

#include <c10/core/Device.h>

#include <optional>
#include <string>

namespace iris {

// Starts the device (model/device.h: resolve_device) and sets LibTorch's threads and TF32 for the process. Says on
// stderr why "auto" had to take the CPU. threads: else LibTorch's own count.
c10::Device start_device(const std::string& device, bool allows_tf32, std::optional<int> threads);

}  // namespace iris
