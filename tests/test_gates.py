"""The gates of a test run fire: no test at all, or none with a required oracle, is a failure."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")

USES = "def test_one(jax):\n    assert jax.numpy.ones(1).dtype == 'float64'\n"
FAILS = "def test_one(jax):\n    assert False\n"
IGNORES = "def test_one():\n    assert True\n"
EMPTY = ""

RUNS = [
    # claim,                                  required, test file, workers, exit code
    ("no oracle is required, none ran",       "",       IGNORES,   "0",     0),
    ("required and ran",                      "jax",    USES,      "0",     0),
    ("required and ran in a worker",          "jax",    USES,      "1",     0),
    ("required, not used",                    "jax",    IGNORES,   "0",     1),
    ("required, not used, in a worker",       "jax",    IGNORES,   "1",     1),
    ("required, used by a failing test only", "jax",    FAILS,     "0",     1),
    ("required by an unknown name",           "jaxx",   USES,      "0",     4),
    ("no test at all",                        "",       EMPTY,     "0",     5),
]  # fmt: skip


@pytest.mark.parametrize(
    ("required", "source", "workers", "expected"),
    [row[1:] for row in RUNS],
    ids=[row[0] for row in RUNS],
)
def test_a_run_ends_with_the_right_exit_code(
    tmp_path: Path, required: str, source: str, workers: str, expected: int
) -> None:
    if "jax" in source:
        pytest.importorskip("jax", reason="the planted tests import it")
    shutil.copy(CONFTEST, tmp_path)
    (tmp_path / "test_planted.py").write_text(source)
    (tmp_path / "pytest.ini").write_text("[pytest]\nmarkers = oracle\n")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers, "."],
        cwd=tmp_path,
        env={**os.environ, "SYMGRAD_REQUIRE_ORACLE": required},
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == expected, result.stdout + result.stderr
