"""Checks of a model, its example and its names before an export."""

from collections.abc import Sequence

import torch

from export_faults import reason_of
from model_file import InputError

# Times the batch's largest logit, or 1. A kernel for one row may round differently from one for many.
_ROW_TOLERANCE = 1e-4


def example_rows(example: object) -> torch.Tensor:
    """The example as float32 [rows, features]: a tensor, or what torch makes one of. Raises InputError for another."""
    try:
        rows = torch.as_tensor(example).detach()
    except (TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"the example must be a tensor or a NumPy array: {reason_of(error)}") from error
    if rows.dim() != 2 or rows.dtype != torch.float32 or len(rows) == 0:
        raise InputError(f"the example must be float32 [rows, features], not {rows.dtype} {list(rows.shape)}")
    return rows


def rows_like(example: torch.Tensor, rows: int) -> torch.Tensor:
    """float32 [rows, features], each feature random in the example's range. The same on every call."""
    low, high = example.amin(0), example.amax(0)
    range_of = torch.where(high > low, high - low, 1.0)
    generator = torch.Generator().manual_seed(rows)
    return low + range_of * torch.rand(rows, example.shape[1], generator=generator).to(example.device)


@torch.no_grad()
def check_classifier(
    model: torch.nn.Module, example: torch.Tensor, name: str, features: Sequence[str], labels: Sequence[str]
) -> None:
    """Raises InputError where the model is not a classifier of independent rows, or the names are not its names."""
    _check_names("name", [name])
    _check_names("features", features)
    _check_names("labels", labels)
    if any(module.training for module in model.modules()):
        raise InputError("the model is in training mode, in which dropout and batch norm differ; call model.eval()")
    logits = _logits_of(model, example, name)
    if not logits.isfinite().all():
        raise InputError(f"{name}: gives logits that are not finite")
    for what, names, count in (("features", features, example.shape[1]), ("labels", labels, logits.shape[1])):
        if len(set(names)) != len(names) or len(names) != count:
            raise InputError(f"{name}: needs {count} {what} of different names, got {list(names)}")
    _check_rows(model, rows_like(example, 8), name)


def _logits_of(model: torch.nn.Module, rows: torch.Tensor, name: str) -> torch.Tensor:
    try:
        logits = model(rows)
    except Exception as error:  # the model's own
        raise InputError(
            f"{name}: fails on float32 {list(rows.shape)}: {reason_of(error)}; the weights are made float32 by "
            "model.float()"
        ) from error
    if not isinstance(logits, torch.Tensor) or logits.dim() != 2 or len(logits) != len(rows):
        raise InputError(f"{name}: is not a classifier: it does not give one tensor of logits [rows, classes]")
    if logits.shape[1] < 2:
        raise InputError(
            f"{name}: is not a classifier: it gives {logits.shape[1]} logit a row, not one for each of two classes or "
            "more"
        )
    if not logits.is_floating_point():
        raise InputError(f"{name}: gives {logits.dtype}; logits are floating-point numbers")
    return logits


def _check_rows(model: torch.nn.Module, rows: torch.Tensor, name: str) -> None:
    together = _logits_of(model, rows, name)
    alone = torch.cat([_logits_of(model, row[None], name) for row in rows])
    difference = (together - alone).abs().max().item() if together.shape == alone.shape else float("nan")
    if not difference <= _ROW_TOLERANCE * max(1.0, together.abs().max().item()):
        raise InputError(
            f"{name}: a row alone gives other logits than among others (max abs difference {difference:g}), and what "
            "runs the file puts rows together as they come; let forward treat each row by itself"
        )


def _check_names(what: str, names: Sequence[str]) -> None:
    for name in names:
        if not isinstance(name, str) or not name:
            raise InputError(f"{what}: {name!r} is not a name; give text that is not empty")
        try:
            name.encode()
        except UnicodeEncodeError as error:
            raise InputError(f"{what}: {name!r} is not Unicode: it holds a lone surrogate; give another") from error
