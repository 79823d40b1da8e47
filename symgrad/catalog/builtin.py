"""Built-in specs: the files of catalog/specs, each found by its name."""

from __future__ import annotations

from pathlib import Path

from symgrad.errors import SpecError, did_you_mean

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
        shown = ascii(text[:60])[1:-1]
        file = Path(f"{text}{SUFFIX}")
        if shown == text and file.is_file():
            raise SpecError(f'no built-in spec is named "{shown}"; did you mean the file {file}?')
        local = (path.name for path in Path().glob(f"*{SUFFIX}"))
        raise SpecError(
            f'no built-in spec is named "{shown}"{did_you_mean(text, names(), local)};'
            f" a path to a spec ends with {SUFFIX}"
        )
    return FOLDER / f"{text}{SUFFIX}"
