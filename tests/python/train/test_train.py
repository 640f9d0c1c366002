"""python_export/train.py, as a user runs it: what a run makes and says."""

import csv
import io
import json
import re
import sys

import pytest
import torch
from flower_rows import HEADER, SETOSA, VIRGINICA

from iris_export.flowers import read_flowers
from iris_export.iris_net import IrisNet
from iris_export.train_progress import Progress
from iris_export.training import split


@pytest.fixture(scope="module")
def trained(repo, python_export, tmp_path_factory):
    """What `train.py data/iris.csv -o MODEL` says, and the model it makes."""
    model = tmp_path_factory.mktemp("trained") / "model.pt"
    return python_export("train.py", repo / "data/iris.csv", "-o", model), model


def test_the_shipped_defaults_reach_95_percent_on_the_held_out_flowers(trained):
    result, _ = trained
    assert result.returncode == 0, result.stderr
    said = re.fullmatch(r"Test accuracy: (\d+\.\d)%\n", result.stdout)
    assert said, result.stdout
    assert float(said[1]) >= 95


def test_training_tells_loss_and_accuracy_on_stderr(trained):
    lines = trained[0].stderr.splitlines()
    assert len(lines) == 5
    assert re.fullmatch(r"epoch 10/50  loss 0\.\d{4}  accuracy \d+\.\d%  test accuracy \d+\.\d%", lines[0])
    assert lines[-1].startswith("epoch 50/50  ")


def test_the_shipped_model_is_what_its_command_makes(repo, trained):
    shipped = torch.load(repo / "models/iris_net.pt", weights_only=True)
    again = torch.load(trained[1], weights_only=True)
    assert list(again) == list(shipped) == ["fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"]
    for name, tensor in shipped.items():
        # The last bits of the weights depend on the processor's vector instructions.
        torch.testing.assert_close(again[name], tensor, rtol=0, atol=1e-4)


def test_the_same_seed_gives_the_same_bytes_and_another_seed_does_not(repo, python_export, tmp_path):
    made = []
    for number, seed in enumerate([7, 7, 8]):
        model = tmp_path / f"{number}.pt"
        result = python_export("train.py", repo / "data/iris.csv", "-o", model, "--epochs", 2, "--seed", seed)
        assert result.returncode == 0, result.stderr
        made.append(model.read_bytes())
    assert made[0] == made[1]
    assert made[0] != made[2]


def test_hidden_sets_the_width(repo, in_process, tmp_path):
    model = tmp_path / "model.pt"
    result = in_process("train.py", repo / "data/iris.csv", "-o", model, "--epochs", 1, "--hidden", 5)
    assert result.returncode == 0, result.stderr
    shapes = [tuple(tensor.shape) for tensor in torch.load(model, weights_only=True).values()]
    assert shapes == [(5, 4), (5,), (3, 5), (3,)]


@pytest.mark.parametrize("optimizer", ["adamw", "sgd"])
def test_the_other_optimizers_reach_95_percent_on_average(repo, in_process, tmp_path, optimizer):
    accuracies = []
    for seed in range(5):
        args = ("-o", tmp_path / "model.pt", "--optimizer", optimizer, "--seed", seed, "-q", "--json")
        result = in_process("train.py", repo / "data/iris.csv", *args)
        accuracies.append(json.loads(result.stdout)["test_accuracy"])
    assert sum(accuracies) / len(accuracies) >= 0.95


def test_weight_decay_and_momentum_reach_the_optimizer(repo, in_process, tmp_path):
    made = []
    for args in ((), ("--weight-decay", "0.1"), ("--momentum", "0")):
        model = tmp_path / f"{len(made)}.pt"
        result = in_process("train.py", repo / "data/iris.csv", "-o", model, "--optimizer", "sgd", "--epochs", 1, *args)
        assert result.returncode == 0, result.stderr
        made.append(model.read_bytes())
    assert len(set(made)) == 3


def test_labels_are_taken_from_another_column(csv_file, in_process, tmp_path):
    csv_file((HEADER + 5 * SETOSA + 5 * VIRGINICA).replace("species", "kind"))
    args = ("train.py", "data.csv", "-o", "model.pt", "--epochs", 1)
    assert in_process(*args, "--label-column", "kind", cwd=tmp_path).returncode == 0
    stderr = in_process(*args, cwd=tmp_path).stderr
    assert "data.csv:1: the header has no column species; it has: sepal_length, " in stderr
    csv_file((HEADER + SETOSA + "5.1,3.5,1.4,0.2,tulip\n").replace("species", "kind"))
    assert (
        'data.csv:3: kind: unknown label: "tulip"' in in_process(*args, "--label-column", "kind", cwd=tmp_path).stderr
    )


def test_json_says_how_good_the_written_model_is(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--epochs", 3, "--json", "-q")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    told = json.loads(result.stdout)
    assert result.stdout.startswith('{"model":"model.pt","epochs":3,"loss":')
    assert list(told)[2:] == ["loss", "accuracy", "test_loss", "test_accuracy", "rows", "test_rows"]
    assert (told["rows"], told["test_rows"]) == (120, 30)

    torch.manual_seed(0)
    model = IrisNet()
    training, test = split(read_flowers(repo / "data/iris.csv"), 0.2)
    model.load_state_dict(torch.load(tmp_path / "model.pt", weights_only=True))
    for prefix, flowers in (("", training), ("test_", test)):
        logits = model(flowers.features)
        loss = torch.nn.functional.cross_entropy(logits, flowers.labels).item()
        right = (logits.argmax(dim=1) == flowers.labels).sum().item()
        assert told[f"{prefix}loss"] == pytest.approx(loss, rel=1e-6)
        assert told[f"{prefix}accuracy"] == right / len(flowers.labels)


def test_the_history_has_a_line_for_each_epoch(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--epochs", 3, "--history", "history.csv")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    lines = (tmp_path / "history.csv").read_bytes().decode().split("\n")
    assert lines[0] == "epoch,loss,accuracy,test_loss,test_accuracy"
    assert [line.split(",")[0] for line in lines[1:]] == ["1", "2", "3", ""]
    last = [float(number) for number in lines[3].split(",")]
    told = f"epoch 3/3  loss {last[1]:.4f}  accuracy {last[2]:.1%}  test accuracy {last[4]:.1%}\n"
    assert result.stderr == told


def test_quiet_drops_the_progress_only(repo, in_process, tmp_path):
    result = in_process("train.py", repo / "data/iris.csv", "-o", tmp_path / "model.pt", "--epochs", 1, "-q")
    assert result.stderr == ""
    assert result.stdout.startswith("Test accuracy: ")


def test_a_terminal_gets_a_bar_after_a_second_which_is_taken_away(monkeypatch):
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    now = 0.0
    monkeypatch.setattr("sys.stderr", Terminal())
    monkeypatch.setattr("time.monotonic", lambda: now)
    entry = {"epoch": 5, "loss": 0.25, "accuracy": 0.5, "test_accuracy": 0.75}
    with Progress(10, log_every=1, is_quiet=False) as progress:
        progress.show(entry, is_last=False)
        assert sys.stderr.getvalue() == ""
        now = 1.5
        progress.show(entry, is_last=False)
        figures = "epoch 5/10  loss 0.2500  accuracy 50.0%  test accuracy 75.0%"
        bar = f"\r[############............]  50%  {figures}\x1b[K"
        assert sys.stderr.getvalue() == bar
    assert sys.stderr.getvalue() == bar + "\r\x1b[K"


def test_early_stopping_keeps_the_weights_of_the_lowest_validation_loss(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--optimizer", "sgd", "--patience", 3, "--validation-fraction", 0.3)
    args += ("--checkpoint-dir", "run", "--checkpoint-every", 1, "--history", "history.csv", "--json")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    assert result.returncode == 0, result.stderr
    with (tmp_path / "history.csv").open() as file:
        losses = [float(row["validation_loss"]) for row in csv.DictReader(file)]
    best = losses.index(min(losses)) + 1
    assert len(losses) == best + 3 < 50
    told = json.loads(result.stdout)
    assert (told["epochs"], told["best_epoch"]) == (best + 3, best)
    assert result.stderr.endswith(f"\ntrain.py: stopped early: the validation loss was lowest at epoch {best}\n")
    model = torch.load(tmp_path / "model.pt", weights_only=True)
    of_best = torch.load(tmp_path / f"run/epoch-{best:06}.pt", weights_only=True)["model_state_dict"]
    assert all(torch.equal(model[name], of_best[name]) for name in of_best)
    # What is resumed once it has stopped is done, and written at once.
    again = in_process("train.py", repo / "data/iris.csv", "-o", "again.pt", "--resume", "run", "-q", cwd=tmp_path)
    assert again.returncode == 0
    assert (tmp_path / "again.pt").read_bytes() == (tmp_path / "model.pt").read_bytes()
