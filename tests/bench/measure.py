"""What the benchmarks share: whole processes measured in turn, and the table and JSON made of them."""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

OURS = "iris"


@dataclass
class Figures:
    """What a process took. The peak is of resident memory, touched pages of mapped files included.

    Linux carries the peak of the starting process over, so the benchmarks themselves stay small: no numpy, no torch.
    """

    wall_s: float
    cpu_s: float
    peak_mib: float


@dataclass
class Section:
    """One comparison: for each program the medians and the ratio to ours, or why it is left out."""

    name: str
    medians: dict[str, Figures] = field(default_factory=dict)
    ratios: dict[str, float] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def measure(command: list[str]) -> Figures:
    """Runs a command, its output thrown away. Raises RuntimeError if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"exit status {process.returncode}: {' '.join(command)}")
    return Figures(wall_s, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def in_turn(
    commands: Mapping[str, list[str]], rounds: int, clean: Callable[[], None] = lambda: None
) -> dict[str, list[Figures]]:
    """Runs every command once per round, in turn, and `clean` after each run.

    A first round warms up and is not counted, unless only one round is asked for.
    """
    figures: dict[str, list[Figures]] = {name: [] for name in commands}
    for round_number in range(0 if rounds > 1 else 1, rounds + 1):
        for name, command in commands.items():
            each = measure(command)
            clean()
            if round_number > 0:
                figures[name].append(each)
    return figures


def median(figures: list[Figures]) -> Figures:
    """The median of each figure by itself."""
    return Figures(*(statistics.median(getattr(each, name) for each in figures) for name in Figures.__annotations__))


def compare(
    section: Section, commands: Mapping[str, list[str]], rounds: int, clean: Callable[[], None] = lambda: None
) -> None:
    """Fills in the section. A ratio is the median of the rounds' own ratios, because a machine's speed drifts."""
    figures = in_turn(commands, rounds, clean)
    section.medians = {name: median(each) for name, each in figures.items()}
    section.ratios = {
        name: statistics.median(theirs.wall_s / ours.wall_s for theirs, ours in zip(each, figures[OURS], strict=True))
        for name, each in figures.items()
    }


def try_out(section: Section, commands: dict[str, list[str]]) -> dict[str, str]:
    """Runs each command once; those that fail move to `left_out`. Returns what the others print.

    Raises RuntimeError where ours fails.
    """
    printed = {}
    for name, command in list(commands.items()):
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)
            reason = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        except FileNotFoundError:
            done, reason = None, "is not there"
        if done and done.returncode == 0:
            printed[name] = done.stdout
        elif name == OURS:
            raise RuntimeError(f"{section.name}: {' '.join(command)}: {reason}")
        else:
            section.left_out[name] = reason
            del commands[name]
    return printed


def table(section: Section, digits: int) -> str:
    """The section as Markdown, the fastest first; wall time with `digits` digits after the point."""
    lines = [f"### {section.name}", ""]
    if section.medians:
        lines += ["| program | wall, s | / iris | CPU, s | peak MiB |", "|---|---|---|---|---|"]
    for name, ratio in sorted(section.ratios.items(), key=lambda item: item[1]):
        each = section.medians[name]
        numbers = f"{each.wall_s:.{digits}f} | {ratio:.2f} | {each.cpu_s:.{digits}f} | {each.peak_mib:.0f}"
        lines.append(f"| {name} | {numbers} |")
    if section.left_out:
        lines += ["", *(f"- left out: {name}: {reason}" for name, reason in section.left_out.items())]
    return "\n".join(lines) + "\n"


def report(results: Path, bench: str, sections: list[Section], rounds: int, versions: str, digits: int) -> None:
    """Writes BENCH.md and BENCH.json into `results`, and prints the Markdown."""
    cores = len(os.sched_getaffinity(0))
    text = "\n".join(table(section, digits) for section in sections)
    conditions = f"Medians; rounds in turn: {rounds}; {cores} cores"
    text += f"\n{conditions}; {versions}.\n" if versions else f"\n{conditions}.\n"
    (results / f"{bench}.md").write_text(text, encoding="utf-8")
    content = {"rounds": rounds, "cores": cores, "versions": versions, "sections": [asdict(each) for each in sections]}
    (results / f"{bench}.json").write_text(json.dumps(content, indent=2), encoding="utf-8")
    print(text, flush=True)
