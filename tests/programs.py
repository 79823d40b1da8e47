"""Small programs, how tests run them, and what agreement means.

Every program is raw equations, with sizes and inputs at which something special happens: a tie, a
kink, a collision, a mask. `mathematics` says the same in a library's arrays, from oracles.py, which
knows nothing of symgrad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from functools import cache, cached_property
from types import MappingProxyType, ModuleType
from typing import Any

import numpy as np
import oracles
from catalogue import EVERY, at
from catalogue import NAMES as NAMES
from catalogue import SPECS as SPECS
from emitted import imported
from sympy import Integer

from benchmarks.fuzzing.running import accepted
from symgrad.algebra.access import Access
from symgrad.algebra.derive import Derived, forward, reverse
from symgrad.algebra.program import INF, Program, Range, Tensor, make_equation, slot_symbol
from symgrad.algebra.second import forward_over_reverse, reverse_over_reverse
from symgrad.algebra.sizes import ZERO
from symgrad.pipeline import generate
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.verify.arithmetic import FLOAT64, Numbers
from symgrad.verify.evaluate import Result, evaluate
from symgrad.verify.instance import draw

RELATIVE = {"float64": 1e-12, "float32": 1e-5}

Arrays = Mapping[str, Any]


# ---- agreement ------------------------------------------------------------------------------


def assert_agree(
    what: str, came: object, expected: object, scale: object, slack: float = 0, dtype: Any = float
) -> int:
    """|came - expected| <= tol |expected| + 64 eps S (+ slack), per entry; how many entries.

    tol is 1e-12 for float64, and 1e-5 for float32.
    """
    a, b, s = (np.asarray(v, dtype=float) for v in (came, expected, scale))
    assert a.shape == b.shape, f"{what}: shape {a.shape}, expected {b.shape}"
    relative, rounding = RELATIVE[np.dtype(dtype).name], 64 * float(np.finfo(dtype).eps)
    bound = relative * np.abs(b) + rounding * np.broadcast_to(s, a.shape) + slack
    assert np.isfinite(bound).all(), f"{what}: a bound that is not finite says nothing"
    wrong = ~(np.abs(a - b) <= bound)
    if wrong.any():
        at = tuple(int(k) for k in np.argwhere(wrong)[0])
        raise AssertionError(
            f"{what}: {int(wrong.sum())} of {a.size} entries differ; "
            f"at {at} came {a[at]!r}, expected {b[at]!r}, bound {bound[at]:.3g}"
        )
    assert a.size > 0, f"{what}: nothing was compared"
    return a.size


# ---- running programs ------------------------------------------------------------------------


def fresh_values(
    program: Program, sizes: Mapping[str, int], seed: int = 0
) -> dict[str, np.ndarray]:
    """Ordinary seeded inputs, a drawn one for each that has a default too."""
    drawn = replace(program, tensors=tuple(replace(t, default=None) for t in program.tensors))
    return dict(draw(drawn, sizes, "ordinary", np.random.default_rng(seed)))


def run(
    program: Program,
    values: Arrays,
    sizes: Mapping[str, int],
    *names: str,
    numbers: Numbers = FLOAT64,
) -> Result:
    """The naive evaluation of some tensors, and S of each.

    A mask's -inf counts as -1e300 in S, where 0 * inf would leave no bound at all.
    """
    found = evaluate(program, values, sizes, numbers, outputs=names)
    huge = program.map_equations(lambda e: e.with_body(e.body.xreplace({INF: Integer(10) ** 300})))
    scales = evaluate(huge, values, sizes, numbers, outputs=names, magnitude=True).magnitudes
    return replace(found, magnitudes=scales)


@cache
def module_of(spec: Spec) -> ModuleType:
    return imported(generate(spec), spec.name)


def params_of(
    module: ModuleType, spec: Spec, values: Arrays, sizes: Mapping[str, int], dtype: Any = float
) -> Any:
    """The module's parameters, with these values."""
    known = accepted(module.init, {**sizes, "dtype": dtype})
    params = module.init(np.random.default_rng(0), **known)
    for tensor in spec.tensors:
        if tensor.role == "param":
            at(params, tensor.name)[...] = values[tensor.name]
    return params


def called(
    module: ModuleType, name: str, params: Any, spec: Spec, values: Arrays, *, quiet: bool = False
) -> Any:
    """One of the module's functions, given the data that it takes. quiet: NumPy may not warn."""
    function = getattr(module, name)
    boolean = {t.name for t in spec.tensors if t.kind == "bool"}
    given = {n: np.asarray(v, bool) if n in boolean else v for n, v in values.items()}
    first = accepted(function, {"params": params}).values()
    with np.errstate(all="ignore") if quiet else nullcontext():
        return function(*first, **accepted(function, given))


def emitted_gradient(
    spec: Spec, loss: Loss, values: Arrays, sizes: Mapping[str, int], dtype: Any = float
) -> tuple[float, dict[str, np.ndarray]]:
    """The loss and its gradients, from the emitted module; in float32, with float32 inputs."""
    module = module_of(spec)
    prefix = "" if len(spec.losses) == 1 else f"{loss.name}_"
    params = params_of(module, spec, values, sizes, dtype) if hasattr(module, "init") else None
    came, grads = called(module, f"{prefix}value_and_grad", params, spec, values)
    value = came[0] if isinstance(came, tuple) else came
    return float(value), {name: np.array(at(grads, name)) for name in loss.wrt}


# ---- derivatives of derivatives --------------------------------------------------------------


def dotted(program: Program, pairs: Mapping[str, str], name: str, declare: bool = True) -> Program:
    """The program with name = sum over X of the sum of T[I]*v[I], for T: v in pairs; v is data."""
    tensors = [Tensor(name)]
    equations = []
    for tensor, by in pairs.items():
        shape = program.tensor_of[tensor].shape
        if declare:
            tensors.append(Tensor(by, shape, role="data"))
        box = tuple(Range(f"i{n}", ZERO, size) for n, size in enumerate(shape))
        left, right = (Access.plain(t, tuple(r.index for r in box)) for t in (tensor, by))
        body = slot_symbol(left) * slot_symbol(right)
        equations.append(make_equation(Access(name), body, (left, right), box))
    return program.extended(tensors, equations, (name,))


Product = Derived
"""A Hessian-vector product: result[X] is the tensor of H v by X, where v is given as v_X."""


def gradient_dotted(program: Program, wrt: tuple[str, ...]) -> Program:
    """along = sum of dX*v_X: its gradient is H v."""
    g = reverse(program, "loss", wrt)
    return dotted(g.program, {g.result[x]: f"v_{x}" for x in wrt}, "along")


def reverse_over_forward(program: Program, value: str, wrt: Sequence[str]) -> Product:
    """The gradient of the loss's tangent."""
    t = forward(program, {x: f"v_{x}" for x in wrt}, [value])
    return reverse(t.program, t.result[value], wrt)


ORDERS: Mapping[str, Callable[[Program, str, Sequence[str]], Product]] = {
    "forward over reverse": forward_over_reverse,
    "reverse over reverse": reverse_over_reverse,
    "reverse over forward": reverse_over_forward,
}


# ---- the programs ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Case:
    """text: the spec, or nothing for the catalogue's of that name.

    special: inputs that are not drawn; mathematics: the loss in a library (see oracles.py).
    overflows: where a selection guards against it, so NumPy warns of what is not taken.
    """

    name: str
    mathematics: oracles.Loss
    sizes: Mapping[str, int]
    special: Mapping[str, Any]
    text: str = ""
    overflows: bool = False

    @cached_property
    def spec(self) -> Spec:
        return parse_spec(self.text, self.name) if self.text else EVERY[SPECS / f"{self.name}.toml"]

    @property
    def loss(self) -> Loss:
        return self.spec.losses[0]

    @cached_property
    def values(self) -> dict[str, Any]:
        drawn = fresh_values(self.loss.program, self.sizes)
        return {**drawn, **{n: np.asarray(v) for n, v in self.special.items()}}


def toml(
    equations: str,
    sizes: str,
    *,
    wrt: Sequence[str] = (),
    params: Mapping[str, str] = MappingProxyType({}),
    data: Mapping[str, str] = MappingProxyType({}),
    tensors: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """A spec's text; every size is free."""
    sections = {"sizes": dict.fromkeys(sizes.split(), "free"), "params": params, "data": data}
    head = f"wrt = {list(wrt)}\n" if wrt else ""
    text = f"{head}equations = '''{equations}'''\n"
    for section, rows in {**sections, "tensors": tensors}.items():
        text += f"[{section}]\n" + "".join(f'{name} = "{row}"\n' for name, row in rows.items())
    return text


CASES: tuple[Case, ...] = (
    Case("softmax_policy", oracles.softmax_policy, {"B": 3, "H": 2}, {"action": [1, 0, 1]}),
    Case("attention", oracles.attention, {"B": 2, "T": 3, "D": 2, "A": 2, "K": 2}, {}),
    Case("convolution", oracles.convolution, {"B": 2, "L": 7, "C": 2, "O": 2, "K": 3, "M": 2}, {}),
    Case("gru", oracles.gru, {"B": 2, "T": 3, "D": 2, "H": 2, "K": 2}, {}),
    Case("one_bias", oracles.one_bias, {"N": 4}, {"norm": [1, 0, 1, 0], "w": 2.0}),
    # The rows of W tie, so the lowest index is greedy; act is greedy at the first two places.
    Case(
        "double_dqn",
        oracles.double_dqn,
        {"B": 4, "A": 3, "D": 2},
        {
            "W": [[0.5, 0.25], [0.5, 0.25], [-1.0, 0.75]],
            "obs": [[1.0, 0.5], [-1.0, 0.5], [1.0, 2.0], [0.5, 0.25]],
            "after": [[0.5, 1.0], [-2.0, 0.5], [1.0, 1.0], [0.25, 0.5]],
            "act": [0, 2, 1, 2],
            "gamma": 0.5,
        },
        toml(
            """
q[b,a] = sum(j: W[a,j]*obs[b,j])
n[b,a] = sum(j: W[a,j]*after[b,j])
best[b] = argmax(a: n[b,a])
td[b] = reward[b] + gamma*stop(n[b,best[b]]) - q[b,act[b]]
greedy[b] = argmax(a: q[b,a])
margin[b] = max(a: q[b,a]) - q[b,act[b]]
loss = mean(b: td[b]**2 + exp(q[b,greedy[b]]/4)*margin[b])
""",
            "B A D",
            params={"W": "real[A, D]"},
            data={
                "obs": "real[B, D]",
                "after": "real[B, D]",
                "act": "int[B] < A",
                "reward": "real[B]",
                "gamma": "real = 0.5",
            },
        ),
    ),
    # u = 0 at the first three places; the two sides of minimum tie there; w*x is +-1/2 at three.
    Case(
        "kinks",
        oracles.kinks,
        {"N": 7},
        {
            "w": [1.0, 0.5, -0.5, 2.0, -0.25, 1.5, -0.75],
            "x": [0.5, 1.0, 1.0, 0.5, 0.5, -1.0, 2.0],
            "c": [0.5, 0.5, -0.5, 0.25, 0.5, -2.0, 1.0],
        },
        toml(
            """
u[i] = w[i]*x[i] - c[i]
y[i] = relu(u[i])*w[i]**2 + leaky_relu(u[i], 0.25)*exp(w[i])
y[i] += abs(u[i])*tanh(w[i]) + sign(u[i])*w[i]**3
y[i] += minimum(w[i]**2*x[i], c[i]*w[i])*x[i] + maximum(w[i]**2*x[i], c[i]*w[i])*w[i]*c[i]
y[i] += clip(w[i]*x[i], -0.5, 0.5)*w[i]**2
loss = sum(i: y[i] + where(u[i] <= 0, w[i]**2*x[i], w[i]*x[i]**3))
""",
            "N",
            wrt=["w", "x", "c"],
            params={"w": "real[N]"},
            data={"x": "real[N]", "c": "real[N]"},
        ),
    ),
    # The ratio is 1 at every sample, as in the first epoch: the sides of minimum tie.
    Case(
        "ppo",
        oracles.ppo,
        {"B": 4, "A": 3, "D": 2},
        {"advantage": [1.0, -0.5, 2.0, -1.0], "act": [0, 2, 2, 1]},
        toml(
            """
logits[b,a] = sum(j: W[a,j]*tanh(obs[b,j])) + c[a]
logp[b] = logits[b,act[b]] - logsumexp(a: logits[b,a])
ratio[b] = exp(logp[b] - stop(logp[b]))
loss = -mean(b: minimum(ratio[b]*advantage[b], clip(ratio[b], 0.8, 1.2)*advantage[b]))
""",
            "B A D",
            params={"W": "real[A, D]", "c": "real[A]"},
            data={"obs": "real[B, D]", "act": "int[B] < A", "advantage": "real[B]"},
        ),
    ),
    # Weights shared by two layers, a connection around each; two entries of relu stand at 0.
    Case(
        "residual",
        oracles.residual,
        {"B": 2, "H": 3},
        {
            "x": [[0.0, 0.0, 0.0], [0.5, -0.25, 1.0]],
            "W2": [[0.5, -1.0, 0.25], [0.0, 0.0, 0.0], [1.0, 0.5, -0.5]],
        },
        toml(
            """
t1[b,i] = tanh(x[b,i])
h1[b,i] = x[b,i] + relu(sum(j: W1[i,j]*t1[b,j]))
t2[b,i] = tanh(h1[b,i])
h2[b,i] = h1[b,i] + relu(sum(j: W2[i,j]*t2[b,j]))
t3[b,i] = tanh(h2[b,i])
h3[b,i] = h2[b,i] + relu(sum(j: W1[i,j]*t3[b,j]))
loss = mean(b, i: (h3[b,i] - target[b,i])**2)
""",
            "B H",
            wrt=["W1", "W2", "x"],
            params={"W1": "real[H, H]", "W2": "real[H, H]"},
            data={"x": "real[B, H]", "target": "real[B, H]"},
        ),
    ),
    # Stride 2, dilation 3, padding 1, through a curved function, by the signal too.
    Case(
        "curved_convolution",
        oracles.curved_convolution,
        {"B": 2, "L": 6, "K": 3},
        {},
        toml(
            """
z[b,l] = tanh(sum(k: W[k]*pad(x[b,2*l+3*k-1]))) for l < (L + 1)//2
loss = sum(b, l: z[b,l]**2*y[b,l])
""",
            "B L K",
            wrt=["W", "x"],
            params={"W": "real[K]"},
            data={"x": "real[B, L]", "y": "real[B, (L + 1)//2]"},
        ),
    ),
    Case(
        "normalised",
        oracles.normalised,
        {"B": 3, "D": 2},
        {},
        toml(
            """
m[d] = mean(b: x[b,d])
v[d] = mean(b: (x[b,d] - m[d])**2)
z[b,d] = (x[b,d] - m[d])/sqrt(v[d] + 0.00001)*scale[d] + shift[d]
loss = mean(b, d: softplus(z[b,d])*target[b,d])
""",
            "B D",
            wrt=["x", "scale", "shift"],
            params={"scale": "real[D]", "shift": "real[D]"},
            data={"x": "real[B, D]", "target": "real[B, D]"},
        ),
    ),
    # Three axes counted as one: written, read by a weight and through a tensor, in two orders.
    Case(
        "flattened",
        oracles.flattened,
        {"B": 2, "C": 2, "U": 3, "V": 2, "O": 2},
        {},
        toml(
            """
g[b,c,u,v] = tanh(x[b,c,u,v])
f[b,C*V*u+C*v+c] = g[b,c,u,v]*x[b,c,u,v]
y[b,i] = sum(c,u,v: W[i,U*V*c+V*u+v]*g[b,c,u,v]) + sum(j: Q[i,j]*f[b,j])
m[b,u,v] = logsumexp(c: f[b,C*V*u+C*v+c]) for u < U, v < V, c < C
loss = mean(b: sum(i: y[b,i]**2) + sum(u,v: m[b,u,v]))
""",
            "B C U V O",
            wrt=["W", "Q", "x"],
            params={"W": "real[O, C*U*V]", "Q": "real[O, C*U*V]"},
            data={"x": "real[B, C, U, V]"},
        ),
    ),
    # S is read whole and on its diagonal.
    Case(
        "contrast",
        oracles.contrast,
        {"B": 3, "D": 2, "E": 2},
        {},
        toml(
            """
z[b,d] = sum(e: W[d,e]*x[b,e])
S[b,c] = sum(d: z[b,d]*z[c,d])
loss = mean(b: logsumexp(c: S[b,c]) - S[b,b])
""",
            "B D E",
            wrt=["W", "x"],
            params={"W": "real[D, E]"},
            data={"x": "real[B, E]"},
        ),
    ),
    # E is gathered with repeated places, and read whole.
    Case(
        "embedding",
        oracles.embedding,
        {"B": 2, "T": 3, "V": 4, "D": 2},
        {"token": [[1, 1, 3], [3, 0, 3]], "following": [3, 0]},
        toml(
            """
h[b,d] = tanh(sum(t: E[token[b,t],d]))
logits[b,v] = sum(d: E[v,d]*h[b,d])
loss = mean(b: logsumexp(v: logits[b,v]) - logits[b,following[b]])
""",
            "B T V D",
            params={"E": "real[V, D]"},
            data={"token": "int[B, T] < V", "following": "int[B] < V"},
        ),
    ),
    # A network whose depth is a symbol.
    Case(
        "deep",
        oracles.deep,
        {"L": 3, "H": 2},
        {},
        toml(
            """
x[0,i] = start[i]
x[l+1,i] = tanh(sum(j: w[l,i,j]*x[l,j]))
loss = sum(i: x[L,i]**3)
""",
            "L H",
            wrt=["w", "start"],
            params={"w": "real[L, H, H]"},
            data={"start": "real[H]"},
        ),
    ),
    # In one iteration of the loop b is written one place ahead of a.
    Case(
        "leaps",
        oracles.leaps,
        {"N": 4},
        {},
        toml(
            """
a[0] = w[0]
a[t] = b[t+1]*x[t] + b[t] for 1 <= t < N
b[t] = sin(a[t-2]*w[t]) for 2 <= t < N + 1
loss = a[N-1]*b[N]
""",
            "N",
            wrt=["w", "x"],
            params={"w": "real[N + 1]"},
            data={"x": "real[N]"},
            tensors={"a": "real[N]", "b": "real[N + 1]"},
        ),
    ),
    Case(
        "smooth",
        oracles.smooth,
        {"N": 3},
        {"x": [0.5, -0.25, 0.75], "y": [0.25, 1.5, -0.5]},
        toml(
            """
a[i] = sin(x[i]*y[i])*cos(y[i]) + sinh(x[i])*cosh(x[i]*y[i]) + arctan(x[i]*y[i])
a[i] += log1p(x[i]**2*y[i]**2) + expm1(x[i]*y[i]) + power(1 + x[i]**2, y[i] + x[i])
loss = sum(i: a[i] + sqrt(1 + y[i]**2)*sigmoid(x[i]*y[i]))
""",
            "N",
            wrt=["x", "y"],
            params={"x": "real[N]", "y": "real[N]"},
        ),
    ),
    # What a selection guards is not finite on the other side: exp(800), log(-1), log(0).
    Case(
        "two_sided",
        oracles.two_sided,
        {"N": 4},
        {"x": [800.0, -2.0, -1.0, 0.5]},
        toml(
            """
loss = sum(i: where(x[i] < 0, exp(x[i])*y[i]**2, log(1 + x[i])*y[i]))
""",
            "N",
            wrt=["x", "y"],
            params={"x": "real[N]", "y": "real[N]"},
        ),
        overflows=True,
    ),
)
