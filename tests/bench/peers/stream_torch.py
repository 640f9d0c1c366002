"""Rows of CSV from stdin, answered one by one: python stream_torch.py MODEL."""

import sys

import torch

from iris_export.iris_net import LABELS, IrisNet

model = IrisNet()
model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
model.eval()
sys.stdin.readline()  # the header
print("label,confidence", flush=True)
with torch.no_grad():
    for line in sys.stdin:
        logits = model(torch.tensor([[float(cell) for cell in line.split(",")]]))
        confidence, index = torch.softmax(logits, dim=1).max(dim=1)
        print(f"{LABELS[index.item()]},{confidence.item():.6f}", flush=True)
