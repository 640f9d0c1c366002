// What decides the numbers of a training run: a checkpoint carries it, and a resumed run has to agree with it.
#pragma once

#include <cstdint>
#include <string>

#include "train/settings.h"

namespace iris {

struct TrainConfig : Settings<Known> {
  std::int64_t data_crc32 = 0;  // see data_crc32()
  std::string torch;            // LibTorch's version, "2.13.0"

  // Calls visit(name, member) for each, in the order that checkpoints have.
  template <typename Config, typename Visit>
  static void visit(Config& config, Visit&& visit) {
    visit_settings([&visit](const auto& setting, auto& member) { visit(setting.name, member); }, config);
    visit("data_crc32", config.data_crc32);
    visit("torch", config.torch);
  }

  // The name of a setting that is out of its option's range, or not there though the run needs it; nullptr: there is
  // none.
  const char* fault() const;
};

// What the user typed of it.
struct TypedConfig : Settings<std::optional> {
  // Defaults where nothing was typed; data_crc32 and torch are left empty. Throws UsageError for options that only mean
  // something beside another one.
  TrainConfig with_defaults() const;

  // What a resumed run trains with: the checkpoint's own, but for the epochs, which may be more. Throws InputError
  // where something else was typed, or fewer epochs than are done or begun. place: of the checkpoint, for messages.
  TrainConfig resumed(TrainConfig config, std::int64_t epochs_done, std::int64_t batches_done,
                      const std::string& place) const;
};

}  // namespace iris
