"""Modules of many kinds, as people save them with torch.jit, through predict, evaluate, serve and inspect: each has
Python's own answers, or the one message that helps."""

import csv
import io
import json
import re
import warnings
from concurrent.futures import ThreadPoolExecutor

import model_kinds as kinds
import pytest
import torch
from torch import nn

ROWS = 300
LABELLED = "a,b,c,d,species\n"


def sample_rows(rows: int = ROWS) -> torch.Tensor:
    return 8 * torch.rand(rows, 4, generator=torch.Generator().manual_seed(1))


def text_of(rows: torch.Tensor) -> str:
    return "".join(",".join(f"{value:.6g}" for value in row) + "\n" for row in rows.tolist())


def values_of(text: str) -> torch.Tensor:
    return torch.tensor([[float(cell) for cell in line.split(",")] for line in text.splitlines()])


@pytest.fixture
def saved(tmp_path):
    """saved(module, names=None): the module as TorchScript, without names unless iris.json's content is given."""

    def call(module, names=None):
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            module = module() if isinstance(module, type) or not isinstance(module, nn.Module) else module
            if not isinstance(module, torch.jit.ScriptModule):
                module = torch.jit.script(module.eval())
            path = tmp_path / "model.ts.pt"
            torch.jit.save(module, str(path), _extra_files={"iris.json": json.dumps(names)} if names else {})
        return path

    return call


def python_answers(path, rows: torch.Tensor) -> torch.Tensor:
    """Each row's outputs, as torch.jit.load gives them, one row after the other."""
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        module = torch.jit.load(str(path)).eval()
        return torch.cat([module(row[None].clone()).reshape(1, -1).float() for row in rows])


def logits_in(text: str) -> torch.Tensor:
    rows = list(csv.DictReader(io.StringIO(text)))
    names = [name for name in rows[0] if name.startswith("logit_")]
    return torch.tensor([[float(row[name]) for name in names] for row in rows])


GOOD = {
    "remembers": kinds.Remembers,
    "in steps": kinds.InSteps,
    "counts": kinds.Counts,
    "list of rows": kinds.ListOfRows,
    "writes into its input": kinds.WritesIntoItsInput,
    "batch norm": kinds.BatchNorm,
    "sparse": kinds.Sparse,
    "enum": kinds.WithEnum,
    "frozen": kinds.frozen,
    "traced": kinds.traced,
    "static int8": kinds.static_int8,
    "prints": kinds.Prints,
    "1,000 classes": lambda: kinds.layers(1000),
    "two classes": lambda: kinds.layers(2),
    "softmax": lambda: nn.Sequential(kinds.layers(), nn.Softmax(1)),
    "sigmoids": lambda: nn.Sequential(kinds.layers(5), nn.Sigmoid()),
}


@pytest.mark.parametrize("kind", GOOD)
@pytest.mark.parametrize("options", [[], ["--workers", 1], ["--batch-size", 7], ["--workers", 4, "--batch-size", 64]])
def test_its_answers_are_pythons(iris, saved, kind, options):
    path = saved(GOOD[kind])
    text = text_of(sample_rows())
    result = iris("predict", path, "-i", "-", "--logits", *options, input=text)
    assert result.returncode == 0, result.stderr
    expected = python_answers(path, values_of(text))
    actual = logits_in(result.stdout)
    assert actual.shape == expected.shape
    assert torch.allclose(actual, expected, rtol=1e-4, atol=1e-4), (actual - expected).abs().max()


@pytest.mark.parametrize("kind", ["remembers", "in steps", "counts", "list of rows", "writes into its input"])
def test_what_changes_itself_gives_every_caller_of_a_server_its_own_answer(saved, serve, kind):
    path = saved(GOOD[kind])
    server = serve(model=path)
    rows = values_of(text_of(sample_rows(64)))
    expected = torch.softmax(python_answers(path, rows), 1)

    def ask(row):
        status, _, answer = server.ask("/predict", json.dumps({"instances": [row]}).encode())
        assert status == 200, answer
        return list(answer["predictions"][0]["probabilities"].values())

    with ThreadPoolExecutor(16) as callers:
        answers = torch.tensor(list(callers.map(ask, [row for row in rows.tolist() for _ in range(4)])))
    assert torch.allclose(answers, expected.repeat_interleave(4, 0), atol=1e-5)


ONE_NUMBER = (
    "the model gives one number for each row; say whether it is the logit of two classes (logits), the second class's "
    "probability (probabilities) or a value (values) (--outputs)"
)
WAY_OUT = "; export a module that returns the one to show, of shape (rows, classes)"
DEPEND = r"the rows depend on each other: alone and beside 7 others a row has different answers \(by .* % of the "
DEPEND += r"largest\); if N rows belong together, say so \(--batch-size N\)"
REFUSED = {
    "keeps a state": (kinds.KeepsAState, DEPEND),
    "centers": (kinds.Centers, DEPEND),
    "random": (kinds.IsRandom, DEPEND),
    "one logit": (lambda: kinds.layers(1), re.escape(ONE_NUMBER)),
    "one logit, squeezed": (kinds.Squeezes, re.escape(ONE_NUMBER)),
    "float64": (
        lambda: kinds.layers().double(),
        r"the model failed on 4 features: .*dtype.*; its weights are float64, and the rows float32 \(--dtype float32\)",
    ),
    "two inputs": (
        kinds.TwoInputs,
        r"the model's forward takes 2 inputs \(x, y\); export a module that takes one tensor, of shape "
        r"\(rows, features\)",
    ),
    "tuple": (kinds.GivesATuple, re.escape("the model gives Tuple[Tensor, Tensor], not one tensor" + WAY_OUT)),
    "dict": (kinds.GivesADict, re.escape("the model gives Dict[str, Tensor], not one tensor" + WAY_OUT)),
    "classes": (kinds.GivesClasses, r"the model gives a tensor of int64; float numbers are needed, \(rows, classes\)"),
    "image": (kinds.TakesImages, r"the model failed on 4 features: .*Expected 3D .* or 4D .* input to conv2d.*"),
    "no forward": (
        kinds.HasNoForward,
        "is a TorchScript module without a method called forward, and not an IrisNet; export a module that has one",
    ),
    "another device": (kinds.NeedsAnotherDevice, r"the model failed on 4 features: .*(CUDA|cuda).*"),
    "one row": (
        kinds.TakesOneRow,
        r"the model answers each row alone, but not 8 together \(.*one row at a time\); give it one at a time "
        r"\(--batch-size 1\)",
    ),
    "eight rows": (
        kinds.TakesEightRows,
        r"the rows depend on each other: 8 together have answers, and one of them alone has none \(.*eight rows at a "
        r"time\); if N rows belong together, say so \(--batch-size N\)",
    ),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_it_is_refused_in_one_message_that_helps(iris, saved, kind):
    module, message = REFUSED[kind]
    path = saved(module)
    many = iris("predict", path, "-i", "-", input=text_of(sample_rows(16)))
    assert many.returncode == 1
    place = f"iris: error: {re.escape(str(path))}: "
    in_row = f"iris: error: (stdin:1: )?{re.escape(str(path))}: "
    assert re.fullmatch(in_row + message + r"( \(--features\))?\n", many.stderr), many.stderr
    labelled = "a,b,c,d,species\n" + text_of(sample_rows(16)).replace("\n", ",0\n")
    (path.parent / "rows.csv").write_text(labelled)
    evaluated = iris("evaluate", path, path.parent / "rows.csv")
    assert evaluated.returncode == 1
    assert re.search(message, evaluated.stderr) and "Traceback" not in evaluated.stderr, evaluated.stderr
    assert re.match(place.split(":")[0], evaluated.stderr)


@pytest.mark.parametrize("kind", REFUSED)
def test_a_server_of_it_does_not_start(iris, saved, kind):
    module, _ = REFUSED[kind]
    result = iris("serve", saved(module), "--port", "0", "--features", "a,b,c,d")
    assert result.returncode == 1
    assert result.stderr.count("iris: error: ") == 1


@pytest.mark.parametrize("kind", [*GOOD, *REFUSED])
def test_inspect_runs_nothing_of_it(iris, saved, kind):
    module = GOOD.get(kind) or REFUSED[kind][0]
    result = iris("inspect", saved(module), "--json")
    if kind in ("static int8", "sparse", "enum"):
        return  # what inspect says of these is for test_inspect.py
    assert result.returncode == 0, result.stderr
    assert json.loads(result.stdout)["kind"] == "torchscript"


def test_a_network_that_keeps_a_state_runs_in_order_where_its_rows_belong_together(iris, saved):
    path = saved(kinds.KeepsAState)
    text = text_of(sample_rows())
    result = iris("predict", path, "-i", "-", "--logits", "--batch-size", 1, "--workers", 4, input=text)
    assert result.returncode == 0, result.stderr
    assert torch.allclose(logits_in(result.stdout), python_answers(path, values_of(text)), atol=1e-5)


@pytest.mark.parametrize("kind, rows", [(kinds.TakesOneRow, 1), (kinds.TakesEightRows, 8)])
def test_a_fixed_number_of_rows_is_given_where_the_user_says_so(iris, saved, kind, rows):
    text = text_of(sample_rows(40_000))  # of several parts
    result = iris("predict", saved(kind), "-i", "-", "--batch-size", rows, input=text)
    assert (result.returncode, result.stderr) == (0, "")
    assert len(result.stdout.splitlines()) == 40_001


def test_a_last_part_of_fewer_rows_is_an_error(iris, saved):
    result = iris("predict", saved(kinds.TakesEightRows), "-i", "-", "--batch-size", 8, input=text_of(sample_rows(20)))
    assert result.returncode == 1
    assert "eight rows at a time" in result.stderr


@pytest.mark.parametrize("kind", [kinds.RefusesSomeRows, kinds.GivesNanOnSomeRows])
def test_a_row_on_which_it_fails_is_a_bad_row(iris, saved, kind):
    rows = sample_rows()
    text = text_of(rows)
    bad = [number + 1 for number, row in enumerate(values_of(text)) if row[0] > 7]
    path = saved(kind)
    stopped = iris("predict", path, "-i", "-", input=text)
    assert stopped.returncode == 1
    assert stopped.stderr.startswith(f"iris: error: stdin:{bad[0]}: {path}: the model "), stopped.stderr
    skipped = iris("predict", path, "-i", "-", "--on-error", "skip", input=text)
    assert skipped.returncode == 3
    assert [number for number, line in enumerate(skipped.stdout.splitlines()) if line == ","] == bad
    (path.parent / "rows.csv").write_text(LABELLED + text.replace("\n", ",0\n"))
    evaluated = iris("evaluate", path, path.parent / "rows.csv")
    assert evaluated.returncode == 1
    assert f"rows.csv:{bad[0] + 1}: {path}: the model " in evaluated.stderr


def test_what_it_prints_is_not_among_the_results(iris, saved):
    result = iris("predict", saved(kinds.Prints), "5", "3", "1", "0.2")
    assert result.stdout.startswith("Prediction: ")
    assert result.stderr == "rows: 1\n"


def test_dynamic_int8_is_told_that_its_rows_depend_on_each_other_a_little(iris, saved):
    result = iris("predict", saved(kinds.dynamic_int8), "-i", "-", input=text_of(sample_rows(64)))
    assert result.returncode in (0, 1)
    assert "the rows depend on each other" in result.stderr


class TestOutputs:
    TWO = {"features": ["a", "b", "c", "d"], "labels": ["no", "yes"]}

    def test_one_logit_is_of_the_second_of_two_classes(self, iris, saved):
        path = saved(lambda: kinds.layers(1), {**self.TWO, "outputs": "logits"})
        logit = python_answers(path, torch.tensor([[5.0, 3.0, 1.0, 0.5]])).item()
        answer = json.loads(iris("predict", path, "5", "3", "1", "0.5", "--json").stdout)
        assert list(answer["probabilities"]) == ["no", "yes"]
        assert answer["probabilities"]["yes"] == pytest.approx(torch.tensor(logit).sigmoid().item(), rel=1e-5)
        assert answer["logits"] == pytest.approx([logit], rel=1e-5)
        assert answer["label"] == ("yes" if logit > 0 else "no")
        many = iris("predict", path, "-i", "-", "--logits", "--probabilities", input="5,3,1,0.5\n")
        assert many.stdout.splitlines()[0] == "label,confidence,p_no,p_yes,logit_yes"

    def test_probabilities_are_taken_as_they_are(self, iris, saved):
        path = saved(lambda: nn.Sequential(kinds.layers(), nn.Softmax(1)))
        expected = python_answers(path, torch.tensor([[5.0, 3.0, 1.0, 0.5]]))[0].tolist()
        result = iris("predict", path, "5", "3", "1", "0.5", "--json", "--outputs", "probabilities")
        answer = json.loads(result.stdout)
        assert list(answer["probabilities"].values()) == pytest.approx(expected, rel=1e-6)
        assert "logits" not in answer and result.stderr == ""

    def test_probabilities_that_pass_for_logits_are_told_once(self, iris, saved):
        path = saved(lambda: nn.Sequential(kinds.layers(), nn.Softmax(1)))
        result = iris("predict", path, "-i", "-", input=text_of(sample_rows(10_000)))
        assert result.stderr == (
            f"iris: {path}: the model's outputs look like probabilities: each row's lie between 0 and 1 and add up to "
            "1; softmax was applied to them (--outputs probabilities)\n"
        )

    @pytest.mark.parametrize("part", ["--logits", "--probabilities"])
    def test_values_have_no_classes(self, iris, saved, part):
        path = saved(lambda: kinds.layers(2))
        result = iris("predict", path, "5", "3", "1", "0.5", "--outputs", "values", part)
        assert result.returncode == 2
        assert "the model's outputs are values, which have no probabilities and no logits" in result.stderr

    def test_values_are_shown_as_they_are(self, iris, saved):
        path = saved(lambda: kinds.layers(2))
        values = python_answers(path, torch.tensor([[5.0, 3.0, 1.0, 0.5]]))[0]
        sample = ["predict", path, "5", "3", "1", "0.5", "--outputs", "values"]
        shown = iris(*sample, "--labels", "price,area").stdout
        assert [line.split(": ")[0] for line in shown.splitlines()] == ["price", "area"]
        assert torch.tensor([float(line.split(": ")[1]) for line in shown.splitlines()]) == pytest.approx(values)
        answer = json.loads(iris(*sample, "--json").stdout)
        assert list(answer) == ["values"] and list(answer["values"]) == ["y0", "y1"]
        rows = ["predict", path, "-i", "-", "--outputs", "values"]
        header, line = iris(*rows, input="5,3,1,0.5\n").stdout.splitlines()
        assert header == "y0,y1" and torch.tensor(list(map(float, line.split(",")))) == pytest.approx(values)
        skipped = iris(*rows, "--on-error", "skip", input="5,3,1,0.5\nx,1,1,1\n")
        assert skipped.stdout.splitlines()[2] == ","
        lines = iris(*rows, "--json", "--copy", "1", input="5,3,1,0.5\n").stdout
        assert json.loads(lines) == {"1": "5", "values": answer["values"]}

    def test_values_are_evaluated_against_their_target(self, iris, saved, tmp_path):
        path = saved(lambda: kinds.layers(1), {"features": ["a", "b", "c", "d"], "outputs": "values"})
        rows = values_of(text_of(sample_rows()))
        predicted = python_answers(path, rows)[:, 0].double()
        target = (rows.sum(1) / 10).double()
        lines = [
            ",".join(f"{v:.6g}" for v in row) + f",{t:.9g}\n" for row, t in zip(rows.tolist(), target, strict=True)
        ]
        (tmp_path / "rows.csv").write_text("a,b,c,d,price\n" + "".join(lines))
        result = iris("evaluate", path, tmp_path / "rows.csv", "--label-column", "price", "--json")
        figures = json.loads(result.stdout)
        errors = predicted - target
        assert figures["rows"] == ROWS
        assert figures["mse"] == pytest.approx((errors**2).mean().item(), rel=1e-4)
        assert figures["mae"] == pytest.approx(errors.abs().mean().item(), rel=1e-4)
        r2 = 1 - (errors**2).sum() / ((target - target.mean()) ** 2).sum()
        assert figures["r2"] == pytest.approx(r2.item(), rel=1e-4)
        assert iris("evaluate", path, tmp_path / "rows.csv", "--label-column", "price").stdout.startswith("Rows: 300\n")

    def test_a_server_answers_in_values(self, saved, serve):
        path = saved(
            lambda: kinds.layers(2), {"features": ["a", "b", "c", "d"], "labels": ["p", "q"], "outputs": "values"}
        )
        server = serve(model=path)
        values = python_answers(path, torch.tensor([[5.0, 3.0, 1.0, 0.5]]))[0].tolist()
        answer = server.ask("/predict", b'{"instances":[[5,3,1,0.5]]}')[2]["predictions"][0]
        assert list(answer) == ["values"] and list(answer["values"].values()) == pytest.approx(values, rel=1e-5)
        metadata = server.ask("/v2/models/iris")[2]
        assert metadata["outputs"] == [{"name": "values", "datatype": "FP32", "shape": [-1, 2]}]
        infer = {"inputs": [{"name": "input", "datatype": "FP32", "shape": [1, 4], "data": [5, 3, 1, 0.5]}]}
        outputs = server.ask("/v2/models/iris/infer", json.dumps(infer).encode())[2]["outputs"]
        assert [(output["name"], output["shape"]) for output in outputs] == [("values", [1, 2])]
        assert outputs[0]["data"] == pytest.approx(values, rel=1e-5)
