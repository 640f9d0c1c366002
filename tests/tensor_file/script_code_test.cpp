#include "tensor_file/script_code.h"

#include <gtest/gtest.h>

#include "error.h"
#include "io/bytes.h"
#include "support/errors.h"
#include "support/zip_bytes.h"

namespace iris {
namespace {

// What is asked of one archive with this code in code/__torch__/a.py.
class Code {
 public:
  explicit Code(const std::string& text)
      : bytes_(test::zip_of({{.name = "m/code/__torch__/a.py", .data = text}})),
        zip_(bytes_of(bytes_)),
        code_(zip_, "m") {}

  const ScriptClass* find(const std::string& name) { return code_.find(name); }

 private:
  std::string bytes_;
  ZipReader zip_;
  ScriptCode code_;
};

constexpr const char* kCode = R"(op_version_set = 1
class Other(NamedTuple):
  data : Tensor
class Net(Module):
  __parameters__ = ["weight", "with space", "a\"b\\\101", ]
  __buffers__ = ["mean", ]
  __annotations__ = []
  __annotations__["with space"] = Tensor
  weight : Tensor
  size : Final[int] = 3
  linear : __torch__.b.Linear
  def forward(self: __torch__.a.Net,
    x : Tensor) -> Tensor:
    y : Tensor = x
    return y
class Last(Module):
  __parameters__ = []
)";

std::string attributes_of(const ScriptClass& found) {
  std::string text;
  for (const auto& [name, type] : found.attributes) {
    text += name + ": " + type + "; ";
  }
  return text;
}

TEST(ScriptCode, HasWhatAModuleDeclares) {
  Code code(kCode);
  const ScriptClass* net = code.find("__torch__.a.Net");
  ASSERT_NE(net, nullptr);
  EXPECT_TRUE(net->is_module);
  EXPECT_TRUE(net->names_buffers);
  EXPECT_EQ(net->parameters, (std::set<std::string, std::less<>>{"weight", "with space", "a\"b\\A"}));
  EXPECT_EQ(net->buffers, (std::set<std::string, std::less<>>{"mean"}));
  EXPECT_EQ(attributes_of(*net),
            "with space: Tensor; weight: Tensor; size: Final[int] = 3; linear: __torch__.b.Linear; ");
}

TEST(ScriptCode, TellsModulesFromOtherClasses) {
  Code code(kCode);
  EXPECT_FALSE(code.find("__torch__.a.Other")->is_module);
  EXPECT_TRUE(code.find("__torch__.a.Last")->is_module);
  EXPECT_FALSE(code.find("__torch__.a.Last")->names_buffers);
}

TEST(ScriptCode, HasNoClassThatItDoesNotSpellOut) {
  Code code(kCode);
  EXPECT_EQ(code.find("__torch__.a.Nothing"), nullptr);
  EXPECT_EQ(code.find("__torch__.b.Net"), nullptr);
  EXPECT_EQ(code.find("Net"), nullptr);
  EXPECT_EQ(code.find(""), nullptr);
}

TEST(ScriptCode, IsReadHoweverItIsCut) {
  const std::string whole = kCode;
  for (std::size_t size = 0; size < whole.size(); ++size) {
    Code code(whole.substr(0, size));
    code.find("__torch__.a.Net");
  }
}

TEST(ScriptCode, RefusesMoreThanAMillionNames) {
  std::string text = "class Net(Module):\n";
  for (int i = 0; i < 1'000'001; ++i) {
    text += "  a : T\n";
  }
  Code code(text);
  EXPECT_EQ(test::error_of<FormatError>([&] { code.find("__torch__.a.Net"); }),
            "its code declares more than a million names");
}

}  // namespace
}  // namespace iris
