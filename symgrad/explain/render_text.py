"""A derivation as ASCII text of a given width."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator, Sequence

from symgrad.explain.steps import Code, Formula, Prose, Section, Step

LEAST = 40
"""No narrower: a formula needs room."""


def plain_text(title: str, description: str, sections: Sequence[Section], width: int) -> str:
    width = max(width, LEAST)
    lines = [*textwrap.wrap(title, width), "=" * min(width, len(title))]
    lines += textwrap.wrap(description, width)
    for section in sections:
        lines += ["", section.title, "-" * len(section.title)]
        for prose in (*section.intro, *section.remarks):
            lines += _wrapped(prose_text(prose), "- ", "  ", width)
        for step in section.steps:
            lines += _step(step, width)
    return "\n".join(lines) + "\n"


def prose_text(prose: Prose) -> str:
    return "".join(p.text if isinstance(p, Code) else p for p in prose)


def _step(step: Step, width: int) -> Iterator[str]:
    head, space = f"({step.number}) ", " " * 5
    head = head.ljust(len(space))
    rest = list(step.formulas)
    notes = [prose_text(n) for n in step.notes]
    if step.title:
        yield ""
        yield from _wrapped(prose_text(step.title), head, space, width)
    else:
        first = rest.pop(0)
        if step.kind == "gradient":
            yield ""
        yield from _formula(first, head, width, f"   # {notes.pop()}" if notes else "")
        if step.kind == "gradient":
            for line in first.notation:
                yield from _wrapped(f"notation:    {line}", space, space + " " * 15, width)
    for formula in rest:
        label = f"{formula.label}:".ljust(13) if formula.label else ""
        yield from _formula(formula, space + label, width)


def _formula(formula: Formula, head: str, width: int, behind: str = "") -> Iterator[str]:
    """On one line, else a line for each term, else broken at spaces and products."""
    shown = formula.text
    if any(t.when for t in formula.terms) or len(head + shown) > width:
        yield from _by_terms(formula, head, width, behind)
    elif len(head + shown + behind) <= width:
        yield head + shown + behind
    else:
        yield head + shown
        yield from _wrapped(behind.strip(), " " * len(head), " " * len(head) + "  ", width)


def _by_terms(formula: Formula, head: str, width: int, behind: str) -> Iterator[str]:
    left = f"{head}{formula.left.text} {formula.sign} "
    inner = " " * (len(head) + 2)
    for k, term in enumerate(formula.terms):
        text = term.text
        if k:
            text = f"- {text[1:]}" if text.startswith("-") else f"+ {text}"
        if term.when:
            text += f"   {term.when.text}"
        last = k == len(formula.terms) - 1
        if last and formula.conditions:
            text += f" {formula.conditions.text}"
        if last:
            text += behind
        yield from _wrapped(text, left if not k else inner, inner + "    ", width)


def _wrapped(text: str, first: str, later: str, width: int) -> Iterator[str]:
    """Broken at spaces, and after a product's sign where that is not enough."""
    room = width - len(later)
    words = [w for word in re.findall(r"\S+\s*", text) for w in _parts(word, room)]
    line = first
    empty = True
    for word in words:
        if not empty and len(line) + len(word.rstrip()) > width:
            yield line.rstrip()
            line = later
        line += word
        empty = False
    yield line.rstrip()


def _parts(word: str, room: int) -> list[str]:
    if len(word.rstrip()) <= room:
        return [word]
    return re.findall(r"(?:[^*]|\*\*)+\*?\s*", word)
