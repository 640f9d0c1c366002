"""Files that people take for CSV and that are something else: the table of src/rows/other_kinds.cpp."""

LOOKED_AT = 256 << 10  # bytes of the file's begin

_TO_CSV = "make CSV of it first: python3 -c \"import pandas; pandas.{}('FILE').to_csv('rows.csv', index=False)\""
_PICKLE = "is a pickle, which may run code when it is opened; make CSV of it where it came from"
_ARFF = "looks like an ARFF file (Weka), whose rows are CSV; take them out first: sed '1,/^@data/Id' FILE"
_KINDS = {
    b"\x1f\x8b": "is compressed with gzip; unpack it first: gunzip -c FILE",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; unpack it first: zstd -dc FILE",
    b"\xfd7zXZ\0": "is compressed with xz; unpack it first: xz -dc FILE",
    b"BZh": "is compressed with bzip2; unpack it first: bzip2 -dc FILE",
    b"\x04\x22\x4d\x18": "is compressed with lz4; unpack it first: lz4 -dc FILE",
    b"PAR1": f"is a Parquet file; {_TO_CSV.format('read_parquet')}",
    b"ARROW1": f"is an Arrow file; {_TO_CSV.format('read_feather')}",
    b"\xd0\xcf\x11\xe0": f"is an old Excel file (.xls); {_TO_CSV.format('read_excel')}",
    b"\x89HDF": "is an HDF5 file; make CSV of its table first, with pandas.read_hdf and to_csv",
    b"\x93NUMPY": 'is a NumPy array; make CSV of it first: python3 -c "import numpy; '
    "numpy.savetxt('rows.csv', numpy.load('FILE'), fmt='%.9g', delimiter=',')\"",
    b"SQLite format 3": "is an SQLite database; make CSV of a table first: sqlite3 -header -csv FILE 'select …'",
    b"\x80\x02": _PICKLE,
    b"\x80\x03": _PICKLE,
    b"\x80\x04": _PICKLE,
    b"\x80\x05": _PICKLE,
    b"%PDF": "is a PDF file, not rows",
    b"%": _ARFF,
    b"@relation": _ARFF,
    b"@RELATION": _ARFF,
    b"@Relation": _ARFF,
}


def other_kind(begin: bytes) -> str:
    """What the file with this begin is, and how rows are made of it; "" where it may hold rows."""
    if begin.startswith((b"\xff\xfe", b"\xfe\xff")) or _is_utf16_without_mark(begin):
        return "is UTF-16; save it as UTF-8"
    if begin.startswith(b"PK\x03\x04"):
        if any(name in begin for name in (b"/data.pkl", b"/constants.pkl", b".aotinductor")):
            return "is a file of PyTorch's, a model or its numbers; rows of CSV are needed"
        if b".npy" in begin:
            return (
                'is an archive of NumPy arrays (.npz); make CSV of one first: python3 -c "import numpy; '
                "numpy.savetxt('rows.csv', numpy.load('FILE')['NAME'], fmt='%.9g', delimiter=',')\""
            )
        if b"[Content_Types].xml" in begin or b"xl/" in begin:
            return f"is an Excel file (.xlsx); {_TO_CSV.format('read_excel')}"
        return "is a zip archive; unpack it first: unzip -p FILE"
    for magic, text in _KINDS.items():
        if begin.startswith(magic):
            return text
    if begin[:32].lower().lstrip(b" \t\r\n").startswith((b"<!doctype html", b"<html")):
        return "is a web page (HTML), not the file that it shows; fetch the raw file"
    if begin.startswith(b"[") and begin[1:].lstrip(b" \t\r").startswith((b"[", b"{", b"\n")):
        return f"is one JSON array, not a row on each line; {_TO_CSV.format('read_json')}"
    return ""


def _is_utf16_without_mark(begin: bytes) -> bool:
    """Every other byte is 0."""
    if len(begin) < 8:
        return False
    zeros, others = (begin[0:8:2], begin[1:8:2]) if begin[0] == 0 else (begin[1:8:2], begin[0:8:2])
    return not any(zeros) and all(others)
