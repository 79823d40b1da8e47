"""CartPole by trust regions (TRPO): `python examples/trpo.py` (`--help` lists its options).

Each batch of episodes makes one step: conjugate gradients solve F x = g with the emitted product
F v, x is made as long as the divergence allows, and a line search halves it until the divergence
itself obeys and the surrogate has improved. The policy, its two losses and F v are
generated/numpy/cartpole_trpo.py, which `symgrad generate --all` writes; PYTHONPATH can name
another folder that holds the module.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from learning import advantages, draw, play, recent

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import cartpole_trpo as m  # found in the folder above

EPISODES, DISCOUNT = 16, 0.99  # EPISODES: played side by side, one batch
TRUST, DAMPING = 0.02, 0.1  # how far the policy may move: KL(old || new), on average
ITERATIONS, HALVINGS = 10, 10  # of conjugate gradients, and of the line search


def conjugate_gradients(
    product: Callable[[np.ndarray], np.ndarray], g: np.ndarray, iterations: int
) -> np.ndarray:
    """x with product(x) = g, as near as so many iterations come (Hestenes and Stiefel 1952)."""
    x, rest = np.zeros_like(g), g.copy()
    along, size = g.copy(), g @ g
    for _ in range(iterations):
        if size < 1e-20:
            break
        image = product(along)
        far = size / (along @ image)
        x += far * along
        rest -= far * image
        size, before = rest @ rest, size
        along = rest + size / before * along
    return x


def improve(
    params: m.Params, obs: np.ndarray, action: np.ndarray, advantage: np.ndarray
) -> tuple[float, int]:
    """One step of the policy: the divergence that it took, and how often it was halved."""
    params.old.flat[:] = params.pi.flat
    batch = {"obs": obs, "action": action, "advantage": advantage}
    before, grads = m.surrogate_value_and_grad(params, **batch)
    if not grads.flat.any():  # every episode reached the same
        return 0.0, 0
    workspace = m.Workspace(B=len(obs))

    def fisher(v: np.ndarray) -> np.ndarray:
        return m.kl_fvp(params, v, obs=obs, damping=DAMPING, workspace=workspace).flat.copy()

    step = conjugate_gradients(fisher, -grads.flat, ITERATIONS)
    step *= np.sqrt(2 * TRUST / (step @ fisher(step)))
    for halved in range(HALVINGS):
        params.pi.flat[:] = params.old.flat + step / 2**halved
        moved = m.kl_value(params, obs=obs)
        if moved <= TRUST and m.surrogate_value(params, **batch) < before:
            return float(moved), halved
    params.pi.flat[:] = params.old.flat  # no step is better than one that does not improve
    return 0.0, HALVINGS


def train(params: m.Params, batches: int, rng: np.random.Generator) -> list[int]:
    """What each episode reached."""
    reached: list[int] = []
    for batch in range(1, batches + 1):
        obs, action, alive = play(lambda obs: m.pi_forward(params, obs), EPISODES, rng)
        advantage = advantages(alive, DISCOUNT)
        moved, halved = improve(params, obs[alive], action[alive], advantage)
        reached += alive.sum(axis=0).tolist()
        if batch % 5 == 0:
            mean = recent(reached)
            said = f"{len(reached):5d} episodes, KL {moved:.4f}, halved {halved} times"
            print(f"{said}, the last 100: {mean:5.1f} {'#' * round(mean / 20)}", flush=True)
    return reached


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batches", type=int, default=50, help=f"of {EPISODES} episodes each")
    parser.add_argument("--picture", type=Path, default=Path("trpo.png"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    params = m.init(rng)
    draw(train(params, options.batches, rng), options.picture, "CartPole-v1, TRPO", 475)
    score = play(lambda obs: m.pi_forward(params, obs), 100, rng)[2].sum(axis=0).mean()
    print(f"seed {options.seed}: {score:.1f} on average over 100 new episodes")
    print(f"the learning curve is {options.picture}")
