"""iris train, as a user runs it: checkpoints, interrupts, kills, and going on after them."""

import random
import re
import signal
import time

import pytest
import torch
from commands import TIMEOUT_S
from training_runs import names, names_in, wait_for_more


def test_a_checkpoint_is_plain_data_that_pythons_own_optimizer_takes(iris_train, tmp_path):
    """No import of ours: what another program would do with it."""
    for optimizer, cls in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)):
        iris_train("--optimizer", optimizer, "--epochs", 5, "--checkpoint-dir", optimizer, "--checkpoint-every", 5)
        checkpoint = torch.load(tmp_path / optimizer / "epoch-000005.pt", weights_only=True)
        assert checkpoint["epoch"] == 5
        assert len(checkpoint["history"]) == 5
        assert checkpoint["config"]["optimizer"] == optimizer
        network = torch.nn.Sequential()
        network.add_module("fc1", torch.nn.Linear(4, 16))
        network.add_module("relu", torch.nn.ReLU())
        network.add_module("fc2", torch.nn.Linear(16, 3))
        network.load_state_dict(checkpoint["model_state_dict"])
        theirs = cls(network.parameters(), lr=0.1, fused=True, **({"momentum": 0.9} if optimizer == "sgd" else {}))
        theirs.zero_grad()
        network(torch.ones(1, 4)).sum().backward()
        theirs.step()
        expected = theirs.state_dict()
        theirs.load_state_dict(checkpoint["optimizer_state_dict"])
        loaded = theirs.state_dict()
        assert [list(group) for group in loaded["param_groups"]] == [list(group) for group in expected["param_groups"]]
        types = [{key: type(value) for key, value in state.items()} for state in loaded["state"].values()]
        assert types == [{key: type(value) for key, value in state.items()} for state in expected["state"].values()]
        torch.set_rng_state(checkpoint["rng_state"])


def test_keep_leaves_the_newest(iris_train, tmp_path):
    iris_train("--epochs", 7, "--checkpoint-dir", "run", "--checkpoint-every", 2, "--keep", 2)
    assert names(tmp_path / "run") == ["epoch-000006.pt", "epoch-000007.pt"]


def test_an_interrupt_finishes_the_batch_writes_a_checkpoint_and_exits_130(repo, start, iris_train, iris, tmp_path):
    iris_train("--epochs", 3000, "--history", "whole.csv", output="whole.pt")
    options = ["train", repo / "data/iris.csv", "-o", tmp_path / "model.pt", "--checkpoint-dir", tmp_path / "run"]
    for number, status in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
        before = names_in(tmp_path / "run")
        process = start(*options, "--epochs", 3000, "--resume", tmp_path / "run", "--checkpoint-every", 50, "--quiet")
        wait_for_more(tmp_path / "run", before, process)
        process.send_signal(number)
        assert process.wait(TIMEOUT_S) == status
        told = process.stderr.read().decode().splitlines()[-1]
        interrupted = re.fullmatch(rf"iris: interrupted in epoch (\d+); go on with --resume {tmp_path}/run", told)
        assert interrupted, told
        newest = names(tmp_path / "run")[-1]
        assert int(newest[6:12]) == int(interrupted[1]) - 1
        assert not (tmp_path / "model.pt").exists()
    result = iris_train("--epochs", 3000, "--resume", "run", "--history", "part.csv")
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    assert (tmp_path / "part.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()


def test_an_interrupt_without_a_checkpoint_folder_says_that_nothing_is_saved(repo, start, tmp_path):
    process = start("train", repo / "data/iris.csv", "-o", tmp_path / "model.pt", "--epochs", 100_000, "--log-every", 1)
    process.stderr.readline()
    process.send_signal(signal.SIGINT)
    assert process.wait(TIMEOUT_S) == 130
    assert process.stderr.read().decode().endswith("; nothing is saved: there is no --checkpoint-dir\n")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options", [(), ("--optimizer", "sgd", "--batch-size", 7), ("--optimizer", "adamw", "--patience", 60)]
)
def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bytes(repo, start, iris_train, tmp_path, options):
    """SIGKILL at random moments, 30 times and more, over the runs of this test; now and then an interrupt."""
    options = (*options, "--epochs", 400, "--seed", 5)
    assert iris_train(*options, "--history", "whole.csv", output="whole.pt").returncode == 0
    draw, kills = random.Random(0), 0
    command = ["train", repo / "data/iris.csv", "-o", tmp_path / "model.pt", *options]
    folder = ["--checkpoint-dir", tmp_path / "run", "--resume", tmp_path / "run"]
    frequency = ["--checkpoint-every", 1, "--keep", 2]
    while not (tmp_path / "model.pt").exists():
        before = names_in(tmp_path / "run")
        process = start(*command, *folder, *frequency, "--history", tmp_path / "part.csv", "--quiet")
        if kills < 12:  # once it has got on a little, so that the test ends
            wait_for_more(tmp_path / "run", before, process)
            time.sleep(draw.uniform(0, 0.02))
            process.send_signal(draw.choice([signal.SIGKILL] * 5 + [signal.SIGINT]))
            kills += 1
        assert process.wait(TIMEOUT_S) in (0, 130, -signal.SIGKILL), process.stderr.read()
    assert kills == 12
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "whole.pt").read_bytes()
    assert (tmp_path / "part.csv").read_bytes() == (tmp_path / "whole.csv").read_bytes()
    assert len(names(tmp_path / "run")) == 2  # nothing half written is left


def test_damaged_checkpoints_are_named_and_passed_over(iris_train, tmp_path):
    iris_train("--epochs", 6, "--checkpoint-dir", "whole", "--checkpoint-every", 1)
    iris_train("--epochs", 6, "--checkpoint-dir", "run", "--checkpoint-every", 1)
    whole = (tmp_path / "run/epoch-000006.pt").read_bytes()
    (tmp_path / "run/epoch-000006.pt").write_bytes(whole[: len(whole) // 2])
    changed = bytearray((tmp_path / "run/epoch-000005.pt").read_bytes())
    changed[changed.index(b"archive/data/0") + 100] ^= 1  # only its checksum tells
    (tmp_path / "run/epoch-000005.pt").write_bytes(changed)
    result = iris_train("--resume", "run", "--json", "-q")
    assert result.returncode == 0
    passed_over = result.stderr.splitlines()
    assert len(passed_over) == 2
    assert passed_over[0].startswith("iris: passed over run/epoch-000006.pt: ")
    assert passed_over[1].startswith("iris: passed over run/epoch-000005.pt: ")
    assert "CRC" in passed_over[1]
    assert (tmp_path / "run/epoch-000006.pt").read_bytes() == whole


def test_a_folder_with_no_whole_checkpoint_is_refused(iris_train, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/epoch-000001.pt").write_bytes(b"")
    result = iris_train("--resume", "run")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "iris: error: run: none of its 1 checkpoints is whole; give another folder, or start anew without --resume"
    )


def test_resume_of_a_folder_without_checkpoints_starts_from_the_beginning(iris_train):
    result = iris_train("--checkpoint-dir", "run", "--resume", "run", "--epochs", 1, "-q")
    assert (result.returncode, result.stderr) == (0, "iris: no checkpoint in run yet; starting from the beginning\n")


def test_resume_of_what_is_not_there_is_refused(iris_train):
    result = iris_train("--resume", "nothing.pt")
    assert (result.returncode, result.stderr) == (1, "iris: error: nothing.pt: No such file or directory\n")


def test_a_run_that_is_done_only_writes_its_model(iris_train, tmp_path):
    iris_train("--epochs", 3, "--checkpoint-dir", "run")
    before = (tmp_path / "model.pt").read_bytes()
    (tmp_path / "model.pt").unlink()
    result = iris_train("--resume", "run")
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "model.pt").read_bytes() == before


def test_training_longer_gives_what_the_longer_run_gives(iris_train, tmp_path):
    iris_train("--epochs", 9, output="nine.pt")
    iris_train("--epochs", 4, "--checkpoint-dir", "run")
    iris_train("--epochs", 9, "--resume", "run/epoch-000004.pt")
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "nine.pt").read_bytes()


def test_options_and_data_that_contradict_the_checkpoint_are_refused(repo, iris_train, tmp_path):
    iris_train("--epochs", 4, "--checkpoint-dir", "run", output="first.pt")
    for options, message in {
        ("--lr", "0.01"): "--lr 0.01 contradicts run/epoch-000004.pt, which has 0.005; "
        "leave it out, or start anew without --resume",
        ("--epochs", "3"): "--epochs 3: run/epoch-000004.pt has 4 epochs done",
    }.items():
        result = iris_train("--resume", "run", *options)
        assert (result.returncode, result.stderr) == (1, f"iris: error: {message}\n")
    (tmp_path / "other.csv").write_text((repo / "data/iris.csv").read_text().replace("5.1", "5.2"))
    result = iris_train("--resume", "run", data="other.csv")
    expected = "iris: error: other.csv: is not the data that run/epoch-000004.pt was trained on\n"
    assert (result.returncode, result.stderr) == (1, expected)
    assert not (tmp_path / "model.pt").exists()


def test_a_new_run_does_not_mix_with_the_checkpoints_of_another(iris_train, tmp_path):
    iris_train("--epochs", 2, "--checkpoint-dir", "run")
    result = iris_train("--epochs", 2, "--seed", 1, "--checkpoint-dir", "run")
    assert result.returncode == 1
    assert result.stderr == (
        "iris: error: run: holds checkpoints already (epoch-000002.pt); "
        "go on with --resume run, or give another folder\n"
    )


def test_two_runs_do_not_write_to_one_folder(repo, start, iris_train, tmp_path):
    options = ("--checkpoint-dir", tmp_path / "run", "--checkpoint-every", 1)
    process = start("train", repo / "data/iris.csv", "-o", tmp_path / "a.pt", "--epochs", 100_000, "-q", *options)
    wait_for_more(tmp_path / "run", set(), process)
    result = iris_train("--resume", tmp_path / "run")
    expected = f"iris: error: {tmp_path}/run: another run writes its checkpoints there\n"
    assert (result.returncode, result.stderr) == (1, expected)
