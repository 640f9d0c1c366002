#include "io/interrupt.h"

#include <signal.h>

#include <atomic>

namespace iris {
namespace {

constexpr int kWake = SIGUSR1;

std::atomic<int> noted_signal = 0;                     // any thread may ask
static_assert(std::atomic<int>::is_always_lock_free);  // as a signal's handler needs it

}  // namespace

void note_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { noted_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
  sigaction(SIGQUIT, &action, nullptr);
  action.sa_handler = [](int) {};
  action.sa_flags = 0;
  sigaction(kWake, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // past ulimit -f
}

void wake(std::thread::native_handle_type thread) { pthread_kill(thread, kWake); }

bool is_interrupted() { return noted_signal != 0; }

void throw_if_interrupted() {
  if (const int signal = noted_signal; signal != 0) {
    throw Interrupted{signal};
  }
}

}  // namespace iris
