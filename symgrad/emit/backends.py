"""Backends, one row each: what turns a spec's planned functions into the text of one file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from symgrad.emit.module import Function, module_text
from symgrad.emit.numpy import Printer
from symgrad.errors import SpecError, did_you_mean
from symgrad.spec import Spec

Text = Callable[[Spec, Sequence[Function], Sequence[str], type[Printer]], str]


@dataclass(frozen=True)
class Backend:
    """A row of the table.

    name:    what `symgrad generate --backend` takes, and the folder in generated/.
    suffix:  of the files.
    printer: writes the steps of a plan.
    text:    lays out all the rest: the spec, its planned functions, what was rewritten to stay
             finite, the printer -> the file. It has a line `SPEC_HASH = ...`, by which symgrad
             knows its files. (Its own templates are a folder in templates/.)
    """

    name: str
    suffix: str
    printer: type[Printer]
    text: Text = module_text


ROWS = (
    Backend("numpy", ".py", Printer),
)  # fmt: skip

BACKENDS = {row.name: row for row in ROWS}
DEFAULT = "numpy"


def backend_of(name: str) -> Backend:
    """The row of that name.

    Errors: SpecError for a name that no backend has.
    """
    if name not in BACKENDS:
        raise SpecError(f'no backend is named "{name}"{did_you_mean(name, BACKENDS)}')
    return BACKENDS[name]
