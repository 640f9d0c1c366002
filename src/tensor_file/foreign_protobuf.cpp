#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/bytes.h"
#include "tensor_file/foreign_file.h"

namespace iris {
namespace {

constexpr std::size_t kMostFields = 1000;

// A message's field. A file that was cut, or whose next field is not one, ends there.
struct Field {
  std::uint64_t number = 0;
  std::uint64_t value = 0;  // of a varint
  bool is_varint = false;
  bool is_bytes = false;     // a text or a message
  std::string_view content;  // of these
};

class Fields {
 public:
  explicit Fields(std::string_view bytes) : rest_(bytes) {}

  std::optional<Field> next() {
    const std::optional<std::uint64_t> tag = varint();
    Field field;
    field.number = tag.value_or(0) >> 3;
    if (field.number == 0 || field.number >= 1U << 29) {
      return std::nullopt;
    }
    std::uint64_t skipped = 0;
    switch (*tag & 7) {
      case 0: {
        const auto value = varint();
        field.value = value.value_or(0);
        field.is_varint = true;
        return value ? std::optional(field) : std::nullopt;
      }
      case 1:
        skipped = 8;
        break;
      case 2: {
        const auto size = varint();
        if (!size) {
          return std::nullopt;
        }
        field.is_bytes = true;
        field.content = rest_.substr(0, *size);
        skipped = *size;
        break;
      }
      case 5:
        skipped = 4;
        break;
      default:
        return std::nullopt;
    }
    rest_.remove_prefix(std::min<std::uint64_t>(rest_.size(), skipped));
    return field;
  }

 private:
  std::optional<std::uint64_t> varint() {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < std::min<std::size_t>(rest_.size(), 10); ++i) {
      const auto byte = static_cast<unsigned char>(rest_[i]);
      value |= static_cast<std::uint64_t>(byte & 0x7F) << (7 * i);
      if ((byte & 0x80) == 0) {
        rest_.remove_prefix(i + 1);
        return value;
      }
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

std::vector<Field> fields_of(std::string_view bytes) {
  std::vector<Field> fields;
  Fields all(bytes);
  for (auto field = all.next(); field && fields.size() < kMostFields; field = all.next()) {
    fields.push_back(*field);
  }
  return fields;
}

bool is_word(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char each) { return each >= 0x20 && each < 0x7F; });
}

bool has(const std::vector<Field>& fields, std::uint64_t number) {
  return std::ranges::find(fields, number, &Field::number) != fields.end();
}

bool all_are(const std::vector<Field>& fields, std::string_view numbers) {
  return std::ranges::all_of(
      fields, [&](const Field& field) { return numbers.find(static_cast<char>(field.number)) != numbers.npos; });
}

// Core ML's Model: specificationVersion, description, and one of the kinds of models, from 200 on (Model.proto).
bool is_core_ml(const std::vector<Field>& fields) {
  constexpr std::uint64_t kFirstKind = 200;
  constexpr std::uint64_t kLastKind = 9999;
  const Field& last = fields.back();
  return fields[0].number == 1 && fields[0].is_varint && has(fields, 2) &&
         std::ranges::any_of(fields,
                             [&](const Field& field) {
                               return field.is_bytes && field.number >= kFirstKind && field.number <= kLastKind;
                             }) &&
         last.number <= kLastKind;
}

// SavedModel: its version, 1, and MetaGraphDefs, which begin with a message (saved_model.proto, meta_graph.proto).
bool is_saved_model(const std::vector<Field>& fields) {
  return fields.size() >= 2 && fields[0].number == 1 && fields[0].is_varint && fields[0].value == 1 &&
         std::ranges::all_of(fields.begin() + 1, fields.end(),
                             [](const Field& field) { return field.number == 2 && field.is_bytes; }) &&
         !is_word(fields[1].content);
}

// A list of messages that each begin with a name and a type: GraphDef's nodes (graph.proto, node_def.proto).
bool is_graph(const std::vector<Field>& fields) {
  if (fields[0].number != 1 || !fields[0].is_bytes) {
    return false;
  }
  const std::vector<Field> node = fields_of(fields[0].content);
  return node.size() >= 2 && node[0].number == 1 && is_word(node[0].content) && node[1].number == 2 &&
         is_word(node[1].content);
}

// NetParameter: a name, then layers of number 100 or, long ago, 2 (caffe.proto).
bool is_caffe(const std::vector<Field>& fields) {
  return fields[0].number == 1 && is_word(fields[0].content) && has(fields, 100);
}

// ModelProto: ir_version, then texts, the graph (7) and operator sets (8) (onnx.proto3).
bool is_onnx(const std::vector<Field>& fields) {
  constexpr std::uint64_t kMostVersion = 31;
  constexpr std::string_view kNumbers = "\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x14\x19\x1a";
  return fields.size() >= 2 && fields[0].number == 1 && fields[0].is_varint && fields[0].value > 0 &&
         fields[0].value <= kMostVersion && all_are(fields, kNumbers);
}

}  // namespace

std::optional<std::string> describe_protobuf(std::span<const std::byte> bytes) {
  const std::vector<Field> fields = fields_of(text_of(bytes));
  if (fields.empty()) {
    return std::nullopt;
  }
  if (is_core_ml(fields)) {
    return "is a Core ML model, which is for Apple's runtime; take the PyTorch file that it was converted from";
  }
  if (is_saved_model(fields)) {
    return "is a TensorFlow SavedModel, not a PyTorch model; take its weights out in Python, with TensorFlow: "
           "tf.saved_model.load(FOLDER).variables";
  }
  if (is_onnx(fields)) {
    return "is an ONNX model, which is for other runtimes, such as ONNX Runtime; iris runs the state_dict of an "
           "IrisNet, TorchScript and .pt2 packages: export the PyTorch model with python_export/export.py "
           "(docs/formats.md)";
  }
  if (is_graph(fields)) {
    return "is a TensorFlow graph (a frozen .pb), not a PyTorch model; it runs in TensorFlow";
  }
  if (is_caffe(fields)) {
    return "is a Caffe model, not a PyTorch one; it runs in Caffe and in OpenCV";
  }
  return std::nullopt;
}

}  // namespace iris
