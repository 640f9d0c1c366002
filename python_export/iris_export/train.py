"""Trains IrisNet on a CSV file of flowers and saves its state_dict. A run can be interrupted, killed and resumed.

    python python_export/train.py data/iris.csv -o models/iris_net.pt

The same data, options and seed give the same tensors as `iris train`, also when resumed: docs/training.md.
"""

import argparse
import sys
from pathlib import Path

from . import train_settings
from .interrupts import Interrupts
from .iris_net import FEATURES, LABELS
from .model_file import InputError, run_command
from .option_types import Names, count, device, threads


def run(options: argparse.Namespace) -> None:
    with Interrupts("train.py") as interrupts:
        from . import train_run  # here: torch takes seconds to load, and interrupts are handled by now

        try:
            train_run.run(options, interrupts)
        except (MemoryError, RuntimeError) as error:  # torch's own words: no memory for that width, a GPU that fails
            text = (str(error).strip() or "out of memory").splitlines()[0]
            raise InputError(f"torch cannot do this: {text}") from error


def parser() -> argparse.ArgumentParser:
    """A training setting that is not typed is None: --resume then takes it from the checkpoint."""
    result = argparse.ArgumentParser(
        prog="train.py",
        description="Train IrisNet on a CSV file of flowers and save its state_dict.",
        epilog="example: python python_export/train.py data/iris.csv -o models/iris_net.pt",
        allow_abbrev=False,
    )
    add = result.add_argument
    add(
        "data",
        type=Path,
        metavar="DATA.csv",
        help="CSV of the four features and the label, with a header in any order or without",
    )
    add("-o", "--output", type=Path, metavar="MODEL", required=True, help="The state_dict to write")

    add = result.add_argument_group("training").add_argument
    train_settings.add_options(add)
    add(
        "--features",
        type=Names(len(FEATURES)),
        metavar="NAMES",
        help='Columns of the four features, in IrisNet\'s order: a,b,c,d or, as in CSV, a,"b,c",d,e',
    )
    add(
        "--labels",
        type=Names(len(LABELS)),
        metavar="NAMES",
        help="The three classes as the data has them, in IrisNet's order: a,b,c",
    )
    add("--device", type=device, default="auto", help="auto (CUDA when there is one), cpu, cuda or cuda:N")
    add("--allow-tf32", action="store_true", help="On CUDA: quicker float32 products, of 10 bits instead of 23")
    add(
        "--threads",
        type=threads,
        default=1,
        metavar="N",
        help="torch's threads; another count gives other last bits (1)",
    )

    add = result.add_argument_group("checkpoints").add_argument
    add("--checkpoint-dir", type=Path, metavar="DIR", help="Folder for checkpoints, made if it is not there")
    add("--checkpoint-every", type=count, metavar="N", help="Epochs from one checkpoint to the next (10)")
    add("--keep", type=count, metavar="N", help="Checkpoints to keep, the newest (all)")
    add(
        "--resume",
        type=Path,
        metavar="FILE|DIR",
        help="Go on from this checkpoint or, of a folder, from its newest one that is whole",
    )

    add = result.add_argument_group("what is told").add_argument
    add("--history", type=Path, metavar="FILE.csv", help="CSV file for the losses and accuracies of every epoch")
    add("--json", action="store_true", help="The result as one JSON object")
    add(
        "--log-every",
        type=count,
        default=10,
        metavar="N",
        help="Without a terminal: tell loss and accuracy every N epochs (10)",
    )
    add("-q", "--quiet", action="store_true", help="Tell no progress")
    return result


def main() -> int:
    return run_command(parser(), run)


if __name__ == "__main__":
    sys.exit(main())
