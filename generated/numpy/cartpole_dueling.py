"""cartpole_dueling: Dueling deep Q-learning for CartPole: a value and advantages on one trunk, Q =
V + A - mean A, with a target network.

Forward
    trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk[b,i] = relu(trunk_z1[b,i])
    v_z1[b,i] += trunk[b,j]*v_W1[i,j]
    v_z1[b,i] += v_c1[i] for b < B
    v_h1[b,i] = relu(v_z1[b,i])
    v[b,i] += v_W2[i,j]*v_h1[b,j]
    v[b,i] += v_c2[i] for b < B
    adv_z1[b,i] += adv_W1[i,j]*trunk[b,j]
    adv_z1[b,i] += adv_c1[i] for b < B
    adv_h1[b,i] = relu(adv_z1[b,i])
    adv[b,i] += adv_W2[i,j]*adv_h1[b,j]
    adv[b,i] += adv_c2[i] for b < B
    q_mean[b] += 0.5*adv[b,u]
    q[b,a] = adv[b,a] + v[b,0] - q_mean[b]
    target_trunk_z1[b,i] += next_obs[b,j]*target_trunk_W1[i,j]
    target_trunk_z1[b,i] += target_trunk_c1[i] for b < B
    target_trunk[b,i] = relu(target_trunk_z1[b,i])
    target_v_z1[b,i] += target_trunk[b,j]*target_v_W1[i,j]
    target_v_z1[b,i] += target_v_c1[i] for b < B
    target_v_h1[b,i] = relu(target_v_z1[b,i])
    target_v[b,i] += target_v_W2[i,j]*target_v_h1[b,j]
    target_v[b,i] += target_v_c2[i] for b < B
    target_adv_z1[b,i] += target_adv_W1[i,j]*target_trunk[b,j]
    target_adv_z1[b,i] += target_adv_c1[i] for b < B
    target_adv_h1[b,i] = relu(target_adv_z1[b,i])
    target_adv[b,i] += target_adv_W2[i,j]*target_adv_h1[b,j]
    target_adv[b,i] += target_adv_c2[i] for b < B

Loss dueling
    q_t_mean[b] += 0.5*target_adv[b,u]
    q_t[b,a] = target_adv[b,a] + target_v[b,0] - q_t_mean[b]
    discount_t[b] = gamma*(1 - done[b])
    y_argmax[b] = argmax(a: q_t[b,a])
    y[b] = stop(discount_t[b]*q_t[b,y_argmax[b]] + reward[b])
    td[b] = q[b,action[b]] - y[b]
    loss += td[b]**2*weight[b]/B

Gradient (value_and_grad); dX stands for dL/dX.
    dtd[b] = 2*td[b]*weight[b]/B
    dq[b,action[b]] += dtd[b]
    dadv[b,a] += dq[b,a]
    dq_mean[b] += -dq[b,a]
    dv[b,0] += dq[b,a]
    dadv[b,u] += 0.5*dq_mean[b] for u < 2
    dadv_c2[i] += dadv[b,i]
    dadv_W2[i,j] += dadv[b,i]*adv_h1[b,j]
    dadv_h1[b,j] += dadv[b,i]*adv_W2[i,j]
    dadv_z1[b,i] = where(0 < adv_z1[b,i], dadv_h1[b,i], 0)
    dadv_c1[i] += dadv_z1[b,i]
    dadv_W1[i,j] += dadv_z1[b,i]*trunk[b,j]
    dtrunk[b,j] += dadv_z1[b,i]*adv_W1[i,j]
    dv_c2[i] += dv[b,i]
    dv_W2[i,j] += dv[b,i]*v_h1[b,j]
    dv_h1[b,j] += dv[b,i]*v_W2[i,j]
    dv_z1[b,i] = where(0 < v_z1[b,i], dv_h1[b,i], 0)
    dv_c1[i] += dv_z1[b,i]
    dtrunk[b,j] += dv_z1[b,i]*v_W1[i,j]
    dv_W1[i,j] += dv_z1[b,i]*trunk[b,j]
    dtrunk_z1[b,i] = where(0 < trunk_z1[b,i], dtrunk[b,i], 0)
    dtrunk_c1[i] += dtrunk_z1[b,i]
    dtrunk_W1[i,j] += dtrunk_z1[b,i]*obs[b,j]

Shapes
    trunk_W1: real[H1, 4]
    trunk_c1: real[H1]
    v_W1: real[H2, H1]
    v_c1: real[H2]
    v_W2: real[1, H2]
    v_c2: real[1]
    adv_W1: real[H2, H1]
    adv_c1: real[H2]
    adv_W2: real[2, H2]
    adv_c2: real[2]
    target_trunk_W1: real[H1, 4]
    target_trunk_c1: real[H1]
    target_v_W1: real[H2, H1]
    target_v_c1: real[H2]
    target_v_W2: real[1, H2]
    target_v_c2: real[1]
    target_adv_W1: real[H2, H1]
    target_adv_c1: real[H2]
    target_adv_W2: real[2, H2]
    target_adv_c2: real[2]
    obs: real[B, 4]
    action: int[B] < 2
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    weight: real[B]
    gamma: real = 0.99
    B: transitions in the batch

At kinks: relu'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    y[b] = stop(discount_t[b]*q_t[b,y_argmax[b]] + reward[b])
Reduction: q_mean is summed over u and divided by 2; q_t_mean is summed over u and divided by 2;
    loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "H1": 120, "H2": 84}
PARAMETERS = {
    "trunk.W1": {"axes": ("H1", "4"), "offset": 0, "shape": (120, 4), "strides": (4, 1)},
    "trunk.c1": {"axes": ("H1",), "offset": 480, "shape": (120,), "strides": (1,)},
    "v.W1": {"axes": ("H2", "H1"), "offset": 600, "shape": (84, 120), "strides": (120, 1)},
    "v.c1": {"axes": ("H2",), "offset": 10680, "shape": (84,), "strides": (1,)},
    "v.W2": {"axes": ("1", "H2"), "offset": 10764, "shape": (1, 84), "strides": (84, 1)},
    "v.c2": {"axes": ("1",), "offset": 10848, "shape": (1,), "strides": (1,)},
    "adv.W1": {"axes": ("H2", "H1"), "offset": 10849, "shape": (84, 120), "strides": (120, 1)},
    "adv.c1": {"axes": ("H2",), "offset": 20929, "shape": (84,), "strides": (1,)},
    "adv.W2": {"axes": ("2", "H2"), "offset": 21013, "shape": (2, 84), "strides": (84, 1)},
    "adv.c2": {"axes": ("2",), "offset": 21181, "shape": (2,), "strides": (1,)},
    "target_trunk.W1": {"axes": ("H1", "4"), "offset": 21183, "shape": (120, 4), "strides": (4, 1)},
    "target_trunk.c1": {"axes": ("H1",), "offset": 21663, "shape": (120,), "strides": (1,)},
    "target_v.W1": {"axes": ("H2", "H1"), "offset": 21783, "shape": (84, 120), "strides": (120, 1)},
    "target_v.c1": {"axes": ("H2",), "offset": 31863, "shape": (84,), "strides": (1,)},
    "target_v.W2": {"axes": ("1", "H2"), "offset": 31947, "shape": (1, 84), "strides": (84, 1)},
    "target_v.c2": {"axes": ("1",), "offset": 32031, "shape": (1,), "strides": (1,)},
    "target_adv.W1": {
        "axes": ("H2", "H1"), "offset": 32032, "shape": (84, 120), "strides": (120, 1)
    },
    "target_adv.c1": {"axes": ("H2",), "offset": 42112, "shape": (84,), "strides": (1,)},
    "target_adv.W2": {"axes": ("2", "H2"), "offset": 42196, "shape": (2, 84), "strides": (84, 1)},
    "target_adv.c2": {"axes": ("2",), "offset": 42364, "shape": (2,), "strides": (1,)},
}
LAYERS = {
    "trunk": ({"weight": "trunk.W1", "bias": "trunk.c1"},),
    "v": ({"weight": "v.W1", "bias": "v.c1"}, {"weight": "v.W2", "bias": "v.c2"}),
    "adv": ({"weight": "adv.W1", "bias": "adv.c1"}, {"weight": "adv.W2", "bias": "adv.c2"}),
    "target_trunk": ({"weight": "target_trunk.W1", "bias": "target_trunk.c1"},),
    "target_v": (
        {"weight": "target_v.W1", "bias": "target_v.c1"},
        {"weight": "target_v.W2", "bias": "target_v.c2"},
    ),
    "target_adv": (
        {"weight": "target_adv.W1", "bias": "target_adv.c1"},
        {"weight": "target_adv.W2", "bias": "target_adv.c2"},
    ),
}
INPUTS = {
    "obs": "real[B, 4]",
    "action": "int[B] < 2",
    "reward": "real[B]",
    "next_obs": "real[B, 4]",
    "done": "bool[B]",
    "weight": "real[B]",
    "gamma": "real = 0.99",
}
OUTPUTS = {
    "forward": ("q",),
    "trunk_forward": ("trunk",),
    "v_forward": ("v",),
    "adv_forward": ("adv",),
    "target_trunk_forward": ("target_trunk",),
    "target_v_forward": ("target_v",),
    "target_adv_forward": ("target_adv",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "2 * B * H1 * H2 + 6 * B * H1 + 7 * B * H2 + 9 * B",
    "trunk_forward": "6 * B * H1",
    "v_forward": "B * H1 * H2 + 6 * B * H1 + 3 * B * H2 + B",
    "adv_forward": "B * H1 * H2 + 6 * B * H1 + 4 * B * H2 + 2 * B",
    "target_trunk_forward": "6 * B * H1",
    "target_v_forward": "B * H1 * H2 + 6 * B * H1 + 3 * B * H2 + B",
    "target_adv_forward": "B * H1 * H2 + 6 * B * H1 + 4 * B * H2 + 2 * B",
    "value": "4 * B * H1 * H2 + 12 * B * H1 + 14 * B * H2 + 25 * B",
    "value_and_grad": "8 * B * H1 * H2 + 19 * B * H1 + 24 * B * H2 + 36 * B",
}
SPEC_HASH = "d3d8aa4348f58244840f5dc3147f18621c2d431595290fbdfd00ac6a6f3e1ab9"
SPEC = r'''description = "Dueling deep Q-learning for CartPole: a value and advantages on one trunk, Q = V + A - mean A, with a target network."
outputs = ["q"]
equations = """
trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
trunk_z1[b,i] += trunk_c1[i] for b < B
trunk[b,i] = relu(trunk_z1[b,i])
v_z1[b,i] += trunk[b,j]*v_W1[i,j]
v_z1[b,i] += v_c1[i] for b < B
v_h1[b,i] = relu(v_z1[b,i])
v[b,i] += v_W2[i,j]*v_h1[b,j]
v[b,i] += v_c2[i] for b < B
adv_z1[b,i] += adv_W1[i,j]*trunk[b,j]
adv_z1[b,i] += adv_c1[i] for b < B
adv_h1[b,i] = relu(adv_z1[b,i])
adv[b,i] += adv_W2[i,j]*adv_h1[b,j]
adv[b,i] += adv_c2[i] for b < B
q_mean[b] += 0.5*adv[b,u]
q[b,a] = adv[b,a] + v[b,0] - q_mean[b]
target_trunk_z1[b,i] += next_obs[b,j]*target_trunk_W1[i,j]
target_trunk_z1[b,i] += target_trunk_c1[i] for b < B
target_trunk[b,i] = relu(target_trunk_z1[b,i])
target_v_z1[b,i] += target_trunk[b,j]*target_v_W1[i,j]
target_v_z1[b,i] += target_v_c1[i] for b < B
target_v_h1[b,i] = relu(target_v_z1[b,i])
target_v[b,i] += target_v_W2[i,j]*target_v_h1[b,j]
target_v[b,i] += target_v_c2[i] for b < B
target_adv_z1[b,i] += target_adv_W1[i,j]*target_trunk[b,j]
target_adv_z1[b,i] += target_adv_c1[i] for b < B
target_adv_h1[b,i] = relu(target_adv_z1[b,i])
target_adv[b,i] += target_adv_W2[i,j]*target_adv_h1[b,j]
target_adv[b,i] += target_adv_c2[i] for b < B
"""

[sizes]
B = "transitions in the batch"
H1 = 120
H2 = 84

[params.trunk]
W1 = "real[H1, 4] init=uniform_fan_in"
c1 = "real[H1] init=zeros"

[params.v]
W1 = "real[H2, H1] init=uniform_fan_in"
c1 = "real[H2] init=zeros"
W2 = "real[1, H2] init=uniform_fan_in"
c2 = "real[1] init=zeros"

[params.adv]
W1 = "real[H2, H1] init=uniform_fan_in"
c1 = "real[H2] init=zeros"
W2 = "real[2, H2] init=uniform_fan_in"
c2 = "real[2] init=zeros"

[params.target_trunk]
W1 = "real[H1, 4] init=copy(trunk_W1)"
c1 = "real[H1] init=copy(trunk_c1)"

[params.target_v]
W1 = "real[H2, H1] init=copy(v_W1)"
c1 = "real[H2] init=copy(v_c1)"
W2 = "real[1, H2] init=copy(v_W2)"
c2 = "real[1] init=copy(v_c2)"

[params.target_adv]
W1 = "real[H2, H1] init=copy(adv_W1)"
c1 = "real[H2] init=copy(adv_c1)"
W2 = "real[2, H2] init=copy(adv_W2)"
c2 = "real[2] init=copy(adv_c2)"

[data]
obs = "real[B, 4]"
action = "int[B] < 2"
reward = "real[B]"
next_obs = "real[B, 4]"
done = "bool[B]"
weight = "real[B]"
gamma = "real = 0.99"

[losses.dueling]
wrt = ["trunk_W1", "trunk_c1", "v_W1", "v_c1", "v_W2", "v_c2", "adv_W1", "adv_c1", "adv_W2", "adv_c2"]
aux = ["td"]
equations = """
q_t_mean[b] += 0.5*target_adv[b,u]
q_t[b,a] = target_adv[b,a] + target_v[b,0] - q_t_mean[b]
discount_t[b] = gamma*(1 - done[b])
y_argmax[b] = argmax(a: q_t[b,a])
y[b] = stop(discount_t[b]*q_t[b,y_argmax[b]] + reward[b])
td[b] = q[b,action[b]] - y[b]
loss += td[b]**2*weight[b]/B
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
    """Views on one vector `flat`: trunk.W1 (H1, 4), trunk.c1 (H1,), v.W1 (H2, H1), v.c1 (H2,),
    v.W2 (1, H2), v.c2 (1,), adv.W1 (H2, H1), adv.c1 (H2,), adv.W2 (2, H2), adv.c2 (2,),
    target_trunk.W1 (H1, 4), target_trunk.c1 (H1,), target_v.W1 (H2, H1), target_v.c1 (H2,),
    target_v.W2 (1, H2), target_v.c2 (1,), target_adv.W1 (H2, H1), target_adv.c1 (H2,),
    target_adv.W2 (2, H2), target_adv.c2 (2,).
    """

    def __init__(self, flat, *, H1=120, H2=84):
        self._sizes = _sizes(H1=H1, H2=H2)
        self.flat = _vector(flat, 4 * H1 * H2 + 10 * H1 + 10 * H2 + 6)
        _part = _parts(self.flat)
        self.trunk = _Group(_part(5 * H1), W1=(H1, 4), c1=(H1,))
        self.v = _Group(_part(H1 * H2 + 2 * H2 + 1), W1=(H2, H1), c1=(H2,), W2=(1, H2), c2=(1,))
        self.adv = _Group(_part(H1 * H2 + 3 * H2 + 2), W1=(H2, H1), c1=(H2,), W2=(2, H2), c2=(2,))
        self.target_trunk = _Group(_part(5 * H1), W1=(H1, 4), c1=(H1,))
        self.target_v = _Group(
            _part(H1 * H2 + 2 * H2 + 1), W1=(H2, H1), c1=(H2,), W2=(1, H2), c2=(1,)
        )
        self.target_adv = _Group(
            _part(H1 * H2 + 3 * H2 + 2), W1=(H2, H1), c1=(H2,), W2=(2, H2), c2=(2,)
        )
        self._closed = True


class Gradients(_Views):
    """Views on one vector `flat`: trunk.W1 (H1, 4), trunk.c1 (H1,), v.W1 (H2, H1), v.c1 (H2,),
    v.W2 (1, H2), v.c2 (1,), adv.W1 (H2, H1), adv.c1 (H2,), adv.W2 (2, H2), adv.c2 (2,).
    """

    def __init__(self, flat, *, H1=120, H2=84):
        self._sizes = _sizes(H1=H1, H2=H2)
        self.flat = _vector(flat, 2 * H1 * H2 + 5 * H1 + 5 * H2 + 3)
        _part = _parts(self.flat)
        self.trunk = _Group(_part(5 * H1), W1=(H1, 4), c1=(H1,))
        self.v = _Group(_part(H1 * H2 + 2 * H2 + 1), W1=(H2, H1), c1=(H2,), W2=(1, H2), c2=(1,))
        self.adv = _Group(_part(H1 * H2 + 3 * H2 + 2), W1=(H2, H1), c1=(H2,), W2=(2, H2), c2=(2,))
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
    params.trunk.W1[...] = _uniform_fan_in(rng, (H1, 4))
    params.trunk.c1[...] = 0.0
    params.v.W1[...] = _uniform_fan_in(rng, (H2, H1))
    params.v.c1[...] = 0.0
    params.v.W2[...] = _uniform_fan_in(rng, (1, H2))
    params.v.c2[...] = 0.0
    params.adv.W1[...] = _uniform_fan_in(rng, (H2, H1))
    params.adv.c1[...] = 0.0
    params.adv.W2[...] = _uniform_fan_in(rng, (2, H2))
    params.adv.c2[...] = 0.0
    params.target_trunk.flat[...] = params.trunk.flat
    params.target_v.flat[...] = params.v.flat
    params.target_adv.flat[...] = params.adv.flat
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
        H1=_extent(arrays["trunk.W1"], 0),
        H2=_extent(arrays["v.W1"], 0),
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
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    trunk_W1, trunk_c1, v_W1, v_c1 = params.trunk.W1, params.trunk.c1, params.v.W1, params.v.c1
    v_W2, v_c2, adv_W1, adv_c1 = params.v.W2, params.v.c2, params.adv.W1, params.adv.c1
    adv_W2, adv_c2 = params.adv.W2, params.adv.c2
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk[b,i] = relu(trunk_z1[b,i])
    trunk = np.maximum(trunk_z1, 0.0, out=ws.trunk)
    # v_z1[b,i] += trunk[b,j]*v_W1[i,j]
    v_z1 = np.matmul(trunk, v_W1.T, out=ws.v_z1)
    # v_z1[b,i] += v_c1[i] for b < B
    v_z1 += v_c1
    # v_h1[b,i] = relu(v_z1[b,i])
    v_h1 = np.maximum(v_z1, 0.0, out=ws.v_h1)
    # v[b,i] += v_W2[i,j]*v_h1[b,j]
    v = np.matmul(v_h1, v_W2.T, out=ws.v)
    # v[b,i] += v_c2[i] for b < B
    v += v_c2
    # adv_z1[b,i] += adv_W1[i,j]*trunk[b,j]
    adv_z1 = np.matmul(trunk, adv_W1.T, out=ws.adv_z1)
    # adv_z1[b,i] += adv_c1[i] for b < B
    adv_z1 += adv_c1
    # adv_h1[b,i] = relu(adv_z1[b,i])
    adv_h1 = np.maximum(adv_z1, 0.0, out=ws.adv_h1)
    # adv[b,i] += adv_W2[i,j]*adv_h1[b,j]
    adv = np.matmul(adv_h1, adv_W2.T, out=ws.adv)
    # adv[b,i] += adv_c2[i] for b < B
    adv += adv_c2
    # q_mean[b] += 0.5*adv[b,u]
    q_mean = np.sum(adv, axis=1, out=ws.q_mean)
    q_mean /= 2.0
    # q[b,a] = adv[b,a] + v[b,0] - q_mean[b]
    t_1 = np.subtract(v[:, 0], q_mean, out=ws.t_1)
    q = np.add(adv, t_1[:, None], out=ws.q)
    return q


def trunk_forward(params, obs, *, workspace=None):
    """The output trunk.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _TrunkForwardMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    trunk_W1, trunk_c1 = params.trunk.W1, params.trunk.c1
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk[b,i] = relu(trunk_z1[b,i])
    trunk = np.maximum(trunk_z1, 0.0, out=ws.trunk)
    return trunk


def v_forward(params, obs, *, workspace=None):
    """The output v.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _VForwardMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    trunk_W1, trunk_c1, v_W1, v_c1 = params.trunk.W1, params.trunk.c1, params.v.W1, params.v.c1
    v_W2, v_c2 = params.v.W2, params.v.c2
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk[b,i] = relu(trunk_z1[b,i])
    trunk = np.maximum(trunk_z1, 0.0, out=ws.trunk)
    # v_z1[b,i] += trunk[b,j]*v_W1[i,j]
    v_z1 = np.matmul(trunk, v_W1.T, out=ws.v_z1)
    # v_z1[b,i] += v_c1[i] for b < B
    v_z1 += v_c1
    # v_h1[b,i] = relu(v_z1[b,i])
    v_h1 = np.maximum(v_z1, 0.0, out=ws.v_h1)
    # v[b,i] += v_W2[i,j]*v_h1[b,j]
    v = np.matmul(v_h1, v_W2.T, out=ws.v)
    # v[b,i] += v_c2[i] for b < B
    v += v_c2
    return v


def adv_forward(params, obs, *, workspace=None):
    """The output adv.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _AdvForwardMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    trunk_W1, trunk_c1, adv_W1 = params.trunk.W1, params.trunk.c1, params.adv.W1
    adv_c1, adv_W2, adv_c2 = params.adv.c1, params.adv.W2, params.adv.c2
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk[b,i] = relu(trunk_z1[b,i])
    trunk = np.maximum(trunk_z1, 0.0, out=ws.trunk)
    # adv_z1[b,i] += adv_W1[i,j]*trunk[b,j]
    adv_z1 = np.matmul(trunk, adv_W1.T, out=ws.adv_z1)
    # adv_z1[b,i] += adv_c1[i] for b < B
    adv_z1 += adv_c1
    # adv_h1[b,i] = relu(adv_z1[b,i])
    adv_h1 = np.maximum(adv_z1, 0.0, out=ws.adv_h1)
    # adv[b,i] += adv_W2[i,j]*adv_h1[b,j]
    adv = np.matmul(adv_h1, adv_W2.T, out=ws.adv)
    # adv[b,i] += adv_c2[i] for b < B
    adv += adv_c2
    return adv


def target_trunk_forward(params, next_obs, *, workspace=None):
    """The output target_trunk.

    next_obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    next_obs = _real("next_obs", next_obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "next_obs", next_obs, 0)
    _shape("next_obs", next_obs, (B, 4))
    ws = _memory(workspace, _TargetTrunkForwardMemory, dtype, B=B, H1=H1, H2=H2)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    target_trunk_W1, target_trunk_c1 = params.target_trunk.W1, params.target_trunk.c1
    # target_trunk_z1[b,i] += next_obs[b,j]*target_trunk_W1[i,j]
    target_trunk_z1 = np.matmul(next_obs, target_trunk_W1.T, out=ws.target_trunk_z1)
    # target_trunk_z1[b,i] += target_trunk_c1[i] for b < B
    target_trunk_z1 += target_trunk_c1
    # target_trunk[b,i] = relu(target_trunk_z1[b,i])
    target_trunk = np.maximum(target_trunk_z1, 0.0, out=ws.target_trunk)
    return target_trunk


def target_v_forward(params, next_obs, *, workspace=None):
    """The output target_v.

    next_obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    next_obs = _real("next_obs", next_obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "next_obs", next_obs, 0)
    _shape("next_obs", next_obs, (B, 4))
    ws = _memory(workspace, _TargetVForwardMemory, dtype, B=B, H1=H1, H2=H2)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    target_trunk_W1, target_trunk_c1 = params.target_trunk.W1, params.target_trunk.c1
    target_v_W1, target_v_c1 = params.target_v.W1, params.target_v.c1
    target_v_W2, target_v_c2 = params.target_v.W2, params.target_v.c2
    # target_trunk_z1[b,i] += next_obs[b,j]*target_trunk_W1[i,j]
    target_trunk_z1 = np.matmul(next_obs, target_trunk_W1.T, out=ws.target_trunk_z1)
    # target_trunk_z1[b,i] += target_trunk_c1[i] for b < B
    target_trunk_z1 += target_trunk_c1
    # target_trunk[b,i] = relu(target_trunk_z1[b,i])
    target_trunk = np.maximum(target_trunk_z1, 0.0, out=ws.target_trunk)
    # target_v_z1[b,i] += target_trunk[b,j]*target_v_W1[i,j]
    target_v_z1 = np.matmul(target_trunk, target_v_W1.T, out=ws.target_v_z1)
    # target_v_z1[b,i] += target_v_c1[i] for b < B
    target_v_z1 += target_v_c1
    # target_v_h1[b,i] = relu(target_v_z1[b,i])
    target_v_h1 = np.maximum(target_v_z1, 0.0, out=ws.target_v_h1)
    # target_v[b,i] += target_v_W2[i,j]*target_v_h1[b,j]
    target_v = np.matmul(target_v_h1, target_v_W2.T, out=ws.target_v)
    # target_v[b,i] += target_v_c2[i] for b < B
    target_v += target_v_c2
    return target_v


def target_adv_forward(params, next_obs, *, workspace=None):
    """The output target_adv.

    next_obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    next_obs = _real("next_obs", next_obs, 2)
    H1, H2 = params._sizes.values()
    B = _length("B", "next_obs", next_obs, 0)
    _shape("next_obs", next_obs, (B, 4))
    ws = _memory(workspace, _TargetAdvForwardMemory, dtype, B=B, H1=H1, H2=H2)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    target_trunk_W1, target_trunk_c1 = params.target_trunk.W1, params.target_trunk.c1
    target_adv_W1, target_adv_c1 = params.target_adv.W1, params.target_adv.c1
    target_adv_W2, target_adv_c2 = params.target_adv.W2, params.target_adv.c2
    # target_trunk_z1[b,i] += next_obs[b,j]*target_trunk_W1[i,j]
    target_trunk_z1 = np.matmul(next_obs, target_trunk_W1.T, out=ws.target_trunk_z1)
    # target_trunk_z1[b,i] += target_trunk_c1[i] for b < B
    target_trunk_z1 += target_trunk_c1
    # target_trunk[b,i] = relu(target_trunk_z1[b,i])
    target_trunk = np.maximum(target_trunk_z1, 0.0, out=ws.target_trunk)
    # target_adv_z1[b,i] += target_adv_W1[i,j]*target_trunk[b,j]
    target_adv_z1 = np.matmul(target_trunk, target_adv_W1.T, out=ws.target_adv_z1)
    # target_adv_z1[b,i] += target_adv_c1[i] for b < B
    target_adv_z1 += target_adv_c1
    # target_adv_h1[b,i] = relu(target_adv_z1[b,i])
    target_adv_h1 = np.maximum(target_adv_z1, 0.0, out=ws.target_adv_h1)
    # target_adv[b,i] += target_adv_W2[i,j]*target_adv_h1[b,j]
    target_adv = np.matmul(target_adv_h1, target_adv_W2.T, out=ws.target_adv)
    # target_adv[b,i] += target_adv_c2[i] for b < B
    target_adv += target_adv_c2
    return target_adv


def value(params, *, obs, action, reward, next_obs, done, weight, gamma=0.99, workspace=None):
    """The loss.

    obs: real[B, 4]
    action: int[B] < 2
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    weight: real[B]
    gamma: real = 0.99

    Returns (loss, aux); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    weight = _real("weight", weight, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4))
    _shape("done", done, (B,))
    _shape("weight", weight, (B,))
    _below("action", action, 2)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    weight = _fit(ws, "weight", weight, dtype)
    trunk_W1, trunk_c1, v_W1, v_c1 = params.trunk.W1, params.trunk.c1, params.v.W1, params.v.c1
    v_W2, v_c2, adv_W1, adv_c1 = params.v.W2, params.v.c2, params.adv.W1, params.adv.c1
    adv_W2, adv_c2, target_trunk_W1 = params.adv.W2, params.adv.c2, params.target_trunk.W1
    target_trunk_c1, target_v_W1 = params.target_trunk.c1, params.target_v.W1
    target_v_c1, target_v_W2 = params.target_v.c1, params.target_v.W2
    target_v_c2, target_adv_W1 = params.target_v.c2, params.target_adv.W1
    target_adv_c1, target_adv_W2 = params.target_adv.c1, params.target_adv.W2
    target_adv_c2 = params.target_adv.c2
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk[b,i] = relu(trunk_z1[b,i])
    trunk = np.maximum(trunk_z1, 0.0, out=ws.trunk)
    # v_z1[b,i] += trunk[b,j]*v_W1[i,j]
    v_z1 = np.matmul(trunk, v_W1.T, out=ws.v_z1)
    # v_z1[b,i] += v_c1[i] for b < B
    v_z1 += v_c1
    # v_h1[b,i] = relu(v_z1[b,i])
    v_h1 = np.maximum(v_z1, 0.0, out=ws.v_h1)
    # v[b,i] += v_W2[i,j]*v_h1[b,j]
    v = np.matmul(v_h1, v_W2.T, out=ws.v)
    # v[b,i] += v_c2[i] for b < B
    v += v_c2
    # adv_z1[b,i] += adv_W1[i,j]*trunk[b,j]
    adv_z1 = np.matmul(trunk, adv_W1.T, out=ws.adv_z1)
    # adv_z1[b,i] += adv_c1[i] for b < B
    adv_z1 += adv_c1
    # adv_h1[b,i] = relu(adv_z1[b,i])
    adv_h1 = np.maximum(adv_z1, 0.0, out=ws.adv_h1)
    # adv[b,i] += adv_W2[i,j]*adv_h1[b,j]
    adv = np.matmul(adv_h1, adv_W2.T, out=ws.adv)
    # adv[b,i] += adv_c2[i] for b < B
    adv += adv_c2
    # q_mean[b] += 0.5*adv[b,u]
    q_mean = np.sum(adv, axis=1, out=ws.q_mean)
    q_mean /= 2.0
    # q[b,a] = adv[b,a] + v[b,0] - q_mean[b]
    t_1 = np.subtract(v[:, 0], q_mean, out=ws.t_1)
    q = np.add(adv, t_1[:, None], out=ws.q)
    # target_trunk_z1[b,i] += next_obs[b,j]*target_trunk_W1[i,j]
    target_trunk_z1 = np.matmul(next_obs, target_trunk_W1.T, out=ws.target_trunk_z1)
    # target_trunk_z1[b,i] += target_trunk_c1[i] for b < B
    target_trunk_z1 += target_trunk_c1
    # target_trunk[b,i] = relu(target_trunk_z1[b,i])
    target_trunk = np.maximum(target_trunk_z1, 0.0, out=ws.target_trunk)
    # target_v_z1[b,i] += target_trunk[b,j]*target_v_W1[i,j]
    target_v_z1 = np.matmul(target_trunk, target_v_W1.T, out=ws.target_v_z1)
    # target_v_z1[b,i] += target_v_c1[i] for b < B
    target_v_z1 += target_v_c1
    # target_v_h1[b,i] = relu(target_v_z1[b,i])
    target_v_h1 = np.maximum(target_v_z1, 0.0, out=ws.target_v_h1)
    # target_v[b,i] += target_v_W2[i,j]*target_v_h1[b,j]
    target_v = np.matmul(target_v_h1, target_v_W2.T, out=ws.target_v)
    # target_v[b,i] += target_v_c2[i] for b < B
    target_v += target_v_c2
    # target_adv_z1[b,i] += target_adv_W1[i,j]*target_trunk[b,j]
    target_adv_z1 = np.matmul(target_trunk, target_adv_W1.T, out=ws.target_adv_z1)
    # target_adv_z1[b,i] += target_adv_c1[i] for b < B
    target_adv_z1 += target_adv_c1
    # target_adv_h1[b,i] = relu(target_adv_z1[b,i])
    target_adv_h1 = np.maximum(target_adv_z1, 0.0, out=ws.target_adv_h1)
    # target_adv[b,i] += target_adv_W2[i,j]*target_adv_h1[b,j]
    target_adv = np.matmul(target_adv_h1, target_adv_W2.T, out=ws.target_adv)
    # target_adv[b,i] += target_adv_c2[i] for b < B
    target_adv += target_adv_c2
    # q_t_mean[b] += 0.5*target_adv[b,u]
    q_t_mean = np.sum(target_adv, axis=1, out=ws.q_t_mean)
    q_t_mean /= 2.0
    # q_t[b,a] = target_adv[b,a] + target_v[b,0] - q_t_mean[b]
    np.subtract(target_v[:, 0], q_t_mean, out=t_1)
    q_t = np.add(target_adv, t_1[:, None], out=ws.q_t)
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # y_argmax[b] = argmax(a: q_t[b,a])
    y_argmax = np.argmax(q_t, axis=-1, out=ws.y_argmax)
    # y[b] = stop(discount_t[b]*q_t[b,y_argmax[b]] + reward[b])
    q_t_at = _pick(q_t, (ws.arange, y_argmax), out=ws.q_t_at, at=ws.at)
    y = np.multiply(discount_t, q_t_at, out=ws.y)
    y += reward
    # td[b] = q[b,action[b]] - y[b]
    q_at = _pick(q, (ws.arange, action), out=ws.q_at, at=ws.at_2)
    td = np.subtract(q_at, y, out=ws.td)
    # loss += td[b]**2*weight[b]/B
    t_2 = np.square(td, out=ws.t_2)
    loss = np.dot(weight, t_2) / B
    return loss, {"td": td}


def value_and_grad(
    params, *, obs, action, reward, next_obs, done, weight, gamma=0.99, workspace=None
):
    """The loss and its gradient by trunk, v, adv.

    obs: real[B, 4]
    action: int[B] < 2
    reward: real[B]
    next_obs: real[B, 4]
    done: bool[B]
    weight: real[B]
    gamma: real = 0.99

    Returns ((loss, aux), gradient); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    weight = _real("weight", weight, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    H1, H2 = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4))
    _shape("done", done, (B,))
    _shape("weight", weight, (B,))
    _below("action", action, 2)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, H1=H1, H2=H2)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    weight = _fit(ws, "weight", weight, dtype)
    grads = ws.grads
    trunk_W1, trunk_c1, v_W1, v_c1 = params.trunk.W1, params.trunk.c1, params.v.W1, params.v.c1
    v_W2, v_c2, adv_W1, adv_c1 = params.v.W2, params.v.c2, params.adv.W1, params.adv.c1
    adv_W2, adv_c2, target_trunk_W1 = params.adv.W2, params.adv.c2, params.target_trunk.W1
    target_trunk_c1, target_v_W1 = params.target_trunk.c1, params.target_v.W1
    target_v_c1, target_v_W2 = params.target_v.c1, params.target_v.W2
    target_v_c2, target_adv_W1 = params.target_v.c2, params.target_adv.W1
    target_adv_c1, target_adv_W2 = params.target_adv.c1, params.target_adv.W2
    target_adv_c2 = params.target_adv.c2
    # trunk_z1[b,i] += obs[b,j]*trunk_W1[i,j]
    trunk_z1 = np.matmul(obs, trunk_W1.T, out=ws.trunk_z1)
    # trunk_z1[b,i] += trunk_c1[i] for b < B
    trunk_z1 += trunk_c1
    # trunk[b,i] = relu(trunk_z1[b,i])
    trunk = np.maximum(trunk_z1, 0.0, out=ws.trunk)
    # v_z1[b,i] += trunk[b,j]*v_W1[i,j]
    v_z1 = np.matmul(trunk, v_W1.T, out=ws.v_z1)
    # v_z1[b,i] += v_c1[i] for b < B
    v_z1 += v_c1
    # v_h1[b,i] = relu(v_z1[b,i])
    v_h1 = np.maximum(v_z1, 0.0, out=ws.v_h1)
    # v[b,i] += v_W2[i,j]*v_h1[b,j]
    v = np.matmul(v_h1, v_W2.T, out=ws.v)
    # v[b,i] += v_c2[i] for b < B
    v += v_c2
    # adv_z1[b,i] += adv_W1[i,j]*trunk[b,j]
    adv_z1 = np.matmul(trunk, adv_W1.T, out=ws.adv_z1)
    # adv_z1[b,i] += adv_c1[i] for b < B
    adv_z1 += adv_c1
    # adv_h1[b,i] = relu(adv_z1[b,i])
    adv_h1 = np.maximum(adv_z1, 0.0, out=ws.adv_h1)
    # adv[b,i] += adv_W2[i,j]*adv_h1[b,j]
    adv = np.matmul(adv_h1, adv_W2.T, out=ws.adv)
    # adv[b,i] += adv_c2[i] for b < B
    adv += adv_c2
    # q_mean[b] += 0.5*adv[b,u]
    q_mean = np.sum(adv, axis=1, out=ws.q_mean)
    q_mean /= 2.0
    # q[b,a] = adv[b,a] + v[b,0] - q_mean[b]
    t_2 = np.subtract(v[:, 0], q_mean, out=ws.t_2)
    q = np.add(adv, t_2[:, None], out=ws.q)
    # target_trunk_z1[b,i] += next_obs[b,j]*target_trunk_W1[i,j]
    target_trunk_z1 = np.matmul(next_obs, target_trunk_W1.T, out=ws.target_trunk_z1)
    # target_trunk_z1[b,i] += target_trunk_c1[i] for b < B
    target_trunk_z1 += target_trunk_c1
    # target_trunk[b,i] = relu(target_trunk_z1[b,i])
    target_trunk = np.maximum(target_trunk_z1, 0.0, out=ws.target_trunk)
    # target_v_z1[b,i] += target_trunk[b,j]*target_v_W1[i,j]
    target_v_z1 = np.matmul(target_trunk, target_v_W1.T, out=ws.target_v_z1)
    # target_v_z1[b,i] += target_v_c1[i] for b < B
    target_v_z1 += target_v_c1
    # target_v_h1[b,i] = relu(target_v_z1[b,i])
    target_v_h1 = np.maximum(target_v_z1, 0.0, out=ws.target_v_h1)
    # target_v[b,i] += target_v_W2[i,j]*target_v_h1[b,j]
    target_v = np.matmul(target_v_h1, target_v_W2.T, out=ws.target_v)
    # target_v[b,i] += target_v_c2[i] for b < B
    target_v += target_v_c2
    # target_adv_z1[b,i] += target_adv_W1[i,j]*target_trunk[b,j]
    target_adv_z1 = np.matmul(target_trunk, target_adv_W1.T, out=ws.target_adv_z1)
    # target_adv_z1[b,i] += target_adv_c1[i] for b < B
    target_adv_z1 += target_adv_c1
    # target_adv_h1[b,i] = relu(target_adv_z1[b,i])
    target_adv_h1 = np.maximum(target_adv_z1, 0.0, out=ws.target_adv_h1)
    # target_adv[b,i] += target_adv_W2[i,j]*target_adv_h1[b,j]
    target_adv = np.matmul(target_adv_h1, target_adv_W2.T, out=ws.target_adv)
    # target_adv[b,i] += target_adv_c2[i] for b < B
    target_adv += target_adv_c2
    # q_t_mean[b] += 0.5*target_adv[b,u]
    q_t_mean = np.sum(target_adv, axis=1, out=ws.q_t_mean)
    q_t_mean /= 2.0
    # q_t[b,a] = target_adv[b,a] + target_v[b,0] - q_t_mean[b]
    np.subtract(target_v[:, 0], q_t_mean, out=t_2)
    q_t = np.add(target_adv, t_2[:, None], out=ws.q_t)
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # y_argmax[b] = argmax(a: q_t[b,a])
    y_argmax = np.argmax(q_t, axis=-1, out=ws.y_argmax)
    # y[b] = stop(discount_t[b]*q_t[b,y_argmax[b]] + reward[b])
    q_t_at = _pick(q_t, (ws.arange, y_argmax), out=ws.q_t_at, at=ws.at)
    y = np.multiply(discount_t, q_t_at, out=ws.y)
    y += reward
    # td[b] = q[b,action[b]] - y[b]
    q_at = _pick(q, (ws.arange, action), out=ws.q_at, at=ws.at_2)
    td = np.subtract(q_at, y, out=ws.td)
    # loss += td[b]**2*weight[b]/B
    t_1 = np.square(td, out=ws.t_1)
    loss = np.dot(weight, t_1) / B
    # dtd[b] = 2*td[b]*weight[b]/B
    dtd = np.multiply(td, weight, out=ws.dtd)
    dtd *= 2.0 / B
    dq = ws.dq
    dq.fill(0.0)
    # dq[b,action[b]] += dtd[b]
    _add_at(dq, (ws.arange, action), dtd, at=ws.at_2, scratch=ws.t_3)
    # dq_mean[b] += -dq[b,a]
    np.sum(dq, axis=1, out=t_1)
    dq_mean = np.negative(t_1, out=ws.dq_mean)
    # dv[b,0] += dq[b,a]
    dv = ws.dv
    np.copyto(dv[:, 0], t_1)
    # dadv[b,u] += 0.5*dq_mean[b] for u < 2
    np.multiply(dq_mean, 0.5, out=t_1)
    dadv = ws.dadv
    np.copyto(dadv, t_1[:, None])
    # dadv[b,a] += dq[b,a]
    dadv += dq
    # dadv_c2[i] += dadv[b,i]
    np.sum(dadv, axis=0, out=grads.adv.c2)
    # dadv_W2[i,j] += dadv[b,i]*adv_h1[b,j]
    np.matmul(dadv.T, adv_h1, out=grads.adv.W2)
    # dadv_h1[b,j] += dadv[b,i]*adv_W2[i,j]
    dadv_h1 = np.matmul(dadv, adv_W2, out=ws.dadv_h1)
    # dadv_z1[b,i] = where(0 < adv_z1[b,i], dadv_h1[b,i], 0)
    t_4 = np.greater(adv_z1, 0.0, out=ws.t_4)
    dadv_z1 = ws.dadv_z1
    dadv_z1.fill(0.0)
    np.copyto(dadv_z1, dadv_h1, where=t_4)
    # dadv_c1[i] += dadv_z1[b,i]
    np.sum(dadv_z1, axis=0, out=grads.adv.c1)
    # dadv_W1[i,j] += dadv_z1[b,i]*trunk[b,j]
    np.matmul(dadv_z1.T, trunk, out=grads.adv.W1)
    # dtrunk[b,j] += dadv_z1[b,i]*adv_W1[i,j]
    dtrunk = np.matmul(dadv_z1, adv_W1, out=ws.dtrunk)
    # dv_c2[i] += dv[b,i]
    np.sum(dv, axis=0, out=grads.v.c2)
    # dv_W2[i,j] += dv[b,i]*v_h1[b,j]
    np.matmul(dv.T, v_h1, out=grads.v.W2)
    # dv_h1[b,j] += dv[b,i]*v_W2[i,j]
    dv_h1 = np.matmul(dv, v_W2, out=ws.dv_h1)
    # dv_z1[b,i] = where(0 < v_z1[b,i], dv_h1[b,i], 0)
    np.greater(v_z1, 0.0, out=t_4)
    dv_z1 = ws.dv_z1
    dv_z1.fill(0.0)
    np.copyto(dv_z1, dv_h1, where=t_4)
    # dv_c1[i] += dv_z1[b,i]
    np.sum(dv_z1, axis=0, out=grads.v.c1)
    # dtrunk[b,j] += dv_z1[b,i]*v_W1[i,j]
    t_5 = np.matmul(dv_z1, v_W1, out=ws.t_5)
    dtrunk += t_5
    # dv_W1[i,j] += dv_z1[b,i]*trunk[b,j]
    np.matmul(dv_z1.T, trunk, out=grads.v.W1)
    # dtrunk_z1[b,i] = where(0 < trunk_z1[b,i], dtrunk[b,i], 0)
    t_6 = np.greater(trunk_z1, 0.0, out=ws.t_6)
    dtrunk_z1 = ws.dtrunk_z1
    dtrunk_z1.fill(0.0)
    np.copyto(dtrunk_z1, dtrunk, where=t_6)
    # dtrunk_c1[i] += dtrunk_z1[b,i]
    np.sum(dtrunk_z1, axis=0, out=grads.trunk.c1)
    # dtrunk_W1[i,j] += dtrunk_z1[b,i]*obs[b,j]
    np.matmul(dtrunk_z1.T, obs, out=grads.trunk.W1)
    return (loss, {"td": td}), grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.trunk_z1 = self.trunk = np.empty((B, H1), dtype)
        self.v_z1 = self.v_h1 = self.adv_z1 = self.adv_h1 = np.empty((B, H2), dtype)
        self.v = np.empty((B, 1), dtype)
        self.adv = self.q = np.empty((B, 2), dtype)
        self.q_mean = self.t_1 = np.empty((B,), dtype)


class _TrunkForwardMemory:
    """The buffers of trunk_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.trunk_z1 = self.trunk = np.empty((B, H1), dtype)


class _VForwardMemory:
    """The buffers of v_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.trunk_z1 = self.trunk = np.empty((B, H1), dtype)
        self.v_z1 = self.v_h1 = np.empty((B, H2), dtype)
        self.v = np.empty((B, 1), dtype)


class _AdvForwardMemory:
    """The buffers of adv_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.trunk_z1 = self.trunk = np.empty((B, H1), dtype)
        self.adv_z1 = self.adv_h1 = np.empty((B, H2), dtype)
        self.adv = np.empty((B, 2), dtype)


class _TargetTrunkForwardMemory:
    """The buffers of target_trunk_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.target_trunk_z1 = self.target_trunk = np.empty((B, H1), dtype)


class _TargetVForwardMemory:
    """The buffers of target_v_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.target_trunk_z1 = self.target_trunk = np.empty((B, H1), dtype)
        self.target_v_z1 = self.target_v_h1 = np.empty((B, H2), dtype)
        self.target_v = np.empty((B, 1), dtype)


class _TargetAdvForwardMemory:
    """The buffers of target_adv_forward."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.target_trunk_z1 = self.target_trunk = np.empty((B, H1), dtype)
        self.target_adv_z1 = self.target_adv_h1 = np.empty((B, H2), dtype)
        self.target_adv = np.empty((B, 2), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.trunk_z1 = self.trunk = self.target_trunk_z1 = np.empty((B, H1), dtype)
        self.target_trunk = self.trunk_z1
        self.v_z1 = self.v_h1 = self.adv_z1 = self.adv_h1 = np.empty((B, H2), dtype)
        self.target_v_z1 = self.target_v_h1 = self.target_adv_z1 = self.target_adv_h1 = self.v_z1
        self.v = self.target_v = np.empty((B, 1), dtype)
        self.adv = self.q = np.empty((B, 2), dtype)
        self.q_mean = self.t_1 = self.q_t_mean = self.done_real = np.empty((B,), dtype)
        self.discount_t = self.y = self.td = self.q_mean
        self.target_adv = self.q_t = np.empty((B, 2), dtype)
        self.y_argmax = self.at_2 = np.empty((B,), np.intp)
        self.arange = np.arange(B, dtype=np.intp)
        self.q_t_at = self.q_at = self.t_2 = np.empty((B,), dtype)
        self.at = np.empty((B,), np.intp)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, H1, H2):
        self._copies = {}
        self.trunk_z1 = self.dtrunk_z1 = np.empty((B, H1), dtype)
        self.trunk = np.empty((B, H1), dtype)
        self.v_z1 = self.dv_z1 = np.empty((B, H2), dtype)
        self.v_h1 = self.dv_h1 = np.empty((B, H2), dtype)
        self.v = self.target_v = self.dv = np.empty((B, 1), dtype)
        self.adv_z1 = self.dadv_z1 = np.empty((B, H2), dtype)
        self.adv_h1 = self.dadv_h1 = np.empty((B, H2), dtype)
        self.adv = self.q = self.dq = np.empty((B, 2), dtype)
        self.q_mean = self.t_2 = self.q_t_mean = self.done_real = np.empty((B,), dtype)
        self.discount_t = self.y = self.td = self.q_mean
        self.target_trunk_z1 = self.target_trunk = self.dtrunk = np.empty((B, H1), dtype)
        self.target_v_z1 = self.target_v_h1 = self.target_adv_z1 = np.empty((B, H2), dtype)
        self.target_adv_h1 = self.target_v_z1
        self.target_adv = self.q_t = self.dadv = np.empty((B, 2), dtype)
        self.y_argmax = self.at_2 = np.empty((B,), np.intp)
        self.arange = np.arange(B, dtype=np.intp)
        self.q_t_at = self.q_at = self.t_1 = self.dtd = np.empty((B,), dtype)
        self.at = np.empty((B,), np.intp)
        self.t_3 = self.dq_mean = np.empty((B,), dtype)
        self.t_4 = np.empty((B, H2), np.bool_)
        self.t_5 = np.empty((B, H1), dtype)
        self.t_6 = np.empty((B, H1), np.bool_)
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
