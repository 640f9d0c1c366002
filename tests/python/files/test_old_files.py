"""What PyTorch before 0.4 wrote, spelled out opcode by opcode: its writers are gone.

Sources: torch/autograd/variable.py of v0.3.1 (Variable.__reduce_ex__, __setstate__); torch/tensor.py of v0.1.9
(_TensorBase.__getstate__); for the tar container, what torch/serialization.py (legacy_load) still reads.
"""

import io
import json
import pickle
import re
import struct
import tarfile

import pytest
import torch

HEAD = b"".join(pickle.dumps(x, 2) for x in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}))


def text(string: bytes) -> bytes:
    return b"U" + bytes([len(string)]) + string


STORAGE = b"(" + text(b"storage") + b"ctorch\nFloatStorage\n" + text(b"1") + text(b"cpu") + b"K\x06NtQ"
SIZES = b"K\x00K\x02K\x03\x86K\x03K\x01\x86"  # offset, (2, 3), (3, 1)
REBUILT = b"ctorch._utils\n_rebuild_tensor\n(" + STORAGE + SIZES + b"tR"
HOOKS = b"ccollections\nOrderedDict\n)R"
PARAMETER = b"ctorch.nn.parameter\nParameter\n"
VALUES = {
    "parameter_by_reduce": PARAMETER + REBUILT + b"\x85R(\x88\x89" + HOOKS + b"tb",
    "parameter_by_newobj": PARAMETER + REBUILT + b"\x85\x81(\x88\x89" + HOOKS + b"tb",
    "parameter_of_the_oldest_state": PARAMETER + b")\x81(" + REBUILT + b"N" + HOOKS + b"\x88\x89tb",
    "variable": b"ctorch.autograd.variable\nVariable\n" + REBUILT + b"\x85R(\x88\x89" + HOOKS + b"tb",
    "float_tensor": b"ctorch\nFloatTensor\n)R(" + STORAGE + SIZES + b"tb",
    "float_tensor_by_newobj": b"ctorch\nFloatTensor\n)\x81(" + STORAGE + SIZES + b"tb",
    "cuda_float_tensor": b"ctorch.cuda\nFloatTensor\n)R(" + STORAGE + SIZES + b"tb",
    "parameter_of_a_float_tensor": PARAMETER + b"ctorch\nFloatTensor\n)R(" + STORAGE + SIZES + b"tb\x85R(\x88\x89"
    + HOOKS + b"tb",
}  # fmt: skip


def legacy_file(value: bytes) -> bytes:
    root = b"ccollections\nOrderedDict\n(](](" + text(b"fc.weight") + value + b"eetR"
    data = struct.pack("<q6f", 6, 1, 2, 3, 4, 5, 6)
    return HEAD + b"\x80\x02" + root + b".\x80\x02](" + text(b"1") + b"e." + data


@pytest.mark.parametrize("name", VALUES)
def test_the_tensors_of_old_pytorch_are_read(iris, tmp_path, name):
    (tmp_path / "old.pth").write_bytes(legacy_file(VALUES[name]))
    shown = json.loads(iris("inspect", "old.pth", "--json", cwd=tmp_path).stdout)
    assert shown["tensors"] == [{"name": "fc.weight", "shape": [2, 3], "dtype": "float32"}]
    assert shown["foreign"] == []
    answer = iris("convert", "old.pth", "new.pt", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    got = torch.load(tmp_path / "new.pt", weights_only=True)["fc.weight"]
    assert got.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert got.requires_grad == (name == "variable" or name.startswith("parameter"))


def test_a_parameter_by_reduce_is_what_python_reads(iris, tmp_path):
    (tmp_path / "old.pth").write_bytes(legacy_file(VALUES["parameter_by_reduce"]))
    theirs = torch.load(tmp_path / "old.pth", weights_only=True)
    iris("convert", "old.pth", "new.pt", cwd=tmp_path)
    ours = torch.load(tmp_path / "new.pt", weights_only=True)
    assert list(ours) == list(theirs)
    assert type(ours["fc.weight"]) is type(theirs["fc.weight"]) is torch.nn.Parameter
    assert torch.equal(ours["fc.weight"], theirs["fc.weight"])


@pytest.mark.parametrize("name", VALUES)
def test_an_old_file_cut_anywhere_is_refused(iris, tmp_path, name):
    whole = legacy_file(VALUES[name])
    for length in range(len(HEAD), len(whole), 7):
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        answer = iris("inspect", "cut.pth", cwd=tmp_path)
        assert answer.returncode == 1 and answer.stderr.startswith("iris: error: cut.pth: "), length


def dumps(value) -> bytes:
    return pickle.dumps(value, 2)


def tar_file(**changes: bytes) -> bytes:
    """torch.save of v0.1.9 (torch/serialization.py): a dict of fc.weight, (2, 3), and its first row, on one storage."""
    parts = {
        "sys_info": dumps({"little_endian": True}),
        "pickle": b"\x80\x02}(X\x09\x00\x00\x00fc.weightX\x03\x00\x00\x00101Q"
        b"X\x03\x00\x00\x00rowX\x03\x00\x00\x00102Qu.",
        "tensors": dumps(2)
        + b"\x80\x02(KeKdctorch\nFloatTensor\nt." + struct.pack("<i4x5q", 2, 2, 3, 3, 1, 0)
        + b"\x80\x02(KfKcctorch.cuda\nFloatTensor\nt." + struct.pack("<i4x3q", 1, 3, 1, 0),
        "storages": dumps(1)
        + b"\x80\x02(KdX\x03\x00\x00\x00cpuctorch\nFloatStorage\nt." + struct.pack("<q6f", 6, 1, 2, 3, 4, 5, 6)
        + dumps([(99, 100, 3, 3)]),
    }  # fmt: skip
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT) as archive:
        for name, data in (parts | changes).items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def test_the_tar_container_is_read(iris, tmp_path):
    (tmp_path / "old.pth").write_bytes(tar_file())
    shown = json.loads(iris("inspect", "old.pth", "--json", cwd=tmp_path).stdout)
    assert (shown["container"], shown["kind"], shown["bytes"]) == ("tar", "state_dict", 24)
    answer = iris("convert", "old.pth", "new.pt", cwd=tmp_path)
    assert (answer.returncode, answer.stderr) == (0, "")
    got = torch.load(tmp_path / "new.pt", weights_only=True)
    assert {name: t.tolist() for name, t in got.items()} == {"fc.weight": [[1, 2, 3], [4, 5, 6]], "row": [4, 5, 6]}
    assert got["row"].untyped_storage().data_ptr() == got["fc.weight"].untyped_storage().data_ptr()


@pytest.mark.filterwarnings("ignore")
def test_the_tar_container_is_what_python_reads(iris, tmp_path):
    (tmp_path / "old.pth").write_bytes(tar_file())
    theirs = torch.load(tmp_path / "old.pth", weights_only=False)
    iris("convert", "old.pth", "new.pt", cwd=tmp_path)
    ours = torch.load(tmp_path / "new.pt", weights_only=True)
    assert list(ours) == list(theirs)
    assert torch.equal(ours["fc.weight"], theirs["fc.weight"])


@pytest.mark.parametrize(
    ("changes", "fact"),
    [
        ({"storages": dumps(1)}, r"storages: offset \d+: the pickle ends without STOP"),
        ({"storages": dumps(-1)}, r"storages: offset \d+: a count is not a number"),
        ({"storages": dumps(1) + dumps((1, 2))}, r"storages: offset \d+: a record is not a tuple of three"),
        ({"storages": dumps(1) + b"\x80\x02(KdNctorch\nFloatStorage\nt." + b"\xff" * 8},
         r"storages: offset \d+: a storage reaches past the end"),
        ({"storages": dumps(1) + b"\x80\x02(KdNctheir\nStorage\nt."},
         r"storages: offset \d+: a storage's type is unknown"),
        ({"storages": dumps(0) + dumps([])}, r'tensors: offset \d+: storage "100" is missing, .*'),
        ({"storages": dumps(0) + dumps([(99, 100, 3, 3)])},
         r"storages: offset \d+: a view is of a storage that is missing"),
        ({"tensors": dumps(1) + b"\x80\x02(KeKdctorch\nFloatTensor\nt." + struct.pack("<i4x", 65)},
         r"tensors: offset \d+: a tensor has an impossible number of dimensions"),
        ({"tensors": dumps(1) + b"\x80\x02(KeKdctorch\nFloatTensor\nt." + struct.pack("<i4x3q", 1, 7, 1, 0)},
         r"tensors: a tensor reaches past its storage of 24 bytes"),
        ({"tensors": dumps(1) + b"\x80\x02(KeKdctorch\nFloatTensor\nt." + struct.pack("<i4x3q", 1, -1, 1, 0)},
         r"tensors: offset \d+: a tensor has a negative size or stride"),
        ({"tensors": dumps(1) + b"\x80\x02(KeKdctorch\nLongTensor\nt." + struct.pack("<i4x3q", 1, 3, 1, 0)},
         r"tensors: offset \d+: a tensor lies in a storage of another type"),
        ({"tensors": dumps(0)}, r"pickle: offset \d+: a persistent id is of no tensor"),
        ({"pickle": b"\x80\x02cos\nsystem\n."}, r"pickle: offset \d+: names os\.system, which runs programs: .*"),
        ({"pickle": b"\x80\x02}.}"}, r"pickle: offset \d+: there are bytes after the pickle"),
    ],
)  # fmt: skip
def test_a_damaged_tar_container_is_refused(iris, tmp_path, changes, fact):
    (tmp_path / "old.pth").write_bytes(tar_file(**changes))
    answer = iris("inspect", "old.pth", cwd=tmp_path)
    assert answer.returncode == 1
    assert re.fullmatch(rf"iris: error: old\.pth: {fact}\n", answer.stderr), answer.stderr


def test_a_tar_container_cut_anywhere_is_refused(iris, tmp_path):
    whole = tar_file()
    end = whole.rindex(struct.pack("<6f", 1, 2, 3, 4, 5, 6)) + 24
    for length in range(300, end, 101):
        (tmp_path / "cut.pth").write_bytes(whole[:length])
        answer = iris("inspect", "cut.pth", cwd=tmp_path)
        assert answer.returncode == 1 and answer.stderr.startswith("iris: error: cut.pth: "), length


def test_a_tar_container_with_a_changed_byte_does_no_harm(iris, tmp_path):
    whole = tar_file()
    for place in range(0, len(whole), 97):
        (tmp_path / "bad.pth").write_bytes(whole[:place] + bytes([whole[place] ^ 0xFF]) + whole[place + 1 :])
        assert iris("inspect", "bad.pth", cwd=tmp_path).returncode in (0, 1), place


def test_a_tar_of_something_else_is_told(iris, tmp_path):
    (tmp_path / "file").write_text("hello")
    with tarfile.open(tmp_path / "other.tar", "w") as archive:
        archive.add(tmp_path / "file", "file")
    answer = iris("inspect", "other.tar", cwd=tmp_path)
    fact = "is a tar archive, and not one of PyTorch; unpack it, and name the model file in it"
    assert answer.stderr == f"iris: error: other.tar: {fact}\n"
