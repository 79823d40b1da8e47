"""Steps -> lines of NumPy, as an expert writes them: `out=` into named buffers, and views."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.algebra.sizes import ZERO
from symgrad.emit.layout import prose
from symgrad.emit.literals import tuple_text
from symgrad.emit.operands import Operands
from symgrad.emit.scalars import NUMPY, is_weak, size_text
from symgrad.plan.buffers import touched
from symgrad.plan.steps import (
    ArgMax,
    Assign,
    Copy,
    Guard,
    LogSumExp,
    Loop,
    MatMul,
    Note,
    Scalar,
    Scatter,
    Step,
    Sum,
    Take,
    Total,
    Ufunc,
)
from symgrad.plan.views import Operand

PLAIN = {
    "add": "np.add", "subtract": "np.subtract", "multiply": "np.multiply", "divide": "np.divide",
    "negative": "np.negative", "square": "np.square", "raise": "np.power",
    "less": "np.less", "less_equal": "np.less_equal", "equal": "np.equal",
    "greater": "np.greater", "greater_equal": "np.greater_equal",
    "logical_and": "np.logical_and", "logical_or": "np.logical_or", "logical_not": "np.logical_not",
    **NUMPY,
}  # fmt: skip
IN_PLACE = {"add": "+=", "subtract": "-=", "multiply": "*=", "divide": "/="}
TURNED = {"less": "greater", "less_equal": "greater_equal"}
"""0 < x as x > 0, the number on the right."""
WITH_ZERO = {"relu": "np.maximum", "softplus": "np.logaddexp"}
"""Functions of x that NumPy has as functions of x and 0."""


class Printer(Operands):
    """Prints one plan."""

    def run(self, steps: Sequence[Step]) -> list[str]:
        for step in steps:
            self.step(step)
        return self.lines

    def step(self, step: Step) -> None:
        match step:
            case Note():
                self.note(step.text)
            case Ufunc():
                self.ufunc(step)
            case Copy():
                self.copy(step)
            case MatMul():
                a, b = self.operand(step.a), self.operand(step.b)
                self.into(step.out, f"np.matmul({a}, {b}, out=@)")
            case Sum():
                axes = str(step.axes[0]) if len(step.axes) == 1 else str(step.axes)
                self.into(step.out, f"np.sum({self.operand(step.source)}, axis={axes}, out=@)")
            case Assign():
                self.assign(step)
            case Total():
                a = self.operand(step.a)
                value = f"np.dot({a}, {self.operand(step.b)})" if step.b else f"np.sum({a})"
                self.put(f"{step.name} = {value}")
            case Take():
                self.take(step)
            case Scatter():
                self.scatter(step)
            case LogSumExp():
                self.logsumexp(step)
            case ArgMax():
                self.argmax(step)
            case Loop() | Guard():
                self.block(step)

    def into(self, out: Operand, call: str) -> None:
        """`name = f(..., out=ws.name)` at an array's first whole write, else f(..., out=name)."""
        array = self.arrays.get(out.array)
        fresh = array is not None and array.name not in self.bound
        if array and fresh and out.is_whole:
            self.bound.add(array.name)
            self.put(f"{array.name} = {self.first(array.name, call)}")
        elif array and fresh and array.storage == "gradient":
            self.put(call.replace("out=@", f"out={self.operand(out, self.home(array))}"))
        else:
            self.put(call.replace("out=@", f"out={self.operand(out)}"))

    def first(self, name: str, call: str) -> str:
        """The call that first writes an array, all of it."""
        return call.replace("out=@", f"out={self.home(self.arrays[name])}")

    # ---- one kind of step each ----------------------------------------------------------------

    def note(self, text: str) -> None:
        for line in prose(text, "# ", "    ", 96 - 4 * self.depth):
            self.put(line)

    def ufunc(self, step: Ufunc) -> None:
        name, inputs = step.function, [self.source(i) for i in step.inputs]
        if name in IN_PLACE and step.inputs[0] == step.out and step.where is None:
            out = self.operand(step.out)
            if not out.endswith(")"):
                self.put(f"{out} {IN_PLACE[name]} {inputs[1]}")
                return
        if name in TURNED and isinstance(step.inputs[0], Scalar):
            name, inputs = TURNED[name], inputs[::-1]
        function = PLAIN[name]
        if function.startswith("_"):
            self.helper(function)
        if name in WITH_ZERO:
            function, inputs = WITH_ZERO[name], [*inputs, "0.0"]
        scratch = [self.spare(s) for s in step.scratch]
        shown = scratch[0] if len(scratch) == 1 else tuple_text(scratch)
        extra = f", scratch={shown}" if scratch else ""
        if step.where is not None:
            extra += f", where={self.source(step.where)}"
        self.into(step.out, f"{function}({', '.join(inputs)}, out=@{extra})")

    def copy(self, step: Copy) -> None:
        if step.where is not None:
            out, source = self.operand(step.out), self.source(step.source)
            self.put(f"np.copyto({out}, {source}, where={self.source(step.where)})")
        elif isinstance(step.source, Scalar):
            out, value = self.operand(step.out), self.scalar(step.source)
            self.put(f"{out}.fill({value})" if step.out.is_whole else f"{out}[...] = {value}")
        else:
            self.put(f"np.copyto({self.operand(step.out)}, {self.operand(step.source)})")

    def assign(self, step: Assign) -> None:
        value = self.scalar(step.value)
        if isinstance(step.target, str):
            target = step.target
            value = f"dtype.type({value})" if not step.accumulate and is_weak(step.value) else value
        else:
            target = self.place(step.target)
        self.put(f"{target} {'+=' if step.accumulate else '='} {value}")

    def take(self, step: Take) -> None:
        source, places = self.operand(step.source), self.places(step.places)
        if step.at is None:
            call = f'np.take({source}, {places}, axis={step.axis}, out=@, mode="clip")'
        else:
            axis = f", axis={step.axis}" if step.axis else ""
            pick = self.helper("_pick")
            call = f"{pick}({source}, {places}, out=@, at={self.spare(step.at)}{axis})"
        self.into(step.out, call)

    def places(self, places: Sequence[Operand]) -> str:
        """One integer array, or a tuple of them."""
        shown = [self.operand(p) for p in places]
        return shown[0] if len(shown) == 1 else tuple_text(shown)

    def scatter(self, step: Scatter) -> None:
        target, places = self.operand(step.target), self.places(step.places)
        value = self.source(step.value)
        extra = "" if step.at is None else f", at={self.spare(step.at)}"
        if step.scratch is not None:
            function, extra = self.helper("_add_at"), f"{extra}, scratch={self.spare(step.scratch)}"
        else:
            function = "np.add.at" if step.at is None else self.helper("_add_each_at")
        self.put(f"{function}({target}, {places}, {value}{extra})")

    def logsumexp(self, step: LogSumExp) -> None:
        source = self.operand(step.source)
        extra = f"scratch={self.spare(step.scratch)}, total={self.spare(step.total)}"
        self.reduced(step.out, f"{self.helper('_logsumexp')}({source}, out=@, {extra})")

    def argmax(self, step: ArgMax) -> None:
        call, start = f"np.argmax({self.operand(step.source)}, axis=-1, out=@)", step.start
        if step.start == ZERO:
            self.reduced(step.out, call)
        elif step.out.view.dims:
            self.into(step.out, call)
            self.put(f"{self.operand(step.out)} += {size_text(start)}")
        else:
            self.reduced(step.out, f"{call} + {size_text(start)}")

    def reduced(self, out: Operand, call: str) -> None:
        """A reduction into an array, or to one number."""
        if out.view.dims:
            self.into(out, call)
        else:
            target = self.operand(out) if out.array in self.arrays else out.array
            self.put(f"{target} = {call.replace(', out=@', '')}")

    def block(self, step: Loop | Guard) -> None:
        for array in dict.fromkeys(touched(step)):
            self.name(array)
        if isinstance(step, Loop):
            lo, hi = size_text(step.lo), size_text(step.hi)
            span = f"range({hi})" if lo == "0" else f"range({lo}, {hi})"
            self.put(f"for {step.index} in {f'reversed({span})' if step.backward else span}:")
        else:
            self.put(f"if {_inside(step)}:")
        self.depth += 1
        self.run(step.body)
        self.depth -= 1


def _inside(step: Guard) -> str:
    """lo <= place < hi, or the side of it that can fail."""
    place = size_text(step.place)
    if step.hi is None:
        return f"{place} >= {size_text(step.lo or ZERO)}"
    return (
        f"{place} < {size_text(step.hi)}"
        if step.lo is None
        else f"{size_text(step.lo)} <= {place} < {size_text(step.hi)}"
    )
