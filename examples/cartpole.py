"""CartPole, learned with NumPy alone: `python examples/cartpole.py` (`--help` lists its options).

The policy and its gradient are generated/numpy/cartpole_reinforce.py, which `symgrad generate
--all` writes. PYTHONPATH can name another folder that holds the module.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gymnasium
import numpy as np
from matplotlib.figure import Figure

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import cartpole_reinforce as policy  # found in the folder above

EPISODES, STEP, DISCOUNT = 16, 5e-3, 0.99  # EPISODES: played side by side, one batch


def play(
    episodes: int, params: policy.Params, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One episode each: obs[t, n], action[t, n], and alive[t, n], whether n still runs at t."""
    poles = gymnasium.make_vec("CartPole-v1", num_envs=episodes)
    workspace = policy.Workspace(B=episodes)
    obs, _ = poles.reset(seed=int(rng.integers(2**31)))
    alive = np.ones(episodes, dtype=bool)
    steps = []
    while alive.any():
        logits = policy.forward(params, obs, workspace=workspace)
        action = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)  # a ~ softmax(logits)
        steps.append((obs, action, alive))
        obs, _, fell, timed_out, _ = poles.step(action)
        alive = alive & ~(fell | timed_out)
    poles.close()
    return tuple(np.stack(arrays) for arrays in zip(*steps, strict=True))


def advantages(alive: np.ndarray) -> np.ndarray:
    """The discounted return from each step on, less its mean over the episodes, over its spread."""
    returns = np.zeros((len(alive) + 1, alive.shape[1]))
    for t in reversed(range(len(alive))):
        returns[t] = alive[t] * (1 + DISCOUNT * returns[t + 1])  # each step pays 1
    returns = returns[:-1]
    baseline = returns.sum(axis=1) / alive.sum(axis=1)
    advantage = (returns - baseline[:, None])[alive]
    return advantage / (advantage.std() + 1e-8)


def train(params: policy.Params, batches: int, rng: np.random.Generator) -> np.ndarray:
    """Adam on the one vector that holds every weight; returns what each episode reached."""
    mean, square = np.zeros_like(params.flat), np.zeros_like(params.flat)
    reached: list[int] = []
    for batch in range(1, batches + 1):
        obs, action, alive = play(EPISODES, params, rng)
        _, grads = policy.value_and_grad(
            params, obs=obs[alive], action=action[alive], advantage=advantages(alive)
        )
        mean += 0.1 * (grads.flat - mean)
        square += 0.001 * (grads.flat**2 - square)
        root = np.sqrt(square / (1 - 0.999**batch)) + 1e-8
        params.flat -= STEP * mean / (1 - 0.9**batch) / root
        reached += alive.sum(axis=0).tolist()
        if batch % 5 == 0:
            recent = np.mean(reached[-100:])
            bar = "#" * round(recent / 20)
            print(f"{len(reached):5d} episodes, the last 100: {recent:5.1f} {bar}", flush=True)
    return np.array(reached)


def draw(reached: np.ndarray, path: Path) -> None:
    """The learning curve: each episode's return, and the mean of the last 100."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="episode", ylabel="return", title="CartPole-v1, REINFORCE")
    axes.plot(reached, ".", color="0.7", label="one episode")
    means = [reached[max(0, n - 100) : n].mean() for n in range(1, len(reached) + 1)]
    axes.plot(means, color="tab:blue", linewidth=2, label="mean of the last 100")
    axes.axhline(475, color="tab:green", linestyle="--", label="475: solved")
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batches", type=int, default=60, help=f"of {EPISODES} episodes each")
    parser.add_argument("--picture", type=Path, default=Path("cartpole.png"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    params = policy.init(rng)
    draw(train(params, options.batches, rng), options.picture)
    score = play(100, params, rng)[2].sum(axis=0).mean()
    print(f"seed {options.seed}: {score:.1f} on average over 100 new episodes")
    print(f"the learning curve is {options.picture}")
