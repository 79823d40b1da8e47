"""TOML text, a file or Python objects -> a validated Spec."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from symgrad.errors import Place, SpecError, did_you_mean
from symgrad.expand.expand import Expanded, expand
from symgrad.expand.networks import Network, read_networks
from symgrad.notation.copies import check_copies
from symgrad.notation.declarations import Declared
from symgrad.notation.document import Document, given, read
from symgrad.notation.elaborate import elaborate
from symgrad.notation.lexer import FILE_CAP
from symgrad.notation.names import fault_of, shown
from symgrad.notation.parser import parse
from symgrad.notation.places import essential
from symgrad.notation.sections import Sections, read_sections
from symgrad.notation.symbols import VALUE
from symgrad.notation.syntax import Statement
from symgrad.notation.values import Given, read_values
from symgrad.spec.losses import Shared, computed, no_loss, read_losses
from symgrad.spec.model import Spec
from symgrad.spec.needed import check_networks_needed, needed, unneeded

KEYS = (
    "description", "source", "sizes", "params", "data", "functions", "tensors",
    "equations", "outputs", "aux", "wrt", "require", "losses", "loss", "networks", "values", "with",
)  # fmt: skip
LOSS_KEYS = ("equations", "loss", "aux", "wrt")


def load(path: str | Path) -> Spec:
    """The spec in a file; it is named after the file."""
    path = Path(path)
    shown_path = ascii(str(path))[1:-1]
    try:
        with path.open("rb") as stream:
            raw = stream.read(FILE_CAP + 1)
        text = raw.decode("utf-8-sig")  # some editors begin a file with a byte order mark
    except UnicodeDecodeError as error:
        if len(raw) > FILE_CAP:
            text = raw.decode("latin-1")
        else:
            line = raw.count(b"\n", 0, error.start) + 1
            what = "not UTF-8, which TOML is; save it as UTF-8"
            raise SpecError(what, Place(shown_path, line)) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not a path"
        here = _beside(path) if isinstance(error, FileNotFoundError) else ""
        raise SpecError(f"cannot be read: {reason}{here}", Place(shown_path)) from None
    return parse_spec(text, path.stem, shown_path)


def _beside(path: Path) -> str:
    """What lies where a file is not: `; did you mean "policy.toml"?`."""
    if not path.parent.is_dir():
        return f"; there is no folder {shown(str(path.parent))}"
    there = [beside.name for beside in path.parent.glob(f"*{path.suffix}")]
    if path.suffix and there:
        return did_you_mean(path.name, there)
    return "; no spec lies in that folder: name the whole path, or go to the right folder"


def parse_spec(text: str, name: str, file: str | None = None) -> Spec:
    """The spec that a TOML text writes; `file` is where errors say that it stands."""
    return _spec_of(read(text, file), name, text)


def define(name: str, sections: Mapping[str, object]) -> Spec:
    """The spec that Python objects write: what a TOML file would hold, as dicts and lists."""
    return _spec_of(given(sections), name, "")


def _spec_of(document: Document, name: str, text: str) -> Spec:
    """Declarations, then networks and equations, then the losses."""
    _check_name(name, "spec", document)
    document.only(KEYS)
    sections = read_sections(document)
    networks = read_networks(document, sections.declared)
    shared = _shared(document, sections, networks)
    outputs = _outputs(document, shared)
    losses, checks = read_losses(shared)
    if not losses and not outputs and not networks:
        raise _nothing(document, shared)
    found = needed(shared, losses, (*outputs, *shared.aux))
    check_networks_needed(shared, found)
    declared = shared.expanded.declared
    of_layers = [check for network in networks.values() for check in network.checks]
    every = (*sections.checks, *of_layers, *checks, *shared.found.checks)
    spec = Spec(
        name=name,
        sizes=declared.sizes,
        tensors=declared.tensors,
        functions=declared.functions,
        shared=shared.program(shared.found, outputs),
        losses=losses,
        outputs=outputs,
        aux=shared.aux,
        checks=essential(dict.fromkeys(every)),
        description=document.text("description") or "",
        notes=sections.notes,
        derived=declared.derived,
        origin=document.text("source") or "",
        source=text,
        values=_values(document, declared),
        groups=shared.expanded.groups,
        layers=shared.expanded.layers,
        unneeded=unneeded(shared, sections, found),
    )
    try:
        return spec.having(document.names("with") or ())
    except SpecError as error:
        raise document.error(error.message, "with") from None


def _nothing(document: Document, shared: Shared) -> SpecError:
    """That a spec has neither a loss nor anything that it puts out."""
    if VALUE in {t.name for t in shared.found.tensors}:  # what makes it none is `wrt = []`
        what = f'wrt = [] says that there is no loss, and "{VALUE}" is all there is'
        return document.error(f"{what}; name what to differentiate by, or outputs", "wrt")
    what = 'nothing to compute: write an equation "loss = ...", add [losses.NAME], or name outputs'
    return no_loss(document, what, shared.expanded.shared)


def _check_name(name: str, what: str, document: Document, *path: str) -> None:
    fault = fault_of(name)
    if fault:
        mend = "; a spec is named after its file: rename the file" if what == "spec" else ""
        raise document.error(f"{what} {shown(name)} {fault}{mend}", *path)


def _shared(document: Document, sections: Sections, networks: Mapping[str, Network]) -> Shared:
    """The equations that all losses share, everything named in them written out."""
    statements = _statements(document)
    own = {name: _statements(document, "losses", name) for name in document.table("losses")}
    aux = {name: document.names("losses", name, "aux") or () for name in own}
    aux[""] = document.names("aux") or ()
    expanded = expand(sections.declared, sections.groups, networks, statements, own, aux)
    params = [t for t in expanded.declared.tensors if t.role == "param"]
    check_copies(document, params, sections.places)
    every = [*expanded.shared, *(s for found in expanded.own.values() for s in found)]
    _check_defined(document, expanded, every)
    taken = frozenset(s.left.name for s in every)
    found = elaborate(expanded.shared, expanded.declared, taken=taken)
    expanded.check(found)
    return Shared(document, networks, expanded, found, computed(document, found, "aux"), taken)


def _statements(document: Document, *table: str) -> tuple[Statement, ...]:
    """The equations of a table, and `loss = "..."` as one of them."""
    if table:
        _check_name(table[-1], "loss", document, *table)
        document.only(LOSS_KEYS, *table)
    text = document.text(*table, "equations")
    found = parse(document.source(text, *table, "equations")) if text else ()
    named = document.text(*table, "loss")
    if named is None:
        return found
    source = document.source(f"{VALUE} = {named}", *table, "loss")
    source = replace(source, column=source.column - len(f"{VALUE} = "))
    return (*found, *parse(source))


def _check_defined(document: Document, expanded: Expanded, statements: Sequence[Statement]) -> None:
    """What [tensors] gives a shape to has an equation."""
    defined = {s.left.name for s in statements}
    for tensor in expanded.declared.shapes:
        if tensor.name not in defined:
            raise document.error(
                f"{shown(tensor.name)} has a shape but no equation defines it",
                "tensors",
                tensor.name,
            )


def _outputs(document: Document, shared: Shared) -> tuple[str, ...]:
    """What `forward` returns; where nothing is said, what the only network gives."""
    outputs = computed(document, shared.found, "outputs")
    if len(shared.networks) == 1 and "outputs" not in document.data:
        return tuple(shared.networks)
    return outputs


def _values(document: Document, declared: Declared) -> Given:
    """The numbers that a derivation shows, where the spec has some."""
    if "values" not in document.data:
        return Given()
    return read_values(document, declared.tensors, [n for n, _ in declared.sizes], "values")
