"""All kinds of checks, in the order of the table."""

from __future__ import annotations

from functools import partial

from benchmarks.alarms.callables import callables
from benchmarks.alarms.frameworks import JAX, TORCH, check_jax, check_torch
from benchmarks.alarms.modules import check_program, check_spec
from benchmarks.alarms.outcomes import Kind


def kinds() -> list[Kind]:
    found = callables()
    for name, function in TORCH.items():
        found.append(Kind("torch", name, 70, partial(check_torch, function, False)))
        found.append(Kind("torch, x in float32", name, 30, partial(check_torch, function, True)))
    for name, function in JAX.items():
        found.append(Kind("JAX", name, 30, partial(check_jax, function, True)))
        found.append(Kind("JAX in float32", name, 20, partial(check_jax, function, False)))
    found.append(Kind("module", "built-in specs", 250, check_spec))
    found.append(Kind("module", "random programs", 250, check_program))
    return found
