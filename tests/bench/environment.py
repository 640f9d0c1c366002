"""The Python environment of the peers: their pinned packages, and torch from the project's own environment."""

import hashlib
import os
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
REQUIREMENTS = HERE / "requirements.txt"
PEERS = HERE / "peers"
# For every process that is timed: the peers import IrisNet.
os.environ["PYTHONPATH"] = str(HERE.parent.parent / "python_export")


@dataclass
class Place:
    """Where things are: the build folder, a folder for files, and the Pythons; `peers` is None if none are timed."""

    build: Path
    folder: Path
    python: Path
    peers: Path | None
    model: Path = HERE.parent.parent / "models" / "iris_net.pt"


def peers_python(folder: Path, requirements: Path = REQUIREMENTS) -> Path:
    """The Python of the venv `folder`, which is made if it is absent or has other pins than `requirements`.

    If a package cannot be installed, stderr says so and it is left out; the next call tries again.
    """
    python, stamp = folder / "bin" / "python", folder / "complete"
    key = hashlib.sha256(requirements.read_bytes() + f"{sys.version} {sys.prefix} {folder}".encode()).hexdigest()
    if stamp.is_file() and stamp.read_text() == key:
        return python
    print("bench: putting the peers' packages into a venv of their own (pip)", file=sys.stderr)
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    (site_packages / "iris.pth").write_text(sysconfig.get_path("purelib") + "\n")
    pip = [str(python), "-m", "pip", "install", "-qq", "--disable-pip-version-check", "--only-binary", ":all:"]
    if subprocess.run([*pip, "-r", str(requirements)]).returncode == 0:
        stamp.write_text(key)
    else:
        for pin in pins(requirements):
            if subprocess.run([*pip, pin]).returncode != 0:
                print(f"bench: {pin} could not be installed", file=sys.stderr)
    return python


def pins(requirements: Path = REQUIREMENTS) -> list[str]:
    """The requirements, without the comments."""
    return [line for line in requirements.read_text().splitlines() if line and not line.startswith("#")]


def peer(python: Path, script: str, *arguments: Path | str) -> list[str]:
    """The command that runs a script of peers/."""
    return [str(python), str(PEERS / script), *map(str, arguments)]
