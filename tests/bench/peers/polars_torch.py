"""python polars_torch.py MODEL IN OUT [--probabilities]; IN and OUT are CSV or .ndjson, which has `index` too."""

import sys

import polars as pl
import torch
from torch_classes import classify

from iris_export.iris_net import FEATURES, LABELS

model, source, target = sys.argv[1:4]
read = pl.read_ndjson if source.endswith(".ndjson") else pl.read_csv
features = read(source, schema=dict.fromkeys(FEATURES, pl.Float32)).to_numpy()
index, confidence, probabilities = classify(model, torch.from_numpy(features))
answers = {"label": pl.Series(LABELS).gather(index.numpy())}
answers |= {"index": index.numpy()} if target.endswith(".ndjson") else {}
answers |= {"confidence": confidence.numpy()}
if "--probabilities" in sys.argv:
    answers |= {f"p_{label}": probabilities[:, i].numpy() for i, label in enumerate(LABELS)}
table = pl.DataFrame(answers)
if target.endswith(".ndjson"):
    table.write_ndjson(target)
else:
    table.write_csv(target)
