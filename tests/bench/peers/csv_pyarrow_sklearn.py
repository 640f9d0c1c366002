"""python csv_pyarrow_sklearn.py MODEL.joblib IN.csv OUT.csv [--probabilities]"""

import sys

import joblib
import numpy as np
from arrow_csv import read, write

CHUNK = 1 << 12  # rows per pass: of 4096 to 1048576 the fastest

model, source, target = sys.argv[1:4]
features = read(source)
network = joblib.load(model)
chunks = [network.predict_proba(features[i : i + CHUNK]) for i in range(0, len(features), CHUNK)]
probabilities = np.concatenate(chunks)
index = probabilities.argmax(axis=1)
confidence = np.ascontiguousarray(probabilities.T).max(axis=0)  # many times faster than along the rows
write(target, index, confidence, probabilities if "--probabilities" in sys.argv else None)
