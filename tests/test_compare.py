"""Semi-gradient and full gradient side by side: as printed, both are what they are said to be."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from catalogue import EVERY
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from markdown_it import MarkdownIt
from programs import SPECS, assert_agree, fresh_values, run
from test_losses import HELD, Variant

from benchmarks.fuzzing.programs import programs
from benchmarks.fuzzing.writer import Case
from symgrad.algebra.derive import reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.scalars import Stop
from symgrad.catalogue_page import held as held_by
from symgrad.cli import main
from symgrad.explain.compare import REMOVED, compare_full
from symgrad.explain.derivation import Derivation
from symgrad.explain.steps import Formula
from symgrad.explain.through import stripped
from symgrad.spec import Loss, Spec, load, parse_spec
from symgrad.verify.evaluate import Result

HEAD = """
[sizes]
B = "batch"
T = 5
N = 3
[params]
W = "real[N, N]"
a = "real[N]"
c = "real[N]"
k = "real"
[data]
x = "real[B, N]"
z = "real[T]"
act = "int[B] < N"
"""


@dataclass(frozen=True)
class Row:
    """A loss that stops something, and what is said of it."""

    name: str
    equations: str
    wrt: tuple[str, ...]
    said: tuple[str, ...] = ()


ROWS = (
    Row(
        "a trunk that both heads share",
        "f[b,i] = sum(j: W[i,j]*x[b,j])\n"
        "h[b,i] = tanh(f[b,i])\n"
        "v[b] = sum(i: a[i]*h[b,i])\n"
        "g[b] = sum(i: c[i]*h[b,i])\n"
        "loss = mean(b: (v[b] - stop(g[b]))**2)",
        ("W", "a", "c"),
        (
            "removed: dL_full/dW[i,j] - dL/dW[i,j] = sum(b: x[b,j]*(df_full[b,i] - df[b,i]))",
            "W -> f -> h -> g -> loss, cut by stop(g[b])",
            "removed: dL_full/dc[i] - dL/dc[i] = sum(b: dg_full[b]*h[b,i])",
            "c -> g -> loss, cut by stop(g[b])",
            "By a: both are the same",
            "The slope is the same in both, the adjoint that it multiplies is not; so too in each step below that both have.",
        ),
    ),
    Row(
        "a slope of which a part is held",
        "loss = sum(i: a[i]*stop(a[i]*c[i]))",
        ("a", "c"),
        (
            "The semi-gradient has another slope here, since a part of it is held constant.",
            "semi: dL/dc[i] = 0",
        ),
    ),
    Row(
        "a straight-through estimate",
        "y[i] = a[i] + stop(tanh(a[i]) - a[i])\nloss = sum(i: y[i]*c[i])",
        ("a",),
        ("cut by stop(a_tanh[i] - a[i])",),
    ),
    Row(
        "what cancels where nothing is stopped",
        "y[i] = tanh(a[i] - stop(a[i])) + a[i]*k\nloss = sum(i: y[i]**2*c[i])",
        ("a", "c", "k"),
        ("Only the semi-gradient has this: with nothing held constant it cancels.",),
    ),
    Row(
        "slopes that differ by a term",
        "y[i] = (a[i] - stop(a[i]))*c[i] + a[i]*k\nloss = sum(i: y[i]**2)",
        ("a", "c", "k"),
        ("removed: dL_full/da[i] - dL/da[i] = -dy[i]*c[i]", "By c: both are the same"),
    ),
    Row(
        "a mean of errors",
        "v[b] = sum(i: a[i]*x[b,i])\n"
        "g[b] = sum(i: c[i]*x[b,i])\n"
        "loss = mean(b: (v[b] - stop(g[b]*k))**2)",
        ("a", "c"),
        (
            "full: grad L_full = 2*sum(b: (v[b] - g[b]*k)*grad v[b])/B"
            " - 2*sum(b: k*(v[b] - g[b]*k)*grad g[b])/B",
        ),
    ),
    Row(
        "a recurrence",
        "h[0] = 1\nh[t+1] = sin(stop(h[t])*z[t]*k) + h[t]/2\nloss = sum(t: h[t]**2)",
        ("k", "z"),
    ),
    Row(
        "a gather",
        "q[b,i] = sum(j: W[i,j]*x[b,j])\n"
        "best[b] = argmax(i: q[b,i])\n"
        "e[b] = q[b,act[b]] - stop(q[b,best[b]]*k)\n"
        "loss = mean(b: e[b]**2)/2",
        ("W", "k"),
        (
            "cut by stop(k*q[b,best[b]])",
            "dL_full/dq[b,i] = de[b]*[i == act[b]] - de[b]*k*[i == best[b]]",
        ),
    ),
)
IDS = [row.name for row in ROWS]


def spec_of(row: Row) -> Spec:
    names = ", ".join(f'"{name}"' for name in row.wrt)
    text = f"wrt = [{names}]\nequations = '''\n{row.equations}\n'''\n{HEAD}"
    return parse_spec(text, "row")


def lecture() -> Spec:
    return load(SPECS / "lecture_q.toml")


@cache
def told(row: Row | None = None) -> Derivation:
    """The comparison of a row; without one, of the lecture's loss."""
    return compare_full(lecture() if row is None else spec_of(row))


@cache
def words(row: Row | None = None) -> str:
    """Its text, with single blanks and long lines."""
    return re.sub(r" +", " ", told(row).text(1000))


def both(loss: Loss, sizes: Mapping[str, int]) -> tuple[Mapping[str, np.ndarray], Result, Result]:
    """Seeded values, the semi-gradient and the gradient of the program without its stops."""
    program = split_heads(loss.program)
    bare = program.map_equations(lambda e: e.with_body(stripped(e.body)) if e.body.has(Stop) else e)
    values = fresh_values(program, sizes, seed=2)
    found = []
    for each in (program, bare):
        derived = reverse(each, loss.value, loss.wrt)
        found.append(run(derived.program, values, sizes, *derived.result.values()))
    return values, found[0], found[1]


NAMED = {"B": 4, "A": 3, "I": 2, "J": 4, "K": 3}
SIZES = {"B": 4, "T": 5, "N": 3, "M": 4, "D": 3, "H": 4, "A": 3}


def assert_holds_both(derivation: Derivation, loss: Loss, sizes: Mapping[str, int]) -> int:
    """What is printed reads back, and evaluates to both; how many tensors differ."""
    values, semi, full = both(loss, sizes)
    read = parse_spec(derivation.notation(), "printed").shared
    differ = 0
    for x in loss.wrt:
        written = {e.target.tensor for e in read.equations}
        name = f"d{x}_full"
        beside = name if name in written else f"d{x}"
        differ += name in written
        for came, wanted in ((f"d{x}", semi), (beside, full)):
            found = run(read, values, sizes, came)
            scale = wanted.magnitudes[f"d{x}"] + found.magnitudes[came]
            assert_agree(f"{came} of {x}", found.values[came], wanted.values[f"d{x}"], scale)
    return differ


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_the_printed_program_holds_both_gradients(row: Row) -> None:
    assert assert_holds_both(told(row), spec_of(row).losses[0], SIZES) > 0


def test_the_printed_program_of_the_lecture_holds_both_gradients() -> None:
    assert assert_holds_both(told(), lecture().losses[0], SIZES) == 4


def removed_of(derivation: Derivation) -> dict[str, Formula]:
    found = [f for f in derivation.formulas("both") if f.label == REMOVED]
    return {re.match(r"dL_full/d(\w+)", f.left.text).group(1): f for f in found}  # type: ignore[union-attr]


def with_removed(derivation: Derivation) -> Program:
    """The printed program, and behind it each printed difference as a tensor of its own."""
    lines = []
    for name, formula in removed_of(derivation).items():
        place = re.search(r"(\[[^\]]*\])?$", formula.left.text).group()  # type: ignore[union-attr]
        for term in formula.terms:
            when = f" {term.when.text}" if term.when else ""
            lines.append(f"removed_{name}{place} += {term.text}{when}")
    before, rest = derivation.notation().split('equations = """\n')
    own, after = rest.split('\n"""', 1)
    equations = "\n".join([own, *lines])
    return parse_spec(f'{before}equations = """\n{equations}\n"""{after}', "removed").shared


@pytest.mark.parametrize("row", [*ROWS, None], ids=[*IDS, "the lecture"])
def test_what_is_printed_as_removed_is_the_full_gradient_minus_the_semi_gradient(
    row: Row | None,
) -> None:
    spec = lecture() if row is None else spec_of(row)
    derivation = told(row)
    values, semi, full = both(spec.losses[0], SIZES)
    program = with_removed(derivation)
    shown = removed_of(derivation)
    assert shown
    for x in shown:
        found = run(program, values, SIZES, f"removed_{x}")
        gap = full.values[f"d{x}"] - semi.values[f"d{x}"]
        scale = 4 * (full.magnitudes[f"d{x}"] + semi.magnitudes[f"d{x}"])
        assert_agree(x, found.values[f"removed_{x}"], gap, scale)
        assert np.abs(gap).max() > 1e-6


@pytest.mark.parametrize("variant", HELD, ids=str)
def test_of_a_named_loss_both_gradients_are_told_by_all_that_it_holds(variant: Variant) -> None:
    """Differentiated by everything, so that what a stop holds has a full gradient."""
    spec = parse_spec(variant.text, "row")
    derivation = compare_full(spec)
    assert assert_holds_both(derivation, spec.losses[0], NAMED) == len(removed_of(derivation)) > 0
    text = re.sub(r"\s+", " ", derivation.text(100))
    held = {name for name in held_by(variant.row) if name in variant.kinds}
    told = {name for name in variant.reals if f"By {name}: both are the same" not in text}
    assert told == held & {*variant.reals} or (told < held and "argmax" in spec.canonical())
    for name in told:
        assert re.search(rf"From .*?\b{name} -> [^,]*, cut by stop\(", text), name


@pytest.mark.parametrize("row", ROWS, ids=IDS)
def test_each_kind_of_difference_is_named(row: Row) -> None:
    assert [line for line in row.said if line not in words(row)] == []


LECTURE = (
    "stop(target[m]) in e[m], equation (9): its value is used, its derivative is 0.",
    "target[m] is read by e[m], equation (9), inside a stop",
    "dL_full/dtarget[m] = -de[m]",
    "removed: dL_full/dw1[i,j] - dL/dw1[i,j] = sum(m: dx1_next_full[m,i]*s_next[m,j])",
    "w1 -> x1_next -> y1_next -> Q_next -> target -> e -> loss, cut by stop(target[m])",
    "semi: grad L = sum(m: e[m]*grad Q[m,u[m]])",
    "full: grad L_full = sum(m: e[m]*grad Q[m,u[m]]) - sum(m: alpha*e[m]*grad max(v: Q_next[m,v]))",
    "semi: grad L = sum(m: (Q[m,u[m]] - alpha*max(v: Q_next[m,v]) - r[m])*grad Q[m,u[m]])",
)


@pytest.mark.parametrize("line", LECTURE)
def test_the_lectures_removed_terms_are_named_with_their_way(line: str) -> None:
    assert line in words()


def test_the_full_gradient_beside_it_is_that_of_the_residual_spec() -> None:
    """lecture_q_residual is lecture_q without its stop, so their full gradients are one."""
    semi, residual = lecture(), load(SPECS / "lecture_q_residual.toml")
    values, _, full = both(semi.losses[0], SIZES)
    loss = residual.losses[0]
    derived = reverse(split_heads(loss.program), loss.value, loss.wrt)
    own = run(derived.program, values, SIZES, *derived.result.values())
    for name, value in own.values.items():
        if name in derived.result.values():
            assert_agree(name, full.values[name], value, own.magnitudes[name])


NOTHING = (
    ("loss = sum(i: a[i]**2)", "no equation of row stops anything"),
    ("loss = sum(i: a[i]*stop(c[i]**2))", "This removes nothing"),
    ("loss = sum(t,i: a[i]*stop(z[t]))", "This removes nothing"),
)


@pytest.mark.parametrize(("equations", "said"), NOTHING)
def test_where_there_is_one_gradient_only_that_is_said(equations: str, said: str) -> None:
    derivation = compare_full(spec_of(Row("", equations, ("a",))))
    assert said in derivation.text(1000)
    assert derivation.formulas("both") == ()


def test_a_stop_that_the_loss_does_not_depend_on_is_none() -> None:
    row = Row("", "y[i] = a[i] - stop(a[i])\nloss = sum(i: a[i]**2)", ("a",))
    assert "no equation of row stops anything" in compare_full(spec_of(row)).text(1000)


@settings(max_examples=8, suppress_health_check=list(HealthCheck), print_blob=False)
@given(programs())
def test_of_random_programs_both_gradients_are_told(case: Case) -> None:
    spec = parse_spec(case.text, "drawn")
    for loss in spec.losses:
        derivation = compare_full(spec, loss.name)
        assert_holds_both(derivation, loss, case.sizes)
        assert max(map(len, derivation.text(80).splitlines())) <= 200
        derivation.latex()


def derivations() -> list[Derivation]:
    return [told(row) for row in (*ROWS, None)]


@pytest.mark.parametrize("width", [80, 100])
def test_text_is_ascii_and_as_wide_as_asked_for(width: int) -> None:
    for derivation in derivations():
        lines = derivation.text(width).splitlines()
        assert all(line.isascii() and line == line.rstrip() for line in lines)
        assert max(map(len, lines)) <= width


def test_latex_parses_and_markdown_renders() -> None:
    walker = pytest.importorskip("pylatexenc.latexwalker")
    for derivation in derivations():
        source = derivation.latex(document=True)
        walker.LatexWalker(source, tolerant_parsing=False).get_latex_nodes()
        assert source.count(r"\begin{") == source.count(r"\end{")
        markdown = derivation.markdown()
        headings = [t for t in MarkdownIt().parse(markdown) if t.type == "heading_open"]
        assert len(headings) == 2 + len(derivation.sections)
        assert markdown.count("\n$$\n") == 2 * len(derivation.steps)


@pytest.mark.parametrize("path", sorted(SPECS.glob("*.toml")), ids=lambda path: path.stem)
def test_every_comparison_ends_with_what_both_assume(path: Path) -> None:
    spec = EVERY[path]
    derivation = compare_full(spec, spec.losses[0].name)
    end = derivation.text(1000).split("What both assume\n")[1]
    wanted = ["Held constant, data: ", "Convention: ", "Descent, which makes "]
    wanted.append("Nothing can be generated" if "sigma" in end else "Stable forms")
    assert [line for line in wanted if f"\n- {line}" not in end] == []
    stops = "What is held constant\n" in derivation.text() and "in the place of dL." in end
    assert stops == any("_full" in f.text for f in derivation.formulas("both"))
    assert "Held constant by stop" not in end


def test_steps_are_numbered_in_one_row() -> None:
    for derivation in derivations():
        numbers = [step.number for step in derivation.steps]
        assert numbers == list(range(1, len(numbers) + 1))


def test_the_command_prints_the_comparison() -> None:
    result = CliRunner().invoke(main, ["derive", "lecture_q", "--compare-full"])
    assert result.exit_code == 0
    assert result.output == told().text(100)


@pytest.mark.parametrize(
    "options", [["--wrt", "w1"], ["--element", "w1[0,0]"], ["--limit"], ["--at", "values.toml"]]
)
def test_the_command_compares_a_whole_loss_only(options: list[str]) -> None:
    result = CliRunner().invoke(main, ["derive", "lecture_q", "--compare-full", *options])
    assert result.exit_code == 2
    assert "--compare-full is about a whole loss" in result.output


def test_the_same_spec_gives_the_same_bytes() -> None:
    first, second = (compare_full(lecture()) for _ in range(2))
    assert first.text() == second.text()
    assert first.markdown() == second.markdown()
