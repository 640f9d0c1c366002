"""--dtype: the answers of Python's own model.to(dtype), and how far they are from float32's."""

import copy
import json

import pytest
import torch

from iris_export.flowers import read_flowers
from iris_export.iris_net import IrisNet

DTYPES = {"bfloat16": torch.bfloat16, "float16": torch.float16}
TOLERANCES = {"bfloat16": 0.03, "float16": 0.003}  # of a row's largest logit: docs/cuda.md


@pytest.fixture(scope="module")
def features(repo):
    return read_flowers(repo / "data/iris.csv").features


@pytest.fixture(scope="module")
def net(repo):
    net = IrisNet()
    net.load_state_dict(torch.load(repo / "models/iris_net.pt", weights_only=True))
    return net.eval()


def logits_of(iris, model, features, tmp_path, *options):
    """The logits of predict -i, as float32 [rows, classes]."""
    rows = tmp_path / "rows.csv"
    rows.write_text("".join(",".join(map(repr, row)) + "\n" for row in features.tolist()))
    result = iris("predict", model, "-i", rows, "--logits", "--output-format", "ndjson", *options)
    assert (result.returncode, result.stderr) == (0, "")
    return torch.tensor([json.loads(line)["logits"] for line in result.stdout.splitlines()])


def in_python(net, features, dtype):
    with torch.no_grad():
        return copy.deepcopy(net).to(dtype)(features.to(dtype)).float()


class Deep(torch.nn.Module):
    """Has what a conversion can get wrong: an integer buffer, batch-norm's counts, a tensor that is used twice."""

    def __init__(self):
        super().__init__()
        self.first = torch.nn.Linear(13, 32)
        self.norm = torch.nn.BatchNorm1d(32)
        self.second = torch.nn.Linear(32, 32)
        self.third = torch.nn.Linear(32, 32)
        self.third.weight = self.second.weight
        self.last = torch.nn.Linear(32, 3)
        self.register_buffer("order", torch.tensor([2, 0, 1]))

    def forward(self, rows):
        rows = self.third(self.second(self.norm(self.first(rows)).relu()).relu())
        return self.last(rows)[:, self.order]


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_state_dict_gives_pythons_logits(iris, repo, net, features, tmp_path, dtype):
    exact = in_python(net, features, torch.float32)
    logits = logits_of(iris, repo / "models/iris_net.pt", features, tmp_path, "--dtype", dtype)
    torch.testing.assert_close(logits, in_python(net, features, DTYPES[dtype]), rtol=2**-8, atol=2**-8)
    assert not torch.equal(logits, exact)
    assert ((logits - exact).abs() / exact.abs().amax(1, keepdim=True)).max() < TOLERANCES[dtype]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("form", [torch.jit.script, lambda net: torch.jit.trace(net, torch.zeros(2, 13))])
def test_torchscript_gives_pythons_logits(iris, tmp_path, dtype, form):
    torch.manual_seed(0)
    net = Deep().eval()
    features = torch.randn(100, 13)
    exact = in_python(net, features, torch.float32)
    torch.jit.save(form(net), tmp_path / "deep.ts.pt")
    logits = logits_of(iris, tmp_path / "deep.ts.pt", features, tmp_path, "--dtype", dtype)
    torch.testing.assert_close(logits, in_python(net, features, DTYPES[dtype]), rtol=2**-8, atol=2**-8)
    assert ((logits - exact).abs().max() / exact.abs().max()) < TOLERANCES[dtype]


def test_a_half_module_can_be_asked_for_float32(iris, tmp_path):
    torch.manual_seed(0)
    net = Deep().eval().half()
    torch.jit.save(torch.jit.script(net), tmp_path / "half.ts.pt")
    features = torch.randn(100, 13)
    assert iris("predict", tmp_path / "half.ts.pt", *["1"] * 13).returncode == 1
    logits = logits_of(iris, tmp_path / "half.ts.pt", features, tmp_path, "--dtype", "float32")
    torch.testing.assert_close(logits, in_python(net, features, torch.float32), rtol=1e-6, atol=1e-6)


def test_float32_changes_nothing(iris, repo, features, tmp_path):
    model = repo / "models/iris_net.pt"
    assert torch.equal(
        logits_of(iris, model, features, tmp_path, "--dtype", "float32"), logits_of(iris, model, features, tmp_path)
    )


def test_evaluate_takes_it(iris, repo, net, features):
    result = iris("evaluate", repo / "models/iris_net.pt", repo / "data/iris.csv", "--json", "--dtype", "bfloat16")
    labels = read_flowers(repo / "data/iris.csv").labels
    logits = in_python(net, features, torch.bfloat16)
    assert json.loads(result.stdout)["loss"] == pytest.approx(
        torch.nn.functional.cross_entropy(logits, labels).item(), rel=1e-2
    )
    assert json.loads(result.stdout)["accuracy"] == (logits.argmax(1) == labels).double().mean().item()


def test_a_frozen_module_is_refused(iris, repo):
    result = iris("predict", repo / "tests/fixtures/frozen.pt", "5.1", "3.5", "1.4", "0.2", "--dtype", "bfloat16")
    assert result.returncode == 1
    assert result.stderr.endswith(
        "frozen.pt: the module's numbers are part of its program (it is frozen) and keep their dtype; "
        "export it in that dtype, or leave the dtype out (--dtype)\n"
    )


def test_another_dtype_is_wrong_usage(iris, repo):
    result = iris("predict", repo / "models/iris_net.pt", "5.1", "3.5", "1.4", "0.2", "--dtype", "int8")
    assert result.returncode == 2
    assert "--dtype" in result.stderr and "bfloat16" in result.stderr


def test_what_float16_cannot_hold_is_told(iris, repo):
    sample = ["70000", "3.5", "1.4", "0.2"]
    assert iris("predict", repo / "models/iris_net.pt", *sample).returncode == 0
    result = iris("predict", repo / "models/iris_net.pt", *sample, "--dtype", "float16")
    assert result.returncode == 1
    assert result.stderr.endswith("the model gives logits that are not finite; float16 ends at 65504\n")


def test_serve_takes_it(serve, net):
    server = serve("--dtype", "bfloat16")
    inputs = [{"name": "input", "shape": [1, 4], "datatype": "FP32", "data": [5.1, 3.5, 1.4, 0.2]}]
    status, _, answer = server.ask("/v2/models/iris/infer", json.dumps({"inputs": inputs}).encode())
    assert status == 200
    outputs = {output["name"]: output["data"] for output in answer["outputs"]}
    expected = in_python(net, torch.tensor([[5.1, 3.5, 1.4, 0.2]]), torch.bfloat16)
    torch.testing.assert_close(torch.tensor([outputs["logits"]]), expected, rtol=2**-8, atol=2**-8)
