// LibTorch for an iris that was moved or packaged: the folder that the build noted in the libraries' rpath is not
// there.
#pragma once

#include <filesystem>
#include <string>

namespace iris {

// The first libtorch.so of: IRIS_TORCH_DIR (an unpacked libtorch, a site-packages/torch or a Python environment), the
// Python environment that `program` lies in, VIRTUAL_ENV, what python3 on PATH would import (it is asked, torch is not
// imported). rpath_failure: why the libraries' own rpath would not do, for the message. Throws InputError where all
// lack it.
std::filesystem::path find_libtorch(const std::filesystem::path& program, const std::string& rpath_failure);

// library: as dlopen returned it, LibTorch or what is linked to it. Throws InputError when that LibTorch is not of the
// version that iris was built with: its C++ interface has no promise of staying the same.
void check_libtorch_version(void* library);

// The way out, for the end of a message.
std::string how_to_get_libtorch();

}  // namespace iris
