"""What the commands of this folder share: writing a file as a whole, and reporting a user's mistake."""

import argparse
import importlib.util
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


class InputError(Exception):
    """The caller's data, file or options cannot be used. The text is one line: place, fact, way out."""


class Interrupted(Exception):
    """A signal ended the work. The text says where, and how to go on. status: the exit status, 128 + the signal."""

    def __init__(self, text: str, status: int):
        super().__init__(text)
        self.status = status


def require_packages(*names: str) -> None:
    """Raises InputError, with the command that installs them, where any of these packages is missing."""
    missing = [name for name in names if importlib.util.find_spec(name) is None]
    if missing:
        raise InputError(f"needs what is not installed here: python -m pip install {' '.join(missing)}")


def check_output(path: Path) -> None:
    """Raises InputError where a file could not be written to `path`. For use before the work is done."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder; give the name of a file")
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is not a regular file, and would be replaced by one; give another name")
    if not path.parent.is_dir():
        raise InputError(f"{path}: no such folder: {path.parent}")
    check_writable(path, _target(path).parent)


def check_writable(path: Path, folder: Path) -> None:
    """Raises InputError, naming `path`, where no file can be made in the folder. Leaves nothing there."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def write_atomically(path: Path, content: bytes) -> None:
    """Replaces `path` as a whole: a kill at any moment leaves the old file or the new one.

    A symbolic link is followed. A new file gets the mode that open() would give it; an old one keeps its mode.
    Raises InputError where the file cannot be written.
    """
    try:
        target = _target(path)
        descriptor, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fchmod(file.fileno(), _mode_for(target))
                os.fsync(file.fileno())
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _target(path: Path) -> Path:
    """The file that a symbolic link leads to. (Path.resolve raises RuntimeError for links in a circle.)"""
    return Path(os.path.realpath(path))


def _mode_for(target: Path) -> int:
    if target.exists():
        return target.stat().st_mode & 0o777
    umask = os.umask(0)
    os.umask(umask)
    return 0o666 & ~umask


def run_command(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], None]) -> int:
    """Parses the command line, runs the command, and returns its exit status.

    0: done. 1: an InputError, printed in one line on stderr. 128 + the signal: interrupted. Wrong usage, also as an
    argparse.ArgumentError from the command, leaves through argparse with 2.
    """
    options = parser.parse_args()
    if sys.stdout is None:  # Python's word for a closed one
        print(f"{parser.prog}: error: stdout: is closed", file=sys.stderr)
        return 1
    try:
        run(options)
        sys.stdout.flush()
    except InputError as error:
        print(f"{parser.prog}: error: {error}", file=sys.stderr)
        return 1
    except argparse.ArgumentError as error:
        parser.error(str(error))
    except Interrupted as interrupted:
        print(f"{parser.prog}: {interrupted}", file=sys.stderr)
        return interrupted.status
    except BrokenPipeError:
        _close_stdout()  # the reader has gone
    except OSError as error:  # not of a file that the command names: those raise InputError
        print(f"{parser.prog}: error: {error.filename or 'stdout'}: {error.strerror}", file=sys.stderr)
        _close_stdout()
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: interrupted", file=sys.stderr)
        return 130
    return 0


def _close_stdout() -> None:
    """So that the interpreter's last flush does not fail again, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
