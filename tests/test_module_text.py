"""Helpers of an emitted module, to a few units in the last place, and how its text is laid out."""

from __future__ import annotations

from typing import Any

import mpmath
import numpy as np
import pytest
from emitted import SPECS, imported, of_file, of_text
from modules import INITS, TEXTS, emitted

from benchmarks.fuzzing.running import accepted
from symgrad.algebra.sizes import Size
from symgrad.emit.layout import wrapped_call
from symgrad.emit.literals import literal, size_expression
from symgrad.emit.render import helper, helper_names, render
from symgrad.emit.tidy import without_unread
from symgrad.errors import SpecError
from symgrad.spec import parse_spec

# ---- helpers -----------------------------------------------------------------------------------------

POINTS = np.concatenate(
    [
        np.random.default_rng(0).uniform(-7, 7, 600),
        np.random.default_rng(1).uniform(-1, 1, 300),
        10.0 ** np.random.default_rng(2).uniform(-300, 0, 100),
    ]
)


def helpers() -> Any:
    """All the helpers, in a module of their own."""
    head = ["import numpy as np", render("numpy", "views.py.j2", {})]
    text = "\n\n".join([*head, *(helper("numpy", n) for n in helper_names("numpy"))])
    return imported(text, "helpers")


def ulps(found: Any, exact: list[Any]) -> Any:
    """Errors in units in the last place of the exact value, at the least of the smallest normal number."""
    tiny = np.finfo(found.dtype).smallest_normal
    spacing = [float(np.spacing(max(found.dtype.type(abs(e)), tiny))) for e in exact]
    return np.array(
        [
            float(abs(mpmath.mpf(float(f)) - e) / s)
            for f, e, s in zip(found, exact, spacing, strict=True)
        ]
    )


def exact_of(function: Any, x: Any) -> list[Any]:
    with mpmath.workdps(60):
        return [function(mpmath.mpf(float(v))) for v in x]


ONE_ARGUMENT = {
    "_erf": (mpmath.erf, 3.0, POINTS),
    "_erfc": (mpmath.erfc, 5.0, POINTS),
    "_sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), 3.0, 100 * POINTS),
    "_softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), 3.0, 100 * POINTS),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_a_helper_is_right_to_a_few_units_in_the_last_place(name: str, dtype: Any) -> None:
    function, bound, points = ONE_ARGUMENT[name]
    x = points[np.abs(points) > 1e-37].astype(dtype) if dtype is np.float32 else points
    found = with_buffers(getattr(helpers(), name), x)
    assert found.dtype == dtype
    assert x.size > 800
    worst = ulps(found, exact_of(function, x))
    assert worst.max() <= bound + (dtype is np.float32), x[worst.argmax()]


def with_buffers(function: Any, x: Any) -> Any:
    """The function with `out` and as many scratch arrays as it takes, and the same bits without."""
    out = np.full_like(x, np.nan)
    scratch = {
        "_erf": [np.full_like(x, np.nan) for _ in range(3)],
        "_erfc": [np.full_like(x, np.nan) for _ in range(3)],
        "_sigmoid": np.full_like(x, 7.0),
    }
    if function.__name__ == "_softplus":
        return function(x)
    found = function(x, out=out, scratch=scratch[function.__name__])
    assert found is out
    np.testing.assert_array_equal(found, function(x))
    return found


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_helpers_at_their_ends(dtype: Any) -> None:
    module = helpers()
    x = np.array([-np.inf, -1e4, -0.0, 0.0, 1e4, np.inf, np.nan], dtype)
    np.testing.assert_array_equal(module._erf(x), np.array([-1, -1, -0.0, 0, 1, 1, np.nan], dtype))
    assert np.signbit(module._erf(x)[2])
    np.testing.assert_array_equal(module._erfc(x), np.array([2, 2, 1, 1, 0, 0, np.nan], dtype))
    np.testing.assert_array_equal(
        module._sigmoid(x), np.array([0, 0, 0.5, 0.5, 1, 1, np.nan], dtype)
    )
    half = np.log(dtype(2))
    np.testing.assert_array_equal(
        module._softplus(x[:-1]), np.array([0, 0, half, half, 1e4, np.inf], dtype)
    )
    for name in ONE_ARGUMENT:
        scalar = getattr(module, name)(dtype(0.25))
        assert scalar.dtype == dtype


def test_the_coefficients_of_erf_come_out_of_their_recipe_again() -> None:
    """P meets (1 - u) g/a at the Chebyshev points of 0 <= u <= 2/3, where a = 3u/(1 - u)."""
    with mpmath.workdps(60):
        count, end = len(helpers()._ERF), mpmath.mpf(2) / 3
        points = [
            end * (1 + mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * count))) / 2 for k in range(count)
        ]

        def wanted(u: Any) -> Any:
            a = 3 * u / (1 - u)
            return -mpmath.log(mpmath.erfc(a)) / a * (1 - u)

        rows = mpmath.matrix([[u**k for k in reversed(range(count))] for u in points])
        solved = mpmath.lu_solve(rows, mpmath.matrix([wanted(u) for u in points]))
        found = [float(c) for c in solved]
    np.testing.assert_allclose(found, helpers()._ERF, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_tail_of_erfc_keeps_its_digits(dtype: Any) -> None:
    end = 26.5 if dtype is np.float64 else 9.1  # beyond, the values are subnormal
    x = np.random.default_rng(4).uniform(5, end, 600).astype(dtype)
    assert ulps(helpers()._erfc(x), exact_of(mpmath.erfc, x)).max() <= 6.0


def test_the_coefficients_of_erfc_come_out_of_their_recipe_again() -> None:
    """P meets exp(a^2) erfc(a) (a + 4) at the Chebyshev points of -1 <= v <= 3/4."""
    with mpmath.workdps(60):
        count = len(helpers()._ERFC)
        angles = [mpmath.pi * (2 * k + 1) / (2 * count) for k in range(count)]
        points = [(-1 + 7 * mpmath.cos(angle)) / 8 for angle in angles]

        def wanted(v: Any) -> Any:
            a = 4 * (1 + v) / (1 - v)
            return mpmath.exp(a**2) * mpmath.erfc(a) * (a + 4)

        rows = mpmath.matrix([[v**k for k in reversed(range(count))] for v in points])
        solved = mpmath.lu_solve(rows, mpmath.matrix([wanted(v) for v in points]))
        found = [float(c) for c in solved]
    np.testing.assert_allclose(found, helpers()._ERFC, rtol=1e-15)


ROWS = [
    [-np.inf, -np.inf, -np.inf],
    [-np.inf, 2.0, -np.inf],
    [1e4, 1e4 - 1, -1e4],
    [-1e4, -1e4, -1e4],
    [3.0, np.inf, -np.inf],
    [0.1, -0.2, 0.3],
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_logsumexp_and_expdiff_are_right_at_any_height(dtype: Any) -> None:
    module, x = helpers(), np.array(ROWS, dtype)
    out, scratch, total = np.empty(6, dtype), np.empty_like(x), np.empty(6, dtype)
    with np.errstate(all="raise", under="ignore"):
        found = module._logsumexp(x, out=out, scratch=scratch, total=total)
    assert (found is out, found.dtype) == (True, dtype)
    exact = [
        mpmath.log(sum(mpmath.exp(mpmath.mpf(float(v))) for v in row))
        if np.isfinite(max(row))
        else max(row)
        for row in x
    ]
    np.testing.assert_allclose(found, [float(e) for e in exact], rtol=4 * np.finfo(dtype).eps)
    finite = [0, 1, 2, 3, 5]
    with np.errstate(all="raise", under="ignore"):
        p = module._expdiff(x[finite], found[finite][:, None], out=np.empty((5, 3), dtype))
    assert p.dtype == dtype
    assert not p[0].any()
    np.testing.assert_allclose(p[1:].sum(axis=1), 1.0, rtol=2e-3 if dtype is np.float32 else 1e-11)
    one = module._logsumexp(x[5], scratch=scratch[5], total=np.empty((), dtype))
    assert one == found[5]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_logsumexp_at_1000_rows(dtype: Any) -> None:
    x = (30 * np.random.default_rng(0).normal(size=(1000, 5))).astype(dtype)
    found = helpers()._logsumexp(x, scratch=np.empty_like(x), total=np.empty(1000, dtype))
    exact = [mpmath.log(sum(mpmath.exp(mpmath.mpf(float(v))) for v in row)) for row in x]
    scale = np.maximum(np.abs(x).max(axis=1), 1.0)
    error = np.array(
        [float(abs(mpmath.mpf(float(f)) - e)) for f, e in zip(found, exact, strict=True)]
    )
    assert (error <= 3 * np.finfo(dtype).eps * scale).all()


def test_every_helper_is_reached_by_a_module() -> None:
    """A helper that no module can hold is dead text."""
    texts = [of_file(p).text for p in SPECS] + [emitted(n).text for n in TEXTS]
    kinds = [
        f'equations = "loss = sum(i,j: W[i,j])"\n[params]\nW = "real[3, 4] init={how}"'
        for how in INITS
    ]
    texts += [of_text(text).text for text in kinds]
    made = [(f"def {n}(", f"class {n}(", n) for n in helper_names("numpy")]
    reached = {n for *heads, n in made if any(head in text for text in texts for head in heads)}
    assert set(helper_names("numpy")) - reached <= {"_relu"}  # a rank-0 relu


# ---- text --------------------------------------------------------------------------------------------


def test_a_long_line_is_broken_at_its_longest_bracket() -> None:
    arguments = ", ".join(f"argument_{n}" for n in range(9))
    lines = wrapped_call(f"x = f(a)[0] + g({arguments}, h({arguments})).T", 4)
    assert max(map(len, lines)) <= 100
    assert lines[0] == "    x = f(a)[0] + g("
    assert lines[-1] == "    ).T"
    assert "".join(line.strip() for line in lines).replace(",)", ")").count("argument_") == 18


def test_a_long_sum_is_broken_before_its_operators() -> None:
    lines = wrapped_call("x = " + " + ".join(f"term_number_{n} * 2.0" for n in range(9)), 4)
    assert lines[0] == "    x = ("
    assert lines[2].strip().startswith("+ ")
    assert lines[-1] == "    )"


@pytest.mark.parametrize("text", ["plain\n", "a \\ b\n", "'''", "ends with '", "é", 'a """ b\n'])
def test_a_literal_reads_back(text: str) -> None:
    import ast

    assert ast.literal_eval(literal(text)) == text


def test_sizes_of_init_are_those_of_params() -> None:
    for path in SPECS:
        found = of_file(path)
        sizes = accepted(found.module.init, found.sizes())
        assert found.module.init(np.random.default_rng(0), **sizes)._sizes == sizes


def test_a_name_that_nothing_reads_is_not_bound() -> None:
    lines = [
        "    t = ws.t",
        "    dW = np.matmul(a, b, out=grads.W)",
        "    loss = np.sum(a)  # t, dW",
    ]
    assert without_unread(lines, ["    return loss"]) == [
        "    np.matmul(a, b, out=grads.W)",
        "    loss = np.sum(a)  # t, dW",
    ]
    chain = ["    a = ws.a", "    b = np.add(a, 1.0, out=ws.b)"]
    assert without_unread(chain, []) == ["    a = ws.a", "    np.add(a, 1.0, out=ws.b)"]


def test_a_quotient_of_sizes_is_bracketed_as_python_reads_it() -> None:
    half = Size.of("L") // 2
    for size in (half * 2, half * "B", Size.of("A") * half * 3, -half, Size.of("B") - half, half):
        for length in (4, 5, 7):
            sizes = {"A": 2, "B": 3, "L": length}
            found = eval(size_expression(size), {}, dict(sizes))
            assert found == size.evaluate(sizes), str(size)


def test_a_mean_over_a_literal_axis_divides_and_does_not_multiply_by_a_decimal() -> None:
    text = "equations = 'loss = mean(b,i: w[b,i]**2)'\n[sizes]\nB = 'n'\n[params]\nw = 'real[B, 6]'"
    emitted = of_text(text)
    assert "loss = np.sum(t_1) / (6.0 * B)\n" in emitted.text
    assert "np.multiply(w, 1.0 / (3.0 * B), out=grads.w)\n" in emitted.text


def test_a_parameter_may_not_have_a_name_that_savez_takes_itself() -> None:
    for name in ("file", "allow_pickle"):
        with pytest.raises(SpecError, match="the generated module uses itself"):
            parse_spec(f'equations = "loss = {name}"\n[params]\n{name} = "real"', "m")
