"""What is shipped works outside the source tree, and nothing that it needs is left behind."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

import symgrad
from symgrad.emit.templates_dir import templates_dir

ROOT = Path(__file__).resolve().parents[1]
SPEC = "softmax_policy"
SDIST_NEEDS = ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tests/conftest.py")

USE_MODULE = f"""
import numpy as np
import {SPEC} as module
assert "symgrad" not in __import__("sys").modules
params = module.init(np.random.default_rng(0))
assert params.flat.size > 0 and np.isfinite(params.flat).all()
"""
WHERE = """
import symgrad
from symgrad.emit.templates_dir import templates_dir
print(symgrad.__file__)
print(templates_dir())
"""


def run(*command: str | Path, cwd: Path) -> str:
    """What the command prints; a failure shows all of it."""
    hidden = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    result = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env={name: value for name, value in os.environ.items() if name not in hidden},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def build(what: str, source: Path, out: Path) -> Path:
    """The one archive that `python -m build` makes of a source tree."""
    run(sys.executable, "-m", "build", "--no-isolation", what, "-o", out, source, cwd=out.parent)
    (archive,) = out.iterdir()
    return archive


def files_under(folder: Path, prefix: str) -> set[str]:
    """Each file of a folder by its path, as it is named in an archive."""
    files = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {f"{prefix}/{f.as_posix()}" for f in files if "__pycache__" not in f.parts}


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("--sdist", ROOT, tmp_path_factory.mktemp("sdist") / "out")


@pytest.fixture(scope="module")
def unpacked(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source tree that the sdist holds."""
    folder = tmp_path_factory.mktemp("unpacked")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    return tree


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("--wheel", ROOT, tmp_path_factory.mktemp("wheel") / "out")


def test_the_wheel_holds_the_package_with_its_specs_and_templates(wheel: Path) -> None:
    package = files_under(ROOT / "symgrad", "symgrad")
    templates = files_under(ROOT / "templates", "symgrad/_templates")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert templates
    assert "symgrad/py.typed" in package
    assert f"symgrad/catalog/specs/{SPEC}.toml" in package
    assert names == package | templates


def test_the_sdist_builds_the_same_wheel(unpacked: Path, wheel: Path, tmp_path: Path) -> None:
    assert [name for name in SDIST_NEEDS if not (unpacked / name).is_file()] == []
    again = build("--wheel", unpacked, tmp_path / "out")
    with zipfile.ZipFile(wheel) as first, zipfile.ZipFile(again) as second:
        assert first.namelist() == second.namelist()
        assert [n for n in first.namelist() if first.read(n) != second.read(n)] == []


def test_a_wheel_in_an_empty_environment_generates_a_module_that_runs(
    wheel: Path, tmp_path: Path
) -> None:
    venv = tmp_path / "venv"
    run(sys.executable, "-m", "venv", "--without-pip", venv, cwd=tmp_path)
    scripts = venv / ("Scripts" if os.name == "nt" else "bin")
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        scripts / "python",
        "install",
        "-q",
        wheel,
        cwd=tmp_path,
    )
    where = [Path(line) for line in run(scripts / "python", "-c", WHERE, cwd=tmp_path).splitlines()]
    assert [path.is_relative_to(venv) for path in where] == [True, True]
    out = tmp_path / "out"
    out.mkdir()
    run(scripts / "symgrad", "generate", SPEC, cwd=out)
    assert [path.name for path in out.iterdir()] == [f"{SPEC}.py"]
    run(scripts / "python", "-c", USE_MODULE, cwd=out)
    assert (out / f"{SPEC}.py").read_bytes() == (
        ROOT / "generated/numpy" / f"{SPEC}.py"
    ).read_bytes()


def test_the_source_tree_reads_its_own_templates_and_holds_no_copy() -> None:
    assert not (ROOT / "symgrad" / "_templates").exists()
    assert templates_dir() == ROOT / "templates"
    assert any(path.is_file() for path in templates_dir().rglob("*"))


def test_templates_that_a_wheel_put_inside_the_package_are_read_there(tmp_path: Path) -> None:
    shutil.copytree(templates_dir(), tmp_path / "symgrad" / "_templates")
    (tmp_path / "templates").mkdir()  # somebody else's folder beside an installed package
    assert templates_dir(tmp_path / "symgrad") == tmp_path / "symgrad" / "_templates"


def test_the_version_is_the_same_in_the_package_and_its_metadata() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert symgrad.__version__ == project["version"]
