// The model that is served now, and the next one beside it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "serve/log.h"
#include "serve/metrics.h"
#include "serve/protocol/model.h"

namespace iris::serve {

// Reads, builds and warms up. Throws std::exception with a message for the user.
using LoadModel = std::function<std::shared_ptr<const Model>()>;

inline constexpr const char* kUnloaded = "the model was unloaded; load it with POST /v2/repository/models/NAME/load";

class ModelSlot {
 public:
  // Loads the first model. Throws what `load` throws.
  ModelSlot(LoadModel load, Metrics& metrics, Log& log);

  // Any thread; who holds it may use it on, reloaded or not. Throws RequestError 503 where it was unloaded.
  std::shared_ptr<const Model> current() const;

  // Loads again and takes the result's place. Where that fails the one before serves on; returns why, after it was
  // logged and counted. One at a time.
  std::optional<std::string> reload();

  // Until it is loaded again; passes under way have it to their end.
  void unload();
  bool is_loaded() const;

  void set_dead(const std::string& message);
  bool is_dead() const { return is_dead_; }

 private:
  LoadModel load_;
  Metrics& metrics_;
  Log& log_;
  std::mutex loading_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Model> model_;  // guarded by mutex_; nullptr: unloaded
  std::atomic<bool> is_dead_ = false;
};

}  // namespace iris::serve
