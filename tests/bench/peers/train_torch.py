"""As tutorials train: python train_torch.py DATA.csv MODEL EPOCHS. Adam as it comes, a DataLoader, no checkpoints."""

import csv
import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset, random_split

from iris_export.iris_net import FEATURES, LABELS, IrisNet

data, target, epochs = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(data, newline="") as file:
    rows = list(csv.DictReader(file))
features = torch.tensor([[float(row[name]) for name in FEATURES] for row in rows])
labels = torch.tensor([LABELS.index(row["species"]) for row in rows])

torch.manual_seed(0)
training, test = random_split(TensorDataset(features, labels), [0.8, 0.2])
model = IrisNet()
loss_function = nn.CrossEntropyLoss()
optimizer = torch.optim.Adam(model.parameters(), lr=0.005)
for _ in range(epochs):
    for batch, wanted in DataLoader(training, batch_size=16, shuffle=True):
        optimizer.zero_grad()
        loss_function(model(batch), wanted).backward()
        optimizer.step()

model.eval()
with torch.no_grad():
    batch, wanted = test[:]
    print(f"Test accuracy: {(model(batch).argmax(dim=1) == wanted).float().mean().item():.1%}")
torch.save(model.state_dict(), target)
