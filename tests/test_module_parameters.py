"""Parameters of an emitted module: one vector and its views, their start, their files."""

from __future__ import annotations

import copy
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from emitted import inputs, of_file, of_text, same
from modules import (
    CONVOLUTION,
    INITS,
    POLICY,
    emitted,
    every_text,
    policy,
)

# ---- parameters --------------------------------------------------------------------------------------


def test_views_and_vector_are_one_memory() -> None:
    _, params, _ = policy()
    params.flat[:] = 0.0
    params.W2[3, 5] = 7.0
    assert np.flatnonzero(params.flat).size == 1
    params.flat += 1.0
    assert params.W2[3, 5] == 8.0


def test_assigning_a_parameter_writes_into_its_view() -> None:
    _, params, _ = policy()
    view = params.c1
    params.c1 = np.arange(64.0)
    assert params.c1 is view
    assert np.isin(np.arange(64.0), params.flat).all()
    params.c1 -= 1.0
    assert view[1] == 0.0
    with pytest.raises(ValueError, match=r"c1 is given shape \(1,\); expected \(64,\)"):
        params.c1 = np.zeros(1)


@pytest.mark.parametrize("how", [copy.deepcopy, lambda p: pickle.loads(pickle.dumps(p))])
def test_the_views_of_a_copy_are_views_on_its_own_vector(how: Any) -> None:
    module, params, _ = policy()
    sys.modules[module.__name__] = module  # where pickle looks for the class
    other = how(params)
    assert same(other, params)
    other.flat[:] = 5.0
    assert (other.W1 == 5.0).all()
    assert not (params.flat == 5.0).any()


def test_a_copy_of_a_gradient_keeps_its_inputs() -> None:
    found = emitted("several")
    _, gradient = found.call("critic_value_and_grad", inputs(found))
    other = copy.deepcopy(gradient)
    assert same(other, gradient)
    assert not np.shares_memory(other.x, gradient.x)


def test_params_wraps_a_vector_without_copying_it() -> None:
    module, params, _ = policy()
    vector = params.flat.copy()
    wrapped = module.Params(vector)
    assert wrapped.flat is vector
    assert module.Params(np.zeros(8 * 5 + 5 * 5 + 2), H=5).W2.shape == (5, 5)


@pytest.mark.parametrize(
    ("flat", "sizes", "error", "said"),
    [
        (np.zeros(10), {}, ValueError, r"flat has shape \(10,\); expected \(4610,\)"),
        (np.zeros((4610, 1)), {}, ValueError, "expected"),
        (np.zeros(9220)[::2], {}, ValueError, "gaps"),
        (np.zeros(4610, np.float16), {}, TypeError, "float16; expected float32 or float64"),
        (np.zeros(4610, np.longdouble), {}, TypeError, "expected float32 or float64"),
        (np.zeros(4610, complex), {}, TypeError, "complex128"),
        (np.zeros(4610), {"H": 0}, ValueError, "H is 0; expected a whole number of at least 1"),
        (np.zeros(4610), {"H": 2.5}, ValueError, "H is 2.5"),
        (np.zeros(4610), {"H": True}, ValueError, "H is True"),
    ],
)
def test_a_vector_that_does_not_fit_is_refused(
    flat: Any, sizes: dict[str, Any], error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        of_file(POLICY).module.Params(flat, **sizes)


def test_sizes_that_leave_an_axis_without_places_are_refused() -> None:
    module = of_file(CONVOLUTION).module
    with pytest.raises(ValueError, match=r"U = .* must be at least 1"):
        module.Params(np.zeros(100), L=1, K=9)


def test_init_takes_sizes_and_dtype_and_is_seeded() -> None:
    module = of_file(POLICY).module
    params = module.init(np.random.default_rng(3), H=8, dtype=np.float32)
    assert (params.flat.dtype, params.W2.shape) == (np.dtype(np.float32), (8, 8))
    assert same(params, module.init(np.random.default_rng(3), H=8, dtype=np.float32))
    np.testing.assert_allclose(params.W2 @ params.W2.T, 1.414**2 * np.eye(8), atol=1e-5)
    assert not params.c1.any()
    assert emitted("several").module.init(np.random.default_rng(0), N=3).v0 == -0.5


@pytest.mark.parametrize("how", INITS)
def test_each_initialisation_has_its_variance(how: str) -> None:
    text = f'equations = "loss = sum(o,c,k: W[o,c,k]*x[k])"\n[params]\nW = "real[40, 30, 9] init={how}"\n[data]\nx = "real[9]"'
    weights = of_text(text).module.init(np.random.default_rng(0)).W
    scale = INITS[how]
    if how == "glorot_uniform":  # fan_in and fan_out both take in the kernel
        scale = 2.0 / (9 * (40 + 30))
    np.testing.assert_allclose(weights.var(), scale, rtol=0.05)


# ---- files -------------------------------------------------------------------------------------------


@every_text
def test_what_is_saved_is_loaded(name: str, tmp_path: Path) -> None:
    found = emitted(name)
    params = inputs(found, np.float32).params
    if params is None:
        assert not hasattr(found.module, "save")
        return
    path = tmp_path / "weights.of.mine"
    found.module.save(path, params)
    assert path.exists()  # just there: no suffix is added
    loaded = found.module.load(path)
    assert (loaded.flat.dtype, loaded._sizes) == (np.float32, params._sizes)
    assert same(loaded, params)


def test_a_file_holds_arrays_by_name_that_other_programs_can_read(tmp_path: Path) -> None:
    module, params, _ = policy()
    module.save(tmp_path / "p.npz", params)
    with np.load(tmp_path / "p.npz", allow_pickle=False) as file:
        assert sorted(file.files) == sorted(module.PARAMETERS)
        assert same(file["W1"], params.W1)


def test_load_refuses_what_is_not_its_own(tmp_path: Path) -> None:
    module, params, _ = policy()
    arrays = {n: getattr(params, n) for n in module.PARAMETERS}
    cases: list[tuple[dict[str, Any], str]] = [
        ({**arrays, "extra": np.zeros(1)}, "extra"),
        ({n: a for n, a in arrays.items() if n != "W1"}, "expected .*W1"),
        ({**arrays, "c2": np.zeros(3)}, r"c2 is given shape \(3,\); expected \(64,\)"),
        ({**arrays, "W1": np.zeros(64)}, "W1 is given shape"),
        ({**arrays, "c1": np.float64(3.0)}, "c1 is given shape"),
        ({**arrays, "W1": arrays["W1"].astype(complex)}, "W1 has dtype complex128"),
        ({**arrays, "W1": arrays["W1"].astype(object)}, "allow_pickle=False"),
    ]
    for held, said in cases:
        with (tmp_path / "p.npz").open("wb") as file:
            np.savez(file, **held)
        with pytest.raises(ValueError, match=said):
            module.load(tmp_path / "p.npz")
    np.save(tmp_path / "one.npy", np.zeros(3))
    with pytest.raises(ValueError, match="holds one array"):
        module.load(tmp_path / "one.npy")
    with pytest.raises(TypeError, match="params is of type ndarray"):
        module.save(tmp_path / "p.npz", params.flat)
