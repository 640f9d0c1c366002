"""One sample, cold process: iris beside Python's ways, and a LibTorch program that does nothing."""

from environment import Place, peer
from measure import OURS, Section, compare, try_out

FLOWER = ("5.1", "3.5", "1.4", "0.2")
EMPTY = "LibTorch program that just returns"


def run(place: Place, rounds: int) -> Section:
    """Raises RuntimeError if two of the programs answer differently."""
    section = Section("One sample, cold process")
    commands = {
        OURS: [str(place.build / "iris"), "predict", str(place.model), *FLOWER],
        EMPTY: [str(place.build / "tests" / "bench" / "bench_empty")],
        "python + torch": peer(place.python, "sample_torch.py", place.model, *FLOWER),
    }
    if place.peers:
        onnx = place.folder / "sample.onnx"
        exports = {"python + onnxruntime": peer(place.peers, "export_onnx.py", place.model, onnx)}
        for name in try_out(section, exports):
            commands[name] = peer(place.peers, "sample_onnxruntime.py", onnx, *FLOWER)
    answers = try_out(section, commands)
    for name, answer in answers.items():
        if name != EMPTY and answer != answers[OURS]:
            raise RuntimeError(f"{name} answers {answer!r}, iris {answers[OURS]!r}")
    compare(section, commands, rounds)
    return section
