"""Passes on programs: splitting heads, and each pass of simplify, change no value."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, partial
from typing import Any

import numpy as np
import pytest
import sympy
from catalogue import EVERY, NAMES, PATHS, SPECS, is_large
from emitted import imported
from programs import (
    CASES,
    ORDERS,
    assert_agree,
    called,
    fresh_values,
    run,
)
from small import new_equations, program_of, spec_of
from sympy import Expr

from symgrad.algebra.access import Access
from symgrad.algebra.derive import reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.scalars import (
    FUNCTIONS,
    Scalar,
    Select,
    Unknown,
)
from symgrad.algebra.simplify import PASSES, simplify
from symgrad.pipeline import generate
from symgrad.spec import Loss
from symgrad.verify.evaluate import evaluate

# ---- split_heads -----------------------------------------------------------------------------


Found = tuple[Program, Mapping[str, Any], Mapping[str, int]]
FEW = (
    *("actor_weight", "attention", "cartpole_dqn", "cartpole_reinforce", "convolution"),
    *("digits_mlp", "gru", "lecture_q", "lecture_q_residual", "one_bias", "softmax_policy"),
)
"""The smaller specs."""
MANY = tuple(path.stem for path in PATHS if path.stem not in FEW and not is_large(EVERY[path]))


def own(case: Any) -> Found:
    return case.loss.program, case.values, case.sizes


def gradient_of(case: Any) -> Found:
    g = reverse(split_heads(case.loss.program), "loss", case.loss.wrt)
    outputs = ("loss", *g.result.values())
    return replace(g.program, outputs=outputs), case.values, case.sizes


def product_of(case: Any) -> Found:
    rng = np.random.default_rng(4)
    given = {f"v_{x}": rng.normal(size=np.shape(case.values[x])) for x in case.loss.wrt}
    hv = ORDERS["reverse over forward"](case.loss.program, "loss", case.loss.wrt)
    return hv.program, {**case.values, **given}, case.sizes


def with_values(loss: Loss, program: Program) -> Found:
    sizes = {n: 3 for n, _ in loss.program.sizes}
    return program, fresh_values(loss.program, sizes), sizes


def of_loss(loss: Loss) -> Found:
    return with_values(loss, replace(loss.program, outputs=(loss.value,)))


def gradient_of_loss(loss: Loss) -> Found:
    g = reverse(split_heads(loss.program), loss.value, loss.wrt)
    return with_values(loss, g.program)


def named(names: Iterable[str]) -> dict[str, Callable[[], Found]]:
    """Each loss of these specs, and its gradient."""
    losses = {f"{n}, {x.name}": x for n in names for x in EVERY[SPECS / f"{n}.toml"].losses}
    return {
        **{key: partial(of_loss, loss) for key, loss in losses.items()},
        **{f"{key}, gradient": partial(gradient_of_loss, loss) for key, loss in losses.items()},
    }


SMALL = {
    **{case.name: partial(own, case) for case in CASES},
    **{f"{case.name}, gradient": partial(gradient_of, case) for case in CASES},
    **{f"{case.name}, product": partial(product_of, case) for case in CASES},
    **named(name for name in FEW if name not in {case.name for case in CASES}),
}
"""What each pass is held on by itself: all cases, and the smaller specs."""

MADE = {**SMALL, **named(MANY)}
"""Every spec too but for those with too many numbers; made where a test asks for one."""
EACH = pytest.mark.parametrize("name", MADE)


@cache
def program_named(name: str) -> Found:
    return MADE[name]()


@cache
def values_before(name: str) -> Any:
    program, given, sizes = program_named(name)
    return run(program, given, sizes, *program.outputs)


def assert_preserved(name: str, changed: Program) -> None:
    program, given, sizes = program_named(name)
    assert changed.outputs == program.outputs
    before = values_before(name)
    after = run(changed, given, sizes, *program.outputs)
    for output in program.outputs:
        scale = before.magnitudes[output]
        assert_agree(f"{name}: {output}", after.values[output], before.values[output], scale)


def test_every_spec_is_among_the_programs_but_those_with_too_many_numbers() -> None:
    there = {key.split(",")[0] for key in MADE}
    missing = {name for name in NAMES if name not in there}
    assert missing == {name for name in NAMES if is_large(EVERY[SPECS / f"{name}.toml"])}


@EACH
def test_splitting_heads_changes_no_value_and_does_nothing_twice(name: str) -> None:
    once = split_heads(program_named(name)[0])
    assert_preserved(name, once)
    assert len(split_heads(once).equations) == len(once.equations)


def heads_inside(node: Expr, top: bool = True) -> Iterable[Expr]:
    """The functions of a body that are not its own top; what a selection guards is let be."""
    for argument in node.args[:1] if isinstance(node, Select) else node.args:
        if isinstance(argument, (Scalar, Unknown)):
            yield argument
        yield from heads_inside(argument, False)


@EACH
def test_after_splitting_every_function_of_a_read_stands_alone(name: str) -> None:
    program = split_heads(program_named(name)[0])
    for equation in program.equations:
        reads = {s for s, slot in equation.slots if isinstance(slot, Access)}
        inside = [h for h in heads_inside(equation.body) if h.free_symbols & reads]
        assert not inside, f"{equation.target}: {inside}"
        if equation.op != "sum":
            assert equation.body.is_Symbol


def test_forward_values_are_reused_by_construction() -> None:
    program = split_heads(
        program_of("loss = sum(i: log(1 + exp(x[i]))*tanh(x[i]))", '[data]\nx = "real[N]"')
    )
    derived = reverse(program, "loss", ["x"])
    functions = [
        type(n)
        for e in new_equations(program, derived)
        for n in sympy.preorder_traversal(e.body)
        if isinstance(n, Scalar)
    ]
    assert functions == []


def test_an_argument_that_the_slope_names_is_a_tensor_too() -> None:
    data = '[data]\nx = "real[N]"'
    program = split_heads(program_of("loss = sum(i: log(1 + x[i]**2))", data))
    assert [str(e.body) for e in program.equations if e.assigns] == ["x[i]**2 + 1", "log(x_arg[i])"]
    program = split_heads(program_of("loss = sum(i: tanh(1 + x[i]**2))", data))
    assert [str(e.body) for e in program.equations if e.assigns] == ["tanh(x[i]**2 + 1)"]


def test_equal_heads_of_equal_boxes_are_one_tensor() -> None:
    body = "loss = sum(i: exp(x[i])*exp(x[i])*2 + exp(x[i])) + sum(i: exp(x[i]))"
    program = split_heads(program_of(body, '[data]\nx = "real[N]"'))
    assert sum(e.body.has(FUNCTIONS["exp"]) for e in program.equations) == 1


# ---- the passes of simplify ------------------------------------------------------------------

# pass: equations, outputs, and the tensors that nothing reads or writes any more
EXAMPLES: Mapping[str, tuple[str, tuple[str, ...], Callable[[Program, Program], bool]]] = {
    "fold constants": (
        "c = 2\ny[i] = c*x[i]\nloss = sum(i: y[i])", ("loss",),
        lambda before, after: "c" in reads_of(before) and "c" not in reads_of(after),
    ),
    "drop zeros": (
        "y[i] = x[i]\ny[i] += 0 for i < N\nloss = sum(i: y[i]**2)", ("loss",),
        lambda before, after: [e for e in before.equations if e.body != 0] == list(after.equations),
    ),
    "join copies": (
        "y[i] = x[i]\nz[i] = y[i]\nloss = sum(i: z[i]**2*y[i])", ("loss",),
        lambda before, after: {"y", "z"} <= reads_of(before) and reads_of(after) == {"x"},
    ),
    "cancel signs": (
        "a[i] = -x[i]\nb[i] = -a[i]\nloss = sum(i: tanh(b[i])*a[i])", ("loss",),
        lambda before, after: "b" in reads_of(before) and reads_of(after) == {"x", "a"},
    ),
    "share": (
        "a[i] = tanh(x[i])\nb[j] = tanh(x[j])\nc[i] = a[i]**2\nd[k] = b[k]**2\nloss = sum(i: c[i]*d[i])", ("loss",),
        lambda before, after: "d" in reads_of(before) and reads_of(after) == {"x", "a", "c"},
    ),
    "drop dead": (
        "a[i] = tanh(x[i])\nb[i] = a[i]**2\nloss = sum(i: x[i])", ("loss",),
        lambda before, after: [e.target.tensor for e in after.equations] == ["loss"],
    ),
}  # fmt: skip

# What looks like a pass's form, and is not.
TRAPS = {
    "a constant written twice": "c = 2\nc += 3\nloss = sum(i: c*x[i])",
    "a constant that is an output": "c = 2\nloss = sum(i: c*x[i])",
    "a zero alone": "c[i] = 0 for i < N\nloss = sum(i: (c[i] + x[i])**2)",
    "zeros only": "c[i] = 0 for i < N\nc[i] += 0 for i < N\nloss = sum(i: (c[i] + x[i])**2)",
    "a transposed copy": "c[i,j] = q[j,i]\nloss = sum(i,j: c[i,j]*q[i,j]**2)",
    "a reversed copy": "c[i] = x[N-1-i] for i < N\nloss = sum(i: c[i]*x[i]**2)",
    "a shifted copy": "c[i] = pad(x[i-1]) for i < N\nloss = sum(i: c[i]*x[i]**2)",
    "a copy in part": "c[i] = x[i] for i < N - 1\nc[N-1] = 1\nloss = sum(i: c[i]*x[i])",
    "a copy and more": "c[i] = x[i]\nc[i] += 1 for i < N\nloss = sum(i: c[i]**2)",
    "a copy along an axis": "c[i,j] = x[i] for i < N, j < N\nloss = sum(i,j: c[i,j]*q[i,j])",
    "a copy of integers": "c[i] = k[i]\nloss = sum(i: c[i]*x[i]/2)",
    "a gathered copy": "c[i] = x[k[i]]\nloss = sum(i: c[i]*x[i])",
    "the same but for a stop": "a[i] = stop(x[i])**2\nb[i] = x[i]**2\nloss = sum(i: a[i]*b[i])",
    "the same but for a transpose": "a[i,j] = q[i,j]**2\nb[i,j] = q[j,i]**2\nloss = sum(i,j: a[i,j]*b[i,j]*q[i,j])",
    "the same but for an axis": "a[i] = sum(j: q[i,j])\nb[i] = sum(j: q[j,i])\nloss = sum(i: a[i]*b[i]**2)",
    "the same but for a range": "a = sum(i: x[i])\nb = sum(i: x[i]) for i < N - 1\nloss = a*b",
    "the same but for the op": "a = sum(i: x[i])\nb = logsumexp(i: x[i])\nloss = a*b",
    "the same function over less": "a = sum(i: exp(x[i])) for i < N - 1\nb = sum(i: exp(x[i])) for i < N\nloss = a*b",
    "the same function over other places": "a = sum(i: exp(x[i])) for 1 <= i < N\nb = sum(i: exp(x[i])) for i < N - 1\nloss = a*b",
    "two that become one and cancel": "a[i] = x[i]**2\nb[i] = x[i]**2\nloss = sum(i: (a[i] - b[i])*x[i] + a[i])",
    "signs at other places": "a[i] = -x[N-1-i] for i < N\nb[i] = -a[i]\nloss = sum(i: b[i]*x[i])",
    "signs of a part": "a[i] = -x[i] for i < N - 1\na[N-1] = 1\nb[i] = -a[i]\nloss = sum(i: b[i]*x[i])",
    "recurrences alike": "a[0] = 1\na[i+1] = a[i]*x[i]\nb[0] = 1\nb[i+1] = b[i]*x[i]\nloss = a[N]*b[N-1]",
    "signs three deep": "r[i] = -x[i]\nt[i] = -r[i]\nu[i] = -t[i]\nloss = sum(i: r[i]*t[i]**2*u[i]**3)",
    "signs of an output": "r[i] = -x[i]\nt[i] = -r[i]\nloss = sum(i: t[i]**3*r[i])",
    "signs of a transpose": "r[i,j] = -q[i,j]\nt[i,j] = -r[j,i]\nloss = sum(i,j: t[i,j]*q[i,j]**2)",
    "signs in part": "r[i] = -x[i]\nt[i] = -r[i] for i < N - 1\nt[N-1] = 2\nloss = sum(i: t[i]**3)",
    "signs of integers": "r[i] = -k[i]/1\nt[i] = -r[i]\nloss = sum(i: t[i]*x[i]/2)",
    "a copy of an output": "y[i] = x[i]**2\nz[i] = y[i]\nloss = sum(i: z[i]*y[i])",
}  # fmt: skip
TRAP_DATA = '[sizes]\nN = "n"\n[data]\nx = "real[N]"\nq = "real[N, N]"\nk = "int[N] < N"'
TRAP_OUTPUTS = {
    "a constant that is an output": ("c", "loss"),
    "zeros only": ("c", "loss"),
    "two that become one and cancel": ("a", "b", "loss"),
    "a copy of an output": ("z", "y", "loss"),
    "signs of an output": ("t", "loss"),
}


def reads_of(program: Program) -> set[str]:
    return {a.tensor for e in program.equations for a in e.reads}


def test_every_pass_has_an_example() -> None:
    assert [name for name, _ in PASSES] == list(EXAMPLES)


@pytest.mark.parametrize(("name", "rewrite"), PASSES, ids=[name for name, _ in PASSES])
def test_a_pass_does_what_its_name_says(name: str, rewrite: Callable[[Program], Program]) -> None:
    equations, outputs, does = EXAMPLES[name]
    program = program_of(equations, '[sizes]\nN = "n"\n[data]\nx = "real[N]"', outputs)
    changed = rewrite(program)
    assert does(program, changed), [str(e.body) for e in changed.equations]
    x = np.array([0.5, -1.0, 2.0])
    before, after = (evaluate(p, {"x": x}, {"N": 3}).values["loss"] for p in (program, changed))
    assert_agree(name, after, before, 1.0)


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize(("step", "rewrite"), PASSES, ids=[name for name, _ in PASSES])
def test_a_pass_changes_no_value(
    name: str, step: str, rewrite: Callable[[Program], Program]
) -> None:
    program = program_named(name)[0]
    changed = rewrite(program)
    assert len(changed.equations) <= len(program.equations)
    if changed != program:
        assert_preserved(name, changed)


RARE = {"drop zeros", "cancel signs"}
"""The passes that no spec of the catalogue and no case calls for by itself."""


def test_every_pass_finds_something_in_some_gradient() -> None:
    """Where it stands in the list, that is, after the passes before it."""
    busy = set()
    for name in SMALL:
        program = program_named(name)[0]
        for step, rewrite in PASSES:
            changed = rewrite(program)
            busy |= {step} if changed != program else set()
            program = changed
    assert busy >= {step for step, _ in PASSES} - RARE


@EACH
def test_all_passes_together_change_no_value_and_no_pass_finds_more(name: str) -> None:
    program = program_named(name)[0]
    small = simplify(split_heads(program))
    assert_preserved(name, small)
    assert len(small.equations) <= len(split_heads(program).equations)
    assert simplify(small) == small


def trap_values() -> dict[str, np.ndarray]:
    rng = np.random.default_rng(8)
    return {"x": rng.normal(size=4), "q": rng.normal(size=(4, 4)), "k": np.array([3, 1, 1, 0])}


def test_of_zeros_alone_one_stays_so_that_something_writes_the_tensor() -> None:
    program = program_of(TRAPS["zeros only"], TRAP_DATA, ("c", "loss"))
    assert [e.body for e in simplify(program).writers["c"]] == [0]


@pytest.mark.parametrize("trap", TRAPS)
def test_what_only_looks_like_a_form_is_emitted_right(trap: str) -> None:
    outputs = TRAP_OUTPUTS.get(trap, ("loss",))
    spec, given = spec_of(TRAPS[trap], TRAP_DATA, outputs), trap_values()
    came = called(imported(generate(spec), spec.name), "forward", None, spec, given)
    expected = evaluate(spec.shared, given, {"N": 4}).values
    for name, value in zip(outputs, came if len(outputs) > 1 else (came,), strict=True):
        assert_agree(f"{trap}: {name}", value, expected[name], 10.0)


@pytest.mark.parametrize("trap", TRAPS)
def test_what_only_looks_like_a_form_is_left_right(trap: str) -> None:
    outputs = TRAP_OUTPUTS.get(trap, ("loss",))
    program = program_of(TRAPS[trap], TRAP_DATA, outputs)
    given = trap_values()
    before = evaluate(program, given, {"N": 4}).values
    rewrites = [*(rewrite for _, rewrite in PASSES), simplify, lambda p: simplify(split_heads(p))]
    for rewrite in rewrites:
        after = evaluate(rewrite(program), given, {"N": 4}, outputs=outputs).values
        for name in outputs:
            assert_agree(f"{trap}: {name}", after[name], before[name], 10.0)
    grads = [reverse(p, "loss", ["x", "q"]) for p in (program, simplify(program))]
    expected, came = (
        evaluate(g.program, given, {"N": 4}, outputs=g.result.values()).values for g in grads
    )
    for x in ("x", "q"):
        assert_agree(f"{trap}: d{x}", came[grads[1].result[x]], expected[grads[0].result[x]], 10.0)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_gradient_of_the_simplified_program_is_the_gradient(case: Any) -> None:
    program = replace(case.loss.program, outputs=("loss",))
    g, small = (
        reverse(p, "loss", case.loss.wrt)
        for p in (program, simplify(split_heads(simplify(program))))
    )
    before = run(g.program, case.values, case.sizes, *g.result.values())
    after = run(small.program, case.values, case.sizes, *small.result.values())
    for x in case.loss.wrt:
        value, scale = (part[g.result[x]] for part in (before.values, before.magnitudes))
        assert_agree(f"{case.name}: d{x}", after.values[small.result[x]], value, scale)
