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
    open_until = 0  # a quote that is open at the end of a line before this place is never closed
    open_fault = QUOTE_IS_OPEN
    line, at = 1, 0
    while at < len(text):
        after = text.index("\n", at) + 1
        first_line = text[at : after - 1].rstrip("\r")
        cells, fault = first_line.split(","), ""
        if after - at > MAX_RECORD:
            fault = LONG_LINE if "\r" in text[at : at + MAX_RECORD] else LONG_RECORD
        elif '"' in first_line:
            unquoted, end, fault = _scan(text, at, open_until)
            if fault in (QUOTE_IS_OPEN, QUOTE_IS_OPEN_TO_THE_END):
                open_until = max(open_until, end)
                open_fault = fault if fault == QUOTE_IS_OPEN_TO_THE_END else open_fault
                fault = open_fault
            else:
                after = end
                cells = cells if fault else unquoted
        if first_line:
            yield Record(line, [_decoded(cell) for cell in cells], fault)
        if fault in (LONG_LINE, LONG_RECORD):
            return
        line += text.count("\n", at, after)
        at = after


def _scan(text: str, begin: int, open_until: int) -> tuple[list[str], int, str]:
    """The unquoted cells of the record that begins there, where the next one begins, and what is wrong with it.

    Where a quote is open, the place is the one before which no quote that is open at the end of a line is closed.
    """
    limit = min(begin + MAX_RECORD, len(text))
    cells: list[str] = []
    fault = ""
    newlines: list[int] = []  # the first and the last one of each quoted cell
    at = begin
    while True:
        is_quoted = text[at] == '"'
        quoted = _QUOTED.match(text, at, limit) if is_quoted else None
        end = quoted.end() if quoted else limit if is_quoted else at
        if is_quoted and text.find("\n", at, end) >= 0:
            newlines += [text.index("\n", at), text.rindex("\n", at, end)]
        if newlines and newlines[0] < open_until:
            return [], open_until, QUOTE_IS_OPEN
        if is_quoted and not quoted:
            return [], limit, QUOTE_IS_OPEN_TO_THE_END if limit == len(text) else LONG_RECORD
        while is_quoted and text[end] == "\r":
            end += 1
        if is_quoted and text[end] not in ",\n":
            if newlines:
                return [], newlines[-1] + 1, QUOTE_IS_OPEN
            fault = TEXT_AFTER_QUOTE
        end = _PLAIN.match(text, end).end()
        if end >= limit:
            return [], limit, LONG_RECORD
        plain = text[at:end].rstrip("\r") if text[end] == "\n" else text[at:end]
        cells.append(quoted[1].replace('""', '"') if quoted else plain)
        at = end + 1
        if text[end] == "\n":
            return cells, at, fault


def _decoded(cell: str) -> str:
    return cell if cell.isascii() else cell.encode("latin-1").decode(errors="surrogateescape")
