"""Random programs: what is emitted agrees with the naive evaluation of the gradient program.

Each program is derived, emitted and run in float64 and float32, with fresh memory and twice with one
workspace, on arrays that are contiguous or not, in any order, read-only or not.
"""

from __future__ import annotations

import inspect
from collections import Counter
from collections.abc import Mapping
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import sympy
from emitted import accepted, imported, poisoned
from hypothesis import HealthCheck, Phase, given, reject, settings
from recomputed import recomputed
from strategies import Case, programs

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.order import Loop, schedule
from symgrad.algebra.program import Program
from symgrad.algebra.scalars import FUNCTIONS
from symgrad.pipeline import derive, derive_stable, generate
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.verify.arithmetic import Digits
from symgrad.verify.differences import entry_direction, slope
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.nearby import Point

Arrays = Mapping[str, Any]
EXAMPLES = 50
PHASES = (Phase.generate, Phase.shrink)
QUIET = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
TOLERANCE = {np.float64: (1e-12, 64 * 2.0**-52), np.float32: (1e-4, 64 * 2.0**-23)}
"""(relative to the value, relative to the sum of absolute contributions)."""
LARGEST = 1e4
"""A program that grows beyond it (a square of a square of ...) tells nothing: sin(1e9) is noise."""


def drawn(spec: Spec, sizes: Mapping[str, int], rng: np.random.Generator) -> dict[str, Any]:
    """Inputs that float32 holds exactly, so that one evaluation is the oracle of both precisions."""
    values: dict[str, Any] = {}
    for tensor in spec.tensors:
        shape = tuple(size.evaluate(sizes) for size in tensor.shape)
        if tensor.kind == "int":
            below = tensor.below.evaluate(sizes) if tensor.below is not None else 5
            values[tensor.name] = rng.integers(0, below, shape)
        elif tensor.kind == "bool":
            values[tensor.name] = rng.random(shape) < 0.5
        else:
            values[tensor.name] = rng.normal(0, 0.7, shape).astype(np.float32).astype(np.float64)
    return values


def disguised(array: Any, rng: np.random.Generator) -> Any:
    """The same values: in Fortran's order, as every second entry backwards, or read-only."""
    array = np.asarray(array)
    form = rng.integers(4)
    if not array.ndim:
        return array.item()
    if form == 0:
        return np.asfortranarray(array)
    if form == 1:
        wide = np.zeros(tuple(2 * n for n in array.shape), array.dtype)
        view = wide[tuple(slice(None, None, -2) for _ in array.shape)]
        view[...] = array
        return view
    array = array.copy()
    array.flags.writeable = form == 2
    return array


def called(
    module: ModuleType, name: str, spec: Spec, values: Arrays, sizes: Mapping[str, int], dtype: Any
) -> list[Any]:
    """What a function returns: with fresh memory, then twice with one workspace."""
    rng = np.random.default_rng(1)
    function, first = getattr(module, name), []
    names = [t.name for t in spec.tensors if t.role == "param"]
    if names:
        flat = np.empty(sum(values[n].size for n in names), dtype)
        params = module.Params(flat, **accepted(module.Params, sizes))
        for n in names:
            getattr(params, n)[...] = values[n]
        first = [params]
    data = {n: disguised(v, rng) for n, v in accepted(function, values).items()}
    if not names:  # then the data choose the precision
        data = {
            n: np.asarray(v, dtype) if np.asarray(v).dtype.kind == "f" else v
            for n, v in data.items()
        }
    before = {n: np.array(v) for n, v in data.items()}
    data |= accepted(function, sizes)
    workspace = module.Workspace(**accepted(module.Workspace, sizes))
    with poisoned(), np.errstate(all="raise", under="ignore"):
        found = [flattened(function(*first, **data))]
        found += [flattened(function(*first, **data, workspace=workspace)) for _ in range(2)]
    for n, v in before.items():
        assert np.array_equal(v, data[n]), f"{name} changed its input {n}"
    for n in names:
        assert np.array_equal(getattr(first[0], n), values[n]), f"{name} changed {n}"
    return found


def flattened(returned: Any) -> Any:
    """(value, {aux}), grads, copied."""
    if isinstance(returned, dict):
        return {n: flattened(v) for n, v in returned.items()}
    if isinstance(returned, tuple):
        return tuple(flattened(part) for part in returned)
    if hasattr(returned, "_sizes"):
        return {n: np.array(v) for n, v in vars(returned).items() if isinstance(v, np.ndarray)}
    return np.array(returned)


def agrees(came: Any, name: str, oracle: Result, dtype: Any) -> None:
    expected, scale = oracle.values[name].astype(float), oracle.magnitudes[name].astype(float)
    relative, rounding = TOLERANCE[dtype]
    assert came.shape == expected.shape, f"{name}: {came.shape}, expected {expected.shape}"
    assert came.dtype == dtype or came.dtype.kind != "f", f"{name} is {came.dtype}"
    bound = relative * abs(expected) + rounding * scale + np.finfo(dtype).tiny
    wrong = ~(abs(came - expected) <= bound) & ~(came == expected)
    assert not wrong.any(), f"{name}: {came[wrong]}, expected {expected[wrong]}"


def oracle_of(
    loss: Loss, values: Arrays, sizes: Mapping[str, int]
) -> tuple[Result, dict[str, str]]:
    derived = derive(loss).derived
    wanted = (*loss.program.outputs, *derived.result.values())
    found = evaluate(derived.program, values, sizes, outputs=wanted, magnitude=True)
    return found, dict(derived.result)


def holds(case: Case) -> None:
    """Every function of the module agrees with the oracle, and computes nothing twice."""
    spec = parse_spec(case.text, "random")
    values = drawn(spec, case.sizes, np.random.default_rng(len(case.text)))
    oracles = {loss.name: oracle_of(loss, values, case.sizes) for loss in spec.losses}
    for oracle, _ in oracles.values():
        if not all((abs(v.astype(float)) < LARGEST).all() for v in oracle.values.values()):
            reject()
    text = generate(spec)
    module = imported(text, "random")
    for name in module.OPERATIONS:
        assert recomputed(text, name) == [], f"{name} computes this twice"
    for dtype in TOLERANCE:
        for loss in spec.losses:
            oracle, result = oracles[loss.name]
            prefix = "" if len(spec.losses) == 1 else f"{loss.name}_"
            for came in called(module, f"{prefix}value", spec, values, case.sizes, dtype):
                shown(came, loss, oracle, dtype)
            for came, grads in called(
                module, f"{prefix}value_and_grad", spec, values, case.sizes, dtype
            ):
                shown(came, loss, oracle, dtype)
                for name, adjoint in result.items():
                    agrees(grads[name], adjoint, oracle, dtype)
        if spec.forward is not None:
            expected = evaluate(
                spec.forward, values, case.sizes, outputs=spec.forward.outputs, magnitude=True
            )
            own = dtype if takes_reals(module.forward, spec) else np.float64
            for came in called(module, "forward", spec, values, case.sizes, dtype):
                parts = came if isinstance(came, tuple) else (came,)
                for name, part in zip(spec.forward.outputs, parts, strict=True):
                    agrees(part, name, expected, own)


def takes_reals(function: Any, spec: Spec) -> bool:
    """Whether anything chooses the precision: bools and ints alone leave it at float64."""
    known = inspect.signature(function).parameters
    return "params" in known or any(t.name in known for t in spec.tensors if t.kind == "real")


def shown(came: Any, loss: Loss, oracle: Result, dtype: Any) -> None:
    """A loss, or (loss, {aux})."""
    value, aux = came if isinstance(came, tuple) else (came, {})
    assert list(aux) == list(loss.program.outputs[1:])
    for name, part in {loss.value: value, **aux}.items():
        agrees(part, name, oracle, dtype)


@cache
def fifty() -> tuple[Case, ...]:
    """The fifty programs, each checked as it is drawn; a failure shrinks to a small spec."""
    seen: list[Case] = []

    @settings(max_examples=EXAMPLES, suppress_health_check=QUIET, phases=PHASES, print_blob=False)
    @given(programs())
    def check(case: Case) -> None:
        holds(case)
        seen.append(case)

    check()
    return tuple(seen)


def test_fifty_emitted_programs_agree_with_the_naive_evaluation() -> None:
    assert len(fifty()) >= EXAMPLES


def features(program: Program) -> set[str]:
    """The primitives that occur in a forward program."""
    found = {type(n).__name__ for e in program.equations for n in sympy.preorder_traversal(e.body)}
    names = {"where" for n in found if n == "Select"} | {"stop" for n in found if n == "Stop"}
    names |= {"elementwise" for n in found if n in FUNCTIONS}
    names |= {e.op for e in program.equations if e.op != "sum"}
    names |= {"self-read" for group in schedule(program) if isinstance(group, Loop)}
    for equation in program.equations:
        reads = equation.reads
        names |= {"contraction" for r in equation.reduced if sum(r in a.indices for a in reads) > 1}
        names |= {"reduction"} if equation.reduced and equation.op == "sum" else set()
        names |= {"scatter"} if any(equation.target.gathers()) else set()
        names |= {"gather" for a in reads if any(a.gathers())}
        names |= {"pad" for a in (*reads, equation.target) if a.padded}
        subscripts = [s for a in (*reads, equation.target) for s in a.subscripts]
        names |= {"affine" for s in subscripts if isinstance(s, Affine) and s.plain is None}
        names |= {"number" for _, slot in equation.slots if isinstance(slot, Affine)}
        data = [s for _, s in equation.slots if isinstance(s, Access)]
        kinds = {(program.tensor_of[a.tensor].kind, a.padded) for a in data} - {("real", False)}
        names |= {f"padded {kind}" if padded else kind for kind, padded in kinds}
    return names


@cache
def occurring() -> tuple[set[str], ...]:
    """The primitives of each of the fifty; its scatters are those of its gradient."""
    found = []
    for case in fifty():
        losses = [derive_stable(loss) for loss in parse_spec(case.text, "random").losses]
        forward = set().union(*(features(gradient.program) for gradient in losses))
        backward = set().union(*(features(gradient.derived.program) for gradient in losses))
        found.append(forward | (backward & {"scatter"}))
    return tuple(found)


def read_twice(program: Program) -> bool:
    reads = Counter(a.tensor for e in program.equations for a in e.reads)
    return any(count > 1 for count in reads.values())


PRIMITIVES = {
    "contraction": 5, "elementwise": 5, "reduction": 5, "gather": 5, "scatter": 5, "affine": 5, "pad": 5,
    "self-read": 5, "stop": 5, "where": 5, "logsumexp": 5, "argmax": 5, "number": 5,
    "int": 5, "bool": 5, "padded real": 5, "padded int": 5, "padded bool": 5,
}  # fmt: skip


@pytest.mark.parametrize(("primitive", "least"), PRIMITIVES.items())
def test_each_primitive_occurs_in_at_least_five_of_the_fifty(primitive: str, least: int) -> None:
    assert sum(primitive in found for found in occurring()) >= least


def test_a_tensor_is_read_twice_in_at_least_twenty_of_the_fifty() -> None:
    specs = [parse_spec(case.text, "random") for case in fifty()]
    assert sum(any(read_twice(x.program) for x in spec.losses) for spec in specs) >= 20


def test_random_gradients_agree_with_finite_differences_of_sixty_digits() -> None:
    checked = 0
    for case in fifty()[:12]:
        spec = parse_spec(case.text, "random")
        values = drawn(spec, case.sizes, np.random.default_rng(len(case.text)))
        loss = spec.losses[0]
        derived = derive(loss).derived
        wanted = tuple(derived.result.values())
        gradients = evaluate(derived.program, values, case.sizes, outputs=wanted, magnitude=True)
        point = Point(loss.program, loss.value, values, case.sizes, Digits(60))
        for name, adjoint in derived.result.items():
            place = tuple(n // 2 for n in values[name].shape)
            exact = gradients.values[adjoint][place]
            found = slope(point, entry_direction(name, values[name].shape, place))
            scale = float(gradients.magnitudes[adjoint][place])
            gap = abs(float(exact) - float(found.value))
            assert gap <= 1e-12 * abs(float(found.value)) + 64 * 2.0**-52 * scale + found.bound
            checked += 1
    assert checked >= 12
