"""Specs: sections, losses, canonical text and the catalogue's ready specs."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from symgrad.algebra.sizes import Size
from symgrad.explain.build import explain
from symgrad.spec import Spec, load, parse_spec
from symgrad.verify.evaluate import evaluate

SPECS = sorted((Path(__file__).parent.parent / "symgrad" / "catalog" / "specs").glob("*.toml"))
SHIPPED = {path.stem: path for path in SPECS}

BASE = """
[sizes]
B = "batch"
N = 3
[params]
w = "real[N]"
k = "real init=constant(0.5)"
[data]
x = "real[B, N]"
y = "real[B]"
"""


def spec(text: str, declared: str = BASE) -> Spec:
    return parse_spec(text + declared, "example")


def test_the_shipped_specs_are_there() -> None:
    known = {"attention", "convolution", "digits_mlp", "gru", "one_bias", "softmax_policy"}
    assert known <= set(SHIPPED)


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_a_shipped_spec_equals_its_canonical_text_read_back(path: Path) -> None:
    first = load(path)
    second = parse_spec(first.canonical(), first.name)
    assert second == first
    assert second.canonical() == first.canonical()
    assert second.hash == first.hash


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_a_shipped_spec_has_something_to_differentiate_and_what_forward_returns(path: Path) -> None:
    found = load(path)
    real = {t.name for t in found.tensors if t.kind == "real"}
    assert [loss.name for loss in found.losses if not loss.wrt or not real >= set(loss.wrt)] == []
    assert found.losses
    assert (found.forward.outputs if found.forward else ()) == found.outputs


@pytest.mark.parametrize("path", SPECS, ids=lambda p: p.stem)
def test_a_shipped_spec_declares_and_computes_nothing_for_nothing(path: Path) -> None:
    assert load(path).unneeded == ()


def test_one_bias_gives_the_lessons_numbers() -> None:
    (loss,) = load(SHIPPED["one_bias"]).losses
    values = {"b": -0.5, "w": 20.0, "hunger": [0.0], "norm": [True], "reward": [-1.0]}
    found = evaluate(loss.program, values, {"N": 1})
    assert float(found.values["p"][0]) == pytest.approx(0.3775407, abs=1e-7)
    assert float(found.values["loss"]) == pytest.approx(np.log(0.3775407), abs=1e-6)


def test_the_convolution_has_pytorchs_length() -> None:
    found = load(SHIPPED["convolution"])
    assert found.derived[0][1].evaluate({"L": 20, "K": 3}) == (20 + 2 * 2 - 3 * 2 - 1) // 2 + 1
    assert [message for _, message in found.checks] == ["U = (L+6-3*K)//2+1 must be at least 1"]


def drawn(found: Spec, sizes: dict[str, int]) -> dict[str, np.ndarray]:
    """Normal values for every declared tensor."""
    rng = np.random.default_rng(0)
    return {t.name: rng.normal(size=[s.evaluate(sizes) for s in t.shape]) for t in found.tensors}


def test_the_convolution_is_pytorchs(torch: ModuleType) -> None:
    found = load(SHIPPED["convolution"])
    sizes = {"B": 2, "L": 20, "C": 3, "O": 4, "K": 3, "M": 2}
    v = drawn(found, sizes)
    z = evaluate(found.shared, v, sizes).values["z"]
    x, weight, bias = (torch.from_numpy(v[n]) for n in ("x", "W", "w0"))
    expected = torch.nn.functional.conv1d(x, weight, bias, stride=2, padding=2, dilation=3)
    np.testing.assert_allclose(z, expected.numpy(), rtol=1e-12, atol=1e-12)


def test_the_gru_is_pytorchs(torch: ModuleType) -> None:
    found = load(SHIPPED["gru"])
    sizes = {"B": 2, "T": 5, "D": 3, "H": 4, "K": 2}
    v = drawn(found, sizes)
    h = evaluate(found.shared, v, sizes).values["h"]
    cell = torch.nn.GRU(3, 4, batch_first=True, dtype=torch.float64)
    stacked = {
        "weight_ih_l0": [v["Wr"], v["Wz"], v["Wn"]],
        "weight_hh_l0": [v["Ur"], v["Uz"], v["Un"]],
        "bias_ih_l0": [v["cr"], v["cz"], v["cn"]],
        "bias_hh_l0": [0 * v["cr"], 0 * v["cz"], v["en"]],
    }
    cell.load_state_dict({k: torch.from_numpy(np.concatenate(a)) for k, a in stacked.items()})
    expected = cell(torch.from_numpy(v["x"]))[0].detach().numpy()
    np.testing.assert_allclose(h[:, 1:], expected, rtol=1e-12, atol=1e-12)


def test_the_attention_is_pytorchs(torch: ModuleType) -> None:
    found = load(SHIPPED["attention"])
    sizes = {"B": 2, "T": 5, "D": 6, "A": 2, "K": 3}
    v = drawn(found, sizes)
    y = evaluate(found.shared, v, sizes).values["y"]
    heads = [torch.from_numpy(np.einsum("hid,btd->bhti", v[w], v["x"])) for w in ("Wq", "Wk", "Wv")]
    o = torch.nn.functional.scaled_dot_product_attention(*heads, is_causal=True).numpy()
    expected = v["x"] + np.einsum("dhi,bhti->btd", v["Wo"], o)
    np.testing.assert_allclose(y, expected, rtol=1e-12, atol=1e-12)


TWO_LOSSES = (
    '''
aux = ["v"]
outputs = ["v"]
equations = """
v[b] = sum(i: w[i]*x[b,i])
"""
'''
    + BASE
    + '''
[losses.critic]
wrt = ["w", "x"]
aux = ["error"]
equations = """
error[b] = v[b] - y[b]
loss = mean(b: error[b]**2)
"""
[losses.scale]
wrt = ["k"]
equations = """
error = mean(b: k*stop(v[b]) - y[b])
loss = error**2
"""
'''
)


def test_losses_share_equations_and_keep_their_own_names() -> None:
    found = parse_spec(TWO_LOSSES, "example")
    critic, scale = found.losses
    assert (critic.name, critic.wrt, critic.program.outputs) == (
        "critic",
        ("w", "x"),
        ("loss", "v", "error"),
    )
    assert (scale.name, scale.wrt, scale.program.outputs) == ("scale", ("k",), ("loss", "v"))
    assert len(critic.program.tensor_of["error"].shape) == 1
    assert len(scale.program.tensor_of["error"].shape) == 0
    assert "error" not in found.shared.tensor_of
    assert parse_spec(found.canonical(), "example") == found


def test_equations_with_a_loss_are_the_only_loss() -> None:
    found = spec('equations = "loss = mean(b: y[b]*k)"')
    assert [(loss.name, loss.wrt) for loss in found.losses] == [("loss", ("w", "k"))]
    assert found.forward is None


def test_wrt_may_name_data_and_an_empty_wrt_means_no_loss() -> None:
    assert spec('wrt = ["y"]\nequations = "loss = mean(b: y[b]*k)"').losses[0].wrt == ("y",)
    assert spec('wrt = []\noutputs = ["loss"]\nequations = "loss = mean(b: y[b]*k)"').losses == ()


# value in [sizes] after B = "batch" and L = 8; the size that U is; None: a free size
SIZES = (
    ("6", None),
    ('"rows of the table"', None),
    ('"rows"', None),
    ('"batch-size"', None),
    ('"L"', None),
    ('"L + 1"', "L+1"),
    ('"(L + 2 - 3)//4 + 1"', "(L-1)//4+1"),
    ('"2*L*B"', "2*B*L"),
    ('"= L"', "L"),
    ('"= 3*2"', "6"),
)  # fmt: skip


@pytest.mark.parametrize(("value", "size"), SIZES)
def test_a_size_is_a_default_a_description_or_an_expression(value: str, size: str | None) -> None:
    declared = f'[sizes]\nB = "batch"\nL = 8\nU = {value}\n[params]\nw = "real[U]"\n'
    found = spec('equations = "loss = sum(i: w[i])"\n', declared)
    assert str(found.tensors[0].shape[0]) == (size or "U")
    assert dict(found.derived) == ({} if size is None else {"U": found.tensors[0].shape[0]})
    assert parse_spec(found.canonical(), "example") == found


# type, kind, below, default, init
TYPES = (
    ("params", "real[N, 4]", ("real", None, None, None)),
    ("params", "real[N, 4] init=orthogonal(1.414)", ("real", None, None, "orthogonal(1.414)")),
    ("params", "real init=constant(-0.5)", ("real", None, None, "constant(-0.5)")),
    ("params", "real[N] init=zeros", ("real", None, None, "zeros")),
    ("data", "int[N] < 2*N", ("int", "2*N", None, None)),
    ("data", "bool[N]", ("bool", None, None, None)),
    ("data", "real = 0.99", ("real", None, "99/100", None)),
    ("data", "real = -1e-3", ("real", None, "-1/1000", None)),
    ("data", "int = 3", ("int", None, "3", None)),
    ("data", "real[N] > 0", ("real > 0", None, None, None)),
    ("data", "real > 0 = 0.5", ("real > 0", None, "1/2", None)),
)  # fmt: skip


@pytest.mark.parametrize(("section", "text", "expected"), TYPES)
def test_a_type_declares_a_tensor(
    section: str, text: str, expected: tuple[str | None, ...]
) -> None:
    declared = f'[sizes]\nN = 3\n[{section}]\nt = "{text}"\n'
    found = spec('outputs = ["h"]\nwrt = []\nequations = "h = 1"\n', declared)
    (tensor,) = found.tensors
    shown = tuple(
        None if v is None else str(v)
        for v in (tensor.kind + " > 0" * tensor.positive, tensor.below, tensor.default, tensor.init)
    )
    assert shown == expected
    assert parse_spec(found.canonical(), "example") == found


def test_a_mean_over_a_range_that_may_be_empty_is_required_to_have_a_point() -> None:
    found = spec('equations = "loss = mean(b: x[b,0]*x[b+1,0]) for b < B - 1"\n')
    assert found.checks == ((Size.of("B") - 2, "B must be at least 2"),)
    assert parse_spec(found.canonical(), "example") == found


def test_a_mean_over_two_ranges_requires_a_point_of_each() -> None:
    text = 'equations = "loss = mean(b,c: x[b+1,0]*x[c+2,0]) for b < B - 1, c < B - 2"\n'
    assert spec(text).checks == ((Size.of("B") - 3, "B must be at least 3"),)


def test_a_requirement_is_checked_on_entry() -> None:
    found = spec('require = ["B >= 2*N"]\nequations = "loss = k"\n')
    assert [str(size) for size, _ in found.checks] == ["B-2*N"]
    assert parse_spec(found.canonical(), "example") == found


def test_a_description_of_any_letters_reads_back() -> None:
    found = spec(
        'description = "Bellman\u2019s \\"backup\\"\\n\U0001f600"\nequations = "loss = k"\n'
    )
    assert found.description == 'Bellman\u2019s "backup"\n\U0001f600'
    assert found.canonical().isascii()
    assert parse_spec(found.canonical(), "example") == found


def test_windows_line_ends_and_dotted_keys_are_toml_too() -> None:
    text = 'equations = """\nloss = k\n"""\nsizes.N = 3\nparams.k = "real"\n'
    assert parse_spec(text.replace("\n", "\r\n"), "example") == parse_spec(text, "example")


def test_the_text_is_kept_and_does_not_count() -> None:
    one, two = spec('equations = "loss = k"'), spec('equations = "loss = k  "')
    assert one.source != two.source
    assert one == two
    assert one.hash == two.hash


def test_descriptions_of_sizes_survive_in_the_canonical_text_and_in_a_derivation() -> None:
    found = spec('equations = "loss = mean(b: y[b]*k)"')
    assert found.notes == (("B", "batch"),)
    assert parse_spec(found.canonical(), "again").notes == found.notes
    assert parse_spec(explain(found).notation(), "again").notes == found.notes
