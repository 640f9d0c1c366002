// iris serve: a port, and the life of the process behind it.
#pragma once

#include "serve/model_slot.h"
#include "serve/options.h"

namespace iris::serve {

// Loads the model, opens the port, tells on stderr where it listens, and serves until SIGTERM or SIGINT; SIGHUP loads
// the model again. A second SIGTERM or SIGINT ends the process as if nobody had asked for the first.
// Returns the exit status. Throws InputError where the port or the key files cannot be used, and what `load` throws.
int serve(ServerOptions options, LoadModel load);

}  // namespace iris::serve
