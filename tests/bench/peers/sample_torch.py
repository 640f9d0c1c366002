"""One flower, the tutorial's way: python sample_torch.py MODEL FEATURE…"""

import sys

import torch

from iris_export.iris_net import LABELS, IrisNet

model = IrisNet()
model.load_state_dict(torch.load(sys.argv[1], weights_only=True))
model.eval()
with torch.no_grad():
    logits = model(torch.tensor([[float(text) for text in sys.argv[2:]]]))
    confidence, index = torch.softmax(logits, dim=1).max(dim=1)
print(f"Prediction: {LABELS[index.item()]}")
print(f"Confidence: {confidence.item():.1%}")
