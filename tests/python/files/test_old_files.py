"""What PyTorch before 0.4 wrote, spelled out opcode by opcode: its writers are gone.

Sources: torch/autograd/variable.py of v0.3.1 (Variable.__reduce_ex__, __setstate__) and torch/tensor.py of v0.1.9
(_TensorBase.__getstate__).
"""

import json
import pickle
import struct

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
