"""Times iris beside its peers, in turn, in one run; prints medians, ratios and peak memory."""

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import rows
import sample
import state_dict
import stream
import wide
from environment import HERE, Place, peers_python, pins
from measure import report

import train

BENCHES = ("state_dict", "sample", "rows", "wide", "stream", "train")
WITHOUT_CHART = ("state_dict", "stream")


def main() -> None:
    options = parser().parse_args()
    results = options.results or options.build.parent / "bench"
    results.mkdir(parents=True, exist_ok=True)
    results, chosen = results.resolve(), BENCHES if options.bench == "all" else (options.bench,)
    peers, versions = None, ""
    if not options.no_peers and {"sample", "rows", "wide"} & set(chosen):
        peers = peers_python(results / "venv")
        versions = ", ".join(pin.replace("==", " ") for pin in pins() if not pin.startswith("matplotlib"))

    small, rounds = options.small, options.rounds
    with tempfile.TemporaryDirectory(dir=results) as folder:  # on disk, as /tmp may be memory
        place = Place(options.build, Path(folder), Path(sys.executable), peers)
        if "state_dict" in chosen:
            state_dict.report(place, results, options.size_mib or (8 if small else 1024), rounds or (1 if small else 7))
        if "sample" in chosen:
            times = rounds or (1 if small else 15)
            report(results, "sample", [sample.run(place, times)], times, versions, digits=3)
        if "rows" in chosen:
            times, count = rounds or (1 if small else 5), options.rows or (20_000 if small else 10_000_000)
            sections = rows.run(place, count, times, options.task, options.peer)
            report(results, "rows", sections, times, versions, digits=2)
        if "wide" in chosen:
            times, count = rounds or (1 if small else 5), (options.rows or (20_000 if small else 10_000_000)) // 10
            report(results, "wide", [wide.run(place, count, times)], times, versions, digits=2)
        if "stream" in chosen:
            stream.report(place, results, 200 if small else 2000, rounds or (1 if small else 3))
        if "train" in chosen:
            times, epochs = rounds or (1 if small else 7), 5 if small else 200
            report(results, "train", [train.run(place, epochs, times)], times, "", digits=2)
    compared = [str(results / f"{bench}.json") for bench in chosen if bench not in WITHOUT_CHART]
    if peers and compared:
        chart = options.chart or results / "bench.svg"
        if subprocess.run([str(peers), str(HERE / "chart.py"), str(chart), *compared]).returncode != 0:
            print("bench: no chart is drawn", file=sys.stderr)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="script/bench", description=__doc__, allow_abbrev=False)
    result.add_argument("build", type=Path, help="the build folder, with iris and tests/bench in it")
    result.add_argument("bench", nargs="?", choices=(*BENCHES, "all"), default="all")
    result.add_argument("--rows", type=positive, metavar="N")
    result.add_argument("--task", type=part_of([task.name for task in rows.TASKS]), default="", metavar="WORDS")
    result.add_argument("--peer", type=part_of(list(rows.PEERS)), default="", metavar="WORDS")
    result.add_argument("--rounds", type=positive, metavar="N")
    result.add_argument("--size-mib", type=positive, metavar="N")
    result.add_argument("--small", action="store_true")
    result.add_argument("--no-peers", action="store_true")
    result.add_argument("--chart", type=Path, metavar="FILE.svg")
    result.add_argument("--results", type=Path, metavar="FOLDER")
    return result


def part_of(names: list[str]) -> Callable[[str], str]:
    """The type of an argument that chooses the names which hold it."""

    def checked(words: str) -> str:
        if not any(words in name for name in names):
            raise argparse.ArgumentTypeError(f"{words} is in none of: {'; '.join(names)}")
        return words

    return checked


def positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text}")
    return int(text)


if __name__ == "__main__":
    main()
