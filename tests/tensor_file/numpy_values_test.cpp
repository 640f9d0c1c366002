// NumPy's values as its own __reduce__ spells them, and damaged ones. Files that NumPy wrote are read in
// tests/python/files/test_numpy_files.py.
#include "tensor_file/numpy_values.h"

#include <gtest/gtest.h>

#include "support/read_file_bytes.h"
#include "support/read_pickle.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

using test::little_endian;
using test::push_call;
using test::push_global;
using test::push_int;
using test::push_ints;
using test::push_text;
using test::push_tuple;
using namespace std::string_literals;

std::string push_bytes(const std::string& bytes) { return "B" + little_endian(bytes.size(), 4) + bytes; }

std::string push_dtype(const std::string& name, const std::string& order = "<") {
  const std::string state =
      push_tuple({push_int(3), push_text(order), "N", "N", "N", push_int(-1), push_int(-1), "K\0"s});
  return push_call(push_global("numpy", "dtype"), {push_text(name), "\x89", "\x88"}) + state + "b";
}

std::string push_scalar(const std::string& dtype, const std::string& bytes, const std::string& order = "<") {
  return push_call(push_global("numpy.core.multiarray", "scalar"), {push_dtype(dtype, order), push_bytes(bytes)});
}

struct ArrayParts {
  std::string shape = push_ints({2, 3});
  std::string dtype = push_dtype("i2");
  std::string is_fortran = "\x89";
  std::string data = push_bytes("\1\0\2\0\3\0\4\0\5\0\6\0"s);
};

std::string push_array(const ArrayParts& parts = {}) {
  return push_call(push_global("numpy._core.multiarray", "_reconstruct"),
                   {push_global("numpy", "ndarray"), push_ints({0}), push_bytes("b")}) +
         push_tuple({push_int(1), parts.shape, parts.dtype, parts.is_fortran, parts.data}) + "b";
}

TensorFile file_of(const std::string& root) { return test::read_bytes(test::torch_zip(test::pickle_of(root), {})); }

std::string value_of(const std::string& root) {
  const TensorFile file = file_of(root);
  return test::describe(file.document, file.root);
}

std::string fact_of(const std::string& root) {
  const std::string message = test::error_of<FormatError>([&] { file_of(root); });
  return message.substr(message.find(": ", message.find("offset")) + 2);
}

TEST(NumpyScalars, AreNumbers) {
  EXPECT_EQ(value_of(push_scalar("f8", "\0\0\0\0\0\0\xF8\x3F"s)), "float 1.500000");
  EXPECT_EQ(value_of(push_scalar("f4", "\0\0\xC0\x3F"s)), "float 1.500000");
  EXPECT_EQ(value_of(push_scalar("f2", "\0\x3E"s)), "float 1.500000");
  EXPECT_EQ(value_of(push_scalar("f2", "\1\0"s)), "float 0.000000");
  EXPECT_EQ(value_of(push_scalar("i1", "\xFF")), "-1");
  EXPECT_EQ(value_of(push_scalar("u1", "\xFF")), "255");
  EXPECT_EQ(value_of(push_scalar("u8", std::string(8, '\xFF'))), "integer of 9 bytes");
  EXPECT_EQ(value_of(push_scalar("b1", "\1")), "True");
  EXPECT_EQ(value_of(push_scalar("c8", "\0\0\xC0\x3F\0\0\x80\xBF"s)),
            "call(builtins.complex, float 1.500000, float -1.000000)");
}

TEST(NumpyScalars, AreSwapped) {
  EXPECT_EQ(value_of(push_scalar("i4", "\0\0\1\2"s, ">")), "258");
  EXPECT_EQ(value_of(push_scalar("c8", "\x3F\xC0\0\0\xBF\x80\0\0"s, ">")),
            "call(builtins.complex, float 1.500000, float -1.000000)");
}

TEST(NumpyScalars, AreTextsAndBytes) {
  EXPECT_EQ(value_of(push_scalar("U2", "a\0\0\0\0\0\0\0"s)), "\"a\"");
  EXPECT_EQ(value_of(push_scalar("U2", "\0\0\0a\0\0\x20\xAC"s, ">")), "\"a€\"");
  EXPECT_EQ(value_of(push_scalar("U1", "\0\xD8\0\0"s)), "\"\xED\xA0\x80\"");
  EXPECT_EQ(value_of(push_scalar("S3", "a\0\0"s)), "b'a'");
}

TEST(NumpyScalars, OfOtherKindsStayInert) {
  EXPECT_TRUE(value_of(push_scalar("M8", std::string(8, '\0'))).starts_with("numpy.core.multiarray.scalar<"));
  EXPECT_TRUE(value_of(push_scalar("f16", std::string(16, '\0'))).starts_with("numpy.core.multiarray.scalar<"));
  EXPECT_TRUE(value_of(push_scalar("U1", "\0\0\x11\0"s)).starts_with("numpy.core.multiarray.scalar<"));
}

TEST(NumpyScalars, OfAnotherLengthAreRefused) {
  EXPECT_EQ(fact_of(push_scalar("f8", "1234567")), "a NumPy scalar of 8 bytes has 7");
  EXPECT_EQ(fact_of(push_scalar("U2", "1234")), "a NumPy scalar of 8 bytes has 4");
  EXPECT_EQ(value_of(push_scalar("U4611686018427387904", "")), "\"\"");
}

TEST(NumpyArrays, AreTensors) {
  const TensorFile file = file_of(push_array());
  const TensorRecord& tensor = *file.tensor(file.root);
  EXPECT_EQ(name_of(tensor.dtype), "int16");
  EXPECT_EQ(tensor.shape, (std::vector<std::int64_t>{2, 3}));
  EXPECT_EQ(tensor.strides, (std::vector<std::int64_t>{3, 1}));
  EXPECT_EQ(text_of(file.storages[tensor.storage].data), "\1\0\2\0\3\0\4\0\5\0\6\0"s);
}

TEST(NumpyArrays, KeepFortransOrder) {
  const TensorFile file = file_of(push_array({.is_fortran = "\x88"}));
  EXPECT_EQ(file.tensor(file.root)->strides, (std::vector<std::int64_t>{1, 2}));
}

TEST(NumpyArrays, AreSwapped) {
  const TensorFile file = file_of(push_array({.dtype = push_dtype("i2", ">")}));
  EXPECT_EQ(text_of(file.storages[0].data), "\0\1\0\2\0\3\0\4\0\5\0\6"s);
}

TEST(NumpyArrays, OfABufferAreTensors) {
  const TensorFile file =
      file_of(push_call(push_global("numpy.core.numeric", "_frombuffer"),
                        {push_bytes("\1\0\2\0"s), push_dtype("i2"), push_ints({2}), push_text("C")}));
  EXPECT_EQ(file.tensor(file.root)->shape, (std::vector<std::int64_t>{2}));
}

TEST(NumpyArrays, OfOneBytesObjectAreTensorsOfTheirOwn) {
  const std::string bytes = push_bytes("\1\0"s) + "q\7";
  const ArrayParts first = {.shape = push_ints({1}), .data = bytes};
  const ArrayParts second = {.shape = push_ints({1}), .data = "h\7"};
  const TensorFile file = file_of(test::push_list({push_array(first), push_array(second)}));
  ASSERT_EQ(file.tensors.size(), 2U);
  EXPECT_NE(file.tensors[0].storage, file.tensors[1].storage);
}

TEST(NumpyArrays, OfObjectsAndRecordsStayInert) {
  EXPECT_TRUE(
      value_of(push_array({.dtype = push_dtype("O8"), .data = "](NNe"})).starts_with("numpy._core.multiarray."));
  EXPECT_TRUE(value_of(push_array({.dtype = push_dtype("U1")})).starts_with("numpy._core.multiarray."));
  EXPECT_TRUE(value_of(push_array({.data = "N"})).starts_with("numpy._core.multiarray."));
}

TEST(NumpyArrays, OfAnotherLengthAreRefused) {
  EXPECT_EQ(fact_of(push_array({.data = push_bytes("12345678901")})), "a NumPy array of 6 elements has 11 bytes");
  EXPECT_EQ(fact_of(push_array({.shape = push_ints({2, 0})})), "a NumPy array of 0 elements has 12 bytes");
}

TEST(NumpyArrays, OfAnImpossibleShapeAreRefused) {
  EXPECT_EQ(fact_of(push_array({.shape = push_ints({-1, 6})})), "a NumPy array's shape is not what NumPy writes");
  EXPECT_EQ(fact_of(push_array({.shape = push_ints({std::int64_t{1} << 40, std::int64_t{1} << 40})})),
            "a NumPy array's shape overflows");
}

TEST(NumpyArrays, OfOneTextInEveryDtypeCopyNoMoreThanTheFileWarrants) {
  const std::string bytes = push_bytes(std::string(1 << 20, 'x')) + "q\7";
  std::vector<std::string> arrays = {
      push_array({.shape = push_ints({1 << 20}), .dtype = push_dtype("u1"), .data = bytes})};
  for (int i = 0; i < 1000; ++i) {
    arrays.push_back(push_array({.shape = push_ints({1 << 19}), .dtype = push_dtype("i2", ">"), .data = "h\7"}));
  }
  const TensorFile file = file_of(test::push_list(arrays));
  EXPECT_EQ(file.storages[1].data.data(), file.storages[1000].data.data());
}

TEST(NumpyNames, AreForeignWhereTheyStayInert) {
  EXPECT_TRUE(is_numpy_name("numpy._core.multiarray.scalar"));
  EXPECT_TRUE(is_numpy_name("numpy.core.numeric._frombuffer"));
  EXPECT_FALSE(is_numpy_name("numpy.random._pickle.__generator_ctor"));
}

}  // namespace
}  // namespace iris
