"""The progress of the training on stderr: a bar on a terminal, else a line every `log_every` epochs."""

import sys
import time

_BAR_WIDTH = 24


class Progress:
    """A context manager: the bar is removed at the end. Prints nothing where is_quiet."""

    def __init__(self, epochs: int, log_every: int, is_quiet: bool):
        self._epochs = epochs
        self._log_every = log_every
        self._is_quiet = is_quiet
        self._has_bar = sys.stderr.isatty()
        self._is_drawn = False
        self._start = time.monotonic()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_) -> None:
        self._clear()

    def show(self, entry: dict, is_last: bool) -> None:
        """To be called after each epoch. entry: that of the history."""
        figures = (
            f"epoch {entry['epoch']}/{self._epochs}  loss {entry['loss']:.4f}  accuracy {entry['accuracy']:.1%}"
            f"  test accuracy {entry['test_accuracy']:.1%}"
        )
        if self._has_bar:
            self._draw(entry["epoch"] / self._epochs, figures)
        elif entry["epoch"] % self._log_every == 0 or is_last:
            self.say(figures)

    def say(self, text: str) -> None:
        if not self._is_quiet:
            self._clear()
            print(text, file=sys.stderr)

    def _draw(self, share: float, figures: str) -> None:
        """Draws the bar once the work has taken a second. share: of the epochs, 0 to 1."""
        if self._is_quiet or time.monotonic() - self._start < 1:
            return
        full = int(share * _BAR_WIDTH)
        bar = "#" * full + "." * (_BAR_WIDTH - full)
        print(f"\r[{bar}] {share:4.0%}  {figures}\x1b[K", end="", file=sys.stderr, flush=True)
        self._is_drawn = True

    def _clear(self) -> None:
        if self._is_drawn:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
            self._is_drawn = False
