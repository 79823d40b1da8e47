"""A report as tables for the terminal; the one file of the checker that needs rich."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence

from rich import box
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from symgrad.verify.verdict import Block, Conduct, Report, Verdict, worst_of

WIDTH = 120
"""Where there is no terminal."""

STYLES: dict[Verdict, str] = {"PASS": "green", "FAIL": "bold red", "INCONCLUSIVE": "yellow"}


def rendered(report: Report, width: int = WIDTH) -> RenderableType:
    """Blocks by instance, what did not pass and why, notes, and the verdict last."""
    parts: list[RenderableType] = []
    for place in dict.fromkeys((block.loss, block.instance) for block in report.blocks):
        blocks = [b for b in report.blocks if (b.loss, b.instance) == place]
        parts.append(_fitting(place, blocks, width))
    parts += [
        Text(f"kinks of {b.name} ({b.instance}): {b.kinks_said}")
        for b in report.blocks
        if b.at_kinks
    ]
    parts += [_doubt(block) for block in report.blocks if block.verdict != "PASS"]
    parts += [*_broken(report.conduct)]
    kept = sum(rule.verdict == "PASS" for rule in report.conduct)
    if kept:
        parts.append(Text(f"{kept} of {len(report.conduct)} rules of conduct kept"))
    parts += [Text(f"note: {note}", style="yellow") for note in report.notes]
    return Group(*parts, verdict_line(report))


def verdict_line(report: Report) -> Text:
    """The last line: the verdict, and what was compared."""
    return _verdict(report.verdict, f" {report.subject}: {report.summary}")


def rendered_all(reports: Sequence[Report], width: int = WIDTH) -> RenderableType:
    """A row for each report, those that did not pass in full, and their worst verdict last."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1))
    for title in ("", "verdict", *COUNTED):
        table.add_column(title, justify="right" if title in COUNTED else "left", no_wrap=True)
    for report in reports:
        table.add_row(report.subject, _verdict(report.verdict), *map(str, counts(report)))
    short = [rendered(report, width) for report in reports if report.verdict != "PASS"]
    passed = sum(report.verdict == "PASS" for report in reports)
    verdict = worst_of(report.verdict for report in reports)
    return Group(table, *short, _verdict(verdict, f" {passed} of {len(reports)} passed"))


COUNTED = ("blocks", "entries", "directions", "at kinks")


def counts(report: Report) -> tuple[int, ...]:
    entries = sum(block.entries for block in report.blocks)
    directions = sum(block.directions for block in report.blocks)
    return len(report.blocks), entries, directions, report.at_kinks


def _broken(conduct: Sequence[Conduct]) -> Iterator[Text]:
    """One line for each thing that went wrong, however many rules it broke."""
    broken = [rule for rule in conduct if rule.verdict != "PASS"]
    for verdict, note in dict.fromkeys((rule.verdict, rule.note) for rule in broken):
        first, *rest = [rule for rule in broken if (rule.verdict, rule.note) == (verdict, note)]
        more = f" and {len(rest)} more" if rest else ""
        yield _verdict(verdict, f" {first.loss}: {first.claim}{more}: {note}")


def text_of(report: Report, width: int = WIDTH) -> str:
    """The same as plain text."""
    return plain(rendered(report, width), width)


def plain(shown: RenderableType, width: int = WIDTH) -> str:
    """What is shown, without colours and trailing blanks."""
    console = Console(width=width, color_system=None, record=True, file=io.StringIO())
    console.print(shown)
    lines = console.export_text().splitlines()
    return "\n".join(line.rstrip() for line in lines) + "\n"


FIGURES = (
    "block", "verdict", "checked", "kinks", "worst at", "exact", "numeric", "error", "bound"
)  # fmt: skip
CHOICES = (
    FIGURES,
    ("block", "verdict", "checked", "worst at", "exact", "error"),
    ("block", "verdict", "checked", "error"),
    ("block", "verdict", "error"),
)
"""What a table shows, the most first: the first that fits is taken."""


def _fitting(place: tuple[str, str], blocks: Sequence[Block], width: int) -> Table:
    """The table with as many figures as there is room for."""
    ruler = Console(width=1000, file=io.StringIO())
    tables = [_blocks(place, blocks, titles) for titles in CHOICES]
    fits = (t for t in tables if ruler.measure(t).maximum <= width)
    return next(fits, tables[-1])


def _blocks(place: tuple[str, str], blocks: Iterable[Block], titles: Sequence[str]) -> Table:
    """One row a block: its worst entry is the one whose error is largest against its bound."""
    table = Table(
        title=f"{place[0]} ({place[1]})",
        title_justify="left",
        title_style="bold",
        box=box.SIMPLE_HEAD,
        pad_edge=False,
        padding=(0, 1),
    )
    left = {"block", "verdict", "worst at"}
    for title in titles:
        table.add_column(title, justify="left" if title in left else "right", no_wrap=True)
    for block in blocks:
        row = (
            block.name,
            _verdict(block.verdict),
            checked(block),
            str(block.kinks),
            block.place,
        )
        figures: tuple[str | Text, ...] = (*row, *_numbers(block))
        cells = dict(zip(FIGURES, figures, strict=True))
        style = None if block.verdict == "PASS" else STYLES[block.verdict]
        table.add_row(*(cells[t] for t in titles), style=style)
    return table


def checked(block: Block) -> str:
    """`24` entries, all there are; `64 of 128 + 4 dir`: the rest by directions alone."""
    text = str(block.entries) if block.entries == block.total else ""
    text = text or f"{block.entries} of {block.total}"
    return text + (f" + {block.directions} dir" if block.directions else "")


def _numbers(block: Block) -> tuple[str, ...]:
    entry = block.worst
    if entry is None:
        return ("-",) * 4
    exact, numeric = f"{entry.exact:.7g}", f"{entry.numeric:.7g}"
    return exact, numeric, f"{entry.error:.1e}", f"{entry.bound:.1e}"


def _doubt(block: Block) -> Text:
    """One paragraph on a block that did not pass."""
    text = _verdict(block.verdict, f" {block.loss}: {block.name} ({block.instance})")
    for line in block.said:
        text.append(f"\n  {line}")
    return text


def _verdict(verdict: Verdict, more: str = "") -> Text:
    return Text().append(verdict, style=STYLES[verdict]).append(more)
