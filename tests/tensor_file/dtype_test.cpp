#include "tensor_file/dtype.h"

#include <gtest/gtest.h>

namespace iris {
namespace {

TEST(DType, IsFoundByItsThreeNames) {
  const std::optional<DType> dtype = dtype_of_name("bfloat16");
  ASSERT_TRUE(dtype);
  EXPECT_EQ(dtype_of_storage_class("BFloat16Storage"), dtype);
  EXPECT_EQ(dtype_of_safetensors_name("BF16"), dtype);
  EXPECT_EQ(name_of(*dtype), "bfloat16");
  EXPECT_EQ(storage_class_of(*dtype), "BFloat16Storage");
  EXPECT_EQ(safetensors_name_of(*dtype), "BF16");
}

TEST(DType, IsNotFoundByOtherNames) {
  EXPECT_EQ(dtype_of_name("float33"), std::nullopt);
  EXPECT_EQ(dtype_of_name(""), std::nullopt);
  EXPECT_EQ(dtype_of_name("qint8"), std::nullopt);
  EXPECT_EQ(dtype_of_storage_class(""), std::nullopt);
  EXPECT_EQ(dtype_of_storage_class("QInt8Storage"), std::nullopt);
  EXPECT_EQ(dtype_of_safetensors_name(""), std::nullopt);
}

TEST(DType, KnowsItsSizes) {
  EXPECT_EQ(size_of(dtype_of_name("float32").value()), 4U);
  EXPECT_EQ(size_of(dtype_of_name("bool").value()), 1U);
  EXPECT_EQ(size_of(dtype_of_name("complex128").value()), 16U);
  EXPECT_EQ(word_size_of(dtype_of_name("complex128").value()), 8U);
  EXPECT_EQ(word_size_of(dtype_of_name("int64").value()), 8U);
}

TEST(DType, TellsComplexFromReal) {
  EXPECT_TRUE(is_complex(dtype_of_name("complex32").value()));
  EXPECT_FALSE(is_complex(dtype_of_name("float64").value()));
}

}  // namespace
}  // namespace iris
