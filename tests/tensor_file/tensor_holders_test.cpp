#include "tensor_file/tensor_holders.h"

#include <gtest/gtest.h>

#include "support/read_file_bytes.h"
#include "support/zip_bytes.h"
#include "tensor_file/selection.h"

namespace iris {
namespace {

using test::push_dict;
using test::push_global;
using test::push_int;
using test::push_list;
using test::push_tensor;
using test::push_text;

TensorFile file_of(const std::string& root) {
  return test::read_bytes(test::torch_zip(test::pickle_of(root), {{"0", std::string(24, 'd')}}));
}

// Of the root's value "v".
bool holds(const std::string& value, TensorHolders::Way way) {
  const TensorFile file = file_of(push_dict({push_text("w"), push_tensor(), push_text("v"), value}));
  return TensorHolders(file, way).holds(*file.document.find(file.root, "v"));
}

const std::string kObject =
    push_global("argparse", "Namespace") + ")\x81" + push_dict({push_text("x"), push_tensor()}) + "b";

TEST(TensorHolders, AreWhatLeadsToATensorByListsTuplesAndDicts) {
  const auto is_plain = [](const std::string& value) { return holds(value, TensorHolders::Way::kPlain); };
  EXPECT_TRUE(is_plain(push_tensor()));
  EXPECT_TRUE(is_plain(push_list({push_int(1), test::push_tuple({push_dict({push_text("a"), push_tensor()})})})));
  EXPECT_FALSE(is_plain(push_int(1)));
  EXPECT_FALSE(is_plain(push_list({push_dict({push_text("a"), push_int(1)})})));
  EXPECT_FALSE(is_plain(push_dict({push_tensor(), push_int(1)})));
  EXPECT_FALSE(is_plain(push_list({kObject})));
}

TEST(TensorHolders, AreObjectsTooWhereTheirPartsCount) {
  EXPECT_TRUE(holds(push_list({kObject}), TensorHolders::Way::kThroughObjects));
  EXPECT_FALSE(holds(push_list({push_int(1)}), TensorHolders::Way::kThroughObjects));
}

TEST(NamedTensors, EnterOnlyWhatHoldsTensors) {
  // Two million paths lead through these dicts, and to no tensor.
  std::string shared = push_dict({push_text("a"), push_int(1)});
  for (int level = 0; level < 19; ++level) {
    shared = "}(" + push_text("a") + shared + "q" + static_cast<char>(level) + push_text("b") + "h" +
             static_cast<char>(level) + "u";
  }
  const TensorFile file = file_of(push_dict({push_text("w"), push_tensor(), push_text("shared"), shared}));
  const auto tensors = named_tensors(file, file.root);
  ASSERT_EQ(tensors.size(), 1U);
  EXPECT_EQ(tensors[0].name, "w");
}

}  // namespace
}  // namespace iris
