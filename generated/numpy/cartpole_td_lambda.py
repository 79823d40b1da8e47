"""cartpole_td_lambda: TD(lambda) for the values of a policy for CartPole: the lambda returns are
data, computed by symgrad.returns.

Forward
    z1[b,i] += W1[i,j]*obs[b,j]
    z1[b,i] += c1[i] for b < B
    h1[b,i] = tanh(z1[b,i])
    z2[b,i] += W2[i,j]*h1[b,j]
    z2[b,i] += c2[i] for b < B
    h2[b,i] = tanh(z2[b,i])
    v[b,i] += W3[i,j]*h2[b,j]
    v[b,i] += c3[i] for b < B

Loss td
    v_tm1[b] = v[b,0]
    y[b] = stop(ret[b])
    td[b] = v_tm1[b] - y[b]
    loss += 0.5*td[b]**2*weight[b]/B

Gradient (value_and_grad); dX stands for dL/dX.
    dtd[b] = td[b]*weight[b]/B
    dv[b,0] += dtd[b]
    dc3[i] += dv[b,i]
    dW3[i,j] += dv[b,i]*h2[b,j]
    dh2[b,j] += dv[b,i]*W3[i,j]
    dz2[b,i] = dh2[b,i]*(1 - h2[b,i]**2)
    dc2[i] += dz2[b,i]
    dW2[i,j] += dz2[b,i]*h1[b,j]
    dh1[b,j] += dz2[b,i]*W2[i,j]
    dz1[b,i] = dh1[b,i]*(1 - h1[b,i]**2)
    dc1[i] += dz1[b,i]
    dW1[i,j] += dz1[b,i]*obs[b,j]

Shapes
    W1: real[H, 4]
    c1: real[H]
    W2: real[H, H]
    c2: real[H]
    W3: real[1, H]
    c3: real[1]
    obs: real[B, 4]
    ret: real[B]
    weight: real[B]
    B: steps in the batch

At kinks: there are none.
Held constant: what wrt does not name, and what stop() holds in
    y[b] = stop(ret[b])
Reduction: loss is summed over b and divided by 2*B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "H": 64}
PARAMETERS = {
    "W1": {"axes": ("H", "4"), "offset": 0, "shape": (64, 4), "strides": (4, 1)},
    "c1": {"axes": ("H",), "offset": 256, "shape": (64,), "strides": (1,)},
    "W2": {"axes": ("H", "H"), "offset": 320, "shape": (64, 64), "strides": (64, 1)},
    "c2": {"axes": ("H",), "offset": 4416, "shape": (64,), "strides": (1,)},
    "W3": {"axes": ("1", "H"), "offset": 4480, "shape": (1, 64), "strides": (64, 1)},
    "c3": {"axes": ("1",), "offset": 4544, "shape": (1,), "strides": (1,)},
}
LAYERS = {
    "v": (
        {"weight": "W1", "bias": "c1"},
        {"weight": "W2", "bias": "c2"},
        {"weight": "W3", "bias": "c3"},
    ),
}
INPUTS = {
    "obs": "real[B, 4]",
    "ret": "real[B]",
    "weight": "real[B]",
}
OUTPUTS = {
    "forward": ("v",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "B * H * H + 9 * B * H + B",
    "value": "B * H * H + 9 * B * H + 4 * B",
    "value_and_grad": "3 * B * H * H + 23 * B * H + 7 * B",
}
SPEC_HASH = "9a83f1bcc0106a9b9991778ec089dd75022f0e84edaa667ebb89ede63b4d4e31"
SPEC = r'''description = "TD(lambda) for the values of a policy for CartPole: the lambda returns are data, computed by symgrad.returns."
outputs = ["v"]
equations = """
z1[b,i] += W1[i,j]*obs[b,j]
z1[b,i] += c1[i] for b < B
h1[b,i] = tanh(z1[b,i])
z2[b,i] += W2[i,j]*h1[b,j]
z2[b,i] += c2[i] for b < B
h2[b,i] = tanh(z2[b,i])
v[b,i] += W3[i,j]*h2[b,j]
v[b,i] += c3[i] for b < B
"""

[sizes]
B = "steps in the batch"
H = 64

[params]
W1 = "real[H, 4] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[1, H] init=uniform_fan_in"
c3 = "real[1] init=zeros"

[data]
obs = "real[B, 4]"
ret = "real[B]"
weight = "real[B]"

[losses.td]
wrt = ["W1", "c1", "W2", "c2", "W3", "c3"]
aux = ["td"]
equations = """
v_tm1[b] = v[b,0]
y[b] = stop(ret[b])
td[b] = v_tm1[b] - y[b]
loss += 0.5*td[b]**2*weight[b]/B
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
    """Views on one vector `flat`: W1 (H, 4), c1 (H,), W2 (H, H), c2 (H,), W3 (1, H), c3 (1,)."""

    def __init__(self, flat, *, H=64):
        self._sizes = _sizes(H=H)
        self.flat = _vector(flat, H * H + 7 * H + 1)
        _part = _parts(self.flat)
        self.W1 = _part(H, 4)
        self.c1 = _part(H)
        self.W2 = _part(H, H)
        self.c2 = _part(H)
        self.W3 = _part(1, H)
        self.c3 = _part(1)
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
    params.W1[...] = _uniform_fan_in(rng, (H, 4))
    params.c1[...] = 0.0
    params.W2[...] = _uniform_fan_in(rng, (H, H))
    params.c2[...] = 0.0
    params.W3[...] = _uniform_fan_in(rng, (1, H))
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
        np.result_type(*(arrays[name] for name in PARAMETERS)), H=_extent(arrays["W1"], 0)
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
    """The output v.

    obs: real[B, 4]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    W1, c1, W2, c2, W3, c3 = params.W1, params.c1, params.W2, params.c2, params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = tanh(z1[b,i])
    h1 = np.tanh(z1, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = tanh(z2[b,i])
    h2 = np.tanh(z2, out=ws.h2)
    # v[b,i] += W3[i,j]*h2[b,j]
    v = np.matmul(h2, W3.T, out=ws.v)
    # v[b,i] += c3[i] for b < B
    v += c3
    return v


def value(params, *, obs, ret, weight, workspace=None):
    """The loss.

    obs: real[B, 4]
    ret: real[B]
    weight: real[B]

    Returns (loss, aux); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    ret = _real("ret", ret, 1)
    weight = _real("weight", weight, 1)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("ret", ret, (B,))
    _shape("weight", weight, (B,))
    ws = _memory(workspace, _ValueMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    weight = _fit(ws, "weight", weight, dtype)
    W1, c1, W2, c2, W3, c3 = params.W1, params.c1, params.W2, params.c2, params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = tanh(z1[b,i])
    h1 = np.tanh(z1, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = tanh(z2[b,i])
    h2 = np.tanh(z2, out=ws.h2)
    # v[b,i] += W3[i,j]*h2[b,j]
    v = np.matmul(h2, W3.T, out=ws.v)
    # v[b,i] += c3[i] for b < B
    v += c3
    # v_tm1[b] = v[b,0]
    v_tm1 = ws.v_tm1
    np.copyto(v_tm1, v[:, 0])
    # y[b] = stop(ret[b])
    y = ws.y
    np.copyto(y, ret)
    # td[b] = v_tm1[b] - y[b]
    td = np.subtract(v_tm1, y, out=ws.td)
    # loss += 0.5*td[b]**2*weight[b]/B
    t_1 = np.square(td, out=ws.t_1)
    loss = np.dot(weight, t_1) / (2.0 * B)
    return loss, {"td": td}


def value_and_grad(params, *, obs, ret, weight, workspace=None):
    """The loss and its gradient by W1, c1, W2, c2, W3, c3.

    obs: real[B, 4]
    ret: real[B]
    weight: real[B]

    Returns ((loss, aux), gradient); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    ret = _real("ret", ret, 1)
    weight = _real("weight", weight, 1)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4))
    _shape("ret", ret, (B,))
    _shape("weight", weight, (B,))
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    weight = _fit(ws, "weight", weight, dtype)
    grads = ws.grads
    W1, c1, W2, c2, W3, c3 = params.W1, params.c1, params.W2, params.c2, params.W3, params.c3
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = tanh(z1[b,i])
    h1 = np.tanh(z1, out=ws.h1)
    # z2[b,i] += W2[i,j]*h1[b,j]
    z2 = np.matmul(h1, W2.T, out=ws.z2)
    # z2[b,i] += c2[i] for b < B
    z2 += c2
    # h2[b,i] = tanh(z2[b,i])
    h2 = np.tanh(z2, out=ws.h2)
    # v[b,i] += W3[i,j]*h2[b,j]
    v = np.matmul(h2, W3.T, out=ws.v)
    # v[b,i] += c3[i] for b < B
    v += c3
    # v_tm1[b] = v[b,0]
    v_tm1 = ws.v_tm1
    np.copyto(v_tm1, v[:, 0])
    # y[b] = stop(ret[b])
    y = ws.y
    np.copyto(y, ret)
    # td[b] = v_tm1[b] - y[b]
    td = np.subtract(v_tm1, y, out=ws.td)
    # loss += 0.5*td[b]**2*weight[b]/B
    t_1 = np.square(td, out=ws.t_1)
    loss = np.dot(weight, t_1) / (2.0 * B)
    # dtd[b] = td[b]*weight[b]/B
    dtd = np.multiply(td, weight, out=ws.dtd)
    dtd /= B
    # dv[b,0] += dtd[b]
    dv = ws.dv
    np.copyto(dv[:, 0], dtd)
    # dc3[i] += dv[b,i]
    np.sum(dv, axis=0, out=grads.c3)
    # dW3[i,j] += dv[b,i]*h2[b,j]
    np.matmul(dv.T, h2, out=grads.W3)
    # dh2[b,j] += dv[b,i]*W3[i,j]
    dh2 = np.matmul(dv, W3, out=ws.dh2)
    # dz2[b,i] = dh2[b,i]*(1 - h2[b,i]**2)
    dz2 = np.square(h2, out=ws.dz2)
    np.subtract(1.0, dz2, out=dz2)
    dz2 *= dh2
    # dc2[i] += dz2[b,i]
    np.sum(dz2, axis=0, out=grads.c2)
    # dW2[i,j] += dz2[b,i]*h1[b,j]
    np.matmul(dz2.T, h1, out=grads.W2)
    # dh1[b,j] += dz2[b,i]*W2[i,j]
    dh1 = np.matmul(dz2, W2, out=ws.dh1)
    # dz1[b,i] = dh1[b,i]*(1 - h1[b,i]**2)
    dz1 = np.square(h1, out=ws.dz1)
    np.subtract(1.0, dz1, out=dz1)
    dz1 *= dh1
    # dc1[i] += dz1[b,i]
    np.sum(dz1, axis=0, out=grads.c1)
    # dW1[i,j] += dz1[b,i]*obs[b,j]
    np.matmul(dz1.T, obs, out=grads.W1)
    return (loss, {"td": td}), grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.z1 = self.h1 = self.h2 = np.empty((B, H), dtype)
        self.z2 = np.empty((B, H), dtype)
        self.v = np.empty((B, 1), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.z1 = self.h1 = self.h2 = np.empty((B, H), dtype)
        self.z2 = np.empty((B, H), dtype)
        self.v = np.empty((B, 1), dtype)
        self.v_tm1 = self.td = np.empty((B,), dtype)
        self.y = self.t_1 = np.empty((B,), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, H):
        self._copies = {}
        self.z1 = self.h1 = self.dz1 = np.empty((B, H), dtype)
        self.z2 = self.h2 = self.dz2 = np.empty((B, H), dtype)
        self.v = self.dv = np.empty((B, 1), dtype)
        self.v_tm1 = self.td = np.empty((B,), dtype)
        self.y = self.t_1 = self.dtd = np.empty((B,), dtype)
        self.dh2 = self.dh1 = np.empty((B, H), dtype)
        self.grads = Params(dtype, H=H)


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
