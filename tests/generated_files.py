"""generated/ as the specs make it now, made once in a process."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from symgrad import generated_tree


@cache
def files() -> Mapping[str, str]:
    return MappingProxyType(generated_tree.tree())
