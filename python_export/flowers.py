"""CSV of flowers -> tensors."""

import csv
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import torch

from iris_net import FEATURES, LABELS
from model_file import InputError

# What float() takes beyond this ("1_000", " 5.1 ", "infinity", digits of other scripts) is not a number in a CSV file.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FLOAT32_MAX = torch.finfo(torch.float32).max


@dataclass(frozen=True)
class Flowers:
    """features: float32 [N, 4], cm, in FEATURES' order. labels: int64 [N], indexes of LABELS. path: for messages."""

    features: torch.Tensor
    labels: torch.Tensor
    path: Path

    def where(self, chosen: torch.Tensor) -> "Flowers":
        """The flowers that the bool [N] tensor chooses, in the same order."""
        return Flowers(self.features[chosen], self.labels[chosen], self.path)

    def to(self, device: torch.device) -> "Flowers":
        return Flowers(self.features.to(device), self.labels.to(device), self.path)


def read_flowers(path: Path, label_column: str = "species") -> Flowers:
    """Reads CSV (RFC 4180, UTF-8, LF or CRLF) whose header names the four features and the label, in any order.

    Other columns and empty lines are ignored. Raises InputError, with the line and column, for a file that cannot be
    read, a missing or repeated column, a row of another length, a value that is not a finite float32, and an unknown
    label.
    """
    columns = (*FEATURES, label_column)
    features: list[list[float]] = []
    labels: list[int] = []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _numbered_rows(csv.reader(file, strict=True), path)
            line, header = next(rows, (1, None))
            if header is None:
                raise InputError(f"{path}: is empty; expected the header {','.join(columns)}")
            place = {name: _column(header, name, columns, f"{path}:{line}") for name in columns}
            for line, row in rows:
                where = f"{path}:{line}"
                if len(row) != len(header):
                    raise InputError(f"{where}: expected {len(header)} fields, got {len(row)}")
                features.append([_number(row[place[name]], f"{where}: {name}") for name in FEATURES])
                labels.append(_label(row[place[label_column]], f"{where}: {label_column}"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: not a CSV file: not UTF-8 text") from error
    if not labels:
        raise InputError(f"{path}: holds no flowers, only a header")
    return Flowers(torch.tensor(features, dtype=torch.float32), torch.tensor(labels, dtype=torch.int64), path)


def _numbered_rows(reader, path: Path) -> Iterator[tuple[int, list[str]]]:
    """The rows that are not empty, each with the line on which it begins."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise InputError(f"{path}:{line}: not valid CSV: {error}") from error
        if row:
            yield line, row


def _column(header: list[str], name: str, columns: tuple[str, ...], where: str) -> int:
    if header.count(name) == 0:
        raise InputError(f"{where}: missing column: {name}; the header must name {', '.join(columns)}")
    if header.count(name) > 1:
        raise InputError(f"{where}: repeated column: {name}")
    return header.index(name)


def _number(text: str, where: str) -> float:
    if text == "":
        raise InputError(f"{where}: missing value")
    if not _NUMBER.fullmatch(text):
        raise InputError(f"{where}: not a number: {_quoted(text)}")
    value = float(text)
    if not math.isfinite(value) or abs(value) > _FLOAT32_MAX:
        raise InputError(f"{where}: not finite as float32: {_quoted(text)}")
    return value


def _label(text: str, where: str) -> int:
    if text not in LABELS:
        raise InputError(f"{where}: unknown label: {_quoted(text)}; expected {', '.join(LABELS)}")
    return LABELS.index(text)


def _quoted(text: str) -> str:
    """In double quotes on one line, cut where it is long, with nothing that could disturb a terminal."""
    shown = text if len(text) <= 40 else text[:40] + "..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown) + '"'
