# ruff: noqa: E741, RUF100
"""attention_classifier: A classifier of token sequences: embeddings and places, one block of masked
self-attention, the mean over the tokens that are there, softmax cross-entropy.

Forward
    word[b,t,i] = word_W1[token[b,t],i]
    x[b,t,i] = place[t,i] + word[b,t,i]
    count_sum[b] += [present[b,t] == 1]
    count[b] = maximum(count_sum[b], 1)
    block_q1[b,u,i] += block_Wq1[i,j]*x[b,u,j]
    block_q1[b,u,i] += block_cq1[i] for b < B, u < T
    block_k1[b,u,i] += block_Wk1[i,j]*x[b,u,j]
    block_k1[b,u,i] += block_ck1[i] for b < B, u < T
    block_v1[b,u,i] += block_Wv1[i,j]*x[b,u,j]
    block_v1[b,u,i] += block_cv1[i] for b < B, u < T
    block_s1_sum[b,i,u,w] += block_k1[b,w,K*i+l]*block_q1[b,u,K*i+l] for i < A, l < K
    block_s1[b,i,u,w] = where(present[b,w] == 1, block_s1_sum[b,i,u,w]/sqrt(K), -inf)
    block_l1[b,i,u] = logsumexp(w: block_s1[b,i,u,w])
    block_p1[b,i,u,w] = expdiff(block_s1[b,i,u,w], block_l1[b,i,u])
    block_o1[b,u,K*i+l] += block_p1[b,i,u,w]*block_v1[b,w,K*i+l] for l < K
    block_y1[b,u,i] += block_Wo1[i,j]*block_o1[b,u,j]
    block_y1[b,u,i] += block_co1[i] for b < B, u < T
    block_r1[b,t,i] = block_y1[b,t,i] + x[b,t,i]
    block_m2[b,t] += block_r1[b,t,j]/D
    block_v2[b,t] += (block_r1[b,t,j] - block_m2[b,t])**2/D
    block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/sqrt(0.00001 + block_v2[b,t]) +
        block_s2[i]
    block_z3[b,t,i] += block_W3[i,j]*block_n2[b,t,j]
    block_z3[b,t,i] += block_c3[i] for b < B, t < T
    block_h3[b,t,i] = 0.5*block_z3[b,t,i]*erfc(-0.5*block_z3[b,t,i]*sqrt(2))
    block_z4[b,t,i] += block_W4[i,j]*block_h3[b,t,j]
    block_z4[b,t,i] += block_c4[i] for b < B, t < T
    block_r4[b,t,i] = block_n2[b,t,i] + block_z4[b,t,i]
    block_m5[b,t] += block_r4[b,t,j]/D
    block_v5[b,t] += (block_r4[b,t,j] - block_m5[b,t])**2/D
    block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/sqrt(0.00001 + block_v5[b,t]) +
        block_s5[i]
    pooled_sum[b,i] += where(present[b,t] == 1, block[b,t,i], 0)
    pooled[b,i] = pooled_sum[b,i]/count[b]
    logits[b,i] += logits_W1[i,j]*pooled[b,j]
    logits[b,i] += logits_c1[i] for b < B
    lse[b] = logsumexp(a: logits[b,a])
    loss += (lse[b] - logits[b,label[b]])/B

Gradient (value_and_grad); dX stands for dL/dX.
    present_where[b,t] = [present[b,t] == 1]
    count_sum[b] += present_where[b,t]
    block_v2_sqrt[b,t] = sqrt(0.00001 + block_v2[b,t])
    block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t] + block_s2[i]
    block_z3_arg[b,t,i] = -0.5*block_z3[b,t,i]*sqrt(2)
    block_z3_arg_erfc[b,t,i] = erfc(block_z3_arg[b,t,i])
    block_h3[b,t,i] = 0.5*block_z3[b,t,i]*block_z3_arg_erfc[b,t,i]
    block_v5_sqrt[b,t] = sqrt(0.00001 + block_v5[b,t])
    block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t] + block_s5[i]
    present_where_2[b,i,t] = where(present[b,t] == 1, block[b,t,i], 0)
    pooled_sum[b,i] += present_where_2[b,i,t]
    dlogits[b,label[b]] += -1/B
    dlse[b] = 1/B for b < B
    logits_softmax[b,a] = expdiff(logits[b,a], lse[b])
    dlogits[b,a] += dlse[b]*logits_softmax[b,a]
    dlogits_c1[i] += dlogits[b,i]
    dlogits_W1[i,j] += dlogits[b,i]*pooled[b,j]
    dpooled[b,j] += dlogits[b,i]*logits_W1[i,j]
    dpooled_sum[b,i] = dpooled[b,i]/count[b]
    dpresent_where_2[b,i,t] = dpooled_sum[b,i] for t < T
    dblock[b,t,i] = where(present[b,t] == 1, dpresent_where_2[b,i,t], 0)
    dblock_g5[i] += dblock[b,t,i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t]
    dblock_m5[b,t] += -dblock[b,t,i]*block_g5[i]/block_v5_sqrt[b,t]
    dblock_r4[b,t,i] += dblock[b,t,i]*block_g5[i]/block_v5_sqrt[b,t]
    dblock_s5[i] += dblock[b,t,i]
    dblock_v5_sqrt[b,t] += -dblock[b,t,i]*block_g5[i]*(block_r4[b,t,i] -
        block_m5[b,t])/block_v5_sqrt[b,t]**2
    dblock_v5[b,t] = 0.5*dblock_v5_sqrt[b,t]/block_v5_sqrt[b,t]
    dblock_m5[b,t] += -2*dblock_v5[b,t]*(block_r4[b,t,j] - block_m5[b,t])/D
    dblock_r4[b,t,j] += 2*dblock_v5[b,t]*(block_r4[b,t,j] - block_m5[b,t])/D
    dblock_r4[b,t,j] += dblock_m5[b,t]/D for j < D
    dblock_n2[b,t,i] += dblock_r4[b,t,i]
    dblock_c4[i] += dblock_r4[b,t,i]
    dblock_W4[i,j] += dblock_r4[b,t,i]*block_h3[b,t,j]
    dblock_h3[b,t,j] += dblock_r4[b,t,i]*block_W4[i,j]
    dblock_z3[b,t,i] += 0.5*dblock_h3[b,t,i]*block_z3_arg_erfc[b,t,i]
    dblock_z3_arg_erfc[b,t,i] = 0.5*dblock_h3[b,t,i]*block_z3[b,t,i]
    block_z3_arg_exp[b,t,i] = exp(-block_z3_arg[b,t,i]**2)
    dblock_z3_arg[b,t,i] = -2*dblock_z3_arg_erfc[b,t,i]*block_z3_arg_exp[b,t,i]/sqrt(PI)
    dblock_z3[b,t,i] += -0.5*dblock_z3_arg[b,t,i]*sqrt(2)
    dblock_c3[i] += dblock_z3[b,t,i]
    dblock_W3[i,j] += dblock_z3[b,t,i]*block_n2[b,t,j]
    dblock_n2[b,t,j] += dblock_z3[b,t,i]*block_W3[i,j]
    dblock_g2[i] += dblock_n2[b,t,i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t]
    dblock_m2[b,t] += -dblock_n2[b,t,i]*block_g2[i]/block_v2_sqrt[b,t]
    dblock_r1[b,t,i] += dblock_n2[b,t,i]*block_g2[i]/block_v2_sqrt[b,t]
    dblock_s2[i] += dblock_n2[b,t,i]
    dblock_v2_sqrt[b,t] += -dblock_n2[b,t,i]*block_g2[i]*(block_r1[b,t,i] -
        block_m2[b,t])/block_v2_sqrt[b,t]**2
    dblock_v2[b,t] = 0.5*dblock_v2_sqrt[b,t]/block_v2_sqrt[b,t]
    dblock_m2[b,t] += -2*dblock_v2[b,t]*(block_r1[b,t,j] - block_m2[b,t])/D
    dblock_r1[b,t,j] += 2*dblock_v2[b,t]*(block_r1[b,t,j] - block_m2[b,t])/D
    dblock_r1[b,t,j] += dblock_m2[b,t]/D for j < D
    dx[b,t,i] += dblock_r1[b,t,i]
    dblock_co1[i] += dblock_r1[b,u,i]
    dblock_Wo1[i,j] += dblock_r1[b,u,i]*block_o1[b,u,j]
    dblock_o1[b,u,j] += dblock_r1[b,u,i]*block_Wo1[i,j]
    dblock_p1[b,i,u,w] += dblock_o1[b,u,K*i+l]*block_v1[b,w,K*i+l] for i < A, l < K
    dblock_v1[b,w,K*i+l] += dblock_o1[b,u,K*i+l]*block_p1[b,i,u,w] for l < K
    dblock_l1[b,i,u] += -dblock_p1[b,i,u,w]*block_p1[b,i,u,w]
    dblock_s1[b,i,u,w] += dblock_p1[b,i,u,w]*block_p1[b,i,u,w]
    dblock_s1[b,i,u,w] += dblock_l1[b,i,u]*block_p1[b,i,u,w]
    dblock_s1_sum[b,i,u,w] = where(present[b,w] == 1, dblock_s1[b,i,u,w]/sqrt(K), 0)
    dblock_k1[b,w,K*i+l] += dblock_s1_sum[b,i,u,w]*block_q1[b,u,K*i+l] for l < K
    dblock_q1[b,u,K*i+l] += dblock_s1_sum[b,i,u,w]*block_k1[b,w,K*i+l] for l < K
    dblock_cv1[i] += dblock_v1[b,u,i]
    dblock_Wv1[i,j] += dblock_v1[b,u,i]*x[b,u,j]
    dx[b,u,j] += dblock_v1[b,u,i]*block_Wv1[i,j]
    dblock_ck1[i] += dblock_k1[b,u,i]
    dblock_Wk1[i,j] += dblock_k1[b,u,i]*x[b,u,j]
    dx[b,u,j] += dblock_k1[b,u,i]*block_Wk1[i,j]
    dblock_cq1[i] += dblock_q1[b,u,i]
    dblock_Wq1[i,j] += dblock_q1[b,u,i]*x[b,u,j]
    dx[b,u,j] += dblock_q1[b,u,i]*block_Wq1[i,j]
    dplace[t,i] += dx[b,t,i]
    dword_W1[token[b,t],i] += dx[b,t,i]

Shapes
    place: real[T, D]
    word_W1: real[V, D]
    block_Wq1: real[A*K, D]
    block_Wk1: real[A*K, D]
    block_Wv1: real[A*K, D]
    block_cq1: real[A*K]
    block_ck1: real[A*K]
    block_cv1: real[A*K]
    block_Wo1: real[D, A*K]
    block_co1: real[D]
    block_g2: real[D]
    block_s2: real[D]
    block_W3: real[F, D]
    block_c3: real[F]
    block_W4: real[D, F]
    block_c4: real[D]
    block_g5: real[D]
    block_s5: real[D]
    logits_W1: real[C, D]
    logits_c1: real[C]
    token: int[B, T] < V
    present: bool[B, T]
    label: int[B] < C
    B: sequences in the batch

At kinks: a tie of maximum takes the first argument's side.
Held constant: what wrt does not name.
Reduction: block_m2 is summed over j and divided by D; block_v2 is summed over j and divided by D;
    block_m5 is summed over j and divided by D; block_v5 is summed over j and divided by D; loss is
    summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "T": 16, "V": 100, "D": 16, "A": 4, "K": 4, "F": 32, "C": 4}
PARAMETERS = {
    "place": {"axes": ("T", "D"), "offset": 0, "shape": (16, 16), "strides": (16, 1)},
    "word.W1": {"axes": ("V", "D"), "offset": 256, "shape": (100, 16), "strides": (16, 1)},
    "block.Wq1": {"axes": ("A*K", "D"), "offset": 1856, "shape": (16, 16), "strides": (16, 1)},
    "block.Wk1": {"axes": ("A*K", "D"), "offset": 2112, "shape": (16, 16), "strides": (16, 1)},
    "block.Wv1": {"axes": ("A*K", "D"), "offset": 2368, "shape": (16, 16), "strides": (16, 1)},
    "block.cq1": {"axes": ("A*K",), "offset": 2624, "shape": (16,), "strides": (1,)},
    "block.ck1": {"axes": ("A*K",), "offset": 2640, "shape": (16,), "strides": (1,)},
    "block.cv1": {"axes": ("A*K",), "offset": 2656, "shape": (16,), "strides": (1,)},
    "block.Wo1": {"axes": ("D", "A*K"), "offset": 2672, "shape": (16, 16), "strides": (16, 1)},
    "block.co1": {"axes": ("D",), "offset": 2928, "shape": (16,), "strides": (1,)},
    "block.g2": {"axes": ("D",), "offset": 2944, "shape": (16,), "strides": (1,)},
    "block.s2": {"axes": ("D",), "offset": 2960, "shape": (16,), "strides": (1,)},
    "block.W3": {"axes": ("F", "D"), "offset": 2976, "shape": (32, 16), "strides": (16, 1)},
    "block.c3": {"axes": ("F",), "offset": 3488, "shape": (32,), "strides": (1,)},
    "block.W4": {"axes": ("D", "F"), "offset": 3520, "shape": (16, 32), "strides": (32, 1)},
    "block.c4": {"axes": ("D",), "offset": 4032, "shape": (16,), "strides": (1,)},
    "block.g5": {"axes": ("D",), "offset": 4048, "shape": (16,), "strides": (1,)},
    "block.s5": {"axes": ("D",), "offset": 4064, "shape": (16,), "strides": (1,)},
    "logits.W1": {"axes": ("C", "D"), "offset": 4080, "shape": (4, 16), "strides": (16, 1)},
    "logits.c1": {"axes": ("C",), "offset": 4144, "shape": (4,), "strides": (1,)},
}
LAYERS = {
    "word": ({"weight": "word.W1"},),
    "block": (
        {
            "Wq": "block.Wq1",
            "Wk": "block.Wk1",
            "Wv": "block.Wv1",
            "cq": "block.cq1",
            "ck": "block.ck1",
            "cv": "block.cv1",
            "Wo": "block.Wo1",
            "co": "block.co1",
        },
        {"weight": "block.g2", "bias": "block.s2"},
        {"weight": "block.W3", "bias": "block.c3"},
        {"weight": "block.W4", "bias": "block.c4"},
        {"weight": "block.g5", "bias": "block.s5"},
    ),
    "logits": ({"weight": "logits.W1", "bias": "logits.c1"},),
}
INPUTS = {
    "token": "int[B, T] < V",
    "present": "bool[B, T]",
    "label": "int[B] < C",
}
OUTPUTS = {
    "forward": ("logits",),
    "word_forward": ("word",),
    "block_forward": ("block",),
    "logits_forward": ("logits",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": (
        "4 * A * B * D * K * T + 2 * A * B * K * T * T + 3 * A * B * K * T + 5 * A * "
        "B * T * T + 2 * B * D * F * T + B * C * D + 20 * B * D * T + 5 * B * F * T + "
        "B * C + B * D + 9 * B * T + B"
    ),
    "word_forward": "0",
    "block_forward": (
        "4 * A * B * D * K * T + 2 * A * B * K * T * T + 3 * A * B * K * T + 5 * A * "
        "B * T * T + 2 * B * D * F * T + 19 * B * D * T + 5 * B * F * T + 8 * B * T"
    ),
    "logits_forward": (
        "4 * A * B * D * K * T + 2 * A * B * K * T * T + 3 * A * B * K * T + 5 * A * "
        "B * T * T + 2 * B * D * F * T + B * C * D + 20 * B * D * T + 5 * B * F * T + "
        "B * C + B * D + 9 * B * T + B"
    ),
    "value": (
        "4 * A * B * D * K * T + 2 * A * B * K * T * T + 3 * A * B * K * T + 5 * A * "
        "B * T * T + 2 * B * D * F * T + B * C * D + 20 * B * D * T + 5 * B * F * T + "
        "4 * B * C + B * D + 9 * B * T + 3 * B"
    ),
    "value_and_grad": (
        "12 * A * B * D * K * T + 6 * A * B * K * T * T + 6 * A * B * K * T + 10 * A "
        "* B * T * T + 6 * B * D * F * T + A * B * T + 3 * B * C * D + 51 * B * D * T "
        "+ 17 * B * F * T + 7 * B * C + 2 * B * D + 37 * B * T + 3 * B"
    ),
}
SPEC_HASH = "305f59928da021acee479700ea84adb04680cf3468d4b67587f4d2d10e890560"
SPEC = r'''description = "A classifier of token sequences: embeddings and places, one block of masked self-attention, the mean over the tokens that are there, softmax cross-entropy."
outputs = ["logits"]
wrt = ["place", "word_W1", "block_Wq1", "block_Wk1", "block_Wv1", "block_cq1", "block_ck1", "block_cv1", "block_Wo1", "block_co1", "block_g2", "block_s2", "block_W3", "block_c3", "block_W4", "block_c4", "block_g5", "block_s5", "logits_W1", "logits_c1"]
equations = """
word[b,t,i] = word_W1[token[b,t],i]
x[b,t,i] = place[t,i] + word[b,t,i]
count_sum[b] += [present[b,t] == 1]
count[b] = maximum(count_sum[b], 1)
block_q1[b,u,i] += block_Wq1[i,j]*x[b,u,j]
block_q1[b,u,i] += block_cq1[i] for b < B, u < T
block_k1[b,u,i] += block_Wk1[i,j]*x[b,u,j]
block_k1[b,u,i] += block_ck1[i] for b < B, u < T
block_v1[b,u,i] += block_Wv1[i,j]*x[b,u,j]
block_v1[b,u,i] += block_cv1[i] for b < B, u < T
block_s1_sum[b,i,u,w] += block_k1[b,w,K*i+l]*block_q1[b,u,K*i+l] for i < A, l < K
block_s1[b,i,u,w] = where(present[b,w] == 1, block_s1_sum[b,i,u,w]/sqrt(K), -inf)
block_l1[b,i,u] = logsumexp(w: block_s1[b,i,u,w])
block_p1[b,i,u,w] = expdiff(block_s1[b,i,u,w], block_l1[b,i,u])
block_o1[b,u,K*i+l] += block_p1[b,i,u,w]*block_v1[b,w,K*i+l] for l < K
block_y1[b,u,i] += block_Wo1[i,j]*block_o1[b,u,j]
block_y1[b,u,i] += block_co1[i] for b < B, u < T
block_r1[b,t,i] = block_y1[b,t,i] + x[b,t,i]
block_m2[b,t] += block_r1[b,t,j]/D
block_v2[b,t] += (block_r1[b,t,j] - block_m2[b,t])**2/D
block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/sqrt(0.00001 + block_v2[b,t]) + block_s2[i]
block_z3[b,t,i] += block_W3[i,j]*block_n2[b,t,j]
block_z3[b,t,i] += block_c3[i] for b < B, t < T
block_h3[b,t,i] = 0.5*block_z3[b,t,i]*erfc(-0.5*block_z3[b,t,i]*sqrt(2))
block_z4[b,t,i] += block_W4[i,j]*block_h3[b,t,j]
block_z4[b,t,i] += block_c4[i] for b < B, t < T
block_r4[b,t,i] = block_n2[b,t,i] + block_z4[b,t,i]
block_m5[b,t] += block_r4[b,t,j]/D
block_v5[b,t] += (block_r4[b,t,j] - block_m5[b,t])**2/D
block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/sqrt(0.00001 + block_v5[b,t]) + block_s5[i]
pooled_sum[b,i] += where(present[b,t] == 1, block[b,t,i], 0)
pooled[b,i] = pooled_sum[b,i]/count[b]
logits[b,i] += logits_W1[i,j]*pooled[b,j]
logits[b,i] += logits_c1[i] for b < B
lse[b] = logsumexp(a: logits[b,a])
loss += (lse[b] - logits[b,label[b]])/B
"""

[sizes]
B = "sequences in the batch"
T = 16
V = 100
D = 16
A = 4
K = 4
F = 32
C = 4

[params]
place = "real[T, D] init=normal(0.02)"

[params.word]
W1 = "real[V, D] init=normal(0.02)"

[params.block]
Wq1 = "real[A*K, D] init=glorot_uniform"
Wk1 = "real[A*K, D] init=glorot_uniform"
Wv1 = "real[A*K, D] init=glorot_uniform"
cq1 = "real[A*K]"
ck1 = "real[A*K]"
cv1 = "real[A*K]"
Wo1 = "real[D, A*K] init=glorot_uniform"
co1 = "real[D]"
g2 = "real[D] init=constant(1)"
s2 = "real[D] init=zeros"
W3 = "real[F, D] init=uniform_fan_in"
c3 = "real[F] init=zeros"
W4 = "real[D, F] init=uniform_fan_in"
c4 = "real[D] init=zeros"
g5 = "real[D] init=constant(1)"
s5 = "real[D] init=zeros"

[params.logits]
W1 = "real[C, D] init=uniform_fan_in"
c1 = "real[C] init=zeros"

[data]
token = "int[B, T] < V"
present = "bool[B, T]"
label = "int[B] < C"
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
    """Views on one vector `flat`: place (T, D), word.W1 (V, D), block.Wq1 (A*K, D),
    block.Wk1 (A*K, D), block.Wv1 (A*K, D), block.cq1 (A*K,), block.ck1 (A*K,), block.cv1 (A*K,),
    block.Wo1 (D, A*K), block.co1 (D,), block.g2 (D,), block.s2 (D,), block.W3 (F, D),
    block.c3 (F,), block.W4 (D, F), block.c4 (D,), block.g5 (D,), block.s5 (D,), logits.W1 (C, D),
    logits.c1 (C,).
    """

    def __init__(self, flat, *, T=16, V=100, D=16, A=4, K=4, F=32, C=4):
        self._sizes = _sizes(T=T, V=V, D=D, A=A, K=K, F=F, C=C)
        self.flat = _vector(
            flat, 4 * A * D * K + 3 * A * K + C * D + 2 * D * F + D * T + D * V + C + 6 * D + F
        )
        _part = _parts(self.flat)
        self.place = _part(T, D)
        self.word = _Group(_part(D * V), W1=(V, D))
        self.block = _Group(
            _part(4 * A * D * K + 3 * A * K + 2 * D * F + 6 * D + F),
            Wq1=(A * K, D),
            Wk1=(A * K, D),
            Wv1=(A * K, D),
            cq1=(A * K,),
            ck1=(A * K,),
            cv1=(A * K,),
            Wo1=(D, A * K),
            co1=(D,),
            g2=(D,),
            s2=(D,),
            W3=(F, D),
            c3=(F,),
            W4=(D, F),
            c4=(D,),
            g5=(D,),
            s5=(D,),
        )
        self.logits = _Group(_part(C * D + C), W1=(C, D), c1=(C,))
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, T=16, V=100, D=16, A=4, K=4, F=32, C=4):
        self.sizes = _sizes(B=B, T=T, V=V, D=D, A=A, K=K, F=F, C=C)
        self._memory = {}


def init(rng, *, T=16, V=100, D=16, A=4, K=4, F=32, C=4, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), T=T, V=V, D=D, A=A, K=K, F=F, C=C)
    params.place[...] = _normal(rng, (T, D), 0.02)
    params.word.W1[...] = _normal(rng, (V, D), 0.02)
    params.block.Wq1[...] = _glorot_uniform(rng, (A * K, D))
    params.block.Wk1[...] = _glorot_uniform(rng, (A * K, D))
    params.block.Wv1[...] = _glorot_uniform(rng, (A * K, D))
    params.block.cq1[...] = 0.0
    params.block.ck1[...] = 0.0
    params.block.cv1[...] = 0.0
    params.block.Wo1[...] = _glorot_uniform(rng, (D, A * K))
    params.block.co1[...] = 0.0
    params.block.g2[...] = 1.0
    params.block.s2[...] = 0.0
    params.block.W3[...] = _uniform_fan_in(rng, (F, D))
    params.block.c3[...] = 0.0
    params.block.W4[...] = _uniform_fan_in(rng, (D, F))
    params.block.c4[...] = 0.0
    params.block.g5[...] = 1.0
    params.block.s5[...] = 0.0
    params.logits.W1[...] = _uniform_fan_in(rng, (C, D))
    params.logits.c1[...] = 0.0
    return params


def save(path, params):
    """Write the parameters to an npz file, by name."""
    _dtype_of(params)
    with open(path, "wb") as file:
        np.savez(
            file,
            **{name: _place(params, name) for name in PARAMETERS},
            A=params._sizes["A"],
            K=params._sizes["K"],
        )


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path, "A", "K")
    params = Params(
        np.result_type(*(arrays[name] for name in PARAMETERS)),
        T=_extent(arrays["place"], 0),
        V=_extent(arrays["word.W1"], 0),
        D=_extent(arrays["place"], 1),
        A=int(arrays["A"]),
        K=int(arrays["K"]),
        F=_extent(arrays["block.W3"], 0),
        C=_extent(arrays["logits.W1"], 0),
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


def forward(params, token, present, *, workspace=None):
    """The output logits.

    token: int[B, T] < V
    present: bool[B, T]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    token = _integer("token", token, 2)
    present = _boolean("present", present, 2)
    T, V, D, A, K, F, C = params._sizes.values()
    B = _length("B", "token", token, 0)
    _shape("token", token, (B, T))
    _shape("present", present, (B, T))
    _below("token", token, V)
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, T=T, V=V, D=D, A=A, K=K, F=F, C=C)
    token = _fit(ws, "token", token, np.intp)
    present = _fit(ws, "present", present, np.bool_)
    place, word_W1, block_Wq1 = params.place, params.word.W1, params.block.Wq1
    block_Wk1, block_Wv1, block_cq1 = params.block.Wk1, params.block.Wv1, params.block.cq1
    block_ck1, block_cv1, block_Wo1 = params.block.ck1, params.block.cv1, params.block.Wo1
    block_co1, block_g2, block_s2 = params.block.co1, params.block.g2, params.block.s2
    block_W3, block_c3, block_W4 = params.block.W3, params.block.c3, params.block.W4
    block_c4, block_g5, block_s5 = params.block.c4, params.block.g5, params.block.s5
    logits_W1, logits_c1 = params.logits.W1, params.logits.c1
    # word[b,t,i] = word_W1[token[b,t],i]
    word = np.take(word_W1, token, axis=0, out=ws.word, mode="clip")
    # x[b,t,i] = place[t,i] + word[b,t,i]
    x = np.add(place, word, out=ws.x)
    # present_where[b,t] = [present[b,t] == 1]
    present_where = ws.present_where
    present_where.fill(0.0)
    np.copyto(present_where, 1.0, where=present)
    # count_sum[b] += present_where[b,t]
    count_sum = np.sum(present_where, axis=1, out=ws.count_sum)
    # count[b] = maximum(count_sum[b], 1)
    count = np.maximum(count_sum, 1.0, out=ws.count)
    # block_q1[b,u,i] += block_Wq1[i,j]*x[b,u,j]
    block_q1 = ws.block_q1
    np.matmul(x.reshape(B * T, D), block_Wq1.T, out=block_q1.reshape(B * T, (A*K)))
    # block_q1[b,u,i] += block_cq1[i] for b < B, u < T
    block_q1 += block_cq1
    # block_k1[b,u,i] += block_Wk1[i,j]*x[b,u,j]
    block_k1 = ws.block_k1
    np.matmul(x.reshape(B * T, D), block_Wk1.T, out=block_k1.reshape(B * T, (A*K)))
    # block_k1[b,u,i] += block_ck1[i] for b < B, u < T
    block_k1 += block_ck1
    # block_v1[b,u,i] += block_Wv1[i,j]*x[b,u,j]
    block_v1 = ws.block_v1
    np.matmul(x.reshape(B * T, D), block_Wv1.T, out=block_v1.reshape(B * T, (A*K)))
    # block_v1[b,u,i] += block_cv1[i] for b < B, u < T
    block_v1 += block_cv1
    # block_s1_sum[b,i,u,w] += block_k1[b,w,K*i+l]*block_q1[b,u,K*i+l] for i < A, l < K
    block_s1_sum = np.matmul(
        block_q1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        block_k1.reshape(B, T, A, K).transpose(0, 2, 3, 1),
        out=ws.block_s1_sum,
    )
    # block_s1[b,i,u,w] = where(present[b,w] == 1, block_s1_sum[b,i,u,w]/sqrt(K), -inf)
    block_s1 = ws.block_s1
    block_s1.fill(-np.inf)
    np.divide(block_s1_sum, float(np.sqrt(K)), out=block_s1, where=present[:, None, None, :])
    # block_l1[b,i,u] = logsumexp(w: block_s1[b,i,u,w])
    block_l1 = _logsumexp(block_s1, out=ws.block_l1, scratch=ws.t_1, total=ws.t_2)
    # block_p1[b,i,u,w] = expdiff(block_s1[b,i,u,w], block_l1[b,i,u])
    block_p1 = _expdiff(block_s1, block_l1[..., None], out=ws.block_p1)
    # block_o1[b,u,K*i+l] += block_p1[b,i,u,w]*block_v1[b,w,K*i+l] for l < K
    block_o1 = ws.block_o1
    np.matmul(
        block_p1,
        block_v1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=block_o1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # block_y1[b,u,i] += block_Wo1[i,j]*block_o1[b,u,j]
    block_y1 = ws.block_y1
    np.matmul(block_o1.reshape(B * T, (A*K)), block_Wo1.T, out=block_y1.reshape(B * T, D))
    # block_y1[b,u,i] += block_co1[i] for b < B, u < T
    block_y1 += block_co1
    # block_r1[b,t,i] = block_y1[b,t,i] + x[b,t,i]
    block_r1 = np.add(block_y1, x, out=ws.block_r1)
    # block_m2[b,t] += block_r1[b,t,j]/D
    block_m2 = np.sum(block_r1, axis=2, out=ws.block_m2)
    block_m2 /= D
    # block_v2[b,t] += (block_r1[b,t,j] - block_m2[b,t])**2/D
    t_3 = np.subtract(block_r1, block_m2[..., None], out=ws.t_3)
    t_4 = np.square(t_3, out=ws.t_4)
    block_v2 = np.sum(t_4, axis=2, out=ws.block_v2)
    block_v2 /= D
    # block_v2_sqrt[b,t] = sqrt(0.00001 + block_v2[b,t])
    block_v2_sqrt = np.add(1e-05, block_v2, out=ws.block_v2_sqrt)
    np.sqrt(block_v2_sqrt, out=block_v2_sqrt)
    # block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t] +
    #     block_s2[i]
    block_n2 = np.multiply(t_3, block_g2, out=ws.block_n2)
    block_n2 /= block_v2_sqrt[..., None]
    block_n2 += block_s2
    # block_z3[b,t,i] += block_W3[i,j]*block_n2[b,t,j]
    block_z3 = ws.block_z3
    np.matmul(block_n2.reshape(B * T, D), block_W3.T, out=block_z3.reshape(B * T, F))
    # block_z3[b,t,i] += block_c3[i] for b < B, t < T
    block_z3 += block_c3
    # block_z3_arg[b,t,i] = -0.5*block_z3[b,t,i]*sqrt(2)
    block_z3_arg = np.multiply(block_z3, -2.0**0.5 / 2.0, out=ws.block_z3_arg)
    # block_z3_arg_erfc[b,t,i] = erfc(block_z3_arg[b,t,i])
    block_z3_arg_erfc = _erfc(
        block_z3_arg, out=ws.block_z3_arg_erfc, scratch=(ws.t_5, ws.t_6, ws.t_7)
    )
    # block_h3[b,t,i] = 0.5*block_z3[b,t,i]*block_z3_arg_erfc[b,t,i]
    block_h3 = np.multiply(block_z3, block_z3_arg_erfc, out=ws.block_h3)
    block_h3 *= 0.5
    # block_z4[b,t,i] += block_W4[i,j]*block_h3[b,t,j]
    block_z4 = ws.block_z4
    np.matmul(block_h3.reshape(B * T, F), block_W4.T, out=block_z4.reshape(B * T, D))
    # block_z4[b,t,i] += block_c4[i] for b < B, t < T
    block_z4 += block_c4
    # block_r4[b,t,i] = block_n2[b,t,i] + block_z4[b,t,i]
    block_r4 = np.add(block_n2, block_z4, out=ws.block_r4)
    # block_m5[b,t] += block_r4[b,t,j]/D
    block_m5 = np.sum(block_r4, axis=2, out=ws.block_m5)
    block_m5 /= D
    # block_v5[b,t] += (block_r4[b,t,j] - block_m5[b,t])**2/D
    np.subtract(block_r4, block_m5[..., None], out=t_3)
    np.square(t_3, out=t_4)
    block_v5 = np.sum(t_4, axis=2, out=ws.block_v5)
    block_v5 /= D
    # block_v5_sqrt[b,t] = sqrt(0.00001 + block_v5[b,t])
    block_v5_sqrt = np.add(1e-05, block_v5, out=ws.block_v5_sqrt)
    np.sqrt(block_v5_sqrt, out=block_v5_sqrt)
    # block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t] + block_s5[i]
    block = np.multiply(t_3, block_g5, out=ws.block)
    block /= block_v5_sqrt[..., None]
    block += block_s5
    # present_where_2[b,i,t] = where(present[b,t] == 1, block[b,t,i], 0)
    present_where_2 = ws.present_where_2
    present_where_2.fill(0.0)
    np.copyto(present_where_2, block.transpose(0, 2, 1), where=present[:, None, :])
    # pooled_sum[b,i] += present_where_2[b,i,t]
    pooled_sum = np.sum(present_where_2, axis=2, out=ws.pooled_sum)
    # pooled[b,i] = pooled_sum[b,i]/count[b]
    pooled = np.divide(pooled_sum, count[:, None], out=ws.pooled)
    # logits[b,i] += logits_W1[i,j]*pooled[b,j]
    logits = np.matmul(pooled, logits_W1.T, out=ws.logits)
    # logits[b,i] += logits_c1[i] for b < B
    logits += logits_c1
    return logits


def word_forward(params, token, *, workspace=None):
    """The output word.

    token: int[B, T] < V

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    token = _integer("token", token, 2)
    T, V, D, A, K, F, C = params._sizes.values()
    B = _length("B", "token", token, 0)
    _shape("token", token, (B, T))
    _below("token", token, V)
    ws = _memory(workspace, _WordForwardMemory, dtype, B=B, T=T, V=V, D=D, A=A, K=K, F=F, C=C)
    token = _fit(ws, "token", token, np.intp)
    word_W1 = params.word.W1
    # word[b,t,i] = word_W1[token[b,t],i]
    word = np.take(word_W1, token, axis=0, out=ws.word, mode="clip")
    return word


def block_forward(params, token, present, *, workspace=None):
    """The output block.

    token: int[B, T] < V
    present: bool[B, T]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    token = _integer("token", token, 2)
    present = _boolean("present", present, 2)
    T, V, D, A, K, F, C = params._sizes.values()
    B = _length("B", "token", token, 0)
    _shape("token", token, (B, T))
    _shape("present", present, (B, T))
    _below("token", token, V)
    ws = _memory(workspace, _BlockForwardMemory, dtype, B=B, T=T, V=V, D=D, A=A, K=K, F=F, C=C)
    token = _fit(ws, "token", token, np.intp)
    present = _fit(ws, "present", present, np.bool_)
    place, word_W1, block_Wq1 = params.place, params.word.W1, params.block.Wq1
    block_Wk1, block_Wv1, block_cq1 = params.block.Wk1, params.block.Wv1, params.block.cq1
    block_ck1, block_cv1, block_Wo1 = params.block.ck1, params.block.cv1, params.block.Wo1
    block_co1, block_g2, block_s2 = params.block.co1, params.block.g2, params.block.s2
    block_W3, block_c3, block_W4 = params.block.W3, params.block.c3, params.block.W4
    block_c4, block_g5, block_s5 = params.block.c4, params.block.g5, params.block.s5
    # word[b,t,i] = word_W1[token[b,t],i]
    word = np.take(word_W1, token, axis=0, out=ws.word, mode="clip")
    # x[b,t,i] = place[t,i] + word[b,t,i]
    x = np.add(place, word, out=ws.x)
    # block_q1[b,u,i] += block_Wq1[i,j]*x[b,u,j]
    block_q1 = ws.block_q1
    np.matmul(x.reshape(B * T, D), block_Wq1.T, out=block_q1.reshape(B * T, (A*K)))
    # block_q1[b,u,i] += block_cq1[i] for b < B, u < T
    block_q1 += block_cq1
    # block_k1[b,u,i] += block_Wk1[i,j]*x[b,u,j]
    block_k1 = ws.block_k1
    np.matmul(x.reshape(B * T, D), block_Wk1.T, out=block_k1.reshape(B * T, (A*K)))
    # block_k1[b,u,i] += block_ck1[i] for b < B, u < T
    block_k1 += block_ck1
    # block_v1[b,u,i] += block_Wv1[i,j]*x[b,u,j]
    block_v1 = ws.block_v1
    np.matmul(x.reshape(B * T, D), block_Wv1.T, out=block_v1.reshape(B * T, (A*K)))
    # block_v1[b,u,i] += block_cv1[i] for b < B, u < T
    block_v1 += block_cv1
    # block_s1_sum[b,i,u,w] += block_k1[b,w,K*i+l]*block_q1[b,u,K*i+l] for i < A, l < K
    block_s1_sum = np.matmul(
        block_q1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        block_k1.reshape(B, T, A, K).transpose(0, 2, 3, 1),
        out=ws.block_s1_sum,
    )
    # block_s1[b,i,u,w] = where(present[b,w] == 1, block_s1_sum[b,i,u,w]/sqrt(K), -inf)
    block_s1 = ws.block_s1
    block_s1.fill(-np.inf)
    np.divide(block_s1_sum, float(np.sqrt(K)), out=block_s1, where=present[:, None, None, :])
    # block_l1[b,i,u] = logsumexp(w: block_s1[b,i,u,w])
    block_l1 = _logsumexp(block_s1, out=ws.block_l1, scratch=ws.t_1, total=ws.t_2)
    # block_p1[b,i,u,w] = expdiff(block_s1[b,i,u,w], block_l1[b,i,u])
    block_p1 = _expdiff(block_s1, block_l1[..., None], out=ws.block_p1)
    # block_o1[b,u,K*i+l] += block_p1[b,i,u,w]*block_v1[b,w,K*i+l] for l < K
    block_o1 = ws.block_o1
    np.matmul(
        block_p1,
        block_v1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=block_o1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # block_y1[b,u,i] += block_Wo1[i,j]*block_o1[b,u,j]
    block_y1 = ws.block_y1
    np.matmul(block_o1.reshape(B * T, (A*K)), block_Wo1.T, out=block_y1.reshape(B * T, D))
    # block_y1[b,u,i] += block_co1[i] for b < B, u < T
    block_y1 += block_co1
    # block_r1[b,t,i] = block_y1[b,t,i] + x[b,t,i]
    block_r1 = np.add(block_y1, x, out=ws.block_r1)
    # block_m2[b,t] += block_r1[b,t,j]/D
    block_m2 = np.sum(block_r1, axis=2, out=ws.block_m2)
    block_m2 /= D
    # block_v2[b,t] += (block_r1[b,t,j] - block_m2[b,t])**2/D
    t_3 = np.subtract(block_r1, block_m2[..., None], out=ws.t_3)
    t_4 = np.square(t_3, out=ws.t_4)
    block_v2 = np.sum(t_4, axis=2, out=ws.block_v2)
    block_v2 /= D
    # block_v2_sqrt[b,t] = sqrt(0.00001 + block_v2[b,t])
    block_v2_sqrt = np.add(1e-05, block_v2, out=ws.block_v2_sqrt)
    np.sqrt(block_v2_sqrt, out=block_v2_sqrt)
    # block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t] +
    #     block_s2[i]
    block_n2 = np.multiply(t_3, block_g2, out=ws.block_n2)
    block_n2 /= block_v2_sqrt[..., None]
    block_n2 += block_s2
    # block_z3[b,t,i] += block_W3[i,j]*block_n2[b,t,j]
    block_z3 = ws.block_z3
    np.matmul(block_n2.reshape(B * T, D), block_W3.T, out=block_z3.reshape(B * T, F))
    # block_z3[b,t,i] += block_c3[i] for b < B, t < T
    block_z3 += block_c3
    # block_z3_arg[b,t,i] = -0.5*block_z3[b,t,i]*sqrt(2)
    block_z3_arg = np.multiply(block_z3, -2.0**0.5 / 2.0, out=ws.block_z3_arg)
    # block_z3_arg_erfc[b,t,i] = erfc(block_z3_arg[b,t,i])
    block_z3_arg_erfc = _erfc(
        block_z3_arg, out=ws.block_z3_arg_erfc, scratch=(ws.t_5, ws.t_6, ws.t_7)
    )
    # block_h3[b,t,i] = 0.5*block_z3[b,t,i]*block_z3_arg_erfc[b,t,i]
    block_h3 = np.multiply(block_z3, block_z3_arg_erfc, out=ws.block_h3)
    block_h3 *= 0.5
    # block_z4[b,t,i] += block_W4[i,j]*block_h3[b,t,j]
    block_z4 = ws.block_z4
    np.matmul(block_h3.reshape(B * T, F), block_W4.T, out=block_z4.reshape(B * T, D))
    # block_z4[b,t,i] += block_c4[i] for b < B, t < T
    block_z4 += block_c4
    # block_r4[b,t,i] = block_n2[b,t,i] + block_z4[b,t,i]
    block_r4 = np.add(block_n2, block_z4, out=ws.block_r4)
    # block_m5[b,t] += block_r4[b,t,j]/D
    block_m5 = np.sum(block_r4, axis=2, out=ws.block_m5)
    block_m5 /= D
    # block_v5[b,t] += (block_r4[b,t,j] - block_m5[b,t])**2/D
    np.subtract(block_r4, block_m5[..., None], out=t_3)
    np.square(t_3, out=t_4)
    block_v5 = np.sum(t_4, axis=2, out=ws.block_v5)
    block_v5 /= D
    # block_v5_sqrt[b,t] = sqrt(0.00001 + block_v5[b,t])
    block_v5_sqrt = np.add(1e-05, block_v5, out=ws.block_v5_sqrt)
    np.sqrt(block_v5_sqrt, out=block_v5_sqrt)
    # block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t] + block_s5[i]
    block = np.multiply(t_3, block_g5, out=ws.block)
    block /= block_v5_sqrt[..., None]
    block += block_s5
    return block


def logits_forward(params, token, present, *, workspace=None):
    """The output logits.

    token: int[B, T] < V
    present: bool[B, T]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    token = _integer("token", token, 2)
    present = _boolean("present", present, 2)
    T, V, D, A, K, F, C = params._sizes.values()
    B = _length("B", "token", token, 0)
    _shape("token", token, (B, T))
    _shape("present", present, (B, T))
    _below("token", token, V)
    ws = _memory(workspace, _LogitsForwardMemory, dtype, B=B, T=T, V=V, D=D, A=A, K=K, F=F, C=C)
    token = _fit(ws, "token", token, np.intp)
    present = _fit(ws, "present", present, np.bool_)
    place, word_W1, block_Wq1 = params.place, params.word.W1, params.block.Wq1
    block_Wk1, block_Wv1, block_cq1 = params.block.Wk1, params.block.Wv1, params.block.cq1
    block_ck1, block_cv1, block_Wo1 = params.block.ck1, params.block.cv1, params.block.Wo1
    block_co1, block_g2, block_s2 = params.block.co1, params.block.g2, params.block.s2
    block_W3, block_c3, block_W4 = params.block.W3, params.block.c3, params.block.W4
    block_c4, block_g5, block_s5 = params.block.c4, params.block.g5, params.block.s5
    logits_W1, logits_c1 = params.logits.W1, params.logits.c1
    # word[b,t,i] = word_W1[token[b,t],i]
    word = np.take(word_W1, token, axis=0, out=ws.word, mode="clip")
    # x[b,t,i] = place[t,i] + word[b,t,i]
    x = np.add(place, word, out=ws.x)
    # present_where[b,t] = [present[b,t] == 1]
    present_where = ws.present_where
    present_where.fill(0.0)
    np.copyto(present_where, 1.0, where=present)
    # count_sum[b] += present_where[b,t]
    count_sum = np.sum(present_where, axis=1, out=ws.count_sum)
    # count[b] = maximum(count_sum[b], 1)
    count = np.maximum(count_sum, 1.0, out=ws.count)
    # block_q1[b,u,i] += block_Wq1[i,j]*x[b,u,j]
    block_q1 = ws.block_q1
    np.matmul(x.reshape(B * T, D), block_Wq1.T, out=block_q1.reshape(B * T, (A*K)))
    # block_q1[b,u,i] += block_cq1[i] for b < B, u < T
    block_q1 += block_cq1
    # block_k1[b,u,i] += block_Wk1[i,j]*x[b,u,j]
    block_k1 = ws.block_k1
    np.matmul(x.reshape(B * T, D), block_Wk1.T, out=block_k1.reshape(B * T, (A*K)))
    # block_k1[b,u,i] += block_ck1[i] for b < B, u < T
    block_k1 += block_ck1
    # block_v1[b,u,i] += block_Wv1[i,j]*x[b,u,j]
    block_v1 = ws.block_v1
    np.matmul(x.reshape(B * T, D), block_Wv1.T, out=block_v1.reshape(B * T, (A*K)))
    # block_v1[b,u,i] += block_cv1[i] for b < B, u < T
    block_v1 += block_cv1
    # block_s1_sum[b,i,u,w] += block_k1[b,w,K*i+l]*block_q1[b,u,K*i+l] for i < A, l < K
    block_s1_sum = np.matmul(
        block_q1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        block_k1.reshape(B, T, A, K).transpose(0, 2, 3, 1),
        out=ws.block_s1_sum,
    )
    # block_s1[b,i,u,w] = where(present[b,w] == 1, block_s1_sum[b,i,u,w]/sqrt(K), -inf)
    block_s1 = ws.block_s1
    block_s1.fill(-np.inf)
    np.divide(block_s1_sum, float(np.sqrt(K)), out=block_s1, where=present[:, None, None, :])
    # block_l1[b,i,u] = logsumexp(w: block_s1[b,i,u,w])
    block_l1 = _logsumexp(block_s1, out=ws.block_l1, scratch=ws.t_1, total=ws.t_2)
    # block_p1[b,i,u,w] = expdiff(block_s1[b,i,u,w], block_l1[b,i,u])
    block_p1 = _expdiff(block_s1, block_l1[..., None], out=ws.block_p1)
    # block_o1[b,u,K*i+l] += block_p1[b,i,u,w]*block_v1[b,w,K*i+l] for l < K
    block_o1 = ws.block_o1
    np.matmul(
        block_p1,
        block_v1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=block_o1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # block_y1[b,u,i] += block_Wo1[i,j]*block_o1[b,u,j]
    block_y1 = ws.block_y1
    np.matmul(block_o1.reshape(B * T, (A*K)), block_Wo1.T, out=block_y1.reshape(B * T, D))
    # block_y1[b,u,i] += block_co1[i] for b < B, u < T
    block_y1 += block_co1
    # block_r1[b,t,i] = block_y1[b,t,i] + x[b,t,i]
    block_r1 = np.add(block_y1, x, out=ws.block_r1)
    # block_m2[b,t] += block_r1[b,t,j]/D
    block_m2 = np.sum(block_r1, axis=2, out=ws.block_m2)
    block_m2 /= D
    # block_v2[b,t] += (block_r1[b,t,j] - block_m2[b,t])**2/D
    t_3 = np.subtract(block_r1, block_m2[..., None], out=ws.t_3)
    t_4 = np.square(t_3, out=ws.t_4)
    block_v2 = np.sum(t_4, axis=2, out=ws.block_v2)
    block_v2 /= D
    # block_v2_sqrt[b,t] = sqrt(0.00001 + block_v2[b,t])
    block_v2_sqrt = np.add(1e-05, block_v2, out=ws.block_v2_sqrt)
    np.sqrt(block_v2_sqrt, out=block_v2_sqrt)
    # block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t] +
    #     block_s2[i]
    block_n2 = np.multiply(t_3, block_g2, out=ws.block_n2)
    block_n2 /= block_v2_sqrt[..., None]
    block_n2 += block_s2
    # block_z3[b,t,i] += block_W3[i,j]*block_n2[b,t,j]
    block_z3 = ws.block_z3
    np.matmul(block_n2.reshape(B * T, D), block_W3.T, out=block_z3.reshape(B * T, F))
    # block_z3[b,t,i] += block_c3[i] for b < B, t < T
    block_z3 += block_c3
    # block_z3_arg[b,t,i] = -0.5*block_z3[b,t,i]*sqrt(2)
    block_z3_arg = np.multiply(block_z3, -2.0**0.5 / 2.0, out=ws.block_z3_arg)
    # block_z3_arg_erfc[b,t,i] = erfc(block_z3_arg[b,t,i])
    block_z3_arg_erfc = _erfc(
        block_z3_arg, out=ws.block_z3_arg_erfc, scratch=(ws.t_5, ws.t_6, ws.t_7)
    )
    # block_h3[b,t,i] = 0.5*block_z3[b,t,i]*block_z3_arg_erfc[b,t,i]
    block_h3 = np.multiply(block_z3, block_z3_arg_erfc, out=ws.block_h3)
    block_h3 *= 0.5
    # block_z4[b,t,i] += block_W4[i,j]*block_h3[b,t,j]
    block_z4 = ws.block_z4
    np.matmul(block_h3.reshape(B * T, F), block_W4.T, out=block_z4.reshape(B * T, D))
    # block_z4[b,t,i] += block_c4[i] for b < B, t < T
    block_z4 += block_c4
    # block_r4[b,t,i] = block_n2[b,t,i] + block_z4[b,t,i]
    block_r4 = np.add(block_n2, block_z4, out=ws.block_r4)
    # block_m5[b,t] += block_r4[b,t,j]/D
    block_m5 = np.sum(block_r4, axis=2, out=ws.block_m5)
    block_m5 /= D
    # block_v5[b,t] += (block_r4[b,t,j] - block_m5[b,t])**2/D
    np.subtract(block_r4, block_m5[..., None], out=t_3)
    np.square(t_3, out=t_4)
    block_v5 = np.sum(t_4, axis=2, out=ws.block_v5)
    block_v5 /= D
    # block_v5_sqrt[b,t] = sqrt(0.00001 + block_v5[b,t])
    block_v5_sqrt = np.add(1e-05, block_v5, out=ws.block_v5_sqrt)
    np.sqrt(block_v5_sqrt, out=block_v5_sqrt)
    # block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t] + block_s5[i]
    block = np.multiply(t_3, block_g5, out=ws.block)
    block /= block_v5_sqrt[..., None]
    block += block_s5
    # present_where_2[b,i,t] = where(present[b,t] == 1, block[b,t,i], 0)
    present_where_2 = ws.present_where_2
    present_where_2.fill(0.0)
    np.copyto(present_where_2, block.transpose(0, 2, 1), where=present[:, None, :])
    # pooled_sum[b,i] += present_where_2[b,i,t]
    pooled_sum = np.sum(present_where_2, axis=2, out=ws.pooled_sum)
    # pooled[b,i] = pooled_sum[b,i]/count[b]
    pooled = np.divide(pooled_sum, count[:, None], out=ws.pooled)
    # logits[b,i] += logits_W1[i,j]*pooled[b,j]
    logits = np.matmul(pooled, logits_W1.T, out=ws.logits)
    # logits[b,i] += logits_c1[i] for b < B
    logits += logits_c1
    return logits


def value(params, *, token, present, label, workspace=None):
    """The loss.

    token: int[B, T] < V
    present: bool[B, T]
    label: int[B] < C

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    token = _integer("token", token, 2)
    present = _boolean("present", present, 2)
    label = _integer("label", label, 1)
    T, V, D, A, K, F, C = params._sizes.values()
    B = _length("B", "token", token, 0)
    _shape("token", token, (B, T))
    _shape("present", present, (B, T))
    _shape("label", label, (B,))
    _below("token", token, V)
    _below("label", label, C)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, T=T, V=V, D=D, A=A, K=K, F=F, C=C)
    token = _fit(ws, "token", token, np.intp)
    present = _fit(ws, "present", present, np.bool_)
    label = _fit(ws, "label", label, np.intp)
    place, word_W1, block_Wq1 = params.place, params.word.W1, params.block.Wq1
    block_Wk1, block_Wv1, block_cq1 = params.block.Wk1, params.block.Wv1, params.block.cq1
    block_ck1, block_cv1, block_Wo1 = params.block.ck1, params.block.cv1, params.block.Wo1
    block_co1, block_g2, block_s2 = params.block.co1, params.block.g2, params.block.s2
    block_W3, block_c3, block_W4 = params.block.W3, params.block.c3, params.block.W4
    block_c4, block_g5, block_s5 = params.block.c4, params.block.g5, params.block.s5
    logits_W1, logits_c1 = params.logits.W1, params.logits.c1
    # word[b,t,i] = word_W1[token[b,t],i]
    word = np.take(word_W1, token, axis=0, out=ws.word, mode="clip")
    # x[b,t,i] = place[t,i] + word[b,t,i]
    x = np.add(place, word, out=ws.x)
    # present_where[b,t] = [present[b,t] == 1]
    present_where = ws.present_where
    present_where.fill(0.0)
    np.copyto(present_where, 1.0, where=present)
    # count_sum[b] += present_where[b,t]
    count_sum = np.sum(present_where, axis=1, out=ws.count_sum)
    # count[b] = maximum(count_sum[b], 1)
    count = np.maximum(count_sum, 1.0, out=ws.count)
    # block_q1[b,u,i] += block_Wq1[i,j]*x[b,u,j]
    block_q1 = ws.block_q1
    np.matmul(x.reshape(B * T, D), block_Wq1.T, out=block_q1.reshape(B * T, (A*K)))
    # block_q1[b,u,i] += block_cq1[i] for b < B, u < T
    block_q1 += block_cq1
    # block_k1[b,u,i] += block_Wk1[i,j]*x[b,u,j]
    block_k1 = ws.block_k1
    np.matmul(x.reshape(B * T, D), block_Wk1.T, out=block_k1.reshape(B * T, (A*K)))
    # block_k1[b,u,i] += block_ck1[i] for b < B, u < T
    block_k1 += block_ck1
    # block_v1[b,u,i] += block_Wv1[i,j]*x[b,u,j]
    block_v1 = ws.block_v1
    np.matmul(x.reshape(B * T, D), block_Wv1.T, out=block_v1.reshape(B * T, (A*K)))
    # block_v1[b,u,i] += block_cv1[i] for b < B, u < T
    block_v1 += block_cv1
    # block_s1_sum[b,i,u,w] += block_k1[b,w,K*i+l]*block_q1[b,u,K*i+l] for i < A, l < K
    block_s1_sum = np.matmul(
        block_q1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        block_k1.reshape(B, T, A, K).transpose(0, 2, 3, 1),
        out=ws.block_s1_sum,
    )
    # block_s1[b,i,u,w] = where(present[b,w] == 1, block_s1_sum[b,i,u,w]/sqrt(K), -inf)
    block_s1 = ws.block_s1
    block_s1.fill(-np.inf)
    np.divide(block_s1_sum, float(np.sqrt(K)), out=block_s1, where=present[:, None, None, :])
    # block_l1[b,i,u] = logsumexp(w: block_s1[b,i,u,w])
    block_l1 = _logsumexp(block_s1, out=ws.block_l1, scratch=ws.t_1, total=ws.t_2)
    # block_p1[b,i,u,w] = expdiff(block_s1[b,i,u,w], block_l1[b,i,u])
    block_p1 = _expdiff(block_s1, block_l1[..., None], out=ws.block_p1)
    # block_o1[b,u,K*i+l] += block_p1[b,i,u,w]*block_v1[b,w,K*i+l] for l < K
    block_o1 = ws.block_o1
    np.matmul(
        block_p1,
        block_v1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=block_o1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # block_y1[b,u,i] += block_Wo1[i,j]*block_o1[b,u,j]
    block_y1 = ws.block_y1
    np.matmul(block_o1.reshape(B * T, (A*K)), block_Wo1.T, out=block_y1.reshape(B * T, D))
    # block_y1[b,u,i] += block_co1[i] for b < B, u < T
    block_y1 += block_co1
    # block_r1[b,t,i] = block_y1[b,t,i] + x[b,t,i]
    block_r1 = np.add(block_y1, x, out=ws.block_r1)
    # block_m2[b,t] += block_r1[b,t,j]/D
    block_m2 = np.sum(block_r1, axis=2, out=ws.block_m2)
    block_m2 /= D
    # block_v2[b,t] += (block_r1[b,t,j] - block_m2[b,t])**2/D
    t_3 = np.subtract(block_r1, block_m2[..., None], out=ws.t_3)
    t_4 = np.square(t_3, out=ws.t_4)
    block_v2 = np.sum(t_4, axis=2, out=ws.block_v2)
    block_v2 /= D
    # block_v2_sqrt[b,t] = sqrt(0.00001 + block_v2[b,t])
    block_v2_sqrt = np.add(1e-05, block_v2, out=ws.block_v2_sqrt)
    np.sqrt(block_v2_sqrt, out=block_v2_sqrt)
    # block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t] +
    #     block_s2[i]
    block_n2 = np.multiply(t_3, block_g2, out=ws.block_n2)
    block_n2 /= block_v2_sqrt[..., None]
    block_n2 += block_s2
    # block_z3[b,t,i] += block_W3[i,j]*block_n2[b,t,j]
    block_z3 = ws.block_z3
    np.matmul(block_n2.reshape(B * T, D), block_W3.T, out=block_z3.reshape(B * T, F))
    # block_z3[b,t,i] += block_c3[i] for b < B, t < T
    block_z3 += block_c3
    # block_z3_arg[b,t,i] = -0.5*block_z3[b,t,i]*sqrt(2)
    block_z3_arg = np.multiply(block_z3, -2.0**0.5 / 2.0, out=ws.block_z3_arg)
    # block_z3_arg_erfc[b,t,i] = erfc(block_z3_arg[b,t,i])
    block_z3_arg_erfc = _erfc(
        block_z3_arg, out=ws.block_z3_arg_erfc, scratch=(ws.t_5, ws.t_6, ws.t_7)
    )
    # block_h3[b,t,i] = 0.5*block_z3[b,t,i]*block_z3_arg_erfc[b,t,i]
    block_h3 = np.multiply(block_z3, block_z3_arg_erfc, out=ws.block_h3)
    block_h3 *= 0.5
    # block_z4[b,t,i] += block_W4[i,j]*block_h3[b,t,j]
    block_z4 = ws.block_z4
    np.matmul(block_h3.reshape(B * T, F), block_W4.T, out=block_z4.reshape(B * T, D))
    # block_z4[b,t,i] += block_c4[i] for b < B, t < T
    block_z4 += block_c4
    # block_r4[b,t,i] = block_n2[b,t,i] + block_z4[b,t,i]
    block_r4 = np.add(block_n2, block_z4, out=ws.block_r4)
    # block_m5[b,t] += block_r4[b,t,j]/D
    block_m5 = np.sum(block_r4, axis=2, out=ws.block_m5)
    block_m5 /= D
    # block_v5[b,t] += (block_r4[b,t,j] - block_m5[b,t])**2/D
    np.subtract(block_r4, block_m5[..., None], out=t_3)
    np.square(t_3, out=t_4)
    block_v5 = np.sum(t_4, axis=2, out=ws.block_v5)
    block_v5 /= D
    # block_v5_sqrt[b,t] = sqrt(0.00001 + block_v5[b,t])
    block_v5_sqrt = np.add(1e-05, block_v5, out=ws.block_v5_sqrt)
    np.sqrt(block_v5_sqrt, out=block_v5_sqrt)
    # block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t] + block_s5[i]
    block = np.multiply(t_3, block_g5, out=ws.block)
    block /= block_v5_sqrt[..., None]
    block += block_s5
    # present_where_2[b,i,t] = where(present[b,t] == 1, block[b,t,i], 0)
    present_where_2 = ws.present_where_2
    present_where_2.fill(0.0)
    np.copyto(present_where_2, block.transpose(0, 2, 1), where=present[:, None, :])
    # pooled_sum[b,i] += present_where_2[b,i,t]
    pooled_sum = np.sum(present_where_2, axis=2, out=ws.pooled_sum)
    # pooled[b,i] = pooled_sum[b,i]/count[b]
    pooled = np.divide(pooled_sum, count[:, None], out=ws.pooled)
    # logits[b,i] += logits_W1[i,j]*pooled[b,j]
    logits = np.matmul(pooled, logits_W1.T, out=ws.logits)
    # logits[b,i] += logits_c1[i] for b < B
    logits += logits_c1
    # lse[b] = logsumexp(a: logits[b,a])
    lse = _logsumexp(logits, out=ws.lse, scratch=ws.t_8, total=ws.t_9)
    # loss += (lse[b] - logits[b,label[b]])/B
    logits_at = _pick(logits, (ws.arange, label), out=ws.logits_at, at=ws.at)
    t_10 = np.subtract(lse, logits_at, out=ws.t_10)
    loss = np.sum(t_10) / B
    return loss


def value_and_grad(params, *, token, present, label, workspace=None):
    """The loss and its gradient by place, word, block, logits.

    token: int[B, T] < V
    present: bool[B, T]
    label: int[B] < C

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    token = _integer("token", token, 2)
    present = _boolean("present", present, 2)
    label = _integer("label", label, 1)
    T, V, D, A, K, F, C = params._sizes.values()
    B = _length("B", "token", token, 0)
    _shape("token", token, (B, T))
    _shape("present", present, (B, T))
    _shape("label", label, (B,))
    _below("token", token, V)
    _below("label", label, C)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, T=T, V=V, D=D, A=A, K=K, F=F, C=C)
    token = _fit(ws, "token", token, np.intp)
    present = _fit(ws, "present", present, np.bool_)
    label = _fit(ws, "label", label, np.intp)
    grads = ws.grads
    place, word_W1, block_Wq1 = params.place, params.word.W1, params.block.Wq1
    block_Wk1, block_Wv1, block_cq1 = params.block.Wk1, params.block.Wv1, params.block.cq1
    block_ck1, block_cv1, block_Wo1 = params.block.ck1, params.block.cv1, params.block.Wo1
    block_co1, block_g2, block_s2 = params.block.co1, params.block.g2, params.block.s2
    block_W3, block_c3, block_W4 = params.block.W3, params.block.c3, params.block.W4
    block_c4, block_g5, block_s5 = params.block.c4, params.block.g5, params.block.s5
    logits_W1, logits_c1 = params.logits.W1, params.logits.c1
    # word[b,t,i] = word_W1[token[b,t],i]
    word = np.take(word_W1, token, axis=0, out=ws.word, mode="clip")
    # x[b,t,i] = place[t,i] + word[b,t,i]
    x = np.add(place, word, out=ws.x)
    # present_where[b,t] = [present[b,t] == 1]
    present_where = ws.present_where
    present_where.fill(0.0)
    np.copyto(present_where, 1.0, where=present)
    # count_sum[b] += present_where[b,t]
    count_sum = np.sum(present_where, axis=1, out=ws.count_sum)
    # count[b] = maximum(count_sum[b], 1)
    count = np.maximum(count_sum, 1.0, out=ws.count)
    # block_q1[b,u,i] += block_Wq1[i,j]*x[b,u,j]
    block_q1 = ws.block_q1
    np.matmul(x.reshape(B * T, D), block_Wq1.T, out=block_q1.reshape(B * T, (A*K)))
    # block_q1[b,u,i] += block_cq1[i] for b < B, u < T
    block_q1 += block_cq1
    # block_k1[b,u,i] += block_Wk1[i,j]*x[b,u,j]
    block_k1 = ws.block_k1
    np.matmul(x.reshape(B * T, D), block_Wk1.T, out=block_k1.reshape(B * T, (A*K)))
    # block_k1[b,u,i] += block_ck1[i] for b < B, u < T
    block_k1 += block_ck1
    # block_v1[b,u,i] += block_Wv1[i,j]*x[b,u,j]
    block_v1 = ws.block_v1
    np.matmul(x.reshape(B * T, D), block_Wv1.T, out=block_v1.reshape(B * T, (A*K)))
    # block_v1[b,u,i] += block_cv1[i] for b < B, u < T
    block_v1 += block_cv1
    # block_s1_sum[b,i,u,w] += block_k1[b,w,K*i+l]*block_q1[b,u,K*i+l] for i < A, l < K
    block_s1_sum = np.matmul(
        block_q1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        block_k1.reshape(B, T, A, K).transpose(0, 2, 3, 1),
        out=ws.block_s1_sum,
    )
    # block_s1[b,i,u,w] = where(present[b,w] == 1, block_s1_sum[b,i,u,w]/sqrt(K), -inf)
    block_s1 = ws.block_s1
    block_s1.fill(-np.inf)
    np.divide(block_s1_sum, float(np.sqrt(K)), out=block_s1, where=present[:, None, None, :])
    # block_l1[b,i,u] = logsumexp(w: block_s1[b,i,u,w])
    block_l1 = _logsumexp(block_s1, out=ws.block_l1, scratch=ws.t_3, total=ws.t_4)
    # block_p1[b,i,u,w] = expdiff(block_s1[b,i,u,w], block_l1[b,i,u])
    block_p1 = _expdiff(block_s1, block_l1[..., None], out=ws.block_p1)
    # block_o1[b,u,K*i+l] += block_p1[b,i,u,w]*block_v1[b,w,K*i+l] for l < K
    block_o1 = ws.block_o1
    np.matmul(
        block_p1,
        block_v1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=block_o1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # block_y1[b,u,i] += block_Wo1[i,j]*block_o1[b,u,j]
    block_y1 = ws.block_y1
    np.matmul(block_o1.reshape(B * T, (A*K)), block_Wo1.T, out=block_y1.reshape(B * T, D))
    # block_y1[b,u,i] += block_co1[i] for b < B, u < T
    block_y1 += block_co1
    # block_r1[b,t,i] = block_y1[b,t,i] + x[b,t,i]
    block_r1 = np.add(block_y1, x, out=ws.block_r1)
    # block_m2[b,t] += block_r1[b,t,j]/D
    block_m2 = np.sum(block_r1, axis=2, out=ws.block_m2)
    block_m2 /= D
    # block_v2[b,t] += (block_r1[b,t,j] - block_m2[b,t])**2/D
    t_5 = np.subtract(block_r1, block_m2[..., None], out=ws.t_5)
    t_1 = np.square(t_5, out=ws.t_1)
    block_v2 = np.sum(t_1, axis=2, out=ws.block_v2)
    block_v2 /= D
    # block_v2_sqrt[b,t] = sqrt(0.00001 + block_v2[b,t])
    block_v2_sqrt = np.add(1e-05, block_v2, out=ws.block_v2_sqrt)
    np.sqrt(block_v2_sqrt, out=block_v2_sqrt)
    # block_n2[b,t,i] = block_g2[i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t] +
    #     block_s2[i]
    np.multiply(t_5, block_g2, out=t_1)
    block_n2 = np.divide(t_1, block_v2_sqrt[..., None], out=ws.block_n2)
    block_n2 += block_s2
    # block_z3[b,t,i] += block_W3[i,j]*block_n2[b,t,j]
    block_z3 = ws.block_z3
    np.matmul(block_n2.reshape(B * T, D), block_W3.T, out=block_z3.reshape(B * T, F))
    # block_z3[b,t,i] += block_c3[i] for b < B, t < T
    block_z3 += block_c3
    # block_z3_arg[b,t,i] = -0.5*block_z3[b,t,i]*sqrt(2)
    block_z3_arg = np.multiply(block_z3, -2.0**0.5 / 2.0, out=ws.block_z3_arg)
    # block_z3_arg_erfc[b,t,i] = erfc(block_z3_arg[b,t,i])
    block_z3_arg_erfc = _erfc(
        block_z3_arg, out=ws.block_z3_arg_erfc, scratch=(ws.t_6, ws.t_7, ws.t_8)
    )
    # block_h3[b,t,i] = 0.5*block_z3[b,t,i]*block_z3_arg_erfc[b,t,i]
    block_h3 = np.multiply(block_z3, block_z3_arg_erfc, out=ws.block_h3)
    block_h3 *= 0.5
    # block_z4[b,t,i] += block_W4[i,j]*block_h3[b,t,j]
    block_z4 = ws.block_z4
    np.matmul(block_h3.reshape(B * T, F), block_W4.T, out=block_z4.reshape(B * T, D))
    # block_z4[b,t,i] += block_c4[i] for b < B, t < T
    block_z4 += block_c4
    # block_r4[b,t,i] = block_n2[b,t,i] + block_z4[b,t,i]
    block_r4 = np.add(block_n2, block_z4, out=ws.block_r4)
    # block_m5[b,t] += block_r4[b,t,j]/D
    block_m5 = np.sum(block_r4, axis=2, out=ws.block_m5)
    block_m5 /= D
    # block_v5[b,t] += (block_r4[b,t,j] - block_m5[b,t])**2/D
    t_9 = np.subtract(block_r4, block_m5[..., None], out=ws.t_9)
    t_2 = np.square(t_9, out=ws.t_2)
    block_v5 = np.sum(t_2, axis=2, out=ws.block_v5)
    block_v5 /= D
    # block_v5_sqrt[b,t] = sqrt(0.00001 + block_v5[b,t])
    block_v5_sqrt = np.add(1e-05, block_v5, out=ws.block_v5_sqrt)
    np.sqrt(block_v5_sqrt, out=block_v5_sqrt)
    # block[b,t,i] = block_g5[i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t] + block_s5[i]
    np.multiply(t_9, block_g5, out=t_2)
    block = np.divide(t_2, block_v5_sqrt[..., None], out=ws.block)
    block += block_s5
    # present_where_2[b,i,t] = where(present[b,t] == 1, block[b,t,i], 0)
    present_where_2 = ws.present_where_2
    present_where_2.fill(0.0)
    np.copyto(present_where_2, block.transpose(0, 2, 1), where=present[:, None, :])
    # pooled_sum[b,i] += present_where_2[b,i,t]
    pooled_sum = np.sum(present_where_2, axis=2, out=ws.pooled_sum)
    # pooled[b,i] = pooled_sum[b,i]/count[b]
    pooled = np.divide(pooled_sum, count[:, None], out=ws.pooled)
    # logits[b,i] += logits_W1[i,j]*pooled[b,j]
    logits = np.matmul(pooled, logits_W1.T, out=ws.logits)
    # logits[b,i] += logits_c1[i] for b < B
    logits += logits_c1
    # lse[b] = logsumexp(a: logits[b,a])
    lse = _logsumexp(logits, out=ws.lse, scratch=ws.t_10, total=ws.t_11)
    # loss += (lse[b] - logits[b,label[b]])/B
    logits_at = _pick(logits, (ws.arange, label), out=ws.logits_at, at=ws.at)
    t_11 = np.subtract(lse, logits_at, out=ws.t_11)
    loss = np.sum(t_11) / B
    # dlse[b] = 1/B for b < B
    dlse = ws.dlse
    dlse.fill(1.0 / B)
    # logits_softmax[b,a] = expdiff(logits[b,a], lse[b])
    logits_softmax = _expdiff(logits, lse[:, None], out=ws.logits_softmax)
    # dlogits[b,a] += dlse[b]*logits_softmax[b,a]
    dlogits = np.multiply(dlse[:, None], logits_softmax, out=ws.dlogits)
    # dlogits[b,label[b]] += -1/B
    _add_at(dlogits, (ws.arange, label), -1.0 / B, at=ws.at, scratch=ws.t_12)
    # dlogits_c1[i] += dlogits[b,i]
    np.sum(dlogits, axis=0, out=grads.logits.c1)
    # dlogits_W1[i,j] += dlogits[b,i]*pooled[b,j]
    np.matmul(dlogits.T, pooled, out=grads.logits.W1)
    # dpooled[b,j] += dlogits[b,i]*logits_W1[i,j]
    dpooled = np.matmul(dlogits, logits_W1, out=ws.dpooled)
    # dpooled_sum[b,i] = dpooled[b,i]/count[b]
    dpooled_sum = np.divide(dpooled, count[:, None], out=ws.dpooled_sum)
    # dpresent_where_2[b,i,t] = dpooled_sum[b,i] for t < T
    dpresent_where_2 = ws.dpresent_where_2
    np.copyto(dpresent_where_2, dpooled_sum[..., None])
    # dblock[b,t,i] = where(present[b,t] == 1, dpresent_where_2[b,i,t], 0)
    dblock = ws.dblock
    dblock.fill(0.0)
    np.copyto(dblock, dpresent_where_2.transpose(0, 2, 1), where=present[..., None])
    # dblock_g5[i] += dblock[b,t,i]*(block_r4[b,t,i] - block_m5[b,t])/block_v5_sqrt[b,t]
    t_13 = np.multiply(t_9, dblock, out=ws.t_13)
    t_14 = np.divide(1.0, block_v5_sqrt, out=ws.t_14)
    np.matmul(t_14.reshape(B * T), t_13.reshape(B * T, D), out=grads.block.g5)
    # dblock_m5[b,t] += -dblock[b,t,i]*block_g5[i]/block_v5_sqrt[b,t]
    np.multiply(block_g5, dblock, out=t_13)
    t_15 = np.sum(t_13, axis=2, out=ws.t_15)
    dblock_m5 = np.multiply(t_15, t_14, out=ws.dblock_m5)
    np.negative(dblock_m5, out=dblock_m5)
    # dblock_r4[b,t,i] += dblock[b,t,i]*block_g5[i]/block_v5_sqrt[b,t]
    dblock_r4 = np.divide(t_13, block_v5_sqrt[..., None], out=ws.dblock_r4)
    # dblock_s5[i] += dblock[b,t,i]
    np.sum(dblock, axis=(0, 1), out=grads.block.s5)
    # dblock_v5_sqrt[b,t] += -dblock[b,t,i]*block_g5[i]*(block_r4[b,t,i] -
    #     block_m5[b,t])/block_v5_sqrt[b,t]**2
    t_2 *= dblock
    np.sum(t_2, axis=2, out=t_15)
    t_16 = np.square(block_v5_sqrt, out=ws.t_16)
    np.divide(1.0, t_16, out=t_16)
    dblock_v5_sqrt = np.multiply(t_15, t_16, out=ws.dblock_v5_sqrt)
    np.negative(dblock_v5_sqrt, out=dblock_v5_sqrt)
    # dblock_v5[b,t] = 0.5*dblock_v5_sqrt[b,t]/block_v5_sqrt[b,t]
    dblock_v5 = np.divide(dblock_v5_sqrt, block_v5_sqrt, out=ws.dblock_v5)
    dblock_v5 *= 0.5
    # dblock_m5[b,t] += -2*dblock_v5[b,t]*(block_r4[b,t,j] - block_m5[b,t])/D
    np.sum(t_9, axis=2, out=t_15)
    np.multiply(dblock_v5, t_15, out=t_15)
    t_15 *= 2.0 / D
    dblock_m5 -= t_15
    # dblock_r4[b,t,j] += 2*dblock_v5[b,t]*(block_r4[b,t,j] - block_m5[b,t])/D
    t_17 = np.multiply(dblock_v5, 2.0 / D, out=ws.t_17)
    t_9 *= t_17[..., None]
    dblock_r4 += t_9
    # dblock_r4[b,t,j] += dblock_m5[b,t]/D for j < D
    np.divide(dblock_m5, D, out=t_17)
    dblock_r4 += t_17[..., None]
    # dblock_c4[i] += dblock_r4[b,t,i]
    np.sum(dblock_r4, axis=(0, 1), out=grads.block.c4)
    # dblock_W4[i,j] += dblock_r4[b,t,i]*block_h3[b,t,j]
    np.matmul(
        dblock_r4.reshape(B * T, D).T, block_h3.reshape(B * T, F), out=grads.block.W4
    )
    # dblock_h3[b,t,j] += dblock_r4[b,t,i]*block_W4[i,j]
    dblock_h3 = ws.dblock_h3
    np.matmul(dblock_r4.reshape(B * T, D), block_W4, out=dblock_h3.reshape(B * T, F))
    # dblock_z3[b,t,i] += 0.5*dblock_h3[b,t,i]*block_z3_arg_erfc[b,t,i]
    dblock_z3 = np.multiply(block_z3_arg_erfc, dblock_h3, out=ws.dblock_z3)
    dblock_z3 *= 0.5
    # dblock_z3_arg_erfc[b,t,i] = 0.5*dblock_h3[b,t,i]*block_z3[b,t,i]
    dblock_z3_arg_erfc = np.multiply(block_z3, dblock_h3, out=ws.dblock_z3_arg_erfc)
    dblock_z3_arg_erfc *= 0.5
    # block_z3_arg_exp[b,t,i] = exp(-block_z3_arg[b,t,i]**2)
    block_z3_arg_exp = np.square(block_z3_arg, out=ws.block_z3_arg_exp)
    np.negative(block_z3_arg_exp, out=block_z3_arg_exp)
    np.exp(block_z3_arg_exp, out=block_z3_arg_exp)
    # dblock_z3_arg[b,t,i] = -2*dblock_z3_arg_erfc[b,t,i]*block_z3_arg_exp[b,t,i]/sqrt(PI)
    dblock_z3_arg = np.multiply(block_z3_arg_exp, dblock_z3_arg_erfc, out=ws.dblock_z3_arg)
    dblock_z3_arg *= -2.0 / np.pi**0.5
    # dblock_z3[b,t,i] += -0.5*dblock_z3_arg[b,t,i]*sqrt(2)
    t_18 = np.multiply(dblock_z3_arg, 2.0**0.5 / 2.0, out=ws.t_18)
    dblock_z3 -= t_18
    # dblock_c3[i] += dblock_z3[b,t,i]
    np.sum(dblock_z3, axis=(0, 1), out=grads.block.c3)
    # dblock_W3[i,j] += dblock_z3[b,t,i]*block_n2[b,t,j]
    np.matmul(
        dblock_z3.reshape(B * T, F).T, block_n2.reshape(B * T, D), out=grads.block.W3
    )
    # dblock_n2[b,t,j] += dblock_z3[b,t,i]*block_W3[i,j]
    dblock_n2 = ws.dblock_n2
    np.matmul(dblock_z3.reshape(B * T, F), block_W3, out=dblock_n2.reshape(B * T, D))
    # dblock_n2[b,t,i] += dblock_r4[b,t,i]
    dblock_n2 += dblock_r4
    # dblock_g2[i] += dblock_n2[b,t,i]*(block_r1[b,t,i] - block_m2[b,t])/block_v2_sqrt[b,t]
    np.multiply(t_5, dblock_n2, out=t_9)
    np.divide(1.0, block_v2_sqrt, out=t_17)
    np.matmul(t_17.reshape(B * T), t_9.reshape(B * T, D), out=grads.block.g2)
    # dblock_m2[b,t] += -dblock_n2[b,t,i]*block_g2[i]/block_v2_sqrt[b,t]
    np.multiply(block_g2, dblock_n2, out=t_9)
    np.sum(t_9, axis=2, out=t_14)
    dblock_m2 = np.multiply(t_14, t_17, out=ws.dblock_m2)
    np.negative(dblock_m2, out=dblock_m2)
    # dblock_r1[b,t,i] += dblock_n2[b,t,i]*block_g2[i]/block_v2_sqrt[b,t]
    dblock_r1 = np.divide(t_9, block_v2_sqrt[..., None], out=ws.dblock_r1)
    # dblock_s2[i] += dblock_n2[b,t,i]
    np.sum(dblock_n2, axis=(0, 1), out=grads.block.s2)
    # dblock_v2_sqrt[b,t] += -dblock_n2[b,t,i]*block_g2[i]*(block_r1[b,t,i] -
    #     block_m2[b,t])/block_v2_sqrt[b,t]**2
    t_1 *= dblock_n2
    np.sum(t_1, axis=2, out=t_14)
    np.square(block_v2_sqrt, out=t_15)
    np.divide(1.0, t_15, out=t_15)
    dblock_v2_sqrt = np.multiply(t_14, t_15, out=ws.dblock_v2_sqrt)
    np.negative(dblock_v2_sqrt, out=dblock_v2_sqrt)
    # dblock_v2[b,t] = 0.5*dblock_v2_sqrt[b,t]/block_v2_sqrt[b,t]
    dblock_v2 = np.divide(dblock_v2_sqrt, block_v2_sqrt, out=ws.dblock_v2)
    dblock_v2 *= 0.5
    # dblock_m2[b,t] += -2*dblock_v2[b,t]*(block_r1[b,t,j] - block_m2[b,t])/D
    np.sum(t_5, axis=2, out=t_14)
    np.multiply(dblock_v2, t_14, out=t_14)
    t_14 *= 2.0 / D
    dblock_m2 -= t_14
    # dblock_r1[b,t,j] += 2*dblock_v2[b,t]*(block_r1[b,t,j] - block_m2[b,t])/D
    t_19 = np.multiply(dblock_v2, 2.0 / D, out=ws.t_19)
    t_5 *= t_19[..., None]
    dblock_r1 += t_5
    # dblock_r1[b,t,j] += dblock_m2[b,t]/D for j < D
    np.divide(dblock_m2, D, out=t_19)
    dblock_r1 += t_19[..., None]
    # dblock_co1[i] += dblock_r1[b,u,i]
    np.sum(dblock_r1, axis=(0, 1), out=grads.block.co1)
    # dblock_Wo1[i,j] += dblock_r1[b,u,i]*block_o1[b,u,j]
    np.matmul(
        dblock_r1.reshape(B * T, D).T, block_o1.reshape(B * T, (A*K)), out=grads.block.Wo1
    )
    # dblock_o1[b,u,j] += dblock_r1[b,u,i]*block_Wo1[i,j]
    dblock_o1 = ws.dblock_o1
    np.matmul(dblock_r1.reshape(B * T, D), block_Wo1, out=dblock_o1.reshape(B * T, (A*K)))
    # dblock_p1[b,i,u,w] += dblock_o1[b,u,K*i+l]*block_v1[b,w,K*i+l] for i < A, l < K
    dblock_p1 = np.matmul(
        dblock_o1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        block_v1.reshape(B, T, A, K).transpose(0, 2, 3, 1),
        out=ws.dblock_p1,
    )
    # dblock_v1[b,w,K*i+l] += dblock_o1[b,u,K*i+l]*block_p1[b,i,u,w] for l < K
    dblock_v1 = ws.dblock_v1
    np.matmul(
        block_p1.transpose(0, 1, 3, 2),
        dblock_o1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=dblock_v1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # dblock_l1[b,i,u] += -dblock_p1[b,i,u,w]*block_p1[b,i,u,w]
    t_20 = np.multiply(block_p1, dblock_p1, out=ws.t_20)
    dblock_l1 = np.sum(t_20, axis=3, out=ws.dblock_l1)
    np.negative(dblock_l1, out=dblock_l1)
    # dblock_s1[b,i,u,w] += dblock_p1[b,i,u,w]*block_p1[b,i,u,w]
    # dblock_s1[b,i,u,w] += dblock_l1[b,i,u]*block_p1[b,i,u,w]
    t_3 = np.multiply(block_p1, dblock_l1[..., None], out=ws.t_3)
    dblock_s1 = np.add(t_20, t_3, out=ws.dblock_s1)
    # dblock_s1_sum[b,i,u,w] = where(present[b,w] == 1, dblock_s1[b,i,u,w]/sqrt(K), 0)
    dblock_s1_sum = ws.dblock_s1_sum
    dblock_s1_sum.fill(0.0)
    np.divide(dblock_s1, float(np.sqrt(K)), out=dblock_s1_sum, where=present[:, None, None, :])
    # dblock_k1[b,w,K*i+l] += dblock_s1_sum[b,i,u,w]*block_q1[b,u,K*i+l] for l < K
    dblock_k1 = ws.dblock_k1
    np.matmul(
        dblock_s1_sum.transpose(0, 1, 3, 2),
        block_q1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=dblock_k1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # dblock_q1[b,u,K*i+l] += dblock_s1_sum[b,i,u,w]*block_k1[b,w,K*i+l] for l < K
    dblock_q1 = ws.dblock_q1
    np.matmul(
        dblock_s1_sum,
        block_k1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
        out=dblock_q1.reshape(B, T, A, K).transpose(0, 2, 1, 3),
    )
    # dblock_cv1[i] += dblock_v1[b,u,i]
    np.sum(dblock_v1, axis=(0, 1), out=grads.block.cv1)
    # dblock_Wv1[i,j] += dblock_v1[b,u,i]*x[b,u,j]
    np.matmul(
        dblock_v1.reshape(B * T, (A*K)).T, x.reshape(B * T, D), out=grads.block.Wv1
    )
    # dx[b,u,j] += dblock_v1[b,u,i]*block_Wv1[i,j]
    dx = ws.dx
    np.matmul(dblock_v1.reshape(B * T, (A*K)), block_Wv1, out=dx.reshape(B * T, D))
    # dx[b,t,i] += dblock_r1[b,t,i]
    dx += dblock_r1
    # dblock_ck1[i] += dblock_k1[b,u,i]
    np.sum(dblock_k1, axis=(0, 1), out=grads.block.ck1)
    # dblock_Wk1[i,j] += dblock_k1[b,u,i]*x[b,u,j]
    np.matmul(
        dblock_k1.reshape(B * T, (A*K)).T, x.reshape(B * T, D), out=grads.block.Wk1
    )
    # dx[b,u,j] += dblock_k1[b,u,i]*block_Wk1[i,j]
    np.matmul(dblock_k1.reshape(B * T, (A*K)), block_Wk1, out=t_1.reshape(B * T, D))
    dx += t_1
    # dblock_cq1[i] += dblock_q1[b,u,i]
    np.sum(dblock_q1, axis=(0, 1), out=grads.block.cq1)
    # dblock_Wq1[i,j] += dblock_q1[b,u,i]*x[b,u,j]
    np.matmul(
        dblock_q1.reshape(B * T, (A*K)).T, x.reshape(B * T, D), out=grads.block.Wq1
    )
    # dx[b,u,j] += dblock_q1[b,u,i]*block_Wq1[i,j]
    t_21 = ws.t_21
    np.matmul(dblock_q1.reshape(B * T, (A*K)), block_Wq1, out=t_21.reshape(B * T, D))
    dx += t_21
    # dplace[t,i] += dx[b,t,i]
    np.sum(dx, axis=0, out=grads.place)
    dword_W1 = grads.word.W1
    dword_W1.fill(0.0)
    # dword_W1[token[b,t],i] += dx[b,t,i]
    np.add.at(dword_W1, token, dx)
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, T, V, D, A, K, F, C):
        self._copies = {}
        self.word = self.x = self.block_r1 = self.t_3 = self.block_n2 = np.empty((B, T, D), dtype)
        self.block_r4 = self.block = self.word
        self.count_sum = self.count = np.empty((B,), dtype)
        self.block_q1 = self.block_o1 = np.empty((B, T, A * K), dtype)
        self.block_k1 = np.empty((B, T, A * K), dtype)
        self.block_v1 = np.empty((B, T, A * K), dtype)
        self.block_s1_sum = self.t_1 = self.block_p1 = np.empty((B, A, T, T), dtype)
        self.block_s1 = np.empty((B, A, T, T), dtype)
        self.block_l1 = np.empty((B, A, T), dtype)
        self.block_y1 = self.t_4 = self.block_z4 = np.empty((B, T, D), dtype)
        self.block_z3 = self.block_h3 = np.empty((B, T, F), dtype)
        self.pooled_sum = self.pooled = np.empty((B, D), dtype)
        self.logits = np.empty((B, C), dtype)
        self.present_where = self.block_m2 = self.block_v2 = np.empty((B, T), dtype)
        self.block_v2_sqrt = self.block_m5 = self.block_v5 = self.block_v5_sqrt = self.present_where
        self.block_z3_arg = np.empty((B, T, F), dtype)
        self.block_z3_arg_erfc = np.empty((B, T, F), dtype)
        self.present_where_2 = np.empty((B, D, T), dtype)
        self.t_2 = np.empty((B, A, T), dtype)
        self.t_5 = np.empty((B, T, F), dtype)
        self.t_6 = np.empty((B, T, F), dtype)
        self.t_7 = np.empty((B, T, F), dtype)


class _WordForwardMemory:
    """The buffers of word_forward."""

    def __init__(self, dtype, *, B, T, V, D, A, K, F, C):
        self._copies = {}
        self.word = np.empty((B, T, D), dtype)


class _BlockForwardMemory:
    """The buffers of block_forward."""

    def __init__(self, dtype, *, B, T, V, D, A, K, F, C):
        self._copies = {}
        self.word = self.x = self.block_r1 = self.t_3 = self.block_n2 = np.empty((B, T, D), dtype)
        self.block_r4 = self.block = self.word
        self.block_q1 = self.block_o1 = np.empty((B, T, A * K), dtype)
        self.block_k1 = np.empty((B, T, A * K), dtype)
        self.block_v1 = np.empty((B, T, A * K), dtype)
        self.block_s1_sum = self.t_1 = self.block_p1 = np.empty((B, A, T, T), dtype)
        self.block_s1 = np.empty((B, A, T, T), dtype)
        self.block_l1 = np.empty((B, A, T), dtype)
        self.block_y1 = self.t_4 = self.block_z4 = np.empty((B, T, D), dtype)
        self.block_m2 = self.block_v2 = self.block_v2_sqrt = self.block_m5 = np.empty((B, T), dtype)
        self.block_v5 = self.block_v5_sqrt = self.block_m2
        self.block_z3 = self.block_h3 = np.empty((B, T, F), dtype)
        self.block_z3_arg = np.empty((B, T, F), dtype)
        self.block_z3_arg_erfc = np.empty((B, T, F), dtype)
        self.t_2 = np.empty((B, A, T), dtype)
        self.t_5 = np.empty((B, T, F), dtype)
        self.t_6 = np.empty((B, T, F), dtype)
        self.t_7 = np.empty((B, T, F), dtype)


class _LogitsForwardMemory:
    """The buffers of logits_forward."""

    def __init__(self, dtype, *, B, T, V, D, A, K, F, C):
        self._copies = {}
        self.word = self.x = self.block_r1 = self.t_3 = self.block_n2 = np.empty((B, T, D), dtype)
        self.block_r4 = self.block = self.word
        self.count_sum = self.count = np.empty((B,), dtype)
        self.block_q1 = self.block_o1 = np.empty((B, T, A * K), dtype)
        self.block_k1 = np.empty((B, T, A * K), dtype)
        self.block_v1 = np.empty((B, T, A * K), dtype)
        self.block_s1_sum = self.t_1 = self.block_p1 = np.empty((B, A, T, T), dtype)
        self.block_s1 = np.empty((B, A, T, T), dtype)
        self.block_l1 = np.empty((B, A, T), dtype)
        self.block_y1 = self.t_4 = self.block_z4 = np.empty((B, T, D), dtype)
        self.block_z3 = self.block_h3 = np.empty((B, T, F), dtype)
        self.pooled_sum = self.pooled = np.empty((B, D), dtype)
        self.logits = np.empty((B, C), dtype)
        self.present_where = self.block_m2 = self.block_v2 = np.empty((B, T), dtype)
        self.block_v2_sqrt = self.block_m5 = self.block_v5 = self.block_v5_sqrt = self.present_where
        self.block_z3_arg = np.empty((B, T, F), dtype)
        self.block_z3_arg_erfc = np.empty((B, T, F), dtype)
        self.present_where_2 = np.empty((B, D, T), dtype)
        self.t_2 = np.empty((B, A, T), dtype)
        self.t_5 = np.empty((B, T, F), dtype)
        self.t_6 = np.empty((B, T, F), dtype)
        self.t_7 = np.empty((B, T, F), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, T, V, D, A, K, F, C):
        self._copies = {}
        self.word = self.x = self.block_r1 = self.t_3 = self.block_n2 = np.empty((B, T, D), dtype)
        self.block_r4 = self.block = self.word
        self.count_sum = self.count = self.lse = self.t_10 = np.empty((B,), dtype)
        self.block_q1 = self.block_o1 = np.empty((B, T, A * K), dtype)
        self.block_k1 = np.empty((B, T, A * K), dtype)
        self.block_v1 = np.empty((B, T, A * K), dtype)
        self.block_s1_sum = self.t_1 = self.block_p1 = np.empty((B, A, T, T), dtype)
        self.block_s1 = np.empty((B, A, T, T), dtype)
        self.block_l1 = np.empty((B, A, T), dtype)
        self.block_y1 = self.t_4 = self.block_z4 = np.empty((B, T, D), dtype)
        self.block_z3 = self.block_h3 = np.empty((B, T, F), dtype)
        self.pooled_sum = self.pooled = np.empty((B, D), dtype)
        self.logits = np.empty((B, C), dtype)
        self.present_where = self.block_m2 = self.block_v2 = np.empty((B, T), dtype)
        self.block_v2_sqrt = self.block_m5 = self.block_v5 = self.block_v5_sqrt = self.present_where
        self.block_z3_arg = np.empty((B, T, F), dtype)
        self.block_z3_arg_erfc = np.empty((B, T, F), dtype)
        self.present_where_2 = np.empty((B, D, T), dtype)
        self.t_2 = np.empty((B, A, T), dtype)
        self.t_5 = np.empty((B, T, F), dtype)
        self.t_6 = np.empty((B, T, F), dtype)
        self.t_7 = np.empty((B, T, F), dtype)
        self.t_8 = np.empty((B, C), dtype)
        self.t_9 = self.logits_at = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, T, V, D, A, K, F, C):
        self._copies = {}
        self.word = self.x = self.t_21 = np.empty((B, T, D), dtype)
        self.count_sum = self.count = np.empty((B,), dtype)
        self.block_q1 = self.dblock_q1 = np.empty((B, T, A * K), dtype)
        self.block_k1 = np.empty((B, T, A * K), dtype)
        self.block_v1 = self.dblock_v1 = np.empty((B, T, A * K), dtype)
        self.block_s1_sum = self.t_3 = self.block_p1 = np.empty((B, A, T, T), dtype)
        self.dblock_s1 = self.block_s1_sum
        self.block_s1 = self.dblock_p1 = self.t_20 = np.empty((B, A, T, T), dtype)
        self.dblock_s1_sum = self.block_s1
        self.block_l1 = self.dblock_l1 = np.empty((B, A, T), dtype)
        self.block_o1 = self.dblock_o1 = self.dblock_k1 = np.empty((B, T, A * K), dtype)
        self.block_y1 = self.block_r1 = self.t_5 = self.dx = np.empty((B, T, D), dtype)
        self.t_1 = np.empty((B, T, D), dtype)
        self.block_n2 = self.dblock_n2 = np.empty((B, T, D), dtype)
        self.block_z3 = self.dblock_z3_arg_erfc = self.dblock_z3_arg = np.empty((B, T, F), dtype)
        self.t_18 = self.block_z3
        self.block_z4 = self.block_r4 = self.t_9 = self.dblock_r1 = np.empty((B, T, D), dtype)
        self.block_m5 = self.block_v5 = self.block_v5_sqrt = np.empty((B, T), dtype)
        self.dblock_v5 = self.t_17 = self.dblock_m2 = self.block_m5
        self.t_2 = np.empty((B, T, D), dtype)
        self.block = self.dblock = np.empty((B, T, D), dtype)
        self.pooled_sum = self.pooled = self.dpooled = self.dpooled_sum = np.empty((B, D), dtype)
        self.logits = self.dlogits = np.empty((B, C), dtype)
        self.lse = self.t_12 = np.empty((B,), dtype)
        self.present_where = self.block_m2 = self.block_v2 = np.empty((B, T), dtype)
        self.block_v2_sqrt = self.dblock_v2 = self.t_19 = self.present_where
        self.block_z3_arg = self.block_z3_arg_exp = np.empty((B, T, F), dtype)
        self.block_z3_arg_erfc = self.dblock_z3 = np.empty((B, T, F), dtype)
        self.present_where_2 = self.dpresent_where_2 = np.empty((B, D, T), dtype)
        self.t_4 = np.empty((B, A, T), dtype)
        self.t_6 = self.block_h3 = self.dblock_h3 = np.empty((B, T, F), dtype)
        self.t_7 = np.empty((B, T, F), dtype)
        self.t_8 = np.empty((B, T, F), dtype)
        self.t_10 = self.logits_softmax = np.empty((B, C), dtype)
        self.t_11 = self.logits_at = self.dlse = np.empty((B,), dtype)
        self.arange = np.arange(B, dtype=np.intp)
        self.at = np.empty((B,), np.intp)
        self.t_13 = self.dblock_r4 = np.empty((B, T, D), dtype)
        self.t_14 = self.dblock_m5 = self.dblock_v2_sqrt = np.empty((B, T), dtype)
        self.t_15 = self.dblock_v5_sqrt = np.empty((B, T), dtype)
        self.t_16 = np.empty((B, T), dtype)
        self.grads = Params(dtype, T=T, V=V, D=D, A=A, K=K, F=F, C=C)


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


_ERFC = (
    4.805436123800187e-10, 2.2681123161281883e-09, -9.158831426055293e-10, -1.9098527570864875e-08,
    1.6999320255878013e-09, 1.2867215146802265e-07, -7.568853688031865e-08, -8.494215484449161e-07,
    1.4240059955447907e-06, 4.6958644741193655e-06, -1.8860729646756052e-05,
    -3.6355961487298794e-06, 0.00017681276235889215, -0.00045505260369331697,
    -0.0002809588544600414, 0.006112055646301874, -0.02637005334154019, 0.07638151490993866,
    -0.1740109372398645, 0.33085158787799085, -0.5408538313132368, 0.7732087022652374,
    -0.976548729080882, 1.095995661000491,
)


def _erfc(x, out=None, scratch=(None, None, None), where=True):
    """erfc(x) = exp(-a^2) P(v)/(a + 4) for x > 0, else 2 minus that, where a = min(abs(x), 28).

    _ERFC holds the polynomial P, highest power first: with v = (a - 4)/(a + 4) it meets
    exp(a^2) erfc(a) (a + 4) at the 24 Chebyshev points of -1 <= v <= 3/4, worked out with 60
    digits. exp(-a^2) is exp(-h^2) exp((h - a)(h + a)): h is a, rounded to a multiple of 1/64, and
    its square is exact. The error is below 5 units in the last place, in the tail too.
    """
    first, second, third = scratch
    a = np.minimum(np.abs(x, out=first, where=where), 28.0, out=first, where=where)
    d = np.add(a, 4.0, out=second, where=where)
    v = np.subtract(a, 4.0, out=third, where=where)
    v = np.divide(v, d, out=third, where=where)
    p = np.multiply(v, _ERFC[0], out=out, where=where)
    for c in _ERFC[1:-1]:
        p = np.multiply(np.add(p, c, out=out, where=where), v, out=out, where=where)
    p = np.divide(np.add(p, _ERFC[-1], out=out, where=where), d, out=out, where=where)
    h = np.rint(np.multiply(a, 64.0, out=third, where=where), out=third, where=where)
    h = np.divide(h, 64.0, out=third, where=where)
    d = np.subtract(h, a, out=second, where=where)
    d = np.multiply(d, np.add(h, a, out=first, where=where), out=second, where=where)
    p = np.multiply(p, np.exp(d, out=second, where=where), out=out, where=where)
    h = np.negative(np.multiply(h, h, out=third, where=where), out=third, where=where)
    p = np.multiply(p, np.exp(h, out=third, where=where), out=out, where=where)
    sign = np.copysign(1.0, x, out=first, where=where)
    p = np.multiply(p, sign, out=out, where=where)
    return np.add(p, np.subtract(1.0, sign, out=first, where=where), out=out, where=where)


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


def _glorot_uniform(rng, shape):
    """Uniform within sqrt(6/(fan_in + fan_out)); the axes after the second are a kernel's."""
    kernel = np.prod(shape[2:])
    bound = np.sqrt(6.0 / (kernel * (shape[0] + np.prod(shape[1:2]))))
    return rng.uniform(-bound, bound, shape)


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


def _normal(rng, shape, deviation):
    """Normal with mean 0."""
    return rng.normal(0.0, deviation, shape)


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
