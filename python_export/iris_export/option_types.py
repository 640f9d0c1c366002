"""Types of the commands' options. Called with the typed text, each returns its value or raises ArgumentTypeError.

The settings' own also say what is wrong with a value in a checkpoint (fault); None if nothing is.
"""

import argparse
import csv
import math
import re
from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class Whole:
    """A whole number from `least` to `most`."""

    least: int
    most: int
    metavar: ClassVar[str] = "N"

    def __call__(self, text: str) -> int:
        digits = text.lstrip("0")[:20] or "0"  # int() refuses thousands of them
        if not (text.isascii() and text.isdigit() and self._has(int(digits))):
            raise argparse.ArgumentTypeError(f"must be a whole number from {self.least} to {self.most}, got {text}")
        return int(digits)

    def fault(self, value: object) -> str | None:
        if type(value) is not int or not 0 <= value < 2**63:
            return "is not an integer from 0"
        return None if self._has(value) else "is out of range"

    def _has(self, value: int) -> bool:
        return self.least <= value <= self.most


@dataclass(frozen=True)
class Names:
    """`count` different names with commas between them, quoted as in CSV."""

    count: int

    def __call__(self, text: str) -> tuple[str, ...]:
        rows = list(csv.reader([text], strict=True))
        names = tuple(rows[0]) if rows else ()
        if len(names) != self.count or len(set(names)) != self.count or "" in names:
            raise argparse.ArgumentTypeError(f"must be {self.count} different names, got {text}")
        return names


@dataclass(frozen=True)
class Number:
    """A number from `least`, or above it, to below `end`. words: what it must be, for messages."""

    least: float
    has_least: bool
    end: float
    words: str
    metavar: ClassVar[str] = "X"

    def __call__(self, text: str) -> float:
        try:
            value = float(text) if text.isascii() and "_" not in text else math.nan
        except ValueError:
            value = math.nan  # which no range has
        if not self._has(value):
            raise argparse.ArgumentTypeError(f"must be {self.words}, got {text}")
        return value

    def fault(self, value: object) -> str | None:
        if type(value) is not float:
            return "is not a number"
        return None if self._has(value) else "is out of range"

    def _has(self, value: float) -> bool:
        return (self.least <= value if self.has_least else self.least < value) and value < self.end


@dataclass(frozen=True)
class Text:
    metavar: ClassVar[str] = "NAME"

    def __call__(self, text: str) -> str:
        return text

    def fault(self, value: object) -> str | None:
        return None if isinstance(value, str) else "is not a text"


@dataclass(frozen=True)
class Choice:
    """One of some names."""

    names: tuple[str, ...]

    def fault(self, value: object) -> str | None:
        if not isinstance(value, str):
            return "is not a text"
        return None if value in self.names else f"is not one of {', '.join(self.names)}"


count = Whole(1, 2**31 - 1)
threads = Whole(1, 1024)


def device(text: str) -> str:
    if not re.fullmatch(r"auto|cpu|cuda(:[0-9]{1,3})?", text):
        raise argparse.ArgumentTypeError(f"must be auto, cpu, cuda or cuda:N, got {text}")
    return text
