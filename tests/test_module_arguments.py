"""Arguments of an emitted module: what is refused, and in which words; what is accepted."""

from __future__ import annotations

import copy
import inspect
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from emitted import expected, inputs, of_file, same
from modules import (
    CONVOLUTION,
    emitted,
    policy,
)

from symgrad.catalog.builtin import spec_path

REFUSED = [
    (
        "obs",
        lambda a: a[:, :3],
        ValueError,
        r"obs has shape \(4, 3\); expected \(4, 4\), that is real\[B, 4\]",
    ),
    ("obs", lambda a: a[0], ValueError, r"obs has shape \(4,\); expected real\[B, 4\]"),
    (
        "obs",
        lambda a: a[:0],
        ValueError,
        r"obs has shape \(0, 4\); expected real\[B, 4\] with B of at least 1",
    ),
    (
        "advantage",
        lambda a: a[:, None],
        ValueError,
        r"advantage has shape \(4, 1\); expected real\[B\]",
    ),
    ("advantage", lambda a: a[:1], ValueError, r"advantage has shape \(1,\); expected \(4,\)"),
    ("advantage", lambda a: 1.0, ValueError, r"advantage has shape \(\)"),
    ("advantage", lambda a: a + 0j, TypeError, "advantage has dtype complex128"),
    ("advantage", lambda a: a.astype(object), TypeError, "advantage has dtype object"),
    ("advantage", lambda a: a.astype(str), TypeError, "advantage has dtype <U"),
    ("advantage", lambda a: None, TypeError, "advantage has dtype object"),
    ("advantage", lambda a: [[1.0], [1.0, 2.0]], ValueError, "advantage is no array"),
    ("advantage", lambda a: a.astype("m8[s]"), TypeError, "advantage has dtype timedelta64"),
    (
        "action",
        lambda a: a.astype(float),
        TypeError,
        r"action has dtype float64; expected int\[B\] < 2",
    ),
    ("action", lambda a: a.astype(bool), TypeError, "action has dtype bool"),
    ("action", lambda a: a + 2, ValueError, "action has values from 2 to 3; expected 0 to 1"),
    ("action", lambda a: a - 1, ValueError, "action has values from -1 to 0; expected 0 to 1"),
    ("action", lambda a: a.astype(np.uint64) + np.uint64(2**63), ValueError, "expected 0 to 1"),
]


@pytest.mark.parametrize(("name", "change", "error", "said"), REFUSED, ids=range(len(REFUSED)))
def test_an_argument_that_does_not_fit_is_named(
    name: str, change: Any, error: type[Exception], said: str
) -> None:
    module, params, data = policy()
    data["action"] = np.array([0, 1, 1, 0])
    data[name] = change(data[name])
    for function in (module.value, module.value_and_grad):
        with pytest.raises(error, match=said):
            function(params, **data)


def test_truth_values_and_rank_0_data_are_checked() -> None:
    found = emitted("data_alone")
    at = inputs(found)
    for key, bad, error, said in (
        ("done", np.zeros(3), TypeError, r"done has dtype float64; expected bool\[B\]"),
        ("over", 1, TypeError, "over has dtype int64; expected bool"),
        (
            "width",
            np.array([1.0, 0.0, 2.0]),
            ValueError,
            r"width holds 0.0; expected real\[B\] > 0",
        ),
        ("width", np.array([1.0, np.nan, 2.0]), ValueError, "width holds nan; expected"),
        ("g", np.ones(1), ValueError, r"g has shape \(1,\); expected real = 0.99"),
        ("g", "1", TypeError, "g has dtype <U1"),
        ("count", 2.0, TypeError, "count has dtype float64; expected int = 2"),
        ("count", -1, ValueError, "count has values from -1 to -1; expected 0 or more"),
    ):
        with pytest.raises(error, match=said):
            found.call("value", replace(at, data={**at.data, key: bad}))


def test_defaults_stand_in_for_rank_0_data() -> None:
    found = emitted("data_alone")
    at = inputs(found)
    data = {n: v for n, v in at.data.items() if n not in ("g", "count")}
    both = replace(at, data={**data, "g": 0.99, "count": 2})
    assert same(
        found.call("value_and_grad", replace(at, data=data)), found.call("value_and_grad", both)
    )


ACCEPTED = [
    ("obs", np.asfortranarray),
    ("obs", lambda a: np.repeat(a, 3, axis=0)[::3]),
    ("obs", lambda a: a[::-1][::-1]),
    ("obs", lambda a: a.astype(">f8")),
    ("obs", lambda a: a.tolist()),
    ("obs", lambda a: np.asarray(a, np.longdouble)),
    ("obs", lambda a: np.broadcast_to(a, a.shape)),
    ("advantage", lambda a: np.repeat(a, 2)[::2]),
    ("action", lambda a: a.astype(np.uint8)),
    ("action", lambda a: a.astype(np.int16).tolist()),
    ("action", lambda a: np.repeat(a, 2)[::2]),
]


@pytest.mark.parametrize(("name", "change"), ACCEPTED, ids=range(len(ACCEPTED)))
def test_any_layout_and_width_works_and_is_not_modified(name: str, change: Any) -> None:
    module, params, data = policy()
    plain = module.value_and_grad(params, **data)
    given = {**data, name: change(data[name])}
    kept = copy.deepcopy(given[name])
    for array in given.values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False
    params.flat.flags.writeable = False
    assert same(plain, module.value_and_grad(params, **given))
    workspace = module.Workspace(B=4)
    for _ in range(2):
        assert same(plain, module.value_and_grad(params, **given, workspace=workspace))
    np.testing.assert_array_equal(given[name], kept)


def test_data_of_another_type_is_cast_once() -> None:
    module, params, data = policy(dtype=np.float32)
    for kind in (np.float16, np.float64, np.int64, np.longdouble):
        given = {**data, "advantage": np.array([1.0, -1.0, 2.0, 0.0]).astype(kind)}
        exact = {**data, "advantage": np.array([1.0, -1.0, 2.0, 0.0], np.float32)}
        assert same(module.value_and_grad(params, **given), module.value_and_grad(params, **exact))


def test_a_batch_of_one_works() -> None:
    module, params, data = policy(batch=1)
    value, grads = module.value_and_grad(params, **data)
    assert np.isfinite(value)
    assert np.isfinite(grads.flat).all()


def test_params_of_another_kind_are_refused() -> None:
    module, params, data = policy()
    for wrong in (params.flat, None, emitted("several").module.init(np.random.default_rng(0), N=3)):
        with pytest.raises(TypeError, match=r"params is of type .*; expected this module's Params"):
            module.value(wrong, **data)


def test_other_sizes_than_the_defaults_work() -> None:
    found = of_file(CONVOLUTION)
    for sizes in ({"L": 31, "K": 5, "O": 2}, {"L": 7, "C": 1, "M": 1, "B": 1}):
        at = inputs(found, **sizes)
        _, gradient = found.call("value_and_grad", at)
        wanted = expected(found, "value_and_grad", at)
        for key in ("W", "w0", "V", "v0"):
            np.testing.assert_allclose(getattr(gradient, key), wanted[key], rtol=1e-11, atol=1e-13)


def test_sizes_that_no_array_shows_are_asked_for() -> None:
    found = emitted("expressions")
    at = inputs(found, N=4, M=5)
    data = dict(at.data)
    with pytest.raises(TypeError, match="M"):
        found.module.value(at.params, **data)
    for wrong in (0, 1.5, "2"):
        with pytest.raises(ValueError, match=r"M is .*; expected a whole number of at least 1"):
            found.module.value(at.params, **data, M=wrong)
    with pytest.raises(ValueError, match=r"x has shape \(12,\); expected real\[K\+2\*N\] with N"):
        found.module.value(at.params, **{**data, "x": np.zeros(12)}, M=2)


def test_a_loss_takes_only_the_data_that_it_is_computed_from() -> None:
    """The actor's asks for no action: the critic that it goes through is at its own."""
    module = of_file(spec_path("halfcheetah_ddpg")).module
    for function in (module.actor_value, module.actor_value_and_grad):
        assert [*inspect.signature(function).parameters] == ["params", "obs", "workspace"]
