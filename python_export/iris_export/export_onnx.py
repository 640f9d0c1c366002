"""ONNX, made by torch.export. ONNX Runtime and many other runtimes open it; iris does not."""

import io
import logging
import warnings
from collections.abc import Callable

import torch

from .model_file import require_packages


def onnx_bytes(model: torch.nn.Module, example: torch.Tensor, iris_json: str) -> bytes:
    """One graph, from `features` float32 [rows, n] to `logits` float32 [rows, classes], without softmax.

    iris.json is among the model's metadata_props. The exporter's notes on each node are left out: they hold paths of
    this machine. Raises InputError where a package is missing.
    """
    require_packages("onnx", "onnxscript", "onnxruntime")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it warns that torchvision is missing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            model,
            (example,),
            dynamo=True,
            input_names=["features"],
            output_names=["logits"],
            dynamic_shapes=({0: "rows"},),
            verbose=False,
        )
    for node in program.model.graph.all_nodes():
        node.metadata_props.clear()
    program.model.metadata_props["iris.json"] = iris_json
    content = io.BytesIO()
    program.save(content)
    return content.getvalue()


def open_onnx(content: bytes, model: torch.nn.Module) -> Callable[[torch.Tensor], torch.Tensor]:
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    return lambda rows: torch.from_numpy(session.run(["logits"], {"features": rows.cpu().numpy()})[0])
