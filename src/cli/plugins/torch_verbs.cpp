// What libiris_torch_verbs.so gives the program: C names, so that cli/start/plugin.h finds them.
#include "cli/evaluate.h"
#include "cli/predict.h"
#include "cli/train.h"
#include "model/device.h"

extern "C" {

// "LibTorch 2.13.0, CPU build".
const char* iris_libtorch() {
  static const std::string text =
      "LibTorch " + iris::torch_version() + ", " + (iris::is_cuda_build() ? "CUDA build" : "CPU build");
  return text.c_str();
}

int iris_predict_sample(const iris::PredictOptions& options) { return iris::predict_sample(options); }
int iris_predict_rows(const iris::PredictOptions& options) { return iris::predict_rows(options); }
int iris_evaluate(const iris::EvaluateOptions& options) { return iris::evaluate_model(options); }
int iris_train(const iris::TrainOptions& options) { return iris::train_model(options); }

}  // extern "C"
