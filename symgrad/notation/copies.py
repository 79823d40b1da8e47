"""init=copy(W): which parameter another one starts as."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from symgrad.algebra.program import Tensor
from symgrad.errors import did_you_mean
from symgrad.notation.document import Document
from symgrad.notation.names import shown


def check_copies(
    document: Document, params: Sequence[Tensor], places: Mapping[str, tuple[str, ...]]
) -> None:
    """A copy is of a parameter of its shape that is no copy; places: where each is declared."""
    known = {t.name: t for t in params}
    for tensor in params:
        if tensor.name not in places or copied(tensor) is None:
            continue
        of = known.get(copied(tensor) or "")
        fault = _fault(tensor, of, copied(tensor) or "", [n for n in known if n != tensor.name])
        if fault:
            raise document.error(f"{tensor.name} = {tensor.init}: {fault}", *places[tensor.name])


def _fault(tensor: Tensor, of: Tensor | None, name: str, known: Sequence[str]) -> str | None:
    if of is None:
        return f"no parameter is named {shown(name)}{did_you_mean(name, known)}"
    if of is tensor:
        return "a parameter cannot copy itself"
    if copied(of) is not None:
        return f"{of.name} is a copy itself; copy its original, {copied(of)}"
    if of.shape != tensor.shape:
        shapes = ["(" + ", ".join(map(str, t.shape)) + ")" for t in (tensor, of)]
        return f"it has shape {shapes[0]}, and {of.name} has {shapes[1]}"
    return None


def copied(tensor: Tensor) -> str | None:
    """The name in init=copy(NAME)."""
    init = tensor.init or ""
    return init.removeprefix("copy(").removesuffix(")") if init.startswith("copy(") else None
