"""Distributions by name: values and gradients are those of torch.distributions."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emitted import imported

from symgrad.catalog.distributions import DISTRIBUTIONS, ROWS
from symgrad.catalog.formula import NamedLoss
from symgrad.errors import SymgradError
from symgrad.expand.losses import pattern
from symgrad.pipeline import generate
from symgrad.spec import parse_spec
from symgrad.verify.check import check
from symgrad.verify.subject import ModuleSubject

PAGE = (Path(__file__).parent.parent / "docs" / "notation.md").read_text(encoding="utf-8")
LAST = {"a": 3, "i": 2}
BATCH = 5
EVERY = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)


def normal(torch: Any, p: Mapping[str, Any], of: str = "") -> Any:
    one = torch.distributions.Normal(p[f"mu{of}"], p[f"log_std{of}"].exp())
    return torch.distributions.Independent(one, 1)


def squashed(torch: Any, p: Mapping[str, Any]) -> Any:
    if "eps" in p:
        return normal(torch, p).log_prob(p["u"]) - (1 - p["u"].tanh() ** 2 + p["eps"]).log().sum(-1)
    tanh = torch.distributions.transforms.TanhTransform(cache_size=1)
    return torch.distributions.TransformedDistribution(normal(torch, p), [tanh]).log_prob(
        tanh(p["u"])
    )


def bernoulli(torch: Any, logit: Any) -> Any:
    return torch.distributions.Independent(torch.distributions.Bernoulli(logits=logit), 1)


ORACLES: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "categorical_log_prob": lambda t, p: t.distributions.Categorical(logits=p["logits"]).log_prob(p["action"]),
    "categorical_entropy": lambda t, p: t.distributions.Categorical(logits=p["logits"]).entropy(),
    "categorical_kl": lambda t, p: t.distributions.kl_divergence(t.distributions.Categorical(logits=p["logits"]), t.distributions.Categorical(logits=p["logits_q"])),
    "bernoulli_log_prob": lambda t, p: bernoulli(t, p["logit"]).log_prob(p["x"]),
    "bernoulli_entropy": lambda t, p: bernoulli(t, p["logit"]).entropy(),
    "bernoulli_kl": lambda t, p: t.distributions.kl_divergence(bernoulli(t, p["logit"]), bernoulli(t, p["logit_q"])),
    "normal_log_prob": lambda t, p: normal(t, p).log_prob(p["x"]),
    "normal_entropy": lambda t, p: normal(t, {"mu": 0 * p["log_std"], **p}).entropy(),
    "normal_kl": lambda t, p: t.distributions.kl_divergence(normal(t, p), normal(t, p, "_q")),
    "squashed_normal_log_prob": squashed,
}  # fmt: skip
VARIANTS = [(row, given) for row in ROWS for given in ((), *((o.name,) for o in row.options))]


def kinds(row: NamedLoss, given: tuple[str, ...], flat: bool = False) -> dict[str, str]:
    """The types of arguments and options; flat: what may come without a batch does."""
    found = {}
    for read in map(pattern, row.arguments):
        *_, last = [s.name for s in read.subscripts]
        own = [str(LAST[last])] if last in LAST else []
        lead = [] if flat and read.name in row.shared else ["B"]
        shape = ", ".join([*lead, *own])
        found[read.name] = "int[B] < 3" if read.name == "action" else f"real[{shape}]"
    return found | dict.fromkeys(given, "real > 0")


def text_of(row: NamedLoss, given: tuple[str, ...], flat: bool = False) -> str:
    """A weighted sum of the values, so that each has a part of its own."""
    types = kinds(row, given, flat)
    data = "\n".join(f'{name} = "{kind}"' for name, kind in types.items())
    wrt = [name for name, kind in types.items() if kind.startswith("real") and name != "x"]
    options = "".join(f", {name}={name}" for name in given)
    call = f"{row.name}({', '.join(pattern(a).name for a in row.arguments)}{options})"
    return (
        f'wrt = {wrt}\nequations = "loss = sum(b: w[b]*{call}[b])"\n'
        f'[sizes]\nB = "batch"\n[data]\nw = "real[B]"\n{data}\n'
    )


def drawn(types: Mapping[str, str], how: str) -> dict[str, np.ndarray]:
    """Ordinary numbers, equal ones, or logits of +-1e4 and log-stds of +-20."""
    rng = np.random.default_rng(4)
    found = {"w": rng.normal(size=BATCH)}
    for name, kind in types.items():
        shape = [
            BATCH if s == "B" else int(s)
            for s in re.findall(r"\bB\b|\d+", re.split("[<>]", kind)[0])
        ]
        if kind.startswith("int"):
            found[name] = rng.integers(0, 3, shape)
        elif name == "x" and "logit" in types:
            found[name] = rng.integers(0, 2, shape).astype(float)
        elif how == "far":
            size = 1e4 if name.startswith("logit") else 20.0 if name.startswith("log_std") else 1.0
            found[name] = size * rng.choice([-1.0, 1.0], shape)
        else:
            found[name] = np.ones(shape) if how == "equal" else rng.normal(size=shape)
        found[name] = np.abs(found[name]) if kind.endswith("> 0") else found[name]
    return found


@cache
def module_of(text: str) -> Any:
    return imported(generate(parse_spec(text, "m")), "m")


def test_the_pages_example_differentiates_by_its_log_std_too() -> None:
    section = PAGE.partition("\n## Distributions\n")[2]
    (example,) = re.findall(r"```toml\n(.*?)```", section, re.DOTALL)
    spec = parse_spec(example, "m")
    assert {"W1", "log_std"} <= {*spec.losses[0].wrt}
    assert "value_and_grad" in generate(spec)


def test_every_distribution_has_its_oracle() -> None:
    assert [*ORACLES] == [*DISTRIBUTIONS]


@pytest.mark.parametrize("flat", [False, True], ids=["", "shared"])
@pytest.mark.parametrize("how", ["ordinary", "equal"])
@pytest.mark.parametrize(
    ("row", "given"), VARIANTS, ids=[" ".join((r.name, *g)) for r, g in VARIANTS]
)
def test_values_and_gradients_are_those_of_torch(
    row: NamedLoss, given: tuple[str, ...], how: str, flat: bool, torch: Any
) -> None:
    if flat and not row.shared:
        pytest.skip("every argument has a batch")
    text = text_of(row, given, flat)
    values = drawn(kinds(row, given, flat), how)
    came, grads = module_of(text).value_and_grad(**values)
    given_ = {n: torch.as_tensor(v) for n, v in values.items()}
    wrt = parse_spec(text, "m").losses[0].wrt
    for name in wrt:
        given_[name].requires_grad_()
    expected = (given_["w"] * ORACLES[row.name](torch, given_)).sum()
    expected.backward()
    assert came == pytest.approx(expected.item(), rel=1e-12)
    for name in wrt:
        np.testing.assert_allclose(
            getattr(grads, name), given_[name].grad.numpy(), rtol=1e-10, atol=1e-13
        )


@pytest.mark.parametrize("name", ["categorical_entropy", "categorical_log_prob"])
def test_a_masked_actions_value_and_gradient_are_those_of_torch(name: str, torch: Any) -> None:
    row = DISTRIBUTIONS[name]
    values = drawn(kinds(row, ()), "ordinary")
    values["logits"][:, 1] = -np.inf
    values["w"] /= 10  # torch takes its lowest number for -inf, which above 1 overflows
    values |= {"action": np.zeros(BATCH, int)} if "action" in values else {}
    came, grads = module_of(text_of(row, ())).value_and_grad(**values)
    given = {n: torch.as_tensor(v) for n, v in values.items()}
    given["logits"].requires_grad_()
    expected = (given["w"] * ORACLES[name](torch, given)).sum()
    expected.backward()
    assert came == pytest.approx(expected.item(), rel=1e-12)
    np.testing.assert_allclose(grads.logits, given["logits"].grad.numpy(), rtol=1e-11, atol=1e-14)


@EVERY
def test_far_out_nothing_overflows(row: NamedLoss) -> None:
    values = drawn(kinds(row, ()), "far")
    if row.name.startswith(("normal", "squashed")):  # (x - mu)/std itself is e^20
        values = {n: -np.abs(v) if n == "log_std" else v for n, v in values.items()}
    value, grads = module_of(text_of(row, ())).value_and_grad(**values)
    assert np.isfinite(value)
    for name in parse_spec(text_of(row, ()), "m").losses[0].wrt:
        assert np.isfinite(getattr(grads, name)).all(), name


@pytest.mark.parametrize(
    ("row", "given"), VARIANTS, ids=[" ".join((r.name, *g)) for r, g in VARIANTS]
)
def test_check_passes(row: NamedLoss, given: tuple[str, ...], tmp_path: Path) -> None:
    spec = parse_spec(text_of(row, given), "m")
    path = tmp_path / "m.py"
    path.write_text(generate(spec), encoding="utf-8")
    assert check(spec, ModuleSubject(path)).verdict == "PASS"


BAD = (
    ("without its places", "normal_entropy(s)", ("one value for each place", "normal_entropy(...)[b]")),
    ("misspelt", "normal_entrpy(s)[b]", ("normal_entropy",)),
    ("an argument too few", "normal_kl(m, s)[b]", ("takes 4 arguments, and 2 came",)),
    ("an option of losses", "normal_entropy(s, weight=w)[b]", ('no option "weight"',)),
    ("a mean without a batch", "normal_log_prob(c, s, m)[b]", ("mu is c, with 1 axis",)),
    ("a place too many", "normal_entropy(s)[b,i]", ('index "i" is not bound',)),
)  # fmt: skip


@pytest.mark.parametrize(("call", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD])
def test_a_mistake_is_answered(call: str, words: tuple[str, ...]) -> None:
    text = f'equations = "loss = sum(b: w[b]*{call})"\nwrt = ["m"]\n[sizes]\nB = "batch"\n[data]\n'
    text += 'm = "real[B, 2]"\ns = "real[B, 2]"\nc = "real[2]"\nw = "real[B]"\n'
    with pytest.raises(SymgradError) as caught:
        parse_spec(text, "m")
    assert [word for word in words if word not in str(caught.value)] == []
