"""Time and memory against the size of a dataset, from what `compare.py` has saved: PNG and SVG beside it.

python benchmarks/plot.py benchmark-results/compare.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.pyplot as plt

LEFT_OUT = ("interpreter", "checksums verified")


def series(document: dict[str, Any]) -> dict[str, list[tuple[float, float, float]]]:
    """Give, by way, millions of tokens, microseconds a token, and MB above the interpreter."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for size, rows in document["sizes"].items():
        for row in rows:
            if not any(text in row["name"] for text in LEFT_OUT):
                point = (int(size) / 1e6, 1e6 * row["seconds"] / int(size), row["above_interpreter_mb"])
                found.setdefault(row["name"], []).append(point)
    return found


def main() -> None:
    """Draw both figures side by side."""
    source = Path(sys.argv[1])
    document = json.loads(source.read_text("utf-8"))
    figure, (time, memory) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
    for name, points in series(document).items():
        style = {"linewidth": 2.2} if "check" in name else {"linewidth": 1.2, "linestyle": "--"}
        size, microseconds, megabytes = zip(*points, strict=True)
        time.plot(size, microseconds, marker="o", label=name, **style)
        memory.plot(size, megabytes, marker="o", label=name, **style)
    time.set(ylabel="µs a token, start-up counted", xlabel="million tokens", ylim=(0, None), xlim=(0, None))
    memory.set(ylabel="peak MB above the interpreter", xlabel="million tokens", ylim=(0, None), xlim=(0, None))
    for axes in (time, memory):
        axes.grid(alpha=0.3)
    handles, labels = time.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=3, frameon=False)
    for extension in (".png", ".svg"):
        # No date and fixed ids: the same numbers give the same file.
        mpl.rcParams["svg.hashsalt"] = "logitpack"
        figure.savefig(source.with_suffix(extension), dpi=150, metadata={"Date": None} if extension == ".svg" else None)


if __name__ == "__main__":
    main()
