"""Damaged checkpoints of python_export/train.py: each is told for what it is, and passed over."""

import io

import pytest
import torch
from training_runs import DATA, changed, contents, error_of

from iris_export.checkpoint import read_checkpoint, to_bytes
from iris_export.checkpoint_folder import CheckpointFolder
from iris_export.flowers import read_flowers
from iris_export.iris_net import IrisNet
from iris_export.model_file import InputError
from iris_export.train import parser
from iris_export.train_run import begin
from iris_export.train_settings import settings_of


def cut(content: bytes) -> bytes:
    return content[: len(content) // 2]


def flip_in_a_tensor(content: bytes) -> bytes:
    """In the last byte of the random generator's state, the largest tensor: structure and shapes stay as they are."""
    state = torch.get_rng_state().numel()
    whole = torch.load(io.BytesIO(content), weights_only=True)
    place = content.index(bytes(whole["rng_state"].tolist()))
    flipped = bytearray(content)
    flipped[place + state - 1] ^= 1
    return bytes(flipped)


@pytest.mark.parametrize(
    ("damage", "why"),
    [
        (cut, "damaged, or not a checkpoint: File is not a zip file"),
        (lambda _: b"", "damaged, or not a checkpoint: File is not a zip file"),
        (flip_in_a_tensor, "damaged: the checksum of archive/data/"),
        (lambda _: to_bytes(IrisNet().state_dict()), "not a whole checkpoint: epoch is missing"),
        (lambda _: to_bytes([1, 2]), "not a whole checkpoint: is not a dictionary"),
    ],
    ids=["cut", "empty", "flipped", "a model", "a list"],
)
def test_damaged_checkpoints_are_named_and_passed_over(train, tmp_path, damage, why):
    train("--checkpoint-dir", "run", "--checkpoint-every", 2, output="whole.pt")
    expected = contents(tmp_path / "run")
    for name in ("epoch-000004.pt", "epoch-000006.pt"):
        (tmp_path / "run" / name).write_bytes(damage(expected[name]))
    done = train("--resume", "run", "--checkpoint-every", 2)
    assert done.returncode == 0
    lines = done.stderr.splitlines()
    assert [line.split(": ")[1] for line in lines] == [
        "passed over run/epoch-000006.pt",
        "passed over run/epoch-000004.pt",
    ]
    assert all(why in line for line in lines), lines
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    assert contents(tmp_path / "run") == expected


def test_a_damaged_checkpoint_that_was_asked_for_is_an_error(train, tmp_path):
    (tmp_path / "c.pt").write_bytes(b"no checkpoint")
    message = error_of(train("--resume", "c.pt"))
    assert message == "c.pt: damaged, or not a checkpoint: File is not a zip file"
    assert error_of(train("--resume", "none.pt")) == "none.pt: No such file or directory"


def test_a_folder_with_damaged_checkpoints_only_is_an_error(train, tmp_path):
    (tmp_path / "run").mkdir()
    for name in ("epoch-000001.pt", "epoch-000002.pt"):
        (tmp_path / "run" / name).write_bytes(b"")
    result = train("--resume", "run")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "train.py: error: run: none of its 2 checkpoints is whole; start anew without --resume, in another folder"
    )


def test_a_checkpoint_of_another_name_is_passed_over(train, tmp_path):
    train("--checkpoint-dir", "run", "--checkpoint-every", 3)
    (tmp_path / "run/epoch-000003.pt").rename(tmp_path / "run/epoch-000007.pt")
    result = train("--resume", "run")
    assert result.stderr == "train.py: passed over run/epoch-000007.pt: holds 3 epochs and 0 batches, unlike its name\n"


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    """A checkpoint of three epochs and two batches of the next, with patience: its path."""
    folder = tmp_path_factory.mktemp("checkpoint")
    options = parser().parse_args(["data", "-o", "model", "--epochs", "6", "--patience", "9"])
    training = begin(settings_of(options), read_flowers(DATA), torch.device("cpu"), 1)
    for _ in range(3):
        training.run_epoch(lambda: False)
    training.run_epoch(lambda: training.batch == 2)
    return CheckpointFolder(folder).write(training.state(), keep=None)


def test_a_checkpoint_cut_anywhere_is_damaged(checkpoint, tmp_path):
    content, path = checkpoint.read_bytes(), tmp_path / "cut.pt"
    for length in range(0, len(content), 61):
        path.write_bytes(content[:length])
        with pytest.raises(InputError, match="damaged, or not a checkpoint"):
            read_checkpoint(path)


def test_a_flipped_bit_is_found_or_changes_nothing(checkpoint, tmp_path):
    content, path = checkpoint.read_bytes(), tmp_path / "flipped.pt"
    refused = 0
    for place in range(0, len(content), 97):
        flipped = bytearray(content)
        flipped[place] ^= 1 << place % 8
        path.write_bytes(flipped)
        try:
            assert to_bytes(read_checkpoint(path)) == content
        except InputError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("where", "value", "fault"),
    [
        ("epoch", ..., "epoch is missing"),
        ("epoch", "3", "epoch is not an integer from 0"),
        ("epoch", True, "epoch is not an integer from 0"),
        ("epoch", 4, "history has 3 entries for 4 epochs"),
        ("epoch", 7, "7 epochs and 2 batches done, of 6 epochs"),
        ("batch", -1, "3 epochs and -1 batches done, of 6 epochs"),
        ("batch", 0, "loss_sum is"),
        ("loss_sum", float("nan"), "loss_sum is nan after 2 batches"),
        ("model_state_dict/fc1.weight", ..., "model_state_dict is not that of an IrisNet"),
        ("model_state_dict/fc1.bias", torch.zeros(15), "model_state_dict: fc1.bias does not fit 16 hidden units"),
        ("model_state_dict/fc1.bias", lambda old: old.double(), "model_state_dict: fc1.bias does not fit"),
        (
            "model_state_dict/fc1.bias",
            lambda old: old / 0,
            "model_state_dict: fc1.bias does not fit 16 hidden units, or",
        ),
        ("optimizer_state_dict/state", {}, "optimizer_state_dict: not the state of adam over 4 tensors"),
        ("optimizer_state_dict/state/1/exp_avg", ..., "optimizer_state_dict: exp_avg of tensor 1 does not fit"),
        ("optimizer_state_dict/param_groups", [], "optimizer_state_dict is not an optimizer's of one group"),
        ("optimizer_state_dict/param_groups/0/lr", 0.1, "optimizer_state_dict: lr is not that of config"),
        ("rng_state", torch.zeros(16, dtype=torch.uint8), "rng_state is not that of torch's generator"),
        ("best", None, "best is not that of history"),
        ("best/model_state_dict", ..., "best has no model_state_dict"),
        ("config/optimizer", "lion", "config.optimizer is not one of adam, adamw, sgd"),
        ("config/lr", ..., "config.lr is missing"),
        ("config/hidden", 0, "config.hidden is out of range"),
        ("config/patience", None, "config.validation_fraction is out of range"),
        ("history/1/epoch", 3, "history: entry 2 is not one of epoch 2"),
        ("history/1/loss", float("inf"), "history: entry 2 has a value that is not a finite number"),
        ("history/2/validation_loss", ..., "history: entry 3 is not one of epoch 3"),
    ],
)
def test_a_checkpoint_that_contradicts_itself_is_refused(checkpoint, tmp_path, where, value, fault):
    state = torch.load(checkpoint, weights_only=True)
    path = tmp_path / "changed.pt"
    torch.save(changed(state, where, value), path)
    with pytest.raises(InputError) as error:
        read_checkpoint(path)
    assert str(error.value).startswith(f"{path}: not a whole checkpoint: {fault}")
