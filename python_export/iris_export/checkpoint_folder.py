"""A folder of checkpoints: epoch-000010.pt, and epoch-000010-batch-000003.pt after an interrupt within an epoch."""

import fcntl
import os
import re
from pathlib import Path

from . import checkpoint
from .model_file import InputError, check_writable, write_atomically

# (epochs done, batches done of the next), by which checkpoints are ordered.
Position = tuple[int, int]

_NAME = re.compile(r"epoch-(\d{6,12})(?:-batch-(\d{6,12}))?\.pt", re.ASCII)
# What a kill leaves of a file that was being written, by write_atomically or by iris train.
_LEFTOVER = re.compile(rf"\.{_NAME.pattern}\.\w{{6,8}}", re.ASCII)


def name_of(position: Position) -> str:
    epoch, batch = position
    return f"epoch-{epoch:06}-batch-{batch:06}.pt" if batch > 0 else f"epoch-{epoch:06}.pt"


def checkpoints_in(folder: Path) -> dict[Position, Path]:
    """The files with a checkpoint's name, oldest first; their content is not read. Raises InputError."""
    found = {}
    try:
        for path in folder.iterdir():
            match = _NAME.fullmatch(path.name)
            position = match and (int(match[1]), int(match[2] or 0))
            if position and name_of(position) == path.name and path.is_file():
                found[position] = path
    except OSError as error:
        raise InputError(f"{folder}: {error.strerror}") from error
    return dict(sorted(found.items()))


class CheckpointFolder:
    """A folder that one run holds while it is open: no other run can open it."""

    def __init__(self, path: Path):
        """Makes nothing. Raises InputError where `path` is not a folder to write in, and cannot become one."""
        self.path = path
        self._descriptor: int | None = None
        if path.is_dir():
            check_writable(path, path)
        elif path.exists() or path.is_symlink():
            raise InputError(f"{path}: is not a folder; give another one")
        elif not path.parent.is_dir():
            raise InputError(f"{path}: no such folder: {path.parent}")
        else:
            check_writable(path, path.parent)

    def open(self) -> None:
        """Makes the folder where it is missing, locks it, and removes the half-written files of killed runs.

        Does nothing if it is open already. Raises InputError where another process has it open.
        """
        if self._descriptor is not None:
            return
        try:
            self.path.mkdir(exist_ok=True)
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for path in self.path.iterdir():
                if _LEFTOVER.fullmatch(path.name):
                    path.unlink()
        except BlockingIOError as error:
            raise InputError(f"{self.path}: another run writes its checkpoints there") from error
        except OSError as error:
            raise InputError(f"{self.path}: {error.strerror}") from error

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, state: dict, keep: int | None) -> Path:
        """Writes the checkpoint, then prunes. Where it cannot be written: raises InputError, removes nothing."""
        position = (state["epoch"], state["batch"])
        path = self.path / name_of(position)
        write_atomically(path, checkpoint.to_bytes(state))
        self.prune(position, keep)
        return path

    def prune(self, position: Position, keep: int | None) -> None:
        """Removes checkpoints before `position`: those within an epoch, and all but the newest `keep` (None: all stay).

        Raises InputError.
        """
        until_now = {each: old for each, old in checkpoints_in(self.path).items() if each <= position}
        kept = [each for each in until_now if each[1] == 0 or each == position]
        if keep is not None:
            kept = kept[-keep:]
        try:
            for each in until_now.keys() - set(kept):
                until_now[each].unlink(missing_ok=True)
        except OSError as error:
            raise InputError(f"{error.filename}: cannot be removed: {error.strerror}") from error
