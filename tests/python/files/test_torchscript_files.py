"""TorchScript and C++ archives as data: the tensors of torch.jit.load(f).state_dict(), and nothing of them is run."""

import json
import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")


OWN_CODE = f"{__name__}.py"  # where the archive has the classes of this file


class Recurrent(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 4, num_layers=2, bidirectional=True)
        self.gru = nn.GRU(8, 2)

    def forward(self, x):
        return self.gru(self.lstm(x)[0])[0]


class Attributes(nn.Module):
    """Every kind of tensor that is no parameter and no buffer."""

    maybe: torch.Tensor | None

    def __init__(self):
        super().__init__()
        self.plain = torch.ones(3)
        self.many = [torch.zeros(2), torch.ones(1)]
        self.named = {"x": torch.ones(1)}
        self.pair = (torch.ones(1), 2)
        self.maybe = torch.ones(2)
        self.linear = nn.Linear(2, 2)
        self.register_buffer("buffer", torch.arange(3.0))
        self.register_buffer("scratch", torch.arange(2.0), persistent=False)
        self.register_parameter("none", None)

    def forward(self, x):
        return self.linear(x) + self.plain.sum() + self.many[0].sum() + self.named["x"] + self.pair[0] + self.buffer[0]


class Containers(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(12)])
        self.heads = nn.ModuleDict({"first": nn.Linear(2, 2), "not-a-word": nn.BatchNorm1d(2)})
        self.loose = nn.ParameterList([nn.Parameter(torch.ones(2)), nn.Parameter(torch.zeros(2))])
        self.inner = nn.Sequential(nn.Conv1d(2, 2, 1), nn.Sequential(nn.BatchNorm1d(2)))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.heads["first"](x)


class Shared(nn.Module):
    def __init__(self):
        super().__init__()
        self.a = nn.Linear(2, 2)
        self.b = nn.Linear(2, 2)
        self.b.weight = self.a.weight
        self.c = self.a
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("view", torch.arange(6.0).reshape(2, 3).T)

    def forward(self, x):
        return self.norm(self.c(self.b(self.a(x))))


class OddNames(nn.Module):
    def __init__(self):
        super().__init__()
        for name in ("with space", "it's", "ümlaut", "0", "a : Tensor", "b, c", "d["):
            self.register_parameter(name, nn.Parameter(torch.ones(1)))
        self.add_module("x : Tensor = 1", nn.Linear(1, 1))

    def forward(self, x):
        return x


def quantized() -> nn.Module:
    return torch.ao.quantization.quantize_dynamic(nn.Sequential(nn.Linear(4, 4), nn.LSTM(4, 4)), {nn.Linear, nn.LSTM})


KINDS: dict[str, Callable] = {
    "recurrent": lambda: torch.jit.script(Recurrent()),
    "recurrent_traced": lambda: torch.jit.trace(Recurrent(), torch.randn(5, 1, 3)),
    "attributes": lambda: torch.jit.script(Attributes()),
    "containers": lambda: torch.jit.script(Containers()),
    "shared": lambda: torch.jit.script(Shared()),
    "shared_traced": lambda: torch.jit.trace(Shared().eval(), torch.randn(2, 2)),
    "odd_names": lambda: torch.jit.trace(OddNames(), torch.ones(1)),
    "frozen_in_part": lambda: torch.jit.freeze(torch.jit.script(Shared().eval()), preserved_attrs=["norm"]),
    "quantized": lambda: torch.jit.script(quantized()[:1]),
    "transformer": lambda: torch.jit.script(nn.TransformerEncoderLayer(8, 2, 16)),
    "half": lambda: torch.jit.script(Shared().half()),
    "nothing": lambda: torch.jit.script(nn.ReLU()),
}


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def shown_names(iris, path: Path) -> list[str]:
    answer = iris("inspect", path, "--json")
    assert answer.returncode == 0, answer.stderr
    return [tensor["name"] for tensor in json.loads(answer.stdout)["tensors"]]


def assert_is_the_state_dict(iris, path: Path, folder: Path) -> None:
    """inspect and convert give exactly what torch.jit.load(path).state_dict() is."""
    expected = torch.jit.load(path).state_dict()
    assert shown_names(iris, path) == list(expected)
    for output in ("out.pt", "out.safetensors"):
        answer = iris("convert", path, folder / output)
        assert answer.returncode == 0, answer.stderr
    got = torch.load(folder / "out.pt", weights_only=True)
    assert list(got) == list(expected)
    for name, tensor in expected.items():
        assert (got[name].dtype, got[name].stride()) == (tensor.dtype, tensor.stride()), name
        assert not got[name].requires_grad and type(got[name]) is torch.Tensor
        assert bits(got[name]) == bits(tensor), name
    first: dict[int, str] = {}
    sharing = [first.setdefault(t.untyped_storage().data_ptr(), name) for name, t in expected.items()]
    first = {}
    assert [first.setdefault(t.untyped_storage().data_ptr(), name) for name, t in got.items()] == sharing
    assert {name: bits(t) for name, t in safetensors.torch.load_file(folder / "out.safetensors").items()} == {
        name: bits(tensor) for name, tensor in expected.items()
    }


@pytest.mark.parametrize("kind", KINDS)
def test_a_torchscript_is_exactly_its_state_dict(iris, tmp_path, kind):
    torch.jit.save(KINDS[kind](), tmp_path / "in.pt")
    assert_is_the_state_dict(iris, tmp_path / "in.pt", tmp_path)


@pytest.mark.parametrize("make", [Recurrent, Attributes, Containers, Shared])
def test_what_convert_makes_of_a_script_loads_strictly_into_the_module(iris, tmp_path, make):
    torch.jit.save(torch.jit.script(make()), tmp_path / "in.pt")
    assert iris("convert", tmp_path / "in.pt", tmp_path / "out.pt").returncode == 0
    state_dict = torch.load(tmp_path / "out.pt", weights_only=True)
    state_dict.pop("scratch", None)  # a buffer that is not persistent stays in a script, as in its own state_dict()
    make().load_state_dict(state_dict, strict=True)


def test_tensors_that_are_no_parameters_and_no_buffers_are_named(iris, tmp_path):
    torch.jit.save(torch.jit.script(Attributes()), tmp_path / "in.pt")
    answer = iris("inspect", tmp_path / "in.pt")
    assert answer.stdout == "buffer (3,)\nscratch (2,)\nlinear.weight (2, 2)\nlinear.bias (2,)\n"
    names = ["plain", "maybe", "many", "named", "pair"]
    lines = dict(line.strip().split(": ") for line in answer.stderr.splitlines()[1:])
    assert sorted(lines) == sorted(names)
    assert (lines["plain"], lines["many"]) == ("tensor (3,) float32", "list of 2 items")
    entries = json.loads(iris("inspect", tmp_path / "in.pt", "--json").stdout)["entries"]
    assert entries["many"] == [{"shape": [2], "dtype": "float32"}, {"shape": [1], "dtype": "float32"}]
    for output in ("out.pt", "out.safetensors"):
        stderr = iris("convert", tmp_path / "in.pt", tmp_path / output).stderr
        start = "iris: left out, as the module's state_dict() does not have them: "
        assert stderr.startswith(start) and stderr.count("\n") == 1
        assert sorted(stderr.removeprefix(start).strip().split(", ")) == sorted(names)


def test_the_constants_of_a_script_are_named_beside_its_state_dict(iris, tmp_path):
    torch.jit.save(KINDS["frozen_in_part"](), tmp_path / "in.pt", _extra_files={"iris.json": '{"labels":["a","b"]}'})
    entries = json.loads(iris("inspect", tmp_path / "in.pt", "--json").stdout)["entries"]
    assert entries["labels"] == ["a", "b"]
    assert entries["CONSTANTS.c0"]["dtype"] == "float32"


def rewritten(source: Path, target: Path, change: Callable[[str, bytes], tuple[str, bytes] | None]) -> Path:
    """The archive with other entries."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            changed = change(entry.filename, old.read(entry.filename))
            if changed is not None:
                new.writestr(zipfile.ZipInfo(changed[0]), changed[1], compress_type=entry.compress_type)
    return target


def as_version_1(name: str, content: bytes) -> tuple[str, bytes] | None:
    """As PyTorch 1.3 wrote it: its code names no buffers."""
    if name.endswith(".py"):
        return name, b"op_version_set = 1\n" + re.sub(rb"  __buffers__ = .*\n", b"", content)
    if name.endswith("version"):
        return name.split("/")[0] + "/version", b"1\n"
    return None if "/.data/" in name or name.endswith("byteorder") else (name, content)


def test_a_script_whose_code_names_no_buffers_is_told_by_its_age(iris, tmp_path):
    torch.jit.save(torch.jit.script(Shared()), tmp_path / "new.pt")
    old = rewritten(tmp_path / "new.pt", tmp_path / "old.pt", as_version_1)
    assert_is_the_state_dict(iris, old, tmp_path)
    note = (
        "TorchScript of an old PyTorch (archive version 1), whose code names no buffers: they are not in the "
        "state_dict() of torch.jit.load"
    )
    assert note in iris("inspect", old).stderr
    stderr = iris("convert", old, tmp_path / "out.pt").stderr
    assert note in stderr
    assert "iris: left out, as the module's state_dict() does not have them: view, norm.running_mean, " in stderr


def test_the_archives_of_pytorch_1_0_are_named_for_their_age(iris, tmp_path):
    with zipfile.ZipFile(tmp_path / "in.pt", "w") as archive:
        for name, content in {"version": "1\n", "model.json": "{}", "code/model.py": "", "tensors/0": "1234"}.items():
            archive.writestr("model/" + name, content)
    for arguments in (["inspect", "in.pt"], ["convert", "in.pt", "out.pt"], ["predict", "in.pt", 5.1, 3.5, 1.4, 0.2]):
        answer = iris(*arguments, cwd=tmp_path)
        assert (answer.returncode, answer.stdout) == (1, "")
        assert answer.stderr == (
            "iris: error: in.pt: is TorchScript as PyTorch 1.0 to 1.2 wrote it (model.json), which is not read, and "
            "not by today's LibTorch either; load it with a PyTorch of its time and save its numbers, in Python: "
            'torch.save(torch.jit.load("old.pt").state_dict(), "model.pt")\n'
        )


def test_a_script_without_its_code_is_an_error(iris, tmp_path):
    torch.jit.save(torch.jit.script(Shared()), tmp_path / "whole.pt")
    path = rewritten(tmp_path / "whole.pt", tmp_path / "in.pt",
                     lambda name, content: None if name.endswith(OWN_CODE) else (name, content))  # fmt: skip
    answer = iris("inspect", path)
    assert answer.stderr.startswith(f"iris: error: {path}: zip: its code does not have the module __torch__.")
    assert answer.stderr.endswith("Shared, and would say which tensors are its parameters\n")


def test_code_that_is_damaged_is_an_error_at_its_place(iris, tmp_path):
    torch.jit.save(torch.jit.script(Shared()), tmp_path / "in.pt")
    content = bytearray((tmp_path / "in.pt").read_bytes())
    with zipfile.ZipFile(tmp_path / "in.pt") as archive:
        entry = archive.getinfo(f"in/code/__torch__/{OWN_CODE}")
    assert entry.compress_type == zipfile.ZIP_DEFLATED
    content[entry.header_offset + 30 + len(entry.filename) + entry.compress_size // 2 + 40] ^= 0xFF
    (tmp_path / "in.pt").write_bytes(content)
    answer = iris("inspect", tmp_path / "in.pt")
    assert answer.returncode == 1
    assert f'zip entry "in/code/__torch__/{OWN_CODE}": ' in answer.stderr


def test_modules_that_hold_themselves_are_refused(iris, tmp_path):
    entries = {
        "version": "3\n",
        "data.pkl": b"\x80\x02c__torch__\nLoop\n)\x81q\x00}X\x01\x00\x00\x00ah\x00sb.",  # its attribute a is itself
        "constants.pkl": b"\x80\x02).",
        "code/__torch__.py": "class Loop(Module):\n  __parameters__ = []\n  __buffers__ = []\n  a : __torch__.Loop\n",
    }
    with zipfile.ZipFile(tmp_path / "in.pt", "w") as archive:
        for name, content in entries.items():
            archive.writestr("model/" + name, content)
    answer = iris("inspect", tmp_path / "in.pt")
    assert answer.returncode == 1
    assert answer.stderr.endswith(": its modules are nested too deep, or contain themselves\n")
