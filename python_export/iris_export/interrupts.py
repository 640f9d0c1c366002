"""SIGINT, SIGTERM and SIGHUP for work that must end at a whole step. Does not load torch, which takes seconds."""

import contextlib
import os
import signal
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """Within the `with`, a SIGINT, SIGTERM or SIGHUP ends the process at once, with the exit status 128 + its number.

    After `hold()` the first one only sets `status`, and the work is to end by itself; a second one ends the process.
    A SIGHUP that is ignored at the start (nohup) stays ignored. For the main thread.
    """

    def __init__(self, program: str):
        self.status: int | None = None
        self._program = program
        self._held = False
        self._before = {}

    def __enter__(self) -> "Interrupts":
        for number in _SIGNALS:
            if not (number == signal.SIGHUP and signal.getsignal(number) == signal.SIG_IGN):
                self._before[number] = signal.signal(number, self._take)
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def hold(self) -> None:
        self._held = True

    def requested(self) -> bool:
        return self.status is not None

    def _take(self, number: int, _) -> None:
        if self._held and self.status is None:
            self.status = 128 + number
            return
        # Not by an exception: within an import or a library's code it may be taken for an error.
        os.write(2, f"{self._program}: interrupted\n".encode())
        os._exit(128 + number)


@contextlib.contextmanager
def tidy_ends(program: str) -> Iterator[None]:
    """Within the `with`, SIGTERM and SIGHUP unwind the stack, as Ctrl-C does, so that temporary folders are removed.

    They raise SystemExit with 128 + the signal's number. An ignored signal (nohup) stays ignored. For the main thread.
    """

    def unwind(number: int, _) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one does not disturb the clean-up
        os.write(2, f"{program}: interrupted\n".encode())
        raise SystemExit(128 + number)

    taken = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, unwind) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
