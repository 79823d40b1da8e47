"""A user's function and its gradient, as they are called: copies in, plain numbers out."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from symgrad.errors import SpecError
from symgrad.verify.arguments import Leaf, filled, named, picked
from symgrad.verify.arithmetic import Array
from symgrad.verify.verdict import Conduct, Verdict

Arrays = Mapping[str, Array]
"""By the names of the leaves."""

NOWHERE = complex(math.nan, math.nan)
LONGEST = 300


class Stopped(Exception):
    """Why nothing can be compared: the rule that was broken, and what the verdict is."""

    def __init__(self, claim: str, verdict: Verdict, reason: str) -> None:
        super().__init__(reason)
        self.claim, self.verdict, self.reason = claim, verdict, reason


@dataclass(frozen=True)
class Function:
    """f and its gradient at one point.

    grad: grad(*x), True where f returns both, or the gradient itself.
    hold: a value, or a function of x, that f takes after x.
    """

    f: Callable[..., Any]
    grad: Any
    x: Sequence[object]
    leaves: tuple[Leaf, ...]
    hold: Any = None
    args: tuple[Any, ...] = ()
    broken: dict[str, str] = field(default_factory=dict)

    @cached_property
    def name(self) -> str:
        return getattr(self.f, "__name__", "") or type(self.f).__name__

    @cached_property
    def arrays(self) -> Arrays:
        return {leaf.name: leaf.array for leaf in self.leaves}

    @cached_property
    def held(self) -> tuple[Any, ...]:
        """What is frozen: found once, at x."""
        if self.hold is None:
            return ()
        if not callable(self.hold):
            return (self.hold,)
        try:
            return (self.hold(*self._filled(self.arrays), *self.args),)
        except Exception as error:  # whatever it raises is why nothing can be compared
            raise Stopped("hold has a value at x", "INCONCLUSIVE", _raised(error)) from None

    def _callable(self) -> None:
        """Whether f can be called so; its own errors come later."""
        if not callable(self.f):
            raise SpecError(f"check_gradient: f came as {named(self.f)}, expected a function")
        given = [*self._filled(self.arrays), *self.held, *self.args]
        try:
            inspect.signature(self.f).bind(*given)
        except ValueError:  # a builtin need not say
            return
        except TypeError as error:
            raise SpecError(
                f"check_gradient: {self.name} is called with {len(given)} arguments: x, then what"
                f" hold= names, then args; {error}"
            ) from None

    def base(self) -> tuple[float, dict[str, Array | str]]:
        """f(x) and the gradient there, by leaf; a text where there is none, saying so."""
        claim = "f has a value at x"
        self._callable()
        try:
            arrays = self._copies(self.arrays)
            value = self._number(self._called(arrays))
            self._unmodified("f leaves its arguments as they were", arrays)
            again = self._number(self._called(self._copies(self.arrays)))
        except SpecError:
            raise
        except Exception as error:  # whatever f raises is why nothing can be compared
            raise Stopped(claim, "INCONCLUSIVE", _raised(error)) from None
        if not math.isfinite(value.real) or value.imag:
            shown = value if value.imag else value.real
            raise Stopped(claim, "INCONCLUSIVE", f"it is {shown}")
        if again != value:
            why = f"{value.real!r}, then {again.real!r}: fix its random numbers"
            raise Stopped("f gives the same value twice", "INCONCLUSIVE", why)
        gradients = self.gradients(self.arrays)
        self.steady(value.real, "after the gradient was called")
        return value.real, gradients

    def steady(self, value: float, when: str) -> None:
        """Whether f(x) is still what it was; else what was found is of another function."""
        again = self.value(self._copies(self.arrays)).real
        if again != value:
            why = f"{value!r}, then {again!r} {when}: something changes what f depends on"
            raise Stopped("f gives the same value throughout", "INCONCLUSIVE", why)

    def value(self, arrays: Arrays) -> complex:
        """f at any arrays; nan where it has no value."""
        try:
            return self._number(self._called(arrays))
        except Exception:  # a step may leave the domain of f, or f may take no complex numbers
            return NOWHERE

    def gradients(self, at: Arrays) -> dict[str, Array | str]:
        """The gradient as arrays, by leaf; a text where none came."""
        arrays = self._copies(at)
        try:
            came = self._gradient(arrays)
            if callable(self.grad):
                self._unmodified("the gradient leaves its arguments as they were", arrays)
        except SpecError:
            raise
        except Exception as error:  # whatever the gradient raises is its answer
            raise Stopped("the gradient can be computed at x", "FAIL", _shown(error)) from None
        return {leaf.name: _array(self._apart(came), leaf) for leaf in self.leaves}

    def _apart(self, came: Any) -> Any:
        """One for each argument; of a single one the tuple may be left out."""
        if len(self.x) > 1:
            return came
        alone = isinstance(came, tuple) and len(came) == 1 and isinstance(came[0], np.ndarray)
        one = all(len(leaf.key) == 1 for leaf in self.leaves)  # x is no tuple itself
        return came if alone and one else [came]

    def conduct(self) -> Iterator[Conduct]:
        """The rules that the calls so far have kept or broken."""
        for claim, broken in self.broken.items():
            yield Conduct(self.name, claim, "FAIL" if broken else "PASS", broken)

    def _gradient(self, arrays: Arrays) -> Any:
        if self.grad is True:
            return self._pair(self._raw(self.f, arrays, self.held))[1]
        if callable(self.grad):
            taken = _takes(self.grad, len(self.x), len(self.args))
            if taken is None:
                with suppress(TypeError):  # it does not take what is held
                    return self._raw(self.grad, arrays, self.held)
            return self._raw(self.grad, arrays, self.held if taken else ())
        return self.grad

    def _called(self, arrays: Arrays) -> Any:
        came = self._raw(self.f, arrays, self.held)
        return self._pair(came)[0] if self.grad is True else came

    def _raw(self, function: Callable[..., Any], arrays: Arrays, held: tuple[Any, ...]) -> Any:
        return function(*self._filled(arrays), *held, *self.args)

    def _pair(self, came: Any) -> Any:
        if not isinstance(came, tuple | list) or len(came) != 2:
            raise SpecError(
                f"check_gradient: {self.name} returned {type(came).__name__}, expected (value,"
                " gradient); where it returns the value alone, give the gradient in place of True"
            )
        return came

    def _number(self, came: Any) -> complex:
        what = "a tuple"
        if not isinstance(came, tuple):
            array = np.asarray(came)
            if array.size == 1 and array.dtype.kind in "fiubc":
                return complex(array.reshape(-1)[0])
            what = f"{named(came)} of shape {array.shape}" if array.shape else named(came)
        raise SpecError(
            f"check_gradient: {self.name} returned {what}, expected one number;"
            " where it returns (value, gradient), give True as gradient"
        )

    def _filled(self, arrays: Arrays) -> list[Any]:
        return filled(self.x, {leaf.key: arrays[leaf.name] for leaf in self.leaves})

    def _copies(self, arrays: Arrays) -> dict[str, Array]:
        """In the memory order that came."""
        return {name: array.copy(order="K") for name, array in arrays.items()}

    def _unmodified(self, claim: str, arrays: Arrays) -> None:
        if claim in self.broken:
            return
        changed = [n for n, a in arrays.items() if a.tobytes() != self.arrays[n].tobytes()]
        self.broken[claim] = f"{', '.join(changed)} was modified" if changed else ""


def _array(results: Any, leaf: Leaf) -> Array | str:
    if not isinstance(results, tuple | list):
        return f"one {type(results).__name__} came back, expected a gradient for each argument"
    try:
        came = picked(results, leaf.key)
        if came is None:
            return "no gradient came back"
        array = np.array(came)
    except (LookupError, TypeError):
        return "no gradient came back"
    except ValueError as error:
        return f"the gradient is no array: {error}"
    if array.dtype.kind not in "fiu":
        return f"the gradient is {named(came)}, expected real numbers"
    if array.dtype == np.float16:
        return "the gradient is float16, which holds three digits; expected float32 or float64"
    return array if array.dtype == np.float32 else array.astype(np.float64)


def _takes(function: Callable[..., Any], before: int, after: int) -> bool | None:
    """Whether a gradient asks for what is held: a positional argument after x, without default,
    and others for args; None where it takes any number of them.
    """
    try:
        known = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return False
    named = [p for p in known if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if any(p.kind == p.VAR_POSITIONAL for p in known) and len(named) <= before:
        return None
    asked = len(named) > before and named[before].default is inspect.Parameter.empty
    return asked and len(named) > before + after


def single_precision(gradient: Array) -> bool:
    """Whether these numbers were computed in float32, whatever they are kept in.

    All of them have at most 24 bits, and one has more than 12: so 0.5 and 3.0 prove nothing.
    """
    if gradient.dtype == np.float32:
        return True
    mantissa, _ = np.frexp(gradient[np.isfinite(gradient)])
    short = [bool(np.all(mantissa * 2.0**bits % 1 == 0)) for bits in (12, 24)]
    return short == [False, True]


def _raised(error: BaseException) -> str:
    return f"it raises {_shown(error)}"


def _shown(error: BaseException) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())[:LONGEST]}"
