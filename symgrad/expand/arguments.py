"""What a named loss is given: whole tensors, numbers, or expressions, which get a name."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from symgrad.algebra.sizes import Size
from symgrad.catalog.distributions import FORMULAS
from symgrad.errors import SpecError
from symgrad.expand.applied import Applied
from symgrad.expand.axes import axes_of, free_indices, free_names
from symgrad.expand.losses import Bound, Value, bind
from symgrad.expand.scope import Here, Whole
from symgrad.expand.trees import letters_in
from symgrad.notation import hints
from symgrad.notation.names import shown
from symgrad.notation.symbols import CONSTANTS
from symgrad.notation.syntax import Call, Name, Node, Read, Reduce, nodes


@dataclass(frozen=True)
class Arguments:
    """The arguments of the named losses of one spec.

    node:  an expression with what is named in it expanded; apply: a network at inputs.
    bare:  names that stand without subscripts, which no index may have.
    """

    node: Callable[[Node, Here], Node]
    apply: Callable[[Call, Here], Whole]
    applied: Applied
    bare: frozenset[str]

    def bound(self, call: Call, here: Here, whole: bool) -> Bound:
        """The call with its arguments and options; axes with one letter have one size."""
        if not whole:
            self.check_ranges(call, here)
        bound = bind(call, here.statement, partial(self.value, call=call, here=here), whole)
        self.check_tensors(bound, call, here)
        self.check_positive(bound, call, here)
        return bound

    def check_positive(self, bound: Bound, call: Call, here: Here) -> None:
        """A datum for an option that has to be above 0 is declared so, and checked on entry."""
        for option in bound.row.options:
            given = bound.values.get(option.name)
            tensor = self.applied.tensors.known.get(given.name if isinstance(given, Name) else "")
            if option.positive and tensor is not None and not tensor.positive:
                write = f'{tensor.name} = "real > 0" in [data]'
                if tensor.role == "param":
                    write = f"{option.name}=exp({tensor.name})"
                raise here.error(
                    f"{call.name}: option {shown(option.name)} is a number above 0, and "
                    f"{tensor.name} may be any; write {write}",
                    call.at,
                )

    def check_tensors(self, bound: Bound, call: Call, here: Here) -> None:
        """Subscripts are ints, and axes with one letter have one size; also of what is computed."""
        first: dict[str, tuple[str, Size]] = {}
        listed = list(bound.axes)
        tensors = self.applied.tensors.described([name for name, _ in listed], here.scope)
        for what in bound.kinds:
            value = bound.values[what.name]
            found = tensors.get(value.tensor) if isinstance(value, Whole) else None
            if found is not None and found.kind != "int" and what.name in bound.picks:
                raise here.error(
                    f"{bound.row.form}: {what.name} is {found.name}, which is {found.kind}, and "
                    'is read as a subscript; declare it as "int[...] < N", or exchange arguments',
                    call.at,
                )
        for name, letters in listed:
            shape = tensors[name].shape if name in tensors else ()
            for axis, (letter, size) in enumerate(zip(letters, shape, strict=False), 1):
                came = f"axis {axis} of {name} has size {size}"
                other, known = first.setdefault(letter, (came, size))
                if known != size:
                    raise here.error(f"{bound.row.form}: {other}, and {came}", call.at)

    def check_ranges(self, call: Call, here: Here) -> None:
        """What follows `for` is an index of the user's: a whole tensor has none."""
        for given in here.statement.ranges:
            if given.index not in letters_in(here.statement.right) | here.bound:
                raise here.error(
                    f"{call.name} takes whole tensors, and nothing here has the index "
                    f"{shown(given.index)}; for a part, name places: w[{given.index}]",
                    given.at,
                )

    def value(self, node: Node, what: str, picks: bool, call: Call, here: Here) -> Value:
        """A whole tensor, a scalar, or an expression, which gets a name; it is real then."""
        if isinstance(node, Call) and node.name in self.applied.networks:
            return self.apply(node, here)
        if isinstance(node, Name):
            known = self.applied.whole(node.name, here.scope)
            if known is not None and known.letters:
                return known
        value = self.node(node, here)
        inner = [i for i in free_indices(value, self.bare) if i in here.bound]
        if inner:
            raise inside(call, inner[0], node.at, here)
        self.check_names(value, call, here)
        letters = axes_of(value, self.bare)
        if letters is None:
            raise here.error(
                f"no read in the argument {what} of {call.name} has all its axes, so their order "
                "is open; give it a name with its axes on the left",
                node.at,
            )
        if not letters and not any(isinstance(n, Reduce) for n in nodes(value)):
            return value
        ranged = {given.index for given in here.statement.ranges}
        if isinstance(value, Read) and _is_plain(value) and ranged.isdisjoint(letters):
            return Whole(value.name, letters)
        if picks:
            raise here.error(
                f"{FORMULAS[call.name].form}: {what} is read as a subscript, so it is a whole int "
                "tensor, of [data] or of argmax, without `for` and without shifted places",
                node.at,
            )
        origin = f"the argument {what} of {call.name}"
        name = here.scope.define(here.statement, what, letters, value, origin)
        return Whole(name, letters) if letters else Name(node.at, name, height=1)

    def check_names(self, value: Node, call: Call, here: Here) -> None:
        """What stands without subscripts is of rank 0."""
        for node in free_names(value, {*self.bare, *CONSTANTS}):
            name = node.name
            known = self.applied.whole(name, here.scope)
            if known is None and name in here.bound:
                raise inside(call, name, node.at, here)
            if known is None:
                near = hints.bare_name(name) or self.applied.near(name, here.scope)
                raise here.error(f"{call.name}: unknown tensor {shown(name)}{near}", node.at)
            if known.letters:
                raise here.error(
                    f"{shown(name)} is a whole tensor inside an expression; read its places, as in "
                    f"{known.tensor}[{','.join(known.letters)}]",
                    node.at,
                )


def inside(call: Call, index: str, at: int, here: Here) -> SpecError:
    """A loss that stands inside of what it does itself."""
    return here.error(
        f"{FORMULAS[call.name].form} takes whole tensors and is the mean already; "
        f'"{index}" is bound around it: write it outside of all sums and means',
        at,
    )


def _is_plain(read: Read) -> bool:
    """Whether a read is its whole tensor: an index of its own for each axis."""
    names = {s.name for s in read.subscripts if isinstance(s, Name)}
    return not read.padded and len(names) == len(read.subscripts)
