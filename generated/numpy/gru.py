"""gru: A gated recurrent unit over time, in PyTorch's form, with a linear read-out of every step
and a squared error.

Forward
    ar[b,t,i] += Wr[i,d]*x[b,t,d]
    ar[b,t,i] += Ur[i,j]*h[b,t,j] for b < B, t < T
    ar[b,t,i] += cr[i] for b < B, t < T
    az[b,t,i] += Wz[i,d]*x[b,t,d]
    az[b,t,i] += Uz[i,j]*h[b,t,j] for b < B, t < T
    az[b,t,i] += cz[i] for b < B, t < T
    r[b,t,i] = sigmoid(ar[b,t,i])
    z[b,t,i] = sigmoid(az[b,t,i])
    un[b,t,i] += Un[i,j]*h[b,t,j] for b < B, t < T
    un[b,t,i] += en[i] for b < B, t < T
    an[b,t,i] += Wn[i,d]*x[b,t,d]
    an[b,t,i] += cn[i] + r[b,t,i]*un[b,t,i]
    n[b,t,i] = tanh(an[b,t,i])
    h[b,0,i] = 0 for b < B, i < H
    h[b,t+1,i] = h[b,t,i]*z[b,t,i] + n[b,t,i]*(1 - z[b,t,i])
    y[b,t,k] += V[k,i]*h[b,t+1,i] for t < T
    y[b,t,k] += v0[k] for b < B, t < T
    loss += (y[b,t,k] - target[b,t,k])**2/(B*T)

Gradient (value_and_grad); dX stands for dL/dX.
    az_arg[b,t,i] = -az[b,t,i]
    az_arg_sigmoid[b,t,i] = sigmoid(az_arg[b,t,i])
    h[b,t+1,i] = az_arg_sigmoid[b,t,i]*n[b,t,i] + h[b,t,i]*z[b,t,i]
    dy[b,t,k] = 2*(y[b,t,k] - target[b,t,k])/(B*T)
    dv0[k] += dy[b,t,k]
    dV[k,i] += dy[b,t,k]*h[b,t+1,i]
    dh[b,t+1,i] += dy[b,t,k]*V[k,i]
    daz_arg_sigmoid[b,t,i] = dh[b,t+1,i]*n[b,t,i]
    dh[b,t,i] += dh[b,t+1,i]*z[b,t,i]
    dn[b,t,i] = dh[b,t+1,i]*az_arg_sigmoid[b,t,i]
    dz[b,t,i] = dh[b,t+1,i]*h[b,t,i] for t < T
    daz_arg[b,t,i] = daz_arg_sigmoid[b,t,i]*az_arg_sigmoid[b,t,i]*z[b,t,i]
    daz[b,t,i] += -daz_arg[b,t,i]
    dan[b,t,i] = dn[b,t,i]*(1 - n[b,t,i]**2)
    dcn[i] += dan[b,t,i]
    dr[b,t,i] = dan[b,t,i]*un[b,t,i]
    dun[b,t,i] = dan[b,t,i]*r[b,t,i]
    dUn[i,j] += dun[b,t,i]*h[b,t,j]
    dh[b,t,j] += dun[b,t,i]*Un[i,j]
    daz[b,t,i] += dz[b,t,i]*az_arg_sigmoid[b,t,i]*z[b,t,i]
    ar_arg[b,t,i] = -ar[b,t,i]
    ar_arg_sigmoid[b,t,i] = sigmoid(ar_arg[b,t,i])
    dar[b,t,i] = dr[b,t,i]*ar_arg_sigmoid[b,t,i]*r[b,t,i]
    dUz[i,j] += daz[b,t,i]*h[b,t,j]
    dh[b,t,j] += daz[b,t,i]*Uz[i,j]
    dUr[i,j] += dar[b,t,i]*h[b,t,j]
    dh[b,t,j] += dar[b,t,i]*Ur[i,j]
    den[i] += dun[b,t,i]
    dcr[i] += dar[b,t,i]
    dWn[i,d] += dan[b,t,i]*x[b,t,d]
    dcz[i] += daz[b,t,i]
    dWz[i,d] += daz[b,t,i]*x[b,t,d]
    dWr[i,d] += dar[b,t,i]*x[b,t,d]

Shapes
    Wr: real[H, D]
    Ur: real[H, H]
    cr: real[H]
    Wz: real[H, D]
    Uz: real[H, H]
    cz: real[H]
    Wn: real[H, D]
    Un: real[H, H]
    cn: real[H]
    en: real[H]
    V: real[K, H]
    v0: real[K]
    x: real[B, T, D]
    target: real[B, T, K]
    B: batch
    T: time steps

At kinks: there are none.
Held constant: what wrt does not name.
Reduction: loss is summed over b, k, t and divided by B*T.
Rewritten to stay finite: 1 - sigmoid(x) = sigmoid(-x).
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "T": None, "D": 3, "H": 8, "K": 2}
PARAMETERS = {
    "Wr": {"axes": ("H", "D"), "offset": 0, "shape": (8, 3), "strides": (3, 1)},
    "Ur": {"axes": ("H", "H"), "offset": 24, "shape": (8, 8), "strides": (8, 1)},
    "cr": {"axes": ("H",), "offset": 88, "shape": (8,), "strides": (1,)},
    "Wz": {"axes": ("H", "D"), "offset": 96, "shape": (8, 3), "strides": (3, 1)},
    "Uz": {"axes": ("H", "H"), "offset": 120, "shape": (8, 8), "strides": (8, 1)},
    "cz": {"axes": ("H",), "offset": 184, "shape": (8,), "strides": (1,)},
    "Wn": {"axes": ("H", "D"), "offset": 192, "shape": (8, 3), "strides": (3, 1)},
    "Un": {"axes": ("H", "H"), "offset": 216, "shape": (8, 8), "strides": (8, 1)},
    "cn": {"axes": ("H",), "offset": 280, "shape": (8,), "strides": (1,)},
    "en": {"axes": ("H",), "offset": 288, "shape": (8,), "strides": (1,)},
    "V": {"axes": ("K", "H"), "offset": 296, "shape": (2, 8), "strides": (8, 1)},
    "v0": {"axes": ("K",), "offset": 312, "shape": (2,), "strides": (1,)},
}
INPUTS = {
    "x": "real[B, T, D]",
    "target": "real[B, T, K]",
}
OUTPUTS = {
    "forward": ("y",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "3 * B * D * H * T + 3 * B * H * H * T + B * H * K * T + 16 * B * H * T + B * K * T",
    "value": (
        "3 * B * D * H * T + 3 * B * H * H * T + B * H * K * T + 16 * B * H * T + 4 * "
        "B * K * T"
    ),
    "value_and_grad": (
        "6 * B * D * H * T + 9 * B * H * H * T + 3 * B * H * K * T + 42 * B * H * T + "
        "6 * B * K * T"
    ),
}
SPEC_HASH = "306f646f2de1800b89d5c8216e33fd879b09363bac9de9b45bf012171b8201b0"
SPEC = r'''description = "A gated recurrent unit over time, in PyTorch's form, with a linear read-out of every step and a squared error."
outputs = ["y"]
wrt = ["Wr", "Ur", "cr", "Wz", "Uz", "cz", "Wn", "Un", "cn", "en", "V", "v0"]
equations = """
ar[b,t,i] += Wr[i,d]*x[b,t,d]
ar[b,t,i] += Ur[i,j]*h[b,t,j] for b < B, t < T
ar[b,t,i] += cr[i] for b < B, t < T
az[b,t,i] += Wz[i,d]*x[b,t,d]
az[b,t,i] += Uz[i,j]*h[b,t,j] for b < B, t < T
az[b,t,i] += cz[i] for b < B, t < T
r[b,t,i] = sigmoid(ar[b,t,i])
z[b,t,i] = sigmoid(az[b,t,i])
un[b,t,i] += Un[i,j]*h[b,t,j] for b < B, t < T
un[b,t,i] += en[i] for b < B, t < T
an[b,t,i] += Wn[i,d]*x[b,t,d]
an[b,t,i] += cn[i] + r[b,t,i]*un[b,t,i]
n[b,t,i] = tanh(an[b,t,i])
h[b,0,i] = 0 for b < B, i < H
h[b,t+1,i] = h[b,t,i]*z[b,t,i] + n[b,t,i]*(1 - z[b,t,i])
y[b,t,k] += V[k,i]*h[b,t+1,i] for t < T
y[b,t,k] += v0[k] for b < B, t < T
loss += (y[b,t,k] - target[b,t,k])**2/(B*T)
"""

[sizes]
B = "batch"
T = "time steps"
D = 3
H = 8
K = 2

[params]
Wr = "real[H, D]"
Ur = "real[H, H]"
cr = "real[H]"
Wz = "real[H, D]"
Uz = "real[H, H]"
cz = "real[H]"
Wn = "real[H, D]"
Un = "real[H, H]"
cn = "real[H]"
en = "real[H]"
V = "real[K, H]"
v0 = "real[K]"

[data]
x = "real[B, T, D]"
target = "real[B, T, K]"
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
    """Views on one vector `flat`: Wr (H, D), Ur (H, H), cr (H,), Wz (H, D), Uz (H, H), cz (H,),
    Wn (H, D), Un (H, H), cn (H,), en (H,), V (K, H), v0 (K,).
    """

    def __init__(self, flat, *, D=3, H=8, K=2):
        self._sizes = _sizes(D=D, H=H, K=K)
        self.flat = _vector(flat, 3 * D * H + 3 * H * H + H * K + 4 * H + K)
        _part = _parts(self.flat)
        self.Wr = _part(H, D)
        self.Ur = _part(H, H)
        self.cr = _part(H)
        self.Wz = _part(H, D)
        self.Uz = _part(H, H)
        self.cz = _part(H)
        self.Wn = _part(H, D)
        self.Un = _part(H, H)
        self.cn = _part(H)
        self.en = _part(H)
        self.V = _part(K, H)
        self.v0 = _part(K)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, T, D=3, H=8, K=2):
        self.sizes = _sizes(B=B, T=T, D=D, H=H, K=K)
        self._memory = {}


def init(rng, *, D=3, H=8, K=2, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), D=D, H=H, K=K)
    params.Wr[...] = _uniform_fan_in(rng, (H, D))
    params.Ur[...] = _uniform_fan_in(rng, (H, H))
    params.cr[...] = 0.0
    params.Wz[...] = _uniform_fan_in(rng, (H, D))
    params.Uz[...] = _uniform_fan_in(rng, (H, H))
    params.cz[...] = 0.0
    params.Wn[...] = _uniform_fan_in(rng, (H, D))
    params.Un[...] = _uniform_fan_in(rng, (H, H))
    params.cn[...] = 0.0
    params.en[...] = 0.0
    params.V[...] = _uniform_fan_in(rng, (K, H))
    params.v0[...] = 0.0
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
        D=_extent(arrays["Wr"], 1),
        H=_extent(arrays["Wr"], 0),
        K=_extent(arrays["V"], 0),
    )
    for name in PARAMETERS:
        setattr(params, name, arrays[name])
    return params


def forward(params, x, *, workspace=None):
    """The output y.

    x: real[B, T, D]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    D, H, K = params._sizes.values()
    B = _length("B", "x", x, 0)
    T = _length("T", "x", x, 1)
    _shape("x", x, (B, T, D))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, T=T, D=D, H=H, K=K)
    x = _fit(ws, "x", x, dtype)
    Wr, Ur, cr, Wz, Uz, cz = params.Wr, params.Ur, params.cr, params.Wz, params.Uz, params.cz
    Wn, Un, cn, en, V, v0 = params.Wn, params.Un, params.cn, params.en, params.V, params.v0
    # ar[b,t,i] += Wr[i,d]*x[b,t,d]
    ar = ws.ar
    np.matmul(x.reshape(B * T, D), Wr.T, out=ar.reshape(B * T, H))
    # az[b,t,i] += Wz[i,d]*x[b,t,d]
    az = ws.az
    np.matmul(x.reshape(B * T, D), Wz.T, out=az.reshape(B * T, H))
    # az[b,t,i] += cz[i] for b < B, t < T
    az += cz
    # an[b,t,i] += Wn[i,d]*x[b,t,d]
    an = ws.an
    np.matmul(x.reshape(B * T, D), Wn.T, out=an.reshape(B * T, H))
    # ar[b,t,i] += cr[i] for b < B, t < T
    ar += cr
    # un[b,t,i] += en[i] for b < B, t < T
    un = ws.un
    np.copyto(un, en)
    h = ws.h
    h.fill(0.0)
    t_1, r, z, n, az_arg, az_arg_sigmoid = ws.t_1, ws.r, ws.z, ws.n, ws.az_arg, ws.az_arg_sigmoid
    for t in range(T):
        # ar[b,t,i] += Ur[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Ur.T, out=t_1)
        ar[:, t] += t_1
        # az[b,t,i] += Uz[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Uz.T, out=t_1)
        az[:, t] += t_1
        # r[b,t,i] = sigmoid(ar[b,t,i])
        _sigmoid(ar[:, t], out=r[:, t], scratch=ws.t_1)
        # z[b,t,i] = sigmoid(az[b,t,i])
        _sigmoid(az[:, t], out=z[:, t], scratch=ws.t_1)
        # un[b,t,i] += Un[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Un.T, out=t_1)
        un[:, t] += t_1
        # an[b,t,i] += cn[i] + r[b,t,i]*un[b,t,i]
        np.multiply(r[:, t], un[:, t], out=t_1)
        t_1 += cn
        an[:, t] += t_1
        # n[b,t,i] = tanh(an[b,t,i])
        np.tanh(an[:, t], out=n[:, t])
        # az_arg[b,t,i] = -az[b,t,i]
        np.negative(az[:, t], out=az_arg[:, t])
        # az_arg_sigmoid[b,t,i] = sigmoid(az_arg[b,t,i])
        _sigmoid(az_arg[:, t], out=az_arg_sigmoid[:, t], scratch=ws.t_1)
        # h[b,t+1,i] = az_arg_sigmoid[b,t,i]*n[b,t,i] + h[b,t,i]*z[b,t,i]
        np.multiply(az_arg_sigmoid[:, t], n[:, t], out=h[:, t+1])
        np.multiply(h[:, t], z[:, t], out=t_1)
        h[:, t+1] += t_1
    # y[b,t,k] += V[k,i]*h[b,t+1,i] for t < T
    y = np.matmul(h[:, 1:T+1], V.T, out=ws.y)
    # y[b,t,k] += v0[k] for b < B, t < T
    y += v0
    return y


def value(params, *, x, target, workspace=None):
    """The loss.

    x: real[B, T, D]
    target: real[B, T, K]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    target = _real("target", target, 3)
    D, H, K = params._sizes.values()
    B = _length("B", "x", x, 0)
    T = _length("T", "x", x, 1)
    _shape("x", x, (B, T, D))
    _shape("target", target, (B, T, K))
    ws = _memory(workspace, _ValueMemory, dtype, B=B, T=T, D=D, H=H, K=K)
    x = _fit(ws, "x", x, dtype)
    target = _fit(ws, "target", target, dtype)
    Wr, Ur, cr, Wz, Uz, cz = params.Wr, params.Ur, params.cr, params.Wz, params.Uz, params.cz
    Wn, Un, cn, en, V, v0 = params.Wn, params.Un, params.cn, params.en, params.V, params.v0
    # ar[b,t,i] += Wr[i,d]*x[b,t,d]
    ar = ws.ar
    np.matmul(x.reshape(B * T, D), Wr.T, out=ar.reshape(B * T, H))
    # az[b,t,i] += Wz[i,d]*x[b,t,d]
    az = ws.az
    np.matmul(x.reshape(B * T, D), Wz.T, out=az.reshape(B * T, H))
    # az[b,t,i] += cz[i] for b < B, t < T
    az += cz
    # an[b,t,i] += Wn[i,d]*x[b,t,d]
    an = ws.an
    np.matmul(x.reshape(B * T, D), Wn.T, out=an.reshape(B * T, H))
    # ar[b,t,i] += cr[i] for b < B, t < T
    ar += cr
    # un[b,t,i] += en[i] for b < B, t < T
    un = ws.un
    np.copyto(un, en)
    h = ws.h
    h.fill(0.0)
    t_1, r, z, n, az_arg, az_arg_sigmoid = ws.t_1, ws.r, ws.z, ws.n, ws.az_arg, ws.az_arg_sigmoid
    for t in range(T):
        # ar[b,t,i] += Ur[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Ur.T, out=t_1)
        ar[:, t] += t_1
        # az[b,t,i] += Uz[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Uz.T, out=t_1)
        az[:, t] += t_1
        # r[b,t,i] = sigmoid(ar[b,t,i])
        _sigmoid(ar[:, t], out=r[:, t], scratch=ws.t_1)
        # z[b,t,i] = sigmoid(az[b,t,i])
        _sigmoid(az[:, t], out=z[:, t], scratch=ws.t_1)
        # un[b,t,i] += Un[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Un.T, out=t_1)
        un[:, t] += t_1
        # an[b,t,i] += cn[i] + r[b,t,i]*un[b,t,i]
        np.multiply(r[:, t], un[:, t], out=t_1)
        t_1 += cn
        an[:, t] += t_1
        # n[b,t,i] = tanh(an[b,t,i])
        np.tanh(an[:, t], out=n[:, t])
        # az_arg[b,t,i] = -az[b,t,i]
        np.negative(az[:, t], out=az_arg[:, t])
        # az_arg_sigmoid[b,t,i] = sigmoid(az_arg[b,t,i])
        _sigmoid(az_arg[:, t], out=az_arg_sigmoid[:, t], scratch=ws.t_1)
        # h[b,t+1,i] = az_arg_sigmoid[b,t,i]*n[b,t,i] + h[b,t,i]*z[b,t,i]
        np.multiply(az_arg_sigmoid[:, t], n[:, t], out=h[:, t+1])
        np.multiply(h[:, t], z[:, t], out=t_1)
        h[:, t+1] += t_1
    # y[b,t,k] += V[k,i]*h[b,t+1,i] for t < T
    y = np.matmul(h[:, 1:T+1], V.T, out=ws.y)
    # y[b,t,k] += v0[k] for b < B, t < T
    y += v0
    # loss += (y[b,t,k] - target[b,t,k])**2/(B*T)
    t_2 = np.subtract(y, target, out=ws.t_2)
    np.square(t_2, out=t_2)
    loss = np.sum(t_2) / (B * T)
    return loss


def value_and_grad(params, *, x, target, workspace=None):
    """The loss and its gradient by Wr, Ur, cr, Wz, Uz, cz, Wn, Un, cn, en, V, v0.

    x: real[B, T, D]
    target: real[B, T, K]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    target = _real("target", target, 3)
    D, H, K = params._sizes.values()
    B = _length("B", "x", x, 0)
    T = _length("T", "x", x, 1)
    _shape("x", x, (B, T, D))
    _shape("target", target, (B, T, K))
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, T=T, D=D, H=H, K=K)
    x = _fit(ws, "x", x, dtype)
    target = _fit(ws, "target", target, dtype)
    grads = ws.grads
    Wr, Ur, cr, Wz, Uz, cz = params.Wr, params.Ur, params.cr, params.Wz, params.Uz, params.cz
    Wn, Un, cn, en, V, v0 = params.Wn, params.Un, params.cn, params.en, params.V, params.v0
    # ar[b,t,i] += Wr[i,d]*x[b,t,d]
    ar = ws.ar
    np.matmul(x.reshape(B * T, D), Wr.T, out=ar.reshape(B * T, H))
    # az[b,t,i] += Wz[i,d]*x[b,t,d]
    az = ws.az
    np.matmul(x.reshape(B * T, D), Wz.T, out=az.reshape(B * T, H))
    # az[b,t,i] += cz[i] for b < B, t < T
    az += cz
    # an[b,t,i] += Wn[i,d]*x[b,t,d]
    an = ws.an
    np.matmul(x.reshape(B * T, D), Wn.T, out=an.reshape(B * T, H))
    # ar[b,t,i] += cr[i] for b < B, t < T
    ar += cr
    # un[b,t,i] += en[i] for b < B, t < T
    un = ws.un
    np.copyto(un, en)
    h = ws.h
    h.fill(0.0)
    t_1, r, z, n, az_arg, az_arg_sigmoid = ws.t_1, ws.r, ws.z, ws.n, ws.az_arg, ws.az_arg_sigmoid
    for t in range(T):
        # ar[b,t,i] += Ur[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Ur.T, out=t_1)
        ar[:, t] += t_1
        # az[b,t,i] += Uz[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Uz.T, out=t_1)
        az[:, t] += t_1
        # r[b,t,i] = sigmoid(ar[b,t,i])
        _sigmoid(ar[:, t], out=r[:, t], scratch=ws.t_1)
        # z[b,t,i] = sigmoid(az[b,t,i])
        _sigmoid(az[:, t], out=z[:, t], scratch=ws.t_1)
        # un[b,t,i] += Un[i,j]*h[b,t,j] for b < B, t < T
        np.matmul(h[:, t], Un.T, out=t_1)
        un[:, t] += t_1
        # an[b,t,i] += cn[i] + r[b,t,i]*un[b,t,i]
        np.multiply(r[:, t], un[:, t], out=t_1)
        t_1 += cn
        an[:, t] += t_1
        # n[b,t,i] = tanh(an[b,t,i])
        np.tanh(an[:, t], out=n[:, t])
        # az_arg[b,t,i] = -az[b,t,i]
        np.negative(az[:, t], out=az_arg[:, t])
        # az_arg_sigmoid[b,t,i] = sigmoid(az_arg[b,t,i])
        _sigmoid(az_arg[:, t], out=az_arg_sigmoid[:, t], scratch=ws.t_1)
        # h[b,t+1,i] = az_arg_sigmoid[b,t,i]*n[b,t,i] + h[b,t,i]*z[b,t,i]
        np.multiply(az_arg_sigmoid[:, t], n[:, t], out=h[:, t+1])
        np.multiply(h[:, t], z[:, t], out=t_1)
        h[:, t+1] += t_1
    # y[b,t,k] += V[k,i]*h[b,t+1,i] for t < T
    y = np.matmul(h[:, 1:T+1], V.T, out=ws.y)
    # y[b,t,k] += v0[k] for b < B, t < T
    y += v0
    # loss += (y[b,t,k] - target[b,t,k])**2/(B*T)
    t_2 = np.subtract(y, target, out=ws.t_2)
    t_3 = np.square(t_2, out=ws.t_3)
    loss = np.sum(t_3) / (B * T)
    # dy[b,t,k] = 2*(y[b,t,k] - target[b,t,k])/(B*T)
    dy = np.multiply(t_2, 2.0 / (B * T), out=ws.dy)
    # dv0[k] += dy[b,t,k]
    np.sum(dy, axis=(0, 1), out=grads.v0)
    # dV[k,i] += dy[b,t,k]*h[b,t+1,i]
    h_copy = ws.h_copy
    np.copyto(h_copy, h[:, 1:T+1])
    np.matmul(dy.reshape(B * T, K).T, h_copy.reshape(B * T, H), out=grads.V)
    dh = ws.dh
    dh.fill(0.0)
    # dh[b,t+1,i] += dy[b,t,k]*V[k,i]
    np.matmul(dy, V, out=dh[:, 1:T+1])
    # ar_arg[b,t,i] = -ar[b,t,i]
    ar_arg = np.negative(ar, out=ws.ar_arg)
    # ar_arg_sigmoid[b,t,i] = sigmoid(ar_arg[b,t,i])
    ar_arg_sigmoid = _sigmoid(ar_arg, out=ws.ar_arg_sigmoid, scratch=ws.t_4)
    daz_arg_sigmoid, dn, dz, daz_arg, dan = ws.daz_arg_sigmoid, ws.dn, ws.dz, ws.daz_arg, ws.dan
    dr, dun, daz, dar = ws.dr, ws.dun, ws.daz, ws.dar
    for t in reversed(range(T)):
        # daz_arg_sigmoid[b,t,i] = dh[b,t+1,i]*n[b,t,i]
        np.multiply(dh[:, t+1], n[:, t], out=daz_arg_sigmoid[:, t])
        # dh[b,t,i] += dh[b,t+1,i]*z[b,t,i]
        np.multiply(dh[:, t+1], z[:, t], out=t_1)
        dh[:, t] += t_1
        # dn[b,t,i] = dh[b,t+1,i]*az_arg_sigmoid[b,t,i]
        np.multiply(az_arg_sigmoid[:, t], dh[:, t+1], out=dn[:, t])
        # dz[b,t,i] = dh[b,t+1,i]*h[b,t,i] for t < T
        np.multiply(dh[:, t+1], h[:, t], out=dz[:, t])
        # daz_arg[b,t,i] = daz_arg_sigmoid[b,t,i]*az_arg_sigmoid[b,t,i]*z[b,t,i]
        np.multiply(az_arg_sigmoid[:, t], daz_arg_sigmoid[:, t], out=daz_arg[:, t])
        daz_arg[:, t] *= z[:, t]
        # dan[b,t,i] = dn[b,t,i]*(1 - n[b,t,i]**2)
        np.square(n[:, t], out=dan[:, t])
        np.subtract(1.0, dan[:, t], out=dan[:, t])
        dan[:, t] *= dn[:, t]
        # dr[b,t,i] = dan[b,t,i]*un[b,t,i]
        np.multiply(dan[:, t], un[:, t], out=dr[:, t])
        # dun[b,t,i] = dan[b,t,i]*r[b,t,i]
        np.multiply(dan[:, t], r[:, t], out=dun[:, t])
        # dh[b,t,j] += dun[b,t,i]*Un[i,j]
        np.matmul(dun[:, t], Un, out=t_1)
        dh[:, t] += t_1
        # daz[b,t,i] += dz[b,t,i]*az_arg_sigmoid[b,t,i]*z[b,t,i]
        np.multiply(az_arg_sigmoid[:, t], dz[:, t], out=daz[:, t])
        daz[:, t] *= z[:, t]
        # daz[b,t,i] += -daz_arg[b,t,i]
        daz[:, t] -= daz_arg[:, t]
        # dar[b,t,i] = dr[b,t,i]*ar_arg_sigmoid[b,t,i]*r[b,t,i]
        np.multiply(ar_arg_sigmoid[:, t], dr[:, t], out=dar[:, t])
        dar[:, t] *= r[:, t]
        # dh[b,t,j] += daz[b,t,i]*Uz[i,j]
        np.matmul(daz[:, t], Uz, out=t_1)
        dh[:, t] += t_1
        # dh[b,t,j] += dar[b,t,i]*Ur[i,j]
        np.matmul(dar[:, t], Ur, out=t_1)
        dh[:, t] += t_1
    # dcn[i] += dan[b,t,i]
    np.sum(dan, axis=(0, 1), out=grads.cn)
    # dUn[i,j] += dun[b,t,i]*h[b,t,j]
    h_copy_2 = ws.h_copy_2
    np.copyto(h_copy_2, h[:, :T])
    np.matmul(dun.reshape(B * T, H).T, h_copy_2.reshape(B * T, H), out=grads.Un)
    # dUz[i,j] += daz[b,t,i]*h[b,t,j]
    np.matmul(daz.reshape(B * T, H).T, h_copy_2.reshape(B * T, H), out=grads.Uz)
    # dUr[i,j] += dar[b,t,i]*h[b,t,j]
    np.matmul(dar.reshape(B * T, H).T, h_copy_2.reshape(B * T, H), out=grads.Ur)
    # den[i] += dun[b,t,i]
    np.sum(dun, axis=(0, 1), out=grads.en)
    # dcr[i] += dar[b,t,i]
    np.sum(dar, axis=(0, 1), out=grads.cr)
    # dWn[i,d] += dan[b,t,i]*x[b,t,d]
    np.matmul(dan.reshape(B * T, H).T, x.reshape(B * T, D), out=grads.Wn)
    # dcz[i] += daz[b,t,i]
    np.sum(daz, axis=(0, 1), out=grads.cz)
    # dWz[i,d] += daz[b,t,i]*x[b,t,d]
    np.matmul(daz.reshape(B * T, H).T, x.reshape(B * T, D), out=grads.Wz)
    # dWr[i,d] += dar[b,t,i]*x[b,t,d]
    np.matmul(dar.reshape(B * T, H).T, x.reshape(B * T, D), out=grads.Wr)
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, T, D, H, K):
        self._copies = {}
        self.ar = np.empty((B, T, H), dtype)
        self.az = np.empty((B, T, H), dtype)
        self.r = np.empty((B, T, H), dtype)
        self.z = np.empty((B, T, H), dtype)
        self.un = np.empty((B, T, H), dtype)
        self.an = np.empty((B, T, H), dtype)
        self.n = np.empty((B, T, H), dtype)
        self.h = np.empty((B, T + 1, H), dtype)
        self.y = np.empty((B, T, K), dtype)
        self.az_arg = np.empty((B, T, H), dtype)
        self.az_arg_sigmoid = np.empty((B, T, H), dtype)
        self.t_1 = np.empty((B, H), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, T, D, H, K):
        self._copies = {}
        self.ar = np.empty((B, T, H), dtype)
        self.az = np.empty((B, T, H), dtype)
        self.r = np.empty((B, T, H), dtype)
        self.z = np.empty((B, T, H), dtype)
        self.un = np.empty((B, T, H), dtype)
        self.an = np.empty((B, T, H), dtype)
        self.n = np.empty((B, T, H), dtype)
        self.h = np.empty((B, T + 1, H), dtype)
        self.y = self.t_2 = np.empty((B, T, K), dtype)
        self.az_arg = np.empty((B, T, H), dtype)
        self.az_arg_sigmoid = np.empty((B, T, H), dtype)
        self.t_1 = np.empty((B, H), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, T, D, H, K):
        self._copies = {}
        self.ar = self.ar_arg = self.daz_arg_sigmoid = self.h_copy_2 = np.empty((B, T, H), dtype)
        self.az = self.h_copy = self.ar_arg_sigmoid = np.empty((B, T, H), dtype)
        self.r = np.empty((B, T, H), dtype)
        self.z = np.empty((B, T, H), dtype)
        self.un = np.empty((B, T, H), dtype)
        self.an = self.t_4 = self.dn = np.empty((B, T, H), dtype)
        self.n = np.empty((B, T, H), dtype)
        self.h = np.empty((B, T + 1, H), dtype)
        self.y = self.t_2 = self.dy = np.empty((B, T, K), dtype)
        self.az_arg = self.dz = np.empty((B, T, H), dtype)
        self.az_arg_sigmoid = np.empty((B, T, H), dtype)
        self.dh = np.empty((B, T + 1, H), dtype)
        self.daz_arg = np.empty((B, T, H), dtype)
        self.daz = np.empty((B, T, H), dtype)
        self.dan = np.empty((B, T, H), dtype)
        self.dr = np.empty((B, T, H), dtype)
        self.dun = np.empty((B, T, H), dtype)
        self.dar = np.empty((B, T, H), dtype)
        self.t_1 = np.empty((B, H), dtype)
        self.t_3 = np.empty((B, T, K), dtype)
        self.grads = Params(dtype, D=D, H=H, K=K)


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
