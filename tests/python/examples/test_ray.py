"""examples/ray/score.py: a data set through Ray Data on this machine, as a user runs it."""

import csv
import os
import subprocess
import sys

import pytest

pytest.importorskip("ray.data", reason="Ray Data is not installed: script/setup-extras --ray")

TIMEOUT_S = 300
COLUMNS = ["sepal_length", "sepal_width", "petal_length", "petal_width"]


@pytest.fixture(scope="module")
def binary(repo):
    return os.path.abspath(os.environ.get("IRIS_BINARY") or repo / "build/release/iris")


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


@pytest.fixture
def score(repo, model, tmp_path):
    """score(input, iris): runs the job. Returns the ended process and the output folder."""

    def call(input, iris):
        result = subprocess.run(
            [sys.executable, repo / "examples/ray/score.py", model, input, tmp_path / "answers", "--iris", iris],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env={**os.environ, "RAY_USAGE_STATS_ENABLED": "0"},
        )
        return result, tmp_path / "answers"

    return call


@pytest.fixture(scope="module")
def flowers(repo):
    """The rows of the data, as lists of four cells, in four unequal parts."""
    with open(repo / "data/iris.csv", newline="") as file:
        rows = [row[:4] for row in csv.reader(file)][1:]
    return [rows[:20], rows[20:70], rows[70:71], rows[71:]]


def write_parts(folder, parts):
    folder.mkdir()
    for number, rows in enumerate(parts):
        with open(folder / f"part-{number}.csv", "w", newline="") as file:
            csv.writer(file).writerows([COLUMNS, *rows])
    return folder


def test_each_row_has_its_answer_and_a_killed_process_s_block_is_tried_again(
    iris, model, binary, flowers, score, tmp_path
):
    once = tmp_path / "once"
    once.write_text(f"""#!/bin/sh
if mkdir '{tmp_path}/killed' 2>/dev/null; then head -n 10 | '{binary}' "$@"; kill -KILL $$; fi
exec '{binary}' "$@"
""")
    once.chmod(0o755)
    result, answers = score(write_parts(tmp_path / "rows", flowers), once)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "killed").is_dir()
    rows = [row for part in flowers for row in part]
    lines = "".join(",".join(row) + "\n" for row in rows)
    expected = list(csv.DictReader(iris("predict", model, "-i", "-", input=lines).stdout.splitlines()))
    written = []
    for part in sorted(answers.glob("*.csv")):
        with open(part, newline="") as file:
            written += csv.DictReader(file)
    assert [[float(row[name]) for name in COLUMNS] for row in written] == [
        [float(cell) for cell in row] for row in rows
    ]
    assert [row["label"] for row in written] == [row["label"] for row in expected]
    assert [float(row["confidence"]) for row in written] == [float(row["confidence"]) for row in expected]


def test_a_bad_row_fails_the_job_with_the_program_s_words(binary, flowers, score, tmp_path):
    bad = [*flowers[:3], [["5.1", "3.5", "abc", "0.2"], *flowers[3]]]
    result, answers = score(write_parts(tmp_path / "rows", bad), binary)
    assert result.returncode == 1
    assert 'iris: error: stdin:2: petal_length: not a number: "abc"' in result.stderr
