#include "serve/model_slot.h"

#include <exception>
#include <utility>

#include "serve/model_on_trial.h"
#include "serve/protocol/response.h"

namespace iris::serve {

ModelSlot::ModelSlot(LoadModel load, Metrics& metrics, Log& log)
    : load_(std::move(load)), metrics_(metrics), log_(log), model_(load_()) {}

std::shared_ptr<const Model> ModelSlot::held() const {
  const std::lock_guard lock(mutex_);
  return model_;
}

std::shared_ptr<const Model> ModelSlot::current() const {
  auto model = held();
  if (model == nullptr) {
    throw RequestError(503, kUnloaded);
  }
  return model;
}

std::shared_ptr<const Model> ModelSlot::proven() const {
  auto model = held();
  const auto* trial = dynamic_cast<const ModelOnTrial*>(model.get());
  auto before = trial == nullptr ? nullptr : trial->before();
  return before == nullptr ? model : before;
}

// Returns the one before, so that it does not end under the lock.
std::shared_ptr<const Model> ModelSlot::exchange(std::shared_ptr<const Model> model) {
  const std::lock_guard lock(mutex_);
  return std::exchange(model_, std::move(model));
}

bool ModelSlot::take_back(const Model& trial, std::shared_ptr<const Model> last) {
  const std::lock_guard lock(mutex_);
  if (model_.get() != &trial) {
    return false;
  }
  model_ = std::move(last);  // the batch that runs still holds the other
  return true;
}

void ModelSlot::unload() {
  exchange(nullptr);
  log_.message("the model was unloaded");
}

bool ModelSlot::is_loaded() const { return held() != nullptr; }

std::optional<std::string> ModelSlot::reload() {
  const std::lock_guard one_at_a_time(loading_);
  try {
    std::shared_ptr<const Model> now = load_();
    auto last_proven = proven();
    if (!now->is_warm() && last_proven != nullptr) {
      now = std::make_shared<ModelOnTrial>(
          now, std::move(last_proven),
          [this](const Model& trial, std::shared_ptr<const Model> last, const std::string& why) {
            if (take_back(trial, std::move(last))) {
              metrics_.count_reload(false);
              log_.message("the model that was loaded again cannot answer: " + why +
                           "; the model loaded before serves again");
            }
          });
    }
    const std::shared_ptr<const Model> before = exchange(now);
    is_dead_ = false;
    metrics_.count_reload(true);
    const bool is_alike =
        before == nullptr || (before->features() == now->features() && before->known_labels() == now->known_labels());
    log_.message(is_alike ? "the model was loaded again"
                          : "the model was loaded again; its features or labels have changed");
    return std::nullopt;
  } catch (const std::exception& error) {
    metrics_.count_reload(false);
    const std::string message =
        std::string(error.what()) + (is_loaded() ? "; the model loaded before still serves" : "; no model is loaded");
    log_.message("the model could not be loaded again: " + message);
    return message;
  }
}

void ModelSlot::set_dead(const std::string& message) {
  if (!is_dead_.exchange(true)) {
    log_.message("the model no longer answers; live and ready are 503 from now on: " + message);
  }
}

}  // namespace iris::serve
