"""The first spec of `symgrad new`, changed as a beginner would: rightly, and with the usual slips."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from symgrad.cli import main

EQUATIONS = re.compile(r'^equations = """\n.*?^"""\n', re.M | re.S)
NAMED = "the equations"
"""Stands for all equations of the loss, to be replaced by its name."""

Change = tuple[str, str]


@pytest.fixture
def first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The text of a new spec, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    assert symgrad("new", "mine").exit_code == 0
    return Path("mine.toml").read_text(encoding="utf-8")


def symgrad(*arguments: str) -> Result:
    return CliRunner().invoke(main, arguments)


def changed(text: str, changes: Sequence[Change]) -> str:
    """The text with each `old` replaced by `new`; every old one has to be there."""
    (equations,) = EQUATIONS.findall(text)
    for old, new in changes:
        whole = equations if old == NAMED else old
        assert whole in text
        text = text.replace(whole, new, 1)
    return text


STEPS: dict[str, list[Change]] = {
    "another activation": [("dense H tanh", "dense H gelu")],
    "another loss, by name": [(NAMED, 'loss = "softmax_cross_entropy(policy, action)"\n')],
    "a loss with an option": [(NAMED, 'loss = "reinforce(policy, action, ret, entropy=c)"\n')],
    "more layers": [('"dense H tanh", ', '"dense 32 relu", "layernorm", "dense H tanh", ')],
    "a second network that is held": [
        ("[losses.actor]", '[networks.old]\ncopy_of = "policy"\nheld = true\n\n[losses.actor]'),
        ("gain[b] = stop(ret[b])*logpi[b,action[b]]",
         "logold[b] = old[b,action[b]] - logsumexp(v: old[b,v])\n"
         "ratio[b] = exp(logpi[b,action[b]] - logold[b])\n"
         "gain[b] = minimum(ratio[b]*ret[b], clip(ratio[b], 0.8, 1.2)*ret[b])"),
    ],
    "an equation of one's own": [
        ("loss = -mean", "size = sum(i,j: W1[i,j]**2)\nloss = 0.001*size - mean")
    ],
}  # fmt: skip


@pytest.mark.parametrize("step", STEPS)
def test_a_changed_spec_passes_its_check(step: str, first: str) -> None:
    text = changed(first, STEPS[step])
    assert text != first
    Path("mine.toml").write_text(text, encoding="utf-8")
    result = symgrad("check", "mine.toml")
    assert result.exit_code == 0, result.output
    assert result.stdout.splitlines()[-1].startswith("PASS mine: ")


SLIPS = [
    # the slip,                  what stood there,                      what stands there,                  at the word,    what is said
    ("a misspelt activation",    "dense H tanh",                        "dense H tanhh",                    "tanhh",        'unknown activation "tanhh"; did you mean "tanh"?'),
    ("a misspelt layer",         "dense H tanh",                        "dens H tanh",                      "dens H",       'unknown layer "dens"; did you mean "dense"?'),
    ("swapped axes",             "stop(ret[b])*logpi[b,action[b]]",     "stop(ret[b])*logpi[action[b],b]",  "b]  ",         "are two axes of logpi swapped"),
    ("a forgotten mean",         "-mean(b: gain[b])",                   "-gain[b]",                         "b] - c",       "bind it with mean(b: ...) or sum(b: ...)"),
    ("a mean of no index",       "mean(b: gain[b])",                    "mean(gain[b])",                    "mean(gain",    "mean needs the index that it runs over, as mean(b: gain[b])"),
    ("max for maximum",          "stop(ret[b])*",                       "max(ret[b], 0)*",                  "max(",         "write maximum(ret[b], 0)"),
    ("a loss that is no scalar", "loss = -mean(b: gain[b]) - c*mean(b: entropy[b])", "loss[b] = -gain[b]",   "loss[b]",      "write loss = mean(b: ...) or loss = sum(b: ...)"),
    ("a size without quotes",    'B = "batch"',                         "B = batch",                        "batch",        'a text stands in quotes: B = "batch"'),
    ("data without quotes",      'ret = "real[B]"',                     "ret = real[B]",                    "real[B]",      'declarations are strings: ret = "real[B]"'),
    ("layers without quotes",    '["dense H tanh", "dense 2"]',         "[dense H tanh, dense 2]",          "dense H",      'each layer is a text: layers = ["dense 64 tanh", "dense 2"]'),
    ("a loss without quotes",    NAMED,                                 "loss = reinforce(policy, action, ret)\n", "reinforce(policy, action, ret)\n", 'a text stands in quotes: loss = "reinforce(policy, action, ret)"'),
    ("a wrong size",             'ret = "real[B]"',                     'ret = "real[N]"',                  "N]",           'unknown size "N"; known: B, H; sizes are declared in [sizes]'),
    ("a wrong size of a layer",  "dense H tanh",                        "dense K tanh",                     "K tanh",       'unknown size "K"; known: B, H; sizes are declared in [sizes]'),
    ("a forgotten datum",        'ret = "real[B]"',                     "",                                 "ret[b]",       "inputs are declared in [data]"),
    ("a forgotten input",        'obs = "real[B, 4]"',                  "",                                 "[networks",    "inputs are declared in [data]"),
    ("a misspelt loss",          NAMED,                                 'loss = "reinfroce(policy, action, ret)"\n', "reinfroce", 'unknown function "reinfroce"; did you mean "reinforce"?'),
    ("a loss without its data",  NAMED,                                 'loss = "reinforce(policy, action)"\n', "reinforce(policy, action)\"", "it is reinforce(logits[b,a], action[b], ret[b]"),
    ("a hat for a power",        "stop(ret[b])*",                       "ret[b]^2*",                        "^",            "power is written **"),
    ("a loop",                   "gain[b] = stop",                      "for b in range(B): gain[b] = stop", "b in",        "there are no loops: y[b] = ... holds for every b"),
    ("a module's function",      "exp(logpi[b,a])",                     "np.exp(logpi[b,a])",               ".exp",         "functions stand without a module's name, as in `exp(x)`"),
    ("a misspelt network",       'wrt = ["policy"]',                    'wrt = ["polcy"]',                  "wrt",          'did you mean "policy"?'),
    ("a misspelt section",       "[networks.policy]",                   "[network.policy]",                 "[network.",    "unknown section [network.policy]; write [networks.policy]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "word", "said"), [row[1:] for row in SLIPS], ids=[row[0] for row in SLIPS]
)
def test_a_slip_is_answered_by_one_line_that_points_at_it_and_says_what_to_do(
    old: str, new: str, word: str, said: str, first: str
) -> None:
    text = changed(first, [(old, new)])
    Path("mine.toml").write_text(text, encoding="utf-8")
    result = symgrad("check", "mine.toml")
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert said in line
    found = re.match(r"error: mine\.toml:(\d+):(\d+): ", line)
    assert found is not None, line
    row, column = int(found[1]), int(found[2])
    assert f"{text.splitlines()[row - 1][column - 1 :]}\n".startswith(word), line
    for verb in ("derive", "generate"):
        assert symgrad(verb, "mine.toml").stderr == result.stderr
    assert not Path("mine.py").exists()


GAIN = "gain[b] = stop(ret[b])*logpi[b,action[b]]"
CRITIC = """[losses.critic]
wrt = ["policy"]
equations = "loss = mean(b: (policy[b,0] - y[b])**2)"

[losses.actor]"""
UNNEEDED: list[tuple[str, list[Change], list[str]]] = [
    # what,                             changes,                                                 what is said
    ("a datum",                         [("[data] ", '[data]\nrett = "real[B]"\n#')],            ['13:1: "rett" in [data]:']),
    ("a size",                          [("H = 16 ", "H = 16\nK = 3 ")],                         ['11:1: "K" in [sizes]:']),
    ("sizes that are expressions",      [("H = 16 ", 'H = 16\nK = "H//2"\nM = "=B" ')],          ['11:1: "K" in [sizes]:', '12:1: "M" in [sizes]:']),
    ("a parameter",                     [("[data] ", '[params]\nw = "real"\n[data] ')],          ['13:1: "w" in [params]:']),
    ("one of a group",                  [("[data] ", '[params.a]\nw = "real"\n[data] ')],        ['13:1: "w" in [params.a]:']),
    ("an undefined function",           [("[data] ", "[functions]\nf = 1\n[data] ")],            ['13:1: "f" in [functions]:']),
    ("an equation",                     [("gain[b] = ", "gain2[b] = ret[b]\ngain[b] = ")],       ['30:1: "gain2" is computed, and']),
    ("an equation and its data",        [(GAIN, "gain[b] = logpi[b,0]\n" + GAIN.replace("gain", "gain2"))], ['14:1: "action" in [data]:', '15:1: "ret" in [data]:', '31:1: "gain2" is computed, and']),
    ("a size of a comment",             [("H = 16 ", "H = 16\nK = 3 "), (GAIN, GAIN + " # K")],  ['11:1: "K" in [sizes]:']),
    ("nothing: it stands in aux",       [("gain[b] = ", "gain2[b] = ret[b]\ngain[b] = "), ("wrt =", 'aux = ["gain2"]\nwrt =')], []),
    ("nothing: another loss needs it",  [("[data] ", '[data]\ny = "real[B]"\n#'), ("[losses.actor]", CRITIC)], []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"), [row[1:] for row in UNNEEDED], ids=[row[0] for row in UNNEEDED]
)
def test_what_nothing_is_computed_from_is_named_once_and_refuses_nothing(
    changes: list[Change], said: list[str], first: str
) -> None:
    Path("mine.toml").write_text(changed(first, changes), encoding="utf-8")
    derived = symgrad("derive", "mine.toml", "--loss", "actor")
    assert derived.exit_code == 0, derived.output
    notes = derived.stderr.splitlines()
    assert [line.removesuffix(" nothing is computed from it") for line in notes] == [
        f"note: mine.toml:{one}" for one in said
    ]
    ending = derived.stdout.splitlines()[-1]
    assert ending.startswith("- Nothing is computed from ") == bool(said)
    assert symgrad("generate", "mine.toml").stderr.startswith(derived.stderr)


LOGPI = "policy[b,a] - logsumexp(v: policy[b,v])"
FLAT: list[tuple[str, list[Change], str | None]] = [
    # what,                            changes,                                        by what, None where it moves
    ("held constant",                  [(LOGPI, f"stop({LOGPI})")],                    "W1, c1, W2, c2"),
    ("flat steps",                     [(LOGPI, f"sign({LOGPI})")],                    "W1, c1, W2, c2"),
    ("an input that it never reads",   [('wrt = ["policy"]', 'wrt = ["ret"]')],        "ret"),
    ("one of two",                     [('wrt = ["policy"]', 'wrt = ["policy", "ret"]')], None),
]  # fmt: skip


@pytest.mark.parametrize(("changes", "by"), [row[1:] for row in FLAT], ids=[row[0] for row in FLAT])
def test_a_loss_that_moves_with_nothing_is_named(
    changes: list[Change], by: str | None, first: str
) -> None:
    Path("mine.toml").write_text(changed(first, changes), encoding="utf-8")
    said = f'note: mine.toml: loss "actor" does not move with {by}: its gradient is 0 everywhere'
    result = symgrad("generate", "mine.toml")
    assert (result.exit_code, result.stdout) == (0, "wrote mine.py\n")
    assert [line[: len(said)] for line in result.stderr.splitlines()] == ([said] if by else [])


WHERE = [
    # claim,                  arguments,                    what is said
    ("a wrong folder",        ["check", "mine.toml"],       "mine.toml: cannot be read: No such file or directory; no spec lies in that folder"),
    ("a folder that is not",  ["check", "none/mine.toml"],  'there is no folder "none"'),
    ("a misspelt file",       ["check", "../mien.toml"],    'did you mean "mine.toml"?'),
    ("no file at all",        ["check", "mine"],            'no built-in spec is named "mine"; `symgrad list` shows them'),
    ("a verb that is not",    ["run", "mine.toml"],         'no command "run"; see'),
    ("no verb",               ["mine.toml"],                'derive mine.toml"?'),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "said"), [row[1:] for row in WHERE], ids=[row[0] for row in WHERE]
)
def test_a_file_that_is_not_here_is_answered_by_what_is(
    arguments: list[str], said: str, first: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("other").mkdir()
    monkeypatch.chdir("other")
    result = symgrad(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("error: ")
    assert said in line
