"""Each bad spec gives one line: the place, what came, what was expected."""

from __future__ import annotations

from pathlib import Path

import pytest

from symgrad.errors import SymgradError
from symgrad.spec import load, parse_spec
from bad_specs import Bad, cases

CASES = cases()


def test_there_are_at_least_a_hundred_cases_and_no_claim_twice() -> None:
    claims = [case.claim for case in CASES]
    assert len(claims) >= 100
    assert len(set(claims)) == len(claims)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.claim)
def test_a_bad_spec_is_refused_with_its_place(case: Bad) -> None:
    with pytest.raises(SymgradError) as caught:
        parse_spec(case.text, "spec", "spec.toml")
    line = str(caught.value)
    assert line.startswith(f"spec.toml:{case.place}: " if case.place else "spec.toml: ")
    assert [word for word in case.words if word not in line] == []
    assert line.isascii()
    assert len(line) < 2_000
    assert len(line.splitlines()) == 1


def test_a_spec_named_like_code_is_refused() -> None:
    with pytest.raises(SymgradError, match="underscore"):
        parse_spec('equations = "loss = 1"', "__import__('os')")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("missing.toml", None, "cannot be read: No such file"),
        ("latin.toml", b'# ok\n# \xff\n', "latin.toml:2: not UTF-8"),
        ("a-b.toml", b'equations = "loss = 1"', '"a-b" is not a name'),
        ("large.toml", b"#" * 1_100_000, "1024 kB"),
        ("nul.toml", b"\x00", "not TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes | None, words: str) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SymgradError) as caught:
        load(path)
    assert words in str(caught.value)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SymgradError, match="cannot be read"):
        load(tmp_path)
