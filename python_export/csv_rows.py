"""Reads the records of CSV files, and finds out what their columns are, by the rules of src/rows (csv_record.h,
csv_layout.h, column_names.h), so that both languages take the same files with the same values and messages."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

from model_file import InputError

USUAL_LABEL_COLUMN = "species"
OTHER_LABEL_COLUMNS = ("class", "variety", "target", "label", "name")

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan(\([0-9a-z_]*\))?)", re.IGNORECASE)
_TEXT_AFTER_QUOTE = "there is text after a closing quote"
_QUOTE_IS_OPEN = "a quote is not closed, or there is text after the quote that closes it"
_QUOTE_IS_OPEN_TO_THE_END = "a quote is not closed before the file ends"


def records(text: str, path: str) -> Iterator[tuple[str, list[str]]]:
    """Each record with its place, "flowers.csv:17: ", and its unquoted cells. Empty lines are passed over.

    Raises InputError where a quote is not closed, or text follows a closing quote.
    """
    line, at = 1, 0
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        row = text[at:end].rstrip("\r")
        place = f"{path}:{line}: "
        if row == "":
            at, line = end + 1, line + 1
        elif '"' not in row:
            yield place, row.split(",")
            at, line = end + 1, line + 1
        else:
            cells, after = _quoted_record(text, at, place)
            yield place, cells
            line += text.count("\n", at, after)
            at = after


def _quoted_record(text: str, begin: int, place: str) -> tuple[list[str], int]:
    """The cells of the record that begins there, and where the next one begins."""
    cells, cell = [], ""
    state = "start"  # of a cell; or "plain", "quoted", or "after" a quote that may be a closing one
    fault = ""
    for at in range(begin, len(text)):
        character = text[at]
        if state == "quoted":
            state = "after" if character == '"' else state
            cell += "" if character == '"' else character
        elif character in ",\n":
            cells.append(cell.rstrip("\r") if character == "\n" and state != "after" else cell)
            if character == "\n":
                if fault:
                    raise InputError(place + fault)
                return cells, at + 1
            cell, state = "", "start"
        elif character == '"' and state in ("start", "after"):
            cell += '"' if state == "after" and text[at - 1] == '"' else ""
            state = "quoted"
        elif state == "after" and character == "\r":
            pass
        else:
            if state == "after" and not fault:
                if "\n" in text[begin:at]:
                    raise InputError(place + _QUOTE_IS_OPEN)
                fault = _TEXT_AFTER_QUOTE
            cell += character
            state = "plain"
    if state == "quoted":
        raise InputError(place + _QUOTE_IS_OPEN_TO_THE_END)
    if fault:
        raise InputError(place + fault)
    return [*cells, cell if state == "after" else cell.rstrip("\r")], len(text)


def number_text(cell: str) -> str | None:
    """The number in a cell, without blanks around it; None where it is not one. What is not finite counts as a number."""
    text = cell.strip(" \t")
    return text if _NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text) else None


def is_finite_text(text: str) -> bool:
    return _NOT_FINITE.fullmatch(text) is None


@dataclass
class Layout:
    """What the columns of a file are."""

    has_header: bool
    columns: list[str]  # without a header "1", "2", …
    feature_places: list[int]
    label_place: int
    index_names: list[str] = field(default_factory=list)  # what the header says that class indexes mean
    notes: list[str] = field(default_factory=list)

    def settle_row_names(self, cell_count: int) -> None:
        """Where the first row has one cell more than the header, the first column has no name (R's row names)."""
        if self.has_header and not self.index_names and cell_count == len(self.columns) + 1:
            self.columns.insert(0, "")
            self.feature_places = [place + 1 for place in self.feature_places]
            self.label_place += 1
            self.notes.append(
                "the rows have one cell more than the header; the first column has no name and is passed over"
            )


def layout_of(cells: list[str], features: tuple[str, ...], label_column: str, unit: str, place: str) -> Layout:
    """By the first record. Raises InputError where a feature or the label has no column."""
    names = [cell.strip(" \t") for cell in cells]
    count = len(features)
    if all(feature in names for feature in features):
        return _named_layout(names, features, label_column, unit, place)
    layout = _frame_layout(names, count, label_column, place) or _counts_layout(names, count)
    if layout is not None:
        return layout
    has_number = any(number_text(name) is not None for name in names)
    if len(names) < max(count, 2) or (has_number and not all(number_text(name) is not None for name in names[:-1])):
        _check_is_csv(names, count, place)
    if not has_number:
        return _named_layout(names, features, label_column, unit, place)
    columns = [str(i + 1) for i in range(count + 1)]
    if len(names) != count + 1 or label_column not in (USUAL_LABEL_COLUMN, columns[-1]):
        cells_text = "1 cell" if len(names) == 1 else f"{len(names)} cells"
        raise InputError(
            f"{place}the first row holds a number, so it is not a header, and has {cells_text}; "
            f"without a header a row is its {count} features and the label"
        )
    note = (
        "there is no header; the columns are taken for the features in the model's order, and the last for the label"
    )
    return Layout(False, columns, list(range(count)), count, notes=[note])


def _is_name(cell: str) -> bool:
    return cell != "" and number_text(cell) is None


def _named_layout(names: list[str], features: tuple[str, ...], label_column: str, unit: str, place: str) -> Layout:
    places: list[int] = []
    for feature in features:
        found = find_column(names, feature, place, unit)
        if found is None:
            raise InputError(f"{place}the header has no column {feature}; it has: {printable(', '.join(names))}")
        if found in places:
            other = features[places.index(found)]
            raise InputError(f"{place}{printable(names[found])} could be {other} and {feature}")
        places.append(found)
    layout = Layout(True, names, places, 0)
    taken = [
        f"{printable(names[at])} {'is taken ' if first else ''}for {feature}"
        for first, (at, feature) in _marked([(a, f) for a, f in zip(places, features, strict=True) if names[a] != f])
    ]
    if taken:
        layout.notes.append(", ".join(taken))
    layout.label_place = _find_label(names, label_column, place, layout.notes)
    return layout


def _marked(items: list) -> list[tuple[bool, object]]:
    """Each item with whether it is the first."""
    return [(i == 0, item) for i, item in enumerate(items)]


def _frame_layout(names: list[str], count: int, label_column: str, place: str) -> Layout | None:
    """The header of a data frame without names: 0, 1, …"""
    first = 1 if names[0] == "" else 0
    numbered = 0
    while first + numbered < len(names) and names[first + numbered] == str(numbered):
        numbered += 1
    rest = names[first + numbered :]
    if numbered not in (count, count + 1) or not all(_is_name(name) for name in rest):
        return None
    notes = [
        f"the header {', '.join(names)} does not name the features; the columns are taken in the model's order"
    ]
    if label_column == USUAL_LABEL_COLUMN and numbered == count + 1 and not rest:
        label_place = first + count
    else:
        label_place = _find_label(names, label_column, place, notes)
    return Layout(True, names, list(range(first, first + count)), label_place, notes=notes)


def _counts_layout(names: list[str], count: int) -> Layout | None:
    """scikit-learn's header: how many rows, how many features, and the classes."""
    is_whole = names[0].isascii() and names[0].isdigit()
    if len(names) < 4 or not is_whole or names[1] != str(count) or not all(_is_name(name) for name in names[2:]):
        return None
    columns = [str(i + 1) for i in range(count + 1)]
    note = (
        f"the header gives the numbers of rows and features, and the classes ({printable(', '.join(names[2:]))}); "
        "the columns are taken for the features in the model's order, then the class index"
    )
    return Layout(True, columns, list(range(count)), count, names[2:], [note])


def find_column(names: list[str], name: str, place: str, unit: str = "") -> int | None:
    """The place of a column: as it is; else without regard to case, blanks, punctuation and the unit at its end."""
    if names.count(name) > 1:
        raise InputError(f"{place}the header has the column {printable(name)} twice")
    if name in names:
        return names.index(name)
    key = _folded(name)
    if unit and key != unit and key.endswith(unit):
        key = key.removesuffix(unit)
    keys = {key, key + unit, f"{key}in{unit}"} if unit else {key}
    found = [at for at, column in enumerate(names) if key and _folded(column) in keys]
    if len(found) > 1:
        first, second = (printable(names[at]) for at in found[:2])
        raise InputError(f"{place}{first} and {second} could both be {printable(name)}")
    return found[0] if found else None


def _find_label(names: list[str], wanted: str, place: str, notes: list[str]) -> int:
    found = find_column(names, wanted, place)
    if found is None and wanted == USUAL_LABEL_COLUMN:
        others = [at for at, name in enumerate(names) if ascii_lower(name) in OTHER_LABEL_COLUMNS]
        if len(others) > 1:
            texts = printable(", ".join(names[at] for at in others))
            raise InputError(f"{place}several columns could hold the classes: {texts} (--label-column)")
        found = others[0] if others else None
    if found is None:
        raise InputError(
            f"{place}the header has no column {printable(wanted)}; it has: {printable(', '.join(names))}; "
            "choose the one that holds the classes (--label-column)"
        )
    if names[found] != wanted:
        notes.append(f"{printable(names[found])} is taken for the label column")
    return found


def _check_is_csv(cells: list[str], features: int, place: str) -> None:
    """Raises InputError where the first record shows that the file is not CSV with commas and newlines."""
    if any("\r" in cell for cell in cells):
        raise InputError(
            f"{place}the lines end with a carriage return alone, as on old Macs; change them first: "
            "tr '\\r' '\\n' < FILE"
        )
    if cells[0].startswith(("{", "[")):
        raise InputError(f"{place}the rows look like JSON, one on each line, not like CSV")
    record, least = ",".join(cells), max(features, 2) - 1
    if record.count(";") >= least:
        how = (
            "semicolons, and have decimal commas; change both first: sed 's/,/./g; s/;/,/g' FILE"
            if "," in record
            else "semicolons, not by commas; change them first: tr ';' ',' < FILE"
        )
    elif record.count(",") >= least:
        return
    elif record.count("\t") >= least:
        how = "tabs, not by commas; change them first: tr '\\t' ',' < FILE"
    elif record.count("|") >= least:
        how = "|, not by commas; change them first: tr '|' ',' < FILE"
    elif record.count(" ") >= least:
        how = "blanks, not by commas; change them first: tr -s ' ' ',' < FILE"
    else:
        return
    raise InputError(f"{place}the cells are separated by {how}")


class LabelReader:
    """The class that a label's text means: as it is; else without regard to case and a leading "Iris-"; else by index."""

    def __init__(self, labels: tuple[str, ...], index_names: list[str]) -> None:
        self._labels = labels
        self._folded = {_folded_label(label): i for i, label in enumerate(labels)}
        named = [self._named(name)[0] for name in index_names]
        self._class_of_index = named if named and None not in named else list(range(len(labels)))
        self.notes: list[str] = []

    def _named(self, name: str) -> tuple[int | None, bool]:
        if name in self._labels:
            return self._labels.index(name), False
        return self._folded.get(_folded_label(name)), True

    def find(self, cell: str) -> int | None:
        """The class's index; None for an unknown label. What was taken otherwise than as it is, is noted."""
        label = cell.strip(" \t")
        found, is_folded = self._named(label)
        if found is not None:
            if is_folded:
                self._note("labels are taken for the model's without regard to case and a leading Iris-")
            return found
        text = number_text(label)
        number = float(text) if text is not None and is_finite_text(text) else -1.0
        if not (0 <= number < len(self._class_of_index) and number == int(number)):
            return None
        names = ", ".join(f"{i} is {self._labels[label]}" for i, label in enumerate(self._class_of_index))
        self._note(f"labels are taken as class indexes: {names}")
        return self._class_of_index[int(number)]

    def _note(self, note: str) -> None:
        if note not in self.notes:
            self.notes.append(note)


def _folded_label(label: str) -> str:
    lower = ascii_lower(label)
    return lower[5:].strip(" \t") if lower.startswith(("iris-", "iris_", "iris ")) else lower


def ascii_lower(text: str) -> str:
    return "".join(chr(ord(c) + 32) if "A" <= c <= "Z" else c for c in text)


def _folded(name: str) -> str:
    return "".join(c for c in ascii_lower(name) if "a" <= c <= "z" or "0" <= c <= "9" or ord(c) >= 0x80)


def printable(text: str) -> str:
    """The text on one line, cut at 200 characters, with what cannot be shown escaped."""
    shown = text if len(text) <= 200 else text[:200] + "…"
    return "".join(c if c.isprintable() else _escaped(c) for c in shown)


def _escaped(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte outside UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04X}"
