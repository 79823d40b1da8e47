"""Lines of at most 100 columns."""

from __future__ import annotations

WIDTH = 100


def wrapped_call(line: str, indent: int) -> list[str]:
    """The line at its indent; a call that is too long gets one argument a line."""
    text = " " * indent + line
    if len(text) <= WIDTH or line.startswith("#"):
        return [text]
    opening = line.find("(")
    if opening < 0 or not line.endswith(")"):
        return [text]
    pieces = split_arguments(line[opening + 1 : -1])
    inner = [" " * (indent + 4) + piece + "," for piece in pieces]
    if len(pieces) == 1:
        inner = [piece.removesuffix(",") for piece in inner]
    return [" " * indent + line[: opening + 1], *inner, " " * indent + ")"]


def split_arguments(text: str) -> list[str]:
    """Split at the commas outside of all brackets."""
    pieces, depth, start = [], 0, 0
    for n, character in enumerate(text):
        depth += character in "([{"
        depth -= character in ")]}"
        if character == "," and depth == 0:
            pieces.append(text[start:n].strip())
            start = n + 1
    return [*pieces, text[start:].strip()]
