"""Ctrl-C and its kin, for work that ends where it is whole. Nothing here loads torch: it must hold from the start."""

import contextlib
import os
import signal
from collections.abc import Iterator

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Interrupts:
    """While in the `with`, a SIGINT, SIGTERM or SIGHUP ends the process at once; the exit status is 128 + its number.

    After `hold()` the first one is only noted, in `status`, for the work to end by itself; a second one still ends it.
    A SIGHUP that the process was started to ignore (nohup) stays ignored. For the main thread.
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
        # Not by an exception: raised in the midst of an import or of a library's code, it may be taken for an error.
        os.write(2, f"{self._program}: interrupted\n".encode())
        os._exit(128 + number)


@contextlib.contextmanager
def tidy_ends(program: str) -> Iterator[None]:
    """While in the `with`, SIGTERM and SIGHUP unwind the stack, as Ctrl-C does, so that temporary folders are removed.

    They raise SystemExit with 128 + the signal's number; one that is ignored (nohup) stays so. For the main thread.
    """

    def unwind(number: int, _) -> None:
        signal.signal(number, signal.SIG_IGN)  # a second one does not disturb the tidying
        os.write(2, f"{program}: interrupted\n".encode())
        raise SystemExit(128 + number)

    taken = [number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, unwind) for number in taken}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
