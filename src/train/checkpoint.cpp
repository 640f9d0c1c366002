#include "train/checkpoint.h"

#include <type_traits>
#include <utility>

#include "error.h"
#include "io/output_file.h"
#include "state_dict/tensor_file_builder.h"
#include "state_dict/tensor_writer.h"
#include "state_dict/tensors.h"
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
    if (value.kind != Kind::kFloat && value.kind != Kind::kInt) {
      fail(key, "is no number");
    }
    to = value.kind == Kind::kFloat ? value.real : static_cast<double>(value.integer);
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

bool is_known(const TrainConfig& config) {
  return (config.optimizer == "adam" || config.optimizer == "adamw" || config.optimizer == "sgd") &&
         config.hidden > 0 && config.batch_size > 0 &&
         config.patience.has_value() == config.validation_fraction.has_value();
}

Checkpoint checkpoint_in(const TensorFile& file) {
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
  if (!is_known(checkpoint.config)) {
    root.fail("config", "has settings that no training run has");
  }
  const Value history = root.get("history");
  const auto records = history.kind == Kind::kList ? file.document.items(history) : std::span<const Value>();
  if (static_cast<std::int64_t>(records.size()) != checkpoint.epoch) {
    root.fail("history", "has not a record for each of " + std::to_string(checkpoint.epoch) + " epochs");
  }
  for (const Value record : records) {
    DictReader(file, record, "history").read_members(checkpoint.history.emplace_back());
  }
  if (checkpoint.config.patience.has_value() != checkpoint.best.has_value() && checkpoint.epoch > 0) {
    root.fail("best", "does not go with config.patience");
  }
  if (checkpoint.best && (checkpoint.best->epoch < 1 || checkpoint.best->epoch > checkpoint.epoch)) {
    root.fail("best", "is of no epoch that is done");
  }
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
