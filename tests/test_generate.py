"""`symgrad generate`: what is on disk is what the spec generates, whole, or the command says so."""

from __future__ import annotations

import ast
import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from catalogue import NAMES
from click.testing import CliRunner, Result
from generated_files import files

from symgrad import generated_tree, pipeline
from symgrad.cli import main
from symgrad.errors import SymgradError

ROOT = Path(__file__).resolve().parents[1]

SMALL = """
equations = "loss = w**2 + x"
[params]
w = "real"
[data]
x = "real"
"""
DECLARED = """
equations = "loss = sigma(w)"
[functions]
sigma = 1
[params]
w = "real"
"""
WRONG = SMALL.replace("w**2", "ww**2")


def symgrad(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def says_one_line(result: Result) -> str:
    """The one line of an error: exit code 2, nothing on stdout, no traceback."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    return line


def snapshot(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Each file's bytes and time of writing."""
    files = (p for p in folder.rglob("*") if p.is_file())
    return {str(p): (p.read_bytes(), p.stat().st_mtime_ns) for p in files}


@pytest.fixture
def rendered_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All specs are rendered once for the whole file, since it takes a second."""
    held = dict(files())
    monkeypatch.setattr(generated_tree, "tree", lambda: held)


@pytest.fixture
def tree(tmp_path: Path, rendered_once: None) -> Path:
    """A folder as `generate --all` leaves it."""
    folder = tmp_path / "generated"
    folder.mkdir()
    assert symgrad("generate", "--all", "-o", folder).exit_code == 0
    return folder


# ---- one module ---------------------------------------------------------------------------------


def test_a_module_is_named_after_its_spec_and_is_what_the_pipeline_renders(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(SMALL)
    result = symgrad("generate", tmp_path / "small.toml", "-o", tmp_path)
    assert (result.exit_code, result.stderr) == (0, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["small.py", "small.toml"]
    expected = pipeline.generate(generated_tree.load(tmp_path / "small.toml"))
    assert (tmp_path / "small.py").read_bytes() == expected.encode()


def test_without_a_folder_a_module_goes_to_the_current_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert symgrad("generate", "one_bias").exit_code == 0
    assert [p.name for p in tmp_path.iterdir()] == ["one_bias.py"]


def test_a_module_written_twice_is_the_same_and_up_to_date(tmp_path: Path) -> None:
    assert symgrad("generate", "one_bias", "-o", tmp_path).exit_code == 0
    first = (tmp_path / "one_bias.py").read_bytes()
    assert symgrad("generate", "one_bias", "-o", tmp_path).exit_code == 0
    assert (tmp_path / "one_bias.py").read_bytes() == first
    assert symgrad("generate", "one_bias", "-o", tmp_path, "--check").exit_code == 0


Tamper = Callable[[Path], object]


def edit(change: Callable[[bytes], bytes]) -> Tamper:
    return lambda path: path.write_bytes(change(path.read_bytes()))


TAMPERED: list[tuple[str, Tamper, str, str]] = [
    # claim,                 what is done to the file,                              what,      in the diff
    ("a hand-edited line",   edit(lambda b: b.replace(b"import numpy", b"import numpi")), "stale",   "-import numpi as np\n+import numpy as np\n"),
    ("a line too many",      edit(lambda b: b + b"x = 1\n"),                        "stale",   "-x = 1\n"),
    ("a lost last newline",  edit(lambda b: b[:-1]),                                "stale",   "\\ No newline at end of file\n"),
    ("other line ends",      edit(lambda b: b.replace(b"\n", b"\r\n")),             "stale",   "+import numpy as np\n"),
    ("not UTF-8",            edit(lambda b: b + b"\xff\n"),                         "stale",   "-\\xff\n"),
    ("an empty file",        edit(lambda b: b""),                                   "stale",   "+import numpy as np\n"),
    ("a file that is gone",  Path.unlink,                                           "missing", "missing: "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tamper", "what", "shown"), [row[1:] for row in TAMPERED], ids=[row[0] for row in TAMPERED]
)
def test_check_fires_writes_nothing_and_names_the_command_that_mends(
    tmp_path: Path, tamper: Tamper, what: str, shown: str
) -> None:
    assert symgrad("generate", "one_bias", "-o", tmp_path).exit_code == 0
    tamper(tmp_path / "one_bias.py")
    before = snapshot(tmp_path)
    result = symgrad("generate", "one_bias", "-o", tmp_path, "--check")
    assert result.exit_code == 1
    assert shown in result.stdout_bytes.decode()
    assert f"\n{what}: {tmp_path / 'one_bias.py'}" in f"\n{result.stdout}"
    assert (len(result.stdout.splitlines()) == 1) == (what == "missing")
    assert snapshot(tmp_path) == before
    assert mended(result) == [0]
    assert symgrad("generate", "one_bias", "-o", tmp_path, "--check").exit_code == 0


def mended(result: Result) -> list[int]:
    """The exit codes of the commands that a failed check prints."""
    (line,) = re.findall(r"^(?:missing: .*; )?(to mend it: .*)$", result.stdout, re.MULTILINE)
    codes = []
    for command in line.removeprefix("to mend it: ").split(" && "):
        program, *arguments = shlex.split(command)
        if program == "rm":
            Path(*arguments).unlink()
            codes.append(0)
        else:
            assert program == "symgrad"
            codes.append(symgrad(*arguments).exit_code)
    return codes


# ---- whole or not at all ------------------------------------------------------------------------


def broken(*_: object, **__: object) -> str:
    raise SymgradError("it broke")


def full(*_: object) -> None:
    raise OSError(28, "No space left on device")


BREAKS = [
    # claim,                      where,                      what is put there
    ("rendering fails",           "symgrad.pipeline.generate", broken),
    ("the disk is full",          "os.fsync",                  full),
    ("the file cannot be placed", "pathlib.Path.replace",      full),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "what"), [row[1:] for row in BREAKS], ids=[row[0] for row in BREAKS]
)
def test_what_fails_leaves_the_old_file_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str, what: Callable[..., object]
) -> None:
    (tmp_path / "one_bias.py").write_text("old\n")
    before = snapshot(tmp_path)
    monkeypatch.setattr(where, what)
    says_one_line(symgrad("generate", "one_bias", "-o", tmp_path))
    assert snapshot(tmp_path) == before


def test_a_spec_that_is_wrong_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "small.toml").write_text(WRONG)
    (tmp_path / "small.py").write_text("old\n")
    before = snapshot(tmp_path)
    line = says_one_line(symgrad("generate", tmp_path / "small.toml", "-o", tmp_path))
    assert "small.toml:2:" in line
    assert snapshot(tmp_path) == before


def test_an_interrupted_write_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: int) -> None:
        raise KeyboardInterrupt

    (tmp_path / "one_bias.py").write_text('\nSPEC_HASH = "old"\n')
    before = snapshot(tmp_path)
    monkeypatch.setattr(os, "fsync", interrupt)
    assert symgrad("generate", "one_bias", "-o", tmp_path).exit_code == 1
    assert snapshot(tmp_path) == before


def test_a_file_that_symgrad_did_not_write_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "one_bias.py").write_text("print('mine')\n")
    before = snapshot(tmp_path)
    result = symgrad("generate", "one_bias", "-o", tmp_path)
    assert result.exit_code == 2
    assert "no module of symgrad's" in result.stderr
    assert snapshot(tmp_path) == before


def below_a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file" / "below"


def a_file(folder: Path) -> Path:
    (folder / "file").write_text("")
    return folder / "file"


def no_folder(folder: Path) -> Path:
    return folder / "none"


def a_folder_of_the_files_name(folder: Path) -> Path:
    (folder / "one_bias.py").mkdir()
    return folder


def closed(folder: Path) -> Path:
    """A folder without leave to write; root has leave everywhere, but in /proc nothing can be made."""
    found = folder / "closed"
    found.mkdir(mode=0o500)
    return Path("/proc") if os.access(found, os.W_OK) else found


UNWRITABLE = [
    # claim,                       where,                       what is said
    ("below a regular file",       below_a_file,                "there is no such folder"),
    ("a regular file",             a_file,                      "is not a folder"),
    ("no such folder",             no_folder,                   "there is no such folder"),
    ("a folder stands in the way", a_folder_of_the_files_name,  "cannot be written: Is a directory"),
    ("a closed folder",            closed,                      "one_bias.py: cannot be written: "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("where", "said"), [row[1:] for row in UNWRITABLE], ids=[row[0] for row in UNWRITABLE]
)
def test_a_folder_that_cannot_be_written_is_one_clear_line(
    tmp_path: Path, where: Callable[[Path], Path], said: str
) -> None:
    folder = where(tmp_path)
    before = snapshot(tmp_path)
    line = says_one_line(symgrad("generate", "one_bias", "-o", folder))
    assert said in line
    assert str(folder) in line
    assert snapshot(tmp_path) == before


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="there are no named pipes")
@pytest.mark.parametrize(
    "arguments",
    [("generate", "one_bias"), ("derive", "one_bias", "-o", "one_bias.py")],
    ids="-".join,
)
def test_a_pipe_or_a_device_is_not_replaced_by_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.chdir(tmp_path)
    os.mkfifo("one_bias.py")
    assert "cannot be written: it is no regular file" in says_one_line(symgrad(*arguments))
    assert [p.is_fifo() for p in tmp_path.iterdir()] == [True]


def test_a_new_file_has_the_usual_permissions_and_an_old_one_keeps_its_own(tmp_path: Path) -> None:
    (tmp_path / "usual").write_text("")
    assert symgrad("generate", "one_bias", "-o", tmp_path).exit_code == 0
    module = tmp_path / "one_bias.py"
    assert module.stat().st_mode == (tmp_path / "usual").stat().st_mode
    module.chmod(0o640)
    assert symgrad("generate", "one_bias", "-o", tmp_path).exit_code == 0
    assert module.stat().st_mode & 0o7777 == 0o640


def test_a_link_still_leads_to_the_file_that_is_written(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "one_bias.py").symlink_to(tmp_path / "elsewhere" / "one_bias.py")
    assert symgrad("generate", "one_bias", "-o", tmp_path).exit_code == 0
    assert (tmp_path / "one_bias.py").is_symlink()
    assert [p.name for p in (tmp_path / "elsewhere").iterdir()] == ["one_bias.py"]


# ---- what can only be derived -------------------------------------------------------------------


def test_a_spec_with_a_declared_function_has_nothing_to_generate(tmp_path: Path) -> None:
    (tmp_path / "declared.toml").write_text(DECLARED)
    line = says_one_line(symgrad("generate", tmp_path / "declared.toml", "-o", tmp_path))
    assert "nothing to generate: sigma is an undefined function" in line
    assert str(tmp_path / "declared.toml") in line
    assert [p.name for p in tmp_path.iterdir()] == ["declared.toml"]


def test_a_built_in_spec_with_a_declared_function_is_not_in_the_tree(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "declared.toml").write_text(DECLARED)
    (tmp_path / "small.toml").write_text(SMALL)
    monkeypatch.setattr("symgrad.catalog.builtin.FOLDER", tmp_path)
    assert list(generated_tree.tree()) == ["manifest.json", "numpy/small.py"]


# ---- the tree -----------------------------------------------------------------------------------


def test_generated_has_no_diff() -> None:
    found = generated_tree.differences(ROOT / "generated", files(), whole=True)
    assert [(d.path, d.what) for d in found] == []
    assert generated_tree.source_tree() == ROOT / "generated"


def test_the_tree_holds_every_built_in_spec_and_the_manifest_lists_it(tree: Path) -> None:
    manifest = json.loads((tree / "manifest.json").read_text())["files"]
    modules = [f"numpy/{name}.py" for name in NAMES]
    assert len(modules) >= 5
    assert list(manifest) == modules
    assert generated_tree.present(tree) == ["manifest.json", *modules]
    for path, row in manifest.items():
        module = (tree / path).read_text()
        assert f'SPEC_HASH = "{row["spec_hash"]}"\n' in module
        assert f'VERSION = "{row["version"]}"\n' in module
        assert row["spec"] == Path(path).stem
        assert len(row["sha256"]) == 64


def listed_orphan(tree: Path) -> None:
    """A module that an older catalogue had, in the manifest too."""
    (tree / "numpy" / "gone.py").write_text("x = 1\n")
    manifest = json.loads((tree / "manifest.json").read_text())
    manifest["files"]["numpy/gone.py"] = {"spec": "gone"}
    (tree / "manifest.json").write_text(json.dumps(manifest))


def lost_folder(tree: Path) -> None:
    for path in (tree / "numpy").iterdir():
        path.unlink()
    (tree / "numpy").rmdir()


TREES: list[tuple[str, Tamper, list[str]]] = [
    # claim,                        what is done to the tree,                             what is reported
    ("a module edited by hand",     lambda t: edit(lambda b: b + b"#\n")(t / "numpy/gru.py"), ["stale: numpy/gru.py"]),
    ("a module that is gone",       lambda t: (t / "numpy/gru.py").unlink(),              ["missing: numpy/gru.py"]),
    ("all modules gone",            lost_folder,                                          [f"missing: numpy/{n}.py" for n in NAMES]),
    ("an orphan that is listed",    listed_orphan,                                        ["orphaned: numpy/gone.py", "stale: manifest.json"]),
    ("a file that nobody listed",   lambda t: (t / "numpy/own.py").write_text("x = 1\n"), ["orphaned: numpy/own.py"]),
    ("an empty file beside it",     lambda t: (t / "empty").write_text(""),               ["orphaned: empty"]),
    ("a link that leads nowhere",   lambda t: (t / "link").symlink_to(t / "none"),        ["orphaned: link"]),
    ("an edited manifest",          lambda t: edit(lambda b: b.replace(b"sha256", b"sha257"))(t / "manifest.json"), ["stale: manifest.json"]),
    ("a manifest that is no JSON",  lambda t: (t / "manifest.json").write_text("{"),      ["stale: manifest.json"]),
    ("a manifest of another form",  lambda t: (t / "manifest.json").write_text("[1]"),    ["stale: manifest.json"]),
    ("a manifest that is gone",     lambda t: (t / "manifest.json").unlink(),             ["missing: manifest.json"]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("tamper", "reported"), [row[1:] for row in TREES], ids=[row[0] for row in TREES]
)
def test_check_fires_on_a_tree_writes_nothing_and_says_what_mends_it(
    tree: Path, tamper: Tamper, reported: list[str]
) -> None:
    tamper(tree)
    before = snapshot(tree)
    result = symgrad("generate", "--all", "-o", tree, "--check")
    assert result.exit_code == 1
    words = ("stale: ", "missing: ", "orphaned: ")
    told = [line for line in result.stdout.splitlines() if line.startswith(words)]
    assert sorted(told) == sorted(r.replace(": ", f": {tree}/") for r in reported)
    assert snapshot(tree) == before
    assert set(mended(result)) == {0}
    assert symgrad("generate", "--all", "-o", tree, "--check").exit_code == 0


def test_a_tree_as_it_was_generated_passes_and_pythons_cache_is_no_part_of_it(tree: Path) -> None:
    (tree / "numpy" / "__pycache__").mkdir()
    (tree / "numpy" / "__pycache__" / "gru.pyc").write_bytes(b"")
    result = symgrad("generate", "--all", "-o", tree, "--check")
    assert (result.exit_code, result.stderr) == (0, "")


def test_a_rebuild_removes_what_the_manifest_listed_and_leaves_other_files(tree: Path) -> None:
    listed_orphan(tree)
    (tree / "numpy" / "own.py").write_text("x = 1\n")
    result = symgrad("generate", "--all", "-o", tree)
    assert result.exit_code == 0
    assert result.stderr == f"note: {tree / 'numpy/own.py'} belongs to no spec\n"
    assert not (tree / "numpy" / "gone.py").exists()
    assert (tree / "numpy" / "own.py").read_text() == "x = 1\n"


@pytest.mark.parametrize(
    "path", ["../kept.py", "numpy/../../kept.py", "/kept.py", "numpy/kept.txt", ""]
)
def test_a_manifest_removes_nothing_but_modules_of_the_tree(tree: Path, path: str) -> None:
    (tree.parent / "kept.py").write_text("x = 1\n")
    (tree / "numpy" / "kept.txt").write_text("x\n")
    (tree / "manifest.json").write_text(json.dumps({"files": {path: {}}}))
    assert symgrad("generate", "--all", "-o", tree).exit_code == 0
    assert (tree.parent / "kept.py").exists()
    assert (tree / "numpy" / "kept.txt").exists()


def test_a_rebuild_that_fails_leaves_the_tree(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(tree)
    monkeypatch.setattr(generated_tree, "tree", broken)
    assert "it broke" in says_one_line(symgrad("generate", "--all", "-o", tree))
    assert snapshot(tree) == before


def test_one_module_does_not_touch_the_manifest(tree: Path) -> None:
    before = (tree / "manifest.json").stat().st_mtime_ns
    assert symgrad("generate", "gru", "-o", tree / "numpy").exit_code == 0
    assert (tree / "manifest.json").stat().st_mtime_ns == before


def test_all_without_a_source_tree_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SymgradError, match="run it from a clone, or name a folder with -o"):
        generated_tree.source_tree(tmp_path / "symgrad")


@pytest.mark.parametrize("arguments", [[], ["gru", "--all"]], ids=["neither", "both"])
def test_exactly_one_of_spec_and_all_is_asked_for(arguments: list[str]) -> None:
    result = symgrad("generate", *arguments)
    assert result.exit_code == 2
    assert "name one SPEC, or say --all" in result.stderr


# ---- what a module needs ------------------------------------------------------------------------


def test_a_module_imports_only_numpy() -> None:
    modules = {path: text for path, text in files().items() if path.endswith(".py")}
    assert len(modules) >= 5
    for path, text in modules.items():
        found = [n for n in ast.walk(ast.parse(text)) if isinstance(n, ast.Import | ast.ImportFrom)]
        assert [ast.unparse(n) for n in found] == ["import numpy as np"], path


RUN_ALONE = """
import runpy, sys
import numpy as np
np.random.default_rng(0)  # it brings modules of its own
before = set(sys.modules)
for path in sys.argv[1:]:
    module = runpy.run_path(path)
    if module["PARAMETERS"]:
        assert np.isfinite(module["init"](np.random.default_rng(0)).flat).all()
new = {name.partition(".")[0] for name in set(sys.modules) - before}
print(sorted(new - {"numpy"} - set(sys.stdlib_module_names)), len(sys.argv) - 1)
"""


def test_a_module_runs_where_symgrad_cannot_be_imported(tree: Path) -> None:
    modules = sorted((tree / "numpy").glob("*.py"))
    command = [sys.executable, "-I", "-c", RUN_ALONE, *map(str, modules)]
    result = subprocess.run(command, cwd=tree, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout) == (0, f"[] {len(modules)}\n"), result.stderr
