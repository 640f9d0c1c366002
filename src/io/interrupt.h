// Ctrl-C and its kin as an exception, so that what has begun is undone on the way out.
#pragma once

#include <thread>

namespace iris {

// Not a std::exception: nothing but main may take it for an error.
struct Interrupted {
  int signal;
};

// From now on SIGINT, SIGTERM, SIGHUP and SIGQUIT are noted instead of ending the process, and interrupt a waiting read
// or write; a second one ends it at once. SIGPIPE and SIGXFSZ are ignored: the write fails. Call once, from main.
void note_interrupts();

// Interrupts the read or write that the thread waits in, if it does.
void wake(std::thread::native_handle_type thread);

bool is_interrupted();

// Throws Interrupted if a signal was noted.
void throw_if_interrupted();

}  // namespace iris
