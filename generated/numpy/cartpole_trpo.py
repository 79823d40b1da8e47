"""cartpole_trpo: Trust-region policy optimisation for CartPole: 4-64-64-2 with tanh; the surrogate,
and how far the policy moved from the one that played.

Forward
    pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
    pi_z1[b,i] += pi_c1[i] for b < B
    pi_h1[b,i] = tanh(pi_z1[b,i])
    pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
    pi_z2[b,i] += pi_c2[i] for b < B
    pi_h2[b,i] = tanh(pi_z2[b,i])
    pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
    pi[b,i] += pi_c3[i] for b < B
    old_z1[b,i] += obs[b,j]*old_W1[i,j]
    old_z1[b,i] += old_c1[i] for b < B
    old_h1[b,i] = tanh(old_z1[b,i])
    old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
    old_z2[b,i] += old_c2[i] for b < B
    old_h2[b,i] = tanh(old_z2[b,i])
    old[b,i] += old_W3[i,j]*old_h2[b,j]
    old[b,i] += old_c3[i] for b < B

Loss surrogate
    categorical_log_prob_lse[b] = logsumexp(a: pi[b,a])
    categorical_log_prob[b] = pi[b,action[b]] - categorical_log_prob_lse[b]
    logp[b] = categorical_log_prob[b]
    categorical_log_prob_2_lse[b] = logsumexp(a: old[b,a])
    categorical_log_prob_2[b] = old[b,action[b]] - categorical_log_prob_2_lse[b]
    logp_old[b] = categorical_log_prob_2[b]
    loss += -exp(logp[b] - stop(logp_old[b]))*stop(advantage[b])/B

Loss kl
    lse[b] = logsumexp(a: old[b,a])
    lse_q[b] = logsumexp(a: pi[b,a])
    d[b,a] = where(-inf < old[b,a], lse_q[b] + old[b,a] - lse[b] - pi[b,a], 0)
    categorical_kl[b] += d[b,a]*expdiff(old[b,a], lse[b])
    loss += categorical_kl[b]/B

Gradient (surrogate_value_and_grad); dX stands for dL/dX.
    logp_exp[b] = exp(categorical_log_prob[b] - stop(categorical_log_prob_2[b]))
    loss += -logp_exp[b]*stop(advantage[b])/B
    dlogp_exp[b] = -stop(advantage[b])/B
    dcategorical_log_prob[b] = dlogp_exp[b]*logp_exp[b]
    dcategorical_log_prob_lse[b] = -dcategorical_log_prob[b]
    dpi[b,action[b]] += dcategorical_log_prob[b]
    pi_softmax[b,a] = expdiff(pi[b,a], categorical_log_prob_lse[b])
    dpi[b,a] += dcategorical_log_prob_lse[b]*pi_softmax[b,a]
    dpi_c3[i] += dpi[b,i]
    dpi_W3[i,j] += dpi[b,i]*pi_h2[b,j]
    dpi_h2[b,j] += dpi[b,i]*pi_W3[i,j]
    dpi_z2[b,i] = dpi_h2[b,i]*(1 - pi_h2[b,i]**2)
    dpi_c2[i] += dpi_z2[b,i]
    dpi_W2[i,j] += dpi_z2[b,i]*pi_h1[b,j]
    dpi_h1[b,j] += dpi_z2[b,i]*pi_W2[i,j]
    dpi_z1[b,i] = dpi_h1[b,i]*(1 - pi_h1[b,i]**2)
    dpi_c1[i] += dpi_z1[b,i]
    dpi_W1[i,j] += dpi_z1[b,i]*obs[b,j]

Gradient (kl_value_and_grad); dX stands for dL/dX.
    old_softmax[b,a] = expdiff(old[b,a], lse[b])
    categorical_kl[b] += d[b,a]*old_softmax[b,a]
    dcategorical_kl[b] = 1/B for b < B
    dd[b,a] = dcategorical_kl[b]*old_softmax[b,a]
    old_where[b,a] = where(-inf < old[b,a], dd[b,a], 0)
    dlse_q[b] += old_where[b,a]
    old_where_2[b,a] = where(-inf < old[b,a], -dd[b,a], 0)
    dpi[b,a] += old_where_2[b,a]
    pi_softmax[b,a] = expdiff(pi[b,a], lse_q[b])
    dpi[b,a] += dlse_q[b]*pi_softmax[b,a]
    dpi_c3[i] += dpi[b,i]
    dpi_W3[i,j] += dpi[b,i]*pi_h2[b,j]
    dpi_h2[b,j] += dpi[b,i]*pi_W3[i,j]
    dpi_z2[b,i] = dpi_h2[b,i]*(1 - pi_h2[b,i]**2)
    dpi_c2[i] += dpi_z2[b,i]
    dpi_W2[i,j] += dpi_z2[b,i]*pi_h1[b,j]
    dpi_h1[b,j] += dpi_z2[b,i]*pi_W2[i,j]
    dpi_z1[b,i] = dpi_h1[b,i]*(1 - pi_h1[b,i]**2)
    dpi_c1[i] += dpi_z1[b,i]
    dpi_W1[i,j] += dpi_z1[b,i]*obs[b,j]

Product (kl_fvp); dX_dot = J' H J v + damping v, J = dz/dX, H the Hessian of L in z = pi.
    old_cut_softmax[b,a] = expdiff(old[b,a], lse[b])
    pi_z1_dot[b,i] += obs[b,j]*v_pi_W1[i,j]
    pi_z1_dot[b,i] += v_pi_c1[i] for b < B
    pi_h1_dot[b,i] = pi_z1_dot[b,i]*(1 - pi_h1[b,i]**2)
    pi_z2_dot[b,i] += pi_h1[b,j]*v_pi_W2[i,j]
    pi_z2_dot[b,i] += pi_W2[i,j]*pi_h1_dot[b,j]
    pi_z2_dot[b,i] += v_pi_c2[i] for b < B
    pi_h2_dot[b,i] = pi_z2_dot[b,i]*(1 - pi_h2[b,i]**2)
    pi_dot[b,i] += pi_h2[b,j]*v_pi_W3[i,j]
    pi_dot[b,i] += pi_W3[i,j]*pi_h2_dot[b,j]
    pi_dot[b,i] += v_pi_c3[i] for b < B
    dcategorical_kl[b] = 1/B for b < B
    dd[b,a] = dcategorical_kl[b]*old_cut_softmax[b,a]
    old_cut_where[b,a] = where(-inf < old[b,a], dd[b,a], 0)
    dlse_q[b] += old_cut_where[b,a]
    pi_cut_softmax[b,a] = expdiff(pi[b,a], lse_q[b])
    lse_q_dot[b] += pi_cut_softmax[b,a]*pi_dot[b,a]
    pi_cut_softmax_dot[b,a] += -lse_q_dot[b]*pi_cut_softmax[b,a]
    pi_cut_softmax_dot[b,a] += pi_cut_softmax[b,a]*pi_dot[b,a]
    dpi_cut_dot[b,a] = dlse_q[b]*pi_cut_softmax_dot[b,a]
    dpi_c3_dot[i] += dpi_cut_dot[b,i]
    dpi_W3_dot[i,j] += dpi_cut_dot[b,i]*pi_h2[b,j]
    dpi_h2[b,j] += dpi_cut_dot[b,i]*pi_W3[i,j]
    dpi_z2[b,i] = dpi_h2[b,i]*(1 - pi_h2[b,i]**2)
    dpi_c2_dot[i] += dpi_z2[b,i]
    dpi_W2_dot[i,j] += dpi_z2[b,i]*pi_h1[b,j]
    dpi_h1[b,j] += dpi_z2[b,i]*pi_W2[i,j]
    dpi_z1[b,i] = dpi_h1[b,i]*(1 - pi_h1[b,i]**2)
    dpi_c1_dot[i] += dpi_z1[b,i]
    dpi_W1_dot[i,j] += dpi_z1[b,i]*obs[b,j]
    dpi_W1_dot[i,j] += damping*v_pi_W1[i,j]
    dpi_c1_dot[i] += damping*v_pi_c1[i]
    dpi_W2_dot[i,j] += damping*v_pi_W2[i,j]
    dpi_c2_dot[i] += damping*v_pi_c2[i]
    dpi_W3_dot[i,j] += damping*v_pi_W3[i,j]
    dpi_c3_dot[i] += damping*v_pi_c3[i]

Shapes
    pi_W1: real[H, 4]
    pi_c1: real[H]
    pi_W2: real[H, H]
    pi_c2: real[H]
    pi_W3: real[2, H]
    pi_c3: real[2]
    old_W1: real[H, 4]
    old_c1: real[H]
    old_W2: real[H, H]
    old_c2: real[H]
    old_W3: real[2, H]
    old_c3: real[2]
    obs: real[B, 4]
    action: int[B] < 2
    advantage: real[B]
    B: steps in the batch

At kinks: there are none.
Held constant: what wrt does not name, and what stop() holds in
    loss += -exp(logp[b] - stop(logp_old[b]))*stop(advantage[b])/B
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "H": 64}
PARAMETERS = {
    "pi.W1": {"axes": ("H", "4"), "offset": 0, "shape": (64, 4), "strides": (4, 1)},
    "pi.c1": {"axes": ("H",), "offset": 256, "shape": (64,), "strides": (1,)},
    "pi.W2": {"axes": ("H", "H"), "offset": 320, "shape": (64, 64), "strides": (64, 1)},
    "pi.c2": {"axes": ("H",), "offset": 4416, "shape": (64,), "strides": (1,)},
    "pi.W3": {"axes": ("2", "H"), "offset": 4480, "shape": (2, 64), "strides": (64, 1)},
    "pi.c3": {"axes": ("2",), "offset": 4608, "shape": (2,), "strides": (1,)},
    "old.W1": {"axes": ("H", "4"), "offset": 4610, "shape": (64, 4), "strides": (4, 1)},
    "old.c1": {"axes": ("H",), "offset": 4866, "shape": (64,), "strides": (1,)},
    "old.W2": {"axes": ("H", "H"), "offset": 4930, "shape": (64, 64), "strides": (64, 1)},
    "old.c2": {"axes": ("H",), "offset": 9026, "shape": (64,), "strides": (1,)},
    "old.W3": {"axes": ("2", "H"), "offset": 9090, "shape": (2, 64), "strides": (64, 1)},
    "old.c3": {"axes": ("2",), "offset": 9218, "shape": (2,), "strides": (1,)},
}
LAYERS = {
    "pi": (
        {"weight": "pi.W1", "bias": "pi.c1"},
        {"weight": "pi.W2", "bias": "pi.c2"},
        {"weight": "pi.W3", "bias": "pi.c3"},
    ),
    "old": (
        {"weight": "old.W1", "bias": "old.c1"},
        {"weight": "old.W2", "bias": "old.c2"},
        {"weight": "old.W3", "bias": "old.c3"},
    ),
}
INPUTS = {
    "obs": "real[B, 4]",
    "action": "int[B] < 2",
    "advantage": "real[B]",
    "damping": "real = 0",
}
OUTPUTS = {
    "pi_forward": ("pi",),
    "old_forward": ("old",),
}
BRANCHES = ()
OPERATIONS = {
    "pi_forward": "B * H * H + 10 * B * H + 2 * B",
    "old_forward": "B * H * H + 10 * B * H + 2 * B",
    "surrogate_value": "2 * B * H * H + 20 * B * H + 21 * B",
    "surrogate_value_and_grad": "4 * B * H * H + 36 * B * H + 30 * B",
    "kl_value": "2 * B * H * H + 20 * B * H + 31 * B",
    "kl_value_and_grad": "4 * B * H * H + 36 * B * H + 45 * B",
    "kl_fvp": "6 * B * H * H + 49 * B * H + 2 * H * H + 44 * B + 16 * H + 4",
}
SPEC_HASH = "30fc4a081244884eef04ba0a61c327ec56d8d0764a8d0d9657cb131127fcc18b"
SPEC = r'''description = "Trust-region policy optimisation for CartPole: 4-64-64-2 with tanh; the surrogate, and how far the policy moved from the one that played."
with = ["kl_fvp"]
equations = """
pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
pi_z1[b,i] += pi_c1[i] for b < B
pi_h1[b,i] = tanh(pi_z1[b,i])
pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
pi_z2[b,i] += pi_c2[i] for b < B
pi_h2[b,i] = tanh(pi_z2[b,i])
pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
pi[b,i] += pi_c3[i] for b < B
old_z1[b,i] += obs[b,j]*old_W1[i,j]
old_z1[b,i] += old_c1[i] for b < B
old_h1[b,i] = tanh(old_z1[b,i])
old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
old_z2[b,i] += old_c2[i] for b < B
old_h2[b,i] = tanh(old_z2[b,i])
old[b,i] += old_W3[i,j]*old_h2[b,j]
old[b,i] += old_c3[i] for b < B
"""

[sizes]
B = "steps in the batch"
H = 64

[params.pi]
W1 = "real[H, 4] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[2, H] init=uniform_fan_in"
c3 = "real[2] init=zeros"

[params.old]
W1 = "real[H, 4] init=copy(pi_W1)"
c1 = "real[H] init=copy(pi_c1)"
W2 = "real[H, H] init=copy(pi_W2)"
c2 = "real[H] init=copy(pi_c2)"
W3 = "real[2, H] init=copy(pi_W3)"
c3 = "real[2] init=copy(pi_c3)"

[data]
obs = "real[B, 4]"
action = "int[B] < 2"
advantage = "real[B]"

[losses.surrogate]
wrt = ["pi_W1", "pi_c1", "pi_W2", "pi_c2", "pi_W3", "pi_c3"]
equations = """
categorical_log_prob_lse[b] = logsumexp(a: pi[b,a])
categorical_log_prob[b] = pi[b,action[b]] - categorical_log_prob_lse[b]
logp[b] = categorical_log_prob[b]
categorical_log_prob_2_lse[b] = logsumexp(a: old[b,a])
categorical_log_prob_2[b] = old[b,action[b]] - categorical_log_prob_2_lse[b]
logp_old[b] = categorical_log_prob_2[b]
loss += -exp(logp[b] - stop(logp_old[b]))*stop(advantage[b])/B
"""

[losses.kl]
wrt = ["pi_W1", "pi_c1", "pi_W2", "pi_c2", "pi_W3", "pi_c3"]
equations = """
lse[b] = logsumexp(a: old[b,a])
lse_q[b] = logsumexp(a: pi[b,a])
d[b,a] = where(-inf < old[b,a], lse_q[b] + old[b,a] - lse[b] - pi[b,a], 0)
categorical_kl[b] += d[b,a]*expdiff(old[b,a], lse[b])
loss += categorical_kl[b]/B
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
    """Views on one vector `flat`: pi.W1 (H, 4), pi.c1 (H,), pi.W2 (H, H), pi.c2 (H,), pi.W3 (2, H),
    pi.c3 (2,), old.W1 (H, 4), old.c1 (H,), old.W2 (H, H), old.c2 (H,), old.W3 (2, H), old.c3 (2,).
    """

    def __init__(self, flat, *, H=64):
        self._sizes = _sizes(H=H)
        self.flat = _vector(flat, 2 * H * H + 16 * H + 4)
        _part = _parts(self.flat)
        self.pi = _Group(
            _part(H * H + 8 * H + 2), W1=(H, 4), c1=(H,), W2=(H, H), c2=(H,), W3=(2, H), c3=(2,)
        )
        self.old = _Group(
            _part(H * H + 8 * H + 2), W1=(H, 4), c1=(H,), W2=(H, H), c2=(H,), W3=(2, H), c3=(2,)
        )
        self._closed = True


class SurrogateGradients(_Views):
    """Views on one vector `flat`: pi.W1 (H, 4), pi.c1 (H,), pi.W2 (H, H), pi.c2 (H,), pi.W3 (2, H),
    pi.c3 (2,).
    """

    def __init__(self, flat, *, H=64):
        self._sizes = _sizes(H=H)
        self.flat = _vector(flat, H * H + 8 * H + 2)
        _part = _parts(self.flat)
        self.pi = _Group(
            _part(H * H + 8 * H + 2), W1=(H, 4), c1=(H,), W2=(H, H), c2=(H,), W3=(2, H), c3=(2,)
        )
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, H=64):
        self.sizes = _sizes(B=B, H=H)
        self._memory = {}


def init(rng, *, H=64, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), H=H)
    params.pi.W1[...] = _uniform_fan_in(rng, (H, 4))
    params.pi.c1[...] = 0.0
    params.pi.W2[...] = _uniform_fan_in(rng, (H, H))
    params.pi.c2[...] = 0.0
    params.pi.W3[...] = _uniform_fan_in(rng, (2, H))
    params.pi.c3[...] = 0.0
    params.old.flat[...] = params.pi.flat
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
        np.result_type(*(arrays[name] for name in PARAMETERS)), H=_extent(arrays["pi.W1"], 0)
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


def pi_forward(params, obs, *, workspace=None):
    """The output pi.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _PiForwardMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    pi_W1, pi_c1, pi_W2, pi_c2 = params.pi.W1, params.pi.c1, params.pi.W2, params.pi.c2
    pi_W3, pi_c3 = params.pi.W3, params.pi.c3
    # pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
    pi_z1 = np.matmul(obs, pi_W1.T, out=ws.pi_z1)
    # pi_z1[b,i] += pi_c1[i] for b < B
    pi_z1 += pi_c1
    # pi_h1[b,i] = tanh(pi_z1[b,i])
    pi_h1 = np.tanh(pi_z1, out=ws.pi_h1)
    # pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
    pi_z2 = np.matmul(pi_h1, pi_W2.T, out=ws.pi_z2)
    # pi_z2[b,i] += pi_c2[i] for b < B
    pi_z2 += pi_c2
    # pi_h2[b,i] = tanh(pi_z2[b,i])
    pi_h2 = np.tanh(pi_z2, out=ws.pi_h2)
    # pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
    pi = np.matmul(pi_h2, pi_W3.T, out=ws.pi)
    # pi[b,i] += pi_c3[i] for b < B
    pi += pi_c3
    return pi


def old_forward(params, obs, *, workspace=None):
    """The output old.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _OldForwardMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    old_W1, old_c1, old_W2, old_c2 = params.old.W1, params.old.c1, params.old.W2, params.old.c2
    old_W3, old_c3 = params.old.W3, params.old.c3
    # old_z1[b,i] += obs[b,j]*old_W1[i,j]
    old_z1 = np.matmul(obs, old_W1.T, out=ws.old_z1)
    # old_z1[b,i] += old_c1[i] for b < B
    old_z1 += old_c1
    # old_h1[b,i] = tanh(old_z1[b,i])
    old_h1 = np.tanh(old_z1, out=ws.old_h1)
    # old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
    old_z2 = np.matmul(old_h1, old_W2.T, out=ws.old_z2)
    # old_z2[b,i] += old_c2[i] for b < B
    old_z2 += old_c2
    # old_h2[b,i] = tanh(old_z2[b,i])
    old_h2 = np.tanh(old_z2, out=ws.old_h2)
    # old[b,i] += old_W3[i,j]*old_h2[b,j]
    old = np.matmul(old_h2, old_W3.T, out=ws.old)
    # old[b,i] += old_c3[i] for b < B
    old += old_c3
    return old


def surrogate_value(params, *, obs, action, advantage, workspace=None):
    """The loss.

    obs: real[B, 4]
    action: int[B] < 2
    advantage: real[B]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    advantage = _real("advantage", advantage, 1)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("advantage", advantage, (B,))
    _below("action", action, 2)
    ws = _memory(workspace, _SurrogateValueMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    advantage = _fit(ws, "advantage", advantage, dtype)
    pi_W1, pi_c1, pi_W2, pi_c2 = params.pi.W1, params.pi.c1, params.pi.W2, params.pi.c2
    pi_W3, pi_c3, old_W1, old_c1 = params.pi.W3, params.pi.c3, params.old.W1, params.old.c1
    old_W2, old_c2, old_W3, old_c3 = params.old.W2, params.old.c2, params.old.W3, params.old.c3
    # pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
    pi_z1 = np.matmul(obs, pi_W1.T, out=ws.pi_z1)
    # pi_z1[b,i] += pi_c1[i] for b < B
    pi_z1 += pi_c1
    # pi_h1[b,i] = tanh(pi_z1[b,i])
    pi_h1 = np.tanh(pi_z1, out=ws.pi_h1)
    # pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
    pi_z2 = np.matmul(pi_h1, pi_W2.T, out=ws.pi_z2)
    # pi_z2[b,i] += pi_c2[i] for b < B
    pi_z2 += pi_c2
    # pi_h2[b,i] = tanh(pi_z2[b,i])
    pi_h2 = np.tanh(pi_z2, out=ws.pi_h2)
    # pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
    pi = np.matmul(pi_h2, pi_W3.T, out=ws.pi)
    # pi[b,i] += pi_c3[i] for b < B
    pi += pi_c3
    # old_z1[b,i] += obs[b,j]*old_W1[i,j]
    old_z1 = np.matmul(obs, old_W1.T, out=ws.old_z1)
    # old_z1[b,i] += old_c1[i] for b < B
    old_z1 += old_c1
    # old_h1[b,i] = tanh(old_z1[b,i])
    old_h1 = np.tanh(old_z1, out=ws.old_h1)
    # old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
    old_z2 = np.matmul(old_h1, old_W2.T, out=ws.old_z2)
    # old_z2[b,i] += old_c2[i] for b < B
    old_z2 += old_c2
    # old_h2[b,i] = tanh(old_z2[b,i])
    old_h2 = np.tanh(old_z2, out=ws.old_h2)
    # old[b,i] += old_W3[i,j]*old_h2[b,j]
    old = np.matmul(old_h2, old_W3.T, out=ws.old)
    # old[b,i] += old_c3[i] for b < B
    old += old_c3
    # categorical_log_prob_lse[b] = logsumexp(a: pi[b,a])
    categorical_log_prob_lse = _logsumexp(
        pi, out=ws.categorical_log_prob_lse, scratch=ws.t_1, total=ws.t_2
    )
    # categorical_log_prob[b] = pi[b,action[b]] - categorical_log_prob_lse[b]
    pi_at = _pick(pi, (ws.arange, action), out=ws.pi_at, at=ws.at)
    categorical_log_prob = np.subtract(pi_at, categorical_log_prob_lse, out=ws.categorical_log_prob)
    # categorical_log_prob_2_lse[b] = logsumexp(a: old[b,a])
    categorical_log_prob_2_lse = _logsumexp(
        old, out=ws.categorical_log_prob_2_lse, scratch=ws.t_3, total=ws.t_4
    )
    # categorical_log_prob_2[b] = old[b,action[b]] - categorical_log_prob_2_lse[b]
    old_at = _pick(old, (ws.arange, action), out=ws.old_at, at=ws.at)
    categorical_log_prob_2 = np.subtract(
        old_at, categorical_log_prob_2_lse, out=ws.categorical_log_prob_2
    )
    # logp_exp[b] = exp(categorical_log_prob[b] - stop(categorical_log_prob_2[b]))
    logp_exp = np.subtract(categorical_log_prob, categorical_log_prob_2, out=ws.logp_exp)
    np.exp(logp_exp, out=logp_exp)
    # loss += -logp_exp[b]*stop(advantage[b])/B
    loss = -np.dot(logp_exp, advantage) / B
    return loss


def surrogate_value_and_grad(params, *, obs, action, advantage, workspace=None):
    """The loss and its gradient by pi.

    obs: real[B, 4]
    action: int[B] < 2
    advantage: real[B]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    advantage = _real("advantage", advantage, 1)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("advantage", advantage, (B,))
    _below("action", action, 2)
    ws = _memory(workspace, _SurrogateValueAndGradMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    advantage = _fit(ws, "advantage", advantage, dtype)
    grads = ws.grads
    pi_W1, pi_c1, pi_W2, pi_c2 = params.pi.W1, params.pi.c1, params.pi.W2, params.pi.c2
    pi_W3, pi_c3, old_W1, old_c1 = params.pi.W3, params.pi.c3, params.old.W1, params.old.c1
    old_W2, old_c2, old_W3, old_c3 = params.old.W2, params.old.c2, params.old.W3, params.old.c3
    # pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
    pi_z1 = np.matmul(obs, pi_W1.T, out=ws.pi_z1)
    # pi_z1[b,i] += pi_c1[i] for b < B
    pi_z1 += pi_c1
    # pi_h1[b,i] = tanh(pi_z1[b,i])
    pi_h1 = np.tanh(pi_z1, out=ws.pi_h1)
    # pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
    pi_z2 = np.matmul(pi_h1, pi_W2.T, out=ws.pi_z2)
    # pi_z2[b,i] += pi_c2[i] for b < B
    pi_z2 += pi_c2
    # pi_h2[b,i] = tanh(pi_z2[b,i])
    pi_h2 = np.tanh(pi_z2, out=ws.pi_h2)
    # pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
    pi = np.matmul(pi_h2, pi_W3.T, out=ws.pi)
    # pi[b,i] += pi_c3[i] for b < B
    pi += pi_c3
    # old_z1[b,i] += obs[b,j]*old_W1[i,j]
    old_z1 = np.matmul(obs, old_W1.T, out=ws.old_z1)
    # old_z1[b,i] += old_c1[i] for b < B
    old_z1 += old_c1
    # old_h1[b,i] = tanh(old_z1[b,i])
    old_h1 = np.tanh(old_z1, out=ws.old_h1)
    # old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
    old_z2 = np.matmul(old_h1, old_W2.T, out=ws.old_z2)
    # old_z2[b,i] += old_c2[i] for b < B
    old_z2 += old_c2
    # old_h2[b,i] = tanh(old_z2[b,i])
    old_h2 = np.tanh(old_z2, out=ws.old_h2)
    # old[b,i] += old_W3[i,j]*old_h2[b,j]
    old = np.matmul(old_h2, old_W3.T, out=ws.old)
    # old[b,i] += old_c3[i] for b < B
    old += old_c3
    # categorical_log_prob_lse[b] = logsumexp(a: pi[b,a])
    categorical_log_prob_lse = _logsumexp(
        pi, out=ws.categorical_log_prob_lse, scratch=ws.t_1, total=ws.t_2
    )
    # categorical_log_prob[b] = pi[b,action[b]] - categorical_log_prob_lse[b]
    pi_at = _pick(pi, (ws.arange, action), out=ws.pi_at, at=ws.at)
    categorical_log_prob = np.subtract(pi_at, categorical_log_prob_lse, out=ws.categorical_log_prob)
    # categorical_log_prob_2_lse[b] = logsumexp(a: old[b,a])
    categorical_log_prob_2_lse = _logsumexp(
        old, out=ws.categorical_log_prob_2_lse, scratch=ws.t_1, total=ws.t_3
    )
    # categorical_log_prob_2[b] = old[b,action[b]] - categorical_log_prob_2_lse[b]
    old_at = _pick(old, (ws.arange, action), out=ws.old_at, at=ws.at)
    categorical_log_prob_2 = np.subtract(
        old_at, categorical_log_prob_2_lse, out=ws.categorical_log_prob_2
    )
    # logp_exp[b] = exp(categorical_log_prob[b] - stop(categorical_log_prob_2[b]))
    logp_exp = np.subtract(categorical_log_prob, categorical_log_prob_2, out=ws.logp_exp)
    np.exp(logp_exp, out=logp_exp)
    # loss += -logp_exp[b]*stop(advantage[b])/B
    loss = -np.dot(logp_exp, advantage) / B
    # dlogp_exp[b] = -stop(advantage[b])/B
    dlogp_exp = np.divide(advantage, -B, out=ws.dlogp_exp)
    # dcategorical_log_prob[b] = dlogp_exp[b]*logp_exp[b]
    dcategorical_log_prob = np.multiply(dlogp_exp, logp_exp, out=ws.dcategorical_log_prob)
    # dcategorical_log_prob_lse[b] = -dcategorical_log_prob[b]
    dcategorical_log_prob_lse = np.negative(dcategorical_log_prob, out=ws.dcategorical_log_prob_lse)
    # pi_softmax[b,a] = expdiff(pi[b,a], categorical_log_prob_lse[b])
    pi_softmax = _expdiff(pi, categorical_log_prob_lse[:, None], out=ws.pi_softmax)
    # dpi[b,a] += dcategorical_log_prob_lse[b]*pi_softmax[b,a]
    dpi = np.multiply(dcategorical_log_prob_lse[:, None], pi_softmax, out=ws.dpi)
    # dpi[b,action[b]] += dcategorical_log_prob[b]
    _add_at(dpi, (ws.arange, action), dcategorical_log_prob, at=ws.at, scratch=ws.t_4)
    # dpi_c3[i] += dpi[b,i]
    np.sum(dpi, axis=0, out=grads.pi.c3)
    # dpi_W3[i,j] += dpi[b,i]*pi_h2[b,j]
    np.matmul(dpi.T, pi_h2, out=grads.pi.W3)
    # dpi_h2[b,j] += dpi[b,i]*pi_W3[i,j]
    dpi_h2 = np.matmul(dpi, pi_W3, out=ws.dpi_h2)
    # dpi_z2[b,i] = dpi_h2[b,i]*(1 - pi_h2[b,i]**2)
    dpi_z2 = np.square(pi_h2, out=ws.dpi_z2)
    np.subtract(1.0, dpi_z2, out=dpi_z2)
    dpi_z2 *= dpi_h2
    # dpi_c2[i] += dpi_z2[b,i]
    np.sum(dpi_z2, axis=0, out=grads.pi.c2)
    # dpi_W2[i,j] += dpi_z2[b,i]*pi_h1[b,j]
    np.matmul(dpi_z2.T, pi_h1, out=grads.pi.W2)
    # dpi_h1[b,j] += dpi_z2[b,i]*pi_W2[i,j]
    dpi_h1 = np.matmul(dpi_z2, pi_W2, out=ws.dpi_h1)
    # dpi_z1[b,i] = dpi_h1[b,i]*(1 - pi_h1[b,i]**2)
    dpi_z1 = np.square(pi_h1, out=ws.dpi_z1)
    np.subtract(1.0, dpi_z1, out=dpi_z1)
    dpi_z1 *= dpi_h1
    # dpi_c1[i] += dpi_z1[b,i]
    np.sum(dpi_z1, axis=0, out=grads.pi.c1)
    # dpi_W1[i,j] += dpi_z1[b,i]*obs[b,j]
    np.matmul(dpi_z1.T, obs, out=grads.pi.W1)
    return loss, grads


def kl_value(params, *, obs, workspace=None):
    """The loss.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _KlValueMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    pi_W1, pi_c1, pi_W2, pi_c2 = params.pi.W1, params.pi.c1, params.pi.W2, params.pi.c2
    pi_W3, pi_c3, old_W1, old_c1 = params.pi.W3, params.pi.c3, params.old.W1, params.old.c1
    old_W2, old_c2, old_W3, old_c3 = params.old.W2, params.old.c2, params.old.W3, params.old.c3
    # pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
    pi_z1 = np.matmul(obs, pi_W1.T, out=ws.pi_z1)
    # pi_z1[b,i] += pi_c1[i] for b < B
    pi_z1 += pi_c1
    # pi_h1[b,i] = tanh(pi_z1[b,i])
    pi_h1 = np.tanh(pi_z1, out=ws.pi_h1)
    # pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
    pi_z2 = np.matmul(pi_h1, pi_W2.T, out=ws.pi_z2)
    # pi_z2[b,i] += pi_c2[i] for b < B
    pi_z2 += pi_c2
    # pi_h2[b,i] = tanh(pi_z2[b,i])
    pi_h2 = np.tanh(pi_z2, out=ws.pi_h2)
    # pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
    pi = np.matmul(pi_h2, pi_W3.T, out=ws.pi)
    # pi[b,i] += pi_c3[i] for b < B
    pi += pi_c3
    # old_z1[b,i] += obs[b,j]*old_W1[i,j]
    old_z1 = np.matmul(obs, old_W1.T, out=ws.old_z1)
    # old_z1[b,i] += old_c1[i] for b < B
    old_z1 += old_c1
    # old_h1[b,i] = tanh(old_z1[b,i])
    old_h1 = np.tanh(old_z1, out=ws.old_h1)
    # old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
    old_z2 = np.matmul(old_h1, old_W2.T, out=ws.old_z2)
    # old_z2[b,i] += old_c2[i] for b < B
    old_z2 += old_c2
    # old_h2[b,i] = tanh(old_z2[b,i])
    old_h2 = np.tanh(old_z2, out=ws.old_h2)
    # old[b,i] += old_W3[i,j]*old_h2[b,j]
    old = np.matmul(old_h2, old_W3.T, out=ws.old)
    # old[b,i] += old_c3[i] for b < B
    old += old_c3
    # lse[b] = logsumexp(a: old[b,a])
    lse = _logsumexp(old, out=ws.lse, scratch=ws.t_1, total=ws.t_2)
    # lse_q[b] = logsumexp(a: pi[b,a])
    lse_q = _logsumexp(pi, out=ws.lse_q, scratch=ws.t_1, total=ws.t_3)
    # d[b,a] = where(-inf < old[b,a], lse_q[b] + old[b,a] - lse[b] - pi[b,a], 0)
    t_4 = np.greater(old, -np.inf, out=ws.t_4)
    d = ws.d
    d.fill(0.0)
    np.add(lse_q[:, None], old, out=d, where=t_4)
    np.subtract(d, lse[:, None], out=d, where=t_4)
    np.subtract(d, pi, out=d, where=t_4)
    # old_softmax[b,a] = expdiff(old[b,a], lse[b])
    old_softmax = _expdiff(old, lse[:, None], out=ws.old_softmax)
    # categorical_kl[b] += d[b,a]*old_softmax[b,a]
    t_5 = np.multiply(d, old_softmax, out=ws.t_5)
    categorical_kl = np.sum(t_5, axis=1, out=ws.categorical_kl)
    # loss += categorical_kl[b]/B
    loss = np.sum(categorical_kl) / B
    return loss


def kl_value_and_grad(params, *, obs, workspace=None):
    """The loss and its gradient by pi.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _KlValueAndGradMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    grads = ws.grads
    pi_W1, pi_c1, pi_W2, pi_c2 = params.pi.W1, params.pi.c1, params.pi.W2, params.pi.c2
    pi_W3, pi_c3, old_W1, old_c1 = params.pi.W3, params.pi.c3, params.old.W1, params.old.c1
    old_W2, old_c2, old_W3, old_c3 = params.old.W2, params.old.c2, params.old.W3, params.old.c3
    # pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
    pi_z1 = np.matmul(obs, pi_W1.T, out=ws.pi_z1)
    # pi_z1[b,i] += pi_c1[i] for b < B
    pi_z1 += pi_c1
    # pi_h1[b,i] = tanh(pi_z1[b,i])
    pi_h1 = np.tanh(pi_z1, out=ws.pi_h1)
    # pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
    pi_z2 = np.matmul(pi_h1, pi_W2.T, out=ws.pi_z2)
    # pi_z2[b,i] += pi_c2[i] for b < B
    pi_z2 += pi_c2
    # pi_h2[b,i] = tanh(pi_z2[b,i])
    pi_h2 = np.tanh(pi_z2, out=ws.pi_h2)
    # pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
    pi = np.matmul(pi_h2, pi_W3.T, out=ws.pi)
    # pi[b,i] += pi_c3[i] for b < B
    pi += pi_c3
    # old_z1[b,i] += obs[b,j]*old_W1[i,j]
    old_z1 = np.matmul(obs, old_W1.T, out=ws.old_z1)
    # old_z1[b,i] += old_c1[i] for b < B
    old_z1 += old_c1
    # old_h1[b,i] = tanh(old_z1[b,i])
    old_h1 = np.tanh(old_z1, out=ws.old_h1)
    # old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
    old_z2 = np.matmul(old_h1, old_W2.T, out=ws.old_z2)
    # old_z2[b,i] += old_c2[i] for b < B
    old_z2 += old_c2
    # old_h2[b,i] = tanh(old_z2[b,i])
    old_h2 = np.tanh(old_z2, out=ws.old_h2)
    # old[b,i] += old_W3[i,j]*old_h2[b,j]
    old = np.matmul(old_h2, old_W3.T, out=ws.old)
    # old[b,i] += old_c3[i] for b < B
    old += old_c3
    # lse[b] = logsumexp(a: old[b,a])
    lse = _logsumexp(old, out=ws.lse, scratch=ws.t_1, total=ws.t_2)
    # lse_q[b] = logsumexp(a: pi[b,a])
    lse_q = _logsumexp(pi, out=ws.lse_q, scratch=ws.t_1, total=ws.t_3)
    # d[b,a] = where(-inf < old[b,a], lse_q[b] + old[b,a] - lse[b] - pi[b,a], 0)
    t_4 = np.greater(old, -np.inf, out=ws.t_4)
    d = ws.d
    d.fill(0.0)
    np.add(lse_q[:, None], old, out=d, where=t_4)
    np.subtract(d, lse[:, None], out=d, where=t_4)
    np.subtract(d, pi, out=d, where=t_4)
    # old_softmax[b,a] = expdiff(old[b,a], lse[b])
    old_softmax = _expdiff(old, lse[:, None], out=ws.old_softmax)
    # categorical_kl[b] += d[b,a]*old_softmax[b,a]
    t_5 = np.multiply(d, old_softmax, out=ws.t_5)
    categorical_kl = np.sum(t_5, axis=1, out=ws.categorical_kl)
    # loss += categorical_kl[b]/B
    loss = np.sum(categorical_kl) / B
    # dcategorical_kl[b] = 1/B for b < B
    dcategorical_kl = ws.dcategorical_kl
    dcategorical_kl.fill(1.0 / B)
    # dd[b,a] = dcategorical_kl[b]*old_softmax[b,a]
    dd = np.multiply(dcategorical_kl[:, None], old_softmax, out=ws.dd)
    # old_where[b,a] = where(-inf < old[b,a], dd[b,a], 0)
    old_where = ws.old_where
    old_where.fill(0.0)
    np.copyto(old_where, dd, where=t_4)
    # dlse_q[b] += old_where[b,a]
    dlse_q = np.sum(old_where, axis=1, out=ws.dlse_q)
    # old_where_2[b,a] = where(-inf < old[b,a], -dd[b,a], 0)
    old_where_2 = ws.old_where_2
    old_where_2.fill(0.0)
    np.negative(dd, out=old_where_2, where=t_4)
    # pi_softmax[b,a] = expdiff(pi[b,a], lse_q[b])
    pi_softmax = _expdiff(pi, lse_q[:, None], out=ws.pi_softmax)
    # dpi[b,a] += dlse_q[b]*pi_softmax[b,a]
    dpi = np.multiply(dlse_q[:, None], pi_softmax, out=ws.dpi)
    # dpi[b,a] += old_where_2[b,a]
    dpi += old_where_2
    # dpi_c3[i] += dpi[b,i]
    np.sum(dpi, axis=0, out=grads.pi.c3)
    # dpi_W3[i,j] += dpi[b,i]*pi_h2[b,j]
    np.matmul(dpi.T, pi_h2, out=grads.pi.W3)
    # dpi_h2[b,j] += dpi[b,i]*pi_W3[i,j]
    dpi_h2 = np.matmul(dpi, pi_W3, out=ws.dpi_h2)
    # dpi_z2[b,i] = dpi_h2[b,i]*(1 - pi_h2[b,i]**2)
    dpi_z2 = np.square(pi_h2, out=ws.dpi_z2)
    np.subtract(1.0, dpi_z2, out=dpi_z2)
    dpi_z2 *= dpi_h2
    # dpi_c2[i] += dpi_z2[b,i]
    np.sum(dpi_z2, axis=0, out=grads.pi.c2)
    # dpi_W2[i,j] += dpi_z2[b,i]*pi_h1[b,j]
    np.matmul(dpi_z2.T, pi_h1, out=grads.pi.W2)
    # dpi_h1[b,j] += dpi_z2[b,i]*pi_W2[i,j]
    dpi_h1 = np.matmul(dpi_z2, pi_W2, out=ws.dpi_h1)
    # dpi_z1[b,i] = dpi_h1[b,i]*(1 - pi_h1[b,i]**2)
    dpi_z1 = np.square(pi_h1, out=ws.dpi_z1)
    np.subtract(1.0, dpi_z1, out=dpi_z1)
    dpi_z1 *= dpi_h1
    # dpi_c1[i] += dpi_z1[b,i]
    np.sum(dpi_z1, axis=0, out=grads.pi.c1)
    # dpi_W1[i,j] += dpi_z1[b,i]*obs[b,j]
    np.matmul(dpi_z1.T, obs, out=grads.pi.W1)
    return loss, grads


def kl_fvp(params, v, *, obs, damping=0.0, workspace=None):
    """(F + damping) v: F is the Fisher information by pi, at new = old of KL(old || new).

    v: a direction: a gradient's like, or a vector laid out as its `flat`
    obs: real[B, 4]
    damping: real = 0

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    damping = dtype.type(_real("damping", damping, 0))
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _KlFvpMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    grads = ws.grads
    pi_W1, pi_c1, pi_W2, pi_c2 = params.pi.W1, params.pi.c1, params.pi.W2, params.pi.c2
    pi_W3, pi_c3, old_W1, old_c1 = params.pi.W3, params.pi.c3, params.old.W1, params.old.c1
    old_W2, old_c2, old_W3, old_c3 = params.old.W2, params.old.c2, params.old.W3, params.old.c3
    v = _along("v", v, ws._along)
    v_pi_W1, v_pi_c1, v_pi_W2, v_pi_c2, v_pi_W3 = v.pi.W1, v.pi.c1, v.pi.W2, v.pi.c2, v.pi.W3
    v_pi_c3 = v.pi.c3
    # pi_z1[b,i] += obs[b,j]*pi_W1[i,j]
    pi_z1 = np.matmul(obs, pi_W1.T, out=ws.pi_z1)
    # pi_z1[b,i] += pi_c1[i] for b < B
    pi_z1 += pi_c1
    # pi_h1[b,i] = tanh(pi_z1[b,i])
    pi_h1 = np.tanh(pi_z1, out=ws.pi_h1)
    # pi_z2[b,i] += pi_W2[i,j]*pi_h1[b,j]
    pi_z2 = np.matmul(pi_h1, pi_W2.T, out=ws.pi_z2)
    # pi_z2[b,i] += pi_c2[i] for b < B
    pi_z2 += pi_c2
    # pi_h2[b,i] = tanh(pi_z2[b,i])
    pi_h2 = np.tanh(pi_z2, out=ws.pi_h2)
    # pi[b,i] += pi_W3[i,j]*pi_h2[b,j]
    pi = np.matmul(pi_h2, pi_W3.T, out=ws.pi)
    # pi[b,i] += pi_c3[i] for b < B
    pi += pi_c3
    # old_z1[b,i] += obs[b,j]*old_W1[i,j]
    old_z1 = np.matmul(obs, old_W1.T, out=ws.old_z1)
    # old_z1[b,i] += old_c1[i] for b < B
    old_z1 += old_c1
    # old_h1[b,i] = tanh(old_z1[b,i])
    old_h1 = np.tanh(old_z1, out=ws.old_h1)
    # old_z2[b,i] += old_W2[i,j]*old_h1[b,j]
    old_z2 = np.matmul(old_h1, old_W2.T, out=ws.old_z2)
    # old_z2[b,i] += old_c2[i] for b < B
    old_z2 += old_c2
    # old_h2[b,i] = tanh(old_z2[b,i])
    old_h2 = np.tanh(old_z2, out=ws.old_h2)
    # old[b,i] += old_W3[i,j]*old_h2[b,j]
    old = np.matmul(old_h2, old_W3.T, out=ws.old)
    # old[b,i] += old_c3[i] for b < B
    old += old_c3
    # lse[b] = logsumexp(a: old[b,a])
    lse = _logsumexp(old, out=ws.lse, scratch=ws.t_3, total=ws.t_4)
    # lse_q[b] = logsumexp(a: pi[b,a])
    lse_q = _logsumexp(pi, out=ws.lse_q, scratch=ws.t_3, total=ws.t_5)
    # old_cut_softmax[b,a] = expdiff(old[b,a], lse[b])
    old_cut_softmax = _expdiff(old, lse[:, None], out=ws.old_cut_softmax)
    # pi_z1_dot[b,i] += obs[b,j]*v_pi_W1[i,j]
    pi_z1_dot = np.matmul(obs, v_pi_W1.T, out=ws.pi_z1_dot)
    # pi_z1_dot[b,i] += v_pi_c1[i] for b < B
    pi_z1_dot += v_pi_c1
    # pi_h1_dot[b,i] = pi_z1_dot[b,i]*(1 - pi_h1[b,i]**2)
    t_1 = np.square(pi_h1, out=ws.t_1)
    np.subtract(1.0, t_1, out=t_1)
    pi_h1_dot = np.multiply(t_1, pi_z1_dot, out=ws.pi_h1_dot)
    # pi_z2_dot[b,i] += pi_h1[b,j]*v_pi_W2[i,j]
    pi_z2_dot = np.matmul(pi_h1, v_pi_W2.T, out=ws.pi_z2_dot)
    # pi_z2_dot[b,i] += pi_W2[i,j]*pi_h1_dot[b,j]
    t_6 = np.matmul(pi_h1_dot, pi_W2.T, out=ws.t_6)
    pi_z2_dot += t_6
    # pi_z2_dot[b,i] += v_pi_c2[i] for b < B
    pi_z2_dot += v_pi_c2
    # pi_h2_dot[b,i] = pi_z2_dot[b,i]*(1 - pi_h2[b,i]**2)
    t_2 = np.square(pi_h2, out=ws.t_2)
    np.subtract(1.0, t_2, out=t_2)
    pi_h2_dot = np.multiply(t_2, pi_z2_dot, out=ws.pi_h2_dot)
    # pi_dot[b,i] += pi_h2[b,j]*v_pi_W3[i,j]
    pi_dot = np.matmul(pi_h2, v_pi_W3.T, out=ws.pi_dot)
    # pi_dot[b,i] += pi_W3[i,j]*pi_h2_dot[b,j]
    t_7 = np.matmul(pi_h2_dot, pi_W3.T, out=ws.t_7)
    pi_dot += t_7
    # pi_dot[b,i] += v_pi_c3[i] for b < B
    pi_dot += v_pi_c3
    # dcategorical_kl[b] = 1/B for b < B
    dcategorical_kl = ws.dcategorical_kl
    dcategorical_kl.fill(1.0 / B)
    # dd[b,a] = dcategorical_kl[b]*old_cut_softmax[b,a]
    dd = np.multiply(dcategorical_kl[:, None], old_cut_softmax, out=ws.dd)
    # old_cut_where[b,a] = where(-inf < old[b,a], dd[b,a], 0)
    t_8 = np.greater(old, -np.inf, out=ws.t_8)
    old_cut_where = ws.old_cut_where
    old_cut_where.fill(0.0)
    np.copyto(old_cut_where, dd, where=t_8)
    # dlse_q[b] += old_cut_where[b,a]
    dlse_q = np.sum(old_cut_where, axis=1, out=ws.dlse_q)
    # pi_cut_softmax[b,a] = expdiff(pi[b,a], lse_q[b])
    pi_cut_softmax = _expdiff(pi, lse_q[:, None], out=ws.pi_cut_softmax)
    # lse_q_dot[b] += pi_cut_softmax[b,a]*pi_dot[b,a]
    t_9 = np.multiply(pi_cut_softmax, pi_dot, out=ws.t_9)
    lse_q_dot = np.sum(t_9, axis=1, out=ws.lse_q_dot)
    # pi_cut_softmax_dot[b,a] += -lse_q_dot[b]*pi_cut_softmax[b,a]
    pi_cut_softmax_dot = np.multiply(lse_q_dot[:, None], pi_cut_softmax, out=ws.pi_cut_softmax_dot)
    np.negative(pi_cut_softmax_dot, out=pi_cut_softmax_dot)
    # pi_cut_softmax_dot[b,a] += pi_cut_softmax[b,a]*pi_dot[b,a]
    pi_cut_softmax_dot += t_9
    # dpi_cut_dot[b,a] = dlse_q[b]*pi_cut_softmax_dot[b,a]
    dpi_cut_dot = np.multiply(dlse_q[:, None], pi_cut_softmax_dot, out=ws.dpi_cut_dot)
    # dpi_c3_dot[i] += dpi_cut_dot[b,i]
    dpi_c3_dot = np.sum(dpi_cut_dot, axis=0, out=grads.pi.c3)
    # dpi_W3_dot[i,j] += dpi_cut_dot[b,i]*pi_h2[b,j]
    dpi_W3_dot = np.matmul(dpi_cut_dot.T, pi_h2, out=grads.pi.W3)
    # dpi_h2[b,j] += dpi_cut_dot[b,i]*pi_W3[i,j]
    dpi_h2 = np.matmul(dpi_cut_dot, pi_W3, out=ws.dpi_h2)
    # dpi_z2[b,i] = dpi_h2[b,i]*(1 - pi_h2[b,i]**2)
    dpi_z2 = np.multiply(t_2, dpi_h2, out=ws.dpi_z2)
    # dpi_c2_dot[i] += dpi_z2[b,i]
    dpi_c2_dot = np.sum(dpi_z2, axis=0, out=grads.pi.c2)
    # dpi_W2_dot[i,j] += dpi_z2[b,i]*pi_h1[b,j]
    dpi_W2_dot = np.matmul(dpi_z2.T, pi_h1, out=grads.pi.W2)
    # dpi_h1[b,j] += dpi_z2[b,i]*pi_W2[i,j]
    dpi_h1 = np.matmul(dpi_z2, pi_W2, out=ws.dpi_h1)
    # dpi_z1[b,i] = dpi_h1[b,i]*(1 - pi_h1[b,i]**2)
    dpi_z1 = np.multiply(t_1, dpi_h1, out=ws.dpi_z1)
    # dpi_c1_dot[i] += dpi_z1[b,i]
    dpi_c1_dot = np.sum(dpi_z1, axis=0, out=grads.pi.c1)
    # dpi_W1_dot[i,j] += dpi_z1[b,i]*obs[b,j]
    dpi_W1_dot = np.matmul(dpi_z1.T, obs, out=grads.pi.W1)
    # dpi_W1_dot[i,j] += damping*v_pi_W1[i,j]
    t_10 = np.multiply(v_pi_W1, damping, out=ws.t_10)
    dpi_W1_dot += t_10
    # dpi_c1_dot[i] += damping*v_pi_c1[i]
    t_11 = np.multiply(v_pi_c1, damping, out=ws.t_11)
    dpi_c1_dot += t_11
    # dpi_W2_dot[i,j] += damping*v_pi_W2[i,j]
    t_12 = np.multiply(v_pi_W2, damping, out=ws.t_12)
    dpi_W2_dot += t_12
    # dpi_c2_dot[i] += damping*v_pi_c2[i]
    np.multiply(v_pi_c2, damping, out=t_11)
    dpi_c2_dot += t_11
    # dpi_W3_dot[i,j] += damping*v_pi_W3[i,j]
    t_13 = np.multiply(v_pi_W3, damping, out=ws.t_13)
    dpi_W3_dot += t_13
    # dpi_c3_dot[i] += damping*v_pi_c3[i]
    t_14 = np.multiply(v_pi_c3, damping, out=ws.t_14)
    dpi_c3_dot += t_14
    return grads


class _PiForwardMemory:
    """The buffers of pi_forward."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.pi_z1 = self.pi_h1 = self.pi_h2 = np.empty((B, H), dtype)
        self.pi_z2 = np.empty((B, H), dtype)
        self.pi = np.empty((B, 2), dtype)


class _OldForwardMemory:
    """The buffers of old_forward."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.old_z1 = self.old_h1 = self.old_h2 = np.empty((B, H), dtype)
        self.old_z2 = np.empty((B, H), dtype)
        self.old = np.empty((B, 2), dtype)


class _SurrogateValueMemory:
    """The buffers of surrogate_value."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.pi_z1 = self.pi_h1 = self.pi_h2 = self.old_z1 = self.old_h1 = np.empty((B, H), dtype)
        self.old_h2 = self.pi_z1
        self.pi_z2 = self.old_z2 = np.empty((B, H), dtype)
        self.pi = self.t_3 = np.empty((B, 2), dtype)
        self.old = np.empty((B, 2), dtype)
        self.categorical_log_prob_lse = self.categorical_log_prob = np.empty((B,), dtype)
        self.logp_exp = self.categorical_log_prob_lse
        self.t_1 = np.empty((B, 2), dtype)
        self.t_2 = self.pi_at = self.categorical_log_prob_2_lse = np.empty((B,), dtype)
        self.categorical_log_prob_2 = self.t_2
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_4 = self.old_at = np.empty((B,), dtype)


class _SurrogateValueAndGradMemory:
    """The buffers of surrogate_value_and_grad."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.pi_z1 = self.pi_h1 = self.dpi_z1 = np.empty((B, H), dtype)
        self.pi_z2 = self.pi_h2 = self.dpi_z2 = np.empty((B, H), dtype)
        self.pi = self.dpi = np.empty((B, 2), dtype)
        self.old_z1 = self.old_h1 = self.old_h2 = self.dpi_h2 = np.empty((B, H), dtype)
        self.dpi_h1 = self.old_z1
        self.old_z2 = np.empty((B, H), dtype)
        self.old = self.pi_softmax = np.empty((B, 2), dtype)
        self.categorical_log_prob_lse = self.t_4 = np.empty((B,), dtype)
        self.categorical_log_prob_2_lse = self.categorical_log_prob_2 = np.empty((B,), dtype)
        self.dlogp_exp = self.dcategorical_log_prob_lse = self.categorical_log_prob_2_lse
        self.t_1 = np.empty((B, 2), dtype)
        self.t_2 = self.pi_at = self.categorical_log_prob = self.logp_exp = np.empty((B,), dtype)
        self.dcategorical_log_prob = self.t_2
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_3 = self.old_at = np.empty((B,), dtype)
        self.grads = SurrogateGradients(dtype, H=H)


class _KlValueMemory:
    """The buffers of kl_value."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.pi_z1 = self.pi_h1 = self.pi_h2 = self.old_z1 = self.old_h1 = np.empty((B, H), dtype)
        self.old_h2 = self.pi_z1
        self.pi_z2 = self.old_z2 = np.empty((B, H), dtype)
        self.pi = self.old_softmax = self.t_5 = np.empty((B, 2), dtype)
        self.old = np.empty((B, 2), dtype)
        self.lse = self.categorical_kl = np.empty((B,), dtype)
        self.t_1 = self.d = np.empty((B, 2), dtype)
        self.t_2 = self.lse_q = np.empty((B,), dtype)
        self.t_3 = np.empty((B,), dtype)
        self.t_4 = np.empty((B, 2), np.bool_)


class _KlValueAndGradMemory:
    """The buffers of kl_value_and_grad."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.pi_z1 = self.pi_h1 = self.dpi_z1 = np.empty((B, H), dtype)
        self.pi_z2 = self.pi_h2 = self.dpi_z2 = np.empty((B, H), dtype)
        self.pi = self.dpi = np.empty((B, 2), dtype)
        self.old_z1 = self.old_h1 = self.old_h2 = self.dpi_h2 = np.empty((B, H), dtype)
        self.dpi_h1 = self.old_z1
        self.old_z2 = np.empty((B, H), dtype)
        self.old = self.t_5 = self.dd = self.pi_softmax = np.empty((B, 2), dtype)
        self.lse = self.categorical_kl = self.dcategorical_kl = self.dlse_q = np.empty((B,), dtype)
        self.old_softmax = np.empty((B, 2), dtype)
        self.t_1 = self.d = self.old_where = self.old_where_2 = np.empty((B, 2), dtype)
        self.t_2 = self.lse_q = np.empty((B,), dtype)
        self.t_3 = np.empty((B,), dtype)
        self.t_4 = np.empty((B, 2), np.bool_)
        self.grads = SurrogateGradients(dtype, H=H)


class _KlFvpMemory:
    """The buffers of kl_fvp."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.pi_z1 = self.pi_h1 = self.dpi_h1 = self.dpi_z1 = np.empty((B, H), dtype)
        self.pi_z2 = self.pi_h2 = self.dpi_h2 = self.dpi_z2 = np.empty((B, H), dtype)
        self.pi = self.t_9 = self.dpi_cut_dot = np.empty((B, 2), dtype)
        self.old_z1 = self.old_h1 = self.old_h2 = self.pi_z1_dot = np.empty((B, H), dtype)
        self.pi_h1_dot = self.t_2 = self.old_z1
        self.old_z2 = self.t_1 = np.empty((B, H), dtype)
        self.old = self.old_cut_where = self.pi_cut_softmax = np.empty((B, 2), dtype)
        self.pi_cut_softmax_dot = self.old
        self.lse = self.dcategorical_kl = self.dlse_q = np.empty((B,), dtype)
        self.pi_z2_dot = self.pi_h2_dot = np.empty((B, H), dtype)
        self.pi_dot = np.empty((B, 2), dtype)
        self.t_3 = self.old_cut_softmax = self.dd = np.empty((B, 2), dtype)
        self.t_4 = self.lse_q = self.lse_q_dot = np.empty((B,), dtype)
        self.t_5 = np.empty((B,), dtype)
        self.t_6 = np.empty((B, H), dtype)
        self.t_7 = np.empty((B, 2), dtype)
        self.t_8 = np.empty((B, 2), np.bool_)
        self.t_10 = np.empty((H, 4), dtype)
        self.t_11 = np.empty((H,), dtype)
        self.t_12 = np.empty((H, H), dtype)
        self.t_13 = np.empty((2, H), dtype)
        self.t_14 = np.empty((2,), dtype)
        self.grads = SurrogateGradients(dtype, H=H)
        self._along = SurrogateGradients(dtype, H=H)


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


def _along(name, v, own, *inputs):
    """The direction as views on memory of the call: from its like, or from one vector."""
    arrays = {"flat": v}
    if isinstance(v, type(own)):
        arrays = vars(v)
        if v._sizes != own._sizes:
            raise ValueError(f"{name} has sizes {v._sizes}; expected {own._sizes}")
    elif inputs or not isinstance(v, np.ndarray):
        came, expected = _whose(v, type(own)), f"this module's {type(own).__name__}"
        vector = "" if inputs else " or a vector laid out as its flat"
        raise TypeError(f"{name} is of type {came}; expected {expected}{vector}")
    for part in ("flat", *inputs):
        array, room = arrays[part], vars(own)[part]
        if array.shape != np.shape(room) or array.dtype.kind not in "fiu":
            came = f"shape {array.shape} and dtype {array.dtype}"
            raise ValueError(f"{name} has {came}; expected real numbers of shape {np.shape(room)}")
        np.copyto(room, array, casting="unsafe")
    return own


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
