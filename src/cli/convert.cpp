#include "cli/convert.h"

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>
#include <vector>

#include "cli/option_types.h"
#include "cli/plain_value.h"
#include "cli/progress.h"
#include "cli/verbs.h"
#include "error.h"
#include "io/descriptor_path.h"
#include "io/output_file.h"
#include "tensor_file/contents.h"
#include "tensor_file/members.h"
#include "tensor_file/plain_values.h"
#include "tensor_file/renaming.h"
#include "tensor_file/selection.h"
#include "tensor_file/tensor_writer.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

// safetensors has no dictionaries in dictionaries, and no numbers for names.
void tell_made_names(const TensorFile& file, pickle::Value dict, const std::function<void(const std::string&)>& tell) {
  std::vector<std::string> made;
  for (const NamedTensor& named : named_tensors(file, dict)) {
    if (!named.is_own_name) {
      made.push_back(text::printable(named.name, std::string::npos));
    }
  }
  if (!made.empty()) {
    tell("written under names made of their keys, as safetensors has no others: " + text::joined(made));
  }
}

int run_convert(const ConvertOptions& options) {
  const TensorFormat format = format_of(options.output);  // before a file is made
  TensorFile file = read_tensor_file(options.input);
  const std::string place = text::input_name(options.input);
  OutputFile output(options.output);
  const std::jthread drawing([&, size = file.size()](const std::stop_token& stop) {
    Progress progress(options.quiet, "MiB", 1 << 20);
    std::mutex mutex;
    std::unique_lock lock(mutex);
    std::condition_variable_any never;
    while (!never.wait_for(lock, stop, std::chrono::milliseconds(100), [&] { return stop.stop_requested(); })) {
      progress.show(output.written(), output.written(), size);
    }
  });
  if (file.is_torchscript && options.key) {
    throw UsageError("--key is for checkpoints; this is an archive of one module");
  }
  const auto tell = [](const std::string& line) { std::fprintf(stderr, "iris: %s\n", line.c_str()); };
  read_whole(place, file, [&] {
    const pickle::Value value = with_place(place, [&] { return value_to_write(file, options, format, tell); });
    try {
      if (format == TensorFormat::kSafetensors) {
        write_safetensors(file, value, output);
        tell_made_names(file, value, tell);
      } else {
        write_zip(file, value, output);
      }
    } catch (const FormatError& error) {  // of the input; an InputError names the output already
      throw FormatError(place + ": " + error.what(), error.choice);
    }
  });
  output.commit();
  return kDone;
}

}  // namespace

TensorFormat format_of(const std::string& output) {
  if (output.ends_with(".safetensors")) {
    return TensorFormat::kSafetensors;
  }
  if (is_standard_output(output) || output.ends_with(".pt") || output.ends_with(".pth")) {
    return TensorFormat::kZip;
  }
  throw UsageError(text::path_name(output) +
                   ": its extension does not say what to write; use .pt, .pth or .safetensors");
}

namespace {

// As torch.load(weights_only=True) reads it; what that leaves out is told one by one.
pickle::Value plain_value(TensorFile& file, pickle::Value value, const std::function<void(const std::string&)>& tell) {
  const PlainValue plain = plain_values_of(file, value);
  for (const auto& [place, what, is_kept] : plain.changes) {
    const std::string shown = place.empty() ? "the file's root" : place;
    tell(is_kept ? "written as a plain dict: " + shown + " (" + what + ")" : "left out: " + shown + " (" + what + ")");
  }
  if (plain.more_changes != 0) {
    tell("left out: " + std::to_string(plain.more_changes) + " more such values");
  }
  return plain.value;
}

}  // namespace

pickle::Value value_to_write(TensorFile& file, const ConvertOptions& options, TensorFormat format,
                             const std::function<void(const std::string&)>& tell) {
  if (file.is_torchscript) {
    require_names(file);
  }
  if (!file.left_out.empty()) {
    std::vector<std::string> places;
    for (const auto& [name, value] : file.left_out) {
      places.push_back(text::printable(name));
    }
    tell("left out, as the module's state_dict() does not have them: " + text::joined(places));
    file.left_out.clear();  // what is told once
  }
  if (file.has_tensor_attributes) {
    tell("left out: attributes that Python code had set on tensors");
  }
  const auto tell_notes = [&] {
    for (const std::string& note : notes_of(file)) {
      tell(note);
    }
  };
  const bool is_one_dict = options.key || format == TensorFormat::kSafetensors;
  if (!is_one_dict && options.strip_prefix.empty()) {
    tell_notes();
    return plain_value(file, file.root, tell);
  }
  const Selection selection = select_state_dict(file, options.key);
  tell_notes();
  if (!options.strip_prefix.empty() && strip_prefix(file, selection.dict, options.strip_prefix) == 0) {
    throw FormatError("no name begins with " + text::quoted(options.strip_prefix) + "; iris inspect shows them");
  }
  if (format == TensorFormat::kZip) {
    return plain_value(file, is_one_dict ? selection.dict : file.root, tell);
  }
  require_all_tensors(file, selection.dict);
  const std::vector<std::string> names = passed_over(file, selection, options.key.has_value());
  if (!selection.is_root() && !options.key) {
    tell("written: " + text::printable(selection.key));
  }
  if (!names.empty()) {
    tell("left out, as safetensors holds one dictionary of tensors: " + text::joined(names));
  }
  return selection.dict;
}

void add_convert(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("convert", "Any file of tensors as one that Python reads safely");
  auto options = std::make_shared<ConvertOptions>();
  add_file(*command, "IN", options->input, "A file that holds tensors, whatever its name; - is stdin")->required();
  add_file(*command, "OUT", options->output, "FILE.pt, FILE.pth or FILE.safetensors; - is a .pt on stdout")->required();
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
