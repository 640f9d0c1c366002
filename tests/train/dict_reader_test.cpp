#include "train/dict_reader.h"

#include <gtest/gtest.h>

#include "error.h"
#include "state_dict/tensor_file_builder.h"
#include "support/errors.h"

namespace iris {
namespace {

class DictReaderTest : public ::testing::Test {
 protected:
  // A file whose root is {"value": value}.
  TensorFile file_of(pickle::Value value) {
    return builder_.build(builder_.add_dict(TensorFileBuilder::Entries{{"value", value}}));
  }

  template <typename T>
  std::string error_of_reading(pickle::Value value, const char* key = "value") {
    const TensorFile file = file_of(value);
    const DictReader reader(file, file.root, "config");
    T to{};
    return test::error_of<FormatError>([&] { reader.read(key, to); });
  }

  template <typename T>
  T read(pickle::Value value) {
    const TensorFile file = file_of(value);
    T to{};
    DictReader(file, file.root, "config").read("value", to);
    return to;
  }

  TensorFileBuilder builder_;
};

using pickle::Value;

TEST_F(DictReaderTest, ReadsValuesByTheirType) {
  EXPECT_EQ(read<std::int64_t>(Value::of_int(7)), 7);
  EXPECT_EQ(read<double>(Value::of_float(0.5)), 0.5);
}

TEST_F(DictReaderTest, AnIntegerIsANumberToo) { EXPECT_EQ(read<double>(Value::of_int(2)), 2.0); }

TEST_F(DictReaderTest, ReadsAnOptimizerByItsName) {
  EXPECT_EQ(read<Optimizer>(builder_.add_text("sgd")), Optimizer::kSgd);
}

TEST_F(DictReaderTest, NoneIsAbsent) { EXPECT_FALSE(read<std::optional<double>>(Value())); }

TEST_F(DictReaderTest, NamesWhatIsMissing) {
  EXPECT_EQ(error_of_reading<double>(Value(), "lr"), "config.lr is missing");
}

TEST_F(DictReaderTest, RefusesAnIntegerBelowZero) {
  EXPECT_EQ(error_of_reading<std::int64_t>(Value::of_int(-1)), "config.value is not an integer from 0");
}

TEST_F(DictReaderTest, RefusesAFloatForAnInteger) {
  EXPECT_EQ(error_of_reading<std::int64_t>(Value::of_float(1)), "config.value is not an integer from 0");
}

TEST_F(DictReaderTest, RefusesNoneForANumber) {
  EXPECT_EQ(error_of_reading<double>(Value()), "config.value is not a number");
}

TEST_F(DictReaderTest, RefusesANumberForAText) {
  EXPECT_EQ(error_of_reading<std::string>(Value::of_int(1)), "config.value is not a text");
}

TEST_F(DictReaderTest, RefusesAnOptimizerThatItDoesNotKnow) {
  EXPECT_EQ(error_of_reading<Optimizer>(builder_.add_text("lbfgs")), "config.value is not one of adam, adamw, sgd");
}

TEST_F(DictReaderTest, RefusesWhatIsNotADictionary) {
  const TensorFile file = file_of(Value::of_int(1));
  EXPECT_EQ(test::error_of<FormatError>([&] { DictReader(file, Value::of_int(1), "config"); }),
            "config is not a dictionary");
  EXPECT_EQ(test::error_of<FormatError>([&] { DictReader(file, Value(), ""); }), "is not a dictionary");
}

}  // namespace
}  // namespace iris
