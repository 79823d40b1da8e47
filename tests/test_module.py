"""The emitted module as its user meets it: parameters, arguments, results, files, helpers."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from emitted import SPECS, expected, inputs, of_file, of_text, same
from modules import (
    CONVOLUTION,
    POLICY,
    RANK_0,
    TEXTS,
    emitted,
    every_text,
    policy,
)

# ---- every kind of spec ------------------------------------------------------------------------------


@every_text
def test_values_aux_and_gradients_are_the_evaluator_s(name: str) -> None:
    found = emitted(name)
    at = inputs(found)
    checked = 0
    for function in found.functions():
        if not function.endswith("value_and_grad"):
            continue
        wanted = expected(found, function, at)
        result, gradient = found.call(function, at)
        alone = found.call(function.removesuffix("_and_grad"), at)
        value, aux = result if isinstance(result, tuple) else (result, {})
        assert same(alone, (value, aux) if aux else value)
        np.testing.assert_allclose(value, wanted[found.loss(function).value], rtol=1e-12)
        assert list(aux) == list(found.loss(function).program.outputs[1:])
        for key in aux:
            np.testing.assert_allclose(aux[key], wanted[key], rtol=1e-12)
        for key in found.loss(function).wrt:
            assert getattr(gradient, key).shape == wanted[key].shape
            np.testing.assert_allclose(getattr(gradient, key), wanted[key], rtol=1e-11, atol=1e-14)
            checked += 1
    assert checked or name == "forward_alone"


@every_text
def test_a_workspace_changes_no_bit(name: str) -> None:
    found = emitted(name)
    at = inputs(found)
    workspace = found.module.Workspace(**at.sizes)
    for function in found.functions():
        assert same(found.call(function, at), found.call(function, at, workspace=workspace))
        assert same(found.call(function, at), found.call(function, at, workspace=workspace))


@every_text
def test_float32_is_chosen_by_the_parameters_or_by_the_data(name: str) -> None:
    found = emitted(name)
    for dtype, bound in ((np.float32, 2e-4), (np.float64, 0.0)):
        at, wide = inputs(found, dtype), inputs(found)
        for function in found.functions():
            result, exact = found.call(function, at), found.call(function, wide)
            for ours, theirs in zip(numbers(result), numbers(exact), strict=True):
                assert ours.dtype == dtype
                np.testing.assert_allclose(ours, theirs, rtol=bound, atol=bound)


def numbers(result: Any) -> list[Any]:
    """The arrays of a result, containers taken apart."""
    if isinstance(result, (tuple, dict)):
        items = result.values() if isinstance(result, dict) else result
        return [leaf for item in items for leaf in numbers(item)]
    if hasattr(result, "_sizes"):
        return [v for n, v in vars(result).items() if not n.startswith("_")]
    return [np.asarray(result)]


@every_text
def test_a_module_states_what_it_holds(name: str) -> None:
    found = emitted(name)
    module, spec = found.module, found.spec
    assert list(module.PARAMETERS) == [t.name for t in spec.tensors if t.role == "param"]
    assert list(module.INPUTS) == [t.name for t in spec.tensors if t.role == "data"]
    assert dict(spec.sizes) == module.SIZES
    assert {name: p.outputs for name, p in spec.forwards} == module.OUTPUTS
    assert (spec.canonical(), spec.hash) == (module.SPEC, module.SPEC_HASH)
    assert module.BRANCHES == ()
    assert all(callable(getattr(module, function)) for function in module.OPERATIONS)


def test_the_canonical_text_of_a_module_gives_the_same_module_again() -> None:
    for text in (*TEXTS.values(), POLICY.read_text()):
        first = of_text(text)
        assert of_text(first.module.SPEC).text == first.text


def test_parameters_says_where_each_view_lies_in_flat() -> None:
    module, params, _ = policy()
    flat = params.flat
    for name, about in module.PARAMETERS.items():
        place = np.lib.stride_tricks.as_strided(
            flat[about["offset"] :], about["shape"], [s * flat.itemsize for s in about["strides"]]
        )
        assert np.shares_memory(place, getattr(params, name))
        assert same(place, getattr(params, name))


def test_the_docstring_says_what_a_reader_needs() -> None:
    doc = of_file(CONVOLUTION).module.__doc__
    for said in (
        "z[b,o,l] += W[o,c,k]*pad(x[b,c,3*k+2*l-2])",
        "dV[m,o,l] += dy[b,m]*h[b,o,l]",
        "W: real[O, C, K]",
        "U = (L + 6 - 3 * K) // 2 + 1",
        "relu'(0) = 0",
        "loss is summed over b, m and divided by B",
        "Held constant",
        "Rewritten to stay finite",
    ):
        assert said in doc
    assert "td[b] = gamma*stop(v[b]) + r[b] - v[b]" in emitted("several").module.__doc__
    assert "stop() holds in" in emitted("several").module.__doc__
    assert (
        "log(1 - sigmoid" in of_file(next(p for p in SPECS if p.stem == "one_bias")).module.__doc__
    )


REDUCTIONS = (
    # equations,                                                      what the docstring says
    ("loss = mean(i,j: W[i,j]**2)",                                   "loss is summed over i, j and divided by N**2"),
    ("loss = mean(t: s[t+1]*s[t]) for t < T-1",                       "loss is summed over t and divided by T - 1"),
    ("loss = mean(i,j: W[i+1,j]*W[i,j+1]) for i < N-1, j < N-1",      "loss is summed over i, j and divided by (N - 1)**2"),
    ("loss = mean(t,k: s[t]*v[k])",                                   "loss is summed over k, t and divided by 3*T"),
    ("loss = mean(k: v[k]**2)",                                       "loss is summed over k and divided by 3"),
    ("loss = sum(k: 0.5*v[k]**2)",                                    "sums stand as the equations write them, undivided"),
    ("loss = sum(t: exp(s[t]/T))",                                    "sums stand as the equations write them, undivided"),
)  # fmt: skip


@pytest.mark.parametrize(("equations", "said"), REDUCTIONS)
def test_the_docstring_says_what_a_sum_is_divided_by(equations: str, said: str) -> None:
    text = f"equations = '{equations}'\n[sizes]\nN = 4\nT = 6\n[params]\n"
    text += "W = 'real[N, N]'\ns = 'real[T]'\nv = 'real[3]'\n"
    assert f"\nReduction: {said}.\n" in of_text(text).text


def test_a_description_of_any_characters_leaves_the_module_whole() -> None:
    text = (
        'description = "a \\"quote\\", a \\\\ and \\"\\"\\", \\u0000, \\u2028 and é\\u0007"\n'
        + RANK_0
    )
    assert of_text(text).spec.canonical() == of_text(text).module.SPEC


# ---- gradients ---------------------------------------------------------------------------------------


def test_gradients_have_exactly_the_structure_of_wrt() -> None:
    found = emitted("several")
    at = inputs(found, B=5, N=3)

    def held(function: str) -> set[str]:
        return {n for n in vars(found.call(function, at)[1]) if not n.startswith("_")}

    assert held("actor_value_and_grad") == {"flat", "W"}
    assert held("critic_value_and_grad") == {"flat", "V", "v0", "x", "gamma"}
    assert held("A_b_value_and_grad") == {"flat", "x"}
    _, gradient = found.call("a_b_value_and_grad", at)
    assert isinstance(gradient, found.module.Params)
    _, gradient = found.call("critic_value_and_grad", at)
    assert gradient.flat.shape == (4,)
    assert np.shares_memory(gradient.v0, gradient.flat)
    assert (type(gradient.x), gradient.x.shape, gradient.gamma.shape) == (np.ndarray, (5, 3), ())


def test_a_parameter_that_the_loss_does_not_read_has_gradient_zero() -> None:
    found = emitted("unused")
    at = inputs(found)
    workspace = found.module.Workspace(**at.sizes)
    for extra in ({}, {"workspace": workspace}, {"workspace": workspace}):
        _, gradient = found.call("value_and_grad", at, **extra)
        assert not gradient.never.any()
        assert gradient.b == 0.0


def test_one_step_down_the_gradient_is_one_line() -> None:
    module, params, data = policy()
    before, grads = module.value_and_grad(params, **data)
    params.flat -= 1e-2 * grads.flat
    assert module.value(params, **data) < before


# ---- workspace ---------------------------------------------------------------------------------------


def test_a_workspace_of_other_sizes_is_refused() -> None:
    module, params, data = policy()
    with pytest.raises(ValueError, match="workspace is made for B=5; this call has B=4"):
        module.value(params, **data, workspace=module.Workspace(B=5))
    with pytest.raises(ValueError, match="workspace is made for H=8; this call has H=64"):
        module.value(params, **data, workspace=module.Workspace(B=4, H=8))
    with pytest.raises(TypeError, match="workspace is of type dict"):
        module.value(params, **data, workspace={})
    for wrong in (0, -1, 2.0):
        with pytest.raises(ValueError, match=r"B is .*; expected a whole number"):
            module.Workspace(B=wrong)


def test_one_workspace_serves_both_types() -> None:
    module = of_file(POLICY).module
    workspace = module.Workspace(B=4)
    for dtype in (np.float32, np.float64, np.float32):
        _, params, data = policy(dtype=dtype)
        fresh = module.value_and_grad(params, **data)
        assert same(fresh, module.value_and_grad(params, **data, workspace=workspace))


def test_results_in_a_workspace_live_until_the_next_call() -> None:
    module, params, data = policy()
    workspace = module.Workspace(B=4)
    _, first = module.value_and_grad(params, **data, workspace=workspace)
    _, second = module.value_and_grad(params, **data, workspace=workspace)
    assert first is second
