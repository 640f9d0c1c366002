#include "io/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

namespace iris {
namespace {

constexpr int kWake = SIGUSR1;

std::atomic<int> noted_signal = 0;                     // any thread may ask
static_assert(std::atomic<int>::is_always_lock_free);  // as a signal's handler needs it
std::atomic<bool> is_held = false;

}  // namespace

void note_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int number) {
    if (noted_signal != 0) {
      signal(number, SIG_DFL);
      raise(number);
    }
    noted_signal = number;
    alarm(1);  // a read that began just before it was noted, after the last look, is interrupted then
  };
  for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) {  // as nohup leaves it
      sigaction(number, &action, nullptr);
    }
  }
  action.sa_handler = [](int) {};
  sigaction(kWake, &action, nullptr);
  action.sa_handler = [](int) { alarm(1); };
  sigaction(SIGALRM, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // past ulimit -f
}

void wake(std::thread::native_handle_type thread) { pthread_kill(thread, kWake); }

bool is_interrupted() { return noted_signal != 0; }

void throw_if_interrupted() {
  if (const int signal = noted_signal; signal != 0 && !is_held) {
    throw Interrupted{signal};
  }
}

HeldInterrupts::HeldInterrupts() { is_held = true; }
HeldInterrupts::~HeldInterrupts() { is_held = false; }

}  // namespace iris
