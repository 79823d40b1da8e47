"""Lines of at most 100 columns, broken at brackets as a formatter breaks them."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

WIDTH = 100
OPENING, CLOSING = "([{", ")]}"
OPERATORS = ((" if ", " else "), (" and ", " or "), (" + ", " - "), (" * ", " / "))
"""Where a long expression is broken: at the first row that it has."""


def wrapped_call(line: str, indent: int) -> list[str]:
    """The line at its indent: its longest bracket opened up where it is too long."""
    text = " " * indent + line
    if len(text) <= WIDTH or line.startswith("#"):
        return [text]
    group = _widest(line)
    if group is None or group[1] - group[0] < 2:
        return _bracketed(line, indent) or [text]
    start, end = group
    head, inside, tail = line[: start + 1], line[start + 1 : end], line[end:]
    deeper = " " * (indent + 4)
    if len(deeper + inside) <= WIDTH and not inside.endswith(","):
        body = [deeper + inside]
    else:
        body = _listed(inside, indent + 4)
    return [" " * indent + head, *body, *_tail(tail, indent)]


def _tail(tail: str, indent: int) -> list[str]:
    """What follows a bracket, at the bracket's own indent."""
    return wrapped_call(tail, indent) if len(tail) + indent > WIDTH else [" " * indent + tail]


def _listed(inside: str, indent: int) -> list[str]:
    """One argument a line, each with its comma; a lone one keeps none, unless it makes a tuple."""
    pieces = [p for p in split_arguments(inside) if p]
    comma = "," if len(pieces) > 1 or inside.endswith(",") else ""
    lines: list[str] = []
    for piece in pieces:
        lines += wrapped_call(piece, indent)
        lines[-1] += comma
    return lines


def _bracketed(line: str, indent: int) -> list[str]:
    """name = a + b + c, broken before its operators; nothing where it is no such line."""
    for sign in (" += ", " -= ", " = "):
        name, found, value = line.partition(sign)
        if found and "(" not in name:
            terms = list(_terms(value))
            inner = [" " * (indent + 4) + term for term in terms]
            return [" " * indent + f"{name}{sign}(", *inner, " " * indent + ")"]
    return []


def _terms(value: str) -> Iterator[str]:
    """An expression's terms, each with the operator before it."""
    outside = [n for n, depth in enumerate(_depths(value)) if depth == 0 and n]
    start = 0
    for row in OPERATORS:
        if places := [n for n in outside if value.startswith(row, n)]:
            for n in places:
                yield value[start:n].strip()
                start = n
            break
    yield value[start:].strip()


def _widest(line: str) -> tuple[int, int] | None:
    """Where the longest bracket that no other holds begins and ends."""
    best: tuple[int, int] | None = None
    start, before = 0, 0
    for n, depth in enumerate(_depths(line)):
        if depth == 1 and before == 0:
            start = n
        if depth == 0 and before == 1 and (best is None or n - start > best[1] - best[0]):
            best = (start, n)
        before = depth
    return best


def _depths(text: str) -> Iterator[int]:
    """For each character, how many brackets are open after it; inside a string, 1000 more."""
    depth, quote = 0, ""
    for character in text:
        if quote:
            quote = "" if character == quote else quote
        elif character in "\"'":
            quote = character
        else:
            depth += (character in OPENING) - (character in CLOSING)
        yield depth + 1000 * bool(quote)


def split_arguments(text: str) -> list[str]:
    """Split at the commas outside of all brackets and strings."""
    pieces, start = [], 0
    for n, depth in enumerate(_depths(text)):
        if text[n] == "," and depth == 0:
            pieces.append(text[start:n].strip())
            start = n + 1
    return [*pieces, text[start:].strip()]


def code(line: str, indent: int) -> list[str]:
    """A line with an indent of its own, set deeper by `indent`."""
    lead = len(line) - len(line.lstrip())
    return wrapped_call(line.lstrip(), indent + lead)


def assigned(names: Sequence[str], values: Sequence[str], indent: int) -> list[str]:
    """a, b = x, y: as many on a line as fit at that indent."""
    lines: list[str] = []
    start = 0
    for end in range(1, len(names) + 1):
        line = f"{', '.join(names[start:end])} = {', '.join(values[start:end])}"
        if end - start > 1 and len(line) > WIDTH - indent:
            start = end - 1
            line = f"{names[start]} = {values[start]}"
        else:
            lines = lines[:-1] if end - start > 1 else lines
        lines.append(line)
    return lines


def is_call(text: str) -> bool:
    """Whether it is `f(...)` and no more."""
    depths = list(_depths(text))
    return text.endswith(")") and text.find("(") > 0 and 0 not in depths[text.find("(") : -1]


def prose(text: str, lead: str = "", hanging: str = "", width: int = WIDTH) -> list[str]:
    """Words over lines that end within the width; those after the first hang."""
    return textwrap.wrap(
        text,
        width,
        initial_indent=lead,
        subsequent_indent=lead + hanging,
        break_long_words=False,
        break_on_hyphens=False,
    )
