"""Exports IrisNet from its state_dict to a form that runs without its code. export_formats.py is for other models.

python python_export/export.py models/iris_net.pt -o models/iris_net.ts.pt
python python_export/export.py models/iris_net.pt -o iris_net --format all
"""

import argparse
import pickle
import sys
import warnings
from pathlib import Path

import torch

from .export_aoti import check_compiler
from .export_formats import FORMS, exported
from .interrupts import tidy_ends
from .iris_net import FEATURES, LABELS, IrisNet
from .model_file import InputError, check_output, run_command, write_atomically
from .option_types import count
from .state_dicts import select_state_dict, without_prefixes


def load_iris_net(path: Path, hidden: int | None = None, key: str | None = None) -> IrisNet:
    """IrisNet in eval mode with the weights of a state_dict; nothing in the file is run (weights_only).

    hidden: the width that the file must have; None takes it from fc1.weight. key: which dictionary of a checkpoint;
    None chooses as `iris` does. Prefixes of DataParallel and torch.compile are dropped. Raises InputError where the
    file cannot be read, holds no state_dict, or does not fit.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about files that are refused below
            loaded = torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise InputError(f"{path}: {error.strerror or error}") from error
    except pickle.UnpicklingError as error:
        raise InputError(f"{path}: not a state_dict; save one with torch.save(model.state_dict(), FILE)") from error
    except Exception as error:  # a damaged file raises anything: RuntimeError, EOFError, KeyError, ValueError...
        if "TorchScript archives" in str(error):
            raise InputError(f"{path}: is TorchScript already; give the state_dict that train.py wrote") from error
        raise InputError(f"{path}: damaged, or not a model file: {_first_sentence(error)}") from error

    try:
        state_dict = without_prefixes(select_state_dict(loaded, key))
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
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


def example_flowers() -> torch.Tensor:
    """float32 [256, 4]: made-up flowers of 0 to 8 cm, always the same; torch's global generator is left alone."""
    return 8 * torch.rand(256, len(FEATURES), generator=torch.Generator().manual_seed(0))


def outputs_of(options: argparse.Namespace) -> dict[str, Path]:
    """The output file of each format. With `all`, -o is the stem of all, or a folder for files with MODEL's stem."""
    if options.format != "all":
        return {options.format: options.output}
    stem = options.output / options.model.stem if options.output.is_dir() else options.output
    return {format: stem.with_name(stem.name + form.extension) for format, form in FORMS.items()}


def run(options: argparse.Namespace) -> None:
    outputs = outputs_of(options)
    for output in outputs.values():
        check_output(output)
    model = load_iris_net(options.model, options.hidden, options.key)
    if not all(tensor.isfinite().all() for tensor in model.state_dict().values()):
        raise InputError(f"{options.model}: holds weights that are not finite; train it again")
    if "aoti" in outputs:  # first: making the others takes time
        try:
            check_compiler()
        except InputError as error:
            raise InputError(f"format aoti: {error}") from error
    names = {"name": "iris", "features": FEATURES, "labels": LABELS}
    own_options = {"torchscript": {"method": options.method}}
    made = {}
    with tidy_ends("export.py"):
        for format in outputs:
            if format == "aoti":
                print("export.py: compiling for aoti: some seconds to a minute", file=sys.stderr)
            own = own_options.get(format, {})
            made[format] = exported(model, example_flowers(), format, **names, **own)
    for format, output in outputs.items():  # once all of them are good
        content, difference = made[format]
        write_atomically(output, content)
        print(f"Wrote {output} ({format})")
        print(f"Max abs difference from the module: {difference:g}")


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="export.py",
        description="Export IrisNet from its state_dict to a format that runs without its Python code.",
        epilog="example: python python_export/export.py models/iris_net.pt -o models/iris_net.ts.pt",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
        allow_abbrev=False,
    )
    result.add_argument(
        "model", type=Path, metavar="MODEL", help="a state_dict of IrisNet, or a checkpoint that holds one"
    )
    result.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="OUT",
        required=True,
        default=argparse.SUPPRESS,
        help="the file to write; for all, what the names of the four begin with, or a folder",
    )
    result.add_argument("--format", choices=[*FORMS, "all"], default="torchscript", help="what to write")
    result.add_argument("--method", choices=["script", "trace"], default="script", help="how TorchScript is made")
    result.add_argument("--key", help="which dictionary of a checkpoint to export; None chooses as iris does")
    result.add_argument("--hidden", type=count, help="hidden width that the file must have; None takes any")
    return result


def _first_sentence(error: Exception) -> str:
    text = str(error).strip() or type(error).__name__
    return text.splitlines()[0].split(". ")[0].rstrip(".")


def main() -> int:
    return run_command(parser(), run)


if __name__ == "__main__":
    sys.exit(main())
