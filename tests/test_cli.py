"""The command line: what it prints, its exit codes, and one clear line for what is wrong."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import symgrad as sg
from symgrad.catalog.builtin import names
from symgrad.cli import WIDTH, main
from symgrad.listing import TITLES, table
from symgrad.verify.report import text_of

ROOT = Path(__file__).resolve().parents[1]

SMALL = 'equations = "loss = w**2 + x"\n[params]\nw = "real"\n[data]\nx = "real"\n'
FORWARD = 'outputs = ["y"]\nequations = "y = 2*x"\n[data]\nx = "real"\n'
NOWHERE = 'equations = "loss = log(-1 - w**2)"\n[params]\nw = "real"\n'
FREE = 'equations = "loss = sum(i: w[i]**2)"\n[sizes]\nN = "places"\n[params]\nw = "real[N]"\n'


TWO_LOSSES = """
[params]
u = "real"
w = "real"
[losses.actor]
equations = "loss = u**2*w"
[losses.critic]
equations = "loss = sin(u)*w"
"""
VERBS = ("derive", "generate", "check", "list", "show", "new", "demo")


def symgrad(*arguments: str | Path) -> Result:
    return CliRunner().invoke(main, [str(a) for a in arguments])


def process(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    source = "from symgrad.cli import main; main(prog_name='symgrad')"
    return subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def imported(*arguments: str, cwd: Path) -> set[str]:
    """The modules that a command brings along."""
    source = (
        "import sys; from symgrad.cli import main\n"
        "try: main(sys.argv[1:])\n"
        "except SystemExit: pass\n"
        "print('\\n'.join(sys.modules), file=sys.stderr)"
    )
    result = subprocess.run(
        [sys.executable, "-c", source, *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    return set(result.stderr.splitlines())


# ---- what it prints -----------------------------------------------------------------------------


def test_help_names_the_verbs() -> None:
    shown = symgrad("--help").stdout
    assert symgrad("-h").stdout == shown
    for verb in VERBS:
        result = symgrad(verb, "-h")
        assert result.exit_code == 0
        assert f"Usage: main {verb}" in result.stdout
        assert f"\n  {verb} " in shown
    assert set(VERBS) == set(main.commands)


def test_version_is_the_packages() -> None:
    assert symgrad("--version").stdout == f"symgrad {sg.__version__}\n"


def test_list_shows_each_built_in_spec_on_one_line() -> None:
    result = symgrad("list")
    assert result.exit_code == 0
    _, *rows = result.stdout.splitlines()
    assert [row.split()[0] for row in rows] == list(names())
    (policy,) = [row for row in rows if row.startswith("softmax_policy ")]
    assert policy.split()[1:4] == ["4,610", "B", "H=64"]  # 4-64-64-2: 320 + 4160 + 130
    assert [row for row in rows if not re.search(r"\. \[\S[^\[\]]+\]$", row)] == []  # the source


def test_list_shows_a_formula_where_a_size_has_no_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "free.toml").write_text(FREE)
    monkeypatch.setattr("symgrad.catalog.builtin.FOLDER", tmp_path)
    assert symgrad("list").stdout.splitlines()[1].split() == ["free", "N", "N"]


ROWS = [
    ("short", "12", "B", "A sentence that is longer than any of the widths that a terminal has here."),
    ("a_name_of_26_characters_xx", "1,234,567", "B T N=4 H=64 K=2", "Another one; its last word is end."),
]  # fmt: skip


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_list_wraps_to_the_terminal_and_loses_no_word(width: int) -> None:
    lines = table(TITLES, ROWS, width).splitlines()
    assert [line for line in lines if len(line) > width] == []
    words = [word for row in ROWS for cell in row for word in cell.split()]
    assert sorted(" ".join(lines).split()) == sorted(
        [*words, *" ".join(t for t in TITLES if t in " ".join(lines)).split()]
    )
    assert [name for name, *_ in ROWS if not any(line.startswith(name) for line in lines)] == []


FORMATS = [
    # format,     what is in it
    ("text",      ""),
    ("markdown",  "$"),
    ("latex",     "\\"),
]  # fmt: skip


@pytest.mark.parametrize(("form", "part"), FORMATS)
def test_derive_prints_each_format_and_writes_the_same_to_a_file(
    tmp_path: Path, form: str, part: str
) -> None:
    printed = symgrad("derive", "one_bias", "--format", form)
    assert (printed.exit_code, printed.stderr) == (0, "")
    assert part in printed.stdout
    assert len(printed.stdout.splitlines()) > 10
    assert "\x1b" not in printed.stdout
    out = tmp_path / "derivation"
    written = symgrad("derive", "one_bias", "--format", form, "-o", out)
    assert (written.exit_code, written.stdout) == (0, "")
    assert out.read_text(encoding="utf-8") == printed.stdout


def test_derive_by_one_tensor_is_shorter_than_by_all() -> None:
    one, every = (
        symgrad("derive", "softmax_policy", "--wrt", "c3"),
        symgrad("derive", "softmax_policy"),
    )
    assert (one.exit_code, every.exit_code) == (0, 0)
    assert 0 < len(one.stdout) < len(every.stdout)


def test_derive_passes_the_chosen_loss_and_tensor_on(tmp_path: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(TWO_LOSSES)
    shown = {
        loss: symgrad("derive", path, "--loss", loss, "--wrt", "u").stdout
        for loss in ("actor", "critic")
    }
    assert shown["actor"] != shown["critic"]
    for loss, text in shown.items():
        assert text.rstrip("\n") == sg.derive(sg.load(path), loss, wrt="u").text(WIDTH).rstrip("\n")


# ---- check --------------------------------------------------------------------------------------


def test_check_of_a_right_spec_passes_with_0() -> None:
    result = symgrad("check", "one_bias")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "PASS" in result.stdout.splitlines()[-1]
    assert "\x1b" not in result.stdout


def test_a_report_says_less_where_there_is_less_room_and_cuts_nothing_short() -> None:
    report = sg.check("cartpole_dqn")
    shown = {width: text_of(report, width) for width in (38, 60, 80, 100, 120)}
    for width, text in shown.items():
        assert [line for line in text.splitlines() if len(line) > width] == []
        assert "\u2026" not in text
        named = [line.split()[0] for line in text.splitlines() if " PASS " in line]
        assert named == [block.name for block in report.blocks]
    titles = [[line for line in t.splitlines() if "verdict" in line] for t in shown.values()]
    counts = [sum(len(line.split()) for line in lines) for lines in titles]
    assert counts == sorted(counts)
    assert counts[0] < counts[-1] == 10 * len(titles[-1])  # nine, and "worst at" is two words


def test_check_of_a_wrong_module_fails_with_1_and_names_the_block(tmp_path: Path) -> None:
    text = sg.generate("one_bias")
    module = tmp_path / "one_bias.py"
    module.write_text(
        text.replace("    return loss, grads\n", "    grads.b *= -1\n    return loss, grads\n")
    )
    assert module.read_text() != text
    result = symgrad("check", module, "--json")
    assert result.exit_code == 1
    report = json.loads(result.stdout)
    assert report["verdict"] == "FAIL"
    assert {block["name"] for block in report["blocks"] if block["verdict"] == "FAIL"} == {"b"}


BROKEN = [
    # claim,                  what is replaced,         by what,                                       what is said
    ("it raises",             "    return loss, grads", '    raise ValueError("no\\nway")',            "ValueError: no way"),
    ("it divides by 0",       "    return loss, grads", "    return 1 // 0",                           "ZeroDivisionError: integer"),
    ("it imports what is not there", "import numpy as np", "import numpy as np\nimport not_there_xyz", "ModuleNotFoundError: No module named 'not_there_xyz'"),
    ("it is no Python",       "    return loss, grads", "    return loss grads",                       "SyntaxError: "),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "said"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN]
)
def test_check_of_a_broken_module_fails_with_its_line_and_the_exception(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    text = sg.generate("one_bias")
    broken = text.replace(f"{old}\n", f"{new}\n", 1)
    (tmp_path / "broken.py").write_text(broken)
    result = symgrad("check", tmp_path / "broken.py")
    line = next(n for n, t in enumerate(broken.splitlines(), 1) if t == new.splitlines()[-1])
    assert result.exit_code == 1
    assert f"broken.py:{line}: {said}" in " ".join(result.stdout.split())


def test_check_of_a_module_that_ends_the_process_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text(sg.generate("one_bias") + "\nimport os\nos._exit(7)\n")
    result = symgrad("check", tmp_path / "broken.py")
    assert result.exit_code == 1
    assert "ended without an answer, with exit status 7" in " ".join(result.stdout.split())


def test_check_of_a_loss_that_is_never_finite_is_inconclusive_with_3(tmp_path: Path) -> None:
    (tmp_path / "nowhere.toml").write_text(NOWHERE)
    result = symgrad("check", tmp_path / "nowhere.toml", "--json")
    assert result.exit_code == 3
    assert json.loads(result.stdout)["verdict"] == "INCONCLUSIVE"


def test_check_of_a_spec_without_a_loss_compares_its_outputs(tmp_path: Path) -> None:
    (tmp_path / "only.toml").write_text(FORWARD)
    result = symgrad("check", tmp_path / "only.toml", "--json")
    assert result.exit_code == 0
    assert {block["name"] for block in json.loads(result.stdout)["blocks"]} == {"y"}


def test_a_seed_chooses_the_inputs() -> None:
    first, same, other = (
        json.loads(symgrad("check", "one_bias", "--json", "--seed", seed).stdout)["blocks"]
        for seed in ("1", "1", "2")
    )
    assert first == same != other


# ---- bad input ----------------------------------------------------------------------------------

BAD = [
    # claim,                        arguments,                                          what is said
    ("an unknown spec",             ["derive", "grv"],                                  'no built-in spec is named "grv"; did you mean "gru"?'),
    ("a folder by name",            ["derive", "folder"],                               'no built-in spec is named "folder"; `symgrad list` shows them; a path to a spec ends with .toml'),
    ("a module as a spec",          ["derive", "small.py"],                             'did you mean "small.toml"? `symgrad list` shows them'),
    ("a file that is not there",    ["derive", "none.toml"],                            "none.toml: cannot be read: No such file"),
    ("a folder as a spec",          ["generate", "folder.toml"],                        "folder.toml: cannot be read: Is a directory"),
    ("a spec that is not TOML",     ["generate", "broken.toml"],                        "broken.toml:1:"),
    ("an unknown tensor",           ["generate", "wrong.toml"],                         "wrong.toml:1:"),
    ("an unknown loss",             ["derive", "small.toml", "--loss", "lss"],          'did you mean "loss"?'),
    ("an unknown tensor in --wrt",  ["derive", "small.toml", "--wrt", "v"],             '"v"'),
    ("a name of Python's own",      ["generate", "queue.toml"],                         'queue.py: "queue" is a module of Python\'s own, which queue.py would hide; choose another name'),
    ("a derivation's folder",       ["derive", "small.toml", "-o", "none/x.md"],        "none/x.md: cannot be written: there is no such folder; name one"),
    ("check of an unknown spec",    ["check", "grv"],                                   'did you mean "gru"?'),
    ("check of a declared function", ["check", "declared.toml"],                        "declared.toml: there is nothing to check: f is an undefined function"),
    ("a module of a declared function", ["generate", "declared.toml"],                  "declared.toml: there is nothing to generate: f is an undefined function"),
    ("check of a missing module",   ["check", "none.py"],                               "none.py: cannot be read"),
    ("check of another file",       ["check", "other.py"],                              "other.py: holds no SPEC"),
    ("a name with an escape",       ["derive", "\x1b[31mred"],                          "\\x1b[31mred"),
    ("a name of two lines",         ["derive", "a\nb"],                                 "a\\nb"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"), [row[1:] for row in BAD], ids=[row[0] for row in BAD]
)
def test_bad_input_is_one_line_on_stderr_and_exit_code_2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("small.toml").write_text(SMALL)
    Path("wrong.toml").write_text(SMALL.replace("w**2", "ww**2"))
    Path("declared.toml").write_text(SMALL.replace("w**2", "f(w)") + "[functions]\nf = 1\n")
    Path("broken.toml").write_text("= 1\n")
    Path("queue.toml").write_text(SMALL)
    Path("folder.toml").mkdir()
    Path("other.py").write_text("x = 1\n")
    before = sorted(tmp_path.iterdir())
    result = symgrad(*arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert sorted(tmp_path.iterdir()) == before


USAGE = [
    # arguments,                            what is said after the verb
    (["derive"],                            "derive: SPEC is missing; see"),
    (["derive", "gru", "one_bias"],         "derive: got unexpected extra argument (one_bias); see"),
    (["derive", "gru", "--wrt"],            "derive: option '--wrt' requires an argument; see"),
    (["derive", "gru", "--format", "latx"], "'latx' is not one of 'text', 'markdown', 'latex'; did you mean \"latex\"? see"),
    (["derive", "gru", "--fromat", "text"], 'derive: no option "--fromat"; did you mean "--format"? see'),
    (["generate", "gru", "--quick"],        'generate: no option "--quick"; see'),
    (["generate"],                          "generate: name one SPEC, or say --all; see"),
    (["check", "gru", "--seed", "-1"],      "--seed: -1 came, and a whole number of at least 0 was expected; see"),
    (["check", "gru", "--seed", "x"],       "--seed: 'x' came, and a whole number of at least 0 was expected; see"),
    (["train", "gru"],                      'no command "train"; see'),
    (["Drive", "gru"],                      'no command "Drive"; did you mean "derive"? see'),
    (["policy.toml"],                       'derive policy.toml"? see'),
    (["gru"],                               'derive gru"? see'),
    (["--vresion"],                         'no option "--vresion"; did you mean "--version"? see'),
    (["\x1b[31m"],                          'no command "\\x1b[31m"'),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "said"), USAGE, ids=[ascii(" ".join(a)) for a, _ in USAGE])
def test_wrong_usage_is_one_line_with_a_hint_and_exit_code_2(
    arguments: list[str], said: str
) -> None:
    result = symgrad(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
    assert line.endswith(" --help")


def test_the_command_alone_shows_its_help() -> None:
    result = symgrad()
    assert result.exit_code == 0
    assert result.stdout == symgrad("--help").stdout


# ---- as a process -------------------------------------------------------------------------------


def test_in_a_pipe_there_are_no_colours_and_no_traceback(tmp_path: Path) -> None:
    good = process("generate", "one_bias", cwd=tmp_path)
    assert (good.returncode, good.stdout, good.stderr) == (0, "wrote one_bias.py\n", "")
    assert (tmp_path / "one_bias.py").read_text() == sg.generate("one_bias")
    bad = process("generate", "one_bais", cwd=tmp_path)
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.startswith('error: no built-in spec is named "one_bais"')
    assert "Traceback" not in bad.stderr
    assert "\x1b" not in bad.stderr


def test_without_a_standard_output_there_is_no_traceback(tmp_path: Path) -> None:
    source = "from symgrad.cli import main; main(prog_name='symgrad')"
    done = subprocess.run(
        ["sh", "-c", '"$0" -c "$1" list >&-', sys.executable, source],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    said = "error: cannot write: standard output is closed\n"
    assert (done.returncode, done.stderr) == (2, said)


def test_a_file_that_is_no_spec_is_offered_only_where_it_is_near(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pyproject.toml").write_text("")
    Path("mine.toml").write_text(SMALL)
    assert ".toml" not in symgrad("check", "nowhere").stderr.replace("ends with .toml", "")
    assert 'did you mean "mine.toml"?' in symgrad("check", "mine.tom").stderr


def test_help_starts_without_sympy(tmp_path: Path) -> None:
    found = imported("--help", cwd=tmp_path)
    assert "symgrad.cli" in found
    assert found & {"sympy", "numpy", "jinja2", "rich", "symgrad.spec"} == set()


def test_generate_imports_nothing_that_it_does_not_need(tmp_path: Path) -> None:
    found = imported("generate", "one_bias", cwd=tmp_path)
    assert (tmp_path / "one_bias.py").exists()
    assert "symgrad.pipeline" in found
    assert found & {"numpy", "rich", "symgrad.explain", "symgrad.verify"} == set()
