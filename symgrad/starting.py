"""`symgrad new`: a first spec, or a copy of another, in a file that was not there before."""

from __future__ import annotations

from pathlib import Path

from symgrad.catalog.builtin import START, SUFFIX
from symgrad.errors import Place, SpecError, SymgradError
from symgrad.generated_tree import NO_FOLDER, name_taken
from symgrad.notation.names import fault_of, shown

PLACEHOLDER = "NAME"
"""In the starting spec: what the new one is called."""


def new_path(given: str) -> Path:
    """Where `symgrad new` writes: NAME.toml, or the path itself where it ends so.

    Errors: SpecError for a name that no module can have.
    """
    path = Path(given if given.endswith(SUFFIX) else f"{given}{SUFFIX}")
    fault = fault_of(path.stem) or name_taken(path.stem)
    if fault is not None:
        plain = path.stem.replace("-", "_").replace(" ", "_")
        fits = plain != path.stem and fault_of(plain) is None
        near = f'; did you mean "{plain}"?' if fits else ""
        raise SpecError(f"a spec is named as its module: {shown(path.stem)} {fault}{near}")
    return path


def first_text(name: str) -> str:
    """The commented starting spec."""
    return START.read_text(encoding="utf-8").replace(PLACEHOLDER, name)


def write_new(path: Path, text: str) -> None:
    """The file with this text. Errors: SymgradError where there is one already."""
    try:
        with path.open("x", encoding="utf-8", newline="") as stream:
            stream.write(text)
    except FileExistsError:
        what = "exists, and is left as it is; choose another name, or move the file away"
        raise SymgradError(what, Place(str(path))) from None
    except FileNotFoundError:
        raise SymgradError(f"cannot be written: {NO_FOLDER}", Place(str(path))) from None
    except OSError as error:
        raise SymgradError(f"cannot be written: {error.strerror}", Place(str(path))) from None
