#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <optional>

#include "cli/start/plugin.h"
#include "error.h"
#include "support/errors.h"
#include "support/temp_file.h"

namespace iris {
namespace {

namespace fs = std::filesystem;

// An environment variable with another value, or none, until the end of a test.
class Variable {
 public:
  Variable(const char* name, const std::optional<std::string>& value) : name_(name) {
    if (const char* before = std::getenv(name)) {
      before_ = before;
    }
    set(value);
  }
  ~Variable() { set(before_); }
  Variable(const Variable&) = delete;
  Variable& operator=(const Variable&) = delete;

  void set(const std::optional<std::string>& value) const {
    if (value) {
      ::setenv(name_, value->c_str(), 1);
    } else {
      ::unsetenv(name_);
    }
  }

 private:
  const char* name_;
  std::optional<std::string> before_;
};

// A scratch folder with a program in an environment of its own, and nothing on PATH.
class FindLibTorch : public ::testing::Test {
 protected:
  FindLibTorch() { fs::create_directories(folder_ / "bin"); }

  // An empty file that looks like LibTorch.
  std::string make(const std::string& path) const {
    fs::create_directories(fs::path(folder_ / path).parent_path());
    test::write_file(folder_ / path, "");
    return folder_ / path;
  }

  // python3 on PATH that answers with the text.
  void make_python(const std::string& answer) const {
    test::write_file(folder_ / "bin/python3", "#!/bin/sh\necho '" + answer + "'\n");
    fs::permissions(folder_ / "bin/python3", fs::perms::owner_all);
  }

  std::string found() const { return find_libtorch(folder_ / "app/bin/iris", "the reason").string(); }
  std::string error() const {
    return test::error_of<InputError>([&] { found(); });
  }

  test::TempFolder folder_;
  Variable chosen_{"IRIS_TORCH_DIR", std::nullopt};
  Variable active_{"VIRTUAL_ENV", std::nullopt};
  Variable path_{"PATH", folder_ / "bin"};
};

TEST_F(FindLibTorch, TakesAnUnpackedLibTorchThatIsNamed) {
  const std::string library = make("libtorch/lib/libtorch.so");
  chosen_.set(folder_ / "libtorch");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, TakesTheFolderAroundAnUnpackedLibTorch) {
  const std::string library = make("unpacked/libtorch/lib/libtorch.so");
  chosen_.set(folder_ / "unpacked");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, TakesSitePackagesThatAreNamed) {
  const std::string library = make("site-packages/torch/lib/libtorch.so");
  chosen_.set(folder_ / "site-packages");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, TakesAPythonEnvironmentThatIsNamed) {
  const std::string library = make("venv/lib/python3.11/site-packages/torch/lib/libtorch.so");
  chosen_.set(folder_ / "venv");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, TakesTheNamedOneBeforeAllOthers) {
  const std::string library = make("libtorch/lib/libtorch.so");
  make("app/lib/python3.11/site-packages/torch/lib/libtorch.so");
  chosen_.set(folder_ / "libtorch");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, RefusesANamedFolderWithoutOne) {
  make("app/lib/python3.11/site-packages/torch/lib/libtorch.so");
  chosen_.set(folder_ / "nothing");
  EXPECT_EQ(error(), "IRIS_TORCH_DIR: " + (folder_ / "nothing") +
                         " holds no LibTorch: there is no lib/libtorch.so in it; " + how_to_get_libtorch());
}

TEST_F(FindLibTorch, TakesThatOfTheEnvironmentAroundTheProgram) {
  const std::string library = make("app/lib64/python3.12/site-packages/torch/lib/libtorch.so");
  make("venv/lib/python3.11/site-packages/torch/lib/libtorch.so");
  active_.set(folder_ / "venv");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, TakesThatOfTheActiveEnvironment) {
  const std::string library = make("venv/lib/python3.11/site-packages/torch/lib/libtorch.so");
  active_.set(folder_ / "venv");
  make_python(folder_ / "other/torch");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, TakesTheOneThatPythonWouldImport) {
  const std::string library = make("other/torch/lib/libtorch.so");
  make_python(folder_ / "other/torch");
  EXPECT_EQ(found(), library);
}

TEST_F(FindLibTorch, SaysWhereItLooked) {
  EXPECT_EQ(error(),
            "LibTorch was not found. Looked for it:\n  where iris was built: the reason\n  in IRIS_TORCH_DIR: "
            "not set\n  in the Python environment " +
                (folder_ / "app") + ": none\n  in VIRTUAL_ENV: not set\n  by python3 on PATH: no torch\n" +
                how_to_get_libtorch());
}

TEST_F(FindLibTorch, SaysWhatHadNone) {
  active_.set(folder_ / "venv");
  make_python(folder_ / "other/torch");
  EXPECT_NE(error().find("\n  in VIRTUAL_ENV: " + (folder_ / "venv") +
                         ": none\n  by python3 on PATH: " + (folder_ / "other/torch") + ": none\n"),
            std::string::npos);
}

TEST(LibTorchVersion, IsRefusedWhereTheLibraryDoesNotTellIt) {
  const std::string error = test::error_of<InputError>([] { check_libtorch_version(::dlopen(nullptr, RTLD_LAZY)); });
  if (error.empty()) {
    GTEST_SKIP() << "the LibTorch that iris was built with does not tell its version";
  }
  EXPECT_TRUE(error.starts_with("the LibTorch found is older than the "));
  EXPECT_TRUE(error.ends_with(" that iris was built with; " + how_to_get_libtorch()));
}

}  // namespace
}  // namespace iris
