"""A derivation: numbered steps, printed as text, Markdown or LaTeX."""

from __future__ import annotations

from dataclasses import dataclass, field

from symgrad.algebra.program import Program
from symgrad.explain.book import Book
from symgrad.explain.render_latex import aligned, latex_text
from symgrad.explain.render_markdown import markdown_text
from symgrad.explain.render_text import plain_text
from symgrad.explain.steps import LOCAL, Formula, Section, Step
from symgrad.explain.terms import groups, lines_of
from symgrad.notation.canonical import program_toml

BEFORE, AFTER = 'equations = """\n', '\n"""'


@dataclass(frozen=True)
class Derivation:
    """The gradient of `loss` by each of `wrt`, step by step.

    sections: forward equations, backward steps, the gradient, what it assumes.
    book:     the differentiated program behind the steps.
    notes:    the descriptions of free sizes.
    """

    name: str
    loss: str
    wrt: tuple[str, ...]
    title: str
    description: str
    sections: tuple[Section, ...]
    book: Book = field(repr=False, compare=False)
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def steps(self) -> tuple[Step, ...]:
        return tuple(step for section in self.sections for step in section.steps)

    @property
    def program(self) -> Program:
        """The forward and the adjoint equations."""
        return self.book.program

    def formulas(self, *kinds: str) -> tuple[Formula, ...]:
        """The formulas of the steps of these kinds, or of all."""
        return tuple(f for s in self.steps if not kinds or s.kind in kinds for f in s.formulas)

    def text(self, width: int = 100) -> str:
        """ASCII, at most `width` columns wide where a formula can be broken."""
        return plain_text(self.title, self.description, self.sections, width)

    def markdown(self) -> str:
        """Headings, numbered steps, formulas in $$ blocks, the notation in fences."""
        return markdown_text(self.title, self.description, self.sections, self.notation())

    def latex(self, document: bool = False) -> str:
        """A fragment that uses amsmath, or a whole document."""
        return latex_text(self.title, self.description, self.sections, document)

    def notation(self) -> str:
        """The forward and the adjoint equations as a TOML text that reads back and evaluates."""
        program = self.book.printed
        before, _, rest = program_toml(program, self.notes).partition(BEFORE)
        _, _, after = rest.partition(AFTER)
        found = groups(program.equations, program)
        lines = [line.text for group in found for line in lines_of(group, program)]
        return before + BEFORE + "\n".join(lines) + AFTER + after

    def _repr_markdown_(self) -> str:
        return self.markdown()

    def _repr_latex_(self) -> str:
        formulas = self.formulas("adjoint", "sum", "gradient")
        return f"$$\n{aligned([f for f in formulas if f.label != LOCAL])}\n$$"
