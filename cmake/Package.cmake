# `cpack -G TGZ` and `cpack -G DEB` in the build folder: iris-VERSION-…tar.gz, and iris and libiris-dev for dpkg.
set(CPACK_PACKAGE_CONTACT "iris maintainers <maintainers@iris.example>")
set(CPACK_PACKAGE_VENDOR "iris")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "Runs in C++ what was trained in PyTorch")
set(CPACK_GENERATOR TGZ)
set(CPACK_STRIP_FILES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_PRE_BUILD_SCRIPTS "${PROJECT_SOURCE_DIR}/cmake/package/before_packing.cmake")
set(CPACK_COMPONENTS_ALL program library)

set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_NAME iris)
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SECTION science)
# dpkg-shlibdeps may look at LibTorch, but it does not become a dependency: Debian has no package of the needed version.
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS_PRIVATE_DIRS "${LibTorch_ROOT}/lib")
set(CPACK_DEBIAN_PROGRAM_PACKAGE_SUGGESTS "python3-pip, python3-venv")
set(CPACK_COMPONENT_PROGRAM_DESCRIPTION
"iris reads the state_dict files of Python, safetensors, TorchScript
modules and AOTInductor packages; it predicts, evaluates, serves over
HTTP, inspects, converts and trains.
.
LibTorch ${LibTorch_VERSION} is not in this package. iris takes it from the folder in
IRIS_TORCH_DIR, or from the torch package of the active Python:
.
 python3 -m venv DIR; DIR/bin/python -m pip install torch==${LibTorch_VERSION}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libiris-dev)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SUGGESTS cmake)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
"The static library iris::state_dict, its headers and its CMake package:
read_state_dict, load_state_dict, state_dict_of and write_state_dict for
one's own C++ programs. It needs the headers of LibTorch ${LibTorch_VERSION}.")

string(TIMESTAMP packaged "%a, %d %b %Y %H:%M:%S +0000" UTC)
configure_file(cmake/package/changelog.Debian.in package/changelog.Debian @ONLY)
foreach(pair program:iris library:libiris-dev)
  string(REPLACE ":" ";" pair "${pair}")
  list(POP_FRONT pair component name)
  install(FILES cmake/package/copyright DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${name}" COMPONENT ${component})
  install(FILES CHANGELOG.md DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${name}" COMPONENT ${component} RENAME changelog)
  install(FILES "${PROJECT_BINARY_DIR}/package/changelog.Debian"
          DESTINATION "${CMAKE_INSTALL_DATADIR}/doc/${name}" COMPONENT ${component})
endforeach()

include(CPack)
