"""Scores a CSV data set with Ray Data: one `iris predict` process for each block of rows.

    python score.py model.pt rows answers --iris build/release/iris -- --probabilities

OUTPUT is a folder of CSV files: the rows, in order, each with its answer in columns at the end. A block is tried again
if its process fails or gives another number of answers than it was given rows. If no try ends well, the job fails with
the process's own words.
"""

import argparse
import io
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import ray

ONE_CORE = ["--workers", "1", "--threads", "1"]  # Ray runs a task for each core
SKIPPED_ROWS = 3  # the exit status after --on-error skip
TRIES = 4  # as in Spark


def predict(command: list[str], rows: pa.Table) -> pa.Table:
    """Streams a table through a process, as CSV. Returns its answers, a row for each row."""
    text = io.BytesIO()
    pyarrow.csv.write_csv(rows, text)
    process = subprocess.run(command, input=text.getbuffer(), capture_output=True)
    words = process.stderr.decode(errors="replace").strip()
    if process.returncode not in (0, SKIPPED_ROWS):
        status = process.returncode
        how = f"exit status {status}" if status >= 0 else f"ended by signal {-status}"
        raise RuntimeError(words or f"iris predict: {how}")
    if words:
        print(words, file=sys.stderr)
    answers = pyarrow.csv.read_csv(io.BytesIO(process.stdout))
    if answers.num_rows != rows.num_rows:
        raise RuntimeError(f"iris predict: {answers.num_rows} answers to {rows.num_rows} rows")
    return answers


def scorer(model: ray.ObjectRef, iris: str, options: list[str]) -> Callable[[pa.Table], pa.Table]:
    """What a task does with its block. `model` is the file's bytes, which every node gets once."""

    def score(rows: pa.Table) -> pa.Table:
        with tempfile.NamedTemporaryFile(suffix=".pt") as file:
            file.write(ray.get(model))
            file.flush()
            command = [iris, "predict", file.name, "-i", "-", "--output-format", "csv", *ONE_CORE, *options]
            answers = predict(command, rows)
        for name, column in zip(answers.column_names, answers.columns, strict=True):
            rows = rows.append_column(name, column)
        return rows

    return score


def run(options: argparse.Namespace) -> None:
    """Scores options.input into options.output."""
    ray.data.DataContext.get_current().execution_options.preserve_order = True
    model = ray.put(Path(options.model).read_bytes())
    rows = ray.data.read_csv(options.input)
    score = scorer(model, options.iris, options.predict)
    answered = rows.map_batches(
        score, batch_format="pyarrow", batch_size=None, max_retries=TRIES - 1, retry_exceptions=True
    )
    answered.write_csv(options.output)


def parser() -> argparse.ArgumentParser:
    """The command line, without what follows `--`."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [OPTION…] MODEL INPUT OUTPUT [-- OPTION OF iris predict…]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="a file, here; every node gets it")
    parser.add_argument("input", metavar="INPUT", help="CSV with a header: a file or a folder, here or at a URI")
    parser.add_argument("output", metavar="OUTPUT", help="the folder to make")
    parser.add_argument("--iris", default="iris", metavar="PROGRAM", help="where every node has it (iris, on the PATH)")
    return parser


def main() -> None:
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser().parse_args(sys.argv[1:split])
    options.predict = sys.argv[split + 1 :]
    run(options)


if __name__ == "__main__":
    main()
