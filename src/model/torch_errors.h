// What an exception of LibTorch means. TorchScript's interpreter turns all of them into std::runtime_error, so the text
// decides: CUDA's own names for its errors, which its documentation fixes.
#pragma once

#include <exception>
#include <string>

namespace iris {

// There was not enough memory, on the device or on the host: fewer rows at once may do.
bool is_out_of_memory(const std::exception& error);

// CUDA gives this error to every later call of the process too: a kernel's assertion, an illegal address, a failed
// launch, memory that ECC cannot correct.
bool is_device_lost(const std::exception& error);

// A TorchScript program's own exception: raise, or assert.
bool is_raised_by_program(const std::exception& error);

// Whether LibTorch, or a package of one width, says in it that two shapes do not fit.
bool is_about_shapes(const std::string& message);

// The sentence of the error: without backtrace, places in C++ and TorchScript's source.
std::string message_of(const std::exception& error);

}  // namespace iris
