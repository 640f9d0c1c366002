"""export_formats.py with models of other shapes, and export.py --format; test_aoti.py has the compiled form."""

import importlib.util
import json

import pytest
import torch
from torch import nn

from iris_export import export_formats
from iris_export.export import load_iris_net
from iris_export.export_formats import FORMS, export_model, exported
from iris_export.flowers import read_flowers
from iris_export.model_file import InputError

IRIS_JSON = (
    '{"name":"iris","features":["sepal_length","sepal_width","petal_length","petal_width"],'
    '"labels":["setosa","versicolor","virginica"]}'
)
WITHOUT = ("onnxscript", "onnxruntime", "safetensors")
WINE = {"name": "wine", "features": [f"f{i}" for i in range(13)], "labels": ["a", "b", "c"]}

# Without the compiled form: it takes a compiler some seconds.
QUICK = [form for form in FORMS if form != "aoti"]


def wine_net() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.BatchNorm1d(13), nn.Linear(13, 9), nn.ReLU(), nn.Dropout(0.5), nn.Linear(9, 3)).eval()


def wine_rows(count: int) -> torch.Tensor:
    return 5 * torch.randn(count, 13, generator=torch.Generator().manual_seed(1))


class BranchesOnRows(nn.Module):
    """Traced with one count of rows, it is another function for others."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(13, 3))

    def forward(self, x, *unused):  # `*` keeps torch.jit.script away
        return x @ self.weight if len(x) > 20 else x @ self.weight + 1


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(13, 13)
        self.second = nn.Linear(13, 13)
        self.second.weight = self.first.weight
        self.register_buffer("steps", torch.tensor(3))

    def forward(self, x):
        return self.second(self.first(x))


class Applies(nn.Module):
    """`function` of a linear layer and the rows."""

    def __init__(self, function):
        super().__init__()
        torch.manual_seed(0)
        self.linear = nn.Linear(13, 3)
        self.function = function

    def forward(self, x):
        return self.function(self.linear, x)


def chooses_by_the_values(linear, x):
    return linear(x) if x.sum() < 1e9 else -linear(x)


def error_of(*args, **names) -> str:
    with pytest.raises(InputError) as error:
        exported(*args, **{**WINE, **names})
    return str(error.value)


@pytest.mark.parametrize("format", QUICK)
@pytest.mark.parametrize("count", [1, 7])
def test_any_classifier_is_exported_from_any_number_of_rows(tmp_path, format, count):
    difference = export_model(wine_net(), wine_rows(count), tmp_path / "wine", format, **WINE)
    assert difference < 1e-5
    assert [path.name for path in tmp_path.iterdir()] == ["wine"]


@torch.no_grad()
def test_onnx_runtime_answers_as_the_module_does(repo, in_process, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    result = in_process("export.py", repo / "models/iris_net.pt", "-o", tmp_path / "iris.onnx", "--format", "onnx")
    assert result.returncode == 0, result.stderr
    lines = result.stdout.splitlines()
    assert lines[0] == f"Wrote {tmp_path}/iris.onnx (onnx)"
    assert float(lines[1].removeprefix("Max abs difference from the module: ")) < 1e-5
    assert result.stderr == ""
    session = onnxruntime.InferenceSession(tmp_path / "iris.onnx", providers=["CPUExecutionProvider"])
    assert session.get_modelmeta().custom_metadata_map["iris.json"] == IRIS_JSON
    assert [(put.name, put.shape) for put in session.get_inputs()] == [("features", ["rows", 4])]
    assert [(put.name, put.shape) for put in session.get_outputs()] == [("logits", ["rows", 3])]
    flowers = read_flowers(repo / "data/iris.csv").features
    for rows in (0, 1, 150):
        (logits,) = session.run(["logits"], {"features": flowers[:rows].numpy()})
        expected = load_iris_net(repo / "models/iris_net.pt")(flowers[:rows])
        torch.testing.assert_close(torch.from_numpy(logits), expected, rtol=1e-5, atol=1e-5)


def test_an_onnx_file_is_the_same_every_time_and_holds_no_path_of_this_machine(repo):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    one, two = (exported(wine_net(), wine_rows(4), "onnx", **WINE)[0] for _ in range(2))
    assert one == two
    assert str(repo).encode() not in one and b"site-packages" not in one


def test_packages_that_are_missing_are_named_with_the_way_to_get_them(monkeypatch):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name in WITHOUT else find_spec(name))
    assert error_of(wine_net(), wine_rows(4), "onnx") == (
        "format onnx: needs what is not installed here: python -m pip install onnxscript onnxruntime"
    )
    assert error_of(wine_net(), wine_rows(4), "safetensors") == (
        "format safetensors: needs what is not installed here: python -m pip install safetensors"
    )


def test_safetensors_holds_every_tensor_with_its_bits(tmp_path):
    from safetensors import safe_open
    from safetensors.torch import load_file

    model = Tied().eval()
    model.first.bias.data[0] = -0.0
    labels = [str(i) for i in range(13)]
    assert export_model(model, wine_rows(4), tmp_path / "t", "safetensors", **{**WINE, "labels": labels}) == 0
    tensors = load_file(tmp_path / "t")
    assert set(tensors) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(tensors[name], tensor) and tensors[name].dtype == tensor.dtype
    assert torch.signbit(tensors["first.bias"][0])
    with safe_open(tmp_path / "t", "pt") as file:
        assert json.loads(file.metadata()["iris.json"])["labels"] == labels


def test_iris_predicts_with_the_safetensors_export(repo, in_process, iris, tmp_path):
    out = tmp_path / "iris.safetensors"
    assert in_process("export.py", repo / "models/iris_net.pt", "-o", out, "--format", "safetensors").returncode == 0
    ours, expected = (
        iris("predict", model, 5.1, 3.5, 1.4, 0.2, "--json") for model in (out, repo / "models/iris_net.pt")
    )
    assert ours.stdout == expected.stdout != ""


def test_what_depends_on_the_number_of_rows_is_not_written(tmp_path):
    for format in ("torchscript", "onnx", "aoti"):
        with pytest.raises(InputError, match=f"^format {format}: [^\n]*$"):
            export_model(BranchesOnRows().eval(), wine_rows(4), tmp_path / "out", format, **WINE)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("format", QUICK)
def test_a_file_of_another_models_is_found_out(monkeypatch, format):
    good, _ = exported(wine_net(), wine_rows(4), format, **WINE)
    other = wine_net()
    other[1].bias.data += 0.5
    with pytest.raises(InputError):
        export_formats.verify(other, wine_rows(4), format, good)


@pytest.mark.parametrize(
    ("model", "rows", "names", "fact"),
    [
        (wine_net().train(), wine_rows(4), {}, "the model is in training mode, in which dropout and batch norm differ"),
        (
            wine_net(),
            wine_rows(4).double(),
            {},
            "the example must be float32 [rows, features], not torch.float64 [4, 13]",
        ),
        (wine_net(), wine_rows(0), {}, "the example must be float32 [rows, features], not torch.float32 [0, 13]"),
        (nn.Flatten(0), wine_rows(4), {}, "wine: does not give one tensor [rows, outputs]"),
        (wine_net(), wine_rows(4) / 0, {}, "wine: gives logits that are not finite"),
        (
            Applies(lambda linear, x: linear(x).long()),
            wine_rows(4),
            {},
            "wine: gives torch.int64; outputs are floating",
        ),
        (
            Applies(lambda linear, x: linear(x - x.mean(0))),
            wine_rows(1),
            {},
            "wine: a row alone gives other logits than among others (max abs difference ",
        ),
        (nn.Linear(5, 3), wine_rows(4), {}, "wine: fails on float32 [4, 13]: RuntimeError: mat1 and mat2 shapes"),
        (wine_net(), None, {}, "the example must be a tensor or a NumPy array: "),
        (wine_net(), wine_rows(4), {"name": ""}, "name: '' is not a name; give text that is not empty"),
        (wine_net(), wine_rows(4), {"labels": ["a", "", "b"]}, "labels: '' is not a name"),
        (wine_net(), wine_rows(4), {"labels": [0, 1, 2]}, "labels: 0 is not a name"),
        (
            wine_net(),
            wine_rows(4),
            {"features": [*WINE["features"][1:], "\ud800"]},
            "features: '\\ud800' is not Unicode: it holds a lone surrogate; give another",
        ),
        (wine_net(), wine_rows(4), {"features": ["a"]}, "wine: needs 13 features of different names, got ['a']"),
        (
            wine_net(),
            wine_rows(4),
            {"labels": ["a", "a", "b"]},
            "wine: needs 3 labels of different names, got ['a', 'a'",
        ),
    ],
)
def test_what_cannot_be_right_is_told_before_anything_is_made(model, rows, names, fact):
    assert error_of(model.eval() if "training" not in fact else model, rows, "onnx", **names).startswith(fact)


def test_a_format_that_is_none_is_told():
    assert error_of(wine_net(), wine_rows(4), "onyx") == (
        "format onyx: is not one of torchscript, aoti, onnx, safetensors"
    )


def test_a_path_may_be_text_and_the_example_of_numpy(tmp_path):
    export_model(wine_net(), wine_rows(4).numpy(), str(tmp_path / "wine"), "safetensors", **WINE)
    assert (tmp_path / "wine").is_file()


def test_what_scripts_but_does_not_run_is_traced(tmp_path):
    model = nn.utils.parametrizations.weight_norm(nn.Linear(13, 3)).eval()
    assert export_model(model, wine_rows(4), tmp_path / "wine", "torchscript", **WINE) < 1e-5
    assert error_of(model, wine_rows(4), "torchscript", method="script") == (
        "format torchscript: PyTorch cannot export this model: "
        "RuntimeError: Parametrization is not working with scripting."
    )


@pytest.mark.parametrize("format", ["onnx", "aoti"])
def test_a_branch_on_values_is_told_in_one_line_alone(capfd, format):
    if format == "onnx":
        pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    line = chooses_by_the_values.__code__.co_firstlineno + 1
    assert error_of(Applies(chooses_by_the_values).eval(), wine_rows(4), format) == (
        f"format {format}: PyTorch cannot export this model: {__file__}:{line}: "
        "decides by the values of the rows (an if, a loop, a size); choose with torch.where instead"
    )
    assert capfd.readouterr() == ("", "")


def test_all_writes_the_four_beside_each_other(repo, in_process, tmp_path):
    pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    (tmp_path / "folder").mkdir()
    for out, expected in ((tmp_path / "net.v2", "net.v2"), (tmp_path / "folder", "folder/iris_net")):
        result = in_process("export.py", repo / "models/iris_net.pt", "-o", out, "--format", "all")
        assert result.returncode == 0, result.stderr
        assert [line for line in result.stdout.splitlines() if line.startswith("Wrote")] == [
            f"Wrote {tmp_path}/{expected}{form.extension} ({name})" for name, form in FORMS.items()
        ]
        for form in FORMS.values():
            assert (tmp_path / (expected + form.extension)).is_file()


def test_all_writes_nothing_where_one_form_fails(repo, in_process, monkeypatch, tmp_path):
    monkeypatch.setenv("CXX", "no-such-compiler")
    result = in_process("export.py", repo / "models/iris_net.pt", "-o", tmp_path / "net", "--format", "all")
    assert result.returncode == 1 and "format aoti: needs a C++ compiler" in result.stderr
    assert list(tmp_path.iterdir()) == []
