"""The program and its two plug-ins are linked from the same static libraries. What they share, the noted signal and the
types of exceptions, is the program's: its dynamic symbols win."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PLUGINS = ["libiris_torch_verbs.so", "libiris_serve_verb.so"]
# The functions of io/interrupt and io/output_file, and the exceptions that main catches.
SHARED = re.compile(
    r"iris::(note_interrupts|wake|is_interrupted|throw_if_interrupted|is_same_file)\(.*|iris::(HeldInterrupts|OutputFile)::.*"
    r"|typeinfo (name )?for iris::(Error|FormatError|InputError|UsageError|OutputClosed|Interrupted)"
)
EXCEPTIONS = ["Error", "FormatError", "InputError", "UsageError", "OutputClosed", "Interrupted"]

pytestmark = pytest.mark.skipif(
    not (shutil.which("nm") and shutil.which("readelf")), reason="nm and readelf are not installed"
)


def output_of(*command) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def shared_symbols(path) -> set[str]:
    """The dynamic symbols that the file itself defines, demangled, of those that must be one."""
    names = {line.split(" ", 2)[2] for line in output_of("nm", "-DC", "--defined-only", path).splitlines()}
    return {name for name in names if SHARED.fullmatch(name)}


@pytest.fixture(params=PLUGINS)
def plugin(binary, request) -> Path:
    return Path(binary).resolve().parent / request.param


def test_the_program_exports_what_a_plugin_shares_with_it(binary, plugin):
    shared = shared_symbols(plugin)
    assert {"iris::is_interrupted()", "iris::throw_if_interrupted()", "typeinfo for iris::InputError"} <= shared
    assert shared - shared_symbols(binary) == set()


@pytest.mark.parametrize("exception", EXCEPTIONS)
def test_the_program_exports_the_type_of_an_exception(binary, exception):
    assert f"typeinfo for iris::{exception}" in shared_symbols(binary)


def test_a_plugin_is_not_bound_to_its_own_symbols(plugin):
    """The linker's -Bsymbolic leaves a flag; -Bsymbolic-functions leaves none, but calls that are not looked up."""
    assert "SYMBOLIC" not in output_of("readelf", "-dW", plugin)
    looked_up = output_of("readelf", "-rWC", plugin)
    assert re.search(r"R_\S+_(JUMP_SLOT?|GLOB_DAT) .* iris::throw_if_interrupted\(\)", looked_up)
