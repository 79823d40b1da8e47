"""Statements and declarations -> equations whose ranges, shapes and reads are known to fit."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from sympy.core.parameters import distribute

from symgrad.algebra.order import schedule
from symgrad.algebra.program import Equation, Kind, Program, Tensor
from symgrad.errors import ProgramError
from symgrad.notation.declarations import Declared
from symgrad.notation.names import fault_of, shown
from symgrad.notation.places import Check, at_least, check_assignments, check_scatters, read_checks
from symgrad.notation.resolve import Resolved, resolve
from symgrad.notation.scope import Scanned, scan
from symgrad.notation.symbols import Signature, Symbols
from symgrad.notation.syntax import Reduce, Statement
from symgrad.notation.writer import Writer


@dataclass(frozen=True)
class Elaborated:
    """What statements define: computed tensors, their equations, and what is checked on entry."""

    tensors: tuple[Tensor, ...] = ()
    equations: tuple[Equation, ...] = ()
    checks: tuple[Check, ...] = ()


def elaborate(
    statements: Sequence[Statement],
    declared: Declared,
    known: Elaborated | None = None,
    taken: frozenset[str] = frozenset(),
) -> Elaborated:
    """The equations of `statements`, after those of `known`, which they may read but not write.

    taken: names that no new tensor may get.
    """
    before = known or Elaborated()
    written = {s.left.name for s in statements}
    declared = replace(declared, shapes=tuple(t for t in declared.shapes if t.name in written))
    given = {t.name: t for t in (*declared.tensors, *declared.shapes, *before.tensors)}
    symbols = symbols_of(statements, declared, before)
    scanned = [scan(s, symbols) for s in statements]
    for one in scanned:
        check_scatters(one)
    exact = frozenset(t.name for t in (*declared.tensors, *declared.shapes))
    resolved = resolve(scanned, {name: t.shape for name, t in given.items()}, exact)
    check_assignments(scanned, resolved.ranges)
    with distribute(False):  # a product stays as it is written: -(a + b) is not -a - b
        writers = _write(scanned, resolved, symbols, taken)
    tensors = _tensors(writers, resolved, declared)
    equations = tuple(e for w in writers for e in w.equations)
    _check_cycles(writers, resolved, declared, before, tensors)
    of = {**given, **{t.name: t for t in tensors}}
    checks = [c for w in writers for c in _checks(w, of, declared.defaults)]
    return Elaborated(
        (*before.tensors, *tensors),
        (*before.equations, *equations),
        tuple(dict.fromkeys((*before.checks, *checks))),
    )


def symbols_of(statements: Sequence[Statement], declared: Declared, before: Elaborated) -> Symbols:
    """Every tensor that may be read, and the checks of those that these statements define."""
    sizes = declared.size_of
    functions = dict(declared.functions)
    tensors = {
        t.name: Signature(len(t.shape), t.kind, t.below is not None)
        for t in (*declared.tensors, *declared.shapes, *before.tensors)
    }
    inputs = {t.name for t in declared.tensors}
    earlier = {t.name for t in before.tensors}
    own: dict[str, list[Statement]] = {}
    for statement in statements:
        name, left = statement.left.name, statement.left
        fault = _left_fault(name, inputs, earlier, sizes, functions)
        if fault:
            raise statement.error(f"{shown(name)} {fault}", left.at)
        signature = Signature(len(left.subscripts), *_kind(statement))
        known = tensors.setdefault(name, signature)
        own.setdefault(name, []).append(statement)
        if known.rank != signature.rank:
            raise statement.error(
                f"{shown(name)} has {signature.rank} subscripts here and {known.rank} elsewhere"
            )
    for name, writing in own.items():
        reductions = [s for s in writing if _direct(s)]
        if reductions and len(writing) > 1:
            raise writing[1].error(
                f"{shown(name)} is a {_direct(reductions[0])}, which exactly one equation defines"
            )
    return Symbols(tensors, sizes, functions, declared.calls)


def _left_fault(
    name: str,
    inputs: set[str],
    earlier: set[str],
    sizes: Mapping[str, object],
    functions: Mapping[str, int],
) -> str | None:
    fault = fault_of(name)
    if fault:
        return fault
    if name in inputs:
        return "is declared in [params] or [data]; an equation cannot write to it"
    if name in earlier:
        return "is defined by the shared equations; a loss cannot add to it"
    if name in sizes:
        return "is a size; an equation cannot write to it"
    if name in functions:
        return "is declared in [functions]; an equation cannot write to it"
    return None


def _direct(statement: Statement) -> str | None:
    """The reduction that is the whole right-hand side and has an op of its own."""
    node = statement.right
    own = isinstance(node, Reduce) and node.op in ("logsumexp", "argmax", "argmin")
    return node.op if isinstance(node, Reduce) and own and not statement.adds else None


def _kind(statement: Statement) -> tuple[Kind, bool]:
    return ("int", True) if _direct(statement) in ("argmax", "argmin") else ("real", False)


def _write(
    scanned: Sequence[Scanned], resolved: Resolved, symbols: Symbols, taken: frozenset[str]
) -> list[Writer]:
    letters = {letter for s in scanned for letter in s.keys.values()}
    fresh = _namer({*taken, *symbols.tensors, *symbols.sizes, *symbols.functions, *letters})
    writers = [Writer(s, symbols, r, fresh) for s, r in zip(scanned, resolved.ranges, strict=True)]
    for writer in writers:
        writer.write()
    return writers


def _namer(taken: set[str]) -> Callable[[str], str]:
    """Gives each name once, with the first number that makes it new."""
    numbers: dict[str, int] = {}

    def fresh(name: str) -> str:
        new = name
        while new in taken:
            numbers[name] = numbers.get(name, 1) + 1
            new = f"{name}_{numbers[name]}"
        taken.add(new)
        return new

    return fresh


def _tensors(
    writers: Sequence[Writer], resolved: Resolved, declared: Declared
) -> tuple[Tensor, ...]:
    """The computed tensors, each where it is first written."""
    shapes = {t.name: t for t in declared.shapes}
    found: dict[str, Tensor] = {}
    for writer in writers:
        for tensor in writer.tensors:
            found[tensor.name] = tensor
        statement, name = writer.scanned.statement, writer.scanned.target.tensor
        if name not in found:
            found[name] = shapes.get(name) or Tensor(name, resolved.shapes[name])
            if _kind(statement)[0] == "int" and isinstance(statement.right, Reduce):
                index = statement.right.indices[0].name
                found[name] = Tensor(
                    name, resolved.shapes[name], "int", below=writer.ranges[index][1]
                )
    order = dict.fromkeys(e.target.tensor for w in writers for e in w.equations)
    return tuple(found[name] for name in order)


def _checks(
    writer: Writer, tensors: Mapping[str, Tensor], defaults: Mapping[str, int]
) -> list[Check]:
    found: list[Check] = []
    for equation in writer.equations:
        found += read_checks(equation, writer.scanned, tensors, defaults)
    for count, at in writer.counts:
        error = writer.scanned.statement.error(
            f"this runs over {count} places, and there must be at least one", at
        )
        found += at_least(count - 1, error, defaults)
    return found


def _check_cycles(
    writers: Sequence[Writer],
    resolved: Resolved,
    declared: Declared,
    before: Elaborated,
    tensors: tuple[Tensor, ...],
) -> None:
    """Every recurrence can be run as a loop along one axis."""
    everything = (*declared.tensors, *before.tensors, *tensors)
    for cycle in resolved.cycles:
        equations = tuple(e for n in cycle for e in writers[n].equations)
        try:
            schedule(Program(declared.sizes, everything, equations))
        except ProgramError as error:
            raise writers[cycle[0]].scanned.statement.error(error.message) from None
