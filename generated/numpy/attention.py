"""attention: A block of causal multi-head self-attention with a residual connection, and a squared
error.

Forward
    q[b,t,h,i] += Wq[h,i,d]*x[b,t,d]
    k[b,t,h,i] += Wk[h,i,d]*x[b,t,d]
    v[b,t,h,i] += Wv[h,i,d]*x[b,t,d]
    s_sum[b,h,t,u] += k[b,u,h,i]*q[b,t,h,i]
    s[b,h,t,u] = where(u <= t, s_sum[b,h,t,u]/sqrt(K), -inf)
    lse[b,h,t] = logsumexp(u: s[b,h,t,u])
    p[b,h,t,u] = expdiff(s[b,h,t,u], lse[b,h,t])
    o[b,t,h,i] += p[b,h,t,u]*v[b,u,h,i]
    y[b,t,d] += Wo[d,h,i]*o[b,t,h,i]
    y[b,t,d] += x[b,t,d]
    loss += (y[b,t,d] - target[b,t,d])**2/(B*T)

Gradient (value_and_grad); dX stands for dL/dX.
    dy[b,t,d] = 2*(y[b,t,d] - target[b,t,d])/(B*T)
    dWo[d,h,i] += dy[b,t,d]*o[b,t,h,i]
    do[b,t,h,i] += dy[b,t,d]*Wo[d,h,i]
    dp[b,h,t,u] += do[b,t,h,i]*v[b,u,h,i]
    dv[b,u,h,i] += do[b,t,h,i]*p[b,h,t,u]
    dlse[b,h,t] += -dp[b,h,t,u]*p[b,h,t,u]
    ds[b,h,t,u] += dp[b,h,t,u]*p[b,h,t,u]
    ds[b,h,t,u] += dlse[b,h,t]*p[b,h,t,u]
    ds_sum[b,h,t,u] = where(u <= t, ds[b,h,t,u]/sqrt(K), 0)
    dk[b,u,h,i] += ds_sum[b,h,t,u]*q[b,t,h,i]
    dq[b,t,h,i] += ds_sum[b,h,t,u]*k[b,u,h,i]
    dWv[h,i,d] += dv[b,t,h,i]*x[b,t,d]
    dWk[h,i,d] += dk[b,t,h,i]*x[b,t,d]
    dWq[h,i,d] += dq[b,t,h,i]*x[b,t,d]

Shapes
    Wq: real[A, K, D]
    Wk: real[A, K, D]
    Wv: real[A, K, D]
    Wo: real[D, A, K]
    x: real[B, T, D]
    target: real[B, T, D]
    B: batch
    T: time steps

At kinks: there are none.
Held constant: what wrt does not name.
Reduction: loss is summed over b, d, t and divided by B*T.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "T": None, "D": 16, "A": 2, "K": 8}
PARAMETERS = {
    "Wq": {"axes": ("A", "K", "D"), "offset": 0, "shape": (2, 8, 16), "strides": (128, 16, 1)},
    "Wk": {"axes": ("A", "K", "D"), "offset": 256, "shape": (2, 8, 16), "strides": (128, 16, 1)},
    "Wv": {"axes": ("A", "K", "D"), "offset": 512, "shape": (2, 8, 16), "strides": (128, 16, 1)},
    "Wo": {"axes": ("D", "A", "K"), "offset": 768, "shape": (16, 2, 8), "strides": (16, 8, 1)},
}
INPUTS = {
    "x": "real[B, T, D]",
    "target": "real[B, T, D]",
}
OUTPUTS = {
    "forward": ("y",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": (
        "4 * A * B * D * K * T + 2 * A * B * K * T * T + 5 * A * B * T * T + B * D * "
        "T + T * T"
    ),
    "value": (
        "4 * A * B * D * K * T + 2 * A * B * K * T * T + 5 * A * B * T * T + 4 * B * "
        "D * T + T * T"
    ),
    "value_and_grad": (
        "9 * A * B * D * K * T + 6 * A * B * K * T * T + 10 * A * B * T * T + A * B * "
        "T + 5 * B * D * T + T * T"
    ),
}
SPEC_HASH = "38d8144f825d75569d001d84cbb33f05988532de400f6b70aa95985902a8ef13"
SPEC = r'''description = "A block of causal multi-head self-attention with a residual connection, and a squared error."
outputs = ["y"]
wrt = ["Wq", "Wk", "Wv", "Wo"]
equations = """
q[b,t,h,i] += Wq[h,i,d]*x[b,t,d]
k[b,t,h,i] += Wk[h,i,d]*x[b,t,d]
v[b,t,h,i] += Wv[h,i,d]*x[b,t,d]
s_sum[b,h,t,u] += k[b,u,h,i]*q[b,t,h,i]
s[b,h,t,u] = where(u <= t, s_sum[b,h,t,u]/sqrt(K), -inf)
lse[b,h,t] = logsumexp(u: s[b,h,t,u])
p[b,h,t,u] = expdiff(s[b,h,t,u], lse[b,h,t])
o[b,t,h,i] += p[b,h,t,u]*v[b,u,h,i]
y[b,t,d] += Wo[d,h,i]*o[b,t,h,i]
y[b,t,d] += x[b,t,d]
loss += (y[b,t,d] - target[b,t,d])**2/(B*T)
"""

[sizes]
B = "batch"
T = "time steps"
D = 16
A = 2
K = 8

[params]
Wq = "real[A, K, D]"
Wk = "real[A, K, D]"
Wv = "real[A, K, D]"
Wo = "real[D, A, K]"

[data]
x = "real[B, T, D]"
target = "real[B, T, D]"
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
    """Views on one vector `flat`: Wq (A, K, D), Wk (A, K, D), Wv (A, K, D), Wo (D, A, K)."""

    def __init__(self, flat, *, D=16, A=2, K=8):
        self._sizes = _sizes(D=D, A=A, K=K)
        self.flat = _vector(flat, 4 * A * D * K)
        _part = _parts(self.flat)
        self.Wq = _part(A, K, D)
        self.Wk = _part(A, K, D)
        self.Wv = _part(A, K, D)
        self.Wo = _part(D, A, K)
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, T, D=16, A=2, K=8):
        self.sizes = _sizes(B=B, T=T, D=D, A=A, K=K)
        self._memory = {}


def init(rng, *, D=16, A=2, K=8, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), D=D, A=A, K=K)
    params.Wq[...] = _uniform_fan_in(rng, (A, K, D))
    params.Wk[...] = _uniform_fan_in(rng, (A, K, D))
    params.Wv[...] = _uniform_fan_in(rng, (A, K, D))
    params.Wo[...] = _uniform_fan_in(rng, (D, A, K))
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
        D=_extent(arrays["Wq"], 2),
        A=_extent(arrays["Wq"], 0),
        K=_extent(arrays["Wq"], 1),
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
    D, A, K = params._sizes.values()
    B = _length("B", "x", x, 0)
    T = _length("T", "x", x, 1)
    _shape("x", x, (B, T, D))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, T=T, D=D, A=A, K=K)
    x = _fit(ws, "x", x, dtype)
    Wq, Wk, Wv, Wo = params.Wq, params.Wk, params.Wv, params.Wo
    # q[b,t,h,i] += Wq[h,i,d]*x[b,t,d]
    q = ws.q
    np.matmul(x.reshape(B * T, D), Wq.reshape(A * K, D).T, out=q.reshape(B * T, A * K))
    # k[b,t,h,i] += Wk[h,i,d]*x[b,t,d]
    k = ws.k
    np.matmul(x.reshape(B * T, D), Wk.reshape(A * K, D).T, out=k.reshape(B * T, A * K))
    # v[b,t,h,i] += Wv[h,i,d]*x[b,t,d]
    v = ws.v
    np.matmul(x.reshape(B * T, D), Wv.reshape(A * K, D).T, out=v.reshape(B * T, A * K))
    # s_sum[b,h,t,u] += k[b,u,h,i]*q[b,t,h,i]
    s_sum = np.matmul(q.transpose(0, 2, 1, 3), k.transpose(0, 2, 3, 1), out=ws.s_sum)
    # s[b,h,t,u] = where(u <= t, s_sum[b,h,t,u]/sqrt(K), -inf)
    t_1 = np.less_equal(ws.arange, ws.arange[:, None], out=ws.t_1)
    s = ws.s
    s.fill(-np.inf)
    np.divide(s_sum, float(np.sqrt(K)), out=s, where=t_1)
    # lse[b,h,t] = logsumexp(u: s[b,h,t,u])
    lse = _logsumexp(s, out=ws.lse, scratch=ws.t_2, total=ws.t_3)
    # p[b,h,t,u] = expdiff(s[b,h,t,u], lse[b,h,t])
    p = _expdiff(s, lse[..., None], out=ws.p)
    # o[b,t,h,i] += p[b,h,t,u]*v[b,u,h,i]
    o = ws.o
    np.matmul(p, v.transpose(0, 2, 1, 3), out=o.transpose(0, 2, 1, 3))
    # y[b,t,d] += Wo[d,h,i]*o[b,t,h,i]
    y = ws.y
    np.matmul(o.reshape(B * T, A * K), Wo.reshape(D, A * K).T, out=y.reshape(B * T, D))
    # y[b,t,d] += x[b,t,d]
    y += x
    return y


def value(params, *, x, target, workspace=None):
    """The loss.

    x: real[B, T, D]
    target: real[B, T, D]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    target = _real("target", target, 3)
    D, A, K = params._sizes.values()
    B = _length("B", "x", x, 0)
    T = _length("T", "x", x, 1)
    _shape("x", x, (B, T, D))
    _shape("target", target, (B, T, D))
    ws = _memory(workspace, _ValueMemory, dtype, B=B, T=T, D=D, A=A, K=K)
    x = _fit(ws, "x", x, dtype)
    target = _fit(ws, "target", target, dtype)
    Wq, Wk, Wv, Wo = params.Wq, params.Wk, params.Wv, params.Wo
    # q[b,t,h,i] += Wq[h,i,d]*x[b,t,d]
    q = ws.q
    np.matmul(x.reshape(B * T, D), Wq.reshape(A * K, D).T, out=q.reshape(B * T, A * K))
    # k[b,t,h,i] += Wk[h,i,d]*x[b,t,d]
    k = ws.k
    np.matmul(x.reshape(B * T, D), Wk.reshape(A * K, D).T, out=k.reshape(B * T, A * K))
    # v[b,t,h,i] += Wv[h,i,d]*x[b,t,d]
    v = ws.v
    np.matmul(x.reshape(B * T, D), Wv.reshape(A * K, D).T, out=v.reshape(B * T, A * K))
    # s_sum[b,h,t,u] += k[b,u,h,i]*q[b,t,h,i]
    s_sum = np.matmul(q.transpose(0, 2, 1, 3), k.transpose(0, 2, 3, 1), out=ws.s_sum)
    # s[b,h,t,u] = where(u <= t, s_sum[b,h,t,u]/sqrt(K), -inf)
    t_1 = np.less_equal(ws.arange, ws.arange[:, None], out=ws.t_1)
    s = ws.s
    s.fill(-np.inf)
    np.divide(s_sum, float(np.sqrt(K)), out=s, where=t_1)
    # lse[b,h,t] = logsumexp(u: s[b,h,t,u])
    lse = _logsumexp(s, out=ws.lse, scratch=ws.t_2, total=ws.t_3)
    # p[b,h,t,u] = expdiff(s[b,h,t,u], lse[b,h,t])
    p = _expdiff(s, lse[..., None], out=ws.p)
    # o[b,t,h,i] += p[b,h,t,u]*v[b,u,h,i]
    o = ws.o
    np.matmul(p, v.transpose(0, 2, 1, 3), out=o.transpose(0, 2, 1, 3))
    # y[b,t,d] += Wo[d,h,i]*o[b,t,h,i]
    y = ws.y
    np.matmul(o.reshape(B * T, A * K), Wo.reshape(D, A * K).T, out=y.reshape(B * T, D))
    # y[b,t,d] += x[b,t,d]
    y += x
    # loss += (y[b,t,d] - target[b,t,d])**2/(B*T)
    t_4 = np.subtract(y, target, out=ws.t_4)
    np.square(t_4, out=t_4)
    loss = np.sum(t_4) / (B * T)
    return loss


def value_and_grad(params, *, x, target, workspace=None):
    """The loss and its gradient by Wq, Wk, Wv, Wo.

    x: real[B, T, D]
    target: real[B, T, D]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    x = _real("x", x, 3)
    target = _real("target", target, 3)
    D, A, K = params._sizes.values()
    B = _length("B", "x", x, 0)
    T = _length("T", "x", x, 1)
    _shape("x", x, (B, T, D))
    _shape("target", target, (B, T, D))
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, T=T, D=D, A=A, K=K)
    x = _fit(ws, "x", x, dtype)
    target = _fit(ws, "target", target, dtype)
    grads = ws.grads
    Wq, Wk, Wv, Wo = params.Wq, params.Wk, params.Wv, params.Wo
    # q[b,t,h,i] += Wq[h,i,d]*x[b,t,d]
    q = ws.q
    np.matmul(x.reshape(B * T, D), Wq.reshape(A * K, D).T, out=q.reshape(B * T, A * K))
    # k[b,t,h,i] += Wk[h,i,d]*x[b,t,d]
    k = ws.k
    np.matmul(x.reshape(B * T, D), Wk.reshape(A * K, D).T, out=k.reshape(B * T, A * K))
    # v[b,t,h,i] += Wv[h,i,d]*x[b,t,d]
    v = ws.v
    np.matmul(x.reshape(B * T, D), Wv.reshape(A * K, D).T, out=v.reshape(B * T, A * K))
    # s_sum[b,h,t,u] += k[b,u,h,i]*q[b,t,h,i]
    s_sum = np.matmul(q.transpose(0, 2, 1, 3), k.transpose(0, 2, 3, 1), out=ws.s_sum)
    # s[b,h,t,u] = where(u <= t, s_sum[b,h,t,u]/sqrt(K), -inf)
    t_1 = np.less_equal(ws.arange, ws.arange[:, None], out=ws.t_1)
    s = ws.s
    s.fill(-np.inf)
    np.divide(s_sum, float(np.sqrt(K)), out=s, where=t_1)
    # lse[b,h,t] = logsumexp(u: s[b,h,t,u])
    lse = _logsumexp(s, out=ws.lse, scratch=ws.t_2, total=ws.t_3)
    # p[b,h,t,u] = expdiff(s[b,h,t,u], lse[b,h,t])
    p = _expdiff(s, lse[..., None], out=ws.p)
    # o[b,t,h,i] += p[b,h,t,u]*v[b,u,h,i]
    o = ws.o
    np.matmul(p, v.transpose(0, 2, 1, 3), out=o.transpose(0, 2, 1, 3))
    # y[b,t,d] += Wo[d,h,i]*o[b,t,h,i]
    y = ws.y
    np.matmul(o.reshape(B * T, A * K), Wo.reshape(D, A * K).T, out=y.reshape(B * T, D))
    # y[b,t,d] += x[b,t,d]
    y += x
    # loss += (y[b,t,d] - target[b,t,d])**2/(B*T)
    t_4 = np.subtract(y, target, out=ws.t_4)
    t_5 = np.square(t_4, out=ws.t_5)
    loss = np.sum(t_5) / (B * T)
    # dy[b,t,d] = 2*(y[b,t,d] - target[b,t,d])/(B*T)
    dy = np.multiply(t_4, 2.0 / (B * T), out=ws.dy)
    # dWo[d,h,i] += dy[b,t,d]*o[b,t,h,i]
    np.matmul(dy.reshape(B * T, D).T, o.reshape(B * T, A * K), out=grads.Wo.reshape(D, A * K))
    # do[b,t,h,i] += dy[b,t,d]*Wo[d,h,i]
    do = ws.do
    np.matmul(dy.reshape(B * T, D), Wo.reshape(D, A * K), out=do.reshape(B * T, A * K))
    # dp[b,h,t,u] += do[b,t,h,i]*v[b,u,h,i]
    dp = np.matmul(do.transpose(0, 2, 1, 3), v.transpose(0, 2, 3, 1), out=ws.dp)
    # dv[b,u,h,i] += do[b,t,h,i]*p[b,h,t,u]
    dv = ws.dv
    np.matmul(p.transpose(0, 1, 3, 2), do.transpose(0, 2, 1, 3), out=dv.transpose(0, 2, 1, 3))
    # dlse[b,h,t] += -dp[b,h,t,u]*p[b,h,t,u]
    t_6 = np.multiply(dp, p, out=ws.t_6)
    dlse = np.sum(t_6, axis=3, out=ws.dlse)
    np.negative(dlse, out=dlse)
    # ds[b,h,t,u] += dp[b,h,t,u]*p[b,h,t,u]
    # ds[b,h,t,u] += dlse[b,h,t]*p[b,h,t,u]
    t_2 = np.multiply(dlse[..., None], p, out=ws.t_2)
    ds = np.add(t_6, t_2, out=ws.ds)
    # ds_sum[b,h,t,u] = where(u <= t, ds[b,h,t,u]/sqrt(K), 0)
    ds_sum = ws.ds_sum
    ds_sum.fill(0.0)
    np.divide(ds, float(np.sqrt(K)), out=ds_sum, where=t_1)
    # dk[b,u,h,i] += ds_sum[b,h,t,u]*q[b,t,h,i]
    dk = ws.dk
    np.matmul(ds_sum.transpose(0, 1, 3, 2), q.transpose(0, 2, 1, 3), out=dk.transpose(0, 2, 1, 3))
    # dq[b,t,h,i] += ds_sum[b,h,t,u]*k[b,u,h,i]
    dq = ws.dq
    np.matmul(ds_sum, k.transpose(0, 2, 1, 3), out=dq.transpose(0, 2, 1, 3))
    # dWv[h,i,d] += dv[b,t,h,i]*x[b,t,d]
    np.matmul(dv.reshape(B * T, A * K).T, x.reshape(B * T, D), out=grads.Wv.reshape(A * K, D))
    # dWk[h,i,d] += dk[b,t,h,i]*x[b,t,d]
    np.matmul(dk.reshape(B * T, A * K).T, x.reshape(B * T, D), out=grads.Wk.reshape(A * K, D))
    # dWq[h,i,d] += dq[b,t,h,i]*x[b,t,d]
    np.matmul(dq.reshape(B * T, A * K).T, x.reshape(B * T, D), out=grads.Wq.reshape(A * K, D))
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, T, D, A, K):
        self._copies = {}
        self.q = self.o = np.empty((B, T, A, K), dtype)
        self.k = np.empty((B, T, A, K), dtype)
        self.v = np.empty((B, T, A, K), dtype)
        self.s_sum = self.t_2 = self.p = np.empty((B, A, T, T), dtype)
        self.s = np.empty((B, A, T, T), dtype)
        self.lse = np.empty((B, A, T), dtype)
        self.y = np.empty((B, T, D), dtype)
        self.t_1 = np.empty((T, T), np.bool_)
        self.arange = np.arange(T, dtype=dtype)
        self.t_3 = np.empty((B, A, T), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, T, D, A, K):
        self._copies = {}
        self.q = self.o = np.empty((B, T, A, K), dtype)
        self.k = np.empty((B, T, A, K), dtype)
        self.v = np.empty((B, T, A, K), dtype)
        self.s_sum = self.t_2 = self.p = np.empty((B, A, T, T), dtype)
        self.s = np.empty((B, A, T, T), dtype)
        self.lse = np.empty((B, A, T), dtype)
        self.y = self.t_4 = np.empty((B, T, D), dtype)
        self.t_1 = np.empty((T, T), np.bool_)
        self.arange = np.arange(T, dtype=dtype)
        self.t_3 = np.empty((B, A, T), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, T, D, A, K):
        self._copies = {}
        self.q = self.dq = np.empty((B, T, A, K), dtype)
        self.k = np.empty((B, T, A, K), dtype)
        self.v = self.dv = np.empty((B, T, A, K), dtype)
        self.s_sum = self.t_2 = self.p = self.ds = np.empty((B, A, T, T), dtype)
        self.s = self.dp = self.t_6 = self.ds_sum = np.empty((B, A, T, T), dtype)
        self.lse = self.dlse = np.empty((B, A, T), dtype)
        self.o = self.do = self.dk = np.empty((B, T, A, K), dtype)
        self.y = self.t_4 = self.dy = np.empty((B, T, D), dtype)
        self.t_1 = np.empty((T, T), np.bool_)
        self.arange = np.arange(T, dtype=dtype)
        self.t_3 = np.empty((B, A, T), dtype)
        self.t_5 = np.empty((B, T, D), dtype)
        self.grads = Params(dtype, D=D, A=A, K=K)


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
