"""The checker shrinks literal sizes: those that mean one extent together, and only where nothing else changes."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from catalogue import EVERY, PATHS, SPECS

import symgrad as sg
from symgrad import pipeline
from symgrad.spec import Spec, parse_spec
from symgrad.verify.literals import derived, extents_of, shrunk
from symgrad.verify.small import choices, same_code, small_literals
from symgrad.verify.spec_text import spec_text

NETWORK = """
[sizes]
B = "batch"
[networks.policy]
input = "obs"
layers = ["dense 40 tanh", "dense 40 tanh", "dense 2"]
[data]
obs = "real[B, 4]"
act = "int[B] < 2"
ret = "real[B]"
[losses.loss]
loss = "reinforce(policy, act, ret)"
"""

PARAMS = '[params]\nW = "real[9, 8]"\n'
X = '[data]\nx = "real[8]"\n'

# what is written, and for each extent that may shrink its value, and how many places it needs
EXTENTS = [
    ("tied by a product",        'equations = "loss = sum(i,j: W[i,j]*x[j])"\n' + PARAMS + X,                                     [(9, 1), (8, 1)]),
    ("the same letter twice",    'equations = "loss = sum(i: V[i,i])"\n[params]\nV = "real[8, 8]"\n',                             [(8, 1)]),
    ("two extents of one value", 'equations = "loss = sum(i,j: V[i,j])"\n[params]\nV = "real[8, 8]"\n',                           [(8, 1), (8, 1)]),
    ("through a computed one",   'equations = """z[i] = sum(j: W[i,j]*x[j])\nloss = sum(i: z[i]*c[i])"""\n' + PARAMS + 'c = "real[9]"\n' + X, [(9, 1), (8, 1)]),
    ("a copy",                   'wrt = ["W"]\nequations = "loss = sum(i,j: W[i,j]*x[j]) + sum(i,j: V[i,j])"\n' + PARAMS + 'V = "real[9, 8] init=copy(W)"\n' + X, [(9, 1), (8, 1)]),
    ("a shifted sum",            'equations = """z[i] = x[i+1]*W[0,i] for i < 7\nloss = sum(i: z[i])"""\n' + PARAMS + X,          [(9, 1)]),
    ("a pad",                    'equations = """z[i] = pad(x[i-1])*W[0,i]\nloss = sum(i: z[i])"""\n' + PARAMS + X,               [(9, 1)]),
    ("a part of the range",      'equations = """z[i] = x[i]*W[0,i] for i < 3\nloss = sum(i: z[i])"""\n' + PARAMS + X,            [(9, 1)]),
    ("an index as a number",     'equations = "loss = sum(i,j: i*W[i,j]*x[j])"\n' + PARAMS + X,                                   [(8, 1)]),
    ("a constant place",         'equations = "loss = sum(j: W[5,j]*x[j])"\n' + PARAMS + X,                                       [(9, 6), (8, 1)]),
    ("the last place",           'equations = "loss = sum(j: W[8,j]*x[j])"\n' + PARAMS + X,                                       [(8, 1)]),
    ("a gather and its bound",   'equations = "loss = sum(b: W[k[b],b])"\n' + PARAMS + '[data]\nk = "int[8] < 9"\n',              [(9, 1), (8, 1)]),
    ("a gather with a lower bound", 'equations = "loss = sum(b: W[k[b],b])"\n' + PARAMS + '[data]\nk = "int[8] < 5"\n',           [(8, 1)]),
    ("an argmax and its read",   'equations = """k[i] = argmax(j: W[i,j])\nloss = sum(i: W[i,k[i]]) + sum(j: x[j])"""\n' + PARAMS + X, [(9, 1), (8, 1), (8, 1)]),
    ("small already",            'equations = "loss = sum(i,j: V[i,j])"\n[params]\nV = "real[4, 1]"\n',                           []),
    ("named",                    'equations = "loss = sum(i,j: V[i,j])"\n[sizes]\nH = 64\n[params]\nV = "real[H, H]"\n',          []),
    ("named and literal",        'equations = "loss = sum(i,j: V[i,j])"\n[sizes]\nH = 64\n[params]\nV = "real[H, 8]"\n',          [(8, 1)]),
    ("a window",                 'equations = """z[i] = sum(k: x[2*i+k]*c[k]) for i < 7\nloss = sum(i: z[i])"""\n[params]\nx = "real[18]"\nc = "real[6]"\n', [(18, 1), (6, 1), (7, 1)]),
    ("a padded window",          'equations = """z[i] = sum(k: pad(x[i+k-1])*c[k]) for i < 9\nloss = sum(i: z[i])"""\n[params]\nx = "real[9]"\nc = "real[3]"\n', [(9, 1), (3, 1), (9, 1)]),
    ("two axes as one",          'equations = """h[8*i+j] = W[i,j]\nloss = sum(i: h[i])"""\n' + PARAMS, [(9, 1), (8, 1), (72, 1)]),
    ("a window of a constant step and an index as a number", 'equations = """z[i] = sum(k: k*x[2*i+k]*c[k]) for i < 7\nloss = sum(i: z[i])"""\n[params]\nx = "real[18]"\nc = "real[6]"\n', [(18, 1), (7, 1)]),
    ("half of a concatenation",  'equations = """h[i] = x[i] for i < 8\nh[i+8] = x[i] for i < 8\nloss = sum(i: h[i])"""\n[params]\nx = "real[8]"\n', []),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"), [row[1:] for row in EXTENTS], ids=[row[0] for row in EXTENTS]
)
def test_an_extent_shrinks_only_where_no_form_number_or_part_depends_on_it(
    text: str, expected: list[tuple[int, int]]
) -> None:
    spec = sg.parse(text)
    programs = (spec.shared, *(loss.program for loss in spec.losses))
    found = extents_of(programs)
    assert sorted((e.value, e.least) for e in found) == sorted(expected)
    smaller = derived(found, {e: max(e.least, 3) for e in found if not e.forms})
    assert smaller is not None
    shared, *own = shrunk(programs, [*smaller.items()])
    losses = tuple(replace(one, program=p) for one, p in zip(spec.losses, own, strict=True))
    resized = replace(spec, shared=shared, losses=losses)
    again = sg.parse(resized.canonical())  # a contradiction between sizes would be refused here
    assert again.canonical() == resized.canonical()


@cache
def literal(name: str) -> Spec:
    """A built-in spec with the values of its sizes in their place."""
    spec = EVERY[SPECS / f"{name}.toml"]
    text = spec.canonical()
    for size, value in spec.sizes:
        if value is not None:
            text = re.sub(rf"^{size} = {value}\s*$", "", text, flags=re.M)
            text = re.sub(rf"(?<![A-Za-z_0-9]){size}(?![A-Za-z_0-9])", str(value), text)
    return sg.parse(text, name)


WITH_LITERALS = [p.stem for p in PATHS if any(value for _, value in EVERY[p].sizes)]


@pytest.mark.parametrize("name", WITH_LITERALS)
def test_a_built_in_spec_with_literal_sizes_is_the_same_code_at_smaller_ones(name: str) -> None:
    spec = literal(name)
    text = pipeline.generate(spec)
    programs = (spec.shared, *(loss.program for loss in spec.losses))

    def emit(other: Spec) -> str:
        return text if other is spec else pipeline.generate(other)

    small = small_literals(spec, text, emit)
    assert (small is None) == (not [*choices(programs, extents_of(programs))])
    if small is not None:
        assert same_code(small.text, text)
        assert small.text != text
        largest = max(s.constant or 0 for t in small.spec.tensors for s in t.shape)
        assert largest < max(s.constant or 0 for t in spec.tensors for s in t.shape)


def test_a_literal_that_would_stay_as_it_is_makes_no_other_spec() -> None:
    text = """
    [networks.q]
    input = "x"
    layers = ["attention 3 3"]
    [sizes]
    B = "batch"
    [data]
    x = "real[B, 4, 3]"
    [losses.one]
    equations = "loss = mean(b: sum(i,j: q[b,i,j]**3))"
    """
    spec = sg.parse(text)
    programs = (spec.shared, *(loss.program for loss in spec.losses))
    assert {e.value for e in extents_of(programs)} == {9}  # 3 heads of 3
    assert [*choices(programs, extents_of(programs))] == []


def test_some_built_in_specs_have_literals_that_shrink() -> None:
    specs = [literal(name) for name in WITH_LITERALS]
    found = [s for s in specs if extents_of((s.shared, *(loss.program for loss in s.losses)))]
    assert len(found) >= 5


def test_a_literal_network_is_checked_in_60_digits_at_small_sizes_and_at_its_own() -> None:
    report = sg.check(sg.parse(NETWORK))
    assert report.verdict == "PASS"
    small = [b for b in report.blocks if b.instance == "small, 60 digits: B=3, 40 -> 5"]
    own = [b for b in report.blocks if b.instance == "own sizes, float64: B=7"]
    many = [b for b in report.blocks if b.instance == "many samples, float64: B=61, 40 -> 5"]
    assert len(small) == len(own) == 8
    assert len(small) + len(many) + len(own) == len(report.blocks)
    assert {b.loss for b in many} == {b.loss for b in own} - {"forward"}
    assert all(b.entries == b.total for b in small)
    assert {b.total for b in own} >= {40 * 4, 40 * 40, 2 * 40}
    assert any("the same code" in rule.claim for rule in report.conduct)


def test_a_file_with_literal_sizes_is_checked_as_its_spec_is(tmp_path: Path) -> None:
    """The names that load_state_dict knows are no part of SPEC, and of no check."""
    text = pipeline.generate(sg.parse(NETWORK, "policy"))
    path = tmp_path / "policy.py"
    path.write_text(text, encoding="utf-8")
    instances = {b.instance for b in sg.check(path).blocks}
    assert "small, 60 digits: B=3, 40 -> 5" in instances
    again = parse_spec(spec_text(path), "policy")
    patched = text + "\nnp.tanh = np.sin\n"
    assert small_literals(again, text, pipeline.generate) is not None
    assert small_literals(again, patched, pipeline.generate) is None
    assert (
        small_literals(again, text.replace("h1 = np.tanh", "h1 = np.sin"), pipeline.generate)
        is None
    )
    assert (
        small_literals(again, text.replace("dtype, B=B)", "dtype, B=B + 1)"), pipeline.generate)
        is None
    )


def test_a_module_that_nobody_emitted_is_checked_at_its_own_sizes_alone(tmp_path: Path) -> None:
    text = pipeline.generate(sg.parse(NETWORK.replace("40", "12"), "policy"))
    path = tmp_path / "policy.py"
    path.write_text(text + "\nEDITED = True\n", encoding="utf-8")
    report = sg.check(path)
    assert report.verdict == "PASS"
    assert {b.instance for b in report.blocks} == {
        "small, 60 digits: B=3",
        "many samples, float64: B=61",
        "own sizes, float64: B=7",
    }
    assert {b.total for b in report.blocks} >= {12 * 4, 12 * 12}
    assert not any("the same code" in rule.claim for rule in report.conduct)


def test_a_wrong_module_with_literal_sizes_fails_at_its_own_sizes(tmp_path: Path) -> None:
    text = pipeline.generate(sg.parse(NETWORK.replace("40", "12"), "policy"))
    head, tail = text.split("def value_and_grad", 1)
    assert "dz1 *= dh1" in tail
    path = tmp_path / "policy.py"
    path.write_text(
        f"{head}def value_and_grad{tail.replace('dz1 *= ', 'dz1 += ', 1)}", encoding="utf-8"
    )
    report = sg.check(path)
    assert {b.name for b in report.failures} == {"W1", "c1"}


def test_code_that_differs_by_more_than_numbers_does_not_stand_for_the_module() -> None:
    spec = sg.parse(NETWORK)
    text = pipeline.generate(spec)
    assert same_code(text, text.replace("40", "17"))
    assert not same_code(text, text.replace("np.tanh", "np.sin", 1))
    assert not same_code(text, text.replace("W1.T", "W2.T", 1))

    def other_code(one: Spec) -> str:
        """What a planner would emit that does another thing at small sizes."""
        emitted = pipeline.generate(one)
        return emitted if one is spec else emitted.replace("np.tanh", "np.sinh")

    assert small_literals(spec, text, pipeline.generate) is not None
    assert small_literals(spec, text, other_code) is None
