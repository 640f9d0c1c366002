"""python_export/train.py --resume: which options and data it takes, and what it says."""

import pytest
import torch
from training_runs import DATA, changed, contents, error_of

from iris_export.checkpoint import read_checkpoint, to_bytes
from iris_export.checkpoint_folder import checkpoints_in


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


def test_resume_before_there_is_a_checkpoint_starts_from_the_beginning(train, tmp_path):
    result = train("--checkpoint-dir", "run", "--resume", "run")
    assert result.returncode == 0
    assert result.stderr == "train.py: no checkpoint in run yet; starting from the beginning\n"
    (tmp_path / "empty").mkdir()
    assert train("--resume", "empty").returncode == 0
    assert contents(tmp_path / "empty") == contents(tmp_path / "run")
    assert error_of(train("--resume", "none")) == "none: No such file or directory"


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
