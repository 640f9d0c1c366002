"""The folder of checkpoints of python_export/train.py: what is kept in it, and a disk that is full or forbids."""

import fcntl
import os
import resource
from contextlib import contextmanager

import pytest
from commands import run
from training_runs import contents, error_of, names


def test_a_folder_with_checkpoints_is_not_mixed_with_another_run(train, tmp_path):
    train("--checkpoint-dir", "run", epochs=1)
    train("--checkpoint-dir", "other", epochs=1)
    refusal = "run: holds checkpoints already (epoch-000001.pt); go on with --resume run, or give another folder"
    assert error_of(train("--checkpoint-dir", "run")) == refusal
    assert error_of(train("--checkpoint-dir", "run", "--resume", "other")) == refusal
    assert train("--checkpoint-dir", "run", "--resume", "run/epoch-000001.pt").returncode == 0


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
