"""The named losses written without symgrad: NAME in JAX's arrays, torch_NAME with torch's own losses.

NAME(xp, held, **arguments and options) is one number for each place of the batch: xp is jax.numpy and
held(x) is x taken as constant. Arguments and options have the row's names; the last axis is the one of
actions or classes. Each choice at a kink or a tie is written out by the project's conventions.
torch_NAME is the mean.
"""

from __future__ import annotations


def _at(xp, values, places):
    """values[..., places]."""
    places = xp.asarray(places)
    return xp.take_along_axis(values, places[..., None], axis=-1)[..., 0]


def _log_softmax(xp, held, x):
    shifted = x - held(xp.max(x, axis=-1, keepdims=True))
    return shifted - xp.log(xp.sum(xp.exp(shifted), axis=-1, keepdims=True))


def squared_error(xp, held, *, q, y, half=False):
    return (q - y) ** 2 * (0.5 if half else 1.0)


def _huber_of(xp, d, delta):
    size = xp.where(d > 0, d, -d)
    return xp.where(size <= delta, d * d / 2, delta * (size - delta / 2))


def huber(xp, held, *, q, y, delta=1.0):
    return _huber_of(xp, q - y, delta)


def softmax_cross_entropy(xp, held, *, logits, label, smoothing=0.0, class_weight=1.0):
    logp = _log_softmax(xp, held, logits) * class_weight
    return -(1 - smoothing) * _at(xp, logp, label) - smoothing * xp.mean(logp, axis=-1)


def binary_cross_entropy(xp, held, *, logit, target):
    return xp.logaddexp(0.0, logit) - target * logit


def gaussian_nll(xp, held, *, mu, log_std, x):
    variance = xp.exp(2 * log_std)
    return xp.sum((x - mu) ** 2 / variance + xp.log(2 * xp.pi * variance), axis=-1) / 2


def reinforce(xp, held, *, logits, action, ret, baseline=0.0, entropy=0.0):
    logp = _log_softmax(xp, held, logits)
    spread = -xp.sum(xp.exp(logp) * logp, axis=-1)
    return -_at(xp, logp, action) * held(ret - baseline) - entropy * spread


def reward_signed_cross_entropy(xp, held, *, logit, chosen, reward):
    return reward * xp.logaddexp(0.0, xp.where(chosen, -logit, logit))


def _td(xp, error, half, huber):
    if huber is not None:
        return _huber_of(xp, error, huber)
    return error**2 * (0.5 if half else 1.0)


def q_learning(xp, held, *, q_tm1, a_tm1, r_t, discount_t, q_t, half=False, huber=None):
    target = r_t + discount_t * xp.max(q_t, axis=-1)
    return _td(xp, _at(xp, q_tm1, a_tm1) - held(target), half, huber)


def residual_q_learning(xp, held, *, q_tm1, a_tm1, r_t, discount_t, q_t, half=False, huber=None):
    target = r_t + discount_t * _at(xp, q_t, xp.argmax(q_t, axis=-1))  # of equals the lowest place
    return _td(xp, _at(xp, q_tm1, a_tm1) - target, half, huber)


def double_q_learning(
    xp, held, *, q_tm1, a_tm1, r_t, discount_t, q_t, q_t_selector, half=False, huber=None
):
    target = r_t + discount_t * _at(xp, q_t, xp.argmax(q_t_selector, axis=-1))
    return _td(xp, _at(xp, q_tm1, a_tm1) - held(target), half, huber)


def td_learning(xp, held, *, v_tm1, r_t, discount_t, v_t, whole=False, huber=None):
    return _td(xp, v_tm1 - held(r_t + discount_t * v_t), not whole, huber)


def residual_td_learning(xp, held, *, v_tm1, r_t, discount_t, v_t, whole=False, huber=None):
    return _td(xp, v_tm1 - r_t - discount_t * v_t, not whole, huber)


def sarsa(xp, held, *, q_tm1, a_tm1, r_t, discount_t, q_t, a_t, whole=False, huber=None):
    target = r_t + discount_t * _at(xp, q_t, a_t)
    return _td(xp, _at(xp, q_tm1, a_tm1) - held(target), not whole, huber)


def expected_sarsa(
    xp, held, *, q_tm1, a_tm1, r_t, discount_t, q_t, probs_t, whole=False, huber=None
):
    target = r_t + discount_t * xp.sum(q_t * probs_t, axis=-1)
    return _td(xp, _at(xp, q_tm1, a_tm1) - held(target), not whole, huber)


def td3_critic(xp, held, *, q_tm1, r_t, discount_t, q_1_t, q_2_t, half=False, huber=None):
    return _td(xp, q_tm1 - held(r_t + discount_t * xp.minimum(q_1_t, q_2_t)), half, huber)


def sac_critic(
    xp, held, *, q_tm1, r_t, discount_t, q_1_t, q_2_t, logp_t, alpha, half=False, huber=None
):
    value = xp.minimum(q_1_t, q_2_t) - alpha * logp_t
    return _td(xp, q_tm1 - held(r_t + discount_t * value), half, huber)


def c51(xp, held, *, logits, a_tm1, target):
    places = xp.asarray(a_tm1)[..., None, None]
    logp = _log_softmax(xp, held, xp.take_along_axis(logits, places, axis=-2)[..., 0, :])
    return -xp.sum(held(target) * logp, axis=-1)


def quantile_huber(xp, held, *, theta, tau, target, kappa=1.0, divided=False):
    u = held(target)[..., None, :] - theta[..., :, None]
    each = xp.where(u < 0, 1 - tau[..., :, None], tau[..., :, None]) * _huber_of(xp, u, kappa)
    return xp.sum(xp.mean(each, axis=-1), axis=-1) / (kappa if divided else 1.0)


def expectile(xp, held, *, q, v, tau=0.7):
    d = held(q) - v
    return xp.where(d < 0, 1 - tau, tau) * d**2


def _clip(xp, x, lo, hi):
    """As at its edges x passes, so do the bounds not."""
    return xp.where(x < lo, lo, xp.where(x > hi, hi, x))


def ppo_value(xp, held, *, v, v_old, ret, eps=0.2, clipped=False):
    near = held(v_old) + _clip(xp, v - held(v_old), -eps, eps)
    inside, whole = (near - held(ret)) ** 2, (v - held(ret)) ** 2
    return inside if clipped else xp.where(whole >= inside, whole, inside) / 2


def a2c(xp, held, *, logits, action, ret, v, critic=0.5, entropy=0.01):
    policy = reinforce(xp, held, logits=logits, action=action, ret=ret, baseline=v, entropy=entropy)
    return policy + critic * (v - held(ret)) ** 2


def entropy_bonus(xp, held, *, logits):
    logp = _log_softmax(xp, held, logits)
    return xp.sum(xp.exp(logp) * logp, axis=-1)


def surrogate(xp, held, *, logp, logp_old, advantage):
    return -xp.exp(logp - held(logp_old)) * held(advantage)


def ppo_clip(xp, held, *, logp, logp_old, advantage, eps=0.2):
    ratio, gain = xp.exp(logp - held(logp_old)), held(advantage)
    whole, inside = ratio * gain, _clip(xp, ratio, 1 - eps, 1 + eps) * gain
    return -xp.where(whole <= inside, whole, inside)


def advantage_weighted(xp, held, *, logp, advantage, beta=1.0, w_max=20.0):
    return -held(xp.minimum(xp.exp(advantage / beta), w_max)) * logp


def deterministic_policy(xp, held, *, q):
    return -q


def sac_actor(xp, held, *, logp, q_1, q_2, alpha):
    return held(alpha) * logp - xp.where(q_1 <= q_2, q_1, q_2)


def sac_temperature(xp, held, *, log_alpha, logp, entropy, log=False):
    return -(log_alpha if log else xp.exp(log_alpha)) * held(logp + entropy)


def dpo(xp, held, *, logp_w, logp_l, ref_w, ref_l, beta=0.1):
    margin = logp_w - held(ref_w) - logp_l + held(ref_l)
    return xp.logaddexp(0.0, -beta * margin)


# ---- torch, with its own losses ---------------------------------------------------------------


def _flat(torch, logits, labels):
    return logits.reshape(-1, logits.shape[-1]), labels.reshape(-1)


def torch_squared_error(torch, *, q, y, half=False):
    return torch.nn.functional.mse_loss(q, y) * (0.5 if half else 1.0)


def torch_huber(torch, *, q, y, delta=1.0):
    return torch.nn.functional.huber_loss(q, y, delta=float(torch.as_tensor(delta).detach()))


def torch_softmax_cross_entropy(torch, *, logits, label, smoothing=None, class_weight=None):
    """With labels, or with the distributions over classes that they are then."""
    if smoothing is None and class_weight is None:
        return torch.nn.functional.cross_entropy(*_flat(torch, logits, label))
    share = 0.0 if smoothing is None else smoothing
    target = (1 - share) * torch.nn.functional.one_hot(label, logits.shape[-1])
    target = (target + share / logits.shape[-1]) * (1.0 if class_weight is None else class_weight)
    return torch.nn.functional.cross_entropy(logits, target)


def torch_binary_cross_entropy(torch, *, logit, target):
    return torch.nn.functional.binary_cross_entropy_with_logits(logit, target)


def torch_reinforce(torch, *, logits, action, ret, baseline=0.0, entropy=0.0):
    policy = torch.distributions.Categorical(logits=logits)
    weight = (ret - baseline).detach()
    return -(policy.log_prob(action) * weight).mean() - entropy * policy.entropy().mean()


def torch_reward_signed_cross_entropy(torch, *, logit, chosen, reward):
    bce = torch.nn.functional.binary_cross_entropy_with_logits
    return (reward * bce(logit, chosen.double(), reduction="none")).mean()


def _error(torch, q_tm1, a_tm1, target, half, huber):
    q = q_tm1.gather(-1, a_tm1[..., None])[..., 0]
    if huber is not None:
        return torch.nn.functional.huber_loss(q, target, delta=float(huber.detach()))
    return torch.nn.functional.mse_loss(q, target) * (0.5 if half else 1.0)


def torch_q_learning(torch, *, q_tm1, a_tm1, r_t, discount_t, q_t, half=False, huber=None):
    target = (r_t + discount_t * q_t.max(-1).values).detach()
    return _error(torch, q_tm1, a_tm1, target, half, huber)


def torch_residual_q_learning(torch, *, q_tm1, a_tm1, r_t, discount_t, q_t, half=False, huber=None):
    return _error(torch, q_tm1, a_tm1, r_t + discount_t * q_t.max(-1).values, half, huber)


def _double_q_learning(
    torch, *, q_tm1, a_tm1, r_t, discount_t, q_t, q_t_selector, half=False, huber=None
):
    best = q_t_selector.argmax(-1, keepdim=True)
    target = (r_t + discount_t * q_t.gather(-1, best)[..., 0]).detach()
    return _error(torch, q_tm1, a_tm1, target, half, huber)
