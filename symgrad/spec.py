"""A spec: TOML text -> declarations, shared equations, and one program for each loss.

    [sizes] [params] [data] [functions] [tensors]    what is declared
    equations, outputs, aux, wrt, description        shared by all losses
    [losses.NAME] equations, aux, wrt                one loss each

Without [losses], top-level equations that define a rank-0 `loss` are the single loss.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import Place, SpecError, did_you_mean
from symgrad.notation.canonical import Part, Preamble, canonical_text
from symgrad.notation.document import Document, read
from symgrad.notation.elaborate import Elaborated, elaborate
from symgrad.notation.lexer import FILE_CAP
from symgrad.notation.names import fault_of, shown
from symgrad.notation.parser import parse
from symgrad.notation.places import essential
from symgrad.notation.sections import Sections, read_sections
from symgrad.notation.syntax import Statement

KEYS = (
    "description", "sizes", "params", "data", "functions", "tensors",
    "equations", "outputs", "aux", "wrt", "require", "losses",
)  # fmt: skip
LOSS_KEYS = ("equations", "aux", "wrt")
VALUE = "loss"
"""The tensor that a loss's equations define."""


@dataclass(frozen=True)
class Loss:
    """value: the scalar to differentiate; wrt: what by; the program's outputs: (value, *aux)."""

    name: str
    program: Program
    value: str
    wrt: tuple[str, ...]


@dataclass(frozen=True)
class Spec:
    """A validated spec.

    forward: the shared equations, where there are outputs to return.
    aux:     shared values returned beside each loss.
    checks:  sizes that must be at least 0 on entry, each with its message.
    notes:   the descriptions of free sizes; derived: the sizes that are expressions of others.
    """

    name: str
    sizes: tuple[tuple[str, int | None], ...]
    tensors: tuple[Tensor, ...]
    functions: tuple[tuple[str, int], ...]
    shared: Program
    losses: tuple[Loss, ...]
    outputs: tuple[str, ...]
    aux: tuple[str, ...]
    checks: tuple[tuple[Size, str], ...]
    description: str = ""
    notes: tuple[tuple[str, str], ...] = ()
    derived: tuple[tuple[str, Size], ...] = ()
    source: str = field(default="", compare=False, repr=False)

    @property
    def forward(self) -> Program | None:
        return self.shared if self.outputs else None

    def loss(self, name: str | None = None) -> Loss:
        """The named loss, or the only one."""
        known = {loss.name: loss for loss in self.losses}
        if name is None and len(known) == 1:
            return self.losses[0]
        if name in known:
            return known[name]
        if not known:
            raise SpecError(f'spec "{self.name}" has no loss to differentiate')
        if name is None:
            listed = ", ".join(known)
            raise SpecError(f'spec "{self.name}" has several losses; name one of: {listed}')
        raise SpecError(f'spec "{self.name}" has no loss "{name}"{did_you_mean(name, known)}')

    def canonical(self) -> str:
        """The spec in canonical TOML: sizes substituted, every equation written out."""
        parts = [Part(loss.name, loss.program, loss.wrt) for loss in self.losses]
        preamble = Preamble(self.aux, self.description, self.notes, self.derived, self.checks)
        return canonical_text(self.shared, parts, preamble)

    @property
    def hash(self) -> str:
        """The SHA-256 of the canonical text."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def load(path: str | Path) -> Spec:
    """The spec in a file; it is named after the file."""
    path = Path(path)
    shown_path = ascii(str(path))[1:-1]
    try:
        with path.open("rb") as stream:
            raw = stream.read(FILE_CAP + 1)
        text = raw.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(raw) > FILE_CAP:
            text = raw.decode("latin-1")
        else:
            line = raw.count(b"\n", 0, error.start) + 1
            raise SpecError("not UTF-8, which TOML is", Place(shown_path, line)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        raise SpecError(f"cannot be read: {reason}", Place(shown_path)) from None
    return parse_spec(text, path.stem, shown_path)


def parse_spec(text: str, name: str, file: str | None = None) -> Spec:
    """The spec that a TOML text writes; `file` is where errors say that it stands."""
    document = read(text, file)
    _check_name(name, "spec", document)
    if "networks" in document.data:
        raise document.error(
            "[networks] come in a later version; write their layers as equations", "networks"
        )
    document.only(KEYS)
    sections = read_sections(document)
    return _Reader(document, name, text, sections).spec()


def _check_name(name: str, what: str, document: Document, *path: str) -> None:
    fault = fault_of(name)
    if fault:
        mend = "; a spec is named after its file: rename the file" if what == "spec" else ""
        raise document.error(f"{what} {shown(name)} {fault}{mend}", *path)


class _Reader:
    """Reads the equations of one document, the shared ones first."""

    def __init__(self, document: Document, name: str, text: str, sections: Sections) -> None:
        self.document, self.name, self.text = document, name, text
        self.sections, self.declared = sections, sections.declared
        self.checks = dict.fromkeys(sections.checks)

    def spec(self) -> Spec:
        document, declared = self.document, self.declared
        shared = self.statements()
        own = {name: self.statements("losses", name) for name in document.table("losses")}
        every = [s for statements in (shared, *own.values()) for s in statements]
        self.check_defined(every)
        self.left = frozenset(s.left.name for s in every)
        common = elaborate(shared, declared, taken=self.left)
        outputs = self.computed(common, "outputs")
        aux = self.computed(common, "aux")
        losses = tuple(self.loss(name, own[name], common, aux) for name in own) or self.single(
            common, aux, shared
        )
        if not losses and not outputs:
            raise document.error(
                'nothing to compute: define a rank-0 "loss", add [losses.NAME], or name outputs'
            )
        self.checks |= dict.fromkeys(common.checks)
        return Spec(
            name=self.name,
            sizes=declared.sizes,
            tensors=declared.tensors,
            functions=declared.functions,
            shared=self.program(common, outputs),
            losses=losses,
            outputs=outputs,
            aux=aux,
            checks=essential(self.checks),
            description=document.text("description") or "",
            notes=self.sections.notes,
            derived=declared.derived,
            source=self.text,
        )

    def statements(self, *table: str) -> tuple[Statement, ...]:
        if table:
            _check_name(table[-1], "loss", self.document, *table)
            self.document.only(LOSS_KEYS, *table)
        text = self.document.text(*table, "equations")
        return parse(self.document.source(text, *table, "equations")) if text else ()

    def check_defined(self, statements: Sequence[Statement]) -> None:
        """What [tensors] gives a shape to has an equation."""
        defined = {s.left.name for s in statements}
        for tensor in self.declared.shapes:
            if tensor.name not in defined:
                raise self.document.error(
                    f"{shown(tensor.name)} has a shape but no equation defines it",
                    "tensors",
                    tensor.name,
                )

    def computed(self, found: Elaborated, *path: str) -> tuple[str, ...]:
        """A list of computed tensors."""
        names = self.document.names(*path) or ()
        known = [t.name for t in found.tensors]
        for name in names:
            if name not in known:
                raise self.document.error(
                    f"{path[-1]}: {shown(name)} is not a computed tensor"
                    f"{did_you_mean(name, known)}",
                    *path,
                )
        return names

    def program(self, found: Elaborated, outputs: tuple[str, ...]) -> Program:
        declared = self.declared
        tensors = (*declared.tensors, *found.tensors)
        return Program(declared.sizes, tensors, found.equations, outputs, declared.functions)

    def single(
        self, common: Elaborated, aux: tuple[str, ...], shared: Sequence[Statement]
    ) -> tuple[Loss, ...]:
        """The loss that the shared equations define; none where `wrt = []` says so."""
        wrt = self.document.names("wrt")
        if wrt == () or VALUE not in {t.name for t in common.tensors}:
            return ()
        return (self.checked(VALUE, common, aux, wrt, shared, ("wrt",)),)

    def loss(
        self, name: str, own: Sequence[Statement], common: Elaborated, aux: tuple[str, ...]
    ) -> Loss:
        path = ("losses", name)
        found = elaborate(own, self.declared, common, self.left)
        if VALUE not in {t.name for t in found.tensors}:
            raise self.document.error(
                f'loss {shown(name)} does not define the tensor "{VALUE}"', *path
            )
        extra = self.computed(found, *path, "aux")
        self.checks |= dict.fromkeys(found.checks)
        chosen = path if "wrt" in self.document.table(*path) else ()
        wrt = self.document.names(*chosen, "wrt")
        every = tuple(dict.fromkeys((*aux, *extra)))
        return self.checked(name, found, every, wrt, own, (*chosen, "wrt"))

    def checked(
        self,
        name: str,
        found: Elaborated,
        aux: tuple[str, ...],
        wrt: tuple[str, ...] | None,
        statements: Sequence[Statement],
        path: tuple[str, ...],
    ) -> Loss:
        """A loss whose value is a scalar, whose wrt exist, and whose adjoints have free names."""
        value = next(t for t in found.tensors if t.name == VALUE)
        at = next((s for s in statements if s.left.name == VALUE), None)
        if value.shape or value.kind != "real":
            what = (
                f"shape ({', '.join(str(s) for s in value.shape)})"
                if value.shape
                else f"kind {value.kind}"
            )
            error = at.error if at else self.document.error
            raise error(
                f'"{VALUE}" has {what}; a loss is a real scalar: reduce it with sum or mean'
            )
        program = self.program(found, (VALUE, *(a for a in aux if a != VALUE)))
        real = [t.name for t in self.declared.tensors if t.kind == "real"]
        default = [t.name for t in self.declared.tensors if t.role == "param"]
        names = tuple(default) if wrt is None else wrt
        for one in names:
            if one not in real:
                raise self.document.error(
                    f"wrt: {shown(one)} is not a real tensor of [params] or [data]"
                    f"{did_you_mean(one, real)}",
                    *path,
                )
        if not names:
            raise self.document.error(
                f"loss {shown(name)} has nothing to be differentiated by: "
                "name wrt, or declare [params]",
                *path[:-1],
                "equations",
            )
        self.check_prefix(program, statements)
        return Loss(name, program, VALUE, names)

    def check_prefix(self, program: Program, statements: Sequence[Statement]) -> None:
        """dX is the adjoint of X, so nothing else may have that name."""
        real = {t.name for t in program.tensors if t.kind == "real"}
        for name in (*program.tensor_of, *dict(program.sizes), *dict(program.functions)):
            if name[0] == "d" and name[1:] in real:
                at = next((s for s in statements if s.left.name == name), None)
                section = next(
                    (k for k in KEYS[1:6] if name in self.document.table(k)), "equations"
                )
                message = (
                    f'{shown(name)} is the name of the adjoint of "{name[1:]}"; rename one of them'
                )
                raise at.error(message) if at else self.document.error(message, section, name)
