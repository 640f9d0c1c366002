// What Python reads from the fixtures and computes with them (tests/fixtures/make_fixtures.py).
#pragma once

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "support/temp_file.h"

namespace iris::test {

inline std::string repository_file(const std::string& path) { return std::string(IRIS_SOURCE_DIR) + "/" + path; }

// A shipped model or a fixture.
inline std::string fixture(const std::string& name) {
  return repository_file((name.starts_with("iris_net") ? "models/" : "tests/fixtures/") + name);
}

inline nlohmann::json golden(const std::string& name) {
  return nlohmann::json::parse(read_file(fixture("golden.json"))).at(name);
}

// The features of data/iris.csv: 150 rows of 4.
inline std::vector<float> flowers() {
  std::istringstream file(read_file(repository_file("data/iris.csv")));
  std::vector<float> values;
  std::string line;
  std::getline(file, line);  // the header
  while (std::getline(file, line)) {
    std::istringstream cells(line);
    std::string cell;
    for (int i = 0; i < 4 && std::getline(cells, cell, ','); ++i) {
      values.push_back(std::stof(cell));
    }
  }
  return values;
}

// The logits that Python gives, row by row, and the features of those rows.
struct GoldenLogits {
  explicit GoldenLogits(const std::string& name) {
    const nlohmann::json entry = golden(name);
    const std::vector<float> all = flowers();
    for (std::size_t row = 0; row < all.size() / 4; ++row) {
      const bool is_wanted =
          !entry.contains("flowers") ||
          std::find(entry.at("flowers").begin(), entry.at("flowers").end(), row) != entry.at("flowers").end();
      if (is_wanted) {
        features.insert(features.end(), all.begin() + static_cast<std::ptrdiff_t>(4 * row),
                        all.begin() + static_cast<std::ptrdiff_t>(4 * row + 4));
      }
    }
    for (const auto& row : entry.at("logits")) {
      const auto values = row.get<std::vector<float>>();
      logits.insert(logits.end(), values.begin(), values.end());
    }
  }

  std::vector<float> features;
  std::vector<float> logits;
};

}  // namespace iris::test
