"""Values for a derivation, in a spec or a file: what is wrong in them is answered by one line."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from symgrad.cli import main
from symgrad.errors import SpecError
from symgrad.explain.build import explain
from symgrad.explain.derivation import Derivation
from symgrad.explain.numbers import Numbers
from symgrad.explain.values import values_text
from symgrad.spec import parse_spec

SPEC = """
equations = '''
h[b,i] = tanh(sum(j: W[i,j]*x[b,j]) + E[tok[b],i])
loss = mean(b: sum(i: h[b,i])*where(done[b], gamma, 1)*g/width)
'''
[sizes]
B = "batch"
H = 2
[params]
W = "real[H, 3]"
E = "real[4, H]"
g = "real"
[data]
x = "real[B, 3]"
tok = "int[B] < 4"
done = "bool[B]"
gamma = "real = 0.5"
width = "real > 0 = 1"
"""
GOOD = """
W = [[1, 2, 3], [4, 5, 6]]
E = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]
g = 2
x = [[0.1, 0, 0], [0, 0.1, 0]]
tok = [0, 3]
done = [true, false]
"""


def at(text: str) -> Numbers:
    spec = parse_spec(SPEC, "example")
    found = explain(spec, at=values_text(text, spec, "values.toml"))
    assert found.book.numbers is not None
    return found.book.numbers


def without(name: str, line: str = "") -> str:
    """GOOD with one line replaced."""
    lines = [one for one in GOOD.splitlines() if not one.startswith(f"{name} =")]
    return "\n".join([*lines, line]) + "\n"


def test_sizes_follow_from_shapes_and_defaults_are_taken() -> None:
    numbers = at(GOOD)
    assert numbers.at.sizes == {"B": 2, "H": 2}
    assert float(numbers.at.tensors["gamma"]) == 0.5
    assert not numbers.at.drawn


def test_a_default_size_gives_way_to_the_shapes() -> None:
    wide = GOOD.replace("[4, 5, 6]]", "[4, 5, 6], [7, 8, 9]]").replace(
        "E = [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6], [0.7, 0.8]]", "seed = 1"
    )
    assert at(wide).at.sizes["H"] == 3


def test_values_may_stand_under_the_specs_headings() -> None:
    text = "[params]\nW = [[1, 2, 3], [4, 5, 6]]\ng = 2\n[sizes]\nB = 2\n[data]\ntok = [0, 3]\n"
    numbers = at(f"seed = 0\n{text}")
    assert numbers.at.drawn == ("E", "x", "done")
    np.testing.assert_array_equal(numbers.at.tensors["tok"], [0, 3])


def test_a_seed_draws_the_same_values_every_time_and_another_others() -> None:
    one, same, other = (at(f"B = 3\nseed = {seed}\n").at.tensors for seed in (4, 4, 5))
    for name in ("W", "E", "x"):
        np.testing.assert_array_equal(one[name], same[name])
        assert np.any(one[name] != other[name])


def test_the_page_says_what_was_drawn_and_what_was_given() -> None:
    spec = parse_spec(SPEC, "example")
    page: Derivation = explain(spec, at=values_text(without("x", "seed = 3"), spec))
    assert "- Drawn with seed 3: x." in page.text(100)
    assert "- Sizes: B = 2, H = 2." in page.text(100)
    assert "  g = 2\n" in page.text(100)


BAD = (
    ("a misspelt name", without("g", "gg = 2"), '"gg" is no size, parameter or datum of the spec; did you mean "g"?'),
    ("a missing parameter", without("W"), "no values for W; write them, as in W = [[0.5, ...], ...] for real[H, 3], or seed = 0"),
    ("missing data", without("tok"), "no values for tok; write them, as in tok = [0, ...] for int[B] < 4"),
    ("several missing", "B = 2\n", "no values for W, E, g, x, tok, done; write them"),
    ("a free size unsaid", "seed = 0\n", "size B has no value; write B = 2, say"),
    ("too few axes", without("W", "W = [1, 2, 3]"), '"W" is [H, 3]: numbers nested 2 deep, and they came 1 deep'),
    ("a number for a matrix", without("W", "W = 1"), "and they came 0 deep"),
    ("a list for a number", without("g", "g = [1]"), '"g" is one number'),
    ("ragged lists", without("W", "W = [[1, 2, 3], [4, 5]]"), '"W": its lists are not all of one length'),
    ("a ragged depth", without("W", "W = [[1, 2, 3], 4]"), '"W": its lists are not all of one length'),
    ("the wrong length", without("W", "W = [[1, 2], [3, 4]]"), '"W" came with shape (2, 2), expected (2, 3): real[H, 3] with H = 2'),
    ("lengths that disagree", without("x", "x = [[0.1, 0, 0]]"), "has length"),
    ("a size that disagrees", GOOD + "B = 3\n", '"x" has length 2 along B (axis 1), and B = 3'),
    ("words", without("g", 'g = "two"'), "\"g\" holds real numbers, and 'two' came"),
    ("a bool for a real", without("g", "g = true"), '"g" holds real numbers, and True came'),
    ("a real for an int", without("tok", "tok = [0, 1.5]"), '"tok" holds whole numbers from 0, and 1.5 came'),
    ("a negative int", without("tok", "tok = [0, -1]"), '"tok" holds whole numbers from 0, and -1 came'),
    ("an int beyond its bound", without("tok", "tok = [0, 4]"), '"tok" holds 4, expected 0 to 3'),
    ("a number at its bound", GOOD + "width = 0\n", '"width" holds 0, expected real > 0 = 1'),
    ("a number for a bool", without("done", "done = [2, 0]"), '"done" holds true or false, and 2 came'),
    ("not a number", without("g", "g = nan"), '"g" holds real numbers, and nan came'),
    ("a date", without("g", "g = 2020-01-01"), '"g" holds real numbers'),
    ("an enormous number", without("g", f"g = {10**400}"), "holds real numbers"),
    ("a table", without("g", "[g]\nx = 1"), '"g" holds real numbers'),
    ("a size of 0", GOOD + "B = 0\n", '"B" is a whole number of at least 1, and 0 came'),
    ("a size in words", GOOD + 'B = "two"\n', "\"B\" is a whole number of at least 1, and 'two' came"),
    ("a negative seed", GOOD + "seed = -1\n", '"seed" is a whole number of at least 0, and -1 came'),
    ("a rate in words", GOOD + 'rate = "fast"\n', '"rate" holds real numbers'),
    ("a value twice", GOOD + "[params]\ng = 3\n", '"g" has a value twice'),
    ("no TOML", "W = [[1, 2\n", "not TOML"),
)  # fmt: skip


@pytest.mark.parametrize(("claim", "text", "said"), BAD, ids=[row[0] for row in BAD])
def test_bad_values_are_answered_by_one_clear_line(claim: str, text: str, said: str) -> None:
    with pytest.raises(SpecError) as found:
        at(text)
    assert said in str(found.value), claim
    assert "\n" not in str(found.value)
    assert str(found.value).startswith("values.toml")


def test_the_line_is_said_where_there_is_one() -> None:
    with pytest.raises(SpecError) as found:
        at(without("tok", "tok = [0, 4]"))
    assert str(found.value).startswith("values.toml:7:1: ")


BAD_OWN = (
    ("g = [1]", '"g" is one number'),
    ("h = 1", '"h" is no size, parameter or datum of the spec'),
)


@pytest.mark.parametrize(("line", "said"), BAD_OWN)
def test_a_specs_own_values_are_checked_when_it_is_read(line: str, said: str) -> None:
    with pytest.raises(SpecError) as found:
        parse_spec(f"{SPEC}[values]\n{line}\n", "example", "example.toml")
    assert said in found.value.message
    assert found.value.place is not None
    assert found.value.place.line == 20


def test_a_declared_function_has_no_numbers() -> None:
    spec = parse_spec(SPEC.replace("tanh", "act") + "[functions]\nact = 1\n", "example")
    with pytest.raises(SpecError, match="declares act, which has no value"):
        explain(spec, at=values_text(GOOD, spec))


def test_values_go_before_the_specs_own() -> None:
    spec = parse_spec(f"{SPEC}[values]\n{GOOD}", "example")
    found = explain(spec, at=values_text("g = -1\n", spec)).book.numbers
    assert found is not None
    assert float(found.at.tensors["g"]) == -1
    assert found.at.tensors["W"][1, 2] == 6


REFUSED = (
    (["--element", "W[0,9]"], "axis 2 of W has length 3"),
    (["--element", "W9[0]"], '"W9" is not a real tensor'),
    (["--limit"], "limit: name the entry too"),
    (["--element", "W[0,0]", "--limit"], "limit: there are no numbers"),
    (["--at", "none.toml"], "none.toml: cannot be read: No such file or directory"),
    (["--at", "bad.toml"], 'bad.toml:1:1: "gg" is no size'),
    (["--at", "bytes.toml"], "bytes.toml: cannot be read: not UTF-8"),
)


@pytest.mark.parametrize(("arguments", "said"), REFUSED)
def test_the_command_line_answers_bad_input_with_exit_code_2(
    arguments: list[str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("example.toml").write_text(SPEC)
    Path("bad.toml").write_text("gg = 1\n")
    Path("bytes.toml").write_bytes(b"\xff\xfe")
    done = CliRunner().invoke(main, ["derive", "example.toml", *arguments])
    assert done.exit_code == 2
    assert said in done.output
    assert len(done.output.splitlines()) == 1


def test_the_command_line_prints_numbers_factors_and_the_limit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("example.toml").write_text(SPEC)
    Path("values.toml").write_text(GOOD)
    command = ["derive", "example.toml", "--at", "values.toml", "--element", "E[3,1]", "--limit"]
    done = CliRunner().invoke(main, command)
    assert done.exit_code == 0, done.output
    for text in ("  W = [1  2  3]", "One entry: E[3,1]", "[3 == tok[b]]", "1e-12", "rounding"):
        assert text in done.output
