"""The one template environment: layout over ready strings, and nothing undefined."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from symgrad.emit.templates_dir import templates_dir


@cache
def environment(backend: str) -> Environment:
    return Environment(
        loader=FileSystemLoader(templates_dir() / backend),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,
    )


def render(backend: str, template: str, context: Mapping[str, object]) -> str:
    """The text of a template over strings."""
    return environment(backend).get_template(template).render(context)


def helper(backend: str, name: str) -> str:
    """The source of a helper function that emitted modules may hold."""
    return (
        (templates_dir() / backend / "helpers" / f"{name}.py").read_text(encoding="utf-8").strip()
    )


def helper_names(backend: str) -> tuple[str, ...]:
    """Every helper there is; each file is named after the function that it holds."""
    return tuple(sorted(p.stem for p in (templates_dir() / backend / "helpers").glob("_*.py")))


def helpers_for(backend: str, text: str) -> list[str]:
    """The sources of the helpers that a text names, and of those that these name, by name."""
    sources = {name: helper(backend, name) for name in helper_names(backend)}
    found: dict[str, str] = {}
    waiting = [text]
    while waiting:
        words = set(re.findall(r"\w+", waiting.pop()))
        for name in sorted(words & sources.keys() - found.keys()):
            found[name] = sources[name]
            waiting.append(sources[name])
    return [found[name] for name in sorted(found)]
