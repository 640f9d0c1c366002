"""Writes a net of random weights as TorchScript, and its rows: python wide_inputs.py MODEL.ts.pt ROWS.csv N.

The same ones every time.
"""

import json
import sys

import numpy as np
import torch
from torch import nn

NAMES = {"features": [f"f{i}" for i in range(13)], "labels": [str(i) for i in range(10)]}
BLOCK = 1 << 17  # rows made at a time

model, source, rows = sys.argv[1], sys.argv[2], int(sys.argv[3])
torch.manual_seed(0)
net = nn.Sequential(nn.Linear(13, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(), nn.Linear(512, 10))
torch.jit.script(net.eval()).save(model, _extra_files={"iris.json": json.dumps(NAMES)})

random = np.random.default_rng(0)
with open(source, "w") as file:
    file.write(",".join(NAMES["features"]) + "\n")
    for start in range(0, rows, BLOCK):
        np.savetxt(file, random.normal(size=(min(BLOCK, rows - start), 13)), fmt="%.4f", delimiter=",")
