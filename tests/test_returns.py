"""symgrad.returns: held against loops that are the definitions, identities, and others' numbers."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import symgrad
from symgrad import returns

Data = dict[str, Any]
Column = dict[str, list[Any]]

# ---- the definitions, forward from each step, in loops over one environment -----------------------


def ends_at(c: Column, k: int) -> int:
    """The last step of the episode that step k belongs to, or of the arrays."""
    return next(
        (j for j in range(k, len(c["r_t"])) if c["terminated"][j] or c["truncated"][j]),
        len(c["r_t"]) - 1,
    )


def by_definition_n_step(c: Column, k: int, n: int) -> float:
    """n rewards, or those that there are; then the value of where one got to, if one got there."""
    last = min(k + n - 1, ends_at(c, k))
    total, weight = 0.0, 1.0
    for j in range(k, last + 1):
        total += weight * c["r_t"][j]
        weight *= c["discount"][j]
    return total if c["terminated"][last] else total + weight * c["v_t"][last]


def by_definition_lambda(c: Column, k: int) -> float:
    """The mean of all n-step returns, weighted (1 - lambda) lambda^(n-1); the longest takes the rest."""
    total, rest = 0.0, 1.0
    longest = ends_at(c, k) - k + 1
    for n in range(1, longest):
        total += rest * (1 - c["lambda_"][k + n - 1]) * by_definition_n_step(c, k, n)
        rest *= c["lambda_"][k + n - 1]
    return total + rest * by_definition_n_step(c, k, longest)


def by_definition_gae(c: Column, k: int) -> float:
    """The sum of TD errors, weighted (discount lambda)^l, to the episode's end."""
    total, weight = 0.0, 1.0
    for j in range(k, ends_at(c, k) + 1):
        follows = 0.0 if c["terminated"][j] else c["discount"][j] * c["v_t"][j]
        total += weight * (c["r_t"][j] + follows - c["v_tm1"][j])
        weight *= c["discount"][j] * c["lambda_"][j]
    return total


def by_definition_sum(c: Column, k: int) -> float:
    total, weight = 0.0, 1.0
    for j in range(k, ends_at(c, k) + 1):
        total += weight * c["r_t"][j]
        weight *= c["discount"][j]
    return total


def flags(d: Data) -> Data:
    return {name: d[name] for name in ("terminated", "truncated", "discount", "axis")}


def gae(d: Data) -> Any:
    return returns.gae(d["r_t"], d["v_tm1"], d["v_t"], lambda_=d["lambda_"], **flags(d))


def lambda_returns(d: Data) -> Any:
    return returns.lambda_returns(d["r_t"], d["v_t"], lambda_=d["lambda_"], **flags(d))


def n_step(n: int) -> Callable[[Data], Any]:
    return lambda d: returns.n_step_returns(d["r_t"], d["v_t"], n=n, **flags(d))


def discounted_sums(d: Data) -> Any:
    ends = d["terminated"] | d["truncated"]
    return returns.discounted_sums(d["r_t"], ends=ends, discount=d["discount"], axis=d["axis"])


HELPERS: dict[str, tuple[Callable[[Data], Any], Callable[[Column, int], float]]] = {
    "gae": (gae, by_definition_gae),
    "lambda_returns": (lambda_returns, by_definition_lambda),
    "n_step_returns, n=1": (n_step(1), lambda c, k: by_definition_n_step(c, k, 1)),
    "n_step_returns, n=3": (n_step(3), lambda c, k: by_definition_n_step(c, k, 3)),
    "n_step_returns, n=99": (n_step(99), lambda c, k: by_definition_n_step(c, k, 99)),
    "discounted_sums": (discounted_sums, by_definition_sum),
}  # fmt: skip

SHAPES = [((7,), 0), ((1,), 0), ((6, 3), 0), ((3, 6), 1), ((3, 6), -1), ((2, 5, 3), 1), ((1, 2), 0), ((4, 0), 0), ((0, 2), 0)]  # fmt: skip


def rollout(seed: int, shape: tuple[int, ...] = (9, 4), axis: int = 0, dtype: type = np.float64) -> Data:  # fmt: skip
    """Steps of several episodes, some of which end at their first step, or twice over."""
    rng = np.random.default_rng(seed)
    real = {name: rng.normal(size=shape).astype(dtype) for name in ("r_t", "v_tm1", "v_t")}
    flag = {name: rng.random(shape) < 0.25 for name in ("terminated", "truncated")}
    unit = {name: rng.choice([0, 0.5, 0.9, 1], shape).astype(dtype) for name in ("discount", "lambda_")}  # fmt: skip
    return {**real, **flag, **unit, "axis": axis}


def column_by_column(d: Data, definition: Callable[[Column, int], float]) -> Any:
    """The definition for each step of each environment."""
    series = {name: np.moveaxis(x, d["axis"], 0) for name, x in d.items() if name != "axis"}
    found = np.zeros(series["r_t"].shape)
    for place in np.ndindex(found.shape[1:]):
        column = {name: x[(slice(None), *place)].tolist() for name, x in series.items()}
        for k in range(len(found)):
            found[(k, *place)] = definition(column, k)
    return np.moveaxis(found, 0, d["axis"])


@pytest.mark.parametrize(("shape", "axis"), SHAPES, ids=str)
@pytest.mark.parametrize("name", HELPERS)
def test_a_helper_is_its_definition(name: str, shape: tuple[int, ...], axis: int) -> None:
    call, definition = HELPERS[name]
    for seed in range(5):
        d = rollout(seed, shape, axis)
        np.testing.assert_allclose(call(d), column_by_column(d, definition), rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", HELPERS)
def test_float32_gives_float32_and_what_came_is_not_modified(name: str) -> None:
    call, _ = HELPERS[name]
    narrow = rollout(1, dtype=np.float32)
    kept = {key: np.copy(value) for key, value in narrow.items()}
    for value in narrow.values():
        if isinstance(value, np.ndarray):
            value.setflags(write=False)
    found = call(narrow)
    assert found.dtype == np.float32
    assert not any(np.shares_memory(found, value) for value in narrow.values())
    assert all(np.array_equal(kept[key], narrow[key]) for key in kept)
    wide = {k: v.astype(float) if v.dtype == np.float32 else v for k, v in kept.items() if k != "axis"}  # fmt: skip
    np.testing.assert_allclose(found, call({**wide, "axis": 0}), rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    ("rewards", "values", "wanted"),
    [("f4", "f4", "f4"), ("f4", "f8", "f8"), ("f8", "f4", "f8"), ("i8", "f4", "f4"), ("i8", "i8", "f8")],
)  # fmt: skip
def test_the_widest_float_type_of_rewards_and_values_counts(rewards: str, values: str, wanted: str) -> None:  # fmt: skip
    """Whole numbers take the others' type; a discount and a lambda never change it."""
    d = rollout(11)
    r_t, v_t = d["r_t"].astype(rewards), d["v_t"].astype(values)
    for unit in (0.9, np.float64(0.9), np.full(r_t.shape, 0.9)):
        on = {**NEVER, "discount": unit}
        assert returns.gae(r_t, v_t, v_t, lambda_=unit, **on).dtype == wanted
        assert returns.lambda_returns(r_t, v_t, lambda_=unit, **on).dtype == wanted
        assert returns.n_step_returns(r_t, v_t, n=2, **on).dtype == wanted


@pytest.mark.parametrize("name", HELPERS)
def test_a_number_stands_for_an_array_and_false_for_no_step(name: str) -> None:
    d = {**rollout(2), "discount": 0.9, "lambda_": 0.8}
    none = np.zeros_like(d["terminated"])
    full = {"discount": np.full(none.shape, 0.9), "lambda_": np.full(none.shape, 0.8)}
    call, _ = HELPERS[name]
    assert np.array_equal(call(d), call({**d, **full}))
    assert np.array_equal(call({**d, "truncated": False}), call({**d, "truncated": none}))


@pytest.mark.parametrize("name", HELPERS)
def test_nothing_gets_past_the_end_of_an_episode(name: str) -> None:
    """Neither the next episode's numbers, nor a value after a termination: nan and inf are planted."""
    call, _ = HELPERS[name]
    d = rollout(3)
    d["terminated"][3], d["truncated"][3] = [True, False, True, False], [False, True, True, True]
    spoiled = {key: np.copy(value) for key, value in d.items()} | {"axis": 0}
    spoiled["v_t"][d["terminated"]] = np.inf
    for key in ("r_t", "v_tm1", "v_t"):
        spoiled[key][4:] = np.nan
    spoiled["r_t"][4] = np.inf
    assert np.array_equal(call(d)[:4], call(spoiled)[:4])


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 6), st.integers(1, 6), st.sampled_from(["terminated", "truncated"]))  # fmt: skip
def test_episodes_one_after_the_other_are_as_each_by_itself(seed: int, first: int, second: int, how: str) -> None:  # fmt: skip
    both = rollout(seed, (first + second, 2))
    both[how][first - 1] = True
    parts = [
        {k: v if k == "axis" else v[piece] for k, v in both.items()}
        for piece in (slice(None, first), slice(first, None))
    ]
    for call, _ in HELPERS.values():
        assert np.array_equal(call(both), np.concatenate([call(part) for part in parts]))


def one_value_each(d: Data) -> Data:
    """With v_t the next step's v_tm1 inside an episode, as a critic gives it."""
    inside = ~(d["terminated"] | d["truncated"])[:-1]
    v_t = np.append(np.where(inside, d["v_tm1"][1:], d["v_t"][:-1]), d["v_t"][-1:], axis=0)
    return {**d, "v_t": v_t}


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 8), st.floats(0, 1), st.floats(0, 1))
def test_the_known_identities_hold(seed: int, steps: int, discount: float, lambda_: float) -> None:
    d = one_value_each(rollout(seed, (steps, 2))) | {"discount": discount, "lambda_": lambda_}
    zero, one = {**d, "lambda_": 0}, {**d, "lambda_": 1}
    follows = np.where(d["terminated"], 0, discount * d["v_t"])
    no_values = {**d, "v_t": 0 * d["v_t"]}
    for left, right in (
        (gae(zero), d["r_t"] + follows - d["v_tm1"]),
        (gae(one), n_step(steps)(d) - d["v_tm1"]),
        (gae(d) + d["v_tm1"], lambda_returns(d)),
        (lambda_returns(zero), n_step(1)(d)),
        (lambda_returns(one), n_step(steps + 3)(d)),
        (n_step(steps)(no_values), discounted_sums(d)),
    ):
        np.testing.assert_allclose(left, right, rtol=1e-10, atol=1e-12)


def test_the_conventions_of_others_are_told_apart_at_a_truncation() -> None:
    """Stable-Baselines3 pays discount v_t and ends; CleanRL's PPO ends, as at a termination."""
    d = rollout(4) | {"discount": 0.9, "lambda_": 0.8}
    over, cut = d["terminated"], d["truncated"] & ~d["terminated"]
    assert cut.any()
    done = {**d, "terminated": over | cut, "truncated": False}
    paid = {**done, "r_t": d["r_t"] + np.where(cut, 0.9 * d["v_t"], 0)}
    np.testing.assert_allclose(gae(d), gae(paid), rtol=1e-12, atol=1e-14)
    assert (gae(done) != gae(d))[cut].all()


# ---- numbers that others published -----------------------------------------------------------------

R = [[1.0, 0.0, -1.0, 0.0, 1.0], [0.5, 0.8, -0.7, 0.0, 2.1]]
G = [[0.5, 0.9, 1.0, 0.5, 0.8], [0.9, 0.5, 0.3, 0.8, 0.7]]
V = [[3.0, 1.0, 5.0, -5.0, 3.0], [-1.7, 1.2, 2.3, 2.2, 2.7]]
R3 = [[-1.3, -1.3, 2.3], [1.3, 5.3, -3.3]]
G3 = [[0.0, 0.89, 0.85], [0.88, 1.0, 0.83]]
Q_TM1 = [[1.1, 1.1, 3.1], [3.1, -1.1, -2.1]]
Q_T = [[[1.2, 2.2], [-1.2, 0.2], [2.2, -1.2]], [[4.2, 2.2], [1.2, 1.2], [-1.2, -2.2]]]
A_T = [[1, 0, 1], [1, 1, 0]]
R_GAE = [[0.0, 0.0, 1.0, 0.0, -0.5], [0.0, 0.0, 0.0, 0.0, 1.0]]
V_GAE = [[1.0, 4.0, -3.0, -2.0, -1.0, -1.0], [-3.0, -2.0, -1.0, 0.0, 5.0, -1.0]]
G_GAE = [[0.99] * 5, [0.9, 0.9, 0.9, 0.0, 0.9]]
NEVER: Data = {"terminated": False, "truncated": False}
ALONG: Data = {**NEVER, "axis": 1}


def rlax_gae(lambda_: float) -> Any:
    v = np.array(V_GAE)
    return returns.gae(R_GAE, v[:, :-1], v[:, 1:], discount=G_GAE, lambda_=lambda_, **ALONG)


def rlax_td(v_tm1: Any, v_t: Any) -> Any:
    return returns.lambda_returns(R3, v_t, discount=G3, lambda_=0.75, **ALONG) - v_tm1


def anyrl_gae(r: list[float], v: list[float], v_end: float, terminated: bool) -> Any:
    over = np.arange(len(r)) == len(r) - 1
    return returns.gae(
        r, v, [*v[1:], v_end], terminated=over & terminated, truncated=False, discount=0.9, lambda_=0.7
    )  # fmt: skip


PUBLISHED = [
    # who, what                                   here                                                                     there                                                                                       their digits
    ("rlax lambda_returns",     lambda: returns.lambda_returns(R, V, discount=G, lambda_=0.75, **ALONG),  [[1.6460547, 0.72281253, 0.7375001, 0.6500001, 3.4], [0.7866317, 0.9913063, 0.1101501, 2.834, 3.99]], 1e-6),
    ("rlax discounted_returns", lambda: returns.lambda_returns(R, V, discount=G, lambda_=1, **ALONG),     [[1.315, 0.63, 0.7, 1.7, 3.4], [1.33592, 0.9288, 0.2576, 3.192, 3.99]],                              1e-6),
    ("rlax n_step, n=3",        lambda: returns.n_step_returns(R, V, discount=G, n=3, **ALONG),           [[2.8, -3.15, 0.7, 1.7, 3.4], [1.2155, 0.714, 0.2576, 3.192, 3.99]],                                 1e-6),
    ("rlax n_step, n=5",        lambda: returns.n_step_returns(R, V, discount=G, n=5, **ALONG),           [[1.315, 0.63, 0.7, 1.7, 3.4], [1.33592, 0.9288, 0.2576, 3.192, 3.99]],                              1e-6),
    ("rlax n_step, n=7",        lambda: returns.n_step_returns(R, V, discount=G, n=7, **ALONG),           [[1.315, 0.63, 0.7, 1.7, 3.4], [1.33592, 0.9288, 0.2576, 3.192, 3.99]],                              1e-6),
    ("rlax gae, 1",             lambda: rlax_gae(1),                                                      [[-1.45118, -4.4557, 2.5396, 0.5249, -0.49], [3, 2, 1, 0, -4.9]],                                    2e-4),
    ("rlax gae, 0.7",           lambda: rlax_gae(0.7),                                                    [[-0.676979, -5.248167, 2.4846, 0.6704, -0.49], [2.2899, 1.73, 1, 0, -4.9]],                         2e-4),
    ("rlax gae, 0.4",           lambda: rlax_gae(0.4),                                                    [[0.56731, -6.042, 2.3431, 0.815, -0.49], [1.725, 1.46, 1, 0, -4.9]],                                1e-3),
    ("rlax td_lambda",          lambda: rlax_td([[1.1, -1.1, 3.1], [2.1, -1.1, -2.1]], [[-1.1, 3.1, 2.2], [-1.1, -2.1, -1.2]]), [[-2.4, 3.2732253, 1.0700002], [-0.01701999, 2.6529999, -2.196]],             1e-6),
    ("rlax sarsa_lambda",       lambda: rlax_td(Q_TM1, returns.action_values(Q_T, A_T)),                  [[-2.4, -1.8126001, -1.8200002], [0.25347996, 3.4780002, -2.196]],                                   1e-6),
    ("rlax q_lambda",           lambda: rlax_td(Q_TM1, np.max(Q_T, axis=-1)),                             [[-2.4, 0.427975, 1.07], [0.69348, 3.478, -2.196]],                                                  1e-6),
    ("rlax sarsa",              lambda: returns.action_values([[0, 1, 0], [3, 2, 0]], [1, 0]),            [1, 3],                                                                                              0),
    ("rlax expected_sarsa",     lambda: returns.expected_values([[1.5, 1, 2], [3, 2, 1]], [[0.2, 0.5, 0.3], [0.3, 0.4, 0.3]]), [1.4, 2],                                                                      1e-15),
    ("anyrl gae, terminated",   lambda: anyrl_gae([0, -1.5, 2], [1, 0.5, 3], np.nan, True),               [-0.5059, 0.07, -1],                                                                                 5e-5),
    ("anyrl gae, cut",          lambda: anyrl_gae([1, 9], [3, 2], -7, False),                             [0.241, 0.7],                                                                                        5e-5),
]  # fmt: skip
"""rlax/_src/multistep_test.py and value_learning_test.py, where td_lambda, sarsa_lambda and q_lambda
are returns less v_tm1; and the test of anyrl-py's GAE."""


@pytest.mark.parametrize(("who", "here", "there", "digits"), PUBLISHED, ids=[row[0] for row in PUBLISHED])  # fmt: skip
def test_the_numbers_that_others_published_come_out(who: str, here: Any, there: Any, digits: float) -> None:  # fmt: skip
    found = here()
    assert found.shape == np.shape(there)
    np.testing.assert_allclose(found, there, rtol=0, atol=digits)


def test_watkins_q_lambda_stops_at_an_action_that_was_not_greedy() -> None:
    """Where a_t is not the best, the return takes max q_t whole, whatever was earned after it."""
    rng = np.random.default_rng(5)
    q_t, a_t, r_t = rng.normal(size=(6, 3, 2)), rng.integers(2, size=(6, 3)), rng.normal(size=(6, 3))  # fmt: skip
    greedy = a_t == q_t.argmax(axis=-1)
    assert 0 < greedy[:-1].sum() < greedy[:-1].size
    found = returns.lambda_returns(r_t, q_t.max(axis=-1), discount=0.9, lambda_=0.8 * greedy, **NEVER)  # fmt: skip
    one = r_t + 0.9 * q_t.max(axis=-1)
    assert np.array_equal(found[~greedy], one[~greedy])
    assert (found != one)[:-1][greedy[:-1]].all()


# ---- C51 and QR-DQN --------------------------------------------------------------------------------


def by_definition_projection(r: float, p: Any, z: Any, terminated: bool, discount: float) -> Any:
    """Equation 7 of Bellemare et al. 2017, a hat function around each atom."""
    m = [0.0] * len(z)
    step = (z[-1] - z[0]) / (len(z) - 1)
    for j in range(len(z)):
        target = min(max(r + (0 if terminated else discount * z[j]), z[0]), z[-1])
        for i in range(len(z)):
            m[i] += max(0.0, 1 - abs(target - z[i]) / step) * p[j]
    return m


def probabilities(rng: np.random.Generator, *shape: int) -> Any:
    return rng.dirichlet(np.ones(shape[-1]), size=shape[:-1])


SUPPORTS = [(-10, 10, 51), (0, 1, 2), (-1, 1, 3), (0, 200, 21), (-10, 10, 512), (0.1, 0.3, 3)]


@pytest.mark.parametrize("support", SUPPORTS, ids=str)
def test_the_projection_is_its_definition_and_keeps_mass(support: tuple[float, float, int]) -> None:
    rng = np.random.default_rng(6)
    z = np.linspace(*support)
    width = z[-1] - z[0]
    r, over = rng.normal(scale=width, size=(4, 3)), rng.random((4, 3)) < 0.3
    r[0] = 0
    p, discount = probabilities(rng, 4, 3, z.size), rng.choice([0, 0.5, 0.99, 1], (4, 3))
    found = returns.c51_projection(r, p, z, terminated=over, discount=discount)
    assert found.min() >= 0
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-13)
    for at in np.ndindex(r.shape):
        wanted = by_definition_projection(r[at], p[at], z, over[at], discount[at])
        np.testing.assert_allclose(found[at], wanted, rtol=1e-11, atol=1e-13)
    again = [returns.c51_projection(r[at], p[at], z, terminated=over[at], discount=discount[at]) for at in np.ndindex(r.shape)]  # fmt: skip
    assert np.array_equal(found, np.reshape(again, found.shape))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("support", SUPPORTS, ids=str)
def test_what_hits_an_atom_goes_there_whole(support: tuple[float, float, int], dtype: type) -> None:
    z = np.linspace(*support, dtype=dtype)
    p = probabilities(np.random.default_rng(7), 5, z.size).astype(dtype)
    still = returns.c51_projection(np.zeros(5, dtype), p, z, terminated=False, discount=1)
    assert still.dtype == dtype
    assert np.array_equal(still, p)


@pytest.mark.parametrize("support", SUPPORTS, ids=str)
def test_after_a_termination_all_mass_is_at_the_reward(support: tuple[float, float, int]) -> None:
    z = np.linspace(*support)
    certain, beyond = np.eye(z.size), np.full(z.size, np.abs(z).max() + 1)
    for r, atom in ((z, np.arange(z.size)), (beyond, -1), (-beyond, 0), (np.inf * beyond, -1)):
        found = returns.c51_projection(
            r, certain[::-1], z, terminated=np.full(z.size, True), discount=0.99
        )
        assert np.array_equal(found, certain[np.broadcast_to(atom, z.size)])


@settings(max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(2, 60), st.floats(-1e6, 1e6), st.floats(0, 1), st.booleans())  # fmt: skip
def test_the_projection_keeps_mass_and_the_clipped_targets_mean(seed: int, n: int, r: float, discount: float, over: bool) -> None:  # fmt: skip
    z = np.linspace(-10, 20, n)
    p = probabilities(np.random.default_rng(seed), n)
    found = returns.c51_projection(r, p, z, terminated=over, discount=discount)
    clipped = np.clip(r + (0 if over else discount) * z, -10, 20)
    np.testing.assert_allclose([found.sum(), found @ z], [1, p @ clipped], rtol=1e-10, atol=1e-11)
    assert found.min() >= 0


def test_the_projection_gives_rlax_s_categorical_td_losses() -> None:
    """CategoricalTDLearningTest of value_learning_test.py; its discount of 0 also as a termination."""

    def log_softmax(x: Any) -> Any:
        return x - np.log(np.exp(x).sum(axis=-1, keepdims=True))

    logits_tm1 = np.array([[0, 9, 0], [9, 0, 9], [0, 9, 0], [9, 9, 0], [9, 0, 9]])
    logits_t = np.array([[0, 0, 9], [1, 1, 1], [0, 0, 9], [1, 1, 1], [0, 9, 9]])
    r_t, discount = [0.5, 0, 0.5, 0.8, -0.1], np.array([0.8, 1, 0.8, 0, 1])
    expected = [8.998915, 3.6932087, 8.998915, 0.69320893, 5.1929307]
    p = np.exp(log_softmax(logits_t))
    ended = discount == 0
    for over, here in ((False, discount), (ended, np.where(ended, 1, discount))):
        m = returns.c51_projection(r_t, p, [0.5, 1, 1.5], terminated=over, discount=here)
        np.testing.assert_allclose(-(m * log_softmax(logits_tm1)).sum(axis=-1), expected, rtol=1e-6)


@pytest.mark.parametrize(("n", "wanted"), [(1, [0.5]), (2, [0.25, 0.75]), (5, [0.1, 0.3, 0.5, 0.7, 0.9])])  # fmt: skip
def test_quantile_midpoints_are_in_the_middle_of_n_equal_parts(n: int, wanted: list[float]) -> None:
    found = returns.quantile_midpoints(n)
    np.testing.assert_allclose(found, wanted, rtol=1e-15)
    assert found.dtype == np.float64
    assert returns.quantile_midpoints(n, np.float32).dtype == np.float32


# ---- advantages ------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ddof", [0, 1])
def test_normalised_advantages_are_those_over_their_spread(ddof: int, dtype: type) -> None:
    adv = np.random.default_rng(9).normal(3, 2, (5, 4)).astype(dtype)
    kept = adv.copy()
    mean = math.fsum(adv.flat) / 20
    std = math.sqrt(math.fsum((a - mean) ** 2 for a in adv.ravel().tolist()) / (20 - ddof))
    found = returns.normalise_advantages(adv, ddof=ddof)
    assert found.dtype == dtype
    assert np.array_equal(adv, kept)
    np.testing.assert_allclose(found, (adv - mean) / (std + 1e-8), rtol=0, atol=20 * np.finfo(dtype).eps)  # fmt: skip


def test_torch_s_std_is_the_default(torch: Any) -> None:
    adv = np.random.default_rng(10).normal(size=12)
    a = torch.tensor(adv)
    np.testing.assert_allclose(returns.normalise_advantages(adv), ((a - a.mean()) / (a.std() + 1e-8)).numpy(), rtol=1e-12)  # fmt: skip


def test_masked_advantages_neither_count_nor_stay() -> None:
    adv = np.array([1.0, np.nan, 3.0, np.inf, 8.0])
    mask = np.array([True, False, True, False, True])
    found = returns.normalise_advantages(adv, mask=mask)
    assert np.array_equal(found[mask], returns.normalise_advantages(adv[mask]))
    assert np.array_equal(found[~mask], [0, 0])


def test_equal_advantages_become_zeros() -> None:
    assert np.array_equal(returns.normalise_advantages(np.full(4, 2.5)), np.zeros(4))


# ---- what is refused -------------------------------------------------------------------------------

T3, P3, Z3 = np.zeros(3), np.full((3, 2), 0.5), [0.0, 1.0]
ON: Data = {**NEVER, "discount": 0.9}
REFUSED = [
    # call,                                                                              error,      what is said
    (lambda: returns.gae(T3, np.zeros((3, 1)), T3, lambda_=1, **ON),                      ValueError, r"v_tm1 has shape \(3, 1\); expected \(3,\), that of r_t"),
    (lambda: returns.gae(T3, T3, np.zeros(4), lambda_=1, **ON),                           ValueError, r"v_t has shape \(4,\); expected \(3,\)"),
    (lambda: returns.gae(T3, T3, 0.0, lambda_=1, **ON),                                   ValueError, r"v_t has shape \(\); expected \(3,\)"),
    (lambda: returns.gae(T3, T3, T3, lambda_=1.01, **ON),                                 ValueError, "lambda_ has values from 1.01 to 1.01; expected 0 to 1"),
    (lambda: returns.gae(T3, T3, T3, lambda_=[1, 1, np.nan], **ON),                       ValueError, "lambda_ has values from nan to nan; expected 0 to 1"),
    (lambda: returns.gae(T3, T3, T3, lambda_=np.ones(1), **ON),                           ValueError, r"lambda_ has shape \(1,\); expected \(3,\), that of the rewards; or a number"),
    (lambda: returns.gae(T3, T3, T3, lambda_=1, **{**ON, "discount": -0.1}),              ValueError, "discount has values from -0.1 to -0.1; expected 0 to 1"),
    (lambda: returns.gae(T3, T3, T3, lambda_=1, **{**ON, "terminated": np.zeros(3)}),     TypeError,  "terminated has dtype float64; expected bool"),
    (lambda: returns.gae(T3, T3, T3, lambda_=1, **{**ON, "truncated": True}),             ValueError, r"truncated has shape \(\); expected \(3,\), that of the rewards; or False"),
    (lambda: returns.gae(T3, T3, T3, lambda_=1, **{**ON, "truncated": [True]}),           ValueError, r"truncated has shape \(1,\); expected \(3,\)"),
    (lambda: returns.gae(T3 > 0, T3, T3, lambda_=1, **ON),                                TypeError,  "r_t has dtype bool; expected real numbers"),
    (lambda: returns.gae(T3 + 1j, T3, T3, lambda_=1, **ON),                               TypeError,  "r_t has dtype complex128; expected real numbers"),
    (lambda: returns.gae(T3, T3, T3, lambda_=1, axis=1, **ON),                            ValueError, r"r_t has shape \(3,\); expected time as axis 1"),
    (lambda: returns.gae(0.0, 0.0, 0.0, lambda_=1, **ON),                                 ValueError, r"r_t has shape \(\); expected time as axis 0"),
    (lambda: returns.gae(T3, T3, T3, discount=0.9, lambda_=1, terminated=False),          TypeError,  "truncated"),
    (lambda: returns.lambda_returns(T3, np.zeros((3, 2)), lambda_=1, **ON),               ValueError, r"v_t has shape \(3, 2\); expected \(3,\), that of r_t"),
    (lambda: returns.n_step_returns(T3, T3, n=0, **ON),                                   ValueError, "n is 0; expected 1 or more"),
    (lambda: returns.n_step_returns(T3, T3, n=1.5, **ON),                                 TypeError,  "float"),
    (lambda: returns.discounted_sums(T3, ends=[False], discount=0.9),                     ValueError, r"ends has shape \(1,\); expected \(3,\)"),
    (lambda: returns.action_values(P3, [0, 1]),                                           ValueError, r"a_t has shape \(2,\); expected \(3,\), that of q_t without its last axis"),
    (lambda: returns.action_values(P3, [0, 1, 2]),                                        ValueError, "a_t has values from 0 to 2; expected 0 to 1"),
    (lambda: returns.action_values(P3, [0, 1, -1]),                                       ValueError, "a_t has values from -1 to 1; expected 0 to 1"),
    (lambda: returns.action_values(P3, [0.0, 1.0, 1.0]),                                  TypeError,  "a_t has dtype float64; expected integers"),
    (lambda: returns.expected_values(P3, P3[0]),                                          ValueError, r"probs_t has shape \(2,\); expected \(3, 2\), that of q_t"),
    (lambda: returns.expected_values(P3, P3 * 3),                                         ValueError, "probs_t has values from 1.5 and sums from 3.0 to 3.0; expected probabilities"),
    (lambda: returns.normalise_advantages([1.0]),                                         ValueError, "advantages has 1 entries; expected more than ddof=1"),
    (lambda: returns.normalise_advantages([]),                                            ValueError, "advantages has 0 entries"),
    (lambda: returns.normalise_advantages(T3, mask=np.array([True, False, False])),       ValueError, "advantages has 1 entries; expected more than ddof=1"),
    (lambda: returns.normalise_advantages(T3, mask=np.ones((3, 1), bool)),                ValueError, r"mask has shape \(3, 1\); expected \(3,\), that of advantages"),
    (lambda: returns.normalise_advantages(T3, mask=np.ones(3)),                           TypeError,  "mask has dtype float64; expected bool"),
    (lambda: returns.normalise_advantages(T3, ddof=-1),                                   ValueError, "ddof=-1"),
    (lambda: returns.c51_projection(T3, P3, [0, 1, 3], terminated=False, discount=1),     ValueError, "atoms has steps from 1.0 to 2.0; expected evenly spaced, rising"),
    (lambda: returns.c51_projection(T3, P3, [1, 0], terminated=False, discount=1),        ValueError, "atoms has steps from -1.0 to -1.0; expected evenly spaced, rising"),
    (lambda: returns.c51_projection(T3, P3, [1, 1], terminated=False, discount=1),        ValueError, "atoms has steps from 0.0 to 0.0"),
    (lambda: returns.c51_projection(T3, P3, [1], terminated=False, discount=1),           ValueError, r"atoms has shape \(1,\); expected \(N,\) with N at least 2"),
    (lambda: returns.c51_projection(T3, P3[:1], Z3, terminated=False, discount=1),        ValueError, r"probs_t has shape \(1, 2\); expected \(3, 2\)"),
    (lambda: returns.c51_projection(T3, P3 - 0.5, Z3, terminated=False, discount=1),      ValueError, "probs_t has values from 0.0 and sums from 0.0 to 0.0"),
    (lambda: returns.c51_projection(T3, P3 + np.array([1, -1]), Z3, terminated=False, discount=1),  ValueError, "probs_t has values from -0.5"),
    (lambda: returns.c51_projection(T3, P3, Z3, terminated=[False], discount=1),          ValueError, r"terminated has shape \(1,\); expected \(3,\)"),
    (lambda: returns.c51_projection(T3, P3, Z3, terminated=False, discount=[1]),          ValueError, r"discount has shape \(1,\); expected \(3,\)"),
    (lambda: returns.quantile_midpoints(0),                                               ValueError, "n is 0; expected 1 or more"),
]  # fmt: skip


@pytest.mark.parametrize(("call", "error", "said"), REFUSED, ids=[row[2][:50] for row in REFUSED])
def test_what_does_not_fit_is_refused(call: Callable[[], Any], error: type, said: str) -> None:
    with pytest.raises(error, match=said):
        call()


def test_the_helpers_come_without_sympy() -> None:
    source = "import sys, symgrad as sg; sg.returns.gae; print('sympy' in sys.modules, sorted(m for m in sys.modules if m.startswith('symgrad.')))"
    result = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, "PYTHONPATH": str(Path(symgrad.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "False ['symgrad.returns', 'symgrad.version']\n"
