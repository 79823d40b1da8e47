"""cartpole_dqn: Deep Q-learning for CartPole: 4-120-84-2 with relu, and a target network of the
same shape that is held constant.

Forward
    q_z1[b,i] += obs[b,j]*q_W1[i,j]
    q_z1[b,i] += q_c1[i] for b < B
    q_h1[b,i] = relu(q_z1[b,i])
    q_z2[b,i] += q_W2[i,j]*q_h1[b,j]
    q_z2[b,i] += q_c2[i] for b < B
    q_h2[b,i] = relu(q_z2[b,i])
    q[b,i] += q_W3[i,j]*q_h2[b,j]
    q[b,i] += q_c3[i] for b < B
    target_z1[b,i] += obs[b,j]*target_W1[i,j]
    target_z1[b,i] += target_c1[i] for b < B
    target_h1[b,i] = relu(target_z1[b,i])
    target_z2[b,i] += target_W2[i,j]*target_h1[b,j]
    target_z2[b,i] += target_c2[i] for b < B
    target_h2[b,i] = relu(target_z2[b,i])
    target[b,i] += target_W3[i,j]*target_h2[b,j]
    target[b,i] += target_c3[i] for b < B

Loss td
    discount_t[b] = gamma*(1 - done[b])
    target_z1_next_obs[b,i] += next_obs[b,j]*target_W1[i,j]
    target_z1_next_obs[b,i] += target_c1[i] for b < B
    target_h1_next_obs[b,i] = relu(target_z1_next_obs[b,i])
    target_z2_next_obs[b,i] += target_W2[i,j]*target_h1_next_obs[b,j]
    target_z2_next_obs[b,i] += target_c2[i] for b < B
    target_h2_next_obs[b,i] = relu(target_z2_next_obs[b,i])
    target_next_obs[b,i] += target_W3[i,j]*target_h2_next_obs[b,j]
    target_next_obs[b,i] += target_c3[i] for b < B
    y_argmax[b] = argmax(a: target_next_obs[b,a])
    y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
    td[b] = q[b,action[b]] - y[b]
    loss += td[b]**2/B

Gradient (value_and_grad); dX stands for dL/dX.
    dtd[b] = 2*td[b]/B
    dq[b,action[b]] += dtd[b]
    dq_c3[i] += dq[b,i]
    dq_W3[i,j] += dq[b,i]*q_h2[b,j]
    dq_h2[b,j] += dq[b,i]*q_W3[i,j]
    dq_z2[b,i] = where(0 < q_z2[b,i], dq_h2[b,i], 0)
    dq_c2[i] += dq_z2[b,i]
    dq_W2[i,j] += dq_z2[b,i]*q_h1[b,j]
    dq_h1[b,j] += dq_z2[b,i]*q_W2[i,j]
    dq_z1[b,i] = where(0 < q_z1[b,i], dq_h1[b,i], 0)
    dq_c1[i] += dq_z1[b,i]
    dq_W1[i,j] += dq_z1[b,i]*obs[b,j]

Shapes
    q_W1: real[H1, 4]
    q_c1: real[H1]
    q_W2: real[H2, H1]
    q_c2: real[H2]
    q_W3: real[2, H2]
    q_c3: real[2]
    target_W1: real[H1, 4]
    target_c1: real[H1]
    target_W2: real[H2, H1]
    target_c2: real[H2]
    target_W3: real[2, H2]
    target_c3: real[2]
    obs: real[B, 4]
    action: int[B] < 2
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    gamma: real = 0.99
    B: transitions in the batch

At kinks: relu'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "H1": 120, "H2": 84}
PARAMETERS = {
    "q.W1": {"axes": ("H1", "4"), "offset": 0, "shape": (120, 4), "strides": (4, 1)},
    "q.c1": {"axes": ("H1",), "offset": 480, "shape": (120,), "strides": (1,)},
    "q.W2": {"axes": ("H2", "H1"), "offset": 600, "shape": (84, 120), "strides": (120, 1)},
    "q.c2": {"axes": ("H2",), "offset": 10680, "shape": (84,), "strides": (1,)},
    "q.W3": {"axes": ("2", "H2"), "offset": 10764, "shape": (2, 84), "strides": (84, 1)},
    "q.c3": {"axes": ("2",), "offset": 10932, "shape": (2,), "strides": (1,)},
    "target.W1": {"axes": ("H1", "4"), "offset": 10934, "shape": (120, 4), "strides": (4, 1)},
    "target.c1": {"axes": ("H1",), "offset": 11414, "shape": (120,), "strides": (1,)},
    "target.W2": {"axes": ("H2", "H1"), "offset": 11534, "shape": (84, 120), "strides": (120, 1)},
    "target.c2": {"axes": ("H2",), "offset": 21614, "shape": (84,), "strides": (1,)},
    "target.W3": {"axes": ("2", "H2"), "offset": 21698, "shape": (2, 84), "strides": (84, 1)},
    "target.c3": {"axes": ("2",), "offset": 21866, "shape": (2,), "strides": (1,)},
}
LAYERS = {
    "q": (
        {"weight": "q.W1", "bias": "q.c1"},
        {"weight": "q.W2", "bias": "q.c2"},
        {"weight": "q.W3", "bias": "q.c3"},
    ),
    "target": (
        {"weight": "target.W1", "bias": "target.c1"},
        {"weight": "target.W2", "bias": "target.c2"},
        {"weight": "target.W3", "bias": "target.c3"},
    ),
}
INPUTS = {
    "obs": "real[B, 4]",
    "action": "int[B] < 2",
    "reward": "real[B]",
    "next_obs": "real[B, 4]",
    "done": "bool[B]",
    "gamma": "real = 0.99",
}
OUTPUTS = {
    "q_forward": ("q",),
    "target_forward": ("target",),
}
BRANCHES = ()
OPERATIONS = {
    "q_forward": "B * H1 * H2 + 6 * B * H1 + 4 * B * H2 + 2 * B",
    "target_forward": "B * H1 * H2 + 6 * B * H1 + 4 * B * H2 + 2 * B",
    "value": "2 * B * H1 * H2 + 12 * B * H1 + 8 * B * H2 + 11 * B",
    "value_and_grad": "4 * B * H1 * H2 + 18 * B * H1 + 14 * B * H2 + 14 * B",
}
SPEC_HASH = "5f2a775b38092130a0ae304293d4974c721c866acd6110d1d70bdf341c4d6c2d"
SPEC = r'''description = "Deep Q-learning for CartPole: 4-120-84-2 with relu, and a target network of the same shape that is held constant."
equations = """
q_z1[b,i] += obs[b,j]*q_W1[i,j]
q_z1[b,i] += q_c1[i] for b < B
q_h1[b,i] = relu(q_z1[b,i])
q_z2[b,i] += q_W2[i,j]*q_h1[b,j]
q_z2[b,i] += q_c2[i] for b < B
q_h2[b,i] = relu(q_z2[b,i])
q[b,i] += q_W3[i,j]*q_h2[b,j]
q[b,i] += q_c3[i] for b < B
target_z1[b,i] += obs[b,j]*target_W1[i,j]
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

[params.q]
W1 = "real[H1, 4] init=uniform_fan_in"
c1 = "real[H1] init=zeros"
W2 = "real[H2, H1] init=uniform_fan_in"
c2 = "real[H2] init=zeros"
W3 = "real[2, H2] init=uniform_fan_in"
c3 = "real[2] init=zeros"

[params.target]
W1 = "real[H1, 4] init=copy(q_W1)"
c1 = "real[H1] init=copy(q_c1)"
W2 = "real[H2, H1] init=copy(q_W2)"
c2 = "real[H2] init=copy(q_c2)"
W3 = "real[2, H2] init=copy(q_W3)"
c3 = "real[2] init=copy(q_c3)"

[data]
obs = "real[B, 4]"
action = "int[B] < 2"
reward = "real[B]"
next_obs = "real[B, 4]"
done = "bool[B]"
gamma = "real = 0.99"

[losses.td]
wrt = ["q_W1", "q_c1", "q_W2", "q_c2", "q_W3", "q_c3"]
equations = """
discount_t[b] = gamma*(1 - done[b])
target_z1_next_obs[b,i] += next_obs[b,j]*target_W1[i,j]
target_z1_next_obs[b,i] += target_c1[i] for b < B
target_h1_next_obs[b,i] = relu(target_z1_next_obs[b,i])
target_z2_next_obs[b,i] += target_W2[i,j]*target_h1_next_obs[b,j]
target_z2_next_obs[b,i] += target_c2[i] for b < B
target_h2_next_obs[b,i] = relu(target_z2_next_obs[b,i])
target_next_obs[b,i] += target_W3[i,j]*target_h2_next_obs[b,j]
target_next_obs[b,i] += target_c3[i] for b < B
y_argmax[b] = argmax(a: target_next_obs[b,a])
y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
td[b] = q[b,action[b]] - y[b]
loss += td[b]**2/B
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
    """Views on one vector `flat`: q.W1 (H1, 4), q.c1 (H1,), q.W2 (H2, H1), q.c2 (H2,),
    q.W3 (2, H2), q.c3 (2,), target.W1 (H1, 4), target.c1 (H1,), target.W2 (H2, H1),
    target.c2 (H2,), target.W3 (2, H2), target.c3 (2,).
    """

    def __init__(self, flat, *, H1=120, H2=84):
        self._sizes = _sizes(H1=H1, H2=H2)
        self.flat = _vector(flat, 2 * H1 * H2 + 10 * H1 + 6 * H2 + 4)
        _part = _parts(self.flat)
        self.q = _Group(
            _part(H1 * H2 + 5 * H1 + 3 * H2 + 2),
            W1=(H1, 4),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(2, H2),
            c3=(2,),
        )
        self.target = _Group(
            _part(H1 * H2 + 5 * H1 + 3 * H2 + 2),
            W1=(H1, 4),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(2, H2),
            c3=(2,),
        )
        self._closed = True


class Gradients(_Views):
    """Views on one vector `flat`: q.W1 (H1, 4), q.c1 (H1,), q.W2 (H2, H1), q.c2 (H2,),
    q.W3 (2, H2), q.c3 (2,).
    """

    def __init__(self, flat, *, H1=120, H2=84):
        self._sizes = _sizes(H1=H1, H2=H2)
        self.flat = _vector(flat, H1 * H2 + 5 * H1 + 3 * H2 + 2)
        _part = _parts(self.flat)
        self.q = _Group(
            _part(H1 * H2 + 5 * H1 + 3 * H2 + 2),
            W1=(H1, 4),
            c1=(H1,),
            W2=(H2, H1),
            c2=(H2,),
            W3=(2, H2),
            c3=(2,),
        )
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, H1=120, H2=84):
        self.sizes = _sizes(B=B, H1=H1, H2=H2)
        self._memory = {}


def init(rng, *, H1=120, H2=84, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), H1=H1, H2=H2)
    params.q.W1[...] = _uniform_fan_in(rng, (H1, 4))
    params.q.c1[...] = 0.0
    params.q.W2[...] = _uniform_fan_in(rng, (H2, H1))
    params.q.c2[...] = 0.0
    params.q.W3[...] = _uniform_fan_in(rng, (2, H2))
    params.q.c3[...] = 0.0
    params.target.flat[...] = params.q.flat
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
        H1=_extent(arrays["q.W1"], 0),
        H2=_extent(arrays["q.W2"], 0),
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


def q_forward(params, obs, *, workspace=None):
    """The output q.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _QForwardMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    q_W1, q_c1, q_W2, q_c2, q_W3 = params.q.W1, params.q.c1, params.q.W2, params.q.c2, params.q.W3
    q_c3 = params.q.c3
    # q_z1[b,i] += obs[b,j]*q_W1[i,j]
    q_z1 = np.matmul(obs, q_W1.T, out=ws.q_z1)
    # q_z1[b,i] += q_c1[i] for b < B
    q_z1 += q_c1
    # q_h1[b,i] = relu(q_z1[b,i])
    q_h1 = np.maximum(q_z1, 0.0, out=ws.q_h1)
    # q_z2[b,i] += q_W2[i,j]*q_h1[b,j]
    q_z2 = np.matmul(q_h1, q_W2.T, out=ws.q_z2)
    # q_z2[b,i] += q_c2[i] for b < B
    q_z2 += q_c2
    # q_h2[b,i] = relu(q_z2[b,i])
    q_h2 = np.maximum(q_z2, 0.0, out=ws.q_h2)
    # q[b,i] += q_W3[i,j]*q_h2[b,j]
    q = np.matmul(q_h2, q_W3.T, out=ws.q)
    # q[b,i] += q_c3[i] for b < B
    q += q_c3
    return q


def target_forward(params, obs, *, workspace=None):
    """The output target.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _TargetForwardMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    target_W1, target_c1, target_W2 = params.target.W1, params.target.c1, params.target.W2
    target_c2, target_W3, target_c3 = params.target.c2, params.target.W3, params.target.c3
    # target_z1[b,i] += obs[b,j]*target_W1[i,j]
    target_z1 = np.matmul(obs, target_W1.T, out=ws.target_z1)
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


def value(params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None):
    """The loss.

    obs: real[B, 4]
    action: int[B] < 2
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    gamma: real = 0.99

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4))
    _shape("done", done, (B,))
    _below("action", action, 2)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    q_W1, q_c1, q_W2, q_c2, q_W3 = params.q.W1, params.q.c1, params.q.W2, params.q.c2, params.q.W3
    q_c3, target_W1, target_c1 = params.q.c3, params.target.W1, params.target.c1
    target_W2, target_c2, target_W3 = params.target.W2, params.target.c2, params.target.W3
    target_c3 = params.target.c3
    # q_z1[b,i] += obs[b,j]*q_W1[i,j]
    q_z1 = np.matmul(obs, q_W1.T, out=ws.q_z1)
    # q_z1[b,i] += q_c1[i] for b < B
    q_z1 += q_c1
    # q_h1[b,i] = relu(q_z1[b,i])
    q_h1 = np.maximum(q_z1, 0.0, out=ws.q_h1)
    # q_z2[b,i] += q_W2[i,j]*q_h1[b,j]
    q_z2 = np.matmul(q_h1, q_W2.T, out=ws.q_z2)
    # q_z2[b,i] += q_c2[i] for b < B
    q_z2 += q_c2
    # q_h2[b,i] = relu(q_z2[b,i])
    q_h2 = np.maximum(q_z2, 0.0, out=ws.q_h2)
    # q[b,i] += q_W3[i,j]*q_h2[b,j]
    q = np.matmul(q_h2, q_W3.T, out=ws.q)
    # q[b,i] += q_c3[i] for b < B
    q += q_c3
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # target_z1_next_obs[b,i] += next_obs[b,j]*target_W1[i,j]
    target_z1_next_obs = np.matmul(next_obs, target_W1.T, out=ws.target_z1_next_obs)
    # target_z1_next_obs[b,i] += target_c1[i] for b < B
    target_z1_next_obs += target_c1
    # target_h1_next_obs[b,i] = relu(target_z1_next_obs[b,i])
    target_h1_next_obs = np.maximum(target_z1_next_obs, 0.0, out=ws.target_h1_next_obs)
    # target_z2_next_obs[b,i] += target_W2[i,j]*target_h1_next_obs[b,j]
    target_z2_next_obs = np.matmul(target_h1_next_obs, target_W2.T, out=ws.target_z2_next_obs)
    # target_z2_next_obs[b,i] += target_c2[i] for b < B
    target_z2_next_obs += target_c2
    # target_h2_next_obs[b,i] = relu(target_z2_next_obs[b,i])
    target_h2_next_obs = np.maximum(target_z2_next_obs, 0.0, out=ws.target_h2_next_obs)
    # target_next_obs[b,i] += target_W3[i,j]*target_h2_next_obs[b,j]
    target_next_obs = np.matmul(target_h2_next_obs, target_W3.T, out=ws.target_next_obs)
    # target_next_obs[b,i] += target_c3[i] for b < B
    target_next_obs += target_c3
    # y_argmax[b] = argmax(a: target_next_obs[b,a])
    y_argmax = np.argmax(target_next_obs, axis=-1, out=ws.y_argmax)
    # y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
    target_next_obs_at = _pick(
        target_next_obs, (ws.arange, y_argmax), out=ws.target_next_obs_at, at=ws.at
    )
    y = np.multiply(discount_t, target_next_obs_at, out=ws.y)
    y += reward
    # td[b] = q[b,action[b]] - y[b]
    q_at = _pick(q, (ws.arange, action), out=ws.q_at, at=ws.at_2)
    td = np.subtract(q_at, y, out=ws.td)
    # loss += td[b]**2/B
    t_1 = np.square(td, out=ws.t_1)
    loss = np.sum(t_1) / B
    return loss


def value_and_grad(params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None):
    """The loss and its gradient by q.

    obs: real[B, 4]
    action: int[B] < 2
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    gamma: real = 0.99

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4))
    _shape("done", done, (B,))
    _below("action", action, 2)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    grads = ws.grads
    q_W1, q_c1, q_W2, q_c2, q_W3 = params.q.W1, params.q.c1, params.q.W2, params.q.c2, params.q.W3
    q_c3, target_W1, target_c1 = params.q.c3, params.target.W1, params.target.c1
    target_W2, target_c2, target_W3 = params.target.W2, params.target.c2, params.target.W3
    target_c3 = params.target.c3
    # q_z1[b,i] += obs[b,j]*q_W1[i,j]
    q_z1 = np.matmul(obs, q_W1.T, out=ws.q_z1)
    # q_z1[b,i] += q_c1[i] for b < B
    q_z1 += q_c1
    # q_h1[b,i] = relu(q_z1[b,i])
    q_h1 = np.maximum(q_z1, 0.0, out=ws.q_h1)
    # q_z2[b,i] += q_W2[i,j]*q_h1[b,j]
    q_z2 = np.matmul(q_h1, q_W2.T, out=ws.q_z2)
    # q_z2[b,i] += q_c2[i] for b < B
    q_z2 += q_c2
    # q_h2[b,i] = relu(q_z2[b,i])
    q_h2 = np.maximum(q_z2, 0.0, out=ws.q_h2)
    # q[b,i] += q_W3[i,j]*q_h2[b,j]
    q = np.matmul(q_h2, q_W3.T, out=ws.q)
    # q[b,i] += q_c3[i] for b < B
    q += q_c3
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # target_z1_next_obs[b,i] += next_obs[b,j]*target_W1[i,j]
    target_z1_next_obs = np.matmul(next_obs, target_W1.T, out=ws.target_z1_next_obs)
    # target_z1_next_obs[b,i] += target_c1[i] for b < B
    target_z1_next_obs += target_c1
    # target_h1_next_obs[b,i] = relu(target_z1_next_obs[b,i])
    target_h1_next_obs = np.maximum(target_z1_next_obs, 0.0, out=ws.target_h1_next_obs)
    # target_z2_next_obs[b,i] += target_W2[i,j]*target_h1_next_obs[b,j]
    target_z2_next_obs = np.matmul(target_h1_next_obs, target_W2.T, out=ws.target_z2_next_obs)
    # target_z2_next_obs[b,i] += target_c2[i] for b < B
    target_z2_next_obs += target_c2
    # target_h2_next_obs[b,i] = relu(target_z2_next_obs[b,i])
    target_h2_next_obs = np.maximum(target_z2_next_obs, 0.0, out=ws.target_h2_next_obs)
    # target_next_obs[b,i] += target_W3[i,j]*target_h2_next_obs[b,j]
    target_next_obs = np.matmul(target_h2_next_obs, target_W3.T, out=ws.target_next_obs)
    # target_next_obs[b,i] += target_c3[i] for b < B
    target_next_obs += target_c3
    # y_argmax[b] = argmax(a: target_next_obs[b,a])
    y_argmax = np.argmax(target_next_obs, axis=-1, out=ws.y_argmax)
    # y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
    target_next_obs_at = _pick(
        target_next_obs, (ws.arange, y_argmax), out=ws.target_next_obs_at, at=ws.at
    )
    y = np.multiply(discount_t, target_next_obs_at, out=ws.y)
    y += reward
    # td[b] = q[b,action[b]] - y[b]
    q_at = _pick(q, (ws.arange, action), out=ws.q_at, at=ws.at_2)
    td = np.subtract(q_at, y, out=ws.td)
    # loss += td[b]**2/B
    t_1 = np.square(td, out=ws.t_1)
    loss = np.sum(t_1) / B
    # dtd[b] = 2*td[b]/B
    dtd = np.multiply(td, 2.0 / B, out=ws.dtd)
    dq = ws.dq
    dq.fill(0.0)
    # dq[b,action[b]] += dtd[b]
    _add_at(dq, (ws.arange, action), dtd, at=ws.at_2, scratch=ws.t_1)
    # dq_c3[i] += dq[b,i]
    np.sum(dq, axis=0, out=grads.q.c3)
    # dq_W3[i,j] += dq[b,i]*q_h2[b,j]
    np.matmul(dq.T, q_h2, out=grads.q.W3)
    # dq_h2[b,j] += dq[b,i]*q_W3[i,j]
    dq_h2 = np.matmul(dq, q_W3, out=ws.dq_h2)
    # dq_z2[b,i] = where(0 < q_z2[b,i], dq_h2[b,i], 0)
    t_2 = np.greater(q_z2, 0.0, out=ws.t_2)
    dq_z2 = ws.dq_z2
    dq_z2.fill(0.0)
    np.copyto(dq_z2, dq_h2, where=t_2)
    # dq_c2[i] += dq_z2[b,i]
    np.sum(dq_z2, axis=0, out=grads.q.c2)
    # dq_W2[i,j] += dq_z2[b,i]*q_h1[b,j]
    np.matmul(dq_z2.T, q_h1, out=grads.q.W2)
    # dq_h1[b,j] += dq_z2[b,i]*q_W2[i,j]
    dq_h1 = np.matmul(dq_z2, q_W2, out=ws.dq_h1)
    # dq_z1[b,i] = where(0 < q_z1[b,i], dq_h1[b,i], 0)
    t_3 = np.greater(q_z1, 0.0, out=ws.t_3)
    dq_z1 = ws.dq_z1
    dq_z1.fill(0.0)
    np.copyto(dq_z1, dq_h1, where=t_3)
    # dq_c1[i] += dq_z1[b,i]
    np.sum(dq_z1, axis=0, out=grads.q.c1)
    # dq_W1[i,j] += dq_z1[b,i]*obs[b,j]
    np.matmul(dq_z1.T, obs, out=grads.q.W1)
    return loss, grads


class _QForwardMemory:
    """The buffers of q_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.q_z1 = self.q_h1 = np.empty((B, H1), dtype)
        self.q_z2 = self.q_h2 = np.empty((B, H2), dtype)
        self.q = np.empty((B, 2), dtype)


class _TargetForwardMemory:
    """The buffers of target_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.target_z1 = self.target_h1 = np.empty((B, H1), dtype)
        self.target_z2 = self.target_h2 = np.empty((B, H2), dtype)
        self.target = np.empty((B, 2), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.q_z1 = self.q_h1 = self.target_z1_next_obs = np.empty((B, H1), dtype)
        self.target_h1_next_obs = self.q_z1
        self.q_z2 = self.q_h2 = self.target_z2_next_obs = np.empty((B, H2), dtype)
        self.target_h2_next_obs = self.q_z2
        self.q = np.empty((B, 2), dtype)
        self.target_next_obs = np.empty((B, 2), dtype)
        self.y_argmax = self.at_2 = np.empty((B,), np.intp)
        self.done_real = self.discount_t = self.y = self.td = self.t_1 = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.target_next_obs_at = self.q_at = np.empty((B,), dtype)
        self.at = np.empty((B,), np.intp)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.q_z1 = self.dq_z1 = np.empty((B, H1), dtype)
        self.q_h1 = self.dq_h1 = np.empty((B, H1), dtype)
        self.q_z2 = self.dq_z2 = np.empty((B, H2), dtype)
        self.q_h2 = self.dq_h2 = np.empty((B, H2), dtype)
        self.q = self.dq = np.empty((B, 2), dtype)
        self.target_z1_next_obs = self.target_h1_next_obs = np.empty((B, H1), dtype)
        self.target_z2_next_obs = self.target_h2_next_obs = np.empty((B, H2), dtype)
        self.target_next_obs = np.empty((B, 2), dtype)
        self.y_argmax = self.at_2 = np.empty((B,), np.intp)
        self.done_real = self.discount_t = self.y = self.td = self.dtd = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.target_next_obs_at = self.q_at = self.t_1 = np.empty((B,), dtype)
        self.at = np.empty((B,), np.intp)
        self.t_2 = np.empty((B, H2), np.bool_)
        self.t_3 = np.empty((B, H1), np.bool_)
        self.grads = Gradients(dtype, H1=H1, H2=H2)


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
