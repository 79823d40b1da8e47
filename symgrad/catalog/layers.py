"""Layers, one short function of forward equations each.

A layer's equations are notation. `x` is its input and `y` its output; other names are its own, and
get the layer's number: W becomes W1. A layer works on the last axes of its input, most on one:
`x.at("i")` is the place i there, at every point of the axes before: x[b,i] with a batch, x[i]
without one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from symgrad.algebra.program import Kind
from symgrad.algebra.sizes import Size


@dataclass(frozen=True)
class Signal:
    """What flows between layers, as a layer sees it.

    lead:   the letters of the axes that it leaves as they are; around: their sizes.
    shape:  the sizes of those that it works on.
    below:  of integers, their bound.
    """

    lead: tuple[str, ...]
    around: tuple[Size, ...]
    shape: tuple[Size, ...]
    below: Size | None = None

    @property
    def size(self) -> Size:
        """Of the last axis."""
        return self.shape[-1]

    def at(self, *last: str) -> str:
        """The subscripts of a place."""
        letters = (*self.lead, *last)
        return f"[{','.join(letters)}]" if letters else ""


@dataclass(frozen=True)
class Built:
    """One layer at one place.

    params:    the type of each parameter.
    equations: what defines y.
    shape:     the sizes of y's last axes, those that stand where the layer's own stood.
    """

    params: Mapping[str, str]
    equations: str
    shape: tuple[Size, ...]


Options = Mapping[str, str]


@dataclass(frozen=True)
class Layer:
    """A row of the table.

    name:    as a spec writes it: "dense H tanh init=orthogonal(1.414)".
    sizes:   the sizes that follow the name.
    options: each with its default.
    letter:  what its output is called: z for z1, z2 ...
    formula: in one line.
    build:   the input, the sizes and the options -> parameters and equations.
    axes:    how many of the last axes it works on; None is all but the batch's.
    reads:   the kind of its input.
    source:  where it was proposed.
    also:    what other libraries call it, for errors.
    torch:   what PyTorch calls its parameters, where it is not what they are called here.
    """

    name: str
    sizes: tuple[str, ...]
    options: tuple[tuple[str, str], ...]
    letter: str
    formula: str
    build: Callable[[Signal, tuple[Size, ...], Options], Built]
    axes: int | None = 1
    reads: Kind = "real"
    source: str = ""
    also: tuple[str, ...] = ()
    torch: tuple[tuple[str, str], ...] = ()


def dense(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y_i = sum_j W_ij x_j + c_i, with W of shape (out, in)."""
    (width,) = sizes
    params = {"W": f"real[{width}, {x.size}] init={options['init']}"}
    bias = ""
    if options["bias"] == "true":
        params["c"] = f"real[{width}] init={options['bias_init']}"
        bias = " + c[i]"
    return Built(params, f"y{x.at('i')} = sum(j: W[i,j]*x{x.at('j')}){bias}", (width,))


def layernorm(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y = g (x - m)/sqrt(v + eps) + s, with m and v the mean and the variance of the last axis."""
    params = {"g": f"real[{x.size}] init=constant(1)", "s": f"real[{x.size}] init=zeros"}
    equations = f"""
    m{x.at()} = mean(j: x{x.at("j")})
    v{x.at()} = mean(j: (x{x.at("j")} - m{x.at()})**2)
    y{x.at("i")} = g[i]*(x{x.at("i")} - m{x.at()})/sqrt(v{x.at()} + {options["eps"]}) + s[i]
    """
    return Built(params, equations, x.shape)


ROWS = (
    Layer(
        "dense",
        ("width",),
        (("init", "uniform_fan_in"), ("bias", "true"), ("bias_init", "zeros")),
        "z",
        "y = W x + c",
        dense,
        also=("linear", "fc", "fully_connected", "affine"),
        torch=(("W", "weight"), ("c", "bias")),
    ),
    Layer(
        "layernorm",
        (),
        (("eps", "1e-5"),),
        "n",
        "y = g (x - mean(x))/sqrt(var(x) + eps) + s",
        layernorm,
        source="Ba, Kiros, Hinton 2016",
        also=("layer_norm", "ln"),
        torch=(("g", "weight"), ("s", "bias")),
    ),
)

LAYERS = {row.name: row for row in ROWS}
