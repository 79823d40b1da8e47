"""CartPole by deep Q-learning, with NumPy alone: `python examples/dqn.py` (`--help`: its options).

The Q-network, its target network and the gradient are generated/numpy/cartpole_dqn.py, which
`symgrad generate --all` writes. PYTHONPATH can name another folder that holds the module.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gymnasium
import numpy as np
from learning import Adam, Replay, draw, progress

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import cartpole_dqn as m  # found in the folder above

BATCH, EVERY, MEMORY, WARM_UP = 128, 4, 50_000, 2_000  # a batch EVERY steps, from WARM_UP on
RATE, DISCOUNT, SOFT = 1e-3, 0.99, 0.01  # SOFT: how far the target follows at each batch
EXPLORE, RANDOM = 0.3, 0.04  # over EXPLORE of all steps, random actions go from all to RANDOM


def greedy(params: m.Params, obs: np.ndarray, workspace: m.Workspace) -> int:
    return int(np.argmax(m.q_forward(params, obs[None], workspace=workspace)))


def train(params: m.Params, steps: int, rng: np.random.Generator) -> list[float]:
    """Learns from `steps` steps of the environment; the return of each episode on the way."""
    pole = gymnasium.make("CartPole-v1")
    obs, _ = pole.reset(seed=int(rng.integers(2**31)))
    one, many = m.Workspace(B=1), m.Workspace(B=BATCH)
    state, number = ((4,), float), ((), float)
    replay = Replay(
        MEMORY, obs=state, action=((), int), reward=number, next_obs=state, done=((), bool)
    )
    adam = Adam(params.q.flat, RATE)
    returns: list[float] = []
    reached = 0.0
    with progress(steps, returns) as show:
        for step in range(1, steps + 1):
            chance = max(RANDOM, 1 - step / (EXPLORE * steps))
            action = int(rng.integers(2)) if rng.random() < chance else greedy(params, obs, one)
            next_obs, reward, fell, timed_out, _ = pole.step(action)
            replay.add(obs=obs, action=action, reward=reward, next_obs=next_obs, done=fell)
            obs, reached = next_obs, reached + float(reward)
            if fell or timed_out:
                returns.append(reached)
                obs, _ = pole.reset()
                reached = 0.0
                show(step)
            if step > WARM_UP and step % EVERY == 0:
                batch = replay.draw(BATCH, rng)
                _, grads = m.value_and_grad(params, **batch, gamma=DISCOUNT, workspace=many)
                adam.rate = RATE * (1 - step / steps)
                adam.step(grads.q.flat)
                params.target.flat += SOFT * (params.q.flat - params.target.flat)
    return returns


def score(params: m.Params, episodes: int, rng: np.random.Generator) -> float:
    """The mean return of new episodes, each action the best by the Q-network."""
    pole, one = gymnasium.make("CartPole-v1"), m.Workspace(B=1)
    total = 0.0
    for _ in range(episodes):
        obs, _ = pole.reset(seed=int(rng.integers(2**31)))
        over = False
        while not over:
            obs, reward, fell, timed_out, _ = pole.step(greedy(params, obs, one))
            total, over = total + float(reward), fell or timed_out
    return total / episodes


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=150_000, help="of the environment")
    parser.add_argument("--picture", type=Path, default=Path("dqn.png"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    params = m.init(rng)
    draw(train(params, options.steps, rng), options.picture, "CartPole-v1, DQN", 475)
    print(f"seed {options.seed}: {score(params, 100, rng):.1f} on average over 100 new episodes")
    print(f"the learning curve is {options.picture}")
