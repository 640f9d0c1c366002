"""The net of wide_inputs.py as ONNX, from logits to the answer: python export_wide.py MODEL.ts.pt MODEL.onnx."""

import sys

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

state_dict = torch.jit.load(sys.argv[1]).state_dict()
layers = sorted({name.split(".")[0] for name in state_dict})
nodes, last = [], "features"
for layer in layers:
    if nodes:
        nodes.append(helper.make_node("Relu", [last], [f"relu{layer}"]))
        last = f"relu{layer}"
    nodes.append(helper.make_node("Gemm", [last, f"{layer}.weight", f"{layer}.bias"], [f"fc{layer}"], transB=1))
    last = f"fc{layer}"
nodes += [
    helper.make_node("Softmax", [last], ["probabilities"], axis=1),
    helper.make_node("ArgMax", ["probabilities"], ["index"], axis=1, keepdims=0),
    helper.make_node("ReduceMax", ["probabilities"], ["confidence"], axes=[1], keepdims=0),
]
graph = helper.make_graph(
    nodes,
    "wide",
    [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", 13])],
    [
        helper.make_tensor_value_info("index", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("confidence", TensorProto.FLOAT, ["rows"]),
    ],
    [numpy_helper.from_array(tensor.detach().numpy(), name) for name, tensor in state_dict.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, sys.argv[2])
