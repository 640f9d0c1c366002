#include <CLI/CLI.hpp>
#include <cstdio>
#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "cli/plain_value.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/output_file.h"
#include "model/file/model_file.h"
#include "tensor_file/selection.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using nlohmann::ordered_json;

struct InspectOptions {
  std::string model;
  std::optional<std::string> key;
  bool json = false;
  bool quiet = false;
};

struct Contents {
  const char* kind;
  std::string key;  // of the dictionary shown; empty: all of the file
  std::vector<NamedTensor> tensors;
  std::vector<std::pair<std::string, pickle::Value>> entries;  // a checkpoint's others
};

constexpr const char* container_name(Container container) {
  switch (container) {
    case Container::kZip:
      return "zip";
    case Container::kLegacy:
      return "legacy";
    case Container::kSafetensors:
      return "safetensors";
  }
  return "";
}

// With no key, and no single state_dict in the file, all tensors are shown, under dotted names.
Contents contents_of(const TensorFile& file, const std::optional<std::string>& key) {
  Contents contents{"state_dict", "", {}, {}};
  Selection selection{"", file.root};
  try {
    selection = select_state_dict(file, key);
  } catch (const FormatError&) {
    if (key) {
      throw;
    }
    contents.kind = "checkpoint";
  }
  contents.key = selection.key;
  contents.tensors = named_tensors(file, selection.dict);
  if (file.constants != nullptr) {
    for (const NamedTensor& constant : named_tensors(*file.constants, file.constants->root)) {
      contents.tensors.push_back({"CONSTANTS.c" + constant.name, constant.tensor});
    }
  }
  if (file.is_torchscript && !file.is_cpp_archive()) {
    contents.kind = "torchscript";
  } else if (!selection.is_root()) {
    contents.kind = "checkpoint";
  }
  if (!file.root.is_dict()) {
    return contents;
  }
  const auto entries = file.document.items(file.root);
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
    const std::string name = plain_text(file, entries[i]);
    const bool is_shown = selection.is_root() ? holds_tensors(file, entries[i + 1]) : name == selection.key;
    if (!is_shown) {
      contents.entries.emplace_back(name, entries[i + 1]);
    }
  }
  return contents;
}

struct Totals {
  std::uint64_t numbers = 0;  // elements, as the shapes say
  std::uint64_t bytes = 0;    // of the storages that they lie in
};

Totals totals_of(const TensorFile& file, const Contents& contents) {
  Totals totals;
  std::set<const StorageRecord*> storages;
  for (const NamedTensor& named : contents.tensors) {
    const auto& own = file.tensors;
    const bool is_own = named.tensor >= own.data() && named.tensor < own.data() + own.size();
    const StorageRecord& storage = (is_own ? file : *file.constants).storages[named.tensor->storage];
    totals.bytes += storages.insert(&storage).second ? storage.size : 0;
    const auto numel = static_cast<std::uint64_t>(named.tensor->numel());
    totals.numbers += std::min(numel, std::numeric_limits<std::uint64_t>::max() - totals.numbers);
  }
  return totals;
}

constexpr auto kReplace = ordered_json::error_handler_t::replace;

// All that iris.json holds; none: an empty object.
ordered_json names_json(std::string_view text) {
  if (text.empty()) {
    return ordered_json::object();
  }
  parse_model_names(text);  // refuses what predict refuses
  return ordered_json::parse(text);
}

std::string lines_of(const ordered_json& entries) {
  std::string lines;
  for (const auto& [name, value] : entries.items()) {
    lines += "  " + text::printable(name) + ": " +
             text::printable(value.is_string() ? value.get<std::string>() : value.dump(-1, ' ', false, kReplace),
                             std::string::npos) +
             "\n";
  }
  return lines;
}

std::string json_text(const std::string& path, const TensorFile& file, const Contents& contents,
                      const ordered_json& names) {
  const Totals totals = totals_of(file, contents);
  ordered_json json = {{"file", path}, {"kind", contents.kind}, {"container", container_name(file.container)}};
  if (!contents.key.empty()) {
    json["key"] = contents.key;
  }
  json["tensors"] = ordered_json::array();
  for (const NamedTensor& named : contents.tensors) {
    json["tensors"].push_back(
        {{"name", named.name}, {"shape", named.tensor->shape}, {"dtype", name_of(named.tensor->dtype)}});
  }
  json["parameters"] = totals.numbers;
  json["bytes"] = totals.bytes;
  if (!contents.entries.empty()) {
    json["entries"] = plain_json(file, contents.entries);
  } else if (!names.empty()) {
    json["entries"] = names;
  }
  return json.dump(-1, ' ', false, kReplace) + "\n";
}

// What a package says of itself; its weights are part of its code.
ordered_json entries_of(const Pt2Archive& archive) {
  ordered_json entries = names_json(archive.names);
  entries["model"] = archive.model;
  entries["device"] = archive.device();
  for (const auto& [name, value] : archive.metadata) {
    if (name != "AOTI_DEVICE_KEY" && !value.empty()) {
      entries[name] = value;
    }
  }
  return entries;
}

int inspect(const std::string& place, const Pt2Archive& archive, const InspectOptions& options) {
  if (options.key) {
    throw UsageError(place + ": --key is for checkpoints; this is an AOTInductor package of one model");
  }
  ordered_json json = {
      {"file", place}, {"kind", "aoti_package"}, {"container", "zip"}, {"tensors", ordered_json::array()}};
  json["parameters"] = 0;
  json["entries"] = with_place(place, [&] { return entries_of(archive); });
  if (options.json) {
    OutputFile("-").write(json.dump(-1, ' ', false, kReplace) + "\n");
    return 0;
  }
  const std::string summary = text::printable(place) +
                              ": aoti_package (zip), the weights are part of its compiled code\n" +
                              lines_of(json["entries"]);
  std::fputs(summary.c_str(), stderr);
  return 0;
}

int inspect(const std::string& place, const TensorFile& file, const InspectOptions& options) {
  const Contents contents = with_place(place, [&] { return contents_of(file, options.key); });
  const ordered_json names = with_place(place, [&] { return names_json(file.names); });
  OutputFile output("-");
  if (options.json) {
    output.write(json_text(place, file, contents, names));
    return 0;
  }
  std::string text;
  for (const NamedTensor& named : contents.tensors) {
    text += text::printable(named.name, std::string::npos) + " " + shape_text(named.tensor->shape) + "\n";
  }
  output.write(text);
  const Totals totals = totals_of(file, contents);
  std::string summary = text::printable(place) + ": " + contents.kind + " (" + container_name(file.container) + ")" +
                        (contents.key.empty() ? "" : ", shown: " + text::printable(contents.key)) + ", " +
                        std::to_string(contents.tensors.size()) + " tensors, " + std::to_string(totals.numbers) +
                        " parameters, " + std::to_string(totals.bytes) + " bytes\n";
  for (const auto& [name, value] : contents.entries) {
    summary += "  " + text::printable(name) + ": " + plain_text(file, value) + "\n";
  }
  summary += lines_of(names);
  std::fputs(summary.c_str(), stderr);
  return 0;
}

int run_inspect(const InspectOptions& options) {
  const std::string place = text::input_name(options.model);
  const ModelFile file = read_model_file(options.model);
  return std::visit([&](const auto& form) { return inspect(place, form, options); }, file);
}

}  // namespace

void add_inspect(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("inspect", "The names and shapes of a file's tensors; nothing in it is run");
  auto options = std::make_shared<InspectOptions>();
  command->add_option("MODEL", options->model, "A file that holds tensors, whatever its name; - is stdin")
      ->type_name("FILE")
      ->required();
  command->add_option("--key", options->key, "Which dictionary of a checkpoint to show");
  command->add_flag("--json", options->json,
                    "One JSON object, with dtypes and what else a checkpoint or an export holds");
  command->add_flag("-q,--quiet", options->quiet, "Taken as by the other verbs; there is no progress bar here");
  command->footer(
      "Examples:\n"
      "  iris inspect model.pt\n"
      "  iris inspect checkpoint.pt --key optimizer_state_dict --json");
  command->callback([options, &run] { run = [options] { return run_inspect(*options); }; });
}

}  // namespace iris
