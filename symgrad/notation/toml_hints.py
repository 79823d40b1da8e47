"""What to write where a text is no TOML, or holds what no spec does: rows, tried in order."""

from __future__ import annotations

import re

from symgrad.notation import hints

QUOTED = 'a text stands in quotes: {0} = "..."; equations stand between two lines of """'

LINES: tuple[tuple[str, str], ...] = (
    (r"(\w+)\s*=\s*((?:real|int|bool)\b[^\"#]*)", 'declarations are strings: {0} = "{1}"'),
    (r"(outputs|aux|wrt|require|with)\s*=\s*\[?\s*(\w+).*", 'names stand in a list: {0} = ["{1}"]'),
    (r"equations\s*=\s*\"(?!\")[^\"]*", 'several lines stand between two lines of """'),
    (r"equations\s*=\s*[^\"'\s].*", 'equations are a string, between two lines of """'),
    (r"(layers)\s*=\s*\[?[^\"']*", 'each layer is a text: {0} = ["dense 64 tanh", "dense 2"]'),
    (r"(loss)\s*=\s*(\w+\([^\[\]:\"]*\))", 'a text stands in quotes: {0} = "{1}"'),
    (
        r"(description|source|input|copy_of)\s*=\s*([^\"'\s].*)",
        'a text stands in quotes: {0} = "{1}"',
    ),
    (r"\w+\s*=\s*(True|False)\b.*", "TOML writes true and false"),
    (r"\w+\s*=\s*(None|null|nil)\b.*", 'a size without a default is described: B = "batch"'),
    (r"(\w+)\s*=\s*([A-Za-z_][\w ]*)", 'a text stands in quotes: {0} = "{1}"'),
    (r"(\w+)\s*=\s*([\w\s()+*/-]+)", 'an expression of sizes is a string: {0} = "{1}"'),
    (r"([\w\[\],]+)\s*\+?=\s*[^\"'].*", QUOTED),
    (r"\[\[?\w[^\]]*", "a section's name stands between [ and ]"),
    (r"[\w.]+\s*:.*", "TOML writes name = value, and sections as [params]"),
    (r"\{.*", "this looks like JSON; a spec is TOML: name = value, and sections as [params]"),
    (r"(import|from|def)\b.*", "this looks like Python; a spec is TOML"),
)
"""By the line that the error points at, whole; {0} and {1} are what the pattern captured."""

MESSAGES: tuple[tuple[str, str], ...] = (
    (r"cannot overwrite a value", "a name is given twice"),
    (r"cannot declare .* twice", "a section stands twice; put its lines together"),
    (r"unterminated string", "this quote is never closed"),
    (r"unescaped '\\' in a string", "names are plain, and no LaTeX: sum(i: x[i])"),
    (r"illegal character", 'a quote ends on its line; several lines stand between two of """'),
)
"""By what the TOML reader says."""


NAME = "; a name is a letter, then letters, digits and _"


def hint(line: str, column: int, message: str) -> str:
    """`; declarations are strings: ...` for a line that is not TOML; "" where nothing is known."""
    for pattern, text in MESSAGES:
        if re.match(pattern, message):
            return f"; {text}"
    stray = next((c for c in line[column - 1 : column] if not c.isascii()), "")
    if stray:
        return f"; {stray!a}{hints.character(stray)}"
    for pattern, text in LINES:
        found = re.fullmatch(rf"\s*{pattern}\s*(?:#.*)?", line)
        if found and line.isascii() and len(line) < 200:
            return "; " + text.format(*(str(part).strip() for part in found.groups()))
    return NAME if message.startswith("expected '=' after a key") else ""
