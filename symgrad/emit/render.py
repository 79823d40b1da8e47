"""The one template environment: layout over ready strings, and nothing undefined."""

from __future__ import annotations

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
    return (templates_dir() / backend / "helpers" / f"{name}.py").read_text(encoding="utf-8").strip()
