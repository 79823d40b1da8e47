"""Layers numbered by an index: x[l,i] = sum(j: w[l,i,j]*y[l-1,j]) + b[l,i], y[l,i] = f(x[l,i]).

The recursions of backpropagation for a layer l are the derived program's own contributions, with
the adjoint of x put in; with a name for it, since they share it; and as matrices.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sympy import Mul

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.derive import Derived
from symgrad.algebra.program import (
    Equation,
    Program,
    bounds,
    slot_symbol,
)
from symgrad.algebra.scalars import Scalar, Unknown
from symgrad.algebra.sizes import ZERO, Size
from symgrad.explain.book import Book
from symgrad.explain.settle import LETTERS
from symgrad.explain.substitute import called, inlined, relettered

SUMMED = ("k", *LETTERS)
"""What the neuron above is called, as in textbooks: the first letter that is free."""


@dataclass(frozen=True)
class Layers:
    """The equations of a layer. index: the layer's number, an axis of everything in it.

    affine: x[l,i] += w[l,i,j]*y[l-1,j]; others: what else is added into x; activation: y = f(x).
    """

    affine: Equation
    others: tuple[Equation, ...]
    activation: Equation
    weight: Access
    below: Access
    index: str

    @property
    def pre(self) -> str:
        return self.affine.target.tensor

    @property
    def post(self) -> str:
        return self.activation.target.tensor


def layers_of(program: Program) -> Layers | None:
    """The first such layers of a program."""
    for activation in program.equations:
        pre = argument(activation)
        if pre is None:
            continue
        writers = program.writers.get(pre.tensor, ())
        for affine in writers:
            found = _affine(affine, activation, program)
            if found is not None:
                others = tuple(e for e in writers if e is not affine)
                return Layers(affine, others, activation, *found)
    return None


def argument(equation: Equation) -> Access | None:
    """x[l,i], where the equation is y[l,i] = f(x[l,i])."""
    body, reads = equation.body, equation.reads
    if equation.op != "sum" or equation.reduced or len(reads) != 1 or not equation.target.is_plain:
        return None
    applied = isinstance(body, (Scalar, Unknown)) and body.args[0] == slot_symbol(reads[0])
    same = reads[0].subscripts == equation.target.subscripts
    return reads[0] if applied and same else None


def _affine(
    equation: Equation, activation: Equation, program: Program
) -> tuple[Access, Access, str] | None:
    """The weight, the layer below and the layer's index, where the equation is their product."""
    reads = [slot for _, slot in equation.slots if isinstance(slot, Access)]
    if equation.op != "sum" or not equation.target.is_plain or len(reads) != 2:
        return None
    below = [a for a in reads if a.tensor == activation.target.tensor]
    weight = [a for a in reads if program.tensor_of[a.tensor].role == "param"]
    if len(below) != 1 or len(weight) != 1 or equation.body != Mul(*map(slot_symbol, reads)):
        return None
    shifted = [i for s in below[0].subscripts if (i := _shifted(s)) is not None]
    index = shifted[0] if len(shifted) == 1 else None
    plain = {s.plain for s in weight[0].subscripts if isinstance(s, Affine)}
    if index is None or index not in plain or index not in equation.target.indices:
        return None
    return weight[0], below[0], index


def _shifted(subscript: Subscript) -> str | None:
    """l of l - 1."""
    if isinstance(subscript, Affine) and len(subscript.terms) == 1 and subscript.offset != ZERO:
        return subscript.terms[0][0]
    return None


def forward_of(derived: Derived) -> Program:
    """The program that was differentiated."""
    adjoints = frozenset(derived.name_of.values()) | frozenset(derived.result.values())
    return replace(
        derived.program,
        tensors=tuple(t for t in derived.program.tensors if t.name not in adjoints),
        equations=tuple(e for e in derived.program.equations if e.target.tensor not in adjoints),
        outputs=(),
    )


# ---- the recursions -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Recursions:
    """What a layer passes on, as equations of `program`.

    equations: the contributions by the weight, by what else is added, and by the layer below, this
               in the letters of the layer that it is about.
    starts:    what comes into the adjoint of y from elsewhere: from the loss.
    passed:    the adjoint of y.
    factor:    the definition of the adjoint of x, where it has a name of its own.
    """

    program: Program
    equations: tuple[Equation, ...]
    starts: tuple[Equation, ...]
    passed: str
    factor: Equation | None = None


def recursions(
    layers: Layers, derived: Derived, value: str, factor: str | None = None
) -> Recursions | None:
    """With the adjoint of x put in, or called `factor`; None where it is more than what comes
    from y."""
    pre, post = (derived.name_of.get(n) for n in (layers.pre, layers.post))
    writers = derived.program.writers.get(pre, ()) if pre else ()
    if pre is None or post is None or len(writers) != 1:
        return None
    inside = {id(e) for e in (layers.affine, *layers.others)}
    program = derived.program
    name = None if factor is None else program.fresh(factor)
    told = {
        id(e): called(e, {pre: name}) if name else inlined(e, program, (pre,))
        for e in program.equations
    }
    told[id(writers[0])] = replace(told[id(writers[0])], assigns=True)
    own = Book(derived, value).pairs
    lines = [(p, e) for p, e in own if id(p.equation) in inside]
    for partial, equation in lines:
        if partial.read.tensor == layers.post:
            told[id(equation)] = _from_below(told[id(equation)], layers, program)
    found = sorted((told[id(e)] for _, e in lines), key=lambda e: e.target.tensor == post)
    starts = [e for p, e in own if e.target.tensor == post and id(p.equation) not in inside]
    kept = [e for e in program.equations if name or e.target.tensor != pre]
    shown = replace(
        program,
        tensors=tuple(
            replace(t, name=name or t.name) if t.name == pre else t
            for t in program.tensors
            if name or t.name != pre
        ),
        equations=tuple(told[id(e)] for e in kept),
    )
    definition = told[id(writers[0])] if name else None
    return Recursions(shown, tuple(found), tuple(starts), post, definition)


def _from_below(equation: Equation, layers: Layers, program: Program) -> Equation:
    """dL/dy[l-1,j] += sum(i: ...)  ->  dL/dy[l-1,i] += sum(k: ...)."""
    letters: dict[str, str] = {}
    axes = zip(equation.target.subscripts, layers.activation.target.subscripts, strict=True)
    for subscript, wanted in axes:
        own, letter = (s.plain if isinstance(s, Affine) else None for s in (subscript, wanted))
        if own is not None and letter is not None and own != letter:
            letters[own] = letter
    used = {r.index for r in equation.box} | (program.names - program.indices)
    free = (c for c in SUMMED if c not in used)
    for index in tuple(letters.values()):
        if index in equation.range_of:
            letters[index] = next(free)
    one_to_one = len(set(letters.values())) == len(letters)
    return relettered(equation, letters) if one_to_one else equation


def disjoint(found: Recursions, layers: Layers) -> bool:
    """Whether what starts the recursion is written where it does not reach."""
    (axis,) = (
        n for n, s in enumerate(layers.activation.target.subscripts) if s.indices == {layers.index}
    )
    passed = [e for e in found.equations if e.target.tensor == found.passed]
    return all(_apart(a, b, axis) for a in found.starts for b in passed)


def _apart(a: Equation, b: Equation, axis: int) -> bool:
    first, second = (_reach(e, axis) for e in (a, b))
    if first is None or second is None:
        return False
    above, below = first[0] - second[1], second[0] - first[1]
    return above.is_positive() or below.is_positive()


def _reach(equation: Equation, axis: int) -> tuple[Size, Size] | None:
    subscript = equation.target.subscripts[axis]
    return bounds(subscript, equation.range_of) if isinstance(subscript, Affine) else None
