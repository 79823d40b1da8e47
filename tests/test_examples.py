"""The examples run, and reach what they promise."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from symgrad.pipeline import generate
from symgrad.spec import load

ROOT = Path(__file__).resolve().parents[1]
DIGITS = ROOT / "examples" / "digits.py"


def test_digits_reach_96_percent_with_numpy_the_data_and_the_module_alone(tmp_path: Path) -> None:
    pytest.importorskip("sklearn")
    spec = load(ROOT / "symgrad" / "catalog" / "specs" / "digits_mlp.toml")
    (tmp_path / "digits_mlp.py").write_text(generate(spec), encoding="utf-8")
    command = [sys.executable, str(DIGITS), str(tmp_path)]
    first, second = (
        subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
        for _ in range(2)
    )
    assert first.returncode == 0, first.stderr
    found = re.search(r"test accuracy: ([\d.]+)% of 360 images", first.stdout)
    assert found is not None, first.stdout
    assert float(found[1]) >= 96.0
    assert second.stdout == first.stdout  # seeded


def test_the_digits_example_imports_numpy_the_data_and_the_module_alone() -> None:
    tree = ast.parse(DIGITS.read_text(encoding="utf-8"))
    names = {a.name for n in ast.walk(tree) if isinstance(n, ast.Import) for a in n.names}
    names |= {n.module or "" for n in ast.walk(tree) if isinstance(n, ast.ImportFrom)}
    standard = {"__future__", "sys", "pathlib"}
    assert names - standard == {"numpy", "sklearn.datasets", "digits_mlp"}
