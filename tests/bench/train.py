"""Training, whole processes: `iris train` beside train.py, which computes the same bits, and the textbooks' loop."""

import subprocess

from environment import HERE, Place, peer
from measure import OURS, Section, compare, try_out

REPO = HERE.parent.parent
DATA = REPO / "data" / "iris.csv"
THE_SAME = "python_export/train.py"
LOOP = "python, the textbooks' loop"

CHECK = """
import sys, torch
ours, theirs = (torch.load(path, weights_only=True) for path in sys.argv[1:])
sys.exit(list(ours) != list(theirs) or not all(torch.equal(ours[name], theirs[name]) for name in ours))
"""


def run(place: Place, epochs: int, rounds: int) -> Section:
    """Raises RuntimeError if `iris train` and train.py do not end in the same tensors."""
    section = Section(f"Training, {epochs} epochs, start-up included")
    programs = {
        OURS: [str(place.build / "iris"), "train"],
        THE_SAME: [str(place.python), str(REPO / "python_export" / "train.py")],
    }
    models = {OURS: place.folder / "iris.pt", THE_SAME: place.folder / "python.pt"}
    commands = {
        name: [*program, str(DATA), "-o", str(models[name]), "--epochs", str(epochs), "-q"]
        for name, program in programs.items()
    }
    try_out(section, commands)
    if THE_SAME in section.left_out:
        raise RuntimeError(f"{THE_SAME}: {section.left_out[THE_SAME]}")
    check = [str(place.python), "-c", CHECK, *map(str, models.values())]
    if subprocess.run(check, stdin=subprocess.DEVNULL).returncode != 0:
        raise RuntimeError(f"{section.name}: iris train and {THE_SAME} do not end in the same tensors")
    commands[LOOP] = peer(place.python, "train_torch.py", DATA, place.folder / "loop.pt", str(epochs))
    compare(section, commands, rounds)
    return section
