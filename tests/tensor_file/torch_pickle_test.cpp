// Calls of torch's functions as tensors, and everything that can be wrong with them.
#include "tensor_file/containers.h"
#include "tensor_file/torch_globals.h"

#include <gtest/gtest.h>

#include "support/read_file_bytes.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using test::kPushFalse;
using test::kPushNone;
using test::kPushTrue;
using test::pickle_of;
using test::push_call;
using test::push_dict;
using test::push_global;
using test::push_int;
using test::push_ints;
using test::push_ordered_dict;
using test::push_storage;
using test::push_tensor;
using test::push_text;
using test::push_tuple;
using test::TensorParts;
using namespace std::string_literals;

constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
constexpr std::int64_t kLeast = std::numeric_limits<std::int64_t>::min();

// A file with one tensor, "w", on storage "0" of that many bytes.
std::string file_with(const std::string& tensor, std::size_t storage_size = 24) {
  return test::torch_zip(pickle_of(push_ordered_dict({push_text("w"), tensor})),
                         {{"0", std::string(storage_size, 'd')}});
}

// Why the tensor is refused, without the place in the file.
std::string tensor_error(const std::string& tensor, std::size_t storage_size = 24) {
  const std::string message = test::file_error(file_with(tensor, storage_size));
  const std::size_t behind_offset = message.find(": ", message.find("offset "));
  return message.starts_with("data.pkl: offset ") ? message.substr(behind_offset + 2) : message;
}

TensorRecord tensor_of(const std::string& tensor, std::size_t storage_size = 24) {
  return test::read_bytes(file_with(tensor, storage_size)).tensors.at(0);
}

// Of torch._utils._rebuild_tensor_v3, whose storage is counted in bytes.
std::string push_tensor_v3(const std::string& dtype, std::int64_t bytes, const std::vector<std::int64_t>& shape) {
  const std::string storage = push_tuple({push_text("storage"), push_global("torch.storage", "UntypedStorage"),
                                          push_text("0"), push_text("cpu"), push_int(bytes)}) +
                              "Q";
  return push_call(push_global("torch._utils", "_rebuild_tensor_v3"),
                   {storage, push_int(0), push_ints(shape), push_ints(std::vector<std::int64_t>(shape.size(), 1)),
                    kPushFalse, push_ordered_dict({}), push_global("torch", dtype)});
}

TEST(TorchPickle, ReadsATensor) {
  const TensorRecord tensor = tensor_of(push_tensor());
  EXPECT_EQ(name_of(tensor.dtype), "float32");
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensor.strides, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(tensor.offset, 0);
  EXPECT_EQ(tensor.numel(), 6);
  EXPECT_TRUE(tensor.is_contiguous());
  EXPECT_FALSE(tensor.requires_grad);
}

TEST(TorchPickle, ReadsATorchSizeAsShape) {
  const std::string size = push_call(push_global("torch", "Size"), {push_ints({2, 3})});
  EXPECT_EQ(tensor_of(push_tensor({.shape = size})).shape, (std::vector<std::int64_t>{2, 3}));
}

TEST(TorchPickle, ReadsAScalar) { EXPECT_EQ(tensor_of(push_tensor({.shape = ")", .strides = ")"})).numel(), 1); }

TEST(TorchPickle, ReadsAnEmptyTensorAtTheEndOfItsStorage) {
  const TensorParts parts{.offset = push_int(6), .shape = push_ints({0, 5}), .strides = push_ints({5, 1})};
  EXPECT_EQ(tensor_of(push_tensor(parts)).numel(), 0);
}

TEST(TorchPickle, ReadsAZeroStrideOfAnyLogicalSize) {  // 2^40 elements, none of which is allocated
  const TensorParts parts{.shape = push_ints({std::int64_t{1} << 40}), .strides = push_ints({0})};
  EXPECT_EQ(tensor_of(push_tensor(parts)).numel(), std::int64_t{1} << 40);
}

TEST(TorchPickle, ReadsDtypesThatHaveNoStorageClass) {
  EXPECT_EQ(name_of(tensor_of(push_tensor_v3("float8_e4m3fn", 6, {6}), 6).dtype), "float8_e4m3fn");
  EXPECT_EQ(name_of(tensor_of(push_tensor_v3("uint16", 6, {3}), 6).dtype), "uint16");
}

TEST(TorchPickle, ReadsAParameter) {
  const TensorFile file = test::read_bytes(file_with(
      push_call(push_global("torch._utils", "_rebuild_parameter"), {push_tensor(), kPushTrue, push_ordered_dict({})})));
  EXPECT_TRUE(file.tensors.back().is_parameter);
  EXPECT_TRUE(file.tensors.back().requires_grad);
}

TEST(TorchPickle, ReadsTheConjBit) {
  const std::string tensor =
      push_call(push_global("torch._utils", "_rebuild_tensor_v2"),
                {push_storage("ComplexFloatStorage", "0", 3), push_int(0), push_ints({3}), push_ints({1}), kPushFalse,
                 push_ordered_dict({}), push_dict({push_text("conj"), kPushTrue, push_text("neg"), kPushFalse})});
  EXPECT_TRUE(tensor_of(tensor).is_conj);
  EXPECT_FALSE(tensor_of(tensor).is_neg);
}

TEST(TorchPickle, ReadsTwoTensorsOnOneStorage) {
  const TensorFile file = test::read_bytes(
      test::torch_zip(pickle_of(push_ordered_dict({push_text("a"), push_tensor(), push_text("b"), push_tensor()})),
                      {{"0", std::string(24, 'd')}}));
  EXPECT_EQ(file.storages.size(), 1U);
  EXPECT_EQ(file.tensors.size(), 2U);
}

TEST(TorchPickle, RefusesATensorThatReachesPastItsStorage) {
  const std::string message = "a tensor reaches past its storage of 24 bytes";
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_ints({2, 4})})), message);
  EXPECT_EQ(tensor_error(push_tensor({.strides = push_ints({4, 1})})), message);
  EXPECT_EQ(tensor_error(push_tensor({.offset = push_int(1)})), message);
  EXPECT_EQ(tensor_error(push_tensor({.offset = push_int(kMost), .shape = ")", .strides = ")"})), message);
}

TEST(TorchPickle, ReadsAnEmptyTensorBehindItsStorage) {  // torch.empty(2, 0, 2)[1:]
  EXPECT_EQ(tensor_of(push_tensor({.offset = push_int(7), .shape = push_ints({0, 3})})).numel(), 0);
}

TEST(TorchPickle, RefusesAScalarOnAnEmptyStorage) {
  const TensorParts parts{.storage = push_storage("FloatStorage", "0", 0), .shape = ")", .strides = ")"};
  EXPECT_EQ(tensor_error(push_tensor(parts), 0), "a tensor reaches past its storage of 0 bytes");
}

TEST(TorchPickle, RefusesNegativeNumbers) {
  const std::string range = " is not an integer from 0 to 2^63 - 1";
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_ints({-2, 3})})), "a tensor's shape" + range);
  EXPECT_EQ(tensor_error(push_tensor({.strides = push_ints({3, -1})})), "a tensor's strides" + range);
  EXPECT_EQ(tensor_error(push_tensor({.offset = push_int(-1)})), "a tensor's offset" + range);
  EXPECT_EQ(tensor_error(push_tensor({.offset = push_int(kLeast)})), "a tensor's offset" + range);
  EXPECT_EQ(tensor_error(push_tensor({.storage = push_storage("FloatStorage", "0", -6)})), "a storage's size" + range);
}

TEST(TorchPickle, RefusesNumbersOfAnotherKind) {
  const std::string range = " is not an integer from 0 to 2^63 - 1";
  EXPECT_EQ(tensor_error(push_tensor({.offset = kPushNone})), "a tensor's offset" + range);
  EXPECT_EQ(tensor_error(push_tensor({.offset = kPushTrue})), "a tensor's offset" + range);
  EXPECT_EQ(tensor_error(push_tensor({.offset = "\x8a\x09" + std::string(8, '\xFF') + "\x01"})),
            "a tensor's offset" + range);
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_tuple({push_text("2"), push_int(3)})})),
            "a tensor's shape" + range);
}

TEST(TorchPickle, RefusesShapesThatOverflow) {
  const std::string message = "a tensor's shape and strides overflow";
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_ints({kMost, kMost}), .strides = push_ints({0, 0})})), message);
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_ints({kMost, 2}), .strides = push_ints({0, 0})})), message);
  EXPECT_EQ(
      tensor_error(push_tensor({.shape = push_ints({std::int64_t{1} << 62, 0, 4}), .strides = push_ints({0, 0, 0})})),
      message);
}

TEST(TorchPickle, RefusesStridesThatOverflow) {
  const std::string message = "a tensor's shape and strides overflow";
  EXPECT_EQ(tensor_error(push_tensor({.strides = push_ints({kMost, kMost})})), message);
  EXPECT_EQ(tensor_error(push_tensor({.offset = push_int(kMost), .shape = push_ints({2}), .strides = push_ints({1})})),
            message);
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_ints({3}), .strides = push_ints({kMost / 2})})), message);
}

TEST(TorchPickle, RefusesShapeAndStridesOfDifferentLength) {
  EXPECT_EQ(tensor_error(push_tensor({.strides = push_ints({1})})), "a tensor has 2 sizes and 1 strides");
  EXPECT_EQ(tensor_error(push_tensor({.shape = ")"})), "a tensor has 0 sizes and 2 strides");
}

TEST(TorchPickle, RefusesARankOfAHundredThousand) {
  const std::vector<std::int64_t> ones(100'000, 1);
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_ints(ones), .strides = push_ints(ones)})),
            "a tensor has 100000 dimensions");
}

TEST(TorchPickle, RefusesAShapeThatIsNoTuple) {
  EXPECT_EQ(tensor_error(push_tensor({.shape = push_int(6)})), "a tensor's shape is not a tuple");
  EXPECT_EQ(tensor_error(push_tensor({.strides = kPushNone})), "a tensor's strides is not a tuple");
}

TEST(TorchPickle, RefusesAStorageThatIsNoPersistentId) {
  EXPECT_EQ(tensor_error(push_tensor({.storage = push_text("0")})), "a tensor's storage is not a persistent id");
  EXPECT_EQ(tensor_error(push_tensor({.storage = push_tensor()})), "a tensor's storage is not a persistent id");
}

TEST(TorchPickle, RefusesRequiresGradThatIsNoBool) {
  EXPECT_EQ(tensor_error(push_tensor({.requires_grad = push_int(1)})), "requires_grad is not a bool");
}

TEST(TorchPickle, RefusesWrongCountsOfArguments) {
  const std::string function = push_global("torch._utils", "_rebuild_tensor_v2");
  EXPECT_EQ(tensor_error(push_call(function, {})), "torch._utils._rebuild_tensor_v2 has 0 arguments");
  EXPECT_EQ(tensor_error(push_call(function, std::vector<std::string>(8, kPushNone))),
            "torch._utils._rebuild_tensor_v2 has 8 arguments");
  EXPECT_EQ(tensor_error(push_call(push_global("torch._utils", "_rebuild_parameter"), {kPushNone})),
            "torch._utils._rebuild_parameter has 1 arguments");
}

TEST(TorchPickle, RefusesAParameterOfNoTensor) {
  EXPECT_EQ(tensor_error(push_call(push_global("torch._utils", "_rebuild_parameter"),
                                   {kPushNone, kPushTrue, push_ordered_dict({})})),
            "a Parameter is not made of a tensor");
}

TEST(TorchPickle, RefusesTheConjBitOfRealNumbers) {
  EXPECT_EQ(tensor_error(push_call(push_global("torch._utils", "_rebuild_tensor_v2"),
                                   {TensorParts().storage, push_int(0), push_ints({6}), push_ints({1}), kPushFalse,
                                    push_ordered_dict({}), push_dict({push_text("conj"), kPushTrue})})),
            "a tensor that is not complex has the conj bit");
}

TEST(TorchPickle, RefusesOneStorageClaimedWithTwoTypes) {
  const TensorParts ints{.storage = push_storage("IntStorage", "0", 6)};
  EXPECT_EQ(tensor_error(push_tensor() + push_text("v") + push_tensor(ints)),
            "storage \"0\" is claimed with two types or sizes");
}

TEST(TorchPickle, RefusesOneStorageClaimedWithTwoSizes) {
  const TensorParts longer{.storage = push_storage("FloatStorage", "0", 7)};
  EXPECT_EQ(tensor_error(push_tensor() + push_text("v") + push_tensor(longer)),
            "storage \"0\" is claimed with two types or sizes");
}

TEST(TorchPickle, RefusesAStorageWhoseSizeOverflows) {
  EXPECT_EQ(tensor_error(push_tensor({.storage = push_storage("FloatStorage", "0", kMost)})),
            "a storage's size overflows");
}

TEST(TorchPickle, RefusesAStorageTypeThatIsNone) {
  const std::string storage = push_tuple({push_text("storage"), push_global("torch", "float32"), push_text("0"),
                                          push_text("cpu"), push_int(6)}) +
                              "Q";
  EXPECT_EQ(tensor_error(push_tensor({.storage = storage})), "torch.float32 is not a storage type that is read");
}

TEST(TorchPickle, RefusesATensorWithoutDtype) {
  const std::string storage = push_tuple({push_text("storage"), push_global("torch.storage", "UntypedStorage"),
                                          push_text("0"), push_text("cpu"), push_int(24)}) +
                              "Q";
  EXPECT_EQ(tensor_error(push_tensor({.storage = storage})), "a tensor without a dtype lies in an UntypedStorage");
}

TEST(TorchPickle, RefusesADtypeThatIsNone) {
  EXPECT_EQ(tensor_error(push_tensor_v3("FloatStorage", 6, {6}), 6), "a tensor's dtype is unknown");
}

TEST(TorchPickle, RefusesPersistentIdsOfOtherThings) {
  EXPECT_EQ(tensor_error(push_int(1) + "Q"), "a persistent id is not a tuple");
  EXPECT_EQ(tensor_error(push_tuple({push_text("module")}) + "Q"), "a persistent id is not a storage's");
  EXPECT_EQ(tensor_error(push_tuple({push_int(1), push_int(1), push_int(1), push_int(1), push_int(1)}) + "Q"),
            "a persistent id is not a storage's");
  EXPECT_EQ(tensor_error("Pstorage 0\n"), "a persistent id is not one of torch.save: \"storage 0\"");
}

TEST(TorchPickle, RefusesAStorageViewThatReachesPastItsStorage) {
  const auto view = [](std::int64_t offset, std::int64_t size) {
    return push_tuple({push_text("storage"), push_global("torch", "FloatStorage"), push_text("0"), push_text("cpu"),
                       push_int(6), push_tuple({push_text("v"), push_int(offset), push_int(size)})}) +
           "Q";
  };
  EXPECT_EQ(tensor_error(push_tensor({.storage = view(0, 6)})), "");
  EXPECT_EQ(tensor_error(push_tensor({.storage = view(1, 6)})), "a storage view reaches past its storage");
  EXPECT_EQ(tensor_error(push_tensor({.storage = view(kMost, kMost)})), "a storage view reaches past its storage");
}

TEST(TorchPickle, RefusesToSetItemsOfATensor) {
  EXPECT_EQ(tensor_error(push_tensor() + push_int(0) + kPushNone + "s"), "items can be set in a dict only");
}

TEST(TorchPickle, RefusesToGiveATensorState) {
  EXPECT_EQ(tensor_error(push_tensor() + "}b"),
            "state can be given to an object, or as a dict to an OrderedDict, only");
}

TEST(CheckTensor, AcceptsALastElementThatJustFits) {
  TensorRecord tensor;
  tensor.dtype = dtype_of_name("float32").value();
  tensor.shape = {2, 2};
  tensor.strides = {3, 2};
  tensor.offset = 1;
  EXPECT_EQ(test::error_of<FormatError>([&] { check_tensor(tensor, 28); }), "");
  EXPECT_NE(test::error_of<FormatError>([&] { check_tensor(tensor, 27); }), "");
}

}  // namespace
}  // namespace iris
