#include "io/interrupt.h"

#include <signal.h>

namespace iris {
namespace {

volatile sig_atomic_t noted_signal = 0;

}  // namespace

void note_interrupts() {
  struct sigaction action = {};
  action.sa_handler = [](int signal) { noted_signal = signal; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  sigaction(SIGHUP, &action, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // past ulimit -f
}

void throw_if_interrupted() {
  if (noted_signal != 0) {
    throw Interrupted{noted_signal};
  }
}

}  // namespace iris
