"""The checker refuses: planted faults FAIL and name the blocks that they change, and no others.

Which blocks a fault changes is computed: the mutant's numbers against those of the clean module.
A mutant that raises is refused with its exception as the reason; one that changes no number at
1,000 seeded points is equivalent, and passes.
"""

from __future__ import annotations

import ast
import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from click.testing import CliRunner
from emitted import of_file
from programs import NAMES

from benchmarks.mutants.edits import function_of, with_function, with_other_gradient
from benchmarks.mutants.judging import (
    Bench,
    Replay,
    answers_of,
    bench_of,
    difference,
    emitted,
    module_of,
    with_edit,
)
from benchmarks.mutants.program import program_faults
from benchmarks.mutants.source import source_faults
from symgrad import pipeline
from symgrad.algebra.program import Program
from symgrad.catalog.builtin import spec_path
from symgrad.cli import main
from symgrad.spec import Spec, load, parse_spec
from symgrad.verify.arithmetic import Array
from symgrad.verify.cases import Case
from symgrad.verify.check import check, check_module, judged, prepared
from symgrad.verify.compare import Rule
from symgrad.verify.report import text_of
from symgrad.verify.spec_text import spec_text
from symgrad.verify.subject import Answer, CallableSubject, ModuleSubject

BASELINE = """guess[b] = sum(i: u[i]*h2[b,i])
loss = mean(b: (advantage[b] - guess[b])**2 - (advantage[b] - stop(guess[b]))*logp[b])"""

PROGRAMS: Mapping[str, Mapping[str, int]] = {
    "one_bias": {"N": 3},
    "softmax_policy": {"B": 4, "H": 4},
    "attention": {"B": 3, "T": 3, "D": 3, "A": 3, "K": 3},
    "convolution": {"B": 3, "L": 7, "C": 3, "O": 3, "K": 3, "M": 3},
    "gru": {"B": 3, "T": 3, "D": 3, "H": 3, "K": 3},
}
"""The five programs, and sizes at which their arrays are square: no shape betrays a transpose."""

SQUARE = load(spec_path("convolution")).source.replace("O = 4    # channels out\n", "")
for old, new in (
    ("real[O, C, K]", "real[C, C, K]"),
    ("real[O]", "real[C]"),
    ("[M, O, U]", "[M, C, U]"),
):
    SQUARE = SQUARE.replace(old, new)
"""The convolution with as many channels out as in: before sizes have values, square or not is
what the declarations say."""

STOPS = {
    "one_bias": (("mean(n: reward", "mean(n: stop(p[n])*reward"),),
    "softmax_policy": (
        ("loss = -mean(b: advantage[b]*logp[b])", BASELINE),
        ("[data]", 'u = "real[H]"\n\n[data]'),
    ),
    "attention": (("*k[b,u,h,i]", "*stop(k[b,u,h,i])"),),
    "convolution": (("- target[b,m])", "- target[b,m] - stop(y[b,m])/2)"),),
    "gru": (("sum(j: Un[i,j]*h[b,t,j])", "sum(j: Un[i,j]*stop(h[b,t,j]))"),),
}
"""Each program with a stop: a weight, a learned baseline, frozen keys, a bootstrapped target, a
recurrence that is cut."""

BEHIND_A_STOP: Mapping[str, set[str]] = {
    "one_bias": {"b"},
    "softmax_policy": {"u", "W1", "c1", "W2", "c2"},
    "attention": {"Wk"},
    "convolution": {"W", "w0", "V", "v0"},
    "gru": {f"{kind}{gate}" for kind in "WUc" for gate in "rzn"} | {"en"},
}
"""What each stop shields: the blocks that fail without it, and no others."""

# At least so many faults are planted and named, by operator: factor, sign, transpose, axis,
# dropped term, off-by-one gather. 0: one_bias has no array of two axes, nor a gather.
LEAST = {
    "module": {
        "one_bias":       (16, 16,  0, 0,  6,  0),
        "softmax_policy": (24, 24,  8, 3,  8,  2),
        "attention":      (24, 24, 20, 4,  6,  1),
        "convolution":    (24, 22, 10, 4,  4,  1),
        "gru":            (24, 24, 16, 8, 18, 20),
    },
    "program": {
        "one_bias":       (6, 6, 0, 0, 4, 6),
        "softmax_policy": (6, 6, 1, 1, 6, 6),
        "attention":      (6, 6, 4, 2, 4, 6),
        "convolution":    (6, 6, 1, 1, 6, 6),
        "gru":            (6, 6, 3, 3, 6, 6),
    },
}  # fmt: skip
OPERATORS = ("factor", "sign", "transpose", "axis", "dropped term", "off-by-one gather")
IN_MODULE, IN_PROGRAM = 32, 7
"""Faults of one operator in one program that are tried; a seeded choice where there are more."""


@functools.cache
def bench(name: str) -> Bench:
    """`square convolution`, `stopped NAME` and `residual NAME` are the variants."""
    kind, _, rest = name.rpartition(" ")
    sizes = {n: size for n, size in PROGRAMS[rest].items() if (kind, n) != ("square", "O")}
    made = bench_of(parse_spec(VARIANTS[kind](rest), rest), sizes)
    assert len(made.clean) >= 3
    return made


def stopped(name: str) -> str:
    """The program with its stop."""
    text = load(spec_path(name)).source
    for old, new in STOPS[name]:
        assert old in text
        text = text.replace(old, new)
    return text


VARIANTS: Mapping[str, Callable[[str], str]] = {
    "": lambda name: load(spec_path(name)).source,
    "square": lambda name: SQUARE,
    "stopped": stopped,
    "residual": lambda name: re.sub(r"stop\((\w+\[[\w,]+\])\)", r"\1", stopped(name)),
}


# ---------------------------------------------------------------- the truth


def changed(case: Case, clean: Answer, mutant: Answer) -> dict[str, bool]:
    """For each block: whether an entry differs by more than |a - b| <= tol*|b| + 64*eps*S."""
    rule, found = Rule(), {}
    scales = {**case.expected.magnitudes, **case.scales}
    for name, before in {**clean.outputs, **clean.gradients}.items():
        after = {**mutant.outputs, **mutant.gradients}[name]
        bound = rule.tolerance * np.abs(before) + rule.rounding * scales[name].astype(float)
        error = np.abs(after - before) if after.shape == before.shape else np.full(1, np.inf)
        wrong = ~(error <= bound)
        # No fault may be so small that a rounding error decides.
        assert not np.any(wrong & (error <= 4 * bound))
        assert not np.any(~wrong & (error > bound / 4))
        found[name] = bool(np.any(wrong))
    return found


def judge(bench: Bench, mutant: ModuleType) -> str:
    """named, crashed or equivalent; fails where the report is not exactly right."""
    answers = answers_of(bench, mutant)
    report = judged(bench.oracle, Replay(answers))
    raised = 0
    for case, clean, came in zip(bench.oracle.cases, bench.clean, answers, strict=True):
        if came.error:
            raised += 1
            reasons = [rule.note for rule in report.conduct if case.where in rule.claim]
            assert (reasons, report.verdict) == ([came.error], "FAIL")
            continue
        blocks = {b.name: b for b in report.blocks if b.instance == case.where}
        truth = changed(case, clean, came)
        assert blocks.keys() == truth.keys()
        wanted = {name: "FAIL" if differs else "PASS" for name, differs in truth.items()}
        assert {name: b.verdict for name, b in blocks.items()} == wanted, text_of(report)
    if report.failures:
        assert (report.verdict, report.exit_code) == ("FAIL", 1)
        for block in report.failures:
            assert block.equation
            assert block.note
            assert block.worst is not None
        return "named"
    if raised:
        return "crashed"
    assert not difference(bench, mutant), "a fault that changes numbers elsewhere was not seen"
    assert report.verdict == "PASS", text_of(report)
    return "equivalent"


# ---------------------------------------------------------------- in the emitted module


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fault_in_the_emitted_module_fails_and_names_its_blocks(name: str, operator: str) -> None:
    found = source_faults(bench(name).text, "value_and_grad", operator, IN_MODULE)
    outcomes = Counter(judge(bench(name), with_edit(bench(name).module, f.function)) for f in found)
    assert outcomes["named"] >= LEAST["module"][name][OPERATORS.index(operator)], outcomes


def test_an_exception_in_the_module_is_a_fail_that_says_why() -> None:
    function = function_of(bench("softmax_policy").text, "value_and_grad")
    function.body.insert(3, ast.parse("raise ZeroDivisionError('planted')").body[0])
    assert (
        judge(bench("softmax_policy"), with_edit(bench("softmax_policy").module, function))
        == "crashed"
    )


@pytest.mark.parametrize("operator", OPERATORS)
def test_a_fault_in_a_file_fails_in_a_process_of_its_own(operator: str, tmp_path: Path) -> None:
    bench_, path = bench("softmax_policy"), tmp_path / "softmax_policy.py"
    for fault in source_faults(bench_.text, "value_and_grad", operator):
        if judge(bench_, with_edit(bench_.module, fault.function)) == "named":
            break
    path.write_text(with_function(bench_.text, fault.function), encoding="utf-8")
    report = check_module(path, gradient=emitted)
    wanted = judged(
        bench_.oracle, Replay(answers_of(bench_, with_edit(bench_.module, fault.function)))
    )
    small = [b for b in wanted.failures if not b.instance.startswith("given")]
    assert (report.verdict, report.exit_code) == ("FAIL", 1)
    assert {(b.name, b.instance) for b in report.failures} == {(b.name, b.instance) for b in small}


# ---------------------------------------------------------------- in the program, before derive


def outcome_of(bench: Bench, program: Program) -> str:
    """The module of another program, against the oracle of this one."""
    loss = replace(bench.spec.losses[0], program=program)
    return judge(bench, module_of(pipeline.generate(replace(bench.spec, losses=(loss,)))))


@pytest.mark.parametrize("operator", OPERATORS)
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_fault_in_the_program_fails_and_names_its_blocks(name: str, operator: str) -> None:
    variant = operator in ("transpose", "axis") and name == "convolution"
    made = bench(f"square {name}" if variant else name)
    found = program_faults(made.spec.losses[0].program, operator, IN_PROGRAM)
    outcomes = Counter(outcome_of(made, fault.program) for fault in found)
    assert outcomes["named"] >= LEAST["program"][name][OPERATORS.index(operator)], outcomes


# ---------------------------------------------------------------- a removed stop, in both


@functools.cache
def unstopped(name: str) -> str:
    """The module of the program whose stop was removed before derive."""
    made = bench(f"stopped {name}")
    (fault,) = program_faults(made.spec.losses[0].program, "removed stop")
    loss = replace(made.spec.losses[0], program=fault.program)
    return pipeline.generate(replace(made.spec, losses=(loss,)))


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_stop_removed_before_derive_fails_and_names_its_blocks(name: str) -> None:
    made, mutant = bench(f"stopped {name}"), module_of(unstopped(name))
    assert judge(made, mutant) == "named"
    report = judged(made.oracle, Replay(answers_of(made, mutant)))
    assert {block.name for block in report.failures} == BEHIND_A_STOP[name]


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_stop_removed_in_the_emitted_file_fails_and_names_its_blocks(
    name: str, tmp_path: Path
) -> None:
    """The emitted text with the statements of its gradient that the stop had left out, in a process
    of its own against the SPEC that it still states."""
    made, path = bench(f"stopped {name}"), tmp_path / f"{name}.py"
    text = with_other_gradient(made.text, unstopped(name))
    assert judge(made, module_of(text)) == "named"
    path.write_text(text, encoding="utf-8")
    assert spec_text(path) == made.spec.canonical()
    report = judged(made.oracle, ModuleSubject(path))
    assert (report.verdict, report.exit_code) == ("FAIL", 1)
    assert {block.name for block in report.failures} == BEHIND_A_STOP[name]


@pytest.mark.parametrize("name", PROGRAMS)
def test_semi_gradient_and_residual_pass_with_their_own_and_fail_when_swapped(
    name: str, tmp_path: Path
) -> None:
    semi, full = bench(f"stopped {name}"), bench(f"residual {name}")
    path = tmp_path / f"{name}.py"
    for mine, stated, verdict in (
        (semi, semi, "PASS"),
        (full, full, "PASS"),
        (semi, full, "FAIL"),
        (full, semi, "FAIL"),
    ):
        path.write_text(restated(mine.text, stated.spec), encoding="utf-8")
        assert spec_text(path) == stated.spec.canonical()
        report = judged(stated.oracle, ModuleSubject(path))
        assert report.verdict == verdict, text_of(report)
        assert {b.verdict for b in report.blocks if b.name == "loss"} == {"PASS"}


def restated(text: str, spec: Spec) -> str:
    """A module whose SPEC is that of another."""
    tree = ast.parse(text)
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SPEC":
            node.value = ast.Constant(spec.canonical())
    return ast.unparse(tree)


# ---------------------------------------------------------------- what is right


@pytest.mark.parametrize("name", NAMES)
def test_the_module_of_a_built_in_spec_passes_alone(name: str, tmp_path: Path) -> None:
    """And beside its spec, which asks the same of it: of some that is seen too."""
    made, path = of_file(spec_path(name)), tmp_path / f"{name}.py"
    spec = made.spec
    path.write_text(made.text, encoding="utf-8")
    reports = [check_module(path)]
    if name in PROGRAMS:
        reports.append(check(spec, ModuleSubject(path), gradient=emitted))
    for report in reports:
        assert (report.verdict, report.exit_code) == ("PASS", 0), text_of(report)
        found = {(b.loss, b.name, b.instance.split(",")[0]) for b in report.blocks}
        for instance in ("small", "own sizes"):
            for loss in spec.losses:
                wanted = {(loss.name, n, instance) for n in (loss.value, *loss.wrt)}
                assert wanted <= found
            for function, program in spec.forwards:
                assert {(function, n, instance) for n in program.outputs} <= found
        assert any(rule.claim.startswith("float32") for rule in report.conduct)


# ---------------------------------------------------------------- the report

AUX = """
outputs = ["h"]
aux = ["spread"]
equations = '''
h[b,i] = tanh(sum(j: W[i,j]*x[b,j]))
spread = mean(b: sum(i: h[b,i]**2))
loss = mean(b: sum(i: h[b,i]*x[b,i]))
'''
[sizes]
B = "batch"
N = 4
[params]
W = "real[N, N]"
[data]
x = "real[B, N]"
"""


@pytest.mark.parametrize(
    ("function", "line", "block"),
    [
        ("value_and_grad", "spread = 1.0000001 * spread", "loss: spread"),
        ("value_and_grad", "grads.W[...] *= 1.0000001", "loss: W"),
        ("forward", "h = 1.0000001 * h", "forward: h"),
    ],
)
def test_values_beside_the_loss_are_compared_too(
    function: str, line: str, block: str, tmp_path: Path
) -> None:
    spec, path = parse_spec(AUX, "aux"), tmp_path / "aux.py"
    text = pipeline.generate(spec)
    path.write_text(text, encoding="utf-8")
    assert check_module(path).verdict == "PASS"
    tree = function_of(text, function)
    tree.body.insert(-1, ast.parse(line).body[0])
    path.write_text(with_function(text, tree), encoding="utf-8")
    report = check_module(path)
    assert report.verdict == "FAIL"
    assert {f"{b.loss}: {b.name}" for b in report.failures} == {block}


def test_sizes_that_cost_too_much_are_reduced_and_the_report_says_so() -> None:
    text = SQUARE.replace("L = 20", "L = 2000000")
    oracle = prepared(parse_spec(text, "long"))
    own = [case for case in oracle.cases if case.instance.name == "reduced sizes"]
    assert len(own) == 2
    assert all(1000 < case.instance.sizes["L"] < 2000000 for case in own)
    assert any("not checked at its own sizes" in note for note in oracle.notes)


DIAGNOSES = [
    (lambda g: 2 * g, "every entry is 2 times the finite difference"),
    (lambda g: -g, "every entry is the opposite sign of the finite difference"),
    (lambda g: 0 * g, "every entry is 0"),
    (lambda g: g.T, "it is the transpose of what it should be"),
    (lambda g: g * np.nan, "not finite"),
    (lambda g: g + 1, "9 of 9 comparisons are wrong"),
]


@pytest.mark.parametrize(("change", "said"), DIAGNOSES, ids=[row[1] for row in DIAGNOSES])
def test_a_report_says_what_a_wrong_block_looks_like(
    change: Callable[[Array], Array], said: str
) -> None:
    made = bench("gru")
    answers = [
        replace(came, gradients={**came.gradients, "Un": change(came.gradients["Un"])})
        for came in made.clean
    ]
    report = judged(made.oracle, Replay(answers))
    assert {b.name for b in report.failures} == {"Un"}
    assert said in report.failures[0].note
    text = text_of(report)
    assert said in text
    assert "dUn[i,j] += " in text
    assert text.splitlines()[-1].startswith("FAIL mutant.py: Un")
    data = json.loads(report.to_json())
    assert (data["verdict"], data["exit_code"]) == ("FAIL", 1)
    assert said in next(b for b in data["blocks"] if b["verdict"] == "FAIL")["note"]


def test_a_callable_that_raises_is_a_fail() -> None:
    def broken(values: Mapping[str, Array]) -> tuple[float, Mapping[str, Array]]:
        raise KeyError("Un")

    report = judged(bench("gru").oracle, CallableSubject(broken))
    assert (report.verdict, report.blocks) == ("FAIL", ())
    assert "KeyError: 'Un'" in text_of(report)


def test_a_float32_gradient_that_is_off_is_named() -> None:
    made = bench("one_bias")
    answers = [
        replace(a, single={**a.single, **{n: np.float32(1.01) * a.single[n] for n in a.gradients}})
        for a in made.clean
    ]
    report = judged(made.oracle, Replay(answers))
    assert report.verdict == "FAIL"
    broken = [rule for rule in report.conduct if rule.verdict == "FAIL"]
    assert {rule.claim for rule in broken} == {"float32 is within 0.0001 of float64"}
    assert all(rule.note.startswith("the gradient by b is") for rule in broken)


def test_the_command_ends_with_0_for_pass_1_for_fail_and_2_for_bad_usage(tmp_path: Path) -> None:
    text = bench("one_bias").text
    fault = source_faults(text, "value_and_grad", "sign")[0]
    files = {
        "right.py": (text, 0, "PASS right.py"),
        "wrong.py": (with_function(text, fault.function), 1, "FAIL wrong.py"),
        "none.py": ("x = 1\n", 2, "holds no SPEC"),
    }
    for name, (content, code, said) in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
        result = CliRunner().invoke(main, ["check", str(tmp_path / name)])
        assert (result.exit_code, said in result.output) == (code, True), result.output
