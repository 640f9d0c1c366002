"""ONNX, by torch.export: opened by ONNX Runtime and many others, though not by iris."""

import io
import logging
import warnings
from collections.abc import Callable

import torch

from model_file import require_packages


def onnx_bytes(model: torch.nn.Module, example: torch.Tensor, iris_json: str) -> bytes:
    """One graph, from `features` float32 [rows, n] to `logits` float32 [rows, classes]; softmax is not in it.

    iris.json is among the model's metadata_props. What the exporter notes beside each node is left out: it holds the
    paths of the sources on this machine.
    """
    require_packages("onnx", "onnxscript", "onnxruntime")
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)  # it tells that torchvision is not there
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
