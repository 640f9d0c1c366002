"""Checks of a model, its example and its names before an export."""

from collections.abc import Sequence

import torch

from .export_faults import reason_of
from .model_file import InputError

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


OUTPUTS = ("logits", "probabilities", "values")


@torch.no_grad()
def check_model(
    model: torch.nn.Module,
    example: torch.Tensor,
    name: str,
    features: Sequence[str],
    labels: Sequence[str],
    outputs: str,
) -> int:
    """How many numbers the model gives for a row.

    Raises InputError where the rows depend on each other, or the names or `outputs` are not the model's.
    """
    if outputs not in OUTPUTS:
        raise InputError(f"outputs {outputs!r}: is not one of {', '.join(OUTPUTS)}")
    _check_names("name", [name])
    _check_names("features", features)
    _check_names("labels", labels)
    if any(module.training for module in model.modules()):
        raise InputError("the model is in training mode, in which dropout and batch norm differ; call model.eval()")
    numbers = _outputs_of(model, example, name)
    if not numbers.isfinite().all():
        raise InputError(f"{name}: gives {outputs} that are not finite")
    _check_meaning(numbers, name, outputs)
    is_of_two_classes = numbers.shape[1] == 1 and outputs != "values"
    label_count = 2 if is_of_two_classes else numbers.shape[1]
    for what, names, count in (("features", features, example.shape[1]), ("labels", labels, label_count)):
        if len(set(names)) != len(names) or len(names) != count:
            raise InputError(f"{name}: needs {count} {what} of different names, got {list(names)}")
    _check_rows(model, rows_like(example, 8), name)
    return numbers.shape[1]


def _check_meaning(numbers: torch.Tensor, name: str, outputs: str) -> None:
    lie_between = bool(((numbers >= 0) & (numbers <= 1)).all())
    if outputs == "probabilities" and not lie_between:
        raise InputError(
            f"{name}: gives numbers outside [0, 1], which are not probabilities; say what they are: outputs="
        )
    add_up = numbers.shape[1] > 1 and bool(((numbers.sum(1) - 1).abs() < 1e-3).all())
    if outputs == "logits" and lie_between and add_up:
        raise InputError(
            f"{name}: gives what looks like probabilities (each row lies between 0 and 1 and adds up to 1), not "
            'logits; leave softmax out, or say outputs="probabilities"'
        )


def _outputs_of(model: torch.nn.Module, rows: torch.Tensor, name: str) -> torch.Tensor:
    try:
        numbers = model(rows)
    except Exception as error:  # the model's own
        raise InputError(
            f"{name}: fails on float32 {list(rows.shape)}: {reason_of(error)}; the weights are made float32 by "
            "model.float()"
        ) from error
    if not isinstance(numbers, torch.Tensor) or numbers.dim() not in (1, 2) or len(numbers) != len(rows):
        raise InputError(f"{name}: does not give one tensor [rows, outputs]")
    if not numbers.is_floating_point():
        raise InputError(f"{name}: gives {numbers.dtype}; outputs are floating-point numbers")
    return numbers.reshape(len(rows), -1)


def _check_rows(model: torch.nn.Module, rows: torch.Tensor, name: str) -> None:
    together = _outputs_of(model, rows, name)
    alone = torch.cat([_outputs_of(model, row[None], name) for row in rows])
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
