"""IrisNet's weights in scikit-learn's own network: python export_sklearn.py MODEL MODEL.joblib."""

import sys

import joblib
import numpy as np
import torch
from sklearn.neural_network import MLPClassifier

from iris_export.iris_net import FEATURES, LABELS

state_dict = torch.load(sys.argv[1], weights_only=True)
layers = ("fc1", "fc2")
model = MLPClassifier(hidden_layer_sizes=len(state_dict["fc1.bias"]))
nothing = np.zeros((len(LABELS), len(FEATURES)), dtype=np.float32)
model.partial_fit(nothing, range(len(LABELS)), classes=range(len(LABELS)))  # lays out the layers
model.coefs_ = [np.ascontiguousarray(state_dict[f"{layer}.weight"].numpy().T) for layer in layers]
model.intercepts_ = [state_dict[f"{layer}.bias"].numpy() for layer in layers]
joblib.dump(model, sys.argv[2])
