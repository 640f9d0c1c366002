"""python_export/train.py, as a user runs it: wrong usage, wrong files, and what is left untouched."""

import os
import subprocess
import sys

import pytest
import torch
from flower_rows import HEADER, SETOSA, VIRGINICA

from iris_export.model_file import InputError, write_atomically


def test_an_error_is_one_line_on_stderr_with_exit_status_1_and_the_old_model_stays(csv_file, in_process, tmp_path):
    csv_file(HEADER + SETOSA + "5.1,3.5,1.4,abc,setosa\n")
    (tmp_path / "model.pt").write_text("old")
    result = in_process("train.py", "data.csv", "-o", "model.pt", cwd=tmp_path)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr == 'train.py: error: data.csv:3: petal_width: not a number: "abc"\n'
    assert (tmp_path / "model.pt").read_text() == "old"


def test_a_closed_stdout_is_told_in_one_line(repo, tmp_path):
    script = f'exec "{sys.executable}" "{repo}/python_export/train.py" "{repo}/data/iris.csv" -o model.pt >&-'
    result = subprocess.run(["bash", "-c", script], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    assert (result.returncode, result.stderr) == (1, "train.py: error: stdout: is closed\n")


def test_a_missing_file_is_told_in_one_line(in_process, tmp_path):
    result = in_process("train.py", "none.csv", "-o", "model.pt", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "train.py: error: none.csv: No such file or directory\n"


def test_a_missing_output_folder_is_told_before_training(repo, in_process, tmp_path):
    result = in_process("train.py", repo / "data/iris.csv", "-o", "none/model.pt", cwd=tmp_path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == "train.py: error: none/model.pt: no such folder: none\n"


def test_a_device_or_a_folder_is_not_replaced_by_a_model(in_process, tmp_path):
    result = in_process("train.py", "data.csv", "-o", "/dev/null")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        "train.py: error: /dev/null: is not a regular file, and would be replaced by one; give another name\n"
    )
    result = in_process("train.py", "data.csv", "-o", tmp_path)
    assert result.stderr == f"train.py: error: {tmp_path}: is a folder; give the name of a file\n"


@pytest.mark.parametrize(
    ("option", "value", "message"),
    [
        ("--epochs", "0", "argument --epochs: must be a whole number from 1 to 2147483647, got 0"),
        ("--lr", "-1", "argument --lr: must be a finite number above 0, got -1"),
        ("--test-fraction", "1", "argument --test-fraction: must be above 0 and below 1, got 1"),
        ("--seed", "x", "argument --seed: must be a whole number from 0 to 9223372036854775807, got x"),
        ("--momentum", "1", "argument --momentum: must be from 0 to below 1, got 1"),
        ("--weight-decay", "-0.1", "argument --weight-decay: must be a finite number from 0, got -0.1"),
        ("--device", "gpu", "argument --device: must be auto, cpu, cuda or cuda:N, got gpu"),
        ("--momentum", "0.5", "argument --momentum: only with --optimizer sgd"),
        ("--validation-fraction", "0.5", "argument --validation-fraction: only with --patience"),
        ("--keep", "2", "argument --keep: needs --checkpoint-dir, or --resume with a folder"),
        ("--checkpoint-every", "2", "argument --checkpoint-every: needs --checkpoint-dir, or --resume with a folder"),
        ("--history", "data.csv", "--history data.csv would replace the data; write to another file"),
        ("--history", "./model.pt", "--history model.pt would replace the model; write to another file"),
        ("--resume", "model.pt", "-o model.pt would replace the checkpoint; write to another file"),
        ("-o", "data.csv", "-o data.csv would replace the data; write to another file"),
    ],
)
def test_wrong_usage_exits_2(in_process, option, value, message):
    result = in_process("train.py", "data.csv", "-o", "model.pt", option, value)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith(f"train.py: error: {message}\n")


def test_a_model_that_diverges_is_not_saved(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--lr", "1e38", "--epochs", 3)
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "train.py: error: training diverged at epoch 1: the loss is nan; try a --lr below 1e+38"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("device", "message"),
    [("cuda", "this torch is a CPU build; install a CUDA one, or use --device cpu")],
)
def test_a_device_that_is_not_there_is_told(repo, in_process, tmp_path, device, message):
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    if torch.version.cuda is not None:
        message = "CUDA finds no device: no NVIDIA driver, one too old for this torch, or no GPU (nvidia-smi tells); "
        message += "use --device cpu"
    result = in_process("train.py", repo / "data/iris.csv", "-o", tmp_path / "model.pt", "--device", device)
    assert (result.returncode, result.stderr) == (1, f"train.py: error: --device {device}: {message}\n")


def test_a_class_that_leaves_nothing_to_validate_with_is_told(csv_file, in_process, tmp_path):
    csv_file(HEADER + 5 * SETOSA + 2 * VIRGINICA)
    result = in_process("train.py", "data.csv", "-o", "model.pt", "--patience", 2, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (
        1,
        "train.py: error: data.csv: only one flower of virginica is left to train and to validate; "
        "lower --test-fraction, or leave out --patience\n",
    )


def test_a_history_that_cannot_be_written_is_told_before_training(repo, in_process, tmp_path):
    args = ("-o", "model.pt", "--history", "none/history.csv")
    result = in_process("train.py", repo / "data/iris.csv", *args, cwd=tmp_path)
    assert result.returncode == 1
    assert result.stderr == "train.py: error: none/history.csv: no such folder: none\n"
    result = in_process("train.py", repo / "data/iris.csv", "-o", "/proc/model.pt")
    assert result.returncode == 1
    assert result.stderr == "train.py: error: /proc/model.pt: cannot be written: No such file or directory\n"


def test_a_file_is_replaced_as_a_whole_and_keeps_its_mode(tmp_path):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")
    path.chmod(0o640)
    with path.open("rb") as old:
        write_atomically(path, b"new")
        assert old.read() == b"old"
    assert path.read_bytes() == b"new"
    assert path.stat().st_mode & 0o777 == 0o640
    assert os.listdir(tmp_path) == ["model.pt"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = tmp_path / "model.pt"
    path.write_bytes(b"old")

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(InputError) as error:
        write_atomically(path, b"new")
    assert str(error.value) == f"{path}: cannot be written: No space left on device"
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["model.pt"]
