# The program, and the library iris::state_dict with a package config, so that find_package(iris) finds it.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

set(package_dir "${CMAKE_INSTALL_LIBDIR}/cmake/iris")
file(RELATIVE_PATH verbs_from_program "${CMAKE_INSTALL_FULL_BINDIR}" "${CMAKE_INSTALL_FULL_LIBDIR}/iris")
target_compile_definitions(iris PRIVATE IRIS_VERBS_FROM_PROGRAM="${verbs_from_program}")
set_target_properties(iris_torch_verbs iris_serve_verb PROPERTIES INSTALL_RPATH "$ORIGIN/..;${LibTorch_ROOT}/lib")
set_target_properties(iris_state_dict PROPERTIES EXPORT_NAME state_dict)
set_target_properties(iris_format PROPERTIES EXPORT_NAME format)
target_include_directories(iris_state_dict INTERFACE $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS iris)
install(TARGETS iris_torch_verbs iris_serve_verb LIBRARY DESTINATION "${CMAKE_INSTALL_LIBDIR}/iris")
install(TARGETS iris_state_dict iris_format EXPORT iris)
install(EXPORT iris NAMESPACE iris:: DESTINATION "${package_dir}" FILE iris-targets.cmake)
install(FILES src/error.h src/state_dict/state_dict.h DESTINATION "${CMAKE_INSTALL_INCLUDEDIR}/iris")

configure_package_config_file(cmake/iris-config.cmake.in iris-config.cmake INSTALL_DESTINATION "${package_dir}")
write_basic_package_version_file(iris-config-version.cmake COMPATIBILITY SameMinorVersion)
install(FILES cmake/LibTorch.cmake "${PROJECT_BINARY_DIR}/iris-config.cmake"
        "${PROJECT_BINARY_DIR}/iris-config-version.cmake" DESTINATION "${package_dir}")
