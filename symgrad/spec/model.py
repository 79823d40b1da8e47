"""A spec as data: declarations, shared equations, and one program for each loss."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from symgrad.algebra.program import Program, Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError, did_you_mean
from symgrad.notation.canonical import Part, Preamble, canonical_text
from symgrad.notation.sections import Groups, Layered
from symgrad.notation.values import Given
from symgrad.spec.products import Chosen, chosen_of, function_names


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
    origin:  where it comes from, as the key `source` says it; source: the spec's own text.
    values:  numbers for a derivation to show; neither is a part of what the spec means.
    groups:  parameters that stand together, as a network's do: params.q.W1 is the tensor q_W1.
    layers:  the parameters of each network, layer by layer: for weights from elsewhere to find.
    unneeded: names from which nothing is computed, each with a note that says where it stands.
    products: what the module holds beside the gradients: of which loss, and which.
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
    origin: str = field(default="", compare=False, repr=False)
    source: str = field(default="", compare=False, repr=False)
    values: Given = field(default_factory=Given, compare=False, repr=False)
    groups: Groups = ()
    layers: Layered = field(default=(), compare=False, repr=False)
    unneeded: tuple[tuple[str, str], ...] = field(default=(), compare=False, repr=False)
    products: Chosen = ()

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

    @property
    def through(self) -> tuple[str, ...]:
        """What the functions that only evaluate return: a Gauss-Newton product goes through it."""
        return tuple(
            dict.fromkeys(
                name
                for _, program in self.forwards
                for name in program.outputs
                if program.tensor_of[name].kind == "real"
            )
        )

    @property
    def product_names(self) -> tuple[str, ...]:
        """What the module calls its products."""
        return function_names([loss.name for loss in self.losses], self.products)

    def having(self, names: str | Iterable[str]) -> Spec:
        """The spec with these products too, such as "hvp", or "actor_hvp" of one loss.

        Errors: SpecError for a name that means none, and where a product has no outputs to go
        through.
        """
        every = (*self.product_names, *((names,) if isinstance(names, str) else names))
        chosen = chosen_of(every, [loss.name for loss in self.losses])
        for _, product in chosen:
            if product.through and not self.through:
                raise SpecError(
                    f"{product.name} goes through the outputs, and there are none: name them, "
                    'as in outputs = ["logits"]'
                )
        return replace(self, products=chosen)

    def canonical(self) -> str:
        """The spec in canonical TOML: sizes substituted, every equation written out."""
        parts = [Part(loss.name, loss.program, loss.wrt) for loss in self.losses]
        preamble = Preamble(
            self.aux,
            self.description,
            self.notes,
            self.derived,
            self.checks,
            self.groups,
            self.product_names,
        )
        return canonical_text(self.shared, parts, preamble)

    @property
    def hash(self) -> str:
        """The SHA-256 of the canonical text."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()
