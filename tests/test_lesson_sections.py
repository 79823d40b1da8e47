"""What derivations tell beside the steps: the network in one line, the lesson of one bias, the end."""

from __future__ import annotations

import re
from dataclasses import replace
from functools import cache
from itertools import pairwise

import numpy as np
import pytest
from catalogue import EVERY
from lessons import SPECS, cases, derived, each_case, numbers_of, read_back

from symgrad.algebra.program import Program
from symgrad.explain.build import explain
from symgrad.explain.derivation import Derivation
from symgrad.explain.descent import descend
from symgrad.explain.inline import MOST
from symgrad.explain.one_bias import lived, training, visits
from symgrad.explain.steps import Section
from symgrad.notation.values import Given
from symgrad.pipeline import derive, derive_stable
from symgrad.spec import Spec, load, parse_spec
from symgrad.verify.evaluate import evaluate


def spec_of(name: str) -> Spec:
    return load(next(path for path in SPECS if path.stem == name))


def section(derivation: Derivation, title: str) -> Section | None:
    return next((s for s in derivation.sections if s.title == title), None)


# ---- the network as one expression ----------------------------------------------------------

WHOLE = "The network as one expression"


def behind(program: Program, name: str) -> set[str]:
    """What a tensor is computed from, and itself."""
    found, waiting = {name}, [name]
    while waiting:
        reads = {a.tensor for e in program.writers.get(waiting.pop(), ()) for a in e.reads} - found
        found |= reads
        waiting += reads
    return found


@each_case
def test_the_one_expression_reads_back_to_the_output(case: str) -> None:
    """Each output of a network that learns stands there, or why it does not."""
    spec, derivation = cases()[case][0], derived(case)
    found = section(derivation, WHOLE)
    said = set() if found is None else {s.formulas[0].left.text.split("[")[0] for s in found.steps}
    reasons = {} if found is None else {r[0].text: r[1] for r in found.remarks}
    params = {t.name for t in spec.tensors if t.role == "param"}
    for name in {name for _, program in spec.forwards for name in program.outputs}:
        inside = behind(spec.shared, name)
        if not inside & params or inside & {*derivation.wrt}:
            single = sum(len(spec.shared.writers.get(one, ())) > 0 for one in inside) == 1
            assert (name in said) + (name in reasons) + single == 1, name
    assert all(re.search(r"is not written as one expression: \S.*", r) for r in reasons.values())
    numbers = numbers_of(derivation)
    told = [] if found is None else found.steps
    for step in told:
        (formula,) = step.formulas
        (line,) = formula.notation
        name = formula.left.text.split("[")[0]
        declared = {t.name for t in spec.tensors}
        program = replace(spec.shared, outputs=(name,))
        wanted = evaluate(program, numbers.at.tensors, numbers.at.sizes, outputs=(name,)).values[
            name
        ]
        np.testing.assert_allclose(read_back(derivation, [line])[0], wanted, rtol=1e-12, atol=1e-14)
        right = line.split(" = ", 1)[1].split(" for ")[0]
        computed = set(spec.shared.tensor_of) - declared
        words = set(re.findall(r"[A-Za-z]\w*(?=\[)", right))
        assert not words & computed


EXPRESSIONS = (
    ("one_bias", "p[n] = sigmoid(b + hunger[n]*w)"),
    ("softmax_policy", "logits[b,a] = sum(i: W3[a,i]*tanh(sum(j: W2[i,j]*tanh(sum(k: W1[j,k]*obs[b,k]) + c1[j])) + c2[i])) + c3[a]"),
    ("convolution", "y[b,m] = sum(l,o: V[m,o,l]*relu(sum(c,k: W[o,c,k]*pad(x[b,c,3*k+2*l-2])) + w0[o])) + v0[m] for b < B"),
    ("actor_weight", "pi[b,a] = exp(sum(i: W2[a,i]*tanh(sum(j: W1[i,j]*obs[b,j]) + c1[i])) + c2[a])/sum(v: exp(sum(i: W2[v,i]*tanh(sum(j: W1[i,j]*obs[b,j]) + c1[i])) + c2[v]))"),
)  # fmt: skip


@pytest.mark.parametrize(("name", "line"), EXPRESSIONS, ids=[row[0] for row in EXPRESSIONS])
def test_the_network_is_one_expression(name: str, line: str) -> None:
    found = section(explain(spec_of(name)), WHOLE)
    assert found is not None
    assert [f.notation for s in found.steps for f in s.formulas] == [(line,)]


def test_a_network_that_the_gradient_does_not_move_is_not_written_out() -> None:
    found = section(explain(spec_of("cartpole_dqn")), WHOLE)
    assert found is not None
    assert [f.left.text for s in found.steps for f in s.formulas] == ["q[b,i]"]


HEAD = '[sizes]\nB = "batch"\nN = 4\n[params]\nw = "real[N, N]"\n[data]\nx = "real[B, N]"\n'
UNFIT = (
    ("a recurrence", 'y[0,i] = x[0,i]\ny[n+1,i] = tanh(y[n,i]) for n < N, i < N', "y is a recurrence, which has no end"),
    ("joined axes", "a[2*b+i] = x[b,i] for b < B, i < 2\ny[b] = a[b]**2 + a[0] for b < B", "a[2*b+i] is written at places computed from its indices"),
    ("written in parts", "a[b,0] = x[b,1]\na[b,1] = x[b,0]\ny[b] = a[b,0]*a[b,1]", "a is written in parts"),
    ("an argmax", "best[b] = argmax(i: x[b,i])\ny[b] = x[b,best[b]]*w[0,0]", "reads at a place that is computed"),
    ("a range of its own", "a[b,i] = x[b,2*i] for i < 2\ny[b] = sum(i: a[b,i]**2)", "the range of i cannot be read off it"),
    ("a shorter range", "a[b,i] = x[b,i]*i for i < 2\ny[b] = sum(i: a[b,i]**2)", "the range of i cannot be read off it"),
    ("a read beyond an edge", "a[b,i] = x[b,i]**2\ny[b] = sum(i: pad(a[b,i+1])*w[i,i])", "where data or an edge decides"),
    ("a gather of what is computed", "a[i,j] = w[i,j]**2\ny[b] = sum(i: a[i,pick[b]])", "where data or an edge decides"),
)  # fmt: skip


@pytest.mark.parametrize(("claim", "equations", "said"), UNFIT, ids=[row[0] for row in UNFIT])
def test_what_is_not_one_expression_says_why(claim: str, equations: str, said: str) -> None:
    text = f'outputs = ["y"]\nequations = """\n{equations}\nloss = sum(i,j: w[i,j])\n"""\n{HEAD}pick = "int[B] < N"\n'
    found = section(explain(parse_spec(text, "unfit")), WHOLE)
    assert found is not None, claim
    assert not found.steps
    (remark,) = found.remarks
    assert said in "".join(p if isinstance(p, str) else p.text for p in remark)


def test_letters_that_would_be_captured_are_replaced() -> None:
    equations = "a[b,i] = sum(j: w[i,j]*x[b,j])\nc[b,i] = sum(j: w[i,j]*a[b,j])\ny[b,j] = sum(i: w[i,j]*c[b,i])"
    text = f'outputs = ["y"]\nequations = """\n{equations}\nloss = sum(b,j: y[b,j])\n"""\n{HEAD}[values]\nseed = 0\nB = 2\n'
    derivation = explain(parse_spec(text, "captured"))
    found = section(derivation, WHOLE)
    assert found is not None
    (line,) = found.steps[0].formulas[0].notation
    np.testing.assert_allclose(
        read_back(derivation, [line])[0], numbers_of(derivation).values["y"], rtol=1e-12
    )


def doubling(levels: int) -> str:
    lines = [f"h{k + 1}[b] = h{k}[b]*tanh(h{k}[b])" for k in range(levels)]
    return f'outputs = ["h{levels}"]\nequations = """\nh0[b] = x[b,0]*w[0,0]\n' + "\n".join(lines) + f'\nloss = sum(b: h{levels}[b])\n"""\n{HEAD}'  # fmt: skip


@pytest.mark.parametrize(("levels", "said"), [(12, f"{MOST:,} characters"), (70, "levels")])
def test_an_expression_that_would_fill_pages_is_not_printed(levels: int, said: str) -> None:
    found = section(explain(parse_spec(doubling(levels), "doubling")), WHOLE)
    assert found is not None
    assert not found.steps
    assert said in "".join(p if isinstance(p, str) else p.text for p in found.remarks[0])


def test_a_path_to_one_tensor_comes_without_the_network() -> None:
    assert section(explain(spec_of("softmax_policy"), wrt="h1"), WHOLE) is None
    assert section(explain(spec_of("softmax_policy"), element="W1[0,0]"), WHOLE) is not None


# ---- one bias -------------------------------------------------------------------------------


def test_the_lessons_two_visits_have_its_numbers() -> None:
    first, second = visits(spec_of("one_bias"), [(0.0, 0.2), (0.0, 0.9)])
    assert (first.shop, first.reward, first.squatch) == ("Squatch", 1.0, 0.5)
    assert float(first.update.gradient["b"]) == pytest.approx(0.5, abs=1e-15)
    assert float(first.update.after["b"]) == pytest.approx(-0.5, abs=1e-15)
    assert (second.shop, second.reward) == ("Norm", -1.0)
    assert 1 - second.squatch == pytest.approx(0.3775407, abs=5e-8)
    assert -float(second.update.gradient["b"]) == pytest.approx(-0.6224593, abs=5e-8)
    assert float(second.update.after["b"]) == pytest.approx(-1.1224593, abs=5e-8)


@cache
def one_bias_page() -> str:
    return explain(spec_of("one_bias")).text(120)


PRINTED = (
    "dC/db = dC/dp * dp/dX * dX/db",
    "dC/db = 2 * 0.25 * 1\n     = 0.5\n     b <- 0 - 1 * 1 * 0.5\n     = -0.5",
    "p = 0.3775407. Draw 0.9 >= p(Squatch) = 0.6224593: Norm, the wrong shop, reward -1",
    "dC/db = -2.6487213 * 0.2350037 * 1\n     = -0.6224593",
    "b <- -0.5 - 1 * (-1) * (-0.6224593)\n     = -1.1224593",
    "w = 20 is this project's reconstruction",
    "-log(p) if Norm was visited, -log(1 - p) if Squatch",
)


@pytest.mark.parametrize("text", PRINTED)
def test_the_derivation_of_one_bias_prints_the_lesson(text: str) -> None:
    page = one_bias_page()
    assert text in page or text in " ".join(page.split())


def test_the_chain_comes_to_what_the_lesson_says() -> None:
    """-(1 - p) for Norm and p for Squatch, at any bias, hunger and draw."""
    rng = np.random.default_rng(1)
    shops = set()
    for start in rng.normal(0, 3, 6):
        for visit in visits(
            spec_of("one_bias"), rng.random((4, 2)).tolist(), start=float(start), w=3.0
        ):
            p, gradient = 1 - visit.squatch, float(visit.update.gradient["b"])
            wanted = -(1 - p) if visit.norm else p
            assert gradient * visit.reward == pytest.approx(wanted, rel=1e-12)
            shops.add(visit.shop)
    assert shops == {"Norm", "Squatch"}


WORLD = (
    # p,   hunger, draw, norm,  reward
    (0.5, 0.0, 0.2, False, 1.0),
    (0.5, 0.0, 0.9, True, -1.0),
    (0.5, 0.9, 0.9, True, 1.0),
    (0.5, 0.9, 0.2, False, -1.0),
    (0.5, 0.5, 0.2, False, 1.0),  # at 1/2 itself Squatch is right
    (0.75, 0.1, 0.25, True, -1.0),  # u = p(Squatch) is not below it
)


@pytest.mark.parametrize(("p", "hunger", "draw", "norm", "reward"), WORLD)
def test_the_two_shops_are_visited_and_rewarded_as_the_lesson_says(
    p: float, hunger: float, draw: float, norm: bool, reward: float
) -> None:
    data = lived(p, hunger, draw)
    assert (data["norm"], data["reward"]) == ([norm], [reward])


@pytest.mark.parametrize(("w", "rest"), [(None, -10.0), (10.0, -5.0)])
def test_training_ends_with_the_bias_near_minus_half_w(w: float | None, rest: float) -> None:
    late = [float(v.update.after["b"]) for v in training(spec_of("one_bias"), 500, 0, w)][250:]
    assert np.mean(late) == pytest.approx(rest, abs=1.0)
    assert np.std(late) < 1.5


def test_training_is_a_generator_and_the_same_every_time() -> None:
    run = training(spec_of("one_bias"), 10**6)
    first = [float(next(run).update.after["b"]) for _ in range(20)]
    assert first == [float(v.update.after["b"]) for v in training(spec_of("one_bias"), 20)]


def test_the_lesson_takes_its_w_from_the_values() -> None:
    spec = spec_of("one_bias")
    given = Given({}, {"w": np.array(30.0)}, {}, place=spec.values.place)
    assert "near -w/2 = -15" in " ".join(explain(spec, at=given).text(120).split())


def test_another_spec_of_that_name_gets_no_lesson() -> None:
    changed = spec_of("one_bias").source.replace(
        "X[n] = w*hunger[n] + b", "X[n] = w*hunger[n] + b + 0*k"
    )
    changed = changed.replace('b = "real init=zeros"', 'b = "real init=zeros"\nk = "real"').split(
        "[values]"
    )[0]
    titles = [s.title for s in explain(parse_spec(changed, "one_bias")).sections]
    assert "Training" not in titles
    assert "Training" in [s.title for s in explain(spec_of("one_bias")).sections]


# ---- descent --------------------------------------------------------------------------------


def test_a_step_of_descent_is_what_the_module_would_do() -> None:
    spec = spec_of("softmax_policy")
    _, loss, _ = cases()["softmax_policy-loss"]
    given = replace(cases()["softmax_policy-loss"][2], rate=0.25)
    derivation = explain(spec, loss, at=given)
    numbers = numbers_of(derivation)
    told = section(derivation, "One step of gradient descent, rate 0.25")
    assert told is not None
    assert len(told.steps) == len(derivation.wrt)
    for name, step in zip(derivation.wrt, told.steps, strict=True):
        (formula,) = step.formulas
        assert formula.text == f"{name} <- {name} - 0.25*dL/d{name}"
        wanted = numbers.at.tensors[name] - 0.25 * numbers.values[f"d{name}"]
        assert formula.figure is not None
        np.testing.assert_array_equal(formula.figure.values, wanted)


def test_descent_makes_the_loss_smaller_step_by_step() -> None:
    spec = spec_of("actor_weight")
    at = numbers_of(explain(spec)).at
    parameters = {n: at.tensors[n] for n in ("W1", "c1", "W2", "c2")}
    data = {n: a for n, a in at.tensors.items() if n not in parameters}
    found = derive(spec.loss()).derived
    steps = list(descend(found, "pi", parameters, [lambda ask: data] * 5, at.sizes, 0.1))
    losses = [float(s.values["loss"]) for s in steps]
    assert losses == sorted(losses, reverse=True)
    assert [s.step for s in steps] == [1, 2, 3, 4, 5]
    for before, after in pairwise(steps):
        for name in parameters:
            np.testing.assert_array_equal(before.after[name], after.before[name])


# ---- the end --------------------------------------------------------------------------------


def last(derivation: Derivation) -> str:
    text = derivation.text(1000)
    return text.split("What the gradient assumes\n")[1]


def test_every_derivation_ends_with_what_it_assumes() -> None:
    for path in SPECS:
        spec = EVERY[path]
        for loss in spec.losses:
            derivation = explain(spec) if spec.functions else derived(f"{spec.name}-{loss.name}")
            assert derivation.sections[-1].title == "What the gradient assumes"
            end = last(derivation)
            assert "Convention: " in end
            assert "\n- Descent, which makes " in end
            assert f"{derivation.wrt[0]} <- {derivation.wrt[0]} - rate*d" in end
            if spec.functions:
                assert "Nothing can be generated from it: " in end
                continue
            used = derive_stable(loss).identities
            assert all(identity in end for identity in used)
            assert ("Stable forms: none is needed" in end) == (not used)


ASCENT = (
    ("minus a mean", "loss = -mean(b: adv[b]*log(p[b]))", "J = sum(b: adv[b]*log(p[b]))/B"),
    ("a weighted mean", "loss = mean(b: adv[b]*p[b])", "J = -sum(b: adv[b]*p[b])/B"),
    ("a mean of minus", "l[b] = -p[b]\nloss = -sum(b: l[b])", "J = sum(b: l[b])"),
    ("a squared error", "loss = mean(b: (p[b] - adv[b])**2)", None),
    ("a plain mean", "loss = mean(b: p[b])", None),
)


@pytest.mark.parametrize(("claim", "line", "objective"), ASCENT, ids=[row[0] for row in ASCENT])
def test_what_is_meant_to_grow_is_told_as_ascent_too(
    claim: str, line: str, objective: str | None
) -> None:
    text = f'equations = """\np[b] = sigmoid(w*x[b])\n{line}\n"""\n[sizes]\nB = "batch"\n[params]\nw = "real"\n[data]\nx = "real[B]"\nadv = "real[B]"\n'
    end = last(explain(parse_spec(text, "ascent")))
    assert ("Ascent" in end) == (objective is not None), claim
    assert objective is None or f"makes {objective} grow: w <- w + rate*dJ/dw" in end


POLICIES = {"actor_weight": True, "softmax_policy": True, "one_bias": True, "cartpole_reinforce": True,
            "digits_mlp": False, "gru": False, "convolution": False, "attention": False, "lecture_q": False}  # fmt: skip


@pytest.mark.parametrize(("name", "climbs"), POLICIES.items())
def test_policy_losses_have_both_forms(name: str, climbs: bool) -> None:
    spec = spec_of(name)
    assert ("Ascent" in last(explain(spec, spec.losses[0].name))) == climbs
