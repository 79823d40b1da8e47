"""A derivation in Markdown: headings, numbered steps, $$ blocks, fenced notation."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from symgrad.explain.figures import table_markdown
from symgrad.explain.render_latex import aligned, came_to, formula_lines
from symgrad.explain.steps import Code, Formula, Prose, Section, Step


def markdown_text(title: str, description: str, sections: Sequence[Section], notation: str) -> str:
    lines = [f"# {escaped(title)}", ""]
    lines += [escaped(description), ""] if description else []
    for section in sections:
        lines += [f"## {escaped(section.title)}", ""]
        lines += [f"- {prose_markdown(prose)}" for prose in section.intro]
        lines += [""] if section.intro else []
        for figure in section.figures:
            lines += ["$$", came_to(figure), "$$", ""]
        for step in section.steps:
            lines += _step(step)
        lines += [f"- {prose_markdown(prose)}" for prose in section.remarks]
        lines += [""] if section.remarks else []
    lines += ["## The same in the notation", "", "This reads back.", ""]
    lines += ["```toml", notation.rstrip("\n"), "```"]
    return "\n".join(lines) + "\n"


def escaped(text: str) -> str:
    """Plain words, whatever stands in them."""
    return re.sub(r"([\\`*_\[\]<>#|$&~])", r"\\\1", text)


def prose_markdown(prose: Prose) -> str:
    return "".join(f"`{p.text}`" if isinstance(p, Code) else escaped(p) for p in prose)


def _step(step: Step) -> Iterator[str]:
    notes = " ".join(f"*{prose_markdown(n)}*" for n in step.notes)
    head = " ".join(part for part in (prose_markdown(step.title), notes) if part)
    yield f"**({step.number})** {head}".rstrip()
    yield ""
    if step.formulas:
        yield from ("$$", display(step.formulas), "$$", "")
    if step.kind in ("gradient", "whole"):
        lines = [line for formula in step.formulas for line in formula.notation]
        yield from ("```text", *lines, "```", "")
    for table in step.tables:
        yield from (*table_markdown(table), "")
    for prose in step.remarks:
        yield from (prose_markdown(prose), "")


def display(formulas: Sequence[Formula]) -> str:
    """One formula by itself; several, or a long one, aligned."""
    (first, *others) = formulas
    if not others and not first.label and len(list(formula_lines(first))) == 1:
        return first.latex
    return aligned(formulas)
