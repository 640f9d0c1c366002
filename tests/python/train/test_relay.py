"""iris train and python_export/train.py give the same bits, also where they take a killed run over from each other."""

import itertools
import signal
import subprocess
import sys
import time

import pytest
import torch
from commands import TIMEOUT_S

EPOCHS = 40
LEGS = {"".join(order) for order in itertools.product("pc", repeat=3)} - {"ppp", "ccc"}  # Python, C++


@pytest.fixture(scope="module")
def commands(repo, binary, iris):
    """How each language's training begins."""
    both = torch.__version__.split("+")[0]
    if f"LibTorch {both}," not in iris("--version").stdout:
        pytest.skip(f"needs an iris with the LibTorch of Python's torch, {both}: another version's bits may differ")
    return {"c": [binary, "train"], "p": [sys.executable, str(repo / "python_export/train.py")]}


def tensors(path) -> dict[str, torch.Tensor]:
    return torch.load(path, weights_only=True)


def assert_same_bits(left, right) -> None:
    """Also inside dictionaries and lists: whole checkpoints."""
    assert type(left) is type(right)
    if isinstance(left, torch.Tensor):
        assert left.dtype == right.dtype
        assert left.shape == right.shape
        assert left.numpy().tobytes() == right.numpy().tobytes()
    elif isinstance(left, dict):
        assert list(left) == list(right)
        for key in left:
            assert_same_bits(left[key], right[key])
    elif isinstance(left, list | tuple):
        assert len(left) == len(right)
        for a, b in zip(left, right, strict=True):
            assert_same_bits(a, b)
    else:
        assert left == right


def run_until(command: list, folder, epoch: int, number: int) -> None:
    """Runs it until it has a checkpoint of that epoch or a later one, then sends the signal."""
    process = subprocess.Popen([str(part) for part in command], stderr=subprocess.PIPE)
    end = time.monotonic() + TIMEOUT_S
    while not any(int(path.name[6:12]) >= epoch for path in folder.glob("epoch-*.pt")):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.0005)
    process.send_signal(number)
    status = process.wait(TIMEOUT_S)
    told = process.stderr.read().decode()
    assert status in (0, -signal.SIGKILL, 130), told  # 0: it was done before the signal came


@pytest.mark.parametrize(
    "options",
    [
        ("--optimizer", "adam", "--seed", "1"),
        ("--optimizer", "adamw", "--seed", "2", "--batch-size", "7", "--hidden", "33"),
        ("--optimizer", "sgd", "--seed", "3", "--weight-decay", "0.001", "--batch-size", "120"),
        ("--optimizer", "sgd", "--momentum", "0", "--lr", "0.02", "--test-fraction", "0.33"),
        ("--optimizer", "adam", "--patience", "4", "--lr", "0.05", "--seed", "9"),
    ],
)
def test_both_languages_give_the_same_bits_in_all_that_they_write(repo, commands, tmp_path, options):
    for name, command in commands.items():
        every = ("--checkpoint-dir", tmp_path / name, "--checkpoint-every", 8, "--history", tmp_path / f"{name}.csv")
        line = [
            *command,
            repo / "data/iris.csv",
            "-o",
            tmp_path / f"{name}.pt",
            "--epochs",
            EPOCHS,
            "--json",
            *options,
            *every,
        ]
        result = subprocess.run([str(part) for part in line], capture_output=True, text=True, timeout=TIMEOUT_S)
        assert result.returncode == 0, result.stderr
        (tmp_path / f"{name}.json").write_text(result.stdout.replace(f"{name}.pt", "MODEL"))
        (tmp_path / f"{name}.log").write_text(result.stderr.replace("train.py: ", "iris: "))
    assert_same_bits(tensors(tmp_path / "c.pt"), tensors(tmp_path / "p.pt"))
    names = sorted(path.name for path in (tmp_path / "c").iterdir())
    assert names == sorted(path.name for path in (tmp_path / "p").iterdir())
    assert len(names) >= 1
    for name in names:
        assert_same_bits(tensors(tmp_path / "c" / name), tensors(tmp_path / "p" / name))
    for name in ("csv", "log"):
        assert (tmp_path / f"c.{name}").read_text() == (tmp_path / f"p.{name}").read_text()
    assert eval((tmp_path / "c.json").read_text()) == eval((tmp_path / "p.json").read_text())


@pytest.mark.parametrize("legs", sorted(LEGS))
def test_a_run_that_is_killed_and_taken_over_gives_the_bits_of_one_that_never_stopped(repo, commands, tmp_path, legs):
    optimizer, epochs = ("adam", "adamw", "sgd")[sorted(LEGS).index(legs) % 3], 2000
    options = ["--optimizer", optimizer, "--seed", sorted(LEGS).index(legs), "--batch-size", "48", "--epochs", epochs]
    data = [repo / "data/iris.csv", *options, "--quiet"]
    whole = [*commands["c"], *data, "-o", tmp_path / "whole.pt"]
    assert subprocess.run([str(part) for part in whole], timeout=TIMEOUT_S).returncode == 0
    folder = ["--checkpoint-dir", tmp_path / "run", "--resume", tmp_path / "run", "--checkpoint-every", 20, "--keep", 2]
    for number, leg in enumerate(legs):
        command = [*commands[leg], *data, "-o", tmp_path / "model.pt", *folder]
        if number < 2:
            run_until(command, tmp_path / "run", 60 * (number + 1), (signal.SIGKILL, signal.SIGINT)[number])
            assert not (tmp_path / "model.pt").exists()
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=TIMEOUT_S)
    assert (result.returncode, result.stderr) == (0, "")
    assert_same_bits(tensors(tmp_path / "model.pt"), tensors(tmp_path / "whole.pt"))


@pytest.fixture(scope="module")
def checkpoint(repo, commands, tmp_path_factory):
    """A checkpoint of 10 epochs, as a dictionary."""
    folder = tmp_path_factory.mktemp("edited")
    line = [
        *commands["c"],
        repo / "data/iris.csv",
        "-o",
        folder / "m.pt",
        "--epochs",
        10,
        "--checkpoint-dir",
        folder / "run",
    ]
    assert subprocess.run([str(part) for part in line], stderr=subprocess.DEVNULL, timeout=TIMEOUT_S).returncode == 0
    return lambda: tensors(folder / "run/epoch-000010.pt")


def set_group(key, value):
    return lambda state: state["optimizer_state_dict"]["param_groups"][0].update({key: value})


EDITS = {
    "a negative learning rate": lambda state: state["config"].update(lr=-1.0),
    "another learning rate": lambda state: state["config"].update(lr=0.5),
    "the optimizer's another": set_group("lr", 0.5),
    "amsgrad": set_group("amsgrad", True),
    "betas": set_group("betas", (0.5, 0.9)),
    "NaN in the history": lambda state: state["history"][3].update(loss=float("nan")),
    "another epoch in the history": lambda state: state["history"][3].update(epoch=77),
    "a loss of no batches": lambda state: state.update(loss_sum=5.0),
    "a bias in double precision": lambda state: state["model_state_dict"].update(
        {"fc1.bias": state["model_state_dict"]["fc1.bias"].double()}
    ),
    "NaN in a moment": lambda state: state["optimizer_state_dict"]["state"][0]["exp_avg"].fill_(float("nan")),
    "a generator of zeros": lambda state: state["rng_state"].zero_(),
    "no config": lambda state: state.pop("config"),
    "a batch that no epoch has": lambda state: state.update(
        batch=2**62, loss_sum=1.0, epoch=9, history=state["history"][:9]
    ),
}


@pytest.mark.parametrize("edit", EDITS)
def test_what_is_not_whole_is_refused_by_both(repo, commands, checkpoint, tmp_path, edit):
    state = checkpoint()
    EDITS[edit](state)
    torch.save(state, tmp_path / "edited.pt")
    for command in commands.values():
        line = [*command, repo / "data/iris.csv", "-o", tmp_path / "m.pt", "--resume", tmp_path / "edited.pt", "-q"]
        result = subprocess.run([str(part) for part in line], capture_output=True, text=True, timeout=TIMEOUT_S)
        assert (result.returncode, result.stdout) == (1, ""), edit
        assert f"error: {tmp_path}/edited.pt: " in result.stderr
        assert result.stderr.count("\n") == 1
        assert not (tmp_path / "m.pt").exists()


def test_an_unedited_copy_is_whole_for_both(repo, commands, checkpoint, tmp_path):
    torch.save(checkpoint(), tmp_path / "copy.pt")
    for command in commands.values():
        line = [*command, repo / "data/iris.csv", "-o", tmp_path / "m.pt", "--resume", tmp_path / "copy.pt", "-q"]
        assert (
            subprocess.run([str(part) for part in line], stdout=subprocess.DEVNULL, timeout=TIMEOUT_S).returncode == 0
        )


def test_an_optimizer_that_overflows_is_a_divergence_in_both(repo, commands, tmp_path):
    """Features of 1e22: the squares of Adam's gradients are too large for float32, the weights and losses are not."""
    header, *rows = (repo / "data/iris.csv").read_text().splitlines()
    large = [",".join([*(cell + "e22" for cell in row.split(",")[:4]), row.split(",")[4]]) for row in rows]
    (tmp_path / "large.csv").write_text("\n".join([header, *large]) + "\n")
    told = set()
    for name, command in commands.items():
        line = [*command, tmp_path / "large.csv", "-o", tmp_path / "m.pt", "--checkpoint-dir", tmp_path / name, "-q"]
        result = subprocess.run([str(part) for part in line], capture_output=True, text=True, timeout=TIMEOUT_S)
        assert result.returncode == 1
        told.add(result.stderr.split("error: ")[1])
        assert list((tmp_path / name).iterdir()) == []
    assert len(told) == 1
    assert "the optimizer's state is not finite; try a --lr below 0.005" in told.pop()


def test_a_number_that_differs_in_its_last_digits_only_is_told_with_all_of_them(repo, commands, checkpoint, tmp_path):
    torch.save(checkpoint(), tmp_path / "copy.pt")
    for command in commands.values():
        line = [*command, repo / "data/iris.csv", "-o", tmp_path / "m.pt", "--resume", tmp_path / "copy.pt"]
        line += ["--lr", "0.0050000001"]
        result = subprocess.run([str(part) for part in line], capture_output=True, text=True, timeout=TIMEOUT_S)
        assert result.returncode == 1
        assert "--lr 0.0050000001" in result.stderr
        assert "which has 0.005;" in result.stderr
