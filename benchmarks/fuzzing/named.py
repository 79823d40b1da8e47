"""The catalogue's losses as terms of a random loss, with any arguments and options."""

from __future__ import annotations

import re

from benchmarks.fuzzing.writer import LETTERS, Dims, Writer, read_of
from symgrad.catalog.formula import NamedLoss
from symgrad.catalog.losses import LOSSES

FLAGS = ("true", "false")


def named_loss(w: Writer) -> None:
    """0.5*huber(q, y, delta=0.5)."""
    row = LOSSES[w.chosen(list(LOSSES))]
    w.drawn.append(f"loss {row.name}")
    lead = w.dims(0, 2)
    last = {letter: w.chosen(("2", "3", "H")) for letter in "acdefghk"}
    set_to, apart = [], False
    for option in row.options:
        name = option.name.partition("[")[0]
        if not w.chance() or (apart and name in row.apart):
            continue
        apart = apart or name in row.apart
        if option.default in FLAGS:
            set_to.append((name, "true" if option.default == "false" else "false"))
        elif option.positive:
            set_to.append((name, w.chosen(("0.5", "2"))))
        else:
            set_to.append((name, argument(w, row, option.name, lead, last, ())))
    given = frozenset(name for name, _ in set_to)
    text = row.written(given)
    values = [argument(w, row, a, lead, last, (text,)) for a in row.arguments]
    call = ", ".join([*values, *(f"{name}={value}" for name, value in set_to)])
    w.terms.append(w.chosen(("{}", "0.5*{}", "-{}")).format(f"{row.name}({call})"))


def argument(
    w: Writer, row: NamedLoss, pattern: str, lead: Dims, last: dict[str, str], text: tuple[str, ...]
) -> str:
    """A whole tensor, an expression of places, a number of rank 0, or a literal."""
    name, _, axes = pattern.removesuffix("]").partition("[")
    own = [letter for letter in axes.split(",") if letter not in ("b", "")]
    dims = (*(lead if axes else ()), *(last.get(letter, "3") for letter in own))
    written = " ".join(text) or row.written(frozenset((name,)))
    inside = re.search(rf"(\w+)\[([^][]*)\b{name}\[", written)
    if inside:
        return w.integer(dims, _bound(row, inside.group(1), inside.group(2).count(","), last))
    if re.search(rf"\bwhere\({name}\b[^<>=]*?,", written):
        return w.boolean(dims)
    form = w.chosen(("whole", "whole", "places", "scalar", "literal"))
    if form == "whole" or own:
        return w.tensor(dims)
    if form == "places" and dims:
        letters = list(LETTERS[: len(dims)])
        return w.chosen(("tanh({})", "2*{}", "1 - {}")).format(read_of(w.tensor(dims), letters))
    return w.tensor(()) if form != "literal" else w.chosen(("0", "1", "0.5"))


def _bound(row: NamedLoss, tensor: str, axis: int, last: dict[str, str]) -> str:
    """The size of the axis of the tensor that an argument picks from."""
    for pattern in (*row.arguments, *(o.name for o in row.options)):
        name, _, axes = pattern.removesuffix("]").partition("[")
        if name == tensor:
            return last[axes.split(",")[axis]]
    return last["a"]
