"""halfcheetah_iql: Implicit Q-learning for HalfCheetah: a value 17-256-256-1 learned as an
expectile of two target critics, critics 23-256-256-1 that bootstrap from it, and a Gaussian
actor 17-256-256-6 weighted by the advantage.

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
    value_z1[b,i] += obs[b,j]*value_W1[i,j]
    value_z1[b,i] += value_c1[i] for b < B
    value_h1[b,i] = relu(value_z1[b,i])
    value_z2[b,i] += value_W2[i,j]*value_h1[b,j]
    value_z2[b,i] += value_c2[i] for b < B
    value_h2[b,i] = relu(value_z2[b,i])
    value[b,i] += value_W3[i,j]*value_h2[b,j]
    value[b,i] += value_c3[i] for b < B
    critic_1_x0[b,i] = obs[b,i]
    critic_1_x0[b,i+S] = action[b,i]
    critic_1_z1[b,i] += critic_1_W1[i,j]*critic_1_x0[b,j]
    critic_1_z1[b,i] += critic_1_c1[i] for b < B
    critic_1_h1[b,i] = relu(critic_1_z1[b,i])
    critic_1_z2[b,i] += critic_1_W2[i,j]*critic_1_h1[b,j]
    critic_1_z2[b,i] += critic_1_c2[i] for b < B
    critic_1_h2[b,i] = relu(critic_1_z2[b,i])
    critic_1[b,i] += critic_1_W3[i,j]*critic_1_h2[b,j]
    critic_1[b,i] += critic_1_c3[i] for b < B
    critic_2_x0[b,i] = obs[b,i]
    critic_2_x0[b,i+S] = action[b,i]
    critic_2_z1[b,i] += critic_2_W1[i,j]*critic_2_x0[b,j]
    critic_2_z1[b,i] += critic_2_c1[i] for b < B
    critic_2_h1[b,i] = relu(critic_2_z1[b,i])
    critic_2_z2[b,i] += critic_2_W2[i,j]*critic_2_h1[b,j]
    critic_2_z2[b,i] += critic_2_c2[i] for b < B
    critic_2_h2[b,i] = relu(critic_2_z2[b,i])
    critic_2[b,i] += critic_2_W3[i,j]*critic_2_h2[b,j]
    critic_2[b,i] += critic_2_c3[i] for b < B
    critic_1_target_x0[b,i] = obs[b,i]
    critic_1_target_x0[b,i+S] = action[b,i]
    critic_1_target_z1[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0[b,j]
    critic_1_target_z1[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_h1[b,i] = relu(critic_1_target_z1[b,i])
    critic_1_target_z2[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1[b,j]
    critic_1_target_z2[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_h2[b,i] = relu(critic_1_target_z2[b,i])
    critic_1_target[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2[b,j]
    critic_1_target[b,i] += critic_1_target_c3[i] for b < B
    critic_2_target_x0[b,i] = obs[b,i]
    critic_2_target_x0[b,i+S] = action[b,i]
    critic_2_target_z1[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0[b,j]
    critic_2_target_z1[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_h1[b,i] = relu(critic_2_target_z1[b,i])
    critic_2_target_z2[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1[b,j]
    critic_2_target_z2[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_h2[b,i] = relu(critic_2_target_z2[b,i])
    critic_2_target[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2[b,j]
    critic_2_target[b,i] += critic_2_target_c3[i] for b < B

Loss value
    q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
    v[b] = value[b,0]
    d[b] = stop(q[b]) - v[b]
    loss += d[b]**2*where(d[b] < 0, 1 - tau, tau)/B

Loss critic
    value_z1_next_obs[b,i] += next_obs[b,j]*value_W1[i,j]
    value_z1_next_obs[b,i] += value_c1[i] for b < B
    value_h1_next_obs[b,i] = relu(value_z1_next_obs[b,i])
    value_z2_next_obs[b,i] += value_W2[i,j]*value_h1_next_obs[b,j]
    value_z2_next_obs[b,i] += value_c2[i] for b < B
    value_h2_next_obs[b,i] = relu(value_z2_next_obs[b,i])
    value_next_obs[b,i] += value_W3[i,j]*value_h2_next_obs[b,j]
    value_next_obs[b,i] += value_c3[i] for b < B
    v_t[b] = value_next_obs[b,0]
    discount_t[b] = gamma*(1 - done[b])
    v_tm1[b] = critic_1[b,0]
    y[b] = stop(discount_t[b]*v_t[b] + reward[b])
    td[b] = v_tm1[b] - y[b]
    td_learning += td[b]**2/B
    v_tm1_2[b] = critic_2[b,0]
    y_2[b] = stop(discount_t[b]*v_t[b] + reward[b])
    td_2[b] = v_tm1_2[b] - y_2[b]
    td_learning_2 += td_2[b]**2/B
    loss = td_learning + td_learning_2

Loss actor
    q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
    n[b,i] = exp(-log_std[i])*(action[b,i] - actor[b,i])
    normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
    logp[b] = normal_log_prob[b]
    advantage[b] = q[b] - value[b,0]
    loss += -logp[b]*stop(exp(minimum(advantage[b]/beta, log(w_max))))/B

Gradient (value_value_and_grad); dX stands for dL/dX.
    d_where[b] = where(d[b] < 0, 1 - tau, tau)
    loss += d[b]**2*d_where[b]/B
    dd[b] = 2*d[b]*d_where[b]/B
    dv[b] = -dd[b]
    dvalue[b,0] += dv[b]
    dvalue_c3[i] += dvalue[b,i]
    dvalue_W3[i,j] += dvalue[b,i]*value_h2[b,j]
    dvalue_h2[b,j] += dvalue[b,i]*value_W3[i,j]
    dvalue_z2[b,i] = where(0 < value_z2[b,i], dvalue_h2[b,i], 0)
    dvalue_c2[i] += dvalue_z2[b,i]
    dvalue_W2[i,j] += dvalue_z2[b,i]*value_h1[b,j]
    dvalue_h1[b,j] += dvalue_z2[b,i]*value_W2[i,j]
    dvalue_z1[b,i] = where(0 < value_z1[b,i], dvalue_h1[b,i], 0)
    dvalue_c1[i] += dvalue_z1[b,i]
    dvalue_W1[i,j] += dvalue_z1[b,i]*obs[b,j]

Gradient (critic_value_and_grad); dX stands for dL/dX.
    td_2[b] = v_tm1_2[b] - y[b]
    dtd_2[b] = 2*td_2[b]/B
    dcritic_2[b,0] += dtd_2[b]
    dtd[b] = 2*td[b]/B
    dcritic_1[b,0] += dtd[b]
    dcritic_2_c3[i] += dcritic_2[b,i]
    dcritic_2_W3[i,j] += dcritic_2[b,i]*critic_2_h2[b,j]
    dcritic_2_h2[b,j] += dcritic_2[b,i]*critic_2_W3[i,j]
    dcritic_2_z2[b,i] = where(0 < critic_2_z2[b,i], dcritic_2_h2[b,i], 0)
    dcritic_2_c2[i] += dcritic_2_z2[b,i]
    dcritic_2_W2[i,j] += dcritic_2_z2[b,i]*critic_2_h1[b,j]
    dcritic_2_h1[b,j] += dcritic_2_z2[b,i]*critic_2_W2[i,j]
    dcritic_2_z1[b,i] = where(0 < critic_2_z1[b,i], dcritic_2_h1[b,i], 0)
    dcritic_2_c1[i] += dcritic_2_z1[b,i]
    dcritic_2_W1[i,j] += dcritic_2_z1[b,i]*critic_2_x0[b,j]
    dcritic_1_c3[i] += dcritic_1[b,i]
    dcritic_1_W3[i,j] += dcritic_1[b,i]*critic_1_h2[b,j]
    dcritic_1_h2[b,j] += dcritic_1[b,i]*critic_1_W3[i,j]
    dcritic_1_z2[b,i] = where(0 < critic_1_z2[b,i], dcritic_1_h2[b,i], 0)
    dcritic_1_c2[i] += dcritic_1_z2[b,i]
    dcritic_1_W2[i,j] += dcritic_1_z2[b,i]*critic_1_h1[b,j]
    dcritic_1_h1[b,j] += dcritic_1_z2[b,i]*critic_1_W2[i,j]
    dcritic_1_z1[b,i] = where(0 < critic_1_z1[b,i], dcritic_1_h1[b,i], 0)
    dcritic_1_c1[i] += dcritic_1_z1[b,i]
    dcritic_1_W1[i,j] += dcritic_1_z1[b,i]*critic_1_x0[b,j]

Gradient (actor_value_and_grad); dX stands for dL/dX.
    log_std_exp[i] = exp(-log_std[i])
    n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    w_max_log = log(w_max)
    advantage_arg[b] = advantage[b]/beta
    advantage_arg_minimum[b] = minimum(advantage_arg[b], w_max_log)
    advantage_arg_minimum_exp[b] = exp(advantage_arg_minimum[b])
    loss += -normal_log_prob[b]*stop(advantage_arg_minimum_exp[b])/B
    dnormal_log_prob[b] = -stop(advantage_arg_minimum_exp[b])/B
    dlog_std[i] += -dnormal_log_prob[b] for i < A
    dn[b,i] = -dnormal_log_prob[b]*n[b,i]
    dactor[b,i] = -dn[b,i]*log_std_exp[i]
    dlog_std_exp[i] += dn[b,i]*(action[b,i] - actor[b,i])
    dlog_std[i] += -dlog_std_exp[i]*log_std_exp[i]
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
    log_std: real[A]
    actor_W1: real[H, S]
    actor_c1: real[H]
    actor_W2: real[H, H]
    actor_c2: real[H]
    actor_W3: real[A, H]
    actor_c3: real[A]
    value_W1: real[H, S]
    value_c1: real[H]
    value_W2: real[H, H]
    value_c2: real[H]
    value_W3: real[1, H]
    value_c3: real[1]
    critic_1_W1: real[H, A+S]
    critic_1_c1: real[H]
    critic_1_W2: real[H, H]
    critic_1_c2: real[H]
    critic_1_W3: real[1, H]
    critic_1_c3: real[1]
    critic_2_W1: real[H, A+S]
    critic_2_c1: real[H]
    critic_2_W2: real[H, H]
    critic_2_c2: real[H]
    critic_2_W3: real[1, H]
    critic_2_c3: real[1]
    critic_1_target_W1: real[H, A+S]
    critic_1_target_c1: real[H]
    critic_1_target_W2: real[H, H]
    critic_1_target_c2: real[H]
    critic_1_target_W3: real[1, H]
    critic_1_target_c3: real[1]
    critic_2_target_W1: real[H, A+S]
    critic_2_target_c1: real[H]
    critic_2_target_W2: real[H, H]
    critic_2_target_c2: real[H]
    critic_2_target_W3: real[1, H]
    critic_2_target_c3: real[1]
    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    gamma: real = 0.99
    tau: real = 0.7
    beta: real > 0 = 0.3333333333333333
    w_max: real > 0 = 100
    B: transitions in the batch

At kinks: relu'(0) = 0; a tie of minimum takes the first argument's side.
Held constant: what wrt does not name, and what stop() holds in
    d[b] = stop(q[b]) - v[b]
    y[b] = stop(discount_t[b]*v_t[b] + reward[b])
    y_2[b] = stop(discount_t[b]*v_t[b] + reward[b])
    loss += -logp[b]*stop(exp(minimum(advantage[b]/beta, log(w_max))))/B
Reduction: loss is summed over b and divided by B; td_learning is summed over b and divided by B;
    td_learning_2 is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 17, "A": 6, "H": 256}
PARAMETERS = {
    "log_std": {"axes": ("A",), "offset": 0, "shape": (6,), "strides": (1,)},
    "actor.W1": {"axes": ("H", "S"), "offset": 6, "shape": (256, 17), "strides": (17, 1)},
    "actor.c1": {"axes": ("H",), "offset": 4358, "shape": (256,), "strides": (1,)},
    "actor.W2": {"axes": ("H", "H"), "offset": 4614, "shape": (256, 256), "strides": (256, 1)},
    "actor.c2": {"axes": ("H",), "offset": 70150, "shape": (256,), "strides": (1,)},
    "actor.W3": {"axes": ("A", "H"), "offset": 70406, "shape": (6, 256), "strides": (256, 1)},
    "actor.c3": {"axes": ("A",), "offset": 71942, "shape": (6,), "strides": (1,)},
    "value.W1": {"axes": ("H", "S"), "offset": 71948, "shape": (256, 17), "strides": (17, 1)},
    "value.c1": {"axes": ("H",), "offset": 76300, "shape": (256,), "strides": (1,)},
    "value.W2": {"axes": ("H", "H"), "offset": 76556, "shape": (256, 256), "strides": (256, 1)},
    "value.c2": {"axes": ("H",), "offset": 142092, "shape": (256,), "strides": (1,)},
    "value.W3": {"axes": ("1", "H"), "offset": 142348, "shape": (1, 256), "strides": (256, 1)},
    "value.c3": {"axes": ("1",), "offset": 142604, "shape": (1,), "strides": (1,)},
    "critic_1.W1": {"axes": ("H", "A+S"), "offset": 142605, "shape": (256, 23), "strides": (23, 1)},
    "critic_1.c1": {"axes": ("H",), "offset": 148493, "shape": (256,), "strides": (1,)},
    "critic_1.W2": {"axes": ("H", "H"), "offset": 148749, "shape": (256, 256), "strides": (256, 1)},
    "critic_1.c2": {"axes": ("H",), "offset": 214285, "shape": (256,), "strides": (1,)},
    "critic_1.W3": {"axes": ("1", "H"), "offset": 214541, "shape": (1, 256), "strides": (256, 1)},
    "critic_1.c3": {"axes": ("1",), "offset": 214797, "shape": (1,), "strides": (1,)},
    "critic_2.W1": {"axes": ("H", "A+S"), "offset": 214798, "shape": (256, 23), "strides": (23, 1)},
    "critic_2.c1": {"axes": ("H",), "offset": 220686, "shape": (256,), "strides": (1,)},
    "critic_2.W2": {"axes": ("H", "H"), "offset": 220942, "shape": (256, 256), "strides": (256, 1)},
    "critic_2.c2": {"axes": ("H",), "offset": 286478, "shape": (256,), "strides": (1,)},
    "critic_2.W3": {"axes": ("1", "H"), "offset": 286734, "shape": (1, 256), "strides": (256, 1)},
    "critic_2.c3": {"axes": ("1",), "offset": 286990, "shape": (1,), "strides": (1,)},
    "critic_1_target.W1": {
        "axes": ("H", "A+S"), "offset": 286991, "shape": (256, 23), "strides": (23, 1)
    },
    "critic_1_target.c1": {"axes": ("H",), "offset": 292879, "shape": (256,), "strides": (1,)},
    "critic_1_target.W2": {
        "axes": ("H", "H"), "offset": 293135, "shape": (256, 256), "strides": (256, 1)
    },
    "critic_1_target.c2": {"axes": ("H",), "offset": 358671, "shape": (256,), "strides": (1,)},
    "critic_1_target.W3": {
        "axes": ("1", "H"), "offset": 358927, "shape": (1, 256), "strides": (256, 1)
    },
    "critic_1_target.c3": {"axes": ("1",), "offset": 359183, "shape": (1,), "strides": (1,)},
    "critic_2_target.W1": {
        "axes": ("H", "A+S"), "offset": 359184, "shape": (256, 23), "strides": (23, 1)
    },
    "critic_2_target.c1": {"axes": ("H",), "offset": 365072, "shape": (256,), "strides": (1,)},
    "critic_2_target.W2": {
        "axes": ("H", "H"), "offset": 365328, "shape": (256, 256), "strides": (256, 1)
    },
    "critic_2_target.c2": {"axes": ("H",), "offset": 430864, "shape": (256,), "strides": (1,)},
    "critic_2_target.W3": {
        "axes": ("1", "H"), "offset": 431120, "shape": (1, 256), "strides": (256, 1)
    },
    "critic_2_target.c3": {"axes": ("1",), "offset": 431376, "shape": (1,), "strides": (1,)},
}
LAYERS = {
    "actor": (
        {"weight": "actor.W1", "bias": "actor.c1"},
        {"weight": "actor.W2", "bias": "actor.c2"},
        {"weight": "actor.W3", "bias": "actor.c3"},
    ),
    "value": (
        {"weight": "value.W1", "bias": "value.c1"},
        {"weight": "value.W2", "bias": "value.c2"},
        {"weight": "value.W3", "bias": "value.c3"},
    ),
    "critic_1": (
        {"weight": "critic_1.W1", "bias": "critic_1.c1"},
        {"weight": "critic_1.W2", "bias": "critic_1.c2"},
        {"weight": "critic_1.W3", "bias": "critic_1.c3"},
    ),
    "critic_2": (
        {"weight": "critic_2.W1", "bias": "critic_2.c1"},
        {"weight": "critic_2.W2", "bias": "critic_2.c2"},
        {"weight": "critic_2.W3", "bias": "critic_2.c3"},
    ),
    "critic_1_target": (
        {"weight": "critic_1_target.W1", "bias": "critic_1_target.c1"},
        {"weight": "critic_1_target.W2", "bias": "critic_1_target.c2"},
        {"weight": "critic_1_target.W3", "bias": "critic_1_target.c3"},
    ),
    "critic_2_target": (
        {"weight": "critic_2_target.W1", "bias": "critic_2_target.c1"},
        {"weight": "critic_2_target.W2", "bias": "critic_2_target.c2"},
        {"weight": "critic_2_target.W3", "bias": "critic_2_target.c3"},
    ),
}
INPUTS = {
    "obs": "real[B, S]",
    "action": "real[B, A]",
    "reward": "real[B]",
    "next_obs": "real[B, S]",
    "done": "bool[B]",
    "gamma": "real = 0.99",
    "tau": "real = 0.7",
    "beta": "real > 0 = 0.3333333333333333",
    "w_max": "real > 0 = 100",
}
OUTPUTS = {
    "actor_forward": ("actor",),
    "value_forward": ("value",),
    "critic_1_forward": ("critic_1",),
    "critic_2_forward": ("critic_2",),
    "critic_1_target_forward": ("critic_1_target",),
    "critic_2_target_forward": ("critic_2_target",),
}
BRANCHES = ()
OPERATIONS = {
    "actor_forward": "A * B * H + B * H * H + B * H * S + 2 * A * B + 4 * B * H",
    "value_forward": "B * H * H + B * H * S + 5 * B * H + B",
    "critic_1_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_2_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_1_target_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_2_target_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "value_value": "2 * A * B * H + 3 * B * H * H + 3 * B * H * S + 15 * B * H + 8 * B",
    "value_value_and_grad": "2 * A * B * H + 5 * B * H * H + 4 * B * H * S + 21 * B * H + 12 * B",
    "critic_value": "2 * A * B * H + 3 * B * H * H + 3 * B * H * S + 15 * B * H + 13 * B",
    "critic_value_and_grad": "4 * A * B * H + 7 * B * H * H + 5 * B * H * S + 27 * B * H + 17 * B",
    "actor_value": (
        "3 * A * B * H + 4 * B * H * H + 4 * B * H * S + 9 * A * B + 19 * B * H + 2 * "
        "A + 10 * B"
    ),
    "actor_value_and_grad": (
        "5 * A * B * H + 6 * B * H * H + 5 * B * H * S + 20 * A * B + 23 * B * H + 4 "
        "* A + 12 * B"
    ),
}
SPEC_HASH = "a2bec0ebedef3589aa48b56bd7b400d162c8e1d081ccd5cc9261f60460d79a4e"
SPEC = r'''description = "Implicit Q-learning for HalfCheetah: a value 17-256-256-1 learned as an expectile of two target critics, critics 23-256-256-1 that bootstrap from it, and a Gaussian actor 17-256-256-6 weighted by the advantage."
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
value_z1[b,i] += obs[b,j]*value_W1[i,j]
value_z1[b,i] += value_c1[i] for b < B
value_h1[b,i] = relu(value_z1[b,i])
value_z2[b,i] += value_W2[i,j]*value_h1[b,j]
value_z2[b,i] += value_c2[i] for b < B
value_h2[b,i] = relu(value_z2[b,i])
value[b,i] += value_W3[i,j]*value_h2[b,j]
value[b,i] += value_c3[i] for b < B
critic_1_x0[b,i] = obs[b,i]
critic_1_x0[b,i+S] = action[b,i]
critic_1_z1[b,i] += critic_1_W1[i,j]*critic_1_x0[b,j]
critic_1_z1[b,i] += critic_1_c1[i] for b < B
critic_1_h1[b,i] = relu(critic_1_z1[b,i])
critic_1_z2[b,i] += critic_1_W2[i,j]*critic_1_h1[b,j]
critic_1_z2[b,i] += critic_1_c2[i] for b < B
critic_1_h2[b,i] = relu(critic_1_z2[b,i])
critic_1[b,i] += critic_1_W3[i,j]*critic_1_h2[b,j]
critic_1[b,i] += critic_1_c3[i] for b < B
critic_2_x0[b,i] = obs[b,i]
critic_2_x0[b,i+S] = action[b,i]
critic_2_z1[b,i] += critic_2_W1[i,j]*critic_2_x0[b,j]
critic_2_z1[b,i] += critic_2_c1[i] for b < B
critic_2_h1[b,i] = relu(critic_2_z1[b,i])
critic_2_z2[b,i] += critic_2_W2[i,j]*critic_2_h1[b,j]
critic_2_z2[b,i] += critic_2_c2[i] for b < B
critic_2_h2[b,i] = relu(critic_2_z2[b,i])
critic_2[b,i] += critic_2_W3[i,j]*critic_2_h2[b,j]
critic_2[b,i] += critic_2_c3[i] for b < B
critic_1_target_x0[b,i] = obs[b,i]
critic_1_target_x0[b,i+S] = action[b,i]
critic_1_target_z1[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0[b,j]
critic_1_target_z1[b,i] += critic_1_target_c1[i] for b < B
critic_1_target_h1[b,i] = relu(critic_1_target_z1[b,i])
critic_1_target_z2[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1[b,j]
critic_1_target_z2[b,i] += critic_1_target_c2[i] for b < B
critic_1_target_h2[b,i] = relu(critic_1_target_z2[b,i])
critic_1_target[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2[b,j]
critic_1_target[b,i] += critic_1_target_c3[i] for b < B
critic_2_target_x0[b,i] = obs[b,i]
critic_2_target_x0[b,i+S] = action[b,i]
critic_2_target_z1[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0[b,j]
critic_2_target_z1[b,i] += critic_2_target_c1[i] for b < B
critic_2_target_h1[b,i] = relu(critic_2_target_z1[b,i])
critic_2_target_z2[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1[b,j]
critic_2_target_z2[b,i] += critic_2_target_c2[i] for b < B
critic_2_target_h2[b,i] = relu(critic_2_target_z2[b,i])
critic_2_target[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2[b,j]
critic_2_target[b,i] += critic_2_target_c3[i] for b < B
"""

[sizes]
B = "transitions in the batch"
S = 17
A = 6
H = 256

[params]
log_std = "real[A] init=zeros"

[params.actor]
W1 = "real[H, S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[A, H] init=uniform_fan_in"
c3 = "real[A] init=zeros"

[params.value]
W1 = "real[H, S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[1, H] init=uniform_fan_in"
c3 = "real[1] init=zeros"

[params.critic_1]
W1 = "real[H, A+S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[1, H] init=uniform_fan_in"
c3 = "real[1] init=zeros"

[params.critic_2]
W1 = "real[H, A+S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[1, H] init=uniform_fan_in"
c3 = "real[1] init=zeros"

[params.critic_1_target]
W1 = "real[H, A+S] init=copy(critic_1_W1)"
c1 = "real[H] init=copy(critic_1_c1)"
W2 = "real[H, H] init=copy(critic_1_W2)"
c2 = "real[H] init=copy(critic_1_c2)"
W3 = "real[1, H] init=copy(critic_1_W3)"
c3 = "real[1] init=copy(critic_1_c3)"

[params.critic_2_target]
W1 = "real[H, A+S] init=copy(critic_2_W1)"
c1 = "real[H] init=copy(critic_2_c1)"
W2 = "real[H, H] init=copy(critic_2_W2)"
c2 = "real[H] init=copy(critic_2_c2)"
W3 = "real[1, H] init=copy(critic_2_W3)"
c3 = "real[1] init=copy(critic_2_c3)"

[data]
obs = "real[B, S]"
action = "real[B, A]"
reward = "real[B]"
next_obs = "real[B, S]"
done = "bool[B]"
gamma = "real = 0.99"
tau = "real = 0.7"
beta = "real > 0 = 0.3333333333333333"
w_max = "real > 0 = 100"

[losses.value]
wrt = ["value_W1", "value_c1", "value_W2", "value_c2", "value_W3", "value_c3"]
equations = """
q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
v[b] = value[b,0]
d[b] = stop(q[b]) - v[b]
loss += d[b]**2*where(d[b] < 0, 1 - tau, tau)/B
"""

[losses.critic]
wrt = ["critic_1_W1", "critic_1_c1", "critic_1_W2", "critic_1_c2", "critic_1_W3", "critic_1_c3", "critic_2_W1", "critic_2_c1", "critic_2_W2", "critic_2_c2", "critic_2_W3", "critic_2_c3"]
equations = """
value_z1_next_obs[b,i] += next_obs[b,j]*value_W1[i,j]
value_z1_next_obs[b,i] += value_c1[i] for b < B
value_h1_next_obs[b,i] = relu(value_z1_next_obs[b,i])
value_z2_next_obs[b,i] += value_W2[i,j]*value_h1_next_obs[b,j]
value_z2_next_obs[b,i] += value_c2[i] for b < B
value_h2_next_obs[b,i] = relu(value_z2_next_obs[b,i])
value_next_obs[b,i] += value_W3[i,j]*value_h2_next_obs[b,j]
value_next_obs[b,i] += value_c3[i] for b < B
v_t[b] = value_next_obs[b,0]
discount_t[b] = gamma*(1 - done[b])
v_tm1[b] = critic_1[b,0]
y[b] = stop(discount_t[b]*v_t[b] + reward[b])
td[b] = v_tm1[b] - y[b]
td_learning += td[b]**2/B
v_tm1_2[b] = critic_2[b,0]
y_2[b] = stop(discount_t[b]*v_t[b] + reward[b])
td_2[b] = v_tm1_2[b] - y_2[b]
td_learning_2 += td_2[b]**2/B
loss = td_learning + td_learning_2
"""

[losses.actor]
wrt = ["actor_W1", "actor_c1", "actor_W2", "actor_c2", "actor_W3", "actor_c3", "log_std"]
equations = """
q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
n[b,i] = exp(-log_std[i])*(action[b,i] - actor[b,i])
normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
logp[b] = normal_log_prob[b]
advantage[b] = q[b] - value[b,0]
loss += -logp[b]*stop(exp(minimum(advantage[b]/beta, log(w_max))))/B
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
    """Views on one vector `flat`: log_std (A,), actor.W1 (H, S), actor.c1 (H,), actor.W2 (H, H),
    actor.c2 (H,), actor.W3 (A, H), actor.c3 (A,), value.W1 (H, S), value.c1 (H,), value.W2 (H, H),
    value.c2 (H,), value.W3 (1, H), value.c3 (1,), critic_1.W1 (H, A+S), critic_1.c1 (H,),
    critic_1.W2 (H, H), critic_1.c2 (H,), critic_1.W3 (1, H), critic_1.c3 (1,),
    critic_2.W1 (H, A+S), critic_2.c1 (H,), critic_2.W2 (H, H), critic_2.c2 (H,),
    critic_2.W3 (1, H), critic_2.c3 (1,), critic_1_target.W1 (H, A+S), critic_1_target.c1 (H,),
    critic_1_target.W2 (H, H), critic_1_target.c2 (H,), critic_1_target.W3 (1, H),
    critic_1_target.c3 (1,), critic_2_target.W1 (H, A+S), critic_2_target.c1 (H,),
    critic_2_target.W2 (H, H), critic_2_target.c2 (H,), critic_2_target.W3 (1, H),
    critic_2_target.c3 (1,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, 5 * A * H + 6 * H * H + 6 * H * S + 2 * A + 17 * H + 5)
        _part = _parts(self.flat)
        self.log_std = _part(A)
        self.actor = _Group(
            _part(A * H + H * H + H * S + A + 2 * H),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(A, H),
            c3=(A,),
        )
        self.value = _Group(
            _part(H * H + H * S + 3 * H + 1),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self.critic_1 = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self.critic_2 = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self.critic_1_target = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self.critic_2_target = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self._closed = True


class ValueGradients(_Views):
    """Views on one vector `flat`: value.W1 (H, S), value.c1 (H,), value.W2 (H, H), value.c2 (H,),
    value.W3 (1, H), value.c3 (1,).
    """

    def __init__(self, flat, *, S=17, H=256):
        self._sizes = _sizes(S=S, H=H)
        self.flat = _vector(flat, H * H + H * S + 3 * H + 1)
        _part = _parts(self.flat)
        self.value = _Group(
            _part(H * H + H * S + 3 * H + 1),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self._closed = True


class CriticGradients(_Views):
    """Views on one vector `flat`: critic_1.W1 (H, A+S), critic_1.c1 (H,), critic_1.W2 (H, H),
    critic_1.c2 (H,), critic_1.W3 (1, H), critic_1.c3 (1,), critic_2.W1 (H, A+S), critic_2.c1 (H,),
    critic_2.W2 (H, H), critic_2.c2 (H,), critic_2.W3 (1, H), critic_2.c3 (1,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, 2 * A * H + 2 * H * H + 2 * H * S + 6 * H + 2)
        _part = _parts(self.flat)
        self.critic_1 = _Group(
            _part(A * H + H * H + H * S + 3 * H + 1),
            W1=(H, A + S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(1, H),
            c3=(1,),
        )
        self.critic_2 = _Group(
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
    """Views on one vector `flat`: log_std (A,), actor.W1 (H, S), actor.c1 (H,), actor.W2 (H, H),
    actor.c2 (H,), actor.W3 (A, H), actor.c3 (A,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, A * H + H * H + H * S + 2 * A + 2 * H)
        _part = _parts(self.flat)
        self.log_std = _part(A)
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
    params.log_std[...] = 0.0
    params.actor.W1[...] = _uniform_fan_in(rng, (H, S))
    params.actor.c1[...] = 0.0
    params.actor.W2[...] = _uniform_fan_in(rng, (H, H))
    params.actor.c2[...] = 0.0
    params.actor.W3[...] = _uniform_fan_in(rng, (A, H))
    params.actor.c3[...] = 0.0
    params.value.W1[...] = _uniform_fan_in(rng, (H, S))
    params.value.c1[...] = 0.0
    params.value.W2[...] = _uniform_fan_in(rng, (H, H))
    params.value.c2[...] = 0.0
    params.value.W3[...] = _uniform_fan_in(rng, (1, H))
    params.value.c3[...] = 0.0
    params.critic_1.W1[...] = _uniform_fan_in(rng, (H, A + S))
    params.critic_1.c1[...] = 0.0
    params.critic_1.W2[...] = _uniform_fan_in(rng, (H, H))
    params.critic_1.c2[...] = 0.0
    params.critic_1.W3[...] = _uniform_fan_in(rng, (1, H))
    params.critic_1.c3[...] = 0.0
    params.critic_2.W1[...] = _uniform_fan_in(rng, (H, A + S))
    params.critic_2.c1[...] = 0.0
    params.critic_2.W2[...] = _uniform_fan_in(rng, (H, H))
    params.critic_2.c2[...] = 0.0
    params.critic_2.W3[...] = _uniform_fan_in(rng, (1, H))
    params.critic_2.c3[...] = 0.0
    params.critic_1_target.flat[...] = params.critic_1.flat
    params.critic_2_target.flat[...] = params.critic_2.flat
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
        A=_extent(arrays["log_std"], 0),
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


def value_forward(params, obs, *, workspace=None):
    """The output value.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ValueForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    value_W1, value_c1, value_W2 = params.value.W1, params.value.c1, params.value.W2
    value_c2, value_W3, value_c3 = params.value.c2, params.value.W3, params.value.c3
    # value_z1[b,i] += obs[b,j]*value_W1[i,j]
    value_z1 = np.matmul(obs, value_W1.T, out=ws.value_z1)
    # value_z1[b,i] += value_c1[i] for b < B
    value_z1 += value_c1
    # value_h1[b,i] = relu(value_z1[b,i])
    value_h1 = np.maximum(value_z1, 0.0, out=ws.value_h1)
    # value_z2[b,i] += value_W2[i,j]*value_h1[b,j]
    value_z2 = np.matmul(value_h1, value_W2.T, out=ws.value_z2)
    # value_z2[b,i] += value_c2[i] for b < B
    value_z2 += value_c2
    # value_h2[b,i] = relu(value_z2[b,i])
    value_h2 = np.maximum(value_z2, 0.0, out=ws.value_h2)
    # value[b,i] += value_W3[i,j]*value_h2[b,j]
    value = np.matmul(value_h2, value_W3.T, out=ws.value)
    # value[b,i] += value_c3[i] for b < B
    value += value_c3
    return value


def critic_1_forward(params, obs, action, *, workspace=None):
    """The output critic_1.

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
    ws = _memory(workspace, _Critic1ForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    critic_1_W1, critic_1_c1 = params.critic_1.W1, params.critic_1.c1
    critic_1_W2, critic_1_c2 = params.critic_1.W2, params.critic_1.c2
    critic_1_W3, critic_1_c3 = params.critic_1.W3, params.critic_1.c3
    # critic_1_x0[b,i] = obs[b,i]
    critic_1_x0 = ws.critic_1_x0
    np.copyto(critic_1_x0[:, :S], obs)
    # critic_1_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_x0[:, S:A+S], action)
    # critic_1_z1[b,i] += critic_1_W1[i,j]*critic_1_x0[b,j]
    critic_1_z1 = np.matmul(critic_1_x0, critic_1_W1.T, out=ws.critic_1_z1)
    # critic_1_z1[b,i] += critic_1_c1[i] for b < B
    critic_1_z1 += critic_1_c1
    # critic_1_h1[b,i] = relu(critic_1_z1[b,i])
    critic_1_h1 = np.maximum(critic_1_z1, 0.0, out=ws.critic_1_h1)
    # critic_1_z2[b,i] += critic_1_W2[i,j]*critic_1_h1[b,j]
    critic_1_z2 = np.matmul(critic_1_h1, critic_1_W2.T, out=ws.critic_1_z2)
    # critic_1_z2[b,i] += critic_1_c2[i] for b < B
    critic_1_z2 += critic_1_c2
    # critic_1_h2[b,i] = relu(critic_1_z2[b,i])
    critic_1_h2 = np.maximum(critic_1_z2, 0.0, out=ws.critic_1_h2)
    # critic_1[b,i] += critic_1_W3[i,j]*critic_1_h2[b,j]
    critic_1 = np.matmul(critic_1_h2, critic_1_W3.T, out=ws.critic_1)
    # critic_1[b,i] += critic_1_c3[i] for b < B
    critic_1 += critic_1_c3
    return critic_1


def critic_2_forward(params, obs, action, *, workspace=None):
    """The output critic_2.

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
    ws = _memory(workspace, _Critic2ForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    critic_2_W1, critic_2_c1 = params.critic_2.W1, params.critic_2.c1
    critic_2_W2, critic_2_c2 = params.critic_2.W2, params.critic_2.c2
    critic_2_W3, critic_2_c3 = params.critic_2.W3, params.critic_2.c3
    # critic_2_x0[b,i] = obs[b,i]
    critic_2_x0 = ws.critic_2_x0
    np.copyto(critic_2_x0[:, :S], obs)
    # critic_2_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_x0[:, S:A+S], action)
    # critic_2_z1[b,i] += critic_2_W1[i,j]*critic_2_x0[b,j]
    critic_2_z1 = np.matmul(critic_2_x0, critic_2_W1.T, out=ws.critic_2_z1)
    # critic_2_z1[b,i] += critic_2_c1[i] for b < B
    critic_2_z1 += critic_2_c1
    # critic_2_h1[b,i] = relu(critic_2_z1[b,i])
    critic_2_h1 = np.maximum(critic_2_z1, 0.0, out=ws.critic_2_h1)
    # critic_2_z2[b,i] += critic_2_W2[i,j]*critic_2_h1[b,j]
    critic_2_z2 = np.matmul(critic_2_h1, critic_2_W2.T, out=ws.critic_2_z2)
    # critic_2_z2[b,i] += critic_2_c2[i] for b < B
    critic_2_z2 += critic_2_c2
    # critic_2_h2[b,i] = relu(critic_2_z2[b,i])
    critic_2_h2 = np.maximum(critic_2_z2, 0.0, out=ws.critic_2_h2)
    # critic_2[b,i] += critic_2_W3[i,j]*critic_2_h2[b,j]
    critic_2 = np.matmul(critic_2_h2, critic_2_W3.T, out=ws.critic_2)
    # critic_2[b,i] += critic_2_c3[i] for b < B
    critic_2 += critic_2_c3
    return critic_2


def critic_1_target_forward(params, obs, action, *, workspace=None):
    """The output critic_1_target.

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
    ws = _memory(workspace, _Critic1TargetForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    critic_1_target_W1, critic_1_target_c1 = params.critic_1_target.W1, params.critic_1_target.c1
    critic_1_target_W2, critic_1_target_c2 = params.critic_1_target.W2, params.critic_1_target.c2
    critic_1_target_W3, critic_1_target_c3 = params.critic_1_target.W3, params.critic_1_target.c3
    # critic_1_target_x0[b,i] = obs[b,i]
    critic_1_target_x0 = ws.critic_1_target_x0
    np.copyto(critic_1_target_x0[:, :S], obs)
    # critic_1_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_target_x0[:, S:A+S], action)
    # critic_1_target_z1[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0[b,j]
    critic_1_target_z1 = np.matmul(
        critic_1_target_x0, critic_1_target_W1.T, out=ws.critic_1_target_z1
    )
    # critic_1_target_z1[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_z1 += critic_1_target_c1
    # critic_1_target_h1[b,i] = relu(critic_1_target_z1[b,i])
    critic_1_target_h1 = np.maximum(critic_1_target_z1, 0.0, out=ws.critic_1_target_h1)
    # critic_1_target_z2[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1[b,j]
    critic_1_target_z2 = np.matmul(
        critic_1_target_h1, critic_1_target_W2.T, out=ws.critic_1_target_z2
    )
    # critic_1_target_z2[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_z2 += critic_1_target_c2
    # critic_1_target_h2[b,i] = relu(critic_1_target_z2[b,i])
    critic_1_target_h2 = np.maximum(critic_1_target_z2, 0.0, out=ws.critic_1_target_h2)
    # critic_1_target[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2[b,j]
    critic_1_target = np.matmul(critic_1_target_h2, critic_1_target_W3.T, out=ws.critic_1_target)
    # critic_1_target[b,i] += critic_1_target_c3[i] for b < B
    critic_1_target += critic_1_target_c3
    return critic_1_target


def critic_2_target_forward(params, obs, action, *, workspace=None):
    """The output critic_2_target.

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
    ws = _memory(workspace, _Critic2TargetForwardMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    critic_2_target_W1, critic_2_target_c1 = params.critic_2_target.W1, params.critic_2_target.c1
    critic_2_target_W2, critic_2_target_c2 = params.critic_2_target.W2, params.critic_2_target.c2
    critic_2_target_W3, critic_2_target_c3 = params.critic_2_target.W3, params.critic_2_target.c3
    # critic_2_target_x0[b,i] = obs[b,i]
    critic_2_target_x0 = ws.critic_2_target_x0
    np.copyto(critic_2_target_x0[:, :S], obs)
    # critic_2_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_target_x0[:, S:A+S], action)
    # critic_2_target_z1[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0[b,j]
    critic_2_target_z1 = np.matmul(
        critic_2_target_x0, critic_2_target_W1.T, out=ws.critic_2_target_z1
    )
    # critic_2_target_z1[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_z1 += critic_2_target_c1
    # critic_2_target_h1[b,i] = relu(critic_2_target_z1[b,i])
    critic_2_target_h1 = np.maximum(critic_2_target_z1, 0.0, out=ws.critic_2_target_h1)
    # critic_2_target_z2[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1[b,j]
    critic_2_target_z2 = np.matmul(
        critic_2_target_h1, critic_2_target_W2.T, out=ws.critic_2_target_z2
    )
    # critic_2_target_z2[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_z2 += critic_2_target_c2
    # critic_2_target_h2[b,i] = relu(critic_2_target_z2[b,i])
    critic_2_target_h2 = np.maximum(critic_2_target_z2, 0.0, out=ws.critic_2_target_h2)
    # critic_2_target[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2[b,j]
    critic_2_target = np.matmul(critic_2_target_h2, critic_2_target_W3.T, out=ws.critic_2_target)
    # critic_2_target[b,i] += critic_2_target_c3[i] for b < B
    critic_2_target += critic_2_target_c3
    return critic_2_target


def value_value(params, *, obs, action, tau=0.7, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]
    tau: real = 0.7

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    tau = dtype.type(_real("tau", tau, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _ValueValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    value_W1, value_c1, value_W2 = params.value.W1, params.value.c1, params.value.W2
    value_c2, value_W3, value_c3 = params.value.c2, params.value.W3, params.value.c3
    critic_1_target_W1, critic_1_target_c1 = params.critic_1_target.W1, params.critic_1_target.c1
    critic_1_target_W2, critic_1_target_c2 = params.critic_1_target.W2, params.critic_1_target.c2
    critic_1_target_W3, critic_1_target_c3 = params.critic_1_target.W3, params.critic_1_target.c3
    critic_2_target_W1, critic_2_target_c1 = params.critic_2_target.W1, params.critic_2_target.c1
    critic_2_target_W2, critic_2_target_c2 = params.critic_2_target.W2, params.critic_2_target.c2
    critic_2_target_W3, critic_2_target_c3 = params.critic_2_target.W3, params.critic_2_target.c3
    # value_z1[b,i] += obs[b,j]*value_W1[i,j]
    value_z1 = np.matmul(obs, value_W1.T, out=ws.value_z1)
    # value_z1[b,i] += value_c1[i] for b < B
    value_z1 += value_c1
    # value_h1[b,i] = relu(value_z1[b,i])
    value_h1 = np.maximum(value_z1, 0.0, out=ws.value_h1)
    # value_z2[b,i] += value_W2[i,j]*value_h1[b,j]
    value_z2 = np.matmul(value_h1, value_W2.T, out=ws.value_z2)
    # value_z2[b,i] += value_c2[i] for b < B
    value_z2 += value_c2
    # value_h2[b,i] = relu(value_z2[b,i])
    value_h2 = np.maximum(value_z2, 0.0, out=ws.value_h2)
    # value[b,i] += value_W3[i,j]*value_h2[b,j]
    value = np.matmul(value_h2, value_W3.T, out=ws.value)
    # value[b,i] += value_c3[i] for b < B
    value += value_c3
    # critic_1_target_x0[b,i] = obs[b,i]
    critic_1_target_x0 = ws.critic_1_target_x0
    np.copyto(critic_1_target_x0[:, :S], obs)
    # critic_1_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_target_x0[:, S:A+S], action)
    # critic_1_target_z1[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0[b,j]
    critic_1_target_z1 = np.matmul(
        critic_1_target_x0, critic_1_target_W1.T, out=ws.critic_1_target_z1
    )
    # critic_1_target_z1[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_z1 += critic_1_target_c1
    # critic_1_target_h1[b,i] = relu(critic_1_target_z1[b,i])
    critic_1_target_h1 = np.maximum(critic_1_target_z1, 0.0, out=ws.critic_1_target_h1)
    # critic_1_target_z2[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1[b,j]
    critic_1_target_z2 = np.matmul(
        critic_1_target_h1, critic_1_target_W2.T, out=ws.critic_1_target_z2
    )
    # critic_1_target_z2[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_z2 += critic_1_target_c2
    # critic_1_target_h2[b,i] = relu(critic_1_target_z2[b,i])
    critic_1_target_h2 = np.maximum(critic_1_target_z2, 0.0, out=ws.critic_1_target_h2)
    # critic_1_target[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2[b,j]
    critic_1_target = np.matmul(critic_1_target_h2, critic_1_target_W3.T, out=ws.critic_1_target)
    # critic_1_target[b,i] += critic_1_target_c3[i] for b < B
    critic_1_target += critic_1_target_c3
    # critic_2_target_x0[b,i] = obs[b,i]
    critic_2_target_x0 = ws.critic_2_target_x0
    np.copyto(critic_2_target_x0[:, :S], obs)
    # critic_2_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_target_x0[:, S:A+S], action)
    # critic_2_target_z1[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0[b,j]
    critic_2_target_z1 = np.matmul(
        critic_2_target_x0, critic_2_target_W1.T, out=ws.critic_2_target_z1
    )
    # critic_2_target_z1[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_z1 += critic_2_target_c1
    # critic_2_target_h1[b,i] = relu(critic_2_target_z1[b,i])
    critic_2_target_h1 = np.maximum(critic_2_target_z1, 0.0, out=ws.critic_2_target_h1)
    # critic_2_target_z2[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1[b,j]
    critic_2_target_z2 = np.matmul(
        critic_2_target_h1, critic_2_target_W2.T, out=ws.critic_2_target_z2
    )
    # critic_2_target_z2[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_z2 += critic_2_target_c2
    # critic_2_target_h2[b,i] = relu(critic_2_target_z2[b,i])
    critic_2_target_h2 = np.maximum(critic_2_target_z2, 0.0, out=ws.critic_2_target_h2)
    # critic_2_target[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2[b,j]
    critic_2_target = np.matmul(critic_2_target_h2, critic_2_target_W3.T, out=ws.critic_2_target)
    # critic_2_target[b,i] += critic_2_target_c3[i] for b < B
    critic_2_target += critic_2_target_c3
    # q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
    q = np.minimum(critic_1_target[:, 0], critic_2_target[:, 0], out=ws.q)
    # v[b] = value[b,0]
    v = ws.v
    np.copyto(v, value[:, 0])
    # d[b] = stop(q[b]) - v[b]
    d = np.subtract(q, v, out=ws.d)
    # d_where[b] = where(d[b] < 0, 1 - tau, tau)
    t_1 = np.less(d, 0.0, out=ws.t_1)
    d_where = ws.d_where
    d_where.fill(tau)
    np.copyto(d_where, 1.0 - tau, where=t_1)
    # loss += d[b]**2*d_where[b]/B
    t_2 = np.square(d, out=ws.t_2)
    loss = np.dot(d_where, t_2) / B
    return loss


def value_value_and_grad(params, *, obs, action, tau=0.7, workspace=None):
    """The loss and its gradient by value.

    obs: real[B, S]
    action: real[B, A]
    tau: real = 0.7

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    tau = dtype.type(_real("tau", tau, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    ws = _memory(workspace, _ValueValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    grads = ws.grads
    value_W1, value_c1, value_W2 = params.value.W1, params.value.c1, params.value.W2
    value_c2, value_W3, value_c3 = params.value.c2, params.value.W3, params.value.c3
    critic_1_target_W1, critic_1_target_c1 = params.critic_1_target.W1, params.critic_1_target.c1
    critic_1_target_W2, critic_1_target_c2 = params.critic_1_target.W2, params.critic_1_target.c2
    critic_1_target_W3, critic_1_target_c3 = params.critic_1_target.W3, params.critic_1_target.c3
    critic_2_target_W1, critic_2_target_c1 = params.critic_2_target.W1, params.critic_2_target.c1
    critic_2_target_W2, critic_2_target_c2 = params.critic_2_target.W2, params.critic_2_target.c2
    critic_2_target_W3, critic_2_target_c3 = params.critic_2_target.W3, params.critic_2_target.c3
    # value_z1[b,i] += obs[b,j]*value_W1[i,j]
    value_z1 = np.matmul(obs, value_W1.T, out=ws.value_z1)
    # value_z1[b,i] += value_c1[i] for b < B
    value_z1 += value_c1
    # value_h1[b,i] = relu(value_z1[b,i])
    value_h1 = np.maximum(value_z1, 0.0, out=ws.value_h1)
    # value_z2[b,i] += value_W2[i,j]*value_h1[b,j]
    value_z2 = np.matmul(value_h1, value_W2.T, out=ws.value_z2)
    # value_z2[b,i] += value_c2[i] for b < B
    value_z2 += value_c2
    # value_h2[b,i] = relu(value_z2[b,i])
    value_h2 = np.maximum(value_z2, 0.0, out=ws.value_h2)
    # value[b,i] += value_W3[i,j]*value_h2[b,j]
    value = np.matmul(value_h2, value_W3.T, out=ws.value)
    # value[b,i] += value_c3[i] for b < B
    value += value_c3
    # critic_1_target_x0[b,i] = obs[b,i]
    critic_1_target_x0 = ws.critic_1_target_x0
    np.copyto(critic_1_target_x0[:, :S], obs)
    # critic_1_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_target_x0[:, S:A+S], action)
    # critic_1_target_z1[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0[b,j]
    critic_1_target_z1 = np.matmul(
        critic_1_target_x0, critic_1_target_W1.T, out=ws.critic_1_target_z1
    )
    # critic_1_target_z1[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_z1 += critic_1_target_c1
    # critic_1_target_h1[b,i] = relu(critic_1_target_z1[b,i])
    critic_1_target_h1 = np.maximum(critic_1_target_z1, 0.0, out=ws.critic_1_target_h1)
    # critic_1_target_z2[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1[b,j]
    critic_1_target_z2 = np.matmul(
        critic_1_target_h1, critic_1_target_W2.T, out=ws.critic_1_target_z2
    )
    # critic_1_target_z2[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_z2 += critic_1_target_c2
    # critic_1_target_h2[b,i] = relu(critic_1_target_z2[b,i])
    critic_1_target_h2 = np.maximum(critic_1_target_z2, 0.0, out=ws.critic_1_target_h2)
    # critic_1_target[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2[b,j]
    critic_1_target = np.matmul(critic_1_target_h2, critic_1_target_W3.T, out=ws.critic_1_target)
    # critic_1_target[b,i] += critic_1_target_c3[i] for b < B
    critic_1_target += critic_1_target_c3
    # critic_2_target_x0[b,i] = obs[b,i]
    critic_2_target_x0 = ws.critic_2_target_x0
    np.copyto(critic_2_target_x0[:, :S], obs)
    # critic_2_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_target_x0[:, S:A+S], action)
    # critic_2_target_z1[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0[b,j]
    critic_2_target_z1 = np.matmul(
        critic_2_target_x0, critic_2_target_W1.T, out=ws.critic_2_target_z1
    )
    # critic_2_target_z1[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_z1 += critic_2_target_c1
    # critic_2_target_h1[b,i] = relu(critic_2_target_z1[b,i])
    critic_2_target_h1 = np.maximum(critic_2_target_z1, 0.0, out=ws.critic_2_target_h1)
    # critic_2_target_z2[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1[b,j]
    critic_2_target_z2 = np.matmul(
        critic_2_target_h1, critic_2_target_W2.T, out=ws.critic_2_target_z2
    )
    # critic_2_target_z2[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_z2 += critic_2_target_c2
    # critic_2_target_h2[b,i] = relu(critic_2_target_z2[b,i])
    critic_2_target_h2 = np.maximum(critic_2_target_z2, 0.0, out=ws.critic_2_target_h2)
    # critic_2_target[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2[b,j]
    critic_2_target = np.matmul(critic_2_target_h2, critic_2_target_W3.T, out=ws.critic_2_target)
    # critic_2_target[b,i] += critic_2_target_c3[i] for b < B
    critic_2_target += critic_2_target_c3
    # q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
    q = np.minimum(critic_1_target[:, 0], critic_2_target[:, 0], out=ws.q)
    # v[b] = value[b,0]
    v = ws.v
    np.copyto(v, value[:, 0])
    # d[b] = stop(q[b]) - v[b]
    d = np.subtract(q, v, out=ws.d)
    # d_where[b] = where(d[b] < 0, 1 - tau, tau)
    t_1 = np.less(d, 0.0, out=ws.t_1)
    d_where = ws.d_where
    d_where.fill(tau)
    np.copyto(d_where, 1.0 - tau, where=t_1)
    # loss += d[b]**2*d_where[b]/B
    t_2 = np.square(d, out=ws.t_2)
    loss = np.dot(d_where, t_2) / B
    # dd[b] = 2*d[b]*d_where[b]/B
    dd = np.multiply(d, d_where, out=ws.dd)
    dd *= 2.0 / B
    # dv[b] = -dd[b]
    dv = np.negative(dd, out=ws.dv)
    # dvalue[b,0] += dv[b]
    dvalue = ws.dvalue
    np.copyto(dvalue[:, 0], dv)
    # dvalue_c3[i] += dvalue[b,i]
    np.sum(dvalue, axis=0, out=grads.value.c3)
    # dvalue_W3[i,j] += dvalue[b,i]*value_h2[b,j]
    np.matmul(dvalue.T, value_h2, out=grads.value.W3)
    # dvalue_h2[b,j] += dvalue[b,i]*value_W3[i,j]
    dvalue_h2 = np.matmul(dvalue, value_W3, out=ws.dvalue_h2)
    # dvalue_z2[b,i] = where(0 < value_z2[b,i], dvalue_h2[b,i], 0)
    t_3 = np.greater(value_z2, 0.0, out=ws.t_3)
    dvalue_z2 = ws.dvalue_z2
    dvalue_z2.fill(0.0)
    np.copyto(dvalue_z2, dvalue_h2, where=t_3)
    # dvalue_c2[i] += dvalue_z2[b,i]
    np.sum(dvalue_z2, axis=0, out=grads.value.c2)
    # dvalue_W2[i,j] += dvalue_z2[b,i]*value_h1[b,j]
    np.matmul(dvalue_z2.T, value_h1, out=grads.value.W2)
    # dvalue_h1[b,j] += dvalue_z2[b,i]*value_W2[i,j]
    dvalue_h1 = np.matmul(dvalue_z2, value_W2, out=ws.dvalue_h1)
    # dvalue_z1[b,i] = where(0 < value_z1[b,i], dvalue_h1[b,i], 0)
    np.greater(value_z1, 0.0, out=t_3)
    dvalue_z1 = ws.dvalue_z1
    dvalue_z1.fill(0.0)
    np.copyto(dvalue_z1, dvalue_h1, where=t_3)
    # dvalue_c1[i] += dvalue_z1[b,i]
    np.sum(dvalue_z1, axis=0, out=grads.value.c1)
    # dvalue_W1[i,j] += dvalue_z1[b,i]*obs[b,j]
    np.matmul(dvalue_z1.T, obs, out=grads.value.W1)
    return loss, grads


def critic_value(params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    gamma: real = 0.99

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
    value_W1, value_c1, value_W2 = params.value.W1, params.value.c1, params.value.W2
    value_c2, value_W3, value_c3 = params.value.c2, params.value.W3, params.value.c3
    critic_1_W1, critic_1_c1 = params.critic_1.W1, params.critic_1.c1
    critic_1_W2, critic_1_c2 = params.critic_1.W2, params.critic_1.c2
    critic_1_W3, critic_1_c3 = params.critic_1.W3, params.critic_1.c3
    critic_2_W1, critic_2_c1 = params.critic_2.W1, params.critic_2.c1
    critic_2_W2, critic_2_c2 = params.critic_2.W2, params.critic_2.c2
    critic_2_W3, critic_2_c3 = params.critic_2.W3, params.critic_2.c3
    # critic_1_x0[b,i] = obs[b,i]
    critic_1_x0 = ws.critic_1_x0
    np.copyto(critic_1_x0[:, :S], obs)
    # critic_1_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_x0[:, S:A+S], action)
    # critic_1_z1[b,i] += critic_1_W1[i,j]*critic_1_x0[b,j]
    critic_1_z1 = np.matmul(critic_1_x0, critic_1_W1.T, out=ws.critic_1_z1)
    # critic_1_z1[b,i] += critic_1_c1[i] for b < B
    critic_1_z1 += critic_1_c1
    # critic_1_h1[b,i] = relu(critic_1_z1[b,i])
    critic_1_h1 = np.maximum(critic_1_z1, 0.0, out=ws.critic_1_h1)
    # critic_1_z2[b,i] += critic_1_W2[i,j]*critic_1_h1[b,j]
    critic_1_z2 = np.matmul(critic_1_h1, critic_1_W2.T, out=ws.critic_1_z2)
    # critic_1_z2[b,i] += critic_1_c2[i] for b < B
    critic_1_z2 += critic_1_c2
    # critic_1_h2[b,i] = relu(critic_1_z2[b,i])
    critic_1_h2 = np.maximum(critic_1_z2, 0.0, out=ws.critic_1_h2)
    # critic_1[b,i] += critic_1_W3[i,j]*critic_1_h2[b,j]
    critic_1 = np.matmul(critic_1_h2, critic_1_W3.T, out=ws.critic_1)
    # critic_1[b,i] += critic_1_c3[i] for b < B
    critic_1 += critic_1_c3
    # critic_2_x0[b,i] = obs[b,i]
    critic_2_x0 = ws.critic_2_x0
    np.copyto(critic_2_x0[:, :S], obs)
    # critic_2_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_x0[:, S:A+S], action)
    # critic_2_z1[b,i] += critic_2_W1[i,j]*critic_2_x0[b,j]
    critic_2_z1 = np.matmul(critic_2_x0, critic_2_W1.T, out=ws.critic_2_z1)
    # critic_2_z1[b,i] += critic_2_c1[i] for b < B
    critic_2_z1 += critic_2_c1
    # critic_2_h1[b,i] = relu(critic_2_z1[b,i])
    critic_2_h1 = np.maximum(critic_2_z1, 0.0, out=ws.critic_2_h1)
    # critic_2_z2[b,i] += critic_2_W2[i,j]*critic_2_h1[b,j]
    critic_2_z2 = np.matmul(critic_2_h1, critic_2_W2.T, out=ws.critic_2_z2)
    # critic_2_z2[b,i] += critic_2_c2[i] for b < B
    critic_2_z2 += critic_2_c2
    # critic_2_h2[b,i] = relu(critic_2_z2[b,i])
    critic_2_h2 = np.maximum(critic_2_z2, 0.0, out=ws.critic_2_h2)
    # critic_2[b,i] += critic_2_W3[i,j]*critic_2_h2[b,j]
    critic_2 = np.matmul(critic_2_h2, critic_2_W3.T, out=ws.critic_2)
    # critic_2[b,i] += critic_2_c3[i] for b < B
    critic_2 += critic_2_c3
    # value_z1_next_obs[b,i] += next_obs[b,j]*value_W1[i,j]
    value_z1_next_obs = np.matmul(next_obs, value_W1.T, out=ws.value_z1_next_obs)
    # value_z1_next_obs[b,i] += value_c1[i] for b < B
    value_z1_next_obs += value_c1
    # value_h1_next_obs[b,i] = relu(value_z1_next_obs[b,i])
    value_h1_next_obs = np.maximum(value_z1_next_obs, 0.0, out=ws.value_h1_next_obs)
    # value_z2_next_obs[b,i] += value_W2[i,j]*value_h1_next_obs[b,j]
    value_z2_next_obs = np.matmul(value_h1_next_obs, value_W2.T, out=ws.value_z2_next_obs)
    # value_z2_next_obs[b,i] += value_c2[i] for b < B
    value_z2_next_obs += value_c2
    # value_h2_next_obs[b,i] = relu(value_z2_next_obs[b,i])
    value_h2_next_obs = np.maximum(value_z2_next_obs, 0.0, out=ws.value_h2_next_obs)
    # value_next_obs[b,i] += value_W3[i,j]*value_h2_next_obs[b,j]
    value_next_obs = np.matmul(value_h2_next_obs, value_W3.T, out=ws.value_next_obs)
    # value_next_obs[b,i] += value_c3[i] for b < B
    value_next_obs += value_c3
    # v_t[b] = value_next_obs[b,0]
    v_t = ws.v_t
    np.copyto(v_t, value_next_obs[:, 0])
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # v_tm1[b] = critic_1[b,0]
    v_tm1 = ws.v_tm1
    np.copyto(v_tm1, critic_1[:, 0])
    # y[b] = stop(discount_t[b]*v_t[b] + reward[b])
    y = np.multiply(discount_t, v_t, out=ws.y)
    y += reward
    # td[b] = v_tm1[b] - y[b]
    td = np.subtract(v_tm1, y, out=ws.td)
    # td_learning += td[b]**2/B
    t_1 = np.square(td, out=ws.t_1)
    td_learning = np.sum(t_1) / B
    # v_tm1_2[b] = critic_2[b,0]
    v_tm1_2 = ws.v_tm1_2
    np.copyto(v_tm1_2, critic_2[:, 0])
    # td_2[b] = v_tm1_2[b] - y[b]
    td_2 = np.subtract(v_tm1_2, y, out=ws.td_2)
    # td_learning_2 += td_2[b]**2/B
    t_2 = np.square(td_2, out=ws.t_2)
    td_learning_2 = np.sum(t_2) / B
    # loss = td_learning + td_learning_2
    loss = td_learning + td_learning_2
    return loss


def critic_value_and_grad(
    params, *, obs, action, reward, next_obs, done, gamma=0.99, workspace=None
):
    """The loss and its gradient by critic_1, critic_2.

    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    gamma: real = 0.99

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
    value_W1, value_c1, value_W2 = params.value.W1, params.value.c1, params.value.W2
    value_c2, value_W3, value_c3 = params.value.c2, params.value.W3, params.value.c3
    critic_1_W1, critic_1_c1 = params.critic_1.W1, params.critic_1.c1
    critic_1_W2, critic_1_c2 = params.critic_1.W2, params.critic_1.c2
    critic_1_W3, critic_1_c3 = params.critic_1.W3, params.critic_1.c3
    critic_2_W1, critic_2_c1 = params.critic_2.W1, params.critic_2.c1
    critic_2_W2, critic_2_c2 = params.critic_2.W2, params.critic_2.c2
    critic_2_W3, critic_2_c3 = params.critic_2.W3, params.critic_2.c3
    # critic_1_x0[b,i] = obs[b,i]
    critic_1_x0 = ws.critic_1_x0
    np.copyto(critic_1_x0[:, :S], obs)
    # critic_1_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_x0[:, S:A+S], action)
    # critic_1_z1[b,i] += critic_1_W1[i,j]*critic_1_x0[b,j]
    critic_1_z1 = np.matmul(critic_1_x0, critic_1_W1.T, out=ws.critic_1_z1)
    # critic_1_z1[b,i] += critic_1_c1[i] for b < B
    critic_1_z1 += critic_1_c1
    # critic_1_h1[b,i] = relu(critic_1_z1[b,i])
    critic_1_h1 = np.maximum(critic_1_z1, 0.0, out=ws.critic_1_h1)
    # critic_1_z2[b,i] += critic_1_W2[i,j]*critic_1_h1[b,j]
    critic_1_z2 = np.matmul(critic_1_h1, critic_1_W2.T, out=ws.critic_1_z2)
    # critic_1_z2[b,i] += critic_1_c2[i] for b < B
    critic_1_z2 += critic_1_c2
    # critic_1_h2[b,i] = relu(critic_1_z2[b,i])
    critic_1_h2 = np.maximum(critic_1_z2, 0.0, out=ws.critic_1_h2)
    # critic_1[b,i] += critic_1_W3[i,j]*critic_1_h2[b,j]
    critic_1 = np.matmul(critic_1_h2, critic_1_W3.T, out=ws.critic_1)
    # critic_1[b,i] += critic_1_c3[i] for b < B
    critic_1 += critic_1_c3
    # critic_2_x0[b,i] = obs[b,i]
    critic_2_x0 = ws.critic_2_x0
    np.copyto(critic_2_x0[:, :S], obs)
    # critic_2_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_x0[:, S:A+S], action)
    # critic_2_z1[b,i] += critic_2_W1[i,j]*critic_2_x0[b,j]
    critic_2_z1 = np.matmul(critic_2_x0, critic_2_W1.T, out=ws.critic_2_z1)
    # critic_2_z1[b,i] += critic_2_c1[i] for b < B
    critic_2_z1 += critic_2_c1
    # critic_2_h1[b,i] = relu(critic_2_z1[b,i])
    critic_2_h1 = np.maximum(critic_2_z1, 0.0, out=ws.critic_2_h1)
    # critic_2_z2[b,i] += critic_2_W2[i,j]*critic_2_h1[b,j]
    critic_2_z2 = np.matmul(critic_2_h1, critic_2_W2.T, out=ws.critic_2_z2)
    # critic_2_z2[b,i] += critic_2_c2[i] for b < B
    critic_2_z2 += critic_2_c2
    # critic_2_h2[b,i] = relu(critic_2_z2[b,i])
    critic_2_h2 = np.maximum(critic_2_z2, 0.0, out=ws.critic_2_h2)
    # critic_2[b,i] += critic_2_W3[i,j]*critic_2_h2[b,j]
    critic_2 = np.matmul(critic_2_h2, critic_2_W3.T, out=ws.critic_2)
    # critic_2[b,i] += critic_2_c3[i] for b < B
    critic_2 += critic_2_c3
    # value_z1_next_obs[b,i] += next_obs[b,j]*value_W1[i,j]
    value_z1_next_obs = np.matmul(next_obs, value_W1.T, out=ws.value_z1_next_obs)
    # value_z1_next_obs[b,i] += value_c1[i] for b < B
    value_z1_next_obs += value_c1
    # value_h1_next_obs[b,i] = relu(value_z1_next_obs[b,i])
    value_h1_next_obs = np.maximum(value_z1_next_obs, 0.0, out=ws.value_h1_next_obs)
    # value_z2_next_obs[b,i] += value_W2[i,j]*value_h1_next_obs[b,j]
    value_z2_next_obs = np.matmul(value_h1_next_obs, value_W2.T, out=ws.value_z2_next_obs)
    # value_z2_next_obs[b,i] += value_c2[i] for b < B
    value_z2_next_obs += value_c2
    # value_h2_next_obs[b,i] = relu(value_z2_next_obs[b,i])
    value_h2_next_obs = np.maximum(value_z2_next_obs, 0.0, out=ws.value_h2_next_obs)
    # value_next_obs[b,i] += value_W3[i,j]*value_h2_next_obs[b,j]
    value_next_obs = np.matmul(value_h2_next_obs, value_W3.T, out=ws.value_next_obs)
    # value_next_obs[b,i] += value_c3[i] for b < B
    value_next_obs += value_c3
    # v_t[b] = value_next_obs[b,0]
    v_t = ws.v_t
    np.copyto(v_t, value_next_obs[:, 0])
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # v_tm1[b] = critic_1[b,0]
    v_tm1 = ws.v_tm1
    np.copyto(v_tm1, critic_1[:, 0])
    # y[b] = stop(discount_t[b]*v_t[b] + reward[b])
    y = np.multiply(discount_t, v_t, out=ws.y)
    y += reward
    # td[b] = v_tm1[b] - y[b]
    td = np.subtract(v_tm1, y, out=ws.td)
    # td_learning += td[b]**2/B
    t_1 = np.square(td, out=ws.t_1)
    td_learning = np.sum(t_1) / B
    # v_tm1_2[b] = critic_2[b,0]
    v_tm1_2 = ws.v_tm1_2
    np.copyto(v_tm1_2, critic_2[:, 0])
    # td_2[b] = v_tm1_2[b] - y[b]
    td_2 = np.subtract(v_tm1_2, y, out=ws.td_2)
    # td_learning_2 += td_2[b]**2/B
    np.square(td_2, out=t_1)
    td_learning_2 = np.sum(t_1) / B
    # loss = td_learning + td_learning_2
    loss = td_learning + td_learning_2
    # dtd_2[b] = 2*td_2[b]/B
    dtd_2 = np.multiply(td_2, 2.0 / B, out=ws.dtd_2)
    # dcritic_2[b,0] += dtd_2[b]
    dcritic_2 = ws.dcritic_2
    np.copyto(dcritic_2[:, 0], dtd_2)
    # dtd[b] = 2*td[b]/B
    dtd = np.multiply(td, 2.0 / B, out=ws.dtd)
    # dcritic_1[b,0] += dtd[b]
    dcritic_1 = ws.dcritic_1
    np.copyto(dcritic_1[:, 0], dtd)
    # dcritic_2_c3[i] += dcritic_2[b,i]
    np.sum(dcritic_2, axis=0, out=grads.critic_2.c3)
    # dcritic_2_W3[i,j] += dcritic_2[b,i]*critic_2_h2[b,j]
    np.matmul(dcritic_2.T, critic_2_h2, out=grads.critic_2.W3)
    # dcritic_2_h2[b,j] += dcritic_2[b,i]*critic_2_W3[i,j]
    dcritic_2_h2 = np.matmul(dcritic_2, critic_2_W3, out=ws.dcritic_2_h2)
    # dcritic_2_z2[b,i] = where(0 < critic_2_z2[b,i], dcritic_2_h2[b,i], 0)
    t_2 = np.greater(critic_2_z2, 0.0, out=ws.t_2)
    dcritic_2_z2 = ws.dcritic_2_z2
    dcritic_2_z2.fill(0.0)
    np.copyto(dcritic_2_z2, dcritic_2_h2, where=t_2)
    # dcritic_2_c2[i] += dcritic_2_z2[b,i]
    np.sum(dcritic_2_z2, axis=0, out=grads.critic_2.c2)
    # dcritic_2_W2[i,j] += dcritic_2_z2[b,i]*critic_2_h1[b,j]
    np.matmul(dcritic_2_z2.T, critic_2_h1, out=grads.critic_2.W2)
    # dcritic_2_h1[b,j] += dcritic_2_z2[b,i]*critic_2_W2[i,j]
    dcritic_2_h1 = np.matmul(dcritic_2_z2, critic_2_W2, out=ws.dcritic_2_h1)
    # dcritic_2_z1[b,i] = where(0 < critic_2_z1[b,i], dcritic_2_h1[b,i], 0)
    np.greater(critic_2_z1, 0.0, out=t_2)
    dcritic_2_z1 = ws.dcritic_2_z1
    dcritic_2_z1.fill(0.0)
    np.copyto(dcritic_2_z1, dcritic_2_h1, where=t_2)
    # dcritic_2_c1[i] += dcritic_2_z1[b,i]
    np.sum(dcritic_2_z1, axis=0, out=grads.critic_2.c1)
    # dcritic_2_W1[i,j] += dcritic_2_z1[b,i]*critic_2_x0[b,j]
    np.matmul(dcritic_2_z1.T, critic_2_x0, out=grads.critic_2.W1)
    # dcritic_1_c3[i] += dcritic_1[b,i]
    np.sum(dcritic_1, axis=0, out=grads.critic_1.c3)
    # dcritic_1_W3[i,j] += dcritic_1[b,i]*critic_1_h2[b,j]
    np.matmul(dcritic_1.T, critic_1_h2, out=grads.critic_1.W3)
    # dcritic_1_h2[b,j] += dcritic_1[b,i]*critic_1_W3[i,j]
    dcritic_1_h2 = np.matmul(dcritic_1, critic_1_W3, out=ws.dcritic_1_h2)
    # dcritic_1_z2[b,i] = where(0 < critic_1_z2[b,i], dcritic_1_h2[b,i], 0)
    np.greater(critic_1_z2, 0.0, out=t_2)
    dcritic_1_z2 = ws.dcritic_1_z2
    dcritic_1_z2.fill(0.0)
    np.copyto(dcritic_1_z2, dcritic_1_h2, where=t_2)
    # dcritic_1_c2[i] += dcritic_1_z2[b,i]
    np.sum(dcritic_1_z2, axis=0, out=grads.critic_1.c2)
    # dcritic_1_W2[i,j] += dcritic_1_z2[b,i]*critic_1_h1[b,j]
    np.matmul(dcritic_1_z2.T, critic_1_h1, out=grads.critic_1.W2)
    # dcritic_1_h1[b,j] += dcritic_1_z2[b,i]*critic_1_W2[i,j]
    dcritic_1_h1 = np.matmul(dcritic_1_z2, critic_1_W2, out=ws.dcritic_1_h1)
    # dcritic_1_z1[b,i] = where(0 < critic_1_z1[b,i], dcritic_1_h1[b,i], 0)
    np.greater(critic_1_z1, 0.0, out=t_2)
    dcritic_1_z1 = ws.dcritic_1_z1
    dcritic_1_z1.fill(0.0)
    np.copyto(dcritic_1_z1, dcritic_1_h1, where=t_2)
    # dcritic_1_c1[i] += dcritic_1_z1[b,i]
    np.sum(dcritic_1_z1, axis=0, out=grads.critic_1.c1)
    # dcritic_1_W1[i,j] += dcritic_1_z1[b,i]*critic_1_x0[b,j]
    np.matmul(dcritic_1_z1.T, critic_1_x0, out=grads.critic_1.W1)
    return loss, grads


def actor_value(params, *, obs, action, beta=0.3333333333333333, w_max=100.0, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]
    beta: real > 0 = 0.3333333333333333
    w_max: real > 0 = 100

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    beta = dtype.type(_real("beta", beta, 0))
    w_max = dtype.type(_real("w_max", w_max, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _positive("beta", beta)
    _positive("w_max", w_max)
    ws = _memory(workspace, _ActorValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    log_std, actor_W1, actor_c1 = params.log_std, params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, value_W1, value_c1 = params.actor.c3, params.value.W1, params.value.c1
    value_W2, value_c2, value_W3 = params.value.W2, params.value.c2, params.value.W3
    value_c3, critic_1_target_W1 = params.value.c3, params.critic_1_target.W1
    critic_1_target_c1, critic_1_target_W2 = params.critic_1_target.c1, params.critic_1_target.W2
    critic_1_target_c2, critic_1_target_W3 = params.critic_1_target.c2, params.critic_1_target.W3
    critic_1_target_c3, critic_2_target_W1 = params.critic_1_target.c3, params.critic_2_target.W1
    critic_2_target_c1, critic_2_target_W2 = params.critic_2_target.c1, params.critic_2_target.W2
    critic_2_target_c2, critic_2_target_W3 = params.critic_2_target.c2, params.critic_2_target.W3
    critic_2_target_c3 = params.critic_2_target.c3
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
    # value_z1[b,i] += obs[b,j]*value_W1[i,j]
    value_z1 = np.matmul(obs, value_W1.T, out=ws.value_z1)
    # value_z1[b,i] += value_c1[i] for b < B
    value_z1 += value_c1
    # value_h1[b,i] = relu(value_z1[b,i])
    value_h1 = np.maximum(value_z1, 0.0, out=ws.value_h1)
    # value_z2[b,i] += value_W2[i,j]*value_h1[b,j]
    value_z2 = np.matmul(value_h1, value_W2.T, out=ws.value_z2)
    # value_z2[b,i] += value_c2[i] for b < B
    value_z2 += value_c2
    # value_h2[b,i] = relu(value_z2[b,i])
    value_h2 = np.maximum(value_z2, 0.0, out=ws.value_h2)
    # value[b,i] += value_W3[i,j]*value_h2[b,j]
    value = np.matmul(value_h2, value_W3.T, out=ws.value)
    # value[b,i] += value_c3[i] for b < B
    value += value_c3
    # critic_1_target_x0[b,i] = obs[b,i]
    critic_1_target_x0 = ws.critic_1_target_x0
    np.copyto(critic_1_target_x0[:, :S], obs)
    # critic_1_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_target_x0[:, S:A+S], action)
    # critic_1_target_z1[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0[b,j]
    critic_1_target_z1 = np.matmul(
        critic_1_target_x0, critic_1_target_W1.T, out=ws.critic_1_target_z1
    )
    # critic_1_target_z1[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_z1 += critic_1_target_c1
    # critic_1_target_h1[b,i] = relu(critic_1_target_z1[b,i])
    critic_1_target_h1 = np.maximum(critic_1_target_z1, 0.0, out=ws.critic_1_target_h1)
    # critic_1_target_z2[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1[b,j]
    critic_1_target_z2 = np.matmul(
        critic_1_target_h1, critic_1_target_W2.T, out=ws.critic_1_target_z2
    )
    # critic_1_target_z2[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_z2 += critic_1_target_c2
    # critic_1_target_h2[b,i] = relu(critic_1_target_z2[b,i])
    critic_1_target_h2 = np.maximum(critic_1_target_z2, 0.0, out=ws.critic_1_target_h2)
    # critic_1_target[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2[b,j]
    critic_1_target = np.matmul(critic_1_target_h2, critic_1_target_W3.T, out=ws.critic_1_target)
    # critic_1_target[b,i] += critic_1_target_c3[i] for b < B
    critic_1_target += critic_1_target_c3
    # critic_2_target_x0[b,i] = obs[b,i]
    critic_2_target_x0 = ws.critic_2_target_x0
    np.copyto(critic_2_target_x0[:, :S], obs)
    # critic_2_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_target_x0[:, S:A+S], action)
    # critic_2_target_z1[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0[b,j]
    critic_2_target_z1 = np.matmul(
        critic_2_target_x0, critic_2_target_W1.T, out=ws.critic_2_target_z1
    )
    # critic_2_target_z1[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_z1 += critic_2_target_c1
    # critic_2_target_h1[b,i] = relu(critic_2_target_z1[b,i])
    critic_2_target_h1 = np.maximum(critic_2_target_z1, 0.0, out=ws.critic_2_target_h1)
    # critic_2_target_z2[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1[b,j]
    critic_2_target_z2 = np.matmul(
        critic_2_target_h1, critic_2_target_W2.T, out=ws.critic_2_target_z2
    )
    # critic_2_target_z2[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_z2 += critic_2_target_c2
    # critic_2_target_h2[b,i] = relu(critic_2_target_z2[b,i])
    critic_2_target_h2 = np.maximum(critic_2_target_z2, 0.0, out=ws.critic_2_target_h2)
    # critic_2_target[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2[b,j]
    critic_2_target = np.matmul(critic_2_target_h2, critic_2_target_W3.T, out=ws.critic_2_target)
    # critic_2_target[b,i] += critic_2_target_c3[i] for b < B
    critic_2_target += critic_2_target_c3
    # q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
    q = np.minimum(critic_1_target[:, 0], critic_2_target[:, 0], out=ws.q)
    # log_std_exp[i] = exp(-log_std[i])
    log_std_exp = np.negative(log_std, out=ws.log_std_exp)
    np.exp(log_std_exp, out=log_std_exp)
    # n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    n = np.subtract(action, actor, out=ws.n)
    n *= log_std_exp
    # normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    normal_log_prob = np.sum(t_1, axis=1, out=ws.normal_log_prob)
    np.negative(normal_log_prob, out=normal_log_prob)
    # advantage[b] = q[b] - value[b,0]
    advantage = np.subtract(q, value[:, 0], out=ws.advantage)
    # w_max_log = log(w_max)
    w_max_log = np.log(w_max)
    # advantage_arg[b] = advantage[b]/beta
    advantage_arg = np.divide(advantage, beta, out=ws.advantage_arg)
    # advantage_arg_minimum[b] = minimum(advantage_arg[b], w_max_log)
    advantage_arg_minimum = np.minimum(advantage_arg, w_max_log, out=ws.advantage_arg_minimum)
    # advantage_arg_minimum_exp[b] = exp(advantage_arg_minimum[b])
    advantage_arg_minimum_exp = np.exp(advantage_arg_minimum, out=ws.advantage_arg_minimum_exp)
    # loss += -normal_log_prob[b]*stop(advantage_arg_minimum_exp[b])/B
    loss = -np.dot(normal_log_prob, advantage_arg_minimum_exp) / B
    return loss


def actor_value_and_grad(
    params, *, obs, action, beta=0.3333333333333333, w_max=100.0, workspace=None
):
    """The loss and its gradient by log_std, actor.

    obs: real[B, S]
    action: real[B, A]
    beta: real > 0 = 0.3333333333333333
    w_max: real > 0 = 100

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    action = _real("action", action, 2)
    beta = dtype.type(_real("beta", beta, 0))
    w_max = dtype.type(_real("w_max", w_max, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _positive("beta", beta)
    _positive("w_max", w_max)
    ws = _memory(workspace, _ActorValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    grads = ws.grads
    log_std, actor_W1, actor_c1 = params.log_std, params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, value_W1, value_c1 = params.actor.c3, params.value.W1, params.value.c1
    value_W2, value_c2, value_W3 = params.value.W2, params.value.c2, params.value.W3
    value_c3, critic_1_target_W1 = params.value.c3, params.critic_1_target.W1
    critic_1_target_c1, critic_1_target_W2 = params.critic_1_target.c1, params.critic_1_target.W2
    critic_1_target_c2, critic_1_target_W3 = params.critic_1_target.c2, params.critic_1_target.W3
    critic_1_target_c3, critic_2_target_W1 = params.critic_1_target.c3, params.critic_2_target.W1
    critic_2_target_c1, critic_2_target_W2 = params.critic_2_target.c1, params.critic_2_target.W2
    critic_2_target_c2, critic_2_target_W3 = params.critic_2_target.c2, params.critic_2_target.W3
    critic_2_target_c3 = params.critic_2_target.c3
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
    # value_z1[b,i] += obs[b,j]*value_W1[i,j]
    value_z1 = np.matmul(obs, value_W1.T, out=ws.value_z1)
    # value_z1[b,i] += value_c1[i] for b < B
    value_z1 += value_c1
    # value_h1[b,i] = relu(value_z1[b,i])
    value_h1 = np.maximum(value_z1, 0.0, out=ws.value_h1)
    # value_z2[b,i] += value_W2[i,j]*value_h1[b,j]
    value_z2 = np.matmul(value_h1, value_W2.T, out=ws.value_z2)
    # value_z2[b,i] += value_c2[i] for b < B
    value_z2 += value_c2
    # value_h2[b,i] = relu(value_z2[b,i])
    value_h2 = np.maximum(value_z2, 0.0, out=ws.value_h2)
    # value[b,i] += value_W3[i,j]*value_h2[b,j]
    value = np.matmul(value_h2, value_W3.T, out=ws.value)
    # value[b,i] += value_c3[i] for b < B
    value += value_c3
    # critic_1_target_x0[b,i] = obs[b,i]
    critic_1_target_x0 = ws.critic_1_target_x0
    np.copyto(critic_1_target_x0[:, :S], obs)
    # critic_1_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_1_target_x0[:, S:A+S], action)
    # critic_1_target_z1[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0[b,j]
    critic_1_target_z1 = np.matmul(
        critic_1_target_x0, critic_1_target_W1.T, out=ws.critic_1_target_z1
    )
    # critic_1_target_z1[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_z1 += critic_1_target_c1
    # critic_1_target_h1[b,i] = relu(critic_1_target_z1[b,i])
    critic_1_target_h1 = np.maximum(critic_1_target_z1, 0.0, out=ws.critic_1_target_h1)
    # critic_1_target_z2[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1[b,j]
    critic_1_target_z2 = np.matmul(
        critic_1_target_h1, critic_1_target_W2.T, out=ws.critic_1_target_z2
    )
    # critic_1_target_z2[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_z2 += critic_1_target_c2
    # critic_1_target_h2[b,i] = relu(critic_1_target_z2[b,i])
    critic_1_target_h2 = np.maximum(critic_1_target_z2, 0.0, out=ws.critic_1_target_h2)
    # critic_1_target[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2[b,j]
    critic_1_target = np.matmul(critic_1_target_h2, critic_1_target_W3.T, out=ws.critic_1_target)
    # critic_1_target[b,i] += critic_1_target_c3[i] for b < B
    critic_1_target += critic_1_target_c3
    # critic_2_target_x0[b,i] = obs[b,i]
    critic_2_target_x0 = ws.critic_2_target_x0
    np.copyto(critic_2_target_x0[:, :S], obs)
    # critic_2_target_x0[b,i+S] = action[b,i]
    np.copyto(critic_2_target_x0[:, S:A+S], action)
    # critic_2_target_z1[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0[b,j]
    critic_2_target_z1 = np.matmul(
        critic_2_target_x0, critic_2_target_W1.T, out=ws.critic_2_target_z1
    )
    # critic_2_target_z1[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_z1 += critic_2_target_c1
    # critic_2_target_h1[b,i] = relu(critic_2_target_z1[b,i])
    critic_2_target_h1 = np.maximum(critic_2_target_z1, 0.0, out=ws.critic_2_target_h1)
    # critic_2_target_z2[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1[b,j]
    critic_2_target_z2 = np.matmul(
        critic_2_target_h1, critic_2_target_W2.T, out=ws.critic_2_target_z2
    )
    # critic_2_target_z2[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_z2 += critic_2_target_c2
    # critic_2_target_h2[b,i] = relu(critic_2_target_z2[b,i])
    critic_2_target_h2 = np.maximum(critic_2_target_z2, 0.0, out=ws.critic_2_target_h2)
    # critic_2_target[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2[b,j]
    critic_2_target = np.matmul(critic_2_target_h2, critic_2_target_W3.T, out=ws.critic_2_target)
    # critic_2_target[b,i] += critic_2_target_c3[i] for b < B
    critic_2_target += critic_2_target_c3
    # q[b] = minimum(critic_1_target[b,0], critic_2_target[b,0])
    q = np.minimum(critic_1_target[:, 0], critic_2_target[:, 0], out=ws.q)
    # log_std_exp[i] = exp(-log_std[i])
    log_std_exp = np.negative(log_std, out=ws.log_std_exp)
    np.exp(log_std_exp, out=log_std_exp)
    # n[b,i] = log_std_exp[i]*(action[b,i] - actor[b,i])
    n = np.subtract(action, actor, out=ws.n)
    n *= log_std_exp
    # normal_log_prob[b] += -(0.5*log(2*PI) + log_std[i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    normal_log_prob = np.sum(t_1, axis=1, out=ws.normal_log_prob)
    np.negative(normal_log_prob, out=normal_log_prob)
    # advantage[b] = q[b] - value[b,0]
    advantage = np.subtract(q, value[:, 0], out=ws.advantage)
    # w_max_log = log(w_max)
    w_max_log = np.log(w_max)
    # advantage_arg[b] = advantage[b]/beta
    advantage_arg = np.divide(advantage, beta, out=ws.advantage_arg)
    # advantage_arg_minimum[b] = minimum(advantage_arg[b], w_max_log)
    advantage_arg_minimum = np.minimum(advantage_arg, w_max_log, out=ws.advantage_arg_minimum)
    # advantage_arg_minimum_exp[b] = exp(advantage_arg_minimum[b])
    advantage_arg_minimum_exp = np.exp(advantage_arg_minimum, out=ws.advantage_arg_minimum_exp)
    # loss += -normal_log_prob[b]*stop(advantage_arg_minimum_exp[b])/B
    loss = -np.dot(normal_log_prob, advantage_arg_minimum_exp) / B
    # dnormal_log_prob[b] = -stop(advantage_arg_minimum_exp[b])/B
    dnormal_log_prob = np.divide(advantage_arg_minimum_exp, -B, out=ws.dnormal_log_prob)
    # dlog_std[i] += -dnormal_log_prob[b] for i < A
    s_2 = np.sum(dnormal_log_prob)
    dlog_std = grads.log_std
    dlog_std.fill(-s_2)
    # dn[b,i] = -dnormal_log_prob[b]*n[b,i]
    dn = np.multiply(dnormal_log_prob[:, None], n, out=ws.dn)
    np.negative(dn, out=dn)
    # dactor[b,i] = -dn[b,i]*log_std_exp[i]
    dactor = np.multiply(dn, log_std_exp, out=ws.dactor)
    np.negative(dactor, out=dactor)
    # dlog_std_exp[i] += dn[b,i]*(action[b,i] - actor[b,i])
    t_2 = np.subtract(action.T, actor.T, out=ws.t_2)
    t_2 *= dn.T
    dlog_std_exp = np.sum(t_2, axis=1, out=ws.dlog_std_exp)
    # dlog_std[i] += -dlog_std_exp[i]*log_std_exp[i]
    t_3 = np.multiply(dlog_std_exp, log_std_exp, out=ws.t_3)
    dlog_std -= t_3
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
    t_4 = np.greater(actor_z2, 0.0, out=ws.t_4)
    dactor_z2 = ws.dactor_z2
    dactor_z2.fill(0.0)
    np.copyto(dactor_z2, dactor_h2, where=t_4)
    # dactor_c2[i] += dactor_z2[b,i]
    np.sum(dactor_z2, axis=0, out=grads.actor.c2)
    # dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    np.matmul(dactor_z2.T, actor_h1, out=grads.actor.W2)
    # dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_h1 = np.matmul(dactor_z2, actor_W2, out=ws.dactor_h1)
    # dactor_z1[b,i] = where(0 < actor_z1[b,i], dactor_h1[b,i], 0)
    np.greater(actor_z1, 0.0, out=t_4)
    dactor_z1 = ws.dactor_z1
    dactor_z1.fill(0.0)
    np.copyto(dactor_z1, dactor_h1, where=t_4)
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


class _ValueForwardMemory:
    """The buffers of value_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.value_z1 = self.value_h1 = self.value_h2 = np.empty((B, H), dtype)
        self.value_z2 = np.empty((B, H), dtype)
        self.value = np.empty((B, 1), dtype)


class _Critic1ForwardMemory:
    """The buffers of critic_1_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_1_x0 = np.empty((B, A + S), dtype)
        self.critic_1_z1 = self.critic_1_h1 = self.critic_1_h2 = np.empty((B, H), dtype)
        self.critic_1_z2 = np.empty((B, H), dtype)
        self.critic_1 = np.empty((B, 1), dtype)


class _Critic2ForwardMemory:
    """The buffers of critic_2_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_2_x0 = np.empty((B, A + S), dtype)
        self.critic_2_z1 = self.critic_2_h1 = self.critic_2_h2 = np.empty((B, H), dtype)
        self.critic_2_z2 = np.empty((B, H), dtype)
        self.critic_2 = np.empty((B, 1), dtype)


class _Critic1TargetForwardMemory:
    """The buffers of critic_1_target_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_1_target_x0 = np.empty((B, A + S), dtype)
        self.critic_1_target_z1 = self.critic_1_target_h1 = np.empty((B, H), dtype)
        self.critic_1_target_h2 = self.critic_1_target_z1
        self.critic_1_target_z2 = np.empty((B, H), dtype)
        self.critic_1_target = np.empty((B, 1), dtype)


class _Critic2TargetForwardMemory:
    """The buffers of critic_2_target_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_2_target_x0 = np.empty((B, A + S), dtype)
        self.critic_2_target_z1 = self.critic_2_target_h1 = np.empty((B, H), dtype)
        self.critic_2_target_h2 = self.critic_2_target_z1
        self.critic_2_target_z2 = np.empty((B, H), dtype)
        self.critic_2_target = np.empty((B, 1), dtype)


class _ValueValueMemory:
    """The buffers of value_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.value_z1 = self.value_h1 = self.value_h2 = np.empty((B, H), dtype)
        self.critic_1_target_z1 = self.critic_1_target_h1 = self.critic_1_target_h2 = self.value_z1
        self.critic_2_target_z1 = self.critic_2_target_h1 = self.critic_2_target_h2 = self.value_z1
        self.value_z2 = self.critic_1_target_z2 = self.critic_2_target_z2 = np.empty((B, H), dtype)
        self.value = np.empty((B, 1), dtype)
        self.critic_1_target_x0 = self.critic_2_target_x0 = np.empty((B, A + S), dtype)
        self.critic_1_target = np.empty((B, 1), dtype)
        self.critic_2_target = np.empty((B, 1), dtype)
        self.q = self.d = self.t_2 = np.empty((B,), dtype)
        self.v = self.d_where = np.empty((B,), dtype)
        self.t_1 = np.empty((B,), np.bool_)


class _ValueValueAndGradMemory:
    """The buffers of value_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.value_z1 = self.dvalue_z1 = np.empty((B, H), dtype)
        self.value_h1 = self.dvalue_h1 = np.empty((B, H), dtype)
        self.value_z2 = self.dvalue_z2 = np.empty((B, H), dtype)
        self.value_h2 = self.dvalue_h2 = np.empty((B, H), dtype)
        self.value = self.dvalue = np.empty((B, 1), dtype)
        self.critic_1_target_x0 = self.critic_2_target_x0 = np.empty((B, A + S), dtype)
        self.critic_1_target_z1 = self.critic_1_target_h1 = np.empty((B, H), dtype)
        self.critic_1_target_h2 = self.critic_2_target_z1 = self.critic_1_target_z1
        self.critic_2_target_h1 = self.critic_2_target_h2 = self.critic_1_target_z1
        self.critic_1_target_z2 = self.critic_2_target_z2 = np.empty((B, H), dtype)
        self.critic_1_target = np.empty((B, 1), dtype)
        self.critic_2_target = np.empty((B, 1), dtype)
        self.q = self.d = self.dd = self.dv = np.empty((B,), dtype)
        self.v = self.d_where = np.empty((B,), dtype)
        self.t_1 = np.empty((B,), np.bool_)
        self.t_2 = np.empty((B,), dtype)
        self.t_3 = np.empty((B, H), np.bool_)
        self.grads = ValueGradients(dtype, S=S, H=H)


class _CriticValueMemory:
    """The buffers of critic_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_1_x0 = self.critic_2_x0 = np.empty((B, A + S), dtype)
        self.critic_1_z1 = self.critic_1_h1 = self.critic_1_h2 = np.empty((B, H), dtype)
        self.critic_2_z1 = self.critic_2_h1 = self.critic_2_h2 = self.critic_1_z1
        self.value_z1_next_obs = self.value_h1_next_obs = self.value_h2_next_obs = self.critic_1_z1
        self.critic_1_z2 = self.critic_2_z2 = self.value_z2_next_obs = np.empty((B, H), dtype)
        self.critic_1 = np.empty((B, 1), dtype)
        self.critic_2 = np.empty((B, 1), dtype)
        self.value_next_obs = np.empty((B, 1), dtype)
        self.v_t = self.y = self.td_2 = self.t_2 = np.empty((B,), dtype)
        self.v_tm1 = np.empty((B,), dtype)
        self.done_real = self.discount_t = self.td = self.t_1 = self.v_tm1_2 = np.empty((B,), dtype)


class _CriticValueAndGradMemory:
    """The buffers of critic_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_1_x0 = np.empty((B, A + S), dtype)
        self.critic_1_z1 = self.dcritic_1_z1 = np.empty((B, H), dtype)
        self.critic_1_h1 = self.dcritic_1_h1 = np.empty((B, H), dtype)
        self.critic_1_z2 = self.dcritic_1_z2 = np.empty((B, H), dtype)
        self.critic_1_h2 = self.dcritic_1_h2 = np.empty((B, H), dtype)
        self.critic_1 = self.dcritic_2 = np.empty((B, 1), dtype)
        self.critic_2_x0 = np.empty((B, A + S), dtype)
        self.critic_2_z1 = self.dcritic_2_z1 = np.empty((B, H), dtype)
        self.critic_2_h1 = self.dcritic_2_h1 = np.empty((B, H), dtype)
        self.critic_2_z2 = self.dcritic_2_z2 = np.empty((B, H), dtype)
        self.critic_2_h2 = self.dcritic_2_h2 = np.empty((B, H), dtype)
        self.critic_2 = self.dcritic_1 = np.empty((B, 1), dtype)
        self.value_z1_next_obs = self.value_h1_next_obs = np.empty((B, H), dtype)
        self.value_h2_next_obs = self.value_z1_next_obs
        self.value_z2_next_obs = np.empty((B, H), dtype)
        self.value_next_obs = np.empty((B, 1), dtype)
        self.v_t = self.y = self.td_2 = self.dtd_2 = self.dtd = np.empty((B,), dtype)
        self.v_tm1 = self.t_1 = self.v_tm1_2 = np.empty((B,), dtype)
        self.done_real = self.discount_t = self.td = np.empty((B,), dtype)
        self.t_2 = np.empty((B, H), np.bool_)
        self.grads = CriticGradients(dtype, S=S, A=A, H=H)


class _ActorValueMemory:
    """The buffers of actor_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = self.value_z1 = np.empty((B, H), dtype)
        self.value_h1 = self.value_h2 = self.critic_1_target_z1 = self.actor_z1
        self.critic_1_target_h1 = self.critic_1_target_h2 = self.critic_2_target_z1 = self.actor_z1
        self.critic_2_target_h1 = self.critic_2_target_h2 = self.actor_z1
        self.actor_z2 = self.value_z2 = self.critic_1_target_z2 = np.empty((B, H), dtype)
        self.critic_2_target_z2 = self.actor_z2
        self.actor_z3 = self.actor = self.n = self.t_1 = np.empty((B, A), dtype)
        self.value = np.empty((B, 1), dtype)
        self.critic_1_target_x0 = self.critic_2_target_x0 = np.empty((B, A + S), dtype)
        self.critic_1_target = np.empty((B, 1), dtype)
        self.critic_2_target = np.empty((B, 1), dtype)
        self.q = self.advantage = self.advantage_arg = np.empty((B,), dtype)
        self.advantage_arg_minimum = self.advantage_arg_minimum_exp = self.q
        self.normal_log_prob = np.empty((B,), dtype)
        self.log_std_exp = np.empty((A,), dtype)


class _ActorValueAndGradMemory:
    """The buffers of actor_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.dactor_z1 = np.empty((B, H), dtype)
        self.actor_h1 = self.dactor_h1 = np.empty((B, H), dtype)
        self.actor_z2 = self.dactor_z2 = np.empty((B, H), dtype)
        self.actor_h2 = self.dactor_h2 = np.empty((B, H), dtype)
        self.actor_z3 = self.actor = self.dactor_z3 = np.empty((B, A), dtype)
        self.value_z1 = self.value_h1 = self.value_h2 = np.empty((B, H), dtype)
        self.critic_1_target_z1 = self.critic_1_target_h1 = self.critic_1_target_h2 = self.value_z1
        self.critic_2_target_z1 = self.critic_2_target_h1 = self.critic_2_target_h2 = self.value_z1
        self.value_z2 = self.critic_1_target_z2 = self.critic_2_target_z2 = np.empty((B, H), dtype)
        self.value = np.empty((B, 1), dtype)
        self.critic_1_target_x0 = self.critic_2_target_x0 = np.empty((B, A + S), dtype)
        self.critic_1_target = np.empty((B, 1), dtype)
        self.critic_2_target = np.empty((B, 1), dtype)
        self.q = self.advantage = self.advantage_arg = np.empty((B,), dtype)
        self.advantage_arg_minimum = self.advantage_arg_minimum_exp = self.dnormal_log_prob = self.q
        self.n = self.dn = np.empty((B, A), dtype)
        self.normal_log_prob = np.empty((B,), dtype)
        self.log_std_exp = self.t_3 = np.empty((A,), dtype)
        self.dlog_std_exp = np.empty((A,), dtype)
        self.t_1 = self.dactor = np.empty((B, A), dtype)
        self.t_2 = np.empty((A, B), dtype)
        self.t_4 = np.empty((B, H), np.bool_)
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


def _positive(name, value):
    """Every entry is above 0."""
    low = np.min(value)
    if not low > 0:
        raise ValueError(f"{name} holds {low}; expected {INPUTS[name]}")


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
