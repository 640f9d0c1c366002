"""Checkpoints of python_export/train.py: what they hold, what is lost by interrupts, kills and faults (nothing)."""

import fcntl
import io
import os
import resource
import signal
import subprocess
import sys
import time
from collections import OrderedDict
from contextlib import contextmanager
from pathlib import Path

import pytest
import torch
from conftest import REPO, run

from checkpoint import read_checkpoint, to_bytes
from checkpoint_folder import CheckpointFolder, checkpoints_in
from flowers import read_flowers
from iris_net import IrisNet
from model_file import InputError
from train import parser
from train_run import begin
from train_settings import settings_of
from training import Training

DATA = REPO / "data/iris.csv"
KEYS = [
    "epoch",
    "batch",
    "loss_sum",
    "model_state_dict",
    "optimizer_state_dict",
    "rng_state",
    "best",
    "config",
    "history",
]
OPTIMIZERS = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "sgd": torch.optim.SGD}


@pytest.fixture
def train(in_process, tmp_path):
    """train(*args): train.py on the iris data, six epochs unless told otherwise, in tmp_path."""

    def call(*args, output="model.pt", epochs=6):
        length = () if epochs is None else ("--epochs", epochs)
        return in_process("train.py", DATA, "-o", output, "-q", *length, *args, cwd=tmp_path)

    return call


@pytest.fixture
def interrupt_after(monkeypatch):
    """interrupt_after(N, SIGNAL): sends it to this process once N batches more have been trained."""
    left, signal_to_send, run_epoch = 0, signal.SIGINT, Training.run_epoch

    def call(batches: int, number: int = signal.SIGINT) -> None:
        nonlocal left, signal_to_send
        left, signal_to_send = batches, number

    def counting(self, interrupted) -> bool:
        def after_batch() -> bool:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal_to_send)
            return interrupted()

        return run_epoch(self, after_batch)

    monkeypatch.setattr(Training, "run_epoch", counting)
    return call


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def error_of(result: subprocess.CompletedProcess) -> str:
    """The only line of a run that failed with exit status 1."""
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.count("\n") == 1, result.stderr
    return result.stderr.removeprefix("train.py: error: ").removesuffix("\n")


def test_plain_python_reads_a_checkpoint_and_goes_on_with_it(train, tmp_path):
    assert train("--checkpoint-dir", "run", "--patience", 9).returncode == 0
    program = """
import sys, torch
assert not any("python_export" in path for path in sys.path)
checkpoint = torch.load(sys.argv[1], weights_only=True)
model = torch.nn.Sequential()
model.fc1, model.relu, model.fc2 = torch.nn.Linear(4, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3)
model.load_state_dict(checkpoint["model_state_dict"])
optimizer = torch.optim.Adam(model.parameters())
optimizer.load_state_dict(checkpoint["optimizer_state_dict"])
torch.set_rng_state(checkpoint["rng_state"])
model(torch.ones(2, 4)).sum().backward()
optimizer.step()
print(checkpoint["epoch"], len(checkpoint["history"]), checkpoint["config"]["optimizer"], list(checkpoint))
"""
    done = run([sys.executable, "-I", "-c", program, str(tmp_path / "run/epoch-000006.pt")])
    assert (done.stdout, done.stderr) == (f"6 6 adam {KEYS}\n", "")


def test_a_checkpoint_is_plain_values_in_the_documented_order(train, tmp_path):
    assert train("--checkpoint-dir", "run", "--patience", 9).returncode == 0
    state = torch.load(tmp_path / "run/epoch-000006.pt", weights_only=True)
    assert list(state) == KEYS
    assert [type(value) for value in state.values()] == (
        [int, int, float, OrderedDict, dict, torch.Tensor, dict, dict, list]
    )
    assert (state["epoch"], state["batch"], state["loss_sum"]) == (6, 0, 0.0)
    assert state["model_state_dict"]._metadata == IrisNet().state_dict()._metadata
    assert list(state["best"]) == ["epoch", "model_state_dict"]
    config = state["config"]
    assert config == {
        "optimizer": "adam",
        "lr": 0.005,
        "weight_decay": 0.0,
        "momentum": 0.0,
        "epochs": 6,
        "batch_size": 16,
        "hidden": 16,
        "seed": 0,
        "test_fraction": 0.2,
        "patience": 9,
        "validation_fraction": 0.2,
        "label_column": "species",
        "data_crc32": 3298243515,
        "torch": torch.__version__.split("+")[0],
    }
    assert list(config)[:4] == ["optimizer", "lr", "weight_decay", "momentum"]
    entry = ["epoch", "loss", "accuracy", "test_loss", "test_accuracy", "validation_loss", "validation_accuracy"]
    assert [list(each) for each in state["history"]] == [entry] * 6


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_a_plain_optimizer_takes_the_optimizers_state(train, tmp_path, optimizer):
    assert train("--checkpoint-dir", "run", "--optimizer", optimizer).returncode == 0
    state = torch.load(tmp_path / "run/epoch-000006.pt", weights_only=True)["optimizer_state_dict"]
    plain = OPTIMIZERS[optimizer](IrisNet().parameters(), lr=1.0)
    plain.load_state_dict(state)
    assert plain.state_dict()["param_groups"] == state["param_groups"]
    taken = plain.state_dict()["state"]
    assert list(taken) == [0, 1, 2, 3]
    assert all(torch.equal(taken[i][name], tensor) for i in taken for name, tensor in state["state"][i].items())


@pytest.mark.parametrize(
    "args",
    [
        "--optimizer adam",
        "--optimizer adamw --batch-size 7 --seed 3",
        "--optimizer sgd --hidden 5",
        "--optimizer sgd --momentum 0",
        "--optimizer sgd --patience 2",
    ],
)
def test_what_is_resumed_at_any_epoch_ends_in_the_same_bytes(train, tmp_path, args):
    whole = train(*args.split(), "--checkpoint-dir", "whole", "--checkpoint-every", 1, "--history", "whole.csv")
    assert whole.returncode == 0, whole.stderr
    expected, model = contents(tmp_path / "whole"), (tmp_path / "model.pt").read_bytes()
    for name in expected:
        part = tmp_path / f"from-{name}"
        part.mkdir()
        (part / name).write_bytes(expected[name])
        again = train(
            *("--resume", part, "--checkpoint-every", 1, "--history", "again.csv"), output="again.pt", epochs=None
        )
        assert (again.returncode, again.stdout, again.stderr) == (0, whole.stdout, "")
        assert (tmp_path / "again.pt").read_bytes() == model
        assert (tmp_path / "again.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
        assert contents(part).items() <= expected.items()
        assert len(contents(part)) == len([each for each in expected if each >= name])


def test_more_epochs_go_on_as_if_they_had_been_asked_for_at_once(train, tmp_path):
    train("--checkpoint-dir", "run", "--checkpoint-every", 2)
    assert train("--resume", "run", "--checkpoint-every", 2, epochs=9).returncode == 0
    longer = (tmp_path / "model.pt").read_bytes()
    train("--checkpoint-dir", "at-once", "--checkpoint-every", 2, epochs=9)
    assert (tmp_path / "model.pt").read_bytes() == longer
    assert (tmp_path / "run/epoch-000009.pt").read_bytes() == (tmp_path / "at-once/epoch-000009.pt").read_bytes()


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=lambda x: str(x)
)
def test_an_interrupt_finishes_the_batch_and_what_is_resumed_ends_in_the_same_bytes(
    train, tmp_path, interrupt_after, number, status
):
    train("--checkpoint-dir", "whole", "--checkpoint-every", 3, "--patience", 9, output="whole.pt")
    args = ("--checkpoint-dir", "run", "--checkpoint-every", 3, "--patience", 9, "--history", "history.csv")
    interrupt_after(3 * 6 + 4, number)
    stopped = train(*args)
    assert (stopped.returncode, stopped.stdout) == (status, "")
    assert stopped.stderr == "train.py: interrupted in epoch 4; go on with --resume run\n"
    assert names(tmp_path / "run") == ["epoch-000003-batch-000004.pt", "epoch-000003.pt"]
    assert not (tmp_path / "model.pt").exists()
    assert (tmp_path / "history.csv").read_text().count("\n") == 1 + 3
    state = torch.load(tmp_path / "run/epoch-000003-batch-000004.pt", weights_only=True)
    assert (state["epoch"], state["batch"], state["loss_sum"] > 0) == (3, 4, True)

    done = train("--resume", "run", "--checkpoint-every", 3, epochs=None)
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


def test_interrupts_at_every_batch_lose_nothing(train, tmp_path, interrupt_after):
    train(output="whole.pt", epochs=2)
    args, interrupts = ("--checkpoint-dir", "run"), 0
    while True:
        interrupt_after(1)
        result = train(*args, epochs=2)
        if result.returncode == 0:
            break
        assert result.returncode == 130
        interrupts += 1
        args = ("--resume", "run")
    assert interrupts == 2 * 8
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()


def test_an_interrupt_without_a_folder_says_that_nothing_is_saved(train, tmp_path, interrupt_after):
    interrupt_after(3)
    result = train()
    assert result.returncode == 130
    assert result.stderr == ("train.py: interrupted in epoch 1; nothing is saved: there is no --checkpoint-dir\n")
    assert list(tmp_path.iterdir()) == []


def test_control_c_in_a_process_of_its_own(train, tmp_path):
    command = [sys.executable, REPO / "python_export/train.py", DATA, "-o", "model.pt", "--epochs", "400"]
    process = subprocess.Popen(
        [*command, "--checkpoint-dir", "run", "--checkpoint-every", "1", "--keep", "2", "-q"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not list(tmp_path.glob("run/epoch-00000*.pt")):
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert told.startswith("train.py: interrupted in epoch ")
    train("--resume", "run", epochs=None)
    resumed = (tmp_path / "model.pt").read_bytes()
    train(epochs=400)
    assert (tmp_path / "model.pt").read_bytes() == resumed


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ("kill(SIGTERM)", 143, "train.py: interrupted\n"),
        ("interrupts.hold(); kill(SIGINT); assert interrupts.status == 130", 0, ""),
        ("interrupts.hold(); kill(SIGINT); kill(SIGTERM)", 143, "train.py: interrupted\n"),
        ("kill(SIGHUP)", 129, "train.py: interrupted\n"),
    ],
)
def test_an_interrupt_ends_the_process_before_training_and_when_it_comes_again(body, status, told):
    program = f"""
import os
from signal import SIGHUP, SIGINT, SIGTERM
from interrupts import Interrupts
def kill(number):
    os.kill(os.getpid(), number)
with Interrupts("train.py") as interrupts:
    {body}
"""
    done = run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(REPO / "python_export")})
    assert (done.returncode, done.stderr) == (status, told)


def test_nohup_is_respected():
    program = """
import os, signal
from interrupts import Interrupts
signal.signal(signal.SIGHUP, signal.SIG_IGN)
with Interrupts("train.py") as interrupts:
    os.kill(os.getpid(), signal.SIGHUP)
"""
    done = run([sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": str(REPO / "python_export")})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("seed", "optimizer"), [(1, "adam"), (2, "sgd"), (3, "adamw")])
def test_kills_at_random_moments_lose_nothing(train, tmp_path, seed, optimizer):
    settings = ("--optimizer", optimizer, "--seed", seed, "--batch-size", 8)
    train(*settings, "--checkpoint-dir", "whole", "--checkpoint-every", 2, "--keep", 3, output="whole.pt", epochs=40)
    killed = ["-o", "model.pt", *settings, "--epochs", 40, "--checkpoint-every", 2, "--keep", 3, "-q"]
    killed += ["--checkpoint-dir", "run", "--resume", "run"]
    script = [sys.executable, REPO / "tests/python/kill_loop.py", str(seed), "0.05", DATA]
    done = run([*script, *map(str, killed)], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) >= 10
    assert "Traceback" not in done.stderr
    assert "passed over" not in done.stderr
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


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
        (lambda _: to_bytes(IrisNet().state_dict()), "not a whole checkpoint: no epoch"),
        (lambda _: to_bytes([1, 2]), "not a whole checkpoint: not a dictionary"),
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


def changed(state: dict, where: str, value: object) -> dict:
    """The state with the value (or what it makes of the old one) at a path as "config/lr"; ... takes the entry away."""
    *parents, last = where.split("/")
    inner = state
    for parent in parents:
        inner = inner[int(parent) if parent.isdigit() else parent]
    key = int(last) if last.isdigit() else last
    if value is ...:
        del inner[key]
    else:
        inner[key] = value(inner[key]) if callable(value) else value
    return state


@pytest.mark.parametrize(
    ("where", "value", "fault"),
    [
        ("epoch", ..., "no epoch"),
        ("epoch", "3", "epoch is a str"),
        ("epoch", True, "epoch is a bool"),
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
        ("config/optimizer", "lion", "config: optimizer is missing, or out of range"),
        ("config/lr", ..., "config: lr is missing, or out of range"),
        ("config/hidden", 0, "config: hidden is missing, or out of range"),
        ("config/patience", None, "config: patience and validation_fraction go together"),
        ("history/1/epoch", 3, "history: entry 2 is not one of epoch 2"),
        ("history/1/loss", float("inf"), "history: entry 2 has a value that is no finite number"),
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


@pytest.mark.parametrize(
    ("option", "value", "recorded"),
    [
        ("--lr", "0.01", "0.005"),
        ("--optimizer", "sgd", "adam"),
        ("--weight-decay", "0.5", "0"),
        ("--momentum", "0.9", "0"),
        ("--batch-size", "8", "16"),
        ("--hidden", "8", "16"),
        ("--seed", "1", "0"),
        ("--test-fraction", "0.3", "0.2"),
        ("--patience", "4", "none"),
        ("--validation-fraction", "0.1", "none"),
        ("--label-column", "kind", "species"),
    ],
)
def test_options_that_contradict_the_checkpoint_are_refused(train, tmp_path, option, value, recorded):
    train("--checkpoint-dir", "run", epochs=1)
    before = contents(tmp_path / "run")
    message = error_of(train("--resume", "run", option, value, epochs=2))
    assert message == (
        f"{option} {value} contradicts run/epoch-000001.pt, which has {recorded}; "
        "leave it out, or start anew without --resume"
    )
    assert contents(tmp_path / "run") == before


def test_options_that_agree_with_the_checkpoint_are_taken(train):
    train("--checkpoint-dir", "run", epochs=1)
    assert train("--resume", "run", "--lr", "5e-3", "--seed", 0, "--hidden", 16, epochs=2).returncode == 0


def test_fewer_epochs_than_are_done_are_refused(train, interrupt_after):
    train("--checkpoint-dir", "run", epochs=3)
    assert error_of(train("--resume", "run", epochs=2)) == "--epochs 2: run/epoch-000003.pt has 3 epochs done"
    interrupt_after(2)
    train("--resume", "run", epochs=4)
    assert error_of(train("--resume", "run", epochs=3)) == (
        "--epochs 3: run/epoch-000003-batch-000002.pt has begun epoch 4"
    )


def test_other_data_are_refused(in_process, train, tmp_path):
    train("--checkpoint-dir", "run", epochs=1)
    (tmp_path / "other.csv").write_text(DATA.read_text().replace("5.1,3.5", "5.2,3.5", 1))
    result = in_process("train.py", "other.csv", "-o", "model.pt", "--resume", "run", cwd=tmp_path)
    assert error_of(result) == "other.csv: is not the data that run/epoch-000001.pt was trained on"


def test_another_version_of_torch_is_told(train, tmp_path):
    train("--checkpoint-dir", "run", epochs=1)
    path = tmp_path / "run/epoch-000001.pt"
    path.write_bytes(to_bytes(changed(torch.load(path, weights_only=True), "config/torch", "2.12.0")))
    result = train("--resume", "run", epochs=2)
    assert result.returncode == 0
    now = torch.__version__.split("+")[0]
    assert result.stderr == (
        f"train.py: run/epoch-000001.pt was written with torch 2.12.0, this is {now}: the last bits may differ\n"
    )


def test_a_folder_with_checkpoints_is_not_mixed_with_another_run(train, tmp_path):
    train("--checkpoint-dir", "run", epochs=1)
    train("--checkpoint-dir", "other", epochs=1)
    refusal = "run: holds checkpoints already (epoch-000001.pt); go on with --resume run, or give another folder"
    assert error_of(train("--checkpoint-dir", "run")) == refusal
    assert error_of(train("--checkpoint-dir", "run", "--resume", "other")) == refusal
    assert train("--checkpoint-dir", "run", "--resume", "run/epoch-000001.pt").returncode == 0


def test_resume_before_there_is_a_checkpoint_starts_from_the_beginning(train, tmp_path):
    result = train("--checkpoint-dir", "run", "--resume", "run")
    assert result.returncode == 0
    assert result.stderr == "train.py: no checkpoint in run yet; starting from the beginning\n"
    (tmp_path / "empty").mkdir()
    assert train("--resume", "empty").returncode == 0
    assert contents(tmp_path / "empty") == contents(tmp_path / "run")
    assert error_of(train("--resume", "none")) == "none: No such file or directory"


def test_keep_leaves_the_newest_and_what_is_not_ours(train, tmp_path):
    (tmp_path / "run").mkdir()
    others = ["epoch-000001.pt.txt", "epoch-1.pt", "notes", ".epoch-000001.pt", "epoch-000001.pt.sha256"]
    for name in others:
        (tmp_path / "run" / name).write_text("mine")
    train("--checkpoint-dir", "run", "--checkpoint-every", 1, "--keep", 2)
    assert names(tmp_path / "run") == sorted([*others, "epoch-000005.pt", "epoch-000006.pt"])


def test_what_a_kill_left_behind_is_removed(train, tmp_path):
    (tmp_path / "run").mkdir()
    for name in (".epoch-000001.pt.ab_c12xy", ".epoch-000001.pt.aB3xYz", ".epoch-000001-batch-000002.pt.abcdefgh"):
        (tmp_path / "run" / name).write_text("part")
    train("--checkpoint-dir", "run")
    assert names(tmp_path / "run") == ["epoch-000006.pt"]


def test_two_runs_do_not_share_a_folder(train, tmp_path):
    (tmp_path / "run").mkdir()
    held = os.open(tmp_path / "run", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    try:
        message = "run: another run writes its checkpoints there"
        assert error_of(train("--checkpoint-dir", "run")) == message
        assert error_of(train("--resume", "run")) == message
    finally:
        os.close(held)
    assert train("--checkpoint-dir", "run").returncode == 0


def test_divergence_says_the_epoch_and_keeps_the_last_good_checkpoint(train, tmp_path):
    args = ("--optimizer", "sgd", "--weight-decay", 2000, "--history", "history.csv")
    message = error_of(train(*args, "--checkpoint-dir", "run", "--checkpoint-every", 1))
    last = list(checkpoints_in(tmp_path / "run").values())[-1]
    epoch = read_checkpoint(last)["epoch"]
    assert epoch > 0
    assert message == (
        f"training diverged at epoch {epoch + 1}: the loss is inf; try a --lr below 0.005; "
        f"the last good checkpoint is run/epoch-{epoch:06}.pt"
    )
    assert (tmp_path / "history.csv").read_text().count("\n") == 1 + epoch
    assert not (tmp_path / "model.pt").exists()
    assert error_of(train(*args, output="other.pt")).endswith("; try a --lr below 0.005")


@contextmanager
def files_of_at_most(size: int):
    """As ulimit -f does; Python ignores the signal, so that the write fails."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_checkpoint_that_cannot_be_written_leaves_the_last_one(train, tmp_path):
    train("--checkpoint-dir", "whole", "--checkpoint-every", 1, epochs=30, output="whole.pt")
    sizes = [len(content) for _, content in sorted(contents(tmp_path / "whole").items())]
    with files_of_at_most(sizes[4]):
        result = train("--checkpoint-dir", "run", "--checkpoint-every", 1, epochs=30)
    kept = names(tmp_path / "run")
    assert 5 <= len(kept) < 30
    assert error_of(result) == (
        f"run/epoch-{len(kept) + 1:06}.pt: cannot be written: File too large; "
        f"the last good checkpoint is run/{kept[-1]}"
    )
    assert train("--resume", "run", "--checkpoint-every", 1, epochs=None).returncode == 0
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()


def test_a_full_disk_leaves_the_last_checkpoint(train, tmp_path):
    (tmp_path / "disk").mkdir()
    mounted = run(["mount", "-t", "tmpfs", "-o", "size=96k", "tmpfs", str(tmp_path / "disk")])
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted: {mounted.stderr.strip()}")
    try:
        result = train("--checkpoint-dir", "disk/run", "--checkpoint-every", 1, epochs=30)
        kept = names(tmp_path / "disk/run")
        assert 0 < len(kept) < 30
        assert error_of(result) == (
            f"disk/run/epoch-{len(kept) + 1:06}.pt: cannot be written: No space left on device; "
            f"the last good checkpoint is disk/run/{kept[-1]}"
        )
        assert train("--resume", "disk/run", "--checkpoint-every", 1, epochs=None).returncode == 1
        # What --keep removes makes room before the first one is written.
        assert train("--resume", "disk/run", "--keep", 1, "--checkpoint-every", 1, epochs=None).returncode == 0
        assert names(tmp_path / "disk/run") == ["epoch-000030.pt"]
    finally:
        run(["umount", str(tmp_path / "disk")])


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("none/run", "none/run: no such folder: none"),
        ("file", "file: is not a folder; give another one"),
        ("/proc/run", "/proc/run: cannot be written: No such file or directory"),
    ],
)
def test_a_folder_that_cannot_be_written_is_told_before_training(train, tmp_path, folder, message):
    (tmp_path / "file").write_text("a file")
    assert error_of(train("--checkpoint-dir", folder)) == message


def test_bad_data_leave_no_folder_behind(in_process, tmp_path):
    (tmp_path / "data.csv").write_text("sepal_length\n")
    result = in_process("train.py", "data.csv", "-o", "model.pt", "--checkpoint-dir", "run", cwd=tmp_path)
    assert result.returncode == 1
    assert names(tmp_path) == ["data.csv"]
