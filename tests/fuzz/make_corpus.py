"""Writes the seeds of the fuzz targets: whole files for container_fuzz, the pickles in them for pickle_fuzz, rows for
rows_fuzz.

    python tests/fuzz/make_corpus.py FOLDER

FOLDER/container, FOLDER/pickle and FOLDER/rows are made. Seeds are small, so that many runs fit into a second.
"""

import argparse
import collections
import io
import pathlib
import pickle
import struct
import sys
import tarfile
import warnings
import zipfile
from pathlib import Path

import numpy as np
import safetensors.torch
import torch

REPO = Path(__file__).resolve().parent.parent.parent
MAX_SEED = 16 * 1024
PROTOCOLS = range(6)


def tensors() -> dict:
    """One tensor of every kind that a file can tell apart."""
    base = torch.arange(6, dtype=torch.float32).reshape(2, 3)
    dtypes = [torch.bool, torch.uint8, torch.int64, torch.float16, torch.bfloat16, torch.complex64]
    later = [torch.uint16, torch.uint64, torch.float8_e4m3fn]  # without a storage class of their own
    return {
        "transposed": base.T,
        "row": base[1],
        "expanded": torch.zeros(1).expand(4, 2),
        "scalar": torch.tensor(1.5),
        "empty": torch.zeros(0, 3),
        "parameter": torch.nn.Parameter(torch.ones(2)),
        "conj": torch.ones(2, dtype=torch.complex64).conj(),
        **{str(dtype).removeprefix("torch."): torch.ones(2).to(dtype) for dtype in dtypes + later},
    }


def plain_values() -> dict:
    return {
        "epoch": 3,
        "big": [2**63, -(2**200), 255, 65535, -1],
        "texts": ["", "é", "module." * 4, b"", b"\x00\xff", bytearray(b"ab")],
        "numbers": (True, None, 0.5, float("nan"), 1 + 2j),
        "sets": {1, 2},
        "frozen": frozenset({3}),
        "counter": collections.Counter("aab"),
        "size": torch.Size([2, 3]),
        "device": torch.device("cpu"),
        "dtype": torch.float32,
        "shared": [[1]] * 3,
    }


def foreign_values() -> dict:
    """Objects of classes that iris does not know, NumPy's values, and a module that knows its parent."""
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2))
    module.parent = [module]
    default = collections.defaultdict(list, a=[1])
    return {
        "model": module,
        "args": argparse.Namespace(lr=0.1, path=pathlib.PurePosixPath("/a")),
        "default": default,
        pathlib.PurePosixPath("/key"): collections.deque([1, default]),
        "class": torch.nn.Linear,
        "scalar": np.float64(0.5),
        "array": np.arange(6, dtype=">i2").reshape(2, 3),
        "objects": np.array([None, 1], dtype=object),
    }


class Scripted(torch.nn.Module):
    """Parameters, a buffer, modules, and tensors that are none of these."""

    def __init__(self):
        super().__init__()
        self.layers = torch.nn.ModuleList([torch.nn.Linear(1, 1), torch.nn.BatchNorm1d(1)])
        self.register_buffer("buffer", torch.ones(1))
        self.plain = torch.ones(1)
        self.many = [torch.ones(1)]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.buffer + self.plain + self.many[0]


def script(module: torch.jit.ScriptModule) -> bytes:
    buffer = io.BytesIO()
    torch.jit.save(module, buffer)
    return buffer.getvalue()


def state_dict() -> collections.OrderedDict:
    return torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.BatchNorm1d(2)).state_dict()


def saved(value, **options) -> bytes:
    buffer = io.BytesIO()
    torch.save(value, buffer, **options)
    return buffer.getvalue()


def made_files() -> dict[str, bytes]:
    shared = torch.zeros(4)
    values = {
        "tensors": tensors(),
        "checkpoint": {"model_state_dict": state_dict(), **plain_values()},
        "foreign": foreign_values(),
        "tied": {"a": shared, "b": shared[2:], "c": shared},
    }
    files = {}
    for name, value in values.items():
        for protocol in PROTOCOLS:
            files[f"{name}-{protocol}.pt"] = saved(value, pickle_protocol=protocol)
            if not (name == "tensors" and protocol == 0):
                files[f"{name}-{protocol}.pth"] = saved(
                    value, pickle_protocol=protocol, _use_new_zipfile_serialization=False
                )
    scripted = torch.jit.script(Scripted())
    files["scripted-attributes.pt"] = script(scripted)
    files["frozen-in-part.pt"] = script(torch.jit.freeze(scripted.eval(), preserved_attrs=["layers"]))
    files["metadata.safetensors"] = safetensors.torch.save(dict(state_dict()), {"format": "pt", "note": "é"})
    dtypes = {name: t.contiguous() for name, t in tensors().items() if t.dtype != torch.complex64}
    files["dtypes.safetensors"] = safetensors.torch.save({k: t.clone() for k, t in dtypes.items()})
    return files


def tar_file() -> bytes:
    """What torch.save wrote before 0.1.10 (docs/byte-formats.md)."""
    parts = {
        "pickle": b"\x80\x02}X\x01\x00\x00\x00wX\x03\x00\x00\x00101Qs.",
        "tensors": b"\x80\x02K\x01.\x80\x02(KeKdctorch\nFloatTensor\nt." + struct.pack("<i4x3q", 1, 3, 1, 0),
        "storages": b"\x80\x02K\x01.\x80\x02(KdNctorch\nFloatStorage\nt." + struct.pack("<q3f", 3, 1, 2, 3) + b"].",
    }
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:", format=tarfile.USTAR_FORMAT) as archive:
        for name, data in parts.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return buffer.getvalue()[:5120]


def with_byte_order(data: bytes, order: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(buffer, "w") as new:
        for info in old.infolist():
            new.writestr(info.filename, order if info.filename.endswith("/byteorder") else old.read(info))
    return buffer.getvalue()


def pickles_in(data: bytes) -> list[bytes]:
    if data.startswith(b"PK"):
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return [archive.read(name) for name in archive.namelist() if name.endswith(".pkl")]
    if b"\xf9\x20\x6a\xa8\x50\x19" not in data[:32]:
        return []
    stream = io.BytesIO(data)
    pickles = []
    for _ in range(3):
        start = stream.tell()
        pickle.load(stream)
        pickles.append(data[start : stream.tell()])
    return [*pickles, data[stream.tell() :]]


# Objects by every opcode that makes them, chains of calls, cycles, EXT, and persistent ids of modules.
OBJECTS = {
    "chain": b"\x80\x02ca\nB\n)R)R)Rq\x00}X\x01\x00\x00\x00xh\x00sb.",
    "cycle": b"\x80\x02ca\nB\n)\x81q\x00}X\x01\x00\x00\x00xh\x00sbh\x00X\x01\x00\x00\x00yh\x00s.",
    "inst": b"(K\x01ia\nB\n(ca\nC\nK\x02o\x86.",
    "newobj-ex": b"\x80\x04\x8c\x01a\x8c\x01B\x93)}\x8c\x01kK\x01s\x92\x94]h\x00ae.",
    "items": b"\x80\x04ca\nB\n)\x81(K\x01K\x02e(K\x01K\x02u(K\x03\x90.",
    "extension": b"\x80\x02\x82\x01\x83\x01\x00\x84\x01\x00\x00\x00\x87.",
    "module-id": b"\x80\x02(X\x06\x00\x00\x00moduleca\nB\nX\x01\x00\x00\x00fX\x01\x00\x00\x00stQ)\x81}b.",
    "reconstructor": b"\x80\x02ccopyreg\n_reconstructor\nca\nB\nc__builtin__\nobject\nN\x87R}b.",
}

# The first byte says whether it is CSV or NDJSON (rows_fuzz).
ROWS = [
    b'01.5,?,2,3\n-0.25,"a,""b\n",1e-3,7\r\n\n123456789,,.5,5.\n',
    b'0"1","x"y,2,3\n1,x,nan,1e39\n+1, 2 ,3,4\n"',
    b'1{"a":1.5,"b":2,"c":-3e2}\n[1,2.25,3]\n\n{"c":1,"x":"s","b":0.5,"a":1234567}\r\n',
    b'1{"a":1,"b":{"a":[2]},"c":"\\u0061"}\n[1,2]\n{"a":1,"a":2,"b":1,"c":1}\n[01,1.,1e999]\n',
]


def main() -> None:
    folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    files = made_files()
    files["old.tar"] = tar_file()
    files["big_endian.pt"] = with_byte_order(files["tensors-2.pt"], b"big")
    for path in [*REPO.glob("tests/fixtures/*.pt"), *REPO.glob("models/*.pt"), *REPO.glob("tests/hostile/*")]:
        if path.suffix != ".md":
            files[path.name] = path.read_bytes()
    containers, pickles, rows = folder / "container", folder / "pickle", folder / "rows"
    for each in (containers, pickles, rows):
        each.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        if len(data) <= MAX_SEED:
            (containers / name).write_bytes(data)
        for i, part in enumerate(pickles_in(data) if name.endswith((".pt", ".pth")) else [data]):
            if len(part) <= MAX_SEED:
                (pickles / f"{name}.{i}").write_bytes(part)
    for name, data in OBJECTS.items():
        (pickles / f"{name}.pkl").write_bytes(data)
    for protocol in PROTOCOLS:
        (pickles / f"plain-{protocol}.pkl").write_bytes(pickle.dumps(plain_values(), protocol))
    for i, text in enumerate(ROWS):
        (rows / str(i)).write_bytes(text)


if __name__ == "__main__":
    main()
