#include "cli/run/start_device.h"

#include <cstdio>

#include "model/device.h"

namespace iris {

c10::Device start_device(const std::string& device, bool allows_tf32, std::optional<int> threads) {
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
