#include <CLI/CLI.hpp>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "cli/plain_value.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/output_file.h"
#include "tensor_file/selection.h"
#include "tensor_file/tensor_writer.h"
#include "text.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

struct ConvertOptions {
  std::string input;
  std::string output;
  std::optional<std::string> key;
  std::string strip_prefix;
  bool quiet = false;
};

bool writes_safetensors(const std::string& output) {
  if (output.ends_with(".safetensors")) {
    return true;
  }
  if (output == "-" || output.ends_with(".pt") || output.ends_with(".pth")) {
    return false;
  }
  throw UsageError(output + ": its extension does not say what to write; use .pt, .pth or .safetensors");
}

// Drops the prefix from the names of the dict, and from the module paths in its _metadata. Throws FormatError.
void strip_prefix(TensorFile& file, Value dict, const std::string& prefix) {
  auto& document = file.document;
  std::size_t count = 0;
  const auto strip = [&](Value& key, std::string_view what) {
    if (key.kind == Kind::kString && document.text(key).starts_with(what)) {
      key = document.add_text(Kind::kString, std::string(document.text(key).substr(what.size())));
      return true;
    }
    return false;
  };
  const auto entries = document.items(dict);
  for (std::size_t i = 0; i < entries.size(); i += 2) {
    count += strip(entries[i], prefix) ? 1U : 0U;
  }
  if (count == 0) {
    throw FormatError("no name begins with " + text::quoted(prefix) + "; iris inspect shows them");
  }
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < entries.size(); i += 2) {
    if (entries[i].kind == Kind::kString && !names.insert(document.text(entries[i])).second) {
      throw FormatError("without the prefix, two entries have the name " + text::quoted(document.text(entries[i])));
    }
  }
  const Value* metadata = document.find(document.state(dict), "_metadata");
  if (metadata == nullptr || !metadata->is_dict()) {
    return;
  }
  // "module" itself becomes the root, "", whose own entry goes.
  const std::string module_path = prefix.substr(0, prefix.find_last_not_of('.') + 1);
  std::vector<Value> kept;
  const auto versions = document.items(*metadata);
  for (std::size_t i = 0; i < versions.size(); i += 2) {
    Value key = versions[i];
    const bool is_outer =
        key.kind == Kind::kString && module_path.starts_with(document.text(key)) && document.text(key) != module_path;
    if (is_outer) {
      continue;
    }
    if (!strip(key, prefix) && key.kind == Kind::kString && document.text(key) == module_path) {
      strip(key, module_path);
    }
    kept.insert(kept.end(), {key, versions[i + 1]});
  }
  const Value stripped = document.add_items(Kind::kOrderedDict, std::move(kept), document.offset(*metadata));
  for (Value& item : document.items(document.state(dict))) {
    if (item.kind == metadata->kind && item.index == metadata->index) {
      item = stripped;
    }
  }
}

// A TorchScript's or C++ archive's tensors as a dict; its program stays behind.
Value state_dict_of_archive(TensorFile& file) {
  std::vector<Value> items;
  for (const NamedTensor& named : named_tensors(file, file.root)) {
    items.push_back(file.document.add_text(Kind::kString, named.name));
    items.push_back(Value::of_external(static_cast<std::uint32_t>(named.tensor - file.tensors.data())));
  }
  if (items.empty() && !file.constants->tensors.empty()) {
    throw FormatError("is a frozen TorchScript: its tensors are constants of its code and have lost their names");
  }
  return file.document.add_items(Kind::kOrderedDict, std::move(items), 0);
}

void tell_left_out(const TensorFile& file, const Selection& selection) {
  std::string names;
  const auto entries = file.root.is_dict() ? file.document.items(file.root) : std::span<const Value>{};
  for (std::size_t i = 0; i + 1 < entries.size(); i += 2) {
    const std::string name = plain_text(file, entries[i]);
    const bool is_written = selection.is_root() ? holds_tensors(file, entries[i + 1]) : name == selection.key;
    if (!is_written) {
      names += (names.empty() ? "" : ", ") + name;
    }
  }
  if (!names.empty()) {
    std::fprintf(stderr, "iris: left out, as safetensors holds one dictionary of tensors: %s\n", names.c_str());
  }
}

void convert(TensorFile& file, const ConvertOptions& options, OutputFile& output) {
  if (file.is_torchscript) {
    if (options.key) {
      throw UsageError("--key is for checkpoints; this is an archive of one module");
    }
    file.root = state_dict_of_archive(file);
  }
  if (file.has_tensor_attributes) {
    std::fputs("iris: left out: attributes that Python code had set on tensors\n", stderr);
  }
  const bool to_safetensors = writes_safetensors(options.output);
  Value value = file.root;
  if (options.key || to_safetensors || !options.strip_prefix.empty()) {
    const Selection selection = select_state_dict(file, options.key);
    if (!options.strip_prefix.empty()) {
      strip_prefix(file, selection.dict, options.strip_prefix);
    }
    if (options.key || to_safetensors) {
      value = selection.dict;
    }
    if (to_safetensors && !options.key) {
      tell_left_out(file, selection);
    }
  }
  if (to_safetensors) {
    write_safetensors(file, value, output);
  } else {
    write_zip(file, value, output);
  }
  output.commit();
}

// Draws how far the writing is for as long as it lives.
class WritingProgress {
 public:
  WritingProgress(const ConvertOptions& options, const OutputFile& output, std::uint64_t size)
      : thread_([&options, &output, size](const std::stop_token& stop) {
          Progress progress(options.quiet, "MiB", 1 << 20);
          std::mutex mutex;
          std::unique_lock lock(mutex);
          std::condition_variable_any never;
          while (!never.wait_for(lock, stop, std::chrono::milliseconds(100), [&] { return stop.stop_requested(); })) {
            progress.show(output.written(), output.written(), size);
          }
        }) {}

 private:
  std::jthread thread_;
};

int run_convert(const ConvertOptions& options) {
  writes_safetensors(options.output);  // before a file is made
  TensorFile file = read_tensor_file(options.input);
  try {
    OutputFile output(options.output);
    const WritingProgress progress(options, output, file.file->bytes().size());
    convert(file, options, output);
  } catch (const FormatError& error) {
    throw FormatError(text::input_name(options.input) + ": " + error.what(), error.choice);
  }
  return 0;
}

}  // namespace

void add_convert(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("convert", "Any file of tensors as one that Python reads safely");
  auto options = std::make_shared<ConvertOptions>();
  command->add_option("IN", options->input, "A file that holds tensors, whatever its name; - is stdin")
      ->type_name("FILE")
      ->required();
  command->add_option("OUT", options->output, "FILE.pt, FILE.pth or FILE.safetensors; - is a .pt on stdout")
      ->type_name("FILE")
      ->required();
  command->add_option("--key", options->key, "Write only this dictionary of a checkpoint");
  command->add_option("--strip-prefix", options->strip_prefix, "Drop this from the beginning of the names: module.");
  command->add_flag("-q,--quiet", options->quiet, "No progress bar");
  command->footer(
      "Examples:\n"
      "  iris convert resnet18-5c106cde.pth resnet18.pt\n"
      "  iris convert checkpoint.pt weights.safetensors --key model_state_dict\n"
      "  iris convert parallel.pt plain.pt --strip-prefix module.");
  command->callback([options, &run] { run = [options] { return run_convert(*options); }; });
}

}  // namespace iris
