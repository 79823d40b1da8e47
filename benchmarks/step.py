"""Time of one loss and gradient, beside JAX: `python -m benchmarks.step` (extra `bench`).

The policy of cartpole_reinforce, 4-64-64-2, in float32: the generated module with and without a
workspace, and JAX's compiled `value_and_grad` of the same loss. Both have to agree first.
"""

from __future__ import annotations

import importlib
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from rich.console import Console
from rich.table import Table

import symgrad as sg

NAME = "cartpole_reinforce"
BATCHES = (1, 32, 512)
WEIGHTS = ("W1", "c1", "W2", "c2", "W3", "c3")


def generated(folder: Path) -> ModuleType:
    """The module, written anew and imported."""
    (folder / f"{NAME}.py").write_text(sg.generate(NAME), encoding="utf-8")
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(NAME)
    finally:
        sys.path.pop(0)


def loss(weights: Mapping[str, Any], obs: Any, action: Any, advantage: Any) -> Any:
    """-mean log pi(action) advantage, as one writes it for JAX."""
    h1 = jnp.tanh(obs @ weights["W1"].T + weights["c1"])
    h2 = jnp.tanh(h1 @ weights["W2"].T + weights["c2"])
    logp = jax.nn.log_softmax(h2 @ weights["W3"].T + weights["c3"])
    return -jnp.mean(logp[jnp.arange(len(action)), action] * advantage)


def microseconds(run: Callable[[], object]) -> float:
    """The median of many calls, the first ones left out."""
    taken = []
    for _ in range(1100):
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken[100:]) * 1e6


def row(m: ModuleType, batch: int) -> tuple[float, float, float]:
    """Microseconds with a workspace, without, and of JAX."""
    rng = np.random.default_rng(0)
    params = m.init(rng, dtype=np.float32)
    data = {
        "obs": rng.normal(size=(batch, 4)).astype(np.float32),
        "action": rng.integers(2, size=batch),
        "advantage": rng.normal(size=batch).astype(np.float32),
    }
    weights = {name: jnp.asarray(getattr(params, name)) for name in WEIGHTS}
    compiled = jax.jit(jax.value_and_grad(loss))
    inputs = [jnp.asarray(array) for array in data.values()]
    _, grads = m.value_and_grad(params, **data)
    _, expected = compiled(weights, *inputs)
    for name in WEIGHTS:
        np.testing.assert_allclose(getattr(grads, name), expected[name], atol=1e-6)
    workspace = m.Workspace(B=batch)
    return (
        microseconds(lambda: m.value_and_grad(params, **data, workspace=workspace)),
        microseconds(lambda: m.value_and_grad(params, **data)),
        microseconds(lambda: jax.block_until_ready(compiled(weights, *inputs))),
    )


def main() -> None:
    out = Table(title=f"{NAME}, float32: microseconds a call (median of 1000)")
    for title in ("batch", "with a workspace", "without", "JAX, compiled"):
        out.add_column(title, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        module = generated(Path(folder))
        for batch in BATCHES:
            out.add_row(str(batch), *(f"{cell:.0f}" for cell in row(module, batch)))
    Console(width=100).print(out)


if __name__ == "__main__":
    main()
