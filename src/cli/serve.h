// iris serve: its options, and the work.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "cli/model_options.h"
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

// The options as typed, before they were checked together.
struct TypedServeOptions {
  ServeOptions options;
  TypedNames names;
  std::string key_file;  // empty: no key
  std::size_t max_wait_us = 0;
  std::optional<double> timeout_s;
  std::optional<double> grace_s;
};

// The options, with the API key read from its file. Throws UsageError for wrong options, InputError for a wrong file.
ServeOptions settled(TypedServeOptions typed);

// Serves the model until a signal ends it. Returns the exit status.
int serve_model(const ServeOptions& options);

}  // namespace iris
