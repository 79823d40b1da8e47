"""actor_weight: A small actor, tanh then softmax, and how its loss moves with a single weight.

Forward
    z1[b,i] += W1[i,j]*obs[b,j]
    z1[b,i] += c1[i] for b < B
    h1[b,i] = tanh(z1[b,i])
    logits[b,a] += W2[a,i]*h1[b,i]
    logits[b,a] += c2[a] for b < B
    e[b,a] = exp(logits[b,a])
    pi_sum[b] += e[b,v]
    pi[b,a] = e[b,a]/pi_sum[b]
    loss += -advantage[b]*log(pi[b,action[b]])/B

Gradient (value_and_grad); dX stands for dL/dX.
    pi_sum_lse[b] = logsumexp(v: logits[b,v])
    pi_log[b] = logits[b,action[b]] - pi_sum_lse[b]
    loss += -advantage[b]*pi_log[b]/B
    dpi_log[b] = -advantage[b]/B
    dlogits[b,action[b]] += dpi_log[b]
    dpi_sum_lse[b] = -dpi_log[b]
    logits_softmax[b,v] = expdiff(logits[b,v], pi_sum_lse[b])
    dlogits[b,v] += dpi_sum_lse[b]*logits_softmax[b,v]
    dc2[a] += dlogits[b,a]
    dW2[a,i] += dlogits[b,a]*h1[b,i]
    dh1[b,i] += dlogits[b,a]*W2[a,i]
    dz1[b,i] = dh1[b,i]*(1 - h1[b,i]**2)
    dc1[i] += dz1[b,i]
    dW1[i,j] += dz1[b,i]*obs[b,j]

Shapes
    W1: real[H, S]
    c1: real[H]
    W2: real[A, H]
    c2: real[A]
    obs: real[B, S]
    action: int[B] < A
    advantage: real[B]
    B: steps in the batch

At kinks: there are none.
Held constant: what wrt does not name.
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: log(exp(x)) = x; log(sum(v: exp(x[v]))) = logsumexp(v: x[v]);
    exp(x)/sum(v: exp(x[v])) = expdiff(x, logsumexp(v: x[v])).
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 3, "H": 2, "A": 2}
PARAMETERS = {
    "W1": {"axes": ("H", "S"), "offset": 0, "shape": (2, 3), "strides": (3, 1)},
    "c1": {"axes": ("H",), "offset": 6, "shape": (2,), "strides": (1,)},
    "W2": {"axes": ("A", "H"), "offset": 8, "shape": (2, 2), "strides": (2, 1)},
    "c2": {"axes": ("A",), "offset": 12, "shape": (2,), "strides": (1,)},
}
INPUTS = {
    "obs": "real[B, S]",
    "action": "int[B] < A",
    "advantage": "real[B]",
}
OUTPUTS = {
    "forward": ("pi",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "A * B * H + B * H * S + 5 * A * B + 2 * B * H",
    "value": "A * B * H + B * H * S + 4 * A * B + 2 * B * H + 2 * B",
    "value_and_grad": "3 * A * B * H + 2 * B * H * S + 7 * A * B + 6 * B * H + 4 * B",
}
SPEC_HASH = "5957eee6e141f6d115023cde024db78decf4b9482309d61194552ab72da1fb4c"
SPEC = r'''description = "A small actor, tanh then softmax, and how its loss moves with a single weight."
outputs = ["pi"]
wrt = ["W1", "c1", "W2", "c2"]
equations = """
z1[b,i] += W1[i,j]*obs[b,j]
z1[b,i] += c1[i] for b < B
h1[b,i] = tanh(z1[b,i])
logits[b,a] += W2[a,i]*h1[b,i]
logits[b,a] += c2[a] for b < B
e[b,a] = exp(logits[b,a])
pi_sum[b] += e[b,v]
pi[b,a] = e[b,a]/pi_sum[b]
loss += -advantage[b]*log(pi[b,action[b]])/B
"""

[sizes]
B = "steps in the batch"
S = 3
H = 2
A = 2

[params]
W1 = "real[H, S]"
c1 = "real[H]"
W2 = "real[A, H]"
c2 = "real[A]"

[data]
obs = "real[B, S]"
action = "int[B] < A"
advantage = "real[B]"
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
    """Views on one vector `flat`: W1 (H, S), c1 (H,), W2 (A, H), c2 (A,)."""

    def __init__(self, flat, *, S=3, H=2, A=2):
        self._sizes = _sizes(S=S, H=H, A=A)
        self.flat = _vector(flat, A * H + H * S + A + H)
        _part = _parts(self.flat)
        self.W1 = _part(H, S)
        self.c1 = _part(H)
        self.W2 = _part(A, H)
        self.c2 = _part(A)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, S=3, H=2, A=2):
        self.sizes = _sizes(B=B, S=S, H=H, A=A)
        self._memory = {}


def init(rng, *, S=3, H=2, A=2, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), S=S, H=H, A=A)
    params.W1[...] = _uniform_fan_in(rng, (H, S))
    params.c1[...] = 0.0
    params.W2[...] = _uniform_fan_in(rng, (A, H))
    params.c2[...] = 0.0
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
        H=_extent(arrays["W1"], 0),
        A=_extent(arrays["W2"], 0),
    )
    for name in PARAMETERS:
        setattr(params, name, arrays[name])
    return params


def forward(params, obs, *, workspace=None):
    """The output pi.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, H, A = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, S=S, H=H, A=A)
    obs = _fit(ws, "obs", obs, dtype)
    W1, c1, W2, c2 = params.W1, params.c1, params.W2, params.c2
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = tanh(z1[b,i])
    h1 = np.tanh(z1, out=ws.h1)
    # logits[b,a] += W2[a,i]*h1[b,i]
    logits = np.matmul(h1, W2.T, out=ws.logits)
    # logits[b,a] += c2[a] for b < B
    logits += c2
    # pi_sum_lse[b] = logsumexp(v: logits[b,v])
    pi_sum_lse = _logsumexp(logits, out=ws.pi_sum_lse, scratch=ws.t_1, total=ws.t_2)
    # pi[b,a] = expdiff(logits[b,a], pi_sum_lse[b])
    pi = _expdiff(logits, pi_sum_lse[:, None], out=ws.pi)
    return pi


def value(params, *, obs, action, advantage, workspace=None):
    """The loss.

    obs: real[B, S]
    action: int[B] < A
    advantage: real[B]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    advantage = _real("advantage", advantage, 1)
    S, H, A = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B,))
    _shape("advantage", advantage, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, S=S, H=H, A=A)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    advantage = _fit(ws, "advantage", advantage, dtype)
    W1, c1, W2, c2 = params.W1, params.c1, params.W2, params.c2
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = tanh(z1[b,i])
    h1 = np.tanh(z1, out=ws.h1)
    # logits[b,a] += W2[a,i]*h1[b,i]
    logits = np.matmul(h1, W2.T, out=ws.logits)
    # logits[b,a] += c2[a] for b < B
    logits += c2
    # pi_sum_lse[b] = logsumexp(v: logits[b,v])
    pi_sum_lse = _logsumexp(logits, out=ws.pi_sum_lse, scratch=ws.t_1, total=ws.t_2)
    # pi_log[b] = logits[b,action[b]] - pi_sum_lse[b]
    logits_at = _pick(logits, (ws.arange, action), out=ws.logits_at, at=ws.at)
    pi_log = np.subtract(logits_at, pi_sum_lse, out=ws.pi_log)
    # loss += -advantage[b]*pi_log[b]/B
    loss = -np.dot(advantage, pi_log) / B
    return loss


def value_and_grad(params, *, obs, action, advantage, workspace=None):
    """The loss and its gradient by W1, c1, W2, c2.

    obs: real[B, S]
    action: int[B] < A
    advantage: real[B]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _integer("action", action, 1)
    advantage = _real("advantage", advantage, 1)
    S, H, A = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B,))
    _shape("advantage", advantage, (B,))
    _below("action", action, A)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, S=S, H=H, A=A)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    advantage = _fit(ws, "advantage", advantage, dtype)
    grads = ws.grads
    W1, c1, W2, c2 = params.W1, params.c1, params.W2, params.c2
    # z1[b,i] += W1[i,j]*obs[b,j]
    z1 = np.matmul(obs, W1.T, out=ws.z1)
    # z1[b,i] += c1[i] for b < B
    z1 += c1
    # h1[b,i] = tanh(z1[b,i])
    h1 = np.tanh(z1, out=ws.h1)
    # logits[b,a] += W2[a,i]*h1[b,i]
    logits = np.matmul(h1, W2.T, out=ws.logits)
    # logits[b,a] += c2[a] for b < B
    logits += c2
    # pi_sum_lse[b] = logsumexp(v: logits[b,v])
    pi_sum_lse = _logsumexp(logits, out=ws.pi_sum_lse, scratch=ws.t_1, total=ws.t_2)
    # pi_log[b] = logits[b,action[b]] - pi_sum_lse[b]
    logits_at = _pick(logits, (ws.arange, action), out=ws.logits_at, at=ws.at)
    pi_log = np.subtract(logits_at, pi_sum_lse, out=ws.pi_log)
    # loss += -advantage[b]*pi_log[b]/B
    loss = -np.dot(advantage, pi_log) / B
    # dpi_log[b] = -advantage[b]/B
    dpi_log = np.divide(advantage, -B, out=ws.dpi_log)
    # dpi_sum_lse[b] = -dpi_log[b]
    dpi_sum_lse = np.negative(dpi_log, out=ws.dpi_sum_lse)
    # logits_softmax[b,v] = expdiff(logits[b,v], pi_sum_lse[b])
    logits_softmax = _expdiff(logits, pi_sum_lse[:, None], out=ws.logits_softmax)
    # dlogits[b,v] += dpi_sum_lse[b]*logits_softmax[b,v]
    dlogits = np.multiply(dpi_sum_lse[:, None], logits_softmax, out=ws.dlogits)
    # dlogits[b,action[b]] += dpi_log[b]
    _add_at(dlogits, (ws.arange, action), dpi_log, at=ws.at, scratch=ws.t_3)
    # dc2[a] += dlogits[b,a]
    np.sum(dlogits, axis=0, out=grads.c2)
    # dW2[a,i] += dlogits[b,a]*h1[b,i]
    np.matmul(dlogits.T, h1, out=grads.W2)
    # dh1[b,i] += dlogits[b,a]*W2[a,i]
    dh1 = np.matmul(dlogits, W2, out=ws.dh1)
    # dz1[b,i] = dh1[b,i]*(1 - h1[b,i]**2)
    dz1 = np.square(h1, out=ws.dz1)
    np.subtract(1.0, dz1, out=dz1)
    dz1 *= dh1
    # dc1[i] += dz1[b,i]
    np.sum(dz1, axis=0, out=grads.c1)
    # dW1[i,j] += dz1[b,i]*obs[b,j]
    np.matmul(dz1.T, obs, out=grads.W1)
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, S, H, A):
        self._copies = {}
        self.z1 = self.h1 = np.empty((B, H), dtype)
        self.logits = np.empty((B, A), dtype)
        self.pi_sum_lse = np.empty((B,), dtype)
        self.t_1 = self.pi = np.empty((B, A), dtype)
        self.t_2 = np.empty((B,), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, S, H, A):
        self._copies = {}
        self.z1 = self.h1 = np.empty((B, H), dtype)
        self.logits = np.empty((B, A), dtype)
        self.pi_sum_lse = self.pi_log = np.empty((B,), dtype)
        self.t_1 = np.empty((B, A), dtype)
        self.t_2 = self.logits_at = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, S, H, A):
        self._copies = {}
        self.z1 = self.h1 = self.dz1 = np.empty((B, H), dtype)
        self.logits = self.dlogits = np.empty((B, A), dtype)
        self.pi_sum_lse = self.t_3 = np.empty((B,), dtype)
        self.dpi_sum_lse = np.empty((B,), dtype)
        self.dh1 = np.empty((B, H), dtype)
        self.t_1 = self.logits_softmax = np.empty((B, A), dtype)
        self.t_2 = self.logits_at = self.pi_log = self.dpi_log = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.grads = Params(dtype, S=S, H=H, A=A)


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
