"""The planner's decisions, one by one: which steps an equation becomes, and which memory they use."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

import pytest
from emitted import SPECS, of_file
from hypothesis import HealthCheck, Phase, given, settings
from recomputed import recomputed

from benchmarks.fuzzing.programs import programs
from benchmarks.fuzzing.writer import Case
from symgrad.algebra.access import Affine
from symgrad.algebra.heads import split_heads
from symgrad.algebra.order import Loop as Recurrence
from symgrad.algebra.order import schedule
from symgrad.algebra.program import Program
from symgrad.algebra.simplify import simplify
from symgrad.algebra.sizes import Size
from symgrad.errors import ProgramError
from symgrad.pipeline import derive_stable, optimised
from symgrad.plan.buffers import touched
from symgrad.plan.numbers import numbered
from symgrad.plan.plan import plan, with_memory
from symgrad.plan.steps import (
    Copy,
    Guard,
    Loop,
    Note,
    Plan,
    Scatter,
    Step,
    Ufunc,
)
from symgrad.plan.views import Operand, Strided, View
from symgrad.spec import parse_spec

DECLARED = """
[sizes]
B = "batch"
T = "steps"
H = 4
K = 3
[data]
x = "real[B, H]"
x2 = "real[B, H]"
y = "real[B, T, H]"
z = "real[B, T, K]"
s = "real[T]"
w = "real[K]"
W = "real[K, H]"
V = "real[H, H]"
Q = "real[B, T, T]"
a = "int[B] < H"
b = "int[B, T] < K"
best = "int < H"
"""


def planned(equations: str, outputs: str = "o", tensors: str = "") -> Plan:
    names = ", ".join(f'"{name}"' for name in outputs.split())
    text = f'outputs = [{names}]\nequations = """\n{equations}\n"""\n{DECLARED}{tensors}'
    spec = parse_spec(text, "table")
    assert spec.forward is not None
    return plan(simplify(split_heads(spec.forward)))


def kind(step: Step) -> str:
    """A step in a word or two."""
    if isinstance(step, Loop):
        return f"{'back' if step.backward else 'loop'}({' '.join(kinds(step.body))})"
    if isinstance(step, Guard):
        return f"if({' '.join(kinds(step.body))})"
    if isinstance(step, Ufunc):
        return step.function
    if isinstance(step, Copy):
        return "mask" if step.where else "copy" if isinstance(step.source, Operand) else "fill"
    if isinstance(step, Scatter):
        return "scatter" if step.scratch else "add_at"
    return type(step).__name__.lower()


def kinds(steps: Sequence[Step]) -> list[str]:
    return [kind(step) for step in steps if not isinstance(step, Note)]


# fmt: off
STEPS = (
    ("a dense layer is one product of what is there",           "o[b,i] = sum(j: W[i,j]*x[b,j])", "matmul"),
    ("over two leading indices it is one flat product",         "o[b,t,i] = sum(j: V[i,j]*y[b,t,j])", "matmul"),
    ("over two contracted indices it is one product",           "o[i,j] = sum(b,t: y[b,t,i]*z[b,t,j])", "matmul"),
    ("an index of all three is a batch",                        "o[b,t,u] = sum(j: y[b,t,j]*y[b,u,j])", "matmul"),
    ("a product may be written through a transposed view",      "o[t,b,i] = sum(j: V[i,j]*y[b,t,j])", "matmul"),
    ("a matrix and a vector",                                   "o[k] = sum(j: W[k,j]*x[0,j])", "matmul"),
    ("three factors are two products",                          "o[b,k] = sum(i,j: x[b,i]*V[i,j]*W[k,j])", "matmul matmul"),
    ("a weight on the batch goes to the smaller factor",        "o[i,j] = sum(b: x[b,0]*x[b,i]*x[b,j])", "multiply matmul"),
    ("an outer product is a broadcast product",                 "o[b,k] = x[b,0]*w[k]", "multiply"),
    ("a full dot product",                                      "o = sum(b,i: x[b,i]*x2[b,i])", "total assign"),
    ("a row-wise dot is a product and a sum",                   "o[b] = sum(i: x[b,i]*y[b,0,i])", "multiply sum"),
    ("a sum over the batch",                                    "o[i] = sum(b: x[b,i])", "sum"),
    ("terms with different indices are separate",               "o[b,i] = sum(j: V[i,j]*x[b,j]) + V[0,i]", "matmul add"),
    ("a mean divides the small result",                         "o[i] = mean(b: x[b,i])", "sum divide"),
    ("a bias is added in place",                                "o[b,k] = sum(j: W[k,j]*x[b,j]) + w[k]", "matmul add"),
    ("a chain runs in place",                                   "o[b,i] = tanh(2*x[b,i] + 1)", "multiply add tanh"),
    ("a mask is a comparison and a masked copy",                "o[b,i] = where(x[b,i] < 0, x[b,i], 1)", "less fill mask"),
    ("a shift is a view",                                       "o[t] = s[t+1] - s[t] for t < T-1", "subtract"),
    ("a reversal is a view",                                    "o[t] = 2*s[T-1-t] for t < T", "multiply"),
    ("a diagonal is a view",                                    "o[b,t] = 2*Q[b,t,t]", "multiply"),
    ("a pad is a copy with a border",                           "o[t] = pad(s[t-1]) for t < T", "fill copy copy"),
    ("a window of a matrix product is copied once",             "o[b,t] = sum(k,i: y[b,t+k,i]*W[k,i]) for t < T-K+1", "copy matmul"),
    ("a window of a vector is a product of the view",           "o[t] = sum(k: w[k]*s[t+k]) for t < T-K+1", "matmul"),
    ("a write through a window adds slices, in a loop over the smaller index", "o[t+k] += s[t]*w[k]", "fill multiply loop(add)"),
    ("a stepped write is one slice",                            "o[2*t] = s[t]\no[2*t+1] = 3*s[t]", "copy multiply"),
    ("parts that fill a tensor need no zeros",                  "o[0,i] = x[0,i]\no[b+1,i] = x[b,i]", "copy copy"),
    ("parts that do not fill it start from zeros",              "o[t] = s[t] for 1 <= t < T", "fill copy"),
    ("a gather on the only axis",                               "o[b] = s[a[b]] for b < B", "take"),
    ("a gather of rows goes straight into its place",           "o[b,i] = V[a[b],i]", "take"),
    ("a gather at a shared index",                              "o[b] = x[b,a[b]]", "take"),
    ("a row at a single integer is a view",                     "o[i] = 2*V[best,i]", "multiply"),
    ("logsumexp over the last index",                           "o[b] = logsumexp(i: x[b,i])", "logsumexp"),
    ("logsumexp over another axis copies once",                 "o[i] = logsumexp(b: x[b,i])", "copy logsumexp"),
    ("argmax over the last index",                              "o[b] = argmax(i: x[b,i])", "argmax"),
    ("a maximum is an argmax and a gather",                     "o[b] = max(i: x[b,i])", "argmax take"),
    ("a recurrence is a loop, its input a product before it",   "o[b,0,i] = x[b,i]\no[b,t+1,i] = tanh(sum(j: V[i,j]*o[b,t,j]) + y[b,t,i])", "copy loop(matmul add tanh)"),
    ("a recurrence from the end runs backwards",                "o[T] = 1\no[t] = s[t] + o[t+1]/2", "assign back(assign)"),
    ("an argmax of a row in a loop copies nothing",             "m[t] = argmax(i: o[t,i]) for t < T, i < H\no[0,i] = x[0,i]\no[t+1,i] = tanh(o[t,i]) + V[m[t],i]", "copy loop(argmax tanh take add)"),
    ("a number that a sum comes to multiplies what is there",   "o[b] = sum(t: x[b,0]*s[t])", "total multiply"),
    ("two sums over one array are one total",                   "p[b] = sum(t: x[b,0]*s[t])\no[b,k] = p[b]*sum(t: w[k]*s[t])", "total multiply multiply multiply"),
    ("a gather from a row copies nothing",                      "o[b] = V[0,a[b]]", "take"),
    ("a padded self-read looks only at its own place",          "o[t,k] = w[k] + pad(o[t-1,k])/2 for t < T", "loop(fill if(copy) multiply add)"),
)

SCATTERS = (
    ("every box index plain: no place comes twice",  "o[b,a[b]] += x[b,a[b]]", '[tensors]\no = "real[B, H]"', "scatter"),
    ("rows at integers may repeat",                  "o[a[b],i] += x[b,i]", '[tensors]\no = "real[H, H]"', "add_at"),
    ("a row at one integer is a slice",              "o[best,i] += w[0]*x[0,i]", '[tensors]\no = "real[H, H]"', "multiply"),
)
# fmt: on


@pytest.mark.parametrize(
    ("equations", "expected"), [row[1:] for row in STEPS], ids=[row[0] for row in STEPS]
)
def test_an_equation_becomes_these_steps(equations: str, expected: str) -> None:
    found = planned(equations)
    assert " ".join(kinds(found.steps)) == expected


@pytest.mark.parametrize(
    ("equations", "tensors", "expected"),
    [row[1:] for row in SCATTERS],
    ids=[row[0] for row in SCATTERS],
)
def test_a_write_at_integers_becomes_this_step(equations: str, tensors: str, expected: str) -> None:
    found = kinds(planned(equations, tensors=tensors).steps)
    assert [k for k in found if k in ("scatter", "add_at", "multiply")] == [expected]


# ---- gradients ------------------------------------------------------------------------------------


def gradients(text: str, name: str) -> Iterator[tuple[Program, Plan]]:
    """Each loss's gradient program, and its plan, each buffer by a name of its own."""
    for loss in parse_spec(text, name).losses:
        gradient = derive_stable(loss)
        program = optimised(gradient)
        yield program, with_memory(program, tuple(gradient.derived.result.values()))


def own_gradient(path: Path) -> tuple[Program, Plan]:
    return next(gradients(path.read_text(encoding="utf-8"), path.stem))


def walked(steps: Sequence[Step]) -> Iterator[Step]:
    for step in steps:
        yield step
        if isinstance(step, (Loop, Guard)):
            yield from walked(step.body)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_each_equation_is_computed_once(path: Path) -> None:
    program, found = own_gradient(path)
    notes = [step.text for step in walked(found.steps) if isinstance(step, Note)]
    assert len(notes) == len(program.equations) >= 6
    assert len(set(notes)) == len(notes)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_no_value_is_computed_twice(path: Path) -> None:
    emitted = of_file(path)
    assert emitted.functions()
    for name in emitted.functions():
        assert recomputed(emitted.text, name) == []


TWICE = (
    ("a function of one array", "h = np.tanh(x, out=ws.h)\ng = np.tanh(x, out=ws.g)", ["np.tanh(x, out=ws.g)"]),
    ("a product, the other way round", "h = np.multiply(x, y, out=ws.h)\nh -= np.multiply(y, x, out=ws.g)", ["np.multiply(y, x, out=ws.g)"]),
    ("a sum", "s = np.sum(x) + np.sum(x)", ["np.sum(x)"]),
    ("inside a loop what was there before it", "h = np.exp(x, out=ws.h)\nfor t in range(T):\n    y[t] += np.exp(x, out=ws.g)", ["np.exp(x, out=ws.g)"]),
    ("a gather", "np.take(x, a, axis=0, out=ws.g)\nnp.take(x, a, axis=0, out=ws.h)", ["np.take(x, a, axis=0, out=ws.h)"]),
    ("nothing: the array was written in between", "h = np.tanh(x, out=ws.h)\nx += y\ng = np.tanh(x, out=ws.g)", []),
    ("nothing: another axis", "h = np.sum(x, axis=0, out=ws.h)\ng = np.sum(x, axis=1, out=ws.g)", []),
    ("nothing: each side of a condition", "h = np.tanh(x) if s else 0.0\ng = np.tanh(x) if r else 1.0", []),
    ("nothing: another place in each turn", "for t in range(T):\n    np.tanh(x[t], out=y[t])\nfor t in range(T):\n    np.tanh(x[t], out=h[t])", []),
)  # fmt: skip


@pytest.mark.parametrize(("body", "found"), [row[1:] for row in TWICE], ids=[r[0] for r in TWICE])
def test_what_is_computed_twice_is_seen(body: str, found: list[str]) -> None:
    arrays = "x, y, a = ws.x, ws.y, ws.a\n"
    text = "def f(ws, T, s, r):\n" + textwrap.indent(arrays + body, "    ")
    assert recomputed(text, "f") == found


def test_only_the_equations_of_a_cycle_stand_in_its_loop() -> None:
    program, found = own_gradient(next(p for p in SPECS if p.stem == "gru"))
    inside = [
        [s.text for s in walked(step.body) if isinstance(s, Note)]
        for step in found.steps
        if isinstance(step, Loop)
    ]
    cycles = [group for group in schedule(program) if isinstance(group, Recurrence)]
    assert len(inside) == len(cycles) == 2
    assert sorted(map(len, inside)) == sorted(len(cycle.steps) for cycle in cycles)
    assert sum(isinstance(step, Loop) and step.backward for step in found.steps) == 1


def test_a_dense_network_and_a_recurrence_scatter_nothing_by_add_at() -> None:
    for path in SPECS:
        if "embedding" in path.read_text(encoding="utf-8"):
            continue  # rows of a table, read by number, meet
        _, found = own_gradient(path)
        assert all(s.scratch for s in walked(found.steps) if isinstance(s, Scatter)), path.stem


# ---- memory ---------------------------------------------------------------------------------------


def clashes(found: Plan, kept: Sequence[str], sizes: Mapping[str, int]) -> list[str]:
    """What would be read after another buffer took its memory: the plan run step by step.

    It knows nothing of lives: only who wrote a piece of memory last.
    """
    owner = dict(found.shares)
    holder: dict[str, str] = {}
    wrong: list[str] = []

    def read(name: str) -> None:
        if holder.get(owner.get(name, name), name) != name:
            wrong.append(f"{name} is read after {holder[owner.get(name, name)]} took its memory")

    def number(place: Affine, at: Mapping[str, Affine]) -> int:
        return place.substitute(at).offset.evaluate(sizes)

    def follow(steps: Sequence[Step], at: Mapping[str, Affine]) -> None:
        for step in steps:
            if isinstance(step, Loop):
                turns = range(number(step.lo, at), number(step.hi, at))
                for n in reversed(turns) if step.backward else turns:
                    follow(step.body, {**at, step.index: Affine((), Size.of(n))})
            elif isinstance(step, Guard):
                place = number(step.place, at)
                lo, hi = (place if e is None else e.evaluate(sizes) for e in (step.lo, step.hi))
                if lo <= place < hi + (step.hi is None):
                    follow(step.body, at)
            elif not isinstance(step, Note):
                written = _written(step)
                for name in touched(step):
                    if name not in written or _reads_itself(step, name):
                        read(name)
                for name in written:
                    inputs = {n for n in touched(step) if n not in written}
                    same = {n for n in inputs if owner.get(n, n) == owner.get(name, name)}
                    if same and not _in_place(step, same):
                        wrong.append(f"{name} overwrites {sorted(same)} while it is read")
                    holder[owner.get(name, name)] = name

    follow(found.steps, {})
    for name in kept:
        if any(a.name == name for a in found.arrays):
            read(name)
    return wrong


WRITES = ("out", "scratch", "total", "target", "at")


def _written(step: Step) -> list[str]:
    found: list[str] = []
    for item in fields(step):  # type: ignore[arg-type]
        value = getattr(step, item.name)
        for part in value if isinstance(value, tuple) else (value,):
            if item.name in WRITES and isinstance(part, (Operand, View)):
                found.append(part.array)
    return found


def _reads_itself(step: Step, name: str) -> bool:
    inputs = step.inputs if isinstance(step, Ufunc) else ()
    added = isinstance(step, Scatter) and step.target.array == name
    return added or any(isinstance(i, Operand) and i.array == name for i in inputs)


def _in_place(step: Step, same: set[str]) -> bool:
    """Place by place: every shared input is seen exactly as the result is."""
    if not isinstance(step, Ufunc) or step.scratch or isinstance(step.out.view, Strided):
        return False
    shared = [i for i in step.inputs if isinstance(i, Operand) and i.array in same]
    return all(
        isinstance(i.view, View)
        and i.view.picks == step.out.view.picks
        and i.layout == step.out.layout
        for i in shared
    )


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_buffers_of_the_catalogue_share_memory_safely(path: Path) -> None:
    program, found = own_gradient(path)
    assert found.shares or path.stem == "one_bias"
    assert clashes(found, program.outputs, sizes_at(program)) == []


def sizes_at(program: Program) -> dict[str, int]:
    return {name: known or 3 for name, known in program.sizes}


def test_buffers_of_random_programs_share_memory_safely() -> None:
    shares = 0

    @settings(max_examples=60, suppress_health_check=list(HealthCheck), phases=(Phase.generate,))
    @given(programs())
    def check(case: Case) -> None:
        nonlocal shares
        for program, found in gradients(case.text, "random"):
            assert clashes(found, program.outputs, case.sizes) == []
            shares += len(found.shares)

    check()
    assert shares > 100


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_spare_buffers_in_one_memory_have_one_name_and_are_numbered(path: Path) -> None:
    program, alone = own_gradient(path)
    found = numbered(alone, program.names)
    spare = {a.name for a in found.arrays if a.spare}
    assert not [pair for pair in found.shares if spare >= set(pair)]
    numbers = sorted(int(name.removeprefix("t_")) for name in spare if name.startswith("t_"))
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(found.arrays) <= len(alone.arrays)
    assert kinds(found.steps) == kinds(alone.steps)


def test_a_buffer_shared_too_early_is_seen() -> None:
    """The checker refuses: every pair of equal buffers that are both read later is a clash."""
    program, found = own_gradient(next(p for p in SPECS if p.stem == "softmax_policy"))
    planted = replace(found, shares=(("h2", "h1"),))
    assert {"h1", "h2"} <= {a.name for a in found.arrays}
    assert clashes(planted, program.outputs, sizes_at(program))


def test_a_declared_function_is_refused_with_its_reason() -> None:
    text = 'outputs = ["o"]\nequations = "o[b] = f(x[b])"\n[functions]\nf = 1\n[sizes]\nB = "n"\n[data]\nx = "real[B]"\n'
    forward = parse_spec(text, "table").forward
    assert forward is not None
    with pytest.raises(ProgramError, match="undefined function"):
        plan(forward)
