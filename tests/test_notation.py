"""The notation: docs/notation.md, line by line, and the rules that equations are read by."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from symgrad.algebra.program import Program
from symgrad.algebra.scalars import ROWS
from symgrad.notation.lexer import equations
from symgrad.notation.parser import parse, parse_expression
from symgrad.notation.printer import equation_text
from symgrad.notation.symbols import FORMS
from symgrad.notation.syntax import Name, Number, Power, Product, Source, Sum
from symgrad.spec import Spec, parse_spec
from symgrad.verify.evaluate import evaluate

PAGE = (Path(__file__).parent.parent / "docs" / "notation.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
FUNCTION_ROWS = re.findall(
    r"^\| `(\w+)\((.*?)\)` \| (.*?) \| (.*?) ?\| `(.*?)` \| (.*?) \|$", PAGE, re.MULTILINE
)
RULES = re.findall(r"^\| (`y.*?`|`best.*?`) \| (`.*?`) \| (.*?) \|$", PAGE, re.MULTILINE)
DECLARED = next(block for block in BLOCKS if block.startswith('outputs = ["start"]')).split('"""')[
    2
]


def program_of(text: str, output: str, declared: str = DECLARED) -> Program:
    toml = f'outputs = ["{output}"]\nwrt = []\nequations = """\n{text}\n"""\n{declared}'
    return parse_spec(toml, "example").shared


def lines(program: Program) -> list[str]:
    return [equation_text(e, program) for e in program.equations]


def value(expression: str) -> float:
    program = parse_spec(f'outputs = ["y"]\nequations = "y = {expression}"', "example").shared
    return float(evaluate(program, {}, {}).values["y"])


@pytest.mark.parametrize("block", BLOCKS)
def test_every_spec_of_the_page_parses(block: str) -> None:
    assert isinstance(parse_spec(block, "page"), Spec)


def test_the_page_has_specs_rules_and_functions() -> None:
    assert len(BLOCKS) >= 5
    assert len(RULES) == 21


def test_the_page_lists_exactly_the_functions_that_there_are() -> None:
    listed = [(name, formula, kink) for name, _, formula, kink, _, _ in FUNCTION_ROWS]
    assert listed == [(row.name, row.formula, row.kink) for row in ROWS]
    assert all(f"`{form}(" in PAGE for form in FORMS)


@pytest.mark.parametrize("row", FUNCTION_ROWS, ids=lambda row: row[0])
def test_a_function_of_the_page_has_the_value_it_states(row: tuple[str, ...]) -> None:
    name, arguments, _, _, example, stated = row
    assert example.startswith(f"{name}(")
    assert len(arguments.split(", ")) == next(r.arity for r in ROWS if r.name == name)
    np.testing.assert_allclose(value(example), float(stated), rtol=1e-15)


@pytest.mark.parametrize(("written", "becomes"), [r[:2] for r in RULES], ids=[r[0] for r in RULES])
def test_a_rule_of_the_page_expands_as_it_says(written: str, becomes: str) -> None:
    text = "\n".join(written.strip("`").split("` `"))
    program = program_of(text, text.split("[")[0].split(" ")[0])
    assert lines(program) == becomes.strip("`").split("` `")


# text, value
VALUES = (
    ("2 + 3*4", 14),
    ("-2**2", -4),
    ("2**-1", 0.5),
    ("2**3**2", 512),
    ("8/4/2", 1),
    ("2 - 3 - 4", -5),
    ("-(-3)", 3),
    ("+3", 3),
    ("1e-3*1000", 1),
    (".5 + 1.", 1.5),
    ("0.1 + 0.2 - 0.3", 0),
    ("(1 + 2)*(3 + 4)", 21),
    ("where(1 < 2 and not 2 < 1, 5, 6)", 5),
    ("where(1 == 2 or 3 != 4, 5, 6)", 5),
    ("[1 <= 1] + [2 > 3] + [3 >= 4]", 1),
    ("where(3 > 2 > 1, 5, 6)", 5),
    ("where(not (1 < 2 or 1 < 0), 5, 6)", 6),
    ("sqrt(2)*sqrt(2)", 2),
    ("8**(1/3)", 2),
    ("maximum(-inf, 3)", 3),
    ("stop(3)*2", 6),
)


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_an_expression_has_its_value(text: str, expected: float) -> None:
    assert value(text) == pytest.approx(expected, rel=1e-15, abs=0)


def test_precedence_is_pythons() -> None:
    tree = parse_expression(Source("a - b*c**2"))
    assert isinstance(tree, Sum)
    product = tree.terms[1][1]
    assert isinstance(product, Product)
    power = product.factors[1][1]
    assert isinstance(power, Power)
    assert isinstance(power.base, Name)
    assert isinstance(power.exponent, Number)


def test_an_equation_goes_on_while_a_bracket_is_open() -> None:
    statements = parse(Source("a = (1 +\n   2)  # note\n\nb = 3\n"))
    assert [s.left.name for s in statements] == ["a", "b"]


def test_a_node_knows_its_place_in_the_file() -> None:
    source = Source("a = 1\nb = xyz", "f.toml", 10, 5)
    right = parse(source)[1].right
    assert str(source.place(right.at)) == "f.toml:11:5"
    assert str(source.place(0)) == "f.toml:10:5"


def test_a_long_sum_is_wide_and_not_deep() -> None:
    (statement,) = parse(Source("a = 1" + "+1" * 30_000))
    assert statement.right.height == 2


def test_tokens_keep_primes_with_their_name() -> None:
    (tokens,) = equations(Source("y = f'1'2(x)"))
    assert [t.text for t in tokens] == ["y", "=", "f'1'2", "(", "x", ")", ""]


# What one writes, and the shape of y.
SHAPES = (
    ("y[b,0] = 0 for b < B\ny[b,t+1] = s[b,t]", ["B", "T+1"]),
    ("y[i] = c[i]\ny[i+A] = c[i]", ["2*A"]),
    ("y[b,2*t] = s[b,t]\ny[b,2*t+1] = -s[b,t]", ["B", "2*T"]),
    ("y[3] = 1", ["4"]),
    ("y[b,i,j] = x[b,i]*x[b,j]", ["B", "N", "N"]),
    ("y[b] = argmax(i: x[b,i])", ["B"]),
    ("y[t+u] += s[0,t]*s[1,u]", ["2*T-1"]),
    ("y[i] = 1 for 2 <= i < 5", ["5"]),
)


@pytest.mark.parametrize(("text", "shape"), SHAPES)
def test_a_tensor_is_as_large_as_what_is_written(text: str, shape: list[str]) -> None:
    declared = DECLARED.replace('B = "batch"', "B = 3")
    assert [str(size) for size in program_of(text, "y", declared).tensor_of["y"].shape] == shape


def test_the_smaller_of_a_declared_and_a_computed_size_is_taken() -> None:
    program = program_of("h[b,0] = 0 for b < B\nh[b,t+1] = s[b,t]\ny[b,t] = h[b,t]*s[b,t]", "y")
    assert str(program.tensor_of["y"].shape[1]) == "T"


def test_order_of_the_equations_has_no_meaning() -> None:
    forward = program_of("h[b] = s[b,0]\ny[b] = 2*h[b]", "y")
    backward = program_of("y[b] = 2*h[b]\nh[b] = s[b,0]", "y")
    assert set(forward.equations) == set(backward.equations)


def test_siblings_may_share_a_letter_over_different_axes() -> None:
    program = program_of("y = sum(i: c[i])*sum(i: x[0,i])", "y")
    assert lines(program) == ["y_sum += c[i]", "y_sum_2 += x[0,i]", "y = y_sum*y_sum_2"]
    assert [str(e.box[0].hi) for e in program.equations[:2]] == ["A", "N"]


def test_a_hoisted_name_gives_way_to_the_users_own() -> None:
    program = program_of("y_sum = 1\ny = exp(sum(i: c[i]))", "y")
    assert "y_sum_2" in program.tensor_of


def test_nested_sums_are_one_sum() -> None:
    assert lines(program_of("y = mean(b: sum(i: x[b,i]))", "y")) == ["y += x[b,i]/B"]


def test_an_argmax_is_an_integer_below_its_range() -> None:
    tensor = program_of("y[b] = argmax(i: x[b,i])", "y").tensor_of["y"]
    assert (tensor.kind, str(tensor.below)) == ("int", "N")


def test_min_and_max_choose_the_first_of_equal_values() -> None:
    program = program_of("y = max(i: c[i])\nz = min(i: c[i]*1)", "y")
    found = evaluate(
        program, {"c": np.array([2.0, 2.0])}, {"B": 1, "T": 1}, outputs=("y", "z", "y_argmax")
    )
    assert [float(found.values[n]) for n in ("y", "z", "y_argmax")] == [2, 2, 0]


def test_one_letter_may_be_an_index_here_and_a_subscripted_tensor_there() -> None:
    assert lines(program_of("y[c] = q[0,c]*c[c]", "y")) == ["y[c] = c[c]*q[0,c]"]


def test_a_read_that_sizes_decide_is_checked_on_entry() -> None:
    declared = DECLARED.replace("A = 2", 'A = "actions"')
    toml = f'outputs = ["y"]\nequations = "y[i] = W[i,i] for i < A"\n{declared}'
    ((size, message),) = parse_spec(toml, "example").checks
    assert (str(size), message) == (
        "4-A" if "N = 4" not in declared else "N-A",
        "W[i,i] needs A-1 < N",
    )


def test_an_equation_of_64_kilobytes_is_read_quickly_enough_to_finish() -> None:
    text = "y = c[0]" + " + c[0]*0.5" * 5_000
    assert lines(program_of(text, "y")) == ["y = 2501*c[0]"]
