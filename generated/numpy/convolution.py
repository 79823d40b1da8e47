# ruff: noqa: E741, RUF100
"""convolution: A convolution over time, strided, padded and dilated, then relu, a linear read-out
and a squared error.

Forward
    z[b,o,l] += W[o,c,k]*pad(x[b,c,3*k+2*l-2]) for l < (L+6-3*K)//2+1
    z[b,o,l] += w0[o] for b < B, l < (L+6-3*K)//2+1
    h[b,o,l] = relu(z[b,o,l])
    y[b,m] += V[m,o,l]*h[b,o,l]
    y[b,m] += v0[m] for b < B
    loss += (y[b,m] - target[b,m])**2/B

Gradient (value_and_grad); dX stands for dL/dX.
    dy[b,m] = 2*(y[b,m] - target[b,m])/B
    dv0[m] += dy[b,m]
    dV[m,o,l] += dy[b,m]*h[b,o,l]
    dh[b,o,l] += dy[b,m]*V[m,o,l]
    dz[b,o,l] = where(0 < z[b,o,l], dh[b,o,l], 0)
    dw0[o] += dz[b,o,l]
    dW[o,c,k] += dz[b,o,l]*pad(x[b,c,3*k+2*l-2]) for k < K

Shapes
    W: real[O, C, K]
    w0: real[O]
    V: real[M, O, (L+6-3*K)//2+1]
    v0: real[M]
    x: real[B, C, L]
    target: real[B, M]
    B: batch
    U = (L + 6 - 3 * K) // 2 + 1

At kinks: relu'(0) = 0.
Held constant: what wrt does not name.
Reduction: loss is summed over b, m and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "L": 20, "C": 3, "O": 4, "K": 3, "M": 2}
PARAMETERS = {
    "W": {"axes": ("O", "C", "K"), "offset": 0, "shape": (4, 3, 3), "strides": (9, 3, 1)},
    "w0": {"axes": ("O",), "offset": 36, "shape": (4,), "strides": (1,)},
    "V": {
        "axes": ("M", "O", "(L+6-3*K)//2+1"),
        "offset": 40,
        "shape": (2, 4, 9),
        "strides": (36, 9, 1),
    },
    "v0": {"axes": ("M",), "offset": 112, "shape": (2,), "strides": (1,)},
}
INPUTS = {
    "x": "real[B, C, L]",
    "target": "real[B, M]",
}
OUTPUTS = {
    "forward": ("y",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "B * C * K * O * U + B * M * O * U + 2 * B * O * U + B * M",
    "value": "B * C * K * O * U + B * M * O * U + 2 * B * O * U + 4 * B * M",
    "value_and_grad": "2 * B * C * K * O * U + 3 * B * M * O * U + 4 * B * O * U + 6 * B * M",
}
SPEC_HASH = "80afe64631e0d770a1a91210dddb0cdf3a65ff9f5663bcf5a9a00c29cbc25f11"
SPEC = r'''description = "A convolution over time, strided, padded and dilated, then relu, a linear read-out and a squared error."
outputs = ["y"]
wrt = ["W", "w0", "V", "v0"]
equations = """
z[b,o,l] += W[o,c,k]*pad(x[b,c,3*k+2*l-2]) for l < (L+6-3*K)//2+1
z[b,o,l] += w0[o] for b < B, l < (L+6-3*K)//2+1
h[b,o,l] = relu(z[b,o,l])
y[b,m] += V[m,o,l]*h[b,o,l]
y[b,m] += v0[m] for b < B
loss += (y[b,m] - target[b,m])**2/B
"""

[sizes]
B = "batch"
L = 20
C = 3
O = 4
K = 3
M = 2
U = "=(L+6-3*K)//2+1"

[params]
W = "real[O, C, K]"
w0 = "real[O]"
V = "real[M, O, (L+6-3*K)//2+1]"
v0 = "real[M]"

[data]
x = "real[B, C, L]"
target = "real[B, M]"
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
    """Views on one vector `flat`: W (O, C, K), w0 (O,), V (M, O, (L+6-3*K)//2+1), v0 (M,)."""

    def __init__(self, flat, *, L=20, C=3, O=4, K=3, M=2):
        self._sizes = _sizes(L=L, C=C, O=O, K=K, M=M)
        U = (L + 6 - 3 * K) // 2 + 1
        if U < 1:
            raise ValueError("U = (L+6-3*K)//2+1 must be at least 1")
        self.flat = _vector(flat, C * K * O + M * O * U + M + O)
        _part = _parts(self.flat)
        self.W = _part(O, C, K)
        self.w0 = _part(O)
        self.V = _part(M, O, U)
        self.v0 = _part(M)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, L=20, C=3, O=4, K=3, M=2):
        self.sizes = _sizes(B=B, L=L, C=C, O=O, K=K, M=M)
        self._memory = {}


def init(rng, *, L=20, C=3, O=4, K=3, M=2, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    U = (L + 6 - 3 * K) // 2 + 1
    params = Params(np.dtype(dtype), L=L, C=C, O=O, K=K, M=M)
    params.W[...] = _uniform_fan_in(rng, (O, C, K))
    params.w0[...] = 0.0
    params.V[...] = _uniform_fan_in(rng, (M, O, U))
    params.v0[...] = 0.0
    return params


def save(path, params):
    """Write the parameters to an npz file, by name."""
    _dtype_of(params)
    with open(path, "wb") as file:
        np.savez(file, **{name: getattr(params, name) for name in PARAMETERS}, L=params._sizes["L"])


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path, "L")
    params = Params(
        np.result_type(*(arrays[name] for name in PARAMETERS)),
        L=int(arrays["L"]),
        C=_extent(arrays["W"], 1),
        O=_extent(arrays["W"], 0),
        K=_extent(arrays["W"], 2),
        M=_extent(arrays["V"], 0),
    )
    for name in PARAMETERS:
        setattr(params, name, arrays[name])
    return params


def forward(params, x, *, workspace=None):
    """The output y.

    x: real[B, C, L]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    L, C, O, K, M = params._sizes.values()
    B = _length("B", "x", x, 0)
    U = (L + 6 - 3 * K) // 2 + 1
    if U < 1:
        raise ValueError("U = (L+6-3*K)//2+1 must be at least 1")
    _shape("x", x, (B, C, L))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, L=L, C=C, O=O, K=K, M=M)
    x = _fit(ws, "x", x, dtype)
    W, w0, V, v0 = params.W, params.w0, params.V, params.v0
    # z[b,o,l] += W[o,c,k]*pad(x[b,c,3*k+2*l-2]) for l < (L+6-3*K)//2+1
    x_pad = ws.x_pad
    x_pad.fill(0.0)
    np.copyto(x_pad[:, :, 2:L+2], x)
    x_windows = ws.x_windows
    np.copyto(
        x_windows,
        _view(
            x_pad,
            start=(0, 0, 0),
            shape=(C, K, B, U),
            steps=((0, 1, 0), (0, 0, 3), (1, 0, 0), (0, 0, 2)),
        ),
    )
    t_1 = ws.t_1
    np.matmul(W.reshape(O, C * K), x_windows.reshape(C * K, B * U), out=t_1.reshape(O, B * U))
    z = ws.z
    np.copyto(z, t_1.transpose(1, 0, 2))
    # z[b,o,l] += w0[o] for b < B, l < (L+6-3*K)//2+1
    z += w0[:, None]
    # h[b,o,l] = relu(z[b,o,l])
    h = np.maximum(z, 0.0, out=ws.h)
    # y[b,m] += V[m,o,l]*h[b,o,l]
    y = np.matmul(h.reshape(B, O * U), V.reshape(M, O * U).T, out=ws.y)
    # y[b,m] += v0[m] for b < B
    y += v0
    return y


def value(params, *, x, target, workspace=None):
    """The loss.

    x: real[B, C, L]
    target: real[B, M]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    target = _real("target", target, 2)
    L, C, O, K, M = params._sizes.values()
    B = _length("B", "x", x, 0)
    U = (L + 6 - 3 * K) // 2 + 1
    if U < 1:
        raise ValueError("U = (L+6-3*K)//2+1 must be at least 1")
    _shape("x", x, (B, C, L))
    _shape("target", target, (B, M))
    ws = _memory(workspace, _ValueMemory, dtype, B=B, L=L, C=C, O=O, K=K, M=M)
    x = _fit(ws, "x", x, dtype)
    target = _fit(ws, "target", target, dtype)
    W, w0, V, v0 = params.W, params.w0, params.V, params.v0
    # z[b,o,l] += W[o,c,k]*pad(x[b,c,3*k+2*l-2]) for l < (L+6-3*K)//2+1
    x_pad = ws.x_pad
    x_pad.fill(0.0)
    np.copyto(x_pad[:, :, 2:L+2], x)
    x_windows = ws.x_windows
    np.copyto(
        x_windows,
        _view(
            x_pad,
            start=(0, 0, 0),
            shape=(C, K, B, U),
            steps=((0, 1, 0), (0, 0, 3), (1, 0, 0), (0, 0, 2)),
        ),
    )
    t_1 = ws.t_1
    np.matmul(W.reshape(O, C * K), x_windows.reshape(C * K, B * U), out=t_1.reshape(O, B * U))
    z = ws.z
    np.copyto(z, t_1.transpose(1, 0, 2))
    # z[b,o,l] += w0[o] for b < B, l < (L+6-3*K)//2+1
    z += w0[:, None]
    # h[b,o,l] = relu(z[b,o,l])
    h = np.maximum(z, 0.0, out=ws.h)
    # y[b,m] += V[m,o,l]*h[b,o,l]
    y = np.matmul(h.reshape(B, O * U), V.reshape(M, O * U).T, out=ws.y)
    # y[b,m] += v0[m] for b < B
    y += v0
    # loss += (y[b,m] - target[b,m])**2/B
    t_2 = np.subtract(y, target, out=ws.t_2)
    np.square(t_2, out=t_2)
    loss = np.sum(t_2) / B
    return loss


def value_and_grad(params, *, x, target, workspace=None):
    """The loss and its gradient by W, w0, V, v0.

    x: real[B, C, L]
    target: real[B, M]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    target = _real("target", target, 2)
    L, C, O, K, M = params._sizes.values()
    B = _length("B", "x", x, 0)
    U = (L + 6 - 3 * K) // 2 + 1
    if U < 1:
        raise ValueError("U = (L+6-3*K)//2+1 must be at least 1")
    _shape("x", x, (B, C, L))
    _shape("target", target, (B, M))
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, L=L, C=C, O=O, K=K, M=M)
    x = _fit(ws, "x", x, dtype)
    target = _fit(ws, "target", target, dtype)
    grads = ws.grads
    W, w0, V, v0 = params.W, params.w0, params.V, params.v0
    # z[b,o,l] += W[o,c,k]*pad(x[b,c,3*k+2*l-2]) for l < (L+6-3*K)//2+1
    x_pad = ws.x_pad
    x_pad.fill(0.0)
    np.copyto(x_pad[:, :, 2:L+2], x)
    x_windows = ws.x_windows
    np.copyto(
        x_windows,
        _view(
            x_pad,
            start=(0, 0, 0),
            shape=(C, K, B, U),
            steps=((0, 1, 0), (0, 0, 3), (1, 0, 0), (0, 0, 2)),
        ),
    )
    t_1 = ws.t_1
    np.matmul(W.reshape(O, C * K), x_windows.reshape(C * K, B * U), out=t_1.reshape(O, B * U))
    z = ws.z
    np.copyto(z, t_1.transpose(1, 0, 2))
    # z[b,o,l] += w0[o] for b < B, l < (L+6-3*K)//2+1
    z += w0[:, None]
    # h[b,o,l] = relu(z[b,o,l])
    h = np.maximum(z, 0.0, out=ws.h)
    # y[b,m] += V[m,o,l]*h[b,o,l]
    y = np.matmul(h.reshape(B, O * U), V.reshape(M, O * U).T, out=ws.y)
    # y[b,m] += v0[m] for b < B
    y += v0
    # loss += (y[b,m] - target[b,m])**2/B
    t_2 = np.subtract(y, target, out=ws.t_2)
    t_3 = np.square(t_2, out=ws.t_3)
    loss = np.sum(t_3) / B
    # dy[b,m] = 2*(y[b,m] - target[b,m])/B
    dy = np.multiply(t_2, 2.0 / B, out=ws.dy)
    # dv0[m] += dy[b,m]
    np.sum(dy, axis=0, out=grads.v0)
    # dV[m,o,l] += dy[b,m]*h[b,o,l]
    np.matmul(dy.T, h.reshape(B, O * U), out=grads.V.reshape(M, O * U))
    # dh[b,o,l] += dy[b,m]*V[m,o,l]
    dh = ws.dh
    np.matmul(dy, V.reshape(M, O * U), out=dh.reshape(B, O * U))
    # dz[b,o,l] = where(0 < z[b,o,l], dh[b,o,l], 0)
    t_4 = np.greater(z, 0.0, out=ws.t_4)
    dz = ws.dz
    dz.fill(0.0)
    np.copyto(dz, dh, where=t_4)
    # dw0[o] += dz[b,o,l]
    np.sum(dz, axis=(0, 2), out=grads.w0)
    # dW[o,c,k] += dz[b,o,l]*pad(x[b,c,3*k+2*l-2]) for k < K
    dz_copy = ws.dz_copy
    np.copyto(dz_copy, dz.transpose(1, 0, 2))
    np.matmul(
        dz_copy.reshape(O, B * U), x_windows.reshape(C * K, B * U).T, out=grads.W.reshape(O, C * K)
    )
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, L, C, O, K, M):
        self._copies = {}
        U = (L + 6 - 3 * K) // 2 + 1
        self.z = self.h = np.empty((B, O, U), dtype)
        self.y = np.empty((B, M), dtype)
        self.x_pad = np.empty((B, C, 3 * K + 2 * U - 4), dtype)
        self.x_windows = np.empty((C, K, B, U), dtype)
        self.t_1 = np.empty((O, B, U), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, L, C, O, K, M):
        self._copies = {}
        U = (L + 6 - 3 * K) // 2 + 1
        self.z = self.h = np.empty((B, O, U), dtype)
        self.y = self.t_2 = np.empty((B, M), dtype)
        self.x_pad = np.empty((B, C, 3 * K + 2 * U - 4), dtype)
        self.x_windows = np.empty((C, K, B, U), dtype)
        self.t_1 = np.empty((O, B, U), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, L, C, O, K, M):
        self._copies = {}
        U = (L + 6 - 3 * K) // 2 + 1
        self.z = self.dz = np.empty((B, O, U), dtype)
        self.h = self.dh = np.empty((B, O, U), dtype)
        self.y = self.t_2 = self.dy = np.empty((B, M), dtype)
        self.x_pad = np.empty((B, C, 3 * K + 2 * U - 4), dtype)
        self.x_windows = np.empty((C, K, B, U), dtype)
        self.t_1 = self.dz_copy = np.empty((O, B, U), dtype)
        self.t_3 = np.empty((B, M), dtype)
        self.t_4 = np.empty((B, O, U), np.bool_)
        self.grads = Params(dtype, L=L, C=C, O=O, K=K, M=M)


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


def _view(a, start, shape, steps):
    """out[p] = a[start + sum of p[d] * steps[d]], without a copy."""
    origin = a[tuple(slice(place, None) for place in start)]
    strides = [sum(k * s for k, s in zip(step, a.strides, strict=True)) for step in steps]
    return np.lib.stride_tricks.as_strided(origin, shape, strides)


def _whose(thing, wanted):
    """A class's name in a message; of a namesake of the wanted one, the module that it is from."""
    kind = type(thing)
    if kind.__name__ != wanted.__name__:
        return kind.__name__
    older = ", from before it was loaded again" if kind.__module__ == wanted.__module__ else ""
    return f"{kind.__name__} of the module {kind.__module__}{older}"
