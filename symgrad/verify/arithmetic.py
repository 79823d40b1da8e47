"""Two number systems, float64 and many decimal digits, and the textbook table of functions.

Nothing here is written to be stable or fast: each function is its definition. Overflow and errors
of domain give inf and nan, as floats do: log(0) = -inf, log(-1) = nan, 1/0 = inf.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt
from mpmath.ctx_mp import MPContext

Array = npt.NDArray[Any]
ELEMENTARY = (
    "exp",
    "expm1",
    "log",
    "log1p",
    "sqrt",
    "sin",
    "cos",
    "sinh",
    "cosh",
    "tanh",
    "arctan",
    "erf",
    "erfc",
)
LIMIT = 2**40  # mpf has no overflow: beyond this an exponential counts as infinite

WIDEST = 4000  # bits of a whole number that stands for one of many digits


class Numbers(Protocol):
    """What an evaluation computes in. `unit` is the distance from 1 to the next number."""

    @property
    def unit(self) -> float: ...

    @property
    def dtype(self) -> np.dtype[Any]: ...

    def array(self, values: object) -> Array:
        """Real, integer or bool values in these numbers."""

    def ratio(self, p: int, q: int) -> Array: ...

    def constant(self, name: str) -> Array:
        """pi or inf."""

    def elementary(self, name: str, x: Array) -> Array:
        """One of ELEMENTARY, point by point."""

    def divide(self, a: Array, b: Array) -> Array: ...

    def power(self, x: Array, y: Array) -> Array: ...

    def isnan(self, x: Array) -> Array: ...

    def matmul(self, a: Array, b: Array) -> Array | None:
        """Matrix products along the first axis; None where a number is not finite."""


@dataclass(frozen=True)
class Float64:
    """The numbers of the machine; NumPy's warnings are silenced by the evaluator, once."""

    unit: float = 2.0**-52

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(np.float64)

    def array(self, values: object) -> Array:
        return np.asarray(values).astype(np.float64)

    def ratio(self, p: int, q: int) -> Array:
        return np.asarray(p / q)

    def constant(self, name: str) -> Array:
        return np.asarray({"pi": math.pi, "inf": math.inf}[name])

    def elementary(self, name: str, x: Array) -> Array:
        return np.asarray(_FLOAT64[name](x), dtype=np.float64)

    def divide(self, a: Array, b: Array) -> Array:
        return np.asarray(np.divide(a, b))

    def power(self, x: Array, y: Array) -> Array:
        return np.asarray(np.power(x, y))

    def isnan(self, x: Array) -> Array:
        return np.isnan(x)

    def matmul(self, a: Array, b: Array) -> Array | None:
        return a @ b if np.isfinite(a).all() and np.isfinite(b).all() else None


_FLOAT64: Mapping[str, Callable[[Array], Any]] = {
    **{name: getattr(np, name) for name in ELEMENTARY if not name.startswith("erf")},
    "erf": lambda x: _one_by_one(math.erf, x),  # NumPy has neither
    "erfc": lambda x: _one_by_one(math.erfc, x),
}


def _one_by_one(f: Callable[[float], float], x: Array) -> Array:
    return np.fromiter(map(f, x.ravel().tolist()), np.float64, x.size).reshape(x.shape)


@dataclass(frozen=True)
class Digits:
    """Numbers of so many decimal digits, in arrays of dtype object."""

    digits: int

    @property
    def unit(self) -> float:
        return float(10.0**-self.digits)

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype(object)

    def array(self, values: object) -> Array:
        given = np.asarray(values)
        return _points(
            _context(self.digits).convert if given.dtype == object else self._exact, given
        )

    def _exact(self, value: Any) -> Any:
        return _context(self.digits).mpf(float(value))

    def ratio(self, p: int, q: int) -> Array:
        return _point(_context(self.digits).mpf(p) / q)

    def constant(self, name: str) -> Array:
        mp = _context(self.digits)
        return _point(+mp.pi if name == "pi" else mp.inf)

    def elementary(self, name: str, x: Array) -> Array:
        return _points(_decimal(self.digits)[name], x)

    def divide(self, a: Array, b: Array) -> Array:
        return _points(_decimal(self.digits)["divide"], a, b)

    def power(self, x: Array, y: Array) -> Array:
        return _points(_decimal(self.digits)["power"], x, y)

    def isnan(self, x: Array) -> Array:
        return np.not_equal(x, x).astype(bool)

    def matmul(self, a: Array, b: Array) -> Array | None:
        """Of whole numbers, times a power of 2: exact, and then rounded once."""
        left, right = _whole(a), _whole(b)
        if left is None or right is None:
            return None
        mp, power = _context(self.digits), left[1] + right[1]
        return _points(lambda whole: mp.mpf((whole, power)), left[0] @ right[0])


FLOAT64 = Float64()


@lru_cache(maxsize=8)
def _context(digits: int) -> Any:
    """A context of its own: no other code can change its precision, nor this one that of others."""
    mp = MPContext()
    mp.dps = digits
    return mp


@lru_cache(maxsize=8)
def _decimal(digits: int) -> Mapping[str, Callable[..., Any]]:
    """The elementary functions of one number, real or nan."""
    mp = _context(digits)

    def divide(a: Any, b: Any) -> Any:
        if b != 0:
            return a / b
        return mp.nan if a == 0 or a != a else mp.inf if a > 0 else mp.ninf

    def power(x: Any, y: Any) -> Any:
        if y == 0 or x == 1:
            return mp.one
        if x != x or y != y:
            return mp.nan
        if x == 0:
            return mp.zero if y > 0 else mp.inf
        if x < 0 and not mp.isint(y):
            return mp.nan
        size = y * mp.log(abs(x))
        if abs(size) > LIMIT:
            return mp.inf if size > 0 else mp.zero
        return x**y

    def bounded(f: Callable[[Any], Any], low: Any, high: Any) -> Callable[[Any], Any]:
        return lambda x: high if x > LIMIT else low if x < -LIMIT else f(x)

    def above(f: Callable[[Any], Any], edge: int, at_edge: Any) -> Callable[[Any], Any]:
        return lambda x: f(x) if x > edge else at_edge if x == edge else mp.nan

    return {
        "exp": bounded(mp.exp, mp.zero, mp.inf),
        "expm1": bounded(mp.expm1, -mp.one, mp.inf),
        "log": above(mp.log, 0, mp.ninf),
        "log1p": above(mp.log1p, -1, mp.ninf),
        "sqrt": above(mp.sqrt, 0, mp.zero),
        "sin": mp.sin,
        "cos": mp.cos,
        "sinh": bounded(mp.sinh, mp.ninf, mp.inf),
        "cosh": bounded(mp.cosh, mp.inf, mp.inf),
        "tanh": mp.tanh,
        "arctan": mp.atan,
        "erf": mp.erf,
        "erfc": bounded(mp.erfc, 2 * mp.one, mp.zero),
        "divide": divide,
        "power": power,
    }


def _point(value: Any) -> Array:
    """One number as an array: NumPy would unwrap it."""
    array = np.empty((), dtype=object)
    array[()] = value
    return array


def _whole(x: Array) -> tuple[Array, int] | None:
    """x = whole numbers * 2**power; None where one is not finite, or they are too far apart."""
    parts = [number._mpf_ for number in x.ravel()]  # sign, whole number, power, bits
    powers = [power for _, whole, power, _ in parts if whole]
    bits = max((power + bits for _, whole, power, bits in parts if whole), default=0)
    low = min(powers, default=0)
    if bits - low > WIDEST or any(bits < 0 for *_, bits in parts):
        return None
    numbers = [
        (-whole if sign else whole) << max(0, power - low) for sign, whole, power, _ in parts
    ]
    found = np.empty(len(numbers), dtype=object)
    found[:] = numbers
    return found.reshape(x.shape), low


def _points(f: Callable[..., Any], *arrays: Array) -> Array:
    result = np.frompyfunc(f, len(arrays), 1)(*arrays)
    return result if isinstance(result, np.ndarray) else _point(result)


class Maths(Protocol):
    """What the textbook table is written in: the numbers, and selections that leave a trace."""

    numbers: Numbers

    def choose(self, condition: Array, yes: Array, no: Array) -> Array:
        """yes where the condition holds, else no; which side was taken is recorded."""


def _e(m: Maths, x: Array) -> Array:
    return m.numbers.elementary("exp", x)


def _log(m: Maths, x: Array) -> Array:
    return m.numbers.elementary("log", x)


def _inf(m: Maths) -> Array:
    return m.numbers.constant("inf")


def _zero(m: Maths) -> Array:
    return m.numbers.ratio(0, 1)


def _one(m: Maths) -> Array:
    return m.numbers.ratio(1, 1)


# fmt: off
TEXTBOOK: Mapping[str, Callable[..., Array]] = {
    "exp":        _e,
    "expm1":      lambda m, x: m.numbers.elementary("expm1", x),
    "log":        _log,
    "log1p":      lambda m, x: m.numbers.elementary("log1p", x),
    "sqrt":       lambda m, x: m.numbers.elementary("sqrt", x),
    "sin":        lambda m, x: m.numbers.elementary("sin", x),
    "cos":        lambda m, x: m.numbers.elementary("cos", x),
    "sinh":       lambda m, x: m.numbers.elementary("sinh", x),
    "cosh":       lambda m, x: m.numbers.elementary("cosh", x),
    "tanh":       lambda m, x: m.numbers.elementary("tanh", x),
    "arctan":     lambda m, x: m.numbers.elementary("arctan", x),
    "erf":        lambda m, x: m.numbers.elementary("erf", x),
    "erfc":       lambda m, x: m.numbers.elementary("erfc", x),
    "sigmoid":    lambda m, x: m.numbers.divide(_one(m), 1 + _e(m, -x)),
    "softplus":   lambda m, x: _log(m, 1 + _e(m, x)),
    "power":      lambda m, x, y: m.numbers.power(x, y),
    "expdiff":    lambda m, x, c: m.choose(np.equal(c, -_inf(m)), _zero(m), _e(m, x - c)),
    "relu":       lambda m, x: m.choose(x > 0, x, _zero(m)),
    "leaky_relu": lambda m, x, slope: m.choose(x > 0, x, slope * x),
    "abs":        lambda m, x: m.choose(x > 0, x, m.choose(x < 0, -x, _zero(m))),
    "sign":       lambda m, x: m.choose(x > 0, _one(m), m.choose(x < 0, -_one(m), _zero(m))),
    "minimum":    lambda m, a, b: m.choose(a <= b, a, b),
    "maximum":    lambda m, a, b: m.choose(a >= b, a, b),
    "clip":       lambda m, x, lo, hi: m.choose(x < lo, lo, m.choose(x > hi, hi, x)),
}
# fmt: on
