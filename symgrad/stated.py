"""What a module on disk says that it was generated with."""

from __future__ import annotations

import tomllib
from pathlib import Path

from symgrad.errors import SymgradError
from symgrad.spec import Spec
from symgrad.verify.spec_text import spec_text


def with_stated(spec: Spec, path: Path) -> Spec:
    """The spec with the products too that the module at `path` states."""
    try:
        return spec.having(tomllib.loads(spec_text(path)).get("with", ()))
    except (SymgradError, tomllib.TOMLDecodeError, TypeError):  # it is no module of this spec's
        return spec
