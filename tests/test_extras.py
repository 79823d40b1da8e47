"""Each extra is needed: every distribution in it is used where this table says."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

# The first place of an extra is the one where it is at home.
USED = [
    # extra,         distribution,       where,                     as
    ("test",          "pytest",           "tests/conftest.py",       "import pytest"),
    ("test",          "pytest-xdist",     "README.md",               "pytest -q -n 2"),
    ("test",          "hypothesis",       "tests/conftest.py",       "from hypothesis import"),
    ("test",          "autograd",         "tests/oracles.py",        "import autograd"),
    ("test",          "build",            "tests/test_package.py",   '"-m", "build"'),
    ("test",          "hatchling",        "pyproject.toml",          'build-backend = "hatchling.build"'),
    ("test",          "symgrad",          "tests/test_examples.py",  "importorskip"),
    ("oracles",       "jax",              "tests/conftest.py",       '_oracle("jax")'),
    ("oracles",       "jaxlib",           "tests/conftest.py",       '_oracle("jax")'),
    ("oracles-torch", "torch",            "tests/conftest.py",       '_oracle("torch")'),
    ("examples",      "gymnasium",        "examples/learning.py",    "import gymnasium"),
    ("examples",      "matplotlib",       "examples/learning.py",    "from matplotlib.figure import"),
    ("examples",      "scikit-learn",     "examples/digits.py",      "from sklearn.datasets import"),
    ("examples",      "scipy",            "docs/training.md",        "from scipy.optimize import"),
    ("plot",          "matplotlib",       "symgrad/verify/plot.py", "from matplotlib.figure import"),
    ("bench",         "symgrad",          "benchmarks/step.py",      "import jax"),
    ("bench",         "autograd",         "benchmarks/fuzzing/translation.py", "import autograd"),
    ("bench",         "hypothesis",       "benchmarks/fuzzing/hunt.py", "from hypothesis import"),
    ("docs",          "markdown-it-py",   "tests/test_pages.py",     "from markdown_it import"),
    ("docs",          "pylatexenc",       "tests/test_pages.py",     "from pylatexenc.latexwalker import"),
    ("dev",           "ruff",             ".ci/run",                 "ruff check"),
    ("dev",           "mypy",             ".ci/run",                 "mypy --strict"),
]  # fmt: skip


@pytest.mark.parametrize(("extra", "distribution", "where", "how"), USED, ids=lambda t: t[:20])
def test_a_distribution_is_used_where_the_table_says(
    extra: str, distribution: str, where: str, how: str
) -> None:
    assert how in (ROOT / where).read_text(encoding="utf-8")


def test_the_table_holds_every_distribution_of_every_extra() -> None:
    listed = {
        (extra, match[0])
        for extra, lines in EXTRAS.items()
        for line in lines
        if (match := re.match(r"[\w-]+", line))
    }
    assert listed == {(extra, distribution) for extra, distribution, _, _ in USED}


def test_an_extra_within_an_extra_exists() -> None:
    inner = [x for lines in EXTRAS.values() for x in re.findall(r"symgrad\[([^]]+)\]", str(lines))]
    found = {name for names in inner for name in names.split(",")}
    assert found == {"docs", "examples", "oracles", "oracles-torch"}
    assert found <= EXTRAS.keys()


def test_the_benchmark_beside_jax_runs_and_agrees(jax: ModuleType, tmp_path: Path) -> None:
    from benchmarks import step

    assert all(cell > 0 for cell in step.row(step.generated(tmp_path), 2))
