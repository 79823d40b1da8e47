"""Numbers in a derivation: each is what its formula comes to, and every factor multiplies up."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from lessons import SPECS, cases, derived, each_case, entry, numbers_of, places, read_back
from programs import assert_agree

from symgrad.errors import SpecError
from symgrad.explain.build import explain
from symgrad.explain.chain import Product, products
from symgrad.explain.derivation import Derivation
from symgrad.explain.explained import Element
from symgrad.explain.factors import place_of
from symgrad.explain.figures import BLOCKS, COLUMNS, ROWS, figure_latex, figure_lines, number
from symgrad.explain.limit import BEST, KINK, ROUNDING, best_of, rows
from symgrad.explain.steps import CHAIN, LOCAL, Step, Table
from symgrad.explain.values import load_values, values_text
from symgrad.notation.values import Given
from symgrad.spec import Spec, load, parse_spec
from symgrad.verify.arithmetic import Array
from symgrad.verify.evaluate import evaluate

AGREE = 1e-12


def close(came: Array, wanted: Array, rtol: float = AGREE) -> None:
    np.testing.assert_allclose(came, wanted, rtol=rtol, atol=AGREE)


def again(derivation: Derivation) -> dict[str, Array]:
    """The whole gradient program, evaluated anew."""
    at = numbers_of(derivation).at
    wanted = [n for n in numbers_of(derivation).values if n in derivation.program.writers]
    found = evaluate(derivation.program, at.tensors, at.sizes, outputs=wanted).values
    return {name: np.asarray(values) for name, values in found.items()}


# ---- numbers beside formulas ----------------------------------------------------------------


@each_case
def test_forward_numbers_are_those_of_the_evaluator(case: str) -> None:
    derivation = derived(case)
    values = again(derivation)
    shown = 0
    for step in (s for s in derivation.steps if s.kind == "forward"):
        for formula in step.formulas:
            if formula.figure is not None:
                close(formula.figure.values, values[formula.left.text.split("[")[0]])
                shown += 1
    assert shown == len({t for s in derivation.steps if s.kind == "forward" for t in written(s)})


def written(step: Step) -> set[str]:
    return {f.left.text.removeprefix("pad(").split("[")[0] for f in step.formulas}


@each_case
def test_a_slope_in_numbers_is_what_its_formula_comes_to(case: str) -> None:
    derivation = derived(case)
    sizes = numbers_of(derivation).at.sizes
    lines, figures = [], []
    steps = [s for s in derivation.steps if s.kind == "adjoint"]
    for step, (partial, _) in zip(steps, derivation.book.pairs, strict=True):
        (local,) = (f for f in step.formulas if f.label == LOCAL)
        (term,) = local.terms
        if local.figure is None:
            assert partial.slope.is_number
            assert "[" not in term.text
            continue
        box = [r for r in partial.equation.box if re.search(rf"\b{r.index}\b", term.text)]
        ranges = ", ".join(f"{r.lo} <= {r.index} < {r.hi}" for r in box)
        place = f"[{','.join(r.index for r in box)}]" if box else ""
        lines.append(f"slope{place} = {term.text}" + (f" for {ranges}" if box else ""))
        figures.append((local.figure.values, tuple(slice(r.lo.evaluate(sizes), None) for r in box)))
    assert lines
    for (values, inside), found in zip(figures, read_back(derivation, lines), strict=True):
        close(values, found[inside])


@each_case
def test_contributions_in_numbers_add_up_to_the_adjoint(case: str) -> None:
    derivation = derived(case)
    values, book = again(derivation), derivation.book
    totals: dict[str, Array] = {}
    for step, (_, equation) in zip(
        [s for s in derivation.steps if s.kind == "adjoint"], book.pairs, strict=True
    ):
        figures = [f.figure for f in step.formulas if f.figure and f.label != LOCAL]
        (figure,) = figures
        name = equation.target.tensor
        totals[name] = totals.get(name, np.zeros(())) + figure.values
    assert totals
    for name, total in totals.items():
        close(total, values[name])
    sums = [f for f in derivation.formulas("sum") if f.figure]
    for formula in sums:
        name = formula.left.text.split("[")[0].rpartition("/")[2]
        assert formula.figure is not None
        close(formula.figure.values, values[name])


@each_case
def test_the_gradients_numbers_are_those_of_the_program(case: str) -> None:
    derivation = derived(case)
    values = again(derivation)
    heads = [s.formulas[0] for s in derivation.steps if s.kind == "gradient"]
    assert len(heads) == len(derivation.wrt)
    for name, formula in zip(derivation.wrt, heads, strict=True):
        assert formula.figure is not None
        close(formula.figure.values, values[derivation.book.derived.result[name]])


def test_the_text_holds_every_number_of_a_small_tensor() -> None:
    derivation = explain(load(spec_of("actor_weight")))
    text = derivation.text(100)
    for name, digits in (("pi", 5), ("h1", 5), ("loss", 7)):
        for value in np.ravel(numbers_of(derivation).values[name]):
            assert number(value, digits) in text


def spec_of(name: str) -> Path:
    return next(path for path in SPECS if path.stem == name)


def test_without_values_there_are_no_numbers() -> None:
    spec = replace(load(spec_of("actor_weight")), values=Given())
    derivation = explain(spec)
    assert derivation.book.numbers is None
    assert not any(f.figure for f in derivation.formulas())
    assert "The numbers that go in" not in derivation.text()


def test_a_specs_own_values_are_no_part_of_what_it_means() -> None:
    spec = load(spec_of("actor_weight"))
    bare = parse_spec(spec.source.split("[values]")[0], spec.name)
    assert spec.values
    assert not bare.values
    assert (bare, bare.canonical(), bare.hash) == (spec, spec.canonical(), spec.hash)
    assert "0.5, -0.3" not in spec.canonical()


def test_the_same_values_give_the_same_bytes() -> None:
    spec, loss, given = cases()["softmax_policy-loss"]
    pages = {explain(spec, loss, at=given).text(90) for _ in range(2)}
    assert len(pages) == 1


# ---- how numbers are written ----------------------------------------------------------------

NUMBERS = (
    (0.3775406687981454, "0.3775407"),
    (-1.1224593312018546, "-1.1224593"),
    (0.5, "0.5"),
    (-0.0, "0"),
    (1e-5, "1e-05"),
    (123456789.25, "1.234568e+08"),
    (float("-inf"), "-inf"),
    (True, "1"),
    (np.int64(3), "3"),
)


@pytest.mark.parametrize(("value", "text"), NUMBERS)
def test_a_number_has_seven_digits_or_decimals(value: object, text: str) -> None:
    assert number(value) == text


LAYOUTS = (
    ("a number", np.array(0.5), ["0.5"]),
    ("a row", np.array([1.0, -0.25]), ["[1  -0.25]"]),
    ("points under one another", np.array([[1.5, 0.25], [-10, 3]]), ["[  1.5  0.25]", "[-10    3   ]"]),
    ("blocks", np.arange(8).reshape(2, 2, 2), ["[0]: [0  1]", "     [2  3]", "[1]: [4  5]", "     [6  7]"]),
    ("nothing", np.zeros((0, 2)), ["[]"]),
)  # fmt: skip


@pytest.mark.parametrize(("claim", "values", "lines"), LAYOUTS, ids=[r[0] for r in LAYOUTS])
def test_arrays_are_rows_in_brackets(claim: str, values: Array, lines: list[str]) -> None:
    assert list(figure_lines(values, 60)) == lines, claim


LARGE = (
    ((20, 30), 90, "(8 of 20 rows and 8 of 30 columns shown)"),
    ((20, 3), 90, "(8 of 20 rows shown)"),
    ((3, 30), 90, "(8 of 30 columns shown)"),
    ((64,), 90, "(8 of 64 shown)"),
    ((5, 2, 2), 90, "(2 of 5 blocks shown)"),
    ((2, 8), 40, "columns shown)"),
)


@pytest.mark.parametrize(("shape", "room", "said"), LARGE)
def test_what_is_left_out_is_said(shape: tuple[int, ...], room: int, said: str) -> None:
    values = np.random.default_rng(0).normal(size=shape)
    lines = list(figure_lines(values, room))
    assert max(map(len, lines)) <= room
    assert said in lines[-1]
    assert sum("[" in line for line in lines) <= ROWS * BLOCKS
    assert figure_latex(values).count("&") <= (COLUMNS + 1) * (ROWS + 1)


# ---- one entry --------------------------------------------------------------------------------


def tables_of(derivation: Derivation, kind: str) -> list[Table]:
    return [table for step in derivation.steps if step.kind == kind for table in step.tables]


def reaching(derivation: Derivation, element: Element) -> list[Product]:
    """The contributions that have a point at an entry."""
    target, sizes = place_of(derivation.book, element), numbers_of(derivation).at.sizes
    return [
        one
        for one in products(derivation.book, element)
        if all(r.lo.evaluate(sizes) <= at < r.hi.evaluate(sizes) for r, at in one.reach(target))
    ]


@each_case
def test_the_factors_of_entries_multiply_up_to_the_gradient(case: str) -> None:
    whole = derived(case)
    values, numbers = again(whole), numbers_of(whole)
    tested = 0
    for name in whole.wrt:
        gradient = values[whole.book.derived.result[name]]
        for place in places(gradient.shape):
            total = np.zeros(())
            for product in reaching(whole, Element(name, place)):
                kept = [r.index for r in product.box]
                parts = [numbers.over(f, s, product.box, kept) for f, s in product.factors]
                total = total + np.prod(np.array(parts), axis=0).sum()
            close(total, gradient[place])
            tested += 1
    assert tested


def test_the_tables_rows_multiply_and_add_up() -> None:
    tested = 0
    for name in ("actor_weight", "softmax_policy", "lecture_q-"):
        for key in (k for k in cases() if k.startswith(name)):
            spec, loss, given = cases()[key]
            for wrt in derived(key).wrt:
                shape = numbers_of(derived(key)).values[wrt].shape
                last = entry(wrt, tuple(n - 1 for n in shape))
                one = explain(replace(spec, values=Given()), loss, at=given, element=last)
                total = 0.0
                for table in tables_of(one, "entry"):
                    total += added_up(table)
                    tested += 1
                gradient = again(one)[one.book.derived.result[wrt]]
                assert total == pytest.approx(
                    gradient[tuple(n - 1 for n in shape)], rel=1e-5, abs=1e-6
                )
    assert tested > 12


def added_up(table: Table) -> float:
    """The last column, each row of which is the product of those before it."""
    points = table.rows[:-1] if table.total else table.rows
    total = 0.0
    for row in points:
        cells = [float(c) for c in row[table.left :] if isinstance(c, str)]
        assert cells[-1] == pytest.approx(float(np.prod(cells[:-1])), rel=1e-5, abs=1e-6)
        total += cells[-1]
    if table.total:
        last = table.rows[-1][-1]
        assert isinstance(last, str)
        assert total == pytest.approx(float(last), rel=1e-5, abs=1e-6)
    return total


@each_case
def test_the_products_read_back_to_the_entries(case: str) -> None:
    whole = derived(case)
    lines: list[str] = []
    wanted: dict[int, float] = {}
    values = again(whole)
    for name in whole.wrt:
        adjoint = whole.book.derived.result[name]
        place = tuple(n - 1 for n in values[adjoint].shape)
        element = Element(name, place)
        found = reaching(whole, element)
        if not found:
            assert values[adjoint][place] == 0
            continue
        target = place_of(whole.book, element)
        terms = [whole.book.addend(one.equation(target)).text for one in found]
        wanted[len(lines)] = float(values[adjoint][place])
        lines.append(f"total = {' + '.join(f'({term})' for term in terms)}")
    for k, came in enumerate(read_back(whole, lines)):
        assert float(came) == pytest.approx(wanted[k], rel=1e-11, abs=1e-12)
    assert wanted


@each_case
def test_the_product_is_printed(case: str) -> None:
    spec, loss, given = cases()[case]
    whole = derived(case)
    name = whole.wrt[0]
    shape = numbers_of(whole).values[whole.book.derived.result[name]].shape
    one = explain(
        replace(spec, values=Given()), loss, at=given, element=entry(name, (0,) * len(shape))
    )
    element = Element(name, (0,) * len(shape))
    target = place_of(one.book, element)
    terms = [one.book.addend(p.equation(target)).text for p in products(one.book, element)]
    assert terms == [f.terms[0].text for f in one.formulas("entry") if f.label == "product"]
    assert one.text(400).count("product:     ") == len(terms) > 0


def test_upstream_local_and_downstream_are_told_apart() -> None:
    derivation = explain(load(spec_of("actor_weight")), element="W1[0,2]")
    found = {f.label: f.text for f in derivation.formulas("entry")}
    assert found == {
        "upstream": "d(z1[b,0])/d(W1[0,2]) = obs[b,2]",
        "local": "d(h1[b,0])/d(z1[b,0]) = 1 - h1[b,0]**2",
        "downstream": "dL/dh1[b,0] = sum(a: dlogits[b,a]*W2[a,0]) by step (18)",
        "product": "dL/dW1[0,2] = sum(b: dh1[b,0]*obs[b,2]*(1 - h1[b,0]**2))",
    }
    steps = {s.number: s for s in derivation.steps}
    assert steps[18].formulas[1].text == "dL/dh1[b,i] = sum(a: dlogits[b,a]*W2[a,i])"


def test_a_gather_shows_its_condition_as_a_factor() -> None:
    spec, loss, given = cases()["everything-loss"]
    derivation = explain(spec, loss, at=given, element="E[3,1]")
    (table,) = tables_of(derivation, "entry")
    heads = [getattr(head, "text", head) for head in table.heads]
    assert heads[:2] == ["b", "s"]
    assert "[3 == tok[b,s]]" in heads


def shifted(size: str, element: str) -> str:
    text = """
equations = '''
f[t] = V[t+1]**2 for t < T - 1
loss = sum(t: f[t]) + sum(s: V[s])
'''
[sizes]
T = SIZE
require = []
[params]
V = "real[T]"
""".replace("require = []\n", "").replace("SIZE", size)
    return explain(parse_spec(f'require = ["T >= 2"]{text}', "shifted"), element=element).text(100)


def test_a_contribution_that_does_not_reach_an_entry_is_left_out() -> None:
    assert "dL/dV[4] through f[3]: the chain" in shifted("5", "V[4]")
    page = shifted("5", "V[0]")
    assert "through" not in page.split("One entry")[1]
    assert "dL/dV[0] = 1" in page


def test_where_a_size_decides_whether_it_reaches_the_condition_is_said() -> None:
    page = shifted('"steps"', "V[3]")
    assert "dL/dV[3] += 2*V[3]   where 1 <= 3 < T" in page


def test_an_entry_is_shown_in_symbols_where_there_are_no_numbers() -> None:
    derivation = explain(load(spec_of("softmax_policy")), element="W1[0,2]")
    assert not tables_of(derivation, "entry")
    assert "dL/dW1[0,2] = sum(b: dh1[b,0]*obs[b,2]*(1 - h1[b,0]**2))" in derivation.text()


def test_an_entry_that_the_loss_does_not_depend_on_is_0() -> None:
    spec, loss, given = cases()["everything-loss"]
    text = explain(spec, loss, at=given, element="unused[0]").text()
    assert "Nothing leads to the loss: 0." in text


LONG = """
equations = "loss = sum(b: w*x[b])"
[sizes]
B = "batch"
[params]
w = "real"
[data]
x = "real[B]"
[values]
seed = 0
B = 40
"""


def test_the_rows_beyond_the_first_are_added_up_in_one() -> None:
    derivation = explain(parse_spec(LONG, "long"), element="w")
    (table,) = tables_of(derivation, "entry")
    assert table.rows[12][0] == "28 more"
    products = [float(str(row[-1])) for row in table.rows]
    assert sum(products[:-1]) == pytest.approx(products[-1], rel=1e-5)
    assert products[-1] == pytest.approx(float(numbers_of(derivation).values["dw"]), rel=1e-6)


BAD_ELEMENTS = (
    ("W9[0,2]", '"W9" is not a real tensor'),
    ("logitz[0,1]", 'did you mean "logits"?'),
    ("W1[0,7]", "axis 2 of W1 has length 3, so its places are 0 to 2"),
    ("W1[2,0]", "axis 1 of W1 has length 2, so its places are 0 to 1"),
    ("W1[0]", "W1 is real[H, S] and has 2 axes, 1 number came; write W1[0,0], say"),
    ("W1", "W1 is real[H, S] and has 2 axes, no numbers came"),
    ("loss[0]", "loss is real and has no axes, 1 number came; write loss, say"),
    ("W1[-1,0]", "is not of the form W1[0,2]"),
    ("W1[i,0]", "is not of the form W1[0,2]"),
    ("W1[0,2", "is not of the form W1[0,2]"),
    ("W1[0,,2]", "is not of the form W1[0,2]"),
    ("W1[0,9999999999]", "is not of the form W1[0,2]"),
    ("", "is not of the form W1[0,2]"),
    ("action[0]", '"action" is not a real tensor'),
    ("__import__('os')", "is not of the form W1[0,2]"),
)


@pytest.mark.parametrize(("element", "said"), BAD_ELEMENTS)
def test_a_bad_element_is_answered_by_one_clear_line(element: str, said: str) -> None:
    with pytest.raises(SpecError) as found:
        explain(load(spec_of("actor_weight")), element=element)
    assert said in found.value.message
    assert "\n" not in found.value.message


def test_the_place_is_checked_at_default_sizes_where_there_are_no_numbers() -> None:
    with pytest.raises(SpecError, match="axis 1 of W1 has length 64"):
        explain(load(spec_of("softmax_policy")), element="W1[64,0]")


def test_an_element_of_a_network_may_be_named_as_the_module_names_it() -> None:
    spec = load(spec_of("cartpole_dqn"))
    text = explain(spec, element="q.W1[0,2]").text(100)
    assert text == explain(spec, element="q_W1[0,2]").text(100)
    assert "One entry: q_W1[0,2]" in text


def test_an_element_of_another_tensor_than_wrt_is_refused() -> None:
    with pytest.raises(SpecError, match="is of W1, and wrt says c1"):
        explain(load(spec_of("actor_weight")), wrt="c1", element="W1[0,2]")


# ---- the difference quotient ----------------------------------------------------------------


def limit_of(spec: Spec, element: Element) -> tuple[list[float], list[float]]:
    derivation = explain(spec, element=str(element))
    numbers = numbers_of(derivation)
    target = place_of(derivation.book, element)
    exact = float(numbers.values[target.tensor][element.places])
    found = rows(spec.loss(), numbers, element, exact)
    return [r.forward_error for r in found], [r.central_error for r in found]


def test_the_quotients_error_shrinks_with_h_and_then_rounding_makes_it_grow() -> None:
    forward, central = limit_of(load(spec_of("actor_weight")), Element("W1", (0, 2)))
    for errors, order, least in ((forward, 1, 1e-6), (central, 2, 1e-9)):
        best = best_of(errors)
        assert 2 <= best <= 9
        assert errors[best] < least
        for a, b in pairwise(errors[1:4]):  # h = 1e-2, 1e-3, 1e-4
            assert b < a / 10**order * 2
        assert errors[-1] > 1000 * errors[best]
    assert best_of(central) < best_of(forward)


def test_the_table_marks_the_best_h_and_where_rounding_takes_over() -> None:
    derivation = explain(load(spec_of("actor_weight")), element="W1[0,2]", limit=True)
    quotients, cost = tables_of(derivation, "limit")
    assert [row[0] for row in quotients.rows] == [f"1e-{k:02}" for k in range(1, 13)]
    for column in (3, 6):
        marks = [row[column] for row in quotients.rows]
        best = marks.index(BEST)
        assert marks == [""] * best + [BEST] + [ROUNDING] * (11 - best)
    (exact,) = (f for f in derivation.formulas("limit") if f.terms)
    wanted = float(exact.terms[0].text)
    assert wanted == pytest.approx(float(numbers_of(derivation).values["dW1"][0, 2]), rel=1e-14)
    row = quotients.rows[4]
    assert float(str(row[1])) == pytest.approx(wanted, rel=1e-5)
    assert float(str(row[4])) == pytest.approx(wanted, rel=1e-8)
    assert cost.rows[0][1] == "28"  # 2P with P = 6 + 2 + 4 + 2


def test_a_wrong_gradient_would_not_be_the_limit() -> None:
    spec = load(spec_of("actor_weight"))
    element = Element("W1", (0, 2))
    numbers = numbers_of(explain(spec, element=str(element)))
    exact = float(numbers.values["dW1"][0, 2])
    errors = [r.central_error for r in rows(spec.loss(), numbers, element, exact * 1.001)]
    assert min(errors) > 1e-5


def test_the_cost_counts_the_operations_of_the_generated_module() -> None:
    derivation = explain(
        load(spec_of("digits_mlp")), at=drawn_digits(), element="W1[0,0]", limit=True
    )
    _, cost = tables_of(derivation, "limit")
    parameters = 5 * 64 + 5 + 10 * 5 + 10
    passes, each, together = (int(str(c).replace(",", "")) for c in cost.rows[0][1:])
    backward = int(str(cost.rows[1][2]).replace(",", ""))
    assert passes == 2 * parameters
    assert together == passes * each
    assert 2 * (5 * 64 + 10 * 5) < each < backward < 4 * each
    assert float(str(cost.rows[2][3])) == pytest.approx(together / backward, rel=0.01)


def drawn_digits() -> Given:
    return values_text("seed = 0\nB = 2\nH = 5\n", load(spec_of("digits_mlp")))


STOPPED = """
equations = "loss = (w*x - stop(w*x*2))**2"
[params]
w = "real"
[data]
x = "real"
[values]
w = 0.7
x = 1.3
"""


def test_what_is_stopped_keeps_its_value_in_the_quotient() -> None:
    forward, central = limit_of(parse_spec(STOPPED, "stopped"), Element("w", ()))
    assert min(forward) < 1e-6
    assert min(central) < 1e-8


def test_a_branch_inside_a_stop_is_no_kink() -> None:
    """lecture_q's argmax stands in its stopped target: only the start evaluates it."""
    spec = load(spec_of("lecture_q"))
    at = values_text("seed = 0\nM = 2\nH = 3\n", spec)
    derivation = explain(spec, at=at, element="w1[0,0]", limit=True)
    quotients, _ = tables_of(derivation, "limit")
    assert KINK not in [row[6] for row in quotients.rows]
    assert float(str(quotients.rows[4][5])) < 1e-8


KINKED = """
equations = "loss = relu(w)"
[params]
w = "real"
[values]
w = 0.0005
"""


def test_a_kink_between_the_points_is_marked() -> None:
    derivation = explain(parse_spec(KINKED, "kinked"), element="w", limit=True)
    quotients, _ = tables_of(derivation, "limit")
    assert [row[6] for row in quotients.rows[:3]] == [KINK] * 3
    assert KINK not in [row[6] for row in quotients.rows[3:]]
    assert "a branch is taken at w+h or w-h that is not taken at w" in derivation.text()


BAD_LIMITS = (
    ({"limit": True}, "limit: name the entry too"),
    ({"limit": True, "element": "z1[0,0]"}, "z1 is computed"),
)


@pytest.mark.parametrize(("chosen", "said"), BAD_LIMITS)
def test_a_limit_that_there_is_not_is_refused(chosen: dict[str, object], said: str) -> None:
    with pytest.raises(SpecError, match=re.escape(said)):
        explain(load(spec_of("actor_weight")), **chosen)  # type: ignore[arg-type]


def test_a_limit_without_numbers_says_where_they_come_from() -> None:
    with pytest.raises(SpecError, match="seed = 0 in it draws"):
        explain(load(spec_of("softmax_policy")), element="W1[0,2]", limit=True)


def test_a_table_too_wide_for_the_page_is_told_row_by_row() -> None:
    derivation = explain(load(spec_of("actor_weight")), element="W1[0,2]", limit=True)
    lines = derivation.text(60).splitlines()
    assert max(map(len, lines)) <= 60
    assert any(line.strip().startswith("central:") for line in lines)
    assert any("product:" in line for line in lines)


@each_case
def test_each_chain_rule_has_its_numbers_once(case: str) -> None:
    for step in derived(case).steps:
        if step.kind == "adjoint":
            assert sum(f.figure is not None and f.label != LOCAL for f in step.formulas) == 1
            assert any(f.label == CHAIN for f in step.formulas)


def test_values_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "values.toml"
    path.write_text("[params]\nc1 = [1.0, -1.0]\n")
    spec = load(spec_of("actor_weight"))
    derivation = explain(spec, at=load_values(path, spec))
    at = numbers_of(derivation).at
    assert at.tensors["c1"].tolist() == [1.0, -1.0]
    assert at.tensors["c2"].tolist() == [0.0, 0.1]
    assert_agree("loss", numbers_of(derivation).values["loss"], again(derivation)["loss"], 1.0)
