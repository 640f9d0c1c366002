"""python_export/plot.py: the three pictures, and what it says of files that it cannot draw."""

import json
import subprocess

import pytest

HISTORY = "epoch,loss,accuracy,test_loss,test_accuracy\n1,1.2,0.4,1.1,0.5\n2,0.8,0.7,0.75,0.6\n"
VALIDATED = (
    "epoch,loss,accuracy,test_loss,test_accuracy,validation_loss,validation_accuracy\n1,1.2,0.4,1.1,0.5,1.0,0.45\n"
)
EVALUATION = {
    "rows": 1007,
    "accuracy": 0.9,
    "loss": 0.3,
    "classes": [{"label": label, "precision": 1, "recall": 1, "f1": 1, "support": 3} for label in ("this", "that")],
    "confusion_matrix": [[1000, 1], [2, 4]],
}
BEGINNINGS = {".svg": b"<?xml", ".png": b"\x89PNG\r\n", ".pdf": b"%PDF-1."}


@pytest.fixture
def plot(in_process, tmp_path):
    def call(*args) -> subprocess.CompletedProcess:
        return in_process("plot.py", *args, cwd=tmp_path)

    return call


@pytest.mark.parametrize("extension", BEGINNINGS)
def test_each_picture_is_drawn_in_each_format_and_the_same_every_time(repo, plot, tmp_path, extension):
    (tmp_path / "history.csv").write_text(HISTORY)
    (tmp_path / "evaluate.json").write_text(json.dumps(EVALUATION))
    kinds = (
        ("history", "history.csv"),
        ("confusion", "evaluate.json"),
        ("regions", repo / "models/iris_net.pt", repo / "data/iris.csv"),
    )
    for kind in kinds:
        drawn = []
        for name in ("first", "second"):
            result = plot(*kind, "-o", name + extension)
            assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
            drawn.append((tmp_path / (name + extension)).read_bytes())
        assert drawn[0].startswith(BEGINNINGS[extension])
        assert drawn[0] == drawn[1]


def test_the_history_of_every_part_is_in_the_picture(plot, tmp_path):
    (tmp_path / "history.csv").write_text(HISTORY)
    (tmp_path / "validated.csv").write_text(VALIDATED)
    plot("history", "history.csv", "-o", "two.svg")
    plot("history", "validated.csv", "-o", "three.svg")
    two, three = (tmp_path / "two.svg").read_text(), (tmp_path / "three.svg").read_text()
    assert all(f">{text}</text>" in two for text in ("loss", "accuracy", "epoch", "training", "test"))
    assert ">validation</text>" not in two
    assert ">validation</text>" in three


def test_the_history_of_a_run_is_drawn(repo, in_process, plot, tmp_path):
    args = ("-o", tmp_path / "model.pt", "--epochs", 2, "--history", tmp_path / "history.csv", "-q")
    assert in_process("train.py", repo / "data/iris.csv", *args).returncode == 0
    assert plot("history", "history.csv", "-o", "curves.svg").returncode == 0


def test_the_confusion_matrix_has_its_counts_and_labels(plot, tmp_path):
    (tmp_path / "evaluate.json").write_text(json.dumps(EVALUATION))
    plot("confusion", "evaluate.json", "-o", "confusion.svg")
    picture = (tmp_path / "confusion.svg").read_text()
    texts = ("1,000", "1", "2", "4", "this", "that", "truth", "prediction", "1,007 rows, accuracy 90.0%")
    assert all(f">{text}</text>" in picture for text in texts)


def test_the_regions_are_of_all_pairs_of_features(repo, plot, tmp_path):
    plot("regions", repo / "models/iris_net.pt", repo / "data/iris.csv", "-o", "regions.svg")
    picture = (tmp_path / "regions.svg").read_text()
    axes = ("sepal length", "sepal width", "petal length", "petal width")
    assert [picture.count(f">{name}, cm</text>") for name in axes] == [3, 3, 3, 3]
    assert all(f">{name}</text>" in picture for name in ("setosa", "versicolor", "virginica", "mistaken"))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            "a,b\n1,2\n",
            "f:1: not a history as --history writes it: "
            "expected the header epoch,loss,accuracy,test_loss,test_accuracy",
        ),
        (
            "",
            "f:1: not a history as --history writes it: "
            "expected the header epoch,loss,accuracy,test_loss,test_accuracy",
        ),
        (HISTORY + "3,0.5,nan,0.5,1\n", "f:4: expected 5 finite numbers, got 3,0.5,nan,0.5,1"),
        (HISTORY + "3,0.5\n", "f:4: expected 5 finite numbers, got 3,0.5"),
        ("epoch,loss,accuracy,test_loss,test_accuracy\n", "f: holds no epoch, only a header"),
    ],
)
def test_what_is_no_history_is_told(plot, tmp_path, content, message):
    (tmp_path / "f").write_text(content)
    result = plot("history", "f", "-o", "curves.svg")
    assert (result.returncode, result.stderr) == (1, f"plot.py: error: {message}\n")
    assert not (tmp_path / "curves.svg").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "f: not JSON; make it with iris evaluate MODEL DATA.csv --json > f"),
        ("[" * 100_000, "f: not JSON; make it with iris evaluate MODEL DATA.csv --json > f"),
        ("{}", "f: not what iris evaluate --json prints: KeyError: 'classes'"),
        ("[]", "f: not what iris evaluate --json prints: TypeError: list indices must be integers or slices, not str"),
        (
            json.dumps(EVALUATION | {"confusion_matrix": [[1, 2], [-3, 4]]}),
            "f: not what iris evaluate --json prints: ValueError: not a count: -3",
        ),
        (
            json.dumps(EVALUATION | {"confusion_matrix": [[1, 2]]}),
            "f: the confusion matrix is not one of 2 classes",
        ),
    ],
)
def test_what_is_no_evaluation_is_told(plot, tmp_path, content, message):
    (tmp_path / "f").write_text(content)
    result = plot("confusion", "f", "-o", "confusion.svg")
    assert (result.returncode, result.stderr) == (1, f"plot.py: error: {message}\n")


def test_a_file_that_is_not_there_is_told(plot):
    for args in (("history", "none"), ("confusion", "none"), ("regions", "none", "none.csv")):
        result = plot(*args, "-o", "picture.svg")
        assert (result.returncode, result.stderr) == (1, "plot.py: error: none: No such file or directory\n")
    result = plot("history", "none", "-o", "none/picture.svg")
    assert result.stderr == "plot.py: error: none/picture.svg: no such folder: none\n"


def test_a_format_that_is_not_drawn_is_wrong_usage(plot):
    result = plot("history", "history.csv", "-o", "curves.jpg")
    assert result.returncode == 2
    assert result.stderr.endswith("error: argument -o/--output: must end in .svg, .png, .pdf, got curves.jpg\n")
    assert plot("pie").returncode == 2
