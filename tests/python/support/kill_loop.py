"""Kills training runs at random moments until one ends: python kill_loop.py SEED LARGEST_DELAY_S ARGUMENT…

A run is train.py with the arguments, in a fork of this process, which has loaded torch already: so the kills fall into
the training, not into the seconds of loading. Prints the number of kills; exits as the last run does.
"""

import os
import random
import signal
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "python_export"))

import torch  # noqa: E402

from iris_export import train_run  # noqa: E402, F401
from iris_export.model_file import run_command  # noqa: E402
from iris_export.train import parser, run  # noqa: E402


def main() -> int:
    torch.optim.SGD([torch.zeros(1)])  # the first optimizer imports modules for another second
    draw, largest_delay = random.Random(int(sys.argv[1])), float(sys.argv[2])
    sys.argv[1:3] = []
    kills = 0
    while True:
        child = os.fork()
        if child == 0:
            os._exit(run_command(parser(), run))
        # Each run gets a little more time than the one before, so that the loop ends.
        time.sleep(draw.uniform(0, largest_delay * (1 + kills / 10)))
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        if not os.WIFSIGNALED(status):
            print(kills)
            return os.waitstatus_to_exitcode(status)
        kills += 1


if __name__ == "__main__":
    sys.exit(main())
