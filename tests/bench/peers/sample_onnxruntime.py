"""One flower: python sample_onnxruntime.py MODEL.onnx FEATURE…"""

import sys

import numpy as np
import onnxruntime

LABELS = ("setosa", "versicolor", "virginica")

session = onnxruntime.InferenceSession(sys.argv[1])
features = np.array([[float(text) for text in sys.argv[2:]]], dtype=np.float32)
index, confidence = session.run(["index", "confidence"], {"features": features})
print(f"Prediction: {LABELS[index[0]]}")
print(f"Confidence: {confidence[0]:.1%}")
