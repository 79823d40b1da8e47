"""digits_logistic: Logistic regression of handwritten digits, 64-10: softmax cross-entropy from
logits, and a penalty on the weights. It is convex.

Forward
    logits[b,a] += W[a,j]*pixels[b,j]
    logits[b,a] += c[a] for b < B
    loss_lse[b] = logsumexp(a: logits[b,a])
    loss += (loss_lse[b] - logits[b,digit[b]])/B
    loss_sum += W[a,j]**2
    loss += 0.5*decay*loss_sum

Gradient (value_and_grad); dX stands for dL/dX.
    dloss_sum = 0.5*decay
    dW[a,j] += 2*dloss_sum*W[a,j]
    dlogits[b,digit[b]] += -1/B
    dloss_lse[b] = 1/B for b < B
    logits_softmax[b,a] = expdiff(logits[b,a], loss_lse[b])
    dlogits[b,a] += dloss_lse[b]*logits_softmax[b,a]
    dc[a] += dlogits[b,a]
    dW[a,j] += dlogits[b,a]*pixels[b,j]

Product (hvp); dX_dot = sum over Y of (d2L/dX dY) v_Y.
    dloss_sum = 0.5*decay
    dloss_lse[b] = 1/B for b < B
    logits_softmax[b,a] = expdiff(logits[b,a], loss_lse[b])
    logits_dot[b,a] += pixels[b,j]*v_W[a,j]
    logits_dot[b,a] += v_c[a] for b < B
    loss_lse_dot[b] += logits_dot[b,a]*logits_softmax[b,a]
    dW_dot[a,j] += 2*dloss_sum*v_W[a,j]
    logits_softmax_dot[b,a] += logits_dot[b,a]*logits_softmax[b,a]
    logits_softmax_dot[b,a] += -logits_softmax[b,a]*loss_lse_dot[b]
    dlogits_dot[b,a] = dloss_lse[b]*logits_softmax_dot[b,a]
    dc_dot[a] += dlogits_dot[b,a]
    dW_dot[a,j] += dlogits_dot[b,a]*pixels[b,j]

Shapes
    W: real[10, 64]
    c: real[10]
    pixels: real[B, 64]
    digit: int[B] < 10
    decay: real = 0.001
    B: images

At kinks: there are none.
Held constant: what wrt does not name.
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None}
PARAMETERS = {
    "W": {"axes": ("10", "64"), "offset": 0, "shape": (10, 64), "strides": (64, 1)},
    "c": {"axes": ("10",), "offset": 640, "shape": (10,), "strides": (1,)},
}
INPUTS = {
    "pixels": "real[B, 64]",
    "digit": "int[B] < 10",
    "decay": "real = 0.001",
}
OUTPUTS = {
    "forward": ("logits",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "650 * B",
    "value": "682 * B + 1280",
    "value_and_grad": "1352 * B + 2560",
    "hvp": "2040 * B + 1280",
}
SPEC_HASH = "d65b6756cbd00925c1b26fdcca054822405f3447240376b9e2cdb150b2b5b252"
SPEC = r'''description = "Logistic regression of handwritten digits, 64-10: softmax cross-entropy from logits, and a penalty on the weights. It is convex."
outputs = ["logits"]
wrt = ["W", "c"]
with = ["hvp"]
equations = """
logits[b,a] += W[a,j]*pixels[b,j]
logits[b,a] += c[a] for b < B
loss_lse[b] = logsumexp(a: logits[b,a])
loss += (loss_lse[b] - logits[b,digit[b]])/B
loss_sum += W[a,j]**2
loss += 0.5*decay*loss_sum
"""

[sizes]
B = "images"

[params]
W = "real[10, 64] init=zeros"
c = "real[10]"

[data]
pixels = "real[B, 64]"
digit = "int[B] < 10"
decay = "real = 0.001"
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
    """Views on one vector `flat`: W (10, 64), c (10,)."""

    def __init__(self, flat):
        self._sizes = _sizes()
        self.flat = _vector(flat, 650)
        _part = _parts(self.flat)
        self.W = _part(10, 64)
        self.c = _part(10)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B):
        self.sizes = _sizes(B=B)
        self._memory = {}


def init(rng, *, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype))
    params.W[...] = 0.0
    params.c[...] = 0.0
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


def forward(params, pixels, *, workspace=None):
    """The output logits.

    pixels: real[B, 64]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    pixels = _real("pixels", pixels, 2)
    B = _length("B", "pixels", pixels, 0)
    _shape("pixels", pixels, (B, 64))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B)
    pixels = _fit(ws, "pixels", pixels, dtype)
    W, c = params.W, params.c
    # logits[b,a] += W[a,j]*pixels[b,j]
    logits = np.matmul(pixels, W.T, out=ws.logits)
    # logits[b,a] += c[a] for b < B
    logits += c
    return logits


def value(params, *, pixels, digit, decay=0.001, workspace=None):
    """The loss.

    pixels: real[B, 64]
    digit: int[B] < 10
    decay: real = 0.001

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    pixels = _real("pixels", pixels, 2)
    digit = _integer("digit", digit, 1)
    decay = dtype.type(_real("decay", decay, 0))
    B = _length("B", "pixels", pixels, 0)
    _shape("pixels", pixels, (B, 64))
    _shape("digit", digit, (B,))
    _below("digit", digit, 10)
    ws = _memory(workspace, _ValueMemory, dtype, B=B)
    pixels = _fit(ws, "pixels", pixels, dtype)
    digit = _fit(ws, "digit", digit, np.intp)
    W, c = params.W, params.c
    # logits[b,a] += W[a,j]*pixels[b,j]
    logits = np.matmul(pixels, W.T, out=ws.logits)
    # logits[b,a] += c[a] for b < B
    logits += c
    # loss_lse[b] = logsumexp(a: logits[b,a])
    loss_lse = _logsumexp(logits, out=ws.loss_lse, scratch=ws.t_1, total=ws.t_2)
    # loss += (loss_lse[b] - logits[b,digit[b]])/B
    logits_at = _pick(logits, (ws.arange, digit), out=ws.logits_at, at=ws.at)
    t_3 = np.subtract(loss_lse, logits_at, out=ws.t_3)
    loss = np.sum(t_3) / B
    # loss_sum += W[a,j]**2
    t_4 = np.square(W, out=ws.t_4)
    loss_sum = np.sum(t_4)
    # loss += 0.5*decay*loss_sum
    loss += decay * loss_sum / 2.0
    return loss


def value_and_grad(params, *, pixels, digit, decay=0.001, workspace=None):
    """The loss and its gradient by W, c.

    pixels: real[B, 64]
    digit: int[B] < 10
    decay: real = 0.001

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    pixels = _real("pixels", pixels, 2)
    digit = _integer("digit", digit, 1)
    decay = dtype.type(_real("decay", decay, 0))
    B = _length("B", "pixels", pixels, 0)
    _shape("pixels", pixels, (B, 64))
    _shape("digit", digit, (B,))
    _below("digit", digit, 10)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B)
    pixels = _fit(ws, "pixels", pixels, dtype)
    digit = _fit(ws, "digit", digit, np.intp)
    grads = ws.grads
    W, c = params.W, params.c
    # logits[b,a] += W[a,j]*pixels[b,j]
    logits = np.matmul(pixels, W.T, out=ws.logits)
    # logits[b,a] += c[a] for b < B
    logits += c
    # loss_lse[b] = logsumexp(a: logits[b,a])
    loss_lse = _logsumexp(logits, out=ws.loss_lse, scratch=ws.t_1, total=ws.t_2)
    # loss += (loss_lse[b] - logits[b,digit[b]])/B
    logits_at = _pick(logits, (ws.arange, digit), out=ws.logits_at, at=ws.at)
    t_2 = np.subtract(loss_lse, logits_at, out=ws.t_2)
    loss = np.sum(t_2) / B
    # loss_sum += W[a,j]**2
    t_3 = np.square(W, out=ws.t_3)
    loss_sum = np.sum(t_3)
    # loss += 0.5*decay*loss_sum
    loss += decay * loss_sum / 2.0
    # dloss_sum = 0.5*decay
    dloss_sum = decay / 2.0
    # dW[a,j] += 2*dloss_sum*W[a,j]
    dW = np.multiply(W, 2.0 * dloss_sum, out=grads.W)
    # dloss_lse[b] = 1/B for b < B
    dloss_lse = ws.dloss_lse
    dloss_lse.fill(1.0 / B)
    # logits_softmax[b,a] = expdiff(logits[b,a], loss_lse[b])
    logits_softmax = _expdiff(logits, loss_lse[:, None], out=ws.logits_softmax)
    # dlogits[b,a] += dloss_lse[b]*logits_softmax[b,a]
    dlogits = np.multiply(dloss_lse[:, None], logits_softmax, out=ws.dlogits)
    # dlogits[b,digit[b]] += -1/B
    _add_at(dlogits, (ws.arange, digit), -1.0 / B, at=ws.at, scratch=ws.t_4)
    # dc[a] += dlogits[b,a]
    np.sum(dlogits, axis=0, out=grads.c)
    # dW[a,j] += dlogits[b,a]*pixels[b,j]
    np.matmul(dlogits.T, pixels, out=t_3)
    dW += t_3
    return loss, grads


def hvp(params, v, *, pixels, digit, decay=0.001, workspace=None):
    """H v: the Hessian of the loss by W, c times v.

    v: a direction: a gradient's like, or a vector laid out as its `flat`
    pixels: real[B, 64]
    digit: int[B] < 10
    decay: real = 0.001

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    pixels = _real("pixels", pixels, 2)
    digit = _integer("digit", digit, 1)
    decay = dtype.type(_real("decay", decay, 0))
    B = _length("B", "pixels", pixels, 0)
    _shape("pixels", pixels, (B, 64))
    _shape("digit", digit, (B,))
    _below("digit", digit, 10)
    ws = _memory(workspace, _HvpMemory, dtype, B=B)
    pixels = _fit(ws, "pixels", pixels, dtype)
    grads = ws.grads
    W, c = params.W, params.c
    v = _along("v", v, ws._along)
    v_W, v_c = v.W, v.c
    # logits[b,a] += W[a,j]*pixels[b,j]
    logits = np.matmul(pixels, W.T, out=ws.logits)
    # logits[b,a] += c[a] for b < B
    logits += c
    # loss_lse[b] = logsumexp(a: logits[b,a])
    loss_lse = _logsumexp(logits, out=ws.loss_lse, scratch=ws.t_1, total=ws.t_2)
    # dloss_sum = 0.5*decay
    dloss_sum = decay / 2.0
    # dloss_lse[b] = 1/B for b < B
    dloss_lse = ws.dloss_lse
    dloss_lse.fill(1.0 / B)
    # logits_softmax[b,a] = expdiff(logits[b,a], loss_lse[b])
    logits_softmax = _expdiff(logits, loss_lse[:, None], out=ws.logits_softmax)
    # logits_dot[b,a] += pixels[b,j]*v_W[a,j]
    logits_dot = np.matmul(pixels, v_W.T, out=ws.logits_dot)
    # logits_dot[b,a] += v_c[a] for b < B
    logits_dot += v_c
    # loss_lse_dot[b] += logits_dot[b,a]*logits_softmax[b,a]
    t_3 = np.multiply(logits_dot, logits_softmax, out=ws.t_3)
    loss_lse_dot = np.sum(t_3, axis=1, out=ws.loss_lse_dot)
    # dW_dot[a,j] += 2*dloss_sum*v_W[a,j]
    dW_dot = np.multiply(v_W, 2.0 * dloss_sum, out=grads.W)
    # logits_softmax_dot[b,a] += logits_dot[b,a]*logits_softmax[b,a]
    # logits_softmax_dot[b,a] += -logits_softmax[b,a]*loss_lse_dot[b]
    t_1 = np.multiply(logits_softmax, loss_lse_dot[:, None], out=ws.t_1)
    logits_softmax_dot = np.subtract(t_3, t_1, out=ws.logits_softmax_dot)
    # dlogits_dot[b,a] = dloss_lse[b]*logits_softmax_dot[b,a]
    dlogits_dot = np.multiply(dloss_lse[:, None], logits_softmax_dot, out=ws.dlogits_dot)
    # dc_dot[a] += dlogits_dot[b,a]
    np.sum(dlogits_dot, axis=0, out=grads.c)
    # dW_dot[a,j] += dlogits_dot[b,a]*pixels[b,j]
    t_4 = np.matmul(dlogits_dot.T, pixels, out=ws.t_4)
    dW_dot += t_4
    return grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.logits = np.empty((B, 10), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.logits = np.empty((B, 10), dtype)
        self.loss_lse = self.t_3 = np.empty((B,), dtype)
        self.t_1 = np.empty((B, 10), dtype)
        self.t_2 = self.logits_at = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_4 = np.empty((10, 64), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.logits = self.dlogits = np.empty((B, 10), dtype)
        self.loss_lse = self.t_4 = np.empty((B,), dtype)
        self.t_1 = self.logits_softmax = np.empty((B, 10), dtype)
        self.t_2 = self.logits_at = self.dloss_lse = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_3 = np.empty((10, 64), dtype)
        self.grads = Params(dtype)


class _HvpMemory:
    """The buffers of hvp."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.logits = self.logits_dot = self.t_3 = np.empty((B, 10), dtype)
        self.logits_softmax_dot = self.dlogits_dot = self.logits
        self.loss_lse = self.loss_lse_dot = np.empty((B,), dtype)
        self.t_1 = self.logits_softmax = np.empty((B, 10), dtype)
        self.t_2 = self.dloss_lse = np.empty((B,), dtype)
        self.t_4 = np.empty((10, 64), dtype)
        self.grads = Params(dtype)
        self._along = Params(dtype)


def _add_at(target, places, values, at, scratch):
    """target[places] += values, where no place comes twice; `at` is room for positions."""
    joined = _by_position(target, places, at)
    np.take(joined, at, axis=0, out=scratch, mode="clip")
    scratch += values
    joined[at] = scratch


def _along(name, v, own, *inputs):
    """The direction as views on memory of the call: from its like, or from one vector."""
    arrays = {"flat": v}
    if isinstance(v, type(own)):
        arrays = vars(v)
        if v._sizes != own._sizes:
            raise ValueError(f"{name} has sizes {v._sizes}; expected {own._sizes}")
    elif inputs or not isinstance(v, np.ndarray):
        came, expected = _whose(v, type(own)), f"this module's {type(own).__name__}"
        vector = "" if inputs else " or a vector laid out as its flat"
        raise TypeError(f"{name} is of type {came}; expected {expected}{vector}")
    for part in ("flat", *inputs):
        array, room = arrays[part], vars(own)[part]
        if array.shape != np.shape(room) or array.dtype.kind not in "fiu":
            came = f"shape {array.shape} and dtype {array.dtype}"
            raise ValueError(f"{name} has {came}; expected real numbers of shape {np.shape(room)}")
        np.copyto(room, array, casting="unsafe")
    return own


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
