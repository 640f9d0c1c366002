#include <algorithm>
#include <limits>
#include <map>
#include <string>
#include <utility>

#include "io/byte_cursor.h"
#include "pickle/literals.h"
#include "tensor_file/containers.h"
#include "tensor_file/members.h"
#include "tensor_file/numpy_values.h"
#include "tensor_file/torch_globals.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

using pickle::Kind;
using pickle::Value;

// at::Tensor itself allows more, but none of its kernels do.
constexpr std::size_t kMaxRank = 64;
// Of a storage's key ("0", "94127342343680") and location ("cuda:0"); each record holds its own.
constexpr std::size_t kMaxStorageText = 256;
constexpr std::int64_t kMaxInt = std::numeric_limits<std::int64_t>::max();

// The parts of Python's "('storage', <class 'torch.FloatStorage'>, '0', 'cpu', 16)": protocol 0 has persistent ids as
// text only, so torch.save's tuple is written through str().
std::vector<std::string_view> parts_of_text_id(std::string_view text) {
  std::vector<std::string_view> parts;
  if (!text.starts_with('(') || !text.ends_with(')')) {
    return parts;
  }
  text = text.substr(1, text.size() - 2);
  while (true) {
    const std::size_t comma = text.find(", ");
    std::string_view part = text.substr(0, comma);
    if (part.starts_with("<class '") && part.ends_with("'>")) {
      part = part.substr(8, part.size() - 10);
    } else if (part.size() >= 2 && part.starts_with('\'') && part.ends_with('\'')) {
      part = part.substr(1, part.size() - 2);
    }
    parts.push_back(part);
    if (comma == std::string_view::npos) {
      return parts;
    }
    text.remove_prefix(comma + 2);
  }
}

struct StorageView {
  std::uint32_t storage = 0;
  std::int64_t offset = 0;  // elements; a legacy file may have a storage inside another
};

class Resolver {
 public:
  explicit Resolver(TensorFile& file) : file_(file), document_(file.document), numpy_(file) {}

  void run() {
    const std::size_t count = document_.container_count();
    replacements_.resize(count);
    const auto each = [&](Kind kind, auto work) {
      for (std::size_t i = 0; i < count; ++i) {
        const Value value = document_.container(i);
        if (value.kind == kind) {
          offset_ = document_.offset(value);
          work(value);
        }
      }
    };
    for (std::size_t i = 0; i < count; ++i) {
      replacements_[i] = document_.container(i);
    }
    // An object may come before what its state holds. What a call is made of comes before it.
    if (file_.container != Container::kTar) {  // whose ids were tensors, and are in their place
      each(Kind::kPersistentId, [&](Value value) { add_storage(value); });
    }
    each(Kind::kObject, [&](Value value) { replacements_[value.index] = resolve_object(value); });
    each(Kind::kCall, [&](Value value) {
      const auto call = document_.items(value);
      replacements_[value.index] = resolve_call(value, document_.text(call[0]), call.subspan(1));
    });
    each(Kind::kObject, [&](Value value) {
      if (is_parameter_class(class_of(document_, value))) {
        replacements_[value.index] = resolve_parameter_object(value);
      }
    });
    for (std::size_t i = 0; i < count; ++i) {
      const Value container = document_.container(i);
      for (Value& item : document_.items(container)) {
        item = replaced(item);
      }
      document_.set_state(container, replaced(document_.state(container)));
    }
    file_.root = replaced(file_.root);
  }

 private:
  [[noreturn]] void fail(const std::string& fact) const { fail_at(offset_, fact); }
  void require(bool holds, const char* fact) const { require_at(offset_, holds, fact); }

  Value replaced(Value value) const { return value.has_items() ? replacements_.at(value.index) : value; }

  std::string_view text_of(Value value, Kind kind, const char* what) const {
    if (value.kind != kind) {
      fail(std::string(what) + " is not what torch.save writes");
    }
    return document_.text(value);
  }

  std::int64_t integer_of(Value value, const char* what) const {
    value = replaced(value);  // NumPy's are plain by now
    if (value.kind != Kind::kInt || value.integer < 0) {
      fail(std::string(what) + " is not an integer from 0 to 2^63 - 1");
    }
    return value.integer;
  }

  bool bool_of(Value value, const char* what) const {
    if (value.kind != Kind::kBool) {
      fail(std::string(what) + " is not a bool");
    }
    return value.boolean;
  }

  std::vector<std::int64_t> integers_of(Value value, const char* what) const {
    value = replaced(value);
    if (value.kind == Kind::kCall) {  // torch.Size((…))
      value = document_.items(value)[1];
    }
    if (value.kind != Kind::kTuple && value.kind != Kind::kList) {
      fail(std::string(what) + " is not a tuple");
    }
    const auto items = document_.items(value);
    if (items.size() > kMaxRank) {
      fail("a tensor has " + std::to_string(items.size()) + " dimensions");
    }
    std::vector<std::int64_t> integers;
    for (const Value item : items) {
      integers.push_back(integer_of(item, what));
    }
    return integers;
  }

  void add_storage(Value persistent_id);
  Value resolve_call(Value call, std::string_view function, std::span<const Value> arguments);
  Value add_tensor(std::string_view function, std::span<const Value> arguments);
  Value add_parameter(std::span<const Value> arguments);
  Value resolve_object(Value object);
  Value resolve_parameter_object(Value object);
  void read_metadata(Value metadata, TensorRecord& tensor) const;
  void note_attributes(Value state);

  TensorFile& file_;
  pickle::Document& document_;
  NumpyValues numpy_;
  std::size_t offset_ = 0;
  std::vector<Value> replacements_;                // by container number
  std::map<std::uint32_t, StorageView> views_;     // by the number of the persistent id
  std::map<std::string, std::uint32_t> storages_;  // by key
};

void Resolver::add_storage(Value persistent_id) {
  const Value id = document_.items(persistent_id)[0];
  StorageRecord storage;
  std::string_view type;
  std::int64_t numel = 0;
  StorageView view;
  if (id.kind == Kind::kString) {
    const auto parts = parts_of_text_id(document_.text(id));
    numel = parts.size() < 5 ? -1 : pickle::number_of<std::int64_t>(parts[4]).value_or(-1);
    if (numel < 0 || parts[0] != "storage") {
      fail("a persistent id is not one of torch.save: " + text::quoted(document_.text(id)));
    }
    type = parts[1];
    storage.key = parts[2].substr(0, kMaxStorageText + 1);
    storage.location = parts[3].substr(0, kMaxStorageText + 1);
  } else {
    require(id.kind == Kind::kTuple, "a persistent id is not a tuple");
    const auto parts = document_.items(id);
    require((parts.size() == 5 || parts.size() == 6) && parts[0].kind == Kind::kString &&
                document_.text(parts[0]) == "storage",
            "a persistent id is not a storage's");
    type = text_of(parts[1], Kind::kGlobal, "a storage's type");
    storage.key = text_of(parts[2], Kind::kString, "a storage's key").substr(0, kMaxStorageText + 1);
    storage.location = text_of(parts[3], Kind::kString, "a storage's location").substr(0, kMaxStorageText + 1);
    numel = integer_of(parts[4], "a storage's size");
    if (parts.size() == 6 && parts[5].kind != Kind::kNone) {
      const auto window = parts[5].kind == Kind::kTuple ? document_.items(parts[5]) : std::span<const Value>{};
      require(window.size() == 3, "a storage's view_metadata is not a tuple of three");
      view.offset = integer_of(window[1], "a storage view's offset");
      const std::int64_t size = integer_of(window[2], "a storage view's size");
      require(view.offset <= numel && size <= numel - view.offset, "a storage view reaches past its storage");
    }
  }
  if (storage.key.size() > kMaxStorageText || storage.location.size() > kMaxStorageText) {
    fail("a storage's key or location is longer than " + std::to_string(kMaxStorageText) + " bytes");
  }
  const std::size_t quantized_size = size_of_quantized_storage(type);
  if (!is_untyped_storage(type) && quantized_size == 0) {
    const std::optional<std::string_view> name = torch_name(type);
    storage.dtype = name ? dtype_of_storage_class(*name) : std::nullopt;
    if (!storage.dtype) {
      fail(text::printable(type) + " is not a storage type that is read");
    }
  }
  require(static_cast<std::uint64_t>(numel) <= kMaxInt / storage.element_size(), "a storage's size overflows");
  storage.size = static_cast<std::uint64_t>(numel) * storage.element_size();
  if (quantized_size > 1) {
    require(storage.size <= kMaxInt / quantized_size, "a storage's size overflows");
    storage.size *= quantized_size;
  }
  storage.word_size = storage.dtype ? word_size_of(*storage.dtype) : 0;
  const auto [place, is_new] = storages_.emplace(storage.key, static_cast<std::uint32_t>(file_.storages.size()));
  if (is_new) {
    file_.storages.push_back(std::move(storage));
  } else {
    const StorageRecord& before = file_.storages[place->second];
    if (before.dtype != storage.dtype || before.size != storage.size) {
      fail("storage " + text::quoted(storage.key) + " is claimed with two types or sizes");
    }
  }
  view.storage = place->second;
  views_[persistent_id.index] = view;
}

Value Resolver::resolve_call(Value call, std::string_view function, std::span<const Value> arguments) {
  const auto [least, most] = argument_counts_of(function);
  if (arguments.size() < least || arguments.size() > most) {
    fail(std::string(function) + " has " + std::to_string(arguments.size()) + " arguments");
  }
  constexpr std::size_t kMostNeeded = 3;  // behind these are hooks and Python's attributes
  if (function.starts_with("torch._") &&
      std::ranges::any_of(arguments.first(std::min(arguments.size(), kMostNeeded)),
                          [&](Value argument) { return replaced(argument).kind == Kind::kObject; })) {
    return call;  // whoever wants the tensor is told: why_no_tensor
  }
  if (function.starts_with("torch._utils._rebuild_tensor")) {
    return add_tensor(function, arguments);
  }
  if (function == "torch._utils._rebuild_parameter_with_state") {
    note_attributes(arguments[3]);
  }
  if (function.starts_with("torch._utils._rebuild_parameter")) {
    return add_parameter(arguments);
  }
  if (function == "torch._tensor._rebuild_from_type_v2") {  // (function, type, arguments, state)
    const std::string_view inner = text_of(arguments[0], Kind::kGlobal, "a tensor's function");
    require(arguments[2].kind == Kind::kTuple && inner != function, "a tensor's arguments are not a tuple");
    note_attributes(arguments[3]);
    const Value tensor = resolve_call(call, inner, document_.items(arguments[2]));
    if (tensor.kind == Kind::kExternal && text_of(arguments[1], Kind::kGlobal, "a tensor's type") != "torch.Tensor") {
      file_.tensors[tensor.index].is_parameter = true;
    }
    return tensor;
  }
  if (function == "torch.Size") {
    integers_of(arguments[0], "a torch.Size");
  } else if (function.starts_with("torch.jit._pickle.")) {  // build_intlist([…]), restore_type_tag([…], "List[int]")
    return replaced(arguments[0]);
  }
  return call;
}

Value Resolver::add_tensor(std::string_view function, std::span<const Value> arguments) {
  const bool is_v3 = function.ends_with("v3");
  require(arguments[0].kind == Kind::kPersistentId, "a tensor's storage is not a persistent id");
  const StorageView view = views_.at(arguments[0].index);
  const StorageRecord& storage = file_.storages[view.storage];
  TensorRecord tensor;
  tensor.storage = view.storage;
  tensor.offset = integer_of(arguments[1], "a tensor's offset");
  tensor.shape = integers_of(arguments[2], "a tensor's shape");
  tensor.strides = integers_of(arguments[3], "a tensor's strides");
  require(tensor.offset <= kMaxInt - view.offset, "a tensor's offset overflows");
  tensor.offset += view.offset;
  if (arguments.size() > 4) {
    tensor.requires_grad = bool_of(arguments[4], "requires_grad");
  }
  if (is_v3) {
    const std::optional<std::string_view> name = torch_name(text_of(arguments[6], Kind::kGlobal, "a tensor's dtype"));
    const std::optional<DType> dtype = name ? dtype_of_name(*name) : std::nullopt;
    require(dtype.has_value(), "a tensor's dtype is unknown");
    tensor.dtype = *dtype;
  } else {
    require(storage.dtype.has_value(), "a tensor without a dtype lies in an UntypedStorage");
    tensor.dtype = *storage.dtype;
  }
  const std::size_t metadata_at = is_v3 ? 7 : 6;
  if (arguments.size() > metadata_at) {
    read_metadata(arguments[metadata_at], tensor);
  }
  with_place("offset " + std::to_string(offset_), [&] { check_tensor(tensor, storage.size); });
  if (file_.storages[view.storage].word_size == 0) {
    file_.storages[view.storage].word_size = word_size_of(tensor.dtype);
  }
  return file_.add(std::move(tensor));
}

Value Resolver::add_parameter(std::span<const Value> arguments) {
  const Value data = replaced(arguments[0]);
  require(data.kind == Kind::kExternal, "a Parameter is not made of a tensor");
  TensorRecord tensor = file_.tensors[data.index];
  tensor.is_parameter = true;
  tensor.requires_grad = bool_of(arguments[1], "requires_grad");
  return file_.add(std::move(tensor));
}

// torch.FloatTensor(), whose state is (storage, offset, size, stride): PyTorch before 0.1.10; and NumPy's values.
Value Resolver::resolve_object(Value object) {
  const std::string_view name = class_of(document_, object);
  if (is_numpy_name(name)) {
    return numpy_.value_of(object).value_or(object);
  }
  const Value state = document_.state(object);
  const auto parts = state.kind == Kind::kTuple ? document_.items(state) : std::span<const Value>();
  if (!is_old_tensor_class(name) || parts.size() != 4 || parts[0].kind != Kind::kPersistentId) {
    return object;
  }
  return add_tensor("torch._utils._rebuild_tensor", parts);
}

// Parameter(tensor), whose state is (requires_grad, volatile, hooks): PyTorch before 0.4 (torch/autograd/variable.py,
// Variable.__reduce_ex__); older still, Parameter() with (tensor, grad, hooks, requires_grad, volatile).
Value Resolver::resolve_parameter_object(Value object) {
  const auto arguments = document_.items(document_.object(object).arguments);
  const Value state = document_.state(object);
  const auto parts = state.kind == Kind::kTuple ? document_.items(state) : std::span<const Value>();
  const bool is_oldest = parts.size() == 5;
  const Value data = is_oldest ? replaced(parts[0]) : arguments.empty() ? Value{} : replaced(arguments[0]);
  if (data.kind != Kind::kExternal) {
    return object;
  }
  TensorRecord tensor = file_.tensors[data.index];
  tensor.is_parameter = true;
  const Value requires_grad = parts.empty() ? Value::of_bool(true) : parts[is_oldest ? 3 : 0];
  tensor.requires_grad = bool_of(requires_grad, "requires_grad");
  return file_.add(std::move(tensor));
}

// A dict, or a tuple of one and of the slots' values.
void Resolver::note_attributes(Value state) {
  if (state.kind == Kind::kTuple && !document_.items(state).empty()) {
    state = document_.items(state)[0];
  }
  file_.has_tensor_attributes |= state.is_dict() && !document_.items(state).empty();
}

void Resolver::read_metadata(Value metadata, TensorRecord& tensor) const {
  require(metadata.kind == Kind::kNone || metadata.is_dict(), "a tensor's metadata is not a dict");
  if (const Value* conj = document_.find(metadata, "conj")) {
    tensor.is_conj = bool_of(*conj, "conj");
  }
  if (const Value* neg = document_.find(metadata, "neg")) {
    tensor.is_neg = bool_of(*neg, "neg");
  }
  require(!tensor.is_conj || is_complex(tensor.dtype), "a tensor that is not complex has the conj bit");
}

}  // namespace

void resolve_tensors(TensorFile& file) {
  Resolver(file).run();
  replace_modules(file);
}

}  // namespace iris
