// What decides the numbers of a training run. A checkpoint holds it, and a resumed run must agree with it.
#pragma once

#include <cstdint>
#include <string>

#include "train/settings.h"

namespace iris {

struct TrainConfig : Settings<Known> {
  std::int64_t data_crc32 = 0;  // see data_crc32()
  std::string torch;            // LibTorch's version, "2.13.0"

  // Calls visit(name, member) for each, in the order of a checkpoint.
  template <typename Config, typename Visit>
  static void visit(Config& config, Visit&& visit) {
    visit_settings([&visit](const auto& setting, auto& member) { visit(setting.name, member); }, config);
    visit("data_crc32", config.data_crc32);
    visit("torch", config.torch);
  }

  // The first setting that is out of its option's range, or missing though the run needs it; nullptr: there is none.
  const char* fault() const;
};

// The settings that the user typed.
struct TypedConfig : Settings<std::optional> {
  // With the defaults for the others; data_crc32 and torch are left empty. Throws UsageError for an option that means
  // something with another one only.
  TrainConfig with_defaults() const;

  // What a resumed run trains with: the checkpoint's settings; only the epochs may be more. Throws InputError where
  // another one differs, and for fewer epochs than are done or begun. place: of the checkpoint, for messages.
  TrainConfig resumed(TrainConfig config, std::int64_t epochs_done, std::int64_t batches_done,
                      const std::string& place) const;
};

}  // namespace iris
