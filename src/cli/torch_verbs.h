// The work of the verbs that need LibTorch. It lies in a shared library of its own, loaded when it is first asked for:
// LibTorch takes a tenth of a second to load, and inspect, convert and --help do without it.
#pragma once

#include <string>

#include "cli/evaluate.h"
#include "cli/predict.h"
#include "cli/serve.h"
#include "cli/train.h"

namespace iris {

struct TorchVerbs {
  std::string torch;  // "LibTorch 2.13.0, CPU build"
  int (*predict_sample)(const PredictOptions& options);
  // ahead: the rows, which are used if the model calls its features as they do; may be nullptr.
  int (*predict_rows)(const PredictOptions& options, RowSource* ahead);
  int (*evaluate)(const EvaluateOptions& options);
  int (*train)(const TrainOptions& options);
};

// Throws InputError when the library, or the LibTorch that it needs, cannot be loaded.
const TorchVerbs& torch_verbs();

// iris serve, from a library of its own: the others are spared the loading of OpenSSL. Throws as torch_verbs does.
int serve_verb(const ServeOptions& options);

}  // namespace iris
