"""Derivations with numbers: each built-in spec at drawn values, and how its formulas are evaluated."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from catalogue import EVERY, is_large

from symgrad.explain.build import explain
from symgrad.explain.derivation import Derivation
from symgrad.explain.numbers import Numbers
from symgrad.explain.values import values_text
from symgrad.notation.canonical import program_toml
from symgrad.notation.values import Given
from symgrad.spec import Spec, parse_spec
from symgrad.verify.arithmetic import Array
from symgrad.verify.evaluate import evaluate

SPECS = [path for path in EVERY if not is_large(EVERY[path])]
FEW = 3
"""The most that a size is; those that a fixed size depends on keep their own."""

EVERYTHING = """
description = "100% of $x$ & more_so <b>*."
equations = '''
e[b,s,i] = E[tok[b,s],i]
m[b,i] = mean(s: e[b,s,i])
g[i] = G[i,i]*S[i,0] for i < H
q[b,a] = sum(i: W[a,i]*m[b,i]*g[i]) + w0[a]
best[b] = argmax(a: q[b,a])
goal[b] = r[b] + gamma*max(a: qt[b,a])
err[b] = q[b,best[b]] - stop(goal[b]*q[b,0])
z[b,l] = sum(k: K[k]*pad(u[b,2*l+3*k-2])) for l < 4
f[b,t] = V[t+1] + V[T-1-t]*r[b]*t for t < T - 1
loss = 0.5*mean(b: minimum(err[b]**2, abs(err[b]))) + c*sum(a,i: W[a,i]**2) + mean(b: sum(l: z[b,l]**2)) + sum(b,t: f[b,t]**2/2)
'''
wrt = ["E", "G", "S", "W", "w0", "K", "V", "u", "unused"]
[sizes]
B = "batch"
M = "tokens"
H = 4
A = 3
N = 7
T = 5
[params]
E = "real[N, H]"
G = "real[H, H]"
S = "real[H, 1]"
W = "real[A, H]"
w0 = "real[A]"
K = "real[3]"
V = "real[T]"
unused = "real[H]"
[data]
tok = "int[B, M] < N"
r = "real[B]"
gamma = "real = 0.99"
c = "real = 0.01"
qt = "real[B, A]"
u = "real[B, 10]"
[values]
seed = 3
B = 2
M = 2
"""
"""Every kind of read and of reduction that a step can be about."""


@cache
def cases() -> dict[str, tuple[Spec, str, Given]]:
    """Each loss of each spec that has values: the spec, the loss, and drawn values."""
    found: dict[str, tuple[Spec, str, Given]] = {}
    specs = [EVERY[path] for path in SPECS]
    for spec in (*specs, parse_spec(EVERYTHING, "everything")):
        if not spec.functions:
            for loss in spec.losses:
                found[f"{spec.name}-{loss.name}"] = (spec, loss.name, drawn(spec))
    return found


def drawn(spec: Spec, seed: int = 7) -> Given:
    """Small sizes, and a seed."""
    own = spec.name == "convolution"
    sizes = [
        f"{name} = {size if own and size else min(size or FEW - 1, FEW)}"
        for name, size in spec.sizes
        if spec.name != "everything" or size is None
    ]
    return values_text("\n".join([f"seed = {seed}", *sizes]), spec)


@cache
def derived(name: str) -> Derivation:
    spec, loss, given = cases()[name]
    return explain(replace(spec, values=Given()), loss, at=given)


each_case = pytest.mark.parametrize("case", list(cases()))


def numbers_of(derivation: Derivation) -> Numbers:
    assert derivation.book.numbers is not None
    return derivation.book.numbers


def read_back(derivation: Derivation, lines: Sequence[str]) -> list[Array]:
    """What lines of notation come to, beside the derivation's own equations."""
    numbers = numbers_of(derivation)
    names = [f"again_{k}" for k in range(len(lines))]
    renamed = [re.sub(r"^\w+", name, line) for name, line in zip(names, lines, strict=True)]
    text = program_toml(replace(derivation.program, outputs=()))
    text = text.replace('equations = """\n', "\n".join(['equations = """', *renamed, ""]), 1)
    outputs = ", ".join(f'"{name}"' for name in names)
    program = parse_spec(text.replace("outputs = []", f"outputs = [{outputs}]"), "again").shared
    found = evaluate(program, numbers.at.tensors, numbers.at.sizes, outputs=names).values
    return [found[name] for name in names]


def places(shape: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The first and the last place, and one between."""
    every = list(np.ndindex(*shape))
    yield from dict.fromkeys((every[0], every[len(every) // 2], every[-1]))


def entry(name: str, place: tuple[int, ...]) -> str:
    return f"{name}[{','.join(map(str, place))}]" if place else name
