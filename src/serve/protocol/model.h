// The model as the server sees it: one input and four outputs.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "rows/answer_writer.h"
#include "rows/predictions.h"

namespace iris::serve {

inline constexpr const char* kInputName = "input";

enum class Output { kProbabilities, kLogits, kLabel, kIndex };

struct OutputType {
  const char* name;
  const char* datatype;
  Output output;
  bool has_classes;  // shape [-1, classes], else [-1]
};
inline constexpr OutputType kOutputs[] = {
    {"probabilities", "FP32", Output::kProbabilities, true},
    {"logits", "FP32", Output::kLogits, true},
    {"label", "BYTES", Output::kLabel, false},
    {"index", "INT64", Output::kIndex, false},
};

// A loaded and warmed-up model. Any number of threads may use it.
class Model {
 public:
  // `features`: their names, in order. Empty: the model does not name them, and takes any number of them. `labels` may
  // be fewer than the classes; the others are called by their numbers.
  Model(std::vector<std::string> features, const std::vector<std::string>& labels);
  virtual ~Model() = default;

  // rows: float32 [row_count, features], row-major. Throws RequestError where these rows have no answer, and any
  // std::exception where the model failed.
  virtual void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const = 0;

  // Whether it still answers. Asked after predict has failed.
  virtual bool is_alive() const = 0;

  const std::vector<std::string>& features() const { return features_; }
  const std::vector<std::string>& known_labels() const { return labels_; }
  std::vector<std::string> labels(std::size_t class_count) const;

  // Appends {"label","index","confidence","probabilities":{…}} and a newline for each row from `first` to `last`.
  void append_answers(const Predictions& predictions, std::size_t first, std::size_t last, std::string& text) const;

  // Whether a full batch takes so little time that the thread that read a request may also compute the answer.
  bool is_quick = false;

 protected:
  // To be called before other threads use the model.
  void set_labels(const std::vector<std::string>& labels);

 private:
  std::vector<std::string> features_;
  std::vector<std::string> labels_;
  std::optional<AnswerWriter> writer_;
};

}  // namespace iris::serve
