"""`symgrad demo`: it does what its commands do, reaches its bias, and reads well anywhere."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from terminal import COLOUR, ESCAPE, in_a_pipe, in_a_terminal

import symgrad as sg
from symgrad.cli import main
from symgrad.explain.one_bias import training

FILES = (
    "cartpole_reinforce.py",
    "cartpole_reinforce.toml",
    "one_bias.py",
    "one_bias.toml",
    "one_bias.txt",
    "train_one_bias.py",
)
MEAN = re.compile(r"^b = (-\d+\.\d+) on average over the last 5,000 visits$", re.M)
COMMAND = re.compile(r"^\$ (.+)$", re.M)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def printed(folder: Path) -> str:
    """What the demo says in a pipe, its files in folder/tour."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        done = in_a_pipe("demo", "-o", "tour")
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir()) if path.is_file()}


def test_the_files_are_there_and_named_and_nothing_else_is(printed: str, folder: Path) -> None:
    assert sorted(path.name for path in (folder / "tour").iterdir()) == list(FILES)
    ending = printed[printed.index("Where the files are") :]
    assert [name for name in FILES if f"tour/{name} " not in ending] == []


@pytest.mark.parametrize("name", ["one_bias", "cartpole_reinforce"])
def test_a_module_has_the_bytes_of_generate(name: str, printed: str, folder: Path) -> None:
    assert (folder / "tour" / f"{name}.py").read_text(encoding="utf-8") == sg.generate(name)


def test_each_command_that_is_shown_makes_the_same_file_or_says_the_same(
    printed: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("tour").mkdir()
    commands = [shlex.split(line) for line in COMMAND.findall(printed)]
    assert [words[1] for words in commands if words[0] == "symgrad"] == [
        "new", "derive", "generate", "check", "new", "generate", "check"
    ]  # fmt: skip
    for words in commands:
        if words[0] == "symgrad":
            done = in_a_pipe(*words[1:])
        else:
            script = str(folder / "tour" / Path(words[1]).name)
            done = subprocess.run(
                [sys.executable, "-B", script], capture_output=True, text=True, check=False
            )
        assert (done.returncode, done.stderr) == (0, ""), words
        if words[1] not in ("new", "derive", "generate"):
            said = done.stdout.splitlines()
            assert [line for line in said[-1:] if f"\n{line}\n" not in printed] == []
            assert len(said) > 10
    made = contents(tmp_path / "tour")
    assert made == {n: b for n, b in contents(folder / "tour").items() if n in made}
    assert set(FILES) - set(made) == {"train_one_bias.py"}


def test_the_bias_ends_near_minus_ten_by_its_own_account(printed: str) -> None:
    (mean,) = MEAN.findall(printed)
    assert abs(float(mean) + 10) < 0.5
    rows = re.findall(
        r"^visit +([\d,]+) of 10,000   b = +(-\d+\.\d{4})   (\d+\.\d)% right$", printed, re.M
    )
    assert [int(visit.replace(",", "")) for visit, *_ in rows] == list(range(1000, 10001, 1000))
    assert min(float(right) for *_, right in rows) > 85


def test_the_script_trains_as_the_derivation_says(folder: Path, printed: str) -> None:
    """The same visits and the same bias after each, from the module and from the derivation."""
    script = (folder / "tour" / "train_one_bias.py").read_text(encoding="utf-8")
    short = script.replace("10_000, 1_000", "500, 1")
    assert short != script
    (folder / "short").mkdir(exist_ok=True)
    (folder / "short" / "short.py").write_text(short, encoding="utf-8")
    (folder / "short" / "one_bias.py").write_text(sg.generate("one_bias"), encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(folder / "short" / "short.py")],
        capture_output=True,
        text=True,
        check=True,
    )
    found = [float(b) for b in re.findall(r"b = +(-?\d+\.\d{4}) ", done.stdout)]
    expected = [float(v.update.after["b"]) for v in training(sg.load("one_bias"))]
    assert len(found) == len(expected) == 500
    np.testing.assert_allclose(found, expected, atol=5.1e-5, rtol=0)


NUMBERS = (
    "dC/db = 2 * 0.25 * 1",
    "= 0.5",
    "= -0.5",
    "p = 0.3775407",
    "= -0.6224593",
    "= -1.1224593",
)


def test_the_derivation_is_shown_with_the_lessons_numbers(printed: str, folder: Path) -> None:
    lines = [line.strip() for line in printed.splitlines()]
    assert [n for n in NUMBERS if not any(n in line for line in lines)] == []
    whole = (folder / "tour" / "one_bias.txt").read_text(encoding="utf-8")
    assert whole == sg.derive("one_bias").text(100)
    (steps,) = re.findall(r"All of its (\d+) steps", printed)
    assert f"({steps}) " in whole
    assert f"({int(steps) + 1}) " not in whole


def test_code_that_is_shown_stands_in_the_files(printed: str, folder: Path) -> None:
    module = (folder / "tour" / "one_bias.py").read_text(encoding="utf-8")
    shown = printed[printed.index("in value_and_grad:\n") + 19 : printed.index("\n\n4. ")]
    assert shown.count("\n") > 10
    assert shown in module
    spec = (folder / "tour" / "cartpole_reinforce.toml").read_text(encoding="utf-8")
    assert spec[spec.index("[networks.policy]") :] in printed


def test_both_checks_pass(printed: str) -> None:
    found = re.findall(r"^(\w+) (\w+\.py): \d+ blocks, (\d+) entries", printed, re.M)
    assert [(verdict, name) for verdict, name, _ in found] == [
        ("PASS", "one_bias.py"),
        ("PASS", "cartpole_reinforce.py"),
    ]
    assert all(int(entries) > 0 for *_, entries in found)


def test_in_a_pipe_it_is_plain_tidy_and_the_same_again(printed: str, folder: Path) -> None:
    assert "\x1b" not in printed
    lines = printed.splitlines()
    assert [line for line in lines if line != line.rstrip()] == []
    prose = [line for line in lines if not line.startswith(" ")]
    assert [line for line in prose if len(line) > 105] == []
    before = contents(folder / "tour")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        again = in_a_pipe("demo", "-o", "tour")
    assert (again.returncode, again.stdout) == (0, printed)
    assert contents(folder / "tour") == before


PLACES = [
    # width,  variables,              colours,  the bar moves
    ("100",   {},                     True,     True),
    ("38",    {"NO_COLOR": "1"},      False,    True),
    ("80",    {"TERM": "dumb"},       False,    False),
]  # fmt: skip


@pytest.mark.parametrize(("width", "variables", "colours", "bar"), PLACES, ids=str)
def test_a_terminal_sees_the_same_facts(
    width: str,
    variables: dict[str, str],
    colours: bool,
    bar: bool,
    printed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    code, seen = in_a_terminal("demo", COLUMNS=width, **variables)
    assert code == 0
    assert bool(COLOUR.search(seen)) == colours
    plain = ESCAPE.sub("", seen)
    assert ("100%" in plain) == bar
    lines = [line.strip() for line in re.split("[\n\r]", plain)]
    assert [n for n in NUMBERS if not any(n in line for line in lines)] == []
    assert COMMAND.findall("\n".join(lines)) == [
        line.replace("tour/", "symgrad-demo/").replace("-o tour", "-o symgrad-demo")
        for line in COMMAND.findall(printed)
    ]
    assert MEAN.findall("\n".join(lines)) == MEAN.findall(printed)
    rules = [line for line in lines if line.endswith("\u2500" * 3) or re.match(r"\d\. ", line)]
    fitting = lines if int(width) >= 80 else rules  # an equation is not broken
    assert [line for line in fitting if len(line) > int(width)] == []
    assert "\u2026" not in plain  # nothing is cut short
    assert sorted(contents(tmp_path / "symgrad-demo")) == list(FILES)


REFUSED = [
    # claim,                        what is there,                              what is said
    ("a spec that was changed",     {"tour/one_bias.toml": "mine"},             "tour/one_bias.toml: exists, and is not what the demo writes"),
    ("a script that was changed",   {"tour/train_one_bias.py": "mine"},         "tour/train_one_bias.py: exists, and is not what the demo writes"),
    ("a file as the folder",        {"tour": "mine"},                           "tour: is not a folder"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "said"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED])
def test_what_is_not_the_demos_is_left_alone(
    files: dict[str, str], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, text in files.items():
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text)
    result = CliRunner().invoke(main, ["demo", "-o", "tour"])
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert {name: Path(name).read_text() for name in files} == files


def test_a_folder_in_no_folder_is_refused(tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "none" / "tour")])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "there is no such folder" in result.stderr


def test_a_training_that_breaks_fails_the_demo_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("symgrad.tour.templates_dir", lambda: tmp_path)
    (tmp_path / "tour").mkdir()
    (tmp_path / "tour" / "train_one_bias.py").write_text("raise ValueError('no way')\n")
    result = CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "out")])
    assert result.exit_code == 2
    assert "the training failed: ValueError: no way" in result.stderr


def test_a_check_that_fails_is_the_demos_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = sg.generate("cartpole_reinforce").replace(
        "    return loss, grads\n", "    grads.W1 *= 2\n    return loss, grads\n"
    )
    right = sg.generate("one_bias")
    monkeypatch.setattr("symgrad.api.generate", lambda s: right if s.name == "one_bias" else wrong)
    result = CliRunner().invoke(main, ["demo", "-o", str(tmp_path / "out")])
    assert result.exit_code == 1
    assert "FAIL cartpole_reinforce.py" in result.stdout
