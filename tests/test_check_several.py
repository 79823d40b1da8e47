"""`symgrad check A B` and `--all`: every one is checked, and the worst verdict is the exit code."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

import symgrad as sg
from symgrad import several
from symgrad.catalog.builtin import names, spec_path
from symgrad.cli import main
from symgrad.verify.runner import packed, unpacked
from symgrad.verify.subject import ONE_THREAD

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
    names = [subject.removesuffix(".toml") for subject in subjects]  # a spec's module is no file
    rows = [list(row) for row in zip(names, verdicts, strict=True)]
    assert [row for row in shown if row and row[0] in names] == rows
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
    assert "actor_weight " in result.stdout
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


def test_processes_compute_in_one_thread_unless_the_user_chose_and_the_environment_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ONE_THREAD:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before = dict(os.environ)
    with several.one_thread():
        assert {name: os.environ[name] for name in ONE_THREAD} == {
            **ONE_THREAD,
            "OMP_NUM_THREADS": "7",
        }
    assert dict(os.environ) == before


def test_a_spec_of_more_equations_and_gradients_is_begun_earlier() -> None:
    costs = [several._cost(name) for name in ("dpo", "cartpole_ppo", "one_bias", "none.py")]
    assert costs == sorted(costs, reverse=True)
    assert len({*costs}) == len(costs)


ARRAYS = [
    {},
    {"empty": np.zeros((0, 3))},
    {"a": np.arange(3.0), "none": np.zeros((2, 0)), "yes": np.array(True), "half": np.float32([2])},
    {"columns first": np.asfortranarray(np.arange(6).reshape(2, 3))},
]


@pytest.mark.parametrize("arrays", ARRAYS)
def test_arrays_come_back_as_they_were_and_can_be_written(
    arrays: dict[str, np.ndarray], tmp_path: Path
) -> None:
    came = unpacked(tmp_path / "a.bin", packed(tmp_path / "a.bin", arrays))
    assert list(came) == list(arrays)
    for name, array in arrays.items():
        assert (came[name].dtype, came[name].shape) == (array.dtype, array.shape)
        np.testing.assert_array_equal(came[name], array)
        assert came[name].flags.writeable


def test_what_is_no_number_is_not_passed_on(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="x holds object, which is no number"):
        packed(tmp_path / "a.bin", {"x": np.array([print])})
