#include "train/checkpoint.h"

#include <ATen/ops/isfinite.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <type_traits>
#include <utility>
#include <variant>

#include "error.h"
#include "io/output_file.h"
#include "model/file/model_names.h"
#include "state_dict/tensor_file_builder.h"
#include "state_dict/tensors.h"
#include "tensor_file/tensor_writer.h"
#include "train/dict_reader.h"
#include "train/optimizer.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;
using Entries = TensorFileBuilder::Entries;

class CheckpointBuilder {
 public:
  TensorFile build(const Checkpoint& checkpoint) {
    std::vector<Value> history;
    for (const EpochRecord& record : checkpoint.history) {
      history.push_back(dict_of(record, /*skips_absent=*/true));
    }
    const Value best = checkpoint.best ? builder_.add_dict(Entries{
                                             {"epoch", Value::of_int(checkpoint.best->epoch)},
                                             {"model_state_dict", builder_.add_state_dict(checkpoint.best->state_dict)},
                                         })
                                       : Value();
    return builder_.build(builder_.add_dict(Entries{
        {"epoch", Value::of_int(checkpoint.epoch)},
        {"batch", Value::of_int(checkpoint.batch)},
        {"loss_sum", Value::of_float(checkpoint.loss_sum)},
        {"model_state_dict", builder_.add_state_dict(checkpoint.model)},
        {"optimizer_state_dict", optimizer_state_dict(checkpoint)},
        {"rng_state", builder_.add_tensor("rng_state", checkpoint.rng_state)},
        {"best", best},
        {"config", dict_of(checkpoint.config, /*skips_absent=*/false)},
        {"history", builder_.add_list(std::move(history))},
    }));
  }

 private:
  Value value_of(std::monostate) { return {}; }
  Value value_of(bool value) { return Value::of_bool(value); }
  Value value_of(std::int64_t value) { return Value::of_int(value); }
  Value value_of(double value) { return Value::of_float(value); }
  Value value_of(const std::string& value) { return builder_.add_text(value); }
  Value value_of(Optimizer value) { return builder_.add_text(name_of(value)); }
  Value value_of(const AdamBetas& value) {
    return builder_.add_tuple({Value::of_float(value.first), Value::of_float(value.second)});
  }
  template <typename T>
  Value value_of(const std::optional<T>& value) {
    return value ? value_of(*value) : Value();
  }

  template <typename Struct>
  Value dict_of(const Struct& members, bool skips_absent) {
    Entries entries;
    Struct::visit(members, [&](const char* name, const auto& member) {
      const Value value = value_of(member);
      if (value.kind != Kind::kNone || !skips_absent) {
        entries.emplace_back(name, value);
      }
    });
    return builder_.add_dict(entries);
  }

  // As torch.optim's state_dict() gives it with fused=True: its keys, in its order.
  Value optimizer_state_dict(const Checkpoint& checkpoint) {
    std::vector<Value> indexes;
    std::vector<Value> state;
    for (std::size_t i = 0; i < checkpoint.model.size(); ++i) {
      indexes.push_back(Value::of_int(static_cast<std::int64_t>(i)));
      const std::string prefix = std::to_string(i) + ".";
      Entries tensors;
      for (const auto& item : checkpoint.optimizer) {
        if (item.key().starts_with(prefix)) {
          tensors.emplace_back(item.key().substr(prefix.size()), builder_.add_tensor(item.key(), item.value()));
        }
      }
      if (!tensors.empty()) {
        state.insert(state.end(), {indexes.back(), builder_.add_dict(tensors)});
      }
    }
    Entries group;
    for (const ParamGroupEntry& entry : param_group(checkpoint.config)) {
      group.emplace_back(entry.key, std::visit([this](const auto& value) { return value_of(value); }, entry.value));
    }
    group.emplace_back("params", builder_.add_list(std::move(indexes)));
    return builder_.add_dict(Entries{
        {"state", builder_.add_dict(std::move(state))},
        {"param_groups", builder_.add_list({builder_.add_dict(group)})},
    });
  }

  TensorFileBuilder builder_;
};

// The items, where the value is a container of that kind; else none.
std::span<const Value> items_of(const TensorFile& file, Value value, Kind kind) {
  return value.kind == kind ? file.document.items(value) : std::span<const Value>();
}

bool is_float(Value value, double number) { return value.kind == Kind::kFloat && value.real == number; }

// The optimizer's own settings must be those of the configuration.
void check_param_groups(const TensorFile& file, Value groups, const TrainConfig& config) {
  const std::string name = "optimizer_state_dict.param_groups";
  const std::span<const Value> items = items_of(file, groups, Kind::kList);
  if (items.size() != 1) {
    throw FormatError(name + " is not a list of one group");
  }
  const DictReader group(file, items[0], name);
  for (const ParamGroupEntry& entry : param_group(config)) {
    const auto fits = [&](const auto& expected) {
      if constexpr (std::is_arithmetic_v<std::decay_t<decltype(expected)>>) {
        double value = 0;
        group.read(entry.key, value);
        return value == static_cast<double>(expected);
      } else if constexpr (std::is_same_v<decltype(expected), const AdamBetas&>) {
        const std::span<const Value> betas = items_of(file, group.get(entry.key), Kind::kTuple);
        return betas.size() == 2 && is_float(betas[0], expected.first) && is_float(betas[1], expected.second);
      }
      return true;
    };
    group.require(!entry.decides_bits || std::visit(fits, entry.value), entry.key, "is not that of config");
  }
}

// IrisNet's tensors, and no others, as Python's parameters lie in memory.
void check_weights(const std::string& name, const StateDict& weights, std::int64_t hidden) {
  const auto classes = static_cast<std::int64_t>(iris_labels().size());
  const auto features = static_cast<std::int64_t>(iris_features().size());
  const std::vector<std::pair<std::string, std::vector<std::int64_t>>> expected = {{"fc1.weight", {hidden, features}},
                                                                                   {"fc1.bias", {hidden}},
                                                                                   {"fc2.weight", {classes, hidden}},
                                                                                   {"fc2.bias", {classes}}};
  const auto fits = [](const auto& item, const auto& name_and_shape) {
    const at::Tensor& tensor = item.value();
    return item.key() == name_and_shape.first && tensor.sizes() == name_and_shape.second &&
           tensor.scalar_type() == at::kFloat && tensor.is_contiguous() &&
           tensor.isfinite().all().template item<bool>();
  };
  if (!std::equal(weights.begin(), weights.end(), expected.begin(), expected.end(), fits)) {
    throw FormatError(name + " is not that of an IrisNet of " + std::to_string(hidden) +
                      " hidden units, in finite float32 numbers");
  }
}

// Every number is finite, and those of the validation are there where there is one.
bool is_whole(const EpochRecord& record, std::int64_t epoch, bool validates) {
  bool is = record.epoch == epoch && record.validation_loss.has_value() == validates &&
            record.validation_accuracy.has_value() == validates;
  for (const double value : {record.loss, record.accuracy, record.test_loss, record.test_accuracy,
                             record.validation_loss.value_or(0), record.validation_accuracy.value_or(0)}) {
    is = is && std::isfinite(value);
  }
  return is;
}

// What it holds must be of one training run.
void check(const DictReader& root, const Checkpoint& checkpoint) {
  const TrainConfig& config = checkpoint.config;
  const std::vector<EpochRecord>& history = checkpoint.history;
  check_weights("model_state_dict", checkpoint.model, config.hidden);
  root.require(checkpoint.epoch <= config.epochs && (checkpoint.epoch > 0 || checkpoint.batch > 0), "epoch",
               "is not one of " + std::to_string(config.epochs));
  const double loss_sum = checkpoint.loss_sum;
  root.require(loss_sum >= 0 && std::isfinite(loss_sum) && (checkpoint.batch > 0 || loss_sum == 0), "loss_sum",
               "is not that of " + std::to_string(checkpoint.batch) + " batches");
  root.require(static_cast<std::int64_t>(history.size()) == checkpoint.epoch, "history",
               "does not have a record for each of " + std::to_string(checkpoint.epoch) + " epochs");
  for (std::int64_t epoch = 1; epoch <= checkpoint.epoch; ++epoch) {
    root.require(is_whole(history[static_cast<std::size_t>(epoch) - 1], epoch, config.patience.has_value()), "history",
                 "has no whole record of epoch " + std::to_string(epoch));
  }
  root.require(checkpoint.best.has_value() == (config.patience && checkpoint.epoch > 0), "best",
               "does not go with config.patience");
  if (checkpoint.best) {
    check_weights("best.model_state_dict", checkpoint.best->state_dict, config.hidden);
    const auto lowest = std::min_element(history.begin(), history.end(), [](const auto& a, const auto& b) {
      return a.validation_loss < b.validation_loss;
    });
    root.require(lowest->epoch == checkpoint.best->epoch, "best", "is not that of history");
  }
}

Checkpoint checkpoint_in(const TensorFile& file) {
  if (file.container != Container::kZip) {
    throw FormatError("is not in a zip container, whose checksums tell damage");
  }
  verify_data(file);
  const DictReader root(file, file.root, "");
  Checkpoint checkpoint;
  root.read("epoch", checkpoint.epoch);
  root.read("batch", checkpoint.batch);
  root.read("loss_sum", checkpoint.loss_sum);
  checkpoint.model = tensors_in(file, root.get("model_state_dict"));
  const DictReader optimizer(file, root.get("optimizer_state_dict"), "optimizer_state_dict");
  checkpoint.optimizer = tensors_in(file, optimizer.get("state"));
  const Value rng_state = root.get("rng_state");
  root.require(file.tensor(rng_state) != nullptr, "rng_state", "is not a tensor");
  checkpoint.rng_state = tensors_in(file, rng_state).front().value();
  if (const Value best = root.get("best"); best.kind != Kind::kNone) {
    const DictReader reader(file, best, "best");
    checkpoint.best.emplace();
    reader.read("epoch", checkpoint.best->epoch);
    checkpoint.best->state_dict = tensors_in(file, reader.get("model_state_dict"));
  }
  const DictReader config(file, root.get("config"), "config");
  config.read_members(checkpoint.config);
  const char* const fault = checkpoint.config.fault();
  config.require(fault == nullptr, fault, "is out of range");
  check_param_groups(file, optimizer.get("param_groups"), checkpoint.config);
  for (const Value record : items_of(file, root.get("history"), Kind::kList)) {
    DictReader(file, record, "history").read_members(checkpoint.history.emplace_back());
  }
  check(root, checkpoint);
  return checkpoint;
}

}  // namespace

void write_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
  TensorFile file = CheckpointBuilder().build(checkpoint);
  OutputFile output(path);
  write_zip(file, file.root, output);
  output.commit();
}

Checkpoint read_checkpoint(const std::string& path) {
  const TensorFile file = read_tensor_file(path, FileBytes::Reading::kCopied);  // its tensors are used much later
  return with_place(fault_place(path), [&] { return checkpoint_in(file); });
}

}  // namespace iris
