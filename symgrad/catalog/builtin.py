"""Built-in specs: the files of catalog/specs, each found by its name."""

from __future__ import annotations

from pathlib import Path

from symgrad.errors import SpecError, nearest

FOLDER = Path(__file__).resolve().parent / "specs"
START = FOLDER.parent / "start.toml"
"""The commented spec that `symgrad new` begins with."""

SUFFIX = ".toml"


def names() -> tuple[str, ...]:
    """The names of all built-in specs, sorted."""
    return tuple(sorted(path.stem for path in FOLDER.glob(f"*{SUFFIX}")))


def spec_path(given: str | Path) -> Path:
    """The file that is meant: a path ends with .toml or has a folder in it, the rest are names.

    Errors: SpecError for a name that no built-in spec has.
    """
    text = str(given)
    if isinstance(given, Path) or text.endswith(SUFFIX) or "/" in text or "\\" in text:
        return Path(given)
    if text not in names():
        raise SpecError(f'no built-in spec is named "{ascii(text[:60])[1:-1]}"; {_meant(text)}')
    return FOLDER / f"{text}{SUFFIX}"


def _meant(text: str) -> str:
    """What to write in the place of a name that is none."""
    local = sorted(path.name for path in Path().glob(f"*{SUFFIX}") if path.is_file())
    if f"{text}{SUFFIX}" in local:
        return f"did you mean the file {text}{SUFFIX}?"
    near = nearest(text, (*names(), *local))
    hint = f'did you mean "{near}"? ' if near else ""
    return f"{hint}`symgrad list` shows them; a path to a spec ends with {SUFFIX}"
