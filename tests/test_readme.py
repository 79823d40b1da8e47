"""README.md: each command that it shows runs, and prints what stands below it."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from terminal import ROOT, in_a_pipe

import symgrad as sg

README = (ROOT / "README.md").read_text(encoding="utf-8")
FILE = re.compile(r"^<!-- file: (\S+) -->\n```\w+\n(.*?)^```$", re.M | re.S)
CONSOLE = re.compile(r"^```console\n(.*?)^```$", re.M | re.S)
COMMAND = re.compile(r"^\$ (.+)\n", re.M)
FIGURES = re.compile(r"^( \w+ +PASS [^A-Za-z]*?\d+ ) .*$", re.M)
"""A row of `check`. Which entry is the worst, and by how much, is a matter of the last bit."""


def sessions(page: str) -> list[tuple[str, str]]:
    """Each command of a page and the output below it, in order."""
    found = []
    for block in CONSOLE.findall(page):
        _, *parts = COMMAND.split(block)
        found += list(zip(parts[::2], parts[1::2], strict=True))
    return found


SESSIONS = sessions(README)
FILES: dict[str, str] = dict(FILE.findall(README))


def fits(printed: str, shown: str) -> bool:
    """Whether a command printed what is shown; a line `...` stands for any lines."""
    lines = FIGURES.sub(r"\1", shown).splitlines()
    parts = ["(?:.*\n)*?" if line == "..." else re.escape(line) + "\n" for line in lines]
    return re.fullmatch("".join(parts), FIGURES.sub(r"\1", printed)) is not None


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What each command prints, all run in one folder that holds the files of the page."""
    folder = tmp_path_factory.mktemp("readme")
    for name, text in FILES.items():
        (folder / name).write_text(text, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return {command: output(*shlex.split(command)) for command, _ in SESSIONS}


def output(program: str, *arguments: str) -> str:
    if program == "symgrad":
        done = in_a_pipe(*arguments)
    else:
        assert program == "python"
        done = subprocess.run(
            [sys.executable, *arguments], capture_output=True, encoding="utf-8", check=False
        )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(("command", "shown"), SESSIONS, ids=[command for command, _ in SESSIONS])
def test_a_command_prints_what_the_readme_shows(
    command: str, shown: str, outputs: dict[str, str]
) -> None:
    assert fits(outputs[command], shown), f"$ {command}\n{outputs[command]}"


def test_the_readme_shows_the_verbs_and_one_derivation_whole() -> None:
    commands = [command.split()[:2] for command, _ in SESSIONS]
    assert [["symgrad", verb] for verb in ("derive", "generate", "check")] == commands[:3]
    whole = [shown for command, shown in SESSIONS if "derive" in command and "...\n" not in shown]
    assert len(whole) == 1
    assert "What the gradient assumes\n" in whole[0]
    assert set(FILES) == {"policy.toml", "train.py", "neuron.toml"}


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("dW1[i,j] += dz1[b,i]*obs[b,j]", "dW1[i,j] += dz1[b,i]*obs[b,i]"),
        ("     in matrices: dL/dz1 = dh1 (.) (1 - h1 (.) h1)\n...\n", ""),
        ("wrote policy.py", "wrote policy"),
        ("rules of conduct kept", "rules of conduct broken"),
        ("PASS            2       0", "PASS            3       0"),
        ("%", ""),
    ],
)
def test_output_that_is_not_what_was_printed_does_not_fit(
    right: str, wrong: str, outputs: dict[str, str]
) -> None:
    changed = [(c, shown.replace(right, wrong, 1)) for c, shown in SESSIONS if right in shown]
    assert changed
    assert [command for command, shown in changed if fits(outputs[command], shown)] == []


BLOCK = re.compile(r"^<!-- ci: (\w+) -->\n```sh\n(.*?)\n```$", re.M | re.S)


def test_the_two_commands_set_up_and_run_the_tour_and_the_tests() -> None:
    """.ci/run runs both as they stand."""
    blocks = dict(BLOCK.findall(README))
    assert set(blocks) == {"job", "test"}
    assert blocks["job"].endswith("&& .venv/bin/symgrad demo")
    assert "pytest" in blocks["test"]
    for block in blocks.values():
        assert "\n" not in block
        assert block.startswith("python3 -m venv .venv && .venv/bin/pip install -q -e ")


def test_what_the_readme_links_to_is_there() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert {"docs/notation.md", "docs/derivation.md", "docs/training.md"} < set(links)
    assert [link for link in links if "://" not in link and not (ROOT / link).exists()] == []


def test_every_verb_and_name_that_the_text_mentions_exists() -> None:
    verbs = set(re.findall(r"`(?:\S*/)?symgrad (\w+)", README))
    assert {"new", "list", "derive"} <= verbs
    for verb in verbs:
        assert in_a_pipe(verb, "--help").returncode == 0
    names = re.findall(r"`sg\.(\w+)`", README)
    assert names
    assert [name for name in names if name not in sg.__all__] == []
    assert (ROOT / Path("benchmarks/derive.py")).exists()
