"""Files with classes that no loader knows, as people really have them: their tensors, and nothing of them is run."""

import argparse
import collections
import dataclasses
import datetime
import enum
import functools
import json
import os
import pathlib
import sys
import types

import numpy as np
import pytest
import safetensors.torch
import torch
from serving import Server
from torch import nn

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning", "ignore::FutureWarning")
LEGACY = {"_use_new_zipfile_serialization": False}
SAMPLE = ["5.1", "3.5", "1.4", "0.2"]
THEIRS = types.ModuleType("their_project")  # stands for code that is not here when the file is read


def theirs(cls):
    cls.__module__ = "their_project"
    cls.__qualname__ = cls.__name__
    setattr(THEIRS, cls.__name__, cls)
    return cls


@pytest.fixture(autouse=True)
def their_project(monkeypatch):
    monkeypatch.setitem(sys.modules, "their_project", THEIRS)


@theirs
class Color(enum.Enum):
    RED = 1


@theirs
class Config(dict):
    pass


@theirs
@dataclasses.dataclass
class Settings:
    lr: float = 0.1


@theirs
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 16)
        self.bn = nn.BatchNorm1d(16)
        self.fc2 = nn.Linear(16, 3)
        self.register_buffer("scratch", torch.zeros(2), persistent=False)
        self.register_buffer("kept", torch.arange(6.0).reshape(2, 3).T)
        self.register_parameter("none", None)
        self.rnn = nn.LSTM(3, 2)
        self.tied = self.fc1
        self.parent = [self]
        self.loose = torch.ones(7)


def iris_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(collections.OrderedDict(fc1=nn.Linear(4, 16), relu=nn.ReLU(), fc2=nn.Linear(16, 3)))


def in_a_cycle() -> Config:
    node = Config(name="root")
    node["child"] = Config(parent=node)
    return node


EXTRAS = {
    "namespace": lambda: argparse.Namespace(lr=0.1),
    "path": lambda: pathlib.PosixPath("/data"),
    "defaultdict": lambda: collections.defaultdict(list, a=[1]),
    "date": lambda: datetime.datetime(2020, 1, 1),
    "partial": lambda: functools.partial(max, 1),
    "enum": lambda: Color.RED,
    "dataclass": lambda: Settings(),
    "cycle": in_a_cycle,
    "deque": lambda: collections.deque([1, 2], 3),
    "class": lambda: nn.Linear,
    "frozenset": lambda: frozenset([1]),
    "integer": lambda: 1 << 2400,
    "generator": lambda: np.random.default_rng(0),
}


@pytest.fixture
def convert(iris, tmp_path):
    """convert(IN, OUT, …): what Python's weights_only loader reads of OUT, and stderr."""

    def run(source, output, *options):
        answer = iris("convert", source, output, *options, cwd=tmp_path)
        assert (answer.returncode, answer.stdout) == (0, ""), answer.stderr
        if output.endswith(".safetensors"):
            return safetensors.torch.load_file(tmp_path / output), answer.stderr
        return torch.load(tmp_path / output, weights_only=True), answer.stderr

    return run


def bits(tensor: torch.Tensor) -> bytes:
    return tensor.contiguous().reshape(-1).view(torch.uint8).numpy().tobytes()


def assert_same(got: dict, expected: dict) -> None:
    """Names, order, dtypes, strides, sharing and bits."""
    assert list(got) == list(expected)
    for name, tensor in expected.items():
        assert got[name].dtype == tensor.dtype and got[name].shape == tensor.shape, name
        assert got[name].stride() == tensor.stride(), name
        assert got[name].requires_grad == tensor.requires_grad, name
        assert bits(got[name]) == bits(tensor), name

    def sharing(tensors: dict) -> list:
        first = {}
        return [first.setdefault(t.untyped_storage().data_ptr(), name) for name, t in tensors.items()]

    assert sharing(got) == sharing(expected)


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize("extra", EXTRAS)
def test_a_checkpoint_keeps_all_but_the_object_which_is_named(iris, convert, tmp_path, extra, options):
    state_dict = iris_net().state_dict()
    torch.save({"epoch": 3, "state_dict": state_dict, "extra": EXTRAS[extra]()}, tmp_path / "in.pt", **options)
    got, stderr = convert("in.pt", "out.pt")
    assert list(got) == ["epoch", "state_dict"] and got["epoch"] == 3
    assert_same(got["state_dict"], state_dict)
    assert got["state_dict"]._metadata == state_dict._metadata
    assert stderr.startswith("iris: left out: extra (") and stderr.count("\n") == 1
    assert "Prediction: " in iris("predict", "in.pt", *SAMPLE, cwd=tmp_path).stdout
    got, stderr = convert("in.pt", "out.safetensors")
    assert {name: t.tolist() for name, t in got.items()} == {name: t.tolist() for name, t in state_dict.items()}
    assert "left out" in stderr and "extra" in stderr


@pytest.mark.parametrize("protocol", range(6))
def test_objects_are_read_in_every_protocol(convert, tmp_path, protocol):
    values = {name: make() for name, make in EXTRAS.items()}
    if protocol < 2:
        del values["cycle"]  # a dict in itself is more than these can write
    torch.save({"w": torch.ones(2), "extra": values}, tmp_path / "in.pt", pickle_protocol=protocol)
    got, stderr = convert("in.pt", "out.pt")
    assert got["w"].tolist() == [1, 1] and got["extra"] == {}
    assert stderr.count("iris: left out: extra.") == len(values)


def test_what_is_left_out_is_named_with_place_and_class(convert, tmp_path):
    value = {
        "w": torch.ones(1),
        "args": argparse.Namespace(lr=0.1),
        "list": [1, Color.RED, 2],
        "tuple": (Settings(),),
        "set": {1, Color.RED},
        "deep": {"er": [{"path": pathlib.PurePosixPath("/")}]},
        "big": [1 << 3000],
        Color.RED: 1,
    }
    torch.save(value, tmp_path / "in.pt")
    got, stderr = convert("in.pt", "out.pt")
    assert sorted(stderr.splitlines()) == [
        "iris: left out: args (argparse.Namespace)",
        "iris: left out: big.0 (an integer of 376 bytes)",
        "iris: left out: deep.er.0.path (pathlib.PurePosixPath)",
        "iris: left out: list.1 (their_project.Color)",
        *(line for line in stderr.splitlines() if "left out: set." in line),
        "iris: left out: their_project.Color(…) (an entry whose key is their_project.Color)",
        "iris: left out: tuple.0 (their_project.Settings)",
    ]
    plain = {"list": [1, None, 2], "tuple": (None,), "set": {1}, "deep": {"er": [{}]}, "big": [None]}
    assert {name: v for name, v in got.items() if name != "w"} == plain


def test_inspect_lists_the_names_that_are_not_known(iris, tmp_path):
    value = {"w": torch.ones(1), "a": argparse.Namespace(x=argparse.Namespace()), "b": pathlib.PosixPath("/")}
    torch.save(value, tmp_path / "in.pt")
    shown = json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)
    assert shown["foreign"] == [
        {"name": "argparse.Namespace", "count": 1, "attack": False},
        {"name": "pathlib.PosixPath", "count": 1, "attack": False},
    ]
    inner = {"class": "argparse.Namespace"}
    assert shown["entries"] == {
        "a": {"class": "argparse.Namespace", "state": {"x": inner}},
        "b": {"class": "pathlib.PosixPath", "arguments": ["/"]},
    }
    stderr = iris("inspect", "in.pt", cwd=tmp_path).stderr
    assert "names that are not known, and were not looked up: argparse.Namespace (1), pathlib.PosixPath (1)" in stderr


def test_entries_are_listed_at_any_depth_with_keys_that_come_back(iris, tmp_path):
    keys = {(0, "a"): 1, (0, "b"): 2, 1: 3, "1": 4, "line\nbreak": 5, "x" * 500: 6, 1 << 70: 7, None: 8, b"k": 9}
    deep = "bottom"
    for _ in range(60):
        deep = {"in": [deep]}
    torch.save({"w": torch.ones(1), "keys": keys, "deep": deep}, tmp_path / "in.pt")
    entries = json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)["entries"]
    names = ["(0, 'a')", "(0, 'b')", "1", "1 (2)", "line\nbreak", "x" * 500, str(1 << 70), "None", "b'k'"]
    assert list(entries["keys"].items()) == list(zip(names, range(1, 10), strict=True))
    inner = entries["deep"]
    for _ in range(60):
        [inner] = inner["in"]
    assert inner == "bottom"


def test_what_inspect_says_of_modules_is_in_the_json_too(iris, tmp_path):
    torch.save(Net(), tmp_path / "whole.pt")
    shown = json.loads(iris("inspect", "whole.pt", "--json", cwd=tmp_path).stdout)
    notes = [line.strip() for line in iris("inspect", "whole.pt", cwd=tmp_path).stderr.splitlines()[1:3]]
    assert shown["notes"] == notes
    assert shown["notes"][0].startswith("whole pickled modules are read as their state_dict()")
    torch.save(Net().state_dict(), tmp_path / "plain.pt")
    assert "notes" not in json.loads(iris("inspect", "plain.pt", "--json", cwd=tmp_path).stdout)


def test_a_state_dict_without_foreign_names_has_an_empty_list(iris, repo):
    shown = json.loads(iris("inspect", repo / "models/iris_net.pt", "--json").stdout)
    assert shown["foreign"] == []


def test_numbers_that_json_lacks_come_back_as_text(iris, tmp_path):
    numbers = {"inf": float("inf"), "-inf": float("-inf"), "nan": float("nan")}
    integers = [2**63, -(2**200), 2**2000, -(2**63) - 1]
    torch.save({"w": torch.ones(1), "numbers": numbers, "integers": integers}, tmp_path / "in.pt")
    entries = json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)["entries"]
    assert entries["numbers"] == {"inf": "inf", "-inf": "-inf", "nan": "nan"}
    assert [int(text) for text in entries["integers"]] == integers


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
@pytest.mark.parametrize("make", [Net, iris_net, lambda: nn.DataParallel(Net())], ids=["theirs", "torchs", "parallel"])
def test_a_whole_model_is_its_state_dict(iris, convert, tmp_path, make, options):
    module = make()
    torch.save(module, tmp_path / "whole.pt", **options)
    got, stderr = convert("whole.pt", "out.pt")
    assert isinstance(got, collections.OrderedDict)
    assert_same(got, module.state_dict())
    make().load_state_dict(got, strict=True)
    assert "iris: whole pickled modules are read as their state_dict()" in stderr
    assert ("classes whose code is not here: their_project.Net;" in stderr) == (make is not iris_net)
    names = [line.split(" ")[0] for line in iris("inspect", "whole.pt", cwd=tmp_path).stdout.splitlines()]
    assert names == list(module.state_dict())


@pytest.mark.parametrize("options", [{}, LEGACY], ids=["zip", "legacy"])
def test_a_whole_iris_net_predicts_as_its_state_dict(iris, tmp_path, options):
    torch.save(iris_net(), tmp_path / "whole.pt", **options)
    torch.save({"model": iris_net(), "ema": None}, tmp_path / "around.pt", **options)
    torch.save(iris_net().state_dict(), tmp_path / "plain.pt", **options)
    answers = {name: iris("predict", name, *SAMPLE, "--logits", cwd=tmp_path).stdout
               for name in ("whole.pt", "around.pt", "plain.pt")}  # fmt: skip
    assert answers["whole.pt"] == answers["around.pt"] == answers["plain.pt"] != ""


def test_modules_anywhere_in_a_checkpoint_are_dictionaries(iris, convert, tmp_path):
    net, ema, best = iris_net(), iris_net(), iris_net()
    torch.save({"net": net, "ema": [ema], "run": argparse.Namespace(best=best), "epoch": 1}, tmp_path / "in.pt")
    for key, module in {"net": net, "ema.0": ema, "run.best": best}.items():
        assert_same(convert("in.pt", "out.pt", "--key", key)[0], module.state_dict())
    answer = iris("convert", "in.pt", "out.safetensors", cwd=tmp_path)
    assert answer.stderr == "iris: error: in.pt: holds several state_dicts: net, ema.0 (--key)\n"
    got, stderr = convert("in.pt", "all.pt")
    assert_same(got["net"], net.state_dict())
    assert_same(got["ema"][0], ema.state_dict())
    assert "iris: left out: run (argparse.Namespace)" in stderr


def test_a_pickled_model_whose_modules_hold_each_other_is_refused(iris, tmp_path):
    net = nn.Module()
    net._modules["me"] = net
    torch.save(net, tmp_path / "in.pt")
    answer = iris("inspect", "in.pt", cwd=tmp_path)
    assert answer.returncode == 1
    assert answer.stderr.endswith(": its modules are nested too deep, or contain themselves\n")


CHOICES = {
    "stray_tensor": (lambda sd: {"net": sd, "epoch": 7, "rng_state": torch.get_rng_state()}, "net"),
    "stray_loss": (
        lambda sd: {"net": sd, "loss": torch.tensor(0.25),
                    "optimizer": {"state": {0: {"exp_avg": torch.ones(3)}}, "param_groups": []}},
        "net",
    ),
    "mean": (lambda sd: {"weights": sd, "mean": torch.ones(4)}, "weights"),
    "tuple": (lambda sd: (sd, {"hidden": 16}, 3), "0"),
    "list": (lambda sd: [sd, argparse.Namespace(hidden=16)], "0"),
    "inner": (lambda sd: {"model": {"state_dict": sd}}, "model.state_dict"),
    "whole": (lambda sd: {"model": iris_net(), "ema": None}, "model"),
    "config": (lambda sd: {"sd": Config(sd)}, "sd"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHOICES)
def test_the_right_dictionary_is_chosen(iris, convert, tmp_path, name):
    make, key = CHOICES[name]
    torch.save(make(iris_net().state_dict()), tmp_path / "in.pt")
    assert json.loads(iris("inspect", "in.pt", "--json", cwd=tmp_path).stdout)["key"] == key
    got, stderr = convert("in.pt", "out.safetensors")
    assert sorted(got) == sorted(iris_net().state_dict())
    assert f"iris: written: {key}\n" in stderr
    assert "Prediction: " in iris("predict", "in.pt", *SAMPLE, cwd=tmp_path).stdout


LEFT_OUT = {
    "objects": (
        lambda sd: {"model": sd, "args": argparse.Namespace(lr=0.1), "epoch": 3},
        [],
        "read: model; left out: args (argparse.Namespace), epoch",
    ),
    "candidates": (
        lambda sd: {"epoch": 3, "ema": sd, "state_dict": sd, "optimizer": {"state": {}, "param_groups": []}},
        [],
        "read: state_dict; left out: epoch, ema, optimizer",
    ),
    "inside": (
        lambda sd: {"model": {**sd, "cfg": Config(a=1)}, "epoch": 3},
        ["--key", "model"],
        "read: model; left out: model.cfg (their_project.Config)",
    ),
    "root": (
        lambda sd: {**sd, "cfg": Config(a=1)},
        [],
        "read: the file's root; left out: cfg (their_project.Config)",
    ),
    "module": (
        lambda sd: {"net": iris_net(), "epoch": 3},
        [],
        "read: net; left out: epoch; whole pickled modules are read as their state_dict(), without the versions in its "
        "_metadata",
    ),
    "one candidate": (lambda sd: {"model": sd, "epoch": 3}, [], None),
    "chosen": (lambda sd: {"a": sd, "b": sd}, ["--key", "a"], None),
    "plain": (lambda sd: sd, [], None),
}


@pytest.mark.parametrize("name", LEFT_OUT)
def test_predict_and_evaluate_tell_what_was_chosen_and_what_was_passed_over(iris, repo, tmp_path, name):
    make, options, note = LEFT_OUT[name]
    torch.save(make(iris_net().state_dict()), tmp_path / "in.pt")
    (tmp_path / "rows.csv").write_text(
        "sepal_length,sepal_width,petal_length,petal_width,species\n5.1,3.5,1.4,0.2,setosa\n"
    )
    expected = "" if note is None else f"iris: in.pt: {note}\n"
    for arguments in (["predict", "in.pt", *SAMPLE], ["predict", "in.pt", "-i", "rows.csv"],
                      ["evaluate", "in.pt", "rows.csv"]):  # fmt: skip
        answer = iris(*arguments, *options, cwd=tmp_path)
        assert (answer.returncode, answer.stderr) == (0, expected)


def test_serve_tells_what_was_chosen_and_what_was_passed_over(repo, tmp_path):
    make, _, note = LEFT_OUT["candidates"]
    torch.save(make(iris_net().state_dict()), tmp_path / "in.pt")
    binary = os.environ.get("IRIS_BINARY") or repo / "build/release/iris"
    server = Server(binary, tmp_path / "in.pt")
    server.stop()
    assert server.log.count(f"iris: {tmp_path}/in.pt: {note}") == 1


def test_several_dictionaries_are_listed_with_every_key_that_works(iris, convert, tmp_path):
    sd = iris_net().state_dict()
    torch.save({"model": {"encoder": sd, "head": sd}, "params": sd, "params_ema": sd}, tmp_path / "in.pt")
    answer = iris("predict", "in.pt", *SAMPLE, cwd=tmp_path)
    keys = ["model.encoder", "model.head", "params", "params_ema"]
    assert answer.stderr == f"iris: error: in.pt: holds several state_dicts: {', '.join(keys[:2] + keys[2:])} (--key)\n"
    for key in keys:
        assert_same(convert("in.pt", "out.pt", "--key", key)[0], sd)


def test_an_averaged_model_predicts_as_the_model(iris, tmp_path):
    torch.save(torch.optim.swa_utils.AveragedModel(iris_net()).state_dict(), tmp_path / "averaged.pt")
    torch.save(iris_net().state_dict(), tmp_path / "plain.pt")
    predict = [iris("predict", name, *SAMPLE, "--logits", cwd=tmp_path).stdout for name in ("averaged.pt", "plain.pt")]
    assert predict[0] == predict[1] != ""


@pytest.mark.parametrize(
    ("key", "shown"),
    [((0, "a"), "(0, 'a')"), (b"w", "b'w'"), (None, "None"), (1.5, "1.5"), (1 << 70, str(1 << 70))],
)
def test_a_name_that_safetensors_cannot_hold_is_an_error(iris, convert, tmp_path, key, shown):
    torch.save({"w": torch.ones(1), key: torch.ones(2)}, tmp_path / "in.pt")
    answer = iris("convert", "in.pt", "out.safetensors", cwd=tmp_path)
    fact = "its key is not a text, and safetensors has no other names; write a .pt"
    assert answer.stderr == f'iris: error: in.pt: tensor "{shown}": {fact}\n'
    assert not (tmp_path / "out.safetensors").exists()
    assert convert("in.pt", "out.pt")[0][key].tolist() == [1, 1]


def test_two_names_that_would_become_one_are_an_error(iris, tmp_path):
    torch.save({"0": torch.ones(1), 0: torch.ones(2)}, tmp_path / "in.pt")
    answer = iris("convert", "in.pt", "out.safetensors", cwd=tmp_path)
    assert answer.stderr == 'iris: error: in.pt: two tensors have the name "0"\n'


def test_names_that_are_made_of_keys_are_told(convert, tmp_path):
    torch.save({"w": torch.ones(1), 7: torch.ones(2), "deep": [{"er": torch.ones(3)}]}, tmp_path / "in.pt")
    got, stderr = convert("in.pt", "out.safetensors", "--key", ".")
    assert sorted(got) == ["7", "deep.0.er", "w"]
    assert stderr == ("iris: written under names made of their keys, as safetensors has no others: 7, deep.0.er\n")
    torch.save({"w": torch.ones(1)}, tmp_path / "plain.pt")
    assert convert("plain.pt", "out.safetensors")[1] == ""


def test_tensors_attributes_and_values_in_sets_are_named(convert, tmp_path):
    weight = nn.Parameter(torch.ones(1))
    weight.note = "an attribute"
    value = {"w": weight, "set": {torch.ones(1), "a"}, (1, "a"): 5, b"k": 6, None: 7, 1 << 70: 8}
    torch.save(value, tmp_path / "in.pt")
    got, stderr = convert("in.pt", "out.safetensors")
    assert list(got) == ["w"]
    assert stderr == (
        "iris: left out: attributes that Python code had set on tensors\n"
        "iris: left out, as safetensors holds one dictionary of tensors: set, (1, 'a'), b'k', None, "
        f"{1 << 70}\n"
    )


def test_entries_inside_the_chosen_dictionary_are_named(convert, tmp_path):
    model = {"w": torch.ones(3), "_extra_state": None, "cfg": {"a": 1}, "args": argparse.Namespace()}
    torch.save({"model": model, "epoch": 1}, tmp_path / "in.pt")
    got, stderr = convert("in.pt", "out.safetensors")
    assert list(got) == ["w"]
    assert stderr == (
        "iris: written: model\n"
        "iris: left out, as safetensors holds one dictionary of tensors: epoch, model._extra_state, model.cfg, "
        "model.args (argparse.Namespace)\n"
    )


def test_a_quantized_state_dict_is_an_error_with_the_line_that_dequantizes(iris, tmp_path):
    torch.save({"w": torch.quantize_per_tensor(torch.ones(2), 0.1, 0, torch.qint8)}, tmp_path / "in.pt")
    for arguments in (["convert", "in.pt", "out.pt"], ["predict", "in.pt", *SAMPLE]):
        answer = iris(*arguments, cwd=tmp_path)
        assert answer.returncode == 1
        assert (
            'tensor "w" is made by torch._utils._rebuild_qtensor, which is not computed: it is quantized; save it '
            "dequantized, in Python: torch.save({name: t.dequantize() if t.is_quantized else t" in answer.stderr
        )
