"""A report as tables for the terminal; the one file of the checker that needs rich."""

from __future__ import annotations

import io
from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from symgrad.verify.verdict import Block, Entry, Report, Verdict

STYLES: dict[Verdict, str] = {"PASS": "green", "FAIL": "bold red", "INCONCLUSIVE": "yellow"}


def rendered(report: Report) -> RenderableType:
    """Blocks by instance, broken rules of conduct, notes, and the verdict last."""
    parts: list[RenderableType] = []
    for instance in dict.fromkeys((block.loss, block.instance) for block in report.blocks):
        parts.append(
            _blocks(instance, (b for b in report.blocks if (b.loss, b.instance) == instance))
        )
    parts += [_doubt(block) for block in report.blocks if block.verdict != "PASS"]
    for rule in report.conduct:
        if rule.verdict != "PASS":
            parts.append(_verdict(rule.verdict, f" {rule.loss}: {rule.claim}: {rule.note}"))
    kept = sum(rule.verdict == "PASS" for rule in report.conduct)
    if kept:
        parts.append(Text(f"{kept} of {len(report.conduct)} rules of conduct kept"))
    parts += [Text(f"note: {note}", style="yellow") for note in report.notes]
    parts.append(_verdict(report.verdict, f" {report.subject}"))
    return Group(*parts)


def text_of(report: Report, width: int = 120) -> str:
    """The same as plain text."""
    console = Console(width=width, color_system=None, record=True, file=io.StringIO())
    console.print(rendered(report))
    return console.export_text()


def _blocks(instance: tuple[str, str], blocks: Iterable[Block]) -> Table:
    table = Table(title=f"{instance[0]} ({instance[1]})", title_justify="left")
    table.add_column("block")
    for title in ("checked", "of", "kinks", "exact", "numeric", "error", "bound"):
        table.add_column(title, justify="right")
    table.add_column("worst at")
    table.add_column("verdict")
    for block in blocks:
        checked = [f"{block.entries}"] * (block.entries > 0 or not block.directions)
        checked += [f"{block.directions} directions"] * (block.directions > 0)
        table.add_row(
            block.name,
            " + ".join(checked),
            str(block.total),
            str(block.kinks),
            *_numbers(block.worst),
            _place(block),
            _verdict(block.verdict),
        )
    return table


def _numbers(entry: Entry | None) -> tuple[str, ...]:
    if entry is None:
        return ("-",) * 4
    return (
        f"{entry.exact:.9g}",
        f"{entry.numeric:.9g}",
        f"{entry.error:.1e}",
        f"{entry.bound:.1e}",
    )


def _place(block: Block) -> str:
    if block.worst is None:
        return "-"
    if block.worst.index is None:
        return "a direction"
    return f"{block.name}{list(block.worst.index)}" if block.worst.index else block.name


def _doubt(block: Block) -> Text:
    """One paragraph on a block that did not pass."""
    text = _verdict(block.verdict, f" {block.loss}: {block.name} ({block.instance})")
    if block.worst is not None:
        entry = block.worst
        text.append(f"\n  {_place(block)}: exact {entry.exact!r}, numeric {entry.numeric!r}")
        text.append(f", error {entry.error:.3g}, bound {entry.bound:.3g}")
        if entry.sides:
            text.append(f"; a kink, with slopes {entry.sides[0]!r} and {entry.sides[1]!r}")
    if block.equation:
        text.append(f"\n  from {block.equation}")
    if block.note:
        text.append(f"\n  {block.note}")
    return text


def _verdict(verdict: Verdict, more: str = "") -> Text:
    return Text(verdict, style=STYLES[verdict]).append(more, style="default")
