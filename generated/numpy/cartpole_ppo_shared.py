"""cartpole_ppo_shared: PPO for CartPole with one trunk: 4-64-64 with tanh, then the logits of two
actions and the value.

Forward
    trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_h1[b,i] = tanh(trunk_z1[b,i])
    trunk_z2[b,i] += trunk_W2[i,j]*trunk_h1[b,j]
    trunk_z2[b,i] += trunk_c2[i] for b < B
    trunk[b,i] = tanh(trunk_z2[b,i])
    actor[b,i] += actor_W1[i,j]*trunk[b,j]
    actor[b,i] += actor_c1[i] for b < B
    critic[b,i] += critic_W1[i,j]*trunk[b,j]
    critic[b,i] += critic_c1[i] for b < B

Loss ppo
    categorical_log_prob_lse[b] = logsumexp(a: actor[b,a])
    categorical_log_prob[b] = actor[b,action[b]] - categorical_log_prob_lse[b]
    logp[b] = categorical_log_prob[b]
    log_r[b] = logp[b] - logp_old[b]
    lse[b] = logsumexp(a: actor[b,a])
    categorical_entropy[b] += -expdiff(actor[b,a], lse[b])*where(-inf < actor[b,a], actor[b,a] -
        lse[b], 0)
    entropy += categorical_entropy[b]/B
    approx_kl += (expm1(log_r[b]) - log_r[b])/B
    clip_fraction += [eps < abs(expm1(log_r[b]))]/B
    error[b] = ret[b] - critic[b,0]
    mean_error += error[b]/B
    mean_ret += ret[b]/B
    var_ret += (ret[b] - mean_ret)**2/B
    explained_variance_mean += (error[b] - mean_error)**2/B
    explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
    r[b] = exp(logp[b] - stop(logp_old[b]))
    A_2[b] = stop(advantage[b])
    ppo_clip += -minimum(A_2[b]*r[b], A_2[b]*clip(r[b], 1 - eps, 1 + eps))/B
    v[b] = critic[b,0]
    near[b] = clip(v[b] - stop(v_old[b]), -eps, eps) + stop(v_old[b])
    ppo_value += 0.5*maximum((v[b] - stop(ret[b]))**2, (near[b] - stop(ret[b]))**2)/B
    loss = ppo_clip + ppo_value*value_weight - entropy*entropy_weight

Gradient (value_and_grad); dX stands for dL/dX.
    log_r[b] = categorical_log_prob[b] - logp_old[b]
    actor_where[b,a] = where(-inf < actor[b,a], actor[b,a] - categorical_log_prob_lse[b], 0)
    actor_softmax[b,a] = expdiff(actor[b,a], categorical_log_prob_lse[b])
    categorical_entropy[b] += -actor_softmax[b,a]*actor_where[b,a]
    log_r_expm1[b] = expm1(log_r[b])
    approx_kl += (log_r_expm1[b] - log_r[b])/B
    log_r_expm1_abs[b] = abs(log_r_expm1[b])
    eps_where[b] = [eps < log_r_expm1_abs[b]]
    clip_fraction += eps_where[b]/B
    r[b] = exp(categorical_log_prob[b] - stop(logp_old[b]))
    eps_arg = 1 - eps
    eps_arg_2 = 1 + eps
    r_clip[b] = clip(r[b], eps_arg, eps_arg_2)
    A_2_arg[b] = A_2[b]*r[b]
    A_2_arg_2[b] = A_2[b]*r_clip[b]
    A_2_arg_minimum[b] = minimum(A_2_arg[b], A_2_arg_2[b])
    ppo_clip += -A_2_arg_minimum[b]/B
    v_arg[b] = v[b] - stop(v_old[b])
    eps_arg_3 = -eps
    v_arg_clip[b] = clip(v_arg[b], eps_arg_3, eps)
    near[b] = stop(v_old[b]) + v_arg_clip[b]
    ret_arg[b] = (v[b] - stop(ret[b]))**2
    near_arg[b] = (near[b] - stop(ret[b]))**2
    ret_arg_maximum[b] = maximum(ret_arg[b], near_arg[b])
    ppo_value += 0.5*ret_arg_maximum[b]/B
    dentropy = -entropy_weight
    dret_arg_maximum[b] = 0.5*value_weight/B for b < B
    dnear_arg[b] = where(near_arg[b] <= ret_arg[b], 0, dret_arg_maximum[b])
    dret_arg[b] = where(near_arg[b] <= ret_arg[b], dret_arg_maximum[b], 0)
    dnear[b] = 2*dnear_arg[b]*(near[b] - stop(ret[b]))
    dv[b] += 2*dret_arg[b]*(v[b] - stop(ret[b]))
    dv_arg[b] = where(v_arg[b] < eps_arg_3, 0, where(eps < v_arg[b], 0, dnear[b]))
    dv[b] += dv_arg[b]
    dcritic[b,0] += dv[b]
    dA_2_arg_minimum[b] = -1/B for b < B
    dA_2_arg[b] = where(A_2_arg[b] <= A_2_arg_2[b], dA_2_arg_minimum[b], 0)
    dA_2_arg_2[b] = where(A_2_arg[b] <= A_2_arg_2[b], 0, dA_2_arg_minimum[b])
    dr_clip[b] = dA_2_arg_2[b]*A_2[b]
    dr[b] += dA_2_arg[b]*A_2[b]
    eps_arg_where[b] = where(r[b] < eps_arg, 0, where(eps_arg_2 < r[b], 0, dr_clip[b]))
    dr[b] += eps_arg_where[b]
    dcategorical_log_prob[b] = dr[b]*r[b]
    dcategorical_entropy[b] = dentropy/B for b < B
    dactor_softmax[b,a] = -dcategorical_entropy[b]*actor_where[b,a]
    dactor_where[b,a] = -dcategorical_entropy[b]*actor_softmax[b,a]
    dactor[b,a] += dactor_softmax[b,a]*actor_softmax[b,a]
    dcategorical_log_prob_lse[b] += -dactor_softmax[b,a]*actor_softmax[b,a]
    actor_where_2[b,a] = where(-inf < actor[b,a], dactor_where[b,a], 0)
    dactor[b,a] += actor_where_2[b,a]
    actor_where_3[b,a] = where(-inf < actor[b,a], -dactor_where[b,a], 0)
    dcategorical_log_prob_lse[b] += actor_where_3[b,a]
    dactor[b,action[b]] += dcategorical_log_prob[b]
    dcategorical_log_prob_lse[b] += -dcategorical_log_prob[b]
    dactor[b,a] += dcategorical_log_prob_lse[b]*actor_softmax[b,a]
    dcritic_c1[i] += dcritic[b,i]
    dcritic_W1[i,j] += dcritic[b,i]*trunk[b,j]
    dtrunk[b,j] += dcritic[b,i]*critic_W1[i,j]
    dactor_c1[i] += dactor[b,i]
    dactor_W1[i,j] += dactor[b,i]*trunk[b,j]
    dtrunk[b,j] += dactor[b,i]*actor_W1[i,j]
    dtrunk_z2[b,i] = dtrunk[b,i]*(1 - trunk[b,i]**2)
    dtrunk_c2[i] += dtrunk_z2[b,i]
    dtrunk_W2[i,j] += dtrunk_z2[b,i]*trunk_h1[b,j]
    dtrunk_h1[b,j] += dtrunk_z2[b,i]*trunk_W2[i,j]
    dtrunk_z1[b,i] = dtrunk_h1[b,i]*(1 - trunk_h1[b,i]**2)
    dtrunk_c1[i] += dtrunk_z1[b,i]
    dtrunk_W1[i,j] += dtrunk_z1[b,i]*obs[b,j]

Shapes
    trunk_W1: real[H, S]
    trunk_c1: real[H]
    trunk_W2: real[H, H]
    trunk_c2: real[H]
    actor_W1: real[A, H]
    actor_c1: real[A]
    critic_W1: real[1, H]
    critic_c1: real[1]
    obs: real[B, S]
    action: int[B] < A
    logp_old: real[B]
    advantage: real[B]
    v_old: real[B]
    ret: real[B]
    eps: real > 0 = 0.2
    value_weight: real = 0.5
    entropy_weight: real = 0.01
    B: steps in the minibatch

At kinks: abs'(0) = 0; a tie of minimum takes the first argument's side; clip passes 1 at its edges;
    a tie of maximum takes the first argument's side.
Held constant: what wrt does not name, and what stop() holds in
    r[b] = exp(logp[b] - stop(logp_old[b]))
    A_2[b] = stop(advantage[b])
    near[b] = clip(v[b] - stop(v_old[b]), -eps, eps) + stop(v_old[b])
    ppo_value += 0.5*maximum((v[b] - stop(ret[b]))**2, (near[b] - stop(ret[b]))**2)/B
Reduction: entropy is summed over b and divided by B; approx_kl is summed over b and divided by B;
    clip_fraction is summed over b and divided by B; mean_error is summed over b and divided by B;
    mean_ret is summed over b and divided by B; var_ret is summed over b and divided by B;
    explained_variance_mean is summed over b and divided by B; ppo_clip is summed over b and divided
    by B; ppo_value is summed over b and divided by 2*B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 4, "A": 2, "H": 64}
PARAMETERS = {
    "trunk.W1": {"axes": ("H", "S"), "offset": 0, "shape": (64, 4), "strides": (4, 1)},
    "trunk.c1": {"axes": ("H",), "offset": 256, "shape": (64,), "strides": (1,)},
    "trunk.W2": {"axes": ("H", "H"), "offset": 320, "shape": (64, 64), "strides": (64, 1)},
    "trunk.c2": {"axes": ("H",), "offset": 4416, "shape": (64,), "strides": (1,)},
    "actor.W1": {"axes": ("A", "H"), "offset": 4480, "shape": (2, 64), "strides": (64, 1)},
    "actor.c1": {"axes": ("A",), "offset": 4608, "shape": (2,), "strides": (1,)},
    "critic.W1": {"axes": ("1", "H"), "offset": 4610, "shape": (1, 64), "strides": (64, 1)},
    "critic.c1": {"axes": ("1",), "offset": 4674, "shape": (1,), "strides": (1,)},
}
LAYERS = {
    "trunk": (
        {"weight": "trunk.W1", "bias": "trunk.c1"}, {"weight": "trunk.W2", "bias": "trunk.c2"}
    ),
    "actor": ({"weight": "actor.W1", "bias": "actor.c1"},),
    "critic": ({"weight": "critic.W1", "bias": "critic.c1"},),
}
INPUTS = {
    "obs": "real[B, S]",
    "action": "int[B] < A",
    "logp_old": "real[B]",
    "advantage": "real[B]",
    "v_old": "real[B]",
    "ret": "real[B]",
    "eps": "real > 0 = 0.2",
    "value_weight": "real = 0.5",
    "entropy_weight": "real = 0.01",
}
OUTPUTS = {
    "trunk_forward": ("trunk",),
    "actor_forward": ("actor",),
    "critic_forward": ("critic",),
}
BRANCHES = ()
OPERATIONS = {
    "trunk_forward": "B * H * H + B * H * S + 4 * B * H",
    "actor_forward": "A * B * H + B * H * H + B * H * S + A * B + 4 * B * H",
    "critic_forward": "B * H * H + B * H * S + 5 * B * H + B",
    "value": "A * B * H + B * H * H + B * H * S + 9 * A * B + 5 * B * H + 35 * B",
    "value_and_grad": (
        "3 * A * B * H + 3 * B * H * H + 2 * B * H * S + 21 * A * B + 16 * B * H + 54 "
        "* B"
    ),
}
SPEC_HASH = "d8b43a225d176ff330634b28fc5ab37f7fe149fc5a0680504c2af7348e83e049"
SPEC = r'''description = "PPO for CartPole with one trunk: 4-64-64 with tanh, then the logits of two actions and the value."
equations = """
trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
trunk_z1[b,i] += trunk_c1[i] for b < B
trunk_h1[b,i] = tanh(trunk_z1[b,i])
trunk_z2[b,i] += trunk_W2[i,j]*trunk_h1[b,j]
trunk_z2[b,i] += trunk_c2[i] for b < B
trunk[b,i] = tanh(trunk_z2[b,i])
actor[b,i] += actor_W1[i,j]*trunk[b,j]
actor[b,i] += actor_c1[i] for b < B
critic[b,i] += critic_W1[i,j]*trunk[b,j]
critic[b,i] += critic_c1[i] for b < B
"""

[sizes]
B = "steps in the minibatch"
S = 4
A = 2
H = 64

[params.trunk]
W1 = "real[H, S] init=orthogonal(1.414)"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=orthogonal(1.414)"
c2 = "real[H] init=zeros"

[params.actor]
W1 = "real[A, H] init=orthogonal(0.01)"
c1 = "real[A] init=zeros"

[params.critic]
W1 = "real[1, H] init=orthogonal(1)"
c1 = "real[1] init=zeros"

[data]
obs = "real[B, S]"
action = "int[B] < A"
logp_old = "real[B]"
advantage = "real[B]"
v_old = "real[B]"
ret = "real[B]"
eps = "real > 0 = 0.2"
value_weight = "real = 0.5"
entropy_weight = "real = 0.01"

[losses.ppo]
wrt = ["trunk_W1", "trunk_c1", "trunk_W2", "trunk_c2", "actor_W1", "actor_c1", "critic_W1", "critic_c1"]
aux = ["entropy", "approx_kl", "clip_fraction", "explained_variance"]
equations = """
categorical_log_prob_lse[b] = logsumexp(a: actor[b,a])
categorical_log_prob[b] = actor[b,action[b]] - categorical_log_prob_lse[b]
logp[b] = categorical_log_prob[b]
log_r[b] = logp[b] - logp_old[b]
lse[b] = logsumexp(a: actor[b,a])
categorical_entropy[b] += -expdiff(actor[b,a], lse[b])*where(-inf < actor[b,a], actor[b,a] - lse[b], 0)
entropy += categorical_entropy[b]/B
approx_kl += (expm1(log_r[b]) - log_r[b])/B
clip_fraction += [eps < abs(expm1(log_r[b]))]/B
error[b] = ret[b] - critic[b,0]
mean_error += error[b]/B
mean_ret += ret[b]/B
var_ret += (ret[b] - mean_ret)**2/B
explained_variance_mean += (error[b] - mean_error)**2/B
explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
r[b] = exp(logp[b] - stop(logp_old[b]))
A_2[b] = stop(advantage[b])
ppo_clip += -minimum(A_2[b]*r[b], A_2[b]*clip(r[b], 1 - eps, 1 + eps))/B
v[b] = critic[b,0]
near[b] = clip(v[b] - stop(v_old[b]), -eps, eps) + stop(v_old[b])
ppo_value += 0.5*maximum((v[b] - stop(ret[b]))**2, (near[b] - stop(ret[b]))**2)/B
loss = ppo_clip + ppo_value*value_weight - entropy*entropy_weight
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
    """Views on one vector `flat`: trunk.W1 (H, S), trunk.c1 (H,), trunk.W2 (H, H), trunk.c2 (H,),
    actor.W1 (A, H), actor.c1 (A,), critic.W1 (1, H), critic.c1 (1,).
    """

    def __init__(self, flat, *, S=4, A=2, H=64):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, A * H + H * H + H * S + A + 3 * H + 1)
        _part = _parts(self.flat)
        self.trunk = _Group(_part(H * H + H * S + 2 * H), W1=(H, S), c1=(H,), W2=(H, H), c2=(H,))
        self.actor = _Group(_part(A * H + A), W1=(A, H), c1=(A,))
        self.critic = _Group(_part(H + 1), W1=(1, H), c1=(1,))
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
    params.trunk.W1[...] = _orthogonal(rng, (H, S), 1.414)
    params.trunk.c1[...] = 0.0
    params.trunk.W2[...] = _orthogonal(rng, (H, H), 1.414)
    params.trunk.c2[...] = 0.0
    params.actor.W1[...] = _orthogonal(rng, (A, H), 0.01)
    params.actor.c1[...] = 0.0
    params.critic.W1[...] = _orthogonal(rng, (1, H), 1.0)
    params.critic.c1[...] = 0.0
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
        S=_extent(arrays["trunk.W1"], 1),
        A=_extent(arrays["actor.W1"], 0),
        H=_extent(arrays["trunk.W1"], 0),
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


def trunk_forward(params, obs, *, workspace=None):
    """The output trunk.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _TrunkForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    trunk_W1, trunk_c1, trunk_W2 = params.trunk.W1, params.trunk.c1, params.trunk.W2
    trunk_c2 = params.trunk.c2
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk_h1[b,i] = tanh(trunk_z1[b,i])
    trunk_h1 = np.tanh(trunk_z1, out=ws.trunk_h1)
    # trunk_z2[b,i] += trunk_W2[i,j]*trunk_h1[b,j]
    trunk_z2 = np.matmul(trunk_h1, trunk_W2.T, out=ws.trunk_z2)
    # trunk_z2[b,i] += trunk_c2[i] for b < B
    trunk_z2 += trunk_c2
    # trunk[b,i] = tanh(trunk_z2[b,i])
    trunk = np.tanh(trunk_z2, out=ws.trunk)
    return trunk


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
    trunk_W1, trunk_c1, trunk_W2 = params.trunk.W1, params.trunk.c1, params.trunk.W2
    trunk_c2, actor_W1, actor_c1 = params.trunk.c2, params.actor.W1, params.actor.c1
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk_h1[b,i] = tanh(trunk_z1[b,i])
    trunk_h1 = np.tanh(trunk_z1, out=ws.trunk_h1)
    # trunk_z2[b,i] += trunk_W2[i,j]*trunk_h1[b,j]
    trunk_z2 = np.matmul(trunk_h1, trunk_W2.T, out=ws.trunk_z2)
    # trunk_z2[b,i] += trunk_c2[i] for b < B
    trunk_z2 += trunk_c2
    # trunk[b,i] = tanh(trunk_z2[b,i])
    trunk = np.tanh(trunk_z2, out=ws.trunk)
    # actor[b,i] += actor_W1[i,j]*trunk[b,j]
    actor = np.matmul(trunk, actor_W1.T, out=ws.actor)
    # actor[b,i] += actor_c1[i] for b < B
    actor += actor_c1
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
    trunk_W1, trunk_c1, trunk_W2 = params.trunk.W1, params.trunk.c1, params.trunk.W2
    trunk_c2, critic_W1, critic_c1 = params.trunk.c2, params.critic.W1, params.critic.c1
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk_h1[b,i] = tanh(trunk_z1[b,i])
    trunk_h1 = np.tanh(trunk_z1, out=ws.trunk_h1)
    # trunk_z2[b,i] += trunk_W2[i,j]*trunk_h1[b,j]
    trunk_z2 = np.matmul(trunk_h1, trunk_W2.T, out=ws.trunk_z2)
    # trunk_z2[b,i] += trunk_c2[i] for b < B
    trunk_z2 += trunk_c2
    # trunk[b,i] = tanh(trunk_z2[b,i])
    trunk = np.tanh(trunk_z2, out=ws.trunk)
    # critic[b,i] += critic_W1[i,j]*trunk[b,j]
    critic = np.matmul(trunk, critic_W1.T, out=ws.critic)
    # critic[b,i] += critic_c1[i] for b < B
    critic += critic_c1
    return critic


def value(
    params,
    *,
    obs,
    action,
    logp_old,
    advantage,
    v_old,
    ret,
    eps=0.2,
    value_weight=0.5,
    entropy_weight=0.01,
    workspace=None,
):
    """The loss.

    obs: real[B, S]
    action: int[B] < A
    logp_old: real[B]
    advantage: real[B]
    v_old: real[B]
    ret: real[B]
    eps: real > 0 = 0.2
    value_weight: real = 0.5
    entropy_weight: real = 0.01

    Returns (loss, aux); aux is a dict of entropy, approx_kl, clip_fraction, explained_variance.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    logp_old = _real("logp_old", logp_old, 1)
    advantage = _real("advantage", advantage, 1)
    v_old = _real("v_old", v_old, 1)
    ret = _real("ret", ret, 1)
    eps = dtype.type(_real("eps", eps, 0))
    value_weight = dtype.type(_real("value_weight", value_weight, 0))
    entropy_weight = dtype.type(_real("entropy_weight", entropy_weight, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B,))
    _shape("logp_old", logp_old, (B,))
    _shape("advantage", advantage, (B,))
    _shape("v_old", v_old, (B,))
    _shape("ret", ret, (B,))
    _below("action", action, A)
    _positive("eps", eps)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    logp_old = _fit(ws, "logp_old", logp_old, dtype)
    advantage = _fit(ws, "advantage", advantage, dtype)
    v_old = _fit(ws, "v_old", v_old, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    trunk_W1, trunk_c1, trunk_W2 = params.trunk.W1, params.trunk.c1, params.trunk.W2
    trunk_c2, actor_W1, actor_c1 = params.trunk.c2, params.actor.W1, params.actor.c1
    critic_W1, critic_c1 = params.critic.W1, params.critic.c1
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk_h1[b,i] = tanh(trunk_z1[b,i])
    trunk_h1 = np.tanh(trunk_z1, out=ws.trunk_h1)
    # trunk_z2[b,i] += trunk_W2[i,j]*trunk_h1[b,j]
    trunk_z2 = np.matmul(trunk_h1, trunk_W2.T, out=ws.trunk_z2)
    # trunk_z2[b,i] += trunk_c2[i] for b < B
    trunk_z2 += trunk_c2
    # trunk[b,i] = tanh(trunk_z2[b,i])
    trunk = np.tanh(trunk_z2, out=ws.trunk)
    # actor[b,i] += actor_W1[i,j]*trunk[b,j]
    actor = np.matmul(trunk, actor_W1.T, out=ws.actor)
    # actor[b,i] += actor_c1[i] for b < B
    actor += actor_c1
    # critic[b,i] += critic_W1[i,j]*trunk[b,j]
    critic = np.matmul(trunk, critic_W1.T, out=ws.critic)
    # critic[b,i] += critic_c1[i] for b < B
    critic += critic_c1
    # categorical_log_prob_lse[b] = logsumexp(a: actor[b,a])
    categorical_log_prob_lse = _logsumexp(
        actor, out=ws.categorical_log_prob_lse, scratch=ws.t_1, total=ws.t_2
    )
    # categorical_log_prob[b] = actor[b,action[b]] - categorical_log_prob_lse[b]
    actor_at = _pick(actor, (ws.arange, action), out=ws.actor_at, at=ws.at)
    categorical_log_prob = np.subtract(
        actor_at, categorical_log_prob_lse, out=ws.categorical_log_prob
    )
    # log_r[b] = categorical_log_prob[b] - logp_old[b]
    log_r = np.subtract(categorical_log_prob, logp_old, out=ws.log_r)
    # actor_where[b,a] = where(-inf < actor[b,a], actor[b,a] - categorical_log_prob_lse[b], 0)
    t_3 = np.greater(actor, -np.inf, out=ws.t_3)
    actor_where = ws.actor_where
    actor_where.fill(0.0)
    np.subtract(actor, categorical_log_prob_lse[:, None], out=actor_where, where=t_3)
    # actor_softmax[b,a] = expdiff(actor[b,a], categorical_log_prob_lse[b])
    actor_softmax = _expdiff(actor, categorical_log_prob_lse[:, None], out=ws.actor_softmax)
    # categorical_entropy[b] += -actor_softmax[b,a]*actor_where[b,a]
    t_4 = np.multiply(actor_softmax, actor_where, out=ws.t_4)
    categorical_entropy = np.sum(t_4, axis=1, out=ws.categorical_entropy)
    np.negative(categorical_entropy, out=categorical_entropy)
    # entropy += categorical_entropy[b]/B
    entropy = np.sum(categorical_entropy) / B
    # log_r_expm1[b] = expm1(log_r[b])
    log_r_expm1 = np.expm1(log_r, out=ws.log_r_expm1)
    # approx_kl += (log_r_expm1[b] - log_r[b])/B
    t_5 = np.subtract(log_r_expm1, log_r, out=ws.t_5)
    approx_kl = np.sum(t_5) / B
    # log_r_expm1_abs[b] = abs(log_r_expm1[b])
    log_r_expm1_abs = np.abs(log_r_expm1, out=ws.log_r_expm1_abs)
    # eps_where[b] = [eps < log_r_expm1_abs[b]]
    t_6 = np.greater(log_r_expm1_abs, eps, out=ws.t_6)
    eps_where = ws.eps_where
    eps_where.fill(0.0)
    np.copyto(eps_where, 1.0, where=t_6)
    # clip_fraction += eps_where[b]/B
    clip_fraction = np.sum(eps_where) / B
    # error[b] = ret[b] - critic[b,0]
    error = np.subtract(ret, critic[:, 0], out=ws.error)
    # mean_error += error[b]/B
    mean_error = np.sum(error) / B
    # mean_ret += ret[b]/B
    mean_ret = np.sum(ret) / B
    # var_ret += (ret[b] - mean_ret)**2/B
    np.subtract(ret, mean_ret, out=t_5)
    np.square(t_5, out=t_5)
    var_ret = np.sum(t_5) / B
    # explained_variance_mean += (error[b] - mean_error)**2/B
    t_7 = np.subtract(error, mean_error, out=ws.t_7)
    np.square(t_7, out=t_7)
    explained_variance_mean = np.sum(t_7) / B
    # explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
    explained_variance = dtype.type(
        1.0 - explained_variance_mean / var_ret if (var_ret > 0.0) else 0.0
    )
    # r[b] = exp(categorical_log_prob[b] - stop(logp_old[b]))
    r = np.exp(log_r, out=ws.r)
    # A_2[b] = stop(advantage[b])
    A_2 = ws.A_2
    np.copyto(A_2, advantage)
    # eps_arg = 1 - eps
    eps_arg = 1.0 - eps
    # eps_arg_2 = 1 + eps
    eps_arg_2 = 1.0 + eps
    # r_clip[b] = clip(r[b], eps_arg, eps_arg_2)
    r_clip = np.clip(r, eps_arg, eps_arg_2, out=ws.r_clip)
    # A_2_arg[b] = A_2[b]*r[b]
    A_2_arg = np.multiply(A_2, r, out=ws.A_2_arg)
    # A_2_arg_2[b] = A_2[b]*r_clip[b]
    A_2_arg_2 = np.multiply(A_2, r_clip, out=ws.A_2_arg_2)
    # A_2_arg_minimum[b] = minimum(A_2_arg[b], A_2_arg_2[b])
    A_2_arg_minimum = np.minimum(A_2_arg, A_2_arg_2, out=ws.A_2_arg_minimum)
    # ppo_clip += -A_2_arg_minimum[b]/B
    ppo_clip = -np.sum(A_2_arg_minimum) / B
    # v[b] = critic[b,0]
    v = ws.v
    np.copyto(v, critic[:, 0])
    # v_arg[b] = v[b] - stop(v_old[b])
    v_arg = np.subtract(v, v_old, out=ws.v_arg)
    # eps_arg_3 = -eps
    eps_arg_3 = -eps
    # v_arg_clip[b] = clip(v_arg[b], eps_arg_3, eps)
    v_arg_clip = np.clip(v_arg, eps_arg_3, eps, out=ws.v_arg_clip)
    # near[b] = stop(v_old[b]) + v_arg_clip[b]
    near = np.add(v_old, v_arg_clip, out=ws.near)
    # ret_arg[b] = (v[b] - stop(ret[b]))**2
    ret_arg = np.subtract(v, ret, out=ws.ret_arg)
    np.square(ret_arg, out=ret_arg)
    # near_arg[b] = (near[b] - stop(ret[b]))**2
    near_arg = np.subtract(near, ret, out=ws.near_arg)
    np.square(near_arg, out=near_arg)
    # ret_arg_maximum[b] = maximum(ret_arg[b], near_arg[b])
    ret_arg_maximum = np.maximum(ret_arg, near_arg, out=ws.ret_arg_maximum)
    # ppo_value += 0.5*ret_arg_maximum[b]/B
    ppo_value = np.sum(ret_arg_maximum) / (2.0 * B)
    # loss = ppo_clip + ppo_value*value_weight - entropy*entropy_weight
    loss = ppo_clip + ppo_value * value_weight - entropy * entropy_weight
    return loss, {
        "entropy": entropy,
        "approx_kl": approx_kl,
        "clip_fraction": clip_fraction,
        "explained_variance": explained_variance,
    }


def value_and_grad(
    params,
    *,
    obs,
    action,
    logp_old,
    advantage,
    v_old,
    ret,
    eps=0.2,
    value_weight=0.5,
    entropy_weight=0.01,
    workspace=None,
):
    """The loss and its gradient by trunk, actor, critic.

    obs: real[B, S]
    action: int[B] < A
    logp_old: real[B]
    advantage: real[B]
    v_old: real[B]
    ret: real[B]
    eps: real > 0 = 0.2
    value_weight: real = 0.5
    entropy_weight: real = 0.01

    Returns ((loss, aux), gradient); aux is a dict of entropy, approx_kl, clip_fraction,
    explained_variance.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    logp_old = _real("logp_old", logp_old, 1)
    advantage = _real("advantage", advantage, 1)
    v_old = _real("v_old", v_old, 1)
    ret = _real("ret", ret, 1)
    eps = dtype.type(_real("eps", eps, 0))
    value_weight = dtype.type(_real("value_weight", value_weight, 0))
    entropy_weight = dtype.type(_real("entropy_weight", entropy_weight, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B,))
    _shape("logp_old", logp_old, (B,))
    _shape("advantage", advantage, (B,))
    _shape("v_old", v_old, (B,))
    _shape("ret", ret, (B,))
    _below("action", action, A)
    _positive("eps", eps)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    logp_old = _fit(ws, "logp_old", logp_old, dtype)
    advantage = _fit(ws, "advantage", advantage, dtype)
    v_old = _fit(ws, "v_old", v_old, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    grads = ws.grads
    trunk_W1, trunk_c1, trunk_W2 = params.trunk.W1, params.trunk.c1, params.trunk.W2
    trunk_c2, actor_W1, actor_c1 = params.trunk.c2, params.actor.W1, params.actor.c1
    critic_W1, critic_c1 = params.critic.W1, params.critic.c1
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk_h1[b,i] = tanh(trunk_z1[b,i])
    trunk_h1 = np.tanh(trunk_z1, out=ws.trunk_h1)
    # trunk_z2[b,i] += trunk_W2[i,j]*trunk_h1[b,j]
    trunk_z2 = np.matmul(trunk_h1, trunk_W2.T, out=ws.trunk_z2)
    # trunk_z2[b,i] += trunk_c2[i] for b < B
    trunk_z2 += trunk_c2
    # trunk[b,i] = tanh(trunk_z2[b,i])
    trunk = np.tanh(trunk_z2, out=ws.trunk)
    # actor[b,i] += actor_W1[i,j]*trunk[b,j]
    actor = np.matmul(trunk, actor_W1.T, out=ws.actor)
    # actor[b,i] += actor_c1[i] for b < B
    actor += actor_c1
    # critic[b,i] += critic_W1[i,j]*trunk[b,j]
    critic = np.matmul(trunk, critic_W1.T, out=ws.critic)
    # critic[b,i] += critic_c1[i] for b < B
    critic += critic_c1
    # categorical_log_prob_lse[b] = logsumexp(a: actor[b,a])
    categorical_log_prob_lse = _logsumexp(
        actor, out=ws.categorical_log_prob_lse, scratch=ws.t_3, total=ws.t_4
    )
    # categorical_log_prob[b] = actor[b,action[b]] - categorical_log_prob_lse[b]
    actor_at = _pick(actor, (ws.arange, action), out=ws.actor_at, at=ws.at)
    categorical_log_prob = np.subtract(
        actor_at, categorical_log_prob_lse, out=ws.categorical_log_prob
    )
    # log_r[b] = categorical_log_prob[b] - logp_old[b]
    log_r = np.subtract(categorical_log_prob, logp_old, out=ws.log_r)
    # actor_where[b,a] = where(-inf < actor[b,a], actor[b,a] - categorical_log_prob_lse[b], 0)
    t_5 = np.greater(actor, -np.inf, out=ws.t_5)
    actor_where = ws.actor_where
    actor_where.fill(0.0)
    np.subtract(actor, categorical_log_prob_lse[:, None], out=actor_where, where=t_5)
    # actor_softmax[b,a] = expdiff(actor[b,a], categorical_log_prob_lse[b])
    actor_softmax = _expdiff(actor, categorical_log_prob_lse[:, None], out=ws.actor_softmax)
    # categorical_entropy[b] += -actor_softmax[b,a]*actor_where[b,a]
    t_6 = np.multiply(actor_softmax, actor_where, out=ws.t_6)
    categorical_entropy = np.sum(t_6, axis=1, out=ws.categorical_entropy)
    np.negative(categorical_entropy, out=categorical_entropy)
    # entropy += categorical_entropy[b]/B
    entropy = np.sum(categorical_entropy) / B
    # log_r_expm1[b] = expm1(log_r[b])
    log_r_expm1 = np.expm1(log_r, out=ws.log_r_expm1)
    # approx_kl += (log_r_expm1[b] - log_r[b])/B
    t_7 = np.subtract(log_r_expm1, log_r, out=ws.t_7)
    approx_kl = np.sum(t_7) / B
    # log_r_expm1_abs[b] = abs(log_r_expm1[b])
    log_r_expm1_abs = np.abs(log_r_expm1, out=ws.log_r_expm1_abs)
    # eps_where[b] = [eps < log_r_expm1_abs[b]]
    t_8 = np.greater(log_r_expm1_abs, eps, out=ws.t_8)
    eps_where = ws.eps_where
    eps_where.fill(0.0)
    np.copyto(eps_where, 1.0, where=t_8)
    # clip_fraction += eps_where[b]/B
    clip_fraction = np.sum(eps_where) / B
    # error[b] = ret[b] - critic[b,0]
    error = np.subtract(ret, critic[:, 0], out=ws.error)
    # mean_error += error[b]/B
    mean_error = np.sum(error) / B
    # mean_ret += ret[b]/B
    mean_ret = np.sum(ret) / B
    # var_ret += (ret[b] - mean_ret)**2/B
    np.subtract(ret, mean_ret, out=t_7)
    np.square(t_7, out=t_7)
    var_ret = np.sum(t_7) / B
    # explained_variance_mean += (error[b] - mean_error)**2/B
    t_9 = np.subtract(error, mean_error, out=ws.t_9)
    np.square(t_9, out=t_9)
    explained_variance_mean = np.sum(t_9) / B
    # explained_variance = where(0 < var_ret, 1 - explained_variance_mean/var_ret, 0)
    explained_variance = dtype.type(
        1.0 - explained_variance_mean / var_ret if (var_ret > 0.0) else 0.0
    )
    # r[b] = exp(categorical_log_prob[b] - stop(logp_old[b]))
    r = np.exp(log_r, out=ws.r)
    # A_2[b] = stop(advantage[b])
    A_2 = ws.A_2
    np.copyto(A_2, advantage)
    # eps_arg = 1 - eps
    eps_arg = 1.0 - eps
    # eps_arg_2 = 1 + eps
    eps_arg_2 = 1.0 + eps
    # r_clip[b] = clip(r[b], eps_arg, eps_arg_2)
    r_clip = np.clip(r, eps_arg, eps_arg_2, out=ws.r_clip)
    # A_2_arg[b] = A_2[b]*r[b]
    A_2_arg = np.multiply(A_2, r, out=ws.A_2_arg)
    # A_2_arg_2[b] = A_2[b]*r_clip[b]
    A_2_arg_2 = np.multiply(A_2, r_clip, out=ws.A_2_arg_2)
    # A_2_arg_minimum[b] = minimum(A_2_arg[b], A_2_arg_2[b])
    A_2_arg_minimum = np.minimum(A_2_arg, A_2_arg_2, out=ws.A_2_arg_minimum)
    # ppo_clip += -A_2_arg_minimum[b]/B
    ppo_clip = -np.sum(A_2_arg_minimum) / B
    # v[b] = critic[b,0]
    v = ws.v
    np.copyto(v, critic[:, 0])
    # v_arg[b] = v[b] - stop(v_old[b])
    v_arg = np.subtract(v, v_old, out=ws.v_arg)
    # eps_arg_3 = -eps
    eps_arg_3 = -eps
    # v_arg_clip[b] = clip(v_arg[b], eps_arg_3, eps)
    v_arg_clip = np.clip(v_arg, eps_arg_3, eps, out=ws.v_arg_clip)
    # near[b] = stop(v_old[b]) + v_arg_clip[b]
    near = np.add(v_old, v_arg_clip, out=ws.near)
    # ret_arg[b] = (v[b] - stop(ret[b]))**2
    t_1 = np.subtract(v, ret, out=ws.t_1)
    ret_arg = np.square(t_1, out=ws.ret_arg)
    # near_arg[b] = (near[b] - stop(ret[b]))**2
    t_2 = np.subtract(near, ret, out=ws.t_2)
    near_arg = np.square(t_2, out=ws.near_arg)
    # ret_arg_maximum[b] = maximum(ret_arg[b], near_arg[b])
    ret_arg_maximum = np.maximum(ret_arg, near_arg, out=ws.ret_arg_maximum)
    # ppo_value += 0.5*ret_arg_maximum[b]/B
    ppo_value = np.sum(ret_arg_maximum) / (2.0 * B)
    # loss = ppo_clip + ppo_value*value_weight - entropy*entropy_weight
    loss = ppo_clip + ppo_value * value_weight - entropy * entropy_weight
    # dentropy = -entropy_weight
    dentropy = -entropy_weight
    # dret_arg_maximum[b] = 0.5*value_weight/B for b < B
    dret_arg_maximum = ws.dret_arg_maximum
    dret_arg_maximum.fill(value_weight / (2.0 * B))
    # dnear_arg[b] = where(near_arg[b] <= ret_arg[b], 0, dret_arg_maximum[b])
    np.less_equal(near_arg, ret_arg, out=t_8)
    dnear_arg = ws.dnear_arg
    np.copyto(dnear_arg, dret_arg_maximum)
    np.copyto(dnear_arg, 0.0, where=t_8)
    # dret_arg[b] = where(near_arg[b] <= ret_arg[b], dret_arg_maximum[b], 0)
    dret_arg = ws.dret_arg
    dret_arg.fill(0.0)
    np.copyto(dret_arg, dret_arg_maximum, where=t_8)
    # dnear[b] = 2*dnear_arg[b]*(near[b] - stop(ret[b]))
    dnear = np.multiply(t_2, dnear_arg, out=ws.dnear)
    dnear *= 2.0
    # dv[b] += 2*dret_arg[b]*(v[b] - stop(ret[b]))
    dv = np.multiply(t_1, dret_arg, out=ws.dv)
    dv *= 2.0
    # dv_arg[b] = where(v_arg[b] < eps_arg_3, 0, where(eps < v_arg[b], 0, dnear[b]))
    np.less(v_arg, eps_arg_3, out=t_8)
    t_10 = np.greater(v_arg, eps, out=ws.t_10)
    dv_arg = ws.dv_arg
    np.copyto(dv_arg, dnear)
    np.copyto(dv_arg, 0.0, where=t_10)
    np.copyto(dv_arg, 0.0, where=t_8)
    # dv[b] += dv_arg[b]
    dv += dv_arg
    # dcritic[b,0] += dv[b]
    dcritic = ws.dcritic
    np.copyto(dcritic[:, 0], dv)
    # dA_2_arg_minimum[b] = -1/B for b < B
    dA_2_arg_minimum = ws.dA_2_arg_minimum
    dA_2_arg_minimum.fill(-1.0 / B)
    # dA_2_arg[b] = where(A_2_arg[b] <= A_2_arg_2[b], dA_2_arg_minimum[b], 0)
    np.less_equal(A_2_arg, A_2_arg_2, out=t_8)
    dA_2_arg = ws.dA_2_arg
    dA_2_arg.fill(0.0)
    np.copyto(dA_2_arg, dA_2_arg_minimum, where=t_8)
    # dA_2_arg_2[b] = where(A_2_arg[b] <= A_2_arg_2[b], 0, dA_2_arg_minimum[b])
    dA_2_arg_2 = ws.dA_2_arg_2
    np.copyto(dA_2_arg_2, dA_2_arg_minimum)
    np.copyto(dA_2_arg_2, 0.0, where=t_8)
    # dr_clip[b] = dA_2_arg_2[b]*A_2[b]
    dr_clip = np.multiply(A_2, dA_2_arg_2, out=ws.dr_clip)
    # dr[b] += dA_2_arg[b]*A_2[b]
    dr = np.multiply(A_2, dA_2_arg, out=ws.dr)
    # eps_arg_where[b] = where(r[b] < eps_arg, 0, where(eps_arg_2 < r[b], 0, dr_clip[b]))
    np.less(r, eps_arg, out=t_8)
    np.greater(r, eps_arg_2, out=t_10)
    eps_arg_where = ws.eps_arg_where
    np.copyto(eps_arg_where, dr_clip)
    np.copyto(eps_arg_where, 0.0, where=t_10)
    np.copyto(eps_arg_where, 0.0, where=t_8)
    # dr[b] += eps_arg_where[b]
    dr += eps_arg_where
    # dcategorical_log_prob[b] = dr[b]*r[b]
    dcategorical_log_prob = np.multiply(dr, r, out=ws.dcategorical_log_prob)
    # dcategorical_entropy[b] = dentropy/B for b < B
    dcategorical_entropy = ws.dcategorical_entropy
    dcategorical_entropy.fill(dentropy / B)
    # dactor_softmax[b,a] = -dcategorical_entropy[b]*actor_where[b,a]
    dactor_softmax = np.multiply(actor_where, dcategorical_entropy[:, None], out=ws.dactor_softmax)
    np.negative(dactor_softmax, out=dactor_softmax)
    # dactor_where[b,a] = -dcategorical_entropy[b]*actor_softmax[b,a]
    dactor_where = np.multiply(actor_softmax, dcategorical_entropy[:, None], out=ws.dactor_where)
    np.negative(dactor_where, out=dactor_where)
    # dactor[b,a] += dactor_softmax[b,a]*actor_softmax[b,a]
    dactor = np.multiply(actor_softmax, dactor_softmax, out=ws.dactor)
    # dcategorical_log_prob_lse[b] += -dactor_softmax[b,a]*actor_softmax[b,a]
    dcategorical_log_prob_lse = np.sum(dactor, axis=1, out=ws.dcategorical_log_prob_lse)
    np.negative(dcategorical_log_prob_lse, out=dcategorical_log_prob_lse)
    # actor_where_2[b,a] = where(-inf < actor[b,a], dactor_where[b,a], 0)
    actor_where_2 = ws.actor_where_2
    actor_where_2.fill(0.0)
    np.copyto(actor_where_2, dactor_where, where=t_5)
    # dactor[b,a] += actor_where_2[b,a]
    dactor += actor_where_2
    # actor_where_3[b,a] = where(-inf < actor[b,a], -dactor_where[b,a], 0)
    actor_where_3 = ws.actor_where_3
    actor_where_3.fill(0.0)
    np.negative(dactor_where, out=actor_where_3, where=t_5)
    # dcategorical_log_prob_lse[b] += actor_where_3[b,a]
    np.sum(actor_where_3, axis=1, out=t_7)
    dcategorical_log_prob_lse += t_7
    # dactor[b,action[b]] += dcategorical_log_prob[b]
    _add_at(dactor, (ws.arange, action), dcategorical_log_prob, at=ws.at, scratch=ws.t_7)
    # dcategorical_log_prob_lse[b] += -dcategorical_log_prob[b]
    dcategorical_log_prob_lse -= dcategorical_log_prob
    # dactor[b,a] += dcategorical_log_prob_lse[b]*actor_softmax[b,a]
    t_3 = np.multiply(actor_softmax, dcategorical_log_prob_lse[:, None], out=ws.t_3)
    dactor += t_3
    # dcritic_c1[i] += dcritic[b,i]
    np.sum(dcritic, axis=0, out=grads.critic.c1)
    # dcritic_W1[i,j] += dcritic[b,i]*trunk[b,j]
    np.matmul(dcritic.T, trunk, out=grads.critic.W1)
    # dtrunk[b,j] += dcritic[b,i]*critic_W1[i,j]
    dtrunk = np.matmul(dcritic, critic_W1, out=ws.dtrunk)
    # dactor_c1[i] += dactor[b,i]
    np.sum(dactor, axis=0, out=grads.actor.c1)
    # dactor_W1[i,j] += dactor[b,i]*trunk[b,j]
    np.matmul(dactor.T, trunk, out=grads.actor.W1)
    # dtrunk[b,j] += dactor[b,i]*actor_W1[i,j]
    t_11 = np.matmul(dactor, actor_W1, out=ws.t_11)
    dtrunk += t_11
    # dtrunk_z2[b,i] = dtrunk[b,i]*(1 - trunk[b,i]**2)
    dtrunk_z2 = np.square(trunk, out=ws.dtrunk_z2)
    np.subtract(1.0, dtrunk_z2, out=dtrunk_z2)
    dtrunk_z2 *= dtrunk
    # dtrunk_c2[i] += dtrunk_z2[b,i]
    np.sum(dtrunk_z2, axis=0, out=grads.trunk.c2)
    # dtrunk_W2[i,j] += dtrunk_z2[b,i]*trunk_h1[b,j]
    np.matmul(dtrunk_z2.T, trunk_h1, out=grads.trunk.W2)
    # dtrunk_h1[b,j] += dtrunk_z2[b,i]*trunk_W2[i,j]
    dtrunk_h1 = np.matmul(dtrunk_z2, trunk_W2, out=ws.dtrunk_h1)
    # dtrunk_z1[b,i] = dtrunk_h1[b,i]*(1 - trunk_h1[b,i]**2)
    dtrunk_z1 = np.square(trunk_h1, out=ws.dtrunk_z1)
    np.subtract(1.0, dtrunk_z1, out=dtrunk_z1)
    dtrunk_z1 *= dtrunk_h1
    # dtrunk_c1[i] += dtrunk_z1[b,i]
    np.sum(dtrunk_z1, axis=0, out=grads.trunk.c1)
    # dtrunk_W1[i,j] += dtrunk_z1[b,i]*obs[b,j]
    np.matmul(dtrunk_z1.T, obs, out=grads.trunk.W1)
    return (
        loss,
        {
            "entropy": entropy,
            "approx_kl": approx_kl,
            "clip_fraction": clip_fraction,
            "explained_variance": explained_variance,
        },
    ), grads


class _TrunkForwardMemory:
    """The buffers of trunk_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.trunk_z1 = self.trunk_h1 = self.trunk = np.empty((B, H), dtype)
        self.trunk_z2 = np.empty((B, H), dtype)


class _ActorForwardMemory:
    """The buffers of actor_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.trunk_z1 = self.trunk_h1 = self.trunk = np.empty((B, H), dtype)
        self.trunk_z2 = np.empty((B, H), dtype)
        self.actor = np.empty((B, A), dtype)


class _CriticForwardMemory:
    """The buffers of critic_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.trunk_z1 = self.trunk_h1 = self.trunk = np.empty((B, H), dtype)
        self.trunk_z2 = np.empty((B, H), dtype)
        self.critic = np.empty((B, 1), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.trunk_z1 = self.trunk_h1 = self.trunk = np.empty((B, H), dtype)
        self.trunk_z2 = np.empty((B, H), dtype)
        self.actor = self.t_4 = np.empty((B, A), dtype)
        self.critic = np.empty((B, 1), dtype)
        self.categorical_log_prob_lse = self.categorical_entropy = np.empty((B,), dtype)
        self.log_r_expm1 = self.log_r_expm1_abs = self.eps_where = self.categorical_log_prob_lse
        self.error = self.t_7 = self.r = self.A_2_arg = self.categorical_log_prob_lse
        self.A_2_arg_minimum = self.v = self.ret_arg = self.categorical_log_prob_lse
        self.ret_arg_maximum = self.categorical_log_prob_lse
        self.actor_softmax = np.empty((B, A), dtype)
        self.t_1 = self.actor_where = np.empty((B, A), dtype)
        self.t_2 = self.actor_at = self.categorical_log_prob = self.log_r = np.empty((B,), dtype)
        self.A_2 = self.A_2_arg_2 = self.v_arg = self.v_arg_clip = self.near = self.t_2
        self.near_arg = self.t_2
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_3 = np.empty((B, A), np.bool_)
        self.t_5 = self.r_clip = np.empty((B,), dtype)
        self.t_6 = np.empty((B,), np.bool_)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.trunk_z1 = self.trunk_h1 = self.dtrunk_z1 = np.empty((B, H), dtype)
        self.trunk_z2 = self.trunk = self.dtrunk_z2 = np.empty((B, H), dtype)
        self.actor = self.t_6 = self.dactor_softmax = self.dactor = np.empty((B, A), dtype)
        self.critic = self.dcritic = np.empty((B, 1), dtype)
        self.categorical_log_prob_lse = self.categorical_entropy = np.empty((B,), dtype)
        self.log_r_expm1 = self.log_r_expm1_abs = self.eps_where = self.categorical_log_prob_lse
        self.error = self.t_9 = self.r = self.dcategorical_log_prob = self.categorical_log_prob_lse
        self.actor_softmax = np.empty((B, A), dtype)
        self.A_2_arg = self.dA_2_arg_2 = self.dr_clip = np.empty((B,), dtype)
        self.A_2_arg_minimum = self.v = self.t_1 = self.dv = np.empty((B,), dtype)
        self.dA_2_arg_minimum = self.A_2_arg_minimum
        self.v_arg = self.dv_arg = np.empty((B,), dtype)
        self.v_arg_clip = self.near = self.t_2 = self.dnear = np.empty((B,), dtype)
        self.ret_arg = self.dnear_arg = np.empty((B,), dtype)
        self.near_arg = self.dret_arg = np.empty((B,), dtype)
        self.ret_arg_maximum = self.dret_arg_maximum = np.empty((B,), dtype)
        self.dtrunk = self.dtrunk_h1 = np.empty((B, H), dtype)
        self.actor_where_2 = self.actor_where_3 = np.empty((B, A), dtype)
        self.t_3 = self.actor_where = self.dactor_where = np.empty((B, A), dtype)
        self.t_4 = self.actor_at = self.categorical_log_prob = self.log_r = np.empty((B,), dtype)
        self.A_2 = self.dr = self.dcategorical_entropy = self.dcategorical_log_prob_lse = self.t_4
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_5 = np.empty((B, A), np.bool_)
        self.t_7 = self.r_clip = self.A_2_arg_2 = self.dA_2_arg = np.empty((B,), dtype)
        self.eps_arg_where = self.t_7
        self.t_8 = np.empty((B,), np.bool_)
        self.t_10 = np.empty((B,), np.bool_)
        self.t_11 = np.empty((B, H), dtype)
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
