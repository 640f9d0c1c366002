"""examples/spark/score.py: a partitioned data set through real Spark in local mode, as a user submits it."""

import csv
import importlib
import os
import random
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("pyspark", reason="PySpark is not installed: script/setup-extras --spark")
if not (os.environ.get("JAVA_HOME") or shutil.which("java")):
    pytest.skip("there is no Java: script/setup-extras --spark", allow_module_level=True)

TIMEOUT_S = 300
ROW = "5.1,3.5,1.4,0.2\n"
BAD = "5.1,3.5,abc,0.2\n"
QUIET = ["--conf", "spark.ui.enabled=false", "--conf", "spark.log.level=ERROR"]


@pytest.fixture(scope="module")
def binary(repo):
    return os.path.abspath(os.environ.get("IRIS_BINARY") or repo / "build/release/iris")


@pytest.fixture(scope="module")
def model(repo):
    return repo / "models/iris_net.pt"


@pytest.fixture
def score(repo, binary, tmp_path):
    """score(model, input, *args): submits the job. Returns the ended process and the output folder."""

    def call(model, input, *args):
        submit = [Path(sys.executable).with_name("spark-submit"), "--master", "local[2,4]", *QUIET]
        job = [repo / "examples/spark/score.py", "--iris", binary]
        environment = {**os.environ, "PYSPARK_PYTHON": sys.executable, "SPARK_LOCAL_IP": "127.0.0.1"}
        result = subprocess.run(
            [str(part) for part in [*submit, *job, model, input, tmp_path / "answers", *args]],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            env=environment,
        )
        return result, tmp_path / "answers"

    return call


def flowers(repo, count):
    """A header, and rows whose cells are drawn from the data's columns."""
    with open(repo / "data/iris.csv", newline="") as file:
        header, *rows = csv.reader(file)
    draw = random.Random(0)
    columns = [draw.choices(column, k=count) for column in list(zip(*rows, strict=True))[:4]]
    return ",".join(header[:4]) + "\n", [",".join(row) + "\n" for row in zip(*columns, strict=True)]


def write_parts(folder, header, rows, ends):
    """Writes a part for each end, each with the header; their lengths differ."""
    folder.mkdir()
    for number, (begin, end) in enumerate(zip([0, *ends], ends, strict=False)):
        (folder / f"part-{number}.csv").write_text(header + "".join(rows[begin:end]))
    return folder


def joined(folder):
    """All parts as one text, with the header of the first."""
    parts = [part.read_text() for part in sorted(folder.glob("part-*"))]
    return parts[0] + "".join(part.split("\n", 1)[1] for part in parts[1:])


def program(path, text):
    """A shell script in place of iris."""
    path.write_text("#!/bin/sh\n" + text)
    path.chmod(0o755)
    return str(path)


@pytest.fixture(scope="module")
def few(repo, iris, model):
    """10,000 rows, as a header and a list, and their answers."""
    header, rows = flowers(repo, 10_000)
    return header, rows, iris("predict", model, "-i", "-", input=header + "".join(rows)).stdout


def test_a_million_rows_in_four_partitions_are_answered_as_by_one_process(repo, iris, model, score, tmp_path):
    header, rows = flowers(repo, 1_000_000)
    ends = [200_001, 450_000, 700_123, 1_000_000]
    result, answers = score(model, write_parts(tmp_path / "rows", header, rows, ends), "--", "--probabilities")
    assert result.returncode == 0, result.stderr
    begins = [0, *ends]
    for number, part in enumerate(sorted(answers.glob("part-*"))):
        assert part.read_text().count("\n") == 1 + begins[number + 1] - begins[number]
    (tmp_path / "all.csv").write_text(header + "".join(rows))
    expected = iris("predict", model, "-i", tmp_path / "all.csv", "--probabilities").stdout
    assert joined(answers) == expected


def test_the_partitions_of_killed_processes_are_tried_again(model, binary, score, few, tmp_path):
    header, rows, expected = few
    twice = program(
        tmp_path / "twice",
        f"""
if mkdir '{tmp_path}/iris' 2>/dev/null; then head -n 1000 | '{binary}' "$@"; kill -KILL $$; fi
if mkdir '{tmp_path}/worker' 2>/dev/null; then head -n 1000 | '{binary}' "$@"; kill -KILL $PPID; fi
exec '{binary}' "$@"
""",
    )
    folder = write_parts(tmp_path / "rows", header, rows, [2_500, 5_000, 7_500, 10_000])
    result, answers = score(model, folder, "--iris", twice)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "iris").is_dir() and (tmp_path / "worker").is_dir()
    assert "iris predict: ended by signal 9" in result.stderr
    assert joined(answers) == expected


def test_a_bad_row_fails_the_job_with_the_program_s_words(model, score, few, tmp_path):
    header, rows, _ = few
    bad = [*rows[:7_000], BAD, *rows[7_000:]]
    result, answers = score(model, write_parts(tmp_path / "rows", header, bad, [5_000, 10_001]))
    assert result.returncode == 1
    assert 'partition 1: iris: error: stdin:2002: petal_length: not a number: "abc"' in result.stderr
    assert not list(answers.glob("part-*")) and not (answers / "_SUCCESS").exists()


def test_one_file_is_split_and_the_program_travels_in_an_archive(model, binary, score, few, tmp_path):
    _, rows, expected = few
    (tmp_path / "rows.csv").write_text("".join(rows))
    (tmp_path / "iris/bin").mkdir(parents=True)
    program(tmp_path / "iris/bin/iris", f"""exec '{binary}' "$@"\n""")
    archive = shutil.make_archive(str(tmp_path / "program"), "gztar", tmp_path / "iris")
    result, answers = score(model, tmp_path / "rows.csv", "--no-header", "--partitions", 4, "--archive", archive)
    assert result.returncode == 0, result.stderr
    assert len(list(answers.glob("part-*"))) >= 4
    assert joined(answers) == expected


def test_an_unknown_model_fails_the_job(score, few, tmp_path):
    header, rows, _ = few
    result, answers = score(tmp_path / "nosuch.pt", write_parts(tmp_path / "rows", header, rows, [10_000]))
    assert result.returncode == 1
    assert "nosuch.pt" in result.stdout + result.stderr  # spark-submit joins the program's two streams
    assert not answers.exists()


# What a task does, without Spark.


@pytest.fixture
def predict(repo, monkeypatch):
    monkeypatch.syspath_prepend(repo / "examples/spark")
    yield importlib.import_module("score").predict
    del sys.modules["score"]


def lines_of(text):
    return text.encode().splitlines()


def test_a_task_keeps_the_places_of_skipped_rows(binary, model, predict, capsys):
    command = [binary, "predict", model, "-i", "-", "--on-error", "skip"]
    answers = list(predict(command, None, iter(lines_of(ROW + BAD + ROW))))
    assert answers == [b"label,confidence", answers[1], b",", answers[1]]
    assert "iris: 1 of 3 rows" in capsys.readouterr().err


def test_a_task_fails_where_answers_are_lost(predict, tmp_path):
    with pytest.raises(RuntimeError, match="iris predict: 9 answers to 10 rows$"):
        list(predict([program(tmp_path / "losing", "sed 5d")], b"header", iter(lines_of(10 * ROW))))


def test_a_task_fails_where_its_process_stops_reading(predict, tmp_path):
    with pytest.raises(BrokenPipeError):
        list(predict([program(tmp_path / "early", "head -n 1")], b"header", iter(lines_of(100_000 * ROW))))


def test_a_task_fails_where_its_process_is_killed(predict, tmp_path):
    with pytest.raises(RuntimeError, match="iris predict: ended by signal 9$"):
        list(predict([program(tmp_path / "killed", "kill -KILL $$")], b"header", iter(lines_of(100_000 * ROW))))


def test_a_task_fails_where_its_rows_break_off(predict, binary, model):
    def rows():
        yield from lines_of(10 * ROW)
        raise OSError("the block is lost")

    with pytest.raises(OSError, match="the block is lost"):
        list(predict([binary, "predict", model, "-i", "-"], None, rows()))


def test_a_task_that_is_cancelled_ends_its_process(predict, tmp_path):
    answers = predict([program(tmp_path / "slow", "echo $$; exec sleep 600")], b"header", iter(lines_of(100_000 * ROW)))
    process = int(next(answers))
    answers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
