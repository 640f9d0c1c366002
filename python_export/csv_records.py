"""The records of a CSV file (RFC 4180), cut as src/rows/csv_record.h and chunk_reader.h cut them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

MAX_RECORD = 16 << 20  # bytes, with the newline
TEXT_AFTER_QUOTE = "there is text after a closing quote"
QUOTE_IS_OPEN = "a quote is not closed, or there is text after the quote that closes it"
QUOTE_IS_OPEN_TO_THE_END = "a quote is not closed before the file ends"
LONG_LINE = "the row is longer than 16 MiB; do lines end with a carriage return alone?"
LONG_RECORD = "the row is longer than 16 MiB; is a quote not closed?"

_QUOTED = re.compile(r'"([^"]*(?:""[^"]*)*)"(?!")')
_PLAIN = re.compile(r"[^,\n]*")


@dataclass(frozen=True)
class Record:
    """line: its first one, from 1. cells: unquoted; of a faulty record its first line, cut at every comma."""

    line: int
    cells: list[str]
    fault: str = ""


def records(content: bytes) -> Iterator[Record]:
    """All records but empty lines. Bytes outside UTF-8 are kept (surrogateescape).

    A quote that is never closed, or whose closing quote is followed by text on a later line, costs only its first line:
    the next line begins a record. After a record over MAX_RECORD, which is faulty, nothing is read.
    """
    text = content.decode("latin-1")  # a character for each byte
    text += "" if text.endswith("\n") else "\n"
    open_until = 0  # a quote that is open at the end of a line before this place is not closed
    open_fault = QUOTE_IS_OPEN
    line, at = 1, 0
    while at < len(text):
        newline = text.index("\n", at)
        first_line = text[at:newline].rstrip("\r")
        after, cells, fault = newline + 1, first_line.split(","), ""
        if newline - at < MAX_RECORD and '"' in first_line:
            scan = _Scan(text, at, open_until)
            if scan.is_open_at_the_end:
                open_until, open_fault = len(text), QUOTE_IS_OPEN_TO_THE_END
                scan = _Scan(text, at, open_until)
            if scan.is_open:
                fault, open_until = open_fault, max(open_until, scan.open_until)
            elif scan.has_stray_text:
                fault, after = TEXT_AFTER_QUOTE, scan.end
            else:
                cells, after = scan.cells, scan.end
            if scan.is_too_long:
                fault = LONG_RECORD
        elif newline - at >= MAX_RECORD:
            fault = LONG_LINE if "\r" in text[at : at + MAX_RECORD] else LONG_RECORD
        if first_line:
            yield Record(line, [_decoded(cell) for cell in cells], fault)
        if fault in (LONG_LINE, LONG_RECORD):
            return
        line += text.count("\n", at, after)
        at = after


class _Scan:
    """What a look at the record that begins at `begin` finds.

    cells, end: where it is whole; end is where the next record begins.
    """

    def __init__(self, text: str, begin: int, open_until: int) -> None:
        self.cells: list[str] = []
        self.is_open = self.is_open_at_the_end = self.is_too_long = self.has_stray_text = False
        self.open_until = 0
        limit = min(begin + MAX_RECORD, len(text))
        at = begin
        first_newline = last_newline = -1  # of those in quotes
        while True:
            quoted = _QUOTED.match(text, at, limit) if text.startswith('"', at) else None
            cell_end = quoted.end() if quoted else limit if text.startswith('"', at) else at
            if cell_end > at:
                newline = text.find("\n", at, cell_end)
                if newline >= 0:
                    first_newline = newline if first_newline < 0 else first_newline
                    last_newline = text.rindex("\n", at, cell_end)
                if 0 <= first_newline < open_until:
                    self.is_open = True
                    return
            if cell_end >= limit:
                self.is_open = self.is_too_long = limit < len(text)
                self.is_open_at_the_end = not self.is_too_long
                return
            if quoted:
                self.cells.append(quoted[1].replace('""', '"'))
                while text[cell_end] == "\r":
                    cell_end += 1
                if text[cell_end] not in ",\n":
                    if first_newline >= 0:
                        self.is_open, self.open_until = True, last_newline + 1
                        return
                    self.has_stray_text = True
                    cell_end = _PLAIN.match(text, cell_end).end()
            else:
                cell_end = _PLAIN.match(text, at).end()
                cell = text[at:cell_end]
                self.cells.append(cell.rstrip("\r") if text[cell_end] == "\n" else cell)
            at = cell_end + 1
            if at > limit:
                self.is_open = self.is_too_long = True
                return
            if text[cell_end] == "\n":
                self.end = at
                return


def _decoded(cell: str) -> str:
    return cell if cell.isascii() else cell.encode("latin-1").decode(errors="surrogateescape")
