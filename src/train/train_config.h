// What decides the numbers of a training run: a checkpoint carries it, and a resumed run has to agree with it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace iris {

struct TrainConfig {
  std::string optimizer = "adam";  // adam, adamw or sgd
  double lr = 0;
  double weight_decay = 0;
  double momentum = 0;  // of sgd
  std::int64_t epochs = 50;
  std::int64_t batch_size = 16;
  std::int64_t hidden = 16;
  std::int64_t seed = 0;
  double test_fraction = 0.2;            // of each class, held out
  std::optional<std::int64_t> patience;  // epochs without a lower validation loss that end the run; nullopt: none do
  std::optional<double> validation_fraction;  // of each class's training rows, set aside for that
  std::string label_column = "species";
  std::int64_t data_crc32 = 0;  // see data_crc32()
  std::string torch;            // LibTorch's version, "2.13.0"

  // Calls visit(name, member) for each, in the order that checkpoints have.
  template <typename Config, typename Visit>
  static void visit(Config& config, Visit&& visit) {
    visit("optimizer", config.optimizer);
    visit("lr", config.lr);
    visit("weight_decay", config.weight_decay);
    visit("momentum", config.momentum);
    visit("epochs", config.epochs);
    visit("batch_size", config.batch_size);
    visit("hidden", config.hidden);
    visit("seed", config.seed);
    visit("test_fraction", config.test_fraction);
    visit("patience", config.patience);
    visit("validation_fraction", config.validation_fraction);
    visit("label_column", config.label_column);
    visit("data_crc32", config.data_crc32);
    visit("torch", config.torch);
  }
};

// What the user typed of it.
struct TypedConfig {
  std::optional<std::string> optimizer;
  std::optional<double> lr;
  std::optional<double> weight_decay;
  std::optional<double> momentum;
  std::optional<std::int64_t> epochs;
  std::optional<std::int64_t> batch_size;
  std::optional<std::int64_t> hidden;
  std::optional<std::int64_t> seed;
  std::optional<double> test_fraction;
  std::optional<std::int64_t> patience;
  std::optional<double> validation_fraction;
  std::optional<std::string> label_column;

  // Defaults where nothing was typed; data_crc32 and torch are left empty. Throws UsageError for options that only mean
  // something beside another one.
  TrainConfig with_defaults() const;

  // What a resumed run trains with: the checkpoint's own, but for the epochs, which may be more. Throws InputError
  // where something else was typed, or fewer epochs than are done or begun. place: of the checkpoint, for messages.
  TrainConfig resumed(TrainConfig config, std::int64_t epochs_done, std::int64_t batches_done,
                      const std::string& place) const;
};

}  // namespace iris
