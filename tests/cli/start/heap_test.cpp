#include "cli/start/heap.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

namespace iris {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool kIsSanitized = true;  // its malloc is another one
#else
constexpr bool kIsSanitized = false;
#endif

// In a process of its own: the heap stays as it was prepared.
TEST(HeapDeathTest, GrowsByOneLargePieceWhenItIsPrepared) {
  if (kIsSanitized) {
    GTEST_SKIP() << "a sanitizer's malloc has no such heap";
  }
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto prepare = [] {
    const auto* const before = static_cast<char*>(::sbrk(0));
    prepare_heap();
    const auto* const prepared = static_cast<char*>(::sbrk(0));
    for (int i = 0; i < 1000; ++i) {
      void* volatile piece = std::malloc(1000);
      static_cast<void>(piece);
    }
    const bool is_large = prepared - before >= 48 << 20;
    std::_Exit(is_large && ::sbrk(0) == prepared ? 0 : 1);
  };
  EXPECT_EXIT(prepare(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace iris
