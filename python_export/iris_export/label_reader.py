"""The class that a cell means, read as src/rows/label_reader.h reads it."""

from .float_text import is_finite_text, number_text
from .printable_text import printable

_NAMED_IN_NOTE = 10


class LabelReader:
    """Finds a label as it is; else without regard to case and a leading "Iris-"; else as a class index."""

    def __init__(self, labels: tuple[str, ...], index_names: list[str]) -> None:
        """index_names: the classes that the file's indexes mean, where its header says so."""
        self._labels = labels
        folded = [_folded(label) for label in labels]
        self._by_folded_name = {name: i for i, name in enumerate(folded) if folded.count(name) == 1}
        named = [self._find_name(name)[0] for name in index_names]
        self._class_of_index = named if named and None not in named else list(range(len(labels)))
        self._has_folded = self._has_index = False

    def find(self, cell: str) -> int | None:
        """The class's index; None for an unknown label."""
        label = cell.strip(" \t")
        found, is_folded = self._find_name(label)
        if found is not None:
            self._has_folded |= is_folded
            return found
        text = number_text(label)
        number = float(text) if text is not None and is_finite_text(text) else -1.0
        if not (0 <= number < len(self._class_of_index) and number == int(number)):
            return None
        self._has_index = True
        return self._class_of_index[int(number)]

    def notes(self) -> list[str]:
        """How labels have been found, where it was not as they are."""
        notes = []
        if self._has_folded:
            notes.append("labels are taken for the model's without regard to case and a leading Iris-")
        if self._has_index:
            named = self._class_of_index[:_NAMED_IN_NOTE]
            names = ", ".join(f"{i} is {printable(self._labels[label])}" for i, label in enumerate(named))
            more = ", …" if len(named) < len(self._class_of_index) else ""
            notes.append(f"labels are taken as class indexes: {names}{more}")
        return notes

    def _find_name(self, name: str) -> tuple[int | None, bool]:
        """The class's index, and whether the name is folded for it."""
        if name in self._labels:
            return self._labels.index(name), False
        return self._by_folded_name.get(_folded(name)), True


def _folded(label: str) -> str:
    lower = ascii_lower(label)
    return lower[5:].strip(" \t") if lower.startswith(("iris-", "iris_", "iris ")) else lower


def ascii_lower(text: str) -> str:
    return "".join(c.lower() if c.isascii() else c for c in text)
