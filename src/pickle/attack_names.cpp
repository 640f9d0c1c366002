#include "pickle/attack_names.h"

#include <algorithm>
#include <array>

namespace iris::pickle {
namespace {

// Whatever lies in these modules.
constexpr std::array<std::string_view, 28> kModules = {"posix",
                                                       "nt",
                                                       "subprocess",
                                                       "_posixsubprocess",
                                                       "pty",
                                                       "runpy",
                                                       "socket",
                                                       "_socket",
                                                       "importlib",
                                                       "imp",
                                                       "commands",
                                                       "popen2",
                                                       "code",
                                                       "codeop",
                                                       "pdb",
                                                       "bdb",
                                                       "timeit",
                                                       "profile",
                                                       "cProfile",
                                                       "trace",
                                                       "webbrowser",
                                                       "pip",
                                                       "ctypes",
                                                       "torch.hub",
                                                       "distutils.spawn",
                                                       "asyncio.subprocess",
                                                       "shutil",
                                                       "pydoc"};

constexpr std::array<std::string_view, 11> kBuiltins = {"eval",  "exec",  "execfile",   "compile", "__import__", "open",
                                                        "apply", "input", "breakpoint", "globals", "vars"};

// Of module os, which also has harmless ones. exec… and spawn… come in many spellings.
constexpr std::array<std::string_view, 12> kOs = {"system", "popen",  "exec",   "spawn", "posix_spawn", "fork",
                                                  "kill",   "remove", "unlink", "rmdir", "startfile",   "putenv"};

bool is_in_module(std::string_view name, std::string_view module) {
  return name.starts_with(module) && name.size() > module.size() && name[module.size()] == '.';
}

// The name's rest after "module."; empty where it is of another module.
std::string_view in_module(std::string_view name, std::string_view module) {
  return is_in_module(name, module) ? name.substr(module.size() + 1) : std::string_view();
}

bool is_function_that_runs(std::string_view name) {
  const std::string_view in_os = in_module(name, "os");
  return std::ranges::find(kBuiltins, in_module(name, "builtins")) != kBuiltins.end() || name == "io.open" ||
         name == "_io.open" || name == "codecs.open" ||
         std::ranges::any_of(kOs, [&](std::string_view each) { return in_os.starts_with(each); });
}

}  // namespace

bool is_attack_name(std::string_view name) {
  if (std::ranges::any_of(kModules, [&](std::string_view module) { return is_in_module(name, module); })) {
    return true;
  }
  // Protocol 4 reaches a module through the attributes of another: torch, "serialization.os.system".
  while (!is_function_that_runs(name) && !is_in_module(name, "subprocess") && !is_in_module(name, "runpy")) {
    const std::size_t dot = name.find('.');
    if (dot == std::string_view::npos) {
      return false;
    }
    name.remove_prefix(dot + 1);
  }
  return true;
}

}  // namespace iris::pickle
