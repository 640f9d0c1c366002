// A .pt2 archive, as data: what torch.export and AOTInductor write (torch/csrc/export/pt2_archive_constants.h). No
// LibTorch in it, and nothing in it is run.
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tensor_file/file_kind.h"

namespace iris {

struct Pt2Archive {
  std::shared_ptr<const FileBytes> file;  // the views are into it
  std::string model;                      // the compiled model: the one called "model", else the only one
  std::map<std::string, std::string>
      metadata;       // AOTInductor's of it: AOTI_DEVICE_KEY, AOTI_CPU_ISA, …; our torch_version
  std::string names;  // the content of kNamesEntry; empty: there is none
  // The sizes that its first input must have. Its source says them; nullopt: any size, or the package has no source.
  struct Fixed {
    std::optional<std::size_t> rows;
    std::optional<std::size_t> features;
  };
  Fixed fixed;
  // The compiled code and what it reads, by the paths that LibTorch's loader expects: "data/aotinductor/MODEL/…",
  // "data/constants/…", with no more folders and no "..". Sources are not among them.
  std::vector<std::pair<std::string, ZipEntry>> parts;

  // "cpu" or "cuda".
  const std::string& device() const { return metadata.at("AOTI_DEVICE_KEY"); }

  void require_unchanged() const { file->require_unchanged(); }
};

// nullopt where the file is not a .pt2 archive. The parts' CRCs are checked by whoever reads them. Throws FormatError,
// without the path: damaged, a program of torch.export that is not compiled, no model, or several of which none is
// called "model".
std::optional<Pt2Archive> read_pt2_archive(const OpenedFile& file);

// Throws FormatError where the code is for another system, processor or vector unit than this machine's, or for another
// version of PyTorch than `torch_version`, so far as the package says.
void check_runs_here(const Pt2Archive& archive, const std::string& torch_version);

}  // namespace iris
