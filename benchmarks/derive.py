"""Time from spec to module against width and depth: `python -m benchmarks.derive`.

Each row is the median of several runs in one process. Beside it stands SymPy with every weight a
scalar symbol, for as long as one run takes less than a few seconds.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import sympy
from rich.console import Console
from rich.table import Table
from sympy.core.cache import clear_cache

from symgrad import pipeline
from symgrad.spec import Spec, parse_spec

WIDTHS = (4, 16, 64, 256, 1024, 4096)
DEPTHS = (2, 4, 8, 16, 32, 64, 128, 256)
PATIENCE = 10.0
"""Seconds after which the scalar expansion is not tried at the next size."""


def mlp(width: int, depth: int) -> str:
    """4 inputs, `depth` hidden tanh layers of one width, 2 outputs, a softmax policy gradient."""
    shapes = [
        f'W{n} = "real[H, {"4" if n == 1 else "H"}]"\nc{n} = "real[H]"' for n in range(1, depth + 1)
    ]
    layers = [
        f"z{n}[b,i] = sum(j: W{n}[i,j]*{before}[b,j]) + c{n}[i]\nh{n}[b,i] = tanh(z{n}[b,i])"
        for n, before in enumerate(["obs", *(f"h{n}" for n in range(1, depth))], start=1)
    ]
    return "\n".join(
        [
            'equations = """',
            *layers,
            f"logits[b,a] = sum(i: V[a,i]*h{depth}[b,i]) + e[a]",
            "logp[b] = logits[b,action[b]] - logsumexp(v: logits[b,v])",
            "loss = -mean(b: advantage[b]*logp[b])",
            '"""',
            f'[sizes]\nB = "batch"\nH = {width}',
            "[params]",
            *shapes,
            'V = "real[2, H]"\ne = "real[2]"',
            '[data]\nobs = "real[B, 4]"\naction = "int[B] < 2"\nadvantage = "real[B]"',
        ]
    )


def median(run: Callable[[], object], times: int) -> float:
    """Seconds, with SymPy's cache emptied before each run."""
    taken = []
    for _ in range(times):
        clear_cache()
        start = time.perf_counter()
        run()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def stages(spec: Spec, times: int) -> tuple[float, float, float]:
    """Seconds for derive, for optimising and planning, and for the whole module less those."""
    (loss,) = spec.losses
    gradient = pipeline.derive_stable(loss)
    derive = median(lambda: pipeline.derive_stable(loss), times)
    plan = median(lambda: pipeline.gradient_function("value_and_grad", gradient), times)
    whole = median(lambda: pipeline.generate(spec), times)
    return derive, plan, max(0.0, whole - derive - plan)


def expanded(width: int, depth: int) -> float:
    """Seconds for SymPy's gradient of one sample's loss, every weight a scalar symbol."""

    def run() -> None:
        weights: list[sympy.Symbol] = []

        def layer(inputs: list[sympy.Expr], outputs: int, name: str) -> list[sympy.Expr]:
            made = [
                sympy.Symbol(f"{name}_{i}_{j}")
                for i in range(outputs)
                for j in range(len(inputs) + 1)
            ]
            weights.extend(made)
            rows = [
                made[i * (len(inputs) + 1) : (i + 1) * (len(inputs) + 1)] for i in range(outputs)
            ]
            return [
                sum(w * x for w, x in zip(row, [*inputs, sympy.Integer(1)], strict=True))
                for row in rows
            ]

        values: list[sympy.Expr] = list(sympy.symbols("x0:4"))
        for n in range(depth):
            values = [sympy.tanh(z) for z in layer(values, width, f"W{n}")]
        logits = layer(values, 2, "V")
        loss = sympy.log(sum(sympy.exp(z) for z in logits)) - logits[0]
        for weight in weights:
            loss.diff(weight)

    return median(run, 1)


def table(
    title: str, column: str, rows: list[tuple[int, int, int]], console: Console, times: int
) -> None:
    """One row for each (shown, width, depth)."""
    out = Table(title=title, title_justify="left")
    for name in (column, "derive s", "plan s", "render s", "total s", "SymPy, scalars s"):
        out.add_column(name, justify="right")
    lasting = True
    for shown, width, depth in rows:
        spec = parse_spec(mlp(width, depth), "mlp")
        derive, plan, render = stages(spec, times if depth < 32 else 1)
        scalar = expanded(width, depth) if lasting else None
        lasting = lasting and scalar is not None and scalar < PATIENCE
        cells = (derive, plan, render, derive + plan + render)
        out.add_row(
            str(shown), *(f"{c:.3f}" for c in cells), f"{scalar:.2f}" if scalar is not None else "-"
        )
    console.print(out)


def start_ratio(times: int = 7) -> tuple[float, float]:
    """Seconds of `symgrad generate` of 4-64-64-2 and of `import sympy`, each a whole process."""
    with tempfile.TemporaryDirectory() as folder:
        spec = Path(folder) / "mlp.toml"
        spec.write_text(mlp(64, 2), encoding="utf-8")
        generate = [sys.executable, "-m", "symgrad", "generate", str(spec), "-o", folder]
        bare = [sys.executable, "-c", "import sympy"]
        pairs = []
        for _ in range(times + 1):
            pairs.append(tuple(_seconds(command) for command in (generate, bare)))
    return statistics.median(a for a, _ in pairs[1:]), statistics.median(b for _, b in pairs[1:])


def _seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    console = Console(width=100)
    table(
        "Width, two hidden layers (median of 5)", "width", [(w, w, 2) for w in WIDTHS], console, 5
    )
    table(
        "Depth, width 4 (median of 3; one run from 32 on)",
        "layers",
        [(d, 4, d) for d in DEPTHS],
        console,
        3,
    )
    generate, bare = start_ratio()
    console.print(f"4-64-64-2 from spec to module, process start included: {generate:.2f} s")
    console.print(f'python -c "import sympy": {bare:.2f} s; ratio {generate / bare:.2f}')


if __name__ == "__main__":
    main()
