"""Arrays, views and rank-0 values as NumPy text: `a[:, 1:T+1].reshape(B * T, H)`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Slot
from symgrad.algebra.sizes import ONE, Size
from symgrad.emit.layout import wrapped_call
from symgrad.emit.literals import tuple_text
from symgrad.emit.scalars import NUMPY, scalar_text, size_text
from symgrad.plan.steps import Number, Plan, Scalar, Source
from symgrad.plan.views import Array, At, Layout, Operand, Slice, Strided, View


@dataclass
class Operands:
    """The text of operands, and the lines that come of it.

    home:    where an array lives before it has a local name.
    bound:   the arrays that have one.
    helpers: the functions at the module's end that are called.
    """

    plan: Plan
    home: Callable[[Array], str]
    bound: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    depth: int = 0

    @cached_property
    def arrays(self) -> Mapping[str, Array]:
        return {a.name: a for a in self.plan.arrays}

    def put(self, line: str) -> None:
        self.lines += wrapped_call(line, 4 * (self.depth + 1))

    def helper(self, name: str) -> str:
        self.helpers.add(name)
        return name

    def name(self, array: str) -> str:
        """The local name of an array, bound now if it is not yet."""
        known = self.arrays.get(array)
        if known and known.storage == "constant":
            return self.home(known)
        if known and array not in self.bound and known.storage not in ("input", "param"):
            self.bound.add(array)
            self.put(f"{array} = {self.home(known)}")
        return array

    def source(self, source: Source) -> str:
        return self.scalar(source) if isinstance(source, Scalar) else self.operand(source)

    # ---- views --------------------------------------------------------------------------------

    def operand(self, operand: Operand, base: str | None = None) -> str:
        """base[picks], transposed, reshaped and with new axes, as the layout asks."""
        view, layout = operand.view, operand.layout
        merged, news = any(len(group) > 1 for group in layout), () in layout
        flipped = merged and len(layout) == 2 and (*layout[1], *layout[0]) == view.dims
        if isinstance(view, Strided):
            text, picks, turned = self._strided(view, operand.order), [], False
        else:
            text, turned = base or self.name(view.array), operand.is_transposed and not flipped
            picks = [] if view.is_whole else [_pick(p) for p in view.picks]
            if view.shape and (turned or picks or not merged):
                text += f".reshape({_listed(view.shape)})"
        if news and not merged and not turned:
            return f"{text}[{', '.join(_with_new_axes(operand, picks))}]"
        text += f"[{', '.join(_trimmed(picks))}]" if picks else ""
        if flipped:
            return f"{self._merged(text, view, layout[::-1])}.T"
        if turned:
            order = [view.dims.index(d) for d in operand.order]
            text += ".T" if order == [1, 0] else f".transpose({', '.join(map(str, order))})"
        if merged and turned:
            return f"{text}.reshape({_shape(view, layout)})"
        if merged:
            return self._merged(text, view, layout)
        return f"{text}[{', '.join(_new_axes(layout))}]" if news else text

    def _merged(self, text: str, view: View | Strided, layout: Layout) -> str:
        """Neighbouring axes as one; an array that was split may so be as it lies again."""
        shape = tuple(prod((view.sizes[d] for d in group), start=ONE) for group in layout)
        known = self.arrays.get(view.array)
        as_it_lies = isinstance(view, View) and view.shape and known and known.shape == shape
        return text if as_it_lies and view.is_whole else f"{text}.reshape({_shape(view, layout)})"

    def _strided(self, view: Strided, order: Sequence[str]) -> str:
        def listed(items: Iterable[Size | Affine]) -> str:
            return tuple_text(map(size_text, items))

        steps = dict(zip(view.dims, view.steps, strict=True))
        shown = (
            f"start={listed(view.starts)}",
            f"shape={listed(view.sizes[d] for d in order)}",
            f"steps={tuple_text(listed(steps[d]) for d in order)}",
        )
        return f"{self.helper('_view')}({self.name(view.array)}, {', '.join(shown)})"

    def place(self, view: View) -> str:
        """One place of an array."""
        return f"{self.name(view.array)}[{', '.join(map(_pick, view.picks)) or '()'}]"

    def spare(self, operand: Operand) -> str:
        """A buffer that a call fills and nothing reads after it."""
        return self.operand(operand, f"ws.{operand.array}")

    # ---- rank 0 -------------------------------------------------------------------------------

    def scalar(self, scalar: Scalar) -> str:
        """A rank-0 value; ints and bools as Python's floats, so that they do not widen float32."""
        slots = tuple((symbol, self._slot(slot)) for symbol, slot in scalar.slots)
        text = scalar_text(Scalar(scalar.body, slots))
        self.helpers |= {
            name for name in NUMPY.values() if name.startswith("_") and f"{name}(" in text
        }
        return text

    def _slot(self, slot: Slot | View | Number) -> Slot:
        match slot:
            case Affine() | Access():
                return slot
            case View():
                return Access(self.place(slot))
        read = self.place(slot.read) if isinstance(slot.read, View) else str(slot.read)
        return Access(f"float({read})")


def _pick(pick: Slice | At) -> str:
    """What stands in an array's brackets for one axis."""
    if isinstance(pick, At):
        return size_text(pick.place)
    if pick.whole:
        return ":"
    start = size_text(pick.start)
    start = "" if start == "0" else start
    if pick.step == ONE:
        return f"{start}:{size_text(pick.start + Affine((), pick.count))}"
    stop = pick.start + Affine((), pick.step * (pick.count - 1) + 1)
    return f"{start}:{size_text(stop)}:{size_text(pick.step)}"


def _with_new_axes(operand: Operand, picks: Sequence[str]) -> list[str]:
    """The picks, with None where the layout has a new axis."""
    if not picks:
        return _new_axes(operand.layout)
    kept = list(picks)
    items: list[str] = []
    for group in operand.layout:
        if group == ():
            items.append("None")
            continue
        while ":" not in kept[0]:
            items.append(kept.pop(0))
        items.append(kept.pop(0))
    return [*items, *kept]


def _new_axes(layout: Layout) -> list[str]:
    """`:` or None for each dimension; `...` for several before a None at the end."""
    items = ["None" if group == () else ":" for group in layout]
    lead = items[: items.index("None")]
    rest = items[len(lead) :]
    return ["...", *rest] if len(lead) > 1 and ":" not in rest else items


def _trimmed(picks: list[str]) -> list[str]:
    """Trailing whole axes need not be written."""
    kept = list(picks)
    while len(kept) > 1 and kept[-1] == ":":
        kept.pop()
    return kept


def _shape(view: View | Strided, layout: Layout) -> str:
    return ", ".join(_product([view.sizes[d] for d in group]) for group in layout)


def _listed(sizes: Iterable[Size]) -> str:
    return ", ".join(map(size_text, sizes))


def _product(sizes: Sequence[Size]) -> str:
    texts = [size_text(s) for s in sizes]
    return " * ".join(t if t.isidentifier() or t.isdigit() else f"({t})" for t in texts) or "1"
