"""G_t = r_t + discount_t G_{t+1}: the data that RL losses take, in plain NumPy, not differentiated.

A step leaves the state of v_tm1, earns r_t and arrives at the state of v_t; the entries of r_t,
v_tm1, v_t, terminated and truncated at one place are of one step. Time is `axis`, by default the
first, as in (T, B); all other axes are batch.

    terminated   the episode is over: nothing follows, v_t is not read
    truncated    a time limit cut it: v_t counts, what the arrays hold next does not. Here v_t is
                 the value of the state that was cut off (Gymnasium's final_obs), not of the one
                 that the reset gave
    the last     of the arrays bootstraps from v_t too, unless it is terminated

A step that is both is terminated. Each flag is bool, or False where no step has it. `discount` and
`lambda_` are numbers in [0, 1], or an array of r_t's shape. Rewards and values have one unit.

What comes back is new, of the widest float type of the arrays that came: float32 gives float32.
A shape that does not match is a ValueError, since nothing is broadcast; a wrong dtype a TypeError.
"""

from __future__ import annotations

import operator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

Array = NDArray[Any]


def gae(
    r_t: ArrayLike,
    v_tm1: ArrayLike,
    v_t: ArrayLike,
    *,
    terminated: ArrayLike,
    truncated: ArrayLike,
    discount: ArrayLike,
    lambda_: ArrayLike,
    axis: int = 0,
) -> Array:
    """A_t = delta_t + discount lambda (1 - ends_t) A_{t+1}, the generalised advantage estimate.

    delta_t = r_t + discount (1 - terminated_t) v_t - v_tm1; ends_t is terminated_t or truncated_t.
    lambda_=0 is the TD error, lambda_=1 the discounted sum less v_tm1. A + v_tm1 is what the critic
    learns: lambda_returns, where inside an episode each v_t is the next step's v_tm1.

    Shapes: r_t, v_tm1, v_t, terminated, truncated and A are the same. From values of T+1 states
    v_tm1 is v[:-1], and v_t a copy of v[1:] with the cut states' values put at truncated.
    Errors: shapes that differ; discount or lambda_ outside [0, 1].
    Source: Schulman et al. 2016, equation 16. Stable-Baselines3 adds discount v_t to r_t where
    truncated, and ends there: the same. CleanRL's PPO takes a truncation for a termination.
    """
    (r, v_before, v_next), gamma, ends = _transitions(
        axis, terminated, truncated, discount, r_t=r_t, v_tm1=v_tm1, v_t=v_t
    )
    weight = gamma * _unit("lambda_", lambda_, r, axis)
    return np.moveaxis(_backward(r + gamma * v_next - v_before, weight, ends), 0, axis)


def lambda_returns(
    r_t: ArrayLike,
    v_t: ArrayLike,
    *,
    terminated: ArrayLike,
    truncated: ArrayLike,
    discount: ArrayLike,
    lambda_: ArrayLike,
    axis: int = 0,
) -> Array:
    """G_t = r_t + discount (1 - terminated_t) ((1 - lambda) v_t + lambda G_{t+1}).

    lambda counts as 0 where truncated and at the last step. What v_t is makes the kind of return,
    with q_t the action values at the state arrived at and a_t the action taken there:

        V              v_t
        SARSA          action_values(q_t, a_t)
        expected SARSA expected_values(q_t, probs_t)
        Q (Peng)       q_t.max(axis=-1)
        Q (Watkins)    the same, with lambda_ * (a_t == q_t.argmax(axis=-1)) for lambda_
        double Q       action_values(q_target, q_online.argmax(axis=-1))

    Shapes: r_t, v_t, terminated, truncated and G are the same.
    Errors: shapes that differ; discount or lambda_ outside [0, 1].
    Source: Sutton and Barto 2018, equations 12.18 (V), 12.19 (SARSA), 12.20 (expected SARSA) and
    section 12.10 (Watkins); Peng and Williams 1996. RLax writes 1 - terminated into discount_t.
    """
    (r, v_next), gamma, ends = _transitions(axis, terminated, truncated, discount, r_t=r_t, v_t=v_t)
    mix = np.where(ends, 0, _unit("lambda_", lambda_, r, axis))
    mix[-1:] = 0
    back = _backward(r + gamma * (1 - mix) * v_next, gamma * mix, ends)
    return np.moveaxis(back, 0, axis)


def n_step_returns(
    r_t: ArrayLike,
    v_t: ArrayLike,
    *,
    n: int,
    terminated: ArrayLike,
    truncated: ArrayLike,
    discount: ArrayLike,
    axis: int = 0,
) -> Array:
    """G_t = r_t + discount r_{t+1} + ... + discount^n v_{t+n-1}: n rewards, and what then follows.

    Where the episode or the arrays end sooner, so does the sum: with v_t, or with 0 where
    terminated. n=1 is the TD target; n >= T is Monte Carlo, lambda_returns with lambda_=1. For
    SARSA, expected SARSA and Q, v_t is what lambda_returns says.

    Shapes: r_t, v_t, terminated, truncated and G are the same.
    Errors: shapes that differ; discount outside [0, 1]; n below 1.
    Source: Sutton and Barto 2018, equations 7.1 (V), 7.4 (SARSA) and 7.7 (expected SARSA).
    """
    n = _count("n", n)
    (r, v_next), gamma, ends = _transitions(axis, terminated, truncated, discount, r_t=r_t, v_t=v_t)
    back = r + gamma * v_next
    for _ in range(min(n, len(r)) - 1):  # each sweep looks one step further
        further = np.where(ends[:-1], v_next[:-1], back[1:])
        back[:-1] = r[:-1] + gamma[:-1] * further
    return np.moveaxis(back, 0, axis)


def discounted_sums(
    x_t: ArrayLike, *, ends: ArrayLike, discount: ArrayLike, axis: int = 0
) -> Array:
    """G_t = x_t + discount (1 - ends_t) G_{t+1}: sums from each step to its episode's end.

    No value follows the last step: REINFORCE's return of whole episodes, ends = terminated |
    truncated. Where a truncation or the last step should bootstrap, take lambda_returns with
    lambda_=1.

    Shapes: x_t, ends and G are the same.
    Errors: shapes that differ; discount outside [0, 1].
    Source: Sutton and Barto 2018, equation 3.9.
    """
    (x,) = _steps(axis, x_t=x_t)
    over = _flags("ends", ends, x, axis)
    return np.moveaxis(_backward(x, _unit("discount", discount, x, axis), over), 0, axis)


def action_values(q_t: ArrayLike, a_t: ArrayLike) -> Array:
    """q_t[..., a_t]: the value of the action taken, SARSA's v_t.

    Shapes: q_t (..., A), a_t (...) of integers below A; where terminated, any of them.
    Errors: shapes that do not fit; an action that there is not.
    Source: Sutton and Barto 2018, equation 6.7.
    """
    (q,) = _floats(q_t=q_t)
    a = np.asarray(a_t)
    if a.dtype.kind not in "iu":
        raise TypeError(f"a_t has dtype {a.dtype}; expected integers")
    _fits("a_t", a.shape, q.shape[:-1], "q_t without its last axis")
    if a.size and not 0 <= a.min() <= a.max() < q.shape[-1]:
        raise ValueError(
            f"a_t has values from {a.min()} to {a.max()}; expected 0 to {q.shape[-1] - 1}"
        )
    return np.take_along_axis(q, a[..., None], axis=-1)[..., 0]


def expected_values(q_t: ArrayLike, probs_t: ArrayLike) -> Array:
    """sum over a of probs_t[..., a] q_t[..., a]: the policy's mean, expected SARSA's v_t.

    Shapes: q_t and probs_t (..., A); the result is (...).
    Errors: shapes that differ; probabilities below 0, or whose sum is not 1 to 1e-3.
    Source: Sutton and Barto 2018, equation 7.8.
    """
    q, probs = _floats(q_t=q_t, probs_t=probs_t)
    _fits("probs_t", probs.shape, q.shape, "q_t")
    _are_probabilities(probs)
    expected: Array = np.sum(q * probs, axis=-1)
    return expected


def normalise_advantages(
    advantages: ArrayLike,
    *,
    mask: ArrayLike | None = None,
    ddof: int = 1,
    eps: float = 1e-8,
) -> Array:
    """(A - mean A)/(std A + eps), std with n - ddof in its denominator, over all entries.

    Shapes: advantages any; mask the same, bool: what is False there does not count and becomes 0.
    Errors: no more than ddof entries, so that one entry with ddof=1 is refused.
    Source: the code of PPO. CleanRL and Stable-Baselines3 have ddof=1, PyTorch's std; NumPy's
    own std, as in Spinning Up, is ddof=0.
    """
    (adv,) = _floats(advantages=advantages)
    kept = np.ones(adv.shape, bool) if mask is None else np.asarray(mask)
    if kept.dtype != bool:
        raise TypeError(f"mask has dtype {kept.dtype}; expected bool")
    _fits("mask", kept.shape, adv.shape, "advantages")
    some = adv[kept]
    if ddof < 0 or some.size <= ddof:
        raise ValueError(f"advantages has {some.size} entries; expected more than ddof={ddof}")
    return np.where(kept, (adv - some.mean()) / (some.std(ddof=ddof) + eps), 0)


def c51_projection(
    r_t: ArrayLike,
    probs_t: ArrayLike,
    atoms: ArrayLike,
    *,
    terminated: ArrayLike,
    discount: ArrayLike,
) -> Array:
    """m_i = sum over j of max(0, 1 - abs(clip(z_j) - atoms_i)/step) probs_tj: C51's target.

    z_j = r_t + discount (1 - terminated) atoms_j, clipped to the support; each z_j's mass goes to
    the two atoms around it, all of it to one where z_j is that atom. (Algorithm 1 as printed
    loses the mass there: both of its weights are 0.) A truncation bootstraps, so it has no place
    here; with n-step rewards, discount is discount^n.

    Shapes: r_t and terminated (...), probs_t and m (..., N), atoms (N,) in r_t's unit.
    Errors: shapes that do not fit; atoms that are not evenly spaced and rising; probabilities below
    0, or whose sum is not 1 to 1e-3, as of logits; discount outside [0, 1].
    Source: Bellemare, Dabney and Munos 2017, equation 7 and algorithm 1.
    """
    r, probs, z = _floats(r_t=r_t, probs_t=probs_t, atoms=atoms)
    _are_evenly_spaced(z)
    _fits("probs_t", probs.shape, (*r.shape, z.size), "r_t with the atoms' axis")
    _are_probabilities(probs)
    over = _flags("terminated", terminated, r, 0)
    gamma = np.where(over, 0, _unit("discount", discount, r, 0))
    target = np.clip(r[..., None] + gamma[..., None] * z, z[0], z[-1])
    # Found among the atoms themselves: an index computed as (target - z[0])/step is inexact.
    low = np.clip(np.searchsorted(z, target, side="right") - 1, 0, z.size - 2)
    high = (target - z[low]) / (z[low + 1] - z[low])
    place = low + np.arange(r.size).reshape(*r.shape, 1) * z.size
    size = probs.size
    below = np.bincount(place.ravel(), ((1 - high) * probs).ravel(), size)
    above = np.bincount(place.ravel() + 1, (high * probs).ravel(), size)
    return (below + above).reshape(probs.shape).astype(probs.dtype)


def quantile_midpoints(n: int, dtype: DTypeLike = np.float64) -> Array:
    """tau_i = (2 i + 1)/(2 n) for i = 0 ... n-1: the quantiles that QR-DQN's n outputs stand for.

    Shapes: (n,), in (0, 1).
    Errors: n below 1.
    Source: Dabney et al. 2018, lemma 2; their tau-hat.
    """
    n = _count("n", n)
    return ((2 * np.arange(n) + 1) / (2 * n)).astype(dtype)


def _backward(x: Array, weight: Array, ends: Array) -> Array:
    """y_t = x_t + weight_t (1 - ends_t) y_{t+1}; a selection, so that no nan gets past an end."""
    y = x.copy()
    for t in range(len(x) - 2, -1, -1):
        y[t] += weight[t] * np.where(ends[t], 0, y[t + 1])
    return y


def _transitions(
    axis: int, terminated: ArrayLike, truncated: ArrayLike, discount: ArrayLike, **series: ArrayLike
) -> tuple[list[Array], Array, Array]:
    """The series with time first, v_t 0 where terminated; the discount; where episodes end."""
    steps = _steps(axis, **series)
    over = _flags("terminated", terminated, steps[0], axis)
    steps[-1] = np.where(over, 0, steps[-1])  # v_t stands last
    gamma = _unit("discount", discount, steps[0], axis)
    return steps, gamma, over | _flags("truncated", truncated, steps[0], axis)


def _steps(axis: int, **series: ArrayLike) -> list[Array]:
    """The series, of one shape and one float type, with time first."""
    arrays = _floats(**series)
    (first, *names), shape = series, arrays[0].shape
    if not -len(shape) <= axis < len(shape):
        raise ValueError(f"{first} has shape {shape}; expected time as axis {axis}")
    for name, array in zip(names, arrays[1:], strict=True):
        _fits(name, array.shape, shape, first)
    return [np.moveaxis(array, axis, 0) for array in arrays]


def _floats(**given: ArrayLike) -> list[Array]:
    """The arrays in the widest float type among them, float64 where there is none."""
    arrays = {name: np.asarray(value) for name, value in given.items()}
    for name, array in arrays.items():
        if array.dtype.kind not in "iuf":
            raise TypeError(f"{name} has dtype {array.dtype}; expected real numbers")
    types = [array.dtype for array in arrays.values() if array.dtype.kind == "f"]
    dtype = np.result_type(*types) if types else np.dtype(np.float64)
    return [array.astype(dtype, copy=False) for array in arrays.values()]


def _flags(name: str, value: ArrayLike, first: Array, axis: int) -> Array:
    """A bool for each entry of `first`, which has time first, or False for all of them."""
    array = np.asarray(value)
    if array.dtype != bool:
        raise TypeError(f"{name} has dtype {array.dtype}; expected bool")
    shape = np.moveaxis(first, 0, axis).shape if first.ndim else ()
    if array.ndim == 0 and not array:
        array = np.zeros(shape, bool)
    _fits(name, array.shape, shape, "the rewards; or False")
    return np.moveaxis(array, axis, 0) if shape else array


def _unit(name: str, value: ArrayLike, first: Array, axis: int) -> Array:
    """A number in [0, 1] for each entry of `first`, which has time first, in its float type."""
    (array,) = _floats(**{name: value})
    if not np.all((array >= 0) & (array <= 1)):
        raise ValueError(f"{name} has values from {array.min()} to {array.max()}; expected 0 to 1")
    array = array.astype(first.dtype, copy=False)
    if array.ndim == 0:
        return np.broadcast_to(array, first.shape)
    shape = np.moveaxis(first, 0, axis).shape
    _fits(name, array.shape, shape, "the rewards; or a number")
    return np.moveaxis(array, axis, 0)


def _fits(name: str, came: tuple[int, ...], expected: tuple[int, ...], whose: str) -> None:
    if came != expected:
        raise ValueError(f"{name} has shape {came}; expected {expected}, that of {whose}")


def _count(name: str, value: int) -> int:
    if operator.index(value) < 1:
        raise ValueError(f"{name} is {value}; expected 1 or more")
    return operator.index(value)


def _are_probabilities(probs: Array) -> None:
    total = probs.sum(axis=-1)
    if not (np.all(probs >= 0) and np.all(np.abs(total - 1) <= 1e-3)):
        raise ValueError(
            f"probs_t has values from {probs.min()} and sums from {total.min()} to {total.max()};"
            " expected probabilities: a softmax of the logits"
        )


def _are_evenly_spaced(z: Array) -> None:
    """Up to what rounding the atoms themselves makes of their distances."""
    if z.ndim != 1 or z.size < 2:
        raise ValueError(f"atoms has shape {z.shape}; expected (N,) with N at least 2")
    steps, step = np.diff(z), (z[-1] - z[0]) / (z.size - 1)
    slack = 4 * np.finfo(z.dtype).eps * np.abs(z[[0, -1]]).max()
    if not (step > slack and np.all(np.abs(steps - step) <= slack)):
        raise ValueError(
            f"atoms has steps from {steps.min()} to {steps.max()}; expected evenly spaced, rising"
            " ones: np.linspace(v_min, v_max, N)"
        )
