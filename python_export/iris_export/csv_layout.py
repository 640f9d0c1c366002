"""Finds out what the columns of a CSV file are, by the rules of src/rows/csv_layout.h and column_names.h."""

from dataclasses import dataclass, field

from .float_text import number_text
from .label_reader import ascii_lower
from .model_file import InputError
from .printable_text import printable

USUAL_LABEL_COLUMN = "species"
OTHER_LABEL_COLUMNS = ("class", "variety", "target", "label", "name")


@dataclass
class Layout:
    """What the columns of a file are."""

    has_header: bool
    columns: list[str]  # without a header "1", "2", …
    feature_places: list[int]
    label_place: int
    index_names: list[str] = field(default_factory=list)  # what the header says that class indexes mean
    notes: list[str] = field(default_factory=list)

    def label_name(self) -> str:
        """What messages call the label's column."""
        return printable(self.columns[self.label_place]) if self.has_header and not self.index_names else "label"

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
    note = "there is no header; the columns are taken for the features in the model's order, and the last for the label"
    return Layout(False, columns, list(range(count)), count, notes=[note])


def _is_name(cell: str) -> bool:
    return cell != "" and number_text(cell) is None


def _named_layout(names: list[str], features: tuple[str, ...], label_column: str, unit: str, place: str) -> Layout:
    places: list[int] = []
    for feature in features:
        found = find_column(names, feature, place, unit)
        if found is None:
            raise InputError(
                f"{place}the header has no column {printable(feature)}; it has: {printable(', '.join(names))}"
            )
        if found in places:
            other = features[places.index(found)]
            raise InputError(f"{place}{printable(names[found])} could be {printable(other)} and {printable(feature)}")
        places.append(found)
    layout = Layout(True, names, places, 0)
    others = [(names[at], feature) for at, feature in zip(places, features, strict=True) if names[at] != feature]
    if others:
        (column, feature), *rest = [(printable(column), printable(feature)) for column, feature in others]
        layout.notes.append(f"{column} is taken for {feature}" + "".join(f", {c} for {f}" for c, f in rest))
    layout.label_place = _find_label(names, label_column, place, layout.notes)
    return layout


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
        f"the header {printable(', '.join(names))} does not name the features; "
        "the columns are taken in the model's order"
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
    unit = _folded(_unit_in_brackets(name) or unit)
    key = _folded(name)
    if unit and key != unit:
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


# What separates the cells where commas do not, and the command that mends it.
_SEMICOLONS = "semicolons, not by commas; change them first: sed 's/,/./g; s/;/,/g' FILE"
_TABS = "tabs, not by commas; change them first: sed 's/,/./g; s/\\t/,/g' FILE"
_BARS = "|, not by commas; change them first: sed 's/,/./g; s/|/,/g' FILE"
_BLANKS = "blanks, not by commas; change them first: tr -s ' ' ',' < FILE"


def check_first_line(content: bytes, is_readable: bool, place: str) -> None:
    """Raises InputError where the first record's first line shows that the file is not CSV with commas and newlines.

    is_readable: whether that record can be read as CSV.
    """
    line = content.lstrip(b"\r\n").split(b"\n", 1)[0].decode("latin-1")
    if _has_lone_return(line):
        raise InputError(
            f"{place}the lines end with a carriage return alone, as on old Macs; change them first: "
            "tr '\\r' '\\n' < FILE"
        )
    if is_readable:
        return
    _check_is_no_json(line, place)
    if '","' not in line:
        for between, how in (('";"', _SEMICOLONS), ('"\t"', _TABS), ('"|"', _BARS), ('" "', _BLANKS)):
            if between in line:
                raise InputError(f"{place}the cells are separated by {how}")


def _has_lone_return(line: str) -> bool:
    """A carriage return, not in quotes, with more on its line."""
    is_in_quotes = False
    for at, character in enumerate(line):
        is_in_quotes ^= character == '"'
        if character == "\r" and not is_in_quotes:
            return line[at:].strip("\r") != ""
    return False


def _check_is_no_json(begin: str, place: str) -> None:
    if begin.startswith(("{", "[")):
        raise InputError(f"{place}the rows look like JSON, one on each line, not like CSV")


def _check_is_csv(cells: list[str], features: int, place: str) -> None:
    """Raises InputError where the first record shows that the file is not CSV with commas."""
    _check_is_no_json(cells[0], place)
    record, least = ",".join(cells), max(features, 2) - 1
    if record.count(";") >= least:
        how = _SEMICOLONS
    elif record.count(",") >= least:
        return
    elif record.count("\t") >= least:
        how = _TABS
    elif record.count("|") >= least:
        how = _BARS
    elif record.count(" ") >= least:
        how = _BLANKS
    else:
        return
    raise InputError(f"{place}the cells are separated by {how}")


def _unit_in_brackets(name: str) -> str:
    """What stands in brackets at the name's end: "cm" of "sepal length (cm)"."""
    begin = max(name.rfind("("), name.rfind("["))
    return name[begin + 1 : -1] if begin >= 0 and name.endswith((")", "]")) else ""


def _folded(name: str) -> str:
    """ASCII letters in lower case, digits, and everything beyond ASCII; the rest is dropped."""
    return "".join(c for c in ascii_lower(name) if not c.isascii() or c.isalnum())
