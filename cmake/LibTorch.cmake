# LibTorch::LibTorch: one imported target from any LibTorch, with or without CUDA.
#
# It is looked for in this order:
#   IRIS_TORCH_DIR (cache variable; its first value is the environment's)
#   the target `torch`, if the including project has called find_package(Torch)
#   CMAKE_PREFIX_PATH (cache variable and environment)
#   the .venv of this source tree
#   the packages of the python3 on PATH
# Each folder may be an unpacked libtorch, a site-packages/torch, or the root of a Python environment.
#
# Also sets LibTorch_VERSION, LibTorch_CXX11_ABI, and LibTorch_CUDA. The last is only for a status line: nothing may depend on
# the kind of build. Include this before making targets, because all of them need LibTorch's C++ ABI.
#
# find_package(Torch) is not called: with a CUDA build it needs a CUDA toolkit, which only compiling kernels needs.
include_guard()
set(LibTorch_MINIMUM_VERSION 2.4)  # fused optimizers on the CPU
set(IRIS_TORCH_DIR "$ENV{IRIS_TORCH_DIR}" CACHE PATH "LibTorch to use: a libtorch folder, a site-packages/torch or a Python environment")

# Finds the first folder at or below `dir` that holds a whole LibTorch. Each incomplete one adds a line to LibTorch_REPORT.
function(_libtorch_find dir out)
  set(${out} "" PARENT_SCOPE)
  file(GLOB roots LIST_DIRECTORIES true
       "${dir}" "${dir}/libtorch" "${dir}/torch" "${dir}/lib*/python3*/site-packages/torch" "${dir}/lib/python3/dist-packages/torch")
  foreach(root IN LISTS roots)
    set(missing "")
    foreach(part include/torch/csrc/api/include/torch/torch.h include/ATen/ATen.h lib/libtorch.so lib/libtorch_cpu.so lib/libc10.so)
      if(NOT EXISTS "${root}/${part}")
        list(APPEND missing "${part}")
      endif()
    endforeach()
    if(NOT missing)
      set(${out} "${root}" PARENT_SCOPE)
      return()
    endif()
    list(LENGTH missing count)
    if(count LESS 5)
      list(JOIN missing ", " missing)
      string(APPEND LibTorch_REPORT "  ${root}: incomplete, without ${missing}\n")
      set(incomplete TRUE)
    endif()
  endforeach()
  if(NOT incomplete)
    string(APPEND LibTorch_REPORT "  ${dir}: holds no LibTorch\n")
  endif()
  set(LibTorch_REPORT "${LibTorch_REPORT}" PARENT_SCOPE)
endfunction()

function(_libtorch_fail fact)
  message(FATAL_ERROR "${fact}\n${LibTorch_REPORT}Run script/setup, which puts the pinned LibTorch into .venv, or name another one: "
                      "-DIRIS_TORCH_DIR=DIR (an unpacked libtorch, a site-packages/torch or a Python environment).")
endfunction()

# A wheel is built with the torch that it will require. Other packages of the build environment may have another.
if(SKBUILD AND NOT IRIS_TORCH_DIR)
  execute_process(COMMAND "${Python_EXECUTABLE}" -c
                  "import importlib.util; print(importlib.util.find_spec('torch').submodule_search_locations[0])"
                  OUTPUT_VARIABLE IRIS_TORCH_DIR OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
endif()

set(LibTorch_REPORT "")
set(LibTorch_ROOT "")
if(IRIS_TORCH_DIR)
  _libtorch_find("${IRIS_TORCH_DIR}" LibTorch_ROOT)
  if(NOT LibTorch_ROOT)
    _libtorch_fail("IRIS_TORCH_DIR names no usable LibTorch:")
  endif()
elseif(TARGET torch)
  add_library(LibTorch::LibTorch INTERFACE IMPORTED)
  target_link_libraries(LibTorch::LibTorch INTERFACE torch)
  target_compile_features(LibTorch::LibTorch INTERFACE cxx_std_20)
  set(LibTorch_VERSION "${Torch_VERSION}")
  return()
else()
  set(prefixes ${CMAKE_PREFIX_PATH} $ENV{CMAKE_PREFIX_PATH})
  string(REPLACE ":" ";" prefixes "${prefixes}")
  foreach(dir IN LISTS prefixes ITEMS "${CMAKE_CURRENT_LIST_DIR}/../.venv")
    if(NOT LibTorch_ROOT)
      get_filename_component(dir "${dir}" ABSOLUTE)
      _libtorch_find("${dir}" LibTorch_ROOT)
    endif()
  endforeach()
  if(NOT LibTorch_ROOT)
    execute_process(COMMAND python3 -c "import sysconfig; print(sysconfig.get_path('platlib'))"
                    OUTPUT_VARIABLE dir OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET RESULT_VARIABLE failed)
    if(NOT failed)
      _libtorch_find("${dir}" LibTorch_ROOT)
    endif()
  endif()
  if(NOT LibTorch_ROOT)
    _libtorch_fail("LibTorch was not found. Looked in:")
  endif()
endif()

set(LibTorch_VERSION "")
foreach(header include/torch/headeronly/version.h include/torch/csrc/api/include/torch/version.h)
  if(NOT LibTorch_VERSION AND EXISTS "${LibTorch_ROOT}/${header}")
    file(STRINGS "${LibTorch_ROOT}/${header}" lines REGEX "define TORCH_VERSION_(MAJOR|MINOR|PATCH) +[0-9]+")
    string(REGEX MATCHALL "[0-9]+" numbers "${lines}")
    list(JOIN numbers "." LibTorch_VERSION)
  endif()
endforeach()
if(LibTorch_VERSION VERSION_LESS LibTorch_MINIMUM_VERSION)
  set(LibTorch_REPORT "")
  _libtorch_fail("The LibTorch ${LibTorch_VERSION} in ${LibTorch_ROOT} is too old: ${LibTorch_MINIMUM_VERSION} or newer is needed.")
endif()

# Whether the program can ask the LibTorch that it loads for its version.
set(LibTorch_TELLS_VERSION OFF)
set(shim "${LibTorch_ROOT}/include/torch/csrc/inductor/aoti_torch/c/shim.h")
if(EXISTS "${shim}")
  file(STRINGS "${shim}" abi_version REGEX "aoti_torch_abi_version" LIMIT_COUNT 1)
  if(abi_version)
    set(LibTorch_TELLS_VERSION ON)
  endif()
endif()

# std::string has two layouts in libstdc++. Wheels of PyTorch before 2.7 have the old one.
file(STRINGS "${LibTorch_ROOT}/lib/libc10.so" cxx11_symbol REGEX "torchCheckFail.*NSt7__cxx11" LIMIT_COUNT 1)
set(LibTorch_CXX11_ABI 1)
if(NOT cxx11_symbol)
  set(LibTorch_CXX11_ABI 0)
  # All targets need it: they are linked into the same programs.
  add_compile_definitions(_GLIBCXX_USE_CXX11_ABI=0)
endif()

# No code names a symbol of libtorch.so, so a linker that drops unused libraries (Ubuntu's does) must be told to keep it. In a
# CUDA build it loads the CUDA libraries, which then register their kernels. They are not named here, so that a program that was
# built with either build runs with the other.
set(LibTorch_CUDA OFF)
if(EXISTS "${LibTorch_ROOT}/lib/libtorch_cuda.so")
  set(LibTorch_CUDA ON)
endif()

add_library(LibTorch::LibTorch INTERFACE IMPORTED)
target_include_directories(LibTorch::LibTorch SYSTEM INTERFACE
  "${LibTorch_ROOT}/include" "${LibTorch_ROOT}/include/torch/csrc/api/include")
target_compile_definitions(LibTorch::LibTorch INTERFACE _GLIBCXX_USE_CXX11_ABI=${LibTorch_CXX11_ABI})
target_compile_features(LibTorch::LibTorch INTERFACE cxx_std_20)
# Full paths, so that CMake puts their folder into the build tree's rpath.
target_link_libraries(LibTorch::LibTorch INTERFACE
  "-Wl,--push-state,--no-as-needed,\"${LibTorch_ROOT}/lib/libtorch.so\",--pop-state"
  "${LibTorch_ROOT}/lib/libtorch_cpu.so" "${LibTorch_ROOT}/lib/libc10.so")

message(STATUS "LibTorch ${LibTorch_VERSION}: ${LibTorch_ROOT} (CUDA: ${LibTorch_CUDA})")
