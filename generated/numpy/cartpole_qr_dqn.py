"""cartpole_qr_dqn: Quantile-regression deep Q-learning for CartPole: for each of two actions 51
quantiles of the return, with a target network.

Forward
    net_z1[b,i] += net_W1[i,j]*obs[b,j]
    net_z1[b,i] += net_c1[i] for b < B
    net_h1[b,i] = relu(net_z1[b,i])
    net_z2[b,i] += net_W2[i,j]*net_h1[b,j]
    net_z2[b,i] += net_c2[i] for b < B
    net_h2[b,i] = relu(net_z2[b,i])
    net[b,i] += net_W3[i,j]*net_h2[b,j]
    net[b,i] += net_c3[i] for b < B
    quantiles[b,a,i] = net[b,N*a+i] for a < A, i < N
    q[b,a] += quantiles[b,a,i]/N
    target_z1[b,i] += next_obs[b,j]*target_W1[i,j]
    target_z1[b,i] += target_c1[i] for b < B
    target_h1[b,i] = relu(target_z1[b,i])
    target_z2[b,i] += target_W2[i,j]*target_h1[b,j]
    target_z2[b,i] += target_c2[i] for b < B
    target_h2[b,i] = relu(target_z2[b,i])
    target[b,i] += target_W3[i,j]*target_h2[b,j]
    target[b,i] += target_c3[i] for b < B

Loss quantile
    after[b,a,i] = target[b,N*a+i] for a < A, i < N
    mean_after[b,a] += after[b,a,i]/N
    best[b] = argmax(a: mean_after[b,a])
    theta[b,i] = quantiles[b,action[b],i]
    aim[b,j] = after[b,best[b],j]*gamma*(1 - done[b]) + reward[b]
    u[b,i,j] = stop(aim[b,j]) - theta[b,i]
    side[b,i,j] = where(u[b,i,j] < 0, 1 - tau[i], tau[i])
    h[b,i,j] = where(abs(u[b,i,j]) <= 1, 0.5*u[b,i,j]**2, abs(u[b,i,j]) - 0.5)
    quantile_huber[b] += h[b,i,j]*side[b,i,j]/N
    error[b] = quantile_huber[b]
    loss += error[b]*weight[b]/B

Gradient (value_and_grad); dX stands for dL/dX.
    u_abs[b,i,j] = abs(u[b,i,j])
    h[b,i,j] = where(u_abs[b,i,j] <= 1, 0.5*u[b,i,j]**2, abs(u[b,i,j]) - 0.5)
    derror[b] = weight[b]/B
    dh[b,i,j] = derror[b]*side[b,i,j]/N
    du[b,i,j] = where(u_abs[b,i,j] <= 1, dh[b,i,j]*u[b,i,j], where(0 < u[b,i,j], dh[b,i,j],
        where(u[b,i,j] < 0, -dh[b,i,j], 0)))
    dtheta[b,i] += -du[b,i,j]
    dquantiles[b,action[b],i] += dtheta[b,i]
    dnet[b,N*a+i] += dquantiles[b,a,i]
    dnet_c3[i] += dnet[b,i]
    dnet_W3[i,j] += dnet[b,i]*net_h2[b,j]
    dnet_h2[b,j] += dnet[b,i]*net_W3[i,j]
    dnet_z2[b,i] = where(0 < net_z2[b,i], dnet_h2[b,i], 0)
    dnet_c2[i] += dnet_z2[b,i]
    dnet_W2[i,j] += dnet_z2[b,i]*net_h1[b,j]
    dnet_h1[b,j] += dnet_z2[b,i]*net_W2[i,j]
    dnet_z1[b,i] = where(0 < net_z1[b,i], dnet_h1[b,i], 0)
    dnet_c1[i] += dnet_z1[b,i]
    dnet_W1[i,j] += dnet_z1[b,i]*obs[b,j]

Shapes
    net_W1: real[H1, 4]
    net_c1: real[H1]
    net_W2: real[H2, H1]
    net_c2: real[H2]
    net_W3: real[A*N, H2]
    net_c3: real[A*N]
    target_W1: real[H1, 4]
    target_c1: real[H1]
    target_W2: real[H2, H1]
    target_c2: real[H2]
    target_W3: real[A*N, H2]
    target_c3: real[A*N]
    obs: real[B, 4]
    action: int[B] < A
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    tau: real[N]
    weight: real[B]
    gamma: real = 0.99
    B: transitions in the batch

At kinks: relu'(0) = 0; abs'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    u[b,i,j] = stop(aim[b,j]) - theta[b,i]
Reduction: q is summed over i and divided by N; mean_after is summed over i and divided by N;
    quantile_huber is summed over i, j and divided by N; loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "H1": 120, "H2": 84, "A": 2, "N": 51}
PARAMETERS = {
    "net.W1": {"axes": ("H1", "4"), "offset": 0, "shape": (120, 4), "strides": (4, 1)},
    "net.c1": {"axes": ("H1",), "offset": 480, "shape": (120,), "strides": (1,)},
    "net.W2": {"axes": ("H2", "H1"), "offset": 600, "shape": (84, 120), "strides": (120, 1)},
    "net.c2": {"axes": ("H2",), "offset": 10680, "shape": (84,), "strides": (1,)},
    "net.W3": {"axes": ("A*N", "H2"), "offset": 10764, "shape": (102, 84), "strides": (84, 1)},
    "net.c3": {"axes": ("A*N",), "offset": 19332, "shape": (102,), "strides": (1,)},
    "target.W1": {"axes": ("H1", "4"), "offset": 19434, "shape": (120, 4), "strides": (4, 1)},
    "target.c1": {"axes": ("H1",), "offset": 19914, "shape": (120,), "strides": (1,)},
    "target.W2": {"axes": ("H2", "H1"), "offset": 20034, "shape": (84, 120), "strides": (120, 1)},
    "target.c2": {"axes": ("H2",), "offset": 30114, "shape": (84,), "strides": (1,)},
    "target.W3": {"axes": ("A*N", "H2"), "offset": 30198, "shape": (102, 84), "strides": (84, 1)},
    "target.c3": {"axes": ("A*N",), "offset": 38766, "shape": (102,), "strides": (1,)},
}
LAYERS = {
    "net": (
        {"weight": "net.W1", "bias": "net.c1"},
        {"weight": "net.W2", "bias": "net.c2"},
        {"weight": "net.W3", "bias": "net.c3"},
    ),
    "target": (
        {"weight": "target.W1", "bias": "target.c1"},
        {"weight": "target.W2", "bias": "target.c2"},
        {"weight": "target.W3", "bias": "target.c3"},
    ),
}
INPUTS = {
    "obs": "real[B, 4]",
    "action": "int[B] < A",
    "reward": "real[B]",
    "next_obs": "real[B, 4]",
    "done": "bool[B]",
    "tau": "real[N]",
    "weight": "real[B]",
    "gamma": "real = 0.99",
}
OUTPUTS = {
    "forward": ("q",),
    "net_forward": ("net",),
    "target_forward": ("target",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "A * B * H2 * N + 2 * A * B * N + B * H1 * H2 + A * B + 6 * B * H1 + 2 * B * H2",
    "net_forward": "A * B * H2 * N + A * B * N + B * H1 * H2 + 6 * B * H1 + 2 * B * H2",
    "target_forward": "A * B * H2 * N + A * B * N + B * H1 * H2 + 6 * B * H1 + 2 * B * H2",
    "value": (
        "2 * A * B * H2 * N + 3 * A * B * N + 2 * B * H1 * H2 + 9 * B * N * N + A * B "
        "+ 12 * B * H1 + 4 * B * H2 + 2 * B * N + 4 * B + N"
    ),
    "value_and_grad": (
        "4 * A * B * H2 * N + 4 * A * B * N + 4 * B * H1 * H2 + 14 * B * N * N + A * "
        "B + 18 * B * H1 + 6 * B * H2 + 3 * B * N + 6 * B + N"
    ),
}
SPEC_HASH = "8bc906c98dc588943d75c6285faefa99a4b8390445e4a292312395c438caf789"
SPEC = r'''description = "Quantile-regression deep Q-learning for CartPole: for each of two actions 51 quantiles of the return, with a target network."
outputs = ["q"]
equations = """
net_z1[b,i] += net_W1[i,j]*obs[b,j]
net_z1[b,i] += net_c1[i] for b < B
net_h1[b,i] = relu(net_z1[b,i])
net_z2[b,i] += net_W2[i,j]*net_h1[b,j]
net_z2[b,i] += net_c2[i] for b < B
net_h2[b,i] = relu(net_z2[b,i])
net[b,i] += net_W3[i,j]*net_h2[b,j]
net[b,i] += net_c3[i] for b < B
quantiles[b,a,i] = net[b,N*a+i] for a < A, i < N
q[b,a] += quantiles[b,a,i]/N
target_z1[b,i] += next_obs[b,j]*target_W1[i,j]
target_z1[b,i] += target_c1[i] for b < B
target_h1[b,i] = relu(target_z1[b,i])
target_z2[b,i] += target_W2[i,j]*target_h1[b,j]
target_z2[b,i] += target_c2[i] for b < B
target_h2[b,i] = relu(target_z2[b,i])
target[b,i] += target_W3[i,j]*target_h2[b,j]
target[b,i] += target_c3[i] for b < B
"""

[sizes]
B = "transitions in the batch"
H1 = 120
H2 = 84
A = 2
N = 51

[params.net]
W1 = "real[H1, 4] init=uniform_fan_in"
c1 = "real[H1] init=zeros"
W2 = "real[H2, H1] init=uniform_fan_in"
c2 = "real[H2] init=zeros"
W3 = "real[A*N, H2] init=uniform_fan_in"
c3 = "real[A*N] init=zeros"

[params.target]
W1 = "real[H1, 4] init=copy(net_W1)"
c1 = "real[H1] init=copy(net_c1)"
W2 = "real[H2, H1] init=copy(net_W2)"
c2 = "real[H2] init=copy(net_c2)"
W3 = "real[A*N, H2] init=copy(net_W3)"
c3 = "real[A*N] init=copy(net_c3)"

[data]
obs = "real[B, 4]"
action = "int[B] < A"
reward = "real[B]"
next_obs = "real[B, 4]"
done = "bool[B]"
tau = "real[N]"
weight = "real[B]"
gamma = "real = 0.99"

[losses.quantile]
wrt = ["net_W1", "net_c1", "net_W2", "net_c2", "net_W3", "net_c3"]
aux = ["error"]
equations = """
after[b,a,i] = target[b,N*a+i] for a < A, i < N
mean_after[b,a] += after[b,a,i]/N
best[b] = argmax(a: mean_after[b,a])
theta[b,i] = quantiles[b,action[b],i]
aim[b,j] = after[b,best[b],j]*gamma*(1 - done[b]) + reward[b]
u[b,i,j] = stop(aim[b,j]) - theta[b,i]
side[b,i,j] = where(u[b,i,j] < 0, 1 - tau[i], tau[i])
h[b,i,j] = where(abs(u[b,i,j]) <= 1, 0.5*u[b,i,j]**2, abs(u[b,i,j]) - 0.5)
quantile_huber[b] += h[b,i,j]*side[b,i,j]/N
error[b] = quantile_huber[b]
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
    """Views on one vector `flat`: net.W1 (H1, 4), net.c1 (H1,), net.W2 (H2, H1), net.c2 (H2,),
    net.W3 (A*N, H2), net.c3 (A*N,), target.W1 (H1, 4), target.c1 (H1,), target.W2 (H2, H1),
    target.c2 (H2,), target.W3 (A*N, H2), target.c3 (A*N,).
    """

    def __init__(self, flat, *, H1=120, H2=84, A=2, N=51):
        self._sizes = _sizes(H1=H1, H2=H2, A=A, N=N)
        self.flat = _vector(flat, 2 * A * H2 * N + 2 * A * N + 2 * H1 * H2 + 10 * H1 + 2 * H2)
        _part = _parts(self.flat)
        self.net = _Group(
            _part(A * H2 * N + A * N + H1 * H2 + 5 * H1 + H2),
            W1=(H1, 4),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(A * N, H2),
            c3=(A * N,),
        )
        self.target = _Group(
            _part(A * H2 * N + A * N + H1 * H2 + 5 * H1 + H2),
            W1=(H1, 4),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(A * N, H2),
            c3=(A * N,),
        )
        self._closed = True


class Gradients(_Views):
    """Views on one vector `flat`: net.W1 (H1, 4), net.c1 (H1,), net.W2 (H2, H1), net.c2 (H2,),
    net.W3 (A*N, H2), net.c3 (A*N,).
    """

    def __init__(self, flat, *, H1=120, H2=84, A=2, N=51):
        self._sizes = _sizes(H1=H1, H2=H2, A=A, N=N)
        self.flat = _vector(flat, A * H2 * N + A * N + H1 * H2 + 5 * H1 + H2)
        _part = _parts(self.flat)
        self.net = _Group(
            _part(A * H2 * N + A * N + H1 * H2 + 5 * H1 + H2),
            W1=(H1, 4),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(A * N, H2),
            c3=(A * N,),
        )
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, H1=120, H2=84, A=2, N=51):
        self.sizes = _sizes(B=B, H1=H1, H2=H2, A=A, N=N)
        self._memory = {}


def init(rng, *, H1=120, H2=84, A=2, N=51, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), H1=H1, H2=H2, A=A, N=N)
    params.net.W1[...] = _uniform_fan_in(rng, (H1, 4))
    params.net.c1[...] = 0.0
    params.net.W2[...] = _uniform_fan_in(rng, (H2, H1))
    params.net.c2[...] = 0.0
    params.net.W3[...] = _uniform_fan_in(rng, (A * N, H2))
    params.net.c3[...] = 0.0
    params.target.flat[...] = params.net.flat
    return params


def save(path, params):
    """Write the parameters to an npz file, by name."""
    _dtype_of(params)
    with open(path, "wb") as file:
        np.savez(
            file,
            **{name: _place(params, name) for name in PARAMETERS},
            A=params._sizes["A"],
            N=params._sizes["N"],
        )


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path, "A", "N")
    params = Params(
        np.result_type(*(arrays[name] for name in PARAMETERS)),
        H1=_extent(arrays["net.W1"], 0),
        H2=_extent(arrays["net.W2"], 0),
        A=int(arrays["A"]),
        N=int(arrays["N"]),
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


def forward(params, obs, *, workspace=None):
    """The output q.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H1, H2, A, N = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, H1=H1, H2=H2, A=A, N=N)
    obs = _fit(ws, "obs", obs, dtype)
    net_W1, net_c1, net_W2, net_c2 = params.net.W1, params.net.c1, params.net.W2, params.net.c2
    net_W3, net_c3 = params.net.W3, params.net.c3
    # net_z1[b,i] += net_W1[i,j]*obs[b,j]
    net_z1 = np.matmul(obs, net_W1.T, out=ws.net_z1)
    # net_z1[b,i] += net_c1[i] for b < B
    net_z1 += net_c1
    # net_h1[b,i] = relu(net_z1[b,i])
    net_h1 = np.maximum(net_z1, 0.0, out=ws.net_h1)
    # net_z2[b,i] += net_W2[i,j]*net_h1[b,j]
    net_z2 = np.matmul(net_h1, net_W2.T, out=ws.net_z2)
    # net_z2[b,i] += net_c2[i] for b < B
    net_z2 += net_c2
    # net_h2[b,i] = relu(net_z2[b,i])
    net_h2 = np.maximum(net_z2, 0.0, out=ws.net_h2)
    # net[b,i] += net_W3[i,j]*net_h2[b,j]
    net = np.matmul(net_h2, net_W3.T, out=ws.net)
    # net[b,i] += net_c3[i] for b < B
    net += net_c3
    # quantiles[b,a,i] = net[b,N*a+i] for a < A, i < N
    quantiles = ws.quantiles
    np.copyto(quantiles, net.reshape(B, A, N))
    # q[b,a] += quantiles[b,a,i]/N
    q = np.sum(quantiles, axis=2, out=ws.q)
    q /= N
    return q


def net_forward(params, obs, *, workspace=None):
    """The output net.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H1, H2, A, N = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _NetForwardMemory, dtype, B=B, H1=H1, H2=H2, A=A, N=N)
    obs = _fit(ws, "obs", obs, dtype)
    net_W1, net_c1, net_W2, net_c2 = params.net.W1, params.net.c1, params.net.W2, params.net.c2
    net_W3, net_c3 = params.net.W3, params.net.c3
    # net_z1[b,i] += net_W1[i,j]*obs[b,j]
    net_z1 = np.matmul(obs, net_W1.T, out=ws.net_z1)
    # net_z1[b,i] += net_c1[i] for b < B
    net_z1 += net_c1
    # net_h1[b,i] = relu(net_z1[b,i])
    net_h1 = np.maximum(net_z1, 0.0, out=ws.net_h1)
    # net_z2[b,i] += net_W2[i,j]*net_h1[b,j]
    net_z2 = np.matmul(net_h1, net_W2.T, out=ws.net_z2)
    # net_z2[b,i] += net_c2[i] for b < B
    net_z2 += net_c2
    # net_h2[b,i] = relu(net_z2[b,i])
    net_h2 = np.maximum(net_z2, 0.0, out=ws.net_h2)
    # net[b,i] += net_W3[i,j]*net_h2[b,j]
    net = np.matmul(net_h2, net_W3.T, out=ws.net)
    # net[b,i] += net_c3[i] for b < B
    net += net_c3
    return net


def target_forward(params, next_obs, *, workspace=None):
    """The output target.

    next_obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    next_obs = _real("next_obs", next_obs, 2)
    H1, H2, A, N = params._sizes.values()
    B = _length("B", "next_obs", next_obs, 0)
    _shape("next_obs", next_obs, (B, 4))
    ws = _memory(workspace, _TargetForwardMemory, dtype, B=B, H1=H1, H2=H2, A=A, N=N)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    target_W1, target_c1, target_W2 = params.target.W1, params.target.c1, params.target.W2
    target_c2, target_W3, target_c3 = params.target.c2, params.target.W3, params.target.c3
    # target_z1[b,i] += next_obs[b,j]*target_W1[i,j]
    target_z1 = np.matmul(next_obs, target_W1.T, out=ws.target_z1)
    # target_z1[b,i] += target_c1[i] for b < B
    target_z1 += target_c1
    # target_h1[b,i] = relu(target_z1[b,i])
    target_h1 = np.maximum(target_z1, 0.0, out=ws.target_h1)
    # target_z2[b,i] += target_W2[i,j]*target_h1[b,j]
    target_z2 = np.matmul(target_h1, target_W2.T, out=ws.target_z2)
    # target_z2[b,i] += target_c2[i] for b < B
    target_z2 += target_c2
    # target_h2[b,i] = relu(target_z2[b,i])
    target_h2 = np.maximum(target_z2, 0.0, out=ws.target_h2)
    # target[b,i] += target_W3[i,j]*target_h2[b,j]
    target = np.matmul(target_h2, target_W3.T, out=ws.target)
    # target[b,i] += target_c3[i] for b < B
    target += target_c3
    return target


def value(params, *, obs, action, reward, next_obs, done, tau, weight, gamma=0.99, workspace=None):
    """The loss.

    obs: real[B, 4]
    action: int[B] < A
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    tau: real[N]
    weight: real[B]
    gamma: real = 0.99

    Returns (loss, aux); aux is a dict of error.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    tau = _real("tau", tau, 1)
    weight = _real("weight", weight, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    H1, H2, A, N = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4))
    _shape("done", done, (B,))
    _shape("tau", tau, (N,))
    _shape("weight", weight, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, H1=H1, H2=H2, A=A, N=N)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    tau = _fit(ws, "tau", tau, dtype)
    weight = _fit(ws, "weight", weight, dtype)
    net_W1, net_c1, net_W2, net_c2 = params.net.W1, params.net.c1, params.net.W2, params.net.c2
    net_W3, net_c3, target_W1 = params.net.W3, params.net.c3, params.target.W1
    target_c1, target_W2, target_c2 = params.target.c1, params.target.W2, params.target.c2
    target_W3, target_c3 = params.target.W3, params.target.c3
    # net_z1[b,i] += net_W1[i,j]*obs[b,j]
    net_z1 = np.matmul(obs, net_W1.T, out=ws.net_z1)
    # net_z1[b,i] += net_c1[i] for b < B
    net_z1 += net_c1
    # net_h1[b,i] = relu(net_z1[b,i])
    net_h1 = np.maximum(net_z1, 0.0, out=ws.net_h1)
    # net_z2[b,i] += net_W2[i,j]*net_h1[b,j]
    net_z2 = np.matmul(net_h1, net_W2.T, out=ws.net_z2)
    # net_z2[b,i] += net_c2[i] for b < B
    net_z2 += net_c2
    # net_h2[b,i] = relu(net_z2[b,i])
    net_h2 = np.maximum(net_z2, 0.0, out=ws.net_h2)
    # net[b,i] += net_W3[i,j]*net_h2[b,j]
    net = np.matmul(net_h2, net_W3.T, out=ws.net)
    # net[b,i] += net_c3[i] for b < B
    net += net_c3
    # quantiles[b,a,i] = net[b,N*a+i] for a < A, i < N
    quantiles = ws.quantiles
    np.copyto(quantiles, net.reshape(B, A, N))
    # target_z1[b,i] += next_obs[b,j]*target_W1[i,j]
    target_z1 = np.matmul(next_obs, target_W1.T, out=ws.target_z1)
    # target_z1[b,i] += target_c1[i] for b < B
    target_z1 += target_c1
    # target_h1[b,i] = relu(target_z1[b,i])
    target_h1 = np.maximum(target_z1, 0.0, out=ws.target_h1)
    # target_z2[b,i] += target_W2[i,j]*target_h1[b,j]
    target_z2 = np.matmul(target_h1, target_W2.T, out=ws.target_z2)
    # target_z2[b,i] += target_c2[i] for b < B
    target_z2 += target_c2
    # target_h2[b,i] = relu(target_z2[b,i])
    target_h2 = np.maximum(target_z2, 0.0, out=ws.target_h2)
    # target[b,i] += target_W3[i,j]*target_h2[b,j]
    target = np.matmul(target_h2, target_W3.T, out=ws.target)
    # target[b,i] += target_c3[i] for b < B
    target += target_c3
    # after[b,a,i] = target[b,N*a+i] for a < A, i < N
    after = ws.after
    np.copyto(after, target.reshape(B, A, N))
    # mean_after[b,a] += after[b,a,i]/N
    mean_after = np.sum(after, axis=2, out=ws.mean_after)
    mean_after /= N
    # best[b] = argmax(a: mean_after[b,a])
    best = np.argmax(mean_after, axis=-1, out=ws.best)
    # theta[b,i] = quantiles[b,action[b],i]
    theta = _pick(quantiles, (ws.arange, action), out=ws.theta, at=ws.at)
    # aim[b,j] = after[b,best[b],j]*gamma*(1 - done[b]) + reward[b]
    after_at = _pick(after, (ws.arange, best), out=ws.after_at, at=ws.at)
    done_real = ws.done_real
    np.copyto(done_real, done)
    t_1 = np.subtract(1.0, done_real, out=ws.t_1)
    t_1 *= gamma
    aim = np.multiply(after_at, t_1[:, None], out=ws.aim)
    aim += reward[:, None]
    # u[b,i,j] = stop(aim[b,j]) - theta[b,i]
    u = np.subtract(aim[:, None, :], theta[..., None], out=ws.u)
    # side[b,i,j] = where(u[b,i,j] < 0, 1 - tau[i], tau[i])
    t_2 = np.less(u, 0.0, out=ws.t_2)
    side = ws.side
    np.copyto(side, tau[:, None])
    t_3 = np.subtract(1.0, tau, out=ws.t_3)
    np.copyto(side, t_3[:, None], where=t_2)
    # u_abs[b,i,j] = abs(u[b,i,j])
    u_abs = np.abs(u, out=ws.u_abs)
    # h[b,i,j] = where(u_abs[b,i,j] <= 1, 0.5*u[b,i,j]**2, abs(u[b,i,j]) - 0.5)
    np.less_equal(u_abs, 1.0, out=t_2)
    h = np.subtract(u_abs, 0.5, out=ws.h)
    np.square(u, out=h, where=t_2)
    np.multiply(h, 0.5, out=h, where=t_2)
    # quantile_huber[b] += h[b,i,j]*side[b,i,j]/N
    t_4 = np.multiply(h, side, out=ws.t_4)
    quantile_huber = np.sum(t_4, axis=(1, 2), out=ws.quantile_huber)
    quantile_huber /= N
    # error[b] = quantile_huber[b]
    error = ws.error
    np.copyto(error, quantile_huber)
    # loss += error[b]*weight[b]/B
    loss = np.dot(error, weight) / B
    return loss, {"error": error}


def value_and_grad(
    params, *, obs, action, reward, next_obs, done, tau, weight, gamma=0.99, workspace=None
):
    """The loss and its gradient by net.

    obs: real[B, 4]
    action: int[B] < A
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    tau: real[N]
    weight: real[B]
    gamma: real = 0.99

    Returns ((loss, aux), gradient); aux is a dict of error.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    tau = _real("tau", tau, 1)
    weight = _real("weight", weight, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    H1, H2, A, N = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4))
    _shape("done", done, (B,))
    _shape("tau", tau, (N,))
    _shape("weight", weight, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, H1=H1, H2=H2, A=A, N=N)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    tau = _fit(ws, "tau", tau, dtype)
    weight = _fit(ws, "weight", weight, dtype)
    grads = ws.grads
    net_W1, net_c1, net_W2, net_c2 = params.net.W1, params.net.c1, params.net.W2, params.net.c2
    net_W3, net_c3, target_W1 = params.net.W3, params.net.c3, params.target.W1
    target_c1, target_W2, target_c2 = params.target.c1, params.target.W2, params.target.c2
    target_W3, target_c3 = params.target.W3, params.target.c3
    # net_z1[b,i] += net_W1[i,j]*obs[b,j]
    net_z1 = np.matmul(obs, net_W1.T, out=ws.net_z1)
    # net_z1[b,i] += net_c1[i] for b < B
    net_z1 += net_c1
    # net_h1[b,i] = relu(net_z1[b,i])
    net_h1 = np.maximum(net_z1, 0.0, out=ws.net_h1)
    # net_z2[b,i] += net_W2[i,j]*net_h1[b,j]
    net_z2 = np.matmul(net_h1, net_W2.T, out=ws.net_z2)
    # net_z2[b,i] += net_c2[i] for b < B
    net_z2 += net_c2
    # net_h2[b,i] = relu(net_z2[b,i])
    net_h2 = np.maximum(net_z2, 0.0, out=ws.net_h2)
    # net[b,i] += net_W3[i,j]*net_h2[b,j]
    net = np.matmul(net_h2, net_W3.T, out=ws.net)
    # net[b,i] += net_c3[i] for b < B
    net += net_c3
    # quantiles[b,a,i] = net[b,N*a+i] for a < A, i < N
    quantiles = ws.quantiles
    np.copyto(quantiles, net.reshape(B, A, N))
    # target_z1[b,i] += next_obs[b,j]*target_W1[i,j]
    target_z1 = np.matmul(next_obs, target_W1.T, out=ws.target_z1)
    # target_z1[b,i] += target_c1[i] for b < B
    target_z1 += target_c1
    # target_h1[b,i] = relu(target_z1[b,i])
    target_h1 = np.maximum(target_z1, 0.0, out=ws.target_h1)
    # target_z2[b,i] += target_W2[i,j]*target_h1[b,j]
    target_z2 = np.matmul(target_h1, target_W2.T, out=ws.target_z2)
    # target_z2[b,i] += target_c2[i] for b < B
    target_z2 += target_c2
    # target_h2[b,i] = relu(target_z2[b,i])
    target_h2 = np.maximum(target_z2, 0.0, out=ws.target_h2)
    # target[b,i] += target_W3[i,j]*target_h2[b,j]
    target = np.matmul(target_h2, target_W3.T, out=ws.target)
    # target[b,i] += target_c3[i] for b < B
    target += target_c3
    # after[b,a,i] = target[b,N*a+i] for a < A, i < N
    after = ws.after
    np.copyto(after, target.reshape(B, A, N))
    # mean_after[b,a] += after[b,a,i]/N
    mean_after = np.sum(after, axis=2, out=ws.mean_after)
    mean_after /= N
    # best[b] = argmax(a: mean_after[b,a])
    best = np.argmax(mean_after, axis=-1, out=ws.best)
    # theta[b,i] = quantiles[b,action[b],i]
    theta = _pick(quantiles, (ws.arange, action), out=ws.theta, at=ws.at)
    # aim[b,j] = after[b,best[b],j]*gamma*(1 - done[b]) + reward[b]
    after_at = _pick(after, (ws.arange, best), out=ws.after_at, at=ws.at)
    done_real = ws.done_real
    np.copyto(done_real, done)
    t_1 = np.subtract(1.0, done_real, out=ws.t_1)
    t_1 *= gamma
    aim = np.multiply(after_at, t_1[:, None], out=ws.aim)
    aim += reward[:, None]
    # u[b,i,j] = stop(aim[b,j]) - theta[b,i]
    u = np.subtract(aim[:, None, :], theta[..., None], out=ws.u)
    # side[b,i,j] = where(u[b,i,j] < 0, 1 - tau[i], tau[i])
    t_2 = np.less(u, 0.0, out=ws.t_2)
    side = ws.side
    np.copyto(side, tau[:, None])
    t_3 = np.subtract(1.0, tau, out=ws.t_3)
    np.copyto(side, t_3[:, None], where=t_2)
    # u_abs[b,i,j] = abs(u[b,i,j])
    u_abs = np.abs(u, out=ws.u_abs)
    # h[b,i,j] = where(u_abs[b,i,j] <= 1, 0.5*u[b,i,j]**2, abs(u[b,i,j]) - 0.5)
    t_4 = np.less_equal(u_abs, 1.0, out=ws.t_4)
    h = np.subtract(u_abs, 0.5, out=ws.h)
    np.square(u, out=h, where=t_4)
    np.multiply(h, 0.5, out=h, where=t_4)
    # quantile_huber[b] += h[b,i,j]*side[b,i,j]/N
    t_5 = np.multiply(h, side, out=ws.t_5)
    quantile_huber = np.sum(t_5, axis=(1, 2), out=ws.quantile_huber)
    quantile_huber /= N
    # error[b] = quantile_huber[b]
    error = ws.error
    np.copyto(error, quantile_huber)
    # loss += error[b]*weight[b]/B
    loss = np.dot(error, weight) / B
    # derror[b] = weight[b]/B
    derror = np.divide(weight, B, out=ws.derror)
    # dh[b,i,j] = derror[b]*side[b,i,j]/N
    np.divide(derror, N, out=t_1)
    dh = np.multiply(t_1[:, None, None], side, out=ws.dh)
    # du[b,i,j] = where(u_abs[b,i,j] <= 1, dh[b,i,j]*u[b,i,j], where(0 < u[b,i,j], dh[b,i,j],
    #     where(u[b,i,j] < 0, -dh[b,i,j], 0)))
    t_6 = np.greater(u, 0.0, out=ws.t_6)
    du = ws.du
    du.fill(0.0)
    np.negative(dh, out=du, where=t_2)
    np.copyto(du, dh, where=t_6)
    np.multiply(dh, u, out=du, where=t_4)
    # dtheta[b,i] += -du[b,i,j]
    dtheta = np.sum(du, axis=2, out=ws.dtheta)
    np.negative(dtheta, out=dtheta)
    dquantiles = ws.dquantiles
    dquantiles.fill(0.0)
    # dquantiles[b,action[b],i] += dtheta[b,i]
    _add_at(dquantiles, (ws.arange, action), dtheta, at=ws.at_2, scratch=ws.t_7)
    # dnet[b,N*a+i] += dquantiles[b,a,i]
    dnet = ws.dnet
    np.copyto(dnet.reshape(B, A, N), dquantiles)
    # dnet_c3[i] += dnet[b,i]
    np.sum(dnet, axis=0, out=grads.net.c3)
    # dnet_W3[i,j] += dnet[b,i]*net_h2[b,j]
    np.matmul(dnet.T, net_h2, out=grads.net.W3)
    # dnet_h2[b,j] += dnet[b,i]*net_W3[i,j]
    dnet_h2 = np.matmul(dnet, net_W3, out=ws.dnet_h2)
    # dnet_z2[b,i] = where(0 < net_z2[b,i], dnet_h2[b,i], 0)
    t_8 = np.greater(net_z2, 0.0, out=ws.t_8)
    dnet_z2 = ws.dnet_z2
    dnet_z2.fill(0.0)
    np.copyto(dnet_z2, dnet_h2, where=t_8)
    # dnet_c2[i] += dnet_z2[b,i]
    np.sum(dnet_z2, axis=0, out=grads.net.c2)
    # dnet_W2[i,j] += dnet_z2[b,i]*net_h1[b,j]
    np.matmul(dnet_z2.T, net_h1, out=grads.net.W2)
    # dnet_h1[b,j] += dnet_z2[b,i]*net_W2[i,j]
    dnet_h1 = np.matmul(dnet_z2, net_W2, out=ws.dnet_h1)
    # dnet_z1[b,i] = where(0 < net_z1[b,i], dnet_h1[b,i], 0)
    t_9 = np.greater(net_z1, 0.0, out=ws.t_9)
    dnet_z1 = ws.dnet_z1
    dnet_z1.fill(0.0)
    np.copyto(dnet_z1, dnet_h1, where=t_9)
    # dnet_c1[i] += dnet_z1[b,i]
    np.sum(dnet_z1, axis=0, out=grads.net.c1)
    # dnet_W1[i,j] += dnet_z1[b,i]*obs[b,j]
    np.matmul(dnet_z1.T, obs, out=grads.net.W1)
    return (loss, {"error": error}), grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, H1, H2, A, N):
        self._copies = {}
        self.net_z1 = self.net_h1 = np.empty((B, H1), dtype)
        self.net_z2 = self.net_h2 = np.empty((B, H2), dtype)
        self.net = np.empty((B, A * N), dtype)
        self.quantiles = np.empty((B, A, N), dtype)
        self.q = np.empty((B, A), dtype)


class _NetForwardMemory:
    """The buffers of net_forward."""

    def __init__(self, dtype, *, B, H1, H2, A, N):
        self._copies = {}
        self.net_z1 = self.net_h1 = np.empty((B, H1), dtype)
        self.net_z2 = self.net_h2 = np.empty((B, H2), dtype)
        self.net = np.empty((B, A * N), dtype)


class _TargetForwardMemory:
    """The buffers of target_forward."""

    def __init__(self, dtype, *, B, H1, H2, A, N):
        self._copies = {}
        self.target_z1 = self.target_h1 = np.empty((B, H1), dtype)
        self.target_z2 = self.target_h2 = np.empty((B, H2), dtype)
        self.target = np.empty((B, A * N), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, H1, H2, A, N):
        self._copies = {}
        self.net_z1 = self.net_h1 = self.target_z1 = self.target_h1 = np.empty((B, H1), dtype)
        self.net_z2 = self.net_h2 = self.target_z2 = self.target_h2 = np.empty((B, H2), dtype)
        self.net = self.target = np.empty((B, A * N), dtype)
        self.quantiles = np.empty((B, A, N), dtype)
        self.after = np.empty((B, A, N), dtype)
        self.mean_after = np.empty((B, A), dtype)
        self.best = np.empty((B,), np.intp)
        self.theta = np.empty((B, N), dtype)
        self.u = self.t_4 = np.empty((B, N, N), dtype)
        self.side = np.empty((B, N, N), dtype)
        self.error = np.empty((B,), dtype)
        self.u_abs = self.h = np.empty((B, N, N), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.after_at = self.aim = np.empty((B, N), dtype)
        self.done_real = self.t_1 = self.quantile_huber = np.empty((B,), dtype)
        self.t_2 = np.empty((B, N, N), np.bool_)
        self.t_3 = np.empty((N,), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, H1, H2, A, N):
        self._copies = {}
        self.net_z1 = self.dnet_z1 = np.empty((B, H1), dtype)
        self.net_h1 = self.dnet_h1 = np.empty((B, H1), dtype)
        self.net_z2 = self.dnet_z2 = np.empty((B, H2), dtype)
        self.net_h2 = self.dnet_h2 = np.empty((B, H2), dtype)
        self.net = self.target = self.dnet = np.empty((B, A * N), dtype)
        self.quantiles = self.dquantiles = np.empty((B, A, N), dtype)
        self.target_z1 = self.target_h1 = np.empty((B, H1), dtype)
        self.target_z2 = self.target_h2 = np.empty((B, H2), dtype)
        self.after = np.empty((B, A, N), dtype)
        self.mean_after = np.empty((B, A), dtype)
        self.best = self.at_2 = np.empty((B,), np.intp)
        self.theta = self.dtheta = np.empty((B, N), dtype)
        self.u = np.empty((B, N, N), dtype)
        self.side = self.dh = np.empty((B, N, N), dtype)
        self.error = np.empty((B,), dtype)
        self.u_abs = self.h = self.t_5 = self.du = np.empty((B, N, N), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.after_at = self.aim = self.t_7 = np.empty((B, N), dtype)
        self.done_real = self.t_1 = self.quantile_huber = self.derror = np.empty((B,), dtype)
        self.t_2 = np.empty((B, N, N), np.bool_)
        self.t_3 = np.empty((N,), dtype)
        self.t_4 = np.empty((B, N, N), np.bool_)
        self.t_6 = np.empty((B, N, N), np.bool_)
        self.t_8 = np.empty((B, H2), np.bool_)
        self.t_9 = np.empty((B, H1), np.bool_)
        self.grads = Gradients(dtype, H1=H1, H2=H2, A=A, N=N)


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


def _boolean(name, value, axes):
    """An argument of truth values."""
    return _array(name, value, axes, "b")


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
