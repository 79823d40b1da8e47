"""cartpole_a2c: Advantage actor-critic for CartPole: an actor 4-64-64-2 and a critic 4-64-64-1 with
tanh, learned by one loss.

Forward
    actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1[b,i] += actor_c1[i] for b < B
    actor_h1[b,i] = tanh(actor_z1[b,i])
    actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2[b,i] += actor_c2[i] for b < B
    actor_h2[b,i] = tanh(actor_z2[b,i])
    actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor[b,i] += actor_c3[i] for b < B
    critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1[b,i] += critic_c1[i] for b < B
    critic_h1[b,i] = tanh(critic_z1[b,i])
    critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2[b,i] += critic_c2[i] for b < B
    critic_h2[b,i] = tanh(critic_z2[b,i])
    critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic[b,i] += critic_c3[i] for b < B

Loss a2c
    lse[b] = logsumexp(a: actor[b,a])
    categorical_entropy[b] += -expdiff(actor[b,a], lse[b])*where(-inf < actor[b,a], actor[b,a] -
        lse[b], 0)
    entropy += categorical_entropy[b]/B
    error[b] = ret[b] - critic[b,0]
    mean_error += error[b]/B
    mean_ret += ret[b]/B
    var_ret += (ret[b] - mean_ret)**2/B
    explained_variance_mean += (error[b] - mean_error)**2/B
    explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
    v[b] = critic[b,0]
    lse_2[b] = logsumexp(a: actor[b,a])
    logp[b] = actor[b,action[b]] - lse_2[b]
    H_pi[b] += -expdiff(actor[b,a], lse_2[b])*where(-inf < actor[b,a], actor[b,a] - lse_2[b], 0)
    loss += (value_weight*(v[b] - stop(ret[b]))**2 - H_pi[b]*entropy_weight - logp[b]*stop(ret[b] -
        v[b]))/B

Gradient (value_and_grad); dX stands for dL/dX.
    actor_where[b,a] = where(-inf < actor[b,a], actor[b,a] - lse[b], 0)
    actor_softmax[b,a] = expdiff(actor[b,a], lse[b])
    categorical_entropy[b] += -actor_softmax[b,a]*actor_where[b,a]
    logp[b] = actor[b,action[b]] - lse[b]
    loss += (value_weight*(v[b] - stop(ret[b]))**2 - categorical_entropy[b]*entropy_weight -
        logp[b]*stop(ret[b] - v[b]))/B
    dcategorical_entropy[b] = -entropy_weight/B for b < B
    dlogp[b] = -stop(ret[b] - v[b])/B
    dv[b] = 2*value_weight*(v[b] - stop(ret[b]))/B
    dactor[b,action[b]] += dlogp[b]
    dlse[b] += -dlogp[b]
    dcritic[b,0] += dv[b]
    dactor_softmax[b,a] = -dcategorical_entropy[b]*actor_where[b,a]
    dactor_where[b,a] = -dcategorical_entropy[b]*actor_softmax[b,a]
    dactor[b,a] += dactor_softmax[b,a]*actor_softmax[b,a]
    dlse[b] += -dactor_softmax[b,a]*actor_softmax[b,a]
    actor_where_2[b,a] = where(-inf < actor[b,a], dactor_where[b,a], 0)
    dactor[b,a] += actor_where_2[b,a]
    actor_where_3[b,a] = where(-inf < actor[b,a], -dactor_where[b,a], 0)
    dlse[b] += actor_where_3[b,a]
    dactor[b,a] += dlse[b]*actor_softmax[b,a]
    dcritic_c3[i] += dcritic[b,i]
    dcritic_W3[i,j] += dcritic[b,i]*critic_h2[b,j]
    dcritic_h2[b,j] += dcritic[b,i]*critic_W3[i,j]
    dcritic_z2[b,i] = dcritic_h2[b,i]*(1 - critic_h2[b,i]**2)
    dcritic_c2[i] += dcritic_z2[b,i]
    dcritic_W2[i,j] += dcritic_z2[b,i]*critic_h1[b,j]
    dcritic_h1[b,j] += dcritic_z2[b,i]*critic_W2[i,j]
    dcritic_z1[b,i] = dcritic_h1[b,i]*(1 - critic_h1[b,i]**2)
    dcritic_c1[i] += dcritic_z1[b,i]
    dcritic_W1[i,j] += dcritic_z1[b,i]*obs[b,j]
    dactor_c3[i] += dactor[b,i]
    dactor_W3[i,j] += dactor[b,i]*actor_h2[b,j]
    dactor_h2[b,j] += dactor[b,i]*actor_W3[i,j]
    dactor_z2[b,i] = dactor_h2[b,i]*(1 - actor_h2[b,i]**2)
    dactor_c2[i] += dactor_z2[b,i]
    dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_z1[b,i] = dactor_h1[b,i]*(1 - actor_h1[b,i]**2)
    dactor_c1[i] += dactor_z1[b,i]
    dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]

Shapes
    actor_W1: real[H, S]
    actor_c1: real[H]
    actor_W2: real[H, H]
    actor_c2: real[H]
    actor_W3: real[A, H]
    actor_c3: real[A]
    critic_W1: real[H, S]
    critic_c1: real[H]
    critic_W2: real[H, H]
    critic_c2: real[H]
    critic_W3: real[1, H]
    critic_c3: real[1]
    obs: real[B, S]
    action: int[B] < A
    ret: real[B]
    value_weight: real = 0.5
    entropy_weight: real = 0.01
    B: steps in the batch

At kinks: there are none.
Held constant: what wrt does not name, and what stop() holds in
    loss += (value_weight*(v[b] - stop(ret[b]))**2 - H_pi[b]*entropy_weight - logp[b]*stop(ret[b] -
        v[b]))/B
Reduction: entropy is summed over b and divided by B; mean_error is summed over b and divided by B;
    mean_ret is summed over b and divided by B; var_ret is summed over b and divided by B;
    explained_variance_mean is summed over b and divided by B; loss is summed over b and divided by
    B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 4, "A": 2, "H": 64}
PARAMETERS = {
    "actor.W1": {"axes": ("H", "S"), "offset": 0, "shape": (64, 4), "strides": (4, 1)},
    "actor.c1": {"axes": ("H",), "offset": 256, "shape": (64,), "strides": (1,)},
    "actor.W2": {"axes": ("H", "H"), "offset": 320, "shape": (64, 64), "strides": (64, 1)},
    "actor.c2": {"axes": ("H",), "offset": 4416, "shape": (64,), "strides": (1,)},
    "actor.W3": {"axes": ("A", "H"), "offset": 4480, "shape": (2, 64), "strides": (64, 1)},
    "actor.c3": {"axes": ("A",), "offset": 4608, "shape": (2,), "strides": (1,)},
    "critic.W1": {"axes": ("H", "S"), "offset": 4610, "shape": (64, 4), "strides": (4, 1)},
    "critic.c1": {"axes": ("H",), "offset": 4866, "shape": (64,), "strides": (1,)},
    "critic.W2": {"axes": ("H", "H"), "offset": 4930, "shape": (64, 64), "strides": (64, 1)},
    "critic.c2": {"axes": ("H",), "offset": 9026, "shape": (64,), "strides": (1,)},
    "critic.W3": {"axes": ("1", "H"), "offset": 9090, "shape": (1, 64), "strides": (64, 1)},
    "critic.c3": {"axes": ("1",), "offset": 9154, "shape": (1,), "strides": (1,)},
}
LAYERS = {
    "actor": (
        {"weight": "actor.W1", "bias": "actor.c1"},
        {"weight": "actor.W2", "bias": "actor.c2"},
        {"weight": "actor.W3", "bias": "actor.c3"},
    ),
    "critic": (
        {"weight": "critic.W1", "bias": "critic.c1"},
        {"weight": "critic.W2", "bias": "critic.c2"},
        {"weight": "critic.W3", "bias": "critic.c3"},
    ),
}
INPUTS = {
    "obs": "real[B, S]",
    "action": "int[B] < A",
    "ret": "real[B]",
    "value_weight": "real = 0.5",
    "entropy_weight": "real = 0.01",
}
OUTPUTS = {
    "actor_forward": ("actor",),
    "critic_forward": ("critic",),
}
BRANCHES = ()
OPERATIONS = {
    "actor_forward": "A * B * H + B * H * H + B * H * S + A * B + 4 * B * H",
    "critic_forward": "B * H * H + B * H * S + 5 * B * H + B",
    "value": "A * B * H + 2 * B * H * H + 2 * B * H * S + 9 * A * B + 9 * B * H + 22 * B",
    "value_and_grad": (
        "3 * A * B * H + 6 * B * H * H + 4 * B * H * S + 21 * A * B + 27 * B * H + 28 "
        "* B"
    ),
}
SPEC_HASH = "64b34117e844d8916d97fbbe4db4f73cb2bac31bd2672480d2d2641b4843105b"
SPEC = r'''description = "Advantage actor-critic for CartPole: an actor 4-64-64-2 and a critic 4-64-64-1 with tanh, learned by one loss."
equations = """
actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
actor_z1[b,i] += actor_c1[i] for b < B
actor_h1[b,i] = tanh(actor_z1[b,i])
actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
actor_z2[b,i] += actor_c2[i] for b < B
actor_h2[b,i] = tanh(actor_z2[b,i])
actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
actor[b,i] += actor_c3[i] for b < B
critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
critic_z1[b,i] += critic_c1[i] for b < B
critic_h1[b,i] = tanh(critic_z1[b,i])
critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
critic_z2[b,i] += critic_c2[i] for b < B
critic_h2[b,i] = tanh(critic_z2[b,i])
critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
critic[b,i] += critic_c3[i] for b < B
"""

[sizes]
B = "steps in the batch"
S = 4
A = 2
H = 64

[params.actor]
W1 = "real[H, S] init=orthogonal(1.414)"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=orthogonal(1.414)"
c2 = "real[H] init=zeros"
W3 = "real[A, H] init=orthogonal(0.01)"
c3 = "real[A] init=zeros"

[params.critic]
W1 = "real[H, S] init=orthogonal(1.414)"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=orthogonal(1.414)"
c2 = "real[H] init=zeros"
W3 = "real[1, H] init=orthogonal(1)"
c3 = "real[1] init=zeros"

[data]
obs = "real[B, S]"
action = "int[B] < A"
ret = "real[B]"
value_weight = "real = 0.5"
entropy_weight = "real = 0.01"

[losses.a2c]
wrt = ["actor_W1", "actor_c1", "actor_W2", "actor_c2", "actor_W3", "actor_c3", "critic_W1", "critic_c1", "critic_W2", "critic_c2", "critic_W3", "critic_c3"]
aux = ["entropy", "explained_variance"]
equations = """
lse[b] = logsumexp(a: actor[b,a])
categorical_entropy[b] += -expdiff(actor[b,a], lse[b])*where(-inf < actor[b,a], actor[b,a] - lse[b], 0)
entropy += categorical_entropy[b]/B
error[b] = ret[b] - critic[b,0]
mean_error += error[b]/B
mean_ret += ret[b]/B
var_ret += (ret[b] - mean_ret)**2/B
explained_variance_mean += (error[b] - mean_error)**2/B
explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
v[b] = critic[b,0]
lse_2[b] = logsumexp(a: actor[b,a])
logp[b] = actor[b,action[b]] - lse_2[b]
H_pi[b] += -expdiff(actor[b,a], lse_2[b])*where(-inf < actor[b,a], actor[b,a] - lse_2[b], 0)
loss += (value_weight*(v[b] - stop(ret[b]))**2 - H_pi[b]*entropy_weight - logp[b]*stop(ret[b] - v[b]))/B
"""
'''  # noqa: E501


class _Views:
    """Arrays by name, most of them views on `flat`; they stay so when assigned to or copied."""

    def __getattr__(self, name):
        known = ", ".join(known for known in vars(self) if not known.startswith("_"))
        raise AttributeError(f"there is no array {name} here; there are {known}")

    def __setattr__(self, name, value):
        """`params.W1 = a` writes a into the view."""
        if name not in vars(self):
            if "_closed" in vars(self):
                self.__getattr__(name)
            super().__setattr__(name, value)
            return
        view = vars(self)[name]
        if isinstance(view, _Views):
            view, value, name = view.flat, getattr(value, "flat", value), f"{name}.flat"
        if np.shape(value) != view.shape:
            raise ValueError(f"{name} is given shape {np.shape(value)}; expected {view.shape}")
        view[...] = value

    def __repr__(self):
        """Params(W1=(64, 4), c1=(64,); 320 float64)."""
        arrays = {name: a for name, a in vars(self).items() if not name.startswith("_")}
        flat = arrays.pop("flat")
        shapes = ", ".join(f"{name}={getattr(a, 'shape', a)}" for name, a in arrays.items())
        return f"{type(self).__name__}({shapes}; {flat.size} {flat.dtype})"

    def __reduce__(self):
        return _rebuilt, (type(self), vars(self))


class Params(_Views):
    """Views on one vector `flat`: actor.W1 (H, S), actor.c1 (H,), actor.W2 (H, H), actor.c2 (H,),
    actor.W3 (A, H), actor.c3 (A,), critic.W1 (H, S), critic.c1 (H,), critic.W2 (H, H),
    critic.c2 (H,), critic.W3 (1, H), critic.c3 (1,).
    """

    def __init__(self, flat, *, S=4, A=2, H=64):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, A * H + 2 * H * H + 2 * H * S + A + 5 * H + 1)
        _part = _parts(self.flat)
        self.actor = _Group(
            _part(A * H + H * H + H * S + A + 2 * H),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(A, H),
            c3=(A,),
        )
        self.critic = _Group(
            _part(H * H + H * S + 3 * H + 1),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, S=4, A=2, H=64):
        self.sizes = _sizes(B=B, S=S, A=A, H=H)
        self._memory = {}


def init(rng, *, S=4, A=2, H=64, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), S=S, A=A, H=H)
    params.actor.W1[...] = _orthogonal(rng, (H, S), 1.414)
    params.actor.c1[...] = 0.0
    params.actor.W2[...] = _orthogonal(rng, (H, H), 1.414)
    params.actor.c2[...] = 0.0
    params.actor.W3[...] = _orthogonal(rng, (A, H), 0.01)
    params.actor.c3[...] = 0.0
    params.critic.W1[...] = _orthogonal(rng, (H, S), 1.414)
    params.critic.c1[...] = 0.0
    params.critic.W2[...] = _orthogonal(rng, (H, H), 1.414)
    params.critic.c2[...] = 0.0
    params.critic.W3[...] = _orthogonal(rng, (1, H), 1.0)
    params.critic.c3[...] = 0.0
    return params


def save(path, params):
    """Write the parameters to an npz file, by name."""
    _dtype_of(params)
    with open(path, "wb") as file:
        np.savez(file, **{name: _place(params, name) for name in PARAMETERS})


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path)
    params = Params(
        np.result_type(*(arrays[name] for name in PARAMETERS)),
        S=_extent(arrays["actor.W1"], 1),
        A=_extent(arrays["actor.W3"], 0),
        H=_extent(arrays["actor.W1"], 0),
    )
    for name in PARAMETERS:
        _put(params, name, arrays[name])
    return params


def load_state_dict(params, source, *, network=None, prefix=""):
    """Set the networks' parameters from a PyTorch state_dict: layer after layer, in its order.

    source:  a mapping of names to arrays, as module.state_dict() is, or the path of an npz of one.
    network: only this one's parameters.
    prefix:  only the entries whose names begin so.
    """
    _dtype_of(params)
    if network is not None and network not in LAYERS:
        raise ValueError(f"there is no network {network!r}; there are {', '.join(LAYERS)}")
    names = LAYERS if network is None else [network]
    _set_layers(params, [layer for name in names for layer in LAYERS[name]], source, prefix)


def actor_forward(params, obs, *, workspace=None):
    """The output actor.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ActorForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    actor_W1, actor_c1, actor_W2 = params.actor.W1, params.actor.c1, params.actor.W2
    actor_c2, actor_W3, actor_c3 = params.actor.c2, params.actor.W3, params.actor.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = tanh(actor_z1[b,i])
    actor_h1 = np.tanh(actor_z1, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = tanh(actor_z2[b,i])
    actor_h2 = np.tanh(actor_z2, out=ws.actor_h2)
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    return actor


def critic_forward(params, obs, *, workspace=None):
    """The output critic.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _CriticForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = tanh(critic_z1[b,i])
    critic_h1 = np.tanh(critic_z1, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = tanh(critic_z2[b,i])
    critic_h2 = np.tanh(critic_z2, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    return critic


def value(params, *, obs, action, ret, value_weight=0.5, entropy_weight=0.01, workspace=None):
    """The loss.

    obs: real[B, S]
    action: int[B] < A
    ret: real[B]
    value_weight: real = 0.5
    entropy_weight: real = 0.01

    Returns (loss, aux); aux is a dict of entropy, explained_variance.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    ret = _real("ret", ret, 1)
    value_weight = dtype.type(_real("value_weight", value_weight, 0))
    entropy_weight = dtype.type(_real("entropy_weight", entropy_weight, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B,))
    _shape("ret", ret, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    ret = _fit(ws, "ret", ret, dtype)
    actor_W1, actor_c1, actor_W2 = params.actor.W1, params.actor.c1, params.actor.W2
    actor_c2, actor_W3, actor_c3 = params.actor.c2, params.actor.W3, params.actor.c3
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = tanh(actor_z1[b,i])
    actor_h1 = np.tanh(actor_z1, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = tanh(actor_z2[b,i])
    actor_h2 = np.tanh(actor_z2, out=ws.actor_h2)
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = tanh(critic_z1[b,i])
    critic_h1 = np.tanh(critic_z1, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = tanh(critic_z2[b,i])
    critic_h2 = np.tanh(critic_z2, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # lse[b] = logsumexp(a: actor[b,a])
    lse = _logsumexp(actor, out=ws.lse, scratch=ws.t_1, total=ws.t_2)
    # actor_where[b,a] = where(-inf < actor[b,a], actor[b,a] - lse[b], 0)
    t_3 = np.greater(actor, -np.inf, out=ws.t_3)
    actor_where = ws.actor_where
    actor_where.fill(0.0)
    np.subtract(actor, lse[:, None], out=actor_where, where=t_3)
    # actor_softmax[b,a] = expdiff(actor[b,a], lse[b])
    actor_softmax = _expdiff(actor, lse[:, None], out=ws.actor_softmax)
    # categorical_entropy[b] += -actor_softmax[b,a]*actor_where[b,a]
    t_1 = np.multiply(actor_softmax, actor_where, out=ws.t_1)
    categorical_entropy = np.sum(t_1, axis=1, out=ws.categorical_entropy)
    np.negative(categorical_entropy, out=categorical_entropy)
    # entropy += categorical_entropy[b]/B
    entropy = np.sum(categorical_entropy) / B
    # error[b] = ret[b] - critic[b,0]
    error = np.subtract(ret, critic[:, 0], out=ws.error)
    # mean_error += error[b]/B
    mean_error = np.sum(error) / B
    # mean_ret += ret[b]/B
    mean_ret = np.sum(ret) / B
    # var_ret += (ret[b] - mean_ret)**2/B
    t_4 = np.subtract(ret, mean_ret, out=ws.t_4)
    np.square(t_4, out=t_4)
    var_ret = np.sum(t_4) / B
    # explained_variance_mean += (error[b] - mean_error)**2/B
    t_5 = np.subtract(error, mean_error, out=ws.t_5)
    np.square(t_5, out=t_5)
    explained_variance_mean = np.sum(t_5) / B
    # explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
    explained_variance = dtype.type(
        1.0 - explained_variance_mean / var_ret if (var_ret > 0.0) else 0.0
    )
    # v[b] = critic[b,0]
    v = ws.v
    np.copyto(v, critic[:, 0])
    # logp[b] = actor[b,action[b]] - lse[b]
    actor_at = _pick(actor, (ws.arange, action), out=ws.actor_at, at=ws.at)
    logp = np.subtract(actor_at, lse, out=ws.logp)
    # loss += (value_weight*(v[b] - stop(ret[b]))**2 - categorical_entropy[b]*entropy_weight -
    #     logp[b]*stop(ret[b] - v[b]))/B
    np.subtract(v, ret, out=t_4)
    np.square(t_4, out=t_4)
    t_4 *= value_weight
    t_2 = np.multiply(categorical_entropy, entropy_weight, out=ws.t_2)
    t_4 -= t_2
    np.subtract(ret, v, out=t_2)
    t_6 = np.multiply(t_2, logp, out=ws.t_6)
    t_4 -= t_6
    loss = np.sum(t_4) / B
    return loss, {"entropy": entropy, "explained_variance": explained_variance}


def value_and_grad(
    params, *, obs, action, ret, value_weight=0.5, entropy_weight=0.01, workspace=None
):
    """The loss and its gradient by actor, critic.

    obs: real[B, S]
    action: int[B] < A
    ret: real[B]
    value_weight: real = 0.5
    entropy_weight: real = 0.01

    Returns ((loss, aux), gradient); aux is a dict of entropy, explained_variance.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    ret = _real("ret", ret, 1)
    value_weight = dtype.type(_real("value_weight", value_weight, 0))
    entropy_weight = dtype.type(_real("entropy_weight", entropy_weight, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B,))
    _shape("ret", ret, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    ret = _fit(ws, "ret", ret, dtype)
    grads = ws.grads
    actor_W1, actor_c1, actor_W2 = params.actor.W1, params.actor.c1, params.actor.W2
    actor_c2, actor_W3, actor_c3 = params.actor.c2, params.actor.W3, params.actor.c3
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = tanh(actor_z1[b,i])
    actor_h1 = np.tanh(actor_z1, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = tanh(actor_z2[b,i])
    actor_h2 = np.tanh(actor_z2, out=ws.actor_h2)
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = tanh(critic_z1[b,i])
    critic_h1 = np.tanh(critic_z1, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = tanh(critic_z2[b,i])
    critic_h2 = np.tanh(critic_z2, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # lse[b] = logsumexp(a: actor[b,a])
    lse = _logsumexp(actor, out=ws.lse, scratch=ws.t_2, total=ws.t_3)
    # actor_where[b,a] = where(-inf < actor[b,a], actor[b,a] - lse[b], 0)
    t_4 = np.greater(actor, -np.inf, out=ws.t_4)
    actor_where = ws.actor_where
    actor_where.fill(0.0)
    np.subtract(actor, lse[:, None], out=actor_where, where=t_4)
    # actor_softmax[b,a] = expdiff(actor[b,a], lse[b])
    actor_softmax = _expdiff(actor, lse[:, None], out=ws.actor_softmax)
    # categorical_entropy[b] += -actor_softmax[b,a]*actor_where[b,a]
    t_5 = np.multiply(actor_softmax, actor_where, out=ws.t_5)
    categorical_entropy = np.sum(t_5, axis=1, out=ws.categorical_entropy)
    np.negative(categorical_entropy, out=categorical_entropy)
    # entropy += categorical_entropy[b]/B
    entropy = np.sum(categorical_entropy) / B
    # error[b] = ret[b] - critic[b,0]
    error = np.subtract(ret, critic[:, 0], out=ws.error)
    # mean_error += error[b]/B
    mean_error = np.sum(error) / B
    # mean_ret += ret[b]/B
    mean_ret = np.sum(ret) / B
    # var_ret += (ret[b] - mean_ret)**2/B
    t_6 = np.subtract(ret, mean_ret, out=ws.t_6)
    np.square(t_6, out=t_6)
    var_ret = np.sum(t_6) / B
    # explained_variance_mean += (error[b] - mean_error)**2/B
    t_7 = np.subtract(error, mean_error, out=ws.t_7)
    np.square(t_7, out=t_7)
    explained_variance_mean = np.sum(t_7) / B
    # explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
    explained_variance = dtype.type(
        1.0 - explained_variance_mean / var_ret if (var_ret > 0.0) else 0.0
    )
    # v[b] = critic[b,0]
    v = ws.v
    np.copyto(v, critic[:, 0])
    # logp[b] = actor[b,action[b]] - lse[b]
    actor_at = _pick(actor, (ws.arange, action), out=ws.actor_at, at=ws.at)
    logp = np.subtract(actor_at, lse, out=ws.logp)
    # loss += (value_weight*(v[b] - stop(ret[b]))**2 - categorical_entropy[b]*entropy_weight -
    #     logp[b]*stop(ret[b] - v[b]))/B
    np.subtract(v, ret, out=t_6)
    t_8 = np.square(t_6, out=ws.t_8)
    t_8 *= value_weight
    t_3 = np.multiply(categorical_entropy, entropy_weight, out=ws.t_3)
    t_8 -= t_3
    np.subtract(ret, v, out=t_3)
    t_9 = np.multiply(t_3, logp, out=ws.t_9)
    t_8 -= t_9
    loss = np.sum(t_8) / B
    # dcategorical_entropy[b] = -entropy_weight/B for b < B
    dcategorical_entropy = ws.dcategorical_entropy
    dcategorical_entropy.fill(-entropy_weight / B)
    # dlogp[b] = -stop(ret[b] - v[b])/B
    dlogp = np.divide(t_3, -B, out=ws.dlogp)
    # dv[b] = 2*value_weight*(v[b] - stop(ret[b]))/B
    dv = np.multiply(t_6, 2.0 * value_weight / B, out=ws.dv)
    # dcritic[b,0] += dv[b]
    dcritic = ws.dcritic
    np.copyto(dcritic[:, 0], dv)
    # dactor_softmax[b,a] = -dcategorical_entropy[b]*actor_where[b,a]
    dactor_softmax = np.multiply(actor_where, dcategorical_entropy[:, None], out=ws.dactor_softmax)
    np.negative(dactor_softmax, out=dactor_softmax)
    # dactor_where[b,a] = -dcategorical_entropy[b]*actor_softmax[b,a]
    dactor_where = np.multiply(actor_softmax, dcategorical_entropy[:, None], out=ws.dactor_where)
    np.negative(dactor_where, out=dactor_where)
    # dactor[b,a] += dactor_softmax[b,a]*actor_softmax[b,a]
    t_1 = np.multiply(actor_softmax, dactor_softmax, out=ws.t_1)
    dactor = ws.dactor
    np.copyto(dactor, t_1)
    # dactor[b,action[b]] += dlogp[b]
    _add_at(dactor, (ws.arange, action), dlogp, at=ws.at, scratch=ws.t_9)
    # dlse[b] += -dactor_softmax[b,a]*actor_softmax[b,a]
    dlse = np.sum(t_1, axis=1, out=ws.dlse)
    np.negative(dlse, out=dlse)
    # dlse[b] += -dlogp[b]
    dlse -= dlogp
    # actor_where_2[b,a] = where(-inf < actor[b,a], dactor_where[b,a], 0)
    actor_where_2 = ws.actor_where_2
    actor_where_2.fill(0.0)
    np.copyto(actor_where_2, dactor_where, where=t_4)
    # dactor[b,a] += actor_where_2[b,a]
    dactor += actor_where_2
    # actor_where_3[b,a] = where(-inf < actor[b,a], -dactor_where[b,a], 0)
    actor_where_3 = ws.actor_where_3
    actor_where_3.fill(0.0)
    np.negative(dactor_where, out=actor_where_3, where=t_4)
    # dlse[b] += actor_where_3[b,a]
    np.sum(actor_where_3, axis=1, out=t_3)
    dlse += t_3
    # dactor[b,a] += dlse[b]*actor_softmax[b,a]
    np.multiply(actor_softmax, dlse[:, None], out=t_1)
    dactor += t_1
    # dcritic_c3[i] += dcritic[b,i]
    np.sum(dcritic, axis=0, out=grads.critic.c3)
    # dcritic_W3[i,j] += dcritic[b,i]*critic_h2[b,j]
    np.matmul(dcritic.T, critic_h2, out=grads.critic.W3)
    # dcritic_h2[b,j] += dcritic[b,i]*critic_W3[i,j]
    dcritic_h2 = np.matmul(dcritic, critic_W3, out=ws.dcritic_h2)
    # dcritic_z2[b,i] = dcritic_h2[b,i]*(1 - critic_h2[b,i]**2)
    dcritic_z2 = np.square(critic_h2, out=ws.dcritic_z2)
    np.subtract(1.0, dcritic_z2, out=dcritic_z2)
    dcritic_z2 *= dcritic_h2
    # dcritic_c2[i] += dcritic_z2[b,i]
    np.sum(dcritic_z2, axis=0, out=grads.critic.c2)
    # dcritic_W2[i,j] += dcritic_z2[b,i]*critic_h1[b,j]
    np.matmul(dcritic_z2.T, critic_h1, out=grads.critic.W2)
    # dcritic_h1[b,j] += dcritic_z2[b,i]*critic_W2[i,j]
    dcritic_h1 = np.matmul(dcritic_z2, critic_W2, out=ws.dcritic_h1)
    # dcritic_z1[b,i] = dcritic_h1[b,i]*(1 - critic_h1[b,i]**2)
    dcritic_z1 = np.square(critic_h1, out=ws.dcritic_z1)
    np.subtract(1.0, dcritic_z1, out=dcritic_z1)
    dcritic_z1 *= dcritic_h1
    # dcritic_c1[i] += dcritic_z1[b,i]
    np.sum(dcritic_z1, axis=0, out=grads.critic.c1)
    # dcritic_W1[i,j] += dcritic_z1[b,i]*obs[b,j]
    np.matmul(dcritic_z1.T, obs, out=grads.critic.W1)
    # dactor_c3[i] += dactor[b,i]
    np.sum(dactor, axis=0, out=grads.actor.c3)
    # dactor_W3[i,j] += dactor[b,i]*actor_h2[b,j]
    np.matmul(dactor.T, actor_h2, out=grads.actor.W3)
    # dactor_h2[b,j] += dactor[b,i]*actor_W3[i,j]
    dactor_h2 = np.matmul(dactor, actor_W3, out=ws.dactor_h2)
    # dactor_z2[b,i] = dactor_h2[b,i]*(1 - actor_h2[b,i]**2)
    dactor_z2 = np.square(actor_h2, out=ws.dactor_z2)
    np.subtract(1.0, dactor_z2, out=dactor_z2)
    dactor_z2 *= dactor_h2
    # dactor_c2[i] += dactor_z2[b,i]
    np.sum(dactor_z2, axis=0, out=grads.actor.c2)
    # dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    np.matmul(dactor_z2.T, actor_h1, out=grads.actor.W2)
    # dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_h1 = np.matmul(dactor_z2, actor_W2, out=ws.dactor_h1)
    # dactor_z1[b,i] = dactor_h1[b,i]*(1 - actor_h1[b,i]**2)
    dactor_z1 = np.square(actor_h1, out=ws.dactor_z1)
    np.subtract(1.0, dactor_z1, out=dactor_z1)
    dactor_z1 *= dactor_h1
    # dactor_c1[i] += dactor_z1[b,i]
    np.sum(dactor_z1, axis=0, out=grads.actor.c1)
    # dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]
    np.matmul(dactor_z1.T, obs, out=grads.actor.W1)
    return (loss, {"entropy": entropy, "explained_variance": explained_variance}), grads


class _ActorForwardMemory:
    """The buffers of actor_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.actor_z2 = np.empty((B, H), dtype)
        self.actor = np.empty((B, A), dtype)


class _CriticForwardMemory:
    """The buffers of critic_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_z1 = self.critic_h1 = self.critic_h2 = np.empty((B, H), dtype)
        self.critic_z2 = np.empty((B, H), dtype)
        self.critic = np.empty((B, 1), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = self.critic_z1 = np.empty((B, H), dtype)
        self.critic_h1 = self.critic_h2 = self.actor_z1
        self.actor_z2 = self.critic_z2 = np.empty((B, H), dtype)
        self.actor = np.empty((B, A), dtype)
        self.critic = np.empty((B, 1), dtype)
        self.lse = self.logp = self.t_6 = np.empty((B,), dtype)
        self.error = self.t_5 = self.v = np.empty((B,), dtype)
        self.actor_softmax = np.empty((B, A), dtype)
        self.t_1 = self.actor_where = np.empty((B, A), dtype)
        self.t_2 = self.categorical_entropy = np.empty((B,), dtype)
        self.t_3 = np.empty((B, A), np.bool_)
        self.t_4 = self.actor_at = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.dactor_z1 = np.empty((B, H), dtype)
        self.actor_z2 = self.actor_h2 = self.dactor_z2 = np.empty((B, H), dtype)
        self.actor = self.dactor_softmax = self.t_1 = self.actor_where_2 = np.empty((B, A), dtype)
        self.actor_where_3 = self.actor
        self.critic_z1 = self.critic_h1 = self.dcritic_z1 = self.dactor_h2 = np.empty((B, H), dtype)
        self.dactor_h1 = self.critic_z1
        self.critic_z2 = self.critic_h2 = self.dcritic_z2 = np.empty((B, H), dtype)
        self.critic = self.dcritic = np.empty((B, 1), dtype)
        self.lse = self.logp = self.t_9 = self.dcategorical_entropy = np.empty((B,), dtype)
        self.dlse = self.lse
        self.error = self.t_7 = self.v = self.dv = np.empty((B,), dtype)
        self.actor_softmax = np.empty((B, A), dtype)
        self.dcritic_h2 = self.dcritic_h1 = np.empty((B, H), dtype)
        self.t_2 = self.actor_where = self.dactor_where = np.empty((B, A), dtype)
        self.t_3 = self.categorical_entropy = self.dlogp = np.empty((B,), dtype)
        self.t_4 = np.empty((B, A), np.bool_)
        self.t_5 = self.dactor = np.empty((B, A), dtype)
        self.t_6 = self.actor_at = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_8 = np.empty((B,), dtype)
        self.grads = Params(dtype, S=S, A=A, H=H)


class _Group(_Views):
    """Named views on a part of the parameters' vector, and that part itself as `flat`."""

    def __init__(self, flat, **shapes):
        self._sizes = shapes
        self.flat = flat
        part = _parts(flat)
        for name, shape in shapes.items():
            setattr(self, name, part(*shape))
        self._closed = True


def _add_at(target, places, values, at, scratch):
    """target[places] += values, where no place comes twice; `at` is room for positions."""
    joined = _by_position(target, places, at)
    np.take(joined, at, axis=0, out=scratch, mode="clip")
    scratch += values
    joined[at] = scratch


def _array(name, value, axes, kinds):
    """The argument as an array whose kind of numbers and number of axes are as declared."""
    try:
        array = np.asarray(value)
    except ValueError as error:
        raise ValueError(f"{name} is no array: {error}; expected {INPUTS[name]}") from None
    if array.dtype.kind not in kinds:
        raise TypeError(f"{name} has dtype {array.dtype}; expected {INPUTS[name]}")
    if array.ndim != axes:
        raise ValueError(f"{name} has shape {array.shape}; expected {INPUTS[name]}")
    return array


def _arrays(path, *sizes):
    """The file's arrays by name: the parameters, and the sizes that their shapes do not show."""
    arrays = _npz(path)
    expected = sorted([*PARAMETERS, *sizes])
    if sorted(arrays) != expected:
        raise ValueError(f"{path} holds {sorted(arrays)}; expected {expected}")
    for name in PARAMETERS:
        dtype = arrays[name].dtype
        if dtype.kind != "f":
            raise ValueError(f"{path}: {name} has dtype {dtype}; expected real numbers")
    return arrays


def _below(name, value, limit):
    """Every entry is at least 0, and below the limit if there is one."""
    low, high = np.min(value), np.max(value)
    if low < 0 or (limit is not None and high >= limit):
        wanted = "0 or more" if limit is None else f"0 to {limit - 1}"
        raise ValueError(f"{name} has values from {low} to {high}; expected {wanted}")


def _by_position(array, places, at, axis=0):
    """The array, the axes of `places` as one; `at` is filled with where the places lie on it."""
    joined, *lengths = array.shape[axis : axis + len(places)]
    np.copyto(at, places[0])
    for place, length in zip(places[1:], lengths, strict=True):
        at *= length
        at += place
        joined *= length
    return array.reshape(*array.shape[:axis], joined, *array.shape[axis + len(places) :])


def _dtype_of(params):
    """The parameters choose the type of every number: float32 or float64."""
    if not isinstance(params, Params):
        came = _whose(params, Params)
        raise TypeError(f"params is of type {came}; expected this module's Params")
    return params.flat.dtype


def _expdiff(x, m, out=None, where=True):
    """exp(x - m), and 0 where both are -inf: the lowest finite number stands in for -inf in m."""
    lowest = np.finfo(np.result_type(x, m)).min
    m = np.maximum(m, lowest, out=out, where=where)
    return np.exp(np.subtract(x, m, out=out, where=where), out=out, where=where)


def _extent(array, axis):
    """The length of an axis; 1 where there is none, which no shape then fits."""
    return array.shape[axis] if axis < array.ndim else 1


def _fit(ws, name, array, dtype):
    """The array itself if its type and layout suit, else a copy in the function's memory."""
    if array.dtype == dtype and array.flags.c_contiguous and array.flags.aligned:
        return array
    if name not in ws._copies:
        ws._copies[name] = np.empty(array.shape, dtype)
    np.copyto(ws._copies[name], array, casting="unsafe")
    return ws._copies[name]


def _integer(name, value, axes):
    """An argument of whole numbers."""
    return _array(name, value, axes, "iu")


def _length(size, name, array, axis, times=1, plus=0):
    """The size that makes the axis times * size + plus long."""
    value, rest = divmod(array.shape[axis] - plus, times)
    if rest or value < 1:
        raise ValueError(
            f"{name} has shape {array.shape}; expected {INPUTS[name]} with {size} of at least 1"
        )
    return value


def _logsumexp(x, out=None, *, scratch, total):
    """log of the sum of exp(x) over the last axis; -inf for a row of -inf, inf where one is inf."""
    limits = np.finfo(x.dtype)
    high = np.max(x, axis=-1, out=out)
    high = np.minimum(np.maximum(high, limits.min, out=out), limits.max, out=out)
    np.exp(np.subtract(x, high[..., None], out=scratch), out=scratch)
    np.sum(scratch, axis=-1, out=total)
    with np.errstate(divide="ignore"):
        return np.add(high, np.log(total, out=total), out=out)


def _memory(workspace, kind, dtype, /, **sizes):
    """One function's memory: the workspace's if there is one, else new."""
    if workspace is None:
        return kind(dtype, **sizes)
    if not isinstance(workspace, Workspace):
        came = _whose(workspace, Workspace)
        raise TypeError(f"workspace is of type {came}; expected this module's Workspace")
    for name, size in sizes.items():
        if workspace.sizes[name] != size:
            made = workspace.sizes[name]
            raise ValueError(f"workspace is made for {name}={made}; this call has {name}={size}")
    key = kind, np.dtype(dtype)
    if key not in workspace._memory:
        workspace._memory[key] = kind(dtype, **sizes)
    return workspace._memory[key]


def _npz(path):
    """The arrays of an npz file by name."""
    with open(path, "rb") as file:
        try:
            loaded = np.load(file, allow_pickle=False)
        except (ValueError, EOFError):
            raise ValueError(f"{path} is not an npz file") from None
        if isinstance(loaded, np.ndarray):
            raise ValueError(f"{path} holds one array; expected an npz file")
        return {name: loaded[name] for name in loaded.files}


def _orthogonal(rng, shape, gain):
    """gain * Q: orthonormal rows or columns, whichever are fewer."""
    rows, columns = shape[0], int(np.prod(shape[1:]))
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return gain * (q if rows >= columns else q.T).reshape(shape)


def _parts(flat):
    """A function that gives the next part of a vector, in the shape that it is asked for."""
    start = 0

    def part(*shape):
        nonlocal start
        first, start = start, start + int(np.prod(shape, dtype=np.intp))
        return flat[first:start].reshape(shape)

    return part


def _pick(array, places, out, at, axis=0):
    """array[places], the first of the places on `axis`; `at` is room for positions.

    The places were checked on entry: mode="clip" only spares np.take a copy of `out`.
    """
    return np.take(_by_position(array, places, at, axis), at, axis=axis, out=out, mode="clip")


def _place(params, name):
    """The array that a dotted name means: q.W1 is params.q.W1."""
    for part in name.split("."):
        params = getattr(params, part)
    return params


def _put(params, name, value):
    """params.q.W1 = value, for the dotted name q.W1."""
    *groups, last = name.split(".")
    setattr(_place(params, ".".join(groups)) if groups else params, last, value)


def _real(name, value, axes):
    """An argument of real numbers; integers and truth values are numbers too."""
    return _array(name, value, axes, "fiub")


def _rebuilt(kind, state):
    """A copy whose views are views on its own vector: for copy.deepcopy and pickle."""
    views = kind(state["flat"], **state["_sizes"])
    for name in state:
        if not name.startswith("_"):
            setattr(views, name, state[name])
    return views


def _set_layers(params, layers, source, prefix):
    """Each layer's parameters from the source's next layer."""
    found = _state(source, prefix)
    if len(found) != len(layers):
        here = ", ".join(next(iter(layer.values())) for layer in layers)
        there = ", ".join(found) or "none"
        raise ValueError(
            f"the state_dict has {len(found)} layers: {there}; expected {len(layers)}: {here}; "
            "network= or prefix= takes a part"
        )
    arrays = {}
    for (layer, entries), names in zip(found.items(), layers, strict=True):
        if sorted(entries) != sorted(names):
            wanted = f"{' and '.join(names)}, for {' and '.join(names.values())}"
            raise ValueError(
                f"layer {layer!r} has {' and '.join(sorted(entries))}; expected {wanted}"
            )
        for kind, name in names.items():
            arrays[name] = np.asarray(entries[kind])
            came, expected = arrays[name].shape, _place(params, name).shape
            if came != expected:
                raise ValueError(f"{layer}.{kind} has shape {came}; expected {expected}, as {name}")
            if arrays[name].dtype.kind != "f":
                raise ValueError(f"{layer}.{kind} has dtype {arrays[name].dtype}; expected reals")
    for name, array in arrays.items():
        _place(params, name)[...] = array


def _shape(name, array, expected):
    """Nothing is broadcast: (N, 1) is not (N,)."""
    if array.shape != expected:
        raise ValueError(
            f"{name} has shape {array.shape}; expected {expected}, that is {INPUTS[name]}"
        )


def _size(name, size):
    """A size that was passed by name: a whole number of at least 1."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise ValueError(f"{name} is {size!r}; expected a whole number of at least 1")
    return int(size)


def _sizes(**sizes):
    """Sizes by name, each a whole number of at least 1."""
    return {name: _size(name, size) for name, size in sizes.items()}


def _state(source, prefix):
    """A state_dict's parameters, layer by layer: {"0": {"weight": ..., "bias": ...}, "2": ...}."""
    statistics = ("running_mean", "running_var", "num_batches_tracked")  # data, not parameters
    if not hasattr(source, "items"):
        source = _npz(source)
    found: dict = {}
    for name, value in source.items():
        if name.startswith(prefix):
            layer, _, kind = name.removeprefix(prefix).rpartition(".")
            array = value.detach().cpu() if hasattr(value, "detach") else value
            if kind not in statistics:
                found.setdefault(layer, {})[kind] = array
    if all(layer.isdigit() for layer in found):  # nn.Sequential, whatever the order in a file
        found = {layer: found[layer] for layer in sorted(found, key=int)}
    return found


def _vector(flat, length):
    """The one vector behind the views: what came, not copied; of a dtype, a new one."""
    flat = np.empty(length, flat) if isinstance(flat, np.dtype) else np.asarray(flat)
    if flat.dtype not in (np.float32, np.float64):
        raise TypeError(f"flat has dtype {flat.dtype}; expected float32 or float64")
    if flat.shape != (length,):
        raise ValueError(f"flat has shape {flat.shape}; expected ({length},)")
    if not flat.flags.c_contiguous:
        raise ValueError("flat has gaps between its numbers; expected a contiguous vector")
    return flat


def _whose(thing, wanted):
    """A class's name in a message; of a namesake of the wanted one, the module that it is from."""
    kind = type(thing)
    if kind.__name__ != wanted.__name__:
        return kind.__name__
    older = ", from before it was loaded again" if kind.__module__ == wanted.__module__ else ""
    return f"{kind.__name__} of the module {kind.__module__}{older}"
