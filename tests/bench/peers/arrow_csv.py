"""What the peers on pyarrow share: CSV read into float32 rows, answers written as CSV."""

import numpy as np
import pyarrow as pa
from pyarrow import csv

FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
LABELS = ("setosa", "versicolor", "virginica")


def read(source: str) -> np.ndarray:
    """The features: float32 [N, 4]."""
    float32 = csv.ConvertOptions(column_types=dict.fromkeys(FEATURES, pa.float32()), include_columns=FEATURES)
    return np.stack([column.to_numpy() for column in csv.read_csv(source, convert_options=float32).columns], axis=1)


def write(target: str, index: np.ndarray, confidence: np.ndarray, probabilities: np.ndarray | None) -> None:
    """One line for each class in `index`; probabilities, [N, 3], only where wanted."""
    answers = {"label": pa.array(LABELS).take(pa.array(index)), "confidence": confidence}
    if probabilities is not None:
        answers |= {f"p_{label}": np.ascontiguousarray(probabilities[:, i]) for i, label in enumerate(LABELS)}
    csv.write_csv(pa.table(answers), target, csv.WriteOptions(quoting_style="none", batch_size=1 << 16))
