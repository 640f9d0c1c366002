"""Which dictionary of a loaded file is the state_dict: as `iris` chooses it (src/tensor_file/selection.h)."""

from collections.abc import Iterator

import torch

from .model_file import InputError

_USUAL_KEYS = ("model_state_dict", "state_dict", "model_state", "model")
_PREFIXES = ("module.", "_orig_mod.")  # of DataParallel and torch.compile


def select_state_dict(loaded: object, key: str | None) -> dict:
    """The dictionary under `key` ("." is the root, dots lead inwards); without a key the first of the usual ones, else
    the only one that holds tensors, else the root.

    Raises InputError, naming the keys that would work, where there are several or none.
    """
    keys = {name: dictionary for name, dictionary in _candidates(loaded, "")}
    if key is not None:
        chosen = loaded if key == "." else keys.get(key)
        if not isinstance(chosen, dict):
            raise InputError(f"there is no dictionary of tensors {key!r} in it; {_listed(keys)}")
        return chosen
    if isinstance(loaded, dict) and any(isinstance(value, torch.Tensor) for value in loaded.values()) and not keys:
        return loaded
    for usual in _USUAL_KEYS:
        if usual in keys:
            return keys[usual]
    if len(keys) == 1:
        return next(iter(keys.values()))
    if not keys and isinstance(loaded, dict):
        return loaded
    raise InputError(f"holds several dictionaries of tensors; {_listed(keys)} (--key)")


def without_prefixes(state_dict: dict) -> dict:
    """The same tensors without the prefix that DataParallel or torch.compile put before every name."""
    for prefix in _PREFIXES:
        if state_dict and all(isinstance(name, str) and name.startswith(prefix) for name in state_dict):
            return without_prefixes({name.removeprefix(prefix): value for name, value in state_dict.items()})
    return state_dict


def _candidates(value: object, before: str) -> Iterator[tuple[str, dict]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, (list, tuple)) else ()
    for name, inner in items:
        key = f"{before}{name}"
        if "optim" in key or "scheduler" in key or "rng" in key:
            continue
        if isinstance(inner, dict) and any(isinstance(each, torch.Tensor) for each in inner.values()):
            yield key, inner
        else:
            yield from _candidates(inner, key + ".")


def _listed(keys: dict) -> str:
    return f"there are: {', '.join(keys)}" if keys else "there is none"
