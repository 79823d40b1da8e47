"""halfcheetah_awr: Advantage-weighted regression for HalfCheetah: a Gaussian actor 17-128-64-6 with
relu and 6 log-stds, and a critic 17-128-64-1; the advantage is the return less the critic's
value.

Forward
    actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1[b,i] += actor_c1[i] for b < B
    actor_h1[b,i] = relu(actor_z1[b,i])
    actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2[b,i] += actor_c2[i] for b < B
    actor_h2[b,i] = relu(actor_z2[b,i])
    actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor[b,i] += actor_c3[i] for b < B
    critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1[b,i] += critic_c1[i] for b < B
    critic_h1[b,i] = relu(critic_z1[b,i])
    critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2[b,i] += critic_c2[i] for b < B
    critic_h2[b,i] = relu(critic_z2[b,i])
    critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic[b,i] += critic_c3[i] for b < B

Loss critic
    q[b] = critic[b,0]
    loss += (q[b] - ret[b])**2/B

Loss actor
    n[b,i] = exp(-log_std[i])*(action[b,i] - actor[b,i])
    normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
    logp[b] = normal_log_prob[b]
    advantage[b] = ret[b] - critic[b,0]
    loss += -logp[b]*stop(exp(minimum(advantage[b]/beta, log(w_max))))/B

Gradient (critic_value_and_grad); dX stands for dL/dX.
    dq[b] = 2*(q[b] - ret[b])/B
    dcritic[b,0] += dq[b]
    dcritic_c3[i] += dcritic[b,i]
    dcritic_W3[i,j] += dcritic[b,i]*critic_h2[b,j]
    dcritic_h2[b,j] += dcritic[b,i]*critic_W3[i,j]
    dcritic_z2[b,i] = where(0 < critic_z2[b,i], dcritic_h2[b,i], 0)
    dcritic_c2[i] += dcritic_z2[b,i]
    dcritic_W2[i,j] += dcritic_z2[b,i]*critic_h1[b,j]
    dcritic_h1[b,j] += dcritic_z2[b,i]*critic_W2[i,j]
    dcritic_z1[b,i] = where(0 < critic_z1[b,i], dcritic_h1[b,i], 0)
    dcritic_c1[i] += dcritic_z1[b,i]
    dcritic_W1[i,j] += dcritic_z1[b,i]*obs[b,j]

Gradient (actor_value_and_grad); dX stands for dL/dX.
    log_std_exp[i] = exp(-log_std[i])
    n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    w_max_log = log(w_max)
    advantage_arg[b] = advantage[b]/beta
    advantage_arg_minimum[b] = minimum(advantage_arg[b], w_max_log)
    advantage_arg_minimum_exp[b] = exp(advantage_arg_minimum[b])
    loss += -normal_log_prob[b]*stop(advantage_arg_minimum_exp[b])/B
    dnormal_log_prob[b] = -stop(advantage_arg_minimum_exp[b])/B
    dlog_std[i] += -dnormal_log_prob[b] for i < A
    dn[b,i] = -dnormal_log_prob[b]*n[b,i]
    dactor[b,i] = -dn[b,i]*log_std_exp[i]
    dlog_std_exp[i] += dn[b,i]*(action[b,i] - actor[b,i])
    dlog_std[i] += -dlog_std_exp[i]*log_std_exp[i]
    dactor_c3[i] += dactor[b,i]
    dactor_W3[i,j] += dactor[b,i]*actor_h2[b,j]
    dactor_h2[b,j] += dactor[b,i]*actor_W3[i,j]
    dactor_z2[b,i] = where(0 < actor_z2[b,i], dactor_h2[b,i], 0)
    dactor_c2[i] += dactor_z2[b,i]
    dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_z1[b,i] = where(0 < actor_z1[b,i], dactor_h1[b,i], 0)
    dactor_c1[i] += dactor_z1[b,i]
    dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]

Shapes
    log_std: real[A]
    actor_W1: real[H1, S]
    actor_c1: real[H1]
    actor_W2: real[H2, H1]
    actor_c2: real[H2]
    actor_W3: real[A, H2]
    actor_c3: real[A]
    critic_W1: real[H1, S]
    critic_c1: real[H1]
    critic_W2: real[H2, H1]
    critic_c2: real[H2]
    critic_W3: real[1, H2]
    critic_c3: real[1]
    obs: real[B, S]
    action: real[B, A]
    ret: real[B]
    beta: real > 0 = 1
    w_max: real > 0 = 20
    B: steps in the batch

At kinks: relu'(0) = 0; a tie of minimum takes the first argument's side.
Held constant: what wrt does not name, and what stop() holds in
    loss += -logp[b]*stop(exp(minimum(advantage[b]/beta, log(w_max))))/B
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 17, "A": 6, "H1": 128, "H2": 64}
PARAMETERS = {
    "log_std": {"axes": ("A",), "offset": 0, "shape": (6,), "strides": (1,)},
    "actor.W1": {"axes": ("H1", "S"), "offset": 6, "shape": (128, 17), "strides": (17, 1)},
    "actor.c1": {"axes": ("H1",), "offset": 2182, "shape": (128,), "strides": (1,)},
    "actor.W2": {"axes": ("H2", "H1"), "offset": 2310, "shape": (64, 128), "strides": (128, 1)},
    "actor.c2": {"axes": ("H2",), "offset": 10502, "shape": (64,), "strides": (1,)},
    "actor.W3": {"axes": ("A", "H2"), "offset": 10566, "shape": (6, 64), "strides": (64, 1)},
    "actor.c3": {"axes": ("A",), "offset": 10950, "shape": (6,), "strides": (1,)},
    "critic.W1": {"axes": ("H1", "S"), "offset": 10956, "shape": (128, 17), "strides": (17, 1)},
    "critic.c1": {"axes": ("H1",), "offset": 13132, "shape": (128,), "strides": (1,)},
    "critic.W2": {"axes": ("H2", "H1"), "offset": 13260, "shape": (64, 128), "strides": (128, 1)},
    "critic.c2": {"axes": ("H2",), "offset": 21452, "shape": (64,), "strides": (1,)},
    "critic.W3": {"axes": ("1", "H2"), "offset": 21516, "shape": (1, 64), "strides": (64, 1)},
    "critic.c3": {"axes": ("1",), "offset": 21580, "shape": (1,), "strides": (1,)},
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
    "action": "real[B, A]",
    "ret": "real[B]",
    "beta": "real > 0 = 1",
    "w_max": "real > 0 = 20",
}
OUTPUTS = {
    "actor_forward": ("actor",),
    "critic_forward": ("critic",),
}
BRANCHES = ()
OPERATIONS = {
    "actor_forward": "A * B * H2 + B * H1 * H2 + B * H1 * S + A * B + 2 * B * H1 + 2 * B * H2",
    "critic_forward": "B * H1 * H2 + B * H1 * S + 2 * B * H1 + 3 * B * H2 + B",
    "critic_value": "B * H1 * H2 + B * H1 * S + 2 * B * H1 + 3 * B * H2 + 4 * B",
    "critic_value_and_grad": "3 * B * H1 * H2 + 2 * B * H1 * S + 4 * B * H1 + 7 * B * H2 + 6 * B",
    "actor_value": (
        "A * B * H2 + 2 * B * H1 * H2 + 2 * B * H1 * S + 8 * A * B + 4 * B * H1 + 5 * "
        "B * H2 + 2 * A + 7 * B"
    ),
    "actor_value_and_grad": (
        "3 * A * B * H2 + 4 * B * H1 * H2 + 3 * B * H1 * S + 16 * A * B + 6 * B * H1 "
        "+ 7 * B * H2 + 4 * A + 9 * B"
    ),
}
SPEC_HASH = "c3e17625ad1c350bf6f0db0b5ac2cf623352aadb071632e20337e8cfc1732a78"
SPEC = r'''description = "Advantage-weighted regression for HalfCheetah: a Gaussian actor 17-128-64-6 with relu and 6 log-stds, and a critic 17-128-64-1; the advantage is the return less the critic's value."
equations = """
actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
actor_z1[b,i] += actor_c1[i] for b < B
actor_h1[b,i] = relu(actor_z1[b,i])
actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
actor_z2[b,i] += actor_c2[i] for b < B
actor_h2[b,i] = relu(actor_z2[b,i])
actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
actor[b,i] += actor_c3[i] for b < B
critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
critic_z1[b,i] += critic_c1[i] for b < B
critic_h1[b,i] = relu(critic_z1[b,i])
critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
critic_z2[b,i] += critic_c2[i] for b < B
critic_h2[b,i] = relu(critic_z2[b,i])
critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
critic[b,i] += critic_c3[i] for b < B
"""

[sizes]
B = "steps in the batch"
S = 17
A = 6
H1 = 128
H2 = 64

[params]
log_std = "real[A] init=constant(-1)"

[params.actor]
W1 = "real[H1, S] init=uniform_fan_in"
c1 = "real[H1] init=zeros"
W2 = "real[H2, H1] init=uniform_fan_in"
c2 = "real[H2] init=zeros"
W3 = "real[A, H2] init=uniform_fan_in"
c3 = "real[A] init=zeros"

[params.critic]
W1 = "real[H1, S] init=uniform_fan_in"
c1 = "real[H1] init=zeros"
W2 = "real[H2, H1] init=uniform_fan_in"
c2 = "real[H2] init=zeros"
W3 = "real[1, H2] init=uniform_fan_in"
c3 = "real[1] init=zeros"

[data]
obs = "real[B, S]"
action = "real[B, A]"
ret = "real[B]"
beta = "real > 0 = 1"
w_max = "real > 0 = 20"

[losses.critic]
wrt = ["critic_W1", "critic_c1", "critic_W2", "critic_c2", "critic_W3", "critic_c3"]
equations = """
q[b] = critic[b,0]
loss += (q[b] - ret[b])**2/B
"""

[losses.actor]
wrt = ["actor_W1", "actor_c1", "actor_W2", "actor_c2", "actor_W3", "actor_c3", "log_std"]
equations = """
n[b,i] = exp(-log_std[i])*(action[b,i] - actor[b,i])
normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
logp[b] = normal_log_prob[b]
advantage[b] = ret[b] - critic[b,0]
loss += -logp[b]*stop(exp(minimum(advantage[b]/beta, log(w_max))))/B
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
    """Views on one vector `flat`: log_std (A,), actor.W1 (H1, S), actor.c1 (H1,),
    actor.W2 (H2, H1), actor.c2 (H2,), actor.W3 (A, H2), actor.c3 (A,), critic.W1 (H1, S),
    critic.c1 (H1,), critic.W2 (H2, H1), critic.c2 (H2,), critic.W3 (1, H2), critic.c3 (1,).
    """

    def __init__(self, flat, *, S=17, A=6, H1=128, H2=64):
        self._sizes = _sizes(S=S, A=A, H1=H1, H2=H2)
        self.flat = _vector(flat, A * H2 + 2 * H1 * H2 + 2 * H1 * S + 2 * A + 2 * H1 + 3 * H2 + 1)
        _part = _parts(self.flat)
        self.log_std = _part(A)
        self.actor = _Group(
            _part(A * H2 + H1 * H2 + H1 * S + A + H1 + H2),
            W1=(H1, S),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(A, H2),
            c3=(A,),
        )
        self.critic = _Group(
            _part(H1 * H2 + H1 * S + H1 + 2 * H2 + 1),
            W1=(H1, S),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(1, H2),
            c3=(1,),
        )
        self._closed = True


class CriticGradients(_Views):
    """Views on one vector `flat`: critic.W1 (H1, S), critic.c1 (H1,), critic.W2 (H2, H1),
    critic.c2 (H2,), critic.W3 (1, H2), critic.c3 (1,).
    """

    def __init__(self, flat, *, S=17, H1=128, H2=64):
        self._sizes = _sizes(S=S, H1=H1, H2=H2)
        self.flat = _vector(flat, H1 * H2 + H1 * S + H1 + 2 * H2 + 1)
        _part = _parts(self.flat)
        self.critic = _Group(
            _part(H1 * H2 + H1 * S + H1 + 2 * H2 + 1),
            W1=(H1, S),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(1, H2),
            c3=(1,),
        )
        self._closed = True


class ActorGradients(_Views):
    """Views on one vector `flat`: log_std (A,), actor.W1 (H1, S), actor.c1 (H1,),
    actor.W2 (H2, H1), actor.c2 (H2,), actor.W3 (A, H2), actor.c3 (A,).
    """

    def __init__(self, flat, *, S=17, A=6, H1=128, H2=64):
        self._sizes = _sizes(S=S, A=A, H1=H1, H2=H2)
        self.flat = _vector(flat, A * H2 + H1 * H2 + H1 * S + 2 * A + H1 + H2)
        _part = _parts(self.flat)
        self.log_std = _part(A)
        self.actor = _Group(
            _part(A * H2 + H1 * H2 + H1 * S + A + H1 + H2),
            W1=(H1, S),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(A, H2),
            c3=(A,),
        )
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, S=17, A=6, H1=128, H2=64):
        self.sizes = _sizes(B=B, S=S, A=A, H1=H1, H2=H2)
        self._memory = {}


def init(rng, *, S=17, A=6, H1=128, H2=64, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), S=S, A=A, H1=H1, H2=H2)
    params.log_std[...] = -1.0
    params.actor.W1[...] = _uniform_fan_in(rng, (H1, S))
    params.actor.c1[...] = 0.0
    params.actor.W2[...] = _uniform_fan_in(rng, (H2, H1))
    params.actor.c2[...] = 0.0
    params.actor.W3[...] = _uniform_fan_in(rng, (A, H2))
    params.actor.c3[...] = 0.0
    params.critic.W1[...] = _uniform_fan_in(rng, (H1, S))
    params.critic.c1[...] = 0.0
    params.critic.W2[...] = _uniform_fan_in(rng, (H2, H1))
    params.critic.c2[...] = 0.0
    params.critic.W3[...] = _uniform_fan_in(rng, (1, H2))
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
        A=_extent(arrays["log_std"], 0),
        H1=_extent(arrays["actor.W1"], 0),
        H2=_extent(arrays["actor.W2"], 0),
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
    S, A, H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ActorForwardMemory, dtype, B=B, S=S, A=A, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    actor_W1, actor_c1, actor_W2 = params.actor.W1, params.actor.c1, params.actor.W2
    actor_c2, actor_W3, actor_c3 = params.actor.c2, params.actor.W3, params.actor.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = relu(actor_z1[b,i])
    actor_h1 = np.maximum(actor_z1, 0.0, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = relu(actor_z2[b,i])
    actor_h2 = np.maximum(actor_z2, 0.0, out=ws.actor_h2)
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
    S, A, H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _CriticForwardMemory, dtype, B=B, S=S, A=A, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    return critic


def critic_value(params, *, obs, ret, workspace=None):
    """The loss.

    obs: real[B, S]
    ret: real[B]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    ret = _real("ret", ret, 1)
    S, A, H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("ret", ret, (B,))
    ws = _memory(workspace, _CriticValueMemory, dtype, B=B, S=S, A=A, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # q[b] = critic[b,0]
    q = ws.q
    np.copyto(q, critic[:, 0])
    # loss += (q[b] - ret[b])**2/B
    t_1 = np.subtract(q, ret, out=ws.t_1)
    np.square(t_1, out=t_1)
    loss = np.sum(t_1) / B
    return loss


def critic_value_and_grad(params, *, obs, ret, workspace=None):
    """The loss and its gradient by critic.

    obs: real[B, S]
    ret: real[B]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    ret = _real("ret", ret, 1)
    S, A, H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("ret", ret, (B,))
    ws = _memory(workspace, _CriticValueAndGradMemory, dtype, B=B, S=S, A=A, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    grads = ws.grads
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # q[b] = critic[b,0]
    q = ws.q
    np.copyto(q, critic[:, 0])
    # loss += (q[b] - ret[b])**2/B
    t_1 = np.subtract(q, ret, out=ws.t_1)
    t_2 = np.square(t_1, out=ws.t_2)
    loss = np.sum(t_2) / B
    # dq[b] = 2*(q[b] - ret[b])/B
    dq = np.multiply(t_1, 2.0 / B, out=ws.dq)
    # dcritic[b,0] += dq[b]
    dcritic = ws.dcritic
    np.copyto(dcritic[:, 0], dq)
    # dcritic_c3[i] += dcritic[b,i]
    np.sum(dcritic, axis=0, out=grads.critic.c3)
    # dcritic_W3[i,j] += dcritic[b,i]*critic_h2[b,j]
    np.matmul(dcritic.T, critic_h2, out=grads.critic.W3)
    # dcritic_h2[b,j] += dcritic[b,i]*critic_W3[i,j]
    dcritic_h2 = np.matmul(dcritic, critic_W3, out=ws.dcritic_h2)
    # dcritic_z2[b,i] = where(0 < critic_z2[b,i], dcritic_h2[b,i], 0)
    t_3 = np.greater(critic_z2, 0.0, out=ws.t_3)
    dcritic_z2 = ws.dcritic_z2
    dcritic_z2.fill(0.0)
    np.copyto(dcritic_z2, dcritic_h2, where=t_3)
    # dcritic_c2[i] += dcritic_z2[b,i]
    np.sum(dcritic_z2, axis=0, out=grads.critic.c2)
    # dcritic_W2[i,j] += dcritic_z2[b,i]*critic_h1[b,j]
    np.matmul(dcritic_z2.T, critic_h1, out=grads.critic.W2)
    # dcritic_h1[b,j] += dcritic_z2[b,i]*critic_W2[i,j]
    dcritic_h1 = np.matmul(dcritic_z2, critic_W2, out=ws.dcritic_h1)
    # dcritic_z1[b,i] = where(0 < critic_z1[b,i], dcritic_h1[b,i], 0)
    t_4 = np.greater(critic_z1, 0.0, out=ws.t_4)
    dcritic_z1 = ws.dcritic_z1
    dcritic_z1.fill(0.0)
    np.copyto(dcritic_z1, dcritic_h1, where=t_4)
    # dcritic_c1[i] += dcritic_z1[b,i]
    np.sum(dcritic_z1, axis=0, out=grads.critic.c1)
    # dcritic_W1[i,j] += dcritic_z1[b,i]*obs[b,j]
    np.matmul(dcritic_z1.T, obs, out=grads.critic.W1)
    return loss, grads


def actor_value(params, *, obs, action, ret, beta=1.0, w_max=20.0, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]
    ret: real[B]
    beta: real > 0 = 1
    w_max: real > 0 = 20

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    ret = _real("ret", ret, 1)
    beta = dtype.type(_real("beta", beta, 0))
    w_max = dtype.type(_real("w_max", w_max, 0))
    S, A, H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _shape("ret", ret, (B,))
    _positive("beta", beta)
    _positive("w_max", w_max)
    ws = _memory(workspace, _ActorValueMemory, dtype, B=B, S=S, A=A, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    log_std, actor_W1, actor_c1 = params.log_std, params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, critic_W1, critic_c1 = params.actor.c3, params.critic.W1, params.critic.c1
    critic_W2, critic_c2, critic_W3 = params.critic.W2, params.critic.c2, params.critic.W3
    critic_c3 = params.critic.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = relu(actor_z1[b,i])
    actor_h1 = np.maximum(actor_z1, 0.0, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = relu(actor_z2[b,i])
    actor_h2 = np.maximum(actor_z2, 0.0, out=ws.actor_h2)
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # log_std_exp[i] = exp(-log_std[i])
    log_std_exp = np.negative(log_std, out=ws.log_std_exp)
    np.exp(log_std_exp, out=log_std_exp)
    # n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    n = np.subtract(action, actor, out=ws.n)
    n *= log_std_exp
    # normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    normal_log_prob = np.sum(t_1, axis=1, out=ws.normal_log_prob)
    np.negative(normal_log_prob, out=normal_log_prob)
    # advantage[b] = ret[b] - critic[b,0]
    advantage = np.subtract(ret, critic[:, 0], out=ws.advantage)
    # w_max_log = log(w_max)
    w_max_log = np.log(w_max)
    # advantage_arg[b] = advantage[b]/beta
    advantage_arg = np.divide(advantage, beta, out=ws.advantage_arg)
    # advantage_arg_minimum[b] = minimum(advantage_arg[b], w_max_log)
    advantage_arg_minimum = np.minimum(advantage_arg, w_max_log, out=ws.advantage_arg_minimum)
    # advantage_arg_minimum_exp[b] = exp(advantage_arg_minimum[b])
    advantage_arg_minimum_exp = np.exp(advantage_arg_minimum, out=ws.advantage_arg_minimum_exp)
    # loss += -normal_log_prob[b]*stop(advantage_arg_minimum_exp[b])/B
    loss = -np.dot(normal_log_prob, advantage_arg_minimum_exp) / B
    return loss


def actor_value_and_grad(params, *, obs, action, ret, beta=1.0, w_max=20.0, workspace=None):
    """The loss and its gradient by log_std, actor.

    obs: real[B, S]
    action: real[B, A]
    ret: real[B]
    beta: real > 0 = 1
    w_max: real > 0 = 20

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    ret = _real("ret", ret, 1)
    beta = dtype.type(_real("beta", beta, 0))
    w_max = dtype.type(_real("w_max", w_max, 0))
    S, A, H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _shape("ret", ret, (B,))
    _positive("beta", beta)
    _positive("w_max", w_max)
    ws = _memory(workspace, _ActorValueAndGradMemory, dtype, B=B, S=S, A=A, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    grads = ws.grads
    log_std, actor_W1, actor_c1 = params.log_std, params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, critic_W1, critic_c1 = params.actor.c3, params.critic.W1, params.critic.c1
    critic_W2, critic_c2, critic_W3 = params.critic.W2, params.critic.c2, params.critic.W3
    critic_c3 = params.critic.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = relu(actor_z1[b,i])
    actor_h1 = np.maximum(actor_z1, 0.0, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = relu(actor_z2[b,i])
    actor_h2 = np.maximum(actor_z2, 0.0, out=ws.actor_h2)
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # critic_z1[b,i] += critic_W1[i,j]*obs[b,j]
    critic_z1 = np.matmul(obs, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # log_std_exp[i] = exp(-log_std[i])
    log_std_exp = np.negative(log_std, out=ws.log_std_exp)
    np.exp(log_std_exp, out=log_std_exp)
    # n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    n = np.subtract(action, actor, out=ws.n)
    n *= log_std_exp
    # normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    normal_log_prob = np.sum(t_1, axis=1, out=ws.normal_log_prob)
    np.negative(normal_log_prob, out=normal_log_prob)
    # advantage[b] = ret[b] - critic[b,0]
    advantage = np.subtract(ret, critic[:, 0], out=ws.advantage)
    # w_max_log = log(w_max)
    w_max_log = np.log(w_max)
    # advantage_arg[b] = advantage[b]/beta
    advantage_arg = np.divide(advantage, beta, out=ws.advantage_arg)
    # advantage_arg_minimum[b] = minimum(advantage_arg[b], w_max_log)
    advantage_arg_minimum = np.minimum(advantage_arg, w_max_log, out=ws.advantage_arg_minimum)
    # advantage_arg_minimum_exp[b] = exp(advantage_arg_minimum[b])
    advantage_arg_minimum_exp = np.exp(advantage_arg_minimum, out=ws.advantage_arg_minimum_exp)
    # loss += -normal_log_prob[b]*stop(advantage_arg_minimum_exp[b])/B
    loss = -np.dot(normal_log_prob, advantage_arg_minimum_exp) / B
    # dnormal_log_prob[b] = -stop(advantage_arg_minimum_exp[b])/B
    dnormal_log_prob = np.divide(advantage_arg_minimum_exp, -B, out=ws.dnormal_log_prob)
    # dlog_std[i] += -dnormal_log_prob[b] for i < A
    s_2 = np.sum(dnormal_log_prob)
    dlog_std = grads.log_std
    dlog_std.fill(-s_2)
    # dn[b,i] = -dnormal_log_prob[b]*n[b,i]
    dn = np.multiply(dnormal_log_prob[:, None], n, out=ws.dn)
    np.negative(dn, out=dn)
    # dactor[b,i] = -dn[b,i]*log_std_exp[i]
    dactor = np.multiply(dn, log_std_exp, out=ws.dactor)
    np.negative(dactor, out=dactor)
    # dlog_std_exp[i] += dn[b,i]*(action[b,i] - actor[b,i])
    t_2 = np.subtract(action.T, actor.T, out=ws.t_2)
    t_2 *= dn.T
    dlog_std_exp = np.sum(t_2, axis=1, out=ws.dlog_std_exp)
    # dlog_std[i] += -dlog_std_exp[i]*log_std_exp[i]
    t_3 = np.multiply(dlog_std_exp, log_std_exp, out=ws.t_3)
    dlog_std -= t_3
    # dactor_c3[i] += dactor[b,i]
    np.sum(dactor, axis=0, out=grads.actor.c3)
    # dactor_W3[i,j] += dactor[b,i]*actor_h2[b,j]
    np.matmul(dactor.T, actor_h2, out=grads.actor.W3)
    # dactor_h2[b,j] += dactor[b,i]*actor_W3[i,j]
    dactor_h2 = np.matmul(dactor, actor_W3, out=ws.dactor_h2)
    # dactor_z2[b,i] = where(0 < actor_z2[b,i], dactor_h2[b,i], 0)
    t_4 = np.greater(actor_z2, 0.0, out=ws.t_4)
    dactor_z2 = ws.dactor_z2
    dactor_z2.fill(0.0)
    np.copyto(dactor_z2, dactor_h2, where=t_4)
    # dactor_c2[i] += dactor_z2[b,i]
    np.sum(dactor_z2, axis=0, out=grads.actor.c2)
    # dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    np.matmul(dactor_z2.T, actor_h1, out=grads.actor.W2)
    # dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_h1 = np.matmul(dactor_z2, actor_W2, out=ws.dactor_h1)
    # dactor_z1[b,i] = where(0 < actor_z1[b,i], dactor_h1[b,i], 0)
    t_5 = np.greater(actor_z1, 0.0, out=ws.t_5)
    dactor_z1 = ws.dactor_z1
    dactor_z1.fill(0.0)
    np.copyto(dactor_z1, dactor_h1, where=t_5)
    # dactor_c1[i] += dactor_z1[b,i]
    np.sum(dactor_z1, axis=0, out=grads.actor.c1)
    # dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]
    np.matmul(dactor_z1.T, obs, out=grads.actor.W1)
    return loss, grads


class _ActorForwardMemory:
    """The buffers of actor_forward."""

    def __init__(self, dtype, *, B, S, A, H1, H2):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = np.empty((B, H1), dtype)
        self.actor_z2 = self.actor_h2 = np.empty((B, H2), dtype)
        self.actor = np.empty((B, A), dtype)


class _CriticForwardMemory:
    """The buffers of critic_forward."""

    def __init__(self, dtype, *, B, S, A, H1, H2):
        self._copies = {}
        self.critic_z1 = self.critic_h1 = np.empty((B, H1), dtype)
        self.critic_z2 = self.critic_h2 = np.empty((B, H2), dtype)
        self.critic = np.empty((B, 1), dtype)


class _CriticValueMemory:
    """The buffers of critic_value."""

    def __init__(self, dtype, *, B, S, A, H1, H2):
        self._copies = {}
        self.critic_z1 = self.critic_h1 = np.empty((B, H1), dtype)
        self.critic_z2 = self.critic_h2 = np.empty((B, H2), dtype)
        self.critic = np.empty((B, 1), dtype)
        self.q = self.t_1 = np.empty((B,), dtype)


class _CriticValueAndGradMemory:
    """The buffers of critic_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H1, H2):
        self._copies = {}
        self.critic_z1 = self.dcritic_z1 = np.empty((B, H1), dtype)
        self.critic_h1 = self.dcritic_h1 = np.empty((B, H1), dtype)
        self.critic_z2 = self.dcritic_z2 = np.empty((B, H2), dtype)
        self.critic_h2 = self.dcritic_h2 = np.empty((B, H2), dtype)
        self.critic = self.dcritic = np.empty((B, 1), dtype)
        self.q = self.t_1 = self.dq = np.empty((B,), dtype)
        self.t_2 = np.empty((B,), dtype)
        self.t_3 = np.empty((B, H2), np.bool_)
        self.t_4 = np.empty((B, H1), np.bool_)
        self.grads = CriticGradients(dtype, S=S, H1=H1, H2=H2)


class _ActorValueMemory:
    """The buffers of actor_value."""

    def __init__(self, dtype, *, B, S, A, H1, H2):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.critic_z1 = self.critic_h1 = np.empty((B, H1), dtype)
        self.actor_z2 = self.actor_h2 = self.critic_z2 = self.critic_h2 = np.empty((B, H2), dtype)
        self.actor = self.n = self.t_1 = np.empty((B, A), dtype)
        self.critic = np.empty((B, 1), dtype)
        self.normal_log_prob = np.empty((B,), dtype)
        self.advantage = self.advantage_arg = self.advantage_arg_minimum = np.empty((B,), dtype)
        self.advantage_arg_minimum_exp = self.advantage
        self.log_std_exp = np.empty((A,), dtype)


class _ActorValueAndGradMemory:
    """The buffers of actor_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H1, H2):
        self._copies = {}
        self.actor_z1 = self.dactor_z1 = np.empty((B, H1), dtype)
        self.actor_h1 = self.dactor_h1 = np.empty((B, H1), dtype)
        self.actor_z2 = self.dactor_z2 = np.empty((B, H2), dtype)
        self.actor_h2 = self.dactor_h2 = np.empty((B, H2), dtype)
        self.actor = np.empty((B, A), dtype)
        self.critic_z1 = self.critic_h1 = np.empty((B, H1), dtype)
        self.critic_z2 = self.critic_h2 = np.empty((B, H2), dtype)
        self.critic = np.empty((B, 1), dtype)
        self.n = self.dn = np.empty((B, A), dtype)
        self.normal_log_prob = self.dnormal_log_prob = np.empty((B,), dtype)
        self.advantage = self.advantage_arg = self.advantage_arg_minimum = np.empty((B,), dtype)
        self.advantage_arg_minimum_exp = self.advantage
        self.log_std_exp = self.t_3 = np.empty((A,), dtype)
        self.dlog_std_exp = np.empty((A,), dtype)
        self.t_1 = self.dactor = np.empty((B, A), dtype)
        self.t_2 = np.empty((A, B), dtype)
        self.t_4 = np.empty((B, H2), np.bool_)
        self.t_5 = np.empty((B, H1), np.bool_)
        self.grads = ActorGradients(dtype, S=S, A=A, H1=H1, H2=H2)


class _Group(_Views):
    """Named views on a part of the parameters' vector, and that part itself as `flat`."""

    def __init__(self, flat, **shapes):
        self._sizes = shapes
        self.flat = flat
        part = _parts(flat)
        for name, shape in shapes.items():
            setattr(self, name, part(*shape))
        self._closed = True


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


def _dtype_of(params):
    """The parameters choose the type of every number: float32 or float64."""
    if not isinstance(params, Params):
        came = _whose(params, Params)
        raise TypeError(f"params is of type {came}; expected this module's Params")
    return params.flat.dtype


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


def _length(size, name, array, axis, times=1, plus=0):
    """The size that makes the axis times * size + plus long."""
    value, rest = divmod(array.shape[axis] - plus, times)
    if rest or value < 1:
        raise ValueError(
            f"{name} has shape {array.shape}; expected {INPUTS[name]} with {size} of at least 1"
        )
    return value


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


def _parts(flat):
    """A function that gives the next part of a vector, in the shape that it is asked for."""
    start = 0

    def part(*shape):
        nonlocal start
        first, start = start, start + int(np.prod(shape, dtype=np.intp))
        return flat[first:start].reshape(shape)

    return part


def _place(params, name):
    """The array that a dotted name means: q.W1 is params.q.W1."""
    for part in name.split("."):
        params = getattr(params, part)
    return params


def _positive(name, value):
    """Every entry is above 0."""
    low = np.min(value)
    if not low > 0:
        raise ValueError(f"{name} holds {low}; expected {INPUTS[name]}")


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


def _uniform_fan_in(rng, shape):
    """Uniform within 1/sqrt(fan_in), as PyTorch's Linear; fan_in: all axes but the first."""
    bound = 1.0 / np.sqrt(np.prod(shape[1:]))
    return rng.uniform(-bound, bound, shape)


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
