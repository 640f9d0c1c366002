#include "model/torch_errors.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/runtime/jit_exception.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <new>
#include <string_view>

namespace iris {
namespace {

constexpr std::string_view kOutOfMemory[] = {
    "CUDA out of memory",         // the caching allocator
    "CUDA error: out of memory",  // the driver, and pinned memory
    "CUBLAS_STATUS_ALLOC_FAILED",
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
};

// The errors after which, says the CUDA Runtime API's page on error handling, the process must be started again.
constexpr std::string_view kLost[] = {
    "uncorrectable ECC error encountered",
    "uncorrectable NVLink error detected",
    "an illegal memory access was encountered",
    "the launch timed out and was terminated",
    "device-side assert triggered",
    "hardware stack error",
    "an illegal instruction was encountered",
    "misaligned address",
    "operation not supported on global/shared address space",
    "invalid program counter",
    "unspecified launch failure",
    "unknown error",
};

template <std::size_t count>
bool has_one_of(std::string_view text, const std::string_view (&sentences)[count]) {
  return std::any_of(std::begin(sentences), std::end(sentences),
                     [&](std::string_view sentence) { return text.find(sentence) != std::string_view::npos; });
}

// The first that is not empty.
std::string first_line(std::string_view text) {
  text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
  return std::string(text.substr(0, text.find('\n')));
}

std::string_view text_of(const std::exception& error) {
  const auto* torch_error = dynamic_cast<const c10::Error*>(&error);
  return torch_error != nullptr ? torch_error->what_without_backtrace() : error.what();
}

}  // namespace

bool is_out_of_memory(const std::exception& error) {
  return dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
         dynamic_cast<const std::bad_alloc*>(&error) != nullptr || has_one_of(text_of(error), kOutOfMemory);
}

bool is_device_lost(const std::exception& error) {
  const std::string_view text = text_of(error);
  return text.find("CUDA error: ") != std::string_view::npos && has_one_of(text, kLost);
}

bool is_about_shapes(const std::string& message) {
  const std::array words = {"shapes cannot be multiplied", "must match", "size mismatch", "normalized_shape",
                            "it is compiled for"};
  return std::any_of(words.begin(), words.end(),
                     [&](const char* its) { return message.find(its) != std::string::npos; });
}

bool is_raised_by_program(const std::exception& error) {
  return dynamic_cast<const torch::jit::JITException*>(&error) != nullptr;
}

std::string message_of(const std::exception& error) {
  const std::string_view text = text_of(error);
  constexpr std::string_view kInterpreter = "The following operation failed in the TorchScript interpreter.";
  constexpr std::string_view kOperator = "\nRuntimeError: ";
  if (text.find(kInterpreter) == std::string_view::npos) {
    return first_line(text);
  }
  // The interpreter puts its traceback before the sentence.
  if (const std::size_t sentence = text.rfind(kOperator); sentence != std::string_view::npos) {
    return first_line(text.substr(sentence + kOperator.size()));
  }
  // The module's own exception: the last line.
  const std::string_view whole = text.substr(0, text.find_last_not_of('\n') + 1);
  std::string_view last = whole.substr(whole.rfind('\n') + 1);
  for (const std::string_view prefix : {"builtins.", "RuntimeError: "}) {
    last.remove_prefix(last.starts_with(prefix) ? prefix.size() : 0);
  }
  return std::string(last);
}

}  // namespace iris
