"""The pictures of docs/performance.md, drawn by matplotlib as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot as plt

COLOURS = {"signalbox": "#1f6f8b", "kamailio": "#c8963e", "null": "#9a9a9a"}
SIZE = (7.5, 3.6)
# The same figures shall make the same file.
SETTINGS: Any = {"svg.hashsalt": "signalbox", "font.size": 9, "axes.spines.top": False, "axes.spines.right": False}

Points = Sequence[tuple[float, float]]


def draw_bars(path: Path, title: str, unit: str, groups: Mapping[str, Mapping[str, float]]) -> None:
    """For each group (a case) a bar of each peer."""
    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(figsize=SIZE)
        width = 0.8 / len(COLOURS)
        for place, (peer, colour) in enumerate(COLOURS.items()):
            shown = [(x + place * width, bars[peer]) for x, bars in enumerate(groups.values()) if peer in bars]
            drawn = axes.bar([x for x, _ in shown], [y for _, y in shown], width, color=colour, label=peer)
            axes.bar_label(drawn, fmt="%.0f", fontsize=7)
        axes.set_xticks([x + width for x in range(len(groups))], list(groups))
        _finish(figure, axes, path, title, unit)


def draw_lines(path: Path, title: str, unit: str, across: str, lines: Mapping[str, Points]) -> None:
    """Each line by its name, over a logarithmic axis; a name that begins with a peer has its colour."""
    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(figsize=SIZE)
        for name, points in lines.items():
            colour = COLOURS.get(name.split(",")[0])
            style = "--" if "call" in name else "-"
            axes.plot([x for x, _ in points], [y for _, y in points], style, marker="o", color=colour, label=name)
        axes.set_xscale("log")
        ticks = sorted({x for points in lines.values() for x, _ in points})
        axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
        axes.minorticks_off()
        axes.set_xlabel(across)
        _finish(figure, axes, path, title, unit)


def draw_history(path: Path, title: str, commits: Sequence[str], ratios: Mapping[str, Sequence[float | None]]) -> None:
    """The ratio of each case over the commits; None where a run had not that case."""
    with plt.rc_context(SETTINGS):
        figure, axes = plt.subplots(figsize=SIZE)
        for name, values in ratios.items():
            known = [(x, value) for x, value in enumerate(values) if value is not None]
            axes.plot([x for x, _ in known], [y for _, y in known], marker="o", label=name)
        axes.set_xticks(range(len(commits)), list(commits), rotation=30, ha="right", fontsize=7)
        _finish(figure, axes, path, title, "ratio to Kamailio")


def _finish(figure: Any, axes: Any, path: Path, title: str, unit: str) -> None:
    axes.set_title(title, loc="left")
    axes.set_ylabel(unit)
    axes.set_ylim(bottom=0)
    axes.grid(axis="y", alpha=0.3)
    axes.legend(frameon=False)
    figure.tight_layout()
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)
