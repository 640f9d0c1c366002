// A model that was loaded again and has not answered yet, beside the one that it replaced.
#pragma once

#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "serve/protocol/model.h"
#include "serve/protocol/response.h"

namespace iris::serve {

// Passes are the new model's. The first that has an answer ends the trial; so does one that fails on rows which the
// model before answers. Then that model is let go.
class ModelOnTrial : public Model {
 public:
  // Called once, by any thread, where the new model failed: with the trial, the model before, and the reason.
  using GiveUp = std::function<void(const Model& trial, std::shared_ptr<const Model> before, const std::string& why)>;

  ModelOnTrial(std::shared_ptr<const Model> now, std::shared_ptr<const Model> before, GiveUp give_up)
      : Model(*now), now_(std::move(now)), before_(std::move(before)), give_up_(std::move(give_up)) {}

  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override {
    try {
      now_->predict(rows, row_count, predictions);
      end();
    } catch (const RequestError&) {
      throw;
    } catch (const std::exception& error) {
      if (before_answers(rows, row_count)) {
        if (auto before = end()) {
          give_up_(*this, std::move(before), error.what());
        }
        throw RequestError(503,
                           "the model that was loaded again cannot answer, and the one before serves again; retry");
      }
      throw;
    }
  }

  bool is_alive() const override { return now_->is_alive(); }

  // nullptr once the trial is over.
  std::shared_ptr<const Model> before() const {
    const std::lock_guard lock(mutex_);
    return before_;
  }

 private:
  // The model before, the first time; then nullptr.
  std::shared_ptr<const Model> end() const {
    const std::lock_guard lock(mutex_);
    return std::exchange(before_, nullptr);
  }

  bool before_answers(std::span<const float> rows, std::size_t row_count) const {
    const std::shared_ptr<const Model> its_before = before();
    if (its_before == nullptr) {
      return false;
    }
    try {
      Predictions not_used;
      its_before->predict(rows, row_count, not_used);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  std::shared_ptr<const Model> now_;
  mutable std::mutex mutex_;
  mutable std::shared_ptr<const Model> before_;  // guarded; nullptr once the trial is over
  GiveUp give_up_;
};

}  // namespace iris::serve
