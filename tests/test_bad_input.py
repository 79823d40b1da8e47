"""Each bad spec gives one line: the place, what came, what was expected."""

from __future__ import annotations

import json
import os
import random
import re
import subprocess
import sys
from pathlib import Path

import bad_networks
import bad_specs
import pytest
from bad_specs import Bad
from click.testing import CliRunner

from symgrad.cli import main
from symgrad.errors import SymgradError
from symgrad.spec import load, parse_spec

CASES = [*bad_specs.cases(), *bad_networks.cases()]
ROOT = Path(__file__).resolve().parents[1]
SPECS = sorted((ROOT / "symgrad" / "catalog" / "specs").glob("*.toml"))
OLD = '\nSPEC_HASH = "old"\n'
PIECES = (
    "[", "]", "(", ")", "+", "-", "/", "//", "**", "<", "<=", "=", "+=", ",", ":", " for ", "pad(", "sum(i:",
    "max(v:", "where(", "stop(", "t", "b", "i", "B", "T", "0", "2.5", "1e9", "h", "h[b,t+1,i]", "inf", "not ",
    "\n", "#", '"', "real", "int", "argmax(i:", "logsumexp(i:", "loss",
)  # fmt: skip


def test_there_are_at_least_a_hundred_cases_and_no_claim_twice() -> None:
    claims = [case.claim for case in CASES]
    assert len(claims) >= 100
    assert len(set(claims)) == len(claims)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_a_bad_spec_is_refused_with_its_place_and_nothing_is_written(
    case: Bad, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("spec.toml").write_bytes(case.text.encode())
    Path("spec.py").write_text(OLD)
    result = CliRunner().invoke(main, ["generate", "spec.toml"])
    assert (result.exit_code, result.stdout, type(result.exception)) == (2, "", SystemExit)
    (line,) = result.stderr.splitlines()
    assert line.startswith(
        f"error: spec.toml:{case.place}: " if case.place else "error: spec.toml: "
    )
    assert [word for word in case.words if word not in line] == []
    assert line.isascii()
    assert len(line) < 2_000
    assert {path.name for path in tmp_path.iterdir()} == {"spec.toml", "spec.py"}
    assert Path("spec.py").read_text() == OLD


COMPILED = """
import json, sys
import numpy.random, sympy
import bad_networks, bad_specs
import symgrad as sg
from symgrad.errors import SymgradError

sg.generate("one_bias")  # the templates are compiled, once
seen = []
sys.addaudithook(lambda event, told: event == "compile" and seen.append(str(told)[:200]))
for name in ("one_bias", "gru", "cartpole_dqn"):
    spec = sg.parse(sg.load(name).source)
    sg.derive(spec).text()
    sg.generate(spec)
for case in [*bad_specs.cases(), *bad_networks.cases()]:
    try:
        sg.parse(case.text)
    except SymgradError:
        continue
before = list(seen)
sympy.sympify("w1*2")
print(json.dumps([before, [text for text in seen if "w1" in text]]))
"""


def test_no_text_of_a_spec_is_compiled_as_code() -> None:
    """Python tells a hook what it compiles; a planted sympify is told too."""
    done = subprocess.run(
        [sys.executable, "-c", COMPILED],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])},
        capture_output=True,
        text=True,
        check=True,
    )
    before, planted = json.loads(done.stdout)
    assert before == []
    assert planted != []


def test_a_spec_named_like_code_is_refused() -> None:
    with pytest.raises(SymgradError, match="underscore"):
        parse_spec('equations = "loss = 1"', "__import__('os')")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.toml", None, "cannot be read: No such file"),
        ("latin.toml", b"# ok\n# \xff\n", "latin.toml:2: not UTF-8, which TOML is; save it"),
        ("a-b.toml", b'equations = "loss = 1"', '"a-b" is not a name'),
        ("large.toml", b"#" * 1_100_000, "1024 kB"),
        ("nul.toml", b"\x00", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(
    tmp_path: Path, name: str, content: bytes | None, words: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SymgradError) as caught:
        load(path)
    assert words in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_a_spec(tmp_path: Path) -> None:
    path = tmp_path / "marked.toml"
    text = "outputs = ['one']\nequations = 'one = 1'\n"
    path.write_text(text, encoding="utf-8-sig")
    assert load(path) == parse_spec(text, "marked")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SymgradError, match="cannot be read"):
        load(tmp_path)


def mutated(text: str, rng: random.Random) -> str:
    """A few tokens dropped, doubled or exchanged."""
    parts = re.findall(r"\w+|\s+|[^\w\s]", text)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(len(parts))
        piece = rng.choice((rng.choice(PIECES), rng.choice(parts), ""))
        parts[at : at + rng.randrange(2)] = [piece]
    return "".join(parts)


def test_a_spec_with_a_slip_is_refused_in_one_line_or_reads_back() -> None:
    rng = random.Random(0)
    texts = [path.read_text(encoding="utf-8") for path in SPECS]
    refused = []
    for _ in range(300):
        try:
            found = parse_spec(mutated(rng.choice(texts), rng), "spec")
        except SymgradError as error:
            refused.append(str(error))
            continue
        assert parse_spec(found.canonical(), "spec") == found
    assert [line for line in refused if len(line.splitlines()) != 1] == []
    assert 150 < len(refused) < 285
