"""The losses of a spec: each a program with a scalar value, and what it is differentiated by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from symgrad.algebra.program import Program, Tensor
from symgrad.errors import SpecError, did_you_mean, nearest
from symgrad.expand.expand import Expanded
from symgrad.expand.networks import Network
from symgrad.notation.document import Document
from symgrad.notation.elaborate import Elaborated, elaborate
from symgrad.notation.names import shown
from symgrad.notation.places import Check
from symgrad.notation.sizes import names_in
from symgrad.notation.symbols import VALUE
from symgrad.notation.syntax import Statement
from symgrad.spec.model import Loss

SECTIONS = ("sizes", "params", "data", "functions", "tensors")
"""Where a name may be declared."""


@dataclass(frozen=True)
class Shared:
    """What all losses of a document share.

    statements, found: the shared equations, and what they come to; aux: of these, for every loss.
    taken:             every tensor that some equation of the document defines.
    """

    document: Document
    networks: Mapping[str, Network]
    expanded: Expanded
    found: Elaborated
    aux: tuple[str, ...]
    taken: frozenset[str]

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The parameters that a name in wrt stands for, where it is a network or a group."""
        return dict((*self.expanded.groups, *self.expanded.owned))

    def program(self, found: Elaborated, outputs: tuple[str, ...]) -> Program:
        declared = self.expanded.declared
        tensors = (*declared.tensors, *found.tensors)
        return Program(declared.sizes, tensors, found.equations, outputs, declared.functions)


def computed(document: Document, found: Elaborated, *path: str) -> tuple[str, ...]:
    """A list of computed tensors: outputs, or aux."""
    names = document.names(*path) or ()
    known = [t.name for t in found.tensors]
    for name in names:
        if name not in known:
            raise document.error(
                f"{path[-1]}: {shown(name)} is not a computed tensor{did_you_mean(name, known)}",
                *path,
            )
    return names


def read_losses(shared: Shared) -> tuple[tuple[Loss, ...], tuple[Check, ...]]:
    """Each loss, and what its equations ask of sizes on entry."""
    own = shared.expanded.own
    if not own:
        return _single(shared), ()
    pairs = [_loss(shared, name) for name in own]
    return tuple(loss for loss, _ in pairs), tuple(c for _, checks in pairs for c in checks)


def _single(shared: Shared) -> tuple[Loss, ...]:
    """The loss that the shared equations define; none where `wrt = []` says so."""
    wrt = shared.document.names("wrt")
    if wrt == () or VALUE not in {t.name for t in shared.found.tensors}:
        return ()
    statements = shared.expanded.shared
    return (_checked(shared, VALUE, shared.found, shared.aux, wrt, statements, ("wrt",)),)


def _loss(shared: Shared, name: str) -> tuple[Loss, tuple[Check, ...]]:
    document, own, path = shared.document, shared.expanded.own[name], ("losses", name)
    found = elaborate(own, shared.expanded.declared, shared.found, shared.taken)
    shared.expanded.check(found)
    if VALUE not in {t.name for t in found.tensors}:
        what = f"loss {shown(name)} has no equation {VALUE} = ... and no loss by name"
        raise no_loss(document, what, own, *path)
    aux = tuple(dict.fromkeys((*shared.aux, *computed(document, found, *path, "aux"))))
    chosen = path if "wrt" in document.table(*path) else ()
    wrt = document.names(*chosen, "wrt")
    return _checked(shared, name, found, aux, wrt, own, (*chosen, "wrt")), found.checks


def no_loss(
    document: Document, what: str, statements: Sequence[Statement], *path: str
) -> SpecError:
    """That no equation defines the loss: at the one whose name comes near it, if one does."""
    defined = {s.left.name: s for s in statements}
    near = nearest(VALUE, defined)
    if near is not None:
        return defined[near].error(f'{shown(near)}: did you mean "{VALUE}"? {what}')
    listed = f"; defined: {', '.join(sorted(defined)[:20])}" if defined else ""
    return document.error(f"{what}{listed}", *path)


def _checked(
    shared: Shared,
    name: str,
    found: Elaborated,
    aux: tuple[str, ...],
    wrt: tuple[str, ...] | None,
    statements: Sequence[Statement],
    path: tuple[str, ...],
) -> Loss:
    """A loss whose value is a scalar, whose wrt exist, and whose adjoints have free names."""
    document = shared.document
    value = next(t for t in found.tensors if t.name == VALUE)
    at = next((s for s in statements if s.left.name == VALUE), None)
    if value.shape or value.kind != "real":
        raise (at.error if at else document.error)(_no_scalar(value, at))
    program = shared.program(found, (VALUE, *(a for a in aux if a != VALUE)))
    names = _differentiated(shared, wrt, path)
    if not names:
        raise document.error(
            f"loss {shown(name)} has nothing to be differentiated by: "
            "name wrt, or declare [params]",
            *path[:-1],
            "equations",
        )
    _check_prefix(document, program, statements)
    return Loss(name, program, VALUE, names)


def _differentiated(
    shared: Shared, wrt: tuple[str, ...] | None, path: tuple[str, ...]
) -> tuple[str, ...]:
    """What wrt names, each network or group as its parameters; else all that is not held."""
    tensors, held, groups = shared.expanded.declared.tensors, shared.expanded.held, shared.groups
    if wrt is None:
        return tuple(t.name for t in tensors if t.role == "param" and t.name not in held)
    empty = next((n for n in wrt if n in shared.networks and n not in groups), None)
    if empty is not None:
        raise shared.document.error(f"wrt: {shown(empty)} is a network without parameters", *path)
    real = [t.name for t in tensors if t.kind == "real"]
    found = {name: one for one in wrt for name in groups.get(one, (one,))}
    for name, one in found.items():
        if name in held:
            what = "is" if one in shared.networks else "belongs to"
            raise shared.document.error(
                f"wrt: {shown(one)} {what} a network that is held constant", *path
            )
        if name not in real:
            raise shared.document.error(
                f"wrt: {shown(one)} is no network and no real tensor of [params] or [data]"
                f"{did_you_mean(one, [*groups, *real])}",
                *path,
            )
    return tuple(found)


def _check_prefix(document: Document, program: Program, statements: Sequence[Statement]) -> None:
    """dX is the adjoint of X, so nothing else may have that name."""
    real = {t.name for t in program.tensors if t.kind == "real"}
    for name in (*program.tensor_of, *dict(program.sizes), *dict(program.functions)):
        if name[0] == "d" and name[1:] in real:
            at = next((s for s in statements if s.left.name == name), None)
            section = next((k for k in SECTIONS if name in document.table(k)), "equations")
            message = (
                f'{shown(name)} is the name of the adjoint of "{name[1:]}"; rename one of them'
            )
            raise at.error(message) if at else document.error(message, section, name)


def _no_scalar(value: Tensor, statement: Statement | None) -> str:
    """What a loss with axes, or an integer one, has to become."""
    if not value.shape:
        return f'"{VALUE}" has kind {value.kind}; a loss is a real scalar'
    found = ", ".join(str(size) for size in value.shape)
    left = [names_in(node) for node in statement.left.subscripts] if statement else []
    letters = ",".join(dict.fromkeys(name.name for names in left for name in names)) or "b"
    return (
        f'"{VALUE}" has shape ({found}), and a loss is one real number: '
        f"write {VALUE} = mean({letters}: ...) or {VALUE} = sum({letters}: ...)"
    )
