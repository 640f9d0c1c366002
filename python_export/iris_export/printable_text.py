"""Text of files in messages, shown as src/text.h shows it."""

from bisect import bisect_right

# Characters beyond ASCII that show nothing of their own: the table of src/text.cpp.
_UNSEEN = [
    *[(0x80, 0xA0), (0xAD, 0xAD), (0x34F, 0x34F), (0x61C, 0x61C), (0x115F, 0x1160), (0x1680, 0x1680)],
    *[(0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F), (0x205F, 0x206F), (0x3000, 0x3000)],
    *[(0x3164, 0x3164), (0xFE00, 0xFE0F), (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFB), (0x1BCA0, 0x1BCA3)],
    *[(0x1D173, 0x1D17A), (0xE0000, 0xE0FFF)],
]
_FIRST_UNSEEN = [first for first, _ in _UNSEEN]


def printable(text: str, most: int | None = 200) -> str:
    """On one line, so that all of it is seen: controls and the like are escaped, and bytes outside UTF-8
    (surrogateescape). A text longer than `most` bytes is cut there.
    """
    shown, size = [], 0
    for character in text:
        if most is not None and size > most:
            return "".join(shown) + "…"
        shown.append(_shown(character))
        size += len(shown[-1].encode())
    return "".join(shown)


def quoted(text: str) -> str:
    """The same, in double quotes."""
    return f'"{printable(text)}"'


def _shown(character: str) -> str:
    code = ord(character)
    if 0xDC80 <= code <= 0xDCFF:  # a byte outside UTF-8
        return f"\\x{code - 0xDC00:02x}"
    if code < 0x80:
        return character if 0x20 <= code < 0x7F else f"\\x{code:02x}"
    place = bisect_right(_FIRST_UNSEEN, code)
    if place == 0 or code > _UNSEEN[place - 1][1]:
        return character
    return f"\\U{code:08X}" if code > 0xFFFF else f"\\u{code:04X}"
