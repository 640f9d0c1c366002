"""iris evaluate beside scikit-learn."""

import csv
import json

import pytest
import torch
from sklearn import metrics

from iris_export.iris_net import FEATURES, LABELS, IrisNet


def expected_figures(logits: torch.Tensor, truth: torch.Tensor, labels: list[str]) -> dict:
    """What scikit-learn says. logits: [N, classes]; truth: int64 [N]."""
    predicted, indexes = logits.argmax(dim=1), list(range(len(labels)))
    scores = metrics.precision_recall_fscore_support(truth, predicted, labels=indexes, zero_division=0)
    names = ("precision", "recall", "f1", "support")
    return {
        "rows": len(truth),
        "accuracy": metrics.accuracy_score(truth, predicted),
        "loss": metrics.log_loss(truth, logits.double().softmax(dim=1), labels=indexes),
        "classes": [
            {"label": label, **{name: score[i].item() for name, score in zip(names, scores, strict=True)}}
            for i, label in enumerate(labels)
        ],
        "confusion_matrix": metrics.confusion_matrix(truth, predicted, labels=indexes).tolist(),
    }


def assert_same(told: dict, expected: dict) -> None:
    assert list(told) == list(expected)
    for name in ("rows", "confusion_matrix"):
        assert told[name] == expected[name]
    for name in ("accuracy", "loss"):
        assert told[name] == pytest.approx(expected[name], rel=1e-6)
    for ours, theirs in zip(told["classes"], expected["classes"], strict=True):
        assert list(ours) == list(theirs)
        assert ours["label"] == theirs["label"]
        for name in ("precision", "recall", "f1", "support"):
            assert ours[name] == pytest.approx(theirs[name], rel=1e-12)


def write_csv(path, features: torch.Tensor, labels: list[str], names=FEATURES, column="species") -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*names, column])
        writer.writerows(
            [*(f"{value:.9g}" for value in row), label] for row, label in zip(features.tolist(), labels, strict=True)
        )


def read_iris(repo) -> tuple[torch.Tensor, torch.Tensor]:
    rows = list(csv.DictReader((repo / "data/iris.csv").open()))
    features = torch.tensor([[float(row[name]) for name in FEATURES] for row in rows])
    return features, torch.tensor([LABELS.index(row["species"]) for row in rows])


@pytest.mark.parametrize("model", ["iris_net.pt", "iris_net.ts.pt"])
def test_figures_are_scikit_learns(repo, iris, model):
    features, truth = read_iris(repo)
    network = IrisNet()
    network.load_state_dict(torch.load(repo / "models/iris_net.pt", weights_only=True))
    with torch.no_grad():
        expected = expected_figures(network(features), truth, list(LABELS))
    result = iris("evaluate", repo / "models" / model, repo / "data/iris.csv", "--json")
    assert result.returncode == 0, result.stderr
    assert_same(json.loads(result.stdout), expected)


def test_figures_of_a_bad_model_on_a_class_that_is_not_there_are_scikit_learns(iris, tmp_path):
    """Random weights and rows; no row is of the second class."""
    torch.manual_seed(1)
    network = IrisNet(hidden=5)
    features, truth = 10 * torch.rand(1000, 4), 2 * torch.randint(2, (1000,))
    torch.save(network.state_dict(), tmp_path / "model.pt")
    write_csv(tmp_path / "data.csv", features, [LABELS[i] for i in truth])
    with torch.no_grad():
        expected = expected_figures(network(features), truth, list(LABELS))
    assert 0 in {row["support"] for row in expected["classes"]}
    for batch_size in (1, 7, 4096):
        options = ("--hidden", 5, "--json", "--batch-size", batch_size)
        result = iris("evaluate", tmp_path / "model.pt", tmp_path / "data.csv", *options)
        assert_same(json.loads(result.stdout), expected)


def test_a_model_of_another_width_that_names_nothing_takes_all_other_columns(iris, tmp_path):
    torch.manual_seed(2)
    network = torch.nn.Linear(3, 4)
    features, truth = torch.randn(500, 3), torch.randint(4, (500,))
    torch.jit.trace(network, features[:2]).save(tmp_path / "model.pt")
    write_csv(tmp_path / "data.csv", features, [str(i.item()) for i in truth], ("u", "v", "w"), "class")
    with torch.no_grad():
        expected = expected_figures(network(features), truth, list("0123"))
    options = ("--label-column", "class", "--json")
    assert_same(json.loads(iris("evaluate", tmp_path / "model.pt", tmp_path / "data.csv", *options).stdout), expected)
    named = iris("evaluate", tmp_path / "model.pt", tmp_path / "data.csv", *options, "--features", "w,v,u")
    assert json.loads(named.stdout)["loss"] != pytest.approx(expected["loss"], rel=1e-6)


def test_the_table_has_every_figure(repo, iris):
    result = iris("evaluate", repo / "models/iris_net.pt", repo / "data/iris.csv")
    assert result.returncode == 0
    assert result.stdout == (
        "Accuracy: 98.0% (147 of 150 rows)\n"
        "Loss: 0.1174\n"
        "\n"
        "            precision  recall      f1  support\n"
        "setosa         1.0000  1.0000  1.0000       50\n"
        "versicolor     0.9796  0.9600  0.9697       50\n"
        "virginica      0.9608  0.9800  0.9703       50\n"
        "\n"
        "Confusion matrix (rows the truth, columns the prediction):\n"
        "            setosa  versicolor  virginica\n"
        "setosa          50           0          0\n"
        "versicolor       0          48          2\n"
        "virginica        0           1         49\n"
    )


def test_rows_may_come_from_a_pipe(repo, iris):
    text = (repo / "data/iris.csv").read_text()
    result = iris("evaluate", repo / "models/iris_net.pt", "-", "--json", input=text)
    assert json.loads(result.stdout)["rows"] == 150


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "5.1,3.5,1.4,0.2,tulip\n",
            ':2: species: unknown label: "tulip"; the model knows setosa, versicolor, virginica (--labels)',
        ),
        ("5.1,3.5,1.4,,setosa\n", ":2: petal_width: is empty"),
        ("5.1,3.5,1.4,inf,setosa\n", ':2: petal_width: not finite as float32: "inf"'),
        ("", ": holds no rows, only a header"),
    ],
)
def test_bad_rows_are_one_clear_error(repo, iris, tmp_path, content, message):
    (tmp_path / "data.csv").write_text(",".join((*FEATURES, "species")) + "\n" + content)
    result = iris("evaluate", repo / "models/iris_net.pt", "data.csv", cwd=tmp_path)
    assert (result.returncode, result.stdout, result.stderr) == (1, "", f"iris: error: data.csv{message}\n")


def test_a_column_that_is_not_there_is_named(repo, iris):
    result = iris("evaluate", repo / "models/iris_net.pt", repo / "data/iris.csv", "--label-column", "kind")
    assert result.returncode == 1
    assert "the header has no column kind; it has: sepal_length" in result.stderr


def test_the_model_and_the_rows_cannot_both_be_stdin(iris):
    result = iris("evaluate", "-", "-")
    assert result.returncode == 2
    assert "the model and the rows cannot both come from standard input" in result.stderr
