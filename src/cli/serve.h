// iris serve: its options.
#pragma once

#include <optional>
#include <string>

#include "model/classifier.h"
#include "serve/options.h"

namespace iris {

struct ServeOptions {
  std::string model;
  ClassifierOptions classifier;
  bool allows_tf32 = false;
  int threads = 1;
  serve::ServerOptions server;
};

// Serves the model until it is told to end. Returns the exit status.
int serve_model(const ServeOptions& options);

}  // namespace iris
