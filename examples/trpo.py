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

import gymnasium
import numpy as np
from matplotlib.figure import Figure

sys.path.append(str(Path(__file__).resolve().parents[1] / "generated" / "numpy"))

import cartpole_trpo as m  # found in the folder above

EPISODES, DISCOUNT = 16, 0.99  # EPISODES: played side by side, one batch
TRUST, DAMPING = 0.02, 0.1  # how far the policy may move: KL(old || new), on average
ITERATIONS, HALVINGS = 10, 10  # of conjugate gradients, and of the line search


def play(
    episodes: int, params: m.Params, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One episode each: obs[t, n], action[t, n], and alive[t, n], whether n still runs at t."""
    poles = gymnasium.make_vec("CartPole-v1", num_envs=episodes)
    workspace = m.Workspace(B=episodes)
    obs, _ = poles.reset(seed=int(rng.integers(2**31)))
    alive = np.ones(episodes, dtype=bool)
    steps = []
    while alive.any():
        logits = m.pi_forward(params, obs, workspace=workspace)
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


def train(params: m.Params, batches: int, rng: np.random.Generator) -> np.ndarray:
    """What each episode reached."""
    reached: list[int] = []
    for batch in range(1, batches + 1):
        obs, action, alive = play(EPISODES, params, rng)
        moved, halved = improve(params, obs[alive], action[alive], advantages(alive))
        reached += alive.sum(axis=0).tolist()
        if batch % 5 == 0:
            recent = np.mean(reached[-100:])
            said = f"{len(reached):5d} episodes, KL {moved:.4f}, halved {halved} times"
            print(f"{said}, the last 100: {recent:5.1f} {'#' * round(recent / 20)}", flush=True)
    return np.array(reached)


def draw(reached: np.ndarray, path: Path) -> None:
    """The learning curve: each episode's return, and the mean of the last 100."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="episode", ylabel="return", title="CartPole-v1, TRPO")
    axes.plot(reached, ".", color="0.7", label="one episode")
    means = [reached[max(0, n - 100) : n].mean() for n in range(1, len(reached) + 1)]
    axes.plot(means, color="tab:blue", linewidth=2, label="mean of the last 100")
    axes.axhline(475, color="tab:green", linestyle="--", label="475: solved")
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--batches", type=int, default=50, help=f"of {EPISODES} episodes each")
    parser.add_argument("--picture", type=Path, default=Path("trpo.png"))
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    params = m.init(rng)
    draw(train(params, options.batches, rng), options.picture)
    score = play(100, params, rng)[2].sum(axis=0).mean()
    print(f"seed {options.seed}: {score:.1f} on average over 100 new episodes")
    print(f"the learning curve is {options.picture}")
