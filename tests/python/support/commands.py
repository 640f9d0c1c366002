"""Where the repository is, and commands run as a user runs them."""

import subprocess
from pathlib import Path

REPO = Path(__file__).resolve().parents[3]
TIMEOUT_S = 180


def run(command: list[str], **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=TIMEOUT_S, **options)


def peak_mib(process: subprocess.Popen) -> float:
    """A running process's peak resident memory. (That of wait4 counts the parent's own, carried across exec.)"""
    status = Path(f"/proc/{process.pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
