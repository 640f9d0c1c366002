"""The training settings of both languages: the program's table (src/train/settings.h) and Python's."""

import argparse
import math
import re

import pytest
import torch
from training_runs import DATA, changed

from iris_export.checkpoint import read_checkpoint, to_bytes
from iris_export.flowers import read_flowers
from iris_export.model_file import InputError
from iris_export.option_types import Choice, Number, Whole
from iris_export.train import parser
from iris_export.train_run import begin
from iris_export.train_settings import OPTIMIZERS, SETTINGS, settings_of

NUMBERS = "0 -0.0 1e-320 0.5 1 0.9999999999999999 2 1e308 1e309 -inf nan x 1_0 １".split()
WHOLE = ["0", "1", "01", "+1", "1.0", "1e3", "x", "-1", "1_0", "１", "9" * 30, "0" * 5000 + "1"]
# An option in the program's help: its name, its type, and its text, there or on the next line.
ENTRY = re.compile(
    r"^  (?:-\w,)?(--[a-z0-9-]+)((?: [A-Z]+(?::in \d+ to \d+|:\{[^}]*\})?)?(?: REQUIRED)?)\s+(\S.*)$", re.MULTILINE
)


@pytest.fixture(scope="module")
def program_options(iris) -> dict[str, tuple[str, str]]:
    """Of the program's help: the type and the help text of each option."""
    entries = ENTRY.findall(iris("train", "--help").stdout)
    return {option: (kind.strip(), text) for option, kind, text in entries}


def ranged(*kinds: type) -> list:
    return [pytest.param(setting, id=setting.name) for setting in SETTINGS if isinstance(setting.type, kinds)]


def test_both_trainings_take_the_same_options(program_options):
    ours = {option for action in parser()._actions for option in action.option_strings if option.startswith("--")}
    assert ours == set(program_options)


def test_names_types_choices_defaults_and_help_texts_are_the_same(program_options):
    for setting in SETTINGS:
        kind = setting.type
        if isinstance(kind, Whole):
            expected = f"INT:in {kind.least} to {kind.most}"
        elif isinstance(kind, Choice):
            expected = f"TEXT:{{{','.join(kind.names)}}}"
        else:
            expected = "FLOAT" if isinstance(kind, Number) else "TEXT"
        assert program_options[setting.option] == (expected, setting.full_help)


@pytest.mark.parametrize("setting", ranged(Number, Whole))
def test_a_range_takes_the_same_texts_and_says_the_same_of_others(iris, setting):
    kind = setting.type
    for text in NUMBERS if isinstance(kind, Number) else [*WHOLE, str(kind.most), str(kind.most + 1)]:
        # Names one file twice, so that the program ends once it has read the options.
        told = iris("train", "data.csv", "-o", "m", "--history", "m", f"{setting.option}={text}").stderr
        try:
            kind(text)
            expected = "--history and -o name one file"
        except argparse.ArgumentTypeError as error:
            expected = f"{setting.option}: {str(error).split(', got')[0]}, got "
        assert told.startswith(f"iris: error: {expected}"), text


def test_a_setting_that_goes_with_another_is_refused_alone_by_both(iris):
    needed = {"sgd": "--optimizer sgd", "patience": "--patience"}
    alone = [setting for setting in SETTINGS if setting.goes_with]
    assert [setting.name for setting in alone] == ["momentum", "validation_fraction"]
    for setting in alone:
        result = iris("train", DATA, "-o", "/dev/null", setting.option, "0.5")
        expected = f"iris: error: {setting.option} is for {needed[setting.goes_with]}"
        assert (result.returncode, result.stderr.splitlines()[0]) == (2, expected)
        options = parser().parse_args(["data", "-o", "m", setting.option, "0.5"])
        with pytest.raises(argparse.ArgumentError, match=f"{setting.option}: only with {needed[setting.goes_with]}"):
            settings_of(options)


def edits():
    """(a setting's name, a value for a checkpoint's config): beside every end of a range, and of other types."""
    for setting in SETTINGS:
        kind, values = setting.type, [..., None, "x", [1]]
        if isinstance(kind, Whole):
            values += [kind.least - 1, kind.least, kind.most, kind.most + 1, 2**80, 1.0]
        elif isinstance(kind, Number):
            values += [float(kind.least), -0.0, -1.0, math.nextafter(kind.end, 0), float(kind.end), math.nan]
        yield from ((setting.name, value) for value in values)


def test_both_refuse_the_same_values_in_a_checkpoint_with_the_same_words(iris, tmp_path):
    options = parser().parse_args(["data", "-o", "model", "--epochs", "2", "--patience", "9", "--optimizer", "sgd"])
    training = begin(settings_of(options), read_flowers(DATA), torch.device("cpu"), 1)
    training.run_epoch(lambda: False)
    content = to_bytes(training.state())
    expected = {}
    (tmp_path / "run").mkdir()
    for number, (name, value) in enumerate(edits(), start=100):
        path = tmp_path / f"run/epoch-{number:06}.pt"
        path.write_bytes(content)
        path.write_bytes(to_bytes(changed(torch.load(path, weights_only=True), f"config/{name}", value)))
        try:
            read_checkpoint(path)
            expected[path.name] = None
        except InputError as error:
            expected[path.name] = re.search(r"checkpoint: (.*)", str(error))[1]
    refused = iris("train", DATA, "-o", tmp_path / "m.pt", "--resume", tmp_path / "run", "--epochs", 2)
    told = dict(re.findall(r"passed over \S*(epoch-\d+\.pt): (.*)", refused.stderr))
    for (name, value), (path, fault) in zip(edits(), expected.items(), strict=True):
        said = told[path].removeprefix("damaged, or not a checkpoint of a training run: ")
        if fault is None or not fault.startswith("config."):  # in its range
            assert not said.startswith("config."), (name, value)
        elif not (value is ... and name in ("patience", "validation_fraction")):  # for the program absent is None
            assert said == fault, (name, value)


def test_the_documented_defaults_are_those_of_the_table(repo):
    row = re.compile(rf"^\| `({'|'.join(OPTIMIZERS)})`(?: \(default\))? \|([^|]*)\|([^|]*)\|([^|]*)\|", re.MULTILINE)
    rows = row.findall((repo / "docs/training.md").read_text())
    documented = {optimizer: [float(cell) for cell in cells if cell.strip()] for optimizer, *cells in rows}
    for optimizer in OPTIMIZERS:
        of_it = [s.defaults.get(optimizer) for s in SETTINGS if s.name in ("lr", "weight_decay", "momentum")]
        assert documented[optimizer] == [default for default in of_it if default is not None]
