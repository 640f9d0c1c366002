// iris serve: its options, and the work.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/model_options.h"
#include "serve/options.h"

namespace iris {

struct ServeOptions {
  ModelOptions model;
  serve::ServerOptions server;
  std::string key_file;  // the rest: as typed, for `server`. Empty: no key
  std::size_t max_wait_us = 0;
  std::optional<double> timeout_s;
  std::optional<double> grace_s;
};

// The server's options, with the times that were typed and the API key from its file. Throws UsageError for wrong
// options, InputError for a wrong file.
serve::ServerOptions settled(const ServeOptions& options);

// Serves the model until a signal ends it. Returns the exit status.
int serve_model(const ServeOptions& options);

}  // namespace iris
