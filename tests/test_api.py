"""`import symgrad as sg`: the verbs in Python, and derivatives as programs."""

from __future__ import annotations

import ast
import inspect
import os
import subprocess
import sys
import types
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from catalogue import NAMES, at

import symgrad as sg
from symgrad import generated_tree
from symgrad.algebra.program import Program
from symgrad.catalog.builtin import FOLDER
from symgrad.verify.arithmetic import Digits
from symgrad.verify.evaluate import evaluate

ROOT = Path(__file__).resolve().parents[1]
TOLERANCE = 1e-12
SIZES = {"B": 3, "T": 2, "D": 3, "H": 2, "A": 2, "N": 4, "L": 9}
"""Sizes at which 60 digits cost little; what is not here keeps its default."""

TWO_LOSSES = """
[params]
u = "real"
w = "real"
[losses.actor]
wrt = ["u"]
equations = "loss = u**2*w"
[losses.critic]
equations = "loss = sin(u)*w"
"""
NO_LOSS = """
outputs = ["y"]
equations = "y = 2*x"
[data]
x = "real"
"""
KINKS = """
equations = '''
h[b,k] = relu(sum(j: W[k,j]*x[b,j]) + c[k])
best[b] = argmax(k: h[b,k])
m[b] = max(k: h[b,k])
loss = mean(b: (m[b] - stop(h[b,act[b]]))**2 + tanh(logsumexp(k: h[b,k]))*minimum(h[b,best[b]], x[b,act[b]])) + sum(k,j: W[k,j]**3)
'''
[sizes]
B = "batch"
[params]
W = "real[3, 4]"
c = "real[3]"
[data]
x = "real[B, 4]"
act = "int[B] < 3"
"""


def inputs(program: Program, sizes: Mapping[str, int], seed: int = 0) -> dict[str, Any]:
    """Seeded values of everything that is not computed."""
    rng = np.random.default_rng(seed)
    found: dict[str, Any] = {}
    for tensor in program.tensors:
        if tensor.role == "computed":
            continue
        shape = tuple(size.evaluate(sizes) for size in tensor.shape)
        if tensor.kind == "int":
            assert tensor.below is not None
            found[tensor.name] = rng.integers(0, tensor.below.evaluate(sizes), shape)
        elif tensor.kind == "bool":
            found[tensor.name] = rng.random(shape) < 0.5
        else:
            found[tensor.name] = rng.normal(size=shape)
    return found


def sizes_of(spec: sg.Spec) -> dict[str, int]:
    return {name: SIZES.get(name, value or 2) for name, value in spec.sizes}


def close(a: Mapping[str, Any], b: Mapping[str, Any]) -> bool:
    """Each array of `a` is that of `b`, to the tolerance of its largest entry; none is empty."""
    return bool(a) and all(
        np.allclose(
            np.asarray(a[name], float),
            np.asarray(b[name], float),
            rtol=0,
            atol=TOLERANCE * max(1e-300, float(np.max(np.abs(np.asarray(b[name], float))))),
        )
        for name in a
    )


def values(
    program: Program, given: Mapping[str, Any], sizes: Mapping[str, int], frozen: Any = None
) -> dict[str, Any]:
    """The outputs of a program, in 60 digits; `frozen`: what stop() holds constant."""
    found = evaluate(program, given, sizes, Digits(60), frozen, outputs=program.outputs).values
    return {name: found[name] for name in program.outputs}


def module_of(text: str) -> ModuleType:
    module = types.ModuleType("generated")
    exec(text, module.__dict__)
    return module


SPECS = [
    *("actor_weight", "attention", "cartpole_a2c", "cartpole_dqn"),
    *("cartpole_dueling", "cartpole_reinforce", "convolution", "digits_logistic", "digits_mlp"),
    *("gru", "lecture_q", "lecture_q_residual", "one_bias", "softmax_policy", "kinks"),
]
"""One loss each. What costs more is held in test_products.py and by the fuzz."""


def spec_named(name: str) -> sg.Spec:
    return sg.parse(KINKS, "kinks") if name == "kinks" else sg.load(name)


# ---- the package --------------------------------------------------------------------------------


def test_every_public_name_is_there_and_listed_once() -> None:
    assert len(sg.__all__) == len(set(sg.__all__)) > 10
    for name in sg.__all__:
        assert getattr(sg, name) is getattr(sg, name), name
        assert name in dir(sg)


def test_a_type_checker_sees_the_names_that_are_imported_lazily() -> None:
    """The imports under TYPE_CHECKING are the table of homes, name by name."""
    tree = ast.parse(Path(sg.__file__).read_text())
    (block,) = [
        n for n in tree.body if isinstance(n, ast.If) and not isinstance(n.test, ast.UnaryOp)
    ]
    typed = {
        a.asname: n.module for n in block.body if isinstance(n, ast.ImportFrom) for a in n.names
    }
    (homes,) = [
        n.value
        for n in tree.body
        if isinstance(n, ast.Assign) and [ast.unparse(t) for t in n.targets] == ["_HOMES"]
    ]
    assert ast.literal_eval(homes) == typed
    extras = {"check_jax", "check_torch"}  # a star import does without their libraries
    assert {*typed, "__version__"} - extras == set(sg.__all__)
    assert extras <= set(typed)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'derrive'"):
        _ = sg.derrive  # type: ignore[attr-defined]


def test_importing_symgrad_imports_nothing_else() -> None:
    source = "import sys, symgrad; print(sorted(m for m in sys.modules if m in ('sympy', 'numpy', 'click', 'rich')))"
    result = subprocess.run(
        [sys.executable, "-c", source],
        env={**os.environ, "PYTHONPATH": str(Path(sg.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "[]\n"


# ---- the verbs ----------------------------------------------------------------------------------


def test_a_spec_is_found_by_name_by_path_and_as_text() -> None:
    by_name = sg.load("gru")
    assert by_name == sg.load(FOLDER / "gru.toml") == sg.load(str(FOLDER / "gru.toml"))
    assert by_name == sg.parse((FOLDER / "gru.toml").read_text(), "gru")


@pytest.mark.parametrize("name", NAMES)
def test_generate_gives_the_file_of_the_tree(name: str) -> None:
    file = ROOT / "generated" / "numpy" / f"{name}.py"
    assert sg.generate(name) == file.read_text(encoding="utf-8")


def test_a_spec_and_its_name_generate_the_same() -> None:
    text = sg.generate("actor_weight")
    assert text == sg.generate(sg.load("actor_weight"))
    assert text == generated_tree.module_of(sg.load("actor_weight"))


def test_derive_gives_a_derivation_in_every_form() -> None:
    derivation = sg.derive("one_bias")
    assert isinstance(derivation, sg.Derivation)
    for text in (derivation.text(100), derivation.markdown(), derivation.latex()):
        assert len(text.splitlines()) > 5


def test_check_of_a_spec_and_of_its_module_agree(tmp_path: Path) -> None:
    (tmp_path / "one_bias.py").write_text(sg.generate("one_bias"))
    from_spec, from_module = sg.check("one_bias"), sg.check(tmp_path / "one_bias.py")
    assert isinstance(from_spec, sg.Report)
    assert from_spec.verdict == "PASS"
    assert from_spec == sg.check(sg.load("one_bias"))
    assert from_spec == replace(from_module, subject="one_bias")
    assert sum(block.compared for block in from_spec.blocks) > 0


def test_check_of_a_wrong_module_fails(tmp_path: Path) -> None:
    text = sg.generate("one_bias")
    wrong = text.replace(
        "    return loss, grads\n", "    grads.b *= 1.0001\n    return loss, grads\n"
    )
    assert wrong != text
    (tmp_path / "one_bias.py").write_text(wrong)
    assert sg.check(tmp_path / "one_bias.py").verdict == "FAIL"


# ---- derivatives as programs --------------------------------------------------------------------


@pytest.mark.parametrize("name", SPECS)
def test_a_gradient_program_names_its_outputs_after_wrt(name: str) -> None:
    spec = spec_named(name)
    assert sg.gradient(spec).outputs == tuple(f"d{x}" for x in spec.losses[0].wrt)


@pytest.mark.parametrize("mode", ["forward-over-reverse", "reverse-over-reverse"])
@pytest.mark.parametrize("name", SPECS)
def test_a_hessian_vector_product_is_the_difference_of_gradients(name: str, mode: Any) -> None:
    """H v = (g(w + h*v) - g(w - h*v))/(2h) in 60 digits, h = 1e-20, stops held."""
    spec = spec_named(name)
    sizes, product, gradient = sizes_of(spec), sg.hvp(spec, mode=mode), sg.gradient(spec)
    wrt = spec.losses[0].wrt
    assert product.outputs == tuple(f"d{x}_dot" for x in wrt)
    assert [t.name for t in product.tensors if t.name.startswith("v_") and t.role == "data"] == [
        f"v_{x}" for x in wrt
    ]
    given = inputs(product, sizes)
    context, sides = Digits(60), []
    step = context.ratio(1, 10**20)
    held = evaluate(gradient, given, sizes, context, outputs=gradient.outputs).stops
    for sign in (1, -1):
        moved = {
            x: context.array(given[x]) + sign * step * context.array(given[f"v_{x}"]) for x in wrt
        }
        sides.append(values(gradient, {**given, **moved}, sizes, held))
    numeric = {f"d{x}_dot": (sides[0][f"d{x}"] - sides[1][f"d{x}"]) / (2 * step) for x in wrt}
    assert close(values(product, given, sizes), numeric)


@pytest.mark.parametrize("name", SPECS)
def test_a_jvp_of_the_loss_is_the_gradient_along_the_direction(name: str) -> None:
    spec = spec_named(name)
    sizes, loss = sizes_of(spec), spec.losses[0]
    tangent, gradient = sg.jvp(spec, loss.wrt, of="loss"), sg.gradient(spec)
    assert tangent.outputs == ("loss_dot",)
    given = inputs(tangent, sizes)
    slopes = values(gradient, given, sizes)
    along = sum(np.sum(slopes[f"d{x}"] * given[f"v_{x}"]) for x in loss.wrt)
    assert close(values(tangent, given, sizes), {"loss_dot": along})


def test_a_jvp_of_the_gradient_is_the_hessian_vector_product() -> None:
    spec = sg.load("softmax_policy")
    sizes, product = sizes_of(spec), sg.hvp(spec)
    by_hand = sg.jvp(sg.gradient(spec), spec.losses[0].wrt)
    given = inputs(product, sizes)
    assert close(values(by_hand, given, sizes), values(product, given, sizes))


def test_a_third_derivative_is_the_same_operation_again() -> None:
    """L = w**5: L''' v u = 60 w**2 v u."""
    spec = sg.parse('equations = "loss = w**5"\n[params]\nw = "real"\n')
    third = sg.jvp(sg.hvp(spec), {"w": "u"})
    found = values(third, {"w": 3.0, "v_w": 0.5, "u": 2.0}, {})
    assert [float(x) for x in found.values()] == [60 * 9.0 * 0.5 * 2.0]


def test_directions_avoid_names_that_are_taken() -> None:
    text = 'equations = "loss = w**2*v_w"\n[params]\nw = "real"\n[data]\nv_w = "real"\n'
    for mode in ("forward-over-reverse", "reverse-over-reverse"):
        product = sg.hvp(sg.parse(text), mode=mode)
        found = values(product, {"w": 3.0, "v_w": 0.5, "v_w_2": 7.0}, {})
        assert {name: float(x) for name, x in found.items()} == {"dw_dot": 7.0}


@pytest.mark.parametrize("name", SPECS)
def test_a_product_becomes_a_module_that_gives_the_same_numbers(name: str) -> None:
    spec = spec_named(name)
    sizes, product = sizes_of(spec), sg.hvp(spec)
    module = module_of(sg.generate(sg.as_spec(product, f"{name}_hvp")))
    given = inputs(product, sizes)
    roles = {t.name: t.role for t in product.tensors}
    known = {n: size for n, size in sizes.items() if n in inspect.signature(module.init).parameters}
    params = module.init(np.random.default_rng(0), **known)
    for x, array in given.items():
        if roles[x] == "param":
            at(params, x)[...] = array
    accepted = inspect.signature(module.forward).parameters
    found = module.forward(params, **{x: a for x, a in given.items() if x in accepted})
    arrays = found if isinstance(found, tuple) else (found,)
    assert len(arrays) == len(product.outputs)
    assert close(dict(zip(product.outputs, arrays, strict=True)), values(product, given, sizes))


# ---- errors -------------------------------------------------------------------------------------

MISTAKES = [
    # claim,                       call,                                                       what is said
    ("no such built-in spec",      lambda: sg.load("grv"),                                     'named "grv"; did you mean "gru"?'),
    ("no such file",               lambda: sg.load("none.toml"),                               "none.toml: cannot be read"),
    ("no such loss",               lambda: sg.gradient(sg.parse(TWO_LOSSES), "acter"),         'no loss "acter"; did you mean "actor"?'),
    ("several losses, none named", lambda: sg.hvp(sg.parse(TWO_LOSSES)),                       "has several losses; name one of: actor, critic"),
    ("no loss at all",             lambda: sg.gradient(sg.parse(NO_LOSS)),                     "has no loss to differentiate"),
    ("no such mode",               lambda: sg.hvp("gru", mode="reverse"),                      'unknown mode "reverse"'),  # type: ignore[arg-type]
    ("no such tensor to move",     lambda: sg.jvp("one_bias", ["bb"]),                         'unknown tensor "bb"'),
    ("no such tensor to follow",   lambda: sg.jvp("one_bias", "b", of="los"),                  'did you mean "loss"?'),
    ("a direction of an int",      lambda: sg.jvp("softmax_policy", "action"),                 "only real tensors have derivatives"),
    ("no such loss to check",      lambda: sg.check("one_bias", losses=["x"]),                 'no loss "x"'),
    ("no such module",             lambda: sg.check("none.py"),                                "none.py: cannot be read"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "said"), [row[1:] for row in MISTAKES], ids=[row[0] for row in MISTAKES]
)
def test_a_mistake_is_a_symgrad_error_that_says_what_to_do(call: Any, said: str) -> None:
    with pytest.raises(sg.SymgradError) as error:
        call()
    assert said in str(error.value)
    assert "\n" not in str(error.value)


def test_a_loss_among_several_is_chosen_by_name() -> None:
    spec = sg.parse(TWO_LOSSES)
    assert sg.gradient(spec, "actor").outputs == ("du",)
    assert sg.gradient(spec, loss="critic").outputs == ("du", "dw")
    assert sg.hvp(spec, "actor").outputs == ("du_dot",)
    found = values(sg.jvp(spec, "w", loss="critic"), {"u": 0.5, "w": 2.0, "v_w": 3.0}, {})
    assert close(found, {"loss_dot": 3.0 * np.sin(0.5)})
