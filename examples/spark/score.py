"""Scores a partitioned CSV data set: one `iris predict` process for each Spark task.

    spark-submit --master 'local[2,4]' score.py model.pt 'rows/*.csv' answers -- --probabilities

Each part of OUTPUT holds the answers to one partition of INPUT: a header and a line for each row, in order. A task
fails if its process fails or gives another number of answers than it was given rows. The error has the process's own
words.
"""

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import chain
from typing import IO

from pyspark import SparkContext, SparkFiles, TaskContext

ONE_CORE = ["--workers", "1", "--threads", "1"]  # Spark runs a task for each core
SKIPPED_ROWS = 3  # the exit status after --on-error skip

Score = Callable[[Iterator[bytes]], Iterator[bytes]]


def feed(stdin: IO[bytes], header: bytes | None, rows: Iterator[bytes]) -> int:
    """Writes the header and the rows, a line each, and closes. Returns the number of rows."""
    count = 0
    with stdin:
        if header is not None:
            stdin.write(header + b"\n")
        for row in rows:
            stdin.write(row + b"\n")
            count += 1
    return count


def predict(command: list[str], header: bytes | None, rows: Iterator[bytes]) -> Iterator[bytes]:
    """Streams rows of CSV through a process. Yields its lines: a header, then an answer to each row, in order.

    Raises at the end if the process failed or the numbers of answers and rows differ. Spark keeps the output of a task
    only if the task ends well, so nothing of that partition stays.
    """
    with (
        tempfile.TemporaryFile() as stderr,
        ThreadPoolExecutor(max_workers=1) as feeder,  # so that neither pipe waits for the other
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=stderr) as process,
    ):
        fed = feeder.submit(feed, process.stdin, header, rows)
        try:
            lines = 0
            for line in process.stdout:
                yield line.rstrip(b"\n")
                lines += 1
            status = process.wait()
        finally:
            process.kill()  # if the task was cancelled; otherwise it has ended
            wait([fed])
        stderr.seek(0)
        words = stderr.read().decode(errors="replace").strip()
        if status not in (0, SKIPPED_ROWS):
            raise RuntimeError(words or f"iris predict: {how_it_ended(status)}")
        if words:
            print(words, file=sys.stderr)
        if fed.result() != lines - 1:
            raise RuntimeError(f"iris predict: {lines - 1} answers to {fed.result()} rows")


def how_it_ended(status: int) -> str:
    return f"exit status {status}" if status >= 0 else f"ended by signal {-status}"


def unpacked(folder: str) -> list[str]:
    """The command of an iris that was packed with the libraries it needs."""
    return ["env", f"LD_LIBRARY_PATH={folder}/lib", f"{folder}/bin/iris"]


def scorer(header: bytes | None, model: str, program: str, archive: str | None, options: list[str]) -> Score:
    """What a task does with its partition. Spark gives `model` and `archive` to every node under these names."""

    def score(lines: Iterator[bytes]) -> Iterator[bytes]:
        iris = unpacked(SparkFiles.get(archive)) if archive else [program]
        command = [*iris, "predict", SparkFiles.get(model), "-i", "-", "--output-format", "csv", *ONE_CORE, *options]
        rows = filter(None, lines)  # blank lines are not rows
        first = next(rows, None)
        if first is not None and first != header:  # a file begins with the header, a file's later parts do not
            rows = chain([first], rows)
        try:
            yield from predict(command, header, rows)
        except Exception as error:
            raise RuntimeError(f"partition {TaskContext.get().partitionId()}: {error}") from None

    return score


def run(options: argparse.Namespace) -> None:
    """Scores options.input into options.output."""
    spark = SparkContext(appName="iris predict")
    spark.addFile(options.model)
    if options.archive:
        spark.addArchive(options.archive)
    # A local folder is listed in any order, a pattern by name.
    pattern = f"{options.input}/*" if os.path.isdir(options.input) else options.input
    lines = spark.textFile(pattern, options.partitions, use_unicode=False)
    header = lines.filter(bool).first() if options.header else None
    names = (os.path.basename(options.model), options.iris, options.archive and os.path.basename(options.archive))
    lines.mapPartitions(scorer(header, *names, options.predict)).saveAsTextFile(options.output)


def parser() -> argparse.ArgumentParser:
    """The command line, without what follows `--`."""
    parser = argparse.ArgumentParser(
        usage="%(prog)s [OPTION…] MODEL INPUT OUTPUT [-- OPTION OF iris predict…]",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("model", metavar="MODEL", help="a file, here or at a URI that Spark reads; every node gets it")
    parser.add_argument("input", metavar="INPUT", help="CSV: a file, a folder of files or a pattern")
    parser.add_argument("output", metavar="OUTPUT", help="the folder to make: part-00000, part-00001, …")
    parser.add_argument("--iris", default="iris", metavar="PROGRAM", help="where every node has it (iris, on the PATH)")
    parser.add_argument(
        "--archive", metavar="FILE.tar.gz", help="bin/iris and lib: every node gets them and runs that iris"
    )
    parser.add_argument("--no-header", dest="header", action="store_false", help="the files begin with a row")
    parser.add_argument("--partitions", type=int, default=1, metavar="N", help="at least N, large files are split")
    return parser


def main() -> None:
    split = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser().parse_args(sys.argv[1:split])
    options.predict = sys.argv[split + 1 :]
    run(options)


if __name__ == "__main__":
    main()
