"""Layers, one short function of forward equations each.

A layer's equations are notation. `x` is its input and `y` its output; other names are its own, and
get the layer's number: W becomes W1. `b` stands for all axes before those that the layer works on:
a batch, batch and time, or none. Its own indices are of i, j, k, l, u, v, w, which no such axis is.
"""

from __future__ import annotations

from math import prod

from symgrad.algebra.sizes import ONE, Size
from symgrad.catalog.layer import GIVEN, UNSET, Built, Layer, Options, Signal
from symgrad.catalog.sequences import RECURRENT, attention, gru, lstm


def dense(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y_i = sum_j W_ij x_j + c_i, with W of shape (out, in)."""
    (width,) = sizes
    params = {"W": f"real[{width}, {x.size}] init={options['init']}"}
    params |= _bias(width, options)
    bias = " + c[i]" if "c" in params else ""
    return Built(params, f"y[b,i] = sum(j: W[i,j]*x[b,j]){bias}", (width,))


def _bias(width: Size, options: Options) -> dict[str, str]:
    if options["bias"] == "false":
        return {}
    return {"c": f"real[{width}] init={options['bias_init']}"}


def noisy(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y_i = sum_j (W_ij + S_ij f_(i+n) f_j) x_j + c_i + s_i f_(i+n), f = sign(noise) sqrt(|noise|).

    The noise of the n inputs comes first, then that of the outputs: one for all of the batch.
    """
    (width,) = sizes
    n, mean, spread = x.size, f"uniform(1/sqrt({x.size}))", f"constant(0.5/sqrt({x.size}))"
    params = {
        "W": f"real[{width}, {n}] init={mean}",
        "S": f"real[{width}, {n}] init={spread}",
        "c": f"real[{width}] init={mean}",
        "s": f"real[{width}] init={spread}",
    }
    equations = f"""
    f[i] = sign(noise[i])*sqrt(abs(noise[i])) for i < {n + width}
    V[i,j] = W[i,j] + S[i,j]*f[i + {n}]*f[j]
    k[i] = c[i] + s[i]*f[i + {n}]
    y[b,i] = sum(j: V[i,j]*x[b,j]) + k[i]
    """
    return Built(params, equations, (width,))


def layernorm(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y = g (x - m)/sqrt(v + eps) + s, with m and v the mean and the variance of the last axis."""
    equations = f"""
    m[b] = mean(j: x[b,j])
    v[b] = mean(j: (x[b,j] - m[b])**2)
    y[b,i] = g[i]*(x[b,i] - m[b])/sqrt(v[b] + {options["eps"]}) + s[i]
    """
    return Built(_gain(x.size), equations, x.shape)


STATISTICS = (
    ("eps", "1e-5"),
    ("running_mean", UNSET),
    ("running_var", UNSET),
    ("training", UNSET),
)
"""The options of batchnorm."""


def batchnorm(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y_i = g_i (x_i - m_i)/sqrt(v_i + eps) + s_i, m and v of the batch; v divides by its size.

    Of images, i is the channel, and m and v are over positions too. running_mean and running_var
    count in their place, or where `training` is named, only while it is false.
    """
    places = ("k", "l")[: len(x.shape) - 1]
    at, over = ",".join(("b", "i", *places)), ",".join(("b", *places))
    (mean, of_mean), (var, of_var) = (_statistic(options, name) for name in ("mean", "var"))
    batch = f"m[i] = mean({over}: x[{at}])\nv[i] = mean({over}: (x[{at}] - m[i])**2)"
    equations = f"""
    {batch if {mean, var} != {"running_mean", "running_var"} else ""}
    {of_mean}
    {of_var}
    y[{at}] = g[i]*(x[{at}] - {mean}[i])/sqrt({var}[i] + {options["eps"]}) + s[i]
    """
    return Built(_gain(x.shape[0]), equations, x.shape)


def _statistic(options: Options, name: str) -> tuple[str, str]:
    """What counts as the mean or the variance, and the equation that defines it, if one does."""
    batch, given = name[0], f"running_{name}"
    if options[given] == UNSET:
        return batch, ""
    if options["training"] == UNSET:
        return given, ""
    used = f"{name}_used"
    return used, f"{used}[i] = where(training, {batch}[i], {given}[i])"


def _gain(size: Size) -> dict[str, str]:
    return {"g": f"real[{size}] init=constant(1)", "s": f"real[{size}] init=zeros"}


def flatten(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y = all axes of x but the batch's as one, the last running fastest."""
    letters = "ijkluv"[: len(x.shape)]
    steps = [prod(x.shape[n + 1 :], start=ONE) for n in range(len(x.shape))]
    place = " + ".join(f"({step})*{i}" for step, i in zip(steps, letters, strict=True))
    return Built({}, f"y[b,{place}] = x[b,{','.join(letters)}]", (prod(x.shape, start=ONE),))


def embedding(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y_i = W_xi: a row for each integer."""
    (width,) = sizes
    params = {"W": f"real[{x.below}, {width}] init={options['init']}"}
    return Built(params, "y[b,i] = W[x[b],i]", (width,))


def conv2d(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y_iuv = sum over j, k, l of W_ijkl x[j, s u + d k - p, s v + d l - p], + c_i.

    s, p and d are stride, padding and dilation; (size + 2 p - d (kernel - 1) - 1)//s + 1 places.
    """
    channels, kernel = sizes
    stride, padding, dilation = (int(options[o]) for o in ("stride", "padding", "dilation"))
    reach = dilation * (kernel - 1) + 1
    height, width = ((size + 2 * padding - reach) // stride + 1 for size in x.shape[1:])
    params = {"W": f"real[{channels}, {x.shape[0]}, {kernel}, {kernel}] init={options['init']}"}
    params |= _bias(channels, options)
    bias = " + c[i]" if "c" in params else ""
    row, column = (f"{stride}*{at} + {dilation}*{by} - {padding}" for at, by in ("uk", "vl"))
    read = f"pad(x[b,j,{row},{column}])" if padding else f"x[b,j,{row},{column}]"
    total = f"sum(j,k,l: W[i,j,k,l]*{read}){bias} for u < {height}, v < {width}"
    return Built(params, f"y[b,i,u,v] = {total}", (channels, height, width))


ROWS = (
    Layer(
        "dense",
        ("width",),
        (("init", "uniform_fan_in"), ("bias", "true"), ("bias_init", "zeros")),
        "z",
        "y = W x + c",
        dense,
        source="Bishop 2006, equation 5.2",
        also=("linear", "fc", "fully_connected", "affine"),
        torch=(("W", "weight"), ("c", "bias")),
    ),
    Layer(
        "noisy",
        ("width",),
        (("noise", GIVEN),),
        "z",
        "y = (W + S e f^T) x + c + s e; e, f = sign(n) sqrt(|n|) of the outputs', inputs' noise n",
        noisy,
        source="Fortunato et al. 2018, equations 9 to 11",
        also=("noisy_linear", "noisylinear", "noisynet", "noisy_dense"),
        torch=(("W", "weight_mu"), ("S", "weight_sigma"), ("c", "bias_mu"), ("s", "bias_sigma")),
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
    Layer(
        "batchnorm",
        (),
        STATISTICS,
        "n",
        "y = g (x - mean(x))/sqrt(var(x) + eps) + s, of each feature over the batch",
        batchnorm,
        source="Ioffe, Szegedy 2015, algorithms 1 and 2",
        also=("batch_norm", "batchnorm1d", "bn"),
        torch=(("g", "weight"), ("s", "bias")),
    ),
    Layer(
        "batchnorm2d",
        (),
        STATISTICS,
        "n",
        "the same of each channel, over the batch and positions",
        batchnorm,
        axes=3,
        source="Ioffe, Szegedy 2015, section 3.2",
        also=("batch_norm2d", "bn2d", "spatial_batchnorm"),
        torch=(("g", "weight"), ("s", "bias")),
    ),
    Layer(
        "flatten",
        (),
        (),
        "f",
        "y = x, all axes but the batch's as one",
        flatten,
        axes=None,
        source="LeCun et al. 1989",
    ),
    Layer(
        "embedding",
        ("width",),
        (("init", "normal"),),
        "e",
        "y = W[x], x an integer",
        embedding,
        axes=0,
        reads="int",
        source="Bengio et al. 2003, section 2",
        torch=(("W", "weight"),),
    ),
    Layer(
        "conv2d",
        ("channels", "kernel"),
        (
            ("stride", "1"),
            ("padding", "0"),
            ("dilation", "1"),
            ("init", "uniform_fan_in"),
            ("bias", "true"),
            ("bias_init", "zeros"),
        ),
        "z",
        "y = W * x + c over windows",
        conv2d,
        axes=3,
        source="LeCun et al. 1989",
        also=("conv", "convolution", "conv2"),
        torch=(("W", "weight"), ("c", "bias")),
    ),
    Layer(
        "gru",
        ("width",),
        (("init", "uniform_fan_in"), ("state", "none"), ("reset", "none")),
        "y",
        "h_t = (1 - z) n + z h_(t-1); r, z = sigmoid, n = tanh of gates",
        gru,
        axes=2,
        source="Cho et al. 2014",
        torch=RECURRENT,
    ),
    Layer(
        "lstm",
        ("width",),
        (("init", "uniform_fan_in"), ("state", "none"), ("cell", "none"), ("reset", "none")),
        "y",
        "h_t = o tanh(s_t), s_t = f s_(t-1) + m k; m, f, o = sigmoid, k = tanh of gates",
        lstm,
        axes=2,
        source="Hochreiter, Schmidhuber 1997; Gers, Schmidhuber, Cummins 2000",
        torch=RECURRENT,
    ),
    Layer(
        "attention",
        ("heads", "width"),
        (("causal", "false"), ("mask", "none"), ("init", "glorot_uniform")),
        "y",
        "y = Wo o + co, o = softmax(q k/sqrt(width)) v in each head; q, k, v = W x + c",
        attention,
        axes=2,
        source="Vaswani et al. 2017, equation 1",
        also=("multihead", "multihead_attention", "self_attention", "mha"),
    ),
)

LAYERS = {row.name: row for row in ROWS}
