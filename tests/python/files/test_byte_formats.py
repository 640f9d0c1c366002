"""docs/byte-formats.md against real bytes: PyTorch's, and ours."""

import re
import struct
import zlib
from dataclasses import dataclass

import pytest
import torch
from torch import nn

LOCAL, CENTRAL, DESCRIPTOR = b"PK\x03\x04", b"PK\x01\x02", b"PK\x07\x08"
ZIP64_END, LOCATOR, END = b"PK\x06\x06", b"PK\x06\x07", b"PK\x05\x06"
DATE = 33


@dataclass
class Entry:
    name: str  # without the root folder
    data: bytes
    data_offset: int
    crc: int
    local: tuple  # version, flags, method, time, date, CRC, sizes
    central: tuple
    extra: bytes
    after: bytes  # the 16 bytes after the data


def entries(content):
    """By the fields of the document's tables, and no other reader."""
    end = content.rindex(END)
    count, _, offset = struct.unpack_from("<HII", content, end + 10)
    found = []
    for _ in range(count):
        assert content[offset : offset + 4] == CENTRAL
        *central, name_size, extra_size, comment_size, _, _, _, header = struct.unpack_from(
            "<HHHHHHIIIHHHHHII", content, offset + 4
        )
        name = content[offset + 46 : offset + 46 + name_size]
        offset += 46 + name_size + extra_size + comment_size
        assert content[header : header + 4] == LOCAL
        *local, local_name_size, local_extra_size = struct.unpack_from("<HHHHHIIIHH", content, header + 4)
        assert content[header + 30 : header + 30 + local_name_size] == name
        start = header + 30 + local_name_size + local_extra_size
        size = central[7]
        data = content[start : start + size]
        extra = content[start - local_extra_size : start]
        after = content[start + size : start + size + 16]
        found.append(
            Entry(name.decode().partition("/")[2], data, start, central[6], tuple(local), tuple(central), extra, after)
        )
    assert content[offset : offset + 4] in (ZIP64_END, END)
    return found


def names(found):
    return [entry.name for entry in found]


def in_order(wanted, found):
    """Whether those of `wanted` that are there come in that order, and no others."""
    return [name for name in wanted if name in found] == found


@pytest.fixture
def saved(tmp_path):
    torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "model.pt")
    return (tmp_path / "model.pt").read_bytes()


def test_torch_save_has_the_entries_of_the_document_in_its_order(saved):
    order = ["data.pkl", ".format_version", ".storage_alignment", "byteorder", "data/0", "data/1", "version"]
    found = entries(saved)
    assert in_order([*order, ".data/serialization_id"], names(found))
    content = {entry.name: entry.data for entry in found}
    assert content["byteorder"] == b"little" and content["version"] == b"3\n"
    assert len(content["data/0"]) == 24 and len(content["data/1"]) == 12
    assert re.fullmatch(rb"\d{40}", content[".data/serialization_id"])


def test_pytorchs_entries_have_the_documents_fields(saved):
    for entry in entries(saved):
        assert entry.local == (0, 0x808, 0, 0, 0, 0, 0, 0)
        size = len(entry.data)
        assert entry.central == (0, 0, 0x808, 0, 0, 0, zlib.crc32(entry.data), size, size)
        assert entry.data_offset % 64 == 0
        padding = len(entry.extra) - 4
        assert entry.extra == b"FB" + struct.pack("<H", padding) + padding * b"Z"
        assert entry.after == DESCRIPTOR + struct.pack("<III", entry.crc, size, size)


def test_pytorch_always_writes_zip64_end_records(saved):
    end = saved.rindex(END)
    locator, record = saved[end - 20 : end], saved[end - 76 : end - 20]
    assert locator == LOCATOR + struct.pack("<IQI", 0, end - 76, 1)
    assert record.startswith(ZIP64_END + struct.pack("<QHH", 44, 798, 45))


def test_a_crc_that_was_not_computed_is_0(iris, tmp_path):
    if not hasattr(torch.serialization, "set_crc32_options"):
        pytest.skip("this PyTorch always computes them")
    torch.serialization.set_crc32_options(False)
    try:
        torch.save(nn.Linear(2, 3).state_dict(), tmp_path / "model.pt")
    finally:
        torch.serialization.set_crc32_options(True)
    assert {entry.crc for entry in entries((tmp_path / "model.pt").read_bytes())} == {0}
    assert iris("convert", tmp_path / "model.pt", tmp_path / "out.pt", "-q").returncode == 0


def test_ours_has_the_documents_fields(iris, saved, tmp_path):
    assert iris("convert", tmp_path / "model.pt", tmp_path / "out.pt", "-q").returncode == 0
    content = (tmp_path / "out.pt").read_bytes()
    found = entries(content)
    assert names(found) == ["data.pkl", "byteorder", "data/0", "data/1", "version"]
    assert content[30:].startswith(b"archive/data.pkl")
    for entry in found:
        size = len(entry.data)
        assert entry.local == (45, 0x800, 0, 0, DATE, zlib.crc32(entry.data), size, size)
        assert entry.central == (45, *entry.local)
        assert entry.data_offset % 64 == 0
    assert ZIP64_END not in content


def test_torchscript_has_the_entries_of_the_document_in_its_order(tmp_path):
    class Adds(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(2, 3)

        def forward(self, x):
            return self.linear(x) + torch.ones(3)

    frozen = torch.jit.freeze(torch.jit.script(Adds().eval()))
    torch.jit.save(frozen, tmp_path / "frozen.pt", _extra_files={"iris.json": "{}"})
    found = names(entries((tmp_path / "frozen.pt").read_bytes()))
    groups = [name.partition("/")[0] for name in found if name != "constants.pkl"]
    order = ["extra", "data.pkl", "code", "constants", "version", "byteorder", ".data"]
    assert list(dict.fromkeys(groups)) == order
    assert found.index("constants.pkl") == found.index("version") - 1


def test_the_legacy_container_begins_with_the_documents_bytes(tmp_path):
    state_dict = nn.Linear(2, 3).state_dict()
    torch.save(state_dict, tmp_path / "legacy.pt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "legacy.pt").read_bytes()
    assert content[:15] == bytes.fromhex("80028a0a6cfc9c46f9206aa850192e")
    assert content[15:21] == bytes.fromhex("80024de9032e")
    weight, bias = (struct.pack("<q", tensor.numel()) + tensor.numpy().tobytes() for tensor in state_dict.values())
    assert content.endswith((weight + bias, bias + weight))


def keys(text):
    return re.findall(r"`(\w+)`", text)


def test_a_checkpoint_has_the_documents_names_in_order(iris, repo, tmp_path):
    options = ["--epochs", 2, "--patience", 1, "--checkpoint-dir", "folder"]
    iris("train", repo / "data/iris.csv", "-o", "model.pt", *options, cwd=tmp_path)
    checkpoint = torch.load(next((tmp_path / "folder").iterdir()), weights_only=True)
    section = (repo / "docs/byte-formats.md").read_text().partition("## A checkpoint")[2]
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", section, re.MULTILINE))
    assert list(checkpoint) == list(rows)
    assert list(checkpoint["config"]) == keys(rows["config"])
    assert list(checkpoint["history"][0]) == keys(rows["history"])
    assert list(checkpoint["best"]) == ["epoch", "model_state_dict"]
    assert list(checkpoint["rng_state"].shape) == [5056]
    assert list(checkpoint["optimizer_state_dict"]["state"][0]) == ["step", "exp_avg", "exp_avg_sq"]
