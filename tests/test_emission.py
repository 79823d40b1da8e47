"""Each statement on NumPy emission, held on every spec of the catalogue."""

from __future__ import annotations

import ast
import builtins
import math
import re
import shutil
import subprocess
import sys
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

import numpy as np
import pytest
from catalogue import EVERY
from catalogue import at as array_at
from emitted import (
    SPECS,
    Emitted,
    Inputs,
    expected,
    function_names,
    imported,
    inputs,
    of_file,
    of_text,
    same,
)
from programs import CASES

from symgrad.algebra.program import Program
from symgrad.algebra.simplify import simplify
from symgrad.notation.printer import equation_text
from symgrad.pipeline import generate, optimised
from symgrad.products import stable

ROOT = Path(__file__).resolve().parents[1]
CORE = ("one_bias", "softmax_policy", "attention", "convolution", "gru", "digits_mlp")
PLAIN = ("softmax_policy", "digits_mlp", "convolution", "gru")
"""An MLP with and without a scatter, a convolution, a recurrence."""
CALLS = [(path, name) for path in SPECS for name in function_names(EVERY[path])]

MIXED = """
description = "Ambiguous \\u2013 to a linter; \\u00e9."
outputs = ["y"]
aux = ["y"]
equations = \"\"\"
y[b,i] = erf(g*x[b,i])*k[b] + where(done[b], exp(count), softplus(c))
loss = mean(b: sum(i: y[b,i]**2)) + done2*count*sigmoid(w)
\"\"\"
[sizes]
B = "batch"
I = 3
[params]
w = "real"
c = "real"
[data]
x = "real[B, I]"
k = "int[B] < 5"
done = "bool[B]"
g = "real = 0.99"
done2 = "bool"
count = "int = 2"
"""

STEM = "a_rather_long_name_for_a_tensor_of_the_network"
LONG = f"""
equations = \"\"\"
{STEM}_y[b,i] = tanh(sum(j: {STEM}_w[i,j]*{STEM}_x[b,j]) + {STEM}_v[i] + {STEM}_g*3)
loss = mean(b: sum(i: where({STEM}_y[b,i] < {STEM}_g, {STEM}_y[b,i]**2, {STEM}_v[i])))
\"\"\"
[sizes]
{STEM}_B = "batch"
I = 3
{STEM}_J = 4
[params]
{STEM}_w = "real[I, {STEM}_J]"
{STEM}_v = "real[I]"
[data]
{STEM}_x = "real[{STEM}_B, {STEM}_J]"
{STEM}_g = "real = 2"
"""


def ids(value: Any) -> str:
    return value.stem if isinstance(value, Path) else str(value)


every_spec = pytest.mark.parametrize("path", SPECS, ids=ids)


def test_each_function_of_each_module_is_called_here() -> None:
    assert [(path, name) for path in SPECS for name in of_file(path).functions()] == CALLS


every_call = pytest.mark.parametrize(("path", "name"), CALLS, ids=ids)


def named(stem: str) -> Emitted:
    return of_file(next(p for p in SPECS if p.stem == stem))


def attributes(text: str) -> set[str]:
    """Every dotted name of a module's text."""
    return {ast.unparse(n) for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Attribute)}


def test_the_programs_of_the_core_are_in_the_catalogue() -> None:
    assert set(CORE) <= {p.stem for p in SPECS}


# ---- what an expert would not write ----------------------------------------------------------------


@every_spec
def test_no_module_uses_einsum(path: Path) -> None:
    assert "np.einsum" not in attributes(of_file(path).text)


@pytest.mark.parametrize("stem", PLAIN)
def test_scatters_are_sort_free_where_no_place_comes_twice(stem: str) -> None:
    assert "np.add.at" not in attributes(named(stem).text)


def test_the_search_for_forbidden_names_sees_them() -> None:
    assert "np.add.at" in attributes("def f(a, i):\n    np.add.at(a, i, 1.0)\n")


@every_call
def test_no_index_array_has_the_size_of_a_box(path: Path, name: str) -> None:
    """Whatever a call holds of integers is as long as one axis, or as large as an integer tensor."""
    emitted = of_file(path)
    assert too_large(emitted, emitted.text, name) == []


def too_large(emitted: Emitted, text: str, name: str) -> list[tuple[int, ...]]:
    """The shapes of integer arrays beyond what the call is given, or the longest axis."""
    found: list[tuple[int, ...]] = []

    def see(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype.kind in "iu":
            found.append(value.shape)
        return value

    module = watching(text, _see_=see, _call_=lambda f, *a, **k: f(*a, **k), _into_=lambda *a: a[2])
    planted = Emitted(emitted.spec, text, module)
    at = inputs(planted, B=40, T=6)
    found.clear()
    planted.call(name, at)
    planted.call(name, at, workspace=module.Workspace(**at.sizes))
    given = [np.size(v) for v in at.data.values() if np.asarray(v).dtype.kind == "i"]
    largest = max([*at.sizes.values(), *given])
    return [shape for shape in found if math.prod(shape) > largest]


BOXES = ("np.arange(B * H).reshape(B, H)", "np.flatnonzero(obs)", "np.indices((B, 4))[0]")


@pytest.mark.parametrize("planted", BOXES)
def test_an_index_array_of_a_box_is_seen(planted: str) -> None:
    emitted = named("softmax_policy")
    text = emitted.text.replace(
        "    return loss, grads\n", f"    {planted}\n    return loss, grads\n"
    )
    assert too_large(emitted, text, "value_and_grad") != []
    assert too_large(emitted, text, "value") == []


def test_axes_counted_as_one_are_reshaped_without_loops_or_copies() -> None:
    text = generate(next(case for case in CASES if case.name == "flattened").spec)
    body = text[text.index("def value_and_grad") :].partition("return loss")[0]
    assert "np.copyto" not in body
    assert "_view(" not in body
    assert "for " not in [line.strip()[:4] for line in body.splitlines()]
    assert "np.matmul(dy.T, g.reshape(B, C * U * V), out=grads.W)" in body


@every_call
def test_only_the_equations_of_a_cycle_stand_in_its_loop(path: Path, name: str) -> None:
    """An equation is in a loop exactly where what it writes leads back to what it reads."""
    emitted = of_file(path)
    program = program_of(emitted, name)
    reads: dict[str, set[str]] = {}
    for equation in program.equations:
        reads.setdefault(equation.target.tensor, set()).update(a.tensor for a in equation.reads)
    cyclic = [
        equation_text(e, program)
        for e in program.equations
        if any(e.target.tensor in behind(a.tensor, reads) for a in e.reads)
    ]
    assert sorted(notes(emitted.text, name, inside=True)) == sorted(cyclic)
    assert cyclic or path.stem != "gru"
    assert len(notes(emitted.text, name, inside=False)) == len(program.equations) - len(cyclic)


def program_of(emitted: Emitted, name: str) -> Program:
    """What a function computes, as it was planned."""
    forwards = dict(emitted.spec.forwards)
    if name in forwards:
        return stable(forwards[name])[0]
    gradient = emitted.derived_stable[emitted.loss(name).name]
    return optimised(gradient) if name.endswith("_and_grad") else simplify(gradient.program)


def behind(tensor: str, reads: dict[str, set[str]]) -> set[str]:
    """A tensor and all that it is computed from."""
    seen, todo = {tensor}, [tensor]
    while todo:
        new = reads.get(todo.pop(), set()) - seen
        seen |= new
        todo += new
    return seen


def notes(text: str, function: str, inside: bool) -> list[str]:
    """The equations that a function's comments say, in its loops or outside them."""
    lines = "\n".join(function_lines(text, function))
    whole = re.sub(r"(?<=\S)\n +#     (?=\S)", " ", lines)  # a long one goes on, four deeper
    indent = " {8,}" if inside else " {4}"
    return re.findall(rf"^{indent}# (.* \+?= .*)$", whole, re.MULTILINE)


def function_lines(text: str, name: str) -> list[str]:
    node = next(
        n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == name
    )
    return text.splitlines()[node.lineno - 1 : node.end_lineno]


# ---- a workspace -------------------------------------------------------------------------------------

SLACK = 512
"""Bytes for objects of Python's that differ between two runs: an integer above 256, a tuple."""


def traced_peak(emitted: Emitted, name: str, dtype: Any, sizes: dict[str, int]) -> int:
    """The most memory that a call held, after warm-up. NumPy's own fixed buffers are made small.

    The least of two calls: what a call needs it takes each time, and what another thread of the
    test runner takes meanwhile is traced too.
    """
    at = inputs(emitted, dtype, **sizes)
    data = {n: v[..., ::1] if np.ndim(v) else v for n, v in at.data.items()}
    at = Inputs(at.params, data, at.sizes)
    workspace = emitted.module.Workspace(**at.sizes)
    before = np.setbufsize(16)
    try:
        emitted.call(name, at, workspace=workspace)
        tracemalloc.start()
        emitted.call(name, at, workspace=workspace)
        peaks = []
        for _ in range(2):
            tracemalloc.reset_peak()
            held = tracemalloc.get_traced_memory()[0]
            emitted.call(name, at, workspace=workspace)
            peaks.append(tracemalloc.get_traced_memory()[1] - held)
        return min(peaks)
    finally:
        tracemalloc.stop()
        np.setbufsize(before)


def base_sizes(emitted: Emitted) -> dict[str, int]:
    return {n: min(default or 2, 16) for n, default in emitted.spec.sizes}


LARGE = (1024, 512, 256, 128, 72)  # 72 float64s outweigh SLACK
MOST = 2**21
"""Entries of all of a spec's tensors together, or 5 times as many as at the base sizes where that is
more; one size is as large as they let it be.
"""


def enlarged(emitted: Emitted, size: str) -> dict[str, int] | None:
    """One size so large that a vector of its length outweighs what Python's own objects take.

    Where ranges ask for it (a window fits into what it slides over) a second one is larger still.
    """
    base = base_sizes(emitted)
    most = max(MOST, 5 * entries(emitted, base))
    for n in LARGE:
        for other in (size, *base):
            sizes = {**base, other: 4 * n, size: n}
            if all(check.evaluate(sizes) >= 0 for check, _ in emitted.spec.checks):
                if entries(emitted, sizes) <= most:
                    return sizes
                break
    return None


def entries(emitted: Emitted, sizes: dict[str, int]) -> int:
    programs = [gradient.derived.program for gradient in emitted.derived.values()]
    shapes = [t.shape for program in programs for t in program.tensors]
    return sum(math.prod(n.evaluate(sizes) for n in shape) for shape in shapes)


def growth(emitted: Emitted, name: str) -> dict[str, int]:
    """For each size that can be large, how much more memory a call holds at its peak where it is."""
    small = traced_peak(emitted, name, np.float64, base_sizes(emitted))
    large = {size: enlarged(emitted, size) for size in base_sizes(emitted)}
    return {
        size: traced_peak(emitted, name, np.float64, sizes) - small
        for size, sizes in large.items()
        if sizes is not None
    }


@every_call
def test_with_a_workspace_memory_does_not_grow_with_any_size(path: Path, name: str) -> None:
    found = growth(of_file(path), name)
    assert found
    assert {size: more for size, more in found.items() if more > SLACK} == {}


ALLOCATIONS = (
    # spec,            what a call would allocate, what grows
    ("one_bias",       "hunger.copy()",            {"N"}),
    ("softmax_policy", "action + 1",               {"B"}),
    ("softmax_policy", "c1 * 2.0",                 {"H"}),
    ("digits_mlp",     "pixels.astype(bool)",      {"B"}),
    ("attention",      "x[:, 0] * 2.0",            {"B", "D"}),
    ("attention",      "x[0, :, 0] * 2.0",         {"T"}),
    ("convolution",    "W[0, 0] * 2.0",            {"K"}),
)  # fmt: skip


@pytest.mark.parametrize(
    ("stem", "planted", "grows"), ALLOCATIONS, ids=[f"{row[0]}-{row[1]}" for row in ALLOCATIONS]
)
def test_an_allocation_as_long_as_one_size_is_seen(
    stem: str, planted: str, grows: set[str]
) -> None:
    emitted = named(stem)
    end = "    return loss, grads\n"
    text = emitted.text.replace(end, f"    planted = {planted}\n    del planted\n{end}")
    assert text != emitted.text
    found = growth(Emitted(emitted.spec, text, imported(text, "planted")), "value_and_grad")
    assert {size for size, more in found.items() if more > SLACK} == grows


def test_casts_and_copies_of_layout_go_into_the_workspace() -> None:
    emitted = named("softmax_policy")

    def peak(batch: int) -> int:
        at = inputs(emitted, np.float32, B=batch)
        wide = {
            n: np.asfortranarray(v.astype(np.float64))
            if v.dtype.kind == "f"
            else v.astype(np.int32)
            for n, v in at.data.items()
        }
        workspace = emitted.module.Workspace(B=batch)
        before = np.setbufsize(16)
        try:
            emitted.call("value_and_grad", Inputs(at.params, wide, at.sizes), workspace=workspace)
            tracemalloc.start()
            emitted.call("value_and_grad", Inputs(at.params, wide, at.sizes), workspace=workspace)
            return tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
            np.setbufsize(before)

    assert peak(4096) <= peak(100) + SLACK


@every_call
def test_with_and_without_a_workspace_the_bits_are_the_same(path: Path, name: str) -> None:
    emitted = of_file(path)
    for dtype in (np.float64, np.float32):
        at = inputs(emitted, dtype, B=5)
        workspace = emitted.module.Workspace(**at.sizes)
        fresh = emitted.call(name, at)
        other = inputs(emitted, dtype, seed=1, B=5)
        emitted.call(name, other, workspace=workspace)  # leaves the buffers full of other numbers
        assert same(fresh, emitted.call(name, at, workspace=workspace))
        assert same(fresh, emitted.call(name, at))


@every_spec
def test_without_a_workspace_calls_are_thread_safe(path: Path) -> None:
    emitted = of_file(path)
    name = emitted.functions()[-1]
    each = [inputs(emitted, seed=seed) for seed in range(8)]
    alone = [emitted.call(name, at) for at in each]
    found: list[bool] = [False] * len(each)

    def run(n: int) -> None:
        found[n] = all(same(alone[n], emitted.call(name, each[n])) for _ in range(5))

    threads = [threading.Thread(target=run, args=(n,)) for n in range(len(each))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * len(each)


@every_spec
def test_results_without_a_workspace_are_fresh(path: Path) -> None:
    emitted = of_file(path)
    for name in emitted.functions():
        first = emitted.call(name, inputs(emitted))
        again = emitted.call(name, inputs(emitted))
        emitted.call(name, inputs(emitted, seed=1))
        assert same(first, again)


# ---- float32 -----------------------------------------------------------------------------------------

ENTRY = frozenset(
    {"_array", "_real", "_integer", "_boolean", "_dtype_of", "_dtype_among", "_below"}
    | {"_positive"}
)
"""Functions that look at arguments before they are cast."""


class Watching(ast.NodeTransformer):
    """Every expression of a function goes through `_see_`, every call through `_call_`."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        return node if node.name in ENTRY else self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        if isinstance(node.func, ast.Name) and node.func.id in (ENTRY | {"float", "super"}):
            return node  # float() makes Python's number of sizes alone, which widens nothing
        self.generic_visit(node)
        return seen(ast.Call(name("_call_"), [node.func, *node.args], node.keywords))

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        return seen(node)

    def visit_Subscript(self, node: ast.Subscript) -> ast.AST:
        self.generic_visit(node)
        return seen(node) if isinstance(node.ctx, ast.Load) else node

    def visit_Attribute(self, node: ast.Attribute) -> ast.AST:
        self.generic_visit(node)
        plain = ast.unparse(node).startswith("np.")
        return node if plain or not isinstance(node.ctx, ast.Load) else seen(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> ast.AST:
        self.generic_visit(node)
        target = ast.parse(ast.unparse(node.target), mode="eval").body
        operator = ast.Constant(type(node.op).__name__)
        node.value = ast.Call(name("_into_"), [operator, target, node.value], [])
        return node

    def visit_arguments(self, node: ast.arguments) -> ast.AST:
        return node


def name(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def seen(node: ast.expr) -> ast.Call:
    return ast.Call(name("_see_"), [node], [])


OPERATORS = {"Add": np.add, "Sub": np.subtract, "Mult": np.multiply, "Div": np.divide}


def watching(text: str, **watchers: Callable[..., Any]) -> ModuleType:
    """The module, with every value, call and update going through these."""
    module = ModuleType("watched")
    module.__dict__.update(watchers)
    builtins.exec(watching_code(text), module.__dict__)
    return module


@cache
def watching_code(text: str) -> CodeType:
    tree = ast.fix_missing_locations(Watching().visit(ast.parse(text)))
    return compile(tree, "watched", "exec")


def watched(text: str) -> tuple[ModuleType, list[str]]:
    """The module, and a list that fills with every value or computation wider than float32."""
    wide: list[str] = []

    def see(value: Any) -> Any:
        if isinstance(value, (np.ndarray, np.generic)) and value.dtype in (
            np.float64,
            np.longdouble,
        ):
            wide.append(f"a value of {value.dtype}{value.shape}")
        return value

    def resolve(function: np.ufunc, values: tuple[Any, ...]) -> None:
        kinds = [v.dtype if isinstance(v, (np.ndarray, np.generic)) else type(v) for v in values]
        if all(k in (int, float) for k in kinds):
            return
        chosen = function.resolve_dtypes((*kinds, *[None] * function.nout))
        if any(c == np.float64 for c in chosen):
            wide.append(f"np.{function.__name__} of {kinds} computes in float64")

    def call(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if isinstance(function, np.ufunc) and function.signature is None:
            resolve(function, args[: function.nin])
        return function(*args, **kwargs)

    def into(operator: str, target: Any, value: Any) -> Any:
        resolve(OPERATORS[operator], (target, value))
        return value

    module = watching(text, _see_=see, _call_=call, _into_=into)
    return module, wide


def wide_values(emitted: Emitted, text: str, function: str) -> list[str]:
    """What is wider than float32 in one call where all that comes in is float32."""
    module, wide = watched(text)
    planted = Emitted(emitted.spec, text, module)
    at = inputs(planted, np.float32)
    wide.clear()
    planted.call(function, at)
    planted.call(function, at, workspace=module.Workspace(**at.sizes))
    return wide


@every_call
def test_in_float32_every_intermediate_is_float32(path: Path, name: str) -> None:
    emitted = of_file(path)
    assert wide_values(emitted, emitted.text, name) == []


@pytest.mark.parametrize("function", ["forward", "value", "value_and_grad"])
def test_integers_and_truth_values_in_a_body_do_not_widen_float32(function: str) -> None:
    emitted = of_text(MIXED)
    assert wide_values(emitted, emitted.text, function) == []
    assert same_type(emitted, function)


def same_type(emitted: Emitted, function: str) -> bool:
    at = inputs(emitted, np.float32)
    result = emitted.call(function, at)
    return leaves(result) == {np.dtype(np.float32)}


def leaves(result: Any) -> set[Any]:
    if isinstance(result, (tuple, dict)):
        items = result.values() if isinstance(result, dict) else result
        return set().union(*(leaves(item) for item in items))
    if hasattr(result, "_sizes"):
        return {v.dtype for n, v in vars(result).items() if not n.startswith("_")}
    return {np.asarray(result).dtype}


PLANTED = (
    (
        "np.tanh(z1, out=ws.h1)",
        "np.tanh(z1.astype(np.float64)).astype(np.float32)",
        "softmax_policy",
    ),
    (
        "loss = -np.dot(advantage, logp) / B",
        "loss = -np.float64(np.dot(advantage, logp)) / B",
        "softmax_policy",
    ),
    ("z1 += c1", "z1 += c1.astype(np.float64)", "softmax_policy"),
    ("loss = np.sum(t_3) / B", "loss = np.sum(t_3) / np.sqrt(B * B)", "convolution"),
)


@pytest.mark.parametrize(("old", "new", "stem"), PLANTED, ids=range(len(PLANTED)))
def test_a_planted_float64_is_seen(old: str, new: str, stem: str) -> None:
    emitted = named(stem)
    assert old in emitted.text
    assert wide_values(emitted, emitted.text.replace(old, new), "value_and_grad") != []


# ---- a file of its own -------------------------------------------------------------------------------


@every_spec
def test_a_module_imports_numpy_alone(path: Path) -> None:
    found = [
        n
        for n in ast.walk(ast.parse(of_file(path).text))
        if isinstance(n, (ast.Import, ast.ImportFrom))
    ]
    assert [ast.unparse(n) for n in found] == ["import numpy as np"]


@every_spec
def test_a_module_runs_where_symgrad_cannot_be_imported(path: Path, tmp_path: Path) -> None:
    emitted = of_file(path)
    (tmp_path / "m.py").write_text(emitted.text, encoding="utf-8")
    program = (
        "import sys\n"
        f"sys.path[:] = [p for p in sys.path if p and p != {str(ROOT)!r}] + ['.']\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.partition('.')[0] in ('symgrad', 'sympy', 'jinja2'):\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import numpy as np, m\n"
        "params = m.init(np.random.default_rng(0))\n"
        "print(params.flat.size, sorted(k for k in sys.modules if k.startswith('symgrad')))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.split()[1:] == ["[]"], done.stderr


def lint(tool: str, *arguments: str) -> str:
    if shutil.which(tool) is None and not Path(sys.executable).with_name(tool).exists():
        pytest.skip(f"{tool} is not installed")
    program = shutil.which(tool) or str(Path(sys.executable).with_name(tool))
    done = subprocess.run(
        [program, *arguments], capture_output=True, text=True, check=False, cwd=ROOT
    )
    return done.stdout + done.stderr


@contextmanager
def written(folder: Path) -> Iterator[list[str]]:
    """Every module of the catalogue, and one with the rest of the notation, as files."""
    texts = {p.stem: of_file(p).text for p in SPECS} | {
        "mixed": of_text(MIXED).text,
        "long": of_text(LONG).text,
    }
    for stem, text in texts.items():
        (folder / f"{stem}.py").write_text(text, encoding="utf-8")
    yield [str(folder / f"{stem}.py") for stem in texts]


def test_ruff_finds_nothing_in_any_module(tmp_path: Path) -> None:
    with written(tmp_path) as files:
        said = lint("ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), *files)
        assert said.strip() == "All checks passed!"
    bad = tmp_path / "bad.py"
    bad.write_text("import os\n", encoding="utf-8")
    assert "F401" in lint(
        "ruff", "check", "--no-cache", "--config", str(ROOT / "pyproject.toml"), str(bad)
    )


def test_mypy_finds_nothing_in_any_module(tmp_path: Path) -> None:
    with written(tmp_path) as files:
        said = lint(
            "mypy",
            "--config-file=",
            "--check-untyped-defs",
            f"--cache-dir={tmp_path}/cache",
            *files,
        )
        assert said.startswith("Success"), said


@every_spec
def test_no_line_is_longer_than_100_columns_but_the_spec_s_own(path: Path) -> None:
    text = of_file(path).text
    head, _, rest = text.partition("SPEC = r'''")
    _, _, tail = rest.partition("'''")
    assert [line for line in (head + tail).splitlines() if len(line) > 100] == []


# ---- the numbers -------------------------------------------------------------------------------------


@every_call
def test_a_module_agrees_with_the_naive_evaluator(path: Path, name: str) -> None:
    emitted = of_file(path)
    if not name.endswith("value_and_grad"):
        return
    at = inputs(emitted)
    wanted = expected(emitted, name, at)
    result, gradient = emitted.call(name, at)
    value, aux = result if isinstance(result, tuple) else (result, {})
    np.testing.assert_allclose(value, wanted[emitted.loss(name).value], rtol=1e-12)
    for key, array in aux.items():
        np.testing.assert_allclose(array, wanted[key], rtol=1e-11, atol=1e-13)
    for key in emitted.loss(name).wrt:
        np.testing.assert_allclose(array_at(gradient, key), wanted[key], rtol=1e-10, atol=1e-12)
