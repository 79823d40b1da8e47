"""Layers over a sequence: x[b,u,j] is the entry j at time u, and T the number of times."""

from __future__ import annotations

from collections.abc import Mapping

from symgrad.algebra.sizes import Size
from symgrad.catalog.layer import UNSET, Built, Options, Signal

RECURRENT = (("W", "weight_ih_l0"), ("U", "weight_hh_l0"), ("c", "bias_ih_l0"), ("e", "bias_hh_l0"))
"""PyTorch's names; the gates are stacked in its order."""


def gru(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """h_t = (1 - z) n + z h; r, z = sigmoid(a + g), n = tanh(a + r g); a = W x_t + c, g = U h + e.

    h is h_(t-1), or 0 where the sequence begins anew. r, z and n have rows of their own, in this
    order.
    """
    (width,) = sizes
    past = "h" if options["reset"] == UNSET else "p"
    equations = f"""
    {_gates(x, past)}
    r[b,u,i] = sigmoid(a[b,u,i] + g[b,u,i]) for i < {width}
    z[b,u,i] = sigmoid(a[b,u,i + {width}] + g[b,u,i + {width}]) for i < {width}
    n[b,u,i] = tanh(a[b,u,i + {2 * width}] + r[b,u,i]*g[b,u,i + {2 * width}])
    {_carried(x, options, width, "h", "state", past)}
    h[b,u+1,i] = (1 - z[b,u,i])*n[b,u,i] + z[b,u,i]*{past}[b,u,i]
    y[b,u,i] = h[b,u+1,i] for u < {x.shape[0]}
    """
    return Built(_weights(x, width, 3, options), equations, (x.shape[0], width))


def lstm(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """h_t = o tanh(s_t), s_t = f s + m k; m, f, o = sigmoid, k = tanh of W x_t + c + U h + e.

    h and s are those of t - 1, or 0 where the sequence begins anew; m, f, k, o have rows of their
    own, in this order.
    """
    (width,) = sizes
    past, before = ("h", "s") if options["reset"] == UNSET else ("p", "q")
    at = ["u,i", *(f"u,i + {gate * width}" for gate in (1, 2, 3))]
    m, f, k, o = (f"a[b,{place}] + g[b,{place}]" for place in at)
    equations = f"""
    {_gates(x, past)}
    m[b,u,i] = sigmoid({m}) for i < {width}
    f[b,u,i] = sigmoid({f}) for i < {width}
    k[b,u,i] = tanh({k}) for i < {width}
    o[b,u,i] = sigmoid({o}) for i < {width}
    {_carried(x, options, width, "s", "cell", before)}
    s[b,u+1,i] = f[b,u,i]*{before}[b,u,i] + m[b,u,i]*k[b,u,i]
    {_carried(x, options, width, "h", "state", past)}
    h[b,u+1,i] = o[b,u,i]*tanh(s[b,u+1,i])
    y[b,u,i] = h[b,u+1,i] for u < {x.shape[0]}
    """
    return Built(_weights(x, width, 4, options), equations, (x.shape[0], width))


def _weights(x: Signal, width: Size, gates: int, options: Options) -> Mapping[str, str]:
    rows, init = gates * width, options["init"]
    return {
        "W": f"real[{rows}, {x.size}] init={init}",
        "U": f"real[{rows}, {width}] init={init}",
        "c": f"real[{rows}]",
        "e": f"real[{rows}]",
    }


def _gates(x: Signal, past: str) -> str:
    """What all gates read, stacked: of the input, and of the past."""
    return f"""
    a[b,u,i] = sum(j: W[i,j]*x[b,u,j]) + c[i]
    g[b,u,i] = sum(j: U[i,j]*{past}[b,u,j]) + e[i] {x.over(f"u < {x.shape[0]}")}
    """


def _carried(x: Signal, options: Options, width: Size, name: str, start: str, past: str) -> str:
    """How a state starts, and what a step finds of it: 0 where `reset` is true."""
    inside = x.over(f"i < {width}")
    first = f"{start}[b,i]" if options[start] != UNSET else f"0 {inside}"
    anew = f"{past}[b,u,i] = where(reset[b,u], 0, {name}[b,u,i]) {inside}"
    return f"{name}[b,0,i] = {first}\n{'' if past == name else anew}"


def attention(x: Signal, sizes: tuple[Size, ...], options: Options) -> Built:
    """y_u = Wo o_u + co, o_u = sum over w of softmax(q_u k_w/sqrt(width)) v_w in each head i.

    q, k, v = W x + c, each with its own W and c. A time that sees nothing has o = 0.
    """
    heads, width = sizes
    rows, init = heads * width, options["init"]
    params = {f"W{n}": f"real[{rows}, {x.size}] init={init}" for n in "qkv"}
    params |= {f"c{n}": f"real[{rows}]" for n in "qkv"}
    params |= {"Wo": f"real[{x.size}, {rows}] init={init}", "co": f"real[{x.size}]"}
    projected = "\n".join(f"{n}[b,u,i] = sum(j: W{n}[i,j]*x[b,u,j]) + c{n}[i]" for n in "qkv")
    place, ranges = f"{width}*i + l", f"i < {heads}, l < {width}"
    score = f"sum(l: q[b,u,{place}]*k[b,w,{place}])/sqrt({width})"
    seen = ["w <= u"] * (options["causal"] == "true") + ["mask[b,w]"] * (options["mask"] != UNSET)
    score = f"where({' and '.join(seen)}, {score}, -inf)" if seen else score
    equations = f"""
    {projected}
    s[b,i,u,w] = {score} {x.over(ranges, f"u < {x.shape[0]}", f"w < {x.shape[0]}")}
    l[b,i,u] = logsumexp(w: s[b,i,u,w])
    p[b,i,u,w] = expdiff(s[b,i,u,w], l[b,i,u])
    o[b,u,{place}] = sum(w: p[b,i,u,w]*v[b,w,{place}]) for {ranges}
    y[b,u,i] = sum(j: Wo[i,j]*o[b,u,j]) + co[i]
    """
    return Built(params, equations, x.shape)
