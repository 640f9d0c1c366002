"""The steps of documents that their tests do not run, each with its reason; and the files that documents assume."""

import importlib.util
import shutil
from pathlib import Path

import torch

ELSEWHERE = "for a cluster, and none is here"
ITSELF = "sets up and builds the tree that the tests run in; CI runs it"

# (document, a command, or a word of a block): why it is not run. Each must occur.
NOT_RUN = {
    ("CONTRIBUTING.md", "script/build"): ITSELF,
    ("CONTRIBUTING.md", "script/build asan"): ITSELF,
    ("CONTRIBUTING.md", 'script/test -k "refuses globals"'): ITSELF,
    ("CONTRIBUTING.md", "script/test -k test_inspect.py"): ITSELF,
    ("README.md", "script/demo"): ITSELF,
    ("README.md", "script/test"): ITSELF,
    ("README.md", "script/build --torch DIR"): ITSELF,
    (
        "README.md",
        "pip install .",
    ): "builds for minutes and changes the tests' own Python; test_wheel.py does it elsewhere",
    ("README.md", "script/test --torch DIR"): ITSELF,
    ("README.md", "cpack --config build/release/CPackConfig.cmake -G DEB"): "test_install.py packs, and installs it",
    ("docs/beyond-one-machine.md", "script/setup-extras --ray"): ITSELF,
    (
        "docs/beyond-one-machine.md",
        ".venv/bin/python examples/ray/score.py models/iris_net.pt data/iris.csv answers --iris build/release/iris",
    ): "takes half a minute; test_ray.py runs the same job",
    ("docs/beyond-one-machine.md", "--master yarn"): ELSEWHERE,
    ("docs/beyond-one-machine.md", "--master k8s"): ELSEWHERE,
    ("docs/beyond-one-machine.md", "ray job submit --working-dir . -- python examples/ray/score.py …"): ELSEWHERE,
    ("docs/cuda.md", "script/build --torch DIR"): ITSELF,
    ("docs/cuda.md", "build/release-…/iris --version"): "a build against another LibTorch",
    ("docs/cuda.md", "iris predict model.pt -i rows.csv --device cuda:1 --dtype bfloat16"): "needs a second GPU",
    ("docs/performance.md", "iris predict MODEL a b c d"): "names a program of a table; a b c d are four numbers",
    ("examples/spark/README.md", "script/setup-extras --spark"): ITSELF,
}
# Programs that a machine may lack, by a word of the steps that need them. Without one, its steps are left out.
NEEDS = {
    "parallel ": ("GNU parallel", lambda: shutil.which("parallel")),
    "spark-submit": ("PySpark", lambda: importlib.util.find_spec("pyspark")),
    "answers/part-": ("PySpark", lambda: importlib.util.find_spec("pyspark")),
}


def is_not_run(document: str, step) -> bool:
    """Whether the step (documents.Step) is one of NOT_RUN."""
    known = {text for name, text in NOT_RUN if name == document}
    return step.command in known or (step.language == "bash" and any(text in step.text for text in known))


def give(document: str, folder: Path) -> None:
    """Writes the files into the folder that the document assumes its reader to have."""
    if document == "README.md":
        torch.save(torch.nn.Linear(2, 3).state_dict(), folder / "resnet18.pth", _use_new_zipfile_serialization=False)
        shutil.copy(folder / "tests/fixtures/checkpoint.pt", folder)
    if document in ("README.md", "docs/beyond-one-machine.md", "docs/cuda.md"):
        shutil.copy(folder / "data/iris.csv", folder / "rows.csv")
        shutil.copy(folder / "models/iris_net.pt", folder / "model.pt")
    if document == "docs/beyond-one-machine.md":
        (folder / "rows").mkdir()
        for name in ("part-0.csv", "part-1.csv"):
            shutil.copy(folder / "data/iris.csv", folder / "rows" / name)
