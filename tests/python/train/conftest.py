"""What the tests of both trainings share."""

import os
import signal
from pathlib import Path

import pytest

from iris_export.training import Training


@pytest.fixture
def csv_file(tmp_path):
    def write(text: str | bytes, name: str = "data.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


@pytest.fixture
def iris_train(repo, iris, tmp_path):
    """iris_train(*args, data=…, output=…): runs iris train in tmp_path; the model is model.pt there."""

    def call(*args, data=repo / "data/iris.csv", output="model.pt"):
        return iris("train", data, "-o", output, *args, cwd=tmp_path)

    return call


@pytest.fixture
def interrupt_after(monkeypatch):
    """interrupt_after(N, SIGNAL): sends it to this process once N batches more have been trained."""
    left, signal_to_send, run_epoch = 0, signal.SIGINT, Training.run_epoch

    def call(batches: int, number: int = signal.SIGINT) -> None:
        nonlocal left, signal_to_send
        left, signal_to_send = batches, number

    def counting(self, interrupted) -> bool:
        def after_batch() -> bool:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal_to_send)
            return interrupted()

        return run_epoch(self, after_batch)

    monkeypatch.setattr(Training, "run_epoch", counting)
    return call
