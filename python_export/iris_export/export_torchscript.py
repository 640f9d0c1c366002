"""TorchScript: the module's own code, compiled for LibTorch's interpreter."""

import io
import re
import warnings
from collections.abc import Callable

import torch

# Neighbouring lines of a class in the archive's code/, such as `  in_features : Final[int] = 4`.
_CONSTANTS = re.compile(rb"(?:^  \w+ : Final\[.*\n)+", re.MULTILINE)


def to_torchscript(model: torch.nn.Module, example: torch.Tensor, method: str | None = None) -> torch.jit.ScriptModule:
    """method: "script" (compiled from the source), "trace" (recorded from one call) or None: the first that works.

    example: float32 [rows, features].
    """
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")  # TorchScript is deprecated; LibTorch still loads it
        if method != "trace":
            try:
                scripted = torch.jit.script(model)
                scripted(example)  # of a parametrized module, the compiled code only raises
                return scripted
            except Exception:  # the compiler knows only a part of Python
                if method == "script":
                    raise
            # No trace was asked for: one that keeps a single branch of the code is refused.
            warnings.filterwarnings("error", "Converting a tensor to a Python boolean", torch.jit.TracerWarning)
        return torch.jit.trace(model, example)


def make_torchscript(model: torch.nn.Module, example: torch.Tensor, iris_json: str, method: str | None = None) -> bytes:
    return torchscript_bytes(to_torchscript(model, example, method), {"iris.json": iris_json})


def torchscript_bytes(module: torch.jit.ScriptModule, extra_files: dict[str, str]) -> bytes:
    """What torch.jit.save writes, made reproducible: the same module gives the same bytes in every run and checkout.

    The debug records are left out: they hold paths of this machine. The constants of a class, which PyTorch keeps in a
    set, are sorted by name.
    """
    saved = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        torch.jit.save(module, saved, _extra_files=extra_files)

    def as_written(name: str, content: bytes) -> bytes | None:
        if name.endswith(".debug_pkl"):
            return None
        if name.startswith("code/"):
            return _CONSTANTS.sub(lambda lines: b"".join(sorted(lines[0].splitlines(keepends=True))), content)
        return content

    return rewritten(saved, as_written, {})


def rewritten(
    archive: io.BytesIO, change: Callable[[str, bytes], bytes | None], extra_records: dict[str, str]
) -> bytes:
    """A copy of a PyTorch archive, with more records at the end.

    change(name, content): the record's new content, or None to leave it out.
    """
    archive.seek(0)
    reader = torch._C.PyTorchFileReader(archive)
    result = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(result)
    records = {name: reader.get_record(name) for name in reader.get_all_records()}
    writer.set_min_version(int(records["version"] if "version" in records else records[".data/version"]))
    written_by_the_writer = ("version", ".data/version", "byteorder", ".data/serialization_id")
    records = {name: change(name, content) for name, content in records.items()}
    for name, content in {**records, **{name: text.encode() for name, text in extra_records.items()}}.items():
        if content is not None and name not in written_by_the_writer:
            writer.write_record(name, content, len(content))
    writer.write_end_of_file()
    return result.getvalue()


def open_torchscript(content: bytes, model: torch.nn.Module) -> torch.jit.ScriptModule:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as above
        return torch.jit.load(io.BytesIO(content))
