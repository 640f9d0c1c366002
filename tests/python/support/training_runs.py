"""What the tests of checkpoints share: the data, and the files that a run writes."""

import subprocess
import time
from pathlib import Path

from commands import REPO, TIMEOUT_S

DATA = REPO / "data/iris.csv"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def wait_for_more(folder: Path, before: set[str], process: subprocess.Popen) -> None:
    """Until there is a file in the folder that was not there before, while the process runs."""
    end = time.monotonic() + TIMEOUT_S
    while not names_in(folder) - before:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.002)


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def error_of(result: subprocess.CompletedProcess) -> str:
    """The only line of a run that failed with exit status 1."""
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.removeprefix("train.py: error: ").removesuffix("\n")


def changed(state: dict, where: str, value: object) -> dict:
    """The state with another value at a path such as "config/lr": the new one, or a function of the old; ...: none."""
    *parents, last = where.split("/")
    inner = state
    for parent in parents:
        inner = inner[int(parent) if parent.isdigit() else parent]
    key = int(last) if last.isdigit() else last
    if value is ...:
        del inner[key]
    else:
        inner[key] = value(inner[key]) if callable(value) else value
    return state
