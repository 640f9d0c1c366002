"""examples/wine: a model of one's own in every form. The files that its README makes are compared with Python."""

import csv
import importlib
import json
import random

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from serving import Server

RUN_BY_IRIS = ["wine_net.ts.pt", "wine_net.pt2"]


@pytest.fixture(scope="module")
def wine(followed):
    """The folder that the example has made."""
    folder = followed("examples/wine/README.md").folder / "wine"
    assert (folder / "test.csv").is_file(), "test_documents.py says what went wrong"
    return folder


@pytest.fixture(scope="module")
def table(wine):
    """test.csv: its header, and its rows as text."""
    with open(wine / "test.csv", newline="") as file:
        header, *rows = csv.reader(file)
    return header, rows


@pytest.fixture(scope="module")
def rows(table):
    return torch.tensor([[float(cell) for cell in row[:-1]] for row in table[1]])


@pytest.fixture(scope="module")
def expected(wine, rows, repo):
    """The logits of the Python class, filled from the safetensors file."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(repo / "examples/wine")
        wine_net = importlib.import_module("wine_net")
    model = wine_net.WineNet(torch.zeros(13), torch.ones(13), 3)
    model.load_state_dict(load_file(wine / "wine_net.safetensors"), strict=True)
    with torch.no_grad():
        return model.eval()(rows)


def assert_same(actual, expected):
    torch.testing.assert_close(torch.as_tensor(actual), expected, rtol=1e-6, atol=1e-6 * float(expected.abs().max()))


@pytest.mark.parametrize("name", RUN_BY_IRIS)
def test_iris_gives_python_s_answers(iris, wine, expected, table, name):
    options = ["--logits", "--probabilities", "--output-format", "ndjson"]
    result = iris("predict", wine / name, "-i", wine / "test.csv", *options)
    assert (result.returncode, result.stderr) == (0, "")
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert_same([answer["logits"] for answer in answers], expected)
    probabilities = [list(answer["probabilities"].values()) for answer in answers]
    torch.testing.assert_close(torch.tensor(probabilities), expected.softmax(1), rtol=0, atol=1e-6)
    labels = ["class_0", "class_1", "class_2"]
    assert list(answers[0]["probabilities"]) == labels
    assert [answer["label"] for answer in answers] == [labels[index] for index in expected.argmax(1)]


@pytest.mark.parametrize("name", RUN_BY_IRIS)
def test_one_sample_is_a_row(iris, wine, table, name):
    _, rows = table
    for row in rows[:3]:
        assert iris("predict", wine / name, *row[:-1]).stdout.startswith(f"Prediction: {row[-1]}\n")


def test_onnx_runtime_gives_python_s_answers(wine, rows, expected):
    onnxruntime = pytest.importorskip("onnxruntime")
    session = onnxruntime.InferenceSession(str(wine / "wine_net.onnx"), providers=["CPUExecutionProvider"])
    (given,) = session.get_inputs()
    for count in (1, 2, len(rows)):
        (logits,) = session.run(None, {given.name: rows[:count].numpy()})
        np.testing.assert_allclose(logits, expected[:count].numpy(), rtol=1e-5, atol=1e-5)


def test_columns_are_found_by_name_in_any_order(iris, wine, table, tmp_path):
    header, rows = table
    order = random.Random(0).sample(range(len(header)), len(header))
    with open(tmp_path / "shuffled.csv", "w", newline="") as file:
        csv.writer(file).writerows([row[i] for i in order] for row in [header, *rows])
    model = wine / "wine_net.ts.pt"
    shuffled = iris("predict", model, "-i", tmp_path / "shuffled.csv")
    assert shuffled.stdout == iris("predict", model, "-i", wine / "test.csv").stdout != ""


def test_a_bad_cell_is_told_by_the_feature_s_own_name(iris, wine, table, tmp_path):
    header, rows = table
    column = header.index("od280/od315_of_diluted_wines")
    bad = [*rows[1][:column], "abc", *rows[1][column + 1 :]]
    with open(tmp_path / "bad.csv", "w", newline="") as file:
        csv.writer(file).writerows([header, rows[0], bad])
    result = iris("predict", wine / "wine_net.ts.pt", "-i", tmp_path / "bad.csv")
    message = f'iris: error: {tmp_path}/bad.csv:3: od280/od315_of_diluted_wines: not a number: "abc"\n'
    assert (result.returncode, result.stderr) == (1, message)


def test_another_number_of_features_is_told_with_their_names(iris, wine):
    result = iris("predict", wine / "wine_net.ts.pt", 1, 2, 3, 4)
    assert result.returncode == 2
    assert "takes 13 features, not 4: alcohol, malic_acid, ash" in result.stderr


def test_its_numbers_alone_are_shown_and_not_run(iris, wine):
    path = wine / "wine_net.safetensors"
    assert "layers.0.weight (32, 13)\n" in iris("inspect", path).stdout
    result = iris("predict", path, *range(13))
    assert (result.returncode, result.stdout) == (1, "")
    way_out = 'torch.jit.script(model.eval()).save("model.ts.pt")\n'
    assert result.stderr.endswith(way_out)


@pytest.mark.parametrize("name", RUN_BY_IRIS)
def test_evaluate_counts_as_python_does(iris, wine, table, expected, name):
    result = iris("evaluate", wine / name, wine / "test.csv", "--label-column", "wine", "--json")
    figures = json.loads(result.stdout)
    truth = torch.tensor([int(row[-1][-1]) for row in table[1]])
    assert figures["accuracy"] == pytest.approx(float((expected.argmax(1) == truth).float().mean()))
    assert figures["loss"] == pytest.approx(float(torch.nn.functional.cross_entropy(expected, truth)), abs=1e-6)
    assert [entry["support"] for entry in figures["classes"]] == torch.bincount(truth).tolist()


@pytest.mark.parametrize("name", RUN_BY_IRIS)
def test_the_server_answers_with_the_model_s_own_names(binary, wine, table, rows, expected, name):
    header, _ = table
    server = Server(binary, wine / name, "--name", "wine")
    try:
        instances = [dict(zip(header[:-1], row, strict=True)) for row in rows.tolist()]
        for asked in (instances, rows.tolist()):
            answers = server.ask("/predict", json.dumps({"instances": asked}).encode())[2]["predictions"]
            probabilities = [list(answer["probabilities"].values()) for answer in answers]
            torch.testing.assert_close(torch.tensor(probabilities), expected.softmax(1), rtol=0, atol=1e-6)
        tensor = {"name": "input", "datatype": "FP32", "shape": list(rows.shape), "data": rows.tolist()}
        outputs = server.ask("/v2/models/wine/infer", json.dumps({"inputs": [tensor]}).encode())[2]["outputs"]
        logits = next(output["data"] for output in outputs if output["name"] == "logits")
        assert_same(torch.tensor(logits).reshape(len(rows), 3), expected)
        assert server.ask("/v2/models/wine")[2]["inputs"][0]["shape"] == [-1, 13]
        parameters = server.ask("/v2/models/wine/config")[2]["parameters"]
        assert json.loads(parameters["features"]["string_value"]) == header[:-1]
        assert json.loads(parameters["labels"]["string_value"]) == ["class_0", "class_1", "class_2"]
    finally:
        server.stop()
