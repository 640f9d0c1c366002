"""Files that are something else: each is named for what it is."""

import gzip
import io
import pickle
import tarfile
import zlib

from .build import Case

LFS_POINTER = b"""version https://git-lfs.github.com/spec/v1
oid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393
size 46827520
"""
ONNX = b"\x08\x08\x12\x07pytorch\x1a\x052.13.0:\x20" + bytes(32)
PNG = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + bytes(32)
NUMPY = b"\x93NUMPY\x01\0v\0{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }"
SAVE_STATE_DICT = r'in Python: torch\.save\(model\.state_dict\(\), "model\.pt"\)'


def tar() -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("storages"), io.BytesIO())
    return file.getvalue()


CASES = [
    Case("empty file", lambda: b"", r"is empty; the download or the save did not finish"),
    Case("HTML page",
        lambda: b"<!DOCTYPE html>\n<html><head><title>Sign in</title></head></html>",
        r"is an HTML page, not a model; open its address in a browser and download the file itself"),
    Case("HTML page behind spaces", lambda: b"\n\n  <HTML lang=en>", r"is an HTML page, .*"),
    Case("Git LFS pointer", lambda: LFS_POINTER, r"is a Git LFS pointer.*git lfs pull.*"),
    Case("ONNX model", lambda: ONNX, r"is an ONNX model, .*python_export/export\.py.*"),
    Case("pickled dictionary", lambda: pickle.dumps({"weight": [1.0]}), r"is a plain pickle, .*" + SAVE_STATE_DICT),
    Case("tar archive", tar, r"is a tar archive, and not one of PyTorch; .*"),
    Case("gzip", lambda: gzip.compress(b"model"), r"is compressed; unpack it first: gunzip, or tar .*"),
    Case("zlib stream", lambda: zlib.compress(b"model"), r"is not a model file: .*"),
    Case("text", lambda: b"Not Found\n", r"is a text file, not a model"),
    Case("JSON", lambda: b'{"error": "Repository not found"}', r"is .*text.*"),
    Case("PNG", lambda: PNG, r"is .*"),
    Case("NumPy array", lambda: NUMPY, r"is a NumPy array, not a PyTorch model; .*"),
    Case("GGUF model", lambda: b"GGUF\x03\0\0\0" + bytes(64), r"is a GGUF model, not a PyTorch one; .*"),
    Case("HDF5 file", lambda: b"\x89HDF\r\n\x1a\n" + bytes(64), r"is an HDF5 file .*"),
    Case("zeros", lambda: bytes(4096), r"is not a model file: .*"),
    Case("one byte", lambda: b"\x80", r"is .*"),
    Case("zip signature alone", lambda: b"PK\x03\x04", r"zip: the end record is missing; the file is truncated"),
]  # fmt: skip
