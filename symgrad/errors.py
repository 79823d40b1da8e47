"""The errors a user can cause: each says where, what came, what was expected, and what to do."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Place:
    """Where in the user's text: file, line and column count from 1; None is unknown."""

    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(
            str(part) for part in (self.file, self.line, self.column) if part is not None
        )


class SymgradError(Exception):
    """Bad input: one clear line. `place` is added once, at the boundary that knows it."""

    def __init__(self, message: str, place: Place | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.place = place

    def __str__(self) -> str:
        where = str(self.place) if self.place else ""
        return f"{where}: {self.message}" if where else self.message

    def at(self, place: Place) -> SymgradError:
        """The same error, placed; a place that is already known is kept."""
        if self.place is None:
            self.place = place
        return self


class SpecError(SymgradError):
    """The spec's text, its declarations or its equations are wrong."""


class ProgramError(SymgradError):
    """A program breaks a rule that every stage relies on."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that is most like `word`; None where none is. `Loss` is most like `loss`."""
    folded = {name.lower(): name for name in sorted(set(known), reverse=True)}
    near = difflib.get_close_matches(word.lower(), sorted(folded), n=1, cutoff=0.6)
    return folded[near[0]] if near else None


def did_you_mean(word: str, known: Iterable[str], also: Iterable[str] = ()) -> str:
    """`; did you mean "tanh"? known: elu, gelu, ...`; only the known words where none is near.

    also: words that are offered where they are near, and not listed.
    """
    names = sorted(set(known))
    near = nearest(word, (*names, *also))
    hint = f'; did you mean "{near}"?' if near else ""
    listed = ", ".join(names[:40]) + (", ..." if len(names) > 40 else "")
    return f"{hint} known: {listed}" if hint else f"; known: {listed or 'none'}"
