"""Weights of a PyTorch module load by one call: same outputs, and every misfit is a clear error."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from catalogue import NAMES
from emitted import Emitted, of_text
from network_cases import layer_spec, layer_text

from symgrad.catalog.layer import Layer
from symgrad.catalog.layers import ROWS
from symgrad.spec import load

DATA = """
[sizes]
B = "batch"
H = 5
[params]
log_std = "real[2]"
[data]
obs = "real[B, 4]"
"""

ONE = f"""
[networks.q]
input = "obs"
layers = ["dense H tanh", "layernorm", "dense 3 relu", "dense 2 bias=false"]
{DATA}
"""

TWO = f"""
[networks.trunk]
input = "obs"
layers = ["dense H tanh", "dense 5 tanh"]
[networks.pi]
input = "trunk"
layers = ["dense 2"]
[networks.old]
copy_of = "pi"
held = true
[losses.one]
equations = "loss = sum(b,i: (pi[b,i] - old[b,i])**2) + sum(i: log_std[i])"
{DATA}
"""

FITTING = {
    "0.weight": (5, 4), "0.bias": (5,), "2.weight": (5,), "2.bias": (5,), "3.weight": (3, 5), "3.bias": (3,), "5.weight": (2, 3),
}  # fmt: skip


def entries(**other: Any) -> dict[str, np.ndarray]:
    """Arrays that fit ONE, each of its own numbers; `other` shapes by name, None to leave out."""
    rng = np.random.default_rng(7)
    shapes = {**FITTING, **{name.replace("_", "."): shape for name, shape in other.items()}}
    return {name: rng.normal(size=shape) for name, shape in shapes.items() if shape is not None}


def test_a_module_of_its_own_spec_is_the_same_but_for_its_layers() -> None:
    module = of_text(TWO, "m").module
    again = of_text(module.SPEC, "m").module
    lost = {name for name in vars(module) if not hasattr(again, name) and name[0] != "_"}
    assert lost == {"LAYERS", "load_state_dict"}
    assert again.SPEC == module.SPEC


def fresh(emitted: Emitted, **sizes: int) -> Any:
    return emitted.module.init(np.random.default_rng(0), **sizes)


# ---- torch -----------------------------------------------------------------------------------

ACTIVATIONS = {"tanh": "Tanh", "relu": "ReLU", "silu": "SiLU", "sigmoid": "Sigmoid", "gelu": "GELU"}


@pytest.mark.parametrize("seed", range(8))
def test_any_sequential_network_gives_the_same_outputs(seed: int, torch: Any) -> None:
    """One to six layers of 1 to 9 neurons, with or without a bias, some normalised."""
    rng = np.random.default_rng(seed)
    torch.manual_seed(seed)
    width, own, theirs = 4, [], []
    for _ in range(1 + seed % 6):
        size, name, bias = int(rng.integers(1, 10)), rng.choice([*ACTIVATIONS]), rng.random() < 0.7
        own.append(f'"dense {size} {name}{"" if bias else " bias=false"}"')
        theirs += [torch.nn.Linear(width, size, bias=bias), getattr(torch.nn, ACTIVATIONS[name])()]
        width = size
        if rng.random() < 0.5:
            own.append('"layernorm"')
            theirs.append(torch.nn.LayerNorm(width))
    network = torch.nn.Sequential(*theirs).double()
    with torch.no_grad():
        for parameter in network.parameters():
            parameter.add_(torch.as_tensor(0.3 * rng.normal(size=tuple(parameter.shape))))
    text = f'[networks.q]\ninput = "obs"\nlayers = [{", ".join(own)}]\n{DATA}'
    emitted = of_text(text.replace('[params]\nlog_std = "real[2]"', ""), "q")
    params = fresh(emitted)
    emitted.module.load_state_dict(params, network.state_dict())
    obs = rng.normal(size=(6, 4))
    expected = network(torch.as_tensor(obs)).detach().numpy()
    np.testing.assert_allclose(
        emitted.module.forward(params, obs), expected, rtol=1e-12, atol=1e-13
    )


def test_parameters_that_need_a_gradient_load_too(torch: Any) -> None:
    network = torch.nn.Linear(4, 2)
    emitted = of_text(f'[networks.q]\ninput = "obs"\nlayers = ["dense 2"]\n{DATA}', "q")
    params = fresh(emitted)
    emitted.module.load_state_dict(params, dict(network.named_parameters()))
    np.testing.assert_array_equal(params.W1, network.weight.detach().numpy())
    np.testing.assert_array_equal(params.c1, network.bias.detach().numpy())


def test_running_statistics_are_data_and_the_rest_of_batchnorm_loads(torch: Any) -> None:
    layers = (
        torch.nn.Linear(4, 5),
        torch.nn.BatchNorm1d(5),
        torch.nn.ReLU(),
        torch.nn.Linear(5, 2),
    )
    network = torch.nn.Sequential(*layers).double()
    obs = np.random.default_rng(3).normal(size=(6, 4))
    with torch.no_grad():
        network[1].weight += torch.arange(5.0)
        network(torch.as_tensor(obs))  # moves the statistics
    network.eval()
    text = f"""
[networks.q]
input = "obs"
layers = ["dense H", "batchnorm relu running_mean=rm running_var=rv", "dense 2"]
{DATA}
rm = "real[H]"
rv = "real[H]"
"""
    emitted = of_text(text.replace('[params]\nlog_std = "real[2]"', ""), "q")
    params, state = fresh(emitted), network.state_dict()
    emitted.module.load_state_dict(params, state)
    rm, rv = state["1.running_mean"].numpy(), state["1.running_var"].numpy()
    expected = network(torch.as_tensor(obs)).detach().numpy()
    np.testing.assert_allclose(
        emitted.module.forward(params, obs, rm, rv), expected, rtol=1e-12, atol=1e-13
    )


def test_a_module_with_parts_loads_part_by_part(torch: Any) -> None:
    class Actor(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.body = torch.nn.Sequential(
                torch.nn.Linear(4, 7), torch.nn.Tanh(), torch.nn.Linear(7, 5), torch.nn.Tanh()
            )
            self.head = torch.nn.Linear(5, 2)

        def forward(self, x: Any) -> Any:
            return self.head(self.body(x))

    actor = Actor().double()
    module = of_text(TWO, "two").module
    params = module.init(np.random.default_rng(0), H=7)
    module.load_state_dict(params, actor.state_dict(), network="trunk", prefix="body.")
    module.load_state_dict(params, actor.state_dict(), network="pi", prefix="head.")
    obs = np.random.default_rng(3).normal(size=(6, 4))
    expected = actor(torch.as_tensor(obs)).detach().numpy()
    np.testing.assert_allclose(module.pi_forward(params, obs), expected, rtol=1e-12, atol=1e-13)


# ---- plain arrays ----------------------------------------------------------------------------


def test_every_parameter_gets_its_own_entry_and_free_ones_stay() -> None:
    emitted = of_text(ONE, "one")
    params, given = fresh(emitted), entries()
    params.log_std = [3.0, 4.0]
    emitted.module.load_state_dict(params, given)
    views = (params.W1, params.c1, params.g2, params.s2, params.W3, params.c3, params.W4)
    for view, array in zip(views, given.values(), strict=True):
        np.testing.assert_array_equal(view, array)
    np.testing.assert_array_equal(params.log_std, [3.0, 4.0])


def test_an_npz_file_loads_whatever_its_order(tmp_path: Path) -> None:
    emitted = of_text(ONE, "one")
    given = entries()
    by_mapping = fresh(emitted)
    emitted.module.load_state_dict(by_mapping, given)
    for order in (given, dict(sorted(given.items())), dict(reversed(given.items()))):
        np.savez(tmp_path / "weights.npz", **order)
        by_file = fresh(emitted)
        emitted.module.load_state_dict(by_file, tmp_path / "weights.npz")
        np.testing.assert_array_equal(by_file.flat, by_mapping.flat)


def test_what_batchnorm_counts_is_left_out() -> None:
    emitted = of_text(ONE, "one")
    counts = {"2.num_batches_tracked": np.array(3), "2.running_mean": np.ones(5)}
    params, plain = fresh(emitted), fresh(emitted)
    emitted.module.load_state_dict(plain, entries())
    emitted.module.load_state_dict(params, entries() | counts)
    np.testing.assert_array_equal(params.flat, plain.flat)
    with pytest.raises(ValueError, match="layer '2' has bias and running_sum and weight"):
        emitted.module.load_state_dict(params, entries() | {"2.running_sum": np.ones(5)})


def test_layers_of_a_sequential_network_go_by_number_not_by_letter() -> None:
    """As text, "10" stands before "2"."""
    layers = ", ".join(['"dense 4"'] * 12)
    emitted = of_text(f'[networks.q]\ninput = "obs"\nlayers = [{layers}]\n{DATA}', "q")
    names = sorted(f"{n}.{kind}" for n in range(12) for kind in ("weight", "bias"))
    shapes = {"weight": (4, 4), "bias": (4,)}
    given = {n: np.full(shapes[n.partition(".")[2]], float(n.partition(".")[0])) for n in names}
    params = fresh(emitted)
    emitted.module.load_state_dict(params, given)
    for n in range(12):
        assert (getattr(params, f"W{n + 1}") == n).all()
        assert (getattr(params, f"c{n + 1}") == n).all()


def test_float32_parameters_stay_float32() -> None:
    emitted = of_text(ONE, "one")
    params = emitted.module.init(np.random.default_rng(0), dtype=np.float32)
    emitted.module.load_state_dict(params, entries())
    assert params.flat.dtype == np.float32
    np.testing.assert_array_equal(params.W1, entries()["0.weight"].astype(np.float32))


def test_all_networks_load_at_once_in_their_order() -> None:
    module = of_text(TWO, "two").module
    params = module.init(np.random.default_rng(0))
    given = {
        f"{layer}.{kind}": np.full(shape, float(n))
        for n, (layer, shapes) in enumerate(
            {"a": ((5, 4), (5,)), "b": ((5, 5), (5,)), "c": ((2, 5), (2,)), "d": ((2, 5), (2,))}.items()
        )
        for kind, shape in zip(("weight", "bias"), shapes, strict=True)
    }  # fmt: skip
    module.load_state_dict(params, given)
    assert [params.trunk.W1[0, 0], params.trunk.W2[0, 0], params.pi.W1[0, 0], params.old.c1[0]] == [
        0,
        1,
        2,
        3,
    ]


# source, keywords, words
BAD: tuple[tuple[str, dict[str, Any], dict[str, Any], tuple[str, ...]], ...] = (
    ("a layer is missing", entries(**{"5_weight": None}), {}, ("3 layers: 0, 2, 3", "expected 4: W1, g2, W3, W4")),
    ("a layer too many", entries(**{"7_weight": (2, 2)}), {}, ("5 layers", "expected 4")),
    ("nothing", {}, {}, ("0 layers: none", "expected 4")),
    ("a bias is missing", entries(**{"0_bias": None}), {}, ("layer '0' has weight", "weight and bias, for W1 and c1")),
    ("a bias that is not expected", entries(**{"5_bias": (2,)}), {}, ("layer '5' has bias and weight", "expected weight, for W4")),
    ("a running mean", entries(**{"2_mean": (5,)}), {}, ("layer '2' has bias and mean and weight",)),
    ("another width", entries(**{"0_weight": (6, 4)}), {}, ("0.weight has shape (6, 4)", "expected (5, 4), as W1")),
    ("a transposed weight", entries(**{"0_weight": (4, 5)}), {}, ("0.weight has shape (4, 5)", "expected (5, 4)")),
    ("a row for a vector", entries(**{"0_bias": (1, 5)}), {}, ("0.bias has shape (1, 5)", "expected (5,)")),
    ("whole numbers", {**entries(), "0.bias": np.ones(5, int)}, {}, ("0.bias has dtype int64", "reals")),
    ("an unknown network", entries(), {"network": "p"}, ("no network 'p'", "there are q")),
    ("a prefix that nothing has", entries(), {"prefix": "net."}, ("0 layers: none",)),
)  # fmt: skip


@pytest.mark.parametrize(
    ("source", "keywords", "words"), [b[1:] for b in BAD], ids=[b[0] for b in BAD]
)
def test_what_does_not_fit_is_refused_and_nothing_is_set(
    source: dict[str, Any], keywords: dict[str, Any], words: tuple[str, ...]
) -> None:
    emitted = of_text(ONE, "one")
    params = fresh(emitted)
    before = params.flat.copy()
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        emitted.module.load_state_dict(params, source, **keywords)
    assert [word for word in words if word not in str(caught.value)] == []
    np.testing.assert_array_equal(params.flat, before)


def test_a_file_that_is_no_npz_is_refused(tmp_path: Path) -> None:
    emitted = of_text(ONE, "one")
    (tmp_path / "weights.npz").write_bytes(b"weights")
    with pytest.raises(ValueError, match="not an npz file"):
        emitted.module.load_state_dict(fresh(emitted), tmp_path / "weights.npz")
    with pytest.raises(TypeError, match="expected this module's Params"):
        emitted.module.load_state_dict(np.zeros(3), entries())


def test_only_modules_of_networks_have_it() -> None:
    checked = 0
    for name in NAMES:
        spec = load(Path(__file__).parent.parent / "symgrad" / "catalog" / "specs" / f"{name}.toml")
        text = (Path(__file__).parent.parent / "generated" / "numpy" / f"{name}.py").read_text(
            encoding="utf-8"
        )
        assert ("def load_state_dict" in text) == bool(spec.layers) == ("LAYERS = {" in text)
        assert spec.layers or "_set_layers" not in text
        checked += bool(spec.layers)
    assert checked >= 3


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_every_layer_of_the_catalogue_loads(row: Layer) -> None:
    emitted = of_text(layer_spec(row, layer_text(row)), "q")
    if not emitted.spec.layers:  # it has no parameters
        assert not hasattr(emitted.module, "load_state_dict")
        return
    ((_, (names,)),) = emitted.spec.layers
    params, rng = fresh(emitted), np.random.default_rng(1)
    given = {torch: rng.normal(size=getattr(params, name).shape) for torch, name in names}
    emitted.module.load_state_dict(params, {f"0.{torch}": a for torch, a in given.items()})
    for torch, name in names:
        np.testing.assert_array_equal(getattr(params, name), given[torch])
