// A model that was loaded again and has not answered yet, beside the one that it replaced.
#pragma once

#include <atomic>
#include <exception>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>

#include "serve/protocol/model.h"
#include "serve/protocol/response.h"

namespace iris::serve {

// Passes are the new model's. The first that fails on rows which the model before answers ends the trial.
class ModelOnTrial : public Model {
 public:
  // give_up: called once, by any thread, with the reason.
  ModelOnTrial(std::shared_ptr<const Model> now, std::shared_ptr<const Model> before,
               std::function<void(const std::string&)> give_up)
      : Model(*now), now_(std::move(now)), before_(std::move(before)), give_up_(std::move(give_up)) {}

  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override {
    try {
      now_->predict(rows, row_count, predictions);
      is_over_ = true;
    } catch (const RequestError&) {
      throw;
    } catch (const std::exception& error) {
      if (!is_over_ && before_answers(rows, row_count) && !is_over_.exchange(true)) {
        give_up_(error.what());
        throw RequestError(503,
                           "the model that was loaded again cannot answer, and the one before serves again; retry");
      }
      throw;
    }
  }

  bool is_alive() const override { return now_->is_alive(); }

 private:
  bool before_answers(std::span<const float> rows, std::size_t row_count) const {
    try {
      Predictions not_used;
      before_->predict(rows, row_count, not_used);
      return true;
    } catch (const std::exception&) {
      return false;
    }
  }

  std::shared_ptr<const Model> now_;
  std::shared_ptr<const Model> before_;
  std::function<void(const std::string&)> give_up_;
  mutable std::atomic<bool> is_over_ = false;
};

}  // namespace iris::serve
