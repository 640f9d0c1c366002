// Arbitrary bytes as a pickle. Whatever is read is walked, written and read again, which must give the same; then its
// tensors are resolved and its modules walked, and what of it torch.load would read is written and read once more.
#include <span>
#include <string>

#include "error.h"
#include "fuzz/same_values.h"
#include "pickle/pickle_reader.h"
#include "pickle/pickle_writer.h"
#include "tensor_file/containers.h"
#include "tensor_file/members.h"
#include "tensor_file/plain_values.h"
#include "tensor_file/selection.h"
#include "tensor_file/torch_globals.h"

namespace {

using namespace iris;

volatile unsigned sink;

void check_round_trip(const pickle::Document& document, pickle::Value root) {
  std::string bytes;
  try {
    bytes = pickle::write_pickle(document, root, [](std::uint32_t index) { return pickle::Value::of_int(index); });
  } catch (const FormatError&) {
    return;  // torch.load would not read it
  }
  pickle::Document again;
  ByteCursor cursor(std::as_bytes(std::span(bytes)));
  const pickle::Value root_again = pickle::read_pickle(cursor, use_of_torchscript_global, again);
  fuzz::require(cursor.remaining() == 0);
  fuzz::require(fuzz::SameValues(document, again)(root, root_again));
}

void check(std::span<const std::byte> bytes, pickle::GlobalFilter filter) {
  TensorFile file;
  try {
    ByteCursor cursor(bytes);
    file.root = pickle::read_pickle(cursor, filter, file.document);
  } catch (const FormatError&) {
    return;
  }
  sink = fuzz::Walk(file.document)(file.root);
  check_round_trip(file.document, file.root);
  try {
    resolve_tensors(file);
  } catch (const FormatError&) {
    return;
  }
  sink = fuzz::Walk(file.document)(file.root);
  try {
    const Selection selection = select_state_dict(file, std::nullopt);
    for (const NamedTensor& named : named_tensors(file, selection.dict)) {
      sink = static_cast<unsigned>(named.name.size() + static_cast<std::size_t>(named.tensor->numel()));
    }
  } catch (const FormatError&) {
  }
  sink = static_cast<unsigned>(foreign_names(file).size());
  if (filter == use_of_torch_global) {  // only the tensors of a TorchScript archive are ever written
    try {
      file.root = plain_values_of(file, file.root).value;
    } catch (const FormatError&) {
      return;
    }
    sink = fuzz::Walk(file.document)(file.root);
    check_round_trip(file.document, file.root);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  check(bytes, use_of_torch_global);
  check(bytes, use_of_torchscript_global);
  return 0;
}
