#include "cli/serve.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <regex>

#include "cli/option_types.h"
#include "cli/start/plugin.h"
#include "error.h"
#include "io/file_bytes.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

std::string read_api_key(const std::string& path) {
  if (std::filesystem::is_directory(path)) {
    throw InputError("is a directory; name the file with the key");
  }
  const auto bytes = FileBytes::open(path, FileBytes::Reading::kCopied);
  std::string key(reinterpret_cast<const char*>(bytes->bytes().data()), bytes->bytes().size());
  key.erase(key.find_last_not_of("\r\n") + 1);
  const bool is_plain =
      std::all_of(key.begin(), key.end(), [](char character) { return character > ' ' && character < 0x7F; });
  if (key.empty() || !is_plain) {
    throw InputError("has to hold one line, the key, of printable ASCII without blanks");
  }
  return key;
}

std::chrono::milliseconds milliseconds(double seconds) {
  return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1000));
}

// As browsers write it, "*", or nothing.
bool is_origin(const std::string& text) {
  return text.empty() || std::regex_match(text, std::regex(R"(\*|https?://[A-Za-z0-9.:[\]-]+)"));
}

int run_serve(ServeOptions options) {
  options.server = settled(options);
  return plugin_function<decltype(serve_model)>(Plugin::kServeVerb, "iris_serve")(options);
}

}  // namespace

serve::ServerOptions settled(const ServeOptions& options) {
  serve::ServerOptions server = options.server;
  const std::string& name = server.name;
  const bool is_name =
      !name.empty() && text::is_utf8(name) && std::none_of(name.begin(), name.end(), [](char character) {
        return character == '/' || (character >= 0 && character < ' ') || character == 0x7F;
      });
  if (!is_name) {
    throw UsageError("--name: must be UTF-8 without slashes and control characters, got " + text::quoted(name));
  }
  if (server.tls_certificate.empty() != server.tls_key.empty()) {
    throw UsageError("--tls-cert and --tls-key belong together; give both");
  }
  if (server.host.empty()) {
    throw UsageError(
        "--host: is empty; give an address of this machine, such as 127.0.0.1, ::1 or 0.0.0.0, or unix:PATH");
  }
  if (!is_origin(server.cors_origin)) {
    throw UsageError("--cors-origin: must be as browsers write it, https://example.org without a path, or *; got " +
                     text::quoted(server.cors_origin));
  }
  if (!options.key_file.empty()) {
    server.api_key = with_place("--api-key-file " + options.key_file, [&] { return read_api_key(options.key_file); });
  }
  server.max_wait = std::chrono::microseconds(options.max_wait_us);
  server.timeout = milliseconds(options.timeout_s.value_or(30));
  server.grace = milliseconds(options.grace_s.value_or(0));
  return server;
}

void add_serve(CLI::App& app, Run& run) {
  CLI::App* command = app.add_subcommand("serve", "A model's answers over HTTP, until a signal ends the server");
  auto options = std::make_shared<ServeOptions>();
  serve::ServerOptions& server = options->server;
  constexpr std::int64_t kMany = std::int64_t{1} << 24;
  add_file(*command, "MODEL", options->model.path, "A file that holds a model, whatever its name")->required();
  command->add_option("--name", server.name, "The model's name in paths and answers (iris)");
  command->add_option("--host", server.host,
                      "Where to listen (127.0.0.1: callers on this machine only); unix:PATH is a Unix socket");
  add_whole(*command, "--port", server.port, 0, 65535, "Its port (8080); 0 takes a free one");
  add_whole(*command, "--workers", server.workers, 1, 1024,
            "Threads that serve connections (as many as there are cores)");
  add_whole(*command, "--max-batch-rows", server.max_batch_rows, 1, kMany,
            "Rows per pass through the model, at most (64)");
  add_whole(*command, "--max-wait-us", options->max_wait_us, 0, 60'000'000,
            "How long a request waits for others to share its pass (0)");
  add_whole(*command, "--max-queue-rows", server.max_queue_rows, 1, kMany,
            "Rows that wait or are computed, at most; then 503 (1024)");
  command->add_option("--max-body", server.max_body, "Bytes of a request's body, unpacked (16MiB); then 413")
      ->transform(CLI::AsSizeValue(true))
      ->check(CLI::Range(std::size_t{1}, serve::kLargestMaxBody));
  add_whole(*command, "--max-connections", server.max_connections, 1, kMany, "At the same time (1024); then 503");
  constexpr double kDay = 86'400;
  add_number(
      *command, "--timeout-s", options->timeout_s,
      "Seconds for a request to arrive, and for its answer to be taken (30)",
      [](double value) { return value >= 0.05 && value <= kDay; }, "from 0.05 to 86400");
  add_number(
      *command, "--grace-s", options->grace_s, "Seconds from SIGTERM until the port closes (0)",
      [](double value) { return value >= 0 && value <= kDay; }, "from 0 to 86400");
  add_file(*command, "--api-key-file", options->key_file,
           "A file with the key that callers send: Authorization: Bearer KEY");
  add_file(*command, "--tls-cert", server.tls_certificate, "The certificate chain, a PEM file: https");
  add_file(*command, "--tls-key", server.tls_key, "Its private key, a PEM file");
  command->add_option("--cors-origin", server.cors_origin,
                      "Another origin whose pages may send requests: https://example.org, or *");
  add_enum<serve::LogFormat>(*command, "--log-format", server.log_format,
                             {{"text", serve::LogFormat::kText}, {"json", serve::LogFormat::kJson}},
                             "text (default) or json");
  add_model_options(*command, options->model, "1; ");
  command->footer(
      "SIGHUP loads the model file, and the certificate, again. SIGTERM and Ctrl-C end the server after it has "
      "answered what it accepted;\n"
      "a second one ends it at once.\n"
      "Examples:\n"
      "  iris serve model.pt\n"
      "  curl -d '{\"instances\":[[5.1,3.5,1.4,0.2]]}' localhost:8080/predict\n"
      "  iris serve model.pt --host 0.0.0.0 --port 443 --tls-cert chain.pem --tls-key key.pem --api-key-file key.txt");
  command->callback([options, &run] { run = [options] { return run_serve(*options); }; });
}

}  // namespace iris
