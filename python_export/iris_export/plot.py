"""Draws the results of training and evaluation. The output's extension gives its format: svg, png or pdf.

    python python_export/plot.py history history.csv -o curves.svg
    python python_export/plot.py confusion evaluate.json -o confusion.svg
    python python_export/plot.py regions model.pt data/iris.csv -o regions.png

The same input gives the same bytes. The background is transparent; the colours can be read on white and on black.
"""

import argparse
import io
import itertools
import json
import sys
from pathlib import Path

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from . import history
from .model_file import InputError, check_output, run_command, write_atomically

GREY = "#7d838c"
TRAINING, TEST, VALIDATION = "#ee4c2c", "#4c8fd6", "#3fa56b"
CLASSES = ("#ee7a52", "#4c8fd6", "#3fa56b")
STYLE = {
    "font.size": 10,
    "font.sans-serif": ["Arial", "DejaVu Sans"],
    "text.color": GREY,
    "axes.edgecolor": GREY,
    "axes.labelcolor": GREY,
    "axes.titlecolor": GREY,
    "axes.titlesize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": GREY,
    "ytick.color": GREY,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.transparent": True,
    "svg.fonttype": "none",
    "svg.hashsalt": "iris",
}
# Without these, the file would hold the time of drawing.
METADATA = {".svg": {"Date": None}, ".png": {}, ".pdf": {"CreationDate": None}}
GRID = 200  # points of a region's side
DARK_FROM = 0.5  # share of its row from which a cell is dark


def draw_history(options: argparse.Namespace) -> Figure:
    """Loss and accuracy over the epochs, for every part of the data that the history has."""
    columns = history.read_csv(options.history)
    figure = Figure(figsize=(8, 3.2))
    parts = {"training": ("", TRAINING), "validation": ("validation_", VALIDATION), "test": ("test_", TEST)}
    for axes, figure_of in zip(figure.subplots(1, 2), ("loss", "accuracy"), strict=True):
        for name, (prefix, colour) in parts.items():
            if prefix + figure_of in columns:
                marker = "o" if len(columns["epoch"]) == 1 else None
                axes.plot(columns["epoch"], columns[prefix + figure_of], marker=marker, color=colour, label=name)
        axes.set_title(figure_of, loc="left")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
        axes.grid(color=GREY, alpha=0.25, linewidth=0.6)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.legend(loc="lower right")
    return figure


def draw_confusion(options: argparse.Namespace) -> Figure:
    """A cell for each pair of classes: how many rows of the row's class were predicted as the column's."""
    labels, counts, title = read_evaluation(options.evaluation)
    size = len(labels)
    figure = Figure(figsize=(1.6 + 1.1 * size, 1.3 + 0.85 * size))
    axes = figure.subplots()
    shares = [[count / max(sum(row), 1) for count in row] for row in counts]
    axes.imshow(shares, cmap="Blues", vmin=-0.15, vmax=1.15, aspect="auto")
    for row, column in itertools.product(range(size), repeat=2):
        colour = "white" if shares[row][column] > DARK_FROM else "#1f2937" if counts[row][column] else "#94a3b8"
        axes.text(column, row, f"{counts[row][column]:,}", color=colour, ha="center", va="center", fontsize=13)
    axes.set_xticks(range(size), labels)
    axes.set_yticks(range(size), labels)
    axes.set_xlabel("prediction")
    axes.set_ylabel("truth")
    axes.set_title(title, loc="left")
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure


def read_evaluation(path: Path) -> tuple[list[str], list[list[int]], str]:
    """(labels, confusion matrix, title) from what `iris evaluate --json` prints. Raises InputError for another file."""
    try:
        result = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputError(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not JSON; make it with iris evaluate MODEL DATA.csv --json > {path}") from error
    try:
        labels = [str(each["label"]) for each in result["classes"]]
        counts = [[_count(value) for value in row] for row in result["confusion_matrix"]]
        title = f"{_count(result['rows']):,} rows, accuracy {float(result['accuracy']):.1%}"
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path}: not what iris evaluate --json prints: {type(error).__name__}: {error}") from error
    if not labels or len(counts) != len(labels) or any(len(row) != len(labels) for row in counts):
        raise InputError(f"{path}: the confusion matrix is not one of {len(labels)} classes")
    return labels, counts, title


def draw_regions(options: argparse.Namespace) -> Figure:
    """For each pair of features, the class that the model predicts at each place, and the flowers.

    The other features are at their mean.
    """
    import torch  # here: it takes seconds to load, and the other pictures do not need it

    from .export import load_iris_net
    from .flowers import read_flowers
    from .iris_net import FEATURES, LABELS

    model, flowers = load_iris_net(options.model), read_flowers(options.data, options.label_column)
    figure = Figure(figsize=(9, 6.4))
    figure.get_layout_engine().set(w_pad=0.06, h_pad=0.06)
    with torch.no_grad():
        mistaken = model(flowers.features).argmax(dim=1) != flowers.labels
        pairs = itertools.combinations(range(len(FEATURES)), 2)
        for axes, (x, y) in zip(figure.subplots(2, 3).flat, pairs, strict=True):
            _draw_region(axes, model, flowers.features, x, y)
            for index, colour in enumerate(CLASSES):
                points = flowers.features[flowers.labels == index].numpy()
                axes.scatter(points[:, x], points[:, y], s=14, color=colour, edgecolors="white", linewidths=0.5)
            wrong = flowers.features[mistaken].numpy()
            axes.scatter(wrong[:, x], wrong[:, y], s=60, facecolors="none", edgecolors="#111827", linewidths=1.2)
            axes.set_xlabel(FEATURES[x].replace("_", " ") + ", cm")
            axes.set_ylabel(FEATURES[y].replace("_", " ") + ", cm")
    marks = [matplotlib.lines.Line2D([], [], color=colour, marker="o", ls="") for colour in CLASSES]
    marks.append(matplotlib.lines.Line2D([], [], color=GREY, marker="o", ls="", markersize=9, markerfacecolor="none"))
    figure.legend(marks, [*LABELS, "mistaken"], loc="outside upper center", ncols=len(marks))
    figure.supxlabel(
        "The colour of a place is the model's answer with the other two features at their mean.", fontsize=9
    )
    return figure


def _draw_region(axes: Axes, model, features, x: int, y: int) -> None:
    """features: float32 [N, 4]. Colours the plane of the features x and y, around all flowers."""
    import torch

    low, high = features.min(dim=0).values - 0.4, features.max(dim=0).values + 0.4
    across, up = (torch.linspace(low[i], high[i], GRID) for i in (x, y))
    grid = features.mean(dim=0).repeat(GRID * GRID, 1)
    grid[:, x], grid[:, y] = across.repeat(GRID), up.repeat_interleave(GRID)
    seen = model(grid).argmax(dim=1).reshape(GRID, GRID)
    light = matplotlib.colors.ListedColormap([_lighter(colour) for colour in CLASSES])
    extent = [axis[i].item() for axis in (across, up) for i in (0, -1)]
    axes.imshow(seen.numpy(), cmap=light, vmin=0, vmax=len(CLASSES) - 1, origin="lower", extent=extent, aspect="auto")


def _lighter(colour: str) -> tuple[float, ...]:
    return tuple(0.35 * part + 0.65 for part in matplotlib.colors.to_rgb(colour))


def _count(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise ValueError(f"not a count: {value!r:.60}")
    return value


def run(options: argparse.Namespace) -> None:
    check_output(options.output)
    content = io.BytesIO()
    extension = options.output.suffix.lower()
    with matplotlib.rc_context(STYLE):
        options.draw(options).savefig(content, format=extension[1:], dpi=110, metadata=METADATA[extension])
    write_atomically(options.output, content.getvalue())


def picture(text: str) -> Path:
    if Path(text).suffix.lower() not in METADATA:
        raise argparse.ArgumentTypeError(f"must end in {', '.join(METADATA)}, got {text}")
    return Path(text)


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(
        prog="plot.py", description="Draw what training and evaluation found out.", allow_abbrev=False
    )
    kinds = result.add_subparsers(required=True, metavar="history|confusion|regions")

    def kind(name: str, draw, text: str) -> argparse.ArgumentParser:
        added = kinds.add_parser(name, help=text, description=text, allow_abbrev=False)
        added.set_defaults(draw=draw)
        added.add_argument("-o", "--output", type=picture, required=True, metavar="FILE", help=".svg, .png or .pdf")
        return added

    added = kind("history", draw_history, "Loss and accuracy of every epoch.")
    added.add_argument(
        "history", type=Path, metavar="HISTORY.csv", help="what --history of train.py or iris train wrote"
    )
    added = kind("confusion", draw_confusion, "Which classes are taken for which.")
    added.add_argument("evaluation", type=Path, metavar="EVALUATE.json", help="what iris evaluate --json printed")
    added = kind("regions", draw_regions, "What the model sees where, over pairs of features.")
    added.add_argument("model", type=Path, metavar="MODEL", help="the state_dict of an IrisNet")
    added.add_argument("data", type=Path, metavar="DATA.csv", help="flowers, drawn as points")
    added.add_argument("--label-column", default="species", metavar="NAME", help="the column of labels (species)")
    return result


def main() -> int:
    return run_command(parser(), run)


if __name__ == "__main__":
    sys.exit(main())
