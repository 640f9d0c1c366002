// What libiris_serve_verb.so gives the program.
#include <cstdio>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "cli/choice_words.h"
#include "cli/run/start_device.h"
#include "cli/serve.h"
#include "error.h"
#include "serve/net/server.h"
#include "serve/served_classifier.h"

extern "C" int iris_serve(const iris::ServeOptions& options) {
  const std::string& path = options.model.path;
  iris::ClassifierOptions its_options = options.model.classifier;
  its_options.reading = iris::FileBytes::Reading::kCopied;
  // "auto" is settled once: else a reload after the device has failed would take the CPU, which is slower.
  its_options.device =
      iris::start_device(its_options.device, options.model.allows_tf32, options.model.threads.value_or(1)).str();
  const auto tell = [](const std::string& note) { std::fprintf(stderr, "iris: %s\n", note.c_str()); };
  its_options.tell = [&](const std::string& note, const iris::Choice& choice) {
    tell(note + iris::choice_words(choice));
  };
  const auto load = [&] {
    return std::make_shared<iris::serve::ServedClassifier>(iris::Classifier::open(path, its_options),
                                                           options.server.max_batch_rows, tell);
  };
  const auto load_again = [&] {
    std::error_code error;  // opening it tells what is not there
    const auto kind = std::filesystem::status(path, error).type();
    if (kind != std::filesystem::file_type::regular && kind != std::filesystem::file_type::not_found) {
      // Opening a pipe would wait without end.
      throw iris::InputError(path + ": is not a regular file; only a regular file can be loaded again");
    }
    try {
      return load();
    } catch (const iris::Error& problem) {  // the first load's is for the program, which adds these words
      throw iris::InputError(problem.what() + iris::choice_words(problem.choice));
    }
  };
  return iris::serve::serve(options.server, [&, is_again = false]() mutable {
    return std::exchange(is_again, true) ? load_again() : load();
  });
}
