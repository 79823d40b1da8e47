"""Strings, tuples, shapes and sizes as Python text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

from symgrad.algebra.sizes import Size
from symgrad.emit.layout import WIDTH


def quoted(text: str) -> str:
    """An ASCII string literal."""
    return json.dumps(text)


def literal(text: str, indent: int = 0) -> str:
    """A long text as one string literal: raw and triple-quoted where that can hold it.

    indent: how many characters stand before it in its line.
    """
    if "'''" in text or text.endswith(("'", "\\")) or not text.isascii():
        return ascii(text)
    made = f"r'''{text}'''"
    wide = any(len(line) > WIDTH for line in f"{' ' * indent}{made}".splitlines())
    return made + ("  # noqa: E501" if wide else "")


def tuple_text(items: Iterable[str]) -> str:
    """(a, b), or (a,) of one."""
    listed = list(items)
    return "(" + ", ".join(listed) + ("," if len(listed) == 1 else "") + ")"


def dict_text(items: Iterable[tuple[str, object]]) -> str:
    return "{" + ", ".join(f"{quoted(key)}: {value}" for key, value in items) + "}"


def size_expression(size: Size) -> str:
    """A size with room around its operators: 4 * H + 2."""
    return re.sub(r"(//|\*|\+|(?<=[\w)])-)", r" \1 ", str(size))


def keywords(names: Iterable[str]) -> str:
    """`, B=B, H=H`: sizes handed on by name."""
    return "".join(f", {name}={name}" for name in names)


def raising(kind: str, message: str) -> list[str]:
    """`raise kind(message)`, the message over as many lines as it takes."""
    line = f"raise {kind}({quoted(message)})"
    if len(line) <= WIDTH - 8:
        return [line]
    pieces = re.findall(r".{1,70}(?:\s|$)|\S+", message)
    return [f"raise {kind}(", *(f"    {quoted(p)}" for p in pieces), ")"]


def camel(name: str) -> str:
    """value_and_grad -> ValueAndGrad."""
    return "".join(word[:1].upper() + word[1:] for word in name.split("_"))
