r"""A derivation in LaTeX: amsmath's align*, one formula a line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symgrad.explain.figures import figure_latex, number_latex, table_latex
from symgrad.explain.steps import (
    Cell,
    Code,
    Figure,
    Formula,
    Prose,
    Section,
    Step,
    added,
    latex_sign,
)

SPECIAL = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "%": r"\%",
    "#": r"\#",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    '"': r"\textquotedbl{}",
}
NUMBER = re.compile(r"-?(\d+(\.\d+)?(e[+-]?\d+)?|inf)|nan")
LONG = 160
"""Source characters from which on each term gets a line of its own."""

ROOM = 80
"""Characters of the text form of what fits on a line: of a formula with a note behind it, else the
note stands below; and of a note, else it is broken."""

DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage[utf8]{inputenc}
\usepackage[margin=2cm]{geometry}
\usepackage{amsmath,amssymb}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\begin{document}
%s\end{document}
"""


def escaped(text: str) -> str:
    return "".join(SPECIAL.get(c, c) for c in text)


def latex_text(title: str, description: str, sections: Sequence[Section], document: bool) -> str:
    lines = [rf"\section*{{{escaped(title)}}}"]
    lines += [escaped(description)] if description else []
    for section in sections:
        lines += ["", rf"\subsection*{{{escaped(section.title)}}}"]
        for prose in section.intro:
            lines += [prose_latex(prose), ""]
        for figure in section.figures:
            lines += [rf"\[ {came_to(figure)} \]"]
        for step in section.steps:
            lines += _step(step)
        for prose in section.remarks:
            lines += [prose_latex(prose), ""]
    text = "\n".join(lines) + "\n"
    return DOCUMENT.replace("%s", text) if document else text


def prose_latex(prose: Prose) -> str:
    return "".join(f"${p.latex}$" if isinstance(p, Code) else escaped(p) for p in prose)


def _step(step: Step) -> Iterator[str]:
    notes = [_note(n) for n in step.notes]
    if step.title:
        yield rf"\paragraph{{({step.number})}} {prose_latex(step.title)}"
    tag = "" if step.title else rf"\tag{{{step.number}}}"
    if step.formulas:
        yield from (r"\begin{align*}", alignment(step.formulas, tag, notes), r"\end{align*}")
    for table in step.tables:
        cells = [[cell_latex(c) for c in row] for row in (table.heads, *table.rows)]
        yield from (r"\begin{center}", *table_latex(table, cells), r"\end{center}")
    for prose in step.remarks:
        yield from (prose_latex(prose), "")


def _note(note: Prose) -> str:
    text = prose_latex(note)
    return rf"\text{{{text}}}" if len(text) <= ROOM else rf"\parbox[t]{{0.8\linewidth}}{{{text}}}"


def cell_latex(cell: Cell) -> str:
    """A formula, or words; a number is set as mathematics."""
    if isinstance(cell, Code):
        return f"${cell.latex}$"
    return f"${number_latex(cell)}$" if NUMBER.fullmatch(cell) else escaped(cell)


def came_to(figure: Figure) -> str:
    name = f"{figure.name.latex} " if figure.name else ""
    return f"{name}= {figure_latex(figure.values)}"


def alignment(formulas: Sequence[Formula], tag: str = "", notes: Sequence[str] = ()) -> str:
    r"""left &= right \\ for each formula; the first carries the tag, and notes behind or below."""
    shown: list[str] = []
    for formula in formulas:
        lines = list(formula_lines(formula))
        if not shown:
            behind = all(len(formula.text) + len(note) <= ROOM for note in notes)
            lines[0] += "".join(rf"\quad{note}" for note in notes if behind) + tag
            lines[1:1] = [rf"&\quad{note}" for note in notes if not behind]
        shown += lines
    return " \\\\\n".join(shown)


def formula_lines(formula: Formula) -> Iterator[str]:
    """The formula, with its label behind, and what it comes to on a line of its own."""
    yield from _formula_lines(formula)
    if formula.figure is not None:
        name = formula.figure.name.latex if formula.figure.name else ""
        yield f"{name} &= {figure_latex(formula.figure.values)}"


def _formula_lines(formula: Formula) -> Iterator[str]:
    left = f"{formula.left.latex} &{latex_sign(formula.sign)} "
    behind = rf" \qquad {formula.conditions.latex}" if formula.conditions else ""
    behind += rf" \qquad \text{{({formula.label})}}" if formula.label else ""
    if not any(t.when for t in formula.terms) and len(formula.latex) <= LONG:
        yield left + added(term.latex for term in formula.terms) + behind
        return
    for k, term in enumerate(formula.terms):
        shown = term.latex
        if k:
            left, shown = r"&\quad ", shown if shown.startswith("-") else f"+ {shown}"
        shown += rf" \qquad {term.when.latex}" if term.when else ""
        yield left + shown + (behind if k == len(formula.terms) - 1 else "")


def aligned(formulas: Sequence[Formula]) -> str:
    return f"\\begin{{aligned}}\n{alignment(formulas)}\n\\end{{aligned}}"
