"""Pendulum by TD3, with NumPy alone: `python examples/td3.py` (`--help` lists its options).

Actor, critics, their targets, losses and gradients are generated/numpy/halfcheetah_td3.py, which
`symgrad generate --all` writes, at Pendulum's sizes. PYTHONPATH can name another folder that holds
the module.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gymnasium
import numpy as np
from learning import Adam, Replay, draw, progress

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import halfcheetah_td3 as m  # found in the folder above

SIZES = {"S": 3, "A": 1, "H": 64}  # numbers in an observation and in an action, hidden units
TORQUE = 2.0  # an action of 1
BATCH, WARM_UP, MEMORY = 128, 1_000, 50_000  # a batch each step, from WARM_UP on
RATE, DISCOUNT, SOFT, NOISE = 1e-3, 0.99, 0.005, 0.1  # SOFT: how far the targets follow
NETWORKS = ("actor", "critic_1", "critic_2")


def train(params: m.Params, steps: int, rng: np.random.Generator) -> list[float]:
    """Learns from `steps` steps of the environment; the return of each episode on the way."""
    env = gymnasium.make("Pendulum-v1")
    obs, _ = env.reset(seed=int(rng.integers(2**31)))
    one, many = m.Workspace(B=1, **SIZES), m.Workspace(B=BATCH, **SIZES)
    adam = {name: Adam(getattr(params, name).flat, RATE) for name in NETWORKS}
    state, number = ((3,), float), ((), float)
    replay = Replay(
        MEMORY, obs=state, action=((1,), float), reward=number, next_obs=state, done=((), bool)
    )
    returns: list[float] = []
    reached = 0.0
    with progress(steps, returns) as show:
        for step in range(1, steps + 1):
            if step <= WARM_UP:
                action = rng.uniform(-1, 1, size=1)
            else:
                best = m.actor_forward(params, obs[None], workspace=one)[0]
                action = np.clip(best + NOISE * rng.normal(size=1), -1, 1)
            next_obs, reward, over, timed_out, _ = env.step(TORQUE * action)
            replay.add(obs=obs, action=action, reward=reward, next_obs=next_obs, done=over)
            obs, reached = next_obs, reached + float(reward)
            if over or timed_out:
                returns.append(reached)
                obs, _ = env.reset()
                reached = 0.0
                show(step)
            if step > WARM_UP:
                batch = replay.draw(BATCH, rng) | {"noise": rng.normal(size=(BATCH, 1))}
                learn(params, batch, adam, many, delayed=step % 2 == 0)
    return returns


def learn(
    params: m.Params,
    batch: dict[str, np.ndarray],
    adam: dict[str, Adam],
    workspace: m.Workspace,
    delayed: bool,
) -> None:
    """Both critics; every other time the actor and, behind them, the targets."""
    _, grads = m.critic_value_and_grad(params, **batch, gamma=DISCOUNT, workspace=workspace)
    adam["critic_1"].step(grads.critic_1.flat)
    adam["critic_2"].step(grads.critic_2.flat)
    if delayed:
        _, grads = m.actor_value_and_grad(params, obs=batch["obs"], workspace=workspace)
        adam["actor"].step(grads.actor.flat)
        for name in NETWORKS:
            online, target = getattr(params, name).flat, getattr(params, f"{name}_target").flat
            target += SOFT * (online - target)


def score(params: m.Params, episodes: int, rng: np.random.Generator) -> float:
    """The mean return of new episodes, without noise."""
    env, one = gymnasium.make("Pendulum-v1"), m.Workspace(B=1, **SIZES)
    total = 0.0
    for _ in range(episodes):
        obs, _ = env.reset(seed=int(rng.integers(2**31)))
        timed_out = False
        while not timed_out:
            action = m.actor_forward(params, obs[None], workspace=one)[0]
            obs, reward, _, timed_out, _ = env.step(TORQUE * action)
            total += float(reward)
    return total / episodes


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=20_000, help="of the environment")
    parser.add_argument("--picture", type=Path, default=Path("td3.png"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    params = m.init(rng, **SIZES)
    draw(train(params, options.steps, rng), options.picture, "Pendulum-v1, TD3", -200, over=10)
    print(f"seed {options.seed}: {score(params, 100, rng):.1f} on average over 100 new episodes")
    print(f"the learning curve is {options.picture}")
