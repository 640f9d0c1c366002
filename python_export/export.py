"""Exports IrisNet from its state_dict to a format that runs without Python.

    python python_export/export.py models/iris_net.pt -o models/iris_net.ts.pt

The file says what it is in the extra file iris.json: the model's name, its features and its labels, in order.
"""

import argparse
import io
import json
import pickle
import re
import sys
import warnings
from pathlib import Path

import torch

from iris_net import FEATURES, LABELS, IrisNet
from model_file import InputError, check_output, run_command, write_atomically
from option_types import positive

METADATA_FILE = "iris.json"
METADATA = json.dumps({"name": "iris", "features": FEATURES, "labels": LABELS}, separators=(",", ":"))

# Neighbouring lines of a class in the archive's code/, such as `  in_features : Final[int] = 4`.
_CONSTANTS = re.compile(rb"(?:^  \w+ : Final\[.*\n)+", re.MULTILINE)


def load_iris_net(path: Path, hidden: int | None = None) -> IrisNet:
    """IrisNet in eval mode with the weights of a state_dict file; nothing in the file is run (weights_only).

    hidden: the width that the file must have; None takes it from fc1.weight. Raises InputError where the file cannot be
    read, is not a state_dict, or does not fit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that are refused below
            state_dict = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: not a state_dict; save one with torch.save(model.state_dict(), FILE)") from error
    except Exception as error:  # a damaged file raises anything: RuntimeError, EOFError, KeyError, ValueError...
        if "TorchScript archives" in str(error):
            raise InputError(f"{path}: is TorchScript already; give the state_dict that train.py wrote") from error
        raise InputError(f"{path}: damaged, or not a model file: {_first_sentence(error)}") from error

    if not isinstance(state_dict, dict) or not isinstance(state_dict.get("fc1.weight"), torch.Tensor):
        raise InputError(f"{path}: not the state_dict of an IrisNet: no tensor fc1.weight")
    if hidden is None:
        hidden = max(state_dict["fc1.weight"].shape[:1].numel(), 1)
    model = IrisNet(hidden)
    try:
        model.load_state_dict(state_dict)
    except RuntimeError as error:
        faults = "; ".join(line.strip().rstrip(".") for line in str(error).splitlines()[1:])
        raise InputError(f"{path}: does not fit IrisNet with {hidden} hidden units: {faults}") from error
    return model.eval()


def to_torchscript(model: IrisNet, method: str) -> torch.jit.ScriptModule:
    """method: `script` (compiled from the source) or `trace` (recorded from one call, for any number of rows)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # TorchScript is; LibTorch goes on loading it
        if method == "trace":
            return torch.jit.trace(model, example_flowers()[:2])
        return torch.jit.script(model)


def torchscript_bytes(module: torch.jit.ScriptModule, extra_files: dict[str, str]) -> bytes:
    """What torch.jit.save writes, made reproducible: the same module gives the same bytes in every run and checkout.

    The debug records are left out, since they hold the paths of the sources on this machine, and the constants of a
    class, which PyTorch keeps in a set, are written in the order of their names.
    """
    saved = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.jit.save(module, saved, _extra_files=extra_files)
    saved.seek(0)
    reader = torch._C.PyTorchFileReader(saved)
    result = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(result)
    writer.set_min_version(int(reader.get_record("version")))
    written_by_the_writer = ("version", "byteorder", ".data/serialization_id")
    for name in reader.get_all_records():
        if not name.endswith(".debug_pkl") and name not in written_by_the_writer:
            content = reader.get_record(name)
            if name.startswith("code/"):
                content = _CONSTANTS.sub(lambda lines: b"".join(sorted(lines[0].splitlines(keepends=True))), content)
            writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    return result.getvalue()


def verify(model: IrisNet, content: bytes) -> float:
    """Loads the export back and returns the greatest difference between its logits and the module's.

    Raises InputError where they are not equal within float32 rounding.
    """
    flowers = example_flowers()
    with torch.no_grad(), warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        expected = model(flowers)
        actual = torch.jit.load(io.BytesIO(content))(flowers)
    difference = (actual - expected).abs().max().item()
    if not torch.allclose(actual, expected, rtol=1e-6, atol=1e-6):
        raise InputError(f"the export does not compute what the module does: max abs difference {difference:g}")
    return difference


def example_flowers() -> torch.Tensor:
    """float32 [256, 4]: made-up flowers of 0 to 8 cm, always the same; torch's global generator is left alone."""
    return 8 * torch.rand(256, len(FEATURES), generator=torch.Generator().manual_seed(0))


def run(options: argparse.Namespace) -> None:
    check_output(options.output)
    model = load_iris_net(options.model, options.hidden)
    if not all(tensor.isfinite().all() for tensor in model.state_dict().values()):
        raise InputError(f"{options.model}: holds weights that are not finite; train it again")
    content = torchscript_bytes(to_torchscript(model, options.method), {METADATA_FILE: METADATA})
    difference = verify(model, content)
    write_atomically(options.output, content)
    print(f"Wrote {options.output} ({options.format}, {options.method})")
    print(f"Max abs difference from the module: {difference:g}")


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="export.py",
        description="Export IrisNet from its state_dict to a format that runs without Python.",
        epilog="example: python python_export/export.py models/iris_net.pt -o models/iris_net.ts.pt",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument("model", type=Path, metavar="MODEL", help="the state_dict that train.py wrote")
    result.add_argument(
        "-o", "--output", type=Path, metavar="OUT", required=True, default=argparse.SUPPRESS, help="the file to write"
    )
    result.add_argument("--format", choices=["torchscript"], default="torchscript", help="what to write")
    result.add_argument("--method", choices=["script", "trace"], default="script", help="how TorchScript is made")
    result.add_argument("--hidden", type=positive, help="hidden width that the file must have; None takes any")
    return result


def _first_sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].split(". ")[0].rstrip(".")


if __name__ == "__main__":
    sys.exit(run_command(parser(), run))
