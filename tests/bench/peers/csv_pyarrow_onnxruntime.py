"""python csv_pyarrow_onnxruntime.py MODEL.onnx IN.csv OUT.csv [--probabilities]"""

import sys

import numpy as np
import onnxruntime
from arrow_csv import read, write

CHUNK = 1 << 16  # rows per pass: of 4096 to 1048576 the fastest

model, source, target = sys.argv[1:4]
wanted = ["index", "confidence", *(["probabilities"] if "--probabilities" in sys.argv else [])]
features = read(source)
session = onnxruntime.InferenceSession(model)
chunks = [session.run(wanted, {"features": features[i : i + CHUNK]}) for i in range(0, len(features), CHUNK)]
index, confidence, *probabilities = (np.concatenate(parts) for parts in zip(*chunks, strict=True))
write(target, index, confidence, probabilities[0] if probabilities else None)
