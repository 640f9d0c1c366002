"""Why PyTorch cannot export a model, in one line, without the pages that its compilers print."""

import contextlib
import io
import logging
import re
import traceback
from collections.abc import Iterator
from pathlib import Path

import torch
from torch.fx.experimental.symbolic_shapes import GuardOnDataDependentSymNode

# Frames in files under these are not the model's.
_NOT_THE_MODEL = (str(Path(torch.__file__).parent), str(Path(__file__).parent), "<")
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@contextlib.contextmanager
def silenced() -> Iterator[None]:
    """Within the `with`, nothing is logged or printed on stderr. torch.export dumps its graph there."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)


def reason_of(error: BaseException) -> str:
    """The type and the first line of the first cause, or the way out where it is known."""
    while error.__cause__ is not None:
        error = error.__cause__
    if isinstance(error, GuardOnDataDependentSymNode):
        frames = traceback.extract_tb(error.__traceback__)
        places = [
            f"{frame.filename}:{frame.lineno}: " for frame in frames if not frame.filename.startswith(_NOT_THE_MODEL)
        ]
        place = places[-1] if places else ""
        return f"{place}decides by the values of the rows (an if, a loop, a size); choose with torch.where instead"
    lines = [line.strip() for line in _COLOUR.sub("", str(error)).splitlines() if line.strip()]
    if not lines:
        return type(error).__name__
    if "TorchScript interpreter" in lines[0]:  # a traceback follows, then the error
        return lines[-1].removeprefix("builtins.")
    return f"{type(error).__name__}: {lines[0]}"
