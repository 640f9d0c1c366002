// Any model file, ready to predict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "error.h"
#include "io/file_bytes.h"
#include "model/device_name.h"
#include "model/file/model_file.h"
#include "rows/predictions.h"

namespace iris {

// What a model's weights may be converted to.
enum class WeightDtype { kFloat32, kBFloat16, kFloat16 };

struct ClassifierOptions {
  DeviceName device = {};                   // see resolve_device
  std::optional<WeightDtype> dtype = {};    // of the weights; absent: the file's
  std::optional<std::string> key = {};      // the state_dict in a checkpoint
  std::optional<std::int64_t> hidden = {};  // IrisNet's width; absent: 16; for state_dicts only
  std::vector<std::string> features = {};   // names that win over the file's
  std::vector<std::string> labels = {};     // of the classes, or of the values
  std::optional<Outputs> outputs = {};      // what its numbers are, whatever the file says; absent: logits
  // Whether the first rows are compared alone and in company. false: the caller knows which rows belong together.
  bool compares_rows = true;
  // Called with what the user should know of the model, once for each fact: "PATH: …"; and with the choice that would
  // change it. By any thread that calls predict.
  std::function<void(const std::string& note, const Choice& choice)> tell = [](const auto&, const auto&) {};
  FileBytes::Reading reading = FileBytes::Reading::kMapped;  // copied: the file may be rewritten at any time
};

// The model failed on the rows that it was given. A single one of them may be the reason.
class RowsError : public InputError {
 public:
  RowsError(const std::string& message, bool its_values, Choice its_choice = {})
      : InputError(message, std::move(its_choice)), is_about_values(its_values) {}

  bool is_about_values;  // not an operator's refusal: the model's own exception, or what is not finite
};

// The model gave outputs that are not finite, as for features of 1e38.
class NotFiniteError : public RowsError {
 public:
  explicit NotFiniteError(const std::string& message) : RowsError(message, /*its_values=*/true) {}
};

// There was not enough memory, not even for half the rows.
class OutOfMemory : public InputError {
 public:
  using InputError::InputError;
};

// The device gives no more answers in this process, whatever the rows.
class DeviceLost : public InputError {
 public:
  using InputError::InputError;
};

// In eval() from construction; every prediction runs under its own torch::NoGradGuard. Any number of threads may call
// predict at once.
//
// One row has one answer: on the CPU, IrisNet of any width gives a row logits of the same bits, alone, in a batch of
// any size and on any thread. (For that, it takes one of LibTorch's threads, whatever the process allows.) Any other
// model is given exactly the rows of the call, and its own arithmetic decides; the first rows are compared alone and in
// company (model/company.h), and where they differ by more than rounding, every call throws. A model that changes
// itself while it runs is run by one thread at a time; the comparison runs a copy of it.
class Classifier {
 public:
  // The file's content decides what it is: a state_dict, which is loaded into IrisNet; a TorchScript module; or an
  // AOTInductor package. names_of (model/file/model_file.h) says what its features and labels are called. With the
  // device "auto", a package runs on the device that it was compiled for. path: "-" is standard input. Throws
  // FormatError (the file), InputError (it does not fit IrisNet; no such device), UsageError (the options).
  static Classifier open(const std::string& path, const ClassifierOptions& options = {});

  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  // Empty where neither the file nor the options name them: then the model is given any number of features.
  const std::vector<std::string>& features() const;

  // One for each class or value of the answers: see completed_labels (rows/answer_writer.h).
  std::vector<std::string> labels(const Predictions& predictions) const;
  // Those that the file or the options name; may be empty.
  const std::vector<std::string>& known_labels() const;
  // What the file or the options say.
  std::optional<Outputs> known_outputs() const;

  // Whether it may change itself while it runs, so that the order of the rows may matter.
  bool changes_itself() const;
  // Whether a row's answer is the same in any company, by construction.
  bool has_independent_rows() const;
  // Whether a pass takes as long for some rows as for others.
  bool is_bounded() const;
  // How many features there may be where they have no names, by the weights' shapes; the likeliest first.
  std::vector<std::size_t> likely_feature_counts() const;

  bool is_on_cpu() const;

  // The number of rows per call of predict that is fastest on its device.
  std::size_t usual_batch_size() const;

  // rows: float32 [row_count, features], row-major, in the units of training (Iris: cm); row_count at least 1.
  // Throws InputError where the model does not take that many features, does not give float numbers [rows, outputs],
  // gives another number of them than there are labels, or a single one of which nobody said what it is; RowsDepend
  // (model/company.h); RowsError where it throws an exception itself, or an output is not finite. Where there is not
  // enough memory, the rows go through the model in two halves, and those of later calls in parts of that size; if that
  // is still too much, OutOfMemory is thrown. DeviceLost: see there.
  Predictions predict(std::span<const float> rows, std::size_t row_count) const;
  // The same into `predictions`, whose memory is used again.
  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const;

  // The same, but a model that changes itself stays as it is.
  Predictions try_out(std::span<const float> rows, std::size_t row_count) const;

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace iris
