"""How long a row of a pipe waits for its answer: `iris predict -i -` beside a loop in Python, and cat, in turn.

Two producers: one waits for an answer before it sends the next row, the other sends a row each 0.3 ms.
Writes stream.md and stream.json, and prints the table.
"""

import json
import statistics
import subprocess
import threading
import time
from pathlib import Path

from environment import Place, peer
from measure import OURS

HEADER = b"sepal_length,sepal_width,petal_length,petal_width\n"
ROW = b"5.1,3.5,1.4,0.2\n"
PAUSE_S = 0.0003
PRODUCERS = {"one at a time": False, "a row each 0.3 ms": True}


def delays(command: list[str], rows: int, never_rests: bool) -> list[float]:
    """Seconds from each row's sending until its answer was read. Raises RuntimeError if answers are missing."""
    sent, read = [], []
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0) as process:
        answered = threading.Semaphore(0)

        def consume() -> None:
            lines = iter(process.stdout.readline, b"")
            next(lines, None)  # the header
            answered.release()
            for _ in lines:
                read.append(time.perf_counter())
                answered.release()

        reader = threading.Thread(target=consume)
        reader.start()
        process.stdin.write(HEADER)
        answered.acquire()
        for _ in range(rows):
            sent.append(time.perf_counter())
            process.stdin.write(ROW)
            if never_rests:
                time.sleep(PAUSE_S)
            elif not answered.acquire(timeout=60):
                break
        process.stdin.close()
        reader.join()
    if len(read) != rows:
        raise RuntimeError(f"{len(read)} answers to {rows} rows: {' '.join(command)}")
    return [end - start for start, end in zip(sent, read, strict=True)]


def run(place: Place, rows: int, rounds: int) -> dict[str, dict[str, dict[str, float]]]:
    """By producer and program: median_ms and longest_ms of all rounds."""
    commands = {
        OURS: [str(place.build / "iris"), "predict", str(place.model), "-i", "-"],
        "python + torch, line by line": peer(place.python, "stream_torch.py", place.model),
        "cat, which does nothing": ["cat"],
    }
    waits = {producer: {name: [] for name in commands} for producer in PRODUCERS}
    for _ in range(rounds):
        for producer, never_rests in PRODUCERS.items():
            for name, command in commands.items():
                waits[producer][name] += delays(command, rows, never_rests)
    return {
        producer: {
            name: {"median_ms": 1000 * statistics.median(each), "longest_ms": 1000 * max(each)}
            for name, each in programs.items()
        }
        for producer, programs in waits.items()
    }


def report(place: Place, results: Path, rows: int, rounds: int) -> None:
    found = run(place, rows, rounds)
    lines = []
    for producer, programs in found.items():
        lines += [f"### From a row to its answer, {producer}", ""]
        lines += ["| program | median, ms | / iris | longest, ms |", "|---|---|---|---|"]
        for name, each in programs.items():
            ratio = each["median_ms"] / programs[OURS]["median_ms"]
            lines.append(f"| {name} | {each['median_ms']:.3f} | {ratio:.3f} | {each['longest_ms']:.1f} |")
        lines.append("")
    text = "\n".join([*lines, f"{rounds} rounds in turn, {rows} rows each.", ""])
    (results / "stream.md").write_text(text)
    (results / "stream.json").write_text(json.dumps({"rows": rows, "rounds": rounds, "producers": found}, indent=2))
    print(text, flush=True)
