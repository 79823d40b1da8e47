"""A spec: TOML text -> declarations, shared equations, and one program for each loss.

    [sizes] [params] [data] [functions] [tensors]    what is declared
    equations, outputs, aux, wrt, description        shared by all losses
    [losses.NAME] equations, loss, aux, wrt          one loss each
    [networks.NAME] input, layers, copy_of, held     expanded to equations
    [values]                                         numbers that a derivation shows

Without [losses], top-level equations that define a rank-0 `loss` are the single loss.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.simplify import drop_dead
from symgrad.algebra.sizes import Size
from symgrad.errors import Place, SpecError, did_you_mean, nearest
from symgrad.expand.copies import check_copies
from symgrad.expand.expander import CALLS, expander_of
from symgrad.expand.network import read_networks
from symgrad.notation.canonical import Part, Preamble, canonical_text
from symgrad.notation.document import Document, given, read
from symgrad.notation.elaborate import Elaborated, elaborate
from symgrad.notation.lexer import FILE_CAP
from symgrad.notation.names import fault_of, shown
from symgrad.notation.parser import parse
from symgrad.notation.places import essential
from symgrad.notation.sections import Groups, Sections, read_sections
from symgrad.notation.sizes import names_in
from symgrad.notation.symbols import VALUE
from symgrad.notation.syntax import Statement
from symgrad.notation.values import Given, read_values

KEYS = (
    "description", "sizes", "params", "data", "functions", "tensors",
    "equations", "outputs", "aux", "wrt", "require", "losses", "loss", "networks", "values",
)  # fmt: skip
LOSS_KEYS = ("equations", "loss", "aux", "wrt")


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
    values:  numbers for a derivation to show; no part of what the spec means.
    groups:  parameters that stand together, as a network's do: params.q.W1 is the tensor q_W1.
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
    values: Given = field(default_factory=Given, compare=False, repr=False)
    groups: Groups = ()

    @property
    def forward(self) -> Program | None:
        return self.shared if self.outputs else None

    @property
    def paths(self) -> dict[str, str]:
        """Where each grouped parameter is: q_W1 at q.W1."""
        return {
            name: f"{group}.{name.removeprefix(f'{group}_')}"
            for group, names in self.groups
            for name in names
        }

    @property
    def forwards(self) -> tuple[tuple[str, Program], ...]:
        """The functions that only evaluate: `forward`, and q_forward for a group whose q there is.

        Each is a name and the shared program with what the function returns.
        """
        found = [("forward", self.shared)] if self.outputs else []
        computed = {t.name for t in self.shared.tensors if t.role == "computed"}
        for group, _ in self.groups:
            if group in computed:
                found.append((f"{group}_forward", replace(self.shared, outputs=(group,))))
        return tuple(found)

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
        preamble = Preamble(
            self.aux, self.description, self.notes, self.derived, self.checks, self.groups
        )
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
    return _spec_of(read(text, file), name, text)


def define(name: str, sections: Mapping[str, object]) -> Spec:
    """The spec that Python objects write: what a TOML file would hold, as dicts and lists."""
    return _spec_of(given(sections), name, "")


def _spec_of(document: Document, name: str, text: str) -> Spec:
    _check_name(name, "spec", document)
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
        self.networks = read_networks(document, sections.declared)
        self.checks |= dict.fromkeys(c for n in self.networks.values() for c in n.checks)
        self.groups = sections.groups
        self.held: frozenset[str] = frozenset()

    def spec(self) -> Spec:
        document = self.document
        shared = self.statements()
        own = {name: self.statements("losses", name) for name in document.table("losses")}
        shared, own = self.expanded(shared, own)
        declared = self.declared
        every = [s for statements in (shared, *own.values()) for s in statements]
        self.check_defined(every)
        self.left = frozenset(s.left.name for s in every)
        common = elaborate(shared, declared, taken=self.left)
        self.expander.check(common)
        outputs = self.computed(common, "outputs")
        if len(self.networks) == 1 and "outputs" not in document.data:
            outputs = tuple(self.networks)
        aux = self.computed(common, "aux")
        losses = tuple(self.loss(name, own[name], common, aux) for name in own) or self.single(
            common, aux, shared
        )
        if not losses and not outputs:
            what = 'nothing to compute: define a rank-0 "loss", add [losses.NAME], or name outputs'
            raise self.no_loss(what, shared)
        self.check_used([loss.program for loss in losses], [*outputs, *aux])
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
            values=self.values(),
            groups=self.groups,
        )

    def expanded(
        self, shared: tuple[Statement, ...], own: Mapping[str, tuple[Statement, ...]]
    ) -> tuple[tuple[Statement, ...], dict[str, tuple[Statement, ...]]]:
        """The statements with networks, activations and losses written out."""
        expander = self.expander = expander_of(self.declared, self.networks, shared, own.values())
        shared = expander.shared()
        found = {name: expander.own(statements) for name, statements in own.items()}
        declared = self.declared
        params = [t for t in declared.tensors if t.role == "param"]
        grouped = {name for _, names in self.groups for name in names}
        free = [t for t in params if t.name not in grouped]
        rest = [t for t in params if t.name in grouped]
        data = [t for t in declared.tensors if t.role == "data"]
        params = [*free, *expander.params.values(), *rest]
        check_copies(self.document, params, self.sections.places)
        tensors = (*params, *data)
        self.declared = replace(declared, tensors=tensors, calls=CALLS)
        self.owned = {name: names for name, names in expander.owned.items() if names}
        self.held = frozenset(
            t for n in self.networks.values() if n.held for t in self.owned.get(n.name, ())
        )
        if expander.prefixed:
            self.groups = (*self.owned.items(), *self.groups)
        return shared, found

    def values(self) -> Given:
        """The numbers that a derivation shows, where the spec has some."""
        declared = self.declared
        if "values" not in self.document.data:
            return Given()
        return read_values(
            self.document, declared.tensors, [n for n, _ in declared.sizes], "values"
        )

    def statements(self, *table: str) -> tuple[Statement, ...]:
        if table:
            _check_name(table[-1], "loss", self.document, *table)
            self.document.only(LOSS_KEYS, *table)
        text = self.document.text(*table, "equations")
        found = parse(self.document.source(text, *table, "equations")) if text else ()
        named = self.document.text(*table, "loss")
        if named is None:
            return found
        source = self.document.source(f"{VALUE} = {named}", *table, "loss")
        source = replace(source, column=source.column - len(f"{VALUE} = "))
        return (*found, *parse(source))

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

    def check_used(self, losses: Sequence[Program], outputs: Sequence[str]) -> None:
        """Where there are losses, each network is in one of them or an output."""
        if not losses:
            return
        needed = set(outputs)
        for program in losses:
            alive = drop_dead(replace(program, outputs=(*program.outputs, *outputs)))
            needed |= {a.tensor for e in alive.equations for a in (e.target, *e.reads)}
        for name, network in self.networks.items():
            if needed.isdisjoint({name, *self.owned.get(name, ())}):
                raise network.source.error(
                    "no loss reads it; if it is meant to be there, name it in outputs", 0
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
        self.expander.check(found)
        if VALUE not in {t.name for t in found.tensors}:
            what = f'loss {shown(name)} does not define the tensor "{VALUE}"'
            raise self.no_loss(what, own, *path)
        extra = self.computed(found, *path, "aux")
        self.checks |= dict.fromkeys(found.checks)
        chosen = path if "wrt" in self.document.table(*path) else ()
        wrt = self.document.names(*chosen, "wrt")
        every = tuple(dict.fromkeys((*aux, *extra)))
        return self.checked(name, found, every, wrt, own, (*chosen, "wrt"))

    def no_loss(self, what: str, statements: Sequence[Statement], *path: str) -> SpecError:
        """That no equation defines the loss: at the one whose name comes near it, if one does."""
        defined = {s.left.name: s for s in statements}
        near = nearest(VALUE, defined)
        if near is not None:
            return defined[near].error(f'{shown(near)}: did you mean "{VALUE}"? {what}')
        listed = f"; defined: {', '.join(sorted(defined)[:20])}" if defined else ""
        return self.document.error(f"{what}{listed}", *path)

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
            raise (at.error if at else self.document.error)(_no_scalar(value, at))
        program = self.program(found, (VALUE, *(a for a in aux if a != VALUE)))
        real = [t.name for t in self.declared.tensors if t.kind == "real"]
        params = [t.name for t in self.declared.tensors if t.role == "param"]
        default = [name for name in params if name not in self.held]
        names = tuple(default) if wrt is None else self.written_out(wrt, path)
        for one in names:
            if one not in real:
                raise self.document.error(
                    f"wrt: {shown(one)} is no network and no real tensor of [params] or [data]"
                    f"{did_you_mean(one, [*self.owned, *dict(self.groups), *real])}",
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

    def written_out(self, wrt: tuple[str, ...], path: tuple[str, ...]) -> tuple[str, ...]:
        """Each network or group in wrt stands for its parameters."""
        groups = {**dict(self.groups), **self.owned}
        empty = next((n for n in wrt if n in self.networks and n not in groups), None)
        if empty is not None:
            raise self.document.error(f"wrt: {shown(empty)} is a network without parameters", *path)
        found = {name: one for one in wrt for name in groups.get(one, (one,))}
        for name, one in found.items():
            if name in self.held:
                what = "is" if one in self.networks else "belongs to"
                raise self.document.error(
                    f"wrt: {shown(one)} {what} a network that is held constant", *path
                )
        return tuple(found)

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
