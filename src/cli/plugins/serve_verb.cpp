// What libiris_serve_verb.so gives the program.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

#include "cli/run/start_device.h"
#include "cli/serve.h"
#include "error.h"
#include "serve/http.h"
#include "serve/server.h"

namespace iris {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kQuick(500);  // for a full batch
constexpr int kWarmUps = 5;
// Matrix libraries have routines of their own for less, which round otherwise: a row's answer would depend on who else
// asked at that moment.
constexpr std::size_t kSmallestPass = 4;

class ServedClassifier : public serve::Model {
 public:
  ServedClassifier(Classifier classifier, std::size_t batch_rows)
      : Model(classifier.features(), classifier.known_labels()), classifier_(std::move(classifier)) {
    if (features().empty()) {
      return;
    }
    if (classifier_.is_on_cpu()) {
      warm_up(batch_rows);
    } else {  // what a thread leaves of CUDA when it ends, the next one takes over
      std::async(std::launch::async, [&] { warm_up(batch_rows); }).get();
    }
  }

  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const override {
    if (row_count < kSmallestPass) {
      std::vector<float> padded(rows.begin(), rows.end());
      for (std::size_t i = row_count; i < kSmallestPass; ++i) {
        padded.insert(padded.end(), rows.end() - static_cast<std::ptrdiff_t>(rows.size() / row_count), rows.end());
      }
      predict(padded, kSmallestPass, predictions);  // whose first rows are the answer
      return;
    }
    try {
      classifier_.predict(rows, row_count, predictions);
    } catch (const NotFiniteError&) {
      throw serve::RequestError(400, "the model gives logits that are not finite for these rows");
    } catch (const DeviceLost&) {
      is_lost_ = true;
      throw;
    } catch (const OutOfMemory&) {
      throw;
    } catch (const InputError& error) {
      if (features().empty()) {  // how many it takes is not known, so most likely these are too many or too few
        throw serve::RequestError(400, error.what());
      }
      throw;
    }
  }

  bool is_alive() const override {
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

 private:
  // Both sizes of pass, so that no caller pays for what LibTorch does the first time.
  void warm_up(std::size_t batch_rows) {
    Predictions predictions;
    auto fastest = Clock::duration::max();
    for (int i = 0; i < kWarmUps; ++i) {
      for (const std::size_t rows : {kSmallestPass, batch_rows}) {
        const std::vector<float> zeros(rows * features().size());
        const auto start = Clock::now();
        classifier_.predict(zeros, rows, predictions);
        if (rows == batch_rows) {
          fastest = std::min<Clock::duration>(fastest, Clock::now() - start);
        }
      }
    }
    set_labels(classifier_.labels(predictions.class_count));
    is_quick = classifier_.is_on_cpu() && fastest < kQuick;  // a GPU is for company
  }

  Classifier classifier_;
  mutable std::atomic<bool> is_lost_ = false;
};

}  // namespace
}  // namespace iris

extern "C" int iris_serve(const iris::ServeOptions& options) {
  iris::ClassifierOptions its_options = options.classifier;
  // "auto" is settled once: else a reload after the device has failed would go on, more slowly, on the CPU.
  its_options.device = iris::start_device(its_options.device, options.allows_tf32, options.threads).str();
  const auto load = [&, is_again = false]() mutable {
    std::error_code error;  // what is not there, opening it tells
    const auto kind = std::filesystem::status(options.model, error).type();
    if (std::exchange(is_again, true) && kind != std::filesystem::file_type::regular &&
        kind != std::filesystem::file_type::not_found) {  // a pipe would be waited for without end
      throw iris::InputError(options.model + ": is not a regular file, which alone can be loaded again");
    }
    return std::make_shared<iris::ServedClassifier>(iris::Classifier::open(options.model, its_options),
                                                    options.server.max_batch_rows);
  };
  return iris::serve::serve(options.server, load);
}
