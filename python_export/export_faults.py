"""Why PyTorch cannot export a model, in one line, without the pages that its compilers print meanwhile."""

import contextlib
import io
import logging
import re
from collections.abc import Iterator

from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Nothing is logged or printed on stderr in the `with`: torch.export dumps its graph there before it raises."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def reason_of(error: BaseException) -> str:
    """The type and the first line of what all else followed from, or the way out where it is known."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, GuardOnDataDependentSymNode):
        return "it decides by the values of the rows (an if, a loop, or a size); choose with torch.where instead"
    lines = [line.strip() for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    if "TorchScript interpreter" in lines[0]:  # then a traceback, and what was raised
        return lines[-1].removeprefix("builtins.")
    return f"{type(error).__name__}: {lines[0]}"
