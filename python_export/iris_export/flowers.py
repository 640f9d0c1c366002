"""Reads CSV files of flowers into tensors."""

import math
import re
from dataclasses import dataclass, field
from pathlib import Path

import torch

from .csv_layout import USUAL_LABEL_COLUMN, Layout, check_first_line, layout_of
from .csv_records import Record, records
from .float_text import float32_of, is_finite_text, number_text
from .iris_net import FEATURES, LABELS
from .label_reader import LabelReader
from .model_file import InputError
from .other_kinds import LOOKED_AT, other_kind
from .printable_text import printable, quoted

UNIT = "cm"  # of FEATURES


@dataclass(frozen=True)
class Flowers:
    """features: float32 [N, 4], cm, in FEATURES' order. labels: int64 [N], indexes of LABELS. path: for messages.

    notes: what the user should know of how the file was read, each a line.
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

    names and classes: what the features and labels are called there, in IrisNet's order. A label column that is not
    named is looked for by other usual names too.

    Takes the files that iris train takes, with the same values and messages: src/rows/csv_layout.h has the rules.
    Raises InputError, with the line, for a file that cannot be read, a missing or repeated column, a row of another
    length, a value that is not a finite float32, and an unknown label.
    """
    shown_path = printable(str(path), most=None)
    content = _content(path, shown_path, names, label_column)
    file = list(records(content))
    if file:
        check_first_line(content, not file[0].fault, _place(shown_path, file[0]))
    layout, rows = _split(file, shown_path, names, label_column)
    if rows:
        layout.settle_row_names(len(rows[0].cells))
    reader = RowReader(shown_path, layout, names, classes)
    features: list[list[float]] = []
    labels: list[int] = []
    for row in rows:
        features.append(reader.features_of(row))
        labels.append(reader.label_of(row))
    if not rows:
        raise InputError(f"{shown_path}: holds no rows, only a header")
    return Flowers(
        torch.tensor(features, dtype=torch.float32),
        torch.tensor(labels, dtype=torch.int64),
        path,
        [f"{shown_path}: {note}" for note in layout.notes + reader.label_notes()],
    )


class RowReader:
    """Reads the rows of a file with this layout. Raises InputError, with the line."""

    def __init__(self, shown_path: str, layout: Layout, names: tuple[str, ...], classes: tuple[str, ...]) -> None:
        self._path, self._layout, self._names, self._classes = shown_path, layout, names, classes
        self._labels = LabelReader(classes, layout.index_names)

    def features_of(self, row: Record) -> list[float]:
        place = _place(self._path, row)
        if row.fault:
            raise InputError(place + row.fault)
        if len(row.cells) != len(self._layout.columns):
            count = "1 cell" if len(row.cells) == 1 else f"{len(row.cells)} cells"
            raise InputError(f"{place}has {count}, not {len(self._layout.columns)}")
        cells = [row.cells[at] for at in self._layout.feature_places]
        return [_number(cell, place + printable(name)) for cell, name in zip(cells, self._names, strict=True)]

    def label_of(self, row: Record) -> int:
        """Of a row that features_of() has taken."""
        cell = row.cells[self._layout.label_place]
        found = self._labels.find(cell)
        if found is None:
            what = "is empty" if _is_blank(cell) else f"unknown label: {quoted(cell)}"
            known = printable(", ".join(self._classes))
            where = _place(self._path, row) + self._layout.label_name()
            raise InputError(f"{where}: {what}; the model knows {known} (--labels)")
        return found

    def label_notes(self) -> list[str]:
        return self._labels.notes()


def _place(shown_path: str, record: Record) -> str:
    return f"{shown_path}:{record.line}: "


def _content(path: Path, shown_path: str, names: tuple[str, ...], label_column: str) -> bytes:
    """The file's bytes without a byte-order mark."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{shown_path}: {error.strerror}") from error
    kind = other_kind(content[:LOOKED_AT])
    if kind:
        raise InputError(f"{shown_path}: {kind}")
    if content == b"":
        columns = f"{printable(', '.join(names))} and {printable(label_column)}"
        raise InputError(f"{shown_path}: is empty; it has to hold rows of {columns}")
    return content.removeprefix(b"\xef\xbb\xbf")


def _split(
    file: list[Record], shown_path: str, names: tuple[str, ...], label_column: str
) -> tuple[Layout, list[Record]]:
    """What the columns are, by the first record that can be read, and the records that are rows."""
    unit = UNIT if names == FEATURES else ""
    unreadable = None
    for at, record in enumerate(file):
        if record.fault:
            unreadable = unreadable or record
            continue
        layout = layout_of(record.cells, names, label_column, unit, _place(shown_path, record))
        if unreadable:
            may_be_header = not layout.has_header and not _holds_number(unreadable)
            why = "; it may have been the header" if may_be_header else ""
            raise InputError(_place(shown_path, unreadable) + unreadable.fault + why)
        return layout, file[at + 1 :] if layout.has_header else file[at:]
    if unreadable:
        raise InputError(_place(shown_path, unreadable) + unreadable.fault)
    raise InputError(f"{shown_path}: holds no rows, only a header")


def _holds_number(record: Record) -> bool:
    """Of a faulty record: whether one of its cells is a number, with quotes or without."""
    return any(number_text(re.sub('["\r]', "", cell)) is not None for cell in record.cells)


def _number(cell: str, where: str) -> float:
    text = number_text(cell)
    if text is None:
        raise InputError(f"{where}: " + ("is empty" if _is_blank(cell) else f"not a number: {quoted(cell)}"))
    value = float32_of(text) if is_finite_text(text) else math.inf
    if math.isinf(value):
        raise InputError(f"{where}: not finite as float32: {quoted(cell)}")
    return value


def _is_blank(cell: str) -> bool:
    return cell.strip(" \t") == ""
