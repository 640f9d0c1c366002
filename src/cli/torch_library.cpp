// What the shared library with LibTorch in it gives the program; torch_verbs.cpp is its other end.
#include "cli/torch_start.h"
#include "cli/torch_verbs.h"
#include "inference/device.h"

namespace iris {
namespace {

int predict(const PredictOptions& options) {
  const bool has_workers = !options.input.empty();  // which are threads enough
  start_torch(options.classifier.device, options.classifier.allows_tf32,
              has_workers ? options.threads.value_or(1) : options.threads);
  const Classifier classifier = Classifier::open(options.model, options.classifier);
  return has_workers ? predict_rows(options, classifier) : predict_sample(options, classifier);
}

}  // namespace
}  // namespace iris

extern "C" const iris::TorchVerbs* iris_torch_verbs() {
  static const iris::TorchVerbs verbs = {
      .torch = "LibTorch " + iris::torch_version() + ", " + (iris::is_cuda_build() ? "CUDA build" : "CPU build"),
      .predict = iris::predict,
      .evaluate = iris::evaluate_model,
      .train = iris::train_model,
  };
  return &verbs;
}
