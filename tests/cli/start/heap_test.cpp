#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>

#include "cli/start/heap.h"

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
  void* const start_of_test = ::sbrk(0);
  const auto allocate = [](std::size_t size) {
    void* volatile piece = std::malloc(size);
    static_cast<void>(piece);
  };
  const auto prepare = [&] {
    while (::sbrk(0) == start_of_test) {  // until the heap has little room, as when a program starts
      allocate(64 << 10);
    }
    const auto* const before = static_cast<char*>(::sbrk(0));
    prepare_heap();
    const auto* const prepared = static_cast<char*>(::sbrk(0));
    for (int i = 0; i < 1000; ++i) {
      allocate(1000);
    }
    std::_Exit(prepared - before > 40 << 20 && ::sbrk(0) == prepared ? 0 : 1);
  };
  EXPECT_EXIT(prepare(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace iris
