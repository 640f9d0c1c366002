// What every verb that needs LibTorch does first.
#pragma once

#include <c10/core/Device.h>

#include <optional>
#include <string>

namespace iris {

// Starts the device (inference/device.h: resolve_device), saying on stderr where "auto" had to take the CPU, and sets
// LibTorch's threads and TF32 for the process.
c10::Device start_device(const std::string& device, bool allows_tf32, std::optional<int> threads);

}  // namespace iris
