"""Writes files of flowers, the same ones every time: python inputs.py SHAPE ROWS FILE.

Shapes: `csv_N` with N decimals (data/iris.csv has one, a float32 printed by "%.6g" five, computed data 15), and
`ndjson` with one.
A flower is one of data/iris.csv, up to 0.2 cm larger or smaller in each feature.
"""

import csv
import sys
from pathlib import Path

import numpy as np

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
IRIS = Path(__file__).resolve().parent.parent.parent / "data" / "iris.csv"
BLOCK = 1 << 19  # rows made at a time


def flowers_in_tenths() -> np.ndarray:
    """data/iris.csv in millimetres: int [150, 4]."""
    with IRIS.open(newline="") as file:
        return np.array([[round(float(row[name]) * 10) for name in FEATURES] for row in csv.DictReader(file)])


def block(flowers: np.ndarray, template: str, decimals: int, rows: int, random: np.random.Generator) -> bytes:
    """`rows` lines, each the template with its "#" replaced by numbers of `decimals` decimals."""
    line = np.frombuffer(template.replace("#", "0." + "0" * decimals).encode() + b"\n", dtype=np.uint8)
    first = np.array([i for i, c in enumerate(template) if c == "#"]) + (decimals + 1) * np.arange(len(FEATURES))
    tenths = flowers[random.integers(len(flowers), size=rows)] + random.integers(-2, 3, size=(rows, len(FEATURES)))
    tenths = tenths.clip(1, 99)
    text = np.tile(line, (rows, 1))
    text[:, first] += (tenths // 10).astype(np.uint8)
    text[:, first + 2] += (tenths % 10).astype(np.uint8)
    for place in range(3, decimals + 2):
        text[:, first + place] += random.integers(10, size=(rows, len(FEATURES)), dtype=np.uint8)
    return text.tobytes()


def main() -> None:
    shape, rows, path = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    decimals = 1 if shape == "ndjson" else int(shape.removeprefix("csv_"))
    template = "{" + ",".join(f'"{name}":#' for name in FEATURES) + "}" if shape == "ndjson" else "#,#,#,#"
    flowers, random = flowers_in_tenths(), np.random.default_rng(0)
    with path.open("wb") as file:
        if shape != "ndjson":
            file.write((",".join(FEATURES) + "\n").encode())
        for start in range(0, rows, BLOCK):
            file.write(block(flowers, template, decimals, min(BLOCK, rows - start), random))


if __name__ == "__main__":
    main()
