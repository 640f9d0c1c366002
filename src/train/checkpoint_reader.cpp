#include <span>
#include <variant>

#include "error.h"
#include "state_dict/tensors.h"
#include "tensor_file/tensor_writer.h"
#include "train/checkpoint.h"
#include "train/checkpoint_checks.h"
#include "train/dict_reader.h"
#include "train/optimizer.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// The items, where the value is a container of that kind; else none.
std::span<const Value> items_of(const TensorFile& file, Value value, Kind kind) {
  return value.kind == kind ? file.document.items(value) : std::span<const Value>();
}

bool is_betas(const TensorFile& file, Value value, const AdamBetas& betas) {
  const std::span<const Value> items = items_of(file, value, Kind::kTuple);
  return items.size() == 2 && items[0].kind == Kind::kFloat && items[0].real == betas.first &&
         items[1].kind == Kind::kFloat && items[1].real == betas.second;
}

// That the optimizer's own settings are those of the configuration.
void check_param_groups(const TensorFile& file, Value groups, const TrainConfig& config) {
  const std::string name = "optimizer_state_dict.param_groups";
  const std::span<const Value> items = items_of(file, groups, Kind::kList);
  if (items.size() != 1) {
    throw FormatError(name + " is not a list of one group");
  }
  const DictReader group(file, items[0], name);
  for (const ParamGroupEntry& entry : param_group(config)) {
    if (!entry.decides_bits) {
      continue;
    }
    bool fits = true;
    if (const auto* betas = std::get_if<AdamBetas>(&entry.value)) {
      fits = is_betas(file, group.get(entry.key), *betas);
    } else {
      double value = 0;
      group.read(entry.key, value);
      fits = value == entry.number();
    }
    if (!fits) {
      group.fail(entry.key, "is not that of config");
    }
  }
}

TrainConfig config_in(const DictReader& reader) {
  TrainConfig config;
  reader.read_members(config);
  if (const char* setting = config.fault()) {
    reader.fail(setting, "is out of range");
  }
  return config;
}

std::vector<EpochRecord> history_in(const TensorFile& file, Value history) {
  std::vector<EpochRecord> records;
  for (const Value record : items_of(file, history, Kind::kList)) {
    DictReader(file, record, "history").read_members(records.emplace_back());
  }
  return records;
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
  if (file.tensor(rng_state) == nullptr) {
    root.fail("rng_state", "is not a tensor");
  }
  checkpoint.rng_state = tensors_in(file, rng_state).front().value();
  if (const Value best = root.get("best"); best.kind != Kind::kNone) {
    const DictReader reader(file, best, "best");
    checkpoint.best.emplace();
    reader.read("epoch", checkpoint.best->epoch);
    checkpoint.best->state_dict = tensors_in(file, reader.get("model_state_dict"));
  }
  checkpoint.config = config_in(DictReader(file, root.get("config"), "config"));
  check_param_groups(file, optimizer.get("param_groups"), checkpoint.config);
  checkpoint.history = history_in(file, root.get("history"));
  check_checkpoint(checkpoint);
  return checkpoint;
}

}  // namespace

Checkpoint read_checkpoint(const std::string& path) {
  const TensorFile file = read_tensor_file(path);
  return with_place(fault_place(path), [&] { return checkpoint_in(file); });
}

}  // namespace iris
