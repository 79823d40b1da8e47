"""`symgrad new` and `symgrad show`: a first spec that checks, copies, and what is refused."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from terminal import COLOUR, ESCAPE, in_a_terminal

from symgrad.catalog.builtin import names, spec_path
from symgrad.cli import main
from symgrad.expand.networks import KEYS as NETWORK_KEYS
from symgrad.spec.read import KEYS

SMALL = 'equations = "loss = w**2"\n[params]\nw = "real"\n'


@pytest.fixture(autouse=True)
def empty(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def symgrad(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def refusal(*arguments: str | Path) -> str:
    """The one line of an error, which leaves everything as it was."""
    before = {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()}
    result = symgrad(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert {path: path.read_bytes() for path in Path().rglob("*") if path.is_file()} == before
    return line


# ---- a first spec -------------------------------------------------------------------------------


def test_a_new_spec_passes_its_check_and_trains_as_it_stands() -> None:
    made = symgrad("new", "first")
    assert (made.exit_code, made.stderr) == (0, "")
    assert made.stdout == "wrote first.toml; next: symgrad check first.toml\n"
    checked = symgrad("check", "first.toml")
    assert checked.exit_code == 0, checked.output
    assert checked.stdout.splitlines()[-1].startswith("PASS first: ")
    assert symgrad("derive", "first.toml").exit_code == 0
    assert symgrad("generate", "first.toml").stdout == "wrote first.py\n"
    code = "import first, numpy as np; print(first.init(np.random.default_rng(0)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("Params(W1=(16, 4)"), done.stderr


def test_a_new_spec_is_a_short_text_that_shows_what_there_is_to_write() -> None:
    symgrad("new", "first")
    lines = Path("first.toml").read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 50
    assert max(len(line) for line in lines) <= 100
    assert sum("#" in line for line in lines) >= 20
    text = "\n".join(lines)
    assert "NAME" not in text
    sections = ("sizes", "data", "networks.policy", "losses.actor", "params", "networks.old")
    assert [section for section in sections if f"[{section}]" not in text] == []
    assert {section.split(".")[0] for section in sections} <= set(KEYS)
    later = {"instead"}  # what a copy reads in the place of another's noise
    assert {key for key in NETWORK_KEYS if f"{key} = " not in text} == later


def test_what_the_first_spec_says_in_comments_works_when_it_is_written() -> None:
    """The named loss, the copy and the parameter of one's own."""
    symgrad("new", "first")
    text = Path("first.toml").read_text(encoding="utf-8")
    start = text.index('equations = """')
    end = text.index('"""\n', start + 16) + 4
    named = text[:start] + text[end:]
    offered = [line[6:] for line in named.splitlines() if line.startswith("#     ")]
    loss, *rest = [line for line in offered if "symgrad" not in line]
    assert loss.startswith("loss = ")
    before, _, after = named.partition('wrt = ["policy"]')
    extra = "\n".join(rest)
    spec = f'{before}wrt = ["policy"]\n{loss}\n{extra}\n{after}'
    spec = 'outputs = ["policy", "old", "y"]\nequations = "y[i] = sum(j: W[i,j])"\n' + spec
    Path("second.toml").write_text(spec, encoding="utf-8")
    result = symgrad("check", "second.toml")
    assert result.exit_code == 0, result.output


# ---- copies, names and paths --------------------------------------------------------------------


@pytest.mark.parametrize("name", names())
def test_a_copy_of_a_built_in_spec_and_show_have_its_bytes(name: str) -> None:
    original = spec_path(name).read_bytes()
    assert symgrad("new", "mine", "--from", name).exit_code == 0
    assert Path("mine.toml").read_bytes() == original
    assert symgrad("show", name).stdout.encode() == original
    assert symgrad("show", "mine.toml").stdout.encode() == original


def test_a_path_is_written_where_it_says(tmp_path: Path) -> None:
    (tmp_path / "specs").mkdir()
    assert symgrad("new", "specs/first.toml").exit_code == 0
    assert symgrad("new", tmp_path / "specs" / "second").exit_code == 0
    assert sorted(path.name for path in (tmp_path / "specs").iterdir()) == [
        "first.toml",
        "second.toml",
    ]


REFUSED = [
    # claim,                    arguments,                                  what is said
    ("a file that is there",    ["new", "small"],                           "small.toml: exists, and is left as it is; choose another name"),
    ("the same with a suffix",  ["new", "small.toml"],                      "small.toml: exists, and is left as it is; choose another name"),
    ("a copy over a file",      ["new", "small", "--from", "gru"],          "small.toml: exists, and is left as it is"),
    ("a link to nowhere",       ["new", "link"],                            "link.toml: exists, and is left as it is"),
    ("no such folder",          ["new", "none/first"],                      "none/first.toml: cannot be written: there is no such folder"),
    ("a file as a folder",      ["new", "small.toml/first"],                "small.toml/first.toml: cannot be written: Not a directory"),
    ("a hyphen",                ["new", "my-net"],                          'did you mean "my_net"?'),
    ("a digit first",           ["new", "2nets"],                           '"2nets" is not a name: a letter, then letters, digits and _'),
    ("a keyword",               ["new", "class"],                           '"class" is a Python keyword; choose another name'),
    ("a letter of no ASCII",    ["new", "n\u00e4tz"],                       'is not ASCII'),
    ("nothing",                 ["new", ""],                                'is not a name: a letter, then letters, digits and _'),
    ("a folder above",          ["new", ".."],                              'is not a name: a letter, then letters, digits and _'),
    ("NumPy's name",            ["new", "numpy"],                           '"numpy" is a name that the generated module uses itself'),
    ("a module of Python",      ["new", "random"],                          "which random.py would hide; choose another name"),
    ("an escape",               ["new", "\x1b[31m"],                        "\\x1b[31m"),
    ("a model that is not there", ["new", "first", "--from", "grv"],        'no built-in spec is named "grv"; did you mean "gru"?'),
    ("a model that is wrong",   ["new", "first", "--from", "wrong.toml"],   "wrong.toml:1:"),
    ("show of an unknown spec", ["show", "grv"],                            'did you mean "gru"?'),
    ("show of a wrong spec",    ["show", "wrong.toml"],                     "wrong.toml:1:"),
    ("a file's bare name",      ["show", "small"],                          'no built-in spec is named "small"; did you mean the file small.toml?'),
    ("the same for check",      ["check", "small"],                         "did you mean the file small.toml?"),
    ("new without a name",      ["new"],                                    "new: NAME is missing; see"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED]
)
def test_a_refusal_is_one_line_that_says_what_to_do(arguments: list[str], said: str) -> None:
    Path("small.toml").write_text(SMALL)
    Path("wrong.toml").write_text(SMALL.replace("w**2", "ww**2"))
    Path("link.toml").symlink_to("nowhere")
    assert said in refusal(*arguments)


def test_a_file_of_a_built_in_specs_name_is_told_apart_from_it() -> None:
    symgrad("new", "one_bias")
    for verb in ("show", "check", "derive"):
        result = symgrad(verb, "one_bias")
        assert result.exit_code == 0
        assert result.stderr == "note: one_bias is the built-in spec; the file is one_bias.toml\n"
    assert symgrad("show", "one_bias").stdout.encode() == spec_path("one_bias").read_bytes()
    assert symgrad("show", "one_bias.toml").stderr == ""


# ---- in a terminal ------------------------------------------------------------------------------


COLOURS = [
    # variables,              colours
    ({},                      True),
    ({"NO_COLOR": "1"},       False),
    ({"TERM": "dumb"},        False),
]  # fmt: skip


@pytest.mark.parametrize(("variables", "colours"), COLOURS, ids=str)
def test_show_in_a_terminal_has_colours_and_the_same_words(
    variables: dict[str, str], colours: bool
) -> None:
    code, seen = in_a_terminal("show", "one_bias", COLUMNS="50", **variables)
    assert code == 0
    assert bool(COLOUR.search(seen)) == colours
    assert ESCAPE.sub("", seen) == spec_path("one_bias").read_text(encoding="utf-8")
