"""Reads CSV files of flowers into tensors."""

import math
import struct
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import torch

from csv_rows import USUAL_LABEL_COLUMN, LabelReader, is_finite_text, layout_of, number_text, printable, records
from iris_net import FEATURES, LABELS
from model_file import InputError

UNIT = "cm"  # of the features
_FLOAT32_MAX = torch.finfo(torch.float32).max
_FLOAT32_END = 2.0**128 - 2.0**103  # in the middle of the largest float32 and the one that would be next


@dataclass(frozen=True)
class Flowers:
    """features: float32 [N, 4], cm, in FEATURES' order. labels: int64 [N], indexes of LABELS. path: for messages.

    notes: what the user should know of how the file was read.
    """

    features: torch.Tensor
    labels: torch.Tensor
    path: Path
    notes: list[str] = field(default_factory=list)

    def where(self, chosen: torch.Tensor) -> "Flowers":
        """The flowers that the bool [N] tensor chooses, in the same order."""
        return Flowers(self.features[chosen], self.labels[chosen], self.path)

    def to(self, device: torch.device) -> "Flowers":
        return Flowers(self.features.to(device), self.labels.to(device), self.path)


def read_flowers(
    path: Path,
    label_column: str = USUAL_LABEL_COLUMN,
    names: tuple[str, ...] = FEATURES,
    classes: tuple[str, ...] = LABELS,
) -> Flowers:
    """Reads a CSV file of the four features and the label: RFC 4180, columns in any order, as people write them.

    names and classes: what the features and labels are called there, in IrisNet's order.

    csv_rows.py has the rules, which are those of iris. Raises InputError, with the line, for a file that cannot be read,
    a missing or repeated column, a row of another length, a value that is not a finite float32, and an unknown label.
    """
    try:
        text = path.read_bytes().removeprefix(b"\xef\xbb\xbf").decode(errors="surrogateescape")
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    if text == "":
        raise InputError(f"{path}: is empty; it has to hold rows of {', '.join(names)} and {label_column}")
    all_records = records(text, str(path))
    place, first = next(all_records, ("", None))
    if first is None:
        raise InputError(f"{path}: holds no rows, only a header")
    layout = layout_of(first, names, label_column, UNIT if names == FEATURES else "", place)
    label_reader = LabelReader(classes, layout.index_names)
    has_name = layout.has_header and not layout.index_names
    features: list[list[float]] = []
    labels: list[int] = []
    rows = all_records if layout.has_header else records(text, str(path))
    for place, cells in rows:
        if not labels:
            layout.settle_row_names(len(cells))
        if len(cells) != len(layout.columns):
            count = "1 cell" if len(cells) == 1 else f"{len(cells)} cells"
            raise InputError(f"{place}has {count}, not {len(layout.columns)}")
        features.append(
            [_number(cells[at], place + name) for name, at in zip(names, layout.feature_places, strict=True)]
        )
        label_name = printable(layout.columns[layout.label_place]) if has_name else "label"
        labels.append(_label(cells[layout.label_place], place + label_name, label_reader, classes))
    if not labels:
        raise InputError(f"{path}: holds no rows, only a header")
    return Flowers(
        torch.tensor(features, dtype=torch.float32),
        torch.tensor(labels, dtype=torch.int64),
        path,
        [f"{path}: {note}" for note in layout.notes + label_reader.notes],
    )


def _number(cell: str, where: str) -> float:
    text = number_text(cell)
    if text is None:
        raise InputError(f"{where}: is empty" if cell.strip(" \t") == "" else f'{where}: not a number: "{printable(cell)}"')
    value = float32_of(text) if is_finite_text(text) else math.inf
    if math.isinf(value):
        raise InputError(f'{where}: not finite as float32: "{printable(cell)}"')
    return value


def _label(cell: str, where: str, label_reader: LabelReader, classes: tuple[str, ...]) -> int:
    found = label_reader.find(cell)
    if found is None:
        what = "is empty" if cell.strip(" \t") == "" else f'unknown label: "{printable(cell)}"'
        raise InputError(f"{where}: {what}; the model knows {', '.join(classes)} (--labels)")
    return found


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
