"""Models of other shapes than IrisNet's, exported by export_model and run by iris; and what is not a classifier."""

import json

import pytest
import torch
from torch import nn

from iris_export.export_formats import export_model
from iris_export.model_file import InputError

NAMES = ["a b", "c/d", "e,f", 'g "h" é']  # of features, as CSV and JSON must escape them


class Layers(nn.Module):
    """float32 [rows, features] to logits [rows, classes], by one layer of 200 units."""

    def __init__(self, features=4, classes=3):
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.Sequential(nn.Linear(features, 200), nn.Dropout(), nn.Tanh(), nn.Linear(200, classes))

    def forward(self, x: torch.Tensor):
        return self.layers(x)


class WithTuple(Layers):
    def forward(self, x: torch.Tensor):
        logits = self.layers(x)
        return logits, logits.softmax(1)


class WithBranch(Layers):
    """Takes absolute values if any feature is negative: a trace keeps only one of the branches."""

    def forward(self, x: torch.Tensor):
        if bool((x < 0).any()):
            x = x.abs()
        return self.layers(x)


class WithHiddenBranch(WithBranch):
    def forward(self, x: torch.Tensor, *unused):  # `*` keeps torch.jit.script away
        return super().forward(x)


class Softmaxed(Layers):
    def forward(self, x: torch.Tensor):
        return self.layers(x).softmax(1)


@pytest.fixture
def exported(tmp_path):
    """exported(model, format, rows): the file that export_model makes, with names of its own."""

    def call(model, format="torchscript", rows=None):
        rows = torch.randn(8, 4) if rows is None else rows
        with torch.no_grad():
            outputs = model.eval()(rows)
        classes = outputs.shape[1] if isinstance(outputs, torch.Tensor) else 3
        features = [*NAMES, *(f"f{i}" for i in range(4, rows.shape[1]))]
        path = tmp_path / f"model.{format}"
        labels = [f"class {i}" for i in range(classes)]
        export_model(model, rows, path, format, name="own", features=features, labels=labels)
        return path

    return call


def logits_of(iris, path, rows):
    lines = "".join(json.dumps(row) + "\n" for row in rows.tolist())
    result = iris("predict", path, "-i", "-", "--input-format", "ndjson", "--logits", input=lines)
    assert (result.returncode, result.stderr) == (0, "")
    return torch.tensor([json.loads(line)["logits"] for line in result.stdout.splitlines()])


@pytest.mark.parametrize("format", ["torchscript", "aoti"])
def test_200_features_and_10_classes(iris, exported, format):
    model, rows = Layers(200, 10), torch.randn(50, 200)
    path = exported(model, format, rows)
    with torch.no_grad():
        torch.testing.assert_close(logits_of(iris, path, rows), model(rows), rtol=1e-6, atol=1e-6)


def test_names_that_must_be_escaped_are_found_in_csv_and_ndjson(iris, exported, tmp_path):
    path = exported(Layers())
    (tmp_path / "rows.csv").write_text('"g ""h"" é","e,f",a b,c/d\n4,3,1,2\n', encoding="utf-8")
    object_of = json.dumps(dict(zip(NAMES, [1, 2, 3, 4], strict=True))) + "\n"
    by_csv = iris("predict", path, "-i", tmp_path / "rows.csv", "--output-format", "ndjson", "--logits")
    by_ndjson = iris("predict", path, "-i", "-", "--input-format", "ndjson", "--logits", input=object_of)
    in_order = iris("predict", path, "-i", "-", "--output-format", "ndjson", "--logits", input="1,2,3,4\n")
    assert by_csv.stdout == by_ndjson.stdout == in_order.stdout != ""
    assert json.loads(in_order.stdout)["label"].startswith("class ")


def test_two_classes(iris, exported):
    answer = json.loads(iris("predict", exported(Layers(classes=2)), 1, 2, 3, 4, "--json").stdout)
    assert list(answer["probabilities"]) == ["class 0", "class 1"]
    assert sum(answer["probabilities"].values()) == pytest.approx(1)


def test_a_branch_in_the_module_is_kept_by_torchscript(iris, exported):
    model = WithBranch()
    path = exported(model)
    for rows in (torch.ones(1, 4), -torch.ones(1, 4)):
        with torch.no_grad():
            torch.testing.assert_close(logits_of(iris, path, rows), model(rows), rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("format", ["torchscript", "onnx"])
def test_a_branch_that_cannot_be_kept_is_an_error_of_the_export(exported, format):
    """Also if no row of the export's example takes the other branch."""
    with pytest.raises(InputError, match=f"^format {format}: PyTorch cannot export this model: "):
        exported(WithHiddenBranch(), format, torch.rand(8, 4))


@pytest.mark.parametrize(
    "model, names, fact",
    [
        (WithTuple(), {}, "own: does not give one tensor [rows, outputs]"),
        (Layers(classes=1), {"labels": ["a"]}, "own: needs 2 labels of different names, got ['a']"),
        (Softmaxed(), {}, "own: gives what looks like probabilities"),
        (Layers(), {"outputs": "probabilities"}, "own: gives numbers outside [0, 1]"),
        (Layers(), {"outputs": "odds"}, "outputs 'odds': is not one of logits, probabilities, values"),
        (Layers().double(), {}, "own: fails on float32 [8, 4]: RuntimeError: mat1 and mat2 must have the same dtype"),
        (Layers(), {"labels": [0, 1, 2]}, "labels: 0 is not a name; give text that is not empty"),
        (Layers(), {"features": ["a", "b", "", "d"]}, "features: '' is not a name"),
    ],
)
def test_what_iris_would_refuse_is_not_exported(tmp_path, model, names, fact):
    names = {"features": NAMES, "labels": ["a", "b", "c"], **names}
    with pytest.raises(InputError) as error:
        export_model(model.eval(), torch.randn(8, 4), tmp_path / "out", "torchscript", name="own", **names)
    assert str(error.value).startswith(fact) and "\n" not in str(error.value)
    assert not (tmp_path / "out").exists()


def save(model, path, names=None):
    """Saves TorchScript as a stranger would, without our checks."""
    script = torch.jit.script(model.eval())
    torch.jit.save(script, path, _extra_files={} if names is None else {"iris.json": json.dumps(names)})
    return path


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "model, message",
    [
        (WithTuple(), "the model gives Tuple[Tensor, Tensor], not one tensor; "),
        (Layers(classes=1), "the model gives one number for each row; "),
        (
            Layers().double(),
            "the model failed on 4 features: mat1 and mat2 must have the same dtype, but got Float and ",
        ),
    ],
)
def test_what_is_no_classifier_of_float32_is_refused_in_one_message(iris, tmp_path, model, message):
    path = save(model, tmp_path / "model.pt")
    result = iris("predict", path, 1, 2, 3, 4)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"iris: error: {path}: {message}")
    assert result.stderr.count("\n") == 1


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize(
    "names, options, label",
    [
        (None, [], "class"),
        ({"name": "own", "features": NAMES}, [], "class"),
        (None, ["--labels", "red,green,blue"], "color"),
        ({"name": "own", "features": NAMES, "labels": ["x", "y", "z"]}, ["--labels", "red,green,blue"], "color"),
    ],
)
def test_classes_without_names_are_numbers_and_an_option_names_them(iris, tmp_path, names, options, label):
    path = save(Layers(), tmp_path / "model.pt", names)
    answer = json.loads(iris("predict", path, 1, 2, 3, 4, "--json", *options).stdout)
    named = {"class": ["0", "1", "2"], "color": ["red", "green", "blue"]}[label]
    assert list(answer["probabilities"]) == named
    assert answer["label"] == named[answer["index"]]


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_model_that_ends_in_a_softmax_gets_another(iris, tmp_path):
    """As docs/guide.md warns: probabilities cannot be told from logits."""
    answer = json.loads(iris("predict", save(Softmaxed(), tmp_path / "model.pt"), 1, 2, 3, 4, "--json").stdout)
    assert max(answer["probabilities"].values()) < 0.6


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_torchscript_is_a_program(iris, tmp_path):
    """As docs/safety.md says: predict runs it, and it reads and writes files; inspect does not run it."""
    (tmp_path / "secret").write_text("password")

    class Spy(nn.Module):
        def __init__(self, folder: str):
            super().__init__()
            self.folder = folder

        def forward(self, x: torch.Tensor):
            secret = torch.from_file(self.folder + "/secret", False, 8, dtype=torch.uint8)
            written = torch.from_file(self.folder + "/written", True, 8, dtype=torch.uint8)
            return (secret + 0 * written.fill_(65)).float().expand(x.size(0), 8)

    path = save(Spy(str(tmp_path)), tmp_path / "spy.pt")
    assert iris("inspect", path).returncode == 0
    assert not (tmp_path / "written").exists()
    result = iris("predict", path, 1, 2, "--json")
    assert bytes(int(value) for value in json.loads(result.stdout)["logits"]) == b"password"
    assert (tmp_path / "written").read_bytes() == b"AAAAAAAA"


@pytest.mark.parametrize("outputs", ["logits", "probabilities", "values"])
def test_an_export_says_what_its_numbers_are(iris, tmp_path, outputs):
    model = nn.Sequential(Layers(classes=1), nn.Sigmoid() if outputs == "probabilities" else nn.Identity())
    labels = ["price"] if outputs == "values" else ["no", "yes"]
    path = tmp_path / "own.ts.pt"
    export_model(
        model.eval(), torch.randn(8, 4), path, "torchscript", name="own", features=NAMES, labels=labels, outputs=outputs
    )
    answer = json.loads(iris("predict", path, 1, 2, 3, 4, "--json").stdout)
    with torch.no_grad():
        number = model(torch.tensor([[1.0, 2, 3, 4]])).item()
    if outputs == "values":
        assert answer == {"values": {"price": pytest.approx(number, rel=1e-5)}}
    else:
        expected = number if outputs == "probabilities" else torch.tensor(number).sigmoid().item()
        assert answer["probabilities"]["yes"] == pytest.approx(expected, rel=1e-5)
    assert f"  outputs: {outputs}\n" in iris("inspect", path).stderr
