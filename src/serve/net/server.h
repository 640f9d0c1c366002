// iris serve: a port, and the life of the process behind it.
#pragma once

#include "serve/model_slot.h"
#include "serve/options.h"

namespace iris::serve {

// Loads the model, opens the port, tells on stderr where it listens, and serves until SIGTERM, SIGINT or SIGQUIT;
// SIGHUP loads the model again. A second one of those ends the process at once, as if nobody had asked for the first.
// Returns the exit status: 0 after SIGTERM, 128 and the signal's number after the others. Throws InputError where the
// port or the key files cannot be used, Interrupted where a signal came while the model was loaded, and what `load`
// throws.
int serve(ServerOptions options, LoadModel load);

}  // namespace iris::serve
