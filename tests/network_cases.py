"""Specs with networks by name, each beside the same program as raw equations, and as plain arrays.

`mathematics` is a loss f(xp, nn, held, p): xp is jax.numpy, nn jax.nn, held stops the gradient, and
p has every parameter, datum and scalar as an attribute. It knows nothing of symgrad.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

from symgrad.algebra.sizes import Size
from symgrad.catalog.layer import GIVEN, Layer, Signal

Loss = Callable[..., Any]

HEAD = """
[sizes]
B = "batch"
T = "steps"
H = 3
[data]
obs = "real[B, 4]"
next_obs = "real[B, 4]"
act = "int[B] < 2"
deed = "real[B, 2]"
ret = "real[B]"
done = "bool[B]"
seq = "real[B, T, 4]"
single = "real[4]"
gamma = "real = 0.99"
slope = "real = 0.2"
reach = "real = 0.1"
"""


@dataclass(frozen=True, eq=False)
class Case:
    """A spec with names and the same without.

    named:     the networks and losses.
    params:    the parameters of each network, "" where there is one; each with its shape.
    equations: what is shared, in the notation; own: the equations of each loss, "" where there is one.
    losses:    the mathematics of each.
    """

    name: str
    named: str
    params: Mapping[str, Mapping[str, str]]
    equations: str
    losses: Mapping[str, Loss]
    own: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.named + HEAD

    def raw(self, wrt: Mapping[str, tuple[str, ...]]) -> str:
        """The same program in equations alone; wrt: of each loss."""
        losses = self.own or {"one": ""}
        parts = [f'equations = """\n{"" if not self.own else self.equations}\n"""', HEAD]
        for group, tensors in self.params.items():
            parts.append(f"[params{'.' + group if group else ''}]")
            parts += [f'{name} = "real[{shape}]"' for name, shape in tensors.items()]
        for name, text in losses.items():
            names = ", ".join(f'"{x}"' for x in wrt[name if len(wrt) > 1 else ""])
            equations = text or self.equations
            parts.append(f'[losses.{name}]\nwrt = [{names}]\nequations = """\n{equations}\n"""')
        return "\n".join(parts)


SIZES = {"B": 5, "T": 3, "H": 3}


def linear(x: Any, p: SimpleNamespace, net: str, number: int) -> Any:
    """W x + c, over the last axis."""
    prefix = f"{net}_" if net else ""
    y = x @ getattr(p, f"{prefix}W{number}").T
    bias = getattr(p, f"{prefix}c{number}", None)
    return y if bias is None else y + bias


def normed(xp: Any, x: Any, p: SimpleNamespace, number: int, eps: float = 1e-5) -> Any:
    centred = x - xp.mean(x, axis=-1, keepdims=True)
    variance = xp.mean(centred**2, axis=-1, keepdims=True)
    return getattr(p, f"g{number}") * centred / xp.sqrt(variance + eps) + getattr(p, f"s{number}")


def picked(xp: Any, x: Any, at: Any) -> Any:
    return xp.take_along_axis(x, at[:, None], axis=1)[:, 0]


# ---- one network -----------------------------------------------------------------------------


def mlp(xp, nn, held, p):
    h = xp.tanh(linear(p.obs, p, "", 1))
    h = nn.softplus(linear(h, p, "", 2))
    return xp.mean((linear(h, p, "", 3)[:, 0] - p.ret) ** 2)


MLP = Case(
    "mlp",
    """
loss = "squared_error(q[b,0], ret)"
[networks.q]
input = "obs"
layers = ["dense H tanh", "dense 2*H + 1 softplus", "dense 1"]
""",
    {"": {"W1": "H, 4", "c1": "H", "W2": "2*H+1, H", "c2": "2*H+1", "W3": "1, 2*H+1", "c3": "1"}},
    """
z1[b,i] = sum(j: W1[i,j]*obs[b,j]) + c1[i]
h1[b,i] = tanh(z1[b,i])
z2[b,i] = sum(j: W2[i,j]*h1[b,j]) + c2[i]
h2[b,i] = softplus(z2[b,i])
q[b,i] = sum(j: W3[i,j]*h2[b,j]) + c3[i]
loss = mean(b: (q[b,0] - ret[b])**2)
""",
    {"": mlp},
)


def deep(xp, nn, held, p):
    h, widths = p.obs, range(1, 8)
    for n in widths:
        h = nn.silu(linear(h, p, "", n))
    return xp.sum(linear(h, p, "", 8) ** 2)


DEEP = Case(
    "deep",
    """
[networks.q]
input = "obs"
layers = ["dense 1 silu", "dense 5 silu", "dense 2 silu bias=false", "dense 7 silu", "dense 3 silu", "dense 3 silu", "dense 6 silu", "dense 2 bias=false"]
[losses.one]
equations = "loss = sum(b,i: q[b,i]**2)"
""",
    {
        "": {
            **{f"W{n}": f"{o}, {i}" for n, (i, o) in enumerate(((4, 1), (1, 5), (5, 2), (2, 7), (7, 3), (3, 3), (3, 6), (6, 2)), 1)},
            **{f"c{n}": str(o) for n, o in ((1, 1), (2, 5), (4, 7), (5, 3), (6, 3), (7, 6))},
        }
    },
    "\n".join(
        line
        for n in range(1, 9)
        for line in (
            f"z{n}[b,i] = sum(j: W{n}[i,j]*{'obs' if n == 1 else f'h{n - 1}'}[b,j]){'' if n in (3, 8) else f' + c{n}[i]'}",
            f"h{n}[b,i] = z{n}[b,i]*sigmoid(z{n}[b,i])" if n < 8 else "loss = sum(b,i: z8[b,i]**2)",
        )
    ),
    {"": deep},
)  # fmt: skip


def residual(xp, nn, held, p):
    x = xp.tanh(linear(p.obs, p, "", 1))
    x = x + linear(nn.gelu(linear(x, p, "", 2), approximate=False), p, "", 3)
    inner = linear(normed(xp, x, p, 4), p, "", 5)
    x = x + (inner + xp.where(linear(inner, p, "", 6) > 0, linear(inner, p, "", 6), 0.0))
    return xp.mean((linear(x, p, "", 7)[:, 0] - p.ret) ** 2)


RESIDUAL = Case(
    "residual",
    """
loss = "squared_error(v[b,0], ret)"
[networks.v]
input = "obs"
layers = [
    "dense 5 tanh",
    { residual = ["dense H gelu", "dense 5"] },
    { residual = ["layernorm", "dense 5", { residual = ["dense 5 relu"] }] },
    "dense 1",
]
""",
    {
        "": {
            "W1": "5, 4", "c1": "5", "W2": "H, 5", "c2": "H", "W3": "5, H", "c3": "5", "g4": "5", "s4": "5",
            "W5": "5, 5", "c5": "5", "W6": "5, 5", "c6": "5", "W7": "1, 5", "c7": "1",
        }
    },
    """
z1[b,i] = sum(j: W1[i,j]*obs[b,j]) + c1[i]
h1[b,i] = tanh(z1[b,i])
z2[b,i] = sum(j: W2[i,j]*h1[b,j]) + c2[i]
h2[b,i] = z2[b,i]*erfc(-z2[b,i]/sqrt(2))/2
z3[b,i] = sum(j: W3[i,j]*h2[b,j]) + c3[i]
r3[b,i] = h1[b,i] + z3[b,i]
m4[b] = mean(j: r3[b,j])
v4[b] = mean(j: (r3[b,j] - m4[b])**2)
n4[b,i] = g4[i]*(r3[b,i] - m4[b])/sqrt(v4[b] + 0.00001) + s4[i]
z5[b,i] = sum(j: W5[i,j]*n4[b,j]) + c5[i]
z6[b,i] = sum(j: W6[i,j]*z5[b,j]) + c6[i]
h6[b,i] = relu(z6[b,i])
r6[b,i] = z5[b,i] + h6[b,i]
x6[b,i] = r3[b,i] + r6[b,i]
v[b,i] = sum(j: W7[i,j]*x6[b,j]) + c7[i]
loss = mean(b: (v[b,0] - ret[b])**2)
""",
    {"": residual},
)  # fmt: skip


def normalised(xp, nn, held, p):
    h = nn.mish(normed(xp, linear(p.obs, p, "", 1), p, 2))
    return xp.sum(normed(xp, h, p, 4, 0.001)[:, 0] * p.ret)


LAYERNORM = Case(
    "layernorm",
    """
[networks.f]
input = "obs"
layers = ["dense 6", "layernorm", "mish", "layernorm eps=1e-3"]
[losses.one]
equations = "loss = sum(b: f[b,0]*ret[b])"
""",
    {"": {"W1": "6, 4", "c1": "6", "g2": "6", "s2": "6", "g4": "6", "s4": "6"}},
    """
z1[b,i] = sum(j: W1[i,j]*obs[b,j]) + c1[i]
m2[b] = sum(j: z1[b,j])/6
v2[b] = sum(j: (z1[b,j] - m2[b])**2)/6
n2[b,i] = g2[i]*(z1[b,i] - m2[b])/sqrt(v2[b] + 1/100000) + s2[i]
h3[b,i] = n2[b,i]*tanh(softplus(n2[b,i]))
m4[b] = sum(j: h3[b,j])/6
v4[b] = sum(j: (h3[b,j] - m4[b])**2)/6
f[b,i] = g4[i]*(h3[b,i] - m4[b])/sqrt(v4[b] + 1/1000) + s4[i]
loss = sum(b: f[b,0]*ret[b])
""",
    {"": normalised},
)


def over_time(xp, nn, held, p):
    p_all = nn.softmax(linear(nn.elu(linear(p.seq, p, "", 1)), p, "", 2))
    return xp.mean(xp.sum(p_all**2, axis=-1))


OVER_TIME = Case(
    "a batch and time",
    """
[networks.pi]
input = "seq"
layers = ["dense H elu", "dense 3 softmax"]
[losses.one]
equations = "loss = mean(b,t: sum(a: pi[b,t,a]**2))"
""",
    {"": {"W1": "H, 4", "c1": "H", "W2": "3, H", "c2": "3"}},
    """
z1[b,t,i] = sum(j: W1[i,j]*seq[b,t,j]) + c1[i]
h1[b,t,i] = where(0 < z1[b,t,i], z1[b,t,i], expm1(z1[b,t,i]))
z2[b,t,i] = sum(j: W2[i,j]*h1[b,t,j]) + c2[i]
lse[b,t] = logsumexp(a: z2[b,t,a])
pi[b,t,i] = exp(z2[b,t,i] - lse[b,t])
loss = mean(b,t: sum(a: pi[b,t,a]**2))
""",
    {"": over_time},
)


def without_batch(xp, nn, held, p):
    return xp.sum(xp.tanh(linear(p.single, p, "", 1)) ** 3)


WITHOUT_BATCH = Case(
    "no batch",
    """
[networks.f]
input = "single"
layers = ["dense H tanh"]
[losses.one]
equations = "loss = sum(i: f[i]**3)"
""",
    {"": {"W1": "H, 4", "c1": "H"}},
    """
z1[i] = sum(j: W1[i,j]*single[j]) + c1[i]
f[i] = tanh(z1[i])
loss = sum(i: f[i]**3)
""",
    {"": without_batch},
)


def joined(xp, nn, held, p):
    x = xp.concatenate([p.obs, p.deed, p.next_obs], axis=-1)
    return xp.mean((linear(xp.tanh(linear(x, p, "", 1)), p, "", 2)[:, 0] - p.ret) ** 2)


JOINED = Case(
    "inputs joined",
    """
loss = "squared_error(critic[b,0], ret)"
[networks.critic]
input = ["obs", "deed", "next_obs"]
layers = ["dense H tanh", "dense 1"]
""",
    {"": {"W1": "H, 10", "c1": "H", "W2": "1, H", "c2": "1"}},
    """
x0[b,i] = obs[b,i] for i < 4
x0[b,i+4] = deed[b,i] for i < 2
x0[b,i+6] = next_obs[b,i] for i < 4
z1[b,i] = sum(j: W1[i,j]*x0[b,j]) + c1[i]
h1[b,i] = tanh(z1[b,i])
critic[b,i] = sum(j: W2[i,j]*h1[b,j]) + c2[i]
loss = mean(b: (critic[b,0] - ret[b])**2)
""",
    {"": joined},
)


def scalars(xp, nn, held, p):
    z = linear(p.obs, p, "", 1)
    h = xp.where(z > 0, z, p.slope * z)
    delta = linear(h, p, "", 2)[:, 0] - p.ret
    clipped = xp.clip(delta, -p.reach, p.reach)
    return xp.mean(p.gamma * clipped * (delta - clipped / 2))


SCALARS = Case(
    "run-time scalars",
    """
[networks.v]
input = "obs"
layers = ["dense H leaky_relu(slope)", "dense 1"]
[losses.one]
equations = \"\"\"
d[b] = v[b,0] - ret[b]
c[b] = clip(d[b], -reach, reach)
loss = gamma*mean(b: c[b]*(d[b] - c[b]/2))
\"\"\"
""",
    {"": {"W1": "H, 4", "c1": "H", "W2": "1, H", "c2": "1"}},
    """
z1[b,i] = sum(j: W1[i,j]*obs[b,j]) + c1[i]
h1[b,i] = leaky_relu(z1[b,i], slope)
v[b,i] = sum(j: W2[i,j]*h1[b,j]) + c2[i]
d[b] = v[b,0] - ret[b]
c[b] = clip(d[b], -reach, reach)
loss = gamma*mean(b: c[b]*(d[b] - c[b]/2))
""",
    {"": scalars},
)


# ---- several networks ------------------------------------------------------------------------


def two_layers(xp, p, net, x, activation=None):
    return linear((activation or xp.tanh)(linear(x, p, net, 1)), p, net, 2)


def double_dqn(xp, nn, held, p):
    best = xp.argmax(held(two_layers(xp, p, "q", p.next_obs)), axis=-1)
    after = picked(xp, two_layers(xp, p, "target", p.next_obs), best)
    y = p.ret + p.gamma * (1 - p.done) * held(after)
    return xp.mean((picked(xp, two_layers(xp, p, "q", p.obs), p.act) - y) ** 2)


Q = {"W1": "H, 4", "c1": "H", "W2": "2, H", "c2": "2"}


def q_lines(net: str, x: str, name: str, suffix: str = "") -> str:
    return f"""
{net}_z1{suffix}[b,i] = sum(j: {net}_W1[i,j]*{x}[b,j]) + {net}_c1[i]
{net}_h1{suffix}[b,i] = tanh({net}_z1{suffix}[b,i])
{name}[b,i] = sum(j: {net}_W2[i,j]*{net}_h1{suffix}[b,j]) + {net}_c2[i]
"""


DOUBLE_DQN = Case(
    "double dqn",
    """
[networks.q]
input = "obs"
layers = ["dense H tanh", "dense 2"]
[networks.target]
copy_of = "q"
held = true
[losses.td]
equations = \"\"\"
best[b] = argmax(a: q(next_obs)[b,a])
y[b] = ret[b] + gamma*(1 - done[b])*target(next_obs)[b,best[b]]
loss = mean(b: (q[b,act[b]] - stop(y[b]))**2)
\"\"\"
""",
    {"q": Q, "target": Q},
    q_lines("q", "obs", "q"),
    {"": double_dqn},
    {
        "td": q_lines("q", "next_obs", "online", "_next")
        + q_lines("target", "next_obs", "after", "_next")
        + """
best[b] = argmax(a: online[b,a])
y[b] = ret[b] + gamma*(1 - done[b])*after[b,best[b]]
loss = mean(b: (q[b,act[b]] - stop(y[b]))**2)
"""
    },
)


def critic(xp, p, obs, deed):
    return two_layers(
        xp, p, "critic", xp.concatenate([obs, deed], axis=-1), lambda z: xp.where(z > 0, z, 0.0)
    )


def policy(xp, p, x):
    return xp.tanh(linear(x, p, "mu", 1))


def ddpg_actor(xp, nn, held, p):
    return -xp.mean(critic(xp, p, p.obs, policy(xp, p, p.obs))[:, 0])


def ddpg_critic(xp, nn, held, p):
    y = p.ret + p.gamma * held(critic(xp, p, p.next_obs, policy(xp, p, p.next_obs))[:, 0])
    return xp.mean((critic(xp, p, p.obs, p.deed)[:, 0] - y) ** 2)


def critic_lines(obs: str, deed: str, name: str, suffix: str = "") -> str:
    return f"""
critic_x0{suffix}[b,i] = {obs}[b,i] for i < 4
critic_x0{suffix}[b,i+4] = {deed}[b,i] for i < 2
critic_z1{suffix}[b,i] = sum(j: critic_W1[i,j]*critic_x0{suffix}[b,j]) + critic_c1[i]
critic_h1{suffix}[b,i] = relu(critic_z1{suffix}[b,i])
{name}[b,i] = sum(j: critic_W2[i,j]*critic_h1{suffix}[b,j]) + critic_c2[i]
"""


DDPG = Case(
    "actor through critic",
    """
[networks.mu]
input = "obs"
layers = ["dense 2 tanh"]
[networks.critic]
input = ["obs", "mu"]
layers = ["dense H relu", "dense 1"]
[losses.actor]
wrt = ["mu"]
equations = "loss = -mean(b: critic[b,0])"
[losses.critic_fit]
wrt = ["critic"]
equations = \"\"\"
y[b] = ret[b] + gamma*critic(next_obs, mu(next_obs))[b,0]
loss = mean(b: (critic(obs, deed)[b,0] - stop(y[b]))**2)
\"\"\"
""",
    {"mu": {"W1": "2, 4", "c1": "2"}, "critic": {"W1": "H, 6", "c1": "H", "W2": "1, H", "c2": "1"}},
    """
mu_z1[b,i] = sum(j: mu_W1[i,j]*obs[b,j]) + mu_c1[i]
mu[b,i] = tanh(mu_z1[b,i])
"""
    + critic_lines("obs", "mu", "critic"),
    {"actor": ddpg_actor, "critic_fit": ddpg_critic},
    {
        "actor": "loss = -mean(b: critic[b,0])",
        "critic_fit": """
mu_z1_next[b,i] = sum(j: mu_W1[i,j]*next_obs[b,j]) + mu_c1[i]
mu_next[b,i] = tanh(mu_z1_next[b,i])
"""
        + critic_lines("next_obs", "mu_next", "critic_next", "_next")
        + critic_lines("obs", "deed", "critic_now", "_now")
        + """
y[b] = ret[b] + gamma*critic_next[b,0]
loss = mean(b: (critic_now[b,0] - stop(y[b]))**2)
""",
    },
)


def heads(xp, nn, held, p):
    trunk = xp.tanh(linear(p.obs, p, "trunk", 1))
    logp = nn.log_softmax(linear(trunk, p, "pi", 1))
    v = linear(trunk, p, "v", 1)[:, 0]
    actor = -xp.mean(picked(xp, logp, p.act) * held(p.ret - v))
    return (
        actor + xp.mean((p.ret - v) ** 2) / 2 + p.reach * xp.mean(xp.sum(xp.exp(logp) * logp, -1))
    )


HEADS = Case(
    "heads on a trunk",
    """
[networks.trunk]
input = "obs"
layers = ["dense H tanh"]
[networks.pi]
input = "trunk"
layers = ["dense 2 log_softmax"]
[networks.v]
input = "trunk"
layers = ["dense 1"]
[losses.a2c]
equations = \"\"\"
gain[b] = stop(ret[b] - v[b,0])
loss = -mean(b: pi[b,act[b]]*gain[b]) + mean(b: (ret[b] - v[b,0])**2)/2
loss += reach*mean(b: sum(a: exp(pi[b,a])*pi[b,a]))
\"\"\"
""",
    {
        "trunk": {"W1": "H, 4", "c1": "H"},
        "pi": {"W1": "2, H", "c1": "2"},
        "v": {"W1": "1, H", "c1": "1"},
    },
    """
trunk_z1[b,i] = sum(j: trunk_W1[i,j]*obs[b,j]) + trunk_c1[i]
trunk[b,i] = tanh(trunk_z1[b,i])
pi_z1[b,i] = sum(j: pi_W1[i,j]*trunk[b,j]) + pi_c1[i]
pi[b,i] = pi_z1[b,i] - logsumexp(a: pi_z1[b,a])
v[b,i] = sum(j: v_W1[i,j]*trunk[b,j]) + v_c1[i]
""",
    {"": heads},
    {
        "a2c": """
gain[b] = stop(ret[b] - v[b,0])
loss = -mean(b: pi[b,act[b]]*gain[b]) + mean(b: (ret[b] - v[b,0])**2)/2
loss += reach*mean(b: sum(a: exp(pi[b,a])*pi[b,a]))
"""
    },
)


def computed(xp, nn, held, p):
    phi = xp.sin(p.obs) * p.gamma
    x = xp.tanh(linear(phi, p, "f", 1))
    again = xp.tanh(linear(p.next_obs - phi, p, "f", 1))
    twice = linear(again, p, "g", 1)
    return xp.mean(xp.sum(linear(x, p, "g", 1) * twice, axis=-1))


COMPUTED = Case(
    "computed inputs, and an application to another",
    """
equations = \"\"\"
phi[b,i] = gamma*sin(obs[b,i])
\"\"\"
[networks.f]
input = "phi"
layers = ["dense H tanh"]
[networks.g]
input = "f"
layers = ["dense 2"]
[losses.one]
equations = \"\"\"
rest[b,i] = next_obs[b,i] - phi[b,i]
loss = mean(b: sum(i: g[b,i]*g(f(rest))[b,i]))
\"\"\"
""",
    {"f": {"W1": "H, 4", "c1": "H"}, "g": {"W1": "2, H", "c1": "2"}},
    """
phi[b,i] = gamma*sin(obs[b,i])
f_z1[b,i] = sum(j: f_W1[i,j]*phi[b,j]) + f_c1[i]
f[b,i] = tanh(f_z1[b,i])
g[b,i] = sum(j: g_W1[i,j]*f[b,j]) + g_c1[i]
""",
    {"": computed},
    {
        "one": """
rest[b,i] = next_obs[b,i] - phi[b,i]
f_z1_rest[b,i] = sum(j: f_W1[i,j]*rest[b,j]) + f_c1[i]
f_rest[b,i] = tanh(f_z1_rest[b,i])
g_rest[b,i] = sum(j: g_W1[i,j]*f_rest[b,j]) + g_c1[i]
loss = mean(b: sum(i: g[b,i]*g_rest[b,i]))
"""
    },
)


def saliency(xp, nn, held, p):
    return xp.sum(picked(xp, two_layers(xp, p, "", p.obs), p.act))


SALIENCY = Case(
    "a held network, by its input",
    """
[networks.q]
input = "obs"
layers = ["dense H tanh", "dense 2"]
held = true
[losses.one]
wrt = ["obs"]
equations = "loss = sum(b: q[b,act[b]])"
""",
    {"": Q},
    """
z1[b,i] = sum(j: W1[i,j]*obs[b,j]) + c1[i]
h1[b,i] = tanh(z1[b,i])
q[b,i] = sum(j: W2[i,j]*h1[b,j]) + c2[i]
loss = sum(b: q[b,act[b]])
""",
    {"": saliency},
)

CASES = (
    MLP, DEEP, RESIDUAL, LAYERNORM, OVER_TIME, WITHOUT_BATCH, JOINED, SCALARS, DOUBLE_DQN, DDPG, HEADS, COMPUTED, SALIENCY,
)  # fmt: skip


# ---- one layer of the catalogue -------------------------------------------------------------

TENSORS = {
    "state": "real[B, 3]",
    "cell": "real[B, 3]",
    "reset": "bool[B, 4]",
    "mask": "bool[B, 4]",
    "noise": "real[8]",
    "running_mean": "real[5]",
    "running_var": "real[5] > 0",
    "training": "bool",
}
"""What the options of layers that name a tensor are given."""

AXES = ((), (5,), (4, 3), (5, 5, 5))
"""The sizes that a layer works on, by how many they are: a sequence of few steps, since its
differences cost the square of them, and a window of 3 that moves by 2.
"""


def layer_text(row: Layer) -> str:
    """The layer, every size 3, with the tensors that it needs."""
    needed = [f"{name}={name}" for name, default in row.options if default == GIVEN]
    return " ".join([row.name, *("3" for _ in row.sizes), *needed])


def layer_spec(row: Layer, text: str) -> str:
    """A network of that layer, written so, and a loss of every entry of its output.

    The axes that it works on have the sizes of AXES; integers are below 6.
    """
    axes = AXES[3 if row.axes is None else row.axes]
    shape = ", ".join(["B", *map(str, axes)])
    kind = f"int[{shape}] < 6" if row.reads == "int" else f"real[{shape}]"
    own = tuple(map(Size.of, axes))
    sizes = tuple(Size.of(3) for _ in row.sizes)
    built = row.build(
        Signal(("b",), own[:1] or (Size.of(5),), own, Size.of(6)), sizes, dict(row.options)
    )
    places = ",".join(["b", *("ijkl"[n] for n in range(len(built.shape)))])
    wrt = ["q"] * bool(built.params) + ["x"] * (row.reads == "real")
    data = "\n".join(f'{name} = "{type_}"' for name, type_ in TENSORS.items() if f"={name}" in text)
    return f"""
[networks.q]
input = "x"
layers = ["{text}"]
[sizes]
B = "batch"
[data]
x = "{kind}"
r = "real[B]"
{data}
[losses.one]
wrt = {wrt}
equations = "loss = mean(b: r[b]*sum({places[2:]}: (q[{places}] - 0.3)**3))"
"""
