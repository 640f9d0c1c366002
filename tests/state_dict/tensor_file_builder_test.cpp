#include "state_dict/tensor_file_builder.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include "error.h"
#include "state_dict/tensors.h"
#include "support/errors.h"

namespace iris {
namespace {

using Entries = TensorFileBuilder::Entries;

TEST(TensorFileBuilder, GivesATensorFileOfItsValues) {
  TensorFileBuilder builder;
  const pickle::Value weights = builder.add_dict(Entries{{"w", builder.add_tensor("w", torch::ones({2, 3}))}});
  const TensorFile file =
      builder.build(builder.add_dict(Entries{{"weights", weights}, {"n", pickle::Value::of_int(7)}}));
  EXPECT_EQ(file.document.find(file.root, "n")->integer, 7);
  EXPECT_TRUE(torch::equal(tensors_of(file, "weights")["w"], torch::ones({2, 3})));
}

TEST(TensorFileBuilder, KeepsWhatTensorsShare) {
  TensorFileBuilder builder;
  const at::Tensor whole = torch::arange(10, torch::kFloat);
  builder.add_tensor("whole", whole);
  builder.add_tensor("tail", whole.slice(0, 3));
  const TensorFile file = builder.build(pickle::Value());
  ASSERT_EQ(file.storages.size(), 1U);
  EXPECT_EQ(file.tensors[1].offset, 3);
}

TEST(TensorFileBuilder, GivesAStorageThatIsSeenAsTwoDtypesNone) {
  TensorFileBuilder builder;
  const at::Tensor floats = torch::zeros({4});
  builder.add_tensor("floats", floats);
  builder.add_tensor("integers", floats.view(torch::kInt));
  EXPECT_EQ(builder.build(pickle::Value()).storages[0].dtype, std::nullopt);
}

TEST(TensorFileBuilder, RefusesATensorWithoutMemory) {
  TensorFileBuilder builder;
  const std::string fact = " cannot be written: it is undefined, sparse, quantized or without data";
  for (const at::Tensor& tensor : {at::Tensor(), torch::eye(2).to_sparse(), torch::empty({1}, torch::kMeta)}) {
    EXPECT_EQ(test::error_of<InputError>([&] { builder.add_tensor("x", tensor); }), "tensor \"x\"" + fact);
  }
}

TEST(TensorsIn, NamesASingleTensorByNothing) {
  TensorFileBuilder builder;
  const TensorFile file = builder.build(builder.add_tensor("x", torch::ones({1})));
  const StateDict tensors = tensors_in(file, file.root);
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_EQ(tensors[0].key(), "");
}

}  // namespace
}  // namespace iris
