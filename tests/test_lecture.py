"""Source C: recursions, paths and updates, as printed, against gradients found another way."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from emitted import Emitted, Inputs, inputs, of_file
from programs import SPECS, assert_agree, fresh_values, run
from sympy import Symbol

from symgrad.algebra.access import Access, Affine
from symgrad.algebra.derive import Derived, reverse
from symgrad.algebra.heads import split_heads
from symgrad.algebra.program import Program
from symgrad.algebra.sizes import Size
from symgrad.cli import main
from symgrad.errors import ProgramError
from symgrad.explain.build import explain
from symgrad.explain.derivation import Derivation
from symgrad.explain.layered import layers_of
from symgrad.explain.lecture import TRAPS
from symgrad.explain.paths import along, graph, proof, proofs, recursion_of, required
from symgrad.explain.steps import Code, Section
from symgrad.explain.substitute import over_samples
from symgrad.notation.canonical import program_toml
from symgrad.spec import Spec, load, parse_spec

LAYER = SPECS / "lecture_layer.toml"
WRT = ("w", "b")
SIZES = {"N": 4, "H": 3, "M": 5}


@cache
def told(name: str = "lecture_layer") -> Derivation:
    return explain(load(SPECS / f"{name}.toml"))


def section(derivation: Derivation, title: str) -> Section:
    (found,) = (s for s in derivation.sections if s.title == title)
    return found


def lines(title: str) -> list[str]:
    return [f.text for step in section(told(), title).steps for f in step.formulas]


def layer_program() -> tuple[Program, Derived]:
    program = split_heads(load(LAYER).losses[0].program)
    return program, reverse(program, "loss", WRT)


# ---- the recursions, in the lecture's letters ----------------------------------------------------

PLAIN = (
    "dL/dw[l,i,j] = dL/dy[l,i]*sigma'(x[l,i])*y[l-1,j] for 1 <= l < N",
    "dL/db[l,i] = dL/dy[l,i]*sigma'(x[l,i]) for 1 <= l < N",
    "dL/dy[l-1,i] = sum(k: dL/dy[l,k]*sigma'(x[l,k])*w[l,k,i]) for 1 <= l < N",
    "dL/dy[N-1,i] = y[N-1,i] - t[i]",
)
NAMED = (
    "delta[l,i] = dL/dy[l,i]*sigma'(x[l,i]) for 1 <= l < N",
    "dL/dw[l,i,j] = delta[l,i]*y[l-1,j] for 1 <= l < N",
    "dL/db[l,i] = delta[l,i] for 1 <= l < N",
    "dL/dy[l-1,i] = sum(k: delta[l,k]*w[l,k,i]) for 1 <= l < N",
    "delta[l-1,i] = sigma'(x[l-1,i])*sum(k: delta[l,k]*w[l,k,i]) for 2 <= l < N",
)
MATRICES = (
    "delta[l] = dL/dy[l] (.) sigma'(x[l])",
    "dL/dw[l] = delta[l] y[l-1]^T",
    "dL/db[l] = delta[l]",
    "dL/dy[l-1] = w[l]^T delta[l]",
)
BATCH = (
    "delta[m,l,i] = dL/dy[m,l,i]*sigma'(x[m,l,i]) for 1 <= l < N",
    "dL/dw[l,i,j] = sum(m: delta[m,l,i]*y[m,l-1,j]) for 1 <= l < N",
    "dL/db[l,i] = sum(m: delta[m,l,i]) for 1 <= l < N",
    "dL/dy[m,l-1,i] = sum(k: delta[m,l,k]*w[l,k,i]) for m < M, 1 <= l < N",
    "dL/dy[m,N-1,i] = y[m,N-1,i] - t[m,i]",
)
ROWS = (
    "delta[l] = dL/dy[l] (.) sigma'(x[l])",
    "dL/dw[l] = delta[l]^T y[l-1]",
    "dL/db[l] = delta[l]^T 1",
    "dL/dy[l-1] = delta[l] w[l]",
)
SECTIONS = (
    ("Layer by layer", PLAIN),
    ("The factor that all three share", NAMED),
    ("A layer in matrices", MATRICES),
    ("Over a minibatch", BATCH),
    ("A layer in matrices, a row for each sample", ROWS),
)


@pytest.mark.parametrize(("title", "wanted"), SECTIONS, ids=[title for title, _ in SECTIONS])
def test_a_layer_is_printed_with_its_number_as_a_symbol(
    title: str, wanted: tuple[str, ...]
) -> None:
    assert lines(title) == list(wanted)


def test_the_shared_factor_is_said_to_be_the_adjoint_of_x() -> None:
    assert "dL/dy[l,i]*sigma'(x[l,i]) for 1 <= l < N   # this is dL/dx[l,i]" in told().text(100)


def with_tanh(text: str) -> str:
    """tanh in the place of the unknown sigma, whose slope is then 1 - tanh**2."""
    text = re.sub(r"sigma'\(([^()]*)\)", r"(1 - tanh(\1)**2)", text)
    return text.replace("sigma(", "tanh(").replace("[functions]\nsigma = 1\n", "")


def in_the_notation(line: str) -> str:
    """dL/dX is dX, as the derivation says."""
    return re.sub(r"dL/d(\w+)", r"d\1", line)


@cache
def layer_spec() -> Spec:
    return parse_spec(with_tanh(LAYER.read_text()), "tanh_layer")


def read_back(forward: Program, printed: list[str]) -> Program:
    """A forward program with printed lines behind its own, read by the parser."""
    before, rest = program_toml(forward).split('equations = """\n')
    own, after = rest.split('\n"""', 1)
    equations = "\n".join([own, *map(in_the_notation, map(with_tanh, printed))])
    return parse_spec(f'{before}equations = """\n{equations}\n"""{after}', "printed").shared


READ = (
    ("plain", "Layer by layer", False),
    ("with delta", "The factor that all three share", False),
    ("over a minibatch", "Over a minibatch", True),
)


@pytest.mark.parametrize(("form", "title", "batch"), READ, ids=[row[0] for row in READ])
def test_the_printed_recursions_read_back_to_the_gradient(
    form: str, title: str, batch: bool
) -> None:
    forward = layer_spec().losses[0].program
    if batch:
        forward = over_samples(split_heads(forward), "loss", "m", "M")
    printed = lines(title)
    if form == "with delta":  # its last line is a second way to the same delta
        printed = [*printed[:-1], lines("Layer by layer")[-1]]
    derived = reverse(split_heads(forward), "loss", WRT)
    values = fresh_values(forward, SIZES)
    names = tuple(derived.result[x] for x in WRT)
    wanted = run(derived.program, values, SIZES, *names)
    found = run(read_back(forward, printed), values, SIZES, *names)
    for name in names:
        assert_agree(form, found.values[name], wanted.values[name], wanted.magnitudes[name])
        assert np.abs(wanted.values[name]).max() > 1e-3


def test_delta_of_a_layer_is_what_the_layer_above_makes_of_its_own() -> None:
    forward = layer_spec().losses[0].program
    last, step = (
        lines("The factor that all three share")[:1],
        lines("The factor that all three share")[-1],
    )
    derived = reverse(split_heads(forward), "loss", WRT)
    values = fresh_values(forward, SIZES)
    wanted = run(derived.program, values, SIZES, "dx")
    first = "delta[N-1,i] = (y[N-1,i] - t[i])*(1 - tanh(x[N-1,i])**2)"
    assert last == [NAMED[0]]
    found = run(read_back(forward, [first, step]), values, SIZES, "delta")
    assert_agree(step, found.values["delta"], wanted.values["dx"], wanted.magnitudes["dx"])


def matrix_value(text: str, env: dict[str, np.ndarray]) -> np.ndarray:
    """A printed matrix expression: (.) is entry by entry, a blank a product, ^T a transpose."""
    if " (.) " in text:
        left, right = text.split(" (.) ")
        return matrix_value(left, env) * matrix_value(right, env)
    parts = [env[p.removesuffix("^T")] for p in text.split(" ")]
    turned = [v.T if p.endswith("^T") else v for p, v in zip(text.split(" "), parts, strict=True)]
    return turned[0] if len(turned) == 1 else turned[0] @ turned[1]


@pytest.mark.parametrize("rows", [False, True], ids=["columns", "a row for each sample"])
def test_the_printed_matrices_are_the_gradient(rows: bool) -> None:
    title, wanted = SECTIONS[4 if rows else 2]
    forward = split_heads(layer_spec().losses[0].program)
    forward = over_samples(forward, "loss", "m", "M") if rows else forward
    derived = reverse(forward, "loss", (*WRT, "y"))
    values = fresh_values(forward, SIZES)
    found = run(derived.program, values, SIZES, "x", "y", "dx", "dy", "dw", "db").values

    def at(name: str, layer: int) -> np.ndarray:
        if rows or name == "w":
            return found[name][:, layer]
        return found[name][layer][:, None]

    for layer in range(1, SIZES["N"]):
        env = {
            "w[l]": values["w"][layer],
            "1": np.ones((SIZES["M"], 1)),
            "delta[l]": at("dx", layer),
            "y[l-1]": at("y", layer - 1),
            "dL/dy[l]": at("dy", layer),
            "sigma'(x[l])": 1 - np.tanh(at("x", layer)) ** 2,
        }
        result = {
            "delta[l]": at("dx", layer),
            "dL/dw[l]": found["dw"][layer],
            "dL/db[l]": found["db"][layer][:, None],
            "dL/dy[l-1]": at("dy", layer - 1),
        }
        for line in lines(title):
            left, right = line.split(" = ")
            assert_agree(line, matrix_value(right, env), result[left], 10.0)
    assert len(wanted) == 4


OWN_LAYERS = """
equations = '''
h[n,0,a] = obs[n,a]
z[n,s,a] = sum(c: V[s,a,c]*h[n,s-1,c]) for n < B, 1 <= s < D
h[n,s,a] = tanh(z[n,s,a]) for n < B, 1 <= s < D, a < A
loss = mean(n: sum(a: h[n,D-1,a]**4))
'''
[sizes]
D = "depth"
A = "width"
B = "batch"
[params]
V = "real[D, A, A]"
[data]
obs = "real[B, A]"
"""


def test_other_letters_a_batch_and_a_known_activation_are_told_too() -> None:
    derivation = explain(parse_spec(OWN_LAYERS, "own"))
    found = [f.text for f in derivation.formulas("layer")]
    assert found[:3] == [
        "dL/dV[s,a,c] = sum(n: dL/dh[n,s,a]*h[n,s-1,c]*(1 - tanh(z[n,s,a])**2)) for 1 <= s < D",
        "dL/dh[n,s-1,a] = sum(k: dL/dh[n,s,k]*V[s,k,a]*(1 - tanh(z[n,s,k])**2)) for 1 <= s < D",
        "dL/dh[n,D-1,a] = 4*h[n,D-1,a]**3/B",
    ]
    assert "delta[n,s,a] = dL/dh[n,s,a]*(1 - tanh(z[n,s,a])**2) for 1 <= s < D" in found
    assert "dL/dV[s] = delta[s]^T h[s-1]" in found


def test_a_program_without_numbered_layers_has_no_such_section() -> None:
    for name in ("digits_mlp", "gru", "attention"):
        assert layers_of(split_heads(load(SPECS / f"{name}.toml").losses[0].program)) is None
        assert told(name).formulas("layer", "path") == ()


# ---- paths ---------------------------------------------------------------------------------------


def place(name: str, *numbers: int) -> Access:
    return Access(name, tuple(Affine((), Size.of(n)) for n in numbers))


@pytest.mark.parametrize(("depth", "width"), [(1, 3), (2, 2), (3, 2), (3, 3), (4, 2)])
def test_the_sum_over_all_paths_is_the_recursion_for_every_weight_and_bias(
    depth: int, width: int
) -> None:
    program, derived = layer_program()
    sizes = {"N": depth + 1, "H": width}
    found = proofs(program, derived, "loss", WRT, sizes)
    assert len(found) == depth * (width**2 + width)
    for one in found:
        layer = one.place.subscripts[0].offset.constant
        assert len(one.paths) == width ** (depth - layer)
        assert one.holds
        assert one.recursion != 0


def paths_and_recursion(*numbers: int) -> tuple[Access, tuple[Any, ...], Any]:
    program, derived = layer_program()
    sizes = {"N": 4, "H": 2}
    start = place("w", *numbers)
    paths = tuple(graph(program, sizes).paths(start, Access("loss")))
    return start, paths, recursion_of(derived, sizes).value(start.of("dw"))


def test_a_missing_path_a_path_too_many_and_a_wrong_slope_are_refused() -> None:
    start, paths, recursion = paths_and_recursion(1, 0, 1)
    assert len(paths) == 4
    assert required(proof(start, paths, recursion)).holds
    for k in range(len(paths)):
        with pytest.raises(ProgramError, match=r"3 paths from w\[1,0,1\] .* they differ by"):
            required(proof(start, (*paths[:k], *paths[k + 1 :]), recursion))
        with pytest.raises(ProgramError, match="differ by"):
            required(proof(start, (*paths, paths[k]), recursion))
    with pytest.raises(ProgramError, match="differ by"):
        required(proof(start, paths, 2 * recursion))


def test_a_place_that_no_path_leaves_has_no_gradient() -> None:
    start, paths, recursion = paths_and_recursion(0, 1, 1)
    assert (paths, recursion) == ((), 0)
    assert proof(start, paths, recursion).holds


def test_one_path_is_the_product_of_slopes_and_weights_along_it() -> None:
    _, paths, _ = paths_and_recursion(1, 0, 1)
    ends = [[str(edge.end) for edge in path] for path in paths]
    chosen = ends.index(["x[1,0]", "y[1,0]", "x[2,1]", "y[2,1]", "x[3,0]", "y[3,0]", "loss"])
    symbols = {s.name for s in along(paths[chosen]).free_symbols}
    assert symbols == {
        *("y[0,1]", "x[1,0]", "w[2,1,0]", "x[2,1]", "w[3,0,1]", "x[3,0]", "y[3,0]", "t[0]")
    }
    text = told().text(200)
    assert "w[1,0,1] -> x[1,0] -> y[1,0] -> x[2,1] -> y[2,1] -> x[3,0] -> y[3,0] -> loss" in text
    assert (
        "y[0,1]*sigma'(x[1,0])*w[2,1,0]*sigma'(x[2,1])*w[3,0,1]*sigma'(x[3,0])*dL/dy[3,0]" in text
    )


def test_the_proof_is_printed_with_both_sides_and_their_difference() -> None:
    found = section(told(), "The sum over all paths")
    texts = [f.text for step in found.steps for f in step.formulas]
    total = next(f for f in found.steps[0].formulas)
    assert len(total.terms) == 4
    assert len(found.steps[2].formulas[0].terms) == 2  # a line each: one is wider than a page
    assert texts[-1] == "the paths - the recursion = 0"
    said = " ".join(part for prose in found.remarks for part in prose if isinstance(part, str))
    assert "each of the 18 entries of w and b" in said
    assert "42 paths" in said
    assert "4 in layer 1, 2 in layer 2, 1 in layer 3" in said


def test_the_printed_paths_and_the_printed_recursion_have_the_value_of_the_gradient() -> None:
    forward, sizes = layer_spec().losses[0].program, {"N": 4, "H": 2}
    derived = reverse(split_heads(forward), "loss", WRT)
    values = fresh_values(forward, sizes)
    wanted = run(derived.program, values, sizes, "dw", "dy").values
    found = section(told(), "The sum over all paths")
    sums = (found.steps[0].formulas[0], found.steps[2].formulas[0])
    printed = [f"at{k} = {f.text.split(' = ')[1]}" for k, f in enumerate(sums)]
    small = program_toml(forward)
    for name, number in sizes.items():
        small = re.sub(rf"(?m)^{name} = .*$", f"{name} = {number}", small)
    ends = [f"dy[3,{k}] = y[3,{k}] - t[{k}]" for k in range(2)]
    read = read_back(parse_spec(small, "small").shared, [*ends, *printed])
    came = run(read, values, {}, "at0", "at1").values
    for name in ("at0", "at1"):
        assert_agree(name, came[name], wanted["dw"][1, 0, 1], 10.0)


# ---- neurons, letters, squares -------------------------------------------------------------------


SAID = (
    ("lecture_layer", "sum(j: w[l,i,j]*y[l-1,j]) + b[l,i] = 0 for 1 <= l < N"),
    ("lecture_layer", "relu'(x) = [0 < x]"),
    ("lecture_layer", "by convention, relu'(0) = 0"),
    ("lecture_layer", "leaky_relu'(x, slope) = where(0 < x, 1, slope)"),
    ("lecture_layer", "by convention, leaky_relu'(0) = slope"),
    ("lecture_layer", "Convention: none but what sigma may need at a kink of its own."),
    ("lecture_layer", "w[l,i,j] <- w[l,i,j] - beta*dL/dw[l,i,j]"),
    ("lecture_q", "sum(j: s[m,j]*w1[i,j]) + b1[i] = 0"),
    ("lecture_q", "relu'(x) = [0 < x]"),
    ("lecture_q", "grad L = sum(m: e[m]*grad Q[m,u[m]])"),
    (
        "lecture_q",
        "grad L = sum(m: (Q[m,u[m]] - alpha*max(v: Q_next[m,v]) - r[m])*grad Q[m,u[m]])",
    ),
    (
        "lecture_q_residual",
        "- sum(m: alpha*(Q[m,u[m]] - alpha*max(v: Q_next[m,v]) - r[m])*grad max(v: Q_next[m,v]))",
    ),
    ("lecture_q", "d(0.5*e[m]**2)/d(e[m]) = e[m]"),
    ("lecture_q", "d(e[m]**2)/d(e[m]) = 2*e[m]"),
    ("lecture_q", "has 2 times the gradient of this one"),
    ("lecture_q", "w1[i,j] <- w1[i,j] - beta*dL/dw1[i,j]"),
    ("lecture_q", "optimizer.zero_grad(), loss.backward() and optimizer.step()"),
)


@pytest.mark.parametrize(("name", "line"), SAID)
def test_what_the_lectures_reader_came_for_is_printed(name: str, line: str) -> None:
    assert line in told(name).text(1000)


@pytest.mark.parametrize("name", sorted(TRAPS))
def test_each_letter_that_means_several_things_is_named_and_resolved(name: str) -> None:
    text = told(name).text(1000).split("The lecture's letters, and these")[1]
    for trap in (
        "- k numbers the samples, the layers",
        "- x is the state x_k and what enters",
        "- alpha is the discount",
        "- 1/2 stands in G, and not in",
    ):
        assert trap in text


@pytest.mark.parametrize("name", sorted(TRAPS))
def test_the_letters_that_are_said_to_be_here_are_here(name: str) -> None:
    program = load(SPECS / f"{name}.toml").losses[0].program
    codes = [p.text for prose in TRAPS[name] for p in prose if isinstance(p, Code)]
    read = [re.match(r"\w+", code).group() for code in codes if "[" in code]  # type: ignore[union-attr]
    assert read
    assert set(read) <= set(program.tensor_of)


def test_one_tensors_gradient_is_told_without_the_lecture() -> None:
    titles = [s.title for s in explain(load(LAYER), wrt="b").sections]
    assert "The lecture's letters, and these" not in titles


def test_nothing_is_generated_or_checked_where_sigma_has_no_value() -> None:
    for verb in ("generate", "check"):
        result = CliRunner().invoke(main, [verb, "lecture_layer"])
        assert result.exit_code == 2
        assert f"nothing to {verb}" in result.output
        assert "sigma" in result.output


# ---- the update, as libraries make it ------------------------------------------------------------

RATE, STEPS = 0.05, 3


def q_inputs(name: str) -> tuple[Emitted, Inputs]:
    found = of_file(SPECS / f"{name}.toml")
    return found, inputs(found, seed=3, M=8, H=5)


def updates(name: str) -> list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]]:
    """The parameters after each w <- w - beta*dL/dw of the generated module, and S of each."""
    found, at = q_inputs(name)
    program = found.spec.losses[0].program
    derived = reverse(split_heads(program), "loss", found.spec.losses[0].wrt)
    told: list[tuple[dict[str, np.ndarray], dict[str, np.ndarray]]] = []
    scale = {x: np.abs(getattr(at.params, x)) for x in derived.result}
    for _ in range(STEPS):
        values = {**at.data, **{x: getattr(at.params, x).copy() for x in derived.result}}
        names = tuple(derived.result.values())
        many = run(derived.program, values, at.sizes, *names).magnitudes
        (_, aux), grads = found.module.value_and_grad(at.params, **at.data)
        assert set(aux) == {"e"}
        at.params.flat -= RATE * grads.flat
        # an error in a step is carried through the next
        scale = {x: 10 * (scale[x] + RATE * many[d]) for x, d in derived.result.items()}
        told.append(({x: getattr(at.params, x).copy() for x in derived.result}, dict(scale)))
    return told


@pytest.mark.parametrize(
    "halved", [True, False], ids=["with the 1/2", "without it, at half the rate"]
)
@pytest.mark.parametrize("name", ["lecture_q", "lecture_q_residual"])
def test_the_update_is_torchs_zero_grad_backward_step(name: str, halved: bool, torch: Any) -> None:
    found, at = q_inputs(name)
    nn, data = torch.nn, {n: torch.as_tensor(np.asarray(v)) for n, v in at.data.items()}
    hidden, states = np.shape(at.params.w1)
    net = nn.Sequential(nn.Linear(states, hidden), nn.ReLU(), nn.Linear(hidden, 3)).double()
    mine = {"w1": net[0].weight, "b1": net[0].bias, "w2": net[2].weight, "b2": net[2].bias}
    with torch.no_grad():
        for x, weight in mine.items():
            weight.copy_(torch.as_tensor(getattr(at.params, x)))
    optimizer = torch.optim.SGD(net.parameters(), lr=RATE if halved else RATE / 2)
    for after, scale in updates(name):
        optimizer.zero_grad()
        q = net(data["s"]).gather(1, data["u"].long()[:, None])[:, 0]
        target = data["r"] + data["alpha"] * net(data["s_next"]).max(dim=1).values
        target = target.detach() if name == "lecture_q" else target
        loss = ((q - target) ** 2).sum() / (2 if halved else 1)
        loss.backward()
        optimizer.step()
        for x, weight in mine.items():
            assert_agree(f"torch: {x}", after[x], weight.detach().numpy(), scale[x])
    assert found.spec.name == name


@pytest.mark.parametrize("name", ["lecture_q", "lecture_q_residual"])
def test_the_update_is_jaxs_gradient_step(name: str, jax: Any) -> None:
    _, at = q_inputs(name)
    xp, data = jax.numpy, at.data

    def q(weights: Any, states: Any) -> Any:
        hidden = xp.dot(states, weights["w1"].T) + weights["b1"]
        return xp.dot(xp.where(hidden > 0, hidden, 0.0), weights["w2"].T) + weights["b2"]

    def loss(weights: Any) -> Any:
        target = data["r"] + data["alpha"] * xp.max(q(weights, data["s_next"]), axis=1)
        if name == "lecture_q":
            target = jax.lax.stop_gradient(target)
        taken = q(weights, data["s"])[xp.arange(len(data["u"])), data["u"]]
        return xp.sum((taken - target) ** 2) / 2

    weights = {x: xp.asarray(getattr(at.params, x).copy()) for x in ("w1", "b1", "w2", "b2")}
    for after, scale in updates(name):
        slopes = jax.grad(loss)(weights)
        weights = {x: weights[x] - RATE * slopes[x] for x in weights}
        for x in weights:
            assert_agree(f"JAX: {x}", after[x], np.asarray(weights[x]), scale[x])


def test_the_two_gradients_of_the_lecture_differ() -> None:
    semi, full = (updates(name)[0][0] for name in ("lecture_q", "lecture_q_residual"))
    assert all(np.abs(semi[x] - full[x]).max() > 1e-3 for x in semi)


def test_all_that_stands_in_a_product_of_a_path_are_symbols_of_the_program() -> None:
    program, _ = layer_program()
    edges = graph(program, {"N": 3, "H": 2})
    for numbers in product(range(2), repeat=2):
        for path in edges.paths(place("w", 1, *numbers), Access("loss")):
            assert all(isinstance(s, Symbol) and s in edges.slots for s in along(path).free_symbols)
