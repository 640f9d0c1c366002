#include "io/interrupt.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <string_view>

namespace iris {
namespace {

constexpr int kWake = SIGUSR1;

std::atomic<int> noted_signal = 0;                     // any thread may ask
static_assert(std::atomic<int>::is_always_lock_free);  // as a signal's handler needs it
std::atomic<bool> is_held = false;

// Called each second after a signal. Tells once what holds the process up, such as one long pass of a model.
void tell_of_delay() {
  constexpr int kSeconds = 3;
  static std::atomic<int> seconds = 0;
  if (++seconds == kSeconds) {
    constexpr std::string_view kText = "iris: ends when what is under way has ended; a second signal ends it at once\n";
    const int before = errno;
    [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, kText.data(), kText.size());
    errno = before;
  }
}

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
  action.sa_handler = [](int) {
    tell_of_delay();
    alarm(1);
  };
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
