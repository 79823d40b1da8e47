"""Losses by name: value and gradient of every row, what is held constant, and what is refused.

The tests walk the rows of the catalogue with their options, alone and together. A row is compared
with 60 digits, and with its formula in loss_oracles.py, written without symgrad.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import bad_losses
import loss_oracles
import numpy as np
import pytest
from bad_specs import Bad
from emitted import imported
from gradient_cases import Gradient, digits_for
from programs import assert_agree

from symgrad.algebra.derive import Derived
from symgrad.catalog.distributions import FORMULAS
from symgrad.catalog.formula import REDUCTION, NamedLoss, reduction
from symgrad.catalog.losses import LOSSES, ROWS
from symgrad.errors import SymgradError
from symgrad.expand.losses import FLAGS, pattern
from symgrad.explain.build import explain
from symgrad.notation.parser import parse
from symgrad.notation.printer import equation_text
from symgrad.notation.syntax import Call, Name, Read, Source, Statement, nodes
from symgrad.pipeline import derive_stable, generate
from symgrad.spec import Spec, parse_spec
from symgrad.verify.arithmetic import FLOAT64, Digits, Numbers
from symgrad.verify.check import check
from symgrad.verify.evaluate import evaluate
from symgrad.verify.subject import ModuleSubject

LEADS = {"a batch": "B", "batch and time": "B, T", "no batch": ""}
SEED = 2
SIZES = {"B": 9, "T": 2, "A": 3, "I": 2, "J": 4, "K": 3}
AXES = {"a": "A", "i": "I", "j": "J", "k": "K"}
SMALL = ("logp", "ref", "log_alpha", "log_std", "advantage")
"""What is exponentiated by itself: no program keeps exp(1e4)."""


@cache
def statements(text: str) -> tuple[Statement, ...]:
    """A row's equations."""
    return parse(Source("\n".join(line.strip() for line in text.strip().splitlines())))


@dataclass(frozen=True)
class Variant:
    """A row with some of its options, all of them data, so that each gets a derivative."""

    row: NamedLoss
    given: frozenset[str]
    lead: str = "B"

    def __str__(self) -> str:
        return " ".join(
            (self.row.name, *sorted(self.given), *([] if self.lead == "B" else [self.lead or "()"]))
        )

    @cached_property
    def kinds(self) -> dict[str, str]:
        """The type of each argument, and of each option that is a number."""
        every = (*self.row.options, *REDUCTION)
        options = [o.name for o in every if o.default not in FLAGS]
        names = [*self.row.arguments, *(o for o in options if pattern(o).name in self.given)]
        above = {o.name for o in every if o.positive}
        kinds = {pattern(n).name: self.type_of(pattern(n)) for n in names}
        return {n: f"{kind} > 0" if n in above else kind for n, kind in kinds.items()}

    def type_of(self, read: Read) -> str:
        """A name that is a subscript counts, one that is a condition is a bool."""
        axes = [AXES.get(n.name, self.lead) for n in read.subscripts if isinstance(n, Name)]
        shape = f"[{', '.join(axis for axis in axes if axis)}]" if any(axes) else ""
        kind, below = "real", ""
        text = f"{self.row.written(self.given)}\n{reduction(self.given)}"
        for statement in statements(text):
            for node in nodes(statement.right):
                inside = node.subscripts if isinstance(node, Read) else ()
                if any(isinstance(n, Read) and n.name == read.name for n in inside):
                    kind, below = "int", " < A"
                if isinstance(node, Call) and node.name == "where":
                    condition = node.arguments[0]
                    kind = "bool" if getattr(condition, "name", "") == read.name else kind
        return f"{kind}{shape}{below}"

    @property
    def reals(self) -> list[str]:
        return [name for name, kind in self.kinds.items() if kind.startswith("real")]

    @property
    def call(self) -> str:
        names = [pattern(n).name for n in self.row.arguments]
        options = [f"{n}={'true' if n not in self.kinds else n}" for n in sorted(self.given)]
        return f"{self.row.name}({', '.join((*names, *options))})"

    @property
    def text(self) -> str:
        data = "\n".join(f'{name} = "{kind}"' for name, kind in self.kinds.items())
        sizes = "\n".join(f'{s} = "size {s}"' for s in SIZES if re.search(rf"\b{s}\b", data))
        wrt = ", ".join(f'"{name}"' for name in self.reals)
        return (
            f'wrt = [{wrt}]\nequations = "loss = {self.call}"\n[sizes]\n{sizes}\n[data]\n{data}\n'
        )


def variants(row: NamedLoss) -> Iterator[Variant]:
    """No option, each alone, and as many as go together; those apart come alone."""
    names = [pattern(o.name).name for o in row.options]
    together = [n for n in names if n not in row.apart]
    most = [{*together, one} for one in row.apart] or [{*together}]
    for given in dict.fromkeys(map(frozenset, (set(), *({n} for n in names), *most))):
        yield Variant(row, given)


def reductions(row: NamedLoss) -> Iterator[Variant]:
    """Weights, masks and sums: every choice."""
    names = [pattern(o.name).name for o in REDUCTION]
    for n in range(1, len(names) + 1):
        yield from (Variant(row, frozenset(given)) for given in itertools.combinations(names, n))


VARIANTS = [v for row in ROWS for v in variants(row)]
FULLEST = [[*variants(row)][-1] for row in ROWS]
"""Each row with as many options as go together: enough where it is the row that counts."""
ENDS = [*dict.fromkeys([*(Variant(row, frozenset()) for row in ROWS), *FULLEST])]
"""And without any."""
EVERY = pytest.mark.parametrize("variant", VARIANTS, ids=str)
LED = [Variant(v.row, v.given, lead) for v in FULLEST for lead in LEADS.values() if lead != "B"]
WITH_JAX = pytest.mark.parametrize(
    "variant", [v for v in VARIANTS if hasattr(loss_oracles, v.row.name)], ids=str
)
WITH_TORCH = pytest.mark.parametrize(
    "variant", [v for v in VARIANTS if hasattr(loss_oracles, f"torch_{v.row.name}")], ids=str
)


class Emitted:
    """A variant's spec and module."""

    def __init__(self, variant: Variant) -> None:
        self.variant, self.name = variant, "m"
        self.spec = parse_spec(variant.text, self.name)
        self.module = imported(generate(self.spec), self.name)

    def __call__(self, values: Mapping[str, Any]) -> tuple[float, dict[str, np.ndarray]]:
        value, grads = self.module.value_and_grad(**values)
        return float(value), {n: np.asarray(g) for n, g in self.by_name(grads).items()}

    def by_name(self, grads: Any) -> dict[str, Any]:
        return {name: getattr(grads, name) for name in self.variant.reals}

    def scales(self, values: Mapping[str, Any], sizes: Mapping[str, int], numbers: Numbers) -> Any:
        """S of the loss and of each derivative, in the stable form that the module computes."""
        (loss,) = self.spec.losses
        names = (loss.value, *self.derived.result.values())
        found = evaluate(
            self.derived.program, values, sizes, numbers, outputs=names, magnitude=True
        ).magnitudes
        return found[loss.value], {n: found[self.derived.result[n]] for n in loss.wrt}

    @cached_property
    def derived(self) -> Derived:
        """What the module computes."""
        (loss,) = self.spec.losses
        return derive_stable(loss).derived


@cache
def emitted(variant: Variant) -> Emitted:
    return Emitted(variant)


# ---- values ----------------------------------------------------------------------------------

NUMBERS = {"huge": Digits(60)}  # exp(1e4) needs more than float64 has


@dataclass(frozen=True)
class Answer:
    """A module's value and gradients at inputs, and S of each."""

    values: Mapping[str, Any]
    value: float
    grads: Mapping[str, Any]
    scale: Any
    scales: Mapping[str, Any]


DRAWS = ("ordinary", "one", "zero", "equal", "grid", "huge")


def draws(variant: Variant) -> tuple[str, ...]:
    """The general ones, and each real tensor at 0 with the others ordinary."""
    return (*DRAWS, *(f"{name} 0" for name in variant.reals))


def drawn(variant: Variant, how: str) -> tuple[dict[str, Any], dict[str, int]]:
    """Ordinary numbers, or awkward ones: a batch of one, ties, exact zeros, kinks, logits of +-1e4."""
    rng = np.random.default_rng([SEED, *f"{variant} {how}".encode()])
    sizes = {**SIZES, "B": 1} if how == "one" else SIZES
    values: dict[str, Any] = {}
    for name, kind in variant.kinds.items():
        shape = tuple(sizes[s] for s in re.findall(r"\b[A-Z]\b", kind.partition("<")[0]))
        if kind.startswith("int"):
            values[name] = rng.integers(0, sizes["A"], shape)
        elif kind.startswith("bool"):
            values[name] = rng.random(shape) < 0.5
        elif kind.endswith("> 0"):
            values[name] = np.float64(1.0 if how != "ordinary" else 0.7)
        else:
            values[name] = np.asarray(reals(name, how, shape, rng))
    used = {s for kind in variant.kinds.values() for s in re.findall(r"\b[A-Z]\b", kind)}
    return values, {s: n for s, n in sizes.items() if s in used}


def reals(name: str, how: str, shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    if how in ("zero", f"{name} 0"):
        return np.zeros(shape)
    if how == "equal":
        return np.ones(shape)
    if how == "grid":
        return rng.integers(-1, 2, shape).astype(float)
    if how == "huge" and not name.startswith(SMALL):
        return 1e4 * rng.choice([-1.0, 1.0], shape)
    return rng.normal(size=shape)


@cache
def answer(variant: Variant, how: str) -> Answer:
    """What the module returns there."""
    values, sizes = drawn(variant, how)
    value, grads = emitted(variant)(values)
    return Answer(
        values, value, grads, *emitted(variant).scales(values, sizes, NUMBERS.get(how, FLOAT64))
    )


def compared(variant: Variant, how: str, oracle: Any, names: Sequence[str]) -> int:
    """The module's value and gradients are the oracle's: how many numbers were compared."""
    came = answer(variant, how)
    expected, gradients = oracle(came.values)
    count = assert_agree(f"{variant}, {how}: the loss", came.value, expected, came.scale)
    for name in names:
        what = f"{variant}, {how}: d{name}"
        count += assert_agree(what, came.grads[name], gradients[name], came.scales[name])
    return count


def jax_oracle(jax: Any, variant: Variant) -> Any:
    function, flags = getattr(loss_oracles, variant.row.name), variant.given - {*variant.kinds}
    xp = jax.numpy

    def loss(reals: Any, others: Any) -> Any:
        every = {**others, **reals, **dict.fromkeys(flags, True)}
        weight, mask = every.pop("weight", 1.0), every.pop("mask", True)
        total = every.pop("sum", False)
        each = xp.where(mask, weight * function(xp, jax.lax.stop_gradient, **every), 0.0)
        return xp.sum(each) / (
            1 if total else xp.maximum(xp.sum(xp.broadcast_to(mask, each.shape)), 1)
        )

    found = jax.value_and_grad(loss)

    def oracle(values: Mapping[str, Any]) -> Any:
        chosen = {n: jax.numpy.asarray(v) for n, v in values.items() if n in variant.reals}
        return found(chosen, {n: v for n, v in values.items() if n not in chosen})

    return oracle


def torch_oracle(torch: Any, variant: Variant) -> Any:
    function, flags = (
        getattr(loss_oracles, f"torch_{variant.row.name}"),
        variant.given - {*variant.kinds},
    )

    def oracle(values: Mapping[str, Any]) -> Any:
        every = {n: torch.as_tensor(np.array(v)) for n, v in values.items()}
        for name in variant.reals:
            every[name].requires_grad_()
        value = function(torch, **every, **dict.fromkeys(flags, True))
        value.backward()
        grads = {n: every[n].grad for n in variant.reals}
        return value.detach(), {
            n: np.zeros(every[n].shape) if g is None else g.numpy() for n, g in grads.items()
        }

    return oracle


# ---- the rows ---------------------------------------------------------------------------------


def test_formulas_without_symgrad_are_those_of_rows_and_few_rows_lack_one() -> None:
    """A new row is held to 60 digits by itself, and to its formula once that is written."""
    written = {n for n, f in vars(loss_oracles).items() if callable(f) and n[0] != "_"}
    assert {n.removeprefix("torch_") for n in written} <= {*LOSSES}, "an oracle of no row"
    assert len(written & {*LOSSES}) >= 24


def test_rows_have_one_name_each_and_what_a_reader_needs() -> None:
    assert len(LOSSES) == len(ROWS) >= 9
    assert [row.name for row in ROWS if not (row.formula and row.source and row.held)] == []


@WITH_JAX
def test_value_and_gradient_are_those_of_jax(variant: Variant, jax: Any) -> None:
    oracle = jax_oracle(jax, variant)
    counts = [compared(variant, how, oracle, variant.reals) for how in draws(variant)]
    assert min(counts) >= 1 + len(variant.reals)


@pytest.mark.parametrize("variant", [*reductions(LOSSES["squared_error"])], ids=str)
def test_weights_masks_and_sums_are_what_they_are_said_to_be(variant: Variant, jax: Any) -> None:
    oracle = jax_oracle(jax, variant)
    for how in ("ordinary", "one", "grid"):
        assert compared(variant, how, oracle, variant.reals) >= 1 + len(variant.reals)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_weights_multiply_and_masks_choose_the_losses_of_single_places(row: NamedLoss) -> None:
    """sum(m w l)/sum(m), with l the loss of a batch of one place; 0 where all is masked."""
    variant = Variant(row, frozenset({"weight", "mask"}))
    values, sizes = drawn(variant, "ordinary")
    weight, mask = values["weight"], np.arange(sizes["B"]) % 3 != 1
    value, grads = emitted(variant)({**values, "mask": mask})
    batched = {n for n, v in values.items() if np.shape(v)[:1] == mask.shape}
    total = 0.0
    for n in range(len(mask)):
        place = {name: v[n : n + 1] if name in batched else v for name, v in values.items()}
        one = {**place, "weight": np.ones(1), "mask": np.ones(1, bool)}
        alone, own = emitted(variant)(one)
        total += mask[n] * weight[n] * alone
        for name in {*variant.reals} & batched:
            share = mask[n] * (own[name][0] * (1.0 if name == "weight" else weight[n])) / mask.sum()
            np.testing.assert_allclose(grads[name][n], share, rtol=1e-12, atol=1e-15)
    assert value == pytest.approx(total / mask.sum(), rel=1e-13)
    value, grads = emitted(variant)({**values, "mask": np.zeros(len(mask), bool)})
    assert value == 0.0
    assert len(grads) > 0
    assert all((gradient == 0).all() for gradient in grads.values())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_before_its_mean_a_loss_is_a_tensor_over_the_batch(row: NamedLoss) -> None:
    variant = Variant(row, frozenset())
    own = variant.text.replace(f"loss = {variant.call}", f"loss = mean(b: {variant.call}[b])")
    values, _ = drawn(variant, "ordinary")
    value, grads = emitted(variant)(values)
    module = imported(generate(parse_spec(own, "m")), "m")
    came, same = module.value_and_grad(**values)
    assert came == pytest.approx(value, rel=1e-13)
    for name in variant.reals:
        np.testing.assert_allclose(getattr(same, name), grads[name], rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("variant", LED, ids=str)
def test_leading_axes_may_be_several_or_none(variant: Variant) -> None:
    """It is the loss of one batch axis, which they are joined to."""
    flat = replace(variant, lead="B")
    values, sizes = drawn(variant, "ordinary")
    lead = tuple(sizes[s] for s in re.findall(r"[A-Z]", variant.lead))
    joined = {
        name: v if "B" not in flat.kinds[name] else v.reshape(-1, *v.shape[len(lead) :])
        for name, v in values.items()
    }
    value, grads = emitted(variant)(values)
    expected, wanted = emitted(flat)(joined)
    assert value == pytest.approx(expected, rel=1e-13)
    for name in variant.reals:
        assert grads[name].shape == np.shape(values[name])
        np.testing.assert_allclose(
            grads[name].ravel(), wanted[name].ravel(), rtol=1e-12, atol=1e-15
        )


# Where torch has another convention: the derivative of a width, and of a maximum where values tie.
ELSEWHERE = {"delta", "huber"}
TIES = {"residual_q_learning": ("zero", "equal", "grid", "huge", "q_t 0")}


@WITH_TORCH
def test_value_and_gradient_are_those_of_torchs_own_losses(variant: Variant, torch: Any) -> None:
    oracle = torch_oracle(torch, variant)
    names = [n for n in variant.reals if n not in ELSEWHERE]
    ties = TIES.get(variant.row.name, ())
    counts = [compared(variant, how, oracle, names) for how in draws(variant) if how not in ties]
    assert min(counts) >= 1 + len(names)


@EVERY
def test_at_logits_of_1e4_value_and_gradient_are_those_of_60_digits(variant: Variant) -> None:
    values, sizes = drawn(variant, "huge")
    spec = emitted(variant).spec
    (loss,) = spec.losses
    numbers = digits_for(loss, values, sizes)
    gradient = Gradient(spec, loss, sizes, values, numbers)
    assert gradient.assert_exact(str(variant), numbers, most=2) >= 1 + 2 * len(variant.reals)


POLICIES = [row for row in FORMULAS.values() if "logits[b,a]" in row.arguments]
SPREAD = {"smoothing"}
"""Options by which every action counts, a masked one too: the loss is infinite then."""


@pytest.mark.parametrize("row", POLICIES, ids=lambda row: row.name)
def test_a_logit_of_minus_infinity_is_an_action_that_is_not_there(row: NamedLoss) -> None:
    """Value and gradient are those without the action, whose own are 0."""
    variant = Variant(row, [*variants(row)][-1].given - SPREAD)
    call = f"sum(b: weight[b]*{variant.call}[b])"
    text = variant.text.replace(f"loss = {variant.call}", f"loss = {call}") + 'weight = "real[B]"\n'
    module = imported(generate(parse_spec(text, "m")), "m")
    kinds = {**variant.kinds, "weight": "real[B]"}
    values = drawn(variant, "ordinary")[0] | {"weight": np.arange(1.0, 1.0 + SIZES["B"])}
    over = [name for name, kind in kinds.items() if "A]" in kind]
    acts = [name for name, kind in kinds.items() if kind.startswith("int")]
    values |= {name: values[name] % 2 for name in acts}  # and 2 is the action that is masked
    fewer = values | {name: values[name][..., :2] for name in over}
    logits = [name for name in over if name.startswith("logits")]
    values |= {n: np.append(fewer[n], np.full((SIZES["B"], 1), -np.inf), axis=1) for n in logits}
    (value, grads), (expected, wanted) = (module.value_and_grad(**v) for v in (values, fewer))
    assert value == pytest.approx(expected, rel=1e-14)
    for name in variant.reals:
        came = getattr(grads, name)
        came, rest = (came[..., :2], came[..., 2:]) if name in over else (came, np.zeros(1))
        np.testing.assert_allclose(came, getattr(wanted, name), rtol=1e-13, atol=1e-15)
        assert not rest.any()
    if not acts:  # where every action is masked there is nothing to choose from
        nothing = values | {name: np.full_like(values[name], -np.inf) for name in logits}
        value, grads = module.value_and_grad(**nothing)
        assert value == 0.0
        assert not any(getattr(grads, name).any() for name in logits)


def test_the_awkward_points_are_reached() -> None:
    """The draws hold what they are there for: ties, kinks, a return that is its baseline."""
    (huber,) = (v for v in VARIANTS if v.row.name == "huber" and not v.given)
    at, _ = drawn(huber, "grid")
    sizes = np.abs(at["q"] - at["y"])
    assert {0, 1, 2} <= {*sizes}
    (double,) = (v for v in VARIANTS if v.row.name == "double_q_learning" and not v.given)
    at, _ = drawn(double, "grid")
    most = [row.count(max(row)) for row in at["q_t_selector"].tolist()]
    assert {1, 2} <= {*most}  # one best place, and two
    assert "discount_t 0" in draws(double)  # every episode is over
    policy = next(v for v in VARIANTS if v.row.name == "reinforce" and "baseline" in v.given)
    at, _ = drawn(policy, "equal")
    assert (at["ret"] - at["baseline"] == 0).all()
    at, sizes = drawn(policy, "one")
    assert sizes["B"] == len(at["ret"]) == 1
    at, _ = drawn(policy, "huge")
    assert {*np.abs(at["logits"]).ravel()} == {1e4}
    assert {*np.sign(at["logits"]).ravel()} == {-1, 1}


# ---- the page ----------------------------------------------------------------------------------

PAGE = (Path(__file__).parent.parent / "docs" / "notation.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## Losses by name\n")[2].partition("\n## ")[0]


def test_a_formula_says_how_the_batch_is_reduced() -> None:
    for row in ROWS:
        assert re.match(r"-?mean ", row.formula), row.name


def test_the_pages_example_becomes_the_equations_that_it_shows(tmp_path: Any) -> None:
    text, shown = re.findall(r"```(?:toml|text)\n(.*?)```", SECTION, re.DOTALL)
    spec = parse_spec(text, "m")
    own = [
        [equation_text(e, loss.program) for e in loss.program.equations if is_own(e.origin)]
        for loss in spec.losses
    ]
    assert "\n\n".join("\n".join(lines) for lines in own) == shown.strip()
    assert verdict(spec, generate(spec), tmp_path) == "PASS"


def is_own(origin: str) -> bool:
    """Whether a loss is behind an equation, and no network."""
    return ", layer " not in origin


FORMS = {
    "text": lambda d: d.text(100),
    "markdown": lambda d: d.markdown(),
    "latex": lambda d: d.latex(),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_derivation_says_once_what_a_loss_is(row: NamedLoss, form: str) -> None:
    spec = parse_spec(Variant(row, frozenset()).text, "m")
    plain = FORMS[form](explain(spec)).replace("\\", "")
    said = re.findall(rf"\b{row.name}\b(: [^\n*]{{7}})?", plain)
    formulas = [more for more in said if more]
    assert formulas == [f": {row.formula[:7]}"]
    assert len(said) >= len({s.left.name for s in statements(row.written(frozenset()))})


# ---- what is held constant --------------------------------------------------------------------

SHARED = """
outputs = ["q"]
wrt = ["W"]
equations = \"\"\"
q[b,a] = sum(i: W[a,i]*tanh(x[b,i]))
q_next[b,a] = sum(i: W[a,i]*tanh(x_next[b,i]))
loss = {call}
\"\"\"
[sizes]
B = "batch"
[params]
W = "real[3, 2]"
[data]
x = "real[B, 2]"
x_next = "real[B, 2]"
a = "int[B] < 3"
r = "real[B]"
gamma = "real = 0.9"
"""


def at(jax: Any, values: Any, places: Any) -> Any:
    """values[b,places[b]]."""
    return jax.numpy.take_along_axis(values, places[:, None], axis=1)[:, 0]


CALL = "{name}(q, a, r, gamma, q_next{more})"


def shared_gradients(jax: Any, name: str, more: str = "") -> tuple[Any, Any, Any]:
    """dW where target and value have one network: the module's, with the target held, and without."""
    rng = np.random.default_rng(5)
    x, x_next, a = rng.normal(size=(6, 2)), rng.normal(size=(6, 2)), rng.integers(0, 3, 6)
    r, W = rng.normal(size=6), rng.normal(size=(3, 2))
    module = imported(
        generate(parse_spec(SHARED.format(call=CALL.format(name=name, more=more)), "m")), "m"
    )
    params = module.init(np.random.default_rng(0))
    params.W[...] = W
    _, grads = module.value_and_grad(params, x=x, x_next=x_next, a=a, r=r, gamma=0.9)

    def loss(held: Any) -> Any:
        def f(W: Any) -> Any:
            q, q_next = jax.numpy.tanh(x) @ W.T, jax.numpy.tanh(x_next) @ W.T
            best = jax.numpy.argmax(q_next, -1)
            target = held(r + 0.9 * at(jax, q_next, best))
            return jax.numpy.mean((at(jax, q, a) - target) ** 2)

        return jax.grad(f)(jax.numpy.asarray(W))

    return grads.W, loss(jax.lax.stop_gradient), loss(lambda x: x)


@pytest.mark.parametrize(("name", "more"), [("q_learning", ""), ("double_q_learning", ", q_next")])
def test_the_semi_gradient_holds_the_target(name: str, more: str, jax: Any) -> None:
    came, held, full = shared_gradients(jax, name, more)
    np.testing.assert_allclose(came, held, rtol=1e-12)
    assert np.abs(held - full).max() > 0.1


def test_the_residual_gradient_holds_nothing(jax: Any) -> None:
    came, held, full = shared_gradients(jax, "residual_q_learning")
    np.testing.assert_allclose(came, full, rtol=1e-12)
    assert np.abs(held - full).max() > 0.1


HELD = [v for v in VARIANTS if "stop(" in v.row.written(v.given)]


def test_the_rows_that_hold_something_say_what() -> None:
    held = {v.row.name for v in HELD}
    assert held == {row.name for row in ROWS if not row.held.startswith("nothing")}
    assert held >= {"reinforce", "q_learning", "double_q_learning"}


# ---- the verdict -------------------------------------------------------------------------------


def verdict(spec: Spec, text: str, folder: Any) -> str:
    path = folder / "m.py"
    path.write_text(text, encoding="utf-8")
    return check(spec, ModuleSubject(path)).verdict


@pytest.mark.parametrize("variant", ENDS, ids=str)
def test_check_passes(variant: Variant, tmp_path: Any) -> None:
    spec = parse_spec(variant.text, "m")
    assert verdict(spec, generate(spec), tmp_path) == "PASS"


@pytest.mark.parametrize("variant", [v for v in FULLEST if v in HELD], ids=str)
def test_check_fails_where_a_stop_was_removed(variant: Variant, tmp_path: Any) -> None:
    spec = parse_spec(variant.text, "m")
    text = spec.canonical()
    assert "stop(" in text
    without = parse_spec(text.replace("stop(", "("), "m")
    assert verdict(spec, generate(without), tmp_path) == "FAIL"


# ---- what is refused, and what is not ------------------------------------------------------------


@pytest.mark.parametrize("case", bad_losses.cases(), ids=lambda case: case.claim)
def test_a_wrong_call_is_refused_with_its_place(case: Bad) -> None:
    with pytest.raises(SymgradError) as caught:
        parse_spec(case.text, "spec", "spec.toml")
    line = str(caught.value)
    assert line.startswith(f"spec.toml:{case.place}: ")
    assert [word for word in case.words if word not in line] == []
    assert line.isascii()
    assert len(line.splitlines()) == 1


# equations, what they become
GOOD = (
    ("loss = huber(k, 1)", "d = k - 1; loss = where(abs(d) <= 1, 0.5*d**2, abs(d) - 0.5)"),
    ("loss = squared_error(w, 0)", "loss += w[b]**2/B"),
    ("loss = squared_error(w, ret, half=false)", "loss += (w[b] - ret[b])**2/B"),
    ("loss = 2*squared_error(w, ret) + k", "squared_error += (w[b] - ret[b])**2/B; loss = k + 2*squared_error"),
    ("loss = k\nloss += squared_error(w, ret)", "loss = k; loss += (w[b] - ret[b])**2/B"),
    ("loss = huber(w, ret) + huber(w, 0)", "d[b] = w[b] - ret[b]; huber += where(abs(d[b]) <= 1, 0.5*d[b]**2, abs(d[b]) - 0.5)/B; "
     "d_2[b] = w[b]; huber_2 += where(abs(d_2[b]) <= 1, 0.5*d_2[b]**2, abs(d_2[b]) - 0.5)/B; loss = huber + huber_2"),
    ("loss = squared_error(w, squared_error(ret, w))", "squared_error += (ret[b] - w[b])**2/B; loss += (w[b] - squared_error)**2/B"),
    ("loss = squared_error(sum(b: w[b]), 0)", "q += w[b]; loss = q**2"),
    ("loss = squared_error(w[b+1], ret[b]) for b < B-1", "q[b] = w[b+1] for b < B-1; y[b] = ret[b] for b < B-1; loss += (q[b] - y[b])**2/(B - 1)"),
    ("loss = squared_error(w, ret[b] + k*gamma)", "y[b] = gamma*k + ret[b]; loss += (w[b] - y[b])**2/B"),
    ("loss = reward_signed_cross_entropy(k, done, ret)", "p = sigmoid(k); C[b] = where(done[b] == 1, -log(p), -log(1 - p)); loss += C[b]*ret[b]/B"),
    ("loss = td_learning(w, 1, 0, 0)", "y = stop(1); td[b] = w[b] - y; loss += 0.5*td[b]**2/B"),
    ("loss = reinforce(pair, 1, ret)", "lse[b] = logsumexp(a: pair[b,a]); logp[b] = pair[b,1] - lse[b]; loss += -logp[b]*stop(ret[b])/B"),
    ("loss = reinforce(pair, act, ret, baseline=0, entropy=0)", "lse[b] = logsumexp(a: pair[b,a]); logp[b] = pair[b,act[b]] - lse[b]; "
     "loss += -logp[b]*stop(ret[b])/B"),
    ("loss = q_learning(pair, act, ret, gamma, pair, huber=none)", "y_argmax[b] = argmax(a: pair[b,a]); "
     "y[b] = stop(gamma*pair[b,y_argmax[b]] + ret[b]); td[b] = pair[b,act[b]] - y[b]; loss += td[b]**2/B"),
)  # fmt: skip


@pytest.mark.parametrize(("text", "becomes"), GOOD, ids=[row[0] for row in GOOD])
def test_a_call_becomes_equations(text: str, becomes: str) -> None:
    head, tail = bad_losses.SPEC.split("[networks.q]")[0], bad_losses.SPEC.split("[params]")[1]
    head = head.replace('outputs = ["q", "critic"]\n', "")
    spec = parse_spec(f'{head.format(text)}[params]{tail}pair = "real[B, 2]"\n', "m")
    program = spec.losses[0].program
    assert "; ".join(equation_text(e, program) for e in program.equations) == becomes


@EVERY
def test_a_row_takes_no_name_of_the_users(variant: Variant) -> None:
    """With numbers called like the row's own tensors and indices it is the same."""
    every = statements(variant.row.written(variant.given))
    own = ({s.left.name for s in every} | {"a", "b"}) - {"value"} - {*variant.kinds}
    inputs = {name: f"in_{name}" for name in variant.kinds}
    text = re.sub(rf"\b({'|'.join(inputs)})\b(?!=)", r"in_\1", variant.text)
    extra = "".join(f'{name} = "real"\n' for name in sorted(own))
    text = text.replace(' = "loss = ', f' = "loss = 0*({" + ".join(sorted(own))}) + ') + extra
    program = parse_spec(text, "m").losses[0].program
    values, sizes = drawn(variant, "ordinary")
    given = {inputs[n]: v for n, v in values.items()} | dict.fromkeys(own, np.float64(7))
    found = evaluate(program, given, sizes, outputs=("loss",)).values["loss"]
    np.testing.assert_allclose(found, answer(variant, "ordinary").value, rtol=1e-14)


def test_what_a_row_defines_may_be_returned_beside_the_loss() -> None:
    text = SHARED.format(call=CALL.format(name="q_learning", more="")).replace(
        'wrt = ["W"]', 'wrt = ["W"]\naux = ["td", "y"]'
    )
    module = imported(generate(parse_spec(text, "m")), "m")
    rng = np.random.default_rng(3)
    data = {
        "x": rng.normal(size=(4, 2)),
        "x_next": rng.normal(size=(4, 2)),
        "r": rng.normal(size=4),
    }
    loss, aux = module.value(module.init(rng), **data, a=rng.integers(0, 3, 4), gamma=0.9)
    np.testing.assert_allclose(loss, np.mean(aux["td"] ** 2), rtol=1e-14)
    assert aux["y"].shape == (4,)


@pytest.mark.parametrize("variant", FULLEST, ids=str)
def test_a_loss_before_its_mean_may_be_returned_beside_it(variant: Variant) -> None:
    """`each` in aux, for every row."""
    loss = parse_spec(f'aux = ["each"]\n{variant.text}', "m").losses[0]
    values, sizes = drawn(variant, "ordinary")
    found = evaluate(loss.program, values, sizes, outputs=loss.program.outputs).values
    assert loss.program.outputs == ("loss", "each")
    assert np.shape(found["each"]) == (SIZES["B"],)
    np.testing.assert_allclose(found["loss"], np.mean(found["each"]), rtol=1e-12)
    np.testing.assert_allclose(found["loss"], answer(variant, "ordinary").value, rtol=1e-12)


def test_two_losses_before_their_means_are_each_and_each_2() -> None:
    text = 'aux = ["each", "each_2"]\nwrt = ["w"]\nequations = "loss = huber(w, 0, mask=m) + squared_error(w, 1)"\n'
    text += '[sizes]\nB = "batch"\n[data]\nw = "real[B]"\nm = "bool[B]"\n'
    module = imported(generate(parse_spec(text, "m")), "m")
    w, m = np.array([0.5, -3.0, 0.25]), np.array([True, False, True])
    loss, aux = module.value(w=w, m=m)
    np.testing.assert_allclose(aux["each"], [0.125, 2.5, 0.03125], rtol=1e-15)
    np.testing.assert_allclose(aux["each_2"], (w - 1) ** 2, rtol=1e-15)
    assert loss == pytest.approx(aux["each"][m].mean() + aux["each_2"].mean(), rel=1e-14)
