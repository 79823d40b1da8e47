"""one_bias: One bias, two snack shops: a policy gradient with a single parameter. w = 20 is a
reconstruction; the bias then settles near -10.

Forward
    X[n] = b + hunger[n]*w
    p[n] = sigmoid(X[n])
    C[n] = where(norm[n] == 1, -log(p[n]), -log(1 - p[n]))
    loss += C[n]*reward[n]/N

Gradient (value_and_grad); dX stands for dL/dX.
    C[n] = where(norm[n] == 1, softplus(-X[n]), softplus(X[n]))
    dC[n] = reward[n]/N
    dX[n] = where(norm[n] == 1, -dC[n]*sigmoid(-X[n]), dC[n]*sigmoid(X[n]))
    db += dX[n]

Shapes
    b: real
    w: real = 20
    hunger: real[N]
    norm: bool[N]
    reward: real[N]
    N: visits

At kinks: there are none.
Held constant: what wrt does not name.
Reduction: loss is summed over n and divided by N.
Rewritten to stay finite: log(sigmoid(x)) = -softplus(-x); log(1 - sigmoid(x)) = -softplus(x).
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"N": None}
PARAMETERS = {
    "b": {"axes": (), "offset": 0, "shape": (), "strides": ()},
}
INPUTS = {
    "w": "real = 20",
    "hunger": "real[N]",
    "norm": "bool[N]",
    "reward": "real[N]",
}
OUTPUTS = {
    "forward": ("p",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "3 * N",
    "value": "6 * N",
    "value_and_grad": "15 * N",
}
SPEC_HASH = "f506ba931d48aa3de3ab61d453af6ded269d2265f67fa70a22f1ccb32091ca1c"
SPEC = r'''description = "One bias, two snack shops: a policy gradient with a single parameter. w = 20 is a reconstruction; the bias then settles near -10."
outputs = ["p"]
wrt = ["b"]
equations = """
X[n] = b + hunger[n]*w
p[n] = sigmoid(X[n])
C[n] = where(norm[n] == 1, -log(p[n]), -log(1 - p[n]))
loss += C[n]*reward[n]/N
"""

[sizes]
N = "visits"

[params]
b = "real init=zeros"

[data]
w = "real = 20"
hunger = "real[N]"
norm = "bool[N]"
reward = "real[N]"
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
    """Views on one vector `flat`: b ()."""

    def __init__(self, flat):
        self._sizes = _sizes()
        self.flat = _vector(flat, 1)
        _part = _parts(self.flat)
        self.b = _part()
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, N):
        self.sizes = _sizes(N=N)
        self._memory = {}


def init(rng, *, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype))
    params.b[...] = 0.0
    return params


def save(path, params):
    """Write the parameters to an npz file, by name."""
    _dtype_of(params)
    with open(path, "wb") as file:
        np.savez(file, **{name: getattr(params, name) for name in PARAMETERS})


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path)
    params = Params(np.result_type(*(arrays[name] for name in PARAMETERS)))
    for name in PARAMETERS:
        setattr(params, name, arrays[name])
    return params


def forward(params, hunger, *, w=20.0, workspace=None):
    """The output p.

    w: real = 20
    hunger: real[N]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    w = dtype.type(_real("w", w, 0))
    hunger = _real("hunger", hunger, 1)
    N = _length("N", "hunger", hunger, 0)
    ws = _memory(workspace, _ForwardMemory, dtype, N=N)
    hunger = _fit(ws, "hunger", hunger, dtype)
    b = params.b[()]
    # X[n] = b + hunger[n]*w
    X = np.multiply(hunger, w, out=ws.X)
    X += b
    # p[n] = sigmoid(X[n])
    p = _sigmoid(X, out=ws.p, scratch=ws.t_1)
    return p


def value(params, *, hunger, norm, reward, w=20.0, workspace=None):
    """The loss.

    w: real = 20
    hunger: real[N]
    norm: bool[N]
    reward: real[N]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    w = dtype.type(_real("w", w, 0))
    hunger = _real("hunger", hunger, 1)
    norm = _boolean("norm", norm, 1)
    reward = _real("reward", reward, 1)
    N = _length("N", "hunger", hunger, 0)
    _shape("norm", norm, (N,))
    _shape("reward", reward, (N,))
    ws = _memory(workspace, _ValueMemory, dtype, N=N)
    hunger = _fit(ws, "hunger", hunger, dtype)
    norm = _fit(ws, "norm", norm, np.bool_)
    reward = _fit(ws, "reward", reward, dtype)
    b = params.b[()]
    # X[n] = b + hunger[n]*w
    X = np.multiply(hunger, w, out=ws.X)
    X += b
    # C[n] = where(norm[n] == 1, softplus(-X[n]), softplus(X[n]))
    C = np.logaddexp(X, 0.0, out=ws.C)
    np.negative(X, out=C, where=norm)
    np.logaddexp(C, 0.0, out=C, where=norm)
    # loss += C[n]*reward[n]/N
    loss = np.dot(C, reward) / N
    return loss


def value_and_grad(params, *, hunger, norm, reward, w=20.0, workspace=None):
    """The loss and its gradient by b.

    w: real = 20
    hunger: real[N]
    norm: bool[N]
    reward: real[N]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    w = dtype.type(_real("w", w, 0))
    hunger = _real("hunger", hunger, 1)
    norm = _boolean("norm", norm, 1)
    reward = _real("reward", reward, 1)
    N = _length("N", "hunger", hunger, 0)
    _shape("norm", norm, (N,))
    _shape("reward", reward, (N,))
    ws = _memory(workspace, _ValueAndGradMemory, dtype, N=N)
    hunger = _fit(ws, "hunger", hunger, dtype)
    norm = _fit(ws, "norm", norm, np.bool_)
    reward = _fit(ws, "reward", reward, dtype)
    grads = ws.grads
    b = params.b[()]
    # X[n] = b + hunger[n]*w
    X = np.multiply(hunger, w, out=ws.X)
    X += b
    # C[n] = where(norm[n] == 1, softplus(-X[n]), softplus(X[n]))
    C = np.logaddexp(X, 0.0, out=ws.C)
    np.negative(X, out=C, where=norm)
    np.logaddexp(C, 0.0, out=C, where=norm)
    # loss += C[n]*reward[n]/N
    loss = np.dot(C, reward) / N
    # dC[n] = reward[n]/N
    dC = np.divide(reward, N, out=ws.dC)
    # dX[n] = where(norm[n] == 1, -dC[n]*sigmoid(-X[n]), dC[n]*sigmoid(X[n]))
    dX = np.negative(X, out=ws.dX, where=norm)
    _sigmoid(dX, out=dX, scratch=ws.t_1, where=norm)
    np.multiply(dX, dC, out=dX, where=norm)
    np.negative(dX, out=dX, where=norm)
    t_2 = np.logical_not(norm, out=ws.t_2)
    _sigmoid(X, out=dX, scratch=ws.t_1, where=t_2)
    np.multiply(dX, dC, out=dX, where=t_2)
    # db += dX[n]
    db = np.sum(dX)
    grads.b[()] = db
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, N):
        self._copies = {}
        self.X = np.empty((N,), dtype)
        self.p = np.empty((N,), dtype)
        self.t_1 = np.empty((N,), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, N):
        self._copies = {}
        self.X = np.empty((N,), dtype)
        self.C = np.empty((N,), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, N):
        self._copies = {}
        self.X = np.empty((N,), dtype)
        self.C = self.dC = np.empty((N,), dtype)
        self.dX = np.empty((N,), dtype)
        self.t_1 = np.empty((N,), dtype)
        self.t_2 = np.empty((N,), np.bool_)
        self.grads = Params(dtype)


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


def _boolean(name, value, axes):
    """An argument of truth values."""
    return _array(name, value, axes, "b")


def _dtype_of(params):
    """The parameters choose the type of every number: float32 or float64."""
    if not isinstance(params, Params):
        came = _whose(params, Params)
        raise TypeError(f"params is of type {came}; expected this module's Params")
    return params.flat.dtype


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


def _sigmoid(x, out=None, scratch=None, where=True):
    """1/(1 + exp(-x)) = exp(min(x, 0))/(1 + exp(-abs(x))): no overflow, and the tail is kept."""
    below = np.abs(x, out=scratch, where=where)
    below = np.exp(np.negative(below, out=scratch, where=where), out=scratch, where=where)
    above = np.exp(np.minimum(x, 0.0, out=out, where=where), out=out, where=where)
    below = np.add(below, 1.0, out=scratch, where=where)
    return np.divide(above, below, out=out, where=where)


def _size(name, size):
    """A size that was passed by name: a whole number of at least 1."""
    if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
        raise ValueError(f"{name} is {size!r}; expected a whole number of at least 1")
    return int(size)


def _sizes(**sizes):
    """Sizes by name, each a whole number of at least 1."""
    return {name: _size(name, size) for name, size in sizes.items()}


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
