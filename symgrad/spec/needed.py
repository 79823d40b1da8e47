"""What no loss and no output is computed from: an error for a network, a note for anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

from symgrad.algebra.live import drop_dead
from symgrad.notation.names import shown
from symgrad.notation.sections import Sections
from symgrad.notation.syntax import Statement
from symgrad.spec.losses import Shared
from symgrad.spec.model import Loss

Unneeded = tuple[tuple[str, str], ...]
"""Each name with its note: `mine.toml:15:1: "rett" in [data]: nothing is computed from it`."""

WORD = re.compile(r"[A-Za-z_]\w*")
COMMENT = re.compile(r"#.*")
SAID = ("description", "source", "values")
"""Keys of the head whose texts are for people, or hold numbers alone."""


def needed(shared: Shared, losses: Sequence[Loss], results: Sequence[str]) -> frozenset[str]:
    """Every tensor that the losses and the results are computed from, themselves included."""
    programs = [replace(n.program, outputs=(*n.program.outputs, *results)) for n in losses]
    if not losses:
        programs = [shared.program(shared.found, (*results, *shared.networks))]
    equations = (e for program in programs for e in drop_dead(program).equations)
    return frozenset(results).union(a.tensor for e in equations for a in (e.target, *e.reads))


def check_networks_needed(shared: Shared, found: frozenset[str]) -> None:
    """Each network is in some loss, or in outputs or aux."""
    owned = dict(shared.expanded.owned)
    for name, network in shared.networks.items():
        if found.isdisjoint({name, *owned.get(name, ())}):
            raise network.source.error(
                "no loss reads it; if it is meant to be there, name it in outputs", 0
            )


def unneeded(shared: Shared, sections: Sections, found: frozenset[str]) -> Unneeded:
    """What is declared or computed for nothing, most often for a slip: names with their notes."""
    return (*_declared(shared, sections, found), *_computed(shared, found))


def _declared(
    shared: Shared, sections: Sections, found: frozenset[str]
) -> Iterator[tuple[str, str]]:
    document = shared.document
    told = {key: value for key, value in document.data.items() if key not in SAID}
    told["sizes"] = [v for n, v in document.table("sizes").items() if n not in dict(sections.notes)]
    words = {word for text in _texts(told) for word in WORD.findall(COMMENT.sub("", text))}
    places = {name: ("data", name) for name in document.table("data")} | dict(sections.places)
    places = {name: path for name, path in places.items() if name not in found}
    for section in ("functions", "sizes"):
        unread = [name for name in document.table(section) if name not in words]
        places |= {name: (section, name) for name in unread}
    for name, path in places.items():
        where = f"{document.place(*path)}: " if document.keys else ""
        what = f"{shown(path[-1])} in [{'.'.join(path[:-1])}]"
        yield name, f"{where}{what}: nothing is computed from it"


def _computed(shared: Shared, found: frozenset[str]) -> Iterator[tuple[str, str]]:
    """What the user's own equations define."""
    own = (s for statements in shared.expanded.own.values() for s in statements)
    every: dict[str, Statement] = {}
    for statement in (*shared.expanded.shared, *own):
        if not statement.origin and statement.left.name not in found:
            every.setdefault(statement.left.name, statement)
    for name, statement in every.items():
        note = statement.error(f"{shown(name)} is computed, and nothing is computed from it")
        yield name, str(note)


def _texts(value: object) -> Iterator[str]:
    """Every text in a spec's data."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _texts(one)
