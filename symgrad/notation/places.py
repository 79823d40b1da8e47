"""Which places of a tensor an equation touches: reads in range, no place assigned twice."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from math import gcd

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Range, Tensor, bounds, digits
from symgrad.algebra.sizes import ONE, Size
from symgrad.errors import SpecError
from symgrad.notation.names import shown
from symgrad.notation.resolve import Ranges
from symgrad.notation.scope import Scanned

Check = tuple[Size, str]
"""A size that has to be at least 0 on entry, and the message where it is not."""

MOST_ASSIGNMENTS = 200


def required(
    size: Size, message: str, error: SpecError, defaults: Mapping[str, int]
) -> tuple[Check, ...]:
    """size >= 0: nothing if it is proved, `error` if it is refuted, else a check for the entry."""
    if size.is_nonnegative():
        return ()
    if (-size - 1).is_nonnegative():
        raise error
    if size.names <= set(defaults) and size.evaluate(defaults) < 0:
        error.message += " (at the default sizes)"
        raise error
    return ((size, message),)


def at_least(size: Size, error: SpecError, defaults: Mapping[str, int]) -> tuple[Check, ...]:
    """size >= 0, said as `T must be at least 2` for T - 2."""
    return required(
        size, f"{bound_text(size)[0]} must be at least {bound_text(size)[1]}", error, defaults
    )


def bound_text(size: Size) -> tuple[Size, int]:
    """size >= 0 as (varying part, least value)."""
    constant = dict(size.terms).get((), 0)
    return size - constant, -constant


def essential(checks: Iterable[Check]) -> tuple[Check, ...]:
    """The checks that no other one implies, in an order that depends on them alone."""
    first: dict[Size, str] = {}
    for size, message in checks:
        first.setdefault(size, message)
    ordered = sorted(first, key=str)
    kept = [s for s in ordered if not any(o != s and (s - o).is_nonnegative() for o in ordered)]
    return tuple((size, first[size]) for size in kept)


def read_checks(
    equation: Equation, scanned: Scanned, tensors: Mapping[str, Tensor], defaults: Mapping[str, int]
) -> Iterator[Check]:
    """Every read and write that is not padded is in range over its box."""
    where = {access: at for at, access in reversed(list(scanned.access.items()))}
    for r in equation.box:
        error = scanned.statement.error(f"the range {r.lo} <= {r.index} < {r.hi} runs backwards")
        yield from required(
            r.count,
            f"the range {r.lo} <= {r.index} < {r.hi} must not run backwards",
            error,
            defaults,
        )
    for access in (equation.target, *equation.reads):
        if access.padded:
            continue
        at = where.get(access, scanned.statement.left.at)
        for axis, subscript in enumerate(access.subscripts):
            size = tensors[access.tensor].shape[axis]
            for least, what in _margins(subscript, size, equation.range_of, tensors):
                if least is None:
                    raise scanned.statement.error(
                        f"{access}: it cannot be shown that {subscript} stays in range", at
                    )
                if least.is_nonnegative():
                    continue  # the usual case, without the words for the other one
                message = f"{access} needs {what}"
                error = scanned.statement.error(_outside(access, axis, size, what, equation), at)
                yield from required(least, message, error, defaults)


def _margins(
    subscript: Affine | Access, size: Size, box: Mapping[str, Range], tensors: Mapping[str, Tensor]
) -> Iterator[tuple[Size | None, str]]:
    """What must be at least 0 for a subscript to stay inside its axis."""
    if isinstance(subscript, Access):
        below = tensors[subscript.tensor].below
        yield None if below is None else size - below, f"{below} <= {size}"
        return
    reach = bounds(subscript, box)
    if reach is None:
        yield None, ""
        return
    yield reach[0], f"0 <= {reach[0]}"
    yield size - 1 - reach[1], f"{reach[1]} < {size}"


def _outside(access: Access, axis: int, size: Size, what: str, equation: Equation) -> str:
    verb = "writes" if access == equation.target else "reads"
    where = f"axis {axis + 1} of {access.tensor}, which has size {size}"
    message = f"{access} {verb} outside {where}: {what} does not hold"
    if isinstance(access.subscripts[axis], Access):
        return f"{message}; its bound is that of the int tensor's declaration"
    subscript = access.subscripts[axis]
    if isinstance(subscript, Affine) and not subscript.terms and "0 <= " in what:
        return f"{message}; places count from 0, and the last one is {size - 1}"
    if verb == "reads" and access.tensor == equation.target.tensor:
        begin = (
            "write the first place by itself, as h[0] = ..., and the others as h[t+1] = ... h[t]"
        )
        return f"{message}; {begin}"
    pad = f"pad({access.tensor}[...]), which reads 0 outside"
    return f"{message}; narrow the range with `for{_narrower(subscript, size)}`, or write {pad}"


def _narrower(subscript: Affine | Access, size: Size) -> str:
    """` t < T-1`: the range in which t+1 stays inside."""
    if not isinstance(subscript, Affine) or [c for _, c in subscript.terms] != [ONE]:
        return ""
    index, shift = subscript.terms[0][0], subscript.offset
    return (
        f" {index} < {size - shift}" if shift.is_nonnegative() else f" {-shift} <= {index} < {size}"
    )


def check_assignments(scanned: Sequence[Scanned], ranges: Sequence[Ranges]) -> None:
    """No place is assigned twice with `=`, within one equation or by two."""
    assigned: dict[str, list[tuple[Scanned, Mapping[str, Range]]]] = {}
    for one, own in zip(scanned, ranges, strict=True):
        if not one.statement.adds:
            box: Mapping[str, Range] = {i: Range(i, *own[i]) for i in one.outer}
            _check_injective(one, box)
            assigned.setdefault(one.target.tensor, []).append((one, box))
    for name, writers in assigned.items():
        if len(writers) > MOST_ASSIGNMENTS:
            raise writers[-1][0].statement.error(
                f"more than {MOST_ASSIGNMENTS} equations assign {shown(name)}; use an index"
            )
        for (first, box), (second, other) in combinations(writers, 2):
            if not _disjoint(first.target, box, second.target, other):
                line = first.statement.source.place(first.statement.left.at).line
                raise second.statement.error(
                    f"{second.target} is assigned twice: as {first.target} in line {line} too; "
                    "give a new value a new name, write += to add to it, or write to other places"
                )


def check_scatters(scanned: Scanned) -> None:
    """With =, no place is chosen by data: two points may choose the same one."""
    scatter = next(scanned.target.gathers(), None)
    if scatter is not None and not scanned.statement.adds:
        raise _twice(scanned, f"{scatter} may repeat")


def _check_injective(scanned: Scanned, box: Mapping[str, Range]) -> None:
    """With =, each index is fixed by the place: a subscript holds it and indices already fixed.

    One that counts several, 12*c + 4*u + v where u < 3 and v < 4, fixes all of them.
    """
    subscripts = [s for s in scanned.target.subscripts if isinstance(s, Affine)]
    known = {i for s in subscripts for i in digits(s, box) or ()}
    for _ in subscripts:
        for subscript in subscripts:
            unknown = subscript.indices - known
            if len(unknown) == 1:
                known |= unknown
    if not known >= set(scanned.outer):
        raise _twice(scanned, "two points may share a place")


def _twice(scanned: Scanned, why: str) -> SpecError:
    return scanned.statement.error(
        f"{scanned.target} = ... may assign a place twice ({why}); write += to add all of them up"
    )


def _disjoint(a: Access, a_box: Mapping[str, Range], b: Access, b_box: Mapping[str, Range]) -> bool:
    """Provably no common place: on some axis one lies below the other, or their steps interlock."""
    for x, y in zip(a.subscripts, b.subscripts, strict=True):
        if not isinstance(x, Affine) or not isinstance(y, Affine):
            continue
        p, q = bounds(x, a_box), bounds(y, b_box)
        if p and q and ((q[0] - p[1]).is_positive() or (p[0] - q[1]).is_positive()):
            return True
        steps = [c.constant for _, c in (*x.terms, *y.terms)]
        gap = (x.offset - y.offset).constant
        if (
            gap
            and None not in steps
            and (step := gcd(*(s for s in steps if s is not None)))
            and gap % step
        ):
            return True
    return False
