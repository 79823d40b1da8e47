"""Which names a user may give, and why the others are refused."""

from __future__ import annotations

import keyword
import re

from symgrad.algebra.scalars import FUNCTIONS
from symgrad.notation.operators import REDUCTIONS

FORM = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
LONGEST = 64

WORDS = (
    "PI",
    "inf",
    "for",
    "pad",
    "where",
    "stop",
    "and",
    "or",
    "not",
    "real",
    "int",
    "bool",
    "init",
)
"""Words of the notation that are not functions of the table."""

BUILTINS = (
    "abs", "aiter", "all", "anext", "any", "ascii", "bin", "bool", "breakpoint", "bytearray",
    "bytes", "callable", "chr", "classmethod", "compile", "complex", "copyright", "credits",
    "delattr", "dict", "dir",
    "divmod", "enumerate", "eval", "exec", "exit", "filter", "float", "format", "frozenset",
    "getattr", "globals", "hasattr", "hash", "help", "hex", "id", "input", "int", "isinstance",
    "issubclass", "iter", "len", "license", "list", "locals", "map", "max", "memoryview", "min",
    "next", "object", "oct", "open", "ord", "pow", "print", "property", "quit", "range", "repr",
    "reversed", "round", "set", "setattr", "slice", "sorted", "staticmethod", "str", "sum", "super",
    "tuple", "type", "vars", "zip", "Ellipsis", "NotImplemented",
)  # fmt: skip

MODULE = (
    "np", "numpy", "params", "grads", "workspace", "ws", "rng", "flat", "dtype", "out", "self",
    "cls", "init", "forward", "value_and_grad", "save", "load", "Params", "Workspace",
    "load_state_dict", "annotations", "file", "allow_pickle",
)  # fmt: skip
"""Names that a generated module gives to things of its own, or passes by keyword (np.savez takes
the last two); those in capitals are in CONSTANTS."""

CONSTANTS = (
    "PARAMETERS", "INPUTS", "OUTPUTS", "SIZES", "BRANCHES", "OPERATIONS", "VERSION", "SPEC",
    "SPEC_HASH", "LAYERS",
)  # fmt: skip

_REASONS = (
    (frozenset(keyword.kwlist), "is a Python keyword"),
    (frozenset(FUNCTIONS), "is a function of the notation"),
    (frozenset(REDUCTIONS), "is a reduction of the notation"),
    (frozenset(WORDS), "is a word of the notation"),
    (frozenset(BUILTINS), "is a Python builtin"),
    (frozenset((*MODULE, *CONSTANTS)), "is a name that the generated module uses itself"),
)


def fault_of(name: str) -> str | None:
    """Why no tensor, size, function, index or loss can have this name; None if it can."""
    if not name.isascii():
        return "is not ASCII; a name is a letter, then letters, digits and _"
    if name.startswith("_"):
        return "begins with an underscore; a name begins with a letter"
    if not FORM.fullmatch(name):
        return "is not a name: a letter, then letters, digits and _"
    if "__" in name:
        return "holds two underscores in a row, which are reserved"
    if len(name) > LONGEST:
        return f"has {len(name)} characters; at most {LONGEST} are allowed"
    if name.endswith(("Error", "Exception", "Warning")) and name[0].isupper():
        return "looks like a Python exception; choose another name"
    for names, reason in _REASONS:
        if name in names:
            return f"{reason}; choose another name"
    return None


def shown(name: str) -> str:
    """A name in a message: printable, ASCII and short."""
    text = ascii(name)[1:-1]
    return f'"{text[:60]}..."' if len(text) > 63 else f'"{text}"'
