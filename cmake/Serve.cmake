# iris_serve: the HTTP server, without LibTorch.

# The page and its like, as a header of raw strings.
set(serve "${PROJECT_SOURCE_DIR}/src/serve")
foreach(pair "page:${serve}/page/page.html" "script:${serve}/page/page.js" "style:${serve}/page/page.css"
        "openapi:${serve}/openapi.json" "data:${PROJECT_SOURCE_DIR}/data/iris.csv")
  string(REGEX REPLACE ":.*" "" name "${pair}")
  string(REGEX REPLACE "^[^:]*:" "" file "${pair}")
  file(READ "${file}" ${name})
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS "${file}")
endforeach()
configure_file("${serve}/assets.h.in" "${PROJECT_BINARY_DIR}/generated/serve/assets.h" @ONLY)

add_library(iris_serve STATIC
  src/serve/access.cpp
  src/serve/batcher.cpp
  src/serve/compression.cpp
  src/serve/connection.cpp
  src/serve/descriptions.cpp
  src/serve/http.cpp
  src/serve/inference_request.cpp
  src/serve/inference_response.cpp
  src/serve/instances.cpp
  src/serve/json.cpp
  src/serve/log.cpp
  src/serve/metrics.cpp
  src/serve/model.cpp
  src/serve/model_slot.cpp
  src/serve/process_metrics.cpp
  src/serve/request_parser.cpp
  src/serve/routes.cpp
  src/serve/server.cpp
  src/serve/service.cpp
  src/serve/tensor_type.cpp
  src/serve/tls.cpp
  src/serve/worker.cpp)
target_include_directories(iris_serve PRIVATE "${PROJECT_BINARY_DIR}/generated")
target_compile_definitions(iris_serve PRIVATE IRIS_VERSION="${PROJECT_VERSION}")
target_link_libraries(iris_serve PUBLIC iris_data Boost::headers nlohmann_json::nlohmann_json PRIVATE ZLIB::ZLIB)
# The thread sanitizer sees no fences. Asio's stand beside its mutexes; without them it can report more, never less.
if(IRIS_SANITIZE MATCHES "thread")
  target_compile_definitions(iris_serve PUBLIC BOOST_ASIO_DISABLE_FENCED_BLOCK)
endif()
set_target_properties(iris_serve PROPERTIES POSITION_INDEPENDENT_CODE ON)

find_package(OpenSSL)
if(OpenSSL_FOUND)
  target_compile_definitions(iris_serve PUBLIC IRIS_WITH_TLS)
  target_link_libraries(iris_serve PUBLIC OpenSSL::SSL)
  # Debian has some of its headers in a folder of the architecture, where the compiler looks only under /usr.
  if(OPENSSL_INCLUDE_DIR MATCHES "/\\.deps/")
    target_include_directories(iris_serve SYSTEM PUBLIC "${OPENSSL_INCLUDE_DIR}/${CMAKE_LIBRARY_ARCHITECTURE}")
  endif()
else()
  message(WARNING "OpenSSL's headers were not found (libssl-dev): iris serve is built without TLS")
endif()
