"""Steps -> lines of NumPy, as an expert writes them: `out=` into named buffers, and views."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from sympy import Expr

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Slot
from symgrad.algebra.scalars import Select
from symgrad.algebra.sizes import ONE, Size
from symgrad.emit.layout import wrapped_call
from symgrad.emit.scalars import NUMPY, scalar_text, size_text
from symgrad.plan.buffers import touched
from symgrad.plan.steps import (
    ArgMax,
    Array,
    Assign,
    At,
    Copy,
    Guard,
    LogSumExp,
    Loop,
    MatMul,
    Note,
    Number,
    Operand,
    Plan,
    Positions,
    Scalar,
    Scatter,
    Slice,
    Source,
    Step,
    Strided,
    Sum,
    Take,
    Total,
    Ufunc,
    View,
)

PLAIN = {
    "add": "np.add", "subtract": "np.subtract", "multiply": "np.multiply", "divide": "np.divide",
    "negative": "np.negative", "square": "np.square", "raise": "np.power",
    "less": "np.less", "less_equal": "np.less_equal", "equal": "np.equal",
    "logical_and": "np.logical_and", "logical_or": "np.logical_or", "logical_not": "np.logical_not",
    **NUMPY,
}  # fmt: skip
IN_PLACE = {"add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/="}


@dataclass
class Printer:
    """Prints one plan. `home` tells where an array lives before it has a local name."""

    plan: Plan
    home: Callable[[Array], str]
    bound: set[str] = field(default_factory=set)
    helpers: set[str] = field(default_factory=set)
    lines: list[str] = field(default_factory=list)
    depth: int = 0
    arrays: Mapping[str, Array] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.arrays = {a.name: a for a in self.plan.arrays}

    # ---- text of operands ---------------------------------------------------------------------

    def helper(self, name: str) -> str:
        self.helpers.add(name)
        return name

    def name(self, array: str) -> str:
        """The local name of an array, bound now if it is not yet."""
        if (
            array in self.arrays
            and array not in self.bound
            and self.arrays[array].storage not in ("input", "param")
        ):
            self.bound.add(array)
            self.put(f"{array} = {self.home(self.arrays[array])}")
        return array

    def operand(self, operand: Operand) -> str:
        view = operand.view
        if isinstance(view, Strided):
            text, dims = self.strided(view), list(view.dims)
            return self.arranged(text, dims, operand, None)
        picks = [self.pick(p) for p in view.picks]
        dims = list(view.dims)
        text = self.name(view.array)
        plain = all(isinstance(p, Slice) and p.whole for p in view.picks)
        return self.arranged(text, dims, operand, None if plain else picks)

    def pick(self, pick: Slice | At) -> str:
        if isinstance(pick, At):
            return size_text(pick.place)
        if pick.whole:
            return ":"
        start = size_text(pick.start)
        if pick.step == ONE:
            stop = pick.start + Affine((), pick.count)
            return f"{'' if start == '0' else start}:{size_text(stop)}"
        stop = pick.start + Affine((), pick.step * (pick.count - 1) + 1)
        return f"{'' if start == '0' else start}:{size_text(stop)}:{size_text(pick.step)}"

    def arranged(
        self, text: str, dims: list[str], operand: Operand, picks: list[str] | None
    ) -> str:
        """text[picks], transposed, reshaped and with new axes, as the layout asks."""
        flat = [d for group in operand.layout for d in group]
        merged = any(len(group) > 1 for group in operand.layout)
        news = any(group == () for group in operand.layout)
        if flat == dims and news and not merged:
            kept = list(picks or [":"] * len(dims))
            items: list[str] = []
            for group in operand.layout:
                if group == ():
                    items.append("None")
                    continue
                while not _is_slice(kept[0]):
                    items.append(kept.pop(0))
                items.append(kept.pop(0))
            return f"{text}[{', '.join([*items, *kept])}]"
        if picks is not None:
            text = f"{text}[{', '.join(_trimmed(picks))}]"
        if flat != dims:
            order = [dims.index(d) for d in flat]
            text += ".T" if order == [1, 0] else f".transpose({', '.join(map(str, order))})"
        if merged:
            sizes = self.sizes(operand)
            shape = [
                "1" if not group else _product([sizes[d] for d in group])
                for group in operand.layout
            ]
            return f"{text}.reshape({', '.join(shape)})"
        if news:
            items = ["None" if group == () else ":" for group in operand.layout]
            text += f"[{', '.join(items)}]"
        return text

    def sizes(self, operand: Operand) -> dict[str, Size]:
        view = operand.view
        if isinstance(view, Strided):
            return dict(zip(view.dims, view.counts, strict=True))
        return {p.index: p.count for p in view.picks if isinstance(p, Slice)}

    def strided(self, view: Strided) -> str:
        def listed(items: Sequence[Size | Affine]) -> str:
            return (
                "("
                + ", ".join(size_text(i) for i in items)
                + ("," if len(items) == 1 else "")
                + ")"
            )

        steps = ", ".join(listed(s) for s in view.steps) + ("," if len(view.steps) == 1 else "")
        start, shape = listed(view.starts), listed(view.counts)
        array = f"{self.helper('_view')}({self.name(view.array)}"
        return f"{array}, start={start}, shape={shape}, steps=({steps}))"

    def source(self, source: Source) -> str:
        return self.scalar(source) if isinstance(source, Scalar) else self.operand(source)

    def scalar(self, scalar: Scalar) -> str:
        """A rank-0 value; ints and bools as Python's floats, so that they do not widen float32."""
        slots = tuple((symbol, self.slot(slot)) for symbol, slot in scalar.slots)
        text = scalar_text(Scalar(scalar.body, slots))
        self.helpers |= {
            name for name in NUMPY.values() if name.startswith("_") and f"{name}(" in text
        }
        return text

    def slot(self, slot: Slot | View | Number) -> Slot:
        match slot:
            case Affine() | Access():
                return slot
            case View():
                return Access(self.place(slot))
        read = self.place(slot.read) if isinstance(slot.read, View) else str(slot.read)
        return Access(f"float({read})")

    def place(self, view: View) -> str:
        """One place of an array."""
        return f"{self.name(view.array)}[{', '.join(self.pick(p) for p in view.picks) or '()'}]"

    # ---- steps --------------------------------------------------------------------------------

    def put(self, line: str) -> None:
        self.lines += wrapped_call(line, 4 * (self.depth + 1))

    def run(self, steps: Sequence[Step]) -> list[str]:
        for step in steps:
            self.step(step)
        return self.lines

    def step(self, step: Step) -> None:
        match step:
            case Note():
                wide = 96 - 4 * self.depth
                for n, line in enumerate(textwrap.wrap(step.text, wide, break_long_words=False)):
                    self.put(("# " if n == 0 else "#     ") + line)
            case Ufunc():
                self.ufunc(step)
            case Copy():
                self.copy(step)
            case MatMul():
                self.into(
                    step.out, f"np.matmul({self.operand(step.a)}, {self.operand(step.b)}, out=@)"
                )
            case Sum():
                axes = str(step.axes[0]) if len(step.axes) == 1 else str(step.axes)
                self.into(step.out, f"np.sum({self.operand(step.source)}, axis={axes}, out=@)")
            case Assign():
                value = self.scalar(step.value)
                if isinstance(step.target, str) and not step.accumulate and _is_weak(step.value):
                    value = f"dtype.type({value})"
                target = step.target if isinstance(step.target, str) else self.place(step.target)
                self.put(f"{target} {'+=' if step.accumulate else '='} {value}")
            case Total():
                b = (
                    f"np.dot({self.operand(step.a)}, {self.operand(step.b)})"
                    if step.b
                    else f"np.sum({self.operand(step.a)})"
                )
                self.put(f"{step.name} = {b}")
            case Positions():
                self.positions(step)
            case Take():
                source, at = self.operand(step.source), self.operand(step.positions)
                self.into(
                    step.out, f'np.take({source}, {at}, axis={step.axis}, out=@, mode="clip")'
                )
            case Scatter():
                self.scatter(step)
            case LogSumExp() | ArgMax():
                self.reduce(step)
            case Loop() | Guard():
                self.block(step)

    def into(self, out: Operand, call: str) -> None:
        """`name = f(..., out=w.name)` at an array's first whole write, else f(..., out=name)."""
        array = self.arrays.get(out.array)
        if array and array.name not in self.bound and self.operand_is_whole(out):
            self.bound.add(array.name)
            self.put(f"{array.name} = {call.replace('out=@', f'out={self.home(array)}')}")
        else:
            self.put(call.replace("out=@", f"out={self.operand(out)}"))

    def operand_is_whole(self, operand: Operand) -> bool:
        view = operand.view
        whole = not isinstance(view, Strided) and all(
            isinstance(p, Slice) and p.whole for p in view.picks
        )
        return whole and operand.layout == tuple((d,) for d in view.dims)

    def ufunc(self, step: Ufunc) -> None:
        inputs = [self.source(i) for i in step.inputs]
        first = step.inputs[0]
        if (
            step.function in IN_PLACE
            and first == step.out
            and not (out := self.operand(step.out)).endswith(")")
        ):
            self.put(f"{out} {IN_PLACE[step.function]} {inputs[1]}")
            return
        function = PLAIN[step.function]
        if function.startswith("_"):
            self.helper(function)
        if step.function == "relu":
            function, inputs = "np.maximum", [*inputs, "0.0"]
        if step.function == "softplus":
            function, inputs = "np.logaddexp", [*inputs, "0.0"]
        scratch = [self.spare(s) for s in step.scratch]
        extra = (
            f", scratch={scratch[0]}"
            if len(scratch) == 1
            else f", scratch=({', '.join(scratch)})"
            if scratch
            else ""
        )
        self.into(step.out, f"{function}({', '.join(inputs)}, out=@{extra})")

    def spare(self, operand: Operand) -> str:
        """A buffer that nothing else names."""
        self.bound.add(operand.array)
        text = self.operand(operand)
        return f"ws.{text}"

    def memory(self) -> set[str]:
        return {a.name for a in self.plan.arrays if a.storage in ("buffer", "gradient")}

    def copy(self, step: Copy) -> None:
        if step.where is not None:
            self.put(
                f"np.copyto({self.operand(step.out)}, {self.source(step.source)}, "
                f"where={self.source(step.where)})"
            )
        elif isinstance(step.source, Scalar):
            whole = self.operand_is_whole(step.out)
            out, value = self.operand(step.out), self.scalar(step.source)
            self.put(f"{out}.fill({value})" if whole else f"{out}[...] = {value}")
        else:
            self.put(f"np.copyto({self.operand(step.out)}, {self.operand(step.source)})")

    def positions(self, step: Positions) -> None:
        out = self.operand(step.out)
        first, *rest = [t if isinstance(t, Affine) else self.operand(t) for t in step.terms]
        self.put(f"np.multiply({first}, {size_text(step.extents[1])}, out={out})")
        for n, term in enumerate(rest, start=1):
            self.put(f"{out} += {term}")
            if n + 1 < len(step.extents):
                self.put(f"{out} *= {size_text(step.extents[n + 1])}")

    def scatter(self, step: Scatter) -> None:
        target, at, value = (
            self.operand(step.target),
            self.operand(step.positions),
            self.operand(step.value),
        )
        if step.injective and step.scratch is not None:
            self.put(
                f"{self.helper('_add_at')}({target}, {at}, {value}, "
                f"scratch={self.spare(step.scratch)})"
            )
        else:
            self.put(f"np.add.at({target}, {at}, {value})")

    def reduce(self, step: LogSumExp | ArgMax) -> None:
        source = self.operand(step.source)
        scalar = not step.out.view.dims
        if isinstance(step, LogSumExp):
            extra = f", scratch={self.spare(step.scratch)}, total={self.spare(step.total)}"
            call = f"{self.helper('_logsumexp')}({source}{', out=@' if not scalar else ''}{extra})"
        else:
            call = f"np.argmax({source}, axis=-1{', out=@' if not scalar else ''})"
        if scalar:
            start = (
                f" + {size_text(step.start)}"
                if isinstance(step, ArgMax) and step.start != Size()
                else ""
            )
            out = step.out.array if step.out.array not in self.arrays else self.operand(step.out)
            self.put(f"{out} = {call}{start}")
            return
        self.into(step.out, call)
        if isinstance(step, ArgMax) and step.start != Size():
            self.put(f"{self.operand(step.out)} += {size_text(step.start)}")

    def block(self, step: Loop | Guard) -> None:
        for array in dict.fromkeys(touched(step)):
            self.name(array)
        if isinstance(step, Loop):
            lo, hi = size_text(step.lo), size_text(step.hi)
            span = f"range({hi})" if lo == "0" else f"range({lo}, {hi})"
            self.put(f"for {step.index} in {f'reversed({span})' if step.backward else span}:")
        else:
            self.put(f"if {size_text(step.lo)} <= {size_text(step.place)} < {size_text(step.hi)}:")
        self.depth += 1
        for inner in step.body:
            self.step(inner)
        self.depth -= 1


def _is_weak(scalar: Scalar) -> bool:
    """Whether the value may be Python's own float, which NumPy's functions take as float64."""
    strong = {symbol for symbol, slot in scalar.slots if not isinstance(slot, (Affine, Number))}

    def weak(expr: Expr) -> bool:
        if isinstance(expr, Select):
            return weak(expr.args[1]) or weak(expr.args[2])
        if expr.args:
            return all(weak(argument) for argument in expr.args)
        return expr not in strong

    return weak(scalar.body)


def _is_slice(pick: str) -> bool:
    return ":" in pick


def _trimmed(picks: list[str]) -> list[str]:
    """Trailing whole axes need not be written."""
    kept = list(picks)
    while len(kept) > 1 and kept[-1] == ":":
        kept.pop()
    return kept


def _product(sizes: Sequence[Size]) -> str:
    texts = [size_text(s) for s in sizes]
    return " * ".join(t if t.isidentifier() or t.isdigit() else f"({t})" for t in texts)
