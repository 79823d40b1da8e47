"""Why equations wait for each other's sizes for ever, where a missing `for` is not the cause."""

from __future__ import annotations

from collections.abc import Sequence

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.order import components
from symgrad.notation.scope import Scanned

NEED = "these equations need one another"


def check_whole_assignments(stuck: Sequence[Scanned]) -> None:
    """No tensor is assigned as a whole by two equations, y[i] = ... and y[j] = ..."""
    first: dict[str, Scanned] = {}
    for one in stuck:
        if one.statement.adds or one.fixed or not _whole(one.target):
            continue
        before = first.setdefault(one.target.tensor, one)
        if before is not one:
            line = before.statement.source.place(before.statement.left.at).line
            raise one.statement.error(
                f"{one.target} is assigned twice: as {before.target} in line {line} too; "
                "give a new value a new name, or write += to add to it"
            )


def check_unshifted(stuck: Sequence[Scanned]) -> None:
    """No equations need one another at the same place, whatever its range: h[b] = ... h[b] ..."""
    needs = [
        tuple(
            n for n, writer in enumerate(stuck) if _whole(writer.target) and _reads(reader, writer)
        )
        for reader in stuck
    ]
    for group in components(needs):
        if len(group) > 1 or group[0] in needs[group[0]]:
            cycle = [stuck[n] for n in sorted(group)]
            shown = " -> ".join(str(one.target) for one in cycle)
            what = "this equation needs itself" if len(cycle) == 1 else NEED
            raise cycle[0].statement.error(
                f"{shown}: {what} without a shift; give a new value a new name, "
                "or read an earlier place, as in h[t+1] = ... h[t] ..."
            )


def _reads(reader: Scanned, writer: Scanned) -> bool:
    """A read, beside the left side itself, that is the writer's target as a whole."""
    return any(
        a.tensor == writer.target.tensor and _whole(a)
        for at, a in reader.access.items()
        if at != reader.statement.left.at
    )


def _whole(access: Access) -> bool:
    """Plain indices alone, each once: every place."""
    plain = [s.plain if isinstance(s, Affine) else None for s in access.subscripts]
    return not access.padded and None not in plain and len(set(plain)) == len(plain)
