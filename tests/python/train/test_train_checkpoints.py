"""Checkpoints of python_export/train.py: what they hold, what is lost by interrupts, kills and faults (nothing)."""

import os
import signal
import subprocess
import sys
import time
from collections import OrderedDict

import pytest
import torch
from commands import REPO, run
from training_runs import DATA, contents, names

from iris_export.iris_net import IrisNet

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
from iris_export.interrupts import Interrupts
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
from iris_export.interrupts import Interrupts
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
    script = [sys.executable, REPO / "tests/python/support/kill_loop.py", str(seed), "0.05", DATA]
    done = run([*script, *map(str, killed)], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.splitlines()[-1]) >= 3  # fewer where the machine is busy: the timer comes late
    assert "Traceback" not in done.stderr
    assert "passed over" not in done.stderr
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")
