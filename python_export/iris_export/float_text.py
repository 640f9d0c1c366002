"""Numbers in text, read as src/rows/float_text.h reads them."""

import math
import re
import struct
from decimal import Decimal

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[+-]?(inf|infinity|nan(\([0-9a-z_]*\))?)", re.IGNORECASE | re.ASCII)
FLOAT32_MAX = 2.0**128 - 2.0**104
_FLOAT32_END = 2.0**128 - 2.0**103  # in the middle of the largest float32 and the one that would be next


def number_text(cell: str) -> str | None:
    """The number in a cell, without blanks around it; None where it is not one. What is not finite counts as a number.

    float() takes more ("1_000", digits of other scripts), which is not a number in a CSV file.
    """
    text = cell.strip(" \t")
    return text if _NUMBER.fullmatch(text) or _NOT_FINITE.fullmatch(text) else None


def is_finite_text(text: str) -> bool:
    """Of a number_text: whether it is not "inf" or "nan"."""
    return _NOT_FINITE.fullmatch(text) is None


def float32_of(text: str) -> float:
    """The float32 nearest to a decimal number; of two that are equally near the even one; infinity past the largest.

    As C's strtof: the text is rounded once. float() followed by torch.tensor() would round it twice.
    """
    value = float(text)
    nearest = _rounded(value)
    if nearest == value:
        return nearest
    # The neighbour on the other side, where value lies in the middle of two.
    other = math.copysign(FLOAT32_MAX, value) if abs(value) == _FLOAT32_END else value + (value - nearest)
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
