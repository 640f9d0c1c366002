"""The settings that decide a training run's numbers: one table with all facts about each.

The options, the defaults, a checkpoint's `config` and the comparison on resume are made from it. `iris train` has the
same table in src/train/settings.h; tests/python/train/test_settings.py compares the two.
"""

import argparse
import math
from dataclasses import dataclass
from pathlib import Path

from .model_file import InputError
from .option_types import Choice, Number, Text, Whole, count

OPTIMIZERS = ("adam", "adamw", "sgd")
DEFAULT_OPTIMIZER = "adam"


@dataclass(frozen=True)
class Setting:
    name: str  # in a checkpoint: "weight_decay"; the option is --weight-decay
    type: Choice | Number | Text | Whole
    defaults: dict[str, object]  # for each optimizer; none: the run goes without
    help: str  # of the option, without the defaults
    goes_with: str | None = None  # "sgd" or "patience": it means something with that only
    otherwise: object = None  # what a checkpoint has where the run goes without
    may_grow: bool = False  # a resumed run may ask for more

    @property
    def option(self) -> str:
        return "--" + self.name.replace("_", "-")

    @property
    def full_help(self) -> str:
        """With the defaults: "Weight decay (0; adamw: 0.01)"."""
        if isinstance(self.type, Choice):
            *names, last = (name + " (default)" * (self.defaults[name] == name) for name in self.type.names)
            return f"{', '.join(names)} or {last}"
        first = next(iter(self.defaults.values()), None)
        others = [f"{name}: {_shown(value)}" for name, value in self.defaults.items() if value != first]
        return self.help if first is None else f"{self.help} ({'; '.join([_shown(first), *others])})"

    @property
    def is_optional(self) -> bool:
        """Whether a checkpoint may have None."""
        return self.otherwise is None and (self.goes_with is not None or not self.defaults)

    def applies(self, config: dict) -> bool:
        """Whether it means something in a run with these settings, those before it in the table."""
        if self.goes_with == "sgd":
            return config["optimizer"] == "sgd"
        return self.goes_with is None or config[self.goes_with] is not None


def _every(value: object) -> dict[str, object]:
    return dict.fromkeys(OPTIMIZERS, value)


_fraction = Number(0, False, 1, "above 0 and below 1")

# In the order of a checkpoint's config. A setting comes after what it goes with.
SETTINGS = (
    Setting("optimizer", Choice(OPTIMIZERS), _every(DEFAULT_OPTIMIZER), ""),
    Setting("lr", Number(0, False, math.inf, "a finite number above 0"), _every(0.005), "Learning rate"),
    Setting(
        "weight_decay",
        Number(0, True, math.inf, "a finite number from 0"),
        {"adam": 0.0, "adamw": 0.01, "sgd": 0.0},
        "Weight decay",
    ),
    Setting(
        "momentum",
        Number(0, True, 1, "from 0 to below 1"),
        {"sgd": 0.9},
        "Momentum of sgd",
        goes_with="sgd",
        otherwise=0.0,
    ),
    Setting("epochs", count, _every(50), "Passes over the training rows", may_grow=True),
    Setting("batch_size", count, _every(16), "Rows per step"),
    Setting("hidden", Whole(1, 2**20), _every(16), "IrisNet's hidden units"),
    Setting("seed", Whole(0, 2**63 - 1), _every(0), "Decides the first weights, the split and the order of the rows"),
    Setting("test_fraction", _fraction, _every(0.2), "Share of each class that is held out"),
    Setting(
        "patience",
        count,
        {},
        "Stop once the validation loss has not been lower for N epochs, and keep the best weights",
    ),
    Setting(
        "validation_fraction",
        _fraction,
        _every(0.2),
        "With --patience: share of each class's training rows that is set aside for it",
        goes_with="patience",
    ),
    Setting("label_column", Text(), _every("species"), "The column that holds the classes"),
)


def add_options(add) -> None:
    """Declares the option of each setting; add: an argparse group's add_argument. What is not typed is None."""
    for setting in SETTINGS:
        if isinstance(setting.type, Choice):
            add(setting.option, choices=setting.type.names, help=setting.full_help)
        else:
            add(setting.option, type=setting.type, metavar=setting.type.metavar, help=setting.full_help)


def settings_of(options: argparse.Namespace) -> dict:
    """The settings in a checkpoint's order, with the defaults for what was not typed (None).

    Raises argparse.ArgumentError for an option that means something with another one only.
    """
    config = {}
    for setting in SETTINGS:
        typed = getattr(options, setting.name)
        if setting.applies(config):
            default = setting.defaults.get(config.get("optimizer", DEFAULT_OPTIMIZER), setting.otherwise)
            config[setting.name] = default if typed is None else typed
        elif typed is None:
            config[setting.name] = setting.otherwise
        else:
            needed = "--optimizer sgd" if setting.goes_with == "sgd" else f"--{setting.goes_with}"
            raise argparse.ArgumentError(None, f"argument {setting.option}: only with {needed}")
    return config


def resumed_settings(options: argparse.Namespace, config: dict, path: Path) -> dict:
    """A checkpoint's config with the --epochs that were typed. Raises InputError where another one contradicts it."""
    grown = {}
    for setting in SETTINGS:
        typed, recorded = getattr(options, setting.name), config[setting.name]
        if setting.may_grow:
            grown[setting.name] = recorded if typed is None else typed
        elif typed is not None and typed != recorded:
            raise InputError(
                f"{setting.option} {_shown(typed)} contradicts {path}, which has {_shown(recorded)}; "
                "leave it out, or start anew without --resume"
            )
    return config | grown


def fault_of(config: dict) -> str | None:
    """What keeps a dictionary from being a checkpoint's config, as "config.lr is missing"; None if nothing does."""
    for setting in SETTINGS:
        if setting.name not in config:
            return f"config.{setting.name} is missing"
        value, applies = config[setting.name], setting.applies(config)
        if setting.is_optional and (value is None or not applies):
            is_possible = value is None and not (applies and setting.defaults)
            fault = None if is_possible else "is out of range"
        else:
            fault = setting.type.fault(value)
        if fault is not None:
            return f"config.{setting.name} {fault}"
    return None


def _shown(value: object) -> str:
    """A number with as few digits as tell it from others."""
    if isinstance(value, float):
        short = f"{value:g}"
        return short if float(short) == value else repr(value)
    return "none" if value is None else str(value)
