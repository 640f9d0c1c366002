"""What the tests of both trainings share."""

from pathlib import Path

import pytest


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
