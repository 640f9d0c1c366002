"""Draws how many times as long as iris the others take: python chart.py OUT.svg RESULTS.json…"""

import json
import sys
import textwrap
from pathlib import Path

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt  # noqa: E402

# Read on white and on black: no background, and greys in between.
TEXT, OURS, THEIRS = "#7a7f87", "#ee4c2c", "#7a9cc6"
WIDTH, BAR, HEAD = 8.0, 0.24, 0.5  # inches; HEAD is the space above a section's bars
plt.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "iris", "font.size": 10, "text.color": TEXT})
plt.rcParams.update({"ytick.color": TEXT, "axes.titlesize": 11, "font.sans-serif": ["Arial", "DejaVu Sans"]})


def draw(sections: list[dict], path: Path) -> None:
    """A row of bars for each program, one section below the other, on the same scale."""
    counts = [len(section["ratios"]) for section in sections]
    longest = max(ratio for section in sections for ratio in section["ratios"].values())
    figure, rows = plt.subplots(
        len(sections),
        1,
        squeeze=False,
        figsize=(WIDTH, sum(counts) * BAR + len(sections) * HEAD),
        height_ratios=[count * BAR + 0.02 for count in counts],
        layout="constrained",
    )
    for axes, section in zip(rows.flat, sections, strict=True):
        ratios = dict(sorted(section["ratios"].items(), key=lambda item: item[1]))
        bars = axes.barh(list(ratios), list(ratios.values()), height=0.72)
        for bar, name in zip(bars, ratios, strict=True):
            bar.set_color(OURS if name == "iris" else THEIRS)
        labels = [f"{ratio:.1f}×  {section['medians'][name]['peak_mib']:,.0f} MiB" for name, ratio in ratios.items()]
        axes.bar_label(bars, labels, padding=4)
        axes.set_title(textwrap.shorten(section["name"], 90), loc="left", color=TEXT, fontweight="bold")
        axes.set_xlim(0, longest * 1.25)
        axes.invert_yaxis()
        axes.xaxis.set_visible(False)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
    figure.supxlabel("time, iris = 1 (shorter is faster), and peak memory", color=TEXT, fontsize=10)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, transparent=True, metadata={"Date": None})


if __name__ == "__main__":
    draw(
        [section for name in sys.argv[2:] for section in json.loads(Path(name).read_text())["sections"]],
        Path(sys.argv[1]),
    )
