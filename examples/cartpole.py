"""CartPole, learned with NumPy alone: `python examples/cartpole.py` (`--help` lists its options).

The policy and its gradient are generated/numpy/cartpole_reinforce.py, which `symgrad generate
--all` writes. PYTHONPATH can name another folder that holds the module.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from learning import Adam, advantages, draw, play, recent

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import cartpole_reinforce as policy  # found in the folder above

EPISODES, STEP, DISCOUNT = 16, 5e-3, 0.99  # EPISODES: played side by side, one batch


def train(params: policy.Params, batches: int, rng: np.random.Generator) -> list[int]:
    """What each episode reached."""
    workspace, adam = policy.Workspace(B=EPISODES), Adam(params.flat, STEP)
    reached: list[int] = []
    for batch in range(1, batches + 1):
        obs, action, alive = play(
            lambda obs: policy.forward(params, obs, workspace=workspace), EPISODES, rng
        )
        advantage = advantages(alive, DISCOUNT)
        _, grads = policy.value_and_grad(
            params, obs=obs[alive], action=action[alive], advantage=advantage
        )
        adam.step(grads.flat)
        reached += alive.sum(axis=0).tolist()
        if batch % 5 == 0:
            mean = recent(reached)
            bar = "#" * round(mean / 20)
            print(f"{len(reached):5d} episodes, the last 100: {mean:5.1f} {bar}", flush=True)
    return reached


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batches", type=int, default=60, help=f"of {EPISODES} episodes each")
    parser.add_argument("--picture", type=Path, default=Path("cartpole.png"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    params = policy.init(rng)
    draw(train(params, options.batches, rng), options.picture, "CartPole-v1, REINFORCE", 475)
    score = play(lambda obs: policy.forward(params, obs), 100, rng)[2].sum(axis=0).mean()
    print(f"seed {options.seed}: {score:.1f} on average over 100 new episodes")
    print(f"the learning curve is {options.picture}")
