"""What decides a training run's numbers: from the options, or from the checkpoint that is resumed."""

import argparse
from pathlib import Path

from model_file import InputError

OPTIMIZERS = ("adam", "adamw", "sgd")
LEARNING_RATE = 0.005
WEIGHT_DECAYS = {"adam": 0.0, "adamw": 0.01, "sgd": 0.0}
MOMENTUM = 0.9
EPOCHS = 50
BATCH_SIZE = 16
HIDDEN = 16
SEED = 0
TEST_FRACTION = 0.2
VALIDATION_FRACTION = 0.2
LABEL_COLUMN = "species"


def settings_of(options: argparse.Namespace) -> dict:
    """The settings in a checkpoint's order, with the defaults for what was not typed (None).

    Raises argparse.ArgumentError for an option that goes with another only.
    """
    optimizer = options.optimizer or "adam"
    if optimizer != "sgd" and options.momentum is not None:
        raise argparse.ArgumentError(None, "argument --momentum: only with --optimizer sgd")
    if options.patience is None and options.validation_fraction is not None:
        raise argparse.ArgumentError(None, "argument --validation-fraction: only with --patience")
    settings = {
        "optimizer": optimizer,
        "lr": LEARNING_RATE,
        "weight_decay": WEIGHT_DECAYS[optimizer],
        "momentum": MOMENTUM if optimizer == "sgd" else 0.0,
        "epochs": EPOCHS,
        "batch_size": BATCH_SIZE,
        "hidden": HIDDEN,
        "seed": SEED,
        "test_fraction": TEST_FRACTION,
        "patience": None,
        "validation_fraction": None if options.patience is None else VALIDATION_FRACTION,
        "label_column": LABEL_COLUMN,
    }
    return settings | {name: value for name in settings if (value := getattr(options, name)) is not None}


def resumed_settings(options: argparse.Namespace, config: dict, path: Path) -> dict:
    """A checkpoint's config with the --epochs that were typed. Raises InputError where another one contradicts it."""
    for name, recorded in config.items():
        typed = getattr(options, name, None)
        if name != "epochs" and typed is not None and typed != recorded:
            option = "--" + name.replace("_", "-")
            raise InputError(
                f"{option} {_shown(typed)} contradicts {path}, which has {_shown(recorded)}; "
                "leave it out, or start anew without --resume"
            )
    return config | {"epochs": options.epochs or config["epochs"]}


def _shown(value: object) -> str:
    """A number with as few digits as tell it from others."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return "none" if value is None else str(value)
