# ruff: noqa: E741, RUF100
"""dpo: Direct preference optimisation of a small language model, an embedding, causal attention and
logits: of two answers the chosen one is preferred to the rejected one.

Forward
    policy_e1[b,t,i] = policy_W1[chosen[b,t],i]
    policy_m2[b,t] += policy_e1[b,t,j]/D
    policy_v2[b,t] += (policy_e1[b,t,j] - policy_m2[b,t])**2/D
    policy_n2[b,t,i] = policy_g2[i]*(policy_e1[b,t,i] - policy_m2[b,t])/sqrt(0.00001 +
        policy_v2[b,t]) + policy_s2[i]
    policy_q3[b,u,i] += policy_Wq3[i,j]*policy_n2[b,u,j]
    policy_q3[b,u,i] += policy_cq3[i] for b < B, u < T
    policy_k3[b,u,i] += policy_Wk3[i,j]*policy_n2[b,u,j]
    policy_k3[b,u,i] += policy_ck3[i] for b < B, u < T
    policy_v3[b,u,i] += policy_Wv3[i,j]*policy_n2[b,u,j]
    policy_v3[b,u,i] += policy_cv3[i] for b < B, u < T
    policy_s3_sum[b,i,u,w] += policy_k3[b,w,8*i+l]*policy_q3[b,u,8*i+l] for i < 2, l < 8
    policy_s3[b,i,u,w] = where(w <= u, 0.25*policy_s3_sum[b,i,u,w]*sqrt(2), -inf)
    policy_l3[b,i,u] = logsumexp(w: policy_s3[b,i,u,w])
    policy_p3[b,i,u,w] = expdiff(policy_s3[b,i,u,w], policy_l3[b,i,u])
    policy_o3[b,u,8*i+l] += policy_p3[b,i,u,w]*policy_v3[b,w,8*i+l] for l < 8
    policy_y3[b,u,i] += policy_Wo3[i,j]*policy_o3[b,u,j]
    policy_y3[b,u,i] += policy_co3[i] for b < B, u < T
    policy_r3[b,t,i] = policy_e1[b,t,i] + policy_y3[b,t,i]
    policy_m4[b,t] += policy_r3[b,t,j]/D
    policy_v4[b,t] += (policy_r3[b,t,j] - policy_m4[b,t])**2/D
    policy_n4[b,t,i] = policy_g4[i]*(policy_r3[b,t,i] - policy_m4[b,t])/sqrt(0.00001 +
        policy_v4[b,t]) + policy_s4[i]
    policy_z5[b,t,i] += policy_W5[i,j]*policy_n4[b,t,j]
    policy_z5[b,t,i] += policy_c5[i] for b < B, t < T
    policy_lse[b,t] = logsumexp(v: policy_z5[b,t,v])
    policy[b,t,i] = policy_z5[b,t,i] - policy_lse[b,t]
    reference_e1[b,t,i] = reference_W1[chosen[b,t],i]
    reference_m2[b,t] += reference_e1[b,t,j]/D
    reference_v2[b,t] += (reference_e1[b,t,j] - reference_m2[b,t])**2/D
    reference_n2[b,t,i] = reference_g2[i]*(reference_e1[b,t,i] - reference_m2[b,t])/sqrt(0.00001 +
        reference_v2[b,t]) + reference_s2[i]
    reference_q3[b,u,i] += reference_Wq3[i,j]*reference_n2[b,u,j]
    reference_q3[b,u,i] += reference_cq3[i] for b < B, u < T
    reference_k3[b,u,i] += reference_Wk3[i,j]*reference_n2[b,u,j]
    reference_k3[b,u,i] += reference_ck3[i] for b < B, u < T
    reference_v3[b,u,i] += reference_Wv3[i,j]*reference_n2[b,u,j]
    reference_v3[b,u,i] += reference_cv3[i] for b < B, u < T
    reference_s3_sum[b,i,u,w] += reference_k3[b,w,8*i+l]*reference_q3[b,u,8*i+l] for i < 2, l < 8
    reference_s3[b,i,u,w] = where(w <= u, 0.25*reference_s3_sum[b,i,u,w]*sqrt(2), -inf)
    reference_l3[b,i,u] = logsumexp(w: reference_s3[b,i,u,w])
    reference_p3[b,i,u,w] = expdiff(reference_s3[b,i,u,w], reference_l3[b,i,u])
    reference_o3[b,u,8*i+l] += reference_p3[b,i,u,w]*reference_v3[b,w,8*i+l] for l < 8
    reference_y3[b,u,i] += reference_Wo3[i,j]*reference_o3[b,u,j]
    reference_y3[b,u,i] += reference_co3[i] for b < B, u < T
    reference_r3[b,t,i] = reference_e1[b,t,i] + reference_y3[b,t,i]
    reference_m4[b,t] += reference_r3[b,t,j]/D
    reference_v4[b,t] += (reference_r3[b,t,j] - reference_m4[b,t])**2/D
    reference_n4[b,t,i] = reference_g4[i]*(reference_r3[b,t,i] - reference_m4[b,t])/sqrt(0.00001 +
        reference_v4[b,t]) + reference_s4[i]
    reference_z5[b,t,i] += reference_W5[i,j]*reference_n4[b,t,j]
    reference_z5[b,t,i] += reference_c5[i] for b < B, t < T
    reference_lse[b,t] = logsumexp(v: reference_z5[b,t,v])
    reference[b,t,i] = reference_z5[b,t,i] - reference_lse[b,t]

Loss dpo
    token_w[b,t] = where(chosen_mask[b,t+1] == 1, policy[b,t,chosen[b,t+1]], 0) for t < T-1
    policy_e1_rejected[b,t,i] = policy_W1[rejected[b,t],i]
    policy_m2_rejected[b,t] += policy_e1_rejected[b,t,j]/D
    policy_v2_rejected[b,t] += (policy_e1_rejected[b,t,j] - policy_m2_rejected[b,t])**2/D
    policy_n2_rejected[b,t,i] = policy_g2[i]*(policy_e1_rejected[b,t,i] -
        policy_m2_rejected[b,t])/sqrt(0.00001 + policy_v2_rejected[b,t]) + policy_s2[i]
    policy_q3_rejected[b,u,i] += policy_Wq3[i,j]*policy_n2_rejected[b,u,j]
    policy_q3_rejected[b,u,i] += policy_cq3[i] for b < B, u < T
    policy_k3_rejected[b,u,i] += policy_Wk3[i,j]*policy_n2_rejected[b,u,j]
    policy_k3_rejected[b,u,i] += policy_ck3[i] for b < B, u < T
    policy_v3_rejected[b,u,i] += policy_Wv3[i,j]*policy_n2_rejected[b,u,j]
    policy_v3_rejected[b,u,i] += policy_cv3[i] for b < B, u < T
    policy_s3_rejected_sum[b,i,u,w] += policy_k3_rejected[b,w,8*i+l]*policy_q3_rejected[b,u,8*i+l]
        for i < 2, l < 8
    policy_s3_rejected[b,i,u,w] = where(w <= u, 0.25*policy_s3_rejected_sum[b,i,u,w]*sqrt(2), -inf)
    policy_l3_rejected[b,i,u] = logsumexp(w: policy_s3_rejected[b,i,u,w])
    policy_p3_rejected[b,i,u,w] = expdiff(policy_s3_rejected[b,i,u,w], policy_l3_rejected[b,i,u])
    policy_o3_rejected[b,u,8*i+l] += policy_p3_rejected[b,i,u,w]*policy_v3_rejected[b,w,8*i+l] for l
        < 8
    policy_y3_rejected[b,u,i] += policy_Wo3[i,j]*policy_o3_rejected[b,u,j]
    policy_y3_rejected[b,u,i] += policy_co3[i] for b < B, u < T
    policy_r3_rejected[b,t,i] = policy_e1_rejected[b,t,i] + policy_y3_rejected[b,t,i]
    policy_m4_rejected[b,t] += policy_r3_rejected[b,t,j]/D
    policy_v4_rejected[b,t] += (policy_r3_rejected[b,t,j] - policy_m4_rejected[b,t])**2/D
    policy_n4_rejected[b,t,i] = policy_g4[i]*(policy_r3_rejected[b,t,i] -
        policy_m4_rejected[b,t])/sqrt(0.00001 + policy_v4_rejected[b,t]) + policy_s4[i]
    policy_z5_rejected[b,t,i] += policy_W5[i,j]*policy_n4_rejected[b,t,j]
    policy_z5_rejected[b,t,i] += policy_c5[i] for b < B, t < T
    policy_rejected_lse[b,t] = logsumexp(v: policy_z5_rejected[b,t,v])
    policy_rejected[b,t,i] = policy_z5_rejected[b,t,i] - policy_rejected_lse[b,t]
    token_l[b,t] = where(rejected_mask[b,t+1] == 1, policy_rejected[b,t,rejected[b,t+1]], 0) for t <
        T-1
    token_ref_w[b,t] = where(chosen_mask[b,t+1] == 1, reference[b,t,chosen[b,t+1]], 0) for t < T-1
    reference_e1_rejected[b,t,i] = reference_W1[rejected[b,t],i]
    reference_m2_rejected[b,t] += reference_e1_rejected[b,t,j]/D
    reference_v2_rejected[b,t] += (reference_e1_rejected[b,t,j] - reference_m2_rejected[b,t])**2/D
    reference_n2_rejected[b,t,i] = reference_g2[i]*(reference_e1_rejected[b,t,i] -
        reference_m2_rejected[b,t])/sqrt(0.00001 + reference_v2_rejected[b,t]) + reference_s2[i]
    reference_q3_rejected[b,u,i] += reference_Wq3[i,j]*reference_n2_rejected[b,u,j]
    reference_q3_rejected[b,u,i] += reference_cq3[i] for b < B, u < T
    reference_k3_rejected[b,u,i] += reference_Wk3[i,j]*reference_n2_rejected[b,u,j]
    reference_k3_rejected[b,u,i] += reference_ck3[i] for b < B, u < T
    reference_v3_rejected[b,u,i] += reference_Wv3[i,j]*reference_n2_rejected[b,u,j]
    reference_v3_rejected[b,u,i] += reference_cv3[i] for b < B, u < T
    reference_s3_rejected_sum[b,i,u,w] +=
        reference_k3_rejected[b,w,8*i+l]*reference_q3_rejected[b,u,8*i+l] for i < 2, l < 8
    reference_s3_rejected[b,i,u,w] = where(w <= u, 0.25*reference_s3_rejected_sum[b,i,u,w]*sqrt(2),
        -inf)
    reference_l3_rejected[b,i,u] = logsumexp(w: reference_s3_rejected[b,i,u,w])
    reference_p3_rejected[b,i,u,w] = expdiff(reference_s3_rejected[b,i,u,w],
        reference_l3_rejected[b,i,u])
    reference_o3_rejected[b,u,8*i+l] +=
        reference_p3_rejected[b,i,u,w]*reference_v3_rejected[b,w,8*i+l] for l < 8
    reference_y3_rejected[b,u,i] += reference_Wo3[i,j]*reference_o3_rejected[b,u,j]
    reference_y3_rejected[b,u,i] += reference_co3[i] for b < B, u < T
    reference_r3_rejected[b,t,i] = reference_e1_rejected[b,t,i] + reference_y3_rejected[b,t,i]
    reference_m4_rejected[b,t] += reference_r3_rejected[b,t,j]/D
    reference_v4_rejected[b,t] += (reference_r3_rejected[b,t,j] - reference_m4_rejected[b,t])**2/D
    reference_n4_rejected[b,t,i] = reference_g4[i]*(reference_r3_rejected[b,t,i] -
        reference_m4_rejected[b,t])/sqrt(0.00001 + reference_v4_rejected[b,t]) + reference_s4[i]
    reference_z5_rejected[b,t,i] += reference_W5[i,j]*reference_n4_rejected[b,t,j]
    reference_z5_rejected[b,t,i] += reference_c5[i] for b < B, t < T
    reference_rejected_lse[b,t] = logsumexp(v: reference_z5_rejected[b,t,v])
    reference_rejected[b,t,i] = reference_z5_rejected[b,t,i] - reference_rejected_lse[b,t]
    token_ref_l[b,t] = where(rejected_mask[b,t+1] == 1, reference_rejected[b,t,rejected[b,t+1]], 0)
        for t < T-1
    logp_w[b] += token_w[b,t]
    logp_l[b] += token_l[b,t]
    ref_w[b] += token_ref_w[b,t]
    ref_l[b] += token_ref_l[b,t]
    margin[b] = logp_w[b] + stop(ref_l[b]) - logp_l[b] - stop(ref_w[b])
    loss += softplus(-beta*margin[b])/B

Gradient (value_and_grad); dX stands for dL/dX.
    policy_v2_sqrt[b,t] = sqrt(0.00001 + policy_v2[b,t])
    policy_n2[b,t,i] = policy_g2[i]*(policy_e1[b,t,i] - policy_m2[b,t])/policy_v2_sqrt[b,t] +
        policy_s2[i]
    policy_v4_sqrt[b,t] = sqrt(0.00001 + policy_v4[b,t])
    policy_n4[b,t,i] = policy_g4[i]*(policy_r3[b,t,i] - policy_m4[b,t])/policy_v4_sqrt[b,t] +
        policy_s4[i]
    reference_v2_sqrt[b,t] = sqrt(0.00001 + reference_v2[b,t])
    reference_n2[b,t,i] = reference_g2[i]*(reference_e1[b,t,i] -
        reference_m2[b,t])/reference_v2_sqrt[b,t] + reference_s2[i]
    reference_v4_sqrt[b,t] = sqrt(0.00001 + reference_v4[b,t])
    reference_n4[b,t,i] = reference_g4[i]*(reference_r3[b,t,i] -
        reference_m4[b,t])/reference_v4_sqrt[b,t] + reference_s4[i]
    policy_v2_rejected_sqrt[b,t] = sqrt(0.00001 + policy_v2_rejected[b,t])
    policy_n2_rejected[b,t,i] = policy_g2[i]*(policy_e1_rejected[b,t,i] -
        policy_m2_rejected[b,t])/policy_v2_rejected_sqrt[b,t] + policy_s2[i]
    policy_v4_rejected_sqrt[b,t] = sqrt(0.00001 + policy_v4_rejected[b,t])
    policy_n4_rejected[b,t,i] = policy_g4[i]*(policy_r3_rejected[b,t,i] -
        policy_m4_rejected[b,t])/policy_v4_rejected_sqrt[b,t] + policy_s4[i]
    reference_v2_rejected_sqrt[b,t] = sqrt(0.00001 + reference_v2_rejected[b,t])
    reference_n2_rejected[b,t,i] = reference_g2[i]*(reference_e1_rejected[b,t,i] -
        reference_m2_rejected[b,t])/reference_v2_rejected_sqrt[b,t] + reference_s2[i]
    reference_v4_rejected_sqrt[b,t] = sqrt(0.00001 + reference_v4_rejected[b,t])
    reference_n4_rejected[b,t,i] = reference_g4[i]*(reference_r3_rejected[b,t,i] -
        reference_m4_rejected[b,t])/reference_v4_rejected_sqrt[b,t] + reference_s4[i]
    beta_arg[b] = -beta*margin[b]
    beta_arg_softplus[b] = softplus(beta_arg[b])
    loss += beta_arg_softplus[b]/B
    dbeta_arg_softplus[b] = 1/B for b < B
    beta_arg_sigmoid[b] = sigmoid(beta_arg[b])
    dbeta_arg[b] = dbeta_arg_softplus[b]*beta_arg_sigmoid[b]
    dmargin[b] = -dbeta_arg[b]*beta
    dlogp_l[b] = -dmargin[b]
    dtoken_l[b,t] = dlogp_l[b] for t < T-1
    dtoken_w[b,t] = dmargin[b] for t < T-1
    rejected_mask_where[b,t] = where(rejected_mask[b,t+1] == 1, dtoken_l[b,t], 0)
    dpolicy_rejected[b,t,rejected[b,t+1]] += rejected_mask_where[b,t]
    dpolicy_rejected_lse[b,t] += -dpolicy_rejected[b,t,i]
    dpolicy_z5_rejected[b,t,i] += dpolicy_rejected[b,t,i]
    policy_z5_rejected_softmax[b,t,v] = expdiff(policy_z5_rejected[b,t,v], policy_rejected_lse[b,t])
    dpolicy_z5_rejected[b,t,v] += dpolicy_rejected_lse[b,t]*policy_z5_rejected_softmax[b,t,v]
    dpolicy_c5[i] += dpolicy_z5_rejected[b,t,i]
    dpolicy_W5[i,j] += dpolicy_z5_rejected[b,t,i]*policy_n4_rejected[b,t,j]
    dpolicy_n4_rejected[b,t,j] += dpolicy_z5_rejected[b,t,i]*policy_W5[i,j]
    dpolicy_g4[i] += dpolicy_n4_rejected[b,t,i]*(policy_r3_rejected[b,t,i] -
        policy_m4_rejected[b,t])/policy_v4_rejected_sqrt[b,t]
    dpolicy_m4_rejected[b,t] +=
        -dpolicy_n4_rejected[b,t,i]*policy_g4[i]/policy_v4_rejected_sqrt[b,t]
    dpolicy_r3_rejected[b,t,i] +=
        dpolicy_n4_rejected[b,t,i]*policy_g4[i]/policy_v4_rejected_sqrt[b,t]
    dpolicy_s4[i] += dpolicy_n4_rejected[b,t,i]
    dpolicy_v4_rejected_sqrt[b,t] +=
        -dpolicy_n4_rejected[b,t,i]*policy_g4[i]*(policy_r3_rejected[b,t,i] -
        policy_m4_rejected[b,t])/policy_v4_rejected_sqrt[b,t]**2
    dpolicy_v4_rejected[b,t] = 0.5*dpolicy_v4_rejected_sqrt[b,t]/policy_v4_rejected_sqrt[b,t]
    dpolicy_m4_rejected[b,t] += -2*dpolicy_v4_rejected[b,t]*(policy_r3_rejected[b,t,j] -
        policy_m4_rejected[b,t])/D
    dpolicy_r3_rejected[b,t,j] += 2*dpolicy_v4_rejected[b,t]*(policy_r3_rejected[b,t,j] -
        policy_m4_rejected[b,t])/D
    dpolicy_r3_rejected[b,t,j] += dpolicy_m4_rejected[b,t]/D for j < D
    dpolicy_e1_rejected[b,t,i] += dpolicy_r3_rejected[b,t,i]
    dpolicy_co3[i] += dpolicy_r3_rejected[b,u,i]
    dpolicy_Wo3[i,j] += dpolicy_r3_rejected[b,u,i]*policy_o3_rejected[b,u,j]
    dpolicy_o3_rejected[b,u,j] += dpolicy_r3_rejected[b,u,i]*policy_Wo3[i,j]
    dpolicy_p3_rejected[b,i,u,w] += dpolicy_o3_rejected[b,u,8*i+l]*policy_v3_rejected[b,w,8*i+l] for
        i < 2, l < 8
    dpolicy_v3_rejected[b,w,8*i+l] += dpolicy_o3_rejected[b,u,8*i+l]*policy_p3_rejected[b,i,u,w] for
        l < 8
    dpolicy_l3_rejected[b,i,u] += -dpolicy_p3_rejected[b,i,u,w]*policy_p3_rejected[b,i,u,w]
    dpolicy_s3_rejected[b,i,u,w] += dpolicy_p3_rejected[b,i,u,w]*policy_p3_rejected[b,i,u,w]
    dpolicy_s3_rejected[b,i,u,w] += dpolicy_l3_rejected[b,i,u]*policy_p3_rejected[b,i,u,w]
    dpolicy_s3_rejected_sum[b,i,u,w] = where(w <= u, 0.25*dpolicy_s3_rejected[b,i,u,w]*sqrt(2), 0)
    dpolicy_k3_rejected[b,w,8*i+l] += dpolicy_s3_rejected_sum[b,i,u,w]*policy_q3_rejected[b,u,8*i+l]
        for l < 8
    dpolicy_q3_rejected[b,u,8*i+l] += dpolicy_s3_rejected_sum[b,i,u,w]*policy_k3_rejected[b,w,8*i+l]
        for l < 8
    dpolicy_cv3[i] += dpolicy_v3_rejected[b,u,i]
    dpolicy_Wv3[i,j] += dpolicy_v3_rejected[b,u,i]*policy_n2_rejected[b,u,j]
    dpolicy_n2_rejected[b,u,j] += dpolicy_v3_rejected[b,u,i]*policy_Wv3[i,j]
    dpolicy_ck3[i] += dpolicy_k3_rejected[b,u,i]
    dpolicy_Wk3[i,j] += dpolicy_k3_rejected[b,u,i]*policy_n2_rejected[b,u,j]
    dpolicy_n2_rejected[b,u,j] += dpolicy_k3_rejected[b,u,i]*policy_Wk3[i,j]
    dpolicy_cq3[i] += dpolicy_q3_rejected[b,u,i]
    dpolicy_Wq3[i,j] += dpolicy_q3_rejected[b,u,i]*policy_n2_rejected[b,u,j]
    dpolicy_n2_rejected[b,u,j] += dpolicy_q3_rejected[b,u,i]*policy_Wq3[i,j]
    dpolicy_e1_rejected[b,t,i] +=
        dpolicy_n2_rejected[b,t,i]*policy_g2[i]/policy_v2_rejected_sqrt[b,t]
    dpolicy_g2[i] += dpolicy_n2_rejected[b,t,i]*(policy_e1_rejected[b,t,i] -
        policy_m2_rejected[b,t])/policy_v2_rejected_sqrt[b,t]
    dpolicy_m2_rejected[b,t] +=
        -dpolicy_n2_rejected[b,t,i]*policy_g2[i]/policy_v2_rejected_sqrt[b,t]
    dpolicy_s2[i] += dpolicy_n2_rejected[b,t,i]
    dpolicy_v2_rejected_sqrt[b,t] +=
        -dpolicy_n2_rejected[b,t,i]*policy_g2[i]*(policy_e1_rejected[b,t,i] -
        policy_m2_rejected[b,t])/policy_v2_rejected_sqrt[b,t]**2
    dpolicy_v2_rejected[b,t] = 0.5*dpolicy_v2_rejected_sqrt[b,t]/policy_v2_rejected_sqrt[b,t]
    dpolicy_e1_rejected[b,t,j] += 2*dpolicy_v2_rejected[b,t]*(policy_e1_rejected[b,t,j] -
        policy_m2_rejected[b,t])/D
    dpolicy_m2_rejected[b,t] += -2*dpolicy_v2_rejected[b,t]*(policy_e1_rejected[b,t,j] -
        policy_m2_rejected[b,t])/D
    dpolicy_e1_rejected[b,t,j] += dpolicy_m2_rejected[b,t]/D for j < D
    dpolicy_W1[rejected[b,t],i] += dpolicy_e1_rejected[b,t,i]
    chosen_mask_where[b,t] = where(chosen_mask[b,t+1] == 1, dtoken_w[b,t], 0)
    dpolicy[b,t,chosen[b,t+1]] += chosen_mask_where[b,t]
    dpolicy_lse[b,t] += -dpolicy[b,t,i]
    dpolicy_z5[b,t,i] += dpolicy[b,t,i]
    policy_z5_softmax[b,t,v] = expdiff(policy_z5[b,t,v], policy_lse[b,t])
    dpolicy_z5[b,t,v] += dpolicy_lse[b,t]*policy_z5_softmax[b,t,v]
    dpolicy_c5[i] += dpolicy_z5[b,t,i]
    dpolicy_W5[i,j] += dpolicy_z5[b,t,i]*policy_n4[b,t,j]
    dpolicy_n4[b,t,j] += dpolicy_z5[b,t,i]*policy_W5[i,j]
    dpolicy_g4[i] += dpolicy_n4[b,t,i]*(policy_r3[b,t,i] - policy_m4[b,t])/policy_v4_sqrt[b,t]
    dpolicy_m4[b,t] += -dpolicy_n4[b,t,i]*policy_g4[i]/policy_v4_sqrt[b,t]
    dpolicy_r3[b,t,i] += dpolicy_n4[b,t,i]*policy_g4[i]/policy_v4_sqrt[b,t]
    dpolicy_s4[i] += dpolicy_n4[b,t,i]
    dpolicy_v4_sqrt[b,t] += -dpolicy_n4[b,t,i]*policy_g4[i]*(policy_r3[b,t,i] -
        policy_m4[b,t])/policy_v4_sqrt[b,t]**2
    dpolicy_v4[b,t] = 0.5*dpolicy_v4_sqrt[b,t]/policy_v4_sqrt[b,t]
    dpolicy_m4[b,t] += -2*dpolicy_v4[b,t]*(policy_r3[b,t,j] - policy_m4[b,t])/D
    dpolicy_r3[b,t,j] += 2*dpolicy_v4[b,t]*(policy_r3[b,t,j] - policy_m4[b,t])/D
    dpolicy_r3[b,t,j] += dpolicy_m4[b,t]/D for j < D
    dpolicy_e1[b,t,i] += dpolicy_r3[b,t,i]
    dpolicy_co3[i] += dpolicy_r3[b,u,i]
    dpolicy_Wo3[i,j] += dpolicy_r3[b,u,i]*policy_o3[b,u,j]
    dpolicy_o3[b,u,j] += dpolicy_r3[b,u,i]*policy_Wo3[i,j]
    dpolicy_p3[b,i,u,w] += dpolicy_o3[b,u,8*i+l]*policy_v3[b,w,8*i+l] for i < 2, l < 8
    dpolicy_v3[b,w,8*i+l] += dpolicy_o3[b,u,8*i+l]*policy_p3[b,i,u,w] for l < 8
    dpolicy_l3[b,i,u] += -dpolicy_p3[b,i,u,w]*policy_p3[b,i,u,w]
    dpolicy_s3[b,i,u,w] += dpolicy_p3[b,i,u,w]*policy_p3[b,i,u,w]
    dpolicy_s3[b,i,u,w] += dpolicy_l3[b,i,u]*policy_p3[b,i,u,w]
    dpolicy_s3_sum[b,i,u,w] = where(w <= u, 0.25*dpolicy_s3[b,i,u,w]*sqrt(2), 0)
    dpolicy_k3[b,w,8*i+l] += dpolicy_s3_sum[b,i,u,w]*policy_q3[b,u,8*i+l] for l < 8
    dpolicy_q3[b,u,8*i+l] += dpolicy_s3_sum[b,i,u,w]*policy_k3[b,w,8*i+l] for l < 8
    dpolicy_cv3[i] += dpolicy_v3[b,u,i]
    dpolicy_Wv3[i,j] += dpolicy_v3[b,u,i]*policy_n2[b,u,j]
    dpolicy_n2[b,u,j] += dpolicy_v3[b,u,i]*policy_Wv3[i,j]
    dpolicy_ck3[i] += dpolicy_k3[b,u,i]
    dpolicy_Wk3[i,j] += dpolicy_k3[b,u,i]*policy_n2[b,u,j]
    dpolicy_n2[b,u,j] += dpolicy_k3[b,u,i]*policy_Wk3[i,j]
    dpolicy_cq3[i] += dpolicy_q3[b,u,i]
    dpolicy_Wq3[i,j] += dpolicy_q3[b,u,i]*policy_n2[b,u,j]
    dpolicy_n2[b,u,j] += dpolicy_q3[b,u,i]*policy_Wq3[i,j]
    dpolicy_e1[b,t,i] += dpolicy_n2[b,t,i]*policy_g2[i]/policy_v2_sqrt[b,t]
    dpolicy_g2[i] += dpolicy_n2[b,t,i]*(policy_e1[b,t,i] - policy_m2[b,t])/policy_v2_sqrt[b,t]
    dpolicy_m2[b,t] += -dpolicy_n2[b,t,i]*policy_g2[i]/policy_v2_sqrt[b,t]
    dpolicy_s2[i] += dpolicy_n2[b,t,i]
    dpolicy_v2_sqrt[b,t] += -dpolicy_n2[b,t,i]*policy_g2[i]*(policy_e1[b,t,i] -
        policy_m2[b,t])/policy_v2_sqrt[b,t]**2
    dpolicy_v2[b,t] = 0.5*dpolicy_v2_sqrt[b,t]/policy_v2_sqrt[b,t]
    dpolicy_e1[b,t,j] += 2*dpolicy_v2[b,t]*(policy_e1[b,t,j] - policy_m2[b,t])/D
    dpolicy_m2[b,t] += -2*dpolicy_v2[b,t]*(policy_e1[b,t,j] - policy_m2[b,t])/D
    dpolicy_e1[b,t,j] += dpolicy_m2[b,t]/D for j < D
    dpolicy_W1[chosen[b,t],i] += dpolicy_e1[b,t,i]

Shapes
    policy_W1: real[V, D]
    policy_g2: real[D]
    policy_s2: real[D]
    policy_Wq3: real[16, D]
    policy_Wk3: real[16, D]
    policy_Wv3: real[16, D]
    policy_cq3: real[16]
    policy_ck3: real[16]
    policy_cv3: real[16]
    policy_Wo3: real[D, 16]
    policy_co3: real[D]
    policy_g4: real[D]
    policy_s4: real[D]
    policy_W5: real[V, D]
    policy_c5: real[V]
    reference_W1: real[V, D]
    reference_g2: real[D]
    reference_s2: real[D]
    reference_Wq3: real[16, D]
    reference_Wk3: real[16, D]
    reference_Wv3: real[16, D]
    reference_cq3: real[16]
    reference_ck3: real[16]
    reference_cv3: real[16]
    reference_Wo3: real[D, 16]
    reference_co3: real[D]
    reference_g4: real[D]
    reference_s4: real[D]
    reference_W5: real[V, D]
    reference_c5: real[V]
    chosen: int[B, T] < V
    rejected: int[B, T] < V
    chosen_mask: bool[B, T]
    rejected_mask: bool[B, T]
    beta: real > 0 = 0.1
    B: pairs in the batch
    T: tokens of a sequence

At kinks: there are none.
Held constant: what wrt does not name, and what stop() holds in
    margin[b] = logp_w[b] + stop(ref_l[b]) - logp_l[b] - stop(ref_w[b])
Reduction: policy_m2 is summed over j and divided by D; policy_v2 is summed over j and divided by D;
    policy_m4 is summed over j and divided by D; policy_v4 is summed over j and divided by D;
    reference_m2 is summed over j and divided by D; reference_v2 is summed over j and divided by D;
    reference_m4 is summed over j and divided by D; reference_v4 is summed over j and divided by D;
    policy_m2_rejected is summed over j and divided by D; policy_v2_rejected is summed over j and
    divided by D; policy_m4_rejected is summed over j and divided by D; policy_v4_rejected is summed
    over j and divided by D; reference_m2_rejected is summed over j and divided by D;
    reference_v2_rejected is summed over j and divided by D; reference_m4_rejected is summed over j
    and divided by D; reference_v4_rejected is summed over j and divided by D; loss is summed over b
    and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "T": None, "V": 32, "D": 16}
PARAMETERS = {
    "policy.W1": {"axes": ("V", "D"), "offset": 0, "shape": (32, 16), "strides": (16, 1)},
    "policy.g2": {"axes": ("D",), "offset": 512, "shape": (16,), "strides": (1,)},
    "policy.s2": {"axes": ("D",), "offset": 528, "shape": (16,), "strides": (1,)},
    "policy.Wq3": {"axes": ("16", "D"), "offset": 544, "shape": (16, 16), "strides": (16, 1)},
    "policy.Wk3": {"axes": ("16", "D"), "offset": 800, "shape": (16, 16), "strides": (16, 1)},
    "policy.Wv3": {"axes": ("16", "D"), "offset": 1056, "shape": (16, 16), "strides": (16, 1)},
    "policy.cq3": {"axes": ("16",), "offset": 1312, "shape": (16,), "strides": (1,)},
    "policy.ck3": {"axes": ("16",), "offset": 1328, "shape": (16,), "strides": (1,)},
    "policy.cv3": {"axes": ("16",), "offset": 1344, "shape": (16,), "strides": (1,)},
    "policy.Wo3": {"axes": ("D", "16"), "offset": 1360, "shape": (16, 16), "strides": (16, 1)},
    "policy.co3": {"axes": ("D",), "offset": 1616, "shape": (16,), "strides": (1,)},
    "policy.g4": {"axes": ("D",), "offset": 1632, "shape": (16,), "strides": (1,)},
    "policy.s4": {"axes": ("D",), "offset": 1648, "shape": (16,), "strides": (1,)},
    "policy.W5": {"axes": ("V", "D"), "offset": 1664, "shape": (32, 16), "strides": (16, 1)},
    "policy.c5": {"axes": ("V",), "offset": 2176, "shape": (32,), "strides": (1,)},
    "reference.W1": {"axes": ("V", "D"), "offset": 2208, "shape": (32, 16), "strides": (16, 1)},
    "reference.g2": {"axes": ("D",), "offset": 2720, "shape": (16,), "strides": (1,)},
    "reference.s2": {"axes": ("D",), "offset": 2736, "shape": (16,), "strides": (1,)},
    "reference.Wq3": {"axes": ("16", "D"), "offset": 2752, "shape": (16, 16), "strides": (16, 1)},
    "reference.Wk3": {"axes": ("16", "D"), "offset": 3008, "shape": (16, 16), "strides": (16, 1)},
    "reference.Wv3": {"axes": ("16", "D"), "offset": 3264, "shape": (16, 16), "strides": (16, 1)},
    "reference.cq3": {"axes": ("16",), "offset": 3520, "shape": (16,), "strides": (1,)},
    "reference.ck3": {"axes": ("16",), "offset": 3536, "shape": (16,), "strides": (1,)},
    "reference.cv3": {"axes": ("16",), "offset": 3552, "shape": (16,), "strides": (1,)},
    "reference.Wo3": {"axes": ("D", "16"), "offset": 3568, "shape": (16, 16), "strides": (16, 1)},
    "reference.co3": {"axes": ("D",), "offset": 3824, "shape": (16,), "strides": (1,)},
    "reference.g4": {"axes": ("D",), "offset": 3840, "shape": (16,), "strides": (1,)},
    "reference.s4": {"axes": ("D",), "offset": 3856, "shape": (16,), "strides": (1,)},
    "reference.W5": {"axes": ("V", "D"), "offset": 3872, "shape": (32, 16), "strides": (16, 1)},
    "reference.c5": {"axes": ("V",), "offset": 4384, "shape": (32,), "strides": (1,)},
}
LAYERS = {
    "policy": (
        {"weight": "policy.W1"},
        {"weight": "policy.g2", "bias": "policy.s2"},
        {
            "Wq": "policy.Wq3",
            "Wk": "policy.Wk3",
            "Wv": "policy.Wv3",
            "cq": "policy.cq3",
            "ck": "policy.ck3",
            "cv": "policy.cv3",
            "Wo": "policy.Wo3",
            "co": "policy.co3",
        },
        {"weight": "policy.g4", "bias": "policy.s4"},
        {"weight": "policy.W5", "bias": "policy.c5"},
    ),
    "reference": (
        {"weight": "reference.W1"},
        {"weight": "reference.g2", "bias": "reference.s2"},
        {
            "Wq": "reference.Wq3",
            "Wk": "reference.Wk3",
            "Wv": "reference.Wv3",
            "cq": "reference.cq3",
            "ck": "reference.ck3",
            "cv": "reference.cv3",
            "Wo": "reference.Wo3",
            "co": "reference.co3",
        },
        {"weight": "reference.g4", "bias": "reference.s4"},
        {"weight": "reference.W5", "bias": "reference.c5"},
    ),
}
INPUTS = {
    "chosen": "int[B, T] < V",
    "rejected": "int[B, T] < V",
    "chosen_mask": "bool[B, T]",
    "rejected_mask": "bool[B, T]",
    "beta": "real > 0 = 0.1",
}
OUTPUTS = {
    "policy_forward": ("policy",),
    "reference_forward": ("reference",),
}
BRANCHES = ()
OPERATIONS = {
    "policy_forward": (
        "B * D * T * V + 80 * B * D * T + 42 * B * T * T + 5 * B * T * V + 56 * B * T "
        "+ T * T"
    ),
    "reference_forward": (
        "B * D * T * V + 80 * B * D * T + 42 * B * T * T + 5 * B * T * V + 56 * B * T "
        "+ T * T"
    ),
    "value": (
        "4 * B * D * T * V + 320 * B * D * T + 168 * B * T * T + 20 * B * T * V + 228 "
        "* B * T + T * T + 2 * B"
    ),
    "value_and_grad": (
        "8 * B * D * T * V + 632 * B * D * T + 316 * B * T * T + 30 * B * T * V + 386 "
        "* B * T + D * V + T * T + 6 * B + 69 * D + V + 48"
    ),
}
SPEC_HASH = "326c0eaa05e3c9251a0e913d21d62794d747af16334c68072f08b82a9c666604"
SPEC = r'''description = "Direct preference optimisation of a small language model, an embedding, causal attention and logits: of two answers the chosen one is preferred to the rejected one."
equations = """
policy_e1[b,t,i] = policy_W1[chosen[b,t],i]
policy_m2[b,t] += policy_e1[b,t,j]/D
policy_v2[b,t] += (policy_e1[b,t,j] - policy_m2[b,t])**2/D
policy_n2[b,t,i] = policy_g2[i]*(policy_e1[b,t,i] - policy_m2[b,t])/sqrt(0.00001 + policy_v2[b,t]) + policy_s2[i]
policy_q3[b,u,i] += policy_Wq3[i,j]*policy_n2[b,u,j]
policy_q3[b,u,i] += policy_cq3[i] for b < B, u < T
policy_k3[b,u,i] += policy_Wk3[i,j]*policy_n2[b,u,j]
policy_k3[b,u,i] += policy_ck3[i] for b < B, u < T
policy_v3[b,u,i] += policy_Wv3[i,j]*policy_n2[b,u,j]
policy_v3[b,u,i] += policy_cv3[i] for b < B, u < T
policy_s3_sum[b,i,u,w] += policy_k3[b,w,8*i+l]*policy_q3[b,u,8*i+l] for i < 2, l < 8
policy_s3[b,i,u,w] = where(w <= u, 0.25*policy_s3_sum[b,i,u,w]*sqrt(2), -inf)
policy_l3[b,i,u] = logsumexp(w: policy_s3[b,i,u,w])
policy_p3[b,i,u,w] = expdiff(policy_s3[b,i,u,w], policy_l3[b,i,u])
policy_o3[b,u,8*i+l] += policy_p3[b,i,u,w]*policy_v3[b,w,8*i+l] for l < 8
policy_y3[b,u,i] += policy_Wo3[i,j]*policy_o3[b,u,j]
policy_y3[b,u,i] += policy_co3[i] for b < B, u < T
policy_r3[b,t,i] = policy_e1[b,t,i] + policy_y3[b,t,i]
policy_m4[b,t] += policy_r3[b,t,j]/D
policy_v4[b,t] += (policy_r3[b,t,j] - policy_m4[b,t])**2/D
policy_n4[b,t,i] = policy_g4[i]*(policy_r3[b,t,i] - policy_m4[b,t])/sqrt(0.00001 + policy_v4[b,t]) + policy_s4[i]
policy_z5[b,t,i] += policy_W5[i,j]*policy_n4[b,t,j]
policy_z5[b,t,i] += policy_c5[i] for b < B, t < T
policy_lse[b,t] = logsumexp(v: policy_z5[b,t,v])
policy[b,t,i] = policy_z5[b,t,i] - policy_lse[b,t]
reference_e1[b,t,i] = reference_W1[chosen[b,t],i]
reference_m2[b,t] += reference_e1[b,t,j]/D
reference_v2[b,t] += (reference_e1[b,t,j] - reference_m2[b,t])**2/D
reference_n2[b,t,i] = reference_g2[i]*(reference_e1[b,t,i] - reference_m2[b,t])/sqrt(0.00001 + reference_v2[b,t]) + reference_s2[i]
reference_q3[b,u,i] += reference_Wq3[i,j]*reference_n2[b,u,j]
reference_q3[b,u,i] += reference_cq3[i] for b < B, u < T
reference_k3[b,u,i] += reference_Wk3[i,j]*reference_n2[b,u,j]
reference_k3[b,u,i] += reference_ck3[i] for b < B, u < T
reference_v3[b,u,i] += reference_Wv3[i,j]*reference_n2[b,u,j]
reference_v3[b,u,i] += reference_cv3[i] for b < B, u < T
reference_s3_sum[b,i,u,w] += reference_k3[b,w,8*i+l]*reference_q3[b,u,8*i+l] for i < 2, l < 8
reference_s3[b,i,u,w] = where(w <= u, 0.25*reference_s3_sum[b,i,u,w]*sqrt(2), -inf)
reference_l3[b,i,u] = logsumexp(w: reference_s3[b,i,u,w])
reference_p3[b,i,u,w] = expdiff(reference_s3[b,i,u,w], reference_l3[b,i,u])
reference_o3[b,u,8*i+l] += reference_p3[b,i,u,w]*reference_v3[b,w,8*i+l] for l < 8
reference_y3[b,u,i] += reference_Wo3[i,j]*reference_o3[b,u,j]
reference_y3[b,u,i] += reference_co3[i] for b < B, u < T
reference_r3[b,t,i] = reference_e1[b,t,i] + reference_y3[b,t,i]
reference_m4[b,t] += reference_r3[b,t,j]/D
reference_v4[b,t] += (reference_r3[b,t,j] - reference_m4[b,t])**2/D
reference_n4[b,t,i] = reference_g4[i]*(reference_r3[b,t,i] - reference_m4[b,t])/sqrt(0.00001 + reference_v4[b,t]) + reference_s4[i]
reference_z5[b,t,i] += reference_W5[i,j]*reference_n4[b,t,j]
reference_z5[b,t,i] += reference_c5[i] for b < B, t < T
reference_lse[b,t] = logsumexp(v: reference_z5[b,t,v])
reference[b,t,i] = reference_z5[b,t,i] - reference_lse[b,t]
"""

[sizes]
B = "pairs in the batch"
T = "tokens of a sequence"
V = 32
D = 16

[params.policy]
W1 = "real[V, D] init=normal"
g2 = "real[D] init=constant(1)"
s2 = "real[D] init=zeros"
Wq3 = "real[16, D] init=glorot_uniform"
Wk3 = "real[16, D] init=glorot_uniform"
Wv3 = "real[16, D] init=glorot_uniform"
cq3 = "real[16]"
ck3 = "real[16]"
cv3 = "real[16]"
Wo3 = "real[D, 16] init=glorot_uniform"
co3 = "real[D]"
g4 = "real[D] init=constant(1)"
s4 = "real[D] init=zeros"
W5 = "real[V, D] init=uniform_fan_in"
c5 = "real[V] init=zeros"

[params.reference]
W1 = "real[V, D] init=copy(policy_W1)"
g2 = "real[D] init=copy(policy_g2)"
s2 = "real[D] init=copy(policy_s2)"
Wq3 = "real[16, D] init=copy(policy_Wq3)"
Wk3 = "real[16, D] init=copy(policy_Wk3)"
Wv3 = "real[16, D] init=copy(policy_Wv3)"
cq3 = "real[16] init=copy(policy_cq3)"
ck3 = "real[16] init=copy(policy_ck3)"
cv3 = "real[16] init=copy(policy_cv3)"
Wo3 = "real[D, 16] init=copy(policy_Wo3)"
co3 = "real[D] init=copy(policy_co3)"
g4 = "real[D] init=copy(policy_g4)"
s4 = "real[D] init=copy(policy_s4)"
W5 = "real[V, D] init=copy(policy_W5)"
c5 = "real[V] init=copy(policy_c5)"

[data]
chosen = "int[B, T] < V"
rejected = "int[B, T] < V"
chosen_mask = "bool[B, T]"
rejected_mask = "bool[B, T]"
beta = "real > 0 = 0.1"

[losses.dpo]
wrt = ["policy_W1", "policy_g2", "policy_s2", "policy_Wq3", "policy_Wk3", "policy_Wv3", "policy_cq3", "policy_ck3", "policy_cv3", "policy_Wo3", "policy_co3", "policy_g4", "policy_s4", "policy_W5", "policy_c5"]
aux = ["margin"]
equations = """
token_w[b,t] = where(chosen_mask[b,t+1] == 1, policy[b,t,chosen[b,t+1]], 0) for t < T-1
policy_e1_rejected[b,t,i] = policy_W1[rejected[b,t],i]
policy_m2_rejected[b,t] += policy_e1_rejected[b,t,j]/D
policy_v2_rejected[b,t] += (policy_e1_rejected[b,t,j] - policy_m2_rejected[b,t])**2/D
policy_n2_rejected[b,t,i] = policy_g2[i]*(policy_e1_rejected[b,t,i] - policy_m2_rejected[b,t])/sqrt(0.00001 + policy_v2_rejected[b,t]) + policy_s2[i]
policy_q3_rejected[b,u,i] += policy_Wq3[i,j]*policy_n2_rejected[b,u,j]
policy_q3_rejected[b,u,i] += policy_cq3[i] for b < B, u < T
policy_k3_rejected[b,u,i] += policy_Wk3[i,j]*policy_n2_rejected[b,u,j]
policy_k3_rejected[b,u,i] += policy_ck3[i] for b < B, u < T
policy_v3_rejected[b,u,i] += policy_Wv3[i,j]*policy_n2_rejected[b,u,j]
policy_v3_rejected[b,u,i] += policy_cv3[i] for b < B, u < T
policy_s3_rejected_sum[b,i,u,w] += policy_k3_rejected[b,w,8*i+l]*policy_q3_rejected[b,u,8*i+l] for i < 2, l < 8
policy_s3_rejected[b,i,u,w] = where(w <= u, 0.25*policy_s3_rejected_sum[b,i,u,w]*sqrt(2), -inf)
policy_l3_rejected[b,i,u] = logsumexp(w: policy_s3_rejected[b,i,u,w])
policy_p3_rejected[b,i,u,w] = expdiff(policy_s3_rejected[b,i,u,w], policy_l3_rejected[b,i,u])
policy_o3_rejected[b,u,8*i+l] += policy_p3_rejected[b,i,u,w]*policy_v3_rejected[b,w,8*i+l] for l < 8
policy_y3_rejected[b,u,i] += policy_Wo3[i,j]*policy_o3_rejected[b,u,j]
policy_y3_rejected[b,u,i] += policy_co3[i] for b < B, u < T
policy_r3_rejected[b,t,i] = policy_e1_rejected[b,t,i] + policy_y3_rejected[b,t,i]
policy_m4_rejected[b,t] += policy_r3_rejected[b,t,j]/D
policy_v4_rejected[b,t] += (policy_r3_rejected[b,t,j] - policy_m4_rejected[b,t])**2/D
policy_n4_rejected[b,t,i] = policy_g4[i]*(policy_r3_rejected[b,t,i] - policy_m4_rejected[b,t])/sqrt(0.00001 + policy_v4_rejected[b,t]) + policy_s4[i]
policy_z5_rejected[b,t,i] += policy_W5[i,j]*policy_n4_rejected[b,t,j]
policy_z5_rejected[b,t,i] += policy_c5[i] for b < B, t < T
policy_rejected_lse[b,t] = logsumexp(v: policy_z5_rejected[b,t,v])
policy_rejected[b,t,i] = policy_z5_rejected[b,t,i] - policy_rejected_lse[b,t]
token_l[b,t] = where(rejected_mask[b,t+1] == 1, policy_rejected[b,t,rejected[b,t+1]], 0) for t < T-1
token_ref_w[b,t] = where(chosen_mask[b,t+1] == 1, reference[b,t,chosen[b,t+1]], 0) for t < T-1
reference_e1_rejected[b,t,i] = reference_W1[rejected[b,t],i]
reference_m2_rejected[b,t] += reference_e1_rejected[b,t,j]/D
reference_v2_rejected[b,t] += (reference_e1_rejected[b,t,j] - reference_m2_rejected[b,t])**2/D
reference_n2_rejected[b,t,i] = reference_g2[i]*(reference_e1_rejected[b,t,i] - reference_m2_rejected[b,t])/sqrt(0.00001 + reference_v2_rejected[b,t]) + reference_s2[i]
reference_q3_rejected[b,u,i] += reference_Wq3[i,j]*reference_n2_rejected[b,u,j]
reference_q3_rejected[b,u,i] += reference_cq3[i] for b < B, u < T
reference_k3_rejected[b,u,i] += reference_Wk3[i,j]*reference_n2_rejected[b,u,j]
reference_k3_rejected[b,u,i] += reference_ck3[i] for b < B, u < T
reference_v3_rejected[b,u,i] += reference_Wv3[i,j]*reference_n2_rejected[b,u,j]
reference_v3_rejected[b,u,i] += reference_cv3[i] for b < B, u < T
reference_s3_rejected_sum[b,i,u,w] += reference_k3_rejected[b,w,8*i+l]*reference_q3_rejected[b,u,8*i+l] for i < 2, l < 8
reference_s3_rejected[b,i,u,w] = where(w <= u, 0.25*reference_s3_rejected_sum[b,i,u,w]*sqrt(2), -inf)
reference_l3_rejected[b,i,u] = logsumexp(w: reference_s3_rejected[b,i,u,w])
reference_p3_rejected[b,i,u,w] = expdiff(reference_s3_rejected[b,i,u,w], reference_l3_rejected[b,i,u])
reference_o3_rejected[b,u,8*i+l] += reference_p3_rejected[b,i,u,w]*reference_v3_rejected[b,w,8*i+l] for l < 8
reference_y3_rejected[b,u,i] += reference_Wo3[i,j]*reference_o3_rejected[b,u,j]
reference_y3_rejected[b,u,i] += reference_co3[i] for b < B, u < T
reference_r3_rejected[b,t,i] = reference_e1_rejected[b,t,i] + reference_y3_rejected[b,t,i]
reference_m4_rejected[b,t] += reference_r3_rejected[b,t,j]/D
reference_v4_rejected[b,t] += (reference_r3_rejected[b,t,j] - reference_m4_rejected[b,t])**2/D
reference_n4_rejected[b,t,i] = reference_g4[i]*(reference_r3_rejected[b,t,i] - reference_m4_rejected[b,t])/sqrt(0.00001 + reference_v4_rejected[b,t]) + reference_s4[i]
reference_z5_rejected[b,t,i] += reference_W5[i,j]*reference_n4_rejected[b,t,j]
reference_z5_rejected[b,t,i] += reference_c5[i] for b < B, t < T
reference_rejected_lse[b,t] = logsumexp(v: reference_z5_rejected[b,t,v])
reference_rejected[b,t,i] = reference_z5_rejected[b,t,i] - reference_rejected_lse[b,t]
token_ref_l[b,t] = where(rejected_mask[b,t+1] == 1, reference_rejected[b,t,rejected[b,t+1]], 0) for t < T-1
logp_w[b] += token_w[b,t]
logp_l[b] += token_l[b,t]
ref_w[b] += token_ref_w[b,t]
ref_l[b] += token_ref_l[b,t]
margin[b] = logp_w[b] + stop(ref_l[b]) - logp_l[b] - stop(ref_w[b])
loss += softplus(-beta*margin[b])/B
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
    """Views on one vector `flat`: policy.W1 (V, D), policy.g2 (D,), policy.s2 (D,),
    policy.Wq3 (16, D), policy.Wk3 (16, D), policy.Wv3 (16, D), policy.cq3 (16,), policy.ck3 (16,),
    policy.cv3 (16,), policy.Wo3 (D, 16), policy.co3 (D,), policy.g4 (D,), policy.s4 (D,),
    policy.W5 (V, D), policy.c5 (V,), reference.W1 (V, D), reference.g2 (D,), reference.s2 (D,),
    reference.Wq3 (16, D), reference.Wk3 (16, D), reference.Wv3 (16, D), reference.cq3 (16,),
    reference.ck3 (16,), reference.cv3 (16,), reference.Wo3 (D, 16), reference.co3 (D,),
    reference.g4 (D,), reference.s4 (D,), reference.W5 (V, D), reference.c5 (V,).
    """

    def __init__(self, flat, *, V=32, D=16):
        self._sizes = _sizes(V=V, D=D)
        self.flat = _vector(flat, 4 * D * V + 138 * D + 2 * V + 96)
        _part = _parts(self.flat)
        self.policy = _Group(
            _part(2 * D * V + 69 * D + V + 48),
            W1=(V, D),
            g2=(D,),
            s2=(D,),
            Wq3=(16, D),
            Wk3=(16, D),
            Wv3=(16, D),
            cq3=(16,),
            ck3=(16,),
            cv3=(16,),
            Wo3=(D, 16),
            co3=(D,),
            g4=(D,),
            s4=(D,),
            W5=(V, D),
            c5=(V,),
        )
        self.reference = _Group(
            _part(2 * D * V + 69 * D + V + 48),
            W1=(V, D),
            g2=(D,),
            s2=(D,),
            Wq3=(16, D),
            Wk3=(16, D),
            Wv3=(16, D),
            cq3=(16,),
            ck3=(16,),
            cv3=(16,),
            Wo3=(D, 16),
            co3=(D,),
            g4=(D,),
            s4=(D,),
            W5=(V, D),
            c5=(V,),
        )
        self._closed = True


class Gradients(_Views):
    """Views on one vector `flat`: policy.W1 (V, D), policy.g2 (D,), policy.s2 (D,),
    policy.Wq3 (16, D), policy.Wk3 (16, D), policy.Wv3 (16, D), policy.cq3 (16,), policy.ck3 (16,),
    policy.cv3 (16,), policy.Wo3 (D, 16), policy.co3 (D,), policy.g4 (D,), policy.s4 (D,),
    policy.W5 (V, D), policy.c5 (V,).
    """

    def __init__(self, flat, *, V=32, D=16):
        self._sizes = _sizes(V=V, D=D)
        self.flat = _vector(flat, 2 * D * V + 69 * D + V + 48)
        _part = _parts(self.flat)
        self.policy = _Group(
            _part(2 * D * V + 69 * D + V + 48),
            W1=(V, D),
            g2=(D,),
            s2=(D,),
            Wq3=(16, D),
            Wk3=(16, D),
            Wv3=(16, D),
            cq3=(16,),
            ck3=(16,),
            cv3=(16,),
            Wo3=(D, 16),
            co3=(D,),
            g4=(D,),
            s4=(D,),
            W5=(V, D),
            c5=(V,),
        )
        self._closed = True


class Workspace:
    """Memory for calls at these sizes: what a call returns from it, the next one overwrites.

    A function's memory is made at its first call; after that, no call needs more, whatever the
    sizes. One thread at a time may use a workspace.
    """

    def __init__(self, *, B, T, V=32, D=16):
        self.sizes = _sizes(B=B, T=T, V=V, D=D)
        self._memory = {}


def init(rng, *, V=32, D=16, dtype=np.float64):
    """New parameters, drawn from a numpy.random.Generator."""
    if not isinstance(rng, np.random.Generator):
        came = type(rng).__name__
        raise TypeError(f"rng is of type {came}; expected np.random.default_rng(seed)")
    params = Params(np.dtype(dtype), V=V, D=D)
    params.policy.W1[...] = _normal(rng, (V, D), 1.0)
    params.policy.g2[...] = 1.0
    params.policy.s2[...] = 0.0
    params.policy.Wq3[...] = _glorot_uniform(rng, (16, D))
    params.policy.Wk3[...] = _glorot_uniform(rng, (16, D))
    params.policy.Wv3[...] = _glorot_uniform(rng, (16, D))
    params.policy.cq3[...] = 0.0
    params.policy.ck3[...] = 0.0
    params.policy.cv3[...] = 0.0
    params.policy.Wo3[...] = _glorot_uniform(rng, (D, 16))
    params.policy.co3[...] = 0.0
    params.policy.g4[...] = 1.0
    params.policy.s4[...] = 0.0
    params.policy.W5[...] = _uniform_fan_in(rng, (V, D))
    params.policy.c5[...] = 0.0
    params.reference.flat[...] = params.policy.flat
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
        V=_extent(arrays["policy.W1"], 0),
        D=_extent(arrays["policy.W1"], 1),
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


def policy_forward(params, chosen, *, workspace=None):
    """The output policy.

    chosen: int[B, T] < V

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    chosen = _integer("chosen", chosen, 2)
    V, D = params._sizes.values()
    B = _length("B", "chosen", chosen, 0)
    T = _length("T", "chosen", chosen, 1)
    _below("chosen", chosen, V)
    ws = _memory(workspace, _PolicyForwardMemory, dtype, B=B, T=T, V=V, D=D)
    chosen = _fit(ws, "chosen", chosen, np.intp)
    policy_W1, policy_g2, policy_s2 = params.policy.W1, params.policy.g2, params.policy.s2
    policy_Wq3, policy_Wk3, policy_Wv3 = params.policy.Wq3, params.policy.Wk3, params.policy.Wv3
    policy_cq3, policy_ck3, policy_cv3 = params.policy.cq3, params.policy.ck3, params.policy.cv3
    policy_Wo3, policy_co3, policy_g4 = params.policy.Wo3, params.policy.co3, params.policy.g4
    policy_s4, policy_W5, policy_c5 = params.policy.s4, params.policy.W5, params.policy.c5
    # policy_e1[b,t,i] = policy_W1[chosen[b,t],i]
    policy_e1 = np.take(policy_W1, chosen, axis=0, out=ws.policy_e1, mode="clip")
    # policy_m2[b,t] += policy_e1[b,t,j]/D
    policy_m2 = np.sum(policy_e1, axis=2, out=ws.policy_m2)
    policy_m2 /= D
    # policy_v2[b,t] += (policy_e1[b,t,j] - policy_m2[b,t])**2/D
    t_1 = np.subtract(policy_e1, policy_m2[..., None], out=ws.t_1)
    t_2 = np.square(t_1, out=ws.t_2)
    policy_v2 = np.sum(t_2, axis=2, out=ws.policy_v2)
    policy_v2 /= D
    # policy_v2_sqrt[b,t] = sqrt(0.00001 + policy_v2[b,t])
    policy_v2_sqrt = np.add(1e-05, policy_v2, out=ws.policy_v2_sqrt)
    np.sqrt(policy_v2_sqrt, out=policy_v2_sqrt)
    # policy_n2[b,t,i] = policy_g2[i]*(policy_e1[b,t,i] - policy_m2[b,t])/policy_v2_sqrt[b,t] +
    #     policy_s2[i]
    policy_n2 = np.multiply(t_1, policy_g2, out=ws.policy_n2)
    policy_n2 /= policy_v2_sqrt[..., None]
    policy_n2 += policy_s2
    # policy_q3[b,u,i] += policy_Wq3[i,j]*policy_n2[b,u,j]
    policy_q3 = ws.policy_q3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wq3.T, out=policy_q3.reshape(B * T, 16))
    # policy_q3[b,u,i] += policy_cq3[i] for b < B, u < T
    policy_q3 += policy_cq3
    # policy_k3[b,u,i] += policy_Wk3[i,j]*policy_n2[b,u,j]
    policy_k3 = ws.policy_k3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wk3.T, out=policy_k3.reshape(B * T, 16))
    # policy_k3[b,u,i] += policy_ck3[i] for b < B, u < T
    policy_k3 += policy_ck3
    # policy_v3[b,u,i] += policy_Wv3[i,j]*policy_n2[b,u,j]
    policy_v3 = ws.policy_v3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wv3.T, out=policy_v3.reshape(B * T, 16))
    # policy_v3[b,u,i] += policy_cv3[i] for b < B, u < T
    policy_v3 += policy_cv3
    # policy_s3_sum[b,i,u,w] += policy_k3[b,w,8*i+l]*policy_q3[b,u,8*i+l] for i < 2, l < 8
    policy_s3_sum = np.matmul(
        policy_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        policy_k3.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.policy_s3_sum,
    )
    # policy_s3[b,i,u,w] = where(w <= u, 0.25*policy_s3_sum[b,i,u,w]*sqrt(2), -inf)
    t_3 = np.less_equal(ws.arange, ws.arange[:, None], out=ws.t_3)
    policy_s3 = ws.policy_s3
    policy_s3.fill(-np.inf)
    np.multiply(policy_s3_sum, 2.0**0.5 / 4.0, out=policy_s3, where=t_3)
    # policy_l3[b,i,u] = logsumexp(w: policy_s3[b,i,u,w])
    policy_l3 = _logsumexp(policy_s3, out=ws.policy_l3, scratch=ws.t_4, total=ws.t_5)
    # policy_p3[b,i,u,w] = expdiff(policy_s3[b,i,u,w], policy_l3[b,i,u])
    policy_p3 = _expdiff(policy_s3, policy_l3[..., None], out=ws.policy_p3)
    # policy_o3[b,u,8*i+l] += policy_p3[b,i,u,w]*policy_v3[b,w,8*i+l] for l < 8
    policy_o3 = ws.policy_o3
    np.matmul(
        policy_p3,
        policy_v3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=policy_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # policy_y3[b,u,i] += policy_Wo3[i,j]*policy_o3[b,u,j]
    policy_y3 = ws.policy_y3
    np.matmul(policy_o3.reshape(B * T, 16), policy_Wo3.T, out=policy_y3.reshape(B * T, D))
    # policy_y3[b,u,i] += policy_co3[i] for b < B, u < T
    policy_y3 += policy_co3
    # policy_r3[b,t,i] = policy_e1[b,t,i] + policy_y3[b,t,i]
    policy_r3 = np.add(policy_e1, policy_y3, out=ws.policy_r3)
    # policy_m4[b,t] += policy_r3[b,t,j]/D
    policy_m4 = np.sum(policy_r3, axis=2, out=ws.policy_m4)
    policy_m4 /= D
    # policy_v4[b,t] += (policy_r3[b,t,j] - policy_m4[b,t])**2/D
    t_6 = np.subtract(policy_r3, policy_m4[..., None], out=ws.t_6)
    np.square(t_6, out=t_1)
    policy_v4 = np.sum(t_1, axis=2, out=ws.policy_v4)
    policy_v4 /= D
    # policy_v4_sqrt[b,t] = sqrt(0.00001 + policy_v4[b,t])
    policy_v4_sqrt = np.add(1e-05, policy_v4, out=ws.policy_v4_sqrt)
    np.sqrt(policy_v4_sqrt, out=policy_v4_sqrt)
    # policy_n4[b,t,i] = policy_g4[i]*(policy_r3[b,t,i] - policy_m4[b,t])/policy_v4_sqrt[b,t] +
    #     policy_s4[i]
    policy_n4 = np.multiply(t_6, policy_g4, out=ws.policy_n4)
    policy_n4 /= policy_v4_sqrt[..., None]
    policy_n4 += policy_s4
    # policy_z5[b,t,i] += policy_W5[i,j]*policy_n4[b,t,j]
    policy_z5 = ws.policy_z5
    np.matmul(policy_n4.reshape(B * T, D), policy_W5.T, out=policy_z5.reshape(B * T, V))
    # policy_z5[b,t,i] += policy_c5[i] for b < B, t < T
    policy_z5 += policy_c5
    # policy_lse[b,t] = logsumexp(v: policy_z5[b,t,v])
    policy_lse = _logsumexp(policy_z5, out=ws.policy_lse, scratch=ws.t_7, total=ws.t_8)
    # policy[b,t,i] = policy_z5[b,t,i] - policy_lse[b,t]
    policy = np.subtract(policy_z5, policy_lse[..., None], out=ws.policy)
    return policy


def reference_forward(params, chosen, *, workspace=None):
    """The output reference.

    chosen: int[B, T] < V

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    chosen = _integer("chosen", chosen, 2)
    V, D = params._sizes.values()
    B = _length("B", "chosen", chosen, 0)
    T = _length("T", "chosen", chosen, 1)
    _below("chosen", chosen, V)
    ws = _memory(workspace, _ReferenceForwardMemory, dtype, B=B, T=T, V=V, D=D)
    chosen = _fit(ws, "chosen", chosen, np.intp)
    reference_W1, reference_g2 = params.reference.W1, params.reference.g2
    reference_s2, reference_Wq3 = params.reference.s2, params.reference.Wq3
    reference_Wk3, reference_Wv3 = params.reference.Wk3, params.reference.Wv3
    reference_cq3, reference_ck3 = params.reference.cq3, params.reference.ck3
    reference_cv3, reference_Wo3 = params.reference.cv3, params.reference.Wo3
    reference_co3, reference_g4 = params.reference.co3, params.reference.g4
    reference_s4, reference_W5 = params.reference.s4, params.reference.W5
    reference_c5 = params.reference.c5
    # reference_e1[b,t,i] = reference_W1[chosen[b,t],i]
    reference_e1 = np.take(reference_W1, chosen, axis=0, out=ws.reference_e1, mode="clip")
    # reference_m2[b,t] += reference_e1[b,t,j]/D
    reference_m2 = np.sum(reference_e1, axis=2, out=ws.reference_m2)
    reference_m2 /= D
    # reference_v2[b,t] += (reference_e1[b,t,j] - reference_m2[b,t])**2/D
    t_1 = np.subtract(reference_e1, reference_m2[..., None], out=ws.t_1)
    t_2 = np.square(t_1, out=ws.t_2)
    reference_v2 = np.sum(t_2, axis=2, out=ws.reference_v2)
    reference_v2 /= D
    # reference_v2_sqrt[b,t] = sqrt(0.00001 + reference_v2[b,t])
    reference_v2_sqrt = np.add(1e-05, reference_v2, out=ws.reference_v2_sqrt)
    np.sqrt(reference_v2_sqrt, out=reference_v2_sqrt)
    # reference_n2[b,t,i] = reference_g2[i]*(reference_e1[b,t,i] -
    #     reference_m2[b,t])/reference_v2_sqrt[b,t] + reference_s2[i]
    reference_n2 = np.multiply(t_1, reference_g2, out=ws.reference_n2)
    reference_n2 /= reference_v2_sqrt[..., None]
    reference_n2 += reference_s2
    # reference_q3[b,u,i] += reference_Wq3[i,j]*reference_n2[b,u,j]
    reference_q3 = ws.reference_q3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wq3.T, out=reference_q3.reshape(B * T, 16))
    # reference_q3[b,u,i] += reference_cq3[i] for b < B, u < T
    reference_q3 += reference_cq3
    # reference_k3[b,u,i] += reference_Wk3[i,j]*reference_n2[b,u,j]
    reference_k3 = ws.reference_k3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wk3.T, out=reference_k3.reshape(B * T, 16))
    # reference_k3[b,u,i] += reference_ck3[i] for b < B, u < T
    reference_k3 += reference_ck3
    # reference_v3[b,u,i] += reference_Wv3[i,j]*reference_n2[b,u,j]
    reference_v3 = ws.reference_v3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wv3.T, out=reference_v3.reshape(B * T, 16))
    # reference_v3[b,u,i] += reference_cv3[i] for b < B, u < T
    reference_v3 += reference_cv3
    # reference_s3_sum[b,i,u,w] += reference_k3[b,w,8*i+l]*reference_q3[b,u,8*i+l] for i < 2, l < 8
    reference_s3_sum = np.matmul(
        reference_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        reference_k3.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.reference_s3_sum,
    )
    # reference_s3[b,i,u,w] = where(w <= u, 0.25*reference_s3_sum[b,i,u,w]*sqrt(2), -inf)
    t_3 = np.less_equal(ws.arange, ws.arange[:, None], out=ws.t_3)
    reference_s3 = ws.reference_s3
    reference_s3.fill(-np.inf)
    np.multiply(reference_s3_sum, 2.0**0.5 / 4.0, out=reference_s3, where=t_3)
    # reference_l3[b,i,u] = logsumexp(w: reference_s3[b,i,u,w])
    reference_l3 = _logsumexp(reference_s3, out=ws.reference_l3, scratch=ws.t_4, total=ws.t_5)
    # reference_p3[b,i,u,w] = expdiff(reference_s3[b,i,u,w], reference_l3[b,i,u])
    reference_p3 = _expdiff(reference_s3, reference_l3[..., None], out=ws.reference_p3)
    # reference_o3[b,u,8*i+l] += reference_p3[b,i,u,w]*reference_v3[b,w,8*i+l] for l < 8
    reference_o3 = ws.reference_o3
    np.matmul(
        reference_p3,
        reference_v3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=reference_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # reference_y3[b,u,i] += reference_Wo3[i,j]*reference_o3[b,u,j]
    reference_y3 = ws.reference_y3
    np.matmul(reference_o3.reshape(B * T, 16), reference_Wo3.T, out=reference_y3.reshape(B * T, D))
    # reference_y3[b,u,i] += reference_co3[i] for b < B, u < T
    reference_y3 += reference_co3
    # reference_r3[b,t,i] = reference_e1[b,t,i] + reference_y3[b,t,i]
    reference_r3 = np.add(reference_e1, reference_y3, out=ws.reference_r3)
    # reference_m4[b,t] += reference_r3[b,t,j]/D
    reference_m4 = np.sum(reference_r3, axis=2, out=ws.reference_m4)
    reference_m4 /= D
    # reference_v4[b,t] += (reference_r3[b,t,j] - reference_m4[b,t])**2/D
    t_6 = np.subtract(reference_r3, reference_m4[..., None], out=ws.t_6)
    np.square(t_6, out=t_1)
    reference_v4 = np.sum(t_1, axis=2, out=ws.reference_v4)
    reference_v4 /= D
    # reference_v4_sqrt[b,t] = sqrt(0.00001 + reference_v4[b,t])
    reference_v4_sqrt = np.add(1e-05, reference_v4, out=ws.reference_v4_sqrt)
    np.sqrt(reference_v4_sqrt, out=reference_v4_sqrt)
    # reference_n4[b,t,i] = reference_g4[i]*(reference_r3[b,t,i] -
    #     reference_m4[b,t])/reference_v4_sqrt[b,t] + reference_s4[i]
    reference_n4 = np.multiply(t_6, reference_g4, out=ws.reference_n4)
    reference_n4 /= reference_v4_sqrt[..., None]
    reference_n4 += reference_s4
    # reference_z5[b,t,i] += reference_W5[i,j]*reference_n4[b,t,j]
    reference_z5 = ws.reference_z5
    np.matmul(reference_n4.reshape(B * T, D), reference_W5.T, out=reference_z5.reshape(B * T, V))
    # reference_z5[b,t,i] += reference_c5[i] for b < B, t < T
    reference_z5 += reference_c5
    # reference_lse[b,t] = logsumexp(v: reference_z5[b,t,v])
    reference_lse = _logsumexp(reference_z5, out=ws.reference_lse, scratch=ws.t_7, total=ws.t_8)
    # reference[b,t,i] = reference_z5[b,t,i] - reference_lse[b,t]
    reference = np.subtract(reference_z5, reference_lse[..., None], out=ws.reference)
    return reference


def value(params, *, chosen, rejected, chosen_mask, rejected_mask, beta=0.1, workspace=None):
    """The loss.

    chosen: int[B, T] < V
    rejected: int[B, T] < V
    chosen_mask: bool[B, T]
    rejected_mask: bool[B, T]
    beta: real > 0 = 0.1

    Returns (loss, aux); aux is a dict of margin.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    chosen = _integer("chosen", chosen, 2)
    rejected = _integer("rejected", rejected, 2)
    chosen_mask = _boolean("chosen_mask", chosen_mask, 2)
    rejected_mask = _boolean("rejected_mask", rejected_mask, 2)
    beta = dtype.type(_real("beta", beta, 0))
    V, D = params._sizes.values()
    B = _length("B", "chosen", chosen, 0)
    T = _length("T", "chosen", chosen, 1)
    _shape("rejected", rejected, (B, T))
    _shape("chosen_mask", chosen_mask, (B, T))
    _shape("rejected_mask", rejected_mask, (B, T))
    _below("chosen", chosen, V)
    _below("rejected", rejected, V)
    _positive("beta", beta)
    ws = _memory(workspace, _ValueMemory, dtype, B=B, T=T, V=V, D=D)
    chosen = _fit(ws, "chosen", chosen, np.intp)
    rejected = _fit(ws, "rejected", rejected, np.intp)
    chosen_mask = _fit(ws, "chosen_mask", chosen_mask, np.bool_)
    rejected_mask = _fit(ws, "rejected_mask", rejected_mask, np.bool_)
    policy_W1, policy_g2, policy_s2 = params.policy.W1, params.policy.g2, params.policy.s2
    policy_Wq3, policy_Wk3, policy_Wv3 = params.policy.Wq3, params.policy.Wk3, params.policy.Wv3
    policy_cq3, policy_ck3, policy_cv3 = params.policy.cq3, params.policy.ck3, params.policy.cv3
    policy_Wo3, policy_co3, policy_g4 = params.policy.Wo3, params.policy.co3, params.policy.g4
    policy_s4, policy_W5, policy_c5 = params.policy.s4, params.policy.W5, params.policy.c5
    reference_W1, reference_g2 = params.reference.W1, params.reference.g2
    reference_s2, reference_Wq3 = params.reference.s2, params.reference.Wq3
    reference_Wk3, reference_Wv3 = params.reference.Wk3, params.reference.Wv3
    reference_cq3, reference_ck3 = params.reference.cq3, params.reference.ck3
    reference_cv3, reference_Wo3 = params.reference.cv3, params.reference.Wo3
    reference_co3, reference_g4 = params.reference.co3, params.reference.g4
    reference_s4, reference_W5 = params.reference.s4, params.reference.W5
    reference_c5 = params.reference.c5
    # policy_e1[b,t,i] = policy_W1[chosen[b,t],i]
    policy_e1 = np.take(policy_W1, chosen, axis=0, out=ws.policy_e1, mode="clip")
    # policy_m2[b,t] += policy_e1[b,t,j]/D
    policy_m2 = np.sum(policy_e1, axis=2, out=ws.policy_m2)
    policy_m2 /= D
    # policy_v2[b,t] += (policy_e1[b,t,j] - policy_m2[b,t])**2/D
    t_1 = np.subtract(policy_e1, policy_m2[..., None], out=ws.t_1)
    t_2 = np.square(t_1, out=ws.t_2)
    policy_v2 = np.sum(t_2, axis=2, out=ws.policy_v2)
    policy_v2 /= D
    # policy_v2_sqrt[b,t] = sqrt(0.00001 + policy_v2[b,t])
    policy_v2_sqrt = np.add(1e-05, policy_v2, out=ws.policy_v2_sqrt)
    np.sqrt(policy_v2_sqrt, out=policy_v2_sqrt)
    # policy_n2[b,t,i] = policy_g2[i]*(policy_e1[b,t,i] - policy_m2[b,t])/policy_v2_sqrt[b,t] +
    #     policy_s2[i]
    policy_n2 = np.multiply(t_1, policy_g2, out=ws.policy_n2)
    policy_n2 /= policy_v2_sqrt[..., None]
    policy_n2 += policy_s2
    # policy_q3[b,u,i] += policy_Wq3[i,j]*policy_n2[b,u,j]
    policy_q3 = ws.policy_q3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wq3.T, out=policy_q3.reshape(B * T, 16))
    # policy_q3[b,u,i] += policy_cq3[i] for b < B, u < T
    policy_q3 += policy_cq3
    # policy_k3[b,u,i] += policy_Wk3[i,j]*policy_n2[b,u,j]
    policy_k3 = ws.policy_k3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wk3.T, out=policy_k3.reshape(B * T, 16))
    # policy_k3[b,u,i] += policy_ck3[i] for b < B, u < T
    policy_k3 += policy_ck3
    # policy_v3[b,u,i] += policy_Wv3[i,j]*policy_n2[b,u,j]
    policy_v3 = ws.policy_v3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wv3.T, out=policy_v3.reshape(B * T, 16))
    # policy_v3[b,u,i] += policy_cv3[i] for b < B, u < T
    policy_v3 += policy_cv3
    # policy_s3_sum[b,i,u,w] += policy_k3[b,w,8*i+l]*policy_q3[b,u,8*i+l] for i < 2, l < 8
    policy_s3_sum = np.matmul(
        policy_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        policy_k3.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.policy_s3_sum,
    )
    # policy_s3[b,i,u,w] = where(w <= u, 0.25*policy_s3_sum[b,i,u,w]*sqrt(2), -inf)
    t_3 = np.less_equal(ws.arange, ws.arange[:, None], out=ws.t_3)
    policy_s3 = ws.policy_s3
    policy_s3.fill(-np.inf)
    np.multiply(policy_s3_sum, 2.0**0.5 / 4.0, out=policy_s3, where=t_3)
    # policy_l3[b,i,u] = logsumexp(w: policy_s3[b,i,u,w])
    policy_l3 = _logsumexp(policy_s3, out=ws.policy_l3, scratch=ws.t_4, total=ws.t_5)
    # policy_p3[b,i,u,w] = expdiff(policy_s3[b,i,u,w], policy_l3[b,i,u])
    policy_p3 = _expdiff(policy_s3, policy_l3[..., None], out=ws.policy_p3)
    # policy_o3[b,u,8*i+l] += policy_p3[b,i,u,w]*policy_v3[b,w,8*i+l] for l < 8
    policy_o3 = ws.policy_o3
    np.matmul(
        policy_p3,
        policy_v3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=policy_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # policy_y3[b,u,i] += policy_Wo3[i,j]*policy_o3[b,u,j]
    policy_y3 = ws.policy_y3
    np.matmul(policy_o3.reshape(B * T, 16), policy_Wo3.T, out=policy_y3.reshape(B * T, D))
    # policy_y3[b,u,i] += policy_co3[i] for b < B, u < T
    policy_y3 += policy_co3
    # policy_r3[b,t,i] = policy_e1[b,t,i] + policy_y3[b,t,i]
    policy_r3 = np.add(policy_e1, policy_y3, out=ws.policy_r3)
    # policy_m4[b,t] += policy_r3[b,t,j]/D
    policy_m4 = np.sum(policy_r3, axis=2, out=ws.policy_m4)
    policy_m4 /= D
    # policy_v4[b,t] += (policy_r3[b,t,j] - policy_m4[b,t])**2/D
    t_6 = np.subtract(policy_r3, policy_m4[..., None], out=ws.t_6)
    np.square(t_6, out=t_1)
    policy_v4 = np.sum(t_1, axis=2, out=ws.policy_v4)
    policy_v4 /= D
    # policy_v4_sqrt[b,t] = sqrt(0.00001 + policy_v4[b,t])
    policy_v4_sqrt = np.add(1e-05, policy_v4, out=ws.policy_v4_sqrt)
    np.sqrt(policy_v4_sqrt, out=policy_v4_sqrt)
    # policy_n4[b,t,i] = policy_g4[i]*(policy_r3[b,t,i] - policy_m4[b,t])/policy_v4_sqrt[b,t] +
    #     policy_s4[i]
    policy_n4 = np.multiply(t_6, policy_g4, out=ws.policy_n4)
    policy_n4 /= policy_v4_sqrt[..., None]
    policy_n4 += policy_s4
    # policy_z5[b,t,i] += policy_W5[i,j]*policy_n4[b,t,j]
    policy_z5 = ws.policy_z5
    np.matmul(policy_n4.reshape(B * T, D), policy_W5.T, out=policy_z5.reshape(B * T, V))
    # policy_z5[b,t,i] += policy_c5[i] for b < B, t < T
    policy_z5 += policy_c5
    # policy_lse[b,t] = logsumexp(v: policy_z5[b,t,v])
    policy_lse = _logsumexp(policy_z5, out=ws.policy_lse, scratch=ws.t_7, total=ws.t_8)
    # policy[b,t,i] = policy_z5[b,t,i] - policy_lse[b,t]
    policy = np.subtract(policy_z5, policy_lse[..., None], out=ws.policy)
    # reference_e1[b,t,i] = reference_W1[chosen[b,t],i]
    reference_e1 = np.take(reference_W1, chosen, axis=0, out=ws.reference_e1, mode="clip")
    # reference_m2[b,t] += reference_e1[b,t,j]/D
    reference_m2 = np.sum(reference_e1, axis=2, out=ws.reference_m2)
    reference_m2 /= D
    # reference_v2[b,t] += (reference_e1[b,t,j] - reference_m2[b,t])**2/D
    np.subtract(reference_e1, reference_m2[..., None], out=t_1)
    np.square(t_1, out=t_2)
    reference_v2 = np.sum(t_2, axis=2, out=ws.reference_v2)
    reference_v2 /= D
    # reference_v2_sqrt[b,t] = sqrt(0.00001 + reference_v2[b,t])
    reference_v2_sqrt = np.add(1e-05, reference_v2, out=ws.reference_v2_sqrt)
    np.sqrt(reference_v2_sqrt, out=reference_v2_sqrt)
    # reference_n2[b,t,i] = reference_g2[i]*(reference_e1[b,t,i] -
    #     reference_m2[b,t])/reference_v2_sqrt[b,t] + reference_s2[i]
    reference_n2 = np.multiply(t_1, reference_g2, out=ws.reference_n2)
    reference_n2 /= reference_v2_sqrt[..., None]
    reference_n2 += reference_s2
    # reference_q3[b,u,i] += reference_Wq3[i,j]*reference_n2[b,u,j]
    reference_q3 = ws.reference_q3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wq3.T, out=reference_q3.reshape(B * T, 16))
    # reference_q3[b,u,i] += reference_cq3[i] for b < B, u < T
    reference_q3 += reference_cq3
    # reference_k3[b,u,i] += reference_Wk3[i,j]*reference_n2[b,u,j]
    reference_k3 = ws.reference_k3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wk3.T, out=reference_k3.reshape(B * T, 16))
    # reference_k3[b,u,i] += reference_ck3[i] for b < B, u < T
    reference_k3 += reference_ck3
    # reference_v3[b,u,i] += reference_Wv3[i,j]*reference_n2[b,u,j]
    reference_v3 = ws.reference_v3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wv3.T, out=reference_v3.reshape(B * T, 16))
    # reference_v3[b,u,i] += reference_cv3[i] for b < B, u < T
    reference_v3 += reference_cv3
    # reference_s3_sum[b,i,u,w] += reference_k3[b,w,8*i+l]*reference_q3[b,u,8*i+l] for i < 2, l < 8
    reference_s3_sum = np.matmul(
        reference_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        reference_k3.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.reference_s3_sum,
    )
    # reference_s3[b,i,u,w] = where(w <= u, 0.25*reference_s3_sum[b,i,u,w]*sqrt(2), -inf)
    reference_s3 = ws.reference_s3
    reference_s3.fill(-np.inf)
    np.multiply(reference_s3_sum, 2.0**0.5 / 4.0, out=reference_s3, where=t_3)
    # reference_l3[b,i,u] = logsumexp(w: reference_s3[b,i,u,w])
    reference_l3 = _logsumexp(reference_s3, out=ws.reference_l3, scratch=ws.t_4, total=ws.t_5)
    # reference_p3[b,i,u,w] = expdiff(reference_s3[b,i,u,w], reference_l3[b,i,u])
    reference_p3 = _expdiff(reference_s3, reference_l3[..., None], out=ws.reference_p3)
    # reference_o3[b,u,8*i+l] += reference_p3[b,i,u,w]*reference_v3[b,w,8*i+l] for l < 8
    reference_o3 = ws.reference_o3
    np.matmul(
        reference_p3,
        reference_v3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=reference_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # reference_y3[b,u,i] += reference_Wo3[i,j]*reference_o3[b,u,j]
    reference_y3 = ws.reference_y3
    np.matmul(reference_o3.reshape(B * T, 16), reference_Wo3.T, out=reference_y3.reshape(B * T, D))
    # reference_y3[b,u,i] += reference_co3[i] for b < B, u < T
    reference_y3 += reference_co3
    # reference_r3[b,t,i] = reference_e1[b,t,i] + reference_y3[b,t,i]
    reference_r3 = np.add(reference_e1, reference_y3, out=ws.reference_r3)
    # reference_m4[b,t] += reference_r3[b,t,j]/D
    reference_m4 = np.sum(reference_r3, axis=2, out=ws.reference_m4)
    reference_m4 /= D
    # reference_v4[b,t] += (reference_r3[b,t,j] - reference_m4[b,t])**2/D
    np.subtract(reference_r3, reference_m4[..., None], out=t_6)
    np.square(t_6, out=t_1)
    reference_v4 = np.sum(t_1, axis=2, out=ws.reference_v4)
    reference_v4 /= D
    # reference_v4_sqrt[b,t] = sqrt(0.00001 + reference_v4[b,t])
    reference_v4_sqrt = np.add(1e-05, reference_v4, out=ws.reference_v4_sqrt)
    np.sqrt(reference_v4_sqrt, out=reference_v4_sqrt)
    # reference_n4[b,t,i] = reference_g4[i]*(reference_r3[b,t,i] -
    #     reference_m4[b,t])/reference_v4_sqrt[b,t] + reference_s4[i]
    reference_n4 = np.multiply(t_6, reference_g4, out=ws.reference_n4)
    reference_n4 /= reference_v4_sqrt[..., None]
    reference_n4 += reference_s4
    # reference_z5[b,t,i] += reference_W5[i,j]*reference_n4[b,t,j]
    reference_z5 = ws.reference_z5
    np.matmul(reference_n4.reshape(B * T, D), reference_W5.T, out=reference_z5.reshape(B * T, V))
    # reference_z5[b,t,i] += reference_c5[i] for b < B, t < T
    reference_z5 += reference_c5
    # reference_lse[b,t] = logsumexp(v: reference_z5[b,t,v])
    reference_lse = _logsumexp(reference_z5, out=ws.reference_lse, scratch=ws.t_9, total=ws.t_8)
    # reference[b,t,i] = reference_z5[b,t,i] - reference_lse[b,t]
    reference = np.subtract(reference_z5, reference_lse[..., None], out=ws.reference)
    # token_w[b,t] = where(chosen_mask[b,t+1] == 1, policy[b,t,chosen[b,t+1]], 0) for t < T-1
    token_w = ws.token_w
    token_w.fill(0.0)
    chosen_copy = ws.chosen_copy
    np.copyto(chosen_copy, chosen[:, 1:T])
    policy_at = _pick(
        policy, (ws.arange_2[:, None], ws.arange_3, chosen_copy), out=ws.policy_at, at=ws.at
    )
    np.copyto(token_w, policy_at, where=chosen_mask[:, 1:T])
    # policy_e1_rejected[b,t,i] = policy_W1[rejected[b,t],i]
    policy_e1_rejected = np.take(
        policy_W1, rejected, axis=0, out=ws.policy_e1_rejected, mode="clip"
    )
    # policy_m2_rejected[b,t] += policy_e1_rejected[b,t,j]/D
    policy_m2_rejected = np.sum(policy_e1_rejected, axis=2, out=ws.policy_m2_rejected)
    policy_m2_rejected /= D
    # policy_v2_rejected[b,t] += (policy_e1_rejected[b,t,j] - policy_m2_rejected[b,t])**2/D
    np.subtract(policy_e1_rejected, policy_m2_rejected[..., None], out=t_1)
    np.square(t_1, out=t_2)
    policy_v2_rejected = np.sum(t_2, axis=2, out=ws.policy_v2_rejected)
    policy_v2_rejected /= D
    # policy_v2_rejected_sqrt[b,t] = sqrt(0.00001 + policy_v2_rejected[b,t])
    policy_v2_rejected_sqrt = np.add(1e-05, policy_v2_rejected, out=ws.policy_v2_rejected_sqrt)
    np.sqrt(policy_v2_rejected_sqrt, out=policy_v2_rejected_sqrt)
    # policy_n2_rejected[b,t,i] = policy_g2[i]*(policy_e1_rejected[b,t,i] -
    #     policy_m2_rejected[b,t])/policy_v2_rejected_sqrt[b,t] + policy_s2[i]
    policy_n2_rejected = np.multiply(t_1, policy_g2, out=ws.policy_n2_rejected)
    policy_n2_rejected /= policy_v2_rejected_sqrt[..., None]
    policy_n2_rejected += policy_s2
    # policy_q3_rejected[b,u,i] += policy_Wq3[i,j]*policy_n2_rejected[b,u,j]
    policy_q3_rejected = ws.policy_q3_rejected
    np.matmul(
        policy_n2_rejected.reshape(B * T, D),
        policy_Wq3.T,
        out=policy_q3_rejected.reshape(B * T, 16),
    )
    # policy_q3_rejected[b,u,i] += policy_cq3[i] for b < B, u < T
    policy_q3_rejected += policy_cq3
    # policy_k3_rejected[b,u,i] += policy_Wk3[i,j]*policy_n2_rejected[b,u,j]
    policy_k3_rejected = ws.policy_k3_rejected
    np.matmul(
        policy_n2_rejected.reshape(B * T, D),
        policy_Wk3.T,
        out=policy_k3_rejected.reshape(B * T, 16),
    )
    # policy_k3_rejected[b,u,i] += policy_ck3[i] for b < B, u < T
    policy_k3_rejected += policy_ck3
    # policy_v3_rejected[b,u,i] += policy_Wv3[i,j]*policy_n2_rejected[b,u,j]
    policy_v3_rejected = ws.policy_v3_rejected
    np.matmul(
        policy_n2_rejected.reshape(B * T, D),
        policy_Wv3.T,
        out=policy_v3_rejected.reshape(B * T, 16),
    )
    # policy_v3_rejected[b,u,i] += policy_cv3[i] for b < B, u < T
    policy_v3_rejected += policy_cv3
    # policy_s3_rejected_sum[b,i,u,w] += policy_k3_rejected[b,w,8*i+l]*policy_q3_rejected[b,u,8*i+l]
    #     for i < 2, l < 8
    policy_s3_rejected_sum = np.matmul(
        policy_q3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        policy_k3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.policy_s3_rejected_sum,
    )
    # policy_s3_rejected[b,i,u,w] = where(w <= u, 0.25*policy_s3_rejected_sum[b,i,u,w]*sqrt(2),
    #     -inf)
    policy_s3_rejected = ws.policy_s3_rejected
    policy_s3_rejected.fill(-np.inf)
    np.multiply(policy_s3_rejected_sum, 2.0**0.5 / 4.0, out=policy_s3_rejected, where=t_3)
    # policy_l3_rejected[b,i,u] = logsumexp(w: policy_s3_rejected[b,i,u,w])
    policy_l3_rejected = _logsumexp(
        policy_s3_rejected, out=ws.policy_l3_rejected, scratch=ws.t_4, total=ws.t_5
    )
    # policy_p3_rejected[b,i,u,w] = expdiff(policy_s3_rejected[b,i,u,w], policy_l3_rejected[b,i,u])
    policy_p3_rejected = _expdiff(
        policy_s3_rejected, policy_l3_rejected[..., None], out=ws.policy_p3_rejected
    )
    # policy_o3_rejected[b,u,8*i+l] += policy_p3_rejected[b,i,u,w]*policy_v3_rejected[b,w,8*i+l] for
    #     l < 8
    policy_o3_rejected = ws.policy_o3_rejected
    np.matmul(
        policy_p3_rejected,
        policy_v3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=policy_o3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # policy_y3_rejected[b,u,i] += policy_Wo3[i,j]*policy_o3_rejected[b,u,j]
    policy_y3_rejected = ws.policy_y3_rejected
    np.matmul(
        policy_o3_rejected.reshape(B * T, 16),
        policy_Wo3.T,
        out=policy_y3_rejected.reshape(B * T, D),
    )
    # policy_y3_rejected[b,u,i] += policy_co3[i] for b < B, u < T
    policy_y3_rejected += policy_co3
    # policy_r3_rejected[b,t,i] = policy_e1_rejected[b,t,i] + policy_y3_rejected[b,t,i]
    policy_r3_rejected = np.add(policy_e1_rejected, policy_y3_rejected, out=ws.policy_r3_rejected)
    # policy_m4_rejected[b,t] += policy_r3_rejected[b,t,j]/D
    policy_m4_rejected = np.sum(policy_r3_rejected, axis=2, out=ws.policy_m4_rejected)
    policy_m4_rejected /= D
    # policy_v4_rejected[b,t] += (policy_r3_rejected[b,t,j] - policy_m4_rejected[b,t])**2/D
    np.subtract(policy_r3_rejected, policy_m4_rejected[..., None], out=t_6)
    np.square(t_6, out=t_1)
    policy_v4_rejected = np.sum(t_1, axis=2, out=ws.policy_v4_rejected)
    policy_v4_rejected /= D
    # policy_v4_rejected_sqrt[b,t] = sqrt(0.00001 + policy_v4_rejected[b,t])
    policy_v4_rejected_sqrt = np.add(1e-05, policy_v4_rejected, out=ws.policy_v4_rejected_sqrt)
    np.sqrt(policy_v4_rejected_sqrt, out=policy_v4_rejected_sqrt)
    # policy_n4_rejected[b,t,i] = policy_g4[i]*(policy_r3_rejected[b,t,i] -
    #     policy_m4_rejected[b,t])/policy_v4_rejected_sqrt[b,t] + policy_s4[i]
    policy_n4_rejected = np.multiply(t_6, policy_g4, out=ws.policy_n4_rejected)
    policy_n4_rejected /= policy_v4_rejected_sqrt[..., None]
    policy_n4_rejected += policy_s4
    # policy_z5_rejected[b,t,i] += policy_W5[i,j]*policy_n4_rejected[b,t,j]
    policy_z5_rejected = ws.policy_z5_rejected
    np.matmul(
        policy_n4_rejected.reshape(B * T, D), policy_W5.T, out=policy_z5_rejected.reshape(B * T, V)
    )
    # policy_z5_rejected[b,t,i] += policy_c5[i] for b < B, t < T
    policy_z5_rejected += policy_c5
    # policy_rejected_lse[b,t] = logsumexp(v: policy_z5_rejected[b,t,v])
    policy_rejected_lse = _logsumexp(
        policy_z5_rejected, out=ws.policy_rejected_lse, scratch=ws.t_9, total=ws.t_8
    )
    # policy_rejected[b,t,i] = policy_z5_rejected[b,t,i] - policy_rejected_lse[b,t]
    policy_rejected = np.subtract(
        policy_z5_rejected, policy_rejected_lse[..., None], out=ws.policy_rejected
    )
    # token_l[b,t] = where(rejected_mask[b,t+1] == 1, policy_rejected[b,t,rejected[b,t+1]], 0) for t
    #     < T-1
    token_l = ws.token_l
    token_l.fill(0.0)
    rejected_copy = ws.rejected_copy
    np.copyto(rejected_copy, rejected[:, 1:T])
    policy_rejected_at = _pick(
        policy_rejected,
        (ws.arange_2[:, None], ws.arange_3, rejected_copy),
        out=ws.policy_rejected_at,
        at=ws.at_2,
    )
    np.copyto(token_l, policy_rejected_at, where=rejected_mask[:, 1:T])
    # token_ref_w[b,t] = where(chosen_mask[b,t+1] == 1, reference[b,t,chosen[b,t+1]], 0) for t < T-1
    token_ref_w = ws.token_ref_w
    token_ref_w.fill(0.0)
    reference_at = _pick(
        reference, (ws.arange_2[:, None], ws.arange_3, chosen_copy), out=ws.reference_at, at=ws.at_2
    )
    np.copyto(token_ref_w, reference_at, where=chosen_mask[:, 1:T])
    # reference_e1_rejected[b,t,i] = reference_W1[rejected[b,t],i]
    reference_e1_rejected = np.take(
        reference_W1, rejected, axis=0, out=ws.reference_e1_rejected, mode="clip"
    )
    # reference_m2_rejected[b,t] += reference_e1_rejected[b,t,j]/D
    reference_m2_rejected = np.sum(reference_e1_rejected, axis=2, out=ws.reference_m2_rejected)
    reference_m2_rejected /= D
    # reference_v2_rejected[b,t] += (reference_e1_rejected[b,t,j] - reference_m2_rejected[b,t])**2/D
    np.subtract(reference_e1_rejected, reference_m2_rejected[..., None], out=t_1)
    np.square(t_1, out=t_2)
    reference_v2_rejected = np.sum(t_2, axis=2, out=ws.reference_v2_rejected)
    reference_v2_rejected /= D
    # reference_v2_rejected_sqrt[b,t] = sqrt(0.00001 + reference_v2_rejected[b,t])
    reference_v2_rejected_sqrt = np.add(
        1e-05, reference_v2_rejected, out=ws.reference_v2_rejected_sqrt
    )
    np.sqrt(reference_v2_rejected_sqrt, out=reference_v2_rejected_sqrt)
    # reference_n2_rejected[b,t,i] = reference_g2[i]*(reference_e1_rejected[b,t,i] -
    #     reference_m2_rejected[b,t])/reference_v2_rejected_sqrt[b,t] + reference_s2[i]
    reference_n2_rejected = np.multiply(t_1, reference_g2, out=ws.reference_n2_rejected)
    reference_n2_rejected /= reference_v2_rejected_sqrt[..., None]
    reference_n2_rejected += reference_s2
    # reference_q3_rejected[b,u,i] += reference_Wq3[i,j]*reference_n2_rejected[b,u,j]
    reference_q3_rejected = ws.reference_q3_rejected
    np.matmul(
        reference_n2_rejected.reshape(B * T, D),
        reference_Wq3.T,
        out=reference_q3_rejected.reshape(B * T, 16),
    )
    # reference_q3_rejected[b,u,i] += reference_cq3[i] for b < B, u < T
    reference_q3_rejected += reference_cq3
    # reference_k3_rejected[b,u,i] += reference_Wk3[i,j]*reference_n2_rejected[b,u,j]
    reference_k3_rejected = ws.reference_k3_rejected
    np.matmul(
        reference_n2_rejected.reshape(B * T, D),
        reference_Wk3.T,
        out=reference_k3_rejected.reshape(B * T, 16),
    )
    # reference_k3_rejected[b,u,i] += reference_ck3[i] for b < B, u < T
    reference_k3_rejected += reference_ck3
    # reference_v3_rejected[b,u,i] += reference_Wv3[i,j]*reference_n2_rejected[b,u,j]
    reference_v3_rejected = ws.reference_v3_rejected
    np.matmul(
        reference_n2_rejected.reshape(B * T, D),
        reference_Wv3.T,
        out=reference_v3_rejected.reshape(B * T, 16),
    )
    # reference_v3_rejected[b,u,i] += reference_cv3[i] for b < B, u < T
    reference_v3_rejected += reference_cv3
    # reference_s3_rejected_sum[b,i,u,w] +=
    #     reference_k3_rejected[b,w,8*i+l]*reference_q3_rejected[b,u,8*i+l] for i < 2, l < 8
    reference_s3_rejected_sum = np.matmul(
        reference_q3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        reference_k3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.reference_s3_rejected_sum,
    )
    # reference_s3_rejected[b,i,u,w] = where(w <= u,
    #     0.25*reference_s3_rejected_sum[b,i,u,w]*sqrt(2), -inf)
    reference_s3_rejected = ws.reference_s3_rejected
    reference_s3_rejected.fill(-np.inf)
    np.multiply(reference_s3_rejected_sum, 2.0**0.5 / 4.0, out=reference_s3_rejected, where=t_3)
    # reference_l3_rejected[b,i,u] = logsumexp(w: reference_s3_rejected[b,i,u,w])
    reference_l3_rejected = _logsumexp(
        reference_s3_rejected, out=ws.reference_l3_rejected, scratch=ws.t_4, total=ws.t_5
    )
    # reference_p3_rejected[b,i,u,w] = expdiff(reference_s3_rejected[b,i,u,w],
    #     reference_l3_rejected[b,i,u])
    reference_p3_rejected = _expdiff(
        reference_s3_rejected, reference_l3_rejected[..., None], out=ws.reference_p3_rejected
    )
    # reference_o3_rejected[b,u,8*i+l] +=
    #     reference_p3_rejected[b,i,u,w]*reference_v3_rejected[b,w,8*i+l] for l < 8
    reference_o3_rejected = ws.reference_o3_rejected
    np.matmul(
        reference_p3_rejected,
        reference_v3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=reference_o3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # reference_y3_rejected[b,u,i] += reference_Wo3[i,j]*reference_o3_rejected[b,u,j]
    reference_y3_rejected = ws.reference_y3_rejected
    np.matmul(
        reference_o3_rejected.reshape(B * T, 16),
        reference_Wo3.T,
        out=reference_y3_rejected.reshape(B * T, D),
    )
    # reference_y3_rejected[b,u,i] += reference_co3[i] for b < B, u < T
    reference_y3_rejected += reference_co3
    # reference_r3_rejected[b,t,i] = reference_e1_rejected[b,t,i] + reference_y3_rejected[b,t,i]
    reference_r3_rejected = np.add(
        reference_e1_rejected, reference_y3_rejected, out=ws.reference_r3_rejected
    )
    # reference_m4_rejected[b,t] += reference_r3_rejected[b,t,j]/D
    reference_m4_rejected = np.sum(reference_r3_rejected, axis=2, out=ws.reference_m4_rejected)
    reference_m4_rejected /= D
    # reference_v4_rejected[b,t] += (reference_r3_rejected[b,t,j] - reference_m4_rejected[b,t])**2/D
    np.subtract(reference_r3_rejected, reference_m4_rejected[..., None], out=t_6)
    np.square(t_6, out=t_1)
    reference_v4_rejected = np.sum(t_1, axis=2, out=ws.reference_v4_rejected)
    reference_v4_rejected /= D
    # reference_v4_rejected_sqrt[b,t] = sqrt(0.00001 + reference_v4_rejected[b,t])
    reference_v4_rejected_sqrt = np.add(
        1e-05, reference_v4_rejected, out=ws.reference_v4_rejected_sqrt
    )
    np.sqrt(reference_v4_rejected_sqrt, out=reference_v4_rejected_sqrt)
    # reference_n4_rejected[b,t,i] = reference_g4[i]*(reference_r3_rejected[b,t,i] -
    #     reference_m4_rejected[b,t])/reference_v4_rejected_sqrt[b,t] + reference_s4[i]
    reference_n4_rejected = np.multiply(t_6, reference_g4, out=ws.reference_n4_rejected)
    reference_n4_rejected /= reference_v4_rejected_sqrt[..., None]
    reference_n4_rejected += reference_s4
    # reference_z5_rejected[b,t,i] += reference_W5[i,j]*reference_n4_rejected[b,t,j]
    reference_z5_rejected = ws.reference_z5_rejected
    np.matmul(
        reference_n4_rejected.reshape(B * T, D),
        reference_W5.T,
        out=reference_z5_rejected.reshape(B * T, V),
    )
    # reference_z5_rejected[b,t,i] += reference_c5[i] for b < B, t < T
    reference_z5_rejected += reference_c5
    # reference_rejected_lse[b,t] = logsumexp(v: reference_z5_rejected[b,t,v])
    reference_rejected_lse = _logsumexp(
        reference_z5_rejected, out=ws.reference_rejected_lse, scratch=ws.t_7, total=ws.t_8
    )
    # reference_rejected[b,t,i] = reference_z5_rejected[b,t,i] - reference_rejected_lse[b,t]
    reference_rejected = np.subtract(
        reference_z5_rejected, reference_rejected_lse[..., None], out=ws.reference_rejected
    )
    # token_ref_l[b,t] = where(rejected_mask[b,t+1] == 1, reference_rejected[b,t,rejected[b,t+1]],
    #     0) for t < T-1
    token_ref_l = ws.token_ref_l
    token_ref_l.fill(0.0)
    reference_rejected_at = _pick(
        reference_rejected,
        (ws.arange_2[:, None], ws.arange_3, rejected_copy),
        out=ws.reference_rejected_at,
        at=ws.at_3,
    )
    np.copyto(token_ref_l, reference_rejected_at, where=rejected_mask[:, 1:T])
    # logp_w[b] += token_w[b,t]
    logp_w = np.sum(token_w, axis=1, out=ws.logp_w)
    # logp_l[b] += token_l[b,t]
    logp_l = np.sum(token_l, axis=1, out=ws.logp_l)
    # ref_w[b] += token_ref_w[b,t]
    ref_w = np.sum(token_ref_w, axis=1, out=ws.ref_w)
    # ref_l[b] += token_ref_l[b,t]
    ref_l = np.sum(token_ref_l, axis=1, out=ws.ref_l)
    # margin[b] = logp_w[b] + stop(ref_l[b]) - logp_l[b] - stop(ref_w[b])
    margin = np.subtract(ref_l, ref_w, out=ws.margin)
    margin += logp_w
    margin -= logp_l
    # beta_arg[b] = -beta*margin[b]
    beta_arg = np.multiply(margin, -beta, out=ws.beta_arg)
    # beta_arg_softplus[b] = softplus(beta_arg[b])
    beta_arg_softplus = np.logaddexp(beta_arg, 0.0, out=ws.beta_arg_softplus)
    # loss += beta_arg_softplus[b]/B
    loss = np.sum(beta_arg_softplus) / B
    return loss, {"margin": margin}


def value_and_grad(
    params, *, chosen, rejected, chosen_mask, rejected_mask, beta=0.1, workspace=None
):
    """The loss and its gradient by policy.

    chosen: int[B, T] < V
    rejected: int[B, T] < V
    chosen_mask: bool[B, T]
    rejected_mask: bool[B, T]
    beta: real > 0 = 0.1

    Returns ((loss, aux), gradient); aux is a dict of margin.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    chosen = _integer("chosen", chosen, 2)
    rejected = _integer("rejected", rejected, 2)
    chosen_mask = _boolean("chosen_mask", chosen_mask, 2)
    rejected_mask = _boolean("rejected_mask", rejected_mask, 2)
    beta = dtype.type(_real("beta", beta, 0))
    V, D = params._sizes.values()
    B = _length("B", "chosen", chosen, 0)
    T = _length("T", "chosen", chosen, 1)
    _shape("rejected", rejected, (B, T))
    _shape("chosen_mask", chosen_mask, (B, T))
    _shape("rejected_mask", rejected_mask, (B, T))
    _below("chosen", chosen, V)
    _below("rejected", rejected, V)
    _positive("beta", beta)
    ws = _memory(workspace, _ValueAndGradMemory, dtype, B=B, T=T, V=V, D=D)
    chosen = _fit(ws, "chosen", chosen, np.intp)
    rejected = _fit(ws, "rejected", rejected, np.intp)
    chosen_mask = _fit(ws, "chosen_mask", chosen_mask, np.bool_)
    rejected_mask = _fit(ws, "rejected_mask", rejected_mask, np.bool_)
    grads = ws.grads
    policy_W1, policy_g2, policy_s2 = params.policy.W1, params.policy.g2, params.policy.s2
    policy_Wq3, policy_Wk3, policy_Wv3 = params.policy.Wq3, params.policy.Wk3, params.policy.Wv3
    policy_cq3, policy_ck3, policy_cv3 = params.policy.cq3, params.policy.ck3, params.policy.cv3
    policy_Wo3, policy_co3, policy_g4 = params.policy.Wo3, params.policy.co3, params.policy.g4
    policy_s4, policy_W5, policy_c5 = params.policy.s4, params.policy.W5, params.policy.c5
    reference_W1, reference_g2 = params.reference.W1, params.reference.g2
    reference_s2, reference_Wq3 = params.reference.s2, params.reference.Wq3
    reference_Wk3, reference_Wv3 = params.reference.Wk3, params.reference.Wv3
    reference_cq3, reference_ck3 = params.reference.cq3, params.reference.ck3
    reference_cv3, reference_Wo3 = params.reference.cv3, params.reference.Wo3
    reference_co3, reference_g4 = params.reference.co3, params.reference.g4
    reference_s4, reference_W5 = params.reference.s4, params.reference.W5
    reference_c5 = params.reference.c5
    # policy_e1[b,t,i] = policy_W1[chosen[b,t],i]
    policy_e1 = np.take(policy_W1, chosen, axis=0, out=ws.policy_e1, mode="clip")
    # policy_m2[b,t] += policy_e1[b,t,j]/D
    policy_m2 = np.sum(policy_e1, axis=2, out=ws.policy_m2)
    policy_m2 /= D
    # policy_v2[b,t] += (policy_e1[b,t,j] - policy_m2[b,t])**2/D
    t_3 = np.subtract(policy_e1, policy_m2[..., None], out=ws.t_3)
    t_2 = np.square(t_3, out=ws.t_2)
    policy_v2 = np.sum(t_2, axis=2, out=ws.policy_v2)
    policy_v2 /= D
    # policy_v2_sqrt[b,t] = sqrt(0.00001 + policy_v2[b,t])
    policy_v2_sqrt = np.add(1e-05, policy_v2, out=ws.policy_v2_sqrt)
    np.sqrt(policy_v2_sqrt, out=policy_v2_sqrt)
    # policy_n2[b,t,i] = policy_g2[i]*(policy_e1[b,t,i] - policy_m2[b,t])/policy_v2_sqrt[b,t] +
    #     policy_s2[i]
    policy_n2 = np.multiply(t_3, policy_g2, out=ws.policy_n2)
    policy_n2 /= policy_v2_sqrt[..., None]
    policy_n2 += policy_s2
    # policy_q3[b,u,i] += policy_Wq3[i,j]*policy_n2[b,u,j]
    policy_q3 = ws.policy_q3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wq3.T, out=policy_q3.reshape(B * T, 16))
    # policy_q3[b,u,i] += policy_cq3[i] for b < B, u < T
    policy_q3 += policy_cq3
    # policy_k3[b,u,i] += policy_Wk3[i,j]*policy_n2[b,u,j]
    policy_k3 = ws.policy_k3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wk3.T, out=policy_k3.reshape(B * T, 16))
    # policy_k3[b,u,i] += policy_ck3[i] for b < B, u < T
    policy_k3 += policy_ck3
    # policy_v3[b,u,i] += policy_Wv3[i,j]*policy_n2[b,u,j]
    policy_v3 = ws.policy_v3
    np.matmul(policy_n2.reshape(B * T, D), policy_Wv3.T, out=policy_v3.reshape(B * T, 16))
    # policy_v3[b,u,i] += policy_cv3[i] for b < B, u < T
    policy_v3 += policy_cv3
    # policy_s3_sum[b,i,u,w] += policy_k3[b,w,8*i+l]*policy_q3[b,u,8*i+l] for i < 2, l < 8
    policy_s3_sum = np.matmul(
        policy_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        policy_k3.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.policy_s3_sum,
    )
    # policy_s3[b,i,u,w] = where(w <= u, 0.25*policy_s3_sum[b,i,u,w]*sqrt(2), -inf)
    t_4 = np.less_equal(ws.arange, ws.arange[:, None], out=ws.t_4)
    policy_s3 = ws.policy_s3
    policy_s3.fill(-np.inf)
    np.multiply(policy_s3_sum, 2.0**0.5 / 4.0, out=policy_s3, where=t_4)
    # policy_l3[b,i,u] = logsumexp(w: policy_s3[b,i,u,w])
    policy_l3 = _logsumexp(policy_s3, out=ws.policy_l3, scratch=ws.t_5, total=ws.t_6)
    # policy_p3[b,i,u,w] = expdiff(policy_s3[b,i,u,w], policy_l3[b,i,u])
    policy_p3 = _expdiff(policy_s3, policy_l3[..., None], out=ws.policy_p3)
    # policy_o3[b,u,8*i+l] += policy_p3[b,i,u,w]*policy_v3[b,w,8*i+l] for l < 8
    policy_o3 = ws.policy_o3
    np.matmul(
        policy_p3,
        policy_v3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=policy_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # policy_y3[b,u,i] += policy_Wo3[i,j]*policy_o3[b,u,j]
    policy_y3 = ws.policy_y3
    np.matmul(policy_o3.reshape(B * T, 16), policy_Wo3.T, out=policy_y3.reshape(B * T, D))
    # policy_y3[b,u,i] += policy_co3[i] for b < B, u < T
    policy_y3 += policy_co3
    # policy_r3[b,t,i] = policy_e1[b,t,i] + policy_y3[b,t,i]
    policy_r3 = np.add(policy_e1, policy_y3, out=ws.policy_r3)
    # policy_m4[b,t] += policy_r3[b,t,j]/D
    policy_m4 = np.sum(policy_r3, axis=2, out=ws.policy_m4)
    policy_m4 /= D
    # policy_v4[b,t] += (policy_r3[b,t,j] - policy_m4[b,t])**2/D
    t_7 = np.subtract(policy_r3, policy_m4[..., None], out=ws.t_7)
    t_8 = np.square(t_7, out=ws.t_8)
    policy_v4 = np.sum(t_8, axis=2, out=ws.policy_v4)
    policy_v4 /= D
    # policy_v4_sqrt[b,t] = sqrt(0.00001 + policy_v4[b,t])
    policy_v4_sqrt = np.add(1e-05, policy_v4, out=ws.policy_v4_sqrt)
    np.sqrt(policy_v4_sqrt, out=policy_v4_sqrt)
    # policy_n4[b,t,i] = policy_g4[i]*(policy_r3[b,t,i] - policy_m4[b,t])/policy_v4_sqrt[b,t] +
    #     policy_s4[i]
    policy_n4 = np.multiply(t_7, policy_g4, out=ws.policy_n4)
    policy_n4 /= policy_v4_sqrt[..., None]
    policy_n4 += policy_s4
    # policy_z5[b,t,i] += policy_W5[i,j]*policy_n4[b,t,j]
    policy_z5 = ws.policy_z5
    np.matmul(policy_n4.reshape(B * T, D), policy_W5.T, out=policy_z5.reshape(B * T, V))
    # policy_z5[b,t,i] += policy_c5[i] for b < B, t < T
    policy_z5 += policy_c5
    # policy_lse[b,t] = logsumexp(v: policy_z5[b,t,v])
    policy_lse = _logsumexp(policy_z5, out=ws.policy_lse, scratch=ws.t_9, total=ws.t_10)
    # policy[b,t,i] = policy_z5[b,t,i] - policy_lse[b,t]
    policy = np.subtract(policy_z5, policy_lse[..., None], out=ws.policy)
    # reference_e1[b,t,i] = reference_W1[chosen[b,t],i]
    reference_e1 = np.take(reference_W1, chosen, axis=0, out=ws.reference_e1, mode="clip")
    # reference_m2[b,t] += reference_e1[b,t,j]/D
    reference_m2 = np.sum(reference_e1, axis=2, out=ws.reference_m2)
    reference_m2 /= D
    # reference_v2[b,t] += (reference_e1[b,t,j] - reference_m2[b,t])**2/D
    t_11 = np.subtract(reference_e1, reference_m2[..., None], out=ws.t_11)
    t_1 = np.square(t_11, out=ws.t_1)
    reference_v2 = np.sum(t_1, axis=2, out=ws.reference_v2)
    reference_v2 /= D
    # reference_v2_sqrt[b,t] = sqrt(0.00001 + reference_v2[b,t])
    reference_v2_sqrt = np.add(1e-05, reference_v2, out=ws.reference_v2_sqrt)
    np.sqrt(reference_v2_sqrt, out=reference_v2_sqrt)
    # reference_n2[b,t,i] = reference_g2[i]*(reference_e1[b,t,i] -
    #     reference_m2[b,t])/reference_v2_sqrt[b,t] + reference_s2[i]
    reference_n2 = np.multiply(t_11, reference_g2, out=ws.reference_n2)
    reference_n2 /= reference_v2_sqrt[..., None]
    reference_n2 += reference_s2
    # reference_q3[b,u,i] += reference_Wq3[i,j]*reference_n2[b,u,j]
    reference_q3 = ws.reference_q3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wq3.T, out=reference_q3.reshape(B * T, 16))
    # reference_q3[b,u,i] += reference_cq3[i] for b < B, u < T
    reference_q3 += reference_cq3
    # reference_k3[b,u,i] += reference_Wk3[i,j]*reference_n2[b,u,j]
    reference_k3 = ws.reference_k3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wk3.T, out=reference_k3.reshape(B * T, 16))
    # reference_k3[b,u,i] += reference_ck3[i] for b < B, u < T
    reference_k3 += reference_ck3
    # reference_v3[b,u,i] += reference_Wv3[i,j]*reference_n2[b,u,j]
    reference_v3 = ws.reference_v3
    np.matmul(reference_n2.reshape(B * T, D), reference_Wv3.T, out=reference_v3.reshape(B * T, 16))
    # reference_v3[b,u,i] += reference_cv3[i] for b < B, u < T
    reference_v3 += reference_cv3
    # reference_s3_sum[b,i,u,w] += reference_k3[b,w,8*i+l]*reference_q3[b,u,8*i+l] for i < 2, l < 8
    reference_s3_sum = np.matmul(
        reference_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        reference_k3.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.reference_s3_sum,
    )
    # reference_s3[b,i,u,w] = where(w <= u, 0.25*reference_s3_sum[b,i,u,w]*sqrt(2), -inf)
    reference_s3 = ws.reference_s3
    reference_s3.fill(-np.inf)
    np.multiply(reference_s3_sum, 2.0**0.5 / 4.0, out=reference_s3, where=t_4)
    # reference_l3[b,i,u] = logsumexp(w: reference_s3[b,i,u,w])
    reference_l3 = _logsumexp(reference_s3, out=ws.reference_l3, scratch=ws.t_12, total=ws.t_6)
    # reference_p3[b,i,u,w] = expdiff(reference_s3[b,i,u,w], reference_l3[b,i,u])
    reference_p3 = _expdiff(reference_s3, reference_l3[..., None], out=ws.reference_p3)
    # reference_o3[b,u,8*i+l] += reference_p3[b,i,u,w]*reference_v3[b,w,8*i+l] for l < 8
    reference_o3 = ws.reference_o3
    np.matmul(
        reference_p3,
        reference_v3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=reference_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # reference_y3[b,u,i] += reference_Wo3[i,j]*reference_o3[b,u,j]
    reference_y3 = ws.reference_y3
    np.matmul(reference_o3.reshape(B * T, 16), reference_Wo3.T, out=reference_y3.reshape(B * T, D))
    # reference_y3[b,u,i] += reference_co3[i] for b < B, u < T
    reference_y3 += reference_co3
    # reference_r3[b,t,i] = reference_e1[b,t,i] + reference_y3[b,t,i]
    reference_r3 = np.add(reference_e1, reference_y3, out=ws.reference_r3)
    # reference_m4[b,t] += reference_r3[b,t,j]/D
    reference_m4 = np.sum(reference_r3, axis=2, out=ws.reference_m4)
    reference_m4 /= D
    # reference_v4[b,t] += (reference_r3[b,t,j] - reference_m4[b,t])**2/D
    t_13 = np.subtract(reference_r3, reference_m4[..., None], out=ws.t_13)
    np.square(t_13, out=t_11)
    reference_v4 = np.sum(t_11, axis=2, out=ws.reference_v4)
    reference_v4 /= D
    # reference_v4_sqrt[b,t] = sqrt(0.00001 + reference_v4[b,t])
    reference_v4_sqrt = np.add(1e-05, reference_v4, out=ws.reference_v4_sqrt)
    np.sqrt(reference_v4_sqrt, out=reference_v4_sqrt)
    # reference_n4[b,t,i] = reference_g4[i]*(reference_r3[b,t,i] -
    #     reference_m4[b,t])/reference_v4_sqrt[b,t] + reference_s4[i]
    reference_n4 = np.multiply(t_13, reference_g4, out=ws.reference_n4)
    reference_n4 /= reference_v4_sqrt[..., None]
    reference_n4 += reference_s4
    # reference_z5[b,t,i] += reference_W5[i,j]*reference_n4[b,t,j]
    reference_z5 = ws.reference_z5
    np.matmul(reference_n4.reshape(B * T, D), reference_W5.T, out=reference_z5.reshape(B * T, V))
    # reference_z5[b,t,i] += reference_c5[i] for b < B, t < T
    reference_z5 += reference_c5
    # reference_lse[b,t] = logsumexp(v: reference_z5[b,t,v])
    reference_lse = _logsumexp(reference_z5, out=ws.reference_lse, scratch=ws.t_14, total=ws.t_15)
    # reference[b,t,i] = reference_z5[b,t,i] - reference_lse[b,t]
    reference = np.subtract(reference_z5, reference_lse[..., None], out=ws.reference)
    # token_w[b,t] = where(chosen_mask[b,t+1] == 1, policy[b,t,chosen[b,t+1]], 0) for t < T-1
    token_w = ws.token_w
    token_w.fill(0.0)
    chosen_copy = ws.chosen_copy
    np.copyto(chosen_copy, chosen[:, 1:T])
    policy_at = _pick(
        policy, (ws.arange_2[:, None], ws.arange_3, chosen_copy), out=ws.policy_at, at=ws.at
    )
    np.copyto(token_w, policy_at, where=chosen_mask[:, 1:T])
    # policy_e1_rejected[b,t,i] = policy_W1[rejected[b,t],i]
    policy_e1_rejected = np.take(
        policy_W1, rejected, axis=0, out=ws.policy_e1_rejected, mode="clip"
    )
    # policy_m2_rejected[b,t] += policy_e1_rejected[b,t,j]/D
    policy_m2_rejected = np.sum(policy_e1_rejected, axis=2, out=ws.policy_m2_rejected)
    policy_m2_rejected /= D
    # policy_v2_rejected[b,t] += (policy_e1_rejected[b,t,j] - policy_m2_rejected[b,t])**2/D
    np.subtract(policy_e1_rejected, policy_m2_rejected[..., None], out=t_11)
    np.square(t_11, out=t_1)
    policy_v2_rejected = np.sum(t_1, axis=2, out=ws.policy_v2_rejected)
    policy_v2_rejected /= D
    # policy_v2_rejected_sqrt[b,t] = sqrt(0.00001 + policy_v2_rejected[b,t])
    policy_v2_rejected_sqrt = np.add(1e-05, policy_v2_rejected, out=ws.policy_v2_rejected_sqrt)
    np.sqrt(policy_v2_rejected_sqrt, out=policy_v2_rejected_sqrt)
    # policy_n2_rejected[b,t,i] = policy_g2[i]*(policy_e1_rejected[b,t,i] -
    #     policy_m2_rejected[b,t])/policy_v2_rejected_sqrt[b,t] + policy_s2[i]
    policy_n2_rejected = np.multiply(t_11, policy_g2, out=ws.policy_n2_rejected)
    policy_n2_rejected /= policy_v2_rejected_sqrt[..., None]
    policy_n2_rejected += policy_s2
    # policy_q3_rejected[b,u,i] += policy_Wq3[i,j]*policy_n2_rejected[b,u,j]
    policy_q3_rejected = ws.policy_q3_rejected
    np.matmul(
        policy_n2_rejected.reshape(B * T, D),
        policy_Wq3.T,
        out=policy_q3_rejected.reshape(B * T, 16),
    )
    # policy_q3_rejected[b,u,i] += policy_cq3[i] for b < B, u < T
    policy_q3_rejected += policy_cq3
    # policy_k3_rejected[b,u,i] += policy_Wk3[i,j]*policy_n2_rejected[b,u,j]
    policy_k3_rejected = ws.policy_k3_rejected
    np.matmul(
        policy_n2_rejected.reshape(B * T, D),
        policy_Wk3.T,
        out=policy_k3_rejected.reshape(B * T, 16),
    )
    # policy_k3_rejected[b,u,i] += policy_ck3[i] for b < B, u < T
    policy_k3_rejected += policy_ck3
    # policy_v3_rejected[b,u,i] += policy_Wv3[i,j]*policy_n2_rejected[b,u,j]
    policy_v3_rejected = ws.policy_v3_rejected
    np.matmul(
        policy_n2_rejected.reshape(B * T, D),
        policy_Wv3.T,
        out=policy_v3_rejected.reshape(B * T, 16),
    )
    # policy_v3_rejected[b,u,i] += policy_cv3[i] for b < B, u < T
    policy_v3_rejected += policy_cv3
    # policy_s3_rejected_sum[b,i,u,w] += policy_k3_rejected[b,w,8*i+l]*policy_q3_rejected[b,u,8*i+l]
    #     for i < 2, l < 8
    policy_s3_rejected_sum = np.matmul(
        policy_q3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        policy_k3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.policy_s3_rejected_sum,
    )
    # policy_s3_rejected[b,i,u,w] = where(w <= u, 0.25*policy_s3_rejected_sum[b,i,u,w]*sqrt(2),
    #     -inf)
    policy_s3_rejected = ws.policy_s3_rejected
    policy_s3_rejected.fill(-np.inf)
    np.multiply(policy_s3_rejected_sum, 2.0**0.5 / 4.0, out=policy_s3_rejected, where=t_4)
    # policy_l3_rejected[b,i,u] = logsumexp(w: policy_s3_rejected[b,i,u,w])
    policy_l3_rejected = _logsumexp(
        policy_s3_rejected, out=ws.policy_l3_rejected, scratch=ws.t_12, total=ws.t_6
    )
    # policy_p3_rejected[b,i,u,w] = expdiff(policy_s3_rejected[b,i,u,w], policy_l3_rejected[b,i,u])
    policy_p3_rejected = _expdiff(
        policy_s3_rejected, policy_l3_rejected[..., None], out=ws.policy_p3_rejected
    )
    # policy_o3_rejected[b,u,8*i+l] += policy_p3_rejected[b,i,u,w]*policy_v3_rejected[b,w,8*i+l] for
    #     l < 8
    policy_o3_rejected = ws.policy_o3_rejected
    np.matmul(
        policy_p3_rejected,
        policy_v3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=policy_o3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # policy_y3_rejected[b,u,i] += policy_Wo3[i,j]*policy_o3_rejected[b,u,j]
    policy_y3_rejected = ws.policy_y3_rejected
    np.matmul(
        policy_o3_rejected.reshape(B * T, 16),
        policy_Wo3.T,
        out=policy_y3_rejected.reshape(B * T, D),
    )
    # policy_y3_rejected[b,u,i] += policy_co3[i] for b < B, u < T
    policy_y3_rejected += policy_co3
    # policy_r3_rejected[b,t,i] = policy_e1_rejected[b,t,i] + policy_y3_rejected[b,t,i]
    policy_r3_rejected = np.add(policy_e1_rejected, policy_y3_rejected, out=ws.policy_r3_rejected)
    # policy_m4_rejected[b,t] += policy_r3_rejected[b,t,j]/D
    policy_m4_rejected = np.sum(policy_r3_rejected, axis=2, out=ws.policy_m4_rejected)
    policy_m4_rejected /= D
    # policy_v4_rejected[b,t] += (policy_r3_rejected[b,t,j] - policy_m4_rejected[b,t])**2/D
    np.subtract(policy_r3_rejected, policy_m4_rejected[..., None], out=t_13)
    t_16 = np.square(t_13, out=ws.t_16)
    policy_v4_rejected = np.sum(t_16, axis=2, out=ws.policy_v4_rejected)
    policy_v4_rejected /= D
    # policy_v4_rejected_sqrt[b,t] = sqrt(0.00001 + policy_v4_rejected[b,t])
    policy_v4_rejected_sqrt = np.add(1e-05, policy_v4_rejected, out=ws.policy_v4_rejected_sqrt)
    np.sqrt(policy_v4_rejected_sqrt, out=policy_v4_rejected_sqrt)
    # policy_n4_rejected[b,t,i] = policy_g4[i]*(policy_r3_rejected[b,t,i] -
    #     policy_m4_rejected[b,t])/policy_v4_rejected_sqrt[b,t] + policy_s4[i]
    policy_n4_rejected = np.multiply(t_13, policy_g4, out=ws.policy_n4_rejected)
    policy_n4_rejected /= policy_v4_rejected_sqrt[..., None]
    policy_n4_rejected += policy_s4
    # policy_z5_rejected[b,t,i] += policy_W5[i,j]*policy_n4_rejected[b,t,j]
    policy_z5_rejected = ws.policy_z5_rejected
    np.matmul(
        policy_n4_rejected.reshape(B * T, D), policy_W5.T, out=policy_z5_rejected.reshape(B * T, V)
    )
    # policy_z5_rejected[b,t,i] += policy_c5[i] for b < B, t < T
    policy_z5_rejected += policy_c5
    # policy_rejected_lse[b,t] = logsumexp(v: policy_z5_rejected[b,t,v])
    policy_rejected_lse = _logsumexp(
        policy_z5_rejected, out=ws.policy_rejected_lse, scratch=ws.t_14, total=ws.t_17
    )
    # policy_rejected[b,t,i] = policy_z5_rejected[b,t,i] - policy_rejected_lse[b,t]
    policy_rejected = np.subtract(
        policy_z5_rejected, policy_rejected_lse[..., None], out=ws.policy_rejected
    )
    # token_l[b,t] = where(rejected_mask[b,t+1] == 1, policy_rejected[b,t,rejected[b,t+1]], 0) for t
    #     < T-1
    token_l = ws.token_l
    token_l.fill(0.0)
    rejected_copy = ws.rejected_copy
    np.copyto(rejected_copy, rejected[:, 1:T])
    policy_rejected_at = _pick(
        policy_rejected,
        (ws.arange_2[:, None], ws.arange_3, rejected_copy),
        out=ws.policy_rejected_at,
        at=ws.at_2,
    )
    np.copyto(token_l, policy_rejected_at, where=rejected_mask[:, 1:T])
    # token_ref_w[b,t] = where(chosen_mask[b,t+1] == 1, reference[b,t,chosen[b,t+1]], 0) for t < T-1
    token_ref_w = ws.token_ref_w
    token_ref_w.fill(0.0)
    reference_at = _pick(
        reference, (ws.arange_2[:, None], ws.arange_3, chosen_copy), out=ws.reference_at, at=ws.at_2
    )
    np.copyto(token_ref_w, reference_at, where=chosen_mask[:, 1:T])
    # reference_e1_rejected[b,t,i] = reference_W1[rejected[b,t],i]
    reference_e1_rejected = np.take(
        reference_W1, rejected, axis=0, out=ws.reference_e1_rejected, mode="clip"
    )
    # reference_m2_rejected[b,t] += reference_e1_rejected[b,t,j]/D
    reference_m2_rejected = np.sum(reference_e1_rejected, axis=2, out=ws.reference_m2_rejected)
    reference_m2_rejected /= D
    # reference_v2_rejected[b,t] += (reference_e1_rejected[b,t,j] - reference_m2_rejected[b,t])**2/D
    t_18 = np.subtract(reference_e1_rejected, reference_m2_rejected[..., None], out=ws.t_18)
    t_19 = np.square(t_18, out=ws.t_19)
    reference_v2_rejected = np.sum(t_19, axis=2, out=ws.reference_v2_rejected)
    reference_v2_rejected /= D
    # reference_v2_rejected_sqrt[b,t] = sqrt(0.00001 + reference_v2_rejected[b,t])
    reference_v2_rejected_sqrt = np.add(
        1e-05, reference_v2_rejected, out=ws.reference_v2_rejected_sqrt
    )
    np.sqrt(reference_v2_rejected_sqrt, out=reference_v2_rejected_sqrt)
    # reference_n2_rejected[b,t,i] = reference_g2[i]*(reference_e1_rejected[b,t,i] -
    #     reference_m2_rejected[b,t])/reference_v2_rejected_sqrt[b,t] + reference_s2[i]
    reference_n2_rejected = np.multiply(t_18, reference_g2, out=ws.reference_n2_rejected)
    reference_n2_rejected /= reference_v2_rejected_sqrt[..., None]
    reference_n2_rejected += reference_s2
    # reference_q3_rejected[b,u,i] += reference_Wq3[i,j]*reference_n2_rejected[b,u,j]
    reference_q3_rejected = ws.reference_q3_rejected
    np.matmul(
        reference_n2_rejected.reshape(B * T, D),
        reference_Wq3.T,
        out=reference_q3_rejected.reshape(B * T, 16),
    )
    # reference_q3_rejected[b,u,i] += reference_cq3[i] for b < B, u < T
    reference_q3_rejected += reference_cq3
    # reference_k3_rejected[b,u,i] += reference_Wk3[i,j]*reference_n2_rejected[b,u,j]
    reference_k3_rejected = ws.reference_k3_rejected
    np.matmul(
        reference_n2_rejected.reshape(B * T, D),
        reference_Wk3.T,
        out=reference_k3_rejected.reshape(B * T, 16),
    )
    # reference_k3_rejected[b,u,i] += reference_ck3[i] for b < B, u < T
    reference_k3_rejected += reference_ck3
    # reference_v3_rejected[b,u,i] += reference_Wv3[i,j]*reference_n2_rejected[b,u,j]
    reference_v3_rejected = ws.reference_v3_rejected
    np.matmul(
        reference_n2_rejected.reshape(B * T, D),
        reference_Wv3.T,
        out=reference_v3_rejected.reshape(B * T, 16),
    )
    # reference_v3_rejected[b,u,i] += reference_cv3[i] for b < B, u < T
    reference_v3_rejected += reference_cv3
    # reference_s3_rejected_sum[b,i,u,w] +=
    #     reference_k3_rejected[b,w,8*i+l]*reference_q3_rejected[b,u,8*i+l] for i < 2, l < 8
    reference_s3_rejected_sum = np.matmul(
        reference_q3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        reference_k3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.reference_s3_rejected_sum,
    )
    # reference_s3_rejected[b,i,u,w] = where(w <= u,
    #     0.25*reference_s3_rejected_sum[b,i,u,w]*sqrt(2), -inf)
    reference_s3_rejected = ws.reference_s3_rejected
    reference_s3_rejected.fill(-np.inf)
    np.multiply(reference_s3_rejected_sum, 2.0**0.5 / 4.0, out=reference_s3_rejected, where=t_4)
    # reference_l3_rejected[b,i,u] = logsumexp(w: reference_s3_rejected[b,i,u,w])
    reference_l3_rejected = _logsumexp(
        reference_s3_rejected, out=ws.reference_l3_rejected, scratch=ws.t_20, total=ws.t_6
    )
    # reference_p3_rejected[b,i,u,w] = expdiff(reference_s3_rejected[b,i,u,w],
    #     reference_l3_rejected[b,i,u])
    reference_p3_rejected = _expdiff(
        reference_s3_rejected, reference_l3_rejected[..., None], out=ws.reference_p3_rejected
    )
    # reference_o3_rejected[b,u,8*i+l] +=
    #     reference_p3_rejected[b,i,u,w]*reference_v3_rejected[b,w,8*i+l] for l < 8
    reference_o3_rejected = ws.reference_o3_rejected
    np.matmul(
        reference_p3_rejected,
        reference_v3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=reference_o3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # reference_y3_rejected[b,u,i] += reference_Wo3[i,j]*reference_o3_rejected[b,u,j]
    reference_y3_rejected = ws.reference_y3_rejected
    np.matmul(
        reference_o3_rejected.reshape(B * T, 16),
        reference_Wo3.T,
        out=reference_y3_rejected.reshape(B * T, D),
    )
    # reference_y3_rejected[b,u,i] += reference_co3[i] for b < B, u < T
    reference_y3_rejected += reference_co3
    # reference_r3_rejected[b,t,i] = reference_e1_rejected[b,t,i] + reference_y3_rejected[b,t,i]
    reference_r3_rejected = np.add(
        reference_e1_rejected, reference_y3_rejected, out=ws.reference_r3_rejected
    )
    # reference_m4_rejected[b,t] += reference_r3_rejected[b,t,j]/D
    reference_m4_rejected = np.sum(reference_r3_rejected, axis=2, out=ws.reference_m4_rejected)
    reference_m4_rejected /= D
    # reference_v4_rejected[b,t] += (reference_r3_rejected[b,t,j] - reference_m4_rejected[b,t])**2/D
    t_21 = np.subtract(reference_r3_rejected, reference_m4_rejected[..., None], out=ws.t_21)
    np.square(t_21, out=t_18)
    reference_v4_rejected = np.sum(t_18, axis=2, out=ws.reference_v4_rejected)
    reference_v4_rejected /= D
    # reference_v4_rejected_sqrt[b,t] = sqrt(0.00001 + reference_v4_rejected[b,t])
    reference_v4_rejected_sqrt = np.add(
        1e-05, reference_v4_rejected, out=ws.reference_v4_rejected_sqrt
    )
    np.sqrt(reference_v4_rejected_sqrt, out=reference_v4_rejected_sqrt)
    # reference_n4_rejected[b,t,i] = reference_g4[i]*(reference_r3_rejected[b,t,i] -
    #     reference_m4_rejected[b,t])/reference_v4_rejected_sqrt[b,t] + reference_s4[i]
    reference_n4_rejected = np.multiply(t_21, reference_g4, out=ws.reference_n4_rejected)
    reference_n4_rejected /= reference_v4_rejected_sqrt[..., None]
    reference_n4_rejected += reference_s4
    # reference_z5_rejected[b,t,i] += reference_W5[i,j]*reference_n4_rejected[b,t,j]
    reference_z5_rejected = ws.reference_z5_rejected
    np.matmul(
        reference_n4_rejected.reshape(B * T, D),
        reference_W5.T,
        out=reference_z5_rejected.reshape(B * T, V),
    )
    # reference_z5_rejected[b,t,i] += reference_c5[i] for b < B, t < T
    reference_z5_rejected += reference_c5
    # reference_rejected_lse[b,t] = logsumexp(v: reference_z5_rejected[b,t,v])
    reference_rejected_lse = _logsumexp(
        reference_z5_rejected, out=ws.reference_rejected_lse, scratch=ws.t_14, total=ws.t_22
    )
    # reference_rejected[b,t,i] = reference_z5_rejected[b,t,i] - reference_rejected_lse[b,t]
    reference_rejected = np.subtract(
        reference_z5_rejected, reference_rejected_lse[..., None], out=ws.reference_rejected
    )
    # token_ref_l[b,t] = where(rejected_mask[b,t+1] == 1, reference_rejected[b,t,rejected[b,t+1]],
    #     0) for t < T-1
    token_ref_l = ws.token_ref_l
    token_ref_l.fill(0.0)
    reference_rejected_at = _pick(
        reference_rejected,
        (ws.arange_2[:, None], ws.arange_3, rejected_copy),
        out=ws.reference_rejected_at,
        at=ws.at_2,
    )
    np.copyto(token_ref_l, reference_rejected_at, where=rejected_mask[:, 1:T])
    # logp_w[b] += token_w[b,t]
    logp_w = np.sum(token_w, axis=1, out=ws.logp_w)
    # logp_l[b] += token_l[b,t]
    logp_l = np.sum(token_l, axis=1, out=ws.logp_l)
    # ref_w[b] += token_ref_w[b,t]
    ref_w = np.sum(token_ref_w, axis=1, out=ws.ref_w)
    # ref_l[b] += token_ref_l[b,t]
    ref_l = np.sum(token_ref_l, axis=1, out=ws.ref_l)
    # margin[b] = logp_w[b] + stop(ref_l[b]) - logp_l[b] - stop(ref_w[b])
    margin = np.subtract(ref_l, ref_w, out=ws.margin)
    margin += logp_w
    margin -= logp_l
    # beta_arg[b] = -beta*margin[b]
    beta_arg = np.multiply(margin, -beta, out=ws.beta_arg)
    # beta_arg_softplus[b] = softplus(beta_arg[b])
    beta_arg_softplus = np.logaddexp(beta_arg, 0.0, out=ws.beta_arg_softplus)
    # loss += beta_arg_softplus[b]/B
    loss = np.sum(beta_arg_softplus) / B
    # dbeta_arg_softplus[b] = 1/B for b < B
    dbeta_arg_softplus = ws.dbeta_arg_softplus
    dbeta_arg_softplus.fill(1.0 / B)
    # beta_arg_sigmoid[b] = sigmoid(beta_arg[b])
    beta_arg_sigmoid = _sigmoid(beta_arg, out=ws.beta_arg_sigmoid, scratch=ws.t_23)
    # dbeta_arg[b] = dbeta_arg_softplus[b]*beta_arg_sigmoid[b]
    dbeta_arg = np.multiply(beta_arg_sigmoid, dbeta_arg_softplus, out=ws.dbeta_arg)
    # dmargin[b] = -dbeta_arg[b]*beta
    dmargin = np.multiply(dbeta_arg, -beta, out=ws.dmargin)
    # dlogp_l[b] = -dmargin[b]
    dlogp_l = np.negative(dmargin, out=ws.dlogp_l)
    # dtoken_l[b,t] = dlogp_l[b] for t < T-1
    dtoken_l = ws.dtoken_l
    np.copyto(dtoken_l, dlogp_l[:, None])
    # dtoken_w[b,t] = dmargin[b] for t < T-1
    dtoken_w = ws.dtoken_w
    np.copyto(dtoken_w, dmargin[:, None])
    # rejected_mask_where[b,t] = where(rejected_mask[b,t+1] == 1, dtoken_l[b,t], 0)
    rejected_mask_where = ws.rejected_mask_where
    rejected_mask_where.fill(0.0)
    np.copyto(rejected_mask_where, dtoken_l, where=rejected_mask[:, 1:T])
    dpolicy_rejected = ws.dpolicy_rejected
    dpolicy_rejected.fill(0.0)
    # dpolicy_rejected[b,t,rejected[b,t+1]] += rejected_mask_where[b,t]
    _add_at(
        dpolicy_rejected,
        (ws.arange_2[:, None], ws.arange_3, rejected_copy),
        rejected_mask_where,
        at=ws.at_2,
        scratch=ws.t_24,
    )
    # dpolicy_rejected_lse[b,t] += -dpolicy_rejected[b,t,i]
    dpolicy_rejected_lse = np.sum(dpolicy_rejected, axis=2, out=ws.dpolicy_rejected_lse)
    np.negative(dpolicy_rejected_lse, out=dpolicy_rejected_lse)
    # policy_z5_rejected_softmax[b,t,v] = expdiff(policy_z5_rejected[b,t,v],
    #     policy_rejected_lse[b,t])
    policy_z5_rejected_softmax = _expdiff(
        policy_z5_rejected, policy_rejected_lse[..., None], out=ws.policy_z5_rejected_softmax
    )
    # dpolicy_z5_rejected[b,t,v] += dpolicy_rejected_lse[b,t]*policy_z5_rejected_softmax[b,t,v]
    dpolicy_z5_rejected = np.multiply(
        dpolicy_rejected_lse[..., None], policy_z5_rejected_softmax, out=ws.dpolicy_z5_rejected
    )
    # dpolicy_z5_rejected[b,t,i] += dpolicy_rejected[b,t,i]
    dpolicy_z5_rejected += dpolicy_rejected
    # dpolicy_c5[i] += dpolicy_z5_rejected[b,t,i]
    dpolicy_c5 = np.sum(dpolicy_z5_rejected, axis=(0, 1), out=grads.policy.c5)
    # dpolicy_W5[i,j] += dpolicy_z5_rejected[b,t,i]*policy_n4_rejected[b,t,j]
    dpolicy_W5 = np.matmul(
        dpolicy_z5_rejected.reshape(B * T, V).T,
        policy_n4_rejected.reshape(B * T, D),
        out=grads.policy.W5,
    )
    # dpolicy_n4_rejected[b,t,j] += dpolicy_z5_rejected[b,t,i]*policy_W5[i,j]
    dpolicy_n4_rejected = ws.dpolicy_n4_rejected
    np.matmul(
        dpolicy_z5_rejected.reshape(B * T, V), policy_W5, out=dpolicy_n4_rejected.reshape(B * T, D)
    )
    # dpolicy_g4[i] += dpolicy_n4_rejected[b,t,i]*(policy_r3_rejected[b,t,i] -
    #     policy_m4_rejected[b,t])/policy_v4_rejected_sqrt[b,t]
    np.multiply(t_13, dpolicy_n4_rejected, out=t_21)
    t_25 = np.divide(1.0, policy_v4_rejected_sqrt, out=ws.t_25)
    dpolicy_g4 = np.matmul(t_25.reshape(B * T), t_21.reshape(B * T, D), out=grads.policy.g4)
    # dpolicy_m4_rejected[b,t] +=
    #     -dpolicy_n4_rejected[b,t,i]*policy_g4[i]/policy_v4_rejected_sqrt[b,t]
    np.multiply(dpolicy_n4_rejected, policy_g4, out=t_18)
    t_17 = np.sum(t_18, axis=2, out=ws.t_17)
    dpolicy_m4_rejected = np.multiply(t_17, t_25, out=ws.dpolicy_m4_rejected)
    np.negative(dpolicy_m4_rejected, out=dpolicy_m4_rejected)
    # dpolicy_r3_rejected[b,t,i] +=
    #     dpolicy_n4_rejected[b,t,i]*policy_g4[i]/policy_v4_rejected_sqrt[b,t]
    dpolicy_r3_rejected = np.divide(
        t_18, policy_v4_rejected_sqrt[..., None], out=ws.dpolicy_r3_rejected
    )
    # dpolicy_s4[i] += dpolicy_n4_rejected[b,t,i]
    dpolicy_s4 = np.sum(dpolicy_n4_rejected, axis=(0, 1), out=grads.policy.s4)
    # dpolicy_v4_rejected_sqrt[b,t] +=
    #     -dpolicy_n4_rejected[b,t,i]*policy_g4[i]*(policy_r3_rejected[b,t,i] -
    #     policy_m4_rejected[b,t])/policy_v4_rejected_sqrt[b,t]**2
    np.multiply(t_21, policy_g4, out=t_16)
    np.sum(t_16, axis=2, out=t_17)
    t_22 = np.square(policy_v4_rejected_sqrt, out=ws.t_22)
    np.divide(1.0, t_22, out=t_22)
    dpolicy_v4_rejected_sqrt = np.multiply(t_17, t_22, out=ws.dpolicy_v4_rejected_sqrt)
    np.negative(dpolicy_v4_rejected_sqrt, out=dpolicy_v4_rejected_sqrt)
    # dpolicy_v4_rejected[b,t] = 0.5*dpolicy_v4_rejected_sqrt[b,t]/policy_v4_rejected_sqrt[b,t]
    dpolicy_v4_rejected = np.divide(
        dpolicy_v4_rejected_sqrt, policy_v4_rejected_sqrt, out=ws.dpolicy_v4_rejected
    )
    dpolicy_v4_rejected *= 0.5
    # dpolicy_m4_rejected[b,t] += -2*dpolicy_v4_rejected[b,t]*(policy_r3_rejected[b,t,j] -
    #     policy_m4_rejected[b,t])/D
    np.sum(t_13, axis=2, out=t_17)
    np.multiply(dpolicy_v4_rejected, t_17, out=t_17)
    t_17 *= 2.0 / D
    dpolicy_m4_rejected -= t_17
    # dpolicy_r3_rejected[b,t,j] += 2*dpolicy_v4_rejected[b,t]*(policy_r3_rejected[b,t,j] -
    #     policy_m4_rejected[b,t])/D
    t_15 = np.multiply(dpolicy_v4_rejected, 2.0 / D, out=ws.t_15)
    t_13 *= t_15[..., None]
    dpolicy_r3_rejected += t_13
    # dpolicy_r3_rejected[b,t,j] += dpolicy_m4_rejected[b,t]/D for j < D
    np.divide(dpolicy_m4_rejected, D, out=t_15)
    dpolicy_r3_rejected += t_15[..., None]
    # dpolicy_co3[i] += dpolicy_r3_rejected[b,u,i]
    dpolicy_co3 = np.sum(dpolicy_r3_rejected, axis=(0, 1), out=grads.policy.co3)
    # dpolicy_Wo3[i,j] += dpolicy_r3_rejected[b,u,i]*policy_o3_rejected[b,u,j]
    dpolicy_Wo3 = np.matmul(
        dpolicy_r3_rejected.reshape(B * T, D).T,
        policy_o3_rejected.reshape(B * T, 16),
        out=grads.policy.Wo3,
    )
    # dpolicy_o3_rejected[b,u,j] += dpolicy_r3_rejected[b,u,i]*policy_Wo3[i,j]
    dpolicy_o3_rejected = ws.dpolicy_o3_rejected
    np.matmul(
        dpolicy_r3_rejected.reshape(B * T, D),
        policy_Wo3,
        out=dpolicy_o3_rejected.reshape(B * T, 16),
    )
    # dpolicy_p3_rejected[b,i,u,w] += dpolicy_o3_rejected[b,u,8*i+l]*policy_v3_rejected[b,w,8*i+l]
    #     for i < 2, l < 8
    dpolicy_p3_rejected = np.matmul(
        dpolicy_o3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        policy_v3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.dpolicy_p3_rejected,
    )
    # dpolicy_v3_rejected[b,w,8*i+l] += dpolicy_o3_rejected[b,u,8*i+l]*policy_p3_rejected[b,i,u,w]
    #     for l < 8
    dpolicy_v3_rejected = ws.dpolicy_v3_rejected
    np.matmul(
        policy_p3_rejected.transpose(0, 1, 3, 2),
        dpolicy_o3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=dpolicy_v3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # dpolicy_l3_rejected[b,i,u] += -dpolicy_p3_rejected[b,i,u,w]*policy_p3_rejected[b,i,u,w]
    t_20 = np.multiply(dpolicy_p3_rejected, policy_p3_rejected, out=ws.t_20)
    dpolicy_l3_rejected = np.sum(t_20, axis=3, out=ws.dpolicy_l3_rejected)
    np.negative(dpolicy_l3_rejected, out=dpolicy_l3_rejected)
    # dpolicy_s3_rejected[b,i,u,w] += dpolicy_p3_rejected[b,i,u,w]*policy_p3_rejected[b,i,u,w]
    # dpolicy_s3_rejected[b,i,u,w] += dpolicy_l3_rejected[b,i,u]*policy_p3_rejected[b,i,u,w]
    t_12 = np.multiply(dpolicy_l3_rejected[..., None], policy_p3_rejected, out=ws.t_12)
    dpolicy_s3_rejected = np.add(t_20, t_12, out=ws.dpolicy_s3_rejected)
    # dpolicy_s3_rejected_sum[b,i,u,w] = where(w <= u, 0.25*dpolicy_s3_rejected[b,i,u,w]*sqrt(2), 0)
    dpolicy_s3_rejected_sum = ws.dpolicy_s3_rejected_sum
    dpolicy_s3_rejected_sum.fill(0.0)
    np.multiply(dpolicy_s3_rejected, 2.0**0.5 / 4.0, out=dpolicy_s3_rejected_sum, where=t_4)
    # dpolicy_k3_rejected[b,w,8*i+l] +=
    #     dpolicy_s3_rejected_sum[b,i,u,w]*policy_q3_rejected[b,u,8*i+l] for l < 8
    dpolicy_k3_rejected = ws.dpolicy_k3_rejected
    np.matmul(
        dpolicy_s3_rejected_sum.transpose(0, 1, 3, 2),
        policy_q3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=dpolicy_k3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # dpolicy_q3_rejected[b,u,8*i+l] +=
    #     dpolicy_s3_rejected_sum[b,i,u,w]*policy_k3_rejected[b,w,8*i+l] for l < 8
    dpolicy_q3_rejected = ws.dpolicy_q3_rejected
    np.matmul(
        dpolicy_s3_rejected_sum,
        policy_k3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=dpolicy_q3_rejected.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # dpolicy_cv3[i] += dpolicy_v3_rejected[b,u,i]
    dpolicy_cv3 = np.sum(dpolicy_v3_rejected, axis=(0, 1), out=grads.policy.cv3)
    # dpolicy_Wv3[i,j] += dpolicy_v3_rejected[b,u,i]*policy_n2_rejected[b,u,j]
    dpolicy_Wv3 = np.matmul(
        dpolicy_v3_rejected.reshape(B * T, 16).T,
        policy_n2_rejected.reshape(B * T, D),
        out=grads.policy.Wv3,
    )
    # dpolicy_n2_rejected[b,u,j] += dpolicy_v3_rejected[b,u,i]*policy_Wv3[i,j]
    dpolicy_n2_rejected = ws.dpolicy_n2_rejected
    np.matmul(
        dpolicy_v3_rejected.reshape(B * T, 16),
        policy_Wv3,
        out=dpolicy_n2_rejected.reshape(B * T, D),
    )
    # dpolicy_ck3[i] += dpolicy_k3_rejected[b,u,i]
    dpolicy_ck3 = np.sum(dpolicy_k3_rejected, axis=(0, 1), out=grads.policy.ck3)
    # dpolicy_Wk3[i,j] += dpolicy_k3_rejected[b,u,i]*policy_n2_rejected[b,u,j]
    dpolicy_Wk3 = np.matmul(
        dpolicy_k3_rejected.reshape(B * T, 16).T,
        policy_n2_rejected.reshape(B * T, D),
        out=grads.policy.Wk3,
    )
    # dpolicy_n2_rejected[b,u,j] += dpolicy_k3_rejected[b,u,i]*policy_Wk3[i,j]
    np.matmul(dpolicy_k3_rejected.reshape(B * T, 16), policy_Wk3, out=t_16.reshape(B * T, D))
    dpolicy_n2_rejected += t_16
    # dpolicy_cq3[i] += dpolicy_q3_rejected[b,u,i]
    dpolicy_cq3 = np.sum(dpolicy_q3_rejected, axis=(0, 1), out=grads.policy.cq3)
    # dpolicy_Wq3[i,j] += dpolicy_q3_rejected[b,u,i]*policy_n2_rejected[b,u,j]
    dpolicy_Wq3 = np.matmul(
        dpolicy_q3_rejected.reshape(B * T, 16).T,
        policy_n2_rejected.reshape(B * T, D),
        out=grads.policy.Wq3,
    )
    # dpolicy_n2_rejected[b,u,j] += dpolicy_q3_rejected[b,u,i]*policy_Wq3[i,j]
    np.matmul(dpolicy_q3_rejected.reshape(B * T, 16), policy_Wq3, out=t_1.reshape(B * T, D))
    dpolicy_n2_rejected += t_1
    # dpolicy_e1_rejected[b,t,i] +=
    #     dpolicy_n2_rejected[b,t,i]*policy_g2[i]/policy_v2_rejected_sqrt[b,t]
    np.multiply(dpolicy_n2_rejected, policy_g2, out=t_1)
    dpolicy_e1_rejected = np.divide(
        t_1, policy_v2_rejected_sqrt[..., None], out=ws.dpolicy_e1_rejected
    )
    # dpolicy_e1_rejected[b,t,i] += dpolicy_r3_rejected[b,t,i]
    dpolicy_e1_rejected += dpolicy_r3_rejected
    # dpolicy_g2[i] += dpolicy_n2_rejected[b,t,i]*(policy_e1_rejected[b,t,i] -
    #     policy_m2_rejected[b,t])/policy_v2_rejected_sqrt[b,t]
    np.multiply(t_11, dpolicy_n2_rejected, out=t_21)
    np.divide(1.0, policy_v2_rejected_sqrt, out=t_15)
    dpolicy_g2 = np.matmul(t_15.reshape(B * T), t_21.reshape(B * T, D), out=grads.policy.g2)
    # dpolicy_m2_rejected[b,t] +=
    #     -dpolicy_n2_rejected[b,t,i]*policy_g2[i]/policy_v2_rejected_sqrt[b,t]
    np.sum(t_1, axis=2, out=t_25)
    dpolicy_m2_rejected = np.multiply(t_25, t_15, out=ws.dpolicy_m2_rejected)
    np.negative(dpolicy_m2_rejected, out=dpolicy_m2_rejected)
    # dpolicy_s2[i] += dpolicy_n2_rejected[b,t,i]
    dpolicy_s2 = np.sum(dpolicy_n2_rejected, axis=(0, 1), out=grads.policy.s2)
    # dpolicy_v2_rejected_sqrt[b,t] +=
    #     -dpolicy_n2_rejected[b,t,i]*policy_g2[i]*(policy_e1_rejected[b,t,i] -
    #     policy_m2_rejected[b,t])/policy_v2_rejected_sqrt[b,t]**2
    np.multiply(t_21, policy_g2, out=t_13)
    np.sum(t_13, axis=2, out=t_25)
    np.square(policy_v2_rejected_sqrt, out=t_17)
    np.divide(1.0, t_17, out=t_17)
    dpolicy_v2_rejected_sqrt = np.multiply(t_25, t_17, out=ws.dpolicy_v2_rejected_sqrt)
    np.negative(dpolicy_v2_rejected_sqrt, out=dpolicy_v2_rejected_sqrt)
    # dpolicy_v2_rejected[b,t] = 0.5*dpolicy_v2_rejected_sqrt[b,t]/policy_v2_rejected_sqrt[b,t]
    dpolicy_v2_rejected = np.divide(
        dpolicy_v2_rejected_sqrt, policy_v2_rejected_sqrt, out=ws.dpolicy_v2_rejected
    )
    dpolicy_v2_rejected *= 0.5
    # dpolicy_e1_rejected[b,t,j] += 2*dpolicy_v2_rejected[b,t]*(policy_e1_rejected[b,t,j] -
    #     policy_m2_rejected[b,t])/D
    np.multiply(dpolicy_v2_rejected, 2.0 / D, out=t_25)
    np.multiply(t_11, t_25[..., None], out=t_13)
    dpolicy_e1_rejected += t_13
    # dpolicy_m2_rejected[b,t] += -2*dpolicy_v2_rejected[b,t]*(policy_e1_rejected[b,t,j] -
    #     policy_m2_rejected[b,t])/D
    np.sum(t_11, axis=2, out=t_25)
    t_10 = np.multiply(dpolicy_v2_rejected, t_25, out=ws.t_10)
    t_10 *= 2.0 / D
    dpolicy_m2_rejected -= t_10
    # dpolicy_e1_rejected[b,t,j] += dpolicy_m2_rejected[b,t]/D for j < D
    np.divide(dpolicy_m2_rejected, D, out=t_10)
    dpolicy_e1_rejected += t_10[..., None]
    dpolicy_W1 = grads.policy.W1
    dpolicy_W1.fill(0.0)
    # dpolicy_W1[rejected[b,t],i] += dpolicy_e1_rejected[b,t,i]
    np.add.at(dpolicy_W1, rejected, dpolicy_e1_rejected)
    # chosen_mask_where[b,t] = where(chosen_mask[b,t+1] == 1, dtoken_w[b,t], 0)
    chosen_mask_where = ws.chosen_mask_where
    chosen_mask_where.fill(0.0)
    np.copyto(chosen_mask_where, dtoken_w, where=chosen_mask[:, 1:T])
    dpolicy = ws.dpolicy
    dpolicy.fill(0.0)
    # dpolicy[b,t,chosen[b,t+1]] += chosen_mask_where[b,t]
    _add_at(
        dpolicy,
        (ws.arange_2[:, None], ws.arange_3, chosen_copy),
        chosen_mask_where,
        at=ws.at,
        scratch=ws.t_26,
    )
    # dpolicy_lse[b,t] += -dpolicy[b,t,i]
    dpolicy_lse = np.sum(dpolicy, axis=2, out=ws.dpolicy_lse)
    np.negative(dpolicy_lse, out=dpolicy_lse)
    # policy_z5_softmax[b,t,v] = expdiff(policy_z5[b,t,v], policy_lse[b,t])
    policy_z5_softmax = _expdiff(policy_z5, policy_lse[..., None], out=ws.policy_z5_softmax)
    # dpolicy_z5[b,t,v] += dpolicy_lse[b,t]*policy_z5_softmax[b,t,v]
    dpolicy_z5 = np.multiply(dpolicy_lse[..., None], policy_z5_softmax, out=ws.dpolicy_z5)
    # dpolicy_z5[b,t,i] += dpolicy[b,t,i]
    dpolicy_z5 += dpolicy
    # dpolicy_c5[i] += dpolicy_z5[b,t,i]
    dpolicy_c5 += np.sum(dpolicy_z5, axis=(0, 1), out=ws.t_27)
    # dpolicy_W5[i,j] += dpolicy_z5[b,t,i]*policy_n4[b,t,j]
    t_28 = np.matmul(dpolicy_z5.reshape(B * T, V).T, policy_n4.reshape(B * T, D), out=ws.t_28)
    dpolicy_W5 += t_28
    # dpolicy_n4[b,t,j] += dpolicy_z5[b,t,i]*policy_W5[i,j]
    dpolicy_n4 = ws.dpolicy_n4
    np.matmul(dpolicy_z5.reshape(B * T, V), policy_W5, out=dpolicy_n4.reshape(B * T, D))
    # dpolicy_g4[i] += dpolicy_n4[b,t,i]*(policy_r3[b,t,i] - policy_m4[b,t])/policy_v4_sqrt[b,t]
    np.multiply(t_7, dpolicy_n4, out=t_13)
    t_29 = np.divide(1.0, policy_v4_sqrt, out=ws.t_29)
    t_30 = np.matmul(t_29.reshape(B * T), t_13.reshape(B * T, D), out=ws.t_30)
    dpolicy_g4 += t_30
    # dpolicy_m4[b,t] += -dpolicy_n4[b,t,i]*policy_g4[i]/policy_v4_sqrt[b,t]
    np.multiply(dpolicy_n4, policy_g4, out=t_11)
    np.sum(t_11, axis=2, out=t_10)
    dpolicy_m4 = np.multiply(t_10, t_29, out=ws.dpolicy_m4)
    np.negative(dpolicy_m4, out=dpolicy_m4)
    # dpolicy_r3[b,t,i] += dpolicy_n4[b,t,i]*policy_g4[i]/policy_v4_sqrt[b,t]
    dpolicy_r3 = np.divide(t_11, policy_v4_sqrt[..., None], out=ws.dpolicy_r3)
    # dpolicy_s4[i] += dpolicy_n4[b,t,i]
    np.sum(dpolicy_n4, axis=(0, 1), out=t_30)
    dpolicy_s4 += t_30
    # dpolicy_v4_sqrt[b,t] += -dpolicy_n4[b,t,i]*policy_g4[i]*(policy_r3[b,t,i] -
    #     policy_m4[b,t])/policy_v4_sqrt[b,t]**2
    np.multiply(t_13, policy_g4, out=t_8)
    np.sum(t_8, axis=2, out=t_10)
    np.square(policy_v4_sqrt, out=t_15)
    np.divide(1.0, t_15, out=t_15)
    dpolicy_v4_sqrt = np.multiply(t_10, t_15, out=ws.dpolicy_v4_sqrt)
    np.negative(dpolicy_v4_sqrt, out=dpolicy_v4_sqrt)
    # dpolicy_v4[b,t] = 0.5*dpolicy_v4_sqrt[b,t]/policy_v4_sqrt[b,t]
    dpolicy_v4 = np.divide(dpolicy_v4_sqrt, policy_v4_sqrt, out=ws.dpolicy_v4)
    dpolicy_v4 *= 0.5
    # dpolicy_m4[b,t] += -2*dpolicy_v4[b,t]*(policy_r3[b,t,j] - policy_m4[b,t])/D
    np.sum(t_7, axis=2, out=t_10)
    np.multiply(dpolicy_v4, t_10, out=t_10)
    t_10 *= 2.0 / D
    dpolicy_m4 -= t_10
    # dpolicy_r3[b,t,j] += 2*dpolicy_v4[b,t]*(policy_r3[b,t,j] - policy_m4[b,t])/D
    t_31 = np.multiply(dpolicy_v4, 2.0 / D, out=ws.t_31)
    t_7 *= t_31[..., None]
    dpolicy_r3 += t_7
    # dpolicy_r3[b,t,j] += dpolicy_m4[b,t]/D for j < D
    np.divide(dpolicy_m4, D, out=t_31)
    dpolicy_r3 += t_31[..., None]
    # dpolicy_co3[i] += dpolicy_r3[b,u,i]
    np.sum(dpolicy_r3, axis=(0, 1), out=t_30)
    dpolicy_co3 += t_30
    # dpolicy_Wo3[i,j] += dpolicy_r3[b,u,i]*policy_o3[b,u,j]
    t_32 = np.matmul(dpolicy_r3.reshape(B * T, D).T, policy_o3.reshape(B * T, 16), out=ws.t_32)
    dpolicy_Wo3 += t_32
    # dpolicy_o3[b,u,j] += dpolicy_r3[b,u,i]*policy_Wo3[i,j]
    dpolicy_o3 = ws.dpolicy_o3
    np.matmul(dpolicy_r3.reshape(B * T, D), policy_Wo3, out=dpolicy_o3.reshape(B * T, 16))
    # dpolicy_p3[b,i,u,w] += dpolicy_o3[b,u,8*i+l]*policy_v3[b,w,8*i+l] for i < 2, l < 8
    dpolicy_p3 = np.matmul(
        dpolicy_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        policy_v3.reshape(B, T, 2, 8).transpose(0, 2, 3, 1),
        out=ws.dpolicy_p3,
    )
    # dpolicy_v3[b,w,8*i+l] += dpolicy_o3[b,u,8*i+l]*policy_p3[b,i,u,w] for l < 8
    dpolicy_v3 = ws.dpolicy_v3
    np.matmul(
        policy_p3.transpose(0, 1, 3, 2),
        dpolicy_o3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=dpolicy_v3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # dpolicy_l3[b,i,u] += -dpolicy_p3[b,i,u,w]*policy_p3[b,i,u,w]
    np.multiply(dpolicy_p3, policy_p3, out=t_12)
    dpolicy_l3 = np.sum(t_12, axis=3, out=ws.dpolicy_l3)
    np.negative(dpolicy_l3, out=dpolicy_l3)
    # dpolicy_s3[b,i,u,w] += dpolicy_p3[b,i,u,w]*policy_p3[b,i,u,w]
    # dpolicy_s3[b,i,u,w] += dpolicy_l3[b,i,u]*policy_p3[b,i,u,w]
    t_5 = np.multiply(dpolicy_l3[..., None], policy_p3, out=ws.t_5)
    dpolicy_s3 = np.add(t_12, t_5, out=ws.dpolicy_s3)
    # dpolicy_s3_sum[b,i,u,w] = where(w <= u, 0.25*dpolicy_s3[b,i,u,w]*sqrt(2), 0)
    dpolicy_s3_sum = ws.dpolicy_s3_sum
    dpolicy_s3_sum.fill(0.0)
    np.multiply(dpolicy_s3, 2.0**0.5 / 4.0, out=dpolicy_s3_sum, where=t_4)
    # dpolicy_k3[b,w,8*i+l] += dpolicy_s3_sum[b,i,u,w]*policy_q3[b,u,8*i+l] for l < 8
    dpolicy_k3 = ws.dpolicy_k3
    np.matmul(
        dpolicy_s3_sum.transpose(0, 1, 3, 2),
        policy_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=dpolicy_k3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # dpolicy_q3[b,u,8*i+l] += dpolicy_s3_sum[b,i,u,w]*policy_k3[b,w,8*i+l] for l < 8
    dpolicy_q3 = ws.dpolicy_q3
    np.matmul(
        dpolicy_s3_sum,
        policy_k3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
        out=dpolicy_q3.reshape(B, T, 2, 8).transpose(0, 2, 1, 3),
    )
    # dpolicy_cv3[i] += dpolicy_v3[b,u,i]
    t_33 = np.sum(dpolicy_v3, axis=(0, 1), out=ws.t_33)
    dpolicy_cv3 += t_33
    # dpolicy_Wv3[i,j] += dpolicy_v3[b,u,i]*policy_n2[b,u,j]
    t_34 = np.matmul(dpolicy_v3.reshape(B * T, 16).T, policy_n2.reshape(B * T, D), out=ws.t_34)
    dpolicy_Wv3 += t_34
    # dpolicy_n2[b,u,j] += dpolicy_v3[b,u,i]*policy_Wv3[i,j]
    dpolicy_n2 = ws.dpolicy_n2
    np.matmul(dpolicy_v3.reshape(B * T, 16), policy_Wv3, out=dpolicy_n2.reshape(B * T, D))
    # dpolicy_ck3[i] += dpolicy_k3[b,u,i]
    np.sum(dpolicy_k3, axis=(0, 1), out=t_33)
    dpolicy_ck3 += t_33
    # dpolicy_Wk3[i,j] += dpolicy_k3[b,u,i]*policy_n2[b,u,j]
    np.matmul(dpolicy_k3.reshape(B * T, 16).T, policy_n2.reshape(B * T, D), out=t_34)
    dpolicy_Wk3 += t_34
    # dpolicy_n2[b,u,j] += dpolicy_k3[b,u,i]*policy_Wk3[i,j]
    np.matmul(dpolicy_k3.reshape(B * T, 16), policy_Wk3, out=t_8.reshape(B * T, D))
    dpolicy_n2 += t_8
    # dpolicy_cq3[i] += dpolicy_q3[b,u,i]
    np.sum(dpolicy_q3, axis=(0, 1), out=t_33)
    dpolicy_cq3 += t_33
    # dpolicy_Wq3[i,j] += dpolicy_q3[b,u,i]*policy_n2[b,u,j]
    np.matmul(dpolicy_q3.reshape(B * T, 16).T, policy_n2.reshape(B * T, D), out=t_34)
    dpolicy_Wq3 += t_34
    # dpolicy_n2[b,u,j] += dpolicy_q3[b,u,i]*policy_Wq3[i,j]
    np.matmul(dpolicy_q3.reshape(B * T, 16), policy_Wq3, out=t_2.reshape(B * T, D))
    dpolicy_n2 += t_2
    # dpolicy_e1[b,t,i] += dpolicy_n2[b,t,i]*policy_g2[i]/policy_v2_sqrt[b,t]
    np.multiply(dpolicy_n2, policy_g2, out=t_2)
    dpolicy_e1 = np.divide(t_2, policy_v2_sqrt[..., None], out=ws.dpolicy_e1)
    # dpolicy_e1[b,t,i] += dpolicy_r3[b,t,i]
    dpolicy_e1 += dpolicy_r3
    # dpolicy_g2[i] += dpolicy_n2[b,t,i]*(policy_e1[b,t,i] - policy_m2[b,t])/policy_v2_sqrt[b,t]
    np.multiply(t_3, dpolicy_n2, out=t_13)
    np.divide(1.0, policy_v2_sqrt, out=t_31)
    np.matmul(t_31.reshape(B * T), t_13.reshape(B * T, D), out=t_30)
    dpolicy_g2 += t_30
    # dpolicy_m2[b,t] += -dpolicy_n2[b,t,i]*policy_g2[i]/policy_v2_sqrt[b,t]
    np.sum(t_2, axis=2, out=t_29)
    dpolicy_m2 = np.multiply(t_29, t_31, out=ws.dpolicy_m2)
    np.negative(dpolicy_m2, out=dpolicy_m2)
    # dpolicy_s2[i] += dpolicy_n2[b,t,i]
    np.sum(dpolicy_n2, axis=(0, 1), out=t_30)
    dpolicy_s2 += t_30
    # dpolicy_v2_sqrt[b,t] += -dpolicy_n2[b,t,i]*policy_g2[i]*(policy_e1[b,t,i] -
    #     policy_m2[b,t])/policy_v2_sqrt[b,t]**2
    np.multiply(t_13, policy_g2, out=t_7)
    np.sum(t_7, axis=2, out=t_29)
    np.square(policy_v2_sqrt, out=t_10)
    np.divide(1.0, t_10, out=t_10)
    dpolicy_v2_sqrt = np.multiply(t_29, t_10, out=ws.dpolicy_v2_sqrt)
    np.negative(dpolicy_v2_sqrt, out=dpolicy_v2_sqrt)
    # dpolicy_v2[b,t] = 0.5*dpolicy_v2_sqrt[b,t]/policy_v2_sqrt[b,t]
    dpolicy_v2 = np.divide(dpolicy_v2_sqrt, policy_v2_sqrt, out=ws.dpolicy_v2)
    dpolicy_v2 *= 0.5
    # dpolicy_e1[b,t,j] += 2*dpolicy_v2[b,t]*(policy_e1[b,t,j] - policy_m2[b,t])/D
    np.multiply(dpolicy_v2, 2.0 / D, out=t_29)
    np.multiply(t_3, t_29[..., None], out=t_7)
    dpolicy_e1 += t_7
    # dpolicy_m2[b,t] += -2*dpolicy_v2[b,t]*(policy_e1[b,t,j] - policy_m2[b,t])/D
    np.sum(t_3, axis=2, out=t_29)
    t_35 = np.multiply(dpolicy_v2, t_29, out=ws.t_35)
    t_35 *= 2.0 / D
    dpolicy_m2 -= t_35
    # dpolicy_e1[b,t,j] += dpolicy_m2[b,t]/D for j < D
    np.divide(dpolicy_m2, D, out=t_35)
    dpolicy_e1 += t_35[..., None]
    # dpolicy_W1[chosen[b,t],i] += dpolicy_e1[b,t,i]
    np.add.at(dpolicy_W1, chosen, dpolicy_e1)
    return (loss, {"margin": margin}), grads


class _PolicyForwardMemory:
    """The buffers of policy_forward."""

    def __init__(self, dtype, *, B, T, V, D):
        self._copies = {}
        self.policy_e1 = self.policy_r3 = self.t_6 = self.policy_n4 = np.empty((B, T, D), dtype)
        self.policy_m2 = self.policy_v2 = self.policy_v2_sqrt = np.empty((B, T), dtype)
        self.policy_m4 = self.policy_v4 = self.policy_v4_sqrt = self.policy_lse = self.policy_m2
        self.policy_q3 = self.policy_o3 = np.empty((B, T, 16), dtype)
        self.policy_k3 = np.empty((B, T, 16), dtype)
        self.policy_v3 = np.empty((B, T, 16), dtype)
        self.policy_s3_sum = self.t_4 = self.policy_p3 = np.empty((B, 2, T, T), dtype)
        self.policy_s3 = np.empty((B, 2, T, T), dtype)
        self.policy_l3 = np.empty((B, 2, T), dtype)
        self.policy_z5 = self.policy = np.empty((B, T, V), dtype)
        self.t_1 = self.policy_n2 = self.policy_y3 = np.empty((B, T, D), dtype)
        self.t_2 = np.empty((B, T, D), dtype)
        self.t_3 = np.empty((T, T), np.bool_)
        self.arange = np.arange(T, dtype=dtype)
        self.t_5 = np.empty((B, 2, T), dtype)
        self.t_7 = np.empty((B, T, V), dtype)
        self.t_8 = np.empty((B, T), dtype)


class _ReferenceForwardMemory:
    """The buffers of reference_forward."""

    def __init__(self, dtype, *, B, T, V, D):
        self._copies = {}
        self.reference_e1 = self.reference_r3 = self.t_6 = np.empty((B, T, D), dtype)
        self.reference_n4 = self.reference_e1
        self.reference_m2 = self.reference_v2 = self.reference_v2_sqrt = np.empty((B, T), dtype)
        self.reference_m4 = self.reference_v4 = self.reference_v4_sqrt = self.reference_m2
        self.reference_lse = self.reference_m2
        self.reference_q3 = self.reference_o3 = np.empty((B, T, 16), dtype)
        self.reference_k3 = np.empty((B, T, 16), dtype)
        self.reference_v3 = np.empty((B, T, 16), dtype)
        self.reference_s3_sum = self.t_4 = self.reference_p3 = np.empty((B, 2, T, T), dtype)
        self.reference_s3 = np.empty((B, 2, T, T), dtype)
        self.reference_l3 = np.empty((B, 2, T), dtype)
        self.reference_z5 = self.reference = np.empty((B, T, V), dtype)
        self.t_1 = self.reference_n2 = self.reference_y3 = np.empty((B, T, D), dtype)
        self.t_2 = np.empty((B, T, D), dtype)
        self.t_3 = np.empty((T, T), np.bool_)
        self.arange = np.arange(T, dtype=dtype)
        self.t_5 = np.empty((B, 2, T), dtype)
        self.t_7 = np.empty((B, T, V), dtype)
        self.t_8 = np.empty((B, T), dtype)


class _ValueMemory:
    """The buffers of value."""

    def __init__(self, dtype, *, B, T, V, D):
        self._copies = {}
        self.policy_e1 = self.policy_r3 = self.t_6 = self.policy_n4 = np.empty((B, T, D), dtype)
        self.reference_e1 = self.reference_r3 = self.reference_n4 = self.policy_e1
        self.policy_e1_rejected = self.policy_r3_rejected = self.policy_n4_rejected = self.policy_e1
        self.reference_e1_rejected = self.reference_r3_rejected = self.policy_e1
        self.reference_n4_rejected = self.policy_e1
        self.policy_m2 = self.policy_v2 = self.policy_v2_sqrt = np.empty((B, T), dtype)
        self.policy_m4 = self.policy_v4 = self.policy_v4_sqrt = self.policy_lse = self.policy_m2
        self.reference_m2 = self.reference_v2 = self.reference_v2_sqrt = self.policy_m2
        self.reference_m4 = self.reference_v4 = self.reference_v4_sqrt = self.policy_m2
        self.reference_lse = self.policy_m2_rejected = self.policy_v2_rejected = self.policy_m2
        self.policy_v2_rejected_sqrt = self.policy_m4_rejected = self.policy_m2
        self.policy_v4_rejected = self.policy_v4_rejected_sqrt = self.policy_m2
        self.policy_rejected_lse = self.reference_m2_rejected = self.policy_m2
        self.reference_v2_rejected = self.reference_v2_rejected_sqrt = self.policy_m2
        self.reference_m4_rejected = self.reference_v4_rejected = self.policy_m2
        self.reference_v4_rejected_sqrt = self.reference_rejected_lse = self.policy_m2
        self.policy_q3 = self.policy_o3 = self.reference_q3 = np.empty((B, T, 16), dtype)
        self.reference_o3 = self.policy_q3_rejected = self.policy_o3_rejected = self.policy_q3
        self.reference_q3_rejected = self.reference_o3_rejected = self.policy_q3
        self.policy_k3 = self.reference_k3 = self.policy_k3_rejected = np.empty((B, T, 16), dtype)
        self.reference_k3_rejected = self.policy_k3
        self.policy_v3 = self.reference_v3 = self.policy_v3_rejected = np.empty((B, T, 16), dtype)
        self.reference_v3_rejected = self.policy_v3
        self.policy_s3_sum = self.t_4 = self.policy_p3 = np.empty((B, 2, T, T), dtype)
        self.reference_s3_sum = self.reference_p3 = self.policy_s3_rejected_sum = self.policy_s3_sum
        self.policy_p3_rejected = self.reference_s3_rejected_sum = self.policy_s3_sum
        self.reference_p3_rejected = self.policy_s3_sum
        self.policy_s3 = self.reference_s3 = self.policy_s3_rejected = np.empty((B, 2, T, T), dtype)
        self.reference_s3_rejected = self.policy_s3
        self.policy_l3 = self.reference_l3 = self.policy_l3_rejected = np.empty((B, 2, T), dtype)
        self.reference_l3_rejected = self.policy_l3
        self.policy_z5 = self.policy = self.policy_z5_rejected = np.empty((B, T, V), dtype)
        self.policy_rejected = self.reference_z5_rejected = self.reference_rejected = self.policy_z5
        self.token_w = np.empty((B, T - 1), dtype)
        self.logp_w = self.beta_arg = self.beta_arg_softplus = np.empty((B,), dtype)
        self.logp_l = np.empty((B,), dtype)
        self.ref_w = self.margin = np.empty((B,), dtype)
        self.ref_l = np.empty((B,), dtype)
        self.t_1 = self.policy_n2 = self.policy_y3 = self.reference_n2 = np.empty((B, T, D), dtype)
        self.reference_y3 = self.policy_n2_rejected = self.policy_y3_rejected = self.t_1
        self.reference_n2_rejected = self.reference_y3_rejected = self.t_1
        self.t_2 = np.empty((B, T, D), dtype)
        self.t_3 = np.empty((T, T), np.bool_)
        self.arange = np.arange(T, dtype=dtype)
        self.t_5 = np.empty((B, 2, T), dtype)
        self.t_7 = self.reference_z5 = self.reference = np.empty((B, T, V), dtype)
        self.t_8 = np.empty((B, T), dtype)
        self.t_9 = np.empty((B, T, V), dtype)
        self.arange_2 = np.arange(B, dtype=np.intp)
        self.arange_3 = np.arange(T - 1, dtype=np.intp)
        self.chosen_copy = self.at_3 = np.empty((B, T - 1), np.intp)
        self.policy_at = self.token_l = np.empty((B, T - 1), dtype)
        self.at = self.rejected_copy = np.empty((B, T - 1), np.intp)
        self.policy_rejected_at = self.token_ref_w = np.empty((B, T - 1), dtype)
        self.at_2 = np.empty((B, T - 1), np.intp)
        self.reference_at = self.token_ref_l = np.empty((B, T - 1), dtype)
        self.reference_rejected_at = np.empty((B, T - 1), dtype)


class _ValueAndGradMemory:
    """The buffers of value_and_grad."""

    def __init__(self, dtype, *, B, T, V, D):
        self._copies = {}
        self.policy_e1 = self.policy_r3 = self.t_7 = self.dpolicy_n2 = np.empty((B, T, D), dtype)
        self.policy_m2 = self.policy_v2 = self.policy_v2_sqrt = np.empty((B, T), dtype)
        self.dpolicy_v2 = self.t_35 = self.policy_m2
        self.policy_q3 = self.dpolicy_q3 = np.empty((B, T, 16), dtype)
        self.policy_k3 = np.empty((B, T, 16), dtype)
        self.policy_v3 = self.dpolicy_v3 = np.empty((B, T, 16), dtype)
        self.policy_s3_sum = self.t_5 = self.policy_p3 = np.empty((B, 2, T, T), dtype)
        self.dpolicy_s3 = self.policy_s3_sum
        self.policy_s3 = self.reference_s3_sum = self.t_12 = np.empty((B, 2, T, T), dtype)
        self.reference_p3 = self.policy_s3_rejected_sum = self.policy_p3_rejected = self.policy_s3
        self.dpolicy_s3_rejected = self.dpolicy_p3 = self.dpolicy_s3_sum = self.policy_s3
        self.policy_l3 = self.reference_l3 = self.policy_l3_rejected = np.empty((B, 2, T), dtype)
        self.reference_l3_rejected = self.dpolicy_l3_rejected = self.dpolicy_l3 = self.policy_l3
        self.policy_o3 = self.dpolicy_o3 = self.dpolicy_k3 = np.empty((B, T, 16), dtype)
        self.policy_y3 = self.t_8 = self.policy_n4 = self.dpolicy_n4 = np.empty((B, T, D), dtype)
        self.dpolicy_e1 = self.policy_y3
        self.policy_m4 = self.policy_v4 = self.policy_v4_sqrt = np.empty((B, T), dtype)
        self.dpolicy_v4 = self.t_31 = self.dpolicy_m2 = self.policy_m4
        self.policy_z5 = self.dpolicy_z5 = np.empty((B, T, V), dtype)
        self.policy_lse = self.t_29 = self.dpolicy_m4 = np.empty((B, T), dtype)
        self.dpolicy_v2_sqrt = self.policy_lse
        self.reference_e1 = self.reference_r3 = self.t_13 = np.empty((B, T, D), dtype)
        self.reference_n4 = self.policy_e1_rejected = self.policy_r3_rejected = self.reference_e1
        self.dpolicy_n2_rejected = self.reference_e1
        self.reference_q3 = self.reference_o3 = np.empty((B, T, 16), dtype)
        self.policy_q3_rejected = self.dpolicy_q3_rejected = self.reference_q3
        self.reference_k3 = self.policy_k3_rejected = np.empty((B, T, 16), dtype)
        self.reference_v3 = self.policy_v3_rejected = np.empty((B, T, 16), dtype)
        self.dpolicy_v3_rejected = self.reference_v3
        self.reference_s3 = self.policy_s3_rejected = np.empty((B, 2, T, T), dtype)
        self.reference_s3_rejected_sum = self.t_20 = self.reference_p3_rejected = self.reference_s3
        self.dpolicy_p3_rejected = self.dpolicy_s3_rejected_sum = self.reference_s3
        self.reference_z5 = self.reference = self.reference_z5_rejected = np.empty((B, T, V), dtype)
        self.reference_rejected = self.dpolicy_rejected = self.policy_z5_softmax = self.reference_z5
        self.token_w = self.dtoken_l = self.t_24 = np.empty((B, T - 1), dtype)
        self.chosen_mask_where = self.token_w
        self.policy_o3_rejected = self.dpolicy_o3_rejected = np.empty((B, T, 16), dtype)
        self.dpolicy_k3_rejected = self.policy_o3_rejected
        self.policy_y3_rejected = self.t_16 = self.policy_n4_rejected = np.empty((B, T, D), dtype)
        self.dpolicy_n4_rejected = self.dpolicy_e1_rejected = self.policy_y3_rejected
        self.policy_rejected_lse = self.t_25 = self.dpolicy_m4_rejected = np.empty((B, T), dtype)
        self.dpolicy_v2_rejected_sqrt = self.policy_rejected_lse
        self.reference_e1_rejected = self.reference_r3_rejected = np.empty((B, T, D), dtype)
        self.t_21 = self.reference_n4_rejected = self.reference_e1_rejected
        self.reference_q3_rejected = self.reference_o3_rejected = np.empty((B, T, 16), dtype)
        self.reference_k3_rejected = np.empty((B, T, 16), dtype)
        self.reference_v3_rejected = np.empty((B, T, 16), dtype)
        self.reference_s3_rejected = np.empty((B, 2, T, T), dtype)
        self.logp_w = self.beta_arg = self.dbeta_arg = self.dmargin = np.empty((B,), dtype)
        self.logp_l = self.beta_arg_softplus = self.dbeta_arg_softplus = np.empty((B,), dtype)
        self.dlogp_l = self.logp_l
        self.ref_w = self.margin = np.empty((B,), dtype)
        self.ref_l = self.beta_arg_sigmoid = np.empty((B,), dtype)
        self.t_1 = self.policy_n2_rejected = np.empty((B, T, D), dtype)
        self.t_2 = self.policy_n2 = np.empty((B, T, D), dtype)
        self.t_3 = np.empty((B, T, D), dtype)
        self.t_4 = np.empty((T, T), np.bool_)
        self.arange = np.arange(T, dtype=dtype)
        self.t_6 = np.empty((B, 2, T), dtype)
        self.t_9 = self.policy = self.policy_z5_rejected = np.empty((B, T, V), dtype)
        self.dpolicy_z5_rejected = self.dpolicy = self.t_9
        self.t_10 = self.reference_m2 = self.reference_v2 = np.empty((B, T), dtype)
        self.reference_v2_sqrt = self.reference_m4 = self.reference_v4 = self.t_10
        self.reference_v4_sqrt = self.reference_lse = self.policy_m2_rejected = self.t_10
        self.policy_v2_rejected = self.policy_v2_rejected_sqrt = self.t_10
        self.dpolicy_v2_rejected = self.dpolicy_lse = self.dpolicy_v4_sqrt = self.t_10
        self.t_11 = self.reference_n2 = self.reference_y3 = np.empty((B, T, D), dtype)
        self.dpolicy_r3 = self.t_11
        self.t_14 = self.policy_rejected = np.empty((B, T, V), dtype)
        self.policy_z5_rejected_softmax = self.t_14
        self.t_15 = self.policy_m4_rejected = self.policy_v4_rejected = np.empty((B, T), dtype)
        self.policy_v4_rejected_sqrt = self.dpolicy_v4_rejected = self.t_15
        self.dpolicy_m2_rejected = self.t_15
        self.arange_2 = np.arange(B, dtype=np.intp)
        self.arange_3 = np.arange(T - 1, dtype=np.intp)
        self.chosen_copy = np.empty((B, T - 1), np.intp)
        self.policy_at = self.token_l = self.dtoken_w = self.t_26 = np.empty((B, T - 1), dtype)
        self.at = self.rejected_copy = np.empty((B, T - 1), np.intp)
        self.t_17 = self.reference_m2_rejected = np.empty((B, T), dtype)
        self.reference_v2_rejected = self.reference_v2_rejected_sqrt = self.t_17
        self.reference_m4_rejected = self.reference_v4_rejected = self.t_17
        self.reference_v4_rejected_sqrt = self.reference_rejected_lse = self.t_17
        self.dpolicy_rejected_lse = self.dpolicy_v4_rejected_sqrt = self.t_17
        self.policy_rejected_at = self.token_ref_w = np.empty((B, T - 1), dtype)
        self.rejected_mask_where = self.policy_rejected_at
        self.at_2 = np.empty((B, T - 1), np.intp)
        self.reference_at = self.token_ref_l = np.empty((B, T - 1), dtype)
        self.t_18 = self.reference_n2_rejected = np.empty((B, T, D), dtype)
        self.reference_y3_rejected = self.dpolicy_r3_rejected = self.t_18
        self.t_19 = np.empty((B, T, D), dtype)
        self.t_22 = np.empty((B, T), dtype)
        self.reference_rejected_at = np.empty((B, T - 1), dtype)
        self.t_23 = np.empty((B,), dtype)
        self.t_27 = np.empty((V,), dtype)
        self.t_28 = np.empty((V, D), dtype)
        self.t_30 = np.empty((D,), dtype)
        self.t_32 = np.empty((D, 16), dtype)
        self.t_33 = np.empty((16,), dtype)
        self.t_34 = np.empty((16, D), dtype)
        self.grads = Gradients(dtype, V=V, D=D)


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
