"""Times examples/spark on Spark in local mode beside the plain program: rows per second and core, in one run.

Spark's figure is of the jobs alone, in a running application, as Spark's start takes seconds of its own. Beside it
Spark's own work is timed: the same rows through Python and back into files, with no iris.
Writes build/bench/spark.md and .json, and prints the table.
"""

import argparse
import csv
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

REPO = Path(__file__).resolve().parent.parent.parent
MODEL = REPO / "models/iris_net.pt"

sys.path.insert(0, str(REPO / "examples/spark"))


def write_rows(folder: Path, count: int, parts: int) -> None:
    """Writes rows whose cells are drawn from the data's columns, as CSV files with a header."""
    with open(REPO / "data/iris.csv", newline="") as file:
        header, *rows = csv.reader(file)
    draw = random.Random(0)
    columns = [draw.choices(column, k=count) for column in list(zip(*rows, strict=True))[:4]]
    lines = [",".join(row) + "\n" for row in zip(*columns, strict=True)]
    folder.mkdir()
    for number in range(parts):
        part = lines[count * number // parts : count * (number + 1) // parts]
        (folder / f"part-{number}.csv").write_text(",".join(header[:4]) + "\n" + "".join(part))


def plain(iris: Path, rows: Path, out: Path) -> None:
    """One process with one worker, a file after the other."""
    out.mkdir()
    for part in sorted(rows.iterdir()):
        command = [iris, "predict", MODEL, "-i", part, "-o", out / part.name, "--workers", "1", "--threads", "1"]
        subprocess.run(command, check=True)


def measure(jobs: dict[str, Callable[[Path], None]], folder: Path, rounds: int) -> dict[str, float]:
    """Runs every job once per round, in turn. Returns the median seconds of each."""
    seconds: dict[str, list[float]] = {name: [] for name in jobs}
    for round_number in range(rounds + 1):  # the first warms up
        for name, job in jobs.items():
            start = time.perf_counter()
            job(folder / "answers")
            if round_number > 0:
                seconds[name].append(time.perf_counter() - start)
            shutil.rmtree(folder / "answers")
    return {name: statistics.median(each) for name, each in seconds.items()}


def run(iris: Path, count: int, cores: int, parts: int, rounds: int) -> dict[str, dict[str, float]]:
    """Returns by name the wall time in s, the cores and the rows per second and core."""
    from pyspark import SparkConf, SparkContext
    from score import scorer

    os.environ["PYSPARK_PYTHON"] = sys.executable
    settings = {"spark.ui.enabled": "false", "spark.ui.showConsoleProgress": "false", "spark.log.level": "ERROR"}
    conf = SparkConf().setMaster(f"local[{cores}]").setAll(list(settings.items()))
    with (
        tempfile.TemporaryDirectory(dir=iris.parent.parent / "bench") as name,
        SparkContext(appName="bench", conf=conf) as spark,
    ):
        folder = Path(name)
        write_rows(folder / "rows", count, parts)
        spark.addFile(str(MODEL))
        spark.addPyFile(str(REPO / "examples/spark/score.py"))
        lines = spark.textFile(f"{folder}/rows/*", use_unicode=False)
        score = scorer(lines.first(), MODEL.name, str(iris), None, [])
        jobs = {
            "iris predict --workers 1": (1, lambda out: plain(iris, folder / "rows", out)),
            "examples/spark": (cores, lambda out: lines.mapPartitions(score).saveAsTextFile(str(out))),
            "Spark alone, no iris": (cores, lambda out: lines.mapPartitions(iter).saveAsTextFile(str(out))),
        }
        medians = measure({name: job for name, (_, job) in jobs.items()}, folder, rounds)
    return {
        name: {"wall_s": wall, "cores": jobs[name][0], "rows_per_core_s": count / wall / jobs[name][0]}
        for name, wall in medians.items()
    }


def table(results: dict[str, dict[str, float]], count: int, parts: int, rounds: int) -> str:
    """The results as Markdown."""
    lines = [
        f"{count} rows in {parts} files, medians of {rounds} rounds in turn:",
        "",
        "| program | cores | wall, s | rows/s per core |",
        "|---|---|---|---|",
    ]
    lines += [
        f"| {name} | {each['cores']} | {each['wall_s']:.2f} | {each['rows_per_core_s']:,.0f} |"
        for name, each in results.items()
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="the build folder, with iris in it")
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--cores", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--parts", type=int, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    try:
        import pyspark  # noqa: F401
    except ImportError:
        print("spark: not measured: PySpark is not installed: script/setup-extras --spark")
        return
    folder = options.build.resolve().parent / "bench"
    folder.mkdir(exist_ok=True)
    results = run(options.build.resolve() / "iris", options.rows, options.cores, options.parts, options.rounds)
    text = table(results, options.rows, options.parts, options.rounds)
    (folder / "spark.md").write_text(text)
    (folder / "spark.json").write_text(json.dumps({"rows": options.rows, "results": results}, indent=2))
    print(text, end="")


if __name__ == "__main__":
    main()
