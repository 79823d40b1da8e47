# ruff: noqa: E741, RUF100
"""nature_dqn: Deep Q-learning from pixels: the network of the Atari games, three convolutions and
two dense layers, for six actions, with a target network.

Forward
    q_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*q_W1[i,j,k,l] for u < 20, v < 20
    q_z1[b,i,u,v] += q_c1[i] for b < B, u < 20, v < 20
    q_h1[b,n,t,i] = relu(q_z1[b,n,t,i])
    q_z2[b,i,u,v] += q_W2[i,j,k,l]*q_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
    q_z2[b,i,u,v] += q_c2[i] for b < B, u < 9, v < 9
    q_h2[b,n,t,i] = relu(q_z2[b,n,t,i])
    q_z3[b,i,u,v] += q_W3[i,j,k,l]*q_h2[b,j,k+u,l+v] for u < 7, v < 7
    q_z3[b,i,u,v] += q_c3[i] for b < B, u < 7, v < 7
    q_h3[b,n,t,i] = relu(q_z3[b,n,t,i])
    q_f4[b,49*i+7*j+k] = q_h3[b,i,j,k]
    q_z5[b,i] += q_W5[i,j]*q_f4[b,j]
    q_z5[b,i] += q_c5[i] for b < B
    q_h5[b,i] = relu(q_z5[b,i])
    q[b,i] += q_W6[i,j]*q_h5[b,j]
    q[b,i] += q_c6[i] for b < B
    target_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*target_W1[i,j,k,l] for u < 20, v < 20
    target_z1[b,i,u,v] += target_c1[i] for b < B, u < 20, v < 20
    target_h1[b,n,t,i] = relu(target_z1[b,n,t,i])
    target_z2[b,i,u,v] += target_W2[i,j,k,l]*target_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
    target_z2[b,i,u,v] += target_c2[i] for b < B, u < 9, v < 9
    target_h2[b,n,t,i] = relu(target_z2[b,n,t,i])
    target_z3[b,i,u,v] += target_W3[i,j,k,l]*target_h2[b,j,k+u,l+v] for u < 7, v < 7
    target_z3[b,i,u,v] += target_c3[i] for b < B, u < 7, v < 7
    target_h3[b,n,t,i] = relu(target_z3[b,n,t,i])
    target_f4[b,49*i+7*j+k] = target_h3[b,i,j,k]
    target_z5[b,i] += target_W5[i,j]*target_f4[b,j]
    target_z5[b,i] += target_c5[i] for b < B
    target_h5[b,i] = relu(target_z5[b,i])
    target[b,i] += target_W6[i,j]*target_h5[b,j]
    target[b,i] += target_c6[i] for b < B

Loss td
    discount_t[b] = gamma*(1 - done[b])
    target_z1_next_obs[b,i,u,v] += next_obs[b,j,k+4*u,l+4*v]*target_W1[i,j,k,l] for u < 20, v < 20
    target_z1_next_obs[b,i,u,v] += target_c1[i] for b < B, u < 20, v < 20
    target_h1_next_obs[b,n,t,i] = relu(target_z1_next_obs[b,n,t,i])
    target_z2_next_obs[b,i,u,v] += target_W2[i,j,k,l]*target_h1_next_obs[b,j,k+2*u,l+2*v] for u < 9,
        v < 9
    target_z2_next_obs[b,i,u,v] += target_c2[i] for b < B, u < 9, v < 9
    target_h2_next_obs[b,n,t,i] = relu(target_z2_next_obs[b,n,t,i])
    target_z3_next_obs[b,i,u,v] += target_W3[i,j,k,l]*target_h2_next_obs[b,j,k+u,l+v] for u < 7, v <
        7
    target_z3_next_obs[b,i,u,v] += target_c3[i] for b < B, u < 7, v < 7
    target_h3_next_obs[b,n,t,i] = relu(target_z3_next_obs[b,n,t,i])
    target_f4_next_obs[b,49*i+7*j+k] = target_h3_next_obs[b,i,j,k]
    target_z5_next_obs[b,i] += target_W5[i,j]*target_f4_next_obs[b,j]
    target_z5_next_obs[b,i] += target_c5[i] for b < B
    target_h5_next_obs[b,i] = relu(target_z5_next_obs[b,i])
    target_next_obs[b,i] += target_W6[i,j]*target_h5_next_obs[b,j]
    target_next_obs[b,i] += target_c6[i] for b < B
    y_argmax[b] = argmax(a: target_next_obs[b,a])
    y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
    td[b] = q[b,action[b]] - y[b]
    loss += where(abs(td[b]) <= 1, 0.5*td[b]**2, abs(td[b]) - 0.5)/B

Gradient (value_and_grad); dX stands for dL/dX.
    td_abs[b] = abs(td[b])
    td_abs_where[b] = where(td_abs[b] <= 1, 0.5*td[b]**2, abs(td[b]) - 0.5)
    loss += td_abs_where[b]/B
    dtd_abs_where[b] = 1/B for b < B
    dtd[b] = where(td_abs[b] <= 1, dtd_abs_where[b]*td[b], where(0 < td[b], dtd_abs_where[b],
        where(td[b] < 0, -dtd_abs_where[b], 0)))
    dq[b,action[b]] += dtd[b]
    dq_c6[i] += dq[b,i]
    dq_W6[i,j] += dq[b,i]*q_h5[b,j]
    dq_h5[b,j] += dq[b,i]*q_W6[i,j]
    dq_z5[b,i] = where(0 < q_z5[b,i], dq_h5[b,i], 0)
    dq_c5[i] += dq_z5[b,i]
    dq_W5[i,j] += dq_z5[b,i]*q_f4[b,j]
    dq_f4[b,j] += dq_z5[b,i]*q_W5[i,j]
    dq_h3[b,i,j,k] = dq_f4[b,49*i+7*j+k] for i < 64, j < 7, k < 7
    dq_z3[b,n,t,i] = where(0 < q_z3[b,n,t,i], dq_h3[b,n,t,i], 0)
    dq_c3[i] += dq_z3[b,i,u,v]
    dq_W3[i,j,k,l] += dq_z3[b,i,u,v]*q_h2[b,j,k+u,l+v] for k < 3, l < 3
    dq_h2[b,j,k+u,l+v] += dq_z3[b,i,u,v]*q_W3[i,j,k,l]
    dq_z2[b,n,t,i] = where(0 < q_z2[b,n,t,i], dq_h2[b,n,t,i], 0)
    dq_c2[i] += dq_z2[b,i,u,v]
    dq_W2[i,j,k,l] += dq_z2[b,i,u,v]*q_h1[b,j,k+2*u,l+2*v] for k < 4, l < 4
    dq_h1[b,j,k+2*u,l+2*v] += dq_z2[b,i,u,v]*q_W2[i,j,k,l]
    dq_z1[b,n,t,i] = where(0 < q_z1[b,n,t,i], dq_h1[b,n,t,i], 0)
    dq_c1[i] += dq_z1[b,i,u,v]
    dq_W1[i,j,k,l] += dq_z1[b,i,u,v]*obs[b,j,k+4*u,l+4*v] for k < 8, l < 8

Shapes
    q_W1: real[32, 4, 8, 8]
    q_c1: real[32]
    q_W2: real[64, 32, 4, 4]
    q_c2: real[64]
    q_W3: real[64, 64, 3, 3]
    q_c3: real[64]
    q_W5: real[512, 3136]
    q_c5: real[512]
    q_W6: real[6, 512]
    q_c6: real[6]
    target_W1: real[32, 4, 8, 8]
    target_c1: real[32]
    target_W2: real[64, 32, 4, 4]
    target_c2: real[64]
    target_W3: real[64, 64, 3, 3]
    target_c3: real[64]
    target_W5: real[512, 3136]
    target_c5: real[512]
    target_W6: real[6, 512]
    target_c6: real[6]
    obs: real[B, 4, 84, 84]
    action: int[B] < 6
    reward: real[B]
    next_obs: real[B, 4, 84, 84]
    done: bool[B]
    gamma: real = 0.99
    B: transitions in the batch

At kinks: relu'(0) = 0; abs'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None}
PARAMETERS = {
    "q.W1": {
        "axes": ("32", "4", "8", "8"),
        "offset": 0,
        "shape": (32, 4, 8, 8),
        "strides": (256, 64, 8, 1),
    },
    "q.c1": {"axes": ("32",), "offset": 8192, "shape": (32,), "strides": (1,)},
    "q.W2": {
        "axes": ("64", "32", "4", "4"),
        "offset": 8224,
        "shape": (64, 32, 4, 4),
        "strides": (512, 16, 4, 1),
    },
    "q.c2": {"axes": ("64",), "offset": 40992, "shape": (64,), "strides": (1,)},
    "q.W3": {
        "axes": ("64", "64", "3", "3"),
        "offset": 41056,
        "shape": (64, 64, 3, 3),
        "strides": (576, 9, 3, 1),
    },
    "q.c3": {"axes": ("64",), "offset": 77920, "shape": (64,), "strides": (1,)},
    "q.W5": {"axes": ("512", "3136"), "offset": 77984, "shape": (512, 3136), "strides": (3136, 1)},
    "q.c5": {"axes": ("512",), "offset": 1683616, "shape": (512,), "strides": (1,)},
    "q.W6": {"axes": ("6", "512"), "offset": 1684128, "shape": (6, 512), "strides": (512, 1)},
    "q.c6": {"axes": ("6",), "offset": 1687200, "shape": (6,), "strides": (1,)},
    "target.W1": {
        "axes": ("32", "4", "8", "8"),
        "offset": 1687206,
        "shape": (32, 4, 8, 8),
        "strides": (256, 64, 8, 1),
    },
    "target.c1": {"axes": ("32",), "offset": 1695398, "shape": (32,), "strides": (1,)},
    "target.W2": {
        "axes": ("64", "32", "4", "4"),
        "offset": 1695430,
        "shape": (64, 32, 4, 4),
        "strides": (512, 16, 4, 1),
    },
    "target.c2": {"axes": ("64",), "offset": 1728198, "shape": (64,), "strides": (1,)},
    "target.W3": {
        "axes": ("64", "64", "3", "3"),
        "offset": 1728262,
        "shape": (64, 64, 3, 3),
        "strides": (576, 9, 3, 1),
    },
    "target.c3": {"axes": ("64",), "offset": 1765126, "shape": (64,), "strides": (1,)},
    "target.W5": {
        "axes": ("512", "3136"), "offset": 1765190, "shape": (512, 3136), "strides": (3136, 1)
    },
    "target.c5": {"axes": ("512",), "offset": 3370822, "shape": (512,), "strides": (1,)},
    "target.W6": {"axes": ("6", "512"), "offset": 3371334, "shape": (6, 512), "strides": (512, 1)},
    "target.c6": {"axes": ("6",), "offset": 3374406, "shape": (6,), "strides": (1,)},
}
LAYERS = {
    "q": (
        {"weight": "q.W1", "bias": "q.c1"},
        {"weight": "q.W2", "bias": "q.c2"},
        {"weight": "q.W3", "bias": "q.c3"},
        {"weight": "q.W5", "bias": "q.c5"},
        {"weight": "q.W6", "bias": "q.c6"},
    ),
    "target": (
        {"weight": "target.W1", "bias": "target.c1"},
        {"weight": "target.W2", "bias": "target.c2"},
        {"weight": "target.W3", "bias": "target.c3"},
        {"weight": "target.W5", "bias": "target.c5"},
        {"weight": "target.W6", "bias": "target.c6"},
    ),
}
INPUTS = {
    "obs": "real[B, 4, 84, 84]",
    "action": "int[B] < 6",
    "reward": "real[B]",
    "next_obs": "real[B, 4, 84, 84]",
    "done": "bool[B]",
    "gamma": "real = 0.99",
}
OUTPUTS = {
    "q_forward": ("q",),
    "target_forward": ("target",),
}
BRANCHES = ()
OPERATIONS = {
    "q_forward": "9389318 * B",
    "target_forward": "9389318 * B",
    "value": "18778647 * B",
    "value_and_grad": "34306913 * B",
}
SPEC_HASH = "27e92edf3a75d37f71b9dcfd6de21f87fd9f78b4b18bf35d18cd54e637e4e2d7"
SPEC = r'''description = "Deep Q-learning from pixels: the network of the Atari games, three convolutions and two dense layers, for six actions, with a target network."
equations = """
q_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*q_W1[i,j,k,l] for u < 20, v < 20
q_z1[b,i,u,v] += q_c1[i] for b < B, u < 20, v < 20
q_h1[b,n,t,i] = relu(q_z1[b,n,t,i])
q_z2[b,i,u,v] += q_W2[i,j,k,l]*q_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
q_z2[b,i,u,v] += q_c2[i] for b < B, u < 9, v < 9
q_h2[b,n,t,i] = relu(q_z2[b,n,t,i])
q_z3[b,i,u,v] += q_W3[i,j,k,l]*q_h2[b,j,k+u,l+v] for u < 7, v < 7
q_z3[b,i,u,v] += q_c3[i] for b < B, u < 7, v < 7
q_h3[b,n,t,i] = relu(q_z3[b,n,t,i])
q_f4[b,49*i+7*j+k] = q_h3[b,i,j,k]
q_z5[b,i] += q_W5[i,j]*q_f4[b,j]
q_z5[b,i] += q_c5[i] for b < B
q_h5[b,i] = relu(q_z5[b,i])
q[b,i] += q_W6[i,j]*q_h5[b,j]
q[b,i] += q_c6[i] for b < B
target_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*target_W1[i,j,k,l] for u < 20, v < 20
target_z1[b,i,u,v] += target_c1[i] for b < B, u < 20, v < 20
target_h1[b,n,t,i] = relu(target_z1[b,n,t,i])
target_z2[b,i,u,v] += target_W2[i,j,k,l]*target_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
target_z2[b,i,u,v] += target_c2[i] for b < B, u < 9, v < 9
target_h2[b,n,t,i] = relu(target_z2[b,n,t,i])
target_z3[b,i,u,v] += target_W3[i,j,k,l]*target_h2[b,j,k+u,l+v] for u < 7, v < 7
target_z3[b,i,u,v] += target_c3[i] for b < B, u < 7, v < 7
target_h3[b,n,t,i] = relu(target_z3[b,n,t,i])
target_f4[b,49*i+7*j+k] = target_h3[b,i,j,k]
target_z5[b,i] += target_W5[i,j]*target_f4[b,j]
target_z5[b,i] += target_c5[i] for b < B
target_h5[b,i] = relu(target_z5[b,i])
target[b,i] += target_W6[i,j]*target_h5[b,j]
target[b,i] += target_c6[i] for b < B
"""

[sizes]
B = "transitions in the batch"

[params.q]
W1 = "real[32, 4, 8, 8] init=uniform_fan_in"
c1 = "real[32] init=zeros"
W2 = "real[64, 32, 4, 4] init=uniform_fan_in"
c2 = "real[64] init=zeros"
W3 = "real[64, 64, 3, 3] init=uniform_fan_in"
c3 = "real[64] init=zeros"
W5 = "real[512, 3136] init=uniform_fan_in"
c5 = "real[512] init=zeros"
W6 = "real[6, 512] init=uniform_fan_in"
c6 = "real[6] init=zeros"

[params.target]
W1 = "real[32, 4, 8, 8] init=copy(q_W1)"
c1 = "real[32] init=copy(q_c1)"
W2 = "real[64, 32, 4, 4] init=copy(q_W2)"
c2 = "real[64] init=copy(q_c2)"
W3 = "real[64, 64, 3, 3] init=copy(q_W3)"
c3 = "real[64] init=copy(q_c3)"
W5 = "real[512, 3136] init=copy(q_W5)"
c5 = "real[512] init=copy(q_c5)"
W6 = "real[6, 512] init=copy(q_W6)"
c6 = "real[6] init=copy(q_c6)"

[data]
obs = "real[B, 4, 84, 84]"
action = "int[B] < 6"
reward = "real[B]"
next_obs = "real[B, 4, 84, 84]"
done = "bool[B]"
gamma = "real = 0.99"

[losses.td]
wrt = ["q_W1", "q_c1", "q_W2", "q_c2", "q_W3", "q_c3", "q_W5", "q_c5", "q_W6", "q_c6"]
aux = ["td"]
equations = """
discount_t[b] = gamma*(1 - done[b])
target_z1_next_obs[b,i,u,v] += next_obs[b,j,k+4*u,l+4*v]*target_W1[i,j,k,l] for u < 20, v < 20
target_z1_next_obs[b,i,u,v] += target_c1[i] for b < B, u < 20, v < 20
target_h1_next_obs[b,n,t,i] = relu(target_z1_next_obs[b,n,t,i])
target_z2_next_obs[b,i,u,v] += target_W2[i,j,k,l]*target_h1_next_obs[b,j,k+2*u,l+2*v] for u < 9, v < 9
target_z2_next_obs[b,i,u,v] += target_c2[i] for b < B, u < 9, v < 9
target_h2_next_obs[b,n,t,i] = relu(target_z2_next_obs[b,n,t,i])
target_z3_next_obs[b,i,u,v] += target_W3[i,j,k,l]*target_h2_next_obs[b,j,k+u,l+v] for u < 7, v < 7
target_z3_next_obs[b,i,u,v] += target_c3[i] for b < B, u < 7, v < 7
target_h3_next_obs[b,n,t,i] = relu(target_z3_next_obs[b,n,t,i])
target_f4_next_obs[b,49*i+7*j+k] = target_h3_next_obs[b,i,j,k]
target_z5_next_obs[b,i] += target_W5[i,j]*target_f4_next_obs[b,j]
target_z5_next_obs[b,i] += target_c5[i] for b < B
target_h5_next_obs[b,i] = relu(target_z5_next_obs[b,i])
target_next_obs[b,i] += target_W6[i,j]*target_h5_next_obs[b,j]
target_next_obs[b,i] += target_c6[i] for b < B
y_argmax[b] = argmax(a: target_next_obs[b,a])
y[b] = stop(discount_t[b]*target_next_obs[b,y_argmax[b]] + reward[b])
td[b] = q[b,action[b]] - y[b]
loss += where(abs(td[b]) <= 1, 0.5*td[b]**2, abs(td[b]) - 0.5)/B
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
    """Views on one vector `flat`: q.W1 (32, 4, 8, 8), q.c1 (32,), q.W2 (64, 32, 4, 4), q.c2 (64,),
    q.W3 (64, 64, 3, 3), q.c3 (64,), q.W5 (512, 3136), q.c5 (512,), q.W6 (6, 512), q.c6 (6,),
    target.W1 (32, 4, 8, 8), target.c1 (32,), target.W2 (64, 32, 4, 4), target.c2 (64,),
    target.W3 (64, 64, 3, 3), target.c3 (64,), target.W5 (512, 3136), target.c5 (512,),
    target.W6 (6, 512), target.c6 (6,).
    """

    def __init__(self, flat):
        self._sizes = _sizes()
        self.flat = _vector(flat, 3374412)
        _part = _parts(self.flat)
        self.q = _Group(
            _part(1687206),
            W1=(32, 4, 8, 8),
            c1=(32,),
            W2=(64, 32, 4, 4),
            c2=(64,),
            W3=(64, 64, 3, 3),
            c3=(64,),
            W5=(512, 3136),
            c5=(512,),
            W6=(6, 512),
            c6=(6,),
        )
        self.target = _Group(
            _part(1687206),
            W1=(32, 4, 8, 8),
            c1=(32,),
            W2=(64, 32, 4, 4),
            c2=(64,),
            W3=(64, 64, 3, 3),
            c3=(64,),
            W5=(512, 3136),
            c5=(512,),
            W6=(6, 512),
            c6=(6,),
        )
        self._closed = True


class Gradients(_Views):
    """Views on one vector `flat`: q.W1 (32, 4, 8, 8), q.c1 (32,), q.W2 (64, 32, 4, 4), q.c2 (64,),
    q.W3 (64, 64, 3, 3), q.c3 (64,), q.W5 (512, 3136), q.c5 (512,), q.W6 (6, 512), q.c6 (6,).
    """

    def __init__(self, flat):
        self._sizes = _sizes()
        self.flat = _vector(flat, 1687206)
        _part = _parts(self.flat)
        self.q = _Group(
            _part(1687206),
            W1=(32, 4, 8, 8),
            c1=(32,),
            W2=(64, 32, 4, 4),
            c2=(64,),
            W3=(64, 64, 3, 3),
            c3=(64,),
            W5=(512, 3136),
            c5=(512,),
            W6=(6, 512),
            c6=(6,),
        )
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
    params.q.W1[...] = _uniform_fan_in(rng, (32, 4, 8, 8))
    params.q.c1[...] = 0.0
    params.q.W2[...] = _uniform_fan_in(rng, (64, 32, 4, 4))
    params.q.c2[...] = 0.0
    params.q.W3[...] = _uniform_fan_in(rng, (64, 64, 3, 3))
    params.q.c3[...] = 0.0
    params.q.W5[...] = _uniform_fan_in(rng, (512, 3136))
    params.q.c5[...] = 0.0
    params.q.W6[...] = _uniform_fan_in(rng, (6, 512))
    params.q.c6[...] = 0.0
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
    params = Params(np.result_type(*(arrays[name] for name in PARAMETERS)))
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

    obs: real[B, 4, 84, 84]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 4)
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4, 84, 84))
    ws = _memory(workspace, _QForwardMemory, dtype, B=B)
    obs = _fit(ws, "obs", obs, dtype)
    q_W1, q_c1, q_W2, q_c2, q_W3 = params.q.W1, params.q.c1, params.q.W2, params.q.c2, params.q.W3
    q_c3, q_W5, q_c5, q_W6, q_c6 = params.q.c3, params.q.W5, params.q.c5, params.q.W6, params.q.c6
    # q_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*q_W1[i,j,k,l] for u < 20, v < 20
    obs_windows = ws.obs_windows
    np.copyto(
        obs_windows,
        _view(
            obs,
            start=(0, 0, 0, 0),
            shape=(B, 4, 8, 8, 20, 20),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 4, 0), (0, 0, 0, 4)
            ),
        ),
    )
    q_z1 = ws.q_z1
    np.matmul(
        q_W1.reshape(32, 4 * 8 * 8),
        obs_windows.reshape(B, 4 * 8 * 8, 20 * 20),
        out=q_z1.reshape(B, 32, 20 * 20),
    )
    # q_z1[b,i,u,v] += q_c1[i] for b < B, u < 20, v < 20
    q_z1 += q_c1[:, None, None]
    # q_h1[b,n,t,i] = relu(q_z1[b,n,t,i])
    q_h1 = np.maximum(q_z1, 0.0, out=ws.q_h1)
    # q_z2[b,i,u,v] += q_W2[i,j,k,l]*q_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
    q_h1_windows = ws.q_h1_windows
    np.copyto(
        q_h1_windows,
        _view(
            q_h1,
            start=(0, 0, 0, 0),
            shape=(B, 32, 4, 4, 9, 9),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 2, 0), (0, 0, 0, 2)
            ),
        ),
    )
    q_z2 = ws.q_z2
    np.matmul(
        q_W2.reshape(64, 32 * 4 * 4),
        q_h1_windows.reshape(B, 32 * 4 * 4, 9 * 9),
        out=q_z2.reshape(B, 64, 9 * 9),
    )
    # q_z2[b,i,u,v] += q_c2[i] for b < B, u < 9, v < 9
    q_z2 += q_c2[:, None, None]
    # q_h2[b,n,t,i] = relu(q_z2[b,n,t,i])
    q_h2 = np.maximum(q_z2, 0.0, out=ws.q_h2)
    # q_z3[b,i,u,v] += q_W3[i,j,k,l]*q_h2[b,j,k+u,l+v] for u < 7, v < 7
    q_h2_windows = ws.q_h2_windows
    np.copyto(
        q_h2_windows,
        _view(
            q_h2,
            start=(0, 0, 0, 0),
            shape=(B, 64, 3, 3, 7, 7),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    q_z3 = ws.q_z3
    np.matmul(
        q_W3.reshape(64, 64 * 3 * 3),
        q_h2_windows.reshape(B, 64 * 3 * 3, 7 * 7),
        out=q_z3.reshape(B, 64, 7 * 7),
    )
    # q_z3[b,i,u,v] += q_c3[i] for b < B, u < 7, v < 7
    q_z3 += q_c3[:, None, None]
    # q_h3[b,n,t,i] = relu(q_z3[b,n,t,i])
    q_h3 = np.maximum(q_z3, 0.0, out=ws.q_h3)
    # q_f4[b,49*i+7*j+k] = q_h3[b,i,j,k]
    q_f4 = ws.q_f4
    np.copyto(q_f4.reshape(B, 64, 7, 7), q_h3)
    # q_z5[b,i] += q_W5[i,j]*q_f4[b,j]
    q_z5 = np.matmul(q_f4, q_W5.T, out=ws.q_z5)
    # q_z5[b,i] += q_c5[i] for b < B
    q_z5 += q_c5
    # q_h5[b,i] = relu(q_z5[b,i])
    q_h5 = np.maximum(q_z5, 0.0, out=ws.q_h5)
    # q[b,i] += q_W6[i,j]*q_h5[b,j]
    q = np.matmul(q_h5, q_W6.T, out=ws.q)
    # q[b,i] += q_c6[i] for b < B
    q += q_c6
    return q


def target_forward(params, obs, *, workspace=None):
    """The output target.

    obs: real[B, 4, 84, 84]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 4)
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4, 84, 84))
    ws = _memory(workspace, _TargetForwardMemory, dtype, B=B)
    obs = _fit(ws, "obs", obs, dtype)
    target_W1, target_c1, target_W2 = params.target.W1, params.target.c1, params.target.W2
    target_c2, target_W3, target_c3 = params.target.c2, params.target.W3, params.target.c3
    target_W5, target_c5, target_W6 = params.target.W5, params.target.c5, params.target.W6
    target_c6 = params.target.c6
    # target_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*target_W1[i,j,k,l] for u < 20, v < 20
    obs_windows = ws.obs_windows
    np.copyto(
        obs_windows,
        _view(
            obs,
            start=(0, 0, 0, 0),
            shape=(B, 4, 8, 8, 20, 20),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 4, 0), (0, 0, 0, 4)
            ),
        ),
    )
    target_z1 = ws.target_z1
    np.matmul(
        target_W1.reshape(32, 4 * 8 * 8),
        obs_windows.reshape(B, 4 * 8 * 8, 20 * 20),
        out=target_z1.reshape(B, 32, 20 * 20),
    )
    # target_z1[b,i,u,v] += target_c1[i] for b < B, u < 20, v < 20
    target_z1 += target_c1[:, None, None]
    # target_h1[b,n,t,i] = relu(target_z1[b,n,t,i])
    target_h1 = np.maximum(target_z1, 0.0, out=ws.target_h1)
    # target_z2[b,i,u,v] += target_W2[i,j,k,l]*target_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
    target_h1_windows = ws.target_h1_windows
    np.copyto(
        target_h1_windows,
        _view(
            target_h1,
            start=(0, 0, 0, 0),
            shape=(B, 32, 4, 4, 9, 9),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 2, 0), (0, 0, 0, 2)
            ),
        ),
    )
    target_z2 = ws.target_z2
    np.matmul(
        target_W2.reshape(64, 32 * 4 * 4),
        target_h1_windows.reshape(B, 32 * 4 * 4, 9 * 9),
        out=target_z2.reshape(B, 64, 9 * 9),
    )
    # target_z2[b,i,u,v] += target_c2[i] for b < B, u < 9, v < 9
    target_z2 += target_c2[:, None, None]
    # target_h2[b,n,t,i] = relu(target_z2[b,n,t,i])
    target_h2 = np.maximum(target_z2, 0.0, out=ws.target_h2)
    # target_z3[b,i,u,v] += target_W3[i,j,k,l]*target_h2[b,j,k+u,l+v] for u < 7, v < 7
    target_h2_windows = ws.target_h2_windows
    np.copyto(
        target_h2_windows,
        _view(
            target_h2,
            start=(0, 0, 0, 0),
            shape=(B, 64, 3, 3, 7, 7),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    target_z3 = ws.target_z3
    np.matmul(
        target_W3.reshape(64, 64 * 3 * 3),
        target_h2_windows.reshape(B, 64 * 3 * 3, 7 * 7),
        out=target_z3.reshape(B, 64, 7 * 7),
    )
    # target_z3[b,i,u,v] += target_c3[i] for b < B, u < 7, v < 7
    target_z3 += target_c3[:, None, None]
    # target_h3[b,n,t,i] = relu(target_z3[b,n,t,i])
    target_h3 = np.maximum(target_z3, 0.0, out=ws.target_h3)
    # target_f4[b,49*i+7*j+k] = target_h3[b,i,j,k]
    target_f4 = ws.target_f4
    np.copyto(target_f4.reshape(B, 64, 7, 7), target_h3)
    # target_z5[b,i] += target_W5[i,j]*target_f4[b,j]
    target_z5 = np.matmul(target_f4, target_W5.T, out=ws.target_z5)
    # target_z5[b,i] += target_c5[i] for b < B
    target_z5 += target_c5
    # target_h5[b,i] = relu(target_z5[b,i])
    target_h5 = np.maximum(target_z5, 0.0, out=ws.target_h5)
    # target[b,i] += target_W6[i,j]*target_h5[b,j]
    target = np.matmul(target_h5, target_W6.T, out=ws.target)
    # target[b,i] += target_c6[i] for b < B
    target += target_c6
    return target


def value(params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None):
    """The loss.

    obs: real[B, 4, 84, 84]
    action: int[B] < 6
    reward: real[B]
    next_obs: real[B, 4, 84, 84]
    done: bool[B]
    gamma: real = 0.99

    Returns (loss, aux); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 4)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 4)
    done = _boolean("done", done, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4, 84, 84))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4, 84, 84))
    _shape("done", done, (B,))
    _below("action", action, 6)
    ws = _memory(workspace, _ValueMemory, dtype, B=B)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    q_W1, q_c1, q_W2, q_c2, q_W3 = params.q.W1, params.q.c1, params.q.W2, params.q.c2, params.q.W3
    q_c3, q_W5, q_c5, q_W6, q_c6 = params.q.c3, params.q.W5, params.q.c5, params.q.W6, params.q.c6
    target_W1, target_c1, target_W2 = params.target.W1, params.target.c1, params.target.W2
    target_c2, target_W3, target_c3 = params.target.c2, params.target.W3, params.target.c3
    target_W5, target_c5, target_W6 = params.target.W5, params.target.c5, params.target.W6
    target_c6 = params.target.c6
    # q_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*q_W1[i,j,k,l] for u < 20, v < 20
    obs_windows = ws.obs_windows
    np.copyto(
        obs_windows,
        _view(
            obs,
            start=(0, 0, 0, 0),
            shape=(B, 4, 8, 8, 20, 20),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 4, 0), (0, 0, 0, 4)
            ),
        ),
    )
    q_z1 = ws.q_z1
    np.matmul(
        q_W1.reshape(32, 4 * 8 * 8),
        obs_windows.reshape(B, 4 * 8 * 8, 20 * 20),
        out=q_z1.reshape(B, 32, 20 * 20),
    )
    # q_z1[b,i,u,v] += q_c1[i] for b < B, u < 20, v < 20
    q_z1 += q_c1[:, None, None]
    # q_h1[b,n,t,i] = relu(q_z1[b,n,t,i])
    q_h1 = np.maximum(q_z1, 0.0, out=ws.q_h1)
    # q_z2[b,i,u,v] += q_W2[i,j,k,l]*q_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
    q_h1_windows = ws.q_h1_windows
    np.copyto(
        q_h1_windows,
        _view(
            q_h1,
            start=(0, 0, 0, 0),
            shape=(B, 32, 4, 4, 9, 9),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 2, 0), (0, 0, 0, 2)
            ),
        ),
    )
    q_z2 = ws.q_z2
    np.matmul(
        q_W2.reshape(64, 32 * 4 * 4),
        q_h1_windows.reshape(B, 32 * 4 * 4, 9 * 9),
        out=q_z2.reshape(B, 64, 9 * 9),
    )
    # q_z2[b,i,u,v] += q_c2[i] for b < B, u < 9, v < 9
    q_z2 += q_c2[:, None, None]
    # q_h2[b,n,t,i] = relu(q_z2[b,n,t,i])
    q_h2 = np.maximum(q_z2, 0.0, out=ws.q_h2)
    # q_z3[b,i,u,v] += q_W3[i,j,k,l]*q_h2[b,j,k+u,l+v] for u < 7, v < 7
    q_h2_windows = ws.q_h2_windows
    np.copyto(
        q_h2_windows,
        _view(
            q_h2,
            start=(0, 0, 0, 0),
            shape=(B, 64, 3, 3, 7, 7),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    q_z3 = ws.q_z3
    np.matmul(
        q_W3.reshape(64, 64 * 3 * 3),
        q_h2_windows.reshape(B, 64 * 3 * 3, 7 * 7),
        out=q_z3.reshape(B, 64, 7 * 7),
    )
    # q_z3[b,i,u,v] += q_c3[i] for b < B, u < 7, v < 7
    q_z3 += q_c3[:, None, None]
    # q_h3[b,n,t,i] = relu(q_z3[b,n,t,i])
    q_h3 = np.maximum(q_z3, 0.0, out=ws.q_h3)
    # q_f4[b,49*i+7*j+k] = q_h3[b,i,j,k]
    q_f4 = ws.q_f4
    np.copyto(q_f4.reshape(B, 64, 7, 7), q_h3)
    # q_z5[b,i] += q_W5[i,j]*q_f4[b,j]
    q_z5 = np.matmul(q_f4, q_W5.T, out=ws.q_z5)
    # q_z5[b,i] += q_c5[i] for b < B
    q_z5 += q_c5
    # q_h5[b,i] = relu(q_z5[b,i])
    q_h5 = np.maximum(q_z5, 0.0, out=ws.q_h5)
    # q[b,i] += q_W6[i,j]*q_h5[b,j]
    q = np.matmul(q_h5, q_W6.T, out=ws.q)
    # q[b,i] += q_c6[i] for b < B
    q += q_c6
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # target_z1_next_obs[b,i,u,v] += next_obs[b,j,k+4*u,l+4*v]*target_W1[i,j,k,l] for u < 20, v < 20
    next_obs_windows = ws.next_obs_windows
    np.copyto(
        next_obs_windows,
        _view(
            next_obs,
            start=(0, 0, 0, 0),
            shape=(B, 4, 8, 8, 20, 20),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 4, 0), (0, 0, 0, 4)
            ),
        ),
    )
    target_z1_next_obs = ws.target_z1_next_obs
    np.matmul(
        target_W1.reshape(32, 4 * 8 * 8),
        next_obs_windows.reshape(B, 4 * 8 * 8, 20 * 20),
        out=target_z1_next_obs.reshape(B, 32, 20 * 20),
    )
    # target_z1_next_obs[b,i,u,v] += target_c1[i] for b < B, u < 20, v < 20
    target_z1_next_obs += target_c1[:, None, None]
    # target_h1_next_obs[b,n,t,i] = relu(target_z1_next_obs[b,n,t,i])
    target_h1_next_obs = np.maximum(target_z1_next_obs, 0.0, out=ws.target_h1_next_obs)
    # target_z2_next_obs[b,i,u,v] += target_W2[i,j,k,l]*target_h1_next_obs[b,j,k+2*u,l+2*v] for u <
    #     9, v < 9
    target_h1_next_obs_windows = ws.target_h1_next_obs_windows
    np.copyto(
        target_h1_next_obs_windows,
        _view(
            target_h1_next_obs,
            start=(0, 0, 0, 0),
            shape=(B, 32, 4, 4, 9, 9),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 2, 0), (0, 0, 0, 2)
            ),
        ),
    )
    target_z2_next_obs = ws.target_z2_next_obs
    np.matmul(
        target_W2.reshape(64, 32 * 4 * 4),
        target_h1_next_obs_windows.reshape(B, 32 * 4 * 4, 9 * 9),
        out=target_z2_next_obs.reshape(B, 64, 9 * 9),
    )
    # target_z2_next_obs[b,i,u,v] += target_c2[i] for b < B, u < 9, v < 9
    target_z2_next_obs += target_c2[:, None, None]
    # target_h2_next_obs[b,n,t,i] = relu(target_z2_next_obs[b,n,t,i])
    target_h2_next_obs = np.maximum(target_z2_next_obs, 0.0, out=ws.target_h2_next_obs)
    # target_z3_next_obs[b,i,u,v] += target_W3[i,j,k,l]*target_h2_next_obs[b,j,k+u,l+v] for u < 7, v
    #     < 7
    target_h2_next_obs_windows = ws.target_h2_next_obs_windows
    np.copyto(
        target_h2_next_obs_windows,
        _view(
            target_h2_next_obs,
            start=(0, 0, 0, 0),
            shape=(B, 64, 3, 3, 7, 7),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    target_z3_next_obs = ws.target_z3_next_obs
    np.matmul(
        target_W3.reshape(64, 64 * 3 * 3),
        target_h2_next_obs_windows.reshape(B, 64 * 3 * 3, 7 * 7),
        out=target_z3_next_obs.reshape(B, 64, 7 * 7),
    )
    # target_z3_next_obs[b,i,u,v] += target_c3[i] for b < B, u < 7, v < 7
    target_z3_next_obs += target_c3[:, None, None]
    # target_h3_next_obs[b,n,t,i] = relu(target_z3_next_obs[b,n,t,i])
    target_h3_next_obs = np.maximum(target_z3_next_obs, 0.0, out=ws.target_h3_next_obs)
    # target_f4_next_obs[b,49*i+7*j+k] = target_h3_next_obs[b,i,j,k]
    target_f4_next_obs = ws.target_f4_next_obs
    np.copyto(target_f4_next_obs.reshape(B, 64, 7, 7), target_h3_next_obs)
    # target_z5_next_obs[b,i] += target_W5[i,j]*target_f4_next_obs[b,j]
    target_z5_next_obs = np.matmul(target_f4_next_obs, target_W5.T, out=ws.target_z5_next_obs)
    # target_z5_next_obs[b,i] += target_c5[i] for b < B
    target_z5_next_obs += target_c5
    # target_h5_next_obs[b,i] = relu(target_z5_next_obs[b,i])
    target_h5_next_obs = np.maximum(target_z5_next_obs, 0.0, out=ws.target_h5_next_obs)
    # target_next_obs[b,i] += target_W6[i,j]*target_h5_next_obs[b,j]
    target_next_obs = np.matmul(target_h5_next_obs, target_W6.T, out=ws.target_next_obs)
    # target_next_obs[b,i] += target_c6[i] for b < B
    target_next_obs += target_c6
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
    # td_abs[b] = abs(td[b])
    td_abs = np.abs(td, out=ws.td_abs)
    # td_abs_where[b] = where(td_abs[b] <= 1, 0.5*td[b]**2, abs(td[b]) - 0.5)
    t_1 = np.less_equal(td_abs, 1.0, out=ws.t_1)
    td_abs_where = np.subtract(td_abs, 0.5, out=ws.td_abs_where)
    np.square(td, out=td_abs_where, where=t_1)
    np.multiply(td_abs_where, 0.5, out=td_abs_where, where=t_1)
    # loss += td_abs_where[b]/B
    loss = np.sum(td_abs_where) / B
    return loss, {"td": td}


def value_and_grad(params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None):
    """The loss and its gradient by q.

    obs: real[B, 4, 84, 84]
    action: int[B] < 6
    reward: real[B]
    next_obs: real[B, 4, 84, 84]
    done: bool[B]
    gamma: real = 0.99

    Returns ((loss, aux), gradient); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 4)
    action = _integer("action", action, 1)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 4)
    done = _boolean("done", done, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, 4, 84, 84))
    _shape("action", action, (B,))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, 4, 84, 84))
    _shape("done", done, (B,))
    _below("action", action, 6)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, np.intp)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    grads = ws.grads
    q_W1, q_c1, q_W2, q_c2, q_W3 = params.q.W1, params.q.c1, params.q.W2, params.q.c2, params.q.W3
    q_c3, q_W5, q_c5, q_W6, q_c6 = params.q.c3, params.q.W5, params.q.c5, params.q.W6, params.q.c6
    target_W1, target_c1, target_W2 = params.target.W1, params.target.c1, params.target.W2
    target_c2, target_W3, target_c3 = params.target.c2, params.target.W3, params.target.c3
    target_W5, target_c5, target_W6 = params.target.W5, params.target.c5, params.target.W6
    target_c6 = params.target.c6
    # q_z1[b,i,u,v] += obs[b,j,k+4*u,l+4*v]*q_W1[i,j,k,l] for u < 20, v < 20
    obs_windows = ws.obs_windows
    np.copyto(
        obs_windows,
        _view(
            obs,
            start=(0, 0, 0, 0),
            shape=(B, 4, 8, 8, 20, 20),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 4, 0), (0, 0, 0, 4)
            ),
        ),
    )
    q_z1 = ws.q_z1
    np.matmul(
        q_W1.reshape(32, 4 * 8 * 8),
        obs_windows.reshape(B, 4 * 8 * 8, 20 * 20),
        out=q_z1.reshape(B, 32, 20 * 20),
    )
    # q_z1[b,i,u,v] += q_c1[i] for b < B, u < 20, v < 20
    q_z1 += q_c1[:, None, None]
    # q_h1[b,n,t,i] = relu(q_z1[b,n,t,i])
    q_h1 = np.maximum(q_z1, 0.0, out=ws.q_h1)
    # q_z2[b,i,u,v] += q_W2[i,j,k,l]*q_h1[b,j,k+2*u,l+2*v] for u < 9, v < 9
    q_h1_windows = ws.q_h1_windows
    np.copyto(
        q_h1_windows,
        _view(
            q_h1,
            start=(0, 0, 0, 0),
            shape=(B, 32, 4, 4, 9, 9),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 2, 0), (0, 0, 0, 2)
            ),
        ),
    )
    q_z2 = ws.q_z2
    np.matmul(
        q_W2.reshape(64, 32 * 4 * 4),
        q_h1_windows.reshape(B, 32 * 4 * 4, 9 * 9),
        out=q_z2.reshape(B, 64, 9 * 9),
    )
    # q_z2[b,i,u,v] += q_c2[i] for b < B, u < 9, v < 9
    q_z2 += q_c2[:, None, None]
    # q_h2[b,n,t,i] = relu(q_z2[b,n,t,i])
    q_h2 = np.maximum(q_z2, 0.0, out=ws.q_h2)
    # q_z3[b,i,u,v] += q_W3[i,j,k,l]*q_h2[b,j,k+u,l+v] for u < 7, v < 7
    q_h2_windows = ws.q_h2_windows
    np.copyto(
        q_h2_windows,
        _view(
            q_h2,
            start=(0, 0, 0, 0),
            shape=(B, 64, 3, 3, 7, 7),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    q_z3 = ws.q_z3
    np.matmul(
        q_W3.reshape(64, 64 * 3 * 3),
        q_h2_windows.reshape(B, 64 * 3 * 3, 7 * 7),
        out=q_z3.reshape(B, 64, 7 * 7),
    )
    # q_z3[b,i,u,v] += q_c3[i] for b < B, u < 7, v < 7
    q_z3 += q_c3[:, None, None]
    # q_h3[b,n,t,i] = relu(q_z3[b,n,t,i])
    q_h3 = np.maximum(q_z3, 0.0, out=ws.q_h3)
    # q_f4[b,49*i+7*j+k] = q_h3[b,i,j,k]
    q_f4 = ws.q_f4
    np.copyto(q_f4.reshape(B, 64, 7, 7), q_h3)
    # q_z5[b,i] += q_W5[i,j]*q_f4[b,j]
    q_z5 = np.matmul(q_f4, q_W5.T, out=ws.q_z5)
    # q_z5[b,i] += q_c5[i] for b < B
    q_z5 += q_c5
    # q_h5[b,i] = relu(q_z5[b,i])
    q_h5 = np.maximum(q_z5, 0.0, out=ws.q_h5)
    # q[b,i] += q_W6[i,j]*q_h5[b,j]
    q = np.matmul(q_h5, q_W6.T, out=ws.q)
    # q[b,i] += q_c6[i] for b < B
    q += q_c6
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # target_z1_next_obs[b,i,u,v] += next_obs[b,j,k+4*u,l+4*v]*target_W1[i,j,k,l] for u < 20, v < 20
    next_obs_windows = ws.next_obs_windows
    np.copyto(
        next_obs_windows,
        _view(
            next_obs,
            start=(0, 0, 0, 0),
            shape=(B, 4, 8, 8, 20, 20),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 4, 0), (0, 0, 0, 4)
            ),
        ),
    )
    target_z1_next_obs = ws.target_z1_next_obs
    np.matmul(
        target_W1.reshape(32, 4 * 8 * 8),
        next_obs_windows.reshape(B, 4 * 8 * 8, 20 * 20),
        out=target_z1_next_obs.reshape(B, 32, 20 * 20),
    )
    # target_z1_next_obs[b,i,u,v] += target_c1[i] for b < B, u < 20, v < 20
    target_z1_next_obs += target_c1[:, None, None]
    # target_h1_next_obs[b,n,t,i] = relu(target_z1_next_obs[b,n,t,i])
    target_h1_next_obs = np.maximum(target_z1_next_obs, 0.0, out=ws.target_h1_next_obs)
    # target_z2_next_obs[b,i,u,v] += target_W2[i,j,k,l]*target_h1_next_obs[b,j,k+2*u,l+2*v] for u <
    #     9, v < 9
    target_h1_next_obs_windows = ws.target_h1_next_obs_windows
    np.copyto(
        target_h1_next_obs_windows,
        _view(
            target_h1_next_obs,
            start=(0, 0, 0, 0),
            shape=(B, 32, 4, 4, 9, 9),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 2, 0), (0, 0, 0, 2)
            ),
        ),
    )
    target_z2_next_obs = ws.target_z2_next_obs
    np.matmul(
        target_W2.reshape(64, 32 * 4 * 4),
        target_h1_next_obs_windows.reshape(B, 32 * 4 * 4, 9 * 9),
        out=target_z2_next_obs.reshape(B, 64, 9 * 9),
    )
    # target_z2_next_obs[b,i,u,v] += target_c2[i] for b < B, u < 9, v < 9
    target_z2_next_obs += target_c2[:, None, None]
    # target_h2_next_obs[b,n,t,i] = relu(target_z2_next_obs[b,n,t,i])
    target_h2_next_obs = np.maximum(target_z2_next_obs, 0.0, out=ws.target_h2_next_obs)
    # target_z3_next_obs[b,i,u,v] += target_W3[i,j,k,l]*target_h2_next_obs[b,j,k+u,l+v] for u < 7, v
    #     < 7
    target_h2_next_obs_windows = ws.target_h2_next_obs_windows
    np.copyto(
        target_h2_next_obs_windows,
        _view(
            target_h2_next_obs,
            start=(0, 0, 0, 0),
            shape=(B, 64, 3, 3, 7, 7),
            steps=(
                (1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    target_z3_next_obs = ws.target_z3_next_obs
    np.matmul(
        target_W3.reshape(64, 64 * 3 * 3),
        target_h2_next_obs_windows.reshape(B, 64 * 3 * 3, 7 * 7),
        out=target_z3_next_obs.reshape(B, 64, 7 * 7),
    )
    # target_z3_next_obs[b,i,u,v] += target_c3[i] for b < B, u < 7, v < 7
    target_z3_next_obs += target_c3[:, None, None]
    # target_h3_next_obs[b,n,t,i] = relu(target_z3_next_obs[b,n,t,i])
    target_h3_next_obs = np.maximum(target_z3_next_obs, 0.0, out=ws.target_h3_next_obs)
    # target_f4_next_obs[b,49*i+7*j+k] = target_h3_next_obs[b,i,j,k]
    target_f4_next_obs = ws.target_f4_next_obs
    np.copyto(target_f4_next_obs.reshape(B, 64, 7, 7), target_h3_next_obs)
    # target_z5_next_obs[b,i] += target_W5[i,j]*target_f4_next_obs[b,j]
    target_z5_next_obs = np.matmul(target_f4_next_obs, target_W5.T, out=ws.target_z5_next_obs)
    # target_z5_next_obs[b,i] += target_c5[i] for b < B
    target_z5_next_obs += target_c5
    # target_h5_next_obs[b,i] = relu(target_z5_next_obs[b,i])
    target_h5_next_obs = np.maximum(target_z5_next_obs, 0.0, out=ws.target_h5_next_obs)
    # target_next_obs[b,i] += target_W6[i,j]*target_h5_next_obs[b,j]
    target_next_obs = np.matmul(target_h5_next_obs, target_W6.T, out=ws.target_next_obs)
    # target_next_obs[b,i] += target_c6[i] for b < B
    target_next_obs += target_c6
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
    # td_abs[b] = abs(td[b])
    td_abs = np.abs(td, out=ws.td_abs)
    # td_abs_where[b] = where(td_abs[b] <= 1, 0.5*td[b]**2, abs(td[b]) - 0.5)
    t_1 = np.less_equal(td_abs, 1.0, out=ws.t_1)
    td_abs_where = np.subtract(td_abs, 0.5, out=ws.td_abs_where)
    np.square(td, out=td_abs_where, where=t_1)
    np.multiply(td_abs_where, 0.5, out=td_abs_where, where=t_1)
    # loss += td_abs_where[b]/B
    loss = np.sum(td_abs_where) / B
    # dtd_abs_where[b] = 1/B for b < B
    dtd_abs_where = ws.dtd_abs_where
    dtd_abs_where.fill(1.0 / B)
    # dtd[b] = where(td_abs[b] <= 1, dtd_abs_where[b]*td[b], where(0 < td[b], dtd_abs_where[b],
    #     where(td[b] < 0, -dtd_abs_where[b], 0)))
    t_2 = np.greater(td, 0.0, out=ws.t_2)
    t_3 = np.less(td, 0.0, out=ws.t_3)
    dtd = ws.dtd
    dtd.fill(0.0)
    np.negative(dtd_abs_where, out=dtd, where=t_3)
    np.copyto(dtd, dtd_abs_where, where=t_2)
    np.multiply(dtd_abs_where, td, out=dtd, where=t_1)
    dq = ws.dq
    dq.fill(0.0)
    # dq[b,action[b]] += dtd[b]
    _add_at(dq, (ws.arange, action), dtd, at=ws.at_2, scratch=ws.t_4)
    # dq_c6[i] += dq[b,i]
    np.sum(dq, axis=0, out=grads.q.c6)
    # dq_W6[i,j] += dq[b,i]*q_h5[b,j]
    np.matmul(dq.T, q_h5, out=grads.q.W6)
    # dq_h5[b,j] += dq[b,i]*q_W6[i,j]
    dq_h5 = np.matmul(dq, q_W6, out=ws.dq_h5)
    # dq_z5[b,i] = where(0 < q_z5[b,i], dq_h5[b,i], 0)
    t_5 = np.greater(q_z5, 0.0, out=ws.t_5)
    dq_z5 = ws.dq_z5
    dq_z5.fill(0.0)
    np.copyto(dq_z5, dq_h5, where=t_5)
    # dq_c5[i] += dq_z5[b,i]
    np.sum(dq_z5, axis=0, out=grads.q.c5)
    # dq_W5[i,j] += dq_z5[b,i]*q_f4[b,j]
    np.matmul(dq_z5.T, q_f4, out=grads.q.W5)
    # dq_f4[b,j] += dq_z5[b,i]*q_W5[i,j]
    dq_f4 = np.matmul(dq_z5, q_W5, out=ws.dq_f4)
    # dq_h3[b,i,j,k] = dq_f4[b,49*i+7*j+k] for i < 64, j < 7, k < 7
    dq_h3 = ws.dq_h3
    np.copyto(dq_h3, dq_f4.reshape(B, 64, 7, 7))
    # dq_z3[b,n,t,i] = where(0 < q_z3[b,n,t,i], dq_h3[b,n,t,i], 0)
    t_6 = np.greater(q_z3, 0.0, out=ws.t_6)
    dq_z3 = ws.dq_z3
    dq_z3.fill(0.0)
    np.copyto(dq_z3, dq_h3, where=t_6)
    # dq_c3[i] += dq_z3[b,i,u,v]
    np.sum(dq_z3, axis=(0, 2, 3), out=grads.q.c3)
    # dq_W3[i,j,k,l] += dq_z3[b,i,u,v]*q_h2[b,j,k+u,l+v] for k < 3, l < 3
    dq_z3_copy = ws.dq_z3_copy
    np.copyto(dq_z3_copy, dq_z3.transpose(1, 0, 2, 3))
    q_h2_windows_2 = ws.q_h2_windows_2
    np.copyto(
        q_h2_windows_2,
        _view(
            q_h2,
            start=(0, 0, 0, 0),
            shape=(B, 7, 7, 64, 3, 3),
            steps=(
                (1, 0, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    np.matmul(
        dq_z3_copy.reshape(64, B * 7 * 7),
        q_h2_windows_2.reshape(B * 7 * 7, 64 * 3 * 3),
        out=grads.q.W3.reshape(64, 64 * 3 * 3),
    )
    dq_h2 = ws.dq_h2
    dq_h2.fill(0.0)
    # dq_h2[b,j,k+u,l+v] += dq_z3[b,i,u,v]*q_W3[i,j,k,l]
    t_7 = ws.t_7
    np.matmul(
        dq_z3_copy.reshape(64, B * 7 * 7).T,
        q_W3.reshape(64, 64 * 3 * 3),
        out=t_7.reshape(B * 7 * 7, 64 * 3 * 3),
    )
    for k in range(3):
        for l in range(3):
            dq_h2[:, :, k:k+7, l:l+7] += t_7[:, :, :, :, k, l].transpose(0, 3, 1, 2)
    # dq_z2[b,n,t,i] = where(0 < q_z2[b,n,t,i], dq_h2[b,n,t,i], 0)
    t_8 = np.greater(q_z2, 0.0, out=ws.t_8)
    dq_z2 = ws.dq_z2
    dq_z2.fill(0.0)
    np.copyto(dq_z2, dq_h2, where=t_8)
    # dq_c2[i] += dq_z2[b,i,u,v]
    np.sum(dq_z2, axis=(0, 2, 3), out=grads.q.c2)
    # dq_W2[i,j,k,l] += dq_z2[b,i,u,v]*q_h1[b,j,k+2*u,l+2*v] for k < 4, l < 4
    dq_z2_copy = ws.dq_z2_copy
    np.copyto(dq_z2_copy, dq_z2.transpose(1, 0, 2, 3))
    q_h1_windows_2 = ws.q_h1_windows_2
    np.copyto(
        q_h1_windows_2,
        _view(
            q_h1,
            start=(0, 0, 0, 0),
            shape=(B, 9, 9, 32, 4, 4),
            steps=(
                (1, 0, 0, 0), (0, 0, 2, 0), (0, 0, 0, 2), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    np.matmul(
        dq_z2_copy.reshape(64, B * 9 * 9),
        q_h1_windows_2.reshape(B * 9 * 9, 32 * 4 * 4),
        out=grads.q.W2.reshape(64, 32 * 4 * 4),
    )
    dq_h1 = ws.dq_h1
    dq_h1.fill(0.0)
    # dq_h1[b,j,k+2*u,l+2*v] += dq_z2[b,i,u,v]*q_W2[i,j,k,l]
    t_9 = ws.t_9
    np.matmul(
        dq_z2_copy.reshape(64, B * 9 * 9).T,
        q_W2.reshape(64, 32 * 4 * 4),
        out=t_9.reshape(B * 9 * 9, 32 * 4 * 4),
    )
    for k in range(4):
        for l in range(4):
            dq_h1[:, :, k:k+17:2, l:l+17:2] += t_9[:, :, :, :, k, l].transpose(0, 3, 1, 2)
    # dq_z1[b,n,t,i] = where(0 < q_z1[b,n,t,i], dq_h1[b,n,t,i], 0)
    t_10 = np.greater(q_z1, 0.0, out=ws.t_10)
    dq_z1 = ws.dq_z1
    dq_z1.fill(0.0)
    np.copyto(dq_z1, dq_h1, where=t_10)
    # dq_c1[i] += dq_z1[b,i,u,v]
    np.sum(dq_z1, axis=(0, 2, 3), out=grads.q.c1)
    # dq_W1[i,j,k,l] += dq_z1[b,i,u,v]*obs[b,j,k+4*u,l+4*v] for k < 8, l < 8
    dq_z1_copy = ws.dq_z1_copy
    np.copyto(dq_z1_copy, dq_z1.transpose(1, 0, 2, 3))
    obs_windows_2 = ws.obs_windows_2
    np.copyto(
        obs_windows_2,
        _view(
            obs,
            start=(0, 0, 0, 0),
            shape=(B, 20, 20, 4, 8, 8),
            steps=(
                (1, 0, 0, 0), (0, 0, 4, 0), (0, 0, 0, 4), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1)
            ),
        ),
    )
    np.matmul(
        dq_z1_copy.reshape(32, B * 20 * 20),
        obs_windows_2.reshape(B * 20 * 20, 4 * 8 * 8),
        out=grads.q.W1.reshape(32, 4 * 8 * 8),
    )
    return (loss, {"td": td}), grads


class _QForwardMemory:
    """The buffers of q_forward."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.q_z1 = self.q_h1 = np.empty((B, 32, 20, 20), dtype)
        self.q_z2 = self.q_h2 = np.empty((B, 64, 9, 9), dtype)
        self.q_z3 = self.q_h3 = np.empty((B, 64, 7, 7), dtype)
        self.q_f4 = np.empty((B, 3136), dtype)
        self.q_z5 = self.q_h5 = np.empty((B, 512), dtype)
        self.q = np.empty((B, 6), dtype)
        self.obs_windows = np.empty((B, 4, 8, 8, 20, 20), dtype)
        self.q_h1_windows = np.empty((B, 32, 4, 4, 9, 9), dtype)
        self.q_h2_windows = np.empty((B, 64, 3, 3, 7, 7), dtype)


class _TargetForwardMemory:
    """The buffers of target_forward."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.target_z1 = self.target_h1 = np.empty((B, 32, 20, 20), dtype)
        self.target_z2 = self.target_h2 = np.empty((B, 64, 9, 9), dtype)
        self.target_z3 = self.target_h3 = np.empty((B, 64, 7, 7), dtype)
        self.target_f4 = np.empty((B, 3136), dtype)
        self.target_z5 = self.target_h5 = np.empty((B, 512), dtype)
        self.target = np.empty((B, 6), dtype)
        self.obs_windows = np.empty((B, 4, 8, 8, 20, 20), dtype)
        self.target_h1_windows = np.empty((B, 32, 4, 4, 9, 9), dtype)
        self.target_h2_windows = np.empty((B, 64, 3, 3, 7, 7), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.q_z1 = self.q_h1 = self.target_z1_next_obs = np.empty((B, 32, 20, 20), dtype)
        self.target_h1_next_obs = self.q_z1
        self.q_z2 = self.q_h2 = self.target_z2_next_obs = np.empty((B, 64, 9, 9), dtype)
        self.target_h2_next_obs = self.q_z2
        self.q_z3 = self.q_h3 = self.target_z3_next_obs = np.empty((B, 64, 7, 7), dtype)
        self.target_h3_next_obs = self.q_z3
        self.q_f4 = self.target_f4_next_obs = np.empty((B, 3136), dtype)
        self.q_z5 = self.q_h5 = self.target_z5_next_obs = np.empty((B, 512), dtype)
        self.target_h5_next_obs = self.q_z5
        self.q = np.empty((B, 6), dtype)
        self.target_next_obs = np.empty((B, 6), dtype)
        self.y_argmax = self.at_2 = np.empty((B,), np.intp)
        self.obs_windows = self.next_obs_windows = np.empty((B, 4, 8, 8, 20, 20), dtype)
        self.q_h1_windows = self.target_h1_next_obs_windows = np.empty((B, 32, 4, 4, 9, 9), dtype)
        self.q_h2_windows = self.target_h2_next_obs_windows = np.empty((B, 64, 3, 3, 7, 7), dtype)
        self.done_real = self.discount_t = self.y = self.td = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.target_next_obs_at = self.q_at = self.td_abs = np.empty((B,), dtype)
        self.td_abs_where = self.target_next_obs_at
        self.at = np.empty((B,), np.intp)
        self.t_1 = np.empty((B,), np.bool_)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B):
        self._copies = {}
        self.q_z1 = self.dq_z1 = np.empty((B, 32, 20, 20), dtype)
        self.q_h1 = self.dq_h1 = np.empty((B, 32, 20, 20), dtype)
        self.q_z2 = self.dq_z2 = np.empty((B, 64, 9, 9), dtype)
        self.q_h2 = self.dq_h2 = np.empty((B, 64, 9, 9), dtype)
        self.q_z3 = self.dq_z3 = np.empty((B, 64, 7, 7), dtype)
        self.q_h3 = self.target_z3_next_obs = np.empty((B, 64, 7, 7), dtype)
        self.target_h3_next_obs = self.dq_h3 = self.q_h3
        self.q_f4 = self.dq_f4 = np.empty((B, 3136), dtype)
        self.q_z5 = self.dq_z5 = np.empty((B, 512), dtype)
        self.q_h5 = self.dq_h5 = np.empty((B, 512), dtype)
        self.q = self.dq = np.empty((B, 6), dtype)
        self.target_z1_next_obs = self.target_h1_next_obs = np.empty((B, 32, 20, 20), dtype)
        self.target_z2_next_obs = self.target_h2_next_obs = np.empty((B, 64, 9, 9), dtype)
        self.target_f4_next_obs = np.empty((B, 3136), dtype)
        self.target_z5_next_obs = self.target_h5_next_obs = np.empty((B, 512), dtype)
        self.target_next_obs = np.empty((B, 6), dtype)
        self.y_argmax = self.at_2 = np.empty((B,), np.intp)
        self.dtd = np.empty((B,), dtype)
        self.obs_windows = self.next_obs_windows = np.empty((B, 4, 8, 8, 20, 20), dtype)
        self.q_h1_windows = self.target_h1_next_obs_windows = np.empty((B, 32, 4, 4, 9, 9), dtype)
        self.q_h2_windows = self.target_h2_next_obs_windows = np.empty((B, 64, 3, 3, 7, 7), dtype)
        self.done_real = self.discount_t = self.y = self.td = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.target_next_obs_at = self.q_at = self.td_abs = np.empty((B,), dtype)
        self.td_abs_where = self.dtd_abs_where = self.t_4 = self.target_next_obs_at
        self.at = np.empty((B,), np.intp)
        self.t_1 = np.empty((B,), np.bool_)
        self.t_2 = np.empty((B,), np.bool_)
        self.t_3 = np.empty((B,), np.bool_)
        self.t_5 = np.empty((B, 512), np.bool_)
        self.t_6 = np.empty((B, 64, 7, 7), np.bool_)
        self.dq_z3_copy = np.empty((64, B, 7, 7), dtype)
        self.q_h2_windows_2 = self.t_7 = np.empty((B, 7, 7, 64, 3, 3), dtype)
        self.t_8 = np.empty((B, 64, 9, 9), np.bool_)
        self.dq_z2_copy = np.empty((64, B, 9, 9), dtype)
        self.q_h1_windows_2 = self.t_9 = np.empty((B, 9, 9, 32, 4, 4), dtype)
        self.t_10 = np.empty((B, 32, 20, 20), np.bool_)
        self.dq_z1_copy = np.empty((32, B, 20, 20), dtype)
        self.obs_windows_2 = np.empty((B, 20, 20, 4, 8, 8), dtype)
        self.grads = Gradients(dtype)


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
