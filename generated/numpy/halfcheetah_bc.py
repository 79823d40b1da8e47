"""halfcheetah_bc: Behaviour cloning for HalfCheetah: an actor 17-256-256-6 with relu imitates
actions, by their squared error, or as a Gaussian with 6 log-stds by the likelihood.

Forward
    z1[b,i] += W1[i,j]*obs[b,j]
    z1[b,i] += c1[i] for b < B
    h1[b,i] = relu(z1[b,i])
    z2[b,i] += W2[i,j]*h1[b,j]
    z2[b,i] += c2[i] for b < B
    h2[b,i] = relu(z2[b,i])
    z3[b,i] += W3[i,j]*h2[b,j]
    z3[b,i] += c3[i] for b < B
    actor[b,i] = tanh(z3[b,i])

Loss squared
    loss += (actor[b,s] - action[b,s])**2/(A*B)

Loss likelihood
    n[b,i] = exp(-log_std[i])*(action[b,i] - actor[b,i])
    loss += (0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)/B

Gradient (squared_value_and_grad); dX stands for dL/dX.
    dactor[b,s] = 2*(actor[b,s] - action[b,s])/(A*B)
    dz3[b,i] = dactor[b,i]*(1 - actor[b,i]**2)
    dc3[i] += dz3[b,i]
    dW3[i,j] += dz3[b,i]*h2[b,j]
    dh2[b,j] += dz3[b,i]*W3[i,j]
    dz2[b,i] = where(0 < z2[b,i], dh2[b,i], 0)
    dc2[i] += dz2[b,i]
    dW2[i,j] += dz2[b,i]*h1[b,j]
    dh1[b,j] += dz2[b,i]*W2[i,j]
    dz1[b,i] = where(0 < z1[b,i], dh1[b,i], 0)
    dc1[i] += dz1[b,i]
    dW1[i,j] += dz1[b,i]*obs[b,j]

Gradient (likelihood_value_and_grad); dX stands for dL/dX.
    log_std_exp[i] = exp(-log_std[i])
    n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    dlog_std[i] += 1/B for b < B, i < A
    dn[b,i] = n[b,i]/B
    dactor[b,i] = -dn[b,i]*log_std_exp[i]
    dlog_std_exp[i] += dn[b,i]*(action[b,i] - actor[b,i])
    dlog_std[i] += -dlog_std_exp[i]*log_std_exp[i]
    dz3[b,i] = dactor[b,i]*(1 - actor[b,i]**2)
    dc3[i] += dz3[b,i]
    dW3[i,j] += dz3[b,i]*h2[b,j]
    dh2[b,j] += dz3[b,i]*W3[i,j]
    dz2[b,i] = where(0 < z2[b,i], dh2[b,i], 0)
    dc2[i] += dz2[b,i]
    dW2[i,j] += dz2[b,i]*h1[b,j]
    dh1[b,j] += dz2[b,i]*W2[i,j]
    dz1[b,i] = where(0 < z1[b,i], dh1[b,i], 0)
    dc1[i] += dz1[b,i]
    dW1[i,j] += dz1[b,i]*obs[b,j]

Shapes
    log_std: real[A]
    W1: real[H, S]
    c1: real[H]
    W2: real[H, H]
    c2: real[H]
    W3: real[A, H]
    c3: real[A]
    obs: real[B, S]
    action: real[B, A]
    B: steps in the batch

At kinks: relu'(0) = 0.
Held constant: what wrt does not name.
Reduction: loss is summed over b, s and divided by A*B; loss is summed over b, i and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 17, "A": 6, "H": 256}
PARAMETERS = {
    "log_std": {"axes": ("A",), "offset": 0, "shape": (6,), "strides": (1,)},
    "W1": {"axes": ("H", "S"), "offset": 6, "shape": (256, 17), "strides": (17, 1)},
    "c1": {"axes": ("H",), "offset": 4358, "shape": (256,), "strides": (1,)},
    "W2": {"axes": ("H", "H"), "offset": 4614, "shape": (256, 256), "strides": (256, 1)},
    "c2": {"axes": ("H",), "offset": 70150, "shape": (256,), "strides": (1,)},
    "W3": {"axes": ("A", "H"), "offset": 70406, "shape": (6, 256), "strides": (256, 1)},
    "c3": {"axes": ("A",), "offset": 71942, "shape": (6,), "strides": (1,)},
}
LAYERS = {
    "actor": (
        {"weight": "W1", "bias": "c1"},
        {"weight": "W2", "bias": "c2"},
        {"weight": "W3", "bias": "c3"},
    ),
}
INPUTS = {
    "obs": "real[B, S]",
    "action": "real[B, A]",
}
OUTPUTS = {
    "forward": ("actor",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "A * B * H + B * H * H + B * H * S + 2 * A * B + 4 * B * H",
    "squared_value": "A * B * H + B * H * H + B * H * S + 5 * A * B + 4 * B * H",
    "squared_value_and_grad": (
        "3 * A * B * H + 3 * B * H * H + 2 * B * H * S + 10 * A * B + 8 * B * H"
    ),
    "likelihood_value": "A * B * H + B * H * H + B * H * S + 9 * A * B + 4 * B * H + 2 * A",
    "likelihood_value_and_grad": (
        "3 * A * B * H + 3 * B * H * H + 2 * B * H * S + 19 * A * B + 8 * B * H + 4 * "
        "A"
    ),
}
SPEC_HASH = "117270cb528e7a6ff6af42a73d3c88bd434935d5c96d9b91c507ae8a744df91f"
SPEC = r'''description = "Behaviour cloning for HalfCheetah: an actor 17-256-256-6 with relu imitates actions, by their squared error, or as a Gaussian with 6 log-stds by the likelihood."
outputs = ["actor"]
equations = """
z1[b,i] += W1[i,j]*obs[b,j]
z1[b,i] += c1[i] for b < B
h1[b,i] = relu(z1[b,i])
z2[b,i] += W2[i,j]*h1[b,j]
z2[b,i] += c2[i] for b < B
h2[b,i] = relu(z2[b,i])
z3[b,i] += W3[i,j]*h2[b,j]
z3[b,i] += c3[i] for b < B
actor[b,i] = tanh(z3[b,i])
"""

[sizes]
B = "steps in the batch"
S = 17
A = 6
H = 256

[params]
log_std = "real[A] init=zeros"
W1 = "real[H, S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[A, H] init=uniform_fan_in"
c3 = "real[A] init=zeros"

[data]
obs = "real[B, S]"
action = "real[B, A]"

[losses.squared]
wrt = ["W1", "c1", "W2", "c2", "W3", "c3"]
equations = """
loss += (actor[b,s] - action[b,s])**2/(A*B)
"""

[losses.likelihood]
wrt = ["W1", "c1", "W2", "c2", "W3", "c3", "log_std"]
equations = """
n[b,i] = exp(-log_std[i])*(action[b,i] - actor[b,i])
loss += (0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)/B
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
    """Views on one vector `flat`: log_std (A,), W1 (H, S), c1 (H,), W2 (H, H), c2 (H,), W3 (A, H),
    c3 (A,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, A * H + H * H + H * S + 2 * A + 2 * H)
        _part = _parts(self.flat)
        self.log_std = _part(A)
        self.W1 = _part(H, S)
        self.c1 = _part(H)
        self.W2 = _part(H, H)
        self.c2 = _part(H)
        self.W3 = _part(A, H)
        self.c3 = _part(A)
        self._closed = True


class SquaredGradients(_Views):
    """Views on one vector `flat`: W1 (H, S), c1 (H,), W2 (H, H), c2 (H,), W3 (A, H), c3 (A,)."""

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, A * H + H * H + H * S + A + 2 * H)
        _part = _parts(self.flat)
        self.W1 = _part(H, S)
        self.c1 = _part(H)
        self.W2 = _part(H, H)
        self.c2 = _part(H)
        self.W3 = _part(A, H)
        self.c3 = _part(A)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, S=17, A=6, H=256):
        self.sizes = _sizes(B=B, S=S, A=A, H=H)
        self._memory = {}


def init(rng, *, S=17, A=6, H=256, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), S=S, A=A, H=H)
    params.log_std[...] = 0.0
    params.W1[...] = _uniform_fan_in(rng, (H, S))
    params.c1[...] = 0.0
    params.W2[...] = _uniform_fan_in(rng, (H, H))
    params.c2[...] = 0.0
    params.W3[...] = _uniform_fan_in(rng, (A, H))
    params.c3[...] = 0.0
    return params


def save(path, params):
    """Write the parameters to an npz file, by name."""
    _dtype_of(params)
    with open(path, "wb") as file:
        np.savez(file, **{name: getattr(params, name) for name in PARAMETERS})


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path)
    params = Params(
        np.result_type(*(arrays[name] for name in PARAMETERS)),
        S=_extent(arrays["W1"], 1),
        A=_extent(arrays["log_std"], 0),
        H=_extent(arrays["W1"], 0),
    )
    for name in PARAMETERS:
        setattr(params, name, arrays[name])
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


def forward(params, obs, *, workspace=None):
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
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    W1, c1, W2, c2, W3, c3 = params.W1, params.c1, params.W2, params.c2, params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = relu(z1[b,i])
    h1 = np.maximum(z1, 0.0, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = relu(z2[b,i])
    h2 = np.maximum(z2, 0.0, out=ws.h2)
    # z3[b,i] += W3[i,j]*h2[b,j]
    z3 = np.matmul(h2, W3.T, out=ws.z3)
    # z3[b,i] += c3[i] for b < B
    z3 += c3
    # actor[b,i] = tanh(z3[b,i])
    actor = np.tanh(z3, out=ws.actor)
    return actor


def squared_value(params, *, obs, action, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _SquaredValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    W1, c1, W2, c2, W3, c3 = params.W1, params.c1, params.W2, params.c2, params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = relu(z1[b,i])
    h1 = np.maximum(z1, 0.0, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = relu(z2[b,i])
    h2 = np.maximum(z2, 0.0, out=ws.h2)
    # z3[b,i] += W3[i,j]*h2[b,j]
    z3 = np.matmul(h2, W3.T, out=ws.z3)
    # z3[b,i] += c3[i] for b < B
    z3 += c3
    # actor[b,i] = tanh(z3[b,i])
    actor = np.tanh(z3, out=ws.actor)
    # loss += (actor[b,s] - action[b,s])**2/(A*B)
    t_1 = np.subtract(actor, action, out=ws.t_1)
    np.square(t_1, out=t_1)
    loss = np.sum(t_1) / (A * B)
    return loss


def squared_value_and_grad(params, *, obs, action, workspace=None):
    """The loss and its gradient by W1, c1, W2, c2, W3, c3.

    obs: real[B, S]
    action: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _SquaredValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    grads = ws.grads
    W1, c1, W2, c2, W3, c3 = params.W1, params.c1, params.W2, params.c2, params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = relu(z1[b,i])
    h1 = np.maximum(z1, 0.0, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = relu(z2[b,i])
    h2 = np.maximum(z2, 0.0, out=ws.h2)
    # z3[b,i] += W3[i,j]*h2[b,j]
    z3 = np.matmul(h2, W3.T, out=ws.z3)
    # z3[b,i] += c3[i] for b < B
    z3 += c3
    # actor[b,i] = tanh(z3[b,i])
    actor = np.tanh(z3, out=ws.actor)
    # loss += (actor[b,s] - action[b,s])**2/(A*B)
    t_1 = np.subtract(actor, action, out=ws.t_1)
    t_2 = np.square(t_1, out=ws.t_2)
    loss = np.sum(t_2) / (A * B)
    # dactor[b,s] = 2*(actor[b,s] - action[b,s])/(A*B)
    dactor = np.multiply(t_1, 2.0 / (A * B), out=ws.dactor)
    # dz3[b,i] = dactor[b,i]*(1 - actor[b,i]**2)
    dz3 = np.square(actor, out=ws.dz3)
    np.subtract(1.0, dz3, out=dz3)
    dz3 *= dactor
    # dc3[i] += dz3[b,i]
    np.sum(dz3, axis=0, out=grads.c3)
    # dW3[i,j] += dz3[b,i]*h2[b,j]
    np.matmul(dz3.T, h2, out=grads.W3)
    # dh2[b,j] += dz3[b,i]*W3[i,j]
    dh2 = np.matmul(dz3, W3, out=ws.dh2)
    # dz2[b,i] = where(0 < z2[b,i], dh2[b,i], 0)
    t_3 = np.greater(z2, 0.0, out=ws.t_3)
    dz2 = ws.dz2
    dz2.fill(0.0)
    np.copyto(dz2, dh2, where=t_3)
    # dc2[i] += dz2[b,i]
    np.sum(dz2, axis=0, out=grads.c2)
    # dW2[i,j] += dz2[b,i]*h1[b,j]
    np.matmul(dz2.T, h1, out=grads.W2)
    # dh1[b,j] += dz2[b,i]*W2[i,j]
    dh1 = np.matmul(dz2, W2, out=ws.dh1)
    # dz1[b,i] = where(0 < z1[b,i], dh1[b,i], 0)
    np.greater(z1, 0.0, out=t_3)
    dz1 = ws.dz1
    dz1.fill(0.0)
    np.copyto(dz1, dh1, where=t_3)
    # dc1[i] += dz1[b,i]
    np.sum(dz1, axis=0, out=grads.c1)
    # dW1[i,j] += dz1[b,i]*obs[b,j]
    np.matmul(dz1.T, obs, out=grads.W1)
    return loss, grads


def likelihood_value(params, *, obs, action, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _LikelihoodValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    log_std, W1, c1, W2, c2 = params.log_std, params.W1, params.c1, params.W2, params.c2
    W3, c3 = params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = relu(z1[b,i])
    h1 = np.maximum(z1, 0.0, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = relu(z2[b,i])
    h2 = np.maximum(z2, 0.0, out=ws.h2)
    # z3[b,i] += W3[i,j]*h2[b,j]
    z3 = np.matmul(h2, W3.T, out=ws.z3)
    # z3[b,i] += c3[i] for b < B
    z3 += c3
    # actor[b,i] = tanh(z3[b,i])
    actor = np.tanh(z3, out=ws.actor)
    # log_std_exp[i] = exp(-log_std[i])
    log_std_exp = np.negative(log_std, out=ws.log_std_exp)
    np.exp(log_std_exp, out=log_std_exp)
    # n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    n = np.subtract(action, actor, out=ws.n)
    n *= log_std_exp
    # loss += (0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)/B
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    loss = np.sum(t_1) / B
    return loss


def likelihood_value_and_grad(params, *, obs, action, workspace=None):
    """The loss and its gradient by log_std, W1, c1, W2, c2, W3, c3.

    obs: real[B, S]
    action: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _LikelihoodValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    grads = ws.grads
    log_std, W1, c1, W2, c2 = params.log_std, params.W1, params.c1, params.W2, params.c2
    W3, c3 = params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = relu(z1[b,i])
    h1 = np.maximum(z1, 0.0, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = relu(z2[b,i])
    h2 = np.maximum(z2, 0.0, out=ws.h2)
    # z3[b,i] += W3[i,j]*h2[b,j]
    z3 = np.matmul(h2, W3.T, out=ws.z3)
    # z3[b,i] += c3[i] for b < B
    z3 += c3
    # actor[b,i] = tanh(z3[b,i])
    actor = np.tanh(z3, out=ws.actor)
    # log_std_exp[i] = exp(-log_std[i])
    log_std_exp = np.negative(log_std, out=ws.log_std_exp)
    np.exp(log_std_exp, out=log_std_exp)
    # n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    n = np.subtract(action, actor, out=ws.n)
    n *= log_std_exp
    # loss += (0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)/B
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    loss = np.sum(t_1) / B
    # dlog_std[i] += 1/B for b < B, i < A
    dlog_std = grads.log_std
    dlog_std.fill(1.0)
    # dn[b,i] = n[b,i]/B
    dn = np.divide(n, B, out=ws.dn)
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
    # dz3[b,i] = dactor[b,i]*(1 - actor[b,i]**2)
    dz3 = np.square(actor, out=ws.dz3)
    np.subtract(1.0, dz3, out=dz3)
    dz3 *= dactor
    # dc3[i] += dz3[b,i]
    np.sum(dz3, axis=0, out=grads.c3)
    # dW3[i,j] += dz3[b,i]*h2[b,j]
    np.matmul(dz3.T, h2, out=grads.W3)
    # dh2[b,j] += dz3[b,i]*W3[i,j]
    dh2 = np.matmul(dz3, W3, out=ws.dh2)
    # dz2[b,i] = where(0 < z2[b,i], dh2[b,i], 0)
    t_4 = np.greater(z2, 0.0, out=ws.t_4)
    dz2 = ws.dz2
    dz2.fill(0.0)
    np.copyto(dz2, dh2, where=t_4)
    # dc2[i] += dz2[b,i]
    np.sum(dz2, axis=0, out=grads.c2)
    # dW2[i,j] += dz2[b,i]*h1[b,j]
    np.matmul(dz2.T, h1, out=grads.W2)
    # dh1[b,j] += dz2[b,i]*W2[i,j]
    dh1 = np.matmul(dz2, W2, out=ws.dh1)
    # dz1[b,i] = where(0 < z1[b,i], dh1[b,i], 0)
    np.greater(z1, 0.0, out=t_4)
    dz1 = ws.dz1
    dz1.fill(0.0)
    np.copyto(dz1, dh1, where=t_4)
    # dc1[i] += dz1[b,i]
    np.sum(dz1, axis=0, out=grads.c1)
    # dW1[i,j] += dz1[b,i]*obs[b,j]
    np.matmul(dz1.T, obs, out=grads.W1)
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.z1 = self.h1 = self.h2 = np.empty((B, H), dtype)
        self.z2 = np.empty((B, H), dtype)
        self.z3 = self.actor = np.empty((B, A), dtype)


class _SquaredValueMemory:
    """The buffers of squared_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.z1 = self.h1 = self.h2 = np.empty((B, H), dtype)
        self.z2 = np.empty((B, H), dtype)
        self.z3 = self.actor = self.t_1 = np.empty((B, A), dtype)


class _SquaredValueAndGradMemory:
    """The buffers of squared_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.z1 = self.dz1 = np.empty((B, H), dtype)
        self.h1 = self.dh1 = np.empty((B, H), dtype)
        self.z2 = self.dz2 = np.empty((B, H), dtype)
        self.h2 = self.dh2 = np.empty((B, H), dtype)
        self.z3 = self.actor = self.dz3 = np.empty((B, A), dtype)
        self.t_1 = self.dactor = np.empty((B, A), dtype)
        self.t_2 = np.empty((B, A), dtype)
        self.t_3 = np.empty((B, H), np.bool_)
        self.grads = SquaredGradients(dtype, S=S, A=A, H=H)


class _LikelihoodValueMemory:
    """The buffers of likelihood_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.z1 = self.h1 = self.h2 = np.empty((B, H), dtype)
        self.z2 = np.empty((B, H), dtype)
        self.z3 = self.actor = self.n = self.t_1 = np.empty((B, A), dtype)
        self.log_std_exp = np.empty((A,), dtype)


class _LikelihoodValueAndGradMemory:
    """The buffers of likelihood_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.z1 = self.dz1 = np.empty((B, H), dtype)
        self.h1 = self.dh1 = np.empty((B, H), dtype)
        self.z2 = self.dz2 = np.empty((B, H), dtype)
        self.h2 = self.dh2 = np.empty((B, H), dtype)
        self.z3 = self.actor = self.dz3 = np.empty((B, A), dtype)
        self.n = self.dn = np.empty((B, A), dtype)
        self.log_std_exp = self.t_3 = np.empty((A,), dtype)
        self.dlog_std_exp = np.empty((A,), dtype)
        self.t_1 = self.dactor = np.empty((B, A), dtype)
        self.t_2 = np.empty((A, B), dtype)
        self.t_4 = np.empty((B, H), np.bool_)
        self.grads = Params(dtype, S=S, A=A, H=H)


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
