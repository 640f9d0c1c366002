"""IrisNet: the classifier that the rest of the project trains, exports, loads and serves."""

import torch
from torch import nn

# The inputs in the model's order, in centimetres, and the classes in the order of the logits.
FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LABELS = ("setosa", "versicolor", "virginica")


class IrisNet(nn.Module):
    """Two linear layers with a ReLU between them.

    The attribute names are the keys of the state_dict: fc1.weight [hidden, features], fc1.bias [hidden],
    fc2.weight [classes, hidden], fc2.bias [classes], all float32.
    """

    def __init__(self, hidden: int = 16, features: int = len(FEATURES), classes: int = len(LABELS)):
        """Weights are nn.Linear's defaults, drawn from torch's global generator in the order fc1, fc2.

        Raises ValueError for a width below 1.
        """
        super().__init__()
        if min(hidden, features, classes) < 1:
            raise ValueError(f"IrisNet: widths must be at least 1, got {features} -> {hidden} -> {classes}")
        self.fc1 = nn.Linear(features, hidden)
        self.relu = nn.ReLU()
        self.fc2 = nn.Linear(hidden, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """x: float32 [N, features], cm. Returns logits (not probabilities): float32 [N, classes].

        Raises RuntimeError for another last dimension or dtype.
        """
        return self.fc2(self.relu(self.fc1(x)))
