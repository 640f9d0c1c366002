// What the shared library with LibTorch in it gives the program; torch_verbs.cpp is its other end.
#include "cli/torch_start.h"
#include "cli/torch_verbs.h"
#include "inference/device.h"

namespace iris {
namespace {

Classifier open(const PredictOptions& options, std::optional<int> threads) {
  start_torch(options.classifier.device, options.classifier.allows_tf32, threads);
  return Classifier::open(options.model, options.classifier);
}

int predict_one(const PredictOptions& options) { return predict_sample(options, open(options, options.threads)); }

int predict_many(const PredictOptions& options, RowSource* ahead) {
  const Classifier classifier = open(options, options.threads.value_or(1));  // the workers are threads enough
  if (ahead != nullptr && ahead->features() == classifier.features()) {
    return predict_rows(options, classifier, *ahead);
  }
  return predict_rows(options, classifier, *open_rows(options, classifier.features()));
}

}  // namespace
}  // namespace iris

extern "C" const iris::TorchVerbs* iris_torch_verbs() {
  static const iris::TorchVerbs verbs = {
      .torch = "LibTorch " + iris::torch_version() + ", " + (iris::is_cuda_build() ? "CUDA build" : "CPU build"),
      .predict_sample = iris::predict_one,
      .predict_rows = iris::predict_many,
      .evaluate = iris::evaluate_model,
      .train = iris::train_model,
  };
  return &verbs;
}
