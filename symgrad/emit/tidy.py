"""Code without names that nothing reads: `dW = np.matmul(..., out=grads.W)` needs no dW."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

BINDING = re.compile(r"(\s*)([A-Za-z]\w*) = (.*)")
PLACE = re.compile(r"(ws|grads)\.\w+")


def without_unread(lines: Sequence[str], later: Sequence[str]) -> list[str]:
    """The lines, each binding taken off if neither they nor `later` name it again."""
    kept = list(lines)
    while True:
        seen = Counter(word for line in (*kept, *later) for word in _words(line))
        tidied = [t for line in kept if (t := _unbound(line, seen)) is not None]
        if tidied == kept:
            return kept
        kept = tidied


def _unbound(line: str, seen: Counter[str]) -> str | None:
    """The line as it is, or what is left of it without its name: nothing, where it only names."""
    match = BINDING.fullmatch(line)
    if match is None or seen[match[2]] > 1:
        return line
    return None if PLACE.fullmatch(match[3]) else match[1] + match[3]


def _words(line: str) -> list[str]:
    """Names of their own: those after a dot are attributes."""
    return re.findall(r"(?<![.\w])[A-Za-z_]\w*", line.partition("#")[0])
