"""halfcheetah_sac: SAC for HalfCheetah: a squashed Gaussian actor 17-256-256-12, two critics
23-256-256-1 with relu, a target network of each critic, and a temperature that is learned.

Forward
    actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
    actor_z1[b,i] += actor_c1[i] for b < B
    actor_h1[b,i] = relu(actor_z1[b,i])
    actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
    actor_z2[b,i] += actor_c2[i] for b < B
    actor_h2[b,i] = relu(actor_z2[b,i])
    actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor[b,i] += actor_c3[i] for b < B
    mu[b,i] = actor[b,i] for i < A
    log_std[b,i] = 3.5*tanh(actor[b,i+A]) - 1.5 for i < A
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

Loss critic
    actor_z1_next_obs[b,i] += actor_W1[i,j]*next_obs[b,j]
    actor_z1_next_obs[b,i] += actor_c1[i] for b < B
    actor_h1_next_obs[b,i] = relu(actor_z1_next_obs[b,i])
    actor_z2_next_obs[b,i] += actor_W2[i,j]*actor_h1_next_obs[b,j]
    actor_z2_next_obs[b,i] += actor_c2[i] for b < B
    actor_h2_next_obs[b,i] = relu(actor_z2_next_obs[b,i])
    actor_next_obs[b,i] += actor_W3[i,j]*actor_h2_next_obs[b,j]
    actor_next_obs[b,i] += actor_c3[i] for b < B
    head_t[b,i] = actor_next_obs[b,i]
    mu_t[b,i] = head_t[b,i] for i < A
    log_std_t[b,i] = 3.5*tanh(head_t[b,i+A]) - 1.5 for i < A
    u_t[b,i] = exp(log_std_t[b,i])*noise[b,i] + mu_t[b,i]
    a_t[b,i] = tanh(u_t[b,i])
    n[b,i] = exp(-log_std_t[b,i])*(u_t[b,i] - mu_t[b,i])
    squashed_normal_log_prob[b] += -(2*(log(2) - softplus(-2*u_t[b,i]) - u_t[b,i]) + 0.5*log(2*PI) +
        log_std_t[b,i] + 0.5*n[b,i]**2)
    logp_t[b] = squashed_normal_log_prob[b]
    critic_1_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
    critic_1_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
    critic_1_target_z1_next_obs_a_t[b,i] +=
        critic_1_target_W1[i,j]*critic_1_target_x0_next_obs_a_t[b,j]
    critic_1_target_z1_next_obs_a_t[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_h1_next_obs_a_t[b,i] = relu(critic_1_target_z1_next_obs_a_t[b,i])
    critic_1_target_z2_next_obs_a_t[b,i] +=
        critic_1_target_W2[i,j]*critic_1_target_h1_next_obs_a_t[b,j]
    critic_1_target_z2_next_obs_a_t[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_h2_next_obs_a_t[b,i] = relu(critic_1_target_z2_next_obs_a_t[b,i])
    critic_1_target_next_obs_a_t[b,i] +=
        critic_1_target_W3[i,j]*critic_1_target_h2_next_obs_a_t[b,j]
    critic_1_target_next_obs_a_t[b,i] += critic_1_target_c3[i] for b < B
    q_1_t[b] = critic_1_target_next_obs_a_t[b,0]
    critic_2_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
    critic_2_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
    critic_2_target_z1_next_obs_a_t[b,i] +=
        critic_2_target_W1[i,j]*critic_2_target_x0_next_obs_a_t[b,j]
    critic_2_target_z1_next_obs_a_t[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_h1_next_obs_a_t[b,i] = relu(critic_2_target_z1_next_obs_a_t[b,i])
    critic_2_target_z2_next_obs_a_t[b,i] +=
        critic_2_target_W2[i,j]*critic_2_target_h1_next_obs_a_t[b,j]
    critic_2_target_z2_next_obs_a_t[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_h2_next_obs_a_t[b,i] = relu(critic_2_target_z2_next_obs_a_t[b,i])
    critic_2_target_next_obs_a_t[b,i] +=
        critic_2_target_W3[i,j]*critic_2_target_h2_next_obs_a_t[b,j]
    critic_2_target_next_obs_a_t[b,i] += critic_2_target_c3[i] for b < B
    q_2_t[b] = critic_2_target_next_obs_a_t[b,0]
    discount_t[b] = gamma*(1 - done[b])
    alpha = exp(log_alpha)
    q_tm1[b] = critic_1[b,0]
    y[b] = stop(discount_t[b]*(minimum(q_1_t[b], q_2_t[b]) - alpha*logp_t[b]) + reward[b])
    td[b] = q_tm1[b] - y[b]
    sac_critic += td[b]**2/B
    q_tm1_2[b] = critic_2[b,0]
    y_2[b] = stop(discount_t[b]*(minimum(q_1_t[b], q_2_t[b]) - alpha*logp_t[b]) + reward[b])
    td_2[b] = q_tm1_2[b] - y_2[b]
    sac_critic_2 += td_2[b]**2/B
    loss = sac_critic + sac_critic_2

Loss actor
    u[b,i] = exp(log_std[b,i])*noise[b,i] + mu[b,i]
    a[b,i] = tanh(u[b,i])
    n[b,i] = exp(-log_std[b,i])*(u[b,i] - mu[b,i])
    squashed_normal_log_prob[b] += -(2*(log(2) - softplus(-2*u[b,i]) - u[b,i]) + 0.5*log(2*PI) +
        log_std[b,i] + 0.5*n[b,i]**2)
    logp[b] = squashed_normal_log_prob[b]
    entropy += -logp[b]/B
    critic_1_x0_obs_a[b,i] = obs[b,i]
    critic_1_x0_obs_a[b,i+S] = a[b,i]
    critic_1_z1_obs_a[b,i] += critic_1_W1[i,j]*critic_1_x0_obs_a[b,j]
    critic_1_z1_obs_a[b,i] += critic_1_c1[i] for b < B
    critic_1_h1_obs_a[b,i] = relu(critic_1_z1_obs_a[b,i])
    critic_1_z2_obs_a[b,i] += critic_1_W2[i,j]*critic_1_h1_obs_a[b,j]
    critic_1_z2_obs_a[b,i] += critic_1_c2[i] for b < B
    critic_1_h2_obs_a[b,i] = relu(critic_1_z2_obs_a[b,i])
    critic_1_obs_a[b,i] += critic_1_W3[i,j]*critic_1_h2_obs_a[b,j]
    critic_1_obs_a[b,i] += critic_1_c3[i] for b < B
    q_1[b] = critic_1_obs_a[b,0]
    critic_2_x0_obs_a[b,i] = obs[b,i]
    critic_2_x0_obs_a[b,i+S] = a[b,i]
    critic_2_z1_obs_a[b,i] += critic_2_W1[i,j]*critic_2_x0_obs_a[b,j]
    critic_2_z1_obs_a[b,i] += critic_2_c1[i] for b < B
    critic_2_h1_obs_a[b,i] = relu(critic_2_z1_obs_a[b,i])
    critic_2_z2_obs_a[b,i] += critic_2_W2[i,j]*critic_2_h1_obs_a[b,j]
    critic_2_z2_obs_a[b,i] += critic_2_c2[i] for b < B
    critic_2_h2_obs_a[b,i] = relu(critic_2_z2_obs_a[b,i])
    critic_2_obs_a[b,i] += critic_2_W3[i,j]*critic_2_h2_obs_a[b,j]
    critic_2_obs_a[b,i] += critic_2_c3[i] for b < B
    q_2[b] = critic_2_obs_a[b,0]
    loss += (logp[b]*stop(exp(log_alpha)) - minimum(q_1[b], q_2[b]))/B

Loss temperature
    u[b,i] = exp(log_std[b,i])*noise[b,i] + mu[b,i]
    n[b,i] = exp(-log_std[b,i])*(u[b,i] - mu[b,i])
    squashed_normal_log_prob[b] += -(2*(log(2) - softplus(-2*u[b,i]) - u[b,i]) + 0.5*log(2*PI) +
        log_std[b,i] + 0.5*n[b,i]**2)
    logp[b] = squashed_normal_log_prob[b]
    loss += -exp(log_alpha)*stop(logp[b] - A)/B

Gradient (critic_value_and_grad); dX stands for dL/dX.
    mu_t[b,i] = actor_next_obs[b,i] for i < A
    head_t_tanh[b,i] = tanh(actor_next_obs[b,i+A]) for i < A
    log_std_t[b,i] = 3.5*head_t_tanh[b,i] - 1.5
    log_std_t_exp[b,i] = exp(log_std_t[b,i])
    u_t[b,i] = log_std_t_exp[b,i]*noise[b,i] + mu_t[b,i]
    log_std_t_exp_2[b,i] = exp(-log_std_t[b,i])
    n[b,i] = log_std_t_exp_2[b,i]*(u_t[b,i] - mu_t[b,i])
    u_t_arg[b,i] = -2*u_t[b,i]
    u_t_arg_softplus[b,i] = softplus(u_t_arg[b,i])
    squashed_normal_log_prob[b] += -(2*(log(2) - u_t[b,i] - u_t_arg_softplus[b,i]) + 0.5*log(2*PI) +
        log_std_t[b,i] + 0.5*n[b,i]**2)
    q_1_t_minimum[b] = minimum(q_1_t[b], q_2_t[b])
    y[b] = stop(discount_t[b]*(q_1_t_minimum[b] - alpha*squashed_normal_log_prob[b]) + reward[b])
    td_2[b] = q_tm1_2[b] - y[b]
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
    actor_tanh[b,i] = tanh(actor[b,i+A]) for i < A
    log_std[b,i] = 3.5*actor_tanh[b,i] - 1.5
    log_std_exp[b,i] = exp(log_std[b,i])
    u[b,i] = log_std_exp[b,i]*noise[b,i] + mu[b,i]
    log_std_exp_2[b,i] = exp(-log_std[b,i])
    n[b,i] = log_std_exp_2[b,i]*(u[b,i] - mu[b,i])
    u_arg[b,i] = -2*u[b,i]
    u_arg_softplus[b,i] = softplus(u_arg[b,i])
    squashed_normal_log_prob[b] += -(2*(log(2) - u[b,i] - u_arg_softplus[b,i]) + 0.5*log(2*PI) +
        log_std[b,i] + 0.5*n[b,i]**2)
    entropy += -squashed_normal_log_prob[b]/B
    q_1_minimum[b] = minimum(q_1[b], q_2[b])
    log_alpha_exp = exp(log_alpha)
    loss += (squashed_normal_log_prob[b]*stop(log_alpha_exp) - q_1_minimum[b])/B
    dq_1_minimum[b] = -1/B for b < B
    dsquashed_normal_log_prob[b] = stop(log_alpha_exp)/B for b < B
    dq_1[b] = where(q_1[b] <= q_2[b], dq_1_minimum[b], 0)
    dq_2[b] = where(q_1[b] <= q_2[b], 0, dq_1_minimum[b])
    dcritic_2_obs_a[b,0] += dq_2[b]
    dcritic_2_h2_obs_a[b,j] += dcritic_2_obs_a[b,i]*critic_2_W3[i,j]
    dcritic_2_z2_obs_a[b,i] = where(0 < critic_2_z2_obs_a[b,i], dcritic_2_h2_obs_a[b,i], 0)
    dcritic_2_h1_obs_a[b,j] += dcritic_2_z2_obs_a[b,i]*critic_2_W2[i,j]
    dcritic_2_z1_obs_a[b,i] = where(0 < critic_2_z1_obs_a[b,i], dcritic_2_h1_obs_a[b,i], 0)
    dcritic_2_x0_obs_a[b,j] += dcritic_2_z1_obs_a[b,i]*critic_2_W1[i,j]
    da[b,i] += dcritic_2_x0_obs_a[b,i+S] for i < A
    dcritic_1_obs_a[b,0] += dq_1[b]
    dcritic_1_h2_obs_a[b,j] += dcritic_1_obs_a[b,i]*critic_1_W3[i,j]
    dcritic_1_z2_obs_a[b,i] = where(0 < critic_1_z2_obs_a[b,i], dcritic_1_h2_obs_a[b,i], 0)
    dcritic_1_h1_obs_a[b,j] += dcritic_1_z2_obs_a[b,i]*critic_1_W2[i,j]
    dcritic_1_z1_obs_a[b,i] = where(0 < critic_1_z1_obs_a[b,i], dcritic_1_h1_obs_a[b,i], 0)
    dcritic_1_x0_obs_a[b,j] += dcritic_1_z1_obs_a[b,i]*critic_1_W1[i,j]
    da[b,i] += dcritic_1_x0_obs_a[b,i+S] for i < A
    dlog_std[b,i] += -dsquashed_normal_log_prob[b] for i < A
    dn[b,i] = -dsquashed_normal_log_prob[b]*n[b,i]
    du[b,i] += 2*dsquashed_normal_log_prob[b] for i < A
    du_arg_softplus[b,i] = 2*dsquashed_normal_log_prob[b] for i < A
    u_arg_sigmoid[b,i] = sigmoid(u_arg[b,i])
    du_arg[b,i] = du_arg_softplus[b,i]*u_arg_sigmoid[b,i]
    du[b,i] += -2*du_arg[b,i]
    dlog_std_exp_2[b,i] = dn[b,i]*(u[b,i] - mu[b,i])
    dmu[b,i] += -dn[b,i]*log_std_exp_2[b,i]
    du[b,i] += dn[b,i]*log_std_exp_2[b,i]
    dlog_std[b,i] += -dlog_std_exp_2[b,i]*log_std_exp_2[b,i]
    du[b,i] += da[b,i]*(1 - a[b,i]**2)
    dlog_std_exp[b,i] = du[b,i]*noise[b,i]
    dmu[b,i] += du[b,i]
    dlog_std[b,i] += dlog_std_exp[b,i]*log_std_exp[b,i]
    dactor_tanh[b,i] = 3.5*dlog_std[b,i]
    dactor[b,i+A] += dactor_tanh[b,i]*(1 - actor_tanh[b,i]**2)
    dactor[b,i] += dmu[b,i]
    dactor_c3[i] += dactor[b,i]
    dactor_W3[i,j] += dactor[b,i]*actor_h2[b,j]
    dactor_h2[b,j] += dactor[b,i]*actor_W3[i,j]
    dactor_z2[b,i] = where(0 < actor_z2[b,i], dactor_h2[b,i], 0)
    dactor_c2[i] += dactor_z2[b,i]
    dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_z1[b,i] = where(0 < actor_z1[b,i], dactor_h1[b,i], 0)
    dactor_c1[i] += dactor_z1[b,i]
    dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]

Gradient (temperature_value_and_grad); dX stands for dL/dX.
    actor_tanh[b,i] = tanh(actor[b,i+A]) for i < A
    log_std[b,i] = 3.5*actor_tanh[b,i] - 1.5
    log_std_exp[b,i] = exp(log_std[b,i])
    u[b,i] = log_std_exp[b,i]*noise[b,i] + mu[b,i]
    log_std_exp_2[b,i] = exp(-log_std[b,i])
    n[b,i] = log_std_exp_2[b,i]*(u[b,i] - mu[b,i])
    u_arg[b,i] = -2*u[b,i]
    u_arg_softplus[b,i] = softplus(u_arg[b,i])
    squashed_normal_log_prob[b] += -(2*(log(2) - u[b,i] - u_arg_softplus[b,i]) + 0.5*log(2*PI) +
        log_std[b,i] + 0.5*n[b,i]**2)
    log_alpha_exp = exp(log_alpha)
    loss += -log_alpha_exp*stop(squashed_normal_log_prob[b] - A)/B
    dlog_alpha_exp += -stop(squashed_normal_log_prob[b] - A)/B
    dlog_alpha = dlog_alpha_exp*log_alpha_exp

Shapes
    log_alpha: real
    actor_W1: real[H, S]
    actor_c1: real[H]
    actor_W2: real[H, H]
    actor_c2: real[H]
    actor_W3: real[2*A, H]
    actor_c3: real[2*A]
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
    noise: real[B, A]
    gamma: real = 0.99
    B: transitions in the batch

At kinks: relu'(0) = 0; a tie of minimum takes the first argument's side.
Held constant: what wrt does not name, and what stop() holds in
    y[b] = stop(discount_t[b]*(minimum(q_1_t[b], q_2_t[b]) - alpha*logp_t[b]) + reward[b])
    y_2[b] = stop(discount_t[b]*(minimum(q_1_t[b], q_2_t[b]) - alpha*logp_t[b]) + reward[b])
    loss += (logp[b]*stop(exp(log_alpha)) - minimum(q_1[b], q_2[b]))/B
    loss += -exp(log_alpha)*stop(logp[b] - A)/B
Reduction: sac_critic is summed over b and divided by B; sac_critic_2 is summed over b and divided
    by B; entropy is summed over b and divided by B; loss is summed over b and divided by B.
Rewritten to stay finite: nothing.
"""

import numpy as np

VERSION = "0.1.0"
SIZES = {"B": None, "S": 17, "A": 6, "H": 256}
PARAMETERS = {
    "log_alpha": {"axes": (), "offset": 0, "shape": (), "strides": ()},
    "actor.W1": {"axes": ("H", "S"), "offset": 1, "shape": (256, 17), "strides": (17, 1)},
    "actor.c1": {"axes": ("H",), "offset": 4353, "shape": (256,), "strides": (1,)},
    "actor.W2": {"axes": ("H", "H"), "offset": 4609, "shape": (256, 256), "strides": (256, 1)},
    "actor.c2": {"axes": ("H",), "offset": 70145, "shape": (256,), "strides": (1,)},
    "actor.W3": {"axes": ("2*A", "H"), "offset": 70401, "shape": (12, 256), "strides": (256, 1)},
    "actor.c3": {"axes": ("2*A",), "offset": 73473, "shape": (12,), "strides": (1,)},
    "critic_1.W1": {"axes": ("H", "A+S"), "offset": 73485, "shape": (256, 23), "strides": (23, 1)},
    "critic_1.c1": {"axes": ("H",), "offset": 79373, "shape": (256,), "strides": (1,)},
    "critic_1.W2": {"axes": ("H", "H"), "offset": 79629, "shape": (256, 256), "strides": (256, 1)},
    "critic_1.c2": {"axes": ("H",), "offset": 145165, "shape": (256,), "strides": (1,)},
    "critic_1.W3": {"axes": ("1", "H"), "offset": 145421, "shape": (1, 256), "strides": (256, 1)},
    "critic_1.c3": {"axes": ("1",), "offset": 145677, "shape": (1,), "strides": (1,)},
    "critic_2.W1": {"axes": ("H", "A+S"), "offset": 145678, "shape": (256, 23), "strides": (23, 1)},
    "critic_2.c1": {"axes": ("H",), "offset": 151566, "shape": (256,), "strides": (1,)},
    "critic_2.W2": {"axes": ("H", "H"), "offset": 151822, "shape": (256, 256), "strides": (256, 1)},
    "critic_2.c2": {"axes": ("H",), "offset": 217358, "shape": (256,), "strides": (1,)},
    "critic_2.W3": {"axes": ("1", "H"), "offset": 217614, "shape": (1, 256), "strides": (256, 1)},
    "critic_2.c3": {"axes": ("1",), "offset": 217870, "shape": (1,), "strides": (1,)},
    "critic_1_target.W1": {
        "axes": ("H", "A+S"), "offset": 217871, "shape": (256, 23), "strides": (23, 1)
    },
    "critic_1_target.c1": {"axes": ("H",), "offset": 223759, "shape": (256,), "strides": (1,)},
    "critic_1_target.W2": {
        "axes": ("H", "H"), "offset": 224015, "shape": (256, 256), "strides": (256, 1)
    },
    "critic_1_target.c2": {"axes": ("H",), "offset": 289551, "shape": (256,), "strides": (1,)},
    "critic_1_target.W3": {
        "axes": ("1", "H"), "offset": 289807, "shape": (1, 256), "strides": (256, 1)
    },
    "critic_1_target.c3": {"axes": ("1",), "offset": 290063, "shape": (1,), "strides": (1,)},
    "critic_2_target.W1": {
        "axes": ("H", "A+S"), "offset": 290064, "shape": (256, 23), "strides": (23, 1)
    },
    "critic_2_target.c1": {"axes": ("H",), "offset": 295952, "shape": (256,), "strides": (1,)},
    "critic_2_target.W2": {
        "axes": ("H", "H"), "offset": 296208, "shape": (256, 256), "strides": (256, 1)
    },
    "critic_2_target.c2": {"axes": ("H",), "offset": 361744, "shape": (256,), "strides": (1,)},
    "critic_2_target.W3": {
        "axes": ("1", "H"), "offset": 362000, "shape": (1, 256), "strides": (256, 1)
    },
    "critic_2_target.c3": {"axes": ("1",), "offset": 362256, "shape": (1,), "strides": (1,)},
}
LAYERS = {
    "actor": (
        {"weight": "actor.W1", "bias": "actor.c1"},
        {"weight": "actor.W2", "bias": "actor.c2"},
        {"weight": "actor.W3", "bias": "actor.c3"},
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
    "noise": "real[B, A]",
    "gamma": "real = 0.99",
}
OUTPUTS = {
    "forward": ("mu", "log_std"),
    "actor_forward": ("actor",),
    "critic_1_forward": ("critic_1",),
    "critic_2_forward": ("critic_2",),
    "critic_1_target_forward": ("critic_1_target",),
    "critic_2_target_forward": ("critic_2_target",),
}
BRANCHES = ()
OPERATIONS = {
    "forward": "2 * A * B * H + B * H * H + B * H * S + 5 * A * B + 4 * B * H",
    "actor_forward": "2 * A * B * H + B * H * H + B * H * S + 2 * A * B + 4 * B * H",
    "critic_1_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_2_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_1_target_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_2_target_forward": "A * B * H + B * H * H + B * H * S + 5 * B * H + B",
    "critic_value": (
        "6 * A * B * H + 5 * B * H * H + 5 * B * H * S + 24 * A * B + 24 * B * H + 18 "
        "* B"
    ),
    "critic_value_and_grad": (
        "8 * A * B * H + 9 * B * H * H + 7 * B * H * S + 24 * A * B + 36 * B * H + 22 "
        "* B"
    ),
    "actor_value": (
        "4 * A * B * H + 3 * B * H * H + 3 * B * H * S + 24 * A * B + 14 * B * H + 8 "
        "* B"
    ),
    "actor_value_and_grad": (
        "10 * A * B * H + 7 * B * H * H + 6 * B * H * S + 53 * A * B + 24 * B * H + "
        "10 * B"
    ),
    "temperature_value": "2 * A * B * H + B * H * H + B * H * S + 23 * A * B + 4 * B * H + 3 * B",
    "temperature_value_and_grad": (
        "2 * A * B * H + B * H * H + B * H * S + 23 * A * B + 4 * B * H + 3 * B"
    ),
}
SPEC_HASH = "0531d4957dd186ce875885327f640b366d5942c00f317d0410e2c24dac14c7bf"
SPEC = r'''description = "SAC for HalfCheetah: a squashed Gaussian actor 17-256-256-12, two critics 23-256-256-1 with relu, a target network of each critic, and a temperature that is learned."
outputs = ["mu", "log_std"]
equations = """
actor_z1[b,i] += actor_W1[i,j]*obs[b,j]
actor_z1[b,i] += actor_c1[i] for b < B
actor_h1[b,i] = relu(actor_z1[b,i])
actor_z2[b,i] += actor_W2[i,j]*actor_h1[b,j]
actor_z2[b,i] += actor_c2[i] for b < B
actor_h2[b,i] = relu(actor_z2[b,i])
actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
actor[b,i] += actor_c3[i] for b < B
mu[b,i] = actor[b,i] for i < A
log_std[b,i] = 3.5*tanh(actor[b,i+A]) - 1.5 for i < A
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
log_alpha = "real init=zeros"

[params.actor]
W1 = "real[H, S] init=uniform_fan_in"
c1 = "real[H] init=zeros"
W2 = "real[H, H] init=uniform_fan_in"
c2 = "real[H] init=zeros"
W3 = "real[2*A, H] init=uniform_fan_in"
c3 = "real[2*A] init=zeros"

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
noise = "real[B, A]"
gamma = "real = 0.99"

[losses.critic]
wrt = ["critic_1_W1", "critic_1_c1", "critic_1_W2", "critic_1_c2", "critic_1_W3", "critic_1_c3", "critic_2_W1", "critic_2_c1", "critic_2_W2", "critic_2_c2", "critic_2_W3", "critic_2_c3"]
equations = """
actor_z1_next_obs[b,i] += actor_W1[i,j]*next_obs[b,j]
actor_z1_next_obs[b,i] += actor_c1[i] for b < B
actor_h1_next_obs[b,i] = relu(actor_z1_next_obs[b,i])
actor_z2_next_obs[b,i] += actor_W2[i,j]*actor_h1_next_obs[b,j]
actor_z2_next_obs[b,i] += actor_c2[i] for b < B
actor_h2_next_obs[b,i] = relu(actor_z2_next_obs[b,i])
actor_next_obs[b,i] += actor_W3[i,j]*actor_h2_next_obs[b,j]
actor_next_obs[b,i] += actor_c3[i] for b < B
head_t[b,i] = actor_next_obs[b,i]
mu_t[b,i] = head_t[b,i] for i < A
log_std_t[b,i] = 3.5*tanh(head_t[b,i+A]) - 1.5 for i < A
u_t[b,i] = exp(log_std_t[b,i])*noise[b,i] + mu_t[b,i]
a_t[b,i] = tanh(u_t[b,i])
n[b,i] = exp(-log_std_t[b,i])*(u_t[b,i] - mu_t[b,i])
squashed_normal_log_prob[b] += -(2*(log(2) - softplus(-2*u_t[b,i]) - u_t[b,i]) + 0.5*log(2*PI) + log_std_t[b,i] + 0.5*n[b,i]**2)
logp_t[b] = squashed_normal_log_prob[b]
critic_1_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
critic_1_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
critic_1_target_z1_next_obs_a_t[b,i] += critic_1_target_W1[i,j]*critic_1_target_x0_next_obs_a_t[b,j]
critic_1_target_z1_next_obs_a_t[b,i] += critic_1_target_c1[i] for b < B
critic_1_target_h1_next_obs_a_t[b,i] = relu(critic_1_target_z1_next_obs_a_t[b,i])
critic_1_target_z2_next_obs_a_t[b,i] += critic_1_target_W2[i,j]*critic_1_target_h1_next_obs_a_t[b,j]
critic_1_target_z2_next_obs_a_t[b,i] += critic_1_target_c2[i] for b < B
critic_1_target_h2_next_obs_a_t[b,i] = relu(critic_1_target_z2_next_obs_a_t[b,i])
critic_1_target_next_obs_a_t[b,i] += critic_1_target_W3[i,j]*critic_1_target_h2_next_obs_a_t[b,j]
critic_1_target_next_obs_a_t[b,i] += critic_1_target_c3[i] for b < B
q_1_t[b] = critic_1_target_next_obs_a_t[b,0]
critic_2_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
critic_2_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
critic_2_target_z1_next_obs_a_t[b,i] += critic_2_target_W1[i,j]*critic_2_target_x0_next_obs_a_t[b,j]
critic_2_target_z1_next_obs_a_t[b,i] += critic_2_target_c1[i] for b < B
critic_2_target_h1_next_obs_a_t[b,i] = relu(critic_2_target_z1_next_obs_a_t[b,i])
critic_2_target_z2_next_obs_a_t[b,i] += critic_2_target_W2[i,j]*critic_2_target_h1_next_obs_a_t[b,j]
critic_2_target_z2_next_obs_a_t[b,i] += critic_2_target_c2[i] for b < B
critic_2_target_h2_next_obs_a_t[b,i] = relu(critic_2_target_z2_next_obs_a_t[b,i])
critic_2_target_next_obs_a_t[b,i] += critic_2_target_W3[i,j]*critic_2_target_h2_next_obs_a_t[b,j]
critic_2_target_next_obs_a_t[b,i] += critic_2_target_c3[i] for b < B
q_2_t[b] = critic_2_target_next_obs_a_t[b,0]
discount_t[b] = gamma*(1 - done[b])
alpha = exp(log_alpha)
q_tm1[b] = critic_1[b,0]
y[b] = stop(discount_t[b]*(minimum(q_1_t[b], q_2_t[b]) - alpha*logp_t[b]) + reward[b])
td[b] = q_tm1[b] - y[b]
sac_critic += td[b]**2/B
q_tm1_2[b] = critic_2[b,0]
y_2[b] = stop(discount_t[b]*(minimum(q_1_t[b], q_2_t[b]) - alpha*logp_t[b]) + reward[b])
td_2[b] = q_tm1_2[b] - y_2[b]
sac_critic_2 += td_2[b]**2/B
loss = sac_critic + sac_critic_2
"""

[losses.actor]
wrt = ["actor_W1", "actor_c1", "actor_W2", "actor_c2", "actor_W3", "actor_c3"]
aux = ["entropy"]
equations = """
u[b,i] = exp(log_std[b,i])*noise[b,i] + mu[b,i]
a[b,i] = tanh(u[b,i])
n[b,i] = exp(-log_std[b,i])*(u[b,i] - mu[b,i])
squashed_normal_log_prob[b] += -(2*(log(2) - softplus(-2*u[b,i]) - u[b,i]) + 0.5*log(2*PI) + log_std[b,i] + 0.5*n[b,i]**2)
logp[b] = squashed_normal_log_prob[b]
entropy += -logp[b]/B
critic_1_x0_obs_a[b,i] = obs[b,i]
critic_1_x0_obs_a[b,i+S] = a[b,i]
critic_1_z1_obs_a[b,i] += critic_1_W1[i,j]*critic_1_x0_obs_a[b,j]
critic_1_z1_obs_a[b,i] += critic_1_c1[i] for b < B
critic_1_h1_obs_a[b,i] = relu(critic_1_z1_obs_a[b,i])
critic_1_z2_obs_a[b,i] += critic_1_W2[i,j]*critic_1_h1_obs_a[b,j]
critic_1_z2_obs_a[b,i] += critic_1_c2[i] for b < B
critic_1_h2_obs_a[b,i] = relu(critic_1_z2_obs_a[b,i])
critic_1_obs_a[b,i] += critic_1_W3[i,j]*critic_1_h2_obs_a[b,j]
critic_1_obs_a[b,i] += critic_1_c3[i] for b < B
q_1[b] = critic_1_obs_a[b,0]
critic_2_x0_obs_a[b,i] = obs[b,i]
critic_2_x0_obs_a[b,i+S] = a[b,i]
critic_2_z1_obs_a[b,i] += critic_2_W1[i,j]*critic_2_x0_obs_a[b,j]
critic_2_z1_obs_a[b,i] += critic_2_c1[i] for b < B
critic_2_h1_obs_a[b,i] = relu(critic_2_z1_obs_a[b,i])
critic_2_z2_obs_a[b,i] += critic_2_W2[i,j]*critic_2_h1_obs_a[b,j]
critic_2_z2_obs_a[b,i] += critic_2_c2[i] for b < B
critic_2_h2_obs_a[b,i] = relu(critic_2_z2_obs_a[b,i])
critic_2_obs_a[b,i] += critic_2_W3[i,j]*critic_2_h2_obs_a[b,j]
critic_2_obs_a[b,i] += critic_2_c3[i] for b < B
q_2[b] = critic_2_obs_a[b,0]
loss += (logp[b]*stop(exp(log_alpha)) - minimum(q_1[b], q_2[b]))/B
"""

[losses.temperature]
wrt = ["log_alpha"]
equations = """
u[b,i] = exp(log_std[b,i])*noise[b,i] + mu[b,i]
n[b,i] = exp(-log_std[b,i])*(u[b,i] - mu[b,i])
squashed_normal_log_prob[b] += -(2*(log(2) - softplus(-2*u[b,i]) - u[b,i]) + 0.5*log(2*PI) + log_std[b,i] + 0.5*n[b,i]**2)
logp[b] = squashed_normal_log_prob[b]
loss += -exp(log_alpha)*stop(logp[b] - A)/B
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
    """Views on one vector `flat`: log_alpha (), actor.W1 (H, S), actor.c1 (H,), actor.W2 (H, H),
    actor.c2 (H,), actor.W3 (2*A, H), actor.c3 (2*A,), critic_1.W1 (H, A+S), critic_1.c1 (H,),
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
        self.flat = _vector(flat, 6 * A * H + 5 * H * H + 5 * H * S + 2 * A + 14 * H + 5)
        _part = _parts(self.flat)
        self.log_alpha = _part()
        self.actor = _Group(
            _part(2 * A * H + H * H + H * S + 2 * A + 2 * H),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(2 * A, H),
            c3=(2 * A,),
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
    """Views on one vector `flat`: actor.W1 (H, S), actor.c1 (H,), actor.W2 (H, H), actor.c2 (H,),
    actor.W3 (2*A, H), actor.c3 (2*A,).
    """

    def __init__(self, flat, *, S=17, A=6, H=256):
        self._sizes = _sizes(S=S, A=A, H=H)
        self.flat = _vector(flat, 2 * A * H + H * H + H * S + 2 * A + 2 * H)
        _part = _parts(self.flat)
        self.actor = _Group(
            _part(2 * A * H + H * H + H * S + 2 * A + 2 * H),
            W1=(H, S),
            c1=(H,),
            W2=(H, H),
            c2=(H,),
            W3=(2 * A, H),
            c3=(2 * A,),
        )
        self._closed = True


class TemperatureGradients(_Views):
    """Views on one vector `flat`: log_alpha ()."""

    def __init__(self, flat):
        self._sizes = _sizes()
        self.flat = _vector(flat, 1)
        _part = _parts(self.flat)
        self.log_alpha = _part()
        self._closed = True

    def __getattribute__(self, name):
        """`params.flat -= grads.flat` would take a lone number from every parameter there is."""
        found = super().__getattribute__(name)
        if name == "flat" and found.size == 1 and "_closed" in vars(self):
            raise AttributeError(
                "the gradient is one number, with no flat of its own: use log_alpha"
            )
        return found


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
    params.log_alpha[...] = 0.0
    params.actor.W1[...] = _uniform_fan_in(rng, (H, S))
    params.actor.c1[...] = 0.0
    params.actor.W2[...] = _uniform_fan_in(rng, (H, H))
    params.actor.c2[...] = 0.0
    params.actor.W3[...] = _uniform_fan_in(rng, (2 * A, H))
    params.actor.c3[...] = 0.0
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
        np.savez(file, **{name: _place(params, name) for name in PARAMETERS}, A=params._sizes["A"])


def load(path):
    """The parameters that `save` wrote."""
    arrays = _arrays(path, "A")
    params = Params(
        np.result_type(*(arrays[name] for name in PARAMETERS)),
        S=_extent(arrays["actor.W1"], 1),
        A=int(arrays["A"]),
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


def forward(params, obs, *, workspace=None):
    """The outputs mu, log_std.

    obs: real[B, S]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    ws = _memory(workspace, _ForwardMemory, dtype, B=B, S=S, A=A, H=H)
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
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # mu[b,i] = actor[b,i] for i < A
    mu = ws.mu
    np.copyto(mu, actor[:, :A])
    # actor_tanh[b,i] = tanh(actor[b,i+A]) for i < A
    actor_tanh = np.tanh(actor[:, A:2*A], out=ws.actor_tanh)
    # log_std[b,i] = 3.5*actor_tanh[b,i] - 1.5
    log_std = np.multiply(actor_tanh, 3.5, out=ws.log_std)
    log_std -= 1.5
    return mu, log_std


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
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    return actor


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


def critic_value(params, *, obs, action, reward, next_obs, done, noise, gamma=0.99, workspace=None):
    """The loss.

    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    noise: real[B, A]
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
    noise = _real("noise", noise, 2)
    gamma = dtype.type(_real("gamma", gamma, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, S))
    _shape("done", done, (B,))
    _shape("noise", noise, (B, A))
    ws = _memory(workspace, _CriticValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    noise = _fit(ws, "noise", noise, dtype)
    log_alpha, actor_W1, actor_c1 = params.log_alpha[()], params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, critic_1_W1, critic_1_c1 = params.actor.c3, params.critic_1.W1, params.critic_1.c1
    critic_1_W2, critic_1_c2 = params.critic_1.W2, params.critic_1.c2
    critic_1_W3, critic_1_c3 = params.critic_1.W3, params.critic_1.c3
    critic_2_W1, critic_2_c1 = params.critic_2.W1, params.critic_2.c1
    critic_2_W2, critic_2_c2 = params.critic_2.W2, params.critic_2.c2
    critic_2_W3, critic_2_c3 = params.critic_2.W3, params.critic_2.c3
    critic_1_target_W1, critic_1_target_c1 = params.critic_1_target.W1, params.critic_1_target.c1
    critic_1_target_W2, critic_1_target_c2 = params.critic_1_target.W2, params.critic_1_target.c2
    critic_1_target_W3, critic_1_target_c3 = params.critic_1_target.W3, params.critic_1_target.c3
    critic_2_target_W1, critic_2_target_c1 = params.critic_2_target.W1, params.critic_2_target.c1
    critic_2_target_W2, critic_2_target_c2 = params.critic_2_target.W2, params.critic_2_target.c2
    critic_2_target_W3, critic_2_target_c3 = params.critic_2_target.W3, params.critic_2_target.c3
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
    # actor_z1_next_obs[b,i] += actor_W1[i,j]*next_obs[b,j]
    actor_z1_next_obs = np.matmul(next_obs, actor_W1.T, out=ws.actor_z1_next_obs)
    # actor_z1_next_obs[b,i] += actor_c1[i] for b < B
    actor_z1_next_obs += actor_c1
    # actor_h1_next_obs[b,i] = relu(actor_z1_next_obs[b,i])
    actor_h1_next_obs = np.maximum(actor_z1_next_obs, 0.0, out=ws.actor_h1_next_obs)
    # actor_z2_next_obs[b,i] += actor_W2[i,j]*actor_h1_next_obs[b,j]
    actor_z2_next_obs = np.matmul(actor_h1_next_obs, actor_W2.T, out=ws.actor_z2_next_obs)
    # actor_z2_next_obs[b,i] += actor_c2[i] for b < B
    actor_z2_next_obs += actor_c2
    # actor_h2_next_obs[b,i] = relu(actor_z2_next_obs[b,i])
    actor_h2_next_obs = np.maximum(actor_z2_next_obs, 0.0, out=ws.actor_h2_next_obs)
    # actor_next_obs[b,i] += actor_W3[i,j]*actor_h2_next_obs[b,j]
    actor_next_obs = np.matmul(actor_h2_next_obs, actor_W3.T, out=ws.actor_next_obs)
    # actor_next_obs[b,i] += actor_c3[i] for b < B
    actor_next_obs += actor_c3
    # mu_t[b,i] = actor_next_obs[b,i] for i < A
    mu_t = ws.mu_t
    np.copyto(mu_t, actor_next_obs[:, :A])
    # head_t_tanh[b,i] = tanh(actor_next_obs[b,i+A]) for i < A
    head_t_tanh = np.tanh(actor_next_obs[:, A:2*A], out=ws.head_t_tanh)
    # log_std_t[b,i] = 3.5*head_t_tanh[b,i] - 1.5
    log_std_t = np.multiply(head_t_tanh, 3.5, out=ws.log_std_t)
    log_std_t -= 1.5
    # log_std_t_exp[b,i] = exp(log_std_t[b,i])
    log_std_t_exp = np.exp(log_std_t, out=ws.log_std_t_exp)
    # u_t[b,i] = log_std_t_exp[b,i]*noise[b,i] + mu_t[b,i]
    u_t = np.multiply(log_std_t_exp, noise, out=ws.u_t)
    u_t += mu_t
    # a_t[b,i] = tanh(u_t[b,i])
    a_t = np.tanh(u_t, out=ws.a_t)
    # log_std_t_exp_2[b,i] = exp(-log_std_t[b,i])
    log_std_t_exp_2 = np.negative(log_std_t, out=ws.log_std_t_exp_2)
    np.exp(log_std_t_exp_2, out=log_std_t_exp_2)
    # n[b,i] = log_std_t_exp_2[b,i]*(u_t[b,i] - mu_t[b,i])
    n = np.subtract(u_t, mu_t, out=ws.n)
    n *= log_std_t_exp_2
    # u_t_arg[b,i] = -2*u_t[b,i]
    u_t_arg = np.multiply(u_t, -2.0, out=ws.u_t_arg)
    # u_t_arg_softplus[b,i] = softplus(u_t_arg[b,i])
    u_t_arg_softplus = np.logaddexp(u_t_arg, 0.0, out=ws.u_t_arg_softplus)
    # squashed_normal_log_prob[b] += -(2*(log(2) - u_t[b,i] - u_t_arg_softplus[b,i]) + 0.5*log(2*PI)
    #     + log_std_t[b,i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_2 = np.subtract(float(np.log(2.0)), u_t, out=ws.t_2)
    t_2 -= u_t_arg_softplus
    t_2 *= 2.0
    t_1 += t_2
    t_1 += log_std_t
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    squashed_normal_log_prob = np.sum(t_1, axis=1, out=ws.squashed_normal_log_prob)
    np.negative(squashed_normal_log_prob, out=squashed_normal_log_prob)
    # critic_1_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
    critic_1_target_x0_next_obs_a_t = ws.critic_1_target_x0_next_obs_a_t
    np.copyto(critic_1_target_x0_next_obs_a_t[:, :S], next_obs)
    # critic_1_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
    np.copyto(critic_1_target_x0_next_obs_a_t[:, S:A+S], a_t)
    # critic_1_target_z1_next_obs_a_t[b,i] +=
    #     critic_1_target_W1[i,j]*critic_1_target_x0_next_obs_a_t[b,j]
    critic_1_target_z1_next_obs_a_t = np.matmul(
        critic_1_target_x0_next_obs_a_t,
        critic_1_target_W1.T,
        out=ws.critic_1_target_z1_next_obs_a_t,
    )
    # critic_1_target_z1_next_obs_a_t[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_z1_next_obs_a_t += critic_1_target_c1
    # critic_1_target_h1_next_obs_a_t[b,i] = relu(critic_1_target_z1_next_obs_a_t[b,i])
    critic_1_target_h1_next_obs_a_t = np.maximum(
        critic_1_target_z1_next_obs_a_t, 0.0, out=ws.critic_1_target_h1_next_obs_a_t
    )
    # critic_1_target_z2_next_obs_a_t[b,i] +=
    #     critic_1_target_W2[i,j]*critic_1_target_h1_next_obs_a_t[b,j]
    critic_1_target_z2_next_obs_a_t = np.matmul(
        critic_1_target_h1_next_obs_a_t,
        critic_1_target_W2.T,
        out=ws.critic_1_target_z2_next_obs_a_t,
    )
    # critic_1_target_z2_next_obs_a_t[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_z2_next_obs_a_t += critic_1_target_c2
    # critic_1_target_h2_next_obs_a_t[b,i] = relu(critic_1_target_z2_next_obs_a_t[b,i])
    critic_1_target_h2_next_obs_a_t = np.maximum(
        critic_1_target_z2_next_obs_a_t, 0.0, out=ws.critic_1_target_h2_next_obs_a_t
    )
    # critic_1_target_next_obs_a_t[b,i] +=
    #     critic_1_target_W3[i,j]*critic_1_target_h2_next_obs_a_t[b,j]
    critic_1_target_next_obs_a_t = np.matmul(
        critic_1_target_h2_next_obs_a_t, critic_1_target_W3.T, out=ws.critic_1_target_next_obs_a_t
    )
    # critic_1_target_next_obs_a_t[b,i] += critic_1_target_c3[i] for b < B
    critic_1_target_next_obs_a_t += critic_1_target_c3
    # q_1_t[b] = critic_1_target_next_obs_a_t[b,0]
    q_1_t = ws.q_1_t
    np.copyto(q_1_t, critic_1_target_next_obs_a_t[:, 0])
    # critic_2_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
    critic_2_target_x0_next_obs_a_t = ws.critic_2_target_x0_next_obs_a_t
    np.copyto(critic_2_target_x0_next_obs_a_t[:, :S], next_obs)
    # critic_2_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
    np.copyto(critic_2_target_x0_next_obs_a_t[:, S:A+S], a_t)
    # critic_2_target_z1_next_obs_a_t[b,i] +=
    #     critic_2_target_W1[i,j]*critic_2_target_x0_next_obs_a_t[b,j]
    critic_2_target_z1_next_obs_a_t = np.matmul(
        critic_2_target_x0_next_obs_a_t,
        critic_2_target_W1.T,
        out=ws.critic_2_target_z1_next_obs_a_t,
    )
    # critic_2_target_z1_next_obs_a_t[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_z1_next_obs_a_t += critic_2_target_c1
    # critic_2_target_h1_next_obs_a_t[b,i] = relu(critic_2_target_z1_next_obs_a_t[b,i])
    critic_2_target_h1_next_obs_a_t = np.maximum(
        critic_2_target_z1_next_obs_a_t, 0.0, out=ws.critic_2_target_h1_next_obs_a_t
    )
    # critic_2_target_z2_next_obs_a_t[b,i] +=
    #     critic_2_target_W2[i,j]*critic_2_target_h1_next_obs_a_t[b,j]
    critic_2_target_z2_next_obs_a_t = np.matmul(
        critic_2_target_h1_next_obs_a_t,
        critic_2_target_W2.T,
        out=ws.critic_2_target_z2_next_obs_a_t,
    )
    # critic_2_target_z2_next_obs_a_t[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_z2_next_obs_a_t += critic_2_target_c2
    # critic_2_target_h2_next_obs_a_t[b,i] = relu(critic_2_target_z2_next_obs_a_t[b,i])
    critic_2_target_h2_next_obs_a_t = np.maximum(
        critic_2_target_z2_next_obs_a_t, 0.0, out=ws.critic_2_target_h2_next_obs_a_t
    )
    # critic_2_target_next_obs_a_t[b,i] +=
    #     critic_2_target_W3[i,j]*critic_2_target_h2_next_obs_a_t[b,j]
    critic_2_target_next_obs_a_t = np.matmul(
        critic_2_target_h2_next_obs_a_t, critic_2_target_W3.T, out=ws.critic_2_target_next_obs_a_t
    )
    # critic_2_target_next_obs_a_t[b,i] += critic_2_target_c3[i] for b < B
    critic_2_target_next_obs_a_t += critic_2_target_c3
    # q_2_t[b] = critic_2_target_next_obs_a_t[b,0]
    q_2_t = ws.q_2_t
    np.copyto(q_2_t, critic_2_target_next_obs_a_t[:, 0])
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # alpha = exp(log_alpha)
    alpha = np.exp(log_alpha)
    # q_tm1[b] = critic_1[b,0]
    q_tm1 = ws.q_tm1
    np.copyto(q_tm1, critic_1[:, 0])
    # q_1_t_minimum[b] = minimum(q_1_t[b], q_2_t[b])
    q_1_t_minimum = np.minimum(q_1_t, q_2_t, out=ws.q_1_t_minimum)
    # y[b] = stop(discount_t[b]*(q_1_t_minimum[b] - alpha*squashed_normal_log_prob[b]) + reward[b])
    y = np.multiply(squashed_normal_log_prob, alpha, out=ws.y)
    np.subtract(q_1_t_minimum, y, out=y)
    y *= discount_t
    y += reward
    # td[b] = q_tm1[b] - y[b]
    td = np.subtract(q_tm1, y, out=ws.td)
    # sac_critic += td[b]**2/B
    t_3 = np.square(td, out=ws.t_3)
    sac_critic = np.sum(t_3) / B
    # q_tm1_2[b] = critic_2[b,0]
    q_tm1_2 = ws.q_tm1_2
    np.copyto(q_tm1_2, critic_2[:, 0])
    # td_2[b] = q_tm1_2[b] - y[b]
    td_2 = np.subtract(q_tm1_2, y, out=ws.td_2)
    # sac_critic_2 += td_2[b]**2/B
    t_4 = np.square(td_2, out=ws.t_4)
    sac_critic_2 = np.sum(t_4) / B
    # loss = sac_critic + sac_critic_2
    loss = sac_critic + sac_critic_2
    return loss


def critic_value_and_grad(
    params, *, obs, action, reward, next_obs, done, noise, gamma=0.99, workspace=None
):
    """The loss and its gradient by critic_1, critic_2.

    obs: real[B, S]
    action: real[B, A]
    reward: real[B]
    next_obs: real[B, S]
    done: bool[B]
    noise: real[B, A]
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
    noise = _real("noise", noise, 2)
    gamma = dtype.type(_real("gamma", gamma, 0))
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("action", action, (B, A))
    _shape("reward", reward, (B,))
    _shape("next_obs", next_obs, (B, S))
    _shape("done", done, (B,))
    _shape("noise", noise, (B, A))
    ws = _memory(workspace, _CriticValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    action = _fit(ws, "action", action, dtype)
    reward = _fit(ws, "reward", reward, dtype)
    next_obs = _fit(ws, "next_obs", next_obs, dtype)
    done = _fit(ws, "done", done, np.bool_)
    noise = _fit(ws, "noise", noise, dtype)
    grads = ws.grads
    log_alpha, actor_W1, actor_c1 = params.log_alpha[()], params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, critic_1_W1, critic_1_c1 = params.actor.c3, params.critic_1.W1, params.critic_1.c1
    critic_1_W2, critic_1_c2 = params.critic_1.W2, params.critic_1.c2
    critic_1_W3, critic_1_c3 = params.critic_1.W3, params.critic_1.c3
    critic_2_W1, critic_2_c1 = params.critic_2.W1, params.critic_2.c1
    critic_2_W2, critic_2_c2 = params.critic_2.W2, params.critic_2.c2
    critic_2_W3, critic_2_c3 = params.critic_2.W3, params.critic_2.c3
    critic_1_target_W1, critic_1_target_c1 = params.critic_1_target.W1, params.critic_1_target.c1
    critic_1_target_W2, critic_1_target_c2 = params.critic_1_target.W2, params.critic_1_target.c2
    critic_1_target_W3, critic_1_target_c3 = params.critic_1_target.W3, params.critic_1_target.c3
    critic_2_target_W1, critic_2_target_c1 = params.critic_2_target.W1, params.critic_2_target.c1
    critic_2_target_W2, critic_2_target_c2 = params.critic_2_target.W2, params.critic_2_target.c2
    critic_2_target_W3, critic_2_target_c3 = params.critic_2_target.W3, params.critic_2_target.c3
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
    # actor_z1_next_obs[b,i] += actor_W1[i,j]*next_obs[b,j]
    actor_z1_next_obs = np.matmul(next_obs, actor_W1.T, out=ws.actor_z1_next_obs)
    # actor_z1_next_obs[b,i] += actor_c1[i] for b < B
    actor_z1_next_obs += actor_c1
    # actor_h1_next_obs[b,i] = relu(actor_z1_next_obs[b,i])
    actor_h1_next_obs = np.maximum(actor_z1_next_obs, 0.0, out=ws.actor_h1_next_obs)
    # actor_z2_next_obs[b,i] += actor_W2[i,j]*actor_h1_next_obs[b,j]
    actor_z2_next_obs = np.matmul(actor_h1_next_obs, actor_W2.T, out=ws.actor_z2_next_obs)
    # actor_z2_next_obs[b,i] += actor_c2[i] for b < B
    actor_z2_next_obs += actor_c2
    # actor_h2_next_obs[b,i] = relu(actor_z2_next_obs[b,i])
    actor_h2_next_obs = np.maximum(actor_z2_next_obs, 0.0, out=ws.actor_h2_next_obs)
    # actor_next_obs[b,i] += actor_W3[i,j]*actor_h2_next_obs[b,j]
    actor_next_obs = np.matmul(actor_h2_next_obs, actor_W3.T, out=ws.actor_next_obs)
    # actor_next_obs[b,i] += actor_c3[i] for b < B
    actor_next_obs += actor_c3
    # mu_t[b,i] = actor_next_obs[b,i] for i < A
    mu_t = ws.mu_t
    np.copyto(mu_t, actor_next_obs[:, :A])
    # head_t_tanh[b,i] = tanh(actor_next_obs[b,i+A]) for i < A
    head_t_tanh = np.tanh(actor_next_obs[:, A:2*A], out=ws.head_t_tanh)
    # log_std_t[b,i] = 3.5*head_t_tanh[b,i] - 1.5
    log_std_t = np.multiply(head_t_tanh, 3.5, out=ws.log_std_t)
    log_std_t -= 1.5
    # log_std_t_exp[b,i] = exp(log_std_t[b,i])
    log_std_t_exp = np.exp(log_std_t, out=ws.log_std_t_exp)
    # u_t[b,i] = log_std_t_exp[b,i]*noise[b,i] + mu_t[b,i]
    u_t = np.multiply(log_std_t_exp, noise, out=ws.u_t)
    u_t += mu_t
    # a_t[b,i] = tanh(u_t[b,i])
    a_t = np.tanh(u_t, out=ws.a_t)
    # log_std_t_exp_2[b,i] = exp(-log_std_t[b,i])
    log_std_t_exp_2 = np.negative(log_std_t, out=ws.log_std_t_exp_2)
    np.exp(log_std_t_exp_2, out=log_std_t_exp_2)
    # n[b,i] = log_std_t_exp_2[b,i]*(u_t[b,i] - mu_t[b,i])
    n = np.subtract(u_t, mu_t, out=ws.n)
    n *= log_std_t_exp_2
    # u_t_arg[b,i] = -2*u_t[b,i]
    u_t_arg = np.multiply(u_t, -2.0, out=ws.u_t_arg)
    # u_t_arg_softplus[b,i] = softplus(u_t_arg[b,i])
    u_t_arg_softplus = np.logaddexp(u_t_arg, 0.0, out=ws.u_t_arg_softplus)
    # squashed_normal_log_prob[b] += -(2*(log(2) - u_t[b,i] - u_t_arg_softplus[b,i]) + 0.5*log(2*PI)
    #     + log_std_t[b,i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_2 = np.subtract(float(np.log(2.0)), u_t, out=ws.t_2)
    t_2 -= u_t_arg_softplus
    t_2 *= 2.0
    t_1 += t_2
    t_1 += log_std_t
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    squashed_normal_log_prob = np.sum(t_1, axis=1, out=ws.squashed_normal_log_prob)
    np.negative(squashed_normal_log_prob, out=squashed_normal_log_prob)
    # critic_1_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
    critic_1_target_x0_next_obs_a_t = ws.critic_1_target_x0_next_obs_a_t
    np.copyto(critic_1_target_x0_next_obs_a_t[:, :S], next_obs)
    # critic_1_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
    np.copyto(critic_1_target_x0_next_obs_a_t[:, S:A+S], a_t)
    # critic_1_target_z1_next_obs_a_t[b,i] +=
    #     critic_1_target_W1[i,j]*critic_1_target_x0_next_obs_a_t[b,j]
    critic_1_target_z1_next_obs_a_t = np.matmul(
        critic_1_target_x0_next_obs_a_t,
        critic_1_target_W1.T,
        out=ws.critic_1_target_z1_next_obs_a_t,
    )
    # critic_1_target_z1_next_obs_a_t[b,i] += critic_1_target_c1[i] for b < B
    critic_1_target_z1_next_obs_a_t += critic_1_target_c1
    # critic_1_target_h1_next_obs_a_t[b,i] = relu(critic_1_target_z1_next_obs_a_t[b,i])
    critic_1_target_h1_next_obs_a_t = np.maximum(
        critic_1_target_z1_next_obs_a_t, 0.0, out=ws.critic_1_target_h1_next_obs_a_t
    )
    # critic_1_target_z2_next_obs_a_t[b,i] +=
    #     critic_1_target_W2[i,j]*critic_1_target_h1_next_obs_a_t[b,j]
    critic_1_target_z2_next_obs_a_t = np.matmul(
        critic_1_target_h1_next_obs_a_t,
        critic_1_target_W2.T,
        out=ws.critic_1_target_z2_next_obs_a_t,
    )
    # critic_1_target_z2_next_obs_a_t[b,i] += critic_1_target_c2[i] for b < B
    critic_1_target_z2_next_obs_a_t += critic_1_target_c2
    # critic_1_target_h2_next_obs_a_t[b,i] = relu(critic_1_target_z2_next_obs_a_t[b,i])
    critic_1_target_h2_next_obs_a_t = np.maximum(
        critic_1_target_z2_next_obs_a_t, 0.0, out=ws.critic_1_target_h2_next_obs_a_t
    )
    # critic_1_target_next_obs_a_t[b,i] +=
    #     critic_1_target_W3[i,j]*critic_1_target_h2_next_obs_a_t[b,j]
    critic_1_target_next_obs_a_t = np.matmul(
        critic_1_target_h2_next_obs_a_t, critic_1_target_W3.T, out=ws.critic_1_target_next_obs_a_t
    )
    # critic_1_target_next_obs_a_t[b,i] += critic_1_target_c3[i] for b < B
    critic_1_target_next_obs_a_t += critic_1_target_c3
    # q_1_t[b] = critic_1_target_next_obs_a_t[b,0]
    q_1_t = ws.q_1_t
    np.copyto(q_1_t, critic_1_target_next_obs_a_t[:, 0])
    # critic_2_target_x0_next_obs_a_t[b,i] = next_obs[b,i]
    critic_2_target_x0_next_obs_a_t = ws.critic_2_target_x0_next_obs_a_t
    np.copyto(critic_2_target_x0_next_obs_a_t[:, :S], next_obs)
    # critic_2_target_x0_next_obs_a_t[b,i+S] = a_t[b,i]
    np.copyto(critic_2_target_x0_next_obs_a_t[:, S:A+S], a_t)
    # critic_2_target_z1_next_obs_a_t[b,i] +=
    #     critic_2_target_W1[i,j]*critic_2_target_x0_next_obs_a_t[b,j]
    critic_2_target_z1_next_obs_a_t = np.matmul(
        critic_2_target_x0_next_obs_a_t,
        critic_2_target_W1.T,
        out=ws.critic_2_target_z1_next_obs_a_t,
    )
    # critic_2_target_z1_next_obs_a_t[b,i] += critic_2_target_c1[i] for b < B
    critic_2_target_z1_next_obs_a_t += critic_2_target_c1
    # critic_2_target_h1_next_obs_a_t[b,i] = relu(critic_2_target_z1_next_obs_a_t[b,i])
    critic_2_target_h1_next_obs_a_t = np.maximum(
        critic_2_target_z1_next_obs_a_t, 0.0, out=ws.critic_2_target_h1_next_obs_a_t
    )
    # critic_2_target_z2_next_obs_a_t[b,i] +=
    #     critic_2_target_W2[i,j]*critic_2_target_h1_next_obs_a_t[b,j]
    critic_2_target_z2_next_obs_a_t = np.matmul(
        critic_2_target_h1_next_obs_a_t,
        critic_2_target_W2.T,
        out=ws.critic_2_target_z2_next_obs_a_t,
    )
    # critic_2_target_z2_next_obs_a_t[b,i] += critic_2_target_c2[i] for b < B
    critic_2_target_z2_next_obs_a_t += critic_2_target_c2
    # critic_2_target_h2_next_obs_a_t[b,i] = relu(critic_2_target_z2_next_obs_a_t[b,i])
    critic_2_target_h2_next_obs_a_t = np.maximum(
        critic_2_target_z2_next_obs_a_t, 0.0, out=ws.critic_2_target_h2_next_obs_a_t
    )
    # critic_2_target_next_obs_a_t[b,i] +=
    #     critic_2_target_W3[i,j]*critic_2_target_h2_next_obs_a_t[b,j]
    critic_2_target_next_obs_a_t = np.matmul(
        critic_2_target_h2_next_obs_a_t, critic_2_target_W3.T, out=ws.critic_2_target_next_obs_a_t
    )
    # critic_2_target_next_obs_a_t[b,i] += critic_2_target_c3[i] for b < B
    critic_2_target_next_obs_a_t += critic_2_target_c3
    # q_2_t[b] = critic_2_target_next_obs_a_t[b,0]
    q_2_t = ws.q_2_t
    np.copyto(q_2_t, critic_2_target_next_obs_a_t[:, 0])
    # discount_t[b] = gamma*(1 - done[b])
    done_real = ws.done_real
    np.copyto(done_real, done)
    discount_t = np.subtract(1.0, done_real, out=ws.discount_t)
    discount_t *= gamma
    # alpha = exp(log_alpha)
    alpha = np.exp(log_alpha)
    # q_tm1[b] = critic_1[b,0]
    q_tm1 = ws.q_tm1
    np.copyto(q_tm1, critic_1[:, 0])
    # q_1_t_minimum[b] = minimum(q_1_t[b], q_2_t[b])
    q_1_t_minimum = np.minimum(q_1_t, q_2_t, out=ws.q_1_t_minimum)
    # y[b] = stop(discount_t[b]*(q_1_t_minimum[b] - alpha*squashed_normal_log_prob[b]) + reward[b])
    y = np.multiply(squashed_normal_log_prob, alpha, out=ws.y)
    np.subtract(q_1_t_minimum, y, out=y)
    y *= discount_t
    y += reward
    # td[b] = q_tm1[b] - y[b]
    td = np.subtract(q_tm1, y, out=ws.td)
    # sac_critic += td[b]**2/B
    t_3 = np.square(td, out=ws.t_3)
    sac_critic = np.sum(t_3) / B
    # q_tm1_2[b] = critic_2[b,0]
    q_tm1_2 = ws.q_tm1_2
    np.copyto(q_tm1_2, critic_2[:, 0])
    # td_2[b] = q_tm1_2[b] - y[b]
    td_2 = np.subtract(q_tm1_2, y, out=ws.td_2)
    # sac_critic_2 += td_2[b]**2/B
    np.square(td_2, out=t_3)
    sac_critic_2 = np.sum(t_3) / B
    # loss = sac_critic + sac_critic_2
    loss = sac_critic + sac_critic_2
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
    t_4 = np.greater(critic_2_z2, 0.0, out=ws.t_4)
    dcritic_2_z2 = ws.dcritic_2_z2
    dcritic_2_z2.fill(0.0)
    np.copyto(dcritic_2_z2, dcritic_2_h2, where=t_4)
    # dcritic_2_c2[i] += dcritic_2_z2[b,i]
    np.sum(dcritic_2_z2, axis=0, out=grads.critic_2.c2)
    # dcritic_2_W2[i,j] += dcritic_2_z2[b,i]*critic_2_h1[b,j]
    np.matmul(dcritic_2_z2.T, critic_2_h1, out=grads.critic_2.W2)
    # dcritic_2_h1[b,j] += dcritic_2_z2[b,i]*critic_2_W2[i,j]
    dcritic_2_h1 = np.matmul(dcritic_2_z2, critic_2_W2, out=ws.dcritic_2_h1)
    # dcritic_2_z1[b,i] = where(0 < critic_2_z1[b,i], dcritic_2_h1[b,i], 0)
    np.greater(critic_2_z1, 0.0, out=t_4)
    dcritic_2_z1 = ws.dcritic_2_z1
    dcritic_2_z1.fill(0.0)
    np.copyto(dcritic_2_z1, dcritic_2_h1, where=t_4)
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
    np.greater(critic_1_z2, 0.0, out=t_4)
    dcritic_1_z2 = ws.dcritic_1_z2
    dcritic_1_z2.fill(0.0)
    np.copyto(dcritic_1_z2, dcritic_1_h2, where=t_4)
    # dcritic_1_c2[i] += dcritic_1_z2[b,i]
    np.sum(dcritic_1_z2, axis=0, out=grads.critic_1.c2)
    # dcritic_1_W2[i,j] += dcritic_1_z2[b,i]*critic_1_h1[b,j]
    np.matmul(dcritic_1_z2.T, critic_1_h1, out=grads.critic_1.W2)
    # dcritic_1_h1[b,j] += dcritic_1_z2[b,i]*critic_1_W2[i,j]
    dcritic_1_h1 = np.matmul(dcritic_1_z2, critic_1_W2, out=ws.dcritic_1_h1)
    # dcritic_1_z1[b,i] = where(0 < critic_1_z1[b,i], dcritic_1_h1[b,i], 0)
    np.greater(critic_1_z1, 0.0, out=t_4)
    dcritic_1_z1 = ws.dcritic_1_z1
    dcritic_1_z1.fill(0.0)
    np.copyto(dcritic_1_z1, dcritic_1_h1, where=t_4)
    # dcritic_1_c1[i] += dcritic_1_z1[b,i]
    np.sum(dcritic_1_z1, axis=0, out=grads.critic_1.c1)
    # dcritic_1_W1[i,j] += dcritic_1_z1[b,i]*critic_1_x0[b,j]
    np.matmul(dcritic_1_z1.T, critic_1_x0, out=grads.critic_1.W1)
    return loss, grads


def actor_value(params, *, obs, noise, workspace=None):
    """The loss.

    obs: real[B, S]
    noise: real[B, A]

    Returns (loss, aux); aux is a dict of entropy.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    noise = _real("noise", noise, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("noise", noise, (B, A))
    ws = _memory(workspace, _ActorValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    noise = _fit(ws, "noise", noise, dtype)
    log_alpha, actor_W1, actor_c1 = params.log_alpha[()], params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, critic_1_W1, critic_1_c1 = params.actor.c3, params.critic_1.W1, params.critic_1.c1
    critic_1_W2, critic_1_c2 = params.critic_1.W2, params.critic_1.c2
    critic_1_W3, critic_1_c3 = params.critic_1.W3, params.critic_1.c3
    critic_2_W1, critic_2_c1 = params.critic_2.W1, params.critic_2.c1
    critic_2_W2, critic_2_c2 = params.critic_2.W2, params.critic_2.c2
    critic_2_W3, critic_2_c3 = params.critic_2.W3, params.critic_2.c3
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
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # mu[b,i] = actor[b,i] for i < A
    mu = ws.mu
    np.copyto(mu, actor[:, :A])
    # actor_tanh[b,i] = tanh(actor[b,i+A]) for i < A
    actor_tanh = np.tanh(actor[:, A:2*A], out=ws.actor_tanh)
    # log_std[b,i] = 3.5*actor_tanh[b,i] - 1.5
    log_std = np.multiply(actor_tanh, 3.5, out=ws.log_std)
    log_std -= 1.5
    # log_std_exp[b,i] = exp(log_std[b,i])
    log_std_exp = np.exp(log_std, out=ws.log_std_exp)
    # u[b,i] = log_std_exp[b,i]*noise[b,i] + mu[b,i]
    u = np.multiply(log_std_exp, noise, out=ws.u)
    u += mu
    # a[b,i] = tanh(u[b,i])
    a = np.tanh(u, out=ws.a)
    # log_std_exp_2[b,i] = exp(-log_std[b,i])
    log_std_exp_2 = np.negative(log_std, out=ws.log_std_exp_2)
    np.exp(log_std_exp_2, out=log_std_exp_2)
    # n[b,i] = log_std_exp_2[b,i]*(u[b,i] - mu[b,i])
    n = np.subtract(u, mu, out=ws.n)
    n *= log_std_exp_2
    # u_arg[b,i] = -2*u[b,i]
    u_arg = np.multiply(u, -2.0, out=ws.u_arg)
    # u_arg_softplus[b,i] = softplus(u_arg[b,i])
    u_arg_softplus = np.logaddexp(u_arg, 0.0, out=ws.u_arg_softplus)
    # squashed_normal_log_prob[b] += -(2*(log(2) - u[b,i] - u_arg_softplus[b,i]) + 0.5*log(2*PI) +
    #     log_std[b,i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_2 = np.subtract(float(np.log(2.0)), u, out=ws.t_2)
    t_2 -= u_arg_softplus
    t_2 *= 2.0
    t_1 += t_2
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    squashed_normal_log_prob = np.sum(t_1, axis=1, out=ws.squashed_normal_log_prob)
    np.negative(squashed_normal_log_prob, out=squashed_normal_log_prob)
    # entropy += -squashed_normal_log_prob[b]/B
    entropy = -np.sum(squashed_normal_log_prob) / B
    # critic_1_x0_obs_a[b,i] = obs[b,i]
    critic_1_x0_obs_a = ws.critic_1_x0_obs_a
    np.copyto(critic_1_x0_obs_a[:, :S], obs)
    # critic_1_x0_obs_a[b,i+S] = a[b,i]
    np.copyto(critic_1_x0_obs_a[:, S:A+S], a)
    # critic_1_z1_obs_a[b,i] += critic_1_W1[i,j]*critic_1_x0_obs_a[b,j]
    critic_1_z1_obs_a = np.matmul(critic_1_x0_obs_a, critic_1_W1.T, out=ws.critic_1_z1_obs_a)
    # critic_1_z1_obs_a[b,i] += critic_1_c1[i] for b < B
    critic_1_z1_obs_a += critic_1_c1
    # critic_1_h1_obs_a[b,i] = relu(critic_1_z1_obs_a[b,i])
    critic_1_h1_obs_a = np.maximum(critic_1_z1_obs_a, 0.0, out=ws.critic_1_h1_obs_a)
    # critic_1_z2_obs_a[b,i] += critic_1_W2[i,j]*critic_1_h1_obs_a[b,j]
    critic_1_z2_obs_a = np.matmul(critic_1_h1_obs_a, critic_1_W2.T, out=ws.critic_1_z2_obs_a)
    # critic_1_z2_obs_a[b,i] += critic_1_c2[i] for b < B
    critic_1_z2_obs_a += critic_1_c2
    # critic_1_h2_obs_a[b,i] = relu(critic_1_z2_obs_a[b,i])
    critic_1_h2_obs_a = np.maximum(critic_1_z2_obs_a, 0.0, out=ws.critic_1_h2_obs_a)
    # critic_1_obs_a[b,i] += critic_1_W3[i,j]*critic_1_h2_obs_a[b,j]
    critic_1_obs_a = np.matmul(critic_1_h2_obs_a, critic_1_W3.T, out=ws.critic_1_obs_a)
    # critic_1_obs_a[b,i] += critic_1_c3[i] for b < B
    critic_1_obs_a += critic_1_c3
    # q_1[b] = critic_1_obs_a[b,0]
    q_1 = ws.q_1
    np.copyto(q_1, critic_1_obs_a[:, 0])
    # critic_2_x0_obs_a[b,i] = obs[b,i]
    critic_2_x0_obs_a = ws.critic_2_x0_obs_a
    np.copyto(critic_2_x0_obs_a[:, :S], obs)
    # critic_2_x0_obs_a[b,i+S] = a[b,i]
    np.copyto(critic_2_x0_obs_a[:, S:A+S], a)
    # critic_2_z1_obs_a[b,i] += critic_2_W1[i,j]*critic_2_x0_obs_a[b,j]
    critic_2_z1_obs_a = np.matmul(critic_2_x0_obs_a, critic_2_W1.T, out=ws.critic_2_z1_obs_a)
    # critic_2_z1_obs_a[b,i] += critic_2_c1[i] for b < B
    critic_2_z1_obs_a += critic_2_c1
    # critic_2_h1_obs_a[b,i] = relu(critic_2_z1_obs_a[b,i])
    critic_2_h1_obs_a = np.maximum(critic_2_z1_obs_a, 0.0, out=ws.critic_2_h1_obs_a)
    # critic_2_z2_obs_a[b,i] += critic_2_W2[i,j]*critic_2_h1_obs_a[b,j]
    critic_2_z2_obs_a = np.matmul(critic_2_h1_obs_a, critic_2_W2.T, out=ws.critic_2_z2_obs_a)
    # critic_2_z2_obs_a[b,i] += critic_2_c2[i] for b < B
    critic_2_z2_obs_a += critic_2_c2
    # critic_2_h2_obs_a[b,i] = relu(critic_2_z2_obs_a[b,i])
    critic_2_h2_obs_a = np.maximum(critic_2_z2_obs_a, 0.0, out=ws.critic_2_h2_obs_a)
    # critic_2_obs_a[b,i] += critic_2_W3[i,j]*critic_2_h2_obs_a[b,j]
    critic_2_obs_a = np.matmul(critic_2_h2_obs_a, critic_2_W3.T, out=ws.critic_2_obs_a)
    # critic_2_obs_a[b,i] += critic_2_c3[i] for b < B
    critic_2_obs_a += critic_2_c3
    # q_2[b] = critic_2_obs_a[b,0]
    q_2 = ws.q_2
    np.copyto(q_2, critic_2_obs_a[:, 0])
    # q_1_minimum[b] = minimum(q_1[b], q_2[b])
    q_1_minimum = np.minimum(q_1, q_2, out=ws.q_1_minimum)
    # log_alpha_exp = exp(log_alpha)
    log_alpha_exp = np.exp(log_alpha)
    # loss += (squashed_normal_log_prob[b]*stop(log_alpha_exp) - q_1_minimum[b])/B
    t_3 = np.multiply(squashed_normal_log_prob, log_alpha_exp, out=ws.t_3)
    t_3 -= q_1_minimum
    loss = np.sum(t_3) / B
    return loss, {"entropy": entropy}


def actor_value_and_grad(params, *, obs, noise, workspace=None):
    """The loss and its gradient by actor.

    obs: real[B, S]
    noise: real[B, A]

    Returns ((loss, aux), gradient); aux is a dict of entropy.

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    noise = _real("noise", noise, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("noise", noise, (B, A))
    ws = _memory(workspace, _ActorValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    noise = _fit(ws, "noise", noise, dtype)
    grads = ws.grads
    log_alpha, actor_W1, actor_c1 = params.log_alpha[()], params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3, critic_1_W1, critic_1_c1 = params.actor.c3, params.critic_1.W1, params.critic_1.c1
    critic_1_W2, critic_1_c2 = params.critic_1.W2, params.critic_1.c2
    critic_1_W3, critic_1_c3 = params.critic_1.W3, params.critic_1.c3
    critic_2_W1, critic_2_c1 = params.critic_2.W1, params.critic_2.c1
    critic_2_W2, critic_2_c2 = params.critic_2.W2, params.critic_2.c2
    critic_2_W3, critic_2_c3 = params.critic_2.W3, params.critic_2.c3
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
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # mu[b,i] = actor[b,i] for i < A
    mu = ws.mu
    np.copyto(mu, actor[:, :A])
    # actor_tanh[b,i] = tanh(actor[b,i+A]) for i < A
    actor_tanh = np.tanh(actor[:, A:2*A], out=ws.actor_tanh)
    # log_std[b,i] = 3.5*actor_tanh[b,i] - 1.5
    log_std = np.multiply(actor_tanh, 3.5, out=ws.log_std)
    log_std -= 1.5
    # log_std_exp[b,i] = exp(log_std[b,i])
    log_std_exp = np.exp(log_std, out=ws.log_std_exp)
    # u[b,i] = log_std_exp[b,i]*noise[b,i] + mu[b,i]
    u = np.multiply(log_std_exp, noise, out=ws.u)
    u += mu
    # a[b,i] = tanh(u[b,i])
    a = np.tanh(u, out=ws.a)
    # log_std_exp_2[b,i] = exp(-log_std[b,i])
    log_std_exp_2 = np.negative(log_std, out=ws.log_std_exp_2)
    np.exp(log_std_exp_2, out=log_std_exp_2)
    # n[b,i] = log_std_exp_2[b,i]*(u[b,i] - mu[b,i])
    t_1 = np.subtract(u, mu, out=ws.t_1)
    n = np.multiply(t_1, log_std_exp_2, out=ws.n)
    # u_arg[b,i] = -2*u[b,i]
    u_arg = np.multiply(u, -2.0, out=ws.u_arg)
    # u_arg_softplus[b,i] = softplus(u_arg[b,i])
    u_arg_softplus = np.logaddexp(u_arg, 0.0, out=ws.u_arg_softplus)
    # squashed_normal_log_prob[b] += -(2*(log(2) - u[b,i] - u_arg_softplus[b,i]) + 0.5*log(2*PI) +
    #     log_std[b,i] + 0.5*n[b,i]**2)
    t_3 = np.square(n, out=ws.t_3)
    t_3 *= 0.5
    t_2 = np.subtract(float(np.log(2.0)), u, out=ws.t_2)
    t_2 -= u_arg_softplus
    t_2 *= 2.0
    t_3 += t_2
    t_3 += log_std
    t_3 += float(np.log(2.0 * np.pi)) / 2.0
    squashed_normal_log_prob = np.sum(t_3, axis=1, out=ws.squashed_normal_log_prob)
    np.negative(squashed_normal_log_prob, out=squashed_normal_log_prob)
    # entropy += -squashed_normal_log_prob[b]/B
    entropy = -np.sum(squashed_normal_log_prob) / B
    # critic_1_x0_obs_a[b,i] = obs[b,i]
    critic_1_x0_obs_a = ws.critic_1_x0_obs_a
    np.copyto(critic_1_x0_obs_a[:, :S], obs)
    # critic_1_x0_obs_a[b,i+S] = a[b,i]
    np.copyto(critic_1_x0_obs_a[:, S:A+S], a)
    # critic_1_z1_obs_a[b,i] += critic_1_W1[i,j]*critic_1_x0_obs_a[b,j]
    critic_1_z1_obs_a = np.matmul(critic_1_x0_obs_a, critic_1_W1.T, out=ws.critic_1_z1_obs_a)
    # critic_1_z1_obs_a[b,i] += critic_1_c1[i] for b < B
    critic_1_z1_obs_a += critic_1_c1
    # critic_1_h1_obs_a[b,i] = relu(critic_1_z1_obs_a[b,i])
    critic_1_h1_obs_a = np.maximum(critic_1_z1_obs_a, 0.0, out=ws.critic_1_h1_obs_a)
    # critic_1_z2_obs_a[b,i] += critic_1_W2[i,j]*critic_1_h1_obs_a[b,j]
    critic_1_z2_obs_a = np.matmul(critic_1_h1_obs_a, critic_1_W2.T, out=ws.critic_1_z2_obs_a)
    # critic_1_z2_obs_a[b,i] += critic_1_c2[i] for b < B
    critic_1_z2_obs_a += critic_1_c2
    # critic_1_h2_obs_a[b,i] = relu(critic_1_z2_obs_a[b,i])
    critic_1_h2_obs_a = np.maximum(critic_1_z2_obs_a, 0.0, out=ws.critic_1_h2_obs_a)
    # critic_1_obs_a[b,i] += critic_1_W3[i,j]*critic_1_h2_obs_a[b,j]
    critic_1_obs_a = np.matmul(critic_1_h2_obs_a, critic_1_W3.T, out=ws.critic_1_obs_a)
    # critic_1_obs_a[b,i] += critic_1_c3[i] for b < B
    critic_1_obs_a += critic_1_c3
    # q_1[b] = critic_1_obs_a[b,0]
    q_1 = ws.q_1
    np.copyto(q_1, critic_1_obs_a[:, 0])
    # critic_2_x0_obs_a[b,i] = obs[b,i]
    critic_2_x0_obs_a = ws.critic_2_x0_obs_a
    np.copyto(critic_2_x0_obs_a[:, :S], obs)
    # critic_2_x0_obs_a[b,i+S] = a[b,i]
    np.copyto(critic_2_x0_obs_a[:, S:A+S], a)
    # critic_2_z1_obs_a[b,i] += critic_2_W1[i,j]*critic_2_x0_obs_a[b,j]
    critic_2_z1_obs_a = np.matmul(critic_2_x0_obs_a, critic_2_W1.T, out=ws.critic_2_z1_obs_a)
    # critic_2_z1_obs_a[b,i] += critic_2_c1[i] for b < B
    critic_2_z1_obs_a += critic_2_c1
    # critic_2_h1_obs_a[b,i] = relu(critic_2_z1_obs_a[b,i])
    critic_2_h1_obs_a = np.maximum(critic_2_z1_obs_a, 0.0, out=ws.critic_2_h1_obs_a)
    # critic_2_z2_obs_a[b,i] += critic_2_W2[i,j]*critic_2_h1_obs_a[b,j]
    critic_2_z2_obs_a = np.matmul(critic_2_h1_obs_a, critic_2_W2.T, out=ws.critic_2_z2_obs_a)
    # critic_2_z2_obs_a[b,i] += critic_2_c2[i] for b < B
    critic_2_z2_obs_a += critic_2_c2
    # critic_2_h2_obs_a[b,i] = relu(critic_2_z2_obs_a[b,i])
    critic_2_h2_obs_a = np.maximum(critic_2_z2_obs_a, 0.0, out=ws.critic_2_h2_obs_a)
    # critic_2_obs_a[b,i] += critic_2_W3[i,j]*critic_2_h2_obs_a[b,j]
    critic_2_obs_a = np.matmul(critic_2_h2_obs_a, critic_2_W3.T, out=ws.critic_2_obs_a)
    # critic_2_obs_a[b,i] += critic_2_c3[i] for b < B
    critic_2_obs_a += critic_2_c3
    # q_2[b] = critic_2_obs_a[b,0]
    q_2 = ws.q_2
    np.copyto(q_2, critic_2_obs_a[:, 0])
    # q_1_minimum[b] = minimum(q_1[b], q_2[b])
    q_1_minimum = np.minimum(q_1, q_2, out=ws.q_1_minimum)
    # log_alpha_exp = exp(log_alpha)
    log_alpha_exp = np.exp(log_alpha)
    # loss += (squashed_normal_log_prob[b]*stop(log_alpha_exp) - q_1_minimum[b])/B
    t_4 = np.multiply(squashed_normal_log_prob, log_alpha_exp, out=ws.t_4)
    t_4 -= q_1_minimum
    loss = np.sum(t_4) / B
    # dq_1_minimum[b] = -1/B for b < B
    dq_1_minimum = ws.dq_1_minimum
    dq_1_minimum.fill(-1.0 / B)
    # dsquashed_normal_log_prob[b] = stop(log_alpha_exp)/B for b < B
    dsquashed_normal_log_prob = ws.dsquashed_normal_log_prob
    dsquashed_normal_log_prob.fill(log_alpha_exp / B)
    # dq_1[b] = where(q_1[b] <= q_2[b], dq_1_minimum[b], 0)
    t_5 = np.less_equal(q_1, q_2, out=ws.t_5)
    dq_1 = ws.dq_1
    dq_1.fill(0.0)
    np.copyto(dq_1, dq_1_minimum, where=t_5)
    # dq_2[b] = where(q_1[b] <= q_2[b], 0, dq_1_minimum[b])
    dq_2 = ws.dq_2
    np.copyto(dq_2, dq_1_minimum)
    np.copyto(dq_2, 0.0, where=t_5)
    # dcritic_2_obs_a[b,0] += dq_2[b]
    dcritic_2_obs_a = ws.dcritic_2_obs_a
    np.copyto(dcritic_2_obs_a[:, 0], dq_2)
    # dcritic_2_h2_obs_a[b,j] += dcritic_2_obs_a[b,i]*critic_2_W3[i,j]
    dcritic_2_h2_obs_a = np.matmul(dcritic_2_obs_a, critic_2_W3, out=ws.dcritic_2_h2_obs_a)
    # dcritic_2_z2_obs_a[b,i] = where(0 < critic_2_z2_obs_a[b,i], dcritic_2_h2_obs_a[b,i], 0)
    t_6 = np.greater(critic_2_z2_obs_a, 0.0, out=ws.t_6)
    dcritic_2_z2_obs_a = ws.dcritic_2_z2_obs_a
    dcritic_2_z2_obs_a.fill(0.0)
    np.copyto(dcritic_2_z2_obs_a, dcritic_2_h2_obs_a, where=t_6)
    # dcritic_2_h1_obs_a[b,j] += dcritic_2_z2_obs_a[b,i]*critic_2_W2[i,j]
    dcritic_2_h1_obs_a = np.matmul(dcritic_2_z2_obs_a, critic_2_W2, out=ws.dcritic_2_h1_obs_a)
    # dcritic_2_z1_obs_a[b,i] = where(0 < critic_2_z1_obs_a[b,i], dcritic_2_h1_obs_a[b,i], 0)
    np.greater(critic_2_z1_obs_a, 0.0, out=t_6)
    dcritic_2_z1_obs_a = ws.dcritic_2_z1_obs_a
    dcritic_2_z1_obs_a.fill(0.0)
    np.copyto(dcritic_2_z1_obs_a, dcritic_2_h1_obs_a, where=t_6)
    # dcritic_2_x0_obs_a[b,j] += dcritic_2_z1_obs_a[b,i]*critic_2_W1[i,j]
    dcritic_2_x0_obs_a = np.matmul(dcritic_2_z1_obs_a, critic_2_W1, out=ws.dcritic_2_x0_obs_a)
    # da[b,i] += dcritic_2_x0_obs_a[b,i+S] for i < A
    da = ws.da
    np.copyto(da, dcritic_2_x0_obs_a[:, S:A+S])
    # dcritic_1_obs_a[b,0] += dq_1[b]
    dcritic_1_obs_a = ws.dcritic_1_obs_a
    np.copyto(dcritic_1_obs_a[:, 0], dq_1)
    # dcritic_1_h2_obs_a[b,j] += dcritic_1_obs_a[b,i]*critic_1_W3[i,j]
    dcritic_1_h2_obs_a = np.matmul(dcritic_1_obs_a, critic_1_W3, out=ws.dcritic_1_h2_obs_a)
    # dcritic_1_z2_obs_a[b,i] = where(0 < critic_1_z2_obs_a[b,i], dcritic_1_h2_obs_a[b,i], 0)
    np.greater(critic_1_z2_obs_a, 0.0, out=t_6)
    dcritic_1_z2_obs_a = ws.dcritic_1_z2_obs_a
    dcritic_1_z2_obs_a.fill(0.0)
    np.copyto(dcritic_1_z2_obs_a, dcritic_1_h2_obs_a, where=t_6)
    # dcritic_1_h1_obs_a[b,j] += dcritic_1_z2_obs_a[b,i]*critic_1_W2[i,j]
    dcritic_1_h1_obs_a = np.matmul(dcritic_1_z2_obs_a, critic_1_W2, out=ws.dcritic_1_h1_obs_a)
    # dcritic_1_z1_obs_a[b,i] = where(0 < critic_1_z1_obs_a[b,i], dcritic_1_h1_obs_a[b,i], 0)
    np.greater(critic_1_z1_obs_a, 0.0, out=t_6)
    dcritic_1_z1_obs_a = ws.dcritic_1_z1_obs_a
    dcritic_1_z1_obs_a.fill(0.0)
    np.copyto(dcritic_1_z1_obs_a, dcritic_1_h1_obs_a, where=t_6)
    # dcritic_1_x0_obs_a[b,j] += dcritic_1_z1_obs_a[b,i]*critic_1_W1[i,j]
    dcritic_1_x0_obs_a = np.matmul(dcritic_1_z1_obs_a, critic_1_W1, out=ws.dcritic_1_x0_obs_a)
    # da[b,i] += dcritic_1_x0_obs_a[b,i+S] for i < A
    da += dcritic_1_x0_obs_a[:, S:A+S]
    # dn[b,i] = -dsquashed_normal_log_prob[b]*n[b,i]
    dn = np.multiply(dsquashed_normal_log_prob[:, None], n, out=ws.dn)
    np.negative(dn, out=dn)
    # du[b,i] += 2*dsquashed_normal_log_prob[b] for i < A
    np.multiply(dsquashed_normal_log_prob, 2.0, out=t_4)
    du = ws.du
    np.copyto(du, t_4[:, None])
    # du_arg_softplus[b,i] = 2*dsquashed_normal_log_prob[b] for i < A
    # u_arg_sigmoid[b,i] = sigmoid(u_arg[b,i])
    u_arg_sigmoid = _sigmoid(u_arg, out=ws.u_arg_sigmoid, scratch=ws.t_3)
    # du_arg[b,i] = du_arg_softplus[b,i]*u_arg_sigmoid[b,i]
    du_arg = np.multiply(du, u_arg_sigmoid, out=ws.du_arg)
    # du[b,i] += -2*du_arg[b,i]
    t_7 = np.multiply(du_arg, 2.0, out=ws.t_7)
    du -= t_7
    # dlog_std_exp_2[b,i] = dn[b,i]*(u[b,i] - mu[b,i])
    dlog_std_exp_2 = np.multiply(t_1, dn, out=ws.dlog_std_exp_2)
    # dmu[b,i] += -dn[b,i]*log_std_exp_2[b,i]
    np.multiply(dn, log_std_exp_2, out=t_2)
    dmu = np.negative(t_2, out=ws.dmu)
    # du[b,i] += dn[b,i]*log_std_exp_2[b,i]
    du += t_2
    # dlog_std[b,i] += -dlog_std_exp_2[b,i]*log_std_exp_2[b,i]
    dlog_std = np.multiply(dlog_std_exp_2, log_std_exp_2, out=ws.dlog_std)
    np.negative(dlog_std, out=dlog_std)
    # dlog_std[b,i] += -dsquashed_normal_log_prob[b] for i < A
    dlog_std -= dsquashed_normal_log_prob[:, None]
    # du[b,i] += da[b,i]*(1 - a[b,i]**2)
    np.square(a, out=t_2)
    np.subtract(1.0, t_2, out=t_2)
    t_2 *= da
    du += t_2
    # dlog_std_exp[b,i] = du[b,i]*noise[b,i]
    dlog_std_exp = np.multiply(du, noise, out=ws.dlog_std_exp)
    # dmu[b,i] += du[b,i]
    dmu += du
    # dlog_std[b,i] += dlog_std_exp[b,i]*log_std_exp[b,i]
    t_8 = np.multiply(dlog_std_exp, log_std_exp, out=ws.t_8)
    dlog_std += t_8
    # dactor_tanh[b,i] = 3.5*dlog_std[b,i]
    dactor_tanh = np.multiply(dlog_std, 3.5, out=ws.dactor_tanh)
    dactor = ws.dactor
    dactor.fill(0.0)
    # dactor[b,i+A] += dactor_tanh[b,i]*(1 - actor_tanh[b,i]**2)
    np.square(actor_tanh, out=dactor[:, A:2*A])
    np.subtract(1.0, dactor[:, A:2*A], out=dactor[:, A:2*A])
    dactor[:, A:2*A] *= dactor_tanh
    # dactor[b,i] += dmu[b,i]
    dactor[:, :A] += dmu
    # dactor_c3[i] += dactor[b,i]
    np.sum(dactor, axis=0, out=grads.actor.c3)
    # dactor_W3[i,j] += dactor[b,i]*actor_h2[b,j]
    np.matmul(dactor.T, actor_h2, out=grads.actor.W3)
    # dactor_h2[b,j] += dactor[b,i]*actor_W3[i,j]
    dactor_h2 = np.matmul(dactor, actor_W3, out=ws.dactor_h2)
    # dactor_z2[b,i] = where(0 < actor_z2[b,i], dactor_h2[b,i], 0)
    np.greater(actor_z2, 0.0, out=t_6)
    dactor_z2 = ws.dactor_z2
    dactor_z2.fill(0.0)
    np.copyto(dactor_z2, dactor_h2, where=t_6)
    # dactor_c2[i] += dactor_z2[b,i]
    np.sum(dactor_z2, axis=0, out=grads.actor.c2)
    # dactor_W2[i,j] += dactor_z2[b,i]*actor_h1[b,j]
    np.matmul(dactor_z2.T, actor_h1, out=grads.actor.W2)
    # dactor_h1[b,j] += dactor_z2[b,i]*actor_W2[i,j]
    dactor_h1 = np.matmul(dactor_z2, actor_W2, out=ws.dactor_h1)
    # dactor_z1[b,i] = where(0 < actor_z1[b,i], dactor_h1[b,i], 0)
    np.greater(actor_z1, 0.0, out=t_6)
    dactor_z1 = ws.dactor_z1
    dactor_z1.fill(0.0)
    np.copyto(dactor_z1, dactor_h1, where=t_6)
    # dactor_c1[i] += dactor_z1[b,i]
    np.sum(dactor_z1, axis=0, out=grads.actor.c1)
    # dactor_W1[i,j] += dactor_z1[b,i]*obs[b,j]
    np.matmul(dactor_z1.T, obs, out=grads.actor.W1)
    return (loss, {"entropy": entropy}), grads


def temperature_value(params, *, obs, noise, workspace=None):
    """The loss.

    obs: real[B, S]
    noise: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    noise = _real("noise", noise, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("noise", noise, (B, A))
    ws = _memory(workspace, _TemperatureValueMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    noise = _fit(ws, "noise", noise, dtype)
    log_alpha, actor_W1, actor_c1 = params.log_alpha[()], params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3 = params.actor.c3
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
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # mu[b,i] = actor[b,i] for i < A
    mu = ws.mu
    np.copyto(mu, actor[:, :A])
    # actor_tanh[b,i] = tanh(actor[b,i+A]) for i < A
    actor_tanh = np.tanh(actor[:, A:2*A], out=ws.actor_tanh)
    # log_std[b,i] = 3.5*actor_tanh[b,i] - 1.5
    log_std = np.multiply(actor_tanh, 3.5, out=ws.log_std)
    log_std -= 1.5
    # log_std_exp[b,i] = exp(log_std[b,i])
    log_std_exp = np.exp(log_std, out=ws.log_std_exp)
    # u[b,i] = log_std_exp[b,i]*noise[b,i] + mu[b,i]
    u = np.multiply(log_std_exp, noise, out=ws.u)
    u += mu
    # log_std_exp_2[b,i] = exp(-log_std[b,i])
    log_std_exp_2 = np.negative(log_std, out=ws.log_std_exp_2)
    np.exp(log_std_exp_2, out=log_std_exp_2)
    # n[b,i] = log_std_exp_2[b,i]*(u[b,i] - mu[b,i])
    n = np.subtract(u, mu, out=ws.n)
    n *= log_std_exp_2
    # u_arg[b,i] = -2*u[b,i]
    u_arg = np.multiply(u, -2.0, out=ws.u_arg)
    # u_arg_softplus[b,i] = softplus(u_arg[b,i])
    u_arg_softplus = np.logaddexp(u_arg, 0.0, out=ws.u_arg_softplus)
    # squashed_normal_log_prob[b] += -(2*(log(2) - u[b,i] - u_arg_softplus[b,i]) + 0.5*log(2*PI) +
    #     log_std[b,i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_2 = np.subtract(float(np.log(2.0)), u, out=ws.t_2)
    t_2 -= u_arg_softplus
    t_2 *= 2.0
    t_1 += t_2
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    squashed_normal_log_prob = np.sum(t_1, axis=1, out=ws.squashed_normal_log_prob)
    np.negative(squashed_normal_log_prob, out=squashed_normal_log_prob)
    # log_alpha_exp = exp(log_alpha)
    log_alpha_exp = np.exp(log_alpha)
    # loss += -log_alpha_exp*stop(squashed_normal_log_prob[b] - A)/B
    t_3 = np.subtract(squashed_normal_log_prob, A, out=ws.t_3)
    loss = -log_alpha_exp * np.sum(t_3) / B
    return loss


def temperature_value_and_grad(params, *, obs, noise, workspace=None):
    """The loss and its gradient by log_alpha.

    obs: real[B, S]
    noise: real[B, A]

    What comes back is new; with a workspace it lives there until this function's next call. An
    array of another type or layout is copied first, with a workspace into it.
    """
    dtype = _dtype_of(params)
    obs = _real("obs", obs, 2)
    noise = _real("noise", noise, 2)
    S, A, H = params._sizes.values()
    B = _length("B", "obs", obs, 0)
    _shape("obs", obs, (B, S))
    _shape("noise", noise, (B, A))
    ws = _memory(workspace, _TemperatureValueAndGradMemory, dtype, B=B, S=S, A=A, H=H)
    obs = _fit(ws, "obs", obs, dtype)
    noise = _fit(ws, "noise", noise, dtype)
    grads = ws.grads
    log_alpha, actor_W1, actor_c1 = params.log_alpha[()], params.actor.W1, params.actor.c1
    actor_W2, actor_c2, actor_W3 = params.actor.W2, params.actor.c2, params.actor.W3
    actor_c3 = params.actor.c3
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
    # actor[b,i] += actor_W3[i,j]*actor_h2[b,j]
    actor = np.matmul(actor_h2, actor_W3.T, out=ws.actor)
    # actor[b,i] += actor_c3[i] for b < B
    actor += actor_c3
    # mu[b,i] = actor[b,i] for i < A
    mu = ws.mu
    np.copyto(mu, actor[:, :A])
    # actor_tanh[b,i] = tanh(actor[b,i+A]) for i < A
    actor_tanh = np.tanh(actor[:, A:2*A], out=ws.actor_tanh)
    # log_std[b,i] = 3.5*actor_tanh[b,i] - 1.5
    log_std = np.multiply(actor_tanh, 3.5, out=ws.log_std)
    log_std -= 1.5
    # log_std_exp[b,i] = exp(log_std[b,i])
    log_std_exp = np.exp(log_std, out=ws.log_std_exp)
    # u[b,i] = log_std_exp[b,i]*noise[b,i] + mu[b,i]
    u = np.multiply(log_std_exp, noise, out=ws.u)
    u += mu
    # log_std_exp_2[b,i] = exp(-log_std[b,i])
    log_std_exp_2 = np.negative(log_std, out=ws.log_std_exp_2)
    np.exp(log_std_exp_2, out=log_std_exp_2)
    # n[b,i] = log_std_exp_2[b,i]*(u[b,i] - mu[b,i])
    n = np.subtract(u, mu, out=ws.n)
    n *= log_std_exp_2
    # u_arg[b,i] = -2*u[b,i]
    u_arg = np.multiply(u, -2.0, out=ws.u_arg)
    # u_arg_softplus[b,i] = softplus(u_arg[b,i])
    u_arg_softplus = np.logaddexp(u_arg, 0.0, out=ws.u_arg_softplus)
    # squashed_normal_log_prob[b] += -(2*(log(2) - u[b,i] - u_arg_softplus[b,i]) + 0.5*log(2*PI) +
    #     log_std[b,i] + 0.5*n[b,i]**2)
    t_1 = np.square(n, out=ws.t_1)
    t_1 *= 0.5
    t_2 = np.subtract(float(np.log(2.0)), u, out=ws.t_2)
    t_2 -= u_arg_softplus
    t_2 *= 2.0
    t_1 += t_2
    t_1 += log_std
    t_1 += float(np.log(2.0 * np.pi)) / 2.0
    squashed_normal_log_prob = np.sum(t_1, axis=1, out=ws.squashed_normal_log_prob)
    np.negative(squashed_normal_log_prob, out=squashed_normal_log_prob)
    # log_alpha_exp = exp(log_alpha)
    log_alpha_exp = np.exp(log_alpha)
    # loss += -log_alpha_exp*stop(squashed_normal_log_prob[b] - A)/B
    t_3 = np.subtract(squashed_normal_log_prob, A, out=ws.t_3)
    s_1 = np.sum(t_3)
    loss = -log_alpha_exp * s_1 / B
    # dlog_alpha_exp += -stop(squashed_normal_log_prob[b] - A)/B
    dlog_alpha_exp = -s_1 / B
    # dlog_alpha = dlog_alpha_exp*log_alpha_exp
    dlog_alpha = dlog_alpha_exp * log_alpha_exp
    grads.log_alpha[()] = dlog_alpha
    return loss, grads


class _ForwardMemory:
    """The buffers of forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.actor_z2 = np.empty((B, H), dtype)
        self.actor = np.empty((B, 2 * A), dtype)
        self.mu = np.empty((B, A), dtype)
        self.actor_tanh = self.log_std = np.empty((B, A), dtype)


class _ActorForwardMemory:
    """The buffers of actor_forward."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.actor_z2 = np.empty((B, H), dtype)
        self.actor = np.empty((B, 2 * A), dtype)


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


class _CriticValueMemory:
    """The buffers of critic_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.critic_1_x0 = self.critic_2_x0 = np.empty((B, A + S), dtype)
        self.critic_1_target_x0_next_obs_a_t = self.critic_1_x0
        self.critic_2_target_x0_next_obs_a_t = self.critic_1_x0
        self.critic_1_z1 = self.critic_1_h1 = self.critic_1_h2 = np.empty((B, H), dtype)
        self.critic_2_z1 = self.critic_2_h1 = self.critic_2_h2 = self.critic_1_z1
        self.actor_z1_next_obs = self.actor_h1_next_obs = self.actor_h2_next_obs = self.critic_1_z1
        self.critic_1_target_z1_next_obs_a_t = self.critic_1_z1
        self.critic_1_target_h1_next_obs_a_t = self.critic_1_z1
        self.critic_1_target_h2_next_obs_a_t = self.critic_1_z1
        self.critic_2_target_z1_next_obs_a_t = self.critic_1_z1
        self.critic_2_target_h1_next_obs_a_t = self.critic_1_z1
        self.critic_2_target_h2_next_obs_a_t = self.critic_1_z1
        self.critic_1_z2 = self.critic_2_z2 = self.actor_z2_next_obs = np.empty((B, H), dtype)
        self.critic_1_target_z2_next_obs_a_t = self.critic_1_z2
        self.critic_2_target_z2_next_obs_a_t = self.critic_1_z2
        self.critic_1 = np.empty((B, 1), dtype)
        self.critic_2 = np.empty((B, 1), dtype)
        self.actor_next_obs = np.empty((B, 2 * A), dtype)
        self.mu_t = self.n = self.t_1 = np.empty((B, A), dtype)
        self.a_t = np.empty((B, A), dtype)
        self.squashed_normal_log_prob = self.y = self.td_2 = self.t_4 = np.empty((B,), dtype)
        self.critic_1_target_next_obs_a_t = np.empty((B, 1), dtype)
        self.critic_2_target_next_obs_a_t = self.critic_1_target_next_obs_a_t
        self.q_1_t = self.q_1_t_minimum = self.td = self.t_3 = self.q_tm1_2 = np.empty((B,), dtype)
        self.q_2_t = np.empty((B,), dtype)
        self.q_tm1 = np.empty((B,), dtype)
        self.head_t_tanh = self.log_std_t = np.empty((B, A), dtype)
        self.log_std_t_exp = self.u_t = self.t_2 = np.empty((B, A), dtype)
        self.log_std_t_exp_2 = self.u_t_arg = self.u_t_arg_softplus = np.empty((B, A), dtype)
        self.done_real = self.discount_t = np.empty((B,), dtype)


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
        self.actor_z1_next_obs = self.actor_h1_next_obs = np.empty((B, H), dtype)
        self.actor_h2_next_obs = self.critic_1_target_z1_next_obs_a_t = self.actor_z1_next_obs
        self.critic_1_target_h1_next_obs_a_t = self.actor_z1_next_obs
        self.critic_1_target_h2_next_obs_a_t = self.actor_z1_next_obs
        self.critic_2_target_z1_next_obs_a_t = self.actor_z1_next_obs
        self.critic_2_target_h1_next_obs_a_t = self.actor_z1_next_obs
        self.critic_2_target_h2_next_obs_a_t = self.actor_z1_next_obs
        self.actor_z2_next_obs = self.critic_1_target_z2_next_obs_a_t = np.empty((B, H), dtype)
        self.critic_2_target_z2_next_obs_a_t = self.actor_z2_next_obs
        self.actor_next_obs = np.empty((B, 2 * A), dtype)
        self.mu_t = self.n = self.t_1 = np.empty((B, A), dtype)
        self.a_t = np.empty((B, A), dtype)
        self.squashed_normal_log_prob = self.y = self.td_2 = self.dtd_2 = np.empty((B,), dtype)
        self.dtd = self.squashed_normal_log_prob
        self.critic_1_target_x0_next_obs_a_t = np.empty((B, A + S), dtype)
        self.critic_2_target_x0_next_obs_a_t = self.critic_1_target_x0_next_obs_a_t
        self.critic_1_target_next_obs_a_t = np.empty((B, 1), dtype)
        self.critic_2_target_next_obs_a_t = self.critic_1_target_next_obs_a_t
        self.q_1_t = self.q_1_t_minimum = self.td = np.empty((B,), dtype)
        self.q_2_t = self.t_3 = self.q_tm1_2 = np.empty((B,), dtype)
        self.q_tm1 = np.empty((B,), dtype)
        self.head_t_tanh = self.log_std_t = np.empty((B, A), dtype)
        self.log_std_t_exp = self.u_t = self.t_2 = np.empty((B, A), dtype)
        self.log_std_t_exp_2 = self.u_t_arg = self.u_t_arg_softplus = np.empty((B, A), dtype)
        self.done_real = self.discount_t = np.empty((B,), dtype)
        self.t_4 = np.empty((B, H), np.bool_)
        self.grads = CriticGradients(dtype, S=S, A=A, H=H)


class _ActorValueMemory:
    """The buffers of actor_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.critic_1_z1_obs_a = self.critic_1_h1_obs_a = self.critic_1_h2_obs_a = self.actor_z1
        self.critic_2_z1_obs_a = self.critic_2_h1_obs_a = self.critic_2_h2_obs_a = self.actor_z1
        self.actor_z2 = self.critic_1_z2_obs_a = self.critic_2_z2_obs_a = np.empty((B, H), dtype)
        self.actor = np.empty((B, 2 * A), dtype)
        self.mu = self.n = self.t_1 = np.empty((B, A), dtype)
        self.a = np.empty((B, A), dtype)
        self.squashed_normal_log_prob = self.t_3 = np.empty((B,), dtype)
        self.critic_1_x0_obs_a = self.critic_2_x0_obs_a = np.empty((B, A + S), dtype)
        self.critic_1_obs_a = self.critic_2_obs_a = np.empty((B, 1), dtype)
        self.q_1 = self.q_1_minimum = np.empty((B,), dtype)
        self.q_2 = np.empty((B,), dtype)
        self.actor_tanh = self.log_std = np.empty((B, A), dtype)
        self.log_std_exp = self.u = self.t_2 = np.empty((B, A), dtype)
        self.log_std_exp_2 = self.u_arg = self.u_arg_softplus = np.empty((B, A), dtype)


class _ActorValueAndGradMemory:
    """The buffers of actor_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.dactor_z1 = np.empty((B, H), dtype)
        self.actor_h1 = self.dactor_h1 = np.empty((B, H), dtype)
        self.actor_z2 = self.dactor_z2 = np.empty((B, H), dtype)
        self.actor_h2 = self.dactor_h2 = np.empty((B, H), dtype)
        self.actor = self.dactor = np.empty((B, 2 * A), dtype)
        self.mu = self.t_1 = self.dlog_std_exp_2 = self.dlog_std = np.empty((B, A), dtype)
        self.dactor_tanh = self.mu
        self.log_std = self.da = self.dlog_std_exp = self.t_8 = np.empty((B, A), dtype)
        self.u = self.t_2 = self.dn = np.empty((B, A), dtype)
        self.a = np.empty((B, A), dtype)
        self.n = self.du = np.empty((B, A), dtype)
        self.squashed_normal_log_prob = self.t_4 = self.dq_1_minimum = np.empty((B,), dtype)
        self.critic_1_x0_obs_a = self.critic_2_x0_obs_a = np.empty((B, A + S), dtype)
        self.dcritic_2_x0_obs_a = self.dcritic_1_x0_obs_a = self.critic_1_x0_obs_a
        self.critic_1_z1_obs_a = self.dcritic_1_z1_obs_a = np.empty((B, H), dtype)
        self.critic_1_h1_obs_a = self.critic_1_h2_obs_a = np.empty((B, H), dtype)
        self.critic_2_z1_obs_a = self.dcritic_2_z1_obs_a = self.critic_1_h1_obs_a
        self.dcritic_1_h2_obs_a = self.dcritic_1_h1_obs_a = self.critic_1_h1_obs_a
        self.critic_1_z2_obs_a = self.dcritic_1_z2_obs_a = np.empty((B, H), dtype)
        self.critic_1_obs_a = self.critic_2_obs_a = self.dcritic_2_obs_a = np.empty((B, 1), dtype)
        self.dcritic_1_obs_a = self.critic_1_obs_a
        self.q_1 = self.dq_1 = np.empty((B,), dtype)
        self.critic_2_h1_obs_a = self.critic_2_h2_obs_a = np.empty((B, H), dtype)
        self.dcritic_2_h2_obs_a = self.dcritic_2_h1_obs_a = self.critic_2_h1_obs_a
        self.critic_2_z2_obs_a = self.dcritic_2_z2_obs_a = np.empty((B, H), dtype)
        self.q_2 = self.dq_2 = np.empty((B,), dtype)
        self.actor_tanh = np.empty((B, A), dtype)
        self.log_std_exp = np.empty((B, A), dtype)
        self.log_std_exp_2 = np.empty((B, A), dtype)
        self.u_arg = self.du_arg = self.t_7 = self.dmu = np.empty((B, A), dtype)
        self.u_arg_softplus = self.u_arg_sigmoid = np.empty((B, A), dtype)
        self.q_1_minimum = self.dsquashed_normal_log_prob = np.empty((B,), dtype)
        self.t_3 = np.empty((B, A), dtype)
        self.t_5 = np.empty((B,), np.bool_)
        self.t_6 = np.empty((B, H), np.bool_)
        self.grads = ActorGradients(dtype, S=S, A=A, H=H)


class _TemperatureValueMemory:
    """The buffers of temperature_value."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.actor_z2 = np.empty((B, H), dtype)
        self.actor = np.empty((B, 2 * A), dtype)
        self.mu = self.n = self.t_1 = np.empty((B, A), dtype)
        self.squashed_normal_log_prob = self.t_3 = np.empty((B,), dtype)
        self.actor_tanh = self.log_std = np.empty((B, A), dtype)
        self.log_std_exp = self.u = self.t_2 = np.empty((B, A), dtype)
        self.log_std_exp_2 = self.u_arg = self.u_arg_softplus = np.empty((B, A), dtype)


class _TemperatureValueAndGradMemory:
    """The buffers of temperature_value_and_grad."""

    def __init__(self, dtype, *, B, S, A, H):
        self._copies = {}
        self.actor_z1 = self.actor_h1 = self.actor_h2 = np.empty((B, H), dtype)
        self.actor_z2 = np.empty((B, H), dtype)
        self.actor = np.empty((B, 2 * A), dtype)
        self.mu = self.n = self.t_1 = np.empty((B, A), dtype)
        self.squashed_normal_log_prob = self.t_3 = np.empty((B,), dtype)
        self.actor_tanh = self.log_std = np.empty((B, A), dtype)
        self.log_std_exp = self.u = self.t_2 = np.empty((B, A), dtype)
        self.log_std_exp_2 = self.u_arg = self.u_arg_softplus = np.empty((B, A), dtype)
        self.grads = TemperatureGradients(dtype)


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
