"""A TOML text as data, with the place of each key and the source of each string."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from symgrad.errors import Place, SpecError, did_you_mean
from symgrad.notation import hints, toml_hints
from symgrad.notation.lexer import FILE_CAP
from symgrad.notation.names import shown
from symgrad.notation.syntax import Source
from symgrad.notation.toml_strings import strings_in_list

Path = tuple[str, ...]
DEEPEST = 50

_HEADER = re.compile(r"[ \t]*\[\[?([^\]\n]*)\]")
_ONE = r"""(?:[\w\-]+|"[^"\n]*"|'[^'\n]*')"""
_KEY = re.compile(rf"[ \t]*({_ONE}(?:[ \t]*\.[ \t]*{_ONE})*)[ \t]*=[ \t]*")
_PART = re.compile(r"""[\w\-]+|"[^"\n]*"|'[^'\n]*'""")
_LONG_KEY = re.compile(r"""(?:\.\s*(?:[A-Za-z_][\w\-]*|\w+|"[^"\n]*"|'[^'\n]*')\s*){50}""")
_WHERE = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")
_TYPES = {
    str: "a string",
    int: "a whole number",
    list: "a list of names",
    dict: "a table",
    bool: "true or false",
}


@dataclass(frozen=True)
class Document:
    """data: what tomllib read; keys, values: where each begins; text_read: what it was."""

    file: str | None
    data: Mapping[str, Any]
    keys: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    values: Mapping[Path, tuple[int, int]] = field(default_factory=dict)
    text_read: str = ""

    def place(self, *path: str) -> Place:
        """Where a key stands, or the nearest table around it."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.keys:
                return Place(self.file, *self.keys[path[:length]])
        return Place(self.file)

    def error(self, message: str, *path: str) -> SpecError:
        return SpecError(message, self.place(*path))

    def source(self, text: str, *path: str) -> Source:
        """The text of a string, at its place."""
        line, column = self.values.get(path, (1, 1))
        return Source(text, self.file, line, column)

    def strings(self, *path: str) -> Iterator[Source]:
        """An empty source at the place of each string of a list, in the order of the text."""
        places: Iterable[tuple[int, int]] = ()
        if path in self.values:
            places = strings_in_list(self.text_read, *self.values[path])
        yield from (Source("", self.file, line, column) for line, column in places)

    def table(self, *path: str) -> dict[str, Any]:
        return dict(self.typed(dict, *path) or {})

    def text(self, *path: str) -> str | None:
        found: str | None = self.typed(str, *path)
        return found

    def names(self, *path: str) -> tuple[str, ...] | None:
        """A list of names without repetition."""
        found = self.typed(list, *path)
        if found is None:
            return None
        for name in found:
            if not isinstance(name, str):
                raise self.error(f"{path[-1]} is a list of names, and {_short(name)} came", *path)
            if found.count(name) > 1:
                raise self.error(f"{path[-1]} names {shown(name)} twice", *path)
        return tuple(found)

    def typed(self, kind: type, *path: str) -> Any:
        """The value at a path, None where there is none."""
        value: Any = self.data
        for part in path:
            if part not in value:
                return None
            value = value[part]
        if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
            form = hints.form(path)
            raise self.error(
                f"{shown(path[-1])} is {_TYPES[kind]}{form}, and {_short(value)} came", *path
            )
        return value

    def only(self, known: Iterable[str], *path: str) -> None:
        """Errors for a key that nothing reads."""
        known = list(known)
        table = self.table(*path) if path else self.data
        for key in table:
            moved = "" if path else hints.misplaced(key, table[key], key in known)
            if moved:
                raise self.error(moved, key)
            if key not in known:
                hint = ("" if path else hints.section(key)) or did_you_mean(key, known)
                raise self.error(f"unknown key {shown(key)}{hint}", *path, key)


def _short(value: object) -> str:
    text = "a section" if isinstance(value, Mapping) else ascii(value)
    return text if len(text) < 40 else f"{text[:36]}..."


def read(text: str, file: str | None = None) -> Document:
    """Errors: SpecError for a text that is too long or is not TOML."""
    if len(text) > FILE_CAP or len(text.encode("utf-8", "surrogatepass")) > FILE_CAP:
        raise SpecError(
            f"more than {FILE_CAP // 1024} kB; a spec has at most {FILE_CAP // 1024} kB",
            Place(file),
        )
    if found := _LONG_KEY.search(text):
        raise SpecError(
            "a key of more than 50 parts", Place(file, text.count("\n", 0, found.start()) + 1)
        )
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise _not_toml(str(error), text, file) from None
    except (RecursionError, ValueError, OverflowError):
        raise SpecError(
            "not TOML that can be read: nested too deeply or a number too long", Place(file)
        ) from None
    text = text.replace("\r\n", "\n")
    return Document(file, data, *_places(text), text)


def given(data: Mapping[str, object]) -> Document:
    """A document of Python objects: strings, numbers, bools, and lists and dicts of them."""
    plain = _plain(data, 0)
    return Document(None, cast(Mapping[str, Any], plain))


def _plain(value: object, depth: int) -> object:
    """The value as TOML would give it."""
    if depth > DEEPEST:
        raise SpecError(f"objects nested more than {DEEPEST} deep")
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise SpecError(f"a key is a string, and {_short(key)} came")
        return {key: _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, str | int | float):
        return value
    raise SpecError(
        f"a spec is made of strings, numbers, lists and dicts, and {_short(value)} came"
    )


def _not_toml(message: str, text: str, file: str | None) -> SpecError:
    where = _WHERE.search(message)
    line, column = text.count("\n") + 1, 1
    if text.count('"""') % 2:  # nothing closes the last of them
        at = text.rindex('"""')
        line, column = text.count("\n", 0, at) + 1, at - text.rfind("\n", 0, at)
    elif where and where[1]:
        line, column = int(where[1]), int(where[2])
    what = message[: where.start()] if where else message
    what = what[:1].lower() + what[1:200].encode("ascii", "backslashreplace").decode()
    what = what.replace("\n", " ")
    lines = text.split("\n")
    hint = toml_hints.hint(lines[line - 1] if line <= len(lines) else "", column, what)
    return SpecError(f"not TOML: {what}{hint}", Place(file, line, column))


def _places(text: str) -> tuple[dict[Path, tuple[int, int]], dict[Path, tuple[int, int]]]:
    """Where keys and values begin: line and column, counted from 1."""
    keys: dict[Path, tuple[int, int]] = {}
    values: dict[Path, tuple[int, int]] = {}
    table: Path = ()
    at, line = 0, 1
    while at < len(text):
        end = text.find("\n", at)
        end = len(text) if end < 0 else end
        header = _HEADER.match(text, at, end)
        found = None if header else _KEY.match(text, at, end)
        if header:
            table = _parts(header[1])
            for length in range(1, len(table) + 1):
                keys.setdefault(table[:length], (line, 1 + text[at:end].index("[")))
        elif found:
            path = (*table, *_parts(found[1]))
            keys.setdefault(path, (line, 1 + found.start(1) - at))
            start, end = _value(text, found.end(), end)
            lines = text.count("\n", found.end(), start)
            values.setdefault(path, (line + lines, 1 if lines else 1 + start - at))
        line += text.count("\n", at, end + 1)
        at = end + 1
    return keys, values


def _value(text: str, at: int, end: int) -> tuple[int, int]:
    """Where a string's first character is, and the end of the line on which the value ends."""
    quote = text[at : at + 3]
    if quote not in ('"""', "'''"):
        return at + (text[at : at + 1] in ("'", '"')), end
    close = text.find(quote, at + 3)
    stop = text.find("\n", close if close >= 0 else at)
    start = at + 3 + (text[at + 3 : at + 4] == "\n")
    return start, len(text) if stop < 0 or close < 0 else stop


def _parts(dotted: str) -> Path:
    return tuple(part.strip("\"'") for part in _PART.findall(dotted))
