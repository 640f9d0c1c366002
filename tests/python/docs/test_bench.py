"""script/bench in small: what it measures and prints, never how fast."""

import json
import os
import sys
from pathlib import Path

import pytest
from commands import REPO, run

BUILD = Path(os.environ.get("IRIS_BINARY") or REPO / "build" / "release" / "iris").absolute().parent
SECTIONS = [
    "CSV of one decimal to label and confidence, 2,000 rows",
    "CSV of two decimals to label and confidence, 2,000 rows",
    "CSV of six digits to label and confidence, 2,000 rows",
    "CSV of 15 decimals to label and confidence, 400 rows",
    "CSV to all probabilities, 2,000 rows",
    "CSV to NDJSON of label and confidence, 2,000 rows",
    "NDJSON to label and confidence, 400 rows",
]


def bench(results: Path, *args: str):
    script = str(REPO / "tests" / "bench" / "bench.py")
    return run([sys.executable, script, str(BUILD), *args, "--small", "--no-peers", "--results", str(results)])


def test_many_rows_are_a_table_for_each_task(tmp_path):
    done = bench(tmp_path, "rows", "--rows", "2000")
    assert done.returncode == 0, done.stderr
    assert [line[4:] for line in done.stdout.splitlines() if line.startswith("### ")] == SECTIONS
    assert done.stdout.count(
        "| program | wall, s | / iris | CPU, s | peak MiB |\n|---|---|---|---|---|\n| iris | "
    ) == len(SECTIONS)
    assert (tmp_path / "rows.md").read_text() == done.stdout.removesuffix("\n")
    for section in json.loads((tmp_path / "rows.json").read_text())["sections"]:
        assert section["ratios"] == {"iris": 1.0}
        assert all(section["medians"]["iris"][figure] > 0 for figure in ("wall_s", "cpu_s", "peak_mib"))


def test_one_sample_is_compared_with_python(tmp_path):
    done = bench(tmp_path, "sample")
    assert done.returncode == 0, done.stderr
    (section,) = json.loads((tmp_path / "sample.json").read_text())["sections"]
    assert {"iris", "python + torch"} <= section["ratios"].keys()
    assert section["ratios"].keys() == section["medians"].keys()


def test_a_net_of_real_size_is_timed_too(tmp_path):
    done = bench(tmp_path, "wide")
    assert done.returncode == 0, done.stderr
    (section,) = json.loads((tmp_path / "wide.json").read_text())["sections"]
    assert section["name"] == "CSV of 13 numbers through 13→512→512→10 (TorchScript), 2,000 rows"
    assert section["ratios"]["iris"] == 1.0


def test_a_rows_wait_is_compared_with_a_loops_in_python(tmp_path):
    done = bench(tmp_path, "stream", "--rounds", "1")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stdout.splitlines() if line.startswith("### ")] == [
        "### From a row to its answer, one at a time",
        "### From a row to its answer, a row each 0.3 ms",
    ]
    for programs in json.loads((tmp_path / "stream.json").read_text())["producers"].values():
        assert list(programs) == ["iris", "python + torch, line by line", "cat, which does nothing"]
        assert all(0 < each["median_ms"] <= each["longest_ms"] for each in programs.values())


def test_one_task_can_be_chosen(tmp_path):
    done = bench(tmp_path, "rows", "--rows", "10", "--task", "six digits", "--peer", "polars")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("### ") == 1


@pytest.mark.parametrize(("option", "last"), [("--task", SECTIONS[-1].split(",")[0]), ("--peer", "scikit-learn")])
def test_what_is_not_measured_cannot_be_chosen(tmp_path, option, last):
    done = bench(tmp_path, "rows", option, "nosuch")
    assert done.returncode == 2
    assert f"{option}: nosuch is in none of: " in done.stderr
    assert done.stderr.endswith(f"{last}\n")


def test_nothing_but_the_results_is_left(tmp_path):
    assert bench(tmp_path, "rows", "--rows", "10").returncode == 0
    assert sorted(file.name for file in tmp_path.iterdir()) == ["rows.json", "rows.md"]


def bench_of(build: Path, model: Path) -> list[str]:
    """The bench's command on a build whose `iris train DATA -o OUT` only copies that model."""
    build.mkdir()
    program = build / "iris"
    program.write_text(f'#!/bin/sh\ncp "{model}" "$4"\n')
    program.chmod(0o755)
    script, results = str(REPO / "tests/bench/bench.py"), str(build / "results")
    return [sys.executable, script, str(build), "train", "--small", "--results", results]


def test_training_is_compared_with_the_same_and_the_textbooks_loop_in_python(in_process, tmp_path):
    model = tmp_path / "model.pt"
    assert in_process("train.py", REPO / "data/iris.csv", "-o", model, "--epochs", 5, "-q").returncode == 0
    done = run(bench_of(tmp_path / "build", model))
    assert done.returncode == 0, done.stderr
    (section,) = json.loads((tmp_path / "build/results/train.json").read_text())["sections"]
    assert section["name"] == "Training, 5 epochs, start-up included"
    assert list(section["ratios"]) == ["iris", "python_export/train.py", "python, the textbooks' loop"]
    assert all(each["wall_s"] > 0 and each["peak_mib"] > 0 for each in section["medians"].values())


def test_training_that_ends_in_other_tensors_is_not_compared(tmp_path):
    done = run(bench_of(tmp_path / "build", REPO / "models/iris_net.pt"))
    assert done.returncode == 1
    assert "iris train and python_export/train.py do not end in the same tensors" in done.stderr


@pytest.mark.parametrize("option", ["--rows", "--rounds", "--size-mib"])
def test_refuses_a_count_of_nothing(tmp_path, option):
    done = bench(tmp_path, option, "0")
    assert done.returncode == 2
    assert f"{option}: must be a whole number above 0, got 0" in done.stderr
