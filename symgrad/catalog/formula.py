"""What a row of losses and distributions is: its arguments, options and equations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

P_LOG_P = "expdiff(logits[b,a], lse[b])*where(-inf < logits[b,a], logits[b,a] - lse[b], 0)"
"""p log p of softmax probabilities, and 0 for a logit of -inf, which masks an action."""

Given = frozenset[str]
"""The options that a call sets to something else than their default."""


@dataclass(frozen=True)
class Option:
    """What a call may set.

    name:     with its axes: baseline[b].
    default:  true and false are flags; none: it is not there.
    means:    what it makes of the formula that does not name it.
    positive: whether it has to be above 0.
    """

    name: str
    default: str
    means: str = ""
    positive: bool = False


REDUCTION = (
    Option("weight[b]", "1", "each times weight"),
    Option("mask[b]", "none", "the mean of those where mask is true, 0 where none is"),
    Option("sum", "false", "their sum"),
)
"""The options of every loss: what is done with `each`."""


def reduction(given: Given) -> str:
    """value = mean(b: each[b]), with those options."""
    each = "weight[b]*each[b]" if "weight" in given else "each[b]"
    if "mask" not in given:
        return f"value = {'sum' if 'sum' in given else 'mean'}(b: {each})"
    total = f"value = sum(b: where(mask[b], {each}, 0))"
    if "sum" in given:
        return total
    return f"count = maximum(sum(b: [mask[b]]), 1)\n{total}/count"


@dataclass(frozen=True)
class NamedLoss:
    """A row of the table.

    arguments: in order, with their axes: logits[b,a].
    formula:   in one line; all losses are to be minimised.
    equations: what defines `each[b]`, or a function of the options that are set.
    apart:     options of which a call sets at most one.
    shared:    arguments that may come without `b`: one for all.
    held:      what is held constant, in words.
    source:    paper and equation.
    elsewhere: what well-known implementations do differently, or alike under another name.
    """

    name: str
    arguments: tuple[str, ...]
    formula: str
    equations: str | Callable[[Given], str]
    options: tuple[Option, ...] = ()
    apart: tuple[str, ...] = ()
    shared: tuple[str, ...] = ()
    held: str = "nothing"
    source: str = ""
    elsewhere: str = ""

    def written(self, given: Given) -> str:
        """Its equations with these options."""
        return self.equations if isinstance(self.equations, str) else self.equations(given)

    @property
    def form(self) -> str:
        """How it is called: huber(q[b], y[b], delta=1)."""
        options = [f"{option.name}={option.default}" for option in self.options]
        return f"{self.name}({', '.join((*self.arguments, *options))})"
