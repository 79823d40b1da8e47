"""Random programs: whatever computes one of them agrees, and a planted bug comes out as a spec.

Each program is derived, emitted and run in float64 and float32, with fresh memory and twice with one
workspace, on arrays that are contiguous or not, in any order, read-only or not. It is compared with
the naive evaluation, with autograd and with differences of 60 digits: `python -m benchmarks.fuzz`
does so for a thousand programs.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, Phase, given, reject, seed, settings
from recomputed import recomputed
from sympy.core.cache import clear_cache

from benchmarks import fuzz
from benchmarks.fuzzing.agreement import Disagreement, Skipped, Tally
from benchmarks.fuzzing.features import features
from benchmarks.fuzzing.hunt import CHECKS, hunt, judged, saved
from benchmarks.fuzzing.networks import REALS
from benchmarks.fuzzing.programs import CATALOGUE, EQUATIONS, programs
from benchmarks.fuzzing.running import made
from benchmarks.fuzzing.writer import Case, parsed
from symgrad.algebra.program import Program
from symgrad.algebra.scalars import FUNCTIONS
from symgrad.catalog.activations import ACTIVATIONS
from symgrad.catalog.losses import LOSSES
from symgrad.cli import main
from symgrad.pipeline import derive_stable, generate

EXAMPLES = 50
PRODUCTS = 10
UNSHARED = {"free recurrence", "tree"}
"""Two equations of one cycle, or two sides of a selection, may still compute the same part."""
QUIET = settings(
    suppress_health_check=list(HealthCheck),
    phases=(Phase.generate, Phase.shrink),
    print_blob=False,
)


def agreed(case: Case, kind: str) -> Tally:
    """What was compared; a program that tells nothing is no example."""
    try:
        return judged(case, CHECKS[kind])
    except Skipped:
        reject()


@cache
def fifty() -> tuple[Case, ...]:
    """Fifty programs, each checked as it is drawn; a failure shrinks to a small spec."""
    seen: list[Case] = []

    @settings(QUIET, max_examples=EXAMPLES)
    @given(programs(productions=EQUATIONS))  # so that no new row of the catalogue changes them
    def check(case: Case) -> None:
        tally = agreed(case, "gradients")
        assert set(tally.compared) >= {"the evaluator", "autograd", "60 digits"}
        text = generate(parsed(case.text))
        if UNSHARED.isdisjoint(case.drawn):
            for name in made(text).OPERATIONS:
                assert recomputed(text, name) == [], f"{name} computes this twice"
        seen.append(case)

    check()
    return tuple(seen)


def test_fifty_emitted_programs_agree_with_all_oracles_and_compute_nothing_twice() -> None:
    assert len(fifty()) >= EXAMPLES


def test_programs_of_the_catalogue_agree_with_all_oracles() -> None:
    counts: list[int] = []

    @settings(QUIET, max_examples=PRODUCTS)
    @given(programs())
    def check(case: Case) -> None:
        counts.append(agreed(case, "gradients").compared["autograd"])

    check()
    assert len(counts) >= PRODUCTS
    assert min(counts) > 0


def test_products_with_the_hessian_agree_with_all_oracles_in_both_orders() -> None:
    compared: Counter[str] = Counter()

    @settings(QUIET, max_examples=PRODUCTS)
    @given(programs(most=4))
    def check(case: Case) -> None:
        compared.update(agreed(case, "products").compared)

    check()
    assert set(compared) == {"autograd, twice", "60 digits, twice", "the evaluator, twice"}
    assert min(compared.values()) >= PRODUCTS


@cache
def occurring() -> tuple[set[str], ...]:
    """The primitives of each of the fifty; its scatters are those of its gradient."""
    found = []
    for case in fifty():
        losses = [derive_stable(loss) for loss in parsed(case.text).losses]
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
    specs = [parsed(case.text) for case in fifty()]
    assert sum(any(read_twice(x.program) for x in spec.losses) for spec in specs) >= 20


def test_the_benchmark_counts_what_it_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fuzz.main(["--count", "3", "--jobs", "1", "--out", str(tmp_path / "failures")]) == 0
    said = capsys.readouterr().out
    assert re.search(r"programs\W+run\W+3\b", said), said
    assert re.search(r"disagreements\W+0\b", said), said
    assert all(oracle in said for oracle in ("autograd", "60 digits", "the evaluator"))


ROWS = (
    *(f"layer {name}" for name in (*REALS, "residual")),
    *(f"activation {name}" for name in ACTIVATIONS),
    *(f"loss {name}" for name in LOSSES),
    "network copied", "network copied and held", "network applied", "network applied to a network",
    "network on a network", "network of joined inputs",
)  # fmt: skip


def test_each_row_of_the_catalogue_is_drawn() -> None:
    """By a thousand programs at most. They are not run."""
    missing = set(ROWS)

    @settings(QUIET, max_examples=25, phases=(Phase.generate,), derandomize=False)
    @given(programs(productions=CATALOGUE, most=3))  # each is read anew for each production
    def draw(case: Case) -> None:
        missing.difference_update(case.drawn)

    for number in range(40):
        if missing:
            seed(number)(draw)()
    assert not missing


# ---- a planted bug ---------------------------------------------------------------------------


@pytest.fixture
def planted(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """The derivative of sigmoid is its square."""
    row = FUNCTIONS["sigmoid"].row
    wrong = replace(row, derivatives=(lambda y, x: y**2,))
    monkeypatch.setattr(FUNCTIONS["sigmoid"], "row", wrong)
    clear_cache()  # SymPy keeps derivatives
    yield monkeypatch
    monkeypatch.undo()
    clear_cache()


def test_a_planted_bug_comes_out_as_a_small_spec_that_fails_its_check(
    planted: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (failure,) = hunt(0, 25, "gradients").failures
    path = fuzz.written(failure, tmp_path)
    case, kind = saved(path.read_text())
    assert f"symgrad check {path}" in path.read_text()
    assert re.search("sigmoid|tanh", case.text)  # 1 - tanh(x) is computed by a sigmoid
    assert len(case.text.splitlines()) <= 15, case.text
    with pytest.raises(Disagreement):
        judged(case, CHECKS[kind])
    assert fuzz.main(["--replay", str(path)]) == 1
    assert CliRunner().invoke(main, ["check", str(path)]).exit_code == 1
    planted.undo()
    clear_cache()
    assert fuzz.main(["--replay", str(path)]) == 0
    assert CliRunner().invoke(main, ["check", str(path)]).exit_code == 0
