"""Products along a direction, emitted: they are JAX's, one mechanism with sg's, and checked."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import oracles
import pytest
from catalogue import at as array_at
from click.testing import CliRunner, Result
from emitted import imported
from programs import CASES, Case, assert_agree, called, fresh_values, params_of

import symgrad as sg
from benchmarks.fuzzing.running import accepted
from benchmarks.mutants.judging import Bench, Replay, answer, answers_of, module_of, with_edit
from benchmarks.mutants.source import SOURCE_FAULTS, source_faults
from symgrad import pipeline
from symgrad.algebra.second import directions
from symgrad.cli import main
from symgrad.errors import ProgramError, SpecError
from symgrad.pipeline import generate, optimised
from symgrad.products import BUILDERS, derive_product
from symgrad.spec import Loss, Spec, parse_spec
from symgrad.spec.products import ROWS
from symgrad.verify.check import judged, prepared
from symgrad.verify.evaluate import evaluate
from symgrad.verify.products import ORACLES

EVERY = tuple(row.name for row in ROWS)


@cache
def emitted(text: str, products: tuple[str, ...]) -> tuple[Spec, ModuleType]:
    spec = parse_spec(text, "m").having(products)
    return spec, imported(generate(spec), f"m_{'_'.join(products)}")


def direction_like(grads: Any, by: Mapping[str, Any]) -> Any:
    """A gradient's copy that holds these arrays."""
    v = copy.deepcopy(grads)
    for name, array in by.items():
        array_at(v, name)[...] = array
    return v


def product_of(
    spec: Spec, module: ModuleType, loss: Loss, name: str, values: Mapping[str, Any], params: Any,
    quiet: bool = False, **more: Any,
) -> tuple[Any, dict[str, Any]]:  # fmt: skip
    """What a function returns along v_X of `values`, and the S of each of its entries."""
    prefix = "" if len(spec.losses) == 1 else f"{loss.name}_"
    first = [] if params is None else [params]
    _, grads = called(module, f"{prefix}value_and_grad", params, spec, values, quiet=quiet)
    v = direction_like(grads, {x: values[f"v_{x}"] for x in loss.wrt})
    function = getattr(module, f"{prefix}{name}")
    boolean = {t.name for t in spec.tensors if t.kind == "bool"}
    data = {n: np.asarray(a, bool) if n in boolean else a for n, a in values.items()}
    with np.errstate(all="ignore" if quiet else "warn"):
        came = function(*first, v, **accepted(function, data), **more)
    found = derive_product(spec, loss, name)
    program, result = optimised(found), found.derived.result
    along = {v_x: values[f"v_{x}"] for x, v_x in found.along.items()}
    sizes = values["sizes"]
    scales = evaluate(
        program, {**values, **along, **more}, sizes, outputs=tuple(result.values()), magnitude=True
    ).magnitudes
    return came, {x: scales[dot] for x, dot in result.items()}


def with_directions(values: Mapping[str, Any], wrt: tuple[str, ...]) -> dict[str, Any]:
    rng = np.random.default_rng(7)
    return {**values, **{f"v_{x}": rng.normal(size=np.shape(values[x])) for x in wrt}}


# ---- against JAX -----------------------------------------------------------------------------


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_an_emitted_hessian_vector_product_is_that_of_jax_and_the_slope_the_gradients(
    case: Case, jax: Any
) -> None:
    """Through stops, ties, gathers, recurrences, shared weights: programs.py says what."""
    spec = case.spec.having(["hvp", "jvp"])
    module = imported(generate(spec), spec.name)
    values = {**with_directions(case.values, case.loss.wrt), "sizes": case.sizes}
    params = params_of(module, spec, values, case.sizes) if hasattr(module, "init") else None
    plain = {n: v for n, v in values.items() if n != "sizes"}
    found = oracles.jax_hessian_vector(jax, case.mathematics, case.loss.wrt, plain)
    came, scales = product_of(spec, module, case.loss, "hvp", values, params, case.overflows)
    for x in case.loss.wrt:
        assert_agree(f"{case.name}: H v by {x}", array_at(came, x), found[x], scales[x])
    _, grads = called(module, "value_and_grad", params, spec, case.values, quiet=case.overflows)
    expected = sum(np.sum(array_at(grads, x) * values[f"v_{x}"]) for x in case.loss.wrt)
    (_, slope), scales = product_of(spec, module, case.loss, "jvp", values, params, case.overflows)
    assert_agree(f"{case.name}: slope", slope, expected, scales["loss"])


DISCRETE = """
[sizes]
B = "steps"
[networks.pi]
input = "obs"
layers = ["dense 4 tanh", "dense 3"]
[networks.old]
copy_of = "pi"
held = true
[data]
obs = "real[B, 2]"
act = "int[B] < 3"
adv = "real[B]"
[losses.surrogate]
wrt = ["pi"]
equations = "loss = -mean(b: adv[b]*exp(categorical_log_prob(pi, act)[b] - categorical_log_prob(old, act)[b]))"
[losses.kl]
wrt = ["pi"]
equations = "loss = mean(b: categorical_kl(old, pi)[b])"
[losses.own]
wrt = ["pi"]
equations = \"\"\"
held[b,a] = stop(pi[b,a])
loss = mean(b: categorical_kl(held, pi)[b])
\"\"\"
"""
NORMAL = """
[sizes]
B = "steps"
[networks.mu]
input = "obs"
layers = ["dense 3 relu", "dense 2"]
[params]
log_std = "real[2]"
[data]
obs = "real[B, 2]"
old_mu = "real[B, 2]"
old_log_std = "real[2]"
[losses.kl]
equations = "loss = mean(b: normal_kl(old_mu, old_log_std, mu, log_std)[b])"
"""
PENALTY = """
outputs = ["a", "z"]
wrt = ["W", "V", "x"]
equations = \"\"\"
a[b,i] = tanh(sum(j: W[i,j]*x[b,j]))
z[b,i] = sum(j: V[i,j]*a[b,j]) + minimum(a[b,i], stop(a[b,i])**2)
loss = mean(b: sum(i: exp(z[b,i])) + sum(i: a[b,i]**2)*y[b]) + 0.5*sum(i, j: W[i,j]**4)
\"\"\"
[sizes]
B = "batch"
[params]
W = "real[2, 2]"
V = "real[2, 2]"
[data]
x = "real[B, 2]"
y = "real[B]"
"""
RECURRENT = """
outputs = ["h"]
equations = \"\"\"
h[b,0] = 0 for b < B
h[b,t+1] = tanh(w*h[b,t] + u*x[b,t])
loss = mean(b: (h[b,T] - y[b])**2 + h[b,1]**4)
\"\"\"
[sizes]
B = "batch"
T = 3
[params]
w = "real"
u = "real"
[data]
x = "real[B, T]"
y = "real[B]"
"""


def pi(xp, p, d):
    h = xp.tanh(d["obs"] @ p["pi_W1"].T + p["pi_c1"])
    return (h @ p["pi_W2"].T + p["pi_c2"],)


def log_softmax(xp, z):
    return z - oracles.logsumexp(xp, z)[:, None]


def surrogate(xp, held, z, p, d):
    old = pi(xp, {n.replace("old", "pi"): d[n] for n in d if n.startswith("old")}, d)[0]
    ratio = xp.exp(
        oracles.picked(xp, log_softmax(xp, z[0]), d["act"])
        - oracles.picked(xp, log_softmax(xp, old), d["act"])
    )
    return -xp.mean(ratio * d["adv"])


def kl(xp, held, z, p, d):
    old = log_softmax(xp, pi(xp, {n.replace("old", "pi"): d[n] for n in d if n[:3] == "old"}, d)[0])
    return xp.mean(xp.sum(xp.exp(old) * (old - log_softmax(xp, z[0])), axis=1))


def self_kl(xp, held, z, p, d):
    old = log_softmax(xp, held(z[0]))
    return xp.mean(xp.sum(xp.exp(old) * (old - log_softmax(xp, z[0])), axis=1))


def mu(xp, p, d):
    return (oracles.relu(xp, d["obs"] @ p["W1"].T + p["c1"]) @ p["W2"].T + p["c2"],)


def normal_kl(xp, held, z, p, d):
    apart = p["log_std"] - d["old_log_std"]
    square = xp.exp(-2 * apart) + ((d["old_mu"] - z[0]) * xp.exp(-p["log_std"])) ** 2
    return xp.mean(xp.sum(apart + square / 2 - 0.5, axis=1))


def two_outputs(xp, p, d):
    a = xp.tanh(p["x"] @ p["W"].T)
    return a, a @ p["V"].T + oracles.minimum(xp, a, d["held"](a) ** 2)


def penalised(xp, held, z, p, d):
    fit = xp.sum(xp.exp(z[1]), axis=1) + xp.sum(z[0] ** 2, axis=1) * d["y"]
    return xp.mean(fit) + 0.5 * xp.sum(p["W"] ** 4)


def states(xp, p, d):
    h = [xp.zeros(len(d["y"]))]
    for t in range(d["x"].shape[1]):
        h.append(xp.tanh(p["w"] * h[-1] + p["u"] * d["x"][:, t]))
    return (xp.stack(h, axis=1),)


def last(xp, held, z, p, d):
    return xp.mean((z[0][:, -1] - d["y"]) ** 2 + z[0][:, 1] ** 4)


@dataclass(frozen=True)
class Seen:
    """A loss of outputs: z = net(X), L = outer(z, X). through: what the product says of itself."""

    name: str
    text: str
    loss: str
    net: Callable[..., Any]
    outer: Callable[..., Any]
    through: tuple[str, ...]


SEEN = (
    Seen("surrogate", DISCRETE, "surrogate", pi, surrogate, ("pi",)),
    Seen("kl", DISCRETE, "kl", pi, kl, ("pi",)),
    Seen("own", DISCRETE, "own", pi, self_kl, ("pi",)),
    Seen("normal", NORMAL, "kl", mu, normal_kl, ("mu", "log_std")),
    Seen("penalty", PENALTY, "loss", two_outputs, penalised, ("a", "z", "W")),
    Seen("recurrent", RECURRENT, "loss", states, last, ("h",)),
)


def jax_gauss_newton(
    jax: Any, seen: Seen, wrt: tuple[str, ...], values: Mapping[str, Any]
) -> Mapping[str, Any]:
    """J' H J v by JAX's sweeps, J of (z, X) and H of the loss in both."""
    stop, numpy = jax.lax.stop_gradient, jax.numpy
    x = {n: numpy.asarray(np.asarray(values[n], float)) for n in wrt}
    v = {n: numpy.asarray(values[f"v_{n}"]) for n in wrt}
    rest = {**{n: a for n, a in values.items() if n not in wrt}, "held": stop}

    def net(p: Any) -> Any:
        return seen.net(numpy, p, rest), p

    def outer(both: Any) -> Any:
        return seen.outer(numpy, stop, *both, rest)

    z, z_dot = jax.jvp(net, (x,), (v,))
    return jax.vjp(net, x)[1](jax.jvp(jax.grad(outer), (z,), (z_dot,))[1])[0]


@pytest.mark.parametrize("seen", SEEN, ids=lambda seen: seen.name)
def test_an_emitted_gauss_newton_product_is_that_of_jax(seen: Seen, jax: Any) -> None:
    spec, module = emitted(seen.text, ("ggn", "fvp"))
    loss = next(one for one in spec.losses if one.name == seen.loss)
    sizes = {name: default or 3 for name, default in spec.sizes}
    values = with_directions(fresh_values(loss.program, sizes), loss.wrt)
    found = jax_gauss_newton(jax, seen, loss.wrt, values)
    params = params_of(module, spec, values, sizes)
    came, scales = product_of(spec, module, loss, "ggn", {**values, "sizes": sizes}, params)
    assert derive_product(spec, loss, "ggn").through == seen.through
    for x in loss.wrt:
        assert_agree(f"G v by {x}", array_at(came, x), found[x], scales[x])
    damped, scales = product_of(
        spec, module, loss, "fvp", {**values, "sizes": sizes}, params, damping=0.25
    )
    for x in loss.wrt:
        expected = found[x] + 0.25 * values[f"v_{x}"]
        assert_agree(f"F v + damping v by {x}", array_at(damped, x), expected, scales[x])


def filled(name: str, new_is_old: bool) -> tuple[ModuleType, Any, dict[str, Any]]:
    """The module of DISCRETE, parameters, and data."""
    _, module = emitted(DISCRETE, ("hvp", "fvp"))
    rng = np.random.default_rng(3)
    params = module.init(rng)
    params.flat[:] = rng.normal(size=params.flat.size)
    if new_is_old:
        params.old.flat[:] = params.pi.flat
    obs = rng.normal(size=(5, 2))
    return module, params, {"obs": obs, "v": rng.normal(size=params.pi.flat.size)}


def test_where_new_is_old_the_fisher_product_is_the_hessian_of_the_divergence() -> None:
    module, params, data = filled("kl", True)
    f = module.kl_fvp(params, data["v"], obs=data["obs"]).flat.copy()
    h = module.kl_hvp(params, data["v"], obs=data["obs"]).flat
    own = module.own_hvp(params, data["v"], obs=data["obs"]).flat
    assert np.abs(f).max() > 0.1
    np.testing.assert_allclose(f, h, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(f, own, rtol=1e-11, atol=1e-13)


def test_it_is_the_mean_outer_product_of_scores() -> None:
    """F = E[grad log pi grad log pi'], over the actions that the policy takes: by definition."""
    module, params, data = filled("kl", False)
    obs, expected = data["obs"], np.zeros(params.pi.flat.size)
    params.old.flat[:] = params.pi.flat
    z = module.pi_forward(params, obs)
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    for b in range(len(obs)):
        for a in range(3):  # at new = old the gradient of the ratio is the score
            one = {"obs": obs[b : b + 1], "act": np.array([a]), "adv": np.ones(1)}
            _, g = module.surrogate_value_and_grad(params, **one)
            expected += p[b, a] * g.flat * (g.flat @ data["v"]) / len(obs)
    came = module.kl_fvp(params, data["v"], obs=obs).flat
    np.testing.assert_allclose(came, expected, rtol=1e-10, atol=1e-13)


def test_the_gauss_newton_matrix_is_symmetric_and_has_no_negative_curvature() -> None:
    """The divergence is convex in the logits, wherever old is; its Hessian is not semidefinite."""
    module, params, data = filled("kl", False)
    unit = np.eye(params.pi.flat.size)
    matrices = {
        name: np.stack([getattr(module, name)(params, e, obs=data["obs"]).flat for e in unit])
        for name in ("kl_fvp", "kl_hvp")
    }
    for matrix in matrices.values():
        np.testing.assert_allclose(matrix, matrix.T, atol=1e-12)
    assert np.linalg.eigvalsh(matrices["kl_fvp"]).min() > -1e-12
    assert np.linalg.eigvalsh(matrices["kl_hvp"]).min() < -1e-3


# ---- the same in Python ----------------------------------------------------------------------


@pytest.mark.parametrize("seen", SEEN[1:5], ids=lambda seen: seen.name)
def test_the_programs_of_sg_compute_what_the_modules_do(seen: Seen) -> None:
    spec, module = emitted(seen.text, ("ggn", "fvp"))
    loss = next(one for one in spec.losses if one.name == seen.loss)
    sizes = {name: default or 3 for name, default in spec.sizes}
    values = with_directions(fresh_values(loss.program, sizes), loss.wrt)
    params = params_of(module, spec, values, sizes)
    several = {} if len(spec.losses) == 1 else {"loss": loss.name}
    for name, program in (
        ("ggn", sg.gauss_newton_product(spec, **several)),
        ("fvp", sg.fisher_vector_product(spec, **several)),
    ):
        more = {"damping": 0.5} if name == "fvp" else {}
        along = directions(loss.program, loss.wrt)
        inputs = {**values, **{along[x]: values[f"v_{x}"] for x in loss.wrt}, **more}
        found = evaluate(program, inputs, sizes, outputs=program.outputs, magnitude=True)
        came, _ = product_of(spec, module, loss, name, {**values, "sizes": sizes}, params, **more)
        for x, dot in zip(loss.wrt, program.outputs, strict=True):
            what = f"{name} by {x}"
            assert_agree(what, array_at(came, x), found.values[dot], found.magnitudes[dot])


def test_a_product_may_go_through_any_tensors_and_through_a_single_one() -> None:
    spec = parse_spec(PENALTY, "m")
    both = sg.gauss_newton_product(spec, through=["z"])
    assert both.outputs == sg.gauss_newton_product(spec, through="z").outputs
    assert sg.gauss_newton_product(spec, through="z") != sg.gauss_newton_product(spec)
    with pytest.raises(ProgramError, match='"x" is no computed real tensor'):
        sg.gauss_newton_product(spec, through="x")
    with pytest.raises(SpecError, match="no outputs to go through"):
        sg.fisher_vector_product(parse_spec('equations = "loss = w**2"\n[params]\nw = "real"', "m"))


# ---- what a spec and a module say ------------------------------------------------------------


def test_each_row_has_what_makes_it_and_what_checks_it() -> None:
    assert {*EVERY} == {*BUILDERS} == {*ORACLES}


def test_a_module_states_its_products_and_is_the_same_for_every_order_of_names() -> None:
    spec = parse_spec(DISCRETE, "m")
    first = spec.having(["kl_fvp", "hvp"])
    assert first.product_names == ("surrogate_hvp", "kl_hvp", "kl_fvp", "own_hvp")
    text = sg.generate(spec, products=["hvp", "kl_fvp"])
    assert text == generate(first)
    again = parse_spec(first.canonical(), "m")
    assert again.products == first.products
    assert again.hash == first.hash != spec.hash
    stated = parse_spec('with = ["kl_fvp", "hvp"]\n' + DISCRETE, "m")
    assert generate(stated) == text


SINGLE = 'equations = "loss = w**2"\n[params]\nw = "real"\n'
UNKNOWN = (
    (SINGLE, "hpv", 'unknown product "hpv"; did you mean "hvp"?'),
    (SINGLE, "loss_hvp", 'unknown product "loss_hvp"'),
    (SINGLE, "fvp", "fvp goes through the outputs, and there are none"),
    (DISCRETE, "actor_hvp", 'unknown product "actor_hvp"'),
    (FORWARD := 'outputs = ["y"]\nequations = "y = x"\n[data]\nx = "real"\n', "hvp", "no loss"),
)


@pytest.mark.parametrize(("text", "name", "message"), UNKNOWN, ids=[row[1] for row in UNKNOWN])
def test_a_product_that_cannot_be_is_an_error_at_its_place(
    text: str, name: str, message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        parse_spec(f'with = ["{name}"]\n{text}', "m", "m.toml")
    assert message in str(caught.value)
    assert str(caught.value).startswith("m.toml:1:")
    with pytest.raises(SpecError) as caught:
        sg.generate(parse_spec(text, "m"), products=[name])
    assert message in str(caught.value)


# ---- the functions ---------------------------------------------------------------------------


COLLIDING = """
outputs = ["y"]
wrt = ["v_w", "w", "x"]
equations = \"\"\"
v[i] = w[i]*x[i]*damping
y[i] = tanh(v[i] + v_w[i])
loss = sum(i: y[i]**2)
\"\"\"
[sizes]
N = "n"
[params]
v_w = "real[N]"
w = "real[N]"
[data]
x = "real[N]"
damping = "real"
"""


def test_names_of_the_users_own_are_left_to_them() -> None:
    spec, module = emitted(COLLIDING, EVERY)
    report = sg.check(spec)
    assert report.verdict == "PASS", str(report)
    rng = np.random.default_rng(0)
    params, x = module.init(rng, N=3), rng.normal(size=3)
    _, grads = module.value_and_grad(params, x=x, damping=2.0)
    plain = module.ggn(params, grads, x=x, damping=2.0).flat.copy()
    damped = module.fvp(params, grads, x=x, damping=2.0, damping_2=1.0)
    np.testing.assert_allclose(damped.flat, plain + grads.flat, rtol=1e-13)


def test_a_direction_is_a_gradient_its_like_or_one_vector_of_any_real_type() -> None:
    module, params, data = filled("kl", True)
    v, obs = data["v"], data["obs"]
    wanted = module.kl_hvp(params, v, obs=obs).flat.copy()
    _, like = module.kl_value_and_grad(params, obs=obs)
    like.flat[:] = v
    wide = np.zeros(2 * v.size)
    wide[::2] = v
    for same in (like, wide[::2], np.asfortranarray(v)):
        assert np.array_equal(module.kl_hvp(params, same, obs=obs).flat, wanted)
    single = module.kl_hvp(params, v.astype(np.float32), obs=obs).flat
    np.testing.assert_allclose(single, wanted, rtol=1e-3, atol=1e-5)
    assert single.dtype == np.float64


def test_the_result_may_be_the_next_direction_in_one_workspace() -> None:
    module, params, data = filled("kl", True)
    workspace = module.Workspace(B=5)
    alone = v = module.kl_hvp(params, data["v"], obs=data["obs"])
    for _ in range(3):
        alone = module.kl_hvp(params, alone, obs=data["obs"])
    v = module.kl_hvp(params, data["v"], obs=data["obs"], workspace=workspace)
    for _ in range(3):
        v = module.kl_hvp(params, v, obs=data["obs"], workspace=workspace)
    assert np.array_equal(v.flat, alone.flat)


WRONG = (
    (np.zeros(3), ValueError, "v has shape \\(3,\\) and dtype float64; expected real numbers"),
    (
        np.zeros(27, complex),
        ValueError,
        "v has shape \\(27,\\) and dtype complex128; expected real",
    ),
    ([0.0] * 27, TypeError, "v is of type list; expected this module's Gradients or a vector"),
    (None, TypeError, "v is of type NoneType; expected this module's"),
)


@pytest.mark.parametrize(("v", "error", "message"), WRONG, ids=["short", "complex", "list", "none"])
def test_a_wrong_direction_is_an_error_that_says_what_came(
    v: Any, error: type[Exception], message: str
) -> None:
    module, params, data = filled("kl", True)
    with pytest.raises(error, match=message.replace("Gradients", "\\w*Gradients")):
        module.kl_hvp(params, v, obs=data["obs"])


def test_a_direction_of_other_sizes_or_with_inputs_as_a_vector_is_refused() -> None:
    _, module = emitted(COLLIDING, EVERY)
    rng = np.random.default_rng(0)
    params, x = module.init(rng, N=3), rng.normal(size=3)
    _, small = module.value_and_grad(module.init(rng, N=2), x=x[:2], damping=1.0)
    with pytest.raises(ValueError, match=r"v_2 has sizes \{'N': 2\}; expected \{'N': 3\}"):
        module.hvp(params, small, x=x, damping=1.0)
    with pytest.raises(
        TypeError, match=r"v_2 is of type ndarray; expected this module's Gradients$"
    ):
        module.hvp(params, np.zeros(9), x=x, damping=1.0)


# ---- the checker -----------------------------------------------------------------------------


@cache
def bench(text: str, product: str) -> Bench:
    """One loss's product: its module, what it should compute, and what it does."""
    spec = parse_spec(text, "m").having([product])
    source = generate(spec)

    def behind(loss: Loss, name: str) -> Any:
        found = derive_product(spec, loss, name)
        return optimised(found), found.derived.result, found.along

    made = module_of(source)
    oracle = prepared(spec, losses=[loss.name for loss in spec.losses], product=behind)
    clean = tuple(answer(made, case.request) for case in oracle.cases)
    report = judged(oracle, Replay(clean))
    assert report.verdict == "PASS", str(report)
    assert {b.loss for b in report.blocks} == {"loss", f"loss {product}"}
    return Bench(spec, source, made, oracle, clean)


SMALL = """
outputs = ["z"]
equations = \"\"\"
a[b,i] = tanh(sum(j: W[i,j]*x[b,j]) + c[i])
z[b,i] = sum(j: V[i,j]*relu(a[b,j])) + a[b,i]*stop(a[b,i])
loss = mean(b: logsumexp(i: z[b,i]) - z[b,act[b]]) + 0.5*sum(i: c[i]**4)
\"\"\"
[sizes]
B = "batch"
N = 2
[params]
W = "real[N, N]"
c = "real[N]"
V = "real[N, N]"
[data]
x = "real[B, N]"
act = "int[B] < N"
"""
MOST = 2


@pytest.mark.parametrize("operator", ["factor", "sign", "dropped term", "transpose", "axis"])
@pytest.mark.parametrize("product", ["hvp", "fvp"])
def test_a_fault_in_an_emitted_product_fails(product: str, operator: str) -> None:
    assert operator in SOURCE_FAULTS
    made, seen = bench(SMALL, product), 0
    for fault in source_faults(made.text, product, operator, MOST):
        answers = answers_of(made, with_edit(made.module, fault.function))
        report = judged(made.oracle, Replay(answers))
        if not moved(made, answers):
            continue  # it changes no number
        seen += 1
        assert report.verdict == "FAIL", f"{fault.what}: {report}"
        blocks = [b for b in report.failures if b.loss != f"loss {product}"]
        assert not blocks, fault.what
    assert seen, f"no {operator} was planted in {product}"


def moved(made: Bench, answers: list[Any]) -> bool:
    """Whether an answer is another one, or an exception."""
    for before, after in zip(made.clean, answers, strict=True):
        if after.error:
            return True
        for name, array in before.gradients.items():
            if not np.allclose(after.gradients[name], array, rtol=1e-6, atol=1e-9):
                return True
    return False


def swapped(text: str, product: str, other: str) -> str:
    """The module with another product's steps under this one's name."""
    return (
        text.replace(f"def {product}(", "def _mine(")
        .replace(f"def {other}(", f"def {product}(")
        .replace("def _mine(", f"def {other}(")
    )


WRONG_PRODUCTS = (
    ("hvp", "ggn", "the Gauss-Newton product for the Hessian's"),
    ("ggn", "hvp", "the Hessian's for the Gauss-Newton product"),
)


@pytest.mark.parametrize(("product", "other", "why"), WRONG_PRODUCTS, ids=["hvp", "ggn"])
def test_one_product_in_place_of_another_fails(
    product: str, other: str, why: str, tmp_path: Path
) -> None:
    spec = parse_spec(SMALL, "m").having([product, other])
    text = swapped(generate(spec), product, other)
    path = tmp_path / "m.py"
    path.write_text(text, encoding="utf-8")
    report = sg.check(path)
    assert report.verdict == "FAIL", why
    assert {b.loss for b in report.failures} == {f"loss {product}", f"loss {other}"}


def test_a_stop_that_a_product_does_not_hold_fails() -> None:
    loose = parse_spec(SMALL.replace("stop(a[b,i])", "a[b,i]"), "m").having(["hvp"])
    made = bench(SMALL, "hvp")
    report = judged(made.oracle, Replay(answers_of(made, module_of(generate(loose)))))
    assert {b.name for b in report.failures if b.loss == "loss hvp"} == {"W", "c", "V"}


def test_a_module_without_a_function_that_its_spec_names_fails(tmp_path: Path) -> None:
    path = tmp_path / "m.py"
    text = generate(parse_spec(SMALL, "m").having(["hvp"]))
    path.write_text(text.replace("def hvp(", "def hpv("), encoding="utf-8")
    report = sg.check(path)
    assert report.verdict == "FAIL"
    assert any("no attribute 'hvp'" in rule.note for rule in report.conduct)


def test_a_slope_with_a_wrong_sign_fails_in_its_block() -> None:
    made = bench(SMALL, "jvp")
    text = made.text.replace("return loss, loss_dot", "return loss, -loss_dot")
    assert text != made.text
    report = judged(made.oracle, Replay(answers_of(made, module_of(text))))
    assert {(b.loss, b.name) for b in report.failures} == {("loss jvp", "loss_dot")}


def test_the_checker_gets_no_number_from_what_it_checks() -> None:
    """Without the program of a product the verdict is the same: it only scales rounding."""
    made = bench(SMALL, "ggn")
    alone = prepared(made.spec, losses=["loss"])
    assert all(case.gradient is None for case in alone.cases)
    assert judged(alone, Replay(made.clean)).verdict == "PASS"
    assert pipeline.derive(made.spec.losses[0]).along == {}


# ---- the command line ------------------------------------------------------------------------


def symgrad(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_what_generate_wrote_with_products_is_known_to_both_checks(tmp_path: Path) -> None:
    spec, module = tmp_path / "m.toml", tmp_path / "m.py"
    spec.write_text(SINGLE, encoding="utf-8")
    assert symgrad("generate", spec, "-o", tmp_path, "--with", "hvp, jvp").exit_code == 0
    assert module.read_text(encoding="utf-8") == sg.generate(sg.load(spec), products=["hvp", "jvp"])
    assert symgrad("generate", spec, "-o", tmp_path, "--check").exit_code == 0
    checked = symgrad("check", module)
    assert checked.exit_code == 0, checked.output
    assert "loss hvp (" in checked.output
    assert "loss jvp (" in checked.output
    module.write_text(module.read_text(encoding="utf-8") + "# edited\n", encoding="utf-8")
    stale = symgrad("generate", spec, "-o", tmp_path, "--check")
    assert stale.exit_code == 1
    mend = stale.output.strip().splitlines()[-1].partition("symgrad ")[2].split()
    assert mend[-2:] == ["--with", "jvp,hvp"]
    assert symgrad(*mend).exit_code == 0
    assert symgrad("generate", spec, "-o", tmp_path, "--check").exit_code == 0


REFUSED = (
    (("generate", "m.toml", "--with", "hpv"), 'm.toml: unknown product "hpv"; did you mean "hvp"?'),
    (("generate", "m.toml", "--with", "ggn"), "m.toml: ggn goes through the outputs"),
    (("generate", "--all", "--with", "hvp"), "--all writes what the specs say"),
)


@pytest.mark.parametrize(("arguments", "message"), REFUSED, ids=["unknown", "outputs", "all"])
def test_products_that_cannot_be_are_one_line_and_exit_code_2(
    arguments: tuple[str, ...], message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("m.toml").write_text(SINGLE, encoding="utf-8")
    found = symgrad(*arguments)
    assert found.exit_code == 2
    assert message in found.output
    assert not Path("m.py").exists()
