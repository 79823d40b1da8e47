"""CONTRIBUTING.md's recipes, followed to the letter in a copy of the package."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("## How to add things\n")[2].partition("\n## ")[0]
STEP = re.compile(
    r"(?:[Ii]n `(?P<file>[\w/.]+)`, |and )(?P<where>at the end of|above) `(?P<table>\w+)`"
    r":\n\n```python\n(?P<code>.*?)```\n",
    re.S,
)

NETWORK = """
[sizes]
B = "batch"
[data]
obs = "real[B, 3]"
y = "real[B, 2]"
[networks.net]
input = "obs"
layers = [{layers}]
[losses.fit]
wrt = ["net"]
equations = "loss = mean(b,i: ({prediction} - y[b,i])**2)"
"""


@dataclass(frozen=True)
class Recipe:
    """name: of what is added; spec: uses it; options: of `generate`; refused: without the recipe."""

    name: str
    spec: str
    refused: str
    options: tuple[str, ...] = ()


RECIPES = {
    "An activation": Recipe(
        "squareplus",
        NETWORK.format(layers='"dense 4 squareplus", "dense 2"', prediction="squareplus(net[b,i])"),
        'unknown activation "squareplus"',
    ),
    "A layer": Recipe(
        "rmsnorm",
        NETWORK.format(layers='"dense 4 tanh", "rmsnorm eps=1e-3", "dense 2"', prediction="net[b,i]"),
        'unknown layer "rmsnorm"',
    ),
    "A backend": Recipe(
        "fresh",
        NETWORK.format(layers='"dense 4 tanh", "dense 2"', prediction="net[b,i]"),
        'no backend is named "fresh"',
        ("--backend", "fresh"),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Step:
    """`code` goes into a file, above a table or at its end."""

    file: str
    where: str
    table: str
    code: str


@cache
def steps() -> dict[str, tuple[Step, ...]]:
    """The steps under each title; "and" goes on in the file before it."""
    found: dict[str, tuple[Step, ...]] = {}
    for title, text in re.findall(r"^### ([^\n]+)\n(.*?)(?=^### |\Z)", SECTION, re.M | re.S):
        file, listed = "", []
        for match in STEP.finditer(text):
            file = match["file"] or file
            listed.append(Step(file, match["where"], match["table"], match["code"]))
        assert len(listed) == text.count("```") // 2, f"{title}: a block without its place"
        if listed:
            found[title] = tuple(listed)
    return found


def followed(text: str, step: Step) -> str:
    """The file's text after one step."""
    (start,) = (m.start() for m in re.finditer(rf"^{step.table} = \(\n", text, re.M))
    if step.where == "above":
        return f"{text[:start]}{step.code}\n\n{text[start:]}"
    end = text.index("\n)", start) + 1
    return text[:end] + step.code + text[end:]


@pytest.fixture(scope="module")
def copies(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each recipe a copy of the source tree in which it was followed."""
    found = {}
    for title, listed in steps().items():
        copy = tmp_path_factory.mktemp("copy")
        for part in ("symgrad", "templates", "tests", "docs", "benchmarks"):
            shutil.copytree(ROOT / part, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", copy)
        for step in listed:
            path = copy / step.file
            path.write_text(followed(path.read_text(encoding="utf-8"), step), encoding="utf-8")
        found[title] = copy
    return found


def run(tree: Path, folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """`python ...` with the symgrad of a source tree."""
    # Which oracles have to run is asked of the whole suite, not of a few chosen tests.
    env = {name: v for name, v in os.environ.items() if name != "SYMGRAD_REQUIRE_ORACLE"}
    env |= {"PYTHONPATH": str(tree), "PYTHONDONTWRITEBYTECODE": "1"}
    command: Sequence[str | Path] = [sys.executable, *arguments]
    return subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300
    )


COMMANDS = """
import json, sys
from click.testing import CliRunner
from symgrad.cli import main
done = [CliRunner().invoke(main, words) for words in json.loads(sys.argv[1])]
print(json.dumps([(one.exit_code, one.output) for one in done]))
"""


def symgrad(tree: Path, folder: Path, *commands: Sequence[str]) -> list[tuple[int, str]]:
    """The exit code and the output of each command, all in one process."""
    done = run(tree, folder, "-c", COMMANDS, json.dumps(commands))
    assert done.returncode == 0, done.stderr
    found: list[tuple[int, str]] = json.loads(done.stdout)
    return found


def test_every_recipe_of_the_page_is_followed() -> None:
    assert set(steps()) == set(RECIPES)


@pytest.mark.parametrize("title", RECIPES)
def test_a_recipe_has_under_ten_lines(title: str) -> None:
    lines = [line for step in steps()[title] for line in step.code.splitlines() if line.strip()]
    assert 1 <= len(lines) < 10


@pytest.mark.parametrize("title", RECIPES)
def test_what_a_recipe_adds_derives_generates_and_passes_the_check(
    title: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    recipe = RECIPES[title]
    (tmp_path / "own.toml").write_text(recipe.spec, encoding="utf-8")
    generate = ("generate", "own.toml", *recipe.options)
    ((code, said),) = symgrad(ROOT, tmp_path, generate)
    assert code == 2
    assert recipe.refused in said
    verbs = (("derive", "own.toml"), generate, ("check", "own.py"))
    derived, generated, checked = symgrad(copies[title], tmp_path, *verbs)
    assert [derived[0], generated[0], checked[0]] == [0, 0, 0], (derived, generated, checked)
    assert "The gradient\n" in derived[1]
    assert checked[1].splitlines()[-1].startswith("PASS own.py: ")


@pytest.mark.parametrize("title", RECIPES)
def test_what_a_recipe_adds_is_named_among_what_is_known(
    title: str, copies: dict[str, Path], tmp_path: Path
) -> None:
    recipe, wrong = RECIPES[title], RECIPES[title].name[:-1] + "_"
    (tmp_path / "own.toml").write_text(recipe.spec.replace(recipe.name, wrong), encoding="utf-8")
    options = [option.replace(recipe.name, wrong) for option in recipe.options]
    ((code, said),) = symgrad(copies[title], tmp_path, ("generate", "own.toml", *options))
    assert code == 2
    assert f'did you mean "{recipe.name}"?' in said


@pytest.mark.parametrize("title", RECIPES)
def test_a_linter_finds_nothing_in_what_a_recipe_adds(title: str, copies: dict[str, Path]) -> None:
    pytest.importorskip("ruff")
    for command in (("check",), ("format", "--check")):
        done = run(ROOT, copies[title], "-m", "ruff", *command, "--no-cache", "symgrad")
        assert done.returncode == 0, done.stdout


TESTED = dict(re.findall(r"^### ([^\n]+)\n(?:(?!^### ).)*`(pytest [^`]+)`", SECTION, re.M | re.S))
"""The command under a title that runs the tests of what was added."""
WRITTEN = dict(
    re.findall(r"^### ([^\n]+)\n(?:(?!^### ).)*`symgrad (list --page [^`]+)`", SECTION, re.M | re.S)
)
"""The command under a title that writes a page anew."""


@pytest.mark.parametrize("title", RECIPES)
def test_the_tests_pick_up_what_a_recipe_adds(title: str, copies: dict[str, Path]) -> None:
    """The page's own command, whose files do not know of it."""
    command, copy, name = shlex.split(TESTED[title]), copies[title], RECIPES[title].name
    assert name in command[-1].split()
    for file in (word for word in command if word.endswith(".py")):
        assert name not in (ROOT / file).read_text(encoding="utf-8")
    if title in WRITTEN:
        assert [code for code, _ in symgrad(copy, copy, shlex.split(WRITTEN[title]))] == [0]
    done = run(copy, copy, "-m", *command, "-v", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert re.search(rf"{name}.* PASSED", done.stdout), done.stdout
