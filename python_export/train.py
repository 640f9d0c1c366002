"""Trains IrisNet on a CSV file of flowers and saves its state_dict; can be interrupted, killed and resumed.

    python python_export/train.py data/iris.csv -o models/iris_net.pt

The same data, options and seed give the same tensors, also when resumed, and those of `iris train`: docs/training.md.
"""

import argparse
import sys
from pathlib import Path

import train_settings as settings
from interrupts import Interrupts
from model_file import InputError, run_command
from option_types import device, fraction, hidden, momentum, number_from_zero, positive, positive_number, seed, threads


def run(options: argparse.Namespace) -> None:
    with Interrupts("train.py") as interrupts:
        import train_run  # not above: torch takes seconds to load, and interrupts are answered by now

        try:
            train_run.run(options, interrupts)
        except (MemoryError, RuntimeError) as error:  # torch's own words: no memory for that width, a GPU that fails
            text = (str(error).strip() or "out of memory").splitlines()[0]
            raise InputError(f"torch cannot do this: {text}") from error


def parser() -> argparse.ArgumentParser:
    """What decides the numbers is None where it is not typed, so that --resume can take it from the checkpoint."""
    result = argparse.ArgumentParser(
        prog="train.py",
        description="Train IrisNet on a CSV file of flowers and save its state_dict.",
        epilog="example: python python_export/train.py data/iris.csv -o models/iris_net.pt",
        allow_abbrev=False,
    )
    add = result.add_argument
    add("data", type=Path, metavar="DATA.csv", help="CSV with the four features and a column of labels")
    add("-o", "--output", type=Path, metavar="MODEL", required=True, help="the state_dict to write")

    add = result.add_argument_group("training").add_argument
    add("--optimizer", choices=settings.OPTIMIZERS, help="the kind of step (adam)")
    add("--lr", type=positive_number, metavar="X", help="learning rate (0.005)")
    add("--weight-decay", type=number_from_zero, metavar="X", help="pull of the weights to 0 (adamw: 0.01; else 0)")
    add("--momentum", type=momentum, metavar="X", help="share of the last step in the next, for sgd (0.9)")
    add("--epochs", type=positive, metavar="N", help="passes over the training flowers (50)")
    add("--batch-size", type=positive, metavar="N", help="flowers per step (16)")
    add("--hidden", type=hidden, metavar="N", help="width of the hidden layer (16)")
    add("--seed", type=seed, metavar="N", help="decides the first weights, the parts and the order (0)")
    add("--test-fraction", type=fraction, metavar="X", help="share of each class that is held out (0.2)")
    add(
        "--patience",
        type=positive,
        metavar="N",
        help="stop once the validation loss has not fallen for N epochs, and keep the best weights",
    )
    add("--validation-fraction", type=fraction, metavar="X", help="share of the training flowers for --patience (0.2)")
    add("--label-column", metavar="NAME", help="the column of labels (species)")
    add("--device", type=device, default="auto", help="auto (CUDA where there is one), cpu, cuda, cuda:N")
    add("--allow-tf32", action="store_true", help="on CUDA: quicker float32 products, of 10 bits instead of 23")
    add("--threads", type=threads, default=1, metavar="N", help="torch's threads on the CPU (1)")

    add = result.add_argument_group("checkpoints").add_argument
    add("--checkpoint-dir", type=Path, metavar="DIR", help="write checkpoints there; made if missing")
    add("--checkpoint-every", type=positive, metavar="N", help="after every N epochs (10)")
    add("--keep", type=positive, metavar="N", help="remove all but the newest N (keeps all)")
    add(
        "--resume",
        type=Path,
        metavar="FILE|DIR",
        help="go on from a checkpoint, or from a folder's newest that is whole",
    )

    add = result.add_argument_group("what is told").add_argument
    add("--history", type=Path, metavar="FILE.csv", help="write loss and accuracy of every epoch")
    add("--json", action="store_true", help="the result as a JSON object")
    add("--log-every", type=positive, default=10, metavar="N", help="tell loss and accuracy every N epochs (10)")
    add("-q", "--quiet", action="store_true", help="no progress")
    return result


if __name__ == "__main__":
    sys.exit(run_command(parser(), run))
