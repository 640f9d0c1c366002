"""IrisNet as ONNX, from logits to the answer: python export_onnx.py MODEL MODEL.onnx."""

import sys

import onnx
import torch
from onnx import TensorProto, helper, numpy_helper

from iris_export.iris_net import FEATURES, LABELS

state_dict = torch.load(sys.argv[1], weights_only=True)
nodes = [
    helper.make_node("Gemm", ["features", "fc1.weight", "fc1.bias"], ["fc1"], transB=1),
    helper.make_node("Relu", ["fc1"], ["relu"]),
    helper.make_node("Gemm", ["relu", "fc2.weight", "fc2.bias"], ["logits"], transB=1),
    helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
    helper.make_node("ArgMax", ["probabilities"], ["index"], axis=1, keepdims=0),
    helper.make_node("ReduceMax", ["probabilities"], ["confidence"], axes=[1], keepdims=0),
]
graph = helper.make_graph(
    nodes,
    "iris",
    [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["rows", len(FEATURES)])],
    [
        helper.make_tensor_value_info("index", TensorProto.INT64, ["rows"]),
        helper.make_tensor_value_info("confidence", TensorProto.FLOAT, ["rows"]),
        helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["rows", len(LABELS)]),
    ],
    [numpy_helper.from_array(tensor.numpy(), name) for name, tensor in state_dict.items()],
)
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
onnx.checker.check_model(model, full_check=True)
onnx.save(model, sys.argv[2])
