"""CartPole by proximal policy optimisation, with NumPy alone: `python examples/ppo.py`.

Actor, critic, loss and gradient are generated/numpy/cartpole_ppo.py, which `symgrad generate
--all` writes. PYTHONPATH can name another folder that holds the module.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gymnasium
import numpy as np
from learning import Adam, draw, progress

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import cartpole_ppo as m  # found in the folder above

POLES, LENGTH = 8, 128  # steps of each pole between updates
EPOCHS, BATCH, RATE, LONGEST = 4, 256, 1e-3, 0.5  # LONGEST: to which a gradient is clipped
DISCOUNT, LAMBDA, ENTROPY = 0.99, 0.95, 0.01


def log_softmax(logits: np.ndarray) -> np.ndarray:
    shifted = logits - logits.max(axis=-1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True))


def gae(reward: np.ndarray, v: np.ndarray, fell: np.ndarray, timed_out: np.ndarray) -> np.ndarray:
    """A_t = delta_t + DISCOUNT LAMBDA A_{t+1} up to an end; past a time limit v still counts."""
    advantage = np.zeros_like(v)
    for t in reversed(range(len(reward))):
        delta = reward[t] + DISCOUNT * v[t + 1] * ~fell[t] - v[t]
        advantage[t] = delta + DISCOUNT * LAMBDA * advantage[t + 1] * ~(fell[t] | timed_out[t])
    return advantage[:-1]


class Poles:
    """Poles side by side. After an end, a pole takes one step that only resets it."""

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self.env = gymnasium.make_vec("CartPole-v1", num_envs=count)
        self.obs, _ = self.env.reset(seed=int(rng.integers(2**31)))
        self.over, self.reached = np.zeros(count, dtype=bool), np.zeros(count)
        self.workspace = m.Workspace(B=count)
        self.returns: list[float] = []

    def play(
        self, params: m.Params, length: int, rng: np.random.Generator
    ) -> dict[str, np.ndarray]:
        """Actions ~ softmax(logits): arrays [length, pole] of a minibatch's arguments, flattened.

        Steps that only reset are left out.
        """
        steps = []
        for _ in range(length):
            logp = log_softmax(m.actor_forward(params, self.obs, workspace=self.workspace))
            action = np.argmax(logp + rng.gumbel(size=logp.shape), axis=1)
            obs, reward, fell, timed_out, _ = self.env.step(action)
            chosen = np.take_along_axis(logp, action[:, None], axis=1)[:, 0]
            steps.append((self.obs, action, chosen, reward, fell, timed_out, ~self.over))
            self.reached += reward
            self.obs, self.over = obs, fell | timed_out
            self.returns += self.reached[self.over].tolist()
            self.reached[self.over] = 0.0
        seen, action, logp_old, reward, fell, timed_out, real = map(
            np.stack, zip(*steps, strict=True)
        )
        states = np.concatenate([seen, self.obs[None]])
        v = m.critic_forward(params, states.reshape(-1, 4)).reshape(length + 1, -1)
        advantage = gae(reward, v, fell, timed_out)
        arrays = {"obs": seen, "action": action, "logp_old": logp_old, "v_old": v[:-1]}
        arrays |= {"advantage": advantage, "ret": advantage + v[:-1]}
        return {name: array[real] for name, array in arrays.items()}


def train(params: m.Params, steps: int, rng: np.random.Generator) -> list[float]:
    """Learns from `steps` steps of the environment; the return of each episode on the way."""
    poles, adam = Poles(POLES, rng), Adam(params.flat, RATE, eps=1e-5)
    workspace = m.Workspace(B=BATCH)
    with progress(steps, poles.returns) as show:
        for done in range(0, steps, POLES * LENGTH):
            left = 1 - done / steps  # the rate and the entropy bonus go to 0 together
            adam.rate = RATE * left
            data = poles.play(params, LENGTH, rng)
            for _ in range(EPOCHS):
                order = rng.permutation(len(data["action"]))
                for start in range(0, len(order) - BATCH + 1, BATCH):
                    batch = {name: a[order[start : start + BATCH]] for name, a in data.items()}
                    mine = batch["advantage"]
                    batch["advantage"] = (mine - mine.mean()) / (mine.std(ddof=1) + 1e-8)
                    batch["entropy_weight"] = ENTROPY * left
                    _, grads = m.value_and_grad(params, **batch, workspace=workspace)
                    length = np.linalg.norm(grads.flat)
                    adam.step(grads.flat * min(1.0, LONGEST / length))
            show(done)
    return poles.returns


def score(params: m.Params, episodes: int, rng: np.random.Generator) -> float:
    """The mean return of the first new episode of each of so many poles."""
    poles = Poles(episodes, rng)
    running, total = np.ones(episodes, dtype=bool), 0
    while running.any():
        logits = m.actor_forward(params, poles.obs, workspace=poles.workspace)
        action = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
        poles.obs, _, fell, timed_out, _ = poles.env.step(action)
        total += running.sum()
        running &= ~(fell | timed_out)
    return total / episodes


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=250_000, help="of the environment")
    parser.add_argument("--picture", type=Path, default=Path("ppo.png"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    params = m.init(rng)
    draw(train(params, options.steps, rng), options.picture, "CartPole-v1, PPO", 475)
    print(f"seed {options.seed}: {score(params, 100, rng):.1f} on average over 100 new episodes")
    print(f"the learning curve is {options.picture}")
