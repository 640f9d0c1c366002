#include "serve/documents.h"

#include <nlohmann/json.hpp>

#include "serve/assets.h"
#include "text.h"

namespace iris::serve {
namespace {

void replace_all(std::string& text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size())) {
    text.replace(at, what.size(), with);
  }
}

}  // namespace

std::string page_html(const std::string& name, const Model& model) {
  const nlohmann::json names = {{"name", name}, {"features", model.features()}, {"labels", model.known_labels()}};
  std::string data = text::json(names);
  replace_all(data, "<", "\\u003c");
  std::string html = assets::kPage;
  replace_all(html, "{{model}}", data);
  return html;
}

std::string page_script() { return assets::kScript; }
std::string page_style() { return assets::kStyle; }
std::string iris_csv() { return assets::kData; }

std::string openapi_json(const std::string& name) {
  std::string description = assets::kOpenApi;
  const std::string quoted = text::json_string(name);
  replace_all(description, "{{name}}", quoted.substr(1, quoted.size() - 2));
  replace_all(description, "{{version}}", IRIS_VERSION);
  return description;
}

}  // namespace iris::serve
