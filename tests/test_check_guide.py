"""docs/checking.md: every block runs, one after another, and prints what stands below it."""

from __future__ import annotations

import contextlib
import io
import re
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from symgrad.verify.verdict import EXIT_CODES

PAGE = (Path(__file__).parent.parent / "docs" / "checking.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```\n(?:\n```text\n(.*?)```\n)?", PAGE, re.S)
LIBRARIES = ("autograd", "torch", "jax")
NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?|\d+e-\d+")


def library_of(code: str) -> str:
    return next((name for name in LIBRARIES if f"import {name}\n" in code), "")


def rounded(text: str) -> str:
    """To six digits; a bound depends on the machine's rounding."""
    text = re.sub(r"bound \S+", "bound", text)
    return NUMBER.sub(lambda found: f"{float(found[0]):.5e}", text).strip()


def printed(code: str, names: dict[str, Any]) -> str:
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(code, "docs/checking.md", "exec"), names)
    return out.getvalue()


def run(library: str) -> list[tuple[str, str]]:
    """What the blocks print and what the page says: those of NumPy alone, and of one library."""
    names: dict[str, Any] = {}
    found = []
    for code, expected in BLOCKS:
        if library_of(code) in ("", library):
            came = printed(code, names)
            if library_of(code) == library:
                found.append((came, expected))
    return found


def test_the_numpy_blocks_print_what_the_page_says() -> None:
    found = run("")
    assert len(found) >= 6
    for came, expected in found:
        assert rounded(came) == rounded(expected)


def test_the_autograd_block_prints_what_the_page_says() -> None:
    if version("autograd") != "1.9.1":
        pytest.skip("the page says what autograd 1.9.1 does")
    ((came, expected),) = run("autograd")
    assert rounded(came) == rounded(expected)


def test_the_torch_block_prints_what_the_page_says(torch: ModuleType) -> None:
    ((came, expected),) = run("torch")
    assert rounded(came) == rounded(expected)


def test_the_jax_block_prints_what_the_page_says(jax: ModuleType) -> None:
    ((came, expected),) = run("jax")
    assert rounded(came) == rounded(expected)


@pytest.mark.parametrize("verdict", EXIT_CODES)
def test_the_page_lists_each_verdict_with_its_exit_code(verdict: str) -> None:
    assert f"| {verdict} | {EXIT_CODES[verdict]} |" in PAGE  # type: ignore[index]


def test_a_changed_output_would_be_seen() -> None:
    came, expected = run("")[0]
    assert rounded(came) != rounded(expected.replace("0.1363", "0.1364"))
    assert rounded(came) != rounded(expected.replace("9 of 9", "8 of 9"))
