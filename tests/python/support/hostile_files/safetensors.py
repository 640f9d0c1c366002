"""safetensors files whose header lies."""

import json
import struct

from .build import GOOD_DATA, Case


def safetensors(header: dict | str | bytes, data: bytes = GOOD_DATA, size: int | None = None) -> bytes:
    text = json.dumps(header) if isinstance(header, dict) else header
    encoded = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(encoded) if size is None else size) + encoded + data


def tensor(begin=0, end=16, shape=(4,), dtype="F32") -> dict:
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


def of(name: str, header, message: str, **options) -> Case:
    return Case(f"safetensors: {name}", lambda: safetensors(header, **options), message)


HEADER = "safetensors: the header "
TENSOR = r'safetensors: tensor "a": '
ODD = HEADER + r'is not what the format says at "a", "{}"'
FIELDS = '"dtype":"F32","shape":[4],"data_offsets":[0,16]'

CASES = [
    of("header over 100 MB",
        {"a": tensor()}, HEADER + r"claims 100000001 bytes; at most 100000000 are read", size=100_000_001),
    of("header of 2^64 - 1", {"a": tensor()}, HEADER + r"claims 18446744073709551615 bytes; .*", size=(1 << 64) - 1),
    of("header longer than the file",
        {"a": tensor()}, HEADER + r"of 5000 bytes is longer than the file; it is truncated", size=5000),
    of("header cut short", {"a": tensor()}, HEADER + r"is not JSON at its byte \d+", size=20),
    of("bytes behind the data",
        {"a": tensor()}, r"safetensors: 4 bytes belong to no tensor", data=GOOD_DATA + bytes(4)),
    of("data cut short", {"a": tensor()}, TENSOR + "its data_offsets lie outside the file", data=GOOD_DATA[:12]),
    of("overlapping tensors",
        {"a": tensor(0, 8, (2,)), "b": tensor(4, 16, (3,))},
        r"safetensors: the tensors' data overlap at data offset 4"),
    of("hole between tensors",
        {"a": tensor(0, 8, (2,)), "b": tensor(12, 16, (1,))},
        r"safetensors: the tensors' data leave a hole at data offset 12"),
    of("hole at the start",
        {"a": tensor(4, 16, (3,))}, r"safetensors: the tensors' data leave a hole at data offset 4"),
    of("offsets the wrong way round", {"a": tensor(16, 0)}, TENSOR + "its data_offsets lie outside the file"),
    of("offsets past the end", {"a": tensor(0, 1 << 62)}, TENSOR + "its data_offsets lie outside the file"),
    of("shape larger than its data",
        {"a": tensor(shape=(5,))}, TENSOR + "its shape needs another number of bytes than its 16"),
    of("shape smaller than its data",
        {"a": tensor(shape=(3,))}, TENSOR + "its shape needs another number of bytes than its 16"),
    of("shape that overflows",
        {"a": tensor(shape=(1 << 62, 1 << 62))}, TENSOR + "its shape needs .*"),
    of("shape that overflows, times 0",
        {"a": tensor(0, 0, (1 << 62, 1 << 62, 0))}, TENSOR + "a tensor's shape and strides overflow", data=b""),
    of("unknown dtype", {"a": tensor(dtype="F33")}, TENSOR + 'dtype "F33" is unknown'),
    of("negative size", {"a": tensor(shape=(-4,))}, ODD.format("shape")),
    of("size with a fraction", {"a": tensor(shape=(4.5,))}, ODD.format("shape")),
    of("no offsets",
        {"a": {"dtype": "F32", "shape": [4]}}, HEADER + "has a tensor without dtype, shape or data_offsets"),
    of("field that nobody knows", {"a": {**tensor(), "more": 1}}, ".*"),
    of("tensor that is null", {"a": None}, ODD.format(".*")),
    of("tensor that is a list", {"a": [1]}, ODD.format(".*")),
    of("metadata that is a number", {"__metadata__": {"epoch": 3}}, ".*", data=b""),
    of("nested metadata", {"__metadata__": {"a": {"b": "c"}}}, HEADER + "is nested too deep", data=b""),
    of("tensor twice", '{"a":{' + FIELDS + '},"a":{' + FIELDS + "}}", HEADER + 'has the key "a" twice'),
    of("shape twice", '{"a":{' + FIELDS + ',"shape":[2,2]}}', HEADER + 'has the key "shape" twice'),
    of("a million objects in one another", '{"a":' * 1_000_000 + "}" * 1_000_000, HEADER + "is nested too deep"),
    of("a million lists in one another", '{"a":' + "[" * 1_000_000, HEADER + r".*"),
    of("header that is a list", "[]" + " " * 20, r".*"),
    of("name that is no UTF-8",
        '{"a\xff":{%s}}'.encode("latin1") % FIELDS.encode(), HEADER + r"is not JSON at its byte \d+"),
    of("text behind the header", "{}   x", HEADER + r"is not JSON at its byte \d+", data=b""),
]  # fmt: skip
