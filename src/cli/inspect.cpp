#include "cli/inspect.h"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>
#include <variant>

#include "cli/option_types.h"
#include "cli/plain_value.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/output_file.h"
#include "tensor_file/contents.h"
#include "tensor_file/members.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using nlohmann::ordered_json;
using NamedValues = std::vector<std::pair<std::string, pickle::Value>>;

constexpr const char* kContainers[] = {"zip", "legacy", "safetensors", "tar"};  // by Container
constexpr const char* kKinds[] = {"state_dict", "checkpoint", "torchscript"};   // by Contents::Kind

const char* name_of(Container container) { return kContainers[static_cast<std::size_t>(container)]; }
const char* name_of(Contents::Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

// All of iris.json; an empty object where there is none.
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
             text::printable(value.is_string() ? value.get<std::string>() : text::json(value), std::string::npos) +
             "\n";
  }
  return lines;
}

NamedValues named_values(const std::vector<NamedValue>& values) {
  NamedValues named;
  for (const auto& [name, value] : values) {
    named.emplace_back(name, value);
  }
  return named;
}

// The names of iris.json, then the entries; one that has the name of another is marked.
ordered_json with_names(ordered_json entries, const ordered_json& names) {
  if (names.empty()) {
    return entries;
  }
  ordered_json all = names;
  // Written directly: ordered_json's own interface looks through all keys for each new one.
  auto& members = all.get_ref<ordered_json::object_t&>();
  members.reserve(names.size() + entries.size());
  for (auto& [name, value] : entries.get_ref<ordered_json::object_t&>()) {
    members.emplace_back(names.contains(name) ? name + " (attribute)" : name, std::move(value));
  }
  return all;
}

// A file that names a way to run programs is refused before this.
ordered_json foreign_json(const TensorFile& file) {
  auto foreign = ordered_json::array();
  for (const ForeignName& each : foreign_names(file)) {
    foreign.push_back({{"name", each.name}, {"count", each.count}, {"attack", false}});
  }
  return foreign;
}

std::string foreign_text(const TensorFile& file) {
  constexpr std::size_t kMostNames = 20;
  std::vector<std::string> words;
  const std::vector<ForeignName> names = foreign_names(file);
  for (std::size_t i = 0; i < std::min(names.size(), kMostNames); ++i) {
    words.push_back(text::printable(names[i].name) + " (" + std::to_string(names[i].count) + ")");
  }
  return text::joined(words) + (names.size() > kMostNames ? ", …" : "");
}

// The path as it is: in JSON nothing needs to be made printable.
std::string file_of(const InspectOptions& options) { return options.model == "-" ? "stdin" : options.model; }

std::string json_text(const InspectOptions& options, const TensorFile& file, const Contents& contents,
                      const ordered_json& names) {
  const Totals totals = totals_of(file, contents.tensors);
  ordered_json json = {
      {"file", file_of(options)}, {"kind", name_of(contents.kind)}, {"container", name_of(file.container)}};
  if (!contents.key.empty()) {
    json["key"] = contents.key;
  }
  json["tensors"] = ordered_json::array();
  for (const NamedTensor& named : contents.tensors) {
    json["tensors"].push_back(
        {{"name", named.name}, {"shape", named.tensor->shape}, {"dtype", name_of(named.tensor->dtype)}});
  }
  json["parameters"] = totals.elements;
  json["bytes"] = totals.bytes;
  if (!contents.left_out.empty() || !names.empty()) {
    json["entries"] = with_names(plain_json(file, named_values(contents.left_out)), names);
  }
  json["foreign"] = foreign_json(file);
  if (const std::vector<std::string> notes = notes_of(file); !notes.empty()) {
    json["notes"] = notes;
  }
  return text::json(json) + "\n";
}

std::string summary_text(const std::string& place, const TensorFile& file, const Contents& contents,
                         const ordered_json& names) {
  const Totals totals = totals_of(file, contents.tensors);
  std::string summary = text::printable(place) + ": " + name_of(contents.kind) + " (" + name_of(file.container) + ")" +
                        (contents.key.empty() ? "" : ", shown: " + text::printable(contents.key)) + ", " +
                        std::to_string(contents.tensors.size()) + " tensors, " + std::to_string(totals.elements) +
                        " parameters, " + std::to_string(totals.bytes) + " bytes\n";
  for (const std::string& note : notes_of(file)) {
    summary += "  " + note + "\n";
  }
  if (const std::string foreign = foreign_text(file); !foreign.empty()) {
    summary += "  names that are not known, and were not looked up: " + foreign + "\n";
  }
  for (const auto& [name, value] : named_values(contents.left_out)) {
    summary += "  " + text::printable(name) + ": " + plain_text(file, value) + "\n";
  }
  return summary + lines_of(names);
}

InspectText text_of(const std::string& place, const TensorFile& file, const InspectOptions& options) {
  Contents contents;
  ordered_json names;
  with_place(place, [&] {
    contents = contents_of(file, options.key);
    names = names_json(file.names);
  });
  if (options.json) {
    return {json_text(options, file, contents, names), ""};
  }
  std::string tensors;
  for (const NamedTensor& named : contents.tensors) {
    tensors += text::printable(named.name, std::string::npos) + " " + shape_text(named.tensor->shape) + "\n";
  }
  return {tensors, summary_text(place, file, contents, names)};
}

// What a package says about itself.
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

InspectText text_of(const std::string& place, const Pt2Archive& archive, const InspectOptions& options) {
  if (options.key) {
    throw UsageError(place + ": --key is for checkpoints; this is an AOTInductor package of one model");
  }
  const ordered_json entries = with_place(place, [&] { return entries_of(archive); });
  if (options.json) {
    const ordered_json json = {{"file", file_of(options)},         {"kind", "aoti_package"}, {"container", "zip"},
                               {"tensors", ordered_json::array()}, {"parameters", 0},        {"entries", entries},
                               {"foreign", ordered_json::array()}};
    return {text::json(json) + "\n", ""};
  }
  return {"", text::printable(place) + ": aoti_package (zip), the weights are part of its compiled code\n" +
                  lines_of(entries)};
}

int run_inspect(const InspectOptions& options) {
  const ModelFile file = read_model_file(options.model);
  const InspectText text = std::visit(
      [&](const auto& form) {
        return read_whole(text::input_name(options.model), form, [&] { return inspect_text(file, options); });
      },
      file);
  OutputFile("-").write(text.result);
  std::fputs(text.summary.c_str(), stderr);
  return kDone;
}

}  // namespace

InspectText inspect_text(const ModelFile& file, const InspectOptions& options) {
  const std::string place = text::input_name(options.model);
  return std::visit([&](const auto& form) { return text_of(place, form, options); }, file);
}

void add_inspect(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("inspect", "The names and shapes of a file's tensors; nothing in it is run");
  auto options = std::make_shared<InspectOptions>();
  add_file(*command, "MODEL", options->model, "A file that holds tensors, whatever its name; - is stdin")->required();
  command->add_option("--key", options->key, "Which dictionary of a checkpoint to show");
  command->add_flag("--json", options->json,
                    "One JSON object, with dtypes and what else a checkpoint or an export holds");
  command->add_flag("-q,--quiet")->description("Changes nothing: inspect shows no progress bar");
  command->footer(
      "Examples:\n"
      "  iris inspect model.pt\n"
      "  iris inspect checkpoint.pt --key optimizer_state_dict --json");
  command->callback([options, &run] { run = [options] { return run_inspect(*options); }; });
}

}  // namespace iris
