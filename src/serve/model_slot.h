// The model that is served now, and its replacement.
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

  // For any thread. The model may be used for as long as it is held, also after a reload. Throws RequestError 503 where
  // it was unloaded.
  std::shared_ptr<const Model> current() const;

  // Loads a new model and replaces the one before. Where loading fails, the one before stays, and the reason is
  // returned. The outcome is logged and counted. One call at a time; others wait.
  std::optional<std::string> reload();

  // There is no model until the next reload. Running passes keep the model that they began with.
  void unload();
  bool is_loaded() const;

  // The model no longer answers, until the next reload. Logged the first time.
  void set_dead(const std::string& message);
  bool is_dead() const { return is_dead_; }

 private:
  // nullptr: unloaded.
  std::shared_ptr<const Model> held() const;
  // The same; of a model on trial, the one before.
  std::shared_ptr<const Model> proven() const;
  std::shared_ptr<const Model> exchange(std::shared_ptr<const Model> model);
  // False where another model was loaded, or the model unloaded, meanwhile.
  bool take_back(const Model& trial, std::shared_ptr<const Model> last);

  LoadModel load_;
  Metrics& metrics_;
  Log& log_;
  std::mutex loading_;
  mutable std::mutex mutex_;
  std::shared_ptr<const Model> model_;  // guarded by mutex_; nullptr: unloaded
  std::atomic<bool> is_dead_ = false;
};

}  // namespace iris::serve
