"""Times reading, inspecting and converting a large state_dict beside Python's loaders and cp, in turn, in one run.

Whole processes: wall time and peak resident memory (which counts mapped pages that were touched), of each the median.
Writes build/bench/state_dict.md and .json, and prints the table.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MIB = 1 << 20

MAKE = """
import sys, torch, safetensors.torch
tensors = int(sys.argv[2])
numel = int(sys.argv[3]) * (1 << 20) // 4 // tensors
state_dict = {f"layer{i}.weight": torch.randn(numel) for i in range(tensors)}
torch.save(state_dict, sys.argv[1] + "/model.pt")
safetensors.torch.save_file(state_dict, sys.argv[1] + "/model.safetensors")
"""
PYTHON_LOAD = "import sys, torch; torch.load(sys.argv[1], weights_only=True)"
PYTHON_MMAP = "import sys, torch; torch.load(sys.argv[1], weights_only=True, mmap=True)"
PYTHON_SAFETENSORS = "import sys, safetensors.torch; safetensors.torch.load_file(sys.argv[1])"


def measure(command: list[str]) -> tuple[float, float]:
    """Runs a command. Returns its wall time in ms and its peak resident memory in MiB. Raises if it fails."""
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    elapsed = (time.perf_counter() - start) * 1000
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"exit status {process.returncode}: {' '.join(command)}")
    return elapsed, usage.ru_maxrss / 1024


def run(build: Path, folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Runs every command once per round, in turn. Returns medians by name: wall_ms, peak_mib."""
    model, safetensors = str(folder / "model.pt"), str(folder / "model.safetensors")
    iris, out = str(build / "iris"), str(folder / "out.pt")
    copy_and_sync = ["sh", "-c", 'cp "$1" "$2" && sync "$2"', "sh", model, str(folder / "copy.pt")]
    commands = {
        "LibTorch program that just returns": [str(build / "tests/bench/bench_empty")],
        "iris::read_state_dict, mapped": [str(build / "tests/bench/bench_read"), model],
        "iris inspect": [iris, "inspect", model],
        "python torch.load": [sys.executable, "-c", PYTHON_LOAD, model],
        "python torch.load, mmap=True": [sys.executable, "-c", PYTHON_MMAP, model],
        "python safetensors": [sys.executable, "-c", PYTHON_SAFETENSORS, safetensors],
        "cp": ["cp", model, str(folder / "copy.pt")],
        "cp, and sync of the copy": copy_and_sync,
        "iris convert to .pt (syncs)": [iris, "convert", model, out],
        "iris convert to .safetensors (syncs)": [iris, "convert", model, str(folder / "out.safetensors")],
    }
    samples: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for round_number in range(rounds + 1):  # the first warms up
        for name, command in commands.items():
            sample = measure(command)
            if round_number > 0:
                samples[name].append(sample)
            for written in folder.glob("out.*"), folder.glob("copy.*"):
                for file in written:
                    file.unlink()
    return {
        name: {"wall_ms": statistics.median(s[0] for s in each), "peak_mib": statistics.median(s[1] for s in each)}
        for name, each in samples.items()
    }


def table(medians: dict[str, dict[str, float]], size_mib: float, rounds: int) -> str:
    """The medians as Markdown, with the ratios that the goals are about."""
    lines = [
        f"State_dict of {size_mib:.0f} MiB, medians of {rounds} rounds in turn:",
        "",
        "| program | wall, ms | peak MiB |",
        "|---|---|---|",
    ]
    lines += [f"| {name} | {each['wall_ms']:.0f} | {each['peak_mib']:.0f} |" for name, each in medians.items()]
    wall = {name: each["wall_ms"] for name, each in medians.items()}
    mapped = wall["iris::read_state_dict, mapped"] - wall["LibTorch program that just returns"]
    convert = wall["iris convert to .pt (syncs)"]
    over_size = medians["iris convert to .pt (syncs)"]["peak_mib"] - size_mib
    lines += [
        "",
        f"- mapped read over an empty LibTorch program: {mapped:+.1f} ms",
        f"- convert / cp: {convert / wall['cp']:.2f}; convert / (cp and sync): "
        f"{convert / wall['cp, and sync of the copy']:.2f}",
        f"- convert's peak over the file's size: {over_size:+.0f} MiB",
    ]
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=Path, help="the build folder, with iris and tests/bench in it")
    parser.add_argument("--size-mib", type=int, default=1024)
    parser.add_argument("--tensors", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=7)
    options = parser.parse_args()
    results = options.build.parent / "bench"
    results.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=results) as folder:  # beside the build, as /tmp may be memory
        arguments = [folder, str(options.tensors), str(options.size_mib)]
        subprocess.run([sys.executable, "-c", MAKE, *arguments], check=True)
        medians = run(options.build, Path(folder), options.rounds)
        size_mib = (Path(folder) / "model.pt").stat().st_size / MIB
    text = table(medians, size_mib, options.rounds)
    (results / "state_dict.md").write_text(text)
    (results / "state_dict.json").write_text(json.dumps({"size_mib": size_mib, "medians": medians}, indent=2))
    print(text, end="")


if __name__ == "__main__":
    main()
