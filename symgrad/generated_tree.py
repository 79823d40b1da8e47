"""Modules on disk: written whole or not at all, listed in a manifest, compared with their specs.

generated/manifest.json     for each file its spec, the spec's hash, the file's hash, the version
generated/numpy/NAME.py     one for each built-in spec that has something to compute; so for each
                            other backend, in a folder of its own
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import json
import os
import re
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from symgrad import pipeline
from symgrad.catalog.builtin import names, spec_path
from symgrad.emit.backends import BACKENDS, DEFAULT
from symgrad.errors import Place, SpecError, SymgradError
from symgrad.spec import Spec, load
from symgrad.version import VERSION

MARK = "\nSPEC_HASH = "
"""A line that every generated module has."""

MANIFEST = "manifest.json"
LISTED = re.compile(
    "|".join(rf"{b.name}/[A-Za-z][A-Za-z0-9_]*{re.escape(b.suffix)}" for b in BACKENDS.values())
)
"""What a manifest may name: nothing else is ever removed on its word."""

FOLDER = "name one that exists, or make it first"
NO_FOLDER = f"there is no such folder; {FOLDER}"

_PACKAGE = Path(__file__).resolve().parent


def source_tree(package: Path = _PACKAGE) -> Path:
    """The folder `generated` of the source tree that this package is run from."""
    root = package.parent
    if not (root / "pyproject.toml").is_file() or not (root / "templates").is_dir():
        raise SymgradError(
            "--all rebuilds generated/ of a source tree, and this is an installed symgrad;"
            " run it from a clone, or name a folder with -o",
        )
    return root / "generated"


def module_of(spec: Spec, verb: str = "generate", backend: str = DEFAULT) -> str:
    """The text of the spec's module, which is what to generate, or to check.

    Errors: SpecError where an undefined function leaves nothing that can be computed.
    """
    if spec.functions:
        names = [name for name, _ in spec.functions]
        what = "is an undefined function" if len(names) == 1 else "are undefined functions"
        raise SpecError(
            f"there is nothing to {verb}: {', '.join(names)} {what} ([functions]);"
            " such a spec can be derived, and nothing else"
        )
    return pipeline.generate(spec, backend)


# ---- writing ------------------------------------------------------------------------------------


def write_whole(path: Path, text: str) -> None:
    """The file with this text, or the old file untouched: a new file takes its place at the end.

    An existing file keeps its permissions, a new one has the usual ones. A device or a pipe is no
    file: it is neither written nor replaced.
    """
    target = Path(os.path.realpath(path))
    new = target.with_name(f".{target.name}.{secrets.token_hex(4)}.tmp")
    try:
        _plain(path)
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as stream:
            stream.write(text.encode("utf-8"))
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            new.chmod(target.stat().st_mode & 0o7777)
        new.replace(target)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with contextlib.suppress(OSError):
            new.unlink(missing_ok=True)


def name_taken(module: str) -> str | None:
    """Why no module can have a name: `random.py` in a folder breaks every program run there."""
    if module not in sys.stdlib_module_names:
        return None
    return f"is a module of Python's own, which {module}.py would hide; choose another name"


def write_module(path: Path, text: str) -> None:
    """The module at `path`; a file there that no symgrad wrote is left alone.

    Errors: SymgradError for such a file, for a name that is taken, and where the path cannot be
    written.
    """
    fault = name_taken(path.stem)
    if fault is not None:
        raise SymgradError(f'"{path.stem}" {fault}', Place(str(path)))
    try:
        _plain(path)
        held = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
    except OSError as error:
        raise _unwritable(path, error) from None
    if held.strip() and MARK not in held:
        what = "exists, and is no module of symgrad's; move it away, or name another folder with -o"
        raise SymgradError(what, Place(str(path)))
    write_whole(path, text)


def existing_folder(folder: Path) -> Path:
    """`folder`, if it is one."""
    if not folder.is_dir():
        what = f"is not a folder; {FOLDER}" if folder.exists() else NO_FOLDER
        raise SymgradError(what, Place(str(folder)))
    return folder


def _plain(path: Path) -> None:
    """Refuses a device, a pipe or a socket; /dev/null must not become a file."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise SymgradError("cannot be written: it is no regular file", Place(str(path)))


def _unwritable(path: Path, error: OSError) -> SymgradError:
    reason = NO_FOLDER if isinstance(error, FileNotFoundError) else error.strerror or error
    return SymgradError(f"cannot be written: {reason}", Place(str(path)))


# ---- the tree -----------------------------------------------------------------------------------


def tree() -> dict[str, str]:
    """What generated/ holds: the text of each file, by its path in the folder, sorted."""
    files: dict[str, str] = {}
    rows: dict[str, dict[str, str]] = {}
    specs = [(name, load(spec_path(name))) for name in names()]
    computing = [(name, spec) for name, spec in specs if not spec.functions]
    for backend, (name, spec) in product(BACKENDS.values(), computing):
        path = f"{backend.name}/{name}{backend.suffix}"
        text = module_of(spec, backend=backend.name)
        files[path] = text
        rows[path] = {
            "spec": name,
            "spec_hash": spec.hash,
            "sha256": hashlib.sha256(text.encode("utf-8")).hexdigest(),
            "version": VERSION,
        }
    return {MANIFEST: json.dumps({"files": rows}, indent=2, sort_keys=True) + "\n", **files}


def write_tree(folder: Path, files: Mapping[str, str]) -> tuple[str, ...]:
    """Writes the files, the manifest last; removes those that only the old manifest lists.

    Returns what else lies in the folder, and is left there.
    """
    orphans = listed(folder) - files.keys()
    try:
        for part in sorted({(folder / path).parent for path in files}):
            part.mkdir(exist_ok=True)
    except OSError as error:
        raise _unwritable(folder, error) from None
    for path in sorted(files, key=lambda path: (path == MANIFEST, path)):
        write_whole(folder / path, files[path])
    for path in sorted(orphans):
        try:
            (folder / path).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(folder / path, error) from None
    return tuple(path for path in present(folder) if path not in files)


def listed(folder: Path) -> set[str]:
    """The modules that the folder's manifest lists; none where it cannot be read."""
    try:
        rows = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))["files"]
        return {path for path in rows if LISTED.fullmatch(path)}
    except (OSError, ValueError, TypeError, KeyError, RecursionError):
        return set()


def present(folder: Path) -> list[str]:
    """Every file below the folder but Python's own caches, sorted."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir())
    return sorted(path.as_posix() for path in found if "__pycache__" not in path.parts)


# ---- comparing ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Difference:
    """A file that is not what its spec generates. diff: unified, from the disk to the spec."""

    path: str
    what: Literal["stale", "missing", "orphaned"]
    diff: str


def differences(folder: Path, files: Mapping[str, str], *, whole: bool) -> tuple[Difference, ...]:
    """How the disk differs from `files`; `whole`: nothing else may lie in the folder."""
    paths = {*files, *(present(folder) if whole else ())}
    return tuple(found for path in sorted(paths) if (found := _difference(folder, path, files)))


def _difference(folder: Path, path: str, files: Mapping[str, str]) -> Difference | None:
    wanted = files.get(path)
    try:
        held: bytes | None = (folder / path).read_bytes()
    except FileNotFoundError:
        held = None
    except OSError as error:
        place = Place(str(folder / path))
        raise SymgradError(f"cannot be read: {error.strerror or error}", place) from None
    if wanted is not None and held == wanted.encode("utf-8"):
        return None
    shown = (folder / path).as_posix()
    diff = difflib.unified_diff(
        _lines(None if held is None else held.decode("utf-8", "backslashreplace")),
        _lines(wanted),
        "/dev/null" if held is None else shown,
        "/dev/null" if wanted is None else f"{shown} (generated anew)",
    )
    what: Literal["stale", "missing", "orphaned"] = "missing" if held is None else "stale"
    return Difference(path, "orphaned" if wanted is None else what, "".join(_closed(diff)))


def _lines(text: str | None) -> list[str]:
    """Lines with their ends; only a line feed ends one."""
    return [] if not text else re.findall(r"[^\n]*\n|[^\n]+", text)


def _closed(diff: Iterable[str]) -> Iterator[str]:
    for line in diff:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
