"""Specs of every kind, and their modules: what the tests of emitted modules share."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emitted import SPECS, Emitted, inputs, of_file, of_text

POLICY = next(p for p in SPECS if p.stem == "softmax_policy")
CONVOLUTION = next(p for p in SPECS if p.stem == "convolution")

SEVERAL = """
outputs = ["p", "v"]
aux = ["v"]
equations = \"\"\"
p[b,a] = sum(i: W[a,i]*x[b,i])
v[b] = sum(i: V[i]*x[b,i]) + v0
\"\"\"
[losses.actor]
wrt = ["W"]
equations = "loss = -mean(b: adv[b]*(p[b,act[b]] - logsumexp(a: p[b,a])))"
[losses.critic]
wrt = ["V", "v0", "x", "gamma"]
aux = ["td"]
equations = \"\"\"
td[b] = r[b] + gamma*stop(v[b]) - v[b]
loss = mean(b: td[b]**2)
\"\"\"
[losses.A_b]
wrt = ["x"]
equations = "loss = mean(b: v[b]**2)"
[losses.a_b]
equations = "loss = mean(b: v[b]**2)*alpha"
[sizes]
B = "batch"
N = "features"
A = 2
[params]
W = "real[A, N]"
V = "real[N]"
v0 = "real init=constant(-0.5)"
[data]
x = "real[B, N]"
adv = "real[B]"
act = "int[B] < A"
r = "real[B]"
gamma = "real = 0.99"
alpha = "real"
"""
DATA_ALONE = """
outputs = ["y"]
aux = ["y", "m"]
wrt = ["x", "g"]
equations = \"\"\"
y[b,i] = g*x[b,i]*k[b]/width[b] + where(done[b], 1, 0)
m = max(b: sum(i: y[b,i]))
loss = mean(b: sum(i: y[b,i]**2)) + over*count
\"\"\"
[sizes]
B = "batch"
I = 3
[data]
x = "real[B, I]"
k = "int[B] < 5"
width = "real[B] > 0"
done = "bool[B]"
g = "real = 0.99"
over = "bool"
count = "int = 2"
"""
EXPRESSIONS = """
outputs = ["y"]
equations = \"\"\"
y[i] = sum(j: x[i+j]*W[j]) for i < N, j < K
z[n] = n*u + M for n < M
loss = sum(i: y[i]**2)*sum(n: z[n]**2)
\"\"\"
[sizes]
N = "places"
K = 3
M = "a size of the equations alone"
[params]
W = "real[K]"
[data]
x = "real[2*N + K]"
u = "real"
"""
COLLIDING = """
outputs = ["path"]
equations = \"\"\"
path[kind,name] = sum(t: w[kind,t]*x[name,t]) + sizes[kind] + B2*copies[name]
h[kind,0] = 0 for kind < key
h[kind,x_1+1] = tanh(h[kind,x_1] + memory[kind,x_1]) for x_1 < files
g[name,0] = copies[name]
g[name,dg+1] = tanh(B2*g[name,dg]) + copies[name] for dg < files
loss = sum(kind,name: path[kind,name]*t_1[name]) + sum(kind,x_1: h[kind,x_1]) + mean(name: exp(x[name,at[name]])) + sum(name: g[name,files])*s_1*ParamsGradients*value
\"\"\"
[sizes]
key = "k"
array = "n"
length = 4
files = 3
dtypes = "unused"
[params]
w = "real[key, length]"
sizes = "real[key]"
B2 = "real"
axis = "real"
shape = "real"
[data]
x = "real[array, length]"
copies = "real[array]"
value = "real"
t_1 = "real[array]"
memory = "real[key, files]"
at = "int[array] < length"
s_1 = "real"
ParamsGradients = "real"
"""
UNUSED = """
equations = "loss = sum(i: x[i]*W[i])"
[sizes]
N = "n"
[params]
W = "real[N]"
never = "real[N]"
b = "real"
[data]
x = "real[N]"
"""
FORWARD_ALONE = """
outputs = ["y"]
equations = "y[i] = erf(x[i]) + softplus(c) + erf(c)"
[sizes]
N = "n"
[data]
x = "real[N]"
c = "real = 0.5"
"""
RANK_0 = """
equations = "loss = (w - 3)**2*exp(a)"
[params]
w = "real init=constant(2)"
[data]
a = "real = 1e-3"
"""
DERIVED = """
equations = "loss = sum(i: x[i]*V[i])"
[sizes]
L = "length"
K = 2
U = "(L - K)//2 + 1"
[params]
V = "real[U]"
[data]
x = "real[U]"
"""
TAILS = '''
equations = """
y[b] = erfc(W[row[b],column[b]])
loss = mean(b: y[b])
"""
[sizes]
B = "free"
[params]
W = "real[3, 4]"
[data]
row = "int[B] < 3"
column = "int[B] < 4"
'''
TEXTS = {
    "several": SEVERAL,
    "data_alone": DATA_ALONE,
    "expressions": EXPRESSIONS,
    "colliding": COLLIDING,
    "unused": UNUSED,
    "forward_alone": FORWARD_ALONE,
    "rank_0": RANK_0,
    "derived": DERIVED,
    "tails": TAILS,
}
every_text = pytest.mark.parametrize("name", TEXTS)

INITS = {
    "glorot_uniform": 2.0 / (40 + 30 * 9),
    "he_normal": 2.0 / (30 * 9),
    "lecun_uniform": 1.0 / (30 * 9),
    "uniform_fan_in": 1.0 / (3 * 30 * 9),
    "normal": 1.0,
    "uniform(0.3)": 0.3**2 / 3,
}


def emitted(name: str) -> Emitted:
    return of_text(TEXTS[name], name)


def policy(batch: int = 4, dtype: Any = np.float64) -> tuple[Any, Any, dict[str, Any]]:
    """The policy's module, parameters and data."""
    found = of_file(POLICY)
    at = inputs(found, dtype, B=batch)
    return found.module, at.params, dict(at.data)
