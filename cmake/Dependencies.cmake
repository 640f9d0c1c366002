# CLI11, nlohmann_json, Boost, zlib, OpenSSL and GTest: the installed ones, else pinned sources of their releases. OpenSSL has to
# be installed; without it iris serve has no TLS.
include(FetchContent)

# script/setup unpacks the distribution's packages here if it may not install them.
list(APPEND CMAKE_PREFIX_PATH "${CMAKE_CURRENT_LIST_DIR}/../.deps/usr")

FetchContent_Declare(CLI11 SYSTEM
  URL https://github.com/CLIUtils/CLI11/archive/refs/tags/v2.4.1.tar.gz
  URL_HASH SHA256=73b7ec52261ce8fe980a29df6b4ceb66243bb0b779451dbd3d014cfec9fdbb58
  FIND_PACKAGE_ARGS CONFIG)
FetchContent_Declare(nlohmann_json SYSTEM
  URL https://github.com/nlohmann/json/releases/download/v3.12.0/json.tar.xz
  URL_HASH SHA256=42f6e95cad6ec532fd372391373363b62a14af6d771056dbfc86160e6dfff7aa
  FIND_PACKAGE_ARGS CONFIG)
FetchContent_MakeAvailable(CLI11 nlohmann_json)

# Only headers of Boost are used; nothing of it is built.
find_package(Boost 1.74)
if(NOT Boost_FOUND)
  FetchContent_Declare(boost SYSTEM
    URL https://archives.boost.io/release/1.83.0/source/boost_1_83_0.tar.bz2
    URL_HASH SHA256=6478edfe2f3305127cffe8caf73ea0176c53769f4bf1585be237eb30798c3b8e
    SOURCE_SUBDIR none)
  FetchContent_MakeAvailable(boost)
  add_library(Boost::headers INTERFACE IMPORTED)
  target_include_directories(Boost::headers INTERFACE "${boost_SOURCE_DIR}")
endif()

find_package(ZLIB)
if(NOT ZLIB_FOUND)
  FetchContent_Declare(zlib SYSTEM
    URL https://github.com/madler/zlib/releases/download/v1.3.1/zlib-1.3.1.tar.gz
    URL_HASH SHA256=9a93b2b7dfdac77ceba5a558a580e74667dd6fede4585b91eefb60f03b72df23
    SOURCE_SUBDIR none)
  FetchContent_MakeAvailable(zlib)
  file(GLOB zlib_sources "${zlib_SOURCE_DIR}/*.c")
  enable_language(C)
  add_library(zlib STATIC ${zlib_sources})
  target_include_directories(zlib SYSTEM PUBLIC "${zlib_SOURCE_DIR}")
  set_target_properties(zlib PROPERTIES POSITION_INDEPENDENT_CODE ON)
  add_library(ZLIB::ZLIB ALIAS zlib)
endif()

# iris_tls: OpenSSL for iris serve, or an empty target.
add_library(iris_tls INTERFACE)
find_package(OpenSSL)
if(OpenSSL_FOUND)
  target_compile_definitions(iris_tls INTERFACE IRIS_WITH_TLS)
  target_link_libraries(iris_tls INTERFACE OpenSSL::SSL)
  # Debian keeps some headers in a folder of the architecture. The compiler looks there only under /usr.
  if(OPENSSL_INCLUDE_DIR MATCHES "/\\.deps/")
    target_include_directories(iris_tls SYSTEM INTERFACE "${OPENSSL_INCLUDE_DIR}/${CMAKE_LIBRARY_ARCHITECTURE}")
  endif()
else()
  message(WARNING "OpenSSL's headers were not found (libssl-dev): iris serve is built without TLS")
endif()

if(BUILD_TESTING)
  set(INSTALL_GTEST OFF)
  set(BUILD_GMOCK OFF)
  if("${LibTorch_CXX11_ABI}" STREQUAL 0)  # the installed library has the new ABI
    set(FETCHCONTENT_TRY_FIND_PACKAGE_MODE NEVER)
    if(EXISTS /usr/src/googletest)
      set(FETCHCONTENT_SOURCE_DIR_GTEST /usr/src/googletest)
    endif()
  endif()
  FetchContent_Declare(GTest SYSTEM
    URL https://github.com/google/googletest/archive/refs/tags/v1.14.0.tar.gz
    URL_HASH SHA256=8ad598c73ad796e0d8280b082cebd82a630d73e73cd3c70057938a6501bba5d7
    FIND_PACKAGE_ARGS CONFIG)
  FetchContent_MakeAvailable(GTest)
endif()
