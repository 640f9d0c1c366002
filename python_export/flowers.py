"""Reads CSV files of flowers into tensors."""

import csv
import math
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import torch

from iris_net import FEATURES, LABELS
from model_file import InputError

# float() takes more ("1_000", " 5.1 ", "infinity", digits of other scripts), which is not a number in a CSV file.
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_FLOAT32_MAX = torch.finfo(torch.float32).max
_FLOAT32_END = 2.0**128 - 2.0**103  # in the middle of the largest float32 and the one that would be next


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
    """The rows that are not empty, each with the number of its first line."""
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
    value = float32_of(text)
    if math.isinf(value):
        raise InputError(f"{where}: not finite as float32: {_quoted(text)}")
    return value


def float32_of(text: str) -> float:
    """The float32 nearest to a decimal number; of two that are equally near the even one; infinity past the largest.

    As C's strtof: the text is rounded once. float() followed by torch.tensor() would round it twice.
    """
    value = float(text)
    nearest = _rounded(value)
    if nearest == value:
        return nearest
    # The neighbour on the other side, where value lies in the middle of two.
    other = math.copysign(_FLOAT32_MAX, value) if abs(value) == _FLOAT32_END else value + (value - nearest)
    if math.isinf(other) or _rounded(other) != other:
        return nearest
    exact, middle = Decimal(text), Decimal(value)  # neither is rounded, nor is what compares them
    if exact == middle:
        return nearest
    return max(nearest, other) if exact > middle else min(nearest, other)


def _rounded(value: float) -> float:
    """A double as float32, ties to even."""
    try:
        return struct.unpack("<f", struct.pack("<f", value))[0]
    except OverflowError:
        return math.copysign(math.inf, value)


def _label(text: str, where: str) -> int:
    if text not in LABELS:
        raise InputError(f"{where}: unknown label: {_quoted(text)}; expected {', '.join(LABELS)}")
    return LABELS.index(text)


def _quoted(text: str) -> str:
    """The text in double quotes, on one line, cut at 40 characters, with control characters escaped."""
    shown = text if len(text) <= 40 else text[:40] + "..."
    return '"' + "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in shown) + '"'
