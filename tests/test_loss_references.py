"""The named losses at published points: what the tests of other libraries say that the loss is there.

RLax     google-deepmind/rlax, rlax/_src/*_test.py       TRFL   google-deepmind/trfl, trfl/*_test.py
Optax    google-deepmind/optax, optax/losses/*_test.py   torchtune   pytorch/torchtune, tests/torchtune/rlhf
sb3-contrib   Stable-Baselines-Team/stable-baselines3-contrib, tests/test_utils.py
the one-bias lesson   a video on policy gradients: the spec one_bias
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from emitted import imported
from test_losses import Variant, emitted

from symgrad import returns
from symgrad.catalog.losses import LOSSES
from symgrad.pipeline import generate
from symgrad.spec import parse_spec


@dataclass(frozen=True)
class Reference:
    """A published case.

    values:   arguments and options; the first axis counts cases, the second is the batch.
    single:   options that are one number for all.
    expected: the loss of each case; a case is a mean over its batch, or the sum with `sum`.
    grads:    of the same, by some of the arguments.
    within:   what the published digits hold, most of them of float32.
    """

    name: str
    source: str
    values: Mapping[str, Any]
    expected: Any
    single: Mapping[str, float] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    grads: Mapping[str, Any] = field(default_factory=dict)
    within: float = 1e-6

    def __str__(self) -> str:
        return f"{self.name}, {self.source}"


def each(**values: Any) -> dict[str, np.ndarray]:
    """Every place is a case of its own."""
    return {name: np.asarray(v)[:, None] for name, v in values.items()}


def cases(**values: Any) -> dict[str, np.ndarray]:
    return {name: np.asarray(v) for name, v in values.items()}


def softmax(x: Any) -> np.ndarray:
    e = np.exp(np.asarray(x, float))
    return e / e.sum(-1, keepdims=True)


def log_prob(logits: Any, actions: Any) -> np.ndarray:
    return np.log(np.take_along_axis(softmax(logits), np.asarray(actions)[..., None], -1)[..., 0])


THREE = np.array([[1.0, 1, 1], [2, 0, 0], [-1, -2, -3]])
OLD = np.array([[1.0, 1, 1], [2, 0, 0], [-3, -2, -1]])
GAINS = np.array([[0.3, 0.2, 0.1], [-0.3, -0.2, -0.1]])
WEIGHTS = np.array([[-2.0, 2, 0], [-3, 1, -1]])
PLACES = np.array([[0, 1, 2], [0, 1, 2]])
PAIR = {"a_tm1": [0, 1], "r_t": [1.0, 1], "discount_t": [0.0, 1]}

ATOMS = np.array([0.5, 1, 1.5])
ATOM_LOGITS = np.array([
    [[1, 1, 1], [0, 9, 9], [0, 9, 0], [0, 0, 0]], [[9, 9, 0], [9, 0, 9], [0, 0, 0], [9, -9, 0]], [[1, 1, 1], [0, 9, 9], [0, 0, 0], [0, 9, 0]],
    [[9, 9, 0], [9, 0, 9], [0, 0, 0], [9, -9, 0]], [[9, 9, 0], [9, 0, 9], [0, 0, 0], [9, -9, 0]],
])  # fmt: skip
NEXT_LOGITS = np.array([
    [[1, 1, 1], [9, 0, 9], [1, 0, 0], [0, 0, 9]], [[9, 9, 0], [9, 0, 0], [1, 1, 1], [9, -9, 0]], [[1, 1, 1], [9, 0, 9], [0, 0, 9], [1, 0, 0]],
    [[9, 9, 0], [9, 0, 0], [1, 1, 1], [9, -9, 0]], [[9, 9, 0], [9, 0, 0], [0, 9, 9], [9, -9, 0]],
])  # fmt: skip
FAR = [[0.0, 1], [1, 2], [0, 2], [1, 1], [0, -1000], [0, 1000]]

RETURNS_LESS_VALUES = 0.4 + 0.9 * 0.58 - 0.2, 0.5 + 0.8 * 0.1 - 0.3
LSE = np.log(2 + np.e)
TRFL_A2C = (
    RETURNS_LESS_VALUES[0] * LSE
    + RETURNS_LESS_VALUES[1] * (LSE - 1)
    + 0.15 * np.square(RETURNS_LESS_VALUES).sum() / 2
    - 0.25 * 2 * 0.97533
)
"""As that test adds it up: the policy's loss, half the squared errors, two entropies of 0.97533."""


def atoms_target() -> np.ndarray:
    """C51's target in RLax's case: the projection of the best action's distribution."""
    probs = softmax(NEXT_LOGITS)
    best = np.argmax(probs @ ATOMS, -1)
    chosen = np.take_along_axis(probs, best[:, None, None], 1)[:, 0]
    rewards, discounts = np.array([0.5, 0, 0.5, 0.8, -0.1]), np.array([0.8, 1, 0.8, 0, 1])
    return returns.c51_projection(rewards, chosen, ATOMS, terminated=False, discount=discounts)


# fmt: off
ROWS = (
    Reference("squared_error", "Optax, _regression_test", each(q=[-2.0, -1, 0.5, 1], y=[-1.5, 0.0, -1, 1]), [0.25, 1, 2.25, 0]),
    Reference("squared_error", "Optax, _regression_test, l2_loss", each(q=[-2.0, -1, 0.5, 1], y=[-1.5, 0.0, -1, 1]), [0.125, 0.5, 1.125, 0], flags=("half",)),
    Reference("huber", "Optax, _regression_test", each(q=[-2.0, 0.5, 0, 0.5, 2, 4, 132], y=[0.0, -0.5, 0, 1, 1, 2, 0.3]), [1.5, 0.5, 0, 0.125, 0.5, 1.5, 131.2]),
    Reference("softmax_cross_entropy", "Optax, _classification_test", each(logits=[[10.0, 1, -2], [1, 4, 0.2]], label=[1, 0]), [9.00013, 3.0696733], within=1e-5),
    Reference("binary_cross_entropy", "Optax, _classification_test",
              cases(logit=[[-1e9, -1e-9], [-1e9, -1e-9], [1e9, 1e-9], [1e9, -1e-9], [0, 0]], target=[[1.0, 0], [0, 1], [1, 0], [0, 1], [1, 0]]),
              [5e8, 0.3465736, 0.3465736, 5e8, 0.6931472]),
    Reference("reinforce", "RLax, policy_gradients_test", cases(logits=[THREE, THREE + 1], action=[[0, 1, 2], [0, 0, 0]], ret=GAINS, weight=WEIGHTS), [0.0788835088, 0.327200909]),
    Reference("reinforce", "TRFL, discrete_policy_gradient_ops_test", each(logits=[[0.0, 1], [0, 1], [1, 1], [0, 100]], action=[0, 0, 1, 1], ret=[0.0, 1, 2, 1]),
              [0, 1.313262, 1.386294, 0], grads={"logits": [[0, 0], [-0.731, 0.731], [1, -1], [0, 0]]}, within=1e-4),
    Reference("entropy_bonus", "RLax, policy_gradients_test", cases(logits=[THREE, THREE + 1], weight=WEIGHTS), [0.288693, 1.15422], within=1e-5),
    Reference("entropy_bonus", "TRFL, discrete_policy_gradient_ops_test", each(logits=FAR), [-0.58220309, -0.58220309, -0.36533386, -0.69314718, 0, 0],
              grads={"logits": [[-0.1966119, 0.1966119], [-0.1966119, 0.1966119], [-0.2099872, 0.2099872], [0, 0], [0, 0], [0, 0]]}),
    Reference("a2c", "TRFL, discrete_policy_gradient_ops_test", cases(logits=[[[0.0, 0, 1], [0, 1, 0]]], action=[[0, 1]], ret=[[0.922, 0.58]], v=[[0.2, 0.3]]),
              [TRFL_A2C], single={"critic": 0.15 / 2, "entropy": 0.25}, flags=("sum",), within=1e-5),
    Reference("reward_signed_cross_entropy", "the one-bias lesson", each(logit=[0, -0.5], chosen=[False, True], reward=[1.0, -1]),
              [np.log(2), np.log(0.3775407)], grads={"logit": [0.5, 0.6224593]}),
    Reference("td_learning", "RLax, value_learning_test", each(v_tm1=np.ones(9), r_t=-np.ones(9), discount_t=[0, 0.5, 1] * 3, v_t=[0.0, 0, 0, 1, 1, 1, 2, 2, 2]),
              np.square([-2, -2, -2, -2, -1.5, -1, -2, -1, 0]) / 2),
    Reference("sarsa", "RLax, value_learning_test", each(q_tm1=[[1.0, 1, 0], [1, 1, 0]], q_t=[[0.0, 1, 0], [3, 2, 0]], a_t=[1, 0], **PAIR), np.square([0, 3]) / 2),
    Reference("expected_sarsa", "RLax, value_learning_test",
              each(q_tm1=[[1, 1, 0.5], [1, 1, 3]], a_tm1=[0, 1], r_t=[4.0, 1], discount_t=[1.0, 1], q_t=[[1.5, 1, 2], [3, 2, 1]], probs_t=[[0.2, 0.5, 0.3], [0.3, 0.4, 0.3]]),
              np.square([4.4, 2]) / 2),
    Reference("q_learning", "RLax, value_learning_test", each(q_tm1=[[1.0, 1, 0], [1, 2, 0]], q_t=[[0.0, 1, 0], [1, 2, 0]], **PAIR), np.square([0, 1])),
    Reference("double_q_learning", "RLax, value_learning_test",
              each(q_tm1=[[1.0, 1, 0], [1, 2, 0]], q_t=[[99.0, 1, 98], [91, 2, 66]], q_t_selector=[[2.0, 10, 1], [11, 20, 1]], **PAIR), np.square([0, 1])),
    Reference("c51", "RLax, value_learning_test", each(logits=1.0 * ATOM_LOGITS, a_tm1=[2, 1, 3, 0, 1], target=atoms_target()),
              [8.998915, 3.6932087, 8.998915, 0.69320893, 5.1929307]),
    Reference("quantile_huber", "RLax, value_learning_test",
              each(theta=[[-1.0, 3], [-1, 3]], tau=[[0.2, 0.7], [0, 0.4]], target=[[-3.0, 4, 2], [-3, 4, 2]]), [2.5, 8.5 / 3], single={"kappa": 2.0}),
    Reference("quantile_huber", "sb3-contrib", each(theta=np.zeros((1, 10)), tau=[returns.quantile_midpoints(10)], target=np.ones((1, 10))), [2.5]),
    Reference("ppo_clip", "RLax, policy_gradients_test",
              cases(logp=log_prob([THREE] * 2, PLACES), logp_old=log_prob([OLD] * 2, PLACES), advantage=GAINS), [-0.17117467, 0.19333333], single={"eps": 0.2}, within=1e-5),
    Reference("ppo_clip", "torchtune, test_ppo_loss", cases(logp=[[1.5, 1.8, 2.2]], logp_old=[[0.5, 0.8, 1.2]], advantage=np.ones((1, 3))), [-1.2]),
    Reference("dpo", "torchtune, test_dpo_loss", each(logp_w=[-0.5, -10, -1], logp_l=[-0.1, -30, -21], ref_w=[-0.5, -10.1, -0.1], ref_l=[-0.1, -20.1, -0.1]),
              np.log1p(np.exp([0.0, -1, -2]))),
)
# fmt: on


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_loss_is_what_others_publish(row: Reference) -> None:
    options = {*row.values, *row.single} - {*Variant(LOSSES[row.name], frozenset()).kinds}
    module = emitted(Variant(LOSSES[row.name], frozenset({*options, *row.flags})))
    assert len(row.expected) > 0
    for n, expected in enumerate(row.expected):
        values = {name: v[n] for name, v in row.values.items()}
        value, grads = module({**values, **row.single})
        assert value == pytest.approx(expected, rel=row.within, abs=row.within)
        for name, wanted in row.grads.items():
            np.testing.assert_allclose(grads[name][0], wanted[n], atol=row.within)


def test_class_weights_of_all_the_batch_are_pytorchs_before_it_divides(torch: Any) -> None:
    """cross_entropy's sum is ours; its mean is that divided by the weights of the labels."""
    call = "softmax_cross_entropy(z, y, smoothing=0.1, class_weight=w, sum=true)"
    text = f'wrt = ["z"]\nequations = "loss = {call}"\n[sizes]\nB = "batch"\n[data]\n'
    text += 'z = "real[B, 3]"\ny = "int[B] < 3"\nw = "real[3]"\n'
    module = imported(generate(parse_spec(text, "m")), "m")
    rng = np.random.default_rng(8)
    values = {"z": rng.normal(size=(6, 3)), "y": rng.integers(0, 3, 6), "w": rng.random(3)}
    came, grads = module.value_and_grad(**values)
    z, y, w = (torch.as_tensor(v) for v in values.values())
    z.requires_grad_()
    loss = torch.nn.functional.cross_entropy(z, y, w, label_smoothing=0.1, reduction="sum")
    loss.backward()
    assert came == pytest.approx(loss.item(), rel=1e-13)
    np.testing.assert_allclose(grads.z, z.grad.numpy(), rtol=1e-12, atol=1e-15)
