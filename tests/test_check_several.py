"""`symgrad check A B` and `--all`: every one is checked, and the worst verdict is the exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import symgrad as sg
from symgrad import several
from symgrad.catalog.builtin import names, spec_path
from symgrad.cli import main

RIGHT = 'equations = "loss = w**2 + x"\n[params]\nw = "real"\n[data]\nx = "real"\n'
NOWHERE = 'equations = "loss = log(-1 - w**2)"\n[params]\nw = "real"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A right spec, one whose loss is nowhere finite, and a module with a wrong gradient."""
    (tmp_path / "right.toml").write_text(RIGHT)
    (tmp_path / "nowhere.toml").write_text(NOWHERE)
    text = sg.generate(sg.parse(RIGHT, "wrong"))
    wrong = text.replace("    return loss, grads\n", "    grads.w *= -1\n    return loss, grads\n")
    assert wrong != text
    (tmp_path / "wrong.py").write_text(wrong)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def check(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["check", *arguments])


WORST = [
    # what is checked,                           verdicts,                          exit code
    (["right.toml", "right.toml"],               ["PASS", "PASS"],                  0),
    (["right.toml", "nowhere.toml"],             ["PASS", "INCONCLUSIVE"],          3),
    (["right.toml", "wrong.py"],                 ["PASS", "FAIL"],                  1),
    (["wrong.py", "nowhere.toml", "right.toml"], ["FAIL", "INCONCLUSIVE", "PASS"],  1),
]  # fmt: skip


@pytest.mark.parametrize(("subjects", "verdicts", "code"), WORST)
def test_the_worst_verdict_is_the_exit_code(
    subjects: list[str], verdicts: list[str], code: int, folder: Path
) -> None:
    result = check(*subjects)
    assert (result.exit_code, result.stderr) == (code, "")
    shown = [line.split()[:2] for line in result.stdout.splitlines()]
    files = [str(Path(subject).with_suffix(".py")) for subject in subjects]
    rows = [list(row) for row in zip(files, verdicts, strict=True)]
    assert [row for row in shown if row and row[0] in files] == rows
    passed = verdicts.count("PASS")
    assert result.stdout.splitlines()[-1].endswith(f" {passed} of {len(verdicts)} passed")
    data = json.loads(check(*subjects, "--json").stdout)
    assert data["exit_code"] == code
    assert [report["verdict"] for report in data["reports"]] == verdicts


def test_what_fails_is_shown_in_full(folder: Path) -> None:
    shown = check("right.toml", "wrong.py").stdout
    alone = check("wrong.py").stdout
    assert alone.rstrip("\n") in shown


def test_all_are_the_built_in_specs_that_compute_something(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    undefined = {name for name in names() if sg.load(spec_path(name)).functions}
    assert undefined
    assert set(several.computing()) == {*names()} - undefined
    monkeypatch.setattr(several, "computing", lambda: ("actor_weight", "one_bias"))
    result = check("--all")
    assert result.exit_code == 0
    assert "actor_weight.py" in result.stdout
    assert result.stdout.endswith("PASS 2 of 2 passed\n")


WRONG = [
    # arguments,                          what is said
    ([],                                  "check: name a SPEC or a MODULE.py, or say --all; see"),
    (["--all", "right.toml"],             "check: name a SPEC or a MODULE.py, or say --all; see"),
    (["--all", "--plot", "v.svg"],        "check: --plot draws one check; name one SPEC or MODULE.py; see"),
    (["right.toml", "lecture_layer"],     "lecture_layer: there is nothing to check: sigma is an undefined function"),
    (["right.toml", "rihgt.toml"],        'did you mean "right.toml"?'),
    (["right.toml", "none.py"],           "none.py: cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), WRONG)
def test_what_cannot_be_checked_is_one_line_and_2(
    arguments: list[str], said: str, folder: Path
) -> None:
    result = check(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
