"""python csv_pyarrow_torch.py MODEL IN.csv OUT.csv [--probabilities]"""

import sys

import torch
from arrow_csv import read, write
from torch_classes import classify

model, source, target = sys.argv[1:4]
index, confidence, probabilities = (tensor.numpy() for tensor in classify(model, torch.from_numpy(read(source))))
write(target, index, confidence, probabilities if "--probabilities" in sys.argv else None)
