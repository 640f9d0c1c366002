// Any model file, ready to predict.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "error.h"
#include "rows/predictions.h"

namespace iris {

// What a model's weights may be converted to.
enum class WeightDtype { kFloat32, kBFloat16, kFloat16 };

struct ClassifierOptions {
  std::string device = "auto";              // see resolve_device
  std::optional<WeightDtype> dtype = {};    // of the weights; as the file has them
  bool allows_tf32 = false;                 // for a verb to set, for the whole process; see allow_tf32
  std::optional<std::string> key = {};      // the state_dict in a checkpoint
  std::optional<std::int64_t> hidden = {};  // IrisNet's width, 16 by default; for state_dicts only
  std::vector<std::string> features = {};   // names that win over what the file says
  std::vector<std::string> labels = {};
  std::string rows_option = "--batch-size";  // what to lower where memory does not suffice: for messages
};

// The model failed on rows that it was given: one of them alone may be why.
class RowsError : public InputError {
 public:
  using InputError::InputError;
};

// It gave logits that are not finite, as for features of 1e38.
class NotFiniteError : public RowsError {
 public:
  using RowsError::RowsError;
};

// Memory did not suffice, not even for half the rows.
class OutOfMemory : public InputError {
 public:
  using InputError::InputError;
};

// The device gives no answers any more in this process, whatever the rows.
class DeviceLost : public InputError {
 public:
  using InputError::InputError;
};

// In eval() from construction; every prediction runs under its own torch::NoGradGuard.
// predict may be called by any number of threads at once.
class Classifier {
 public:
  // The file's content decides what it is: a state_dict (poured into IrisNet), or a TorchScript module or AOTInductor
  // package, whose iris.json, an extra file in it, names features and labels; "auto" is the device of a package. `path`
  // "-" is standard input. Throws FormatError (the file), InputError (it does not fit IrisNet; no such device),
  // UsageError (the options).
  static Classifier open(const std::string& path, const ClassifierOptions& options = {});

  ~Classifier();
  Classifier(Classifier&&) noexcept;
  Classifier& operator=(Classifier&&) noexcept;

  // Empty when neither the file nor the options name them: then any count of features is passed to the model.
  const std::vector<std::string>& features() const;

  // "0", "1", … when neither the file nor the options name them; empty until the first prediction tells how many.
  std::vector<std::string> labels(std::size_t class_count) const;
  const std::vector<std::string>& known_labels() const;

  bool is_on_cpu() const;

  // Rows that one call of predict is best given, on its device.
  std::size_t usual_batch_size() const;

  // rows: float32 [row_count, features], row-major, in the units of training (Iris: cm); row_count at least 1.
  // Throws InputError when the model cannot take so many features, gives something else than one logit per row and
  // class, or gives another number of classes than there are labels; RowsError when it throws itself, or a logit is not
  // finite. Where memory does not suffice, the rows go through the model in two halves, and later calls' in parts of
  // that size; if it still does not, OutOfMemory is thrown. DeviceLost: see there.
  Predictions predict(std::span<const float> rows, std::size_t row_count) const;
  // The same in place of `predictions`, whose memory is used again.
  void predict(std::span<const float> rows, std::size_t row_count, Predictions& predictions) const;

 private:
  struct Impl;
  explicit Classifier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace iris
