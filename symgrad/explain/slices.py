"""A layer as matrices: with its number fixed, its axis is gone, and w[l,i,j] is w[l][i,j]."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.program import Equation, Program, Slot, Tensor, slot_symbol
from symgrad.explain.latex import Latex
from symgrad.explain.matrix import matrix_form
from symgrad.explain.matrix_text import matrix_code
from symgrad.explain.settle import Settled
from symgrad.explain.steps import MATRICES, Code, Formula
from symgrad.explain.substitute import in_places


@dataclass(frozen=True)
class LayerLatex(Latex):
    """places: what w[l], the matrix of layer l, is of."""

    places: Mapping[str, Access] = field(default_factory=dict)

    def access(self, access: Access) -> str:
        return super().access(self.places.get(access.tensor, access))


@dataclass(frozen=True)
class _Layer:
    """A program's tensors at one layer: the index is fixed, its axis is gone."""

    program: Program
    index: str
    tensors: dict[str, Tensor] = field(default_factory=dict)
    places: dict[str, Access] = field(default_factory=dict)

    def at(self, access: Access) -> Access | None:
        """w[l,i,j] -> (w[l])[i,j]; None where the layer stands in no axis of its own."""
        axes = [n for n, s in enumerate(access.subscripts) if self.index in s.indices]
        tensor = self.program.tensor_of[access.tensor]
        if len(axes) != 1 or any(s.indices != {self.index} for s in (access.subscripts[axes[0]],)):
            return access if not axes else None
        (axis,) = axes
        place = Access(access.tensor, (access.subscripts[axis],))
        rest = tuple(s for n, s in enumerate(access.subscripts) if n != axis)
        shape = tuple(s for n, s in enumerate(tensor.shape) if n != axis)
        self.tensors[str(place)] = replace(tensor, name=str(place), shape=shape)
        self.places[str(place)] = place
        return Access(str(place), rest, access.padded)

    def settled(self, equation: Equation) -> Settled | None:
        target = self.at(equation.target)
        found: dict[Slot, Slot] = {}
        for _, slot in equation.slots:
            moved = self.at(slot) if isinstance(slot, Access) else slot
            if moved is None or (isinstance(slot, Affine) and self.index in slot.indices):
                return None
            found[slot] = moved
        if target is None:
            return None
        body, slots = in_places(equation.body, found, found.__getitem__)
        box = tuple(r for r in equation.box if r.index != self.index)
        return Settled(target, body, tuple(slots), box)


def layer_matrix(
    equation: Equation, program: Program, index: str, latex: Latex, left: Code
) -> Formula | None:
    """dL/dw[l] = delta[l] y[l-1]^T, for each l; None where there is no such form."""
    layer = _Layer(program, index)
    settled = layer.settled(equation)
    if settled is None or not settled.target.is_plain:
        return None
    shapes = tuple(chain(program.tensors, layer.tensors.values()))
    node = matrix_form([settled], replace(program, tensors=shapes, equations=()))
    if node is None:
        return None
    shown = LayerLatex(latex.primal, latex.value, latex.names, layer.places)
    slots = {slot_symbol(s): s for s in settled.slots}
    term = matrix_code(node, shown, slots)
    return Formula(left, (term,), label=MATRICES)


def fixed(target: Access, index: str) -> Access:
    """dw[l,i,j] -> dw[l]."""
    return Access(target.tensor, tuple(s for s in target.subscripts if index in s.indices))
