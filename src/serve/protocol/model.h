// The model as the server sees it: one input, and outputs by what its numbers are.
#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "rows/answer_writer.h"
#include "rows/predictions.h"

namespace iris::serve {

inline constexpr const char* kInputName = "input";

enum class Output { kProbabilities, kLogits, kLabel, kIndex, kValues };

struct OutputType {
  const char* name;
  const char* datatype;
  Output output;
  bool has_columns;  // shape [-1, columns], else [-1]
};

// Of a model whose numbers are these, in order.
std::span<const OutputType> outputs_of(Outputs meaning);

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
  // Whether it has given an answer, if only to made-up rows.
  virtual bool is_warm() const { return true; }

  const std::vector<std::string>& features() const { return features_; }
  const std::vector<std::string>& known_labels() const { return labels_; }
  Outputs meaning() const { return meaning_; }
  std::span<const OutputType> outputs() const { return outputs_of(meaning_); }
  // How many columns the output has; 0: not known.
  std::size_t columns_of(const OutputType& output) const;

  // Appends {"label","index","confidence","probabilities":{…}}, or {"values":{…}}, and a newline for each row from
  // `first` to `last`.
  void append_answers(const Predictions& predictions, std::size_t first, std::size_t last, std::string& text) const;

  // Whether a full batch takes so little time that the thread that read a request may also compute the answer.
  bool is_quick = false;

 protected:
  // labels: of all classes or values. To be called before other threads use the model.
  void set_answers(const std::vector<std::string>& labels, Outputs meaning, bool has_single_output);
  // To be called before other threads use the model.
  void set_features(std::vector<std::string> features) { features_ = std::move(features); }

 private:
  std::vector<std::string> features_;
  std::vector<std::string> labels_;
  Outputs meaning_ = Outputs::kLogits;
  bool has_single_output_ = false;
  std::optional<AnswerWriter> writer_;
};

}  // namespace iris::serve
