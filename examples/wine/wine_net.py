"""From a PyTorch model of one's own to iris: trains a classifier of wines and exports it in every form.

    python examples/wine/wine_net.py wine

makes the folder `wine`: the model in each form, and test.csv, the wines that it was not trained on.
"""

import argparse
import csv
import sys
from pathlib import Path

import torch
from sklearn.datasets import load_wine
from sklearn.model_selection import train_test_split
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "python_export"))
from iris_export import export_model  # noqa: E402

FILES = {
    "torchscript": "wine_net.ts.pt",
    "aoti": "wine_net.pt2",
    "onnx": "wine_net.onnx",
    "safetensors": "wine_net.safetensors",
}


class WineNet(nn.Module):
    """Measurements as they are in, logits out: their scaling is part of the model, and so of every export."""

    def __init__(self, mean: torch.Tensor, scale: torch.Tensor, classes: int):
        super().__init__()
        self.register_buffer("mean", mean)
        self.register_buffer("scale", scale)
        self.layers = nn.Sequential(
            nn.Linear(len(mean), 32), nn.BatchNorm1d(32), nn.ReLU(), nn.Dropout(0.3), nn.Linear(32, classes)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layers((x - self.mean) / self.scale)


def train(x: torch.Tensor, y: torch.Tensor) -> WineNet:
    model = WineNet(x.mean(0), x.std(0), classes=int(y.max()) + 1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(60):
        for batch in torch.randperm(len(x)).chunk(8):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
    return model.eval()  # dropout passes all, batch-norm uses what it has learned


def write_csv(path: Path, header: list[str], rows, labels: list[str]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([*header, "wine"])
        writer.writerows([*row, label] for row, label in zip(rows.tolist(), labels, strict=True))


def main() -> None:
    parser = argparse.ArgumentParser(description="Trains a classifier of wines and exports it in every form.")
    parser.add_argument("folder", type=Path, help="where the model goes; made where it is not there")
    folder = parser.parse_args().folder
    folder.mkdir(exist_ok=True)

    torch.manual_seed(0)
    torch.set_num_threads(1)  # for so small a model, more would wait for each other
    data = load_wine()
    features, labels = list(data.feature_names), [str(name) for name in data.target_names]
    x_train, x_test, y_train, y_test = train_test_split(
        data.data, data.target, test_size=0.25, stratify=data.target, random_state=0
    )
    x = torch.tensor(x_train, dtype=torch.float32)
    model = train(x, torch.tensor(y_train))
    with torch.no_grad():
        right = model(torch.tensor(x_test, dtype=torch.float32)).argmax(1) == torch.tensor(y_test)
    print(f"Test accuracy: {right.float().mean():.1%}")

    write_csv(folder / "test.csv", features, x_test, [labels[y] for y in y_test])
    for form, name in FILES.items():
        difference = export_model(model, x, folder / name, form, name="wine", features=features, labels=labels)
        print(f"{folder / name}: {form}, at most {difference:.1g} from the module")


if __name__ == "__main__":
    main()
