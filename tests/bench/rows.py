"""Many rows, file to file: iris beside the programs that Python's users write for this."""

import csv
import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from environment import HERE, Place, peer
from measure import OURS, Section, compare, try_out

CHECKED_ROWS = 1000
TOLERANCE = 1e-5
# Script, and extension of the model that it reads, by name.
PEERS = {
    "pandas + torch": ("csv_pandas_torch.py", ".pt"),
    "polars + torch": ("polars_torch.py", ".pt"),
    "pyarrow + torch": ("csv_pyarrow_torch.py", ".pt"),
    "pyarrow + onnxruntime": ("csv_pyarrow_onnxruntime.py", ".onnx"),
    "pyarrow + scikit-learn": ("csv_pyarrow_sklearn.py", ".joblib"),
}
NDJSON = {OURS, "polars + torch"}  # the programs that read and write NDJSON too; all do CSV
EXPORTS = {".onnx": "export_onnx.py", ".joblib": "export_sklearn.py"}


@dataclass
class Task:
    """The work of every program: `shape` is that of inputs.py, `share` is multiplied by the number of rows."""

    name: str
    shape: str
    share: float = 1.0
    options: tuple[str, ...] = ()
    answers: str = ".csv"

    @property
    def extension(self) -> str:
        return ".ndjson" if self.shape == "ndjson" else ".csv"

    def does(self, name: str) -> bool:
        return name in NDJSON or ".ndjson" not in (self.extension, self.answers)


TASKS = (
    Task("CSV of one decimal to label and confidence", "csv_1"),
    Task("CSV of two decimals to label and confidence", "csv_2"),
    Task("CSV of six digits to label and confidence", "csv_5"),  # 5.12345
    Task("CSV of 15 decimals to label and confidence", "csv_15", share=0.2),
    Task("CSV to all probabilities", "csv_1", options=("--probabilities",)),
    Task("CSV to NDJSON of label and confidence", "csv_1", answers=".ndjson"),
    Task("NDJSON to label and confidence", "ndjson", share=0.2, answers=".ndjson"),
)


def run(place: Place, rows: int, rounds: int, tasks: str = "", peers: str = "") -> list[Section]:
    """A section for each task whose name holds `tasks`, with the peers whose names hold `peers`.

    Raises RuntimeError if two of the programs answer differently.
    """
    programs, left_out = _programs(place)
    programs = {name: command for name, command in programs.items() if name == OURS or peers in name}
    left_out = {name: reason for name, reason in left_out.items() if peers in name}
    return [
        _run_task(place, task, programs, left_out, max(int(rows * task.share), 1), rounds)
        for task in TASKS
        if tasks in task.name
    ]


def _programs(place: Place) -> tuple[dict[str, list[str]], dict[str, str]]:
    """How each program's command begins; and why some are left out: their models could not be made."""
    programs, left_out = {OURS: [str(place.build / "iris"), "predict", str(place.model)]}, {}
    if place.peers is None:
        return programs, left_out
    models = {".pt": place.model} | {extension: place.folder / f"rows{extension}" for extension in EXPORTS}
    exports = Section("exports")
    commands = {end: peer(place.peers, script, place.model, models[end]) for end, script in EXPORTS.items()}
    try_out(exports, commands)
    for name, (script, extension) in PEERS.items():
        if extension in exports.left_out:
            left_out[name] = exports.left_out[extension]
        else:
            programs[name] = peer(place.peers, script, models[extension])
    return programs, left_out


def _run_task(
    place: Place, task: Task, programs: dict[str, list[str]], left_out: dict[str, str], rows: int, rounds: int
) -> Section:
    section = Section(f"{task.name}, {rows:,} rows")
    section.left_out = {name: reason for name, reason in left_out.items() if task.does(name)}

    def commands(source: Path, targets: dict[str, Path]) -> dict[str, list[str]]:
        files = {name: [str(source), str(target)] for name, target in targets.items()}
        files[OURS] = ["-i", str(source), "-o", str(targets[OURS])]
        return {name: [*programs[name], *files[name], *task.options] for name in targets}

    small = _make(place, task, CHECKED_ROWS, f"small{task.extension}")
    targets = {name: place.folder / f"{name}{task.answers}" for name in programs if task.does(name)}
    trial = commands(small, targets)
    try_out(section, trial)
    expected = _answers(targets[OURS])
    if len(expected) != CHECKED_ROWS:
        raise RuntimeError(f"{task.name}: {len(expected)} answers to {CHECKED_ROWS} rows")
    for name in trial:
        _check(f"{task.name}: {name}", _answers(targets[name]), expected)

    source, target = _make(place, task, rows, f"large{task.extension}"), place.folder / f"answers{task.answers}"
    compare(section, commands(source, dict.fromkeys(trial, target)), rounds, target.unlink)
    source.unlink()
    return section


def _make(place: Place, task: Task, rows: int, name: str) -> Path:
    """Writes the input file to disk, in a process of its own, so that this one stays small."""
    path = place.folder / name
    subprocess.run([str(place.python), str(HERE / "inputs.py"), task.shape, str(rows), str(path)], check=True)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return path


def _answers(path: Path) -> list[dict]:
    """The rows of a small file, by column."""
    with path.open(encoding="utf-8", newline="") as file:
        return [json.loads(line) for line in file] if path.suffix == ".ndjson" else list(csv.DictReader(file))


def _check(where: str, theirs: list[dict], ours: list[dict]) -> None:
    """Raises RuntimeError unless both have the same columns and labels, and numbers within the tolerance."""
    if len(theirs) != len(ours):
        raise RuntimeError(f"{where}: {len(theirs)} answers, iris {len(ours)}")
    for number, (their, our) in enumerate(zip(theirs, ours, strict=True), start=1):
        same = their["label"] == our["label"] and their.keys() == our.keys()
        if not same or any(abs(float(their[k]) - float(our[k])) > TOLERANCE for k in their.keys() - {"label"}):
            raise RuntimeError(f"{where}: row {number}: {their}, iris: {our}")
