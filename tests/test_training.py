"""docs/training.md: each block is a whole program that runs and reaches what its asserts say."""

from __future__ import annotations

import ast
import re
import runpy
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from symgrad.catalog.builtin import names, spec_path
from symgrad.generated_tree import module_of
from symgrad.spec import load

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "training.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```$", re.M | re.S)
BLOCKS: dict[str, str] = dict(BLOCK.findall(PAGE))
EXTRA = {"scipy", "sklearn"}


def modules_in(code: str) -> set[str]:
    """The packages and modules that a block imports."""
    nodes = list(ast.walk(ast.parse(code)))
    found = {a.name for n in nodes if isinstance(n, ast.Import) for a in n.names}
    found |= {n.module or "" for n in nodes if isinstance(n, ast.ImportFrom)}
    return {name.partition(".")[0] for name in found}


@pytest.fixture(scope="module")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the module of each built-in spec that the page uses."""
    folder = tmp_path_factory.mktemp("generated")
    for name in sorted(set().union(*map(modules_in, BLOCKS.values())) & set(names())):
        (folder / f"{name}.py").write_text(module_of(load(spec_path(name))), encoding="utf-8")
    return folder


@pytest.fixture
def place(generated: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty current folder; the generated modules, and no others of their names, are found."""
    for name in names():
        monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.syspath_prepend(generated)
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in names():
        sys.modules.pop(name, None)


def run(code: str, folder: Path) -> None:
    """The block as a program of its own."""
    for name in sorted(EXTRA & modules_in(code)):
        pytest.importorskip(name)
    path = folder / "block.py"
    path.write_text(code, encoding="utf-8")
    runpy.run_path(str(path), run_name="__main__")


@pytest.mark.parametrize("title", BLOCKS)
def test_a_block_runs_and_reaches_what_it_asserts(title: str, place: Path) -> None:
    run(BLOCKS[title], place)


@pytest.mark.parametrize("title", BLOCKS)
def test_a_block_asserts_something_and_imports_a_generated_module(title: str) -> None:
    code = BLOCKS[title]
    last = ast.parse(code).body[-1]
    assert isinstance(last, ast.Assert)
    own = modules_in(code) & set(names())
    assert len(own) == 1
    assert modules_in(code) - own - EXTRA - {"symgrad"} == {"numpy"}
    assert f"symgrad generate {own.pop()}\n" in PAGE


@pytest.mark.parametrize(
    ("title", "right", "wrong"),
    [
        ("Stochastic gradient descent", "-= 0.1", "+= 0.1"),
        ("Momentum", "params.flat -=", "params.flat +="),
        ("Adam", "params.flat -=", "params.flat +="),
        ("Clipping the gradient by its norm", "min(1, 5 / np.linalg.norm(grads.flat))", "1"),
        ("SciPy's optimizers", "return value, grads.flat", "return value, -grads.flat"),
        ("A workspace", ", workspace=workspace", ""),
        ("Sampling an action", "axis=1)", "axis=1) * 0"),
        ("Advantages and returns", "=False, truncated=cut", "=cut, truncated=False"),
        ("Advantages and returns", "(gae).ravel()", "(-gae).ravel()"),
        ("A target network", "+= 0.05", "+= 0.00"),
        ("A target network", "-= 0.03", "-= 0.00"),
        ("Newton's method", "v, **data).flat", "v, **data).flat * 2"),
        ("The natural gradient", "2 * 0.01", "2 * 0.04"),
    ],
)
def test_a_planted_mistake_fails_the_block(title: str, right: str, wrong: str, place: Path) -> None:
    assert right in BLOCKS[title]
    with pytest.raises(AssertionError):
        run(BLOCKS[title].replace(right, wrong), place)


def test_every_python_block_of_the_page_is_run() -> None:
    assert len(BLOCKS) == PAGE.count("```python\n") >= 9


@pytest.mark.parametrize("title", BLOCKS)
def test_a_block_has_at_most_ten_lines_of_its_own(title: str) -> None:
    """Not counted: imports, the data, what is asserted, empty lines."""
    common = ("import ", "from ", "assert ", "pixels, digit = ", "pixels /= ")
    lines = [line.strip() for line in BLOCKS[title].splitlines()]
    assert len([line for line in lines if line and not line.startswith(common)]) <= 10
