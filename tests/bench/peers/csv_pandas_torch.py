"""python csv_pandas_torch.py MODEL IN.csv OUT.csv [--probabilities]"""

import sys

import pandas as pd
import torch
from torch_classes import classify

from iris_export.iris_net import FEATURES, LABELS

model, source, target = sys.argv[1:4]
features = pd.read_csv(source, usecols=FEATURES, dtype="float32")[list(FEATURES)].to_numpy()
index, confidence, probabilities = classify(model, torch.from_numpy(features))
answers = {"label": pd.Categorical.from_codes(index.numpy(), LABELS), "confidence": confidence.numpy()}
if "--probabilities" in sys.argv:
    answers |= {f"p_{label}": probabilities[:, i].numpy() for i, label in enumerate(LABELS)}
pd.DataFrame(answers).to_csv(target, index=False)
