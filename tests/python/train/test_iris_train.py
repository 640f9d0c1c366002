"""iris train, as a user runs it. That it gives Python's bits: test_relay.py."""

import json
import os
import pty
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pytest
import torch
from commands import TIMEOUT_S

HEADER = "sepal_length,sepal_width,petal_length,petal_width,species\n"
SETOSA = "5.1,3.5,1.4,0.2,setosa\n"
VIRGINICA = "6.3,3.3,6.0,2.5,virginica\n"


@pytest.fixture
def train(repo, iris, tmp_path):
    """train(*args, data=…, output=…): runs iris train in tmp_path; the model is model.pt there."""

    def call(*args, data=repo / "data/iris.csv", output="model.pt"):
        return iris("train", data, "-o", output, *args, cwd=tmp_path)

    return call


def checkpoints(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def names_in(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()} if folder.exists() else set()


def wait_for_more(folder: Path, before: set[str], process: subprocess.Popen) -> None:
    """Until there is a file in the folder that was not there before, while the process runs."""
    end = time.monotonic() + TIMEOUT_S
    while not names_in(folder) - before:
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < end
        time.sleep(0.002)


def test_the_defaults_give_the_shipped_model_and_say_its_accuracy(repo, train, tmp_path):
    result = train()
    assert (result.returncode, result.stdout) == (0, "Test accuracy: 100.0%\n")
    model = torch.load(tmp_path / "model.pt", weights_only=True)
    shipped = torch.load(repo / "models/iris_net.pt", weights_only=True)
    assert list(model) == list(shipped)
    for name, tensor in shipped.items():  # the last bits of the weights depend on the processor's vector instructions
        torch.testing.assert_close(model[name], tensor, rtol=0, atol=1e-4)


def test_without_a_terminal_a_line_is_told_every_n_epochs(train):
    lines = train("--epochs", 25).stderr.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["epoch 10/25", "epoch 20/25", "epoch 25/25"]
    assert re.fullmatch(r"epoch 10/25  loss 0\.\d{4}  accuracy \d+\.\d%  test accuracy \d+\.\d%", lines[0])
    assert len(train("--epochs", 4, "--log-every", 2).stderr.splitlines()) == 2
    assert train("--epochs", 25, "--quiet").stderr == ""


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


def test_json_is_one_object_of_the_weights_that_were_written(repo, iris, train, tmp_path):
    result = json.loads(train("--json", "--epochs", 3).stdout)
    assert list(result) == ["model", "epochs", "loss", "accuracy", "test_loss", "test_accuracy", "rows", "test_rows"]
    assert (result["model"], result["epochs"], result["rows"], result["test_rows"]) == ("model.pt", 3, 120, 30)
    whole = json.loads(iris("evaluate", tmp_path / "model.pt", repo / "data/iris.csv", "--json").stdout)
    assert whole["loss"] == pytest.approx(result["loss"] * 0.8 + result["test_loss"] * 0.2, rel=1e-5)
    assert whole["accuracy"] == pytest.approx(result["accuracy"] * 0.8 + result["test_accuracy"] * 0.2)


def test_history_has_a_line_for_every_epoch_also_after_resuming(train, tmp_path):
    train("--epochs", 6, "--history", "whole.csv")
    train("--epochs", 3, "--checkpoint-dir", "run", "--history", "part.csv")
    train("--epochs", 6, "--resume", "run", "--history", "part.csv")
    lines = (tmp_path / "whole.csv").read_text().splitlines()
    assert lines[0] == "epoch,loss,accuracy,test_loss,test_accuracy"
    assert [line.split(",")[0] for line in lines[1:]] == list("123456")
    assert (tmp_path / "part.csv").read_text() == (tmp_path / "whole.csv").read_text()


def test_early_stopping_says_so_and_adds_the_validation_to_the_history(train, tmp_path):
    result = train("--lr", 0.1, "--patience", 5, "--epochs", 2000, "--history", "h.csv", "--json", "-q")
    assert result.returncode == 0
    told = json.loads(result.stdout)
    assert told["epochs"] == told["best_epoch"] + 5
    assert result.stderr == f"iris: stopped early: the validation loss was lowest at epoch {told['best_epoch']}\n"
    assert (told["rows"], told["test_rows"]) == (96, 30)
    header, *lines = (tmp_path / "h.csv").read_text().splitlines()
    assert header.endswith(",validation_loss,validation_accuracy")
    losses = [float(line.split(",")[5]) for line in lines]
    assert losses.index(min(losses)) + 1 == told["best_epoch"]


def test_the_model_goes_to_stdout_and_to_safetensors(repo, binary, train, tmp_path):
    train("--epochs", 2)
    command = [binary, "train", repo / "data/iris.csv", "-o", "-", "--epochs", "2"]
    result = subprocess.run(command, capture_output=True, timeout=TIMEOUT_S)
    assert result.stdout == (tmp_path / "model.pt").read_bytes()
    assert b"Test accuracy: " in result.stderr
    from safetensors.torch import load_file

    train("--epochs", 2, output="model.safetensors")
    for name, tensor in load_file(tmp_path / "model.safetensors").items():
        assert tensor.equal(torch.load(tmp_path / "model.pt", weights_only=True)[name])


def test_a_checkpoint_is_plain_data_that_pythons_own_optimizer_takes(train, tmp_path):
    """No import of ours: what another program would do with it."""
    for optimizer, cls in (("adam", torch.optim.Adam), ("adamw", torch.optim.AdamW), ("sgd", torch.optim.SGD)):
        train("--optimizer", optimizer, "--epochs", 5, "--checkpoint-dir", optimizer, "--checkpoint-every", 5)
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


def test_keep_leaves_the_newest(train, tmp_path):
    train("--epochs", 7, "--checkpoint-dir", "run", "--checkpoint-every", 2, "--keep", 2)
    assert checkpoints(tmp_path / "run") == ["epoch-000006.pt", "epoch-000007.pt"]


def test_an_interrupt_finishes_the_batch_writes_a_checkpoint_and_exits_130(repo, start, train, iris, tmp_path):
    train("--epochs", 3000, "--history", "whole.csv", output="whole.pt")
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
        newest = checkpoints(tmp_path / "run")[-1]
        assert int(newest[6:12]) == int(interrupted[1]) - 1
        assert not (tmp_path / "model.pt").exists()
    result = train("--epochs", 3000, "--resume", "run", "--history", "part.csv")
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
def test_a_run_that_is_killed_again_and_again_ends_in_the_same_bytes(repo, start, train, tmp_path, options):
    """SIGKILL at random moments, 30 times and more, over the runs of this test; now and then an interrupt."""
    options = (*options, "--epochs", 400, "--seed", 5)
    assert train(*options, "--history", "whole.csv", output="whole.pt").returncode == 0
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
    assert len(checkpoints(tmp_path / "run")) == 2  # nothing half written is left


def test_damaged_checkpoints_are_named_and_passed_over(train, tmp_path):
    train("--epochs", 6, "--checkpoint-dir", "whole", "--checkpoint-every", 1)
    train("--epochs", 6, "--checkpoint-dir", "run", "--checkpoint-every", 1)
    whole = (tmp_path / "run/epoch-000006.pt").read_bytes()
    (tmp_path / "run/epoch-000006.pt").write_bytes(whole[: len(whole) // 2])
    changed = bytearray((tmp_path / "run/epoch-000005.pt").read_bytes())
    changed[changed.index(b"archive/data/0") + 100] ^= 1  # only its checksum tells
    (tmp_path / "run/epoch-000005.pt").write_bytes(changed)
    result = train("--resume", "run", "--json", "-q")
    assert result.returncode == 0
    passed_over = result.stderr.splitlines()
    assert len(passed_over) == 2
    assert passed_over[0].startswith("iris: passed over run/epoch-000006.pt: ")
    assert passed_over[1].startswith("iris: passed over run/epoch-000005.pt: ")
    assert "CRC" in passed_over[1]
    assert (tmp_path / "run/epoch-000006.pt").read_bytes() == whole


def test_a_folder_with_no_whole_checkpoint_is_refused(train, tmp_path):
    (tmp_path / "run").mkdir()
    (tmp_path / "run/epoch-000001.pt").write_bytes(b"")
    result = train("--resume", "run")
    assert result.returncode == 1
    assert result.stderr.splitlines()[-1] == (
        "iris: error: run: none of its 1 checkpoints is whole; give another folder, or start anew without --resume"
    )


def test_resume_of_a_folder_without_checkpoints_starts_from_the_beginning(train):
    result = train("--checkpoint-dir", "run", "--resume", "run", "--epochs", 1, "-q")
    assert (result.returncode, result.stderr) == (0, "iris: no checkpoint in run yet; starting from the beginning\n")


def test_resume_of_what_is_not_there_is_refused(train):
    result = train("--resume", "nothing.pt")
    assert (result.returncode, result.stderr) == (1, "iris: error: nothing.pt: No such file or directory\n")


def test_a_run_that_is_done_only_writes_its_model(train, tmp_path):
    train("--epochs", 3, "--checkpoint-dir", "run")
    before = (tmp_path / "model.pt").read_bytes()
    (tmp_path / "model.pt").unlink()
    result = train("--resume", "run")
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "model.pt").read_bytes() == before


def test_training_longer_gives_what_the_longer_run_gives(train, tmp_path):
    train("--epochs", 9, output="nine.pt")
    train("--epochs", 4, "--checkpoint-dir", "run")
    train("--epochs", 9, "--resume", "run/epoch-000004.pt")
    assert (tmp_path / "model.pt").read_bytes() == (tmp_path / "nine.pt").read_bytes()


def test_options_and_data_that_contradict_the_checkpoint_are_refused(repo, train, tmp_path):
    train("--epochs", 4, "--checkpoint-dir", "run", output="first.pt")
    for options, message in {
        ("--lr", "0.01"): "--lr 0.01 contradicts run/epoch-000004.pt, which has 0.005; "
        "leave it out, or start anew without --resume",
        ("--epochs", "3"): "--epochs 3: run/epoch-000004.pt has 4 epochs done",
    }.items():
        result = train("--resume", "run", *options)
        assert (result.returncode, result.stderr) == (1, f"iris: error: {message}\n")
    (tmp_path / "other.csv").write_text((repo / "data/iris.csv").read_text().replace("5.1", "5.2"))
    result = train("--resume", "run", data="other.csv")
    expected = "iris: error: other.csv: is not the data that run/epoch-000004.pt was trained on\n"
    assert (result.returncode, result.stderr) == (1, expected)
    assert not (tmp_path / "model.pt").exists()


def test_a_new_run_does_not_mix_with_the_checkpoints_of_another(train, tmp_path):
    train("--epochs", 2, "--checkpoint-dir", "run")
    result = train("--epochs", 2, "--seed", 1, "--checkpoint-dir", "run")
    assert result.returncode == 1
    assert result.stderr == (
        "iris: error: run: holds checkpoints already (epoch-000002.pt); "
        "go on with --resume run, or give another folder\n"
    )


def test_two_runs_do_not_write_to_one_folder(repo, start, train, tmp_path):
    options = ("--checkpoint-dir", tmp_path / "run", "--checkpoint-every", 1)
    process = start("train", repo / "data/iris.csv", "-o", tmp_path / "a.pt", "--epochs", 100_000, "-q", *options)
    wait_for_more(tmp_path / "run", set(), process)
    result = train("--resume", tmp_path / "run")
    expected = f"iris: error: {tmp_path}/run: another run writes its checkpoints there\n"
    assert (result.returncode, result.stderr) == (1, expected)


def test_a_divergence_stops_the_run_and_keeps_the_last_good_checkpoint(train, tmp_path):
    options = ("--optimizer", "sgd", "--lr", 1, "--momentum", 0, "--weight-decay", 3)
    result = train(
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
def test_data_that_cannot_be_trained_on_are_one_clear_error_and_nothing_is_lost(train, tmp_path, rows, message):
    (tmp_path / "data.csv").write_text(HEADER + rows)
    (tmp_path / "model.pt").write_text("old")
    result = train("--checkpoint-dir", "run", data="data.csv")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("iris: error: data.csv:")
    assert message in result.stderr
    assert result.stderr.count("\n") == 1
    assert (tmp_path / "model.pt").read_text() == "old"


def test_the_label_column_may_have_another_name(repo, train, tmp_path):
    (tmp_path / "data.csv").write_text((repo / "data/iris.csv").read_text().replace("species", "kind"))
    assert train("--label-column", "kind", "--epochs", 2, data="data.csv").returncode == 0
    assert "--label-column says which" in train("--epochs", 2, data="data.csv").stderr


def test_places_that_cannot_be_written_to_are_told_before_training(train, tmp_path):
    (tmp_path / "file").write_text("")
    for options, message in {
        ("--history", "none/h.csv"): "none/h.csv: cannot be created: No such file or directory",
        ("--checkpoint-dir", "none/run"): "none/run: cannot be made: No such file or directory",
        ("--checkpoint-dir", "file"): "file: is no folder",
    }.items():
        result = train(*options, "--epochs", 1_000_000)
        assert result.returncode == 1
        assert result.stderr.startswith(f"iris: error: {message}")
    result = train("--epochs", 1_000_000, output="none/model.pt")
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
        assert checkpoints(disk / "run")[-1] == f"epoch-{last:06}.pt"
        assert torch.load(disk / f"run/epoch-{last:06}.pt", weights_only=True)["epoch"] == last
        assert not (tmp_path / "model.pt").exists()
    finally:
        if mounted:
            subprocess.run(["umount", disk], check=True)


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
def test_wrong_usage_exits_2(train, options, message):
    result = train(*options)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"iris: error: {message}")


def test_the_data_are_not_replaced_by_an_output(train, tmp_path):
    (tmp_path / "data.csv").write_text(HEADER)
    for options, output in ((("--history", "data.csv"), "model.pt"), ((), "data.csv")):
        result = train(*options, data="data.csv", output=output)
        assert result.returncode == 2
        assert "would replace the data; write to another file" in result.stderr
    assert (tmp_path / "data.csv").read_text() == HEADER
