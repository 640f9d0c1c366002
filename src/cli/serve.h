// iris serve: its options.
#pragma once

#include <optional>
#include <string>

#include "inference/classifier.h"
#include "serve/options.h"

namespace iris {

struct ServeOptions {
  std::string model;
  ClassifierOptions classifier;
  int threads = 1;
  serve::ServerOptions server;
};

}  // namespace iris
