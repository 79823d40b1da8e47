"""Networks at inputs: each applied once to each choice of them, all with the same parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from symgrad.algebra.program import Tensor
from symgrad.algebra.sizes import Size
from symgrad.errors import SpecError
from symgrad.expand.activations import Fault
from symgrad.expand.equations import Equations
from symgrad.expand.networks import Network
from symgrad.expand.scope import Here, Scope, Whole
from symgrad.expand.tensors import Tensors
from symgrad.notation.declarations import tensor_type
from symgrad.notation.names import shown
from symgrad.notation.sections import Names
from symgrad.notation.syntax import Call, Source


@dataclass
class Applied:
    """The networks of one spec, their parameters and what each gives for which inputs.

    top:    the scope of the shared statements.
    widths: for each network, the sizes of its inputs' last axes.
    layers: the parameters of each network, layer by layer.
    opened: the networks being applied to their own input, outermost first.
    """

    networks: Mapping[str, Network]
    tensors: Tensors
    top: Scope
    widths: dict[str, tuple[Size, ...]] = field(default_factory=dict)
    layers: dict[str, tuple[Names, ...]] = field(default_factory=dict)
    opened: list[str] = field(default_factory=list)

    @property
    def prefixed(self) -> bool:
        """Whether names begin with the network's: q_W1 rather than W1."""
        return len(self.networks) > 1

    @property
    def owned(self) -> dict[str, tuple[str, ...]]:
        """Each network's parameters."""
        layers = {name: self.layers.get(name, ()) for name in self.networks}
        return {name: tuple(t for names in own for _, t in names) for name, own in layers.items()}

    def whole(self, name: str, scope: Scope) -> Whole | None:
        """A tensor by name, or a network's own output."""
        if name in self.networks:
            return self.default(self.networks[name])
        return self.tensors.whole(name, scope)

    def near(self, name: str, scope: Scope) -> str:
        return self.tensors.near(name, scope, self.networks)

    def default(self, network: Network) -> Whole:
        """The network applied to its own input; shared by all losses."""
        key = (network.name, *network.inputs)
        if key not in self.top.applied:
            if network.name in self.opened:
                raise self.cycle(network)
            self.opened.append(network.name)
            inputs = [self.input(network, name) for name in network.inputs]
            self.same_rank(inputs, network.source.error, 0)
            self.fix_widths(network, inputs)
            self.top.applied[key] = self.apply(
                network, inputs, self.top, network.name, "", network.source, 0
            )
            self.opened.pop()
        return self.top.applied[key]

    def cycle(self, network: Network) -> SpecError:
        chain = [*self.opened[self.opened.index(network.name) :], network.name]
        return network.source.error(f"it needs its own output: {' -> '.join(chain)}", 0)

    def input(self, network: Network, name: str) -> Whole:
        """A network's own input: data, a network, or what the shared equations compute."""
        error = network.source.error
        whole = self.whole(name, self.top)
        if whole is None:
            near = self.near(name, self.top)
            stem = name.partition("[")[0].strip()
            if stem != name and self.whole(stem, self.top):
                near = f"; it is a whole tensor: write {stem}"
            raise error(
                f"input {shown(name)} is no declared tensor and none of the shared equations{near}"
                "; inputs are declared in [data]",
                0,
            )
        if not whole.letters:
            raise error(f"input {shown(name)} has rank 0; it needs an axis of features", 0)
        whole = self.tensors.measured(whole, self.top)
        if whole.size is None:
            raise error(f"input {shown(name)} is computed from the network's own output", 0)
        self.check_kind(network, whole, error, 0)
        return whole

    def check_kind(self, network: Network, whole: Whole, error: Fault, at: int) -> None:
        if whole.kind == network.reads:
            return
        what = f"input {shown(whole.tensor)} is {whole.kind}"
        if network.reads == "real":
            raise error(
                f"{what}, and a network reads real tensors; a mask makes one: "
                "y[b,a] = [a == act[b]] for a < 2; or begin with the layer `embedding`",
                at,
            )
        raise error(f"{what}, and its first layer reads {network.reads}s", at)

    def same_rank(self, inputs: Sequence[Whole], error: Fault, at: int) -> None:
        ranks = {len(whole.letters) for whole in inputs}
        if len(ranks) > 1 or 0 in ranks:
            shapes = ", ".join(f"{w.tensor} has {len(w.letters)}" for w in inputs)
            raise error(f"inputs need the same number of axes, at least 1: {shapes}", at)

    def fix_widths(self, network: Network, inputs: Sequence[Whole]) -> None:
        """The sizes that its layers are made for: a copy has those of its original."""
        widths = tuple(whole.size for whole in inputs if whole.size is not None)
        self.widths[network.name] = widths
        if network.copy_of is not None:
            original = self.networks[network.copy_of]
            self.default(original)
            if network.reads == "real" and self.widths[original.name] != widths:
                came, expected = _listed(widths), _listed(self.widths[original.name])
                raise network.source.error(
                    f"its inputs have {came} features, and {shown(original.name)}, which it "
                    f"copies, has {expected}",
                    0,
                )

    def application(self, call: Call, inputs: Sequence[Whole], here: Here) -> Whole:
        """The network at these inputs, whose number fits."""
        network = self.networks[call.name]
        key = (network.name, *(whole.tensor for whole in inputs))
        found = here.scope.find(key)
        if found is not None:
            return found

        def fault(message: str, at: int) -> SpecError:
            return here.error(f"{call.name}: {message}", at)

        self.same_rank(inputs, fault, call.at)
        widths = self.widths[network.name]
        fitting = [
            self.fitting(i, width, call, here) for i, width in zip(inputs, widths, strict=True)
        ]
        suffix = "_" + "_".join(whole.tensor for whole in inputs)
        output = here.scope.name(f"{network.name}{suffix}")
        within = f"{call.name}({', '.join(whole.tensor for whole in inputs)})"
        source = replace(here.statement.source, within=within)
        whole = self.apply(network, fitting, here.scope, output, suffix, source, call.at)
        here.scope.applied[key] = whole
        return whole

    def fitting(self, given: Whole, width: Size, call: Call, here: Here) -> Whole:
        """The tensor, its last axis as long as that of the network's own input."""
        whole = self.tensors.measured(given, here.scope)
        network = self.networks[call.name]
        self.check_kind(network, whole, here.error, call.at)
        if network.reads != "real":  # its axes are no features
            return whole
        came = "another number of" if whole.size is None else whole.size
        error = here.error(
            f"{call.name} reads {width} features along the last axis, and {whole.tensor} has "
            f"{came} there",
            call.at,
        )
        if whole.size is None:
            self.tensors.expected.append((whole.tensor, width, error))
        elif whole.size != width:
            raise error
        known = whole.sizes[:-1] if whole.sizes else (None,) * (len(whole.letters) - 1)
        return replace(whole, sizes=(*known, width))

    def apply(
        self,
        network: Network,
        inputs: Sequence[Whole],
        scope: Scope,
        output: str,
        suffix: str,
        source: Source,
        at: int,
    ) -> Whole:
        """The equations of an application, as if they stood at `at`; names end in `suffix`."""
        prefix = f"{network.name}_" if self.prefixed else ""
        build = Equations(
            network.name,
            names=lambda name: scope.name(f"{prefix}{name}{suffix}"),
            owned=lambda name: f"{prefix}{name}",
            output=output,
            exists=lambda name: self.tensors.whole(name, scope) is not None,
            bare=self.tensors.bare,
            instead=dict(network.instead),
            source=source,
            at=at,
        )
        whole = build.run(network.layers, inputs)
        for name, (text, written) in build.params.items():
            made = self.parameter(network, name, text, written)
            if made.shape != self.tensors.params.setdefault(name, made).shape:
                first = self.tensors.params[name]
                raise source.error(
                    f"{network.name} has one {name} for all inputs, of shape "
                    f"({_shape(first)}), and this input needs one of shape ({_shape(made)})",
                    at,
                )
        self.layers[network.name] = tuple(build.owners)
        scope.done += build.statements
        return whole

    def parameter(self, network: Network, name: str, text: str, source: Source) -> Tensor:
        """A network's parameter, as a layer's text declares it."""
        if name in self.top.taken and name not in self.tensors.params:
            raise network.source.error(
                f"its parameter {shown(name)} has the name of a tensor, a size or a network of "
                "yours; rename yours",
                0,
            )
        self.top.taken.add(name)
        typed = Source(text, within=source.within, places={0: source.place(0)})
        tensor = tensor_type(typed, name, "param", self.tensors.declared.size_of)
        if network.copy_of is not None:
            of = name.removeprefix(network.name)
            tensor = replace(tensor, init=f"copy({network.copy_of}{of})")
        return tensor


def _shape(tensor: Tensor) -> str:
    return ", ".join(map(str, tensor.shape))


def _listed(sizes: Iterable[Size]) -> str:
    return " + ".join(str(size) for size in sizes)
