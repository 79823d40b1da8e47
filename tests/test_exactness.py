"""The emitted module's gradients are those of other libraries, of SymPy, and of 60-digit differences."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any

import numpy as np
import oracles
import pytest
import sympy
from catalogue import EVERY, is_large
from emitted import smaller
from gradient_cases import Gradient, chosen, digits_for, in_single, tiny
from mpmath.ctx_mp import MPContext
from programs import NAMES, SPECS, assert_agree, fresh_values
from sympy import Expr, Symbol

from symgrad.algebra.access import Access, Affine, Subscript
from symgrad.algebra.program import INF, Equation, Program
from symgrad.algebra.scalars import (
    FUNCTIONS,
    ROWS,
    And,
    Equal,
    Less,
    LessEqual,
    Not,
    Or,
    Select,
    Stop,
)
from symgrad.spec import Loss, Spec

LOADED = {name: EVERY[SPECS / f"{name}.toml"] for name in NAMES}
CASES = [(name, loss.name) for name in NAMES for loss in LOADED[name].losses]
EVERY = pytest.mark.parametrize(
    ("name", "loss_name"), CASES, ids=["-".join(dict.fromkeys(case)) for case in CASES]
)
SMALL = pytest.mark.parametrize(
    ("name", "loss_name"), [case for case in CASES if not is_large(LOADED[case[0]])]
)
SATURATED: Mapping[str, float] = {"attention_classifier": 1e2, "dpo": 1e2}
"""Of a network with attention behind a layer. Its scores multiply arrays of that layer: at 1e4 they
are 1e16, where a float64 tells no two numbers closer than 2 apart."""
WRITTEN = pytest.mark.parametrize("name", sorted(oracles.SPECS))
BY_TORCH = pytest.mark.parametrize("name", sorted(oracles.TORCH))

# The sizes of the specs whose mathematics oracles.py writes; a new spec takes those of `tiny`.
SIZES: Mapping[str, Mapping[str, int]] = {
    "one_bias": {"N": 6},
    "softmax_policy": {"B": 4, "H": 3},
    "attention": {"B": 2, "T": 4, "D": 3, "A": 2, "K": 2},
    "convolution": {"B": 2, "L": 9, "C": 2, "O": 3, "K": 3, "M": 2},
    "gru": {"B": 2, "T": 4, "D": 2, "H": 3, "K": 2},
    "digits_mlp": {"B": 5, "H": 4},
}


@cache
def spec_of(name: str) -> Spec:
    """The spec; where its literal sizes make arrays of too many numbers, with smaller ones."""
    spec = LOADED[name]
    if not is_large(spec):
        return spec
    small = smaller(SPECS / f"{name}.toml")
    assert small is not None, f"{name}: its literal sizes cannot shrink; give them names in [sizes]"
    return small.spec


def loss_of(name: str, loss_name: str) -> Loss:
    return next(loss for loss in spec_of(name).losses if loss.name == loss_name)


@cache
def gradient(name: str, loss_name: str, small: bool = False) -> Gradient:
    spec, loss = spec_of(name), loss_of(name, loss_name)
    sizes = tiny(spec) if small else SIZES.get(name) or tiny(spec)
    return Gradient(spec, loss, sizes, in_single(fresh_values(loss.program, sizes)))


def test_there_are_specs_and_each_of_the_first_six_has_its_mathematics_written_out() -> None:
    first = {"one_bias", "softmax_policy", "attention", "convolution", "gru", "digits_mlp"}
    assert first <= set(NAMES)
    assert first == set(oracles.TORCH) == set(SIZES)
    assert first < set(oracles.SPECS) <= set(NAMES)


@WRITTEN
def test_the_gradient_is_that_of_hips_autograd(name: str) -> None:
    found = gradient(name, spec_of(name).losses[0].name)
    expected = oracles.autograd_gradient(oracles.SPECS[name], found.loss.wrt, found.values)
    found.agrees_with("autograd", expected)


@WRITTEN
def test_the_gradient_is_that_of_jax(name: str, jax: Any) -> None:
    found = gradient(name, spec_of(name).losses[0].name)
    expected = oracles.jax_gradient(jax, oracles.SPECS[name], found.loss.wrt, found.values)
    found.agrees_with("JAX", expected)


@BY_TORCH
def test_the_gradient_is_that_of_torchs_own_layers(name: str, torch: Any) -> None:
    found = gradient(name, spec_of(name).losses[0].name)
    expected = oracles.torch_gradient(torch, oracles.TORCH[name], found.loss.wrt, found.values)
    found.agrees_with("torch", expected)


@EVERY
def test_the_gradient_is_that_of_60_digit_differences(name: str, loss_name: str) -> None:
    """In float64 to 1e-12, in float32 to 1e-5."""
    assert gradient(name, loss_name, small=True).assert_exact(name) >= 2


@EVERY
def test_it_is_so_where_the_network_is_saturated(name: str, loss_name: str) -> None:
    """Parameters of 1e4, or as SATURATED says: logits far beyond it, probabilities of 0 and 1, tanh at 1 and -1.

    Those that are logarithms, such as log_std, stay small: no type of NumPy's keeps exp(1e4).
    """
    spec, loss = spec_of(name), loss_of(name, loss_name)
    values = fresh_values(loss.program, tiny(spec))
    weights = [t.name for t in spec.tensors if t.role == "param" and not t.name.startswith("log_")]
    large = {x: SATURATED.get(name, 1e4) * values[x] for x in weights}
    given = in_single({**values, **large})
    numbers = digits_for(loss, given, tiny(spec))
    found = Gradient(spec, loss, tiny(spec), given, numbers)
    assert found.assert_exact(name, numbers) >= 2


@SMALL
def test_the_gradient_is_sympys_derivative_of_the_scalar_expansion(
    name: str, loss_name: str
) -> None:
    found = gradient(name, loss_name, small=True)
    expansion = Expansion(found.loss, found.values, found.sizes)
    loss = expansion.entry(found.loss.value, ())
    assert_agree("SymPy: the loss", found.value, expansion.number(loss), abs(found.value))
    by_sympy = expansion.slopes(loss)
    for x in found.loss.wrt:
        for index in chosen(x, np.shape(found.by[x])):
            what = f"SymPy: d{x}{list(index)}"
            came, scale = found.by[x][index], found.scales[x][index]
            assert_agree(what, came, by_sympy.get(expansion.weight(x, index), 0), scale)


# ---- scalar expansion ------------------------------------------------------------------------

MP = MPContext()
MP.dps = 40

# Our functions as SymPy's own; the kinked ones as Piecewise. The rest stand in `definition`.
OWN: Mapping[str, Callable[..., Expr]] = {
    "sigmoid": lambda x: (1 + sympy.tanh(x / 2)) / 2,
    "softplus": lambda x: x / 2 + sympy.log(2 * sympy.cosh(x / 2)),
    "relu": lambda x: sympy.Piecewise((x, x > 0), (0, True)),
    "leaky_relu": lambda x, s: sympy.Piecewise((x, x > 0), (s * x, True)),
    "abs": lambda x: sympy.Piecewise((x, x > 0), (-x, True)),
    "sign": lambda x: sympy.Piecewise((1, x > 0), (-1, True)),
    "minimum": lambda a, b: sympy.Piecewise((a, a <= b), (b, True)),
    "maximum": lambda a, b: sympy.Piecewise((a, a >= b), (b, True)),
    "clip": lambda x, lo, hi: sympy.Piecewise((lo, x < lo), (hi, x > hi), (x, True)),
}

NUMERIC: Mapping[type[Any], Callable[..., Any]] = {
    sympy.Add: lambda *a: MP.fsum(a),
    sympy.Mul: lambda *a: MP.fprod(a),
    sympy.Pow: lambda x, y: x**y,
    sympy.exp: MP.exp, sympy.log: MP.log, sympy.sin: MP.sin, sympy.cos: MP.cos,
    sympy.sinh: MP.sinh, sympy.cosh: MP.cosh, sympy.tanh: MP.tanh, sympy.atan: MP.atan, sympy.erf: MP.erf, sympy.erfc: MP.erfc,
    sympy.StrictLessThan: lambda a, b: a < b, sympy.LessThan: lambda a, b: a <= b,
    sympy.StrictGreaterThan: lambda a, b: a > b, sympy.GreaterThan: lambda a, b: a >= b,
    sympy.Eq: lambda a, b: a == b,
    sympy.And: lambda *p: all(p), sympy.Or: lambda *p: any(p), sympy.Not: lambda p: not p,
    sympy.ITE: lambda p, yes, no: yes if p else no,
}  # fmt: skip

CONDITIONS: Mapping[type[Any], Callable[..., Any]] = {
    Less: sympy.StrictLessThan,
    LessEqual: sympy.LessThan,
    Equal: sympy.Eq,
    And: sympy.And,
    Or: sympy.Or,
    Not: sympy.Not,
}


class Expansion:
    """A loss as SymPy expressions of scalars: every entry of every tensor is a Symbol, and behind
    it a formula of others, a weight or a datum.

    Nothing but the meaning of an equation is taken from symgrad. Selections with a side that is
    known at the data are made at once, so -inf never enters SymPy's arithmetic.
    """

    def __init__(self, loss: Loss, values: Mapping[str, Any], sizes: Mapping[str, int]) -> None:
        self.program: Program = loss.program
        self.wrt, self.values = set(loss.wrt), values
        known = {n: sizes.get(n, v) for n, v in loss.program.sizes}
        self.sizes = {n: v for n, v in known.items() if v is not None}
        self.entries: dict[tuple[str, tuple[int, ...]], Expr] = {}
        self.numbers: dict[Expr, Any] = {}
        self.behind: dict[Symbol, Expr] = {}
        self.frozen: dict[Symbol, Expr] = {}
        self.writes: dict[tuple[str, tuple[int, ...]], list[tuple[Equation, dict[str, int]]]] = {}
        for equation in self.program.equations:
            for point in self.points(equation):
                place = self.place(equation.target, point)
                if place is not None:
                    key = (equation.target.tensor, place)
                    self.writes.setdefault(key, []).append((equation, point))

    def points(self, equation: Equation) -> Iterator[dict[str, int]]:
        spans = [range(r.lo.evaluate(self.sizes), r.hi.evaluate(self.sizes)) for r in equation.box]
        for at in itertools.product(*spans):
            yield dict(zip((r.index for r in equation.box), at, strict=True))

    def subscript(self, form: Subscript, point: Mapping[str, int]) -> int:
        if isinstance(form, Access):
            return int(self.read(form, point))
        steps = (c.evaluate(self.sizes) * point[i] for i, c in form.terms)
        return form.offset.evaluate(self.sizes) + sum(steps)

    def place(self, access: Access, point: Mapping[str, int]) -> tuple[int, ...] | None:
        """Where an access points; None outside."""
        at = tuple(self.subscript(s, point) for s in access.subscripts)
        shape = [s.evaluate(self.sizes) for s in self.program.tensor_of[access.tensor].shape]
        inside = all(0 <= a < n for a, n in zip(at, shape, strict=True))
        assert inside or access.padded
        return at if inside else None

    def read(self, access: Access, point: Mapping[str, int]) -> Expr:
        place = self.place(access, point)
        return sympy.S.Zero if place is None else self.entry(access.tensor, place)

    def weight(self, name: str, place: tuple[int, ...]) -> Symbol:
        return Symbol("_".join([name, *map(str, place)]), real=True)

    def entry(self, name: str, place: tuple[int, ...]) -> Expr:
        """Its Symbol, or the number that it is; what it is computed from stands before it."""
        key = (name, place)
        if key not in self.entries:
            found = self.expanded(name, place)
            if not (found.is_Symbol or found.is_Rational or found.is_infinite):
                symbol = Symbol(f"entry{len(self.behind)}", real=True)
                self.behind[symbol], found = found, symbol
            self.entries[key] = found
        return self.entries[key]

    def slopes(self, loss: Expr) -> Mapping[Expr, Any]:
        """The loss by every Symbol that it is computed from: SymPy's derivatives, chained."""
        found: dict[Expr, Any] = {loss: MP.mpf(1)}
        for symbol, formula in reversed(self.behind.items()):
            if symbol in found:
                for inner in sorted(formula.free_symbols - {*self.frozen}, key=str):
                    local = self.number(formula.diff(inner))
                    found[inner] = found.get(inner, 0) + found[symbol] * local
        return found

    def expanded(self, name: str, place: tuple[int, ...]) -> Expr:
        if name in self.wrt:
            return self.weight(name, place)
        if name in self.values:
            value = np.asarray(self.values[name])[place]
            return sympy.Rational(float(value)) if value.dtype.kind == "f" else sympy.Integer(value)
        written = self.writes.get((name, place), [])
        bodies = [self.translated(e.body, e, point) for e, point in written]
        op = written[0][0].op if written else "sum"
        if op == "logsumexp":
            return sympy.log(sympy.Add(*(sympy.exp(b) for b in bodies)))
        if op == "argmax":
            (index,) = written[0][0].reduced
            best = max(range(len(bodies)), key=lambda k: (self.number(bodies[k]), -k))
            return sympy.Integer(written[best][1][index])
        return sympy.Add(*bodies)

    def translated(self, node: Expr, equation: Equation, point: Mapping[str, int]) -> Expr:
        """A body at one point, in SymPy's own functions."""

        def deeper(inner: Expr) -> Expr:
            return self.translated(inner, equation, point)

        if node == INF:
            return sympy.oo
        if node.is_Symbol:
            slot = equation.slot_of[node]
            if isinstance(slot, Affine):
                return sympy.Integer(self.subscript(slot, point))
            return self.read(slot, point)
        if isinstance(node, Stop):
            return self.held(deeper(node.args[0]))
        if isinstance(node, Select):
            condition = deeper(node.args[0])
            if condition in (sympy.true, sympy.false):
                return deeper(node.args[1] if condition == sympy.true else node.args[2])
            yes, no = deeper(node.args[1]), deeper(node.args[2])
            return sympy.Piecewise((yes, condition), (no, True))
        if type(node) in CONDITIONS:
            return CONDITIONS[type(node)](*map(deeper, node.args))
        if type(node) in FUNCTIONS.values():
            args = [deeper(a) for a in node.args]
            if node.row.name == "expdiff":
                return sympy.exp(args[0]) / sympy.exp(args[1])
            return OWN.get(node.row.name, node.row.definition)(*args)
        return node.func(*map(deeper, node.args)) if node.args else node

    def held(self, value: Expr) -> Expr:
        """A Symbol of its own, which no derivative sees through."""
        symbol = Symbol(f"held{len(self.frozen)}")
        self.frozen[symbol] = value
        return symbol

    def number(self, node: Expr) -> Any:
        """The value at the weights, to 40 digits; each distinct node once."""
        if node not in self.numbers:
            self.numbers[node] = self.computed(node)
        return self.numbers[node]

    def computed(self, node: Expr) -> Any:
        if node in self.frozen or node in self.behind:
            return self.number((self.frozen if node in self.frozen else self.behind)[node])
        if node.is_Symbol:
            name, *place = node.name.rsplit("_", self.rank(node.name))
            return MP.mpf(float(np.asarray(self.values[name])[tuple(map(int, place))]))
        if isinstance(node, sympy.Piecewise):
            return next(self.number(value) for value, holds in node.args if self.number(holds))
        if node in (sympy.true, sympy.false):
            return bool(node)
        if isinstance(node, sympy.Rational):
            return MP.mpf(node.p) / node.q
        if not node.args:
            return MP.mpf(str(node.evalf(MP.dps)))
        return NUMERIC[node.func](*map(self.number, node.args))

    def rank(self, symbol: str) -> int:
        """How many axes the weight has whose entry this Symbol is."""
        known = [n for n in self.wrt if symbol == n or symbol.startswith(f"{n}_")]
        return np.ndim(self.values[max(known, key=len)])


def test_sympys_own_forms_of_our_functions_are_their_definitions() -> None:
    rng = np.random.default_rng(3)
    checked = 0
    for row in ROWS:
        if row.name not in OWN or row.kink:
            continue
        for point in rng.uniform(-2, 2, size=(5, row.arity)):
            arguments = [sympy.Rational(float(v)) for v in point]
            a, b = (f(*arguments).evalf(30) for f in (OWN[row.name], row.definition))
            assert abs(a - b) < sympy.Rational(1, 10**28)
            checked += 1
    assert checked == 10
