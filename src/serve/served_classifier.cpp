#include "serve/served_classifier.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "serve/protocol/response.h"

namespace iris::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kQuick(500);  // for a full batch
constexpr int kWarmUps = 5;

// With the option of iris serve that helps: the program's own words are those of iris predict.
[[noreturn]] void throw_out_of_memory(const OutOfMemory& error) {
  const bool takes_fewer = error.choice.of == Choice::Of::kRowsAtOnce;
  throw OutOfMemory(std::string(error.what()) + (takes_fewer ? " (--max-batch-rows)" : " (--device)"));
}

}  // namespace

ServedClassifier::ServedClassifier(Classifier classifier, std::size_t batch_rows)
    : Model(classifier.features(), classifier.known_labels()), classifier_(std::move(classifier)) {
  if (features().empty()) {
    return;
  }
  try {
    if (classifier_.is_on_cpu()) {
      warm_up(batch_rows);
    } else {  // a thread that ends leaves its CUDA state to the next one
      std::async(std::launch::async, [&] { warm_up(batch_rows); }).get();
    }
  } catch (const OutOfMemory& error) {
    throw_out_of_memory(error);
  }
}

void ServedClassifier::predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const {
  try {
    classifier_.predict(rows, row_count, predictions);
  } catch (const NotFiniteError&) {
    throw RequestError(400, "the model gives logits that are not finite for these rows");
  } catch (const DeviceLost&) {
    is_lost_ = true;
    throw;
  } catch (const OutOfMemory& error) {
    throw_out_of_memory(error);
  } catch (const InputError& error) {
    if (features().empty()) {  // most likely they are too many or too few
      throw RequestError(400, error.what());
    }
    throw;
  }
}

bool ServedClassifier::is_alive() const {
  try {
    if (!features().empty() && !is_lost_) {
      classifier_.predict(std::vector<float>(features().size()), 1);
    }
    return !is_lost_;
  } catch (const NotFiniteError&) {
    return true;
  } catch (const std::exception&) {
    return false;
  }
}

// With both sizes of pass, so that no caller waits for what LibTorch does the first time.
void ServedClassifier::warm_up(std::size_t batch_rows) {
  Predictions predictions;
  auto fastest = Clock::duration::max();
  for (int i = 0; i < kWarmUps; ++i) {
    for (const std::size_t rows : {std::size_t{1}, batch_rows}) {
      const std::vector<float> zeros(rows * features().size());
      const auto start = Clock::now();
      classifier_.predict(zeros, rows, predictions);
      if (rows == batch_rows) {
        fastest = std::min<Clock::duration>(fastest, Clock::now() - start);
      }
    }
  }
  set_labels(classifier_.labels(predictions.class_count));
  is_quick = classifier_.is_on_cpu() && fastest < kQuick;  // a GPU gains from larger passes
}

}  // namespace iris::serve
