"""A net of real size on many rows: 13 numbers through 13→512→512→10, file to file."""

import csv
import subprocess
from pathlib import Path

from environment import HERE, Place, peer
from measure import OURS, Section, compare, try_out

SAME = 0.999  # of the classes: two of a net with random weights may all but tie
CHECKED_ROWS = 1000
PASSES, PASS_ROWS = "LibTorch program that only runs the passes, 512 rows each", 512
FEATURES = 13


def run(place: Place, rows: int, rounds: int) -> Section:
    """Raises RuntimeError if two of the programs answer differently."""
    section = Section(f"CSV of 13 numbers through 13→512→512→10 (TorchScript), {rows:,} rows")
    model, onnx = place.folder / "wide.ts.pt", place.folder / "wide.onnx"
    source, target = place.folder / "wide.csv", place.folder / "answers.csv"
    make = [str(place.python), str(HERE / "wide_inputs.py"), str(model), str(source)]
    exports = {"pyarrow + onnxruntime": peer(place.peers, "export_wide.py", model, onnx)} if place.peers else {}

    subprocess.run([*make, str(CHECKED_ROWS)], check=True)
    commands = {OURS: [str(place.build / "iris"), "predict", str(model), "-i", str(source), "-o", str(target)]}
    if place.peers:
        commands["pyarrow + torch"] = peer(place.peers, "wide_pyarrow.py", model, source, target)
        for name in try_out(section, exports):
            commands[name] = peer(place.peers, "wide_pyarrow.py", onnx, source, target)
    answers = {}
    for name in list(commands):
        if name in try_out(section, {name: commands[name]}):
            answers[name] = _labels(target)
            target.unlink()
        else:
            del commands[name]
    for name, labels in answers.items():
        equal = sum(ours == theirs for ours, theirs in zip(answers[OURS], labels, strict=True))
        if equal < SAME * CHECKED_ROWS:
            raise RuntimeError(f"{name}: {CHECKED_ROWS - equal} of {CHECKED_ROWS} labels differ from iris'")

    subprocess.run([*make, str(rows)], check=True)
    program = place.build / "tests" / "bench" / "bench_passes"
    passes = {PASSES: [str(word) for word in (program, model, rows, FEATURES, PASS_ROWS)]}
    try_out(section, passes)
    commands |= passes
    compare(section, commands, rounds, lambda: target.unlink(missing_ok=True))
    return section


def _labels(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return [row["label"] for row in csv.DictReader(file)]
