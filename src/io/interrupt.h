// Ctrl-C and similar signals as an exception, so that unfinished work is undone on the way out.
#pragma once

#include <thread>

namespace iris {

// Not a std::exception: nothing but main may take it for an error.
struct Interrupted {
  int signal;
};

// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT are noted instead of ending the process, and interrupt a waiting read
// or write, again every second, so that none is missed; a second one ends it at once. One that was ignored already
// (nohup) stays so. SIGPIPE and SIGXFSZ are ignored: the write fails. Call once, from main.
void note_interrupts();

// Interrupts the read or write in which the thread waits, if any.
void wake(std::thread::native_handle_type thread);

bool is_interrupted();

// Throws Interrupted if a signal was noted, unless a HeldInterrupts is alive.
void throw_if_interrupted();

// While one is alive, signals are noted but interrupt nothing, so that something can be finished first. One at a time.
class HeldInterrupts {
 public:
  HeldInterrupts();
  ~HeldInterrupts();
  HeldInterrupts(const HeldInterrupts&) = delete;
  HeldInterrupts& operator=(const HeldInterrupts&) = delete;
};

}  // namespace iris
