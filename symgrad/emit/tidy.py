"""Lines of code, tidied: nothing is named that nothing reads, and what can be is said at once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from symgrad.emit.layout import WIDTH, assigned, is_call

BINDING = re.compile(r"(\s*)([A-Za-z]\w*) = (.*)")
PLACE = re.compile(r"(ws|grads)(\.\w+)+")
TOTAL = ("np.sum(", "np.dot(")


def tidied(lines: Sequence[str], later: Sequence[str]) -> list[str]:
    """The lines of a function, before those in `later`."""
    return _together(_at_once(without_unread(lines, later), later))


def without_unread(lines: Sequence[str], later: Sequence[str]) -> list[str]:
    """`dW = np.matmul(..., out=grads.W)` needs no dW if neither the lines nor `later` name it."""
    kept = list(lines)
    while True:
        seen = _counted((*kept, *later))
        read = [t for line in kept if (t := _unbound(line, seen)) is not None]
        if read == kept:
            return kept
        kept = read


def _unbound(line: str, seen: Counter[str]) -> str | None:
    """The line as it is, or what is left of it without its name: nothing, where it only names."""
    match = BINDING.fullmatch(line)
    if match is None or seen[match[2]] > 1:
        return line
    return None if PLACE.fullmatch(match[3]) else match[1] + match[3]


def _at_once(lines: Sequence[str], later: Sequence[str]) -> list[str]:
    """s = np.sum(t); loss = s / B  ->  loss = np.sum(t) / B, where nothing else reads s."""
    seen = _counted((*lines, *later))
    kept: list[str] = []
    for line in lines:
        match = BINDING.fullmatch(kept[-1]) if kept else None
        if match and seen[match[2]] == 2 and match[2] in _words(line) and _is_total(match[3]):
            head, _, rest = re.split(rf"(?<![.\w])({match[2]})\b", line)
            if "=" in head and len(head + match[3] + rest) <= WIDTH:
                kept[-1] = head + match[3] + rest
                continue
        kept.append(line)
    return kept


def _is_total(text: str) -> bool:
    return text.startswith(TOTAL) and is_call(text)


def _together(lines: Sequence[str]) -> list[str]:
    """x = ws.x; y = ws.y  ->  x, y = ws.x, ws.y."""
    kept: list[str] = []
    for lead, run in groupby(lines, _lead_of_place):
        found = list(run)
        if lead is not None and len(found) > 1:
            names, places = zip(*(line.strip().split(" = ") for line in found), strict=True)
            found = [lead + line for line in assigned(names, places, len(lead))]
        kept += found
    return kept


def _lead_of_place(line: str) -> str | None:
    """The white space before `x = ws.x`, of a line that does no more than that."""
    match = BINDING.fullmatch(line)
    return match[1] if match and PLACE.fullmatch(match[3]) else None


def _counted(lines: Sequence[str]) -> Counter[str]:
    return Counter(word for line in lines for word in _words(line))


def _words(line: str) -> list[str]:
    """Names of their own: those after a dot are attributes."""
    return re.findall(r"(?<![.\w])[A-Za-z_]\w*", line.partition("#")[0])
