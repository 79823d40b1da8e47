"""Where the strings of a list begin: TOML's reader keeps no places."""

from __future__ import annotations

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r'#[^\n]*|"""(?:[^"\\]|\\.|"(?!""))*"""|\'\'\'.*?\'\'\'|"(?:[^"\\\n]|\\.)*"|\'[^\'\n]*\'|[\[\]]',
    re.DOTALL,
)
_KEY = re.compile(r"[ \t]*[=.]")


def strings_in_list(text: str, line: int, column: int) -> Iterator[tuple[int, int]]:
    """Line and column of each string's first character, in the list that begins at a place."""
    at = 0
    for _ in range(line - 1):
        at = text.index("\n", at) + 1
    at += column - 1
    depth = 0
    for found in _TOKEN.finditer(text, at):
        token = found[0]
        if token in "[]":
            depth += 1 if token == "[" else -1
            if depth == 0:
                return
        elif token[0] in "\"'" and not _KEY.match(text, found.end()):
            start = found.start() + (3 if token[:3] in ('"""', "'''") else 1)
            before = text.rfind("\n", 0, start)
            yield text.count("\n", 0, start) + 1, start - before
