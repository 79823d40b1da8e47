"""What the learning scripts share: Adam, whole episodes, a replay memory, a bar, a picture.

    m = b1 m + (1 - b1) g;  s = b2 s + (1 - b2) g^2;  p -= rate m' / (sqrt(s') + eps)

with m' = m/(1 - b1^t) and s' = s/(1 - b2^t) after t steps (Kingma and Ba 2015, algorithm 1).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import gymnasium
import numpy as np
from matplotlib.figure import Figure
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

RECENT = 100
"""Episodes over which a mean return is taken."""


class Adam:
    """Changes the vector that it is made for, in place."""

    def __init__(self, flat: np.ndarray, rate: float, eps: float = 1e-8) -> None:
        self.flat, self.rate, self.eps, self.steps = flat, rate, eps, 0
        self.mean, self.square = np.zeros_like(flat), np.zeros_like(flat)

    def step(self, grad: np.ndarray) -> None:
        self.steps += 1
        self.mean += 0.1 * (grad - self.mean)
        self.square += 0.001 * (grad**2 - self.square)
        root = np.sqrt(self.square / (1 - 0.999**self.steps)) + self.eps
        self.flat -= self.rate * self.mean / (1 - 0.9**self.steps) / root


def play(
    logits_of: Callable[[np.ndarray], np.ndarray], episodes: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One episode of CartPole each, side by side, actions ~ softmax(logits).

    obs[t, n], action[t, n], and alive[t, n], whether episode n still runs at t.
    """
    poles = gymnasium.make_vec("CartPole-v1", num_envs=episodes)
    obs, _ = poles.reset(seed=int(rng.integers(2**31)))
    alive = np.ones(episodes, dtype=bool)
    steps = []
    while alive.any():
        logits = logits_of(obs)
        action = np.argmax(logits + rng.gumbel(size=logits.shape), axis=1)
        steps.append((obs, action, alive))
        obs, _, fell, timed_out, _ = poles.step(action)
        alive = alive & ~(fell | timed_out)
    poles.close()
    obs, action, alive = (np.stack(arrays) for arrays in zip(*steps, strict=True))
    return obs, action, alive


def advantages(alive: np.ndarray, discount: float) -> np.ndarray:
    """The discounted return from each step on, less its mean over the episodes, over its spread."""
    returns = np.zeros((len(alive) + 1, alive.shape[1]))
    for t in reversed(range(len(alive))):
        returns[t] = alive[t] * (1 + discount * returns[t + 1])  # each step pays 1
    returns = returns[:-1]
    baseline = returns.sum(axis=1) / alive.sum(axis=1)
    advantage = (returns - baseline[:, None])[alive]
    return advantage / (advantage.std() + 1e-8)


class Replay:
    """The last `size` transitions, a row each in arrays by name."""

    def __init__(self, size: int, **arrays: tuple[tuple[int, ...], type]) -> None:
        self.seen, self.size = 0, size
        self.arrays = {n: np.zeros((size, *shape), kind) for n, (shape, kind) in arrays.items()}

    def add(self, **transition: object) -> None:
        for name, value in transition.items():
            self.arrays[name][self.seen % self.size] = value
        self.seen += 1

    def draw(self, count: int, rng: np.random.Generator) -> dict[str, np.ndarray]:
        pick = rng.integers(min(self.seen, self.size), size=count)
        return {name: array[pick] for name, array in self.arrays.items()}


def recent(returns: Sequence[float]) -> float:
    """The mean return of the last episodes."""
    return float(np.mean(returns[-RECENT:])) if returns else float("nan")


@contextmanager
def progress(steps: int, returns: list[float]) -> Iterator[Callable[[int], None]]:
    """A bar of the steps and the recent mean of `returns`, on a terminal; nothing elsewhere."""
    mean = TextColumn("{task.fields[episodes]} episodes, the last 100: {task.fields[mean]:.1f}")
    columns = (BarColumn(), MofNCompleteColumn(), mean, TimeElapsedColumn())
    quiet = not sys.stderr.isatty()
    with Progress(*columns, console=Console(stderr=True), disable=quiet) as bar:
        task = bar.add_task("", total=steps, episodes=0, mean=float("nan"))
        yield lambda done: bar.update(
            task, completed=done, episodes=len(returns), mean=recent(returns)
        )


def draw(returns: Sequence[float], path: Path, title: str, aim: float, over: int = RECENT) -> None:
    """Each episode's return, and the mean over the last ones; a line at what is aimed at."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    axes = figure.add_subplot(xlabel="episode", ylabel="return", title=title)
    axes.plot(returns, ".", color="0.7", label="one episode")
    means = [np.mean(returns[max(0, n - over) : n]) for n in range(1, len(returns) + 1)]
    axes.plot(means, color="tab:blue", linewidth=2, label=f"mean of the last {over}")
    axes.axhline(aim, color="tab:green", linestyle="--", label=f"{aim:g}")
    axes.legend(loc="lower right")
    figure.savefig(path, dpi=120)
