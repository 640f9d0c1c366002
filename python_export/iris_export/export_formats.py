"""Exports any model of rows to TorchScript, AOTInductor or ONNX, which run without its Python code, or its weights.

    export_model(model.eval(), rows, Path("wine.pt2"), "aoti", name="wine", features=[...], labels=[...])

Every file describes itself in the same JSON, iris.json. docs/formats.md says which form is for what.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch

from .export_aoti import aoti_bytes, open_aoti
from .export_checks import check_model, example_rows, rows_like
from .export_faults import reason_of, silenced
from .export_onnx import onnx_bytes, open_onnx
from .export_safetensors import open_safetensors, safetensors_bytes
from .export_torchscript import make_torchscript, open_torchscript
from .model_file import InputError, check_output, write_atomically

# One row, a few, and more than any kernel's block: a form that works for one count of rows only fails on the others.
BATCH_SIZES = (1, 2, 3, 64, 4097)

Run = Callable[[torch.Tensor], torch.Tensor]


@dataclass(frozen=True)
class Form:
    extension: str
    make: Callable[..., bytes]  # (model, example, iris.json) -> the file
    open: Callable[[bytes, torch.nn.Module], Run]  # (the file, the model) -> what the file computes
    tolerance: float  # times the batch's largest logit, or 1


FORMS = {
    "torchscript": Form(".ts.pt", make_torchscript, open_torchscript, 1e-6),
    "aoti": Form(".pt2", aoti_bytes, open_aoti, 1e-5),
    "onnx": Form(".onnx", onnx_bytes, open_onnx, 1e-5),
    "safetensors": Form(".safetensors", safetensors_bytes, open_safetensors, 0),
}


def export_model(
    model: torch.nn.Module,
    example: torch.Tensor,
    output: str | Path,
    format: str,
    *,
    name: str,
    features: Sequence[str],
    labels: Sequence[str],
    outputs: str = "logits",
) -> float:
    """Writes `model` to `output`; returns the largest absolute difference between the file's outputs and the model's.

    model: in eval mode, from float32 [rows, features] to float32 [rows, outputs], for any number of rows, each
    independent of the others. outputs: what its numbers are, which the file says too: "logits" or "probabilities", one
    for each class (a single one: of the second of two), or "values" (regression). labels: of the classes, or of the
    values. example: such rows, on the model's device, or a NumPy array; the
    file is tested on other rows in their range. format: a key of FORMS.

    Before the file is put in place, it is loaded back from its bytes and run on batches of BATCH_SIZES. It is written
    as a whole or not at all. Raises InputError where it cannot be made or written, or computes something else.
    """
    output = Path(output)
    check_output(output)
    content, difference = exported(model, example, format, name=name, features=features, labels=labels, outputs=outputs)
    write_atomically(output, content)
    return difference


def exported(
    model: torch.nn.Module,
    example: torch.Tensor,
    format: str,
    *,
    name: str,
    features: Sequence[str],
    labels: Sequence[str],
    outputs: str = "logits",
    **options: str,
) -> tuple[bytes, float]:
    """The bytes that export_model writes, and the difference that it returns. options: for the form's make()."""
    if format not in FORMS:
        raise InputError(f"format {format}: is not one of {', '.join(FORMS)}")
    example = example_rows(example)
    output_count = check_model(model, example, name, features, labels, outputs)
    told = None if outputs == "logits" and output_count > 1 else outputs
    example = example.repeat(2, 1)  # torch.export takes a size of 1 for a constant
    try:
        with silenced():
            content = FORMS[format].make(model, example, iris_json(name, features, labels, told), **options)
        return content, verify(model, example, format, content)
    except InputError as error:
        raise InputError(f"format {format}: {error}") from error
    except Exception as error:  # each pass of each compiler raises its own
        raise InputError(f"format {format}: PyTorch cannot export this model: {reason_of(error)}") from error


def verify(model: torch.nn.Module, example: torch.Tensor, format: str, content: bytes) -> float:
    """Loads an export back. Returns the largest absolute difference between its outputs and the model's.

    Raises InputError where the difference is more than rounding.
    """
    form = FORMS[format]
    largest = 0.0
    with torch.no_grad():
        run = form.open(content, model)
        for rows in BATCH_SIZES:
            batch = rows_like(example, rows)
            expected = model(batch)
            actual = run(batch).to(expected.device)
            if actual.shape != expected.shape:
                raise InputError(f"for {rows} rows it gives {list(actual.shape)}, the module {list(expected.shape)}")
            difference = (actual - expected).abs().max().item()
            if not difference <= form.tolerance * max(1.0, expected.abs().max().item()):  # true for NaN
                raise InputError(
                    f"the export does not compute what the module does: max abs difference {difference:g} "
                    f"for {rows} {'row' if rows == 1 else 'rows'}"
                )
            largest = max(largest, difference)
    return largest


def iris_json(name: str, features: Sequence[str], labels: Sequence[str], outputs: str | None = None) -> str:
    """outputs: None where they are one logit for each class, which goes without saying."""
    named = {"name": name, "features": list(features), "labels": list(labels)}
    return json.dumps({**named, "outputs": outputs} if outputs else named, separators=(",", ":"))
