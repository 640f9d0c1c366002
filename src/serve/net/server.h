// iris serve: the port, and the life of the process.
#pragma once

#include "serve/model_slot.h"
#include "serve/options.h"

namespace iris::serve {

// Loads the model, opens the port, says on the log's descriptor where it listens, and serves until SIGTERM, SIGINT or
// SIGQUIT. A second of these signals ends the process at once, as the signal does by default. SIGHUP loads the model
// and the TLS files again. Returns the exit status: 0 after SIGTERM, 128 plus the signal's number after the others.
// Throws InputError where the port or the TLS files cannot be used, Interrupted where a signal came while the model was
// loaded, and what `load` throws.
int serve(ServerOptions options, LoadModel load);

}  // namespace iris::serve
