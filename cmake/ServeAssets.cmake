# The files that iris serve sends, as raw strings in a header.
set(serve "${PROJECT_SOURCE_DIR}/src/serve")
foreach(pair "page:${serve}/page/page.html" "script:${serve}/page/page.js" "style:${serve}/page/page.css"
        "openapi:${serve}/openapi.json" "data:${PROJECT_SOURCE_DIR}/data/iris.csv")
  string(REGEX REPLACE ":.*" "" name "${pair}")
  string(REGEX REPLACE "^[^:]*:" "" file "${pair}")
  file(READ "${file}" ${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
endforeach()
configure_file("${serve}/assets.h.in" "${PROJECT_BINARY_DIR}/generated/serve/assets.h" @ONLY)
