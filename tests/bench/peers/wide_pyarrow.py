"""python wide_pyarrow.py MODEL IN.csv OUT.csv, with MODEL.onnx by onnxruntime and MODEL.ts.pt by torch."""

import sys

import numpy as np
import pyarrow as pa
from pyarrow import csv

CHUNK = 1 << 10  # rows per pass: of 1024 to 65536 the fastest

model, source, target = sys.argv[1:4]
types = csv.ConvertOptions(column_types={f"f{i}": pa.float32() for i in range(13)})
rows = np.stack([column.to_numpy() for column in csv.read_csv(source, convert_options=types).columns], axis=1)
chunks = [rows[i : i + CHUNK] for i in range(0, len(rows), CHUNK)]
if model.endswith(".onnx"):
    import onnxruntime

    session = onnxruntime.InferenceSession(model)
    answers = [session.run(["index", "confidence"], {"features": chunk}) for chunk in chunks]
else:
    import torch

    net = torch.jit.load(model).eval()
    with torch.inference_mode():
        tops = [net(torch.from_numpy(chunk)).softmax(dim=1).max(dim=1) for chunk in chunks]
    answers = [(top.indices.numpy(), top.values.numpy()) for top in tops]
index, confidence = (np.concatenate(parts) for parts in zip(*answers, strict=True))
labels = pa.array([str(i) for i in range(10)]).take(pa.array(index))
csv.write_csv(pa.table({"label": labels, "confidence": confidence}), target, csv.WriteOptions(quoting_style="none"))
