"""lecture_q: Q-learning with a neural network, from a university lecture: the target is held
constant, which gives the semi-gradient.

Forward
    x1[m,i] += s[m,j]*w1[i,j]
    x1[m,i] += b1[i] for m < M
    y1[m,i] = relu(x1[m,i])
    Q[m,v] += w2[v,i]*y1[m,i]
    Q[m,v] += b2[v] for m < M

Loss G
    x1_next[m,i] += s_next[m,j]*w1[i,j]
    x1_next[m,i] += b1[i] for m < M
    y1_next[m,i] = relu(x1_next[m,i])
    Q_next[m,v] += w2[v,i]*y1_next[m,i]
    Q_next[m,v] += b2[v] for m < M
    target_argmax[m] = argmax(v: Q_next[m,v])
    target[m] = Q_next[m,target_argmax[m]]*alpha + r[m]
    e[m] = Q[m,u[m]] - stop(target[m])
    loss += 0.5*e[m]**2

Gradient (value_and_grad); dX stands for dL/dX.
    dQ[m,u[m]] += e[m]
    db2[v] += dQ[m,v]
    dw2[v,i] += dQ[m,v]*y1[m,i]
    dy1[m,i] += dQ[m,v]*w2[v,i]
    dx1[m,i] = where(0 < x1[m,i], dy1[m,i], 0)
    db1[i] += dx1[m,i]
    dw1[i,j] += dx1[m,i]*s[m,j]

Shapes
    w1: real[H, D]
    b1: real[H]
    w2: real[A, H]
    b2: real[A]
    s: real[M, D]
    u: int[M] < A
    r: real[M]
    s_next: real[M, D]
    alpha: real = 0.9
    M: minibatch

At kinks: relu'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    e[m] = Q[m,u[m]] - stop(target[m])
Reduction: sums stand as the equations write them, undivided.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"M": None, "D": 4, "H": 16, "A": 3}
PARAMETERS = {
    "w1": {"axes": ("H", "D"), "offset": 0, "shape": (16, 4), "strides": (4, 1)},
    "b1": {"axes": ("H",), "offset": 64, "shape": (16,), "strides": (1,)},
    "w2": {"axes": ("A", "H"), "offset": 80, "shape": (3, 16), "strides": (16, 1)},
    "b2": {"axes": ("A",), "offset": 128, "shape": (3,), "strides": (1,)},
}
INPUTS = {
    "s": "real[M, D]",
    "u": "int[M] < A",
    "r": "real[M]",
    "s_next": "real[M, D]",
    "alpha": "real = 0.9",
}
OUTPUTS = {
    "forward": ("Q",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "A * H * M + D * H * M + A * M + 2 * H * M",
    "value": "2 * A * H * M + 2 * D * H * M + 2 * A * M + 4 * H * M + 5 * M",
    "value_and_grad": "4 * A * H * M + 3 * D * H * M + 3 * A * M + 6 * H * M + 5 * M",
}
SPEC_HASH = "d0c199cda05cac5b795026c1fa491aa2d706b50a54323c425d64ced791df4d50"
SPEC = r'''description = "Q-learning with a neural network, from a university lecture: the target is held constant, which gives the semi-gradient."
outputs = ["Q"]
equations = """
x1[m,i] += s[m,j]*w1[i,j]
x1[m,i] += b1[i] for m < M
y1[m,i] = relu(x1[m,i])
Q[m,v] += w2[v,i]*y1[m,i]
Q[m,v] += b2[v] for m < M
"""

[sizes]
M = "minibatch"
D = 4
H = 16
A = 3

[params]
w1 = "real[H, D]"
b1 = "real[H]"
w2 = "real[A, H]"
b2 = "real[A]"

[data]
s = "real[M, D]"
u = "int[M] < A"
r = "real[M]"
s_next = "real[M, D]"
alpha = "real = 0.9"

[losses.G]
wrt = ["w1", "b1", "w2", "b2"]
aux = ["e"]
equations = """
x1_next[m,i] += s_next[m,j]*w1[i,j]
x1_next[m,i] += b1[i] for m < M
y1_next[m,i] = relu(x1_next[m,i])
Q_next[m,v] += w2[v,i]*y1_next[m,i]
Q_next[m,v] += b2[v] for m < M
target_argmax[m] = argmax(v: Q_next[m,v])
target[m] = Q_next[m,target_argmax[m]]*alpha + r[m]
e[m] = Q[m,u[m]] - stop(target[m])
loss += 0.5*e[m]**2
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
    """Views on one vector `flat`: w1 (H, D), b1 (H,), w2 (A, H), b2 (A,)."""

    def __init__(self, flat, *, D=4, H=16, A=3):
        self._sizes = _sizes(D=D, H=H, A=A)
        self.flat = _vector(flat, A * H + D * H + A + H)
        _part = _parts(self.flat)
        self.w1 = _part(H, D)
        self.b1 = _part(H)
        self.w2 = _part(A, H)
        self.b2 = _part(A)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, M, D=4, H=16, A=3):
        self.sizes = _sizes(M=M, D=D, H=H, A=A)
        self._memory = {}


def init(rng, *, D=4, H=16, A=3, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), D=D, H=H, A=A)
    params.w1[...] = _uniform_fan_in(rng, (H, D))
    params.b1[...] = 0.0
    params.w2[...] = _uniform_fan_in(rng, (A, H))
    params.b2[...] = 0.0
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
        D=_extent(arrays["w1"], 1),
        H=_extent(arrays["w1"], 0),
        A=_extent(arrays["w2"], 0),
    )
    for name in PARAMETERS:
        setattr(params, name, arrays[name])
    return params


def forward(params, s, *, workspace=None):
    """The output Q.

    s: real[M, D]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    s = _real("s", s, 2)
    D, H, A = params._sizes.values()
    M = _length("M", "s", s, 0)
    _shape("s", s, (M, D))
    ws = _memory(workspace, _ForwardMemory, dtype, M=M, D=D, H=H, A=A)
    s = _fit(ws, "s", s, dtype)
    w1, b1, w2, b2 = params.w1, params.b1, params.w2, params.b2
    # x1[m,i] += s[m,j]*w1[i,j]
    x1 = np.matmul(s, w1.T, out=ws.x1)
    # x1[m,i] += b1[i] for m < M
    x1 += b1
    # y1[m,i] = relu(x1[m,i])
    y1 = np.maximum(x1, 0.0, out=ws.y1)
    # Q[m,v] += w2[v,i]*y1[m,i]
    Q = np.matmul(y1, w2.T, out=ws.Q)
    # Q[m,v] += b2[v] for m < M
    Q += b2
    return Q


def value(params, *, s, u, r, s_next, alpha=0.9, workspace=None):
    """The loss.

    s: real[M, D]
    u: int[M] < A
    r: real[M]
    s_next: real[M, D]
    alpha: real = 0.9

    Returns (loss, aux); aux is a dict of e.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    s = _real("s", s, 2)
    u = _integer("u", u, 1)
    r = _real("r", r, 1)
    s_next = _real("s_next", s_next, 2)
    alpha = dtype.type(_real("alpha", alpha, 0))
    D, H, A = params._sizes.values()
    M = _length("M", "s", s, 0)
    _shape("s", s, (M, D))
    _shape("u", u, (M,))
    _shape("r", r, (M,))
    _shape("s_next", s_next, (M, D))
    _below("u", u, A)
    ws = _memory(workspace, _ValueMemory, dtype, M=M, D=D, H=H, A=A)
    s = _fit(ws, "s", s, dtype)
    u = _fit(ws, "u", u, np.intp)
    r = _fit(ws, "r", r, dtype)
    s_next = _fit(ws, "s_next", s_next, dtype)
    w1, b1, w2, b2 = params.w1, params.b1, params.w2, params.b2
    # x1[m,i] += s[m,j]*w1[i,j]
    x1 = np.matmul(s, w1.T, out=ws.x1)
    # x1[m,i] += b1[i] for m < M
    x1 += b1
    # y1[m,i] = relu(x1[m,i])
    y1 = np.maximum(x1, 0.0, out=ws.y1)
    # Q[m,v] += w2[v,i]*y1[m,i]
    Q = np.matmul(y1, w2.T, out=ws.Q)
    # Q[m,v] += b2[v] for m < M
    Q += b2
    # x1_next[m,i] += s_next[m,j]*w1[i,j]
    x1_next = np.matmul(s_next, w1.T, out=ws.x1_next)
    # x1_next[m,i] += b1[i] for m < M
    x1_next += b1
    # y1_next[m,i] = relu(x1_next[m,i])
    y1_next = np.maximum(x1_next, 0.0, out=ws.y1_next)
    # Q_next[m,v] += w2[v,i]*y1_next[m,i]
    Q_next = np.matmul(y1_next, w2.T, out=ws.Q_next)
    # Q_next[m,v] += b2[v] for m < M
    Q_next += b2
    # target_argmax[m] = argmax(v: Q_next[m,v])
    target_argmax = np.argmax(Q_next, axis=-1, out=ws.target_argmax)
    # target[m] = Q_next[m,target_argmax[m]]*alpha + r[m]
    Q_next_at = _pick(Q_next, (ws.arange, target_argmax), out=ws.Q_next_at, at=ws.at)
    target = np.multiply(Q_next_at, alpha, out=ws.target)
    target += r
    # e[m] = Q[m,u[m]] - stop(target[m])
    Q_at = _pick(Q, (ws.arange, u), out=ws.Q_at, at=ws.at_2)
    e = np.subtract(Q_at, target, out=ws.e)
    # loss += 0.5*e[m]**2
    t_1 = np.square(e, out=ws.t_1)
    loss = np.sum(t_1) / 2.0
    return loss, {"e": e}


def value_and_grad(params, *, s, u, r, s_next, alpha=0.9, workspace=None):
    """The loss and its gradient by w1, b1, w2, b2.

    s: real[M, D]
    u: int[M] < A
    r: real[M]
    s_next: real[M, D]
    alpha: real = 0.9

    Returns ((loss, aux), gradient); aux is a dict of e.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    s = _real("s", s, 2)
    u = _integer("u", u, 1)
    r = _real("r", r, 1)
    s_next = _real("s_next", s_next, 2)
    alpha = dtype.type(_real("alpha", alpha, 0))
    D, H, A = params._sizes.values()
    M = _length("M", "s", s, 0)
    _shape("s", s, (M, D))
    _shape("u", u, (M,))
    _shape("r", r, (M,))
    _shape("s_next", s_next, (M, D))
    _below("u", u, A)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, M=M, D=D, H=H, A=A)
    s = _fit(ws, "s", s, dtype)
    u = _fit(ws, "u", u, np.intp)
    r = _fit(ws, "r", r, dtype)
    s_next = _fit(ws, "s_next", s_next, dtype)
    grads = ws.grads
    w1, b1, w2, b2 = params.w1, params.b1, params.w2, params.b2
    # x1[m,i] += s[m,j]*w1[i,j]
    x1 = np.matmul(s, w1.T, out=ws.x1)
    # x1[m,i] += b1[i] for m < M
    x1 += b1
    # y1[m,i] = relu(x1[m,i])
    y1 = np.maximum(x1, 0.0, out=ws.y1)
    # Q[m,v] += w2[v,i]*y1[m,i]
    Q = np.matmul(y1, w2.T, out=ws.Q)
    # Q[m,v] += b2[v] for m < M
    Q += b2
    # x1_next[m,i] += s_next[m,j]*w1[i,j]
    x1_next = np.matmul(s_next, w1.T, out=ws.x1_next)
    # x1_next[m,i] += b1[i] for m < M
    x1_next += b1
    # y1_next[m,i] = relu(x1_next[m,i])
    y1_next = np.maximum(x1_next, 0.0, out=ws.y1_next)
    # Q_next[m,v] += w2[v,i]*y1_next[m,i]
    Q_next = np.matmul(y1_next, w2.T, out=ws.Q_next)
    # Q_next[m,v] += b2[v] for m < M
    Q_next += b2
    # target_argmax[m] = argmax(v: Q_next[m,v])
    target_argmax = np.argmax(Q_next, axis=-1, out=ws.target_argmax)
    # target[m] = Q_next[m,target_argmax[m]]*alpha + r[m]
    Q_next_at = _pick(Q_next, (ws.arange, target_argmax), out=ws.Q_next_at, at=ws.at)
    target = np.multiply(Q_next_at, alpha, out=ws.target)
    target += r
    # e[m] = Q[m,u[m]] - stop(target[m])
    Q_at = _pick(Q, (ws.arange, u), out=ws.Q_at, at=ws.at_2)
    e = np.subtract(Q_at, target, out=ws.e)
    # loss += 0.5*e[m]**2
    t_1 = np.square(e, out=ws.t_1)
    loss = np.sum(t_1) / 2.0
    dQ = ws.dQ
    dQ.fill(0.0)
    # dQ[m,u[m]] += e[m]
    _add_at(dQ, (ws.arange, u), e, at=ws.at_2, scratch=ws.t_1)
    # db2[v] += dQ[m,v]
    np.sum(dQ, axis=0, out=grads.b2)
    # dw2[v,i] += dQ[m,v]*y1[m,i]
    np.matmul(dQ.T, y1, out=grads.w2)
    # dy1[m,i] += dQ[m,v]*w2[v,i]
    dy1 = np.matmul(dQ, w2, out=ws.dy1)
    # dx1[m,i] = where(0 < x1[m,i], dy1[m,i], 0)
    t_2 = np.greater(x1, 0.0, out=ws.t_2)
    dx1 = ws.dx1
    dx1.fill(0.0)
    np.copyto(dx1, dy1, where=t_2)
    # db1[i] += dx1[m,i]
    np.sum(dx1, axis=0, out=grads.b1)
    # dw1[i,j] += dx1[m,i]*s[m,j]
    np.matmul(dx1.T, s, out=grads.w1)
    return (loss, {"e": e}), grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, M, D, H, A):
        self._copies = {}
        self.x1 = self.y1 = np.empty((M, H), dtype)
        self.Q = np.empty((M, A), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, M, D, H, A):
        self._copies = {}
        self.x1 = self.y1 = self.x1_next = self.y1_next = np.empty((M, H), dtype)
        self.Q = np.empty((M, A), dtype)
        self.Q_next = np.empty((M, A), dtype)
        self.target_argmax = self.at_2 = np.empty((M,), np.intp)
        self.arange = np.arange(M, dtype=np.intp)
        self.Q_next_at = self.target = self.e = np.empty((M,), dtype)
        self.at = np.empty((M,), np.intp)
        self.Q_at = self.t_1 = np.empty((M,), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, M, D, H, A):
        self._copies = {}
        self.x1 = self.dx1 = np.empty((M, H), dtype)
        self.y1 = self.dy1 = np.empty((M, H), dtype)
        self.Q = self.dQ = np.empty((M, A), dtype)
        self.x1_next = self.y1_next = np.empty((M, H), dtype)
        self.Q_next = np.empty((M, A), dtype)
        self.target_argmax = self.at_2 = np.empty((M,), np.intp)
        self.arange = np.arange(M, dtype=np.intp)
        self.Q_next_at = self.target = self.e = np.empty((M,), dtype)
        self.at = np.empty((M,), np.intp)
        self.Q_at = self.t_1 = np.empty((M,), dtype)
        self.t_2 = np.empty((M, H), np.bool_)
        self.grads = Params(dtype, D=D, H=H, A=A)


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
