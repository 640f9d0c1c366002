"""A run's history: for each epoch a dict with ENTRY's keys; with --patience also VALIDATION's."""

import csv
import math
from pathlib import Path

from .model_file import InputError

ENTRY = ("epoch", "loss", "accuracy", "test_loss", "test_accuracy")
VALIDATION = ("validation_loss", "validation_accuracy")


def entry_keys(validated: bool) -> tuple[str, ...]:
    return (*ENTRY, *VALIDATION) if validated else ENTRY


def best_epoch(history: list[dict]) -> int:
    """The epoch of the lowest validation loss, the first of equals. history: at least one entry."""
    return min(history, key=lambda entry: entry["validation_loss"])["epoch"]


def to_csv(history: list[dict], validated: bool) -> bytes:
    keys = entry_keys(validated)
    rows = [",".join(keys), *(",".join(f"{entry[key]:.9g}" for key in keys) for entry in history)]
    return "".join(row + "\n" for row in rows).encode()


def read_csv(path: Path) -> dict[str, list[float]]:
    """The columns of a file that --history wrote. Raises InputError, with the line, for any other file."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.reader(file, strict=True))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: not a history as --history writes it: {error}") from error
    if not rows or tuple(rows[0]) not in (entry_keys(False), entry_keys(True)):
        raise InputError(f"{path}:1: not a history as --history writes it: expected the header {','.join(ENTRY)}")
    for line, row in enumerate(rows[1:], start=2):
        if len(row) != len(rows[0]) or not all(_is_finite_number(text) for text in row):
            raise InputError(f"{path}:{line}: expected {len(rows[0])} finite numbers, got {','.join(row)[:60]}")
    if len(rows) == 1:
        raise InputError(f"{path}: holds no epoch, only a header")
    return {key: [float(row[index]) for row in rows[1:]] for index, key in enumerate(rows[0])}


def _is_finite_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
