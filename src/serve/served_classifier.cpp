#include "serve/served_classifier.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <future>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "model/company.h"
#include "serve/protocol/response.h"

namespace iris::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::chrono::microseconds kQuick(500);  // for a full batch
constexpr int kWarmUps = 5;

// The ways in which rows are made up: a model may be undefined on zeros, or refuse what is above 1.
constexpr int kKindsOfRows = 3;

std::vector<float> made_up_rows(int kind, std::size_t row_count, std::size_t width) {
  std::vector<float> rows(row_count * width);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const float varied = static_cast<float>(1 + i * 37 % 59) / 10;  // 0.1 to 5.9
    rows[i] = kind == 0 ? varied : kind == 1 ? varied / 6 : 0.0F;
  }
  return rows;
}

// With the option of iris serve that helps: the program's own words are those of iris predict.
[[noreturn]] void throw_out_of_memory(const OutOfMemory& error) {
  const bool takes_fewer = error.choice.of == Choice::Of::kRowsAtOnce;
  throw OutOfMemory(std::string(error.what()) + (takes_fewer ? " (--max-batch-rows)" : " (--device)"));
}

[[noreturn]] void throw_rows_depend(const RowsDepend& error) {
  throw RowsDepend(std::string(error.what()) +
                   (error.choice.value == "1" ? " (--max-batch-rows 1)" : "; a server's rows come from many callers"));
}

}  // namespace

ServedClassifier::ServedClassifier(Classifier classifier, std::size_t batch_rows,
                                   const std::function<void(const std::string&)>& tell)
    : Model(classifier.features(), classifier.known_labels()), classifier_(std::move(classifier)) {
  set_answers(known_labels(), classifier_.known_outputs().value_or(Outputs::kLogits), false);
  try {
    if (classifier_.is_on_cpu()) {
      start(batch_rows, tell);
    } else {  // a thread that ends leaves its CUDA state to the next one
      std::async(std::launch::async, [&] { start(batch_rows, tell); }).get();
    }
  } catch (const OutOfMemory& error) {
    throw_out_of_memory(error);
  } catch (const RowsDepend& error) {
    throw_rows_depend(error);
  }
}

void ServedClassifier::predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const {
  const std::size_t width = rows.size() / row_count;
  try {
    classifier_.predict(rows, row_count, predictions);
    answered_width_ = width;
  } catch (const NotFiniteError&) {
    throw RequestError(400, "the model gives " + std::string(meaning() == Outputs::kLogits ? "logits" : "numbers") +
                                " that are not finite for these rows");
  } catch (const DeviceLost&) {
    is_lost_ = true;
    throw;
  } catch (const OutOfMemory& error) {
    throw_out_of_memory(error);
  } catch (const RowsDepend& error) {
    is_lost_ = true;
    throw_rows_depend(error);
  } catch (const InputError& error) {
    if (features().empty() && answered_width_ != 0 && answered_width_ != width) {
      throw RequestError(400, error.what());
    }
    throw;
  }
}

bool ServedClassifier::is_alive() const {
  try {
    if (is_warm_ && !is_lost_) {
      classifier_.try_out(made_up_rows(warm_kind_, 1, features().size()), 1);
    }
  } catch (const std::exception&) {
    return false;
  }
  return !is_lost_;
}

void ServedClassifier::start(std::size_t batch_rows, const std::function<void(const std::string&)>& tell) {
  if (features().empty()) {
    find_features();
  }
  if (!features().empty()) {
    is_warm_ = warm_up(batch_rows, tell);
  }
}

// The first number of features that the weights suggest, that the model answers, and beside which it answers no other.
void ServedClassifier::find_features() {
  const auto answers = [&](std::size_t width) {
    try {
      classifier_.try_out(made_up_rows(0, 1, width), 1);
      return true;
    } catch (const RowsError&) {
      return false;
    }
  };
  for (const std::size_t width : classifier_.likely_feature_counts()) {
    if (answers(width)) {
      std::vector<std::string> names;
      for (std::size_t i = 0; i < width && !answers(width + 1); ++i) {
        names.push_back("x" + std::to_string(i));
      }
      set_features(names);
      return;
    }
  }
}

// Whether some made-up rows have answers together. Throws RowsDepend where they have, though one of them alone has none.
bool ServedClassifier::answers_together(int kind) const {
  try {
    classifier_.try_out(made_up_rows(kind, kComparedRows, features().size()), kComparedRows);
    return true;
  } catch (const RowsError&) {
    return false;
  }
}

// With both sizes of pass, so that no caller waits for what LibTorch does the first time. False where made-up rows get
// no answers.
bool ServedClassifier::warm_up(std::size_t batch_rows, const std::function<void(const std::string&)>& tell) {
  Predictions predictions;
  auto fastest = Clock::duration::max();
  std::string failure;
  bool is_own_fault = true;
  for (int kind = 0; kind < kKindsOfRows; ++kind) {
    try {
      for (int i = 0; i < kWarmUps; ++i) {
        for (const std::size_t rows : {std::size_t{1}, batch_rows}) {
          const std::vector<float> made_up = made_up_rows(kind, rows, features().size());
          const auto before = Clock::now();
          predictions = classifier_.try_out(made_up, rows);
          if (rows == batch_rows) {
            fastest = std::min<Clock::duration>(fastest, Clock::now() - before);
          }
        }
        if (fastest > std::chrono::seconds(1)) {
          break;
        }
      }
      warm_kind_ = kind;
      set_answers(classifier_.labels(predictions), predictions.meaning, predictions.output_count == 1);
      // A GPU gains from larger passes.
      is_quick = classifier_.is_on_cpu() && classifier_.is_bounded() && fastest < kQuick;
      return true;
    } catch (const RowsError& error) {
      failure = error.what();
      is_own_fault = answers_together(kind) || (is_own_fault && error.is_about_values);
    }
  }
  if (!is_own_fault) {
    throw InputError(failure);
  }
  tell(failure + " (on made-up rows; it is served, and not warmed up)");
  return false;
}

}  // namespace iris::serve
