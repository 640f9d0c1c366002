// Shared libraries beside the program: where they are, and loading them.
#pragma once

#include <filesystem>
#include <string>

namespace iris {

// The path of a library by its file name: in the program's folder, or where cmake --install puts it. Throws InputError
// where it is in neither.
std::string path_of_library(const std::string& library, const std::filesystem::path& program);

// Loads the library at that path with the LibTorch of its rpath, else with the one that find_libtorch finds. Its
// symbols are visible to libraries that are loaded later. Throws InputError where it is damaged or is not for this
// LibTorch.
void* open_library(const std::string& path, const std::filesystem::path& program);

// The function of that C name. Throws InputError where the library does not have it.
void* function_of(void* library, const char* name);

}  // namespace iris
