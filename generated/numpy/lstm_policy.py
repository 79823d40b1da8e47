"""lstm_policy: Recurrent PPO: an LSTM over sequences that begin anew where an episode does, padded
to one length; it acts step by step with T = 1, its state passed in and out.

Forward
    state[b,i] = core_h2[b,T,i]
    cell[b,i] = core_s2[b,T,i]
    core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
    core_z1[b,t,i] += core_c1[i] for b < B, t < T
    core_h1[b,t,i] = tanh(core_z1[b,t,i])
    core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
    core_a2[b,u,i] += core_c2[i] for b < B, u < T
    core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
    core_g2[b,u,i] += core_e2[i] for b < B, u < T
    core_m2[b,u,i] = sigmoid(core_a2[b,u,i] + core_g2[b,u,i]) for i < H
    core_f2[b,u,i] = sigmoid(core_a2[b,u,i+H] + core_g2[b,u,i+H]) for i < H
    core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
    core_o2[b,u,i] = sigmoid(core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H]) for i < H
    core_s2[b,0,i] = c0[b,i]
    core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
    core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
    core_h2[b,0,i] = h0[b,i]
    core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
    core_h2[b,u+1,i] = core_o2[b,u,i]*tanh(core_s2[b,u+1,i])
    core[b,u,i] = core_h2[b,u+1,i] for u < T
    policy[b,t,i] += core[b,t,j]*policy_W1[i,j]
    policy[b,t,i] += policy_c1[i] for b < B, t < T
    v[b,t,i] += core[b,t,j]*v_W1[i,j]
    v[b,t,i] += v_c1[i] for b < B, t < T

Loss ppo
    categorical_log_prob_lse[b,t] = logsumexp(a: policy[b,t,a])
    categorical_log_prob[b,t] = policy[b,t,action[b,t]] - categorical_log_prob_lse[b,t]
    logp[b,t] = categorical_log_prob[b,t]
    v_t[b,t] = v[b,t,0]
    steps_sum += [inside[b,t] == 1]
    steps = maximum(steps_sum, 1)
    lse[b,t] = logsumexp(a: policy[b,t,a])
    categorical_entropy[b,t] += -expdiff(policy[b,t,a], lse[b,t])*where(-inf < policy[b,t,a],
        policy[b,t,a] - lse[b,t], 0)
    entropy_sum += where(inside[b,t] == 1, categorical_entropy[b,t], 0)
    entropy = entropy_sum/steps
    count_sum += [inside[b,t] == 1]
    count = maximum(count_sum, 1)
    r[b,t] = exp(logp[b,t] - stop(old_logp[b,t]))
    A[b,t] = stop(advantage[b,t])
    ppo_clip_sum += where(inside[b,t] == 1, -minimum(A[b,t]*r[b,t], A[b,t]*clip(r[b,t], 1 - reach, 1
        + reach)), 0)
    ppo_clip = ppo_clip_sum/count
    count_2_sum += [inside[b,t] == 1]
    count_2 = maximum(count_2_sum, 1)
    near[b,t] = clip(v_t[b,t] - stop(old_v[b,t]), -reach, reach) + stop(old_v[b,t])
    ppo_value_sum += where(inside[b,t] == 1, 0.5*maximum((v_t[b,t] - stop(ret[b,t]))**2, (near[b,t]
        - stop(ret[b,t]))**2), 0)
    ppo_value = ppo_value_sum/count_2
    loss = c_v*ppo_value + ppo_clip - c_entropy*entropy
    far[b,t] = logp[b,t] - old_logp[b,t]
    approx_kl_sum += where(inside[b,t] == 1, expm1(far[b,t]) - far[b,t], 0)
    approx_kl = approx_kl_sum/steps
    clip_fraction_sum += where(inside[b,t] == 1, [reach < abs(expm1(far[b,t]))], 0)
    clip_fraction = clip_fraction_sum/steps

Gradient (value_and_grad); dX stands for dL/dX.
    core_a2_arg[b,u,i] = core_a2[b,u,i] + core_g2[b,u,i] for i < H
    core_m2[b,u,i] = sigmoid(core_a2_arg[b,u,i])
    core_a2_arg_2[b,u,i] = core_a2[b,u,i+H] + core_g2[b,u,i+H] for i < H
    core_f2[b,u,i] = sigmoid(core_a2_arg_2[b,u,i])
    core_a2_arg_3[b,u,i] = core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H] for i < H
    core_o2[b,u,i] = sigmoid(core_a2_arg_3[b,u,i])
    core_s2_tanh[b,u,i] = tanh(core_s2[b,u+1,i]) for b < B, u < T, i < H
    core_h2[b,u+1,i] = core_o2[b,u,i]*core_s2_tanh[b,u,i]
    inside_where[b,t] = [inside[b,t] == 1]
    steps_sum += inside_where[b,t]
    policy_where[b,t,a] = where(-inf < policy[b,t,a], policy[b,t,a] - categorical_log_prob_lse[b,t],
        0)
    policy_softmax[b,t,a] = expdiff(policy[b,t,a], categorical_log_prob_lse[b,t])
    categorical_entropy[b,t] += -policy_softmax[b,t,a]*policy_where[b,t,a]
    inside_where_2[b,t] = where(inside[b,t] == 1, categorical_entropy[b,t], 0)
    entropy_sum += inside_where_2[b,t]
    r[b,t] = exp(categorical_log_prob[b,t] - stop(old_logp[b,t]))
    inside_where_3[b,t] = where(inside[b,t] == 1, -minimum(A[b,t]*r[b,t], A[b,t]*clip(r[b,t], 1 -
        reach, 1 + reach)), 0)
    ppo_clip_sum += inside_where_3[b,t]
    ppo_clip = ppo_clip_sum/steps
    v_t_arg[b,t] = v_t[b,t] - stop(old_v[b,t])
    reach_arg = -reach
    v_t_arg_clip[b,t] = clip(v_t_arg[b,t], reach_arg, reach)
    near[b,t] = stop(old_v[b,t]) + v_t_arg_clip[b,t]
    inside_where_4[b,t] = where(inside[b,t] == 1, 0.5*maximum((v_t[b,t] - stop(ret[b,t]))**2,
        (near[b,t] - stop(ret[b,t]))**2), 0)
    ppo_value_sum += inside_where_4[b,t]
    ppo_value = ppo_value_sum/steps
    far[b,t] = categorical_log_prob[b,t] - old_logp[b,t]
    inside_where_5[b,t] = where(inside[b,t] == 1, expm1(far[b,t]) - far[b,t], 0)
    approx_kl_sum += inside_where_5[b,t]
    inside_where_6[b,t] = where(inside[b,t] == 1, [reach < abs(expm1(far[b,t]))], 0)
    clip_fraction_sum += inside_where_6[b,t]
    dentropy = -c_entropy
    dppo_value_sum = c_v/steps
    dinside_where_4[b,t] = dppo_value_sum for b < B, t < T
    dnear[b,t] = where(inside[b,t] == 1, where((near[b,t] - stop(ret[b,t]))**2 <= (v_t[b,t] -
        stop(ret[b,t]))**2, 0, dinside_where_4[b,t]*(near[b,t] - stop(ret[b,t]))), 0)
    inside_where_7[b,t] = where(inside[b,t] == 1, where((near[b,t] - stop(ret[b,t]))**2 <= (v_t[b,t]
        - stop(ret[b,t]))**2, dinside_where_4[b,t]*(v_t[b,t] - stop(ret[b,t])), 0), 0)
    dv_t[b,t] += inside_where_7[b,t]
    dv_t_arg[b,t] = where(v_t_arg[b,t] < reach_arg, 0, where(reach < v_t_arg[b,t], 0, dnear[b,t]))
    dv_t[b,t] += dv_t_arg[b,t]
    dppo_clip_sum = 1/steps
    dinside_where_3[b,t] = dppo_clip_sum for b < B, t < T
    dr[b,t] = where(inside[b,t] == 1, -dinside_where_3[b,t]*(A[b,t]*[A[b,t]*r[b,t] <=
        A[b,t]*clip(r[b,t], 1 - reach, 1 + reach)] + A[b,t]*where(A[b,t]*r[b,t] <=
        A[b,t]*clip(r[b,t], 1 - reach, 1 + reach), 0, 1)*where(r[b,t] < 1 - reach, 0, where(1 +
        reach < r[b,t], 0, 1))), 0)
    dcategorical_log_prob[b,t] = dr[b,t]*r[b,t]
    dentropy_sum = dentropy/steps
    dinside_where_2[b,t] = dentropy_sum for b < B, t < T
    dcategorical_entropy[b,t] = where(inside[b,t] == 1, dinside_where_2[b,t], 0)
    dpolicy_softmax[b,t,a] = -dcategorical_entropy[b,t]*policy_where[b,t,a]
    dpolicy_where[b,t,a] = -dcategorical_entropy[b,t]*policy_softmax[b,t,a]
    dcategorical_log_prob_lse[b,t] += -dpolicy_softmax[b,t,a]*policy_softmax[b,t,a]
    dpolicy[b,t,a] += dpolicy_softmax[b,t,a]*policy_softmax[b,t,a]
    policy_where_2[b,t,a] = where(-inf < policy[b,t,a], -dpolicy_where[b,t,a], 0)
    dcategorical_log_prob_lse[b,t] += policy_where_2[b,t,a]
    policy_where_3[b,t,a] = where(-inf < policy[b,t,a], dpolicy_where[b,t,a], 0)
    dpolicy[b,t,a] += policy_where_3[b,t,a]
    dv[b,t,0] += dv_t[b,t]
    dcategorical_log_prob_lse[b,t] += -dcategorical_log_prob[b,t]
    dpolicy[b,t,action[b,t]] += dcategorical_log_prob[b,t]
    dpolicy[b,t,a] += dcategorical_log_prob_lse[b,t]*policy_softmax[b,t,a]
    dv_c1[i] += dv[b,t,i]
    dcore[b,t,j] += dv[b,t,i]*v_W1[i,j]
    dv_W1[i,j] += dv[b,t,i]*core[b,t,j]
    dpolicy_c1[i] += dpolicy[b,t,i]
    dcore[b,t,j] += dpolicy[b,t,i]*policy_W1[i,j]
    dpolicy_W1[i,j] += dpolicy[b,t,i]*core[b,t,j]
    dcore_h2[b,u+1,i] += dcore[b,u,i]
    dcore_o2[b,u,i] = dcore_h2[b,u+1,i]*core_s2_tanh[b,u,i]
    dcore_s2_tanh[b,u,i] = dcore_h2[b,u+1,i]*core_o2[b,u,i]
    dcore_s2[b,u+1,i] += dcore_s2_tanh[b,u,i]*(1 - core_s2_tanh[b,u,i]**2)
    dcore_f2[b,u,i] = dcore_s2[b,u+1,i]*core_q2[b,u,i]
    dcore_k2[b,u,i] = dcore_s2[b,u+1,i]*core_m2[b,u,i]
    dcore_m2[b,u,i] = dcore_s2[b,u+1,i]*core_k2[b,u,i]
    dcore_q2[b,u,i] = dcore_s2[b,u+1,i]*core_f2[b,u,i]
    start_where[b,u,i] = where(start[b,u] == 1, 0, dcore_q2[b,u,i])
    dcore_s2[b,u,i] += start_where[b,u,i]
    core_a2_arg_3_arg[b,u,i] = -core_a2_arg_3[b,u,i]
    core_a2_arg_3_arg_sigmoid[b,u,i] = sigmoid(core_a2_arg_3_arg[b,u,i])
    dcore_a2_arg_3[b,u,i] = dcore_o2[b,u,i]*core_a2_arg_3_arg_sigmoid[b,u,i]*core_o2[b,u,i]
    dcore_a2[b,u,i+3*H] += dcore_a2_arg_3[b,u,i]
    dcore_g2[b,u,i+3*H] += dcore_a2_arg_3[b,u,i]
    dcore_a2[b,u,i+2*H] += dcore_k2[b,u,i]*(1 - core_k2[b,u,i]**2)
    dcore_g2[b,u,i+2*H] += dcore_k2[b,u,i]*(1 - core_k2[b,u,i]**2)
    core_a2_arg_2_arg[b,u,i] = -core_a2_arg_2[b,u,i]
    core_a2_arg_2_arg_sigmoid[b,u,i] = sigmoid(core_a2_arg_2_arg[b,u,i])
    dcore_a2_arg_2[b,u,i] = dcore_f2[b,u,i]*core_a2_arg_2_arg_sigmoid[b,u,i]*core_f2[b,u,i]
    dcore_a2[b,u,i+H] += dcore_a2_arg_2[b,u,i]
    dcore_g2[b,u,i+H] += dcore_a2_arg_2[b,u,i]
    core_a2_arg_arg[b,u,i] = -core_a2_arg[b,u,i]
    core_a2_arg_arg_sigmoid[b,u,i] = sigmoid(core_a2_arg_arg[b,u,i])
    dcore_a2_arg[b,u,i] = dcore_m2[b,u,i]*core_a2_arg_arg_sigmoid[b,u,i]*core_m2[b,u,i]
    dcore_a2[b,u,i] += dcore_a2_arg[b,u,i]
    dcore_g2[b,u,i] += dcore_a2_arg[b,u,i]
    dcore_U2[i,j] += dcore_g2[b,u,i]*core_p2[b,u,j]
    dcore_p2[b,u,j] += dcore_g2[b,u,i]*core_U2[i,j]
    start_where_2[b,u,i] = where(start[b,u] == 1, 0, dcore_p2[b,u,i])
    dcore_h2[b,u,i] += start_where_2[b,u,i]
    dcore_e2[i] += dcore_g2[b,u,i]
    dcore_c2[i] += dcore_a2[b,u,i]
    dcore_W2[i,j] += dcore_a2[b,u,i]*core_h1[b,u,j]
    dcore_h1[b,u,j] += dcore_a2[b,u,i]*core_W2[i,j]
    dcore_z1[b,t,i] = dcore_h1[b,t,i]*(1 - core_h1[b,t,i]**2)
    dcore_c1[i] += dcore_z1[b,t,i]
    dcore_W1[i,j] += dcore_z1[b,t,i]*obs[b,t,j]

Shapes
    core_W1: real[H, 4]
    core_c1: real[H]
    core_W2: real[4*H, H]
    core_U2: real[4*H, H]
    core_c2: real[4*H]
    core_e2: real[4*H]
    policy_W1: real[2, H]
    policy_c1: real[2]
    v_W1: real[1, H]
    v_c1: real[1]
    obs: real[B, T, 4]
    start: bool[B, T]
    inside: bool[B, T]
    h0: real[B, H]
    c0: real[B, H]
    action: int[B, T] < 2
    old_logp: real[B, T]
    old_v: real[B, T]
    advantage: real[B, T]
    ret: real[B, T]
    reach: real > 0 = 0.2
    c_v: real = 0.5
    c_entropy: real = 0.01
    B: sequences in the batch
    T: steps of each

At kinks: a tie of maximum takes the first argument's side; a tie of minimum takes the first
    argument's side; clip passes 1 at its edges; abs'(0) = 0.
Held constant: what wrt does not name, and what stop() holds in
    r[b,t] = exp(logp[b,t] - stop(old_logp[b,t]))
    A[b,t] = stop(advantage[b,t])
    near[b,t] = clip(v_t[b,t] - stop(old_v[b,t]), -reach, reach) + stop(old_v[b,t])
    ppo_value_sum += where(inside[b,t] == 1, 0.5*maximum((v_t[b,t] - stop(ret[b,t]))**2, (near[b,t]
        - stop(ret[b,t]))**2), 0)
Reduction: sums stand as the equations write them, undivided.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "T": None, "H": 32}
PARAMETERS = {
    "core.W1": {"axes": ("H", "4"), "offset": 0, "shape": (32, 4), "strides": (4, 1)},
    "core.c1": {"axes": ("H",), "offset": 128, "shape": (32,), "strides": (1,)},
    "core.W2": {"axes": ("4*H", "H"), "offset": 160, "shape": (128, 32), "strides": (32, 1)},
    "core.U2": {"axes": ("4*H", "H"), "offset": 4256, "shape": (128, 32), "strides": (32, 1)},
    "core.c2": {"axes": ("4*H",), "offset": 8352, "shape": (128,), "strides": (1,)},
    "core.e2": {"axes": ("4*H",), "offset": 8480, "shape": (128,), "strides": (1,)},
    "policy.W1": {"axes": ("2", "H"), "offset": 8608, "shape": (2, 32), "strides": (32, 1)},
    "policy.c1": {"axes": ("2",), "offset": 8672, "shape": (2,), "strides": (1,)},
    "v.W1": {"axes": ("1", "H"), "offset": 8674, "shape": (1, 32), "strides": (32, 1)},
    "v.c1": {"axes": ("1",), "offset": 8706, "shape": (1,), "strides": (1,)},
}
LAYERS = {
    "core": (
        {"weight": "core.W1", "bias": "core.c1"},
        {
            "weight_ih_l0": "core.W2",
            "weight_hh_l0": "core.U2",
            "bias_ih_l0": "core.c2",
            "bias_hh_l0": "core.e2",
        },
    ),
    "policy": ({"weight": "policy.W1", "bias": "policy.c1"},),
    "v": ({"weight": "v.W1", "bias": "v.c1"},),
}
INPUTS = {
    "obs": "real[B, T, 4]",
    "start": "bool[B, T]",
    "inside": "bool[B, T]",
    "h0": "real[B, H]",
    "c0": "real[B, H]",
    "action": "int[B, T] < 2",
    "old_logp": "real[B, T]",
    "old_v": "real[B, T]",
    "advantage": "real[B, T]",
    "ret": "real[B, T]",
    "reach": "real > 0 = 0.2",
    "c_v": "real = 0.5",
    "c_entropy": "real = 0.01",
}
OUTPUTS = {
    "forward": ("policy", "v", "state", "cell"),
    "core_forward": ("core",),
    "policy_forward": ("policy",),
    "v_forward": ("v",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "8 * B * H * H * T + 30 * B * H * T + 3 * B * T",
    "core_forward": "8 * B * H * H * T + 27 * B * H * T",
    "policy_forward": "8 * B * H * H * T + 29 * B * H * T + 2 * B * T",
    "v_forward": "8 * B * H * H * T + 28 * B * H * T + B * T",
    "value": "8 * B * H * H * T + 30 * B * H * T + 49 * B * T",
    "value_and_grad": "24 * B * H * H * T + 90 * B * H * T + 118 * B * T",
}
SPEC_HASH = "324328d998975453cb81e6f0169782bc6b21dce1584ae29d7fa147a62b95b950"
SPEC = r'''description = "Recurrent PPO: an LSTM over sequences that begin anew where an episode does, padded to one length; it acts step by step with T = 1, its state passed in and out."
outputs = ["policy", "v", "state", "cell"]
equations = """
state[b,i] = core_h2[b,T,i]
cell[b,i] = core_s2[b,T,i]
core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
core_z1[b,t,i] += core_c1[i] for b < B, t < T
core_h1[b,t,i] = tanh(core_z1[b,t,i])
core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
core_a2[b,u,i] += core_c2[i] for b < B, u < T
core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
core_g2[b,u,i] += core_e2[i] for b < B, u < T
core_m2[b,u,i] = sigmoid(core_a2[b,u,i] + core_g2[b,u,i]) for i < H
core_f2[b,u,i] = sigmoid(core_a2[b,u,i+H] + core_g2[b,u,i+H]) for i < H
core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
core_o2[b,u,i] = sigmoid(core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H]) for i < H
core_s2[b,0,i] = c0[b,i]
core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
core_h2[b,0,i] = h0[b,i]
core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
core_h2[b,u+1,i] = core_o2[b,u,i]*tanh(core_s2[b,u+1,i])
core[b,u,i] = core_h2[b,u+1,i] for u < T
policy[b,t,i] += core[b,t,j]*policy_W1[i,j]
policy[b,t,i] += policy_c1[i] for b < B, t < T
v[b,t,i] += core[b,t,j]*v_W1[i,j]
v[b,t,i] += v_c1[i] for b < B, t < T
"""

[sizes]
B = "sequences in the batch"
T = "steps of each"
H = 32

[params.core]
W1 = "real[H, 4] init=orthogonal(1.414)"
c1 = "real[H] init=zeros"
W2 = "real[4*H, H] init=orthogonal(1)"
U2 = "real[4*H, H] init=orthogonal(1)"
c2 = "real[4*H]"
e2 = "real[4*H]"

[params.policy]
W1 = "real[2, H] init=orthogonal(0.01)"
c1 = "real[2] init=zeros"

[params.v]
W1 = "real[1, H] init=orthogonal(1)"
c1 = "real[1] init=zeros"

[data]
obs = "real[B, T, 4]"
start = "bool[B, T]"
inside = "bool[B, T]"
h0 = "real[B, H]"
c0 = "real[B, H]"
action = "int[B, T] < 2"
old_logp = "real[B, T]"
old_v = "real[B, T]"
advantage = "real[B, T]"
ret = "real[B, T]"
reach = "real > 0 = 0.2"
c_v = "real = 0.5"
c_entropy = "real = 0.01"

[losses.ppo]
wrt = ["core_W1", "core_c1", "core_W2", "core_U2", "core_c2", "core_e2", "policy_W1", "policy_c1", "v_W1", "v_c1"]
aux = ["approx_kl", "clip_fraction"]
equations = """
categorical_log_prob_lse[b,t] = logsumexp(a: policy[b,t,a])
categorical_log_prob[b,t] = policy[b,t,action[b,t]] - categorical_log_prob_lse[b,t]
logp[b,t] = categorical_log_prob[b,t]
v_t[b,t] = v[b,t,0]
steps_sum += [inside[b,t] == 1]
steps = maximum(steps_sum, 1)
lse[b,t] = logsumexp(a: policy[b,t,a])
categorical_entropy[b,t] += -expdiff(policy[b,t,a], lse[b,t])*where(-inf < policy[b,t,a], policy[b,t,a] - lse[b,t], 0)
entropy_sum += where(inside[b,t] == 1, categorical_entropy[b,t], 0)
entropy = entropy_sum/steps
count_sum += [inside[b,t] == 1]
count = maximum(count_sum, 1)
r[b,t] = exp(logp[b,t] - stop(old_logp[b,t]))
A[b,t] = stop(advantage[b,t])
ppo_clip_sum += where(inside[b,t] == 1, -minimum(A[b,t]*r[b,t], A[b,t]*clip(r[b,t], 1 - reach, 1 + reach)), 0)
ppo_clip = ppo_clip_sum/count
count_2_sum += [inside[b,t] == 1]
count_2 = maximum(count_2_sum, 1)
near[b,t] = clip(v_t[b,t] - stop(old_v[b,t]), -reach, reach) + stop(old_v[b,t])
ppo_value_sum += where(inside[b,t] == 1, 0.5*maximum((v_t[b,t] - stop(ret[b,t]))**2, (near[b,t] - stop(ret[b,t]))**2), 0)
ppo_value = ppo_value_sum/count_2
loss = c_v*ppo_value + ppo_clip - c_entropy*entropy
far[b,t] = logp[b,t] - old_logp[b,t]
approx_kl_sum += where(inside[b,t] == 1, expm1(far[b,t]) - far[b,t], 0)
approx_kl = approx_kl_sum/steps
clip_fraction_sum += where(inside[b,t] == 1, [reach < abs(expm1(far[b,t]))], 0)
clip_fraction = clip_fraction_sum/steps
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
    """Views on one vector `flat`: core.W1 (H, 4), core.c1 (H,), core.W2 (4*H, H), core.U2 (4*H, H),
    core.c2 (4*H,), core.e2 (4*H,), policy.W1 (2, H), policy.c1 (2,), v.W1 (1, H), v.c1 (1,).
    """

    def __init__(self, flat, *, H=32):
        self._sizes = _sizes(H=H)
        self.flat = _vector(flat, 8 * H * H + 16 * H + 3)
        _part = _parts(self.flat)
        self.core = _Group(
            _part(8 * H * H + 13 * H),
            W1=(H, 4),
            c1=(H,),
            W2=(4 * H, H),
            U2=(4 * H, H),
            c2=(4 * H,),
            e2=(4 * H,),
        )
        self.policy = _Group(_part(2 * H + 2), W1=(2, H), c1=(2,))
        self.v = _Group(_part(H + 1), W1=(1, H), c1=(1,))
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, T, H=32):
        self.sizes = _sizes(B=B, T=T, H=H)
        self._memory = {}


def init(rng, *, H=32, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), H=H)
    params.core.W1[...] = _orthogonal(rng, (H, 4), 1.414)
    params.core.c1[...] = 0.0
    params.core.W2[...] = _orthogonal(rng, (4 * H, H), 1.0)
    params.core.U2[...] = _orthogonal(rng, (4 * H, H), 1.0)
    params.core.c2[...] = 0.0
    params.core.e2[...] = 0.0
    params.policy.W1[...] = _orthogonal(rng, (2, H), 0.01)
    params.policy.c1[...] = 0.0
    params.v.W1[...] = _orthogonal(rng, (1, H), 1.0)
    params.v.c1[...] = 0.0
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
        np.result_type(*(arrays[name] for name in PARAMETERS)), H=_extent(arrays["core.W1"], 0)
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


def forward(params, obs, start, h0, c0, *, workspace=None):
    """The outputs policy, v, state, cell.

    obs: real[B, T, 4]
    start: bool[B, T]
    h0: real[B, H]
    c0: real[B, H]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 3)
    start = _boolean("start", start, 2)
    h0 = _real("h0", h0, 2)
    c0 = _real("c0", c0, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    T = _length("T", "obs", obs, 1)
    _shape("obs", obs, (B, T, 4))
    _shape("start", start, (B, T))
    _shape("h0", h0, (B, H))
    _shape("c0", c0, (B, H))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, T=T, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    start = _fit(ws, "start", start, np.bool_)
    h0 = _fit(ws, "h0", h0, dtype)
    c0 = _fit(ws, "c0", c0, dtype)
    core_W1, core_c1, core_W2 = params.core.W1, params.core.c1, params.core.W2
    core_U2, core_c2, core_e2 = params.core.U2, params.core.c2, params.core.e2
    policy_W1, policy_c1, v_W1, v_c1 = params.policy.W1, params.policy.c1, params.v.W1, params.v.c1
    # core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
    core_z1 = ws.core_z1
    np.matmul(obs.reshape(B * T, 4), core_W1.T, out=core_z1.reshape(B * T, H))
    # core_z1[b,t,i] += core_c1[i] for b < B, t < T
    core_z1 += core_c1
    # core_h1[b,t,i] = tanh(core_z1[b,t,i])
    core_h1 = np.tanh(core_z1, out=ws.core_h1)
    # core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
    core_a2 = ws.core_a2
    np.matmul(core_h1.reshape(B * T, H), core_W2.T, out=core_a2.reshape(B * T, (4*H)))
    # core_a2[b,u,i] += core_c2[i] for b < B, u < T
    core_a2 += core_c2
    # core_h2[b,0,i] = h0[b,i]
    core_h2 = ws.core_h2
    np.copyto(core_h2[:, 0], h0)
    # core_g2[b,u,i] += core_e2[i] for b < B, u < T
    core_g2 = ws.core_g2
    np.copyto(core_g2, core_e2)
    # core_s2[b,0,i] = c0[b,i]
    core_s2 = ws.core_s2
    np.copyto(core_s2[:, 0], c0)
    core_p2, t_1, core_a2_arg, core_m2, t_2 = ws.core_p2, ws.t_1, ws.core_a2_arg, ws.core_m2, ws.t_2
    core_a2_arg_2, core_f2, core_k2 = ws.core_a2_arg_2, ws.core_f2, ws.core_k2
    core_a2_arg_3, core_o2, core_q2 = ws.core_a2_arg_3, ws.core_o2, ws.core_q2
    core_s2_tanh = ws.core_s2_tanh
    for u in range(T):
        # core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
        np.copyto(core_p2[:, u], core_h2[:, u])
        np.copyto(core_p2[:, u], 0.0, where=start[:, None, u])
        # core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
        np.matmul(core_p2[:, u], core_U2.T, out=t_1)
        core_g2[:, u] += t_1
        # core_a2_arg[b,u,i] = core_a2[b,u,i] + core_g2[b,u,i] for i < H
        np.add(core_a2[:, u, :H], core_g2[:, u, :H], out=core_a2_arg[:, u])
        # core_m2[b,u,i] = sigmoid(core_a2_arg[b,u,i])
        _sigmoid(core_a2_arg[:, u], out=core_m2[:, u], scratch=ws.t_2)
        # core_a2_arg_2[b,u,i] = core_a2[b,u,i+H] + core_g2[b,u,i+H] for i < H
        np.add(core_a2[:, u, H:2*H], core_g2[:, u, H:2*H], out=core_a2_arg_2[:, u])
        # core_f2[b,u,i] = sigmoid(core_a2_arg_2[b,u,i])
        _sigmoid(core_a2_arg_2[:, u], out=core_f2[:, u], scratch=ws.t_2)
        # core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
        np.add(core_a2[:, u, 2*H:3*H], core_g2[:, u, 2*H:3*H], out=core_k2[:, u])
        np.tanh(core_k2[:, u], out=core_k2[:, u])
        # core_a2_arg_3[b,u,i] = core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H] for i < H
        np.add(core_a2[:, u, 3*H:4*H], core_g2[:, u, 3*H:4*H], out=core_a2_arg_3[:, u])
        # core_o2[b,u,i] = sigmoid(core_a2_arg_3[b,u,i])
        _sigmoid(core_a2_arg_3[:, u], out=core_o2[:, u], scratch=ws.t_2)
        # core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
        np.copyto(core_q2[:, u], core_s2[:, u])
        np.copyto(core_q2[:, u], 0.0, where=start[:, None, u])
        # core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
        np.multiply(core_f2[:, u], core_q2[:, u], out=core_s2[:, u+1])
        np.multiply(core_k2[:, u], core_m2[:, u], out=t_2)
        core_s2[:, u+1] += t_2
        # core_s2_tanh[b,u,i] = tanh(core_s2[b,u+1,i]) for b < B, u < T, i < H
        np.tanh(core_s2[:, u+1], out=core_s2_tanh[:, u])
        # core_h2[b,u+1,i] = core_o2[b,u,i]*core_s2_tanh[b,u,i]
        np.multiply(core_o2[:, u], core_s2_tanh[:, u], out=core_h2[:, u+1])
    # state[b,i] = core_h2[b,T,i]
    state = ws.state
    np.copyto(state, core_h2[:, T])
    # cell[b,i] = core_s2[b,T,i]
    cell = ws.cell
    np.copyto(cell, core_s2[:, T])
    # core[b,u,i] = core_h2[b,u+1,i] for u < T
    core = ws.core
    np.copyto(core, core_h2[:, 1:T+1])
    # policy[b,t,i] += core[b,t,j]*policy_W1[i,j]
    policy = ws.policy
    np.matmul(core.reshape(B * T, H), policy_W1.T, out=policy.reshape(B * T, 2))
    # policy[b,t,i] += policy_c1[i] for b < B, t < T
    policy += policy_c1
    # v[b,t,i] += core[b,t,j]*v_W1[i,j]
    v = ws.v
    np.matmul(core.reshape(B * T, H), v_W1.T, out=v.reshape(B * T, 1))
    # v[b,t,i] += v_c1[i] for b < B, t < T
    v += v_c1
    return policy, v, state, cell


def core_forward(params, obs, start, h0, c0, *, workspace=None):
    """The output core.

    obs: real[B, T, 4]
    start: bool[B, T]
    h0: real[B, H]
    c0: real[B, H]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 3)
    start = _boolean("start", start, 2)
    h0 = _real("h0", h0, 2)
    c0 = _real("c0", c0, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    T = _length("T", "obs", obs, 1)
    _shape("obs", obs, (B, T, 4))
    _shape("start", start, (B, T))
    _shape("h0", h0, (B, H))
    _shape("c0", c0, (B, H))
    ws = _memory(workspace, _CoreForwardMemory, dtype, B=B, T=T, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    start = _fit(ws, "start", start, np.bool_)
    h0 = _fit(ws, "h0", h0, dtype)
    c0 = _fit(ws, "c0", c0, dtype)
    core_W1, core_c1, core_W2 = params.core.W1, params.core.c1, params.core.W2
    core_U2, core_c2, core_e2 = params.core.U2, params.core.c2, params.core.e2
    # core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
    core_z1 = ws.core_z1
    np.matmul(obs.reshape(B * T, 4), core_W1.T, out=core_z1.reshape(B * T, H))
    # core_z1[b,t,i] += core_c1[i] for b < B, t < T
    core_z1 += core_c1
    # core_h1[b,t,i] = tanh(core_z1[b,t,i])
    core_h1 = np.tanh(core_z1, out=ws.core_h1)
    # core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
    core_a2 = ws.core_a2
    np.matmul(core_h1.reshape(B * T, H), core_W2.T, out=core_a2.reshape(B * T, (4*H)))
    # core_a2[b,u,i] += core_c2[i] for b < B, u < T
    core_a2 += core_c2
    # core_h2[b,0,i] = h0[b,i]
    core_h2 = ws.core_h2
    np.copyto(core_h2[:, 0], h0)
    # core_g2[b,u,i] += core_e2[i] for b < B, u < T
    core_g2 = ws.core_g2
    np.copyto(core_g2, core_e2)
    # core_s2[b,0,i] = c0[b,i]
    core_s2 = ws.core_s2
    np.copyto(core_s2[:, 0], c0)
    core_p2, t_1, core_a2_arg, core_m2, t_2 = ws.core_p2, ws.t_1, ws.core_a2_arg, ws.core_m2, ws.t_2
    core_a2_arg_2, core_f2, core_k2 = ws.core_a2_arg_2, ws.core_f2, ws.core_k2
    core_a2_arg_3, core_o2, core_q2 = ws.core_a2_arg_3, ws.core_o2, ws.core_q2
    core_s2_tanh = ws.core_s2_tanh
    for u in range(T):
        # core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
        np.copyto(core_p2[:, u], core_h2[:, u])
        np.copyto(core_p2[:, u], 0.0, where=start[:, None, u])
        # core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
        np.matmul(core_p2[:, u], core_U2.T, out=t_1)
        core_g2[:, u] += t_1
        # core_a2_arg[b,u,i] = core_a2[b,u,i] + core_g2[b,u,i] for i < H
        np.add(core_a2[:, u, :H], core_g2[:, u, :H], out=core_a2_arg[:, u])
        # core_m2[b,u,i] = sigmoid(core_a2_arg[b,u,i])
        _sigmoid(core_a2_arg[:, u], out=core_m2[:, u], scratch=ws.t_2)
        # core_a2_arg_2[b,u,i] = core_a2[b,u,i+H] + core_g2[b,u,i+H] for i < H
        np.add(core_a2[:, u, H:2*H], core_g2[:, u, H:2*H], out=core_a2_arg_2[:, u])
        # core_f2[b,u,i] = sigmoid(core_a2_arg_2[b,u,i])
        _sigmoid(core_a2_arg_2[:, u], out=core_f2[:, u], scratch=ws.t_2)
        # core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
        np.add(core_a2[:, u, 2*H:3*H], core_g2[:, u, 2*H:3*H], out=core_k2[:, u])
        np.tanh(core_k2[:, u], out=core_k2[:, u])
        # core_a2_arg_3[b,u,i] = core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H] for i < H
        np.add(core_a2[:, u, 3*H:4*H], core_g2[:, u, 3*H:4*H], out=core_a2_arg_3[:, u])
        # core_o2[b,u,i] = sigmoid(core_a2_arg_3[b,u,i])
        _sigmoid(core_a2_arg_3[:, u], out=core_o2[:, u], scratch=ws.t_2)
        # core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
        np.copyto(core_q2[:, u], core_s2[:, u])
        np.copyto(core_q2[:, u], 0.0, where=start[:, None, u])
        # core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
        np.multiply(core_f2[:, u], core_q2[:, u], out=core_s2[:, u+1])
        np.multiply(core_k2[:, u], core_m2[:, u], out=t_2)
        core_s2[:, u+1] += t_2
        # core_s2_tanh[b,u,i] = tanh(core_s2[b,u+1,i]) for b < B, u < T, i < H
        np.tanh(core_s2[:, u+1], out=core_s2_tanh[:, u])
        # core_h2[b,u+1,i] = core_o2[b,u,i]*core_s2_tanh[b,u,i]
        np.multiply(core_o2[:, u], core_s2_tanh[:, u], out=core_h2[:, u+1])
    # core[b,u,i] = core_h2[b,u+1,i] for u < T
    core = ws.core
    np.copyto(core, core_h2[:, 1:T+1])
    return core


def policy_forward(params, obs, start, h0, c0, *, workspace=None):
    """The output policy.

    obs: real[B, T, 4]
    start: bool[B, T]
    h0: real[B, H]
    c0: real[B, H]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 3)
    start = _boolean("start", start, 2)
    h0 = _real("h0", h0, 2)
    c0 = _real("c0", c0, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    T = _length("T", "obs", obs, 1)
    _shape("obs", obs, (B, T, 4))
    _shape("start", start, (B, T))
    _shape("h0", h0, (B, H))
    _shape("c0", c0, (B, H))
    ws = _memory(workspace, _PolicyForwardMemory, dtype, B=B, T=T, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    start = _fit(ws, "start", start, np.bool_)
    h0 = _fit(ws, "h0", h0, dtype)
    c0 = _fit(ws, "c0", c0, dtype)
    core_W1, core_c1, core_W2 = params.core.W1, params.core.c1, params.core.W2
    core_U2, core_c2, core_e2 = params.core.U2, params.core.c2, params.core.e2
    policy_W1, policy_c1 = params.policy.W1, params.policy.c1
    # core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
    core_z1 = ws.core_z1
    np.matmul(obs.reshape(B * T, 4), core_W1.T, out=core_z1.reshape(B * T, H))
    # core_z1[b,t,i] += core_c1[i] for b < B, t < T
    core_z1 += core_c1
    # core_h1[b,t,i] = tanh(core_z1[b,t,i])
    core_h1 = np.tanh(core_z1, out=ws.core_h1)
    # core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
    core_a2 = ws.core_a2
    np.matmul(core_h1.reshape(B * T, H), core_W2.T, out=core_a2.reshape(B * T, (4*H)))
    # core_a2[b,u,i] += core_c2[i] for b < B, u < T
    core_a2 += core_c2
    # core_h2[b,0,i] = h0[b,i]
    core_h2 = ws.core_h2
    np.copyto(core_h2[:, 0], h0)
    # core_g2[b,u,i] += core_e2[i] for b < B, u < T
    core_g2 = ws.core_g2
    np.copyto(core_g2, core_e2)
    # core_s2[b,0,i] = c0[b,i]
    core_s2 = ws.core_s2
    np.copyto(core_s2[:, 0], c0)
    core_p2, t_1, core_a2_arg, core_m2, t_2 = ws.core_p2, ws.t_1, ws.core_a2_arg, ws.core_m2, ws.t_2
    core_a2_arg_2, core_f2, core_k2 = ws.core_a2_arg_2, ws.core_f2, ws.core_k2
    core_a2_arg_3, core_o2, core_q2 = ws.core_a2_arg_3, ws.core_o2, ws.core_q2
    core_s2_tanh = ws.core_s2_tanh
    for u in range(T):
        # core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
        np.copyto(core_p2[:, u], core_h2[:, u])
        np.copyto(core_p2[:, u], 0.0, where=start[:, None, u])
        # core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
        np.matmul(core_p2[:, u], core_U2.T, out=t_1)
        core_g2[:, u] += t_1
        # core_a2_arg[b,u,i] = core_a2[b,u,i] + core_g2[b,u,i] for i < H
        np.add(core_a2[:, u, :H], core_g2[:, u, :H], out=core_a2_arg[:, u])
        # core_m2[b,u,i] = sigmoid(core_a2_arg[b,u,i])
        _sigmoid(core_a2_arg[:, u], out=core_m2[:, u], scratch=ws.t_2)
        # core_a2_arg_2[b,u,i] = core_a2[b,u,i+H] + core_g2[b,u,i+H] for i < H
        np.add(core_a2[:, u, H:2*H], core_g2[:, u, H:2*H], out=core_a2_arg_2[:, u])
        # core_f2[b,u,i] = sigmoid(core_a2_arg_2[b,u,i])
        _sigmoid(core_a2_arg_2[:, u], out=core_f2[:, u], scratch=ws.t_2)
        # core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
        np.add(core_a2[:, u, 2*H:3*H], core_g2[:, u, 2*H:3*H], out=core_k2[:, u])
        np.tanh(core_k2[:, u], out=core_k2[:, u])
        # core_a2_arg_3[b,u,i] = core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H] for i < H
        np.add(core_a2[:, u, 3*H:4*H], core_g2[:, u, 3*H:4*H], out=core_a2_arg_3[:, u])
        # core_o2[b,u,i] = sigmoid(core_a2_arg_3[b,u,i])
        _sigmoid(core_a2_arg_3[:, u], out=core_o2[:, u], scratch=ws.t_2)
        # core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
        np.copyto(core_q2[:, u], core_s2[:, u])
        np.copyto(core_q2[:, u], 0.0, where=start[:, None, u])
        # core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
        np.multiply(core_f2[:, u], core_q2[:, u], out=core_s2[:, u+1])
        np.multiply(core_k2[:, u], core_m2[:, u], out=t_2)
        core_s2[:, u+1] += t_2
        # core_s2_tanh[b,u,i] = tanh(core_s2[b,u+1,i]) for b < B, u < T, i < H
        np.tanh(core_s2[:, u+1], out=core_s2_tanh[:, u])
        # core_h2[b,u+1,i] = core_o2[b,u,i]*core_s2_tanh[b,u,i]
        np.multiply(core_o2[:, u], core_s2_tanh[:, u], out=core_h2[:, u+1])
    # core[b,u,i] = core_h2[b,u+1,i] for u < T
    core = ws.core
    np.copyto(core, core_h2[:, 1:T+1])
    # policy[b,t,i] += core[b,t,j]*policy_W1[i,j]
    policy = ws.policy
    np.matmul(core.reshape(B * T, H), policy_W1.T, out=policy.reshape(B * T, 2))
    # policy[b,t,i] += policy_c1[i] for b < B, t < T
    policy += policy_c1
    return policy


def v_forward(params, obs, start, h0, c0, *, workspace=None):
    """The output v.

    obs: real[B, T, 4]
    start: bool[B, T]
    h0: real[B, H]
    c0: real[B, H]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 3)
    start = _boolean("start", start, 2)
    h0 = _real("h0", h0, 2)
    c0 = _real("c0", c0, 2)
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    T = _length("T", "obs", obs, 1)
    _shape("obs", obs, (B, T, 4))
    _shape("start", start, (B, T))
    _shape("h0", h0, (B, H))
    _shape("c0", c0, (B, H))
    ws = _memory(workspace, _VForwardMemory, dtype, B=B, T=T, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    start = _fit(ws, "start", start, np.bool_)
    h0 = _fit(ws, "h0", h0, dtype)
    c0 = _fit(ws, "c0", c0, dtype)
    core_W1, core_c1, core_W2 = params.core.W1, params.core.c1, params.core.W2
    core_U2, core_c2, core_e2, v_W1 = params.core.U2, params.core.c2, params.core.e2, params.v.W1
    v_c1 = params.v.c1
    # core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
    core_z1 = ws.core_z1
    np.matmul(obs.reshape(B * T, 4), core_W1.T, out=core_z1.reshape(B * T, H))
    # core_z1[b,t,i] += core_c1[i] for b < B, t < T
    core_z1 += core_c1
    # core_h1[b,t,i] = tanh(core_z1[b,t,i])
    core_h1 = np.tanh(core_z1, out=ws.core_h1)
    # core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
    core_a2 = ws.core_a2
    np.matmul(core_h1.reshape(B * T, H), core_W2.T, out=core_a2.reshape(B * T, (4*H)))
    # core_a2[b,u,i] += core_c2[i] for b < B, u < T
    core_a2 += core_c2
    # core_h2[b,0,i] = h0[b,i]
    core_h2 = ws.core_h2
    np.copyto(core_h2[:, 0], h0)
    # core_g2[b,u,i] += core_e2[i] for b < B, u < T
    core_g2 = ws.core_g2
    np.copyto(core_g2, core_e2)
    # core_s2[b,0,i] = c0[b,i]
    core_s2 = ws.core_s2
    np.copyto(core_s2[:, 0], c0)
    core_p2, t_1, core_a2_arg, core_m2, t_2 = ws.core_p2, ws.t_1, ws.core_a2_arg, ws.core_m2, ws.t_2
    core_a2_arg_2, core_f2, core_k2 = ws.core_a2_arg_2, ws.core_f2, ws.core_k2
    core_a2_arg_3, core_o2, core_q2 = ws.core_a2_arg_3, ws.core_o2, ws.core_q2
    core_s2_tanh = ws.core_s2_tanh
    for u in range(T):
        # core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
        np.copyto(core_p2[:, u], core_h2[:, u])
        np.copyto(core_p2[:, u], 0.0, where=start[:, None, u])
        # core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
        np.matmul(core_p2[:, u], core_U2.T, out=t_1)
        core_g2[:, u] += t_1
        # core_a2_arg[b,u,i] = core_a2[b,u,i] + core_g2[b,u,i] for i < H
        np.add(core_a2[:, u, :H], core_g2[:, u, :H], out=core_a2_arg[:, u])
        # core_m2[b,u,i] = sigmoid(core_a2_arg[b,u,i])
        _sigmoid(core_a2_arg[:, u], out=core_m2[:, u], scratch=ws.t_2)
        # core_a2_arg_2[b,u,i] = core_a2[b,u,i+H] + core_g2[b,u,i+H] for i < H
        np.add(core_a2[:, u, H:2*H], core_g2[:, u, H:2*H], out=core_a2_arg_2[:, u])
        # core_f2[b,u,i] = sigmoid(core_a2_arg_2[b,u,i])
        _sigmoid(core_a2_arg_2[:, u], out=core_f2[:, u], scratch=ws.t_2)
        # core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
        np.add(core_a2[:, u, 2*H:3*H], core_g2[:, u, 2*H:3*H], out=core_k2[:, u])
        np.tanh(core_k2[:, u], out=core_k2[:, u])
        # core_a2_arg_3[b,u,i] = core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H] for i < H
        np.add(core_a2[:, u, 3*H:4*H], core_g2[:, u, 3*H:4*H], out=core_a2_arg_3[:, u])
        # core_o2[b,u,i] = sigmoid(core_a2_arg_3[b,u,i])
        _sigmoid(core_a2_arg_3[:, u], out=core_o2[:, u], scratch=ws.t_2)
        # core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
        np.copyto(core_q2[:, u], core_s2[:, u])
        np.copyto(core_q2[:, u], 0.0, where=start[:, None, u])
        # core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
        np.multiply(core_f2[:, u], core_q2[:, u], out=core_s2[:, u+1])
        np.multiply(core_k2[:, u], core_m2[:, u], out=t_2)
        core_s2[:, u+1] += t_2
        # core_s2_tanh[b,u,i] = tanh(core_s2[b,u+1,i]) for b < B, u < T, i < H
        np.tanh(core_s2[:, u+1], out=core_s2_tanh[:, u])
        # core_h2[b,u+1,i] = core_o2[b,u,i]*core_s2_tanh[b,u,i]
        np.multiply(core_o2[:, u], core_s2_tanh[:, u], out=core_h2[:, u+1])
    # core[b,u,i] = core_h2[b,u+1,i] for u < T
    core = ws.core
    np.copyto(core, core_h2[:, 1:T+1])
    # v[b,t,i] += core[b,t,j]*v_W1[i,j]
    v = ws.v
    np.matmul(core.reshape(B * T, H), v_W1.T, out=v.reshape(B * T, 1))
    # v[b,t,i] += v_c1[i] for b < B, t < T
    v += v_c1
    return v


def value(
    params,
    *,
    obs,
    start,
    inside,
    h0,
    c0,
    action,
    old_logp,
    old_v,
    advantage,
    ret,
    reach=0.2,
    c_v=0.5,
    c_entropy=0.01,
    workspace=None,
):
    """The loss.

    obs: real[B, T, 4]
    start: bool[B, T]
    inside: bool[B, T]
    h0: real[B, H]
    c0: real[B, H]
    action: int[B, T] < 2
    old_logp: real[B, T]
    old_v: real[B, T]
    advantage: real[B, T]
    ret: real[B, T]
    reach: real > 0 = 0.2
    c_v: real = 0.5
    c_entropy: real = 0.01

    Returns (loss, aux); aux is a dict of approx_kl, clip_fraction.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 3)
    start = _boolean("start", start, 2)
    inside = _boolean("inside", inside, 2)
    h0 = _real("h0", h0, 2)
    c0 = _real("c0", c0, 2)
    action = _integer("action", action, 2)
    old_logp = _real("old_logp", old_logp, 2)
    old_v = _real("old_v", old_v, 2)
    advantage = _real("advantage", advantage, 2)
    ret = _real("ret", ret, 2)
    reach = dtype.type(_real("reach", reach, 0))
    c_v = dtype.type(_real("c_v", c_v, 0))
    c_entropy = dtype.type(_real("c_entropy", c_entropy, 0))
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    T = _length("T", "obs", obs, 1)
    _shape("obs", obs, (B, T, 4))
    _shape("start", start, (B, T))
    _shape("inside", inside, (B, T))
    _shape("h0", h0, (B, H))
    _shape("c0", c0, (B, H))
    _shape("action", action, (B, T))
    _shape("old_logp", old_logp, (B, T))
    _shape("old_v", old_v, (B, T))
    _shape("advantage", advantage, (B, T))
    _shape("ret", ret, (B, T))
    _below("action", action, 2)
    _positive("reach", reach)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, T=T, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    start = _fit(ws, "start", start, np.bool_)
    inside = _fit(ws, "inside", inside, np.bool_)
    h0 = _fit(ws, "h0", h0, dtype)
    c0 = _fit(ws, "c0", c0, dtype)
    action = _fit(ws, "action", action, np.intp)
    old_logp = _fit(ws, "old_logp", old_logp, dtype)
    old_v = _fit(ws, "old_v", old_v, dtype)
    advantage = _fit(ws, "advantage", advantage, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    core_W1, core_c1, core_W2 = params.core.W1, params.core.c1, params.core.W2
    core_U2, core_c2, core_e2 = params.core.U2, params.core.c2, params.core.e2
    policy_W1, policy_c1, v_W1, v_c1 = params.policy.W1, params.policy.c1, params.v.W1, params.v.c1
    # core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
    core_z1 = ws.core_z1
    np.matmul(obs.reshape(B * T, 4), core_W1.T, out=core_z1.reshape(B * T, H))
    # core_z1[b,t,i] += core_c1[i] for b < B, t < T
    core_z1 += core_c1
    # core_h1[b,t,i] = tanh(core_z1[b,t,i])
    core_h1 = np.tanh(core_z1, out=ws.core_h1)
    # core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
    core_a2 = ws.core_a2
    np.matmul(core_h1.reshape(B * T, H), core_W2.T, out=core_a2.reshape(B * T, (4*H)))
    # core_a2[b,u,i] += core_c2[i] for b < B, u < T
    core_a2 += core_c2
    # core_h2[b,0,i] = h0[b,i]
    core_h2 = ws.core_h2
    np.copyto(core_h2[:, 0], h0)
    # core_g2[b,u,i] += core_e2[i] for b < B, u < T
    core_g2 = ws.core_g2
    np.copyto(core_g2, core_e2)
    # core_s2[b,0,i] = c0[b,i]
    core_s2 = ws.core_s2
    np.copyto(core_s2[:, 0], c0)
    core_p2, t_2, core_a2_arg, core_m2, t_3 = ws.core_p2, ws.t_2, ws.core_a2_arg, ws.core_m2, ws.t_3
    core_a2_arg_2, core_f2, core_k2 = ws.core_a2_arg_2, ws.core_f2, ws.core_k2
    core_a2_arg_3, core_o2, core_q2 = ws.core_a2_arg_3, ws.core_o2, ws.core_q2
    core_s2_tanh = ws.core_s2_tanh
    for u in range(T):
        # core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
        np.copyto(core_p2[:, u], core_h2[:, u])
        np.copyto(core_p2[:, u], 0.0, where=start[:, None, u])
        # core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
        np.matmul(core_p2[:, u], core_U2.T, out=t_2)
        core_g2[:, u] += t_2
        # core_a2_arg[b,u,i] = core_a2[b,u,i] + core_g2[b,u,i] for i < H
        np.add(core_a2[:, u, :H], core_g2[:, u, :H], out=core_a2_arg[:, u])
        # core_m2[b,u,i] = sigmoid(core_a2_arg[b,u,i])
        _sigmoid(core_a2_arg[:, u], out=core_m2[:, u], scratch=ws.t_3)
        # core_a2_arg_2[b,u,i] = core_a2[b,u,i+H] + core_g2[b,u,i+H] for i < H
        np.add(core_a2[:, u, H:2*H], core_g2[:, u, H:2*H], out=core_a2_arg_2[:, u])
        # core_f2[b,u,i] = sigmoid(core_a2_arg_2[b,u,i])
        _sigmoid(core_a2_arg_2[:, u], out=core_f2[:, u], scratch=ws.t_3)
        # core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
        np.add(core_a2[:, u, 2*H:3*H], core_g2[:, u, 2*H:3*H], out=core_k2[:, u])
        np.tanh(core_k2[:, u], out=core_k2[:, u])
        # core_a2_arg_3[b,u,i] = core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H] for i < H
        np.add(core_a2[:, u, 3*H:4*H], core_g2[:, u, 3*H:4*H], out=core_a2_arg_3[:, u])
        # core_o2[b,u,i] = sigmoid(core_a2_arg_3[b,u,i])
        _sigmoid(core_a2_arg_3[:, u], out=core_o2[:, u], scratch=ws.t_3)
        # core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
        np.copyto(core_q2[:, u], core_s2[:, u])
        np.copyto(core_q2[:, u], 0.0, where=start[:, None, u])
        # core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
        np.multiply(core_f2[:, u], core_q2[:, u], out=core_s2[:, u+1])
        np.multiply(core_k2[:, u], core_m2[:, u], out=t_3)
        core_s2[:, u+1] += t_3
        # core_s2_tanh[b,u,i] = tanh(core_s2[b,u+1,i]) for b < B, u < T, i < H
        np.tanh(core_s2[:, u+1], out=core_s2_tanh[:, u])
        # core_h2[b,u+1,i] = core_o2[b,u,i]*core_s2_tanh[b,u,i]
        np.multiply(core_o2[:, u], core_s2_tanh[:, u], out=core_h2[:, u+1])
    # core[b,u,i] = core_h2[b,u+1,i] for u < T
    core = ws.core
    np.copyto(core, core_h2[:, 1:T+1])
    # policy[b,t,i] += core[b,t,j]*policy_W1[i,j]
    policy = ws.policy
    np.matmul(core.reshape(B * T, H), policy_W1.T, out=policy.reshape(B * T, 2))
    # policy[b,t,i] += policy_c1[i] for b < B, t < T
    policy += policy_c1
    # v[b,t,i] += core[b,t,j]*v_W1[i,j]
    v = ws.v
    np.matmul(core.reshape(B * T, H), v_W1.T, out=v.reshape(B * T, 1))
    # v[b,t,i] += v_c1[i] for b < B, t < T
    v += v_c1
    # categorical_log_prob_lse[b,t] = logsumexp(a: policy[b,t,a])
    categorical_log_prob_lse = _logsumexp(
        policy, out=ws.categorical_log_prob_lse, scratch=ws.t_4, total=ws.t_5
    )
    # categorical_log_prob[b,t] = policy[b,t,action[b,t]] - categorical_log_prob_lse[b,t]
    policy_at = _pick(policy, (ws.arange[:, None], ws.arange_2, action), out=ws.policy_at, at=ws.at)
    categorical_log_prob = np.subtract(
        policy_at, categorical_log_prob_lse, out=ws.categorical_log_prob
    )
    # v_t[b,t] = v[b,t,0]
    v_t = ws.v_t
    np.copyto(v_t, v[:, :, 0])
    # inside_where[b,t] = [inside[b,t] == 1]
    inside_where = ws.inside_where
    inside_where.fill(0.0)
    np.copyto(inside_where, 1.0, where=inside)
    # steps_sum += inside_where[b,t]
    steps_sum = np.sum(inside_where)
    # steps = maximum(steps_sum, 1)
    steps = np.maximum(steps_sum, 1.0)
    # policy_where[b,t,a] = where(-inf < policy[b,t,a], policy[b,t,a] -
    #     categorical_log_prob_lse[b,t], 0)
    t_6 = np.greater(policy, -np.inf, out=ws.t_6)
    policy_where = ws.policy_where
    policy_where.fill(0.0)
    np.subtract(policy, categorical_log_prob_lse[..., None], out=policy_where, where=t_6)
    # policy_softmax[b,t,a] = expdiff(policy[b,t,a], categorical_log_prob_lse[b,t])
    policy_softmax = _expdiff(policy, categorical_log_prob_lse[..., None], out=ws.policy_softmax)
    # categorical_entropy[b,t] += -policy_softmax[b,t,a]*policy_where[b,t,a]
    t_7 = np.multiply(policy_softmax, policy_where, out=ws.t_7)
    categorical_entropy = np.sum(t_7, axis=2, out=ws.categorical_entropy)
    np.negative(categorical_entropy, out=categorical_entropy)
    # inside_where_2[b,t] = where(inside[b,t] == 1, categorical_entropy[b,t], 0)
    inside_where_2 = ws.inside_where_2
    inside_where_2.fill(0.0)
    np.copyto(inside_where_2, categorical_entropy, where=inside)
    # entropy_sum += inside_where_2[b,t]
    entropy_sum = np.sum(inside_where_2)
    # entropy = entropy_sum/steps
    entropy = entropy_sum / steps
    # r[b,t] = exp(categorical_log_prob[b,t] - stop(old_logp[b,t]))
    t_1 = np.subtract(categorical_log_prob, old_logp, out=ws.t_1)
    r = np.exp(t_1, out=ws.r)
    # A[b,t] = stop(advantage[b,t])
    A = ws.A
    np.copyto(A, advantage)
    # inside_where_3[b,t] = where(inside[b,t] == 1, -minimum(A[b,t]*r[b,t], A[b,t]*clip(r[b,t], 1 -
    #     reach, 1 + reach)), 0)
    inside_where_3 = ws.inside_where_3
    inside_where_3.fill(0.0)
    np.multiply(A, r, out=inside_where_3, where=inside)
    t_5 = np.clip(r, 1.0 - reach, 1.0 + reach, out=ws.t_5, where=inside)
    np.multiply(t_5, A, out=t_5, where=inside)
    np.minimum(inside_where_3, t_5, out=inside_where_3, where=inside)
    np.negative(inside_where_3, out=inside_where_3, where=inside)
    # ppo_clip_sum += inside_where_3[b,t]
    ppo_clip_sum = np.sum(inside_where_3)
    # ppo_clip = ppo_clip_sum/steps
    ppo_clip = ppo_clip_sum / steps
    # v_t_arg[b,t] = v_t[b,t] - stop(old_v[b,t])
    v_t_arg = np.subtract(v_t, old_v, out=ws.v_t_arg)
    # reach_arg = -reach
    reach_arg = -reach
    # v_t_arg_clip[b,t] = clip(v_t_arg[b,t], reach_arg, reach)
    v_t_arg_clip = np.clip(v_t_arg, reach_arg, reach, out=ws.v_t_arg_clip)
    # near[b,t] = stop(old_v[b,t]) + v_t_arg_clip[b,t]
    near = np.add(old_v, v_t_arg_clip, out=ws.near)
    # inside_where_4[b,t] = where(inside[b,t] == 1, 0.5*maximum((v_t[b,t] - stop(ret[b,t]))**2,
    #     (near[b,t] - stop(ret[b,t]))**2), 0)
    inside_where_4 = ws.inside_where_4
    inside_where_4.fill(0.0)
    np.subtract(v_t, ret, out=inside_where_4, where=inside)
    np.square(inside_where_4, out=inside_where_4, where=inside)
    np.subtract(near, ret, out=t_5, where=inside)
    np.square(t_5, out=t_5, where=inside)
    np.maximum(inside_where_4, t_5, out=inside_where_4, where=inside)
    np.multiply(inside_where_4, 0.5, out=inside_where_4, where=inside)
    # ppo_value_sum += inside_where_4[b,t]
    ppo_value_sum = np.sum(inside_where_4)
    # ppo_value = ppo_value_sum/steps
    ppo_value = ppo_value_sum / steps
    # loss = c_v*ppo_value + ppo_clip - c_entropy*entropy
    loss = c_v * ppo_value + ppo_clip - c_entropy * entropy
    # far[b,t] = categorical_log_prob[b,t] - old_logp[b,t]
    # inside_where_5[b,t] = where(inside[b,t] == 1, expm1(far[b,t]) - far[b,t], 0)
    inside_where_5 = ws.inside_where_5
    inside_where_5.fill(0.0)
    np.expm1(t_1, out=inside_where_5, where=inside)
    np.subtract(inside_where_5, t_1, out=inside_where_5, where=inside)
    # approx_kl_sum += inside_where_5[b,t]
    approx_kl_sum = np.sum(inside_where_5)
    # approx_kl = approx_kl_sum/steps
    approx_kl = approx_kl_sum / steps
    # inside_where_6[b,t] = where(inside[b,t] == 1, [reach < abs(expm1(far[b,t]))], 0)
    inside_where_6 = ws.inside_where_6
    inside_where_6.fill(0.0)
    np.expm1(t_1, out=t_1, where=inside)
    np.abs(t_1, out=t_1, where=inside)
    t_8 = np.greater(t_1, reach, out=ws.t_8, where=inside)
    np.copyto(inside_where_6, 0.0, where=inside)
    np.logical_and(inside, t_8, out=t_8)
    np.copyto(inside_where_6, 1.0, where=t_8)
    # clip_fraction_sum += inside_where_6[b,t]
    clip_fraction_sum = np.sum(inside_where_6)
    # clip_fraction = clip_fraction_sum/steps
    clip_fraction = clip_fraction_sum / steps
    return loss, {"approx_kl": approx_kl, "clip_fraction": clip_fraction}


def value_and_grad(
    params,
    *,
    obs,
    start,
    inside,
    h0,
    c0,
    action,
    old_logp,
    old_v,
    advantage,
    ret,
    reach=0.2,
    c_v=0.5,
    c_entropy=0.01,
    workspace=None,
):
    """The loss and its gradient by core, policy, v.

    obs: real[B, T, 4]
    start: bool[B, T]
    inside: bool[B, T]
    h0: real[B, H]
    c0: real[B, H]
    action: int[B, T] < 2
    old_logp: real[B, T]
    old_v: real[B, T]
    advantage: real[B, T]
    ret: real[B, T]
    reach: real > 0 = 0.2
    c_v: real = 0.5
    c_entropy: real = 0.01

    Returns ((loss, aux), gradient); aux is a dict of approx_kl, clip_fraction.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 3)
    start = _boolean("start", start, 2)
    inside = _boolean("inside", inside, 2)
    h0 = _real("h0", h0, 2)
    c0 = _real("c0", c0, 2)
    action = _integer("action", action, 2)
    old_logp = _real("old_logp", old_logp, 2)
    old_v = _real("old_v", old_v, 2)
    advantage = _real("advantage", advantage, 2)
    ret = _real("ret", ret, 2)
    reach = dtype.type(_real("reach", reach, 0))
    c_v = dtype.type(_real("c_v", c_v, 0))
    c_entropy = dtype.type(_real("c_entropy", c_entropy, 0))
    H = params._sizes["H"]
    B = _length("B", "obs", obs, 0)
    T = _length("T", "obs", obs, 1)
    _shape("obs", obs, (B, T, 4))
    _shape("start", start, (B, T))
    _shape("inside", inside, (B, T))
    _shape("h0", h0, (B, H))
    _shape("c0", c0, (B, H))
    _shape("action", action, (B, T))
    _shape("old_logp", old_logp, (B, T))
    _shape("old_v", old_v, (B, T))
    _shape("advantage", advantage, (B, T))
    _shape("ret", ret, (B, T))
    _below("action", action, 2)
    _positive("reach", reach)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, T=T, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    start = _fit(ws, "start", start, np.bool_)
    inside = _fit(ws, "inside", inside, np.bool_)
    h0 = _fit(ws, "h0", h0, dtype)
    c0 = _fit(ws, "c0", c0, dtype)
    action = _fit(ws, "action", action, np.intp)
    old_logp = _fit(ws, "old_logp", old_logp, dtype)
    old_v = _fit(ws, "old_v", old_v, dtype)
    advantage = _fit(ws, "advantage", advantage, dtype)
    ret = _fit(ws, "ret", ret, dtype)
    grads = ws.grads
    core_W1, core_c1, core_W2 = params.core.W1, params.core.c1, params.core.W2
    core_U2, core_c2, core_e2 = params.core.U2, params.core.c2, params.core.e2
    policy_W1, policy_c1, v_W1, v_c1 = params.policy.W1, params.policy.c1, params.v.W1, params.v.c1
    # core_z1[b,t,i] += core_W1[i,j]*obs[b,t,j]
    core_z1 = ws.core_z1
    np.matmul(obs.reshape(B * T, 4), core_W1.T, out=core_z1.reshape(B * T, H))
    # core_z1[b,t,i] += core_c1[i] for b < B, t < T
    core_z1 += core_c1
    # core_h1[b,t,i] = tanh(core_z1[b,t,i])
    core_h1 = np.tanh(core_z1, out=ws.core_h1)
    # core_a2[b,u,i] += core_W2[i,j]*core_h1[b,u,j]
    core_a2 = ws.core_a2
    np.matmul(core_h1.reshape(B * T, H), core_W2.T, out=core_a2.reshape(B * T, (4*H)))
    # core_a2[b,u,i] += core_c2[i] for b < B, u < T
    core_a2 += core_c2
    # core_h2[b,0,i] = h0[b,i]
    core_h2 = ws.core_h2
    np.copyto(core_h2[:, 0], h0)
    # core_g2[b,u,i] += core_e2[i] for b < B, u < T
    core_g2 = ws.core_g2
    np.copyto(core_g2, core_e2)
    # core_s2[b,0,i] = c0[b,i]
    core_s2 = ws.core_s2
    np.copyto(core_s2[:, 0], c0)
    core_p2, t_2, core_a2_arg, core_m2, t_3 = ws.core_p2, ws.t_2, ws.core_a2_arg, ws.core_m2, ws.t_3
    core_a2_arg_2, core_f2, core_k2 = ws.core_a2_arg_2, ws.core_f2, ws.core_k2
    core_a2_arg_3, core_o2, core_q2 = ws.core_a2_arg_3, ws.core_o2, ws.core_q2
    core_s2_tanh = ws.core_s2_tanh
    for u in range(T):
        # core_p2[b,u,i] = where(start[b,u] == 1, 0, core_h2[b,u,i])
        np.copyto(core_p2[:, u], core_h2[:, u])
        np.copyto(core_p2[:, u], 0.0, where=start[:, None, u])
        # core_g2[b,u,i] += core_U2[i,j]*core_p2[b,u,j] for b < B, u < T
        np.matmul(core_p2[:, u], core_U2.T, out=t_2)
        core_g2[:, u] += t_2
        # core_a2_arg[b,u,i] = core_a2[b,u,i] + core_g2[b,u,i] for i < H
        np.add(core_a2[:, u, :H], core_g2[:, u, :H], out=core_a2_arg[:, u])
        # core_m2[b,u,i] = sigmoid(core_a2_arg[b,u,i])
        _sigmoid(core_a2_arg[:, u], out=core_m2[:, u], scratch=ws.t_3)
        # core_a2_arg_2[b,u,i] = core_a2[b,u,i+H] + core_g2[b,u,i+H] for i < H
        np.add(core_a2[:, u, H:2*H], core_g2[:, u, H:2*H], out=core_a2_arg_2[:, u])
        # core_f2[b,u,i] = sigmoid(core_a2_arg_2[b,u,i])
        _sigmoid(core_a2_arg_2[:, u], out=core_f2[:, u], scratch=ws.t_3)
        # core_k2[b,u,i] = tanh(core_a2[b,u,i+2*H] + core_g2[b,u,i+2*H]) for i < H
        np.add(core_a2[:, u, 2*H:3*H], core_g2[:, u, 2*H:3*H], out=core_k2[:, u])
        np.tanh(core_k2[:, u], out=core_k2[:, u])
        # core_a2_arg_3[b,u,i] = core_a2[b,u,i+3*H] + core_g2[b,u,i+3*H] for i < H
        np.add(core_a2[:, u, 3*H:4*H], core_g2[:, u, 3*H:4*H], out=core_a2_arg_3[:, u])
        # core_o2[b,u,i] = sigmoid(core_a2_arg_3[b,u,i])
        _sigmoid(core_a2_arg_3[:, u], out=core_o2[:, u], scratch=ws.t_3)
        # core_q2[b,u,i] = where(start[b,u] == 1, 0, core_s2[b,u,i])
        np.copyto(core_q2[:, u], core_s2[:, u])
        np.copyto(core_q2[:, u], 0.0, where=start[:, None, u])
        # core_s2[b,u+1,i] = core_f2[b,u,i]*core_q2[b,u,i] + core_k2[b,u,i]*core_m2[b,u,i]
        np.multiply(core_f2[:, u], core_q2[:, u], out=core_s2[:, u+1])
        np.multiply(core_k2[:, u], core_m2[:, u], out=t_3)
        core_s2[:, u+1] += t_3
        # core_s2_tanh[b,u,i] = tanh(core_s2[b,u+1,i]) for b < B, u < T, i < H
        np.tanh(core_s2[:, u+1], out=core_s2_tanh[:, u])
        # core_h2[b,u+1,i] = core_o2[b,u,i]*core_s2_tanh[b,u,i]
        np.multiply(core_o2[:, u], core_s2_tanh[:, u], out=core_h2[:, u+1])
    # core[b,u,i] = core_h2[b,u+1,i] for u < T
    core = ws.core
    np.copyto(core, core_h2[:, 1:T+1])
    # policy[b,t,i] += core[b,t,j]*policy_W1[i,j]
    policy = ws.policy
    np.matmul(core.reshape(B * T, H), policy_W1.T, out=policy.reshape(B * T, 2))
    # policy[b,t,i] += policy_c1[i] for b < B, t < T
    policy += policy_c1
    # v[b,t,i] += core[b,t,j]*v_W1[i,j]
    v = ws.v
    np.matmul(core.reshape(B * T, H), v_W1.T, out=v.reshape(B * T, 1))
    # v[b,t,i] += v_c1[i] for b < B, t < T
    v += v_c1
    # categorical_log_prob_lse[b,t] = logsumexp(a: policy[b,t,a])
    categorical_log_prob_lse = _logsumexp(
        policy, out=ws.categorical_log_prob_lse, scratch=ws.t_4, total=ws.t_5
    )
    # categorical_log_prob[b,t] = policy[b,t,action[b,t]] - categorical_log_prob_lse[b,t]
    policy_at = _pick(policy, (ws.arange[:, None], ws.arange_2, action), out=ws.policy_at, at=ws.at)
    categorical_log_prob = np.subtract(
        policy_at, categorical_log_prob_lse, out=ws.categorical_log_prob
    )
    # v_t[b,t] = v[b,t,0]
    v_t = ws.v_t
    np.copyto(v_t, v[:, :, 0])
    # inside_where[b,t] = [inside[b,t] == 1]
    inside_where = ws.inside_where
    inside_where.fill(0.0)
    np.copyto(inside_where, 1.0, where=inside)
    # steps_sum += inside_where[b,t]
    steps_sum = np.sum(inside_where)
    # steps = maximum(steps_sum, 1)
    steps = np.maximum(steps_sum, 1.0)
    # policy_where[b,t,a] = where(-inf < policy[b,t,a], policy[b,t,a] -
    #     categorical_log_prob_lse[b,t], 0)
    t_6 = np.greater(policy, -np.inf, out=ws.t_6)
    policy_where = ws.policy_where
    policy_where.fill(0.0)
    np.subtract(policy, categorical_log_prob_lse[..., None], out=policy_where, where=t_6)
    # policy_softmax[b,t,a] = expdiff(policy[b,t,a], categorical_log_prob_lse[b,t])
    policy_softmax = _expdiff(policy, categorical_log_prob_lse[..., None], out=ws.policy_softmax)
    # categorical_entropy[b,t] += -policy_softmax[b,t,a]*policy_where[b,t,a]
    t_7 = np.multiply(policy_softmax, policy_where, out=ws.t_7)
    categorical_entropy = np.sum(t_7, axis=2, out=ws.categorical_entropy)
    np.negative(categorical_entropy, out=categorical_entropy)
    # inside_where_2[b,t] = where(inside[b,t] == 1, categorical_entropy[b,t], 0)
    inside_where_2 = ws.inside_where_2
    inside_where_2.fill(0.0)
    np.copyto(inside_where_2, categorical_entropy, where=inside)
    # entropy_sum += inside_where_2[b,t]
    entropy_sum = np.sum(inside_where_2)
    # entropy = entropy_sum/steps
    entropy = entropy_sum / steps
    # r[b,t] = exp(categorical_log_prob[b,t] - stop(old_logp[b,t]))
    t_1 = np.subtract(categorical_log_prob, old_logp, out=ws.t_1)
    r = np.exp(t_1, out=ws.r)
    # A[b,t] = stop(advantage[b,t])
    A = ws.A
    np.copyto(A, advantage)
    # inside_where_3[b,t] = where(inside[b,t] == 1, -minimum(A[b,t]*r[b,t], A[b,t]*clip(r[b,t], 1 -
    #     reach, 1 + reach)), 0)
    inside_where_3 = ws.inside_where_3
    inside_where_3.fill(0.0)
    np.multiply(A, r, out=inside_where_3, where=inside)
    t_8 = np.clip(r, 1.0 - reach, 1.0 + reach, out=ws.t_8, where=inside)
    np.multiply(t_8, A, out=t_8, where=inside)
    np.minimum(inside_where_3, t_8, out=inside_where_3, where=inside)
    np.negative(inside_where_3, out=inside_where_3, where=inside)
    # ppo_clip_sum += inside_where_3[b,t]
    ppo_clip_sum = np.sum(inside_where_3)
    # ppo_clip = ppo_clip_sum/steps
    ppo_clip = ppo_clip_sum / steps
    # v_t_arg[b,t] = v_t[b,t] - stop(old_v[b,t])
    v_t_arg = np.subtract(v_t, old_v, out=ws.v_t_arg)
    # reach_arg = -reach
    reach_arg = -reach
    # v_t_arg_clip[b,t] = clip(v_t_arg[b,t], reach_arg, reach)
    v_t_arg_clip = np.clip(v_t_arg, reach_arg, reach, out=ws.v_t_arg_clip)
    # near[b,t] = stop(old_v[b,t]) + v_t_arg_clip[b,t]
    near = np.add(old_v, v_t_arg_clip, out=ws.near)
    # inside_where_4[b,t] = where(inside[b,t] == 1, 0.5*maximum((v_t[b,t] - stop(ret[b,t]))**2,
    #     (near[b,t] - stop(ret[b,t]))**2), 0)
    inside_where_4 = ws.inside_where_4
    inside_where_4.fill(0.0)
    np.subtract(v_t, ret, out=inside_where_4, where=inside)
    np.square(inside_where_4, out=inside_where_4, where=inside)
    t_9 = np.subtract(near, ret, out=ws.t_9, where=inside)
    np.square(t_9, out=t_9, where=inside)
    np.maximum(inside_where_4, t_9, out=inside_where_4, where=inside)
    np.multiply(inside_where_4, 0.5, out=inside_where_4, where=inside)
    # ppo_value_sum += inside_where_4[b,t]
    ppo_value_sum = np.sum(inside_where_4)
    # ppo_value = ppo_value_sum/steps
    ppo_value = ppo_value_sum / steps
    # loss = c_v*ppo_value + ppo_clip - c_entropy*entropy
    loss = c_v * ppo_value + ppo_clip - c_entropy * entropy
    # far[b,t] = categorical_log_prob[b,t] - old_logp[b,t]
    # inside_where_5[b,t] = where(inside[b,t] == 1, expm1(far[b,t]) - far[b,t], 0)
    inside_where_5 = ws.inside_where_5
    inside_where_5.fill(0.0)
    np.expm1(t_1, out=inside_where_5, where=inside)
    np.subtract(inside_where_5, t_1, out=inside_where_5, where=inside)
    # approx_kl_sum += inside_where_5[b,t]
    approx_kl_sum = np.sum(inside_where_5)
    # approx_kl = approx_kl_sum/steps
    approx_kl = approx_kl_sum / steps
    # inside_where_6[b,t] = where(inside[b,t] == 1, [reach < abs(expm1(far[b,t]))], 0)
    inside_where_6 = ws.inside_where_6
    inside_where_6.fill(0.0)
    np.expm1(t_1, out=t_1, where=inside)
    np.abs(t_1, out=t_1, where=inside)
    t_10 = np.greater(t_1, reach, out=ws.t_10, where=inside)
    np.copyto(inside_where_6, 0.0, where=inside)
    np.logical_and(inside, t_10, out=t_10)
    np.copyto(inside_where_6, 1.0, where=t_10)
    # clip_fraction_sum += inside_where_6[b,t]
    clip_fraction_sum = np.sum(inside_where_6)
    # clip_fraction = clip_fraction_sum/steps
    clip_fraction = clip_fraction_sum / steps
    # dentropy = -c_entropy
    dentropy = -c_entropy
    # dppo_value_sum = c_v/steps
    dppo_value_sum = c_v / steps
    # dinside_where_4[b,t] = dppo_value_sum for b < B, t < T
    dinside_where_4 = ws.dinside_where_4
    dinside_where_4.fill(dppo_value_sum)
    # dnear[b,t] = where(inside[b,t] == 1, where((near[b,t] - stop(ret[b,t]))**2 <= (v_t[b,t] -
    #     stop(ret[b,t]))**2, 0, dinside_where_4[b,t]*(near[b,t] - stop(ret[b,t]))), 0)
    dnear = ws.dnear
    dnear.fill(0.0)
    np.subtract(near, ret, out=t_9, where=inside)
    np.square(t_9, out=t_9, where=inside)
    t_11 = np.subtract(v_t, ret, out=ws.t_11, where=inside)
    np.square(t_11, out=t_11, where=inside)
    np.less_equal(t_9, t_11, out=t_10, where=inside)
    np.copyto(dnear, 0.0, where=inside)
    np.logical_not(t_10, out=t_10)
    np.logical_and(inside, t_10, out=t_10)
    np.subtract(near, ret, out=dnear, where=t_10)
    np.multiply(dnear, dinside_where_4, out=dnear, where=t_10)
    # inside_where_7[b,t] = where(inside[b,t] == 1, where((near[b,t] - stop(ret[b,t]))**2 <=
    #     (v_t[b,t] - stop(ret[b,t]))**2, dinside_where_4[b,t]*(v_t[b,t] - stop(ret[b,t])), 0), 0)
    inside_where_7 = ws.inside_where_7
    inside_where_7.fill(0.0)
    np.subtract(near, ret, out=t_8, where=inside)
    np.square(t_8, out=t_8, where=inside)
    np.subtract(v_t, ret, out=t_11, where=inside)
    np.square(t_11, out=t_11, where=inside)
    np.less_equal(t_8, t_11, out=t_10, where=inside)
    np.copyto(inside_where_7, 0.0, where=inside)
    np.logical_and(inside, t_10, out=t_10)
    np.subtract(v_t, ret, out=inside_where_7, where=t_10)
    np.multiply(inside_where_7, dinside_where_4, out=inside_where_7, where=t_10)
    # dv_t[b,t] += inside_where_7[b,t]
    dv_t = ws.dv_t
    np.copyto(dv_t, inside_where_7)
    # dv_t_arg[b,t] = where(v_t_arg[b,t] < reach_arg, 0, where(reach < v_t_arg[b,t], 0, dnear[b,t]))
    np.less(v_t_arg, reach_arg, out=t_10)
    t_12 = np.greater(v_t_arg, reach, out=ws.t_12)
    dv_t_arg = ws.dv_t_arg
    np.copyto(dv_t_arg, dnear)
    np.copyto(dv_t_arg, 0.0, where=t_12)
    np.copyto(dv_t_arg, 0.0, where=t_10)
    # dv_t[b,t] += dv_t_arg[b,t]
    dv_t += dv_t_arg
    # dppo_clip_sum = 1/steps
    dppo_clip_sum = 1.0 / steps
    # dinside_where_3[b,t] = dppo_clip_sum for b < B, t < T
    dinside_where_3 = ws.dinside_where_3
    dinside_where_3.fill(dppo_clip_sum)
    # dr[b,t] = where(inside[b,t] == 1, -dinside_where_3[b,t]*(A[b,t]*[A[b,t]*r[b,t] <=
    #     A[b,t]*clip(r[b,t], 1 - reach, 1 + reach)] + A[b,t]*where(A[b,t]*r[b,t] <=
    #     A[b,t]*clip(r[b,t], 1 - reach, 1 + reach), 0, 1)*where(r[b,t] < 1 - reach, 0, where(1 +
    #     reach < r[b,t], 0, 1))), 0)
    dr = ws.dr
    dr.fill(0.0)
    np.multiply(A, r, out=t_8, where=inside)
    t_13 = np.clip(r, 1.0 - reach, 1.0 + reach, out=ws.t_13, where=inside)
    np.multiply(t_13, A, out=t_13, where=inside)
    np.less_equal(t_8, t_13, out=t_10, where=inside)
    np.copyto(dr, 0.0, where=inside)
    np.logical_and(inside, t_10, out=t_10)
    np.copyto(dr, 1.0, where=t_10)
    np.multiply(dr, A, out=dr, where=inside)
    np.less(r, 1.0 - reach, out=t_10)
    np.greater(r, 1.0 + reach, out=t_12)
    np.copyto(t_8, 1.0, where=inside)
    np.logical_and(inside, t_12, out=t_12)
    np.copyto(t_8, 0.0, where=t_12)
    np.logical_and(inside, t_10, out=t_10)
    np.copyto(t_8, 0.0, where=t_10)
    np.multiply(A, r, out=t_13, where=inside)
    np.clip(r, 1.0 - reach, 1.0 + reach, out=t_9, where=inside)
    np.multiply(t_9, A, out=t_9, where=inside)
    np.less_equal(t_13, t_9, out=t_10, where=inside)
    np.copyto(t_13, 1.0, where=inside)
    np.logical_and(inside, t_10, out=t_10)
    np.copyto(t_13, 0.0, where=t_10)
    np.multiply(t_8, t_13, out=t_8, where=inside)
    np.multiply(t_8, A, out=t_8, where=inside)
    np.add(dr, t_8, out=dr, where=inside)
    np.multiply(dr, dinside_where_3, out=dr, where=inside)
    np.negative(dr, out=dr, where=inside)
    # dcategorical_log_prob[b,t] = dr[b,t]*r[b,t]
    dcategorical_log_prob = np.multiply(dr, r, out=ws.dcategorical_log_prob)
    # dentropy_sum = dentropy/steps
    dentropy_sum = dentropy / steps
    # dinside_where_2[b,t] = dentropy_sum for b < B, t < T
    dinside_where_2 = ws.dinside_where_2
    dinside_where_2.fill(dentropy_sum)
    # dcategorical_entropy[b,t] = where(inside[b,t] == 1, dinside_where_2[b,t], 0)
    dcategorical_entropy = ws.dcategorical_entropy
    dcategorical_entropy.fill(0.0)
    np.copyto(dcategorical_entropy, dinside_where_2, where=inside)
    # dpolicy_softmax[b,t,a] = -dcategorical_entropy[b,t]*policy_where[b,t,a]
    dpolicy_softmax = np.multiply(
        dcategorical_entropy[..., None], policy_where, out=ws.dpolicy_softmax
    )
    np.negative(dpolicy_softmax, out=dpolicy_softmax)
    # dpolicy_where[b,t,a] = -dcategorical_entropy[b,t]*policy_softmax[b,t,a]
    dpolicy_where = np.multiply(
        dcategorical_entropy[..., None], policy_softmax, out=ws.dpolicy_where
    )
    np.negative(dpolicy_where, out=dpolicy_where)
    # dcategorical_log_prob_lse[b,t] += -dpolicy_softmax[b,t,a]*policy_softmax[b,t,a]
    np.multiply(dpolicy_softmax, policy_softmax, out=t_7)
    dcategorical_log_prob_lse = np.sum(t_7, axis=2, out=ws.dcategorical_log_prob_lse)
    np.negative(dcategorical_log_prob_lse, out=dcategorical_log_prob_lse)
    # dpolicy[b,t,a] += dpolicy_softmax[b,t,a]*policy_softmax[b,t,a]
    # policy_where_2[b,t,a] = where(-inf < policy[b,t,a], -dpolicy_where[b,t,a], 0)
    policy_where_2 = ws.policy_where_2
    policy_where_2.fill(0.0)
    np.negative(dpolicy_where, out=policy_where_2, where=t_6)
    # dcategorical_log_prob_lse[b,t] += policy_where_2[b,t,a]
    dcategorical_log_prob_lse += np.sum(policy_where_2, axis=2, out=ws.t_14)
    # policy_where_3[b,t,a] = where(-inf < policy[b,t,a], dpolicy_where[b,t,a], 0)
    policy_where_3 = ws.policy_where_3
    policy_where_3.fill(0.0)
    np.copyto(policy_where_3, dpolicy_where, where=t_6)
    # dpolicy[b,t,a] += policy_where_3[b,t,a]
    dpolicy = np.add(t_7, policy_where_3, out=ws.dpolicy)
    # dv[b,t,0] += dv_t[b,t]
    dv = ws.dv
    np.copyto(dv[:, :, 0], dv_t)
    # dcategorical_log_prob_lse[b,t] += -dcategorical_log_prob[b,t]
    dcategorical_log_prob_lse -= dcategorical_log_prob
    # dpolicy[b,t,action[b,t]] += dcategorical_log_prob[b,t]
    _add_at(
        dpolicy,
        (ws.arange[:, None], ws.arange_2, action),
        dcategorical_log_prob,
        at=ws.at,
        scratch=ws.t_1,
    )
    # dpolicy[b,t,a] += dcategorical_log_prob_lse[b,t]*policy_softmax[b,t,a]
    t_4 = np.multiply(dcategorical_log_prob_lse[..., None], policy_softmax, out=ws.t_4)
    dpolicy += t_4
    # dv_c1[i] += dv[b,t,i]
    np.sum(dv, axis=(0, 1), out=grads.v.c1)
    # dcore[b,t,j] += dv[b,t,i]*v_W1[i,j]
    dcore = ws.dcore
    np.matmul(dv.reshape(B * T, 1), v_W1, out=dcore.reshape(B * T, H))
    # dv_W1[i,j] += dv[b,t,i]*core[b,t,j]
    np.matmul(dv.reshape(B * T, 1).T, core.reshape(B * T, H), out=grads.v.W1)
    # dpolicy_c1[i] += dpolicy[b,t,i]
    np.sum(dpolicy, axis=(0, 1), out=grads.policy.c1)
    # dcore[b,t,j] += dpolicy[b,t,i]*policy_W1[i,j]
    t_15 = ws.t_15
    np.matmul(dpolicy.reshape(B * T, 2), policy_W1, out=t_15.reshape(B * T, H))
    dcore += t_15
    # dpolicy_W1[i,j] += dpolicy[b,t,i]*core[b,t,j]
    np.matmul(dpolicy.reshape(B * T, 2).T, core.reshape(B * T, H), out=grads.policy.W1)
    dcore_h2 = ws.dcore_h2
    dcore_h2.fill(0.0)
    # dcore_h2[b,u+1,i] += dcore[b,u,i]
    np.copyto(dcore_h2[:, 1:T+1], dcore)
    # core_a2_arg_3_arg[b,u,i] = -core_a2_arg_3[b,u,i]
    core_a2_arg_3_arg = np.negative(core_a2_arg_3, out=ws.core_a2_arg_3_arg)
    # core_a2_arg_3_arg_sigmoid[b,u,i] = sigmoid(core_a2_arg_3_arg[b,u,i])
    core_a2_arg_3_arg_sigmoid = _sigmoid(
        core_a2_arg_3_arg, out=ws.core_a2_arg_3_arg_sigmoid, scratch=ws.t_16
    )
    # core_a2_arg_2_arg[b,u,i] = -core_a2_arg_2[b,u,i]
    core_a2_arg_2_arg = np.negative(core_a2_arg_2, out=ws.core_a2_arg_2_arg)
    # core_a2_arg_2_arg_sigmoid[b,u,i] = sigmoid(core_a2_arg_2_arg[b,u,i])
    core_a2_arg_2_arg_sigmoid = _sigmoid(
        core_a2_arg_2_arg, out=ws.core_a2_arg_2_arg_sigmoid, scratch=ws.t_16
    )
    # core_a2_arg_arg[b,u,i] = -core_a2_arg[b,u,i]
    core_a2_arg_arg = np.negative(core_a2_arg, out=ws.core_a2_arg_arg)
    # core_a2_arg_arg_sigmoid[b,u,i] = sigmoid(core_a2_arg_arg[b,u,i])
    core_a2_arg_arg_sigmoid = _sigmoid(
        core_a2_arg_arg, out=ws.core_a2_arg_arg_sigmoid, scratch=ws.t_16
    )
    dcore_s2 = ws.dcore_s2
    dcore_s2.fill(0.0)
    dcore_g2 = ws.dcore_g2
    dcore_g2.fill(0.0)
    dcore_o2, dcore_s2_tanh, dcore_f2 = ws.dcore_o2, ws.dcore_s2_tanh, ws.dcore_f2
    dcore_k2, dcore_m2, dcore_q2 = ws.dcore_k2, ws.dcore_m2, ws.dcore_q2
    start_where, dcore_a2_arg_3 = ws.start_where, ws.dcore_a2_arg_3
    dcore_a2_arg_2, dcore_a2_arg, dcore_p2 = ws.dcore_a2_arg_2, ws.dcore_a2_arg, ws.dcore_p2
    start_where_2 = ws.start_where_2
    for u in reversed(range(T)):
        # dcore_o2[b,u,i] = dcore_h2[b,u+1,i]*core_s2_tanh[b,u,i]
        np.multiply(core_s2_tanh[:, u], dcore_h2[:, u+1], out=dcore_o2[:, u])
        # dcore_s2_tanh[b,u,i] = dcore_h2[b,u+1,i]*core_o2[b,u,i]
        np.multiply(core_o2[:, u], dcore_h2[:, u+1], out=dcore_s2_tanh[:, u])
        # dcore_s2[b,u+1,i] += dcore_s2_tanh[b,u,i]*(1 - core_s2_tanh[b,u,i]**2)
        np.square(core_s2_tanh[:, u], out=t_3)
        np.subtract(1.0, t_3, out=t_3)
        t_3 *= dcore_s2_tanh[:, u]
        dcore_s2[:, u+1] += t_3
        # dcore_f2[b,u,i] = dcore_s2[b,u+1,i]*core_q2[b,u,i]
        np.multiply(core_q2[:, u], dcore_s2[:, u+1], out=dcore_f2[:, u])
        # dcore_k2[b,u,i] = dcore_s2[b,u+1,i]*core_m2[b,u,i]
        np.multiply(core_m2[:, u], dcore_s2[:, u+1], out=dcore_k2[:, u])
        # dcore_m2[b,u,i] = dcore_s2[b,u+1,i]*core_k2[b,u,i]
        np.multiply(core_k2[:, u], dcore_s2[:, u+1], out=dcore_m2[:, u])
        # dcore_q2[b,u,i] = dcore_s2[b,u+1,i]*core_f2[b,u,i]
        np.multiply(core_f2[:, u], dcore_s2[:, u+1], out=dcore_q2[:, u])
        # start_where[b,u,i] = where(start[b,u] == 1, 0, dcore_q2[b,u,i])
        np.copyto(start_where[:, u], dcore_q2[:, u])
        np.copyto(start_where[:, u], 0.0, where=start[:, None, u])
        # dcore_s2[b,u,i] += start_where[b,u,i]
        dcore_s2[:, u] += start_where[:, u]
        # dcore_a2_arg_3[b,u,i] = dcore_o2[b,u,i]*core_a2_arg_3_arg_sigmoid[b,u,i]*core_o2[b,u,i]
        np.multiply(core_a2_arg_3_arg_sigmoid[:, u], core_o2[:, u], out=dcore_a2_arg_3[:, u])
        dcore_a2_arg_3[:, u] *= dcore_o2[:, u]
        # dcore_g2[b,u,i+2*H] += dcore_k2[b,u,i]*(1 - core_k2[b,u,i]**2)
        np.square(core_k2[:, u], out=t_3)
        np.subtract(1.0, t_3, out=t_3)
        t_3 *= dcore_k2[:, u]
        dcore_g2[:, u, 2*H:3*H] += t_3
        # dcore_g2[b,u,i+3*H] += dcore_a2_arg_3[b,u,i]
        dcore_g2[:, u, 3*H:4*H] += dcore_a2_arg_3[:, u]
        # dcore_a2_arg_2[b,u,i] = dcore_f2[b,u,i]*core_a2_arg_2_arg_sigmoid[b,u,i]*core_f2[b,u,i]
        np.multiply(core_a2_arg_2_arg_sigmoid[:, u], core_f2[:, u], out=dcore_a2_arg_2[:, u])
        dcore_a2_arg_2[:, u] *= dcore_f2[:, u]
        # dcore_g2[b,u,i+H] += dcore_a2_arg_2[b,u,i]
        dcore_g2[:, u, H:2*H] += dcore_a2_arg_2[:, u]
        # dcore_a2_arg[b,u,i] = dcore_m2[b,u,i]*core_a2_arg_arg_sigmoid[b,u,i]*core_m2[b,u,i]
        np.multiply(core_a2_arg_arg_sigmoid[:, u], core_m2[:, u], out=dcore_a2_arg[:, u])
        dcore_a2_arg[:, u] *= dcore_m2[:, u]
        # dcore_g2[b,u,i] += dcore_a2_arg[b,u,i]
        dcore_g2[:, u, :H] += dcore_a2_arg[:, u]
        # dcore_p2[b,u,j] += dcore_g2[b,u,i]*core_U2[i,j]
        np.matmul(dcore_g2[:, u], core_U2, out=dcore_p2[:, u])
        # start_where_2[b,u,i] = where(start[b,u] == 1, 0, dcore_p2[b,u,i])
        np.copyto(start_where_2[:, u], dcore_p2[:, u])
        np.copyto(start_where_2[:, u], 0.0, where=start[:, None, u])
        # dcore_h2[b,u,i] += start_where_2[b,u,i]
        dcore_h2[:, u] += start_where_2[:, u]
    dcore_a2 = ws.dcore_a2
    dcore_a2.fill(0.0)
    # dcore_a2[b,u,i+2*H] += dcore_k2[b,u,i]*(1 - core_k2[b,u,i]**2)
    np.square(core_k2, out=dcore_a2[:, :, 2*H:3*H])
    np.subtract(1.0, dcore_a2[:, :, 2*H:3*H], out=dcore_a2[:, :, 2*H:3*H])
    dcore_a2[:, :, 2*H:3*H] *= dcore_k2
    # dcore_a2[b,u,i+3*H] += dcore_a2_arg_3[b,u,i]
    dcore_a2[:, :, 3*H:4*H] += dcore_a2_arg_3
    # dcore_a2[b,u,i+H] += dcore_a2_arg_2[b,u,i]
    dcore_a2[:, :, H:2*H] += dcore_a2_arg_2
    # dcore_a2[b,u,i] += dcore_a2_arg[b,u,i]
    dcore_a2[:, :, :H] += dcore_a2_arg
    # dcore_U2[i,j] += dcore_g2[b,u,i]*core_p2[b,u,j]
    np.matmul(
        dcore_g2.reshape(B * T, (4*H)).T, core_p2.reshape(B * T, H), out=grads.core.U2
    )
    # dcore_e2[i] += dcore_g2[b,u,i]
    np.sum(dcore_g2, axis=(0, 1), out=grads.core.e2)
    # dcore_c2[i] += dcore_a2[b,u,i]
    np.sum(dcore_a2, axis=(0, 1), out=grads.core.c2)
    # dcore_W2[i,j] += dcore_a2[b,u,i]*core_h1[b,u,j]
    np.matmul(
        dcore_a2.reshape(B * T, (4*H)).T, core_h1.reshape(B * T, H), out=grads.core.W2
    )
    # dcore_h1[b,u,j] += dcore_a2[b,u,i]*core_W2[i,j]
    dcore_h1 = ws.dcore_h1
    np.matmul(dcore_a2.reshape(B * T, (4*H)), core_W2, out=dcore_h1.reshape(B * T, H))
    # dcore_z1[b,t,i] = dcore_h1[b,t,i]*(1 - core_h1[b,t,i]**2)
    dcore_z1 = np.square(core_h1, out=ws.dcore_z1)
    np.subtract(1.0, dcore_z1, out=dcore_z1)
    dcore_z1 *= dcore_h1
    # dcore_c1[i] += dcore_z1[b,t,i]
    np.sum(dcore_z1, axis=(0, 1), out=grads.core.c1)
    # dcore_W1[i,j] += dcore_z1[b,t,i]*obs[b,t,j]
    np.matmul(dcore_z1.reshape(B * T, H).T, obs.reshape(B * T, 4), out=grads.core.W1)
    return (loss, {"approx_kl": approx_kl, "clip_fraction": clip_fraction}), grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, T, H):
        self._copies = {}
        self.cell = np.empty((B, H), dtype)
        self.core_z1 = self.core_h1 = self.core_m2 = self.core = np.empty((B, T, H), dtype)
        self.core_a2 = np.empty((B, T, 4 * H), dtype)
        self.core_g2 = np.empty((B, T, 4 * H), dtype)
        self.core_f2 = np.empty((B, T, H), dtype)
        self.core_k2 = np.empty((B, T, H), dtype)
        self.core_o2 = np.empty((B, T, H), dtype)
        self.core_s2 = np.empty((B, T + 1, H), dtype)
        self.core_q2 = np.empty((B, T, H), dtype)
        self.core_h2 = np.empty((B, T + 1, H), dtype)
        self.core_p2 = np.empty((B, T, H), dtype)
        self.policy = np.empty((B, T, 2), dtype)
        self.v = np.empty((B, T, 1), dtype)
        self.core_a2_arg = np.empty((B, T, H), dtype)
        self.core_a2_arg_2 = np.empty((B, T, H), dtype)
        self.core_a2_arg_3 = np.empty((B, T, H), dtype)
        self.core_s2_tanh = np.empty((B, T, H), dtype)
        self.t_1 = np.empty((B, 4 * H), dtype)
        self.t_2 = self.state = np.empty((B, H), dtype)


class _CoreForwardMemory:
    """The buffers of core_forward."""

    def __init__(self, dtype, *, B, T, H):
        self._copies = {}
        self.core_z1 = self.core_h1 = self.core_m2 = self.core = np.empty((B, T, H), dtype)
        self.core_a2 = np.empty((B, T, 4 * H), dtype)
        self.core_g2 = np.empty((B, T, 4 * H), dtype)
        self.core_f2 = np.empty((B, T, H), dtype)
        self.core_k2 = np.empty((B, T, H), dtype)
        self.core_o2 = np.empty((B, T, H), dtype)
        self.core_s2 = np.empty((B, T + 1, H), dtype)
        self.core_q2 = np.empty((B, T, H), dtype)
        self.core_h2 = np.empty((B, T + 1, H), dtype)
        self.core_p2 = np.empty((B, T, H), dtype)
        self.core_a2_arg = np.empty((B, T, H), dtype)
        self.core_a2_arg_2 = np.empty((B, T, H), dtype)
        self.core_a2_arg_3 = np.empty((B, T, H), dtype)
        self.core_s2_tanh = np.empty((B, T, H), dtype)
        self.t_1 = np.empty((B, 4 * H), dtype)
        self.t_2 = np.empty((B, H), dtype)


class _PolicyForwardMemory:
    """The buffers of policy_forward."""

    def __init__(self, dtype, *, B, T, H):
        self._copies = {}
        self.core_z1 = self.core_h1 = self.core_m2 = self.core = np.empty((B, T, H), dtype)
        self.core_a2 = np.empty((B, T, 4 * H), dtype)
        self.core_g2 = np.empty((B, T, 4 * H), dtype)
        self.core_f2 = np.empty((B, T, H), dtype)
        self.core_k2 = np.empty((B, T, H), dtype)
        self.core_o2 = np.empty((B, T, H), dtype)
        self.core_s2 = np.empty((B, T + 1, H), dtype)
        self.core_q2 = np.empty((B, T, H), dtype)
        self.core_h2 = np.empty((B, T + 1, H), dtype)
        self.core_p2 = np.empty((B, T, H), dtype)
        self.policy = np.empty((B, T, 2), dtype)
        self.core_a2_arg = np.empty((B, T, H), dtype)
        self.core_a2_arg_2 = np.empty((B, T, H), dtype)
        self.core_a2_arg_3 = np.empty((B, T, H), dtype)
        self.core_s2_tanh = np.empty((B, T, H), dtype)
        self.t_1 = np.empty((B, 4 * H), dtype)
        self.t_2 = np.empty((B, H), dtype)


class _VForwardMemory:
    """The buffers of v_forward."""

    def __init__(self, dtype, *, B, T, H):
        self._copies = {}
        self.core_z1 = self.core_h1 = self.core_m2 = self.core = np.empty((B, T, H), dtype)
        self.core_a2 = np.empty((B, T, 4 * H), dtype)
        self.core_g2 = np.empty((B, T, 4 * H), dtype)
        self.core_f2 = np.empty((B, T, H), dtype)
        self.core_k2 = np.empty((B, T, H), dtype)
        self.core_o2 = np.empty((B, T, H), dtype)
        self.core_s2 = np.empty((B, T + 1, H), dtype)
        self.core_q2 = np.empty((B, T, H), dtype)
        self.core_h2 = np.empty((B, T + 1, H), dtype)
        self.core_p2 = np.empty((B, T, H), dtype)
        self.v = np.empty((B, T, 1), dtype)
        self.core_a2_arg = np.empty((B, T, H), dtype)
        self.core_a2_arg_2 = np.empty((B, T, H), dtype)
        self.core_a2_arg_3 = np.empty((B, T, H), dtype)
        self.core_s2_tanh = np.empty((B, T, H), dtype)
        self.t_1 = np.empty((B, 4 * H), dtype)
        self.t_2 = np.empty((B, H), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, T, H):
        self._copies = {}
        self.core_z1 = self.core_h1 = self.core_m2 = self.core = np.empty((B, T, H), dtype)
        self.core_a2 = np.empty((B, T, 4 * H), dtype)
        self.core_g2 = np.empty((B, T, 4 * H), dtype)
        self.core_f2 = np.empty((B, T, H), dtype)
        self.core_k2 = np.empty((B, T, H), dtype)
        self.core_o2 = np.empty((B, T, H), dtype)
        self.core_s2 = np.empty((B, T + 1, H), dtype)
        self.core_q2 = np.empty((B, T, H), dtype)
        self.core_h2 = np.empty((B, T + 1, H), dtype)
        self.core_p2 = np.empty((B, T, H), dtype)
        self.policy = self.t_7 = np.empty((B, T, 2), dtype)
        self.v = np.empty((B, T, 1), dtype)
        self.categorical_log_prob_lse = self.categorical_entropy = np.empty((B, T), dtype)
        self.t_1 = self.categorical_log_prob_lse
        self.v_t = np.empty((B, T), dtype)
        self.core_a2_arg = np.empty((B, T, H), dtype)
        self.core_a2_arg_2 = np.empty((B, T, H), dtype)
        self.core_a2_arg_3 = np.empty((B, T, H), dtype)
        self.core_s2_tanh = np.empty((B, T, H), dtype)
        self.inside_where = self.inside_where_2 = self.A = np.empty((B, T), dtype)
        self.inside_where_4 = self.inside_where
        self.policy_softmax = np.empty((B, T, 2), dtype)
        self.inside_where_3 = np.empty((B, T), dtype)
        self.t_2 = np.empty((B, 4 * H), dtype)
        self.t_3 = np.empty((B, H), dtype)
        self.t_4 = self.policy_where = np.empty((B, T, 2), dtype)
        self.t_5 = self.policy_at = self.categorical_log_prob = self.r = np.empty((B, T), dtype)
        self.v_t_arg = self.v_t_arg_clip = self.near = self.inside_where_5 = self.t_5
        self.inside_where_6 = self.t_5
        self.arange = np.arange(B, dtype=np.intp)
        self.arange_2 = np.arange(T, dtype=np.intp)
        self.at = np.empty((B, T), np.intp)
        self.t_6 = np.empty((B, T, 2), np.bool_)
        self.t_8 = np.empty((B, T), np.bool_)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, T, H):
        self._copies = {}
        self.core_z1 = self.core_h1 = self.dcore_z1 = np.empty((B, T, H), dtype)
        self.core_a2 = self.dcore_g2 = np.empty((B, T, 4 * H), dtype)
        self.core_g2 = self.dcore_a2 = np.empty((B, T, 4 * H), dtype)
        self.core_m2 = self.dcore_h1 = np.empty((B, T, H), dtype)
        self.core_f2 = np.empty((B, T, H), dtype)
        self.core_k2 = np.empty((B, T, H), dtype)
        self.core_o2 = np.empty((B, T, H), dtype)
        self.core_s2 = self.dcore_s2 = np.empty((B, T + 1, H), dtype)
        self.core_q2 = np.empty((B, T, H), dtype)
        self.core_h2 = self.dcore_h2 = np.empty((B, T + 1, H), dtype)
        self.core_p2 = np.empty((B, T, H), dtype)
        self.core = self.core_a2_arg_3_arg_sigmoid = np.empty((B, T, H), dtype)
        self.policy = self.t_7 = self.dpolicy_softmax = self.dpolicy = np.empty((B, T, 2), dtype)
        self.v = self.dv = np.empty((B, T, 1), dtype)
        self.categorical_log_prob_lse = self.categorical_entropy = np.empty((B, T), dtype)
        self.t_1 = self.dinside_where_4 = self.dv_t = self.categorical_log_prob_lse
        self.v_t = self.dv_t_arg = self.dinside_where_3 = np.empty((B, T), dtype)
        self.dinside_where_2 = self.dcategorical_log_prob_lse = self.v_t
        self.core_a2_arg = self.core_a2_arg_arg = self.dcore_o2 = np.empty((B, T, H), dtype)
        self.core_a2_arg_2 = self.core_a2_arg_2_arg = np.empty((B, T, H), dtype)
        self.core_a2_arg_arg_sigmoid = self.core_a2_arg_2
        self.core_a2_arg_3 = self.core_a2_arg_3_arg = np.empty((B, T, H), dtype)
        self.core_a2_arg_2_arg_sigmoid = self.core_a2_arg_3
        self.core_s2_tanh = np.empty((B, T, H), dtype)
        self.inside_where = self.inside_where_2 = self.A = np.empty((B, T), dtype)
        self.dcategorical_entropy = self.t_14 = self.inside_where
        self.policy_softmax = np.empty((B, T, 2), dtype)
        self.inside_where_3 = self.v_t_arg = self.dr = np.empty((B, T), dtype)
        self.inside_where_4 = self.inside_where_5 = self.inside_where_6 = np.empty((B, T), dtype)
        self.dnear = self.t_13 = self.inside_where_4
        self.dcore = self.t_16 = self.dcore_s2_tanh = np.empty((B, T, H), dtype)
        self.dcore_k2 = np.empty((B, T, H), dtype)
        self.dcore_m2 = np.empty((B, T, H), dtype)
        self.dcore_q2 = np.empty((B, T, H), dtype)
        self.dcore_a2_arg_3 = np.empty((B, T, H), dtype)
        self.dcore_a2_arg_2 = np.empty((B, T, H), dtype)
        self.dcore_a2_arg = np.empty((B, T, H), dtype)
        self.dcore_p2 = np.empty((B, T, H), dtype)
        self.policy_where_2 = self.policy_where_3 = np.empty((B, T, 2), dtype)
        self.start_where = np.empty((B, T, H), dtype)
        self.start_where_2 = np.empty((B, T, H), dtype)
        self.t_2 = np.empty((B, 4 * H), dtype)
        self.t_3 = np.empty((B, H), dtype)
        self.t_4 = self.policy_where = self.dpolicy_where = np.empty((B, T, 2), dtype)
        self.t_5 = self.policy_at = self.categorical_log_prob = self.r = np.empty((B, T), dtype)
        self.dcategorical_log_prob = self.t_5
        self.arange = np.arange(B, dtype=np.intp)
        self.arange_2 = np.arange(T, dtype=np.intp)
        self.at = np.empty((B, T), np.intp)
        self.t_6 = np.empty((B, T, 2), np.bool_)
        self.t_8 = self.v_t_arg_clip = self.near = np.empty((B, T), dtype)
        self.t_9 = self.inside_where_7 = np.empty((B, T), dtype)
        self.t_10 = np.empty((B, T), np.bool_)
        self.t_11 = np.empty((B, T), dtype)
        self.t_12 = np.empty((B, T), np.bool_)
        self.t_15 = self.dcore_f2 = np.empty((B, T, H), dtype)
        self.grads = Params(dtype, H=H)


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


def _orthogonal(rng, shape, gain):
    """gain * Q: orthonormal rows or columns, whichever are fewer."""
    rows, columns = shape[0], int(np.prod(shape[1:]))
    q, r = np.linalg.qr(rng.normal(size=(max(rows, columns), min(rows, columns))))
    q *= np.sign(np.diag(r))
    return gain * (q if rows >= columns else q.T).reshape(shape)


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
