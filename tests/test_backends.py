"""Every backend, one row each, writes modules that are known as symgrad's and pass the check."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import symgrad as sg
from symgrad.cli import main
from symgrad.emit.backends import BACKENDS, DEFAULT, Backend
from symgrad.generated_tree import LISTED, MARK

SPECS = ("one_bias", "softmax_policy", "gru")
CASES = [pytest.param(*case, id=f"{case[0].name}-{case[1]}") for case in product(BACKENDS.values(), SPECS)]  # fmt: skip


def symgrad(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.mark.parametrize(("backend", "name"), CASES)
def test_what_a_backend_writes_states_its_spec_and_passes_the_check(
    backend: Backend, name: str, tmp_path: Path
) -> None:
    done = symgrad("generate", name, "--backend", backend.name, "-o", tmp_path)
    assert done.exit_code == 0, done.output
    path = tmp_path / f"{name}{backend.suffix}"
    text = path.read_text(encoding="utf-8")
    assert text == sg.generate(name, backend.name)
    assert f'{MARK}"{sg.load(name).hash}"\n' in text
    assert LISTED.fullmatch(f"{backend.name}/{path.name}")
    if backend.suffix == ".py":
        assert sg.check(path).verdict == "PASS"


def test_the_default_is_a_backend() -> None:
    assert sg.generate("one_bias") == sg.generate("one_bias", DEFAULT)


REFUSED = [
    # arguments,                                            what is said
    (("generate", "one_bias", "--backend", "numpyy"),       'no backend is named "numpyy"; did you mean "numpy"? known: '),
    (("generate", "one_bias", "--backend", "../x"),         'no backend is named "../x"; known: '),
    (("generate", "--all", "--backend", "numpy"),           "--all writes the modules of every backend"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), REFUSED, ids=lambda value: str(value)[:40])
def test_a_backend_that_does_not_fit_is_refused(
    arguments: tuple[str, ...], said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = symgrad(*arguments)
    assert done.exit_code == 2
    assert said in done.output
    assert list(tmp_path.iterdir()) == []


def test_a_stale_file_is_mended_by_the_backend_that_wrote_it(tmp_path: Path) -> None:
    done = symgrad("generate", "one_bias", "--backend", "numpy", "--check", "-o", tmp_path)
    assert done.exit_code == 1
    assert f"symgrad generate one_bias -o {tmp_path} --backend numpy" in done.output
