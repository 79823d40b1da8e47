"""The examples run, and reach what they promise."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symgrad.catalog.builtin import spec_path
from symgrad.generated_tree import module_of
from symgrad.spec import load

ROOT = Path(__file__).resolve().parents[1]
EXAMPLES = ROOT / "examples"
STANDARD = {"__future__", "argparse", "collections.abc", "contextlib", "pathlib", "sys"}
IMPORTS = {
    "digits": {"numpy", "sklearn.datasets", "digits_mlp"},
    "learning": {"numpy", "gymnasium", "matplotlib.figure", "rich.console", "rich.progress"},
    "cartpole": {"numpy", "learning", "cartpole_reinforce"},
    "dqn": {"numpy", "gymnasium", "learning", "cartpole_dqn"},
    "ppo": {"numpy", "gymnasium", "learning", "cartpole_ppo"},
    "td3": {"numpy", "gymnasium", "learning", "halfcheetah_td3"},
    "trpo": {"numpy", "learning", "cartpole_trpo"},
    "newton_cg": {"numpy", "scipy.optimize", "sklearn.datasets", "digits_logistic"},
}
"""`learning` is what the scripts share: the picture and the progress bar stand there."""

LEARN = [
    # script, its module,     options,                  reached at least; at random about
    ("dqn", "cartpole_dqn",    ("--steps", "15000"), 150),    # 22; six seeds reached 196 to 332
    ("ppo", "cartpole_ppo",    ("--steps", "20480"), 100),    # 22
    ("td3", "halfcheetah_td3", ("--steps", "5000"),  -1000),  # -1200
]  # fmt: skip


ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
"""What is printed then does not depend on how many cores there are; small matrices gain nothing."""


def run(example: str, module: str, folder: Path, *options: str) -> str:
    """What the example prints, in a folder that holds its module anew."""
    (folder / f"{module}.py").write_text(module_of(load(spec_path(module))), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{example}.py"), *options],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder), **ONE_THREAD},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_digits_reach_96_percent_with_numpy_the_data_and_the_module_alone(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    first, second = (run("digits", "digits_mlp", tmp_path) for _ in range(2))
    found = re.search(r"test accuracy: ([\d.]+)% of 360 images", first)
    assert found is not None, first
    assert float(found[1]) >= 96.0
    assert second == first  # seeded


def test_cartpole_learns_within_160_episodes_and_draws_its_curve(tmp_path: Path) -> None:
    pytest.importorskip("gymnasium")
    short = ("--batches", "10", "--seed", "3", "--picture", "curve.png")
    first, second = (run("cartpole", "cartpole_reinforce", tmp_path, *short) for _ in range(2))
    *progress, summary, _ = first.splitlines()
    found = re.fullmatch(r"seed 3: ([\d.]+) on average over 100 new episodes", summary)
    assert found is not None, first
    assert float(found[1]) >= 60  # choosing at random reaches about 22
    assert [line.split()[0] for line in progress] == ["80", "160"]
    assert second == first  # seeded
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG\r\n")


@pytest.mark.parametrize(("script", "module", "options", "least"), LEARN)
def test_a_short_run_learns_and_draws_its_curve(
    tmp_path: Path, script: str, module: str, options: tuple[str, ...], least: float
) -> None:
    pytest.importorskip("gymnasium")
    printed = run(script, module, tmp_path, *options, "--seed", "1", "--picture", "curve.png")
    found = re.match(r"seed 1: (-?[\d.]+) on average over 100 new episodes\n", printed)
    assert found is not None, printed
    assert float(found[1]) >= least
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG\r\n")


def test_trpo_learns_within_160_episodes_and_keeps_to_its_trust_region(tmp_path: Path) -> None:
    pytest.importorskip("gymnasium")
    short = ("--batches", "10", "--seed", "1", "--picture", "curve.png")
    first, second = (run("trpo", "cartpole_trpo", tmp_path, *short) for _ in range(2))
    *progress, summary, _ = first.splitlines()
    found = re.fullmatch(r"seed 1: ([\d.]+) on average over 100 new episodes", summary)
    assert found is not None, first
    assert float(found[1]) >= 100  # choosing at random reaches about 22
    moved = [float(far) for far in re.findall(r"KL ([\d.]+)", first)]
    assert len(moved) == len(progress) == 2
    assert all(0.001 < far <= 0.02 for far in moved)
    assert second == first  # seeded


def test_newtons_method_finds_the_minimum_that_gradients_alone_do_in_fewer_steps(
    tmp_path: Path,
) -> None:
    pytest.importorskip("sklearn")
    printed = run("newton_cg", "digits_logistic", tmp_path)
    losses = [float(loss) for loss in re.findall(r"loss ([\d.]+),", printed)]
    steps = [int(count) for count in re.findall(r": (\d+) steps", printed)]
    sizes = [float(size) for size in re.findall(r"\|gradient\| (\S+)", printed)]
    assert len(losses) == len(steps) == len(sizes) == 3, printed
    assert max(losses) - min(losses) < 1e-8
    assert max(sizes) < 1e-6
    assert 5 * max(steps[:2]) < steps[2]
    assert all(float(part) >= 95 for part in re.findall(r"accuracy: ([\d.]+)%", printed))


@pytest.mark.parametrize("example", IMPORTS)
def test_an_example_is_under_150_lines(example: str) -> None:
    assert len((EXAMPLES / f"{example}.py").read_text(encoding="utf-8").splitlines()) < 150


def test_every_example_has_a_row_of_allowed_imports() -> None:
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(IMPORTS)


def imports(text: str) -> set[str]:
    """Every module that a program imports, wherever in it."""
    nodes = list(ast.walk(ast.parse(text)))
    names = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    return names | {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}


@pytest.mark.parametrize("example", IMPORTS)
def test_an_example_imports_what_its_row_allows_and_nothing_more(example: str) -> None:
    text = (EXAMPLES / f"{example}.py").read_text(encoding="utf-8")
    assert imports(text) - STANDARD == IMPORTS[example]


def test_an_import_inside_a_function_is_seen() -> None:
    assert imports("def f():\n    from symgrad.spec import load\n    import jax") == {
        "symgrad.spec",
        "jax",
    }
