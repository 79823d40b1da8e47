"""CONTRIBUTING.md's recipe for a loss, followed to the letter in a copy of the package."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
SECTION = (
    (ROOT / "CONTRIBUTING.md")
    .read_text(encoding="utf-8")
    .partition("\n## How to add a loss\n")[2]
    .partition("\n## ")[0]
)
PARTS = ("symgrad", "templates", "tests", "docs", "benchmarks")
ROW, ORACLE = re.findall(r"```python\n(.*?)```", SECTION, re.S)
TABLE, ORACLES = Path("symgrad/catalog/losses.py"), Path("tests/loss_oracles.py")
PAGE = "symgrad list --page docs/catalogue.md"
(OWN,) = re.findall(r"```toml\n(.*?)```", SECTION, re.S)

SPEC = """
[sizes]
B = "batch"
[data]
obs = "real[B, 3]"
y = "real[B]"
[networks.net]
input = "obs"
layers = ["dense 4 tanh", "dense 1"]
[losses.fit]
loss = "log_cosh(net[b,0], y)"
"""


def run(tree: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`python -m ...` with the symgrad of a source tree."""
    # Which oracles have to run is asked of the whole suite, not of a few chosen tests.
    env = {name: v for name, v in os.environ.items() if name != "SYMGRAD_REQUIRE_ORACLE"}
    env |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=600
    )


def walked(tree: Path, chosen: str) -> subprocess.CompletedProcess[str]:
    """The command that the recipe names."""
    command = f"pytest tests/test_losses.py -k {chosen}"
    assert command in SECTION
    return run(tree, tree, *command.split(), "-q", "-p", "no:cacheprovider")


def append(path: Path, end: str, text: str) -> None:
    """Puts text right before the first `end` after the table's beginning, or at the file's."""
    whole = path.read_text(encoding="utf-8")
    at = whole.index(end, whole.index("\nROWS = (")) + 1 if end else len(whole)
    path.write_text(whole[:at] + text + whole[at:], encoding="utf-8")


@pytest.fixture(scope="module")
def half(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the source tree with the row alone."""
    copy = tmp_path_factory.mktemp("copy")
    for part in PARTS:
        shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", copy)
    append(copy / TABLE, "\n)\n", ROW)
    return copy


def test_the_recipe_has_under_ten_lines_and_names_its_files() -> None:
    assert 2 <= len(f"{ROW}{ORACLE}".splitlines()) < 10
    places = re.findall(r"[Aa]t the end of (?:`ROWS` in )?`([\w/.]+)`:\n\n```python", SECTION)
    assert places == [str(TABLE), str(ORACLES)]


def test_an_own_loss_in_a_spec_has_under_ten_lines_and_passes_the_check(tmp_path: Path) -> None:
    assert 2 <= len(OWN.splitlines()) < 10
    (name,) = re.findall(r"\[losses\.(\w+)\]", OWN)
    assert run(ROOT, tmp_path, "symgrad", "new", "mine").returncode == 0
    with (tmp_path / "mine.toml").open("a", encoding="utf-8") as spec:
        spec.write(f"\n{OWN}")
    verbs = re.findall(r"`symgrad (derive|generate|check) (mine\.toml[^`]*)`", SECTION)
    assert [verb for verb, _ in verbs] == ["derive", "generate", "check"]
    for verb, rest in verbs:
        done = run(ROOT, tmp_path, "symgrad", verb, *rest.split())
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
    assert f"def {name}_value_and_grad(" in (tmp_path / "mine.py").read_text(encoding="utf-8")


def test_the_loss_is_refused_without_the_recipe(tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(SPEC, encoding="utf-8")
    done = run(ROOT, tmp_path, "symgrad", "check", "own.toml")
    assert done.returncode == 2
    assert 'unknown function "log_cosh"' in done.stderr


def test_the_loss_derives_and_passes_the_check(half: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(SPEC, encoding="utf-8")
    derived = run(half, tmp_path, "symgrad", "derive", "own.toml")
    assert "# log_cosh: mean log cosh d, d = q - y" in derived.stdout
    checked = run(half, tmp_path, "symgrad", "check", "own.toml")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.splitlines()[-1].startswith("PASS own: ")


def test_the_loss_is_named_among_what_is_known(half: Path, tmp_path: Path) -> None:
    (tmp_path / "own.toml").write_text(SPEC.replace("log_cosh", "log_cos"), encoding="utf-8")
    done = run(half, tmp_path, "symgrad", "check", "own.toml")
    assert done.returncode == 2
    assert 'did you mean "log_cosh"?' in done.stderr


def test_the_tests_pick_the_row_up_and_compare_its_oracle(half: Path) -> None:
    alone = passed(walked(half, "log_cosh"))
    append(half / ORACLES, "", f"\n\n{ORACLE}")
    assert passed(walked(half, "log_cosh")) > alone > 0


def test_the_command_writes_its_section_and_the_page_is_up_to_date(half: Path) -> None:
    assert PAGE in SECTION
    stale = run(half, half, *PAGE.split(), "--check")
    assert (stale.returncode, stale.stdout.partition(":")[0]) == (1, "stale")
    assert run(half, half, *PAGE.split()).returncode == 0
    assert "\n### log_cosh\n" in (half / PAGE.split()[-1]).read_text(encoding="utf-8")
    assert (
        passed(run(half, half, "pytest", "tests/test_catalogue.py", "-q", "-k", "log_cosh or page"))
        > 3
    )


def passed(done: subprocess.CompletedProcess[str]) -> int:
    """How many tests passed, and none failed."""
    assert done.returncode == 0, done.stdout
    return int(re.findall(r"\b(\d+) passed", done.stdout)[-1])


def test_a_linter_finds_nothing_in_the_loss(half: Path) -> None:
    pytest.importorskip("ruff")
    for command in (("check",), ("format", "--check")):
        done = run(ROOT, half, "ruff", *command, "--no-cache", "symgrad")
        assert done.returncode == 0, done.stdout
