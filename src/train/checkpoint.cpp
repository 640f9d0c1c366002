#include "train/checkpoint.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>

#include "error.h"
#include "io/output_file.h"
#include "model/file/model_names.h"
#include "model/iris_net.h"
#include "state_dict/tensor_file_builder.h"
#include "state_dict/tensors.h"
#include "tensor_file/tensor_writer.h"
#include "train/optimizer.h"

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
  Value value_of(std::int64_t value) { return Value::of_int(value); }
  Value value_of(double value) { return Value::of_float(value); }
  Value value_of(const std::string& value) { return builder_.add_text(value); }
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
    const TrainConfig& config = checkpoint.config;
    const std::vector<const char*> names = FusedOptimizer::state_names(config);
    std::vector<Value> indexes;
    std::vector<Value> state;
    for (std::size_t i = 0; i < checkpoint.model.size(); ++i) {
      const auto index = Value::of_int(static_cast<std::int64_t>(i));
      indexes.push_back(index);
      Entries tensors;
      for (const char* name : names) {
        const std::string key = std::to_string(i) + "." + name;
        if (const at::Tensor* tensor = checkpoint.optimizer.find(key)) {
          tensors.emplace_back(name, builder_.add_tensor(key, *tensor));
        }
      }
      if (!tensors.empty()) {
        state.push_back(index);
        state.push_back(builder_.add_dict(tensors));
      }
    }
    const Value no = Value::of_bool(false);
    const Value none;
    Entries group = {{"lr", Value::of_float(config.lr)}};
    if (config.optimizer == "sgd") {
      group.insert(group.end(), {{"momentum", Value::of_float(config.momentum)},
                                 {"dampening", Value::of_int(0)},
                                 {"weight_decay", Value::of_float(config.weight_decay)},
                                 {"nesterov", no},
                                 {"maximize", no},
                                 {"foreach", none},
                                 {"differentiable", no},
                                 {"fused", Value::of_bool(true)}});
    } else {
      const Value betas = builder_.add_tuple({Value::of_float(kAdamBeta1), Value::of_float(kAdamBeta2)});
      group.insert(group.end(), {{"betas", betas},
                                 {"eps", Value::of_float(kAdamEps)},
                                 {"weight_decay", Value::of_float(config.weight_decay)},
                                 {"amsgrad", no},
                                 {"maximize", no},
                                 {"foreach", none},
                                 {"capturable", no},
                                 {"differentiable", no},
                                 {"fused", Value::of_bool(true)},
                                 {"decoupled_weight_decay", Value::of_bool(config.optimizer == "adamw")}});
    }
    group.emplace_back("params", builder_.add_list(std::move(indexes)));
    return builder_.add_dict(Entries{
        {"state", builder_.add_dict(std::move(state))},
        {"param_groups", builder_.add_list({builder_.add_dict(group)})},
    });
  }

  TensorFileBuilder builder_;
};

// Values out of a dict, by name and type.
class DictReader {
 public:
  // name: the dict's own, for messages.
  DictReader(const TensorFile& file, Value dict, std::string name) : file_(file), dict_(dict), name_(std::move(name)) {
    if (!dict.is_dict()) {
      throw FormatError((name_.empty() ? "" : name_ + ": ") + "is no dictionary");
    }
  }

  Value get(const char* key) const {
    const Value* value = file_.document.find(dict_, key);
    if (value == nullptr) {
      fail(key, "is missing");
    }
    return *value;
  }

  void read(const char* key, std::int64_t& to) const {
    const Value value = get(key);
    if (value.kind != Kind::kInt || value.integer < 0) {
      fail(key, "is no integer from 0");
    }
    to = value.integer;
  }

  void read(const char* key, double& to) const {
    const Value value = get(key);
    if (value.kind != Kind::kFloat && value.kind != Kind::kInt && value.kind != Kind::kBool) {
      fail(key, "is no number");
    }
    to = value.kind == Kind::kFloat ? value.real
         : value.kind == Kind::kInt ? static_cast<double>(value.integer)
                                    : static_cast<double>(value.boolean);
  }

  void read(const char* key, std::string& to) const {
    const Value value = get(key);
    if (value.kind != Kind::kString) {
      fail(key, "is no text");
    }
    to = file_.document.text(value);
  }

  template <typename T>
  void read(const char* key, std::optional<T>& to) const {
    const Value* value = file_.document.find(dict_, key);
    to.reset();
    if (value != nullptr && value->kind != Kind::kNone) {
      read(key, to.emplace());
    }
  }

  template <typename Struct>
  void read_members(Struct& members) const {
    Struct::visit(members, [this](const char* name, auto& member) { read(name, member); });
  }

  [[noreturn]] void fail(const std::string& key, const std::string& fact) const {
    throw FormatError((name_.empty() ? "" : name_ + ".") + key + " " + fact);
  }

 private:
  const TensorFile& file_;
  Value dict_;
  std::string name_;
};

constexpr std::int64_t kMostCount = (std::int64_t{1} << 31) - 1;
constexpr std::int64_t kMostHidden = std::int64_t{1} << 20;

bool is_fraction(double value) { return value > 0 && value < 1; }

// The ranges of the options.
bool is_possible(const TrainConfig& config) {
  const auto is_count = [](std::int64_t value) { return value >= 1 && value <= kMostCount; };
  return (config.optimizer == "adam" || config.optimizer == "adamw" || config.optimizer == "sgd") && config.lr > 0 &&
         std::isfinite(config.lr) && config.weight_decay >= 0 && std::isfinite(config.weight_decay) &&
         config.momentum >= 0 && config.momentum < 1 && is_count(config.epochs) && is_count(config.batch_size) &&
         config.hidden >= 1 && config.hidden <= kMostHidden && is_fraction(config.test_fraction) &&
         config.patience.has_value() == config.validation_fraction.has_value() &&
         is_count(config.patience.value_or(1)) && is_fraction(config.validation_fraction.value_or(0.5));
}

// Every number finite, those of the validation there where there is one.
bool is_whole(const EpochRecord& record, std::int64_t epoch, bool validates) {
  bool is = record.epoch == epoch && record.validation_loss.has_value() == validates &&
            record.validation_accuracy.has_value() == validates;
  for (const double value : {record.loss, record.accuracy, record.test_loss, record.test_accuracy,
                             record.validation_loss.value_or(0), record.validation_accuracy.value_or(0)}) {
    is = is && std::isfinite(value);
  }
  return is;
}

// That the optimizer's own settings are those of the configuration.
void check_param_groups(const TensorFile& file, Value groups, const TrainConfig& config) {
  const std::string name = "optimizer_state_dict.param_groups";
  if (groups.kind != Kind::kList || file.document.items(groups).size() != 1) {
    throw FormatError(name + " is no list of one group");
  }
  const DictReader group(file, file.document.items(groups)[0], name);
  std::vector<std::pair<const char*, double>> expected = {
      {"lr", config.lr}, {"weight_decay", config.weight_decay}, {"maximize", 0}};
  if (config.optimizer == "sgd") {
    expected.insert(expected.end(), {{"momentum", config.momentum}, {"dampening", 0}, {"nesterov", 0}});
  } else {
    expected.insert(expected.end(), {{"eps", kAdamEps}, {"amsgrad", 0}});
    const Value betas = group.get("betas");
    const auto items = betas.kind == Kind::kTuple ? file.document.items(betas) : std::span<const Value>();
    if (items.size() != 2 || items[0].kind != Kind::kFloat || items[0].real != kAdamBeta1 ||
        items[1].kind != Kind::kFloat || items[1].real != kAdamBeta2) {
      group.fail("betas", "is not that of config");
    }
  }
  for (const auto& [key, number] : expected) {
    double value = 0;
    group.read(key, value);
    if (value != number) {
      group.fail(key, "is not that of config");
    }
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
  bool fits = weights.size() == expected.size();
  for (std::size_t i = 0; fits && i < expected.size(); ++i) {
    const at::Tensor& tensor = weights[i].value();
    fits = weights[i].key() == expected[i].first && tensor.sizes() == expected[i].second &&
           tensor.scalar_type() == at::kFloat && tensor.is_contiguous() && tensor.isfinite().all().item<bool>();
  }
  if (!fits) {
    throw FormatError(name + " is not that of an IrisNet of " + std::to_string(hidden) +
                      " hidden units, in finite float32 numbers");
  }
}

void check_best(const DictReader& root, const Checkpoint& checkpoint) {
  if (checkpoint.best.has_value() != (checkpoint.config.patience.has_value() && checkpoint.epoch > 0)) {
    root.fail("best", "does not go with config.patience");
  }
  const auto lowest = std::min_element(
      checkpoint.history.begin(), checkpoint.history.end(),
      [](const EpochRecord& a, const EpochRecord& b) { return a.validation_loss < b.validation_loss; });
  if (checkpoint.best && lowest->epoch != checkpoint.best->epoch) {
    root.fail("best", "is not that of history");
  }
}

Checkpoint checkpoint_in(const TensorFile& file) {
  if (file.container != Container::kZip) {
    throw FormatError("is in no zip container, whose checksums tell damage");
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
  if (file.tensor(rng_state) == nullptr) {
    root.fail("rng_state", "is no tensor");
  }
  checkpoint.rng_state = tensors_in(file, rng_state).front().value();
  if (const Value best = root.get("best"); best.kind != Kind::kNone) {
    const DictReader reader(file, best, "best");
    checkpoint.best.emplace();
    reader.read("epoch", checkpoint.best->epoch);
    checkpoint.best->state_dict = tensors_in(file, reader.get("model_state_dict"));
  }
  DictReader(file, root.get("config"), "config").read_members(checkpoint.config);
  const TrainConfig& config = checkpoint.config;
  if (!is_possible(config)) {
    root.fail("config", "has settings that no training run has");
  }
  check_weights("model_state_dict", checkpoint.model, config.hidden);
  if (checkpoint.best) {
    check_weights("best.model_state_dict", checkpoint.best->state_dict, config.hidden);
  }
  check_param_groups(file, optimizer.get("param_groups"), config);
  if (checkpoint.epoch > config.epochs || (checkpoint.epoch == 0 && checkpoint.batch == 0)) {
    root.fail("epoch", "is not one of " + std::to_string(config.epochs));
  }
  if (!(checkpoint.loss_sum >= 0) || !std::isfinite(checkpoint.loss_sum) ||
      (checkpoint.batch == 0 && checkpoint.loss_sum != 0)) {
    root.fail("loss_sum", "is not that of " + std::to_string(checkpoint.batch) + " batches");
  }
  const Value history = root.get("history");
  const auto records = history.kind == Kind::kList ? file.document.items(history) : std::span<const Value>();
  if (static_cast<std::int64_t>(records.size()) != checkpoint.epoch) {
    root.fail("history", "has not a record for each of " + std::to_string(checkpoint.epoch) + " epochs");
  }
  for (const Value record : records) {
    const auto number = static_cast<std::int64_t>(checkpoint.history.size()) + 1;
    EpochRecord& read = checkpoint.history.emplace_back();
    DictReader(file, record, "history").read_members(read);
    if (!is_whole(read, number, config.patience.has_value())) {
      root.fail("history", "has no whole record of epoch " + std::to_string(number));
    }
  }
  check_best(root, checkpoint);
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
  const TensorFile file = read_tensor_file(path);
  try {
    return checkpoint_in(file);
  } catch (const FormatError& error) {
    throw FormatError(path + ": damaged, or no checkpoint of a training run: " + error.what());
  }
}

}  // namespace iris
