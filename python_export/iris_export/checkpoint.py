"""A checkpoint: what Training.state() returns, as a file, and read back with every part checked.

The layout is docs/training.md's. Plain Python reads the file: torch.load(path, weights_only=True).
"""

import io
import math
import sys
import warnings
import zipfile
from collections import OrderedDict
from pathlib import Path

import torch

from . import history, train_settings
from .iris_net import FEATURES, LABELS, IrisNet
from .model_file import InputError
from .option_types import Text, Whole
from .training import new_optimizer


def to_bytes(value: object) -> bytes:
    """What torch.save writes, made reproducible: equal values give equal bytes, whatever objects they share."""
    content = io.BytesIO()
    torch.save(_canonical(value), content)
    return content.getvalue()


def _canonical(value: object) -> object:
    """A copy with its tensors on the CPU and its strings interned.

    Pickle writes a string once per object: equal strings must be one object, also where some came from a file.
    """
    if isinstance(value, torch.Tensor):
        return value.detach().cpu()
    if isinstance(value, str):
        return sys.intern(value)
    if isinstance(value, dict):
        result = type(value)((_canonical(key), _canonical(each)) for key, each in value.items())
        if hasattr(value, "_metadata"):  # that of a state_dict: the version of each module
            result._metadata = _canonical(value._metadata)
        return result
    if isinstance(value, list | tuple):
        return type(value)(map(_canonical, value))
    return value


def read_checkpoint(path: Path) -> dict:
    """The file's dictionary, on the CPU; nothing in the file is run (weights_only).

    Raises InputError where the file cannot be read, is damaged, or is not a checkpoint of train.py or iris train.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that are refused below
            damaged = zipfile.ZipFile(io.BytesIO(content)).testzip()  # torch.load does not compare checksums
            state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises anything: BadZipFile, RuntimeError, UnpicklingError, KeyError...
        raise InputError(f"{path}: damaged, or not a checkpoint: {_first_line(error)}") from error
    if damaged is not None:
        raise InputError(f"{path}: damaged: the checksum of {damaged} does not hold")
    fault = _fault(state)
    if fault is not None:
        raise InputError(f"{path}: not a whole checkpoint: {fault}")
    return state


def _fault(state: object) -> str | None:
    """Why the dictionary cannot be resumed; None if it can."""
    if not isinstance(state, dict):
        return "is not a dictionary"
    for key, (kind, name) in _KEYS.items():
        if key not in state:
            return f"{key} is missing"
        if not isinstance(state[key], kind) or isinstance(state[key], bool):
            return f"{key} is not {name}"
    config = state["config"]
    fault = train_settings.fault_of(config)
    if fault is not None:
        return fault
    for key, kind in _STAMPS.items():
        fault = kind.fault(config[key]) if key in config else "is missing"
        if fault is not None:
            return f"config.{key} {fault}"
    validates = config["patience"] is not None
    epoch, batch = state["epoch"], state["batch"]
    if not (0 <= epoch <= config["epochs"] and 0 <= batch and 0 < epoch + batch):
        return f"{epoch} epochs and {batch} batches done, of {config['epochs']} epochs"
    if batch > 0 and epoch == config["epochs"]:
        return f"{batch} batches done after the last epoch"
    if not 0 <= state["loss_sum"] < math.inf or (batch == 0 and state["loss_sum"] != 0):
        return f"loss_sum is {state['loss_sum']:g} after {batch} batches"
    return (
        _fault_of_weights("model_state_dict", state["model_state_dict"], config["hidden"])
        or _fault_of_optimizer(state["optimizer_state_dict"], config)
        or _fault_of_history(state["history"], epoch, validates)
        or _fault_of_best(state, validates)
        or _fault_of_random(state["rng_state"])
    )


def _shapes(hidden: int) -> dict[str, tuple[int, ...]]:
    features, classes = len(FEATURES), len(LABELS)
    return {
        "fc1.weight": (hidden, features),
        "fc1.bias": (hidden,),
        "fc2.weight": (classes, hidden),
        "fc2.bias": (classes,),
    }


def _fault_of_weights(name: str, weights: dict, hidden: int) -> str | None:
    shapes = _shapes(hidden)
    if list(weights) != list(shapes):
        return f"{name} is not that of an IrisNet"
    for key, shape in shapes.items():
        if not _is_tensor(weights[key], shape):
            return f"{name}: {key} does not fit {hidden} hidden units, or is not finite"
    return None


def _fault_of_optimizer(state_dict: dict, config: dict) -> str | None:
    """config has been checked."""
    state, groups = state_dict.get("state"), state_dict.get("param_groups")
    if (
        not isinstance(state, dict)
        or not isinstance(groups, list)
        or len(groups) != 1
        or not isinstance(groups[0], dict)
    ):
        return "optimizer_state_dict is not an optimizer's of one group"
    (expected,) = new_optimizer(config, IrisNet(1)).state_dict()["param_groups"]
    for key in expected.keys() & groups[0].keys():
        if repr(groups[0][key]) != repr(expected[key]):
            return f"optimizer_state_dict: {key} is not that of config"
    shapes = list(_shapes(config["hidden"]).values())
    if config["optimizer"] == "sgd":
        names = ["momentum_buffer"] if config["momentum"] != 0 else []
    else:
        names = ["step", "exp_avg", "exp_avg_sq"]
    if state.keys() != (set(range(len(shapes))) if names else set()):
        return f"optimizer_state_dict: not the state of {config['optimizer']} over {len(shapes)} tensors"
    for index, of_tensor in state.items():
        for name in names:
            shape = () if name == "step" else shapes[index]
            if not isinstance(of_tensor, dict) or not _is_tensor(of_tensor.get(name), shape):
                return f"optimizer_state_dict: {name} of tensor {index} does not fit, or is not finite"
    return None


def _fault_of_history(entries: list, epoch: int, validates: bool) -> str | None:
    if len(entries) != epoch:
        return f"history has {len(entries)} entries for {epoch} epochs"
    keys = history.entry_keys(validates)
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or tuple(entry) != keys or entry["epoch"] != number:
            return f"history: entry {number} is not one of epoch {number}"
        if not all(isinstance(entry[key], float) and math.isfinite(entry[key]) for key in keys[1:]):
            return f"history: entry {number} has a value that is not a finite number"
    return None


def _fault_of_best(state: dict, validates: bool) -> str | None:
    """The rest of the state has been checked."""
    best = state["best"]
    if not validates or state["epoch"] == 0:
        return None if best is None else "best is there, with nothing to be the best of"
    if not isinstance(best, dict) or best.get("epoch") != history.best_epoch(state["history"]):
        return "best is not that of history"
    weights = best.get("model_state_dict")
    if not isinstance(weights, dict):
        return "best has no model_state_dict"
    return _fault_of_weights("best", weights, state["config"]["hidden"])


def _fault_of_random(rng_state: torch.Tensor) -> str | None:
    try:
        torch.Generator().set_state(rng_state)
    except (RuntimeError, TypeError):
        return "rng_state is not that of torch's generator"
    return None


def _is_tensor(value: object, shape: tuple[int, ...]) -> bool:
    """Whether it is a float32 tensor of that shape, contiguous and finite."""
    return (
        isinstance(value, torch.Tensor)
        and value.dtype == torch.float32
        and value.layout == torch.strided
        and value.shape == shape
        and value.is_contiguous()
        and bool(value.isfinite().all())
    )


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


_KEYS = {
    "epoch": (int, "an integer from 0"),
    "batch": (int, "an integer from 0"),
    "loss_sum": (float, "a number"),
    "model_state_dict": (OrderedDict, "a dictionary of tensors"),
    "optimizer_state_dict": (dict, "a dictionary"),
    "rng_state": (torch.Tensor, "a tensor"),
    "best": (dict | None, "a dictionary"),
    "config": (dict, "a dictionary"),
    "history": (list, "a list"),
}
# What config has besides the settings.
_STAMPS = {"data_crc32": Whole(0, 2**32 - 1), "torch": Text()}
