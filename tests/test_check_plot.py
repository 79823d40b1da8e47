"""check --plot draws the error against the step; a terminal sees how far a check has come."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import symgrad as sg
from symgrad.cli import main
from symgrad.terminal import progress
from symgrad.verify.verdict import Curve, Report

WRONG = ("dz1 *= dh1", "dz1 *= 1.001*dh1")


@pytest.fixture(scope="module")
def right() -> Report:
    return sg.check("one_bias", draw=True)


@pytest.fixture(scope="module")
def wrong(tmp_path_factory: pytest.TempPathFactory) -> Report:
    text = sg.generate("softmax_policy")
    head, tail = text.split("def value_and_grad", 1)
    assert WRONG[0] in tail
    path = tmp_path_factory.mktemp("wrong") / "softmax_policy.py"
    path.write_text(f"{head}def value_and_grad{tail.replace(*WRONG)}", encoding="utf-8")
    return sg.check(path, draw=True)


def in_numbers(report: Report, numbers: str) -> list[Curve]:
    return [curve for curve in report.curves if curve.numbers == numbers]


def test_the_error_of_a_right_gradient_is_a_v_in_float64(right: Report) -> None:
    found = in_numbers(right, "float64")
    assert found
    for curve in found:
        assert min(curve.errors) < 1e-6 * max(curve.errors)
        assert curve.errors[0] > min(curve.errors) < curve.errors[-1]


def test_in_60_digits_it_falls_to_the_rounding_of_the_code_and_stays(right: Report) -> None:
    found = in_numbers(right, "60 digits")
    assert found
    for curve in found:
        assert curve.errors[-1] < 1e-15
        assert curve.errors[-1] <= 2 * min(curve.errors) + 1e-17


def test_the_error_of_a_wrong_gradient_is_a_plateau_and_stands_first(wrong: Report) -> None:
    assert {block.name for block in wrong.failures} == {"W1", "c1"}
    assert wrong.curves[0].place.startswith(("W1[", "c1["))
    for curve in in_numbers(wrong, "60 digits"):
        flat = curve.errors[10] == pytest.approx(curve.errors[-1], rel=1e-6)
        if curve.place.startswith(("W1[", "c1[")):
            assert flat
            assert curve.errors[-1] > 1e-7
        else:
            assert curve.errors[-1] < 1e-15


def test_without_being_asked_nothing_is_drawn() -> None:
    assert sg.check("one_bias").curves == ()


@pytest.mark.parametrize(("name", "starts"), [("v.png", b"\x89PNG"), ("v.SVG", b"<?xml")])
def test_plot_writes_the_picture_that_its_name_asks_for(
    tmp_path: Path, name: str, starts: bytes
) -> None:
    result = CliRunner().invoke(main, ["check", "one_bias", "--plot", str(tmp_path / name)])
    assert result.exit_code == 0, result.output
    written = (tmp_path / name).read_bytes()
    assert written.startswith(starts)
    CliRunner().invoke(main, ["check", "one_bias", "--plot", str(tmp_path / name)])
    assert (tmp_path / name).read_bytes() == written


@pytest.mark.parametrize(
    ("name", "said"),
    [("v.gif", 'ends in ".gif", expected .png or .svg'), ("none/v.png", "there is no folder")],
)
def test_a_picture_that_cannot_be_written_is_refused_before_the_check(
    tmp_path: Path, name: str, said: str
) -> None:
    result = CliRunner().invoke(main, ["check", "one_bias", "--plot", str(tmp_path / name)])
    assert result.exit_code == 2
    assert said in result.output


def test_without_matplotlib_plot_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    monkeypatch.delitem(sys.modules, "symgrad.verify.plot", raising=False)
    result = CliRunner().invoke(main, ["check", "one_bias", "--plot", str(tmp_path / "v.png")])
    assert result.exit_code == 2
    assert "extra `plot`" in result.output


def test_who_watches_is_told_of_every_block_once() -> None:
    told: list[tuple[int, str]] = []
    report = sg.check("one_bias", watch=lambda more, name: told.append((more, name)))
    done = [name for more, name in told if more == -1]
    assert sum(more for more, _ in told) == 0
    assert done == [block.name for block in report.blocks]


def test_a_terminal_sees_a_bar_and_a_pipe_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "xterm")
    seen = Terminal()
    monkeypatch.setattr(sys, "stderr", seen)
    with progress() as watch:
        assert watch is not None
        watch(2, "")
        watch(-1, "W1")
        watch(-1, "c1")
    assert "2/2" in seen.getvalue()
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with progress() as watch:
        assert watch is None
