#include "serve/authority.h"

#include <gtest/gtest.h>

namespace iris::serve {
namespace {

TEST(Authority, IsAHostAndPerhapsAPort) {
  for (const char* good : {"localhost", "example.org:8080", "127.0.0.1", "127.0.0.1:65535", "[::1]", "[::1]:80"}) {
    EXPECT_TRUE(is_host_and_port(good)) << good;
  }
  for (const char* bad : {"a:b", "a:65536", "a b", "a,b", "a/b", "user@a", "[::1", "::1"}) {
    EXPECT_FALSE(is_host_and_port(bad)) << bad;
  }
}

}  // namespace
}  // namespace iris::serve
