"""AOTInductor: the model compiled to native code for this machine and this PyTorch, as a .pt2 package."""

import os
import shlex
import shutil
import tempfile
import warnings
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import torch

from .export_torchscript import rewritten
from .model_file import InputError


def aoti_bytes(model: torch.nn.Module, example: torch.Tensor, iris_json: str) -> bytes:
    """A package with one model, `model`, for any number of rows. example: float32 [rows, features].

    iris.json is in extra/, as in TorchScript. PyTorch's version is in the model's metadata; no other version can load
    the package. The compiled sources are left out: they hold paths of this machine. Raises InputError where there is no
    compiler.
    """
    check_compiler()
    configs = {
        # Only the vector instructions that AOTI_CPU_ISA names, so that a loader can check them.
        "cpp.march": "",
        "cpp.dynamic_threads": True,  # set by the program that runs it, not by this machine
        "aot_inductor.precompile_headers": False,  # pays only from the second model on
        "aot_inductor.enable_line_tables": False,  # it holds paths of this machine
        "aot_inductor.metadata": {"torch_version": torch.__version__},
    }
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="iris-export-") as folder:
        warnings.simplefilter("ignore")
        program = torch.export.export(model, (example,), dynamic_shapes=({0: torch.export.Dim.DYNAMIC},))
        path = torch._inductor.aoti_compile_and_package(
            program, package_path=f"{folder}/model.pt2", inductor_configs=configs
        )
        package = BytesIO(Path(path).read_bytes())
    return rewritten(
        package, lambda name, record: None if name.endswith(".cpp") else record, {"extra/iris.json": iris_json}
    )


def open_aoti(content: bytes, model: torch.nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    with tempfile.TemporaryDirectory(prefix="iris-export-") as folder:
        path = Path(folder, "model.pt2")
        path.write_bytes(content)
        return torch._inductor.aoti_load_package(str(path))


def check_compiler() -> None:
    """Raises InputError where the C++ compiler, $CXX or g++, is not there."""
    compiler = (shlex.split(os.environ.get("CXX", "")) or ["g++"])[0]
    if shutil.which(compiler) is None:
        raise InputError(f"needs a C++ compiler, and {compiler} is not there: sudo apt-get install g++, or set CXX")
