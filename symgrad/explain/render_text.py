"""A derivation as ASCII text of a given width."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import replace

from symgrad.explain.figures import figure_lines, table_lines
from symgrad.explain.steps import LOCAL, Code, Figure, Formula, Prose, Section, Step

GLUE = "\0"
"""Stands for a space at which no line is broken."""
BOUND = re.compile(r"(\([a-z]\w*(?:,[a-z]\w*)*:|\bgrad) ")
"""Where a reduction names its indices, and `grad Q`."""
LEAST = 40
"""No narrower: a formula needs room."""


def plain_text(title: str, description: str, sections: Sequence[Section], width: int) -> str:
    width = max(width, LEAST)
    lines = [*textwrap.wrap(title, width), "=" * min(width, len(title))]
    lines += textwrap.wrap(description, width)
    for section in sections:
        lines += ["", section.title, "-" * len(section.title)]
        for prose in section.intro:
            lines += _wrapped(_glued(prose, width), "- ", "  ", width)
        for figure in section.figures:
            lines += _figure(figure, "  ", width)
        for step in section.steps:
            lines += _step(step, width)
        lines += [""] if section.steps and section.remarks else []
        for prose in section.remarks:
            lines += _wrapped(_glued(prose, width), "- ", "  ", width)
    return "\n".join(lines) + "\n"


def prose_text(prose: Prose) -> str:
    return "".join(p.text if isinstance(p, Code) else p for p in prose)


def _glued(prose: Prose, width: int) -> str:
    """With the spaces of formulas that fit in a line held together."""

    def glued(part: str | Code) -> str:
        if isinstance(part, str):
            return part
        return part.text.replace(" ", GLUE) if len(part.text) < width // 2 else part.text

    return "".join(map(glued, prose))


def _step(step: Step, width: int) -> Iterator[str]:
    head, space = f"({step.number}) ", " " * 5
    head = head.ljust(len(space))
    rest = list(step.formulas)
    notes = [prose_text(n) for n in step.notes]
    if step.title:
        yield ""
        yield from _wrapped(_glued(step.title, width), head, space, width)
    else:
        first = rest.pop(0)
        if step.kind == "gradient":
            yield ""
        yield from _formula(first, head, width, f"   # {notes.pop()}" if notes else "")
        yield from _came_to(first, space, width)
        if step.kind == "gradient":
            for line in first.notation:
                yield from _wrapped(f"notation:    {line}", space, space + " " * 15, width)
    for formula in rest:
        label = f"{formula.label}:".ljust(13) if formula.label else ""
        yield from _formula(formula, space + label, width)
        yield from _came_to(formula, space + " " * len(label), width)
    for table in step.tables:
        yield ""
        yield from (f"{space}{line}".rstrip() for line in table_lines(table, width - len(space)))
    if step.tables and step.remarks:
        yield ""
    for prose in step.remarks:
        yield from _wrapped(_glued(prose, width), space, space, width)


def _came_to(formula: Formula, indent: str, width: int) -> Iterator[str]:
    """= and the numbers, under the formula."""
    if formula.figure is not None:
        yield from _figure(formula.figure, indent, width)


def _figure(figure: Figure, indent: str, width: int) -> Iterator[str]:
    head = f"{indent}{figure.name.text + ' ' if figure.name else ''}= "
    for line in figure_lines(figure.values, width - len(head)):
        yield (head + line).rstrip()
        head = " " * len(head)


def _formula(formula: Formula, head: str, width: int, behind: str = "") -> Iterator[str]:
    """On one line, else a line for each term, else broken at spaces and products."""
    shown = formula.text
    if formula.label == LOCAL and formula.conditions and len(head + shown) > width:
        yield from _formula(replace(formula, conditions=None), head, width, behind)
        indent = " " * (len(head) + 2)
        yield from _wrapped(formula.conditions.text, indent, indent, width)
        return
    if any(t.when for t in formula.terms) or len(head + shown) > width:
        yield from _by_terms(formula, head, width, behind)
    elif len(head + shown + behind) <= width:
        yield head + shown + behind
    else:
        yield head + shown
        indent = " " * len(head)
        yield from _wrapped(behind.strip(), indent, f"{indent}# ", width)


def _by_terms(formula: Formula, head: str, width: int, behind: str) -> Iterator[str]:
    """A line for each term; ranges stand in a column of their own where there is room."""
    left = f"{head}{formula.left.text} {formula.sign} "
    inner = " " * (len(head) + 2)
    lines = [left + formula.terms[0].text]
    for term in formula.terms[1:]:
        minus = term.text.startswith("-")
        lines.append(inner + (f"- {term.text[1:]}" if minus else f"+ {term.text}"))
    ranged = [len(s) for s, t in zip(lines, formula.terms, strict=True) if t.when]
    column = min(max(ranged, default=0), width - 24)
    for k, term in enumerate(formula.terms):
        if term.when:
            lines[k] = f"{lines[k].ljust(column)}   {term.when.text}"
    lines[-1] += f" {formula.conditions.text}" if formula.conditions else ""
    lines[-1] += behind
    for line in lines:
        if len(line) <= width:
            yield line
        else:
            indent = line[: len(line) - len(line.lstrip())]
            yield from _wrapped(line.lstrip(), indent, inner + "    ", width)


def _wrapped(text: str, first: str, later: str, width: int) -> Iterator[str]:
    """Broken at spaces, not behind sum(i:; beside a product's sign where that is not enough.

    Lines after the first begin further left where a word needs the room.
    """
    whole = re.findall(r"\S+(?: <=? \S+)*\s*", BOUND.sub(rf"\1{GLUE}", text))
    words = [part for word in whole for part in _parts(word, width - len(later))]
    longest = max((len(word.rstrip()) for word in words), default=0)
    later = later[: max(width - longest, 0)]
    line = first
    empty = True
    for word in words:
        if not empty and len(line) + len(word.rstrip()) > width:
            yield line.rstrip().replace(GLUE, " ")
            line = later
        line += word
        empty = False
    yield line.rstrip().replace(GLUE, " ")


def _parts(word: str, room: int) -> list[str]:
    """a*b**2/c: `a*`, `b**2`, `/c`, where the whole needs more room."""
    return [word] if len(word.rstrip()) <= room else re.split(r"(?<=[^*]\*)(?!\*)|(?=/)", word)
