"""Where the templates lie: inside an installed package, or beside it in a source tree."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]


def templates_dir(package: Path = _PACKAGE) -> Path:
    """package/_templates where a wheel put it there, else package/../templates.

    An editable install runs the source tree's own modules, so it reads the folder that is edited,
    never the copy that the installer laid down elsewhere.
    """
    shipped = package / "_templates"
    return shipped if shipped.is_dir() else package.parent / "templates"
