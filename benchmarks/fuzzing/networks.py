"""Networks of the catalogue's layers and activations: trunks, heads, copies, and applications."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hypothesis import strategies as st

from benchmarks.fuzzing.text import document
from benchmarks.fuzzing.writer import LETTERS, Dims, Network, Writer, parsed, read_of
from symgrad.algebra.scalars import FUNCTIONS
from symgrad.catalog.activations import ACTIVATIONS
from symgrad.catalog.layer import GIVEN
from symgrad.catalog.layers import LAYERS

FLAGS = {"true": "false", "false": "true"}
WIDTHS = ("2", "3", "H", "K")
REALS = tuple(
    n
    for n, row in LAYERS.items()
    if row.reads == "real" and (row.axes or 1) <= 2 and GIVEN not in dict(row.options).values()
)
"""Layers that what is drawn can be given to: reals, of one axis or two, and no other tensor."""


def activation(w: Writer, name: str) -> str:
    """A row of the catalogue, with its options or without: elu, elu(0.25)."""
    w.drawn.append(f"activation {name}")
    values = [w.chosen(("0.25", "0.5", "1")) for _ in ACTIVATIONS[name].options]
    return f"{name}({', '.join(values)})" if values and w.chance() else name


def layer(w: Writer) -> str:
    """dense 3 tanh bias=false; layernorm eps=0.5; relu."""
    name = w.chosen((*REALS, "dense", *ACTIVATIONS))
    if name in ACTIVATIONS:
        return activation(w, name)
    w.drawn.append(f"layer {name}")
    parts = [name, *(w.chosen(WIDTHS) for _ in LAYERS[name].sizes)]
    if w.chance():
        parts.append(activation(w, w.chosen(list(ACTIVATIONS))))
    for option, default in LAYERS[name].options:
        if default in FLAGS and w.chance():
            parts.append(f"{option}={FLAGS[default]}")
        elif re.fullmatch(r"[-+.\de]+", default) and w.chance():
            parts.append(f"{option}=0.5")
    return " ".join(parts)


def layers(w: Writer, width: str) -> str:
    """["dense 3 tanh", { residual = ["layernorm", "dense 2"] }], for inputs of that width."""
    found = [f'"{layer(w)}"' for _ in range(w.draw(st.integers(1, 3)))]
    if w.chance() and w.chance():
        w.drawn.append("layer residual")
        inner = ", ".join([*(f'"{layer(w)}"' for _ in range(1)), f'"dense {width}"'])
        found.insert(0, f"{{ residual = [{inner}] }}")
    return f"[{', '.join(found)}]"


def network(w: Writer) -> None:
    """A network at data, parameters, what was computed, another network, or several of these."""
    source, axes = w.any_tensor(1, 3)
    inputs, dims = [source], [axes]
    while len(inputs) < 2 and w.chance() and w.chance():
        more = (*axes[:-1], w.chosen(("2", "H")))
        inputs.append(w.leaf(more))
        dims.append(more)
        w.drawn.append("network of joined inputs")
    w.drawn += ["network on a network" for name in inputs if name in w.networks]
    given = f'"{source}"' if len(inputs) == 1 else str(inputs).replace("'", '"')
    text = layers(w, "+".join(d[-1] for d in dims))
    _add(w, f"input = {given}\nlayers = {text}", tuple(dims), "dense" in text)


def copied(w: Writer) -> None:
    """A target network: the layers of another, held or not, at its own input or at the other's."""
    original = w.chosen([n for n, net in w.networks.items() if "copy_of" not in net.table])
    net = w.networks[original]
    lines, held = [f'copy_of = "{original}"'], w.chance()
    if len(net.inputs) == 1 and w.chance():
        lines.append(f'input = "{w.tensor(net.inputs[0])}"')
    if held:
        lines.append("held = true")
    w.drawn.append("network copied and held" if held else "network copied")
    _add(w, "\n".join(lines), net.inputs, net.learned and not held)


def _add(w: Writer, table: str, inputs: tuple[Dims, ...], learned: bool) -> None:
    """The network, read like any tensor; its axes are those that symgrad finds."""
    name = w.name("net")
    w.networks[name] = Network(table, inputs, learned)
    spec = parsed(document(w, outputs=(name,)))
    w.tensors[name] = tuple(map(str, spec.shared.tensor_of[name].shape))
    w.unread.append(name)
    w.drawn.append("network")


def applied(w: Writer) -> None:
    """v[..] = net(x)[..], with the same parameters; or net(other(x)), or at a place that data choose."""
    name = w.chosen(list(w.networks))
    lead = w.dims(0, 2)
    inner = _argument(w, name, lead)
    dims = (*lead, w.tensors[name][-1])
    letters = list(LETTERS[: len(dims)])
    at = list(letters)
    form = w.chosen(("{}", "tanh({})", "stop({})", "gathered"))
    if form == "gathered":
        at[-1] = read_of(w.integer(lead, dims[-1]), letters[:-1])
        dims, letters, form = lead, letters[:-1], "{}"
    w.drawn.append("network applied")
    w.define(dims, letters, form.format(f"{name}({inner})[{','.join(at)}]"))


def _argument(w: Writer, name: str, lead: Sequence[str], depth: int = 0) -> str:
    """A tensor for each input, or another network at tensors, with as many features."""
    found = []
    for dims in w.networks[name].inputs:
        same = [n for n in w.networks if w.tensors[n][-1] == dims[-1] and n != name]
        if same and depth < 2 and w.chance():
            other = w.chosen(same)
            w.drawn.append("network applied to a network")
            found.append(f"{other}({_argument(w, other, lead, depth + 1)})")
        else:
            found.append(w.tensor((*lead, dims[-1])))
    return ", ".join(found)


def function(w: Writer) -> None:
    """v[I] = gelu(x[I]): an activation as a function in an equation."""
    scalar = [name for name, row in ACTIVATIONS.items() if not row.reads_axis]
    chosen = w.chosen(scalar)
    w.drawn.append(f"activation {chosen}")
    name, axes = w.any_tensor(0)
    letters = list(LETTERS[: len(axes)])
    options = "".join(f", {w.chosen(('0.25', '1'))}" for _ in ACTIVATIONS[chosen].options)
    options = options if w.chance() or chosen in FUNCTIONS else ""
    w.define(axes, letters, f"{chosen}({read_of(name, letters)}{options})")
