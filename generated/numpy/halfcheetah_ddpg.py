"""halfcheetah_ddpg: DDPG for HalfCheetah: an actor 17-256-256-6 that ends in tanh, a critic
23-256-256-1 with relu, and a target network of each.

Forward
    actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1[b,i] += actor_c1[i] for b < B
    actor_h1[b,i] = relu(actor_z1[b,i])
    actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2[b,i] += actor_c2[i] for b < B
    actor_h2[b,i] = relu(actor_z2[b,i])
    actor_z3[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor_z3[b,i] += actor_c3[i] for b < B
    actor[b,i] = tanh(actor_z3[b,i])
    critic_x0[b,i] = obs[b,i]
    critic_x0[b,i+S] = action[b,i]
    critic_z1[b,i] += critic_W1[i,j]*critic_x0[b,j]
    critic_z1[b,i] += critic_c1[i] for b < B
    critic_h1[b,i] = relu(critic_z1[b,i])
    critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2[b,i] += critic_c2[i] for b < B
    critic_h2[b,i] = relu(critic_z2[b,i])
    critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic[b,i] += critic_c3[i] for b < B
    actor_target_z1[b,i] += actor_target_W1[i,j]*obs[b,j]
    actor_target_z1[b,i] += actor_target_c1[i] for b < B
    actor_target_h1[b,i] = relu(actor_target_z1[b,i])
    actor_target_z2[b,i] += actor_target_W2[i,j]*actor_target_h1[b,j]
    actor_target_z2[b,i] += actor_target_c2[i] for b < B
    actor_target_h2[b,i] = relu(actor_target_z2[b,i])
    actor_target_z3[b,i] += actor_target_W3[i,j]*actor_target_h2[b,j]
    actor_target_z3[b,i] += actor_target_c3[i] for b < B
    actor_target[b,i] = tanh(actor_target_z3[b,i])
    critic_target_x0[b,i] = obs[b,i]
    critic_target_x0[b,i+S] = action[b,i]
    critic_target_z1[b,i] += critic_target_W1[i,j]*critic_target_x0[b,j]
    critic_target_z1[b,i] += critic_target_c1[i] for b < B
    critic_target_h1[b,i] = relu(critic_target_z1[b,i])
    critic_target_z2[b,i] += critic_target_W2[i,j]*critic_target_h1[b,j]
    critic_target_z2[b,i] += critic_target_c2[i] for b < B
    critic_target_h2[b,i] = relu(critic_target_z2[b,i])
    critic_target[b,i] += critic_target_W3[i,j]*critic_target_h2[b,j]
    critic_target[b,i] += critic_target_c3[i] for b < B

Loss critic
    actor_target_z1_next_obs[b,i] += actor_target_W1[i,j]*next_obs[b,j]
    actor_target_z1_next_obs[b,i] += actor_target_c1[i] for b < B
    actor_target_h1_next_obs[b,i] = relu(actor_target_z1_next_obs[b,i])
    actor_target_z2_next_obs[b,i] += actor_target_W2[i,j]*actor_target_h1_next_obs[b,j]
    actor_target_z2_next_obs[b,i] += actor_target_c2[i] for b < B
    actor_target_h2_next_obs[b,i] = relu(actor_target_z2_next_obs[b,i])
    actor_target_z3_next_obs[b,i] += actor_target_W3[i,j]*actor_target_h2_next_obs[b,j]
    actor_target_z3_next_obs[b,i] += actor_target_c3[i] for b < B
    actor_target_next_obs[b,i] = tanh(actor_target_z3_next_obs[b,i])
    critic_target_x0_next_obs_actor_target_next_obs[b,i] = next_obs[b,i]
    critic_target_x0_next_obs_actor_target_next_obs[b,i+S] = actor_target_next_obs[b,i]
    critic_target_z1_next_obs_actor_target_next_obs[b,i] +=
        critic_target_W1[i,j]*critic_target_x0_next_obs_actor_target_next_obs[b,j]
    critic_target_z1_next_obs_actor_target_next_obs[b,i] += critic_target_c1[i] for b < B
    critic_target_h1_next_obs_actor_target_next_obs[b,i] =
        relu(critic_target_z1_next_obs_actor_target_next_obs[b,i])
    critic_target_z2_next_obs_actor_target_next_obs[b,i] +=
        critic_target_W2[i,j]*critic_target_h1_next_obs_actor_target_next_obs[b,j]
    critic_target_z2_next_obs_actor_target_next_obs[b,i] += critic_target_c2[i] for b < B
    critic_target_h2_next_obs_actor_target_next_obs[b,i] =
        relu(critic_target_z2_next_obs_actor_target_next_obs[b,i])
    critic_target_next_obs_actor_target_next_obs[b,i] +=
        critic_target_W3[i,j]*critic_target_h2_next_obs_actor_target_next_obs[b,j]
    critic_target_next_obs_actor_target_next_obs[b,i] += critic_target_c3[i] for b < B
    q_t[b] = critic_target_next_obs_actor_target_next_obs[b,0]
    v_tm1[b] = critic[b,0]
    discount_t[b] = gamma*(1 - done[b])
    y[b] = stop(discount_t[b]*q_t[b] + reward[b])
    td[b] = v_tm1[b] - y[b]
    loss += td[b]**2/B

Loss actor
    critic_x0_obs_actor[b,i] = obs[b,i]
    critic_x0_obs_actor[b,i+S] = actor[b,i]
    critic_z1_obs_actor[b,i] += critic_W1[i,j]*critic_x0_obs_actor[b,j]
    critic_z1_obs_actor[b,i] += critic_c1[i] for b < B
    critic_h1_obs_actor[b,i] = relu(critic_z1_obs_actor[b,i])
    critic_z2_obs_actor[b,i] += critic_W2[i,j]*critic_h1_obs_actor[b,j]
    critic_z2_obs_actor[b,i] += critic_c2[i] for b < B
    critic_h2_obs_actor[b,i] = relu(critic_z2_obs_actor[b,i])
    critic_obs_actor[b,i] += critic_W3[i,j]*critic_h2_obs_actor[b,j]
    critic_obs_actor[b,i] += critic_c3[i] for b < B
    q[b] = critic_obs_actor[b,0]
    loss += -q[b]/B

Gradient (critic_value_and_grad); dX stands for dL/dX.
    dtd[b] = 2*td[b]/B
    dcritic[b,0] += dtd[b]
    dcritic_c3[i] += dcritic[b,i]
    dcritic_W3[i,j] += dcritic[b,i]*critic_h2[b,j]
    dcritic_h2[b,j] += dcritic[b,i]*critic_W3[i,j]
    dcritic_z2[b,i] = where(0 < critic_z2[b,i], dcritic_h2[b,i], 0)
    dcritic_c2[i] += dcritic_z2[b,i]
    dcritic_W2[i,j] += dcritic_z2[b,i]*critic_h1[b,j]
    dcritic_h1[b,j] += dcritic_z2[b,i]*critic_W2[i,j]
    dcritic_z1[b,i] = where(0 < critic_z1[b,i], dcritic_h1[b,i], 0)
    dcritic_c1[i] += dcritic_z1[b,i]
    dcritic_W1[i,j] += dcritic_z1[b,i]*critic_x0[b,j]

Gradient (actor_value_and_grad); dX stands for dL/dX.
    dq[b] = -1/B for b < B
    dcritic_obs_actor[b,0] += dq[b]
    dcritic_h2_obs_actor[b,j] += dcritic_obs_actor[b,i]*critic_W3[i,j]
    dcritic_z2_obs_actor[b,i] = where(0 < critic_z2_obs_actor[b,i], dcritic_h2_obs_actor[b,i], 0)
    dcritic_h1_obs_actor[b,j] += dcritic_z2_obs_actor[b,i]*critic_W2[i,j]
    dcritic_z1_obs_actor[b,i] = where(0 < critic_z1_obs_actor[b,i], dcritic_h1_obs_actor[b,i], 0)
    dcritic_x0_obs_actor[b,j] += dcritic_z1_obs_actor[b,i]*critic_W1[i,j]
    dactor[b,i] = dcritic_x0_obs_actor[b,i+S] for i < A
    dactor_z3[b,i] = dactor[b,i]*(1 - actor[b,i]**2)
    dactor_c3[i] += dactor_z3[b,i]
    dactor_W3[i,j] += dactor_z3[b,i]*actor_h2[b,j]
    dactor_h2[b,j] += dactor_z3[b,i]*actor_W3[i,j]
    dactor_z2[b,i] = where(0 < actor_z2[b,i], dactor_h2[b,i], 0)
    dactor_c2[i] += dactor_z2[b,i]
    dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_z1[b,i] = where(0 < actor_z1[b,i], dactor_h1[b,i], 0)
    dactor_c1[i] += dactor_z1[b,i]
    dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]

Shapes
    actor_W1: real[H, S]
    actor_c1: real[H]
    actor_W2: real[H, H]
    actor_c2: real[H]
    actor_W3: real[A, H]
    actor_c3: real[A]
    critic_W1: real[H, A+S]
    critic_c1: real[H]
    critic_W2: real[H, H]
    critic_c2: real[H]
    critic_W3: real[1, H]
    critic_c3: real[1]
    actor_target_W1: real[H, S]
    actor_target_c1: real[H]
    actor_target_W2: real[H, H]
    actor_target_c2: real[H]
    actor_target_W3: real[A, H]
    actor_target_c3: real[A]
    critic_target_W1: real[H, A+S]
    critic_target_c1: real[H]
    critic_target_W2: real[H, H]
    critic_target_c2: real[H]
    critic_target_W3: real[1, H]
    critic_target_c3: real[1]
    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    gamma: real = 0.99
    B: transitions in the batch

At kinks: relu'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    y[b] = stop(discount_t[b]*q_t[b] + reward[b])
Reduction: loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 17, "A": 6, "H": 256}
PARAMETERS = {
    "actor.W1": {"axes": ("H", "S"), "offset": 0, "shape": (256, 17), "strides": (17, 1)},
    "actor.c1": {"axes": ("H",), "offset": 4352, "shape": (256,), "strides": (1,)},
    "actor.W2": {"axes": ("H", "H"), "offset": 4608, "shape": (256, 256), "strides": (256, 1)},
    "actor.c2": {"axes": ("H",), "offset": 70144, "shape": (256,), "strides": (1,)},
    "actor.W3": {"axes": ("A", "H"), "offset": 70400, "shape": (6, 256), "strides": (256, 1)},
    "actor.c3": {"axes": ("A",), "offset": 71936, "shape": (6,), "strides": (1,)},
    "critic.W1": {"axes": ("H", "A+S"), "offset": 71942, "shape": (256, 23), "strides": (23, 1)},
    "critic.c1": {"axes": ("H",), "offset": 77830, "shape": (256,), "strides": (1,)},
    "critic.W2": {"axes": ("H", "H"), "offset": 78086, "shape": (256, 256), "strides": (256, 1)},
    "critic.c2": {"axes": ("H",), "offset": 143622, "shape": (256,), "strides": (1,)},
    "critic.W3": {"axes": ("1", "H"), "offset": 143878, "shape": (1, 256), "strides": (256, 1)},
    "critic.c3": {"axes": ("1",), "offset": 144134, "shape": (1,), "strides": (1,)},
    "actor_target.W1": {
        "axes": ("H", "S"), "offset": 144135, "shape": (256, 17), "strides": (17, 1)
    },
    "actor_target.c1": {"axes": ("H",), "offset": 148487, "shape": (256,), "strides": (1,)},
    "actor_target.W2": {
        "axes": ("H", "H"), "offset": 148743, "shape": (256, 256), "strides": (256, 1)
    },
    "actor_target.c2": {"axes": ("H",), "offset": 214279, "shape": (256,), "strides": (1,)},
    "actor_target.W3": {
        "axes": ("A", "H"), "offset": 214535, "shape": (6, 256), "strides": (256, 1)
    },
    "actor_target.c3": {"axes": ("A",), "offset": 216071, "shape": (6,), "strides": (1,)},
    "critic_target.W1": {
        "axes": ("H", "A+S"), "offset": 216077, "shape": (256, 23), "strides": (23, 1)
    },
    "critic_target.c1": {"axes": ("H",), "offset": 221965, "shape": (256,), "strides": (1,)},
    "critic_target.W2": {
        "axes": ("H", "H"), "offset": 222221, "shape": (256, 256), "strides": (256, 1)
    },
    "critic_target.c2": {"axes": ("H",), "offset": 287757, "shape": (256,), "strides": (1,)},
    "critic_target.W3": {
        "axes": ("1", "H"), "offset": 288013, "shape": (1, 256), "strides": (256, 1)
    },
    "critic_target.c3": {"axes": ("1",), "offset": 288269, "shape": (1,), "strides": (1,)},
}
LAYERS = {
    "actor": (
        {"weight": "actor.W1", "bias": "actor.c1"},
        {"weight": "actor.W2", "bias": "actor.c2"},
        {"weight": "actor.W3", "bias": "actor.c3"},
    ),
    "critic": (
        {"weight": "critic.W1", "bias": "critic.c1"},
        {"weight": "critic.W2", "bias": "critic.c2"},
        {"weight": "critic.W3", "bias": "critic.c3"},
    ),
    "actor_target": (
        {"weight": "actor_target.W1", "bias": "actor_target.c1"},
        {"weight": "actor_target.W2", "bias": "actor_target.c2"},
        {"weight": "actor_target.W3", "bias": "actor_target.c3"},
    ),
    "critic_target": (
        {"weight": "critic_target.W1", "bias": "critic_target.c1"},
        {"weight": "critic_target.W2", "bias": "critic_target.c2"},
        {"weight": "critic_target.W3", "bias": "critic_target.c3"},
    ),
}
INPUTS = {
    "obs": "real[B, S]",
    "action": "real[B, A]",
    "reward": "real[B]",
    "next_obs": "real[B, S]",
    "done": "bool[B]",
    "gamma": "real = 0.99",
}
OUTPUTS = {
    "actor_forward": ("actor",),
    "critic_forward": ("critic",),
    "actor_target_forward": ("actor_target",),
    "critic_target_forward": ("critic_target",),
}
BRANCHES = ()
OPERATIONS = {
    "actor_forward": "A * B * H + B * H * H + B * H * S + 2 * A * B + 4 * B * H",
    "critic_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "actor_target_forward": "A * B * H + B * H * H + B * H * S + 2 * A * B + 4 * B * H",
    "critic_target_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_value": (
        "3 * A * B * H + 3 * B * H * H + 3 * B * H * S + 2 * A * B + 14 * B * H + 9 * "
        "B"
    ),
    "critic_value_and_grad": (
        "4 * A * B * H + 5 * B * H * H + 4 * B * H * S + 2 * A * B + 20 * B * H + 11 "
        "* B"
    ),
    "actor_value": "2 * A * B * H + 2 * B * H * H + 2 * B * H * S + 2 * A * B + 9 * B * H + 2 * B",
    "actor_value_and_grad": (
        "5 * A * B * H + 5 * B * H * H + 4 * B * H * S + 6 * A * B + 16 * B * H + 2 * "
        "B"
    ),
}
SPEC_HASH = "eef757982211227122878625384729daa0a659ddb07b790bc9570bdc26832c1a"
SPEC = r'''description = "DDPG for HalfCheetah: an actor 17-256-256-6 that ends in tanh, a critic 23-256-256-1 with relu, and a target network of each."
equations = """
actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
actor_z1[b,i] += actor_c1[i] for b < B
actor_h1[b,i] = relu(actor_z1[b,i])
actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
actor_z2[b,i] += actor_c2[i] for b < B
actor_h2[b,i] = relu(actor_z2[b,i])
actor_z3[b,i] += actor_W3[i,j]*actor_h2[b,j]
actor_z3[b,i] += actor_c3[i] for b < B
actor[b,i] = tanh(actor_z3[b,i])
critic_x0[b,i] = obs[b,i]
critic_x0[b,i+S] = action[b,i]
critic_z1[b,i] += critic_W1[i,j]*critic_x0[b,j]
critic_z1[b,i] += critic_c1[i] for b < B
critic_h1[b,i] = relu(critic_z1[b,i])
critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
critic_z2[b,i] += critic_c2[i] for b < B
critic_h2[b,i] = relu(critic_z2[b,i])
critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
critic[b,i] += critic_c3[i] for b < B
actor_target_z1[b,i] += actor_target_W1[i,j]*obs[b,j]
actor_target_z1[b,i] += actor_target_c1[i] for b < B
actor_target_h1[b,i] = relu(actor_target_z1[b,i])
actor_target_z2[b,i] += actor_target_W2[i,j]*actor_target_h1[b,j]
actor_target_z2[b,i] += actor_target_c2[i] for b < B
actor_target_h2[b,i] = relu(actor_target_z2[b,i])
actor_target_z3[b,i] += actor_target_W3[i,j]*actor_target_h2[b,j]
actor_target_z3[b,i] += actor_target_c3[i] for b < B
actor_target[b,i] = tanh(actor_target_z3[b,i])
critic_target_x0[b,i] = obs[b,i]
critic_target_x0[b,i+S] = action[b,i]
critic_target_z1[b,i] += critic_target_W1[i,j]*critic_target_x0[b,j]
critic_target_z1[b,i] += critic_target_c1[i] for b < B
critic_target_h1[b,i] = relu(critic_target_z1[b,i])
critic_target_z2[b,i] += critic_target_W2[i,j]*critic_target_h1[b,j]
critic_target_z2[b,i] += critic_target_c2[i] for b < B
critic_target_h2[b,i] = relu(critic_target_z2[b,i])
critic_target[b,i] += critic_target_W3[i,j]*critic_target_h2[b,j]
critic_target[b,i] += critic_target_c3[i] for b < B
"""

[sizes]
B = "transitions in the batch"
S = 17
A = 6
H = 256

[params.actor]
W1 = "real[H, S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[A, H] init=uniform_fan_in"
c3 = "real[A] init=zeros"

[params.critic]
W1 = "real[H, A+S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[1, H] init=uniform_fan_in"
c3 = "real[1] init=zeros"

[params.actor_target]
W1 = "real[H, S] init=copy(actor_W1)"
c1 = "real[H] init=copy(actor_c1)"
W2 = "real[H, H] init=copy(actor_W2)"
c2 = "real[H] init=copy(actor_c2)"
W3 = "real[A, H] init=copy(actor_W3)"
c3 = "real[A] init=copy(actor_c3)"

[params.critic_target]
W1 = "real[H, A+S] init=copy(critic_W1)"
c1 = "real[H] init=copy(critic_c1)"
W2 = "real[H, H] init=copy(critic_W2)"
c2 = "real[H] init=copy(critic_c2)"
W3 = "real[1, H] init=copy(critic_W3)"
c3 = "real[1] init=copy(critic_c3)"

[data]
obs = "real[B, S]"
action = "real[B, A]"
reward = "real[B]"
next_obs = "real[B, S]"
done = "bool[B]"
gamma = "real = 0.99"

[losses.critic]
wrt = ["critic_W1", "critic_c1", "critic_W2", "critic_c2", "critic_W3", "critic_c3"]
aux = ["td"]
equations = """
actor_target_z1_next_obs[b,i] += actor_target_W1[i,j]*next_obs[b,j]
actor_target_z1_next_obs[b,i] += actor_target_c1[i] for b < B
actor_target_h1_next_obs[b,i] = relu(actor_target_z1_next_obs[b,i])
actor_target_z2_next_obs[b,i] += actor_target_W2[i,j]*actor_target_h1_next_obs[b,j]
actor_target_z2_next_obs[b,i] += actor_target_c2[i] for b < B
actor_target_h2_next_obs[b,i] = relu(actor_target_z2_next_obs[b,i])
actor_target_z3_next_obs[b,i] += actor_target_W3[i,j]*actor_target_h2_next_obs[b,j]
actor_target_z3_next_obs[b,i] += actor_target_c3[i] for b < B
actor_target_next_obs[b,i] = tanh(actor_target_z3_next_obs[b,i])
critic_target_x0_next_obs_actor_target_next_obs[b,i] = next_obs[b,i]
critic_target_x0_next_obs_actor_target_next_obs[b,i+S] = actor_target_next_obs[b,i]
critic_target_z1_next_obs_actor_target_next_obs[b,i] += critic_target_W1[i,j]*critic_target_x0_next_obs_actor_target_next_obs[b,j]
critic_target_z1_next_obs_actor_target_next_obs[b,i] += critic_target_c1[i] for b < B
critic_target_h1_next_obs_actor_target_next_obs[b,i] = relu(critic_target_z1_next_obs_actor_target_next_obs[b,i])
critic_target_z2_next_obs_actor_target_next_obs[b,i] += critic_target_W2[i,j]*critic_target_h1_next_obs_actor_target_next_obs[b,j]
critic_target_z2_next_obs_actor_target_next_obs[b,i] += critic_target_c2[i] for b < B
critic_target_h2_next_obs_actor_target_next_obs[b,i] = relu(critic_target_z2_next_obs_actor_target_next_obs[b,i])
critic_target_next_obs_actor_target_next_obs[b,i] += critic_target_W3[i,j]*critic_target_h2_next_obs_actor_target_next_obs[b,j]
critic_target_next_obs_actor_target_next_obs[b,i] += critic_target_c3[i] for b < B
q_t[b] = critic_target_next_obs_actor_target_next_obs[b,0]
v_tm1[b] = critic[b,0]
discount_t[b] = gamma*(1 - done[b])
y[b] = stop(discount_t[b]*q_t[b] + reward[b])
td[b] = v_tm1[b] - y[b]
loss += td[b]**2/B
"""

[losses.actor]
wrt = ["actor_W1", "actor_c1", "actor_W2", "actor_c2", "actor_W3", "actor_c3"]
equations = """
critic_x0_obs_actor[b,i] = obs[b,i]
critic_x0_obs_actor[b,i+S] = actor[b,i]
critic_z1_obs_actor[b,i] += critic_W1[i,j]*critic_x0_obs_actor[b,j]
critic_z1_obs_actor[b,i] += critic_c1[i] for b < B
critic_h1_obs_actor[b,i] = relu(critic_z1_obs_actor[b,i])
critic_z2_obs_actor[b,i] += critic_W2[i,j]*critic_h1_obs_actor[b,j]
critic_z2_obs_actor[b,i] += critic_c2[i] for b < B
critic_h2_obs_actor[b,i] = relu(critic_z2_obs_actor[b,i])
critic_obs_actor[b,i] += critic_W3[i,j]*critic_h2_obs_actor[b,j]
critic_obs_actor[b,i] += critic_c3[i] for b < B
q[b] = critic_obs_actor[b,0]
loss += -q[b]/B
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
    """Views on one vector `flat`: actor.W1 (H, S), actor.c1 (H,), actor.W2 (H, H), actor.c2 (H,),
    actor.W3 (A, H), actor.c3 (A,), critic.W1 (H, A+S), critic.c1 (H,), critic.W2 (H, H),
    critic.c2 (H,), critic.W3 (1, H), critic.c3 (1,), actor_target.W1 (H, S), actor_target.c1 (H,),
    actor_target.W2 (H, H), actor_target.c2 (H,), actor_target.W3 (A, H), actor_target.c3 (A,),
    critic_target.W1 (H, A+S), critic_target.c1 (H,), critic_target.W2 (H, H),
    critic_target.c2 (H,), critic_target.W3 (1, H), critic_target.c3 (1,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, 4 * A * H + 4 * H * H + 4 * H * S + 2 * A + 10 * H + 2)
        _part = _parts(self.flat)
        self.actor = _Group(
            _part(A * H + H * H + H * S + A + 2 * H),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(A, H),
            c3=(A,),
        )
        self.critic = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self.actor_target = _Group(
            _part(A * H + H * H + H * S + A + 2 * H),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(A, H),
            c3=(A,),
        )
        self.critic_target = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self._closed = True


class CriticGradients(_Views):
    """Views on one vector `flat`: critic.W1 (H, A+S), critic.c1 (H,), critic.W2 (H, H),
    critic.c2 (H,), critic.W3 (1, H), critic.c3 (1,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, A * H + H * H + H * S + 3 * H + 1)
        _part = _parts(self.flat)
        self.critic = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self._closed = True


class ActorGradients(_Views):
    """Views on one vector `flat`: actor.W1 (H, S), actor.c1 (H,), actor.W2 (H, H), actor.c2 (H,),
    actor.W3 (A, H), actor.c3 (A,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, A * H + H * H + H * S + A + 2 * H)
        _part = _parts(self.flat)
        self.actor = _Group(
            _part(A * H + H * H + H * S + A + 2 * H),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(A, H),
            c3=(A,),
        )
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, S=17, A=6, H=256):
        self.sizes = _sizes(B=B, S=S, A=A, H=H)
        self._memory = {}


def init(rng, *, S=17, A=6, H=256, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), S=S, A=A, H=H)
    params.actor.W1[...] = _uniform_fan_in(rng, (H, S))
    params.actor.c1[...] = 0.0
    params.actor.W2[...] = _uniform_fan_in(rng, (H, H))
    params.actor.c2[...] = 0.0
    params.actor.W3[...] = _uniform_fan_in(rng, (A, H))
    params.actor.c3[...] = 0.0
    params.critic.W1[...] = _uniform_fan_in(rng, (H, A + S))
    params.critic.c1[...] = 0.0
    params.critic.W2[...] = _uniform_fan_in(rng, (H, H))
    params.critic.c2[...] = 0.0
    params.critic.W3[...] = _uniform_fan_in(rng, (1, H))
    params.critic.c3[...] = 0.0
    params.actor_target.flat[...] = params.actor.flat
    params.critic_target.flat[...] = params.critic.flat
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
        S=_extent(arrays["actor.W1"], 1),
        A=_extent(arrays["actor.W3"], 0),
        H=_extent(arrays["actor.W1"], 0),
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


def actor_forward(params, obs, *, workspace=None):
    """The output actor.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ActorForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    actor_W1, actor_c1, actor_W2 = params.actor.W1, params.actor.c1, params.actor.W2
    actor_c2, actor_W3, actor_c3 = params.actor.c2, params.actor.W3, params.actor.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = relu(actor_z1[b,i])
    actor_h1 = np.maximum(actor_z1, 0.0, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = relu(actor_z2[b,i])
    actor_h2 = np.maximum(actor_z2, 0.0, out=ws.actor_h2)
    # actor_z3[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor_z3 = np.matmul(actor_h2, actor_W3.T, out=ws.actor_z3)
    # actor_z3[b,i] += actor_c3[i] for b < B
    actor_z3 += actor_c3
    # actor[b,i] = tanh(actor_z3[b,i])
    actor = np.tanh(actor_z3, out=ws.actor)
    return actor


def critic_forward(params, obs, action, *, workspace=None):
    """The output critic.

    obs: real[B, S]
    action: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _CriticForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # critic_x0[b,i] = obs[b,i]
    critic_x0 = ws.critic_x0
    np.copyto(critic_x0[:, :S], obs)
    # critic_x0[b,i+S] = action[b,i]
    np.copyto(critic_x0[:, S:A+S], action)
    # critic_z1[b,i] += critic_W1[i,j]*critic_x0[b,j]
    critic_z1 = np.matmul(critic_x0, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    return critic


def actor_target_forward(params, obs, *, workspace=None):
    """The output actor_target.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ActorTargetForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    actor_target_W1, actor_target_c1 = params.actor_target.W1, params.actor_target.c1
    actor_target_W2, actor_target_c2 = params.actor_target.W2, params.actor_target.c2
    actor_target_W3, actor_target_c3 = params.actor_target.W3, params.actor_target.c3
    # actor_target_z1[b,i] += actor_target_W1[i,j]*obs[b,j]
    actor_target_z1 = np.matmul(obs, actor_target_W1.T, out=ws.actor_target_z1)
    # actor_target_z1[b,i] += actor_target_c1[i] for b < B
    actor_target_z1 += actor_target_c1
    # actor_target_h1[b,i] = relu(actor_target_z1[b,i])
    actor_target_h1 = np.maximum(actor_target_z1, 0.0, out=ws.actor_target_h1)
    # actor_target_z2[b,i] += actor_target_W2[i,j]*actor_target_h1[b,j]
    actor_target_z2 = np.matmul(actor_target_h1, actor_target_W2.T, out=ws.actor_target_z2)
    # actor_target_z2[b,i] += actor_target_c2[i] for b < B
    actor_target_z2 += actor_target_c2
    # actor_target_h2[b,i] = relu(actor_target_z2[b,i])
    actor_target_h2 = np.maximum(actor_target_z2, 0.0, out=ws.actor_target_h2)
    # actor_target_z3[b,i] += actor_target_W3[i,j]*actor_target_h2[b,j]
    actor_target_z3 = np.matmul(actor_target_h2, actor_target_W3.T, out=ws.actor_target_z3)
    # actor_target_z3[b,i] += actor_target_c3[i] for b < B
    actor_target_z3 += actor_target_c3
    # actor_target[b,i] = tanh(actor_target_z3[b,i])
    actor_target = np.tanh(actor_target_z3, out=ws.actor_target)
    return actor_target


def critic_target_forward(params, obs, action, *, workspace=None):
    """The output critic_target.

    obs: real[B, S]
    action: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _CriticTargetForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    critic_target_W1, critic_target_c1 = params.critic_target.W1, params.critic_target.c1
    critic_target_W2, critic_target_c2 = params.critic_target.W2, params.critic_target.c2
    critic_target_W3, critic_target_c3 = params.critic_target.W3, params.critic_target.c3
    # critic_target_x0[b,i] = obs[b,i]
    critic_target_x0 = ws.critic_target_x0
    np.copyto(critic_target_x0[:, :S], obs)
    # critic_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_target_x0[:, S:A+S], action)
    # critic_target_z1[b,i] += critic_target_W1[i,j]*critic_target_x0[b,j]
    critic_target_z1 = np.matmul(critic_target_x0, critic_target_W1.T, out=ws.critic_target_z1)
    # critic_target_z1[b,i] += critic_target_c1[i] for b < B
    critic_target_z1 += critic_target_c1
    # critic_target_h1[b,i] = relu(critic_target_z1[b,i])
    critic_target_h1 = np.maximum(critic_target_z1, 0.0, out=ws.critic_target_h1)
    # critic_target_z2[b,i] += critic_target_W2[i,j]*critic_target_h1[b,j]
    critic_target_z2 = np.matmul(critic_target_h1, critic_target_W2.T, out=ws.critic_target_z2)
    # critic_target_z2[b,i] += critic_target_c2[i] for b < B
    critic_target_z2 += critic_target_c2
    # critic_target_h2[b,i] = relu(critic_target_z2[b,i])
    critic_target_h2 = np.maximum(critic_target_z2, 0.0, out=ws.critic_target_h2)
    # critic_target[b,i] += critic_target_W3[i,j]*critic_target_h2[b,j]
    critic_target = np.matmul(critic_target_h2, critic_target_W3.T, out=ws.critic_target)
    # critic_target[b,i] += critic_target_c3[i] for b < B
    critic_target += critic_target_c3
    return critic_target


def critic_value(params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    gamma: real = 0.99

    Returns (loss, aux); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, S))
    _shape("done", done, (B,))
    ws = _memory(workspace, _CriticValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    actor_target_W1, actor_target_c1 = params.actor_target.W1, params.actor_target.c1
    actor_target_W2, actor_target_c2 = params.actor_target.W2, params.actor_target.c2
    actor_target_W3, actor_target_c3 = params.actor_target.W3, params.actor_target.c3
    critic_target_W1, critic_target_c1 = params.critic_target.W1, params.critic_target.c1
    critic_target_W2, critic_target_c2 = params.critic_target.W2, params.critic_target.c2
    critic_target_W3, critic_target_c3 = params.critic_target.W3, params.critic_target.c3
    # critic_x0[b,i] = obs[b,i]
    critic_x0 = ws.critic_x0
    np.copyto(critic_x0[:, :S], obs)
    # critic_x0[b,i+S] = action[b,i]
    np.copyto(critic_x0[:, S:A+S], action)
    # critic_z1[b,i] += critic_W1[i,j]*critic_x0[b,j]
    critic_z1 = np.matmul(critic_x0, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # actor_target_z1_next_obs[b,i] += actor_target_W1[i,j]*next_obs[b,j]
    actor_target_z1_next_obs = np.matmul(
        next_obs, actor_target_W1.T, out=ws.actor_target_z1_next_obs
    )
    # actor_target_z1_next_obs[b,i] += actor_target_c1[i] for b < B
    actor_target_z1_next_obs += actor_target_c1
    # actor_target_h1_next_obs[b,i] = relu(actor_target_z1_next_obs[b,i])
    actor_target_h1_next_obs = np.maximum(
        actor_target_z1_next_obs, 0.0, out=ws.actor_target_h1_next_obs
    )
    # actor_target_z2_next_obs[b,i] += actor_target_W2[i,j]*actor_target_h1_next_obs[b,j]
    actor_target_z2_next_obs = np.matmul(
        actor_target_h1_next_obs, actor_target_W2.T, out=ws.actor_target_z2_next_obs
    )
    # actor_target_z2_next_obs[b,i] += actor_target_c2[i] for b < B
    actor_target_z2_next_obs += actor_target_c2
    # actor_target_h2_next_obs[b,i] = relu(actor_target_z2_next_obs[b,i])
    actor_target_h2_next_obs = np.maximum(
        actor_target_z2_next_obs, 0.0, out=ws.actor_target_h2_next_obs
    )
    # actor_target_z3_next_obs[b,i] += actor_target_W3[i,j]*actor_target_h2_next_obs[b,j]
    actor_target_z3_next_obs = np.matmul(
        actor_target_h2_next_obs, actor_target_W3.T, out=ws.actor_target_z3_next_obs
    )
    # actor_target_z3_next_obs[b,i] += actor_target_c3[i] for b < B
    actor_target_z3_next_obs += actor_target_c3
    # actor_target_next_obs[b,i] = tanh(actor_target_z3_next_obs[b,i])
    actor_target_next_obs = np.tanh(actor_target_z3_next_obs, out=ws.actor_target_next_obs)
    # critic_target_x0_next_obs_actor_target_next_obs[b,i] = next_obs[b,i]
    critic_target_x0_next_obs_actor_target_next_obs = (
        ws.critic_target_x0_next_obs_actor_target_next_obs
    )
    np.copyto(critic_target_x0_next_obs_actor_target_next_obs[:, :S], next_obs)
    # critic_target_x0_next_obs_actor_target_next_obs[b,i+S] = actor_target_next_obs[b,i]
    np.copyto(critic_target_x0_next_obs_actor_target_next_obs[:, S:A+S], actor_target_next_obs)
    # critic_target_z1_next_obs_actor_target_next_obs[b,i] +=
    #     critic_target_W1[i,j]*critic_target_x0_next_obs_actor_target_next_obs[b,j]
    critic_target_z1_next_obs_actor_target_next_obs = np.matmul(
        critic_target_x0_next_obs_actor_target_next_obs,
        critic_target_W1.T,
        out=ws.critic_target_z1_next_obs_actor_target_next_obs,
    )
    # critic_target_z1_next_obs_actor_target_next_obs[b,i] += critic_target_c1[i] for b < B
    critic_target_z1_next_obs_actor_target_next_obs += critic_target_c1
    # critic_target_h1_next_obs_actor_target_next_obs[b,i] =
    #     relu(critic_target_z1_next_obs_actor_target_next_obs[b,i])
    critic_target_h1_next_obs_actor_target_next_obs = np.maximum(
        critic_target_z1_next_obs_actor_target_next_obs,
        0.0,
        out=ws.critic_target_h1_next_obs_actor_target_next_obs,
    )
    # critic_target_z2_next_obs_actor_target_next_obs[b,i] +=
    #     critic_target_W2[i,j]*critic_target_h1_next_obs_actor_target_next_obs[b,j]
    critic_target_z2_next_obs_actor_target_next_obs = np.matmul(
        critic_target_h1_next_obs_actor_target_next_obs,
        critic_target_W2.T,
        out=ws.critic_target_z2_next_obs_actor_target_next_obs,
    )
    # critic_target_z2_next_obs_actor_target_next_obs[b,i] += critic_target_c2[i] for b < B
    critic_target_z2_next_obs_actor_target_next_obs += critic_target_c2
    # critic_target_h2_next_obs_actor_target_next_obs[b,i] =
    #     relu(critic_target_z2_next_obs_actor_target_next_obs[b,i])
    critic_target_h2_next_obs_actor_target_next_obs = np.maximum(
        critic_target_z2_next_obs_actor_target_next_obs,
        0.0,
        out=ws.critic_target_h2_next_obs_actor_target_next_obs,
    )
    # critic_target_next_obs_actor_target_next_obs[b,i] +=
    #     critic_target_W3[i,j]*critic_target_h2_next_obs_actor_target_next_obs[b,j]
    critic_target_next_obs_actor_target_next_obs = np.matmul(
        critic_target_h2_next_obs_actor_target_next_obs,
        critic_target_W3.T,
        out=ws.critic_target_next_obs_actor_target_next_obs,
    )
    # critic_target_next_obs_actor_target_next_obs[b,i] += critic_target_c3[i] for b < B
    critic_target_next_obs_actor_target_next_obs += critic_target_c3
    # q_t[b] = critic_target_next_obs_actor_target_next_obs[b,0]
    q_t = ws.q_t
    np.copyto(q_t, critic_target_next_obs_actor_target_next_obs[:, 0])
    # v_tm1[b] = critic[b,0]
    v_tm1 = ws.v_tm1
    np.copyto(v_tm1, critic[:, 0])
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # y[b] = stop(discount_t[b]*q_t[b] + reward[b])
    y = np.multiply(discount_t, q_t, out=ws.y)
    y += reward
    # td[b] = v_tm1[b] - y[b]
    td = np.subtract(v_tm1, y, out=ws.td)
    # loss += td[b]**2/B
    t_1 = np.square(td, out=ws.t_1)
    loss = np.sum(t_1) / B
    return loss, {"td": td}


def critic_value_and_grad(
    params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None
):
    """The loss and its gradient by critic.

    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    gamma: real = 0.99

    Returns ((loss, aux), gradient); aux is a dict of td.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    reward = _real("reward", reward, 1)
    next_obs = _real("next_obs", next_obs, 2)
    done = _boolean("done", done, 1)
    gamma = dtype.type(_real("gamma", gamma, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, S))
    _shape("done", done, (B,))
    ws = _memory(workspace, _CriticValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    grads = ws.grads
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    actor_target_W1, actor_target_c1 = params.actor_target.W1, params.actor_target.c1
    actor_target_W2, actor_target_c2 = params.actor_target.W2, params.actor_target.c2
    actor_target_W3, actor_target_c3 = params.actor_target.W3, params.actor_target.c3
    critic_target_W1, critic_target_c1 = params.critic_target.W1, params.critic_target.c1
    critic_target_W2, critic_target_c2 = params.critic_target.W2, params.critic_target.c2
    critic_target_W3, critic_target_c3 = params.critic_target.W3, params.critic_target.c3
    # critic_x0[b,i] = obs[b,i]
    critic_x0 = ws.critic_x0
    np.copyto(critic_x0[:, :S], obs)
    # critic_x0[b,i+S] = action[b,i]
    np.copyto(critic_x0[:, S:A+S], action)
    # critic_z1[b,i] += critic_W1[i,j]*critic_x0[b,j]
    critic_z1 = np.matmul(critic_x0, critic_W1.T, out=ws.critic_z1)
    # critic_z1[b,i] += critic_c1[i] for b < B
    critic_z1 += critic_c1
    # critic_h1[b,i] = relu(critic_z1[b,i])
    critic_h1 = np.maximum(critic_z1, 0.0, out=ws.critic_h1)
    # critic_z2[b,i] += critic_W2[i,j]*critic_h1[b,j]
    critic_z2 = np.matmul(critic_h1, critic_W2.T, out=ws.critic_z2)
    # critic_z2[b,i] += critic_c2[i] for b < B
    critic_z2 += critic_c2
    # critic_h2[b,i] = relu(critic_z2[b,i])
    critic_h2 = np.maximum(critic_z2, 0.0, out=ws.critic_h2)
    # critic[b,i] += critic_W3[i,j]*critic_h2[b,j]
    critic = np.matmul(critic_h2, critic_W3.T, out=ws.critic)
    # critic[b,i] += critic_c3[i] for b < B
    critic += critic_c3
    # actor_target_z1_next_obs[b,i] += actor_target_W1[i,j]*next_obs[b,j]
    actor_target_z1_next_obs = np.matmul(
        next_obs, actor_target_W1.T, out=ws.actor_target_z1_next_obs
    )
    # actor_target_z1_next_obs[b,i] += actor_target_c1[i] for b < B
    actor_target_z1_next_obs += actor_target_c1
    # actor_target_h1_next_obs[b,i] = relu(actor_target_z1_next_obs[b,i])
    actor_target_h1_next_obs = np.maximum(
        actor_target_z1_next_obs, 0.0, out=ws.actor_target_h1_next_obs
    )
    # actor_target_z2_next_obs[b,i] += actor_target_W2[i,j]*actor_target_h1_next_obs[b,j]
    actor_target_z2_next_obs = np.matmul(
        actor_target_h1_next_obs, actor_target_W2.T, out=ws.actor_target_z2_next_obs
    )
    # actor_target_z2_next_obs[b,i] += actor_target_c2[i] for b < B
    actor_target_z2_next_obs += actor_target_c2
    # actor_target_h2_next_obs[b,i] = relu(actor_target_z2_next_obs[b,i])
    actor_target_h2_next_obs = np.maximum(
        actor_target_z2_next_obs, 0.0, out=ws.actor_target_h2_next_obs
    )
    # actor_target_z3_next_obs[b,i] += actor_target_W3[i,j]*actor_target_h2_next_obs[b,j]
    actor_target_z3_next_obs = np.matmul(
        actor_target_h2_next_obs, actor_target_W3.T, out=ws.actor_target_z3_next_obs
    )
    # actor_target_z3_next_obs[b,i] += actor_target_c3[i] for b < B
    actor_target_z3_next_obs += actor_target_c3
    # actor_target_next_obs[b,i] = tanh(actor_target_z3_next_obs[b,i])
    actor_target_next_obs = np.tanh(actor_target_z3_next_obs, out=ws.actor_target_next_obs)
    # critic_target_x0_next_obs_actor_target_next_obs[b,i] = next_obs[b,i]
    critic_target_x0_next_obs_actor_target_next_obs = (
        ws.critic_target_x0_next_obs_actor_target_next_obs
    )
    np.copyto(critic_target_x0_next_obs_actor_target_next_obs[:, :S], next_obs)
    # critic_target_x0_next_obs_actor_target_next_obs[b,i+S] = actor_target_next_obs[b,i]
    np.copyto(critic_target_x0_next_obs_actor_target_next_obs[:, S:A+S], actor_target_next_obs)
    # critic_target_z1_next_obs_actor_target_next_obs[b,i] +=
    #     critic_target_W1[i,j]*critic_target_x0_next_obs_actor_target_next_obs[b,j]
    critic_target_z1_next_obs_actor_target_next_obs = np.matmul(
        critic_target_x0_next_obs_actor_target_next_obs,
        critic_target_W1.T,
        out=ws.critic_target_z1_next_obs_actor_target_next_obs,
    )
    # critic_target_z1_next_obs_actor_target_next_obs[b,i] += critic_target_c1[i] for b < B
    critic_target_z1_next_obs_actor_target_next_obs += critic_target_c1
    # critic_target_h1_next_obs_actor_target_next_obs[b,i] =
    #     relu(critic_target_z1_next_obs_actor_target_next_obs[b,i])
    critic_target_h1_next_obs_actor_target_next_obs = np.maximum(
        critic_target_z1_next_obs_actor_target_next_obs,
        0.0,
        out=ws.critic_target_h1_next_obs_actor_target_next_obs,
    )
    # critic_target_z2_next_obs_actor_target_next_obs[b,i] +=
    #     critic_target_W2[i,j]*critic_target_h1_next_obs_actor_target_next_obs[b,j]
    critic_target_z2_next_obs_actor_target_next_obs = np.matmul(
        critic_target_h1_next_obs_actor_target_next_obs,
        critic_target_W2.T,
        out=ws.critic_target_z2_next_obs_actor_target_next_obs,
    )
    # critic_target_z2_next_obs_actor_target_next_obs[b,i] += critic_target_c2[i] for b < B
    critic_target_z2_next_obs_actor_target_next_obs += critic_target_c2
    # critic_target_h2_next_obs_actor_target_next_obs[b,i] =
    #     relu(critic_target_z2_next_obs_actor_target_next_obs[b,i])
    critic_target_h2_next_obs_actor_target_next_obs = np.maximum(
        critic_target_z2_next_obs_actor_target_next_obs,
        0.0,
        out=ws.critic_target_h2_next_obs_actor_target_next_obs,
    )
    # critic_target_next_obs_actor_target_next_obs[b,i] +=
    #     critic_target_W3[i,j]*critic_target_h2_next_obs_actor_target_next_obs[b,j]
    critic_target_next_obs_actor_target_next_obs = np.matmul(
        critic_target_h2_next_obs_actor_target_next_obs,
        critic_target_W3.T,
        out=ws.critic_target_next_obs_actor_target_next_obs,
    )
    # critic_target_next_obs_actor_target_next_obs[b,i] += critic_target_c3[i] for b < B
    critic_target_next_obs_actor_target_next_obs += critic_target_c3
    # q_t[b] = critic_target_next_obs_actor_target_next_obs[b,0]
    q_t = ws.q_t
    np.copyto(q_t, critic_target_next_obs_actor_target_next_obs[:, 0])
    # v_tm1[b] = critic[b,0]
    v_tm1 = ws.v_tm1
    np.copyto(v_tm1, critic[:, 0])
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # y[b] = stop(discount_t[b]*q_t[b] + reward[b])
    y = np.multiply(discount_t, q_t, out=ws.y)
    y += reward
    # td[b] = v_tm1[b] - y[b]
    td = np.subtract(v_tm1, y, out=ws.td)
    # loss += td[b]**2/B
    t_1 = np.square(td, out=ws.t_1)
    loss = np.sum(t_1) / B
    # dtd[b] = 2*td[b]/B
    dtd = np.multiply(td, 2.0 / B, out=ws.dtd)
    # dcritic[b,0] += dtd[b]
    dcritic = ws.dcritic
    np.copyto(dcritic[:, 0], dtd)
    # dcritic_c3[i] += dcritic[b,i]
    np.sum(dcritic, axis=0, out=grads.critic.c3)
    # dcritic_W3[i,j] += dcritic[b,i]*critic_h2[b,j]
    np.matmul(dcritic.T, critic_h2, out=grads.critic.W3)
    # dcritic_h2[b,j] += dcritic[b,i]*critic_W3[i,j]
    dcritic_h2 = np.matmul(dcritic, critic_W3, out=ws.dcritic_h2)
    # dcritic_z2[b,i] = where(0 < critic_z2[b,i], dcritic_h2[b,i], 0)
    t_2 = np.greater(critic_z2, 0.0, out=ws.t_2)
    dcritic_z2 = ws.dcritic_z2
    dcritic_z2.fill(0.0)
    np.copyto(dcritic_z2, dcritic_h2, where=t_2)
    # dcritic_c2[i] += dcritic_z2[b,i]
    np.sum(dcritic_z2, axis=0, out=grads.critic.c2)
    # dcritic_W2[i,j] += dcritic_z2[b,i]*critic_h1[b,j]
    np.matmul(dcritic_z2.T, critic_h1, out=grads.critic.W2)
    # dcritic_h1[b,j] += dcritic_z2[b,i]*critic_W2[i,j]
    dcritic_h1 = np.matmul(dcritic_z2, critic_W2, out=ws.dcritic_h1)
    # dcritic_z1[b,i] = where(0 < critic_z1[b,i], dcritic_h1[b,i], 0)
    np.greater(critic_z1, 0.0, out=t_2)
    dcritic_z1 = ws.dcritic_z1
    dcritic_z1.fill(0.0)
    np.copyto(dcritic_z1, dcritic_h1, where=t_2)
    # dcritic_c1[i] += dcritic_z1[b,i]
    np.sum(dcritic_z1, axis=0, out=grads.critic.c1)
    # dcritic_W1[i,j] += dcritic_z1[b,i]*critic_x0[b,j]
    np.matmul(dcritic_z1.T, critic_x0, out=grads.critic.W1)
    return (loss, {"td": td}), grads


def actor_value(params, *, obs, workspace=None):
    """The loss.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ActorValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    actor_W1, actor_c1, actor_W2 = params.actor.W1, params.actor.c1, params.actor.W2
    actor_c2, actor_W3, actor_c3 = params.actor.c2, params.actor.W3, params.actor.c3
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = relu(actor_z1[b,i])
    actor_h1 = np.maximum(actor_z1, 0.0, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = relu(actor_z2[b,i])
    actor_h2 = np.maximum(actor_z2, 0.0, out=ws.actor_h2)
    # actor_z3[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor_z3 = np.matmul(actor_h2, actor_W3.T, out=ws.actor_z3)
    # actor_z3[b,i] += actor_c3[i] for b < B
    actor_z3 += actor_c3
    # actor[b,i] = tanh(actor_z3[b,i])
    actor = np.tanh(actor_z3, out=ws.actor)
    # critic_x0_obs_actor[b,i] = obs[b,i]
    critic_x0_obs_actor = ws.critic_x0_obs_actor
    np.copyto(critic_x0_obs_actor[:, :S], obs)
    # critic_x0_obs_actor[b,i+S] = actor[b,i]
    np.copyto(critic_x0_obs_actor[:, S:A+S], actor)
    # critic_z1_obs_actor[b,i] += critic_W1[i,j]*critic_x0_obs_actor[b,j]
    critic_z1_obs_actor = np.matmul(critic_x0_obs_actor, critic_W1.T, out=ws.critic_z1_obs_actor)
    # critic_z1_obs_actor[b,i] += critic_c1[i] for b < B
    critic_z1_obs_actor += critic_c1
    # critic_h1_obs_actor[b,i] = relu(critic_z1_obs_actor[b,i])
    critic_h1_obs_actor = np.maximum(critic_z1_obs_actor, 0.0, out=ws.critic_h1_obs_actor)
    # critic_z2_obs_actor[b,i] += critic_W2[i,j]*critic_h1_obs_actor[b,j]
    critic_z2_obs_actor = np.matmul(critic_h1_obs_actor, critic_W2.T, out=ws.critic_z2_obs_actor)
    # critic_z2_obs_actor[b,i] += critic_c2[i] for b < B
    critic_z2_obs_actor += critic_c2
    # critic_h2_obs_actor[b,i] = relu(critic_z2_obs_actor[b,i])
    critic_h2_obs_actor = np.maximum(critic_z2_obs_actor, 0.0, out=ws.critic_h2_obs_actor)
    # critic_obs_actor[b,i] += critic_W3[i,j]*critic_h2_obs_actor[b,j]
    critic_obs_actor = np.matmul(critic_h2_obs_actor, critic_W3.T, out=ws.critic_obs_actor)
    # critic_obs_actor[b,i] += critic_c3[i] for b < B
    critic_obs_actor += critic_c3
    # q[b] = critic_obs_actor[b,0]
    q = ws.q
    np.copyto(q, critic_obs_actor[:, 0])
    # loss += -q[b]/B
    loss = -np.sum(q) / B
    return loss


def actor_value_and_grad(params, *, obs, workspace=None):
    """The loss and its gradient by actor.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ActorValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    grads = ws.grads
    actor_W1, actor_c1, actor_W2 = params.actor.W1, params.actor.c1, params.actor.W2
    actor_c2, actor_W3, actor_c3 = params.actor.c2, params.actor.W3, params.actor.c3
    critic_W1, critic_c1, critic_W2 = params.critic.W1, params.critic.c1, params.critic.W2
    critic_c2, critic_W3, critic_c3 = params.critic.c2, params.critic.W3, params.critic.c3
    # actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1 = np.matmul(obs, actor_W1.T, out=ws.actor_z1)
    # actor_z1[b,i] += actor_c1[i] for b < B
    actor_z1 += actor_c1
    # actor_h1[b,i] = relu(actor_z1[b,i])
    actor_h1 = np.maximum(actor_z1, 0.0, out=ws.actor_h1)
    # actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2 = np.matmul(actor_h1, actor_W2.T, out=ws.actor_z2)
    # actor_z2[b,i] += actor_c2[i] for b < B
    actor_z2 += actor_c2
    # actor_h2[b,i] = relu(actor_z2[b,i])
    actor_h2 = np.maximum(actor_z2, 0.0, out=ws.actor_h2)
    # actor_z3[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor_z3 = np.matmul(actor_h2, actor_W3.T, out=ws.actor_z3)
    # actor_z3[b,i] += actor_c3[i] for b < B
    actor_z3 += actor_c3
    # actor[b,i] = tanh(actor_z3[b,i])
    actor = np.tanh(actor_z3, out=ws.actor)
    # critic_x0_obs_actor[b,i] = obs[b,i]
    critic_x0_obs_actor = ws.critic_x0_obs_actor
    np.copyto(critic_x0_obs_actor[:, :S], obs)
    # critic_x0_obs_actor[b,i+S] = actor[b,i]
    np.copyto(critic_x0_obs_actor[:, S:A+S], actor)
    # critic_z1_obs_actor[b,i] += critic_W1[i,j]*critic_x0_obs_actor[b,j]
    critic_z1_obs_actor = np.matmul(critic_x0_obs_actor, critic_W1.T, out=ws.critic_z1_obs_actor)
    # critic_z1_obs_actor[b,i] += critic_c1[i] for b < B
    critic_z1_obs_actor += critic_c1
    # critic_h1_obs_actor[b,i] = relu(critic_z1_obs_actor[b,i])
    critic_h1_obs_actor = np.maximum(critic_z1_obs_actor, 0.0, out=ws.critic_h1_obs_actor)
    # critic_z2_obs_actor[b,i] += critic_W2[i,j]*critic_h1_obs_actor[b,j]
    critic_z2_obs_actor = np.matmul(critic_h1_obs_actor, critic_W2.T, out=ws.critic_z2_obs_actor)
    # critic_z2_obs_actor[b,i] += critic_c2[i] for b < B
    critic_z2_obs_actor += critic_c2
    # critic_h2_obs_actor[b,i] = relu(critic_z2_obs_actor[b,i])
    critic_h2_obs_actor = np.maximum(critic_z2_obs_actor, 0.0, out=ws.critic_h2_obs_actor)
    # critic_obs_actor[b,i] += critic_W3[i,j]*critic_h2_obs_actor[b,j]
    critic_obs_actor = np.matmul(critic_h2_obs_actor, critic_W3.T, out=ws.critic_obs_actor)
    # critic_obs_actor[b,i] += critic_c3[i] for b < B
    critic_obs_actor += critic_c3
    # q[b] = critic_obs_actor[b,0]
    q = ws.q
    np.copyto(q, critic_obs_actor[:, 0])
    # loss += -q[b]/B
    loss = -np.sum(q) / B
    # dq[b] = -1/B for b < B
    dq = ws.dq
    dq.fill(-1.0 / B)
    # dcritic_obs_actor[b,0] += dq[b]
    dcritic_obs_actor = ws.dcritic_obs_actor
    np.copyto(dcritic_obs_actor[:, 0], dq)
    # dcritic_h2_obs_actor[b,j] += dcritic_obs_actor[b,i]*critic_W3[i,j]
    dcritic_h2_obs_actor = np.matmul(dcritic_obs_actor, critic_W3, out=ws.dcritic_h2_obs_actor)
    # dcritic_z2_obs_actor[b,i] = where(0 < critic_z2_obs_actor[b,i], dcritic_h2_obs_actor[b,i], 0)
    t_1 = np.greater(critic_z2_obs_actor, 0.0, out=ws.t_1)
    dcritic_z2_obs_actor = ws.dcritic_z2_obs_actor
    dcritic_z2_obs_actor.fill(0.0)
    np.copyto(dcritic_z2_obs_actor, dcritic_h2_obs_actor, where=t_1)
    # dcritic_h1_obs_actor[b,j] += dcritic_z2_obs_actor[b,i]*critic_W2[i,j]
    dcritic_h1_obs_actor = np.matmul(dcritic_z2_obs_actor, critic_W2, out=ws.dcritic_h1_obs_actor)
    # dcritic_z1_obs_actor[b,i] = where(0 < critic_z1_obs_actor[b,i], dcritic_h1_obs_actor[b,i], 0)
    np.greater(critic_z1_obs_actor, 0.0, out=t_1)
    dcritic_z1_obs_actor = ws.dcritic_z1_obs_actor
    dcritic_z1_obs_actor.fill(0.0)
    np.copyto(dcritic_z1_obs_actor, dcritic_h1_obs_actor, where=t_1)
    # dcritic_x0_obs_actor[b,j] += dcritic_z1_obs_actor[b,i]*critic_W1[i,j]
    dcritic_x0_obs_actor = np.matmul(dcritic_z1_obs_actor, critic_W1, out=ws.dcritic_x0_obs_actor)
    # dactor[b,i] = dcritic_x0_obs_actor[b,i+S] for i < A
    dactor = ws.dactor
    np.copyto(dactor, dcritic_x0_obs_actor[:, S:A+S])
    # dactor_z3[b,i] = dactor[b,i]*(1 - actor[b,i]**2)
    dactor_z3 = np.square(actor, out=ws.dactor_z3)
    np.subtract(1.0, dactor_z3, out=dactor_z3)
    dactor_z3 *= dactor
    # dactor_c3[i] += dactor_z3[b,i]
    np.sum(dactor_z3, axis=0, out=grads.actor.c3)
    # dactor_W3[i,j] += dactor_z3[b,i]*actor_h2[b,j]
    np.matmul(dactor_z3.T, actor_h2, out=grads.actor.W3)
    # dactor_h2[b,j] += dactor_z3[b,i]*actor_W3[i,j]
    dactor_h2 = np.matmul(dactor_z3, actor_W3, out=ws.dactor_h2)
    # dactor_z2[b,i] = where(0 < actor_z2[b,i], dactor_h2[b,i], 0)
    np.greater(actor_z2, 0.0, out=t_1)
    dactor_z2 = ws.dactor_z2
    dactor_z2.fill(0.0)
    np.copyto(dactor_z2, dactor_h2, where=t_1)
    # dactor_c2[i] += dactor_z2[b,i]
    np.sum(dactor_z2, axis=0, out=grads.actor.c2)
    # dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    np.matmul(dactor_z2.T, actor_h1, out=grads.actor.W2)
    # dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_h1 = np.matmul(dactor_z2, actor_W2, out=ws.dactor_h1)
    # dactor_z1[b,i] = where(0 < actor_z1[b,i], dactor_h1[b,i], 0)
    np.greater(actor_z1, 0.0, out=t_1)
    dactor_z1 = ws.dactor_z1
    dactor_z1.fill(0.0)
    np.copyto(dactor_z1, dactor_h1, where=t_1)
    # dactor_c1[i] += dactor_z1[b,i]
    np.sum(dactor_z1, axis=0, out=grads.actor.c1)
    # dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]
    np.matmul(dactor_z1.T, obs, out=grads.actor.W1)
    return loss, grads


class _ActorForwardMemory:
    """The buffers of actor_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.actor_z2 = np.empty((B, H), dtype)
        self.actor_z3 = self.actor = np.empty((B, A), dtype)


class _CriticForwardMemory:
    """The buffers of critic_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_x0 = np.empty((B, A + S), dtype)
        self.critic_z1 = self.critic_h1 = self.critic_h2 = np.empty((B, H), dtype)
        self.critic_z2 = np.empty((B, H), dtype)
        self.critic = np.empty((B, 1), dtype)


class _ActorTargetForwardMemory:
    """The buffers of actor_target_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_target_z1 = self.actor_target_h1 = self.actor_target_h2 = np.empty((B, H), dtype)
        self.actor_target_z2 = np.empty((B, H), dtype)
        self.actor_target_z3 = self.actor_target = np.empty((B, A), dtype)


class _CriticTargetForwardMemory:
    """The buffers of critic_target_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_target_x0 = np.empty((B, A + S), dtype)
        self.critic_target_z1 = self.critic_target_h1 = np.empty((B, H), dtype)
        self.critic_target_h2 = self.critic_target_z1
        self.critic_target_z2 = np.empty((B, H), dtype)
        self.critic_target = np.empty((B, 1), dtype)


class _CriticValueMemory:
    """The buffers of critic_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_x0 = np.empty((B, A + S), dtype)
        self.critic_target_x0_next_obs_actor_target_next_obs = self.critic_x0
        self.critic_z1 = self.critic_h1 = self.critic_h2 = np.empty((B, H), dtype)
        self.actor_target_z1_next_obs = self.actor_target_h1_next_obs = self.critic_z1
        self.actor_target_h2_next_obs = self.critic_z1
        self.critic_target_z1_next_obs_actor_target_next_obs = self.critic_z1
        self.critic_target_h1_next_obs_actor_target_next_obs = self.critic_z1
        self.critic_target_h2_next_obs_actor_target_next_obs = self.critic_z1
        self.critic_z2 = self.actor_target_z2_next_obs = np.empty((B, H), dtype)
        self.critic_target_z2_next_obs_actor_target_next_obs = self.critic_z2
        self.critic = np.empty((B, 1), dtype)
        self.actor_target_z3_next_obs = self.actor_target_next_obs = np.empty((B, A), dtype)
        self.critic_target_next_obs_actor_target_next_obs = np.empty((B, 1), dtype)
        self.q_t = self.y = self.td = np.empty((B,), dtype)
        self.v_tm1 = self.t_1 = np.empty((B,), dtype)
        self.done_real = self.discount_t = np.empty((B,), dtype)


class _CriticValueAndGradMemory:
    """The buffers of critic_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_x0 = np.empty((B, A + S), dtype)
        self.critic_z1 = self.dcritic_z1 = np.empty((B, H), dtype)
        self.critic_h1 = self.dcritic_h1 = np.empty((B, H), dtype)
        self.critic_z2 = self.dcritic_z2 = np.empty((B, H), dtype)
        self.critic_h2 = self.dcritic_h2 = np.empty((B, H), dtype)
        self.critic = self.dcritic = np.empty((B, 1), dtype)
        self.actor_target_z1_next_obs = self.actor_target_h1_next_obs = np.empty((B, H), dtype)
        self.actor_target_h2_next_obs = self.actor_target_z1_next_obs
        self.critic_target_z1_next_obs_actor_target_next_obs = self.actor_target_z1_next_obs
        self.critic_target_h1_next_obs_actor_target_next_obs = self.actor_target_z1_next_obs
        self.critic_target_h2_next_obs_actor_target_next_obs = self.actor_target_z1_next_obs
        self.actor_target_z2_next_obs = np.empty((B, H), dtype)
        self.critic_target_z2_next_obs_actor_target_next_obs = self.actor_target_z2_next_obs
        self.actor_target_z3_next_obs = self.actor_target_next_obs = np.empty((B, A), dtype)
        self.critic_target_x0_next_obs_actor_target_next_obs = np.empty((B, A + S), dtype)
        self.critic_target_next_obs_actor_target_next_obs = np.empty((B, 1), dtype)
        self.q_t = self.y = self.td = np.empty((B,), dtype)
        self.v_tm1 = self.t_1 = self.dtd = np.empty((B,), dtype)
        self.done_real = self.discount_t = np.empty((B,), dtype)
        self.t_2 = np.empty((B, H), np.bool_)
        self.grads = CriticGradients(dtype, S=S, A=A, H=H)


class _ActorValueMemory:
    """The buffers of actor_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.critic_z1_obs_actor = self.critic_h1_obs_actor = self.actor_z1
        self.critic_h2_obs_actor = self.actor_z1
        self.actor_z2 = self.critic_z2_obs_actor = np.empty((B, H), dtype)
        self.actor_z3 = self.actor = np.empty((B, A), dtype)
        self.critic_x0_obs_actor = np.empty((B, A + S), dtype)
        self.critic_obs_actor = np.empty((B, 1), dtype)
        self.q = np.empty((B,), dtype)


class _ActorValueAndGradMemory:
    """The buffers of actor_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.dactor_z1 = np.empty((B, H), dtype)
        self.actor_h1 = self.dactor_h1 = np.empty((B, H), dtype)
        self.actor_z2 = self.dactor_z2 = np.empty((B, H), dtype)
        self.actor_h2 = self.dactor_h2 = np.empty((B, H), dtype)
        self.actor_z3 = self.actor = self.dactor_z3 = np.empty((B, A), dtype)
        self.critic_x0_obs_actor = self.dcritic_x0_obs_actor = np.empty((B, A + S), dtype)
        self.critic_z1_obs_actor = self.dcritic_z1_obs_actor = np.empty((B, H), dtype)
        self.critic_h1_obs_actor = self.critic_h2_obs_actor = np.empty((B, H), dtype)
        self.dcritic_h2_obs_actor = self.dcritic_h1_obs_actor = self.critic_h1_obs_actor
        self.critic_z2_obs_actor = self.dcritic_z2_obs_actor = np.empty((B, H), dtype)
        self.critic_obs_actor = self.dcritic_obs_actor = np.empty((B, 1), dtype)
        self.q = self.dq = np.empty((B,), dtype)
        self.dactor = np.empty((B, A), dtype)
        self.t_1 = np.empty((B, H), np.bool_)
        self.grads = ActorGradients(dtype, S=S, A=A, H=H)


class _Group(_Views):
    """Named views on a part of the parameters' vector, and that part itself as `flat`."""

    def __init__(self, flat, **shapes):
        self._sizes = shapes
        self.flat = flat
        part = _parts(flat)
        for name, shape in shapes.items():
            setattr(self, name, part(*shape))
        self._closed = True


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
