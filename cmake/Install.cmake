# The program, and the library iris::state_dict with a package config, so that find_package(iris) finds it. Two
# components: `program` (DEB: iris; Python's wheel) and `library` (DEB: libiris-dev).
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/iris")
if(NOT SKBUILD)  # a wheel finds the LibTorch beside it; a DEB and a TGZ drop this: cmake/Package.cmake
  set_target_properties(iris_torch_verbs iris_serve_verb PROPERTIES INSTALL_RPATH "$ORIGIN/..;${LibTorch_ROOT}/lib")
endif()
set_target_properties(iris_torch_verbs iris_serve_verb PROPERTIES NO_SONAME ON)  # they are plugins
target_include_directories(iris_state_dict INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME program)
install(TARGETS iris)
install(TARGETS iris_torch_verbs iris_serve_verb LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/iris")

# Manual pages and completions: the program makes them from its own options.
function(iris_writes file folder)
  set(path "${PROJECT_BINARY_DIR}/share/${file}")
  add_custom_command(OUTPUT "${path}" COMMAND iris ${ARGN} > "${path}" DEPENDS iris VERBATIM)
  target_sources(iris_share PRIVATE "${path}")
  install(FILES "${path}" DESTINATION "${folder}")
endfunction()

if(NOT CMAKE_CROSSCOMPILING)
  file(MAKE_DIRECTORY "${PROJECT_BINARY_DIR}/share/bash")
  add_custom_target(iris_share ALL)
  iris_writes(iris.1 "${CMAKE_INSTALL_MANDIR}/man1" man)
  foreach(verb predict evaluate train inspect convert serve completions)
    iris_writes(iris-${verb}.1 "${CMAKE_INSTALL_MANDIR}/man1" man ${verb})
  endforeach()
  iris_writes(bash/iris "${CMAKE_INSTALL_DATADIR}/bash-completion/completions" completions bash)
  iris_writes(_iris "${CMAKE_INSTALL_DATADIR}/zsh/site-functions" completions zsh)
  iris_writes(iris.fish "${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d" completions fish)
endif()

set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME library)
install(TARGETS iris_state_dict iris_tensor_file iris_pickle iris_io iris_text EXPORT iris)
install(EXPORT iris NAMESPACE iris:: DESTINATION "${package_dir}" FILE iris-targets.cmake)
install(FILES src/error.h src/state_dict/state_dict.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/iris")

configure_package_config_file(cmake/iris-config.cmake.in iris-config.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(iris-config-version.cmake COMPATIBILITY SameMinorVersion)
file(CONFIGURE OUTPUT iris-built-with.cmake CONTENT "set(iris_BUILT_WITH \"${LibTorch_ROOT}\")\n")
install(FILES cmake/LibTorch.cmake "${PROJECT_BINARY_DIR}/iris-built-with.cmake" "${PROJECT_BINARY_DIR}/iris-config.cmake"
        "${PROJECT_BINARY_DIR}/iris-config-version.cmake" DESTINATION "${package_dir}")

include(Package)
