"""The emitted module as its user meets it: parameters, arguments, results, files, helpers."""

from __future__ import annotations

import copy
import pickle
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from emitted import SPECS, Emitted, accepted, expected, imported, inputs, of_file, of_text, same

from symgrad.algebra.sizes import Size
from symgrad.emit.layout import wrapped_call
from symgrad.emit.literals import literal, size_expression
from symgrad.emit.render import helper, helper_names, render
from symgrad.emit.tidy import without_unread
from symgrad.errors import SpecError
from symgrad.spec import parse_spec

POLICY = next(p for p in SPECS if p.stem == "softmax_policy")
CONVOLUTION = next(p for p in SPECS if p.stem == "convolution")

SEVERAL = """
outputs = ["p", "v"]
aux = ["v"]
equations = \"\"\"
p[b,a] = sum(i: W[a,i]*x[b,i])
v[b] = sum(i: V[i]*x[b,i]) + v0
\"\"\"
[losses.actor]
wrt = ["W"]
equations = "loss = -mean(b: adv[b]*(p[b,act[b]] - logsumexp(a: p[b,a])))"
[losses.critic]
wrt = ["V", "v0", "x", "gamma"]
aux = ["td"]
equations = \"\"\"
td[b] = r[b] + gamma*stop(v[b]) - v[b]
loss = mean(b: td[b]**2)
\"\"\"
[losses.A_b]
wrt = ["x"]
equations = "loss = mean(b: v[b]**2)"
[losses.a_b]
equations = "loss = mean(b: v[b]**2)*alpha"
[sizes]
B = "batch"
N = "features"
A = 2
[params]
W = "real[A, N]"
V = "real[N]"
v0 = "real init=constant(-0.5)"
[data]
x = "real[B, N]"
adv = "real[B]"
act = "int[B] < A"
r = "real[B]"
gamma = "real = 0.99"
alpha = "real"
"""
DATA_ALONE = """
outputs = ["y"]
aux = ["y", "m"]
wrt = ["x", "g"]
equations = \"\"\"
y[b,i] = g*x[b,i]*k[b] + where(done[b], 1, 0)
m = max(b: sum(i: y[b,i]))
loss = mean(b: sum(i: y[b,i]**2)) + over*count
\"\"\"
[sizes]
B = "batch"
I = 3
[data]
x = "real[B, I]"
k = "int[B] < 5"
done = "bool[B]"
g = "real = 0.99"
over = "bool"
count = "int = 2"
"""
EXPRESSIONS = """
outputs = ["y"]
equations = \"\"\"
y[i] = sum(j: x[i+j]*W[j]) for i < N, j < K
z[n] = n*u + M for n < M
loss = sum(i: y[i]**2)*sum(n: z[n]**2)
\"\"\"
[sizes]
N = "places"
K = 3
M = "a size of the equations alone"
[params]
W = "real[K]"
[data]
x = "real[2*N + K]"
u = "real"
"""
COLLIDING = """
outputs = ["path"]
equations = \"\"\"
path[kind,name] = sum(t: w[kind,t]*x[name,t]) + sizes[kind] + B2*copies[name]
h[kind,0] = 0 for kind < key
h[kind,x_1+1] = tanh(h[kind,x_1] + memory[kind,x_1]) for x_1 < files
g[name,0] = copies[name]
g[name,dg+1] = tanh(B2*g[name,dg]) + copies[name] for dg < files
loss = sum(kind,name: path[kind,name]*t_1[name]) + sum(kind,x_1: h[kind,x_1]) + mean(name: exp(x[name,at[name]])) + sum(name: g[name,files])*s_1*ParamsGradients
\"\"\"
[sizes]
key = "k"
array = "n"
length = 4
files = 3
dtypes = "unused"
[params]
w = "real[key, length]"
sizes = "real[key]"
B2 = "real"
axis = "real"
shape = "real"
[data]
x = "real[array, length]"
copies = "real[array]"
t_1 = "real[array]"
memory = "real[key, files]"
at = "int[array] < length"
s_1 = "real"
ParamsGradients = "real"
"""
UNUSED = """
equations = "loss = sum(i: x[i]*W[i])"
[sizes]
N = "n"
[params]
W = "real[N]"
never = "real[N]"
b = "real"
[data]
x = "real[N]"
"""
FORWARD_ALONE = """
outputs = ["y"]
equations = "y[i] = erf(x[i]) + softplus(c) + erf(c)"
[sizes]
N = "n"
[data]
x = "real[N]"
c = "real = 0.5"
"""
RANK_0 = """
equations = "loss = (w - 3)**2*exp(a)"
[params]
w = "real init=constant(2)"
[data]
a = "real = 1e-3"
"""
DERIVED = """
equations = "loss = sum(i: x[i]*V[i])"
[sizes]
L = "length"
K = 2
U = "(L - K)//2 + 1"
[params]
V = "real[U]"
[data]
x = "real[U]"
"""
TAILS = '''
equations = """
y[b] = erfc(W[row[b],column[b]])
loss = mean(b: y[b])
"""
[sizes]
B = "free"
[params]
W = "real[3, 4]"
[data]
row = "int[B] < 3"
column = "int[B] < 4"
'''
TEXTS = {
    "several": SEVERAL,
    "data_alone": DATA_ALONE,
    "expressions": EXPRESSIONS,
    "colliding": COLLIDING,
    "unused": UNUSED,
    "forward_alone": FORWARD_ALONE,
    "rank_0": RANK_0,
    "derived": DERIVED,
    "tails": TAILS,
}
every_text = pytest.mark.parametrize("name", TEXTS)


def emitted(name: str) -> Emitted:
    return of_text(TEXTS[name], name)


def policy(batch: int = 4, dtype: Any = np.float64) -> tuple[Any, Any, dict[str, Any]]:
    """The policy's module, parameters and data."""
    found = of_file(POLICY)
    at = inputs(found, dtype, B=batch)
    return found.module, at.params, dict(at.data)


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


def test_a_description_of_any_characters_leaves_the_module_whole() -> None:
    text = (
        'description = "a \\"quote\\", a \\\\ and \\"\\"\\", \\u0000, \\u2028 and é\\u0007"\n'
        + RANK_0
    )
    assert of_text(text).spec.canonical() == of_text(text).module.SPEC


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


INITS = {
    "glorot_uniform": 2.0 / (40 + 30 * 9),
    "he_normal": 2.0 / (30 * 9),
    "lecun_uniform": 1.0 / (30 * 9),
    "uniform_fan_in": 1.0 / (3 * 30 * 9),
}


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
    with pytest.raises(TypeError, match="params is a ndarray"):
        module.save(tmp_path / "p.npz", params.flat)


# ---- arguments ---------------------------------------------------------------------------------------

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
        with pytest.raises(TypeError, match=r"params is a .*; expected this module's Params"):
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
    with pytest.raises(TypeError, match="workspace is a dict"):
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


# ---- helpers -----------------------------------------------------------------------------------------

POINTS = np.concatenate(
    [
        np.random.default_rng(0).uniform(-7, 7, 600),
        np.random.default_rng(1).uniform(-1, 1, 300),
        10.0 ** np.random.default_rng(2).uniform(-300, 0, 100),
    ]
)


def helpers() -> Any:
    """All the helpers, in a module of their own."""
    head = ["import numpy as np", render("numpy", "views.py.j2", {})]
    text = "\n\n".join([*head, *(helper("numpy", n) for n in helper_names("numpy"))])
    return imported(text, "helpers")


def ulps(found: Any, exact: list[Any]) -> Any:
    """Errors in units in the last place of the exact value, at the least of the smallest normal number."""
    tiny = np.finfo(found.dtype).smallest_normal
    spacing = [float(np.spacing(max(found.dtype.type(abs(e)), tiny))) for e in exact]
    return np.array(
        [
            float(abs(mpmath.mpf(float(f)) - e) / s)
            for f, e, s in zip(found, exact, spacing, strict=True)
        ]
    )


def exact_of(function: Any, x: Any) -> list[Any]:
    with mpmath.workdps(60):
        return [function(mpmath.mpf(float(v))) for v in x]


ONE_ARGUMENT = {
    "_erf": (mpmath.erf, 3.0, POINTS),
    "_erfc": (mpmath.erfc, 5.0, POINTS),
    "_sigmoid": (lambda x: 1 / (1 + mpmath.exp(-x)), 3.0, 100 * POINTS),
    "_softplus": (lambda x: mpmath.log1p(mpmath.exp(x)), 3.0, 100 * POINTS),
}


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("name", ONE_ARGUMENT)
def test_a_helper_is_right_to_a_few_units_in_the_last_place(name: str, dtype: Any) -> None:
    function, bound, points = ONE_ARGUMENT[name]
    x = points[np.abs(points) > 1e-37].astype(dtype) if dtype is np.float32 else points
    found = with_buffers(getattr(helpers(), name), x)
    assert found.dtype == dtype
    assert x.size > 800
    worst = ulps(found, exact_of(function, x))
    assert worst.max() <= bound + (dtype is np.float32), x[worst.argmax()]


def with_buffers(function: Any, x: Any) -> Any:
    """The function with `out` and as many scratch arrays as it takes, and the same bits without."""
    out = np.full_like(x, np.nan)
    scratch = {
        "_erf": [np.full_like(x, np.nan) for _ in range(3)],
        "_erfc": [np.full_like(x, np.nan) for _ in range(3)],
        "_sigmoid": np.full_like(x, 7.0),
    }
    if function.__name__ == "_softplus":
        return function(x)
    found = function(x, out=out, scratch=scratch[function.__name__])
    assert found is out
    np.testing.assert_array_equal(found, function(x))
    return found


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_helpers_at_their_ends(dtype: Any) -> None:
    module = helpers()
    x = np.array([-np.inf, -1e4, -0.0, 0.0, 1e4, np.inf, np.nan], dtype)
    np.testing.assert_array_equal(module._erf(x), np.array([-1, -1, -0.0, 0, 1, 1, np.nan], dtype))
    assert np.signbit(module._erf(x)[2])
    np.testing.assert_array_equal(module._erfc(x), np.array([2, 2, 1, 1, 0, 0, np.nan], dtype))
    np.testing.assert_array_equal(
        module._sigmoid(x), np.array([0, 0, 0.5, 0.5, 1, 1, np.nan], dtype)
    )
    half = np.log(dtype(2))
    np.testing.assert_array_equal(
        module._softplus(x[:-1]), np.array([0, 0, half, half, 1e4, np.inf], dtype)
    )
    for name in ONE_ARGUMENT:
        scalar = getattr(module, name)(dtype(0.25))
        assert scalar.dtype == dtype


def test_the_coefficients_of_erf_come_out_of_their_recipe_again() -> None:
    """P meets (1 - u) g/a at the Chebyshev points of 0 <= u <= 2/3, where a = 3u/(1 - u)."""
    with mpmath.workdps(60):
        count, end = len(helpers()._ERF), mpmath.mpf(2) / 3
        points = [
            end * (1 + mpmath.cos(mpmath.pi * (2 * k + 1) / (2 * count))) / 2 for k in range(count)
        ]

        def wanted(u: Any) -> Any:
            a = 3 * u / (1 - u)
            return -mpmath.log(mpmath.erfc(a)) / a * (1 - u)

        rows = mpmath.matrix([[u**k for k in reversed(range(count))] for u in points])
        solved = mpmath.lu_solve(rows, mpmath.matrix([wanted(u) for u in points]))
        found = [float(c) for c in solved]
    np.testing.assert_allclose(found, helpers()._ERF, rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_the_tail_of_erfc_keeps_its_digits(dtype: Any) -> None:
    end = 26.5 if dtype is np.float64 else 9.1  # beyond, the values are subnormal
    x = np.random.default_rng(4).uniform(5, end, 600).astype(dtype)
    assert ulps(helpers()._erfc(x), exact_of(mpmath.erfc, x)).max() <= 6.0


def test_the_coefficients_of_erfc_come_out_of_their_recipe_again() -> None:
    """P meets exp(a^2) erfc(a) (a + 4) at the Chebyshev points of -1 <= v <= 3/4."""
    with mpmath.workdps(60):
        count = len(helpers()._ERFC)
        angles = [mpmath.pi * (2 * k + 1) / (2 * count) for k in range(count)]
        points = [(-1 + 7 * mpmath.cos(angle)) / 8 for angle in angles]

        def wanted(v: Any) -> Any:
            a = 4 * (1 + v) / (1 - v)
            return mpmath.exp(a**2) * mpmath.erfc(a) * (a + 4)

        rows = mpmath.matrix([[v**k for k in reversed(range(count))] for v in points])
        solved = mpmath.lu_solve(rows, mpmath.matrix([wanted(v) for v in points]))
        found = [float(c) for c in solved]
    np.testing.assert_allclose(found, helpers()._ERFC, rtol=1e-15)


ROWS = [
    [-np.inf, -np.inf, -np.inf],
    [-np.inf, 2.0, -np.inf],
    [1e4, 1e4 - 1, -1e4],
    [-1e4, -1e4, -1e4],
    [3.0, np.inf, -np.inf],
    [0.1, -0.2, 0.3],
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_logsumexp_and_expdiff_are_right_at_any_height(dtype: Any) -> None:
    module, x = helpers(), np.array(ROWS, dtype)
    out, scratch, total = np.empty(6, dtype), np.empty_like(x), np.empty(6, dtype)
    with np.errstate(all="raise", under="ignore"):
        found = module._logsumexp(x, out=out, scratch=scratch, total=total)
    assert (found is out, found.dtype) == (True, dtype)
    exact = [
        mpmath.log(sum(mpmath.exp(mpmath.mpf(float(v))) for v in row))
        if np.isfinite(max(row))
        else max(row)
        for row in x
    ]
    np.testing.assert_allclose(found, [float(e) for e in exact], rtol=4 * np.finfo(dtype).eps)
    finite = [0, 1, 2, 3, 5]
    with np.errstate(all="raise", under="ignore"):
        p = module._expdiff(x[finite], found[finite][:, None], out=np.empty((5, 3), dtype))
    assert p.dtype == dtype
    assert not p[0].any()
    np.testing.assert_allclose(p[1:].sum(axis=1), 1.0, rtol=2e-3 if dtype is np.float32 else 1e-11)
    one = module._logsumexp(x[5], scratch=scratch[5], total=np.empty((), dtype))
    assert one == found[5]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_logsumexp_at_1000_rows(dtype: Any) -> None:
    x = (30 * np.random.default_rng(0).normal(size=(1000, 5))).astype(dtype)
    found = helpers()._logsumexp(x, scratch=np.empty_like(x), total=np.empty(1000, dtype))
    exact = [mpmath.log(sum(mpmath.exp(mpmath.mpf(float(v))) for v in row)) for row in x]
    scale = np.maximum(np.abs(x).max(axis=1), 1.0)
    error = np.array(
        [float(abs(mpmath.mpf(float(f)) - e)) for f, e in zip(found, exact, strict=True)]
    )
    assert (error <= 3 * np.finfo(dtype).eps * scale).all()


def test_every_helper_is_reached_by_a_module() -> None:
    """A helper that no module can hold is dead text."""
    texts = [of_file(p).text for p in SPECS] + [emitted(n).text for n in TEXTS]
    kinds = [
        f'equations = "loss = sum(i,j: W[i,j])"\n[params]\nW = "real[3, 4] init={how}"'
        for how in INITS
    ]
    texts += [of_text(text).text for text in kinds]
    made = [(f"def {n}(", f"class {n}(", n) for n in helper_names("numpy")]
    reached = {n for *heads, n in made if any(head in text for text in texts for head in heads)}
    assert set(helper_names("numpy")) - reached <= {"_relu"}  # a rank-0 relu


# ---- text --------------------------------------------------------------------------------------------


def test_a_long_line_is_broken_at_its_longest_bracket() -> None:
    arguments = ", ".join(f"argument_{n}" for n in range(9))
    lines = wrapped_call(f"x = f(a)[0] + g({arguments}, h({arguments})).T", 4)
    assert max(map(len, lines)) <= 100
    assert lines[0] == "    x = f(a)[0] + g("
    assert lines[-1] == "    ).T"
    assert "".join(line.strip() for line in lines).replace(",)", ")").count("argument_") == 18


def test_a_long_sum_is_broken_before_its_operators() -> None:
    lines = wrapped_call("x = " + " + ".join(f"term_number_{n} * 2.0" for n in range(9)), 4)
    assert lines[0] == "    x = ("
    assert lines[2].strip().startswith("+ ")
    assert lines[-1] == "    )"


@pytest.mark.parametrize("text", ["plain\n", "a \\ b\n", "'''", "ends with '", "é", 'a """ b\n'])
def test_a_literal_reads_back(text: str) -> None:
    import ast

    assert ast.literal_eval(literal(text)) == text


def test_sizes_of_init_are_those_of_params() -> None:
    for path in SPECS:
        found = of_file(path)
        sizes = accepted(found.module.init, found.sizes())
        assert found.module.init(np.random.default_rng(0), **sizes)._sizes == sizes


def test_a_name_that_nothing_reads_is_not_bound() -> None:
    lines = [
        "    t = ws.t",
        "    dW = np.matmul(a, b, out=grads.W)",
        "    loss = np.sum(a)  # t, dW",
    ]
    assert without_unread(lines, ["    return loss"]) == [
        "    np.matmul(a, b, out=grads.W)",
        "    loss = np.sum(a)  # t, dW",
    ]
    chain = ["    a = ws.a", "    b = np.add(a, 1.0, out=ws.b)"]
    assert without_unread(chain, []) == ["    a = ws.a", "    np.add(a, 1.0, out=ws.b)"]


def test_a_quotient_of_sizes_is_bracketed_as_python_reads_it() -> None:
    half = Size.of("L") // 2
    for size in (half * 2, half * "B", Size.of("A") * half * 3, -half, Size.of("B") - half, half):
        for length in (4, 5, 7):
            sizes = {"A": 2, "B": 3, "L": length}
            found = eval(size_expression(size), {}, dict(sizes))
            assert found == size.evaluate(sizes), str(size)


def test_a_parameter_may_not_have_a_name_that_savez_takes_itself() -> None:
    for name in ("file", "allow_pickle"):
        with pytest.raises(SpecError, match="the generated module uses itself"):
            parse_spec(f'equations = "loss = {name}"\n[params]\n{name} = "real"', "m")
