# iris_folder(FOLDER [ON LIBRARY…] [USES LIBRARY…]): the sources in src/FOLDER (or src/FOLDER.cpp) as one static library,
# iris_FOLDER: "serve/net" is iris_serve_net. The folder is the list of its files: a new one is found by the next build.
# ON: what its headers include. USES: what only its sources include.
function(iris_folder folder)
  cmake_parse_arguments(PARSE_ARGV 1 folder "" "" "ON;USES")
  string(REPLACE "/" "_" name "${folder}")
  file(GLOB sources CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/src/${folder}/*.cpp" "${PROJECT_SOURCE_DIR}/src/${folder}.cpp")
  add_library(iris_${name} STATIC ${sources})
  target_compile_features(iris_${name} PUBLIC cxx_std_20)
  target_link_libraries(iris_${name} PUBLIC $<BUILD_INTERFACE:iris_options> ${folder_ON})
  foreach(library IN LISTS folder_USES)  # an installed iris does not need it
    target_link_libraries(iris_${name} PRIVATE $<BUILD_INTERFACE:${library}>)
  endforeach()
  set_target_properties(iris_${name} PROPERTIES
    EXPORT_NAME ${name}
    POSITION_INDEPENDENT_CODE ON)  # it is linked into shared libraries too
endfunction()
