"""Times reading, inspecting and converting a large state_dict beside Python's loaders and cp, in turn, in one run.

Whole processes: wall time and peak resident memory (which counts mapped pages that were touched), of each the median.
Writes build/bench/state_dict.md and .json, and prints the table.
"""

import json
import subprocess
import sys
from pathlib import Path

from environment import Place
from measure import in_turn, median

MIB = 1 << 20
TENSORS = 64

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

    def clean() -> None:
        for file in (*folder.glob("out.*"), *folder.glob("copy.*")):
            file.unlink()

    medians = {name: median(each) for name, each in in_turn(commands, rounds, clean).items()}
    return {name: {"wall_ms": each.wall_s * 1000, "peak_mib": each.peak_mib} for name, each in medians.items()}


def table(medians: dict[str, dict[str, float]], size_mib: float, rounds: int) -> str:
    """The medians as Markdown, with ratios."""
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


def report(place: Place, results: Path, size_mib: int, rounds: int) -> None:
    """Runs it all on a file of that size, made for it; leaves the table and JSON in `results`."""
    folder = place.folder
    subprocess.run([str(place.python), "-c", MAKE, str(folder), str(TENSORS), str(size_mib)], check=True)
    medians = run(place.build, folder, rounds)
    file_mib = (folder / "model.pt").stat().st_size / MIB
    for file in folder.glob("model.*"):
        file.unlink()
    text = table(medians, file_mib, rounds)
    (results / "state_dict.md").write_text(text)
    (results / "state_dict.json").write_text(json.dumps({"size_mib": file_mib, "medians": medians}, indent=2))
    print(text, flush=True)
