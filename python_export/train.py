"""Trains IrisNet on a CSV file of flowers and saves its state_dict.

    python python_export/train.py data/iris.csv -o models/iris_net.pt

The same data, options and seed give the same tensors. All random numbers come from torch's global generator, in this
order: the weights of fc1, those of fc2, one torch.randperm for each class (the split), one for each epoch (the order).
"""

import argparse
import io
import sys
from pathlib import Path

import torch
from torch import nn

from flowers import Flowers, read_flowers
from iris_net import LABELS, IrisNet
from model_file import InputError, check_output, run_command, write_atomically


def split(flowers: Flowers, test_fraction: float) -> tuple[Flowers, Flowers]:
    """(training, test): of each class, a random `test_fraction` (rounded; at least one flower, never all) is held out.

    Both parts keep the order of the file. Raises InputError where there is only one class, or a class of one flower.
    """
    held_out = torch.zeros(len(flowers.labels), dtype=torch.bool)
    classes = flowers.labels.unique().tolist()
    if len(classes) < 2:
        raise InputError(f"{flowers.path}: only one class: {LABELS[classes[0]]}; training needs at least two")
    for index in classes:
        rows = (flowers.labels == index).nonzero().flatten()
        if len(rows) < 2:
            raise InputError(
                f"{flowers.path}: only one flower of {LABELS[index]}; a class needs two, one to train and one to test"
            )
        count = min(max(int(len(rows) * test_fraction + 0.5), 1), len(rows) - 1)
        held_out[rows[torch.randperm(len(rows))[:count]]] = True
    return flowers.where(~held_out), flowers.where(held_out)


@torch.no_grad()
def accuracy(model: IrisNet, flowers: Flowers) -> float:
    """The share of the flowers whose highest logit is that of their label, 0 to 1. Leaves the model in eval mode."""
    model.eval()
    return (model(flowers.features).argmax(dim=1) == flowers.labels).double().mean().item()


def train_epoch(model: IrisNet, optimizer: torch.optim.Optimizer, flowers: Flowers, batch_size: int) -> float:
    """One pass over the flowers in a new random order; the last batch may be smaller. Returns the mean loss."""
    model.train()
    loss_function = nn.CrossEntropyLoss()
    total = 0.0
    for batch in torch.randperm(len(flowers.labels)).split(batch_size):
        optimizer.zero_grad()
        loss = loss_function(model(flowers.features[batch]), flowers.labels[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(flowers.labels)


def run(options: argparse.Namespace) -> None:
    check_output(options.output)
    flowers = read_flowers(options.data)

    torch.set_num_threads(1)  # so that the sums, and with them the bits, do not depend on the number of cores
    torch.manual_seed(options.seed)
    model = IrisNet(hidden=options.hidden)
    training, test = split(flowers, options.test_fraction)
    optimizer = torch.optim.Adam(model.parameters(), lr=options.lr, fused=True)
    for epoch in range(1, options.epochs + 1):
        loss = train_epoch(model, optimizer, training, options.batch_size)
        if epoch % options.log_every == 0 or epoch == options.epochs:
            print(
                f"epoch {epoch}/{options.epochs}  loss {loss:.4f}  training accuracy {accuracy(model, training):.1%}",
                file=sys.stderr,
            )
    if not all(tensor.isfinite().all() for tensor in model.state_dict().values()):
        raise InputError(f"training diverged: the weights are not finite; try a --lr below {options.lr:g}")

    content = io.BytesIO()
    torch.save(model.state_dict(), content)
    write_atomically(options.output, content.getvalue())
    print(f"Test accuracy: {accuracy(model, test):.1%}")


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="train.py",
        description="Train IrisNet on a CSV file of flowers and save its state_dict.",
        epilog="example: python python_export/train.py data/iris.csv -o models/iris_net.pt",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument("data", type=Path, metavar="DATA.csv", help="CSV with the four features and the column species")
    result.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="MODEL",
        required=True,
        default=argparse.SUPPRESS,
        help="the state_dict to write",
    )
    result.add_argument("--epochs", type=positive, default=50, help="passes over the training flowers")
    result.add_argument("--lr", type=positive_number, default=0.005, help="Adam's learning rate")
    result.add_argument("--batch-size", type=positive, default=16, help="flowers per step")
    result.add_argument("--hidden", type=positive, default=16, help="width of the hidden layer")
    result.add_argument("--seed", type=seed, default=0, help="decides the first weights, the split and the order")
    result.add_argument("--test-fraction", type=fraction, default=0.2, help="share of each class that is held out")
    result.add_argument("--log-every", type=positive, default=10, metavar="N", help="tell the loss every N epochs")
    return result


def positive(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < int(text) < 2**31):
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text}")
    return int(text)


def seed(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) < 2**63):
        raise argparse.ArgumentTypeError(f"must be a whole number from 0 to 2^63 - 1, got {text}")
    return int(text)


def positive_number(text: str) -> float:
    return _number(text, float("inf"), "a number above 0")


def fraction(text: str) -> float:
    return _number(text, 1.0, "between 0 and 1")


def _number(text: str, below: float, wanted: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0.0 < value < below:
        raise argparse.ArgumentTypeError(f"must be {wanted}, got {text}")
    return value


if __name__ == "__main__":
    sys.exit(run_command(parser(), run))
