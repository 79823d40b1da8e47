"""docs/derivation.md: what it quotes is what prints."""

from __future__ import annotations

import contextlib
import io
import re
import runpy
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from click.testing import CliRunner

import symgrad as sg
from symgrad.cli import main

PAGE = (Path(__file__).resolve().parents[1] / "docs" / "derivation.md").read_text(encoding="utf-8")
QUOTED: list[tuple[str, str]] = re.findall(
    r"[Ff]rom\s+`symgrad ([^`]+)`:\n\n```text\n(.*?)```\n", PAGE, re.S
)
TABLE: list[tuple[str, str]] = re.findall(r"^\| `([^`]+)` \| \$`([^`]+)`\$ \|", PAGE, re.M)
SPEC = PAGE.partition("```toml\n")[2].partition("```\n")[0]


@cache
def printed(command: str) -> tuple[str, ...]:
    """The lines that a command of symgrad prints."""
    done = CliRunner().invoke(main, command.split())
    assert done.exit_code == 0, done.output
    return tuple(done.stdout.splitlines())


@pytest.mark.parametrize(("command", "quoted"), QUOTED, ids=lambda text: text[:40])
def test_what_is_quoted_is_printed(command: str, quoted: str) -> None:
    """Lines of one step stand together; each line is whole."""
    lines = printed(command)
    for line in quoted.splitlines():
        assert line in lines
    if quoted.startswith("("):
        assert quoted in "\n".join(lines) + "\n"


@pytest.mark.parametrize(("notation", "latex"), TABLE, ids=lambda text: text[:30])
def test_a_row_of_the_latex_table_is_as_both_formats_print_it(notation: str, latex: str) -> None:
    derivation = sg.derive(sg.parse(SPEC))
    assert notation in derivation.text()
    assert latex in derivation.latex()


def test_the_python_block_prints_the_derivation(tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.S)
    (tmp_path / "block.py").write_text(code, encoding="utf-8")
    with contextlib.redirect_stdout(io.StringIO()) as out:
        runpy.run_path(str(tmp_path / "block.py"))
    lines = out.getvalue().rstrip("\n").splitlines()
    assert tuple(lines) == printed("derive softmax_policy --wrt W3")


def test_the_parts_are_the_sections_in_their_order() -> None:
    parts = re.findall(r"^\d\. \*\*([^*]+)\*\*", PAGE, re.M)
    lines = printed("derive softmax_policy")
    titles = [a for a, b in pairwise(lines) if b == "-" * len(a) and a]
    assert parts == titles


def test_everything_quoted_is_compared() -> None:
    assert len(QUOTED) == PAGE.count("```text\n") >= 5
    rows = PAGE.partition("| --- | --- | --- |\n")[2].partition("\n\n")[0].splitlines()
    assert len(TABLE) == len(rows) >= 10
