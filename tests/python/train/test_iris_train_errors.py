"""iris train, as a user runs it: wrong usage, wrong files, a full disk, and what is left untouched."""

import os
import re
import subprocess

import pytest
import torch
from commands import TIMEOUT_S
from flower_rows import HEADER, SETOSA, VIRGINICA
from training_runs import names


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--lr", "0"), '--lr: must be a finite number above 0, got "0"'),
        (("--lr", "inf"), '--lr: must be a finite number above 0, got "inf"'),
        (("--lr", "x"), '--lr: must be a finite number above 0, got "x"'),
        (("--weight-decay", "-1"), '--weight-decay: must be a finite number from 0, got "-1"'),
        (("--test-fraction", "1"), '--test-fraction: must be above 0 and below 1, got "1"'),
        (("--momentum", "0.9"), "--momentum is for --optimizer sgd"),
        (("--validation-fraction", "0.5"), "--validation-fraction is for --patience"),
        (("--keep", "3"), "--checkpoint-every and --keep are for --checkpoint-dir"),
        (("--epochs", "0"), '--epochs: must be a whole number from 1 to 2147483647, got "0"'),
        (("--epochs", "0x3"), '--epochs: must be a whole number from 1 to 2147483647, got "0x3"'),
        (("--seed", "-1"), '--seed: must be a whole number from 0 to 9223372036854775807, got "-1"'),
        (("--seed", "9223372036854775808"), "--seed: must be a whole number from 0 to 9223372036854775807, got"),
        (("--optimizer", "lbfgs"), "--optimizer: "),
        (("--history", "model.pt"), "--history and -o name one file"),
    ],
)
def test_wrong_usage_exits_2(iris_train, options, message):
    result = iris_train(*options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"iris: error: {message}")


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (5 * SETOSA, "only one class: setosa; training needs at least two"),
        (SETOSA + VIRGINICA, "only one flower of setosa; a class needs two, one to train and one to test"),
        (149 * SETOSA + "5.1,3.5,1.4,abc,setosa\n", 'data.csv:151: petal_width: not a number: "abc"'),
        (SETOSA + "5.1,nan,1.4,0.2,setosa\n", 'data.csv:3: sepal_width: not finite as float32: "nan"'),
        (SETOSA + "5.1,3.5,1.4,0.2,tulip\n", 'data.csv:3: species: unknown label: "tulip"; the model knows'),
        ("", "holds no rows, only a header"),
    ],
)
def test_data_that_cannot_be_trained_on_are_one_clear_error_and_nothing_is_lost(iris_train, tmp_path, rows, message):
    (tmp_path / "data.csv").write_text(HEADER + rows)
    (tmp_path / "model.pt").write_text("old")
    result = iris_train("--checkpoint-dir", "run", data="data.csv")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("iris: error: data.csv:")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert (tmp_path / "model.pt").read_text() == "old"


def test_the_data_are_not_replaced_by_an_output(iris_train, tmp_path):
    (tmp_path / "data.csv").write_text(HEADER)
    for options, output in ((("--history", "data.csv"), "model.pt"), ((), "data.csv")):
        result = iris_train(*options, data="data.csv", output=output)
        assert result.returncode == 2
        assert "would replace the data; write to another file" in result.stderr
    assert (tmp_path / "data.csv").read_text() == HEADER


def test_places_that_cannot_be_written_to_are_told_before_training(iris_train, tmp_path):
    (tmp_path / "file").write_text("")
    for options, message in {
        ("--history", "none/h.csv"): "none/h.csv: cannot be created: No such file or directory",
        ("--checkpoint-dir", "none/run"): "none/run: cannot be made: No such file or directory",
        ("--checkpoint-dir", "file"): "file: is not a folder",
    }.items():
        result = iris_train(*options, "--epochs", 1_000_000)
        assert result.returncode == 1
        assert result.stderr.startswith(f"iris: error: {message}")
    result = iris_train("--epochs", 1_000_000, output="none/model.pt")
    assert "none/model.pt: cannot be created: No such file or directory" in result.stderr


def test_a_checkpoint_folder_that_may_not_be_written_to_is_told_before_training(repo, binary, tmp_path):
    (tmp_path / "run").mkdir(mode=0o500)
    command = [
        binary,
        "train",
        repo / "data/iris.csv",
        "-o",
        tmp_path / "model.pt",
        "--checkpoint-dir",
        tmp_path / "run",
    ]
    as_others = ["setpriv", "--bounding-set=-all"] if os.geteuid() == 0 else []  # root may write anywhere
    result = subprocess.run([*as_others, *command], capture_output=True, text=True, timeout=TIMEOUT_S)
    expected = f"iris: error: {tmp_path}/run: cannot be written to: Permission denied\n"
    assert (result.returncode, result.stderr) == (1, expected)


def test_a_full_disk_is_one_clear_error_and_the_last_good_checkpoint_stays(repo, binary, tmp_path):
    """A small tmpfs where this user may mount one; else files of a limited size, which fail as a full disk does."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = (
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", disk], capture_output=True).returncode == 0
    )
    command = [binary, "train", repo / "data/iris.csv", "-o", "model.pt", "--checkpoint-dir", disk / "run", "-q"]
    command += ["--checkpoint-every", "1", "--epochs", "100000"]
    limit = "" if mounted else "ulimit -f 12; "
    try:
        shell = ["bash", "-c", f'{limit}exec "$@"', "_", *map(str, command)]
        result = subprocess.run(shell, cwd=tmp_path, capture_output=True, text=True, timeout=TIMEOUT_S)
        reason = "No space left on device" if mounted else "File too large"
        told = re.fullmatch(
            rf"iris: error: {disk}/run/epoch-(\d{{6}})\.pt: cannot be written: {reason}; "
            rf"the last good checkpoint is {disk}/run/epoch-(\d{{6}})\.pt\n",
            result.stderr,
        )
        assert told, result.stderr
        assert result.returncode == 1
        last = int(told[2])
        assert last == int(told[1]) - 1 >= 1
        assert names(disk / "run")[-1] == f"epoch-{last:06}.pt"
        assert torch.load(disk / f"run/epoch-{last:06}.pt", weights_only=True)["epoch"] == last
        assert not (tmp_path / "model.pt").exists()
    finally:
        if mounted:
            subprocess.run(["umount", disk], check=True)


def test_a_divergence_stops_the_run_and_keeps_the_last_good_checkpoint(iris_train, tmp_path):
    options = ("--optimizer", "sgd", "--lr", 1, "--momentum", 0, "--weight-decay", 3)
    result = iris_train(
        *options, "--checkpoint-dir", "run", "--checkpoint-every", 1, "--keep", 1, "--history", "h.csv", "-q"
    )
    assert result.returncode == 1
    told = re.fullmatch(
        r"iris: error: training diverged at epoch (\d+): (?:the loss is (?:nan|inf)|the weights are not finite); "
        r"try a --lr below 1; the last good checkpoint is run/epoch-(\d{6})\.pt\n",
        result.stderr,
    )
    assert told, result.stderr
    assert int(told[2]) == int(told[1]) - 1 > 0
    assert not (tmp_path / "model.pt").exists()
    checkpoint = torch.load(tmp_path / f"run/epoch-{told[2]}.pt", weights_only=True)
    assert all(tensor.isfinite().all() for tensor in checkpoint["model_state_dict"].values())
    assert len((tmp_path / "h.csv").read_text().splitlines()) == int(told[1])
