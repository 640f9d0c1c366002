#include <utility>
#include <variant>
#include <vector>

#include "io/output_file.h"
#include "state_dict/tensor_file_builder.h"
#include "tensor_file/tensor_writer.h"
#include "train/checkpoint.h"
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
    const std::vector<const char*> names = FusedOptimizer::state_names(checkpoint.config);
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

}  // namespace

void write_checkpoint(const Checkpoint& checkpoint, const std::string& path) {
  TensorFile file = CheckpointBuilder().build(checkpoint);
  OutputFile output(path);
  write_zip(file, file.root, output);
  output.commit();
}

}  // namespace iris
