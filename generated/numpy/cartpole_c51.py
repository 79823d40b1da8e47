"""cartpole_c51: Categorical deep Q-learning for CartPole: for each of two actions the probabilities
of 101 returns; the target distribution is data, projected by symgrad.returns.

Forward
    z1[b,i] += W1[i,j]*obs[b,j]
    z1[b,i] += c1[i] for b < B
    h1[b,i] = relu(z1[b,i])
    z2[b,i] += W2[i,j]*h1[b,j]
    z2[b,i] += c2[i] for b < B
    h2[b,i] = relu(z2[b,i])
    net[b,i] += W3[i,j]*h2[b,j]
    net[b,i] += c3[i] for b < B
    logits[b,a,k] = net[b,K*a+k] for a < A, k < K
    lse[b,a] = logsumexp(k: logits[b,a,k])
    p[b,a,k] = expdiff(logits[b,a,k], lse[b,a])
    q[b,a] += atoms[k]*p[b,a,k]

Loss c51
    lse_2[b] = logsumexp(k: logits[b,action[b],k])
    c51[b] += -stop(target[b,k])*(logits[b,action[b],k] - lse_2[b])
    error[b] = c51[b]
    loss += error[b]*weight[b]/B

Gradient (value_and_grad); dX stands for dL/dX.
    derror[b] = weight[b]/B
    dlogits[b,action[b],k] += -derror[b]*stop(target[b,k])
    dlse_2[b] += derror[b]*stop(target[b,k])
    logits_softmax[b,k] = expdiff(logits[b,action[b],k], lse_2[b])
    dlogits[b,action[b],k] += dlse_2[b]*logits_softmax[b,k]
    dnet[b,K*a+k] += dlogits[b,a,k]
    dc3[i] += dnet[b,i]
    dW3[i,j] += dnet[b,i]*h2[b,j]
    dh2[b,j] += dnet[b,i]*W3[i,j]
    dz2[b,i] = where(0 < z2[b,i], dh2[b,i], 0)
    dc2[i] += dz2[b,i]
    dW2[i,j] += dz2[b,i]*h1[b,j]
    dh1[b,j] += dz2[b,i]*W2[i,j]
    dz1[b,i] = where(0 < z1[b,i], dh1[b,i], 0)
    dc1[i] += dz1[b,i]
    dW1[i,j] += dz1[b,i]*obs[b,j]

Shapes
    W1: real[H1, 4]
    c1: real[H1]
    W2: real[H2, H1]
    c2: real[H2]
    W3: real[A*K, H2]
    c3: real[A*K]
    obs: real[B, 4]
    atoms: real[K]
    action: int[B] < A
    target: real[B, K]
    weight: real[B]
    B: transitions in the batch

At kinks: relu'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    c51[b] += -stop(target[b,k])*(logits[b,action[b],k] - lse_2[b])
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "H1": 120, "H2": 84, "A": 2, "K": 101}
PARAMETERS = {
    "W1": {"axes": ("H1", "4"), "offset": 0, "shape": (120, 4), "strides": (4, 1)},
    "c1": {"axes": ("H1",), "offset": 480, "shape": (120,), "strides": (1,)},
    "W2": {"axes": ("H2", "H1"), "offset": 600, "shape": (84, 120), "strides": (120, 1)},
    "c2": {"axes": ("H2",), "offset": 10680, "shape": (84,), "strides": (1,)},
    "W3": {"axes": ("A*K", "H2"), "offset": 10764, "shape": (202, 84), "strides": (84, 1)},
    "c3": {"axes": ("A*K",), "offset": 27732, "shape": (202,), "strides": (1,)},
}
LAYERS = {
    "net": (
        {"weight": "W1", "bias": "c1"},
        {"weight": "W2", "bias": "c2"},
        {"weight": "W3", "bias": "c3"},
    ),
}
INPUTS = {
    "obs": "real[B, 4]",
    "atoms": "real[K]",
    "action": "int[B] < A",
    "target": "real[B, K]",
    "weight": "real[B]",
}
OUTPUTS = {
    "forward": ("q", "p"),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "A * B * H2 * K + 6 * A * B * K + B * H1 * H2 + 6 * B * H1 + 2 * B * H2",
    "value": (
        "A * B * H2 * K + A * B * K + B * H1 * H2 + 6 * B * H1 + 2 * B * H2 + 6 * B * "
        "K + 2 * B"
    ),
    "value_and_grad": (
        "3 * A * B * H2 * K + 2 * A * B * K + 3 * B * H1 * H2 + 12 * B * H1 + 4 * B * "
        "H2 + 11 * B * K + 4 * B"
    ),
}
SPEC_HASH = "ae912d77d1dd61902e390908646fd6ca7f8594a78b2caf29eb615eeeb9ef737b"
SPEC = r'''description = "Categorical deep Q-learning for CartPole: for each of two actions the probabilities of 101 returns; the target distribution is data, projected by symgrad.returns."
outputs = ["q", "p"]
equations = """
z1[b,i] += W1[i,j]*obs[b,j]
z1[b,i] += c1[i] for b < B
h1[b,i] = relu(z1[b,i])
z2[b,i] += W2[i,j]*h1[b,j]
z2[b,i] += c2[i] for b < B
h2[b,i] = relu(z2[b,i])
net[b,i] += W3[i,j]*h2[b,j]
net[b,i] += c3[i] for b < B
logits[b,a,k] = net[b,K*a+k] for a < A, k < K
lse[b,a] = logsumexp(k: logits[b,a,k])
p[b,a,k] = expdiff(logits[b,a,k], lse[b,a])
q[b,a] += atoms[k]*p[b,a,k]
"""

[sizes]
B = "transitions in the batch"
H1 = 120
H2 = 84
A = 2
K = 101

[params]
W1 = "real[H1, 4] init=uniform_fan_in"
c1 = "real[H1] init=zeros"
W2 = "real[H2, H1] init=uniform_fan_in"
c2 = "real[H2] init=zeros"
W3 = "real[A*K, H2] init=uniform_fan_in"
c3 = "real[A*K] init=zeros"

[data]
obs = "real[B, 4]"
atoms = "real[K]"
action = "int[B] < A"
target = "real[B, K]"
weight = "real[B]"

[losses.c51]
wrt = ["W1", "c1", "W2", "c2", "W3", "c3"]
aux = ["error"]
equations = """
lse_2[b] = logsumexp(k: logits[b,action[b],k])
c51[b] += -stop(target[b,k])*(logits[b,action[b],k] - lse_2[b])
error[b] = c51[b]
loss += error[b]*weight[b]/B
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
    """Views on one vector `flat`: W1 (H1, 4), c1 (H1,), W2 (H2, H1), c2 (H2,), W3 (A*K, H2),
    c3 (A*K,).
    """

    def __init__(self, flat, *, H1=120, H2=84, A=2, K=101):
        self._sizes = _sizes(H1=H1, H2=H2, A=A, K=K)
        self.flat = _vector(flat, A * H2 * K + A * K + H1 * H2 + 5 * H1 + H2)
        _part = _parts(self.flat)
        self.W1 = _part(H1, 4)
        self.c1 = _part(H1)
        self.W2 = _part(H2, H1)
        self.c2 = _part(H2)
        self.W3 = _part(A * K, H2)
        self.c3 = _part(A * K)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, H1=120, H2=84, A=2, K=101):
        self.sizes = _sizes(B=B, H1=H1, H2=H2, A=A, K=K)
        self._memory = {}


def init(rng, *, H1=120, H2=84, A=2, K=101, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), H1=H1, H2=H2, A=A, K=K)
    params.W1[...] = _uniform_fan_in(rng, (H1, 4))
    params.c1[...] = 0.0
    params.W2[...] = _uniform_fan_in(rng, (H2, H1))
    params.c2[...] = 0.0
    params.W3[...] = _uniform_fan_in(rng, (A * K, H2))
    params.c3[...] = 0.0
    return params


def save(path, params):
    """Write the parameters to an npz file, by name."""
    _dtype_of(params)
    with open(path, "wb") as file:
        np.savez(
            file,
            **{name: getattr(params, name) for name in PARAMETERS},
            A=params._sizes["A"],
            K=params._sizes["K"],
        )


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path, "A", "K")
    params = Params(
        np.result_type(*(arrays[name] for name in PARAMETERS)),
        H1=_extent(arrays["W1"], 0),
        H2=_extent(arrays["W2"], 0),
        A=int(arrays["A"]),
        K=int(arrays["K"]),
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


def forward(params, obs, atoms, *, workspace=None):
    """The outputs q, p.

    obs: real[B, 4]
    atoms: real[K]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    atoms = _real("atoms", atoms, 1)
    H1, H2, A, K = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("atoms", atoms, (K,))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, H1=H1, H2=H2, A=A, K=K)
    obs = _fit(ws, "obs", obs, dtype)
    atoms = _fit(ws, "atoms", atoms, dtype)
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
    # net[b,i] += W3[i,j]*h2[b,j]
    net = np.matmul(h2, W3.T, out=ws.net)
    # net[b,i] += c3[i] for b < B
    net += c3
    # logits[b,a,k] = net[b,K*a+k] for a < A, k < K
    logits = ws.logits
    np.copyto(logits, net.reshape(B, A, K))
    # lse[b,a] = logsumexp(k: logits[b,a,k])
    lse = _logsumexp(logits, out=ws.lse, scratch=ws.t_1, total=ws.t_2)
    # p[b,a,k] = expdiff(logits[b,a,k], lse[b,a])
    p = _expdiff(logits, lse[..., None], out=ws.p)
    # q[b,a] += atoms[k]*p[b,a,k]
    q = ws.q
    np.matmul(p.reshape(B * A, K), atoms, out=q.reshape(B * A))
    return q, p


def value(params, *, obs, action, target, weight, workspace=None):
    """The loss.

    obs: real[B, 4]
    action: int[B] < A
    target: real[B, K]
    weight: real[B]

    Returns (loss, aux); aux is a dict of error.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    target = _real("target", target, 2)
    weight = _real("weight", weight, 1)
    H1, H2, A, K = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("target", target, (B, K))
    _shape("weight", weight, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, H1=H1, H2=H2, A=A, K=K)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    target = _fit(ws, "target", target, dtype)
    weight = _fit(ws, "weight", weight, dtype)
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
    # net[b,i] += W3[i,j]*h2[b,j]
    net = np.matmul(h2, W3.T, out=ws.net)
    # net[b,i] += c3[i] for b < B
    net += c3
    # logits[b,a,k] = net[b,K*a+k] for a < A, k < K
    logits = ws.logits
    np.copyto(logits, net.reshape(B, A, K))
    # lse_2[b] = logsumexp(k: logits[b,action[b],k])
    logits_at = _pick(logits, (ws.arange, action), out=ws.logits_at, at=ws.at)
    lse_2 = _logsumexp(logits_at, out=ws.lse_2, scratch=ws.t_1, total=ws.t_2)
    # c51[b] += -stop(target[b,k])*(logits[b,action[b],k] - lse_2[b])
    t_3 = np.subtract(logits_at, lse_2[:, None], out=ws.t_3)
    t_3 *= target
    c51 = np.sum(t_3, axis=1, out=ws.c51)
    np.negative(c51, out=c51)
    # error[b] = c51[b]
    error = ws.error
    np.copyto(error, c51)
    # loss += error[b]*weight[b]/B
    loss = np.dot(error, weight) / B
    return loss, {"error": error}


def value_and_grad(params, *, obs, action, target, weight, workspace=None):
    """The loss and its gradient by W1, c1, W2, c2, W3, c3.

    obs: real[B, 4]
    action: int[B] < A
    target: real[B, K]
    weight: real[B]

    Returns ((loss, aux), gradient); aux is a dict of error.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    target = _real("target", target, 2)
    weight = _real("weight", weight, 1)
    H1, H2, A, K = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("target", target, (B, K))
    _shape("weight", weight, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, H1=H1, H2=H2, A=A, K=K)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    target = _fit(ws, "target", target, dtype)
    weight = _fit(ws, "weight", weight, dtype)
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
    # net[b,i] += W3[i,j]*h2[b,j]
    net = np.matmul(h2, W3.T, out=ws.net)
    # net[b,i] += c3[i] for b < B
    net += c3
    # logits[b,a,k] = net[b,K*a+k] for a < A, k < K
    logits = ws.logits
    np.copyto(logits, net.reshape(B, A, K))
    # lse_2[b] = logsumexp(k: logits[b,action[b],k])
    logits_at = _pick(logits, (ws.arange, action), out=ws.logits_at, at=ws.at)
    lse_2 = _logsumexp(logits_at, out=ws.lse_2, scratch=ws.t_1, total=ws.t_2)
    # c51[b] += -stop(target[b,k])*(logits[b,action[b],k] - lse_2[b])
    t_1 = np.subtract(logits_at, lse_2[:, None], out=ws.t_1)
    t_1 *= target
    c51 = np.sum(t_1, axis=1, out=ws.c51)
    np.negative(c51, out=c51)
    # error[b] = c51[b]
    error = ws.error
    np.copyto(error, c51)
    # loss += error[b]*weight[b]/B
    loss = np.dot(error, weight) / B
    # derror[b] = weight[b]/B
    derror = np.divide(weight, B, out=ws.derror)
    dlogits = ws.dlogits
    dlogits.fill(0.0)
    # dlogits[b,action[b],k] += -derror[b]*stop(target[b,k])
    np.multiply(target, derror[:, None], out=t_1)
    np.negative(t_1, out=t_1)
    _add_at(dlogits, (ws.arange, action), t_1, at=ws.at, scratch=ws.t_3)
    # dlse_2[b] += derror[b]*stop(target[b,k])
    dlse_2 = np.multiply(derror, np.sum(target, axis=1, out=ws.t_4), out=ws.dlse_2)
    # logits_softmax[b,k] = expdiff(logits[b,action[b],k], lse_2[b])
    logits_softmax = _expdiff(logits_at, lse_2[:, None], out=ws.logits_softmax)
    # dlogits[b,action[b],k] += dlse_2[b]*logits_softmax[b,k]
    t_5 = np.multiply(dlse_2[:, None], logits_softmax, out=ws.t_5)
    _add_at(dlogits, (ws.arange, action), t_5, at=ws.at, scratch=ws.t_1)
    # dnet[b,K*a+k] += dlogits[b,a,k]
    dnet = ws.dnet
    np.copyto(dnet.reshape(B, A, K), dlogits)
    # dc3[i] += dnet[b,i]
    np.sum(dnet, axis=0, out=grads.c3)
    # dW3[i,j] += dnet[b,i]*h2[b,j]
    np.matmul(dnet.T, h2, out=grads.W3)
    # dh2[b,j] += dnet[b,i]*W3[i,j]
    dh2 = np.matmul(dnet, W3, out=ws.dh2)
    # dz2[b,i] = where(0 < z2[b,i], dh2[b,i], 0)
    t_6 = np.greater(z2, 0.0, out=ws.t_6)
    dz2 = ws.dz2
    dz2.fill(0.0)
    np.copyto(dz2, dh2, where=t_6)
    # dc2[i] += dz2[b,i]
    np.sum(dz2, axis=0, out=grads.c2)
    # dW2[i,j] += dz2[b,i]*h1[b,j]
    np.matmul(dz2.T, h1, out=grads.W2)
    # dh1[b,j] += dz2[b,i]*W2[i,j]
    dh1 = np.matmul(dz2, W2, out=ws.dh1)
    # dz1[b,i] = where(0 < z1[b,i], dh1[b,i], 0)
    t_7 = np.greater(z1, 0.0, out=ws.t_7)
    dz1 = ws.dz1
    dz1.fill(0.0)
    np.copyto(dz1, dh1, where=t_7)
    # dc1[i] += dz1[b,i]
    np.sum(dz1, axis=0, out=grads.c1)
    # dW1[i,j] += dz1[b,i]*obs[b,j]
    np.matmul(dz1.T, obs, out=grads.W1)
    return (loss, {"error": error}), grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, H1, H2, A, K):
        self._copies = {}
        self.z1 = self.h1 = np.empty((B, H1), dtype)
        self.z2 = self.h2 = np.empty((B, H2), dtype)
        self.net = np.empty((B, A * K), dtype)
        self.logits = np.empty((B, A, K), dtype)
        self.lse = self.q = np.empty((B, A), dtype)
        self.t_1 = self.p = np.empty((B, A, K), dtype)
        self.t_2 = np.empty((B, A), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, H1, H2, A, K):
        self._copies = {}
        self.z1 = self.h1 = np.empty((B, H1), dtype)
        self.z2 = self.h2 = np.empty((B, H2), dtype)
        self.net = np.empty((B, A * K), dtype)
        self.logits = np.empty((B, A, K), dtype)
        self.lse_2 = self.c51 = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.logits_at = self.t_3 = np.empty((B, K), dtype)
        self.at = np.empty((B,), np.intp)
        self.t_1 = np.empty((B, K), dtype)
        self.t_2 = self.error = np.empty((B,), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, H1, H2, A, K):
        self._copies = {}
        self.z1 = self.dz1 = np.empty((B, H1), dtype)
        self.h1 = self.dh1 = np.empty((B, H1), dtype)
        self.z2 = self.dz2 = np.empty((B, H2), dtype)
        self.h2 = self.dh2 = np.empty((B, H2), dtype)
        self.net = self.dnet = np.empty((B, A * K), dtype)
        self.logits = self.dlogits = np.empty((B, A, K), dtype)
        self.lse_2 = np.empty((B,), dtype)
        self.error = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.logits_at = self.t_5 = np.empty((B, K), dtype)
        self.at = np.empty((B,), np.intp)
        self.t_1 = self.logits_softmax = np.empty((B, K), dtype)
        self.t_2 = self.c51 = self.derror = self.dlse_2 = np.empty((B,), dtype)
        self.t_3 = np.empty((B, K), dtype)
        self.t_4 = np.empty((B,), dtype)
        self.t_6 = np.empty((B, H2), np.bool_)
        self.t_7 = np.empty((B, H1), np.bool_)
        self.grads = Params(dtype, H1=H1, H2=H2, A=A, K=K)


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
