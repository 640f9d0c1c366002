// Where LibTorch is, for an iris that was moved or packaged: the rpath names a folder of the machine that built it.
#pragma once

#include <filesystem>
#include <string>

namespace iris {

// The first libtorch.so in: IRIS_TORCH_DIR (an unpacked libtorch, a site-packages/torch or a Python environment; where
// it is set, nothing else is looked at), the Python environment that `program` lies in, VIRTUAL_ENV, the torch that
// python3 on PATH would import (python3 is run; torch is not imported). rpath_failure: why the rpath does not work, for
// the message. Throws InputError where none of them has it.
std::filesystem::path find_libtorch(const std::filesystem::path& program, const std::string& rpath_failure);

// library: a handle from dlopen, of LibTorch or of a library linked to it. Throws InputError when that LibTorch does
// not have the version that iris was built with: LibTorch's C++ interface may change from one version to the next.
void check_libtorch_version(void* library);

// What to do, for the end of a message.
std::string how_to_get_libtorch();

}  // namespace iris
