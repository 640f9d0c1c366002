"""iris train, as a user runs it: what a run makes and says. That it gives Python's bits: test_relay.py."""

import json
import os
import pty
import re
import subprocess

import pytest
import torch
from commands import TIMEOUT_S


def test_the_defaults_give_the_shipped_model_and_say_its_accuracy(repo, iris_train, tmp_path):
    result = iris_train()
    assert (result.returncode, result.stdout) == (0, "Test accuracy: 100.0%\n")
    model = torch.load(tmp_path / "model.pt", weights_only=True)
    shipped = torch.load(repo / "models/iris_net.pt", weights_only=True)
    assert list(model) == list(shipped)
    for name, tensor in shipped.items():  # the last bits of the weights depend on the processor's vector instructions
        torch.testing.assert_close(model[name], tensor, rtol=0, atol=1e-4)


def test_without_a_terminal_a_line_is_told_every_n_epochs(iris_train):
    lines = iris_train("--epochs", 25).stderr.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 10/25", "epoch 20/25", "epoch 25/25"]
    assert re.fullmatch(r"epoch 10/25  loss 0\.\d{4}  accuracy \d+\.\d%  test accuracy \d+\.\d%", lines[0])
    assert len(iris_train("--epochs", 4, "--log-every", 2).stderr.splitlines()) == 2
    assert iris_train("--epochs", 25, "--quiet").stderr == ""


def test_on_a_terminal_a_bar_shows_loss_and_accuracy(repo, binary, tmp_path):
    leader, follower = pty.openpty()
    command = [binary, "train", repo / "data/iris.csv", "-o", tmp_path / "model.pt", "--epochs", "10000"]
    process = subprocess.Popen(command, stderr=follower, stdout=subprocess.DEVNULL)
    os.close(follower)
    shown = b""
    while not re.search(
        rb"\[#*\.*\] +\d+%  \d+:\d\d left  \d+ epochs  \d+ epochs/s  loss \d\.\d{4}  accuracy \d", shown
    ):
        shown += os.read(leader, 1000)
        assert b"epoch 10/" not in shown
    process.kill()
    process.wait()
    os.close(leader)


def test_json_is_one_object_of_the_weights_that_were_written(repo, iris, iris_train, tmp_path):
    result = json.loads(iris_train("--json", "--epochs", 3).stdout)
    assert list(result) == ["model", "epochs", "loss", "accuracy", "test_loss", "test_accuracy", "rows", "test_rows"]
    assert (result["model"], result["epochs"], result["rows"], result["test_rows"]) == ("model.pt", 3, 120, 30)
    whole = json.loads(iris("evaluate", tmp_path / "model.pt", repo / "data/iris.csv", "--json").stdout)
    assert whole["loss"] == pytest.approx(result["loss"] * 0.8 + result["test_loss"] * 0.2, rel=1e-5)
    assert whole["accuracy"] == pytest.approx(result["accuracy"] * 0.8 + result["test_accuracy"] * 0.2)


def test_history_has_a_line_for_every_epoch_also_after_resuming(iris_train, tmp_path):
    iris_train("--epochs", 6, "--history", "whole.csv")
    iris_train("--epochs", 3, "--checkpoint-dir", "run", "--history", "part.csv")
    iris_train("--epochs", 6, "--resume", "run", "--history", "part.csv")
    lines = (tmp_path / "whole.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,test_loss,test_accuracy"
    assert [line.split(",")[0] for line in lines[1:]] == list("123456")
    assert (tmp_path / "part.csv").read_text() == (tmp_path / "whole.csv").read_text()


def test_early_stopping_says_so_and_adds_the_validation_to_the_history(iris_train, tmp_path):
    result = iris_train("--lr", 0.1, "--patience", 5, "--epochs", 2000, "--history", "h.csv", "--json", "-q")
    assert result.returncode == 0
    told = json.loads(result.stdout)
    assert told["epochs"] == told["best_epoch"] + 5
    assert result.stderr == f"iris: stopped early: the validation loss was lowest at epoch {told['best_epoch']}\n"
    assert (told["rows"], told["test_rows"]) == (96, 30)
    header, *lines = (tmp_path / "h.csv").read_text().splitlines()
    assert header.endswith(",validation_loss,validation_accuracy")
    losses = [float(line.split(",")[5]) for line in lines]
    assert losses.index(min(losses)) + 1 == told["best_epoch"]


def test_the_model_goes_to_stdout_and_to_safetensors(repo, binary, iris_train, tmp_path):
    iris_train("--epochs", 2)
    command = [binary, "train", repo / "data/iris.csv", "-o", "-", "--epochs", "2"]
    result = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S)
    assert result.stdout == (tmp_path / "model.pt").read_bytes()
    assert b"Test accuracy: " in result.stderr
    from safetensors.torch import load_file

    iris_train("--epochs", 2, output="model.safetensors")
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        assert tensor.equal(torch.load(tmp_path / "model.pt", weights_only=True)[name])


def test_the_label_column_may_have_another_name(repo, iris_train, tmp_path):
    (tmp_path / "data.csv").write_text((repo / "data/iris.csv").read_text().replace("species", "kind"))
    assert iris_train("--label-column", "kind", "--epochs", 2, data="data.csv").returncode == 0
    assert "--label-column" in iris_train("--epochs", 2, data="data.csv").stderr
