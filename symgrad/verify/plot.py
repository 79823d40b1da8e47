"""A report's curves as a picture; matplotlib, the extra `plot`, lives here alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from matplotlib import rc_context
from matplotlib.figure import Figure

from symgrad.errors import SpecError
from symgrad.verify.verdict import Report

FORMATS = (".png", ".svg")
MOST = 5
"""Entries in one picture; the worst ones."""


def checked_path(path: Path) -> Path:
    """A file that can be written as a picture."""
    if path.suffix.lower() not in FORMATS:
        raise SpecError(f'--plot {path}: the name ends in "{path.suffix}", expected .png or .svg')
    if not path.absolute().parent.is_dir():
        raise SpecError(f"--plot {path}: there is no folder {path.parent}")
    return path


def plot(report: Report, path: Path) -> None:
    """Error against step, a colour for each entry: a V, or a plateau where the gradient is wrong.

    Rounding lifts the left arm. In 60 digits, dashed, there is only that of the code itself.
    """
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.add_subplot()
    entries = list(dict.fromkeys((c.place, c.instance) for c in report.curves))[:MOST]
    for curve in report.curves:
        if (curve.place, curve.instance) not in entries:
            continue
        floor = [max(error, 1e-40) for error in curve.errors]  # 0 has no place on the axis
        axes.loglog(
            curve.steps,
            floor,
            color=f"C{entries.index((curve.place, curve.instance))}",
            linestyle="-" if curve.numbers == "float64" else "--",
            marker=".",
            label=f"{curve.place}, {curve.instance.split(',')[0]}: {curve.numbers}",
        )
    axes.set_xlabel("step h")
    axes.set_ylabel("| difference quotient - gradient |")
    axes.set_title(f"{report.verdict} {report.subject}")
    axes.grid(alpha=0.3)
    if report.curves:
        figure.legend(loc="outside right upper", fontsize="small")
    # Neither a time nor a random name: the same report gives the same bytes.
    undated: Any = {"Date": None} if path.suffix.lower() == ".svg" else {}
    with rc_context({"svg.hashsalt": "symgrad"}):
        figure.savefig(path, metadata=undated)
