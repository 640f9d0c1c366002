#include "io/interrupt.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <memory>

namespace iris {
namespace {

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

constexpr int kNothingThrown = 99;

// Ends the process with the signal's number.
[[noreturn]] void exit_with_what_is_thrown() {
  try {
    throw_if_interrupted();
  } catch (const Interrupted& interrupted) {
    std::_Exit(interrupted.signal);
  }
  std::_Exit(kNothingThrown);
}

// Each in a process of its own: signals are noted for a whole process.
TEST(InterruptDeathTest, ThrowsOnceASignalWasNoted) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    EXPECT_EXIT(
        {
          note_interrupts();
          ::raise(signal);
          exit_with_what_is_thrown();
        },
        ExitedWithCode(signal), "");
  }
}

TEST(InterruptDeathTest, ThrowsNothingWithoutASignal) {
  EXPECT_EXIT(
      {
        note_interrupts();
        exit_with_what_is_thrown();
      },
      ExitedWithCode(kNothingThrown), "");
}

TEST(InterruptDeathTest, EndsTheProcessAtTheSecondSignal) {
  EXPECT_EXIT(
      {
        note_interrupts();
        ::raise(SIGTERM);
        ::raise(SIGINT);
        std::_Exit(kNothingThrown);
      },
      KilledBySignal(SIGINT), "");
}

TEST(InterruptDeathTest, LeavesASignalThatWasIgnoredIgnored) {
  EXPECT_EXIT(
      {
        ::signal(SIGHUP, SIG_IGN);
        note_interrupts();
        ::raise(SIGHUP);
        exit_with_what_is_thrown();
      },
      ExitedWithCode(kNothingThrown), "");
}

TEST(InterruptDeathTest, ThrowsNothingWhileInterruptsAreHeld) {
  EXPECT_EXIT(
      {
        note_interrupts();
        ::raise(SIGINT);
        auto held = std::make_unique<HeldInterrupts>();
        throw_if_interrupted();
        if (!is_interrupted()) {
          std::_Exit(1);
        }
        held.reset();
        exit_with_what_is_thrown();
      },
      ExitedWithCode(SIGINT), "");
}

TEST(InterruptDeathTest, TurnsAClosedPipeIntoAFailedWrite) {
  EXPECT_EXIT(
      {
        note_interrupts();
        int ends[2];
        const bool failed = ::pipe(ends) == 0 && ::close(ends[0]) == 0 && ::write(ends[1], "x", 1) == -1;
        std::_Exit(failed ? 0 : 1);
      },
      ExitedWithCode(0), "");
}

}  // namespace
}  // namespace iris
