#include <ATen/Parallel.h>
#include <torch/version.h>

#ifdef IRIS_WITH_AOTI
#include <torch/csrc/inductor/aoti_package/model_package_loader.h>
#endif

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>

#include "error.h"
#include "model/company.h"
#include "model/network.h"
#include "model/temporary_folder.h"
#include "model/torch_errors.h"

namespace iris {

#ifdef IRIS_WITH_AOTI

namespace {

class AotiNetwork : public Network {
 public:
  AotiNetwork(std::unique_ptr<TemporaryFolder> folder, const Pt2Archive& archive, c10::Device device)
      : fixed_(archive.fixed),
        folder_(std::move(folder)),
        // As many runners as threads that can keep them busy. A further thread waits for its turn.
        loader_(folder_->path(), archive.model, /*run_single_threaded=*/false,
                std::max(1U, std::thread::hardware_concurrency()), device.index()) {
    if (device.is_cpu()) {  // everything is loaded; on a GPU a kernel is loaded when it first runs
      folder_.reset();
    }
  }

  at::Tensor forward(const at::Tensor& features) override {
    // The compiled code starts OpenMP's threads itself, without asking LibTorch how many.
    thread_local const bool has_thread_count = (at::init_num_threads(), true);
    static_cast<void>(has_thread_count);
    check_shape(features);
    const std::vector<at::Tensor> outputs = loader_.run({features});
    if (outputs.size() != 1) {
      throw InputError("the model gives " + std::to_string(outputs.size()) +
                       " tensors, not one; export a module that returns the one to show, of shape (rows, classes)");
    }
    return outputs[0];
  }

  std::vector<std::size_t> likely_feature_counts() const override {
    return fixed_.features ? std::vector{*fixed_.features} : std::vector<std::size_t>();
  }

  void to(at::ScalarType /*dtype*/) override {
    throw InputError("a compiled model keeps its dtype; export it in that dtype, or leave the dtype out",
                     {Choice::Of::kDtype});
  }

 private:
  // The compiled code itself does not look: for other shapes it gives wrong answers.
  void check_shape(const at::Tensor& features) const {
    const auto rows = static_cast<std::size_t>(features.size(0));
    const auto count = static_cast<std::size_t>(features.size(1));
    if (fixed_.features && count != *fixed_.features) {
      throw std::runtime_error("it is compiled for " + std::to_string(*fixed_.features) + " features");
    }
    if (fixed_.rows && rows != *fixed_.rows) {
      const std::string number = std::to_string(*fixed_.rows);
      throw RowsDepend("the package is compiled for passes of exactly " + number + (number == "1" ? " row" : " rows") +
                           ", and was given " + std::to_string(rows),
                       "compile it for any number, with torch.export.export(model, (example,), "
                       "dynamic_shapes=({0: torch.export.Dim.DYNAMIC},)), or give it so many at a time",
                       {Choice::Of::kRowsAtOnce, number});
    }
  }

  Pt2Archive::Fixed fixed_;
  std::unique_ptr<TemporaryFolder> folder_;
  torch::inductor::AOTIModelPackageLoader loader_;
};

}  // namespace

std::unique_ptr<Network> make_aoti_network(const Pt2Archive& archive, c10::Device device) {
  check_runs_here(archive, TORCH_VERSION);
  const bool is_for_cuda = archive.device() == "cuda";
  if (is_for_cuda != device.is_cuda()) {
    if (is_for_cuda) {
      throw InputError("was compiled for CUDA, and there is none to run it on; export the model on the CPU");
    }
    throw InputError("was compiled for the CPU; export the model on the GPU, or choose the CPU",
                     {Choice::Of::kDevice, "cpu"});
  }
  auto folder = std::make_unique<TemporaryFolder>();
  for (const auto& [path, entry] : archive.parts) {
    folder->write(path, ZipReader::checked(entry));
  }
  try {
    return std::make_unique<AotiNetwork>(std::move(folder), archive, device);
  } catch (const std::exception& error) {
    throw FormatError("LibTorch " TORCH_VERSION " cannot load this AOTInductor package: " + message_of(error) +
                      "; it loads what the same version of PyTorch compiled on such a machine");
  }
}

#else

std::unique_ptr<Network> make_aoti_network(const Pt2Archive& /*archive*/, c10::Device /*device*/) {
  throw InputError("is an AOTInductor package, which LibTorch " TORCH_VERSION
                   " does not load from a folder; build iris with 2.13 or newer, or export to TorchScript");
}

#endif

}  // namespace iris
