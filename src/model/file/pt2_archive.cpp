#include "model/file/pt2_archive.h"

#include <sys/utsname.h>

#include <algorithm>
#include <cctype>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "error.h"
#include "io/byte_cursor.h"
#include "pickle/literals.h"
#include "tensor_file/tensor_file.h"
#include "text.h"
#include "with_place.h"

namespace iris {
namespace {

constexpr std::string_view kFormatFile = "archive_format";
constexpr std::string_view kFormat = "pt2";
constexpr std::string_view kModels = "data/aotinductor/";
constexpr std::string_view kConstants = "data/constants/";
constexpr std::string_view kMetadataEnd = "wrapper_metadata.json";
constexpr std::string_view kWrapperEnd = ".wrapper.cpp";

constexpr const char* kExportAgain = "; export the model again where it is to run (docs/formats.md)";

std::string_view text_in(const ZipEntry& entry) { return text_of(ZipReader::checked(entry)); }

// "archive/" of "archive/archive_format"; nullopt where that is not there.
std::optional<std::string> find_root(const ZipReader& zip) {
  for (const ZipEntry& entry : zip.entries()) {
    const std::size_t slash = entry.name.find('/');
    if (slash != std::string_view::npos && entry.name.substr(slash + 1) == kFormatFile && text_in(entry) == kFormat) {
      return std::string(entry.name.substr(0, slash + 1));
    }
  }
  return std::nullopt;
}

// A path that the entry may be unpacked under: data/aotinductor/MODEL/FILE or data/constants/FILE, and none of them
// "..".
std::string checked_path(std::string_view path) {
  int depth = 0;
  bool is_plain = path.find_first_of(std::string_view("\\\0", 2)) == std::string_view::npos;
  for (std::size_t start = 0; start <= path.size(); ++depth) {
    const std::string_view name = path.substr(start, path.find('/', start) - start);
    is_plain = is_plain && !name.empty() && name != "." && name != "..";
    start += name.size() + 1;
  }
  if (!is_plain || depth != (path.starts_with(kModels) ? 4 : 3)) {
    throw FormatError("zip entry " + text::quoted(path) + ": is not where AOTInductor puts its files");
  }
  return std::string(path);
}

std::string choose_model(const std::set<std::string>& names) {
  require(!names.empty(),
          "is a program of torch.export that is not compiled; compile it in Python, with "
          "torch._inductor.aoti_compile_and_package, or export the model with python_export/export.py");
  if (names.contains("model")) {
    return "model";
  }
  if (names.size() == 1) {
    return *names.begin();
  }
  std::vector<std::string> list;
  std::ranges::transform(names, std::back_inserter(list), [](const auto& name) { return text::printable(name); });
  throw FormatError("holds several models, none of them called model: " + text::joined(list) + "; package one of them");
}

std::map<std::string, std::string> parse_metadata(std::string_view text) {
  const auto json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  require(json.is_object(), "is not a JSON object");
  std::map<std::string, std::string> metadata;
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) {
      metadata[name] = value.get<std::string>();
    }
  }
  require(metadata.contains("AOTI_DEVICE_KEY"), "does not say for which device the code is (AOTI_DEVICE_KEY)");
  return metadata;
}

// From the checks that the source has of its first input's shape (torch/_inductor/codegen/cpp_wrapper_cpu.py,
// generate_input_output_runtime_checks).
std::optional<std::size_t> fixed_size(std::string_view source, int dimension) {
  constexpr std::string_view kExpected = "\"expected: ";
  const std::size_t check = source.find("input_handles[0]: unmatched dim value at " + std::to_string(dimension) + ", ");
  const std::size_t expected = source.find(kExpected, check);
  if (check == std::string_view::npos || expected == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t number = expected + kExpected.size();
  return pickle::number_of<std::size_t>(source.substr(number, source.find(',', number) - number));
}

std::string value_of(const Pt2Archive& archive, const std::string& key) {
  const auto found = archive.metadata.find(key);
  return found == archive.metadata.end() ? "" : found->second;
}

// What /proc/cpuinfo says that the processor has.
std::set<std::string> processor_flags() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("flags") || line.starts_with("Features")) {
      std::istringstream words(line.substr(line.find(':') + 1));
      return {std::istream_iterator<std::string>(words), {}};
    }
  }
  return {};
}

// Of "AVX512 AVX512_VNNI", what this processor lacks.
std::string missing_instructions(const std::string& isa) {
  const std::set<std::string> flags = processor_flags();
  std::istringstream words(isa);
  std::vector<std::string> missing;
  for (std::string word; words >> word;) {
    std::string flag;
    std::ranges::transform(word, std::back_inserter(flag), [](unsigned char each) { return std::tolower(each); });
    flag += flag == "avx512" ? "f" : "";
    const bool is_known = flag.starts_with("avx") || flag.starts_with("amx");
    if (is_known && !flags.empty() && !flags.contains(flag)) {
      missing.push_back(word);
    }
  }
  return text::joined(missing);
}

std::string without_build(const std::string& version) { return version.substr(0, version.find('+')); }

}  // namespace

std::optional<Pt2Archive> read_pt2_archive(const OpenedFile& file) {
  if (!file.zip) {
    return std::nullopt;
  }
  const ZipReader& zip = *file.zip;
  const std::optional<std::string> root = find_root(zip);
  if (!root) {
    return std::nullopt;
  }
  const std::string models_in = *root + std::string(kModels);
  std::set<std::string> models;
  for (const ZipEntry& entry : zip.entries()) {
    if (entry.name.starts_with(models_in)) {
      checked_path(entry.name.substr(root->size()));
      models.emplace(entry.name.substr(models_in.size(), entry.name.find('/', models_in.size()) - models_in.size()));
    }
  }
  Pt2Archive archive{
      .file = file.bytes, .model = choose_model(models), .metadata = {}, .names = {}, .fixed = {}, .parts = {}};
  const std::string folder = std::string(kModels) + archive.model + "/";
  bool has_code = false;
  for (const ZipEntry& entry : zip.entries()) {
    if (!entry.name.starts_with(*root)) {
      continue;
    }
    const std::string_view path = entry.name.substr(root->size());
    if (path == kNamesEntry) {
      archive.names = text_in(entry);
    } else if (path.starts_with(folder) && path.ends_with(kWrapperEnd)) {
      const std::string_view source = text_in(entry);
      archive.fixed = {fixed_size(source, 0), fixed_size(source, 1)};
    } else if ((path.starts_with(folder) || path.starts_with(kConstants)) && !path.ends_with(".cpp") &&
               !path.ends_with(".o")) {
      has_code = has_code || path.ends_with(".so");
      archive.parts.emplace_back(checked_path(path), entry);
      if (path.ends_with(kMetadataEnd)) {
        const std::string_view text = text_in(entry);
        archive.metadata = with_place(std::string(kMetadataEnd), [&] { return parse_metadata(text); });
      }
    }
  }
  require(has_code, "holds the sources of a model, not its compiled code; package it without package_cpp_only");
  if (archive.metadata.empty()) {
    throw FormatError("does not say what its code was compiled for: there is no " + std::string(kMetadataEnd));
  }
  return archive;
}

void check_runs_here(const Pt2Archive& archive, const std::string& torch_version) {
  const auto fail = [](const std::string& fact) { throw FormatError("was compiled for " + fact + kExportAgain); };
  utsname here = {};
  uname(&here);
  for (const auto& [key, ours] : {std::pair<const char*, const char*>("AOTI_PLATFORM", "linux"),
                                  std::pair<const char*, const char*>("AOTI_MACHINE", here.machine)}) {
    if (const std::string theirs = value_of(archive, key); !theirs.empty() && theirs != ours) {
      fail(theirs + ", and this is " + ours);
    }
  }
  if (const std::string missing = missing_instructions(value_of(archive, "AOTI_CPU_ISA")); !missing.empty()) {
    fail("a processor with " + missing + ", which this one lacks");
  }
  const std::string version = value_of(archive, "torch_version");
  if (!version.empty() && without_build(version) != without_build(torch_version)) {
    fail("PyTorch " + version + ", and this is LibTorch " + torch_version);
  }
}

}  // namespace iris
