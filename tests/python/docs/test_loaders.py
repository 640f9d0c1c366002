"""The table in docs/formats.md: what Python's two loaders and iris do with each kind of file. Made here, compared."""

import argparse
import collections
import json
import os
import pathlib
import subprocess
import sys
import types
from collections.abc import Callable

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import nn

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")

THEIRS = types.ModuleType("their_project")  # its code is not where the file is read
LEGACY = {"_use_new_zipfile_serialization": False}


def theirs(cls):
    cls.__module__ = "their_project"
    setattr(THEIRS, cls.__name__, cls)
    return cls


@theirs
class Config:
    pass


@theirs
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)


class Trap:
    """Its pickle calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def saved(value, **options) -> Callable:
    return lambda path: torch.save(value(), path, **options)


def state_dict() -> collections.OrderedDict:
    return nn.Linear(2, 2).state_dict()


# What is in the file, and what writes it. A trap writes the file `ran` where it is read.
FILES = {
    "a state_dict": saved(state_dict),
    "a state_dict in the container of PyTorch before 1.6": saved(state_dict, **LEGACY),
    "a state_dict in pickle protocol 0": saved(state_dict, pickle_protocol=0),
    "a checkpoint of dictionaries, lists, numbers and texts": saved(
        lambda: {"model": state_dict(), "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}, "epoch": 3}
    ),
    "safetensors": lambda path: safetensors.torch.save_file(state_dict(), path),
    "NumPy's scalars and arrays": saved(lambda: {"model": state_dict(), "loss": np.float64(1), "mean": np.ones(3)}),
    "`argparse.Namespace`, `pathlib` and others of Python's own": saved(
        lambda: {"model": state_dict(), "args": argparse.Namespace(lr=1), "path": pathlib.PurePosixPath("/")}
    ),
    "an object of a class whose code is not here": saved(lambda: {"model": state_dict(), "config": Config()}),
    "a frozenset": saved(lambda: {"model": state_dict(), "frozen": frozenset([1])}),
    "an integer of more than 255 bytes": saved(lambda: {"model": state_dict(), "big": 1 << 2100}),
    "a whole model of torch's modules": saved(lambda: nn.Sequential(nn.Linear(2, 2))),
    "a whole model of a class whose code is not here": saved(Net),
    "a whole model, in the container of PyTorch before 1.6": saved(Net, **LEGACY),
    "modules in a checkpoint": saved(lambda: {"model": Net(), "epoch": 3}),
    "quantized tensors": saved(lambda: {"w": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}),
    "sparse tensors": saved(lambda: {"w": torch.eye(2).to_sparse()}),
    "TorchScript": lambda path: torch.jit.save(torch.jit.script(nn.Linear(2, 2)), path),
    "TorchScript frozen as a whole": lambda path: torch.jit.save(
        torch.jit.freeze(torch.jit.script(nn.Linear(2, 2).eval())), path
    ),
    "a call of `os.system`": saved(lambda: {"model": state_dict(), "trap": Trap(os.system, "touch ran")}),
    "a call of `builtins.eval`": saved(lambda: {"model": state_dict(), "trap": Trap(eval, "open('ran', 'w')")}),
    "a call of a function that nobody warns of": saved(
        lambda: {"model": state_dict(), "trap": Trap(np.savetxt, "ran", [1.0])}
    ),
    "a tensor that an unknown function would make": saved(
        lambda: {"w": Trap(torch.nn.functional.relu, torch.ones(2))}
    ),
    "a cycle of lists": saved(lambda: in_a_cycle()),
}  # fmt: skip

# In a process without the code of their_project: {path: what happened}.
PYTHON = """
import json, os, pickle, sys, warnings
import torch
warnings.simplefilter("ignore")
told = {}
for path in sys.argv[2:]:
    try:
        torch.load(path, weights_only=sys.argv[1] == "safe")
        word = "reads"
    except (ImportError, AttributeError):
        word = "fails without the class"
    except Exception as error:
        word = "refuses"
    if os.path.exists("ran"):
        os.remove("ran")
        word = "**runs it**"
    told[path] = word
print(json.dumps(told))
"""


def in_a_cycle() -> dict:
    items: list = []
    items.append(items)
    return {"items": items}


def python_says(folder, paths: list[str], which: str) -> dict[str, str]:
    environment = {**os.environ, "PYTHONPATH": ""}
    answer = subprocess.run([sys.executable, "-c", PYTHON, which, *paths], cwd=folder, env=environment,
                            capture_output=True, text=True, check=True)  # fmt: skip
    return json.loads(answer.stdout.splitlines()[-1])


def iris_says(iris, folder, path: str) -> str:
    answer = iris("convert", path, "out.pt", cwd=folder)
    assert not (folder / "ran").exists()
    if answer.returncode != 0:
        return "refuses"
    torch.load(folder / "out.pt", weights_only=True)
    if "left out" in answer.stderr:
        return "reads, names what it leaves out"
    return "reads its state_dict" if "state_dict()" in answer.stderr else "reads"


def rows_of(document: str) -> list[list[str]]:
    table = document.partition("| in the file |")[2].partition("\n\n")[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table]


def test_the_table_of_loaders_is_what_they_do(iris, repo, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "their_project", THEIRS)
    paths = {}
    for number, (kind, write) in enumerate(FILES.items()):
        paths[kind] = f"{number}.pt"
        write(tmp_path / paths[kind])
    safe = python_says(tmp_path, list(paths.values()), "safe")
    unsafe = python_says(tmp_path, list(paths.values()), "unsafe")
    found = [[kind, safe[path], unsafe[path], iris_says(iris, tmp_path, path)] for kind, path in paths.items()]
    print("\n".join("| " + " | ".join(row) + " |" for row in found))  # to be copied into the document
    assert rows_of((repo / "docs/formats.md").read_text()) == found
