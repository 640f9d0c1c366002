// What a file holds: the tensors of the model in it, and the entries beside them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tensor_file/selection.h"
#include "tensor_file/tensor_file.h"

namespace iris {

// What is beside the selected dictionary, on each level from the root down to it, and in it the entries without a
// tensor in them; each level in the file's order. Of a TorchScript: its TensorFile::left_out, then such entries.
std::vector<NamedValue> values_left_out(const TensorFile& file, const Selection& selection);

struct Contents {
  enum class Kind { kStateDict, kCheckpoint, kTorchScript };

  Kind kind = Kind::kStateDict;
  std::string key;  // of the dictionary that holds the tensors; empty: the file's root
  std::vector<NamedTensor> tensors;
  std::vector<NamedValue> left_out;
};

// key: as select_state_dict takes it, and throws. Without a key, and without a dictionary that can be selected: all
// tensors of the file, under dotted names.
Contents contents_of(const TensorFile& file, const std::optional<std::string>& key);

// What the reading of a file cannot tell, in sentences: of modules that Python pickled whole, of old TorchScript.
std::vector<std::string> notes_of(const TensorFile& file);

// What the selection passes over: "epoch", "args (argparse.Namespace)", printable. With `has_key` only what is in the
// dictionary itself, as what is beside it was passed over by who chose it.
std::vector<std::string> passed_over(const TensorFile& file, const Selection& selection, bool has_key);

// For who takes one dictionary and nothing else (key: as select_state_dict takes it): which was taken, what was passed
// over, and notes_of, in one line. Empty where nobody could have meant another: the file holds one candidate, and no
// objects of unknown classes. Throws as select_state_dict.
std::string note_of_choice(const TensorFile& file, const std::optional<std::string>& key);

struct Totals {
  std::uint64_t elements = 0;  // as the shapes say; stays at the largest number
  std::uint64_t bytes = 0;     // of the storages that the tensors lie in, each counted once
};

Totals totals_of(const TensorFile& file, const std::vector<NamedTensor>& tensors);

// Throws FormatError, without a path, where a frozen module's tensors have lost their names.
void require_names(const TensorFile& archive);

}  // namespace iris
